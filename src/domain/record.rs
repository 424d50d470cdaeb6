//! Dated statements that something happened: an activity done or waived, a change, a risk revisit, a training, what
//! became of a certificate.

use chrono::{DateTime, NaiveDate, Utc};

use super::organisation::Person;

/// What a record tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// A phase's activity was done.
    TaskDone,
    /// A phase's activity was waived, with a reason.
    TaskWaived,
    /// Something changed, inside or outside (clause 4.1 and 4.2 of every standard).
    Change,
    /// Risks were looked at again.
    Risk,
    /// People were trained.
    Training,
    /// The opening meeting with the certification body.
    OpeningMeeting,
    /// The certificate was suspended (ISO/IEC 17021-1:2015, 9.6.5).
    Suspended,
    /// The suspension was lifted.
    Reinstated,
    /// The certificate was withdrawn.
    Withdrawn,
    /// It went over to another certification body (IAF MD 2).
    Transferred,
    /// Its scope changed (ISO/IEC 17021-1:2015, 9.6.4).
    Scope,
}

impl RecordKind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::TaskDone,
        Self::TaskWaived,
        Self::Change,
        Self::Risk,
        Self::Training,
        Self::OpeningMeeting,
        Self::Suspended,
        Self::Reinstated,
        Self::Withdrawn,
        Self::Transferred,
        Self::Scope,
    ];

    /// The word for it in the file.
    pub fn id(self) -> &'static str {
        match self {
            Self::TaskDone => "task-done",
            Self::TaskWaived => "task-waived",
            Self::Change => "change",
            Self::Risk => "risk",
            Self::Training => "training",
            Self::OpeningMeeting => "opening-meeting",
            Self::Suspended => "suspended",
            Self::Reinstated => "reinstated",
            Self::Withdrawn => "withdrawn",
            Self::Transferred => "transferred",
            Self::Scope => "scope",
        }
    }

    /// What it is called.
    pub fn title(self) -> &'static str {
        match self {
            Self::TaskDone => "activity done",
            Self::TaskWaived => "activity waived",
            Self::Change => "change",
            Self::Risk => "risk revisit",
            Self::Training => "training",
            Self::OpeningMeeting => "opening meeting",
            Self::Suspended => "suspended",
            Self::Reinstated => "reinstated",
            Self::Withdrawn => "withdrawn",
            Self::Transferred => "transferred",
            Self::Scope => "scope changed",
        }
    }
}

impl std::str::FromStr for RecordKind {
    type Err = ();
    fn from_str(id: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|k| k.id() == id).ok_or(())
    }
}

/// A dated statement that something happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Database key, never shown.
    pub id: i64,
    /// Its number within the organisation, from 1: `R-7`.
    pub no: i64,
    /// What it tells of.
    pub kind: RecordKind,
    /// The certificate, by database key; none where it is about the whole organisation.
    pub certificate: Option<i64>,
    /// What it is about: an activity (`1/operate-1/internal-audits`), whether a change is internal or external, a
    /// topic.
    pub subject: String,
    /// When it happened.
    pub on: NaiveDate,
    /// What happened, or why.
    pub words: String,
    /// Who was there.
    pub present: Vec<Person>,
    /// Who should have been there and was not.
    pub absent: Vec<Person>,
    /// Who entered it.
    pub by: Person,
    /// When it was entered: stands beside the day on which it happened, so that backdating is visible.
    pub at: DateTime<Utc>,
    /// Why it does not count, if it was entered by mistake.
    pub voided: Option<String>,
}

impl Record {
    /// Whether it was not voided.
    pub fn counts(&self) -> bool {
        self.voided.is_none()
    }
}

/// The subject under which an activity of a phase of a cycle is on record.
pub fn task_subject(cycle: u32, phase: &str, activity: &str) -> String {
    format!("{cycle}/{phase}/{activity}")
}
