//! Faults of the machine: docs/reliability.md names each with its test.

use std::os::unix::fs::FileExt as _;
use std::time::Duration;

use rustix::process::Signal;
use sqlx::{Connection as _, SqliteConnection};

use crate::support::clock::{SOON, WallClock};
use crate::support::daemon::{Daemon, Setup};
use crate::support::discord::Discord;
use crate::support::faults::{Fault, Kind};

async fn furnished(discord: &Discord) -> Daemon {
    let daemon = Daemon::ready(discord, Setup::default()).await;
    for line in
        ["/setup timezone:UTC hour:9", "/certificate add standard:iso-9001 name:Acme decided:2026-03-02"]
    {
        assert!(discord.line("owner", line).await.unwrap().acked);
    }
    daemon
}

#[tokio::test]
async fn a_corrupted_page_is_found_at_the_start_and_nothing_is_made_anew() {
    let discord = Discord::start();
    let mut daemon = furnished(&discord).await;
    daemon.terminate();
    daemon.wait_exit(SOON).await;
    let file = std::fs::File::options().read(true).write(true).open(daemon.database()).unwrap();
    let pages = file.metadata().unwrap().len() / 4096;
    for page in pages / 3..pages / 3 + 12 {
        file.write_all_at(&[0xa5; 4096], page * 4096).unwrap();
    }
    let torn = std::fs::read(daemon.database()).unwrap();
    daemon.start_again();
    let status = daemon.wait_exit(SOON).await;
    assert_eq!(status.code(), Some(74), "{}", daemon.output());
    assert!(daemon.output().contains("certkeeper restore"), "{}", daemon.output());
    assert_eq!(std::fs::read(daemon.database()).unwrap(), torn, "the file was changed");
}

#[tokio::test]
async fn a_missing_folder_is_named_with_what_to_do() {
    let discord = Discord::start();
    let setup = Setup::default().env("CERTKEEPER_DATABASE__PATH", "/nowhere/at/all/certkeeper.db");
    let daemon = Daemon::start(&discord, setup);
    let status = daemon.wait_exit(SOON).await;
    assert_eq!(status.code(), Some(78), "{}", daemon.output());
    assert!(daemon.output().contains("/nowhere/at/all"), "{}", daemon.output());
}

#[tokio::test]
async fn a_file_that_was_removed_under_the_daemon_ends_it_within_a_minute() {
    let discord = Discord::start();
    let daemon = furnished(&discord).await;
    std::fs::rename(daemon.database(), daemon.folder().join("elsewhere.db")).unwrap();
    // Any change has it looked at; without one the alarm does, each minute.
    discord.person("owner").with("hour", "10").send("/setup").unwrap();
    let status = daemon.wait_exit(Duration::from_secs(70)).await;
    assert_eq!(status.code(), Some(74), "{}", daemon.output());
    assert!(daemon.output().contains("removed or replaced"), "{}", daemon.output());
}

#[tokio::test]
async fn a_file_that_another_program_locks_costs_the_change_and_nothing_else() {
    let discord = Discord::start();
    let daemon = furnished(&discord).await;
    let mut other =
        SqliteConnection::connect(&format!("sqlite://{}", daemon.database().display())).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let reply = discord.line("owner", "/nc raise certificate:1 grade:minor clause:9.2 statement:x").await;
    let reply = reply.unwrap();
    assert!(reply.acked && !reply.text().contains("NC-1 raised"), "{}", reply.text());
    assert!(discord.line("bob", "/status").await.unwrap().text().contains("Acme"), "reading goes on");
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    let again = discord.line("owner", "/nc raise certificate:1 grade:minor clause:9.2 statement:x").await;
    assert!(again.unwrap().text().contains("NC-1 raised"));
    assert!(daemon.certkeeper(&["verify"]).status.success());
}

