//! The nodes that can take part in a build: those of the builder that answer, or the one selected
//! daemon.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use solvekit::builder::{Boot, Builder};
use solvekit::client::{Address, Client, TimeLimits};
use solvekit::oci::Reference;
use solvekit::pipeline::{BuildRequest, Output};
use solvekit::progress::Writer;
use solvekit::spread::{Built, Error, Node, Nodes, Plan, Silent};

use super::answers::all_that_answer;
use super::builder::{Builders, Used};
use super::pool::Pool;
use crate::cli::commands::build::preflight;
use crate::cli::environment::Environment;
use crate::cli::report::usage::BuilderUsage;
use crate::cli::report::{Failure, nodes_failure};

/// Connected nodes, and the builder's name.
pub(crate) struct Reached {
    pub(crate) used: Used,
    nodes: Vec<Node>,
    silent: Vec<Silent>,
    pool: Option<Pool>,
}

/// Nodes that have reported their abilities, with the plan of a build.
pub(crate) struct Ready {
    pub(crate) used: Used,
    pub(crate) nodes: Nodes,
    pub(crate) plan: Plan,
    warnings: Vec<String>,
    pool: Option<Pool>,
}

impl Reached {
    /// A daemon without a builder, or the only node of a builder.
    pub(crate) fn one(client: Client, used: Used) -> Self {
        let node = Node {
            name: used.node.clone(),
            client,
            platforms: Vec::new(),
        };
        Self {
            used,
            nodes: vec![node],
            silent: Vec::new(),
            pool: None,
        }
    }

    /// Prints the nodes if `--debug` is on.
    pub(crate) fn tell(&self, environment: &Environment) {
        for node in &self.nodes {
            let used = Used {
                node: node.name.clone(),
                ..self.used.clone()
            };
            environment.tell_debug(|| used.described(&node.client));
        }
    }

    /// Fails with the first node that does not answer.
    pub(crate) fn complete(&self) -> Result<(), Failure> {
        match self.silent.first() {
            None => Ok(()),
            Some(node) => Err(Failure::new(format!(
                "the node {} of the builder {} does not answer: {}",
                node.name, self.used.builder, node.reason
            ))),
        }
    }

    /// Warnings about the nodes that are left out.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let silent = self.silent.iter();
        silent
            .map(|node| left_out(node, &self.used.builder))
            .collect()
    }

    /// The connections, each with the daemon's names.
    pub(crate) fn into_daemons(self) -> Vec<(Client, Used)> {
        let used = self.used;
        let nodes = self.nodes.into_iter();
        let daemons = nodes.map(|node| {
            let used = Used {
                node: node.name,
                ..used.clone()
            };
            (node.client, used)
        });
        daemons.collect()
    }

    /// Asks the nodes for their abilities.
    pub(crate) async fn survey(self) -> Surveyed {
        let builder = self.used.builder.clone();
        let (nodes, more) = match <[Node; 1]>::try_from(self.nodes) {
            Ok([only]) if self.silent.is_empty() => (Nodes::one(only), Vec::new()),
            Ok(only) => Nodes::survey(only.into()).await,
            Err(nodes) => Nodes::survey(nodes).await,
        };
        if let Some(pool) = &self.pool {
            pool.note_failures(more.iter().map(|node| node.name.clone()));
        }
        let nodes = match &self.pool {
            Some(pool) => pool.apply(nodes),
            None => nodes,
        };
        let mut silent = self.silent;
        silent.extend(more);
        let warnings = silent.iter().map(|node| left_out(node, &builder));
        Surveyed {
            used: self.used,
            warnings: warnings.collect(),
            nodes,
            silent,
            pool: self.pool,
        }
    }

    /// Asks the nodes for their abilities, and distributes the build's platforms over them.
    pub(crate) async fn plan(
        self,
        prepared: &solvekit::pipeline::Prepared,
    ) -> Result<Ready, Failure> {
        let surveyed = self.survey().await;
        let plan = surveyed.plan(prepared)?;
        let Surveyed {
            mut used,
            nodes,
            warnings,
            pool,
            ..
        } = surveyed;
        if let Some(first) = plan.shares.first() {
            used.node.clone_from(&nodes.all()[first.node].node.name);
        }
        Ok(Ready {
            used,
            nodes,
            plan,
            warnings,
            pool,
        })
    }
}

fn left_out(node: &Silent, builder: &str) -> String {
    format!(
        "WARNING: the node {} of the builder {builder} does not answer, and is left out: {}",
        node.name, node.reason
    )
}

/// Nodes that have reported their abilities.
pub(crate) struct Surveyed {
    pub(crate) used: Used,
    pub(crate) nodes: Nodes,
    silent: Vec<Silent>,
    warnings: Vec<String>,
    pool: Option<Pool>,
}

impl Surveyed {
    /// Distributes a build's platforms over the nodes.
    pub(crate) fn plan(&self, prepared: &solvekit::pipeline::Prepared) -> Result<Plan, Failure> {
        if let Some(pool) = &self.pool {
            pool.name_context(prepared);
        }
        let planned = self.nodes.plan(prepared, self.silent.clone());
        planned.map_err(|error| nodes_failure::of_plan(&error, &self.used.builder))
    }

    /// Warns about the nodes that are left out.
    pub(crate) fn warn(&self, progress: &Writer) {
        for warning in &self.warnings {
            progress.note(warning);
        }
    }

