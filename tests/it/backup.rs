//! Backups of the real binary, taken and put back.

use std::path::PathBuf;
use std::process::Output;

use crate::support::clock::{SOON, WallClock};
use crate::support::daemon::{Daemon, Setup};
use crate::support::discord::Discord;
use crate::support::disk::{Disk, Faulty};

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn backups(daemon: &Daemon) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(daemon.folder().join("backups"))
        .map(|entries| entries.flatten().map(|e| e.path()).collect())
        .unwrap_or_default();
    found.sort();
    found
}

fn count(discord: &Discord, text: &str) -> usize {
    discord.messages("general").iter().map(|m| m.text().matches(text).count()).sum()
}

async fn certified(discord: &Discord) {
    for line in [
        "/setup timezone:Europe/Berlin hour:9",
        "/certificate add standard:iso-27001 name:Acme decided:2026-03-02 owner:alice",
    ] {
        discord.line("owner", line).await.unwrap();
    }
}

/// A backup is taken after the first phase; what is said afterwards, singly and in a digest, is then lost to it.
async fn said_after_the_backup(discord: &Discord, clock: &WallClock, daemon: &mut Daemon) -> PathBuf {
    certified(discord).await;
    clock.set("2026-03-02T09:00:01+01:00");
    discord.wait_message("general", "Internal audits and reviews begins", SOON).await;
    let taken = daemon.certkeeper(&["backup"]);
    assert!(taken.status.success() && text(&taken).contains("found whole"), "{}", text(&taken));
    clock.set("2026-09-02T09:00:01+02:00");
    discord.wait_message("general", "Prepare for surveillance begins", SOON).await;
    daemon.kill9().await;
    clock.set("2026-12-05T12:00:00+01:00");
    daemon.start_again();
    discord.wait_message("general", "First surveillance audit begins", SOON).await;
    daemon.kill9().await;
    let backups = backups(daemon);
    assert_eq!(backups.len(), 1, "{backups:?}");
    backups[0].clone()
}

