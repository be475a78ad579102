//! A node with its driver: its status, its capabilities, and connections to it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};

use super::container::Container;
use super::kubernetes::Kubernetes;
use super::local::Local;
use super::{Builder, Contexts, Driver, Error, Lines, Node, NodeProblem, Report, Status, remote};
use crate::client::{Address, Client, ConnectOptions, TimeLimits, engine_info};
use crate::registry::Credentials;

/// A node of a builder, ready for calls.
#[derive(Debug, Clone)]
pub struct Instance {
    /// The builder's name.
    pub builder: String,
    /// The stored node.
    pub node: Node,
    /// The builder's driver.
    pub driver: Driver,
    way: Way,
}

/// The way to reach a node.
#[derive(Debug, Clone)]
enum Way {
    /// A BuildKit, or an engine with one, that is always running.
    Direct(ConnectOptions),
    /// A container that is started on demand.
    Container(Box<Container>),
    /// Pods of a cluster.
    Kubernetes(Box<Kubernetes>),
    /// A daemon that is started for each connection.
    Local(Box<Local>),
}

/// The settings for starting a node.
#[derive(Clone, Copy)]
pub struct Boot<'a> {
    /// The credentials for pulling its image.
    pub credentials: Option<&'a Credentials>,
    /// Called with each step, as one line without its end.
    pub say: &'a (dyn Fn(&str) + Sync),
    /// Counts the nodes that are started: the lines of the first begin with `#1`, those of the
    /// second with `#2`. With `None`, all begin with `#1`.
    pub counter: Option<&'a AtomicU32>,
    /// Selects one of several pods: the same key selects the same pod while it exists, unless the
    /// node has `loadbalance=random`. buildx uses the absolute path of the build's context.
    pub sticky_key: &'a str,
    /// A JSON object about the current GitHub Actions workflow, for the provenance of builds. New
    /// containers receive it, unless the node's option `provenance-add-gha` is false.
    pub workflow: Option<&'a [u8]>,
}

impl Default for Boot<'_> {
    /// Without credentials and output.
    fn default() -> Self {
        Self {
            credentials: None,
            say: &|_| {},
            counter: None,
            sticky_key: "",
            workflow: None,
        }
    }
}

impl<'a> Boot<'a> {
    /// Returns the output for one more node.
    pub(crate) fn lines(&self) -> Lines<'a> {
        let counted = |counter: &AtomicU32| 1 + counter.fetch_add(1, Ordering::Relaxed);
        Lines::new(self.say, self.counter.map_or(1, counted))
    }
}

impl fmt::Debug for Boot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Boot")
    }
}

impl Instance {
    /// Creates a node of a builder. It does not connect yet.
    ///
    /// # Errors
    /// If the driver, endpoint or options are invalid.
    pub fn new(builder: &Builder, node: &Node, contexts: &Contexts) -> Result<Self, Error> {
        let driver = builder.driver()?;
        if !builder.of_context {
            driver.check_options(&node.driver_opts)?;
        }
        let no_daemon = |settings| Error::Node {
            driver,
            source: NodeProblem::NoDaemon { settings },
        };
        if !driver.has_daemon() && !node.files.is_empty() {
            return Err(no_daemon("a configuration"));
        }
        if !driver.has_daemon() && !node.buildkitd_flags.is_empty() {
            return Err(no_daemon("flags"));
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

    /// Returns the node's status.
    ///
    /// # Errors
    /// If the engine that runs it does not answer.
    pub async fn status(&self) -> Result<Status, Error> {
        Ok(self.report(TimeLimits::default()).await?.status)
    }

    /// Returns the object that runs the node's BuildKit, if it exists: `the container
    /// buildx_buildkit_b0`, `the Deployment b0 (namespace ci)`. `None` for drivers that leave
    /// nothing behind.
    ///
    /// # Errors
    /// If the engine or cluster that runs it does not answer.
    pub async fn existing_object(&self) -> Result<Option<String>, Error> {
        match &self.way {
            Way::Direct(_) | Way::Local(_) => Ok(None),
            Way::Container(container) => container.existing().await,
            Way::Kubernetes(pods) => pods.existing().await,
        }
    }

    /// Connects to the node's BuildKit; it is created and started first if necessary.
    ///
    /// # Errors
    /// If there is no BuildKit, or it cannot be started.
    pub async fn connect(&self, limits: TimeLimits, boot: &Boot<'_>) -> Result<Client, Error> {
        let options = match &self.way {
            Way::Direct(options) => options.clone(),
            Way::Container(container) => {
                container.boot(boot).await?;
                container.connect_options()
            }
            Way::Kubernetes(pods) => {
                let seen = pods.boot(boot).await?;
                return pods.connect(boot.sticky_key, limits, seen).await;
            }
            Way::Local(local) => return local.connect(limits, boot).await,
        };
        Ok(Client::connect(&within(&options, limits)).await?)
    }

    /// Returns the connection options of the Docker Engine that runs it, if there is one.
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

    /// Returns the node's report without starting anything.
    ///
    /// # Errors
    /// If the engine does not answer, or the BuildKit breaks off. A remote BuildKit that does not
    /// answer is reported as inactive.
    pub async fn report(&self, limits: TimeLimits) -> Result<Report, Error> {
        let options = match &self.way {
            Way::Direct(options) => within(options, limits),
            Way::Container(container) => {
                let status = container.status().await?;
                if status != Status::Running {
                    return Ok(Report::of(status));
                }
                within(&container.connect_options(), limits)
            }
            Way::Kubernetes(pods) => return self.report_pods(pods, limits).await,
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

    /// Reports the pods, and the BuildKit in one of them.
    async fn report_pods(&self, pods: &Kubernetes, limits: TimeLimits) -> Result<Report, Error> {
        let pods = pods.within(limits.connect);
        let (status, seen) = pods.status().await?;
        let of_pods = seen.reports();
        let mut report = match status {
            Status::Running => {
                self.report_of(&pods.connect("", limits, seen).await?)
                    .await?
            }
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

    /// Stops the node. A BuildKit that somebody else runs continues.
    ///
    /// # Errors
    /// If the engine does not answer, or cannot stop it.
    pub async fn stop(&self) -> Result<(), Error> {
        match &self.way {
            Way::Direct(_) | Way::Local(_) => Ok(()),
            Way::Container(container) => container.stop().await,
            Way::Kubernetes(pods) => pods.stop().await,
        }
    }

    /// Stops and removes the node, with its caches unless `keep_state`. A BuildKit that somebody
    /// else runs continues.
    ///
    /// # Errors
    /// If the engine does not answer, or cannot remove it.
    pub async fn remove(&self, keep_state: bool) -> Result<(), Error> {
        match &self.way {
            Way::Direct(_) => Ok(()),
            Way::Container(container) => container.remove(keep_state).await,
            Way::Kubernetes(pods) => pods.remove(keep_state).await,
            Way::Local(_) if keep_state => Ok(()),
            Way::Local(local) => local.remove_state(),
        }
    }

    /// An engine's BuildKit can only build and export several platforms with the containerd image
    /// store.
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

fn within(options: &ConnectOptions, limits: TimeLimits) -> ConnectOptions {
    ConnectOptions {
        limits,
        ..options.clone()
    }
}
