//! `/audit plan` to `/audit propose`: the audit programme (ISO 19011:2018, 5).

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{Datelike as _, NaiveDate};
use clap::Args;

use super::app::{Change, Read, Reply, Stop};
use super::find;
use super::grammar::AuditKind;
use super::option::{
    AreaList, AuditRef, CertificateRef, CertificatesRef, DayText, FileRef, LongText, PersonRef, Year,
};
use crate::domain::audit::{self, Audit, AuditPlan, AuditState, AuditStep};
use crate::domain::certificate::{Certificate, CertificateFile, Cycle};
use crate::domain::clocks::{self, ClockState, Rule};
use crate::domain::coverage;
use crate::domain::finding::{FindingGrade, FindingState};
use crate::domain::organisation::Person;
use crate::domain::refusal::Refusal;
use crate::domain::review::ReviewState;
use crate::say;
use crate::store;
use crate::store::evidence::{self, Of};
use crate::store::snapshot::Snapshot;

/// `/audit plan`
#[derive(Debug, Clone, Args)]
pub struct Plan {
    /// Which certificates it serves, with commas between (an integrated audit counts in each)
    #[arg(long)]
    pub certificates: CertificatesRef,
    /// What kind of audit
    #[arg(long)]
    pub kind: AuditKind,
    /// The (first) day
    #[arg(long)]
    pub date: DayText,
    /// The last day, if it takes several
    #[arg(long)]
    pub until: Option<DayText>,
    /// Who leads it, if they are in this server
    #[arg(long)]
    pub lead: Option<PersonRef>,
    /// Who leads it, if they are not in this server
    #[arg(long)]
    pub lead_name: Option<String>,
    /// Who audits with the lead
    #[arg(long)]
    pub team: Option<PersonRef>,
    /// Who else audits
    #[arg(long)]
    pub team2: Option<PersonRef>,
    /// Who else audits
    #[arg(long)]
    pub team3: Option<PersonRef>,
    /// The areas it looks at, with commas between, or all
    #[arg(long)]
    pub areas: Option<AreaList>,
    /// The clauses: 9.2, a range 4-10, all, or one standard's own (iso-9001:8.4)
    #[arg(long)]
    pub clauses: Option<String>,
    /// The controls: A.5.1, a range A.5.1-A.5.8, A.5 for all of them, or all
    #[arg(long)]
    pub controls: Option<String>,
    /// What it is judged by, if not the standard alone
    #[arg(long)]
    pub criteria: Option<String>,
    /// What is audited, in words
    #[arg(long)]
    pub scope: Option<String>,
    /// Why it goes against a deadline, if it does (a body may grant a justified deviation)
    #[arg(long)]
    pub reason: Option<String>,
    /// Why an auditor audits an area of their own, if there is no other way
    #[arg(long)]
    pub impartiality: Option<String>,
    /// Who agreed to that
    #[arg(long)]
    pub agreed_by: Option<PersonRef>,
}

/// `/audit start`
#[derive(Debug, Clone, Args)]
pub struct Start {
    /// Which audit
    #[arg(long)]
    pub audit: AuditRef,
    /// Why it begins though something that should stand before it is missing
    #[arg(long)]
    pub reason: Option<String>,
}

/// `/audit report`
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_field_names, reason = "the option's name")]
pub struct Report {
    /// Which audit
    #[arg(long)]
    pub audit: AuditRef,
    /// What it came to (asked for if left out)
    #[arg(long)]
    pub conclusion: Option<LongText>,
    /// The (first) day it was held, if not as planned
    #[arg(long)]
    pub date: Option<DayText>,
    /// The last day it was held, if not as planned
    #[arg(long)]
    pub until: Option<DayText>,
    /// Clauses and controls that were planned and not sampled
    #[arg(long)]
    pub not_sampled: Option<String>,
    /// Clauses and controls that were sampled beside the plan
    #[arg(long)]
    pub also_sampled: Option<String>,
    /// The report
    #[arg(long)]
    pub report: Option<FileRef>,
}

/// `/audit close`
#[derive(Debug, Clone, Args)]
pub struct Close {
    /// Which audit
    #[arg(long)]
    pub audit: AuditRef,
}

