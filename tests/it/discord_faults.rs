//! Discord at its worst, fault by fault: docs/reliability.md names each with its test.

use std::time::Duration;

use crate::support::clock::{SOON, WallClock};
use crate::support::daemon::{Daemon, Setup};
use crate::support::discord::{Discord, Options};
use crate::support::faults::{Fault, Kind};
use crate::support::world::Message;

/// Where reminders are posted.
const POSTS: &str = "/channels/*/messages$";

/// A daemon that is set up; the certificate of `add`, entered late, makes it post one message at once.
async fn ready(discord: &Discord) -> Daemon {
    let daemon = Daemon::ready(discord, Setup::default()).await;
    discord.line("owner", "/setup timezone:UTC hour:9").await.unwrap();
    daemon
}

async fn add(discord: &Discord, name: &str, channel: &str) {
    let line = format!("/certificate add standard:iso-9001 name:{name} decided:2026-03-02 channel:{channel}");
    let added = discord.line("owner", &line).await.unwrap();
    assert!(added.text().contains(name), "{}", added.text());
}

/// Whether the daemon takes itself to be in a server.
async fn present(daemon: &Daemon, guild: &str) -> bool {
    use sqlx::Connection as _;
    let address = format!("sqlite://{}?mode=ro", daemon.database().display());
    let mut file = sqlx::SqliteConnection::connect(&address).await.unwrap();
    sqlx::query_scalar("SELECT present FROM organisation WHERE place = ?")
        .bind(format!("discord:{guild}"))
        .fetch_one(&mut file)
        .await
        .unwrap()
}

fn stands(discord: &Discord, channel: &str, name: &str) -> usize {
    let text = format!("{name}: where it stands");
    discord.messages(channel).iter().filter(|m| m.text().contains(&text)).count()
}

#[tokio::test]
async fn a_rate_limit_is_waited_for_and_other_channels_go_on() {
    let discord = Discord::start();
    let _daemon = ready(&discord).await;
    let general = discord.channel("general");
    let path = format!("/channels/{general}/messages$");
    let limited = discord.fault(Fault::rate_limited(1.5).on("POST", &path).times(1));
    add(&discord, "One", "general").await;
    discord.wait_requests("POST", &path, 1, SOON).await;
    add(&discord, "Two", "ops").await;
    discord.wait_message("ops", "Two: where it stands", SOON).await;
    assert_eq!(stands(&discord, "general", "One"), 0, "the other channel waited for the limited one");
    discord.wait_message("general", "One: where it stands", SOON).await;
    let tries = discord.requests().into_iter().filter(|r| r.method == "POST" && r.path.contains(&general));
    let at: Vec<_> = tries.map(|r| r.at).collect();
    assert_eq!((discord.hits(limited), at.len()), (1, 2), "it went round and round");
    assert!(at[1] - at[0] >= Duration::from_millis(1500), "{:?}", at[1] - at[0]);
}

#[tokio::test]
async fn a_global_rate_limit_stops_everything_for_as_long_as_it_says() {
    let discord = Discord::start();
    let _daemon = ready(&discord).await;
    discord.fault(Fault::rate_limited_globally(1.0).on("POST", POSTS).times(1));
    add(&discord, "One", "general").await;
    add(&discord, "Two", "ops").await;
    discord.wait_message("general", "One: where it stands", SOON).await;
    discord.wait_message("ops", "Two: where it stands", SOON).await;
    assert_eq!((stands(&discord, "general", "One"), stands(&discord, "ops", "Two")), (1, 1));
    let posts: Vec<_> = discord
        .requests()
        .into_iter()
        .filter(|r| r.method == "POST" && r.path.ends_with("/messages"))
        .collect();
    assert_eq!(posts[0].status, 429);
    assert!(posts[1].at - posts[0].at >= Duration::from_secs(1), "{:?}", posts[1].at - posts[0].at);
    discord.assert_clean();
}

