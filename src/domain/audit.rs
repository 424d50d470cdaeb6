//! Audits on record.

use chrono::{DateTime, NaiveDate, Utc};

use super::organisation::Person;

/// What an audit was held for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuditKind {
    /// Internal audit (first party).
    Internal,
    /// Gap analysis before certification.
    Gap,
    /// Stage 1 of the initial certification audit.
    Stage1,
    /// Stage 2 of the initial certification audit.
    Stage2,
    /// Surveillance audit.
    Surveillance,
    /// Recertification audit.
    Recertification,
    /// Special audit (ISO/IEC 17021-1:2015, 9.6.4).
    Special,
}

/// An audit that was held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// Database key, never shown.
    pub id: i64,
    /// Its number within the organisation, from 1: `A-3`.
    pub no: i64,
    /// What it was held for.
    pub kind: AuditKind,
    /// Its first day.
    pub starts_on: NaiveDate,
    /// Its last day, from which limits count.
    pub ends_on: NaiveDate,
    /// What was audited.
    pub scope: String,
    /// What it came to.
    pub conclusion: String,
    /// Who led it, if they are a person of the organisation.
    pub lead: Option<Person>,
    /// Who led it, by name, if they are not.
    pub lead_name: Option<String>,
    /// Who logged it.
    pub logged_by: Person,
    /// When it was logged: stands beside the day it was held, so that backdating is visible.
    pub logged_at: DateTime<Utc>,
    /// The certificates that it counts for, by database key.
    pub certificates: Vec<i64>,
}
