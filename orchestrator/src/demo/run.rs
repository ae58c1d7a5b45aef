//! The demo from start to end.

use super::bring_up;
use super::bystander::{repeat_quarantined, settle_doubts};
use super::campaign_file::{self, Specimen};
use super::care::Care;
use super::ground::{Ground, Settings};
use super::hands;
use super::history;
use super::narrate::Narrator;
use super::own::{self, Own};
use super::postgres::Postgres;
use super::report;
use super::supervisor::Supervisor;
use crate::cli::client::Client;
use crate::store;
use anyhow::{Context, bail};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// A server that does not answer must not keep us from looking after the processes.
const ASK_TIMEOUT: Duration = Duration::from_secs(5);

/// How often the demo looks at its campaign, and how often when nothing has changed.
const LOOK_SOON: Duration = Duration::from_millis(300);
const LOOK_LATER: Duration = Duration::from_millis(1500);

/// What `loopwright demo` was asked for.
#[derive(Clone, Debug)]
pub struct Options {
    pub settings: Settings,
    pub data_dir: PathBuf,
    pub port: Option<u16>,
    /// End by itself when the campaign has finished.
    pub headless: bool,
    /// PostgreSQL that is there already, as its owner; a private one when absent. A secret.
    pub database_url: Option<String>,
    /// Print a JSON object at the end.
    pub json: bool,
    /// Seconds that one transfer takes on the simulated bench: for those who want to watch, or to interfere.
    pub transfer_seconds: f64,
    /// Leave jobs in doubt to a person, also when nobody approves.
    pub leave_doubts: bool,
    /// The pause before a process is started again; `None`: it grows with every death.
    pub restart_pause: Option<Duration>,
    /// Said to the service beyond the usual.
    pub serve_options: Vec<String>,
    /// Said to the bench beyond the usual.
    pub bench_options: Vec<String>,
    /// What is said to whoever stops it.
    pub after_a_stop: &'static str,
    /// Where workers find the service; `None`: where it is.
    pub workers_through: Option<String>,
}

/// Runs until the campaign has finished (headless) or somebody interrupts.
pub async fn run(options: Options) -> anyhow::Result<()> {
    check_files(&options.settings)?;
    let ground = Ground::take(&options.data_dir, options.settings.clone(), options.port)?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut supervisor = Supervisor::new(ground.folder.join("logs"), options.restart_pause)?;
    let mut postgres = None;
    let ended = tokio::select! {
        ended = play(&options, &ground, &mut supervisor, &mut postgres) => ended,
        _ = tokio::signal::ctrl_c() => {
            eprintln!("\nStopping. {}", options.after_a_stop);
            Ok(())
        }
        _ = terminate.recv() => Ok(()),
    };
    supervisor.stop().await;
    if let Some(postgres) = postgres {
        postgres.stop().await;
    }
    ended
}

fn check_files(settings: &Settings) -> anyhow::Result<()> {
    let named = settings.screen.iter().chain(&settings.features).chain(&settings.priors);
    for file in named {
        if !file.is_file() {
            bail!("{} is not there (or not a file)", file.display());
        }
    }
    Ok(())
}

