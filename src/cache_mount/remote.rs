//! System calls in the container beside a cache mount, many in one round trip.

use bytes::{Buf as _, Bytes, BytesMut};

use super::Error;
use super::program::{BLOCK, System};
use crate::gateway::{Process, ProcessInput};

/// Where input lies in the program's block, and how much fits.
const INPUT: u64 = 0x1000;
pub(super) const INPUT_SIZE: usize = 0x8_0000;
/// Where output is put.
const OUTPUT: u64 = INPUT + INPUT_SIZE as u64;
pub(super) const OUTPUT_SIZE: usize = 0x8_0000;
const _: () = assert!(OUTPUT + (OUTPUT_SIZE as u64) < BLOCK);

/// `AT_FDCWD`; paths are absolute.
const HERE: u64 = -100_i64 as u64;
/// The error number of calls that a signal interrupted.
pub(super) const NOT_SUPPORTED: i32 = 95;

/// The program in the container.
#[derive(Debug)]
pub(super) struct Remote {
    process: Process,
    input: ProcessInput,
    received: BytesMut,
    /// What the program wrote to standard error, or the daemon says about its end.
    block: u64,
    pub(super) system: &'static System,
    /// The descriptor that the next opened file gets.
    pub(super) descriptor: u64,
}

/// A system call.
#[derive(Debug, Clone)]
pub(super) struct Call {
    number: u64,
    arguments: [Argument; 5],
    input: Vec<u8>,
    output: Output,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Argument {
    Number(u64),
    /// The address of the input, and an offset.
    Input(u64),
    /// The address of the output.
    Output,
}

#[derive(Debug, Clone, Copy)]
enum Output {
    Fixed(usize),
    /// As many bytes as the result says.
    Result(usize),
}

/// What a call gave.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    value: i64,
    pub(super) data: Bytes,
}

impl Reply {
    /// The result, or the error number.
    pub(super) fn value(&self) -> Result<u64, i32> {
        u64::try_from(self.value)
            .map_err(|_| i32::try_from(self.value.saturating_neg()).unwrap_or(i32::MAX))
    }
}

impl Call {
    pub(super) fn new(number: u64) -> Self {
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

    /// A number as the next argument but for those before `index`.
    pub(super) fn number(self, index: usize, number: u64) -> Self {
        self.at(index, Argument::Number(number))
    }

    /// Paths are relative to the working directory, or absolute.
    pub(super) fn here(self, index: usize) -> Self {
        self.number(index, HERE)
    }

    /// Bytes whose address is the argument.
    pub(super) fn bytes(mut self, index: usize, bytes: &[u8]) -> Self {
        // Some calls need numbers to be aligned.
        self.input.resize(self.input.len().next_multiple_of(8), 0);
        let offset = self.input.len() as u64;
        self.input.extend_from_slice(bytes);
        self.at(index, Argument::Input(offset))
    }

    /// A path, with a NUL behind it.
    pub(super) fn path(self, index: usize, path: &[u8]) -> Self {
        let mut bytes = path.to_vec();
        bytes.push(0);
        self.bytes(index, &bytes)
    }

    /// The call writes up to `size` bytes and returns how many; the size is the argument behind the
    /// address.
    pub(super) fn fills(mut self, index: usize, size: usize) -> Self {
        let size = size.min(OUTPUT_SIZE);
        self.output = Output::Result(size);
        self.at(index, Argument::Output)
            .number(index + 1, size as u64)
    }

    /// The call writes a structure of this size.
    pub(super) fn writes(mut self, index: usize, size: usize) -> Self {
        self.output = Output::Fixed(size.min(OUTPUT_SIZE));
        self.at(index, Argument::Output)
    }

    /// How many bytes go to the daemon and may come back.
    pub(super) fn cost(&self) -> usize {
        let (Output::Fixed(output) | Output::Result(output)) = self.output;
        88 + self.input.len() + output
    }

    fn encode(&self, block: u64, to: &mut Vec<u8>) {
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

impl Remote {
    /// Waits for the program to tell its address.
    pub(super) async fn start(process: Process, system: &'static System) -> Result<Self, Error> {
        let mut remote = Self {
            input: process.input(),
            process,
            received: BytesMut::new(),
            block: 0,
            system,
            descriptor: 0,
        };
        remote.receive(8).await?;
        remote.block = remote.received.get_u64_le();
        let open = remote.open(b"/", system.o_directory);
        let close = Call::new(system.close).number(0, 3);
        let replies = remote.batch(&[open, close]).await?;
        let opened = replies.first().map(Reply::value);
        match opened {
            // Nothing else is open, so that every file gets this descriptor.
            Some(Ok(3)) => remote.descriptor = 3,
            _ => return Err(Error::ProgramAnswer),
        }
        Ok(remote)
    }

    /// Opens a path; symbolic links are not followed.
    pub(super) fn open(&self, path: &[u8], flags: u64) -> Call {
        const CLOSE_ON_EXEC: u64 = 0o2_000_000;
        let flags = flags | CLOSE_ON_EXEC | self.system.o_nofollow;
        Call::new(self.system.openat)
            .here(0)
            .path(1, path)
            .number(2, flags)
            .number(3, 0o600)
    }

    /// Closes the open file.
    pub(super) fn close(&self) -> Call {
        Call::new(self.system.close).number(0, self.descriptor)
    }

    /// Makes calls one after the other, in one round trip. All are made, also after one that fails.
    pub(super) async fn batch(&mut self, calls: &[Call]) -> Result<Vec<Reply>, Error> {
        let mut bytes = Vec::with_capacity(calls.iter().map(|call| 88 + call.input.len()).sum());
        for call in calls {
            call.encode(self.block, &mut bytes);
        }
        let input = self.input.clone();
        let sending = async {
            // The end of the program is told by what it answers.
            let _ = input.write(&bytes).await;
            std::future::pending().await
        };
        let receiving = async {
            let mut replies = Vec::with_capacity(calls.len());
            for call in calls {
                replies.push(self.reply(call.output).await?);
            }
            Ok(replies)
        };
        tokio::select! {
            replies = receiving => replies,
            never = sending => never,
        }
    }

    async fn reply(&mut self, output: Output) -> Result<Reply, Error> {
        self.receive(8).await?;
        let value = self.received.get_i64_le();
        let length = match output {
            Output::Fixed(size) => size,
            Output::Result(size) => match usize::try_from(value) {
                Ok(length) if length > size => return Err(Error::ProgramAnswer),
                Ok(length) => length,
                Err(_) => 0,
            },
        };
        self.receive(length).await?;
        let data = self.received.split_to(length).freeze();
        Ok(Reply { value, data })
    }

    /// Waits until this many bytes are there.
    async fn receive(&mut self, length: usize) -> Result<(), Error> {
        while self.received.len() < length {
            match self.process.next().await? {
                Some(output) if output.is_error => {}
                Some(output) => self.received.extend_from_slice(&output.data),
                None => {
                    let failure = self.process.exit().and_then(|exit| exit.failure.as_ref());
                    return Err(Error::ProgramEnded {
                        message: failure.map(|failure| failure.message.clone()),
                    });
                }
            }
        }
        Ok(())
    }

    /// Ends the program.
    pub(super) async fn end(mut self) {
        // It is ended with its container in any case.
        let _ = self.input.close().await;
        while let Ok(Some(_)) = self.process.next().await {}
    }
}
