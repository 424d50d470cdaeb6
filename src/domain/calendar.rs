//! Months, phases and posting instants. Dates are calendar dates of the organisation's zone, instants are UTC.

use chrono::{
    DateTime, Datelike, Days, MappedLocalTime, Months, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;

use super::certificate::Cycle;
use super::programme::{Phase, Programme};

/// The months of a cycle.
pub const MONTHS: u32 = 36;

/// The first day of month `k` (from 1): the anchor and `k - 1` months, counted from the anchor each time and
/// clamped to the month's last day. Never chained, so that a cycle begun on the 31st keeps to the 31st.
pub fn month_start(anchor: NaiveDate, k: u32) -> NaiveDate {
    add_months(anchor, k.saturating_sub(1))
}

/// The last valid day of a certificate whose cycle is anchored there: 36 months, less a day.
pub fn default_expiry(anchor: NaiveDate) -> NaiveDate {
    day_before(month_start(anchor, MONTHS + 1))
}

/// The date so many months later, clamped to that month's last day.
pub fn add_months(date: NaiveDate, months: u32) -> NaiveDate {
    date.checked_add_months(Months::new(months)).unwrap_or(NaiveDate::MAX)
}

/// The same day of the month so many months earlier; the month's last where there is no such day.
pub fn sub_months(date: NaiveDate, months: u32) -> NaiveDate {
    date.checked_sub_months(Months::new(months)).unwrap_or(NaiveDate::MIN)
}

/// The date so many days later.
pub fn add_days(date: NaiveDate, days: u32) -> NaiveDate {
    date.checked_add_days(Days::new(u64::from(days))).unwrap_or(NaiveDate::MAX)
}

/// The date so many days earlier.
pub fn sub_days(date: NaiveDate, days: u32) -> NaiveDate {
    date.checked_sub_days(Days::new(u64::from(days))).unwrap_or(NaiveDate::MIN)
}

/// The next day.
pub fn day_after(date: NaiveDate) -> NaiveDate {
    date.succ_opt().unwrap_or(NaiveDate::MAX)
}

/// The previous day.
pub fn day_before(date: NaiveDate) -> NaiveDate {
    date.pred_opt().unwrap_or(NaiveDate::MIN)
}

/// A phase laid out on the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhaseDates<'a> {
    /// The phase.
    pub phase: &'a Phase,
    /// Its first day.
    pub begins_on: NaiveDate,
    /// Its last day.
    pub ends_on: NaiveDate,
}

/// The phases of a cycle on the calendar. An expiry of the certificate's own leaves the month starts alone: the last
/// phase runs to it, and a phase that would begin after it does not take place.
pub fn phase_dates<'a>(programme: &'a Programme, cycle: &Cycle) -> Vec<PhaseDates<'a>> {
    let mut laid: Vec<PhaseDates<'a>> = programme
        .phases
        .iter()
        .map(|phase| PhaseDates {
            phase,
            begins_on: month_start(cycle.anchor, phase.from),
            ends_on: day_before(month_start(cycle.anchor, phase.to.saturating_add(1))),
        })
        .take_while(|dates| dates.begins_on <= cycle.expires_on)
        .collect();
    if let Some(last) = laid.last_mut() {
        last.ends_on = cycle.expires_on;
    }
    laid
}

/// The phase that a day falls in: none before the cycle and after its expiry.
pub fn current_phase<'a>(programme: &'a Programme, cycle: &Cycle, day: NaiveDate) -> Option<PhaseDates<'a>> {
    phase_dates(programme, cycle).into_iter().find(|dates| dates.begins_on <= day && day <= dates.ends_on)
}

/// The month of the cycle that a day falls in, from 1 (the 11 of "month 11 of 36"); none before the cycle. Beyond 36
/// where the certificate's own expiry is later than the default.
pub fn month_of(cycle: &Cycle, day: NaiveDate) -> Option<u32> {
    if day < cycle.anchor {
        return None;
    }
    let months = (day.year() - cycle.anchor.year()) * 12 + day.month().cast_signed()
        - cycle.anchor.month().cast_signed();
    let k = u32::try_from(months).ok()? + 1;
    Some(if month_start(cycle.anchor, k) <= day { k } else { k - 1 })
}

/// The instant of a local hour. An hour that the zone skips that day moves to the next minute that exists, be it the
/// next day; one that it repeats is the first of the two.
pub fn at_hour(zone: Tz, day: NaiveDate, hour: u32) -> DateTime<Utc> {
    day.and_hms_opt(hour.min(23), 0, 0).map_or(DateTime::<Utc>::MAX_UTC, |local| at_local(zone, local))
}

