//! `/finding ...`: what audits find, of every grade.

use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};

use super::app::{Change, Read, Reply, Stop};
use super::find;
use super::option::{AreaRef, AuditRef, CertificateRef, ClauseRef, DayText, FindingRef, LongText, PersonRef};
use super::programme::text;
use crate::domain::action::{Action, ActionState, Source};
use crate::domain::area::Area;
use crate::domain::audit::{Audit, AuditKind, AuditStep};
use crate::domain::calendar;
use crate::domain::certificate::Certificate;
use crate::domain::finding::{self, Finding, FindingGrade, FindingState, Settled};
use crate::domain::nonconformity::{BodyWords, Grade, Nonconformity, Verification};
use crate::domain::organisation::Person;
use crate::say;
use crate::store;

/// `/finding ...`
#[derive(Debug, Clone, Subcommand)]
pub enum FindingCommand {
    /// Raise a finding from an audit
    Raise(Raise),
    /// Raise several at once, from a pasted list
    Several(Several),
    /// List findings
    List(List),
    /// Show one finding
    Show(Show),
    /// Give it an owner
    Assign(Assign),
    /// Make an action of an opportunity or a concern
    Accept(Accept),
    /// Decline an opportunity, with a reason
    Decline(Decline),
    /// Record that an area of concern is addressed
    Addressed(Addressed),
}

/// What a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FindingKind {
    /// Major nonconformity
    Major,
    /// Minor nonconformity
    Minor,
    /// Observation
    Observation,
    /// Opportunity for improvement
    Opportunity,
    /// Strength
    Strength,
    /// Area of concern (stage 1 only)
    Concern,
}

/// A nonconformity's grade, or another finding's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Graded {
    Nonconformity(Grade),
    Other(FindingGrade),
}

impl FindingKind {
    fn graded(self) -> Graded {
        match self {
            Self::Major => Graded::Nonconformity(Grade::Major),
            Self::Minor => Graded::Nonconformity(Grade::Minor),
            Self::Observation => Graded::Other(FindingGrade::Observation),
            Self::Opportunity => Graded::Other(FindingGrade::Opportunity),
            Self::Strength => Graded::Other(FindingGrade::Strength),
            Self::Concern => Graded::Other(FindingGrade::Concern),
        }
    }

    /// What people call it.
    pub(super) fn named(typed: &str) -> Option<Self> {
        Some(match typed.trim().to_lowercase().as_str() {
            "major" | "major nonconformity" | "nc major" => Self::Major,
            "minor" | "minor nonconformity" | "nc minor" | "nc" => Self::Minor,
            "observation" | "obs" => Self::Observation,
            "opportunity" | "ofi" | "opportunity for improvement" => Self::Opportunity,
            "strength" | "positive" => Self::Strength,
            "concern" | "area of concern" => Self::Concern,
            _ => return None,
        })
    }
}

/// `/finding raise`
#[derive(Debug, Clone, Args)]
pub struct Raise {
    /// The audit that found it
    #[arg(long)]
    pub audit: AuditRef,
    /// What it is
    #[arg(long)]
    pub grade: FindingKind,
    /// The clause or control
    #[arg(long)]
    pub clause: ClauseRef,
    /// What was seen; of a nonconformity, what is wrong (asked for if left out)
    #[arg(long)]
    pub statement: Option<LongText>,
    /// The objective evidence
    #[arg(long)]
    pub evidence: Option<String>,
    /// Of which certificate, where the audit serves several
    #[arg(long)]
    pub certificate: Option<CertificateRef>,
    /// The process, site or department
    #[arg(long)]
    pub area: Option<AreaRef>,
    /// Who is to deal with it
    #[arg(long)]
    pub owner: Option<PersonRef>,
    /// By when a nonconformity must be closed (left out: the body's limit)
    #[arg(long)]
    pub due: Option<DayText>,
    /// The certification body's own reference
    #[arg(long)]
    pub reference: Option<String>,
    /// The grade on the certification body's own scale
    #[arg(long)]
    pub body_grade: Option<String>,
}

