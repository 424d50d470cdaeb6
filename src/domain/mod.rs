//! What certification is: the cycle, its phases and clocks, audits and their programme, findings,
//! nonconformities, actions, management reviews, areas.
//!
//! Pure: no I/O, no clock, no async, no Discord, no SQL; chrono, chrono-tz and std only. Today is an argument.

pub mod action;
pub mod area;
pub mod audit;
pub mod calendar;
pub mod certificate;
pub mod clocks;
pub mod coverage;
pub mod day;
pub mod finding;
pub mod nonconformity;
pub mod organisation;
pub mod programme;
pub mod record;
pub mod refusal;
pub mod reminder;
pub mod review;
pub mod standard;
pub mod task;
pub mod workdays;
