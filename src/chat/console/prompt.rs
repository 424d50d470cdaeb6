//! The prompt: a line editor with history, completion, hints and colours. Where no one sits at a terminal it just
//! reads lines. It waits for a person, so it belongs on a thread of its own.

use std::borrow::Cow;
use std::io::{BufRead as _, IsTerminal as _};

use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint, Hinter};
use rustyline::history::DefaultHistory;
use rustyline::validate::Validator;
use rustyline::{ColorMode, CompletionType, Config, Context, Editor, Helper};

use super::line::{self, Part, Place};
use crate::command::Choice;
use crate::command::option::Kind;

/// How many completions are offered at most.
const MOST: usize = 25;

/// Offers values for an option: the rest of the line as an argv, the option, what stands there of its value.
pub type Offer = Box<dyn Fn(&[String], &str, &str) -> Vec<Choice> + Send>;

/// A prompt.
pub struct Prompt {
    editor: Option<Editor<Door, DefaultHistory>>,
    asked: bool,
}

impl std::fmt::Debug for Prompt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prompt").field("interactive", &self.editor.is_some()).finish_non_exhaustive()
    }
}

impl Prompt {
    /// A prompt for the grammar `tree`, in colours if `colour` and the terminal has them. Without a terminal it
    /// reads plain lines.
    pub fn new(tree: clap::Command, completer: Offer, colour: bool) -> Self {
        let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        let mode = if colour { ColorMode::Enabled } else { ColorMode::Disabled };
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .completion_prompt_limit(200)
            .auto_add_history(true)
            .color_mode(mode)
            .build();
        let editor = terminal.then(|| Editor::with_config(config).ok()).flatten().map(|mut editor| {
            editor.set_helper(Some(Door { tree, offer: completer }));
            editor
        });
        Self { editor, asked: false }
    }

    /// Reads the next line; `None` at the end of the input, or when the person leaves (Ctrl-D, Ctrl-C twice).
    #[expect(clippy::print_stdout, reason = "the prompt talks to the person at the terminal")]
    pub fn read(&mut self, prompt: &str) -> Option<String> {
        let Some(editor) = &mut self.editor else {
            return plain_line();
        };
        loop {
            match editor.readline(prompt) {
                Ok(typed) => {
                    self.asked = false;
                    return Some(typed);
                }
                Err(ReadlineError::Interrupted) if !self.asked => {
                    self.asked = true;
                    println!("(`quit`, Ctrl-D or Ctrl-C again to leave)");
                }
                Err(_) => return None,
            }
        }
    }
}

/// A line of an input that is no terminal; what is not UTF-8 in it is replaced.
fn plain_line() -> Option<String> {
    let mut bytes = Vec::new();
    match std::io::stdin().lock().read_until(b'\n', &mut bytes) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned()),
    }
}

/// What the editor asks about the line.
struct Door {
    tree: clap::Command,
    offer: Offer,
}

impl Helper for Door {}

impl Validator for Door {}

/// Text shown after the cursor, dimmed; only some of it may be taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Whisper {
    shown: String,
    taken: bool,
}

impl Hint for Whisper {
    fn display(&self) -> &str {
        &self.shown
    }

    fn completion(&self) -> Option<&str> {
        self.taken.then_some(self.shown.as_str())
    }
}

impl Hinter for Door {
    type Hint = Whisper;

    fn hint(&self, line: &str, pos: usize, _: &Context<'_>) -> Option<Whisper> {
        if pos < line.len() || line.trim().is_empty() {
            return None;
        }
        whisper(&self.tree, line)
    }
}

