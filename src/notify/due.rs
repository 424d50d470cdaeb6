//! What is due: a pure function of what is on record and the instant. The same code plans the reminders that are
//! posted, the preview of a cycle and the simulation, so that none can say what the others do not.
//!
//! Every notice has a key that says what is said, never when it is posted: whatever was said once is not said again
//! when the hour or the zone changes, after a restart or when the clock is set back.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta, Utc};

use super::own;
use crate::catalogue::Catalogue;
use crate::domain::audit::{AuditKind, AuditState};
use crate::domain::calendar::{self, add_days, at_hour, sub_days};
use crate::domain::certificate::{Certificate, CertificateFile, Cycle};
use crate::domain::clocks::{self, Clock, ClockState, Rule};
use crate::domain::nonconformity::Nonconformity;
use crate::domain::organisation::{Escalation, Organisation, Person};
use crate::domain::programme::Programme;
use crate::domain::reminder::{Answer, OwnReminder, Response};
use crate::domain::review::{Review, ReviewState};
use crate::domain::standard::Standard;
use crate::domain::workdays::Hours;

/// What is reminded of: how a thread of it begins, and how people call it (`nc/12` is `NC-12`).
pub const SUBJECTS: [(&str, &str); 6] =
    [("nc", "NC"), ("action", "ACT"), ("audit", "A"), ("review", "MR"), ("cert", "C"), ("own", "RM")];

/// What is on record for an organisation.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The organisation.
    pub organisation: &'a Organisation,
    /// The standards and programmes.
    pub catalogue: &'a Catalogue,
    /// Its certificates.
    pub files: &'a [CertificateFile],
    /// What passed between it and its people.
    pub talk: Talk<'a>,
}

/// What was said to people, what they answered, and what they want to be told beside.
#[derive(Debug, Clone, Copy, Default)]
pub struct Talk<'a> {
    /// Now. What was due by then and is not in `said` was not said; what falls due after it is taken to be said then.
    pub now: Option<DateTime<Utc>>,
    /// What was said, by key.
    pub said: Option<&'a Said>,
    /// What was answered.
    pub answers: &'a [Answer],
    /// Reminders of people's own.
    pub own: &'a [OwnReminder],
}

/// What was said, by key: when, and whom it asked (see [`To::id`]).
pub type Said = BTreeMap<String, (DateTime<Utc>, Option<String>)>;

/// Whom a notice asks to act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// Nobody: it tells something.
    Nobody,
    /// The managers.
    Managers,
    /// A person, by the chat's id.
    Person(String),
}

impl To {
    /// By what the outbox remembers whom it asked.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Nobody => None,
            Self::Managers => Some("managers"),
            Self::Person(handle) => Some(handle),
        }
    }
}

/// The kinds of notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A phase begins.
    PhaseBegins,
    /// A clock's limit comes near.
    ClockNear,
    /// A clock was missed.
    ClockOverdue,
    /// A nonconformity's due date comes near.
    NcNear,
    /// A nonconformity is overdue.
    NcOverdue,
    /// A corrective action's due date comes near.
    ActionNear,
    /// A corrective action is overdue.
    ActionOverdue,
    /// The effectiveness of an action that was done is to be verified.
    VerifyDue,
    /// The booked stage 2 comes near.
    StageTwoNear,
    /// The certification body is to be booked.
    StartBy,
    /// A planned audit comes near.
    AuditNear,
    /// A planned audit was not held on its day.
    AuditOverdue,
    /// A planned management review comes near.
    ReviewNear,
    /// A planned management review was not held on its day.
    ReviewOverdue,
    /// Where a certificate stands that was entered after its cycle began.
    Stands,
    /// A channel does not take reminders: said in another one.
    ChannelParked,
    /// The day until which somebody had answered has come.
    Promised,
    /// Nobody answered a late reminder.
    Escalated,
    /// A reminder of somebody's own.
    Own,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 19] = [
        Self::PhaseBegins,
        Self::ClockNear,
        Self::ClockOverdue,
        Self::NcNear,
        Self::NcOverdue,
        Self::ActionNear,
        Self::ActionOverdue,
        Self::VerifyDue,
        Self::StageTwoNear,
        Self::StartBy,
        Self::AuditNear,
        Self::AuditOverdue,
        Self::ReviewNear,
        Self::ReviewOverdue,
        Self::Stands,
        Self::ChannelParked,
        Self::Promised,
        Self::Escalated,
        Self::Own,
    ];

    /// Its stable id.
    pub fn id(self) -> &'static str {
        match self {
            Self::PhaseBegins => "phase-begins",
            Self::ClockNear => "clock-near",
            Self::ClockOverdue => "clock-overdue",
            Self::NcNear => "nc-near",
            Self::NcOverdue => "nc-overdue",
            Self::ActionNear => "action-near",
            Self::ActionOverdue => "action-overdue",
            Self::VerifyDue => "verify-due",
            Self::StageTwoNear => "stage-2-near",
            Self::StartBy => "start-by",
            Self::AuditNear => "audit-near",
            Self::AuditOverdue => "audit-overdue",
            Self::ReviewNear => "review-near",
            Self::ReviewOverdue => "review-overdue",
            Self::Stands => "stands",
            Self::ChannelParked => "channel-parked",
            Self::Promised => "promised",
            Self::Escalated => "escalated",
            Self::Own => "own",
        }
    }

    /// Whether it asks for something that was not done in time: unanswered, it escalates.
    pub fn is_late(self) -> bool {
        match self {
            Self::ClockOverdue
            | Self::NcOverdue
            | Self::ActionOverdue
            | Self::VerifyDue
            | Self::StartBy
            | Self::AuditOverdue
            | Self::ReviewOverdue
            | Self::Promised => true,
            Self::PhaseBegins
            | Self::ClockNear
            | Self::NcNear
            | Self::ActionNear
            | Self::StageTwoNear
            | Self::AuditNear
            | Self::ReviewNear
            | Self::Stands
            | Self::ChannelParked
            | Self::Escalated
            | Self::Own => false,
        }
    }

    /// Whether it speaks of a normative clock or of the way to one: never to be silenced.
    pub fn is_of_a_clock(self) -> bool {
        matches!(self, Self::ClockNear | Self::ClockOverdue | Self::StartBy)
    }

    /// The kind with this id.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.id() == id)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// What a notice says: what its wording needs beside the records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A phase begins.
    PhaseBegins {
        /// The number of the cycle.
        cycle: u32,
        /// The phase's id.
        phase: String,
        /// Its first day.
        begins_on: NaiveDate,
        /// Its last day.
        ends_on: NaiveDate,
    },
    /// A clock's limit comes near.
    ClockNear {
        /// The clock, running.
        clock: Clock,
        /// How many days are left.
        days_left: u32,
    },
    /// A clock was missed.
    ClockOverdue {
        /// The clock, missed.
        clock: Clock,
        /// How many days ago its limit was.
        days_over: u32,
    },
    /// A nonconformity's due date comes near.
    NcNear {
        /// The due date.
        until: NaiveDate,
        /// How many days are left.
        days_left: u32,
    },
    /// A nonconformity is overdue.
    NcOverdue {
        /// The due date.
        until: NaiveDate,
        /// How many days ago that was.
        days_over: u32,
    },
    /// A corrective action's due date comes near.
    ActionNear {
        /// The action's number; none where it is the one planned for the nonconformity itself.
        action: Option<i64>,
        /// The due date.
        until: NaiveDate,
        /// How many days are left.
        days_left: u32,
    },
    /// A corrective action is overdue.
    ActionOverdue {
        /// The action's number; none where it is the one planned for the nonconformity itself.
        action: Option<i64>,
        /// The due date.
        until: NaiveDate,
        /// How many days ago that was.
        days_over: u32,
    },
    /// The effectiveness of an action is to be verified.
    VerifyDue {
        /// The day on which the action was reported done.
        done_on: NaiveDate,
    },
    /// The booked stage 2 comes near.
    StageTwoNear {
        /// Its last day.
        on: NaiveDate,
        /// How many days are left.
        days_left: u32,
    },
    /// The certification body is to be booked.
    StartBy {
        /// The clock that it is for, running.
        clock: Clock,
    },
    /// A planned audit comes near.
    AuditNear {
        /// Its number.
        audit: i64,
        /// Its first day.
        on: NaiveDate,
        /// How many days are left.
        days_left: u32,
    },
    /// A planned audit was not held on its day.
    AuditOverdue {
        /// Its number.
        audit: i64,
        /// Its last day.
        on: NaiveDate,
        /// How many days ago that was.
        days_over: u32,
    },
    /// A planned management review comes near.
    ReviewNear {
        /// Its number.
        review: i64,
        /// Its day.
        on: NaiveDate,
        /// How many days are left.
        days_left: u32,
    },
    /// A planned management review was not held on its day.
    ReviewOverdue {
        /// Its number.
        review: i64,
        /// Its day.
        on: NaiveDate,
        /// How many days ago that was.
        days_over: u32,
    },
    /// Where a certificate stands.
    Stands {
        /// The number of the cycle.
        cycle: u32,
    },
    /// A channel does not take reminders.
    ChannelParked {
        /// The channel.
        channel: String,
        /// Why, in words.
        why: String,
        /// How many reminders wait for it.
        waiting: i64,
    },
    /// The day until which somebody had answered has come.
    Promised {
        /// What it was about.
        of: Box<Self>,
        /// Who had answered, with the name they go by.
        by: (String, String),
        /// Whether it was snoozed (else acknowledged).
        snoozed: bool,
    },
    /// Nobody answered a late reminder.
    Escalated {
        /// What it was about.
        of: Box<Self>,
        /// Since when nobody answered.
        since: NaiveDate,
        /// Whom it had asked, by the chat's id; none where it was the managers.
        asked: Option<String>,
    },
    /// A reminder of somebody's own.
    Own {
        /// Its number.
        no: i64,
        /// What it says.
        words: String,
    },
}

