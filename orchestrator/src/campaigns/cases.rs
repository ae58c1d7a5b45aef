//! Every check of a campaign's sense, by a case that it must refuse or doubt.

use super::{Problem, Spec, SpecError};

const TEMPLATE: &str = include_str!("template.toml");

fn parsed(edits: &[(&str, &str)]) -> Result<(Spec, Vec<Problem>), SpecError> {
    let mut text = TEMPLATE.to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "{from:?}");
        text = text.replacen(from, to, 1);
    }
    Spec::parse_with_warnings(&text)
}

/// Each edit of the template is refused at `path` alone, on the line where `to` begins, for a reason that
/// holds `why`.
#[test]
fn what_makes_no_sense_is_refused_where_it_stands() {
    let cases = [
        ("name = \"template\"", "name = \" a\"", "name", "is no name"),
        ("name = \"template\"", "name = \"a/b\"", "name", "no '/'"),
        ("genes_file = \"genes.csv\"", "genes_file = \"\"", "design.genes_file", "column `gene`"),
        ("contexts = [\"cells\"]", "contexts = []", "design.contexts", "at least one context"),
        ("contexts = [\"cells\"]", "contexts = [\"a\", \"b\", \"a\"]", "design.contexts[2]", "twice"),
        ("contexts = [\"cells\"]", "contexts = [\"a,b\"]", "design.contexts[0]", "is no name"),
        ("exclude = []", "exclude = [\"A+B\"]", "design.exclude[0]", "not the name of an edit"),
        ("channel = \"signal\"", "channel = \"\"", "objective.channel", "is no name"),
        ("hit = { at_least = 0.5 }", "hit = { two_sided = 0.0 }", "objective.hit.two_sided", "above 0"),
        ("hit = { at_least = 0.5 }", "hit = { at_least = nan }", "objective.hit", "no threshold"),
        ("hit = { at_least = 0.5 }", "hit = { channel = \"\" }", "objective.hit.channel", "is no name"),
        ("members = 8", "members = 0", "model.members", "1 to"),
        ("members = 8", "members = 129", "model.members", "1 to 128"),
        ("epochs = 60", "epochs = 0", "model.epochs", "1 to"),
        ("features = []", "features = [\"a.xlsx\"]", "model.features[0]", "neither Parquet nor CSV"),
        ("priors = []", "priors = [\"a.csv\", \"a.csv\"]", "model.priors[1]", "twice"),
        ("beta = 1.0", "beta = -1.0", "acquisition.beta", "0 or more"),
        ("beta = 1.0", "beta = 1.0\ncolour = 3", "acquisition.colour", "every rule takes `diversity`"),
        (
            "name = \"ucb\"",
            "name = \"greedy\"",
            "acquisition.beta",
            "`greedy` takes no setting of its own; every rule takes",
        ),
        ("name = \"ucb\"", "name = \"expected_improvement\"", "acquisition.beta", "takes no setting"),
        ("name = \"ucb\"", "name = \"knowledge\"", "acquisition", "unknown variant"),
        ("diversity = 0.0", "diversity = 1.5", "acquisition.diversity", "0 to 1"),
        ("diversity = 0.0", "diversity = nan", "acquisition.diversity", "0 to 1"),
        ("replicate_share = 0.0", "replicate_share = 1.1", "acquisition.replicate_share", "0 to 1"),
        ("replicate_share = 0.0", "replicate_share = nan", "acquisition.replicate_share", "0 to 1"),
        ("most_measurements = 3", "most_measurements = 0", "acquisition.most_measurements", "1 to 100"),
        ("contexts = [\"cells\"]", "contexts = \"cells\"", "design.contexts", "a list, in square brackets"),
        ("most_measurements = 3", "whole_plates = 1", "acquisition.whole_plates", "true or false"),
        (
            "name = \"ucb\"\nbeta = 1.0\ndiversity = 0.0\nreplicate_share = 0.0",
            "name = \"random\"\nreplicate_share = 0.1",
            "acquisition.replicate_share",
            "is the control",
        ),
        (
            "name = \"ucb\"\nbeta = 1.0",
            "name = \"auto\"\nlearning_share = 1.5",
            "acquisition.learning_share",
            "0 to 1",
        ),
        (
            "name = \"ucb\"\nbeta = 1.0",
            "name = \"greedy\"\nlearning_share = 0.1",
            "acquisition.learning_share",
            "takes no setting",
        ),
        (
            "family = \"ensemble\"\nmembers = 8\nepochs = 60\nfeatures = []\npriors = []\nexclude_prior_groups = []\n\n[acquisition]\nname = \"ucb\"\nbeta = 1.0",
            "family = \"bayesian_linear\"\n[acquisition]\nname = \"bald\"",
            "acquisition.name",
            "one opinion on each hit",
        ),
        (
            "members = 8\nepochs = 60\nfeatures = []\npriors = []\nexclude_prior_groups = []\n\n[acquisition]\nname = \"ucb\"\nbeta = 1.0",
            "members = 1\n[acquisition]\nname = \"bald\"",
            "acquisition.name",
            "two members or more",
        ),
        (
            "labware = \"corning_384_wellplate_112ul_flat\"",
            "labware = \"eppendorf\"",
            "assay.labware",
            "unknown labware",
        ),
        ("replicates = 2", "replicates = 0", "assay.replicates", "1 to"),
        (
            "replicates = 2",
            "replicates = 353",
            "assay.labware",
            "one experiment does not fit: 32 controls and 353",
        ),
        ("transfer_volume_nl = 1000", "transfer_volume_nl = 0", "assay.transfer_volume_nl", "1 to"),
        (
            "transfer_volume_nl = 1000",
            "transfer_volume_nl = 112001",
            "assay.transfer_volume_nl",
            "more than a well holds",
        ),
        ("incubate_hours = 72.0", "incubate_hours = -1.0", "assay.incubate_hours", "0 to"),
        ("incubate_hours = 72.0", "incubate_hours = nan", "assay.incubate_hours", "0 to"),
        ("read_window_hours = 2.0", "read_window_hours = 0.0", "assay.read_window_hours", "punctual"),
        (
            "temperature_celsius = 37.0",
            "temperature_celsius = 310.15",
            "assay.temperature_celsius",
            "0 to 60",
        ),
        ("co2_percent = 5.0", "co2_percent = 500.0", "assay.co2_percent", "0 to 100"),
        ("wells = 16", "wells = 1", "controls.negative.wells", "too few"),
        ("content = \"POS\"", "content = \"NEG\"", "controls.positive.content", "the same"),
        ("minimum_z_prime = 0.4", "minimum_z_prime = 1.5", "qc.minimum_z_prime", "to 1"),
        (
            "maximum_missing_fraction = 0.1",
            "maximum_missing_fraction = 10.0",
            "qc.maximum_missing_fraction",
            "0 to 1",
        ),
        ("rounds = 1", "rounds = 0", "budget.rounds", "1 to"),
        ("batch = 1", "batch = 0", "budget.batch", "1 to"),
        ("stop_after_hits = 1", "stop_after_hits = 0", "budget.stop_after_hits", "1 to"),
        ("every_hours = 168.0", "every_hours = inf", "schedule.every_hours", "0 to"),
        ("every_hours = 168.0", "every_hours = 0.000001", "schedule.every_hours", "at least a minute apart"),
        ("every_hours = 168.0", "cron = \"* * * * * *\"", "schedule.cron", "at least a minute apart"),
        ("every_hours = 168.0", "cron = \"0 30 8 * * 1\"", "schedule.cron", "names week days by number"),
        ("every_hours = 168.0", "cron = \"30 8 * *\"", "schedule.cron", "4 fields"),
        ("every_hours = 168.0", "cron = \"0 8 30 2 *\"", "schedule.cron", "it never comes"),
        (
            "every_hours = 168.0",
            "every_hours = 1.0\ncron = \"0 8 * * Mon\"",
            "schedule.every_hours",
            "take one of both",
        ),
        ("mode = \"calendar\"", "mode = \"manual\"", "schedule.every_hours", "there are no ticks"),
        ("zone = \"UTC\"", "zone = \"Berlin\"", "schedule.zone", "is no time zone"),
        (
            "zone = \"UTC\"",
            "zone = \"UTC\"\nstarts = \"1.1.2026\"",
            "schedule.starts",
            "is no local date or time",
        ),
        (
            "zone = \"UTC\"",
            "zone = \"UTC\"\nstarts = 2026-02-01\nends = 2026-01-01",
            "schedule.ends",
            "not after `starts`",
        ),
        (
            "every_hours = 168.0",
            "cron = \"0 8 * * Mon\"\nstarts = 2026-01-06\nends = 2026-01-09",
            "schedule.ends",
            "no tick between",
        ),
        (
            "zone = \"UTC\"",
            "zone = \"UTC\"\nblackouts = [{ from = \"2026-02-01\", to = \"2026-01-01\", reason = \"x\" }]",
            "schedule.blackouts[0].to",
            "not after `from`",
        ),
        (
            "zone = \"UTC\"",
            "zone = \"UTC\"\nblackouts = [{ from = \"2026-01-01\", to = \"2026-01-01\", reason = \"\" }]",
            "schedule.blackouts[0].reason",
            "is no name",
        ),
        ("missed = \"once\"", "missed = \"never\"", "schedule.missed", "unknown variant"),
        (
            "wait_for_training_hours = 24.0",
            "wait_for_training_hours = -1.0",
            "schedule.wait_for_training_hours",
            "0 to",
        ),
        ("approvals = 1", "approvals = 0", "policy.approvals", "nobody would approve"),
        ("approvals = 1", "approvals = 101", "policy.approvals", "at most 100"),
        (
            "approvals = 1",
            "approvals = 1\nroles = { scientist = 99, admin = 2 }",
            "policy.roles",
            "at most 100",
        ),
        ("expires_hours = 72.0", "expires_hours = 0.0", "policy.expires_hours", "above 0"),
        ("expires_hours = 72.0", "expires_hours = 9000.0", "policy.expires_hours", "0 to"),
        (
            "auto_approve = false",
            "auto_approve_limit = { plates = 1 }",
            "policy.auto_approve_limit",
            "which is false",
        ),
        (
            "auto_approve = false",
            "auto_approve = true\nauto_approve_limit = {}",
            "policy.auto_approve_limit",
            "limits nothing",
        ),
        (
            "auto_approve = false",
            "auto_approve = true\nauto_approve_limit = { cost = -1.0 }",
            "policy.auto_approve_limit.cost",
            "0 to",
        ),
        ("batch_cost = 100.0", "batch_cost = 0.0", "budget.batch_cost", "above 0"),
        ("per_experiment = 0.0", "per_experiment = 200.0", "budget.batch_cost", "not one experiment"),
        ("edits = { CBLB = 1.0 }", "edits = { CBLB = -1.0 }", "cost.edits.CBLB", "0 to"),
        ("currency = \"EUR\"", "currency = \"euro\"", "cost.currency", "three capital letters"),
        ("per_well = 0.0", "per_well = -0.1", "cost.per_well", "0 to"),
        ("reader = \"reader-1\"", "reader = \"handler-1\"", "bench.reader", "is taken"),
        ("mover = \"mover-1\"", "mover = \"storage\"", "bench.mover", "is taken"),
        ("mover = \"mover-1\"", "mover = \"a b\"", "bench.mover", "is no name"),
        ("reader = \"reader-1\"", "reader = \"people\"", "bench.reader", "stand in for no other device"),
    ];
    for (from, to, path, why) in cases {
        let error = parsed(&[(from, to)]).err().unwrap_or_else(|| panic!("{to} was taken"));
        let [problem] = &error.problems[..] else { panic!("{to}: {error}") };
        assert_eq!(problem.path, path, "{to}: {error}");
        assert!(problem.reason.contains(why), "{to}: {error}");
    }
}

