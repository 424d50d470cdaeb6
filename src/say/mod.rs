//! Every word said to a person, and the neutral form it takes ([`card`]).
//!
//! Sentence case, no exclamation marks, meaning never by colour alone; dates as ISO 8601. A refusal is a sentence
//! that says what to do instead.

pub mod card;
pub mod discord;
pub mod help;
pub mod notice;
pub mod programme;
pub mod records;
pub mod refusal;
pub(crate) mod remind;
pub mod review;
pub mod why;
pub mod work;

use chrono::NaiveDate;

use card::Line;

/// `in 12 days`, `today`, `12 days ago`.
pub(crate) fn away(day: NaiveDate, today: NaiveDate) -> String {
    match (day - today).num_days() {
        0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        -1 => "yesterday".to_owned(),
        n if n > 0 => format!("in {n} days"),
        n => format!("{} days ago", -n),
    }
}

/// A date with how far away it is.
pub(crate) fn dated(day: NaiveDate, today: NaiveDate) -> Line {
    Line::new().date(day).text(format!(" ({})", away(day, today)))
}

/// From how many days on something counts as entered late.
const LATE_DAYS: i64 = 30;

/// How long after it happened something was entered, where that was long: backdating is visible, not hidden.
pub(crate) fn entered_late(on: NaiveDate, entered: NaiveDate, what: &str) -> Option<String> {
    let late = (entered - on).num_days();
    (late > LATE_DAYS).then(|| format!("entered {late} days after it {what}"))
}

/// A mark in a list, for whoever wants to look at an entry again.
pub(crate) fn mind(line: Line, why: Option<impl AsRef<str>>) -> Line {
    match why {
        Some(why) => line.text(format!(" · mind: {}", why.as_ref())),
        None => line,
    }
}

/// `1 audit`, `3 audits`.
pub(crate) fn count(n: usize, one: &str, several: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {several}") }
}

/// `1 reminder waits`, `3 reminders wait`.
pub(crate) fn waiting(n: i64) -> String {
    if n == 1 { "1 reminder waits".to_owned() } else { format!("{n} reminders wait") }
}

/// A number of days in words.
pub(crate) fn days(n: u32) -> String {
    if n == 1 { "1 day".to_owned() } else { format!("{n} days") }
}
