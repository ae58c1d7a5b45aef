//! Brings every process up and hands the laboratory over: tokens, instruments, inventory.
//!
//! Each step can be repeated: what is there already is left as it is.

use super::ground::{Ground, write_private};
use super::own::{self, Needs, Own};
use super::supervisor::{Recipe, Supervisor};
use crate::cli::client::Client;
use crate::ids::SYSTEM;
use crate::people::manage::{self, NewUser, Refused};
use crate::people::{Grant, Role, password};
use crate::store::people::accounts;
use crate::store::tokens::{self, ActorKind, NewToken, Scope};
use crate::store::{addresses, clock};
use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;

const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);
/// A year: the demo's folder may be kept that long.
const TOKEN_HOURS: u32 = 24 * 365;

/// The demo's devices: name, driver, capabilities, profile; as a campaign of one's own needs them.
fn devices(own: Option<&Own>) -> [(&'static str, &'static str, &'static str, Value); 4] {
    let slots = |range: std::ops::RangeInclusive<u64>| range.map(|n| n.to_string()).collect::<Vec<_>>();
    let mut handler = json!({"destination_slot": "1", "source_slots": slots(2..=9), "tip_rack_slots": ["10", "11"], "tips_per_rack": 96});
    if let Some(own) = own {
        handler["seconds_per_transfer"] = json!(own.asked.seconds_per_transfer);
    }
    let places = own.map_or(44, |own| own.needs.incubator_slots);
    [
        ("handler-1", "opentrons", "dispense.liquid", handler),
        ("incubator-1", "incubator", "incubate.plate", json!({"slots": slots(1..=places)})),
        ("reader-1", "reader", "read.plate", json!({"slots": ["1"]})),
        ("mover-1", "mover", "move.plate", json!({})),
    ]
}

/// Makes the actors and tokens the demo's processes sign in with, once.
pub async fn make_tokens(ground: &Ground, database_url: &str) -> anyhow::Result<()> {
    let mut conn = addresses::connect_once(database_url).await?;
    let agents = devices(None).map(|(name, ..)| (name, ActorKind::Agent, vec![Scope::WorkBench]));
    let everything_but_admin = Scope::ALL.into_iter().filter(|scope| *scope != Scope::Admin).collect();
    let others = [
        ("learner", ActorKind::Learner, vec![Scope::WorkLearn]),
        ("operator", ActorKind::Person, everything_but_admin),
    ];
    for (name, kind, scopes) in agents.into_iter().chain(others) {
        let file = ground.token_file(name);
        if file.exists() {
            continue;
        }
        let new = NewToken {
            actor: format!("demo-{name}"),
            kind,
            scopes,
            label: "made by loopwright demo".to_owned(),
            valid_hours: TOKEN_HOURS,
        };
        let created = tokens::create(&mut conn, &new)
            .await
            .with_context(|| format!("cannot make a token for {name}"))?;
        write_private(&file, created.secret.as_bytes())?;
    }
    Ok(())
}

/// The demo's people: name, display name, role.
const PEOPLE: [(&str, &str, Role); 4] = [
    ("ada", "Ada Weber", Role::Engineer),
    ("rosa", "Rosa Lindt", Role::Scientist),
    ("otto", "Otto Kern", Role::Operator),
    ("alma", "Alma Stein", Role::Admin),
];

/// Somebody who can sign in to the demo.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DemoPerson {
    pub name: String,
    pub password: String,
    pub role: Role,
}

