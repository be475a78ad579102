//! `BUILDX_BAKE_FILE_RELATIVE_PATHS`: contexts are relative to the directory of their file.

use std::collections::HashMap;

use crate::filepath::{folder, is_absolute, join};
use crate::remote::is_remote;
use crate::syntax::ast::{Node, Step};
use crate::syntax::body::Block;
use crate::target::{ContextBase, Definition, Target};
use crate::value::Value;

/// Returns the directory of a local file; `None` for stdin and URLs.
fn local_folder(name: &str) -> Option<String> {
    (!name.is_empty() && name != "-" && !is_remote(name)).then(|| folder(name))
}

/// Records the file that sets the contexts of a target.
pub(super) fn set_source(target: &mut Target, block: &Block) {
    let base = local_folder(&block.file).unwrap_or_default();
    let mut source = ContextBase {
        default: Some(base.clone()),
        ..ContextBase::default()
    };
    if let Some(attribute) = block.body.attribute("context") {
        source.context = Some(base.clone());
        source.context_of = context_reference(&attribute.expression.node);
    }
    if block.body.attribute("contexts").is_some() {
        let names = target.contexts.keys();
        source.contexts = names.map(|name| (name.clone(), base.clone())).collect();
    }
    target.context_base = source;
}

/// Records the first compose file as the one that sets the contexts of all compose targets.
pub(super) fn set_compose_source(definition: &mut Definition, first_file: &str) {
    let Some(base) = local_folder(first_file) else {
        return;
    };
    for target in &mut definition.targets {
        let names = target.contexts.keys();
        target.context_base = ContextBase {
            default: Some(base.clone()),
            context: target.context.is_some().then(|| base.clone()),
            contexts: names.map(|name| (name.clone(), base.clone())).collect(),
            ..ContextBase::default()
        };
    }
}

/// Returns the target of an expression of the form `target.NAME.context`.
fn context_reference(node: &Node) -> Option<String> {
    let reference = match node {
        Node::Reference(reference) => reference,
        Node::JsonString(string) => match string.expression()? {
            Node::Reference(reference) => reference,
            _ => return None,
        },
        _ => return None,
    };
    match (reference.root.as_str(), reference.steps.as_slice()) {
        ("target", [first, Step::Attribute(name, _)]) if name == "context" => match first {
            Step::Attribute(name, _) => Some(name.clone()),
            Step::Index(Value::String(name), _) => Some(name.as_ref().to_owned()),
            Step::Index(..) => None,
        },
        _ => None,
    }
}

/// Rewrites all contexts relative to the directories of their files.
pub(super) fn rebase(definition: &mut Definition) {
    let mut names = HashMap::new();
    for (index, target) in definition.targets.iter().enumerate() {
        names.insert(target.name.clone(), index);
    }
    for index in 0..definition.targets.len() {
        let origin = definition.targets[index].context_base.context_of.as_ref();
        let origin = origin.and_then(|name| names.get(name));
        let inherited = origin.and_then(|origin| {
            let base = &definition.targets[*origin].context_base;
            base.context.clone().or_else(|| base.default.clone())
        });
        let target = &mut definition.targets[index];
        if inherited.is_some() {
            target.context_base.context = inherited;
        }
        rebase_target(target);
    }
}

/// Rewrites the contexts of a target.
fn rebase_target(target: &mut Target) {
    let base = &mut target.context_base;
    match (&mut target.context, &base.context) {
        (Some(context), Some(folder)) => *context = rebased(folder, context),
        (Some(_), None) => {}
        (None, _) => base.uses_default = base.default.is_some(),
    }
    for (name, context) in &mut target.contexts {
        if let Some(folder) = base.contexts.get(name) {
            *context = rebased(folder, context);
        }
    }
}

/// Returns a context relative to `base`.
pub(crate) fn rebased(base: &str, context: &str) -> String {
    const SPECIAL: [&str; 4] = ["cwd://", "target:", "docker-image:", "oci-layout://"];
    let special = SPECIAL.iter().any(|prefix| context.starts_with(prefix));
    if base.is_empty() || context.is_empty() || special || is_remote(context) {
        return context.to_owned();
    }
    if is_absolute(context) {
        return context.to_owned();
    }
    join(base, context)
}