impl What {
    /// The clock that it is about at bottom, if it is about one.
    pub fn clock(&self) -> Option<&Clock> {
        match self.root() {
            Self::ClockNear { clock, .. } | Self::ClockOverdue { clock, .. } | Self::StartBy { clock } => {
                Some(clock)
            }
            Self::PhaseBegins { .. }
            | Self::NcNear { .. }
            | Self::NcOverdue { .. }
            | Self::ActionNear { .. }
            | Self::ActionOverdue { .. }
            | Self::VerifyDue { .. }
            | Self::StageTwoNear { .. }
            | Self::AuditNear { .. }
            | Self::AuditOverdue { .. }
            | Self::ReviewNear { .. }
            | Self::ReviewOverdue { .. }
            | Self::Stands { .. }
            | Self::ChannelParked { .. }
            | Self::Promised { .. }
            | Self::Escalated { .. }
            | Self::Own { .. } => None,
        }
    }

    /// What it is about at bottom: of an escalation, the reminder that nobody answered.
    pub fn root(&self) -> &Self {
        match self {
            Self::Promised { of, .. } | Self::Escalated { of, .. } => of.root(),
            Self::PhaseBegins { .. }
            | Self::ClockNear { .. }
            | Self::ClockOverdue { .. }
            | Self::NcNear { .. }
            | Self::NcOverdue { .. }
            | Self::ActionNear { .. }
            | Self::ActionOverdue { .. }
            | Self::VerifyDue { .. }
            | Self::StageTwoNear { .. }
            | Self::StartBy { .. }
            | Self::AuditNear { .. }
            | Self::AuditOverdue { .. }
            | Self::ReviewNear { .. }
            | Self::ReviewOverdue { .. }
            | Self::Stands { .. }
            | Self::ChannelParked { .. }
            | Self::Own { .. } => self,
        }
    }

    /// The kind of notice.
    pub fn kind(&self) -> Kind {
        match self {
            Self::PhaseBegins { .. } => Kind::PhaseBegins,
            Self::ClockNear { .. } => Kind::ClockNear,
            Self::ClockOverdue { .. } => Kind::ClockOverdue,
            Self::NcNear { .. } => Kind::NcNear,
            Self::NcOverdue { .. } => Kind::NcOverdue,
            Self::ActionNear { .. } => Kind::ActionNear,
            Self::ActionOverdue { .. } => Kind::ActionOverdue,
            Self::VerifyDue { .. } => Kind::VerifyDue,
            Self::StageTwoNear { .. } => Kind::StageTwoNear,
            Self::StartBy { .. } => Kind::StartBy,
            Self::AuditNear { .. } => Kind::AuditNear,
            Self::AuditOverdue { .. } => Kind::AuditOverdue,
            Self::ReviewNear { .. } => Kind::ReviewNear,
            Self::ReviewOverdue { .. } => Kind::ReviewOverdue,
            Self::Stands { .. } => Kind::Stands,
            Self::ChannelParked { .. } => Kind::ChannelParked,
            Self::Promised { .. } => Kind::Promised,
            Self::Escalated { .. } => Kind::Escalated,
            Self::Own { .. } => Kind::Own,
        }
    }
}

/// A notice that is due at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// What is said, unique in the organisation.
    pub key: String,
    /// Its kind.
    pub kind: Kind,
    /// The phase's id, where it is about one.
    pub phase: Option<String>,
    /// The certificate, by database key, where it is about one.
    pub certificate: Option<i64>,
    /// The nonconformity, by database key, where it is about one.
    pub nc: Option<i64>,
    /// The local day on which it is due.
    pub due_on: NaiveDate,
    /// The instant at which it is due.
    pub due_at: DateTime<Utc>,
    /// Its subject: a later notice of the same thread makes an earlier one moot that was not said yet.
    pub thread: String,
    /// The date that it is about, where it asks for something by then: together with the subject what people answer to.
    pub about_on: Option<NaiveDate>,
    /// Whom it asks.
    pub to: To,
    /// Until when it is silent, where somebody has answered: it is taken for said.
    pub silent_until: Option<NaiveDate>,
    /// Where it is posted, if not where the certificate's reminders are.
    pub channel: Option<String>,
    /// What it says.
    pub what: What,
    /// What it is about, in a line.
    pub subject: String,
    /// What it says, in a line.
    pub title: String,
}

/// The notices that fall due from one instant to another, both included, by instant and key: as things are on
/// record, and as they will be if nothing more is recorded. What has been dealt with has none.
pub fn occurrences(facts: Facts<'_>, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Occurrence> {
    let mut out = of_dates(facts, from, to);
    out.retain(|o| o.silent_until.is_none());
    out.extend(own::between(facts, from, to));
    sorted(out)
}

/// Everything that is due by an instant, what an answer silences included (whoever is asked next is not to be told of it
/// as if it were late): of people's own reminders the latest, which stands for those before it.
pub fn due(facts: Facts<'_>, now: DateTime<Utc>) -> Vec<Occurrence> {
    let mut out = of_dates(facts, DateTime::<Utc>::MIN_UTC, now);
    out.extend(own::latest(facts, now));
    sorted(out)
}

/// The next instant after this one at which a notice falls due.
pub fn next_after(facts: Facts<'_>, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let from = after.checked_add_signed(TimeDelta::nanoseconds(1))?;
    let dated = of_dates(facts, from, DateTime::<Utc>::MAX_UTC);
    dated.iter().map(|o| o.due_at).chain(own::next(facts, after)).min()
}

fn sorted(mut out: Vec<Occurrence>) -> Vec<Occurrence> {
    out.sort_by(|one, other| (one.due_at, &one.key).cmp(&(other.due_at, &other.key)));
    out
}

/// The notices that follow from dates on record.
fn of_dates(facts: Facts<'_>, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Occurrence> {
    // Where answers count, what lies before the window and after it decides what is said in it.
    let escalation = facts.organisation.manners.escalation;
    let whole = escalation.is_some() || !facts.talk.answers.is_empty();
    let window = if whole { (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC) } else { (from, to) };
    let mut plan = Plan {
        organisation: facts.organisation,
        hours: facts.hours(),
        answers: facts.talk.answers.iter().map(|a| ((a.subject.as_str(), a.about_on), a)).collect(),
        from: window.0,
        to: window.1,
        out: Vec::new(),
    };
    for file in facts.files {
        plan.file(facts, file);
    }
    let mut out = plan.out;
    out.retain(|o| o.due_at >= from && o.due_at <= to);
    sorted(out)
}

impl Facts<'_> {
    /// When the organisation may be spoken to.
    pub(super) fn hours(&self) -> Hours<'_> {
        self.catalogue.hours(self.organisation)
    }
}

/// The notices planned so far, for a window.
struct Plan<'a> {
    organisation: &'a Organisation,
    hours: Hours<'a>,
    /// The latest answer of each subject and date.
    answers: HashMap<(&'a str, NaiveDate), &'a Answer>,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    out: Vec<Occurrence>,
}

/// What a notice is about.
struct About<'a> {
    certificate: &'a Certificate,
    nc: Option<i64>,
    thread: String,
    on: Option<NaiveDate>,
    to: To,
}

/// What a notice says: its key, what, and what it is about, with how far that is away.
struct Say {
    key: String,
    what: What,
    subject: String,
    tail: String,
}

/// A date that notices lead to and follow.
struct Limit<'a> {
    day: NaiveDate,
    /// Before this day there are none.
    begins_on: NaiveDate,
    /// After this day there are none.
    lapses_on: Option<NaiveDate>,
    known_at: DateTime<Utc>,
    leads: &'a [u32],
    overdue: &'a [u32],
}

