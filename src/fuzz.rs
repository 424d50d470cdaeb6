//! Every parser given what nobody meant it for. `PROPTEST_CASES=100000 cargo test fuzz` does it at length.
//!
//! What holds: nothing panics, it ends in bounded time, and a person gets a sentence.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::catalogue::Catalogue;
use crate::command::grammar::{self, tree};
use crate::command::option::{Kind, kind};
use crate::command::{Actor, Answer, App, Defaults, Door, Heard, HeardChannel, HeardFile, Received, Request};
use crate::config::{Needs, Settings};
use crate::domain::day;
use crate::sheet;
use crate::store::journal::{Table, altered};
use crate::store::{Store, verify};

/// What people send that is not what was asked for.
static HOSTILE: LazyLock<Vec<String>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../tests/fixtures/hostile.json")).unwrap());

/// Fewer cases where one costs much, more where somebody asks for more.
fn cases(usual: u32) -> ProptestConfig {
    let asked = std::env::var_os("PROPTEST_CASES").and_then(|n| n.to_str()?.parse().ok());
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(asked.unwrap_or(usual)) }
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => (0..HOSTILE.len()).prop_map(|i| HOSTILE[i].clone()),
        2 => "\\PC{0,40}",
        1 => "(?s).{0,80}",
        1 => "[0-9A-Za-z.:;,|–-]{0,30}",
        1 => Just(String::new()),
        1 => "[ -~]{0,30}".prop_map(|s| s.repeat(100)),
    ]
}

