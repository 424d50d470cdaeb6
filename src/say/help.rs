//! Help, read off the grammar; and what forms ask.

use super::card::{Card, Line, Tone};
use crate::command::Door;
use crate::command::grammar::tree;

/// The title of the form that asks for a command's long text (at most 45 characters).
pub fn form_title(verb: &str) -> String {
    format!("/{verb}")
}

/// What a form asks for: the label (at most 45 characters) and the hint (at most 100).
pub fn input(verb: &str, option: &str, help: &str) -> (String, String) {
    let (label, hint) = match verb {
        "audit log" => {
            ("What did the audit come to?", "The conclusion: conforming or not, in a few sentences")
        }
        "nc raise" => ("What is wrong, and what shows it?", "The statement and the objective evidence"),
        "nc correct" => ("What was done about the thing itself?", "The correction, and its consequences"),
        "nc cause" => ("Why could it happen?", "Ask why until the answer is a cause that can be removed"),
        "nc plan" => {
            ("What will be done?", "The action that removes the cause, so that it does not happen again")
        }
        "nc done" => ("What was done?", "What was carried out; a link in the text counts as evidence"),
        "nc verify" => ("How was it established?", "What was looked at, and what was found"),
        _ => {
            let asked = help.split(" (asked for").next().unwrap_or(option);
            let label: String = asked.chars().take(45).collect();
            return (label, "In a few sentences".to_owned());
        }
    };
    (label.to_owned(), hint.to_owned())
}

fn usage(path: &str, command: &clap::Command) -> Line {
    let mut line = format!("/{path}");
    for arg in command.get_arguments() {
        let name = arg.get_long().unwrap_or_default();
        line.push_str(&if arg.is_required_set() { format!(" {name}:…") } else { format!(" [{name}:…]") });
    }
    Line::new().code(line)
}

/// All commands in a glance.
pub fn overview(door: Door) -> Card {
    let mut card = Card::new(Tone::Plain, "certkeeper").line(
        "Keeps your ISO certificates alive: it tells this team when each phase of the three-year cycle begins, and keeps the records that an auditor asks for.",
    );
    card = card.line(
        Line::new()
            .text("First steps: ")
            .code("/setup")
            .text(" chooses channel, zone and roles; ")
            .code("/certificate add")
            .text(" records a certificate; ")
            .code("/status")
            .text(" says where you stand."),
    );
    for command in tree().get_subcommands() {
        let about = |c: &clap::Command| c.get_about().map(ToString::to_string).unwrap_or_default();
        let mut lines: Vec<Line> = command
            .get_subcommands()
            .map(|s| {
                Line::new()
                    .code(format!("/{} {}", command.get_name(), s.get_name()))
                    .text(format!(" {}", about(s)))
            })
            .collect();
        if lines.is_empty() {
            lines.push(
                Line::new().code(format!("/{}", command.get_name())).text(format!(" {}", about(command))),
            );
        }
        card = card.field(command.get_name(), lines);
    }
    let footer = match door {
        Door::Discord => "/help command:… says more about one",
        Door::Console | Door::Shell => {
            "help COMMAND says more about one; as NAME [manager|auditor|member] switches who speaks; quit ends"
        }
    };
    card.footer(footer)
}

/// One command, with its options; or one group.
pub fn one(name: &str) -> Option<Card> {
    let words: Vec<String> =
        name.trim().trim_start_matches('/').split_whitespace().map(str::to_lowercase).collect();
    let mut command = tree();
    for word in &words {
        command = command.find_subcommand(word)?.clone();
    }
    if words.is_empty() {
        return None;
    }
    let path = words.join(" ");
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let mut card = Card::new(Tone::Plain, format!("/{path}")).line(about);
    if command.has_subcommands() {
        let lines = command
            .get_subcommands()
            .map(|s| {
                let about = s.get_about().map(ToString::to_string).unwrap_or_default();
                Line::new().code(format!("/{path} {}", s.get_name())).text(format!(" {about}"))
            })
            .collect();
        return Some(card.field("commands", lines));
    }
    card = card.line(usage(&path, &command));
    let lines = command
        .get_arguments()
        .map(|a| {
            let help = a.get_help().map(ToString::to_string).unwrap_or_default();
            let mut line = Line::new().code(a.get_long().unwrap_or_default()).text(format!(" {help}"));
            let values: Vec<String> =
                a.get_possible_values().iter().map(|v| v.get_name().to_owned()).collect();
            if !values.is_empty() && values != ["true", "false"] {
                line = line.text(format!(" ({})", values.join(", ")));
            }
            if a.is_required_set() { line.text(" (required)") } else { line }
        })
        .collect();
    Some(card.field("options", lines))
}

/// The command reference, as Markdown, for docs/commands.md.
pub fn reference() -> String {
    let mut out = String::from(
        "# Commands\n\nGenerated from the grammar by `certkeeper docs commands`; a test fails when it is stale.\n",
    );
    for command in tree().get_subcommands() {
        let subs: Vec<&clap::Command> = command.get_subcommands().collect();
        let leaves: Vec<(String, &clap::Command)> = if subs.is_empty() {
            vec![(command.get_name().to_owned(), command)]
        } else {
            subs.into_iter().map(|s| (format!("{} {}", command.get_name(), s.get_name()), s)).collect()
        };
        for (path, leaf) in leaves {
            let about = leaf.get_about().map(ToString::to_string).unwrap_or_default();
            out.push_str(&format!("\n## /{path}\n\n{about}.\n"));
            let mut args = leaf.get_arguments().peekable();
            if args.peek().is_some() {
                out.push_str("\n| option | meaning |\n|---|---|\n");
            }
            for a in args {
                let help = a.get_help().map(ToString::to_string).unwrap_or_default();
                let values: Vec<String> =
                    a.get_possible_values().iter().map(|v| format!("`{}`", v.get_name())).collect();
                let values =
                    if values.is_empty() { String::new() } else { format!(" ({})", values.join(", ")) };
                let name = a.get_long().unwrap_or_default();
                let name = if a.is_required_set() { format!("`{name}`") } else { format!("[`{name}`]") };
                out.push_str(&format!("| {name} | {help}{values} |\n"));
            }
        }
    }
    out
}
