//! Blob stores for the daemon: `containerd.services.content.v1.Content` over OCI layouts. It serves
//! local caches, exports to folders, and OCI layouts as contexts.
//!
//! The daemon names a store and a digest, never a path. Blobs are only added, never changed or
//! removed.

mod read;
mod store;
mod write;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::MetadataMap;
use tonic::{Extensions, Request, Response, Status, Streaming};

use super::MESSAGE_LIMIT;
use super::tasks::Tasks;
use crate::causes;
use crate::layout::{self, Layout};
use crate::oci::Digest;
use crate::proto::containerd::services::content::v1 as api;
use crate::proto::containerd::services::content::v1::content_server::{self, ContentServer};
use store::Store;

/// The methods of the service.
pub(super) const METHODS: [&str; 9] = [
    "/containerd.services.content.v1.Content/Info",
    "/containerd.services.content.v1.Content/Update",
    "/containerd.services.content.v1.Content/List",
    "/containerd.services.content.v1.Content/Delete",
    "/containerd.services.content.v1.Content/Read",
    "/containerd.services.content.v1.Content/Status",
    "/containerd.services.content.v1.Content/ListStatuses",
    "/containerd.services.content.v1.Content/Write",
    "/containerd.services.content.v1.Content/Abort",
];
/// The header that names the store of a call.
const STORE_ID: &str = "buildkit-attachable-store-id";
/// The number of blobs in one list message, as in containerd.
const LISTED: usize = 100;

/// The OCI image layouts that the daemon may use, by name: `oci:ID` for a context, `local:PATH` for
/// a cache, `export` for an output. Clones share the stores.
///
/// ```
/// use solvekit::session::ContentStores;
///
/// let stores = ContentStores::new()
///     .with("oci:base", "images/base")
///     .with_writable("local:cache", "cache");
/// assert!(!stores.is_empty());
/// ```
#[derive(Debug, Clone, Default)]
pub struct ContentStores {
    stores: BTreeMap<String, Arc<Store>>,
    failure: Arc<OnceLock<String>>,
}

/// Knows blobs that a store need not have, because they exist at the store's own destination.
#[tonic::async_trait]
pub(crate) trait Elsewhere: Send + Sync + std::fmt::Debug {
    /// True if the blob of this size exists there.
    async fn has(&self, digest: &Digest, size: u64) -> bool;
}

impl ContentStores {
    /// Returns an empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns true if there is no store.
    pub fn is_empty(&self) -> bool {
        self.stores.is_empty()
    }

    /// Lets the daemon read the layout in a folder. Ids are printable ASCII. An existing store with
    /// the id stays.
    pub fn with(mut self, id: impl Into<String>, folder: impl Into<PathBuf>) -> Self {
        let store = || Arc::new(Store::new(Layout::new(folder), false));
        self.stores.entry(id.into()).or_insert_with(store);
        self
    }

    /// Lets the daemon read the layout in a folder and add blobs to it. The folder is created with
    /// the first blob. This replaces a read-only store with the id.
    pub fn with_writable(mut self, id: impl Into<String>, folder: impl Into<PathBuf>) -> Self {
        let id = id.into();
        if !self.stores.get(&id).is_some_and(|store| store.writable) {
            let store = Store::new(Layout::new(folder), true);
            self.stores.insert(id, Arc::new(store));
        }
        self
    }

    /// Makes the store report the blobs of `elsewhere` as existing too.
    pub(crate) fn with_elsewhere(mut self, id: &str, elsewhere: Arc<dyn Elsewhere>) -> Self {
        if let Some(store) = self.stores.get_mut(id) {
            let layout = store.layout.clone();
            let mut new = Store::new(layout, store.writable);
            new.elsewhere = Some(elsewhere);
            *store = Arc::new(new);
        }
        self
    }

    /// Returns why a blob could not be read or written, with its path. The daemon receives the same
    /// message. Clones share it.
    pub fn failure(&self) -> Option<&str> {
        self.failure.get().map(String::as_str)
    }

    /// Returns the last blob that the daemon wrote to a store, or skipped because it existed. For a
    /// complete image or cache, that is its manifest or index.
    pub fn last_written(&self, id: &str) -> Option<Digest> {
        self.stores.get(id)?.last_written()
    }

    pub(super) fn into_service(self) -> ContentServer<Self> {
        ContentServer::new(self).max_decoding_message_size(MESSAGE_LIMIT)
    }

    fn store(&self, metadata: &MetadataMap) -> Result<Arc<Store>, Status> {
        let id = metadata.get(STORE_ID).and_then(|id| id.to_str().ok());
        let id = id.ok_or_else(|| Status::invalid_argument(format!("{STORE_ID} is missing")))?;
        let store = self.stores.get(id).cloned();
        store.ok_or_else(|| Status::not_found(format!("this build has no content store {id}")))
    }

    fn begin<T>(&self, request: &Request<T>) -> Result<Call, Status> {
        Ok(Call {
            store: self.store(request.metadata())?,
            tasks: tasks(request.extensions())?,
            failure: self.failure.clone(),
        })
    }
}

fn tasks(extensions: &Extensions) -> Result<Tasks, Status> {
    let tasks = extensions.get::<Tasks>().cloned();
    tasks.ok_or_else(|| Status::internal("no session"))
}

/// The context of one call.
#[derive(Debug, Clone)]
struct Call {
    store: Arc<Store>,
    tasks: Tasks,
    failure: Arc<OnceLock<String>>,
}

