//! `/import`: what stands in a person's spreadsheets. A dry run first, row by row; then all of it or nothing. A row
//! whose reference is on record already is left as it is, so that the same file can be given again.

use std::sync::Arc;

use chrono::NaiveDate;
use clap::{Args, ValueEnum};

use super::app::{Change, Reply, Stop};
use super::find;
use super::finding::{Entered, FindingKind, New, enter};
use super::option::{AreaList, AuditRef, CertificatesRef, ClauseRef, DayText, FileRef, NcRef, ReviewRef};
use crate::domain::action::{Action, ActionState, Source};
use crate::domain::area::Area;
use crate::domain::audit::{Audit, AuditKind, AuditPlan, AuditState};
use crate::domain::finding::{FindingGrade, FindingState, Settled};
use crate::domain::nonconformity::{BodyWords, Done, Nonconformity, Step};
use crate::domain::organisation::Person;
use crate::say;
use crate::say::card::Line;
use crate::sheet::{self, Row, Unreadable};
use crate::store;

/// `/import`
#[derive(Debug, Clone, Args)]
pub struct Import {
    /// What stands in the file
    #[arg(long)]
    pub what: Kind,
    /// The file: CSV or XLSX with a heading row
    #[arg(long)]
    pub file: FileRef,
    /// Whether to enter it (left out: a dry run, row by row)
    #[arg(long, action = clap::ArgAction::Set)]
    pub apply: Option<bool>,
}

/// What a file is imported as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// reference, name, kind, owner, added, every
    Areas,
    /// reference, name (a Discord user id in handle, where there is one)
    People,
    /// reference, certificate, kind, date, until, scope, conclusion, lead, clauses, controls, areas
    Audits,
    /// reference, audit, grade, clause, statement, evidence, area, owner, due, closed
    Findings,
    /// reference, certificate, owner, due, what, nc, review, done, outcome
    Actions,
}

impl Kind {
    /// The word for it.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Areas => "areas",
            Self::People => "people",
            Self::Audits => "audits",
            Self::Findings => "findings",
            Self::Actions => "actions",
        }
    }

    /// The headings that it knows; those that it needs come first, up to the number given.
    pub(crate) fn headings(self) -> (&'static [&'static str], usize) {
        match self {
            Self::Areas => (&["name", "reference", "kind", "owner", "added", "every"], 1),
            Self::People => (&["name", "handle", "reference"], 1),
            Self::Audits => (
                &[
                    "reference",
                    "kind",
                    "date",
                    "certificate",
                    "until",
                    "scope",
                    "conclusion",
                    "lead",
                    "clauses",
                    "controls",
                    "areas",
                ],
                3,
            ),
            Self::Findings => (
                &[
                    "reference",
                    "audit",
                    "grade",
                    "clause",
                    "statement",
                    "evidence",
                    "area",
                    "owner",
                    "due",
                    "closed",
                    "certificate",
                ],
                5,
            ),
            Self::Actions => {
                (&["reference", "owner", "due", "what", "certificate", "nc", "review", "done", "outcome"], 4)
            }
        }
    }
}

/// What became of a row.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It was (or would be) entered under this number.
    Entered(String),
    /// Its reference is on record already.
    There(String),
    /// It cannot be entered, and why.
    Refused(Line),
}

/// What is on record, with what the rows before have added.
struct Known {
    areas: Vec<Area>,
    audits: Vec<Audit>,
    ncs: Vec<Nonconformity>,
    findings: Vec<(Option<String>, i64)>,
    actions: Vec<(Option<String>, i64)>,
}

