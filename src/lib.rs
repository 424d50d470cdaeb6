//! certkeeper: the library behind the binary.
#![allow(missing_docs, clippy::todo, clippy::unused_async, reason = "skeleton")]
pub mod chat;
pub mod clock;
pub mod command;
pub mod say;
pub mod domain;
pub mod notify;
