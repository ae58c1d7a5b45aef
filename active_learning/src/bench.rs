//! `loopwright-learner bench`: the replay from the command line.

use active_learning::data::FeatureTable;
use active_learning::data::table::{ColumnKind, Table};
use active_learning::prior::{PriorScreens, screens::read_aliases};
use active_learning::replay::{Oracle, Replay, Report};
use active_learning::representation::Vocabulary;
use anyhow::Context;
use clap::{Args, ValueEnum};
use jobs::work::learn::{Acquisition, ModelFamily, ModelSpec, Objective};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub struct Arguments {
    /// Measured screen, Parquet or CSV: gene, score, hit.
    #[arg(long)]
    screen: PathBuf,
    /// Feature tables, Parquet or CSV: gene, then numeric columns named block_index.
    #[arg(long)]
    features: Vec<PathBuf>,
    /// Other screens, Parquet or CSV: gene, score, hit; or screen_id, gene, score. A `screens.csv` beside it
    /// gives groups and one-sided screens, a `bda_symbol_to_hgnc.csv` other names for its genes.
    #[arg(long)]
    prior: Vec<PathBuf>,
    /// Leave out the screens of this group (or with this id) in `screens.csv`: siblings of the one replayed.
    #[arg(long)]
    exclude: Vec<String>,
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    #[arg(long, default_value_t = 128)]
    batch: usize,
    /// Seeds 1 to this.
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    #[arg(long, value_enum, default_value_t = Rule::HitProbability)]
    acquisition: Rule,
    /// Of `ucb`.
    #[arg(long, default_value_t = 1.0)]
    beta: f64,
    #[arg(long, value_enum, default_value_t = End::TwoSided)]
    objective: End,
    #[arg(long, value_enum, default_value_t = Family::Ensemble)]
    family: Family,
    #[arg(long, default_value_t = ModelSpec::default().members)]
    members: u32,
    #[arg(long, default_value_t = ModelSpec::default().epochs)]
    epochs: u32,
    /// Print only the JSON object on standard output, not the summary.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Rule {
    HitProbability,
    Greedy,
    Ucb,
    Thompson,
    Random,
}

#[derive(Clone, Copy, ValueEnum)]
enum End {
    Maximise,
    Minimise,
    TwoSided,
}

#[derive(Clone, Copy, ValueEnum)]
enum Family {
    Ensemble,
    BayesianLinear,
}

impl Arguments {
    pub fn run(self) -> anyhow::Result<()> {
        let oracle = Oracle::read(&read(&self.screen)?)?;
        let tables = self.features.iter().map(|path| Ok(FeatureTable::read(&read(path)?)?));
        let features = FeatureTable::join(tables.collect::<anyhow::Result<_>>()?);
        let prior = self.prior()?;
        let vocabulary = Vocabulary::build(&features, prior.as_ref())?;
        let replay = Replay {
            vocabulary: &vocabulary,
            oracle: &oracle,
            spec: self.spec(),
            acquisition: self.acquisition(),
            objective: match self.objective {
                End::Maximise => Objective::Maximise,
                End::Minimise => Objective::Minimise,
                End::TwoSided => Objective::TwoSided,
            },
            rounds: self.rounds,
            batch: self.batch,
        };
        let seeds: Vec<u64> = (1..=self.seeds).collect();
        let report = replay.run(&seeds, |row| {
            eprintln!(
                "seed {} round {}: {} hits, {} so far ({:.1} s training, {:.1} s choosing)",
                row.seed, row.round, row.hits, row.hits_so_far, row.train_seconds, row.select_seconds
            );
        })?;
        if !self.json {
            summarise(&report);
        }
        println!("{}", serde_json::to_string(&report)?);
        Ok(())
    }

    fn spec(&self) -> ModelSpec {
        let family = match self.family {
            Family::Ensemble => ModelFamily::Ensemble,
            Family::BayesianLinear => ModelFamily::BayesianLinear,
        };
        ModelSpec { family, members: self.members, epochs: self.epochs }
    }

    fn acquisition(&self) -> Acquisition {
        match self.acquisition {
            Rule::HitProbability => Acquisition::HitProbability,
            Rule::Greedy => Acquisition::Greedy,
            Rule::Ucb => Acquisition::Ucb { beta: self.beta },
            Rule::Thompson => Acquisition::Thompson,
            Rule::Random => Acquisition::Random,
        }
    }

    fn prior(&self) -> anyhow::Result<Option<PriorScreens>> {
        let mut parts = Vec::new();
        for path in &self.prior {
            let beside = |name: &str| path.parent().unwrap_or(Path::new(".")).join(name);
            let described = Described::read(&beside("screens.csv"), &self.exclude)?;
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            let mut screens =
                PriorScreens::read(&name, &read(path)?, &described.excluded, &described.one_sided)?;
            let aliases = beside("bda_symbol_to_hgnc.csv");
            if aliases.exists() {
                screens.add_aliases(&read_aliases(&read(&aliases)?)?);
            }
            eprintln!("prior {name}: {} screens are used", screens.screens.len());
            parts.push(screens);
        }
        Ok(match parts.len() {
            0 => None,
            1 => parts.pop(),
            _ => Some(PriorScreens::join(parts)),
        })
    }
}

/// What `screens.csv` says of the screens beside it.
#[derive(Default)]
struct Described {
    excluded: HashSet<String>,
    one_sided: HashSet<String>,
}

impl Described {
    fn read(path: &Path, exclude: &[String]) -> anyhow::Result<Self> {
        let mut described = Self { excluded: exclude.iter().cloned().collect(), ..Self::default() };
        if !path.exists() {
            return Ok(described);
        }
        let table = Table::read("screens.csv", &read(path)?, |name| {
            matches!(name, "screen_id" | "group" | "sided").then_some(ColumnKind::Text)
        })?;
        let rows = table.text("screen_id")?.iter().zip(table.text("group")?.iter());
        let known: Vec<(&str, &str)> = rows.collect();
        for wanted in exclude {
            let matching = known.iter().filter(|(id, group)| id == wanted || group == wanted);
            let ids: Vec<String> = matching.map(|(id, _)| (*id).to_owned()).collect();
            anyhow::ensure!(!ids.is_empty(), "no screen or group in {} is called {wanted:?}", path.display());
            described.excluded.extend(ids);
        }
        if let Ok(sided) = table.text("sided") {
            let high = known.iter().zip(sided.iter()).filter(|(_, sided)| *sided == "high");
            described.one_sided.extend(high.map(|((id, _), _)| (*id).to_owned()));
        }
        Ok(described)
    }
}

fn summarise(report: &Report) {
    eprintln!(
        "hit ratio {:.4} +- {:.4} over {} seeds; random {:.4}; {:.1} x random",
        report.hit_ratio_mean,
        report.hit_ratio_sd.unwrap_or(0.0),
        report.seeds,
        report.random_expectation,
        report.hit_ratio_mean / report.random_expectation.max(1e-12),
    );
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
