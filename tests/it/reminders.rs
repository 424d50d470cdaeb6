//! Reminders of the real binary, its wall clock jumped.

use std::time::Duration;

use crate::support::clock::{SOON, WallClock};
use crate::support::daemon::{Daemon, Setup};
use crate::support::discord::Discord;
use crate::support::faults::Fault;
use crate::support::world::Message;

async fn certified(discord: &Discord) {
    for line in [
        "/setup timezone:Europe/Berlin hour:9",
        "/certificate add standard:iso-27001 name:Acme ISMS decided:2026-03-02 owner:alice",
    ] {
        discord.line("owner", line).await.unwrap();
    }
}

fn count(discord: &Discord, channel: &str, text: &str) -> usize {
    discord.messages(channel).iter().filter(|m| format!("{m:?}").contains(text)).count()
}

#[tokio::test]
async fn every_phase_is_announced_once_on_its_day() {
    let Some(clock) = WallClock::at("2026-03-02T08:30:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let mut daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    certified(&discord).await;
    let channel = "general";
    let phases = [
        ("2026-03-02T09:00:01+01:00", "Internal audits and reviews begins"),
        ("2026-09-02T09:00:01+02:00", "Prepare for surveillance begins"),
        ("2026-12-02T09:00:01+01:00", "First surveillance audit begins"),
        ("2027-03-02T09:00:01+01:00", "Continue the cycle begins"),
    ];
    for (at, title) in phases {
        clock.set(at);
        let posted = discord.wait_message(channel, title, SOON).await;
        assert_eq!(discord.pings(&posted), ["alice"], "{title}");
    }
    // Killed and started again, nothing is said twice.
    daemon.kill9().await;
    daemon.start_again();
    daemon.wait_ready(&discord).await;
    clock.set("2027-12-02T09:00:01+01:00");
    discord.wait_message(channel, "Second surveillance audit begins", SOON).await;
    for (_, title) in phases {
        // The second preparation for surveillance stands in the digest.
        let times = if title.starts_with("Prepare") { 2 } else { 1 };
        assert_eq!(count(&discord, channel, title), times, "{title}");
    }
    discord.assert_clean();
}

#[tokio::test]
async fn what_fell_due_while_down_comes_in_one_message_that_pings_nobody() {
    let Some(clock) = WallClock::at("2026-03-02T08:30:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let mut daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    certified(&discord).await;
    daemon.kill9().await;
    let before = discord.messages("general").len();
    clock.set("2026-12-05T12:00:00+01:00");
    daemon.start_again();
    daemon.wait_ready(&discord).await;
    let digest = discord.wait_message("general", "could not be posted in time", SOON).await;
    assert!(discord.pings(&digest).is_empty());
    let text = format!("{digest:?}");
    for day in ["2026-03-02", "2026-09-02", "2026-12-02"] {
        assert!(text.contains(day), "{day} in {text}");
    }
    assert_eq!(discord.messages("general").len(), before + 1);
}

#[tokio::test]
async fn an_answer_that_is_lost_after_discord_acted_makes_no_second_message() {
    let Some(clock) = WallClock::at("2026-03-02T08:59:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let mut daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    certified(&discord).await;
    let lost = discord.fault(Fault::reset_after().on("POST", "/channels/*/messages$"));
    clock.set("2026-03-02T09:00:01+01:00");
    discord.wait_message("general", "Internal audits and reviews begins", SOON).await;
    // Killed before it can settle, and Discord has forgotten the nonce: it looks before it speaks.
    daemon.kill9().await;
    discord.forget_nonces();
    daemon.start_again();
    daemon.wait_ready(&discord).await;
    clock.set("2026-09-02T09:00:01+02:00");
    discord.wait_message("general", "Prepare for surveillance begins", SOON).await;
    assert_eq!(discord.hits(lost), 1);
    assert_eq!(count(&discord, "general", "Internal audits and reviews begins"), 1);
}

#[tokio::test]
async fn an_outage_of_the_gateway_stops_neither_reminders_nor_the_process_end() {
    let Some(clock) = WallClock::at("2026-03-02T08:59:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    certified(&discord).await;
    discord.gateway_down().await;
    clock.set("2026-03-02T09:00:01+01:00");
    discord.wait_message("general", "Internal audits and reviews begins", SOON).await;
    daemon.terminate();
    let status = daemon.wait_exit(Duration::from_secs(5)).await;
    assert!(status.success(), "{status:?}");
}

#[tokio::test]
async fn a_certificate_entered_late_gets_one_message() {
    let Some(clock) = WallClock::at("2027-06-01T12:00:00+02:00") else { return };
    let discord = Discord::on_clock(&clock);
    let _daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    certified(&discord).await;
    let stands = discord.wait_message("general", "where it stands", SOON).await;
    assert!(format!("{stands:?}").contains("Continue the cycle"), "{stands:?}");
    clock.set("2027-06-02T12:00:00+02:00");
    clock.set("2027-09-02T09:00:01+02:00");
    discord.wait_message("general", "Prepare for surveillance begins", SOON).await;
    assert_eq!(count(&discord, "general", "where it stands"), 1);
    assert_eq!(count(&discord, "general", "Internal audits and reviews begins"), 0);
}

#[tokio::test]
async fn a_lost_answer_followed_by_a_refused_try_makes_no_second_message() {
    let Some(clock) = WallClock::at("2026-03-02T08:59:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let _daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    certified(&discord).await;
    // Discord acts and the answer is lost; the next try is certain not to be posted, the one before it is not.
    discord.fault(Fault::reset_after().on("POST", "/channels/*/messages$").times(1));
    let limited = discord.fault(Fault::rate_limited(2.0).on("POST", "/channels/*/messages$").times(1));
    clock.set("2026-03-02T09:00:01+01:00");
    discord.wait_requests("POST", "/channels/*/messages$", 2, SOON).await;
    assert_eq!(discord.hits(limited), 1);
    // Were it put together anew now, it would be another message: a digest with what has become due since.
    clock.set("2026-09-02T12:00:00+02:00");
    discord.wait_message("general", "Prepare for surveillance begins", SOON).await;
    assert_eq!(count(&discord, "general", "Internal audits and reviews begins"), 1);
}

#[tokio::test]
async fn a_channel_that_stopped_waiting_costs_no_processor() {
    let discord = Discord::start();
    let daemon = Daemon::ready(&discord, Setup::default()).await;
    discord.line("owner", "/setup timezone:UTC hour:9").await.unwrap();
    discord.fault(Fault::rate_limited(0.2).on("POST", "/channels/*/messages$").times(1));
    let refused = discord
        .fault(Fault::refusal(404, 10003, "Unknown Channel").on("POST", "/channels/*/messages$").always());
    discord.line("owner", "/certificate add standard:iso-9001 name:QMS decided:2026-03-02").await.unwrap();
    daemon.wait_output("does not take messages", SOON).await;
    assert!(discord.hits(refused) >= 1);
    // Nothing is left to do before the alarm's next minute, which may ring within one of the two looks.
    let mut quiet = false;
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_secs(3)).await;
        let health = daemon.get("/healthz").await.json();
        quiet |= health["last_tick_age_seconds"].as_f64().unwrap() >= 2.0;
    }
    assert!(quiet, "the notifier goes round and round");
    let shown = discord.line("bob", "/status").await.unwrap();
    assert!(shown.text().contains("Cannot be posted"), "{}", shown.text());
}

#[tokio::test]
async fn a_week_of_downtime_is_one_message_per_channel_with_everything_in_it() {
    let Some(clock) = WallClock::at("2026-03-02T10:00:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let mut daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    discord.line("owner", "/setup timezone:Europe/Berlin hour:9").await.unwrap();
    let channels: Vec<String> = (0..10).map(|n| format!("cert{n}")).collect();
    for channel in &channels {
        discord.add_channel(channel, 0);
        let add =
            format!("/certificate add standard:iso-9001 name:{channel} decided:2026-03-01 channel:{channel}");
        discord.line("owner", &add).await.unwrap();
        for n in 0..20 {
            // Due while it is down: each has one thing to say of it by the end of the week.
            let raise = format!(
                "/nc raise certificate:{channel} grade:minor clause:9.2 statement:s due:2026-03-{:02}",
                4 + n % 4
            );
            discord.line("owner", &raise).await.unwrap();
        }
    }
    for channel in &channels {
        discord.wait_message(channel, "where it stands", SOON).await;
    }
    daemon.kill9().await;
    let before: Vec<usize> = channels.iter().map(|c| discord.messages(c).len()).collect();
    clock.set("2026-03-09T12:00:00+01:00");
    daemon.start_again();
    daemon.wait_ready(&discord).await;
    for (channel, before) in channels.iter().zip(&before) {
        discord.wait_messages(channel, before + 1, SOON).await;
    }
    // Started once more and an hour later, nothing is repeated.
    daemon.kill9().await;
    daemon.start_again();
    daemon.wait_ready(&discord).await;
    clock.set("2026-03-09T13:00:00+01:00");
    let last = discord
        .line("owner", "/nc raise certificate:cert0 grade:minor clause:9.2 statement:s due:2026-03-09");
    last.await.unwrap();
    let mut noticed = 0;
    for (serial, (channel, before)) in channels.iter().zip(&before).enumerate() {
        let messages = discord.messages(channel);
        assert_eq!(messages.len(), before + 1, "{channel}");
        let text = messages[*before].text();
        for n in 0..20 {
            let nc = format!("NC-{} ", serial * 20 + n + 1);
            noticed += text.matches(&nc).count();
            assert!(text.contains(&nc), "{nc} in {text}");
        }
        assert!(discord.pings(&messages[*before]).is_empty());
    }
    assert_eq!(noticed, 200);
    discord.assert_clean();
}

#[tokio::test]
async fn a_long_silence_leaves_nothing_out() {
    let Some(clock) = WallClock::at("2026-03-02T08:30:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let mut daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    discord.line("owner", "/setup timezone:Europe/Berlin hour:9").await.unwrap();
    for n in 10..40 {
        let name = format!("Certificate of site {n} in the north");
        let line = format!("/certificate add standard:iso-9001 name:{name} decided:2026-03-02");
        discord.line("owner", &line).await.unwrap();
    }
    daemon.kill9().await;
    let before = discord.messages("general").len();
    clock.set("2026-12-05T12:00:00+01:00");
    daemon.start_again();
    daemon.wait_ready(&discord).await;
    // More than one message holds, in the order in which it fell due.
    discord.wait_messages("general", before + 3, SOON).await;
    let messages = discord.messages("general").split_off(before);
    let text: String = messages.iter().map(Message::text).collect();
    for n in 10..40 {
        for what in [
            "Internal audits and reviews begins",
            "First surveillance audit begins",
            "first surveillance audit by",
        ] {
            let line = format!("site {n} in the north: {what}");
            assert_eq!(text.matches(&line).count(), 1, "{line}");
        }
    }
    assert!(messages.len() <= 4, "{}", messages.len());
    assert!(!text.contains("left out"), "{text}");
    discord.assert_clean();
}
