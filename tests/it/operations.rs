//! What an operator sees of the running binary: metrics, health, the outgoing heartbeat, the log, panics.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use sqlx::{Connection as _, SqliteConnection};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::clock::{SOON, WallClock};
use crate::support::daemon::{Daemon, Setup};
use crate::support::discord::Discord;
use crate::support::faults::{Fault, Kind};
use crate::support::world::GUILD;

/// A sample of the exposition: its name, its labels as written, its value.
type Samples = Vec<(String, String, f64)>;

/// Reads the OpenMetrics text strictly: every line is one of its kinds, every sample belongs to a declared family and
/// has one of the suffixes that its type allows.
fn parse(text: &str) -> Samples {
    let (body, end) = text.rsplit_once("# EOF\n").unwrap_or_else(|| panic!("no end: {text}"));
    assert_eq!(end, "");
    let mut families: BTreeMap<String, String> = BTreeMap::new();
    let mut samples = Vec::new();
    for line in body.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            let mut words = rest.splitn(3, ' ');
            let (kind, name, rest) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
            match kind {
                "TYPE" => {
                    let before = families.insert(name.to_owned(), rest.to_owned());
                    assert_eq!(before, None, "{name} is declared twice");
                }
                "HELP" => assert!(rest.ends_with('.'), "{line}"),
                "UNIT" => assert!(name.ends_with(&format!("_{rest}")), "{line}"),
                _ => panic!("no such comment: {line}"),
            }
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no value: {line}"));
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let labels = labels.strip_suffix('}').unwrap_or_else(|| panic!("labels are not closed: {line}"));
        assert!(
            labels.is_empty() || labels.split("\",").all(|l| l.split_once("=\"").is_some()),
            "labels: {line}"
        );
        let allowed = |family: &str, kind: &str| match kind {
            "counter" => name == format!("{family}_total"),
            "gauge" => name == family,
            "info" => name == format!("{family}_info"),
            "histogram" => ["_bucket", "_sum", "_count"].iter().any(|end| name == format!("{family}{end}")),
            _ => panic!("unknown type {kind}"),
        };
        assert!(families.iter().any(|(family, kind)| allowed(family, kind)), "of no family: {line}");
        samples.push((name.to_owned(), labels.to_owned(), value.parse().unwrap()));
    }
    samples
}

async fn metrics(daemon: &Daemon) -> Samples {
    let got = daemon.get("/metrics").await;
    assert_eq!(got.status, 200, "{}", got.text);
    assert!(got.head.to_lowercase().contains("content-type: application/openmetrics-text"), "{}", got.head);
    parse(&got.text)
}

/// The sum of a metric's samples that have this in their labels.
fn value(samples: &Samples, name: &str, labels: &str) -> f64 {
    let found = samples.iter().filter(|(n, l, _)| n == name && l.contains(labels));
    found.map(|(_, _, value)| value).sum()
}

