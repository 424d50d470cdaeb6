//! Days as people type them.

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};

use super::calendar;

/// Why something typed is not taken for a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DayFault {
    /// It can be read in two ways (`03/04/26`).
    Ambiguous {
        /// The readings: day first, then month first.
        readings: Vec<NaiveDate>,
    },
    /// It names a day that does not exist (31 February).
    Impossible,
    /// It lies outside of the years 1990 to 2100.
    OutOfRange,
    /// It is nothing known for a day.
    NotADay,
}

/// The years that a day may lie in: what is beyond is a slip of the finger.
const YEARS: std::ops::RangeInclusive<i32> = 1990..=2100;

/// Reads a day: `2026-03-02`, `2 March 2026`, `March 2, 2026`, `2.3.2026`, `25/12/2026`, `today`, `tomorrow`,
/// `yesterday`, `in 3 weeks`, `2 months ago`, `friday`, `next friday`, `last friday`.
///
/// A weekday is the first such day after today (`last`: before today). Dots are day.month.year. Slashes that can be
/// read in two ways are refused with both readings.
pub fn parse(typed: &str, today: NaiveDate) -> Result<NaiveDate, DayFault> {
    // Nothing that names a day is longer.
    if typed.chars().count() > 64 {
        return Err(DayFault::NotADay);
    }
    let lower = typed.trim().to_lowercase().replace(',', " ");
    let words: Vec<&str> = lower.split_whitespace().collect();
    let day = match words.as_slice() {
        ["today"] => today,
        ["tomorrow"] => calendar::day_after(today),
        ["yesterday"] => calendar::day_before(today),
        [one] => match weekday(one) {
            Some(weekday) => next(weekday, today),
            None => numeric(one)?,
        },
        ["next" | "this" | "on", name] if weekday(name).is_some() => {
            next(weekday(name).ok_or(DayFault::NotADay)?, today)
        }
        ["last", name] => last(weekday(name).ok_or(DayFault::NotADay)?, today),
        ["in", count, unit] => shift(today, count, unit, true)?,
        [count, unit, "ago"] => shift(today, count, unit, false)?,
        // The day's name before a date is taken on trust: the reply says which date was understood.
        [name, rest @ ..] if weekday(name).is_some() => written(rest)?,
        rest => written(rest)?,
    };
    if YEARS.contains(&day.year()) { Ok(day) } else { Err(DayFault::OutOfRange) }
}

/// `2 March 2026`, `March 2 2026`, or a date in figures.
fn written(words: &[&str]) -> Result<NaiveDate, DayFault> {
    match words {
        [one] => numeric(one),
        [day, "of", name, year] | [day, name, year] if month(name).is_some() => {
            named(day, month(name).ok_or(DayFault::NotADay)?, year)
        }
        [name, day, year] => named(day, month(name).ok_or(DayFault::NotADay)?, year),
        _ => Err(DayFault::NotADay),
    }
}

fn named(day: &str, month: u32, year: &str) -> Result<NaiveDate, DayFault> {
    let figures = ["st", "nd", "rd", "th", "."].iter().find_map(|end| day.strip_suffix(end)).unwrap_or(day);
    let (day, year) = (small(figures)?, full_year(year)?);
    date(year, month, day)
}

/// A date in figures: with hyphens the year first, with dots the day first, with slashes as far as it is clear.
fn numeric(word: &str) -> Result<NaiveDate, DayFault> {
    let Some(separator) = word.chars().find(|c| matches!(c, '-' | '.' | '/')) else {
        return Err(DayFault::NotADay);
    };
    let parts: Vec<&str> = word.split(separator).collect();
    let [one, two, three] = parts.as_slice() else { return Err(DayFault::NotADay) };
    if one.len() == 4 && separator != '.' {
        return date(full_year(one)?, small(two)?, small(three)?);
    }
    match separator {
        '.' => date(full_year(three)?, small(two)?, small(one)?),
        '/' => slashed(small(one)?, small(two)?, full_year(three)?),
        // `02-03-2026` is no more clear than `02/03/2026`.
        _ if three.len() == 4 => slashed(small(one)?, small(two)?, full_year(three)?),
        _ => Err(DayFault::NotADay),
    }
}

