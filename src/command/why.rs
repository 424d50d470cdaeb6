//! `/cycle why` and `/cycle whatif`: the dates explained, and what would become of them.

use chrono::NaiveDate;
use clap::Args;

use super::app::{Read, Reply, Stop};
use super::find;
use super::option::{AuditRef, CertificateRef, DayText};
use crate::domain::audit::{Audit, AuditKind, AuditPlan, AuditState};
use crate::domain::calendar;
use crate::domain::certificate::CertificateFile;
use crate::domain::clocks::{self, Clock, Rule};
use crate::domain::organisation::Person;
use crate::say;

/// `/cycle why`
#[derive(Debug, Clone, Args)]
pub struct Why {
    /// Which certificate
    #[arg(long)]
    pub certificate: CertificateRef,
    /// A day that you want explained
    #[arg(long)]
    pub date: Option<DayText>,
    /// A deadline, by its rule's id or a word of it (S1_LATEST, surveillance, expiry)
    #[arg(long)]
    pub clock: Option<String>,
}

/// `/cycle whatif`
#[derive(Debug, Clone, Args)]
pub struct WhatIf {
    /// Which certificate
    #[arg(long)]
    pub certificate: CertificateRef,
    /// A day for the (re)certification decision
    #[arg(long)]
    pub decided: Option<DayText>,
    /// A kind of audit (surveillance, recertification, ...), or a planned one
    #[arg(long)]
    pub audit: Option<String>,
    /// The day for that audit
    #[arg(long)]
    pub date: Option<DayText>,
}

/// All clocks of a certificate, those included that begin later.
fn all_clocks(cx: &Read<'_>, file: &CertificateFile, today: NaiveDate) -> Vec<Clock> {
    let standard = cx.catalogue.standard(&file.certificate.standard);
    standard
        .and_then(|s| cx.catalogue.programme_of(s))
        .map(|p| clocks::all(file, standard, p, cx.org.zone, today))
        .unwrap_or_default()
}

impl Why {
    pub(super) fn read(self, cx: &Read<'_>) -> Result<Reply, Stop> {
        let file = super::certificate::file(cx.snapshot, &self.certificate)?;
        let date = find::maybe_day(self.date.as_ref(), cx.today, "date")?;
        let mut clocks = all_clocks(cx, file, cx.today);
        let wanted = self.clock.as_deref().map(|c| c.trim().to_lowercase()).filter(|c| !c.is_empty());
        let about_cycle = wanted.as_ref().is_some_and(|w| {
            ["expir", "new_expiry", "cycle", "start", "phase"].iter().any(|k| w.contains(k))
        });
        if let Some(wanted) = &wanted {
            let spaced = wanted.replace(['-', ' '], "_");
            let fits = |c: &Clock| {
                c.rule.id().to_lowercase() == spaced
                    || c.rule.id().to_lowercase().contains(&spaced)
                    || c.title().to_lowercase().contains(wanted)
            };
            clocks.retain(fits);
            if clocks.is_empty() && !about_cycle {
                let rules: Vec<&str> = Rule::ALL.iter().map(|r| r.id()).collect();
                let rule = Rule::ALL.into_iter().find(|r| r.id().to_lowercase().contains(&spaced));
                return match rule {
                    Some(rule) => Reply::private(say::why::not_running(file, rule)),
                    None => Err(Stop::Refused(say::why::no_clock(wanted, &rules))),
                };
            }
        }
        if let Some(day) = date {
            clocks.retain(|c| c.limit == day || c.anchor == day);
        }
        let phases = cx
            .catalogue
            .standard(&file.certificate.standard)
            .and_then(|s| cx.catalogue.programme_of(s))
            .map(|p| {
                file.certificate.cycles.iter().flat_map(|c| calendar::phase_dates(p, c)).collect::<Vec<_>>()
            })
            .unwrap_or_default();
        let transition =
            cx.catalogue.standard(&file.certificate.standard).and_then(|s| s.transition.as_ref());
        let cycle = wanted.is_none() || about_cycle;
        Reply::private(say::why::why(file, &clocks, &phases, date, cycle, transition, cx.today))
    }
}

