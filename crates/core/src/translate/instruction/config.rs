//! Instructions that only change the image's config: CMD, ENTRYPOINT, HEALTHCHECK, USER, VOLUME and
//! the like.

use super::super::error::Error;
use super::super::reason::Reason;
use super::super::stage::{Given, Layer};
use super::Step;
use super::go_format;
use crate::dockerfile::{CommandLine, HealthcheckInstruction, OnbuildInstruction, Span};
use crate::oci::{Empty, HealthcheckConfig, Image};

/// CMD. `ArgsEscaped` is set for all images, as the reference does.
pub(super) fn cmd(step: &mut Step<'_, '_, '_>, cmd: &CommandLine) -> Result<(), Error> {
    once(step, |given| &mut given.cmd);
    json_recommended(step, cmd);
    let args = with_shell(&step.stage.image, cmd);
    let text = format!("CMD {}", go_format::quoted_list(&args));
    let config = &mut step.stage.image_mut().config;
    config.cmd = args;
    config.args_escaped = true;
    step.commit(text, Layer::None);
    Ok(())
}

/// ENTRYPOINT. Clears the CMD of the base, which belongs to another entrypoint.
pub(super) fn entrypoint(
    step: &mut Step<'_, '_, '_>,
    entrypoint: &CommandLine,
) -> Result<(), Error> {
    once(step, |given| &mut given.entrypoint);
    json_recommended(step, entrypoint);
    let args = with_shell(&step.stage.image, entrypoint);
    let text = format!("ENTRYPOINT {}", go_format::quoted_list(&args));
    let keep_cmd = step.stage.given.cmd.is_some();
    let config = &mut step.stage.image_mut().config;
    config.entrypoint = args;
    if !keep_cmd {
        config.cmd.clear();
    }
    step.commit(text, Layer::None);
    Ok(())
}

/// Records the instruction's lines and reports an earlier one of the stage, which has no effect.
fn once(step: &mut Step<'_, '_, '_>, place: fn(&mut Given) -> &mut Option<Span>) {
    let earlier = place(&mut step.stage.given).replace(step.instruction.span);
    if let Some(earlier) = earlier {
        step.lint(|linter, instruction| {
            linter.multiple_instructions(instruction, earlier, instruction.keyword());
        });
    }
}

/// Reports the shell form: the shell does not pass signals on to its program.
fn json_recommended(step: &mut Step<'_, '_, '_>, command: &CommandLine) {
    if matches!(command, CommandLine::Shell(_)) && step.stage.image.config.shell.is_empty() {
        step.lint(|linter, instruction| {
            linter.json_args_recommended(instruction, instruction.keyword());
        });
    }
}

/// Returns the words to run; for the shell form, the shell and the text.
pub(super) fn with_shell(image: &Image, command: &CommandLine) -> Vec<String> {
    match command {
        CommandLine::Exec(words) => words.clone(),
        CommandLine::Shell(text) => in_shell(image, text.clone()),
    }
}

/// Returns the image's shell, or the operating system's default one, with the text to run.
pub(super) fn in_shell(image: &Image, text: String) -> Vec<String> {
    let shell = &image.config.shell;
    let default: &[&str] = match image.platform.os.as_str() {
        _ if !shell.is_empty() => &[],
        "windows" => &["cmd", "/S", "/C"],
        _ => &["/bin/sh", "-c"],
    };
    let mut args = Vec::with_capacity(shell.len() + default.len() + 1);
    args.extend_from_slice(shell);
    args.extend(default.iter().map(|&word| word.to_owned()));
    args.push(text);
    args
}

/// HEALTHCHECK.
pub(super) fn healthcheck(
    step: &mut Step<'_, '_, '_>,
    healthcheck: &HealthcheckInstruction,
) -> Result<(), Error> {
    once(step, |given| &mut given.healthcheck);
    let nanoseconds =
        |time: std::time::Duration| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
    let check = match healthcheck {
        HealthcheckInstruction::None => HealthcheckConfig {
            test: vec!["NONE".to_owned()],
            ..Default::default()
        },
        HealthcheckInstruction::Command(check) => HealthcheckConfig {
            test: match &check.command {
                CommandLine::Shell(text) => vec!["CMD-SHELL".to_owned(), text.clone()],
                CommandLine::Exec(words) => std::iter::once("CMD".to_owned())
                    .chain(words.iter().cloned())
                    .collect(),
            },
            interval: nanoseconds(check.interval),
            timeout: nanoseconds(check.timeout),
            start_period: nanoseconds(check.start_period),
            start_interval: nanoseconds(check.start_interval),
            retries: i64::from(check.retries),
        },
    };
    let text = format!(
        "HEALTHCHECK {{Test:{} Interval:{} Timeout:{} StartPeriod:{} StartInterval:{} Retries:{}}}",
        go_format::list(&check.test),
        go_format::duration(check.interval),
        go_format::duration(check.timeout),
        go_format::duration(check.start_period),
        go_format::duration(check.start_interval),
        check.retries,
    );
    step.stage.image_mut().config.healthcheck = Some(check);
    step.commit(text, Layer::None);
    Ok(())
}