#[tokio::test]
async fn a_restored_database_repeats_nothing_that_was_said_since_and_leaves_nothing_out() {
    let Some(clock) = WallClock::at("2026-03-02T08:59:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let mut daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    let backup = said_after_the_backup(&discord, &clock, &mut daemon).await;
    let before = discord.messages("general").len();
    // Two things fall due while it is down; then the old file is put back.
    clock.set("2027-01-31T09:30:00+01:00");
    let refused = daemon.certkeeper(&["restore", backup.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(78), "{}", text(&refused));
    assert!(text(&refused).contains("--force"), "{}", text(&refused));
    let restored = daemon.certkeeper(&["restore", "--force", backup.to_str().unwrap()]);
    assert!(restored.status.success() && text(&restored).contains("as of 2026-03-02"), "{}", text(&restored));
    daemon.start_again();
    daemon.wait_ready(&discord).await;
    let left = discord.wait_messages("general", before + 1, SOON).await;
    assert!(left.last().unwrap().text().contains("first surveillance audit by 2027-03-02"));
    clock.set("2027-03-02T09:00:01+01:00");
    discord.wait_message("general", "Continue the cycle begins", SOON).await;
    for (title, times) in [
        ("Internal audits and reviews begins", 1),
        ("Prepare for surveillance begins", 1),
        ("First surveillance audit begins", 1),
        ("Continue the cycle begins", 1),
        ("May be a repeat", 0),
    ] {
        assert_eq!(count(&discord, title), times, "{title}\n{}", daemon.output());
    }
    assert!(daemon.certkeeper(&["verify"]).status.success());
    let aside = std::fs::read_dir(daemon.folder()).unwrap().flatten();
    assert!(aside.map(|e| e.file_name().into_string().unwrap()).any(|n| n.contains(".before-restore-")));
}

#[tokio::test]
async fn where_the_history_cannot_be_read_a_restored_database_says_that_it_may_repeat() {
    let Some(clock) = WallClock::at("2026-03-02T08:59:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let mut daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    let backup = said_after_the_backup(&discord, &clock, &mut daemon).await;
    discord.bot_access("general", 0, 1 << 16);
    let before = discord.messages("general").len();
    let restored = daemon.certkeeper(&["restore", "--force", backup.to_str().unwrap()]);
    assert!(restored.status.success(), "{}", text(&restored));
    daemon.start_again();
    let said = discord.wait_messages("general", before + 1, SOON).await;
    assert!(said.last().unwrap().text().contains("May be a repeat"), "{}", said.last().unwrap().text());
}

#[tokio::test]
async fn what_is_no_whole_backup_is_not_put_back_and_nothing_is_changed() {
    let discord = Discord::start();
    let daemon = Daemon::ready(&discord, Setup::default()).await;
    certified(&discord).await;
    assert!(daemon.certkeeper(&["backup", "good.db"]).status.success());
    let again = daemon.certkeeper(&["backup", "good.db"]);
    assert_eq!(again.status.code(), Some(78), "{}", text(&again));
    let good = daemon.folder().join("good.db");
    let running = daemon.certkeeper(&["restore", "--force", "good.db"]);
    assert_eq!(running.status.code(), Some(75), "{}", text(&running));
    daemon.terminate();
    daemon.wait_exit(SOON).await;

    let bytes = std::fs::read(&good).unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(daemon.folder().join(name), bytes).unwrap();
    write("truncated.db", &bytes[..bytes.len() / 2]);
    let mut torn = bytes.clone();
    let middle = torn.len() / 2 / 4096 * 4096;
    torn[middle..middle + 4096].fill(0xa5);
    write("torn.db", &torn);
    write("empty.db", b"");
    write("words.db", b"no database at all, but long enough to look like the beginning of one, perhaps");
    let altered = daemon.folder().join("altered.db");
    std::fs::copy(&good, &altered).unwrap();
    {
        use sqlx::Connection as _;
        let mut c =
            sqlx::SqliteConnection::connect(&format!("sqlite://{}", altered.display())).await.unwrap();
        sqlx::query("UPDATE certificate SET name = 'Other'").execute(&mut c).await.unwrap();
        c.close().await.unwrap();
    }
    let database = std::fs::read(daemon.database()).unwrap();
    for name in ["truncated.db", "torn.db", "empty.db", "words.db", "altered.db", "absent.db"] {
        let refused = daemon.certkeeper(&["restore", "--force", name]);
        let code = refused.status.code();
        assert!(matches!(code, Some(74 | 78)), "{name}: {code:?} {}", text(&refused));
        assert!(text(&refused).contains(name), "{name}: {}", text(&refused));
        assert_eq!(std::fs::read(daemon.database()).unwrap(), database, "{name} changed the database");
    }
    let put = daemon.certkeeper(&["restore", "--force", "good.db"]);
    assert!(put.status.success(), "{}", text(&put));
    assert!(daemon.certkeeper(&["verify"]).status.success());
}

#[tokio::test]
async fn scheduled_backups_are_made_up_for_and_only_so_many_are_kept() {
    let Some(clock) = WallClock::at("2026-03-02T08:59:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let setup = Setup::on_clock(&clock)
        .env("CERTKEEPER_BACKUP__EVERY_HOURS", "24")
        .env("CERTKEEPER_BACKUP__KEEP", "2");
    let mut daemon = Daemon::ready(&discord, setup).await;
    let mut names = Vec::new();
    for (n, at) in ["2026-03-02T10:00:00Z", "2026-03-04T11:00:00Z", "2026-06-03T11:00:00Z"].iter().enumerate()
    {
        daemon.wait_output("backup taken and proven", SOON).await;
        let found = backups(&daemon);
        assert_eq!(found.len(), (n + 1).min(2), "{found:?}");
        names.push(found.last().unwrap().clone());
        daemon.kill9().await;
        clock.set(at);
        daemon.start_again();
        if n == 0 {
            // An hour later none is due.
            daemon.wait_ready(&discord).await;
            assert_eq!(backups(&daemon).len(), 1);
            daemon.kill9().await;
            clock.set("2026-03-03T09:00:00Z");
            daemon.start_again();
        }
    }
    daemon.wait_output("backup taken and proven", SOON).await;
    assert_eq!(backups(&daemon).len(), 2);
    names.dedup();
    assert_eq!(names.len(), 3, "{names:?}");
    let health = daemon.get("/healthz").await.json();
    assert!(health["last_backup"].as_str().is_some_and(|at| at.starts_with("2026-06-03")), "{health}");
}

#[tokio::test]
async fn a_backup_that_is_ended_half_way_is_not_there_and_goes_with_the_next() {
    let Some(clock) = WallClock::at("2026-03-02T08:59:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    certified(&discord).await;
    assert!(daemon.certkeeper(&["backup"]).status.success());
    let first = backups(&daemon);
    clock.set("2026-03-02T10:00:00+01:00");
    let ended = daemon.certkeeper_with_small_files(32, &["backup"]);
    assert!(!ended.status.success(), "{}", text(&ended));
    let shown = |all: &[PathBuf]| all.iter().filter(|p| p.extension().is_some_and(|e| e == "db")).count();
    let found = backups(&daemon);
    assert!(found.len() > 1 && shown(&found) == 1 && found.contains(&first[0]), "{found:?}");
    clock.set("2026-03-02T12:00:00+01:00");
    let taken = daemon.certkeeper(&["backup"]);
    assert!(taken.status.success(), "{}", text(&taken));
    let found = backups(&daemon);
    assert!(found.len() == 2 && shown(&found) == 2, "what was left behind is gone: {found:?}");
}

#[tokio::test]
async fn where_there_is_no_room_for_a_backup_the_earlier_ones_stay_and_it_is_said() {
    let Some(disk) = Faulty::new() else { return };
    let discord = Discord::start();
    let setup = disk.under(Setup::default(), "/backups/");
    let daemon = Daemon::ready(&discord, setup).await;
    certified(&discord).await;
    assert!(daemon.certkeeper(&["backup"]).status.success());
    let first = backups(&daemon);
    for broken in [Disk::Full, Disk::Broken, Disk::BrokenFlush] {
        // Backups are named by the second.
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        disk.set(broken);
        let refused = daemon.certkeeper(&["backup"]);
        assert_eq!(refused.status.code(), Some(78), "{broken:?}: {}", text(&refused));
        assert!(text(&refused).contains("backups"), "{broken:?}: {}", text(&refused));
        assert_eq!(backups(&daemon), first, "{broken:?}");
    }
    disk.set(Disk::Works);
    assert!(daemon.certkeeper(&["backup"]).status.success());
}