/// The instant of a local time, by the same rule.
pub fn at_local(zone: Tz, mut local: NaiveDateTime) -> DateTime<Utc> {
    // No zone ever skipped more than a day.
    for _ in 0..=2 * 24 * 60 {
        match zone.from_local_datetime(&local) {
            MappedLocalTime::Single(at) => return at.to_utc(),
            MappedLocalTime::Ambiguous(one, other) => return one.min(other).to_utc(),
            MappedLocalTime::None => match local.checked_add_signed(TimeDelta::minutes(1)) {
                Some(next) => local = next,
                None => break,
            },
        }
    }
    local.and_utc()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;
    use proptest::prelude::*;

    fn d(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn begins(decided: &str) -> Vec<String> {
        let catalogue = Catalogue::embedded().unwrap();
        let programme = catalogue.programme("iso-three-year").unwrap();
        let cycle = Cycle::first(d(decided), None, at("2026-01-01T00:00:00Z"));
        phase_dates(programme, &cycle).iter().map(|p| p.begins_on.to_string()).collect()
    }

    #[test]
    fn the_worked_example() {
        assert_eq!(
            begins("2026-03-02"),
            [
                "2026-03-02",
                "2026-09-02",
                "2026-12-02",
                "2027-03-02",
                "2027-09-02",
                "2027-12-02",
                "2028-03-02",
                "2028-09-02",
                "2028-12-02"
            ]
        );
        assert_eq!(default_expiry(d("2026-03-02")), d("2029-03-01"));
    }

    #[test]
    fn month_ends_are_clamped_not_chained() {
        let starts: Vec<_> = (1..=5).map(|k| month_start(d("2026-01-31"), k).to_string()).collect();
        assert_eq!(starts, ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]);
        assert_eq!(default_expiry(d("2028-02-29")), d("2031-02-27"));
        assert_eq!(month_start(d("2028-02-29"), 13), d("2029-02-28"));
        assert_eq!(month_start(d("2028-02-29"), 2), d("2028-03-29"));
    }

    #[test]
    fn an_expiry_of_its_own_moves_only_the_end() {
        let catalogue = Catalogue::embedded().unwrap();
        let programme = catalogue.programme("iso-three-year").unwrap();
        let known = at("2026-01-01T00:00:00Z");
        for expires in ["2029-02-10", "2029-05-31"] {
            let cycle = Cycle::first(d("2026-03-02"), Some(d(expires)), known);
            let laid = phase_dates(programme, &cycle);
            assert_eq!(laid.len(), 9);
            assert_eq!(laid[8].begins_on, d("2028-12-02"));
            assert_eq!(laid[8].ends_on, d(expires));
        }
        let short = Cycle::first(d("2026-03-02"), Some(d("2027-01-31")), known);
        let laid = phase_dates(programme, &short);
        assert_eq!(
            laid.last().map(|p| (p.phase.id.as_str(), p.ends_on)),
            Some(("surveillance-1", d("2027-01-31")))
        );
        assert_eq!(current_phase(programme, &short, d("2027-02-01")), None);
    }

    #[test]
    fn months_are_numbered() {
        let cycle = Cycle::first(d("2026-01-31"), None, at("2026-01-01T00:00:00Z"));
        assert_eq!(month_of(&cycle, d("2026-01-30")), None);
        assert_eq!(month_of(&cycle, d("2026-02-27")), Some(1));
        assert_eq!(month_of(&cycle, d("2026-02-28")), Some(2));
        assert_eq!(month_of(&cycle, d("2026-12-30")), Some(11));
        assert_eq!(month_of(&cycle, d("2026-12-31")), Some(12));
        assert_eq!(month_of(&cycle, cycle.expires_on), Some(36));
    }

    #[test]
    fn skipped_hours_move_on_and_repeated_ones_come_first() {
        let berlin = Tz::Europe__Berlin;
        assert_eq!(at_hour(berlin, d("2026-03-02"), 9), at("2026-03-02T08:00:00Z"));
        assert_eq!(at_hour(berlin, d("2026-03-29"), 2), at("2026-03-29T01:00:00Z"));
        assert_eq!(at_hour(berlin, d("2026-10-25"), 2), at("2026-10-25T00:00:00Z"));
        // Midnight does not exist: the day begins at 01:00.
        assert_eq!(at_hour(Tz::America__Sao_Paulo, d("2018-11-04"), 0), at("2018-11-04T03:00:00Z"));
        assert_eq!(at_hour(Tz::Asia__Beirut, d("2026-03-29"), 0), at("2026-03-28T22:00:00Z"));
        // Half an hour is skipped.
        assert_eq!(at_hour(Tz::Australia__Lord_Howe, d("2026-10-04"), 2), at("2026-10-03T15:30:00Z"));
        // The whole day is skipped.
        assert_eq!(at_hour(Tz::Pacific__Apia, d("2011-12-30"), 9), at("2011-12-30T10:00:00Z"));
    }

    proptest! {
        #[test]
        fn phases_tile_the_cycle(offset in 0u32..30_000) {
            let catalogue = Catalogue::embedded().unwrap();
            let programme = catalogue.programme("iso-three-year").unwrap();
            let anchor = add_days(d("1995-01-01"), offset);
            let cycle = Cycle::first(anchor, None, DateTime::UNIX_EPOCH);
            let laid = phase_dates(programme, &cycle);
            prop_assert_eq!(laid.len(), 9);
            prop_assert_eq!(laid[0].begins_on, anchor);
            prop_assert_eq!(laid[8].ends_on, cycle.expires_on);
            for pair in laid.windows(2) {
                prop_assert_eq!(day_after(pair[0].ends_on), pair[1].begins_on);
            }
            for k in 1..=MONTHS {
                prop_assert_eq!(month_of(&cycle, month_start(anchor, k)), Some(k));
                prop_assert_eq!(month_of(&cycle, day_before(month_start(anchor, k + 1))), Some(k));
            }
        }

        #[test]
        fn a_posting_hour_is_the_local_hour_or_the_first_minute_after_a_gap(
            zone in 0..chrono_tz::TZ_VARIANTS.len(), offset in 0u32..20_000, hour in 0u32..24,
        ) {
            let zone = chrono_tz::TZ_VARIANTS[zone];
            let day = add_days(d("1996-01-01"), offset);
            let posted = at_hour(zone, day, hour).with_timezone(&zone).naive_local();
            let wanted = day.and_hms_opt(hour, 0, 0).unwrap();
            prop_assert!(posted >= wanted);
            if posted > wanted {
                // Every minute between does not exist.
                let before = posted - TimeDelta::minutes(1);
                prop_assert_eq!(zone.from_local_datetime(&before), MappedLocalTime::None);
                prop_assert_eq!(zone.from_local_datetime(&wanted), MappedLocalTime::None);
            }
        }
    }
}
