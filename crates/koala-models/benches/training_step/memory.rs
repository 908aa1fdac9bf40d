//! What the process has used so far, as Linux tells it; nothing elsewhere.

use std::fs::read_to_string;
use std::time::Duration;

/// Processor time of all threads.
pub fn processor_time() -> Option<Duration> {
    // Nanoseconds that each thread ran; `stat` counts in hundredths of a second.
    let tasks = std::fs::read_dir("/proc/self/task").ok()?;
    let ran = tasks.filter_map(|task| {
        let line = read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    });
    Some(Duration::from_nanos(ran.sum()))
}

/// Bytes that are resident now.
pub fn resident() -> Option<u64> {
    status("VmRSS:")
}

/// The most bytes that were ever resident.
pub fn peak() -> Option<u64> {
    status("VmHWM:")
}

fn status(key: &str) -> Option<u64> {
    let status = read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse::<u64>().ok()?;
    Some(1024 * kibibytes)
}