#[test]
fn problems_of_all_sections_come_together_in_order_of_line() {
    let error = parsed(&[
        ("wells = 16", "wells = 0"),
        ("batch = 1", "batch = 0"),
        ("contexts = [\"cells\"]", "contexts = []"),
    ])
    .unwrap_err();
    let lines: Vec<String> = error
        .problems
        .iter()
        .map(|p| {
            TEMPLATE
                .lines()
                .nth(p.line as usize - 1)
                .map(|line| format!("{}: {line}", p.path))
                .unwrap_or_default()
        })
        .collect();
    assert_eq!(
        lines,
        [
            "design.contexts: contexts = [\"cells\"]",
            "controls.negative.wells: wells = 16",
            "budget.batch: batch = 1"
        ]
    );
    assert_eq!(
        error.problems[1].to_string(),
        "line 46, column 1: controls.negative.wells: 0 is too few: a Z'-factor needs 2 wells of each control"
    );
}

#[test]
fn an_element_is_named_at_its_own_column() {
    let error = parsed(&[("contexts = [\"cells\"]", "contexts = [\"é\", \"é\"]")]).unwrap_err();
    assert_eq!((error.problems[0].line, error.problems[0].column), (9, 18));
}

#[test]
fn the_edge_left_empty_makes_a_plate_smaller() {
    let edge = ("leave_edge_empty = false", "leave_edge_empty = true");
    assert!(parsed(&[("replicates = 2", "replicates = 300")]).is_ok());
    let error = parsed(&[("replicates = 2", "replicates = 300"), edge]).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("need 332 wells, corning_384_wellplate_112ul_flat (without its edge) has 308"),
        "{error}"
    );
}

