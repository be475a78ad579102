//! The `docker-container` driver: a container with BuildKit on a Docker Engine, managed through its
//! API.

mod archive;
mod options;
mod start;

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use self::options::ContainerOptions;
use super::{Contexts, Error, Node, Status};
use crate::client::{self, Address, ConnectOptions, Engine};

/// buildx's prefix of container names, followed by the node's name.
const PREFIX: &str = "buildx_buildkit_";
/// The folder of the daemon's state, where a volume is mounted.
const STATE: &str = "/var/lib/buildkit";
const CONFIG: &str = "/etc/buildkit/buildkitd.toml";
/// A file in this folder, beside the configuration, becomes part of builds' provenance.
const WORKFLOW: &str = "provenance.d/github_actions_context.json";

/// The container of a node.
#[derive(Debug, Clone)]
pub(super) struct Container {
    /// The connection to the engine.
    engine: ConnectOptions,
    name: String,
    options: ContainerOptions,
    node: Node,
}

impl Container {
    pub(super) fn new(node: &Node, contexts: &Contexts) -> Result<Self, Error> {
        super::check_name(&node.name)?;
        Ok(Self {
            engine: contexts.connect_options(&node.endpoint)?,
            name: format!("{PREFIX}{}", node.name),
            options: ContainerOptions::read(&node.driver_opts)?,
            node: node.clone(),
        })
    }

    /// Returns the connection options of the engine.
    pub(super) fn engine_options(&self) -> &ConnectOptions {
        &self.engine
    }

    /// Returns the connection options of the BuildKit in the container.
    pub(super) fn connect_options(&self) -> ConnectOptions {
        let engine = Box::new(self.engine.address.endpoint());
        let name = self.name.as_str().into();
        ConnectOptions {
            address: Address::Container { engine, name },
            ..self.engine.clone()
        }
    }

    pub(super) async fn status(&self) -> Result<Status, Error> {
        let inspected = self.inspect(&self.engine().await?).await?;
        Ok(match inspected {
            None => Status::Inactive,
            Some(container) if container["State"]["Running"] == true => Status::Running,
            Some(_) => Status::Stopped,
        })
    }

    /// Returns the container's name in words, if it exists.
    pub(super) async fn existing(&self) -> Result<Option<String>, Error> {
        let exists = self.status().await? != Status::Inactive;
        Ok(exists.then(|| format!("the container {}", self.name)))
    }

    /// Runs `buildkitd --version`, for daemons that do not report their version.
    pub(super) async fn version(&self) -> Result<String, Error> {
        let (code, output) = self
            .engine()
            .await?
            .run(&self.name, &["buildkitd", "--version"])
            .await?;
        let version = output.split_whitespace().nth(2).filter(|_| code == 0);
        Ok(version.unwrap_or_default().to_owned())
    }

    pub(super) async fn stop(&self) -> Result<(), Error> {
        if self.status().await? == Status::Running {
            let path = format!("/containers/{}/stop", self.name);
            self.engine()
                .await?
                .call(&self.what("stop"), Method::POST, &path, None)
                .await?;
        }
        Ok(())
    }

    /// Removes the container, and its volume unless `keep_state`.
    pub(super) async fn remove(&self, keep_state: bool) -> Result<(), Error> {
        let engine = self.engine().await?;
        let path = format!("/containers/{}?v=1&force=1", self.name);
        missing_is_fine(
            engine
                .call(&self.what("remove"), Method::DELETE, &path, None)
                .await,
        )?;
        if !keep_state {
            let volume = self.volume();
            let what = format!("remove the volume {volume}");
            let path = format!("/volumes/{volume}");
            missing_is_fine(engine.call(&what, Method::DELETE, &path, None).await)?;
        }
        Ok(())
    }

    async fn engine(&self) -> Result<Engine, Error> {
        Ok(Engine::new(&self.engine).await?)
    }

    /// Returns the engine's information about the container; `None` if there is none.
    async fn inspect(&self, engine: &Engine) -> Result<Option<Value>, Error> {
        let path = format!("/containers/{}/json", self.name);
        let answer = engine
            .call(&self.what("look at"), Method::GET, &path, None)
            .await;
        Ok(missing_is_fine(answer)?.map(|answer| answer.json()))
    }

    /// Creates the container. `init` reaps the processes that BuildKit leaves behind.
    async fn create(
        &self,
        engine: &Engine,
        init: bool,
        workflow: Option<&[u8]>,
    ) -> Result<(), Error> {
        let mut body = json!({
            "Image": self.options.image,
            "Env": self.options.env,
            "Cmd": self.flags(),
            "HostConfig": self.options.host,
        });
        let host = &mut body["HostConfig"];
        host["Privileged"] = true.into();
        host["Init"] = init.into();
        host["Mounts"] = json!([{"Type": "volume", "Source": self.volume(), "Target": STATE}]);
        let info = engine
            .call("tell about itself", Method::GET, "/info", None)
            .await?
            .json();
        if info["CgroupDriver"] == "cgroupfs" {
            let parent = self
                .options
                .cgroup_parent
                .as_deref()
                .unwrap_or("/docker/buildx");
            host["CgroupParent"] = parent.into();
        }
        let security = info["SecurityOptions"].as_array().into_iter().flatten();
        if security
            .filter_map(Value::as_str)
            .any(|option| option.contains("name=userns"))
        {
            host["UsernsMode"] = "host".into();
        }
        let path = format!("/containers/create?name={}", self.name);
        engine
            .call(&self.what("create"), Method::POST, &path, Some(&body))
            .await?;
        let mut files = self.node.files.clone();
        if let Some(workflow) = workflow.filter(|_| self.options.add_workflow) {
            files.insert(WORKFLOW.to_owned(), workflow.to_owned());
        }
        if !files.is_empty() {
            let archive = Bytes::from(archive::archive(&files)?);
            let path = format!("/containers/{}/archive?path=%2Fetc", self.name);
            let what = format!("put the configuration into {}", self.name);
            engine
                .upload(&what, &path, "application/x-tar", archive)
                .await?;
        }
        Ok(())
    }

    /// Returns the daemon's flags. The container's own `--config` comes last and wins.
    fn flags(&self) -> Vec<&str> {
        let config = ["--config", CONFIG];
        let config = config
            .into_iter()
            .filter(|_| self.node.files.contains_key("buildkitd.toml"));
        config
            .chain(self.node.buildkitd_flags.iter().map(String::as_str))
            .collect()
    }

    fn volume(&self) -> String {
        format!("{}_state", self.name)
    }

    fn what(&self, verb: &str) -> String {
        format!("{verb} the container {}", self.name)
    }
}

fn missing_is_fine<T>(answer: Result<T, client::Error>) -> Result<Option<T>, Error> {
    match answer {
        Err(client::Error::Engine { status: 404, .. }) => Ok(None),
        answer => Ok(Some(answer?)),
    }
}
