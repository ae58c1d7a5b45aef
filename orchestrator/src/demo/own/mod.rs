//! A campaign file of one's own on the simulated laboratory (`loopwright simulate`): its calendar, layouts, controls,
//! thresholds, acquisition and model as they are written; what the bench cannot be is changed in a copy, and said.
//!
//! ```text
//!   campaign.toml  ->  Copy: the campaign that runs, and what is otherwise  ->  the demo's laboratory  ->  report
//!                  ->  Needs: what the bench must be and have in stock
//! ```

mod copy;
mod needs;
pub mod report;

pub use copy::{Copy, INVENTED_FEATURES};
pub use needs::Needs;

use crate::campaigns::design::Pool;
use crate::campaigns::resolve::resolve;
use crate::campaigns::{Problem, Spec};
use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// What was asked to be simulated; part of the settings that a folder keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// The campaign file.
    pub file: PathBuf,
    /// Of it and the files it names, as they were: others are another simulation.
    pub sha256: String,
    /// What one transfer of the liquid handler takes, for hours and their cost.
    pub seconds_per_transfer: f64,
    /// Fewer rounds than the file has.
    pub rounds: Option<u32>,
    /// People approve, in the browser.
    pub with_people: bool,
}

/// A campaign that can be simulated.
#[derive(Clone, Debug)]
pub struct Own {
    pub asked: Asked,
    /// As its file has it.
    pub spec: Spec,
    pub copy: Copy,
    pub needs: Needs,
    /// Experiments in its design space.
    pub pool: u64,
    /// What is doubtful in the file.
    pub warnings: Vec<Problem>,
}

impl Own {
    /// Reads the file and all that it names. `replayed`: its wells read a measured screen, and nothing is invented.
    ///
    /// Errors say what is wrong with the file, as `loopwright campaign check` does.
    pub fn read(asked: Asked, replayed: bool) -> anyhow::Result<Self> {
        let file = asked.file.display().to_string();
        let text = std::fs::read_to_string(&asked.file).with_context(|| format!("cannot read {file}"))?;
        let (spec, warnings) = match Spec::parse_with_warnings(&text) {
            Ok(read) => read,
            Err(error) => bail!("{file}:\n{error}"),
        };
        let folder = folder_of(&asked.file)?;
        let named = resolve(&spec, &folder).with_context(|| format!("{file} cannot be used"))?;
        let pool = Pool::expand(&spec.design, &String::from_utf8_lossy(&named.genes.bytes))
            .with_context(|| format!("{file} cannot be used"))?;
        let copy = Copy::of(&spec, &folder, &asked, replayed)?;
        let needs = Needs::of(&copy.spec, &pool)?;
        Ok(Self { asked, copy, needs, pool: pool.size(), warnings, spec })
    }
}

/// What names in `file` are relative to.
fn folder_of(file: &Path) -> anyhow::Result<PathBuf> {
    let file = file.canonicalize().with_context(|| format!("cannot find {}", file.display()))?;
    Ok(file.parent().unwrap_or(Path::new("/")).to_owned())
}

/// SHA-256 of `file` and of all that it names, as hexadecimal digits. What cannot be read is left to [`Own::read`], which
/// says why.
pub fn digest(file: &Path) -> anyhow::Result<String> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut whole = Sha256::new_with_prefix(&bytes);
    if let Ok((spec, _)) = Spec::parse_with_warnings(&String::from_utf8_lossy(&bytes))
        && let Ok(named) = resolve(&spec, &folder_of(file)?)
    {
        for named in std::iter::once(named.genes).chain(named.features).chain(named.priors) {
            whole.update(Sha256::digest(&named.bytes));
        }
    }
    Ok(hex::encode(whole.finalize()))
}
