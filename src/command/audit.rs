//! `/audit ...`.

use std::sync::Arc;

use super::app::{Change, Read, Reply, Stop};
use super::find;
use super::grammar::{AuditList, AuditLog, AuditShow};
use super::programme;
use crate::domain::audit::{Audit, AuditKind, AuditPlan, AuditState};
use crate::domain::clocks;
use crate::say;
use crate::store;
use crate::store::evidence::{self, Of};
use crate::store::snapshot::Snapshot;

impl AuditLog {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let before = Arc::clone(&cx.before);
        let certificate = find::certificate(&before.certificates, &self.certificate)?;
        let starts_on = find::past_day(&self.date, cx.today, "date")?;
        let ends_on = match &self.until {
            Some(until) => find::past_day(until, cx.today, "until")?,
            None => starts_on,
        };
        if ends_on < starts_on {
            return Err(Stop::Refused(say::refusal::until_before_date(starts_on, ends_on)));
        }
        let scope = self.scope.trim().to_owned();
        if scope.is_empty() {
            return Err(Stop::Refused(say::refusal::scope_empty()));
        }
        let lead_name = self.lead_name.map(|n| n.trim().to_owned()).filter(|n| !n.is_empty());
        let lead = match (&self.lead, &lead_name) {
            (Some(_), Some(_)) => return Err(Stop::Refused(say::refusal::two_leads())),
            (None, None) => return Err(Stop::Refused(say::refusal::no_lead())),
            (Some(who), None) => Some(cx.person(&who.0).await?),
            (None, Some(_)) => None,
        };
        let mut certificates = vec![certificate];
        if let Some(also) = &self.also {
            for other in find::certificates(&before.certificates, also)? {
                if other.id != certificate.id {
                    certificates.push(other);
                }
            }
        }
        let mut clauses = find::clauses(&certificates, cx.catalogue, self.clauses.as_deref(), false)?;
        clauses.extend(find::clauses(&certificates, cx.catalogue, self.controls.as_deref(), true)?);
        for clause in &mut clauses {
            clause.sampled = Some(true);
        }
        let agreed = match (programme::text(self.impartiality), &self.agreed_by) {
            (Some(why), Some(who)) => Some((why, cx.person(&who.0).await?)),
            _ => None,
        };
        let mut new = Audit {
            id: 0,
            no: 0,
            kind: self.kind.into(),
            starts_on,
            ends_on,
            scope,
            conclusion: self.conclusion.map(|t| t.0).unwrap_or_default(),
            lead,
            lead_name,
            logged_by: cx.by.clone(),
            logged_at: cx.now(),
            certificates: certificates.iter().map(|c| c.id).collect(),
            state: AuditState::Reported,
            plan: AuditPlan {
                clauses,
                areas: find::areas(&before.rest.areas, self.areas.as_ref(), cx.today)?,
                ..AuditPlan::default()
            },
        };
        new.plan.impartiality = programme::impartial(&before, &new, &cx.by, agreed)?;
        let audit = store::audit::insert(&mut cx.w, cx.org.id, new).await?;
        if let Some(report) = &self.report {
            programme::keep_report(cx, audit.id, &report.0).await?;
        }
        let audits = [before.audits.as_slice(), std::slice::from_ref(&audit)].concat();
        let lacking = if audit.kind == AuditKind::Stage2 {
            before
                .files()
                .iter()
                .filter(|f| audit.certificates.contains(&f.certificate.id))
                .flat_map(|f| programme::unready(f, cx.catalogue, cx.today))
                .collect()
        } else {
            Vec::new()
        };
        let uncovered = clocks::missing_year_warning(certificate, &audits, ends_on, cx.today);
        Reply::public(say::records::audit_logged(&cx.org, certificate, &audit, &uncovered, &lacking))
    }
}

impl AuditList {
    pub(super) fn read(self, cx: &Read<'_>) -> Result<Reply, Stop> {
        let certificates = &cx.snapshot.certificates;
        let mut audits = cx.snapshot.audits.clone();
        if let Some(named) = &self.certificate {
            let id = find::certificate(certificates, named)?.id;
            audits.retain(|a| a.certificates.contains(&id));
        }
        Reply::private(say::records::audits(cx.org, certificates, &audits))
    }
}

impl AuditShow {
    pub(super) async fn read(self, cx: &Read<'_>) -> Result<Reply, Stop> {
        let Snapshot { certificates, audits, nonconformities, .. } = cx.snapshot;
        let audit = find::audit(audits, &self.audit)?;
        let mut c = cx.store.read().await?;
        let report = evidence::of(&mut c, cx.org.id, Of::Audit(audit.id)).await?;
        let told =
            store::journal::touching(&mut c, cx.org.id, store::journal::Table::Audit, audit.id, 8).await?;
        drop(c);
        let rest = &cx.snapshot.rest;
        let found = (nonconformities.as_slice(), rest.findings.as_slice());
        Reply::private(say::records::audit(cx.org, certificates, audit, found, &rest.areas, &report, &told))
    }
}
