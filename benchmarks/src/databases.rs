//! Databases in the cluster that `scripts/private-postgres` gives.
//!
//! Each measurement has a database of its own, copied from a template: none finds what another left.

use anyhow::Context;
use serde::Serialize;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use std::path::PathBuf;
use std::str::FromStr;

use crate::processes;

/// The cluster, as its superuser.
#[derive(Clone, Debug)]
pub struct Cluster {
    url: String,
    /// Process id of the postmaster.
    pub postmaster: u32,
}

impl Cluster {
    /// `url` is a superuser's.
    pub async fn at(url: &str) -> anyhow::Result<Self> {
        let mut conn = PgConnection::connect(url).await.context("cannot reach PostgreSQL")?;
        let backend: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut conn).await?;
        let postmaster = processes::parent(u32::try_from(backend)?)?;
        conn.close().await?;
        Ok(Self { url: url.to_owned(), postmaster })
    }

    /// Where `database` is reached.
    pub fn url(&self, database: &str) -> anyhow::Result<String> {
        let (server, options) = self.url.split_once('?').unwrap_or((&self.url, ""));
        let (server, _) = server.rsplit_once('/').context("the URL names no database")?;
        Ok(format!("{server}/{database}?{options}"))
    }

    /// Folder of the data.
    pub async fn folder(&self) -> anyhow::Result<PathBuf> {
        let mut conn = PgConnection::connect(&self.url).await?;
        let folder: String = sqlx::query_scalar("show data_directory").fetch_one(&mut conn).await?;
        Ok(folder.into())
    }

    /// Folder of the server's socket, and its superuser: for programs that take no URL.
    pub fn socket(&self) -> anyhow::Result<(String, String)> {
        let options = PgConnectOptions::from_str(&self.url)?;
        let folder = options.get_socket().context("not a local cluster")?;
        Ok((folder.display().to_string(), options.get_username().to_owned()))
    }

    /// Makes `database` anew, empty or as a copy of `template`.
    pub async fn make(&self, database: &str, template: Option<&str>) -> anyhow::Result<()> {
        self.drop(database).await?;
        let template = template.unwrap_or("template0");
        self.run(&format!("create database {database} template {template}")).await
    }

    pub async fn drop(&self, database: &str) -> anyhow::Result<()> {
        self.run(&format!("drop database if exists {database} with (force)")).await
    }

    /// A few connections to `database`.
    pub async fn pool(&self, database: &str) -> anyhow::Result<PgPool> {
        let options = PgPoolOptions::new().max_connections(4);
        options.connect(&self.url(database)?).await.with_context(|| format!("cannot connect to {database}"))
    }

    /// What was written is on disk: no measurement pays for another.
    pub async fn checkpoint(&self) -> anyhow::Result<()> {
        self.run("checkpoint").await
    }

    async fn run(&self, statement: &str) -> anyhow::Result<()> {
        let mut conn = PgConnection::connect(&self.url).await?;
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
            .execute(&mut conn)
            .await
            .with_context(|| format!("cannot run: {statement}"))?;
        conn.close().await?;
        Ok(())
    }

    /// What decides how fast it writes.
    pub async fn settings(&self) -> anyhow::Result<Vec<Setting>> {
        let mut conn = PgConnection::connect(&self.url).await?;
        let rows: Vec<(String, String)> = sqlx::query_as(
            "select name, current_setting(name)
             from pg_settings
             where name in ('server_version', 'fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers',
                 'max_wal_size', 'wal_sync_method', 'shared_preload_libraries')
             order by name",
        )
        .fetch_all(&mut conn)
        .await?;
        Ok(rows.into_iter().map(|(name, value)| Setting { name, value }).collect())
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct Setting {
    pub name: String,
    pub value: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_of_a_database_keeps_everything_else() {
        let url = "postgres://loopwright@localhost/postgres?host=/tmp/run".to_owned();
        let cluster = Cluster { url, postmaster: 1 };
        assert_eq!(
            cluster.url("other").expect("a URL"),
            "postgres://loopwright@localhost/other?host=/tmp/run"
        );
    }
}
