//! Whether a campaign makes sense: what types cannot say, said before anything is created.

mod acquisition;
mod readouts;
mod schedule;

pub(super) use acquisition::COMMON_SETTINGS;

use super::document::Document;
use super::problem::Problem;
use super::spec::{Assay, Combinations, Control, HitRule, Model, PEOPLE, Spec};
use instruments::labware::Labware;
use jobs::Perturbation;
use jobs::work::description::{Description, LONGEST};
use jobs::work::learn::Objective;
use std::collections::BTreeSet;

/// Z' needs a standard deviation of each control.
const LEAST_CONTROL_WELLS: u32 = 2;
/// Fewer make Z' a matter of luck.
const ADVISED_CONTROL_WELLS: u32 = 4;
const MOST_BATCH: u32 = 100_000;
const MOST_MEMBERS: u32 = 128;
const MOST_EPOCHS: u32 = 100_000;
/// Steps by hand a plate.
const MOST_BY_HAND: usize = 12;
/// Characters that somebody in gloves reads at a glance.
const LONGEST_INSTRUCTION: usize = 500;

/// What is wrong, and what is only doubtful.
#[derive(Default)]
pub(super) struct Found {
    pub problems: Vec<Problem>,
    pub warnings: Vec<Problem>,
}

/// Checks `spec`, as read from `document`; what hangs on a section in `unread` is left unchecked.
pub(super) fn validate(spec: &Spec, document: &Document, unread: &BTreeSet<String>) -> Found {
    let mut check = Check { document, unread, found: Found::default() };
    check.name(spec);
    check.design(spec);
    check.objective(spec);
    check.readouts(spec);
    check.model(spec);
    check.acquisition(spec);
    check.assay(&spec.assay);
    check.controls(spec);
    check.wells(spec);
    check.qc(spec);
    check.budget(spec);
    check.schedule(spec);
    check.policy(&spec.policy);
    check.auto_approval(spec);
    check.cost(spec);
    check.bench(spec);
    check.found
}

pub(super) struct Check<'a> {
    pub(super) document: &'a Document<'a>,
    unread: &'a BTreeSet<String>,
    found: Found,
}

