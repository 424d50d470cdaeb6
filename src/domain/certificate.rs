//! The certificate and its cycles.

use chrono::{DateTime, NaiveDate, Utc};

use super::organisation::Person;

/// A certificate, held or prepared for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Database key, never shown.
    pub id: i64,
    /// Its number within the organisation, from 1.
    pub no: i64,
    /// The standard's id in the catalogue (`iso-27001`).
    pub standard: String,
    /// What people call it.
    pub name: String,
    /// The certification body.
    pub body: Option<String>,
    /// The certificate's own number.
    pub number: Option<String>,
    /// Where its reminders go, if not the organisation's channel.
    pub channel: Option<String>,
    /// Who is asked to act.
    pub owner: Option<Person>,
    /// The last day of the stage 2 audit, held or booked.
    pub stage2_on: Option<NaiveDate>,
    /// When it was entered here.
    pub entered_at: DateTime<Utc>,
    /// Its cycles, oldest first; none while it is being prepared for.
    pub cycles: Vec<Cycle>,
}

/// A three-year certification cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle {
    /// 1 for the first.
    pub n: u32,
    /// The day of the (re)certification decision that began it.
    pub decided_on: NaiveDate,
    /// The day from which its months are counted: the decision, or after a renewal the day after the old expiry.
    pub anchor: NaiveDate,
    /// The last day on which the certificate is valid.
    pub expires_on: NaiveDate,
    /// Counts the anchors it has had: 1, and one more each time the anchor was corrected.
    pub revision: u32,
    /// Since when this anchor has been on record: what fell due earlier is not announced.
    pub known_at: DateTime<Utc>,
}

/// Where a certificate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Not decided yet.
    Preparing,
    /// Valid.
    Certified,
    /// Expired, and can be restored until the day given (ISO/IEC 17021-1:2015, 9.6.3.2.5). Not valid meanwhile.
    ExpiredRestorable {
        /// The last day for a restoration.
        until: NaiveDate,
    },
    /// Expired for good: an initial certification (at least a stage 2) is needed.
    Expired,
}