/// Makes the demo's people once, with random passwords that are kept in its folder. `serve` refuses them on an
/// address others can reach.
pub async fn make_people(ground: &Ground, database_url: &str) -> anyhow::Result<Vec<DemoPerson>> {
    let file = ground.folder.join("people.json");
    if let Ok(text) = std::fs::read_to_string(&file) {
        return serde_json::from_str(&text).with_context(|| format!("{} is damaged", file.display()));
    }
    let mut conn = addresses::connect_once(database_url).await?;
    let mut people = Vec::new();
    for (name, display_name, role) in PEOPLE {
        let person = DemoPerson { name: name.to_owned(), password: password::random()?, role };
        let new = NewUser {
            name: person.name.clone(),
            display_name: display_name.to_owned(),
            email: None,
            grants: vec![Grant { project: None, role }],
            is_demo: true,
            password: Some(person.password.clone()),
        };
        match manage::create(&mut conn, new, SYSTEM).await? {
            Ok(_) => {}
            // A start before this one was cut off between the account and the file.
            Err(Refused::NameTaken) => {
                let known = accounts::by_name(&mut conn, name).await?;
                let (account, _) = known.with_context(|| format!("{name} is no user of this demo"))?;
                let phc = password::hash(person.password.clone()).await?;
                accounts::set_password(&mut conn, account.actor_id, &phc, false).await?;
            }
            Err(refused) => return Err(refused).with_context(|| format!("cannot make the user {name}")),
        }
        people.push(person);
    }
    write_private(&file, serde_json::to_string_pretty(&people)?.as_bytes())?;
    Ok(people)
}

/// Puts the laboratory clock of a new demo into fast-forward.
pub async fn start_clock(database_url: &str) -> anyhow::Result<()> {
    let mut conn = addresses::connect_once(database_url).await?;
    let reading = clock::read(&mut conn).await?;
    if reading.mode == clock::Mode::Real {
        clock::set_jumping(&mut conn, reading.real_at).await?;
    }
    Ok(())
}

/// Folder of our own binary: the others lie beside it.
pub fn sibling(name: &str) -> anyhow::Result<PathBuf> {
    let us = std::env::current_exe().context("cannot tell where this program lies")?;
    let path = us.with_file_name(name);
    if !path.exists() {
        bail!("{} is missing beside {}: `make run` (or `make build`) builds all of them", name, us.display());
    }
    Ok(path)
}

/// Recipe for `loopwright serve`.
/// `options`: what is said to it beyond the usual.
pub fn serve_recipe(ground: &Ground, database_url: &str, options: &[String]) -> anyhow::Result<Recipe> {
    let usual_lease = (!options.iter().any(|it| it.starts_with("--lease-seconds")))
        .then(|| "--lease-seconds=15".to_owned());
    Ok(Recipe {
        name: "serve".into(),
        program: std::env::current_exe()?,
        arguments: [
            "serve".into(),
            "--listen".into(),
            format!("127.0.0.1:{}", ground.record.port),
            "--data-dir".into(),
            ground.folder.join("blobs").display().to_string(),
        ]
        .into_iter()
        .chain(usual_lease)
        .chain(options.iter().cloned())
        .collect(),
        environment: vec![("DATABASE_URL".into(), database_url.into())],
    })
}

/// Recipe for the simulated bench, where a transfer takes `transfer_seconds`.
/// `options`: what is said to it beyond the usual.
pub fn bench_recipe(ground: &Ground, transfer_seconds: f64, options: &[String]) -> anyhow::Result<Recipe> {
    let settings = &ground.record.settings;
    // One 384-well plate holds 176 experiments in duplicate beside its controls; three times that leaves
    // room for plates that must be made again.
    let plates_a_round = settings.batch.div_ceil(176).max(1);
    let usual = [
        "--assay-format".into(),
        "384".into(),
        "--assay-plates".into(),
        (plates_a_round * settings.rounds * 3 + 4).to_string(),
    ];
    let mut arguments = vec![
        "--dir".into(),
        ground.folder.join("bench").display().to_string(),
        "--seed".into(),
        settings.seed.to_string(),
        "--speed".into(),
        transfer_seconds.to_string(),
    ];
    match &ground.own {
        Some(own) => arguments.extend(for_own_campaign(ground, &own.needs)?),
        None => arguments.extend(usual),
    }
    if let Some(screen) = &settings.screen {
        arguments.extend(["--screen".into(), screen.display().to_string()]);
    }
    if let Some(noise) = settings.noise {
        arguments.extend(["--noise".into(), noise.to_string()]);
    }
    arguments.extend(options.iter().cloned());
    Ok(Recipe {
        name: "bench".into(),
        program: sibling("loopwright-bench")?,
        arguments,
        environment: Vec::new(),
    })
}