#[tokio::test]
async fn sigterm_while_a_message_hangs_ends_in_time_and_the_second_at_once() {
    for twice in [false, true] {
        let discord = Discord::start();
        let mut daemon = Daemon::ready(&discord, Setup::default()).await;
        discord.line("owner", "/setup timezone:UTC hour:9").await.unwrap();
        discord.fault(Fault::new(Kind::Hang).on("POST", "/channels/*/messages$").times(1));
        discord
            .line("owner", "/certificate add standard:iso-9001 name:Acme decided:2026-03-02")
            .await
            .unwrap();
        discord.wait_requests("POST", "/channels/*/messages$", 1, SOON).await;
        let began = std::time::Instant::now();
        daemon.terminate();
        if twice {
            daemon.wait_output("stopping", SOON).await;
            daemon.signal(Signal::TERM);
        }
        let status = daemon.wait_exit(Duration::from_secs(6)).await;
        assert!(status.success(), "{status:?}");
        let most = Duration::from_millis(if twice { 2_500 } else { 5_000 });
        assert!(began.elapsed() < most, "{:?}", began.elapsed());
        daemon.start_again();
        discord.wait_message("general", "Acme: where it stands", SOON).await;
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_and_forth_repeats_nothing() {
    let Some(clock) = WallClock::at("2026-03-02T08:59:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let _daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    for line in [
        "/setup timezone:Europe/Berlin hour:9",
        "/certificate add standard:iso-27001 name:Acme decided:2026-03-02",
    ] {
        discord.line("owner", line).await.unwrap();
    }
    clock.set("2026-09-02T09:00:01+02:00");
    discord.wait_message("general", "Prepare for surveillance begins", SOON).await;
    for at in ["2026-03-02T09:00:01+01:00", "2025-03-02T09:00:01+01:00", "2026-09-02T09:30:00+02:00"] {
        clock.set(at);
        // A change has it look at what is due.
        let raise = "/nc raise certificate:1 grade:minor clause:9.2 statement:x due:in 2 years";
        assert!(discord.line("owner", raise).await.unwrap().acked);
        assert!(discord.line("bob", "/status").await.unwrap().acked);
    }
    clock.set("2026-12-02T09:00:01+01:00");
    discord.wait_message("general", "First surveillance audit begins", SOON).await;
    let shown: String = discord.messages("general").iter().map(|m| m.text() + "\n").collect();
    for title in ["Internal audits and reviews begins", "Prepare for surveillance begins"] {
        assert_eq!(shown.matches(title).count(), 1, "{title}");
    }
    discord.assert_clean();
}

#[tokio::test]
async fn the_doctor_says_what_is_wrong_and_what_to_do() {
    let discord = Discord::start();
    let mut daemon = furnished(&discord).await;
    let report = |daemon: &Daemon| {
        let said = daemon.certkeeper(&["doctor"]);
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        assert!(!text.contains(&discord.token), "the token is in the report");
        (said.status.code(), text)
    };
    discord.wait_message("general", "Acme: where it stands", SOON).await;
    let (code, text) = report(&daemon);
    assert_eq!(code, Some(0), "{text}");
    for line in
        ["knows the token", "is whole", "agree with the tables", "permitted in #general", "backups: none"]
    {
        assert!(text.contains(line), "{line} in {text}");
    }
    // Read Message History and Send Messages are taken away, and something waits.
    discord.bot_access("general", 0, (1 << 16) | (1 << 11));
    discord.line("owner", "/certificate add standard:iso-9001 name:Two decided:2026-03-02").await.unwrap();
    daemon.wait_output("does not take messages", SOON).await;
    let (code, text) = report(&daemon);
    assert_eq!(code, Some(1), "{text}");
    for line in
        ["missing in #general", "Send Messages", "Read Message History", "1 reminder waits for channel"]
    {
        assert!(text.contains(line), "{line} in {text}");
    }
    // Without a network, and with a record that was altered.
    discord.down().await;
    daemon.kill9().await;
    let mut file =
        SqliteConnection::connect(&format!("sqlite://{}", daemon.database().display())).await.unwrap();
    sqlx::query("UPDATE certificate SET body = 'Other'").execute(&mut file).await.unwrap();
    file.close().await.unwrap();
    let (code, text) = report(&daemon);
    assert_eq!(code, Some(1), "{text}");
    for line in ["could not be asked", "was altered"] {
        assert!(text.contains(line), "{line} in {text}");
    }
}
