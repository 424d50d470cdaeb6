//! Who may do what, whose records are whose, and what people's text may not do.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::support::daemon::{Daemon, Setup};
use crate::support::discord::Discord;
use crate::support::interact::Reply;

/// Who must be allowed what, by the contract of the commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum May {
    Everyone,
    Owners,
    Auditors,
    Managers,
    /// Owners, auditors and managers.
    Concerned,
    /// Whoever owns the action, and managers.
    Actors,
    /// Whom the reminder asks, and managers.
    Asked,
}

/// Every command with a line that gives all it needs, and who may give it. `NC-1` is alice's.
const LINES: &[(&str, &str, May)] = &[
    ("setup", "hour:9", May::Managers),
    ("certificate add", "standard:iso-9001 name:Other", May::Managers),
    ("certificate list", "", May::Everyone),
    ("certificate show", "certificate:C-1", May::Everyone),
    ("certificate decide", "certificate:C-1 date:today", May::Managers),
    ("certificate renew", "certificate:C-1 date:today", May::Managers),
    ("certificate edit", "certificate:C-1 body:Someone", May::Managers),
    ("cycle show", "certificate:C-1", May::Everyone),
    ("cycle preview", "certificate:C-1", May::Everyone),
    ("status", "", May::Everyone),
    ("audit log", "certificate:C-1 kind:internal date:today scope:x lead:bob conclusion:y", May::Auditors),
    ("audit list", "", May::Everyone),
    ("audit show", "audit:A-1", May::Everyone),
    ("nc raise", "certificate:C-1 grade:minor clause:9.2 statement:x", May::Auditors),
    ("nc list", "", May::Everyone),
    ("nc show", "nc:NC-1", May::Everyone),
    ("nc assign", "nc:NC-1 owner:alice", May::Auditors),
    ("nc next", "nc:NC-1", May::Owners),
    ("nc correct", "nc:NC-1 what:x", May::Owners),
    ("nc cause", "nc:NC-1 why:x", May::Owners),
    ("nc plan", "nc:NC-1 owner:alice due:tomorrow action:x", May::Owners),
    ("nc done", "nc:NC-1 what:x", May::Owners),
    ("nc verify", "nc:NC-1 effective:true how:x", May::Auditors),
    ("nc evidence", "nc:NC-1 note:x", May::Concerned),
    ("nc close", "nc:NC-1", May::Auditors),
    ("nc reopen", "nc:NC-1 reason:x", May::Auditors),
    ("help", "", May::Everyone),
    ("certificate suspend", "certificate:C-1 date:today reason:x", May::Managers),
    ("certificate reinstate", "certificate:C-1 date:today", May::Managers),
    ("certificate withdraw", "certificate:C-2 date:today reason:x", May::Managers),
    ("certificate restore", "certificate:C-1 date:today", May::Managers),
    ("certificate transfer", "certificate:C-1 body:Other date:today", May::Managers),
    ("certificate scope", "certificate:C-1 scope:Everything", May::Managers),
    ("certificate opening", "certificate:C-1 date:today", May::Managers),
    ("cycle why", "certificate:C-1", May::Everyone),
    ("cycle whatif", "certificate:C-1 decided:2026-03-03", May::Everyone),
    ("audit plan", "certificates:C-1 kind:internal date:tomorrow lead:bob", May::Auditors),
    ("audit start", "audit:A-2", May::Auditors),
    ("audit report", "audit:A-2 conclusion:y", May::Auditors),
    ("audit close", "audit:A-1", May::Auditors),
    ("audit cancel", "audit:A-2 reason:x", May::Auditors),
    ("audit move", "audit:A-2 date:tomorrow reason:x", May::Auditors),
    ("audit coverage", "certificate:C-1", May::Everyone),
    ("audit programme", "certificate:C-1", May::Everyone),
    ("audit propose", "certificate:C-1", May::Everyone),
    ("nc contain", "nc:NC-1 what:x", May::Owners),
    ("nc consequences", "nc:NC-1 what:x", May::Owners),
    ("nc whys", "nc:NC-1 why1:x", May::Owners),
    ("nc similar", "nc:NC-1 what:x", May::Owners),
    ("nc system", "nc:NC-1 what:x", May::Owners),
    ("nc extend", "nc:NC-1 due:2027-12-01 reason:x", May::Auditors),
    ("nc verifier", "nc:NC-1 person:bob", May::Auditors),
    ("finding raise", "audit:A-1 grade:observation clause:9.2 statement:x", May::Auditors),
    ("finding several", "audit:A-1 findings:observation;9.2;x", May::Auditors),
    ("finding list", "", May::Everyone),
    ("finding show", "finding:F-1", May::Everyone),
    ("finding assign", "finding:F-1 owner:alice", May::Auditors),
    ("finding accept", "finding:F-1 owner:alice due:tomorrow action:x", May::Managers),
    ("finding decline", "finding:F-1 reason:x", May::Managers),
    ("finding addressed", "finding:F-1 how:x", May::Managers),
    ("action add", "certificate:C-1 owner:alice due:tomorrow what:x", May::Auditors),
    ("action list", "", May::Everyone),
    ("action done", "action:ACT-1 outcome:x", May::Actors),
    ("action drop", "action:ACT-1 reason:x", May::Managers),
    ("action assign", "action:ACT-1 owner:alice", May::Managers),
    ("review plan", "certificates:C-1 date:tomorrow", May::Managers),
    ("review inputs", "certificate:C-1", May::Everyone),
    ("review hold", "certificates:C-1 date:today attended:x decisions:y", May::Managers),
    ("review list", "", May::Everyone),
    ("review show", "review:MR-1", May::Everyone),
    ("review cancel", "review:MR-1 reason:x", May::Managers),
    ("area add", "name:Depot", May::Managers),
    ("area list", "", May::Everyone),
    ("area due", "", May::Everyone),
    ("area edit", "area:1 every:6", May::Managers),
    ("task list", "certificate:C-1", May::Everyone),
    ("task done", "certificate:C-1 task:internal-audits what:x", May::Auditors),
    ("task waive", "certificate:C-1 task:operate-1/close-gaps reason:x", May::Managers),
    ("change log", "kind:internal what:x", May::Auditors),
    ("change list", "", May::Everyone),
    ("risk revisit", "what:x", May::Auditors),
    ("risk list", "", May::Everyone),
    ("training log", "topic:x attended:y", May::Auditors),
    ("training list", "", May::Everyone),
    ("remind ack", "reminder:NC-1", May::Asked),
    ("remind snooze", "reminder:NC-1 until:tomorrow reason:x", May::Asked),
    ("remind list", "", May::Everyone),
    ("remind why", "reminder:NC-1", May::Everyone),
    ("remind every", "cron:0 9 * * MON text:x", May::Auditors),
    ("remind stop", "reminder:RM-1", May::Auditors),
    ("my", "", May::Everyone),
    ("handover", "from:alice to:bob", May::Managers),
    ("find", "text:9.2", May::Everyone),
    ("edit", "entry:NC-1 field:text value:x reason:y", May::Managers),
    ("void", "entry:R-1 reason:y", May::Managers),
    ("import", "what:areas file:areas.csv", May::Managers),
];

