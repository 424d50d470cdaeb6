//! What a command line still lacks: the long texts that were left out, and the files to fetch. Both are read off the
//! grammar: a [`super::option::LongText`] is needed even where the chat lets it be left out.

use super::app::{Input, Stop};
use super::grammar::{self, Command};
use super::option::{Kind, kind};
use super::{Heard, HeardFile};
use crate::say;

/// How many inputs a form takes.
const MOST: usize = 5;

/// The options of the command that a line names, of one kind, each with what the line gives for it.
fn options(argv: &[String], of: Kind) -> Vec<(clap::Arg, Option<String>)> {
    let Some(leaf) = grammar::leaf(argv) else { return Vec::new() };
    leaf.get_arguments()
        .filter(|arg| kind(arg) == of)
        .map(|arg| {
            let name = format!("--{}", arg.get_long().unwrap_or_default());
            let mut words = argv.iter().skip_while(|w| !w.starts_with(&name));
            let given = match words.next().and_then(|w| w.strip_prefix(name.as_str())) {
                Some("") => words.next().cloned(),
                Some(value) => value.strip_prefix('=').map(str::to_owned),
                None => None,
            };
            (arg.clone(), given.map(|g| g.trim().to_owned()).filter(|g| !g.is_empty()))
        })
        .collect()
}

/// The inputs of the form that asks for what was left out, with those that may stay empty after them.
pub(super) fn texts(command: &Command, argv: &[String]) -> Vec<Input> {
    let lacking = |kind| options(argv, kind).into_iter().filter(|(_, given)| given.is_none());
    let needed: Vec<_> = lacking(Kind::Long).map(|(arg, _)| (arg, false)).collect();
    if needed.is_empty() {
        return Vec::new();
    }
    needed
        .into_iter()
        .chain(lacking(Kind::More).map(|(arg, _)| (arg, true)))
        .take(MOST)
        .map(|(arg, optional)| {
            let name = arg.get_long().unwrap_or_default();
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            let (label, hint) = say::help::input(command.verb(), name, &help);
            Input { name: name.to_owned(), label, hint, optional }
        })
        .collect()
}

/// The same line with its long texts filled in, to rehearse it.
pub(super) fn filled(argv: &[String], inputs: &[Input]) -> Vec<String> {
    let name_of = |word: &String| {
        word.strip_prefix("--").and_then(|w| w.split('=').next()).map(str::to_owned).unwrap_or_default()
    };
    let mut line: Vec<String> =
        argv.iter().filter(|w| !inputs.iter().any(|i| i.name == name_of(w))).cloned().collect();
    line.extend(inputs.iter().map(|i| format!("--{}=-", i.name)));
    line
}

/// The files to fetch before a command can be carried out.
pub(super) fn files(argv: &[String], heard: &Heard) -> Result<Vec<(String, HeardFile)>, Stop> {
    options(argv, Kind::File)
        .into_iter()
        .filter_map(|(_, given)| given)
        .map(|reference| match heard.files.get(&reference) {
            Some(offered) => Ok((reference, offered.clone())),
            None => Err(Stop::Refused(say::refusal::no_such_file(&reference))),
        })
        .collect()
}
