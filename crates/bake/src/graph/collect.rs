//! Builds the graph of a plan.

use std::collections::{BTreeMap, HashMap};

use super::{Edge, Graph, Node, NodeKind, Relation};
use crate::filepath::{is_absolute, join};
use crate::plan::Plan;
use crate::print::shown_context;
use crate::remote::is_remote;
use crate::target::{Definition, Group, Target};

/// Returns the graph of `plan`, with the groups and inheritance of `definition`.
///
/// It includes targets that are only inherited from. It omits the group `default` if the files do
/// not declare it, or if the plan contains only a part of it.
pub fn graph(definition: &Definition, plan: &Plan) -> Graph {
    let mut builder = Builder {
        groups: HashMap::new(),
        targets: HashMap::new(),
        graph: Graph::default(),
    };
    let shown = shown_groups(definition, plan);
    for group in shown.values() {
        builder.add_group(&group.name);
    }
    for name in plan.targets.keys() {
        builder.add_target(name, NodeKind::Target);
    }
    builder.add_members(&shown);
    builder.add_links(plan);
    builder.add_inheritance(definition, plan);
    builder.add_dockerfiles(plan);
    builder.graph
}

/// Returns the shown groups of the plan, by name. The first group of a name is used.
fn shown_groups<'a>(definition: &'a Definition, plan: &Plan) -> BTreeMap<&'a str, &'a Group> {
    let mut shown = BTreeMap::new();
    let planned = |name: &String| {
        let target = plan.targets.contains_key(name);
        target || (name != "default" && plan.groups.contains_key(name))
    };
    for group in &definition.groups {
        let whole = group.name != "default" || group.targets.iter().all(planned);
        if plan.groups.contains_key(&group.name) && whole {
            shown.entry(group.name.as_str()).or_insert(group);
        }
    }
    shown
}

/// A graph under construction, with the indices of its nodes.
struct Builder {
    groups: HashMap<String, usize>,
    targets: HashMap<String, usize>,
    graph: Graph,
}

impl Builder {
    fn node(&mut self, kind: NodeKind, name: &str) -> usize {
        self.graph.nodes.push(Node {
            kind,
            name: name.to_owned(),
        });
        self.graph.nodes.len() - 1
    }

    fn add_group(&mut self, name: &str) {
        let index = self.node(NodeKind::Group, name);
        self.groups.insert(name.to_owned(), index);
    }

    /// Returns the index of a target, and true if it was added.
    fn add_target(&mut self, name: &str, kind: NodeKind) -> (usize, bool) {
        if let Some(index) = self.targets.get(name) {
            return (*index, false);
        }
        let index = self.node(kind, name);
        self.targets.insert(name.to_owned(), index);
        (index, true)
    }

    fn edge(&mut self, from: usize, to: usize, relation: Relation, label: &str) {
        self.graph.edges.push(Edge {
            from,
            to,
            relation,
            label: label.to_owned(),
        });
    }

    /// A member with the name of a group is that group, unless it is the group itself.
    fn add_members(&mut self, shown: &BTreeMap<&str, &Group>) {
        for group in shown.values() {
            let Some(from) = self.groups.get(&group.name).copied() else {
                continue;
            };
            for member in &group.targets {
                let inner = self.groups.get(member).filter(|index| **index != from);
                if let Some(to) = inner.or_else(|| self.targets.get(member)).copied() {
                    self.edge(from, to, Relation::Holds, "");
                }
            }
        }
    }

    fn add_links(&mut self, plan: &Plan) {
        for (name, target) in &plan.targets {
            for (context, value) in &target.contexts {
                let linked = value.strip_prefix("target:");
                let linked = linked.and_then(|linked| self.targets.get(linked));
                if let (Some(from), Some(to)) = (self.targets.get(name), linked) {
                    self.edge(*from, *to, Relation::Links, context);
                }
            }
        }
    }

    /// Adds the inheritance of the plan's targets, each edge once.
    fn add_inheritance(&mut self, definition: &Definition, plan: &Plan) {
        let mut declared: HashMap<&str, &Target> = HashMap::new();
        for target in &definition.targets {
            declared.entry(&target.name).or_insert(target);
        }
        let mut waiting: Vec<&str> = plan.targets.keys().map(String::as_str).collect();
        let mut next = 0;
        while let Some(name) = waiting.get(next).copied() {
            next += 1;
            let parents = declared.get(name).map(|target| &target.inherits);
            let Some(from) = self.targets.get(name).copied() else {
                continue;
            };
            for parent in parents.into_iter().flatten() {
                let (to, is_new) = self.add_target(parent, NodeKind::Base);
                self.edge(from, to, Relation::Inherits, "");
                if is_new {
                    waiting.push(parent);
                }
            }
        }
    }

    /// Adds the Dockerfiles that several targets share.
    fn add_dockerfiles(&mut self, plan: &Plan) {
        let mut users = BTreeMap::<(String, String, bool), Vec<_>>::new();
        for (name, target) in &plan.targets {
            let stage = target.target.as_deref().unwrap_or_default();
            let list = users.entry(source(target)).or_default();
            list.push((name, stage));
        }
        for ((context, file, inline), users) in users {
            if users.len() < 2 {
                continue;
            }
            let dockerfile = self.node(NodeKind::Dockerfile, &path(&context, &file, inline));
            for (name, stage) in users {
                if let Some(from) = self.targets.get(name).copied() {
                    self.edge(from, dockerfile, Relation::Builds, stage);
                }
            }
        }
    }
}

/// Returns the source of a target's stages: its context, and its Dockerfile's path or text.
fn source(target: &Target) -> (String, String, bool) {
    let context = shown_context(target.context.as_deref().unwrap_or_default());
    match &target.dockerfile_inline {
        Some(text) => (context, text.clone(), true),
        None => {
            let path = target.dockerfile.as_deref().unwrap_or("Dockerfile");
            (context, path.to_owned(), false)
        }
    }
}

/// Returns the path of a Dockerfile for people.
fn path(context: &str, file: &str, inline: bool) -> String {
    if inline {
        return format!("inline Dockerfile in {context}");
    }
    if let Some(path) = file.strip_prefix("cwd://") {
        return path.to_owned();
    }
    if is_absolute(file) || is_remote(file) || file == "-" {
        return file.to_owned();
    }
    if is_remote(context) || context.contains("://") {
        return format!("{file} of {context}");
    }
    join(context, file)
}
