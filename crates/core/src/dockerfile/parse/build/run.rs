//! RUN.

use super::super::super::csv;
use super::super::super::error::{DeviceProblem, ParseErrorKind, nearest};
use super::super::super::instruction::{
    RunDevice, RunInstruction, RunMount, RunNetwork, RunSecurity,
};
use super::super::super::mount::{go_bool, mount_from};
use super::super::arguments::command_line;
use super::super::flags::{Flag, Flags};
use super::{Parts, Result};

const FLAGS: &[Flag] = &[
    Flag::list("mount"),
    Flag::text("network"),
    Flag::text("security"),
    Flag::list("device"),
];

pub(super) fn run(parts: &Parts<'_>) -> Result<RunInstruction> {
    let command = command_line(parts.args)?;
    let flags = Flags::parse(&parts.flags, FLAGS, parts.name())?;
    Ok(RunInstruction {
        command,
        heredocs: parts
            .bodies
            .iter()
            .map(|body| body.heredoc.clone())
            .collect(),
        mounts: flags.values("mount").map(mount).collect::<Result<_>>()?,
        network: network(&flags)?,
        security: security(&flags)?,
        devices: flags.values("device").map(device).collect::<Result<_>>()?,
    })
}

fn mount(text: &str) -> Result<RunMount> {
    let from = mount_from(text).map_err(ParseErrorKind::Mount)?;
    let text = text.to_owned();
    Ok(RunMount { text, from })
}

fn network(flags: &Flags<'_>) -> Result<RunNetwork> {
    if !flags.has("network") {
        return Ok(RunNetwork::Default);
    }
    match flags.text("network").unwrap_or_default().as_str() {
        "default" => Ok(RunNetwork::Default),
        "none" => Ok(RunNetwork::None),
        "host" => Ok(RunNetwork::Host),
        value => Err(wrong_value("network", value, "default, none or host")),
    }
}

fn security(flags: &Flags<'_>) -> Result<RunSecurity> {
    if !flags.has("security") {
        return Ok(RunSecurity::Sandbox);
    }
    match flags.text("security").unwrap_or_default().as_str() {
        "sandbox" => Ok(RunSecurity::Sandbox),
        "insecure" => Ok(RunSecurity::Insecure),
        value => Err(wrong_value("security", value, "sandbox or insecure")),
    }
}

fn wrong_value(flag: &'static str, value: &str, expected: &'static str) -> ParseErrorKind {
    ParseErrorKind::FlagValue {
        instruction: "RUN",
        flag,
        value: value.to_owned(),
        expected,
    }
}

/// Parses `--device`: a name, alone or after `name=`, and `required`.
fn device(value: &str) -> Result<RunDevice> {
    let wrong = |reason| ParseErrorKind::Device {
        value: value.to_owned(),
        reason,
    };
    let fields = csv::fields(value).ok_or_else(|| wrong(DeviceProblem::NotCsv))?;
    let mut device = RunDevice::default();
    for field in fields {
        set_device_option(&mut device, field).map_err(wrong)?;
    }
    Ok(device)
}

fn set_device_option(
    device: &mut RunDevice,
    field: String,
) -> std::result::Result<(), DeviceProblem> {
    let (key, value) = field
        .split_once('=')
        .map_or((field.as_str(), None), |(key, value)| (key, Some(value)));
    match (key.to_lowercase().as_str(), value) {
        ("required", None) => device.required = true,
        ("required", Some(value)) => {
            device.required = go_bool(value).ok_or_else(|| DeviceProblem::Required {
                value: value.to_owned(),
            })?;
        }
        ("name", Some(_)) if !device.name.is_empty() => return Err(DeviceProblem::TwoNames),
        ("name", Some(name)) => device.name = name.to_owned(),
        _ if device.name.is_empty() => device.name = field,
        (key, _) => {
            return Err(DeviceProblem::UnknownOption {
                key: key.to_owned(),
                nearest: nearest(key, ["name", "required"]),
            });
        }
    }
    Ok(())
}
