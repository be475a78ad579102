//! RUN.

use std::borrow::Cow;
use std::collections::HashMap;

use super::super::error::Error;
use super::super::reason::Reason;
use super::super::stage::{BuildArg, Layer};
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
    let history = format!("RUN {}", history(&step.stage.args, &command.args, &env));
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

/// A device as the labs channel of the reference asks for it. A daemon that knows no devices is not
/// asked, and the step runs without: so does the reference.
fn device(device: &RunDevice) -> llb::Device {
    llb::Device {
        name: device.name.clone(),
        optional: !device.required,
    }
}

/// What is run.
struct Command {
    args: Vec<String>,
    /// A heredoc that is a script of its own.
    script: Option<llb::Mount>,
    /// What the vertex's name says about the heredoc.
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
        // Words around heredocs: the shell gets the text as it stands in the file.
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
    let suffix = format!(" ({})", summary(&first.content));
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

/// The first line of a heredoc, for names.
fn summary(content: &str) -> String {
    let content = content.trim();
    match content.split_once('\n') {
        Some((first, _)) => format!("{}...", first.strip_suffix('\r').unwrap_or(first)),
        None => content.to_owned(),
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
    let text = format!("{}{suffix}", step.instruction.original);
    let shown = super::shown(&lexer, &text, &with_secrets_masked(env, mounts));
    let platform = step.stage.state.platform().cloned();
    let name = step.stage.steps.next(&shown, platform.as_ref(), Some(env));
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

/// Variables that carry secrets are shown as stars: the value is not known here, and it should show that there is one.
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

/// The command with the ARGs that it sees in front: `|2 A=1 B=2 /bin/sh -c …`.
fn history(args: &[BuildArg], command: &[String], env: &Env) -> String {
    let names = match args.len() > 16 {
        true => many_args(args, env),
        false => few_args(args, env),
    };
    let mut text = String::new();
    if !names.is_empty() {
        text = format!("|{} ", names.len());
        for (name, value) in names {
            text.push_str(name);
            text.push('=');
            text.push_str(value);
            text.push(' ');
        }
    }
    text.push_str(&command.join(" "));
    text
}

/// Each ARG once, in the order of their first declarations, with the value of the last.
fn few_args<'a>(args: &'a [BuildArg], env: &'a Env) -> Vec<(&'a str, &'a str)> {
    let mut names: Vec<(&str, &str)> = Vec::with_capacity(args.len());
    for arg in args {
        let value = env.get(&arg.name).or(arg.value.as_deref());
        let value = value.unwrap_or_default();
        match names.iter_mut().find(|(name, _)| *name == arg.name) {
            Some((_, known)) => *known = value,
            None => names.push((&arg.name, value)),
        }
    }
    names
}

/// The same in time that does not grow with the square of their number.
fn many_args<'a>(args: &'a [BuildArg], env: &'a Env) -> Vec<(&'a str, &'a str)> {
    let env: HashMap<&str, &str> = env.iter().collect();
    let mut places = HashMap::with_capacity(args.len());
    let mut names: Vec<(&str, &str)> = Vec::with_capacity(args.len());
    for arg in args {
        let value = env.get(arg.name.as_str()).copied();
        let value = value.or(arg.value.as_deref()).unwrap_or_default();
        let place = *places.entry(arg.name.as_str()).or_insert(names.len());
        match names.get_mut(place) {
            Some((_, known)) => *known = value,
            None => names.push((&arg.name, value)),
        }
    }
    names
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
        let arg = |name: &str, value: Option<&str>| BuildArg {
            name: name.into(),
            value: value.map(str::to_owned),
        };
        let args = [arg("A", Some("1")), arg("B", None), arg("A", Some("2"))];
        let env: Env = [("A", "3")].into_iter().collect();
        assert_eq!(
            history(&args, &["x".into(), "y".into()], &env),
            "|2 A=3 B= x y"
        );
        assert_eq!(history(&[], &["x".into()], &env), "x");
        assert_eq!(many_args(&args, &env), few_args(&args, &env));
    }
}