impl Plan<'_> {
    fn file(&mut self, facts: Facts<'_>, file: &CertificateFile) {
        let catalogue = facts.catalogue;
        let certificate = &file.certificate;
        // A standard of somebody's own may have left the catalogue: its certificates are reminded all the same.
        let standard = catalogue.standard(&certificate.standard);
        let programme =
            standard.and_then(|standard| catalogue.programme_of(standard)).or(catalogue.programmes.first());
        let Some(programme) = programme else { return };
        let withdrawn = file.withdrawn_on();
        let begun = self.out.len();
        for cycle in &certificate.cycles {
            self.cycle(programme, certificate, cycle);
        }
        self.stage_two(programme, file);
        self.clocks(standard, programme, file);
        for nc in &file.nonconformities {
            self.nonconformity(programme, certificate, nc);
        }
        self.programme(programme, file);
        self.actions(programme, file);
        let mut told = self.out.split_off(begun);
        self.answered(certificate, &mut told);
        if let Some(rule) = self.organisation.manners.escalation {
            self.escalate(facts.talk, rule, certificate, &mut told);
        }
        // Once it is withdrawn, nothing is asked for any more.
        told.retain(|o| withdrawn.is_none_or(|on| o.due_on <= on));
        self.out.append(&mut told);
    }

    /// The answer that counts for a notice.
    fn answer_to(&self, o: &Occurrence) -> Option<&Answer> {
        let answer = self.answers.get(&(o.thread.as_str(), o.about_on?)).copied()?;
        answers(answer, o).then_some(answer)
    }

    /// The day on which what was answered is spoken of again, and the instant.
    fn again(&self, answer: &Answer) -> (NaiveDate, DateTime<Utc>) {
        let day = self.hours.this_or_next(answer.until);
        (day, self.due_at(day))
    }

    /// What was answered is silent until the day that was named, and spoken of again on it. A clock is never silenced.
    fn answered(&self, certificate: &Certificate, told: &mut Vec<Occurrence>) {
        let mut nearest: BTreeMap<(&str, NaiveDate), (&Answer, &Occurrence)> = BTreeMap::new();
        for o in told.iter() {
            let Some(answer) = self.answer_to(o) else { continue };
            let (_, due_at) = self.again(answer);
            // As it will stand then: before its date, or after it.
            let far = |o: &Occurrence| (o.due_at > due_at, o.due_at.signed_duration_since(due_at).abs());
            let of = nearest.entry((&answer.subject, answer.about_on)).or_insert((answer, o));
            if far(o) < far(of.1) {
                of.1 = o;
            }
        }
        let again = nearest.into_values().filter_map(|(answer, of)| {
            let (due_on, due_at) = self.again(answer);
            (due_at > answer.at).then(|| Occurrence {
                key: format!("{}/{}/until/{}", answer.subject, answer.about_on, answer.until),
                kind: Kind::Promised,
                due_on,
                due_at,
                title: format!("{}: {}, answered until today", certificate.name, of.subject),
                what: What::Promised {
                    of: Box::new(of.what.clone()),
                    by: (answer.by.handle.clone(), answer.by.name.clone()),
                    snoozed: matches!(answer.response, Response::Snoozed { .. }),
                },
                ..of.clone()
            })
        });
        let again: Vec<Occurrence> = again.collect();
        for o in told.iter_mut().filter(|o| !o.kind.is_of_a_clock()) {
            let answer = self.answer_to(o).filter(|a| o.due_at > a.at && o.due_at < self.again(a).1);
            o.silent_until = answer.map(|a| a.until);
        }
        told.extend(again);
    }

    /// What was asked late and nobody answered goes up: to the managers, then to the escalation channel. It is counted
    /// in working days from when it was said to whoever is asked now; what they answered begins the count anew on the
    /// day that they named.
    fn escalate(
        &self,
        talk: Talk<'_>,
        rule: Escalation,
        certificate: &Certificate,
        told: &mut Vec<Occurrence>,
    ) {
        let mut subjects: BTreeMap<(&str, NaiveDate), Vec<&Occurrence>> = BTreeMap::new();
        for o in told.iter().filter(|o| o.kind.is_late() && o.silent_until.is_none()) {
            if let Some(on) = o.about_on {
                subjects.entry((&o.thread, on)).or_default().push(o);
            }
        }
        let ruled_on = self.organisation.day_of(rule.known_at);
        let mut up = Vec::new();
        for ((thread, on), mut late) in subjects {
            late.sort_by_key(|o| o.due_at);
            let said_at = |o: &Occurrence| match talk.said.and_then(|said| said.get(&o.key)) {
                // An earlier release did not take down whom it asked.
                Some((at, asked)) => {
                    asked.as_deref().is_none_or(|asked| Some(asked) == o.to.id()).then_some(*at)
                }
                None => talk.now.is_none_or(|now| o.due_at > now).then_some(o.due_at),
            };
            let unanswered = late.iter().find_map(|o| {
                let at = said_at(o)?;
                self.answer_to(o).is_none_or(|a| at > a.at && o.due_at >= self.again(a).1).then_some((*o, at))
            });
            let Some((o, at)) = unanswered else { continue };
            // Once a step was said the count stands, whatever becomes of the zone or of the rule.
            let root = format!("{thread}/{on}/escalated/");
            let counted = talk.said.and_then(|said| {
                let steps = said.range(root.clone()..).take_while(|(key, _)| key.starts_with(&root));
                let since = |key: &str| key.get(root.len()..)?.split('/').next()?.parse::<NaiveDate>().ok();
                steps.filter(|(_, (then, _))| *then > at).filter_map(|(key, _)| since(key)).max()
            });
            let since = counted.unwrap_or_else(|| self.organisation.day_of(at).max(ruled_on));
            let asked = match &o.to {
                To::Person(handle) => Some(handle.clone()),
                To::Managers | To::Nobody => None,
            };
            let elsewhere = self.organisation.manners.escalation_channel.as_ref();
            for (step, channel) in [(1, None), (2, elsewhere)] {
                if step == 2 && elsewhere.is_none() {
                    break;
                }
                let due_on = self.hours.later(since, rule.after.saturating_mul(step));
                let due_on = due_on.max(self.hours.later(ruled_on, rule.after));
                up.push(Occurrence {
                    key: format!("{root}{since}/{step}"),
                    kind: Kind::Escalated,
                    due_on,
                    due_at: self.due_at(due_on),
                    // Each step is read by somebody else: none says it for the other.
                    thread: format!("{thread}/escalated/{step}"),
                    to: To::Managers,
                    channel: channel.cloned(),
                    title: format!("{}: {}, no answer since {since}", certificate.name, o.subject),
                    what: What::Escalated {
                        of: Box::new(o.what.root().clone()),
                        since,
                        asked: asked.clone(),
                    },
                    ..o.clone()
                });
            }
        }
        told.append(&mut up);
    }

    /// The phases of a cycle, from when its calendar became known.
    fn cycle(&mut self, programme: &Programme, certificate: &Certificate, cycle: &Cycle) {
        let root = cycle_key(certificate, cycle);
        let about = |to: To| {
            move || About {
                certificate,
                nc: None,
                thread: format!("cert/{}/phases", certificate.no),
                on: None,
                to: to.clone(),
            }
        };
        let mut began_earlier = false;
        for dates in calendar::phase_dates(programme, cycle) {
            let phase = dates.phase;
            if self.due_at(dates.begins_on) < cycle.known_at {
                began_earlier = true;
                continue;
            }
            let what = || What::PhaseBegins {
                cycle: cycle.n,
                phase: phase.id.clone(),
                begins_on: dates.begins_on,
                ends_on: dates.ends_on,
            };
            let on = self.hours.this_or_next(dates.begins_on);
            self.dated(on, cycle.known_at, about(asks(None, certificate)), || {
                Say::of(
                    format!("{root}/phase/{}/begins", phase.id),
                    what(),
                    format!("{} begins", phase.title),
                )
            });
        }
        let entered_on = self.organisation.day_of(cycle.known_at);
        let over = certificate.cycle_after(cycle.n).is_some_and(|next| next.anchor <= entered_on);
        if began_earlier && !over {
            self.at(entered_on, cycle.known_at, about(To::Nobody), || {
                Say::of(
                    format!("{root}/stands"),
                    What::Stands { cycle: cycle.n },
                    "where it stands".to_owned(),
                )
            });
        }
    }

    /// The booked stage 2 of a certificate that is not decided yet.
    fn stage_two(&mut self, programme: &Programme, file: &CertificateFile) {
        let certificate = &file.certificate;
        let Some(on) = certificate.stage2_on.filter(|_| certificate.cycles.is_empty()) else { return };
        if file.audits.iter().any(|audit| audit.kind == AuditKind::Stage2) {
            return;
        }
        let key = format!("cert/{}/stage-2", certificate.no);
        let limit = Limit {
            day: on,
            begins_on: NaiveDate::MIN,
            lapses_on: None,
            known_at: certificate.stage2_known_at,
            leads: &programme.leads.booked,
            overdue: &[],
        };
        self.series(
            &limit,
            || About {
                certificate,
                nc: None,
                thread: key.clone(),
                on: Some(on),
                to: asks(None, certificate),
            },
            &key,
            |days_left| (What::StageTwoNear { on, days_left }, format!("stage 2 audit on {on}")),
            |_| None,
        );
    }

    /// The clocks that are not met.
    fn clocks(&mut self, standard: Option<&Standard>, programme: &Programme, file: &CertificateFile) {
        let certificate = &file.certificate;
        let zone = self.organisation.zone;
        let all = clocks::all(file, standard, programme, zone, NaiveDate::MIN);
        for clock in all.iter().filter(|clock| clock.is_open() && clock.rule.is_dated()) {
            // A nonconformity that is due by the body's limit, or before, is reminded of by its own date.
            let own = file.nonconformities.iter().find(|nc| Some(nc.id) == clock.nc);
            if clock.rule == Rule::CbNcClose && own.is_some_and(|nc| nc.due_on <= clock.limit) {
                continue;
            }
            let thread = format!("cert/{}/clock/{}", certificate.no, clock.thread());
            let title = clock.title();
            let limit = Limit {
                day: clock.limit,
                begins_on: clock.begins_on,
                lapses_on: clock.lapses_on,
                known_at: clock.known_at,
                leads: programme.leads.clock(clock.rule.id()),
                overdue: &programme.leads.overdue,
            };
            let day = clock.limit;
            if let Some(days) = programme.leads.start_by.get(clock.rule.id()).copied()
                && !booked_for(file, clock)
            {
                let due_on = sub_days(day, days);
                if due_on >= clock.begins_on && clock.lapses_on.is_none_or(|last| due_on <= last) {
                    let about = || About {
                        certificate,
                        nc: None,
                        thread: thread.clone(),
                        on: Some(day),
                        to: asks(None, certificate),
                    };
                    let due_on = self.lead_on(due_on, day, clock.known_at);
                    self.dated(due_on, clock.known_at, about, || {
                        let clock = Clock { state: ClockState::Running, ..clock.clone() };
                        let words = format!("book the certification body now: {title} by {day}");
                        Say::of(format!("{thread}/{day}/start-by"), What::StartBy { clock }, words)
                    });
                }
            }
            self.series(
                &limit,
                || About {
                    certificate,
                    nc: clock.nc,
                    thread: thread.clone(),
                    on: Some(day),
                    to: asks(None, certificate),
                },
                &thread,
                |days_left| {
                    let clock = Clock { state: ClockState::Running, ..clock.clone() };
                    (What::ClockNear { clock, days_left }, format!("{title} by {day}"))
                },
                |days_over| {
                    let clock = Clock { state: ClockState::Missed, ..clock.clone() };
                    Some((What::ClockOverdue { clock, days_over }, format!("{title} by {day}")))
                },
            );
        }
    }

    /// The dates of an open nonconformity: its own, its action's, and that of the effectiveness review.
    fn nonconformity(&mut self, programme: &Programme, certificate: &Certificate, nc: &Nonconformity) {
        let progress = nc.progress();
        if progress.closed.is_some() {
            return;
        }
        let no = nc.no;
        let about = |part: &str, on: NaiveDate, to: To| About {
            certificate,
            nc: Some(nc.id),
            thread: format!("nc/{no}/{part}"),
            on: Some(on),
            to,
        };
        let limit = |day, known_at| Limit {
            day,
            begins_on: NaiveDate::MIN,
            lapses_on: None,
            known_at,
            leads: &programme.leads.nonconformity,
            overdue: &programme.leads.overdue,
        };
        let until = nc.due_on;
        self.series(
            &limit(until, nc.due_known_at.max(nc.raised_at)),
            || about("due", until, asks(nc.owner.as_ref(), certificate)),
            &format!("nc/{no}/due"),
            |days_left| (What::NcNear { until, days_left }, format!("NC-{no} closed by {until}")),
            |days_over| Some((What::NcOverdue { until, days_over }, format!("NC-{no} closed by {until}"))),
        );
        if let (Some(plan), Some((acts, until, _)), None) =
            (progress.plan, progress.action(), progress.implemented)
        {
            self.series(
                &limit(until, plan.at),
                || about("action", until, asks(Some(acts), certificate)),
                &format!("nc/{no}/action"),
                |days_left| {
                    let subject = format!("action for NC-{no} by {until}");
                    (What::ActionNear { action: None, until, days_left }, subject)
                },
                |days_over| {
                    let subject = format!("action for NC-{no} by {until}");
                    Some((What::ActionOverdue { action: None, until, days_over }, subject))
                },
            );
        }
        if let (Some(done), None) = (progress.implemented, progress.verified) {
            let done_on = self.organisation.day_of(done.at);
            let day = nc.verification.on.unwrap_or_else(|| add_days(done_on, programme.limits.verify_days));
            // Who acted cannot verify: where nobody was named, the managers find somebody.
            let to = nc.verification.by.as_ref().map_or(To::Managers, |p| To::Person(p.handle.clone()));
            self.dated(
                self.hours.this_or_next(day),
                done.at,
                || about("verify", day, to.clone()),
                || {
                    let subject = format!("effectiveness of the action for NC-{no} to be verified");
                    Say::of(format!("nc/{no}/verify/{day}"), What::VerifyDue { done_on }, subject)
                },
            );
        }
    }

    /// Audits and management reviews that are planned. One that serves several certificates is spoken of once, with
    /// the first of them.
    fn programme(&mut self, programme: &Programme, file: &CertificateFile) {
        let certificate = &file.certificate;
        let leads = &programme.leads;
        let first = |of: &[i64]| of.first() == Some(&certificate.id);
        for a in file.booked.iter().filter(|a| a.state == AuditState::Planned && first(&a.certificates)) {
            let (audit, kind) = (a.no, a.kind.id());
            // The booked stage 2 of a certificate has reminders of its own.
            if a.kind == AuditKind::Stage2 && certificate.stage2_on == Some(a.ends_on) {
                continue;
            }
            let limit = |day, leads, overdue| Limit {
                day,
                begins_on: NaiveDate::MIN,
                lapses_on: None,
                known_at: a.plan.dates_known_at.unwrap_or(a.logged_at),
                leads,
                overdue,
            };
            let key = format!("audit/{audit}");
            let (starts, ends) = (a.starts_on, a.ends_on);
            let about = |on| {
                let (thread, to) = (key.clone(), asks(a.lead.as_ref(), certificate));
                move || About { certificate, nc: None, thread: thread.clone(), on: Some(on), to: to.clone() }
            };
            self.series(
                &limit(starts, leads.booked.as_slice(), &[]),
                about(starts),
                &key,
                |days_left| {
                    let subject = format!("A-{audit}, {kind} audit on {starts}");
                    (What::AuditNear { audit, on: starts, days_left }, subject)
                },
                |_| None,
            );
            self.series(
                &limit(ends, &[], leads.overdue.as_slice()),
                about(ends),
                &key,
                |days_left| (What::AuditNear { audit, on: starts, days_left }, String::new()),
                |days_over| {
                    let subject = format!("A-{audit}, {kind} audit planned for {ends}");
                    Some((What::AuditOverdue { audit, on: ends, days_over }, subject))
                },
            );
        }
        let planned = |r: &&Review| r.state == ReviewState::Planned && first(&r.certificates);
        for r in file.reviews.iter().filter(planned) {
            let (review, on) = (r.no, r.on);
            let limit = Limit {
                day: on,
                begins_on: NaiveDate::MIN,
                lapses_on: None,
                known_at: r.at,
                leads: &leads.booked,
                overdue: &leads.overdue,
            };
            let key = format!("review/{review}");
            self.series(
                &limit,
                || About {
                    certificate,
                    nc: None,
                    thread: key.clone(),
                    on: Some(on),
                    to: asks(None, certificate),
                },
                &key,
                |days_left| {
                    let subject = format!("MR-{review}, management review on {on}");
                    (What::ReviewNear { review, on, days_left }, subject)
                },
                |days_over| {
                    let subject = format!("MR-{review}, management review planned for {on}");
                    Some((What::ReviewOverdue { review, on, days_over }, subject))
                },
            );
        }
    }

    /// Actions that are not done.
    fn actions(&mut self, programme: &Programme, file: &CertificateFile) {
        let certificate = &file.certificate;
        for a in file.actions.iter().filter(|a| a.is_open()) {
            let (no, until) = (a.no, a.due_on);
            let limit = Limit {
                day: until,
                begins_on: NaiveDate::MIN,
                lapses_on: None,
                known_at: a.due_known_at,
                leads: &programme.leads.nonconformity,
                overdue: &programme.leads.overdue,
            };
            let key = format!("action/{no}/due");
            let action = Some(no);
            self.series(
                &limit,
                || About {
                    certificate,
                    nc: None,
                    thread: key.clone(),
                    on: Some(until),
                    to: asks(Some(&a.owner), certificate),
                },
                &key,
                |days_left| (What::ActionNear { action, until, days_left }, format!("ACT-{no} by {until}")),
                |days_over| {
                    Some((What::ActionOverdue { action, until, days_over }, format!("ACT-{no} by {until}")))
                },
            );
        }
    }

    /// The notices before and after a date. The day itself has none: the last one before says that it is tomorrow. Where
    /// the day of a notice is no working day, one before the date comes on the working day before, one after it on the
    /// next.
    fn series<'c>(
        &mut self,
        limit: &Limit<'_>,
        about: impl Fn() -> About<'c>,
        key: &str,
        near: impl Fn(u32) -> (What, String),
        late: impl Fn(u32) -> Option<(What, String)>,
    ) {
        let day = limit.day;
        for days in limit.leads {
            let due_on = sub_days(day, *days);
            if due_on >= limit.begins_on && limit.lapses_on.is_none_or(|last| due_on <= last) {
                let due_on = self.lead_on(due_on, day, limit.known_at);
                self.dated(due_on, limit.known_at, &about, || {
                    let ahead = u32::try_from((day - due_on).num_days()).unwrap_or_default();
                    let (what, subject) = near(ahead);
                    Say { key: format!("{key}/{day}/lead/{days}"), what, subject, tail: left(ahead) }
                });
            }
        }
        for days in limit.overdue {
            let due_on = self.hours.this_or_next(add_days(day, *days));
            if limit.lapses_on.is_some_and(|last| due_on > last) {
                break;
            }
            let ago = u32::try_from((due_on - day).num_days()).unwrap_or(*days);
            if let Some((what, subject)) = late(ago) {
                self.dated(due_on, limit.known_at, &about, || Say {
                    key: format!("{key}/{day}/overdue/{days}"),
                    what,
                    subject,
                    tail: over(ago),
                });
            }
        }
    }

    /// The working day on which a notice before a date is given: the one before its own day, or, where the date was
    /// not on record then, the next one that is not after the date.
    fn lead_on(&self, own: NaiveDate, day: NaiveDate, known_at: DateTime<Utc>) -> NaiveDate {
        let before = self.hours.this_or_before(own);
        if before == own || self.due_at(before) >= known_at {
            return before;
        }
        self.hours.this_or_next(own).min(day)
    }

    fn due_at(&self, day: NaiveDate) -> DateTime<Utc> {
        at_hour(self.organisation.zone, day, self.organisation.hour)
    }

    /// A notice due at the organisation's hour, unless that was before its subject was on record.
    fn dated<'c>(
        &mut self,
        due_on: NaiveDate,
        known_at: DateTime<Utc>,
        about: impl Fn() -> About<'c>,
        say: impl FnOnce() -> Say,
    ) {
        // Cheap first: no zone is further from UTC than a day, and none skips more than one.
        if due_on < self.first_day() || due_on > self.last_day() {
            return;
        }
        let due_at = self.due_at(due_on);
        if due_at >= known_at {
            self.at(due_on, due_at, about, say);
        }
    }

    fn first_day(&self) -> NaiveDate {
        sub_days(self.from.date_naive(), 3)
    }

    fn last_day(&self) -> NaiveDate {
        add_days(self.to.date_naive(), 3)
    }

    fn at<'c>(
        &mut self,
        due_on: NaiveDate,
        due_at: DateTime<Utc>,
        about: impl Fn() -> About<'c>,
        say: impl FnOnce() -> Say,
    ) {
        if due_at < self.from || due_at > self.to {
            return;
        }
        let About { certificate, nc, thread, on, to } = about();
        let Say { key, what, subject, tail } = say();
        let phase = match &what {
            What::PhaseBegins { phase, .. } => Some(phase.clone()),
            What::ClockNear { .. }
            | What::ClockOverdue { .. }
            | What::NcNear { .. }
            | What::NcOverdue { .. }
            | What::ActionNear { .. }
            | What::ActionOverdue { .. }
            | What::VerifyDue { .. }
            | What::StageTwoNear { .. }
            | What::StartBy { .. }
            | What::AuditNear { .. }
            | What::AuditOverdue { .. }
            | What::ReviewNear { .. }
            | What::ReviewOverdue { .. }
            | What::ChannelParked { .. }
            | What::Promised { .. }
            | What::Escalated { .. }
            | What::Own { .. }
            | What::Stands { .. } => None,
        };
        let tail = if tail.is_empty() { tail } else { format!(", {tail}") };
        self.out.push(Occurrence {
            key,
            kind: what.kind(),
            phase,
            certificate: Some(certificate.id),
            nc,
            due_on,
            due_at,
            thread,
            about_on: on,
            to,
            silent_until: None,
            channel: None,
            title: format!("{}: {subject}{tail}", certificate.name),
            subject,
            what,
        });
    }
}

