//! Findings that are no nonconformities: opportunities, observations, strengths, and stage 1's areas of concern.

use chrono::{DateTime, NaiveDate, Utc};

use super::nonconformity::{Grade, Nonconformity};
use super::organisation::Person;
use super::refusal::Refusal;

/// What a finding is, if not a nonconformity (ISO/IEC 17021-1:2015, 9.4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingGrade {
    /// Opportunity for improvement: becomes an action or is declined with a reason.
    Opportunity,
    /// Observation.
    Observation,
    /// Strength.
    Strength,
    /// Stage 1's area of concern, to be addressed before stage 2 (ISO/IEC 17021-1:2015, 9.3.1.2).
    Concern,
}

impl FindingGrade {
    /// Every grade.
    pub const ALL: [Self; 4] = [Self::Opportunity, Self::Observation, Self::Strength, Self::Concern];

    /// The word for it in commands and records.
    pub fn id(self) -> &'static str {
        match self {
            Self::Opportunity => "opportunity",
            Self::Observation => "observation",
            Self::Strength => "strength",
            Self::Concern => "concern",
        }
    }

    /// What it is called.
    pub fn title(self) -> &'static str {
        match self {
            Self::Opportunity => "opportunity for improvement",
            Self::Observation => "observation",
            Self::Strength => "strength",
            Self::Concern => "area of concern",
        }
    }

    /// The state in which it begins: a strength or an observation asks for nothing.
    pub fn begins(self) -> FindingState {
        match self {
            Self::Opportunity | Self::Concern => FindingState::Open,
            Self::Observation | Self::Strength => FindingState::Noted,
        }
    }
}

impl std::str::FromStr for FindingGrade {
    type Err = ();
    fn from_str(id: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|g| g.id() == id).ok_or(())
    }
}

/// What became of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingState {
    /// Nobody has said yet what becomes of it.
    Open,
    /// It became an action.
    Accepted,
    /// It was declined, with a reason.
    Declined,
    /// An area of concern was addressed.
    Addressed,
    /// It asks for nothing.
    Noted,
    /// It was entered by mistake.
    Voided,
}

impl FindingState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Open, Self::Accepted, Self::Declined, Self::Addressed, Self::Noted, Self::Voided];

    /// The word for it in commands and records.
    pub fn id(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Addressed => "addressed",
            Self::Noted => "noted",
            Self::Voided => "voided",
        }
    }
}

impl std::str::FromStr for FindingState {
    type Err = ();
    fn from_str(id: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|s| s.id() == id).ok_or(())
    }
}

/// A finding that is no nonconformity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Database key, never shown.
    pub id: i64,
    /// Its number within the organisation, from 1: `F-2`.
    pub no: i64,
    /// The audit that found it, by database key and number.
    pub audit: (i64, i64),
    /// The certificate, by database key.
    pub certificate: i64,
    /// What it is.
    pub grade: FindingGrade,
    /// The clause or control.
    pub clause: String,
    /// What was seen.
    pub statement: String,
    /// The process, site or department.
    pub area: Option<String>,
    /// Who is to deal with it.
    pub owner: Option<Person>,
    /// The body's own reference.
    pub reference: Option<String>,
    /// Who raised it.
    pub raised_by: Person,
    /// When it was raised.
    pub raised_at: DateTime<Utc>,
    /// What became of it.
    pub state: FindingState,
    /// Why, or how.
    pub settled: Option<Settled>,
}

/// How something was settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Why, or how.
    pub why: String,
    /// By whom.
    pub by: Person,
    /// When.
    pub at: DateTime<Utc>,
}

impl Finding {
    /// Whether it may be settled so: an open one, an opportunity as an action or declined, a concern as an action and
    /// as addressed.
    pub fn may(&self, to: FindingState) -> Result<(), Refusal> {
        let fits = match to {
            FindingState::Accepted => {
                self.grade == FindingGrade::Opportunity || self.grade == FindingGrade::Concern
            }
            // An area of concern is resolved before stage 2 (9.3.1.2.4), not declined.
            FindingState::Declined => self.grade == FindingGrade::Opportunity,
            FindingState::Addressed => self.grade == FindingGrade::Concern,
            FindingState::Voided => true,
            FindingState::Open | FindingState::Noted => false,
        };
        let open = matches!(self.state, FindingState::Open)
            || (to == FindingState::Addressed && self.state == FindingState::Accepted)
            || (to == FindingState::Voided && self.state == FindingState::Noted);
        if open && fits { Ok(()) } else { Err(Refusal::FindingSettled { no: self.no, state: self.state }) }
    }
}

