//! `loopwright migrate`: the schema, as its owner.

use super::output::Output;
use clap::Args;
use serde_json::json;

#[derive(Debug, Args)]
pub struct MigrateArguments {
    /// PostgreSQL URL of the schema's owner
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
    /// Print JSON instead of a sentence
    #[arg(long)]
    pub json: bool,
}

pub async fn run(arguments: MigrateArguments) -> anyhow::Result<()> {
    crate::store::migrate(&arguments.database_url).await?;
    Output { json: arguments.json }.done(&json!({"schema": "up_to_date"}), "The schema is up to date.")
}
