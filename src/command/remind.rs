//! `/remind ...`: what people answer to reminders, why something was said or not, and reminders of their own.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use clap::{Args, Subcommand};

use super::app::{Change, Read, Reply, Request, Stop, manages};
use super::find;
use super::option::{ChannelRef, CronText, DayText, PersonRef, ReminderRef};
use super::programme::text;
use crate::catalogue::Catalogue;
use crate::domain::calendar::add_days;
use crate::domain::reminder::{Answer, OwnReminder, Response};
use crate::notify::due::{self, Facts, Kind, Occurrence, Talk, To};
use crate::notify::own::Timetable;
use crate::say;
use crate::say::remind::{Explained, Standing};
use crate::store;
use crate::store::notices::{self, Log};
use crate::store::snapshot::Snapshot;

/// How many days a snooze lasts at most.
const LONGEST_SNOOZE: u32 = 90;
/// How many days ahead a promise may lie.
const LONGEST_PROMISE: u32 = 366;
/// How many notices `/remind why` looks back on.
const LOOK_BACK: i64 = 12;

/// `/remind ...`
#[derive(Debug, Clone, Subcommand)]
pub enum RemindCommand {
    /// Acknowledge a reminder: it is silent until the day you promise
    Ack(Ack),
    /// Put a reminder off to a day, with the reason; a deadline of the rules cannot be put off
    Snooze(Snooze),
    /// Show what was asked and not answered, and what was answered until when
    List(List),
    /// Explain why something was said, or was not
    Why(Why),
    /// Be reminded of something of your own, again and again
    Every(Every),
    /// End a reminder of your own
    Stop(StopIt),
}

/// `/remind ack`
#[derive(Debug, Clone, Args)]
pub struct Ack {
    /// Which reminder: NC-12, ACT-4, A-3, C-1/S1_LATEST, or the mark at its foot
    #[arg(long)]
    pub reminder: ReminderRef,
    /// By when it will be dealt with (left out: by the day it is due)
    #[arg(long)]
    pub until: Option<DayText>,
    /// What you want to say to it
    #[arg(long)]
    pub note: Option<String>,
}

/// `/remind snooze`
#[derive(Debug, Clone, Args)]
pub struct Snooze {
    /// Which reminder: NC-12, ACT-4, A-3, MR-1, or the mark at its foot
    #[arg(long)]
    pub reminder: ReminderRef,
    /// Until when it is silent
    #[arg(long)]
    pub until: DayText,
    /// Why
    #[arg(long)]
    pub reason: String,
}

/// `/remind list`
#[derive(Debug, Clone, Args)]
pub struct List {
    /// Only what is asked of this person
    #[arg(long)]
    pub person: Option<PersonRef>,
    /// What was not spoken of yet as well
    #[arg(long, action = clap::ArgAction::Set)]
    pub all: Option<bool>,
}

/// `/remind why`
#[derive(Debug, Clone, Args)]
pub struct Why {
    /// Which reminder: NC-12, ACT-4, A-3, C-1, C-1/S1_LATEST, RM-1, or the mark at its foot
    #[arg(long)]
    pub reminder: ReminderRef,
}

/// `/remind every`
#[derive(Debug, Clone, Args)]
pub struct Every {
    /// When: minute hour day month weekday, such as 0 9 * * MON, in your time zone
    #[arg(long)]
    pub cron: CronText,
    /// What it says
    #[arg(long)]
    pub text: String,
    /// Whom it asks
    #[arg(long)]
    pub who: Option<PersonRef>,
    /// Where it is posted, if not in the server's channel
    #[arg(long)]
    pub channel: Option<ChannelRef>,
}

/// `/remind stop`
#[derive(Debug, Clone, Args)]
pub struct StopIt {
    /// Which one: RM-1
    #[arg(long)]
    pub reminder: ReminderRef,
}