/// `/audit cancel`
#[derive(Debug, Clone, Args)]
pub struct Cancel {
    /// Which audit
    #[arg(long)]
    pub audit: AuditRef,
    /// Why
    #[arg(long)]
    pub reason: String,
}

/// `/audit move`
#[derive(Debug, Clone, Args)]
pub struct Move {
    /// Which audit
    #[arg(long)]
    pub audit: AuditRef,
    /// The new (first) day
    #[arg(long)]
    pub date: DayText,
    /// Why
    #[arg(long)]
    pub reason: String,
    /// The new last day (left out: it takes as many days as before)
    #[arg(long)]
    pub until: Option<DayText>,
}

/// `/audit coverage`
#[derive(Debug, Clone, Args)]
pub struct Coverage {
    /// Which certificate
    #[arg(long)]
    pub certificate: CertificateRef,
}

/// `/audit programme`
#[derive(Debug, Clone, Args)]
pub struct Programme {
    /// Which certificate
    #[arg(long)]
    pub certificate: CertificateRef,
    /// Which calendar year (left out: the whole cycle)
    #[arg(long)]
    pub year: Option<Year>,
}

/// `/audit propose`
#[derive(Debug, Clone, Args)]
pub struct Propose {
    /// Which certificate
    #[arg(long)]
    pub certificate: CertificateRef,
}

pub(super) fn text(given: Option<String>) -> Option<String> {
    given.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty())
}

/// The first and the last day of something, as typed.
fn span(date: &DayText, until: Option<&DayText>, today: NaiveDate) -> Result<(NaiveDate, NaiveDate), Stop> {
    let starts_on = find::day(date, today, "date")?;
    let ends_on = find::maybe_day(until, today, "until")?.unwrap_or(starts_on);
    if ends_on < starts_on {
        return Err(Stop::Refused(say::refusal::until_before_date(starts_on, ends_on)));
    }
    Ok((starts_on, ends_on))
}

/// The certificates that an audit serves, with everything on record of them.
fn served<'a>(on_record: &'a Snapshot, certificates: &[i64]) -> Vec<&'a CertificateFile> {
    on_record.files().iter().filter(|f| certificates.contains(&f.certificate.id)).collect()
}

/// What this audit would break, held on this day: hard clocks, each with the certificate.
pub(super) fn broken_by(
    on_record: &Snapshot,
    catalogue: &crate::catalogue::Catalogue,
    audit: &Audit,
    today: NaiveDate,
) -> Vec<(String, clocks::Clock)> {
    let mut out = Vec::new();
    for file in served(on_record, &audit.certificates) {
        let standard = catalogue.standard(&file.certificate.standard);
        let Some(programme) = standard.and_then(|s| catalogue.programme_of(s)) else {
            continue;
        };
        let zone = on_record.organisation.zone;
        for clock in clocks::clocks(file, standard, programme, zone, today) {
            let about = match (audit.kind, clock.rule) {
                (audit::AuditKind::Surveillance, Rule::S1Latest)
                | (audit::AuditKind::Recertification, Rule::RecertYear)
                | (audit::AuditKind::Stage2, Rule::Stage1To2) => true,
                (
                    audit::AuditKind::Internal
                    | audit::AuditKind::Gap
                    | audit::AuditKind::Stage1
                    | audit::AuditKind::Stage2
                    | audit::AuditKind::Surveillance
                    | audit::AuditKind::Recertification
                    | audit::AuditKind::Special,
                    _,
                ) => false,
            };
            // Another one, held or planned in time, keeps it.
            let kept = file.booked.iter().any(|a| {
                a.id != audit.id
                    && a.kind == audit.kind
                    && a.ends_on <= clock.limit
                    && a.ends_on >= clock.begins_on
            });
            if about && !kept && clock.state == ClockState::Running && audit.ends_on > clock.limit {
                out.push((file.certificate.name.clone(), clock));
            }
        }
    }
    out
}

