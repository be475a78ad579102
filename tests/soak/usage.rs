//! The resources that a process uses, from `/proc`.

use std::fs;

/// The memory that a process uses, in KiB.
pub(crate) fn memory(pid: u32) -> usize {
    field(pid, "VmRSS:")
}

/// The peak memory of a process, in KiB.
pub(crate) fn peak(pid: u32) -> usize {
    field(pid, "VmHWM:")
}

/// The number of open file descriptors of a process.
pub(crate) fn descriptors(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}

/// A field of the status; 0 if the process has ended.
fn field(pid: u32, name: &str) -> usize {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|rest| rest.split_whitespace().next());
    number.and_then(|text| text.parse().ok()).unwrap_or(0)
}
