//! Understands a line as a person types it: Discord's own way (`/nc close nc:NC-4 note:All fine`), the shell's
//! way (`nc close --nc=NC-4 --note "All fine"`), or shorter (`nc close 4`). What comes out is an argv for the
//! grammar; what the values mean is not looked at here.
//!
//! An unquoted `option:value` runs on until the next option of that command that was not given yet, so that a
//! text may hold colons. Left-over words fill the first required option that is missing.

use std::fmt::Write as _;

use crate::command::SpokenAs;
use crate::command::option::{Kind, kind};

/// What was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// An empty line or a comment.
    Nothing,
    /// From here on someone else speaks.
    As {
        /// The name they go by.
        name: String,
        /// The role they speak in; left out, the one they had.
        role: Option<SpokenAs>,
    },
    /// Leave.
    Quit,
    /// A command line for the grammar.
    Line(Vec<String>),
    /// Not understood: a sentence that says why, and what to type.
    Wrong(String),
}

/// Where in a line the cursor stands, for whoever offers completions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a word of the command's path: these may follow.
    Path {
        /// Where the word begins.
        start: usize,
        /// The words, each with what it is for.
        words: Vec<(String, String)>,
    },
    /// In an option's name, or where one may begin: these may follow.
    Name {
        /// Where the name begins.
        start: usize,
        /// The options' names, each with what it is for; required ones first.
        names: Vec<(String, String)>,
    },
    /// In an option's value.
    Value {
        /// Where the value begins.
        start: usize,
        /// The option.
        option: String,
        /// What stands there of the value.
        typed: String,
        /// The rest of the line, as an argv.
        argv: Vec<String>,
        /// The fixed values it can take, each with what it is for; empty where they are not fixed.
        values: Vec<(String, String)>,
        /// What kind of value it is.
        kind: Kind,
    },
    /// Where nothing can be offered.
    Nowhere,
}

/// Understands a line.
pub fn read(tree: &clap::Command, typed: &str) -> Typed {
    let line = typed.trim();
    if line.is_empty() || line.starts_with('#') {
        return Typed::Nothing;
    }
    let words = match lex(line) {
        Ok(words) => words,
        Err(why) => return Typed::Wrong(why),
    };
    let Some(first) = words.first() else {
        return Typed::Nothing;
    };
    let rest = words.get(1..).unwrap_or_default();
    match (bare(&first.text).to_lowercase().as_str(), rest.is_empty()) {
        ("quit" | "exit", true) => return Typed::Quit,
        ("quit" | "exit", false) => return Typed::Wrong("To leave, type `quit` alone.".to_owned()),
        ("?", true) => return Typed::Line(vec!["help".to_owned()]),
        ("as", _) => return speaker(rest),
        _ => {}
    }
    match parse(tree, line, &words) {
        Ok(found) => match found.argv() {
            Ok(argv) => Typed::Line(argv),
            Err(why) => Typed::Wrong(why),
        },
        Err(why) => Typed::Wrong(why),
    }
}

/// Finds where in a line the cursor stands; `before` is what stands before it.
pub fn place(tree: &clap::Command, before: &str) -> Place {
    let trimmed = before.trim_start();
    let lead = before.len() - trimmed.len();
    if trimmed.starts_with('#') {
        return Place::Nowhere;
    }
    let words = lex_open(trimmed);
    let open = !trimmed.is_empty() && words.last().is_some_and(|word| word.end == trimmed.len());
    place_in(tree, trimmed, &words, open).moved(lead)
}

impl Place {
    fn moved(self, by: usize) -> Self {
        match self {
            Self::Path { start, words } => Self::Path { start: start + by, words },
            Self::Name { start, names } => Self::Name { start: start + by, names },
            Self::Value { start, option, typed, argv, values, kind } => {
                Self::Value { start: start + by, option, typed, argv, values, kind }
            }
            Self::Nowhere => Self::Nowhere,
        }
    }
}

/// What a stretch of a line is, for whoever colours it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The command's path.
    Path,
    /// An option's name, with what joins it to its value.
    Name,
    /// A value, or anything else.
    Value,
}

/// Splits a line, whole or half typed, into stretches to be coloured; together they are the line.
pub fn parts<'l>(tree: &clap::Command, line: &'l str) -> Vec<(Part, &'l str)> {
    let words = lex_open(line);
    let mut marks: Vec<(usize, Part)> = Vec::new();
    let mut command = tree;
    let mut given: Vec<String> = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let typed = if index == 0 { bare(&word.text) } else { &word.text }.to_lowercase();
        if let Some(next) = sub(command, &typed).filter(|_| given.is_empty()) {
            command = next;
            marks.extend([(word.start, Part::Path), (word.end, Part::Value)]);
        } else if let Some(opened) = &word.option
            && let Some(arg) = option(command, &opened.name)
            && !given.iter().any(|name| name == long(arg))
        {
            given.push(long(arg).to_owned());
            marks.extend([(word.start, Part::Name), (opened.at, Part::Value)]);
        }
    }
    let mut parts = Vec::new();
    let (mut from, mut part) = (0, Part::Value);
    for (at, next) in marks.into_iter().chain([(line.len(), Part::Value)]) {
        if let Some(stretch) = line.get(from..at).filter(|stretch| !stretch.is_empty()) {
            parts.push((part, stretch));
            from = at;
        }
        part = next;
    }
    parts
}

