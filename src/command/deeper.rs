//! `/nc contain` to `/nc next`: what goes deeper than the gates.

use chrono::NaiveDate;
use clap::Args;

use super::app::{Change, Input, Read, Reply, Request, Stop};
use super::find;
use super::grammar;
use super::nc::{named, step};
use super::option::{DayText, LongText, MoreText, NcRef, PersonRef};
use super::programme::text;
use crate::domain::audit::{Audit, AuditState};
use crate::domain::certificate::CertificateFile;
use crate::domain::clocks::{self, Rule};
use crate::domain::nonconformity::{Done, Nonconformity, Step};
use crate::domain::organisation::Person;
use crate::domain::refusal::{Missing, Refusal};
use crate::say;
use crate::store;
use crate::store::snapshot::Snapshot;

/// `/nc contain`
#[derive(Debug, Clone, Args)]
pub struct Contain {
    /// Which nonconformity
    #[arg(long)]
    pub nc: NcRef,
    /// What was done at once to keep it from growing (asked for if left out)
    #[arg(long)]
    pub what: Option<LongText>,
}

/// `/nc consequences`
#[derive(Debug, Clone, Args)]
pub struct Consequences {
    /// Which nonconformity
    #[arg(long)]
    pub nc: NcRef,
    /// What followed from it, and how that was dealt with (asked for if left out)
    #[arg(long)]
    pub what: Option<LongText>,
}

/// `/nc whys`
#[derive(Debug, Clone, Args)]
pub struct Whys {
    /// Which nonconformity
    #[arg(long)]
    pub nc: NcRef,
    /// Why did it happen? (asked for if left out)
    #[arg(long)]
    pub why1: Option<LongText>,
    /// And why was that?
    #[arg(long)]
    pub why2: Option<MoreText>,
    /// And why was that?
    #[arg(long)]
    pub why3: Option<MoreText>,
    /// And why was that?
    #[arg(long)]
    pub why4: Option<MoreText>,
    /// And why was that? This is the root cause
    #[arg(long)]
    pub why5: Option<MoreText>,
}

/// `/nc similar`
#[derive(Debug, Clone, Args)]
pub struct Similar {
    /// Which nonconformity
    #[arg(long)]
    pub nc: NcRef,
    /// Whether similar ones exist or could occur elsewhere (asked for if left out)
    #[arg(long)]
    pub what: Option<LongText>,
}

/// `/nc system`
#[derive(Debug, Clone, Args)]
pub struct SystemChange {
    /// Which nonconformity
    #[arg(long)]
    pub nc: NcRef,
    /// What changes in the management system because of it (asked for if left out)
    #[arg(long)]
    pub what: Option<LongText>,
}

/// `/nc extend`
#[derive(Debug, Clone, Args)]
pub struct Extend {
    /// Which nonconformity
    #[arg(long)]
    pub nc: NcRef,
    /// The new due date
    #[arg(long)]
    pub due: DayText,
    /// Why
    #[arg(long)]
    pub reason: String,
}

/// `/nc verifier`
#[derive(Debug, Clone, Args)]
pub struct Verifier {
    /// Which nonconformity
    #[arg(long)]
    pub nc: NcRef,
    /// Who verifies whether the action works (not whoever acts)
    #[arg(long)]
    pub person: PersonRef,
    /// When (left out: some time after the action is done)
    #[arg(long)]
    pub date: Option<DayText>,
}

/// `/nc next`
#[derive(Debug, Clone, Args)]
pub struct Next {
    /// Which nonconformity
    #[arg(long)]
    pub nc: NcRef,
}

impl Next {
    /// Asked before anything is read: see [`super::app::App::prepare`].
    #[expect(clippy::unused_self, reason = "it is how a command is carried out")]
    pub(super) fn read(self, _cx: &Read<'_>) -> Result<Reply, Stop> {
        Err(Stop::Refused(say::refusal::not_a_reader()))
    }
}

impl Contain {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        step(cx, &self.nc, Done::Containment(self.what.map(|t| t.0).unwrap_or_default()), None).await
    }
}

impl Consequences {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        step(cx, &self.nc, Done::Consequences(self.what.map(|t| t.0).unwrap_or_default()), None).await
    }
}

impl Whys {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let more = [self.why2, self.why3, self.why4, self.why5];
        let whys: Vec<String> = self
            .why1
            .map(|t| t.0)
            .into_iter()
            .chain(more.into_iter().flatten().map(|t| t.0))
            .filter(|t| !t.is_empty())
            .collect();
        let cause = whys
            .iter()
            .enumerate()
            .map(|(i, w)| format!("Why {}: {w}", i + 1))
            .collect::<Vec<_>>()
            .join("\n");
        step(cx, &self.nc, Done::Cause(cause), None).await
    }
}

