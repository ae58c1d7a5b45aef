//! `loopwright job`: the queue, seen and decided on by people.

use super::client::Client;
use super::output::Output;
use super::page::Paging;
use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

/// Transfers shown that went otherwise than intended.
const DIFFERENCES: usize = 20;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Jobs, the newest first
    List {
        /// Only those in this state (`in_doubt`, `ready`, ..)
        #[arg(long)]
        state: Option<String>,
        #[arg(long)]
        kind: Option<String>,
        #[arg(long)]
        round: Option<String>,
        /// Only those addressed to it
        #[arg(long)]
        instrument: Option<String>,
        #[command(flatten)]
        page: Paging,
    },
    /// Payload, attempts, reports, and what is known when it is in doubt
    Show { id: String },
    /// Keep it in the queue, give it to nobody
    Pause {
        id: String,
        #[arg(long)]
        reason: String,
    },
    /// Let it go to its end; what needs it to succeed does not begin
    Drain {
        id: String,
        #[arg(long)]
        reason: String,
    },
    /// Go on after a pause or a drain
    Resume {
        id: String,
        #[arg(long)]
        reason: String,
    },
    /// Cancel it: at once when nobody holds it, else it is asked to stop at its next safe point
    Cancel {
        id: String,
        #[arg(long)]
        reason: String,
    },
    /// The older name of cancel
    Stop {
        id: String,
        #[arg(long)]
        reason: String,
    },
    /// Steps of the assay that wait for hands, or are in somebody's
    ByHand,
    /// Take a step in hand: nobody else is given it
    Take { id: String },
    /// Nothing was done: it waits for hands again
    GiveBack { id: String },
    /// A step in hand is done, wholly
    Done {
        id: String,
        /// Barcode of a plate, as scanned; may be given several times
        #[arg(long)]
        scanned: Vec<String>,
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Something was done to the plate and went wrong: in doubt until somebody has looked
    WentWrong {
        id: String,
        #[arg(long)]
        reason: String,
    },
    /// Say what really happened to a job in doubt, after looking
    Resolve {
        id: String,
        resolution: Resolution,
        /// What you saw
        #[arg(long)]
        reason: String,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Resolution {
    /// It happened, wholly
    Done,
    /// It did not happen at all: it is queued anew
    #[value(alias = "not_done")]
    NotDone,
    /// The plate cannot be used: it is made again
    #[value(alias = "plate_lost")]
    PlateLost,
}

impl Resolution {
    fn word(self) -> &'static str {
        match self {
            Resolution::Done => "done",
            Resolution::NotDone => "not_done",
            Resolution::PlateLost => "plate_lost",
        }
    }
}

/// What a person needs to decide, readably.
fn in_doubt(id: &str, doubt: &Value) -> String {
    let mut text = String::new();
    let mut line = |what: &str| text.push_str(&format!("{what}\n"));
    let word = |pointer: &str| doubt.pointer(pointer).and_then(Value::as_str);
    line("");
    let why = match word("/why") {
        Some("lost_life") => "it was done in a life of the database that was lost",
        Some("reported_unknown") => "its worker cannot say how it ended",
        _ => "its worker fell silent",
    };
    line(&format!("In doubt since {}: {why}.", word("/since").unwrap_or("?")));
    if let Some(instrument) = word("/instrument") {
        line(&format!("  on              {instrument}"));
    }
    if let Some(claims) = word("/claims") {
        line(&format!("  the worker says {}", claims.replace('_', " ")));
    }
    if let Some(progress) = word("/progress/message") {
        line(&format!("  last progress   {progress}"));
    }
    if let Some(message) = word("/failure/message") {
        line(&format!("  in its words    {message} ({})", word("/failure/code").unwrap_or("?")));
    }
    let transfers = doubt["transfers"].as_array().map_or(&[][..], Vec::as_slice);
    if !transfers.is_empty() {
        let sum = |field: &str| transfers.iter().filter_map(|one| one[field].as_u64()).sum::<u64>();
        let said = transfers.iter().filter(|one| one["reported_nl"].is_u64()).count();
        line(&format!(
            "  transfers       {} intended ({} nl), {said} reported ({} nl)",
            transfers.len(),
            sum("intended_nl"),
            sum("reported_nl")
        ));
        let differ = |one: &&Value| one["reported_nl"].is_u64() && one["reported_nl"] != one["intended_nl"];
        for one in transfers.iter().filter(differ).take(DIFFERENCES) {
            line(&format!(
                "                  {}/{} -> {}/{}: {} nl intended, {} nl reported",
                one["source_barcode"].as_str().unwrap_or("?"),
                one["source_well"].as_str().unwrap_or("?"),
                one["destination_barcode"].as_str().unwrap_or("?"),
                one["destination_well"].as_str().unwrap_or("?"),
                one["intended_nl"],
                one["reported_nl"]
            ));
        }
    }
    line("Look at the device and the plate, then say what happened:");
    for choice in doubt["choices"].as_array().into_iter().flatten() {
        let resolution = choice["resolution"].as_str().unwrap_or("?").replace('_', "-");
        line(&format!("  loopwright job resolve {id} {resolution} --reason .."));
        line(&format!("      {}", choice["will"].as_str().unwrap_or_default()));
    }
    text
}

pub async fn run(command: Command, client: &Client, output: Output) -> anyhow::Result<()> {
    match command {
        Command::List { state, kind, round, instrument, page } => {
            let filters = [
                ("state", state.as_deref()),
                ("kind", kind.as_deref()),
                ("round_id", round.as_deref()),
                ("instrument", instrument.as_deref()),
            ];
            let listed = client.get(&page.of("/api/v1/jobs", &filters)).await?;
            output.list(
                &listed,
                &[
                    ("/id", "id"),
                    ("/kind", "kind"),
                    ("/state", "state"),
                    ("/instrument", "instrument"),
                    ("/worker", "held by"),
                    ("/failure/message", "failure"),
                ],
                "No jobs",
            )
        }
        Command::Show { id } => {
            let job = client.get(&format!("/api/v1/jobs/{id}")).await?;
            output.record(&job)?;
            if !output.json && job["in_doubt"].is_object() {
                print!("{}", in_doubt(&id, &job["in_doubt"]));
            }
            Ok(())
        }
        Command::Pause { id, reason } => order(client, output, &id, "pause", &reason).await,
        Command::Drain { id, reason } => order(client, output, &id, "drain", &reason).await,
        Command::Resume { id, reason } => order(client, output, &id, "resume", &reason).await,
        Command::Cancel { id, reason } => order(client, output, &id, "cancel", &reason).await,
        Command::Stop { id, reason } => {
            let answer = client.post(&format!("/api/v1/jobs/{id}/stop"), &json!({"reason": reason})).await?;
            output.done(&answer, &format!("Job {id}: asked to stop"))
        }
        Command::ByHand => output.list(
            &client.get("/api/v1/by-hand").await?,
            &[
                ("/instruction", "what to do"),
                ("/plates/0/barcode", "plate"),
                ("/plates/0/at/device", "at"),
                ("/taken_by", "in the hands of"),
                ("/campaign", "campaign"),
                ("/id", "id"),
            ],
            "Nothing waits for hands",
        ),
        Command::Take { id } => {
            let answer = client.post(&format!("/api/v1/jobs/{id}/take"), &json!({})).await?;
            let by = answer["answer_by"].as_str().unwrap_or("?");
            output.done(&answer, &format!("Job {id} is yours: say what became of it by {by}"))
        }
        Command::GiveBack { id } => {
            let answer = client.post(&format!("/api/v1/jobs/{id}/give-back"), &json!({})).await?;
            output.done(&answer, &format!("Job {id}: {}", answer["state"].as_str().unwrap_or("?")))
        }
        Command::Done { id, scanned, note } => {
            let body = json!({"note": note, "scanned": scanned});
            let answer = client.post(&format!("/api/v1/jobs/{id}/done"), &body).await?;
            output.done(&answer, &format!("Job {id}: done"))
        }
        Command::WentWrong { id, reason } => {
            let body = json!({"reason": reason});
            let answer = client.post(&format!("/api/v1/jobs/{id}/went-wrong"), &body).await?;
            output.done(
                &answer,
                &format!("Job {id} is in doubt: loopwright job show {id} says what can be done"),
            )
        }
        Command::Resolve { id, resolution, reason } => {
            let body = json!({"resolution": resolution.word(), "reason": reason});
            let answer = client.post(&format!("/api/v1/jobs/{id}/resolve"), &body).await?;
            output.done(&answer, &format!("Job {id}: {}", resolution.word()))
        }
    }
}

async fn order(client: &Client, output: Output, id: &str, verb: &str, reason: &str) -> anyhow::Result<()> {
    let answer = client.post(&format!("/api/v1/jobs/{id}/{verb}"), &json!({"reason": reason})).await?;
    let state = answer["state"].as_str().unwrap_or("?");
    let already = if answer["already_so"] == true { " (so already)" } else { "" };
    output.done(&answer, &format!("Job {id}: {verb} is ordered{already}; it is {state}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_a_job_in_doubt_is_readable() {
        let transfer = |well: &str, reported: Option<u32>| {
            json!({
                "source_barcode": "L1", "source_well": "A1", "destination_barcode": "P1", "destination_well": well,
                "intended_nl": 100, "reported_nl": reported,
            })
        };
        let doubt = json!({
            "since": "2026-03-02T08:00:00Z", "why": "lost_life", "claims": "succeeded", "instrument": "handler-1",
            "progress": {"message": "transfer 1 of 2"}, "failure": null,
            "transfers": [transfer("A1", Some(90)), transfer("A2", None)],
            "choices": [{"resolution": "not_done", "will": "It is ordered again."}],
        });
        insta::assert_snapshot!(in_doubt("JOB", &doubt), @r"

        In doubt since 2026-03-02T08:00:00Z: it was done in a life of the database that was lost.
          on              handler-1
          the worker says succeeded
          last progress   transfer 1 of 2
          transfers       2 intended (200 nl), 1 reported (90 nl)
                          L1/A1 -> P1/A1: 100 nl intended, 90 nl reported
        Look at the device and the plate, then say what happened:
          loopwright job resolve JOB not-done --reason ..
              It is ordered again.
        ");
    }
}
