//! This process as the kernel sees it, under the names that every Prometheus client uses.

use std::fs;

/// What `/proc/self` says; what cannot be read is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Machine {
    pub resident_bytes: Option<f64>,
    pub cpu_seconds: Option<f64>,
    pub open_files: Option<f64>,
}

/// Ticks of `/proc/self/stat` a second: 100 on every Linux that userland sees.
const TICKS_A_SECOND: f64 = 100.0;

impl Machine {
    pub fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let open_files = fs::read_dir("/proc/self/fd").ok().map(|files| files.count() as f64);
        Self { resident_bytes: resident_bytes(&status), cpu_seconds: cpu_seconds(&stat), open_files }
    }
}

fn resident_bytes(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024.0)
}

/// Fields 14 and 15, user and system time; the name before them may hold anything, up to its last bracket.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_A_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_files_are_read() {
        assert_eq!(resident_bytes("Name:\tx\nVmRSS:\t   2048 kB\n"), Some(2_097_152.0));
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 9 0 1 1 1";
        assert_eq!(cpu_seconds(stat), Some(2.0));
        assert_eq!((resident_bytes(""), cpu_seconds("")), (None, None));
        let now = Machine::now();
        assert!(now.resident_bytes.is_some_and(|bytes| bytes > 1e6), "{now:?}");
    }
}