/// What should stand before stage 2 and does not: a full internal audit, a management review, areas of concern
/// addressed (ISO/IEC 17021-1:2015, 9.3.1.2 and 9.3.1.3; ISO/IEC 27006-1:2024).
pub(super) fn unready(
    file: &CertificateFile,
    catalogue: &crate::catalogue::Catalogue,
    today: NaiveDate,
) -> Vec<String> {
    let mut out = Vec::new();
    let internal = file.audits.iter().filter(|a| a.kind == audit::AuditKind::Internal).count();
    if internal == 0 {
        out.push("no internal audit is on record".to_owned());
    } else if let Some(standard) = catalogue.standard(&file.certificate.standard) {
        let covered = coverage::coverage(file, standard, today);
        let left =
            covered.clauses.iter().filter(|c| !matches!(c.reach, coverage::Reach::Sampled { .. })).count();
        if left > 0 {
            out.push(format!(
                "the internal audits have not sampled {left} of {} clauses and controls",
                covered.clauses.len()
            ));
        }
    }
    if !file.reviews.iter().any(|r| r.state == ReviewState::Held) {
        out.push("no management review is on record".to_owned());
    }
    let concerns: Vec<String> = file
        .findings
        .iter()
        .filter(|f| {
            f.grade == FindingGrade::Concern && matches!(f.state, FindingState::Open | FindingState::Accepted)
        })
        .map(|f| format!("F-{}", f.no))
        .collect();
    if !concerns.is_empty() {
        out.push(format!("areas of concern are not addressed: {}", concerns.join(", ")));
    }
    out
}

/// Refuses who would audit an area of their own, unless there is a reason and somebody else agreed (ISO 19011:2018,
/// 4 e; ISO/IEC 27001:2022, 9.2.2 b).
pub(super) fn impartial(
    on_record: &Snapshot,
    audit: &Audit,
    by: &Person,
    agreed: Option<(String, Person)>,
) -> Result<Option<(String, Person)>, Stop> {
    if audit.kind.by_body() {
        return Ok(None);
    }
    let own: Vec<(&str, &Person)> = on_record
        .rest
        .areas
        .iter()
        .filter(|a| audit.plan.areas.contains(&a.id))
        .filter_map(|a| a.owner.as_ref().filter(|o| audit.has_auditor(o.id)).map(|o| (a.name.as_str(), o)))
        .collect();
    if own.is_empty() {
        return Ok(None);
    }
    match agreed {
        Some((why, second)) if second.id != by.id && own.iter().all(|(_, o)| o.id != second.id) => {
            Ok(Some((why, second)))
        }
        _ => Err(Stop::Refused(say::programme::own_area(&own))),
    }
}

impl Plan {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let before = Arc::clone(&cx.before);
        let certificates = find::certificates(&before.certificates, &self.certificates)?;
        let (starts_on, ends_on) = span(&self.date, self.until.as_ref(), cx.today)?;
        if ends_on < cx.today {
            return Err(Stop::Refused(say::programme::plan_past(ends_on)));
        }
        let kind: audit::AuditKind = self.kind.into();
        let given_name = text(self.lead_name);
        let lead = match (&self.lead, &given_name) {
            (Some(_), Some(_)) => return Err(Stop::Refused(say::refusal::two_leads())),
            (Some(who), None) => Some(cx.person(&who.0).await?),
            (None, Some(_)) => None,
            (None, None) if kind.by_body() => None,
            (None, None) => Some(cx.by.clone()),
        };
        let lead_name = match (&lead, given_name) {
            (Some(_), _) => None,
            (None, Some(name)) => Some(name),
            // The body's auditors are not known yet: the body stands for them.
            (None, None) => Some(
                certificates
                    .iter()
                    .find_map(|c| c.body.clone())
                    .unwrap_or_else(|| "the certification body".to_owned()),
            ),
        };
        let mut team: Vec<Person> = Vec::new();
        for who in [&self.team, &self.team2, &self.team3].into_iter().flatten() {
            let person = cx.person(&who.0).await?;
            if !team.iter().any(|p| p.id == person.id) && lead.as_ref().is_none_or(|l| l.id != person.id) {
                team.push(person);
            }
        }
        let mut clauses = find::clauses(&certificates, cx.catalogue, self.clauses.as_deref(), false)?;
        clauses.extend(find::clauses(&certificates, cx.catalogue, self.controls.as_deref(), true)?);
        let agreed = match (text(self.impartiality), &self.agreed_by) {
            (Some(why), Some(who)) => Some((why, cx.person(&who.0).await?)),
            _ => None,
        };
        let mut new = Audit {
            id: 0,
            no: 0,
            kind,
            starts_on,
            ends_on,
            scope: text(self.scope).unwrap_or_default(),
            conclusion: String::new(),
            lead,
            lead_name,
            logged_by: cx.by.clone(),
            logged_at: cx.now(),
            certificates: certificates.iter().map(|c| c.id).collect(),
            state: AuditState::Planned,
            plan: AuditPlan {
                criteria: text(self.criteria),
                team,
                clauses,
                areas: find::areas(&before.rest.areas, self.areas.as_ref(), cx.today)?,
                dates_known_at: Some(cx.now()),
                deviation: text(self.reason),
                impartiality: None,
                reference: None,
            },
        };
        if new.scope.is_empty() {
            new.scope = say::programme::scope_of(&new, &before.rest.areas);
        }
        new.plan.impartiality = impartial(&before, &new, &cx.by, agreed)?;
        let broken = broken_by(&before, cx.catalogue, &new, cx.today);
        if let (Some((_, clock)), None) = (broken.first(), &new.plan.deviation) {
            return Err(Stop::Refused(say::programme::against(clock, ends_on)));
        }
        cx.reason.clone_from(&new.plan.deviation);
        let audit = store::audit::insert(&mut cx.w, cx.org.id, new).await?;
        let warnings = warnings(cx, &before, &certificates, &audit);
        Reply::told(
            &cx.org,
            say::programme::planned(&certificates, &audit, &before.rest.areas, &warnings, cx.today),
        )
    }
}

