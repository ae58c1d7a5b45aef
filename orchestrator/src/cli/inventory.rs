//! `loopwright inventory`: what stands in the laboratory, by barcode and volume.

use super::client::Client;
use super::output::Output;
use super::page::{Paging, asked};
use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Plates, where they stand and what is left
    List {
        /// `library` or `assay`
        #[arg(long)]
        role: Option<String>,
        /// `available`, `reserved`, `used` or `withdrawn`
        #[arg(long)]
        state: Option<String>,
        /// Part of the barcode
        #[arg(long)]
        search: Option<String>,
        #[command(flatten)]
        page: Paging,
    },
    /// One plate: what stands in its wells, who drew from it, what people did to it
    Show { barcode: String },
    /// Reagents by name: what may still be drawn of each, over all source plates
    Contents {
        /// Part of the name
        #[arg(long)]
        search: Option<String>,
        #[command(flatten)]
        page: Paging,
    },
    /// What the rounds to come take from the stock, and what runs out when
    Supplies {
        /// Laboratory days to look ahead
        #[arg(long, default_value_t = 28, value_parser = clap::value_parser!(u32).range(1..=92))]
        days: u32,
    },
    /// Set what the books say of source wells to what was found: CSV `barcode,well,volume_nl[,content]`
    Count {
        file: PathBuf,
        #[arg(long)]
        reason: String,
    },
    /// Take a plate out of the laboratory: empty, contaminated, lost
    Withdraw(Order),
    /// Bring a withdrawn plate back, into its place in storage
    PutBack(Order),
    /// Say that a plate stands in its place in storage: it was found, or carried there
    Found(Order),
    /// Import source plates: CSV `barcode,labware,well,content,volume_nl`
    ImportLibrary { file: PathBuf },
    /// Import blank assay plates: CSV `barcode,labware,context`
    ImportAssayPlates { file: PathBuf },
}

#[derive(Debug, Args)]
pub struct Order {
    barcode: String,
    #[arg(long)]
    reason: String,
}

pub async fn run(command: Command, client: &Client, output: Output) -> anyhow::Result<()> {
    match command {
        Command::List { role, state, search, page } => {
            let filters =
                [("role", role.as_deref()), ("state", state.as_deref()), ("search", search.as_deref())];
            let route = page.of("/api/v1/inventory/plates", &filters);
            output.list(
                &client.get(&route).await?,
                &[
                    ("/barcode", "barcode"),
                    ("/role", "role"),
                    ("/labware", "labware"),
                    ("/context", "context"),
                    ("/state", "state"),
                    ("/at", "location"),
                    ("/volume_nl", "volume nL"),
                    ("/reserved_nl", "reserved nL"),
                ],
                "The inventory is empty: loopwright inventory import-library FILE.csv",
            )
        }
        Command::Show { barcode } => {
            output.record(&client.get(&format!("/api/v1/inventory/plates/{barcode}")).await?)
        }
        Command::Contents { search, page } => {
            let route = page.of("/api/v1/inventory/contents", &[("search", search.as_deref())]);
            output.list(
                &client.get(&route).await?,
                &[
                    ("/content", "content"),
                    ("/drawable_nl", "drawable nL"),
                    ("/reserved_nl", "reserved nL"),
                    ("/wells", "wells"),
                    ("/plates", "plates"),
                ],
                "No source plate holds anything of that name.",
            )
        }
        Command::Supplies { days } => output.list(
            &client.get(&format!("/api/v1/inventory/supplies?days={days}")).await?,
            &[
                ("/name", "what"),
                ("/kind", "kind"),
                ("/labware", "labware"),
                ("/there", "there"),
                ("/wanted", "wanted"),
                ("/rounds", "rounds"),
                ("/short_lab_at", "short from"),
                ("/short_for/campaign", "campaign"),
            ],
            "No round to come takes anything from the stock.",
        ),
        Command::Count { file, reason } => {
            let route = asked("/api/v1/inventory/volumes", [("reason", reason.as_str())]);
            import(client, output, &file, &route).await
        }
        Command::Withdraw(order) => carry_out(client, output, &order, "withdraw", "is withdrawn").await,
        Command::PutBack(order) => carry_out(client, output, &order, "put-back", "is back in storage").await,
        Command::Found(order) => carry_out(client, output, &order, "found", "stands in storage").await,
        Command::ImportLibrary { file } => import(client, output, &file, "/api/v1/inventory/library").await,
        Command::ImportAssayPlates { file } => {
            import(client, output, &file, "/api/v1/inventory/assay-plates").await
        }
    }
}

async fn carry_out(
    client: &Client,
    output: Output,
    order: &Order,
    verb: &str,
    now: &str,
) -> anyhow::Result<()> {
    let route = format!("/api/v1/inventory/plates/{}/{verb}", order.barcode);
    let answer = client.post(&route, &json!({ "reason": order.reason })).await?;
    output.done(&answer, &format!("{} {now}.", order.barcode))
}

async fn import(client: &Client, output: Output, file: &Path, route: &str) -> anyhow::Result<()> {
    let csv = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let answer = client.post_text(route, "text/csv", csv).await?;
    output.record(&answer)
}
