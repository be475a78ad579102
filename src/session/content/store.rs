//! One store: a layout and its uploads in progress.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::{Elsewhere, Refused};
use crate::layout::Layout;
use crate::oci::Digest;
use crate::proto::containerd::services::content::v1 as api;

/// The maximum number of uploads in progress; a daemon has far fewer.
const UPLOADS: usize = 1024;
/// The longest name of an upload in bytes; the reference's have a few hundred.
const NAME: usize = 4096;
/// Blobs up to this size are verified before they are sent: daemons do not verify manifests and
/// configs.
const VERIFIED: u64 = 4 << 20;

/// A layout that the daemon may use.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) layout: Layout,
    pub(super) writable: bool,
    /// Knows blobs that need not be written to this store.
    pub(super) elsewhere: Option<Arc<dyn Elsewhere>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    uploads: BTreeMap<String, Progress>,
    verified: BTreeSet<Digest>,
    last: Option<Digest>,
}

/// An upload's state, as the daemon can query it.
#[derive(Debug, Clone)]
pub(super) struct Progress {
    pub(super) started: SystemTime,
    pub(super) updated: SystemTime,
    pub(super) offset: u64,
    pub(super) total: u64,
    pub(super) expected: Option<Digest>,
    pub(super) aborted: CancellationToken,
}

impl Store {
    pub(super) fn new(layout: Layout, writable: bool) -> Self {
        Self {
            layout,
            writable,
            elsewhere: None,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No holder of this lock panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn check_writable(&self) -> Result<(), Status> {
        if self.writable {
            return Ok(());
        }
        Err(Status::permission_denied(format!(
            "{} may only be read by this build",
            self.layout.root().display()
        )))
    }

    pub(super) fn not_found(&self, digest: &Digest) -> Status {
        let folder = self.layout.root().display();
        Status::not_found(format!("content {digest}: not found in {folder}"))
    }

    pub(super) fn info(&self, digest: &Digest) -> Result<api::Info, Refused> {
        let blob = self.layout.blob(digest)?;
        let blob = blob.ok_or_else(|| self.not_found(digest))?;
        Ok(api::Info {
            digest: digest.to_string(),
            size: i64::try_from(blob.size).unwrap_or(i64::MAX),
            created_at: Some(blob.modified.into()),
            updated_at: Some(blob.modified.into()),
            labels: BTreeMap::new(),
        })
    }

    pub(super) fn list(&self) -> Result<Vec<api::Info>, Refused> {
        let blobs = self.layout.blobs()?;
        let infos = blobs.iter().map(|digest| self.info(digest));
        infos.collect()
    }

    /// Refuses a small blob that does not match its digest.
    pub(super) fn verify(&self, digest: &Digest, size: u64) -> Result<(), Refused> {
        if size > VERIFIED || self.state().verified.contains(digest) {
            return Ok(());
        }
        if self.layout.is_intact(digest)? == Some(false) {
            let path = self.layout.blob_path(digest);
            return Err(Refused::Failed(Status::data_loss(format!(
                "{} is damaged: its content has another digest",
                path.display()
            ))));
        }
        self.state().verified.insert(digest.clone());
        Ok(())
    }

    /// Returns true if the blob exists. A blob of another size, or a damaged small one, is written
    /// again.
    pub(super) fn has(&self, digest: &Digest, size: Option<u64>) -> Result<bool, Refused> {
        let Some(blob) = self.layout.blob(digest)? else {
            return Ok(false);
        };
        if size.is_some_and(|size| size != blob.size) {
            return Ok(false);
        }
        Ok(blob.size > VERIFIED || self.layout.is_intact(digest)? == Some(true))
    }

    pub(super) fn last_written(&self) -> Option<Digest> {
        self.state().last.clone()
    }

    /// Records a written blob.
    pub(super) fn wrote(&self, digest: Digest) {
        self.state().last = Some(digest);
    }

    /// Reserves the name for an upload; fails while another upload has it.
    pub(super) fn begin(&self, name: &str) -> Result<Progress, Status> {
        if name.is_empty() || name.len() > NAME {
            return Err(Status::invalid_argument(
                "an upload needs a name of some characters",
            ));
        }
        let mut state = self.state();
        if state.uploads.contains_key(name) {
            return Err(Status::unavailable(format!(
                "upload {name} is locked: it is under way already"
            )));
        }
        if state.uploads.len() >= UPLOADS {
            return Err(Status::resource_exhausted("too many uploads at a time"));
        }
        let now = SystemTime::now();
        let progress = Progress {
            started: now,
            updated: now,
            offset: 0,
            total: 0,
            expected: None,
            aborted: CancellationToken::new(),
        };
        state.uploads.insert(name.to_owned(), progress.clone());
        Ok(progress)
    }

    pub(super) fn update(&self, name: &str, progress: Progress) {
        self.state().uploads.insert(name.to_owned(), progress);
    }

    pub(super) fn end(&self, name: &str) {
        self.state().uploads.remove(name);
    }

    /// An upload that is not in progress has already ended.
    pub(super) fn abort(&self, name: &str) {
        if let Some(progress) = self.state().uploads.get(name) {
            progress.aborted.cancel();
        }
    }

    pub(super) fn statuses(&self) -> Vec<api::Status> {
        let state = self.state();
        let uploads = state.uploads.iter().map(|(name, it)| api::Status {
            started_at: Some(it.started.into()),
            updated_at: Some(it.updated.into()),
            r#ref: name.clone(),
            offset: i64::try_from(it.offset).unwrap_or(i64::MAX),
            total: i64::try_from(it.total).unwrap_or(i64::MAX),
            expected: it
                .expected
                .as_ref()
                .map(Digest::to_string)
                .unwrap_or_default(),
        });
        uploads.collect()
    }
}
