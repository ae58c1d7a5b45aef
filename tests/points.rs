//! The steps of every program, asked from the programs themselves, and the folder in which they are armed.

use crate::laboratory::binary;
use anyhow::Context;
use jobs::crash::Moment;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A moment of a step of a process.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Point {
    /// As the demo names it: `serve`, `agent-handler-1`.
    pub process: String,
    pub step: String,
    pub moment: Moment,
}

impl std::fmt::Display for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.process, self.step, self.moment.as_str())
    }
}

#[derive(Deserialize)]
struct Listed {
    step: String,
    moments: Vec<Moment>,
}

/// No device of the demo takes and gives files: `instruments/tests/it/folder/killed.rs` kills there.
const FOLDER: &str = "folder.";

/// The demo's processes: which program each is, and the families of steps it does not have.
const PROCESSES: [(&str, &str, &[&str]); 7] = [
    ("serve", "loopwright", &[]),
    ("learner", "loopwright-learner", &[]),
    ("bench", "loopwright-bench", &[]),
    ("agent-handler-1", "loopwright-agent", &["operation.", FOLDER]),
    ("agent-mover-1", "loopwright-agent", &["opentrons.", FOLDER]),
    ("agent-incubator-1", "loopwright-agent", &["opentrons.", FOLDER]),
    ("agent-reader-1", "loopwright-agent", &["opentrons.", FOLDER]),
];

/// Every point of every process of a demo.
pub fn all() -> anyhow::Result<Vec<Point>> {
    let mut points = Vec::new();
    for (process, program, without) in PROCESSES {
        let output = Command::new(binary(program)).arg("crash-points").output()?;
        let listed: Vec<Listed> = serde_json::from_slice(&output.stdout)
            .with_context(|| format!("{program} does not list its steps"))?;
        for Listed { step, moments } in listed {
            if without.iter().any(|family| step.starts_with(family)) {
                continue;
            }
            points.extend(moments.into_iter().map(|moment| Point {
                process: process.to_owned(),
                step: step.clone(),
                moment,
            }));
        }
    }
    Ok(points)
}

/// Where points are armed.
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    pub fn make(path: PathBuf) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&path)?;
        Ok(Self { path })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn arm(&self, point: &Point) -> anyhow::Result<()> {
        Ok(std::fs::write(self.path.join(format!("{point}.armed")), b"")?)
    }

    pub fn disarm(&self, point: &Point) {
        let _ = std::fs::remove_file(self.path.join(format!("{point}.armed")));
    }

    /// The process that stands at the point, if one does.
    pub fn reached(&self, point: &Point) -> Option<u32> {
        std::fs::read_to_string(self.path.join(format!("{point}.reached"))).ok()?.parse().ok()
    }

    /// Whoever stands there, if it lives, goes on.
    pub fn release(&self, point: &Point) {
        let _ = std::fs::remove_file(self.path.join(format!("{point}.reached")));
    }
}
