//! Conversations with the real binary, played through the chat door.

use crate::support::clock::SOON;
use crate::support::daemon::{Daemon, Setup};
use crate::support::discord::Discord;
use crate::support::interact::Reply;

async fn says(discord: &Discord, who: &str, line: &str) -> Reply {
    discord.line(who, line).await.unwrap_or_else(|e| panic!("{who} cannot send {line:?}: {e}"))
}

async fn certified(discord: &Discord) {
    says(discord, "owner", "/setup timezone:Europe/Berlin hour:9").await;
    says(discord, "owner", "/certificate add standard:iso-27001 name:Acme ISMS decided:2026-03-02").await;
}

#[tokio::test]
async fn a_nonconformity_goes_from_raised_to_closed() {
    let discord = Discord::start();
    let daemon = Daemon::ready(&discord, Setup::default()).await;
    certified(&discord).await;
    let logged = says(
        &discord,
        "owner",
        "/audit log certificate:Acme kind:internal date:2026-03-03 scope:HR conclusion:fine lead:bob",
    )
    .await;
    assert!(logged.text().contains("A-1") && !logged.ephemeral, "{}", logged.text());

    // The statement is needed, was left out, and is asked for.
    let form = says(&discord, "owner", "/nc raise certificate:C-1 grade:minor clause:9.2 owner:alice").await;
    assert!(form.modal.is_some());
    let raised =
        discord.submit_modal("owner", &form, &[("statement", "No audit programme @everyone")]).await.unwrap();
    assert!(raised.text().contains("NC-1 raised") && !raised.ephemeral, "{}", raised.text());

    let early = says(&discord, "owner", "/nc close nc:NC-1").await;
    assert!(early.ephemeral);
    for missing in ["correction", "root cause", "action", "effectiveness", "evidence"] {
        assert!(early.text().contains(missing), "{missing} in {}", early.text());
    }
    says(&discord, "alice", "/nc correct nc:nc 1 what:done").await;
    says(&discord, "alice", "/nc cause nc:1 why:nobody planned it").await;
    says(&discord, "alice", "/nc plan nc:NC-1 owner:alice due:in 3 weeks action:a calendar").await;
    let done = discord
        .person("alice")
        .with("nc", "NC-1")
        .with("what", "in place")
        .attach("evidence", "proof.txt", b"proof", "text/plain")
        .slash("/nc done")
        .await
        .unwrap();
    assert!(done.text().contains("action done"), "{}", done.text());

    let own = says(&discord, "alice", "/nc verify nc:NC-1 effective:true how:looked").await;
    assert!(own.ephemeral, "a member cannot verify: {}", own.text());
    says(&discord, "owner", "/nc verify nc:NC-1 effective:true how:looked").await;
    let closed = says(&discord, "owner", "/nc close nc:NC-1").await;
    assert!(closed.text().contains("NC-1 closed") && !closed.ephemeral, "{}", closed.text());

    let verified = daemon.certkeeper(&["verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    discord.assert_clean();
}

#[tokio::test]
async fn who_acted_does_not_verify() {
    let discord = Discord::start();
    let _daemon = Daemon::ready(&discord, Setup::default()).await;
    certified(&discord).await;
    says(&discord, "owner", "/nc raise certificate:1 grade:major clause:A.5.1 statement:None").await;
    says(&discord, "owner", "/nc plan nc:1 owner:alice due:tomorrow action:write it").await;
    says(&discord, "owner", "/nc done nc:1 what:written, see https://example.com/policy").await;
    let own = says(&discord, "owner", "/nc verify nc:1 effective:true how:read it").await;
    assert!(own.ephemeral && own.text().contains("recorded the action done"), "{}", own.text());
}

#[tokio::test]
async fn mistakes_are_answered_in_a_sentence_and_privately() {
    let discord = Discord::start();
    let _daemon = Daemon::ready(&discord, Setup::default()).await;
    certified(&discord).await;
    for (who, line, hint) in [
        ("bob", "/certificate add standard:iso-9001 name:Other", "Only managers"),
        ("owner", "/certificate show certificate:Nope", "C-1 Acme ISMS"),
        (
            "owner",
            "/audit log certificate:1 kind:internal date:03/04/26 scope:x lead:bob conclusion:y",
            "2026-04-03",
        ),
        (
            "owner",
            "/audit log certificate:1 kind:internal date:tomorrow scope:x lead:bob conclusion:y",
            "future",
        ),
        ("owner", "/audit log certificate:1 kind:internal date:2026-03-03 scope:x conclusion:y", "lead-name"),
        ("owner", "/nc raise certificate:1 grade:minor clause:77 statement:x", "no clause or control"),
        ("owner", "/nc show nc:NC-9", "no nonconformity"),
        ("owner", "/setup timezone:Berlin", "Europe/Berlin"),
    ] {
        let reply = says(&discord, who, line).await;
        assert!(reply.ephemeral && reply.text().contains(hint), "{line}: {}", reply.text());
    }
    discord.assert_clean();
}

#[tokio::test]
async fn an_interaction_delivered_twice_acts_once() {
    let discord = Discord::start();
    let _daemon = Daemon::ready(&discord, Setup::default()).await;
    certified(&discord).await;
    let first =
        says(&discord, "owner", "/nc raise certificate:1 grade:minor clause:9.2 statement:once").await;
    discord.redeliver(&first);
    // Whatever came of the second delivery is on record before the next command is answered.
    let list = says(&discord, "owner", "/nc list").await;
    assert!(list.text().contains("NC-1") && !list.text().contains("NC-2"), "{}", list.text());
}

#[tokio::test]
async fn a_restart_registers_nothing_anew() {
    let discord = Discord::start();
    let mut daemon = Daemon::ready(&discord, Setup::default()).await;
    daemon.wait_output("commands registered", SOON).await;
    let puts = || discord.requests().iter().filter(|r| r.method == "PUT").count();
    let before = puts();
    assert!(before >= 1);
    daemon.kill9().await;
    daemon.start_again();
    daemon.wait_ready(&discord).await;
    assert_eq!(puts(), before);
}

#[tokio::test]
async fn another_server_sees_nothing_of_ours() {
    let discord = Discord::start();
    let _daemon = Daemon::ready(&discord, Setup { guild: None, ..Setup::default() }).await;
    certified(&discord).await;
    says(&discord, "owner", "/nc raise certificate:1 grade:minor clause:9.2 statement:SECRETWORD").await;
    says(
        &discord,
        "owner",
        "/audit log certificate:1 kind:internal date:2026-03-03 scope:HR conclusion:x lead:bob",
    )
    .await;
    let (_, channel) = discord.add_guild("other", "carol");
    // The same numbers and names, asked for by whoever may do everything over there.
    for line in [
        "/status",
        "/certificate list",
        "/certificate show certificate:C-1",
        "/certificate renew certificate:Acme date:today",
        "/certificate edit certificate:1 name:Stolen",
        "/cycle show certificate:1",
        "/audit list",
        "/audit show audit:A-1",
        "/nc list",
        "/nc show nc:NC-1",
        "/nc assign nc:NC-1 owner:carol",
        "/nc evidence nc:NC-1 note:x",
        "/nc raise certificate:1 grade:minor clause:9.2 statement:x",
        "/nc raise certificate:1 grade:minor clause:9.2",
    ] {
        let reply = discord.person("carol").at(&channel).line(line).await.unwrap();
        let text = reply.text();
        assert!(reply.ephemeral && reply.modal.is_none(), "{line}: {text}");
        assert!(!text.contains("Acme ISMS") && !text.contains("SECRETWORD"), "{line}: {text}");
    }
    let there = discord.person("carol").at(&channel).autocomplete("/nc show", "nc", "").await.unwrap();
    assert!(there.suggestions().is_empty(), "{:?}", there.suggestions());
    let ours = says(&discord, "owner", "/certificate show certificate:1").await;
    assert!(ours.text().contains("Acme ISMS"), "{}", ours.text());
    discord.assert_clean();
}

#[tokio::test]
async fn minimal_privacy_keeps_statements_and_names_out_of_public_posts() {
    let discord = Discord::start();
    let _daemon = Daemon::ready(&discord, Setup::default()).await;
    certified(&discord).await;
    says(&discord, "owner", "/setup privacy:minimal").await;
    let raised = says(
        &discord,
        "owner",
        "/nc raise certificate:1 grade:minor clause:9.2 statement:SECRETWORD owner:alice",
    )
    .await;
    assert!(!raised.ephemeral && raised.text().contains("NC-1"));
    assert!(!raised.text().contains("SECRETWORD") && !raised.text().contains("Acme"), "{}", raised.text());
    let shown = says(&discord, "owner", "/nc show nc:1").await;
    assert!(shown.ephemeral && shown.text().contains("SECRETWORD"));
}

/// What was typed and what came of it, as it is read: who may see it, the text, the form.
async fn transcript(discord: &Discord, lines: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (who, line) in lines {
        let reply = says(discord, who, line).await;
        let seen = if reply.ephemeral { "only them" } else { "the channel" };
        let form = if reply.modal.is_some() { " (a form)" } else { "" };
        out.push_str(&format!("{who}> {line}\n[{seen}]{form} {}\n\n", reply.text().trim()));
    }
    out
}

#[tokio::test]
async fn the_way_of_a_nonconformity_as_it_is_read() {
    use crate::support::clock::WallClock;
    let Some(clock) = WallClock::at("2026-03-02T10:00:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let _daemon = Daemon::ready(&discord, Setup::on_clock(&clock)).await;
    let lines = [
        ("owner", "/setup timezone:Europe/Berlin hour:9"),
        ("owner", "/certificate add standard:iso-27001 name:Acme ISMS decided:2026-03-02"),
        ("owner", "/audit log certificate:Acme kind:internal date:today scope:HR conclusion:fine lead:bob"),
        (
            "owner",
            "/nc raise certificate:C-1 audit:A-1 grade:minor clause:9.2 statement:No audit programme owner:alice",
        ),
        ("bob", "/nc correct nc:1 what:mine now"),
        ("owner", "/nc close nc:NC-1"),
        ("alice", "/nc correct nc:nc 1 what:planned the audits of this year"),
        ("alice", "/nc cause nc:1 why:nobody was asked to"),
        ("alice", "/nc plan nc:NC-1 owner:alice due:in 3 weeks action:put it into the calendar"),
        ("alice", "/nc done nc:NC-1 what:done, see https://wiki.example/audits"),
        ("alice", "/nc verify nc:NC-1 effective:true how:looked"),
        ("owner", "/nc verify nc:NC-1 effective:true how:the audit of March was held"),
        ("owner", "/nc close nc:NC-1"),
        ("owner", "/nc list state:closed"),
    ];
    insta::assert_snapshot!(transcript(&discord, &lines).await, @r#"
    owner> /setup timezone:Europe/Berlin hour:9
    [the channel] Set up
    Reminders are posted in <#420000000000000001> at 09:00, Europe/Berlin (now 2026-03-02 10:00).
    Managers: none yet (whoever may manage the server always counts). Auditors: none yet.
    Privacy: open. Statements and names may stand in public posts.
    Next: `/certificate add`.

    owner> /certificate add standard:iso-27001 name:Acme ISMS decided:2026-03-02
    [the channel] C-1 recorded: Acme ISMS
    ISO/IEC 27001:2022, valid until 2029-03-01 (in 1095 days).
    Decided on 2026-03-02, expires on 2029-03-01.
    Its reminders go to <#420000000000000001> at 09:00, Europe/Berlin.
    The cycle
    → 2026-03-02 to 2026-09-01 Internal audits and reviews
    2026-09-02 to 2026-12-01 Prepare for surveillance
    2026-12-02 to 2027-03-01 First surveillance audit
    2027-03-02 to 2027-09-01 Continue the cycle
    2027-09-02 to 2027-12-01 Prepare for surveillance
    2027-12-02 to 2028-03-01 Second surveillance audit
    2028-03-02 to 2028-09-01 Comprehensive review
    2028-09-02 to 2028-12-01 Intensify preparation
    2028-12-02 to 2029-03-01 Recertification audit

    owner> /audit log certificate:Acme kind:internal date:today scope:HR conclusion:fine lead:bob
    [the channel] A-1 recorded: internal audit
    Held on 2026-03-02
    Certificate: Acme ISMS
    Scope
    HR
    Conclusion
    fine
    Lead
    <@430000000000000003>
    Raise what it found with /nc raise audit:A-1

    owner> /nc raise certificate:C-1 audit:A-1 grade:minor clause:9.2 statement:No audit programme owner:alice
    [the channel] NC-1 raised
    Due 2026-05-31 (in 90 days).
    Certificate: Acme ISMS
    minor nonconformity against 9.2 Internal audit
    Statement
    No audit programme
    Details
    Owner: <@430000000000000002>
    Found by A-1
    Next: /nc correct nc:NC-1
    Next question for NC-1

    bob> /nc correct nc:1 what:mine now
    [only them] Not done
    Only the owner of NC-1 and managers can use `/nc correct` on it. Its owner is <@430000000000000002>.

    owner> /nc close nc:NC-1
    [only them] Not done
    NC-1 cannot be closed yet: the standard's nonconformity clause asks for more. Missing: the correction (/nc correct); the root cause (/nc cause); the corrective action, planned (/nc plan) and done (/nc done); its effectiveness, verified by someone other than who acted (/nc verify); a piece of evidence: a file or a link (/nc evidence nc:NC-1).

    alice> /nc correct nc:nc 1 what:planned the audits of this year
    [the channel] NC-1 correction recorded
    planned the audits of this year
    Next: /nc cause nc:NC-1
    Next question for NC-1

    alice> /nc cause nc:1 why:nobody was asked to
    [the channel] NC-1 root cause recorded
    nobody was asked to
    Next: /nc plan nc:NC-1
    Next question for NC-1

    alice> /nc plan nc:NC-1 owner:alice due:in 3 weeks action:put it into the calendar
    [the channel] NC-1 action planned
    Due 2026-03-23.
    By <@430000000000000002>: put it into the calendar
    Next: /nc done nc:NC-1
    Next question for NC-1

    alice> /nc done nc:NC-1 what:done, see https://wiki.example/audits
    [the channel] NC-1 action done
    done, see <https://wiki.example/audits>
    Whether it works is verified on 2026-05-01 (in 60 days).
    Nobody is named to do so: `/nc verifier nc:NC-1`.
    Next: /nc verify nc:NC-1
    Next question for NC-1

    alice> /nc verify nc:NC-1 effective:true how:looked
    [only them] Not done
    Only managers, internal auditors and whoever is named to verify NC-1 can say whether its action works. Nobody is named yet: ask a manager to do so with `/nc verifier`.

    owner> /nc verify nc:NC-1 effective:true how:the audit of March was held
    [the channel] NC-1 verified effective
    the audit of March was held
    Next: /nc close nc:NC-1
    Next question for NC-1

    owner> /nc close nc:NC-1
    [the channel] NC-1 closed

    owner> /nc list state:closed
    [only them] Nonconformities
    **NC-1** minor 9.2, closed · <@430000000000000002> · mind: closed within the hour in which it was raised
    "#);
}