/// The commands that are registered, as people type them.
fn registered(discord: &Discord, guild: Option<&str>) -> BTreeSet<String> {
    fn below(at: &Value, path: &str, found: &mut BTreeSet<String>) {
        let subs: Vec<&Value> = at["options"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|o| matches!(o["type"].as_u64(), Some(1 | 2)))
            .collect();
        if subs.is_empty() {
            found.insert(path.to_owned());
        }
        for sub in subs {
            below(sub, &format!("{path} {}", sub["name"].as_str().unwrap()), found);
        }
    }
    let mut found = BTreeSet::new();
    for command in discord.commands(guild) {
        below(&command, command["name"].as_str().unwrap(), &mut found);
    }
    found
}

async fn says(discord: &Discord, who: &str, line: &str) -> Reply {
    if let Some(what) = line.strip_prefix("/import what:areas file:") {
        let person = discord.person(who).with("what", "areas");
        return person.attach("file", what, b"name\nShed\n", "text/csv").slash("import").await.unwrap();
    }
    discord.line(who, line).await.unwrap_or_else(|e| panic!("{who} cannot send {line:?}: {e}"))
}

/// A server with roles, a certificate, an audit and a nonconformity of alice's.
async fn furnished(discord: &Discord) {
    discord.add_role("managers", 0, false);
    discord.add_role("auditors", 0, false);
    for line in [
        "/setup timezone:Europe/Berlin hour:9 manager:managers auditor:auditors",
        "/certificate add standard:iso-27001 name:Secretname decided:2026-03-02",
        "/audit log certificate:1 kind:internal date:2026-03-03 scope:Secretscope lead:bob conclusion:Secretend",
        "/nc raise certificate:1 audit:1 grade:minor clause:9.2 statement:Secretwords owner:alice",
        "/area add name:Secretarea owner:alice",
        "/finding raise audit:1 grade:opportunity clause:9.2 statement:Secretidea",
        "/action add certificate:1 owner:alice due:tomorrow what:Secretdeed",
        "/review hold certificates:1 date:today attended:Secretboard decisions:Secretplan",
        "/change log kind:internal what:Secretchange",
        "/remind every cron:0 9 * * MON text:Secretreminder",
    ] {
        let reply = says(discord, "owner", line).await;
        assert!(!reply.ephemeral, "{line}: {}", reply.text());
    }
}

