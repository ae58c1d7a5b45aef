//! Looks after every process while something else is done: starts again what died, and writes down who is who.

use super::ground::{Ground, write_private};
use super::narrate::Narrator;
use super::postgres::Postgres;
use super::supervisor::Supervisor;
use crate::cli::client::Refused;
use anyhow::Context;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How often the processes are looked at.
const LOOK: Duration = Duration::from_millis(25);
/// How long after a death (or the start) a server that is not reached may be starting again.
const STARTS_AGAIN: Duration = Duration::from_secs(30);

/// The processes and who tells of them.
pub struct Care<'a> {
    pub narrator: Narrator,
    ground: &'a Ground,
    supervisor: &'a mut Supervisor,
    /// `None`: the demo stands on a database that somebody else looks after.
    postgres: Option<&'a mut Postgres>,
    /// As last written down.
    processes: BTreeMap<String, u32>,
    /// When somebody died last.
    death: Instant,
}

impl<'a> Care<'a> {
    pub fn new(
        narrator: Narrator,
        ground: &'a Ground,
        supervisor: &'a mut Supervisor,
        postgres: Option<&'a mut Postgres>,
    ) -> Self {
        Self { narrator, ground, supervisor, postgres, processes: BTreeMap::new(), death: Instant::now() }
    }

    pub fn supervisor(&mut self) -> &mut Supervisor {
        self.supervisor
    }

    /// Does `work`, and looks after the processes meanwhile.
    pub async fn during<T>(&mut self, work: impl Future<Output = T>) -> anyhow::Result<T> {
        tokio::pin!(work);
        loop {
            self.tend().await?;
            tokio::select! {
                done = &mut work => return Ok(done),
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Does what may be repeated: again when it failed because something died under it. What the server refuses
    /// is refused.
    pub async fn persistently<T, W>(&mut self, work: impl Fn() -> W) -> anyhow::Result<T>
    where
        W: Future<Output = anyhow::Result<T>>,
    {
        loop {
            let error = match self.during(work()).await? {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            let is_refused = error
                .chain()
                .any(|cause| cause.downcast_ref::<Refused>().is_some_and(|refused| refused.status < 500));
            if is_refused || self.death.elapsed() > STARTS_AGAIN {
                return Err(error);
            }
            self.during(tokio::time::sleep(LOOK * 4)).await?;
        }
    }

    async fn tend(&mut self) -> anyhow::Result<()> {
        for news in self.supervisor.tend()? {
            self.death = Instant::now();
            self.narrator.say(&news);
        }
        self.write_down()?;
        if let Some(postgres) = self.postgres.as_deref_mut()
            && postgres.has_ended()
        {
            self.death = Instant::now();
            self.narrator.say("PostgreSQL ended; starting it again (see postgres.log)");
            let again = postgres.start_again(&self.ground.folder).await;
            again.context("PostgreSQL ended and does not come up again")?;
            self.write_down()?;
        }
        Ok(())
    }

    /// Process ids by name: for people who look at memory, and for tests that kill.
    fn write_down(&mut self) -> anyhow::Result<()> {
        let mut now = self.supervisor.pids();
        let postgres = self.postgres.as_deref().and_then(Postgres::pid);
        now.extend(postgres.map(|pid| ("postgres".to_owned(), pid)));
        if now != self.processes {
            let path = self.ground.folder.join("processes.json");
            write_private(&path, &serde_json::to_vec_pretty(&now)?)?;
            self.processes = now;
        }
        Ok(())
    }
}
