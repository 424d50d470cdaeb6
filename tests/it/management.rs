//! What a management system shows its auditor, played through the chat door alone.

use crate::support::clock::{SOON, WallClock};
use crate::support::daemon::{Daemon, Setup};
use crate::support::discord::Discord;

/// Says it and must not be refused; the answer.
pub(crate) async fn does(discord: &Discord, who: &str, line: &str) -> String {
    let reply = discord.line(who, line).await.unwrap_or_else(|e| panic!("{who} cannot send {line:?}: {e}"));
    let text = reply.text().to_owned();
    assert!(!text.contains("Not done"), "{who}: {line}: {text}");
    text
}

/// Says it and must be refused, with these words.
pub(crate) async fn refused(discord: &Discord, who: &str, line: &str, words: &str) {
    let reply = discord.line(who, line).await.unwrap_or_else(|e| panic!("{who} cannot send {line:?}: {e}"));
    let text = reply.text().to_owned();
    assert!(text.contains("Not done") && text.contains(words), "{who}: {line}: {text}");
    assert!(reply.ephemeral, "{line}: a refusal is for whoever asked");
}

/// Every entry with a number is found by it, with the words given somewhere in it.
async fn found(discord: &Discord, numbers: &[(&str, usize)]) {
    for (prefix, most) in numbers {
        for n in 1..=*most {
            let id = format!("{prefix}-{n}");
            let told = does(discord, "owner", &format!("/find text:{id}")).await;
            assert!(told.contains(&format!("**{id}**")), "{id}: {told}");
        }
        let told = does(discord, "owner", &format!("/find text:{prefix}-{}", most + 1)).await;
        assert!(told.contains("Nothing on record"), "{prefix} has more than {most}: {told}");
    }
}

/// What was to be covered was: as many sampled as there are, of everything that is counted.
fn whole(coverage: &str) -> Vec<(u32, u32)> {
    let words: Vec<&str> = coverage.split_whitespace().collect();
    let number = |w: &str| w.trim_matches('*').parse::<u32>().ok();
    let counted: Vec<(u32, u32)> = words
        .windows(3)
        .filter(|w| w[1] == "of")
        .filter_map(|w| Some((number(w[0])?, number(w[2])?)))
        .collect();
    assert!(!counted.is_empty() && counted.iter().all(|(sampled, all)| sampled == all), "{coverage}");
    assert!(!coverage.to_lowercase().contains("never audited"), "{coverage}");
    counted
}

pub(crate) async fn all(discord: &Discord, who: &str, lines: &[&str]) {
    for line in lines {
        does(discord, who, line).await;
    }
}