#[tokio::test]
async fn every_command_is_given_by_whom_it_may_be_and_by_nobody_else() {
    for role in ["member", "owner of the work", "auditor", "manager", "manages the server"] {
        let discord = Discord::start();
        let daemon = Daemon::ready(&discord, Setup { guild: None, ..Setup::default() }).await;
        furnished(&discord).await;
        let listed: BTreeSet<String> = LINES.iter().map(|(command, ..)| (*command).to_owned()).collect();
        assert_eq!(registered(&discord, None), listed, "each command has its row above");
        let who = match role {
            "member" => "carol",
            "owner of the work" => "alice",
            "auditor" => {
                discord.set_roles("bob", &["auditors"]);
                "bob"
            }
            "manager" => {
                discord.set_roles("bob", &["managers"]);
                "bob"
            }
            _ => "owner",
        };
        let head = || daemon.certkeeper(&["verify"]).stdout;
        for (command, options, may) in LINES {
            let allowed = match may {
                May::Everyone => true,
                May::Owners => matches!(role, "owner of the work" | "manager" | "manages the server"),
                May::Auditors => matches!(role, "auditor" | "manager" | "manages the server"),
                May::Managers => matches!(role, "manager" | "manages the server"),
                May::Concerned => role != "member",
                May::Actors | May::Asked => {
                    matches!(role, "owner of the work" | "manager" | "manages the server")
                }
            };
            let before = head();
            let reply = says(&discord, who, format!("/{command} {options}").trim_end()).await;
            let refused = reply.ephemeral
                && (reply.text().contains("Only ")
                    || reply.text().contains("they, or a manager, report it done")
                    || reply.text().contains("they, or a manager, answer it"));
            assert_eq!(!refused, allowed, "{role}: /{command}: {}", reply.text());
            if refused {
                assert_eq!(head(), before, "{role}: /{command} was refused and changed something");
            }
        }
        discord.assert_clean();
    }
}

