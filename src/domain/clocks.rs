//! The normative clocks of ISO/IEC 17021-1:2015 and the body's contract limits: each computed from its own anchor,
//! beside the phases, with the rule that it comes from. A clock is met or not; nothing puts it off.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use chrono_tz::Tz;

use super::audit::{Audit, AuditKind};
use super::calendar;
use super::certificate::{Certificate, CertificateFile, Cycle, RESTORATION_MONTHS, STAGE_TWO_MAJOR_MONTHS};
use super::nonconformity::{Done, Grade, Nonconformity};
use super::programme::Programme;
use super::record::RecordKind;
use super::standard::{Standard, Transition};

/// A rule that sets a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The first surveillance audit after the initial certification.
    S1Latest,
    /// A surveillance audit in each calendar year.
    SurvCalendarYear,
    /// The renewal before the expiry.
    RecertYear,
    /// Major nonconformities of stage 2.
    Stage2Major,
    /// Major nonconformities of the recertification audit.
    RecertMajor,
    /// The restoration of an expired certificate.
    Restore,
    /// The plan for a nonconformity that the body found.
    CbNcPlan,
    /// The closing of a nonconformity that the body found.
    CbNcClose,
    /// Surveillance in the first and in the second year after the decision.
    SurvYears,
    /// Stage 2 after stage 1, where the body sets a limit.
    Stage1To2,
    /// The end of a suspension.
    Suspension,
    /// The move to the standard's next edition.
    Transition,
}

impl Rule {
    /// All rules.
    pub const ALL: [Self; 12] = [
        Self::S1Latest,
        Self::SurvCalendarYear,
        Self::RecertYear,
        Self::Stage2Major,
        Self::RecertMajor,
        Self::Restore,
        Self::CbNcPlan,
        Self::CbNcClose,
        Self::SurvYears,
        Self::Stage1To2,
        Self::Suspension,
        Self::Transition,
    ];

    /// Its stable id.
    pub fn id(self) -> &'static str {
        match self {
            Self::S1Latest => "S1_LATEST",
            Self::SurvCalendarYear => "SURV_CALENDAR_YEAR",
            Self::RecertYear => "RECERT_YEAR",
            Self::Stage2Major => "STAGE2_MAJOR",
            Self::RecertMajor => "RECERT_MAJOR",
            Self::Restore => "RESTORE",
            Self::CbNcPlan => "CB_NC_PLAN",
            Self::CbNcClose => "CB_NC_CLOSE",
            Self::SurvYears => "SURV_YEARS",
            Self::Stage1To2 => "STAGE1_TO_2",
            Self::Suspension => "SUSPENSION",
            Self::Transition => "TRANSITION",
        }
    }

    /// The rule with this id.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.id() == id)
    }

    /// What it asks for, as a part of a sentence.
    pub fn title(self) -> &'static str {
        match self {
            Self::S1Latest => "first surveillance audit",
            Self::SurvCalendarYear => "surveillance audit in the calendar year",
            Self::RecertYear => "recertification decided",
            Self::Stage2Major => "major nonconformity of stage 2 verified",
            Self::RecertMajor => "major nonconformity of the recertification audit verified",
            Self::Restore => "certificate restored",
            Self::CbNcPlan => "plan for a nonconformity sent to the body",
            Self::CbNcClose => "nonconformity of the body closed",
            Self::SurvYears => "surveillance audit in each of the first two years",
            Self::Stage1To2 => "stage 2 held after stage 1",
            Self::Suspension => "suspension ended",
            Self::Transition => "certificate moved to the standard's next edition",
        }
    }

    /// Whether it sets a date to keep. What only says how a programme is laid out is shown, not called late: its dates
    /// are those of the other rules.
    pub fn is_dated(self) -> bool {
        self != Self::SurvYears
    }

    /// Whether nobody here can move its limit: the body's own terms can be agreed upon with the body.
    pub fn is_hard(self) -> bool {
        !matches!(self, Self::CbNcPlan | Self::CbNcClose | Self::Stage1To2 | Self::Suspension)
    }

    /// The clause that it comes from.
    pub fn source(self) -> &'static str {
        match self {
            Self::S1Latest | Self::SurvCalendarYear => "ISO/IEC 17021-1:2015 9.1.3.3",
            Self::RecertYear => "ISO/IEC 17021-1:2015 9.1.3.2 and 9.6.3.1.1",
            Self::Stage2Major => "ISO/IEC 17021-1:2015 9.5.3.2",
            Self::RecertMajor => "ISO/IEC 17021-1:2015 9.6.3.2.2 and 9.6.3.2.4",
            Self::Restore => "ISO/IEC 17021-1:2015 9.6.3.2.5",
            Self::CbNcPlan | Self::CbNcClose => "the certification body's terms (ISO/IEC 17021-1:2015 9.4.9)",
            Self::SurvYears => "ISO/IEC 17021-1:2015 9.1.3.2",
            Self::Stage1To2 => "the certification body's terms (ISO/IEC 17021-1:2015 9.3.1.2.4)",
            Self::Suspension => "ISO/IEC 17021-1:2015 9.6.5",
            Self::Transition => "the transition period of the standard's edition",
        }
    }

    /// Why the limit is where it is, in a sentence.
    pub fn explanation(self) -> &'static str {
        match self {
            Self::S1Latest => {
                "The first surveillance audit after the initial certification is held within 12 months of the \
                 certification decision."
            }
            Self::SurvCalendarYear => {
                "A surveillance audit is held at least once in each calendar year, except in years of \
                 recertification."
            }
            Self::RecertYear => {
                "The recertification audit is held, its major nonconformities are verified and the renewal is \
                 decided before the certificate expires."
            }
            Self::Stage2Major => {
                "If the correction of a major nonconformity is not verified within 6 months after the last day of \
                 stage 2, another stage 2 is needed before certification."
            }
            Self::RecertMajor => {
                "Major nonconformities of the recertification audit are corrected and verified before the \
                 certificate expires; otherwise it is neither renewed nor extended."
            }
            Self::Restore => {
                "An expired certificate can be restored within 6 months if the outstanding recertification work is \
                 completed; after that at least a stage 2 is needed. It is not valid meanwhile."
            }
            Self::CbNcPlan => {
                "The body sets a time limit after its audit for the cause, the correction and the corrective action \
                 planned."
            }
            Self::CbNcClose => {
                "The body sets a time limit after its audit within which a nonconformity is closed; major ones are \
                 verified by it, minor ones commonly at its next audit."
            }
            Self::SurvYears => {
                "The audit programme has a surveillance audit in the first and in the second year after the \
                 certification decision. It is a rule for the programme: the dates follow from the limits of 12 months \
                 and of the calendar year."
            }
            Self::Stage1To2 => {
                "There is no fixed limit from stage 1 to stage 2: the body judges whether stage 1 still holds. This \
                 one is the body's own."
            }
            Self::Suspension => {
                "A suspension lasts six months in most cases; then the body withdraws the certificate or reduces its \
                 scope."
            }
            Self::Transition => {
                "Certificates of this edition are valid until the end of its transition period; the body audits the \
                 next edition before that, commonly with a surveillance or recertification audit."
            }
        }
    }
}

