//! RUN.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::super::build_args::BuildArgs;
use super::super::error::Error;
use super::super::reason::Reason;
use super::super::stage::Layer;
use super::super::start::COMMAND;
use super::Step;
use super::{config, run_mounts};
use crate::dockerfile::{
    self, CommandLine, Lexer, Mount, MountType, RunDevice, RunInstruction, RunNetwork, RunSecurity,
};
use crate::llb::{self, Cap, Constraints, Env, Exec, File, Network, Security, State, path};

/// Runs a command.
pub(super) fn dispatch(step: &mut Step<'_, '_, '_>, run: &RunInstruction) -> Result<(), Error> {
    let mounts = run_mounts::expand(step, &run.mounts)?;
    step.use_all_paths();
    let command = command(step, run);
    if command.args.is_empty() {
        step.stage.flawed(Reason::NoCommand, step.instruction.span);
    }
    let options = step.scope.options;
    let caps = options.caps;
    let env = step.stage.state.shared_env();
    let history = history(&step.stage.args, &command.args, &env);
    let mut exec = Exec::new(command.args).proxy(step.scope.proxy.clone());
    if let Some(script) = command.script {
        exec = exec.mount(script);
    }
    exec = run_mounts::add(step, exec, &mounts)?;
    exec = exec.security(match run.security {
        RunSecurity::Sandbox => Security::Sandbox,
        RunSecurity::Insecure => Security::Insecure,
    });
    match run.network {
        RunNetwork::Default => {}
        RunNetwork::None => exec = exec.network(Network::None),
        RunNetwork::Host => exec = exec.network(Network::Host),
    }
    if caps.contains(Cap::ExecMetaUlimit) {
        exec = exec.ulimits(options.ulimits.clone());
    }
    if caps.contains(Cap::ExecMetaCdi) {
        let own = run.devices.iter().map(device);
        for device in options.devices.iter().cloned().chain(own) {
            exec = exec.device(device);
        }
    }
    let constraints = constraints(step, &mounts, &env, &command.suffix);
    exec = exec.extra_hosts(options.extra_hosts.clone());
    if options.shm_size > 0 && caps.contains(Cap::ExecMountTmpfsSize) {
        exec = exec.mount(llb::Mount::tmpfs("/dev/shm", options.shm_size));
    }
    if caps.contains(Cap::ExecMetaCgroupParent) {
        exec = exec.cgroup_parent(options.cgroup_parent.clone());
    }
    let exec = exec.constraints(constraints);
    step.stage.update(|state| state.run(exec).root());
    step.commit(history, Layer::Marked);
    Ok(())
}

/// Returns a device as the reference's labs channel requests it. As in the reference, the step runs
/// without devices if the daemon does not support them.
fn device(device: &RunDevice) -> llb::Device {
    llb::Device {
        name: device.name.clone(),
        optional: !device.required,
    }
}

/// The command to run.
struct Command {
    args: Vec<String>,
    /// The script mount of a heredoc that is a script of its own.
    script: Option<llb::Mount>,
    /// The part of the vertex's name that shows the heredoc.
    suffix: String,
}

fn command(step: &Step<'_, '_, '_>, run: &RunInstruction) -> Command {
    let image = &step.stage.image;
    let (CommandLine::Shell(text), Some(first)) = (&run.command, run.heredocs.first()) else {
        return Command {
            args: config::with_shell(image, &run.command),
            script: None,
            suffix: String::new(),
        };
    };
    if !matches!(dockerfile::parse_heredoc(text), Ok(Some(_))) {
        // With words around heredocs, the shell gets the text as it is in the file.
        let mut text = text.clone();
        for heredoc in &run.heredocs {
            text.push('\n');
            text.push_str(&heredoc.content);
            text.push_str(&heredoc.name);
        }
        return Command {
            args: config::in_shell(image, text),
            script: None,
            suffix: String::new(),
        };
    }
    let content = match first.chomp {
        true => Cow::Owned(dockerfile::chomp(&first.content)),
        false => Cow::Borrowed(first.content.as_str()),
    };
    let suffix = [" (", &summary(&first.content), ")"].concat();
    if image.platform.os == "windows" || !content.starts_with("#!") {
        return Command {
            args: config::in_shell(image, content.into_owned()),
            script: None,
            suffix,
        };
    }
    let constraints = Constraints::new().named("[internal] preparing inline document");
    let file = File::new().make_file(&*first.name, 0o755, content.as_bytes());
    let script = llb::Mount::bind("/dev/pipes/", &State::scratch().file(file, constraints));
    let script = script.selecting("/").read_only(true);
    let args = config::in_shell(image, path::join("/dev/pipes/", &first.name));
    Command {
        args,
        script: Some(script),
        suffix,
    }
}