/// `/finding several`
#[derive(Debug, Clone, Args)]
pub struct Several {
    /// The audit that found them
    #[arg(long)]
    pub audit: AuditRef,
    /// One a line: grade | clause | statement | area | owner (asked for if left out)
    #[arg(long)]
    pub findings: Option<LongText>,
    /// Of which certificate, where the audit serves several
    #[arg(long)]
    pub certificate: Option<CertificateRef>,
}

/// `/finding list`
#[derive(Debug, Clone, Args)]
pub struct List {
    /// Only of this audit
    #[arg(long)]
    pub audit: Option<AuditRef>,
    /// Only of this certificate
    #[arg(long)]
    pub certificate: Option<CertificateRef>,
    /// Only what is still open
    #[arg(long, action = clap::ArgAction::Set)]
    pub open: Option<bool>,
}

/// `/finding show`
#[derive(Debug, Clone, Args)]
pub struct Show {
    /// Which finding
    #[arg(long)]
    pub finding: FindingRef,
}

/// `/finding assign`
#[derive(Debug, Clone, Args)]
pub struct Assign {
    /// Which finding
    #[arg(long)]
    pub finding: FindingRef,
    /// Who is to deal with it
    #[arg(long)]
    pub owner: PersonRef,
}

/// `/finding accept`
#[derive(Debug, Clone, Args)]
pub struct Accept {
    /// Which finding
    #[arg(long)]
    pub finding: FindingRef,
    /// Who acts
    #[arg(long)]
    pub owner: PersonRef,
    /// By when
    #[arg(long)]
    pub due: DayText,
    /// What will be done (asked for if left out)
    #[arg(long)]
    pub action: Option<LongText>,
}

/// `/finding decline`
#[derive(Debug, Clone, Args)]
pub struct Decline {
    /// Which finding
    #[arg(long)]
    pub finding: FindingRef,
    /// Why
    #[arg(long)]
    pub reason: String,
}

/// `/finding addressed`
#[derive(Debug, Clone, Args)]
pub struct Addressed {
    /// Which area of concern
    #[arg(long)]
    pub finding: FindingRef,
    /// How it was addressed (asked for if left out)
    #[arg(long)]
    pub how: Option<LongText>,
}

/// What is to be entered as a finding, whichever way it came.
#[derive(Debug, Clone)]
pub(super) struct New {
    pub(super) grade: FindingKind,
    pub(super) clause: ClauseRef,
    pub(super) statement: String,
    pub(super) objective: Option<String>,
    pub(super) area: Option<String>,
    pub(super) owner: Option<Person>,
    pub(super) due: Option<chrono::NaiveDate>,
    pub(super) body: BodyWords,
}

/// What was entered.
#[derive(Debug, Clone)]
pub(super) enum Entered {
    Nonconformity(Box<Nonconformity>, finding::Repeats),
    Finding(Box<Finding>),
}

/// The certificate that a finding of an audit is about: the one named, else the audit's first whose standard has the
/// clause.
fn certificate_of<'a>(
    cx: &Change<'_>,
    all: &'a [Certificate],
    audit: &Audit,
    named: Option<&CertificateRef>,
    clause: &ClauseRef,
) -> Result<&'a Certificate, Stop> {
    if let Some(named) = named {
        let found = find::certificate(all, named)?;
        return if audit.certificates.contains(&found.id) {
            Ok(found)
        } else {
            Err(Stop::Refused(say::refusal::audit_of_other(audit, found)))
        };
    }
    let served: Vec<&Certificate> = all.iter().filter(|c| audit.certificates.contains(&c.id)).collect();
    served
        .iter()
        .find(|c| find::clause(cx.catalogue.standard(&c.standard), clause).is_ok())
        .or(served.first())
        .copied()
        .ok_or_else(|| Stop::Refused(say::refusal::no_certificate("", all)))
}