async fn play(
    options: &Options,
    ground: &Ground,
    supervisor: &mut Supervisor,
    postgres: &mut Option<Postgres>,
) -> anyhow::Result<()> {
    let mut narrator = Narrator::new();
    narrator.say(if ground.is_new { "Setting up a laboratory" } else { "Going on where it was" });
    let url = match &options.database_url {
        Some(url) => url.clone(),
        None => postgres.insert(Postgres::start(&ground.folder).await?).url(),
    };
    store::migrate(&url).await.context("cannot bring the schema up to date")?;
    bring_up::start_clock(&url).await?;
    bring_up::make_tokens(ground, &url).await?;
    let people = bring_up::make_people(ground, &url).await?;

    supervisor.start(bring_up::bench_recipe(ground, options.transfer_seconds, &options.bench_options)?)?;
    supervisor.start(bring_up::serve_recipe(ground, &url, &options.serve_options)?)?;
    let endpoints = bring_up::bench_endpoints(ground, supervisor).await?;
    bring_up::server_answers(ground, supervisor).await?;
    let client = Client::new(&ground.server_url(), &ground.token_file("operator"))?;
    let control = endpoints.get("control").context("the bench names no control address")?;
    let own_url = ground.server_url();
    let server_url = options.workers_through.as_deref().unwrap_or(&own_url);
    let mut care = Care::new(narrator, ground, supervisor, postgres.as_mut());
    let specimen = care.persistently(|| bring_up::hand_over(&client, control, ground)).await?;
    care.supervisor().start(bring_up::learner_recipe(ground, server_url)?)?;
    for recipe in bring_up::agent_recipes(ground, server_url, &endpoints)? {
        care.supervisor().start(recipe)?;
    }
    let campaign = care.persistently(|| find_or_create_campaign(ground, &client, control, &specimen)).await?;
    let is_over_soon = options.headless && ground.own.is_some();
    care.narrator.introduce(ground, &specimen, &campaign, &people, is_over_soon);
    let finished = follow(options, ground, &mut care, &client, &campaign, &specimen, &endpoints).await?;
    if let Some(own) = &ground.own {
        let told = tell_own(options, &client, own, &specimen, &finished).await;
        if !options.headless {
            care.narrator.say("The laboratory stays up; Ctrl-C stops it.");
            loop {
                care.during(tokio::time::sleep(LOOK_LATER)).await?;
            }
        }
        return told;
    }
    if options.json {
        println!("{}", serde_json::to_string(&report::of(&finished, &specimen, &ground.record.settings))?);
    }
    Ok(())
}

/// The report of a simulated campaign. One that stands still is an error: its file would do so in the laboratory.
async fn tell_own(
    options: &Options,
    client: &Client,
    own: &Own,
    specimen: &bring_up::SpecimenReport,
    progress: &Value,
) -> anyhow::Result<()> {
    let report = own::report::of(client, own, specimen, progress).await?;
    if options.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{}", own::report::text(&report, own));
    }
    match stuck(progress) {
        Some(reason) => bail!("the simulated campaign stands still: {reason}"),
        None => Ok(()),
    }
}

async fn find_or_create_campaign(
    ground: &Ground,
    client: &Client,
    control: &str,
    specimen: &bring_up::SpecimenReport,
) -> anyhow::Result<String> {
    let listed = client.get("/api/v1/campaigns").await?;
    let name = ground.own.as_ref().map_or(campaign_file::NAME, |own| &own.spec.name);
    let existing = listed["items"].as_array().into_iter().flatten().find(|campaign| campaign["name"] == name);
    if let Some(id) = existing.and_then(|campaign| campaign["id"].as_str()) {
        return Ok(id.to_owned());
    }
    let file = match &ground.own {
        Some(own) => bring_up::write_copy(ground, own, control).await?,
        None => write_demo_campaign(ground, control, specimen).await?,
    };
    let created =
        crate::cli::campaign::create_from_file(client, &file, Some(ground.record.settings.seed)).await?;
    created["id"].as_str().map(str::to_owned).context("the server named no campaign")
}

/// Answers the file.
async fn write_demo_campaign(
    ground: &Ground,
    control: &str,
    specimen: &bring_up::SpecimenReport,
) -> anyhow::Result<PathBuf> {
    let (folder, features) = bring_up::write_campaign_folder(ground, control).await?;
    let description = Specimen { name: specimen.name.clone(), contexts: specimen.contexts.clone() };
    let file = folder.join("campaign.toml");
    let text = campaign_file::toml(&ground.record.settings, &description, &features);
    super::ground::write_private(&file, text.as_bytes())?;
    Ok(file)
}

