//! Devices that take and give files: what every driver keeps, kept by folders, and what only they have to.

mod device;
mod killed;

use crate::bed::{code, failed, hands, lease, timings};
use device::{Device, HANDLER, READER, READINGS, pause};
use instruments::drivers::{DriverKind, Timings};
use jobs::FailureClass;
use jobs::work::physical::TransferReport;
use jobs::work::{Outcome, Output};
use jobs::worker::Begun;
use std::time::Duration;

fn assert_in_doubt(device: &Device, outcome: &Outcome) {
    match outcome {
        Outcome::Unknown { failure } => {
            assert!(!device.lease.repeatable, "{outcome:?}");
            assert_eq!(failure.class, FailureClass::NeedsPerson);
        }
        Outcome::Failed { failure } => {
            assert!(device.lease.repeatable, "{outcome:?}");
            assert_eq!(failure.class, FailureClass::Transient);
        }
        other => panic!("{other:?}"),
    }
}

fn transfers(outcome: Outcome) -> Vec<TransferReport> {
    match outcome {
        Outcome::Succeeded { output } => match *output {
            Output::Dispense(done) => done.transfers,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_worklist_is_taken_and_its_transfers_are_reported() {
    let device = Device::handler();
    let (outcome, taken) = tokio::join!(device.perform(), async {
        let text = device.takes().await;
        device.ends();
        text
    });
    assert!(taken.starts_with("Source Plate Name,Source Well"), "{taken}");
    assert_eq!(taken.lines().count(), 5, "four transfers");
    let transfers = transfers(outcome);
    assert_eq!(transfers.len(), 4);
    assert!(transfers.iter().all(|report| report.actual_nl.is_none() && report.error.is_none()));
    assert_eq!((device.requests(), device.ready()), (vec![], vec![]));
}

#[tokio::test]
async fn a_reader_is_told_what_to_read_and_its_file_is_kept_as_it_came() {
    let device = Device::reader();
    let attempt = device.attempt();
    let (outcome, taken) = tokio::join!(device.handler.perform(&attempt), async {
        let text = device.takes().await;
        device.ends();
        text
    });
    assert_eq!(taken, format!("read P-1 as {}: signal", device.id()));
    let Outcome::Succeeded { output } = outcome else { panic!("{outcome:?}") };
    let Output::Read(read) = *output else { panic!("{output:?}") };
    assert_eq!((read.format.as_str(), read.original), ("plate_csv", None));
    assert_eq!(attempt.get_blob(read.raw).await.unwrap(), READINGS.as_str());
    // Nothing among the results was touched.
    assert!(device.path("share/out/2026_P-1.csv").exists());
}

#[tokio::test]
async fn a_reader_without_requests_is_waited_for() {
    let silent = &READER[READER.find("[result]").unwrap()..];
    let device = Device::new(DriverKind::FolderReader, silent, timings());
    device.exports("P-1.csv", "# Plate: P-1\nWell,Channel,Value,Unit\nA1,signal,9,RFU\n");
    let attempt = device.attempt();
    let (outcome, ()) = tokio::join!(device.handler.perform(&attempt), async {
        while !attempt.has_begun() {
            pause().await;
        }
        // Long after the beginning was written down: what lay there before is known.
        tokio::time::sleep(Duration::from_millis(60)).await;
        device.ends();
    });
    let Outcome::Succeeded { output } = outcome else { panic!("{outcome:?}") };
    let Output::Read(read) = *output else { panic!("{output:?}") };
    assert_eq!(attempt.get_blob(read.raw).await.unwrap(), READINGS.as_str(), "and not what lay there before");
}

#[tokio::test]
async fn a_stop_ends_the_waiting_for_a_reader_that_nobody_told() {
    let silent = &READER[READER.find("[result]").unwrap()..];
    let device = Device::new(DriverKind::FolderReader, silent, timings());
    let attempt = device.attempt();
    let (outcome, ()) = tokio::join!(device.handler.perform(&attempt), async {
        while !attempt.has_begun() {
            pause().await;
        }
        attempt.rehearse_stop();
    });
    assert!(matches!(outcome, Outcome::Stopped { .. }), "{outcome:?}");
}

#[tokio::test]
async fn what_comes_while_the_request_still_lies_there_is_no_answer_to_it() {
    for device in Device::both() {
        let (outcome, ()) = tokio::join!(device.perform(), async {
            device.is_asked().await;
            // Somebody saves an old file once more.
            match device.kind {
                DriverKind::FolderReader => device.exports("old P-1.csv", &READINGS.replace("1.5", "9")),
                _ => device.exports(&format!("{}.old", device.id()), "failed: long ago"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            device.takes().await;
            device.ends();
        });
        let Outcome::Succeeded { output } = &outcome else { panic!("{outcome:?}") };
        if device.kind == DriverKind::FolderReader {
            assert!(format!("{output:?}").contains(&jobs::Digest::of(READINGS.as_bytes()).to_string()));
        }
    }
}

#[tokio::test]
async fn a_report_that_lacks_transfers_is_waited_for() {
    let device = Device::new(DriverKind::FolderHandler, ECHO, timings());
    let (outcome, ()) = tokio::join!(device.perform(), async {
        let picklist = device.takes().await;
        let part: Vec<&str> = picklist.lines().take(3).collect();
        device.exports("b_report.csv", &echo_report(&part.join("\n")));
        tokio::time::sleep(Duration::from_millis(60)).await;
        device.exports("b_report.csv", &echo_report(&picklist));
    });
    assert!(transfers(outcome).iter().all(|report| report.actual_nl.is_some()));
}

#[tokio::test]
async fn with_a_name_that_says_nothing_what_cannot_be_read_is_not_ours() {
    let device = Device::new(DriverKind::FolderHandler, ECHO, timings());
    let (outcome, ()) = tokio::join!(device.perform(), async {
        let picklist = device.takes().await;
        device.exports("survey_report.csv", "Survey,1");
        tokio::time::sleep(Duration::from_millis(300)).await;
        device.exports("b_report.csv", &echo_report(&picklist));
    });
    assert!(matches!(outcome, Outcome::Succeeded { .. }), "{outcome:?}");
}

#[tokio::test]
async fn what_lay_there_before_is_nobodys_result() {
    for device in Device::both() {
        device.exports("P-1.csv", &READINGS);
        device.exports(&format!("{}.old", device.id()), "failed: of an earlier day");
        let attempt = device.attempt();
        let (outcome, ()) = tokio::join!(device.handler.perform(&attempt), async {
            device.takes().await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            device.ends();
        });
        assert!(matches!(outcome, Outcome::Succeeded { .. }), "{outcome:?}");
    }
}

#[tokio::test]
async fn the_file_of_another_plate_is_passed_over() {
    let device = Device::reader();
    let (outcome, ()) = tokio::join!(device.perform(), async {
        device.takes().await;
        device.exports("P-12.csv", &READINGS.replace("P-1", "P-12"));
        device.exports("P-1 (of another).csv", &READINGS.replace("P-1", "P-9"));
        tokio::time::sleep(Duration::from_millis(50)).await;
        device.ends();
    });
    let Outcome::Succeeded { output } = outcome else { panic!("{outcome:?}") };
    assert!(format!("{output:?}").contains(&jobs::Digest::of(READINGS.as_bytes()).to_string()), "{output:?}");
}

#[tokio::test]
async fn what_cannot_be_read_is_passed_on_for_a_person_to_judge() {
    let device = Device::reader();
    let (outcome, ()) = tokio::join!(device.perform(), async {
        device.takes().await;
        device.exports("P-1.csv", "ERROR: lamp");
    });
    assert!(matches!(outcome, Outcome::Succeeded { .. }), "{outcome:?}");
}

#[tokio::test]
async fn half_a_file_is_waited_for() {
    let lines: Vec<&str> = READINGS.lines().collect();
    // To the end of a line, and to the middle of the last number.
    for half in
        [format!("{}\n", lines[..200].join("\n")), READINGS.replace("P24,signal,1.5,RFU\n", "P24,signal,1,")]
    {
        let device = Device::reader();
        let (outcome, ()) = tokio::join!(device.perform(), async {
            device.takes().await;
            device.exports("2026_P-1.csv", &half);
            tokio::time::sleep(Duration::from_millis(60)).await;
            device.ends();
        });
        let Outcome::Succeeded { output } = outcome else { panic!("{outcome:?}") };
        let Output::Read(read) = *output else { panic!("{output:?}") };
        assert_eq!(read.raw, jobs::Digest::of(READINGS.as_bytes()), "{half}");
    }
}

#[tokio::test]
async fn a_file_of_some_wells_is_taken_when_nothing_more_comes() {
    let device = Device::reader();
    let some = "# Plate: P-1\nWell,Channel,Value,Unit\nA1,signal,1.5,RFU";
    let (outcome, ()) = tokio::join!(device.perform(), async {
        device.takes().await;
        device.exports("2026_P-1.csv", some);
    });
    let Outcome::Succeeded { output } = outcome else { panic!("{outcome:?}") };
    let Output::Read(read) = *output else { panic!("{output:?}") };
    assert_eq!(read.raw, jobs::Digest::of(some.as_bytes()));
}

/// As Tecan's i-control exports a whole plate, in the code page of its Windows.
fn i_control(head: &str) -> Vec<u8> {
    let numbers: String = (1..=24).map(|column| format!(",{column}")).collect();
    let rows: String = (b'A'..=b'P').map(|row| format!("{}{}\r\n", row as char, ",0.5".repeat(24))).collect();
    let text = format!(
        "Application: Tecan i-control\r\n{head}\r\nTemperature: 23.1 ~C\r\n\r\nsignal\r\n<>{numbers}\r\n{rows}"
    );
    text.bytes().map(|byte| if byte == b'~' { 0xb0 } else { byte }).collect()
}

#[tokio::test]
async fn a_kind_of_plate_in_an_export_is_no_other_plate() {
    let narrow = READER.replace("plate_csv", "plate_grid");
    let wide = narrow.replace("*{barcode}*.csv", "*.csv");
    let kind = "Plate,,,,Greiner 384 Flat Bottom,,";
    for (settings, head, is_ours) in [
        (&narrow, kind, true),
        (&narrow, "Plate,,,,GRE384ft,,", true),
        (&narrow, "Plate-ID (Stacker),,,,P-9,,", false),
        (&wide, kind, true),
        (&wide, "Plate,,,,P-1,,", true),
        (&wide, "Plate,,,,P-9,,", false),
    ] {
        let device = Device::new(DriverKind::FolderReader, settings, timings());
        let expected = i_control(kind);
        let (outcome, ()) = tokio::join!(device.perform(), async {
            device.takes().await;
            std::fs::write(device.path("share/out/a P-1.csv"), i_control(head)).unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
            std::fs::write(device.path("share/out/b P-1.csv"), &expected).unwrap();
        });
        let Outcome::Succeeded { output } = outcome else { panic!("{outcome:?}") };
        let Output::Read(read) = *output else { panic!("{output:?}") };
        let first = if is_ours { i_control(head) } else { expected };
        assert_eq!(read.raw, jobs::Digest::of(&first), "{settings} {head}");
    }
}

#[tokio::test]
async fn a_stop_takes_back_what_the_device_has_not_taken() {
    for device in Device::both() {
        let attempt = device.attempt();
        let (outcome, _) = tokio::join!(device.handler.perform(&attempt), async {
            device.is_asked().await;
            attempt.rehearse_stop();
        });
        assert!(matches!(outcome, Outcome::Stopped { .. }), "{outcome:?}");
        assert_eq!((device.requests(), device.times_taken()), (vec![], 0));
    }
}

#[tokio::test]
async fn a_stop_before_the_beginning_asks_for_nothing() {
    for device in Device::both() {
        let attempt = device.attempt();
        attempt.rehearse_stop();
        let outcome = device.handler.perform(&attempt).await;
        assert!(matches!(outcome, Outcome::Stopped { .. }), "{outcome:?}");
        assert_eq!(device.requests(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_stop_that_comes_too_late_lets_the_device_come_to_its_end() {
    let reading = HANDLER.replace("\"moving\"", "\"reading\"");
    let only_reads = Device::new(DriverKind::FolderHandler, &reading, timings());
    for device in Device::both().into_iter().chain([only_reads]) {
        let attempt = device.attempt();
        let (outcome, ()) = tokio::join!(device.handler.perform(&attempt), async {
            device.is_asked().await;
            if device.moves {
                device.takes().await;
            }
            attempt.rehearse_stop();
            tokio::time::sleep(Duration::from_millis(50)).await;
            device.ends();
        });
        assert!(matches!(outcome, Outcome::Succeeded { .. }), "{outcome:?}");
        assert_eq!(device.requests(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_not_begun_with() {
    for device in Device::both() {
        device.is_unmounted();
        let attempt = device.attempt();
        let outcome = device.handler.perform(&attempt).await;
        assert_eq!(failed(&outcome), Some(FailureClass::Transient), "{outcome:?}");
        assert!(!attempt.has_begun());
        assert!(!device.path("share").exists(), "nothing is made where a share is not mounted");
    }
}

#[tokio::test]
async fn a_folder_that_goes_away_in_the_middle_is_waited_for() {
    for device in Device::both() {
        let attempt = device.attempt();
        let (outcome, ()) = tokio::join!(device.handler.perform(&attempt), async {
            device.takes().await;
            device.is_unmounted();
            tokio::time::sleep(Duration::from_millis(50)).await;
            device.is_mounted();
            device.ends();
        });
        assert!(matches!(outcome, Outcome::Succeeded { .. }), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_folder_that_stays_away_leaves_doubt_when_patience_is_over() {
    let short = Timings { patience: Duration::from_millis(50), ..timings() };
    for (kind, settings) in [(DriverKind::FolderHandler, HANDLER), (DriverKind::FolderReader, READER)] {
        let device = Device::new(kind, settings, short);
        let (outcome, ()) = tokio::join!(device.perform(), async {
            device.takes().await;
            device.is_unmounted();
        });
        assert_in_doubt(&device, &outcome);
    }
}

/// Of a tenth of a second.
fn hurried(settings: &str) -> String {
    settings
        .replace("form = \"word\"", "form = \"word\"\nwithin_hours = 0.00003")
        .replace("form = \"plate_csv\"", "form = \"plate_csv\"\nwithin_hours = 0.00003")
}

#[tokio::test]
async fn a_device_that_never_takes_its_request_is_somebodys_and_nothing_was_begun() {
    for (kind, settings) in [(DriverKind::FolderHandler, HANDLER), (DriverKind::FolderReader, READER)] {
        let device = Device::new(kind, &hurried(settings), timings());
        let outcome = device.perform().await;
        assert_eq!(failed(&outcome), Some(FailureClass::NeedsPerson), "{outcome:?}");
        assert!(code(&outcome).ends_with(".not_taken"), "{outcome:?}");
        assert_eq!(device.requests(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_device_that_never_answers_leaves_doubt() {
    for (kind, settings) in [(DriverKind::FolderHandler, HANDLER), (DriverKind::FolderReader, READER)] {
        let device = Device::new(kind, &hurried(settings), timings());
        let (outcome, _) = tokio::join!(device.perform(), device.takes());
        assert_in_doubt(&device, &outcome);
        assert!(code(&outcome).ends_with(".overdue"), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_handler_that_fails_leaves_doubt() {
    let device = Device::handler();
    let (outcome, ()) = tokio::join!(device.perform(), async {
        device.takes().await;
        device.exports(&device.id(), "failed: no tips in column 3");
    });
    assert_in_doubt(&device, &outcome);
    let Outcome::Unknown { failure } = outcome else { unreachable!() };
    assert!(failure.message.contains("no tips in column 3"), "{failure}");
}

#[tokio::test]
async fn work_that_ended_while_we_were_dead_is_told_after_the_restart() {
    for device in Device::both() {
        let begun = device.killed_when_taken().await;
        device.ends();
        let outcome = device.handler.recover(&begun).await;
        assert!(matches!(outcome, Some(Outcome::Succeeded { .. })), "{outcome:?}");
        assert_eq!(device.times_taken(), 1);
    }
}

#[tokio::test]
async fn work_still_under_way_after_the_restart_is_followed_to_its_end() {
    for device in Device::both() {
        let begun = device.killed_when_taken().await;
        let (outcome, ()) = tokio::join!(device.handler.recover(&begun), async {
            tokio::time::sleep(Duration::from_millis(30)).await;
            device.ends();
        });
        assert!(matches!(outcome, Some(Outcome::Succeeded { .. })), "{outcome:?}");
        assert_eq!(device.times_taken(), 1);
    }
}

#[tokio::test]
async fn a_request_that_still_lay_there_after_the_restart_is_not_made_again() {
    for device in Device::both() {
        let attempt = device.attempt();
        tokio::select! {
            outcome = device.handler.perform(&attempt) => panic!("{outcome:?}"),
            _ = device.is_asked() => {}
        }
        let begun = Begun::rehearsal(attempt).unwrap();
        let (outcome, _) = tokio::join!(device.handler.recover(&begun), async {
            device.takes().await;
            device.ends();
        });
        assert!(matches!(outcome, Some(Outcome::Succeeded { .. })), "{outcome:?}");
        assert_eq!(device.times_taken(), 1);
    }
}

#[tokio::test]
async fn a_request_that_still_stood_ready_after_the_restart_was_never_made() {
    for device in Device::both() {
        let attempt = device.attempt();
        attempt.begin(attempt.operation_id()).await.unwrap();
        std::fs::create_dir(device.path("share/in/.loopwright")).unwrap();
        std::fs::write(device.path("share/in/.loopwright").join(device.id()), "half a workli").unwrap();
        let begun = Begun::rehearsal(attempt).unwrap();
        let outcome = device.handler.recover(&begun).await.unwrap();
        assert_eq!(failed(&outcome), Some(FailureClass::Transient), "{outcome:?}");
        assert!(code(&outcome).ends_with(".never_asked"), "{outcome:?}");
        assert_eq!(device.requests(), Vec::<String>::new());
        // The next one clears it away.
        assert_eq!(device.ready().len(), 1);
        drop(begun);
        let (outcome, _) = tokio::join!(device.perform(), async {
            device.takes().await;
            device.ends();
        });
        assert!(matches!(outcome, Outcome::Succeeded { .. }), "{outcome:?}");
        assert_eq!(device.ready(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn what_an_earlier_attempt_left_lying_is_taken_away_first() {
    for device in Device::both() {
        let old = if device.kind == DriverKind::FolderReader { "P-7.txt" } else { "0190d000-1.csv" };
        std::fs::write(device.path("share/in").join(old), "of an earlier attempt").unwrap();
        std::fs::write(device.path("share/in/readme.md"), "somebody else's").unwrap();
        let (outcome, _) = tokio::join!(device.perform(), async {
            // Two lie there until the old one is gone: the new one comes after that.
            loop {
                let mut there = device.requests();
                there.retain(|name| name != "readme.md");
                if there != [old] && !there.is_empty() {
                    assert!(!there.contains(&old.to_owned()), "{there:?}");
                    break;
                }
                pause().await;
            }
            std::fs::remove_file(device.path("share/in/readme.md")).unwrap();
            device.takes().await;
            device.ends();
        });
        assert!(matches!(outcome, Outcome::Succeeded { .. }), "{outcome:?}");
    }
}

#[tokio::test]
async fn work_of_another_kind_or_device_is_refused_for_good() {
    for mut device in Device::both() {
        device.lease = lease(hands());
        let outcome = device.perform().await;
        assert_eq!(failed(&outcome), Some(FailureClass::Permanent), "{outcome:?}");
    }
    let mut device = Device::reader();
    if let jobs::work::Work::Read(read) = &mut device.lease.work {
        read.at.device = "reader-2".to_owned();
    }
    assert_eq!(code(&device.perform().await), "folder_reader.wrong_device");
}

#[tokio::test]
async fn begun_work_whose_job_does_not_check_any_more_is_never_told_as_not_begun() {
    let mut device = Device::handler();
    let mut job = crate::bed::dispense();
    job.transfers[0].source_well = "Z99".to_owned();
    device.lease = lease(jobs::work::Work::Dispense(job));
    let attempt = device.attempt();
    attempt.begin(attempt.operation_id()).await.unwrap();
    let outcome = device.handler.recover(&Begun::rehearsal(attempt).unwrap()).await.unwrap();
    assert_in_doubt(&device, &outcome);
    assert_eq!(code(&outcome), "folder_handler.not_understood");

    let mut device = Device::reader();
    if let jobs::work::Work::Read(read) = &mut device.lease.work {
        read.at.device = "reader-2".to_owned();
    }
    for repeatable in [true, false] {
        device.lease.repeatable = repeatable;
        let spool = tempfile::tempdir().unwrap();
        let attempt = jobs::worker::Attempt::rehearsal(device.lease.clone(), spool.path()).unwrap();
        attempt.begin(attempt.operation_id()).await.unwrap();
        let outcome = device.handler.recover(&Begun::rehearsal(attempt).unwrap()).await.unwrap();
        assert_in_doubt(&device, &outcome);
    }
}

const ECHO: &str = r#"
[request]
folder = "{share}/in"
name = "{id}.csv"
taken_by = "moving"
says = { form = "echo_csv", model = "65x", source_plate_types = { corning_384_wellplate_112ul_flat = "384PP_AQ_BP" }, destination_plate_types = { corning_384_wellplate_112ul_flat = "Corning_384_3577" } }

[result]
folder = "{share}/out"
name = "*_report.csv"
form = "echo_report"
settled_seconds = 0.01
look_every_seconds = 0.005
"#;

/// As the instrument writes it, of each line of a picklist; the second failed.
fn echo_report(picklist: &str) -> String {
    let head = "Source Plate Barcode,Source Well,Destination Plate Barcode,Destination Well,Transfer Volume,Actual Volume,Transfer Status\n";
    let row = |line: &str, actual: &str, status: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        format!("{},{},{},{},{},{actual},{status}\n", fields[1], fields[3], fields[5], fields[7], fields[8])
    };
    let lines: Vec<&str> = picklist.lines().skip(1).collect();
    let (failed, done): (Vec<_>, Vec<_>) = lines.iter().enumerate().partition(|(place, _)| *place == 1);
    let failed: String = failed.iter().map(|(_, line)| row(line, "0", "MM1302001: well is empty")).collect();
    let done: String = done.iter().map(|(_, line)| row(line, "2495", "")).collect();
    format!(
        "Run ID,4711\nRun Date/Time,11/30/2026\n\n[EXCEPTIONS]\n{head}{failed}\n[DETAILS]\n{head}{done}\nInstrument Name,E6XX\n"
    )
}

#[tokio::test]
async fn an_echos_own_report_says_what_every_well_got() {
    let device = Device::new(DriverKind::FolderHandler, ECHO, timings());
    let (outcome, ()) = tokio::join!(device.perform(), async {
        let picklist = device.takes().await;
        device.exports("a_report.csv", &echo_report("head\n,L-9,,A1,,P-9,,B2,2500"));
        device.exports("b_report.csv", &echo_report(&picklist));
    });
    let Outcome::Succeeded { output } = &outcome else { panic!("{outcome:?}") };
    let Output::Dispense(done) = output.as_ref() else { panic!("{output:?}") };
    assert_eq!(done.device_run_id, "4711");
    let said: Vec<_> =
        done.transfers.iter().map(|report| (report.actual_nl, report.error.as_deref())).collect();
    let well = (Some(2_495), None);
    assert_eq!(said, [well, (Some(0), Some("MM1302001: well is empty")), well, well]);
}

#[tokio::test]
async fn an_echo_is_not_asked_for_a_plate_whose_type_nobody_has_said() {
    let one =
        ECHO.replace("destination_plate_types = { corning_384", "destination_plate_types = { corning_1536");
    let one = one.replace("corning_1536_wellplate_112ul_flat", "corning_1536_wellplate_12ul_flat");
    let device = Device::new(DriverKind::FolderHandler, &one, timings());
    let attempt = device.attempt();
    let outcome = device.handler.perform(&attempt).await;
    assert_eq!(failed(&outcome), Some(FailureClass::Permanent), "{outcome:?}");
    assert!(!attempt.has_begun());
    let Outcome::Failed { failure } = outcome else { unreachable!() };
    assert!(failure.message.contains("destination_plate_types has no name for that"), "{failure}");
}

#[tokio::test]
async fn an_echo_whose_report_never_becomes_whole_leaves_doubt() {
    let device = Device::new(DriverKind::FolderHandler, ECHO, timings());
    let (outcome, ()) = tokio::join!(device.perform(), async {
        let picklist = device.takes().await;
        let part: Vec<&str> = picklist.lines().take(3).collect();
        device.exports("b_report.csv", &echo_report(&part.join("\n")));
    });
    assert_in_doubt(&device, &outcome);
    assert_eq!(code(&outcome), "folder_handler.record_mismatch");
    let Outcome::Unknown { failure } = outcome else { unreachable!() };
    assert!(failure.message.contains("does not mention 2 of 4 transfers"), "{failure}");
}

#[tokio::test]
async fn an_echo_that_did_something_else_leaves_doubt() {
    let device = Device::new(DriverKind::FolderHandler, ECHO, timings());
    let (outcome, ()) = tokio::join!(device.perform(), async {
        let picklist = device.takes().await;
        device.exports("b_report.csv", &echo_report(&picklist.replace(",D4,", ",D5,")));
    });
    assert_in_doubt(&device, &outcome);
    assert_eq!(code(&outcome), "folder_handler.record_mismatch");
}

fn converting(script: &str) -> String {
    let raw = READER.replace("plate_csv", "raw").replace(".csv", ".xlsx");
    format!(
        "{raw}\n[convert]\ncommand = [\"/bin/sh\", \"-c\", \"{script}\", \"convert\"]\nform = \"plate_csv\"\n"
    )
}

#[tokio::test]
async fn a_converter_makes_readable_what_the_device_exports_and_both_are_kept() {
    let script = "printf '# Plate: P-1\\\\n'; cat \\\"$1\\\"";
    let device = Device::new(DriverKind::FolderReader, &converting(script), timings());
    let attempt = device.attempt();
    let exported = READINGS.trim_start_matches("# Plate: P-1\n");
    let (outcome, ()) = tokio::join!(device.handler.perform(&attempt), async {
        device.takes().await;
        device.exports("P-1.xlsx", exported);
    });
    let Outcome::Succeeded { output } = outcome else { panic!("{outcome:?}") };
    let Output::Read(read) = *output else { panic!("{output:?}") };
    assert_eq!(read.format, "plate_csv");
    assert_eq!(attempt.get_blob(read.raw).await.unwrap(), READINGS.as_str());
    assert_eq!(attempt.get_blob(read.original.unwrap()).await.unwrap(), exported);
}

#[tokio::test]
async fn a_converter_that_fails_is_somebodys_and_the_file_is_kept() {
    let device =
        Device::new(DriverKind::FolderReader, &converting("echo KeyError: Plate >&2; exit 1"), timings());
    let attempt = device.attempt();
    let (outcome, ()) = tokio::join!(device.handler.perform(&attempt), async {
        device.takes().await;
        device.exports("P-1.xlsx", "bytes");
    });
    assert_eq!(failed(&outcome), Some(FailureClass::NeedsPerson), "{outcome:?}");
    let Outcome::Failed { failure } = outcome else { unreachable!() };
    assert!(failure.message.contains("KeyError: Plate"), "{failure}");
    assert_eq!(attempt.get_blob(jobs::Digest::of(b"bytes")).await.unwrap(), "bytes");
}

#[tokio::test]
async fn where_a_name_says_nothing_a_converters_output_says_whose_file_it_is() {
    let wide = converting("cat \\\"$1\\\"").replace("*{barcode}*", "*");
    let device = Device::new(DriverKind::FolderReader, &format!("{wide}names_plate = true\n"), timings());
    let (outcome, ()) = tokio::join!(device.perform(), async {
        device.takes().await;
        device.exports("1.xlsx", &READINGS.replace("P-1", "P-9"));
        device.exports("2.xlsx", "Well,Channel,Value,Unit\nA1,signal,1.5,RFU\n");
        device.exports("3.xlsx", "what no converter reads");
        tokio::time::sleep(Duration::from_millis(100)).await;
        device.exports("4.xlsx", &READINGS);
    });
    let Outcome::Succeeded { output } = outcome else { panic!("{outcome:?}") };
    let Output::Read(read) = *output else { panic!("{output:?}") };
    assert_eq!(read.original, Some(jobs::Digest::of(READINGS.as_bytes())));
}

#[tokio::test]
async fn a_file_whose_name_is_ours_and_whose_converted_text_is_of_another_plate_is_passed_over() {
    let device = Device::new(DriverKind::FolderReader, &converting("cat \\\"$1\\\""), timings());
    let (outcome, ()) = tokio::join!(device.perform(), async {
        device.takes().await;
        device.exports("P-1 1.xlsx", &READINGS.replace("P-1", "P-9"));
        tokio::time::sleep(Duration::from_millis(100)).await;
        device.exports("P-1 2.xlsx", &READINGS);
    });
    let Outcome::Succeeded { output } = outcome else { panic!("{outcome:?}") };
    let Output::Read(read) = *output else { panic!("{output:?}") };
    assert_eq!(read.original, Some(jobs::Digest::of(READINGS.as_bytes())));
}

#[tokio::test]
async fn a_share_that_is_not_there_for_a_while_is_waited_for() {
    let patient = Timings { readiness: Duration::from_secs(30), ..timings() };
    for (kind, settings) in [(DriverKind::FolderHandler, HANDLER), (DriverKind::FolderReader, READER)] {
        let device = Device::new(kind, settings, patient);
        device.is_unmounted();
        let (outcome, ()) = tokio::join!(device.perform(), async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            device.is_mounted();
            device.takes().await;
            device.ends();
        });
        assert!(matches!(outcome, Outcome::Succeeded { .. }), "{outcome:?}");
    }
}

#[test]
fn settings_that_are_wrong_end_the_agent_with_their_place() {
    let root = tempfile::tempdir().unwrap();
    let refused = |kind, settings: &str| {
        device::connect(kind, &root, settings, timings())
            .err()
            .map(|error| format!("{:#}", anyhow::Error::from(error)))
            .unwrap_or_default()
    };
    assert!(refused(DriverKind::FolderReader, HANDLER).starts_with("request.says: "));
    assert!(refused(DriverKind::FolderHandler, READER).starts_with("request.says: "));
    assert!(refused(DriverKind::FolderReader, "[result]\n").contains("missing field"));
    assert!(refused(DriverKind::Mover, HANDLER).contains("--device-url"));
}
