//! A definition as JSON, for people and tools: ops in protobuf's JSON mapping, metadata, source lines.

use base64::Engine;
use prost::Message;
use serde_json::{Map, Value, json};

use super::definition::{DefinedVertex, Definition};
use super::metadata::{LinuxResources, Metadata};
use super::{Cap, CapSet};
use crate::proto::pb;

impl Definition {
    /// `{"head", "terminal": {"digest", "op", "metadata"}, "vertices": [{"digest", "op", "metadata", "loc"}]}` in the definition's
    /// order. Ops are in the canonical JSON mapping of protobuf. `loc` holds, for each location, its ranges as
    /// `[start line, start character, end line, end character]`. Progress groups are called `pg0`, `pg1` … as they appear.
    pub fn to_json(&self) -> Value {
        let mut groups = Vec::new();
        let vertices: Vec<Value> = self
            .vertices()
            .iter()
            .map(|vertex| vertex_json(vertex, &mut groups))
            .collect();
        let mut all = Map::new();
        all.insert("head".into(), self.head_str().unwrap_or_default().into());
        if let Some(terminal) = self.terminal() {
            let terminal = json!({
                "digest": terminal.digest.as_str(),
                "op": op_json(&terminal.op),
                "metadata": metadata_json(&Metadata::default(), terminal.caps, &mut groups),
            });
            all.insert("terminal".into(), terminal);
        }
        all.insert("vertices".into(), vertices.into());
        Value::Object(all)
    }
}

fn vertex_json(vertex: &DefinedVertex, groups: &mut Vec<String>) -> Value {
    let mut all = Map::new();
    all.insert("digest".into(), vertex.digest_str().into());
    all.insert("op".into(), op_json(vertex.op()));
    all.insert(
        "metadata".into(),
        metadata_json(vertex.metadata(), vertex.caps(), groups),
    );
    if !vertex.locations().is_empty() {
        let locations = vertex.locations().iter().map(|location| {
            let ranges = location.ranges.iter().map(|range| {
                json!([
                    range.start.line,
                    range.start.character,
                    range.end.line,
                    range.end.character
                ])
            });
            ranges.collect::<Value>()
        });
        all.insert("loc".into(), locations.collect());
    }
    Value::Object(all)
}

fn metadata_json(metadata: &Metadata, caps: CapSet, groups: &mut Vec<String>) -> Value {
    let mut all = Map::new();
    let description: Map<String, Value> = metadata
        .description()
        .map(|(key, value)| (key.to_owned(), value.into()))
        .collect();
    if !description.is_empty() {
        all.insert("description".into(), description.into());
    }
    let mut names: Vec<&str> = caps.iter().map(Cap::as_str).collect();
    names.sort_unstable();
    if !names.is_empty() {
        all.insert("caps".into(), names.into());
    }
    if metadata.ignore_cache {
        all.insert("ignore_cache".into(), true.into());
    }
    if let Some(export) = metadata.export_cache {
        all.insert("export_cache".into(), export.into());
    }
    if let Some(group) = &metadata.progress_group {
        let at = groups
            .iter()
            .position(|known| **known == *group.id)
            .unwrap_or_else(|| {
                groups.push(group.id.to_string());
                groups.len() - 1
            });
        let mut shown = json!({"id": format!("pg{at}"), "name": &*group.name});
        if group.weak {
            shown["weak"] = true.into();
        }
        all.insert("progress_group".into(), shown);
    }
    if let Some(limits) = &metadata.linux_resources {
        all.insert("linux_resources".into(), limits_json(limits));
    }
    Value::Object(all)
}

fn limits_json(limits: &LinuxResources) -> Value {
    let mut all = json!({
        "memory": limits.memory, "memorySwap": limits.memory_swap, "cpuShares": limits.cpu_shares,
        "cpuPeriod": limits.cpu_period, "cpuQuota": limits.cpu_quota,
        "cpusetCpus": limits.cpuset_cpus, "cpusetMems": limits.cpuset_mems,
    });
    if let Some(fields) = all.as_object_mut() {
        fields.retain(|_, value| *value != json!(0) && *value != json!(""));
    }
    all
}