#[tokio::test]
async fn every_command_keeps_to_its_own_server() {
    let discord = Discord::start();
    let daemon = Daemon::ready(&discord, Setup { guild: None, ..Setup::default() }).await;
    furnished(&discord).await;
    let (_, channel) = discord.add_guild("other", "carol");
    let secret = |text: &str| {
        [
            "Secretwords",
            "Secretscope",
            "Secretend",
            "Secretidea",
            "Secretdeed",
            "Secretboard",
            "Secretplan",
            "Secretchange",
            "Secretreminder",
        ]
        .iter()
        .any(|s| text.contains(s))
    };
    for (command, options, _) in LINES.iter().filter(|(command, ..)| *command != "import") {
        let line = format!("/{command} {options}");
        let reply = discord.person("carol").at(&channel).line(line.trim_end()).await.unwrap();
        assert!(!reply.text().contains("Secret"), "{line}: {}", reply.text());
        assert!(!reply.modal.as_ref().is_some_and(|m| m.to_string().contains("Secret")), "{line}");
        // By its name it is not found either, once `certificate add` was given over there; what was typed may be
        // said back.
        let line = line.replace("certificate:C-1", "certificate:Secretname");
        let reply = discord.person("carol").at(&channel).line(line.trim_end()).await.unwrap();
        assert!(!secret(reply.text()), "{line}: {}", reply.text());
    }
    for (command, option) in
        [("nc show", "nc"), ("audit show", "audit"), ("certificate show", "certificate"), ("nc assign", "nc")]
    {
        let offered =
            discord.person("carol").at(&channel).autocomplete(&format!("/{command}"), option, "").await;
        let offered = offered.unwrap();
        assert!(!offered.suggestions().iter().any(|s| s.contains("Secret")), "{:?}", offered.suggestions());
    }
    // A form that somebody opened here is not to be filled in over there, nor by another person.
    let form = says(&discord, "owner", "/nc raise certificate:1 grade:minor clause:9.2").await;
    assert!(form.modal.is_some());
    assert!(discord.submit_modal("carol", &form, &[("statement", "x")]).await.is_err());
    let shown = says(&discord, "owner", "/nc show nc:NC-1").await;
    assert!(shown.text().contains("Secretwords") && shown.text().contains("raised"), "{}", shown.text());
    assert!(daemon.certkeeper(&["verify"]).status.success());
    discord.assert_clean();
}

/// Texts that would ping, lead, hide, format or break out, if they were let.
const CORPUS: &[&str] = &[
    "@everyone @here",
    "<@100000000000000001> <@&200000000000000002> <#300000000000000003>",
    "**bold** __under__ ~~gone~~ ||spoiler|| `code` ```block```",
    "# heading\n> quote\n- list\n1. list",
    "[harmless](https://evil.example/phish) <https://evil.example>",
    "</nc close:400000000000000004> <t:0:R> <:e:500000000000000005> <id:guide>",
    "\u{202e}desrever\u{202c} \u{200b}\u{200d}\u{feff} a\u{300}\u{301}\u{302}",
    "=cmd|'/c calc'!A1 +1 -1 @SUM(A1)",
    "../../etc/passwd C:\\windows\\x \0nul",
    "<script>alert(1)</script> &amp; ]]> {{7*7}} ${7*7} %s%n",
    "'; DROP TABLE certificate; --",
    "\u{1b}[31mred\u{1b}[0m \r\n2026-01-01 ERROR forged",
];

/// What of an embed Discord takes for markup: all of it but what is escaped.
fn live(embed: &Value) -> String {
    let whole = embed.to_string().replace("\\\\", "\\");
    let mut out = String::new();
    let mut characters = whole.chars();
    while let Some(c) = characters.next() {
        if c == '\\' {
            characters.next();
        } else {
            out.push(c);
        }
    }
    out
}

