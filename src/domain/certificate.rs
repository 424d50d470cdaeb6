//! The certificate and its cycles.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::action::Action;
use super::area::Area;
use super::audit::{Audit, AuditKind};
use super::calendar;
use super::finding::Finding;
use super::nonconformity::{Grade, Nonconformity};
use super::organisation::Person;
use super::programme::Limits;
use super::record::{Record, RecordKind};
use super::refusal::Refusal;
use super::review::Review;

/// A certificate, held or prepared for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Database key, never shown.
    pub id: i64,
    /// Its number within the organisation, from 1.
    pub no: i64,
    /// The standard's id in the catalogue (`iso-27001`).
    pub standard: String,
    /// What people call it.
    pub name: String,
    /// The certification body.
    pub body: Option<String>,
    /// The certificate's own number.
    pub number: Option<String>,
    /// Where its reminders go, if not the organisation's channel.
    pub channel: Option<String>,
    /// Who is asked to act.
    pub owner: Option<Person>,
    /// The last day of the stage 2 audit, held or booked.
    pub stage2_on: Option<NaiveDate>,
    /// When it was entered here.
    pub entered_at: DateTime<Utc>,
    /// Since when this day of stage 2 is on record.
    pub stage2_known_at: DateTime<Utc>,
    /// Its cycles, oldest first; none while it is being prepared for.
    pub cycles: Vec<Cycle>,
    /// What the body's own terms say, where they are on record.
    pub terms: Terms,
    /// What it covers, in the certificate's own words.
    pub scope: Option<String>,
}

/// The time limits that a certification body sets by contract, in days; where one is not on record, the programme's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Terms {
    /// For the plan of corrections and corrective actions, after the audit's last day.
    pub plan_days: Option<u32>,
    /// For closing a major nonconformity, after the audit's last day.
    pub major_days: Option<u32>,
    /// For closing a minor nonconformity, after the audit's last day.
    pub minor_days: Option<u32>,
    /// From stage 1 to stage 2, where the body sets one (ISO/IEC 17021-1:2015, 9.3.1.2.4 has none).
    pub stage1_days: Option<u32>,
}

impl Terms {
    /// The limits in force: the body's own, else the programme's.
    pub fn over(&self, usual: Limits) -> Limits {
        Limits {
            plan_days: self.plan_days.unwrap_or(usual.plan_days),
            major_days: self.major_days.unwrap_or(usual.major_days),
            minor_days: self.minor_days.unwrap_or(usual.minor_days),
            verify_days: usual.verify_days,
        }
    }
}

/// A three-year certification cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle {
    /// 1 for the first.
    pub n: u32,
    /// The day of the (re)certification decision that began it.
    pub decided_on: NaiveDate,
    /// The day from which its months are counted: the decision, or after a renewal the day after the old expiry.
    pub anchor: NaiveDate,
    /// The last day on which the certificate is valid.
    pub expires_on: NaiveDate,
    /// Counts the anchors it has had: 1, and one more each time the anchor was corrected.
    pub revision: u32,
    /// Since when this anchor has been on record: what fell due earlier is not announced.
    pub known_at: DateTime<Utc>,
    /// Since when this expiry is on record.
    pub expires_known_at: DateTime<Utc>,
}

/// Where a certificate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Not decided yet.
    Preparing,
    /// Valid.
    Certified,
    /// Expired, and can be restored until the day given (ISO/IEC 17021-1:2015, 9.6.3.2.5). Not valid meanwhile.
    ExpiredRestorable {
        /// The last day for a restoration.
        until: NaiveDate,
    },
    /// Expired for good: an initial certification (at least a stage 2) is needed.
    Expired,
    /// Suspended (ISO/IEC 17021-1:2015, 9.6.5). Not valid meanwhile; the calendar runs on.
    Suspended {
        /// Since when.
        since: NaiveDate,
    },
    /// Withdrawn (ISO/IEC 17021-1:2015, 9.6.5): nothing is due for it any more.
    Withdrawn {
        /// Since when.
        since: NaiveDate,
    },
}

