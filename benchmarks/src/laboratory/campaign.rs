//! The file of a campaign with a bench of its own.

use super::world::{self, LABWARE};

/// What a campaign is to ask for.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Genes of its library; each is one design.
    pub genes: usize,
    pub rounds: u32,
    /// Designs a round.
    pub batch: u32,
    pub replicates: u32,
    /// Wells a plate of each control.
    pub controls: u32,
}

impl Shape {
    /// One design on one plate a round.
    pub fn one_by_one(rounds: u32) -> Self {
        Self { genes: rounds as usize, rounds, batch: 1, replicates: 1, controls: 2 }
    }

    /// Whole plates: duplicates, and 16 wells of each control.
    pub fn batches(rounds: u32, batch: u32) -> Self {
        Self { genes: rounds as usize * batch as usize, rounds, batch, replicates: 2, controls: 16 }
    }

    /// Plates that all of its rounds need.
    pub fn plates(&self) -> usize {
        let free = 384 - 2 * self.controls;
        (self.rounds * self.batch.div_ceil(free / self.replicates)) as usize
    }
}

/// The devices of a bench: capability and name.
pub fn devices(bench: usize) -> [(&'static str, String); 4] {
    [
        ("dispense.liquid", format!("handler-{bench}")),
        ("incubate.plate", format!("incubator-{bench}")),
        ("read.plate", format!("reader-{bench}")),
        ("move.plate", format!("mover-{bench}")),
    ]
}

/// The campaign file (TOML). Rounds follow each other, batches are approved by policy, incubation takes no time.
pub fn file(bench: usize, shape: &Shape) -> String {
    let [negative, positive] = world::controls(bench);
    let context = world::context(bench);
    let [handler, incubator, reader, mover] = devices(bench).map(|(_, name)| name);
    let Shape { rounds, batch, replicates, controls, .. } = shape;
    format!(
        r#"
name = "campaign-{bench}"
goal = "Everything of a library, measured once."

[design]
genes_file = "genes.csv"
contexts = ["{context}"]

[objective]
readout = "signal"
channel = "signal"
direction = "maximise"
hit = {{ at_least = 0.5 }}

[model]
family = "bayesian_linear"

[acquisition]
name = "greedy"

[assay]
labware = "{LABWARE}"
replicates = {replicates}
transfer_volume_nl = 2000
incubate_hours = 0.0
read_window_hours = 24.0
temperature_celsius = 37.0
co2_percent = 5.0

[controls]
negative = {{ content = "{negative}", wells = {controls} }}
positive = {{ content = "{positive}", wells = {controls} }}

[budget]
rounds = {rounds}
batch = {batch}
runners_up = 0

[schedule]
every_hours = 0.0

[policy]
approvals = 1
auto_approve = true

[bench]
handler = "{handler}"
incubator = "{incubator}"
reader = "{reader}"
mover = "{mover}"
"#
    )
}
