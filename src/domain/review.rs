//! Management reviews.

use chrono::{DateTime, NaiveDate, Utc};

use super::organisation::Person;

/// How far a review has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewState {
    /// Its day is set.
    Planned,
    /// It was held.
    Held,
    /// It will not be held.
    Cancelled,
    /// It was entered by mistake.
    Voided,
}

/// A step in the life of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewStep {
    /// It is held.
    Hold,
    /// It will not be held.
    Cancel,
    /// Something that was written wrong is corrected.
    Correct,
    /// It was entered by mistake.
    Void,
}

impl ReviewState {
    /// The state after a step; none where the step is not possible.
    pub fn after(self, step: ReviewStep) -> Option<Self> {
        match (self, step) {
            (Self::Planned, ReviewStep::Hold) => Some(Self::Held),
            (Self::Planned, ReviewStep::Cancel) => Some(Self::Cancelled),
            (Self::Planned | Self::Held, ReviewStep::Correct) => Some(self),
            (Self::Planned | Self::Held, ReviewStep::Void) => Some(Self::Voided),
            (Self::Held | Self::Cancelled | Self::Voided, _) => None,
        }
    }

    /// Every state.
    pub const ALL: [Self; 4] = [Self::Planned, Self::Held, Self::Cancelled, Self::Voided];

    /// The word for it in commands and records.
    pub fn id(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Held => "held",
            Self::Cancelled => "cancelled",
            Self::Voided => "voided",
        }
    }
}

impl std::str::FromStr for ReviewState {
    type Err = ();
    fn from_str(id: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|s| s.id() == id).ok_or(())
    }
}

/// An input that was looked at, by the standard's item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covered {
    /// The certificate whose standard asks for it, by database key.
    pub certificate: i64,
    /// The item (`d1`).
    pub item: String,
    /// What was said to it.
    pub words: Option<String>,
}

/// A management review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Database key, never shown.
    pub id: i64,
    /// Its number within the organisation, from 1: `MR-2`.
    pub no: i64,
    /// How far it has come.
    pub state: ReviewState,
    /// The day on which it was held, or is to be.
    pub on: NaiveDate,
    /// What was decided.
    pub decisions: String,
    /// Who attended, as written.
    pub attended: String,
    /// Who entered it.
    pub by: Person,
    /// When it was entered, or last changed: stands beside the day, so that backdating is visible.
    pub at: DateTime<Utc>,
    /// The certificates that it serves, by database key.
    pub certificates: Vec<i64>,
    /// The inputs that were looked at.
    pub covered: Vec<Covered>,
    /// The key it has in another system.
    pub reference: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A review that is planned is held, cancelled or voided; what was held stays on record.
    #[test]
    fn whatever_was_done_with_a_review_it_can_be_brought_to_its_end() {
        use ReviewStep::*;
        let steps = [Hold, Cancel, Correct, Void];
        let mut met = vec![ReviewState::Planned];
        let mut at = 0;
        while let Some(here) = met.get(at).copied() {
            for next in steps.into_iter().filter_map(|step| here.after(step)) {
                if !met.contains(&next) {
                    met.push(next);
                }
            }
            at += 1;
        }
        assert_eq!(met.len(), ReviewState::ALL.len(), "every state is reached");
        for state in met {
            let over = matches!(state, ReviewState::Cancelled | ReviewState::Voided);
            assert_eq!(over, steps.into_iter().all(|step| state.after(step).is_none()), "{state:?}");
            assert_eq!(state.after(Hold).is_some(), state == ReviewState::Planned, "{state:?}");
        }
    }
}
