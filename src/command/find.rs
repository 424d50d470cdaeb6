//! From what people type to what is on record: certificates, audits, nonconformities, clauses, days.

use chrono::NaiveDate;

use super::option::{AuditRef, CertificateRef, ClauseRef, DayText, NcRef};
use crate::domain::audit::Audit;
use crate::domain::certificate::Certificate;
use crate::domain::day;
use crate::domain::nonconformity::Nonconformity;
use crate::domain::standard::{Clause, Standard};
use crate::say;
use crate::say::card::Line;

/// A number with the prefix it may be typed with: `NC-12`, `nc 12`, `#12`, `12`.
fn number(typed: &str, prefix: &str) -> Option<i64> {
    let lower = typed.trim().to_lowercase();
    let digits = match lower.strip_prefix(prefix) {
        Some(rest) => rest.trim_start_matches(['-', ' ', '#', '.']),
        None => lower.trim_start_matches('#'),
    };
    digits.parse().ok().filter(|n| *n > 0)
}

/// Whether a certificate of that name could not be told from the number of one.
pub(super) fn is_number(name: &str) -> bool {
    number(name, "c").is_some()
}

/// The certificate meant: by number (`C-1`, `1`), by name, or by a part of a name that only one has.
pub(crate) fn certificate<'a>(
    all: &'a [Certificate],
    typed: &CertificateRef,
) -> Result<&'a Certificate, Line> {
    let wanted = typed.0.to_lowercase();
    if let Some(found) = all.iter().find(|c| c.name.to_lowercase() == wanted) {
        return Ok(found);
    }
    if let Some(found) = number(&typed.0, "c").and_then(|n| all.iter().find(|c| c.no == n)) {
        return Ok(found);
    }
    let parts: Vec<&Certificate> = all
        .iter()
        .filter(|c| !wanted.is_empty() && (c.name.to_lowercase().contains(&wanted) || c.standard == wanted))
        .collect();
    match parts.as_slice() {
        [only] => Ok(only),
        [] => Err(say::refusal::no_certificate(&typed.0, all)),
        several => Err(say::refusal::several_certificates(&typed.0, several)),
    }
}

/// The audit meant: `A-3`, `3`.
pub(super) fn audit<'a>(all: &'a [Audit], typed: &AuditRef) -> Result<&'a Audit, Line> {
    number(&typed.0, "a")
        .and_then(|n| all.iter().find(|a| a.no == n))
        .ok_or_else(|| say::refusal::no_audit(&typed.0, all.len()))
}

/// The nonconformity meant: `NC-12`, `nc 12`, `12`.
pub(super) fn nonconformity<'a>(all: &'a [Nonconformity], typed: &NcRef) -> Result<&'a Nonconformity, Line> {
    number(&typed.0, "nc")
        .and_then(|n| all.iter().find(|nc| nc.no == n))
        .ok_or_else(|| say::refusal::no_nc(&typed.0, all.len()))
}

/// A clause as it is looked for: `clause 9.2`, `a.5.1` and `A5.1` find theirs.
fn bare(clause: &str) -> String {
    let lower = clause.trim().to_lowercase();
    let rest = lower.strip_prefix("clause").or_else(|| lower.strip_prefix("cl.")).unwrap_or(&lower).trim();
    rest.chars().filter(|c| !c.is_whitespace()).collect::<String>().replacen("a.", "a", 1)
}

/// The clause or control meant. Where the standard's list is not at hand, the clause is taken as typed.
pub(super) fn clause(standard: Option<&Standard>, typed: &ClauseRef) -> Result<String, Line> {
    let Some(standard) = standard.filter(|s| !s.clauses.is_empty()) else {
        return if typed.0.is_empty() {
            Err(say::refusal::no_clause(&typed.0, None))
        } else {
            Ok(typed.0.clone())
        };
    };
    let wanted = bare(&typed.0);
    let found: Option<&Clause> = standard
        .clauses
        .iter()
        .find(|c| bare(&c.id) == wanted || c.title.to_lowercase() == typed.0.trim().to_lowercase());
    found.map(|c| c.id.clone()).ok_or_else(|| say::refusal::no_clause(&typed.0, Some(standard)))
}

/// The day meant.
pub(super) fn day(typed: &DayText, today: NaiveDate, option: &str) -> Result<NaiveDate, Line> {
    day::parse(&typed.0, today).map_err(|fault| say::refusal::day(option, &typed.0, &fault))
}

/// The day meant, if one was given.
pub(crate) fn maybe_day(
    typed: Option<&DayText>,
    today: NaiveDate,
    option: &str,
) -> Result<Option<NaiveDate>, Line> {
    typed.map(|t| day(t, today, option)).transpose()
}

/// A day that cannot lie in the future.
pub(super) fn past_day(typed: &DayText, today: NaiveDate, option: &str) -> Result<NaiveDate, Line> {
    let on = day(typed, today, option)?;
    if on > today { Err(say::refusal::future(option, on, today)) } else { Ok(on) }
}
