//! What becomes of a certificate: suspended, reinstated, withdrawn, restored, transferred, its scope changed; and the
//! opening meeting before it. Each says what it does to the calendar.

use std::sync::Arc;

use clap::Args;

use super::app::{Change, Reply, Stop};
use super::find;
use super::option::{CertificateRef, DayText};
use super::phase::{NewRecord, enter};
use super::programme::text;
use crate::domain::certificate::{CertificateFile, Status};
use crate::domain::record::RecordKind;
use crate::domain::refusal::Refusal;
use crate::say;
use crate::store;

/// `/certificate suspend`
#[derive(Debug, Clone, Args)]
pub struct Suspend {
    /// Which certificate
    #[arg(long)]
    pub certificate: CertificateRef,
    /// Since when
    #[arg(long)]
    pub date: DayText,
    /// Why: the body's words
    #[arg(long)]
    pub reason: String,
}

/// `/certificate reinstate`
#[derive(Debug, Clone, Args)]
pub struct Reinstate {
    /// Which certificate
    #[arg(long)]
    pub certificate: CertificateRef,
    /// Since when
    #[arg(long)]
    pub date: DayText,
    /// What settled it
    #[arg(long)]
    pub reason: Option<String>,
}

/// `/certificate withdraw`
#[derive(Debug, Clone, Args)]
pub struct Withdraw {
    /// Which certificate
    #[arg(long)]
    pub certificate: CertificateRef,
    /// Since when
    #[arg(long)]
    pub date: DayText,
    /// Why
    #[arg(long)]
    pub reason: String,
}

/// `/certificate restore`
#[derive(Debug, Clone, Args)]
pub struct Restore {
    /// Which certificate
    #[arg(long)]
    pub certificate: CertificateRef,
    /// The day of the decision
    #[arg(long)]
    pub date: DayText,
    /// The new last valid day, if it is not three years after the old one
    #[arg(long)]
    pub expires: Option<DayText>,
}

/// `/certificate transfer`
#[derive(Debug, Clone, Args)]
pub struct Transfer {
    /// Which certificate
    #[arg(long)]
    pub certificate: CertificateRef,
    /// The certification body that it goes to
    #[arg(long)]
    pub body: String,
    /// Since when
    #[arg(long)]
    pub date: DayText,
    /// The new certificate's number
    #[arg(long)]
    pub number: Option<String>,
    /// Why
    #[arg(long)]
    pub reason: Option<String>,
}

/// `/certificate scope`
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_field_names, reason = "the option's name")]
pub struct Scope {
    /// Which certificate
    #[arg(long)]
    pub certificate: CertificateRef,
    /// What it covers now, in the certificate's own words
    #[arg(long)]
    pub scope: String,
    /// Since when (left out: today)
    #[arg(long)]
    pub date: Option<DayText>,
    /// Why
    #[arg(long)]
    pub reason: Option<String>,
}

/// `/certificate opening`
#[derive(Debug, Clone, Args)]
pub struct Opening {
    /// Which certificate
    #[arg(long)]
    pub certificate: CertificateRef,
    /// The day of the opening meeting
    #[arg(long)]
    pub date: DayText,
    /// What was agreed: scope, plan, people
    #[arg(long)]
    pub note: Option<String>,
}

fn refused(to: RecordKind, status: Status) -> Stop {
    Stop::Refused(say::refusal::rule(&Refusal::StatusStep { to, status }))
}

/// Puts on record what became of a certificate.
async fn become_(
    cx: &mut Change<'_>,
    file: &CertificateFile,
    kind: RecordKind,
    date: &DayText,
    subject: &str,
    words: String,
) -> Result<Reply, Stop> {
    let on = find::past_day(date, cx.today, "date")?;
    if let Some(last) = file
        .records
        .iter()
        .filter(|r| {
            r.counts()
                && r.certificate == Some(file.certificate.id)
                && matches!(r.kind, RecordKind::Suspended | RecordKind::Reinstated | RecordKind::Withdrawn)
        })
        .map(|r| r.on)
        .max()
        .filter(|last| on < *last)
    {
        return Err(Stop::Refused(say::work::before_last(on, last)));
    }
    let new = NewRecord {
        kind,
        certificate: Some(file.certificate.id),
        subject: subject.to_owned(),
        on,
        words,
        present: Vec::new(),
        absent: Vec::new(),
    };
    let record = enter(cx, new).await?;
    let mut after = file.clone();
    after.records.push(record.clone());
    Reply::told(&cx.org, say::work::standing(&after, &record, cx.today))
}

