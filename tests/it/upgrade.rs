//! Files of every earlier schema, with rows in them, brought up to date by the real binary.

use std::path::Path;

use sha2::{Digest as _, Sha384};
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::support::clock::SOON;
use crate::support::daemon::{Daemon, Setup, certkeeper, certkeeper_with_small_files};
use crate::support::discord::Discord;

/// A file as a release of this schema left it: settings, two certificates, an audit with its report, nonconformities
/// with their steps, files, and the journal of all of it.
const SCHEMA_1: &str = include_str!("../fixtures/schema-1.sql");

const SCHEMA_2: &str = include_str!("../../migrations/0002_management_system.sql");

async fn open(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    SqliteConnection::connect_with(&options).await.unwrap()
}

async fn laid_down(path: &Path, dump: &'static str) {
    let mut c = open(path).await;
    sqlx::raw_sql(dump).execute(&mut c).await.unwrap();
    c.close().await.unwrap();
}

fn said(output: &std::process::Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test]
async fn a_file_of_the_first_schema_keeps_its_records_and_its_chain() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("certkeeper.db");
    laid_down(&path, SCHEMA_1).await;
    let head = "console=12:92d5c2bb8224ba4eb0214c7f458c69ea3bf9a85a241ca6ca38ad87e8d46226da";
    let discord = Discord::start();
    let daemon = Daemon::ready(&discord, Setup { database: Some(path.clone()), ..Setup::default() }).await;
    // Nothing of before was altered, and the head held elsewhere is still in the chain.
    let verified = daemon.certkeeper(&["verify", "--against", head]);
    assert!(verified.status.success(), "{}", said(&verified));
    let does = |line: &str| {
        let output = daemon.certkeeper(&["do", "--as", "ana", line]);
        assert!(output.status.success(), "{line}: {}", said(&output));
        said(&output)
    };
    let shown = does("/nc show nc:NC-1");
    assert!(shown.contains("found not effective") && shown.contains("proof.txt"), "{shown}");
    // Its audit was held: it counts, and takes what is new.
    assert!(does("/audit show audit:A-1").contains("reported"));
    does("/nc contain nc:NC-2 what:Frozen");
    does("/nc plan nc:NC-1 owner:carl due:2099-01-01 action:Another list");
    does("/finding raise audit:A-1 grade:opportunity clause:9.2 statement:A calendar");
    does("/finding assign finding:F-1 owner:carl");
    does("/audit close audit:A-1");
    let verified = daemon.certkeeper(&["verify", "--against", head]);
    assert!(verified.status.success(), "{}", said(&verified));
    // What stood there before the upgrade stands beside it.
    let kept = folder.path().join("certkeeper.db.before-schema-2");
    let mut c = open(&kept).await;
    let versions: i64 =
        sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations").fetch_one(&mut c).await.unwrap();
    assert_eq!(versions, 1);
    drop(daemon);
    // An alteration of a column that the upgrade added is noticed like any other.
    let mut c = open(&path).await;
    sqlx::query("UPDATE nonconformity SET objective = 'made up' WHERE no = 1").execute(&mut c).await.unwrap();
    c.close().await.unwrap();
    let daemon = Daemon::ready(&discord, Setup { database: Some(path), ..Setup::default() }).await;
    let verified = daemon.certkeeper(&["verify"]);
    assert!(
        !verified.status.success() && said(&verified).contains("objective altered"),
        "{}",
        said(&verified)
    );
}

/// The same file a schema later: what each step added is expected of the images of before.
#[tokio::test]
async fn a_file_of_the_second_schema_keeps_its_records_and_its_chain() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("certkeeper.db");
    laid_down(&path, SCHEMA_1).await;
    let mut c = open(&path).await;
    sqlx::raw_sql(SCHEMA_2).execute(&mut c).await.unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations VALUES (2, 'management system', '2026-11-24 17:00:00', 1, ?, 1)",
    )
    .bind(Sha384::digest(SCHEMA_2).to_vec())
    .execute(&mut c)
    .await
    .unwrap();
    c.close().await.unwrap();
    let discord = Discord::start();
    let daemon = Daemon::ready(&discord, Setup { database: Some(path.clone()), ..Setup::default() }).await;
    let does = |line: &str| {
        let output = daemon.certkeeper(&["do", "--as", "ana", line]);
        assert!(output.status.success(), "{line}: {}", said(&output));
        said(&output)
    };
    assert!(daemon.certkeeper(&["verify"]).status.success());
    // What is new is taken, and is held like the rest.
    does("/remind snooze reminder:NC-1 until:tomorrow reason:Moving house");
    does("/setup working-days:mon-fri quiet-hours:18-8 escalate-after:3");
    let verified = daemon.certkeeper(&["verify"]);
    assert!(verified.status.success(), "{}", said(&verified));
    assert!(folder.path().join("certkeeper.db.before-schema-3").exists());
    let mut c = open(&path).await;
    sqlx::query("UPDATE answer SET words = 'made up'").execute(&mut c).await.unwrap();
    sqlx::query("UPDATE organisation SET quiet_from = 3 WHERE quiet_from IS NOT NULL")
        .execute(&mut c)
        .await
        .unwrap();
    c.close().await.unwrap();
    let verified = said(&daemon.certkeeper(&["verify"]));
    assert!(verified.contains("words altered") && verified.contains("quiet_from altered"), "{verified}");
}

