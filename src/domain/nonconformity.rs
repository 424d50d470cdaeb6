//! The nonconformity, from raising to closing.
//!
//! It is the fold of its steps: nothing is overwritten, a reopened one keeps its history. The steps follow what
//! the standards ask for themselves (ISO/IEC 27001:2022, 10.2; the clause number differs between standards):
//! correction, cause, action, effectiveness, and evidence of all of it.

use chrono::{DateTime, NaiveDate, Utc};

use super::organisation::Person;
use super::refusal::{Acted, Missing, Refusal};

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
    /// The objective evidence, where it is apart from the statement (ISO/IEC 17021-1:2015, 9.4.5).
    pub objective: Option<String>,
    /// The body's own reference and grade, as it wrote them.
    pub body: BodyWords,
    /// The process, site or department.
    pub area: Option<String>,
    /// Who is to deal with it.
    pub owner: Option<Person>,
    /// By when it must be closed.
    pub due_on: NaiveDate,
    /// Since when that date has been on record.
    pub due_known_at: DateTime<Utc>,
    /// Who is to verify the effectiveness, and when, once the action is done.
    pub verification: Verification,
    /// Who raised it.
    pub raised_by: Person,
    /// When it was raised.
    pub raised_at: DateTime<Utc>,
    /// What was done about it, oldest first.
    pub steps: Vec<Step>,
}

/// What the certification body calls it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BodyWords {
    /// Its reference.
    pub reference: Option<String>,
    /// Its grade on the body's own scale.
    pub grade: Option<String>,
}

