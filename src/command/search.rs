//! `/find`, `/edit` and `/void`: searching what is on record, and correcting it with the old value kept.

use std::sync::Arc;

use chrono::NaiveDate;
use clap::{Args, ValueEnum};

use super::app::{Change, Read, Reply, Stop};
use super::find;
use super::option::{ActionRef, AuditRef, ClauseRef, DayText, EntryRef, FindingRef, NcRef, ReviewRef};
use super::programme::text;
use crate::domain::action::ActionState;
use crate::domain::audit::{Audit, AuditState, AuditStep};
use crate::domain::finding::{FindingState, Settled};
use crate::domain::nonconformity::{Done, Step};
use crate::domain::record::{Record, RecordKind};
use crate::domain::refusal::Refusal;
use crate::domain::reminder::Response;
use crate::domain::review::{ReviewState, ReviewStep};
use crate::say;
use crate::store;
use crate::store::evidence::Of;
use crate::store::snapshot::Snapshot;

/// `/find`
#[derive(Debug, Clone, Args)]
pub struct Find {
    /// What you look for: words, a number, a clause, a name
    #[arg(long)]
    pub text: String,
}

/// `/edit`
#[derive(Debug, Clone, Args)]
pub struct Edit {
    /// Which entry: A-3, NC-4, F-2, ACT-1, MR-1, R-7
    #[arg(long)]
    pub entry: EntryRef,
    /// What is wrong in it
    #[arg(long)]
    pub field: FieldName,
    /// What is right
    #[arg(long)]
    pub value: String,
    /// Why it is corrected
    #[arg(long)]
    pub reason: String,
}

/// What can be corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FieldName {
    /// The statement, the action, or what a record says
    Text,
    /// The clause or control
    Clause,
    /// The grade: major or minor
    Grade,
    /// The area of a finding
    Area,
    /// The objective evidence of a nonconformity
    Evidence,
    /// The (first) day
    Date,
    /// The last day of an audit
    Until,
    /// The scope of an audit
    Scope,
    /// The conclusion of an audit, or the decisions of a review
    Conclusion,
    /// Who attended a review
    Attended,
}

/// `/void`
#[derive(Debug, Clone, Args)]
pub struct Void {
    /// Which entry: A-3, NC-4, F-2, ACT-1, MR-1, R-7
    #[arg(long)]
    pub entry: EntryRef,
    /// Why it does not count
    #[arg(long)]
    pub reason: String,
}

/// Something on record that has a number.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Its number with its prefix.
    pub(crate) id: String,
    /// The day it is about.
    pub(crate) on: NaiveDate,
    /// What it is, in our words.
    pub(crate) what: String,
    /// What people wrote.
    pub(crate) words: String,
}

/// What people wrote, put together without what is empty.
fn joined(parts: &[&str]) -> String {
    parts.iter().map(|p| p.trim()).filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" · ")
}