/// The beginning of the subjects that a reference means: `NC-12` is `nc/12`, `C-1/S1_LATEST` is `cert/1/clock/S1_LATEST`.
fn beginning(typed: &str) -> Option<String> {
    let trimmed = typed.trim();
    let (head, rest) = trimmed.split_once('/').map_or((trimmed, None), |(h, r)| (h, Some(r.trim())));
    let lower = head.to_lowercase();
    let letters = lower.chars().take_while(char::is_ascii_alphabetic).count();
    let (kind, number) = lower.split_at_checked(letters)?;
    let no: i64 = number.trim_matches(['-', ' ', '#', '.']).parse().ok().filter(|n| *n > 0)?;
    let (noun, _) = due::SUBJECTS.iter().find(|(_, prefix)| prefix.eq_ignore_ascii_case(kind))?;
    let root = format!("{noun}/{no}");
    Some(match rest {
        None => root,
        Some(rest) if *noun == "cert" && rest.eq_ignore_ascii_case("stage-2") => format!("{root}/stage-2"),
        Some(rest) if *noun == "cert" => format!("{root}/clock/{}", rest.to_uppercase()),
        Some(rest) => format!("{root}/{}", rest.to_lowercase()),
    })
}

fn is_below(thread: &str, root: &str) -> bool {
    thread == root || thread.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'))
}

/// Everything that asks for something: one of each subject and date, as if nobody had answered.
fn subjects(catalogue: &Catalogue, on_record: &Snapshot) -> Vec<Occurrence> {
    let facts = Facts {
        organisation: &on_record.organisation,
        catalogue,
        files: on_record.files(),
        talk: Talk::default(),
    };
    let mut seen = BTreeSet::new();
    due::occurrences(facts, DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC)
        .into_iter()
        .filter(|o| o.about_on.is_some() && o.kind != Kind::Escalated)
        .filter(|o| seen.insert((o.thread.clone(), o.about_on)))
        .collect()
}

/// The names of what can be answered, for completion: name and what it is about.
pub(super) fn names(catalogue: &Catalogue, on_record: &Snapshot) -> Vec<(String, String)> {
    let own = on_record.rest.own.iter().filter(|o| o.ended_at.is_none());
    let own = own.map(|o| (format!("RM-{} · {} · {}", o.no, o.cron, o.words), format!("RM-{}", o.no)));
    let mut all = subjects(catalogue, on_record);
    all.sort_by_key(|o| o.about_on);
    all.iter()
        .map(|o| {
            let name = say::remind::name(&o.thread);
            (format!("{name} · {}", o.subject), name)
        })
        .chain(own)
        .collect()
}

/// The subjects that a reference means: by number and name, or by the mark at the foot of a message.
async fn meant(
    store: &store::Store,
    on_record: &Snapshot,
    all: &[Occurrence],
    typed: &str,
) -> Result<(Vec<Occurrence>, String), Stop> {
    let typed = typed.trim();
    if typed.starts_with("ck") {
        let keys = notices::keys_of(&mut *store.read().await?, on_record.organisation.id, typed).await?;
        let Some(first) = keys.first() else {
            return Err(Stop::Refused(say::remind::no_such(typed)));
        };
        let of = |o: &&Occurrence| {
            let about = o.about_on.map(|on| format!("{}/{on}/", o.thread)).unwrap_or_default();
            keys.iter().any(|key| key.starts_with(&about))
        };
        return Ok((all.iter().filter(of).cloned().collect(), first.clone()));
    }
    let Some(root) = beginning(typed) else { return Err(Stop::Refused(say::remind::no_such(typed))) };
    Ok((all.iter().filter(|o| is_below(&o.thread, &root)).cloned().collect(), root))
}

