//! `/nc ...`: the nonconformity from raising to closing.

use std::sync::Arc;

use super::app::{Change, Read, Reply, Stop};
use super::find;
use super::grammar::{
    NcAssign, NcCause, NcClose, NcCorrect, NcDone, NcEvidence, NcFilter, NcList, NcPlan, NcRaise, NcReopen,
    NcShow, NcVerify,
};
use super::option::{FileRef, LongText, NcRef};
use crate::domain::action::Source;
use crate::domain::audit::{AuditKind, AuditStep};
use crate::domain::finding;
use crate::domain::nonconformity::{BodyWords, Done, Nonconformity, State, Step, Verification};
use crate::domain::refusal::Refusal;
use crate::say;
use crate::store;
use crate::store::evidence::{self, New, Of};

impl NcCorrect {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        step(cx, &self.nc, Done::Correction(words(self.what)), self.evidence).await
    }
}

impl NcCause {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        step(cx, &self.nc, Done::Cause(words(self.why)), None).await
    }
}

impl NcDone {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        step(cx, &self.nc, Done::Implemented(words(self.what)), self.evidence).await
    }
}

impl NcVerify {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let what = Done::Verified { effective: self.effective, how: words(self.how) };
        step(cx, &self.nc, what, self.evidence).await
    }
}

impl NcClose {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        step(cx, &self.nc, Done::Closed { note: self.note }, None).await
    }
}

impl NcReopen {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let reason = super::programme::text(Some(self.reason)).ok_or_else(say::work::reason_needed)?;
        cx.reason = Some(reason.clone());
        step(cx, &self.nc, Done::Reopened { reason }, None).await
    }
}

fn words(text: Option<LongText>) -> String {
    text.map(|t| t.0).unwrap_or_default()
}

pub(super) fn named(cx: &Change<'_>, nc: &NcRef) -> Result<Nonconformity, Stop> {
    Ok(find::nonconformity(&cx.before.nonconformities, nc)?.clone())
}

/// Takes a step, if the rules allow it, with what shows it.
pub(super) async fn step(
    cx: &mut Change<'_>,
    nc: &NcRef,
    what: Done,
    file: Option<FileRef>,
) -> Result<Reply, Stop> {
    let mut nc = named(cx, nc)?;
    let on_record = evidence::count(cx.w.connection(), cx.org.id, nc.id).await?;
    nc.may(&what, &cx.by, usize::try_from(on_record).unwrap_or(usize::MAX))
        .map_err(|r| say::refusal::rule(&r))?;
    if matches!(what, Done::Closed { .. }) {
        let actions: Vec<i64> = cx
            .before
            .rest
            .actions
            .iter()
            .filter(|a| a.is_open() && a.source == Source::Nonconformity(nc.id))
            .map(|a| a.no)
            .collect();
        if !actions.is_empty() {
            return Err(Stop::Refused(say::refusal::rule(&Refusal::NcActionsOpen { no: nc.no, actions })));
        }
    }
    let text = match &what {
        Done::Correction(t)
        | Done::Containment(t)
        | Done::Consequences(t)
        | Done::Cause(t)
        | Done::Similar(t)
        | Done::SystemChange(t)
        | Done::Implemented(t) => Some(t.clone()),
        Done::Verified { how, .. } => Some(how.clone()),
        Done::Plan { action, .. } => Some(action.clone()),
        Done::Closed { note } => note.clone(),
        Done::Evidence | Done::Extended { .. } | Done::Reopened { .. } | Done::Voided { .. } => None,
    };
    keep_file(cx, &nc, file).await?;
    if let Some(link) = text.as_deref().and_then(link_in) {
        keep(cx, &nc, New::Link(link)).await?;
    }
    let acted = matches!(what, Done::Implemented(_));
    nc.steps.push(Step { by: cx.by.clone(), at: cx.now(), what });
    if acted && nc.verification.on.is_none_or(|on| on < cx.today) {
        nc.verification.on = Some(verification_day(cx, &nc));
        store::nonconformity::update(&mut cx.w, cx.org.id, &nc).await?;
    }
    store::nonconformity::append(&mut cx.w, cx.org.id, &nc).await?;
    let count = evidence::count(cx.w.connection(), cx.org.id, nc.id).await?;
    Reply::public(say::records::nc_step(&cx.org, &nc, count, cx.today))
}

/// When it is looked at whether an action works that is done today: some time after, and before the limits that
/// nobody here can move.
fn verification_day(cx: &Change<'_>, nc: &Nonconformity) -> chrono::NaiveDate {
    let certificate = cx.before.certificates.iter().find(|c| c.id == nc.certificate);
    let standard = certificate.and_then(|c| cx.catalogue.standard(&c.standard));
    let days = standard.and_then(|s| cx.catalogue.programme_of(s)).map_or(60, |p| p.limits.verify_days);
    let day = crate::domain::calendar::add_days(cx.today, days);
    super::deeper::hard_limit(cx, nc).map_or(day, |(_, limit)| day.min(limit)).max(cx.today)
}