/// What is worth knowing when an audit is planned, moved, reported or cancelled: calendar years that no audit covers, a
/// day that leaves no room, what stage 2 lacks.
fn warnings(cx: &Change<'_>, before: &Snapshot, certificates: &[&Certificate], audit: &Audit) -> Vec<String> {
    let mut out = Vec::new();
    for c in certificates {
        if matches!(audit.kind, audit::AuditKind::Surveillance | audit::AuditKind::Recertification) {
            let known: Vec<Audit> =
                before.audits.iter().filter(|a| a.id != audit.id).chain([audit]).cloned().collect();
            for year in clocks::missing_year_warning(c, &known, audit.ends_on, cx.today) {
                if year.passed_over || year.missed || audit.state == AuditState::Cancelled {
                    out.push(say::programme::uncovered(c.no, &year));
                }
            }
        }
        if audit.state.is_ahead()
            && let Some(tight) = clocks::tight(c, &before.audits, audit)
        {
            out.push(say::programme::tight(c.no, tight));
        }
        if audit.kind == audit::AuditKind::Stage2
            && audit.state != AuditState::Cancelled
            && let Some(file) = before.files().iter().find(|f| f.certificate.id == c.id)
        {
            out.extend(
                unready(file, cx.catalogue, cx.today).into_iter().map(|w| say::programme::not_ready(&w)),
            );
        }
    }
    out
}

/// The audit that a line names, taken a step further.
fn stepped(cx: &Change<'_>, named: &AuditRef, step: AuditStep) -> Result<Audit, Stop> {
    let mut audit = find::audit(&cx.before.audits, named)?.clone();
    audit.step(step).map_err(|r| say::refusal::rule(&r))?;
    Ok(audit)
}

impl Start {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let before = Arc::clone(&cx.before);
        let mut audit = stepped(cx, &self.audit, AuditStep::Start)?;
        let mut lacking = Vec::new();
        if audit.kind == audit::AuditKind::Stage2 {
            for file in served(&before, &audit.certificates) {
                lacking.extend(unready(file, cx.catalogue, cx.today));
            }
        }
        let reason = text(self.reason);
        if !lacking.is_empty() && reason.is_none() && audit.plan.deviation.is_none() {
            return Err(Stop::Refused(say::programme::stage_two_not_ready(audit.no, &lacking)));
        }
        if let Some(reason) = reason {
            cx.reason = Some(reason.clone());
            audit.plan.deviation = Some(reason);
        }
        store::audit::update(&mut cx.w, cx.org.id, &audit).await?;
        Reply::told(&cx.org, say::programme::started(&audit, &lacking))
    }
}

