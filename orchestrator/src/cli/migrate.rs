//! `loopwright migrate`: the schema, as its owner.

use clap::Args;

#[derive(Debug, Args)]
pub struct MigrateArguments {
    /// PostgreSQL URL of the schema's owner
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
}

pub async fn run(arguments: MigrateArguments) -> anyhow::Result<()> {
    crate::store::migrate(&arguments.database_url).await?;
    println!("The schema is up to date.");
    Ok(())
}
