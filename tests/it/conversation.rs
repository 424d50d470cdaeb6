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