#[tokio::test]
async fn a_server_error_is_tried_again_and_posted_once() {
    let discord = Discord::start();
    let _daemon = ready(&discord).await;
    for (n, status) in [500, 502, 503, 504].into_iter().enumerate() {
        let failed = discord.fault(Fault::status(status).on("POST", POSTS).times(1));
        let name = format!("Cert{n}");
        add(&discord, &name, "general").await;
        discord.wait_message("general", &format!("{name}: where it stands"), SOON).await;
        assert_eq!((discord.hits(failed), stands(&discord, "general", &name)), (1, 1), "{status}");
    }
}

#[tokio::test]
async fn an_error_after_discord_acted_makes_no_second_message() {
    let discord = Discord::start();
    let _daemon = ready(&discord).await;
    let kinds = [
        Kind::StatusAfter(500),
        Kind::StatusAfter(504),
        Kind::ResetAfter,
        Kind::RawAfter("<html>oops".to_owned()),
        Kind::RawAfter("{\"id\":".to_owned()),
    ];
    for (n, kind) in kinds.into_iter().enumerate() {
        let failed = discord.fault(Fault::new(kind.clone()).on("POST", POSTS).times(1));
        let name = format!("Cert{n}");
        add(&discord, &name, "general").await;
        // The second try is given the first one's message, by its nonce.
        discord.wait_requests("POST", POSTS, 2 * (n + 1), SOON).await;
        assert_eq!((discord.hits(failed), stands(&discord, "general", &name)), (1, 1), "{kind:?}");
    }
}

#[tokio::test]
async fn a_reset_before_discord_acted_and_a_garbled_answer_are_tried_again() {
    let discord = Discord::start();
    let _daemon = ready(&discord).await;
    let kinds =
        [Kind::ResetBefore, Kind::Raw(200, "not json".to_owned()), Kind::Raw(403, "<html>proxy".to_owned())];
    for (n, kind) in kinds.into_iter().enumerate() {
        let patient = matches!(kind, Kind::Raw(403, _));
        let failed = discord.fault(Fault::new(kind).on("POST", POSTS).times(1));
        let name = format!("Cert{n}");
        add(&discord, &name, "general").await;
        if patient {
            // Not Discord's own refusal: the channel is not given up for it, only left alone for a minute.
            discord.wait_requests("POST", POSTS, 2 * n + 1, SOON).await;
            let status = discord.line("bob", "/status").await.unwrap();
            assert!(!status.text().contains("Cannot be posted"), "{}", status.text());
        } else {
            discord.wait_message("general", &format!("{name}: where it stands"), SOON).await;
            assert_eq!(stands(&discord, "general", &name), 1);
        }
        assert_eq!(discord.hits(failed), 1);
    }
}

#[tokio::test]
async fn a_request_that_hangs_is_given_up_and_settled_by_its_nonce() {
    let discord = Discord::start();
    let _daemon = ready(&discord).await;
    discord.fault(Fault::new(Kind::HangAfter).on("POST", POSTS).times(1));
    add(&discord, "One", "general").await;
    discord.wait_requests("POST", POSTS, 2, Duration::from_secs(40)).await;
    assert_eq!(stands(&discord, "general", "One"), 1);
}

#[tokio::test]
async fn an_interaction_that_discord_no_longer_knows_ends_nothing() {
    let discord = Discord::start();
    let daemon = ready(&discord).await;
    discord.fault(Fault::refusal(404, 10_062, "Unknown interaction").on("POST", "/callback").times(1));
    discord.person("bob").send("/status").unwrap();
    daemon.wait_output("could not acknowledge an interaction", SOON).await;
    let next = discord.line("bob", "/status").await.unwrap();
    assert!(next.acked, "{}", next.text());
}

#[tokio::test]
async fn a_session_that_discord_calls_invalid_is_resumed_or_begun_anew() {
    for resumable in [true, false] {
        let discord = Discord::start();
        let daemon = ready(&discord).await;
        discord.invalidate(resumable);
        let what = if resumable { "resumed" } else { "ready" };
        discord.wait_events(what, if resumable { 1 } else { 2 }, SOON).await;
        let reply = discord.line("bob", "/status").await.unwrap();
        assert!(reply.acked, "resumable {resumable}: {}", daemon.output());
        discord.assert_clean();
    }
}

