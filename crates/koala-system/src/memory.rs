//! Memory that there is.

use std::fs;
use std::path::{Path, PathBuf};

/// Bytes that this program may still take: what the system has left, swap among it, what the control groups that it is in leave it
/// (containers, batch systems; both versions of them), and its own limit of addresses (`ulimit -v`), whichever is least.
/// Nothing where the system does not tell, as elsewhere than on Linux.
pub fn available_memory() -> Option<u64> {
    available(Path::new("/"))
}

/// The same of a system whose files lie below `root`.
fn available(root: &Path) -> Option<u64> {
    let text = |path: &str| fs::read_to_string(root.join(path)).ok();
    let whole = text("proc/meminfo").and_then(|text| {
        let free = kilobytes(&text, "MemAvailable:")?;
        Some(free.saturating_add(kilobytes(&text, "SwapFree:").unwrap_or(0)))
    });
    let addresses = text("proc/self/limits").and_then(|text| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("Max address space"))?;
        let limit: u64 = line.split_whitespace().next()?.parse().ok()?;
        let taken = kilobytes(&text_of_self(root)?, "VmSize:")?;
        Some(limit.saturating_sub(taken))
    });
    let groups = text("proc/self/cgroup").and_then(|text| {
        let lines = text.lines().filter_map(|line| group(root, line));
        lines.min()
    });
    [whole, addresses, groups].into_iter().flatten().min()
}

fn text_of_self(root: &Path) -> Option<String> {
    fs::read_to_string(root.join("proc/self/status")).ok()
}

/// The value of a line such as `MemAvailable:   123 kB`, in bytes.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let value: u64 = line.split_whitespace().next()?.parse().ok()?;
    value.checked_mul(1024)
}

/// What a control group leaves, and those that it is in: of a line `0::/path` (version 2) or `7:memory:/path` (version 1).
fn group(root: &Path, line: &str) -> Option<u64> {
    let mut parts = line.splitn(3, ':');
    let (number, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
    let (base, [limit, usage], cache) = match (number, controllers) {
        ("0", "") => (
            "sys/fs/cgroup",
            ["memory.max", "memory.current"],
            "inactive_file ",
        ),
        (_, all) if all.split(',').any(|one| one == "memory") => (
            "sys/fs/cgroup/memory",
            ["memory.limit_in_bytes", "memory.usage_in_bytes"],
            "total_inactive_file ",
        ),
        _ => return None,
    };
    let base = root.join(base);
    // Within a container the path may be the host's, which is not there: its own group is then the base.
    let path = PathBuf::from(path.trim_start_matches('/'));
    let left = path.ancestors().filter_map(|group| {
        let folder = base.join(group);
        let number = |name: &str| -> Option<u64> {
            fs::read_to_string(folder.join(name))
                .ok()?
                .trim()
                .parse()
                .ok()
        };
        // Without a limit the file says `max`.
        let limit = number(limit)?;
        // What is only kept of files makes room when it must.
        let stat = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
        let cached = stat
            .lines()
            .find_map(|line| line.strip_prefix(cache)?.trim().parse().ok());
        let taken = number(usage)
            .unwrap_or(0)
            .saturating_sub(cached.unwrap_or(0));
        Some(limit.saturating_sub(taken))
    });
    left.min()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A system of these files.
    fn system(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        root
    }

    const MEMINFO: (&str, &str) = (
        "proc/meminfo",
        "MemTotal:  4000 kB\nMemFree:  1 kB\nMemAvailable:  2000 kB\nSwapFree:  48 kB\n",
    );

    #[test]
    fn what_the_system_has_left() {
        assert_eq!(available(system(&[]).path()), None);
        assert_eq!(available(system(&[MEMINFO]).path()), Some(2048 * 1024));
    }

    #[test]
    fn the_tightest_of_the_groups_counts_and_its_cache_does_not() {
        let group = ("proc/self/cgroup", "0::/a/b\n");
        let files = [
            MEMINFO,
            group,
            ("sys/fs/cgroup/a/memory.max", "1000000\n"),
            ("sys/fs/cgroup/a/memory.current", "600000\n"),
            (
                "sys/fs/cgroup/a/memory.stat",
                "anon 1\ninactive_file 100000\n",
            ),
            ("sys/fs/cgroup/a/b/memory.max", "max\n"),
        ];
        assert_eq!(available(system(&files).path()), Some(500_000));
    }

    #[test]
    fn groups_of_the_first_version_and_a_containers_own() {
        let files = [
            MEMINFO,
            (
                "proc/self/cgroup",
                "3:cpu:/x\n2:hugetlb,memory:/docker/7\n0::/\n",
            ),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "700000\n"),
            ("sys/fs/cgroup/memory/memory.usage_in_bytes", "300000\n"),
            (
                "sys/fs/cgroup/memory/memory.stat",
                "inactive_file 5\ntotal_inactive_file 50000\n",
            ),
        ];
        assert_eq!(available(system(&files).path()), Some(450_000));
    }

    #[test]
    fn the_limit_of_addresses() {
        let files = [
            MEMINFO,
            (
                "proc/self/limits",
                "Max cpu time  1  1  s\nMax address space         1000000  unlimited  bytes\n",
            ),
            ("proc/self/status", "Name: koala\nVmSize:  100 kB\n"),
        ];
        assert_eq!(available(system(&files).path()), Some(1_000_000 - 102_400));
        let unlimited = (
            "proc/self/limits",
            "Max address space   unlimited  unlimited  bytes\n",
        );
        assert_eq!(
            available(system(&[MEMINFO, unlimited]).path()),
            Some(2048 * 1024)
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_tells() {
        assert!(available_memory().unwrap() > 0);
    }
}
