//! The demo's campaign, written as the file a user would write.

use super::ground::Settings;
use std::fmt::Write as _;
use std::path::Path;

/// Name of the demo's campaign.
pub const NAME: &str = "demo";

/// Some of the specimen's genes are essential: hits that kill the cells are no use to anybody.
const VIABILITY: &str = r#"[[readouts]]
name = "viability"
constraint = { at_least = 0.6 }

"#;

const SEALED: &str = r#"
[[assay.by_hand]]
before = "incubate"
instruction = "Seal the plate, spin it for a minute at 300 g, put it back on the deck."
"#;

/// What the bench says of its specimen.
pub struct Specimen {
    pub name: String,
    pub contexts: Vec<String>,
}

/// The campaign's TOML. `features` are relative to the campaign's folder or absolute.
pub fn toml(settings: &Settings, specimen: &Specimen, features: &[String]) -> String {
    let replays = settings.screen.is_some();
    let quoted = |items: &[String]| items.iter().map(|item| toml_string(item)).collect::<Vec<_>>().join(", ");
    let priors: Vec<String> = settings.priors.iter().map(|path| path_text(path)).collect();
    let mut text = String::new();
    let goal = if replays {
        format!(
            "Find the hits of the measured screen {} again, with as few wells as possible.",
            specimen.name
        )
    } else {
        "Find the genes whose loss raises the signal of a synthetic specimen.".to_owned()
    };
    let _ = write!(
        text,
        r#"# Written by `loopwright demo`; the same file works with `loopwright campaign create -f`.
name = "{NAME}"
goal = {goal}

[design]
genes_file = "genes.csv"
contexts = [{contexts}]

[objective]
readout = "signal"
channel = "signal"
direction = "{direction}"
hit = {{ channel = "call" }}

{readouts}[model]
features = [{features}]
priors = [{priors}]
exclude_prior_groups = [{groups}]

[acquisition]
name = "{acquisition}"
{acquisition_settings}
[assay]
labware = "corning_384_wellplate_112ul_flat"
replicates = 2
transfer_volume_nl = 1000
incubate_hours = 72.0
read_window_hours = 4.0
temperature_celsius = 37.0
co2_percent = 5.0
leave_edge_empty = false
{by_hand}
[controls]
negative = {{ content = "NEG", wells = 16 }}
positive = {{ content = "POS", wells = 16 }}

[budget]
rounds = {rounds}
batch = {batch}

[schedule]
{schedule}

[policy]
approvals = 1
auto_approve = {auto_approve}
{expiry}
[cost]
currency = "EUR"
per_plate = 45.0
per_well = 0.4
per_tip = 0.08

[bench]
handler = "handler-1"
incubator = "incubator-1"
reader = "reader-1"
mover = "mover-1"
"#,
        goal = toml_string(&goal),
        // A replayed screen says nothing of how the cells fared.
        readouts = if replays { "" } else { VIABILITY },
        contexts = quoted(&specimen.contexts),
        direction = if replays { "two_sided" } else { "maximise" },
        features = quoted(features),
        priors = quoted(&priors),
        groups = quoted(&settings.exclude_groups),
        acquisition = settings.acquisition,
        acquisition_settings = if settings.acquisition == "ucb" { "beta = 1.0\n" } else { "" },
        by_hand = if settings.by_hand { SEALED } else { "" },
        rounds = settings.rounds,
        batch = settings.batch,
        auto_approve = settings.auto_approve,
        // Without people the next round follows a week later, whatever the day.
        schedule = if settings.auto_approve {
            "every_hours = 168.0"
        } else {
            "cron = \"30 8 * * Mon\"\nzone = \"Europe/Berlin\""
        },
        expiry = if settings.auto_approve { "" } else { "expires_hours = 96.0\n" },
    );
    text
}

/// A path as the campaign file names it.
pub fn path_text(path: &Path) -> String {
    path.display().to_string()
}

fn toml_string(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