#[tokio::test]
async fn a_connection_whose_heartbeats_go_unanswered_is_made_anew() {
    let options = Options { heartbeat: Duration::from_millis(400), ..Options::default() };
    let discord = Discord::with(options);
    let _daemon = ready(&discord).await;
    discord.withhold_acks(true);
    discord.wait_events("resume", 1, SOON).await;
    discord.withhold_acks(false);
    discord.wait_events("resumed", 1, SOON).await;
    let reply = discord.line("bob", "/status").await.unwrap();
    assert!(reply.acked, "{}", reply.text());
}

#[tokio::test]
async fn a_socket_that_died_silently_is_noticed() {
    let options = Options { heartbeat: Duration::from_millis(400), ..Options::default() };
    let discord = Discord::with(options);
    let _daemon = ready(&discord).await;
    let before = discord.count("connect");
    discord.freeze(true);
    discord.wait_events("connect", before + 1, SOON).await;
    discord.freeze(false);
    discord.wait_events("resumed", 1, Duration::from_secs(60)).await;
    let reply = discord.line("bob", "/status").await.unwrap();
    assert!(reply.acked, "{}", reply.text());
}

#[tokio::test]
async fn two_hundred_interactions_at_once_are_all_answered_and_none_is_lost() {
    let discord = Discord::start();
    let daemon = ready(&discord).await;
    add(&discord, "One", "general").await;
    let ids: Vec<String> = (0..200)
        .map(|n| {
            let raise = discord.person("owner").options(&[
                ("certificate", "One"),
                ("grade", "minor"),
                ("clause", "9.2"),
                ("statement", "late"),
            ]);
            let status = discord.person("bob");
            let (who, command) = if n % 2 == 0 { (raise, "/nc raise") } else { (status, "/status") };
            who.send(command).unwrap()
        })
        .collect();
    for id in &ids {
        let reply = discord.answer(id).await.unwrap();
        assert!(reply.acked && reply.refused == 0, "{}", reply.text());
    }
    let list = discord.line("owner", "/nc show nc:NC-100").await.unwrap();
    assert!(list.text().contains("NC-100"), "{}", list.text());
    assert!(daemon.certkeeper(&["verify"]).status.success());
    discord.assert_clean();
}

#[tokio::test]
async fn a_request_to_reconnect_is_followed_and_nothing_is_missed() {
    let discord = Discord::start();
    let _daemon = ready(&discord).await;
    discord.ask_to_reconnect();
    let asked = discord.person("bob").send("/status").unwrap();
    discord.wait_events("resumed", 1, SOON).await;
    let answered = discord.answer(&asked).await.unwrap();
    assert!(answered.text().contains("Where we stand"), "{}", answered.text());
    discord.assert_clean();
}

#[tokio::test]
async fn what_a_channel_refuses_is_parked_shown_and_freed() {
    for deleted in [true, false] {
        let discord = Discord::start();
        let daemon = ready(&discord).await;
        discord.add_channel("gone", 0);
        let gone = discord.channel("gone");
        let before = discord.refusals().len();
        if deleted {
            add(&discord, "Zero", "gone").await;
            discord.wait_message("gone", "Zero: where it stands", SOON).await;
            let line = "/certificate add standard:iso-9001 name:One decided:2026-03-02 channel:gone";
            discord.fault(
                Fault::refusal(404, 10_003, "Unknown Channel")
                    .on("POST", &format!("/channels/{gone}/messages$"))
                    .always(),
            );
            discord.line("owner", line).await.unwrap();
        } else {
            // View Channel and Send Messages are taken away.
            discord.bot_access("gone", 0, (1 << 10) | (1 << 11));
            add(&discord, "One", "gone").await;
        }
        daemon.wait_output("does not take messages", SOON).await;
        let status = discord.line("bob", "/status").await.unwrap();
        assert!(status.text().contains("Cannot be posted"), "{}", status.text());
        assert!(discord.refusals().len() <= before + 3, "invalid requests in a row");
        discord.line("owner", "/certificate edit certificate:One channel:ops").await.unwrap();
        discord.wait_message("ops", "One: where it stands", SOON).await;
        let status = discord.line("bob", "/status").await.unwrap();
        assert!(!status.text().contains("Cannot be posted"), "{}", status.text());
    }
}

