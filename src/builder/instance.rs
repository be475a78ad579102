//! A node with its driver: what it is doing, what its BuildKit can do, a connection to it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::container::Container;
use super::kubernetes::Kubernetes;
use super::local::Local;
use super::{Builder, Contexts, Driver, Error, Node, Report, Status, remote};
use crate::client::{Address, Client, ConnectOptions, engine_info};
use crate::registry::Credentials;

/// A node of a builder, ready to be asked.
#[derive(Debug, Clone)]
pub struct Instance {
    /// The builder's name.
    pub builder: String,
    /// The node as the store has it.
    pub node: Node,
    /// The builder's driver.
    pub driver: Driver,
    way: Way,
}

/// How the node is reached.
#[derive(Debug, Clone)]
enum Way {
    /// A BuildKit that is always there, or an engine with one.
    Direct(ConnectOptions),
    /// A container that is started when it is needed.
    Container(Box<Container>),
    /// Pods of a cluster.
    Kubernetes(Box<Kubernetes>),
    /// A daemon that is started for each connection.
    Local(Box<Local>),
}

/// What starting a node may need.
#[derive(Clone, Copy)]
pub struct Boot<'a> {
    /// For pulling its image.
    pub credentials: Option<&'a Credentials>,
    /// Is told each step, one line without its end.
    pub say: &'a (dyn Fn(&str) + Sync),
    /// What the connection is for: of a node with several pods, connections with the same key go to the same pod as long as it is
    /// there, unless the node says otherwise (`loadbalance=random`). buildx takes the absolute path of the build's context.
    pub sticky_key: &'a str,
    /// A JSON object about the workflow of GitHub Actions that this is a part of. A container that is made gets it, for the
    /// provenance of what it builds, unless the node's option `provenance-add-gha` is false.
    pub workflow: Option<&'a [u8]>,
}

impl Default for Boot<'_> {
    /// Anonymous and silent.
    fn default() -> Self {
        Self {
            credentials: None,
            say: &|_| {},
            sticky_key: "",
            workflow: None,
        }
    }
}

impl fmt::Debug for Boot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Boot")
    }
}

impl Instance {
    /// A node of a builder; nothing is connected to yet.
    ///
    /// # Errors
    /// When driver, endpoint or options cannot be used.
    pub fn new(builder: &Builder, node: &Node, contexts: &Contexts) -> Result<Self, Error> {
        let driver = builder.driver()?;
        if !builder.of_context {
            driver.check_options(&node.driver_opts)?;
        }
        let refused = |reason: &str| Error::Driver {
            driver,
            reason: reason.to_owned(),
        };
        if !driver.has_daemon() && !node.files.is_empty() {
            return Err(refused(
                "starts no buildkitd that could be given a configuration",
            ));
        }
        if !driver.has_daemon() && !node.buildkitd_flags.is_empty() {
            return Err(refused("starts no buildkitd that could be given flags"));
        }
        let way = match driver {
            Driver::Docker => Way::Direct(contexts.connect_options(&node.endpoint)?),
            Driver::Remote => {
                let mut options = remote::connect_options(&node.endpoint, &node.driver_opts)?;
                if matches!(options.address, Address::Docker(None)) {
                    options = contexts.connect_options("")?;
                }
                Way::Direct(options)
            }
            Driver::DockerContainer => Way::Container(Box::new(Container::new(node, contexts)?)),
            Driver::Local => Way::Local(Box::new(Local::new(node, contexts)?)),
            Driver::Kubernetes => Way::Kubernetes(Box::new(Kubernetes::new(node)?)),
        };
        Ok(Self {
            builder: builder.name.clone(),
            node: node.clone(),
            driver,
            way,
        })
    }

    /// What it is doing.
    ///
    /// # Errors
    /// When the engine that holds it does not answer.
    pub async fn status(&self) -> Result<Status, Error> {
        Ok(self.report(crate::client::CONNECT_TIMEOUT).await?.status)
    }

    /// A connection to its BuildKit; what does not run is made and started before.
    ///
    /// # Errors
    /// When there is no BuildKit, or it cannot be started.
    pub async fn connect(&self, timeout: Duration, boot: &Boot<'_>) -> Result<Client, Error> {
        let options = match &self.way {
            Way::Direct(options) => options.clone(),
            Way::Container(container) => {
                container.boot(boot).await?;
                container.connect_options()
            }
            Way::Kubernetes(pods) => {
                pods.boot(boot).await?;
                return pods.connect(boot.sticky_key, timeout).await;
            }
            Way::Local(local) => return local.connect(timeout, boot).await,
        };
        Ok(Client::connect(&within(&options, timeout)).await?)
    }

