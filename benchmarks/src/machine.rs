//! The machine that is measured on, from `/proc`.

use anyhow::Context;
use serde::Serialize;
use std::fs;
use std::path::Path;

/// What decides how fast things are here.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    pub processor: String,
    pub cores: usize,
    /// Kind of the file system that PostgreSQL writes to.
    pub file_system: String,
    /// Over a minute, when it was asked: more than nothing says that others work here too.
    pub load: f64,
}

impl Machine {
    /// `data`: PostgreSQL's folder.
    pub fn look(data: &Path) -> anyhow::Result<Self> {
        let processors = fs::read_to_string("/proc/cpuinfo")?;
        let load = fs::read_to_string("/proc/loadavg")?;
        Ok(Self {
            processor: value(&processors, "model name").unwrap_or("unknown").to_owned(),
            cores: std::thread::available_parallelism()?.get(),
            file_system: file_system(&fs::read_to_string("/proc/mounts")?, data)
                .unwrap_or_else(|| "unknown".to_owned()),
            load: load.split(' ').next().and_then(|word| word.parse().ok()).context("no load average")?,
        })
    }
}

/// CPU seconds that anybody used since the machine started, waiting for disks not counted.
pub fn busy_seconds() -> anyhow::Result<f64> {
    let stat = fs::read_to_string("/proc/stat")?;
    busy_ticks(&stat).map(|ticks| ticks as f64 / 100.0).context("/proc/stat is not as proc(5) says")
}

/// user, nice, system, (idle, iowait), irq, softirq; guests are counted in user.
fn busy_ticks(stat: &str) -> Option<u64> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Vec<u64> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    [0, 1, 2, 5, 6].iter().map(|place| ticks.get(*place).copied()).sum()
}

fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim())
}

/// Of the deepest mount that holds `path`.
fn file_system(mounts: &str, path: &Path) -> Option<String> {
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        Some((words.next()?, words.next()?))
    });
    let holding = mounts.filter(|(at, _)| path.starts_with(at));
    holding.max_by_key(|(at, _)| at.len()).map(|(_, kind)| kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_system_is_of_the_deepest_mount() {
        let mounts = "/dev/vda / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\ntmpfs /tm xfs rw 0 0\n";
        assert_eq!(file_system(mounts, Path::new("/tmp/data")).as_deref(), Some("tmpfs"));
        assert_eq!(file_system(mounts, Path::new("/var/lib")).as_deref(), Some("ext4"));
    }

    #[test]
    fn waiting_is_not_work() {
        assert_eq!(busy_ticks("cpu  10 1 5 900 70 2 3 0 0 0\ncpu0 ..\n"), Some(21));
    }
}
