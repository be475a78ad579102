//! pb.ExecOp.

use super::super::caps::{Cap, CapSet};
use super::super::exec::{ExecOp, Mount, MountKind, ProxyEnv, Secret, Sharing, SshSocket};
use super::super::state::Security;
use super::super::{DEFAULT_PATH, Error};
use super::Pass;
use super::op::NONE;
use super::wire::Writer;
use crate::oci::Platform;

/// Writes an exec op. `inputs` has the input index of each mount.
pub(super) fn write(
    w: &mut Writer,
    pass: &Pass<'_>,
    exec: &ExecOp,
    platform: &Platform,
    inputs: &[i64],
) -> Result<CapSet, Error> {
    if exec.args.is_empty() {
        return Err(Error::NoArguments);
    }
    if exec.settings.dir.is_empty() {
        return Err(Error::NoDirectory);
    }
    let mut caps = exec.caps;
    let default_path = !pass.options.caps.contains(Cap::ExecMetaSetsDefaultPath);
    if !default_path {
        caps.insert(Cap::ExecMetaSetsDefaultPath);
    }
    w.message(2, |w| {
        w.message(1, |w| write_meta(w, exec, default_path.then_some(platform)));
        let mut outputs = 0;
        for (mount, input) in exec.mounts.iter().zip(inputs) {
            let output = if mount.has_output() { outputs } else { NONE };
            outputs += i64::from(mount.has_output());
            w.message(2, |w| write_mount(w, mount, *input, output));
        }
        write_secret_and_ssh_mounts(w, exec);
        w.uint(3, exec.network as u64);
        w.uint(4, u64::from(exec.extras.security == Security::Insecure));
        write_secret_env(w, &exec.extras.secrets);
        for device in &exec.extras.devices {
            w.message(6, |w| {
                w.bytes(1, &device.name);
                w.bool(2, device.optional);
            });
        }
    });
    Ok(caps)
}

/// `default_path_for` is the platform if the daemon does not set a default PATH itself.
fn write_meta(w: &mut Writer, exec: &ExecOp, default_path_for: Option<&Platform>) {
    let (settings, extras) = (&exec.settings, &exec.extras);
    for arg in &exec.args {
        w.bytes_always(1, arg);
    }
    for assignment in settings.env.assignments() {
        w.bytes_always(2, assignment);
    }
    if let Some(first) = extras.ssh.first()
        && !settings.env.contains("SSH_AUTH_SOCK")
    {
        w.bytes_always(2, format!("SSH_AUTH_SOCK={}", ssh_target(first, 0)));
    }
    if let Some(platform) = default_path_for
        && platform.os != "windows"
        && !settings.env.contains("PATH")
    {
        w.bytes_always(2, format!("PATH={DEFAULT_PATH}"));
    }
    w.bytes(3, &*settings.dir);
    w.bytes(4, settings.user.as_deref().unwrap_or_default());
    if let Some(proxy) = &extras.proxy {
        w.message(5, |w| write_proxy(w, proxy));
    }
    for host in extras.extra_hosts.iter() {
        w.message(6, |w| {
            w.bytes(1, &host.host);
            w.bytes(2, &host.ip);
        });
    }
    w.bytes(7, settings.hostname.as_deref().unwrap_or_default());
    for ulimit in extras.ulimits.iter() {
        w.message(9, |w| {
            w.bytes(1, &ulimit.name);
            w.int(2, ulimit.soft);
            w.int(3, ulimit.hard);
        });
    }
    w.bytes(10, extras.cgroup_parent.as_deref().unwrap_or_default());
    w.bool(11, true);
    if !extras.valid_exit_codes.is_empty() {
        w.packed(
            12,
            extras.valid_exit_codes.iter().map(|code| i64::from(*code)),
        );
    }
}

fn write_proxy(w: &mut Writer, proxy: &ProxyEnv) {
    for (field, value) in (1..).zip([&proxy.http, &proxy.https, &proxy.ftp, &proxy.no, &proxy.all])
    {
        w.bytes(field, value);
    }
}

fn write_mount(w: &mut Writer, mount: &Mount, input: i64, output: i64) {
    w.int(1, input);
    w.bytes(2, &mount.selector);
    w.bytes(3, &mount.target);
    w.int(4, output);
    w.bool(5, mount.read_only);
    match &mount.kind {
        MountKind::Bind => {}
        MountKind::Cache { id, sharing } => {
            w.uint(6, 3);
            w.message(20, |w| {
                w.bytes(1, id);
                w.uint(
                    2,
                    match sharing {
                        Sharing::Shared => 0,
                        Sharing::Private => 1,
                        Sharing::Locked => 2,
                    },
                );
            });
        }
        MountKind::Tmpfs { size } => {
            w.uint(6, 4);
            w.message(19, |w| w.int(1, *size));
        }
    }
}

/// Writes secrets, then SSH sockets, after all other mounts: without input, and with output 0,
/// because the reference leaves it unset.
fn write_secret_and_ssh_mounts(w: &mut Writer, exec: &ExecOp) {
    for secret in &exec.extras.secrets {
        let Some(target) = &secret.target else {
            continue;
        };
        w.message(2, |w| {
            w.int(1, NONE);
            w.bytes(3, target);
            w.uint(6, 1);
            w.message(21, |w| {
                w.bytes(1, &secret.id);
                write_file_access(w, secret.uid, secret.gid, secret.mode, secret.optional);
            });
        });
    }
    for (at, socket) in exec.extras.ssh.iter().enumerate() {
        w.message(2, |w| {
            w.int(1, NONE);
            w.bytes(3, ssh_target(socket, at));
            w.uint(6, 2);
            w.message(22, |w| {
                w.bytes(1, &socket.id);
                write_file_access(w, socket.uid, socket.gid, socket.mode, socket.optional);
            });
        });
    }
}

/// Writes fields 2 to 5, which pb.SecretOpt and pb.SSHOpt share.
fn write_file_access(w: &mut Writer, uid: u32, gid: u32, mode: u32, optional: bool) {
    for (field, value) in (2..).zip([uid, gid, mode]) {
        w.uint(field, u64::from(value));
    }
    w.bool(5, optional);
}

fn write_secret_env(w: &mut Writer, secrets: &[Secret]) {
    for secret in secrets {
        let Some(name) = &secret.env else { continue };
        w.message(5, |w| {
            w.bytes(1, &secret.id);
            w.bytes(2, name);
            w.bool(3, secret.optional);
        });
    }
}

fn ssh_target(socket: &SshSocket, at: usize) -> String {
    match socket.target.as_str() {
        "" => format!("/run/buildkit/ssh_agent.{at}"),
        target => target.to_owned(),
    }
}
