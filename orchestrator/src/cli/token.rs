//! `loopwright token`: bearer tokens for agents, learners and people.
//!
//! The first one is made on the database itself (`--database-url`), by whoever may log in there; all
//! others over HTTP by a token with the scope `admin`.

use super::arguments::Connection;
use super::page::Paging;
use crate::ids::SYSTEM;
use crate::store;
use crate::store::events::{self, NewEvent, Origin};
use crate::store::tokens::{self, ActorKind, NewToken, Scope};
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

#[derive(Debug, Args)]
pub struct TokenArguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a token; its secret is printed once and kept nowhere
    Create {
        /// Whose it is; the actor is made when there is none of that name
        #[arg(long)]
        actor: String,
        /// person, agent or learner
        #[arg(long, value_parser = kind)]
        kind: ActorKind,
        /// What it may open, e.g. `work:bench` (repeat, or separate by commas)
        #[arg(long = "scope", required = true, value_delimiter = ',', value_parser = scope)]
        scopes: Vec<Scope>,
        /// What it is for
        #[arg(long, default_value = "made on the command line")]
        label: String,
        #[arg(long, default_value_t = 90)]
        valid_days: u32,
        /// Make it on the database itself: for the first token of an installation
        #[arg(long, env = "LOOPWRIGHT_TOKEN_DATABASE_URL", hide_env_values = true)]
        database_url: Option<String>,
    },
    /// Tokens, in the order in which they were made; never their secrets
    List {
        #[command(flatten)]
        page: Paging,
    },
    /// It opens nothing from now on
    Revoke { id: String },
}

pub async fn run(arguments: TokenArguments) -> anyhow::Result<()> {
    let output = arguments.connection.output();
    match arguments.command {
        Command::Create { actor, kind, scopes, label, valid_days, database_url } => {
            let valid_hours = valid_days.checked_mul(24).context("so many days do not fit")?;
            let new = NewToken { actor, kind, scopes, label, valid_hours };
            let created = match database_url {
                Some(url) => on_the_database(&url, &new).await?,
                None => {
                    let client = arguments.connection.client()?;
                    client.post("/api/v1/tokens", &serde_json::to_value(&new)?).await?
                }
            };
            if output.json {
                return output.raw(&created);
            }
            eprintln!("Keep it now, it is not shown again:");
            println!("{}", created["secret"].as_str().context("the server sent no secret")?);
            Ok(())
        }
        Command::List { page } => output.list(
            &arguments.connection.client()?.get(&page.of("/api/v1/tokens", &[])).await?,
            &[
                ("/actor", "actor"),
                ("/kind", "kind"),
                ("/scopes", "scopes"),
                ("/label", "label"),
                ("/expires_at", "expires"),
                ("/revoked_at", "revoked"),
                ("/last_used_at", "last used"),
                ("/id", "id"),
            ],
            "No tokens",
        ),
        Command::Revoke { id } => {
            let answer = arguments.connection.client()?.delete(&format!("/api/v1/tokens/{id}")).await?;
            output.done(&answer, "Revoked")
        }
    }
}

async fn on_the_database(url: &str, new: &NewToken) -> anyhow::Result<Value> {
    let mut conn = crate::store::addresses::connect_once(url).await.context("cannot reach the database")?;
    let mut tx = store::begin(&mut conn).await?;
    let created = tokens::create(&mut tx, new).await?;
    let event = NewEvent {
        kind: "TokenCreated",
        subject: "token",
        subject_id: created.id.to_string(),
        campaign_id: None,
        actor: SYSTEM,
        body: json!({"actor": new.actor, "scopes": new.scopes, "label": new.label, "valid_hours": new.valid_hours}),
    };
    events::from(Origin::of_this_process(), events::append(&mut tx, &event)).await?;
    tx.commit().await?;
    Ok(json!({"id": created.id, "actor_id": created.actor, "secret": created.secret}))
}

fn kind(word: &str) -> anyhow::Result<ActorKind> {
    match ActorKind::ALL.into_iter().find(|kind| kind.as_str() == word) {
        Some(ActorKind::System) | None => bail!("one of: person, agent, learner"),
        Some(kind) => Ok(kind),
    }
}

fn scope(word: &str) -> anyhow::Result<Scope> {
    Scope::ALL.into_iter().find(|scope| scope.as_str() == word).with_context(|| {
        let all: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        format!("one of: {}", all.join(", "))
    })
}