/// How a clock stands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockState {
    /// What it asks for happened in time.
    Met {
        /// When.
        on: NaiveDate,
    },
    /// What it asks for happened, after the limit.
    MetLate {
        /// When.
        on: NaiveDate,
    },
    /// Its limit is still to come.
    Running,
    /// Its limit has passed.
    Missed,
}

impl ClockState {
    /// The word for it in what programs read.
    pub fn id(self) -> &'static str {
        match self {
            Self::Met { .. } => "met",
            Self::MetLate { .. } => "met-late",
            Self::Running => "running",
            Self::Missed => "missed",
        }
    }

    /// When what it asks for happened, if it did.
    pub fn met_on(self) -> Option<NaiveDate> {
        match self {
            Self::Met { on } | Self::MetLate { on } => Some(on),
            Self::Running | Self::Missed => None,
        }
    }
}

/// A limit with its rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    /// The rule.
    pub rule: Rule,
    /// What it is about where a rule sets several: the calendar year, or the nonconformity's number.
    pub subject: Option<String>,
    /// The nonconformity, by database key, where it is about one.
    pub nc: Option<i64>,
    /// The day that it is counted from.
    pub anchor: NaiveDate,
    /// The last day that still meets it.
    pub limit: NaiveDate,
    /// The number of the cycle; 0 before the first.
    pub cycle: u32,
    /// How it stands.
    pub state: ClockState,
    /// Since when its anchor has been on record.
    pub known_at: DateTime<Utc>,
    /// The first day on which it runs.
    pub begins_on: NaiveDate,
    /// The last day on which missing it matters, where there is one: once the certificate itself has expired, a
    /// missed surveillance audit is not asked for any more.
    pub lapses_on: Option<NaiveDate>,
}

impl Clock {
    /// What tells it from every other one of its certificate (`SURV_CALENDAR_YEAR/2027/2027-12-31`); the keys of its
    /// notices carry it.
    pub fn id(&self) -> String {
        format!("{}/{}", self.thread(), self.limit)
    }

    /// Its rule and subject, without its limit: what stays when its limit moves.
    pub fn thread(&self) -> String {
        let subject = self.subject.as_ref().map(|subject| format!("/{subject}")).unwrap_or_default();
        format!("{}{subject}", self.rule.id())
    }

    /// What it asks for, with its subject (`surveillance audit in 2027`).
    pub fn title(&self) -> String {
        match (self.rule, &self.subject) {
            (Rule::SurvCalendarYear, Some(year)) => format!("surveillance audit in {year}"),
            (Rule::Stage2Major, Some(no)) => format!("major NC-{no} of stage 2 verified"),
            (Rule::RecertMajor, Some(no)) => format!("major NC-{no} of the recertification audit verified"),
            (Rule::CbNcPlan, Some(no)) => format!("plan for NC-{no} sent to the body"),
            (Rule::CbNcClose, Some(no)) => format!("NC-{no} of the body closed"),
            (Rule::Transition, Some(to)) => format!("certificate moved to {to}"),
            (Rule::SurvYears, Some(year)) => format!("surveillance audit in year {year} after the decision"),
            (rule, _) => rule.title().to_owned(),
        }
    }

    /// Days left to the limit: negative once it has passed.
    pub fn days_left(&self, today: NaiveDate) -> i64 {
        (self.limit - today).num_days()
    }

    /// Whether it is still to be met, in time or late.
    pub fn is_open(&self) -> bool {
        matches!(self.state, ClockState::Running | ClockState::Missed)
    }

    /// How it stands on a day, given when it was met.
    fn judge(&mut self, met: Option<NaiveDate>, today: NaiveDate) {
        self.state = match met {
            Some(on) if on <= self.limit => ClockState::Met { on },
            Some(on) => ClockState::MetLate { on },
            None if today <= self.limit => ClockState::Running,
            None => ClockState::Missed,
        };
    }
}

/// The clocks of a certificate as they stand on a day, by limit. `zone` dates what is recorded as an instant.
///
/// What a cycle left unmet is gone once the certificate was renewed after it.
pub fn clocks(
    file: &CertificateFile,
    standard: Option<&Standard>,
    programme: &Programme,
    zone: Tz,
    today: NaiveDate,
) -> Vec<Clock> {
    let mut clocks = all(file, standard, programme, zone, today);
    clocks.retain(|clock| clock.begins_on <= today);
    clocks
}

/// The clocks of a certificate, those included that begin later only (a restoration, once it has expired).
pub fn all(
    file: &CertificateFile,
    standard: Option<&Standard>,
    programme: &Programme,
    zone: Tz,
    today: NaiveDate,
) -> Vec<Clock> {
    let certificate = &file.certificate;
    let mut audits: Vec<&Audit> = file.audits.iter().filter(|audit| audit.state.is_completed()).collect();
    audits.sort_by_key(|audit| (audit.ends_on, audit.id));
    let ncs: Vec<&Nonconformity> = file.nonconformities.iter().filter(|nc| !nc.is_voided()).collect();
    let mut taken = Taken { zone, today, seen: BTreeSet::new(), clocks: Vec::new() };
    for cycle in &certificate.cycles {
        taken.cycle(certificate, cycle, &audits, &file.booked);
    }
    if certificate.cycles.is_empty() {
        taken.stage_two(certificate, &audits, &ncs);
        taken.stage_one(certificate, &audits);
    }
    taken.found(certificate, programme, &audits, &ncs);
    taken.suspended(file);
    if let Some(transition) = standard.and_then(|s| s.transition.as_ref()) {
        taken.transition(certificate, transition);
    }
    let withdrawn = file.withdrawn_on();
    let mut clocks = taken.clocks;
    // Once withdrawn, nothing that was still to be met is asked for any more.
    clocks.retain(|clock| !clock.is_open() || withdrawn.is_none_or(|on| clock.limit < on));
    for clock in &mut clocks {
        if let Some(on) = withdrawn {
            clock.lapses_on = Some(clock.lapses_on.map_or(on, |last| last.min(on)));
        }
    }
    clocks.sort_by(|one, other| {
        (one.limit, one.rule, one.nc, &one.subject).cmp(&(other.limit, other.rule, other.nc, &other.subject))
    });
    clocks
}

/// The running clock that runs out first.
pub fn next_clock(clocks: &[Clock], today: NaiveDate) -> Option<&Clock> {
    clocks
        .iter()
        .filter(|clock| clock.state == ClockState::Running && clock.limit >= today && clock.rule.is_dated())
        .min_by_key(|clock| clock.limit)
}

