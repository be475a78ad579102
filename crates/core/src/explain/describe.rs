//! Reads the steps of a graph.

use std::collections::HashMap;

use prost::Message as _;
use sha2::{Digest as _, Sha256};

use super::pick::Pick;
use super::record::{Ended, Fact, Kind, Read, Step};
use crate::llb::{DefinedVertex, Definition};
use crate::proto::pb;
use crate::text::{redact, redact_url};

/// The most bytes of an instruction's text that are kept.
const MAX_TEXT: usize = 2000;
/// The most bytes of an instruction's text in a step's name.
const MAX_NAME: usize = 200;

/// Returns the steps of a graph, inputs first. `session` is the session that serves the folders;
/// the content of a folder of another session is unknown.
pub fn steps(definition: &Definition, session: &str) -> Vec<Step> {
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut steps: Vec<Step> = Vec::new();
    for vertex in definition.vertices() {
        // Our own bytes always decode; anything else becomes a step without parts.
        let op = pb::Op::decode(vertex.op().clone()).unwrap_or_default();
        let number_of = |index: i64| {
            let input = usize::try_from(index)
                .ok()
                .and_then(|at| op.inputs.get(at))?;
            numbers.get(input.digest.as_str()).copied()
        };
        let mut step = of_instruction(vertex);
        let folder = |index: i64| {
            let source = steps.get(number_of(index)?)?;
            source
                .facts
                .iter()
                .find(|fact| fact.key == FOLDER)
                .map(|fact| fact.value.clone())
        };
        match &op.op {
            Some(pb::op::Op::Source(source)) => take_source(&mut step, source, session),
            Some(pb::op::Op::Exec(exec)) => take_exec(&mut step, exec, &folder),
            Some(pb::op::Op::File(file)) => take_file(&mut step, file, &folder),
            _ => {}
        }
        if let Some(platform) = op.platform.as_ref().filter(|_| !step.kind.is_source()) {
            let parts = [&platform.os, &platform.architecture, &platform.variant];
            step.facts.push(hashed("platform", parts));
        }
        step.facts.sort_unstable();
        let mut inputs: Vec<usize> = op
            .inputs
            .iter()
            .filter_map(|input| numbers.get(input.digest.as_str()).copied())
            .collect();
        inputs.dedup();
        step.inputs = inputs;
        numbers.insert(vertex.digest_str(), steps.len());
        steps.push(step);
    }
    steps
}

/// The key of the fact that names a folder.
const FOLDER: &str = "folder";

/// Returns a step with the text and position of its instruction.
fn of_instruction(vertex: &DefinedVertex) -> Step {
    let name = vertex.metadata().name().unwrap_or_default().to_owned();
    let mut step = Step {
        digest: vertex.digest_str().to_owned(),
        text: name.clone(),
        described: description_hash(&name),
        name,
        ignores_cache: vertex.metadata().ignore_cache,
        ended: Ended::Unseen,
        ..Step::default()
    };
    let range = vertex.locations().first().and_then(|location| {
        let first = location.ranges.first()?;
        let last = location.ranges.last()?;
        Some((&location.file, first.start.line, last.end.line))
    });
    let Some((file, first, last)) = range else {
        return step;
    };
    let (Ok(first), Ok(last)) = (usize::try_from(first), usize::try_from(last)) else {
        return step;
    };
    let source = String::from_utf8_lossy(&file.data);
    let lines = source.lines().skip(first.saturating_sub(1));
    let lines: Vec<&str> = lines
        .take(last.saturating_sub(first).saturating_add(1))
        .collect();
    if !lines.is_empty() {
        step.text = shortened(&redact(&lines.join("\n")), MAX_TEXT);
        // The name in the progress contains values of build arguments.
        let prefix = step
            .name
            .split_once("] ")
            .map(|(prefix, _)| format!("{prefix}] "));
        let words = step.text.split_whitespace().filter(|word| *word != "\\");
        let words = words.collect::<Vec<_>>().join(" ");
        step.name = prefix.unwrap_or_default() + &shortened(&words, MAX_NAME);
        step.file.clone_from(&file.filename);
        step.line = u32::try_from(first).unwrap_or_default();
    }
    step
}

fn shortened(text: &str, most: usize) -> String {
    let end = text
        .char_indices()
        .nth(most)
        .map_or(text.len(), |(at, _)| at);
    text[..end].trim_end().to_owned()
}

fn take_source(step: &mut Step, source: &pb::SourceOp, session: &str) {
    let (kind, key, value) = match source.identifier.split_once("://") {
        Some(("docker-image" | "oci-layout", rest)) => (Kind::Image, "image", rest.to_owned()),
        Some(("local", name)) => {
            let of_session = source.attrs.get("local.session");
            let is_known = of_session.is_none_or(|of| of == session);
            let name = if is_known {
                name.to_owned()
            } else {
                String::new()
            };
            (Kind::Folder, FOLDER, name)
        }
        _ => (Kind::Remote, "source", redact_url(&source.identifier)),
    };
    step.kind = kind;
    step.facts.push(fact(key, value));
    if kind == Kind::Remote {
        let pairs = source
            .attrs
            .iter()
            .filter(|(key, _)| !key.contains("session"));
        step.facts.push(hashed(
            "options of the source",
            pairs.flat_map(|(key, value)| [key, value]),
        ));
    }
}

