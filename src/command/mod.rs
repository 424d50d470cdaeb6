//! What people can do: one grammar for every door.
//!
//! A slash command, a modal, a line typed at the console and `certkeeper do ...` on the shell all become an
//! argv for the one parser below. The registration with Discord, the help, the completions and the command
//! reference are read off the same tree ([`grammar::tree`]).

mod action;
mod allow;
pub mod app;
mod area;
mod audit;
mod certificate;
mod complete;
mod deeper;
pub(crate) mod find;
mod finding;
pub mod grammar;
pub mod import;
mod lacking;
mod nc;
pub mod option;
pub(crate) mod people;
mod perform;
pub(crate) mod phase;
mod programme;
mod remind;
mod review;
pub(crate) mod search;
mod setup;
mod standing;
mod why;

pub use app::{Answer, App, Choice, Defaults, Form, Input, Prepared, Received, Request};
pub use grammar::Command;

/// Which way something came in; the journal names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Door {
    /// A Discord interaction.
    Discord,
    /// A line typed at the console.
    Console,
    /// `certkeeper do` on the shell.
    Shell,
}

/// Who speaks, as the door knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The chat's id for them (a Discord user id), or the name at the console.
    pub handle: String,
    /// The name they go by.
    pub name: String,
    /// The ids of the roles they hold in the chat.
    pub roles: Vec<String>,
    /// Whether the chat lets them manage the whole place (Discord's Manage Server): always a manager.
    pub manages_place: bool,
    /// At the console and the shell, the role that the line was spoken in.
    pub spoken_as: Option<SpokenAs>,
}

/// The role in which a line at the console is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpokenAs {
    /// May do all that a manager may.
    Manager,
    /// May do all that an auditor may.
    Auditor,
    /// May read, and work on what is theirs.
    Member,
}

/// What the door knows about the things that an argv names by id.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Heard {
    /// People by handle: the name they go by.
    pub people: std::collections::BTreeMap<String, String>,
    /// Channels by id.
    pub channels: std::collections::BTreeMap<String, HeardChannel>,
    /// Files by the reference that stands in the argv (Discord: the attachment's id; console: the path).
    pub files: std::collections::BTreeMap<String, HeardFile>,
}

/// A channel as the door knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HeardChannel {
    /// Its name, without the `#`.
    pub name: String,
    /// What the bot may not do there though it needs to: Discord's names for the permissions
    /// (`View Channel`, `Send Messages`, `Embed Links`, `Read Message History`, `Attach Files`).
    /// `None` where the door cannot tell.
    pub missing: Option<Vec<String>>,
}

/// A file that someone attached, not yet fetched.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HeardFile {
    /// Its name as given.
    pub name: String,
    /// Its media type as claimed, if any.
    pub media_type: Option<String>,
    /// Its size in bytes as claimed.
    pub size: u64,
    /// Where it is fetched from: a URL, or a path at the console.
    pub from: String,
}
