//! The primary is killed under load and a synchronous standby takes over: everything goes on, and no robot is given
//! work before the agents have told the new primary what they did.

use crate::clusters::Cluster;
use crate::demo::{assert_accounted, assert_nothing_dispensed_twice};
use crate::kills::{Scene, assert_whole_plates_were_read, count};
use system_tests::laboratory::Laboratory;

#[test]
fn a_standby_takes_over_in_a_dispense_and_nothing_is_lost_or_done_twice() {
    let mut laboratory =
        Laboratory::new(&["--rounds", "2", "--batch", "24", "--seed", "7", "--transfer-seconds", "0.02"]);
    let mut primary = Cluster::new(&laboratory.path().join("pg-primary"));
    let standby = primary.synchronous_standby(&laboratory.path().join("pg-standby"));
    let url =
        format!("postgres://loopwright@127.0.0.1:{},127.0.0.1:{}/loopwright", primary.port, standby.port);
    laboratory.arguments.extend(["--database-url".to_owned(), url]);
    let mut scene = Scene::on(laboratory);

    scene.until_truth("a dispense under way", |truth| count(truth, "transferred") >= 20);
    primary.kill();
    standby.promote();

    let (laboratory, report) = scene.finish();
    assert_accounted(&report, 2, 24);
    assert_nothing_dispensed_twice(&laboratory);
    assert_whole_plates_were_read(&laboratory, 2);
    let closed = "select count(*) from reconciliation
         where opened_because = 'failed_over' and closed_at is not null and unknown_reports = 0 and epoch = database_epoch()";
    assert_eq!(standby.ask(closed), "1", "reconciled once, with nothing lost");
    let told =
        "select count(*) from reconciliation_party where state = 'reconciled' and epoch = database_epoch()";
    assert!(standby.ask(told).parse::<u32>().unwrap() >= 4, "every agent told what it did");
    let too_soon = "select count(*) from job_attempt join job on job.id = job_id
         join reconciliation on opened_because = 'failed_over'
         where queue = 'bench' and leased_at between opened_at and closed_at";
    assert_eq!(standby.ask(too_soon), "0", "nobody was given work in between");
    assert_eq!(standby.ask("select count(*) from job_in_doubt"), "0");
}