/// Until a metric is this.
async fn until(daemon: &Daemon, name: &str, labels: &str, wanted: f64) -> Samples {
    let deadline = std::time::Instant::now() + SOON;
    loop {
        let samples = metrics(daemon).await;
        if (value(&samples, name, labels) - wanted).abs() < 0.01 {
            return samples;
        }
        assert!(
            std::time::Instant::now() < deadline,
            "{name}{{{labels}}} is {} and not {wanted}\n{}",
            value(&samples, name, labels),
            daemon.output()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Every metric that a text names.
fn named(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| {
            word.starts_with("certkeeper_")
                || (word.starts_with("process_") && (word.ends_with("_bytes") || word.ends_with("_seconds")))
        })
        .map(ToOwned::to_owned)
        .collect()
}

fn kept(path: &str) -> String {
    std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Somewhere to be pinged: answers as it is told, and remembers the first line of what it is asked.
struct Watcher {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
    answer: Arc<Mutex<&'static str>>,
}

impl Watcher {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (asked, answer) = (Arc::<Mutex<Vec<String>>>::default(), Arc::new(Mutex::new("200 OK")));
        let (heard, says) = (Arc::clone(&asked), Arc::clone(&answer));
        tokio::spawn(async move {
            loop {
                let Ok((mut stream, _)) = listener.accept().await else { return };
                let (heard, says) = (Arc::clone(&heard), Arc::clone(&says));
                tokio::spawn(async move {
                    let mut bytes = vec![0; 4096];
                    let read = stream.read(&mut bytes).await.unwrap_or(0);
                    let text = String::from_utf8_lossy(&bytes[..read]).into_owned();
                    heard.lock().unwrap().push(text.lines().next().unwrap_or_default().to_owned());
                    let says = *says.lock().unwrap();
                    if says == "nothing" {
                        std::future::pending::<()>().await;
                    }
                    let answer = format!(
                        "HTTP/1.1 {says}\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                    );
                    stream.write_all(answer.as_bytes()).await.ok();
                });
            }
        });
        Self { address, asked, answer }
    }

    fn says(&self, answer: &'static str) {
        *self.answer.lock().unwrap() = answer;
    }

    fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    async fn wait(&self, count: usize) {
        let there = async {
            while self.count() < count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let came = tokio::time::timeout(SOON, there).await;
        assert!(came.is_ok(), "{} pings and not {count}", self.count());
    }
}

#[tokio::test]
async fn metrics_are_exposed_and_are_those_that_alerts_dashboard_and_documentation_name() {
    let Some(clock) = WallClock::at("2026-03-02T08:59:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let watcher = Watcher::start().await;
    let setup = Setup::on_clock(&clock)
        .env("CERTKEEPER_BACKUP__EVERY_HOURS", "24")
        .env("CERTKEEPER_MONITOR__PING_URL", &watcher.address);
    let daemon = Daemon::ready(&discord, setup).await;
    for line in [
        "/setup timezone:Europe/Berlin hour:9",
        "/certificate add standard:iso-27001 name:Secretname decided:2026-03-02",
    ] {
        assert!(discord.line("owner", line).await.unwrap().acked);
    }
    let refused = discord.line("alice", "/setup hour:10").await.unwrap();
    assert!(refused.text().contains("Only "), "{}", refused.text());
    clock.set("2026-03-02T09:00:01+01:00");
    discord.wait_message("general", "Internal audits and reviews begins", SOON).await;
    // The next phase comes two hours late: the machine slept.
    clock.set("2026-09-02T11:00:01+02:00");
    discord.wait_message("general", "Prepare for surveillance begins", SOON).await;
    watcher.wait(1).await;
    let sent = discord.messages("general").iter().filter(|m| !m.ephemeral && m.interaction.is_none()).count();
    let all = until(&daemon, "certkeeper_messages_total", "sent", sent as f64).await;
    for (name, labels, least) in [
        ("certkeeper_notices_due_total", "", 2.0),
        ("certkeeper_notices_sent_total", "", 2.0),
        ("certkeeper_notices_late_total", "", 1.0),
        ("certkeeper_notice_lateness_seconds_count", "", 2.0),
        ("certkeeper_notice_lateness_seconds_sum", "", 7_200.0),
        ("certkeeper_delivery_seconds_count", "", 2.0),
        ("certkeeper_commands_total", r#"verb="certificate add",outcome="done""#, 1.0),
        ("certkeeper_commands_total", r#"verb="setup",outcome="refused""#, 1.0),
        ("certkeeper_command_seconds_count", r#"verb="setup""#, 1.0),
        ("certkeeper_acknowledgement_seconds_count", "", 3.0),
        ("certkeeper_discord_requests_total", r#"route="POST /channels/:id/messages",status="200""#, 2.0),
        ("certkeeper_gateway_connected", "", 1.0),
        ("certkeeper_ready", "", 1.0),
        ("certkeeper_alive", "", 1.0),
        ("certkeeper_gateway_sessions_total", "begun", 1.0),
        ("certkeeper_database_bytes", "", 4_096.0),
        ("certkeeper_database_wal_bytes", "", 4_096.0),
        ("certkeeper_database_commit_seconds_count", "", 4.0),
        ("certkeeper_monitor_pings_total", "well", 1.0),
        ("certkeeper_build_info", env!("CARGO_PKG_VERSION"), 1.0),
        ("process_resident_memory_bytes", "", 1_000_000.0),
    ] {
        assert!(value(&all, name, labels) >= least, "{name}{{{labels}}}: {all:#?}");
    }
    for (name, wanted) in [
        ("certkeeper_notices_pending", 0.0),
        ("certkeeper_notices_parked", 0.0),
        ("certkeeper_notices_oldest_pending_age_seconds", 0.0),
        ("certkeeper_panics_total", 0.0),
        ("certkeeper_discord_invalid_requests_total", 0.0),
    ] {
        assert!((value(&all, name, "") - wanted).abs() < 0.01, "{name}: {all:#?}");
    }
    let shown = clock.now().timestamp() as f64;
    for name in [
        "certkeeper_scheduler_last_tick_timestamp_seconds",
        "certkeeper_backup_last_success_timestamp_seconds",
    ] {
        let at = value(&all, name, "");
        assert!(at > 1_700_000_000.0 && at <= shown + 1.0, "{name} is {at}, the clock {shown}");
    }
    // A channel that refuses: parked, and its requests counted as invalid.
    discord.bot_access("general", 0, 1 << 11);
    clock.set("2026-12-02T09:00:01+01:00");
    daemon.wait_output("does not take messages", SOON).await;
    let all = metrics(&daemon).await;
    assert!(value(&all, "certkeeper_notices_parked", "") >= 1.0);
    assert!(value(&all, "certkeeper_discord_invalid_requests_total", "") >= 1.0);
    assert!(value(&all, "certkeeper_messages_total", "refused") >= 1.0);

    let names: BTreeSet<String> = all.iter().map(|(name, ..)| name.clone()).collect();
    let documented = named(&kept("docs/operations.md"));
    for file in ["ops/alerts.yaml", "ops/dashboard.json", "docs/operations.md"] {
        let named = named(&kept(file));
        assert!(named.len() > 10, "{file} names hardly anything");
        for name in named {
            // A histogram may be named as a whole.
            let exposed = names.contains(&name) || names.contains(&format!("{name}_bucket"));
            assert!(exposed, "{file} names {name}, which is not exposed");
        }
    }
    for name in &names {
        let whole = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        let known = documented.contains(name) || whole.is_some_and(|whole| documented.contains(whole));
        assert!(known, "docs/operations.md does not name {name}");
    }
    let board: Value = serde_json::from_str(&kept("ops/dashboard.json")).unwrap();
    assert!(board["panels"].as_array().unwrap().len() > 8);
    // Nothing that tells who or what: no server, channel, person or certificate.
    let text = daemon.get("/metrics").await.text;
    for secret in [GUILD, &discord.channel("general"), &discord.user("owner"), "Secretname"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[tokio::test]
async fn the_monitor_is_pinged_after_good_ticks_only_and_its_address_is_nowhere_told() {
    let Some(clock) = WallClock::at("2026-03-02T07:00:00Z") else { return };
    let discord = Discord::on_clock(&clock);
    let watcher = Watcher::start().await;
    let setup = Setup { log: "trace".into(), ..Setup::on_clock(&clock) }
        .env("CERTKEEPER_MONITOR__PING_URL", &format!("{}/s3cret-check", watcher.address))
        .env("CERTKEEPER_MONITOR__PING_EVERY_SECONDS", "1");
    let daemon = Daemon::ready(&discord, setup).await;
    let tick = || clock.jump(chrono::TimeDelta::minutes(1));
    watcher.wait(1).await;
    // Bad answers are told of once, and a redirect is one.
    watcher.says("500 Internal Server Error");
    for n in 2..4 {
        tick();
        watcher.wait(n).await;
    }
    watcher.says("302 Found");
    tick();
    watcher.wait(4).await;
    daemon.wait_output("could not be told that all is well", SOON).await;
    watcher.says("200 OK");
    tick();
    watcher.wait(5).await;
    let said = daemon.wait_output("the monitor is told again", SOON).await;
    assert_eq!(said.matches("could not be told that all is well").count(), 1, "{said}");
    // While another program holds the file no tick is good, and nobody is told that one was.
    let mut other =
        SqliteConnection::connect(&format!("sqlite://{}", daemon.database().display())).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let before = watcher.count();
    tick();
    daemon.wait_output("a round of reminders failed", SOON).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(watcher.count(), before, "a bad tick was told as a good one");
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    tick();
    watcher.wait(before + 1).await;
    // A watcher that never answers holds nothing up.
    watcher.says("nothing");
    tick();
    watcher.wait(before + 2).await;
    for line in
        ["/setup timezone:UTC hour:9", "/certificate add standard:iso-9001 name:Acme decided:2026-03-02"]
    {
        assert!(discord.line("owner", line).await.unwrap().acked);
    }
    clock.set("2026-03-02T09:00:01Z");
    discord.wait_message("general", "Internal audits and reviews begins", SOON).await;
    assert!(watcher.asked.lock().unwrap().iter().all(|line| line == "GET /s3cret-check HTTP/1.1"));
    assert!(!daemon.output().contains("s3cret"), "{}", daemon.output());
}

/// The lines of a JSON log; that each is an object is part of what is tested.
fn lines(said: &str) -> Vec<Value> {
    said.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("no JSON ({e}): {line}")))
        .collect()
}

#[tokio::test]
async fn every_line_of_an_interaction_and_of_a_message_carries_its_id() {
    let Some(clock) = WallClock::at("2026-03-02T08:00:00Z") else { return };
    let discord = Discord::on_clock(&clock);
    let setup = Setup { log: "debug".into(), ..Setup::on_clock(&clock) }
        .env("CERTKEEPER_LOG_FORMAT", "json")
        .env("FAILPOINTS", "change-before-commit=2*off->1*panic");
    let daemon = Daemon::ready(&discord, setup).await;
    for line in
        ["/setup timezone:UTC hour:9", "/certificate add standard:iso-9001 name:Acme decided:2026-03-02"]
    {
        assert!(discord.line("owner", line).await.unwrap().acked);
    }
    let raise = "/nc raise certificate:1 grade:minor clause:9.2 statement:Secretwords";
    let broken = discord.line("owner", raise).await.unwrap();
    assert!(!broken.text().contains("NC-1 raised"), "{}", broken.text());
    assert!(discord.line("alice", "/setup hour:8").await.unwrap().text().contains("Only "));
    // A message that is refused once, and then posted.
    discord.fault(Fault::status(500).on("POST", "/channels/*/messages$").times(1));
    clock.set("2026-03-02T09:00:01Z");
    let message = discord.wait_message("general", "Internal audits and reviews begins", SOON).await;
    daemon.terminate();
    daemon.wait_exit(SOON).await;
    let said = daemon.output();
    assert!(!said.contains("Secretwords"), "a person's words are in the log");
    let ids: BTreeSet<String> = discord.world(|s| s.interactions.keys().cloned().collect());
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for line in lines(&said) {
        let text = line["fields"]["message"].as_str().unwrap_or_default().to_owned();
        let span = |name: &str| line["span"][name].as_str().unwrap_or_default().to_owned();
        let of_an_interaction =
            ["acknowledged", "recorded", "answered", "refused", "panic", "a command panicked"];
        let of_a_message = ["posted", "it is not known whether a message was posted"];
        if of_an_interaction.contains(&text.as_str()) {
            assert!(ids.contains(&span("interaction")), "{line}");
        } else if of_a_message.contains(&text.as_str()) {
            assert!(span("reference").starts_with("ck-"), "{line}");
            if text == "posted" && message.text().contains(&span("reference")) {
                *seen.entry("the message".to_owned()).or_default() += 1;
            }
        } else {
            continue;
        }
        *seen.entry(text).or_default() += 1;
    }
    for (what, least) in [
        ("acknowledged", 4),
        ("recorded", 2),
        ("answered", 2),
        ("refused", 1),
        ("panic", 1),
        ("a command panicked", 1),
        ("it is not known whether a message was posted", 1),
        ("the message", 1),
    ] {
        assert!(seen.get(what).is_some_and(|n| *n >= least), "{what}: {seen:?}\n{said}");
    }
    let reference =
        lines(&said).into_iter().find(|l| l["fields"]["message"] == "a command panicked").unwrap();
    let reference = reference["fields"]["reference"].as_str().unwrap().to_owned();
    assert!(broken.text().contains(&reference), "{} is not in {}", reference, broken.text());
}

#[test]
fn the_events_that_are_documented_are_those_of_the_program() {
    let page = kept("docs/operations.md");
    let (_, table) = page.split_once("| event | level |").unwrap();
    let events: Vec<&str> = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.split('`').nth(1).unwrap())
        .collect();
    assert!(events.len() > 20, "{events:?}");
    let mut source = String::new();
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else if entry.path().extension().is_some_and(|e| e == "rs") {
                source += &std::fs::read_to_string(entry.path()).unwrap();
            }
        }
    }
    for event in events {
        assert!(source.contains(&format!("\"{event}\"")), "nothing logs {event:?}");
    }
}

#[tokio::test]
async fn a_panic_in_a_handler_is_counted_logged_and_survived() {
    let discord = Discord::start();
    let setup = Setup::default().env("FAILPOINTS", "interaction=1*panic;change-before-commit=1*panic");
    let daemon = Daemon::ready(&discord, setup).await;
    let line = "/setup timezone:UTC hour:9";
    for _ in 0..2 {
        let broken = discord.line("owner", line).await.unwrap();
        assert!(broken.acked && broken.ephemeral, "{}", broken.text());
    }
    let reply = discord.line("owner", line).await.unwrap();
    assert!(!reply.ephemeral, "{}", reply.text());
    let all = metrics(&daemon).await;
    for place in ["interaction", "command"] {
        assert!((value(&all, "certkeeper_panics_total", place) - 1.0).abs() < 0.01, "{place}: {all:#?}");
    }
    let said = daemon.wait_output("recorded", SOON).await;
    assert_eq!(said.matches(" panic at=").count(), 2, "{said}");
    assert!(daemon.certkeeper(&["verify"]).status.success());
}

#[tokio::test]
async fn rounds_that_panic_are_survived_until_three_in_a_row_end_the_process() {
    let discord = Discord::start();
    let mut daemon = Daemon::ready(&discord, Setup::default().env("FAILPOINTS", "round=2*panic")).await;
    for line in
        ["/setup timezone:UTC hour:9", "/certificate add standard:iso-9001 name:Acme decided:2026-03-02"]
    {
        discord.line("owner", line).await.unwrap();
    }
    discord.wait_message("general", "Acme: where it stands", Duration::from_secs(30)).await;
    let all = metrics(&daemon).await;
    assert!((value(&all, "certkeeper_panics_total", "notifier") - 2.0).abs() < 0.01);
    assert!((value(&all, "certkeeper_alive", "") - 1.0).abs() < 0.01);
    daemon.kill9().await;
    daemon.set_env("FAILPOINTS", Some("round=panic"));
    daemon.set_env("CERTKEEPER_LOG_FORMAT", Some("json"));
    daemon.start_again();
    let status = daemon.wait_exit(Duration::from_secs(30)).await;
    assert_eq!(status.code(), Some(70), "{}", daemon.output());
    let said = lines(&daemon.output());
    let ended = said.iter().find(|line| line["fields"]["message"] == "ended").unwrap();
    assert!(ended["fields"]["why"].to_string().contains("panicked 3 times in a row"), "{ended}");
    assert_eq!(ended["fields"]["code"], 70);
}

/// The status of a page, and the reasons it gives.
async fn page(daemon: &Daemon, path: &str) -> (u16, String) {
    let got = daemon.get(path).await;
    (got.status, got.json()["reasons"].to_string())
}

#[tokio::test]
async fn health_and_readiness_say_the_truth_in_every_state() {
    let Some(clock) = WallClock::at("2026-03-02T08:00:00Z") else { return };
    let discord = Discord::on_clock(&clock);
    discord.down().await;
    // `certkeeper health` asks the address of the settings: a port that is free.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let setup = Setup { http: Some(format!("127.0.0.1:{port}")), ..Setup::on_clock(&clock) };
    let mut daemon = Daemon::start(&discord, setup);
    let asked = |daemon: &Daemon| {
        let code = |args: &[&str]| daemon.certkeeper(args).status.code();
        (code(&["health"]), code(&["health", "--ready"]))
    };
    // Starting.
    assert_eq!(page(&daemon, "/healthz").await, (200, "[]".to_owned()));
    let (status, why) = page(&daemon, "/readyz").await;
    assert_eq!(status, 503);
    assert!(why.contains("commands: not registered") && why.contains("gateway: not connected"), "{why}");
    assert_eq!(asked(&daemon), (Some(0), Some(1)));
    // Ready.
    discord.up().await;
    daemon.wait_ready(&discord).await;
    until(&daemon, "certkeeper_ready", "", 1.0).await;
    assert_eq!(page(&daemon, "/readyz").await, (200, "[]".to_owned()));
    assert_eq!(asked(&daemon), (Some(0), Some(0)));
    // The store fails: another program holds the file, and a tick finds that it takes no write.
    let mut other =
        SqliteConnection::connect(&format!("sqlite://{}", daemon.database().display())).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    clock.jump(chrono::TimeDelta::minutes(1));
    until(&daemon, "certkeeper_alive", "", 0.0).await;
    for path in ["/healthz", "/readyz"] {
        let (status, why) = page(&daemon, path).await;
        assert!(status == 503 && why.contains("store: "), "{path}: {status} {why}");
    }
    assert_eq!(asked(&daemon), (Some(1), Some(1)));
    assert!(value(&metrics(&daemon).await, "certkeeper_database_busy_total", "") >= 1.0);
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    clock.jump(chrono::TimeDelta::minutes(1));
    until(&daemon, "certkeeper_ready", "", 1.0).await;
    // The gateway is down: it counts after a minute, and reminders go out without it.
    discord.gateway_down().await;
    until(&daemon, "certkeeper_gateway_connected", "", 0.0).await;
    assert_eq!(page(&daemon, "/readyz").await.0, 200);
    let lost = std::time::Instant::now();
    while page(&daemon, "/readyz").await.0 == 200 {
        assert!(lost.elapsed() < Duration::from_secs(70), "still ready");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert!(lost.elapsed() > Duration::from_secs(55), "{:?}", lost.elapsed());
    assert!(page(&daemon, "/readyz").await.1.contains("gateway: lost for 6"));
    assert_eq!(page(&daemon, "/healthz").await.0, 200);
    assert_eq!(asked(&daemon), (Some(0), Some(1)));
    discord.up().await;
    until(&daemon, "certkeeper_ready", "", 1.0).await;
    // Stopping: alive, and not ready any more, for as long as work is in flight.
    discord.line("owner", "/setup timezone:UTC hour:9").await.unwrap();
    discord.fault(Fault::new(Kind::Hang).on("POST", "/channels/*/messages$").times(1));
    discord.line("owner", "/certificate add standard:iso-9001 name:Acme decided:2026-03-02").await.unwrap();
    clock.set("2026-03-02T09:00:01Z");
    discord.wait_requests("POST", "/channels/*/messages$", 1, SOON).await;
    daemon.terminate();
    daemon.wait_output("stopping", SOON).await;
    let (status, why) = page(&daemon, "/readyz").await;
    assert!(status == 503 && why.contains("process: stopping"), "{status} {why}");
    assert_eq!(page(&daemon, "/healthz").await.0, 200);
    daemon.wait_exit(SOON).await;
    assert_eq!(asked(&daemon), (Some(1), Some(1)));
    daemon.kill9().await;
}