impl Import {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let (kind, apply) = (self.what, self.apply.unwrap_or(false));
        let Some((_, bytes)) = cx.file(&self.file.0)? else {
            // The rehearsal, before the file is fetched.
            return Reply::private(say::work::imported(kind, &[], apply));
        };
        let bytes = bytes.to_vec();
        // Aside: others are answered meanwhile, and what makes a reader stumble costs nothing but the file.
        let table = match tokio::task::spawn_blocking(move || sheet::read(&bytes)).await {
            Ok(table) => table.map_err(|e| say::work::no_table(&e))?,
            Err(_stumbled) => return Err(Stop::Refused(say::work::no_table(&Unreadable::Strange))),
        };
        let (headings, needed) = kind.headings();
        let lacking: Vec<&str> = headings
            .iter()
            .take(needed)
            .filter(|h| !table.headings.iter().any(|t| t == *h))
            .copied()
            .collect();
        if !lacking.is_empty() {
            return Err(Stop::Refused(say::work::headings_lacking(kind, &lacking, &table.headings)));
        }
        let rest = &cx.before.rest;
        let mut known = Known {
            areas: rest.areas.clone(),
            audits: cx.before.audits.clone(),
            ncs: cx.before.nonconformities.clone(),
            findings: rest.findings.iter().map(|f| (f.reference.clone(), f.no)).collect(),
            actions: rest.actions.iter().map(|a| (a.reference.clone(), a.no)).collect(),
        };
        let mark = cx.w.mark().await?;
        let mut outcomes: Vec<(usize, Outcome)> = Vec::new();
        for row in &table.rows {
            let outcome = match one(cx, kind, row, &mut known).await {
                Ok(outcome) => outcome,
                Err(Stop::Refused(why)) => Outcome::Refused(why),
                Err(fault @ Stop::Fault(_)) => return Err(fault),
            };
            outcomes.push((row.number, outcome));
        }
        // All of it or nothing: one row that cannot be entered keeps the others out.
        let sound = !outcomes.iter().any(|(_, o)| matches!(o, Outcome::Refused(_)));
        cx.w.settle(mark, apply && sound).await?;
        let card = say::work::imported(kind, &outcomes, apply);
        if apply && sound { Reply::told(&cx.org, card) } else { Reply::private(card) }
    }
}

/// The cell under a heading that a row needs.
fn cell<'r>(row: &'r Row, heading: &str) -> Result<&'r str, Stop> {
    row.get(&[heading]).ok_or_else(|| Stop::Refused(say::work::cell_empty(heading)))
}

fn past(cx: &Change<'_>, text: &str, heading: &str) -> Result<NaiveDate, Stop> {
    Ok(find::past_day(&DayText(text.to_owned()), cx.today, heading)?)
}

async fn owner(cx: &mut Change<'_>, row: &Row) -> Result<Option<Person>, Stop> {
    match row.get(&["owner"]) {
        Some(name) => Ok(Some(cx.named(name).await?)),
        None => Ok(None),
    }
}

async fn one(cx: &mut Change<'_>, kind: Kind, row: &Row, known: &mut Known) -> Result<Outcome, Stop> {
    let reference = row.get(&["reference", "ref", "id"]).map(str::to_owned);
    match kind {
        Kind::Areas => area(cx, row, reference, known).await,
        Kind::People => {
            let name = cell(row, "name")?;
            let handle = row.get(&["handle", "user-id", "discord"]).unwrap_or(name);
            if cx.before.people.iter().any(|p| p.handle == handle && p.name == name) {
                return Ok(Outcome::There(name.to_owned()));
            }
            let is_id = (15..=20).contains(&handle.len()) && handle.bytes().all(|b| b.is_ascii_digit());
            if cx.request.place.starts_with("discord:") && !is_id {
                return Err(Stop::Refused(say::work::nobody(name)));
            }
            let person = store::person::known(&mut cx.w, cx.org.id, handle, Some(name)).await?;
            Ok(Outcome::Entered(person.name))
        }
        Kind::Audits => audit(cx, row, reference, known).await,
        Kind::Findings => finding(cx, row, reference, known).await,
        Kind::Actions => action(cx, row, reference, known).await,
    }
}

async fn area(
    cx: &mut Change<'_>,
    row: &Row,
    reference: Option<String>,
    known: &mut Known,
) -> Result<Outcome, Stop> {
    let name = cell(row, "name")?.to_owned();
    let same = known.areas.iter().find(|a| {
        (reference.is_some() && a.reference == reference) || a.name.to_lowercase() == name.to_lowercase()
    });
    if let Some(same) = same {
        return Ok(Outcome::There(same.name.clone()));
    }
    if name.chars().count() > 80 || name.contains([',', ';']) {
        return Err(Stop::Refused(say::work::area_name()));
    }
    let kind = match row.get(&["kind", "type"]) {
        Some(kind) => kind
            .to_lowercase()
            .parse()
            .map_err(|()| say::work::cell_wrong("kind", kind, "process, site or department"))?,
        None => crate::domain::area::AreaKind::Process,
    };
    let every_months = match row.get(&["every", "interval", "months"]) {
        Some(n) => n
            .parse()
            .ok()
            .filter(|n| (1..=36).contains(n))
            .ok_or_else(|| say::work::cell_wrong("every", n, "a number of months from 1 to 36"))?,
        None => super::area::USUAL_MONTHS,
    };
    let new = Area {
        id: 0,
        no: 0,
        name,
        kind,
        owner: owner(cx, row).await?,
        added_on: match row.get(&["added"]) {
            Some(day) => past(cx, day, "added")?,
            None => cx.today,
        },
        every_months,
        ended_on: None,
        reference,
    };
    let area = store::area::insert(&mut cx.w, cx.org.id, new).await?;
    known.areas.push(area.clone());
    Ok(Outcome::Entered(area.name))
}

