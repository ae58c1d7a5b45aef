//! `loopwright-learner bench`: the replay from the command line.

use active_learning::data::FeatureTable;
use active_learning::data::table::{ColumnKind, Table};
use active_learning::prior::{PriorScreens, screens::read_aliases};
use active_learning::propose::mostly_sets;
use active_learning::replay::{Oracle, Replay, Report, Round, ceiling, plot};
use active_learning::representation::Vocabulary;
use anyhow::Context;
use clap::{Args, ValueEnum};
use jobs::work::description::Description;
use jobs::work::learn::{Acquisition, ModelFamily, ModelSpec, Objective, default_diversity};
use std::collections::{HashMap, HashSet};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub struct Arguments {
    /// Measured screen, Parquet or CSV: gene, score, hit; gene_a, gene_b, gi_score, hit; or drug_a, drug_b,
    /// cell_line, synergy (the highest 1 % are hits).
    #[arg(long)]
    screen: PathBuf,
    /// Feature tables, Parquet or CSV: gene (or pubchem_cid, drug, cell_line), then numeric columns named
    /// block_index, or fingerprints in columns named *_hex.
    #[arg(long)]
    features: Vec<PathBuf>,
    /// Other screens, Parquet or CSV: gene, score, hit; or screen_id, gene, score. A `screens.csv` beside it
    /// gives groups and one-sided screens, a `bda_symbol_to_hgnc.csv` other names for its genes.
    #[arg(long)]
    prior: Vec<PathBuf>,
    /// Leave out the screens of this group (or with this id) in `screens.csv`: siblings of the one replayed.
    #[arg(long)]
    exclude: Vec<String>,
    /// What is said of the screen replayed: organism=human,cell=primary T cell,library=KO,readout=IFNG production,
    /// selection=FACS (any of them). Other screens then count by how alike they are described.
    #[arg(long, value_parser = parse_description, conflicts_with = "describe_as")]
    description: Option<Description>,
    /// The same, as `screens.csv` describes the screen with this id.
    #[arg(long)]
    describe_as: Option<String>,
    #[arg(long, value_enum, default_value_t = Pool::All)]
    pool: Pool,
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
    /// Of `auto`: the largest share of a batch that may learn; 0 shows what learning is worth.
    #[arg(long, value_parser = parse_share)]
    learning_share: Option<f64>,
    /// How firmly batches are spread over the features: 0 the rule alone, 1 spread alone among its best. Without it 0.3,
    /// and 0 of sets of edits and of `random`.
    #[arg(long, value_parser = parse_share)]
    diversity: Option<f64>,
    #[arg(long, value_enum, default_value_t = End::TwoSided)]
    objective: End,
    #[arg(long, value_enum, default_value_t = Family::BayesianLinear)]
    family: Family,
    #[arg(long, default_value_t = ModelSpec::default().members)]
    members: u32,
    #[arg(long, default_value_t = ModelSpec::default().epochs)]
    epochs: u32,
    /// Of the family `ensemble`: encoders start at random.
    #[arg(long)]
    no_pretraining: bool,
    /// The control: every batch's answers are dealt out among its experiments at random.
    #[arg(long)]
    permute_feedback: bool,
    /// Replicates of the same screen (gene, lfc or score, replicate): how well they would choose is the ceiling.
    #[arg(long)]
    replicates: Option<PathBuf>,
    /// Write a row for each round and seed.
    #[arg(long)]
    csv: Option<PathBuf>,
    /// Write learning curves, as SVG.
    #[arg(long)]
    plot: Option<PathBuf>,
    /// Print only the JSON object on standard output, not the summary.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Pool {
    All,
    NonEssential,
}