/// A file of ours with some of it replaced, taken out or said twice.
fn spoiled(text: &str, at: usize, len: usize, by: &str) -> String {
    let boundary = |mut at: usize| {
        at %= text.len() + 1;
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let from = boundary(at);
    let to = boundary(from + len).max(from);
    format!("{}{by}{}", &text[..from], &text[to..])
}

/// Every command, by its words.
fn leaves() -> Vec<(Vec<String>, clap::Command)> {
    fn below(at: &clap::Command, path: &[String], out: &mut Vec<(Vec<String>, clap::Command)>) {
        for sub in at.get_subcommands() {
            let path = [path, &[sub.get_name().to_owned()]].concat();
            if sub.has_subcommands() {
                below(sub, &path, out);
            } else {
                out.push((path, sub.clone()));
            }
        }
    }
    let mut out = Vec::new();
    below(&tree(), &[], &mut out);
    out
}

/// A value that an option of this kind might be given: often one that fits, so that what comes behind it is reached.
fn value(arg: &clap::Arg, pick: usize, text: &str) -> String {
    let of = |fitting: &[&str]| match pick % 4 {
        0 => text.to_owned(),
        _ => fitting[pick / 4 % fitting.len()].to_owned(),
    };
    match kind(arg) {
        Kind::Day => {
            of(&["today", "tomorrow", "2026-03-02", "2027-01-01", "in 3 weeks", "31.12.2099", "1990-01-01"])
        }
        Kind::Named(_) => of(&[
            "1",
            "C-1",
            "A-1",
            "NC-1",
            "F-1",
            "ACT-1",
            "MR-1",
            "R-1",
            "9.2",
            "A.5.1-A.5.8",
            "all",
            "UTC",
        ]),
        Kind::Choice => {
            let all = arg.get_possible_values();
            let names: Vec<&str> = all.iter().map(clap::builder::PossibleValue::get_name).collect();
            of(&names)
        }
        Kind::Standard => of(&["iso-27001", "iso-9001"]),
        Kind::Whole { min, max } => of(&[&min.to_string(), &max.to_string(), "7", "-1", "4294967296", "1e3"]),
        Kind::YesNo => of(&["true", "false"]),
        Kind::Person => of(&["100000000000000001", "100000000000000002", "0", "<@>"]),
        Kind::Role => of(&["200000000000000001", "7"]),
        Kind::Channel => of(&["300000000000000001", "300000000000000002"]),
        Kind::File => "sheet".to_owned(),
        Kind::Text | Kind::Long | Kind::More => text.to_owned(),
    }
}

fn at(minute: i64) -> DateTime<Utc> {
    "2026-03-02T08:00:00Z".parse::<DateTime<Utc>>().unwrap() + chrono::TimeDelta::minutes(minute)
}

fn request(argv: Vec<String>, n: i64) -> Request {
    let mut heard = Heard::default();
    heard.channels.insert("300000000000000001".to_owned(), HeardChannel::default());
    let file = HeardFile { name: HOSTILE[0].clone(), media_type: None, size: 9, from: String::new() };
    heard.files.insert("sheet".to_owned(), file);
    Request {
        place: "discord:7".to_owned(),
        place_name: Some("Acme".to_owned()),
        door: Door::Discord,
        actor: Actor {
            handle: "100000000000000001".to_owned(),
            name: "Ann".to_owned(),
            roles: Vec::new(),
            manages_place: true,
            spoken_as: None,
        },
        channel: Some("300000000000000001".to_owned()),
        at: at(n),
        key: Some(n.to_string()),
        argv,
        heard,
    }
}

/// What a request comes to; a form is filled in with `text`.
pub(crate) async fn answer(app: &App, argv: Vec<String>, n: i64, text: &str, bytes: &[u8]) -> Answer {
    let mut prepared = app.prepare(request(argv, n)).await;
    if let Err(Answer::Ask(form)) = &prepared {
        let fields = form.inputs.iter().map(|i| (i.name.clone(), text.to_owned())).collect();
        prepared = app.resume(&form.id, fields, request(Vec::new(), -n)).await;
    }
    match prepared {
        Ok(prepared) => {
            let files = prepared
                .files
                .iter()
                .map(|(reference, _)| Received { reference: reference.clone(), bytes: Ok(bytes.to_vec()) });
            let files = files.collect();
            app.perform(prepared, files).await
        }
        Err(answer) => answer,
    }
}

pub(crate) fn words(answer: &Answer) -> String {
    match answer {
        Answer::Say { card, .. } => {
            let fields = card.fields.iter().flat_map(|f| &f.lines);
            let lines: Vec<String> =
                card.lines.iter().chain(fields).map(crate::say::card::Line::plain).collect();
            format!("{} {}", card.title.plain(), lines.join("\n"))
        }
        Answer::Ask(form) => form.title.clone(),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

pub(crate) async fn office(folder: &std::path::Path) -> App {
    let store = Store::open(&folder.join("fuzz.db")).await.unwrap();
    let catalogue = Arc::new(Catalogue::embedded().unwrap());
    let app = App::new(store, catalogue, Defaults { zone: Tz::Europe__Berlin, hour: 9 });
    for (n, line) in (1..).zip([
        "setup --timezone=Europe/Berlin",
        "certificate add --standard=iso-27001 --name=Acme --decided=2026-03-02",
        "audit log --certificate=1 --kind=internal --date=today --scope=x --lead-name=y --conclusion=z",
        "nc raise --certificate=1 --grade=minor --clause=9.2 --statement=x",
        "finding raise --audit=1 --grade=opportunity --clause=9.2 --statement=x",
        "action add --certificate=1 --owner=100000000000000002 --due=tomorrow --what=x",
        "review plan --certificates=1 --date=tomorrow",
        "area add --name=Depot",
        "change log --kind=internal --what=x",
    ]) {
        let argv = line.split(' ').map(str::to_owned).collect();
        let said = words(&answer(&app, argv, n, "", b"").await);
        assert!(!said.contains("Not done"), "{line}: {said}");
    }
    app
}

proptest! {
    #![proptest_config(cases(12))]

    /// Whole commands, every option of every one, through forms and files: a sentence comes back, nothing of ours
    /// breaks, and what is on record stays whole.
    #[test]
    fn fuzz_every_command_with_any_text(
        texts in vec(any_text(), 8), picks in vec(any::<usize>(), 8), given in any::<u64>(),
        bytes in prop_oneof![
            vec(any::<u8>(), 0..200),
            "(name|reference|kind|owner|audit|[;,\t\n\"a-z0-9@=+-]){0,40}".prop_map(String::into_bytes),
        ],
    ) {
        let folder = tempfile::tempdir().unwrap();
        runtime().block_on(async {
            let app = office(folder.path()).await;
            for (n, (path, leaf)) in (1_000..).zip(leaves()) {
                let seed = usize::try_from(n).unwrap();
                let mut argv = path.clone();
                for (i, arg) in leaf.get_arguments().enumerate() {
                    if arg.is_required_set() || given >> ((seed + i) % 64) & 1 == 1 {
                        let text = &texts[(seed + i) % texts.len()];
                        let pick = picks[(seed * 7 + i) % picks.len()];
                        argv.push(format!("--{}={}", arg.get_long().unwrap(), value(arg, pick, text)));
                    }
                }
                let begun = Instant::now();
                let said = words(&answer(&app, argv.clone(), n, &texts[seed % texts.len()], &bytes).await);
                assert!(said.trim().len() > 1, "{argv:?} is answered with nothing");
                assert!(!said.contains("give the admin the reference"), "{argv:?}: {said}");
                assert!(begun.elapsed() < Duration::from_secs(5), "{argv:?} took {:?}", begun.elapsed());
                for arg in leaf.get_arguments() {
                    app.complete(&request(argv.clone(), n), arg.get_long().unwrap(), &texts[0]).await;
                }
            }
            let mut c = app.store().read().await.unwrap();
            for v in verify::all(&mut c).await.unwrap() {
                assert!(v.altered.is_empty(), "{:?}", v.altered);
            }
        });
    }

    #[test]
    fn fuzz_a_file_that_is_no_database_is_refused(bytes in vec(any::<u8>(), 0..9_000), magic in any::<bool>()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.db");
        let mut bytes = bytes;
        if magic {
            bytes.splice(0..0, *b"SQLite format 3\0\x10\x00\x01\x01\x00\x40\x20\x20");
        }
        std::fs::write(&path, &bytes).unwrap();
        let put_back = runtime().block_on(async {
            let to = folder.path().join("mine.db");
            crate::backup::restore(&path, &to, false, at(0)).await.map(drop).map_err(|e| e.to_string())
        });
        prop_assert!(put_back.is_err_and(|why| why.len() > 10));
        prop_assert!(!folder.path().join("mine.db").exists());
        prop_assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn fuzz_any_argv(
        command in 0_usize..500, words in vec(any_text(), 0..6), names in vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let all = leaves();
        let (path, leaf) = &all[command % all.len()];
        let options: Vec<&str> = leaf.get_arguments().filter_map(clap::Arg::get_long).collect();
        let mut argv = path.clone();
        for (word, name) in words.iter().zip(&names) {
            let name = if options.is_empty() { "x" } else { options[name.index(options.len())] };
            argv.push(format!("--{name}={word}"));
        }
        argv.extend(words.get(4..).unwrap_or_default().iter().cloned());
        if let Err(e) = grammar::parse(&argv) {
            prop_assert!(crate::say::refusal::grammar(&e, &argv).plain().len() > 10);
        }
        if let Err(e) = grammar::parse(&words) {
            prop_assert!(crate::say::refusal::grammar(&e, &words).plain().len() > 10);
        }
    }

    #[test]
    fn fuzz_a_line_at_the_console(line in any_text(), more in any_text()) {
        let tree = tree();
        for typed in [&line, &format!("/nc raise statement:{line} clause:{more}"), &format!("{line}:{more}")] {
            let _understood = crate::chat::console::line::read(&tree, typed);
            let _place = crate::chat::console::line::place(&tree, typed);
            let parts = crate::chat::console::line::parts(&tree, typed);
            prop_assert_eq!(&parts.iter().map(|(_, part)| *part).collect::<String>(), typed);
        }
    }

    #[test]
    fn fuzz_a_day_as_typed(typed in any_text(), number in "[0-9]{0,22}", word in "(in |next |last |)", unit in "( days?| weeks?| months?| years?|\\.|/|-|)") {
        let today = NaiveDate::from_ymd_opt(2028, 2, 29).unwrap();
        for typed in [&typed, &format!("{word}{number}{unit}"), &format!("{number}{unit}{number}{unit}{number}")] {
            if let Ok(day) = day::parse(typed, today) {
                prop_assert!((1900..=2300).contains(&chrono::Datelike::year(&day)), "{typed:?}: {day}");
            }
        }
    }

    #[test]
    fn fuzz_a_row_and_its_image(image in any_text(), row in any_text(), spoil in any::<usize>(), by in any_text()) {
        let whole = "{\"id\":1,\"org_id\":2,\"text\":\"x\",\"deep\":[[1],{\"a\":null}]}";
        let image = if spoil % 2 == 0 { image } else { spoiled(whole, spoil, 5, &by) };
        let found = altered(Table::Audit, &image, whole);
        prop_assert_eq!(found.is_empty(), image == whole || serde_json::from_str::<serde_json::Value>(&image).ok() == serde_json::from_str(whole).ok());
        let _other = altered(Table::Record, &image, &row);
        let nested = "[".repeat(100_000);
        prop_assert!(!altered(Table::Record, &nested, &row).is_empty());
    }
}

proptest! {
    #![proptest_config(cases(30))]

    #[test]
    fn fuzz_a_catalogue_of_somebodys_own(
        at in any::<usize>(), len in 0_usize..60, by in prop_oneof![any_text(), "[\\[\\]{}=\".,#\n0-9a-z-]{0,12}"],
        programme in any::<bool>(),
    ) {
        let text = if programme {
            include_str!("../config/programmes/iso-three-year.toml")
        } else {
            include_str!("../config/standards/iso-9001.toml")
        };
        for text in [spoiled(text, at, len, &by), by] {
            if let Err(faults) = Catalogue::with_files(&[("mine.toml", text)]) {
                prop_assert!(faults.iter().all(|f| f.line > 0 && f.reason.len() > 5), "{faults:?}");
                prop_assert!(!faults.is_empty());
            }
        }
    }

    #[test]
    fn fuzz_the_settings(
        at in any::<usize>(), len in 0_usize..60, by in prop_oneof![any_text(), "[\\[\\]{}=\".,#\n0-9a-z_-]{0,12}"],
        name in "(CERTKEEPER_[A-Z_]{0,20}|CERTKEEPER_(HTTP__LISTEN|DISCORD__GUILD|DATABASE__PATH|LOG__FILTER))",
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        std::fs::write(&path, spoiled(include_str!("../config/default.toml"), at, len, &by)).unwrap();
        let env = BTreeMap::from([(name, by), ("CERTKEEPER_DISCORD__TOKEN".to_owned(), "Secrettoken".to_owned())]);
        match Settings::load(Some(&path), env.into_iter(), Needs::Discord) {
            Ok((settings, _)) => {
                let debug = format!("{settings:?}");
                prop_assert!(!debug.contains("Secrettoken"));
            }
            Err(faults) => {
                let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
                prop_assert!(!said.is_empty() && said.iter().all(|f| f.len() > 10), "{said:?}");
                prop_assert!(!said.concat().contains("Secrettoken"), "{said:?}");
            }
        }
    }

    #[test]
    fn fuzz_a_table(text in vec(any_text(), 0..30), between in "[,;\t]", at in any::<usize>(), by in vec(any::<u8>(), 0..8)) {
        let csv = text.join(&between);
        let mut bytes = csv.into_bytes();
        let _whole = sheet::read(&bytes);
        let from = at % (bytes.len() + 1);
        bytes.splice(from..from, by.iter().copied());
        let _spoiled = sheet::read(&bytes);
        let mut workbook = sheet::tests::workbook("<row r=\"1\"><c r=\"A1\"><v>1</v></c></row><row r=\"2\"><c r=\"A2\" t=\"s\"><v>0</v></c></row>", "<sst uniqueCount=\"1\"><si><t>x</t></si></sst>");
        prop_assert!(sheet::read(&workbook).is_ok());
        let from = at % workbook.len();
        let to = (from + by.len()).min(workbook.len());
        workbook.splice(from..to, by);
        // Aside, as the import does it: a reader that stumbles costs the file only.
        let begun = Instant::now();
        let _outcome = std::thread::spawn(move || sheet::read(&workbook)).join();
        prop_assert!(begun.elapsed() < Duration::from_secs(5));
    }
}
