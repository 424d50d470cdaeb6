//! How a request is carried out, whichever door it came by.

use chrono::{DateTime, Utc};

use super::{Actor, Door, Heard};
use crate::say::card::Card;

/// One thing that somebody asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The organisation's place in its chat: `discord:<guild id>`, or `console`.
    pub place: String,
    /// The place's name, if the door knows it.
    pub place_name: Option<String>,
    /// Which way it came.
    pub door: Door,
    /// Who asks.
    pub actor: Actor,
    /// The channel it was typed in, by the chat's id.
    pub channel: Option<String>,
    /// When it arrived.
    pub at: DateTime<Utc>,
    /// The door's id of the request (the interaction's id): the same one acts once.
    pub key: Option<String>,
    /// The command line: `["nc", "close", "--nc=NC-4"]`.
    pub argv: Vec<String>,
    /// What the door knows about what the line names.
    pub heard: Heard,
}

/// A request that was understood and allowed, ready to be carried out.
#[derive(Debug)]
pub struct Prepared {
    /// The request.
    pub request: Request,
    /// The files to fetch before it is carried out, by their reference in the line. Not empty: acknowledge
    /// (defer) first, fetching may take seconds.
    pub files: Vec<(String, super::HeardFile)>,
    /// Whether the answer, when all goes well, is shown to the whole channel.
    pub public: bool,
}

/// A file that was fetched.
#[derive(Debug, Clone)]
pub struct Received {
    /// Its reference in the line.
    pub reference: String,
    /// Its contents, or in words why they could not be had.
    pub bytes: Result<Vec<u8>, String>,
}

/// What a request comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Say this.
    Say {
        /// What.
        card: Box<Card>,
        /// To the whole channel, or only to whoever asked.
        public: bool,
    },
    /// Ask for more in a form (a modal); its answer comes back through [`App::resume`].
    Ask(Form),
}

/// A form to fill in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Its id, to hand back (at most 80 characters of `[a-z0-9:-]`).
    pub id: String,
    /// Its title, at most 45 characters.
    pub title: String,
    /// Its inputs, one to five.
    pub inputs: Vec<Input>,
}

/// One long text that a form asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The option's name.
    pub name: String,
    /// What is asked, at most 45 characters.
    pub label: String,
    /// A hint in the empty box, at most 100 characters.
    pub hint: String,
}

/// One completion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What is shown, at most 100 characters.
    pub label: String,
    /// What it stands for, at most 100 characters.
    pub value: String,
}

/// The application: the one thing that every door talks to. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App {}

impl App {
    /// Understands a request and checks that the actor may make it; writes nothing but a form's draft.
    /// `Err` is the answer to give at once (a refusal, or a form to fill in).
    pub async fn prepare(&self, request: Request) -> Result<Prepared, Answer> {
        todo!("{request:?}")
    }

    /// Takes a filled-in form (`fields`: option name → text) up again as the command line that it interrupted;
    /// `request.argv` is ignored.
    pub async fn resume(
        &self,
        form: &str,
        fields: Vec<(String, String)>,
        request: Request,
    ) -> Result<Prepared, Answer> {
        todo!("{form} {fields:?} {request:?}")
    }

    /// Carries a prepared request out, in one transaction, on disk before it returns.
    pub async fn perform(&self, prepared: Prepared, files: Vec<Received>) -> Answer {
        todo!("{prepared:?} {files:?}")
    }

    /// Completions for the option `focused` of which `typed` stands there so far; `request.argv` holds the
    /// rest of the line. At most 25.
    pub async fn complete(&self, request: &Request, focused: &str, typed: &str) -> Vec<Choice> {
        todo!("{request:?} {focused} {typed}")
    }

    /// A place has (or may have) become known: the bot was added to a server, or found itself there at start.
    pub async fn joined(&self, place: &str, name: Option<&str>, at: DateTime<Utc>) {
        todo!("{place} {name:?} {at}")
    }

    /// The bot was removed from a place: nothing is posted there any more; the records are kept.
    pub async fn left(&self, place: &str, at: DateTime<Utc>) {
        todo!("{place} {at}")
    }
}