/// Enters a finding of an audit, if the audit's kind and state allow it.
pub(super) async fn enter(
    cx: &mut Change<'_>,
    audit: &Audit,
    named: Option<&CertificateRef>,
    new: New,
    known: &mut Vec<Nonconformity>,
) -> Result<Entered, Stop> {
    let before = Arc::clone(&cx.before);
    if audit.state.after(AuditStep::Raise).is_none() {
        let refusal = crate::domain::refusal::Refusal::AuditStep {
            no: audit.no,
            state: audit.state,
            step: AuditStep::Raise,
        };
        return Err(Stop::Refused(say::refusal::rule(&refusal)));
    }
    let graded = new.grade.graded();
    let stage_one = audit.kind == AuditKind::Stage1;
    match graded {
        Graded::Nonconformity(_) if stage_one => return Err(Stop::Refused(say::work::stage_one_grades())),
        Graded::Other(FindingGrade::Concern) if !stage_one => {
            return Err(Stop::Refused(say::work::concern_elsewhere()));
        }
        Graded::Nonconformity(_) | Graded::Other(_) => {}
    }
    let certificate = certificate_of(cx, &before.certificates, audit, named, &new.clause)?;
    let standard = cx.catalogue.standard(&certificate.standard);
    let clause = find::clause(standard, &new.clause)?;
    match graded {
        Graded::Nonconformity(grade) => {
            let due_on = match new.due {
                Some(day) => day,
                None => usual_due(cx, certificate, Some(audit), grade),
            };
            let mut nc = Nonconformity {
                id: 0,
                no: 0,
                certificate: certificate.id,
                audit: Some((audit.id, audit.no)),
                grade,
                clause,
                statement: new.statement,
                objective: new.objective,
                body: new.body,
                area: area_named(&before.rest.areas, new.area),
                owner: new.owner,
                due_on,
                due_known_at: cx.now(),
                verification: Verification::default(),
                raised_by: cx.by.clone(),
                raised_at: cx.now(),
                steps: Vec::new(),
            };
            super::deeper::due_within_limits(cx, &mut nc, new.due)?;
            let nc = store::nonconformity::insert(&mut cx.w, cx.org.id, nc).await?;
            super::nc::keep_links(cx, &nc, &[Some(nc.statement.as_str()), nc.objective.as_deref()]).await?;
            let repeats = finding::repeats(&nc, known);
            known.push(nc.clone());
            Ok(Entered::Nonconformity(Box::new(nc), repeats))
        }
        Graded::Other(grade) => {
            let statement = match &new.objective {
                Some(shown) => format!("{} — {shown}", new.statement),
                None => new.statement,
            };
            let finding = Finding {
                id: 0,
                no: 0,
                audit: (audit.id, audit.no),
                certificate: certificate.id,
                grade,
                clause,
                statement,
                area: area_named(&before.rest.areas, new.area),
                owner: new.owner,
                reference: new.body.reference,
                raised_by: cx.by.clone(),
                raised_at: cx.now(),
                state: grade.begins(),
                settled: None,
            };
            let finding = store::finding::insert(&mut cx.w, cx.org.id, finding).await?;
            Ok(Entered::Finding(Box::new(finding)))
        }
    }
}

/// The area as it is on record, if it is; else as typed.
pub(super) fn area_named(all: &[Area], typed: Option<String>) -> Option<String> {
    let typed = text(typed)?;
    let known = all.iter().find(|a| a.name.to_lowercase() == typed.to_lowercase());
    Some(known.map_or(typed, |a| a.name.clone()))
}

/// By when a nonconformity is to be closed where nobody said: the body's limits count from its audit's last day, ours
/// from today.
pub(super) fn usual_due(
    cx: &Change<'_>,
    certificate: &Certificate,
    audit: Option<&Audit>,
    grade: Grade,
) -> chrono::NaiveDate {
    let usual = cx.catalogue.standard(&certificate.standard).and_then(|s| cx.catalogue.programme_of(s));
    let days = usual.map_or(60, |p| {
        let limits = certificate.terms.over(p.limits);
        match grade {
            Grade::Major => limits.major_days,
            Grade::Minor => limits.minor_days,
        }
    });
    let from = audit.filter(|a| a.kind.by_body()).map_or(cx.today, |a| a.ends_on);
    calendar::add_days(from, days).max(cx.today)
}

