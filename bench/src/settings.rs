//! What one bench is set to. The laws (everything that decides how the world behaves) are written into
//! the first line of its truth log, and a restart under other laws is refused.

use crate::assay::{self, Assay, Channel, usual_channels};
use crate::specimen::replay::{Noise, NothingMeasured, Replay};
use crate::specimen::synthetic::{Recipe, Synthetic, numbered};
use crate::specimen::{Aim, Specimen, table};
use crate::volume::Volume;
use crate::world::log::Fsync;
use instruments::labware::PlateFormat;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Clone, Debug, clap::Parser)]
#[command(
    name = "loopwright-bench",
    version,
    args_override_self = true,
    about = "A simulated laboratory: plates, a specimen, and devices on HTTP"
)]
pub struct Settings {
    /// Folder of this world: truth log, the liquid handler's own storage, endpoints.json.
    #[arg(long)]
    pub dir: PathBuf,
    /// All randomness follows from it.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// A measured screen to replay (Parquet or CSV: gene, score, hit; or gene_a, gene_b, gi_score, hit).
    /// Without it, a synthetic specimen.
    #[arg(long)]
    pub screen: Option<PathBuf>,
    /// What a campaign of one's own calls its edits, controls and channels (JSON, see `assay.rs`).
    #[arg(long)]
    pub assay: Option<PathBuf>,
    /// Coefficient of variation of one reading [default: 0.01].
    #[arg(long)]
    pub noise: Option<f64>,
    /// How well two wells of one kind agree over all genes, above 0 to 1 [default: 0.7 synthetic, 1 replay].
    #[arg(long)]
    pub replicate_r: Option<f64>,
    /// Genes of the synthetic specimen.
    #[arg(long, default_value_t = 2_000)]
    pub genes: usize,
    /// Kinds of cells (donors).
    #[arg(long, value_delimiter = ',', default_value = "D1")]
    pub contexts: Vec<String>,
    /// Wells of a source plate.
    #[arg(long, default_value = "384", value_parser = plate_format)]
    pub library_format: PlateFormat,
    /// Wells of an assay plate.
    #[arg(long, default_value = "384", value_parser = plate_format)]
    pub assay_format: PlateFormat,
    /// Blank assay plates in storage at the beginning, contexts in turn.
    #[arg(long, default_value_t = 60)]
    pub assay_plates: u32,
    /// How often each source plate stands there at the beginning.
    #[arg(long, default_value_t = 1)]
    pub library_copies: u32,
    /// Plates of positive and negative controls in storage at the beginning.
    #[arg(long, default_value_t = 1)]
    pub control_plates: u32,
    /// How the log is written to stderr: text, or json with an object a line
    #[arg(long, env = "LOOPWRIGHT_LOG_FORMAT", default_value = "text", value_parser = ["text", "json"])]
    pub log_format: String,
    /// Seconds that one transfer takes.
    #[arg(long, default_value_t = 0.0)]
    pub speed: f64,
    /// Seconds that one move, one start of an incubation, one reading takes.
    #[arg(long, default_value_t = 0.0)]
    pub device_seconds: f64,
    /// What a cut of power may take.
    #[arg(long, value_enum, default_value_t)]
    pub fsync: Fsync,
    /// Standard deviation of a dispensed volume, as a fraction [default: 0.02 synthetic, 0.005 replay].
    #[arg(long)]
    pub dispense_cv: Option<f64>,
    /// From this volume on a guide has its full effect; below, in proportion.
    #[arg(long, default_value_t = 800)]
    pub saturating_dose_nl: u32,
    /// Chance that a transfer silently stays in the tip.
    #[arg(long, default_value_t = 0.0)]
    pub miss_probability: f64,
    /// Chance that a run of the liquid handler fails when it begins.
    #[arg(long, default_value_t = 0.0)]
    pub run_failure_probability: f64,
    /// The liquid handler does not feel liquid: from an empty well it draws air and says nothing.
    #[arg(long)]
    pub no_liquid_sensing: bool,
    /// End when standard input closes, so that nothing outlives whoever started this.
    #[arg(long)]
    pub exit_with_stdin: bool,
}

