//! The content of files.

use bytes::Bytes;

use super::{GONE, Walk};
use crate::cache_mount::Error;
use crate::cache_mount::entry::{Entry, Item, Kind, PIECE};
use crate::cache_mount::remote::{Call, OUTPUT_SIZE, ROUND, Reply, absolute, failed};

/// `O_NONBLOCK`: do not wait for a FIFO.
const NONBLOCK: u64 = 0o4_000;

impl Walk<'_> {
    /// Sends small entries, with their content.
    pub(super) async fn send_group(&mut self, group: Vec<Entry>) -> Result<(), Error> {
        let mut calls = Vec::new();
        for entry in &group {
            if let Kind::File(size @ 1..) = entry.kind {
                calls.push(self.remote.open(&absolute(&entry.path), NONBLOCK));
                calls.push(self.read(size as usize));
                calls.push(self.remote.close());
            }
        }
        let mut replies = self.remote.batch(&calls).await?.into_iter();
        for entry in group {
            // Its first name was removed before its content was read.
            if matches!(&entry.kind, Kind::HardLink(first) if self.gone.contains(first)) {
                self.walked.changed += 1;
                continue;
            }
            let Kind::File(size @ 1..) = entry.kind else {
                self.walked.counts.add(&entry);
                self.send(Item::Entry(Box::new(entry))).await?;
                continue;
            };
            let (opened, content) = (replies.next(), replies.next());
            let (Some(opened), Some(content), Some(_)) = (opened, content, replies.next()) else {
                return Err(Error::ProgramAnswer);
            };
            if self.is_gone(&entry, &opened)? {
                continue;
            }
            let path = entry.path.clone();
            content
                .value()
                .map_err(|code| failed("read", &path, code))?;
            self.walked.counts.add(&entry);
            self.send(Item::Entry(Box::new(entry))).await?;
            self.send_content(&content.data, size).await?;
        }
        Ok(())
    }

    /// Sends a large file piece by piece.
    pub(super) async fn send_large(&mut self, entry: Entry, size: u64) -> Result<(), Error> {
        let path = entry.path.clone();
        let open = self.remote.open(&absolute(&path), NONBLOCK);
        let opened = self.remote.batch(&[open]).await?;
        let opened = opened.into_iter().next().ok_or(Error::ProgramAnswer)?;
        if self.is_gone(&entry, &opened)? {
            return Ok(());
        }
        self.walked.counts.add(&entry);
        self.send(Item::Entry(Box::new(entry))).await?;
        let mut left = size;
        while left > 0 {
            let mut calls = Vec::new();
            let mut asked = 0;
            while asked < left.min(ROUND as u64) {
                let piece = (left - asked).min(OUTPUT_SIZE as u64);
                calls.push(self.read(piece as usize));
                asked += piece;
            }
            let mut got = 0;
            for reply in self.remote.batch(&calls).await? {
                got += reply.value().map_err(|code| failed("read", &path, code))?;
                if !reply.data.is_empty() {
                    self.send(Item::Data(reply.data)).await?;
                }
            }
            left -= got.min(left);
            if got == 0 {
                self.send_content(&Bytes::new(), left).await?;
                left = 0;
            }
        }
        let close = self.remote.close();
        self.remote.batch(&[close]).await.map(drop)
    }

    fn read(&self, size: usize) -> Call {
        Call::new(self.remote.system.calls.read)
            .number(0, self.remote.descriptor)
            .fills(1, size)
    }

    /// True for a file that was removed in the meantime.
    fn is_gone(&mut self, entry: &Entry, opened: &Reply) -> Result<bool, Error> {
        match opened.value() {
            Err(code) if GONE.contains(&code) => {
                self.gone.insert(entry.path.clone());
                Ok(true)
            }
            Err(code) => Err(failed("open", &entry.path, code)),
            Ok(opened) if opened == self.remote.descriptor => Ok(false),
            Ok(_) => Err(Error::ProgramAnswer),
        }
    }

    /// Sends content, padded with zeros if the file became shorter.
    async fn send_content(&mut self, content: &Bytes, size: u64) -> Result<(), Error> {
        let mut missing = size - (content.len() as u64).min(size);
        if !content.is_empty() {
            self.send(Item::Data(content.clone())).await?;
        }
        self.walked.changed += u64::from(missing > 0);
        while missing > 0 {
            let piece = missing.min(PIECE as u64);
            self.send(Item::Data(vec![0; piece as usize].into()))
                .await?;
            missing -= piece;
        }
        Ok(())
    }
}