/// MAINTAINER.
pub(super) fn maintainer(step: &mut Step<'_, '_, '_>, author: &str) -> Result<(), Error> {
    author.clone_into(&mut step.stage.image_mut().author);
    step.commit(format!("MAINTAINER {author}"), Layer::None);
    Ok(())
}

/// ONBUILD: stored for the images that are built on this one.
pub(super) fn onbuild(
    step: &mut Step<'_, '_, '_>,
    trigger: &OnbuildInstruction,
) -> Result<(), Error> {
    step.stage
        .image_mut()
        .config
        .on_build
        .push(trigger.expression.clone());
    Ok(())
}

/// SHELL.
pub(super) fn shell(step: &mut Step<'_, '_, '_>, shell: &[String]) -> Result<(), Error> {
    step.stage.image_mut().config.shell = shell.to_vec();
    step.commit(format!("SHELL {}", go_format::list(shell)), Layer::None);
    Ok(())
}

/// USER.
pub(super) fn user(step: &mut Step<'_, '_, '_>, user: &str) -> Result<(), Error> {
    let user = step.expand(user)?.into_owned();
    step.stage.update(|state| state.with_user(&user));
    let text = format!("USER {user}");
    step.stage.image_mut().config.user = user;
    step.commit(text, Layer::None);
    Ok(())
}

/// VOLUME.
pub(super) fn volume(step: &mut Step<'_, '_, '_>, volumes: &[String]) -> Result<(), Error> {
    let mut expanded = Vec::with_capacity(volumes.len());
    for volume in volumes {
        expanded.push(step.expand(volume)?.into_owned());
    }
    if expanded.iter().any(String::is_empty) {
        return Err(Reason::EmptyVolume.into());
    }
    let text = format!("VOLUME {}", go_format::list(&expanded));
    step.stage
        .image_mut()
        .config
        .volumes
        .extend(expanded.into_iter().map(|volume| (volume, Empty {})));
    step.commit(text, Layer::None);
    Ok(())
}

/// STOPSIGNAL: the config keeps the text unchanged.
pub(super) fn stop_signal(step: &mut Step<'_, '_, '_>, signal: &str) -> Result<(), Error> {
    let signal = step.expand(signal)?.into_owned();
    if !is_signal(&signal) {
        return Err(Reason::Signal { signal }.into());
    }
    let text = format!("STOPSIGNAL {signal}");
    step.stage.image_mut().config.stop_signal = signal;
    step.commit(text, Layer::None);
    Ok(())
}

/// True for a number other than 0, and for a Linux signal with or without SIG, in any case.
fn is_signal(text: &str) -> bool {
    const NAMES: &[&str] = &[
        "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT",
        "KILL", "PIPE", "POLL", "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM",
        "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ",
        "RTMIN", "RTMAX",
    ];
    if let Ok(number) = text.parse::<i64>() {
        return number != 0;
    }
    let upper = text.to_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let up_to = |number: &str, most: u32| {
        !number.starts_with(['0', '+'])
            && number
                .parse::<u32>()
                .is_ok_and(|number| (1..=most).contains(&number))
    };
    match (name.strip_prefix("RTMIN+"), name.strip_prefix("RTMAX-")) {
        (Some(number), _) => up_to(number, 15),
        (_, Some(number)) => up_to(number, 14),
        _ => NAMES.contains(&name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_numbers_or_names() {
        for signal in ["9", "-1", "term", "SIGRTMIN+15", "rtmax-14", "SigKill"] {
            assert!(is_signal(signal), "{signal}");
        }
        for other in ["0", "", "SIG", "FOO", "RTMIN+16", "RTMAX-15", "RTMIN+01"] {
            assert!(!is_signal(other), "{other}");
        }
    }
}