impl WhatIf {
    pub(super) fn read(self, cx: &Read<'_>) -> Result<Reply, Stop> {
        let file = super::certificate::file(cx.snapshot, &self.certificate)?;
        let decided = find::maybe_day(self.decided.as_ref(), cx.today, "decided")?;
        let date = find::maybe_day(self.date.as_ref(), cx.today, "date")?;
        let mut supposed = file.clone();
        let mut words = Vec::new();
        if let Some(on) = decided {
            let c = &mut supposed.certificate;
            // After its last year has begun, a decision is the renewal; before that, the one that began the cycle.
            let renewal = c.latest_cycle().is_some_and(|last| on >= last.renewable_from());
            let cycle = if renewal {
                c.renew(on, None, cx.request.at)
            } else {
                let was = c.cycles.pop();
                match was {
                    Some(last) if !c.cycles.is_empty() => {
                        c.cycles.push(last);
                        c.renew(on, None, cx.request.at)
                    }
                    _ => c.decide(on, None, cx.request.at),
                }
            }
            .map_err(|r| say::refusal::rule(&r))?;
            words.push(say::why::if_decided(&cycle, renewal));
            c.cycles.push(cycle);
        }
        match (&self.audit, date) {
            (Some(named), Some(on)) => {
                let kind: Result<AuditKind, ()> = named.trim().to_lowercase().replace(' ', "-").parse();
                match kind {
                    Ok(kind) => {
                        words.push(say::why::if_held(kind, on));
                        supposed.audits.push(held(file.certificate.id, kind, on, cx));
                    }
                    Err(()) => {
                        let audit = find::audit(&cx.snapshot.audits, &AuditRef(named.clone()))?.clone();
                        words.push(say::why::if_moved(&audit, on));
                        let days = audit.ends_on - audit.starts_on;
                        supposed.audits.retain(|a| a.id != audit.id);
                        supposed.booked.retain(|a| a.id != audit.id);
                        supposed.audits.push(Audit {
                            starts_on: on,
                            ends_on: on.checked_add_signed(days).unwrap_or(on),
                            state: AuditState::Reported,
                            ..audit
                        });
                    }
                }
            }
            (None, Some(on)) => {
                // What is next in the cycle is meant.
                let kind = next_audit(file, cx.today);
                words.push(say::why::if_held(kind, on));
                supposed.audits.push(held(file.certificate.id, kind, on, cx));
            }
            (Some(_), None) => return Err(Stop::Refused(say::why::date_needed())),
            (None, None) if decided.is_none() => return Err(Stop::Refused(say::why::what_if_needed())),
            (None, None) => {}
        }
        // Judged on the supposed day, with what is planned held as planned.
        let day = [decided, date].into_iter().flatten().fold(cx.today, NaiveDate::max);
        let planned = |f: &CertificateFile| {
            let mut f = f.clone();
            let ahead = std::mem::take(&mut f.booked);
            f.audits.extend(ahead.into_iter().map(|a| Audit { state: AuditState::Reported, ..a }));
            f
        };
        let before = all_clocks(cx, &planned(file), day);
        let after = all_clocks(cx, &planned(&supposed), day);
        Reply::private(say::why::what_if(file, &words, &before, &after, day))
    }
}

/// The audit that the body holds next.
fn next_audit(file: &CertificateFile, today: NaiveDate) -> AuditKind {
    match file.certificate.current_cycle(today) {
        None if file.audits.iter().any(|a| a.kind == AuditKind::Stage1) => AuditKind::Stage2,
        None => AuditKind::Stage1,
        Some(cycle) if today >= calendar::sub_months(cycle.expires_on, 12) => AuditKind::Recertification,
        Some(_) => AuditKind::Surveillance,
    }
}

/// An audit as if it had been held.
fn held(certificate: i64, kind: AuditKind, on: NaiveDate, cx: &Read<'_>) -> Audit {
    Audit {
        id: i64::MAX,
        no: i64::MAX,
        kind,
        starts_on: on,
        ends_on: on,
        scope: String::new(),
        conclusion: String::new(),
        lead: None,
        lead_name: None,
        logged_by: Person { id: 0, handle: String::new(), name: String::new() },
        logged_at: cx.request.at,
        certificates: vec![certificate],
        state: AuditState::Reported,
        plan: AuditPlan::default(),
    }
}
