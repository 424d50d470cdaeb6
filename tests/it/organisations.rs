//! One organisation of a file: handed out, taken out, moved to another server. Played with two in one daemon.

use std::path::Path;
use std::process::Output;

use sqlx::{Connection as _, SqliteConnection};

use crate::support::clock::{SOON, WallClock};
use crate::support::daemon::{Daemon, Setup, certkeeper};
use crate::support::discord::Discord;
use crate::support::world::GUILD;

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The operator's verb, and what it must end with.
fn run(daemon: &Daemon, args: &[&str], code: i32) -> String {
    let output = daemon.certkeeper(args);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {}", text(&output));
    text(&output)
}

async fn ended(daemon: &mut Daemon) {
    daemon.terminate();
    daemon.wait_exit(SOON).await;
}

/// Whether these bytes stand anywhere in a file or in its log.
fn holds(path: &Path, words: &str) -> bool {
    ["", "-wal"].iter().any(|end| {
        let bytes = std::fs::read(format!("{}{end}", path.display())).unwrap_or_default();
        bytes.windows(words.len()).any(|window| window == words.as_bytes())
    })
}

/// Two organisations with something of everything; the id of the second one's server, and of its channel.
async fn two(discord: &Discord) -> (String, String) {
    let (guild, channel) = discord.add_guild("other", "carol");
    for (who, at, name) in
        [("owner", discord.channel("general"), "Oursname"), ("carol", channel.clone(), "Theirsname")]
    {
        for line in [
            "/setup timezone:Europe/Berlin hour:9".to_owned(),
            format!("/certificate add standard:iso-27001 name:{name} decided:2026-03-02"),
            format!(
                "/audit log certificate:1 kind:internal date:today scope:{name}scope lead-name:{name}lead conclusion:{name}end"
            ),
            format!(
                "/nc raise certificate:1 audit:1 grade:minor clause:9.2 statement:{name}words owner:alice"
            ),
            format!("/area add name:{name}area"),
        ] {
            let reply = discord.person(who).at(&at).line(&line).await;
            let reply = reply.unwrap_or_else(|e| panic!("{line}: {e}"));
            assert!(!reply.ephemeral, "{line}: {}", reply.text());
        }
        let evidence = discord.person(who).at(&at).with("nc", "1").attach(
            "file",
            "proof.txt",
            format!("{name}bytes").as_bytes(),
            "text/plain",
        );
        assert!(evidence.slash("/nc evidence").await.unwrap().acked);
    }
    (guild, channel)
}

async fn everywhere(discord: &Discord) -> Daemon {
    Daemon::ready(discord, Setup { guild: None, ..Setup::default() }).await
}

#[tokio::test]
async fn an_organisation_is_handed_out_whole_and_alone() {
    let discord = Discord::start();
    let daemon = everywhere(&discord).await;
    let (guild, _) = two(&discord).await;
    let place = format!("discord:{guild}");
    let listed = run(&daemon, &["organisations"], 0);
    for known in [&place, &format!("discord:{GUILD}")] {
        assert!(listed.contains(known.as_str()), "{listed}");
    }
    // Beside the running daemon.
    let file = daemon.folder().join("theirs.db");
    let said = run(&daemon, &["export", &place, "theirs.db"], 0);
    for part in ["found whole, sha256 ", "certificate: 1", "file: 1", "journal: ", &format!("head {place}=")]
    {
        assert!(said.contains(part), "{part} in {said}");
    }
    for ours in ["Oursname", GUILD, "Ourswords"] {
        assert!(!holds(&file, ours), "{ours} is in what another organisation was handed");
    }
    for theirs in ["Theirsnamewords", "Theirsnamebytes", "Theirsnamelead"] {
        assert!(holds(&file, theirs), "{theirs} is missing");
    }
    let left: Vec<_> = std::fs::read_dir(daemon.folder()).unwrap().flatten().collect();
    assert!(!left.iter().any(|e| e.file_name().to_string_lossy().starts_with("theirs.db.")), "{left:?}");
    // Any SQLite reads it.
    let mut c = SqliteConnection::connect(&format!("sqlite://{}?mode=ro", file.display())).await.unwrap();
    let names: Vec<String> =
        sqlx::query_scalar("SELECT name FROM certificate").fetch_all(&mut c).await.unwrap();
    assert_eq!(names, ["Theirsname"]);
    c.close().await.unwrap();
    // It is a database of its own: its chain is checked, and it can be put in place elsewhere.
    let elsewhere = tempfile::tempdir().unwrap();
    let put = certkeeper(elsewhere.path(), &["restore", &file.display().to_string()]);
    assert!(put.status.success(), "{}", text(&put));
    let whole = certkeeper(elsewhere.path(), &["verify"]);
    assert!(whole.status.success() && text(&whole).contains("agree"), "{}", text(&whole));
    let asked = certkeeper(elsewhere.path(), &["do", "--as", "ana", "certificate", "show", "certificate:1"]);
    assert!(asked.status.success() && text(&asked).contains("Theirsname"), "{}", text(&asked));
    // What cannot be is said.
    assert!(run(&daemon, &["export", &place, "theirs.db"], 78).contains("exists already"));
    assert!(run(&daemon, &["export", "discord:7"], 78).contains("certkeeper organisations"));
    run(&daemon, &["verify"], 0);
}

