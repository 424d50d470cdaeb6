//! Reminders of people's own: cron expressions in the organisation's zone (croner does the arithmetic; the alarm has no
//! part in it).

use chrono::{DateTime, TimeDelta, Timelike as _, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

use super::due::{Facts, Kind, Occurrence, To, What};
use crate::domain::calendar::at_local;
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
        // By the clock on the wall: where it goes forward, runs come closer.
        let runs = Self::read(expression, Tz::UTC)?.next_runs(now, 24);
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

    /// The local time that an instant has, to the second. croner is asked of local times only: in a zone of its own it
    /// says some runs twice where the clocks go forward.
    fn local(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let local = at.with_timezone(&self.zone).naive_local();
        local.with_nanosecond(0).unwrap_or(local).and_utc()
    }

    /// The next instant after this one.
    pub fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let next = |local: &DateTime<Utc>| self.cron.find_next_occurrence(local, false).ok();
        // An hour that is repeated has its runs the first time.
        std::iter::successors(next(&self.local(after)), next)
            .map(|local| at_local(self.zone, local.naive_utc()))
            .find(|at| *at > after)
    }

    /// The last instant not after this one.
    fn last(&self, by: DateTime<Utc>) -> Option<DateTime<Utc>> {
        // No zone ever put its clocks back by more than a day.
        let ahead = self.local(by).checked_add_signed(TimeDelta::days(1))?;
        let last = |local: &DateTime<Utc>| self.cron.find_previous_occurrence(local, false).ok();
        std::iter::successors(last(&ahead), last)
            .map(|local| at_local(self.zone, local.naive_utc()))
            .find(|at| *at <= by)
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
        silent_until: None,
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
    live(facts)
        .filter_map(|(own, table)| {
            // One whose time has come may be held back by quiet hours.
            let back = if facts.hours().is_always() { TimeDelta::zero() } else { TimeDelta::days(8) };
            let from = own.at.max(after).checked_sub_signed(back)?;
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
        // The run before a skipped hour comes once.
        assert_eq!(
            runs("30 1 * * *", "2026-03-28T12:00:00Z", 2),
            ["Sun 2026-03-29 01:30 +01:00", "Mon 2026-03-30 01:30 +02:00"]
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

    /// From any instant, over gaps and overlaps and within a second, the runs go on and none is missed.
    #[test]
    fn no_change_of_clocks_ends_a_reminder_or_loses_a_run() {
        for zone in ["Europe/Berlin", "Australia/Lord_Howe", "Africa/Cairo", "America/Havana"] {
            let zone: Tz = zone.parse().unwrap();
            for expression in [
                "30 1 * * *",
                "0 2 * * *",
                "30 2 * * *",
                "0 0 * * *",
                "0 3 * * MON",
                "15 * * * *",
                "0 9 29 2 *",
                "0 9 L * *",
            ] {
                let table = Timetable::read(expression, zone).unwrap();
                let start = t("2026-01-01T00:00:00Z");
                let runs: Vec<_> = table.next_runs(start, 400);
                assert_eq!(runs.len(), 400, "{zone} {expression}: ends after {:?}", runs.last());
                assert!(runs.is_sorted_by(|a, b| a < b));
                for pair in runs.windows(2).take(320) {
                    let [before, run] = pair else { unreachable!() };
                    for ms in [1i64, 60_000, 3_599_999] {
                        let at = *run - TimeDelta::milliseconds(ms);
                        if at >= *before {
                            assert_eq!(table.next(at), Some(*run), "{zone} {expression} next after {at}");
                            assert_eq!(table.last(at), Some(*before), "{zone} {expression} last by {at}");
                        }
                    }
                    assert_eq!(table.last(*run), Some(*run), "{zone} {expression} at {run}");
                    assert_eq!(
                        table.last(*run + TimeDelta::milliseconds(500)),
                        Some(*run),
                        "{zone} {expression}"
                    );
                }
            }
        }
    }
}