#[tokio::test]
async fn where_embeds_are_not_permitted_the_same_is_said_in_text() {
    let discord = Discord::start();
    let _daemon = ready(&discord).await;
    // Embed Links.
    discord.bot_access("ops", 0, 1 << 14);
    add(&discord, "One", "ops").await;
    let message = discord.wait_message("ops", "One: where it stands", SOON).await;
    assert!(message.embeds().is_empty() && message.content().contains("where it stands"), "{message:?}");
    assert_eq!(stands(&discord, "ops", "One"), 1);
}

#[tokio::test]
async fn kicked_it_says_nothing_and_added_again_it_goes_on() {
    let discord = Discord::start();
    let daemon = Daemon::ready(&discord, Setup { guild: None, ..Setup::default() }).await;
    let (guild, channel) = discord.add_guild("other", "carol");
    let says = async |line: &str| discord.person("carol").at(&channel).line(line).await.unwrap();
    says("/setup timezone:UTC hour:9").await;
    discord.kick_bot(&guild, true);
    // By the shell, while it is gone: the record grows, nothing is posted.
    let place = format!("discord:{guild}");
    let line = "certificate add standard:iso-9001 name:One decided:2026-03-02";
    let added = daemon.certkeeper(&["do", "--as", "carol", "--place", &place, line]);
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stdout));
    let status = discord.line("owner", "/setup timezone:UTC hour:9").await.unwrap();
    assert!(status.acked);
    assert_eq!(stands(&discord, &channel, "One"), 0);
    assert!(!present(&daemon, &guild).await, "the kick was not noticed");
    discord.kick_bot(&guild, false);
    discord.wait_message(&channel, "One: where it stands", Duration::from_secs(90)).await;
    assert_eq!(stands(&discord, &channel, "One"), 1);
    assert!(discord.refusals().len() <= 3);
}

#[tokio::test]
async fn a_server_that_is_unavailable_for_a_while_is_not_left() {
    let discord = Discord::start();
    let daemon = Daemon::ready(&discord, Setup { guild: None, ..Setup::default() }).await;
    let (guild, channel) = discord.add_guild("other", "carol");
    let says = async |line: &str| discord.person("carol").at(&channel).line(line).await.unwrap();
    says("/setup timezone:UTC hour:9").await;
    discord.guild_outage(&guild, true);
    // Events are handled in order: what is answered after it was handled after it.
    discord.line("owner", "/setup timezone:UTC hour:9").await.unwrap();
    assert!(present(&daemon, &guild).await, "an outage was taken for a kick");
    discord.guild_outage(&guild, false);
    says("/certificate add standard:iso-9001 name:One decided:2026-03-02").await;
    discord.wait_message(&channel, "One: where it stands", SOON).await;
    assert!(!daemon.output().contains("panick"));
}

#[tokio::test]
async fn what_waits_for_a_permission_is_posted_once_it_is_granted() {
    let discord = Discord::start();
    let daemon = ready(&discord).await;
    discord.add_channel("gone", 0);
    discord.bot_access("gone", 0, (1 << 10) | (1 << 11));
    add(&discord, "One", "gone").await;
    daemon.wait_output("does not take messages", SOON).await;
    discord.bot_access("gone", 0, 0);
    discord.world(|state| {
        let id = state.find_channel("gone").unwrap();
        let shown = state.channel_json(&state.channels[&id]);
        state.dispatch("CHANNEL_UPDATE", &shown, 1);
    });
    discord.wait_message("gone", "One: where it stands", Duration::from_secs(90)).await;
    assert_eq!(stands(&discord, "gone", "One"), 1);
}