#[derive(Clone, Copy, ValueEnum)]
enum Rule {
    /// Probability of hit, and a share that learns where the evidence is for it.
    Auto,
    HitProbability,
    Greedy,
    Ucb,
    ExpectedImprovement,
    Thompson,
    TopTwo,
    InformationGain,
    /// With `--family ensemble` only.
    Bald,
    MaxEpistemic,
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
        let screen = read(&self.screen)?;
        let oracle = match self.pool {
            Pool::All => Oracle::read(&screen)?,
            Pool::NonEssential => Oracle::read_non_essential(&screen)?,
        };
        oracle.skipped.words().iter().for_each(|words| eprintln!("screen: {words}"));
        let tables = self.features.iter().map(|path| Ok(FeatureTable::read(&read(path)?)?));
        let features = FeatureTable::join(tables.collect::<anyhow::Result<_>>()?);
        let count = self.rounds * self.batch;
        let ceiling = self
            .replicates
            .as_ref()
            .map(|path| -> anyhow::Result<f64> { Ok(ceiling::of_replicates(&read(path)?, &oracle, count)?) });
        let ceiling = ceiling.transpose()?;
        let prior = self.prior()?;
        let vocabulary = Vocabulary::build(&features, prior.as_ref())?;
        if !vocabulary.times.is_empty() {
            let times = vocabulary.times.iter().map(|(name, times)| format!("{name} {times:.1}"));
            eprintln!(
                "another screen of the same kind counts as many times as one of another: {}",
                times.collect::<Vec<_>>().join(", ")
            );
        }
        eprintln!("{}", vocabulary.coverage(oracle.pool())?);
        let replay = self.replay(&vocabulary, &oracle);
        let seeds: Vec<u64> = (1..=self.seeds).collect();
        let mut progress = Progress::new(seeds.len() * self.rounds);
        let mut report = replay.run(&seeds, |row| progress.step(row))?;
        progress.end();
        report.replicate_ceiling = ceiling;
        if let Some(prior) = prior {
            (report.prior_screens, report.prior_screens_left_out) = (prior.screens, prior.left_out);
        }
        self.write(&report)?;
        if !self.json {
            summarise(&report);
        }
        println!("{}", serde_json::to_string(&report)?);
        Ok(())
    }

    fn replay<'a>(&self, vocabulary: &'a Vocabulary, oracle: &'a Oracle) -> Replay<'a> {
        Replay {
            vocabulary,
            oracle,
            spec: self.spec(),
            acquisition: self.acquisition(),
            diversity: self
                .diversity
                .unwrap_or_else(|| default_diversity(self.acquisition(), mostly_sets(oracle.pool()))),
            objective: match self.objective {
                End::Maximise => Objective::Maximise,
                End::Minimise => Objective::Minimise,
                End::TwoSided => Objective::TwoSided,
            },
            rounds: self.rounds,
            batch: self.batch,
            permute_feedback: self.permute_feedback,
        }
    }

    fn write(&self, report: &Report) -> anyhow::Result<()> {
        let put = |path: &Path, bytes: &[u8]| {
            std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
        };
        if let Some(path) = &self.csv {
            put(path, &report.to_csv()?)?;
        }
        if let Some(path) = &self.plot {
            let name = self.screen.file_stem().unwrap_or_default().to_string_lossy();
            put(path, plot::learning_curves(report, &name).as_bytes())?;
        }
        Ok(())
    }

    fn spec(&self) -> ModelSpec {
        let family = match self.family {
            Family::Ensemble => ModelFamily::Ensemble,
            Family::BayesianLinear => ModelFamily::BayesianLinear,
        };
        ModelSpec { family, members: self.members, epochs: self.epochs, pretrained: !self.no_pretraining }
    }

    fn acquisition(&self) -> Acquisition {
        match self.acquisition {
            Rule::Auto => Acquisition::Auto { learning_share: self.learning_share },
            Rule::HitProbability => Acquisition::HitProbability,
            Rule::Greedy => Acquisition::Greedy,
            Rule::Ucb => Acquisition::Ucb { beta: self.beta },
            Rule::ExpectedImprovement => Acquisition::ExpectedImprovement,
            Rule::Thompson => Acquisition::Thompson,
            Rule::TopTwo => Acquisition::TopTwo,
            Rule::InformationGain => Acquisition::InformationGain,
            Rule::Bald => Acquisition::Bald,
            Rule::MaxEpistemic => Acquisition::MaxEpistemic,
            Rule::Random => Acquisition::Random,
        }
    }

    fn prior(&self) -> anyhow::Result<Option<PriorScreens>> {
        let mut parts = Vec::new();
        let mut at_hand = self.description.clone().unwrap_or_default();
        for path in &self.prior {
            let beside = |name: &str| path.parent().unwrap_or(Path::new(".")).join(name);
            let described = Described::read(&beside("screens.csv"), &self.exclude)?;
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            let mut screens =
                PriorScreens::read(&name, &read(path)?, &described.excluded, &described.one_sided)?;
            screens.describe(&described.of_screens);
            if let Some(said) = self.describe_as.as_ref().and_then(|id| described.of_screens.get(id)) {
                at_hand.clone_from(&said.1);
            }
            let aliases = beside("bda_symbol_to_hgnc.csv");
            if aliases.exists() {
                screens.add_aliases(&read_aliases(&read(&aliases)?)?);
            }
            eprintln!(
                "prior {name}: {} screens are used, {} are left out",
                screens.screens.len(),
                screens.left_out.len()
            );
            parts.push(screens);
        }
        if let Some(id) = self.describe_as.as_ref().filter(|_| at_hand.is_empty()) {
            anyhow::bail!("no screens.csv beside a prior describes {id:?}");
        }
        let joined = match parts.len() {
            0 => None,
            1 => parts.pop(),
            _ => Some(PriorScreens::join(parts)),
        };
        Ok(joined.map(|screens| PriorScreens { at_hand, ..screens }))
    }
}

/// What `screens.csv` says of the screens beside it.
#[derive(Default)]
struct Described {
    excluded: HashSet<String>,
    one_sided: HashSet<String>,
    /// Group and description.
    of_screens: HashMap<String, (String, Description)>,
}