/// Options of the bench for a campaign of one's own, whose assay is written beside its world.
fn for_own_campaign(ground: &Ground, needs: &Needs) -> anyhow::Result<Vec<String>> {
    let assay = ground.folder.join("assay.json");
    write_private(&assay, &serde_json::to_vec(&needs.assay)?)?;
    let options = [
        ("assay", assay.display().to_string()),
        ("assay-format", needs.format.to_string()),
        ("assay-plates", needs.assay_plates.to_string()),
        ("control-plates", needs.control_plates.to_string()),
        ("library-copies", needs.library_copies.to_string()),
        ("saturating-dose-nl", needs.saturating_dose_nl.to_string()),
    ];
    Ok(options.into_iter().flat_map(|(name, value)| [format!("--{name}"), value]).collect())
}

/// Recipe for the learner.
pub fn learner_recipe(ground: &Ground, server_url: &str) -> anyhow::Result<Recipe> {
    Ok(Recipe {
        name: "learner".into(),
        program: sibling("loopwright-learner")?,
        arguments: vec![
            "work".into(),
            "--server".into(),
            server_url.to_owned(),
            "--token-file".into(),
            ground.token_file("learner").display().to_string(),
            "--spool".into(),
            ground.folder.join("spool/learner").display().to_string(),
            "--name".into(),
            "learner".into(),
        ],
        environment: Vec::new(),
    })
}

/// Recipes for the agents, one a device.
pub fn agent_recipes(
    ground: &Ground,
    server_url: &str,
    endpoints: &BTreeMap<String, String>,
) -> anyhow::Result<Vec<Recipe>> {
    let program = sibling("loopwright-agent")?;
    devices(None)
        .into_iter()
        .map(|(name, driver, ..)| {
            let device =
                endpoints.get(name).with_context(|| format!("the bench names no address for {name}"))?;
            let option = |key: &str, value: String| [format!("--{key}"), value];
            Ok(Recipe {
                name: format!("agent-{name}"),
                program: program.clone(),
                arguments: [
                    option("server", server_url.to_owned()),
                    option("token-file", ground.token_file(name).display().to_string()),
                    option("name", format!("agent-{name}")),
                    option("instrument", name.to_owned()),
                    option("driver", driver.to_owned()),
                    option("device-url", device.clone()),
                    option("spool", ground.folder.join("spool").join(name).display().to_string()),
                ]
                .concat(),
                environment: Vec::new(),
            })
        })
        .collect()
}