async fn audit(
    cx: &mut Change<'_>,
    row: &Row,
    reference: Option<String>,
    known: &mut Known,
) -> Result<Outcome, Stop> {
    let reference = Some(reference.ok_or_else(|| say::work::cell_empty("reference"))?);
    if let Some(same) = known.audits.iter().find(|a| a.plan.reference == reference) {
        return Ok(Outcome::There(format!("A-{}", same.no)));
    }
    let before = Arc::clone(&cx.before);
    let certificates = match (row.get(&["certificate", "certificates"]), before.certificates.as_slice()) {
        (Some(typed), all) => find::certificates(all, &CertificatesRef(typed.to_owned()))?,
        (None, [only]) => vec![only],
        (None, all) => return Err(Stop::Refused(say::work::which_certificate(all))),
    };
    let typed = cell(row, "kind")?;
    let kind: AuditKind = typed.to_lowercase().replace(' ', "-").parse().map_err(|()| {
        let all: Vec<&str> = AuditKind::ALL.iter().map(|k| k.id()).collect();
        say::work::cell_wrong("kind", typed, &all.join(", "))
    })?;
    let starts_on = past(cx, cell(row, "date")?, "date")?;
    let ends_on = match row.get(&["until"]) {
        Some(day) => past(cx, day, "until")?,
        None => starts_on,
    };
    if ends_on < starts_on {
        return Err(Stop::Refused(say::refusal::until_before_date(starts_on, ends_on)));
    }
    let mut clauses = find::clauses(&certificates, cx.catalogue, row.get(&["clauses"]), false)?;
    clauses.extend(find::clauses(&certificates, cx.catalogue, row.get(&["controls"]), true)?);
    for clause in &mut clauses {
        clause.sampled = Some(true);
    }
    let areas = row.get(&["areas"]).map(|a| AreaList(a.to_owned()));
    let areas = find::areas(&known.areas, areas.as_ref(), cx.today)?;
    let lead_name = row.get(&["lead"]).unwrap_or("not on record");
    let lead = before.people.iter().find(|p| p.name.eq_ignore_ascii_case(lead_name)).cloned();
    let mut new = Audit {
        id: 0,
        no: 0,
        kind,
        starts_on,
        ends_on,
        scope: row.get(&["scope"]).unwrap_or_default().to_owned(),
        conclusion: row.get(&["conclusion", "result"]).unwrap_or("not on record").to_owned(),
        lead_name: lead.is_none().then(|| lead_name.to_owned()),
        lead,
        logged_by: cx.by.clone(),
        logged_at: cx.now(),
        certificates: certificates.iter().map(|c| c.id).collect(),
        state: AuditState::Reported,
        plan: AuditPlan { clauses, areas, reference, ..AuditPlan::default() },
    };
    if new.scope.is_empty() {
        new.scope = say::programme::scope_of(&new, &known.areas);
    }
    let audit = store::audit::insert(&mut cx.w, cx.org.id, new).await?;
    known.audits.push(audit.clone());
    Ok(Outcome::Entered(format!("A-{}", audit.no)))
}

