//! Lets a campaign live until it has finished, whatever is done to it meanwhile, and judges it.

use crate::judge::{Verdict, judge};
use crate::person::Person;
use crate::scene::Scene;
use anyhow::bail;
use std::time::{Duration, Instant};

const LOOK: Duration = Duration::from_millis(4);
const PERSON_LOOKS: Duration = Duration::from_millis(250);
/// The last reports and events are on their way when a campaign finishes.
const SETTLES: Duration = Duration::from_secs(30);

/// `hurt` is called again and again; it answers whether it is done with it, so that the end is not missed.
pub fn live(
    scene: &mut Scene,
    person: &mut Person,
    limit: Duration,
    mut hurt: impl FnMut(&mut Scene) -> anyhow::Result<bool>,
) -> anyhow::Result<Verdict> {
    let end = Instant::now() + limit;
    let mut looked = Instant::now();
    let mut has_finished = false;
    loop {
        let is_done = hurt(scene)?;
        if has_finished && is_done {
            return settled(scene);
        }
        scene.keep_up()?;
        if looked.elapsed() > PERSON_LOOKS {
            looked = Instant::now();
            has_finished |= person.look(scene).is_some_and(|state| state == "finished");
        }
        if Instant::now() > end {
            bail!("the campaign did not finish\n{}\n{}", scene.words(), scene.laboratory.logs());
        }
        std::thread::sleep(LOOK);
    }
}

/// Judges again and again until all is sound, or there was time enough.
fn settled(scene: &mut Scene) -> anyhow::Result<Verdict> {
    let end = Instant::now() + SETTLES;
    loop {
        scene.keep_up()?;
        let judged = scene.api().and_then(|api| judge(&scene.laboratory, &api));
        let is_over = Instant::now() > end;
        match judged {
            Ok(verdict) if verdict.is_sound() || is_over => return Ok(verdict),
            Err(error) if is_over => return Err(error),
            _ => std::thread::sleep(Duration::from_millis(250)),
        }
    }
}