/// Returns the first line of a heredoc, for names.
fn summary(content: &str) -> Cow<'_, str> {
    let content = content.trim();
    match content.split_once('\n') {
        Some((first, _)) => {
            let first = first.strip_suffix('\r').unwrap_or(first);
            Cow::Owned([first, "..."].concat())
        }
        None => Cow::Borrowed(content),
    }
}

fn constraints(
    step: &mut Step<'_, '_, '_>,
    mounts: &[Mount],
    env: &Env,
    suffix: &str,
) -> Constraints {
    let lexer = Lexer {
        raw_quotes: true,
        keep_unset: true,
        ..step.scope.lexer
    };
    let text = match suffix {
        "" => Cow::Borrowed(&step.instruction.original),
        _ => Cow::Owned([&step.instruction.original, suffix].concat()),
    };
    let shown = super::shown(&lexer, &text, &with_secrets_masked(env, mounts));
    let stage = &mut *step.stage;
    let name = stage.steps.next(&shown, stage.state.platform(), Some(env));
    let constraints = Constraints::new()
        .described(COMMAND, step.instruction.original.as_str())
        .named(name)
        .at(step.scope.location(Some(step.instruction.span)))
        .ignoring_cache(step.stage.ignore_cache);
    match &step.scope.options.linux_resources {
        Some(limits)
            if step
                .scope
                .options
                .caps
                .contains(Cap::ExecMetaLinuxResources) =>
        {
            constraints.limited(limits.clone())
        }
        _ => constraints,
    }
}

/// Replaces variables with secrets by stars: their values are unknown here, but the name should
/// show that they exist.
fn with_secrets_masked<'e>(env: &'e Env, mounts: &[Mount]) -> Cow<'e, Env> {
    let mut env = Cow::Borrowed(env);
    for mount in mounts
        .iter()
        .filter(|mount| mount.kind == MountType::Secret)
    {
        if let Some(name) = &mount.env {
            env.to_mut().set(name, "****");
        }
    }
    env
}

/// Returns the command with its ARGs in front: `RUN |2 A=1 B=2 /bin/sh -c …`.
fn history(args: &BuildArgs, command: &[String], env: &Env) -> String {
    let args = args.iter();
    let args = args.map(|(name, value)| (name, env.get(name).or(value).unwrap_or_default()));
    let size: usize = args
        .clone()
        .map(|(name, value)| name.len() + value.len() + 2)
        .sum();
    let command_size: usize = command.iter().map(|word| word.len() + 1).sum();
    let mut text = String::with_capacity(size + command_size + 32);
    text.push_str("RUN");
    if args.len() > 0 {
        // Writing to a string cannot fail.
        let _ = write!(text, " |{}", args.len());
    }
    for (name, value) in args {
        text.push(' ');
        text.push_str(name);
        text.push('=');
        text.push_str(value);
    }
    text.push(' ');
    for (at, word) in command.iter().enumerate() {
        if at > 0 {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heredocs_are_summed_up_by_their_first_line() {
        assert_eq!(summary("\n  echo a\r\necho b\n"), "echo a...");
        assert_eq!(summary("echo a\n"), "echo a");
    }

    #[test]
    fn history_has_every_arg_once() {
        let mut args = BuildArgs::default();
        for (name, value) in [
            ("A", Some("1")),
            ("B", None),
            ("A", Some("2")),
            ("C", Some("4")),
        ] {
            args.push(name, value.map(str::to_owned));
        }
        let env: Env = [("A", "3")].into_iter().collect();
        assert_eq!(
            history(&args, &["x".into(), "y".into()], &env),
            "RUN |3 A=3 B= C=4 x y"
        );
        let none = BuildArgs::default();
        assert_eq!(history(&none, &["x".into()], &env), "RUN x");
    }
}
