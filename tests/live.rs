//! Lets a campaign live until it has finished, whatever is done to it meanwhile, and judges it.

use crate::judge::{Verdict, judge};
use crate::laboratory::Laboratory;
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
            let (still, words) = (stands_still(&scene.laboratory), scene.words());
            bail!("the campaign did not finish\n{words}\n{still}\n{}", scene.laboratory.logs());
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

/// What is left to do, and what it waits for: what a person would look at to see why nothing goes on.
fn stands_still(laboratory: &Laboratory) -> String {
    const LOOKS: [(&str, &str); 9] = [
        ("rounds", "select number, state, held_from, reason from round order by number"),
        (
            "jobs",
            "select job.id, kind, job.instrument, barcode, plate.state as plate, replaces,
                 case when waiting.job_id is not null then 'waiting' when ready.job_id is not null then 'ready'
                     when doubt.job_id is not null then 'in doubt' else lease.phase end as state,
                 (select json_agg(json_build_object('on', depends_on, 'for', requires, 'is', upstream.state))
                  from job_dependency left join job_outcome as upstream on upstream.job_id = depends_on
                  where job_dependency.job_id = job.id) as waits
             from job
             left join plate on plate.id = plate_id
             left join job_outcome on job_outcome.job_id = job.id
             left join job_waiting as waiting on waiting.job_id = job.id
             left join job_ready as ready on ready.job_id = job.id
             left join job_in_doubt as doubt on doubt.job_id = job.id
             left join lease on lease.job_id = job.id
             where job_outcome.job_id is null order by job.id",
        ),
        ("settlements", "select * from settlement"),
        ("places held", "select resource_held.*, resource, plate_id from resource_held join job on id = job_id"),
        ("tasks", "select cause, message from task where closed_at is null"),
        (
            "last outcomes",
            "select job_id, kind, job_outcome.state, settled_at, failure
             from job_outcome join job on id = job_id order by settled_at desc limit 12",
        ),
        (
            "last reports",
            "select job_id, disposition, outcome ->> 'outcome' as outcome, outcome -> 'failure' as failure, actor.name
             from job_report join actor on actor.id = actor_id order by job_report.id desc limit 12",
        ),
        ("holds", "select * from hold"),
        (
            "open transactions",
            "select pid, usename, state, now() - xact_start as age, query from pg_stat_activity
             where xact_start < now() - interval '2 seconds'",
        ),
    ];
    let mut text = String::new();
    for (what, query) in LOOKS {
        let found =
            laboratory.database(query).map(|rows| rows.iter().map(|row| format!("\n  {row}")).collect());
        text += &format!("{what}: {}\n", found.unwrap_or_else(|error: anyhow::Error| format!("{error:#}")));
    }
    text
}