/// What stands out when a nonconformity is raised: said, never acted upon.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repeats {
    /// Closed ones of the same clause and area: whether their action worked is in doubt.
    pub closed: Vec<i64>,
    /// Open ones of the same clause and area.
    pub open: Vec<i64>,
    /// Open minors on the same clause, this one included, where there are so many that they may show a systemic
    /// failure (ISO/IEC 17021-1:2015, 3.12).
    pub minors: Vec<i64>,
}

/// How many open minors on one clause make it worth thinking of a major.
const MANY_MINORS: usize = 3;

/// Looks for what a nonconformity repeats among those on record before it.
pub fn repeats(new: &Nonconformity, before: &[Nonconformity]) -> Repeats {
    let same_area = |o: &&Nonconformity| match (&o.area, &new.area) {
        (Some(a), Some(b)) => a.to_lowercase() == b.to_lowercase(),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    };
    let on_clause: Vec<&Nonconformity> = before
        .iter()
        .filter(|o| {
            o.id != new.id && o.certificate == new.certificate && o.clause == new.clause && !o.is_voided()
        })
        .collect();
    let no = |o: &&Nonconformity| o.no;
    let mut minors: Vec<i64> =
        on_clause.iter().filter(|o| o.grade == Grade::Minor && o.is_open()).map(no).collect();
    if new.grade == Grade::Minor {
        minors.push(new.no);
    }
    if minors.len() < MANY_MINORS || new.grade == Grade::Major {
        minors.clear();
    }
    Repeats {
        closed: on_clause.iter().copied().filter(same_area).filter(|o| !o.is_open()).map(|o| o.no).collect(),
        open: on_clause.iter().copied().filter(same_area).filter(|o| o.is_open()).map(|o| o.no).collect(),
        minors,
    }
}