#[tokio::test]
async fn what_is_freed_after_a_lost_answer_is_looked_for_before_it_is_said_again() {
    for by_setup in [false, true] {
        let discord = Discord::start();
        let daemon = ready(&discord).await;
        // Posted, the answer lost; the next try is refused for good, and by the time it is freed the nonce is forgotten.
        discord.fault(Fault::new(Kind::ResetAfter).on("POST", POSTS).times(1));
        discord.fault(Fault::refusal(403, 50_013, "Missing Permissions").on("POST", POSTS).times(1));
        add(&discord, "One", "general").await;
        daemon.wait_output("does not take messages", SOON).await;
        discord.forget_nonces();
        if by_setup {
            discord.person("owner").with("hour", "9").slash("/setup").await.unwrap();
        } else {
            discord.world(|state| {
                let id = state.find_channel("general").unwrap();
                let shown = state.channel_json(&state.channels[&id]);
                state.dispatch("CHANNEL_UPDATE", &shown, 1);
            });
            daemon.wait_output("takes messages again", SOON).await;
        }
        add(&discord, "Two", "ops").await;
        discord.wait_message("ops", "Two: where it stands", SOON).await;
        assert_eq!(stands(&discord, "general", "One"), 1);
        let status = discord.line("bob", "/status").await.unwrap();
        assert!(!status.text().contains("Cannot be posted"), "{}", status.text());
    }
}

