//! The organisation: who keeps the certificates, where and when it is told.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::workdays::{Hours, QuietHours, WorkingDays};

/// An organisation: a Discord server, or the console's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// Database key, never shown.
    pub id: i64,
    /// Where it lives: `discord:<guild id>` or `console`.
    pub place: String,
    /// The name it goes by.
    pub name: String,
    /// The zone of its dates and of its posting hour.
    pub zone: Tz,
    /// The local hour at which reminders are posted, 0-23.
    pub hour: u32,
    /// Where reminders go if the certificate has no channel of its own.
    pub channel: Option<String>,
    /// The role of the management-system managers, by the chat's id.
    pub manager_role: Option<String>,
    /// The role of the internal auditors, by the chat's id.
    pub auditor_role: Option<String>,
    /// Whether public posts carry references and dates only.
    pub minimal: bool,
    /// When it is spoken to, and what is done where nobody answers.
    pub manners: Manners,
}

/// How an organisation wants to be reminded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manners {
    /// The days on which it works.
    pub working_days: WorkingDays,
    /// Its public holidays, by the id of the file that lists them.
    pub holidays: Option<String>,
    /// The hours in which nothing is posted unasked.
    pub quiet: Option<QuietHours>,
    /// What is done where a late reminder is not answered.
    pub escalation: Option<Escalation>,
    /// Where the last step of an escalation is said.
    pub escalation_channel: Option<String>,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            working_days: WorkingDays::ALL,
            holidays: None,
            quiet: None,
            escalation: None,
            escalation_channel: None,
        }
    }
}

/// The rule by which an unanswered reminder goes up: its owner, then the managers, then the escalation channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Escalation {
    /// After how many working days without an answer each step follows.
    pub after: u32,
    /// Since when that is the rule.
    pub known_at: DateTime<Utc>,
}

impl Organisation {
    /// When it may be spoken to, with its public holidays.
    pub fn hours<'a>(&self, holidays: Option<&'a BTreeMap<NaiveDate, String>>) -> Hours<'a> {
        let Manners { working_days, quiet, .. } = self.manners;
        Hours { zone: self.zone, days: working_days, holidays, quiet }
    }

    /// The calendar date that an instant falls on for this organisation.
    pub fn day_of(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.zone).date_naive()
    }
}

/// Someone known to an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Database key, never shown.
    pub id: i64,
    /// The chat's id for them (a Discord user id), or the name at the console.
    pub handle: String,
    /// The name they go by.
    pub name: String,
}
