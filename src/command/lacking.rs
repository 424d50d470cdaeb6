//! What a command line still lacks: the long texts that were left out, and the files to fetch.

use super::app::{Input, Stop};
use super::grammar::{Audit, Command, Nc};
use super::option::{FileRef, LongText};
use super::{Heard, HeardFile};
use crate::say;

/// The long text that a command needs, by its option's name, and whether it was given.
fn long(command: &Command) -> Option<(&'static str, Option<&LongText>)> {
    match command {
        Command::Audit(Audit::Log(a)) => Some(("conclusion", a.conclusion.as_ref())),
        Command::Nc(nc) => match nc {
            Nc::Raise(a) => Some(("statement", a.statement.as_ref())),
            Nc::Correct(a) => Some(("what", a.what.as_ref())),
            Nc::Cause(a) => Some(("why", a.why.as_ref())),
            Nc::Plan(a) => Some(("action", a.action.as_ref())),
            Nc::Done(a) => Some(("what", a.what.as_ref())),
            Nc::Verify(a) => Some(("how", a.how.as_ref())),
            Nc::List(_) | Nc::Show(_) | Nc::Assign(_) | Nc::Evidence(_) | Nc::Close(_) | Nc::Reopen(_) => {
                None
            }
        },
        Command::Audit(Audit::List(_) | Audit::Show(_))
        | Command::Setup(_)
        | Command::Certificate(_)
        | Command::Cycle(_)
        | Command::Status(_)
        | Command::Help(_) => None,
    }
}

/// The inputs of the form that asks for what was left out.
pub(super) fn texts(command: &Command) -> Vec<Input> {
    match long(command) {
        Some((name, given)) if given.is_none_or(|t| t.0.is_empty()) => {
            let (label, hint) = say::help::input(command.verb());
            vec![Input { name: name.to_owned(), label: label.to_owned(), hint: hint.to_owned() }]
        }
        _ => Vec::new(),
    }
}

/// The same command with its long text filled in, to rehearse it.
pub(super) fn filled(command: &Command) -> Command {
    let mut command = command.clone();
    let blank = |text: &mut Option<LongText>| {
        if text.as_ref().is_none_or(|t| t.0.is_empty()) {
            *text = Some(LongText("-".to_owned()));
        }
    };
    match &mut command {
        Command::Audit(Audit::Log(a)) => blank(&mut a.conclusion),
        Command::Nc(Nc::Raise(a)) => blank(&mut a.statement),
        Command::Nc(Nc::Correct(a)) => blank(&mut a.what),
        Command::Nc(Nc::Cause(a)) => blank(&mut a.why),
        Command::Nc(Nc::Plan(a)) => blank(&mut a.action),
        Command::Nc(Nc::Done(a)) => blank(&mut a.what),
        Command::Nc(Nc::Verify(a)) => blank(&mut a.how),
        Command::Audit(Audit::List(_) | Audit::Show(_))
        | Command::Nc(
            Nc::List(_) | Nc::Show(_) | Nc::Assign(_) | Nc::Evidence(_) | Nc::Close(_) | Nc::Reopen(_),
        )
        | Command::Setup(_)
        | Command::Certificate(_)
        | Command::Cycle(_)
        | Command::Status(_)
        | Command::Help(_) => {}
    }
    command
}

/// The file that a command names.
fn file(command: &Command) -> Option<&FileRef> {
    match command {
        Command::Audit(Audit::Log(a)) => a.report.as_ref(),
        Command::Nc(nc) => match nc {
            Nc::Raise(a) => a.evidence.as_ref(),
            Nc::Correct(a) => a.evidence.as_ref(),
            Nc::Done(a) => a.evidence.as_ref(),
            Nc::Verify(a) => a.evidence.as_ref(),
            Nc::Evidence(a) => a.file.as_ref(),
            Nc::Cause(_)
            | Nc::Plan(_)
            | Nc::List(_)
            | Nc::Show(_)
            | Nc::Assign(_)
            | Nc::Close(_)
            | Nc::Reopen(_) => None,
        },
        Command::Audit(Audit::List(_) | Audit::Show(_))
        | Command::Setup(_)
        | Command::Certificate(_)
        | Command::Cycle(_)
        | Command::Status(_)
        | Command::Help(_) => None,
    }
}

/// The files to fetch before a command can be carried out.
pub(super) fn files(command: &Command, heard: &Heard) -> Result<Vec<(String, HeardFile)>, Stop> {
    match file(command) {
        None => Ok(Vec::new()),
        Some(FileRef(reference)) => match heard.files.get(reference) {
            Some(offered) => Ok(vec![(reference.clone(), offered.clone())]),
            None => Err(Stop::Refused(say::refusal::no_such_file(reference))),
        },
    }
}