/// ISO/IEC 17021-1:2015 from the gap analysis to the renewal, with ISO 19011's audit programme in between.
#[tokio::test]
async fn a_certificate_for_27001_is_won_kept_and_renewed_in_chat() {
    let Some(clock) = WallClock::at("2025-09-01T10:00:00+02:00") else { return };
    let discord = Discord::on_clock(&clock);
    let daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    all(
        &discord,
        "owner",
        &[
            "/setup timezone:Europe/Berlin hour:9",
            "/certificate add standard:iso-27001 name:Acme ISMS body:ExampleCert stage2:2026-02-10 owner:alice",
            "/area add name:IT owner:carol kind:department",
            "/area add name:Human resources owner:alice",
            "/audit log certificate:1 kind:gap date:today scope:The whole system conclusion:Much is there lead:bob",
            "/certificate opening certificate:1 date:today note:Scope and plan agreed",
        ],
    )
    .await;
    // Stage 1 names concerns; stage 2 does not begin before they and the rest are settled.
    clock.set("2025-12-01T10:00:00+01:00");
    all(&discord, "owner", &[
        "/audit plan certificates:1 kind:stage-1 date:today",
        "/audit start audit:A-2",
        "/finding raise audit:A-2 grade:concern clause:9.3 statement:No management review was held yet owner:alice",
    ]).await;
    refused(
        &discord,
        "owner",
        "/finding raise audit:A-2 grade:minor clause:9.3 statement:x",
        "areas of concern",
    )
    .await;
    all(
        &discord,
        "owner",
        &[
            "/audit report audit:A-2 conclusion:Ready but for one concern",
            "/audit plan certificates:1 kind:stage-2 date:2026-02-09 until:2026-02-10",
        ],
    )
    .await;
    clock.set("2026-02-09T10:00:00+01:00");
    refused(&discord, "owner", "/audit start audit:A-3", "no internal audit is on record").await;
    all(&discord, "owner", &[
        "/audit log certificate:1 kind:internal date:2026-01-12 until:2026-01-16 scope:Everything conclusion:Conforming lead:bob clauses:all controls:all areas:Human resources",
    ]).await;
    refused(&discord, "owner", "/audit start audit:A-3", "no management review is on record").await;
    all(&discord, "owner", &[
        "/review hold certificates:1 date:2026-01-20 attended:The board decisions:Go on inputs:all",
        "/finding addressed finding:F-1 how:Held on 20 January",
        "/audit start audit:A-3",
        "/finding raise audit:A-3 grade:major clause:A.5.18 statement:Leavers keep their access evidence:Three accounts of 2025 owner:carol reference:EC-7 body-grade:Category 1",
    ]).await;
    clock.set("2026-02-10T17:00:00+01:00");
    does(&discord, "owner", "/audit report audit:A-3 conclusion:Recommended once the major is closed").await;
    // 9.5.3.2: six months after the last day of stage 2, and nobody here can move that.
    let why = does(&discord, "owner", "/cycle why certificate:1 clock:STAGE2_MAJOR").await;
    assert!(why.contains("2026-08-10") && why.contains("9.5.3.2"), "{why}");
    refused(&discord, "owner", "/nc extend nc:NC-1 due:2026-08-11 reason:Holidays", "2026-08-10").await;
    does(&discord, "owner", "/nc extend nc:NC-1 due:2026-08-10 reason:The project is late").await;
    // One question at a time: the command asks the first, a button on each answer the next.
    let mut form = discord.line("carol", "/nc next nc:NC-1").await.unwrap();
    for fields in [
        [("what", "The accounts are locked")].as_slice(),
        &[("what", "All leavers of two years checked")],
        &[("what", "No misuse in the logs")],
        &[("why", "HR and IT have no common list")],
        &[("what", "Suppliers' accounts have the same gap")],
        &[("action", "One list, fed by HR"), ("due", "2026-03-01")],
    ] {
        assert!(form.modal.is_some(), "{fields:?}: {}", form.text());
        let reply = discord.submit_modal("carol", &form, fields).await.unwrap();
        assert!(!reply.text().contains("Not done"), "{fields:?}: {}", reply.text());
        form = discord.click("carol", &reply.message.unwrap(), "Next question for NC-1").await.unwrap();
    }
    let asked = format!("{:?}", form.modal);
    assert!(asked.contains("nc done"), "{asked}");
    does(&discord, "owner", "/action add nc:NC-1 owner:bob due:2026-03-05 what:Suppliers on the same list")
        .await;
    all(&discord, "carol", &["/nc done nc:NC-1 what:In use, https://intranet.example.com/leavers"]).await;
    refused(&discord, "owner", "/nc verifier nc:NC-1 person:carol", "someone else verifies").await;
    does(&discord, "owner", "/nc verifier nc:NC-1 person:bob date:2026-03-20").await;
    does(&discord, "owner", "/nc verify nc:NC-1 effective:true how:Ten leavers checked").await;
    refused(&discord, "owner", "/nc close nc:NC-1", "ACT-1 not done").await;
    does(&discord, "bob", "/action done action:ACT-1 outcome:Done").await;
    all(&discord, "owner", &["/nc close nc:NC-1", "/audit close audit:A-3"]).await;
    refused(&discord, "owner", "/finding raise audit:A-3 grade:minor clause:9.2 statement:x", "frozen").await;
    refused(&discord, "owner", "/edit entry:NC-1 field:text value:x reason:y", "frozen").await;
    // The decision: what was audited before it does not count in the cycle.
    clock.set("2026-03-02T10:00:00+01:00");
    does(&discord, "owner", "/certificate decide certificate:1 date:today number:EC-27001-1").await;
    let coverage = does(&discord, "owner", "/audit coverage certificate:1").await;
    assert!(
        coverage.contains("0 of 30 clauses sampled") && coverage.contains("0 of 93 controls"),
        "{coverage}"
    );
    // The programme that the bot proposes is carried out as it stands.
    let mut audits = 4;
    for (day, year) in [("2026-11-02", 1), ("2027-11-02", 2), ("2028-10-02", 3)] {
        clock.set(&format!("{day}T10:00:00+01:00"));
        let proposed = does(&discord, "owner", "/audit propose certificate:1").await;
        let command = proposed.split('`').find(|p| p.starts_with("/audit plan ")).map(str::to_owned);
        let Some(command) = command else { panic!("{proposed}") };
        let command = if year == 3 {
            "/audit plan certificates:1 kind:internal date:today clauses:all controls:all areas:all"
                .to_owned()
        } else {
            let at = command.find("date:").unwrap();
            format!("{}date:today{}", &command[..at], &command[at + "date:2026-01-01".len()..])
        };
        if year == 3 {
            // Bob audits, and carol, who owns IT, would not be let.
            refused(
                &discord,
                "owner",
                &format!("{command} lead:carol"),
                "Auditors do not audit their own area",
            )
            .await;
        }
        does(&discord, "owner", &format!("{command} lead:bob")).await;
        audits += 1;
        let no = format!("A-{audits}");
        does(&discord, "owner", &format!("/audit start audit:{no}")).await;
        does(
            &discord,
            "owner",
            &format!(
                "/finding raise audit:{no} grade:opportunity clause:7.3 statement:Shorter courses owner:alice"
            ),
        )
        .await;
        does(&discord, "owner", &format!("/audit report audit:{no} conclusion:Conforming")).await;
        does(&discord, "owner", &format!("/audit close audit:{no}")).await;
        does(&discord, "owner", &format!("/finding decline finding:F-{} reason:They are short", year + 1))
            .await;
        all(
            &discord,
            "owner",
            &[
                "/change log kind:external what:A new law on critical infrastructure",
                "/risk revisit certificate:1 what:Every risk looked at",
                "/training log topic:Phishing attended:alice person:bob absent:carol",
                "/review hold certificates:1 date:today attended:The board decisions:Go on inputs:all",
            ],
        )
        .await;
        let open = does(&discord, "owner", "/task list certificate:1").await;
        for task in open.split('`').filter(|t| t.contains('/') && !t.starts_with('/') && !t.contains(' ')) {
            does(&discord, "owner", &format!("/task done certificate:1 task:{task} what:See the records"))
                .await;
        }
        if year < 3 {
            let day = if year == 1 { "2027-02-10" } else { "2028-02-09" };
            does(&discord, "owner", &format!("/audit plan certificates:1 kind:surveillance date:{day}"))
                .await;
            audits += 1;
            clock.set(&format!("{day}T10:00:00+01:00"));
            does(&discord, "owner", &format!("/audit start audit:A-{audits}")).await;
            does(&discord, "owner", &format!("/audit report audit:A-{audits} conclusion:No nonconformity"))
                .await;
        }
    }
    clock.set("2028-12-11T10:00:00+01:00");
    for task in does(&discord, "owner", "/task list certificate:1").await.split('`') {
        if task.contains('/') && !task.starts_with('/') && !task.contains(' ') {
            does(&discord, "owner", &format!("/task done certificate:1 task:{task} what:See the records"))
                .await;
        }
    }
    does(&discord, "owner", "/audit log certificate:1 kind:recertification date:today scope:Everything conclusion:Renewal recommended lead-name:ExampleCert").await;
    let coverage = does(&discord, "owner", "/audit coverage certificate:1").await;
    assert_eq!(whole(&coverage), [(30, 30), (93, 93)], "{coverage}");
    let tasks = does(&discord, "owner", "/task list certificate:1").await;
    assert!(tasks.contains("Nothing is open now"), "{tasks}");
    does(&discord, "owner", "/certificate renew certificate:1 date:today").await;
    clock.set("2029-03-02T12:00:00+01:00");
    let status = does(&discord, "owner", "/status").await;
    assert!(status.contains("valid until 2032-03-01"), "{status}");
    // Every record can be found.
    for (text, id) in [
        ("Leavers", "NC-1"),
        ("critical infrastructure", "R-"),
        ("Suppliers", "ACT-1"),
        ("opening meeting", "R-1"),
        ("Shorter courses", "F-2"),
        ("board", "MR-1"),
    ] {
        let found = does(&discord, "owner", &format!("/find text:{text}")).await;
        assert!(found.contains(id), "{text}: {found}");
    }
    found(&discord, &[("A", audits + 1), ("NC", 1), ("F", 4), ("ACT", 1), ("MR", 4)]).await;
    let trainings = does(&discord, "owner", "/training list").await;
    assert!(trainings.contains("Still missing"), "{trainings}");
    assert!(daemon.certkeeper(&["verify"]).status.success());
    discord.assert_clean();
}