#[test]
fn steps_by_hand_say_what_is_to_be_done_and_before_what() {
    let with = |steps: &str| {
        let said = format!("leave_edge_empty = false\nby_hand = [{steps}]");
        parsed(&[("leave_edge_empty = false", &said)])
    };
    let (spec, _) = with("{ before = \"read\", instruction = \"Take the seal off.\" }").unwrap();
    assert_eq!(spec.assay.by_hand[0].instruction, "Take the seal off.");
    // A campaign without them is what it was before there were any.
    let (silent, _) = parsed(&[]).unwrap();
    assert!(serde_json::to_value(&silent.assay).unwrap().get("by_hand").is_none());
    let refused = |steps: &str| {
        let error = with(steps).unwrap_err();
        let [problem] = &error.problems[..] else { panic!("{error}") };
        problem.to_string()
    };
    let empty = "{ before = \"incubate\", instruction = \" \" }";
    assert!(
        refused(empty).contains("assay.by_hand[0].instruction: say what is to be done"),
        "{}",
        refused(empty)
    );
    let nowhere = "{ before = \"dispense\", instruction = \"Look.\" }";
    assert!(refused(nowhere).contains("unknown variant `dispense`"), "{}", refused(nowhere));
    let many = ["{ before = \"read\", instruction = \"Look.\" }"; 13].join(", ");
    assert!(
        refused(&many).contains("assay.by_hand: 13 steps by hand: at most 12 a plate"),
        "{}",
        refused(&many)
    );
}