/// A certificate with all that is on record for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFile {
    /// The certificate.
    pub certificate: Certificate,
    /// The completed audits that count for it.
    pub audits: Vec<Audit>,
    /// Its audits that are planned or under way.
    pub booked: Vec<Audit>,
    /// Its nonconformities, open and closed.
    pub nonconformities: Vec<Nonconformity>,
    /// Its findings that are no nonconformities.
    pub findings: Vec<Finding>,
    /// Its actions.
    pub actions: Vec<Action>,
    /// The management reviews that serve it, held or planned.
    pub reviews: Vec<Review>,
    /// What is on record for it, and for the organisation as a whole.
    pub records: Vec<Record>,
    /// The organisation's areas.
    pub areas: Vec<Area>,
}

impl CertificateFile {
    /// A certificate of which nothing else is on record.
    pub fn new(certificate: Certificate) -> Self {
        Self {
            certificate,
            audits: Vec::new(),
            booked: Vec::new(),
            nonconformities: Vec::new(),
            findings: Vec::new(),
            actions: Vec::new(),
            reviews: Vec::new(),
            records: Vec::new(),
            areas: Vec::new(),
        }
    }

    /// Where the certificate stands on a day, with what became of it.
    pub fn status(&self, today: NaiveDate) -> Status {
        if let Some(since) = self.withdrawn_on().filter(|on| *on <= today) {
            return Status::Withdrawn { since };
        }
        match (self.certificate.status(today), self.suspended_since()) {
            (Status::Certified, Some(since)) if since <= today => Status::Suspended { since },
            (status, _) => status,
        }
    }

    /// The day since which it is suspended, if it is.
    pub fn suspended_since(&self) -> Option<NaiveDate> {
        self.last_of(&[RecordKind::Suspended, RecordKind::Reinstated, RecordKind::Withdrawn])
            .filter(|r| r.kind == RecordKind::Suspended)
            .map(|r| r.on)
    }

    /// The day on which it was withdrawn, if it was: for good (ISO/IEC 17021-1:2015, 9.6.5).
    pub fn withdrawn_on(&self) -> Option<NaiveDate> {
        Some(self.last_of(&[RecordKind::Withdrawn])?.on)
    }

    /// Whether this may become of it on a day, as things stand today (ISO/IEC 17021-1:2015, 9.6.4 and 9.6.5; IAF MD 2).
    pub fn may_become(&self, to: RecordKind, on: NaiveDate, today: NaiveDate) -> Result<(), Refusal> {
        let status = self.status(today);
        let fits = match to {
            RecordKind::Suspended | RecordKind::Transferred => status == Status::Certified,
            RecordKind::Reinstated => matches!(status, Status::Suspended { .. }),
            // One that is being prepared for is given up, or was entered by mistake.
            RecordKind::Withdrawn | RecordKind::Scope => {
                !matches!(status, Status::Withdrawn { .. } | Status::Expired)
            }
            RecordKind::OpeningMeeting
            | RecordKind::TaskDone
            | RecordKind::TaskWaived
            | RecordKind::Change
            | RecordKind::Risk
            | RecordKind::Training => true,
        };
        if !fits {
            return Err(Refusal::StatusStep { to, status });
        }
        let held = match to {
            RecordKind::Suspended | RecordKind::Transferred => self.certificate.valid_on(on),
            RecordKind::Withdrawn => {
                let cycles = &self.certificate.cycles;
                cycles.is_empty() || cycles.iter().any(|c| c.valid_from() <= on)
            }
            RecordKind::Reinstated
            | RecordKind::Scope
            | RecordKind::OpeningMeeting
            | RecordKind::TaskDone
            | RecordKind::TaskWaived
            | RecordKind::Change
            | RecordKind::Risk
            | RecordKind::Training => true,
        };
        if held { Ok(()) } else { Err(Refusal::NotHeldOn { to, on }) }
    }