/// What decides how the world behaves, for the same seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Laws {
    pub seed: u64,
    pub specimen: String,
    /// SHA-256 of the replayed file.
    pub screen_sha256: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assay: Option<Assay>,
    pub contexts: Vec<String>,
    pub technical_cv: Option<f64>,
    pub replicate_r: f64,
    pub dispense_cv: f64,
    pub saturating_dose_nl: u32,
    pub library_format: PlateFormat,
    pub assay_format: PlateFormat,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("--{option}: {why}")]
    Setting { option: &'static str, why: String },
    #[error("reading {path}")]
    ReadScreen {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the screen")]
    Screen(#[from] table::Error),
    #[error("--assay")]
    Assay(#[from] assay::Error),
    #[error("the screen {path}")]
    OtherScreen {
        path: PathBuf,
        #[source]
        source: NothingMeasured,
    },
}

fn plate_format(text: &str) -> Result<PlateFormat, String> {
    let wells: u32 = text.parse().map_err(|_| format!("{text:?} is not a number of wells"))?;
    PlateFormat::try_from(wells).map_err(|error| error.to_string())
}

impl Laws {
    /// What the reader measures.
    pub fn channels(&self) -> Vec<Channel> {
        self.assay.as_ref().map_or_else(usual_channels, |assay| assay.channels.clone())
    }

    /// What the inventory calls `content`.
    pub fn inventory_name<'a>(&'a self, content: &'a str) -> &'a str {
        self.assay.as_ref().map_or(content, |assay| assay.inventory_name(content))
    }
}

impl Settings {
    /// Settings for `dir` as if nothing else were said.
    pub fn for_dir(dir: impl Into<PathBuf>) -> Self {
        let dir: PathBuf = dir.into();
        let arguments = [std::ffi::OsString::from("loopwright-bench"), "--dir".into(), dir.into_os_string()];
        clap::Parser::parse_from(arguments)
    }

    pub fn saturating_dose(&self) -> Volume {
        Volume::from_nanolitres(self.saturating_dose_nl)
    }

    /// The specimen, and the laws it lives under.
    pub fn specimen(&self) -> Result<(Arc<dyn Specimen>, Laws), Error> {
        let assay = self.assay.as_deref().map(Assay::read).transpose()?;
        let contexts = assay.as_ref().map_or(&self.contexts, |assay| &assay.contexts).clone();
        self.check(&contexts)?;
        let replicate_r = self.replicate_r.unwrap_or(if self.screen.is_some() { 1.0 } else { 0.7 });
        let (specimen, screen_sha256): (Arc<dyn Specimen>, _) = match &self.screen {
            Some(path) => {
                let bytes =
                    std::fs::read(path).map_err(|source| Error::ReadScreen { path: path.clone(), source })?;
                let name =
                    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
                let noise = Noise { technical_cv: self.noise, replicate_r };
                let (contexts, rows) = (contexts.clone(), table::read(path)?);
                let replay = match &assay {
                    Some(assay) => {
                        let edits = assay.library().into_iter().map(|edit| edit.name).collect();
                        Replay::for_campaign(&name, contexts, edits, assay.aim(), rows, noise)
                            .map_err(|source| Error::OtherScreen { path: path.clone(), source })?
                    }
                    None => Replay::new(&name, contexts, rows, noise),
                };
                (Arc::new(replay), Some(hex::encode(Sha256::digest(&bytes))))
            }
            None => {
                (Arc::new(Synthetic::new(&self.recipe(contexts.clone(), replicate_r, assay.as_ref()))), None)
            }
        };
        let laws = Laws {
            seed: self.seed,
            specimen: specimen.name().to_owned(),
            screen_sha256,
            assay,
            contexts,
            technical_cv: self.noise,
            replicate_r,
            dispense_cv: self.dispense_cv.unwrap_or(if self.screen.is_some() { 0.005 } else { 0.02 }),
            saturating_dose_nl: self.saturating_dose_nl,
            library_format: self.library_format,
            assay_format: self.assay_format,
        };
        Ok((specimen, laws))
    }

    fn recipe(&self, contexts: Vec<String>, replicate_r: f64, assay: Option<&Assay>) -> Recipe {
        Recipe {
            seed: self.seed,
            edits: assay.map_or_else(|| numbered(self.genes), Assay::library),
            aim: assay.map_or_else(Aim::default, Assay::aim),
            contexts,
            replicate_r,
            technical_cv: self.noise,
        }
    }

    fn check(&self, contexts: &[String]) -> Result<(), Error> {
        let refuse = |option, why: &str| Err(Error::Setting { option, why: why.to_owned() });
        let is_fraction = |value: f64| (0.0..=1.0).contains(&value);
        if self.replicate_r.is_some_and(|r| !(r > 0.0 && r <= 1.0)) {
            return refuse("replicate-r", "above 0, at most 1");
        }
        if [self.noise, self.dispense_cv].into_iter().flatten().any(|cv| !is_fraction(cv)) {
            return refuse("noise", "a fraction from 0 to 1, as is --dispense-cv");
        }
        if !is_fraction(self.miss_probability) || !is_fraction(self.run_failure_probability) {
            return refuse("miss-probability", "a chance from 0 to 1, as is --run-failure-probability");
        }
        if [self.speed, self.device_seconds].iter().any(|seconds| !(0.0..=3_600.0).contains(seconds)) {
            return refuse("speed", "seconds from 0 to 3600, as is --device-seconds");
        }
        if self.genes == 0 || self.genes > 100_000 {
            return refuse("genes", "from 1 to 100000");
        }
        let names: BTreeSet<&str> = contexts.iter().map(|name| name.trim()).collect();
        if contexts.is_empty() || names.len() != contexts.len() || names.contains("") {
            return refuse("contexts", "names, each once");
        }
        Ok(())
    }
}