/// Everything on record that has a number, with what each names beside its own words (evidence).
pub(crate) fn entries(s: &Snapshot, evidence: &[(Of, String)]) -> Vec<Entry> {
    let day = |at| s.organisation.day_of(at);
    let mut out = Vec::new();
    let name =
        |p: Option<&crate::domain::organisation::Person>| p.map(|p| p.name.clone()).unwrap_or_default();
    let shown = |of: Of| {
        let names: Vec<&str> = evidence.iter().filter(|(o, _)| *o == of).map(|(_, n)| n.as_str()).collect();
        names.join(", ")
    };
    let some = |text: &Option<String>| text.clone().unwrap_or_default();
    for a in &s.audits {
        let clauses: Vec<&str> = a.plan.clauses.iter().map(|c| c.clause.as_str()).collect();
        let team: Vec<&str> = a.plan.team.iter().map(|p| p.name.as_str()).collect();
        let areas: Vec<&str> =
            s.rest.areas.iter().filter(|r| a.plan.areas.contains(&r.id)).map(|r| r.name.as_str()).collect();
        let impartiality =
            a.plan.impartiality.as_ref().map(|(why, second)| format!("{why} ({})", second.name));
        out.push(Entry {
            id: format!("A-{}", a.no),
            on: a.starts_on,
            what: format!("{} audit, {}", a.kind.id(), a.state.id()),
            words: joined(&[
                &a.scope,
                &a.conclusion,
                &name(a.lead.as_ref()),
                &some(&a.lead_name),
                &team.join(", "),
                &areas.join(", "),
                &some(&a.plan.criteria),
                &some(&a.plan.deviation),
                &some(&impartiality),
                &some(&a.plan.reference),
                &shown(Of::Audit(a.id)),
                &clauses.join(" "),
            ]),
        });
    }
    for nc in &s.nonconformities {
        let steps: Vec<String> = nc
            .steps
            .iter()
            .filter_map(|step| say::records::step_words(&step.what))
            .map(|w| w.plain())
            .collect();
        out.push(Entry {
            id: format!("NC-{}", nc.no),
            on: day(nc.raised_at),
            what: format!("{} nonconformity, {}", nc.grade.id(), nc.state_words()),
            words: joined(&[
                &nc.clause,
                &nc.statement,
                &some(&nc.objective),
                &some(&nc.area),
                &name(nc.owner.as_ref()),
                &name(nc.verification.by.as_ref()),
                &some(&nc.body.reference),
                &some(&nc.body.grade),
                &steps.join(" · "),
                &shown(Of::Nonconformity(nc.id)),
            ]),
        });
    }
    for f in &s.rest.findings {
        out.push(Entry {
            id: format!("F-{}", f.no),
            on: day(f.raised_at),
            what: format!("{}, {}", f.grade.title(), f.state.id()),
            words: joined(&[
                &f.clause,
                &f.statement,
                &some(&f.area),
                &name(f.owner.as_ref()),
                &some(&f.reference),
                f.settled.as_ref().map(|s| s.why.as_str()).unwrap_or_default(),
            ]),
        });
    }
    for a in &s.rest.actions {
        out.push(Entry {
            id: format!("ACT-{}", a.no),
            on: a.due_on,
            what: format!("action, {}", a.state.id()),
            words: joined(&[
                &a.what,
                &a.owner.name,
                a.settled.as_ref().map(|s| s.why.as_str()).unwrap_or_default(),
                &some(&a.reference),
            ]),
        });
    }
    for r in &s.rest.reviews {
        out.push(Entry {
            id: format!("MR-{}", r.no),
            on: r.on,
            what: format!("management review, {}", r.state.id()),
            words: joined(&[&r.decisions, &r.attended, &some(&r.reference)]),
        });
    }
    for r in &s.rest.records {
        let people: Vec<&str> = r.present.iter().chain(&r.absent).map(|p| p.name.as_str()).collect();
        let void = r.voided.as_ref().map(|why| format!("void: {why}"));
        out.push(Entry {
            id: format!("R-{}", r.no),
            on: r.on,
            what: r.kind.title().to_owned(),
            words: joined(&[&r.subject, &r.words, &people.join(", "), &some(&void)]),
        });
    }
    out.sort_by(|a, b| (a.on, &a.id).cmp(&(b.on, &b.id)));
    out
}

/// What people answered to reminders, and the reminders of their own.
fn talk(s: &Snapshot) -> Vec<Entry> {
    let mut out = Vec::new();
    let day = |at| s.organisation.day_of(at);
    for own in &s.rest.own {
        out.push(Entry {
            id: format!("RM-{}", own.no),
            on: day(own.at),
            what: say::remind::own_kind(own.ended_at.is_some()).to_owned(),
            words: joined(&[&own.words, own.asks.as_ref().map_or("", |p| p.name.as_str()), &own.cron]),
        });
    }
    for a in &s.rest.answers {
        let (Response::Acknowledged { note: Some(words) } | Response::Snoozed { reason: words }) =
            &a.response
        else {
            continue;
        };
        out.push(Entry {
            id: say::remind::name(&a.subject),
            on: day(a.at),
            what: say::remind::answer_kind(a),
            words: joined(&[words, &a.by.name]),
        });
    }
    out
}

