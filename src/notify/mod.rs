//! What the bot says by itself.
pub mod due;