/// IAF MD 11: an integrated audit serves both systems, and counts in each.
#[tokio::test]
async fn an_integrated_system_of_9001_and_14001_is_audited_once_for_both() {
    let Some(clock) = WallClock::at("2026-05-04T10:00:00+02:00") else { return };
    let discord = Discord::on_clock(&clock);
    let daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    all(
        &discord,
        "owner",
        &[
            "/setup timezone:Europe/Berlin hour:9",
            "/certificate add standard:iso-9001 name:Quality decided:2026-05-04 owner:alice",
            "/certificate add standard:iso-14001 name:Environment decided:2026-04-01 owner:alice",
            "/area add name:Production owner:carol kind:site",
            "/area add name:Sales owner:alice",
        ],
    )
    .await;
    let (mut no, mut findings) = (0, 0);
    for (plan, clauses) in [("2026-10-05", "4-7"), ("2027-10-04", "8-10"), ("2028-10-02", "all")] {
        clock.set(&format!("{plan}T10:00:00+02:00"));
        does(&discord, "owner", &format!("/audit plan certificates:Quality,Environment kind:internal date:today lead:bob clauses:{clauses} areas:all")).await;
        no += 1;
        does(&discord, "owner", &format!("/audit start audit:A-{no}")).await;
        // A clause that both standards have goes where it is said; one that only one has, there.
        let raised = format!("/finding raise audit:A-{no} grade:minor clause:7.2 statement:No record {no}");
        let told = does(&discord, "owner", &format!("{raised} certificate:Environment owner:carol")).await;
        assert!(told.contains("For C-2 Environment"), "{told}");
        let told = does(
            &discord,
            "owner",
            &format!(
                "/finding raise audit:A-{no} grade:opportunity clause:8.5.1 statement:Label {no} owner:carol"
            ),
        )
        .await;
        assert!(told.contains("For C-1 Quality"), "{told}");
        findings += 1;
        let nc = format!("NC-{findings}");
        all(
            &discord,
            "owner",
            &[
                &format!("/audit report audit:A-{no} conclusion:Conforming"),
                &format!("/audit close audit:A-{no}"),
                &format!(
                    "/finding accept finding:F-{findings} owner:carol due:in 2 weeks action:Labels {no}"
                ),
                &format!("/action done action:ACT-{findings} outcome:Printed"),
                &format!("/nc correct nc:{nc} what:Put on file"),
                &format!("/nc cause nc:{nc} why:The form had no field for it"),
                &format!("/nc plan nc:{nc} owner:carol due:in 2 weeks action:A new form"),
                &format!("/nc done nc:{nc} what:In use, https://intranet.example.com/form/{no}"),
                &format!("/nc verifier nc:{nc} person:bob"),
                "/change log kind:external what:A new law on packaging",
                "/risk revisit what:Every risk looked at",
                "/training log topic:Spills person:alice absent:bob",
            ],
        )
        .await;
        does(&discord, "bob", &format!("/nc verify nc:{nc} effective:true how:Ten files read")).await;
        does(&discord, "owner", &format!("/nc close nc:{nc}")).await;
        does(
            &discord,
            "owner",
            "/review hold certificates:all date:today attended:The board decisions:Go on inputs:all",
        )
        .await;
        if plan < "2028" {
            let day = if plan < "2027" { "2027-02-15" } else { "2028-02-14" };
            does(&discord, "owner", &format!("/audit plan certificates:1,2 kind:surveillance date:{day}"))
                .await;
            no += 1;
            clock.set(&format!("{day}T10:00:00+01:00"));
            does(&discord, "owner", &format!("/audit report audit:A-{no} conclusion:No nonconformity")).await;
        }
    }
    clock.set("2029-02-14T10:00:00+01:00");
    does(&discord, "owner", "/audit log certificate:1 also:2 kind:recertification date:today scope:Both conclusion:Renewal recommended lead-name:ExampleCert").await;
    for (certificate, clauses) in [("Quality", 57), ("Environment", 32)] {
        let coverage = does(&discord, "owner", &format!("/audit coverage certificate:{certificate}")).await;
        assert_eq!(whole(&coverage), [(clauses, clauses)], "{certificate}: {coverage}");
        let tasks = does(&discord, "owner", &format!("/task list certificate:{certificate}")).await;
        for task in tasks.split('`').filter(|t| t.contains('/') && !t.starts_with('/') && !t.contains(' ')) {
            let done = format!("/task done certificate:{certificate} task:{task} what:See the records");
            does(&discord, "owner", &done).await;
        }
        let tasks = does(&discord, "owner", &format!("/task list certificate:{certificate}")).await;
        assert!(tasks.contains("Nothing is open now"), "{certificate}: {tasks}");
        let why =
            does(&discord, "owner", &format!("/cycle why certificate:{certificate} clock:S1_LATEST")).await;
        assert!(why.contains("met on 2027-02-15"), "{certificate}: {why}");
        does(&discord, "owner", &format!("/certificate renew certificate:{certificate} date:2029-02-14"))
            .await;
    }
    clock.set("2029-05-05T10:00:00+02:00");
    let status = does(&discord, "owner", "/status").await;
    assert!(
        status.contains("valid until 2032-05-03") && status.contains("valid until 2032-03-31"),
        "{status}"
    );
    found(&discord, &[("A", no + 1), ("NC", findings), ("F", findings), ("ACT", findings), ("MR", 3)]).await;
    for (text, id) in [("packaging", "R-"), ("Spills", "R-"), ("form/1", "NC-1"), ("Printed", "ACT-1")] {
        let told = does(&discord, "owner", &format!("/find text:{text}")).await;
        assert!(told.contains(id), "{text}: {told}");
    }
    assert!(daemon.certkeeper(&["verify"]).status.success());
    discord.assert_clean();
}

