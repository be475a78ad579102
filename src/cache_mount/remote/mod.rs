//! System calls in the container with the cache mount, many per round trip.

mod call;

use bytes::{Buf as _, BytesMut};

use super::Error;
use super::attached::MOUNT;
use super::entry::text;
use super::program::{BLOCK, System};
use crate::gateway::{Process, ProcessInput};

pub(super) use call::{Call, Reply, chunks};
use call::{HEADER, Output};

/// The offset and size of the input in the program's block.
const INPUT: u64 = 0x1000;
pub(super) const INPUT_SIZE: usize = 0x8_0000;
/// The offset and size of the output.
const OUTPUT: u64 = INPUT + INPUT_SIZE as u64;
pub(super) const OUTPUT_SIZE: usize = 0x8_0000;
const _: () = assert!(OUTPUT + (OUTPUT_SIZE as u64) < BLOCK);

/// `EOPNOTSUPP`: the file system does not support the call.
pub(super) const NOT_SUPPORTED: i32 = 95;

/// The most bytes of a round trip.
pub(super) const ROUND: usize = 4 << 20;
/// `AT_SYMLINK_NOFOLLOW`.
pub(super) const NO_FOLLOW: u64 = 0x100;

/// The program in the container.
#[derive(Debug)]
pub(super) struct Remote {
    process: Process,
    input: ProcessInput,
    received: BytesMut,
    /// The address of the program's block of memory.
    block: u64,
    pub(super) system: &'static System,
    /// The descriptor of the next opened file.
    pub(super) descriptor: u64,
}

impl Remote {
    /// Waits until the program has reported its address.
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
        let close = Call::new(system.calls.close).number(0, 3);
        let replies = remote.batch(&[open, close]).await?;
        let opened = replies.first().map(Reply::value);
        match opened {
            // No other file is open, so every opened file gets this descriptor.
            Some(Ok(3)) => remote.descriptor = 3,
            _ => return Err(Error::ProgramAnswer),
        }
        Ok(remote)
    }

    /// Opens a path; symbolic links are not followed.
    pub(super) fn open(&self, path: &[u8], flags: u64) -> Call {
        const CLOSE_ON_EXEC: u64 = 0o2_000_000;
        let flags = flags | CLOSE_ON_EXEC | self.system.o_nofollow;
        Call::new(self.system.calls.openat)
            .here(0)
            .path(1, path)
            .number(2, flags)
            .number(3, 0o600)
    }

    /// Closes the open file.
    pub(super) fn close(&self) -> Call {
        Call::new(self.system.calls.close).number(0, self.descriptor)
    }

    /// Makes calls one after another, in one round trip. A failed call does not stop the others.
    pub(super) async fn batch(&mut self, calls: &[Call]) -> Result<Vec<Reply>, Error> {
        let mut bytes =
            Vec::with_capacity(calls.iter().map(|call| HEADER + call.input.len()).sum());
        for call in calls {
            call.encode(self.block, &mut bytes);
        }
        let input = self.input.clone();
        let sending = async {
            // If the program has ended, reading its answer reports that.
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

    /// Waits until this many bytes have arrived.
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
        // It ends with its container in any case.
        let _ = self.input.close().await;
        while let Ok(Some(_)) = self.process.next().await {}
    }
}

/// The path in the container.
pub(super) fn absolute(path: &[u8]) -> Vec<u8> {
    match path {
        [] => MOUNT.to_vec(),
        path => [MOUNT, path].join(&b'/'),
    }
}

pub(super) fn failed(action: &'static str, path: &[u8], code: i32) -> Error {
    Error::Remote {
        action,
        path: text(path),
        code,
    }
}
