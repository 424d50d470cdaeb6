//! The neutral form of everything said to a person: a chat adapter renders it, none of them words it.
//!
//! What people typed travels as [`Span::Said`], apart from our own words, so that each adapter can make it
//! harmless in its own way (escape markdown, strip control characters) and no adapter can forget to.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// What is seen of a character wherever people read: whatever breaks a line is one line break, a tab a space; control,
/// bidirectional, zero-width and tag characters are not there. (The joiner that emoji are made with stays.)
pub fn visible_char(c: char) -> Option<char> {
    match c {
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some('\n'),
        '\t' => Some(' '),
        '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => None,
        c => Some(c).filter(|c| !c.is_control()),
    }
}

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Span {
    /// Our own words, plain.
    Text(String),
    /// Our own words, emphasised (bold).
    Strong(String),
    /// Words of ours to be copied or typed: a command, an id, a setting.
    Code(String),
    /// What a person typed: to be shown as it is and to do nothing.
    Said(String),
    /// A calendar date of the organisation's zone (shown as ISO 8601, never shifted).
    Date(NaiveDate),
    /// An instant (Discord shows it in each reader's own zone).
    Instant(DateTime<Utc>),
    /// A person: the chat's id for them, and their name for where there is none.
    Person {
        /// The id in their chat (a Discord user id), or the name at the console.
        handle: String,
        /// The name they go by.
        name: String,
    },
    /// A role, by the chat's id.
    Role(String),
    /// A channel, by the chat's id.
    Channel(String),
}

/// A line of text made of [`Span`]s.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Line(pub Vec<Span>);

impl Line {
    /// An empty line to add to.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds plain words of ours.
    #[must_use]
    pub fn text(mut self, words: impl Into<String>) -> Self {
        self.0.push(Span::Text(words.into()));
        self
    }

    /// Adds emphasised words of ours.
    #[must_use]
    pub fn strong(mut self, words: impl Into<String>) -> Self {
        self.0.push(Span::Strong(words.into()));
        self
    }

    /// Adds something to be typed or copied.
    #[must_use]
    pub fn code(mut self, words: impl Into<String>) -> Self {
        self.0.push(Span::Code(words.into()));
        self
    }

    /// Adds what a person typed.
    #[must_use]
    pub fn said(mut self, words: impl Into<String>) -> Self {
        self.0.push(Span::Said(words.into()));
        self
    }

    /// Adds a calendar date.
    #[must_use]
    pub fn date(mut self, day: NaiveDate) -> Self {
        self.0.push(Span::Date(day));
        self
    }

    /// Adds an instant.
    #[must_use]
    pub fn instant(mut self, at: DateTime<Utc>) -> Self {
        self.0.push(Span::Instant(at));
        self
    }

    /// Adds a person.
    #[must_use]
    pub fn person(mut self, handle: impl Into<String>, name: impl Into<String>) -> Self {
        self.0.push(Span::Person { handle: handle.into(), name: name.into() });
        self
    }

    /// Adds a role.
    #[must_use]
    pub fn role(mut self, id: impl Into<String>) -> Self {
        self.0.push(Span::Role(id.into()));
        self
    }

    /// Adds a channel.
    #[must_use]
    pub fn channel(mut self, id: impl Into<String>) -> Self {
        self.0.push(Span::Channel(id.into()));
        self
    }

    /// Adds all of another line.
    #[must_use]
    pub fn line(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bare words: for logs, titles of lists and tests. People's text is in it as typed.
    pub fn plain(&self) -> String {
        let mut out = String::new();
        for span in &self.0 {
            match span {
                Span::Text(s) | Span::Strong(s) | Span::Code(s) | Span::Said(s) => out.push_str(s),
                Span::Date(d) => out.push_str(&d.format("%Y-%m-%d").to_string()),
                Span::Instant(t) => out.push_str(&t.format("%Y-%m-%d %H:%M UTC").to_string()),
                Span::Person { name, .. } => out.push_str(name),
                Span::Role(id) | Span::Channel(id) => out.push_str(id),
            }
        }
        out
    }
}

impl From<&str> for Line {
    fn from(words: &str) -> Self {
        Self::new().text(words)
    }
}

impl From<String> for Line {
    fn from(words: String) -> Self {
        Self::new().text(words)
    }
}

/// What a card means, for those who look before they read. Never the only sign of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tone {
    /// Something to know.
    #[default]
    Plain,
    /// Something was done.
    Good,
    /// Something comes near.
    Warning,
    /// Something is late or broken.
    Alarm,
    /// A person's request could not be met.
    Refusal,
}

/// A named part of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// What it is, in a word or two of ours.
    pub name: String,
    /// Its lines; never empty.
    pub lines: Vec<Line>,
}

/// One thing said: a title, some lines, some fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// The heading.
    pub title: Line,
    /// What it means.
    pub tone: Tone,
    /// The text.
    pub lines: Vec<Line>,
    /// The named parts.
    pub fields: Vec<Field>,
    /// A small last line (references, hints).
    pub footer: Option<Line>,
    /// The nonconformity whose next question a door may offer at a press.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offers: Option<i64>,
}

impl Card {
    /// A card with a heading.
    pub fn new(tone: Tone, title: impl Into<Line>) -> Self {
        Self { title: title.into(), tone, ..Self::default() }
    }

    /// Adds a line of text.
    #[must_use]
    pub fn line(mut self, line: impl Into<Line>) -> Self {
        self.lines.push(line.into());
        self
    }

    /// Adds a named part, unless it has no lines.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>, lines: Vec<Line>) -> Self {
        if !lines.is_empty() {
            self.fields.push(Field { name: name.into(), lines });
        }
        self
    }

    /// The same without what people typed and who they are: references and dates only.
    #[must_use]
    pub fn discreet(mut self) -> Self {
        let tells = |line: &Line| line.0.iter().any(|s| matches!(s, Span::Said(_) | Span::Person { .. }));
        self.title.0.retain(|s| !matches!(s, Span::Said(_) | Span::Person { .. }));
        self.lines.retain(|l| !tells(l));
        for field in &mut self.fields {
            field.lines.retain(|l| !tells(l));
        }
        self.fields.retain(|f| !f.lines.is_empty());
        self
    }

    /// Offers the next question of a nonconformity, by its number.
    #[must_use]
    pub fn offer_next(mut self, nc: i64) -> Self {
        self.offers = Some(nc);
        self
    }

    /// Sets the small last line.
    #[must_use]
    pub fn footer(mut self, footer: impl Into<Line>) -> Self {
        self.footer = Some(footer.into());
        self
    }
}
