//! Receives a blob: each request gets its answer, until the commit.

use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::mpsc;
use tonic::{Status, Streaming};

use super::store::{Progress, Store};
use super::{Call, Refused, digest};
use crate::layout::{CommitError, Upload};
use crate::proto::containerd::services::content::v1 as api;

type Answers = mpsc::Sender<Result<api::WriteContentResponse, Status>>;

/// An upload and its name. Dropping it frees the name.
struct Writing {
    store: Arc<Store>,
    name: String,
    progress: Progress,
    /// Created with the first data.
    upload: Option<Upload>,
}

impl Drop for Writing {
    fn drop(&mut self) {
        // Drop the file before the name is free, which the next upload may be waiting for.
        self.upload = None;
        self.store.end(&self.name);
    }
}

pub(super) async fn receive(
    call: &Call,
    mut requests: Streaming<api::WriteContentRequest>,
    answers: &Answers,
) -> Result<(), Status> {
    let Some(mut request) = requests.message().await? else {
        return Ok(());
    };
    if is_elsewhere(&call.store, &request).await? {
        let message = format!("content {}: already exists", request.expected);
        return Err(Status::already_exists(message));
    }
    let progress = call.store.begin(&request.r#ref)?;
    let aborted = progress.aborted.clone();
    let mut writing = Writing {
        store: call.store.clone(),
        name: request.r#ref.clone(),
        progress,
        upload: None,
    };
    loop {
        let commits = request.action() == api::WriteAction::Commit;
        let (returned, answer) = call
            .blocking(move |_| {
                let answer = writing.step(request)?;
                Ok((writing, answer))
            })
            .await?;
        writing = returned;
        if commits {
            // Free the name before the daemon learns that the blob is complete.
            drop(writing);
            let _ = answers.send(Ok(answer)).await;
            return Ok(());
        }
        if answers.send(Ok(answer)).await.is_err() {
            return Ok(());
        }
        let next = tokio::select! {
            () = aborted.cancelled() => Err(Status::aborted("the upload was given up")),
            next = requests.message() => next,
        };
        match next? {
            Some(next) => request = next,
            None => return Ok(()),
        }
    }
}

/// True if the announced blob need not be sent.
async fn is_elsewhere(store: &Store, request: &api::WriteContentRequest) -> Result<bool, Status> {
    let size = u64::try_from(request.total).unwrap_or_default();
    match &store.elsewhere {
        Some(elsewhere) if !request.expected.is_empty() => {
            Ok(elsewhere.has(&digest(&request.expected)?, size).await)
        }
        _ => Ok(false),
    }
}

impl Writing {
    /// Handles one request. A failed step ends the upload.
    fn step(
        &mut self,
        request: api::WriteContentRequest,
    ) -> Result<api::WriteContentResponse, Refused> {
        let action = api::WriteAction::try_from(request.action)
            .map_err(|_| Status::invalid_argument("an unknown step of an upload"))?;
        self.announced(&request)?;
        let mut answer = api::WriteContentResponse {
            action: request.action,
            started_at: Some(self.progress.started.into()),
            updated_at: Some(self.progress.updated.into()),
            total: size(self.progress.total),
            ..api::WriteContentResponse::default()
        };
        match action {
            api::WriteAction::Stat => {}
            api::WriteAction::Write => self.append(&request)?,
            api::WriteAction::Commit => {
                self.append(&request)?;
                answer.offset = size(self.progress.offset);
                answer.digest = self.commit()?;
                return Ok(answer);
            }
        }
        answer.offset = size(self.progress.offset);
        if let Some(upload) = &self.upload {
            answer.digest = upload.digest().to_string();
        }
        Ok(answer)
    }

    /// Records the announced size and digest. An existing blob is not sent again.
    fn announced(&mut self, request: &api::WriteContentRequest) -> Result<(), Refused> {
        let total = u64::try_from(request.total)
            .map_err(|_| Status::invalid_argument("an upload of less than nothing"))?;
        if total > 0 {
            self.progress.total = total;
        }
        if request.expected.is_empty() {
            return Ok(());
        }
        let expected = digest(&request.expected)?;
        if self.store.has(&expected, self.total())? {
            self.store.wrote(expected.clone());
            let message = format!("content {expected}: already exists");
            return Err(Status::already_exists(message).into());
        }
        self.progress.expected = Some(expected);
        Ok(())
    }

    fn total(&self) -> Option<u64> {
        Some(self.progress.total).filter(|total| *total > 0)
    }

    /// Appends data. Offset 0 restarts, as in the reference; any other offset must be the upload's
    /// position.
    fn append(&mut self, request: &api::WriteContentRequest) -> Result<(), Refused> {
        let at = u64::try_from(request.offset)
            .map_err(|_| Status::invalid_argument("a write begins before the blob"))?;
        let is = self.progress.offset;
        if at > 0 && at != is {
            let message = format!("a write at {at}, and the upload is at {is}");
            return Err(Status::out_of_range(message).into());
        }
        let end = at + request.data.len() as u64;
        if let Some(total) = self.total().filter(|total| end > *total) {
            let message = format!("{end} bytes of a blob of {total}");
            return Err(Status::failed_precondition(message).into());
        }
        let upload = self.upload()?;
        if at == 0 && is > 0 {
            upload.restart()?;
        }
        upload.write(&request.data)?;
        self.progress.offset = upload.size();
        self.progress.updated = SystemTime::now();
        self.store.update(&self.name, self.progress.clone());
        Ok(())
    }

    fn upload(&mut self) -> Result<&mut Upload, Refused> {
        let upload = match self.upload.take() {
            Some(upload) => upload,
            None => {
                let expected = self.progress.expected.as_ref();
                let algorithm = expected.map_or("sha256", |digest| digest.algorithm());
                self.store.layout.upload(algorithm)?
            }
        };
        Ok(self.upload.insert(upload))
    }

    fn commit(&mut self) -> Result<String, Refused> {
        self.upload()?;
        let Some(upload) = self.upload.take() else {
            return Err(Status::internal("nothing to commit").into());
        };
        let committed = upload.commit(self.total(), self.progress.expected.as_ref());
        let digest = committed.map_err(|error| match error {
            CommitError::Layout(error) => Refused::from(error),
            wrong => Status::failed_precondition(wrong.to_string()).into(),
        })?;
        self.store.wrote(digest.clone());
        Ok(digest.to_string())
    }
}

fn size(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
