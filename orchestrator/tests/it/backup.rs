//! A backup is whole, or it is none.

use crate::support::as_application;
use bytes::Bytes;
use clap::Parser;
use orchestrator::backup::{ChannelKey, Manifest, Restore, Take, channel_key, find, restore, take, verify};
use orchestrator::cli::Arguments;
use orchestrator::ids::SYSTEM;
use orchestrator::store::blobs::Blobs;
use orchestrator::store::events::{self, NewEvent};
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection, PgConnection};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// An installation with two blobs and a channel key, and a folder for its backups.
struct Scene {
    what: Take,
    blobs: [jobs::Digest; 2],
    _folder: tempfile::TempDir,
}

impl Scene {
    async fn new(options: PgPoolOptions, login: PgConnectOptions) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data_dir = folder.path().join("data");
        let url = login.to_url_lossy().to_string();
        let pool = as_application(options, login).await;
        let store = Blobs::local(&data_dir, 1 << 20).expect("a blob store");
        let mut blobs = Vec::new();
        for bytes in [&b"first"[..], b"second"] {
            let put = store.put_bytes(&pool, Bytes::from_static(bytes), "text/plain", SYSTEM).await;
            blobs.push(put.expect("a blob"));
        }
        std::fs::write(data_dir.join("channel.key"), "key").expect("a key");
        let to = folder.path().join("backups");
        let what = Take { database_url: url, data_dir, channel_key_file: None, to, keep: Some(2) };
        Self { what, blobs: blobs.try_into().expect("two"), _folder: folder }
    }

    fn blob(&self, of: usize) -> PathBuf {
        let name = self.blobs[of].to_string();
        self.what.to.join("blobs").join(&name[..2]).join(&name[2..4]).join(&name)
    }

    fn backups(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.what.to).expect("the backups").flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().display().to_string()).collect();
        names.retain(|name| name != "blobs" && name != "lock");
        names.sort();
        names
    }
}

/// An empty database and an empty folder, to be restored into.
struct Elsewhere {
    name: String,
    what: Restore,
    _data: tempfile::TempDir,
}

impl Elsewhere {
    async fn make(scene: &Scene, owner: &mut PgConnection, login: &PgConnectOptions) -> Self {
        let name = format!("restored_{}", uuid::Uuid::now_v7().simple());
        let make = sqlx::AssertSqlSafe(format!("create database {name} template template0"));
        sqlx::raw_sql(make).execute(owner).await.expect("an empty database");
        let data = tempfile::tempdir().expect("a folder");
        let what = Restore {
            database_url: login.clone().database(&name).to_url_lossy().to_string(),
            data_dir: data.path().to_owned(),
            channel_key_file: None,
            from: scene.what.to.clone(),
            name: None,
        };
        Self { name, what, _data: data }
    }

