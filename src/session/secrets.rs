//! Secrets for RUN mounts and git or HTTP sources: `moby.buildkit.secrets.v1.Secrets`.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use tonic::{Request, Response, Status};

use super::{Error, MESSAGE_LIMIT};
use crate::proto::moby::buildkit::secrets::v1::secrets_server::{self, SecretsServer};
use crate::proto::moby::buildkit::secrets::v1::{GetSecretRequest, GetSecretResponse};

/// The methods of the service.
pub(super) const METHODS: [&str; 1] = ["/moby.buildkit.secrets.v1.Secrets/GetSecret"];
/// The largest secret in bytes, as in the reference.
const LIMIT: usize = 500 * 1024;

/// Secrets by their ids. Their values are never printed.
///
/// ```no_run
/// use solvekit::session::Secrets;
///
/// let secrets = Secrets::new()
///     .with_value("token", "s3cret")?
///     .with_file("npmrc", "/home/me/.npmrc")?;
/// # Ok::<(), solvekit::session::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Secrets {
    sources: BTreeMap<String, Source>,
}

#[derive(Clone)]
enum Source {
    Value(Vec<u8>),
    File(PathBuf),
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.sources.keys()).finish()
    }
}

impl Secrets {
    /// Returns an empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns true if there is no secret.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Adds a secret by value and replaces an earlier one with the id.
    ///
    /// # Errors
    ///
    /// If the value is larger than 500 KiB.
    pub fn with_value(
        mut self,
        id: impl Into<String>,
        value: impl Into<Vec<u8>>,
    ) -> Result<Self, Error> {
        let (id, value) = (id.into(), value.into());
        if value.len() > LIMIT {
            return Err(Error::SecretTooLarge { id });
        }
        self.sources.insert(id, Source::Value(value));
        Ok(self)
    }

    /// Adds a secret by file and replaces an earlier one with the id. The file is read each time
    /// the daemon asks.
    ///
    /// # Errors
    ///
    /// If the file does not exist or is larger than 500 KiB.
    pub fn with_file(
        mut self,
        id: impl Into<String>,
        path: impl AsRef<Path>,
    ) -> Result<Self, Error> {
        let (id, path) = (id.into(), path.as_ref().to_owned());
        let failed = |source| Error::SecretFile {
            id: id.clone(),
            path: path.clone(),
            source,
        };
        let metadata = path.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        if metadata.len() > LIMIT as u64 {
            return Err(Error::SecretTooLarge { id });
        }
        self.sources.insert(id, Source::File(path));
        Ok(self)
    }

    /// Adds the secrets of another list whose ids are free.
    pub(crate) fn with_missing(mut self, others: &Self) -> Self {
        for (id, source) in &others.sources {
            let entry = self.sources.entry(id.clone());
            entry.or_insert_with(|| source.clone());
        }
        self
    }

    pub(super) fn into_service(self) -> SecretsServer<Self> {
        SecretsServer::new(self).max_decoding_message_size(MESSAGE_LIMIT)
    }
}

#[tonic::async_trait]
impl secrets_server::Secrets for Secrets {
    async fn get_secret(
        &self,
        request: Request<GetSecretRequest>,
    ) -> Result<Response<GetSecretResponse>, Status> {
        let id = request.into_inner().id;
        let data = match self.sources.get(&id) {
            // Only with this code does the daemon treat an optional secret as missing.
            None => {
                return Err(Status::not_found(format!(
                    "secret {id} was not given to this build"
                )));
            }
            Some(Source::Value(value)) => value.clone(),
            Some(Source::File(path)) => read(&id, path.clone()).await?,
        };
        Ok(Response::new(GetSecretResponse { data }))
    }
}

async fn read(id: &str, path: PathBuf) -> Result<Vec<u8>, Status> {
    let name = path.display().to_string();
    let read = tokio::task::spawn_blocking(move || {
        let mut data = Vec::new();
        std::fs::File::open(path)?
            .take(LIMIT as u64 + 1)
            .read_to_end(&mut data)
            .map(|_| data)
    });
    match read
        .await
        .map_err(|_| Status::cancelled("the session ends"))?
    {
        Ok(data) if data.len() > LIMIT => Err(Status::unknown(format!(
            "secret {id} is larger than 500 KiB"
        ))),
        Ok(data) => Ok(data),
        Err(error) => Err(Status::unknown(format!(
            "cannot read {name} for secret {id}: {error}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;
    use tonic::Code;

    use super::*;
    use crate::proto::moby::buildkit::secrets::v1::secrets_client::SecretsClient;
    use crate::session::Session;
    use crate::session::tests::connect;

    async fn ask(secrets: Secrets, id: &str) -> Result<Vec<u8>, Status> {
        let session = Session::builder().secrets(secrets).build().unwrap();
        let mut client = SecretsClient::new(connect(session, CancellationToken::new()).await.0);
        let request = GetSecretRequest {
            id: id.into(),
            ..GetSecretRequest::default()
        };
        client
            .get_secret(request)
            .await
            .map(|answer| answer.into_inner().data)
    }

    #[tokio::test]
    async fn values_and_files_are_given() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("f");
        std::fs::write(&file, "old").unwrap();
        let secrets = Secrets::new()
            .with_value("v", "value")
            .unwrap()
            .with_file("f", &file)
            .unwrap();
        assert_eq!(ask(secrets.clone(), "v").await.unwrap(), b"value");
        std::fs::write(&file, "new").unwrap();
        assert_eq!(ask(secrets.clone(), "f").await.unwrap(), b"new");
        assert_eq!(
            ask(secrets.clone(), "x").await.unwrap_err().code(),
            Code::NotFound
        );
        std::fs::remove_file(&file).unwrap();
        assert!(
            ask(secrets, "f")
                .await
                .unwrap_err()
                .message()
                .contains("for secret f")
        );
    }

    #[test]
    fn what_cannot_be_a_secret_is_refused_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let error = Secrets::new().with_file("s", dir.path()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("cannot use {} as secret s", dir.path().display())
        );
        assert!(
            Secrets::new()
                .with_file("s", dir.path().join("missing"))
                .is_err()
        );
        let error = Secrets::new()
            .with_value("s", vec![0; LIMIT + 1])
            .unwrap_err();
        assert_eq!(error.to_string(), "secret s is larger than 500 KiB");
        assert!(Secrets::new().with_value("s", vec![0; LIMIT]).is_ok());
    }

    #[test]
    fn values_are_not_printed() {
        let secrets = Secrets::new().with_value("id", "s3cret").unwrap();
        assert_eq!(format!("{secrets:?}"), "{\"id\"}");
    }
}