impl Say {
    fn of(key: String, what: What, subject: String) -> Self {
        Self { key, what, subject, tail: String::new() }
    }
}

/// Whom something asks: its owner, else the certificate's, else the managers.
fn asks(own: Option<&Person>, certificate: &Certificate) -> To {
    own.or(certificate.owner.as_ref()).map_or(To::Managers, |p| To::Person(p.handle.clone()))
}

/// Whether an answer is to this: to its subject and date, by way of whoever is asked now.
pub fn answers(answer: &Answer, o: &Occurrence) -> bool {
    answer.subject == o.thread && Some(answer.about_on) == o.about_on && answer.asked.as_deref() == o.to.id()
}

/// Whether the audit that a clock asks for is booked in time.
fn booked_for(file: &CertificateFile, clock: &Clock) -> bool {
    let kind = match clock.rule {
        Rule::RecertYear => AuditKind::Recertification,
        Rule::S1Latest | Rule::SurvCalendarYear => AuditKind::Surveillance,
        Rule::Stage2Major
        | Rule::RecertMajor
        | Rule::Restore
        | Rule::CbNcPlan
        | Rule::CbNcClose
        | Rule::SurvYears
        | Rule::Stage1To2
        | Rule::Suspension
        | Rule::Transition => return true,
    };
    let in_time = |a: &crate::domain::audit::Audit| {
        a.kind == kind
            && a.ends_on <= clock.limit
            && clock.subject.as_ref().is_none_or(|year| *year == a.ends_on.year().to_string())
            && a.ends_on >= clock.begins_on
    };
    file.booked.iter().any(in_time)
        || (clock.rule == Rule::RecertYear
            && file.audits.iter().any(|a| in_time(a) && clock.anchor.year() - a.ends_on.year() <= 1))
}