/// Keeps the links in texts as evidence.
pub(super) async fn keep_links(
    cx: &mut Change<'_>,
    nc: &Nonconformity,
    texts: &[Option<&str>],
) -> Result<(), Stop> {
    for link in texts.iter().flatten().filter_map(|t| link_in(t)) {
        keep(cx, nc, New::Link(link)).await?;
    }
    Ok(())
}

/// The first link in a text: it counts as evidence as well.
fn link_in(text: &str) -> Option<&str> {
    text.split_whitespace()
        .map(|w| w.trim_start_matches(['<', '(']).trim_end_matches(['>', ')', ',', '.', ';']))
        .find(|w| is_link(w))
}

fn is_link(word: &str) -> bool {
    let scheme = ["https://", "http://"]
        .iter()
        .find(|s| word.get(..s.len()).is_some_and(|start| start.eq_ignore_ascii_case(s)));
    scheme.is_some_and(|s| word.get(s.len()..).is_some_and(|rest| rest.starts_with(char::is_alphanumeric)))
}

async fn keep(cx: &mut Change<'_>, nc: &Nonconformity, new: New<'_>) -> Result<(), Stop> {
    let (org, by, at) = (cx.org.id, cx.by.clone(), cx.now());
    Ok(evidence::add(&mut cx.w, org, Of::Nonconformity(nc.id), new, &by, at).await?)
}

/// Keeps an attached file; whether there was one (in a rehearsal it counts without being there).
async fn keep_file(cx: &mut Change<'_>, nc: &Nonconformity, file: Option<FileRef>) -> Result<bool, Stop> {
    let Some(FileRef(reference)) = file else { return Ok(false) };
    let kept = cx.file(&reference)?.map(|(heard, bytes)| (heard.clone(), bytes.to_vec()));
    if let Some((heard, bytes)) = kept {
        let new = New::File { name: &heard.name, media_type: heard.media_type.as_deref(), bytes: &bytes };
        keep(cx, nc, new).await?;
    }
    Ok(true)
}

impl NcRaise {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let before = Arc::clone(&cx.before);
        let certificate = find::certificate(&before.certificates, &self.certificate)?;
        let standard = cx.catalogue.standard(&certificate.standard);
        let clause = find::clause(standard, &self.clause)?;
        let audit = self.audit.as_ref().map(|a| find::audit(&before.audits, a)).transpose()?;
        if let Some(other) = audit.filter(|a| !a.certificates.contains(&certificate.id)) {
            return Err(Stop::Refused(say::refusal::audit_of_other(other, certificate)));
        }
        if let Some(a) = audit {
            if a.kind == AuditKind::Stage1 {
                return Err(Stop::Refused(say::work::stage_one_grades()));
            }
            if a.state.after(AuditStep::Raise).is_none() {
                let refusal = Refusal::AuditStep { no: a.no, state: a.state, step: AuditStep::Raise };
                return Err(Stop::Refused(say::refusal::rule(&refusal)));
            }
        }
        let grade: crate::domain::nonconformity::Grade = self.grade.into();
        let due = find::maybe_day(self.due.as_ref(), cx.today, "due")?;
        if let Some(day) = due.filter(|day| *day < cx.today) {
            return Err(Stop::Refused(say::refusal::due_past("due", day, cx.today)));
        }
        let due_on = due.unwrap_or_else(|| super::finding::usual_due(cx, certificate, audit, grade));
        let owner = match &self.owner {
            Some(who) => Some(cx.person(&who.0).await?),
            None => None,
        };
        let mut new = Nonconformity {
            id: 0,
            no: 0,
            certificate: certificate.id,
            audit: audit.map(|a| (a.id, a.no)),
            grade,
            clause,
            statement: words(self.statement),
            objective: None,
            body: BodyWords::default(),
            verification: Verification::default(),
            area: super::finding::area_named(&before.rest.areas, self.area.map(|a| a.0)),
            owner,
            due_on,
            due_known_at: cx.now(),
            raised_by: cx.by.clone(),
            raised_at: cx.now(),
            steps: Vec::new(),
        };
        super::deeper::due_within_limits(cx, &mut new, due)?;
        let nc = store::nonconformity::insert(&mut cx.w, cx.org.id, new).await?;
        keep_file(cx, &nc, self.evidence).await?;
        if let Some(link) = link_in(&nc.statement).map(str::to_owned) {
            keep(cx, &nc, New::Link(&link)).await?;
        }
        let repeats = finding::repeats(&nc, &before.nonconformities);
        let clause = standard.and_then(|s| s.clauses.iter().find(|c| c.id == nc.clause));
        Reply::public(say::records::nc_raised(&cx.org, certificate, clause, &nc, &repeats, cx.today))
    }
}