    /// What the body's decision would go against, made with this on record (ISO/IEC 17021-1:2015, 9.5.2, 9.5.3.2 and
    /// 9.6.3.2). Before the first decision everything that the body found counts; after it, what it found in the cycle
    /// that ends.
    pub fn unsettled(&self, zone: Tz) -> Unsettled {
        let from = self.certificate.latest_cycle().map(Cycle::valid_from);
        let completed = || {
            self.audits.iter().filter(|a| a.state.is_completed() && from.is_none_or(|from| a.ends_on >= from))
        };
        let stage_two = completed().filter(|a| a.kind == AuditKind::Stage2).map(|a| a.ends_on).max();
        let limit = stage_two.map(|on| calendar::add_months(on, STAGE_TWO_MAJOR_MONTHS));
        let mut unsettled = Unsettled::default();
        for nc in self.nonconformities.iter().filter(|nc| !nc.is_voided()) {
            let Some(found_by) = completed().find(|a| nc.audit.is_some_and(|(id, _)| id == a.id)) else {
                continue;
            };
            let progress = nc.progress();
            let verified = progress.verified.map(|step| step.at.with_timezone(&zone).date_naive());
            match (nc.grade, found_by.kind) {
                (Grade::Major, kind) if kind.by_body() && nc.is_open() && verified.is_none() => {
                    unsettled.majors.push(nc.no);
                }
                (Grade::Major, AuditKind::Stage2) => {
                    if let Some(limit) = limit.filter(|limit| verified.is_some_and(|on| on > *limit)) {
                        unsettled.late.push((nc.no, limit));
                    }
                }
                (Grade::Minor, AuditKind::Stage2 | AuditKind::Recertification)
                    if nc.is_open() && progress.plan.is_none() =>
                {
                    unsettled.minors.push(nc.no);
                }
                (Grade::Major | Grade::Minor, _) => {}
            }
        }
        unsettled
    }

    /// The first cycle that a decision opens. `because`: whether the body had its reason to go against what is not
    /// settled.
    pub fn decide(
        &self,
        decided_on: NaiveDate,
        expires_on: Option<NaiveDate>,
        (known_at, zone): (DateTime<Utc>, Tz),
        because: bool,
    ) -> Result<Cycle, Refusal> {
        if let Some(on) = self.withdrawn_on().filter(|_| self.certificate.cycles.is_empty()) {
            return Err(Refusal::Withdrawn { on });
        }
        let cycle = self.certificate.decide(decided_on, expires_on, known_at)?;
        self.settled_for(zone, because)?;
        Ok(cycle)
    }

    /// The cycle that a renewal or a restoration opens: never of one that was withdrawn. `because`: whether the body
    /// had its reason to go against what is not settled.
    pub fn renew(
        &self,
        decided_on: NaiveDate,
        expires_on: Option<NaiveDate>,
        (known_at, zone): (DateTime<Utc>, Tz),
        because: bool,
    ) -> Result<Cycle, Refusal> {
        if let Some(on) = self.withdrawn_on() {
            return Err(Refusal::Withdrawn { on });
        }
        let cycle = self.certificate.renew(decided_on, expires_on, known_at)?;
        self.settled_for(zone, because)?;
        Ok(cycle)
    }

    fn settled_for(&self, zone: Tz, because: bool) -> Result<(), Refusal> {
        let unsettled = self.unsettled(zone);
        if because || unsettled.is_empty() { Ok(()) } else { Err(Refusal::Unsettled(unsettled)) }
    }

    fn last_of(&self, kinds: &[RecordKind]) -> Option<&Record> {
        self.records
            .iter()
            .filter(|r| r.certificate == Some(self.certificate.id) && kinds.contains(&r.kind) && r.counts())
            .max_by_key(|r| (r.on, r.no))
    }
}

