//! The daemons whose platforms are examined: all nodes of the builder, or the daemon without one.

use futures_util::future::join_all;
use solvekit::builder::{Boot, Instance};
use solvekit::client::{Client, ConnectOptions};
use solvekit::oci::Platform;

use crate::cli::args::connection::{ConnectionArgs, say};
use crate::cli::environment::Environment;
use crate::cli::report::Failure;

/// A node of the builder, or the daemon in use without a builder.
pub(super) struct Target {
    pub(super) builder: String,
    pub(super) node: String,
    /// The platforms from the user.
    pub(super) given: Vec<Platform>,
    /// The Docker Engine that runs it.
    pub(super) engine: Option<ConnectOptions>,
    pub(super) client: Result<Client, Failure>,
}

/// Connects to all of them at once; stopped nodes are started.
pub(super) async fn targets(
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<Vec<Target>, Failure> {
    let Some((builders, builder)) = connection.builder_of(environment)? else {
        let (client, used) = connection.connect_for(environment, &[], &say).await?;
        return Ok(vec![Target {
            builder: used.builder,
            node: used.node,
            given: Vec::new(),
            engine: match client.address().daemon().keeps_images() {
                true => Some(connection.engine(environment)?),
                false => None,
            },
            client: Ok(client),
        }]);
    };
    let (credentials, workflow) = (environment.credentials().ok(), environment.workflow());
    let boot = Boot {
        credentials: credentials.as_ref(),
        say: &say,
        workflow: workflow.as_deref(),
        ..Boot::default()
    };
    let nodes = builder.nodes.iter().zip(builders.instances(&builder));
    let targets = nodes.map(async |(node, instance)| {
        let engine = instance.as_ref().ok().and_then(Instance::engine);
        let connected = async { instance?.connect(connection.limits(), &boot).await };
        Target {
            builder: builder.name.clone(),
            node: node.name.clone(),
            given: node.platforms.iter().map(Platform::normalized).collect(),
            engine,
            client: connected.await.map_err(Failure::from),
        }
    });
    Ok(join_all(targets).await)
}
