//! End-to-end tests: the real binary, and the doors it serves, against stand-ins for the world outside.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a test that cannot go on must fail, loudly, and what a test sees is small"
)]

#[expect(dead_code, reason = "the fake offers more than today's tests use")]
mod support;

mod backup;
mod cli;
mod connection;
mod conversation;
mod discord_faults;
mod fake_itself;
mod machine;
mod management;
mod operations;
mod organisations;
mod remind;
mod reminders;
mod rules;
mod security;
mod supply;
mod torture;
mod upgrade;
mod zones;