    /// The address of the node, if there is only one.
    pub(crate) fn address(&self) -> Option<&Address> {
        match self.nodes.all() {
            [only] => Some(only.node.client.address()),
            _ => None,
        }
    }

    /// Records the nodes that were lost during the builds.
    pub(crate) fn remember_lost(&self) {
        remember_lost(self.pool.as_ref(), &self.nodes);
    }
}

impl Ready {
    /// Warns about the nodes that are left out.
    pub(crate) fn warn(&self, progress: &Writer) {
        for warning in &self.warnings {
            progress.note(warning);
        }
    }

    /// The names to push to that this client can check: all of them if this client pushes the
    /// index.
    pub(crate) fn askable(&self, names: Vec<Reference>) -> Vec<Reference> {
        preflight::askable_of(names, self.address())
    }

    /// The address of the node that builds, if there is only one.
    pub(crate) fn address(&self) -> Option<&Address> {
        match self.plan.shares.as_slice() {
            [only] => Some(self.nodes.all()[only.node].node.client.address()),
            _ => None,
        }
    }

    /// Records the nodes that were lost during the build.
    pub(crate) fn remember_lost(&self) {
        remember_lost(self.pool.as_ref(), &self.nodes);
    }
}

fn remember_lost(pool: Option<&Pool>, nodes: &Nodes) {
    if let Some(pool) = pool {
        pool.note_failures(nodes.lost());
    }
}

impl Builders {
    /// Connects to all nodes of a builder at once.
    pub(crate) async fn reach(
        &self,
        builder: &Builder,
        limits: TimeLimits,
        boot: &Boot<'_>,
    ) -> Result<Reached, Failure> {
        let pool = Pool::of(self, builder)?;
        let instances = builder.nodes.iter().zip(self.instances(builder));
        let connecting = instances.map(|(node, instance)| {
            let connect = async move {
                let instance = instance?;
                let client = instance.connect(limits, boot).await?;
                Ok::<_, solvekit::builder::Error>((client, Used::of(builder, &instance)))
            };
            (connect, pool.is_passed_over(&node.name))
        });
        let connected = match pool.is_impatient() {
            true => all_that_answer(connecting.collect()).await,
            false => {
                let connected = join_all(connecting.map(|(connect, _)| connect)).await;
                connected.into_iter().map(Some).collect()
            }
        };
        let (mut nodes, mut silent, mut first) = (Vec::new(), Vec::new(), None);
        for (node, connected) in builder.nodes.iter().zip(connected) {
            match connected {
                Some(Ok((client, used))) => {
                    first.get_or_insert(used);
                    nodes.push(Node {
                        name: node.name.clone(),
                        client,
                        platforms: node.platforms.clone(),
                    });
                }
                Some(Err(error)) if builder.nodes.len() == 1 => return Err(error.into()),
                Some(Err(error)) => {
                    let reason = Failure::from_error(&error).into_message();
                    silent.push(Silent::new(&node.name, reason));
                }
                None => {
                    let reason = "others were faster and are not kept waiting";
                    silent.push(Silent::new(&node.name, reason));
                }
            }
        }
        pool.note_failures(silent.iter().map(|node| node.name.clone()));
        let Some(used) = first else {
            return Err(match silent.is_empty() {
                true => BuilderUsage::NoNodes(builder.name.clone()).into(),
                false => nodes_failure::of_plan(&Error::NoNode { silent }, &builder.name),
            });
        };
        self.remember_use(&builder.name);
        Ok(Reached {
            used,
            nodes,
            silent,
            pool: Some(pool),
        })
    }
}

/// The nodes that take part in these builds.
pub(crate) fn clients<'a>(nodes: &Nodes, plans: impl IntoIterator<Item = &'a Plan>) -> Vec<Client> {
    let shares = plans.into_iter().flat_map(|plan| &plan.shares);
    let used: BTreeSet<usize> = shares.map(|share| share.node).collect();
    let used = used.into_iter().filter_map(|node| nodes.all().get(node));
    used.map(|surveyed| surveyed.node.client.clone()).collect()
}

/// The references of all parts, for the history commands and the metadata file.
pub(crate) fn references(built: &Built, builder: &str) -> Vec<String> {
    let parts = built.parts.iter();
    parts
        .map(|part| format!("{builder}/{}/{}", part.node, part.build_ref))
        .collect()
}

/// The registries that the request marks as insecure, for pushes by this client.
pub(crate) fn insecure(request: &BuildRequest) -> Vec<String> {
    let is_true =
        |value: Option<&String>| value.is_some_and(|value| value == "true" || value == "1");
    let mut names: Vec<String> = Vec::new();
    let insecure = |output: &&Output| is_true(output.attributes.get("registry.insecure"));
    for output in request.outputs.iter().filter(insecure) {
        match output.attributes.get("name") {
            Some(given) => names.extend(given.split(',').map(str::to_owned)),
            None => names.extend(request.tags.iter().map(ToString::to_string)),
        }
    }
    for cache in request.cache_to.iter() {
        if is_true(cache.attrs.get("registry.insecure")) {
            names.extend(cache.attrs.get("ref").cloned());
        }
    }
    let parsed = names.iter().filter_map(|name| Reference::parse(name).ok());
    parsed.map(|name| name.domain().to_owned()).collect()
}
