//! The organisation: who keeps the certificates, where and when it is told.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

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
}

impl Organisation {
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
