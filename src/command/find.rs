//! From what people type to what is on record: certificates, audits, nonconformities, clauses, days.

use chrono::NaiveDate;

use super::option::{
    ActionRef, AreaList, AreaRef, AuditRef, CertificateRef, CertificatesRef, ClauseRef, DayText, FindingRef,
    NcRef, ReviewRef,
};
use crate::catalogue::Catalogue;
use crate::domain::action::Action;
use crate::domain::area::Area;
use crate::domain::audit::{Audit, AuditClause};
use crate::domain::certificate::Certificate;
use crate::domain::day;
use crate::domain::finding::Finding;
use crate::domain::nonconformity::Nonconformity;
use crate::domain::review::Review;
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

/// The finding meant: `F-2`, `2`.
pub(super) fn finding<'a>(all: &'a [Finding], typed: &FindingRef) -> Result<&'a Finding, Line> {
    number(&typed.0, "f")
        .and_then(|n| all.iter().find(|f| f.no == n))
        .ok_or_else(|| say::refusal::no_entry("finding", "F", &typed.0, "/finding list"))
}

/// The action meant: `ACT-4`, `4`.
pub(super) fn action<'a>(all: &'a [Action], typed: &ActionRef) -> Result<&'a Action, Line> {
    number(&typed.0, "act")
        .and_then(|n| all.iter().find(|a| a.no == n))
        .ok_or_else(|| say::refusal::no_entry("action", "ACT", &typed.0, "/action list"))
}

/// The management review meant: `MR-1`, `1`.
pub(super) fn review<'a>(all: &'a [Review], typed: &ReviewRef) -> Result<&'a Review, Line> {
    number(&typed.0, "mr")
        .and_then(|n| all.iter().find(|r| r.no == n))
        .ok_or_else(|| say::refusal::no_entry("management review", "MR", &typed.0, "/review list"))
}

/// The area meant: by name, by a part that only one has, or by number.
pub(super) fn area<'a>(all: &'a [Area], typed: &AreaRef) -> Result<&'a Area, Line> {
    let wanted = typed.0.trim().to_lowercase();
    if let Some(found) = all.iter().find(|a| a.name.to_lowercase() == wanted) {
        return Ok(found);
    }
    if let Some(found) = number(&wanted, "area").and_then(|n| all.iter().find(|a| a.no == n)) {
        return Ok(found);
    }
    let parts: Vec<&Area> =
        all.iter().filter(|a| !wanted.is_empty() && a.name.to_lowercase().contains(&wanted)).collect();
    match parts.as_slice() {
        [only] => Ok(only),
        _ => Err(say::refusal::no_area(&typed.0, all)),
    }
}

/// What stands between commas, without what is empty.
pub(super) fn parts(list: &str) -> impl Iterator<Item = &str> {
    list.split([',', ';', '\n']).map(str::trim).filter(|p| !p.is_empty())
}

/// The areas meant; `all` are those in scope.
pub(super) fn areas(all: &[Area], typed: Option<&AreaList>, today: NaiveDate) -> Result<Vec<i64>, Line> {
    let Some(typed) = typed else { return Ok(Vec::new()) };
    if typed.0.trim().eq_ignore_ascii_case("all") {
        return Ok(all.iter().filter(|a| a.is_live(today)).map(|a| a.id).collect());
    }
    let mut out = Vec::new();
    for part in parts(&typed.0) {
        let id = area(all, &AreaRef(part.to_owned()))?.id;
        if !out.contains(&id) {
            out.push(id);
        }
    }
    Ok(out)
}

/// The certificates meant; `all` are all.
pub(super) fn certificates<'a>(
    all: &'a [Certificate],
    typed: &CertificatesRef,
) -> Result<Vec<&'a Certificate>, Line> {
    if typed.0.trim().eq_ignore_ascii_case("all") && !all.is_empty() {
        return Ok(all.iter().collect());
    }
    // A name may have a comma in it.
    if let Ok(one) = certificate(all, &CertificateRef(typed.0.clone())) {
        return Ok(vec![one]);
    }
    let mut out: Vec<&Certificate> = Vec::new();
    for part in parts(&typed.0) {
        let found = certificate(all, &CertificateRef(part.to_owned()))?;
        if !out.iter().any(|c| c.id == found.id) {
            out.push(found);
        }
    }
    if out.is_empty() { Err(say::refusal::no_certificate(&typed.0, all)) } else { Ok(out) }
}

/// The clauses or controls meant, of the standards of these certificates: several with commas between, a range
/// (`A.5.1-A.5.8`), `all`, or only one standard's (`iso-9001:8.4`). Each counts for every certificate whose standard
/// has it.
pub(super) fn clauses(
    certificates: &[&Certificate],
    catalogue: &Catalogue,
    typed: Option<&str>,
    controls: bool,
) -> Result<Vec<AuditClause>, Line> {
    let Some(typed) = typed.map(str::trim).filter(|t| !t.is_empty()) else { return Ok(Vec::new()) };
    let mut out: Vec<AuditClause> = Vec::new();
    let mut add = |certificate: i64, clause: &str| {
        if !out.iter().any(|c| c.certificate == certificate && c.clause == clause) {
            out.push(AuditClause { certificate, clause: clause.to_owned(), sampled: None });
        }
    };
    for part in parts(typed) {
        let (only, wanted) = match part.split_once(':') {
            Some((standard, clause)) => (Some(standard.trim().to_lowercase()), clause.trim()),
            None => (None, part),
        };
        let mut found = false;
        let mut why = None;
        for c in certificates {
            if only.as_ref().is_some_and(|o| *o != c.standard && *o != c.name.to_lowercase()) {
                continue;
            }
            let standard = catalogue.standard(&c.standard);
            if wanted.eq_ignore_ascii_case("all") {
                found = true;
                for clause in
                    standard.into_iter().flat_map(Standard::leaves).filter(|k| k.control == controls)
                {
                    add(c.id, &clause.id);
                }
                continue;
            }
            if let Some((from, to)) = wanted.split_once(['-', '–']) {
                let ends = [from, to].map(|end| clause(standard, &ClauseRef(end.to_owned())));
                if let ([Ok(from), Ok(to)], Some(standard)) = (&ends, standard) {
                    let at = |id: &str| standard.clauses.iter().position(|k| k.id == id);
                    let (Some(first), Some(last)) = (at(from), at(to)) else { continue };
                    let (first, last) = (first.min(last), first.max(last));
                    found = true;
                    for clause in standard.clauses.iter().take(last + 1).skip(first) {
                        add(c.id, &clause.id);
                    }
                    continue;
                }
            }
            // The standards' own headings stand for all below them (`A.5`, `9`).
            let heading = standard
                .filter(|s| !s.clauses.is_empty())
                .filter(|s| s.clause(wanted).is_none())
                .map(|s| s.clauses.iter().filter(|k| k.is_below(&wanted.to_uppercase())).collect::<Vec<_>>())
                .filter(|below| !below.is_empty());
            if let Some(below) = heading {
                found = true;
                for clause in below {
                    add(c.id, &clause.id);
                }
                continue;
            }
            match clause(standard, &ClauseRef(wanted.to_owned())) {
                Ok(id) => {
                    found = true;
                    add(c.id, &id);
                }
                Err(line) => why = Some(line),
            }
        }
        if !found {
            return Err(why.unwrap_or_else(|| say::refusal::no_clause(wanted, None)));
        }
    }
    Ok(out)
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