/// What is whispered after a line that is being typed: the rest of the only word that fits, or what may follow.
fn whisper(tree: &clap::Command, before: &str) -> Option<Whisper> {
    let rest = |start: usize, words: &[(String, String)], end: &str| {
        let begun = before.get(start..)?.trim_start_matches('-').to_lowercase();
        match words {
            [(only, _)] if !begun.is_empty() => {
                let shown = format!("{}{end}", only.strip_prefix(&begun)?);
                (!shown.is_empty()).then_some(Whisper { shown, taken: true })
            }
            _ => None,
        }
    };
    let list = |words: &[(String, String)], glue: &str| {
        let names: Vec<&str> = words.iter().map(|(name, _)| name.as_str()).collect();
        (!names.is_empty()).then(|| Whisper { shown: names.join(glue), taken: false })
    };
    match line::place(tree, before) {
        Place::Path { start, words } if before.len() == start => list(&words, " | "),
        Place::Path { start, words } => rest(start, &words, " "),
        Place::Name { start, names } if before.len() == start => {
            let names: Vec<_> = names.into_iter().map(|(name, help)| (format!("{name}:"), help)).collect();
            list(&names, " ")
        }
        Place::Name { start, names } => rest(start, &names, ":"),
        Place::Value { start, typed, values, kind, .. } => match kind {
            Kind::Choice | Kind::YesNo if typed.is_empty() => list(&values, " | "),
            Kind::Choice | Kind::YesNo => {
                let fitting: Vec<_> = values
                    .into_iter()
                    .filter(|(value, _)| value.starts_with(&typed.to_lowercase()))
                    .collect();
                rest(start, &fitting, "")
            }
            Kind::Day if typed.is_empty() => Some(Whisper {
                shown: "a day: 2026-03-02, today, in 3 weeks, next friday".to_owned(),
                taken: false,
            }),
            Kind::File if typed.is_empty() => Some(Whisper { shown: "a path".to_owned(), taken: false }),
            Kind::Whole { min, max } if typed.is_empty() => {
                Some(Whisper { shown: format!("{min} to {max}"), taken: false })
            }
            Kind::Text
            | Kind::Long
            | Kind::More
            | Kind::Day
            | Kind::Named(_)
            | Kind::Standard
            | Kind::Whole { .. }
            | Kind::Person
            | Kind::Role
            | Kind::Channel
            | Kind::File => None,
        },
        Place::Nowhere => None,
    }
}

impl Completer for Door {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> Result<(usize, Vec<Pair>), ReadlineError> {
        Ok(complete(&self.tree, &self.offer, line.get(..pos).unwrap_or(line)))
    }
}

/// The completions of a line that is being typed, and where they begin.
fn complete(tree: &clap::Command, offer: &Offer, before: &str) -> (usize, Vec<Pair>) {
    let pair = |display: String, replacement: String| Pair { display, replacement };
    let explained = |name: &str, help: &str| {
        if help.is_empty() { name.to_owned() } else { format!("{name}  {help}") }
    };
    match line::place(tree, before) {
        Place::Path { start, words } => {
            let pairs = words.iter().map(|(word, help)| pair(explained(word, help), format!("{word} ")));
            (start, pairs.collect())
        }
        Place::Name { start, names } => {
            let dashed = before.get(start..).is_some_and(|typed| typed.starts_with('-'));
            let shape = |name: &str| if dashed { format!("--{name}=") } else { format!("{name}:") };
            let pairs = names.iter().map(|(name, help)| pair(explained(&shape(name), help), shape(name)));
            (start, pairs.collect())
        }
        Place::Value { start, option, typed, argv, values, kind } => {
            let choices: Vec<(String, String)> = match kind {
                Kind::Text | Kind::Long | Kind::More | Kind::Whole { .. } => Vec::new(),
                Kind::File => paths(&typed).into_iter().map(|path| (path.clone(), path)).collect(),
                Kind::Choice | Kind::YesNo => values
                    .into_iter()
                    .filter(|(value, _)| value.starts_with(&typed.to_lowercase()))
                    .map(|(value, help)| (explained(&value, &help), value))
                    .collect(),
                Kind::Day | Kind::Named(_) | Kind::Standard | Kind::Person | Kind::Role | Kind::Channel => {
                    offer(&argv, &option, &typed)
                        .into_iter()
                        .map(|choice| (choice.label, choice.value))
                        .collect()
                }
            };
            let running = before.get(..start).is_some_and(|head| head.ends_with(':') || head.ends_with(' '));
            let pairs = choices.into_iter().take(MOST).map(|(label, value)| {
                pair(super::render::clean(&label).replace('\n', " "), quoted(&value, running))
            });
            (start, pairs.collect())
        }
        Place::Nowhere => (before.len(), Vec::new()),
    }
}

/// A value as it can stand in a line; a folder is left open to be gone into.
fn quoted(value: &str, running: bool) -> String {
    let value = super::render::clean(value).replace('\n', " ");
    let end = if value.ends_with('/') { "" } else { " " };
    let odd = value.contains([':', '"', '\\']) || value.starts_with(['\'', '“', '-', '#']);
    if odd || (value.contains(' ') && !running) {
        format!("\"{}\"{end}", value.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        format!("{value}{end}")
    }
}

/// The files and folders that a path, as far as it is typed, can go on to.
fn paths(typed: &str) -> Vec<String> {
    let (folder, begun) = typed.rfind('/').map_or(("", typed), |at| typed.split_at(at + 1));
    let listing = std::fs::read_dir(if folder.is_empty() { "." } else { folder });
    let mut found: Vec<String> = listing
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let hidden = name.starts_with('.') && !begun.starts_with('.');
            let end = if entry.path().is_dir() { "/" } else { "" };
            (name.starts_with(begun) && !hidden).then(|| format!("{folder}{name}{end}"))
        })
        .collect();
    found.sort();
    found
}

