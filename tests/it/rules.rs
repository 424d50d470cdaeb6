//! The rules and gates of certification, each refused or warned of through the chat door, with the rule and the way on.

use crate::management::{all, does, refused};
use crate::support::clock::WallClock;
use crate::support::daemon::{Daemon, Setup};
use crate::support::discord::Discord;

const ACME: &str = "/certificate add standard:iso-27001 name:Acme ISMS decided:2026-03-02 owner:alice";
const SETUP: &str = "/setup timezone:Europe/Berlin hour:9";

/// Works a nonconformity up to its verification, as of now.
async fn verified(discord: &Discord, nc: &str) {
    all(
        discord,
        "owner",
        &[
            &format!("/nc correct nc:{nc} what:Put right"),
            &format!("/nc cause nc:{nc} why:Nobody looked"),
            &format!("/nc plan nc:{nc} owner:carol due:today action:Look"),
        ],
    )
    .await;
    does(discord, "carol", &format!("/nc done nc:{nc} what:Done")).await;
    does(discord, "owner", &format!("/nc verify nc:{nc} effective:true how:Looked at")).await;
}

/// ISO/IEC 17021-1:2015, 9.5.2 and 9.5.3.2 (`STAGE2_MAJOR`): majors verified and minors planned before the decision;
/// after six months it takes another stage 2.
#[tokio::test]
async fn the_decision_waits_for_stage_2s_majors_and_after_six_months_for_another_stage_2() {
    let Some(clock) = WallClock::at("2026-01-31T10:00:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let _daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    all(
        &discord,
        "owner",
        &[
            SETUP,
            "/certificate add standard:iso-9001 name:Quality owner:alice",
            "/audit log certificate:1 kind:stage-2 date:today scope:All conclusion:One major lead-name:Body",
            "/finding raise audit:A-1 grade:major clause:9.2 statement:No audits evidence:None on record",
            "/finding raise audit:A-1 grade:minor clause:7.2 statement:No list evidence:None on record",
        ],
    )
    .await;
    let decide = "/certificate decide certificate:1 date:today";
    refused(&discord, "owner", decide, "NC-1 not verified").await;
    refused(&discord, "owner", decide, "NC-2 without a plan").await;
    does(&discord, "owner", "/nc plan nc:NC-2 owner:carol due:2026-06-01 action:Make a list").await;
    // Six months after the last day of stage 2, clamped to the month's last day.
    clock.set("2026-08-01T10:00:00+02:00");
    let why = does(&discord, "owner", "/cycle why certificate:1 clock:STAGE2_MAJOR").await;
    assert!(why.contains("2026-07-31") && why.contains("another stage 2"), "{why}");
    verified(&discord, "NC-1").await;
    refused(&discord, "owner", decide, "9.5.3.2): /audit plan kind:stage-2").await;
    does(
        &discord,
        "owner",
        "/audit log certificate:1 kind:stage-2 date:today scope:All conclusion:Fine lead-name:Body",
    )
    .await;
    does(&discord, "owner", decide).await;
    discord.assert_clean();
}

/// 9.6.3.2.2 and 9.6.3.2.4 (`RECERT_MAJOR`): a major that is not verified stands in the way of the renewal; 9.6.3.2.5
/// (`RESTORE`): restored within six months with the expiry of the cycle before, and the gap is shown.
#[tokio::test]
async fn a_recertification_major_blocks_the_renewal_and_the_restoration_keeps_the_calendar() {
    let Some(clock) = WallClock::at("2029-01-22T10:00:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let _daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    all(
        &discord,
        "owner",
        &[
            SETUP,
            ACME,
            "/audit log certificate:1 kind:recertification date:today scope:All conclusion:One major lead-name:Body",
            "/finding raise audit:A-1 grade:major clause:9.2 statement:No audits evidence:None on record",
        ],
    )
    .await;
    // The usual sixty days would end after the expiry.
    let nc = does(&discord, "owner", "/nc show nc:NC-1").await;
    assert!(nc.contains("2029-03-01"), "{nc}");
    refused(&discord, "owner", "/certificate renew certificate:1 date:today", "9.6.3.2.2").await;
    clock.set("2029-03-02T10:00:00+01:00");
    refused(&discord, "owner", "/certificate restore certificate:1 date:today", "NC-1 not verified").await;
    let status = does(&discord, "owner", "/certificate show certificate:1").await;
    assert!(status.contains("2029-09-01"), "until when it can be restored: {status}");
    clock.set("2029-06-11T10:00:00+02:00");
    verified(&discord, "NC-1").await;
    let told = does(&discord, "owner", "/certificate restore certificate:1 date:today").await;
    assert!(told.contains("2029-03-02 to 2029-06-10") && told.contains("2032-03-01"), "{told}");
    refused(&discord, "owner", "/certificate restore certificate:1 date:today", "9.6.3.2.5").await;
    discord.assert_clean();
}