/// One word of a line, where quotes may hold several together.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    /// Its first byte in the line, and the one after its last.
    start: usize,
    end: usize,
    /// Without its quotes.
    text: String,
    /// The option that it begins, if it looks like one.
    option: Option<Opened>,
    /// Whether its text, or its value if it is an option, stands in quotes.
    quoted: bool,
}

/// How a word begins an option.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Opened {
    name: String,
    form: Form,
    /// Its value as far as it stands in the same word, without quotes.
    value: String,
    /// Where its value begins in the line.
    at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `name:value`, running on.
    Colon,
    /// `--name=value`.
    Equals,
    /// `--name`, its value the next word.
    Flag,
}

fn bare(word: &str) -> &str {
    word.strip_prefix('/').unwrap_or(word)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic())
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
}

/// Splits a line into words; an unclosed `"` is an error.
fn lex(line: &str) -> Result<Vec<Word>, String> {
    let (words, unclosed) = split(line);
    match unclosed {
        Some(at) => {
            let from: String = line.get(at..).unwrap_or_default().chars().take(20).collect();
            Err(format!("The quote that opens at {from} is not closed; add a \" at its end."))
        }
        None => Ok(words),
    }
}

/// Splits a line that is still being typed into words.
fn lex_open(line: &str) -> Vec<Word> {
    split(line).0
}

fn split(line: &str) -> (Vec<Word>, Option<usize>) {
    let mut words = Vec::new();
    let mut unclosed = None;
    let mut at = 0;
    while let Some(rest) = line.get(at..) {
        let Some(skip) = rest.find(|c: char| !c.is_whitespace()) else {
            break;
        };
        let start = at + skip;
        let word = word(line, start, &mut unclosed);
        at = word.end.max(start + 1);
        words.push(word);
    }
    (words, unclosed)
}

/// The word that begins at `start`.
fn word(line: &str, start: usize, unclosed: &mut Option<usize>) -> Word {
    let plain_end = |from: usize| {
        let tail = line.get(from..).unwrap_or_default();
        from + tail.find(char::is_whitespace).unwrap_or(tail.len())
    };
    // What the word looks like up to its value.
    let head_end = plain_end(start);
    let head = line.get(start..head_end).unwrap_or_default();
    let named = if let Some(long) = head.strip_prefix("--") {
        match long.split_once('=') {
            Some((name, _)) if is_name(name) => {
                Some((name.to_owned(), Form::Equals, start + 2 + name.len() + 1))
            }
            None if is_name(long) => Some((long.to_owned(), Form::Flag, head_end)),
            _ => None,
        }
    } else {
        match head.split_once(':') {
            Some((name, _)) if is_name(name) => Some((name.to_owned(), Form::Colon, start + name.len() + 1)),
            _ => None,
        }
    };
    if let Some((name, Form::Flag, at)) = named {
        let option = Opened { name, form: Form::Flag, value: String::new(), at };
        return Word { start, end: head_end, text: head.to_owned(), option: Some(option), quoted: false };
    }
    let value_at = named.as_ref().map_or(start, |(_, _, at)| *at);
    let (value, end, quoted) = match unquote(line, value_at) {
        Quoted::Closed { text, end } => (text, end, true),
        Quoted::Open { text } => {
            *unclosed = unclosed.or(Some(value_at));
            (text, line.len(), true)
        }
        Quoted::Not => {
            let end = plain_end(value_at);
            (line.get(value_at..end).unwrap_or_default().to_owned(), end, false)
        }
    };
    match named {
        Some((name, form, at)) => {
            let option = Opened { name, form, value, at };
            let text = line.get(start..end).unwrap_or_default().to_owned();
            Word { start, end, text, option: Some(option), quoted }
        }
        None => Word { start, end, text: value, option: None, quoted },
    }
}

/// What a quotation comes to.
enum Quoted {
    /// It closes before white space or the end.
    Closed { text: String, end: usize },
    /// It does not close.
    Open { text: String },
    /// There is none.
    Not,
}

fn unquote(line: &str, at: usize) -> Quoted {
    let rest = line.get(at..).unwrap_or_default();
    let mut chars = rest.char_indices();
    let Some((_, quote @ ('"' | '\'' | '“'))) = chars.next() else {
        return Quoted::Not;
    };
    let closing = if quote == '“' { '”' } else { quote };
    let mut text = String::new();
    while let Some((offset, c)) = chars.next() {
        if c == '\\' {
            match chars.clone().next() {
                Some((_, escaped)) if escaped == closing || escaped == '\\' => {
                    text.push(escaped);
                    chars.next();
                }
                _ => text.push(c),
            }
        } else if c == closing {
            let end = offset + c.len_utf8();
            // A quote inside a word is an apostrophe, or part of what is quoted.
            if rest.get(end..).unwrap_or_default().chars().next().is_none_or(char::is_whitespace) {
                return Quoted::Closed { text, end: at + end };
            }
            text.push(c);
        } else {
            text.push(c);
        }
    }
    // A single quote that never closes is an apostrophe.
    if quote == '"' { Quoted::Open { text } } else { Quoted::Not }
}

