//! What certification is: the cycle, its phases and clocks, the audit, the nonconformity.
//!
//! Pure: no I/O, no clock, no async, no Discord, no SQL; chrono, chrono-tz and std only. Today is an argument.

pub mod audit;
pub mod calendar;
pub mod certificate;
pub mod clocks;
pub mod day;
pub mod nonconformity;
pub mod organisation;
pub mod programme;
pub mod refusal;
pub mod standard;
