//! Changes the nodes of a builder, for `create`.

use std::collections::{BTreeMap, BTreeSet};

use super::{Builder, Error, Node, check_name};
use crate::oci::Platform;
use crate::suggest::nearest;

/// The settings of a node. Fields that are `None` or empty keep an existing node's values.
#[derive(Debug, Clone, Default)]
pub struct NodeSettings {
    /// Its name; a new node gets the builder's name and a number by default.
    pub name: Option<String>,
    /// Its endpoint. An existing node keeps its own unless `endpoint_given`.
    pub endpoint: String,
    /// True if the user named the endpoint.
    pub endpoint_given: bool,
    /// The platforms that the user set.
    pub platforms: Vec<Platform>,
    /// The flags of its daemon.
    pub buildkitd_flags: Vec<String>,
    /// The options of the driver.
    pub driver_opts: BTreeMap<String, String>,
    /// The files for its daemon.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Builder {
    /// Changes the node with this name, or adds one with `append` or if there is none. Platforms
    /// that other nodes have move to this one. Returns the node's index, and true if a running
    /// daemon must be restarted.
    ///
    /// # Errors
    /// [`Error::InvalidName`], [`Error::NodeNotFound`] without `append`,
    /// [`Error::DuplicateEndpoint`].
    pub fn set_node(
        &mut self,
        settings: NodeSettings,
        append: bool,
    ) -> Result<(usize, bool), Error> {
        let found = settings
            .name
            .as_deref()
            .and_then(|name| self.position(name));
        let (position, restart) = match found {
            Some(position) => (position, self.nodes[position].change(settings)),
            None if !append && !self.nodes.is_empty() => {
                return Err(self.node_not_found(settings.name.as_deref().unwrap_or_default()));
            }
            None => (self.add(settings)?, false),
        };
        self.settle(position)?;
        Ok((position, restart))
    }

    /// Removes a node.
    ///
    /// # Errors
    /// [`Error::NodeNotFound`], [`Error::LastNode`].
    pub fn leave(&mut self, node: &str) -> Result<(), Error> {
        let position = self
            .position(node)
            .ok_or_else(|| self.node_not_found(node))?;
        if self.nodes.len() == 1 {
            return Err(Error::LastNode {
                builder: self.name.clone(),
                node: node.to_owned(),
            });
        }
        self.nodes.remove(position);
        Ok(())
    }

    fn add(&mut self, settings: NodeSettings) -> Result<usize, Error> {
        let name = match settings.name {
            Some(name) => check_name(&name)?,
            None => check_name(&self.free_node_name())?,
        };
        self.nodes.push(Node {
            name,
            endpoint: settings.endpoint,
            platforms: settings.platforms,
            buildkitd_flags: settings.buildkitd_flags,
            driver_opts: settings.driver_opts,
            files: settings.files,
            ..Node::default()
        });
        Ok(self.nodes.len() - 1)
    }

    fn free_node_name(&self) -> String {
        let names = (0..=self.nodes.len()).map(|number| format!("{}{number}", self.name));
        let mut free = names.filter(|name| self.position(name).is_none());
        free.next().unwrap_or_default()
    }

    /// Checks that endpoints are unique, and assigns each platform to one node.
    fn settle(&mut self, position: usize) -> Result<(), Error> {
        let endpoint = self.nodes[position].endpoint.clone();
        let same = self.nodes.iter().filter(|node| node.endpoint == endpoint);
        if same.count() > 1 {
            return Err(Error::DuplicateEndpoint { endpoint });
        }
        let taken: BTreeSet<Platform> = self.nodes[position].platforms.iter().cloned().collect();
        for (other, node) in self.nodes.iter_mut().enumerate() {
            if other != position {
                node.platforms.retain(|platform| !taken.contains(platform));
            }
        }
        Ok(())
    }

    fn node_not_found(&self, node: &str) -> Error {
        let names: Vec<&str> = self.nodes.iter().map(|node| node.name.as_str()).collect();
        Error::NodeNotFound {
            builder: self.name.clone(),
            node: node.to_owned(),
            nearest: nearest(node, &names).map(str::to_owned),
        }
    }
}

impl Node {
    fn change(&mut self, settings: NodeSettings) -> bool {
        let mut restart = false;
        if settings.endpoint_given {
            self.endpoint = settings.endpoint;
            restart = true;
        }
        if !settings.platforms.is_empty() {
            self.platforms = settings.platforms;
        }
        if !settings.buildkitd_flags.is_empty() {
            self.buildkitd_flags = settings.buildkitd_flags;
            restart = true;
        }
        if !settings.driver_opts.is_empty() {
            self.driver_opts = settings.driver_opts;
            restart = true;
        }
        if !settings.files.is_empty() {
            self.files.extend(settings.files);
            restart = true;
        }
        restart
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::Driver;

    fn settings(name: Option<&str>, endpoint: &str, platforms: &[&str]) -> NodeSettings {
        NodeSettings {
            name: name.map(Into::into),
            endpoint: endpoint.into(),
            platforms: platforms
                .iter()
                .map(|text| Platform::parse(text).unwrap())
                .collect(),
            ..NodeSettings::default()
        }
    }

    #[test]
    fn nodes_are_numbered_and_platforms_go_over() {
        let mut builder = Builder::new("b", Driver::Remote);
        builder
            .set_node(
                settings(None, "tcp://a:1", &["linux/arm64", "linux/amd64"]),
                false,
            )
            .unwrap();
        builder
            .set_node(settings(None, "tcp://b:1", &["linux/arm64"]), true)
            .unwrap();
        let names: Vec<&str> = builder
            .nodes
            .iter()
            .map(|node| node.name.as_str())
            .collect();
        assert_eq!(names, ["b0", "b1"]);
        assert_eq!(
            builder.nodes[0].platforms,
            [Platform::parse("linux/amd64").unwrap()]
        );
        builder.leave("b0").unwrap();
        assert!(matches!(builder.leave("b1"), Err(Error::LastNode { .. })));
        let error = builder.leave("b2").unwrap_err();
        assert!(error.to_string().contains("b2"), "{error}");
    }

    #[test]
    fn an_endpoint_is_one_node_s() {
        let mut builder = Builder::new("b", Driver::Remote);
        builder
            .set_node(settings(None, "tcp://a:1", &[]), false)
            .unwrap();
        let again = builder.set_node(settings(None, "tcp://a:1", &[]), true);
        assert!(matches!(again, Err(Error::DuplicateEndpoint { .. })));
        let mut builder = Builder::new("b", Driver::Remote);
        builder
            .set_node(settings(None, "tcp://a:1", &[]), false)
            .unwrap();
        assert!(
            builder
                .set_node(settings(Some("x"), "tcp://b:1", &[]), false)
                .is_err()
        );
    }

    #[test]
    fn a_node_that_exists_keeps_what_is_not_given() {
        let mut builder = Builder::new("b", Driver::Remote);
        builder
            .set_node(settings(None, "tcp://a:1", &["linux/arm64"]), false)
            .unwrap();
        let (_, restart) = builder
            .set_node(settings(Some("b0"), "tcp://b:1", &[]), false)
            .unwrap();
        assert!(!restart);
        assert_eq!(builder.nodes[0].endpoint, "tcp://a:1");
        let mut change = settings(Some("b0"), "tcp://b:1", &[]);
        change.endpoint_given = true;
        assert_eq!(builder.set_node(change, false).unwrap(), (0, true));
        assert_eq!(builder.nodes[0].endpoint, "tcp://b:1");
        assert_eq!(builder.nodes[0].platforms.len(), 1);
    }
}
