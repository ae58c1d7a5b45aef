//! `loopwright audit`: whether the record is the one that was written.
//!
//! The chain is computed here, from what the server (or the database, with `--database-url`) sends: nobody has to
//! believe the server's word that it is sound.

mod source;

use super::arguments::Connection;
use crate::store::events::{Broken, Head, Noted, Walk};
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use source::Source;

#[derive(Debug, Args)]
pub struct AuditArguments {
    #[command(flatten)]
    connection: Connection,
    /// Read the database itself: as any login that may read it
    #[arg(long, env = "LOOPWRIGHT_AUDIT_DATABASE_URL", hide_env_values = true, global = true)]
    database_url: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Compute the chain again; says the first position that was changed, removed, reordered or cut off
    Verify {
        /// A head that was written down elsewhere (POSITION:HASH, or HASH): it must be on the chain
        #[arg(long)]
        head: Option<Noted>,
        /// Begin behind a place that was verified before, as POSITION:HASH
        #[arg(long)]
        from: Option<Head>,
    },
    /// Position and link of the newest sealed event, to be written down elsewhere
    Head,
    /// The record as JSON lines that anybody can verify (docs/audit.md)
    Export {
        /// First position
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(i64).range(1..))]
        from: i64,
        /// Last position (the newest when absent)
        #[arg(long)]
        to: Option<i64>,
    },
}

pub async fn run(arguments: AuditArguments) -> anyhow::Result<()> {
    let output = arguments.connection.output();
    let mut source = match &arguments.database_url {
        Some(url) => Source::database(url).await?,
        None => Source::Server(arguments.connection.client()?),
    };
    match arguments.command {
        Command::Head => {
            let head = source.head().await?;
            output.done(&json!(head), &head.to_string())
        }
        Command::Verify { head, from } => {
            let from = from.unwrap_or_else(Head::origin);
            if head.as_ref().and_then(|noted| noted.position).is_some_and(|noted| noted < from.position) {
                bail!("--head lies before --from: leave --from out, or name a later head");
            }
            match verify(&mut source, &from, head).await? {
                Ok(head) => {
                    let events = head.position - from.position;
                    let sentence = format!("Sound: {events} events follow each other. Head {head}");
                    output.done(&json!({"events": events, "head": head}), &sentence)
                }
                Err(broken) => {
                    if output.json {
                        output.raw(&json!(broken))?;
                    }
                    Err(anyhow::anyhow!("{broken}")).context("the record is not the one that was written")
                }
            }
        }
        Command::Export { from, to } => export(&mut source, from, to).await,
    }
}

async fn verify(
    source: &mut Source,
    from: &Head,
    noted: Option<Noted>,
) -> anyhow::Result<Result<Head, Broken>> {
    // Read first: what is sealed while we walk is not looked at.
    let sealer = source.head().await?;
    let mut walk = Walk::from(from, noted)?;
    while walk.at().position < sealer.position {
        let mut pieces = source.after(walk.at().position).await?;
        pieces.retain(|piece| piece.position <= sealer.position);
        if pieces.is_empty() {
            break;
        }
        if let Err(broken) = walk.take(&pieces) {
            return Ok(Err(broken));
        }
    }
    let slipped = source.nothing_slipped_in().await?;
    Ok(walk.end(&sealer).and_then(|head| slipped.map(|()| head)))
}

async fn export(source: &mut Source, from: i64, to: Option<i64>) -> anyhow::Result<()> {
    let to = match to {
        Some(to) => to,
        None => source.head().await?.position,
    };
    let mut after = from - 1;
    while after < to {
        let pieces = source.after(after).await?;
        let Some(last) = pieces.last() else { break };
        after = last.position;
        for piece in pieces.iter().filter(|piece| piece.position <= to) {
            println!("{}", serde_json::to_string(piece)?);
        }
    }
    Ok(())
}