fn speaker(words: &[Word]) -> Typed {
    const USAGE: &str = "Type `as NAME`, or `as NAME manager`, `as NAME auditor`, `as NAME member`.";
    let mut names: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    let role = match names.last().map(|last| last.to_lowercase()).as_deref() {
        Some("manager") => Some(SpokenAs::Manager),
        Some("auditor") => Some(SpokenAs::Auditor),
        Some("member") => Some(SpokenAs::Member),
        _ => None,
    };
    if role.is_some() {
        names.pop();
    } else if let [_, .., last] = names.as_slice()
        && ["manager", "auditor", "member"].iter().any(|r| strsim::levenshtein(r, &last.to_lowercase()) <= 2)
    {
        return Typed::Wrong(USAGE.to_owned());
    }
    let name = names.join(" ");
    let name = name.trim().trim_start_matches('@');
    if name.is_empty() || name.chars().any(char::is_control) || name.chars().count() > 64 {
        return Typed::Wrong(USAGE.to_owned());
    }
    Typed::As { name: name.to_owned(), role }
}

/// A command with the options given so far.
struct Found<'t> {
    path: Vec<String>,
    command: &'t clap::Command,
    given: Vec<Given>,
    /// Words that belong to no option.
    loose: Vec<String>,
    /// Where the loose words begin.
    loose_at: Option<usize>,
}

struct Given {
    name: String,
    value: String,
    quoted: bool,
    /// Where the value begins in the line.
    at: usize,
    /// Whether a value may still be added to: it is unquoted, and runs on.
    open: bool,
}

fn options(command: &clap::Command) -> Vec<&clap::Arg> {
    let mut options: Vec<&clap::Arg> =
        command.get_arguments().filter(|arg| arg.get_long().is_some()).collect();
    options.sort_by_key(|arg| !arg.is_required_set());
    options
}

fn option<'t>(command: &'t clap::Command, name: &str) -> Option<&'t clap::Arg> {
    let name = name.to_lowercase().replace('_', "-");
    command.get_arguments().find(|arg| arg.get_long() == Some(name.as_str()))
}

fn long(arg: &clap::Arg) -> &str {
    arg.get_long().unwrap_or_default()
}

fn about(text: Option<&clap::builder::StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}

/// Walks the path of commands; how many words it took.
fn walk<'t>(
    tree: &'t clap::Command,
    words: &[Word],
) -> Result<(Vec<String>, &'t clap::Command, usize), String> {
    let mut path: Vec<String> = Vec::new();
    let mut command = tree;
    let mut taken = 0;
    while command.has_subcommands() {
        let names: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        let Some(word) = words.get(taken).filter(|word| word.option.is_none()) else {
            return Err(format!("`/{}` is not complete: add one of {}.", path.join(" "), listed(&names)));
        };
        let typed = if taken == 0 { bare(&word.text) } else { &word.text }.to_lowercase();
        let Some(next) = sub(command, &typed) else {
            let shown = shorten(&typed);
            return Err(match nearest(&typed, &names) {
                Some(near) if path.is_empty() => {
                    format!("There is no command `/{shown}`; did you mean `/{near}`?")
                }
                Some(near) => {
                    let path = path.join(" ");
                    format!("`/{path}` has no `{shown}`; did you mean `/{path} {near}`?")
                }
                None if path.is_empty() => {
                    format!("There is no command `/{shown}`; `help` lists them: {}.", listed(&names))
                }
                None => format!("`/{}` has no `{shown}`; it has {}.", path.join(" "), listed(&names)),
            });
        };
        path.push(next.get_name().to_owned());
        command = next;
        taken += 1;
    }
    Ok((path, command, taken))
}

/// A subcommand by its name, or by the beginning of it where only one begins so.
fn sub<'t>(command: &'t clap::Command, typed: &str) -> Option<&'t clap::Command> {
    if let Some(exact) = command.get_subcommands().find(|sub| sub.get_name() == typed) {
        return Some(exact);
    }
    let mut begun =
        command.get_subcommands().filter(|sub| typed.len() >= 3 && sub.get_name().starts_with(typed));
    begun.next().filter(|_| begun.next().is_none())
}