/// The months after its anchor beyond which no expiry of a cycle is taken: three years (9.1.3.2), and what a body may
/// add to them in extraordinary circumstances.
const LONGEST_MONTHS: u32 = 48;

/// The months after the last day of stage 2 within which its majors are verified (ISO/IEC 17021-1:2015, 9.5.3.2).
pub const STAGE_TWO_MAJOR_MONTHS: u32 = 6;

/// The months within which an expired certificate can be restored (ISO/IEC 17021-1:2015, 9.6.3.2.5).
pub const RESTORATION_MONTHS: u32 = 6;

/// What the body settles before it decides, and is not settled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unsettled {
    /// The numbers of the body's major nonconformities whose correction is not verified.
    pub majors: Vec<i64>,
    /// The numbers of the minor ones, of stage 2 or the recertification audit, without a plan.
    pub minors: Vec<i64>,
    /// The numbers of stage 2's majors that were verified only after the limit of six months, with that limit: it
    /// takes another stage 2.
    pub late: Vec<(i64, NaiveDate)>,
}

impl Unsettled {
    /// Whether nothing stands in the way.
    pub fn is_empty(&self) -> bool {
        self.majors.is_empty() && self.minors.is_empty() && self.late.is_empty()
    }
}

/// Days on which no certificate was valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The first of them.
    pub from: NaiveDate,
    /// The last of them.
    pub to: NaiveDate,
}

impl Cycle {
    /// The first cycle: it begins with the decision (ISO/IEC 17021-1:2015, 9.1.3.2) and runs for three years unless
    /// the certificate says otherwise.
    pub fn first(decided_on: NaiveDate, expires_on: Option<NaiveDate>, known_at: DateTime<Utc>) -> Self {
        Self::anchored(1, decided_on, decided_on, expires_on, known_at)
    }

    /// The cycle after this one: its months are counted from the day after the old expiry, whenever it was decided
    /// (ISO/IEC 17021-1:2015, 9.6.3.2.3 and 9.6.3.2.5), so that the calendar does not creep.
    #[must_use]
    pub fn renewed(
        &self,
        decided_on: NaiveDate,
        expires_on: Option<NaiveDate>,
        known_at: DateTime<Utc>,
    ) -> Self {
        let anchor = self.next_anchor();
        Self::anchored(self.n.saturating_add(1), decided_on, anchor, expires_on, known_at)
    }

    fn anchored(
        n: u32,
        decided_on: NaiveDate,
        anchor: NaiveDate,
        expires_on: Option<NaiveDate>,
        known_at: DateTime<Utc>,
    ) -> Self {
        let expires_on = expires_on.unwrap_or_else(|| calendar::default_expiry(anchor));
        Self { n, decided_on, anchor, expires_on, revision: 1, known_at, expires_known_at: known_at }
    }

    /// The anchor of the cycle after this one: the day after the expiry.
    pub fn next_anchor(&self) -> NaiveDate {
        calendar::day_after(self.expires_on)
    }

    /// The first day on which its renewal may be decided: in its last year, and after it began.
    pub fn renewable_from(&self) -> NaiveDate {
        calendar::sub_months(self.expires_on, 12).max(calendar::day_after(self.valid_from()))
    }

    /// The last day on which the certificate can be restored once it expired with this cycle: six months after the
    /// expiry (ISO/IEC 17021-1:2015, 9.6.3.2.5).
    pub fn restorable_until(&self) -> NaiveDate {
        calendar::add_months(self.expires_on, RESTORATION_MONTHS)
    }

    /// The first day on which this cycle's certificate is valid: its anchor, or the decision where that came after
    /// the old expiry.
    pub fn valid_from(&self) -> NaiveDate {
        self.anchor.max(self.decided_on)
    }

    /// Whether the certificate is valid on a day by this cycle.
    pub fn valid_on(&self, day: NaiveDate) -> bool {
        self.valid_from() <= day && day <= self.expires_on
    }
}