/// What tells of records that were made up afterwards (never hidden, never judged).
pub fn tells(nc: &Nonconformity, day_of: impl Fn(DateTime<Utc>) -> NaiveDate) -> Vec<&'static str> {
    let mut out = Vec::new();
    let progress = nc.progress();
    if let Some(closed) = progress.closed.filter(|_| !nc.is_voided()) {
        if progress.implemented.is_none() {
            // Closed elsewhere before it was entered here: the rest of what tells would be about the entering.
            return vec!["closed before it was entered, its steps are not on record"];
        }
        if closed.at - nc.raised_at < chrono::TimeDelta::hours(1) {
            out.push("closed within the hour in which it was raised");
        } else if day_of(closed.at) == day_of(nc.raised_at) {
            out.push("closed on the day on which it was raised");
        }
        let acted = progress.implemented.map(|s| s.by.id);
        let verified = progress.verified.map(|s| s.by.id);
        let planned = progress.action().map(|(owner, ..)| owner.id);
        let raised = Some(nc.raised_by.id);
        if (acted == raised || planned == raised) && Some(closed.by.id) == raised {
            out.push("raised, acted on and closed by one person");
        } else if verified == raised && acted == raised {
            out.push("raised, acted on and verified by one person");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::nonconformity::{Done, Step};
    use super::*;

    fn finding(grade: FindingGrade, state: FindingState) -> Finding {
        let person = Person { id: 1, handle: "1".into(), name: "P".into() };
        Finding {
            id: 1,
            no: 2,
            audit: (1, 1),
            certificate: 1,
            grade,
            clause: "9.2".into(),
            statement: "s".into(),
            area: None,
            owner: None,
            reference: None,
            raised_by: person,
            raised_at: DateTime::UNIX_EPOCH,
            state,
            settled: None,
        }
    }

    /// ISO/IEC 17021-1:2015, 9.4.5: an opportunity is no softened nonconformity, a concern is addressed before stage 2.
    #[test]
    fn every_finding_that_asks_for_something_has_a_way_on_and_what_is_settled_stays_so() {
        for grade in FindingGrade::ALL {
            for state in FindingState::ALL {
                let ways: Vec<_> = FindingState::ALL
                    .into_iter()
                    .filter(|to| finding(grade, state).may(*to).is_ok())
                    .collect();
                let asks = matches!(grade, FindingGrade::Opportunity | FindingGrade::Concern);
                let expected: &[FindingState] = match (state, grade) {
                    (FindingState::Open, FindingGrade::Opportunity) => {
                        &[FindingState::Accepted, FindingState::Declined, FindingState::Voided]
                    }
                    (FindingState::Open, FindingGrade::Concern) => {
                        &[FindingState::Accepted, FindingState::Addressed, FindingState::Voided]
                    }
                    (FindingState::Accepted, FindingGrade::Concern) => &[FindingState::Addressed],
                    (FindingState::Open | FindingState::Noted, _) => &[FindingState::Voided],
                    _ => &[],
                };
                assert_eq!(ways, expected, "{grade:?} {state:?}");
                assert!(!asks || grade.begins() == FindingState::Open);
            }
        }
    }

    fn nc(no: i64, clause: &str, area: Option<&str>, grade: Grade) -> Nonconformity {
        Nonconformity {
            id: no,
            no,
            certificate: 1,
            audit: None,
            grade,
            clause: clause.into(),
            statement: "s".into(),
            objective: None,
            body: super::super::nonconformity::BodyWords::default(),
            area: area.map(str::to_owned),
            owner: None,
            due_on: NaiveDate::MAX,
            due_known_at: DateTime::UNIX_EPOCH,
            verification: super::super::nonconformity::Verification::default(),
            raised_by: person(1),
            raised_at: DateTime::UNIX_EPOCH,
            steps: Vec::new(),
        }
    }

    fn person(id: i64) -> Person {
        Person { id, handle: id.to_string(), name: format!("P{id}") }
    }

    fn take(nc: &mut Nonconformity, by: i64, minutes: i64, what: Done) {
        let at = DateTime::UNIX_EPOCH + chrono::TimeDelta::minutes(minutes);
        nc.steps.push(Step { by: person(by), at, what });
    }

    /// The same clause and area as a closed one: whether that one's action worked is in doubt. ISO/IEC 17021-1:2015,
    /// 3.12: several open minors on one clause may be a major; nothing is regraded.
    #[test]
    fn what_repeats_and_what_piles_up_is_seen_and_nothing_is_regraded() {
        let mut closed = nc(1, "9.2", Some("IT"), Grade::Minor);
        take(&mut closed, 1, 1, Done::Closed { note: None });
        let mut voided = nc(2, "9.2", Some("IT"), Grade::Minor);
        take(&mut voided, 1, 1, Done::Voided { reason: "r".into() });
        let before = [
            closed,
            voided,
            nc(3, "9.2", Some("Sales"), Grade::Minor),
            nc(4, "9.2", None, Grade::Minor),
            nc(5, "7.2", Some("IT"), Grade::Minor),
            Nonconformity { certificate: 2, ..nc(6, "9.2", Some("IT"), Grade::Minor) },
        ];
        let new = nc(9, "9.2", Some("it"), Grade::Minor);
        assert_eq!(repeats(&new, &before), Repeats { closed: vec![1], open: vec![], minors: vec![3, 4, 9] });
        let major = Nonconformity { grade: Grade::Major, ..new };
        assert!(repeats(&major, &before).minors.is_empty());
    }

    /// What was closed at once, or worked by one person alone, is marked and never hidden.
    #[test]
    fn what_looks_made_up_afterwards_is_told() {
        let day = |at: DateTime<Utc>| at.date_naive();
        let mut quick = nc(1, "9.2", None, Grade::Minor);
        take(&mut quick, 3, 20, Done::Implemented("d".into()));
        take(&mut quick, 2, 30, Done::Closed { note: None });
        assert_eq!(tells(&quick, day), ["closed within the hour in which it was raised"]);
        let mut alone = nc(2, "9.2", None, Grade::Minor);
        take(&mut alone, 1, 60, Done::Implemented("d".into()));
        take(&mut alone, 1, 120, Done::Closed { note: None });
        assert_eq!(
            tells(&alone, day),
            ["closed on the day on which it was raised", "raised, acted on and closed by one person"]
        );
        let mut sound = nc(3, "9.2", None, Grade::Minor);
        take(&mut sound, 2, 60, Done::Implemented("d".into()));
        take(&mut sound, 1, 3000, Done::Closed { note: None });
        assert!(tells(&sound, day).is_empty());
    }
}
