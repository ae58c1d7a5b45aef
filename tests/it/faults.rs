//! What does not kill: a bad network, a process that slept, a database that was started again or holds an old
//! snapshot, full disks. Each campaign is judged by the bench's truth log.

use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use system_tests::clock::Clock;
use system_tests::judge::Verdict;
use system_tests::laboratory::Laboratory;
use system_tests::live::live;
use system_tests::matrix::fast_laboratory;
use system_tests::person::Person;
use system_tests::proxy::{Proxy, Weather};
use system_tests::scene::{Scene, signal};

const LIMIT: Duration = Duration::from_secs(280);

/// A campaign that takes its time: something can happen to it.
const SLOW: [&str; 3] = ["--auto-approve", "--transfer-seconds", "0.03"];

fn assert_sound(verdict: &Verdict, scene: &Scene) {
    assert!(verdict.is_sound(), "{verdict}\n{}\n{}", scene.words(), scene.laboratory.logs());
    assert_eq!(verdict.measured.len(), 2, "both rounds were measured");
}

fn happened(laboratory: &Laboratory, event: &str) -> usize {
    laboratory.truth().iter().filter(|it| it["event"] == event).count()
}

/// Where the demo's service will listen, once it says so.
fn service(demo: PathBuf) -> impl Fn() -> Option<SocketAddr> + Send + Sync {
    move || {
        let record: Value = serde_json::from_slice(&std::fs::read(demo.join("demo.json")).ok()?).ok()?;
        Some(SocketAddr::from(([127, 0, 0, 1], u16::try_from(record["port"].as_u64()?).ok()?)))
    }
}

#[test]
fn a_bad_network_between_workers_and_service_loses_and_repeats_nothing() {
    let mut laboratory = fast_laboratory(7, &SLOW);
    let proxy = Proxy::open(service(laboratory.demo())).unwrap();
    laboratory.arguments.extend(["--workers-through".to_owned(), proxy.url()]);
    let mut scene = Scene::open(laboratory).unwrap();
    // Half-open for longer than a lease: what has begun goes on, and nothing else begins. Nobody would be told
    // that no answer comes, so it ends with a cut.
    let spells = [
        (Weather::Slow(Duration::from_millis(150)), 1500),
        (Weather::Again(Duration::from_millis(40)), 1500),
        (Weather::Cut, 1000),
        (Weather::Again(Duration::from_millis(700)), 2000),
        (Weather::HalfOpen, 3500),
        (Weather::Cut, 200),
        (Weather::Clear, 1500),
    ];
    let mut coming = spells.iter().cycle().take(2 * spells.len()).peekable();
    let mut next = Instant::now();
    let verdict = live(&mut scene, &mut Person::default(), LIMIT, |_| {
        if Instant::now() > next
            && let Some((weather, spell_ms)) = coming.next()
        {
            proxy.set(*weather);
            next = Instant::now() + Duration::from_millis(*spell_ms);
        }
        Ok(coming.peek().is_none())
    });
    proxy.set(Weather::Clear);
    assert_sound(&verdict.unwrap(), &scene);
    assert!(proxy.repeated() > 0, "nothing came twice");
}

#[test]
fn an_agent_that_slept_past_its_lease_begins_nothing_and_is_heard() {
    let mut scene = Scene::open(fast_laboratory(7, &SLOW)).unwrap();
    let mut asleep: Option<(u32, Instant)> = None;
    let mut slept = false;
    let verdict = live(&mut scene, &mut Person::default(), LIMIT, |scene| {
        match asleep {
            None if !slept && happened(&scene.laboratory, "transferred") >= 5 => {
                let pid = scene.processes()["agent-handler-1"];
                signal(pid, "STOP");
                asleep = Some((pid, Instant::now()));
            }
            // Until the queue has given up on it.
            Some((pid, _)) if in_doubt(&scene.laboratory) > 0 => {
                signal(pid, "CONT");
                (asleep, slept) = (None, true);
            }
            Some((_, since)) => assert!(since.elapsed() < LIMIT, "its lease never ran out"),
            None => {}
        }
        Ok(slept)
    });
    let verdict = verdict.unwrap();
    assert_sound(&verdict, &scene);
    assert!(verdict.in_doubt >= 1);
}

