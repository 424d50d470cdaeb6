//! Audits: planned, under way, reported, closed.

use chrono::{DateTime, NaiveDate, Utc};

use super::organisation::Person;
use super::refusal::Refusal;

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

/// How far an audit has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuditState {
    /// Its dates are set.
    Planned,
    /// It has begun.
    UnderWay,
    /// It was held, and its conclusion is on record.
    Reported,
    /// Its findings are frozen: corrections are new entries.
    Closed,
    /// It will not be held.
    Cancelled,
    /// It was entered by mistake.
    Voided,
}

/// A step in the life of an audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditStep {
    /// It begins.
    Start,
    /// Its conclusion is put on record.
    Report,
    /// Its findings are frozen.
    Close,
    /// It will not be held.
    Cancel,
    /// Its dates change.
    Move,
    /// A finding is raised from it.
    Raise,
    /// It was entered by mistake.
    Void,
}

impl AuditState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Planned, Self::UnderWay, Self::Reported, Self::Closed, Self::Cancelled, Self::Voided];

    /// The word for it in commands and records.
    pub fn id(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::UnderWay => "under-way",
            Self::Reported => "reported",
            Self::Closed => "closed",
            Self::Cancelled => "cancelled",
            Self::Voided => "voided",
        }
    }

    /// Whether it was completed: only then does it count for the clocks and for coverage.
    pub fn is_completed(self) -> bool {
        matches!(self, Self::Reported | Self::Closed)
    }

    /// Whether it is still to be held, or being held.
    pub fn is_ahead(self) -> bool {
        matches!(self, Self::Planned | Self::UnderWay)
    }

    /// The state after a step; none where the step is not possible.
    pub fn after(self, step: AuditStep) -> Option<Self> {
        match (self, step) {
            (Self::Planned, AuditStep::Start) | (Self::UnderWay, AuditStep::Move | AuditStep::Raise) => {
                Some(Self::UnderWay)
            }
            (Self::Planned | Self::UnderWay, AuditStep::Report) | (Self::Reported, AuditStep::Raise) => {
                Some(Self::Reported)
            }
            (Self::Reported, AuditStep::Close) => Some(Self::Closed),
            (Self::Planned | Self::UnderWay, AuditStep::Cancel) => Some(Self::Cancelled),
            (Self::Planned, AuditStep::Move) => Some(Self::Planned),
            (Self::Reported, AuditStep::Void) => Some(Self::Voided),
            (
                Self::Planned
                | Self::UnderWay
                | Self::Reported
                | Self::Closed
                | Self::Cancelled
                | Self::Voided,
                _,
            ) => None,
        }
    }
}

impl std::str::FromStr for AuditState {
    type Err = ();
    fn from_str(id: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|s| s.id() == id).ok_or(())
    }
}

/// A clause that an audit looks at, of one certificate's standard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditClause {
    /// The certificate, by database key.
    pub certificate: i64,
    /// The clause or control.
    pub clause: String,
    /// Whether it was sampled; unknown before the report.
    pub sampled: Option<bool>,
}

/// What an audit is made of, beside its dates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditPlan {
    /// What it is judged by (ISO 19011:2018, 5.5.2).
    pub criteria: Option<String>,
    /// Who audits beside the lead.
    pub team: Vec<Person>,
    /// The clauses and controls.
    pub clauses: Vec<AuditClause>,
    /// The areas, by database key.
    pub areas: Vec<i64>,
    /// Since when its dates are on record, for one that was planned.
    pub dates_known_at: Option<DateTime<Utc>>,
    /// Why it goes against a clock, or is held without what should stand before it.
    pub deviation: Option<String>,
    /// Why an auditor audits an area of their own, and who agreed to that.
    pub impartiality: Option<(String, Person)>,
    /// The key it has in another system.
    pub reference: Option<String>,
}

/// An audit: one that was held, or is to be.
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
    /// How far it has come.
    pub state: AuditState,
    /// What it is made of.
    pub plan: AuditPlan,
}

impl Audit {
    /// Takes a step, if the rules allow it.
    pub fn step(&mut self, step: AuditStep) -> Result<(), Refusal> {
        match self.state.after(step) {
            Some(state) => {
                self.state = state;
                Ok(())
            }
            None => Err(Refusal::AuditStep { no: self.no, state: self.state, step }),
        }
    }

    /// Whether this person audits in it.
    pub fn has_auditor(&self, person: i64) -> bool {
        self.lead.as_ref().is_some_and(|p| p.id == person) || self.plan.team.iter().any(|p| p.id == person)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ISO 19011:2018, 6: no audit is stuck; what is finished stays so.
    #[test]
    fn every_state_of_an_audit_has_a_way_on_but_the_last() {
        use AuditStep::*;
        for state in AuditState::ALL {
            let ways: Vec<_> = [Start, Report, Close, Cancel, Move, Raise, Void]
                .into_iter()
                .filter_map(|step| state.after(step))
                .filter(|next| *next != state)
                .collect();
            let last = matches!(state, AuditState::Closed | AuditState::Cancelled | AuditState::Voided);
            assert_eq!(ways.is_empty(), last, "{state:?}");
        }
    }

    /// ISO 19011:2018, 6: whatever is done with an audit, in whatever order, it can be brought to an end, what is closed
    /// takes no step more (its findings are frozen), and a refused step changes nothing.
    #[test]
    fn whatever_was_done_with_an_audit_it_can_be_brought_to_its_end() {
        use AuditStep::*;
        let steps = [Start, Report, Close, Cancel, Move, Raise, Void];
        // Planned, or logged after it was held.
        let mut met = vec![AuditState::Planned, AuditState::Reported];
        let mut at = 0;
        while let Some(here) = met.get(at).copied() {
            for next in steps.into_iter().filter_map(|step| here.after(step)) {
                if !met.contains(&next) {
                    met.push(next);
                }
            }
            at += 1;
        }
        assert_eq!(met.len(), AuditState::ALL.len(), "every state is reached");
        for state in met {
            let last = matches!(state, AuditState::Closed | AuditState::Cancelled | AuditState::Voided);
            assert_eq!(last, steps.into_iter().all(|step| state.after(step).is_none()), "{state:?}");
            let finding = matches!(state, AuditState::UnderWay | AuditState::Reported);
            assert_eq!(state.after(Raise).is_some(), finding, "{state:?}");
            assert!(last || [Report, Close].into_iter().any(|step| state.after(step).is_some()), "{state:?}");
        }
    }
}
