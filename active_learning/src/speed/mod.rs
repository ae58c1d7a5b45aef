//! `loopwright-learner speed`: what training, scoring and choosing take, beside BoTorch in the same run.
//!
//! Every measurement of ours is a process of its own, so that its memory is its own. Rounds are interleaved: ours,
//! theirs, ours, theirs; ratios are of one round. The reference is a Python process that is started once and does
//! what it is told ([`reference`]); without one, its rows are left out with a word.

mod made_up;
mod measure;
mod reference;
mod report;

use anyhow::Context;
use clap::{Args, ValueEnum};
use measure::Measured;
use reference::Reference;
use report::Report;
use std::path::PathBuf;
use std::process::{Command, Stdio};

#[derive(Args)]
pub struct Arguments {
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// A Python that has BoTorch.
    #[arg(long, requires = "reference")]
    python: Option<PathBuf>,
    /// The program that it runs, `benchmarks/rivals/beside_botorch.py`.
    #[arg(long)]
    reference: Option<PathBuf>,
    /// Folder with measured screens, features and other screens; without it the full size is left out.
    #[arg(long, env = "LOOPWRIGHT_DATA", default_value = "../shared/data")]
    data: PathBuf,
    /// Print all figures as a JSON object on standard output, after the table.
    #[arg(long)]
    json: bool,
    /// One measurement in this process, as JSON: what the rounds are made of.
    #[arg(long, value_enum, hide = true)]
    measure: Option<What>,
}

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// 100,000 made-up edits of 64 features, 640 measured.
    Genes,
    /// 100,000 pairs of 449 made-up edits, 640 measured.
    Pairs,
    /// A measured screen with all features and all other screens, 640 measured.
    Full,
}

impl What {
    fn name(self) -> &'static str {
        match self {
            Self::Genes => "genes",
            Self::Pairs => "pairs",
            Self::Full => "full",
        }
    }
}

impl Arguments {
    /// `threads`: those of libtorch, ours and the reference's alike.
    pub fn run(&self, threads: u16) -> anyhow::Result<()> {
        if let Some(what) = self.measure {
            println!("{}", serde_json::to_string(&measure::measure(what, &self.data)?)?);
            return Ok(());
        }
        let mut report = Report::new(threads, self.rounds);
        let mut reference = self.start_reference(threads, &mut report)?;
        let mut kinds = vec![What::Genes, What::Pairs];
        if made_up::has_full(&self.data) {
            kinds.push(What::Full);
        } else {
            report.say(format!("full size: skipped, no measured screens in {}", self.data.display()));
        }
        if let Some(reference) = &mut reference {
            eprintln!("BoTorch: fit");
            report.fitted(reference.does("fit")?);
        }
        for round in 1..=self.rounds {
            for &what in &kinds {
                eprintln!("round {round} of {}: {}", self.rounds, what.name());
                report.measured(what, self.of_a_process(what, threads)?);
                if let (What::Genes, Some(reference)) = (what, &mut reference) {
                    eprintln!("round {round} of {}: BoTorch", self.rounds);
                    report.scored(reference.does("posterior")?, reference.does("cholesky")?);
                }
            }
        }
        for &what in &kinds {
            let other = if threads == 1 { 2 } else { 1 };
            report.with_other_threads(what, &self.of_a_process(what, other)?);
        }
        print!("{}", report.table());
        if self.json {
            println!("{}", serde_json::to_string(&report)?);
        }
        Ok(())
    }

    fn start_reference(&self, threads: u16, report: &mut Report) -> anyhow::Result<Option<Reference>> {
        let (Some(python), Some(program)) = (&self.python, &self.reference) else {
            report.say("BoTorch: skipped, no --python with it was given".to_owned());
            return Ok(None);
        };
        Ok(Some(Reference::start(python, program, threads)?))
    }

    fn of_a_process(&self, what: What, threads: u16) -> anyhow::Result<Measured> {
        let answer = Command::new(std::env::current_exe()?)
            .args(["--threads", &threads.to_string(), "speed", "--measure", what.name()])
            .arg("--data")
            .arg(&self.data)
            .stderr(Stdio::inherit())
            .output()?;
        anyhow::ensure!(answer.status.success(), "the measurement of {} failed", what.name());
        serde_json::from_slice(&answer.stdout).context("a measurement answered in no JSON")
    }
}