impl Find {
    pub(super) async fn read(self, cx: &Read<'_>) -> Result<Reply, Stop> {
        let wanted: Vec<String> = self.text.to_lowercase().split_whitespace().map(str::to_owned).collect();
        if wanted.is_empty() {
            return Err(Stop::Refused(say::work::find_what()));
        }
        let evidence = store::evidence::names(&mut *cx.store.read().await?, cx.org.id).await?;
        let mut found = entries(cx.snapshot, &evidence);
        found.extend(talk(cx.snapshot));
        found.retain(|e| {
            let text = format!("{} {} {} {}", e.id, e.on, e.what, e.words).to_lowercase();
            wanted.iter().all(|w| text.contains(w))
        });
        let certificates: Vec<_> = cx
            .snapshot
            .certificates
            .iter()
            .filter(|c| {
                let text = format!(
                    "c-{} {} {} {} {} {} {}",
                    c.no,
                    c.name,
                    c.standard,
                    c.body.as_deref().unwrap_or_default(),
                    c.number.as_deref().unwrap_or_default(),
                    c.scope.as_deref().unwrap_or_default(),
                    c.owner.as_ref().map(|p| p.name.as_str()).unwrap_or_default()
                )
                .to_lowercase();
                wanted.iter().all(|w| text.contains(w))
            })
            .collect();
        let areas: Vec<_> = cx
            .snapshot
            .rest
            .areas
            .iter()
            .filter(|a| {
                let text = format!(
                    "area {} {} {} {} {}",
                    a.no,
                    a.name,
                    a.kind.id(),
                    a.owner.as_ref().map(|p| p.name.as_str()).unwrap_or_default(),
                    a.reference.as_deref().unwrap_or_default()
                )
                .to_lowercase();
                wanted.iter().all(|w| text.contains(w))
            })
            .collect();
        Reply::private(say::work::found(&self.text, &certificates, &areas, &found))
    }
}

/// What an entry's number names.
enum Named {
    Audit(AuditRef),
    Nonconformity(NcRef),
    Finding(FindingRef),
    Action(ActionRef),
    Review(ReviewRef),
    Record(i64),
}

fn named(typed: &EntryRef) -> Result<Named, Stop> {
    let lower = typed.0.trim().to_lowercase();
    let at = lower.find(|c: char| c.is_ascii_digit()).unwrap_or(lower.len());
    let (prefix, number) = lower.split_at(at);
    let text = typed.0.clone();
    Ok(match prefix.trim_matches(['-', ' ', '#', '/']) {
        "a" => Named::Audit(AuditRef(text)),
        "nc" => Named::Nonconformity(NcRef(text)),
        "f" => Named::Finding(FindingRef(text)),
        "act" => Named::Action(ActionRef(text)),
        "mr" => Named::Review(ReviewRef(text)),
        "r" => match number.parse() {
            Ok(n) => Named::Record(n),
            Err(_) => return Err(Stop::Refused(say::work::which_entry(&typed.0))),
        },
        _ => return Err(Stop::Refused(say::work::which_entry(&typed.0))),
    })
}

fn record(cx: &Change<'_>, no: i64) -> Result<Record, Stop> {
    let found = cx.before.rest.records.iter().find(|r| r.no == no).cloned();
    found.ok_or_else(|| Stop::Refused(say::refusal::no_entry("record", "R", &no.to_string(), "/find")))
}

/// Refuses to touch what an audit that is closed has found.
fn not_frozen(cx: &Change<'_>, audit: Option<i64>) -> Result<(), Stop> {
    let closed =
        cx.before.audits.iter().find(|a| Some(a.id) == audit).filter(|a| a.state == AuditState::Closed);
    match closed {
        Some(a) => Err(Stop::Refused(say::work::frozen(a.no))),
        None => Ok(()),
    }
}