fn parse<'t>(tree: &'t clap::Command, line: &str, words: &[Word]) -> Result<Found<'t>, String> {
    let (path, command, taken) = walk(tree, words)?;
    let mut found = Found { path, command, given: Vec::new(), loose: Vec::new(), loose_at: None };
    let words = words.get(taken..).unwrap_or_default();
    let mut index = 0;
    while let Some(word) = words.get(index) {
        index += 1;
        let Some(opened) = &word.option else {
            found.more(line, word);
            continue;
        };
        let Some(arg) = option(command, &opened.name) else {
            found.unknown(line, word, opened)?;
            continue;
        };
        let name = long(arg);
        if found.given.iter().any(|given| given.name == name) {
            if opened.form == Form::Colon && found.runs_on_as_text() {
                found.more(line, word);
                continue;
            }
            return Err(format!("`{name}` is given twice; keep one."));
        }
        let mut given = Given {
            name: name.to_owned(),
            value: opened.value.clone(),
            quoted: word.quoted,
            at: opened.at,
            open: opened.form == Form::Colon && !word.quoted,
        };
        match opened.form {
            Form::Colon if given.value.is_empty() && !word.quoted => {
                // `name: "value"`: the quotes count there too.
                if let Some(next) = words.get(index).filter(|next| next.quoted && next.option.is_none()) {
                    given = Given {
                        value: next.text.clone(),
                        quoted: true,
                        at: next.start,
                        open: false,
                        ..given
                    };
                    index += 1;
                }
            }
            Form::Colon | Form::Equals => {}
            Form::Flag => match words.get(index) {
                Some(next) if next.option.as_ref().is_none_or(|o| option(command, &o.name).is_none()) => {
                    let yes_no = kind(arg) == Kind::YesNo;
                    if yes_no && truth(&next.text).is_none() {
                        "true".clone_into(&mut given.value);
                    } else {
                        given.value.clone_from(&next.text);
                        given.quoted = next.quoted;
                        given.at = next.start;
                        index += 1;
                    }
                }
                _ if kind(arg) == Kind::YesNo => "true".clone_into(&mut given.value),
                _ => {}
            },
        }
        found.given.push(given);
    }
    Ok(found)
}

fn truth(text: &str) -> Option<&'static str> {
    match text.trim().to_lowercase().as_str() {
        "true" | "yes" | "y" => Some("true"),
        "false" | "no" | "n" => Some("false"),
        _ => None,
    }
}

impl Found<'_> {
    /// Whether the value that runs on just now is free text.
    fn runs_on_as_text(&self) -> bool {
        self.given
            .last()
            .filter(|given| given.open && !given.value.is_empty())
            .and_then(|given| option(self.command, &given.name))
            .is_some_and(|arg| matches!(kind(arg), Kind::Text | Kind::Long | Kind::More))
    }

    /// Takes a word that begins no option: it goes on with the open value, or is loose.
    fn more(&mut self, line: &str, word: &Word) {
        match self.given.last_mut() {
            Some(given) if given.open => {
                line.get(given.at..word.end).unwrap_or_default().trim().clone_into(&mut given.value);
            }
            _ => {
                self.loose_at.get_or_insert(word.start);
                self.loose.push(word.text.clone());
            }
        }
    }

    /// Takes a word that begins like an option that there is not: free text may hold such, anything else not.
    fn unknown(&mut self, line: &str, word: &Word, opened: &Opened) -> Result<(), String> {
        if opened.form == Form::Colon && opened.value.starts_with("//") {
            // A link.
            self.more(line, word);
            return Ok(());
        }
        let left: Vec<&str> =
            options(self.command).into_iter().map(long).filter(|name| !self.has(name)).collect();
        let near = nearest(&opened.name.to_lowercase(), &left);
        let empty = opened.form == Form::Colon && opened.value.is_empty() && !word.quoted;
        let text = opened.form == Form::Colon && (self.runs_on_as_text() || empty);
        let slip = !empty
            && opened.name.chars().count() >= 5
            && near.is_some_and(|near| is_slip(&opened.name, near));
        let open = self.given.last().is_some_and(|given| given.open) || !self.loose.is_empty();
        if text && !slip && (open || empty) {
            self.more(line, word);
            return Ok(());
        }
        let (path, shown) = (self.path.join(" "), shorten(&opened.name));
        let mut why = format!("`/{path}` has no option `{shown}`");
        let written = match near {
            Some(near) => write!(why, "; did you mean `{near}`?"),
            None if options(self.command).is_empty() => write!(why, "; it takes none."),
            None => {
                let names: Vec<&str> = options(self.command).into_iter().map(long).collect();
                write!(why, "; it has {}.", listed(&names))
            }
        };
        if written.is_ok() && open {
            why.push_str(" If it is part of what goes before, put that in quotes.");
        }
        Err(why)
    }

    fn has(&self, name: &str) -> bool {
        self.given.iter().any(|given| given.name == name)
    }

    /// The option that loose words are meant for: the first required one that is missing; where none is
    /// required at all, the first that is missing.
    fn wanted(&self) -> Option<&clap::Arg> {
        let options = options(self.command);
        let required = options.iter().any(|arg| arg.is_required_set());
        options.into_iter().find(|arg| !self.has(long(arg)) && (arg.is_required_set() || !required))
    }

    fn argv(mut self) -> Result<Vec<String>, String> {
        if !self.loose.is_empty() {
            let words = self.loose.join(" ");
            let wanted = self.wanted().map(|arg| long(arg).to_owned());
            match (wanted, self.given.last_mut()) {
                (Some(name), _) => {
                    self.given.push(Given { name, value: words, quoted: false, at: 0, open: false });
                }
                // A text that begins with a quotation: `what:"All" of it`.
                (None, Some(last)) if last.quoted => {
                    last.value = format!("\"{}\" {words}", last.value);
                }
                _ => {
                    let (path, words) = (self.path.join(" "), shorten(&words));
                    return Err(if options(self.command).is_empty() {
                        format!("`/{path}` takes no options; leave `{words}` out.")
                    } else {
                        format!("It is not clear what `{words}` belongs to; write it as `option:value`.")
                    });
                }
            }
        }
        let mut argv = self.path;
        for given in self.given {
            let value = given.value.trim();
            if value.is_empty() && !given.quoted {
                return Err(format!("`{}` has no value; type one after it, or leave it out.", given.name));
            }
            let value = match option(self.command, &given.name).map(kind) {
                Some(Kind::YesNo) => truth(value).unwrap_or(value),
                Some(Kind::Person) => value.trim_start_matches('@'),
                Some(Kind::Channel) => value.trim_start_matches('#'),
                _ => value,
            };
            argv.push(format!("--{}={value}", given.name));
        }
        Ok(argv)
    }

    /// The options not given yet, each with what it is for; those that begin with `begun`.
    fn remaining(&self, begun: &str) -> Vec<(String, String)> {
        options(self.command)
            .into_iter()
            .filter(|arg| !self.has(long(arg)) && long(arg).starts_with(begun))
            .map(|arg| (long(arg).to_owned(), about(arg.get_help())))
            .collect()
    }

    /// The place in the value of the option `name`.
    fn value(&self, name: &str, start: usize, typed: &str) -> Place {
        let Some(arg) = option(self.command, name) else {
            return Place::Nowhere;
        };
        let kind = kind(arg);
        let values = match kind {
            Kind::YesNo => vec![("true".to_owned(), "yes".to_owned()), ("false".to_owned(), "no".to_owned())],
            Kind::Choice => arg
                .get_possible_values()
                .iter()
                .map(|value| (value.get_name().to_owned(), about(value.get_help())))
                .collect(),
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
            | Kind::File => Vec::new(),
        };
        let mut argv = self.path.clone();
        let others = self.given.iter().filter(|given| given.name != name && !given.value.is_empty());
        argv.extend(others.map(|given| format!("--{}={}", given.name, given.value.trim())));
        Place::Value { start, option: name.to_owned(), typed: typed.to_owned(), argv, values, kind }
    }
}