impl Similar {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        step(cx, &self.nc, Done::Similar(self.what.map(|t| t.0).unwrap_or_default()), None).await
    }
}

impl SystemChange {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        step(cx, &self.nc, Done::SystemChange(self.what.map(|t| t.0).unwrap_or_default()), None).await
    }
}

impl Extend {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let mut nc = named(cx, &self.nc)?;
        let due_on = find::day(&self.due, cx.today, "due")?;
        if due_on <= nc.due_on {
            return Err(Stop::Refused(say::work::not_later(&nc, due_on)));
        }
        within_limits(cx, &nc, due_on)?;
        let why = text(Some(self.reason)).ok_or_else(say::work::reason_needed)?;
        cx.reason = Some(why.clone());
        let was = nc.due_on;
        let what = Done::Extended { due_on, why: why.clone() };
        nc.may(&what, &cx.by, 0).map_err(|r| say::refusal::rule(&r))?;
        (nc.due_on, nc.due_known_at) = (due_on, cx.now());
        store::nonconformity::update(&mut cx.w, cx.org.id, &nc).await?;
        nc.steps.push(Step { by: cx.by.clone(), at: cx.now(), what });
        store::nonconformity::append(&mut cx.w, cx.org.id, &nc).await?;
        Reply::told(&cx.org, say::work::extended(&nc, was, &why, cx.today))
    }
}

/// The earliest hard limit that a nonconformity runs under, be it on record or about to be entered, or would once its
/// audit is reported.
pub(super) fn hard_limit(cx: &Change<'_>, nc: &Nonconformity) -> Option<(Rule, NaiveDate)> {
    let on_record = cx.before.files().iter().find(|f| f.certificate.id == nc.certificate)?;
    let mut file = CertificateFile {
        audits: on_record.audits.clone(),
        records: on_record.records.clone(),
        nonconformities: vec![nc.clone()],
        ..CertificateFile::new(on_record.certificate.clone())
    };
    let audit = |a: &&Audit| nc.audit.is_some_and(|(id, _)| id == a.id);
    if !file.audits.iter().any(|a| audit(&a))
        && let Some(found) = cx.before.audits.iter().find(audit)
    {
        file.audits.push(Audit { state: AuditState::Reported, ..found.clone() });
    }
    let standard = cx.catalogue.standard(&file.certificate.standard)?;
    let programme = cx.catalogue.programme_of(standard)?;
    clocks::all(&file, Some(standard), programme, cx.org.zone, cx.today)
        .into_iter()
        .filter(|c| c.nc == Some(nc.id) && c.rule.is_hard() && c.is_open())
        .map(|c| (c.rule, c.limit))
        .min_by_key(|(_, limit)| *limit)
}

/// Refuses a due date past a limit that nobody here can move.
pub(super) fn within_limits(cx: &Change<'_>, nc: &Nonconformity, due_on: NaiveDate) -> Result<(), Stop> {
    let no = (nc.no > 0).then_some(nc.no);
    match hard_limit(cx, nc).filter(|(_, limit)| due_on > *limit) {
        Some((rule, limit)) => {
            Err(Stop::Refused(say::refusal::rule(&Refusal::PastClock { no, rule, limit })))
        }
        None => Ok(()),
    }
}

/// Refuses an action that would be done too late for such a limit. One that has passed already stops no work.
pub(super) fn planned_within_limits(
    cx: &Change<'_>,
    nc: &Nonconformity,
    due_on: NaiveDate,
) -> Result<(), Stop> {
    let ahead = hard_limit(cx, nc).is_some_and(|(_, limit)| limit >= cx.today);
    if ahead { within_limits(cx, nc, due_on) } else { Ok(()) }
}

/// Has a nonconformity that is about to be entered due by the day given, which no hard limit may precede; left to us,
/// it is due by that limit at the latest.
pub(super) fn due_within_limits(
    cx: &Change<'_>,
    nc: &mut Nonconformity,
    given: Option<NaiveDate>,
) -> Result<(), Stop> {
    match given {
        Some(day) => within_limits(cx, nc, day)?,
        None => {
            if let Some((_, limit)) = hard_limit(cx, nc).filter(|(_, limit)| *limit >= cx.today) {
                nc.due_on = nc.due_on.min(limit);
            }
        }
    }
    Ok(())
}

