//! Reminders of people's own: cron expressions in the organisation's zone (croner does the arithmetic; the alarm has no
//! part in it).

use chrono::{DateTime, TimeDelta, Timelike as _, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

use super::due::{Facts, Kind, Occurrence, To, What};
use crate::domain::reminder::OwnReminder;

/// How many runs are listed at most for a window.
const MOST: usize = 1_000;
/// How close two runs may be.
const CLOSEST: TimeDelta = TimeDelta::hours(1);

/// When something is to be said again and again.
#[derive(Debug, Clone)]
pub struct Timetable {
    cron: Cron,
    zone: Tz,
}

/// Why a cron expression is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Untimely {
    /// It cannot be read: what the parser says.
    Unreadable(String),
    /// It has another number of fields than five.
    Fields(usize),
    /// There is no such day.
    Never,
    /// Its runs come closer than an hour.
    TooOften,
}

impl Timetable {
    /// Reads an expression of five fields (minute, hour, day of month, month, day of week) or one of the short forms
    /// (`@daily`, `@weekly`, `@monthly`, `@yearly`).
    ///
    /// # Errors
    /// Where it cannot be read, never comes true, or comes true too often.
    pub fn new(expression: &str, zone: Tz, now: DateTime<Utc>) -> Result<Self, Untimely> {
        let this = Self::read(expression, zone)?;
        let runs = this.next_runs(now, 24);
        if runs.is_empty() {
            return Err(Untimely::Never);
        }
        if runs.windows(2).any(|pair| matches!(pair, [a, b] if *b - *a < CLOSEST)) {
            return Err(Untimely::TooOften);
        }
        Ok(this)
    }

    fn read(expression: &str, zone: Tz) -> Result<Self, Untimely> {
        let trimmed = expression.trim();
        let fields = trimmed.split_whitespace().count();
        if fields != 5 && !trimmed.starts_with('@') {
            return Err(Untimely::Fields(fields));
        }
        CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build()
            .parse(trimmed)
            .map(|cron| Self { cron, zone })
            .map_err(|e| Untimely::Unreadable(e.to_string()))
    }

    /// The next instant after this one.
    pub fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let local = after.with_timezone(&self.zone);
        self.cron.find_next_occurrence(&local, false).ok().map(|at| at.to_utc()).filter(|at| *at > after)
    }

    /// The last instant not after this one.
    fn last(&self, by: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let local = by.with_timezone(&self.zone);
        self.cron.find_previous_occurrence(&local, true).ok().map(|at| at.to_utc()).filter(|at| *at <= by)
    }

    /// The next so many instants after this one.
    pub fn next_runs(&self, after: DateTime<Utc>, most: usize) -> Vec<DateTime<Utc>> {
        std::iter::successors(self.next(after), |at| self.next(*at)).take(most).collect()
    }
}

fn table(facts: Facts<'_>, own: &OwnReminder) -> Option<Timetable> {
    Timetable::read(&own.cron, facts.organisation.zone).ok()
}

fn live(facts: Facts<'_>) -> impl Iterator<Item = (&OwnReminder, Timetable)> {
    facts.talk.own.iter().filter(|o| o.ended_at.is_none()).filter_map(move |o| Some((o, table(facts, o)?)))
}

/// A run as a notice; one that falls into quiet hours or on a day off is said when those end.
fn notice(facts: Facts<'_>, own: &OwnReminder, run: DateTime<Utc>) -> Occurrence {
    let organisation = facts.organisation;
    let local = run.with_timezone(&organisation.zone).naive_local();
    let due_at = facts.hours().this_or_next_instant(run);
    Occurrence {
        // The local time is what people chose: a zone that changes says no run twice.
        key: format!("own/{}/{}", own.no, local.format("%Y-%m-%dT%H:%M")),
        kind: Kind::Own,
        phase: None,
        certificate: None,
        nc: None,
        due_on: organisation.day_of(due_at),
        due_at,
        thread: format!("own/{}", own.no),
        about_on: None,
        to: own.asks.as_ref().map_or(To::Nobody, |p| To::Person(p.handle.clone())),
        channel: own.channel.clone(),
        what: What::Own { no: own.no, words: own.words.clone() },
        subject: format!("RM-{}", own.no),
        title: format!("RM-{}: {}", own.no, own.words),
    }
}