fn place_in(tree: &clap::Command, line: &str, words: &[Word], open: bool) -> Place {
    // The path, as far as it goes without the word being typed.
    let whole = if open { words.get(..words.len().saturating_sub(1)).unwrap_or_default() } else { words };
    let typing = words.last().filter(|_| open);
    let mut command = tree;
    let mut taken = 0;
    while command.has_subcommands() {
        let Some(word) = whole.get(taken) else {
            let start = typing.map_or(line.len(), |word| word.start);
            let slash = usize::from(taken == 0 && typing.is_some_and(|word| word.text.starts_with('/')));
            let begun = line.get(start + slash..).unwrap_or_default().to_lowercase();
            let mut names: Vec<(String, String)> = command
                .get_subcommands()
                .map(|sub| (sub.get_name().to_owned(), about(sub.get_about())))
                .collect();
            if taken == 0 {
                names.push((
                    "as".to_owned(),
                    "Speak as someone else: as NAME [manager|auditor|member]".to_owned(),
                ));
                names.push(("quit".to_owned(), "Leave".to_owned()));
            }
            names.retain(|(name, _)| name.starts_with(&begun));
            return Place::Path { start: start + slash, words: names };
        };
        let typed = if taken == 0 { bare(&word.text) } else { &word.text }.to_lowercase();
        let Some(next) = sub(command, &typed) else {
            return Place::Nowhere;
        };
        command = next;
        taken += 1;
    }
    let Ok(mut found) = parse(tree, line, whole) else {
        return Place::Nowhere;
    };
    let Some(word) = typing else {
        // After white space: `name: ` waits for its value, anything else for the next option.
        return match found.given.last() {
            Some(last) if last.value.is_empty() && !last.quoted => found.value(&last.name, line.len(), ""),
            _ => Place::Name { start: line.len(), names: found.remaining("") },
        };
    };
    if let Some(opened) = word.option.as_ref().filter(|opened| opened.form != Form::Flag)
        && let Some(name) = option(command, &opened.name).map(|arg| long(arg).to_owned())
    {
        return found.value(&name, opened.at, &opened.value);
    }
    let begun = word.text.trim_start_matches('-').to_lowercase();
    let names = found.remaining(&begun);
    let fresh = found.given.last().is_none_or(|last| !last.open || !last.value.is_empty());
    if !names.is_empty() && fresh && !word.quoted {
        return Place::Name { start: word.start, names };
    }
    // The value being typed runs on, or a loose word stands for the option that is wanted.
    found.more(line, word);
    match (found.given.last(), found.loose_at) {
        (Some(last), _) if last.open => {
            found.value(&last.name, last.at, line.get(last.at..).unwrap_or_default())
        }
        (_, Some(at)) => match found.wanted() {
            Some(arg) => found.value(long(arg), at, line.get(at..).unwrap_or_default()),
            None => Place::Nowhere,
        },
        _ => Place::Nowhere,
    }
}

/// Whether one name was probably meant for the other.
fn is_slip(typed: &str, name: &str) -> bool {
    strsim::damerau_levenshtein(&typed.to_lowercase(), name) <= 1 + name.len() / 7
}