    /// The Docker Engine that holds it, if one does.
    pub fn engine(&self) -> Option<ConnectOptions> {
        match &self.way {
            Way::Container(container) => Some(container.engine_options().clone()),
            Way::Direct(options) => {
                let keeps_images = options.address.daemon().keeps_images();
                keeps_images.then(|| options.clone())
            }
            Way::Kubernetes(_) | Way::Local(_) => None,
        }
    }

    /// Asks it about itself, without starting anything.
    ///
    /// # Errors
    /// When the engine does not answer, or the BuildKit breaks off. A remote one that does not answer is inactive.
    pub async fn report(&self, timeout: Duration) -> Result<Report, Error> {
        let options = match &self.way {
            Way::Direct(options) => within(options, timeout),
            Way::Container(container) => {
                let status = container.status().await?;
                if status != Status::Running {
                    return Ok(Report::of(status));
                }
                within(&container.connect_options(), timeout)
            }
            Way::Kubernetes(pods) => return self.report_pods(pods, timeout).await,
            Way::Local(_) => return Ok(Report::of(Status::Inactive)),
        };
        let client = match (self.driver, Client::connect(&options).await) {
            (Driver::Remote, Err(_)) => return Ok(Report::of(Status::Inactive)),
            (_, client) => client?,
        };
        let mut report = self.report_of(&client).await?;
        if report.version.is_empty() {
            report.version = match &self.way {
                Way::Container(container) => container.version().await?,
                Way::Direct(_) if self.driver == Driver::Docker => {
                    engine_info(&options).await?.version
                }
                _ => String::new(),
            };
        }
        Ok(report)
    }

    /// The pods, and the BuildKit in one of them.
    async fn report_pods(&self, pods: &Kubernetes, timeout: Duration) -> Result<Report, Error> {
        let pods = pods.within(timeout);
        let (status, of_pods) = pods.status().await?;
        let mut report = match status {
            Status::Running => self.report_of(&pods.connect("", timeout).await?).await?,
            status => Report::of(status),
        };
        report.pods = of_pods;
        Ok(report)
    }

    async fn report_of(&self, client: &Client) -> Result<Report, Error> {
        let mut report = Report::of(Status::Running);
        report.fill(client).await?;
        report.features = self.features(&report);
        Ok(report)
    }

    /// Ends what it runs. A BuildKit that is not its own goes on.
    ///
    /// # Errors
    /// When the engine does not answer, or cannot end it.
    pub async fn stop(&self) -> Result<(), Error> {
        match &self.way {
            Way::Direct(_) | Way::Local(_) => Ok(()),
            Way::Container(container) => container.stop().await,
            Way::Kubernetes(pods) => pods.stop().await,
        }
    }

    /// Ends what it runs and removes it, with its caches unless `keep_state`. A BuildKit that is not its own goes on.
    ///
    /// # Errors
    /// When the engine does not answer, or cannot remove it.
    pub async fn remove(&self, keep_state: bool) -> Result<(), Error> {
        match &self.way {
            Way::Direct(_) => Ok(()),
            Way::Container(container) => container.remove(keep_state).await,
            Way::Kubernetes(pods) => pods.remove(keep_state).await,
            Way::Local(_) if keep_state => Ok(()),
            Way::Local(local) => local.remove_state(),
        }
    }

    /// An engine's BuildKit exports and builds several platforms with the containerd image store only.
    fn features(&self, report: &Report) -> BTreeMap<&'static str, bool> {
        let snapshots = report
            .labels
            .contains_key("org.mobyproject.buildkit.worker.snapshotter");
        let full = self.driver != Driver::Docker || snapshots;
        let mut features = BTreeMap::from([
            ("OCI exporter", full),
            ("Docker exporter", full),
            ("Cache export", full),
            ("Multi-platform build", full),
            ("Direct push", full),
            (
                "Automatically load images to the Docker Engine image store",
                self.node.loads_by_default() || self.driver == Driver::Docker,
            ),
        ]);
        if self.driver == Driver::Docker {
            features.insert("Prefer image digest", full);
        }
        features
    }
}

fn within(options: &ConnectOptions, timeout: Duration) -> ConnectOptions {
    ConnectOptions {
        timeout,
        ..options.clone()
    }
}
