//! What the phases ask for: `/task`, `/change`, `/risk`, `/training`.

use std::sync::Arc;

use chrono::NaiveDate;
use clap::{Args, Subcommand, ValueEnum};

use super::app::{Change, Read, Reply, Stop};
use super::find;
use super::option::{CertificateRef, DayText, LongText, PersonRef, TaskRef};
use super::programme::text;
use crate::catalogue::Catalogue;
use crate::domain::certificate::CertificateFile;
use crate::domain::organisation::Person;
use crate::domain::record::{Record, RecordKind};
use crate::domain::task::{self, Task};
use crate::say;
use crate::store;

/// `/task ...`
#[derive(Debug, Clone, Subcommand)]
pub enum TaskCommand {
    /// List what the phases ask for, and what is carried over from earlier ones
    List(TaskList),
    /// Record that an activity is done
    Done(TaskDone),
    /// Waive an activity, with a reason
    Waive(TaskWaive),
}

/// `/change ...`
#[derive(Debug, Clone, Subcommand)]
pub enum ChangeCommand {
    /// Record a change, inside or outside
    Log(ChangeLog),
    /// List the changes
    List(ChangeList),
}

/// `/risk ...`
#[derive(Debug, Clone, Subcommand)]
pub enum RiskCommand {
    /// Record that the risks were looked at again
    Revisit(RiskRevisit),
    /// List the risk revisits
    List(RiskList),
}

/// `/training ...`
#[derive(Debug, Clone, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "one at a time, and clap's own")]
pub enum TrainingCommand {
    /// Record a training: who attended, who is missing
    Log(TrainingLog),
    /// List the trainings, and who is still missing
    List(TrainingList),
}

/// `/task list`
#[derive(Debug, Clone, Args)]
pub struct TaskList {
    /// Which certificate
    #[arg(long)]
    pub certificate: CertificateRef,
    /// Those that are done or waived as well, and those of phases to come
    #[arg(long, action = clap::ArgAction::Set)]
    pub all: Option<bool>,
}

/// `/task done`
#[derive(Debug, Clone, Args)]
pub struct TaskDone {
    /// Which certificate
    #[arg(long)]
    pub certificate: CertificateRef,
    /// Which activity
    #[arg(long)]
    pub task: TaskRef,
    /// What was done, and what shows it (asked for if left out)
    #[arg(long)]
    pub what: Option<LongText>,
    /// The day it was done (left out: today)
    #[arg(long)]
    pub date: Option<DayText>,
}

/// `/task waive`
#[derive(Debug, Clone, Args)]
pub struct TaskWaive {
    /// Which certificate
    #[arg(long)]
    pub certificate: CertificateRef,
    /// Which activity
    #[arg(long)]
    pub task: TaskRef,
    /// Why
    #[arg(long)]
    pub reason: String,
}

/// Whether a change is inside or outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Side {
    /// Inside: organisation, people, processes, technology
    Internal,
    /// Outside: law, customers, suppliers, climate, threats
    External,
}

/// `/change log`
#[derive(Debug, Clone, Args)]
pub struct ChangeLog {
    /// Inside or outside
    #[arg(long)]
    pub kind: Side,
    /// What has changed, and what it means for the system (asked for if left out)
    #[arg(long)]
    pub what: Option<LongText>,
    /// The day it changed (left out: today)
    #[arg(long)]
    pub date: Option<DayText>,
    /// For which certificate (left out: all)
    #[arg(long)]
    pub certificate: Option<CertificateRef>,
}

/// `/change list`
#[derive(Debug, Clone, Args)]
pub struct ChangeList {
    /// Only of this certificate
    #[arg(long)]
    pub certificate: Option<CertificateRef>,
}

/// `/risk revisit`
#[derive(Debug, Clone, Args)]
pub struct RiskRevisit {
    /// For which certificate (left out: all)
    #[arg(long)]
    pub certificate: Option<CertificateRef>,
    /// What was looked at, and what came of it (asked for if left out)
    #[arg(long)]
    pub what: Option<LongText>,
    /// The day (left out: today)
    #[arg(long)]
    pub date: Option<DayText>,
}

/// `/risk list`
#[derive(Debug, Clone, Args)]
pub struct RiskList {
    /// Only of this certificate
    #[arg(long)]
    pub certificate: Option<CertificateRef>,
}

/// `/training log`
#[derive(Debug, Clone, Args)]
pub struct TrainingLog {
    /// What it was about
    #[arg(long)]
    pub topic: String,
    /// The day (left out: today)
    #[arg(long)]
    pub date: Option<DayText>,
    /// Who attended, with commas between
    #[arg(long)]
    pub attended: Option<String>,
    /// Who should have attended and did not, with commas between
    #[arg(long)]
    pub missing: Option<String>,
    /// Who attended, picked
    #[arg(long)]
    pub person: Option<PersonRef>,
    /// Who else attended, picked
    #[arg(long)]
    pub person2: Option<PersonRef>,
    /// Who else attended, picked
    #[arg(long)]
    pub person3: Option<PersonRef>,
    /// Who is missing, picked
    #[arg(long)]
    pub absent: Option<PersonRef>,
    /// For which certificate (left out: all)
    #[arg(long)]
    pub certificate: Option<CertificateRef>,
    /// Anything else: contents, test, materials
    #[arg(long)]
    pub note: Option<String>,
}

