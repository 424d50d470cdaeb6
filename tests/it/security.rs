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

/// Every option that is completed as one types, with its command.
fn completed(discord: &Discord) -> Vec<(String, String)> {
    fn below(at: &Value, path: &str, found: &mut Vec<(String, String)>) {
        for option in at["options"].as_array().into_iter().flatten() {
            let name = option["name"].as_str().unwrap();
            if matches!(option["type"].as_u64(), Some(1 | 2)) {
                below(option, &format!("{path} {name}"), found);
            } else if option["autocomplete"] == true {
                found.push((path.to_owned(), name.to_owned()));
            }
        }
    }
    let mut found = Vec::new();
    for command in discord.commands(None) {
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
    // Whatever can be completed, beside whatever else stands in the line.
    let mut asked = 0;
    for (command, option) in completed(&discord) {
        for certificate in ["C-1", "Secretname"] {
            let person = discord.person("carol").at(&channel);
            let takes = LINES.iter().any(|(c, o, _)| *c == command && o.contains("certificate:"));
            let person = if takes && option != "certificate" {
                person.with("certificate", certificate)
            } else {
                person
            };
            for typed in ["", "Secret", "1"] {
                let offered =
                    person.clone().autocomplete(&format!("/{command}"), &option, typed).await.unwrap();
                asked += 1;
                assert!(!offered.suggestions().iter().any(|s| s.contains("Secret")), "{command} {option}");
                assert!(
                    !offered.choices.iter().any(|(_, v)| v.to_string().contains("Secret")),
                    "{command} {option}"
                );
            }
        }
    }
    assert!(asked > 300, "{asked}");
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
fn corpus() -> Vec<String> {
    serde_json::from_str(include_str!("../fixtures/hostile.json")).unwrap()
}

/// What people do, one after the other; `Secret…` stands wherever they may write what they like. Who does it, if not
/// the server's owner, comes before a `>`.
const SCRIPT: &[&str] = &[
    "/certificate add standard:iso-27001 name:Secretname decided:2026-03-02 body:Secretbody number:Secretno owner:alice",
    "/certificate edit certificate:C-1 name:Secretrenamed body:Secretauthority number:Secretnumber reason:Secretreason",
    "/audit log certificate:1 kind:internal date:today scope:Secretscope lead-name:Secretlead conclusion:Secretend impartiality:Secretfair",
    "/nc raise certificate:1 audit:1 grade:major clause:9.2 statement:Secretwords area:Secretarea owner:alice due:2026-03-20",
    "/nc assign nc:1 owner:bob",
    "/nc correct nc:1 what:Secretfix",
    "/nc cause nc:1 why:Secretcause",
    "/nc plan nc:1 owner:bob due:2026-03-10 action:Secretaction",
    "/nc evidence nc:1 note:Secretnote",
    "/nc evidence nc:1 link:https://example.com/Secretlink",
    "/nc contain nc:1 what:Secrethold",
    "/nc consequences nc:1 what:Secretharm",
    "/nc whys nc:1 why1:Secretwhy why2:Secretwhyb why3:Secretwhyc why4:Secretwhyd why5:Secretwhye",
    "/nc similar nc:1 what:Secretlike",
    "/nc system nc:1 what:Secretsystem",
    "/nc verifier nc:1 person:carol",
    "/nc extend nc:1 due:2026-03-25 reason:Secretdelay",
    "/area add name:Secretplace owner:alice",
    "/area edit area:1 name:Secretsite reason:Secretmoved",
    "/audit plan certificates:1 kind:internal date:2026-03-12 lead:bob areas:1 criteria:Secretlaw scope:Secretrange",
    "/audit plan certificates:1 kind:surveillance date:2028-01-10 reason:Secretgrant",
    "/audit plan certificates:1 kind:internal date:2026-03-20 lead-name:Secretguest scope:Secretbounds impartiality:Secretown",
    "/audit move audit:A-2 date:2026-03-13 reason:Secretmove",
    "/audit start audit:A-2 reason:Secretearly",
    "/finding raise audit:A-2 grade:minor clause:9.2 statement:Secretgap evidence:Secretproof owner:alice reference:Secretref area:Secretspot body-grade:Secretmark",
    "/finding raise audit:A-2 grade:opportunity clause:9.2 statement:Secretidea",
    "/finding several audit:A-2 findings:opportunity;9.2;Secretmany",
    "/finding accept finding:F-1 owner:bob due:2026-03-10 action:Secretdo",
    "/finding decline finding:F-2 reason:Secretrefusal",
    "/audit cancel audit:A-4 reason:Secretcancel",
    "/action add certificate:1 owner:alice due:2026-03-11 what:Secretduty",
    "/action assign action:ACT-2 owner:bob reason:Secretshift",
    "/action add certificate:1 owner:alice due:2026-03-11 what:Secretchore",
    "/action done action:ACT-3 outcome:Secretoutcome",
    "/action drop action:ACT-1 reason:Secretdrop",
    "/review plan certificates:1 date:2026-03-15",
    "/review hold review:MR-1 date:today attended:Secretboard decisions:Secretplan",
    "/review plan certificates:1 date:2026-03-25",
    "/review cancel review:MR-2 reason:Secretoff",
    "/task done certificate:1 task:internal-audits what:Secrettask",
    "/task waive certificate:1 task:operate-1/close-gaps reason:Secretwaive",
    "/change log kind:internal what:Secretchange",
    "/risk revisit what:Secretrisk",
    "/training log topic:Secrettopic attended:Secretpupil missing:Secretmissing note:Secretremark",
    "/edit entry:R-3 field:text value:Secretvalue reason:Secretslip",
    "/void entry:R-4 reason:Secretvoid",
    "/certificate opening certificate:1 date:today note:Secretopening",
    "/certificate scope certificate:1 scope:Secretextent reason:Secretwider",
    "/certificate suspend certificate:1 date:today reason:Secretstop",
    "/certificate reinstate certificate:1 date:today reason:Secretgo",
    "/certificate transfer certificate:1 body:Secrethouse date:today number:Secretnewno reason:Secretswitch",
    "/certificate add standard:iso-9001 name:Secretsecond",
    "/audit log certificate:C-2 kind:stage-1 date:today scope:Secretstage lead-name:Secretlead conclusion:Secretready",
    "/finding raise audit:A-5 grade:concern clause:9.2 statement:Secretconcern",
    "/finding addressed finding:F-3 how:Secrethow",
    "/certificate decide certificate:C-2 date:today number:Secretgiven reason:Secretdecision",
    "/certificate add standard:iso-14001 name:Secretthird decided:2026-03-01",
    "/certificate withdraw certificate:C-3 date:today reason:Secretwithdraw",
    "/certificate add standard:iso-45001 name:Secretfourth decided:2023-04-01",
    "/certificate renew certificate:C-4 date:today reason:Secretrenewal",
    "/certificate add standard:iso-22301 name:Secretfifth decided:2022-10-01",
    "/certificate restore certificate:C-5 date:today reason:Secretreturn",
    "/remind every cron:@weekly text:Secretreminder who:carol",
    "/remind ack reminder:ACT-2 note:Secretnod",
    "/remind snooze reminder:ACT-2 until:2026-03-04 reason:Secretlater",
    "/handover from:alice to:bob reason:Secretleave",
];

/// The end of it, after reminders have come.
const SCRIPTS_END: &[&str] = &[
    "/audit report audit:A-2 conclusion:Secretverdict",
    "bob>/nc done nc:1 what:Secretdeed",
    "/nc verify nc:1 effective:true how:Secretcheck",
    "/nc close nc:1 note:Secretclose",
    "/nc reopen nc:1 reason:Secretagain",
];

/// A line of the script: who gives it, the command, and its options.
fn scripted(line: &str) -> (&str, String, Vec<(String, String)>) {
    let (who, line) = line.split_once('>').unwrap_or(("owner", line));
    let (mut command, mut options) = (Vec::new(), Vec::new());
    for word in line.split(' ') {
        match word.split_once(':') {
            Some((name, value)) => options.push((name.to_owned(), value.to_owned())),
            None => command.push(word),
        }
    }
    (who, command.join(" "), options)
}

/// Options whose text is read, not kept: lists of clauses and of inputs, days and hours.
const READ_ONLY: &[&str] = &[
    "clauses",
    "controls",
    "not-sampled",
    "also-sampled",
    "inputs",
    "not-covered",
    "working-days",
    "quiet-hours",
    "cron",
];

/// Every option of every changing command that takes free text must stand in the script, so that what a new one shows
/// is looked at.
fn assert_scripted(discord: &Discord) {
    fn below(at: &Value, path: &str, found: &mut BTreeSet<(String, String)>) {
        for option in at["options"].as_array().into_iter().flatten() {
            let name = option["name"].as_str().unwrap();
            match option["type"].as_u64() {
                Some(1 | 2) => below(option, &format!("{path} {name}"), found),
                Some(3)
                    if option["choices"].as_array().is_none_or(Vec::is_empty)
                        && option["autocomplete"] != true =>
                {
                    found.insert((path.to_owned(), name.to_owned()));
                }
                _ => {}
            }
        }
    }
    let reads = |command: &str| {
        LINES.iter().any(|(c, _, may)| *c == command && *may == May::Everyone) || command == "nc next"
    };
    let mut all = BTreeSet::new();
    for command in discord.commands(None) {
        below(&command, command["name"].as_str().unwrap(), &mut all);
    }
    let written: BTreeSet<(String, String)> = SCRIPT
        .iter()
        .chain(SCRIPTS_END)
        .flat_map(|line| {
            let (_, command, options) = scripted(line);
            let secret = options.into_iter().filter(|(_, value)| value.contains("Secret"));
            secret
                .map(move |(name, _)| (command.trim_start_matches('/').to_owned(), name))
                .collect::<Vec<_>>()
        })
        .collect();
    let forgotten: Vec<_> = all
        .iter()
        .filter(|(command, option)| !reads(command) && !READ_ONLY.contains(&option.as_str()))
        .filter(|it| !written.contains(it))
        .collect();
    assert!(forgotten.is_empty(), "give these in SCRIPT, with a text that begins with Secret: {forgotten:?}");
}

/// What of a text Discord takes for markup: all of it but what is escaped.
fn live(text: &str) -> String {
    let mut out = String::new();
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        if c == '\\' {
            characters.next();
        } else {
            out.push(c);
        }
    }
    out
}

/// Characters that hide text, reorder it, or steer a terminal.
fn is_hidden(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// That a text of a message does nothing; `markup` where Discord shows it as markdown.
fn assert_harmless(text: &str, markup: bool, whole: &Value) {
    // The one hidden character that we put there ourselves keeps `@everyone` apart.
    let bare = text.replace("@\u{200b}everyone", "@ everyone").replace("@\u{200b}here", "@ here");
    assert!(!bare.chars().any(is_hidden), "{text:?} hides something: {whole}");
    if !markup {
        return;
    }
    let shown = live(&bare);
    for live in [
        "@everyone",
        "@here",
        "<@1000000000",
        "<@!1",
        "<@&2",
        "<#3000000000",
        "</nc close:4",
        "<:e:5",
        "<a:e:5",
        "](",
        "**bold**",
        "__under__",
        "~~gone~~",
        "||spoiler||",
        "```",
        "`code`",
        "*it*",
        "_it_",
        "_init_",
        "<t:0:R>",
        "<id:guide>",
        "é_é_é",
    ] {
        // Within an address that is shown in <…> nothing is markup.
        let outside = shown.split('<').map(|part| match part.split_once('>') {
            Some((address, rest)) if address.starts_with("http") => rest,
            _ => part,
        });
        assert!(
            !outside.collect::<Vec<_>>().join("<").contains(live),
            "{live:?} came through live: {text:?} of {whole}"
        );
    }
    for line in bare.lines().map(str::trim_start) {
        for block in ["# h", "## h", "> q", ">>> q", "- l", "-# s", "- list"] {
            assert!(!line.starts_with(block), "{block:?} came through live: {text:?} of {whole}");
        }
    }
}

/// That nothing in a message does anything.
fn assert_message_is_text(message: &Value) {
    let text = |at: &Value| at.as_str().unwrap_or_default().to_owned();
    // In plain text the footer is small print of ours, which begins its line.
    let content = text(&message["content"]);
    assert_harmless(&content.replace("\n-# ", "\n"), true, message);
    for embed in message["embeds"].as_array().into_iter().flatten() {
        assert_harmless(&text(&embed["title"]), true, message);
        assert_harmless(&text(&embed["description"]), true, message);
        assert_harmless(&text(&embed["footer"]["text"]), false, message);
        for field in embed["fields"].as_array().into_iter().flatten() {
            assert_harmless(&text(&field["name"]), true, message);
            assert_harmless(&text(&field["value"]), true, message);
        }
    }
}

#[tokio::test]
async fn peoples_text_is_text() {
    use crate::support::clock::{SOON, WallClock};
    let corpus = corpus();
    // A name and a line of a list take no line breaks and separators, and eighty characters.
    let tame: Vec<String> = corpus
        .iter()
        .map(|t| t.replace(['\n', '\r', ',', ';', '|'], " "))
        .filter(|t| t.chars().count() <= 70 && t.chars().any(char::is_alphabetic))
        .collect();
    for embeds in [true, false] {
        let Some(clock) = WallClock::at("2026-03-02T08:30:00+01:00") else { return };
        let discord = Discord::on_clock(&clock);
        if !embeds {
            discord.bot_access("general", 0, crate::support::world::perm::EMBED_LINKS);
        }
        let daemon = Daemon::ready(&discord, Setup { guild: None, ..Setup::on_clock(&clock) }).await;
        assert_scripted(&discord);
        says(&discord, "owner", "/setup timezone:Europe/Berlin hour:9").await;
        let mut n = usize::from(embeds);
        let mut hostile = |line: &str| {
            let (who, command, mut options) = scripted(line);
            for (name, value) in &mut options {
                if let Some((before, _)) = value.split_once("Secret") {
                    n += 1;
                    let kept = matches!(name.as_str(), "name" | "findings");
                    // All of it at once, each time beginning with another.
                    let text = if kept {
                        format!("{} {n}", tame[n % tame.len()])
                    } else {
                        let (first, last) = corpus.split_at(n % corpus.len());
                        [last, first].concat().join("\n").chars().take(1_500).collect()
                    };
                    *value = format!("{before}{text}");
                }
            }
            (who.to_owned(), command, options)
        };
        for line in SCRIPT {
            let (who, command, options) = hostile(line);
            let options: Vec<_> = options.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            let reply = discord.person(&who).options(&options).slash(&command).await.unwrap();
            assert!(!reply.ephemeral && reply.acked, "{line}: {}", reply.text());
        }
        for at in ["2026-03-09T09:00:01+01:00", "2026-03-19T09:00:01+01:00", "2026-04-30T12:00:00+02:00"] {
            let before = discord.messages("general").len();
            clock.set(at);
            discord.wait_messages("general", before + 1, SOON).await;
        }
        for line in SCRIPTS_END {
            let (who, command, options) = hostile(line);
            let options: Vec<_> = options.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            let reply = discord.person(&who).options(&options).slash(&command).await.unwrap();
            assert!(!reply.ephemeral && reply.acked, "{line}: {}", reply.text());
        }
        // As long as it gets, and whatever is read: what is on record is shown, what is typed is said back.
        let long = "@everyone <@100000000000000009> **bold** # h "
            .repeat(140)
            .chars()
            .take(6_000)
            .collect::<String>();
        let raise =
            [("certificate", "C-1"), ("grade", "minor"), ("clause", "9.2"), ("statement", long.as_str())];
        discord.person("owner").options(&raise).slash("/nc raise").await.unwrap();
        for (command, options, may) in LINES {
            if *may == May::Everyone && *command != "import" {
                says(&discord, "owner", format!("/{command} {options}").trim_end()).await;
            }
        }
        for text in corpus.iter().filter(|t| !t.trim().is_empty()) {
            discord.person("owner").with("text", text).slash("/find").await.unwrap();
            discord.person("owner").with("nc", text).slash("/nc show").await.unwrap();
        }
        let form = says(&discord, "owner", "/nc raise certificate:1 grade:minor clause:9.2").await;
        assert!(!form.modal.unwrap().to_string().contains("00000000000000009"));
        let mut suggested = 0;
        for (command, option) in completed(&discord) {
            let asked =
                discord.person("owner").autocomplete(&format!("/{command}"), &option, "").await.unwrap();
            for label in asked.suggestions() {
                suggested += 1;
                assert!(!label.chars().any(|c| is_hidden(c) || c == '\n'), "{command} {option}: {label:?}");
            }
        }
        assert!(suggested > 100, "{suggested}");
        let all: Vec<Value> = discord.world(|s| s.messages.values().map(|m| m.json.clone()).collect());
        assert!(all.len() > 90, "{}", all.len());
        for message in &all {
            assert_message_is_text(message);
        }
        let whole: String = all.iter().map(ToString::to_string).collect();
        for said in ["spoiler", "phish", "desrever", "DROP TABLE", "everyone", "init"] {
            assert!(whole.contains(said), "{said} is nowhere to be seen: nothing was tried");
        }
        for message in discord.world(|s| s.messages.values().cloned().collect::<Vec<_>>()) {
            let pinged = discord.pings(&message);
            assert!(
                !pinged.iter().any(|p| p.contains("everyone") || p.contains("00000000000000009")),
                "{pinged:?}"
            );
        }
        // The shell and the log.
        for command in
            ["status", "nc list", "nc show nc:1", "certificate list", "audit list", "find text:desrever"]
        {
            let words: Vec<&str> = ["do", "--as", "ann"].into_iter().chain(command.split(' ')).collect();
            let shown = daemon.certkeeper(&words);
            let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
            assert!(!shown.trim().is_empty() && !shown.chars().any(is_hidden), "{command}: {shown:?}");
        }
        assert!(daemon.certkeeper(&["verify"]).status.success());
        daemon.terminate();
        daemon.wait_exit(SOON).await;
        let log = daemon.output();
        assert!(!log.contains("[31mred") && !log.contains("forged") && !log.contains("desrever"), "{log}");
        discord.assert_clean();
    }
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
    assert_scripted(&discord);
    says(&discord, "owner", "/setup timezone:Europe/Berlin hour:9 privacy:minimal").await;
    for line in SCRIPT {
        let (who, command, options) = scripted(line);
        let options: Vec<_> = options.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let reply = discord.person(who).options(&options).slash(&command).await.unwrap();
        assert!(!reply.ephemeral, "{line}: {}", reply.text());
    }
    for at in ["2026-03-09T09:00:01+01:00", "2026-03-19T09:00:01+01:00", "2026-04-30T12:00:00+02:00"] {
        let before = discord.messages("general").len();
        clock.set(at);
        discord.wait_messages("general", before + 1, SOON).await;
    }
    for line in SCRIPTS_END {
        let (who, command, options) = scripted(line);
        let options: Vec<_> = options.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let reply = discord.person(who).options(&options).slash(&command).await.unwrap();
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
