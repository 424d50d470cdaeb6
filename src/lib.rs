//! certkeeper keeps an organisation's ISO certificates alive: the three-year cycle in SQLite, reminders in the
//! team's channels, the records of audits and nonconformities by slash command.
//!
//! # The house
//!
//! - [`domain`]: what certification is. Pure.
//! - [`command`]: what people can do: one grammar for every door, who may, and how it is carried out.
//! - [`say`]: every word said to a person, as neutral cards.
//! - [`store`]: how it is kept: SQLite, the journal, the outbox.
//! - [`notify`]: what the bot says by itself: what is due (pure), delivery, the alarm.
//! - [`chat`]: the doors: Discord, the console.
//! - [`catalogue`]: standards and programmes as data. [`simulate`]: what will be posted. [`demo`]: a cycle, played.
//! - [`cli`], [`daemon`], [`config`], [`http`], [`metrics`], [`monitor`], [`organisations`], [`logging`], [`clock`]: the operator's side.

pub mod backup;
pub mod catalogue;
pub mod chat;
pub mod cli;
pub mod clock;
pub mod command;
pub mod config;
pub mod daemon;
pub mod demo;
pub mod doctor;
pub mod domain;
pub mod fault;
#[cfg(test)]
mod fuzz;
pub mod http;
pub mod logging;
pub mod metrics;
pub mod monitor;
pub mod notify;
pub mod organisations;
pub mod say;
pub mod sheet;
pub mod simulate;
pub mod store;
mod web;