/// `/training list`
#[derive(Debug, Clone, Args)]
pub struct TrainingList {
    /// Only of this certificate
    #[arg(long)]
    pub certificate: Option<CertificateRef>,
}

/// The activities of the current cycle's phases, in order.
pub(super) fn tasks(catalogue: &Catalogue, file: &CertificateFile, today: NaiveDate) -> Vec<Task> {
    let standard = catalogue.standard(&file.certificate.standard);
    let programme = standard.and_then(|s| catalogue.programme_of(s));
    standard.zip(programme).map(|(s, p)| task::tasks(s, p, file, today)).unwrap_or_default()
}

/// The activity that is meant: by its name, by the activity alone in the running phase, or by its title.
fn named(
    catalogue: &Catalogue,
    file: &CertificateFile,
    typed: &TaskRef,
    today: NaiveDate,
) -> Result<Task, Stop> {
    let all = tasks(catalogue, file, today);
    let wanted = typed.0.trim().to_lowercase();
    let begun = || all.iter().filter(|t| t.begins_on <= today);
    let fits =
        |t: &&Task| t.id.split('/').nth(1) == Some(wanted.as_str()) || t.title.to_lowercase() == wanted;
    let found = all
        .iter()
        .find(|t| t.id == wanted)
        // Of several with the same name, the running phase's; else the latest that is open.
        .or_else(|| begun().filter(fits).find(|t| t.ends_on >= today))
        .or_else(|| begun().filter(fits).rfind(|t| t.settled.is_none()))
        .or_else(|| all.iter().find(|t| !wanted.is_empty() && t.title.to_lowercase().contains(&wanted)));
    found.cloned().ok_or_else(|| Stop::Refused(say::work::no_task(&typed.0, file, &all, today)))
}

impl TaskList {
    pub(super) fn read(self, cx: &Read<'_>) -> Result<Reply, Stop> {
        let file = super::certificate::file(cx.snapshot, &self.certificate)?;
        let all = tasks(cx.catalogue, file, cx.today);
        Reply::private(say::work::tasks(file, &all, self.all.unwrap_or(false), cx.today))
    }
}

/// What is to be entered as a record.
pub(super) struct NewRecord {
    pub(super) kind: RecordKind,
    pub(super) certificate: Option<i64>,
    pub(super) subject: String,
    pub(super) on: NaiveDate,
    pub(super) words: String,
    pub(super) present: Vec<Person>,
    pub(super) absent: Vec<Person>,
}

/// Enters a record.
pub(super) async fn enter(cx: &mut Change<'_>, new: NewRecord) -> Result<Record, Stop> {
    let record = Record {
        id: 0,
        no: 0,
        kind: new.kind,
        certificate: new.certificate,
        subject: new.subject,
        on: new.on,
        words: new.words,
        present: new.present,
        absent: new.absent,
        by: cx.by.clone(),
        at: cx.now(),
        voided: None,
    };
    Ok(store::record::insert(&mut cx.w, cx.org.id, record).await?)
}

async fn settle(
    cx: &mut Change<'_>,
    certificate: &CertificateRef,
    typed: &TaskRef,
    kind: RecordKind,
    on: NaiveDate,
    words: String,
) -> Result<Reply, Stop> {
    let before = Arc::clone(&cx.before);
    let file = super::certificate::file(&before, certificate)?;
    let task = named(cx.catalogue, file, typed, cx.today)?;
    if let Some(settled) = &task.settled {
        return Err(Stop::Refused(say::work::task_settled(&task.title, settled)));
    }
    let new = NewRecord {
        kind,
        certificate: Some(file.certificate.id),
        subject: task.subject.clone(),
        on,
        words,
        present: Vec::new(),
        absent: Vec::new(),
    };
    let record = enter(cx, new).await?;
    let left = tasks(cx.catalogue, file, cx.today)
        .into_iter()
        .filter(|t| t.asked && t.settled.is_none() && t.begins_on <= cx.today && t.subject != task.subject)
        .count();
    Reply::told(&cx.org, say::work::task_done(&task, &record, left))
}

fn happened(cx: &Change<'_>, date: Option<&DayText>) -> Result<NaiveDate, Stop> {
    match date {
        Some(day) => Ok(find::past_day(day, cx.today, "date")?),
        None => Ok(cx.today),
    }
}

impl TaskDone {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let on = happened(cx, self.date.as_ref())?;
        let what = self.what.map(|t| t.0).unwrap_or_default();
        settle(cx, &self.certificate, &self.task, RecordKind::TaskDone, on, what).await
    }
}