#[tokio::test]
async fn an_organisation_is_erased_to_the_last_byte_and_the_other_is_untouched() {
    let discord = Discord::start();
    let mut daemon = everywhere(&discord).await;
    let (guild, channel) = two(&discord).await;
    discord.wait_message("general", "Oursname: where it stands", SOON).await;
    discord.wait_message(&channel, "Theirsname: where it stands", SOON).await;
    let place = format!("discord:{guild}");
    let heads = run(&daemon, &["verify"], 0);
    let ours = heads.lines().find(|l| l.contains(GUILD)).unwrap().to_owned();
    run(&daemon, &["backup"], 0);
    assert!(run(&daemon, &["erase", &place, "--yes", &place], 75).contains("already runs"));
    ended(&mut daemon).await;
    let said = run(&daemon, &["erase", &place], 78);
    assert!(said.contains("for good") && said.contains(&format!("--yes {place}")), "{said}");
    run(&daemon, &["erase", &place, "--yes", &format!("discord:{GUILD}")], 78);
    assert!(holds(&daemon.database(), "Theirsnamewords"), "nothing was changed so far");
    let said = run(&daemon, &["erase", &place, "--yes", "other"], 0);
    for part in ["rows taken out", "its journal ended in", "still in ", "certkeeper-"] {
        assert!(said.contains(part), "{part} in {said}");
    }
    for theirs in ["Theirsname", guild.as_str(), channel.as_str()] {
        assert!(!holds(&daemon.database(), theirs), "{theirs} is still in the file");
    }
    let heads = run(&daemon, &["verify"], 0);
    assert!(heads.contains(&ours) && !heads.contains(&guild), "{heads}");
    // The journal is append-only again.
    let mut c =
        SqliteConnection::connect(&format!("sqlite://{}", daemon.database().display())).await.unwrap();
    for edit in ["DELETE FROM journal", "UPDATE journal SET verb = 'x'"] {
        let refused = sqlx::query(edit).execute(&mut c).await.unwrap_err();
        assert!(refused.to_string().contains("only added to"), "{refused}");
    }
    c.close().await.unwrap();
    // The daemon goes on; the other server may begin anew.
    daemon.start_again();
    daemon.wait_ready(&discord).await;
    let status = discord.line("owner", "/nc show nc:1").await.unwrap();
    assert!(status.text().contains("Oursnamewords"), "{}", status.text());
    let anew = discord
        .person("carol")
        .at(&channel)
        .line("/certificate add standard:iso-9001 name:Anew decided:2026-03-02")
        .await
        .unwrap();
    assert!(anew.text().contains("C-1"), "{}", anew.text());
    discord.wait_message(&channel, "Anew: where it stands", SOON).await;
    run(&daemon, &["verify"], 0);
}

