//! `loopwright inventory`: what stands in the laboratory, by barcode and volume.

use super::client::Client;
use super::output::Output;
use super::page::Paging;
use anyhow::Context;
use clap::Subcommand;
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Plates, where they stand and what is left
    List {
        /// `library` or `assay`
        #[arg(long)]
        role: Option<String>,
        #[command(flatten)]
        page: Paging,
    },
    /// Import source plates: CSV `barcode,labware,well,content,volume_nl`
    ImportLibrary { file: PathBuf },
    /// Import blank assay plates: CSV `barcode,labware,context`
    ImportAssayPlates { file: PathBuf },
}

pub async fn run(command: Command, client: &Client, output: Output) -> anyhow::Result<()> {
    match command {
        Command::List { role, page } => {
            let route = page.of("/api/v1/inventory/plates", &[("role", role.as_deref())]);
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
        Command::ImportLibrary { file } => import(client, output, &file, "/api/v1/inventory/library").await,
        Command::ImportAssayPlates { file } => {
            import(client, output, &file, "/api/v1/inventory/assay-plates").await
        }
    }
}

async fn import(client: &Client, output: Output, file: &Path, route: &str) -> anyhow::Result<()> {
    let csv = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let answer = client.post_text(route, "text/csv", csv).await?;
    output.record(&answer)
}