impl Raise {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let before = Arc::clone(&cx.before);
        let audit = find::audit(&before.audits, &self.audit)?;
        let due = find::maybe_day(self.due.as_ref(), cx.today, "due")?;
        if let Some(day) = due.filter(|day| *day < cx.today) {
            return Err(Stop::Refused(say::refusal::due_past("due", day, cx.today)));
        }
        let owner = match &self.owner {
            Some(who) => Some(cx.person(&who.0).await?),
            None => None,
        };
        let new = New {
            grade: self.grade,
            clause: self.clause,
            statement: self.statement.map(|t| t.0).unwrap_or_default(),
            objective: text(self.evidence),
            area: self.area.map(|a| a.0),
            owner,
            due,
            body: BodyWords { reference: text(self.reference), grade: text(self.body_grade) },
        };
        let mut known = before.nonconformities.clone();
        let entered = enter(cx, audit, self.certificate.as_ref(), new, &mut known).await?;
        Reply::told(
            &cx.org,
            say::work::entered(&[entered_words(&entered)], audit, &before.certificates, cx.today),
        )
    }
}

/// What was entered, for the words of it.
fn entered_words(entered: &Entered) -> say::work::Entered<'_> {
    match entered {
        Entered::Nonconformity(nc, repeats) => say::work::Entered::Nonconformity(nc, repeats),
        Entered::Finding(f) => say::work::Entered::Finding(f),
    }
}

impl Several {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let before = Arc::clone(&cx.before);
        let audit = find::audit(&before.audits, &self.audit)?;
        let list = self.findings.map(|t| t.0).unwrap_or_default();
        if list == "-" {
            // The rehearsal before the list is asked for: only whether the audit takes findings.
            if audit.state.after(AuditStep::Raise).is_none() {
                let refusal = crate::domain::refusal::Refusal::AuditStep {
                    no: audit.no,
                    state: audit.state,
                    step: AuditStep::Raise,
                };
                return Err(Stop::Refused(say::refusal::rule(&refusal)));
            }
            return Reply::told(&cx.org, say::work::entered(&[], audit, &before.certificates, cx.today));
        }
        let mut known = before.nonconformities.clone();
        let mut entered = Vec::new();
        for (n, line) in list.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
            // As it comes out of a mail or a spreadsheet.
            let line = line.trim_start_matches([' ', '-', '*', '•']);
            let split = ['|', '\t', ';'].into_iter().find(|s| line.contains(*s)).unwrap_or('|');
            let parts: Vec<&str> = line.split(split).map(str::trim).collect();
            let at = |i: usize| parts.get(i).copied().filter(|p| !p.is_empty());
            let (Some(grade), Some(clause), Some(statement)) = (at(0), at(1), at(2)) else {
                return Err(Stop::Refused(say::work::several_line(n + 1, line)));
            };
            let Some(grade) = FindingKind::named(grade) else {
                return Err(Stop::Refused(say::work::several_grade(n + 1, grade)));
            };
            let owner = match at(4) {
                Some(who) => Some(cx.named(who).await?),
                None => None,
            };
            let new = New {
                grade,
                clause: ClauseRef(clause.to_owned()),
                statement: statement.to_owned(),
                objective: None,
                area: at(3).map(str::to_owned),
                owner,
                due: None,
                body: BodyWords::default(),
            };
            entered.push(enter(cx, audit, self.certificate.as_ref(), new, &mut known).await?);
        }
        if entered.is_empty() {
            return Err(Stop::Refused(say::work::several_line(1, &list)));
        }
        let words: Vec<_> = entered.iter().map(entered_words).collect();
        Reply::told(&cx.org, say::work::entered(&words, audit, &before.certificates, cx.today))
    }
}

