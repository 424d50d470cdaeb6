//! Reminders answered, escalated, explained; working days, quiet hours, floods; reminders of people's own.

use std::time::Duration;

use crate::support::clock::{SOON, WallClock};
use crate::support::daemon::{Daemon, Setup};
use crate::support::discord::Discord;
use crate::support::interact::Reply;
use crate::support::world::Message;

async fn says(discord: &Discord, who: &str, line: &str) -> Reply {
    discord.line(who, line).await.unwrap_or_else(|e| panic!("{who} cannot send {line:?}: {e}"))
}

async fn does(discord: &Discord, who: &str, line: &str) -> String {
    let reply = says(discord, who, line).await;
    assert!(!reply.text().contains("Not done"), "{who}: {line}: {}", reply.text());
    reply.text().to_owned()
}

async fn refused(discord: &Discord, who: &str, line: &str, words: &str) {
    let reply = says(discord, who, line).await;
    let text = reply.text();
    assert!(reply.ephemeral && text.contains("Not done") && text.contains(words), "{who}: {line}: {text}");
}

/// Asks until the answer says this: what stands in the channel is settled a moment later.
async fn until(discord: &Discord, who: &str, line: &str, words: &str) -> String {
    for _ in 0..100 {
        let told = does(discord, who, line).await;
        if told.contains(words) {
            return told;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{line} never says {words:?}: {}", does(discord, who, line).await)
}

fn count(discord: &Discord, channel: &str, text: &str) -> usize {
    discord.messages(channel).iter().filter(|m| m.text().contains(text)).count()
}

/// Until a message with this text that mentions this person stands in the channel.
async fn wait_ping(discord: &Discord, who: &str, text: &str) {
    let found = async {
        while !discord
            .messages("general")
            .iter()
            .any(|m| m.text().contains(text) && discord.pings(m) == [who])
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(SOON, found).await.is_ok(), "nobody told {who} of {text}");
}

/// A server in Berlin with a certificate of alice's that asks for nothing soon.
async fn furnished(discord: &Discord, setup: &str) {
    discord.add_role("managers", 0, true);
    for line in [
        format!("/setup timezone:Europe/Berlin hour:9 manager:managers {setup}").trim_end(),
        "/certificate add standard:iso-27001 name:Acme ISMS decided:2026-03-02 owner:owner",
    ] {
        does(discord, "owner", line).await;
    }
}

/// Sets the clock, day by day, and waits until the daemon has gone round after each.
async fn on(clock: &WallClock, discord: &Discord, at: &str) {
    clock.set(at);
    // A change is answered only after it is on record; the round after it looks at everything that is due.
    does(discord, "owner", "/change log kind:internal what:a day passes").await;
}

#[tokio::test]
async fn an_acknowledged_reminder_is_silent_until_the_promised_day() {
    let Some(clock) = WallClock::at("2026-03-03T10:00:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    furnished(&discord, "").await;
    let raise =
        "/nc raise certificate:1 grade:minor clause:9.2 statement:None held owner:alice due:2026-03-10";
    does(&discord, "owner", raise).await;
    clock.set("2026-03-09T09:00:01+01:00");
    let near = discord.wait_message("general", "NC-1 due 2026-03-10", SOON).await;
    assert_eq!(discord.pings(&near), ["alice"]);
    refused(&discord, "carol", "/remind ack reminder:NC-1", "is asked of").await;
    clock.set("2026-03-11T09:00:01+01:00");
    discord.wait_message("general", "NC-1 overdue since 2026-03-10", SOON).await;
    refused(&discord, "alice", "/remind ack reminder:NC-1", "is due already").await;
    refused(&discord, "alice", "/remind ack reminder:NC-1 until:yesterday", "after today").await;
    // By the mark at the foot of the message, as well as by its number.
    let mark = discord.messages("general").last().unwrap().text();
    let mark = mark.split_whitespace().find(|w| w.starts_with("ck-")).unwrap_or_default().to_owned();
    let acked =
        does(&discord, "alice", &format!("/remind ack reminder:{mark} until:2026-03-20 note:On it")).await;
    assert!(acked.contains("NC-1 acknowledged") && acked.contains("2026-03-20"), "{acked}");
    // 13 and 17 March would have been said; nothing is.
    on(&clock, &discord, "2026-03-17T09:00:01+01:00").await;
    clock.set("2026-03-20T09:00:01+01:00");
    let promised = discord.wait_message("general", "It was acknowledged for today", SOON).await;
    assert!(promised.text().contains("NC-1 overdue since 2026-03-10"), "{}", promised.text());
    assert_eq!(discord.pings(&promised), ["alice"]);
    assert_eq!(count(&discord, "general", "NC-1 overdue since 2026-03-10"), 2);
    let why = until(&discord, "bob", "/remind why reminder:NC-1", "the day that was promised — posted").await;
    for part in
        ["2026-03-11", "the day that was promised", "posted on 2026-03-20 09:00", "09:00 of Europe/Berlin"]
    {
        assert!(why.contains(part), "{part} in {why}");
    }
    // Another owner, another date: nothing of it counts any more.
    does(&discord, "alice", "/remind ack reminder:NC-1 until:2026-04-20").await;
    does(&discord, "owner", "/nc assign nc:NC-1 owner:bob").await;
    clock.set("2026-03-24T09:00:01+01:00");
    wait_ping(&discord, "bob", "NC-1 overdue since 2026-03-10").await;
    assert!(daemon.certkeeper(&["verify"]).status.success());
    discord.assert_clean();
}

#[tokio::test]
async fn a_snooze_needs_a_reason_and_a_deadline_of_the_rules_is_never_put_off() {
    let Some(clock) = WallClock::at("2026-12-01T10:00:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let _daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    furnished(&discord, "").await;
    refused(
        &discord,
        "owner",
        "/remind snooze reminder:C-1/S1_LATEST until:in 2 weeks reason:Holidays",
        "never put off",
    )
    .await;
    refused(&discord, "owner", "/remind snooze reminder:C-1/s1_latest until:tomorrow reason:x", "9.1.3.3")
        .await;
    // Acknowledged it may be; its reminders go on all the same.
    let acked = does(&discord, "owner", "/remind ack reminder:C-1/S1_LATEST until:2027-02-20").await;
    assert!(acked.contains("never silent"), "{acked}");
    clock.set("2027-01-31T09:00:01+01:00");
    discord.wait_message("general", "first surveillance audit by 2027-03-02", SOON).await;
    does(&discord, "owner", "/action add certificate:1 owner:alice due:2027-02-10 what:Order the badges")
        .await;
    refused(&discord, "alice", "/remind snooze reminder:ACT-1 until:2028-02-01 reason:x", "within 90 days")
        .await;
    refused(&discord, "alice", "/remind snooze reminder:ACT-7 until:tomorrow reason:x", "/remind list").await;
    refused(&discord, "alice", "/remind snooze reminder:soon until:tomorrow reason:x", "NC-12").await;
    let snoozed = does(
        &discord,
        "alice",
        "/remind snooze reminder:ACT-1 until:2027-02-15 reason:The supplier is closed",
    )
    .await;
    assert!(snoozed.contains("ACT-1 snoozed"), "{snoozed}");
    on(&clock, &discord, "2027-02-13T09:00:01+01:00").await;
    clock.set("2027-02-15T09:00:01+01:00");
    discord.wait_message("general", "It was snoozed until today", SOON).await;
    assert_eq!(count(&discord, "general", "ACT-1 due"), 0);
    assert_eq!(count(&discord, "general", "ACT-1 overdue"), 1);
    let list = until(&discord, "bob", "/remind list", "ACT-1").await;
    assert!(list.contains("not answered"), "{list}");
    discord.assert_clean();
}

#[tokio::test]
async fn what_nobody_answers_goes_to_the_managers_and_then_to_the_escalation_channel() {
    // A Tuesday.
    let Some(clock) = WallClock::at("2026-03-03T10:00:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    discord.add_channel("board", 0);
    furnished(&discord, "working-days:mon-fri escalate-after:2 escalation:board").await;
    for nc in 1..=2 {
        let raise = format!(
            "/nc raise certificate:1 grade:minor clause:9.2 statement:Number {nc} owner:alice due:2026-03-11"
        );
        does(&discord, "owner", &raise).await;
    }
    clock.set("2026-03-12T09:00:01+01:00");
    discord.wait_message("general", "NC-1 overdue since 2026-03-11", SOON).await;
    discord.wait_message("general", "NC-2 overdue since 2026-03-11", SOON).await;
    // Only one of the two is answered.
    does(&discord, "alice", "/remind ack reminder:NC-2 until:2026-05-20").await;
    // Two working days after Thursday the 12th is Monday the 16th; on Friday nothing goes up yet.
    on(&clock, &discord, "2026-03-13T09:00:01+01:00").await;
    assert_eq!(count(&discord, "general", "no answer since"), 0);
    clock.set("2026-03-16T09:00:01+01:00");
    let up = discord
        .wait_message("general", "NC-1 overdue since 2026-03-11, no answer since 2026-03-12", SOON)
        .await;
    assert!(up.text().contains("Not answered"), "{}", up.text());
    // What to answer is the reminder, not the escalation of it.
    assert!(up.text().contains("/remind ack reminder:NC-1"), "{}", up.text());
    assert!(!up.text().contains("NC-1/"), "{}", up.text());
    assert_eq!(discord.pings(&up).len(), 1, "the managers' role");
    assert_eq!(count(&discord, "board", "NC-1"), 0);
    // Killed in between, each step is said once.
    clock.set("2026-03-18T09:00:01+01:00");
    discord.wait_message("board", "NC-1 overdue since 2026-03-11, no answer since 2026-03-12", SOON).await;
    on(&clock, &discord, "2026-03-30T12:00:00+02:00").await;
    assert_eq!(count(&discord, "board", "NC-1"), 1);
    assert_eq!(count(&discord, "general", "NC-1 overdue since 2026-03-11, no answer"), 1);
    assert_eq!(count(&discord, "general", "NC-2 overdue since 2026-03-11, no answer"), 0);
    let why = until(&discord, "owner", "/remind why reminder:NC-1", "step 2 — posted").await;
    assert!(why.contains("escalation, step 1") && why.contains("escalation, step 2"), "{why}");
    // Dealt with, it is over.
    does(&discord, "owner", "/void entry:NC-1 reason:Raised by mistake").await;
    let list = does(&discord, "owner", "/remind list").await;
    assert!(!list.contains("NC-1 ") && list.contains("NC-2"), "{list}");
    assert!(daemon.certkeeper(&["verify"]).status.success());
    discord.assert_clean();
}

#[tokio::test]
async fn a_new_owner_is_given_the_same_time_to_answer() {
    let Some(clock) = WallClock::at("2026-03-03T10:00:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let _daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    furnished(&discord, "escalate-after:2").await;
    does(
        &discord,
        "owner",
        "/nc raise certificate:1 grade:minor clause:9.2 statement:x owner:alice due:2026-03-11",
    )
    .await;
    clock.set("2026-03-12T09:00:01+01:00");
    discord.wait_message("general", "NC-1 overdue since 2026-03-11", SOON).await;
    does(&discord, "owner", "/nc assign nc:NC-1 owner:bob").await;
    // Alice's silence would have gone up on the 14th. Bob is told that day, and it goes up on the 16th.
    clock.set("2026-03-14T09:00:01+01:00");
    wait_ping(&discord, "bob", "NC-1 overdue since 2026-03-11").await;
    assert_eq!(count(&discord, "general", "no answer since"), 0);
    clock.set("2026-03-16T09:00:01+01:00");
    discord.wait_message("general", "no answer since 2026-03-14", SOON).await;
    discord.assert_clean();
}

#[tokio::test]
async fn a_day_off_is_passed_over_and_quiet_hours_are_kept() {
    let Some(clock) = WallClock::at("2026-03-03T10:00:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let data = tempfile::tempdir().unwrap();
    std::fs::create_dir(data.path().join("holidays")).unwrap();
    std::fs::write(
        data.path().join("holidays/de-be.toml"),
        "id = \"de-be\"\ntitle = \"Berlin\"\n[days]\n2026-04-03 = \"Good Friday\"\n2026-04-06 = \"Easter Monday\"\n",
    )
    .unwrap();
    let setup = Setup::on_clock(&clock).env("CERTKEEPER_DATA__FOLDER", data.path().to_str().unwrap());
    let mut daemon = Daemon::ready(&discord, setup).await;
    refused(&discord, "owner", "/setup holidays:xx", "de-be").await;
    refused(&discord, "owner", "/setup quiet-hours:8-10 hour:9", "lies in the quiet hours").await;
    refused(&discord, "owner", "/setup working-days:someday", "mon-fri").await;
    refused(&discord, "owner", "/setup quiet-hours:at night", "18-8").await;
    furnished(&discord, "working-days:mon-fri holidays:de-be quiet-hours:18-8").await;
    // The day before Easter Monday, on which it is due, is a Sunday: it is said on Maundy Thursday, with the days left.
    does(
        &discord,
        "owner",
        "/nc raise certificate:1 grade:minor clause:9.2 statement:x owner:alice due:2026-04-06",
    )
    .await;
    clock.set("2026-04-02T09:00:01+02:00");
    let near = discord.wait_message("general", "NC-1 due 2026-04-06", SOON).await;
    assert!(near.text().contains("in 4 days"), "{}", near.text());
    // The day after is a Tuesday that is no holiday.
    clock.set("2026-04-07T09:00:01+02:00");
    discord.wait_message("general", "NC-1 overdue since 2026-04-06", SOON).await;
    // Down on a Friday, up on a Saturday: what is late waits for Monday at 8.
    does(
        &discord,
        "owner",
        "/nc raise certificate:1 grade:minor clause:9.2 statement:x owner:alice due:2026-04-09",
    )
    .await;
    daemon.kill9().await;
    clock.set("2026-04-11T12:00:00+02:00");
    daemon.start_again();
    daemon.wait_ready(&discord).await;
    let before = discord.messages("general").len();
    clock.set("2026-04-13T07:59:00+02:00");
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(discord.messages("general").len(), before, "nothing is posted at night or on a Saturday");
    clock.set("2026-04-13T08:00:01+02:00");
    discord.wait_message("general", "NC-2 overdue since 2026-04-09", SOON).await;
    discord.assert_clean();
}

#[tokio::test]
async fn many_things_of_one_morning_are_one_message_that_asks_everybody_concerned() {
    let Some(clock) = WallClock::at("2026-03-03T10:00:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let _daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    furnished(&discord, "").await;
    discord.wait_message("general", "where it stands", SOON).await;
    for (n, who) in (1..=8).zip(["alice", "bob"].into_iter().cycle()) {
        let raise = format!(
            "/nc raise certificate:1 grade:minor clause:9.2 statement:n{n} owner:{who} due:2026-03-10"
        );
        does(&discord, "owner", &raise).await;
    }
    let before = discord.messages("general").len();
    clock.set("2026-03-09T09:00:01+01:00");
    let digest = discord.wait_message("general", "8 reminders for today", SOON).await;
    for n in 1..=8 {
        assert!(digest.text().contains(&format!("NC-{n} due 2026-03-10")), "{}", digest.text());
    }
    let mut pinged = discord.pings(&digest);
    pinged.sort();
    assert_eq!(pinged, ["alice", "bob"]);
    on(&clock, &discord, "2026-03-09T20:00:00+01:00").await;
    let posted = discord.messages("general").split_off(before);
    let of_reminders = posted.iter().filter(|m| m.text().contains("NC-")).count();
    assert_eq!(of_reminders, 1, "{posted:?}");
    discord.assert_clean();
}

#[tokio::test]
async fn a_reminder_of_ones_own_comes_by_its_cron_expression_once_each() {
    let Some(clock) = WallClock::at("2026-03-20T10:00:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let mut daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    refused(&discord, "owner", "/remind every cron:0 9 * * MON text:x", "no channel yet").await;
    furnished(&discord, "").await;
    for (cron, words) in [
        ("0 9 30 2 *", "no such day: give another"),
        ("* * * * *", "once an hour"),
        ("0 0 9 * * *", "6 fields:"),
        ("mondays", "1 field:"),
        ("0 99 * * *", "cannot be read"),
    ] {
        refused(&discord, "owner", &format!("/remind every cron:{cron} text:x"), words).await;
    }
    let entered =
        does(&discord, "owner", "/remind every cron:30 8 * * MON text:Test the restore @everyone who:carol")
            .await;
    // Over the change of the clocks on 29 March.
    for run in ["Mon 2026-03-23 08:30", "Mon 2026-03-30 08:30", "Mon 2026-04-06 08:30"] {
        assert!(entered.contains(run), "{run} in {entered}");
    }
    clock.set("2026-03-23T08:30:01+01:00");
    let first = discord.wait_message("general", "RM-1: Test the restore", SOON).await;
    assert_eq!(discord.pings(&first), ["carol"]);
    daemon.kill9().await;
    // Two runs are missed; the later one stands for both.
    clock.set("2026-04-07T12:00:00+02:00");
    daemon.start_again();
    daemon.wait_ready(&discord).await;
    discord.wait_message("general", "this was meant for", SOON).await;
    let zone = "/setup timezone:America/New_York";
    does(&discord, "owner", zone).await;
    on(&clock, &discord, "2026-04-08T12:00:00+02:00").await;
    assert_eq!(count(&discord, "general", "Late: this was meant for 2026-04-06"), 1);
    let list = does(&discord, "owner", "/remind list").await;
    assert!(list.contains("RM-1") && list.contains("next Mon 2026-04-13 08:30"), "{list}");
    does(&discord, "owner", "/remind stop reminder:RM-1").await;
    refused(&discord, "owner", "/remind stop reminder:RM-1", "ended already").await;
    on(&clock, &discord, "2026-04-20T12:00:00-04:00").await;
    assert_eq!(count(&discord, "general", "Late: this was meant for 2026-04-20"), 0);
    assert!(daemon.certkeeper(&["verify"]).status.success());
    discord.assert_clean();
}

#[tokio::test]
async fn what_changes_in_the_rules_counts_from_the_next_start() {
    let Some(clock) = WallClock::at("2026-04-01T10:00:00+02:00") else { return };
    let discord = Discord::on_clock(&clock);
    let data = tempfile::tempdir().unwrap();
    std::fs::create_dir(data.path().join("holidays")).unwrap();
    let list = |days: &str| {
        let text = format!("id = \"de\"\ntitle = \"x\"\n[days]\n{days}");
        std::fs::write(data.path().join("holidays/de.toml"), text).unwrap();
    };
    list("2026-04-03 = \"Good Friday\"\n");
    let setup = Setup::on_clock(&clock).env("CERTKEEPER_DATA__FOLDER", data.path().to_str().unwrap());
    let mut daemon = Daemon::ready(&discord, setup).await;
    furnished(&discord, "working-days:mon-fri holidays:de").await;
    let raise = "/nc raise certificate:1 grade:minor clause:9.2 statement:x owner:alice due:2026-04-09";
    does(&discord, "owner", raise).await;
    clock.set("2026-04-02T09:00:01+02:00");
    wait_ping(&discord, "alice", "NC-1 due 2026-04-09").await;
    // The day on which the next one would come becomes a holiday: it comes the day before.
    daemon.kill9().await;
    list("2026-04-03 = \"Good Friday\"\n2026-04-08 = \"Founders' day\"\n");
    daemon.start_again();
    daemon.wait_ready(&discord).await;
    clock.set("2026-04-07T09:00:01+02:00");
    let near = discord.wait_message("general", "(in 2 days)", SOON).await;
    assert!(near.text().contains("NC-1 due 2026-04-09"), "{}", near.text());
    discord.assert_clean();
}

#[tokio::test]
async fn a_handover_takes_reminders_along_and_the_leaver_out_of_answers() {
    let Some(clock) = WallClock::at("2026-03-03T10:00:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    furnished(&discord, "").await;
    does(
        &discord,
        "owner",
        "/nc raise certificate:1 grade:minor clause:9.2 statement:x owner:alice due:2026-03-10",
    )
    .await;
    does(&discord, "owner", "/remind every cron:30 8 * * MON text:Test the restore who:alice").await;
    clock.set("2026-03-09T09:00:01+01:00");
    discord.wait_message("general", "NC-1 due 2026-03-10", SOON).await;
    does(&discord, "alice", "/remind snooze reminder:NC-1 until:2026-03-20 reason:The supplier is closed")
        .await;
    let found = does(&discord, "bob", "/find text:supplier").await;
    assert!(found.contains("NC-1") && found.contains("snoozed until 2026-03-20"), "{found}");
    let found = does(&discord, "bob", "/find text:restore").await;
    assert!(found.contains("RM-1"), "{found}");
    let alice = discord.user("alice");
    let moved = does(&discord, "owner", "/handover from:alice to:bob pseudonymise:true").await;
    assert!(moved.contains("NC-1, RM-1"), "{moved}");
    // Asked anew: whoever takes it over did not answer.
    clock.set("2026-03-13T09:00:01+01:00");
    wait_ping(&discord, "bob", "NC-1 overdue since 2026-03-10").await;
    clock.set("2026-03-16T08:30:01+01:00");
    wait_ping(&discord, "bob", "RM-1: Test the restore").await;
    let listed = does(&discord, "owner", "/remind why reminder:NC-1").await;
    assert!(!listed.contains(&alice), "{listed}");
    daemon.terminate();
    daemon.wait_exit(SOON).await;
    assert!(daemon.certkeeper(&["verify"]).status.success());
    daemon.assert_not_on_file(&alice);
    discord.assert_clean();
}

#[tokio::test]
async fn what_was_not_settled_before_the_quiet_hours_is_not_tried_again_in_them() {
    let Some(clock) = WallClock::at("2026-03-03T10:00:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let mut daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    furnished(&discord, "quiet-hours:18-8").await;
    discord.wait_message("general", "where it stands", SOON).await;
    let raise = "/nc raise certificate:1 grade:minor clause:9.2 statement:x owner:alice due:2026-03-10";
    does(&discord, "owner", raise).await;
    // It ends right after it has claimed what it is about to say.
    daemon.kill9().await;
    daemon.set_env("FAILPOINTS", Some("claimed=return"));
    clock.set("2026-03-09T17:59:00+01:00");
    daemon.start_again();
    daemon.wait_exit(SOON).await;
    daemon.set_env("FAILPOINTS", None);
    clock.set("2026-03-09T20:00:00+01:00");
    daemon.start_again();
    daemon.wait_ready(&discord).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(count(&discord, "general", "NC-1 due 2026-03-10"), 0);
    clock.set("2026-03-10T08:00:01+01:00");
    discord.wait_message("general", "NC-1 due 2026-03-10", SOON).await;
    assert_eq!(count(&discord, "general", "NC-1 due 2026-03-10"), 1);
    discord.assert_clean();
}

#[tokio::test]
async fn what_was_silent_is_not_told_as_late_to_whoever_is_asked_next() {
    let Some(clock) = WallClock::at("2026-03-03T10:00:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let _daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    furnished(&discord, "escalate-after:2").await;
    let raise = "/nc raise certificate:1 grade:minor clause:9.2 statement:x owner:alice due:2026-03-10";
    does(&discord, "owner", raise).await;
    clock.set("2026-03-11T09:00:01+01:00");
    wait_ping(&discord, "alice", "NC-1 overdue since 2026-03-10").await;
    does(&discord, "alice", "/remind snooze reminder:NC-1 until:2026-04-20 reason:The supplier is closed")
        .await;
    // The third and the seventh day after it are silent; then somebody else is asked.
    on(&clock, &discord, "2026-03-18T12:00:00+01:00").await;
    let why = until(&discord, "bob", "/remind why reminder:NC-1", "7 days after").await;
    assert!(why.contains("not posted: answered until 2026-04-20"), "{why}");
    does(&discord, "owner", "/nc assign nc:NC-1 owner:bob").await;
    on(&clock, &discord, "2026-03-20T12:00:00+01:00").await;
    assert_eq!(count(&discord, "general", "NC-1 overdue"), 1);
    clock.set("2026-03-24T09:00:01+01:00");
    wait_ping(&discord, "bob", "NC-1 overdue since 2026-03-10").await;
    let late = |m: &&Message| m.text().contains("this was meant for");
    let late: Vec<String> = discord.messages("general").iter().filter(late).map(Message::text).collect();
    assert!(!late.iter().any(|text| text.contains("NC-1")), "{late:?}");
    assert_eq!(count(&discord, "general", "no answer since"), 0);
    clock.set("2026-03-26T09:00:01+01:00");
    discord.wait_message("general", "no answer since 2026-03-24", SOON).await;
    discord.assert_clean();
}
