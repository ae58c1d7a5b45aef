//! Somebody with all privileges forges the record; verification says where.

use crate::events_seal::{happen, seal_all};
use crate::support::as_application;
use orchestrator::store::events::{Broken, Head, Noted, examine};
use sha2::{Digest, Sha256};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgConnection, PgPool};

const EVENTS: usize = 9;

/// A sealed record of [`EVENTS`], and a superuser's pool.
async fn sealed(options: PgPoolOptions, login: PgConnectOptions) -> PgPool {
    let owner = options.clone().connect_with(login.clone()).await.expect("the owner");
    let pool = as_application(options, login).await;
    for number in 1..=EVENTS {
        happen(&mut pool.acquire().await.expect("a connection"), &number.to_string()).await;
    }
    seal_all(&pool, EVENTS).await;
    owner
}

async fn head(conn: &mut PgConnection) -> Head {
    let (position, chain_sha256) = orchestrator::store::events::head(conn).await.expect("a head");
    Head { position, chain_sha256 }
}

/// What verification says after `forgery`, which is undone afterwards.
async fn after(owner: &PgPool, forgery: &[&'static str], noted: Option<Noted>) -> Result<Head, Broken> {
    let mut tx = orchestrator::store::begin_on(owner).await.expect("a transaction");
    sqlx::query("set local session_replication_role = replica").execute(&mut *tx).await.expect("a superuser");
    for statement in forgery {
        sqlx::query(*statement).execute(&mut *tx).await.expect(statement);
    }
    let verdict = examine(&mut tx, &Head::origin(), noted).await.expect("examined");
    tx.rollback().await.expect("undone");
    verdict
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn each_forgery_is_found_at_its_position(options: PgPoolOptions, login: PgConnectOptions) {
    let owner = sealed(options, login).await;
    assert_eq!(after(&owner, &[], None).await.map(|head| head.position), Ok(9));
    let cases: [(&str, &[&str], &str); 14] = [
        ("body", &["update event set body = '{\"a\": 3}' where subject_id = '4'"], "position 4 was changed"),
        (
            "origin",
            &["update event set origin = '{\"via\": \"cli\"}' where subject_id = '4'"],
            "position 4 was changed",
        ),
        (
            "origin, with the form that knows none",
            &[
                "update event set origin = '{\"via\": \"cli\"}' where subject_id = '4'",
                "update event_seal set form = 1 where position = 4",
            ],
            "position 4 was changed",
        ),
        (
            "actor",
            &["update event set actor_id = gen_random_uuid() where subject_id = '1'"],
            "position 1 was changed",
        ),
        (
            "time",
            &["update event set happened_at = happened_at - interval '1 s' where subject_id = '9'"],
            "position 9 was changed",
        ),
        (
            "event and seal removed",
            &["delete from event_seal where position = 5", "delete from event where subject_id = '5'"],
            "position 5 is missing",
        ),
        ("event removed", &["delete from event where subject_id = '5'"], "position 5 is missing"),
        ("seal removed", &["delete from event_seal where position = 5"], "position 5 is missing"),
        (
            "two seals swapped",
            &[
                "create temporary table swap on commit drop as select position, event_id from event_seal \
                 where position in (3, 7)",
                "alter table event_seal drop constraint event_seal_event_id_key",
                "update event_seal set event_id = swap.event_id from swap \
                 where event_seal.position = 10 - swap.position",
            ],
            "position 3 was reordered",
        ),
        (
            "a link",
            &["update event_seal set chain_sha256 = sha256('x') where position = 6"],
            "position 6 was changed",
        ),
        (
            "the tail cut",
            &["delete from event_seal where position > 6", "delete from event where subject_id > '6'"],
            "it ends at position 6, and position 7 existed",
        ),
        (
            "the sealer moved back",
            &["update event_sealer set position = 6"],
            "the sealer's head at position 6 is not the last link",
        ),
        (
            "an event slipped in",
            &["insert into event (xid, lab_at, kind, subject, subject_id, actor_id, body)
               select '3', now(), 'Forged', 'test', 'x', actor_id, '{}' from event limit 1"],
            "has no position though everything of its time was sealed",
        ),
        (
            "everything removed",
            &["delete from event_seal", "delete from event"],
            "it ends at position 0, and position 1 existed",
        ),
    ];
    for (name, forgery, says) in cases {
        let broken = after(&owner, forgery, None).await.expect_err(name);
        assert!(broken.to_string().contains(says), "{name}: {broken}");
    }
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_tail_cut_together_with_the_sealer_is_found_by_a_head_written_down_elsewhere(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let owner = sealed(options, login).await;
    let noted = head(&mut owner.acquire().await.expect("a connection")).await;
    let forgery = [
        "delete from event_seal where position > 6",
        "delete from event where subject_id > '6'",
        "update event_sealer
         set position = 6, chain_sha256 = (select chain_sha256 from event_seal where position = 6)",
    ];
    let unnoted = after(&owner, &forgery, None).await;
    assert_eq!(unnoted.map(|head| head.position), Ok(6), "nothing within the database can tell");
    let with_position = after(&owner, &forgery, Some(noted.to_string().parse().expect("a head"))).await;
    assert_eq!(with_position, Err(Broken::CutOff { position: 7, last: 6 }));
    let hash_alone = after(&owner, &forgery, Some(noted.chain_sha256.parse().expect("a hash"))).await;
    assert_eq!(hash_alone, Err(Broken::NotOnChain { noted: noted.chain_sha256.clone() }));
    let sound = after(&owner, &[], Some(noted.chain_sha256.parse().expect("a hash"))).await;
    assert_eq!(sound, Ok(noted));
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn verification_goes_on_from_a_trusted_place(options: PgPoolOptions, login: PgConnectOptions) {
    let owner = sealed(options, login).await;
    let mut conn = owner.acquire().await.expect("a connection");
    let last = head(&mut conn).await;
    let link: String =
        sqlx::query_scalar("select encode(chain_sha256, 'hex') from event_seal where position = 4")
            .fetch_one(&mut *conn)
            .await
            .expect("a link");
    let from = Head { position: 4, chain_sha256: link };
    sqlx::query("update event set body = '{}' where subject_id = '2'")
        .execute(&mut *conn)
        .await
        .expect("forged");
    assert_eq!(examine(&mut conn, &from, None).await.expect("examined"), Ok(last));
    let wrong = Head { position: 4, chain_sha256: hex::encode([7; 32]) };
    let broken = examine(&mut conn, &wrong, None).await.expect("examined").expect_err("another past");
    assert_eq!(broken.position(), Some(5));
    let beyond = Head { position: 12, chain_sha256: hex::encode([7; 32]) };
    let broken = examine(&mut conn, &beyond, None).await.expect("examined");
    assert_eq!(broken, Err(Broken::CutOff { position: 10, last: 9 }));
}

/// During an upgrade a replica of before the origin seals beside one that knows it.
#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_an_older_replica_sealed_verifies_between_newer_seals(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let owner = sealed(options, login).await;
    let mut conn = owner.acquire().await.expect("a connection");
    happen(&mut conn, "10").await;
    let before = head(&mut conn).await;
    let event = sqlx::query_as::<_, (i64, uuid::Uuid, String, String)>(
        r#"select id, actor_id, to_char(happened_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                  to_char(lab_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
           from event where subject_id = '10'"#,
    )
    .fetch_one(&mut *conn)
    .await
    .expect("an event");
    // As `0.1` hashed and wrote it: nine members, and no form.
    let canonical = format!(
        r#"{{"actor_id":"{}","body":{{"a":{{"b":["x"],"y":2.5}},"z":1}},"campaign_id":null,"happened_at":"{}","id":{},"kind":"TestHappened","lab_at":"{}","subject":"test","subject_id":"10"}}"#,
        event.1, event.2, event.0, event.3
    );
    let previous = hex::decode(&before.chain_sha256).expect("hex");
    let link = Sha256::new().chain_update(previous).chain_update(canonical).finalize().to_vec();
    sqlx::query("insert into event_seal (position, event_id, chain_sha256) values (10, $1, $2)")
        .bind(event.0)
        .bind(&link)
        .execute(&mut *conn)
        .await
        .expect("sealed");
    sqlx::query("update event_sealer set position = 10, chain_sha256 = $1")
        .bind(&link)
        .execute(&mut *conn)
        .await
        .expect("moved");
    happen(&mut conn, "11").await;
    seal_all(&owner, 11).await;
    let verdict = examine(&mut conn, &Head::origin(), None).await.expect("examined");
    assert_eq!(verdict.map(|head| head.position), Ok(11));
}