fn op_json(bytes: &[u8]) -> Value {
    // Our own bytes decode; anything else would show as an empty op.
    let op = pb::Op::decode(bytes).unwrap_or_default();
    let mut fields = Fields::default();
    fields.list("inputs", op.inputs, |input| {
        Fields::default()
            .text("digest", &input.digest)
            .long("index", input.index)
            .done()
    });
    match &op.op {
        Some(pb::op::Op::Exec(exec)) => fields.set("exec", exec_json(exec)),
        Some(pb::op::Op::Source(source)) => fields.set("source", source_json(source)),
        Some(pb::op::Op::File(file)) => fields.set("file", file_json(file)),
        Some(pb::op::Op::Merge(merge)) => {
            let mut merged = Fields::default();
            merged.list("inputs", &merge.inputs, |input| {
                Fields::default().long("input", input.input).done()
            });
            fields.set("merge", merged.done());
        }
        Some(pb::op::Op::Diff(diff)) => {
            let side = |input: i64| Fields::default().long("input", input).done();
            let mut sides = Fields::default();
            sides.option("lower", diff.lower.map(|lower| side(lower.input)));
            sides.option("upper", diff.upper.map(|upper| side(upper.input)));
            fields.set("diff", sides.done());
        }
        _ => {}
    }
    fields.option(
        "platform",
        op.platform.map(|platform| {
            let mut shown = Fields::default();
            shown
                .text("Architecture", &platform.architecture)
                .text("OS", &platform.os)
                .text("Variant", &platform.variant)
                .text("OSVersion", &platform.os_version)
                .texts("OSFeatures", &platform.os_features);
            shown.done()
        }),
    );
    fields.option(
        "constraints",
        op.constraints.map(|constraints| {
            Fields::default()
                .texts("filter", &constraints.filter)
                .done()
        }),
    );
    fields.done()
}

fn source_json(source: &pb::SourceOp) -> Value {
    let mut fields = Fields::default();
    fields.text("identifier", &source.identifier);
    if !source.attrs.is_empty() {
        fields.set(
            "attrs",
            source
                .attrs
                .iter()
                .map(|(key, value)| (key.clone(), Value::from(value.as_str())))
                .collect(),
        );
    }
    fields.done()
}

fn exec_json(exec: &pb::ExecOp) -> Value {
    let mut fields = Fields::default();
    fields.option("meta", exec.meta.as_ref().map(meta_json));
    fields.list("mounts", &exec.mounts, mount_json);
    fields.name("network", exec.network, exec.network().as_str_name());
    fields.name("security", exec.security, exec.security().as_str_name());
    fields.list("secretenv", &exec.secretenv, |secret| {
        Fields::default()
            .text("ID", &secret.id)
            .text("name", &secret.name)
            .flag("optional", secret.optional)
            .done()
    });
    fields.list("cdiDevices", &exec.cdi_devices, |device| {
        Fields::default()
            .text("name", &device.name)
            .flag("optional", device.optional)
            .done()
    });
    fields.done()
}

fn meta_json(meta: &pb::Meta) -> Value {
    let mut fields = Fields::default();
    fields
        .texts("args", &meta.args)
        .texts("env", &meta.env)
        .text("cwd", &meta.cwd)
        .text("user", &meta.user);
    fields.option(
        "proxyEnv",
        meta.proxy_env.as_ref().map(|proxy| {
            Fields::default()
                .text("httpProxy", &proxy.http_proxy)
                .text("httpsProxy", &proxy.https_proxy)
                .text("ftpProxy", &proxy.ftp_proxy)
                .text("noProxy", &proxy.no_proxy)
                .text("allProxy", &proxy.all_proxy)
                .done()
        }),
    );
    fields.list("extraHosts", &meta.extra_hosts, |host| {
        Fields::default()
            .text("Host", &host.host)
            .text("IP", &host.ip)
            .done()
    });
    fields.text("hostname", &meta.hostname);
    fields.list("ulimit", &meta.ulimit, |limit| {
        Fields::default()
            .text("Name", &limit.name)
            .long("Soft", limit.soft)
            .long("Hard", limit.hard)
            .done()
    });
    fields.text("cgroupParent", &meta.cgroup_parent);
    fields.flag(
        "removeMountStubsRecursive",
        meta.remove_mount_stubs_recursive,
    );
    fields.list("validExitCodes", &meta.valid_exit_codes, |code| {
        (*code).into()
    });
    fields.done()
}

