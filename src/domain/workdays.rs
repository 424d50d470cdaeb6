//! Working days and quiet hours: when an organisation wants to be spoken to.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike as _, NaiveDate, Timelike as _, Utc, Weekday};
use chrono_tz::Tz;

use super::calendar::{at_hour, day_after, day_before};

/// How far it is looked for a working day: no holiday lasts longer.
const LONGEST: u32 = 400;

/// The days of the week on which an organisation works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkingDays([bool; 7]);

/// The days of the week, Monday first, with their ids.
const WEEK: [(&str, Weekday); 7] = [
    ("mon", Weekday::Mon),
    ("tue", Weekday::Tue),
    ("wed", Weekday::Wed),
    ("thu", Weekday::Thu),
    ("fri", Weekday::Fri),
    ("sat", Weekday::Sat),
    ("sun", Weekday::Sun),
];

impl WorkingDays {
    /// Every day of the week.
    pub const ALL: Self = Self([true; 7]);

    /// As typed: days with commas between, a range, `all`. At least one day.
    pub fn parse(typed: &str) -> Option<Self> {
        let lower = typed.trim().to_lowercase();
        if matches!(lower.as_str(), "all" | "every day") {
            return Some(Self::ALL);
        }
        let at = |name: &str| {
            let name = name.trim();
            WEEK.iter().position(|(id, _)| name.len() >= 2 && (name.starts_with(id) || id.starts_with(name)))
        };
        let mut days = [false; 7];
        for part in lower.split([',', ' ', ';']).filter(|p| !p.is_empty()) {
            let (from, to) = match part.split_once(['-', '–']) {
                Some((from, to)) => (at(from)?, at(to)?),
                None => (at(part)?, at(part)?),
            };
            let mut day = from;
            loop {
                *days.get_mut(day)? = true;
                if day == to {
                    break;
                }
                day = (day + 1) % 7;
            }
        }
        days.contains(&true).then_some(Self(days))
    }

    /// The days' ids with commas between (`mon,tue`).
    pub fn id(self) -> String {
        let on = WEEK.iter().zip(self.0).filter(|(_, on)| *on);
        on.map(|((id, _), _)| *id).collect::<Vec<_>>().join(",")
    }

    /// Whether it is every day.
    pub fn is_all(self) -> bool {
        self == Self::ALL
    }

    /// Whether a day of the week is one.
    pub fn has(self, day: Weekday) -> bool {
        WEEK.iter().zip(self.0).any(|((_, of), on)| on && *of == day)
    }
}

/// Hours of the day in which nothing is posted unasked; they may lie over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    /// The local hour at which they begin.
    pub from: u32,
    /// The local hour at which they end.
    pub until: u32,
}

impl QuietHours {
    /// As typed (`18-8`); `None` where it is no such range.
    pub fn parse(typed: &str) -> Option<Self> {
        let (from, until) = typed.trim().split_once(['-', '–'])?;
        let hour = |h: &str| {
            h.trim().trim_end_matches(":00").trim_end_matches('h').parse::<u32>().ok().filter(|h| *h <= 24)
        };
        let (from, until) = (hour(from)? % 24, hour(until)? % 24);
        (from != until).then_some(Self { from, until })
    }

    /// Whether an hour is one of them.
    pub fn has(self, hour: u32) -> bool {
        if self.from < self.until {
            (self.from..self.until).contains(&hour)
        } else {
            hour >= self.from || hour < self.until
        }
    }
}

/// When an organisation may be spoken to.
#[derive(Debug, Clone, Copy)]
pub struct Hours<'a> {
    /// The zone of its days and hours.
    pub zone: Tz,
    /// The days on which it works.
    pub days: WorkingDays,
    /// Its public holidays, with what they are called.
    pub holidays: Option<&'a BTreeMap<NaiveDate, String>>,
    /// Its quiet hours.
    pub quiet: Option<QuietHours>,
}