impl Report {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let before = Arc::clone(&cx.before);
        let mut audit = stepped(cx, &self.audit, AuditStep::Report)?;
        if let Some(date) = &self.date {
            // It took as many days as planned, unless the last day is given as well.
            let days = audit.ends_on - audit.starts_on;
            audit.starts_on = find::past_day(date, cx.today, "date")?;
            audit.ends_on = audit.starts_on.checked_add_signed(days).unwrap_or(audit.starts_on);
        }
        if let Some(until) = &self.until {
            audit.ends_on = find::past_day(until, cx.today, "until")?;
        }
        // Reported before its planned last day, it ended today.
        audit.ends_on = audit.ends_on.min(cx.today);
        if audit.starts_on > cx.today {
            return Err(Stop::Refused(say::programme::report_too_early(&audit)));
        }
        if audit.ends_on < audit.starts_on {
            return Err(Stop::Refused(say::refusal::until_before_date(audit.starts_on, audit.ends_on)));
        }
        audit.conclusion = self.conclusion.map(|t| t.0).unwrap_or_default();
        (audit.logged_by, audit.logged_at) = (cx.by.clone(), cx.now());
        let certificates: Vec<&Certificate> =
            before.certificates.iter().filter(|c| audit.certificates.contains(&c.id)).collect();
        let mut named = Vec::new();
        for (typed, sampled) in [(&self.not_sampled, false), (&self.also_sampled, true)] {
            let found = find::clauses(&certificates, cx.catalogue, typed.as_deref(), false)?;
            named.extend(found.into_iter().map(|c| audit::AuditClause { sampled: Some(sampled), ..c }));
        }
        for clause in &mut audit.plan.clauses {
            clause.sampled = Some(true);
        }
        for new in named {
            let known = audit.plan.clauses.iter_mut();
            match known.into_iter().find(|c| c.certificate == new.certificate && c.clause == new.clause) {
                Some(known) => known.sampled = new.sampled,
                None => audit.plan.clauses.push(new),
            }
        }
        store::audit::update(&mut cx.w, cx.org.id, &audit).await?;
        store::audit::sampled(&mut cx.w, cx.org.id, &audit).await?;
        if let Some(report) = &self.report {
            keep_report(cx, audit.id, &report.0).await?;
        }
        let warnings = warnings(cx, &before, &certificates, &audit);
        Reply::told(&cx.org, say::programme::reported(&certificates, &audit, &before.rest.areas, &warnings))
    }
}

/// Keeps an audit's report.
pub(super) async fn keep_report(cx: &mut Change<'_>, audit: i64, reference: &str) -> Result<(), Stop> {
    let kept = cx.file(reference)?.map(|(heard, bytes)| (heard.clone(), bytes.to_vec()));
    if let Some((heard, bytes)) = kept {
        let new =
            evidence::New::File { name: &heard.name, media_type: heard.media_type.as_deref(), bytes: &bytes };
        let (org, by, at) = (cx.org.id, cx.by.clone(), cx.now());
        evidence::add(&mut cx.w, org, Of::Audit(audit), new, &by, at).await?;
    }
    Ok(())
}

impl Close {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let before = Arc::clone(&cx.before);
        let audit = stepped(cx, &self.audit, AuditStep::Close)?;
        let ncs = before
            .nonconformities
            .iter()
            .filter(|nc| nc.audit.is_some_and(|(id, _)| id == audit.id) && nc.is_open() && nc.owner.is_none())
            .map(|nc| format!("NC-{}", nc.no));
        let others = before
            .rest
            .findings
            .iter()
            .filter(|f| f.audit.0 == audit.id && f.state == FindingState::Open && f.owner.is_none())
            .map(|f| format!("F-{}", f.no));
        let findings: Vec<String> = ncs.chain(others).collect();
        if !findings.is_empty() {
            let refusal = Refusal::AuditUnowned { no: audit.no, findings };
            return Err(Stop::Refused(say::refusal::rule(&refusal)));
        }
        store::audit::update(&mut cx.w, cx.org.id, &audit).await?;
        Reply::told(&cx.org, say::programme::closed(&audit))
    }
}