/// The clocks that were missed.
pub fn late(clocks: &[Clock]) -> Vec<&Clock> {
    clocks.iter().filter(|clock| clock.state == ClockState::Missed && clock.rule.is_dated()).collect()
}

/// The clocks collected so far.
struct Taken {
    zone: Tz,
    today: NaiveDate,
    seen: BTreeSet<(Rule, Option<String>, NaiveDate)>,
    clocks: Vec<Clock>,
}

impl Taken {
    /// Adds a clock, once per rule, subject and limit. `moot`: left out unless it was met.
    fn add(&mut self, mut clock: Clock, met: Option<NaiveDate>, moot: bool) {
        clock.judge(met, self.today);
        if moot && met.is_none() {
            return;
        }
        if self.seen.insert((clock.rule, clock.subject.clone(), clock.limit)) {
            self.clocks.push(clock);
        }
    }

    /// The clocks that come with a cycle.
    fn cycle(&mut self, certificate: &Certificate, cycle: &Cycle, audits: &[&Audit], booked: &[Audit]) {
        let next = certificate.cycle_after(cycle.n);
        // A renewal settles what was missed before it, and ends with its cycle what still runs.
        let today = self.today;
        let moot = |limit| next.is_some_and(|next| limit < next.decided_on || next.anchor <= today);
        let clock = |rule, anchor, limit| Clock {
            rule,
            subject: None,
            nc: None,
            anchor,
            limit,
            cycle: cycle.n,
            state: ClockState::Running,
            known_at: cycle.known_at,
            begins_on: cycle.decided_on,
            lapses_on: None,
        };
        let expiry = cycle.expires_on;
        if cycle.n == 1 {
            // 9.1.3.3: not more than 12 months from the certification decision, after the initial one only.
            let limit = calendar::add_months(cycle.decided_on, 12);
            let met = audits
                .iter()
                .filter(|audit| audit.kind == AuditKind::Surveillance && audit.ends_on >= cycle.decided_on)
                .map(|audit| audit.ends_on)
                .filter(|on| next.is_none_or(|next| *on < next.anchor))
                .min();
            let clock = Clock { lapses_on: Some(expiry), ..clock(Rule::S1Latest, cycle.decided_on, limit) };
            self.add(clock, met, moot(limit));
        }
        // 9.1.3.3: once in each calendar year after the decision's and before the expiry's, but for years of a
        // recertification audit.
        for year in calendar_years(cycle) {
            let Some(limit) = NaiveDate::from_ymd_opt(year, 12, 31) else { continue };
            let recertified = |a: &Audit| a.kind == AuditKind::Recertification && a.ends_on.year() == year;
            if audits.iter().any(|a| recertified(a)) || booked.iter().any(recertified) {
                continue;
            }
            let clock = Clock {
                subject: Some(year.to_string()),
                lapses_on: Some(expiry),
                ..clock(Rule::SurvCalendarYear, cycle.decided_on, limit)
            };
            self.add(clock, held_in(audits, AuditKind::Surveillance, year), moot(limit));
        }
        // 9.1.3.2: the programme has surveillance in the first and in the second year after the decision.
        for year in 1..=2 {
            let from = calendar::add_months(cycle.decided_on, 12 * (year - 1));
            let limit = calendar::add_months(cycle.decided_on, 12 * year);
            let met = audits
                .iter()
                .filter(|a| a.kind == AuditKind::Surveillance)
                .map(|a| a.ends_on)
                .filter(|on| (from < *on || year == 1 && from == *on) && *on <= limit)
                .min();
            let clock = Clock {
                subject: Some(year.to_string()),
                lapses_on: Some(expiry),
                ..clock(Rule::SurvYears, cycle.decided_on, limit)
            };
            self.add(clock, met, moot(limit));
        }
        // 9.1.3.2, 9.6.3.1.1: renewed before it expires.
        let restorable = calendar::add_months(expiry, RESTORATION_MONTHS);
        let known_at = cycle.expires_known_at;
        let clock_of_renewal =
            Clock { known_at, lapses_on: Some(restorable), ..clock(Rule::RecertYear, expiry, expiry) };
        self.add(clock_of_renewal, next.map(|next| next.decided_on), false);
        // 9.6.3.2.5: restored within six months once it has expired.
        let restored = next.map(|next| next.decided_on);
        if restored.is_none_or(|on| on > expiry) {
            let clock = Clock {
                known_at,
                begins_on: cycle.next_anchor(),
                // Then it is too late: there is nothing left to be reminded of.
                lapses_on: Some(calendar::add_days(restorable, 7)),
                ..clock(Rule::Restore, expiry, restorable)
            };
            self.add(clock, restored, false);
        }
    }

    /// 9.5.3.2: majors of stage 2 are verified within six months after its last day, or another stage 2 is held.
    fn stage_two(&mut self, certificate: &Certificate, audits: &[&Audit], ncs: &[&Nonconformity]) {
        let held =
            audits.iter().filter(|audit| audit.kind == AuditKind::Stage2).max_by_key(|audit| audit.ends_on);
        for nc in ncs.iter().filter(|nc| nc.grade == Grade::Major) {
            let found_by = found_by(nc, audits);
            let (last_day, known_at) = match (held, certificate.stage2_on) {
                (Some(held), _) if found_by.is_some_and(|audit| audit.kind == AuditKind::Stage2) => {
                    (held.ends_on, nc.raised_at.max(held.logged_at))
                }
                // Its audit is not on record yet: the booked day counts once it has passed.
                (None, Some(booked)) if nc.audit.is_none() && self.day_of(nc.raised_at) >= booked => {
                    (booked, nc.raised_at)
                }
                _ => continue,
            };
            let clock = Clock {
                rule: Rule::Stage2Major,
                subject: Some(nc.no.to_string()),
                nc: Some(nc.id),
                anchor: last_day,
                limit: calendar::add_months(last_day, STAGE_TWO_MAJOR_MONTHS),
                cycle: 0,
                state: ClockState::Running,
                known_at,
                begins_on: last_day,
                lapses_on: None,
            };
            self.add(clock, self.verified_on(nc), false);
        }
    }