#[test]
fn a_description_of_the_screen_has_five_attributes() {
    let with = |description: &str| {
        let said = format!("exclude_prior_groups = []\ndescription = {description}");
        parsed(&[("exclude_prior_groups = []", &said)])
    };
    let (spec, _) = with("{ organism = \"human\", readout = \"IFNG, high vs low sort\" }").unwrap();
    assert_eq!(spec.model.description.values(), ["human", "", "", "IFNG, high vs low sort", ""]);
    let kept = serde_json::to_value(&spec.model).unwrap();
    assert_eq!(kept["description"]["organism"], "human");
    // A campaign that says nothing is what it was before anything could be said.
    let (silent, _) = parsed(&[]).unwrap();
    assert!(serde_json::to_value(&silent.model).unwrap().get("description").is_none());
    let refused = |description: &str| {
        let error = with(description).unwrap_err();
        let [problem] = &error.problems[..] else { panic!("{error}") };
        problem.to_string()
    };
    assert!(refused("{ species = \"human\" }").contains("unknown field `species`"));
    assert!(refused("{ cell = \" K562\" }").contains("model.description.cell: \" K562\" is too long"));
}

#[test]
fn what_is_doubtful_is_said_and_taken() {
    let warned = |edits: &[(&str, &str)]| -> Vec<String> {
        parsed(edits).unwrap().1.iter().map(|warning| warning.path.clone()).collect()
    };
    assert_eq!(warned(&[]), ["model"]);
    let features = ("features = []", "features = [\"features.parquet\"]");
    assert_eq!(warned(&[features]), Vec::<String>::new());
    let cases = [
        ("wells = 16", "wells = 3", "controls.negative.wells"),
        ("hit = { at_least = 0.5 }", "hit = { at_most = -0.5 }", "objective.hit"),
        ("hit = { at_least = 0.5 }", "hit = { at_least = 0.0 }", "objective.hit"),
        ("hit = { at_least = 0.5 }", "hit = { channel = \"signal\" }", "objective.hit.channel"),
        ("exclude_prior_groups = []", "exclude_prior_groups = [\"Schmidt\"]", "model.exclude_prior_groups"),
        ("replicate_share = 0.0", "replicate_share = 0.1", "acquisition.replicate_share"),
        ("most_measurements = 3", "whole_plates = true", "acquisition.whole_plates"),
        (
            "replicate_share = 0.0\nmost_measurements = 3",
            "replicate_share = 0.1\nmost_measurements = 1",
            "acquisition.most_measurements",
        ),
        (
            "exclude_prior_groups = []",
            "exclude_prior_groups = []\ndescription = { cell = \"K562\" }",
            "model.description",
        ),
        ("every_hours = 168.0", "every_hours = 24.0", "schedule.every_hours"),
        ("every_hours = 168.0", "cron = \"0 8 * * *\"", "schedule.cron"),
        ("every_hours = 168.0", "cron = \"0 8 1-7 * Mon\"", "schedule.cron"),
        ("minimum_z_prime = 0.4", "minimum_z_prime = -1.0", "qc.minimum_z_prime"),
        ("auto_approve = false", "auto_approve = true", "policy.expires_hours"),
        (
            "per_plate = 1.0\nper_well = 0.0\nper_tip = 0.0\nper_experiment = 0.0\nper_edit = 0.0\nedits = { CBLB = 1.0 }",
            "per_plate = 0.0",
            "cost",
        ),
    ];
    for (from, to, path) in cases {
        assert_eq!(warned(&[features, (from, to)]), [path], "{to}");
    }
    let all = ("missed = \"once\"", "missed = \"all\"");
    let skip = ("overlap = \"wait\"", "overlap = \"skip\"");
    assert_eq!(warned(&[features, all, skip]), ["schedule.missed"]);
    // Rounds beside each other need no time between their ticks.
    let daily = ("every_hours = 168.0", "cron = \"0 8 * * *\"");
    assert_eq!(
        warned(&[features, daily, ("overlap = \"wait\"", "overlap = \"allow\"")]),
        Vec::<String>::new()
    );
}

