//! The operator's verbs and exit codes.

use std::process::{Command, Output};

use crate::support::daemon::{Daemon, Setup};
use crate::support::discord::Discord;

fn certkeeper(folder: &std::path::Path, args: &[&str], env: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_certkeeper"))
        .args(args)
        .current_dir(folder)
        .env_clear()
        .env("CERTKEEPER_DATABASE__PATH", folder.join("ck.db"))
        .envs(env.iter().copied())
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_demo_plays_a_whole_cycle_and_ends_well() {
    let folder = tempfile::tempdir().unwrap();
    let out = certkeeper(folder.path(), &["demo"], &[]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let shown = text(&out.stdout);
    for part in ["NC-1 closed", "Recertification audit begins", "Acme ISMS: renewed", "2032-03-01"] {
        assert!(shown.contains(part), "{part}");
    }
}

#[test]
fn a_line_on_the_shell_is_journalled_and_an_altered_table_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| certkeeper(folder.path(), args, &[]);
    let add = run(&[
        "do",
        "--as",
        "ana",
        "certificate",
        "add",
        "standard:iso-9001",
        "name:Acme QMS",
        "decided:2026-03-02",
    ]);
    assert!(add.status.success(), "{}{}", text(&add.stdout), text(&add.stderr));
    let refused = run(&[
        "do",
        "--as",
        "ben",
        "--role",
        "member",
        "certificate",
        "renew",
        "certificate:1",
        "date:today",
    ]);
    assert!(!refused.status.success() && text(&refused.stdout).contains("Only managers"));
    let well = run(&["verify"]);
    assert!(
        well.status.success() && text(&well.stdout).contains("agree"),
        "{}{}",
        text(&well.stdout),
        text(&well.stderr)
    );
    let db = folder.path().join("ck.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        use sqlx::Connection as _;
        let mut c = sqlx::SqliteConnection::connect(db.to_str().unwrap()).await.unwrap();
        sqlx::query("UPDATE certificate SET name = 'Other'").execute(&mut c).await.unwrap();
        c.close().await.unwrap();
    });
    let altered = run(&["verify"]);
    assert_eq!(altered.status.code(), Some(74));
    assert!(
        text(&altered.stdout).contains("table certificate, row 1: name altered"),
        "{}",
        text(&altered.stdout)
    );
}

#[test]
fn simulate_prints_the_phases_of_the_worked_example() {
    let folder = tempfile::tempdir().unwrap();
    let args = [
        "simulate",
        "--standard",
        "iso-27001",
        "--decided",
        "2026-03-02",
        "--timezone",
        "Europe/Berlin",
        "--hour",
        "9",
        "--json",
    ];
    let out = certkeeper(folder.path(), &args, &[]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let begins: Vec<String> = text(&out.stdout)
        .lines()
        .map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap())
        .filter(|v| v["kind"] == "phase-begins")
        .map(|v| v["due"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        begins,
        [
            "2026-03-02T09:00:00+01:00",
            "2026-09-02T09:00:00+02:00",
            "2026-12-02T09:00:00+01:00",
            "2027-03-02T09:00:00+01:00",
            "2027-09-02T09:00:00+02:00",
            "2027-12-02T09:00:00+01:00",
            "2028-03-02T09:00:00+01:00",
            "2028-09-02T09:00:00+02:00",
            "2028-12-02T09:00:00+01:00",
        ]
    );
}

#[test]
fn every_fault_of_the_settings_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let env = [("CERTKEEPER_DISCORD__API", "nonsense"), ("CERTKEEPER_ORGANISATION__HOUR", "99")];
    let out = certkeeper(folder.path(), &["run"], &env);
    assert_eq!(out.status.code(), Some(78));
    let said = text(&out.stderr);
    for setting in ["discord.token", "discord.api", "organisation.hour"] {
        assert!(said.contains(setting), "{setting} in {said}");
    }
}

#[tokio::test]
async fn a_second_daemon_and_a_refused_token_have_their_exit_codes() {
    let discord = Discord::start();
    let daemon = Daemon::ready(&discord, Setup::default()).await;
    let second = daemon.certkeeper(&["run"]);
    assert_eq!(second.status.code(), Some(75), "{}", text(&second.stderr));
    let folder = tempfile::tempdir().unwrap();
    let base = discord.base.clone();
    let out = tokio::task::spawn_blocking(move || {
        let env = [
            ("CERTKEEPER_DISCORD__API", base.as_str()),
            ("CERTKEEPER_DISCORD__TOKEN", "wrong.wrong.wrong"),
            ("CERTKEEPER_HTTP__LISTEN", "off"),
        ];
        certkeeper(folder.path(), &["run"], &env)
    })
    .await
    .unwrap();
    assert_eq!(out.status.code(), Some(77), "{}", text(&out.stderr));
    assert!(!text(&out.stderr).contains("wrong.wrong"));
}

#[test]
fn the_generated_pages_are_not_stale() {
    let folder = tempfile::tempdir().unwrap();
    for page in ["commands", "settings"] {
        let out = certkeeper(folder.path(), &["docs", page], &[]);
        let kept = std::fs::read_to_string(format!("{}/docs/{page}.md", env!("CARGO_MANIFEST_DIR"))).unwrap();
        assert_eq!(
            text(&out.stdout),
            kept,
            "docs/{page}.md is stale: run certkeeper docs {page} > docs/{page}.md"
        );
    }
}

/// Every file of Rust below a folder, in one text.
fn sources(folder: &std::path::Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_fault_in_the_table_has_its_test() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = String::new();
    sources(&root.join("src"), &mut all);
    sources(&root.join("tests"), &mut all);
    let mut rows = 0;
    for page in ["reliability", "threat-model"] {
        let table = std::fs::read_to_string(root.join(format!("docs/{page}.md"))).unwrap();
        for row in
            table.lines().filter(|l| l.starts_with('|') && !l.contains("---") && !l.ends_with("| test |"))
        {
            let shown = row.trim_end_matches('|').rsplit('|').next().unwrap();
            for name in
                shown.split('`').skip(1).step_by(2).filter(|n| n.contains('_') && !n.contains(['/', '.']))
            {
                let one = if name.ends_with('_') { format!("fn {name}") } else { format!("fn {name}(") };
                assert!(all.contains(&one), "{name}: no such test, in {row}");
            }
            rows += 1;
        }
    }
    assert!(rows > 60, "{rows}");
}

#[test]
fn the_operators_grammar_is_sound() {
    certkeeper::cli::grammar().debug_assert();
}
