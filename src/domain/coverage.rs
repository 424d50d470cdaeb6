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

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::super::area::AreaKind;
    use super::super::audit::{AuditClause, AuditPlan, AuditState};
    use super::super::certificate::{Certificate, Cycle, Terms};
    use super::super::nonconformity::{BodyWords, Grade, Verification};
    use super::super::organisation::Person;
    use super::*;
    use crate::catalogue::Catalogue;

    fn d(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn noon(on: &str) -> DateTime<Utc> {
        d(on).and_hms_opt(12, 0, 0).unwrap().and_utc()
    }

    fn person() -> Person {
        Person { id: 1, handle: "1".into(), name: "P".into() }
    }

    fn file() -> CertificateFile {
        let mut file = CertificateFile::new(Certificate {
            id: 7,
            no: 1,
            standard: "iso-27001".into(),
            name: "Acme ISMS".into(),
            body: None,
            number: None,
            channel: None,
            owner: None,
            stage2_on: None,
            entered_at: DateTime::UNIX_EPOCH,
            stage2_known_at: DateTime::UNIX_EPOCH,
            cycles: vec![Cycle::first(d("2026-03-02"), None, DateTime::UNIX_EPOCH)],
            terms: Terms::default(),
            scope: None,
        });
        file.areas.push(Area {
            id: 3,
            no: 1,
            name: "IT".into(),
            kind: AreaKind::Department,
            owner: None,
            added_on: d("2026-03-02"),
            every_months: 12,
            ended_on: None,
            reference: None,
        });
        file
    }

    fn audit(no: i64, kind: AuditKind, on: &str, clauses: &[(i64, &str, bool)]) -> Audit {
        Audit {
            id: no,
            no,
            kind,
            starts_on: d(on),
            ends_on: d(on),
            scope: "s".into(),
            conclusion: "c".into(),
            lead: None,
            lead_name: None,
            logged_by: person(),
            logged_at: noon(on),
            certificates: vec![7, 8],
            state: AuditState::Reported,
            plan: AuditPlan {
                clauses: clauses
                    .iter()
                    .map(|(certificate, clause, sampled)| AuditClause {
                        certificate: *certificate,
                        clause: (*clause).to_owned(),
                        sampled: Some(*sampled),
                    })
                    .collect(),
                areas: vec![3],
                ..AuditPlan::default()
            },
        }
    }

    fn of(file: &CertificateFile, clause: &str) -> (Reach, Option<bool>) {
        let catalogue = Catalogue::embedded().unwrap();
        let covered = coverage(file, catalogue.standard("iso-27001").unwrap(), d("2028-01-01"));
        let it = covered.clauses.iter().find(|c| c.clause.id == clause).unwrap();
        (it.reach, it.since_nonconformity)
    }

    /// ISO/IEC 27001:2022, 9.2.2: only completed internal audits since the decision count, each for the certificates
    /// whose clauses it names, and what was planned and not come to is said so.
    #[test]
    fn only_completed_audits_since_the_decision_count_and_only_what_was_sampled() {
        let mut file = file();
        file.audits = vec![
            audit(1, AuditKind::Internal, "2026-03-01", &[(7, "4", true)]),
            audit(2, AuditKind::Surveillance, "2027-01-10", &[(7, "5", true)]),
            audit(3, AuditKind::Internal, "2027-02-01", &[(8, "6", true)]),
            Audit {
                state: AuditState::Cancelled,
                ..audit(4, AuditKind::Internal, "2027-02-02", &[(7, "7", true)])
            },
        ];
        for clause in ["4.1", "5.1", "6.2", "7.2", "A.5.1"] {
            assert_eq!(of(&file, clause).0, Reach::Never, "{clause}");
        }
        file.audits.push(audit(5, AuditKind::Internal, "2026-03-02", &[(7, "4", true), (7, "9.2", false)]));
        assert_eq!(of(&file, "4.1").0, Reach::Sampled { on: d("2026-03-02"), audit: 5 });
        assert_eq!(of(&file, "9.2.1").0, Reach::NotSampled);
        // Sampled once is sampled, whatever a later audit did not come to.
        file.audits.push(audit(6, AuditKind::Internal, "2027-05-01", &[(7, "9.2", true)]));
        file.audits.push(audit(7, AuditKind::Internal, "2027-06-01", &[(7, "9.2", false)]));
        assert_eq!(of(&file, "9.2.1").0, Reach::Sampled { on: d("2027-05-01"), audit: 6 });
    }

    /// A clause that had a nonconformity is not covered until it was audited again.
    #[test]
    fn a_clause_is_looked_at_again_after_its_last_nonconformity() {
        let mut file = file();
        file.audits = vec![audit(1, AuditKind::Internal, "2026-06-01", &[(7, "9.2", true)])];
        assert_eq!(of(&file, "9.2.1").1, None);
        file.nonconformities.push(Nonconformity {
            id: 1,
            no: 1,
            certificate: 7,
            audit: Some((1, 1)),
            grade: Grade::Minor,
            clause: "9.2".into(),
            statement: "s".into(),
            objective: None,
            body: BodyWords::default(),
            area: None,
            owner: None,
            due_on: d("2026-09-01"),
            due_known_at: noon("2026-06-01"),
            verification: Verification::default(),
            raised_by: person(),
            raised_at: noon("2026-06-01"),
            steps: Vec::new(),
        });
        assert_eq!(of(&file, "9.2.1").1, Some(false), "not since the audit that found it");
        file.audits.push(audit(2, AuditKind::Internal, "2026-12-01", &[(7, "9.2", true)]));
        assert_eq!(of(&file, "9.2.1").1, Some(true));
        // The next cycle begins with nothing covered.
        let next = file.certificate.cycles[0].renewed(d("2027-12-30"), None, noon("2027-12-30"));
        let next = Cycle { anchor: d("2027-12-31"), ..next };
        file.certificate.cycles.push(next);
        assert_eq!(of(&file, "9.2.1"), (Reach::Never, None));
    }

    /// What is proposed is what is left: together with what is booked it covers everything, before the body comes.
    #[test]
    fn the_proposal_covers_what_is_left_and_ends_before_the_recertification_audit() {
        let catalogue = Catalogue::embedded().unwrap();
        let standard = catalogue.standard("iso-27001").unwrap();
        let mut file = file();
        file.audits = vec![audit(1, AuditKind::Internal, "2026-06-01", &[(7, "4", true), (7, "9.2", true)])];
        let booked = audit(2, AuditKind::Internal, "2028-03-01", &[(7, "A.5", true)]);
        file.booked = vec![Audit { state: AuditState::Planned, ..booked }];
        let today = d("2028-01-01");
        let covered = coverage(&file, standard, today);
        let proposed = propose(&file, &covered, today);
        let mut named: Vec<&str> = proposed.iter().flat_map(|p| &p.clauses).map(String::as_str).collect();
        named.sort_unstable();
        let mut left: Vec<&str> = covered
            .clauses
            .iter()
            .filter(|c| c.reach == Reach::Never && !c.clause.id.starts_with("A.5."))
            .map(|c| c.clause.id.as_str())
            .collect();
        left.sort_unstable();
        assert_eq!(named, left);
        assert!(proposed.iter().all(|p| p.on > today && p.on <= d("2028-12-05")), "{proposed:?}");
    }
}
