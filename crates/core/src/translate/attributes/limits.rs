//! Attributes with numbers and lists: hosts, ulimits, resources.

use std::net::IpAddr;
use std::sync::Arc;

use super::super::options::Options;
use super::{AttributeError, value_error};
use crate::dockerfile::csv_fields;
use crate::llb::{HostIp, LinuxResources, Ulimit};

pub(super) fn number(name: &'static str, text: &str) -> Result<Option<i64>, AttributeError> {
    match text {
        "" => Ok(None),
        _ => text
            .parse()
            .map(Some)
            .map_err(|_| value_error(name, text, "a number")),
    }
}

pub(super) fn extra_hosts(text: &str) -> Result<Arc<[HostIp]>, AttributeError> {
    let wrong = || {
        value_error(
            "add-hosts",
            text,
            "name=address pairs with commas between them",
        )
    };
    let pair = |field: String| {
        let field = field.to_lowercase();
        let (host, address) = field.split_once('=')?;
        let address: IpAddr = address.parse().ok()?;
        Some(HostIp::new(host, address))
    };
    fields(text)
        .ok_or_else(wrong)?
        .into_iter()
        .map(|field| pair(field).ok_or_else(wrong))
        .collect()
}

pub(super) fn ulimits(text: &str) -> Result<Arc<[Ulimit]>, AttributeError> {
    let wrong = || {
        value_error(
            "ulimit",
            text,
            "name=soft[:hard] pairs with commas between them",
        )
    };
    fields(text)
        .ok_or_else(wrong)?
        .into_iter()
        .map(|field| Ulimit::parse(&field).map_err(|_| wrong()))
        .collect()
}

/// Splits a CSV record. `None` if the text is malformed.
fn fields(text: &str) -> Option<Vec<String>> {
    if text.is_empty() {
        Some(Vec::new())
    } else {
        csv_fields(text)
    }
}

/// Validates limits that were not parsed from text.
pub(super) fn check_limits(options: &Options) -> Result<(), AttributeError> {
    let is_wrong = |limit: &&Ulimit| Ulimit::new(&limit.name, limit.soft, limit.hard).is_err();
    if let Some(limit) = options.ulimits.iter().find(is_wrong) {
        let known = "a known name=soft:hard";
        return Err(value_error("ulimit", &limit.to_string(), known));
    }
    let Some(resources) = &options.linux_resources else {
        return Ok(());
    };
    let sets = [
        ("cpusetcpus", &resources.cpuset_cpus),
        ("cpusetmems", &resources.cpuset_mems),
    ];
    match sets.into_iter().find(|(_, text)| !is_set(text)) {
        Some((name, text)) => Err(value_error(name, text, "a list like 0-3,5")),
        None => Ok(()),
    }
}

pub(super) fn linux_resources<'g>(
    get: &impl Fn(&str) -> &'g str,
) -> Result<Option<LinuxResources>, AttributeError> {
    let positive = |name| match number(name, get(name))? {
        Some(number) if number <= 0 => Err(value_error(name, get(name), "a number greater than 0")),
        number => Ok(number.unwrap_or(0)),
    };
    let unsigned = |name| match get(name) {
        "" => Ok(0),
        text => text
            .parse::<u64>()
            .ok()
            // Go's ParseUint accepts no sign.
            .filter(|_| !text.starts_with('+'))
            .filter(|number| *number > 0)
            .ok_or_else(|| value_error(name, text, "a number greater than 0")),
    };
    let set = |name| match get(name) {
        text if is_set(text) => Ok(text.to_owned()),
        text => Err(value_error(name, text, "a list like 0-3,5")),
    };
    let memory_swap = match number("memswap", get("memswap"))? {
        Some(number) if number < -1 || number == 0 => {
            return Err(value_error(
                "memswap",
                get("memswap"),
                "-1 or a number greater than 0",
            ));
        }
        number => number.unwrap_or(0),
    };
    let resources = LinuxResources {
        memory: positive("memory")?,
        memory_swap,
        cpu_shares: unsigned("cpushares")?,
        cpu_period: unsigned("cpuperiod")?,
        cpu_quota: positive("cpuquota")?,
        cpuset_cpus: set("cpusetcpus")?,
        cpuset_mems: set("cpusetmems")?,
    };
    Ok((resources != LinuxResources::default()).then_some(resources))
}

/// True for numbers up to 8192 and ranges of them, separated by commas.
fn is_set(text: &str) -> bool {
    let number = |text: &str| {
        text.trim()
            .parse::<u32>()
            .ok()
            .filter(|number| *number <= 8192)
    };
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .all(|part| match part.split_once('-') {
            None => number(part).is_some(),
            Some((first, last)) => number(first)
                .zip(number(last))
                .is_some_and(|(first, last)| first <= last),
        })
}