/// ISO/IEC 17021-1:2015, 9.6.5 and 9.6.3.2.5; IAF MD 2.
#[tokio::test]
async fn what_becomes_of_a_certificate_says_what_it_does_to_the_calendar() {
    let Some(clock) = WallClock::at("2026-03-02T10:00:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let _daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    all(
        &discord,
        "owner",
        &[
            "/setup timezone:Europe/Berlin hour:9",
            "/certificate add standard:iso-27001 name:Acme ISMS decided:2026-03-02 owner:alice",
        ],
    )
    .await;
    refused(&discord, "owner", "/certificate reinstate certificate:1 date:today", "9.6.5").await;
    refused(&discord, "owner", "/certificate restore certificate:1 date:today", "9.6.3.2.5").await;
    clock.set("2026-06-01T10:00:00+02:00");
    let told =
        does(&discord, "owner", "/certificate suspend certificate:1 date:today reason:No audit was let in")
            .await;
    assert!(told.contains("2026-12-01") && told.contains("SUSPENSION"), "{told}");
    refused(&discord, "owner", "/certificate suspend certificate:1 date:today reason:Again", "is suspended")
        .await;
    refused(&discord, "owner", "/certificate transfer certificate:1 body:Other date:today", "IAF MD 2").await;
    let status = does(&discord, "owner", "/status").await;
    assert!(status.contains("suspended") && status.contains("suspension ended by 2026-12-01"), "{status}");
    // Its clock is reminded of like any other.
    clock.set("2026-11-01T09:00:01+01:00");
    discord.wait_message("general", "suspension ended", SOON).await;
    does(&discord, "owner", "/certificate reinstate certificate:1 date:today reason:The audit was held")
        .await;
    does(&discord, "owner", "/certificate transfer certificate:1 body:OtherCert date:today").await;
    does(&discord, "owner", "/certificate edit certificate:1 plan-days:14 major-days:30").await;
    let shown = does(&discord, "owner", "/certificate show certificate:1").await;
    assert!(shown.contains("OtherCert") && shown.contains("plan 14 days"), "{shown}");
    // The body's own limits count, not the programme's.
    all(&discord, "owner", &[
        "/audit log certificate:1 kind:surveillance date:today scope:Some conclusion:One major lead-name:OtherCert",
        "/nc raise certificate:1 audit:A-1 grade:major clause:9.2 statement:No audit was held owner:alice",
    ]).await;
    let why = does(&discord, "owner", "/cycle why certificate:1 clock:CB_NC_PLAN").await;
    assert!(why.contains("2026-11-15") && why.contains("plus 14 days"), "{why}");
    let why = does(&discord, "owner", "/cycle why certificate:1 clock:CB_NC_CLOSE").await;
    assert!(why.contains("2026-12-01"), "{why}");
    // Withdrawn, nothing is due any more.
    clock.set("2026-11-20T10:00:00+01:00");
    let told =
        does(&discord, "owner", "/certificate withdraw certificate:1 date:today reason:We give it up").await;
    assert!(told.contains("Nothing is due for it any more"), "{told}");
    refused(&discord, "owner", "/certificate restore certificate:1 date:today", "withdrawn").await;
    let preview = does(&discord, "owner", "/cycle preview certificate:1 months:36").await;
    assert!(!preview.contains("begins") && !preview.contains("surveillance audit"), "{preview}");
    discord.assert_clean();
}

/// ISO/IEC 17021-1:2015, 9.1.3.3: a year that is passed over is said when the audit is planned; a limit needs a reason.
#[tokio::test]
async fn a_plan_that_breaks_a_rule_is_told_so_when_it_is_made() {
    let Some(clock) = WallClock::at("2026-03-02T10:00:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let _daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    all(
        &discord,
        "owner",
        &[
            "/setup timezone:Europe/Berlin hour:9",
            "/certificate add standard:iso-27001 name:Acme ISMS decided:2026-03-02 owner:alice",
        ],
    )
    .await;
    refused(&discord, "owner", "/audit plan certificates:1 kind:surveillance date:2027-03-03", "9.1.3.3")
        .await;
    refused(&discord, "owner", "/audit plan certificates:1 kind:surveillance date:2026-02-01", "/audit log")
        .await;
    does(&discord, "owner", "/audit plan certificates:1 kind:surveillance date:2026-12-09").await;
    let told = does(&discord, "owner", "/audit plan certificates:1 kind:surveillance date:2028-01-11").await;
    assert!(told.contains("2027 has no surveillance audit"), "{told}");
    let what = does(&discord, "owner", "/cycle whatif certificate:1 audit:A-1 date:2027-04-01").await;
    assert!(what.contains("S1_LATEST") && what.contains("it breaks"), "{what}");
    let what = does(&discord, "owner", "/cycle whatif certificate:1 decided:2026-04-01").await;
    assert!(what.contains("2027-03-02 → 2027-04-01"), "{what}");
    refused(&discord, "owner", "/cycle whatif certificate:1", "What if what?").await;
    does(&discord, "owner", "/audit move audit:A-1 date:2027-03-10 reason:The body granted it").await;
    let shown = does(&discord, "owner", "/audit show audit:A-1").await;
    assert!(shown.contains("Deviation") && shown.contains("The body granted it"), "{shown}");
    discord.assert_clean();
}

/// What is planned is reminded of, once; with it booked, nobody is asked to book it.
#[tokio::test]
async fn audits_actions_and_reviews_are_reminded_of() {
    let Some(clock) = WallClock::at("2026-03-02T08:00:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let mut daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    all(
        &discord,
        "owner",
        &[
            "/setup timezone:Europe/Berlin hour:9",
            "/certificate add standard:iso-27001 name:Acme ISMS decided:2026-03-02 owner:alice",
            "/area add name:IT owner:carol every:3",
            "/action add certificate:1 owner:bob due:2026-04-10 what:Buy a safe",
            "/audit plan certificates:1 kind:internal date:2026-05-11 lead:carol clauses:4-10",
            "/review plan certificates:1 date:2026-06-08",
        ],
    )
    .await;
    for (at, words, asked) in [
        ("2026-03-27T09:00:01+01:00", "ACT-1 due", "bob"),
        ("2026-04-11T09:00:01+02:00", "ACT-1 overdue since", "bob"),
        ("2026-04-11T09:05:00+02:00", "", ""),
        ("2026-05-04T09:00:01+02:00", "A-1, internal audit", "carol"),
        ("2026-05-09T09:00:01+02:00", "MR-1, management review", "alice"),
        ("2026-05-12T09:00:01+02:00", "was planned for", "carol"),
        ("2026-11-02T09:00:01+01:00", "book the certification body now", "alice"),
    ] {
        clock.set(at);
        if words.is_empty() {
            does(&discord, "bob", "/action done action:ACT-1 outcome:It stands in the cellar").await;
            continue;
        }
        let posted = discord.wait_message("general", words, SOON).await;
        assert_eq!(discord.pings(&posted), [asked], "{words}");
        if words == "was planned for" {
            all(
                &discord,
                "owner",
                &[
                    "/audit report audit:A-1 conclusion:Fine date:2026-05-11",
                    "/review hold review:MR-1 date:today attended:The board decisions:Go on inputs:all",
                ],
            )
            .await;
        }
    }
    daemon.kill9().await;
    daemon.start_again();
    daemon.wait_ready(&discord).await;
    // Phases carry what they are about, and what earlier ones left open.
    clock.set("2027-09-02T09:00:01+02:00");
    let phase = discord.wait_message("general", "Carried over from earlier phases", SOON).await;
    assert!(format!("{phase:?}").contains("Areas newly added"), "{phase:?}");
    discord.assert_clean();
}