/// The subjects that somebody answers to: of those meant, the ones that they may answer.
async fn answering(cx: &Change<'_>, store: &store::Store, typed: &str) -> Result<Vec<Occurrence>, Stop> {
    let all = subjects(cx.catalogue, &cx.before);
    let (meant, root) = meant(store, &cx.before, &all, typed).await?;
    if meant.is_empty() {
        return Err(Stop::Refused(say::remind::nothing_asked(typed)));
    }
    if root.starts_with("cert/") && meant.len() > 1 && !typed.trim().starts_with("ck") {
        return Err(Stop::Refused(say::remind::which(typed, &meant)));
    }
    let (mine, others): (Vec<_>, Vec<_>) = meant.into_iter().partition(|o| may(cx.request, &cx.before, o));
    if let ([], Some(o)) = (mine.as_slice(), others.first()) {
        return Err(Stop::Refused(say::remind::not_yours(o, &cx.before.people)));
    }
    Ok(mine)
}

/// Whether somebody may answer: whoever is asked, and the managers.
fn may(request: &Request, on_record: &Snapshot, o: &Occurrence) -> bool {
    manages(&request.actor, &on_record.organisation)
        || matches!(&o.to, To::Person(handle) if *handle == request.actor.handle)
}

async fn answer(
    cx: &mut Change<'_>,
    asked: &[Occurrence],
    response: Response,
    until: impl Fn(&Occurrence) -> Result<NaiveDate, Stop>,
) -> Result<Reply, Stop> {
    let mut given = Vec::new();
    for o in asked {
        let Some(about_on) = o.about_on else { continue };
        let answer = Answer {
            id: 0,
            subject: o.thread.clone(),
            about_on,
            asked: o.to.id().map(ToOwned::to_owned),
            response: response.clone(),
            until: until(o)?,
            by: cx.by.clone(),
            at: cx.now(),
        };
        store::reminder::answer(&mut cx.w, cx.org.id, &answer).await?;
        given.push((o, answer));
    }
    Reply::told(&cx.org, say::remind::answered(&given, cx.today))
}

impl Ack {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let store = cx.store.clone();
        let asked = answering(cx, &store, &self.reminder.0).await?;
        let today = cx.today;
        let promised = self.until.as_ref().map(|d| find::day(d, today, "until")).transpose()?;
        if let Some(day) = promised {
            ahead(day, today, LONGEST_PROMISE)?;
        }
        let response = Response::Acknowledged { note: text(self.note) };
        answer(cx, &asked, response, |o| match (promised, o.about_on) {
            (Some(day), _) => Ok(day),
            (None, Some(due)) if due > today => Ok(due),
            (None, _) => Err(Stop::Refused(say::remind::until_needed(o))),
        })
        .await
    }
}

impl Snooze {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let store = cx.store.clone();
        let asked = answering(cx, &store, &self.reminder.0).await?;
        if let Some(clock) = asked.iter().find(|o| o.kind.is_of_a_clock()) {
            return Err(Stop::Refused(say::remind::never_snoozed(clock)));
        }
        let until = find::day(&self.until, cx.today, "until")?;
        ahead(until, cx.today, LONGEST_SNOOZE)?;
        let reason = text(Some(self.reason)).ok_or_else(say::work::reason_needed)?;
        cx.reason = Some(reason.clone());
        answer(cx, &asked, Response::Snoozed { reason }, |_| Ok(until)).await
    }
}

/// Refuses a day that is not ahead, or too far.
fn ahead(day: NaiveDate, today: NaiveDate, most: u32) -> Result<(), Stop> {
    if day <= today {
        return Err(Stop::Refused(say::remind::not_ahead(day, today)));
    }
    if day > add_days(today, most) {
        return Err(Stop::Refused(say::remind::too_far(day, most)));
    }
    Ok(())
}

/// What the outbox remembers, and what is due from here on, with these reminders of people's own.
async fn coming(cx: &Read<'_>, own: &[OwnReminder]) -> Result<(Log, Vec<Occurrence>), Stop> {
    let log = notices::log(&mut *cx.store.read().await?, cx.org.id).await?;
    let now = cx.request.at;
    let rest = &cx.snapshot.rest;
    let talk = Talk { now: Some(now), said: Some(&log.said), answers: &rest.answers, own };
    let facts = Facts { organisation: cx.org, catalogue: cx.catalogue, files: cx.snapshot.files(), talk };
    let coming = due::occurrences(facts, now, DateTime::<Utc>::MAX_UTC);
    Ok((log, coming))
}