#[test]
fn roles_need_as_many_people_and_prices_a_section() {
    let refused = |edits: &[(&str, &str)]| {
        let error = parsed(edits).unwrap_err();
        let [problem] = &error.problems[..] else { panic!("{error}") };
        problem.to_string()
    };
    let both = ("approvals = 1", "approvals = 1\nroles = { scientist = 1, engineer = 1 }");
    assert_eq!(
        refused(&[both]),
        "line 75, column 1: policy.approvals: the roles ask for 2 different people: ask for 2 approvals or more, or for fewer roles"
    );
    // Not said, it follows from the roles.
    let (spec, _) = parsed(&[("approvals = 1", "roles = { scientist = 1, engineer = 1 }")]).unwrap();
    assert_eq!(spec.policy.people_needed(), 2);
    let unknown = refused(&[("approvals = 1", "roles = { operator = 1 }")]);
    assert!(
        unknown.contains("unknown field `operator`, expected one of `scientist`, `engineer`, `admin`"),
        "{unknown}"
    );
    let from = TEMPLATE.find("[cost]").unwrap();
    let to = TEMPLATE.find("[bench]").unwrap();
    let limit = ("auto_approve = false", "auto_approve = true\nauto_approve_limit = { cost = 500.0 }");
    let ample = ("batch_cost = 100.0\n", "");
    let budget = refused(&[(&TEMPLATE[from..to], "")]);
    assert!(budget.contains("budget.batch_cost: there are no prices to go by"), "{budget}");
    let without = refused(&[ample, (&TEMPLATE[from..to], ""), limit]);
    assert!(without.contains("policy.auto_approve_limit.cost: there are no prices"), "{without}");
    assert!(parsed(&[limit]).unwrap().1.iter().all(|warning| warning.path == "model"));
}