#[tokio::test]
async fn peoples_text_is_text() {
    let discord = Discord::start();
    let daemon = Daemon::ready(&discord, Setup::default()).await;
    furnished(&discord).await;
    for (n, text) in (2..).zip(CORPUS) {
        let raise = discord
            .person("owner")
            .options(&[("certificate", "C-1"), ("grade", "minor"), ("clause", "9.2"), ("statement", text)])
            .with("area", text)
            .slash("/nc raise")
            .await
            .unwrap();
        assert!(raise.acked && raise.text().contains(&format!("NC-{n}")), "{text:?}: {}", raise.text());
        let show = says(&discord, "owner", &format!("/nc show nc:NC-{n}")).await;
        for reply in [&raise, &show] {
            assert_eq!(reply.message.as_ref().map(|m| discord.pings(m)), Some(Vec::new()), "{text:?}");
            for shown in reply.embeds.iter().map(live) {
                for markup in [
                    "](https://evil",
                    "**bold**",
                    "||spoiler||",
                    "<@1000",
                    "<@&2000",
                    "</nc close:4",
                    "<t:0:R>",
                ] {
                    assert!(!shown.contains(markup), "{text:?} came through live: {shown}");
                }
            }
        }
    }
    for text in CORPUS.iter().filter(|t| t.chars().count() <= 80) {
        let add = discord
            .person("owner")
            .options(&[("standard", "iso-9001"), ("name", text), ("body", text), ("number", text)])
            .slash("/certificate add")
            .await
            .unwrap();
        assert!(add.acked, "{text:?}");
    }
    let status = says(&discord, "owner", "/status").await;
    assert!(status.message.as_ref().is_some_and(|m| discord.pings(m).is_empty()));
    assert!(daemon.certkeeper(&["verify"]).status.success());
    assert!(!daemon.output().contains("\u{1b}[31m"), "a person's text reached the log as it is");
    discord.assert_clean();
}

#[tokio::test]
async fn no_secret_and_no_persons_text_is_logged() {
    let discord = Discord::start();
    let setup = Setup { log: "trace".into(), ..Setup::default() };
    let mut daemon = Daemon::ready(&discord, setup).await;
    furnished(&discord).await;
    let form = says(&discord, "owner", "/nc raise certificate:1 grade:minor clause:9.2").await;
    discord.submit_modal("owner", &form, &[("statement", "Secretmodal")]).await.unwrap();
    discord.fault(crate::support::faults::Fault::status(500).on("POST", "/callback").times(1));
    let failed = discord.person("owner").send("/status").unwrap();
    says(&discord, "owner", "/status").await;
    daemon.terminate();
    daemon.wait_exit(crate::support::clock::SOON).await;
    let said = daemon.output();
    let tokens: BTreeMap<String, String> =
        discord.world(|s| s.interactions.iter().map(|(id, it)| (id.clone(), it.token.clone())).collect());
    assert!(tokens.contains_key(&failed));
    for (id, token) in tokens {
        assert!(!said.contains(&token), "the token of interaction {id} is in the log");
    }
    assert!(!said.contains(&discord.token), "the bot's token is in the log");
    for words in ["Secretwords", "Secretmodal", "Secretend"] {
        assert!(!said.contains(words), "{words} is in the log");
    }
    daemon.kill9().await;
}

