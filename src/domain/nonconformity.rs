//! The nonconformity, from raising to closing.
//!
//! It is the fold of its steps: nothing is overwritten, a reopened one keeps its history. The steps follow what
//! the standards ask for themselves (ISO/IEC 27001:2022, 10.2; the clause number differs between standards):
//! correction, cause, action, effectiveness, and evidence of all of it.

use chrono::{DateTime, NaiveDate, Utc};

use super::organisation::Person;

/// How grave it is (ISO/IEC 17021-1:2015, 3.12 and 3.13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Affects the capability of the management system to achieve its intended results.
    Major,
    /// Does not affect that capability.
    Minor,
}

/// A nonconformity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonconformity {
    /// Database key, never shown.
    pub id: i64,
    /// Its number within the organisation, from 1: `NC-12`.
    pub no: i64,
    /// The certificate, by database key.
    pub certificate: i64,
    /// The audit that found it, by database key and number.
    pub audit: Option<(i64, i64)>,
    /// How grave it is.
    pub grade: Grade,
    /// The clause or control that is not met.
    pub clause: String,
    /// What is wrong.
    pub statement: String,
    /// The process, site or department.
    pub area: Option<String>,
    /// Who is to deal with it.
    pub owner: Option<Person>,
    /// By when it must be closed.
    pub due_on: NaiveDate,
    /// Since when that date has been on record.
    pub due_known_at: DateTime<Utc>,
    /// Who raised it.
    pub raised_by: Person,
    /// When it was raised.
    pub raised_at: DateTime<Utc>,
    /// What was done about it, oldest first.
    pub steps: Vec<Step>,
}

/// One thing done about a nonconformity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Who recorded it.
    pub by: Person,
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// What.
    pub what: Done,
}

/// What a step records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// What was done about the thing itself.
    Correction(String),
    /// Why it could happen.
    Cause(String),
    /// The corrective action: who, what, by when.
    Plan {
        /// Who acts.
        owner: Person,
        /// By when.
        due_on: NaiveDate,
        /// What will be done.
        action: String,
    },
    /// The action was carried out.
    Implemented(String),
    /// Whether it works.
    Verified {
        /// Whether it does.
        effective: bool,
        /// How that was established.
        how: String,
    },
    /// A piece of evidence was added (the store knows which).
    Evidence,
    /// It was closed.
    Closed {
        /// A last word.
        note: Option<String>,
    },
    /// It was opened again.
    Reopened {
        /// Why.
        reason: String,
    },
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Nothing done yet (or no correction on record).
    Raised,
    /// Corrected, cause not on record.
    Corrected,
    /// Cause on record, no action planned.
    Analysed,
    /// Action planned, not done.
    Planned,
    /// Action done, effectiveness not verified.
    Implemented,
    /// Verified effective, not closed.
    Verified,
    /// Closed.
    Closed,
}

impl Grade {
    /// The word for it in commands and records.
    pub fn id(self) -> &'static str {
        match self {
            Self::Major => "major",
            Self::Minor => "minor",
        }
    }
}

impl std::str::FromStr for Grade {
    type Err = ();
    fn from_str(id: &str) -> Result<Self, ()> {
        [Self::Major, Self::Minor].into_iter().find(|g| g.id() == id).ok_or(())
    }
}

impl State {
    /// The word for it in commands and records.
    pub fn id(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Corrected => "corrected",
            Self::Analysed => "analysed",
            Self::Planned => "planned",
            Self::Implemented => "implemented",
            Self::Verified => "verified",
            Self::Closed => "closed",
        }
    }
}
impl Nonconformity { pub fn state(&self) -> State { todo!() } }