/// The name nearest to what was typed, if any is near: one that begins so, or one a slip away.
fn nearest<'a>(typed: &str, names: &[&'a str]) -> Option<&'a str> {
    if typed.is_empty() {
        return None;
    }
    let begun = names.iter().find(|name| typed.len() >= 2 && name.starts_with(typed));
    let near = || {
        names
            .iter()
            .map(|name| (name, strsim::jaro_winkler(typed, name)))
            .filter(|(_, near)| *near > 0.8)
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(name, _)| name)
    };
    begun.or_else(near).copied()
}

fn listed(names: &[&str]) -> String {
    names.join(", ")
}

/// What was typed, short enough to be repeated in a sentence.
fn shorten(text: &str) -> String {
    let mut short: String = text.chars().filter(|c| !c.is_control()).take(40).collect();
    if text.chars().count() > 40 {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use proptest::prelude::*;

    use super::*;
    use crate::command::grammar::{Line, tree};

    fn argv(typed: &str) -> String {
        let understood = read(&tree(), typed);
        let Typed::Line(argv) = understood else { panic!("{typed}: {understood:?}") };
        argv.join(" | ")
    }

    fn wrong(typed: &str) -> String {
        let understood = read(&tree(), typed);
        let Typed::Wrong(why) = understood else { panic!("{typed}: {understood:?}") };
        why
    }

    #[test]
    fn discords_own_way() {
        assert_eq!(
            argv(
                "/audit log certificate:acme kind:internal date:2026-05-04 scope:HR and IT conclusion:All fine: no \
                 gaps lead:ana"
            ),
            "audit | log | --certificate=acme | --kind=internal | --date=2026-05-04 | --scope=HR and IT | \
             --conclusion=All fine: no gaps | --lead=ana"
        );
        assert_eq!(
            argv("nc done nc:4 what: see https://x.org/a:b  and 3:1"),
            "nc | done | --nc=4 | --what=see https://x.org/a:b  and 3:1"
        );
        assert_eq!(argv("NC Show NC:NC-1"), "nc | show | --nc=NC-1");
        assert_eq!(
            argv("nc done nc:4 what:we asked what: nothing"),
            "nc | done | --nc=4 | --what=we asked what: nothing"
        );
        assert_eq!(argv("nc cause nc:4 why:Don't know"), "nc | cause | --nc=4 | --why=Don't know");
        assert_eq!(argv("nc cause nc:4 why:'til Friday"), "nc | cause | --nc=4 | --why='til Friday");
        assert_eq!(
            argv("nc assign nc:4 owner:@ana due:next friday"),
            "nc | assign | --nc=4 | --owner=ana | --due=next friday"
        );
        assert_eq!(argv("setup channel:#isms hour:7"), "setup | --channel=isms | --hour=7");
        assert_eq!(
            argv("audit log lead_name:Eva B kind:gap"),
            "audit | log | --lead-name=Eva B | --kind=gap"
        );
    }

    #[test]
    fn the_shells_way() {
        assert_eq!(
            argv("nc close --nc=NC-4 --note=\"All fine\""),
            "nc | close | --nc=NC-4 | --note=All fine"
        );
        assert_eq!(argv("nc close --nc NC-4 --note 'All fine'"), "nc | close | --nc=NC-4 | --note=All fine");
        assert_eq!(
            argv(r#"nc close nc:4 note:"say \"no\" \\ \x""#),
            r#"nc | close | --nc=4 | --note=say "no" \ \x"#
        );
        assert_eq!(argv("nc close nc: \"NC-4\" note: 'x'"), "nc | close | --nc=NC-4 | --note=x");
        assert_eq!(argv("nc verify 4 effective:yes"), "nc | verify | --effective=true | --nc=4");
        assert_eq!(argv("nc verify --nc=4 --effective"), "nc | verify | --nc=4 | --effective=true");
        assert_eq!(
            argv("nc verify --nc=4 --effective no --how=x"),
            "nc | verify | --nc=4 | --effective=false | --how=x"
        );
        assert_eq!(argv("nc verify --effective 4"), "nc | verify | --effective=true | --nc=4");
    }

    #[test]
    fn left_over_words_fill_what_is_missing() {
        assert_eq!(argv("/nc show 12"), "nc | show | --nc=12");
        assert_eq!(argv("certificate show Acme ISMS"), "certificate | show | --certificate=Acme ISMS");
        assert_eq!(argv("certificate show Acme: ISMS"), "certificate | show | --certificate=Acme: ISMS");
        assert_eq!(argv("help nc close"), "help | --command=nc close");
        assert_eq!(argv("cert list"), "certificate | list");
        assert_eq!(argv("nc list acme"), "nc | list | --certificate=acme");
        assert_eq!(
            argv("certificate decide certificate:\"Acme ISMS\" 2026-03-02"),
            "certificate | decide | --certificate=Acme ISMS | --date=2026-03-02"
        );
        assert_eq!(argv("nc done nc:4 what:\"A\" and \"B\""), "nc | done | --nc=4 | --what=\"A\" and B");
        assert_eq!(argv("?"), "help");
        assert_eq!(argv("status"), "status");
    }

    #[test]
    fn what_is_not_understood_is_explained() {
        let lines = [
            "nc",
            "nc shwo 12",
            "nonconformity show 12",
            "certficate list",
            "nc show foo:12",
            "nc show nc:12 onwer:ana",
            "audit log scope:HR concluson:All fine",
            "nc raise cert:acme",
            "nc show nc:",
            "nc show nc:1 nc:2",
            "nc close nc:\"4",
            "status now",
            "status certificate:acme",
            "nc show --nc=1 2",
            "nc assign 4 --owner --due=friday",
            "quit now",
            "as",
            "as manager",
        ];
        let told: Vec<String> = lines.iter().map(|line| format!("{line}\n  {}", wrong(line))).collect();
        insta::assert_snapshot!(told.join("\n"), @r#"
        nc
          `/nc` is not complete: add one of raise, list, show, assign, correct, cause, plan, done, verify, evidence, close, reopen, next, contain, consequences, whys, similar, system, extend, verifier.
        nc shwo 12
          `/nc` has no `shwo`; did you mean `/nc show`?
        nonconformity show 12
          There is no command `/nonconformity`; `help` lists them: setup, certificate, cycle, status, audit, nc, finding, action, review, area, task, change, risk, training, remind, my, handover, find, edit, void, import, help.
        certficate list
          There is no command `/certficate`; did you mean `/certificate`?
        nc show foo:12
          `/nc show` has no option `foo`; it has nc.
        nc show nc:12 onwer:ana
          `/nc show` has no option `onwer`; it has nc. If it is part of what goes before, put that in quotes.
        audit log scope:HR concluson:All fine
          `/audit log` has no option `concluson`; did you mean `conclusion`? If it is part of what goes before, put that in quotes.
        nc raise cert:acme
          `/nc raise` has no option `cert`; did you mean `certificate`?
        nc show nc:
          `nc` has no value; type one after it, or leave it out.
        nc show nc:1 nc:2
          `nc` is given twice; keep one.
        nc close nc:"4
          The quote that opens at "4 is not closed; add a " at its end.
        status now
          `/status` takes no options; leave `now` out.
        status certificate:acme
          `/status` has no option `certificate`; it takes none.
        nc show --nc=1 2
          It is not clear what `2` belongs to; write it as `option:value`.
        nc assign 4 --owner --due=friday
          `owner` has no value; type one after it, or leave it out.
        quit now
          To leave, type `quit` alone.
        as
          Type `as NAME`, or `as NAME manager`, `as NAME auditor`, `as NAME member`.
        as manager
          Type `as NAME`, or `as NAME manager`, `as NAME auditor`, `as NAME member`.
        "#);
    }

    #[test]
    fn the_consoles_own_words() {
        let as_ = |name: &str, role| Typed::As { name: name.to_owned(), role };
        let tree = tree();
        assert_eq!(read(&tree, "as ana"), as_("ana", None));
        assert_eq!(read(&tree, "/as @ana MANAGER"), as_("ana", Some(SpokenAs::Manager)));
        assert_eq!(read(&tree, "as Ana Brandt auditor"), as_("Ana Brandt", Some(SpokenAs::Auditor)));
        assert_eq!(read(&tree, "as 'Ana Brandt'"), as_("Ana Brandt", None));
        assert_eq!(read(&tree, "  exit "), Typed::Quit);
        assert_eq!(read(&tree, "/quit"), Typed::Quit);
        for nothing in ["", "  ", "# nc close", "\t"] {
            assert_eq!(read(&tree, nothing), Typed::Nothing);
        }
    }

    #[test]
    fn a_line_is_split_for_colouring() {
        use Part::{Name, Path, Value};
        assert_eq!(
            parts(&tree(), "/nc done nc:4 what:fine: nc: x"),
            [
                (Path, "/nc"),
                (Value, " "),
                (Path, "done"),
                (Value, " "),
                (Name, "nc:"),
                (Value, "4 "),
                (Name, "what:"),
                (Value, "fine: nc: x")
            ]
        );
        assert_eq!(parts(&tree(), "as ana"), [(Value, "as ana")]);
    }

    #[test]
    fn the_cursors_place_is_found() {
        let tree = tree();
        let told = |before: &str| match place(&tree, before) {
            Place::Path { start, words } => {
                format!("path@{start} {}", words.into_iter().map(|w| w.0).collect::<Vec<_>>().join(","))
            }
            Place::Name { start, names } => {
                format!("name@{start} {}", names.into_iter().map(|w| w.0).collect::<Vec<_>>().join(","))
            }
            Place::Value { start, option, typed, argv, values, kind } => format!(
                "value@{start} {option}={typed:?} {argv:?} {} {kind:?}",
                values.into_iter().map(|w| w.0).collect::<Vec<_>>().join(",")
            ),
            Place::Nowhere => "nowhere".to_owned(),
        };
        let lines = [
            "",
            "/",
            "/ce",
            "  nc",
            "nc ",
            "nc cl",
            "nc close ",
            "nc close n",
            "nc close nc:",
            "nc close nc:NC",
            "nc close nc: ",
            "nc close nc:NC-1 ",
            "nc close nc:NC-1 no",
            "nc close 1",
            "nc close --n",
            "nc close --nc=4",
            "nc raise certificate:Acme I",
            "nc raise certificate:Acme gr",
            "nc raise certificate:acme grade:m",
            "nc verify nc:4 effective:",
            "certificate show Acm",
            "xyz ",
            "setup timezone:\"Europe/B",
            "nc close zz:4",
        ];
        assert_eq!(place(&tree, "# nc "), Place::Nowhere);
        let all: Vec<String> = lines.iter().map(|line| format!("{line:?} {}", told(line))).collect();
        insta::assert_snapshot!(all.join("\n"), @r#"
        "" path@0 setup,certificate,cycle,status,audit,nc,finding,action,review,area,task,change,risk,training,remind,my,handover,find,edit,void,import,help,as,quit
        "/" path@1 setup,certificate,cycle,status,audit,nc,finding,action,review,area,task,change,risk,training,remind,my,handover,find,edit,void,import,help,as,quit
        "/ce" path@1 certificate
        "  nc" path@2 nc
        "nc " path@3 raise,list,show,assign,correct,cause,plan,done,verify,evidence,close,reopen,next,contain,consequences,whys,similar,system,extend,verifier
        "nc cl" path@3 close
        "nc close " name@9 nc,note
        "nc close n" name@9 nc,note
        "nc close nc:" value@12 nc="" ["nc", "close"]  Named(Nonconformity)
        "nc close nc:NC" value@12 nc="NC" ["nc", "close"]  Named(Nonconformity)
        "nc close nc: " value@13 nc="" ["nc", "close"]  Named(Nonconformity)
        "nc close nc:NC-1 " name@17 note
        "nc close nc:NC-1 no" name@17 note
        "nc close 1" value@9 nc="1" ["nc", "close"]  Named(Nonconformity)
        "nc close --n" name@9 nc,note
        "nc close --nc=4" value@14 nc="4" ["nc", "close"]  Named(Nonconformity)
        "nc raise certificate:Acme I" value@21 certificate="Acme I" ["nc", "raise"]  Named(Certificate)
        "nc raise certificate:Acme gr" name@26 grade
        "nc raise certificate:acme grade:m" value@32 grade="m" ["nc", "raise", "--certificate=acme"] major,minor Choice
        "nc verify nc:4 effective:" value@25 effective="" ["nc", "verify", "--nc=4"] true,false YesNo
        "certificate show Acm" value@17 certificate="Acm" ["certificate", "show"]  Named(Certificate)
        "xyz " nowhere
        "setup timezone:\"Europe/B" value@15 timezone="Europe/B" ["setup"]  Named(Zone)
        "nc close zz:4" value@9 nc="zz:4" ["nc", "close"]  Named(Nonconformity)
        "#);
    }

    fn word_like() -> impl Strategy<Value = String> {
        prop_oneof![
            "[ -~]{0,12}",
            "\\PC{0,6}",
            Just("nc:".to_owned()),
            Just("--nc=".to_owned()),
            Just("--effective".to_owned()),
            Just("\"".to_owned()),
            Just("'".to_owned()),
            Just("\\".to_owned()),
            Just("“".to_owned()),
            Just("certificate".to_owned()),
            Just("show".to_owned()),
            Just("nc".to_owned()),
            Just("what:".to_owned()),
            Just(" ".to_owned()),
            Just("\u{a0}".to_owned()),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1500) })]

        #[test]
        fn no_line_panics_and_every_place_is_within_it(words in prop::collection::vec(word_like(), 0..9), glue in "[ ]?") {
            let tree = tree();
            let line = words.join(&glue);
            prop_assert_eq!(parts(&tree, &line).into_iter().map(|part| part.1).collect::<String>(), line.clone());
            if let Typed::Line(argv) = read(&tree, &line) {
                // Whatever comes out is options by name: the grammar never sees a stray word.
                let options = argv.iter().skip_while(|word| !word.starts_with("--"));
                prop_assert!(options.clone().all(|word| word.starts_with("--") && word.contains('=')), "{:?}", argv);
            }
            for (at, _) in line.char_indices().chain([(line.len(), ' ')]) {
                if let Place::Path { start, .. } | Place::Name { start, .. } | Place::Value { start, .. } = place(&tree, &line[..at]) {
                    prop_assert!(line.get(start..at).is_some(), "{start} {at}");
                }
            }
        }

        #[test]
        fn any_text_survives_in_quotes(text in "[^\u{0}-\u{1f}]{0,40}") {
            let line = format!("nc reopen nc:4 reason:\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
            let understood = read(&tree(), &line);
            let Typed::Line(argv) = understood else { panic!("{understood:?}") };
            prop_assert_eq!(&argv[3], &format!("--reason={}", text.trim()));
        }

        #[test]
        fn text_that_names_no_option_survives_unquoted(text in "[A-Za-z0-9.,;!?()&/%+ -]{0,40}[A-Za-z.]") {
            prop_assume!(!text.trim().is_empty() && !text.contains("--"));
            let understood = read(&tree(), &format!("/nc reopen nc:4 reason:{text}"));
            let Typed::Line(argv) = understood else { panic!("{understood:?}") };
            prop_assert_eq!(&argv[3], &format!("--reason={}", text.trim()));
            prop_assert!(Line::try_parse_from(&argv).is_ok());
        }
    }
}
