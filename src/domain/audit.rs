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

impl AuditKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Internal,
        Self::Gap,
        Self::Stage1,
        Self::Stage2,
        Self::Surveillance,
        Self::Recertification,
        Self::Special,
    ];

    /// The word for it in commands and records.
    pub fn id(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Gap => "gap",
            Self::Stage1 => "stage-1",
            Self::Stage2 => "stage-2",
            Self::Surveillance => "surveillance",
            Self::Recertification => "recertification",
            Self::Special => "special",
        }
    }

    /// Whether the certification body holds it (third party).
    pub fn by_body(self) -> bool {
        match self {
            Self::Internal | Self::Gap => false,
            Self::Stage1 | Self::Stage2 | Self::Surveillance | Self::Recertification | Self::Special => true,
        }
    }
}

impl std::str::FromStr for AuditKind {
    type Err = ();
    fn from_str(id: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|k| k.id() == id).ok_or(())
    }
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