impl Certificate {
    /// The newest cycle on record, be it still to begin.
    pub fn latest_cycle(&self) -> Option<&Cycle> {
        self.cycles.iter().max_by_key(|cycle| cycle.n)
    }

    /// The cycle that a day belongs to: the newest one begun by then. A renewal recorded before the old expiry
    /// leaves the old cycle current until that day has passed. It stays current after its expiry: see
    /// [`Certificate::status`] for whether the certificate is valid.
    pub fn current_cycle(&self, today: NaiveDate) -> Option<&Cycle> {
        self.cycles.iter().filter(|cycle| cycle.anchor <= today).max_by_key(|cycle| cycle.n)
    }

    /// The cycle that came after the one with this number.
    pub fn cycle_after(&self, n: u32) -> Option<&Cycle> {
        self.cycles.iter().filter(|cycle| cycle.n > n).min_by_key(|cycle| cycle.n)
    }

    /// Whether the certificate is valid on a day. Between an expiry and a restoration it is not.
    pub fn valid_on(&self, day: NaiveDate) -> bool {
        self.cycles.iter().any(|cycle| cycle.valid_on(day))
    }

    /// Where the certificate stands on a day.
    pub fn status(&self, today: NaiveDate) -> Status {
        if self.valid_on(today) {
            return Status::Certified;
        }
        let expired = self.cycles.iter().filter(|cycle| cycle.expires_on < today).max_by_key(|cycle| cycle.n);
        match expired.map(Cycle::restorable_until) {
            None => Status::Preparing,
            Some(until) if today <= until => Status::ExpiredRestorable { until },
            Some(_) => Status::Expired,
        }
    }

    /// The days on which no certificate was valid because a renewal came after the expiry, oldest first.
    pub fn gaps(&self) -> Vec<Gap> {
        self.cycles
            .iter()
            .filter_map(|cycle| {
                let from = cycle.next_anchor();
                let to = calendar::day_before(self.cycle_after(cycle.n)?.valid_from());
                (from <= to).then_some(Gap { from, to })
            })
            .collect()
    }

    /// The first cycle that a decision opens.
    pub fn decide(
        &self,
        decided_on: NaiveDate,
        expires_on: Option<NaiveDate>,
        known_at: DateTime<Utc>,
    ) -> Result<Cycle, Refusal> {
        if let Some(first) = self.cycles.iter().min_by_key(|cycle| cycle.n) {
            return Err(Refusal::AlreadyDecided { on: first.decided_on });
        }
        sound(Cycle::first(decided_on, expires_on, known_at))
    }

    /// The cycle that a renewal opens. One decided after the expiry is a restoration, within six months of it
    /// (ISO/IEC 17021-1:2015, 9.6.3.2.5); after that an initial certification is needed.
    pub fn renew(
        &self,
        decided_on: NaiveDate,
        expires_on: Option<NaiveDate>,
        known_at: DateTime<Utc>,
    ) -> Result<Cycle, Refusal> {
        let old = self.latest_cycle().ok_or(Refusal::NotDecided)?;
        let until = old.restorable_until();
        // Before its last year it is another decision than the one of the recertification.
        let from = old.renewable_from();
        if decided_on < from {
            return Err(Refusal::RenewalTooEarly { from });
        }
        if decided_on > until {
            return Err(Refusal::RestorationOver { until });
        }
        sound(old.renewed(decided_on, expires_on, known_at))
    }
}