/// Follows the campaign until it has finished; in the foreground, until interrupted.
async fn follow(
    options: &Options,
    ground: &Ground,
    care: &mut Care<'_>,
    client: &Client,
    campaign: &str,
    specimen: &bring_up::SpecimenReport,
    endpoints: &BTreeMap<String, String>,
) -> anyhow::Result<Value> {
    let mut pause = LOOK_SOON;
    let mut seen = Value::Null;
    let mut said_finished = false;
    loop {
        care.during(tokio::time::sleep(pause)).await?;
        // The server may be starting again: ask once more at the next tick.
        let asked = care.during(tokio::time::timeout(ASK_TIMEOUT, look(client, campaign))).await?;
        let Ok(Ok((progress, tasks))) = asked else { continue };
        // Where only a person is awaited there is nothing to see for a while.
        pause = if seen == progress && !options.headless { LOOK_LATER } else { LOOK_SOON };
        seen.clone_from(&progress);
        let settings = &ground.record.settings;
        let makes_history = !settings.auto_approve && history::is_being_made(&progress, settings.history);
        care.narrator.tell(&progress, specimen, ground, settings.auto_approve || makes_history);
        if makes_history {
            // The batch may be drafted anew, or the server start again: once more at the next tick.
            let approved = tokio::time::timeout(ASK_TIMEOUT, history::approve(client, &progress));
            let _ = care.during(approved).await?;
        }
        if settings.by_hand || ground.own.is_some() {
            by_hand(care, client, ground, settings.auto_approve || makes_history).await?;
        }
        if (settings.auto_approve || makes_history) && !options.leave_doubts {
            if ground.own.is_some() {
                let repeated = tokio::time::timeout(ASK_TIMEOUT, repeat_quarantined(client, &tasks));
                for decided in care.during(repeated).await?.map(Result::unwrap_or_default).unwrap_or_default()
                {
                    care.narrator.say(&decided);
                }
            }
            let settled = tokio::time::timeout(ASK_TIMEOUT, settle_doubts(client, &tasks, endpoints));
            // The bench may be starting again, or a plate be on its way: look again at the next tick.
            let settled = care.during(settled).await?;
            for seen in settled.map(Result::unwrap_or_default).unwrap_or_default() {
                care.narrator.say(&seen);
            }
        } else {
            care.narrator.ask(&tasks);
        }
        let state = progress["state"].as_str().unwrap_or_default().to_owned();
        let has_ended = matches!(state.as_str(), "finished" | "cancelled");
        if has_ended && (options.headless || ground.own.is_some()) {
            return Ok(progress);
        }
        if has_ended && !said_finished {
            care.narrator.say("The campaign has finished. The laboratory stays up; Ctrl-C stops it.");
            said_finished = true;
        }
        if options.headless
            && let Some(reason) = stuck(&progress)
        {
            if ground.own.is_some() {
                return Ok(progress);
            }
            bail!(
                "the campaign stands still and waits for a person: {reason}\n\
                 Start it again without --headless: it stays up, and goes on when that is decided."
            );
        }
    }
}

/// Steps by hand are done where nobody is awaited, else told.
async fn by_hand(
    care: &mut Care<'_>,
    client: &Client,
    ground: &Ground,
    unattended: bool,
) -> anyhow::Result<()> {
    // What is refused or not reached is looked at again at the next tick.
    let asked = care.during(tokio::time::timeout(ASK_TIMEOUT, hands::look(client))).await?;
    let Ok(Ok(steps)) = asked else { return Ok(()) };
    if unattended {
        let _ = care.during(tokio::time::timeout(ASK_TIMEOUT, hands::do_all(client, &steps))).await?;
    } else {
        care.narrator.ask_for_hands(&steps, ground);
    }
    Ok(())
}

/// How the campaign stands, and what waits for a person.
async fn look(client: &Client, campaign: &str) -> anyhow::Result<(Value, Value)> {
    let progress = client.get(&format!("/api/v1/campaigns/{campaign}/progress")).await?;
    Ok((progress, client.get("/api/v1/tasks").await?))
}

/// Why a headless run could wait for ever, when it does.
fn stuck(progress: &Value) -> Option<String> {
    let stands = |round: &&Value| matches!(round["state"].as_str(), Some("held" | "failed"));
    let round = progress["rounds"].as_array()?.iter().find(stands)?;
    Some(round["reason"].as_str().unwrap_or("no reason given").to_owned())
}
