//! System calls, encoded for the program beside the mount.

use bytes::Bytes;

use super::{INPUT, OUTPUT, OUTPUT_SIZE, ROUND};

/// `AT_FDCWD`. All paths are absolute.
const HERE: u64 = -100_i64 as u64;
/// The size in bytes of a request without its input.
pub(super) const HEADER: usize = 88;

/// A system call.
#[derive(Debug, Clone)]
pub(in crate::cache_mount) struct Call {
    number: u64,
    arguments: [Argument; 5],
    pub(super) input: Vec<u8>,
    pub(super) output: Output,
}

#[derive(Debug, Clone, Copy)]
enum Argument {
    Number(u64),
    /// The address of the input, and an offset.
    Input(u64),
    /// The address of the output.
    Output,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Output {
    Fixed(usize),
    /// The result of the call is the number of bytes, up to this limit.
    Result(usize),
}

/// The answer to a call.
#[derive(Debug, Clone)]
pub(in crate::cache_mount) struct Reply {
    pub(super) value: i64,
    pub(in crate::cache_mount) data: Bytes,
}

impl Reply {
    /// The result, or the error number.
    pub(in crate::cache_mount) fn value(&self) -> Result<u64, i32> {
        u64::try_from(self.value)
            .map_err(|_| i32::try_from(self.value.saturating_neg()).unwrap_or(i32::MAX))
    }
}

impl Call {
    pub(in crate::cache_mount) fn new(number: u64) -> Self {
        Self {
            number,
            arguments: [Argument::Number(0); 5],
            input: Vec::new(),
            output: Output::Fixed(0),
        }
    }

    fn at(mut self, index: usize, argument: Argument) -> Self {
        if let Some(place) = self.arguments.get_mut(index) {
            *place = argument;
        }
        self
    }

    /// Sets an argument to a number.
    pub(in crate::cache_mount) fn number(self, index: usize, number: u64) -> Self {
        self.at(index, Argument::Number(number))
    }

    /// Sets an argument to the working directory, for a path that follows.
    pub(in crate::cache_mount) fn here(self, index: usize) -> Self {
        self.number(index, HERE)
    }

    /// Sets an argument to the address of these bytes.
    pub(in crate::cache_mount) fn bytes(mut self, index: usize, bytes: &[u8]) -> Self {
        // Some calls need aligned numbers.
        self.input.resize(self.input.len().next_multiple_of(8), 0);
        let offset = self.input.len() as u64;
        self.input.extend_from_slice(bytes);
        self.at(index, Argument::Input(offset))
    }

    /// Sets an argument to a NUL-terminated path.
    pub(in crate::cache_mount) fn path(self, index: usize, path: &[u8]) -> Self {
        let mut bytes = path.to_vec();
        bytes.push(0);
        self.bytes(index, &bytes)
    }

    /// The call writes up to `size` bytes and returns their number; the size is the next argument
    /// after the address.
    pub(in crate::cache_mount) fn fills(mut self, index: usize, size: usize) -> Self {
        let size = size.min(OUTPUT_SIZE);
        self.output = Output::Result(size);
        self.at(index, Argument::Output)
            .number(index + 1, size as u64)
    }

    /// The call writes a structure of this size.
    pub(in crate::cache_mount) fn writes(mut self, index: usize, size: usize) -> Self {
        self.output = Output::Fixed(size.min(OUTPUT_SIZE));
        self.at(index, Argument::Output)
    }

    /// The number of bytes that are sent and may be returned.
    pub(in crate::cache_mount) fn cost(&self) -> usize {
        let (Output::Fixed(output) | Output::Result(output)) = self.output;
        HEADER + self.input.len() + output
    }

    pub(super) fn encode(&self, block: u64, to: &mut Vec<u8>) {
        let mut words = [0_u64; 11];
        words[0] = self.number;
        for (word, argument) in words[1..].iter_mut().zip(self.arguments) {
            *word = match argument {
                Argument::Number(number) => number,
                Argument::Input(offset) => block.wrapping_add(INPUT + offset),
                Argument::Output => block.wrapping_add(OUTPUT),
            };
        }
        words[7] = block.wrapping_add(INPUT);
        words[8] = self.input.len() as u64;
        words[9] = block.wrapping_add(OUTPUT);
        words[10] = match self.output {
            Output::Fixed(size) => size as u64,
            Output::Result(_) => u64::MAX,
        };
        to.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        to.extend_from_slice(&self.input);
    }
}

/// Splits calls into rounds of limited size.
pub(in crate::cache_mount) fn chunks(calls: &[Call]) -> impl Iterator<Item = &[Call]> {
    let mut rest = calls;
    std::iter::from_fn(move || {
        let mut cost = 0;
        let fits = |call: &&Call| {
            cost += call.cost();
            cost <= ROUND
        };
        let count = rest.iter().take_while(fits).count().max(1).min(rest.len());
        let (next, after) = rest.split_at(count);
        rest = after;
        (!next.is_empty()).then_some(next)
    })
}