#[tokio::test]
async fn minimal_privacy_holds_in_everything_that_a_channel_sees() {
    use crate::support::clock::{SOON, WallClock};
    let Some(clock) = WallClock::at("2026-03-02T08:30:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let mut daemon = Daemon::ready(&discord, Setup { guild: None, ..Setup::on_clock(&clock) }).await;
    says(&discord, "owner", "/setup timezone:Europe/Berlin hour:9 privacy:minimal").await;
    for line in [
        "/certificate add standard:iso-27001 name:Secretname decided:2026-03-02 body:Secretbody number:Secretno owner:alice",
        "/certificate edit certificate:C-1 number:Secretnumber reason:Secretreason",
        "/audit log certificate:1 kind:internal date:today scope:Secretscope lead-name:Secretlead conclusion:Secretend",
        "/nc raise certificate:1 audit:1 grade:major clause:9.2 statement:Secretwords area:Secretarea owner:alice due:2026-03-20",
        "/nc assign nc:1 owner:bob",
        "/nc correct nc:1 what:Secretfix",
        "/nc cause nc:1 why:Secretcause",
        "/nc plan nc:1 owner:bob due:2026-03-10 action:Secretaction",
        "/nc evidence nc:1 note:Secretnote",
        "/nc evidence nc:1 link:https://example.com/Secretlink",
        "/nc contain nc:1 what:Secrethold",
        "/nc whys nc:1 why1:Secretwhy",
        "/nc verifier nc:1 person:carol",
        "/nc extend nc:1 due:2026-03-25 reason:Secretdelay",
        "/area add name:Secretplace owner:alice",
        "/audit plan certificates:1 kind:internal date:2026-03-12 lead:bob areas:Secretplace criteria:Secretlaw scope:Secretrange",
        "/audit plan certificates:1 kind:surveillance date:2028-01-10 reason:Secretgrant",
        "/audit move audit:A-2 date:2026-03-13 reason:Secretmove",
        "/audit start audit:A-2",
        "/finding raise audit:A-2 grade:minor clause:9.2 statement:Secretgap evidence:Secretproof owner:alice reference:Secretref",
        "/finding raise audit:A-2 grade:opportunity clause:9.2 statement:Secretidea",
        "/finding accept finding:F-1 owner:bob due:2026-03-10 action:Secretdo",
        "/action add certificate:1 owner:alice due:2026-03-11 what:Secretduty",
        "/action assign action:ACT-2 owner:bob reason:Secretshift",
        "/review plan certificates:1 date:2026-03-15",
        "/review hold review:MR-1 date:today attended:Secretboard decisions:Secretplan",
        "/task done certificate:1 task:internal-audits what:Secrettask",
        "/change log kind:internal what:Secretchange",
        "/remind every cron:0 9 * * MON text:Secretreminder",
        "/risk revisit what:Secretrisk",
        "/training log topic:Secrettopic attended:Secretpupil",
        "/edit entry:R-2 field:text value:Secretvalue reason:Secretslip",
        "/void entry:R-3 reason:Secretvoid",
        "/certificate scope certificate:1 scope:Secretextent",
        "/certificate suspend certificate:1 date:today reason:Secretstop",
        "/certificate reinstate certificate:1 date:today reason:Secretgo",
        "/certificate transfer certificate:1 body:Secrethouse date:today",
        "/handover from:alice to:bob reason:Secretleave",
    ] {
        let reply = says(&discord, "owner", line).await;
        assert!(!reply.ephemeral, "{line}: {}", reply.text());
    }
    for at in ["2026-03-09T09:00:01+01:00", "2026-03-19T09:00:01+01:00", "2026-04-30T12:00:00+02:00"] {
        let before = discord.messages("general").len();
        clock.set(at);
        discord.wait_messages("general", before + 1, SOON).await;
    }
    for line in [
        "/nc done nc:1 what:Secretdeed",
        "/nc verify nc:1 effective:true how:Secretcheck",
        "/nc close nc:1 note:Secretclose",
        "/nc reopen nc:1 reason:Secretagain",
    ] {
        let who = if line.starts_with("/nc done") { "bob" } else { "owner" };
        let reply = says(&discord, who, line).await;
        assert!(!reply.ephemeral, "{line}: {}", reply.text());
    }
    daemon.kill9().await;
    clock.set("2026-12-05T12:00:00+01:00");
    daemon.start_again();
    discord.wait_message("general", "could not be posted in time", SOON).await;
    let public: Vec<_> = discord.messages("general").into_iter().filter(|m| !m.ephemeral).collect();
    assert!(public.len() > 15, "{}", public.len());
    for message in public {
        let whole = message.json.to_string();
        assert!(!whole.contains("Secret"), "{whole}");
    }
    discord.assert_clean();
}
