//! What processes use, from `/proc` (proc(5)).

use anyhow::Context;
use std::fs;

/// `/proc` counts in USER_HZ, which Linux fixes at 100 a second.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU time in seconds of one process with all of its threads.
pub fn cpu_seconds(pid: u32) -> anyhow::Result<f64> {
    Ok(Stat::of(pid)?.own())
}

/// CPU time in seconds of a process, of its children, and of children of its that have ended.
pub fn tree_cpu_seconds(pid: u32) -> anyhow::Result<f64> {
    let root = Stat::of(pid)?;
    let children = processes().filter_map(|pid| Stat::of(pid).ok()).filter(|stat| stat.parent == pid);
    Ok(root.own() + root.waited_for() + children.map(|child| child.own()).sum::<f64>())
}

/// The process that started it.
pub fn parent(pid: u32) -> anyhow::Result<u32> {
    Ok(Stat::of(pid)?.parent)
}

/// Memory of a process that is resident, MB (10^6 bytes): all, and what is not of files.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    pub resident_mb: f64,
    pub anonymous_mb: f64,
}

pub fn memory(pid: u32) -> anyhow::Result<Memory> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let megabytes = |name| field_kib(&status, name).map(|kib| kib * 1024.0 / 1e6);
    Ok(Memory {
        resident_mb: megabytes("VmRSS:").context("no VmRSS")?,
        anonymous_mb: megabytes("RssAnon:").context("no RssAnon")?,
    })
}

fn field_kib(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Of `/proc/PID/stat`; times in ticks.
#[derive(Debug, PartialEq)]
struct Stat {
    parent: u32,
    user: u64,
    system: u64,
    children_user: u64,
    children_system: u64,
}

impl Stat {
    fn of(pid: u32) -> anyhow::Result<Self> {
        let path = format!("/proc/{pid}/stat");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        Self::parse(&text).with_context(|| format!("{path} is not as proc(5) says"))
    }

    /// The name, in parentheses, may hold anything; fields are counted behind it, from the third on.
    fn parse(text: &str) -> Option<Self> {
        let (_, behind) = text.rsplit_once(')')?;
        let fields: Vec<&str> = behind.split_whitespace().collect();
        let ticks = |number: usize| fields.get(number - 3)?.parse().ok();
        Some(Self {
            parent: fields.get(1)?.parse().ok()?,
            user: ticks(14)?,
            system: ticks(15)?,
            children_user: ticks(16)?,
            children_system: ticks(17)?,
        })
    }

    fn own(&self) -> f64 {
        (self.user + self.system) as f64 / TICKS_PER_SECOND
    }

    fn waited_for(&self) -> f64 {
        (self.children_user + self.children_system) as f64 / TICKS_PER_SECOND
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_process_does_not_shift_its_fields() {
        let text = "42 (a) b (c)) S 7 42 42 0 -1 4194560 1 2 3 4 150 50 30 20 20 0 1 0 99 1000 200";
        let stat = Stat::parse(text).expect("a stat line");
        assert_eq!(stat, Stat { parent: 7, user: 150, system: 50, children_user: 30, children_system: 20 });
        assert_eq!(stat.own(), 2.0);
    }

    #[test]
    fn this_process_has_a_parent_and_uses_memory() {
        let pid = std::process::id();
        assert!(parent(pid).expect("a parent") > 0);
        let memory = memory(pid).expect("its status");
        assert!(memory.resident_mb > memory.anonymous_mb && memory.anonymous_mb > 0.0);
    }
}