    /// The clocks of nonconformities that the body found.
    fn found(
        &mut self,
        certificate: &Certificate,
        programme: &Programme,
        audits: &[&Audit],
        ncs: &[&Nonconformity],
    ) {
        for nc in ncs {
            let Some(audit) = found_by(nc, audits) else { continue };
            if !audit.kind.by_body() {
                continue;
            }
            let known_at = nc.raised_at.max(audit.logged_at);
            let cycle = certificate.current_cycle(audit.ends_on);
            let clock = |rule, anchor, limit| Clock {
                rule,
                subject: Some(nc.no.to_string()),
                nc: Some(nc.id),
                anchor,
                limit,
                cycle: cycle.map_or(0, |cycle| cycle.n),
                state: ClockState::Running,
                known_at,
                begins_on: audit.ends_on,
                lapses_on: None,
            };
            // The body's terms, 9.4.9: cause, correction and action planned within a defined time.
            let planned =
                nc.steps.iter().find(|step| matches!(step.what, Done::Plan { .. })).map(|step| step.at);
            let limits = certificate.terms.over(programme.limits);
            let limit = calendar::add_days(audit.ends_on, limits.plan_days);
            self.add(clock(Rule::CbNcPlan, audit.ends_on, limit), planned.map(|at| self.day_of(at)), false);
            // The body's terms: closed within a defined time.
            let days = match nc.grade {
                Grade::Major => limits.major_days,
                Grade::Minor => limits.minor_days,
            };
            let closed = nc.progress().closed.map(|step| self.day_of(step.at));
            let limit = calendar::add_days(audit.ends_on, days);
            self.add(clock(Rule::CbNcClose, audit.ends_on, limit), closed, false);
            // 9.6.3.2.2, 9.6.3.2.4: majors of the recertification audit are verified before the expiry.
            if let Some(cycle) = cycle
                && nc.grade == Grade::Major
                && audit.kind == AuditKind::Recertification
                && audit.ends_on <= cycle.expires_on
            {
                let moot = certificate.cycle_after(cycle.n).is_some();
                let clock = clock(Rule::RecertMajor, cycle.expires_on, cycle.expires_on);
                self.add(clock, self.verified_on(nc), moot);
            }
        }
    }

    /// 9.3.1.2.4: from stage 1 to stage 2 there is a limit only where the body sets one.
    fn stage_one(&mut self, certificate: &Certificate, audits: &[&Audit]) {
        let Some(days) = certificate.terms.stage1_days else { return };
        let Some(held) = audits.iter().filter(|a| a.kind == AuditKind::Stage1).max_by_key(|a| a.ends_on)
        else {
            return;
        };
        let met = audits
            .iter()
            .filter(|a| a.kind == AuditKind::Stage2 && a.ends_on >= held.ends_on)
            .map(|a| a.ends_on)
            .min();
        let clock = Clock {
            rule: Rule::Stage1To2,
            subject: None,
            nc: None,
            anchor: held.ends_on,
            limit: calendar::add_days(held.ends_on, days),
            cycle: 0,
            state: ClockState::Running,
            known_at: held.logged_at,
            begins_on: held.ends_on,
            lapses_on: None,
        };
        self.add(clock, met, false);
    }

    /// A certificate that would outlive its edition moves to the next one before that. What was recorded of it stays;
    /// with the standard corrected, the clock is gone.
    fn transition(&mut self, certificate: &Certificate, transition: &Transition) {
        let Some(cycle) = certificate.latest_cycle().filter(|c| c.expires_on >= transition.until) else {
            return;
        };
        let clock = Clock {
            rule: Rule::Transition,
            subject: Some(transition.to.clone()),
            nc: None,
            anchor: transition.until,
            limit: transition.until,
            cycle: cycle.n,
            state: ClockState::Running,
            known_at: certificate.entered_at,
            begins_on: cycle.decided_on,
            lapses_on: None,
        };
        self.add(clock, None, false);
    }

    /// 9.6.5: a suspension is ended within six months in most cases.
    fn suspended(&mut self, file: &CertificateFile) {
        let mine = |kinds: &[RecordKind]| {
            let mut found: Vec<_> = file
                .records
                .iter()
                .filter(|r| {
                    r.certificate == Some(file.certificate.id) && r.counts() && kinds.contains(&r.kind)
                })
                .collect();
            found.sort_by_key(|r| (r.on, r.no));
            found
        };
        let ended = mine(&[RecordKind::Reinstated, RecordKind::Withdrawn]);
        for suspended in mine(&[RecordKind::Suspended]) {
            let met =
                ended.iter().filter(|e| (e.on, e.no) > (suspended.on, suspended.no)).map(|e| e.on).min();
            let clock = Clock {
                rule: Rule::Suspension,
                subject: None,
                nc: None,
                anchor: suspended.on,
                limit: calendar::add_months(suspended.on, 6),
                cycle: file.certificate.current_cycle(suspended.on).map_or(0, |c| c.n),
                state: ClockState::Running,
                known_at: suspended.at,
                begins_on: suspended.on,
                // Once it has expired, its expiry is what has to be dealt with.
                lapses_on: file.certificate.current_cycle(suspended.on).map(|c| c.expires_on),
            };
            self.add(clock, met, false);
        }
    }

    fn day_of(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.zone).date_naive()
    }

    fn verified_on(&self, nc: &Nonconformity) -> Option<NaiveDate> {
        nc.progress().verified.map(|step| self.day_of(step.at))
    }
}

/// The calendar years that need a surveillance audit: those after the decision's and before the expiry's.
fn calendar_years(cycle: &Cycle) -> std::ops::Range<i32> {
    cycle.decided_on.year().saturating_add(1)..cycle.expires_on.year()
}

/// The audit that found a nonconformity.
fn found_by<'a>(nc: &Nonconformity, audits: &[&'a Audit]) -> Option<&'a Audit> {
    let (id, _) = nc.audit?;
    audits.iter().find(|audit| audit.id == id).copied()
}

/// The last day of the first audit of a kind that ended in a calendar year.
fn held_in(audits: &[&Audit], kind: AuditKind, year: i32) -> Option<NaiveDate> {
    audits
        .iter()
        .filter(|audit| audit.kind == kind && audit.ends_on.year() == year)
        .map(|audit| audit.ends_on)
        .min()
}

/// A calendar year of the cycle without a surveillance or recertification audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UncoveredYear {
    /// The year.
    pub year: i32,
    /// Its last day, by which one must be held.
    pub until: NaiveDate,
    /// Whether that day has passed.
    pub missed: bool,
    /// Whether the surveillance audit in question comes after it, so that it must have another one of its own.
    pub passed_over: bool,
}