/// Where an answerable subject stands.
fn standing<'a>(
    o: &'a Occurrence,
    log: &Log,
    answers: &'a [Answer],
    coming: &[Occurrence],
    today: NaiveDate,
) -> Standing<'a> {
    let begins = o.about_on.map(|on| format!("{}/{on}/", o.thread)).unwrap_or_default();
    let said = log.said.range(begins.clone()..).take_while(|(key, _)| key.starts_with(&begins));
    Standing {
        o,
        said: said.map(|(_, (at, _))| *at).max(),
        answer: answers.iter().rev().find(|a| due::answers(a, o) && a.until > today),
        next: coming.iter().find(|c| is_below(&c.thread, &o.thread)).map(|c| (c.due_on, c.kind)),
    }
}

impl List {
    pub(super) async fn read(self, cx: &Read<'_>) -> Result<Reply, Stop> {
        let (log, coming) = coming(cx, &[]).await?;
        let all = subjects(cx.catalogue, cx.snapshot);
        let wanted = self.person.as_ref().map(|p| p.0.trim_start_matches('@').to_owned());
        let known = |handle: &str| cx.snapshot.person(handle, None).map(|p| p.name.clone());
        let is = |o: &&Occurrence| match (&wanted, &o.to) {
            (None, _) => true,
            (Some(w), To::Person(handle)) => handle == w || known(handle).as_ref() == Some(w),
            (Some(_), To::Managers | To::Nobody) => false,
        };
        let mut stand: Vec<Standing<'_>> = all
            .iter()
            .filter(is)
            .map(|o| standing(o, &log, &cx.snapshot.rest.answers, &coming, cx.today))
            .filter(|s| self.all == Some(true) || s.said.is_some() || s.answer.is_some())
            .collect();
        stand.sort_by_key(|s| (s.answer.is_some(), s.o.about_on));
        let own: Vec<(&OwnReminder, Vec<DateTime<Utc>>)> = cx
            .snapshot
            .rest
            .own
            .iter()
            .filter(|o| o.ended_at.is_none() && wanted.is_none())
            .map(|o| {
                let table = Timetable::new(&o.cron, cx.org.zone, cx.request.at).ok();
                (o, table.map(|t| t.next_runs(cx.request.at, 1)).unwrap_or_default())
            })
            .collect();
        Reply::private(say::remind::list(cx.org, &cx.snapshot.people, &stand, &own, cx.today))
    }
}

impl Why {
    pub(super) async fn read(self, cx: &Read<'_>) -> Result<Reply, Stop> {
        let all = subjects(cx.catalogue, cx.snapshot);
        let (meant, root) = meant(cx.store, cx.snapshot, &all, &self.reminder.0).await?;
        let own = cx.snapshot.rest.own.iter().find(|o| root == format!("own/{}", o.no));
        let (log, coming) = coming(cx, own.map_or(&[], std::slice::from_ref)).await?;
        let mut c = cx.store.read().await?;
        let roots: Vec<String> = if meant.is_empty() || root.matches('/').count() <= 1 {
            vec![root.clone()]
        } else {
            meant.iter().map(|o| o.thread.clone()).collect()
        };
        let mut told = Vec::new();
        for of in &roots {
            told.extend(notices::told(&mut c, cx.org.id, of, LOOK_BACK).await?);
        }
        drop(c);
        if told.is_empty() && meant.is_empty() && own.is_none() {
            return Err(Stop::Refused(say::remind::nothing_asked(&self.reminder.0)));
        }
        let stand = meant
            .iter()
            .map(|o| standing(o, &log, &cx.snapshot.rest.answers, &coming, cx.today))
            .collect::<Vec<_>>();
        let next: Vec<&Occurrence> =
            coming.iter().filter(|c| roots.iter().any(|r| is_below(&c.thread, r))).take(4).collect();
        let holidays = cx.catalogue.holidays_of(cx.org);
        let explained = Explained { stand, told, next, own, holidays };
        Reply::private(say::remind::why(cx.org, &cx.snapshot.people, &explained, &self.reminder.0, cx.today))
    }
}