#[tokio::test]
async fn an_organisation_moves_with_its_records_and_nothing_is_said_twice() {
    let Some(clock) = WallClock::at("2026-03-02T08:30:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let mut daemon = Daemon::ready(&discord, Setup { guild: None, ..Setup::on_clock(&clock) }).await;
    let (old, old_channel) = two(&discord).await;
    let (new, new_channel) = discord.add_guild("new", "carol");
    let (from, to) = (format!("discord:{old}"), format!("discord:{new}"));
    let role = discord
        .person("carol")
        .at(&old_channel)
        .line("/certificate edit certificate:1 channel:general-other")
        .await;
    assert!(role.unwrap().acked);
    clock.set("2026-03-02T09:00:01+01:00");
    discord.wait_message(&old_channel, "Internal audits and reviews begins", SOON).await;
    let heads = run(&daemon, &["verify"], 0);
    let head = heads.lines().find_map(|l| l.split("head ").nth(1).filter(|h| h.starts_with(&from))).unwrap();
    assert!(run(&daemon, &["move", &from, "--to", &to, "--as", "ana"], 75).contains("already runs"));
    ended(&mut daemon).await;
    let ours = format!("discord:{GUILD}");
    assert!(run(&daemon, &["move", &from, "--to", &ours, "--as", "ana"], 78).contains("records of its own"));
    assert!(
        run(&daemon, &["move", &from, "--to", "somewhere", "--as", "ana"], 78).contains("Copy Server ID")
    );
    assert!(run(&daemon, &["move", "discord:7", "--to", &to, "--as", "ana"], 78).contains("organisations"));
    let said = run(&daemon, &["move", &from, "--to", &to, "--as", "ana"], 0);
    assert!(said.contains("/setup"), "{said}");
    // The chain holds, and still has the entry whose head was kept under the old place.
    let heads = run(&daemon, &["verify", "--against", head], 0);
    assert!(heads.contains(&format!("{to}: ")) && !heads.contains(&format!("{from}: 1")), "{heads}");
    assert!(heads.contains("is the one held elsewhere"), "{heads}");
    assert!(!run(&daemon, &["organisations"], 0).contains(&from));

    // A reminder falls due while nobody has set it up over there: it waits.
    clock.set("2026-09-02T09:00:01+02:00");
    daemon.start_again();
    daemon.wait_ready(&discord).await;
    let show = |line: &'static str| discord.person("carol").at(&new_channel).line(line);
    let shown = show("/nc show nc:1").await.unwrap();
    assert!(shown.text().contains("Theirsnamewords"), "{}", shown.text());
    let gone = discord.person("carol").at(&old_channel).line("/nc show nc:1").await.unwrap();
    assert!(!gone.text().contains("Theirsname"), "{}", gone.text());
    let before = discord.messages(&old_channel).len();
    assert!(show("/setup channel:general-new").await.unwrap().acked);
    discord.wait_message(&new_channel, "Prepare for surveillance begins", SOON).await;
    assert_eq!(discord.messages(&old_channel).len(), before, "the old server was told");
    let told: String = discord.messages(&new_channel).iter().map(|m| m.text() + "\n").collect();
    assert!(!told.contains("Internal audits and reviews begins"), "said twice: {told}");
    // The journal says who moved it, and where it was; what is altered after that shows.
    ended(&mut daemon).await;
    let mut c =
        SqliteConnection::connect(&format!("sqlite://{}", daemon.database().display())).await.unwrap();
    let entry: (String, String, String) = sqlx::query_as(
        "SELECT j.verb, j.reason, p.name FROM journal j JOIN person p ON p.id = j.actor_id WHERE j.verb = 'move'",
    )
    .fetch_one(&mut c)
    .await
    .unwrap();
    assert_eq!(entry, ("move".to_owned(), format!("was at {from}"), "ana".to_owned()));
    run(&daemon, &["verify"], 0);
    sqlx::query("UPDATE organisation SET place = ? WHERE place = ?")
        .bind(&from)
        .bind(&to)
        .execute(&mut c)
        .await
        .unwrap();
    c.close().await.unwrap();
    let altered = run(&daemon, &["verify"], 74);
    assert!(altered.contains("table organisation") && altered.contains("place altered"), "{altered}");
    discord.assert_clean();
}