fn take_exec(step: &mut Step, exec: &pb::ExecOp, folder: &dyn Fn(i64) -> Option<String>) {
    step.kind = Kind::Run;
    let facts = &mut step.facts;
    if let Some(meta) = &exec.meta {
        facts.push(hashed("command", &meta.args));
        let args = meta.args.join(" ");
        step.described = description_hash(&format!("mount / from exec {args}"));
        facts.push(hashed("working folder", [&meta.cwd]));
        facts.push(hashed("user", [&meta.user]));
        facts.push(hashed("hostname", [&meta.hostname]));
        facts.push(hashed(
            "hosts",
            meta.extra_hosts.iter().map(|host| &host.host),
        ));
        let limits = meta.ulimit.iter().map(|limit| format!("{limit:?}"));
        facts.push(hashed("limits", limits));
        facts.push(hashed("cgroup", [&meta.cgroup_parent]));
        for pair in &meta.env {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            facts.push(hashed(&format!("{VARIABLE}{name}"), [value]));
        }
    }
    facts.push(hashed("network", [exec.network.to_string()]));
    facts.push(hashed("security", [exec.security.to_string()]));
    facts.push(hashed(
        "secret variables",
        exec.secretenv.iter().map(|secret| format!("{secret:?}")),
    ));
    facts.push(hashed(
        "devices",
        exec.cdi_devices.iter().map(|device| &device.name),
    ));
    for mount in &exec.mounts {
        // The root's input is the previous step.
        let shown = pb::Mount {
            input: 0,
            output: 0,
            ..mount.clone()
        };
        step.facts.push(hashed(
            &format!("mount {}", mount.dest),
            [format!("{shown:?}")],
        ));
        if let Some(folder) = folder(mount.input) {
            let source = mount.selector.clone();
            let pick = Pick {
                source,
                ..Pick::default()
            };
            step.reads.push(Read { folder, pick });
        }
    }
}

/// The prefix of the keys of variables' facts.
pub(super) const VARIABLE: &str = "env ";

fn take_file(step: &mut Step, file: &pb::FileOp, folder: &dyn Fn(i64) -> Option<String>) {
    step.kind = Kind::Files;
    let actions = file
        .actions
        .iter()
        .map(|action| format!("{:?}", action.action));
    step.facts.push(hashed("paths or options", actions));
    for action in &file.actions {
        let Some(pb::file_action::Action::Copy(copy)) = &action.action else {
            continue;
        };
        let Some(folder) = folder(action.secondary_input) else {
            continue;
        };
        let pick = Pick {
            source: copy.src.clone(),
            wildcards: copy.allow_wildcard,
            include: copy.include_patterns.clone(),
            exclude: copy.exclude_patterns.clone(),
        };
        step.reads.push(Read { folder, pick });
    }
}

fn fact(key: &str, value: String) -> Fact {
    Fact {
        key: key.to_owned(),
        value,
    }
}

/// Returns a fact that keeps only the hash of its values.
fn hashed<T: AsRef<[u8]>>(key: &str, values: impl IntoIterator<Item = T>) -> Fact {
    fact(key, hash_of(values))
}

/// Returns the hash that links a step to a record of the daemon's cache. The description itself is
/// not kept, because it can contain values of build arguments.
pub fn description_hash(description: &str) -> String {
    hash_of([description])
}

fn hash_of<T: AsRef<[u8]>>(values: impl IntoIterator<Item = T>) -> String {
    let mut hash = Sha256::new();
    for value in values {
        let value = value.as_ref();
        hash.update(value.len().to_le_bytes());
        hash.update(value);
    }
    let hash = hash.finalize();
    hash[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::translate::{Options, Outcome, ResolvedImages, translate};

    fn steps_of(text: &str) -> Vec<Step> {
        let dockerfile = crate::dockerfile::parse(text.as_bytes()).unwrap();
        let made = translate(&dockerfile, &Options::default(), &ResolvedImages::new()).unwrap();
        let Outcome::Done(done) = made else {
            panic!("it needs images")
        };
        steps(&done.definition, "")
    }

    #[test]
    fn a_step_has_its_lines_and_what_it_reads() {
        let text = "FROM scratch\nCOPY --exclude=*.md src \\\n  /app/\n\
                    RUN --mount=type=bind,src=x,dst=/x [\"/app/x\"]\n";
        let steps = steps_of(text);
        let copy = steps.iter().find(|step| step.kind == Kind::Files).unwrap();
        assert_eq!(
            (copy.line, copy.text.as_str()),
            (2, "COPY --exclude=*.md src \\\n  /app/")
        );
        let read = &copy.reads[0];
        assert_eq!(
            (read.folder.as_str(), read.pick.source.as_str()),
            ("context", "/src")
        );
        assert_eq!(read.pick.exclude, ["*.md"]);
        let run = steps.iter().find(|step| step.kind == Kind::Run).unwrap();
        assert_eq!(run.reads[0].pick.source, "/x");
        assert!(
            run.inputs
                .iter()
                .any(|input| steps[*input].kind == Kind::Files)
        );
    }

    #[test]
    fn values_of_variables_are_not_kept() {
        let text = "FROM scratch\nENV TOKEN=hunter2\nRUN [\"x\"]\n";
        let steps = steps_of(text);
        assert!(!format!("{steps:?}").contains("hunter2"));
        let run = steps.iter().find(|step| step.kind == Kind::Run).unwrap();
        assert!(run.facts.iter().any(|fact| fact.key == "env TOKEN"));
    }
}
