//! A campaign file of one's own is played before a plate moves.

use crate::clusters::free_port;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use system_tests::laboratory::{binary, finish};

const LIMIT: Duration = Duration::from_secs(200);

/// As unlike the demo's campaign as a file can be.
const CAMPAIGN: &str = r#"
name = "combinations"
[design]
genes_file = "edits.csv"
combinations = "singles_and_pairs"
contexts = ["K562 (wt)", "MOLM-13"]
exclude = ["OLD"]
[objective]
readout = "ATP"
channel = "Lumi 1"
direction = "minimise"
hit = { at_most = -0.4 }
[[readouts]]
name = "toxicity"
channel = "LDH (raw)"
scale = "both_controls"
constraint = { at_most = 0.5 }
[[readouts]]
name = "morphology"
kind = "ordinal"
labels = ["round", "flat", "spiky"]
[[readouts]]
name = "cytokines"
kind = "vector"
components = ["IL2", "IL6"]
[model]
features = ["features.csv"]
[acquisition]
name = "auto"
replicate_share = 0.1
[assay]
labware = "nest_96_wellplate_200ul_flat"
replicates = 2
transfer_volume_nl = 250
incubate_hours = 96.0
read_window_hours = 6.0
temperature_celsius = 37.0
co2_percent = 5.0
leave_edge_empty = true
[[assay.by_hand]]
before = "read"
instruction = "Spin."
[controls]
negative = { content = "DMSO", wells = 6 }
positive = { content = "Bortezomib", wells = 6 }
[budget]
rounds = 9
batch = 30
[schedule]
cron = "30 8 * * Mon"
zone = "Europe/Berlin"
[policy]
approvals = 2
roles = { scientist = 1, engineer = 1 }
[cost]
currency = "CHF"
per_plate = 40.0
per_handler_hour = 60.0
[bench]
handler = "hamilton-2"
incubator = "cytomat"
reader = "envision"
mover = "people"
"#;

fn folder() -> tempfile::TempDir {
    // PostgreSQL's own user must be able to pass through.
    let folder = tempfile::Builder::new().prefix("lw-").tempdir_in("/tmp").unwrap();
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
    let compounds = (0..8).flat_map(|n| ["100nM", "1uM", "10uM"].map(|dose| format!("DRUG{n}@{dose}")));
    let edits: Vec<String> =
        compounds.chain((0..16).map(|n| format!("GENE{n}"))).chain(["OLD".into()]).collect();
    std::fs::write(folder.path().join("edits.csv"), format!("gene\n{}\n", edits.join("\n"))).unwrap();
    let features: String = (0..8).map(|n| format!("DRUG{n},{},{}\n", n % 3, f64::from(n) / 8.0)).collect();
    std::fs::write(folder.path().join("features.csv"), format!("gene,chem_0,chem_1\n{features}")).unwrap();
    std::fs::write(folder.path().join("campaign.toml"), CAMPAIGN).unwrap();
    folder
}

fn simulate(folder: &Path, options: &[&str]) -> Output {
    let mut command = Command::new(binary("loopwright"));
    // By its name alone, as it is typed.
    command
        .current_dir(folder)
        .args(["simulate", "-f", "campaign.toml", "--port", &free_port().to_string()])
        .args(options);
    command.env("TMPDIR", folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    finish(command.spawn().unwrap(), LIMIT)
}

#[test]
fn a_campaign_unlike_the_demos_is_simulated_and_nothing_is_left_of_it() {
    let folder = folder();
    let output = simulate(folder.path(), &["--rounds", "2", "--json", "--seconds-per-transfer", "36"]);
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    // 24 doses and 16 genes, singly and in pairs, in two contexts.
    assert_eq!(report["pool"], 2 * (40 + 40 * 39 / 2));
    assert_eq!((&report["experiments"], &report["passed_qc"]), (&60.into(), &60.into()), "{report:#}");
    let rounds = report["rounds"].as_array().unwrap();
    assert_eq!(rounds.len(), 2);
    for round in rounds {
        assert_eq!(round["state"], "closed", "{round:#}");
        assert!(round["worst_z_prime"].as_f64().unwrap() > 0.4, "{round:#}");
        let transfers = round["transfers"].as_f64().unwrap();
        let hours = round["handler_hours"].as_f64().unwrap();
        assert!((hours - transfers * 36.0 / 3600.0).abs() < 1e-6, "{round:#}");
        let plates = round["plates"].as_f64().unwrap();
        let cost = round["cost"].as_f64().unwrap();
        assert!((cost - (40.0 * plates + 60.0 * hours)).abs() < 0.02, "{round:#}");
        assert_eq!(round["steps_by_hand"], round["plates"], "each plate is spun");
        // Half past eight in Berlin, in winter or in summer.
        let begins = round["begins"].as_str().unwrap();
        assert!(begins.ends_with("T07:30:00Z") || begins.ends_with("T06:30:00Z"), "{begins}");
    }
    assert!(report["drawn_nl"]["DMSO"].as_u64().unwrap() > 0);
    let otherwise = report["otherwise"].as_array().unwrap().len();
    assert_eq!(otherwise, 6, "{report:#}");
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name.to_string_lossy().starts_with("loopwright-simulation"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_campaign_whose_plates_fail_qc_ends_with_the_reason() {
    let folder = folder();
    let strict = CAMPAIGN.replace("[budget]", "[qc]\nminimum_z_prime = 0.97\n[budget]");
    std::fs::write(folder.path().join("campaign.toml"), strict).unwrap();
    let output = simulate(folder.path(), &["--rounds", "1"]);
    let (told, words) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!output.status.success(), "{told}{words}");
    assert!(words.contains("It is made again."), "{words}");
    assert!(told.contains("Round 1 is held: ") && told.contains("Made again: "), "{told}{words}");
    assert!(words.contains("the simulated campaign stands still: "), "{words}");
}

#[test]
fn a_file_that_is_wrong_is_refused_before_anything_starts() {
    let folder = folder();
    let wrong = CAMPAIGN.replace("replicates = 2", "replicates = 0").replace("\"edits.csv\"", "\"none.csv\"");
    std::fs::write(folder.path().join("campaign.toml"), wrong).unwrap();
    let output = simulate(folder.path(), &[]);
    assert!(!output.status.success() && output.stdout.is_empty());
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(words.contains("campaign.toml:\nline ") && words.contains("replicates"), "{words}");

    std::fs::write(folder.path().join("campaign.toml"), CAMPAIGN.replace("\"edits.csv\"", "\"none.csv\""))
        .unwrap();
    let output = simulate(folder.path(), &[]);
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && words.contains("none.csv"), "{words}");
}
