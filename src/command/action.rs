//! `/action ...`: who does what by when.

use std::sync::Arc;

use chrono::NaiveDate;
use clap::{Args, Subcommand};

use super::app::{Change, Read, Reply, Stop};
use super::find;
use super::option::{ActionRef, CertificateRef, DayText, FindingRef, LongText, NcRef, PersonRef, ReviewRef};
use super::programme::text;
use crate::domain::action::{Action, ActionState, Source};
use crate::domain::finding::Settled;
use crate::say;
use crate::store;

/// `/action ...`
#[derive(Debug, Clone, Subcommand)]
pub enum ActionCommand {
    /// Enter an action: of its own, of a nonconformity, a review or a finding
    Add(Add),
    /// List the actions
    List(List),
    /// Record that an action is done
    Done(Done),
    /// Record that an action will not be done, and why
    Drop(DropIt),
    /// Give an action another owner or another day
    Assign(Assign),
}

/// `/action add`
#[derive(Debug, Clone, Args)]
pub struct Add {
    /// Who acts
    #[arg(long)]
    pub owner: PersonRef,
    /// By when
    #[arg(long)]
    pub due: DayText,
    /// What is to be done (asked for if left out)
    #[arg(long)]
    pub what: Option<LongText>,
    /// For which certificate, where there are several
    #[arg(long)]
    pub certificate: Option<CertificateRef>,
    /// The nonconformity that it is for: closed only once it is done
    #[arg(long)]
    pub nc: Option<NcRef>,
    /// The management review that decided it
    #[arg(long)]
    pub review: Option<ReviewRef>,
    /// The finding that it is for
    #[arg(long)]
    pub finding: Option<FindingRef>,
}

/// `/action list`
#[derive(Debug, Clone, Args)]
pub struct List {
    /// Only of this certificate
    #[arg(long)]
    pub certificate: Option<CertificateRef>,
    /// Only of this owner
    #[arg(long)]
    pub owner: Option<PersonRef>,
    /// Those that are settled as well
    #[arg(long, action = clap::ArgAction::Set)]
    pub all: Option<bool>,
}

/// `/action done`
#[derive(Debug, Clone, Args)]
pub struct Done {
    /// Which action
    #[arg(long)]
    pub action: ActionRef,
    /// What was done, and what shows it (asked for if left out)
    #[arg(long)]
    pub outcome: Option<LongText>,
}

/// `/action drop`
#[derive(Debug, Clone, Args)]
pub struct DropIt {
    /// Which action
    #[arg(long)]
    pub action: ActionRef,
    /// Why
    #[arg(long)]
    pub reason: String,
}

/// `/action assign`
#[derive(Debug, Clone, Args)]
pub struct Assign {
    /// Which action
    #[arg(long)]
    pub action: ActionRef,
    /// Who acts
    #[arg(long)]
    pub owner: Option<PersonRef>,
    /// By when
    #[arg(long)]
    pub due: Option<DayText>,
    /// Why
    #[arg(long)]
    pub reason: Option<String>,
}

/// A due date, as typed: not in the past.
pub(super) fn due(cx: &Change<'_>, typed: &DayText) -> Result<NaiveDate, Stop> {
    let day = find::day(typed, cx.today, "due")?;
    if day < cx.today { Err(Stop::Refused(say::refusal::due_past("due", day, cx.today))) } else { Ok(day) }
}

