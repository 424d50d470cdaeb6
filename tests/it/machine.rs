//! Faults of the machine: docs/reliability.md names each with its test.

use std::os::unix::fs::FileExt as _;
use std::time::Duration;

use rustix::process::{Resource, Signal};
use sqlx::{Connection as _, SqliteConnection};

use crate::support::clock::{SOON, WallClock};
use crate::support::daemon::{Daemon, Setup};
use crate::support::discord::Discord;
use crate::support::disk::{Disk, Faulty};
use crate::support::faults::{Fault, Kind};

async fn furnished(discord: &Discord) -> Daemon {
    furnished_as(discord, Setup::default()).await
}

async fn furnished_as(discord: &Discord, setup: Setup) -> Daemon {
    let daemon = Daemon::ready(discord, setup).await;
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

/// Raises a nonconformity; what is answered.
async fn raise(discord: &Discord) -> String {
    let line = "/nc raise certificate:1 grade:minor clause:9.2 statement:x";
    let reply = discord.line("owner", line).await.unwrap();
    assert!(reply.acked, "{}", reply.text());
    reply.text().to_owned()
}

/// Until the daemon's health page has this status; what it says.
async fn wait_health(daemon: &Daemon, status: u16) -> String {
    let waited = tokio::time::timeout(2 * SOON, async {
        loop {
            let got = daemon.get("/healthz").await;
            if got.status == status {
                return got.json().to_string();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("never {status}:\n{}", daemon.output()))
}

#[tokio::test]
async fn a_full_disk_costs_the_change_and_nothing_else_until_there_is_room() {
    let Some(disk) = Faulty::new() else { return };
    let discord = Discord::start();
    let daemon = furnished_as(&discord, disk.setup()).await;
    discord.wait_message("general", "where it stands", SOON).await;
    disk.set(Disk::Full);
    assert!(raise(&discord).await.contains("storage is full: nothing was saved"));
    assert!(discord.line("bob", "/status").await.unwrap().text().contains("Acme"), "reading goes on");
    assert!(wait_health(&daemon, 503).await.contains("full"));
    assert!(raise(&discord).await.contains("storage is full: nothing was saved"));
    disk.set(Disk::Works);
    wait_health(&daemon, 200).await;
    assert!(raise(&discord).await.contains("NC-1 raised"), "nothing of the first two was kept");
    assert!(daemon.certkeeper(&["verify"]).status.success());
}

#[tokio::test]
async fn what_cannot_be_kept_is_not_said_and_what_was_said_is_not_said_again() {
    let Some(disk) = Faulty::new() else { return };
    let Some(clock) = WallClock::at("2026-03-02T08:59:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let setup = disk.under(Setup::on_clock(&clock), "certkeeper.db");
    let daemon = Daemon::ready(&discord, setup).await;
    for line in [
        "/setup timezone:Europe/Berlin hour:9",
        "/certificate add standard:iso-27001 name:Acme decided:2026-03-02",
    ] {
        discord.line("owner", line).await.unwrap();
    }
    let said = |title: &str| discord.messages("general").iter().filter(|m| m.text().contains(title)).count();
    // The disk fills while a message is on its way: it stands there, and that it does cannot be kept.
    discord.fault(Fault::delay(Duration::from_secs(1)).on("POST", "/channels/*/messages$").times(1));
    clock.set("2026-03-02T09:00:01+01:00");
    tokio::time::sleep(Duration::from_millis(500)).await;
    disk.set(Disk::Full);
    discord.wait_message("general", "Internal audits and reviews begins", SOON).await;
    wait_health(&daemon, 503).await;
    // What falls due meanwhile waits.
    clock.set("2026-09-02T09:00:01+02:00");
    tokio::time::sleep(Duration::from_secs(7)).await;
    assert_eq!(said("Prepare for surveillance begins"), 0);
    disk.set(Disk::Works);
    discord.wait_message("general", "Prepare for surveillance begins", 2 * SOON).await;
    assert_eq!((said("Internal audits and reviews begins"), said("Prepare for surveillance begins")), (1, 1));
    wait_health(&daemon, 200).await;
    discord.assert_clean();
}

#[tokio::test]
async fn an_io_error_costs_the_change_and_nothing_else_until_it_is_over() {
    for broken in [Disk::Broken, Disk::BrokenFlush] {
        let Some(disk) = Faulty::new() else { return };
        let discord = Discord::start();
        let mut daemon = furnished_as(&discord, disk.setup()).await;
        discord.wait_message("general", "where it stands", SOON).await;
        disk.set(broken);
        let told = raise(&discord).await;
        assert!(told.contains("The storage does not take it"), "{broken:?}: {told}");
        assert!(discord.line("bob", "/status").await.unwrap().text().contains("Acme"), "reading goes on");
        wait_health(&daemon, 503).await;
        disk.set(Disk::Works);
        wait_health(&daemon, 200).await;
        assert!(raise(&discord).await.contains("NC-1 raised"), "{broken:?}");
        daemon.kill9().await;
        daemon.start_again();
        daemon.wait_ready(&discord).await;
        assert!(daemon.certkeeper(&["verify"]).status.success(), "{broken:?}");
    }
}

#[tokio::test]
async fn what_may_only_be_read_is_named_with_its_owner_and_what_to_do() {
    for read_only in [Disk::ReadOnly, Disk::ReadOnlyFile] {
        let Some(disk) = Faulty::new() else { return };
        let discord = Discord::start();
        let mut daemon = furnished_as(&discord, disk.setup()).await;
        daemon.terminate();
        daemon.wait_exit(SOON).await;
        let root =
            std::fs::metadata("/proc/self").is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0);
        if root {
            for path in [daemon.folder(), &daemon.database()] {
                std::os::unix::fs::chown(path, Some(4_321), Some(4_321)).unwrap();
            }
        }
        disk.set(read_only);
        let before = std::fs::read(daemon.database()).unwrap();
        daemon.start_again();
        let status = daemon.wait_exit(SOON).await;
        let said = daemon.output();
        assert_eq!(status.code(), Some(78), "{read_only:?}: {said}");
        assert!(said.contains(daemon.database().to_str().unwrap()), "{read_only:?}: {said}");
        let fix = if root {
            "owned by 4321:4321 and this runs as 0:0: run chown -R 0:0"
        } else {
            "make it writable"
        };
        assert!(said.contains(fix), "{read_only:?}: {said}");
        assert_eq!(std::fs::read(daemon.database()).unwrap(), before, "{read_only:?}");
        disk.set(Disk::Works);
        daemon.start_again();
        daemon.wait_ready(&discord).await;
        assert!(raise(&discord).await.contains("NC-1 raised"), "{read_only:?}");
    }
}

#[tokio::test]
async fn a_file_that_may_grow_no_further_is_a_full_disk() {
    let discord = Discord::start();
    let daemon = furnished(&discord).await;
    discord.wait_message("general", "where it stands", SOON).await;
    // A limit of the process (as `ulimit -f` sets it) in place of the disk's.
    daemon.limit(Resource::Fsize, Some(4_096));
    let told = raise(&discord).await;
    assert!(told.contains("nothing was saved"), "{told}");
    wait_health(&daemon, 503).await;
    daemon.limit(Resource::Fsize, None);
    wait_health(&daemon, 200).await;
    assert!(raise(&discord).await.contains("NC-1 raised"));
    assert!(daemon.certkeeper(&["verify"]).status.success());
}

#[tokio::test]
async fn a_memory_limit_ends_it_like_a_kill_and_loses_nothing() {
    let discord = Discord::start();
    let mut daemon = furnished(&discord).await;
    discord.wait_message("general", "where it stands", SOON).await;
    for n in 1..=20 {
        assert!(raise(&discord).await.contains(&format!("NC-{n} raised")));
    }
    // Not a page more than it has; then a file of 20 MiB arrives.
    daemon.limit(Resource::Data, Some(4_096));
    let large = vec![b'x'; 20 << 20];
    let person = discord.person("owner").with("nc", "NC-1").attach("file", "large.txt", &large, "text/plain");
    person.send("/nc evidence").unwrap();
    let status = daemon.wait_exit(2 * SOON).await;
    assert!(
        !status.success() && daemon.output().contains("memory allocation"),
        "{status:?} {}",
        daemon.output()
    );
    daemon.start_again();
    daemon.wait_ready(&discord).await;
    assert!(raise(&discord).await.contains("NC-21 raised"), "what was acknowledged is on record");
    assert!(daemon.certkeeper(&["verify"]).status.success());
    assert_eq!(
        discord.messages("general").iter().filter(|m| m.text().contains("where it stands")).count(),
        1
    );
}

#[tokio::test]
async fn without_a_file_descriptor_left_it_goes_on_and_costs_no_processor() {
    let Some(clock) = WallClock::at("2026-03-02T08:59:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let daemon = Daemon::start(&discord, Setup::on_clock(&clock));
    // 64 are enough for all of it.
    daemon.limit(Resource::Nofile, Some(64));
    daemon.wait_ready(&discord).await;
    for line in [
        "/setup timezone:Europe/Berlin hour:9",
        "/certificate add standard:iso-27001 name:Acme decided:2026-03-02",
    ] {
        assert!(discord.line("owner", line).await.unwrap().acked);
    }
    let at = daemon.http_address().await;
    daemon.limit(Resource::Nofile, Some(daemon.descriptors()));
    // They connect, and nobody can take them up.
    let held: Vec<_> = (0..50).map(|_| std::net::TcpStream::connect(&at).unwrap()).collect();
    let before = daemon.cpu();
    assert!(discord.line("bob", "/status").await.unwrap().text().contains("Acme"));
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(daemon.runs() && daemon.cpu().saturating_sub(before) < Duration::from_secs(1), "busy");
    drop(held);
    daemon.limit(Resource::Nofile, Some(64));
    clock.set("2026-03-02T09:00:01+01:00");
    discord.wait_message("general", "Internal audits and reviews begins", SOON).await;
    wait_health(&daemon, 200).await;
    assert!(daemon.certkeeper(&["verify"]).status.success());
}

#[tokio::test]
async fn a_machine_that_was_suspended_catches_up_once() {
    let Some(clock) = WallClock::at("2026-03-02T08:59:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    for line in [
        "/setup timezone:Europe/Berlin hour:9",
        "/certificate add standard:iso-27001 name:Acme decided:2026-03-02",
    ] {
        discord.line("owner", line).await.unwrap();
    }
    daemon.signal(Signal::STOP);
    let asked = discord.person("bob").send("/status").unwrap();
    clock.set("2026-12-05T12:00:00+01:00");
    tokio::time::sleep(Duration::from_secs(1)).await;
    daemon.signal(Signal::CONT);
    let digest = discord.wait_message("general", "could not be posted in time", SOON).await;
    assert!(discord.pings(&digest).is_empty());
    for title in ["Internal audits and reviews begins", "First surveillance audit begins"] {
        assert!(digest.text().contains(title), "{title}: {}", digest.text());
    }
    assert!(discord.answer(&asked).await.unwrap().acked, "what was asked meanwhile is answered");
    daemon.wait_output("the wall clock jumped", SOON).await;
    let raise = "/nc raise certificate:1 grade:minor clause:9.2 statement:x due:in 2 years";
    assert!(discord.line("owner", raise).await.unwrap().acked);
    let said: String = discord.messages("general").iter().map(|m| m.text() + "\n").collect();
    assert_eq!(said.matches("First surveillance audit begins").count(), 1, "{said}");
    discord.assert_clean();
}

#[tokio::test]
async fn a_log_torn_by_a_power_cut_opens_by_itself_with_all_that_was_acknowledged() {
    use std::io::Write as _;
    let discord = Discord::start();
    let mut daemon = furnished(&discord).await;
    discord.wait_message("general", "where it stands", SOON).await;
    for n in 1..=5 {
        assert!(raise(&discord).await.contains(&format!("NC-{n} raised")));
        daemon.kill9().await;
        // What was being written when the power went: a frame begun, its checksum wrong.
        let mut log = daemon.database().into_os_string();
        log.push("-wal");
        let mut log = std::fs::File::options().append(true).open(log).unwrap();
        log.write_all(&vec![0x5a; 1_000 * n]).unwrap();
        daemon.start_again();
        daemon.wait_ready(&discord).await;
    }
    assert!(discord.line("bob", "/nc show nc:NC-5").await.unwrap().text().contains("NC-5"));
    assert!(daemon.certkeeper(&["verify"]).status.success());
}

#[tokio::test]
async fn whatever_people_and_discord_say_each_event_is_one_line_of_json() {
    let discord = Discord::start();
    let forged = "x\n{\"level\":\"ERROR\",\"message\":\"forged\"}\r\n\u{1b}[31mred\u{85}\u{2028}";
    let mut setup = Setup::default().env("CERTKEEPER_LOG_FORMAT", "json");
    setup.guild = None;
    setup.log = "trace".to_owned();
    let daemon = Daemon::ready(&discord, setup).await;
    let (_, channel) = discord.add_guild(forged, "carol");
    discord.person("carol").at(&channel).line("/setup timezone:UTC hour:9").await.unwrap();
    discord.line("owner", "/setup timezone:UTC hour:9").await.unwrap();
    // A refusal whose words are several lines.
    discord.fault(Fault::refusal(400, 50_035, forged).on("POST", "/channels/*/messages$").always());
    let person = discord.person("owner");
    let add = [("standard", "iso-9001"), ("name", forged), ("decided", "2026-03-02")];
    assert!(person.options(&add).slash("/certificate add").await.unwrap().acked);
    daemon.wait_output("does not take messages", SOON).await;
    daemon.terminate();
    daemon.wait_exit(SOON).await;
    let said = daemon.output();
    assert!(said.lines().count() > 20, "{said}");
    for line in said.lines() {
        let event: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line:?}\n{said}"));
        assert!(event["timestamp"].is_string() && event["level"].is_string(), "{line}");
        assert!(event["fields"]["message"] != "forged" && event["level"] != "forged", "{line}");
    }
    assert!(!said.contains('\u{1b}'), "an escape sequence is in the log");
}
