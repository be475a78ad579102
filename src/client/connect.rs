//! Making a connection: what is asked for, and what comes of it.

use std::time::Duration;

use super::{Address, Client, EngineInfo, Error, TlsOptions, dialer::Dialer};

/// The time that connecting may take unless another is given: name resolution, TCP, TLS, upgrade and first call together.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Where to connect to, and how.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// The daemon.
    pub address: Address,
    /// TLS; `None` is a plain connection.
    pub tls: Option<TlsOptions>,
    /// The time that connecting may take; [`CONNECT_TIMEOUT`] by default. Later calls have no limit.
    pub timeout: Duration,
}

impl ConnectOptions {
    /// A plain connection to an address, with the usual patience.
    pub fn new(address: Address) -> Self {
        Self {
            address,
            tls: None,
            timeout: CONNECT_TIMEOUT,
        }
    }
}

impl Client {
    /// Connects to a daemon and makes a first call, so that a `Client` is one that was answered.
    ///
    /// # Errors
    /// [`Error::Connect`] says what is wrong at that address; the other variants are about the TLS files.
    pub async fn connect(options: &ConnectOptions) -> Result<Self, Error> {
        let dialer = Dialer::new(options).await?;
        dialer.connect().await.map_err(|problem| Error::Connect {
            address: options.address.clone(),
            source: Box::new(problem),
        })
    }
}

/// Asks the Docker Engine at an address about itself, without needing its BuildKit.
///
/// # Errors
/// As [`Client::connect`].
pub async fn engine_info(options: &ConnectOptions) -> Result<EngineInfo, Error> {
    let dialer = Dialer::new(options).await?;
    dialer
        .engine_info()
        .await
        .map_err(|problem| Error::Connect {
            address: options.address.clone(),
            source: Box::new(problem),
        })
}