/// The calendar years of the cycle that no audit covers (ISO/IEC 17021-1:2015, 9.1.3.3), given the audits held and
/// planned, the one in question among them, and the last day of that one. A year passed over is said when an audit is
/// logged, planned, moved or cancelled, not when it is too late.
pub fn missing_year_warning(
    certificate: &Certificate,
    audits: &[Audit],
    proposed: NaiveDate,
    today: NaiveDate,
) -> Vec<UncoveredYear> {
    let Some(cycle) = certificate.current_cycle(proposed) else { return Vec::new() };
    // The year of a recertification audit needs none of its own.
    let covered: BTreeSet<i32> = audits
        .iter()
        .filter(|a| {
            a.certificates.contains(&certificate.id)
                && (a.state.is_completed() || a.state.is_ahead())
                && matches!(a.kind, AuditKind::Surveillance | AuditKind::Recertification)
        })
        .map(|a| a.ends_on.year())
        .collect();
    let last = covered.iter().copied().filter(|year| *year <= cycle.expires_on.year()).max();
    calendar_years(cycle)
        .filter(|year| !covered.contains(year))
        .filter_map(|year| {
            let until = NaiveDate::from_ymd_opt(year, 12, 31)?;
            let passed_over = last.is_some_and(|last| year < last);
            Some(UncoveredYear { year, until, missed: until < today, passed_over })
        })
        .collect()
}

/// The days between an audit and the limit that it is held for that leave room for what comes of it.
const ROOM_AFTER_SURVEILLANCE: i64 = 15;
const ROOM_AFTER_RECERTIFICATION: i64 = 90;

/// What speaks against a day for an audit that no rule forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tight {
    /// The first surveillance audit lies so close to the limit of twelve months that it must not be put off.
    Surveillance {
        /// That limit.
        limit: NaiveDate,
        /// How many days are left after it.
        left: i64,
    },
    /// Majors of the recertification audit could hardly be verified before the expiry.
    Recertification {
        /// The expiry.
        expires_on: NaiveDate,
        /// How many days are left after it.
        left: i64,
    },
    /// The recertification audit would be held before the cycle's third year (ISO/IEC 17021-1:2015, 9.1.3.2).
    EarlyRecertification {
        /// The first day of that year.
        from: NaiveDate,
    },
}

