//! What is due: a pure function of what is on record and the instant. The same code plans the reminders that are
//! posted, the preview of a cycle and the simulation, so that none can say what the others do not.
//!
//! Every notice has a key that says what is said, never when it is posted: whatever was said once is not said again
//! when the hour or the zone changes, after a restart or when the clock is set back.

use std::fmt;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::catalogue::Catalogue;
use crate::domain::audit::AuditKind;
use crate::domain::calendar::{self, add_days, at_hour, sub_days};
use crate::domain::certificate::{Certificate, CertificateFile, Cycle};
use crate::domain::clocks::{self, Clock, ClockState};
use crate::domain::nonconformity::Nonconformity;
use crate::domain::organisation::Organisation;
use crate::domain::programme::Programme;

/// What is on record for an organisation.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The organisation.
    pub organisation: &'a Organisation,
    /// The standards and programmes.
    pub catalogue: &'a Catalogue,
    /// Its certificates.
    pub files: &'a [CertificateFile],
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
    /// Where a certificate stands that was entered after its cycle began.
    Stands,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 10] = [
        Self::PhaseBegins,
        Self::ClockNear,
        Self::ClockOverdue,
        Self::NcNear,
        Self::NcOverdue,
        Self::ActionNear,
        Self::ActionOverdue,
        Self::VerifyDue,
        Self::StageTwoNear,
        Self::Stands,
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
            Self::Stands => "stands",
        }
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
        /// The due date.
        until: NaiveDate,
        /// How many days are left.
        days_left: u32,
    },
    /// A corrective action is overdue.
    ActionOverdue {
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
    /// Where a certificate stands.
    Stands {
        /// The number of the cycle.
        cycle: u32,
    },
}

impl What {
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
            Self::Stands { .. } => Kind::Stands,
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
    /// The certificate, by database key.
    pub certificate: i64,
    /// The nonconformity, by database key, where it is about one.
    pub nc: Option<i64>,
    /// The local day on which it is due.
    pub due_on: NaiveDate,
    /// The instant at which it is due.
    pub due_at: DateTime<Utc>,
    /// Its subject: a later notice of the same thread makes an earlier one moot that was not said yet.
    pub thread: String,
    /// What it says.
    pub what: What,
    /// What it says, in a line.
    pub title: String,
}

/// The notices that fall due from one instant to another, both included, by instant and key: as things are on
/// record, and as they will be if nothing more is recorded. What has been dealt with has none.
pub fn occurrences(facts: Facts<'_>, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Occurrence> {
    let mut plan = Plan { organisation: facts.organisation, from, to, out: Vec::new() };
    for file in facts.files {
        plan.file(facts.catalogue, file);
    }
    plan.out.sort_by(|one, other| (one.due_at, &one.key).cmp(&(other.due_at, &other.key)));
    plan.out
}

/// The next instant after this one at which a notice falls due.
pub fn next_after(facts: Facts<'_>, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let from = after.checked_add_signed(TimeDelta::nanoseconds(1))?;
    occurrences(facts, from, DateTime::<Utc>::MAX_UTC).first().map(|first| first.due_at)
}

/// The notices planned so far, for a window.
struct Plan<'a> {
    organisation: &'a Organisation,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    out: Vec<Occurrence>,
}