/// The runs in a window, both ends included.
pub(super) fn between(facts: Facts<'_>, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Occurrence> {
    let mut out = Vec::new();
    for (own, table) in live(facts) {
        let Some(before) = own.at.max(from).checked_sub_signed(TimeDelta::seconds(1)) else { continue };
        let runs = std::iter::successors(table.next(before), |at| table.next(*at));
        out.extend(
            runs.take_while(|run| *run <= to)
                .filter(|run| *run >= own.at)
                .take(MOST)
                .map(|run| notice(facts, own, run))
                .filter(|o| o.due_at <= to),
        );
    }
    out
}

/// The latest run of each that is due.
pub(super) fn latest(facts: Facts<'_>, now: DateTime<Utc>) -> Vec<Occurrence> {
    let mut out = Vec::new();
    for (own, table) in live(facts) {
        // A run that quiet hours hold back is not due yet; the one before it may be.
        let runs = std::iter::successors(table.last(now), |at| table.last(*at - TimeDelta::seconds(1)));
        out.extend(
            runs.take_while(|run| *run >= own.at)
                .take(24 * 8)
                .map(|run| notice(facts, own, run))
                .find(|o| o.due_at <= now),
        );
    }
    out
}

/// When the next run after this instant is due.
pub(super) fn next(facts: Facts<'_>, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let held = after.with_nanosecond(0).unwrap_or(after);
    live(facts)
        .filter_map(|(own, table)| {
            // One whose time has come may be held back by quiet hours.
            let back = if facts.hours().is_always() { TimeDelta::zero() } else { TimeDelta::days(8) };
            let from = own.at.max(held).checked_sub_signed(back)?;
            let runs = std::iter::successors(table.next(from), |at| table.next(*at));
            runs.filter(|run| *run >= own.at)
                .take(24 * 16)
                .map(|run| notice(facts, own, run).due_at)
                .find(|due| *due > after)
        })
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn t(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn runs(expression: &str, after: &str, most: usize) -> Vec<String> {
        let zone = Tz::Europe__Berlin;
        let table = Timetable::new(expression, zone, t(after)).unwrap();
        table
            .next_runs(t(after), most)
            .iter()
            .map(|at| at.with_timezone(&zone).format("%a %Y-%m-%d %H:%M %:z").to_string())
            .collect()
    }

    fn refused(expression: &str) -> Untimely {
        Timetable::new(expression, Tz::Europe__Berlin, t("2026-03-02T08:00:00Z")).unwrap_err()
    }

    #[test]
    fn the_local_hour_is_kept_over_a_change_of_the_clocks() {
        assert_eq!(
            runs("0 9 * * MON", "2026-03-22T12:00:00Z", 3),
            ["Mon 2026-03-23 09:00 +01:00", "Mon 2026-03-30 09:00 +02:00", "Mon 2026-04-06 09:00 +02:00"]
        );
        // An hour that is skipped comes at its end; one that is repeated comes once.
        assert_eq!(runs("30 2 28 3 *", "2027-03-01T00:00:00Z", 1), ["Sun 2027-03-28 03:00 +02:00"]);
        assert_eq!(
            runs("30 2 * * *", "2026-10-24T20:00:00Z", 2),
            ["Sun 2026-10-25 02:30 +02:00", "Mon 2026-10-26 02:30 +01:00"]
        );
        assert_eq!(
            runs("0 9 L * *", "2028-02-01T00:00:00Z", 2),
            ["Tue 2028-02-29 09:00 +01:00", "Fri 2028-03-31 09:00 +02:00"]
        );
    }

    #[test]
    fn what_cannot_be_or_would_be_too_much_is_refused() {
        assert_eq!(refused("0 9 30 2 *"), Untimely::Never);
        assert_eq!(refused("* * * * *"), Untimely::TooOften);
        assert_eq!(refused("0,30 9 * * *"), Untimely::TooOften);
        assert_eq!(refused("0 9 * *"), Untimely::Fields(4));
        assert_eq!(refused("0 0 9 * * *"), Untimely::Fields(6));
        assert!(matches!(refused("0 25 * * *"), Untimely::Unreadable(_)));
        assert!(matches!(refused("x y z a b"), Untimely::Unreadable(_)));
    }
}