impl Highlighter for Door {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        let mut out = String::with_capacity(line.len() + 32);
        for (part, stretch) in line::parts(&self.tree, line) {
            match part {
                Part::Path => out.extend(["\u{1b}[1;36m", stretch, "\u{1b}[0m"]),
                Part::Name => out.extend(["\u{1b}[34m", stretch, "\u{1b}[0m"]),
                Part::Value => out.push_str(stretch),
            }
        }
        Cow::Owned(out)
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        Cow::Owned(format!("\u{1b}[1;32m{prompt}\u{1b}[0m"))
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(format!("\u{1b}[2m{hint}\u{1b}[0m"))
    }

    fn highlight_char(&self, _: &str, _: usize, _: CmdKind) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::grammar::tree;

    fn offered(before: &str) -> String {
        let offer: Offer = Box::new(|argv, option, typed| {
            let value = format!("{}/{option}/{typed}", argv.join(","));
            vec![
                Choice { label: "Acme ISMS".to_owned(), value: "Acme ISMS".to_owned() },
                Choice { label: value.clone(), value },
            ]
        });
        let (start, pairs) = complete(&tree(), &offer, before);
        let pairs: Vec<String> = pairs.into_iter().map(|pair| pair.replacement).collect();
        format!("{start} {}", pairs.join("|"))
    }

    #[test]
    fn completions_are_offered() {
        assert_eq!(offered("/ce"), "1 certificate ");
        assert_eq!(offered("nc cl"), "3 close ");
        assert_eq!(offered("nc close "), "9 nc:|note:");
        assert_eq!(offered("nc close --n"), "9 --nc=|--note=");
        assert_eq!(offered("nc raise grade:mi"), "15 minor ");
        assert_eq!(offered("nc verify effective:"), "20 true |false ");
        assert_eq!(offered("cycle show certificate:Ac"), "23 Acme ISMS |cycle,show/certificate/Ac ");
        assert_eq!(offered("cycle show --certificate=Ac"), "25 \"Acme ISMS\" |cycle,show/certificate/Ac ");
        assert_eq!(offered("nc close nc:4 note:Al"), "19 ");
        assert_eq!(offered("nonsense "), "9 ");
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("report.pdf"), "x").unwrap();
        let typed = format!("nc evidence nc:4 file:{}/re", folder.path().display());
        assert_eq!(offered(&typed), format!("22 {}/report.pdf ", folder.path().display()));
    }

    #[test]
    fn hints_say_what_may_follow() {
        let whispered = |before: &str| {
            whisper(&tree(), before).map(|w| format!("{}{}", w.shown, if w.taken { "!" } else { "" }))
        };
        assert_eq!(whispered("cer").as_deref(), Some("tificate !"));
        assert_eq!(whispered("cycle ").as_deref(), Some("show | preview | why | whatif"));
        assert_eq!(whispered("nc close ").as_deref(), Some("nc: note:"));
        assert_eq!(whispered("nc close nc:4 no").as_deref(), Some("te:!"));
        assert_eq!(whispered("nc raise grade:").as_deref(), Some("major | minor"));
        assert_eq!(whispered("nc raise grade:mi").as_deref(), Some("nor!"));
        assert_eq!(whispered("setup hour:").as_deref(), Some("0 to 23"));
        assert_eq!(whispered("nc done nc:4 what:All"), None);
    }

    #[test]
    fn a_prompt_can_be_given_to_a_thread() {
        fn sendable<T: Send>(_: &T) {}
        let prompt = Prompt::new(tree(), Box::new(|_, _, _| Vec::new()), true);
        sendable(&prompt);
    }

    #[test]
    fn a_line_keeps_its_text_under_its_colours() {
        let door = Door { tree: tree(), offer: Box::new(|_, _, _| Vec::new()) };
        assert_eq!(
            door.highlight("nc close nc:4", 0),
            "\u{1b}[1;36mnc\u{1b}[0m \u{1b}[1;36mclose\u{1b}[0m \u{1b}[34mnc:\u{1b}[0m4"
        );
    }
}