/// 9.6.3.2.5: six months after the expiry it takes an initial certification; 9.1.3.2: a renewal belongs to the last
/// year; a decision is made once; 9.6.5: what was withdrawn stays so.
#[tokio::test]
async fn renewals_too_early_too_late_and_of_what_was_withdrawn_are_refused() {
    let Some(clock) = WallClock::at("2027-03-02T10:00:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let _daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    all(&discord, "owner", &[SETUP, ACME, "/certificate add standard:iso-9001 name:Quality"]).await;
    let renew = "/certificate renew certificate:1 date:today";
    refused(&discord, "owner", renew, "from 2028-03-01").await;
    refused(&discord, "owner", "/certificate decide certificate:1 date:today", "/certificate renew").await;
    refused(&discord, "owner", "/certificate renew certificate:2 date:today", "/certificate decide").await;
    refused(&discord, "owner", "/certificate decide certificate:2 date:2027-03-03", "lies in the future")
        .await;
    for (verb, rule) in [
        ("suspend certificate:1 date:2026-03-01 reason:x", "9.6.5"),
        ("withdraw certificate:1 date:2026-03-01 reason:x", "9.6.5"),
        ("transfer certificate:1 body:Other date:2026-03-01", "IAF MD 2"),
        ("suspend certificate:2 date:today reason:x", "9.6.5"),
    ] {
        refused(&discord, "owner", &format!("/certificate {verb}"), rule).await;
    }
    clock.set("2029-09-02T10:00:00+02:00");
    refused(&discord, "owner", renew, "until 2029-09-01").await;
    refused(&discord, "owner", "/certificate scope certificate:1 scope:All", "initial certification").await;
    all(
        &discord,
        "owner",
        &[
            "/certificate decide certificate:2 date:2027-06-01",
            "/certificate withdraw certificate:2 date:2029-08-01 reason:Given up",
        ],
    )
    .await;
    refused(&discord, "owner", "/certificate renew certificate:2 date:today", "withdrawn on 2029-08-01")
        .await;
    refused(&discord, "owner", "/certificate suspend certificate:2 date:today reason:x", "/certificate add")
        .await;
    discord.assert_clean();
}

/// 9.1.3.3 (`SURV_CALENDAR_YEAR`, `S1_LATEST`): a year left without a surveillance audit is said whichever audit is
/// planned first, and when one is called off; 9.1.3.2 and 9.6.3.2.2: a recertification audit needs its ninety days.
#[tokio::test]
async fn a_year_left_empty_and_a_day_without_room_are_said_when_the_audit_is_planned() {
    let Some(clock) = WallClock::at("2026-03-02T10:00:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let _daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    all(&discord, "owner", &[SETUP, ACME]).await;
    let plan = async |kind: &str, date: &str| {
        does(&discord, "owner", &format!("/audit plan certificates:1 kind:{kind} date:{date}")).await
    };
    let told = plan("surveillance", "2028-01-11 reason:The body asked for it").await;
    assert!(told.contains("2027 has no surveillance audit"), "{told}");
    let told = plan("surveillance", "2026-12-09").await;
    assert!(told.contains("2027 has no surveillance audit"), "the second of the two planned: {told}");
    let told = plan("surveillance", "2027-02-25").await;
    assert!(!told.contains("2027 has no surveillance audit"), "{told}");
    let told = does(&discord, "owner", "/audit cancel audit:A-3 reason:Nobody is there").await;
    assert!(told.contains("2027 has no surveillance audit"), "{told}");
    does(&discord, "owner", "/audit cancel audit:A-2 reason:Nobody is there").await;
    let told = plan("surveillance", "2027-03-01").await;
    assert!(told.contains("1 day left to 2027-03-02") && told.contains("S1_LATEST"), "{told}");
    refused(
        &discord,
        "owner",
        "/audit plan certificates:1 kind:recertification date:2029-03-02",
        "RECERT_YEAR",
    )
    .await;
    let told = plan("recertification", "2028-12-02").await;
    assert!(told.contains("89 days left") && told.contains("RECERT_MAJOR"), "{told}");
    let told = plan("recertification", "2027-10-04").await;
    assert!(told.contains("third year") && told.contains("2028-03-02"), "{told}");
    discord.assert_clean();
}

/// 9.5.3.2: a limit that nobody here can move holds at every door that sets a due date.
#[tokio::test]
async fn no_due_date_goes_past_a_hard_limit() {
    let Some(clock) = WallClock::at("2026-02-10T10:00:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let _daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    all(
        &discord,
        "owner",
        &[
            SETUP,
            "/certificate add standard:iso-27001 name:Acme ISMS",
            "/audit log certificate:1 kind:stage-2 date:today scope:All conclusion:One major lead-name:Body",
        ],
    )
    .await;
    let raise = "grade:major clause:9.2 statement:No audits due:2026-08-11";
    for line in [
        format!("/finding raise audit:A-1 {raise} evidence:None"),
        format!("/nc raise certificate:1 audit:A-1 {raise}"),
    ] {
        refused(&discord, "owner", &line, "2026-08-10").await;
    }
    does(
        &discord,
        "owner",
        "/finding raise audit:A-1 grade:major clause:9.2 statement:No audits owner:carol",
    )
    .await;
    for line in [
        "/nc assign nc:NC-1 owner:carol due:2026-08-11",
        "/nc plan nc:NC-1 owner:carol due:2026-08-11 action:Hold one",
        "/nc extend nc:NC-1 due:2026-08-11 reason:Holidays",
    ] {
        refused(&discord, "owner", line, "STAGE2_MAJOR").await;
    }
    // More time that comes with an owner counts as more time.
    does(&discord, "owner", "/nc assign nc:NC-1 owner:bob due:2026-08-09").await;
    let told = does(&discord, "owner", "/nc extend nc:NC-1 due:2026-08-10 reason:Holidays").await;
    assert!(told.contains("Extension number 2"), "{told}");
    discord.assert_clean();
}

/// 9.3.1.2 (`STAGE1_TO_2`): stage 1's concerns are addressed, not declined; 9.4.5: an opportunity is no softened
/// nonconformity, and a nonconformity gives its objective evidence.
#[tokio::test]
async fn concerns_are_addressed_and_nonconformities_have_their_evidence() {
    let Some(clock) = WallClock::at("2026-02-10T10:00:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let _daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    all(
        &discord,
        "owner",
        &[
            SETUP,
            "/certificate add standard:iso-27001 name:Acme ISMS",
            "/certificate edit certificate:1 stage1-days:60",
            "/audit log certificate:1 kind:stage-1 date:today scope:All conclusion:Ready lead-name:Body",
            "/audit log certificate:1 kind:internal date:today scope:All conclusion:Fine lead:bob",
            "/finding raise audit:A-1 grade:concern clause:9.3 statement:No review",
            "/finding raise audit:A-2 grade:opportunity clause:9.3 statement:Shorter",
        ],
    )
    .await;
    refused(&discord, "owner", "/finding decline finding:F-1 reason:No", "/finding accept").await;
    refused(&discord, "owner", "/finding addressed finding:F-2 how:So", "/finding accept").await;
    refused(&discord, "owner", "/finding raise audit:A-2 grade:concern clause:9.3 statement:x", "tage 1")
        .await;
    refused(&discord, "owner", "/audit plan certificates:1 kind:stage-2 date:2026-04-12", "STAGE1_TO_2")
        .await;
    does(&discord, "owner", "/audit plan certificates:1 kind:stage-2 date:2026-04-11").await;
    let told =
        does(&discord, "owner", "/finding raise audit:A-2 grade:minor clause:9.2 statement:No plan").await;
    assert!(told.contains("no objective evidence") && told.contains("9.4.5"), "{told}");
    let told = does(
        &discord,
        "owner",
        "/finding raise audit:A-2 grade:minor clause:7.2 statement:No list evidence:None on record",
    )
    .await;
    assert!(!told.contains("no objective evidence"), "{told}");
    discord.assert_clean();
}

/// ISO 19011:2018, 4 e; ISO/IEC 27001:2022, 9.2.2 b: who audits an area of their own has a reason and a second person,
/// and both stand with the audit. Coverage says what was not sampled, and counts an integrated audit in each.
#[tokio::test]
async fn an_override_of_impartiality_is_agreed_and_shown_and_coverage_counts_what_was_sampled() {
    let Some(clock) = WallClock::at("2026-05-04T10:00:00+02:00") else { return };
    let discord = Discord::on_clock(&clock);
    let _daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    all(
        &discord,
        "owner",
        &[
            SETUP,
            "/certificate add standard:iso-9001 name:Quality decided:2026-05-04",
            "/certificate add standard:iso-14001 name:Environment decided:2026-05-04",
            "/area add name:IT owner:carol",
            "/audit log certificate:1 also:2 kind:internal date:2026-05-03 scope:All conclusion:Fine lead:bob clauses:all",
        ],
    )
    .await;
    let plan =
        "/audit plan certificates:1,2 kind:internal date:today lead:bob team:carol areas:IT clauses:9.2,9.3";
    refused(&discord, "owner", plan, "ISO 19011:2018 4 e").await;
    refused(&discord, "owner", &format!("{plan} impartiality:Only she knows it"), "agreed-by").await;
    for second in ["owner", "carol"] {
        let line = format!("{plan} impartiality:Only she knows it agreed-by:{second}");
        refused(&discord, "owner", &line, "a second person").await;
    }
    does(&discord, "owner", &format!("{plan} impartiality:Only she knows it agreed-by:alice")).await;
    let shown = does(&discord, "owner", "/audit show audit:A-2").await;
    assert!(shown.contains("Only she knows it — agreed by <@"), "{shown}");
    // Neither what preceded the decision counts, nor what is only planned.
    let coverage = does(&discord, "owner", "/audit coverage certificate:1").await;
    assert!(coverage.contains("0 of"), "{coverage}");
    does(&discord, "owner", "/audit report audit:A-2 conclusion:Fine not-sampled:9.3 also-sampled:7.2").await;
    for certificate in ["Quality", "Environment"] {
        let coverage = does(&discord, "owner", &format!("/audit coverage certificate:{certificate}")).await;
        assert!(coverage.contains("Planned, not sampled: 9.3"), "{coverage}");
        assert!(!coverage.contains("0 of"), "{coverage}");
    }
    discord.assert_clean();
}

/// A certificate in its second year, entered with its history, is asked for what is still ahead and nothing else.
#[tokio::test]
async fn a_certificate_entered_in_its_second_year_is_asked_only_for_what_is_ahead() {
    let Some(clock) = WallClock::at("2027-10-04T10:00:00+02:00") else { return };
    let discord = Discord::on_clock(&clock);
    let daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    all(
        &discord,
        "owner",
        &[
            SETUP,
            ACME,
            "/audit log certificate:1 kind:surveillance date:2027-01-20 scope:Some conclusion:Fine lead-name:Body",
        ],
    )
    .await;
    let out = daemon.certkeeper(&["simulate", "--certificate", "1", "--json"]);
    let rows: Vec<serde_json::Value> = String::from_utf8(out.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let phases: Vec<&str> = rows.iter().filter_map(|row| row["phase"].as_str()).collect();
    assert_eq!(phases, ["surveillance-2", "review", "prepare-3", "recertification"]);
    assert!(rows.iter().all(|row| row["at"].as_str().unwrap() >= "2027-10-04"), "{rows:?}");
    let rules: std::collections::BTreeSet<&str> =
        rows.iter().filter_map(|row| row["rule"].as_str()).collect();
    assert_eq!(rules, ["RECERT_YEAR", "RESTORE", "SURV_CALENDAR_YEAR"].into());
    // The deadlines as they stand: what was met is met, each with its anchor, limit, source and state.
    let out = daemon.certkeeper(&["simulate", "--certificate", "1", "--clocks", "--json"]);
    let clocks: Vec<serde_json::Value> = String::from_utf8(out.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let told: Vec<(&str, &str, &str)> = clocks
        .iter()
        .map(|c| (c["id"].as_str().unwrap(), c["anchor"].as_str().unwrap(), c["state"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("S1_LATEST/2027-03-02", "2026-03-02", "met"),
            ("SURV_YEARS/1/2027-03-02", "2026-03-02", "met"),
            ("SURV_CALENDAR_YEAR/2027/2027-12-31", "2026-03-02", "met"),
            ("SURV_YEARS/2/2028-03-02", "2026-03-02", "running"),
            ("SURV_CALENDAR_YEAR/2028/2028-12-31", "2026-03-02", "running"),
            ("RECERT_YEAR/2029-03-01", "2029-03-01", "running"),
            ("RESTORE/2029-09-01", "2029-03-01", "running"),
        ]
    );
    assert_eq!(clocks[0]["met"], "2027-01-20");
    assert!(clocks.iter().all(|c| c["source"].as_str().unwrap().contains("17021-1")), "{clocks:?}");
    discord.assert_clean();
}

/// ISO/IEC 27001:2022, 9.3.2: open actions are computed into the next review, and what was not looked at is said; what
/// was entered long after the fact is marked; the same clause and area as a closed one puts its effectiveness in doubt.
#[tokio::test]
async fn reviews_carry_open_actions_and_late_entries_and_repeats_are_marked() {
    let Some(clock) = WallClock::at("2026-10-05T10:00:00+02:00") else { return };
    let discord = Discord::on_clock(&clock);
    let _daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    all(
        &discord,
        "owner",
        &[
            SETUP,
            ACME,
            "/review hold certificates:1 date:today attended:The board decisions:Go on not-covered:c",
            "/action add review:MR-1 owner:bob due:2026-11-02 what:Buy a safe",
            "/audit log certificate:1 kind:internal date:2026-03-09 scope:All conclusion:Fine lead:bob",
            "/finding raise audit:A-1 grade:minor clause:9.2 statement:No plan evidence:https://example.com/x area:IT owner:carol",
        ],
    )
    .await;
    let told = does(&discord, "owner", "/review show review:MR-1").await;
    assert!(told.contains("c)"), "{told}");
    let told = does(&discord, "owner", "/audit show audit:A-1").await;
    assert!(told.contains("entered 210 days after it was held"), "{told}");
    verified(&discord, "NC-1").await;
    does(&discord, "owner", "/nc close nc:NC-1").await;
    let raise =
        "/finding raise audit:A-1 grade:minor clause:9.2 statement:Again evidence:x area:it owner:carol";
    let told = does(&discord, "owner", raise).await;
    assert!(
        told.contains("was the earlier action effective") && told.contains("/nc reopen nc:NC-1"),
        "{told}"
    );
    clock.set("2026-12-01T10:00:00+01:00");
    let inputs = does(&discord, "owner", "/review inputs certificate:1").await;
    assert!(inputs.contains("ACT-1"), "{inputs}");
    does(&discord, "bob", "/action done action:ACT-1 outcome:It stands in the cellar").await;
    let inputs = does(&discord, "owner", "/review inputs certificate:1").await;
    assert!(!inputs.contains("ACT-1 by"), "{inputs}");
    discord.assert_clean();
}
