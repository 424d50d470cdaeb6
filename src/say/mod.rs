//! Every word said to a person.
pub mod card;
pub mod discord;