impl Call {
    /// Runs blocking work and records its failure.
    async fn blocking<T, F>(&self, work: F) -> Result<T, Status>
    where
        T: Send + 'static,
        F: FnOnce(&Store) -> Result<T, Refused> + Send + 'static,
    {
        let store = self.store.clone();
        let done = self.tasks.blocking(move || work(&store)).await;
        let done = done.ok_or_else(|| Status::cancelled("the session has ended"))?;
        done.map_err(|refused| self.refusal(refused))
    }

    fn refusal(&self, refused: Refused) -> Status {
        match refused {
            Refused::Status(status) => status,
            Refused::Failed(status) => {
                // Only the first failure is kept.
                let _ = self.failure.set(status.message().to_owned());
                status
            }
        }
    }
}

/// Why a call failed.
#[derive(Debug)]
enum Refused {
    /// The daemon's request is invalid or finds nothing; the daemon interprets the status.
    Status(Status),
    /// A local failure, which the user must see.
    Failed(Status),
}

impl From<Status> for Refused {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

impl From<layout::Error> for Refused {
    fn from(error: layout::Error) -> Self {
        Self::Failed(Status::unknown(causes::in_one_line(&error)))
    }
}

fn digest(text: &str) -> Result<Digest, Status> {
    Digest::parse(text).map_err(|error| Status::invalid_argument(error.to_string()))
}

fn no_filters(filters: &[String]) -> Result<(), Status> {
    match filters {
        [] => Ok(()),
        _ => Err(Status::unimplemented("filters are not known here")),
    }
}

#[tonic::async_trait]
impl content_server::Content for ContentStores {
    async fn info(
        &self,
        request: Request<api::InfoRequest>,
    ) -> Result<Response<api::InfoResponse>, Status> {
        let call = self.begin(&request)?;
        let digest = digest(&request.get_ref().digest)?;
        let info = call.blocking(move |store| store.info(&digest)).await?;
        Ok(Response::new(api::InfoResponse { info: Some(info) }))
    }

    /// Labels serve garbage collection, which a layout does not have: they are accepted and
    /// ignored.
    async fn update(
        &self,
        request: Request<api::UpdateRequest>,
    ) -> Result<Response<api::UpdateResponse>, Status> {
        let call = self.begin(&request)?;
        let given = request.into_inner().info.unwrap_or_default();
        let digest = digest(&given.digest)?;
        let info = call.blocking(move |store| store.info(&digest)).await?;
        let info = api::Info {
            labels: given.labels,
            ..info
        };
        Ok(Response::new(api::UpdateResponse { info: Some(info) }))
    }

    type ListStream = BoxStream<'static, Result<api::ListContentResponse, Status>>;

    async fn list(
        &self,
        request: Request<api::ListContentRequest>,
    ) -> Result<Response<Self::ListStream>, Status> {
        let call = self.begin(&request)?;
        no_filters(&request.get_ref().filters)?;
        let blobs = call.blocking(|store| store.list()).await?;
        let blocks: Vec<_> = blobs
            .chunks(LISTED)
            .map(|block| {
                Ok(api::ListContentResponse {
                    info: block.to_vec(),
                })
            })
            .collect();
        Ok(Response::new(stream::iter(blocks).boxed()))
    }

    async fn delete(
        &self,
        _request: Request<api::DeleteContentRequest>,
    ) -> Result<Response<()>, Status> {
        Err(Status::permission_denied(
            "a build removes nothing from the folders of this machine",
        ))
    }

    type ReadStream = BoxStream<'static, Result<api::ReadContentResponse, Status>>;

    async fn read(
        &self,
        request: Request<api::ReadContentRequest>,
    ) -> Result<Response<Self::ReadStream>, Status> {
        let call = self.begin(&request)?;
        let range = read::Range::of(request.get_ref())?;
        let (answers, receiver) = mpsc::channel(1);
        call.tasks.clone().spawn(async move {
            if let Err(status) = read::send(&call, range, &answers).await {
                // If this fails, the caller has gone.
                let _ = answers.send(Err(status)).await;
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver).boxed()))
    }

    async fn status(
        &self,
        request: Request<api::StatusRequest>,
    ) -> Result<Response<api::StatusResponse>, Status> {
        let store = self.store(request.metadata())?;
        let name = &request.get_ref().r#ref;
        let status = store.statuses().into_iter().find(|it| it.r#ref == *name);
        let status = status.ok_or_else(|| Status::not_found(format!("no upload {name}")))?;
        let status = Some(status);
        Ok(Response::new(api::StatusResponse { status }))
    }

    async fn list_statuses(
        &self,
        request: Request<api::ListStatusesRequest>,
    ) -> Result<Response<api::ListStatusesResponse>, Status> {
        let store = self.store(request.metadata())?;
        no_filters(&request.get_ref().filters)?;
        let statuses = store.statuses();
        Ok(Response::new(api::ListStatusesResponse { statuses }))
    }

    type WriteStream = BoxStream<'static, Result<api::WriteContentResponse, Status>>;

    async fn write(
        &self,
        request: Request<Streaming<api::WriteContentRequest>>,
    ) -> Result<Response<Self::WriteStream>, Status> {
        let call = self.begin(&request)?;
        call.store.check_writable()?;
        let (answers, receiver) = mpsc::channel(1);
        call.tasks.clone().spawn(async move {
            if let Err(status) = write::receive(&call, request.into_inner(), &answers).await {
                // If this fails, the caller has gone.
                let _ = answers.send(Err(status)).await;
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver).boxed()))
    }

    async fn abort(&self, request: Request<api::AbortRequest>) -> Result<Response<()>, Status> {
        self.store(request.metadata())?
            .abort(&request.get_ref().r#ref);
        Ok(Response::new(()))
    }
}

#[cfg(test)]
mod tests;
