//! What the internal audits of a cycle have covered, and what is left: clause by clause, control by control, area by
//! area (ISO/IEC 27001:2022, 9.2.2; ISO 9001:2015, 9.2.2).

use std::collections::BTreeMap;

use chrono::{Datelike as _, NaiveDate};

use super::area::{Area, AreaDue};
use super::audit::{Audit, AuditKind};
use super::calendar;
use super::certificate::CertificateFile;
use super::nonconformity::Nonconformity;
use super::record::RecordKind;
use super::standard::{Clause, Standard};

/// How far a clause, a control or an area is covered in the cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// No completed audit of this cycle looked at it.
    Never,
    /// An audit had it in its plan and did not come to it.
    NotSampled,
    /// An audit sampled it.
    Sampled {
        /// The last day of the last such audit.
        on: NaiveDate,
        /// Its number.
        audit: i64,
    },
}

/// A clause or control, with what was done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClauseCovered {
    /// The clause or control.
    pub clause: Clause,
    /// How far it is covered.
    pub reach: Reach,
    /// Whether it was audited since its last nonconformity of this cycle; none where there was none.
    pub since_nonconformity: Option<bool>,
    /// Nonconformities on it in this cycle.
    pub nonconformities: usize,
}

/// An area, with what was done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AreaCovered {
    /// The area.
    pub area: Area,
    /// How far it is covered.
    pub reach: Reach,
    /// By when it is to be audited next.
    pub due: AreaDue,
}

/// The coverage of a cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// From when audits count: the first day on which the cycle's certificate was valid.
    pub from: Option<NaiveDate>,
    /// Clauses and controls.
    pub clauses: Vec<ClauseCovered>,
    /// Areas in scope.
    pub areas: Vec<AreaCovered>,
}

/// What the cycle's completed internal audits have covered on a day. An audit that names a clause has looked at all
/// below it. What was audited before the decision does not count.
pub fn coverage(file: &CertificateFile, standard: &Standard, today: NaiveDate) -> Coverage {
    let cycle = file.certificate.current_cycle(today);
    let from = cycle.map(super::certificate::Cycle::valid_from);
    let counts = |a: &&Audit| {
        a.kind == AuditKind::Internal && a.state.is_completed() && from.is_none_or(|from| a.ends_on >= from)
    };
    let mut audits: Vec<&Audit> = file.audits.iter().filter(counts).collect();
    audits.sort_by_key(|a| (a.ends_on, a.no));
    let certificate = file.certificate.id;
    // Entered later, a nonconformity was found when its audit was held.
    let found_on = |nc: &Nonconformity| {
        let audit = file.audits.iter().find(|a| nc.audit.is_some_and(|(id, _)| id == a.id));
        let raised = nc.raised_at.date_naive();
        audit.map_or(raised, |a| a.ends_on.min(raised))
    };
    let in_cycle = |nc: &&Nonconformity| !nc.is_voided() && from.is_none_or(|from| found_on(nc) >= from);
    let clauses = standard
        .leaves()
        .map(|clause| {
            let mut reach = Reach::Never;
            for audit in &audits {
                let named = audit
                    .plan
                    .clauses
                    .iter()
                    .filter(|c| c.certificate == certificate && clause.is_below(&c.clause));
                for named in named {
                    let found = if named.sampled == Some(false) {
                        Reach::NotSampled
                    } else {
                        Reach::Sampled { on: audit.ends_on, audit: audit.no }
                    };
                    reach = reach.max(found);
                }
            }
            let ncs: Vec<&Nonconformity> = file
                .nonconformities
                .iter()
                .filter(in_cycle)
                .filter(|nc| clause.is_below(&nc.clause) || nc.clause == clause.id)
                .collect();
            let last = ncs.iter().map(|nc| found_on(nc)).max();
            ClauseCovered {
                since_nonconformity: last.map(|last| matches!(reach, Reach::Sampled { on, .. } if on > last)),
                nonconformities: ncs.len(),
                clause: clause.clone(),
                reach,
            }
        })
        .collect();
    let areas = file
        .areas
        .iter()
        .filter(|area| area.is_live(today))
        .map(|area| {
            let reach = audits
                .iter()
                .filter(|a| a.plan.areas.contains(&area.id))
                .map(|a| Reach::Sampled { on: a.ends_on, audit: a.no })
                .max()
                .unwrap_or(Reach::Never);
            AreaCovered { area: area.clone(), reach, due: area.due(&file.audits) }
        })
        .collect();
    Coverage { from, clauses, areas }
}

/// An audit that is proposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    /// The first day that it is proposed for.
    pub on: NaiveDate,
    /// Clauses and controls, the weightiest groups first.
    pub clauses: Vec<String>,
    /// Areas, by their place in the coverage.
    pub areas: Vec<String>,
    /// Why these come now.
    pub why: Vec<String>,
}

/// How many clauses and controls an audit takes on at most.
const MOST: usize = 40;