impl Verifier {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let mut nc = named(cx, &self.nc)?;
        if !nc.is_open() {
            return Err(Stop::Refused(say::refusal::rule(&Refusal::NcClosed { no: nc.no })));
        }
        let person = cx.person(&self.person.0).await?;
        not_who_acted(&nc, &person)?;
        if let Some(day) = find::maybe_day(self.date.as_ref(), cx.today, "date")? {
            if day < cx.today {
                return Err(Stop::Refused(say::refusal::due_past("date", day, cx.today)));
            }
            within_limits(cx, &nc, day)?;
            nc.verification.on = Some(day);
        }
        nc.verification.by = Some(person);
        store::nonconformity::update(&mut cx.w, cx.org.id, &nc).await?;
        Reply::told(&cx.org, say::work::verifier(&nc, cx.today))
    }
}

/// Refuses whoever owns the action or reported it done (the effectiveness is verified by someone else).
pub(super) fn not_who_acted(nc: &Nonconformity, person: &Person) -> Result<(), Stop> {
    let progress = nc.progress();
    let acted = progress.action().is_some_and(|(owner, ..)| owner.id == person.id)
        || progress.implemented.is_some_and(|s| s.by.id == person.id);
    if acted { Err(Stop::Refused(say::work::would_verify_own(nc, person))) } else { Ok(()) }
}

/// What `/nc next` asks: the command line that it stands for, and what to ask for it.
pub(super) fn question(
    on_record: &Snapshot,
    request: &Request,
    nc: &Nonconformity,
    evidence: u32,
) -> Result<(Vec<String>, Vec<Input>), Stop> {
    if !nc.is_open() {
        return Err(Stop::Refused(say::refusal::rule(&Refusal::NcClosed { no: nc.no })));
    }
    let progress = nc.progress();
    let reference = format!("--nc=NC-{}", nc.no);
    let line = |verb: &str| vec!["nc".to_owned(), verb.to_owned(), reference.clone()];
    let input = |name: &str, verb: &str, help: &str| {
        let (label, hint) = say::help::input(verb, name, help);
        Input { name: name.to_owned(), label, hint, optional: false }
    };
    let short = |name: &str, label: &str, hint: &str| Input {
        name: name.to_owned(),
        label: label.to_owned(),
        hint: hint.to_owned(),
        optional: false,
    };
    // Asked in the order of the work; what the gates do not ask for comes where it belongs, and is passed over where
    // whoever asks may not answer it.
    let missing = progress.missing(usize::try_from(evidence).unwrap_or(usize::MAX));
    let mut system = line("system");
    system.push("--what=-".to_owned());
    let may_answer = |argv: &[String]| {
        grammar::parse(argv).is_ok_and(|command| super::allow::check(on_record, &command, request).is_ok())
    };
    Ok(match missing.first() {
        Some(Missing::Correction)
            if progress.containment.is_none()
                && progress.correction.is_none()
                && nc.grade == crate::domain::nonconformity::Grade::Major =>
        {
            (line("contain"), vec![input("what", "nc contain", "What was done at once?")])
        }
        Some(Missing::Correction) => (line("correct"), vec![input("what", "nc correct", "")]),
        Some(Missing::Cause) if progress.consequences.is_none() => {
            (line("consequences"), vec![input("what", "nc consequences", "What followed from it?")])
        }
        Some(Missing::Cause) => (line("cause"), vec![input("why", "nc cause", "")]),
        Some(Missing::ActionDone) if progress.plan.is_none() && progress.similar.is_none() => {
            (line("similar"), vec![input("what", "nc similar", "Do similar ones exist elsewhere?")])
        }
        Some(Missing::ActionDone) if progress.plan.is_none() => {
            let owner = nc.owner.as_ref().map_or(request.actor.handle.as_str(), |o| o.handle.as_str());
            let mut line = line("plan");
            line.push(format!("--owner={owner}"));
            (
                line,
                vec![input("action", "nc plan", ""), short("due", "By when?", "2026-09-30, or in 6 weeks")],
            )
        }
        Some(Missing::ActionDone) => (line("done"), vec![input("what", "nc done", "")]),
        Some(Missing::Verification) => (
            line("verify"),
            vec![
                input("how", "nc verify", ""),
                short("effective", "Does it work? (true or false)", "true or false"),
            ],
        ),
        Some(Missing::Evidence) | None if progress.system_change.is_none() && may_answer(&system) => {
            (line("system"), vec![input("what", "nc system", "Does the system itself have to change?")])
        }
        Some(Missing::Evidence) => (
            line("evidence"),
            vec![short("link", "A link to what shows it", "https://… (a file: /nc evidence)")],
        ),
        None => {
            let last = Input { optional: true, ..short("note", "Close it? A last word", "May stay empty") };
            (line("close"), vec![last])
        }
    })
}
