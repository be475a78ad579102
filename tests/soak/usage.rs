//! What a process uses, as Linux tells it.

use std::fs;

/// The memory of a process in use, in KiB.
pub(crate) fn memory(pid: u32) -> usize {
    field(pid, "VmRSS:")
}

/// The most memory that a process has used so far, in KiB.
pub(crate) fn peak(pid: u32) -> usize {
    field(pid, "VmHWM:")
}

/// How many file descriptors a process has open.
pub(crate) fn descriptors(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}

/// 0 of a process that has ended.
fn field(pid: u32, name: &str) -> usize {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|rest| rest.split_whitespace().next());
    number.and_then(|text| text.parse().ok()).unwrap_or(0)
}