impl Cancel {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let audit = stepped(cx, &self.audit, AuditStep::Cancel)?;
        let before = Arc::clone(&cx.before);
        let reason = text(Some(self.reason)).ok_or_else(say::work::reason_needed)?;
        cx.reason = Some(reason.clone());
        store::audit::update(&mut cx.w, cx.org.id, &audit).await?;
        let certificates: Vec<&Certificate> =
            before.certificates.iter().filter(|c| audit.certificates.contains(&c.id)).collect();
        let warnings = warnings(cx, &before, &certificates, &audit);
        Reply::told(&cx.org, say::programme::cancelled(&audit, &reason, &warnings))
    }
}

impl Move {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let before = Arc::clone(&cx.before);
        let mut audit = stepped(cx, &self.audit, AuditStep::Move)?;
        let was = audit.starts_on;
        let days = (audit.ends_on - audit.starts_on).num_days();
        let (starts_on, ends_on) = span(&self.date, self.until.as_ref(), cx.today)?;
        audit.starts_on = starts_on;
        audit.ends_on = match self.until {
            Some(_) => ends_on,
            None => starts_on.checked_add_signed(chrono::TimeDelta::days(days)).unwrap_or(ends_on),
        };
        if audit.ends_on < cx.today {
            return Err(Stop::Refused(say::programme::plan_past(audit.ends_on)));
        }
        audit.plan.dates_known_at = Some(cx.now());
        let reason = text(Some(self.reason)).ok_or_else(say::work::reason_needed)?;
        cx.reason = Some(reason.clone());
        let broken = broken_by(&before, cx.catalogue, &audit, cx.today);
        if !broken.is_empty() {
            audit.plan.deviation.clone_from(&cx.reason);
        }
        store::audit::update(&mut cx.w, cx.org.id, &audit).await?;
        let certificates: Vec<&Certificate> =
            before.certificates.iter().filter(|c| audit.certificates.contains(&c.id)).collect();
        let mut warnings = warnings(cx, &before, &certificates, &audit);
        warnings.extend(broken.iter().map(|(_, clock)| say::programme::breaks(clock, audit.ends_on)));
        Reply::told(&cx.org, say::programme::moved(&audit, was, &reason, &warnings, cx.today))
    }
}

impl Coverage {
    pub(super) fn read(self, cx: &Read<'_>) -> Result<Reply, Stop> {
        let (file, covered) = covered(cx, &self.certificate)?;
        Reply::private(say::programme::coverage(file, &covered, cx.today))
    }
}

/// A certificate with what its cycle's audits have covered.
fn covered<'a>(
    cx: &Read<'a>,
    named: &CertificateRef,
) -> Result<(&'a CertificateFile, coverage::Coverage), Stop> {
    let file = super::certificate::file(cx.snapshot, named)?;
    let Some(standard) = cx.catalogue.standard(&file.certificate.standard) else {
        return Err(Stop::Refused(say::refusal::no_standard(&file.certificate.standard, cx.catalogue)));
    };
    Ok((file, coverage::coverage(file, standard, cx.today)))
}

impl Programme {
    pub(super) fn read(self, cx: &Read<'_>) -> Result<Reply, Stop> {
        let file = super::certificate::file(cx.snapshot, &self.certificate)?;
        let year = self.year.and_then(|y| i32::try_from(y.0).ok());
        let from = file.certificate.current_cycle(cx.today).map(Cycle::valid_from);
        let mut by_year: BTreeMap<i32, Vec<&Audit>> = BTreeMap::new();
        for audit in cx.snapshot.audits.iter().filter(|a| a.certificates.contains(&file.certificate.id)) {
            let in_it = match year {
                Some(year) => audit.starts_on.year() == year,
                None => from.is_none_or(|from| audit.ends_on >= from),
            };
            if in_it && audit.state != AuditState::Voided {
                by_year.entry(audit.starts_on.year()).or_default().push(audit);
            }
        }
        for audits in by_year.values_mut() {
            audits.sort_by_key(|a| (a.starts_on, a.no));
        }
        Reply::private(say::programme::programme(file, &by_year, &cx.snapshot.rest.areas, year))
    }
}

impl Propose {
    pub(super) fn read(self, cx: &Read<'_>) -> Result<Reply, Stop> {
        let (file, covered) = covered(cx, &self.certificate)?;
        let proposed = coverage::propose(file, &covered, cx.today);
        Reply::private(say::programme::proposed(file, &proposed, cx.today))
    }
}