/// What speaks against this audit's day for a certificate, though it keeps every limit.
pub fn tight(certificate: &Certificate, audits: &[Audit], audit: &Audit) -> Option<Tight> {
    let cycle = certificate.current_cycle(audit.ends_on)?;
    match audit.kind {
        AuditKind::Surveillance if cycle.n == 1 => {
            let limit = calendar::add_months(cycle.decided_on, 12);
            let left = (limit - audit.ends_on).num_days();
            let earlier = audits.iter().any(|a| {
                a.id != audit.id
                    && a.kind == AuditKind::Surveillance
                    && a.certificates.contains(&certificate.id)
                    && (a.state.is_completed() || a.state.is_ahead())
                    && a.ends_on >= cycle.decided_on
                    && a.ends_on <= audit.ends_on
            });
            (!earlier && (0..ROOM_AFTER_SURVEILLANCE).contains(&left))
                .then_some(Tight::Surveillance { limit, left })
        }
        AuditKind::Recertification => {
            let expires_on = cycle.expires_on;
            let left = (expires_on - audit.ends_on).num_days();
            let from = calendar::add_months(cycle.anchor, 24);
            if audit.ends_on < from && calendar::sub_months(expires_on, 12) > audit.ends_on {
                Some(Tight::EarlyRecertification { from })
            } else {
                (0..ROOM_AFTER_RECERTIFICATION)
                    .contains(&left)
                    .then_some(Tight::Recertification { expires_on, left })
            }
        }
        AuditKind::Surveillance
        | AuditKind::Internal
        | AuditKind::Gap
        | AuditKind::Stage1
        | AuditKind::Stage2
        | AuditKind::Special => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::audit::{AuditPlan, AuditState};
    use super::super::certificate::Terms;
    use super::super::certificate::Unsettled;
    use super::super::nonconformity::{BodyWords, Step, Verification};
    use super::super::organisation::Person;
    use super::super::record::Record;
    use super::super::refusal::Refusal;
    use super::*;
    use crate::catalogue::Catalogue;

    fn d(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn noon(text: &str) -> DateTime<Utc> {
        d(text).and_hms_opt(12, 0, 0).unwrap().and_utc()
    }

    fn person(id: i64) -> Person {
        Person { id, handle: id.to_string(), name: format!("P{id}") }
    }

    fn certificate(decided: Option<&str>) -> Certificate {
        let cycles = decided.map(|on| Cycle::first(d(on), None, noon(on))).into_iter().collect();
        Certificate {
            id: 7,
            no: 1,
            standard: "iso-27001".into(),
            name: "Acme ISMS".into(),
            body: None,
            number: None,
            channel: None,
            owner: None,
            stage2_on: None,
            entered_at: DateTime::UNIX_EPOCH,
            stage2_known_at: DateTime::UNIX_EPOCH,
            cycles,
            terms: Terms::default(),
            scope: None,
        }
    }

    fn audit(id: i64, kind: AuditKind, on: &str) -> Audit {
        Audit {
            id,
            no: id,
            kind,
            starts_on: d(on),
            ends_on: d(on),
            scope: "all".into(),
            conclusion: "fine".into(),
            lead: None,
            lead_name: None,
            logged_by: person(1),
            logged_at: noon(on),
            certificates: vec![7],
            state: AuditState::Reported,
            plan: AuditPlan::default(),
        }
    }

    fn major(audit: Option<&Audit>, raised: &str) -> Nonconformity {
        Nonconformity {
            id: 40,
            no: 4,
            certificate: 7,
            audit: audit.map(|audit| (audit.id, audit.no)),
            grade: Grade::Major,
            clause: "9.2".into(),
            statement: "none held".into(),
            objective: None,
            body: BodyWords::default(),
            verification: Verification::default(),
            area: None,
            owner: None,
            due_on: d("2030-01-01"),
            due_known_at: noon(raised),
            raised_by: person(1),
            raised_at: noon(raised),
            steps: Vec::new(),
        }
    }

    fn work(nc: &mut Nonconformity, on: &str) {
        let plan = Done::Plan { owner: person(2), due_on: d(on), action: "a".into() };
        let verified = Done::Verified { effective: true, how: "h".into() };
        for (by, what) in [(2, plan), (2, Done::Implemented("i".into())), (1, verified)] {
            nc.steps.push(Step { by: person(by), at: noon(on), what });
        }
    }

    fn stand(
        certificate: &Certificate,
        audits: &[Audit],
        ncs: &[Nonconformity],
        today: &str,
    ) -> Vec<(String, String, ClockState)> {
        let catalogue = Catalogue::embedded().unwrap();
        let programme = catalogue.programme("iso-three-year").unwrap();
        let file = CertificateFile {
            audits: audits.iter().filter(|a| a.certificates.contains(&certificate.id)).cloned().collect(),
            nonconformities: ncs.iter().filter(|nc| nc.certificate == certificate.id).cloned().collect(),
            ..CertificateFile::new(certificate.clone())
        };
        clocks(&file, None, programme, Tz::Europe__Berlin, d(today))
            .into_iter()
            // Beside those that the cases are about.
            .filter(|clock| clock.rule.is_dated() && clock.rule != Rule::CbNcClose)
            .map(|clock| {
                let subject = clock.subject.map(|subject| format!("/{subject}")).unwrap_or_default();
                (format!("{}{subject}", clock.rule.id()), clock.limit.to_string(), clock.state)
            })
            .collect()
    }

    fn expect(stands: &[(String, String, ClockState)], expected: &[(&str, &str, ClockState)]) {
        let stands: Vec<_> =
            stands.iter().map(|(id, limit, state)| (id.as_str(), limit.as_str(), *state)).collect();
        assert_eq!(stands, expected);
    }

    use ClockState::{Met, MetLate, Missed, Running};

    #[test]
    fn the_worked_example() {
        let certificate = certificate(Some("2026-03-02"));
        expect(
            &stand(&certificate, &[], &[], "2026-03-02"),
            &[
                ("S1_LATEST", "2027-03-02", Running),
                ("SURV_CALENDAR_YEAR/2027", "2027-12-31", Running),
                ("SURV_CALENDAR_YEAR/2028", "2028-12-31", Running),
                ("RECERT_YEAR", "2029-03-01", Running),
            ],
        );
        // The first surveillance in December 2026, the second in January 2028: 2027 has none.
        let audits = [
            audit(1, AuditKind::Surveillance, "2026-12-10"),
            audit(2, AuditKind::Surveillance, "2028-01-20"),
        ];
        expect(
            &stand(&certificate, &audits, &[], "2028-01-20"),
            &[
                ("S1_LATEST", "2027-03-02", Met { on: d("2026-12-10") }),
                ("SURV_CALENDAR_YEAR/2027", "2027-12-31", Missed),
                ("SURV_CALENDAR_YEAR/2028", "2028-12-31", Met { on: d("2028-01-20") }),
                ("RECERT_YEAR", "2029-03-01", Running),
            ],
        );
    }

    #[test]
    fn a_calendar_year_passed_over_is_seen_before_it_is_over() {
        let certificate = certificate(Some("2026-03-02"));
        let first = audit(1, AuditKind::Surveillance, "2026-12-10");
        let year = |year, until: &str, missed, passed_over| UncoveredYear {
            year,
            until: d(until),
            missed,
            passed_over,
        };
        assert_eq!(
            missing_year_warning(&certificate, std::slice::from_ref(&first), first.ends_on, d("2026-12-11")),
            [year(2027, "2027-12-31", false, false), year(2028, "2028-12-31", false, false)]
        );
        // The second is planned for January 2028, in March 2027: it is said then, whichever of the two is planned first.
        let second = Audit { state: AuditState::Planned, ..audit(2, AuditKind::Surveillance, "2028-01-20") };
        for on in [first.ends_on, second.ends_on] {
            assert_eq!(
                missing_year_warning(&certificate, &[first.clone(), second.clone()], on, d("2027-03-01")),
                [year(2027, "2027-12-31", false, true)]
            );
        }
        assert_eq!(
            missing_year_warning(
                &certificate,
                &[first.clone(), second.clone()],
                second.ends_on,
                d("2028-01-20")
            ),
            [year(2027, "2027-12-31", true, true)]
        );
        let called_off = Audit { state: AuditState::Cancelled, ..second };
        assert_eq!(
            missing_year_warning(&certificate, &[first, called_off], d("2028-01-20"), d("2027-03-01")),
            [year(2027, "2027-12-31", false, false), year(2028, "2028-12-31", false, false)]
        );
    }

    #[test]
    fn a_recertification_audit_leaves_ninety_days_and_the_first_surveillance_some_room() {
        let certificate = certificate(Some("2026-03-02"));
        let day = |kind, on: &str| tight(&certificate, &[], &audit(9, kind, on));
        let expires_on = d("2029-03-01");
        assert_eq!(day(AuditKind::Recertification, "2028-12-01"), None);
        assert_eq!(
            day(AuditKind::Recertification, "2028-12-02"),
            Some(Tight::Recertification { expires_on, left: 89 })
        );
        assert_eq!(
            day(AuditKind::Recertification, "2027-12-01"),
            Some(Tight::EarlyRecertification { from: d("2028-03-02") })
        );
        assert_eq!(day(AuditKind::Recertification, "2029-03-02"), None, "that goes against RECERT_YEAR");
        let limit = d("2027-03-02");
        assert_eq!(day(AuditKind::Surveillance, "2027-02-15"), None);
        assert_eq!(day(AuditKind::Surveillance, "2027-03-01"), Some(Tight::Surveillance { limit, left: 1 }));
        let earlier = audit(1, AuditKind::Surveillance, "2027-01-10");
        let second = audit(9, AuditKind::Surveillance, "2027-03-01");
        assert_eq!(tight(&certificate, &[earlier], &second), None);
    }

    #[test]
    fn s1_latest_is_calendar_arithmetic_and_late_is_late() {
        let leap = certificate(Some("2028-02-29"));
        let audits = [audit(1, AuditKind::Surveillance, "2029-03-01")];
        let stands = stand(&leap, &audits, &[], "2029-04-01");
        assert_eq!(stands[0], ("S1_LATEST".into(), "2029-02-28".into(), MetLate { on: d("2029-03-01") }));
        // An audit before the decision does not count.
        let early = [audit(1, AuditKind::Surveillance, "2028-02-28")];
        assert_eq!(stand(&leap, &early, &[], "2028-04-01")[0].2, Running);
    }

    #[test]
    fn a_year_with_a_recertification_audit_needs_no_surveillance() {
        let certificate = certificate(Some("2026-03-02"));
        let audits = [audit(1, AuditKind::Recertification, "2028-12-10")];
        let stands = stand(&certificate, &audits, &[], "2028-12-11");
        assert!(!stands.iter().any(|(id, ..)| id == "SURV_CALENDAR_YEAR/2028"));
        // Booked is enough.
        let mut file = CertificateFile::new(certificate);
        let needs = |file: &CertificateFile| {
            told(file, "2028-06-01").contains(&"SURV_CALENDAR_YEAR/2028/2028-12-31 running".to_owned())
        };
        assert!(needs(&file));
        let [held] = audits;
        file.booked = vec![Audit { state: AuditState::Planned, ..held }];
        assert!(!needs(&file));
    }

    #[test]
    fn the_expiry_the_restoration_and_the_renewal() {
        let mut certificate = certificate(Some("2026-03-02"));
        let stands = stand(&certificate, &[], &[], "2029-03-02");
        assert_eq!(stands[3], ("RECERT_YEAR".into(), "2029-03-01".into(), Missed));
        assert_eq!(stands[4], ("RESTORE".into(), "2029-09-01".into(), Running));
        assert_eq!(stand(&certificate, &[], &[], "2029-09-02")[4].2, Missed);
        certificate.cycles.push(certificate.renew(d("2029-06-01"), None, noon("2029-06-01")).unwrap());
        expect(
            &stand(&certificate, &[], &[], "2029-06-01"),
            &[
                ("RECERT_YEAR", "2029-03-01", MetLate { on: d("2029-06-01") }),
                ("RESTORE", "2029-09-01", Met { on: d("2029-06-01") }),
                ("SURV_CALENDAR_YEAR/2030", "2030-12-31", Running),
                ("SURV_CALENDAR_YEAR/2031", "2031-12-31", Running),
                ("RECERT_YEAR", "2032-03-01", Running),
            ],
        );
    }

    #[test]
    fn stage_2_majors_have_six_months_from_its_last_day() {
        let certificate = certificate(None);
        let held = audit(1, AuditKind::Stage2, "2026-08-31");
        let mut nc = major(Some(&held), "2026-09-02");
        let audits = [held];
        expect(
            &stand(&certificate, &audits, std::slice::from_ref(&nc), "2026-09-02"),
            &[("CB_NC_PLAN/4", "2026-09-30", Running), ("STAGE2_MAJOR/4", "2027-02-28", Running)],
        );
        assert_eq!(stand(&certificate, &audits, std::slice::from_ref(&nc), "2027-03-01")[1].2, Missed);
        work(&mut nc, "2026-12-01");
        expect(
            &stand(&certificate, &audits, &[nc], "2027-03-01"),
            &[
                ("CB_NC_PLAN/4", "2026-09-30", MetLate { on: d("2026-12-01") }),
                ("STAGE2_MAJOR/4", "2027-02-28", Met { on: d("2026-12-01") }),
            ],
        );
    }

    #[test]
    fn recertification_majors_are_verified_before_the_expiry() {
        let certificate = certificate(Some("2026-03-02"));
        let held = audit(1, AuditKind::Recertification, "2029-01-15");
        let nc = major(Some(&held), "2029-01-16");
        let stands = stand(&certificate, &[held], &[nc], "2029-01-20");
        assert!(stands.contains(&("RECERT_MAJOR/4".into(), "2029-03-01".into(), Running)));
    }

    #[test]
    fn internal_findings_have_no_limit_of_the_body() {
        let certificate = certificate(Some("2026-03-02"));
        let held = audit(1, AuditKind::Internal, "2026-06-01");
        let nc = major(Some(&held), "2026-06-01");
        assert!(
            !stand(&certificate, &[held], &[nc], "2026-06-02").iter().any(|(id, ..)| id.starts_with("CB_"))
        );
    }

    /// The clocks of a file, each as `id state`.
    fn told(file: &CertificateFile, today: &str) -> Vec<String> {
        let catalogue = Catalogue::embedded().unwrap();
        let programme = catalogue.programme("iso-three-year").unwrap();
        let standard = catalogue.standard(&file.certificate.standard);
        all(file, standard, programme, Tz::Europe__Berlin, d(today))
            .iter()
            .map(|clock| format!("{} {}", clock.id(), clock.state.id()))
            .collect()
    }

    fn record(no: i64, kind: RecordKind, on: &str) -> Record {
        Record {
            id: no,
            no,
            kind,
            certificate: Some(7),
            subject: String::new(),
            on: d(on),
            words: String::new(),
            present: Vec::new(),
            absent: Vec::new(),
            by: person(1),
            at: noon(on),
            voided: None,
        }
    }

    /// `STAGE1_TO_2`, 9.3.1.2.4: no limit but the body's own; another stage 1 counts anew.
    #[test]
    fn stage_1_holds_for_as_long_as_the_body_says() {
        let mut file = CertificateFile::new(certificate(None));
        file.audits = vec![audit(1, AuditKind::Stage1, "2026-01-31")];
        assert!(told(&file, "2026-02-01").is_empty());
        file.certificate.terms.stage1_days = Some(60);
        assert_eq!(told(&file, "2026-02-01"), ["STAGE1_TO_2/2026-04-01 running"]);
        assert_eq!(told(&file, "2026-04-02"), ["STAGE1_TO_2/2026-04-01 missed"]);
        file.audits.push(audit(2, AuditKind::Stage2, "2026-04-01"));
        assert_eq!(told(&file, "2026-04-02"), ["STAGE1_TO_2/2026-04-01 met"]);
        file.audits[1] = audit(2, AuditKind::Stage1, "2026-03-31");
        assert_eq!(told(&file, "2026-04-02"), ["STAGE1_TO_2/2026-05-30 running"]);
    }

    /// `STAGE2_MAJOR`, 9.5.3.2: another stage 2 begins the six months anew.
    #[test]
    fn another_stage_2_counts_the_six_months_anew() {
        let mut file = CertificateFile::new(certificate(None));
        let first = audit(1, AuditKind::Stage2, "2026-01-31");
        file.nonconformities = vec![major(Some(&first), "2026-01-31")];
        file.audits = vec![first];
        assert!(told(&file, "2026-08-01").contains(&"STAGE2_MAJOR/4/2026-07-31 missed".to_owned()));
        assert!(file.unsettled(Tz::UTC).majors == [4], "the decision waits for it");
        work(&mut file.nonconformities[0], "2026-09-01");
        assert_eq!(file.unsettled(Tz::UTC).late, [(4, d("2026-07-31"))], "verified too late");
        file.audits.push(audit(2, AuditKind::Stage2, "2026-08-20"));
        assert!(file.unsettled(Tz::UTC).is_empty());
        assert!(told(&file, "2026-09-02").contains(&"STAGE2_MAJOR/4/2027-02-20 met".to_owned()));
    }

    /// `CB_NC_PLAN` and `CB_NC_CLOSE`, 9.4.9: the body's own terms, else the programme's, from the audit's last day.
    #[test]
    fn the_bodys_terms_count_from_the_audits_last_day() {
        let mut file = CertificateFile::new(certificate(Some("2026-03-02")));
        let held = Audit { starts_on: d("2026-11-30"), ..audit(1, AuditKind::Surveillance, "2026-12-02") };
        let mut minor =
            Nonconformity { id: 41, no: 5, grade: Grade::Minor, ..major(Some(&held), "2026-12-20") };
        file.nonconformities = vec![major(Some(&held), "2026-12-02"), minor.clone()];
        file.audits = vec![held];
        let cb = |file: &CertificateFile| -> Vec<String> {
            told(file, "2026-12-20").into_iter().filter(|id| id.starts_with("CB_")).collect()
        };
        assert_eq!(
            cb(&file),
            [
                "CB_NC_PLAN/4/2027-01-01 running",
                "CB_NC_PLAN/5/2027-01-01 running",
                "CB_NC_CLOSE/4/2027-01-31 running",
                "CB_NC_CLOSE/5/2027-03-02 running"
            ]
        );
        file.certificate.terms =
            Terms { plan_days: Some(7), major_days: Some(30), minor_days: Some(90), stage1_days: None };
        work(&mut minor, "2026-12-10");
        minor.steps.push(Step { by: person(1), at: noon("2026-12-11"), what: Done::Closed { note: None } });
        file.nonconformities[1] = minor;
        assert_eq!(
            cb(&file),
            [
                "CB_NC_PLAN/4/2026-12-09 missed",
                "CB_NC_PLAN/5/2026-12-09 met-late",
                "CB_NC_CLOSE/4/2027-01-01 running",
                "CB_NC_CLOSE/5/2027-03-02 met"
            ]
        );
    }

    /// `SURV_YEARS`, 9.1.3.2: in the first and in the second year after the decision, counted in months.
    #[test]
    fn both_years_after_the_decision_have_a_surveillance_audit() {
        let mut file = CertificateFile::new(certificate(Some("2024-02-29")));
        let years = |file: &CertificateFile| -> Vec<String> {
            told(file, "2026-12-01").into_iter().filter(|id| id.starts_with("SURV_YEARS")).collect()
        };
        assert_eq!(years(&file), ["SURV_YEARS/1/2025-02-28 missed", "SURV_YEARS/2/2026-02-28 missed"]);
        file.audits = vec![
            audit(1, AuditKind::Surveillance, "2025-02-28"),
            audit(2, AuditKind::Surveillance, "2025-03-01"),
        ];
        assert_eq!(years(&file), ["SURV_YEARS/1/2025-02-28 met", "SURV_YEARS/2/2026-02-28 met"]);
    }

    /// `SUSPENSION`, 9.6.5: six months, ended by reinstatement or withdrawal; a second one has its own.
    #[test]
    fn a_suspension_lasts_six_months_and_each_has_its_own_clock() {
        let mut file = CertificateFile::new(certificate(Some("2026-03-02")));
        let clocks = |file: &CertificateFile| -> Vec<String> {
            told(file, "2027-12-01").into_iter().filter(|id| id.starts_with("SUSPENSION")).collect()
        };
        file.records = vec![record(1, RecordKind::Suspended, "2026-08-31")];
        assert_eq!(clocks(&file), ["SUSPENSION/2027-02-28 missed"]);
        file.records.push(record(2, RecordKind::Reinstated, "2027-02-28"));
        file.records.push(record(3, RecordKind::Suspended, "2027-07-01"));
        assert_eq!(clocks(&file), ["SUSPENSION/2027-02-28 met", "SUSPENSION/2028-01-01 running"]);
        file.records.push(record(4, RecordKind::Withdrawn, "2027-11-01"));
        assert_eq!(clocks(&file), ["SUSPENSION/2027-02-28 met", "SUSPENSION/2028-01-01 met"]);
    }

    /// `RECERT_MAJOR`, 9.6.3.2.2 and 9.6.3.2.4: verified before the expiry, else neither renewed nor extended; the body
    /// that decided all the same had its reason.
    #[test]
    fn a_major_of_the_recertification_audit_stands_in_the_way_of_the_renewal() {
        let mut file = CertificateFile::new(certificate(Some("2026-03-02")));
        let held = audit(1, AuditKind::Recertification, "2029-01-15");
        file.nonconformities = vec![major(Some(&held), "2029-01-16")];
        file.audits = vec![held];
        let known = (DateTime::UNIX_EPOCH, Tz::UTC);
        let renew = |file: &CertificateFile, because| file.renew(d("2029-02-15"), None, known, because);
        let unsettled = Unsettled { majors: vec![4], ..Unsettled::default() };
        assert_eq!(renew(&file, false), Err(Refusal::Unsettled(unsettled)));
        assert!(renew(&file, true).is_ok());
        work(&mut file.nonconformities[0], "2029-02-01");
        assert_eq!(renew(&file, false).unwrap().expires_on, d("2032-03-01"));
        // What an internal audit found, or the body in an earlier cycle, is no matter of this decision.
        file.nonconformities[0].steps.clear();
        file.audits[0].kind = AuditKind::Internal;
        assert!(renew(&file, false).is_ok());
        file.audits[0] = audit(1, AuditKind::Recertification, "2026-02-15");
        assert!(renew(&file, false).is_ok());
    }

    /// 9.5.2: minors of stage 2 have a plan before the decision.
    #[test]
    fn a_minor_without_a_plan_stands_in_the_way_of_the_decision() {
        let mut file = CertificateFile::new(certificate(None));
        let held = audit(1, AuditKind::Stage2, "2026-02-10");
        file.nonconformities =
            vec![Nonconformity { grade: Grade::Minor, ..major(Some(&held), "2026-02-10") }];
        file.audits = vec![held];
        let known = (DateTime::UNIX_EPOCH, Tz::UTC);
        let unsettled = Unsettled { minors: vec![4], ..Unsettled::default() };
        assert_eq!(file.decide(d("2026-03-02"), None, known, false), Err(Refusal::Unsettled(unsettled)));
        let plan = Done::Plan { owner: person(2), due_on: d("2026-06-01"), action: "a".into() };
        file.nonconformities[0].steps.push(Step { by: person(2), at: noon("2026-02-20"), what: plan });
        assert!(file.decide(d("2026-03-02"), None, known, false).is_ok());
    }

    /// `TRANSITION`: a certificate that would outlive its edition moves on before that.
    #[test]
    fn an_edition_that_ends_within_the_cycle_is_a_clock() {
        let of = |decided: &str| {
            let mut certificate = certificate(Some(decided));
            certificate.standard = "iso-37001-2016".into();
            let ids = told(&CertificateFile::new(certificate), decided);
            ids.into_iter().filter(|id| id.starts_with("TRANSITION")).collect::<Vec<_>>()
        };
        assert_eq!(of("2024-03-01"), ["TRANSITION/iso-37001/2027-02-28 running"]);
        assert!(of("2024-02-29").is_empty(), "it expires the day before");
    }

    #[test]
    fn next_and_late() {
        let catalogue = Catalogue::embedded().unwrap();
        let programme = catalogue.programme("iso-three-year").unwrap();
        let today = d("2027-06-01");
        let file = CertificateFile::new(certificate(Some("2026-03-02")));
        let clocks = clocks(&file, None, programme, Tz::UTC, today);
        assert_eq!(next_clock(&clocks, today).unwrap().limit, d("2027-12-31"));
        let late: Vec<_> = late(&clocks).iter().map(|clock| clock.rule).collect();
        assert_eq!(late, [Rule::S1Latest]);
    }

    #[test]
    fn rules_are_found_by_their_ids() {
        for rule in Rule::ALL {
            assert_eq!(Rule::from_id(rule.id()), Some(rule));
            assert!(rule.explanation().ends_with('.') && !rule.source().is_empty());
        }
    }
}
