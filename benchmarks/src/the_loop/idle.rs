//! What a thousand agents cost that wait for work, as agents do: each at its own instrument, asking for work and hearing
//! of a stop there.

use crate::laboratory::crew::{Crew, Hand};
use crate::laboratory::devices::Device;
use crate::laboratory::world::World;
use crate::queue::ground::Ground;
use crate::queue::idle::{Idle, SETTLE, rest};
use crate::queue::worker::instrument;
use jobs::work::Kind;
use std::sync::Arc;
use std::time::Duration;

/// Until all of them stand waiting, their first waits ended one after the other, and the connections on which they
/// asked for orders at first were let go (30 s without a question).
const GATHER: Duration = Duration::from_secs(120);

pub async fn agents(ground: &Ground, count: usize, window: Duration) -> anyhow::Result<Idle> {
    let database = ground.database(0).await?;
    let serving = ground.serve(&database).await?;
    let pid = serving.service.pid;
    tokio::time::sleep(SETTLE).await;
    let alone = rest(&database.pool, pid, window / 2).await?;
    let spools = tempfile::tempdir()?;
    let device = Arc::new(Device { world: Arc::new(World::default()), takes: Duration::ZERO });
    let hands = ground.tokens()[..count].iter().enumerate().map(|(number, token)| Hand {
        name: instrument(number),
        queue: Kind::Move.queue(),
        capabilities: vec![Kind::Move.capability().to_owned()],
        instrument: Some(instrument(number)),
        token: token.clone(),
        handler: device.clone(),
    });
    let crew = Crew::work(hands.collect(), serving.service.address, spools.path())?;
    tokio::time::sleep(GATHER).await;
    let waited_for = rest(&database.pool, pid, window).await?;
    serving.service.kill().await?;
    crew.abandon();
    Ok(Idle { alone, waited_for })
}