/// The part of a key that names a cycle; a corrected anchor is another calendar, which is announced anew.
fn cycle_key(certificate: &Certificate, cycle: &Cycle) -> String {
    let Cycle { n, revision, .. } = cycle;
    let revision = if *revision > 1 { format!("r{revision}") } else { String::new() };
    format!("cert/{}/cycle/{n}{revision}", certificate.no)
}

fn left(days: u32) -> String {
    format!("{days} {} left", if days == 1 { "day" } else { "days" })
}

fn over(days: u32) -> String {
    format!("{days} {} overdue", if days == 1 { "day" } else { "days" })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::LazyLock;

    use chrono::{LocalResult, NaiveDateTime, TimeZone};
    use chrono_tz::{TZ_VARIANTS, Tz};
    use proptest::prelude::*;

    use super::*;
    use crate::domain::audit::{Audit, AuditPlan, AuditState};
    use crate::domain::certificate::Terms;
    use crate::domain::nonconformity::{BodyWords, Done, Grade, Step, Verification};
    use crate::domain::organisation::{Manners, Person};

    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::embedded().unwrap());

    fn d(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn t(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn organisation(zone: Tz, hour: u32) -> Organisation {
        Organisation {
            id: 1,
            place: "console".into(),
            name: "Acme".into(),
            zone,
            hour,
            channel: None,
            manager_role: None,
            auditor_role: None,
            minimal: false,
            manners: Manners::default(),
        }
    }

    fn person(id: i64) -> Person {
        Person { id, handle: id.to_string(), name: format!("P{id}") }
    }

    fn file(cycles: Vec<Cycle>) -> CertificateFile {
        CertificateFile::new(Certificate {
            id: 70,
            no: 3,
            standard: "iso-27001".into(),
            name: "Acme ISMS".into(),
            body: None,
            number: None,
            channel: None,
            owner: None,
            stage2_on: None,
            entered_at: t("2026-01-01T00:00:00Z"),
            stage2_known_at: t("2026-01-01T00:00:00Z"),
            cycles,
            terms: Terms::default(),
            scope: None,
        })
    }

    fn acme() -> CertificateFile {
        file(vec![Cycle::first(d("2026-03-02"), None, t("2026-03-02T07:00:00Z"))])
    }

    fn nc() -> Nonconformity {
        Nonconformity {
            id: 120,
            no: 12,
            certificate: 70,
            audit: None,
            grade: Grade::Minor,
            clause: "9.2".into(),
            statement: "none held".into(),
            objective: None,
            body: BodyWords::default(),
            verification: Verification::default(),
            area: None,
            owner: None,
            due_on: d("2026-06-30"),
            due_known_at: t("2026-06-20T10:00:00Z"),
            raised_by: person(1),
            raised_at: t("2026-06-20T10:00:00Z"),
            steps: Vec::new(),
        }
    }

    fn step(what: Done, at: &str) -> Step {
        Step { by: person(2), at: t(at), what }
    }

    fn surveillance(on: &str) -> Audit {
        Audit {
            id: 1,
            no: 1,
            kind: AuditKind::Surveillance,
            starts_on: d(on),
            ends_on: d(on),
            scope: "all".into(),
            conclusion: "fine".into(),
            lead: None,
            lead_name: None,
            logged_by: person(1),
            logged_at: d(on).and_hms_opt(12, 0, 0).unwrap().and_utc(),
            certificates: vec![70],
            state: AuditState::Reported,
            plan: AuditPlan::default(),
        }
    }

    fn all(organisation: &Organisation, files: &[CertificateFile]) -> Vec<Occurrence> {
        let facts = Facts { organisation, catalogue: &CATALOGUE, files, talk: Talk::default() };
        occurrences(facts, DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC)
    }

    fn berlin(files: &[CertificateFile]) -> Vec<Occurrence> {
        all(&organisation(Tz::Europe__Berlin, 9), files)
    }

    fn keys<'a>(said: &'a [Occurrence], part: &str) -> Vec<&'a str> {
        said.iter().map(|notice| notice.key.as_str()).filter(|key| key.contains(part)).collect()
    }

    fn find<'a>(said: &'a [Occurrence], key: &str) -> &'a Occurrence {
        said.iter().find(|notice| notice.key == key).unwrap()
    }

    #[test]
    fn the_worked_example() {
        let said = berlin(&[acme()]);
        let phases: Vec<_> = said
            .iter()
            .filter(|notice| notice.kind == Kind::PhaseBegins)
            .map(|notice| (notice.key.as_str(), notice.due_at.to_rfc3339()))
            .collect();
        let expected = [
            ("operate-1", "2026-03-02T08"),
            ("prepare-1", "2026-09-02T07"),
            ("surveillance-1", "2026-12-02T08"),
            ("operate-2", "2027-03-02T08"),
            ("prepare-2", "2027-09-02T07"),
            ("surveillance-2", "2027-12-02T08"),
            ("review", "2028-03-02T08"),
            ("prepare-3", "2028-09-02T07"),
            ("recertification", "2028-12-02T08"),
        ]
        .map(|(phase, at)| (format!("cert/3/cycle/1/phase/{phase}/begins"), format!("{at}:00:00+00:00")));
        assert_eq!(phases, expected.each_ref().map(|(key, at)| (key.as_str(), at.clone())));
        assert_eq!(
            find(&said, "cert/3/cycle/1/phase/prepare-1/begins").title,
            "Acme ISMS: Prepare for surveillance begins"
        );
        let lead = find(&said, "cert/3/clock/S1_LATEST/2027-03-02/lead/30");
        assert_eq!(lead.title, "Acme ISMS: first surveillance audit by 2027-03-02, 30 days left");
        assert_eq!((lead.due_on, lead.kind), (d("2027-01-31"), Kind::ClockNear));
        let year = find(&said, "cert/3/clock/SURV_CALENDAR_YEAR/2027/2027-12-31/lead/1");
        assert_eq!(year.title, "Acme ISMS: surveillance audit in 2027 by 2027-12-31, 1 day left");
        assert_eq!(keys(&said, "RECERT_YEAR/2029-03-01/lead/").len(), 7);
        // Expired, and nothing recorded: it can be restored for six months.
        assert_eq!(
            keys(&said, "RESTORE/2029-09-01/lead"),
            ["90", "60", "30", "14", "7", "1"]
                .map(|days| format!("cert/3/clock/RESTORE/2029-09-01/lead/{days}"))
        );
        assert!(keys(&said, "stands").is_empty());
        // A missed surveillance audit is not asked for once the certificate has expired.
        assert_eq!(
            keys(&said, "SURV_CALENDAR_YEAR/2028/2028-12-31/overdue").len(),
            6,
            "1, 3, 7, 14, 28 and 56 days after the year's end"
        );
    }

    #[test]
    fn what_is_met_is_not_reminded() {
        let mut acme = acme();
        acme.audits.push(surveillance("2027-02-10"));
        let said = berlin(&[acme]);
        assert!(keys(&said, "S1_LATEST").is_empty());
        assert!(keys(&said, "SURV_CALENDAR_YEAR/2027").is_empty());
        assert!(!keys(&said, "SURV_CALENDAR_YEAR/2028").is_empty());
    }

    #[test]
    fn entered_late_there_is_one_message_where_it_stands() {
        let late = file(vec![Cycle::first(d("2026-03-02"), None, t("2027-05-05T15:30:00Z"))]);
        let said = berlin(&[late]);
        assert_eq!(said[0].key, "cert/3/cycle/1/stands");
        assert_eq!((said[0].due_at, said[0].due_on), (t("2027-05-05T15:30:00Z"), d("2027-05-05")));
        assert_eq!(keys(&said, "stands").len(), 1);
        assert_eq!(keys(&said, "phase").first(), Some(&"cert/3/cycle/1/phase/prepare-2/begins"));
        assert!(said.iter().all(|notice| notice.due_at >= t("2027-05-05T15:30:00Z")));
    }

    #[test]
    fn entered_with_its_history_only_the_cycle_that_runs_stands() {
        let known = t("2030-01-10T10:00:00Z");
        let first = Cycle::first(d("2026-03-02"), None, known);
        let second = first.renewed(d("2029-02-15"), None, known);
        let said = berlin(&[file(vec![first, second])]);
        assert_eq!(keys(&said, "stands"), ["cert/3/cycle/2/stands"]);
        assert!(keys(&said, "cycle/1").is_empty());
    }

    #[test]
    fn a_renewal_goes_on_from_its_anchor() {
        let mut acme = acme();
        let next = acme.certificate.renew(d("2029-02-15"), None, t("2029-02-16T10:00:00Z")).unwrap();
        acme.certificate.cycles.push(next);
        let said = berlin(&[acme]);
        assert_eq!(find(&said, "cert/3/cycle/2/phase/operate-1/begins").due_on, d("2029-03-02"));
        assert_eq!(find(&said, "cert/3/cycle/2/phase/recertification/begins").due_on, d("2031-12-02"));
        assert_eq!(said.iter().filter(|notice| notice.kind == Kind::PhaseBegins).count(), 18);
        assert!(keys(&said, "RESTORE/2029").is_empty());
        assert!(keys(&said, "RECERT_YEAR/2029").is_empty());
        assert!(keys(&said, "stands").is_empty());
        assert!(
            keys(&said, "S1_LATEST/2030").is_empty(),
            "the 12 months apply to the initial certification only"
        );
    }

    #[test]
    fn a_corrected_anchor_is_announced_anew() {
        let mut acme = acme();
        acme.certificate.cycles[0].revision = 2;
        let said = berlin(&[acme]);
        assert_eq!(keys(&said, "phase/prepare-1"), ["cert/3/cycle/1r2/phase/prepare-1/begins"]);
    }

    #[test]
    fn what_a_corrected_date_would_have_been_due_for_is_not_said() {
        let mut acme = acme();
        let edited = t("2026-11-20T12:00:00Z");
        let cycle = &mut acme.certificate.cycles[0];
        (cycle.expires_on, cycle.expires_known_at) = (d("2027-02-28"), edited);
        let said = berlin(std::slice::from_ref(&acme));
        let leads = keys(&said, "RECERT_YEAR/2027-02-28/lead");
        assert_eq!(leads.first(), Some(&"cert/3/clock/RECERT_YEAR/2027-02-28/lead/90"), "{leads:?}");
        acme.certificate.cycles.clear();
        (acme.certificate.stage2_on, acme.certificate.stage2_known_at) = (Some(d("2026-12-01")), edited);
        let said = berlin(&[acme]);
        assert_eq!(keys(&said, ""), ["7", "1"].map(|days| format!("cert/3/stage-2/2026-12-01/lead/{days}")));
    }

    #[test]
    fn a_nonconformity_is_reminded_until_it_is_closed() {
        let mut acme = acme();
        acme.nonconformities.push(nc());
        let said = berlin(std::slice::from_ref(&acme));
        // Raised ten days before its due date: the notice of 14 days before does not exist.
        assert_eq!(
            keys(&said, "nc/12/due")[..3],
            ["nc/12/due/2026-06-30/lead/7", "nc/12/due/2026-06-30/lead/1", "nc/12/due/2026-06-30/overdue/1"]
        );
        let plan = Done::Plan { owner: person(2), due_on: d("2026-07-20"), action: "a".into() };
        acme.nonconformities[0].steps.push(step(plan, "2026-06-21T10:00:00Z"));
        let said = berlin(std::slice::from_ref(&acme));
        assert_eq!(keys(&said, "nc/12/action")[0], "nc/12/action/2026-07-20/lead/14");
        // Late in the evening it is the next day in Berlin.
        acme.nonconformities[0].steps.push(step(Done::Implemented("d".into()), "2026-07-10T22:30:00Z"));
        let said = berlin(std::slice::from_ref(&acme));
        assert!(keys(&said, "nc/12/action").is_empty());
        assert_eq!(keys(&said, "nc/12/verify"), ["nc/12/verify/2026-09-09"]);
        acme.nonconformities[0].steps.push(step(Done::Closed { note: None }, "2026-07-11T22:30:00Z"));
        assert!(keys(&berlin(&[acme]), "nc/").is_empty());
    }

    #[test]
    fn the_way_to_the_certificate_has_no_phases() {
        let mut acme = acme();
        acme.certificate.cycles.clear();
        acme.certificate.stage2_on = Some(d("2026-05-20"));
        let said = berlin(&[acme]);
        assert_eq!(
            keys(&said, ""),
            ["30", "14", "7", "1"].map(|days| format!("cert/3/stage-2/2026-05-20/lead/{days}"))
        );
        assert_eq!(said[0].title, "Acme ISMS: stage 2 audit on 2026-05-20, 30 days left");
    }

    #[test]
    fn an_unknown_standard_is_reminded_all_the_same() {
        let mut acme = acme();
        acme.certificate.standard = "gone".into();
        assert_eq!(berlin(&[acme]).iter().filter(|notice| notice.kind == Kind::PhaseBegins).count(), 9);
    }

    #[test]
    fn the_next_instant_is_after() {
        let files = [acme()];
        let organisation = organisation(Tz::Europe__Berlin, 9);
        let facts = Facts {
            organisation: &organisation,
            catalogue: &CATALOGUE,
            files: &files,
            talk: Talk::default(),
        };
        assert_eq!(next_after(facts, t("2026-03-02T07:59:59Z")), Some(t("2026-03-02T08:00:00Z")));
        assert_eq!(next_after(facts, t("2026-03-02T08:00:00Z")), Some(t("2026-09-02T07:00:00Z")));
        assert_eq!(next_after(facts, t("2099-01-01T00:00:00Z")), None);
    }

    #[test]
    fn kinds_are_found_by_their_ids() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_id(kind.id()), Some(kind));
        }
    }

    /// A calendar of its own, that counts months by hand: (phase, local date).
    fn naive_calendar(anchor: NaiveDate) -> Vec<(&'static str, NaiveDate)> {
        let firsts = [
            ("operate-1", 0),
            ("prepare-1", 6),
            ("surveillance-1", 9),
            ("operate-2", 12),
            ("prepare-2", 18),
            ("surveillance-2", 21),
            ("review", 24),
            ("prepare-3", 30),
            ("recertification", 33),
        ];
        firsts
            .map(|(phase, months)| {
                let mut year = anchor.year();
                let mut month = anchor.month();
                for _ in 0..months {
                    if month == 12 {
                        (year, month) = (year + 1, 1);
                    } else {
                        month += 1;
                    }
                }
                let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
                let last = match month {
                    2 if leap => 29,
                    2 => 28,
                    4 | 6 | 9 | 11 => 30,
                    _ => 31,
                };
                (phase, NaiveDate::from_ymd_opt(year, month, anchor.day().min(last)).unwrap())
            })
            .to_vec()
    }

    /// The first instant whose local time is the hour or later on that day, found by walking instants, not locals.
    fn naive_instant(zone: Tz, day: NaiveDate, hour: u32) -> DateTime<Utc> {
        let wanted: NaiveDateTime = day.and_hms_opt(hour, 0, 0).unwrap();
        let mut at = wanted.and_utc() - TimeDelta::hours(30);
        at = at.with_timezone(&Utc);
        while at.with_timezone(&zone).naive_local() < wanted {
            at += TimeDelta::minutes(15);
        }
        at
    }

    fn any_zone() -> impl Strategy<Value = Tz> {
        (0..TZ_VARIANTS.len()).prop_map(|index| TZ_VARIANTS[index])
    }

    fn any_day() -> impl Strategy<Value = NaiveDate> {
        (0u32..12_000).prop_map(|offset| add_days(d("2010-01-01"), offset))
    }

    /// A file with something of everything, made from a few numbers.
    fn any_file() -> impl Strategy<Value = CertificateFile> {
        let numbers = (any_day(), -400i64..1500, 0u32..1200, 0u32..400, any::<[bool; 6]>(), 0u32..1400);
        numbers.prop_map(|(decided, entered, due, raised, is, audited)| {
            let midnight = |day: NaiveDate| day.and_hms_opt(3, 17, 0).unwrap().and_utc();
            let known = midnight(decided) + TimeDelta::days(entered);
            let mut file = file(Vec::new());
            if is[0] {
                file.certificate.stage2_on = Some(decided);
                file.certificate.entered_at = known;
                file.certificate.stage2_known_at = known;
            } else {
                let first = Cycle::first(decided, None, known);
                if is[1] {
                    let on = add_days(first.expires_on, raised / 3);
                    file.certificate.cycles.push(first.renewed(on, None, midnight(on)));
                }
                file.certificate.cycles.push(first);
            }
            let mut audit = surveillance("2026-01-01");
            audit.ends_on = add_days(decided, audited);
            audit.logged_at = midnight(audit.ends_on);
            audit.kind = if is[2] { AuditKind::Surveillance } else { AuditKind::Recertification };
            let mut nc = nc();
            nc.audit = is[3].then_some((1, 1));
            nc.grade = if is[4] { Grade::Major } else { Grade::Minor };
            nc.raised_at = midnight(add_days(decided, raised));
            nc.due_known_at = nc.raised_at;
            nc.due_on = add_days(decided, due);
            if is[5] {
                let plan = Done::Plan { owner: person(2), due_on: nc.due_on, action: "a".into() };
                nc.steps.push(Step { by: person(1), at: nc.raised_at, what: plan });
            }
            file.audits.push(audit);
            file.nonconformities.push(nc);
            file
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn every_phase_once_at_the_local_hour(anchor in any_day(), zone in any_zone(), hour in 0u32..24) {
            let known = anchor.and_hms_opt(0, 0, 0).unwrap().and_utc() - TimeDelta::days(3);
            let files = [file(vec![Cycle::first(anchor, None, known)])];
            let organisation = organisation(zone, hour);
            let said: Vec<_> = all(&organisation, &files)
                .into_iter()
                .filter(|notice| notice.kind == Kind::PhaseBegins)
                .map(|notice| (notice.phase.unwrap(), notice.due_on, notice.due_at))
                .collect();
            let expected: Vec<_> = naive_calendar(anchor)
                .into_iter()
                .map(|(phase, day)| (phase.to_owned(), day, naive_instant(zone, day, hour)))
                .collect();
            for ((phase, day, at), (e_phase, e_day, e_at)) in said.iter().zip(&expected) {
                prop_assert_eq!((phase, day), (e_phase, e_day));
                // The independent instant comes in quarters of an hour; some old zones lie between.
                prop_assert!((*e_at - *at).num_minutes().abs() < 15, "{} {} {}", zone, at, e_at);
                let local = at.with_timezone(&zone).naive_local();
                let wanted = day.and_hms_opt(hour, 0, 0).unwrap();
                prop_assert!(local == wanted || zone.from_local_datetime(&wanted) == LocalResult::None);
            }
            prop_assert_eq!(said.len(), 9);
        }

        #[test]
        fn windows_are_kept_and_add_up(
            file in any_file(), zone in any_zone(), hour in 0u32..24, cut in -500i64..2500, span in 0i64..2000,
        ) {
            let organisation = organisation(zone, hour);
            let files = [file];
            let everything = all(&organisation, &files);
            let unique: BTreeSet<_> = everything.iter().map(|notice| &notice.key).collect();
            prop_assert_eq!(unique.len(), everything.len(), "a key is there twice");
            let facts = Facts { organisation: &organisation, catalogue: &CATALOGUE, files: &files, talk: Talk::default() };
            let anchor = everything.first().map_or(DateTime::UNIX_EPOCH, |first| first.due_at);
            let from = anchor + TimeDelta::days(cut);
            let to = from + TimeDelta::days(span);
            let inside = occurrences(facts, from, to);
            prop_assert!(inside.iter().all(|notice| notice.due_at >= from && notice.due_at <= to));
            prop_assert!(inside.is_sorted_by(|a, b| (a.due_at, &a.key) < (b.due_at, &b.key)));
            let tick = TimeDelta::nanoseconds(1);
            let mut pieces = occurrences(facts, DateTime::<Utc>::MIN_UTC, from - tick);
            pieces.extend(inside);
            pieces.extend(occurrences(facts, to + tick, DateTime::<Utc>::MAX_UTC));
            prop_assert_eq!(&pieces, &everything);
            // Walking from one instant to the next meets them all.
            let mut met = Vec::new();
            let mut at = DateTime::<Utc>::MIN_UTC;
            while let Some(next) = next_after(facts, at) {
                prop_assert!(next > at);
                met.extend(occurrences(facts, next, next));
                at = next;
            }
            prop_assert_eq!(met, everything);
        }

        #[test]
        fn nothing_is_due_before_it_was_on_record(file in any_file(), zone in any_zone(), hour in 0u32..24) {
            let organisation = organisation(zone, hour);
            for notice in all(&organisation, std::slice::from_ref(&file)) {
                let certificate = &file.certificate;
                let known = match &notice.what {
                    What::PhaseBegins { cycle, .. } | What::Stands { cycle } => {
                        certificate.cycles.iter().find(|it| it.n == *cycle).unwrap().known_at
                    }
                    What::ClockNear { clock, .. }
                    | What::ClockOverdue { clock, .. }
                    | What::StartBy { clock } => clock.known_at,
                    What::AuditNear { .. } | What::AuditOverdue { .. } => file.booked[0].logged_at,
                    What::ReviewNear { .. } | What::ReviewOverdue { .. } => file.reviews[0].at,
                    What::StageTwoNear { .. } => certificate.stage2_known_at,
                    What::ChannelParked { .. }
                    | What::Promised { .. }
                    | What::Escalated { .. }
                    | What::Own { .. } => unreachable!("nothing of that here"),
                    What::NcNear { .. }
                    | What::NcOverdue { .. }
                    | What::ActionNear { .. }
                    | What::ActionOverdue { .. }
                    | What::VerifyDue { .. } => file.nonconformities[0].raised_at,
                };
                prop_assert!(notice.due_at >= known);
                if let What::ClockNear { clock, days_left } = &notice.what {
                    prop_assert_eq!(add_days(notice.due_on, *days_left), clock.limit);
                    prop_assert!(clock.rule != Rule::Restore || notice.due_on > certificate.cycles[0].expires_on
                        || certificate.cycles.len() > 1);
                }
            }
        }

        #[test]
        fn changing_hour_or_zone_changes_no_key(
            anchor in any_day(), zones in (any_zone(), any_zone()), hours in (0u32..24, 0u32..24),
        ) {
            let known = anchor.and_hms_opt(0, 0, 0).unwrap().and_utc() - TimeDelta::days(3);
            let files = [file(vec![Cycle::first(anchor, None, known)])];
            let keys = |zone, hour| -> BTreeSet<String> {
                all(&organisation(zone, hour), &files).into_iter().map(|notice| notice.key).collect()
            };
            prop_assert_eq!(keys(zones.0, hours.0), keys(zones.1, hours.1));
        }
    }

    /// An organisation that works on weekdays and has what is not answered for two working days go up.
    fn mannered() -> Organisation {
        let mut organisation = organisation(Tz::Europe__Berlin, 9);
        organisation.manners.working_days = crate::domain::workdays::WorkingDays::parse("mon-fri").unwrap();
        organisation.manners.escalation = Some(Escalation { after: 2, known_at: t("2026-01-01T00:00:00Z") });
        organisation.manners.escalation_channel = Some("77".into());
        organisation
    }

    fn talking<'a>(
        organisation: &'a Organisation,
        files: &'a [CertificateFile],
        talk: Talk<'a>,
        to: &str,
    ) -> Vec<Occurrence> {
        let facts = Facts { organisation, catalogue: &CATALOGUE, files, talk };
        occurrences(facts, DateTime::<Utc>::MIN_UTC, t(to))
    }

    fn answer(response: Response, until: &str, at: &str) -> Answer {
        Answer {
            id: 1,
            subject: "nc/12/due".into(),
            about_on: d("2026-06-30"),
            asked: Some("managers".into()),
            response,
            until: d(until),
            by: person(1),
            at: t(at),
        }
    }

    #[test]
    fn on_a_day_off_what_leads_to_a_date_comes_before_it_and_the_rest_after() {
        let organisation = mannered();
        let mut acme = acme();
        let mut nc = nc();
        // A Monday: the day before it is a Sunday, the week before it a Monday.
        nc.due_on = d("2026-07-06");
        acme.nonconformities.push(nc);
        let said =
            talking(&organisation, std::slice::from_ref(&acme), Talk::default(), "2026-08-01T00:00:00Z");
        let days: Vec<_> = said
            .iter()
            .filter(|o| o.thread == "nc/12/due")
            .map(|o| (o.key.rsplit_once("2026-07-06/").unwrap().1, o.due_on.to_string()))
            .collect();
        let expected = [
            ("lead/14", "2026-06-22"),
            ("lead/7", "2026-06-29"),
            ("lead/1", "2026-07-03"),
            ("overdue/1", "2026-07-07"),
            ("overdue/3", "2026-07-09"),
            ("overdue/7", "2026-07-13"),
            ("overdue/14", "2026-07-20"),
        ];
        assert_eq!(days, expected.map(|(key, day)| (key, day.to_owned())));
        assert!(find(&said, "nc/12/due/2026-07-06/lead/1").title.ends_with("3 days left"));
        // Saturday the 2nd of September 2028: the phase is announced on the Monday after it.
        let said =
            talking(&organisation, std::slice::from_ref(&acme), Talk::default(), "2029-01-01T00:00:00Z");
        assert_eq!(find(&said, "cert/3/cycle/1/phase/prepare-3/begins").due_on, d("2028-09-04"));
    }

    #[test]
    fn what_is_not_answered_goes_up_from_when_it_was_said() {
        let organisation = mannered();
        let mut acme = acme();
        acme.nonconformities.push(nc());
        let files = std::slice::from_ref(&acme);
        let up = |talk: Talk<'_>| -> Vec<(String, String, Option<String>)> {
            talking(&organisation, files, talk, "2026-07-15T00:00:00Z")
                .iter()
                .filter(|o| o.kind == Kind::Escalated)
                .map(|o| (o.key.clone(), o.due_on.to_string(), o.channel.clone()))
                .collect()
        };
        let step = |since: &str, n: u32, on: &str, channel: Option<&str>| {
            let key = format!("nc/12/due/2026-06-30/escalated/{since}/{n}");
            (key, on.to_owned(), channel.map(ToOwned::to_owned))
        };
        // As it will be: late on Wednesday the 1st.
        let ahead = Talk { now: Some(t("2026-06-25T00:00:00Z")), ..Talk::default() };
        assert_eq!(
            up(ahead),
            [step("2026-07-01", 1, "2026-07-03", None), step("2026-07-01", 2, "2026-07-07", Some("77"))]
        );
        // Not said yet, nothing goes up; said late, it is counted from then.
        let now = Some(t("2026-07-14T12:00:00Z"));
        let unsaid = Said::new();
        assert_eq!(up(Talk { now, said: Some(&unsaid), ..Talk::default() }), []);
        let key = "nc/12/due/2026-06-30/overdue/7".to_owned();
        let said = Said::from([(key.clone(), (t("2026-07-09T12:00:00Z"), Some("managers".into())))]);
        let talk = Talk { now, said: Some(&said), ..Talk::default() };
        assert_eq!(up(talk), [step("2026-07-09", 1, "2026-07-13", None)]);
        // Said to somebody else, it does not count against whoever is asked now.
        let other = Said::from([(key, (t("2026-07-09T12:00:00Z"), Some("9".into())))]);
        assert_eq!(up(Talk { said: Some(&other), ..talk }), []);
        // Answered after it was said.
        let answers = [answer(Response::Acknowledged { note: None }, "2026-07-31", "2026-07-10T08:00:00Z")];
        assert_eq!(up(Talk { answers: &answers, ..talk }), []);
    }

    #[test]
    fn an_answer_silences_its_subject_and_date_and_nothing_else() {
        let organisation = organisation(Tz::Europe__Berlin, 9);
        let mut acme = acme();
        acme.nonconformities.push(nc());
        let keys_of = |answers: &[Answer]| -> Vec<String> {
            let talk = Talk { answers, ..Talk::default() };
            talking(&organisation, std::slice::from_ref(&acme), talk, "2026-08-05T00:00:00Z")
                .into_iter()
                .filter(|o| o.thread == "nc/12/due")
                .map(|o| o.key.trim_start_matches("nc/12/due/2026-06-30/").to_owned())
                .collect()
        };
        let every = ["lead/7", "lead/1", "overdue/1", "overdue/3", "overdue/7", "overdue/14", "overdue/28"];
        assert_eq!(keys_of(&[]), every);
        let snoozed = answer(Response::Snoozed { reason: "r".into() }, "2026-07-14", "2026-06-24T10:00:00Z");
        // The same day as the fourteenth after it: said once, as what was promised.
        let left = keys_of(std::slice::from_ref(&snoozed));
        assert_eq!(left, ["lead/7", "overdue/14", "until/2026-07-14", "overdue/28"]);
        let moot = [
            Answer { about_on: d("2026-06-29"), ..snoozed.clone() },
            Answer { asked: Some("9".into()), ..snoozed.clone() },
            Answer { subject: "nc/12/verify".into(), ..snoozed },
        ];
        for answer in moot {
            assert_eq!(keys_of(&[answer]), every);
        }
    }

    #[test]
    fn what_is_put_off_to_a_day_before_all_reminders_is_spoken_of_on_that_day() {
        let organisation = organisation(Tz::Europe__Berlin, 9);
        let mut acme = acme();
        let mut nc = nc();
        nc.due_known_at = t("2026-03-02T10:00:00Z");
        nc.raised_at = nc.due_known_at;
        acme.nonconformities.push(nc);
        let files = [acme];
        let answers = [answer(Response::Acknowledged { note: None }, "2026-06-05", "2026-06-01T10:00:00Z")];
        let talk = Talk { answers: &answers, ..Talk::default() };
        let facts = Facts { organisation: &organisation, catalogue: &CATALOGUE, files: &files, talk };
        let at = t("2026-06-05T07:00:00Z");
        assert_eq!(next_after(facts, t("2026-06-04T07:00:00Z")), Some(at));
        let said = due(facts, at);
        assert_eq!(find(&said, "nc/12/due/2026-06-30/until/2026-06-05").due_at, at);
    }

    #[test]
    fn of_a_withdrawn_certificate_nothing_is_spoken_of_again_and_nothing_goes_up() {
        use crate::domain::record::{Record, RecordKind};
        let organisation = mannered();
        let mut acme = acme();
        acme.nonconformities.push(nc());
        acme.records.push(Record {
            id: 1,
            no: 1,
            kind: RecordKind::Withdrawn,
            certificate: Some(70),
            subject: String::new(),
            on: d("2026-07-02"),
            words: String::new(),
            by: person(1),
            at: t("2026-07-02T10:00:00Z"),
            present: Vec::new(),
            absent: Vec::new(),
            voided: None,
        });
        let answers = [answer(Response::Acknowledged { note: None }, "2026-07-10", "2026-06-24T10:00:00Z")];
        for answers in [&answers[..], &[]] {
            let talk = Talk { answers, ..Talk::default() };
            let said = talking(&organisation, std::slice::from_ref(&acme), talk, "2027-01-01T00:00:00Z");
            let later: Vec<_> = said.iter().filter(|o| o.due_on > d("2026-07-02")).map(|o| &o.key).collect();
            assert_eq!(later, Vec::<&String>::new());
        }
    }

    #[test]
    fn an_acknowledged_clock_goes_up_only_after_the_promised_day() {
        let organisation = mannered();
        let acme = acme();
        let late = |answers: &[Answer]| -> Vec<String> {
            let talk = Talk { answers, ..Talk::default() };
            let said = talking(&organisation, std::slice::from_ref(&acme), talk, "2027-06-01T00:00:00Z");
            let up = said.iter().filter(|o| o.kind == Kind::Escalated && o.key.contains("/S1_LATEST/"));
            up.map(|o| o.due_on.to_string()).collect()
        };
        let unanswered = late(&[]);
        assert_eq!(unanswered.len(), 2, "{unanswered:?}");
        let acknowledged = Answer {
            subject: "cert/3/clock/S1_LATEST".into(),
            about_on: d("2027-03-02"),
            ..answer(Response::Acknowledged { note: None }, "2027-04-07", "2026-06-01T10:00:00Z")
        };
        // Its reminders go on; counted from Wednesday the 7th.
        assert_eq!(late(&[acknowledged]), ["2027-04-09", "2027-04-13"]);
    }

    #[test]
    fn a_step_that_was_said_is_not_said_again_in_another_zone_or_by_another_number_of_days() {
        let mut organisation = mannered();
        organisation.zone = Tz::Pacific__Auckland;
        let mut acme = acme();
        acme.nonconformities.push(nc());
        let now = Some(t("2026-07-14T12:00:00Z"));
        let managers = Some("managers".to_owned());
        // Nine o'clock there is the evening before elsewhere.
        let mut said = Said::from([(
            "nc/12/due/2026-06-30/overdue/1".to_owned(),
            (t("2026-06-30T21:00:00Z"), managers.clone()),
        )]);
        let steps = |organisation: &Organisation, said: &Said| -> Vec<String> {
            let talk = Talk { now, said: Some(said), ..Talk::default() };
            talking(organisation, std::slice::from_ref(&acme), talk, "2026-07-31T00:00:00Z")
                .iter()
                .filter(|o| o.kind == Kind::Escalated)
                .map(|o| o.key.clone())
                .collect()
        };
        let both = steps(&organisation, &said);
        assert_eq!(both.len(), 2);
        said.insert(both[0].clone(), (t("2026-07-02T21:00:00Z"), managers));
        organisation.zone = Tz::America__New_York;
        assert_eq!(steps(&organisation, &said), both);
        organisation.manners.escalation = Some(Escalation { after: 5, known_at: t("2026-07-10T00:00:00Z") });
        assert_eq!(steps(&organisation, &said), both);
    }

    #[test]
    fn what_an_earlier_release_said_counts_as_said_to_whoever_is_asked() {
        let organisation = mannered();
        let mut acme = acme();
        acme.nonconformities.push(nc());
        let key = "nc/12/due/2026-06-30/overdue/7".to_owned();
        let said = Said::from([(key, (t("2026-07-09T12:00:00Z"), None))]);
        let talk = Talk { now: Some(t("2026-07-09T13:00:00Z")), said: Some(&said), ..Talk::default() };
        let told = talking(&organisation, std::slice::from_ref(&acme), talk, "2026-07-13T12:00:00Z");
        assert!(told.iter().any(|o| o.key == "nc/12/due/2026-06-30/escalated/2026-07-09/1"));
    }
}