fn mount_json(mount: &pb::Mount) -> Value {
    let mut fields = Fields::default();
    fields
        .long("input", mount.input)
        .text("selector", &mount.selector)
        .text("dest", &mount.dest);
    fields
        .long("output", mount.output)
        .flag("readonly", mount.readonly);
    fields.name(
        "mountType",
        mount.mount_type,
        mount.mount_type().as_str_name(),
    );
    fields.option(
        "TmpfsOpt",
        mount
            .tmpfs_opt
            .map(|tmpfs| Fields::default().long("size", tmpfs.size).done()),
    );
    fields.option(
        "cacheOpt",
        mount.cache_opt.as_ref().map(|cache| {
            Fields::default()
                .text("ID", &cache.id)
                .name("sharing", cache.sharing, cache.sharing().as_str_name())
                .done()
        }),
    );
    fields.option(
        "secretOpt",
        mount.secret_opt.as_ref().map(|secret| {
            let mut shown = Fields::default();
            shown
                .text("ID", &secret.id)
                .int("uid", secret.uid)
                .int("gid", secret.gid)
                .int("mode", secret.mode);
            shown.flag("optional", secret.optional).done()
        }),
    );
    fields.option(
        "SSHOpt",
        mount.ssh_opt.as_ref().map(|ssh| {
            let mut shown = Fields::default();
            shown
                .text("ID", &ssh.id)
                .int("uid", ssh.uid)
                .int("gid", ssh.gid)
                .int("mode", ssh.mode);
            shown.flag("optional", ssh.optional).done()
        }),
    );
    fields.text("resultID", &mount.result_id);
    fields.name(
        "contentCache",
        mount.content_cache,
        mount.content_cache().as_str_name(),
    );
    fields.done()
}

fn file_json(file: &pb::FileOp) -> Value {
    use pb::file_action::Action;
    let mut fields = Fields::default();
    fields.list("actions", &file.actions, |action| {
        let mut shown = Fields::default();
        shown
            .long("input", action.input)
            .long("secondaryInput", action.secondary_input)
            .long("output", action.output);
        match &action.action {
            Some(Action::Copy(copy)) => shown.set("copy", copy_json(copy)),
            Some(Action::Mkfile(file)) => shown.set("mkfile", make_file_json(file)),
            Some(Action::Mkdir(dir)) => shown.set("mkdir", make_dir_json(dir)),
            Some(Action::Rm(rm)) => {
                let mut removed = Fields::default();
                removed
                    .text("path", &rm.path)
                    .flag("allowNotFound", rm.allow_not_found);
                shown.set(
                    "rm",
                    removed.flag("allowWildcard", rm.allow_wildcard).done(),
                );
            }
            Some(Action::Symlink(link)) => {
                let mut linked = Fields::default();
                linked
                    .text("oldpath", &link.oldpath)
                    .text("newpath", &link.newpath);
                linked.option("owner", link.owner.as_ref().map(owner_json));
                shown.set("symlink", linked.long("timestamp", link.timestamp).done());
            }
            None => {}
        }
        shown.done()
    });
    fields.done()
}

fn copy_json(copy: &pb::FileActionCopy) -> Value {
    let mut fields = Fields::default();
    fields.text("src", &copy.src).text("dest", &copy.dest);
    fields.option("owner", copy.owner.as_ref().map(owner_json));
    fields.int("mode", copy.mode);
    fields
        .flag("followSymlink", copy.follow_symlink)
        .flag("dirCopyContents", copy.dir_copy_contents);
    fields.flag(
        "attemptUnpackDockerCompatibility",
        copy.attempt_unpack_docker_compatibility,
    );
    fields
        .flag("createDestPath", copy.create_dest_path)
        .flag("allowWildcard", copy.allow_wildcard);
    fields
        .flag("allowEmptyWildcard", copy.allow_empty_wildcard)
        .long("timestamp", copy.timestamp);
    fields
        .texts("includePatterns", &copy.include_patterns)
        .texts("excludePatterns", &copy.exclude_patterns);
    fields.flag(
        "alwaysReplaceExistingDestPaths",
        copy.always_replace_existing_dest_paths,
    );
    fields
        .text("modeStr", &copy.mode_str)
        .texts("requiredPaths", &copy.required_paths);
    fields.done()
}

