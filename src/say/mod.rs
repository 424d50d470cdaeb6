//! Every word said to a person, and the neutral form it takes ([`card`]).
//!
//! Sentence case, no exclamation marks, meaning never by colour alone; dates as ISO 8601. A refusal is a sentence
//! that says what to do instead.

pub mod card;
pub mod discord;
