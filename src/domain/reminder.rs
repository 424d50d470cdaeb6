//! What people answer to reminders, and the reminders of their own.

use chrono::{DateTime, NaiveDate, Utc};

use super::organisation::Person;

/// How a reminder was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// It will be dealt with by the day: silent until then.
    Acknowledged {
        /// What was said to it.
        note: Option<String>,
    },
    /// It is not to be spoken of until the day.
    Snoozed {
        /// Why.
        reason: String,
    },
}

/// An answer to the reminders of a subject about one date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Database key, never shown.
    pub id: i64,
    /// The subject (`nc/12/due`).
    pub subject: String,
    /// The date that the reminders are about. Another one makes the answer moot.
    pub about_on: NaiveDate,
    /// Whom they asked then, by the chat's id. Somebody else makes it moot.
    pub asked: Option<String>,
    /// What the answer was.
    pub response: Response,
    /// Until when nothing is said of it.
    pub until: NaiveDate,
    /// Who answered.
    pub by: Person,
    /// When.
    pub at: DateTime<Utc>,
}

/// A reminder of somebody's own, given again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnReminder {
    /// Database key, never shown.
    pub id: i64,
    /// Its number within the organisation, from 1: `RM-1`.
    pub no: i64,
    /// When, as a cron expression of five fields in the organisation's zone.
    pub cron: String,
    /// What it says.
    pub words: String,
    /// Where it is posted, if not in the organisation's channel.
    pub channel: Option<String>,
    /// Whom it asks.
    pub asks: Option<Person>,
    /// Who entered it.
    pub by: Person,
    /// When it was entered: it is not due before.
    pub at: DateTime<Utc>,
    /// When it was ended.
    pub ended_at: Option<DateTime<Utc>>,
}