fn in_doubt(laboratory: &Laboratory) -> u64 {
    let counted = laboratory.database("select count(*) from event where kind = 'JobInDoubt'");
    counted.ok().and_then(|rows| rows.first()?["count"].as_u64()).unwrap_or_default()
}

#[test]
fn a_database_that_is_started_again_in_order_loses_nothing() {
    let mut scene = Scene::open(fast_laboratory(7, &SLOW)).unwrap();
    // After so many transfers each.
    let mut moments = vec![70, 40, 10];
    let verdict = live(&mut scene, &mut Person::default(), LIMIT, |scene| {
        let done = happened(&scene.laboratory, "transferred");
        if moments.last().is_some_and(|at| done >= *at)
            && let Some(pid) = scene.processes().get("postgres")
        {
            moments.pop();
            // Its "fast" way to end: transactions are rolled back, nobody is waited for.
            signal(*pid, "INT");
        }
        Ok(moments.is_empty())
    });
    assert_sound(&verdict.unwrap(), &scene);
}

/// A session that does one statement after the other and keeps its transaction open.
struct Session(Child);

impl Session {
    fn hold(laboratory: &Laboratory, name: &str, statements: &str) -> Self {
        let mut command = laboratory.psql().unwrap();
        let statements =
            format!("begin isolation level repeatable read; {statements}; select pg_sleep(3600)");
        command.env("PGAPPNAME", name).args(["-c", &statements]);
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// A server whose client is killed sleeps on: it is told by another.
    fn end(mut self, laboratory: &Laboratory, name: &str) {
        let query = format!(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = '{name}'"
        );
        laboratory.database(&query).unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn a_snapshot_that_is_held_open_delays_the_record_and_nothing_else() {
    let mut scene = Scene::open(fast_laboratory(7, &["--auto-approve"])).unwrap();
    scene
        .until("a database with events", LIMIT, |laboratory| {
            laboratory.database("select 1 from event limit 1").ok().filter(|rows| !rows.is_empty())
        })
        .unwrap();
    let reader = Session::hold(&scene.laboratory, "reader", "select count(*) from event");
    let writer = Session::hold(&scene.laboratory, "writer", "select pg_current_xact_id()");
    scene
        .until("both sessions", LIMIT, |laboratory| {
            let held = laboratory.database(
                "select 1 from pg_stat_activity
                 where application_name in ('reader', 'writer') and wait_event = 'PgSleep'",
            );
            held.ok().filter(|rows| rows.len() == 2)
        })
        .unwrap();
    // The whole campaign ends under it.
    let mut person = Person::default();
    let end = Instant::now() + LIMIT;
    while person.look(&scene).is_none_or(|state| state != "finished") {
        assert!(Instant::now() < end, "{}\n{}", scene.words(), scene.laboratory.logs());
        std::thread::sleep(Duration::from_millis(50));
    }
    let unsealed = scene
        .laboratory
        .database("select 1 from event where not exists (select from event_seal where event_id = event.id)")
        .unwrap();
    assert!(unsealed.len() > 50, "an open transaction holds the sealer back: it might still write");
    writer.end(&scene.laboratory, "writer");
    let verdict = live(&mut scene, &mut person, LIMIT, |_| Ok(true)).unwrap();
    reader.end(&scene.laboratory, "reader");
    assert_sound(&verdict, &scene);
}

/// A small file system in memory, taken away at the end.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` when this user may not mount.
    fn mount(at: &Path, megabytes: u32) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m,mode=0700"), "none"])
            .arg(at)
            .stderr(Stdio::null())
            .status();
        mounted.is_ok_and(|status| status.success()).then(|| Self(at.to_owned()))
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }

    /// To the last byte.
    fn fill(&self) {
        use std::io::Write;
        let mut file = std::fs::File::create(self.filler()).unwrap();
        while file.write_all(&[1; 4096]).is_ok() {}
    }

    fn make_room(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: whoever still has a file open there is about to end.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn skipped(test: &str) {
    println!("LOOPWRIGHT-TEST-SKIPPED: {test}: this user may not mount");
}

/// Runs a campaign on a laboratory with a small disk that is full between two counts of transfers, for at
/// least so long.
fn full_for_a_while(laboratory: Laboratory, disk: SmallDisk, full: Duration) {
    let mut scene = Scene::open(laboratory).unwrap();
    let mut since: Option<Instant> = None;
    let mut is_over = false;
    let verdict = live(&mut scene, &mut Person::default(), LIMIT, |scene| {
        match since {
            None if !is_over && happened(&scene.laboratory, "transferred") >= 5 => {
                disk.fill();
                since = Some(Instant::now());
            }
            Some(at) if at.elapsed() > full => {
                disk.make_room();
                (since, is_over) = (None, true);
            }
            _ => {}
        }
        Ok(is_over)
    });
    assert_sound(&verdict.unwrap(), &scene);
    drop(scene);
    drop(disk);
}

#[test]
fn a_full_disk_at_an_agent_stops_new_work_and_loses_no_report() {
    let laboratory = fast_laboratory(7, &SLOW);
    let spool = laboratory.demo().join("spool/handler-1");
    // The spool's reserve is 8 MB.
    let Some(disk) = SmallDisk::mount(&spool, 12) else {
        return skipped("a_full_disk_at_an_agent_stops_new_work_and_loses_no_report");
    };
    full_for_a_while(laboratory, disk, Duration::from_secs(4));
}

#[test]
fn a_full_disk_at_the_database_stops_everything_and_loses_nothing() {
    let laboratory = fast_laboratory(7, &SLOW);
    let Some(disk) = SmallDisk::mount(&laboratory.demo().join("pg"), 256) else {
        return skipped("a_full_disk_at_the_database_stops_everything_and_loses_nothing");
    };
    full_for_a_while(laboratory, disk, Duration::from_secs(4));
}

const HOURS: i64 = 3600;

/// Sets the clock of whoever `only` names three hours ahead, three hours back, and right again, in the middle
/// of dispenses.
fn clock_set_in_the_middle(test: &str, only: Option<&str>) {
    let mut laboratory = fast_laboratory(7, &SLOW);
    let Some(clock) = Clock::of(&mut laboratory, only).unwrap() else {
        println!("LOOPWRIGHT-TEST-SKIPPED: {test}: there is no C compiler");
        return;
    };
    let mut scene = Scene::open(laboratory).unwrap();
    // After so many transfers, so far ahead.
    let mut coming = [(5, 3 * HOURS), (25, -3 * HOURS), (60, 0)].into_iter().peekable();
    let verdict = live(&mut scene, &mut Person::default(), LIMIT, |scene| {
        if let Some((transfers, shift)) = coming.peek()
            && happened(&scene.laboratory, "transferred") >= *transfers
        {
            clock.shift(*shift)?;
            coming.next();
        }
        Ok(coming.peek().is_none())
    });
    assert_sound(&verdict.unwrap(), &scene);
}

#[test]
fn agents_whose_clock_is_set_neither_lose_nor_repeat_anything() {
    let test = "agents_whose_clock_is_set_neither_lose_nor_repeat_anything";
    clock_set_in_the_middle(test, Some("loopwright-agen"));
}

#[test]
fn a_laboratory_whose_clock_is_set_neither_loses_nor_repeats_anything() {
    let test = "a_laboratory_whose_clock_is_set_neither_loses_nor_repeats_anything";
    clock_set_in_the_middle(test, None);
}