impl Add {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let before = Arc::clone(&cx.before);
        let due_on = due(cx, &self.due)?;
        let mut certificate = self
            .certificate
            .as_ref()
            .map(|c| find::certificate(&before.certificates, c))
            .transpose()?
            .map(|c| c.id);
        let mut source = Source::None;
        let given = [self.nc.is_some(), self.review.is_some(), self.finding.is_some()];
        if given.into_iter().filter(|g| *g).count() > 1 {
            return Err(Stop::Refused(say::work::one_source()));
        }
        if let Some(nc) = &self.nc {
            let nc = find::nonconformity(&before.nonconformities, nc)?;
            if !nc.is_open() {
                let refusal = crate::domain::refusal::Refusal::NcClosed { no: nc.no };
                return Err(Stop::Refused(say::refusal::rule(&refusal)));
            }
            (source, certificate) = (Source::Nonconformity(nc.id), Some(nc.certificate));
        }
        if let Some(review) = &self.review {
            let review = find::review(&before.rest.reviews, review)?;
            source = Source::Review(review.id);
            certificate = certificate.or(review.certificates.first().copied());
        }
        if let Some(finding) = &self.finding {
            let finding = find::finding(&before.rest.findings, finding)?;
            (source, certificate) = (Source::Finding(finding.id), Some(finding.certificate));
        }
        let certificate = match (certificate, before.certificates.as_slice()) {
            (Some(id), _) => id,
            (None, [only]) => only.id,
            (None, all) => return Err(Stop::Refused(say::work::which_certificate(all))),
        };
        let owner = cx.person(&self.owner.0).await?;
        let new = Action {
            id: 0,
            no: 0,
            certificate,
            source,
            what: self.what.map(|t| t.0).unwrap_or_default(),
            owner,
            due_on,
            due_known_at: cx.now(),
            by: cx.by.clone(),
            at: cx.now(),
            state: ActionState::Open,
            settled: None,
            reference: None,
        };
        let action = store::action::insert(&mut cx.w, cx.org.id, new).await?;
        Reply::told(&cx.org, say::work::action(&action, "entered", cx.today))
    }
}

impl List {
    pub(super) fn read(self, cx: &Read<'_>) -> Result<Reply, Stop> {
        let certificate =
            self.certificate.as_ref().map(|c| find::certificate(&cx.snapshot.certificates, c)).transpose()?;
        let owner = self.owner.as_ref().map(|o| o.0.trim_start_matches('@').to_owned());
        let all = self.all.unwrap_or(false);
        let mut actions: Vec<&Action> = cx
            .snapshot
            .rest
            .actions
            .iter()
            .filter(|a| certificate.is_none_or(|c| a.certificate == c.id))
            .filter(|a| owner.as_ref().is_none_or(|o| a.owner.handle == *o || a.owner.name == *o))
            .filter(|a| all || a.is_open())
            .collect();
        actions.sort_by_key(|a| (!a.is_open(), a.due_on, a.no));
        Reply::private(say::work::actions(&actions, &cx.snapshot.rest.actions, cx.today))
    }
}

impl Done {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let why = self.outcome.map(|t| t.0).unwrap_or_default();
        settle(cx, &self.action, ActionState::Done, why).await
    }
}

impl DropIt {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let why = text(Some(self.reason)).ok_or_else(say::work::reason_needed)?;
        cx.reason = Some(why.clone());
        settle(cx, &self.action, ActionState::Dropped, why).await
    }
}

async fn settle(
    cx: &mut Change<'_>,
    named: &ActionRef,
    state: ActionState,
    why: String,
) -> Result<Reply, Stop> {
    let mut action = find::action(&cx.before.rest.actions, named)?.clone();
    action.must_be_open().map_err(|r| say::refusal::rule(&r))?;
    action.state = state;
    action.settled = Some(Settled { why, by: cx.by.clone(), at: cx.now() });
    store::action::update(&mut cx.w, cx.org.id, &action).await?;
    Reply::told(&cx.org, say::work::action(&action, state.id(), cx.today))
}

impl Assign {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let mut action = find::action(&cx.before.rest.actions, &self.action)?.clone();
        action.must_be_open().map_err(|r| say::refusal::rule(&r))?;
        if self.owner.is_none() && self.due.is_none() {
            return Err(Stop::Refused(say::work::owner_or_due()));
        }
        if let Some(who) = &self.owner {
            action.owner = cx.person(&who.0).await?;
        }
        if let Some(day) = &self.due {
            action.due_on = due(cx, day)?;
            action.due_known_at = cx.now();
        }
        cx.reason = text(self.reason);
        store::action::update(&mut cx.w, cx.org.id, &action).await?;
        Reply::told(&cx.org, say::work::action(&action, "assigned", cx.today))
    }
}