fn slashed(one: u32, two: u32, year: i32) -> Result<NaiveDate, DayFault> {
    match (date(year, two, one), date(year, one, two)) {
        (Err(DayFault::OutOfRange), _) => Err(DayFault::OutOfRange),
        (Ok(one), Ok(two)) if one != two => Err(DayFault::Ambiguous { readings: vec![one, two] }),
        (Ok(day), _) | (_, Ok(day)) => Ok(day),
        _ => Err(DayFault::Impossible),
    }
}

fn date(year: i32, month: u32, day: u32) -> Result<NaiveDate, DayFault> {
    if !YEARS.contains(&year) {
        return Err(DayFault::OutOfRange);
    }
    NaiveDate::from_ymd_opt(year, month, day).ok_or(DayFault::Impossible)
}

/// A day or month in figures.
fn small(text: &str) -> Result<u32, DayFault> {
    figures(text).filter(|_| text.len() <= 2).ok_or(DayFault::NotADay)
}

/// A year of four figures, or of two for this century.
fn full_year(text: &str) -> Result<i32, DayFault> {
    let year = figures(text).and_then(|year| i32::try_from(year).ok()).ok_or(DayFault::NotADay)?;
    match text.len() {
        2 => Ok(2000 + year),
        4 => Ok(year),
        _ => Err(DayFault::NotADay),
    }
}

fn figures(text: &str) -> Option<u32> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

fn shift(today: NaiveDate, count: &str, unit: &str, ahead: bool) -> Result<NaiveDate, DayFault> {
    let count = match count {
        "a" | "an" | "one" => 1,
        "two" => 2,
        "three" => 3,
        count => figures(count).filter(|_| count.len() <= 6).ok_or(DayFault::NotADay)?,
    };
    let days = |days: u32| Days::new(u64::from(days));
    let moved = match unit.strip_suffix('s').unwrap_or(unit) {
        "day" if ahead => today.checked_add_days(days(count)),
        "day" => today.checked_sub_days(days(count)),
        "week" if ahead => today.checked_add_days(days(count * 7)),
        "week" => today.checked_sub_days(days(count * 7)),
        "month" if ahead => today.checked_add_months(Months::new(count)),
        "month" => today.checked_sub_months(Months::new(count)),
        "year" if ahead => today.checked_add_months(Months::new(count * 12)),
        "year" => today.checked_sub_months(Months::new(count * 12)),
        _ => return Err(DayFault::NotADay),
    };
    moved.ok_or(DayFault::OutOfRange)
}

/// The first such weekday after today.
fn next(weekday: Weekday, today: NaiveDate) -> NaiveDate {
    let away = (weekday.num_days_from_monday() + 6 - today.weekday().num_days_from_monday()) % 7 + 1;
    calendar::add_days(today, away)
}

/// The last such weekday before today.
fn last(weekday: Weekday, today: NaiveDate) -> NaiveDate {
    let away = (today.weekday().num_days_from_monday() + 6 - weekday.num_days_from_monday()) % 7 + 1;
    calendar::sub_days(today, away)
}

fn weekday(name: &str) -> Option<Weekday> {
    Some(match name.strip_suffix('.').unwrap_or(name) {
        "monday" | "mon" => Weekday::Mon,
        "tuesday" | "tue" | "tues" => Weekday::Tue,
        "wednesday" | "wed" => Weekday::Wed,
        "thursday" | "thu" | "thur" | "thurs" => Weekday::Thu,
        "friday" | "fri" => Weekday::Fri,
        "saturday" | "sat" => Weekday::Sat,
        "sunday" | "sun" => Weekday::Sun,
        _ => return None,
    })
}

