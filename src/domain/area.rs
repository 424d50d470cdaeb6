//! Areas: the processes, sites and departments that audits cover.

use chrono::NaiveDate;

use super::audit::Audit;
use super::calendar;
use super::organisation::Person;

/// What an area is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AreaKind {
    /// A process.
    Process,
    /// A site.
    Site,
    /// A department.
    Department,
}

impl AreaKind {
    /// The word for it in commands and records.
    pub fn id(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Site => "site",
            Self::Department => "department",
        }
    }
}

impl std::str::FromStr for AreaKind {
    type Err = ();
    fn from_str(id: &str) -> Result<Self, ()> {
        [Self::Process, Self::Site, Self::Department].into_iter().find(|k| k.id() == id).ok_or(())
    }
}

/// A process, a site or a department.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// Database key, never shown.
    pub id: i64,
    /// Its number within the organisation, from 1.
    pub no: i64,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: AreaKind,
    /// Who owns it: they do not audit it (ISO 19011:2018, 4 e).
    pub owner: Option<Person>,
    /// When it was added to the scope.
    pub added_on: NaiveDate,
    /// Every how many months it is to be audited.
    pub every_months: u32,
    /// Since when it is no longer part of the scope.
    pub ended_on: Option<NaiveDate>,
    /// The key it has in another system.
    pub reference: Option<String>,
}

/// Why an area is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AreaDue {
    /// It was added and has not been audited since.
    New {
        /// By when it should be.
        by: NaiveDate,
    },
    /// Its interval has run since it was audited last.
    Interval {
        /// The last day of the last audit.
        last: NaiveDate,
        /// By when it should be audited again.
        by: NaiveDate,
    },
}

impl AreaDue {
    /// By when it should be audited.
    pub fn by(self) -> NaiveDate {
        match self {
            Self::New { by } | Self::Interval { by, .. } => by,
        }
    }
}

impl Area {
    /// Whether it is part of the scope on a day.
    pub fn is_live(&self, day: NaiveDate) -> bool {
        self.ended_on.is_none_or(|ended| day < ended)
    }

    /// The last day of the last completed audit that looked at it.
    pub fn last_audited<'a>(&self, audits: impl IntoIterator<Item = &'a Audit>) -> Option<NaiveDate> {
        audits
            .into_iter()
            .filter(|a| a.state.is_completed() && a.plan.areas.contains(&self.id))
            .map(|a| a.ends_on)
            .max()
    }

    /// By when it is to be audited next, and why.
    pub fn due<'a>(&self, audits: impl IntoIterator<Item = &'a Audit>) -> AreaDue {
        match self.last_audited(audits) {
            Some(last) => AreaDue::Interval { last, by: calendar::add_months(last, self.every_months) },
            None => AreaDue::New { by: calendar::add_months(self.added_on, self.every_months) },
        }
    }
}