/// A balanced programme for what is left of the cycle: what was never sampled, and what is due again, over the
/// quarters that are left before the recertification audit, weighted by earlier findings and by changes.
pub fn propose(file: &CertificateFile, coverage: &Coverage, today: NaiveDate) -> Vec<Proposed> {
    let expires = file.certificate.current_cycle(today).map_or_else(
        || file.certificate.stage2_on.unwrap_or_else(|| calendar::add_months(today, 6)),
        |cycle| cycle.expires_on,
    );
    // Three months before the end everything has been looked at: then the body comes.
    let last = calendar::sub_months(expires, 3).max(calendar::add_days(today, 7));
    let already = |clause: &Clause| {
        file.booked.iter().filter(|a| a.kind == AuditKind::Internal).any(|a| {
            a.plan.clauses.iter().any(|c| c.certificate == file.certificate.id && clause.is_below(&c.clause))
        })
    };
    let area_booked = |id: i64| file.booked.iter().any(|a| a.plan.areas.contains(&id));
    let changed = file
        .records
        .iter()
        .any(|r| r.kind == RecordKind::Change && r.counts() && coverage.from.is_none_or(|from| r.on >= from));
    // Groups keep together what belongs together: `9`, `A.5`.
    let mut groups: BTreeMap<String, (usize, Vec<&ClauseCovered>)> = BTreeMap::new();
    for it in &coverage.clauses {
        let again = it.since_nonconformity == Some(false);
        if (matches!(it.reach, Reach::Sampled { .. }) && !again) || already(&it.clause) {
            continue;
        }
        let group = group_of(&it.clause);
        let weight = 1 + 4 * it.nonconformities + usize::from(changed && group == "4") * 2;
        let entry = groups.entry(group).or_default();
        entry.0 = entry.0.max(weight);
        entry.1.push(it);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by(|(a, (wa, _)), (b, (wb, _))| wb.cmp(wa).then_with(|| a.cmp(b)));
    let mut areas: Vec<&AreaCovered> = coverage
        .areas
        .iter()
        .filter(|a| (a.reach == Reach::Never || a.due.by() <= last) && !area_booked(a.area.id))
        .collect();
    areas.sort_by_key(|a| (a.due.by(), a.area.no));
    let left: usize = groups.iter().map(|(_, (_, clauses))| clauses.len()).sum();
    if left == 0 && areas.is_empty() {
        return Vec::new();
    }
    let quarters = (months_between(today, last) / 3 + 1).max(1);
    let wanted = left.div_ceil(MOST).max(if left > MOST / 2 { 2 } else { 1 }).max(areas.len().div_ceil(6));
    let count = wanted.min(usize::try_from(quarters).unwrap_or(1)).max(1);
    let mut out: Vec<Proposed> = (0..count)
        .map(|i| {
            let span = (last - today).num_days();
            let step = span / i64::try_from(count + 1).unwrap_or(1);
            let ahead = u32::try_from(step * i64::try_from(i + 1).unwrap_or(1)).unwrap_or(7).max(7);
            Proposed {
                on: weekday(calendar::add_days(today, ahead)),
                clauses: Vec::new(),
                areas: Vec::new(),
                why: Vec::new(),
            }
        })
        .collect();
    let share = left.div_ceil(count).max(1);
    let mut at = 0;
    for (group, (weight, clauses)) in groups {
        for it in clauses {
            if out.get(at).is_some_and(|p| p.clauses.len() >= share) && at + 1 < count {
                at += 1;
            }
            if let Some(p) = out.get_mut(at) {
                p.clauses.push(it.clause.id.clone());
                if weight > 1 {
                    let why = format!("{group}: findings or changes in this cycle");
                    if !p.why.contains(&why) {
                        p.why.push(why);
                    }
                }
            }
        }
    }
    // What is late already does not wait for its turn.
    if let (Some(first), Some(earliest)) = (out.first_mut(), areas.iter().map(|a| a.due.by()).min()) {
        first.on = first.on.min(weekday(earliest.max(calendar::add_days(today, 14))));
    }
    for (i, area) in areas.iter().enumerate() {
        // What is due first goes to the first audit that is held before that day, in turn.
        let turn = i * count / areas.len().max(1);
        if let Some(p) = out.get_mut(turn) {
            p.areas.push(area.area.name.clone());
        }
    }
    out.retain(|p| !p.clauses.is_empty() || !p.areas.is_empty());
    out
}

fn group_of(clause: &Clause) -> String {
    let parts: Vec<&str> = clause.id.split('.').collect();
    match parts.as_slice() {
        [annex, group, ..] if annex.chars().all(char::is_alphabetic) => format!("{annex}.{group}"),
        [first, ..] => (*first).to_owned(),
        [] => String::new(),
    }
}

fn months_between(from: NaiveDate, to: NaiveDate) -> i32 {
    (to.year() - from.year()) * 12 + to.month().cast_signed() - from.month().cast_signed()
}

/// The day, or the Monday after it.
fn weekday(day: NaiveDate) -> NaiveDate {
    match day.weekday() {
        chrono::Weekday::Sat => calendar::add_days(day, 2),
        chrono::Weekday::Sun => calendar::add_days(day, 1),
        chrono::Weekday::Mon
        | chrono::Weekday::Tue
        | chrono::Weekday::Wed
        | chrono::Weekday::Thu
        | chrono::Weekday::Fri => day,
    }
}