impl Check<'_> {
    /// Whether these sections are the user's own.
    pub(super) fn read(&self, sections: &[&str]) -> bool {
        !sections.iter().any(|section| self.unread.contains(*section))
    }

    fn section_of(path: &str) -> &str {
        path.split(['.', '[']).next().unwrap_or(path)
    }

    pub(super) fn wrong(&mut self, path: &str, reason: impl Into<String>) {
        if self.read(&[Self::section_of(path)]) {
            self.found.problems.push(self.document.problem(path, reason));
        }
    }

    pub(super) fn doubtful(&mut self, path: &str, reason: impl Into<String>) {
        if self.read(&[Self::section_of(path)]) {
            self.found.warnings.push(self.document.problem(path, reason));
        }
    }

    pub(super) fn require(&mut self, holds: bool, path: &str, reason: impl FnOnce() -> String) {
        if !holds {
            self.wrong(path, reason());
        }
    }

    /// Printable, without surrounding blanks, and safe in a CSV.
    fn word(&mut self, path: &str, text: &str) {
        let safe = !text.chars().any(|c| c.is_control() || c == ',' || c == '"');
        let holds = safe && !text.is_empty() && text.trim() == text && text.chars().count() <= 100;
        self.require(holds, path, || {
            format!("{text:?} is no name: 1 to 100 printable characters, without commas, quotes or surrounding blanks")
        });
    }

    /// Safe in a location, a URL and a command line.
    fn slug(&mut self, path: &str, text: &str) {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let holds = (1..=64).contains(&text.len()) && text.chars().all(plain);
        self.require(holds, path, || {
            format!("{text:?} is no name: 1 to 64 letters, digits, '-', '_' or '.'")
        });
    }

    fn distinct(&mut self, path: &str, names: &[String]) {
        let mut seen = BTreeSet::new();
        for (index, name) in names.iter().enumerate() {
            if !seen.insert(name) {
                self.wrong(&format!("{path}[{index}]"), format!("{name:?} stands here twice"));
            }
        }
    }

    pub(super) fn within(&mut self, path: &str, value: f64, least: f64, most: f64, unit: &str) {
        let holds = (least..=most).contains(&value);
        self.require(holds, path, || format!("{value} is out of range: {least} to {most}{unit}"));
    }

    pub(super) fn at_least_one(&mut self, path: &str, value: u32, most: u32) {
        self.require((1..=most).contains(&value), path, || format!("{value} is out of range: 1 to {most}"));
    }

    fn name(&mut self, spec: &Spec) {
        self.word("name", &spec.name);
        self.require(!spec.name.contains('/'), "name", || "a campaign's name has no '/'".to_owned());
    }

    fn design(&mut self, spec: &Spec) {
        let design = &spec.design;
        self.require(!design.genes_file.trim().is_empty(), "design.genes_file", || {
            "name a CSV with a column `gene`".into()
        });
        self.require(!design.contexts.is_empty(), "design.contexts", || {
            "name at least one context (cell line, donor): each experiment happens in one".to_owned()
        });
        for (index, context) in design.contexts.iter().enumerate() {
            self.word(&format!("design.contexts[{index}]"), context);
        }
        self.distinct("design.contexts", &design.contexts);
        for (index, gene) in design.exclude.iter().enumerate() {
            if let Err(error) = Perturbation::new([gene.as_str()]) {
                self.wrong(&format!("design.exclude[{index}]"), error.to_string());
            }
        }
        self.distinct("design.exclude", &design.exclude);
    }

    fn objective(&mut self, spec: &Spec) {
        let objective = &spec.objective;
        self.word("objective.readout", &objective.readout);
        self.word("objective.channel", &objective.channel);
        let threshold = match &objective.hit {
            HitRule::Channel(call) => {
                self.word("objective.hit.channel", call);
                if *call == objective.channel {
                    self.doubtful(
                        "objective.hit.channel",
                        "the channel that calls hits is the one that is measured",
                    );
                }
                return;
            }
            HitRule::AtLeast(threshold) | HitRule::AtMost(threshold) | HitRule::TwoSided(threshold) => {
                *threshold
            }
        };
        self.require(threshold.is_finite(), "objective.hit", || format!("{threshold} is no threshold"));
        let mismatch = match (&objective.hit, objective.direction) {
            (HitRule::TwoSided(threshold), _) if *threshold <= 0.0 => {
                self.wrong(
                    "objective.hit.two_sided",
                    "a two-sided threshold is above 0: every well is a hit otherwise",
                );
                false
            }
            (HitRule::AtLeast(_), direction) => direction != Objective::Maximise,
            (HitRule::AtMost(_), direction) => direction != Objective::Minimise,
            (HitRule::TwoSided(_), direction) => direction != Objective::TwoSided,
            (HitRule::Channel(_), _) => false,
        };
        let at_rest = match &objective.hit {
            HitRule::AtLeast(threshold) => *threshold <= 0.0,
            HitRule::AtMost(threshold) => *threshold >= 0.0,
            HitRule::TwoSided(_) | HitRule::Channel(_) => false,
        };
        if at_rest {
            self.doubtful(
                "objective.hit",
                "an edit that does nothing reads 0, as the negative control does, and is a hit by this rule",
            );
        }
        if mismatch {
            self.doubtful(
                "objective.hit",
                "the hit rule looks at another end of the readout than objective.direction",
            );
        }
    }

    fn model(&mut self, spec: &Spec) {
        let model = &spec.model;
        self.at_least_one("model.members", model.members, MOST_MEMBERS);
        self.at_least_one("model.epochs", model.epochs, MOST_EPOCHS);
        for (path, files) in [("model.features", &model.features), ("model.priors", &model.priors)] {
            for (index, file) in files.iter().enumerate() {
                let known = [".parquet", ".csv"].iter().any(|ending| file.ends_with(ending));
                self.require(known, &format!("{path}[{index}]"), || {
                    format!("{file:?} is neither Parquet nor CSV: its name ends in .parquet or .csv")
                });
            }
            self.distinct(path, files);
        }
        self.distinct("model.exclude_prior_groups", &model.exclude_prior_groups);
        if !model.exclude_prior_groups.is_empty() && model.priors.is_empty() {
            self.doubtful(
                "model.exclude_prior_groups",
                "groups are left out of priors, and no prior is named",
            );
        }
        self.description(model);
        let nothing = model.features.is_empty() && model.priors.is_empty();
        if nothing {
            self.doubtful(
                "model",
                "no features and no priors: all that the model can know of a gene is what was measured of it",
            );
        }
    }

    fn description(&mut self, model: &Model) {
        let description = &model.description;
        for (name, said) in Description::ATTRIBUTES.iter().zip(description.values()) {
            let holds = said.trim() == said && !said.chars().any(char::is_control);
            self.require(holds && said.chars().count() <= LONGEST, &format!("model.description.{name}"), || {
                format!("{said:?} is too long or not printable: at most {LONGEST} characters, no surrounding blanks")
            });
        }
        if !description.is_empty() && model.priors.is_empty() {
            self.doubtful(
                "model.description",
                "it says which other screens are like this one, and no prior is named",
            );
        }
    }

    fn assay(&mut self, assay: &Assay) {
        if let Err(error) = Labware::by_load_name(&assay.labware) {
            self.wrong("assay.labware", error.to_string());
        }
        self.at_least_one("assay.replicates", assay.replicates, 1_536);
        self.at_least_one("assay.transfer_volume_nl", assay.transfer_volume_nl, u32::MAX);
        self.word("assay.liquid_class", &assay.liquid_class);
        self.within("assay.incubate_hours", assay.incubate_hours, 0.0, 24.0 * 365.0, " hours");
        self.within("assay.read_window_hours", assay.read_window_hours, 0.0, 24.0 * 365.0, " hours");
        self.require(assay.read_window_hours != 0.0, "assay.read_window_hours", || {
            "no reader can be that punctual: give it a window above 0 hours".to_owned()
        });
        self.within("assay.temperature_celsius", assay.temperature_celsius, 0.0, 60.0, " degrees Celsius");
        self.within("assay.co2_percent", assay.co2_percent, 0.0, 100.0, " %");
        let steps = assay.by_hand.len();
        self.require(steps <= MOST_BY_HAND, "assay.by_hand", || {
            format!("{steps} steps by hand: at most {MOST_BY_HAND} a plate")
        });
        for (index, step) in assay.by_hand.iter().enumerate() {
            let length = step.instruction.trim().chars().count();
            self.require(
                (1..=LONGEST_INSTRUCTION).contains(&length),
                &format!("assay.by_hand[{index}].instruction"),
                || {
                    format!(
                        "say what is to be done, in 1 to {LONGEST_INSTRUCTION} characters; it has {length}"
                    )
                },
            );
        }
    }

    fn controls(&mut self, spec: &Spec) {
        let controls = &spec.controls;
        for (path, control) in
            [("controls.negative", &controls.negative), ("controls.positive", &controls.positive)]
        {
            self.control(path, control);
        }
        self.require(
            controls.negative.content != controls.positive.content,
            "controls.positive.content",
            || "both controls are the same: there would be no window to measure in".to_owned(),
        );
    }

    fn control(&mut self, path: &str, control: &Control) {
        self.word(&format!("{path}.content"), &control.content);
        let (wells, path) = (control.wells, format!("{path}.wells"));
        if wells < LEAST_CONTROL_WELLS {
            self.wrong(
                &path,
                format!("{wells} is too few: a Z'-factor needs {LEAST_CONTROL_WELLS} wells of each control"),
            );
        } else if wells < ADVISED_CONTROL_WELLS {
            self.doubtful(&path, format!("with {wells} wells the Z'-factor is largely chance; {ADVISED_CONTROL_WELLS} or more are advised"));
        }
    }

    /// Does one experiment fit on a plate, and a well's liquid in a well.
    fn wells(&mut self, spec: &Spec) {
        let assay = &spec.assay;
        let Ok(labware) = Labware::by_load_name(&assay.labware) else { return };
        let format = labware.format;
        let usable = format.wells().filter(|well| !(assay.leave_edge_empty && format.is_edge(*well))).count();
        let controls =
            [&spec.controls.negative, &spec.controls.positive].map(|control| u64::from(control.wells));
        let needed = controls.iter().sum::<u64>() + u64::from(assay.replicates);
        if self.read(&["controls"]) && needed > u64::try_from(usable).unwrap_or(u64::MAX) {
            let edge = if assay.leave_edge_empty { " (without its edge)" } else { "" };
            self.wrong(
                "assay.labware",
                format!(
                    "one experiment does not fit: {} controls and {} replicates need {needed} wells, {}{edge} has {usable}",
                    controls.iter().sum::<u64>(), assay.replicates, labware.load_name
                ),
            );
        }
        let edits = if spec.design.combinations == Combinations::Singles { 1 } else { 2 };
        let volume = edits * u64::from(assay.transfer_volume_nl);
        let capacity = u64::from(labware.capacity().0);
        if self.read(&["design"]) && volume > capacity {
            self.wrong(
                "assay.transfer_volume_nl",
                format!(
                    "{edits} x {} nL is more than a well holds ({capacity} nL)",
                    assay.transfer_volume_nl
                ),
            );
        }
    }

    fn qc(&mut self, spec: &Spec) {
        // Z' is 1 for controls without any spread, and has no lower end.
        self.within("qc.minimum_z_prime", spec.qc.minimum_z_prime, -100.0, 1.0, "");
        self.within(
            "qc.maximum_control_drift",
            spec.qc.maximum_control_drift,
            0.0,
            100.0,
            " control windows",
        );
        self.within("qc.maximum_missing_fraction", spec.qc.maximum_missing_fraction, 0.0, 1.0, "");
        if spec.qc.minimum_z_prime < 0.0 {
            self.doubtful("qc.minimum_z_prime", "plates whose controls overlap would train the model");
        }
    }

    fn budget(&mut self, spec: &Spec) {
        self.at_least_one("budget.rounds", spec.budget.rounds, 10_000);
        self.at_least_one("budget.batch", spec.budget.batch, MOST_BATCH);
        self.require(spec.budget.runners_up <= MOST_BATCH, "budget.runners_up", || {
            format!("{} is out of range: 0 to {MOST_BATCH}", spec.budget.runners_up)
        });
        if let Some(most) = spec.budget.batch_cost {
            self.batch_cost(spec, most);
        }
        if let Some(hits) = spec.budget.stop_after_hits {
            self.at_least_one("budget.stop_after_hits", hits, u32::MAX);
        }
    }

    fn bench(&mut self, spec: &Spec) {
        let bench = &spec.bench;
        let named = [
            ("bench.handler", &bench.handler),
            ("bench.incubator", &bench.incubator),
            ("bench.reader", &bench.reader),
            ("bench.mover", &bench.mover),
        ];
        let mut seen = BTreeSet::from(["storage", "waste"]);
        for (path, name) in named {
            self.slug(path, name);
            self.require(seen.insert(name), path, || {
                format!("{name:?} is taken: each place has a name of its own")
            });
            self.require(name != PEOPLE || path == "bench.mover", path, || {
                "people can carry plates (bench.mover), and stand in for no other device".to_owned()
            });
        }
    }
}