impl Edit {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let before = Arc::clone(&cx.before);
        let value = text(Some(self.value)).ok_or_else(say::work::value_needed)?;
        let reason = text(Some(self.reason)).ok_or_else(say::work::reason_needed)?;
        cx.reason = Some(reason.clone());
        let org = cx.org.id;
        let field = self.field;
        let cannot = |can: &str| Stop::Refused(say::work::no_such_field(&self.entry.0, can));
        let day = |cx: &Change<'_>, value: &str, option| {
            find::past_day(&DayText(value.to_owned()), cx.today, option)
        };
        let old = match named(&self.entry)? {
            Named::Audit(r) => {
                let mut a: Audit = find::audit(&before.audits, &r)?.clone();
                if !matches!(a.state, AuditState::Reported | AuditState::Planned | AuditState::UnderWay) {
                    let refusal = Refusal::AuditStep { no: a.no, state: a.state, step: AuditStep::Report };
                    return Err(Stop::Refused(say::refusal::rule(&refusal)));
                }
                if a.state.is_ahead() && matches!(field, FieldName::Date | FieldName::Until) {
                    return Err(Stop::Refused(say::work::move_instead(a.no)));
                }
                let old = match field {
                    FieldName::Scope | FieldName::Text => std::mem::replace(&mut a.scope, value.clone()),
                    FieldName::Conclusion => std::mem::replace(&mut a.conclusion, value.clone()),
                    FieldName::Date => {
                        std::mem::replace(&mut a.starts_on, day(cx, &value, "value")?).to_string()
                    }
                    FieldName::Until => {
                        std::mem::replace(&mut a.ends_on, day(cx, &value, "value")?).to_string()
                    }
                    FieldName::Clause
                    | FieldName::Grade
                    | FieldName::Area
                    | FieldName::Evidence
                    | FieldName::Attended => return Err(cannot("scope, conclusion, date, until")),
                };
                if field == FieldName::Date
                    && before.audits.iter().any(|o| o.id == a.id && o.starts_on == o.ends_on)
                {
                    a.ends_on = a.starts_on;
                }
                if a.ends_on < a.starts_on {
                    return Err(Stop::Refused(say::refusal::until_before_date(a.starts_on, a.ends_on)));
                }
                store::audit::update(&mut cx.w, org, &a).await?;
                old
            }
            Named::Nonconformity(r) => {
                let mut nc = find::nonconformity(&before.nonconformities, &r)?.clone();
                not_frozen(cx, nc.audit.map(|(id, _)| id))?;
                let old = match field {
                    FieldName::Text => std::mem::replace(&mut nc.statement, value.clone()),
                    FieldName::Clause => {
                        let c = before.certificates.iter().find(|c| c.id == nc.certificate);
                        let standard = c.and_then(|c| cx.catalogue.standard(&c.standard));
                        let clause = find::clause(standard, &ClauseRef(value.clone()))?;
                        std::mem::replace(&mut nc.clause, clause)
                    }
                    FieldName::Grade => {
                        let grade = value.to_lowercase().parse().map_err(|()| say::work::grade_words())?;
                        std::mem::replace(&mut nc.grade, grade).id().to_owned()
                    }
                    FieldName::Area => nc.area.replace(value.clone()).unwrap_or_default(),
                    FieldName::Evidence => nc.objective.replace(value.clone()).unwrap_or_default(),
                    FieldName::Date
                    | FieldName::Until
                    | FieldName::Scope
                    | FieldName::Conclusion
                    | FieldName::Attended => return Err(cannot("text, clause, grade, area, evidence")),
                };
                store::nonconformity::update(&mut cx.w, org, &nc).await?;
                old
            }
            Named::Finding(r) => {
                let mut f = find::finding(&before.rest.findings, &r)?.clone();
                not_frozen(cx, Some(f.audit.0))?;
                let old = match field {
                    FieldName::Text => std::mem::replace(&mut f.statement, value.clone()),
                    FieldName::Clause => {
                        let c = before.certificates.iter().find(|c| c.id == f.certificate);
                        let standard = c.and_then(|c| cx.catalogue.standard(&c.standard));
                        let clause = find::clause(standard, &ClauseRef(value.clone()))?;
                        std::mem::replace(&mut f.clause, clause)
                    }
                    FieldName::Area => f.area.replace(value.clone()).unwrap_or_default(),
                    FieldName::Grade
                    | FieldName::Evidence
                    | FieldName::Date
                    | FieldName::Until
                    | FieldName::Scope
                    | FieldName::Conclusion
                    | FieldName::Attended => return Err(cannot("text, clause, area")),
                };
                store::finding::update(&mut cx.w, org, &f).await?;
                old
            }
            Named::Action(r) => {
                let mut a = find::action(&before.rest.actions, &r)?.clone();
                if field != FieldName::Text {
                    return Err(cannot("text (owner and day: /action assign)"));
                }
                let old = std::mem::replace(&mut a.what, value.clone());
                store::action::update(&mut cx.w, org, &a).await?;
                old
            }
            Named::Review(r) => {
                let mut review = find::review(&before.rest.reviews, &r)?.clone();
                if review.state.after(ReviewStep::Correct).is_none() {
                    return Err(Stop::Refused(say::work::review_settled(&review)));
                }
                let old = match field {
                    FieldName::Text | FieldName::Conclusion => {
                        std::mem::replace(&mut review.decisions, value.clone())
                    }
                    FieldName::Attended => std::mem::replace(&mut review.attended, value.clone()),
                    FieldName::Date if review.state == ReviewState::Held => {
                        std::mem::replace(&mut review.on, day(cx, &value, "value")?).to_string()
                    }
                    FieldName::Date => {
                        let on = find::day(&DayText(value.clone()), cx.today, "value")?;
                        std::mem::replace(&mut review.on, on).to_string()
                    }
                    FieldName::Clause
                    | FieldName::Grade
                    | FieldName::Area
                    | FieldName::Evidence
                    | FieldName::Until
                    | FieldName::Scope => return Err(cannot("conclusion (the decisions), attended, date")),
                };
                store::review::update(&mut cx.w, org, &review, &[]).await?;
                old
            }
            Named::Record(no) => {
                let mut r = record(cx, no)?;
                let old = match field {
                    FieldName::Text => std::mem::replace(&mut r.words, value.clone()),
                    FieldName::Date => std::mem::replace(&mut r.on, day(cx, &value, "value")?).to_string(),
                    FieldName::Clause
                    | FieldName::Grade
                    | FieldName::Area
                    | FieldName::Evidence
                    | FieldName::Until
                    | FieldName::Scope
                    | FieldName::Conclusion
                    | FieldName::Attended => return Err(cannot("text, date")),
                };
                store::record::update(&mut cx.w, org, &r).await?;
                old
            }
        };
        // The entry in the journal says what it was, for whoever reads it.
        cx.reason = Some(say::work::edited_why(&old, &value, &reason));
        Reply::told(&cx.org, say::work::edited(&self.entry.0.to_uppercase(), &old, &value, &reason))
    }
}