#[tokio::test]
async fn findings_repeat_are_pasted_and_pile_up() {
    let discord = Discord::start();
    let _daemon = Daemon::ready(&discord, Setup::default()).await;
    all(
        &discord,
        "owner",
        &[
            "/setup timezone:Europe/Berlin hour:9",
            "/certificate add standard:iso-22301 name:Continuity decided:2026-03-02",
            "/audit plan certificates:1 kind:internal date:tomorrow lead:bob",
        ],
    )
    .await;
    refused(
        &discord,
        "owner",
        "/finding raise audit:A-1 grade:minor clause:10.1 statement:x",
        "before it begins",
    )
    .await;
    refused(&discord, "owner", "/audit close audit:A-1", "/audit report").await;
    does(&discord, "owner", "/audit start audit:A-1").await;
    // Clause 10.1 is the nonconformity clause here, 10.2 elsewhere: numbers are keyed by standard and edition.
    let form = discord.line("owner", "/finding several audit:A-1").await.unwrap();
    let list = "minor | 10.1 | No cause was looked for | IT\nminor | 10.1 | No action was taken | HR\n- ofi\t8.4\tShorter plans\n\n* strength ; 5.1 ; The board cares";
    let reply = discord.submit_modal("owner", &form, &[("findings", list)]).await.unwrap();
    assert!(reply.text().contains("4 findings raised from A-1"), "{}", reply.text());
    let told =
        does(&discord, "owner", "/finding raise audit:A-1 grade:minor clause:10.1 statement:Again area:it")
            .await;
    assert!(told.contains("NC-1, still open") && told.contains("consider whether it is a major"), "{told}");
    let form = discord.line("owner", "/finding several audit:A-1").await.unwrap();
    let reply = discord
        .submit_modal("owner", &form, &[("findings", "minor | 4.1 | Fine\nminer | 4.1 | Not")])
        .await
        .unwrap();
    assert!(
        reply.text().contains("Line 2") && reply.text().contains("Nothing was raised"),
        "{}",
        reply.text()
    );
    refused(&discord, "owner", "/audit report audit:A-1 conclusion:x", "cannot be reported before").await;
    does(&discord, "owner", "/audit report audit:A-1 conclusion:Three minors date:today").await;
    refused(&discord, "owner", "/audit close audit:A-1", "nobody owns NC-1, NC-2, NC-3, F-1").await;
    refused(&discord, "owner", "/finding decline finding:F-2 reason:x", "asks for nothing").await;
    // What a spreadsheet or a mail gives is taken as well; what a clause is called is completed for the audit's own.
    let clauses = discord
        .person("owner")
        .with("audit", "A-1")
        .autocomplete("finding raise", "clause", "8.2.")
        .await
        .unwrap();
    assert!(clauses.suggestions().iter().any(|s| s.starts_with("8.2.2 ")), "{:?}", clauses.suggestions());
    // A wrong entry is voided with a reason, and counts for nothing.
    all(
        &discord,
        "owner",
        &[
            "/void entry:NC-3 reason:The same as NC-1",
            "/nc assign nc:NC-1 owner:alice",
            "/nc assign nc:NC-2 owner:alice",
            "/finding assign finding:F-1 owner:alice",
            "/edit entry:NC-2 field:grade value:major reason:Systemic",
        ],
    )
    .await;
    let shown = does(&discord, "owner", "/nc show nc:NC-2").await;
    assert!(shown.contains("“minor” → “major”: Systemic"), "{shown}");
    refused(&discord, "owner", "/nc reopen nc:NC-3 reason:x", "voided").await;
    does(&discord, "owner", "/audit close audit:A-1").await;
    let mine = does(&discord, "alice", "/my").await;
    assert!(mine.contains("NC-1") && mine.contains("F-1") && !mine.contains("NC-3"), "{mine}");
    let moved = does(&discord, "owner", "/handover from:alice to:carol pseudonymise:true").await;
    assert!(moved.contains("NC-1, NC-2, F-1") && moved.contains("Former member"), "{moved}");
    let hers = does(&discord, "carol", "/my").await;
    assert!(hers.contains("NC-1") && hers.contains("F-1"), "{hers}");
    let found = does(&discord, "owner", "/find text:alice").await;
    assert!(found.contains("Nothing on record"), "{found}");
    discord.assert_clean();
}