impl Every {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let zone = cx.org.zone;
        let cron = self.cron.0.split_whitespace().collect::<Vec<_>>().join(" ");
        let table = Timetable::new(&cron, zone, cx.now())
            .map_err(|why| Stop::Refused(say::remind::untimely(&cron, &why)))?;
        let words = text(Some(self.text)).ok_or_else(say::remind::words_needed)?;
        let before = Arc::clone(&cx.before);
        let asks = match &self.who {
            Some(who) => Some(cx.person(&who.0).await?),
            None => None,
        };
        if self.channel.is_none() && before.organisation.channel.is_none() {
            return Err(Stop::Refused(say::remind::channel_needed()));
        }
        let new = OwnReminder {
            id: 0,
            no: 0,
            cron,
            words,
            channel: self.channel.as_ref().map(|c| cx.channel(c)).transpose()?,
            asks,
            by: cx.by.clone(),
            at: cx.now(),
            ended_at: None,
        };
        let own = store::reminder::insert_own(&mut cx.w, cx.org.id, new).await?;
        let runs = table.next_runs(cx.now(), 3);
        let hours = cx.catalogue.hours(&cx.org);
        let runs: Vec<(DateTime<Utc>, DateTime<Utc>)> =
            runs.into_iter().map(|run| (run, hours.this_or_next_instant(run))).collect();
        let missing = own
            .channel
            .as_ref()
            .and_then(|c| cx.request.heard.channels.get(c))
            .and_then(|c| c.missing.clone());
        Reply::told(&cx.org, say::remind::entered(&own, &runs, &cx.org, missing.as_deref()))
    }
}

impl StopIt {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let before = Arc::clone(&cx.before);
        let root = beginning(&self.reminder.0);
        let own = before.rest.own.iter().find(|o| root == Some(format!("own/{}", o.no)));
        let Some(own) = own else { return Err(Stop::Refused(say::remind::no_own(&self.reminder.0))) };
        if own.ended_at.is_some() {
            return Err(Stop::Refused(say::remind::ended_already(own)));
        }
        let ended = OwnReminder { ended_at: Some(cx.now()), ..own.clone() };
        store::reminder::update_own(&mut cx.w, cx.org.id, &ended).await?;
        Reply::told(&cx.org, say::remind::stopped(&ended))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reminder_is_named_as_people_type_it() {
        for (typed, root) in [
            ("NC-12", "nc/12"),
            ("nc 12", "nc/12"),
            ("NC-12/Action", "nc/12/action"),
            ("act4", "action/4"),
            ("A-3", "audit/3"),
            ("MR-1", "review/1"),
            ("C-1/s1_latest", "cert/1/clock/S1_LATEST"),
            ("C-1/SURV_CALENDAR_YEAR/2027", "cert/1/clock/SURV_CALENDAR_YEAR/2027"),
            ("c-1/stage-2", "cert/1/stage-2"),
            ("RM-1", "own/1"),
        ] {
            assert_eq!(beginning(typed).as_deref(), Some(root), "{typed}");
            let name = say::remind::name(root);
            assert_eq!(beginning(&name).as_deref(), Some(root), "{name}");
        }
        for typed in ["", "NC", "NC-0", "12", "NC--", "X-1", "é-1"] {
            assert_eq!(beginning(typed), None, "{typed}");
        }
        assert!(is_below("nc/12/due", "nc/12") && !is_below("nc/120/due", "nc/12"));
    }
}