#[tokio::test]
async fn a_newer_file_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("certkeeper.db");
    laid_down(&path, SCHEMA_1).await;
    let mut c = open(&path).await;
    let newer =
        "INSERT INTO _sqlx_migrations VALUES (99, 'from the future', '2030-01-01 00:00:00', 1, X'00', 1)";
    sqlx::query(newer).execute(&mut c).await.unwrap();
    // As every file of ours is.
    sqlx::query("PRAGMA journal_mode = WAL").execute(&mut c).await.unwrap();
    c.close().await.unwrap();
    let before = std::fs::read(&path).unwrap();
    let discord = Discord::start();
    let daemon = Daemon::start(&discord, Setup { database: Some(path.clone()), ..Setup::default() });
    let ended = daemon.wait_exit(SOON).await;
    assert_eq!(ended.code(), Some(78));
    assert!(
        daemon.output().contains("has schema 99, which is newer than this certkeeper"),
        "{}",
        daemon.output()
    );
    assert_eq!(std::fs::read(&path).unwrap(), before, "not a byte was changed");
}

#[tokio::test]
async fn an_upgrade_that_fails_half_way_leaves_the_file_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("certkeeper.db");
    laid_down(&path, SCHEMA_1).await;
    let mut c = open(&path).await;
    // What the upgrade creates late stands there already: it stops in the middle.
    sqlx::query("CREATE TABLE record (id INTEGER) STRICT").execute(&mut c).await.unwrap();
    c.close().await.unwrap();
    let discord = Discord::start();
    let daemon = Daemon::start(&discord, Setup { database: Some(path.clone()), ..Setup::default() });
    assert_ne!(daemon.wait_exit(SOON).await.code(), Some(0));
    assert!(daemon.output().contains("could not be brought up to date"), "{}", daemon.output());
    let mut c = open(&path).await;
    let kept = folder.path().join("certkeeper.db.before-schema-2");
    let mut copy = open(&kept).await;
    let journal: i64 = sqlx::query_scalar("SELECT count(*) FROM journal").fetch_one(&mut copy).await.unwrap();
    assert_eq!(journal, 12, "the copy of before was kept");
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name IN ('area', 'audit_part', 'finding', 'review', 'action')";
    assert_eq!(
        sqlx::query_scalar::<_, i64>(tables).fetch_one(&mut c).await.unwrap(),
        0,
        "none of it was done"
    );
    sqlx::query("DROP TABLE record").execute(&mut c).await.unwrap();
    c.close().await.unwrap();
    // With that out of the way it is upgraded after all.
    let daemon = Daemon::ready(&discord, Setup { database: Some(path), ..Setup::default() }).await;
    let verified = daemon.certkeeper(&["verify"]);
    assert!(verified.status.success(), "{}", said(&verified));
}

#[tokio::test]
async fn a_schema_that_is_not_ours_is_named_and_the_file_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("certkeeper.db");
    laid_down(&path, SCHEMA_1).await;
    let mut c = open(&path).await;
    sqlx::query("UPDATE _sqlx_migrations SET checksum = X'00' WHERE version = 1")
        .execute(&mut c)
        .await
        .unwrap();
    sqlx::query("PRAGMA journal_mode = WAL").execute(&mut c).await.unwrap();
    c.close().await.unwrap();
    let before = std::fs::read(&path).unwrap();
    let discord = Discord::start();
    let daemon = Daemon::start(&discord, Setup { database: Some(path.clone()), ..Setup::default() });
    let ended = daemon.wait_exit(SOON).await;
    assert_eq!(ended.code(), Some(78), "{}", daemon.output());
    assert!(daemon.output().contains("has a schema 1 that is not this certkeeper's"), "{}", daemon.output());
    assert_eq!(std::fs::read(&path).unwrap(), before, "not a byte was changed");
}

#[tokio::test]
async fn a_copy_of_before_that_was_ended_half_way_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("certkeeper.db");
    laid_down(&path, SCHEMA_1).await;
    // Ended by a limit in the middle of the copy.
    let ended = certkeeper_with_small_files(folder.path(), 32, &["do", "--as", "ana", "status"]);
    let kept = folder.path().join("certkeeper.db.before-schema-2");
    assert!(!ended.status.success() && !kept.exists(), "{}", said(&ended));
    let whole = certkeeper(folder.path(), &["do", "--as", "ana", "status"]);
    assert!(whole.status.success(), "{}", said(&whole));
    let mut copy = open(&kept).await;
    let sound: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut copy).await.unwrap();
    let journal: i64 = sqlx::query_scalar("SELECT count(*) FROM journal").fetch_one(&mut copy).await.unwrap();
    assert_eq!((sound.as_str(), journal), ("ok", 12));
}