impl TaskWaive {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let why = text(Some(self.reason)).ok_or_else(say::work::reason_needed)?;
        cx.reason = Some(why.clone());
        settle(cx, &self.certificate, &self.task, RecordKind::TaskWaived, cx.today, why).await
    }
}

fn certificate_id(cx: &Change<'_>, named: Option<&CertificateRef>) -> Result<Option<i64>, Stop> {
    Ok(named.map(|c| find::certificate(&cx.before.certificates, c)).transpose()?.map(|c| c.id))
}

async fn log(
    cx: &mut Change<'_>,
    kind: RecordKind,
    certificate: Option<&CertificateRef>,
    subject: &str,
    date: Option<&DayText>,
    words: String,
) -> Result<Reply, Stop> {
    let new = NewRecord {
        kind,
        certificate: certificate_id(cx, certificate)?,
        subject: subject.to_owned(),
        on: happened(cx, date)?,
        words,
        present: Vec::new(),
        absent: Vec::new(),
    };
    let record = enter(cx, new).await?;
    Reply::told(&cx.org, say::work::recorded(&record))
}

fn list(cx: &Read<'_>, kind: RecordKind, certificate: Option<&CertificateRef>) -> Result<Reply, Stop> {
    let only = certificate.map(|c| find::certificate(&cx.snapshot.certificates, c)).transpose()?;
    let records: Vec<&Record> = cx
        .snapshot
        .rest
        .records
        .iter()
        .filter(|r| r.kind == kind && only.is_none_or(|c| r.certificate.is_none_or(|id| id == c.id)))
        .collect();
    Reply::private(say::work::records(cx.org, kind, &records, &cx.snapshot.certificates))
}

impl ChangeLog {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let side = match self.kind {
            Side::Internal => "internal",
            Side::External => "external",
        };
        let what = self.what.map(|t| t.0).unwrap_or_default();
        log(cx, RecordKind::Change, self.certificate.as_ref(), side, self.date.as_ref(), what).await
    }
}

impl ChangeList {
    pub(super) fn read(self, cx: &Read<'_>) -> Result<Reply, Stop> {
        list(cx, RecordKind::Change, self.certificate.as_ref())
    }
}

impl RiskRevisit {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let what = self.what.map(|t| t.0).unwrap_or_default();
        log(cx, RecordKind::Risk, self.certificate.as_ref(), "risks", self.date.as_ref(), what).await
    }
}

impl RiskList {
    pub(super) fn read(self, cx: &Read<'_>) -> Result<Reply, Stop> {
        list(cx, RecordKind::Risk, self.certificate.as_ref())
    }
}

impl TrainingLog {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let topic = text(Some(self.topic)).ok_or_else(say::work::topic_needed)?;
        let mut words: Vec<String> = text(self.note).into_iter().collect();
        let (mut present, mut absent) = (Vec::new(), Vec::new());
        for (list, to, label) in
            [(&self.attended, &mut present, "attended"), (&self.missing, &mut absent, "missing")]
        {
            let mut unknown = Vec::new();
            for name in list.as_deref().into_iter().flat_map(find::parts) {
                match known(cx, name) {
                    Some(person) => to.push(person),
                    None => unknown.push(name),
                }
            }
            // People who are not in this server are kept by name.
            if !unknown.is_empty() {
                words.push(format!("{label}: {}", unknown.join(", ")));
            }
        }
        for who in [&self.person, &self.person2, &self.person3].into_iter().flatten() {
            present.push(cx.person(&who.0).await?);
        }
        if let Some(who) = &self.absent {
            absent.push(cx.person(&who.0).await?);
        }
        if present.is_empty() && absent.is_empty() && self.attended.is_none() && self.missing.is_none() {
            return Err(Stop::Refused(say::work::attended_needed()));
        }
        absent.retain(|a| !present.iter().any(|p: &Person| p.id == a.id));
        let new = NewRecord {
            kind: RecordKind::Training,
            certificate: certificate_id(cx, self.certificate.as_ref())?,
            subject: topic,
            on: happened(cx, self.date.as_ref())?,
            words: words.join("; "),
            present,
            absent,
        };
        let record = enter(cx, new).await?;
        Reply::told(&cx.org, say::work::recorded(&record))
    }
}

/// The person of the organisation that a name or a mention stands for.
fn known(cx: &Change<'_>, name: &str) -> Option<Person> {
    let bare = name.trim_start_matches(['<', '@', '!']).trim_end_matches('>');
    let lower = bare.to_lowercase();
    cx.before.people.iter().find(|p| p.handle == bare || p.name.to_lowercase() == lower).cloned()
}

impl TrainingList {
    pub(super) fn read(self, cx: &Read<'_>) -> Result<Reply, Stop> {
        list(cx, RecordKind::Training, self.certificate.as_ref())
    }
}