/// Waits until the bench says where its devices answer.
pub async fn bench_endpoints(
    ground: &Ground,
    supervisor: &mut Supervisor,
) -> anyhow::Result<BTreeMap<String, String>> {
    let path = ground.folder.join("bench/endpoints.json");
    let end = Instant::now() + ANSWER_TIMEOUT;
    loop {
        if let Ok(text) = std::fs::read_to_string(&path)
            && let Ok(endpoints) = serde_json::from_str::<BTreeMap<String, String>>(&text)
            && let Some(control) = endpoints.get("control")
            && fetch(&format!("{control}/specimen")).await.is_ok()
        {
            return Ok(endpoints);
        }
        give_up_on(supervisor, "bench", ground, end)?;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Waits until `serve` answers.
pub async fn server_answers(ground: &Ground, supervisor: &mut Supervisor) -> anyhow::Result<()> {
    let url = format!("{}/healthz", ground.server_url());
    let end = Instant::now() + ANSWER_TIMEOUT;
    while fetch(&url).await.is_err() {
        give_up_on(supervisor, "serve", ground, end)?;
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    Ok(())
}

fn give_up_on(supervisor: &mut Supervisor, name: &str, ground: &Ground, end: Instant) -> anyhow::Result<()> {
    supervisor.tend()?;
    if supervisor.is_hopeless(name) || Instant::now() > end {
        let log = ground.folder.join("logs").join(format!("{name}.log"));
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        let tail: Vec<&str> = text.lines().rev().take(8).collect();
        bail!(
            "{name} does not come up; its last words ({}):\n{}",
            log.display(),
            tail.into_iter().rev().collect::<Vec<_>>().join("\n")
        );
    }
    Ok(())
}

/// Text of `url`, within five seconds.
pub async fn fetch(url: &str) -> anyhow::Result<String> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build()?;
    Ok(client.get(url).send().await?.error_for_status()?.text().await?)
}

/// What the bench's control side says of the specimen.
#[derive(Debug, Deserialize)]
pub struct SpecimenReport {
    pub name: String,
    pub genes: u64,
    /// Experiments of the whole design space, and how many of them are hits.
    pub pool_size: u64,
    pub hits_total: u64,
    /// Of a replayed screen: experiments of the design space that it has measured, in each context.
    #[serde(default)]
    pub measured: Option<u64>,
    pub contexts: Vec<String>,
}

/// Registers the instruments and brings the bench's plates into the inventory.
pub async fn hand_over(client: &Client, control: &str, ground: &Ground) -> anyhow::Result<SpecimenReport> {
    for (name, _, capability, profile) in devices(ground.own.as_ref()) {
        client
            .put_json(
                &format!("/api/v1/instruments/{name}"),
                &json!({"capabilities": [capability], "profile": profile}),
            )
            .await
            .with_context(|| format!("cannot register {name}"))?;
    }
    for (table, route) in
        [("library.csv", "/api/v1/inventory/library"), ("assay-plates.csv", "/api/v1/inventory/assay-plates")]
    {
        let csv = fetch(&format!("{control}/{table}")).await?;
        client.post_text(route, "text/csv", csv).await.with_context(|| format!("cannot import {table}"))?;
    }
    let specimen = fetch(&format!("{control}/specimen")).await?;
    let mut specimen: SpecimenReport =
        serde_json::from_str(&specimen).context("the bench's word on its specimen makes no sense")?;
    if let Some(own) = &ground.own {
        // The bench does not count controls that are edits too.
        specimen.pool_size = own.pool;
    }
    Ok(specimen)
}

/// Writes the folder of a campaign of one's own: its copy, and the features of an invented biology. Answers the file.
pub async fn write_copy(ground: &Ground, own: &Own, control: &str) -> anyhow::Result<PathBuf> {
    let folder = ground.folder.join("campaign");
    std::fs::create_dir_all(&folder)?;
    if ground.record.settings.screen.is_none() {
        let csv = fetch(&format!("{control}/features.csv")).await?;
        // Columns of the campaign's own files may have the same names.
        let (heading, rows) = csv.split_once('\n').context("the bench's features have no heading")?;
        let columns: Vec<String> =
            heading.split(',').skip(1).map(|column| format!("invented_{column}")).collect();
        let csv = format!("gene,{}\n{rows}", columns.join(","));
        write_private(&folder.join(own::INVENTED_FEATURES), csv.as_bytes())?;
    }
    let file = folder.join("campaign.toml");
    write_private(&file, own.copy.toml()?.as_bytes())?;
    Ok(file)
}

/// Writes the campaign's folder: its genes, and features where the specimen brings its own.
pub async fn write_campaign_folder(ground: &Ground, control: &str) -> anyhow::Result<(PathBuf, Vec<String>)> {
    let folder = ground.folder.join("campaign");
    std::fs::create_dir_all(&folder)?;
    write_private(&folder.join("genes.csv"), fetch(&format!("{control}/genes.csv")).await?.as_bytes())?;
    let settings = &ground.record.settings;
    let features = match (&settings.features, &settings.screen) {
        (Some(file), _) => vec![absolute(file)?],
        (None, Some(_)) => Vec::new(),
        (None, None) => {
            let csv = fetch(&format!("{control}/features.csv")).await?;
            write_private(&folder.join("features.csv"), csv.as_bytes())?;
            vec!["features.csv".to_owned()]
        }
    };
    Ok((folder, features))
}

fn absolute(path: &Path) -> anyhow::Result<String> {
    let path = path.canonicalize().with_context(|| format!("cannot find {}", path.display()))?;
    Ok(super::campaign_file::path_text(&path))
}