async fn finding(
    cx: &mut Change<'_>,
    row: &Row,
    reference: Option<String>,
    known: &mut Known,
) -> Result<Outcome, Stop> {
    let reference = Some(reference.ok_or_else(|| say::work::cell_empty("reference"))?);
    if let Some(same) = known.ncs.iter().find(|nc| nc.body.reference == reference) {
        return Ok(Outcome::There(format!("NC-{}", same.no)));
    }
    if let Some((_, no)) = known.findings.iter().find(|(r, _)| *r == reference) {
        return Ok(Outcome::There(format!("F-{no}")));
    }
    let typed = cell(row, "audit")?;
    let audit = known
        .audits
        .iter()
        .find(|a| a.plan.reference.as_deref() == Some(typed))
        .map_or_else(|| find::audit(&known.audits, &AuditRef(typed.to_owned())), Ok)?
        .clone();
    let typed = cell(row, "grade")?;
    let grade = FindingKind::named(typed).ok_or_else(|| {
        say::work::cell_wrong("grade", typed, "major, minor, observation, opportunity, strength, concern")
    })?;
    let closed = row.get(&["closed"]).map(|day| past(cx, day, "closed")).transpose()?;
    if let Some(day) = closed.filter(|day| *day < audit.starts_on) {
        return Err(Stop::Refused(say::work::closed_before_found(day, audit.starts_on)));
    }
    let due = find::maybe_day(row.get(&["due"]).map(|d| DayText(d.to_owned())).as_ref(), cx.today, "due")?;
    let certificate = row.get(&["certificate"]).map(|c| super::option::CertificateRef(c.to_owned()));
    let new = New {
        grade,
        clause: ClauseRef(cell(row, "clause")?.to_owned()),
        statement: cell(row, "statement")?.to_owned(),
        objective: row.get(&["evidence"]).map(str::to_owned),
        area: row.get(&["area"]).map(str::to_owned),
        owner: owner(cx, row).await?,
        due,
        body: BodyWords { reference: reference.clone(), grade: None },
    };
    match enter(cx, &audit, certificate.as_ref(), new, &mut known.ncs).await? {
        Entered::Nonconformity(nc, _) => {
            let mut nc = *nc;
            if let Some(on) = closed {
                // Its steps were taken elsewhere: what is on record here is that it was closed, and when.
                let note = Some(say::work::closed_before(on));
                nc.steps.push(Step { by: cx.by.clone(), at: cx.now(), what: Done::Closed { note } });
                store::nonconformity::append(&mut cx.w, cx.org.id, &nc).await?;
                if let Some(last) = known.ncs.last_mut() {
                    last.clone_from(&nc);
                }
            }
            Ok(Outcome::Entered(format!("NC-{}", nc.no)))
        }
        Entered::Finding(mut f) => {
            let to = match f.grade {
                FindingGrade::Opportunity => Some(FindingState::Accepted),
                FindingGrade::Concern => Some(FindingState::Addressed),
                FindingGrade::Observation | FindingGrade::Strength => None,
            };
            if let (Some(on), Some(to)) = (closed, to) {
                f.state = to;
                f.settled =
                    Some(Settled { why: say::work::closed_before(on), by: cx.by.clone(), at: cx.now() });
                store::finding::update(&mut cx.w, cx.org.id, &f).await?;
            }
            known.findings.push((reference, f.no));
            Ok(Outcome::Entered(format!("F-{}", f.no)))
        }
    }
}

async fn action(
    cx: &mut Change<'_>,
    row: &Row,
    reference: Option<String>,
    known: &mut Known,
) -> Result<Outcome, Stop> {
    let reference = Some(reference.ok_or_else(|| say::work::cell_empty("reference"))?);
    if let Some((_, no)) = known.actions.iter().find(|(r, _)| *r == reference) {
        return Ok(Outcome::There(format!("ACT-{no}")));
    }
    let before = Arc::clone(&cx.before);
    let owner = cx.named(cell(row, "owner")?).await?;
    let done = row.get(&["done"]).map(|day| past(cx, day, "done")).transpose()?;
    let due_on = find::day(&DayText(cell(row, "due")?.to_owned()), cx.today, "due")?;
    let what = cell(row, "what")?.to_owned();
    let (mut source, mut certificate) = (Source::None, None);
    if let Some(typed) = row.get(&["nc"]) {
        let by_reference =
            before.nonconformities.iter().find(|nc| nc.body.reference.as_deref() == Some(typed));
        let nc = match by_reference {
            Some(nc) => nc,
            None => find::nonconformity(&before.nonconformities, &NcRef(typed.to_owned()))?,
        };
        (source, certificate) = (Source::Nonconformity(nc.id), Some(nc.certificate));
    } else if let Some(typed) = row.get(&["review"]) {
        let review = find::review(&before.rest.reviews, &ReviewRef(typed.to_owned()))?;
        (source, certificate) = (Source::Review(review.id), review.certificates.first().copied());
    }
    if let Some(typed) = row.get(&["certificate"]) {
        let named = super::option::CertificateRef(typed.to_owned());
        certificate = Some(find::certificate(&before.certificates, &named)?.id);
    }
    let certificate = match (certificate, before.certificates.as_slice()) {
        (Some(id), _) => id,
        (None, [only]) => only.id,
        (None, all) => return Err(Stop::Refused(say::work::which_certificate(all))),
    };
    let new = Action {
        id: 0,
        no: 0,
        certificate,
        source,
        what,
        owner,
        due_on,
        due_known_at: cx.now(),
        by: cx.by.clone(),
        at: cx.now(),
        state: ActionState::Open,
        settled: None,
        reference: reference.clone(),
    };
    let mut action = store::action::insert(&mut cx.w, cx.org.id, new).await?;
    if let Some(on) = done {
        let why = row.get(&["outcome"]).map_or_else(|| say::work::done_before(on), str::to_owned);
        action.state = ActionState::Done;
        action.settled = Some(Settled { why, by: cx.by.clone(), at: cx.now() });
        store::action::update(&mut cx.w, cx.org.id, &action).await?;
    }
    known.actions.push((reference, action.no));
    Ok(Outcome::Entered(format!("ACT-{}", action.no)))
}