impl Void {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let before = Arc::clone(&cx.before);
        let reason = text(Some(self.reason)).ok_or_else(say::work::reason_needed)?;
        cx.reason = Some(reason.clone());
        let org = cx.org.id;
        let settled = || Settled { why: reason.clone(), by: cx.by.clone(), at: cx.now() };
        match named(&self.entry)? {
            Named::Audit(r) => {
                let mut a = find::audit(&before.audits, &r)?.clone();
                a.step(AuditStep::Void).map_err(|r| say::refusal::rule(&r))?;
                let ncs = before
                    .nonconformities
                    .iter()
                    .filter(|nc| nc.audit.is_some_and(|(id, _)| id == a.id) && !nc.is_voided())
                    .map(|nc| format!("NC-{}", nc.no));
                let found = before
                    .rest
                    .findings
                    .iter()
                    .filter(|f| f.audit.0 == a.id && f.state != FindingState::Voided)
                    .map(|f| format!("F-{}", f.no));
                let findings: Vec<String> = ncs.chain(found).collect();
                if !findings.is_empty() {
                    return Err(Stop::Refused(say::work::void_findings_first(a.no, &findings)));
                }
                store::audit::update(&mut cx.w, org, &a).await?;
            }
            Named::Nonconformity(r) => {
                let mut nc = find::nonconformity(&before.nonconformities, &r)?.clone();
                not_frozen(cx, nc.audit.map(|(id, _)| id))?;
                let what = Done::Voided { reason: reason.clone() };
                nc.may(&what, &cx.by, 0).map_err(|r| say::refusal::rule(&r))?;
                nc.steps.push(Step { by: cx.by.clone(), at: cx.now(), what });
                store::nonconformity::append(&mut cx.w, org, &nc).await?;
            }
            Named::Finding(r) => {
                let mut f = find::finding(&before.rest.findings, &r)?.clone();
                not_frozen(cx, Some(f.audit.0))?;
                f.may(FindingState::Voided).map_err(|r| say::refusal::rule(&r))?;
                f.state = FindingState::Voided;
                f.settled = Some(settled());
                store::finding::update(&mut cx.w, org, &f).await?;
            }
            Named::Action(r) => {
                let mut a = find::action(&before.rest.actions, &r)?.clone();
                a.must_be_open().map_err(|r| say::refusal::rule(&r))?;
                a.state = ActionState::Voided;
                a.settled = Some(settled());
                store::action::update(&mut cx.w, org, &a).await?;
            }
            Named::Review(r) => {
                let mut review = find::review(&before.rest.reviews, &r)?.clone();
                let Some(state) = review.state.after(ReviewStep::Void) else {
                    return Err(Stop::Refused(say::work::review_settled(&review)));
                };
                review.state = state;
                store::review::update(&mut cx.w, org, &review, &[]).await?;
            }
            Named::Record(no) => {
                let mut r = record(cx, no)?;
                if r.voided.is_some() {
                    return Err(Stop::Refused(say::work::voided_before(r.no)));
                }
                if matches!(r.kind, RecordKind::Scope | RecordKind::Transferred) {
                    return Err(Stop::Refused(say::work::not_voidable(r.kind)));
                }
                r.voided = Some(reason.clone());
                store::record::update(&mut cx.w, org, &r).await?;
            }
        }
        Reply::told(&cx.org, say::work::voided(&self.entry.0.to_uppercase(), &reason))
    }
}
