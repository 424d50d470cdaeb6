//! The connection to Discord when it is bad.

use std::time::Duration;

use crate::support::clock::SOON;
use crate::support::daemon::{Daemon, Setup};
use crate::support::discord::Discord;

#[tokio::test]
async fn one_refused_reconnect_is_over_within_seconds_and_costs_no_processor() {
    let discord = Discord::start();
    let daemon = Daemon::ready(&discord, Setup::default()).await;
    let before = daemon.cpu();
    discord.refuse_connections(1);
    discord.drop_gateway();
    discord.wait_events("resumed", 1, SOON).await;
    let reply = discord.line("bob", "/status").await.unwrap();
    assert!(reply.acked, "{}", reply.text());
    assert!(daemon.cpu().saturating_sub(before) < Duration::from_secs(1), "busy while it was offline");
}

#[tokio::test]
async fn a_whole_outage_is_survived_and_sigterm_in_it_ends_at_once() {
    let discord = Discord::start();
    let daemon = Daemon::ready(&discord, Setup::default()).await;
    discord.down().await;
    daemon.wait_output("can't be reached", SOON).await;
    discord.up().await;
    discord.wait_events("resumed", 1, SOON).await;
    discord.down().await;
    daemon.terminate();
    let status = daemon.wait_exit(Duration::from_secs(5)).await;
    assert!(status.success(), "{status:?}");
}

#[tokio::test]
async fn a_fatal_close_ends_with_its_reason() {
    for (code, exit) in [(4004, 77), (4010, 78), (4011, 78), (4012, 78), (4013, 78), (4014, 78)] {
        let discord = Discord::start();
        let daemon = Daemon::ready(&discord, Setup::default()).await;
        discord.close(code, "as ordered");
        let status = daemon.wait_exit(Duration::from_secs(5)).await;
        assert_eq!(status.code(), Some(exit), "close {code}\n{}", daemon.output());
        assert!(daemon.output().contains("certkeeper: "), "{}", daemon.output());
    }
}

#[tokio::test]
async fn refused_requests_are_tried_again_and_nothing_is_lost() {
    use crate::support::faults::Fault;
    let discord = Discord::start();
    let _daemon = Daemon::ready(&discord, Setup::default()).await;
    discord.line("owner", "/setup timezone:UTC hour:9").await.unwrap();
    let limited = discord.fault(Fault::rate_limited(0.3).on("POST", "/channels/*/messages$").times(1));
    let broken = discord.fault(Fault::status(503).on("POST", "/channels/*/messages$").times(1));
    discord.line("owner", "/certificate add standard:iso-9001 name:QMS decided:2026-03-02").await.unwrap();
    discord.wait_message("general", "where it stands", SOON).await;
    assert_eq!((discord.hits(limited), discord.hits(broken)), (1, 1));
    assert_eq!(
        discord.messages("general").iter().filter(|m| m.text().contains("where it stands")).count(),
        1
    );
}

#[tokio::test]
async fn a_killed_daemon_goes_on_with_its_session_and_answers_what_was_asked_meanwhile() {
    let discord = Discord::start();
    let mut daemon = Daemon::ready(&discord, Setup::default()).await;
    discord.line("owner", "/setup timezone:UTC").await.unwrap();
    daemon.wait_session_kept().await;
    daemon.kill9().await;
    let asked = discord.person("bob").send("/status").unwrap();
    daemon.start_again();
    let answered = discord.answer(&asked).await.unwrap();
    assert!(answered.acked && answered.text().contains("Where we stand"), "{}", answered.text());
    assert_eq!((discord.count("ready"), discord.count("resumed")), (1, 1));
    discord.assert_clean();
}

#[tokio::test]
async fn a_session_begins_no_sooner_than_discord_allows_after_the_one_before() {
    let discord = Discord::start();
    let mut daemon = Daemon::ready(&discord, Setup::default()).await;
    daemon.restart().await;
    daemon.wait_ready(&discord).await;
    assert_eq!((discord.count("ready"), discord.count("resumed")), (2, 0));
    discord.assert_clean();
}
