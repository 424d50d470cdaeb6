//! The doors to people. Outbound there is one port, [`Post`], since delivery must be tested against refusals.
//! Inbound needs none: an adapter turns what arrived into a [`crate::command::Request`] and hands it to the
//! [`crate::command::App`].

use std::future::Future;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::say::card::Card;

pub mod console;
pub mod discord;

/// One message to a channel, which nobody asked for at that moment: a reminder or a digest of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The chat's id of the channel.
    pub channel: String,
    /// The same for every try of the same message, at most 25 characters: Discord's enforced nonce.
    pub nonce: String,
    /// A short mark that stands in the message (its footer), by which it can be found again in the channel.
    pub reference: String,
    /// Who is pinged, by id; nobody else ever is.
    pub ask: Vec<Ask>,
    /// What it says.
    pub card: Card,
    /// Whether it is to be put together anew, in smaller parts, rather than shown with something left out.
    pub divisible: bool,
}

/// Someone whom a message asks to do something, and therefore pings.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// A person, by the chat's id.
    Person(String),
    /// A role, by the chat's id.
    Role(String),
}

/// What became of a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Posted {
    /// It stands in the channel under this message id.
    Sent {
        /// The chat's id of the message.
        message: String,
    },
    /// It is certain that nothing was posted; try again, not before `after`.
    NotSent {
        /// The least wait that the chat asked for, if it asked for one.
        after: Option<Duration>,
        /// Why, for the record and the log.
        why: String,
    },
    /// Nobody knows whether it was posted (no answer, a broken answer, a server's error).
    Unknown {
        /// Why, for the record and the log.
        why: String,
    },
    /// This channel will not take it until a person changes something.
    Refused {
        /// Why, in words for the person who can change it.
        why: String,
    },
    /// The chat refuses us altogether (the token is not valid): stop posting.
    Stop {
        /// Why.
        why: String,
    },
}

/// What a look into a channel for an earlier message found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looked {
    /// It is there.
    Found {
        /// The chat's id of the message.
        message: String,
    },
    /// It is not there.
    Absent,
    /// It could not be told (no permission to read the history, no answer).
    CannotTell {
        /// Whether trying again later may help; `false` where the permission is missing.
        passing: bool,
        /// Why.
        why: String,
    },
}

/// One of our own messages in a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// The chat's id of the message.
    pub message: String,
    /// When it was posted.
    pub at: DateTime<Utc>,
    /// The mark that it carries.
    pub reference: String,
}

/// Why it could not be told what was said in a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CannotTell {
    /// Whether trying again later may help; `false` where the permission is missing.
    pub passing: bool,
    /// Why.
    pub why: String,
}

/// The outbound port: where reminders go.
pub trait Post: Send + Sync {
    /// Posts a message once; never retries by itself, never panics.
    fn post(&self, message: &Outgoing) -> impl Future<Output = Posted> + Send;

    /// Looks whether one of our own messages that carries `reference` and is not older than `since` stands in
    /// the channel.
    fn look(
        &self,
        channel: &str,
        reference: &str,
        since: DateTime<Utc>,
    ) -> impl Future<Output = Looked> + Send;

    /// Whether one message in the channel shows all of a card.
    fn holds(&self, channel: &str, card: &Card) -> bool;

    /// Those of `asked` whom a message at this place would certainly not reach: who has left, a role that was
    /// deleted. Whoever cannot be asked after counts as there.
    fn gone(&self, place: &str, asked: &[Ask]) -> impl Future<Output = Vec<Ask>> + Send;

    /// Whether a channel that refused a message would take one now. Asked seldom: it may be refused as well.
    fn open(&self, channel: &str) -> impl Future<Output = bool> + Send;

    /// Our own messages in the channel that carry a mark and are not older than `since`.
    fn said(
        &self,
        channel: &str,
        since: DateTime<Utc>,
    ) -> impl Future<Output = Result<Vec<Own>, CannotTell>> + Send;
}