fn month(name: &str) -> Option<u32> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let names = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let fits = |full: &&str| {
        **full == *name || full.get(..3) == Some(name) || (name == "sept" && full.starts_with("sept"))
    };
    (1..).zip(names.iter()).find(|(_, full)| fits(full)).map(|(k, _)| k)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn d(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// A Tuesday.
    fn read(typed: &str) -> Result<NaiveDate, DayFault> {
        parse(typed, d("2026-11-24"))
    }

    #[test]
    fn days_are_understood() {
        for (typed, expected) in [
            ("2026-03-02", "2026-03-02"),
            (" 2026-3-2 ", "2026-03-02"),
            ("2026/03/02", "2026-03-02"),
            ("2 March 2026", "2026-03-02"),
            ("2  MAR  2026", "2026-03-02"),
            ("2nd of March 2026", "2026-03-02"),
            ("Monday, 2 March 2026", "2026-03-02"),
            ("March 2, 2026", "2026-03-02"),
            ("Mar 2nd, 2026", "2026-03-02"),
            ("sept 5 2026", "2026-09-05"),
            ("2.3.2026", "2026-03-02"),
            ("02.03.26", "2026-03-02"),
            ("25/12/2026", "2026-12-25"),
            ("12/25/2026", "2026-12-25"),
            ("05/05/2026", "2026-05-05"),
            ("29 February 2028", "2028-02-29"),
            ("today", "2026-11-24"),
            ("Tomorrow", "2026-11-25"),
            ("YESTERDAY", "2026-11-23"),
            ("in 3 weeks", "2026-12-15"),
            ("in 1 day", "2026-11-25"),
            ("in a month", "2026-12-24"),
            ("in 3 months", "2027-02-24"),
            ("in 2 years", "2028-11-24"),
            ("3 weeks ago", "2026-11-03"),
            ("a year ago", "2025-11-24"),
            ("friday", "2026-11-27"),
            ("next friday", "2026-11-27"),
            ("next tuesday", "2026-12-01"),
            ("last friday", "2026-11-20"),
            ("last tuesday", "2026-11-17"),
        ] {
            assert_eq!(read(typed), Ok(d(expected)), "{typed}");
        }
    }

    #[test]
    fn what_can_be_read_twice_is_refused_with_both_readings() {
        let readings = vec![d("2026-04-03"), d("2026-03-04")];
        for typed in ["03/04/26", "3/4/2026", "03-04-2026"] {
            assert_eq!(read(typed), Err(DayFault::Ambiguous { readings: readings.clone() }), "{typed}");
        }
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for typed in ["31 Feb 2026", "2026-02-29", "2026-13-01", "0.1.2026", "30/02/2026", "31/31/2026"] {
            assert_eq!(read(typed), Err(DayFault::Impossible), "{typed}");
        }
        for typed in ["1989-12-31", "2101-01-01", "in 900000 days", "in 99 years", "0026-03-02", "3/4/1950"] {
            assert_eq!(read(typed), Err(DayFault::OutOfRange), "{typed}");
        }
        for typed in [
            "",
            " ",
            "soon",
            "03/04",
            "2026",
            "March",
            "2 March",
            "in three",
            "next",
            "next week",
            "1-2-3",
            "20260302",
        ] {
            assert_eq!(read(typed), Err(DayFault::NotADay), "{typed}");
        }
    }

    proptest! {
        #[test]
        fn nothing_typed_panics(typed in ".*") {
            drop(read(&typed));
        }

        #[test]
        fn nothing_like_a_day_panics(
            typed in "(in|last|next|a|[0-9]{1,9}|[0-9]{1,3}[./-][0-9]{1,3}[./-][0-9]{1,5}|friday|march|days|years|ago| )( (in|[0-9]{1,9}|friday|march|weeks|months|ago)){0,3}",
        ) {
            if let Ok(day) = read(&typed) {
                prop_assert!(YEARS.contains(&day.year()));
            }
        }

        #[test]
        fn every_way_to_write_a_day_reads_back(offset in 0u32..40_000, today in 0u32..40_000) {
            let day = calendar::add_days(d("1990-01-01"), offset);
            let today = calendar::add_days(d("1990-01-01"), today);
            for form in ["%Y-%m-%d", "%-d %B %Y", "%d %b %Y", "%B %-d, %Y", "%-d.%-m.%Y", "%A, %-d %B %Y"] {
                prop_assert_eq!(parse(&day.format(form).to_string(), today), Ok(day));
            }
        }

        #[test]
        fn weekdays_lie_within_a_week(today in 0u32..30_000, name in 0usize..7) {
            let names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
            let today = calendar::add_days(d("1995-01-01"), today);
            let ahead = parse(&format!("next {}", names[name]), today).unwrap();
            let behind = parse(&format!("last {}", names[name]), today).unwrap();
            prop_assert!(ahead > today && ahead <= calendar::add_days(today, 7));
            prop_assert!(behind < today && behind >= calendar::sub_days(today, 7));
            prop_assert_eq!(ahead.format("%A").to_string().to_lowercase(), names[name]);
            prop_assert_eq!(behind.weekday(), ahead.weekday());
        }
    }
}
