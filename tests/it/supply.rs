//! What the program is built from: deny.toml's rules, held without cargo-deny and without the network.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

/// Whether a licence expression (SPDX; `/` is an old way to say `OR`) is met by what is allowed.
fn met(expression: &str, allowed: &dyn Fn(&str) -> bool) -> bool {
    fn any(words: &mut Vec<String>, allowed: &dyn Fn(&str) -> bool) -> bool {
        let mut met = all(words, allowed);
        while words.last().is_some_and(|w| w == "OR") {
            words.pop();
            met |= all(words, allowed);
        }
        met
    }
    fn all(words: &mut Vec<String>, allowed: &dyn Fn(&str) -> bool) -> bool {
        let mut met = one(words, allowed);
        while words.last().is_some_and(|w| w == "AND") {
            words.pop();
            met &= one(words, allowed);
        }
        met
    }
    fn one(words: &mut Vec<String>, allowed: &dyn Fn(&str) -> bool) -> bool {
        let word = words.pop().unwrap();
        if word == "(" {
            let met = any(words, allowed);
            assert_eq!(words.pop().as_deref(), Some(")"));
            return met;
        }
        if words.last().is_some_and(|w| w == "WITH") {
            words.pop();
            let exception = words.pop().unwrap();
            return allowed(&format!("{word} WITH {exception}"));
        }
        allowed(&word)
    }
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words: Vec<String> = spaced.split_whitespace().rev().map(str::to_owned).collect();
    let met = any(&mut words, allowed);
    assert!(words.is_empty(), "{expression}: {words:?} is left over");
    met
}

#[test]
fn every_dependency_has_an_allowed_licence_and_source() {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--offline", "--format-version", "1", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let rules: toml::Table = include_str!("../../deny.toml").parse().unwrap();
    let texts = |at: &toml::Value| -> BTreeSet<String> {
        at.as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_owned()).collect()
    };
    let allow = texts(&rules["licenses"]["allow"]);
    let banned: BTreeSet<&str> =
        rules["bans"]["deny"].as_array().unwrap().iter().map(|b| b["crate"].as_str().unwrap()).collect();
    let mut used = BTreeSet::new();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100);
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let Some(source) = package["source"].as_str() else {
            assert_eq!(name, "certkeeper", "a dependency from a folder");
            continue;
        };
        assert_eq!(source, "registry+https://github.com/rust-lang/crates.io-index", "{name}");
        assert!(!banned.contains(name), "{name} is banned in deny.toml");
        let licence = package["license"].as_str().unwrap_or_else(|| panic!("{name} names no licence"));
        assert!(met(licence, &|one| allow.contains(one)), "{name}: {licence} is not allowed in deny.toml");
        used.extend(
            allow.iter().filter(|one| !met(licence, &|other| allow.contains(other) && other != **one)),
        );
    }
    let idle: Vec<_> = allow.iter().filter(|one| !used.contains(one) && *one != "Apache-2.0").collect();
    assert!(idle.is_empty(), "allowed in deny.toml and needed by nothing: {idle:?}");
}

#[test]
fn every_exception_is_reasoned_and_has_a_day_on_which_it_is_looked_at_again() {
    let rules: toml::Table = include_str!("../../deny.toml").parse().unwrap();
    let ignored =
        rules["advisories"].get("ignore").and_then(toml::Value::as_array).cloned().unwrap_or_default();
    for one in ignored {
        let reason = one.get("reason").and_then(toml::Value::as_str).unwrap_or_default();
        let (why, day) =
            reason.split_once("review by ").unwrap_or_else(|| panic!("{one:?}: no `review by` day"));
        assert!(why.len() > 20, "{one:?}: say why");
        assert!(day.trim().parse::<chrono::NaiveDate>().is_ok(), "{one:?}: {day} is no day");
    }
}

#[test]
fn a_licence_expression_is_read_as_spdx_says() {
    let mit = |one: &str| one == "MIT";
    for yes in ["MIT", "MIT OR X", "X/MIT", "(X OR MIT) AND MIT", "X AND X OR MIT", "MIT OR X WITH Y"] {
        assert!(met(yes, &mit), "{yes}");
    }
    for no in ["X", "MIT AND X", "MIT WITH Y", "(MIT OR X) AND X", "X OR MIT AND X"] {
        assert!(!met(no, &mit), "{no}");
    }
}
