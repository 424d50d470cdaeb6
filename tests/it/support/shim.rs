//! Libraries that stand between the program under test and its machine (`LD_PRELOAD`).

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;

/// What was built in this run of the tests; the folders go with the process's temporary ones.
static BUILT: Mutex<Option<HashMap<&'static str, Option<(PathBuf, tempfile::TempDir)>>>> = Mutex::new(None);

/// A library of this source, built once per run of the tests; nothing, with a loud line, on a machine that has no C
/// compiler.
pub(crate) fn built(name: &'static str, source: &str) -> Option<PathBuf> {
    let mut all = BUILT.lock().unwrap();
    let one = all.get_or_insert_default().entry(name).or_insert_with(|| build(name, source));
    one.as_ref().map(|(library, _)| library.clone())
}

fn build(name: &str, text: &str) -> Option<(PathBuf, tempfile::TempDir)> {
    let folder = tempfile::tempdir().unwrap();
    let (source, library) =
        (folder.path().join(format!("{name}.c")), folder.path().join(format!("{name}.so")));
    std::fs::write(&source, text).unwrap();
    let made = Command::new("cc")
        .args(["-shared", "-fPIC", "-O2", "-o"])
        .args([&library, &source])
        .arg("-ldl")
        .output();
    match made {
        Ok(made) if made.status.success() => Some((library, folder)),
        Ok(made) => panic!("cc: {}", String::from_utf8_lossy(&made.stderr)),
        Err(why) => {
            eprintln!("SKIP: no C compiler (`cc`: {why}): tests that need {name} are NOT run");
            None
        }
    }
}
