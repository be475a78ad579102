//! Secrets for RUN mounts and git or HTTP sources: `moby.buildkit.secrets.v1.Secrets`.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tonic::{Request, Response, Status};

use super::granted::Granted;
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
    sources: Granted<Source>,
    stores: Vec<Arc<dyn SecretStore>>,
}

/// A source of secrets during a build, such as a vault or a keychain.
#[tonic::async_trait]
pub trait SecretStore: Send + Sync {
    /// Returns a secret; `None` if the store does not have it.
    ///
    /// # Errors
    /// The store cannot answer. The step that needs the secret fails with this error, whose text
    /// must not contain the secret.
    async fn secret(
        &self,
        id: &str,
    ) -> Result<Option<Vec<u8>>, Box<dyn std::error::Error + Send + Sync>>;
}

#[derive(Clone)]
enum Source {
    Value(Vec<u8>),
    File(PathBuf),
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.sources.own_ids()).finish()
    }
}

impl Secrets {
    /// Returns an empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns true if there is no secret.
    pub fn is_empty(&self) -> bool {
        self.sources.has_no_own() && self.stores.is_empty()
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

    /// Adds a secret by file without looking at the file. A step that needs the secret fails if
    /// the file cannot be read.
    #[must_use]
    pub fn with_unchecked_file(mut self, id: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        self.sources.insert(id.into(), Source::File(path.into()));
        self
    }

    /// Adds a store for secrets that are not known by value or file. The first store that has a
    /// secret wins.
    #[must_use]
    pub fn with_store(mut self, store: Arc<dyn SecretStore>) -> Self {
        self.stores.push(store);
        self
    }

    /// Looks a secret up in the stores.
    async fn stored(&self, id: &str) -> Result<Vec<u8>, Status> {
        for store in &self.stores {
            let found = store.secret(id).await.map_err(|error| {
                let reason = crate::causes::in_one_line(&*error);
                Status::unknown(format!("cannot look up secret {id}: {reason}"))
            })?;
            match found {
                Some(data) if data.len() > LIMIT => return Err(too_large(id)),
                Some(data) => return Ok(data),
                None => {}
            }
        }
        // The daemon treats an optional secret as missing only with this code.
        let text = format!("secret {id} was not given to this build");
        Err(Status::not_found(text))
    }

    /// Adds the secrets of another list whose ids are free.
    pub(crate) fn with_missing(mut self, others: &Self) -> Self {
        self.sources.add_missing(&others.sources);
        self.stores.extend(others.stores.iter().cloned());
        self
    }

    /// Adds those of another list whose ids are free and allowed, served while the flag is true.
    /// Its stores are not added: their ids are not known.
    pub(crate) fn with_allowed(
        mut self,
        others: &Self,
        flag: &Arc<AtomicBool>,
        is_allowed: impl Fn(&str) -> bool,
    ) -> Self {
        self.sources.add_allowed(&others.sources, flag, is_allowed);
        self
    }

    /// True if it has the secret, or a store that may have it.
    pub(crate) fn may_have(&self, id: &str) -> bool {
        self.sources.has_own(id) || !self.stores.is_empty()
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
            None => self.stored(&id).await?,
            Some(Source::Value(value)) => value.clone(),
            Some(Source::File(path)) => read(&id, path.clone()).await?,
        };
        Ok(Response::new(GetSecretResponse { data }))
    }
}

fn too_large(id: &str) -> Status {
    Status::unknown(format!("secret {id} is larger than 500 KiB"))
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
        Ok(data) if data.len() > LIMIT => Err(too_large(id)),
        Ok(data) => Ok(data),
        Err(error) => Err(Status::unknown(format!(
            "cannot read {name} for secret {id}: {}",
            crate::causes::in_one_line(&error)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

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

    #[tokio::test]
    async fn a_guarded_secret_is_served_while_its_flag_is_true() {
        let flag = Arc::new(AtomicBool::new(false));
        let others = Secrets::new().with_value("s", "other").unwrap();
        let others = others.with_value("o", "own too").unwrap();
        let own = Secrets::new().with_value("o", "own").unwrap();
        let secrets = own.with_allowed(&others, &flag, |_| true);
        let refused = ask(secrets.clone(), "s").await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound);
        flag.store(true, Ordering::Relaxed);
        assert_eq!(ask(secrets.clone(), "s").await.unwrap(), b"other");
        assert_eq!(ask(secrets, "o").await.unwrap(), b"own");
    }

    #[derive(Debug)]
    struct Vault;

    #[tonic::async_trait]
    impl SecretStore for Vault {
        async fn secret(
            &self,
            id: &str,
        ) -> Result<Option<Vec<u8>>, Box<dyn std::error::Error + Send + Sync>> {
            match id {
                "sealed" => Err("the vault is sealed".into()),
                "huge" => Ok(Some(vec![0; LIMIT + 1])),
                id => Ok((id == "kept").then(|| b"in the vault".to_vec())),
            }
        }
    }

    #[tokio::test]
    async fn stores_are_asked_for_what_is_not_given() {
        let secrets = Secrets::new().with_value("v", "value").unwrap();
        let secrets = secrets.with_store(Arc::new(Vault));
        assert!(!secrets.is_empty());
        assert_eq!(ask(secrets.clone(), "v").await.unwrap(), b"value");
        assert_eq!(ask(secrets.clone(), "kept").await.unwrap(), b"in the vault");
        let missing = ask(secrets.clone(), "x").await.unwrap_err();
        assert_eq!(missing.code(), Code::NotFound);
        let sealed = ask(secrets.clone(), "sealed").await.unwrap_err();
        assert_eq!(
            sealed.message(),
            "cannot look up secret sealed: the vault is sealed"
        );
        let huge = ask(secrets, "huge").await.unwrap_err();
        assert_eq!(huge.message(), "secret huge is larger than 500 KiB");
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