impl Hours<'_> {
    /// Whether it may be spoken to at any time.
    pub fn is_always(&self) -> bool {
        self.days.is_all() && self.quiet.is_none() && self.holidays.is_none_or(BTreeMap::is_empty)
    }

    /// Whether it works on a day.
    pub fn works_on(&self, day: NaiveDate) -> bool {
        self.days.has(day.weekday()) && self.holidays.is_none_or(|h| !h.contains_key(&day))
    }

    /// The day itself if it is a working day, else the next one that is.
    pub fn this_or_next(&self, day: NaiveDate) -> NaiveDate {
        self.seek(day, day_after)
    }

    /// The day itself if it is a working day, else the last one before that was.
    pub fn this_or_before(&self, day: NaiveDate) -> NaiveDate {
        self.seek(day, day_before)
    }

    fn seek(&self, day: NaiveDate, step: fn(NaiveDate) -> NaiveDate) -> NaiveDate {
        let mut at = day;
        for _ in 0..LONGEST {
            if self.works_on(at) {
                return at;
            }
            at = step(at);
        }
        // A calendar without a working day asks for nothing better.
        day
    }

    /// The working day so many working days later.
    pub fn later(&self, day: NaiveDate, days: u32) -> NaiveDate {
        (0..days).fold(day, |at, _| self.this_or_next(day_after(at)))
    }

    /// The instant itself if something may be said then, else the first one after it.
    pub fn this_or_next_instant(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let local = at.with_timezone(&self.zone);
        let (day, hour) = (local.date_naive(), local.hour());
        let opens = |day: NaiveDate| {
            let first = match self.quiet {
                Some(q) if q.has(0) => q.until,
                _ => 0,
            };
            at_hour(self.zone, day, first)
        };
        if !self.works_on(day) {
            return opens(self.this_or_next(day));
        }
        match self.quiet.filter(|q| q.has(hour)) {
            None => at,
            Some(q) if hour < q.until => at_hour(self.zone, day, q.until),
            // Quiet until the end of the day.
            Some(_) => opens(self.this_or_next(day_after(day))),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn d(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn t(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn week() -> WorkingDays {
        WorkingDays::parse("Mon-Fri").unwrap()
    }

    #[test]
    fn days_are_understood_as_people_type_them() {
        for typed in ["mon-fri", "Monday, Tuesday, wed, thu, Friday", "mo-fr", "MON,TUE,WED,THU,FRI"] {
            assert_eq!(WorkingDays::parse(typed), Some(week()), "{typed}");
        }
        assert_eq!(WorkingDays::parse("sun-thu").unwrap().id(), "mon,tue,wed,thu,sun");
        assert_eq!(WorkingDays::parse("all"), Some(WorkingDays::ALL));
        for typed in ["", "x", "mon-", "m", "1-5"] {
            assert_eq!(WorkingDays::parse(typed), None, "{typed}");
        }
        assert_eq!(WorkingDays::parse(&week().id()), Some(week()));
    }

    #[test]
    fn quiet_hours_may_lie_over_midnight() {
        let night = QuietHours::parse("18-8").unwrap();
        assert!(night.has(23) && night.has(0) && night.has(7) && !night.has(8) && !night.has(17));
        let noon = QuietHours::parse("12:00-13:00").unwrap();
        assert!(noon.has(12) && !noon.has(13) && !noon.has(11));
        for typed in ["8", "8-8", "8-30", "x-y"] {
            assert_eq!(QuietHours::parse(typed), None, "{typed}");
        }
    }

    #[test]
    fn a_weekend_with_a_holiday_after_it_is_passed_over() {
        let holidays = BTreeMap::from([(d("2027-03-29"), "Easter Monday".to_owned())]);
        let hours = Hours { zone: Tz::Europe__Berlin, days: week(), holidays: Some(&holidays), quiet: None };
        assert_eq!(hours.this_or_next(d("2027-03-27")), d("2027-03-30"));
        assert_eq!(hours.this_or_before(d("2027-03-29")), d("2027-03-26"));
        assert_eq!(hours.later(d("2027-03-25"), 2), d("2027-03-30"));
        let quiet = Hours { quiet: QuietHours::parse("18-8"), ..hours };
        assert_eq!(quiet.this_or_next_instant(t("2027-03-26T18:00:00Z")), t("2027-03-30T06:00:00Z"));
        assert_eq!(quiet.this_or_next_instant(t("2027-03-26T03:00:00Z")), t("2027-03-26T07:00:00Z"));
        assert_eq!(quiet.this_or_next_instant(t("2027-03-26T10:00:00Z")), t("2027-03-26T10:00:00Z"));
    }

    proptest! {
        #[test]
        fn what_is_said_is_said_in_working_hours(
            ms in 0i64..4_000_000_000_000, zone in 0..chrono_tz::TZ_VARIANTS.len(), mask in 1u8..128,
            quiet in proptest::option::of((0u32..24, 0u32..24)),
        ) {
            let days = WorkingDays(std::array::from_fn(|i| mask >> i & 1 == 1));
            let quiet = quiet.filter(|(a, b)| a != b).map(|(from, until)| QuietHours { from, until });
            let zone = chrono_tz::TZ_VARIANTS[zone];
            let hours = Hours { zone, days, holidays: None, quiet };
            let at = DateTime::from_timestamp_millis(ms).unwrap();
            let then = hours.this_or_next_instant(at);
            prop_assert!(then >= at);
            // A day or an hour that the zone skips moves on to the next that exists.
            let again = hours.this_or_next_instant(then);
            prop_assert!(again - then <= chrono::TimeDelta::days(8), "{zone} {at} {then} {again}");
            prop_assert_eq!(hours.this_or_next_instant(again), hours.this_or_next_instant(hours.this_or_next_instant(again)));
        }
    }
}
