//! Where the record is read from: a server, or the database itself.

use crate::cli::client::Client;
use crate::store::addresses;
use crate::store::events::{self, Broken, Exported, Head};
use anyhow::Context;
use sqlx::PgConnection;

const PIECE: i64 = 2000;

pub(super) enum Source {
    Server(Client),
    Database(Box<PgConnection>),
}

impl Source {
    pub async fn database(url: &str) -> anyhow::Result<Self> {
        let conn = addresses::connect_once(url).await.context("cannot reach the database")?;
        Ok(Source::Database(Box::new(conn)))
    }

    pub async fn head(&mut self) -> anyhow::Result<Head> {
        match self {
            Source::Server(client) => Ok(serde_json::from_value(client.get("/api/v1/audit/head").await?)?),
            Source::Database(conn) => {
                let (position, chain_sha256) = events::head(conn).await?;
                Ok(Head { position, chain_sha256 })
            }
        }
    }

    /// The next pieces behind a position.
    pub async fn after(&mut self, position: i64) -> anyhow::Result<Vec<Exported>> {
        match self {
            Source::Server(client) => {
                let path = format!("/api/v1/audit/export?after={position}&limit={PIECE}");
                Ok(serde_json::from_value(client.get(&path).await?)?)
            }
            Source::Database(conn) => Ok(events::export_after(conn, position, PIECE).await?),
        }
    }

    /// Whether every event of a sealed time has its position. A server shows sealed events only.
    pub async fn nothing_slipped_in(&mut self) -> anyhow::Result<Result<(), Broken>> {
        match self {
            Source::Server(_) => Ok(Ok(())),
            Source::Database(conn) => Ok(events::nothing_slipped_in(conn).await?),
        }
    }
}
