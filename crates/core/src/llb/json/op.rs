//! Ops in the JSON mapping of protobuf, except file ops.

use prost::Message;
use serde_json::Value;

use super::fields::Fields;
use super::file_op::file_json;
use crate::proto::pb;

pub(super) fn op_json(bytes: &[u8]) -> Value {
    // Our own bytes always decode; anything else becomes an empty op.
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
        Some(pb::op::Op::Passthrough(passthrough)) => {
            let mut shown = Fields::default();
            shown.text("id", &passthrough.id);
            shown.list("outputs", &passthrough.outputs, |at| at.to_string().into());
            fields.set("passthrough", shown.done());
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