impl Suspend {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let before = Arc::clone(&cx.before);
        let file = super::certificate::file(&before, &self.certificate)?;
        let status = file.status(cx.today);
        if status != Status::Certified {
            return Err(refused(RecordKind::Suspended, status));
        }
        let why = text(Some(self.reason)).ok_or_else(say::work::reason_needed)?;
        cx.reason = Some(why.clone());
        become_(cx, file, RecordKind::Suspended, &self.date, "suspension", why).await
    }
}

impl Reinstate {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let before = Arc::clone(&cx.before);
        let file = super::certificate::file(&before, &self.certificate)?;
        let status = file.status(cx.today);
        if !matches!(status, Status::Suspended { .. }) {
            return Err(refused(RecordKind::Reinstated, status));
        }
        cx.reason = text(self.reason);
        let words = cx.reason.clone().unwrap_or_default();
        become_(cx, file, RecordKind::Reinstated, &self.date, "suspension", words).await
    }
}

impl Withdraw {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let before = Arc::clone(&cx.before);
        let file = super::certificate::file(&before, &self.certificate)?;
        let status = file.status(cx.today);
        // One that is being prepared for is given up, or was entered by mistake.
        if matches!(status, Status::Withdrawn { .. } | Status::Expired) {
            return Err(refused(RecordKind::Withdrawn, status));
        }
        let why = text(Some(self.reason)).ok_or_else(say::work::reason_needed)?;
        cx.reason = Some(why.clone());
        become_(cx, file, RecordKind::Withdrawn, &self.date, "certificate", why).await
    }
}

impl Restore {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let before = Arc::clone(&cx.before);
        let file = super::certificate::file(&before, &self.certificate)?.clone();
        let mut certificate = file.certificate.clone();
        let on = find::past_day(&self.date, cx.today, "date")?;
        if matches!(file.status(cx.today), Status::Withdrawn { .. }) {
            return Err(Stop::Refused(say::work::withdrawn_for_good()));
        }
        if certificate.cycles.iter().any(|c| c.valid_on(on)) || certificate.cycles.is_empty() {
            return Err(Stop::Refused(say::work::not_expired(&file, cx.today)));
        }
        let expires = find::maybe_day(self.expires.as_ref(), cx.today, "expires")?;
        let cycle = certificate.renew(on, expires, cx.now()).map_err(|r| say::refusal::rule(&r))?;
        store::certificate::put_cycle(&mut cx.w, cx.org.id, certificate.id, &cycle).await?;
        certificate.cycles.push(cycle);
        Reply::public(say::records::renewed(&cx.org, cx.catalogue, &certificate, &file, cx.today))
    }
}

impl Transfer {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let before = Arc::clone(&cx.before);
        let file = super::certificate::file(&before, &self.certificate)?.clone();
        let status = file.status(cx.today);
        if status != Status::Certified {
            return Err(refused(RecordKind::Transferred, status));
        }
        let body = text(Some(self.body)).ok_or_else(say::work::body_needed)?;
        let mut certificate = file.certificate.clone();
        let from = certificate.body.replace(body.clone()).unwrap_or_else(|| "the body before".to_owned());
        if let Some(number) = text(self.number) {
            certificate.number = Some(number);
        }
        store::certificate::update(&mut cx.w, cx.org.id, &certificate).await?;
        cx.reason = text(self.reason);
        let words = format!("from {from} to {body}");
        let file = CertificateFile { certificate, ..file };
        become_(cx, &file, RecordKind::Transferred, &self.date, "body", words).await
    }
}

impl Scope {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let before = Arc::clone(&cx.before);
        let file = super::certificate::file(&before, &self.certificate)?.clone();
        let status = file.status(cx.today);
        if matches!(status, Status::Withdrawn { .. } | Status::Expired) {
            return Err(refused(RecordKind::Scope, status));
        }
        let scope = text(Some(self.scope)).ok_or_else(say::refusal::scope_empty)?;
        let mut certificate = file.certificate.clone();
        certificate.scope = Some(scope.clone());
        store::certificate::update(&mut cx.w, cx.org.id, &certificate).await?;
        cx.reason = text(self.reason);
        let file = CertificateFile { certificate, ..file };
        let date = self.date.unwrap_or_else(|| DayText("today".to_owned()));
        become_(cx, &file, RecordKind::Scope, &date, "scope", scope).await
    }
}

impl Opening {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let before = Arc::clone(&cx.before);
        let file = super::certificate::file(&before, &self.certificate)?;
        let words = text(self.note).unwrap_or_default();
        become_(cx, file, RecordKind::OpeningMeeting, &self.date, "certification", words).await
    }
}
