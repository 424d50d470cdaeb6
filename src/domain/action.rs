//! Actions: who does what by when, whatever they come from.

use chrono::{DateTime, NaiveDate, Utc};

use super::finding::Settled;
use super::organisation::Person;
use super::refusal::Refusal;

/// What an action comes from, by database key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Of its own.
    None,
    /// A nonconformity: it is closed only once this is done.
    Nonconformity(i64),
    /// An opportunity for improvement, or an area of concern.
    Finding(i64),
    /// A management review.
    Review(i64),
}

/// What became of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionState {
    /// Not done yet.
    Open,
    /// Done.
    Done,
    /// Not done, with a reason.
    Dropped,
    /// Entered by mistake.
    Voided,
}

impl ActionState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Open, Self::Done, Self::Dropped, Self::Voided];

    /// The word for it in commands and records.
    pub fn id(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
            Self::Dropped => "dropped",
            Self::Voided => "voided",
        }
    }
}

impl std::str::FromStr for ActionState {
    type Err = ();
    fn from_str(id: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|s| s.id() == id).ok_or(())
    }
}

/// An action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Database key, never shown.
    pub id: i64,
    /// Its number within the organisation, from 1: `ACT-4`.
    pub no: i64,
    /// The certificate, by database key.
    pub certificate: i64,
    /// What it comes from.
    pub source: Source,
    /// What is to be done.
    pub what: String,
    /// Who does it.
    pub owner: Person,
    /// By when.
    pub due_on: NaiveDate,
    /// Since when that date is on record.
    pub due_known_at: DateTime<Utc>,
    /// Who entered it.
    pub by: Person,
    /// When it was entered.
    pub at: DateTime<Utc>,
    /// What became of it.
    pub state: ActionState,
    /// How.
    pub settled: Option<Settled>,
    /// The key it has in another system.
    pub reference: Option<String>,
}

impl Action {
    /// Whether it is still to be done.
    pub fn is_open(&self) -> bool {
        self.state == ActionState::Open
    }

    /// Refuses to settle what is settled.
    pub fn must_be_open(&self) -> Result<(), Refusal> {
        if self.is_open() { Ok(()) } else { Err(Refusal::ActionSettled { no: self.no, state: self.state }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What became of an action stays on record: an open one is settled once, in one of three ways.
    #[test]
    fn an_open_action_is_settled_once() {
        let person = Person { id: 1, handle: "1".into(), name: "P".into() };
        for state in ActionState::ALL {
            let action = Action {
                id: 1,
                no: 4,
                certificate: 1,
                source: Source::None,
                what: "w".into(),
                owner: person.clone(),
                due_on: NaiveDate::MIN,
                due_known_at: DateTime::UNIX_EPOCH,
                by: person.clone(),
                at: DateTime::UNIX_EPOCH,
                state,
                settled: None,
                reference: None,
            };
            assert_eq!(action.is_open(), state == ActionState::Open);
            let expected =
                if action.is_open() { Ok(()) } else { Err(Refusal::ActionSettled { no: 4, state }) };
            assert_eq!(action.must_be_open(), expected);
        }
    }
}