impl NcAssign {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let mut nc = named(cx, &self.nc)?;
        if !nc.is_open() {
            return Err(Stop::Refused(say::refusal::rule(&Refusal::NcClosed { no: nc.no })));
        }
        nc.owner = Some(cx.person(&self.owner.0).await?);
        let mut later = false;
        if let Some(due) = find::maybe_day(self.due.as_ref(), cx.today, "due")? {
            if due < cx.today {
                return Err(Stop::Refused(say::refusal::due_past("due", due, cx.today)));
            }
            super::deeper::within_limits(cx, &nc, due)?;
            // More time given on the way counts like any other.
            later = due > nc.due_on;
            nc.due_on = due;
            nc.due_known_at = cx.now();
        }
        store::nonconformity::update(&mut cx.w, cx.org.id, &nc).await?;
        if later {
            let what = Done::Extended { due_on: nc.due_on, why: say::work::extended_by_assignment() };
            nc.steps.push(Step { by: cx.by.clone(), at: cx.now(), what });
            store::nonconformity::append(&mut cx.w, cx.org.id, &nc).await?;
        }
        Reply::public(say::records::nc_assigned(&cx.org, &nc, cx.today))
    }
}

impl NcPlan {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let due_on = find::day(&self.due, cx.today, "due")?;
        if due_on < cx.today {
            return Err(Stop::Refused(say::refusal::due_past("due", due_on, cx.today)));
        }
        super::deeper::planned_within_limits(cx, &named(cx, &self.nc)?, due_on)?;
        let owner = cx.person(&self.owner.0).await?;
        step(cx, &self.nc, Done::Plan { owner, due_on, action: words(self.action) }, None).await
    }
}

impl NcEvidence {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let mut nc = named(cx, &self.nc)?;
        nc.may(&Done::Evidence, &cx.by, 0).map_err(|r| say::refusal::rule(&r))?;
        let mut something = keep_file(cx, &nc, self.file).await?;
        if let Some(link) = self.link.as_deref().map(str::trim).filter(|l| !l.is_empty()) {
            if !is_link(link) {
                return Err(Stop::Refused(say::refusal::no_link(link)));
            }
            keep(cx, &nc, New::Link(link)).await?;
            something = true;
        }
        if let Some(note) = self.note.as_deref().map(str::trim).filter(|n| !n.is_empty()) {
            if let Some(link) = link_in(note) {
                keep(cx, &nc, New::Link(link)).await?;
            }
            keep(cx, &nc, New::Note(note)).await?;
            something = true;
        }
        if !something {
            return Err(Stop::Refused(say::refusal::no_evidence()));
        }
        nc.steps.push(Step { by: cx.by.clone(), at: cx.now(), what: Done::Evidence });
        store::nonconformity::append(&mut cx.w, cx.org.id, &nc).await?;
        let count = evidence::count(cx.w.connection(), cx.org.id, nc.id).await?;
        Reply::public(say::records::nc_step(&cx.org, &nc, count, cx.today))
    }
}

impl NcList {
    pub(super) fn read(self, cx: &Read<'_>) -> Result<Reply, Stop> {
        let mut ncs = cx.snapshot.nonconformities.clone();
        if let Some(named) = &self.certificate {
            let id = find::certificate(&cx.snapshot.certificates, named)?.id;
            ncs.retain(|nc| nc.certificate == id);
        }
        if let Some(who) = &self.owner {
            let handle = who.0.trim_start_matches('@');
            ncs.retain(|nc| nc.owner.as_ref().is_some_and(|o| o.handle == handle || o.name == handle));
        }
        let today = cx.today;
        ncs.retain(|nc| match self.state.unwrap_or(NcFilter::Open) {
            NcFilter::Open => nc.is_open(),
            NcFilter::Overdue => nc.is_open() && nc.due_on < today,
            NcFilter::Raised => nc.state() == State::Raised,
            NcFilter::Corrected => nc.state() == State::Corrected,
            NcFilter::Analysed => nc.state() == State::Analysed,
            NcFilter::Planned => nc.state() == State::Planned,
            NcFilter::Implemented => nc.state() == State::Implemented,
            NcFilter::Verified => nc.state() == State::Verified,
            NcFilter::Closed => nc.state() == State::Closed,
        });
        Reply::private(say::records::ncs(cx.org, &ncs, &cx.snapshot.nonconformities, cx.today))
    }
}

impl NcShow {
    pub(super) async fn read(self, cx: &Read<'_>) -> Result<Reply, Stop> {
        let nc = find::nonconformity(&cx.snapshot.nonconformities, &self.nc)?;
        let mut c = cx.store.read().await?;
        let evidence = evidence::of(&mut c, cx.org.id, Of::Nonconformity(nc.id)).await?;
        let count = evidence::count(&mut c, cx.org.id, nc.id).await?;
        let mut edits =
            store::journal::touching(&mut c, cx.org.id, store::journal::Table::Nonconformity, nc.id, 200)
                .await?;
        edits.retain(|told| told.verb == "edit");
        let certificate = cx.snapshot.certificates.iter().find(|c| c.id == nc.certificate);
        let actions: Vec<_> =
            cx.snapshot.rest.actions.iter().filter(|a| a.source == Source::Nonconformity(nc.id)).collect();
        Reply::private(say::records::nc(
            cx.org,
            certificate,
            nc,
            (&evidence, count),
            cx.today,
            &actions,
            &edits,
        ))
    }
}