/// What a notice is about.
struct About<'a> {
    certificate: &'a Certificate,
    nc: Option<i64>,
    thread: String,
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
    fn file(&mut self, catalogue: &Catalogue, file: &CertificateFile) {
        let certificate = &file.certificate;
        // A standard of somebody's own may have left the catalogue: its certificates are reminded all the same.
        let programme = catalogue
            .standard(&certificate.standard)
            .and_then(|standard| catalogue.programme_of(standard))
            .or(catalogue.programmes.first());
        let Some(programme) = programme else { return };
        for cycle in &certificate.cycles {
            self.cycle(programme, certificate, cycle);
        }
        self.stage_two(programme, file);
        self.clocks(programme, file);
        for nc in &file.nonconformities {
            self.nonconformity(programme, certificate, nc);
        }
    }

    /// The phases of a cycle, from when its calendar became known.
    fn cycle(&mut self, programme: &Programme, certificate: &Certificate, cycle: &Cycle) {
        let root = cycle_key(certificate, cycle);
        let about = || About { certificate, nc: None, thread: format!("cert/{}/phases", certificate.no) };
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
            self.dated(dates.begins_on, cycle.known_at, about, || {
                (format!("{root}/phase/{}/begins", phase.id), what(), format!("{} begins", phase.title))
            });
        }
        let entered_on = self.organisation.day_of(cycle.known_at);
        let over = certificate.cycle_after(cycle.n).is_some_and(|next| next.anchor <= entered_on);
        if began_earlier && !over {
            self.at(entered_on, cycle.known_at, about, || {
                (format!("{root}/stands"), What::Stands { cycle: cycle.n }, "where it stands".to_owned())
            });
        }
    }

    /// The booked stage 2 of a certificate that is not decided yet.
    fn stage_two(&mut self, programme: &Programme, file: &CertificateFile) {
        let certificate = &file.certificate;
        let Some(on) = certificate.stage2_on.filter(|_| certificate.cycles.is_empty()) else { return };
        if file.audits.iter().any(|audit| audit.kind == AuditKind::Stage2 && audit.ends_on >= on) {
            return;
        }
        let key = format!("cert/{}/stage-2", certificate.no);
        let limit = Limit {
            day: on,
            begins_on: NaiveDate::MIN,
            lapses_on: None,
            known_at: certificate.entered_at,
            leads: &programme.leads.booked,
            overdue: &[],
        };
        self.series(
            &limit,
            || About { certificate, nc: None, thread: key.clone() },
            &key,
            |days_left| {
                (What::StageTwoNear { on, days_left }, format!("stage 2 audit on {on}, {}", left(days_left)))
            },
            |_| None,
        );
    }

    /// The clocks that are not met.
    fn clocks(&mut self, programme: &Programme, file: &CertificateFile) {
        let certificate = &file.certificate;
        let zone = self.organisation.zone;
        let all =
            clocks::all(certificate, programme, &file.audits, &file.nonconformities, zone, NaiveDate::MIN);
        for clock in all.iter().filter(|clock| clock.is_open()) {
            let subject = clock.subject.as_ref().map(|subject| format!("/{subject}")).unwrap_or_default();
            let thread = format!("cert/{}/clock/{}{subject}", certificate.no, clock.rule.id());
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
            self.series(
                &limit,
                || About { certificate, nc: clock.nc, thread: thread.clone() },
                &thread,
                |days_left| {
                    let clock = Clock { state: ClockState::Running, ..clock.clone() };
                    (What::ClockNear { clock, days_left }, format!("{title} by {day}, {}", left(days_left)))
                },
                |days_over| {
                    let clock = Clock { state: ClockState::Missed, ..clock.clone() };
                    Some((
                        What::ClockOverdue { clock, days_over },
                        format!("{title} by {day}, {}", over(days_over)),
                    ))
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
        let about = |part: &str| About { certificate, nc: Some(nc.id), thread: format!("nc/{no}/{part}") };
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
            || about("due"),
            &format!("nc/{no}/due"),
            |days_left| {
                (What::NcNear { until, days_left }, format!("NC-{no} closed by {until}, {}", left(days_left)))
            },
            |days_over| {
                let title = format!("NC-{no} closed by {until}, {}", over(days_over));
                Some((What::NcOverdue { until, days_over }, title))
            },
        );
        if let (Some(plan), Some((_, until, _)), None) =
            (progress.plan, progress.action(), progress.implemented)
        {
            self.series(
                &limit(until, plan.at),
                || about("action"),
                &format!("nc/{no}/action"),
                |days_left| {
                    let title = format!("action for NC-{no} by {until}, {}", left(days_left));
                    (What::ActionNear { until, days_left }, title)
                },
                |days_over| {
                    let title = format!("action for NC-{no} by {until}, {}", over(days_over));
                    Some((What::ActionOverdue { until, days_over }, title))
                },
            );
        }
        if let (Some(done), None) = (progress.implemented, progress.verified) {
            let done_on = self.organisation.day_of(done.at);
            let day = add_days(done_on, programme.limits.verify_days);
            self.dated(
                day,
                done.at,
                || about("verify"),
                || {
                    let title = format!("effectiveness of the action for NC-{no} to be verified");
                    (format!("nc/{no}/verify/{day}"), What::VerifyDue { done_on }, title)
                },
            );
        }
    }

    /// The notices before and after a date. The day itself has none: the last one before says that it is tomorrow.
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
            if due_on >= limit.begins_on {
                self.dated(due_on, limit.known_at, &about, || {
                    let (what, title) = near(*days);
                    (format!("{key}/{day}/lead/{days}"), what, title)
                });
            }
        }
        for days in limit.overdue {
            let due_on = add_days(day, *days);
            if limit.lapses_on.is_some_and(|last| due_on > last) {
                break;
            }
            if let Some((what, title)) = late(*days) {
                self.dated(due_on, limit.known_at, &about, || {
                    (format!("{key}/{day}/overdue/{days}"), what, title)
                });
            }
        }
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
        say: impl FnOnce() -> (String, What, String),
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
        say: impl FnOnce() -> (String, What, String),
    ) {
        if due_at < self.from || due_at > self.to {
            return;
        }
        let About { certificate, nc, thread } = about();
        let (key, what, title) = say();
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
            | What::Stands { .. } => None,
        };
        self.out.push(Occurrence {
            key,
            kind: what.kind(),
            phase,
            certificate: certificate.id,
            nc,
            due_on,
            due_at,
            thread,
            title: format!("{}: {title}", certificate.name),
            what,
        });
    }
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