impl List {
    pub(super) fn read(self, cx: &Read<'_>) -> Result<Reply, Stop> {
        let audit = self.audit.as_ref().map(|a| find::audit(&cx.snapshot.audits, a)).transpose()?;
        let certificate =
            self.certificate.as_ref().map(|c| find::certificate(&cx.snapshot.certificates, c)).transpose()?;
        let open = self.open.unwrap_or(false);
        let findings: Vec<&Finding> = cx
            .snapshot
            .rest
            .findings
            .iter()
            .filter(|f| audit.is_none_or(|a| f.audit.0 == a.id))
            .filter(|f| certificate.is_none_or(|c| f.certificate == c.id))
            .filter(|f| !open || f.state == FindingState::Open)
            .collect();
        let ncs: Vec<&Nonconformity> = cx
            .snapshot
            .nonconformities
            .iter()
            .filter(|nc| audit.is_none_or(|a| nc.audit.is_some_and(|(id, _)| id == a.id)))
            .filter(|nc| certificate.is_none_or(|c| nc.certificate == c.id))
            .filter(|nc| !open || nc.is_open())
            .collect();
        Reply::private(say::work::findings(cx.org, &findings, &ncs, &cx.snapshot.nonconformities, cx.today))
    }
}

impl Show {
    pub(super) fn read(self, cx: &Read<'_>) -> Result<Reply, Stop> {
        let finding = find::finding(&cx.snapshot.rest.findings, &self.finding)?;
        let actions: Vec<&Action> =
            cx.snapshot.rest.actions.iter().filter(|a| a.source == Source::Finding(finding.id)).collect();
        Reply::private(say::work::finding(finding, &actions, cx.today))
    }
}

/// The finding that a line names, settled so.
fn settled(cx: &Change<'_>, named: &FindingRef, to: FindingState, why: String) -> Result<Finding, Stop> {
    let mut finding = find::finding(&cx.before.rest.findings, named)?.clone();
    finding.may(to).map_err(|r| say::refusal::rule(&r))?;
    finding.state = to;
    finding.settled = Some(Settled { why, by: cx.by.clone(), at: cx.now() });
    Ok(finding)
}

impl Assign {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let mut finding = find::finding(&cx.before.rest.findings, &self.finding)?.clone();
        finding.owner = Some(cx.person(&self.owner.0).await?);
        store::finding::update(&mut cx.w, cx.org.id, &finding).await?;
        Reply::told(&cx.org, say::work::finding_assigned(&finding))
    }
}

impl Accept {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let due_on = super::action::due(cx, &self.due)?;
        let what = self.action.map(|t| t.0).unwrap_or_default();
        let finding = settled(cx, &self.finding, FindingState::Accepted, what.clone())?;
        let owner = cx.person(&self.owner.0).await?;
        store::finding::update(&mut cx.w, cx.org.id, &finding).await?;
        let action = Action {
            id: 0,
            no: 0,
            certificate: finding.certificate,
            source: Source::Finding(finding.id),
            what,
            owner,
            due_on,
            due_known_at: cx.now(),
            by: cx.by.clone(),
            at: cx.now(),
            state: ActionState::Open,
            settled: None,
            reference: None,
        };
        let action = store::action::insert(&mut cx.w, cx.org.id, action).await?;
        Reply::told(&cx.org, say::work::finding_settled(&finding, Some(&action), cx.today))
    }
}

impl Decline {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let reason = text(Some(self.reason)).ok_or_else(say::work::reason_needed)?;
        cx.reason = Some(reason.clone());
        let finding = settled(cx, &self.finding, FindingState::Declined, reason)?;
        store::finding::update(&mut cx.w, cx.org.id, &finding).await?;
        Reply::told(&cx.org, say::work::finding_settled(&finding, None, cx.today))
    }
}

impl Addressed {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let how = self.how.map(|t| t.0).unwrap_or_default();
        let finding = settled(cx, &self.finding, FindingState::Addressed, how)?;
        store::finding::update(&mut cx.w, cx.org.id, &finding).await?;
        Reply::told(&cx.org, say::work::finding_settled(&finding, None, cx.today))
    }
}