fn make_file_json(file: &pb::FileActionMkFile) -> Value {
    let mut fields = Fields::default();
    fields.text("path", &file.path).int("mode", file.mode);
    fields.text(
        "data",
        &base64::engine::general_purpose::STANDARD.encode(&file.data),
    );
    fields.option("owner", file.owner.as_ref().map(owner_json));
    fields.long("timestamp", file.timestamp).done()
}

fn make_dir_json(dir: &pb::FileActionMkDir) -> Value {
    let mut fields = Fields::default();
    fields
        .text("path", &dir.path)
        .int("mode", dir.mode)
        .flag("makeParents", dir.make_parents);
    fields.option("owner", dir.owner.as_ref().map(owner_json));
    fields.long("timestamp", dir.timestamp).done()
}

fn owner_json(owner: &pb::ChownOpt) -> Value {
    let principal = |principal: &pb::UserOpt| match &principal.user {
        Some(pb::user_opt::User::ById(id)) => json!({"byID": id}),
        Some(pb::user_opt::User::ByName(named)) => {
            let named = Fields::default()
                .text("name", &named.name)
                .long("input", named.input)
                .done();
            json!({"byName": named})
        }
        None => json!({}),
    };
    let mut fields = Fields::default();
    fields.option("user", owner.user.as_ref().map(principal));
    fields.option("group", owner.group.as_ref().map(principal));
    fields.done()
}

/// Fields of a JSON object, without those that have their default value.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn set(&mut self, key: &str, value: Value) {
        self.0.insert(key.to_owned(), value);
    }

    fn option(&mut self, key: &str, value: Option<Value>) {
        if let Some(value) = value {
            self.set(key, value);
        }
    }

    fn text(&mut self, key: &str, value: &str) -> &mut Self {
        self.option(key, (!value.is_empty()).then(|| value.into()));
        self
    }

    fn texts(&mut self, key: &str, values: &[String]) -> &mut Self {
        self.option(key, (!values.is_empty()).then(|| values.into()));
        self
    }

    fn flag(&mut self, key: &str, value: bool) -> &mut Self {
        self.option(key, value.then_some(Value::Bool(true)));
        self
    }

    /// 64 bits: a string in protobuf's mapping.
    fn long(&mut self, key: &str, value: i64) -> &mut Self {
        self.option(key, (value != 0).then(|| value.to_string().into()));
        self
    }

    fn int(&mut self, key: &str, value: impl Into<i64>) -> &mut Self {
        let value = value.into();
        self.option(key, (value != 0).then(|| value.into()));
        self
    }

    fn name(&mut self, key: &str, number: i32, name: &str) -> &mut Self {
        self.option(key, (number != 0).then(|| name.into()));
        self
    }

    fn list<T>(
        &mut self,
        key: &str,
        items: impl IntoIterator<Item = T>,
        shown: impl Fn(T) -> Value,
    ) {
        let items: Vec<Value> = items.into_iter().map(shown).collect();
        self.option(key, (!items.is_empty()).then(|| items.into()));
    }

    fn done(&mut self) -> Value {
        Value::Object(std::mem::take(&mut self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::super::*;

    #[test]
    fn ops_are_in_protobuf_s_json_mapping() {
        let state = State::scratch().file(
            File::new().make_file("/a", 0o644, "hi"),
            Constraints::new().named("make"),
        );
        let json = state.marshal(&MarshalOptions::default()).unwrap().to_json();
        assert_eq!(
            json["vertices"][0]["op"].to_string(),
            r#"{"constraints":{},"file":{"actions":[{"input":"-1","mkfile":{"data":"aGk=","mode":420,"path":"/a","timestamp":"-1"},"secondaryInput":"-1"}]}}"#
        );
        assert_eq!(
            json["vertices"][0]["metadata"]["description"]["llb.customname"],
            "make"
        );
        assert_eq!(json["head"], json["vertices"][0]["digest"]);
        let empty = State::scratch()
            .marshal(&MarshalOptions::default())
            .unwrap()
            .to_json();
        assert_eq!(empty.to_string(), r#"{"head":"","vertices":[]}"#);
    }
}
