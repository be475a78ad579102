//! Opens the bridge: finds the build and reads the daemon's capabilities.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};
use tonic::metadata::AsciiMetadataValue;

use super::creations::Creations;
use super::{Bridge, Capabilities, Error, caps};
use crate::{
    client::{Channel, Client, Worker, failed, metadata_value},
    proto::moby::buildkit::v1::frontend as proto,
};

/// How long to wait for the build to start, as in the reference.
const PATIENCE: Duration = Duration::from_secs(15);

impl Bridge {
    /// Finds the build of a reference, whose Solve runs at the same time, and reads the daemon's
    /// capabilities. A Solve that fails at once is not noticed here: stop waiting then.
    ///
    /// # Errors
    /// [`Error::Client`], and [`Error::NotBegun`] if the build does not start within 15 seconds.
    pub async fn open(client: &Client, build_ref: &str) -> Result<Self, Error> {
        let build_id = metadata_value("the build reference", build_ref)?;
        let bridge = Self::greet(client.channel(), Some(build_id)).await?;
        Ok(Self {
            client: Some(client.clone()),
            ..bridge
        })
    }

    pub(super) async fn greet(
        channel: Channel,
        build_id: Option<AsciiMetadataValue>,
    ) -> Result<Self, Error> {
        let mut bridge = Self {
            channel,
            build_id,
            capabilities: Capabilities::default(),
            workers: Vec::new(),
            client: None,
            creations: Creations::default(),
        };
        let pong = bridge.ping().await?;
        bridge.capabilities = Capabilities::new(pong.frontend_api_caps, pong.llb_caps);
        bridge.workers = pong.workers.into_iter().map(Worker::from).collect();
        bridge.need(caps::RETURN).await?;
        Ok(bridge)
    }

    /// Retries, because the daemon waits only three seconds for a build, and the session may need
    /// those.
    async fn ping(&self) -> Result<proto::PongResponse, Error> {
        let call = "finding the build";
        let end = Instant::now() + PATIENCE;
        loop {
            let asked =
                timeout_at(end, self.calls().ping(self.request(proto::PingRequest {}))).await;
            match asked {
                Ok(Ok(pong)) => return Ok(pong.into_inner()),
                Ok(Err(status)) if is_unknown(&status) && Instant::now() < end => {
                    sleep(Duration::from_millis(50)).await;
                }
                Ok(Err(status)) => return Err(failed(call)(status).into()),
                Err(_) => {
                    let seconds = PATIENCE.as_secs();
                    return Err(Error::NotBegun { seconds });
                }
            }
        }
    }
}

/// True if the build has not started or has ended; older daemons send no code for that.
fn is_unknown(status: &tonic::Status) -> bool {
    status.code() == tonic::Code::NotFound || status.message().contains("no such job")
}
