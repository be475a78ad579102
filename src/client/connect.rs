//! Connecting to a daemon: the options and the entry points.

use std::time::Duration;

use tracing::field::Empty;

use super::{
    Address, Client, EngineHeaders, EngineInfo, Error, SILENCE_LIMIT, TlsOptions, dialer::Dialer,
};
use crate::spans::in_span;

/// The default time for connecting: name resolution, TCP, TLS, upgrade and first call together.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The time limits of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeLimits {
    /// The limit for connecting; [`CONNECT_TIMEOUT`] by default. Later calls have no limit.
    pub connect: Duration,
    /// How long the daemon may send nothing although it is asked; [`SILENCE_LIMIT`] by default.
    /// After it, all calls fail with [`Error::ConnectionLost`], and those of an engine's API with
    /// [`Error::Connect`]. A daemon answers while it builds, so calls that take long are not
    /// affected. `None` is no limit.
    pub silence: Option<Duration>,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self {
            connect: CONNECT_TIMEOUT,
            silence: Some(SILENCE_LIMIT),
        }
    }
}

/// The options for a connection.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// The address of the daemon.
    pub address: Address,
    /// The TLS options; `None` is a plain connection.
    pub tls: Option<TlsOptions>,
    /// The time limits for connecting and for a daemon that hangs.
    pub limits: TimeLimits,
    /// Headers for every request to a Docker Engine; none by default.
    pub engine_headers: EngineHeaders,
}

impl ConnectOptions {
    /// Returns the options for a plain connection with the default time limits.
    pub fn new(address: Address) -> Self {
        Self {
            address,
            tls: None,
            limits: TimeLimits::default(),
            engine_headers: EngineHeaders::default(),
        }
    }
}

impl Client {
    /// Connects to a daemon and makes a first call, so a `Client` always had an answer.
    ///
    /// # Errors
    /// [`Error::Connect`] if the daemon cannot be reached; the other variants are about the TLS
    /// files.
    pub async fn connect(options: &ConnectOptions) -> Result<Self, Error> {
        let span = tracing::info_span!("connect", address = %options.address, error = Empty);
        let connected = async {
            let dialer = Dialer::new(options).await?;
            dialer.connect().await.map_err(|problem| Error::Connect {
                address: options.address.clone(),
                source: Box::new(problem),
            })
        };
        // Boxed: the future is large, and part of every future that awaits it.
        in_span(span, Box::pin(connected)).await
    }
}

/// Asks the Docker Engine at an address for information about itself. Does not need its BuildKit.
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
