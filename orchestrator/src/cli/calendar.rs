//! `loopwright calendar`: the time to come, and when no round may begin.

use super::arguments::Connection;
use super::client::Client;
use super::output::Output;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::fmt::Write as _;

#[derive(Debug, Args)]
pub struct CalendarArguments {
    #[command(flatten)]
    pub connection: Connection,
    /// Local date or time, or an instant; now when absent
    #[arg(long)]
    pub from: Option<String>,
    /// The same; a week later when absent, 92 days at most
    #[arg(long)]
    pub to: Option<String>,
    /// IANA name of the time zone to read and show times in
    #[arg(long, default_value = "UTC", global = true)]
    pub zone: String,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// When no round may begin (holidays), or when an instrument is in maintenance
    #[command(subcommand)]
    Blackout(Blackout),
}

#[derive(Debug, Subcommand)]
pub enum Blackout {
    /// From a local date or time to another; dates are meant whole
    Add {
        #[arg(long)]
        from: String,
        #[arg(long)]
        to: String,
        #[arg(long)]
        reason: String,
        /// Maintenance of this one alone
        #[arg(long)]
        instrument: Option<String>,
    },
    /// Closures to come and those that last
    List {
        /// Those that are over as well
        #[arg(long)]
        past: bool,
    },
    /// Takes a closure off the calendar
    Remove { id: String },
}

pub async fn run(arguments: CalendarArguments) -> anyhow::Result<()> {
    let (client, output) = (arguments.connection.client()?, arguments.connection.output());
    match arguments.command {
        Some(Command::Blackout(command)) => blackout(command, &arguments.zone, &client, output).await,
        None => {
            let range = [("from", &arguments.from), ("to", &arguments.to)];
            let mut query = format!("zone={}", encoded(&arguments.zone));
            for (name, text) in range.into_iter().filter_map(|(name, text)| Some((name, text.as_ref()?))) {
                write!(query, "&{name}={}", encoded(text))?;
            }
            let view = client.get(&format!("/api/v1/calendar?{query}")).await?;
            if output.json {
                return output.raw(&view);
            }
            print!("{}", shown(&view, arguments.zone.parse()?));
            Ok(())
        }
    }
}

async fn blackout(command: Blackout, zone: &str, client: &Client, output: Output) -> anyhow::Result<()> {
    let path = "/api/v1/calendar/blackouts";
    match command {
        Blackout::Add { from, to, reason, instrument } => {
            let body = json!({"from": from, "to": to, "reason": reason, "zone": zone, "instrument": instrument});
            let added = client.post(path, &body).await?;
            let (from, to) = (text(&added["from_lab_at"]), text(&added["to_lab_at"]));
            let what = added["instrument"].as_str().map_or("No round begins".to_owned(), |it| format!("{it} is away"));
            output.done(&added, &format!("{what} from {from} to {to}: {}", text(&added["id"])))
        }
        Blackout::List { past } => output.list(
            &client.get(&format!("{path}?past={past}")).await?,
            &[
                ("/from_lab_at", "from"),
                ("/to_lab_at", "to"),
                ("/instrument", "instrument"),
                ("/reason", "reason"),
                ("/id", "id"),
            ],
            "No blackouts: loopwright calendar blackout add --from 2026-12-24 --to 2026-12-31 --reason Christmas",
        ),
        Blackout::Remove { id } => {
            let answer = client.delete(&format!("{path}/{id}")).await?;
            output.done(&answer, "Removed")
        }
    }
}

/// The view as a page: day by day, then what does not fit, then instruments that are full.
fn shown(view: &Value, zone: crate::calendar::Zone) -> String {
    let at = |value: &Value| value.as_str()?.parse().ok().map(|at| zone.wall(at));
    let (mut page, mut today) = (String::new(), None);
    for item in view["items"].as_array().into_iter().flatten() {
        let (Some(from), Some(to)) = (at(&item["from_lab_at"]), at(&item["to_lab_at"])) else { continue };
        if today.replace(from.date()) != Some(from.date()) {
            page += &format!("\n{}\n", from.format("%A, %-d %B %Y"));
        }
        let until = match to {
            to if to == from => "      ".to_owned(),
            to if to.date() == from.date() => to.format("-%H:%M").to_string(),
            to => to.format("-%a %H:%M").to_string(),
        };
        let sure = if item["certain"] == true { " " } else { "~" };
        let campaign = item["campaign"].as_str().map(|name| format!("{name}, ")).unwrap_or_default();
        let on = item["instrument"].as_str().map(|name| format!(" [{name}]")).unwrap_or_default();
        let kind = text(&item["kind"]).replace('_', " ");
        page += &format!(
            "  {sure}{}{until:<10}  {kind:<18}  {campaign}{}{on}\n",
            from.format("%H:%M"),
            text(&item["title"])
        );
        for (sign, words) in [("needs", &item["needs"]), ("DOES NOT FIT:", &item["why_not"])] {
            if let Some(words) = words.as_str() {
                page += &format!("{:40}{sign} {words}\n", "");
            }
        }
    }
    if page.is_empty() {
        return "Nothing is planned in this time.\n".to_owned();
    }
    let full = view["load"].as_array().into_iter().flatten().filter(|load| {
        load["hours"].as_f64().unwrap_or_default() > load["capacity_hours"].as_f64().unwrap_or_default()
    });
    for load in full {
        page += &format!(
            "\n{} is needed {} h on {}, and has {} h\n",
            text(&load["instrument"]),
            load["hours"],
            text(&load["day"]),
            load["capacity_hours"]
        );
    }
    page.trim_start().to_owned() + "\n~ forecast: rounds that have not begun, approved as fast as so far\n"
}

/// What stands in a query and is neither letter, digit nor one of `-._/:` is escaped.
fn encoded(text: &str) -> String {
    let mut query = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._/:".contains(&byte) {
            query.push(char::from(byte));
        } else {
            query += &format!("%{byte:02X}");
        }
    }
    query
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_reads_day_by_day_in_the_zone_that_was_asked_for() {
        let view = json!({
            "items": [
                {"kind": "round_due", "campaign": "screen", "title": "round 2", "from_lab_at": "2026-01-12T07:30:00Z",
                 "to_lab_at": "2026-01-12T07:30:00Z", "instrument": null, "certain": false, "needs": null,
                 "fits": true, "why_not": null},
                {"kind": "incubate", "campaign": "screen", "title": "round 2: incubate 1 plate",
                 "from_lab_at": "2026-01-12T08:30:00Z", "to_lab_at": "2026-01-15T08:30:00Z",
                 "instrument": "incubator-1", "certain": true, "needs": "1 plate", "fits": false,
                 "why_not": "it is full"},
            ],
            "load": [{"instrument": "handler-1", "day": "2026-01-12", "hours": 30.0, "capacity_hours": 24.0}],
        });
        insta::assert_snapshot!(shown(&view, "Europe/Berlin".parse().unwrap()));
        assert_eq!(
            shown(&json!({"items": []}), crate::calendar::Zone::UTC),
            "Nothing is planned in this time.\n"
        );
    }

    #[test]
    fn what_a_query_cannot_hold_is_escaped() {
        assert_eq!(encoded("2026-01-12T08:00:00+01:00"), "2026-01-12T08:00:00%2B01:00");
        assert_eq!(encoded("Europe/Berlin"), "Europe/Berlin");
    }
}