    async fn leave(self, owner: &mut PgConnection) {
        let drop = sqlx::AssertSqlSafe(format!("drop database {} with (force)", self.name));
        sqlx::raw_sql(drop).execute(owner).await.expect("dropped");
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("a file").permissions().mode() & 0o777
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn each_backup_is_whole_and_old_ones_go(options: PgPoolOptions, login: PgConnectOptions) {
    let scene = Scene::new(options, login).await;
    let mut names = Vec::new();
    for _ in 0..3 {
        names.push(take(&scene.what).await.expect("a backup").name);
    }
    assert_eq!(scene.backups(), names[1..], "two are kept");
    let newest = find(&scene.what.to, None).expect("the newest");
    assert_eq!((&newest.name, newest.blob_count, newest.blob_bytes), (&names[2], 2, 11));
    assert_eq!(newest.schema_version, orchestrator::store::migrate::known());
    assert_eq!(verify(&scene.what.to, &newest).expect("it is whole").len(), 2);
    let own = scene.what.to.join(&newest.name);
    assert_eq!((mode(&own.join("channel.key")), mode(&own.join("database.dump"))), (0o600, 0o600));
    let unknown = find(&scene.what.to, Some("yesterday")).expect_err("there is none").to_string();
    assert!(unknown.contains(&names[1]), "{unknown}");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn what_was_cut_off_is_no_backup_and_the_last_good_one_stays(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let scene = Scene::new(options, login).await;
    let good = take(&scene.what).await.expect("a backup");
    let cut_off = scene.what.to.join(".taking-later");
    std::fs::create_dir(&cut_off).expect("a folder");
    std::fs::write(cut_off.join("database.dump"), "half").expect("a file");
    assert_eq!(find(&scene.what.to, None).expect("the good one"), good);

    // A blob is gone under our hands: nothing is promised that is not there.
    let name = scene.blobs[1].to_string();
    let source = scene.what.data_dir.join(&name[..2]).join(&name[2..4]).join(&name);
    std::fs::write(&source, "other!").expect("a damaged store");
    std::fs::remove_file(scene.blob(1)).expect("the copy");
    let refused = take(&scene.what).await.expect_err("the store is damaged").to_string();
    assert!(refused.contains(&name), "{refused}");
    assert_eq!(find(&scene.what.to, None).expect("the good one").name, good.name);
    assert!(!cut_off.exists(), "the next one has cleared it away");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn every_damaged_byte_is_found(options: PgPoolOptions, login: PgConnectOptions) {
    let scene = Scene::new(options, login).await;
    let manifest: Manifest = take(&scene.what).await.expect("a backup");
    let own = scene.what.to.join(&manifest.name);
    for path in [scene.blob(0), own.join("database.dump"), own.join("blobs.txt"), own.join("channel.key")] {
        let whole = std::fs::read(&path).expect("a file");
        let mut damaged = whole.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 1;
        std::fs::write(&path, damaged).expect("damage");
        let found = verify(&scene.what.to, &manifest).expect_err("it is damaged").to_string();
        assert!(found.contains(&path.display().to_string()), "{found}");
        std::fs::write(&path, whole).expect("the whole file");
    }
    verify(&scene.what.to, &manifest).expect("it is whole again");
}

/// A new cluster counts transactions from the start: what was added late in the life of the old one, and not sealed
/// when the backup was taken, must not wait until it has counted as far.
#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn events_that_were_not_sealed_are_sealed_after_a_restore(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let scene = Scene::new(options, login.clone()).await;
    let mut owner = login.connect().await.expect("the owner");
    let event = NewEvent {
        kind: "TestHappened",
        subject: "test",
        subject_id: "1".to_owned(),
        campaign_id: None,
        actor: SYSTEM,
        body: json!({}),
    };
    let late = events::append(&mut owner, &event).await.expect("an event").0;
    sqlx::query("update event set xid = '90000000000' where id = $1")
        .bind(late)
        .execute(&mut owner)
        .await
        .expect("a transaction far ahead");
    take(&scene.what).await.expect("a backup");
    let elsewhere = Elsewhere::make(&scene, &mut owner, &login).await;
    restore(&elsewhere.what).await.expect("restored");
    let mut restored = login.clone().database(&elsewhere.name).connect().await.expect("the restored one");
    let sealing = async {
        loop {
            events::seal_batch(&mut restored, 100).await.expect("sealed");
            let sealed = sqlx::query_scalar("select exists (select from event_seal where event_id = $1)")
                .bind(late)
                .fetch_one(&mut restored)
                .await;
            if sealed.expect("an answer") {
                break;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), sealing).await.expect("it has its position");
    events::verify(&mut restored).await.expect("the chain is whole");
    restored.close().await.expect("closed");
    elsewhere.leave(&mut owner).await;
}

/// No foreign key refuses it while the dump is read back.
#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn history_without_its_jobs_is_not_restored(options: PgPoolOptions, login: PgConnectOptions) {
    let scene = Scene::new(options, login.clone()).await;
    let mut owner = login.connect().await.expect("the owner");
    sqlx::query(
        "insert into job_attempt (job_id, attempt, lease_token, worker, leased_at, ending)
         select gen_random_uuid(), 1, gen_random_uuid(), gen_random_uuid(), now(), 'succeeded'
         from generate_series(1, 3)",
    )
    .execute(&mut owner)
    .await
    .expect("attempts at jobs that are not there");
    take(&scene.what).await.expect("a backup");
    let elsewhere = Elsewhere::make(&scene, &mut owner, &login).await;
    let refused = restore(&elsewhere.what).await.expect_err("it is damaged").to_string();
    assert!(refused.contains("3 of job_attempt"), "{refused}");
    elsewhere.leave(&mut owner).await;
}

/// `url` behind the name of a server that is not there.
fn among_several(url: &str) -> String {
    url.replacen('@', "@127.0.0.1:1,", 1)
}

async fn execute(owner: &mut PgConnection, statement: &'static str) {
    sqlx::query(statement).execute(owner).await.expect("done");
}

/// One channel that cannot be used without the key.
async fn seal_a_channel(owner: &mut PgConnection) {
    execute(
        owner,
        "insert into channel (id, name, kind, target, sealed, created_by)
         values (gen_random_uuid(), 'hook', 'webhook', 'https://example.org', 'sealed',
             '00000000-0000-7000-8000-000000000001')",
    )
    .await;
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_url_of_several_hosts_serves_backup_restore_and_audit(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let mut scene = Scene::new(options, login.clone()).await;
    let mut owner = login.connect().await.expect("the owner");
    scene.what.database_url = among_several(&scene.what.database_url);
    take(&scene.what).await.expect("a backup");
    let mut elsewhere = Elsewhere::make(&scene, &mut owner, &login).await;
    elsewhere.what.database_url = among_several(&elsewhere.what.database_url);
    restore(&elsewhere.what).await.expect("restored");
    let audit = ["loopwright", "audit", "verify", "--database-url", &elsewhere.what.database_url];
    Arguments::parse_from(audit).run().await.expect("the record is sound");
    elsewhere.leave(&mut owner).await;
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_damaged_backup_does_not_stand_in_the_way_of_others(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let scene = Scene::new(options, login).await;
    let damaged = take(&scene.what).await.expect("a backup").name;
    let good = take(&scene.what).await.expect("a backup");
    std::fs::write(scene.what.to.join(&damaged).join("manifest.json"), "{").expect("damage");
    let foreign = scene.what.to.join("of-somebody-else");
    std::fs::create_dir(&foreign).expect("a folder");
    std::fs::write(foreign.join("manifest.json"), "not ours").expect("a file");
    assert_eq!(find(&scene.what.to, None).expect("the newest"), good);
    assert_eq!(find(&scene.what.to, Some(&good.name)).expect("the named one"), good);
    let refused = find(&scene.what.to, Some(&damaged)).expect_err("it is damaged");
    assert!(format!("{refused:#}").contains("is damaged"), "{refused:#}");

    let newest = take(&scene.what).await.expect("a backup").name;
    let last = take(&scene.what).await.expect("a backup").name;
    assert_eq!(scene.backups(), [damaged, newest, last.clone(), "of-somebody-else".to_owned()]);
    std::fs::write(scene.what.to.join(&last).join("manifest.json"), "{").expect("damage");
    let refused = find(&scene.what.to, None).expect_err("nothing older is taken in its place");
    assert!(format!("{refused:#}").contains(&format!("{last} is the newest")), "{refused:#}");
}

#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_channel_key_that_is_kept_elsewhere_is_asked_for_there(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let scene = Scene::new(options, login.clone()).await;
    let mut owner = login.connect().await.expect("the owner");
    let manifest = take(&scene.what).await.expect("a backup");
    assert_eq!(channel_key(&scene.what.to, &manifest), ChannelKey::Here);
    std::fs::remove_file(scene.what.to.join(&manifest.name).join("channel.key")).expect("taken away");
    assert_eq!(channel_key(&scene.what.to, &manifest), ChannelKey::Elsewhere);
    verify(&scene.what.to, &manifest).expect("it is whole");

    let mut elsewhere = Elsewhere::make(&scene, &mut owner, &login).await;
    let key = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(key.path(), "another").expect("a key");
    elsewhere.what.channel_key_file = Some(key.path().to_owned());
    let refused = restore(&elsewhere.what).await.expect_err("it opens nothing").to_string();
    assert!(refused.contains("another channel key") && refused.contains("Nothing was changed"), "{refused}");
    std::fs::write(key.path(), "key").expect("the key");
    let restored = restore(&elsewhere.what).await.expect("restored");
    assert_eq!(restored.channel_key_missing_at, None);
    elsewhere.leave(&mut owner).await;
}

/// Into a home folder on a disk of its own, as containers have it.
#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn a_backup_without_the_key_of_its_channels_says_so_and_is_restored(
    options: PgPoolOptions,
    login: PgConnectOptions,
) {
    let scene = Scene::new(options, login.clone()).await;
    let mut owner = login.connect().await.expect("the owner");
    std::fs::remove_file(scene.what.data_dir.join("channel.key")).expect("lost");
    let without_channels = take(&scene.what).await.expect("a backup");
    assert_eq!(channel_key(&scene.what.to, &without_channels), ChannelKey::NotNeeded);
    seal_a_channel(&mut owner).await;
    let manifest = take(&scene.what).await.expect("a backup");
    assert_eq!((manifest.sealed_channels, channel_key(&scene.what.to, &manifest)), (1, ChannelKey::Missing));

    let elsewhere = Elsewhere::make(&scene, &mut owner, &login).await;
    let data_dir = &elsewhere.what.data_dir;
    std::fs::create_dir(data_dir.join("lost+found")).expect("a folder");
    for left in [".bashrc", "channel.part"] {
        std::fs::write(data_dir.join(left), "").expect("a file");
    }
    std::fs::write(data_dir.join("thesis.tex"), "").expect("a file");
    let refused = restore(&elsewhere.what).await.expect_err("it is somebody's").to_string();
    assert!(refused.contains("thesis.tex"), "{refused}");
    std::fs::remove_file(data_dir.join("thesis.tex")).expect("moved away");
    let restored = restore(&elsewhere.what).await.expect("restored");
    assert_eq!(restored.channel_key_missing_at, Some(data_dir.join("channel.key")));
    elsewhere.leave(&mut owner).await;
}

/// It may make no role, and need not: an administrator has.
#[sqlx::test(migrator = "orchestrator::store::MIGRATOR")]
async fn an_ordinary_owner_finds_the_application_s_role(_options: PgPoolOptions, login: PgConnectOptions) {
    let mut owner = login.connect().await.expect("the owner");
    let ordinary = format!("ordinary_{}", uuid::Uuid::now_v7().simple());
    let become_it = sqlx::AssertSqlSafe(format!("create role {ordinary}; set role {ordinary}"));
    sqlx::raw_sql(become_it).execute(&mut owner).await.expect("an ordinary role");
    let made = orchestrator::store::backup::make_role(&mut owner).await;
    let leave = sqlx::AssertSqlSafe(format!("reset role; drop role {ordinary}"));
    sqlx::raw_sql(leave).execute(&mut owner).await.expect("gone");
    made.expect("it is there");
}