#[tokio::test]
async fn a_channel_that_refuses_is_told_of_in_another_once() {
    let discord = Discord::start();
    let mut daemon = ready(&discord).await;
    discord.add_channel("gone", 0);
    let gone = discord.channel("gone");
    // View Channel and Send Messages are taken away.
    discord.bot_access("gone", 0, (1 << 10) | (1 << 11));
    add(&discord, "Zero", "ops").await;
    add(&discord, "One", "gone").await;
    daemon.wait_output("does not take messages", SOON).await;
    daemon.restart().await;
    let told = "Reminders for another channel cannot be posted";
    let elsewhere = || -> Vec<_> {
        let channels = ["general", "ops"].into_iter().flat_map(|c| discord.messages(c));
        channels.filter(|m| m.text().contains(told)).collect()
    };
    let found = async {
        while elsewhere().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(SOON, found).await.expect("it is told elsewhere");
    let text = elsewhere()[0].text();
    assert!(text.contains("1 reminder waits") && text.contains(&gone), "{text}");
    daemon.kill9().await;
    daemon.start_again();
    daemon.wait_ready(&discord).await;
    assert_eq!(elsewhere().len(), 1);
    discord.bot_access("gone", 0, 0);
    discord.wait_message("gone", "One: where it stands", SOON).await;
    assert_eq!(elsewhere().len(), 1);
}

/// Who is asked after, by what Discord was asked.
fn asked_after(discord: &Discord, who: &str) -> usize {
    let path = format!("/members/{}", discord.user(who));
    discord.requests().iter().filter(|r| r.method == "GET" && r.path.ends_with(&path)).count()
}

#[tokio::test]
async fn who_has_left_is_not_mentioned_and_the_managers_are_asked_instead() {
    let Some(clock) = WallClock::at("2026-03-02T08:59:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let _daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    discord.add_role("managers", 0, true);
    for line in [
        "/setup timezone:Europe/Berlin hour:9 manager:managers",
        "/certificate add standard:iso-27001 name:Acme decided:2026-03-02 owner:alice",
    ] {
        discord.line("owner", line).await.unwrap();
    }
    discord.remove_member("alice");
    clock.set("2026-03-02T09:00:01+01:00");
    let said = discord.wait_message("general", "Internal audits and reviews begins", SOON).await;
    assert_eq!(discord.pings(&said), ["@managers"]);
    let text = said.text();
    assert!(text.contains("is no longer in this server") && text.contains("/handover"), "{text}");
    assert!(!said.content().contains(&discord.user("alice")), "{text}");
    // Back again, she is asked again; that she is there is known for a while.
    discord.set_roles("alice", &[]);
    for (at, title) in [
        ("2026-09-02T09:00:01+02:00", "Prepare for surveillance begins"),
        ("2026-12-02T09:00:01+01:00", "First surveillance audit begins"),
    ] {
        clock.set(at);
        let said = discord.wait_message("general", title, SOON).await;
        assert_eq!(discord.pings(&said), ["alice"], "{title}");
        assert!(!said.text().contains("no longer in this server"));
    }
    assert_eq!(asked_after(&discord, "alice"), 2);
    discord.assert_clean();
}

#[tokio::test]
async fn where_nobody_can_say_who_is_there_the_reminder_goes_out_as_it_is() {
    for kind in [Kind::Hang, Kind::Status(500, None), Kind::Raw(200, "<html>".to_owned())] {
        let Some(clock) = WallClock::at("2026-03-02T08:59:00+01:00") else { return };
        let discord = Discord::on_clock(&clock);
        let _daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
        for line in [
            "/setup timezone:Europe/Berlin hour:9",
            "/certificate add standard:iso-27001 name:Acme decided:2026-03-02 owner:alice",
        ] {
            discord.line("owner", line).await.unwrap();
        }
        let failed = discord.fault(Fault::new(kind.clone()).on("GET", "/guilds/*/members/").always());
        clock.set("2026-03-02T09:00:01+01:00");
        let said = discord.wait_message("general", "Internal audits and reviews begins", SOON).await;
        assert_eq!(discord.pings(&said), ["alice"], "{kind:?}");
        assert_eq!(discord.hits(failed), 1, "{kind:?}");
    }
}

#[tokio::test]
async fn a_deleted_role_pings_nobody_and_is_named_until_another_is_set() {
    let Some(clock) = WallClock::at("2026-03-02T08:59:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    discord.add_role("managers", 0, true);
    for line in [
        "/setup timezone:Europe/Berlin hour:9 manager:managers",
        "/certificate add standard:iso-27001 name:Acme decided:2026-03-02",
    ] {
        discord.line("owner", line).await.unwrap();
    }
    let status = async || discord.line("bob", "/status").await.unwrap();
    assert!(!status().await.text().contains("was deleted"));
    discord.delete_role("managers");
    let named = async {
        while !status().await.text().contains("The managers' role was deleted") {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(2 * SOON, named).await.expect("/status names the role that is gone");
    let doctor = daemon.certkeeper(&["doctor"]);
    let report = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(doctor.status.code() == Some(1) && report.contains("The managers' role was deleted"), "{report}");
    clock.set("2026-03-02T09:00:01+01:00");
    let said = discord.wait_message("general", "Internal audits and reviews begins", SOON).await;
    assert!(discord.pings(&said).is_empty() && !said.content().contains("<@&"), "{said:?}");
    assert!(said.text().contains("The managers' role was deleted"), "{}", said.text());
    assert!(said.text().contains("/setup manager:"), "{}", said.text());
    discord.add_role("heads", 0, true);
    discord.line("owner", "/setup manager:heads").await.unwrap();
    assert!(!status().await.text().contains("was deleted"));
    clock.set("2026-09-02T09:00:01+02:00");
    let said = discord.wait_message("general", "Prepare for surveillance begins", SOON).await;
    assert_eq!(discord.pings(&said), ["@heads"]);
    discord.assert_clean();
}

#[tokio::test]
async fn a_digest_where_embeds_are_not_permitted_leaves_nothing_out() {
    // After a silence nobody is mentioned; in a flood of the day's, whoever is to do it.
    for (late, at) in [(true, "2026-03-09T12:00:00+01:00"), (false, "2026-03-05T09:00:01+01:00")] {
        let Some(clock) = WallClock::at("2026-03-02T10:00:00+01:00") else { return };
        let discord = Discord::on_clock(&clock);
        let mut daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
        // Embed Links.
        discord.bot_access("ops", 0, 1 << 14);
        discord.line("owner", "/setup timezone:Europe/Berlin hour:9").await.unwrap();
        let name = "A name that is as long as the name of a certificate may be with a few_marks";
        let add = [("standard", "iso-9001"), ("name", name), ("decided", "2026-03-01"), ("channel", "ops")];
        discord.person("owner").options(&add).slash("/certificate add").await.unwrap();
        for _ in 0..30 {
            let raise =
                "/nc raise certificate:1 grade:minor clause:9.2 statement:s due:2026-03-04 owner:alice";
            discord.line("owner", raise).await.unwrap();
        }
        discord.wait_message("ops", "where it stands", SOON).await;
        // What it knew of the channel goes with it.
        daemon.kill9().await;
        let before = discord.messages("ops").len();
        clock.set(at);
        daemon.start_again();
        let found = async {
            loop {
                let said: String =
                    discord.messages("ops")[before..].iter().map(|m| m.text() + "\n").collect();
                if (1..=30).all(|n| said.contains(&format!("NC-{n} overdue"))) {
                    return said;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let said = tokio::time::timeout(2 * SOON, found).await.expect("every entry is said");
        assert!(!said.contains("left out") && !said.contains('…'), "{said}");
        for n in 1..=30 {
            assert_eq!(said.matches(&format!("NC-{n} overdue")).count(), 1, "NC-{n}: {said}");
        }
        let pinged = discord.messages("ops")[before..].iter().any(|m| !discord.pings(m).is_empty());
        assert_eq!(pinged, !late, "{said}");
        discord.assert_clean();
    }
}

#[tokio::test]
async fn a_token_that_is_revoked_stops_everything_within_three_requests() {
    let discord = Discord::start();
    let daemon = ready(&discord).await;
    let before = discord.requests().len();
    let refused = discord.fault(Fault::refusal(401, 0, "401: Unauthorized").on("*", "/channels/").always());
    let asked = discord.person("owner").options(&[
        ("standard", "iso-9001"),
        ("name", "One"),
        ("decided", "2026-03-02"),
    ]);
    asked.send("/certificate add").unwrap();
    let status = daemon.wait_exit(SOON).await;
    assert_eq!(status.code(), Some(77), "{}", daemon.output());
    let since: Vec<_> = discord.requests().split_off(before);
    assert!((1..=3).contains(&discord.hits(refused)), "{since:?}");
    let signed = since.iter().filter(|r| r.headers.contains_key("authorization")).count();
    assert!(signed <= 3, "{since:?}");
    assert!(daemon.output().contains("refuses the bot token") && !daemon.output().contains(&discord.token));
}

#[tokio::test]
async fn a_long_failure_keeps_what_waits_in_order_and_says_it_once() {
    let discord = Discord::start();
    let _daemon = ready(&discord).await;
    let failed = discord.fault(Fault::status(503).on("POST", POSTS).times(3));
    let names = ["One", "Two", "Three"];
    for name in names {
        add(&discord, name, "general").await;
    }
    let began = std::time::Instant::now();
    discord.wait_message("general", "Three: where it stands", Duration::from_secs(60)).await;
    // A second, five, thirty, give or take a fifth.
    assert!(began.elapsed() > Duration::from_secs(25), "{:?}", began.elapsed());
    assert_eq!(discord.hits(failed), 3, "it went round and round");
    let said: Vec<String> = discord.messages("general").iter().map(Message::text).collect();
    let at = |name: &str| said.iter().position(|text| text.contains(&format!("{name}: where it stands")));
    assert!(at("One") < at("Two") && at("Two") < at("Three"), "{said:?}");
    for name in names {
        assert_eq!(stands(&discord, "general", name), 1, "{name}");
    }
    discord.assert_clean();
}

#[tokio::test]
async fn an_interaction_whose_token_expired_costs_the_answer_and_not_the_record() {
    let discord = Discord::with(Options { token_life: Duration::from_secs(1), ..Options::default() });
    let daemon = ready(&discord).await;
    add(&discord, "One", "general").await;
    discord.line("owner", "/nc raise certificate:One grade:minor clause:9.2 statement:x").await.unwrap();
    discord.fault(Fault::delay(Duration::from_millis(1_500)).on("GET", "/attachments/").times(1));
    let evidence =
        discord.person("owner").with("nc", "NC-1").attach("file", "proof.txt", b"proof", "text/plain");
    evidence.send("/nc evidence").unwrap();
    let said = daemon.wait_output("could not answer an interaction", SOON).await;
    assert!(said.contains("50027"), "{said}");
    let shown = discord.line("owner", "/nc show nc:NC-1").await.unwrap();
    assert!(shown.text().contains("proof.txt"), "{}", shown.text());
}

#[tokio::test]
async fn no_session_is_begun_while_discord_allows_none() {
    let discord = Discord::start();
    let url = discord.world(|state| state.socket.clone());
    let none = serde_json::json!({"url": url, "shards": 1, "session_start_limit":
        {"total": 1000, "remaining": 0, "reset_after": 1_500, "max_concurrency": 1}});
    discord.fault(Fault::new(Kind::Raw(200, none.to_string())).on("GET", "/gateway/bot").times(2));
    let began = std::time::Instant::now();
    let daemon = Daemon::ready(&discord, Setup::default()).await;
    assert!(began.elapsed() >= Duration::from_secs(3), "{:?}", began.elapsed());
    assert!(daemon.output().contains("allows no further session"), "{}", daemon.output());
    assert_eq!(discord.count("identify"), 1);
}

#[tokio::test]
async fn where_half_of_the_days_sessions_are_used_up_the_next_waits() {
    let discord = Discord::start();
    let url = discord.world(|state| state.socket.clone());
    let few = serde_json::json!({"url": url, "shards": 1, "session_start_limit":
        {"total": 1000, "remaining": 499, "reset_after": 80_000_000, "max_concurrency": 1}});
    discord.fault(Fault::new(Kind::Raw(200, few.to_string())).on("GET", "/gateway/bot").always());
    let daemon = Daemon::start(&discord, Setup::default());
    daemon.wait_output("more than half of the sessions", SOON).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(discord.count("identify"), 0);
    daemon.terminate();
    assert!(daemon.wait_exit(SOON).await.success());
}

#[tokio::test]
async fn an_api_whose_name_cannot_be_found_is_asked_again_and_sigterm_ends_at_once() {
    let discord = Discord::start();
    let setup = Setup::default().env("CERTKEEPER_DISCORD__API", "http://discord.invalid");
    let daemon = Daemon::start(&discord, setup);
    let asked = "the gateway's address can't be had";
    daemon.wait_output(asked, 2 * SOON).await;
    let twice = async {
        while daemon.output().matches(asked).count() < 2 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(2 * SOON, twice).await.expect("it is asked again");
    assert!(daemon.runs());
    daemon.terminate();
    assert!(daemon.wait_exit(Duration::from_secs(5)).await.success());
}

#[tokio::test]
async fn tls_that_fails_is_never_done_without() {
    let discord = Discord::start();
    // One that speaks no TLS at all, and one whose certificate nobody vouches for.
    let impostor = crate::support::impostor::Impostor::start();
    for (origin, why) in [
        (discord.base.replace("http:", "https:"), "no connection"),
        (format!("https://{}", impostor.address), "UnknownIssuer"),
    ] {
        let setup = Setup::default().env("CERTKEEPER_DISCORD__API", &origin);
        let daemon = Daemon::start(&discord, setup);
        daemon.wait_output("the gateway's address can't be had", SOON).await;
        daemon.wait_output(why, SOON).await;
        assert!(daemon.runs(), "{}", daemon.output());
        assert!(!daemon.output().contains(&discord.token));
    }
    assert!(discord.requests().is_empty(), "something was said in the clear");
    assert_eq!(impostor.heard(), 0, "something was said to an impostor");
}