/// Who verifies whether the action works, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verification {
    /// Who.
    pub by: Option<Person>,
    /// When; some time after the action was done, where it is not on record.
    pub on: Option<NaiveDate>,
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
    /// What was done at once to keep it from growing.
    Containment(String),
    /// What followed from it.
    Consequences(String),
    /// Why it could happen.
    Cause(String),
    /// Whether similar ones exist or could occur elsewhere.
    Similar(String),
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
    /// What changed in the management system because of it.
    SystemChange(String),
    /// More time was given.
    Extended {
        /// Until when.
        due_on: NaiveDate,
        /// Why.
        why: String,
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
    /// It was raised by mistake: it does not count, and stays on record.
    Voided {
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

/// How far a nonconformity has come: the steps that count now. Each can be replaced; what came of a plan falls with
/// it, and a verification that failed or a reopening leaves correction and cause only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The correction in force.
    pub correction: Option<&'a Step>,
    /// The cause in force.
    pub cause: Option<&'a Step>,
    /// The plan in force.
    pub plan: Option<&'a Step>,
    /// The report that it was carried out.
    pub implemented: Option<&'a Step>,
    /// The verification that it works.
    pub verified: Option<&'a Step>,
    /// The closing, or the voiding.
    pub closed: Option<&'a Step>,
    /// What was done at once.
    pub containment: Option<&'a Step>,
    /// What followed from it.
    pub consequences: Option<&'a Step>,
    /// Whether similar ones exist elsewhere.
    pub similar: Option<&'a Step>,
    /// What changed in the system.
    pub system_change: Option<&'a Step>,
    /// How many times more time was given.
    pub extended: u32,
    /// The latest verification that found it did not work, until a new action is planned.
    pub failed: Option<&'a Step>,
    /// How many times it was reopened, or its action found not to work.
    pub returned: u32,
}

impl<'a> Progress<'a> {
    fn take(&mut self, step: &'a Step) {
        match &step.what {
            Done::Correction(_) => self.correction = Some(step),
            Done::Containment(_) => self.containment = Some(step),
            Done::Consequences(_) => self.consequences = Some(step),
            Done::Similar(_) => self.similar = Some(step),
            Done::SystemChange(_) => self.system_change = Some(step),
            Done::Extended { .. } => self.extended = self.extended.saturating_add(1),
            Done::Cause(_) => self.cause = Some(step),
            Done::Plan { .. } => {
                self.plan = Some(step);
                (self.implemented, self.verified, self.failed) = (None, None, None);
            }
            Done::Implemented(_) => {
                self.implemented = Some(step);
                self.verified = None;
            }
            Done::Verified { effective: true, .. } => self.verified = Some(step),
            Done::Verified { effective: false, .. } => {
                self.back();
                self.failed = Some(step);
            }
            Done::Evidence => {}
            Done::Closed { .. } | Done::Voided { .. } => self.closed = Some(step),
            Done::Reopened { .. } => self.back(),
        }
    }

    fn back(&mut self) {
        (self.plan, self.implemented, self.verified, self.closed) = (None, None, None, None);
        self.returned = self.returned.saturating_add(1);
    }

    /// The state: the furthest step that counts.
    pub fn state(&self) -> State {
        if self.closed.is_some() {
            State::Closed
        } else if self.verified.is_some() {
            State::Verified
        } else if self.implemented.is_some() {
            State::Implemented
        } else if self.plan.is_some() {
            State::Planned
        } else if self.cause.is_some() {
            State::Analysed
        } else if self.correction.is_some() {
            State::Corrected
        } else {
            State::Raised
        }
    }

    /// The action in force: who acts, by when, what.
    pub fn action(&self) -> Option<(&'a Person, NaiveDate, &'a str)> {
        match &self.plan?.what {
            Done::Plan { owner, due_on, action } => Some((owner, *due_on, action)),
            Done::Correction(_)
            | Done::Containment(_)
            | Done::Consequences(_)
            | Done::Cause(_)
            | Done::Similar(_)
            | Done::Implemented(_)
            | Done::Verified { .. }
            | Done::SystemChange(_)
            | Done::Extended { .. }
            | Done::Evidence
            | Done::Closed { .. }
            | Done::Reopened { .. }
            | Done::Voided { .. } => None,
        }
    }

    /// What is missing for closing, in the order of the work, with so many pieces of evidence on record. The gate
    /// follows the standards' own steps (ISO/IEC 27001:2022, 10.2 a to g).
    pub fn missing(&self, evidence: usize) -> Vec<Missing> {
        [
            (self.correction.is_none(), Missing::Correction),
            (self.cause.is_none(), Missing::Cause),
            (self.implemented.is_none(), Missing::ActionDone),
            (self.verified.is_none(), Missing::Verification),
            (evidence == 0, Missing::Evidence),
        ]
        .into_iter()
        .filter_map(|(lacks, missing)| lacks.then_some(missing))
        .collect()
    }
}

impl Nonconformity {
    /// How far it has come.
    pub fn progress(&self) -> Progress<'_> {
        let mut progress = Progress::default();
        for step in &self.steps {
            progress.take(step);
        }
        progress
    }

    /// Its state.
    pub fn state(&self) -> State {
        self.progress().state()
    }

    /// Whether it is not closed.
    pub fn is_open(&self) -> bool {
        self.state() != State::Closed
    }

    /// Its state in a word; `voided` for one that was raised by mistake.
    pub fn state_words(&self) -> &'static str {
        if self.is_voided() { "voided" } else { self.state().id() }
    }

    /// Whether it was raised by mistake.
    pub fn is_voided(&self) -> bool {
        self.steps.iter().any(|s| matches!(s.what, Done::Voided { .. }))
    }

    /// Whether this step may be taken by this person, with so many pieces of evidence on record.
    pub fn may(&self, step: &Done, by: &Person, evidence: usize) -> Result<(), Refusal> {
        let no = self.no;
        let progress = self.progress();
        if self.is_voided() {
            return Err(Refusal::NcVoided { no });
        }
        if progress.closed.is_some() {
            return if matches!(step, Done::Reopened { .. }) {
                Ok(())
            } else {
                Err(Refusal::NcClosed { no })
            };
        }
        match step {
            Done::Implemented(_) if progress.plan.is_none() => Err(Refusal::NcNotPlanned { no }),
            Done::Correction(_)
            | Done::Containment(_)
            | Done::Consequences(_)
            | Done::Cause(_)
            | Done::Similar(_)
            | Done::Plan { .. }
            | Done::Implemented(_)
            | Done::SystemChange(_)
            | Done::Extended { .. }
            | Done::Voided { .. }
            | Done::Evidence => Ok(()),
            Done::Verified { .. } => {
                let done = progress.implemented.ok_or(Refusal::NcNotDone { no })?;
                // Nobody verifies their own action (domain rule: closing needs someone other than who acted).
                if progress.action().is_some_and(|(owner, ..)| owner.id == by.id) {
                    Err(Refusal::NcOwnAction { no, acted: Acted::AsOwner })
                } else if done.by.id == by.id {
                    Err(Refusal::NcOwnAction { no, acted: Acted::AsReporter })
                } else {
                    Ok(())
                }
            }
            Done::Closed { .. } => {
                let missing = progress.missing(evidence);
                if missing.is_empty() { Ok(()) } else { Err(Refusal::NcIncomplete { no, missing }) }
            }
            Done::Reopened { .. } => Err(Refusal::NcNotClosed { no }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn person(id: i64) -> Person {
        Person { id, handle: id.to_string(), name: format!("P{id}") }
    }

    fn nc() -> Nonconformity {
        Nonconformity {
            id: 1,
            no: 12,
            certificate: 1,
            audit: None,
            grade: Grade::Minor,
            clause: "9.2".into(),
            statement: "No audit was held".into(),
            objective: None,
            body: BodyWords::default(),
            verification: Verification::default(),
            area: None,
            owner: None,
            due_on: NaiveDate::default(),
            due_known_at: DateTime::UNIX_EPOCH,
            raised_by: person(1),
            raised_at: DateTime::UNIX_EPOCH,
            steps: Vec::new(),
        }
    }

    fn take(nc: &mut Nonconformity, what: Done, by: i64) {
        nc.may(&what, &person(by), 1).unwrap();
        nc.steps.push(Step { by: person(by), at: DateTime::UNIX_EPOCH, what });
    }

    fn plan(owner: i64) -> Done {
        Done::Plan { owner: person(owner), due_on: NaiveDate::default(), action: "Act".into() }
    }

    fn verified(effective: bool) -> Done {
        Done::Verified { effective, how: "Looked".into() }
    }

    const CLOSED: Done = Done::Closed { note: None };

    #[test]
    fn the_whole_way() {
        let mut nc = nc();
        assert_eq!(nc.state(), State::Raised);
        let all = [
            Missing::Correction,
            Missing::Cause,
            Missing::ActionDone,
            Missing::Verification,
            Missing::Evidence,
        ];
        assert_eq!(
            nc.may(&CLOSED, &person(1), 0),
            Err(Refusal::NcIncomplete { no: 12, missing: all.to_vec() })
        );
        take(&mut nc, Done::Correction("c".into()), 2);
        assert_eq!(nc.state(), State::Corrected);
        take(&mut nc, Done::Cause("w".into()), 2);
        assert_eq!(nc.state(), State::Analysed);
        assert_eq!(
            nc.may(&Done::Implemented("d".into()), &person(2), 0),
            Err(Refusal::NcNotPlanned { no: 12 })
        );
        take(&mut nc, plan(2), 1);
        assert_eq!(nc.state(), State::Planned);
        assert_eq!(nc.may(&verified(true), &person(1), 0), Err(Refusal::NcNotDone { no: 12 }));
        take(&mut nc, Done::Implemented("d".into()), 3);
        assert_eq!(nc.state(), State::Implemented);
        assert_eq!(
            nc.may(&verified(true), &person(2), 0),
            Err(Refusal::NcOwnAction { no: 12, acted: Acted::AsOwner })
        );
        assert_eq!(
            nc.may(&verified(true), &person(3), 0),
            Err(Refusal::NcOwnAction { no: 12, acted: Acted::AsReporter })
        );
        assert_eq!(
            nc.may(&Done::Reopened { reason: "r".into() }, &person(1), 0),
            Err(Refusal::NcNotClosed { no: 12 })
        );
        take(&mut nc, verified(true), 1);
        assert_eq!(nc.state(), State::Verified);
        assert_eq!(
            nc.may(&CLOSED, &person(1), 0),
            Err(Refusal::NcIncomplete { no: 12, missing: vec![Missing::Evidence] })
        );
        take(&mut nc, CLOSED, 1);
        assert_eq!(nc.state(), State::Closed);
        assert_eq!(nc.may(&Done::Evidence, &person(1), 1), Err(Refusal::NcClosed { no: 12 }));
        take(&mut nc, Done::Reopened { reason: "it happened again".into() }, 1);
        let progress = nc.progress();
        assert!(progress.correction.is_some() && progress.cause.is_some());
        assert!(progress.plan.is_none() && progress.implemented.is_none() && progress.verified.is_none());
        assert_eq!((progress.state(), progress.returned), (State::Analysed, 1));
    }

    #[test]
    fn a_failed_verification_asks_for_a_new_plan() {
        let mut nc = nc();
        take(&mut nc, plan(2), 2);
        take(&mut nc, Done::Implemented("d".into()), 2);
        take(&mut nc, verified(false), 1);
        assert_eq!(nc.state(), State::Raised);
        assert!(nc.progress().failed.is_some());
        assert!(nc.may(&Done::Implemented("d".into()), &person(2), 0).is_err());
        take(&mut nc, plan(2), 2);
        assert!(nc.progress().failed.is_none());
    }

    fn any_done() -> impl Strategy<Value = Done> {
        prop_oneof![
            Just(Done::Correction("c".into())),
            Just(Done::Cause("w".into())),
            (1i64..4).prop_map(plan),
            Just(Done::Implemented("d".into())),
            any::<bool>().prop_map(verified),
            Just(Done::Evidence),
            Just(Done::Containment("n".into())),
            Just(Done::Consequences("q".into())),
            Just(Done::Similar("s".into())),
            Just(Done::SystemChange("y".into())),
            Just(Done::Extended { due_on: NaiveDate::MAX, why: "e".into() }),
            Just(CLOSED),
            Just(Done::Reopened { reason: "r".into() }),
        ]
    }

    proptest! {
        #[test]
        fn every_reachable_state_has_a_way_on_to_closed(
            tried in proptest::collection::vec((any_done(), 1i64..4, 0usize..2), 0..30),
        ) {
            let mut nc = nc();
            for (what, by, evidence) in tried {
                let before = nc.progress().state();
                if nc.may(&what, &person(by), evidence).is_ok() {
                    nc.steps.push(Step { by: person(by), at: DateTime::UNIX_EPOCH, what });
                    let progress = nc.progress();
                    // The fold is consistent: nothing stands without what it stands on.
                    prop_assert!(progress.implemented.is_none() || progress.plan.is_some());
                    prop_assert!(progress.verified.is_none() || progress.implemented.is_some());
                    prop_assert!(progress.closed.is_none() || progress.missing(1).is_empty());
                    if let (Some(check), Some(done)) = (progress.verified, progress.implemented) {
                        prop_assert_ne!(check.by.id, done.by.id);
                        prop_assert_ne!(check.by.id, progress.action().unwrap().0.id);
                    }
                } else {
                    prop_assert_eq!(nc.progress().state(), before);
                }
            }
            // Whatever happened, a second person can bring it to its end.
            if nc.state() == State::Closed {
                take(&mut nc, Done::Reopened { reason: "r".into() }, 1);
            }
            take(&mut nc, Done::Correction("c".into()), 1);
            take(&mut nc, Done::Cause("w".into()), 1);
            take(&mut nc, plan(1), 1);
            take(&mut nc, Done::Implemented("d".into()), 1);
            take(&mut nc, verified(true), 2);
            take(&mut nc, CLOSED, 1);
            prop_assert_eq!(nc.state(), State::Closed);
        }
    }

    /// What tells one state of a nonconformity from another: which steps stand, and whose they are.
    fn key(nc: &Nonconformity) -> (bool, bool, Option<i64>, Option<i64>, Option<i64>, bool, bool) {
        let p = nc.progress();
        let by = |step: Option<&Step>| step.map(|s| s.by.id);
        (
            p.correction.is_some(),
            p.cause.is_some(),
            p.action().map(|(owner, ..)| owner.id),
            by(p.implemented),
            by(p.verified),
            p.closed.is_some(),
            nc.is_voided(),
        )
    }

    /// ISO/IEC 27001:2022, 10.2 and its kin: every step by each of three people, from every state that any sequence of
    /// them reaches. None is stuck, none is closed before its time, nobody verifies what they did.
    #[test]
    fn every_state_that_any_sequence_of_steps_reaches_can_be_brought_to_its_end() {
        use std::collections::{BTreeMap, BTreeSet};
        let steps = || {
            [
                Done::Correction("c".into()),
                Done::Containment("n".into()),
                Done::Consequences("q".into()),
                Done::Cause("w".into()),
                Done::Similar("s".into()),
                plan(1),
                plan(2),
                plan(3),
                Done::Implemented("d".into()),
                verified(true),
                verified(false),
                Done::SystemChange("y".into()),
                Done::Extended { due_on: NaiveDate::MAX, why: "e".into() },
                Done::Evidence,
                CLOSED,
                Done::Reopened { reason: "r".into() },
                Done::Voided { reason: "v".into() },
            ]
        };
        let mut met = BTreeMap::from([(key(&nc()), 0usize)]);
        let (mut states, mut ways) = (vec![nc()], Vec::new());
        let mut at = 0;
        while let Some(here) = states.get(at).cloned() {
            for what in steps() {
                for by in 1..=3 {
                    for evidence in 0..=1 {
                        if here.may(&what, &person(by), evidence).is_err() {
                            continue;
                        }
                        let mut next = here.clone();
                        next.steps.push(Step {
                            by: person(by),
                            at: DateTime::UNIX_EPOCH,
                            what: what.clone(),
                        });
                        let p = next.progress();
                        if let Some(check) = p.verified {
                            assert_ne!(Some(check.by.id), p.implemented.map(|s| s.by.id));
                            assert_ne!(Some(check.by.id), p.action().map(|(owner, ..)| owner.id));
                        }
                        if matches!(what, Done::Closed { .. }) {
                            assert!(here.progress().missing(evidence).is_empty(), "{:?}", key(&here));
                        }
                        let to = *met.entry(key(&next)).or_insert_with(|| {
                            states.push(next);
                            states.len() - 1
                        });
                        ways.push((at, to));
                    }
                }
            }
            at += 1;
        }
        // 4 of correction and cause; without a plan, planned by three, done by three each, verified by who is left.
        assert!(states.len() > 100, "{}", states.len());
        let mut ends: BTreeSet<usize> =
            states.iter().enumerate().filter(|(_, nc)| nc.state() == State::Closed).map(|(i, _)| i).collect();
        loop {
            let before = ends.len();
            let more: Vec<usize> =
                ways.iter().filter(|(_, to)| ends.contains(to)).map(|(from, _)| *from).collect();
            ends.extend(more);
            if ends.len() == before {
                break;
            }
        }
        for (i, state) in states.iter().enumerate() {
            assert!(ends.contains(&i), "no way on from {:?}", key(state));
            let on = ways.iter().any(|(from, to)| *from == i && *to != i);
            assert_eq!(on, !state.is_voided(), "only what was voided is at its end: {:?}", key(state));
        }
    }

    #[test]
    fn a_voided_one_counts_for_nothing_and_takes_no_step() {
        let mut nc = nc();
        take(&mut nc, Done::Voided { reason: "v".into() }, 1);
        assert!(!nc.is_open() && nc.is_voided());
        for step in [Done::Correction("c".into()), Done::Reopened { reason: "r".into() }, CLOSED] {
            assert_eq!(nc.may(&step, &person(1), 1), Err(Refusal::NcVoided { no: nc.no }));
        }
    }
}