#[tokio::test]
async fn a_spreadsheet_goes_in_whole_once_or_not_at_all() {
    let discord = Discord::start();
    let daemon = Daemon::ready(&discord, Setup::default()).await;
    all(
        &discord,
        "owner",
        &[
            "/setup timezone:Europe/Berlin hour:9",
            "/certificate add standard:iso-27001 name:Acme ISMS decided:2025-03-03",
        ],
    )
    .await;
    let import = async |what: &str, text: &str, apply: &str| {
        let person = discord.person("owner").with("what", what).with("apply", apply);
        let sent = person.attach("file", "sheet.csv", text.as_bytes(), "text/csv").send("import").unwrap();
        // A refusal after a deferral that all could see comes as a word of its own.
        loop {
            let reply = discord.answer(&sent).await.unwrap();
            if !reply.text().trim().is_empty() {
                return reply.text().to_owned();
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let areas = "Reference;Name;Every\nP-1;Sales;12\nP-2;Stores;99\n";
    let told = import("areas", areas, "true").await;
    assert!(told.contains("nothing was entered") && told.contains("Row 3"), "{told}");
    assert!(does(&discord, "owner", "/area list").await.contains("None yet"));
    let areas = areas.replace("99", "9");
    let told = import("areas", &areas, "false").await;
    assert!(told.contains("dry run") && told.contains("2 to enter"), "{told}");
    assert!(does(&discord, "owner", "/area list").await.contains("None yet"));
    assert!(import("areas", &areas, "true").await.contains("2 entered"));
    assert!(import("areas", &areas, "true").await.contains("0 entered, 2 on record already"));
    let audits = "reference,kind,date,scope,conclusion,lead,clauses,controls,areas\nIA-1,internal,2025-06-02,,Conforming,bob,4-10,A.5,\"Sales, Stores\"\n";
    assert!(import("audits", audits, "true").await.contains("1 entered"));
    let findings = "reference,audit,grade,clause,statement,closed\nN-1,IA-1,minor,9.2,No plan,2025-08-01\nN-2,IA-1,major,5.2,No policy,\n";
    assert!(import("findings", findings, "true").await.contains("2 entered"));
    assert!(import("findings", findings, "true").await.contains("0 entered"));
    // It gets only what is still ahead: the closed one is closed, the other is open.
    let ncs = does(&discord, "owner", "/nc list").await;
    assert!(ncs.contains("NC-2") && !ncs.contains("NC-1"), "{ncs}");
    let coverage = does(&discord, "owner", "/audit coverage certificate:1").await;
    assert!(coverage.contains("30 of 30 clauses"), "{coverage}");
    let told = import("findings", "a,b\n1,2\n", "true").await;
    assert!(told.contains("lacks the heading"), "{told}");
    assert!(import("areas", "name\n\u{0}", "true").await.contains("cannot be read"));
    assert!(daemon.certkeeper(&["verify"]).status.success());
    discord.assert_clean();
}

/// An edition ends: a clock like any other, gone once the certificate has moved on.
#[tokio::test]
async fn the_end_of_an_edition_is_a_clock() {
    let Some(clock) = WallClock::at("2026-08-01T10:00:00+02:00") else { return };
    let discord = Discord::on_clock(&clock);
    let _daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    all(
        &discord,
        "owner",
        &[
            "/setup timezone:Europe/Berlin hour:9",
            "/certificate add standard:iso-37001-2016 name:Integrity decided:2026-03-02 owner:alice",
        ],
    )
    .await;
    let why = does(&discord, "owner", "/cycle why certificate:1 clock:TRANSITION").await;
    assert!(why.contains("2027-02-28"), "{why}");
    clock.set("2026-11-30T09:00:01+01:00");
    discord.wait_message("general", "moved to iso-37001", SOON).await;
    let told =
        does(&discord, "owner", "/certificate edit certificate:1 standard:iso-37001 reason:Audited in May")
            .await;
    assert!(told.contains("ISO 37001:2016 → ISO 37001:2025"), "{told}");
    let why = does(&discord, "owner", "/cycle why certificate:1 clock:TRANSITION").await;
    assert!(why.contains("Nothing on record sets this deadline"), "{why}");
    discord.assert_clean();
}

/// Whoever is asked next can answer, whoever may not is told who may, and what is missing is asked for to the end.
#[tokio::test]
async fn the_walk_through_a_nonconformity_ends_at_its_close() {
    let Some(clock) = WallClock::at("2026-03-02T10:00:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    all(
        &discord,
        "owner",
        &[
            "/setup timezone:Europe/Berlin hour:9",
            "/certificate add standard:iso-27001 name:Acme ISMS decided:2026-03-02 owner:alice",
            "/nc raise certificate:1 grade:minor clause:9.2 statement:No programme owner:carol",
        ],
    )
    .await;
    // More time is an extension, with a reason and a count; a clause that is not there is no clause.
    refused(&discord, "owner", "/nc extend nc:NC-1 due:2026-08-01 reason:\u{2003}", "needs a reason").await;
    does(&discord, "owner", "/nc assign nc:NC-1 owner:carol due:2026-05-01").await;
    let told = does(&discord, "owner", "/nc extend nc:NC-1 due:2026-06-01 reason:Holidays").await;
    assert!(told.contains("The first extension"), "{told}");
    // A later day given with an owner counts as well.
    does(&discord, "owner", "/nc assign nc:NC-1 owner:carol due:2026-06-15").await;
    let told = does(&discord, "owner", "/nc extend nc:NC-1 due:2026-07-01 reason:Holidays").await;
    assert!(told.contains("Extension number 3"), "{told}");
    all(
        &discord,
        "carol",
        &[
            "/nc correct nc:NC-1 what:One was drawn up",
            "/nc whys nc:NC-1 why1:Nobody was asked to why2:The role was vacant",
            "/nc similar nc:NC-1 what:No",
            "/nc plan nc:NC-1 owner:carol due:2026-04-01 action:A deputy is named",
        ],
    )
    .await;
    // The review of effectiveness is scheduled when the action is done, and asks for somebody else.
    let told = does(&discord, "carol", "/nc done nc:NC-1 what:She is named").await;
    assert!(told.contains("verified on 2026-05-01") && told.contains("/nc verifier"), "{told}");
    refused(&discord, "bob", "/nc verify nc:NC-1 effective:true how:x", "/nc verifier").await;
    does(&discord, "owner", "/nc verifier nc:NC-1 person:bob").await;
    let mine = does(&discord, "bob", "/my").await;
    assert!(mine.contains("/nc verify nc:NC-1") && mine.contains("2026-05-01"), "{mine}");
    refused(&discord, "carol", "/nc verify nc:NC-1 effective:true how:x", "Named is").await;
    clock.set("2026-05-01T09:00:01+02:00");
    let posted = discord.wait_message("general", "verify that the action of", SOON).await;
    assert_eq!(discord.pings(&posted), ["bob"]);
    // Whoever was named verifies, without any role, and the walk goes on to the evidence.
    let form = discord.line("bob", "/nc next nc:NC-1").await.unwrap();
    let answer = [("how", "The deputy knows her plan"), ("effective", "true")];
    let reply = discord.submit_modal("bob", &form, &answer).await.unwrap();
    assert!(reply.text().contains("verified effective"), "{}", reply.text());
    let form = discord.click("owner", &reply.message.unwrap(), "Next question for NC-1").await.unwrap();
    let reply = discord.submit_modal("owner", &form, &[("what", "No change")]).await.unwrap();
    assert!(reply.text().contains("/nc evidence nc:NC-1"), "{}", reply.text());
    let note = does(&discord, "owner", "/nc evidence nc:NC-1 note:Seen on site").await;
    assert!(note.contains("A note alone does not close it"), "{note}");
    let form = discord.line("owner", "/nc next nc:NC-1").await.unwrap();
    let reply = discord.submit_modal("owner", &form, &[("link", "the shelf")]).await.unwrap();
    assert!(reply.text().contains("https://"), "{}", reply.text());
    let form = discord.line("owner", "/nc next nc:NC-1").await.unwrap();
    let link = [("link", "https://intranet.example.com/deputies")];
    let reply = discord.submit_modal("owner", &form, &link).await.unwrap();
    let form = discord.click("owner", &reply.message.unwrap(), "Next question for NC-1").await.unwrap();
    let reply = discord.submit_modal("owner", &form, &[]).await.unwrap();
    assert!(reply.text().contains("NC-1 closed"), "{}", reply.text());
    refused(&discord, "owner", "/nc next nc:NC-1", "closed").await;
    // Its history stays through reopening, and every word of it is found.
    refused(&discord, "owner", "/nc reopen nc:NC-1 reason:\u{2003}", "needs a reason").await;
    does(&discord, "owner", "/nc reopen nc:NC-1 reason:It came back").await;
    let shown = does(&discord, "owner", "/nc show nc:NC-1").await;
    for words in ["Why 2: The role was vacant", "Extended 3 times", "verified effective", "It came back"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    for words in ["deputies", "vacant", "Seen on site", "came back"] {
        let found = does(&discord, "owner", &format!("/find text:{words}")).await;
        assert!(found.contains("NC-1"), "{words}: {found}");
    }
    assert!(daemon.certkeeper(&["verify"]).status.success());
    discord.assert_clean();
}

/// ISO/IEC 17021-1:2015, 9.6.3.2.2: no due date lies past a limit that nobody here can move, however it is given.
#[tokio::test]
async fn no_due_date_goes_past_a_limit_that_nobody_can_move() {
    let Some(clock) = WallClock::at("2026-02-09T10:00:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let _daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    all(
        &discord,
        "owner",
        &[
            "/setup timezone:Europe/Berlin hour:9",
            "/certificate add standard:iso-9001 name:Quality decided:2023-03-06 owner:alice",
            "/audit log certificate:1 kind:recertification date:today scope:All conclusion:One major lead-name:EC",
        ],
    )
    .await;
    refused(
        &discord,
        "owner",
        "/finding raise audit:A-1 grade:major clause:8.5.1 statement:x due:2026-04-01",
        "9.6.3.2",
    )
    .await;
    refused(
        &discord,
        "owner",
        "/nc raise certificate:1 audit:A-1 grade:major clause:8.5.1 statement:x due:2026-04-01",
        "2026-03-05",
    )
    .await;
    // Left out, it is the body's limit, or the earlier one.
    let told = does(
        &discord,
        "owner",
        "/finding raise audit:A-1 grade:major clause:8.5.1 statement:No release owner:carol",
    )
    .await;
    assert!(told.contains("due 2026-03-05"), "{told}");
    refused(&discord, "owner", "/nc verifier nc:NC-1 person:bob date:2026-03-06", "2026-03-05").await;
    discord.assert_clean();
}

/// People come and go: all that is open moves, the team of an audit too, and a leaver's name is nowhere any more.
#[tokio::test]
async fn a_leaver_hands_over_everything_and_is_forgotten() {
    let Some(clock) = WallClock::at("2026-03-02T08:00:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    let (bob, carol) = (discord.user("bob"), discord.user("carol"));
    all(
        &discord,
        "owner",
        &[
            "/setup timezone:Europe/Berlin hour:9",
            "/certificate add standard:iso-27001 name:Acme ISMS decided:2026-03-02 owner:bob",
            "/area add name:IT owner:bob",
            "/audit plan certificates:1 kind:internal date:2026-06-01 lead:alice team:bob clauses:9.2",
            "/audit plan certificates:1 kind:internal date:2026-07-01 lead:bob team:carol clauses:9.3",
            "/nc raise certificate:1 grade:minor clause:9.2 statement:No programme owner:carol",
            "/nc plan nc:NC-1 owner:carol due:2026-04-01 action:Draw one up",
            "/nc verifier nc:NC-1 person:bob",
            "/action add certificate:1 owner:bob due:2026-05-01 what:Buy a safe",
            "/training log topic:Phishing person:bob",
        ],
    )
    .await;
    does(&discord, "carol", "/nc done nc:NC-1 what:Drawn up").await;
    clock.set("2026-03-02T09:00:01+01:00");
    discord.wait_message("general", "begins", SOON).await;
    let moved = does(&discord, "owner", "/handover from:bob to:carol reason:Leaves").await;
    for what in ["C-1", "area 1", "NC-1", "ACT-1", "A-1", "A-2"] {
        assert!(moved.contains(what), "{what}: {moved}");
    }
    // Carol acted on it herself: nobody verifies their own work through a handover either.
    assert!(moved.contains("acted on NC-1") && moved.contains("/nc verifier nc:NC-1"), "{moved}");
    for audit in ["A-1", "A-2"] {
        let shown = does(&discord, "owner", &format!("/audit show audit:{audit}")).await;
        assert!(!shown.contains(&bob) && shown.contains(&carol), "{audit}: {shown}");
    }
    let told = does(&discord, "owner", "/handover from:bob to:carol pseudonymise:true").await;
    assert!(told.contains("Former member") && !told.contains(&bob), "{told}");
    assert!(does(&discord, "owner", "/training list").await.contains("Former member"));
    daemon.terminate();
    daemon.wait_exit(SOON).await;
    assert!(daemon.certkeeper(&["verify"]).status.success());
    daemon.assert_not_on_file(&bob);
    discord.assert_clean();
}

/// Every standard of the catalogue is worked with its own inputs; what was not looked at is said.
#[tokio::test]
async fn a_review_of_each_standard_has_its_own_inputs() {
    let discord = Discord::start();
    let _daemon = Daemon::ready(&discord, Setup::default()).await;
    does(&discord, "owner", "/setup timezone:Europe/Berlin hour:9").await;
    for (n, (standard, last, clause, no_clause)) in [
        ("iso-27001", "g)", "10.2", "10.3"),
        ("iso-9001", "f)", "10.2", "10.9"),
        ("iso-14001", "g)", "10.2", "8.4"),
        ("iso-45001", "g)", "10.2", "8.9"),
        ("iso-37001", "f)", "10.2", "8.99"),
        ("iso-37001-2016", "e)", "10.1", "6.3"),
        ("iso-22301", "k)", "10.1", "10.3"),
        ("iso-42001", "e)", "10.2", "10.3"),
    ]
    .into_iter()
    .enumerate()
    {
        let c = n + 1;
        does(
            &discord,
            "owner",
            &format!("/certificate add standard:{standard} name:System {c} decided:2026-03-02"),
        )
        .await;
        let inputs = does(&discord, "owner", &format!("/review inputs certificate:{c}")).await;
        assert!(inputs.contains(last) && inputs.contains("a) Status of actions"), "{standard}: {inputs}");
        let held = does(
            &discord,
            "owner",
            &format!(
                "/review hold certificates:{c} date:today attended:The board decisions:Go on not-covered:a"
            ),
        )
        .await;
        assert!(held.contains("Inputs not covered") && held.contains("a) Status"), "{standard}: {held}");
        let raised =
            format!("/nc raise certificate:{c} grade:minor clause:{clause} statement:No cause looked for");
        let told = does(&discord, "owner", &raised).await;
        let named = told.contains("Nonconformity") || told.contains("nonconformity");
        assert!(named, "{standard}: {told}");
        refused(
            &discord,
            "owner",
            &format!("/nc raise certificate:{c} grade:minor clause:{no_clause} statement:x"),
            "no clause or control",
        )
        .await;
    }
    discord.assert_clean();
}

/// What looks made up afterwards is marked where it is listed, and never hidden.
#[tokio::test]
async fn entries_that_look_made_up_afterwards_are_marked_in_lists() {
    let Some(clock) = WallClock::at("2026-11-02T10:00:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let _daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    all(
        &discord,
        "owner",
        &[
            "/setup timezone:Europe/Berlin hour:9",
            "/certificate add standard:iso-27001 name:Acme ISMS decided:2026-03-02 owner:alice",
            "/audit log certificate:1 kind:internal date:2026-05-04 scope:All conclusion:Fine lead:bob",
            "/review hold certificates:1 date:2026-05-11 attended:The board decisions:Go on inputs:all",
            "/change log kind:internal what:A new site date:2026-05-18",
            "/training log topic:Phishing person:alice date:2026-05-25",
        ],
    )
    .await;
    for n in 1..=3 {
        all(
            &discord,
            "owner",
            &[
                &format!("/nc raise certificate:1 grade:minor clause:9.{n} statement:No {n} owner:owner"),
                &format!("/nc correct nc:NC-{n} what:Done"),
                &format!("/nc cause nc:NC-{n} why:Nobody was asked to"),
                &format!("/nc plan nc:NC-{n} owner:owner due:2026-12-01 action:Ask"),
                &format!("/nc done nc:NC-{n} what:Asked, https://intranet.example.com/{n}"),
                &format!("/action add certificate:1 owner:alice due:2026-12-01 what:Thing {n}"),
                &format!("/action done action:ACT-{n} outcome:Done"),
                &format!("/nc verifier nc:NC-{n} person:bob"),
            ],
        )
        .await;
        does(&discord, "bob", &format!("/nc verify nc:NC-{n} effective:true how:Looked")).await;
        does(&discord, "owner", &format!("/nc close nc:NC-{n}")).await;
    }
    let ncs = does(&discord, "owner", "/nc list state:closed").await;
    for mark in [
        "closed within the hour in which it was raised",
        "raised, acted on and closed by one person",
        "closed in the same minute as others",
    ] {
        assert!(ncs.contains(mark), "{mark}: {ncs}");
        assert!(does(&discord, "owner", "/finding list").await.contains(mark), "{mark}");
    }
    for (list, mark) in [
        ("/audit list", "entered 182 days after it was held"),
        ("/review list", "entered 175 days after it was held"),
        ("/change list", "entered 168 days after it happened"),
        ("/training list", "entered 161 days after it happened"),
        ("/action list all:true", "settled within the hour in which it was entered"),
        ("/action list all:true", "done in the same minute as others"),
    ] {
        let told = does(&discord, "owner", list).await;
        assert!(told.contains(mark), "{list}: {told}");
    }
    discord.assert_clean();
}

/// A certificate in its second year gets only what is still ahead; a wrong one is given up.
#[tokio::test]
async fn history_is_not_asked_for_again() {
    let Some(clock) = WallClock::at("2026-11-02T10:00:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let _daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    all(
        &discord,
        "owner",
        &[
            "/setup timezone:Europe/Berlin hour:9",
            "/certificate add standard:iso-27001 name:Acme ISMS decided:2025-03-03 owner:alice",
            "/certificate add standard:iso-9001 name:Typed twice",
        ],
    )
    .await;
    let tasks = does(&discord, "owner", "/task list certificate:1").await;
    assert!(!tasks.contains("Carried over") && tasks.contains("prepare-2/areas-due"), "{tasks}");
    refused(&discord, "owner", "/void entry:C-2 reason:Typed twice", "/certificate withdraw").await;
    does(&discord, "owner", "/certificate withdraw certificate:2 date:today reason:Typed twice").await;
    refused(
        &discord,
        "owner",
        "/certificate withdraw certificate:2 date:today reason:Again",
        "was withdrawn",
    )
    .await;
    for line in [
        "/audit plan certificates:1 kind:internal date:2026-12-01 lead:bob clauses:9.2",
        "/review plan certificates:1 date:2026-12-08",
    ] {
        does(&discord, "owner", line).await;
    }
    refused(&discord, "owner", "/audit move audit:A-1 date:2026-12-02 reason:\u{2003}", "needs a reason")
        .await;
    refused(&discord, "owner", "/audit cancel audit:A-1 reason:\u{2003}", "needs a reason").await;
    refused(&discord, "owner", "/review cancel review:MR-1 reason:\u{2003}", "needs a reason").await;
    // What was found counts from when its audit was held, not from when it was entered.
    all(
        &discord,
        "owner",
        &[
            "/audit log certificate:1 kind:internal date:2025-06-02 scope:9 conclusion:One minor lead:bob clauses:9.2",
            "/finding raise audit:A-2 grade:minor clause:9.2 statement:No plan",
            "/audit log certificate:1 kind:internal date:2026-06-01 scope:9 conclusion:Fine lead:bob clauses:9.2",
        ],
    )
    .await;
    let coverage = does(&discord, "owner", "/audit coverage certificate:1").await;
    assert!(!coverage.contains("Not audited since their last nonconformity"), "{coverage}");
    discord.assert_clean();
}