impl Described {
    fn read(path: &Path, exclude: &[String]) -> anyhow::Result<Self> {
        let mut described = Self { excluded: exclude.iter().cloned().collect(), ..Self::default() };
        if !path.exists() {
            return Ok(described);
        }
        let table = Table::read("screens.csv", &read(path)?, |name| {
            let known =
                matches!(name, "screen_id" | "group" | "sided") || Description::ATTRIBUTES.contains(&name);
            known.then_some(ColumnKind::Text)
        })?;
        let rows = table.text("screen_id")?.iter().zip(table.text("group")?.iter());
        let known: Vec<(&str, &str)> = rows.collect();
        for wanted in exclude {
            let matching = known.iter().filter(|(id, group)| id == wanted || group == wanted);
            let ids: Vec<String> = matching.map(|(id, _)| (*id).to_owned()).collect();
            anyhow::ensure!(!ids.is_empty(), "no screen or group in {} is called {wanted:?}", path.display());
            described.excluded.extend(ids);
        }
        let groups =
            known.iter().map(|(id, group)| ((*id).to_owned(), ((*group).to_owned(), Description::default())));
        described.of_screens = groups.collect();
        for name in Description::ATTRIBUTES {
            let Ok(words) = table.text(name) else { continue };
            for ((id, _), word) in known.iter().zip(words.iter()) {
                let of_screen = described.of_screens.entry((*id).to_owned()).or_default();
                if let Some(said) = of_screen.1.attribute_mut(name) {
                    word.clone_into(said);
                }
            }
        }
        if let Ok(sided) = table.text("sided") {
            let high = known.iter().zip(sided.iter()).filter(|(_, sided)| *sided == "high");
            described.one_sided.extend(high.map(|((id, _), _)| (*id).to_owned()));
        }
        Ok(described)
    }
}

/// A bar on a terminal, a line a round elsewhere.
struct Progress {
    all: usize,
    done: usize,
    bar: bool,
}

impl Progress {
    fn new(all: usize) -> Self {
        Self { all, done: 0, bar: std::io::stderr().is_terminal() }
    }

    fn step(&mut self, row: &Round) {
        self.done += 1;
        let words = format!(
            "seed {} round {}: {} hits, {} so far ({:.1} s training, {:.1} s choosing)",
            row.seed, row.round, row.hits, row.hits_so_far, row.train_seconds, row.select_seconds
        );
        if self.bar {
            let full = 30 * self.done / self.all.max(1);
            eprint!("\r\x1b[2K[{}{}] {words}", "=".repeat(full), " ".repeat(30 - full.min(30)));
        } else {
            eprintln!("{words}");
        }
    }

    fn end(&self) {
        if self.bar {
            eprintln!();
        }
    }
}

fn summarise(report: &Report) {
    eprintln!(
        "hit ratio {:.4} +- {:.4} over {} seeds; random {:.4}; {:.1} x random",
        report.hit_ratio_mean,
        report.hit_ratio_sd.unwrap_or(0.0),
        report.seeds,
        report.random_expectation,
        report.enrichment_mean,
    );
    let percent =
        |share: Option<f64>| share.map_or("-".to_owned(), |share| format!("{:.1} %", 100.0 * share));
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.3}"));
    eprintln!(
        "90 % intervals cover {} of what was asked for, {} of the rest; calibration error of the probability of \
         a hit {} of what was asked for, {} of the rest",
        percent(report.coverage_90_mean),
        percent(report.pool_coverage_90_mean),
        number(report.hit_ece_asked),
        number(report.pool_hit_ece_mean),
    );
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// `name=words,name=words`; a comma within words is one of theirs, unless a name follows it.
fn parse_description(text: &str) -> Result<Description, String> {
    let mut description = Description::default();
    let mut last: Option<String> = None;
    for piece in text.split(',') {
        let named = piece.split_once('=').map(|(name, words)| (name.trim(), words));
        let known = named.filter(|(name, _)| Description::ATTRIBUTES.contains(name));
        match (known, &last) {
            (Some((name, words)), _) => {
                let said = description.attribute_mut(name).ok_or("no such attribute")?;
                if !said.is_empty() {
                    return Err(format!("{name} is said twice"));
                }
                words.trim().clone_into(said);
                last = Some(name.to_owned());
            }
            (None, Some(name)) if named.is_none() => {
                let said = description.attribute_mut(name).ok_or("no such attribute")?;
                said.push(',');
                said.push_str(piece);
            }
            _ => {
                let names = Description::ATTRIBUTES.join(", ");
                return Err(format!(
                    "{piece:?} is no attribute and its words, as cell=K562; there are {names}"
                ));
            }
        }
    }
    Ok(description)
}

fn parse_share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| format!("{text:?} is no number"))?;
    (0.0..=1.0).contains(&share).then_some(share).ok_or_else(|| format!("{share} is out of range: 0 to 1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_may_have_commas_in_its_words() {
        let said = parse_description("organism=human, readout=IFNG production, high vs low sort,library=KO");
        assert_eq!(said.unwrap().values(), ["human", "", "KO", "IFNG production, high vs low sort", ""]);
        for (slip, why) in [
            ("species=human", "no attribute"),
            ("human", "no attribute"),
            ("cell=K562,linie=KO", "no attribute"),
            ("cell=K562,cell=U937", "said twice"),
        ] {
            let error = parse_description(slip).unwrap_err();
            assert!(error.contains(why), "{slip}: {error}");
        }
    }
}