/// Refuses a cycle that would expire before it begins, or years after it should.
fn sound(cycle: Cycle) -> Result<Cycle, Refusal> {
    let earliest = cycle.valid_from().max(calendar::day_after(cycle.anchor));
    let latest = calendar::add_months(cycle.anchor, LONGEST_MONTHS);
    if cycle.expires_on < earliest {
        Err(Refusal::ExpiryTooEarly { earliest })
    } else if cycle.expires_on > latest {
        Err(Refusal::ExpiryTooLate { latest })
    } else {
        Ok(cycle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn certificate(decided: &str) -> Certificate {
        Certificate {
            id: 1,
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
            cycles: vec![Cycle::first(d(decided), None, DateTime::UNIX_EPOCH)],
            terms: Terms::default(),
            scope: None,
        }
    }

    fn renewed(decided: &str, renewed: &str) -> Certificate {
        let mut certificate = certificate(decided);
        let next = certificate.renew(d(renewed), None, DateTime::UNIX_EPOCH).unwrap();
        certificate.cycles.push(next);
        certificate
    }

    #[test]
    fn a_renewal_in_time_does_not_creep() {
        let certificate = renewed("2026-03-02", "2029-02-15");
        let next = certificate.latest_cycle().unwrap();
        assert_eq!((next.n, next.anchor, next.expires_on), (2, d("2029-03-02"), d("2032-03-01")));
        assert_eq!(next.decided_on, d("2029-02-15"));
        assert_eq!(certificate.current_cycle(d("2029-03-01")).unwrap().n, 1);
        assert_eq!(certificate.current_cycle(d("2029-03-02")).unwrap().n, 2);
        assert!(certificate.gaps().is_empty());
        assert_eq!(certificate.status(d("2029-03-02")), Status::Certified);
    }

    #[test]
    fn a_late_renewal_keeps_the_dates_and_shows_the_gap() {
        let certificate = renewed("2026-03-02", "2029-06-10");
        assert_eq!(certificate.latest_cycle().unwrap().expires_on, d("2032-03-01"));
        assert_eq!(certificate.gaps(), [Gap { from: d("2029-03-02"), to: d("2029-06-09") }]);
        assert_eq!(certificate.status(d("2029-06-09")), Status::ExpiredRestorable { until: d("2029-09-01") });
        assert!(!certificate.valid_on(d("2029-03-02")));
        assert!(certificate.valid_on(d("2029-06-10")));
    }

    #[test]
    fn leap_days_and_february() {
        let certificate = renewed("2026-03-01", "2029-01-10");
        let expiries: Vec<_> = certificate.cycles.iter().map(|cycle| cycle.expires_on.to_string()).collect();
        assert_eq!(expiries, ["2029-02-28", "2032-02-29"]);
        let leap = renewed("2028-02-29", "2031-02-01");
        assert_eq!(leap.latest_cycle().unwrap().anchor, d("2031-02-28"));
        assert_eq!(leap.latest_cycle().unwrap().expires_on, d("2034-02-27"));
    }

    #[test]
    fn it_expires_and_can_be_restored_for_six_months() {
        let certificate = certificate("2026-03-02");
        let until = d("2029-09-01");
        assert_eq!(certificate.status(d("2026-03-01")), Status::Preparing);
        assert_eq!(certificate.status(d("2029-03-01")), Status::Certified);
        assert_eq!(certificate.status(d("2029-03-02")), Status::ExpiredRestorable { until });
        assert_eq!(certificate.status(until), Status::ExpiredRestorable { until });
        assert_eq!(certificate.status(d("2029-09-02")), Status::Expired);
        let renew = |on: &str| certificate.renew(d(on), None, DateTime::UNIX_EPOCH);
        assert!(renew("2029-09-01").is_ok());
        assert_eq!(renew("2029-09-02"), Err(Refusal::RestorationOver { until }));
        let from = d("2028-03-01");
        assert_eq!(renew("2028-02-29"), Err(Refusal::RenewalTooEarly { from }));
        assert!(renew("2028-03-01").is_ok());
    }

    #[test]
    fn decisions_that_make_no_sense_are_refused() {
        let mut certificate = certificate("2026-03-02");
        let known = DateTime::UNIX_EPOCH;
        assert_eq!(
            certificate.decide(d("2026-04-01"), None, known),
            Err(Refusal::AlreadyDecided { on: d("2026-03-02") })
        );
        certificate.cycles.clear();
        assert_eq!(certificate.renew(d("2026-04-01"), None, known), Err(Refusal::NotDecided));
        assert_eq!(
            certificate.decide(d("2026-04-01"), Some(d("2026-03-31")), known),
            Err(Refusal::ExpiryTooEarly { earliest: d("2026-04-02") })
        );
    }

    /// What can be recorded of a certificate, and time that passes.
    #[derive(Debug, Clone, Copy)]
    enum Move {
        Decide,
        Renew,
        Become(RecordKind),
        Wait(u32),
    }

    fn moved(
        file: &CertificateFile,
        today: NaiveDate,
        step: Move,
    ) -> Result<(CertificateFile, NaiveDate), Refusal> {
        let mut file = file.clone();
        let known = (DateTime::UNIX_EPOCH, Tz::UTC);
        match step {
            Move::Wait(months) => return Ok((file, calendar::add_months(today, months))),
            Move::Decide => {
                let cycle = file.decide(today, None, known, false)?;
                file.certificate.cycles.push(cycle);
            }
            Move::Renew => {
                let cycle = file.renew(today, None, known, false)?;
                file.certificate.cycles.push(cycle);
            }
            Move::Become(kind) => {
                file.may_become(kind, today, today)?;
                file.records.push(Record {
                    id: 0,
                    no: i64::try_from(file.records.len()).unwrap() + 1,
                    kind,
                    certificate: Some(file.certificate.id),
                    subject: String::new(),
                    on: today,
                    words: String::new(),
                    present: Vec::new(),
                    absent: Vec::new(),
                    by: Person { id: 1, handle: "1".into(), name: "P".into() },
                    at: DateTime::UNIX_EPOCH,
                    voided: None,
                });
            }
        }
        Ok((file, today))
    }

    /// ISO/IEC 17021-1:2015, 9.6.3.2.5 and 9.6.5: every sequence of up to eight things recorded of a certificate and
    /// of time passing. Where it then stands is sound, what cannot be is refused, and only what has expired for good or
    /// was withdrawn is at its end.
    #[test]
    fn wherever_a_certificate_stands_there_is_a_way_on() {
        use std::collections::BTreeSet;
        let moves = [
            Move::Decide,
            Move::Renew,
            Move::Become(RecordKind::Suspended),
            Move::Become(RecordKind::Reinstated),
            Move::Become(RecordKind::Withdrawn),
            Move::Wait(4),
            Move::Wait(27),
        ];
        let mut start = CertificateFile::new(certificate("2026-03-02"));
        start.certificate.cycles.clear();
        let mut layer = vec![(start, d("2026-01-31"))];
        let mut met = BTreeSet::new();
        let mut kinds = BTreeSet::new();
        for _ in 0..=8 {
            let mut next = Vec::new();
            for (file, today) in layer {
                let told: Vec<_> = file.records.iter().map(|r| (r.kind, r.on)).collect();
                let cycles: Vec<_> =
                    file.certificate.cycles.iter().map(|c| (c.decided_on, c.anchor)).collect();
                if !met.insert((today, cycles, told)) {
                    continue;
                }
                kinds.insert(sound_standing(&file, today));
                next.extend(moves.iter().filter_map(|step| moved(&file, today, *step).ok()));
            }
            layer = next;
        }
        assert_eq!(kinds.len(), 6, "every standing is reached: {kinds:?}");
        assert!(met.len() > 1000, "{}", met.len());
    }

    /// What must hold of a certificate wherever it stands; the word for where.
    fn sound_standing(file: &CertificateFile, today: NaiveDate) -> &'static str {
        let can = |step| moved(file, today, step);
        let after = |step| can(step).map(|(file, today)| file.status(today));
        let may = |kind| file.may_become(kind, today, today);
        let status = file.status(today);
        let valid = file.certificate.valid_on(today);
        assert_eq!(
            valid && file.withdrawn_on().is_none(),
            matches!(status, Status::Certified | Status::Suspended { .. }),
            "{status:?}"
        );
        for pair in file.certificate.cycles.windows(2) {
            assert_eq!(pair[1].anchor, pair[0].next_anchor(), "the calendar does not creep");
        }
        if status != Status::Preparing {
            let no = can(Move::Decide);
            let refused = matches!(no, Err(Refusal::AlreadyDecided { .. } | Refusal::Withdrawn { .. }));
            assert!(refused, "{status:?}: {no:?}");
        }
        let refused = |kinds: &[RecordKind]| {
            for kind in kinds.iter().copied() {
                assert_eq!(may(kind), Err(Refusal::StatusStep { to: kind, status }));
            }
        };
        match status {
            Status::Preparing => {
                assert_eq!(after(Move::Decide), Ok(Status::Certified));
                assert_eq!(can(Move::Renew).map(|_| ()), Err(Refusal::NotDecided));
                refused(&[RecordKind::Suspended, RecordKind::Reinstated, RecordKind::Transferred]);
                "preparing"
            }
            Status::Certified => {
                assert_eq!(
                    after(Move::Become(RecordKind::Suspended)),
                    Ok(Status::Suspended { since: today })
                );
                assert_eq!(
                    after(Move::Become(RecordKind::Withdrawn)),
                    Ok(Status::Withdrawn { since: today })
                );
                assert_eq!((may(RecordKind::Transferred), may(RecordKind::Scope)), (Ok(()), Ok(())));
                refused(&[RecordKind::Reinstated]);
                let last = file.certificate.latest_cycle().unwrap();
                match can(Move::Renew) {
                    Ok(_) => assert!(today >= last.renewable_from()),
                    Err(why) => assert_eq!(why, Refusal::RenewalTooEarly { from: last.renewable_from() }),
                }
                "certified"
            }
            Status::Suspended { .. } => {
                assert_eq!(after(Move::Become(RecordKind::Reinstated)), Ok(Status::Certified));
                assert_eq!(
                    after(Move::Become(RecordKind::Withdrawn)),
                    Ok(Status::Withdrawn { since: today })
                );
                refused(&[RecordKind::Suspended, RecordKind::Transferred]);
                "suspended"
            }
            Status::ExpiredRestorable { until } => {
                assert!(today <= until);
                let restored = can(Move::Renew).unwrap().0;
                assert!(matches!(restored.status(today), Status::Certified | Status::Suspended { .. }));
                assert!(!restored.certificate.gaps().is_empty(), "the gap is shown");
                refused(&[RecordKind::Suspended, RecordKind::Reinstated, RecordKind::Transferred]);
                "restorable"
            }
            Status::Expired => {
                assert!(matches!(can(Move::Renew), Err(Refusal::RestorationOver { .. })));
                refused(&[
                    RecordKind::Suspended,
                    RecordKind::Reinstated,
                    RecordKind::Withdrawn,
                    RecordKind::Transferred,
                    RecordKind::Scope,
                ]);
                "expired"
            }
            Status::Withdrawn { since } => {
                assert_eq!(can(Move::Renew).map(|_| ()), Err(Refusal::Withdrawn { on: since }));
                refused(&[
                    RecordKind::Suspended,
                    RecordKind::Reinstated,
                    RecordKind::Withdrawn,
                    RecordKind::Transferred,
                    RecordKind::Scope,
                ]);
                "withdrawn"
            }
        }
    }

    #[test]
    fn nothing_becomes_of_a_certificate_on_a_day_on_which_it_was_not_held() {
        let file = CertificateFile::new(certificate("2026-03-02"));
        let on = d("2026-03-01");
        for to in [RecordKind::Suspended, RecordKind::Withdrawn, RecordKind::Transferred] {
            assert_eq!(file.may_become(to, on, d("2026-06-01")), Err(Refusal::NotHeldOn { to, on }));
            assert_eq!(file.may_become(to, d("2026-03-02"), d("2026-06-01")), Ok(()));
        }
    }
}
