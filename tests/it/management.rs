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
    // One question at a time.
    for (what, field, answer) in [
        ("contain", "what", "The accounts are locked"),
        ("correct", "what", "All leavers of two years checked"),
        ("consequences", "what", "No misuse in the logs"),
        ("cause", "why", "HR and IT have no common list"),
        ("similar", "what", "Suppliers' accounts have the same gap"),
    ] {
        let form = discord.line("carol", "/nc next nc:NC-1").await.unwrap();
        assert!(form.modal.is_some(), "{what}: {}", form.text());
        let reply = discord.submit_modal("carol", &form, &[(field, answer)]).await.unwrap();
        assert!(!reply.text().contains("Not done"), "{what}: {}", reply.text());
    }
    let form = discord.line("carol", "/nc next nc:NC-1").await.unwrap();
    let plan = [("action", "One list, fed by HR"), ("due", "2026-03-01")];
    let reply = discord.submit_modal("carol", &form, &plan).await.unwrap();
    assert!(reply.text().contains("2026-03-01"), "{}", reply.text());
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
    assert!(coverage.contains("30 of 30 clauses sampled"), "{coverage}");
    assert!(coverage.contains("93 of 93 controls sampled"), "{coverage}");
    assert!(!coverage.to_lowercase().contains("never audited"), "{coverage}");
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
    let mut no = 0;
    for (plan, clauses) in [("2026-10-05", "4-7"), ("2027-10-04", "8-10"), ("2028-10-02", "all")] {
        clock.set(&format!("{plan}T10:00:00+02:00"));
        does(&discord, "owner", &format!("/audit plan certificates:Quality,Environment kind:internal date:today lead:bob clauses:{clauses} areas:all")).await;
        no += 1;
        all(
            &discord,
            "owner",
            &[
                &format!("/audit start audit:A-{no}"),
                &format!("/audit report audit:A-{no} conclusion:Conforming"),
                &format!("/audit close audit:A-{no}"),
            ],
        )
        .await;
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
    for certificate in ["Quality", "Environment"] {
        let coverage = does(&discord, "owner", &format!("/audit coverage certificate:{certificate}")).await;
        assert!(!coverage.to_lowercase().contains("never audited"), "{certificate}: {coverage}");
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
    let list = "minor | 10.1 | No cause was looked for | IT\nminor | 10.1 | No action was taken | HR\nofi | 8.4 | Shorter plans\n\nstrength | 5.1 | The board cares";
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
