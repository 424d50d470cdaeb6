//! `/certificate ...` and `/cycle ...`.

use super::app::{Change, Read, Reply, Stop};
use super::find;
use super::grammar::{
    CertificateAdd, CertificateDecide, CertificateEdit, CertificateRenew, CertificateShow, CyclePreview,
    CycleShow,
};
use super::option::CertificateRef;
use crate::domain::audit::AuditKind;
use crate::domain::calendar;
use crate::domain::certificate::{Certificate, CertificateFile, Cycle, Terms};
use crate::notify::due::{self, Facts, Talk};
use crate::say;
use crate::store::snapshot::Snapshot;
use crate::store::{self, notices};

impl CertificateAdd {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let Some(standard) = cx.catalogue.standard(&self.standard.0.trim().to_lowercase()) else {
            return Err(Stop::Refused(say::refusal::no_standard(&self.standard.0, cx.catalogue)));
        };
        let name = self.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > 80 {
            return Err(Stop::Refused(say::refusal::name_length()));
        }
        if find::is_number(&name) {
            return Err(Stop::Refused(say::refusal::name_is_number(&name)));
        }
        let all = &cx.before.certificates;
        if let Some(same) = all.iter().find(|c| c.name.to_lowercase() == name.to_lowercase()) {
            return Err(Stop::Refused(say::refusal::name_taken(same)));
        }
        let decided = match &self.decided {
            Some(typed) => Some(find::past_day(typed, cx.today, "decided")?),
            None => None,
        };
        let stage2 = find::maybe_day(self.stage2.as_ref(), cx.today, "stage2")?;
        let expires = find::maybe_day(self.expires.as_ref(), cx.today, "expires")?;
        if let (Some(decided), Some(stage2)) = (decided, stage2)
            && stage2 > decided
        {
            return Err(Stop::Refused(say::refusal::stage2_after_decision(stage2, decided)));
        }
        if decided.is_none() && expires.is_some() {
            return Err(Stop::Refused(say::refusal::expires_without_decision()));
        }
        let owner = match &self.owner {
            Some(who) => Some(cx.person(&who.0).await?),
            None => None,
        };
        let mut new = Certificate {
            id: 0,
            no: 0,
            standard: standard.id.clone(),
            name,
            body: text(self.body),
            number: text(self.number),
            channel: self.channel.as_ref().map(|c| cx.channel(c)).transpose()?,
            owner,
            stage2_on: stage2,
            entered_at: cx.now(),
            stage2_known_at: cx.now(),
            cycles: Vec::new(),
            terms: Terms::default(),
            scope: None,
        };
        if let Some(decided) = decided {
            let cycle = new.decide(decided, expires, cx.now()).map_err(|r| say::refusal::rule(&r))?;
            new.cycles.push(cycle);
        }
        let new = store::certificate::insert(&mut cx.w, cx.org.id, new).await?;
        if cx.org.channel.is_none() && new.channel.is_none() {
            // Added before /setup: reminders go where the certificate was added, until somebody says otherwise.
            cx.org.channel.clone_from(&cx.request.channel);
            store::organisation::update(&mut cx.w, &cx.org).await?;
        }
        let missing = new
            .channel
            .as_ref()
            .or(cx.org.channel.as_ref())
            .and_then(|c| cx.request.heard.channels.get(c))
            .and_then(|c| c.missing.clone());
        let programme = cx.catalogue.programme_of(standard);
        let card =
            say::records::certificate_added(&cx.org, standard, programme, &new, missing.as_deref(), cx.today);
        Reply::public(card)
    }
}

fn text(given: Option<String>) -> Option<String> {
    given.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty())
}

pub(super) fn list(cx: &Read<'_>) -> Result<Reply, Stop> {
    Reply::private(say::records::certificates(cx.catalogue, cx.snapshot.files(), cx.today))
}

impl CertificateShow {
    pub(super) async fn read(self, cx: &Read<'_>) -> Result<Reply, Stop> {
        let file = file(cx.snapshot, &self.certificate)?;
        let told = store::journal::touching(
            &mut *cx.store.read().await?,
            cx.org.id,
            store::journal::Table::Certificate,
            file.certificate.id,
            5,
        )
        .await?;
        Reply::private(say::records::certificate(cx.org, cx.catalogue, file, &told, cx.today))
    }
}

impl CertificateDecide {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let (mut certificate, before) = changing(cx, &self.certificate)?;
        let on = find::past_day(&self.date, cx.today, "date")?;
        let expires = find::maybe_day(self.expires.as_ref(), cx.today, "expires")?;
        // One that was held earlier than booked is on record as an audit.
        let held = before.audits.iter().any(|a| a.kind == AuditKind::Stage2 && a.ends_on <= on);
        if let Some(stage2) = certificate.stage2_on.filter(|s| *s > on && !held) {
            return Err(Stop::Refused(say::refusal::stage2_after_decision(stage2, on)));
        }
        cx.reason = text(self.reason);
        let cycle = before
            .decide(on, expires, (cx.now(), cx.org.zone), cx.reason.is_some())
            .map_err(|r| say::refusal::rule(&r))?;
        store::certificate::put_cycle(&mut cx.w, cx.org.id, certificate.id, &cycle).await?;
        certificate.cycles.push(cycle);
        if let Some(number) = text(self.number) {
            certificate.number = Some(number);
            store::certificate::update(&mut cx.w, cx.org.id, &certificate).await?;
        }
        Reply::public(say::records::decided(&cx.org, cx.catalogue, &certificate, &before, cx.today))
    }
}

impl CertificateRenew {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let (mut certificate, before) = changing(cx, &self.certificate)?;
        let on = find::past_day(&self.date, cx.today, "date")?;
        let expires = find::maybe_day(self.expires.as_ref(), cx.today, "expires")?;
        cx.reason = text(self.reason);
        let cycle = before
            .renew(on, expires, (cx.now(), cx.org.zone), cx.reason.is_some())
            .map_err(|r| say::refusal::rule(&r))?;
        store::certificate::put_cycle(&mut cx.w, cx.org.id, certificate.id, &cycle).await?;
        certificate.cycles.push(cycle);
        Reply::public(say::records::renewed(&cx.org, cx.catalogue, &certificate, &before, cx.today))
    }
}

impl CertificateEdit {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let (was, before) = changing(cx, &self.certificate)?;
        let mut now = was.clone();
        if let Some(name) = text(self.name) {
            let all = &cx.before.certificates;
            if name.chars().count() > 80 {
                return Err(Stop::Refused(say::refusal::name_length()));
            }
            if find::is_number(&name) {
                return Err(Stop::Refused(say::refusal::name_is_number(&name)));
            }
            if let Some(same) =
                all.iter().find(|c| c.id != was.id && c.name.to_lowercase() == name.to_lowercase())
            {
                return Err(Stop::Refused(say::refusal::name_taken(same)));
            }
            now.name = name;
        }
        if let Some(typed) = &self.standard {
            let Some(standard) = cx.catalogue.standard(&typed.0.trim().to_lowercase()) else {
                return Err(Stop::Refused(say::refusal::no_standard(&typed.0, cx.catalogue)));
            };
            now.standard.clone_from(&standard.id);
        }
        if let Some(body) = text(self.body) {
            now.body = Some(body);
        }
        if let Some(number) = text(self.number) {
            now.number = Some(number);
        }
        if let Some(channel) = &self.channel {
            now.channel = Some(cx.channel(channel)?);
        }
        if let Some(who) = &self.owner {
            now.owner = Some(cx.person(&who.0).await?);
        }
        for (given, kept) in [
            (self.plan_days, &mut now.terms.plan_days),
            (self.major_days, &mut now.terms.major_days),
            (self.minor_days, &mut now.terms.minor_days),
            (self.stage1_days, &mut now.terms.stage1_days),
        ] {
            if let Some(days) = given {
                *kept = Some(days.0);
            }
        }
        let decided = match &self.decided {
            Some(typed) => Some(find::past_day(typed, cx.today, "decided")?),
            None => None,
        };
        let expires = find::maybe_day(self.expires.as_ref(), cx.today, "expires")?;
        if let Some(stage2) = find::maybe_day(self.stage2.as_ref(), cx.today, "stage2")? {
            let first = now.cycles.first().map(|c| c.decided_on).or(decided);
            if let Some(decided) = first.filter(|decided| stage2 > *decided) {
                return Err(Stop::Refused(say::refusal::stage2_after_decision(stage2, decided)));
            }
            if now.stage2_on != Some(stage2) {
                now.stage2_on = Some(stage2);
                now.stage2_known_at = cx.now();
            }
        }
        if let (Some(stage2), Some(decided)) = (now.stage2_on, decided)
            && stage2 > decided
            && now.cycles.len() == 1
        {
            return Err(Stop::Refused(say::refusal::stage2_after_decision(stage2, decided)));
        }
        if decided.is_some() || expires.is_some() {
            let Some(last) = now.cycles.pop() else {
                return Err(Stop::Refused(say::refusal::edit_undecided(&was)));
            };
            let cycle =
                corrected(&now, &last, decided, expires, cx.now()).map_err(|r| say::refusal::rule(&r))?;
            now.cycles.push(cycle.clone());
            store::certificate::put_cycle(&mut cx.w, cx.org.id, now.id, &cycle).await?;
        }
        if now == was {
            return Err(Stop::Refused(say::refusal::nothing_to_edit()));
        }
        store::certificate::update(&mut cx.w, cx.org.id, &now).await?;
        notices::unpark(&mut cx.w, cx.org.id).await?;
        cx.reason = text(self.reason);
        Reply::public(say::records::edited(
            &cx.org,
            cx.catalogue,
            &was,
            &now,
            &before,
            cx.reason.as_deref(),
            cx.today,
        ))
    }
}

/// The latest cycle with its dates corrected: checked as if they had been entered so at first.
fn corrected(
    rest: &Certificate,
    last: &Cycle,
    decided: Option<chrono::NaiveDate>,
    expires: Option<chrono::NaiveDate>,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Cycle, crate::domain::refusal::Refusal> {
    let decided_on = decided.unwrap_or(last.decided_on);
    // An expiry that was the default moves with the decision; one that was given stays.
    let given = (last.expires_on != calendar::default_expiry(last.anchor)).then_some(last.expires_on);
    let expires_on = expires.or(given);
    let fresh = if last.n == 1 {
        rest.decide(decided_on, expires_on, now)?
    } else {
        rest.renew(decided_on, expires_on, now)?
    };
    Ok(if fresh.anchor == last.anchor {
        let same = fresh.expires_on == last.expires_on;
        let expires_known_at = if same { last.expires_known_at } else { now };
        Cycle { revision: last.revision, known_at: last.known_at, expires_known_at, ..fresh }
    } else {
        Cycle { revision: last.revision.saturating_add(1), ..fresh }
    })
}

/// The certificate that a change names, and everything on record of it before.
fn changing(cx: &Change<'_>, named: &CertificateRef) -> Result<(Certificate, CertificateFile), Stop> {
    let file = file(&cx.before, named)?.clone();
    Ok((file.certificate.clone(), file))
}

/// Everything on record of the certificate that a line names.
pub(super) fn file<'a>(on_record: &'a Snapshot, named: &CertificateRef) -> Result<&'a CertificateFile, Stop> {
    let all = &on_record.certificates;
    let id = find::certificate(all, named)?.id;
    on_record
        .files()
        .iter()
        .find(|f| f.certificate.id == id)
        .ok_or_else(|| Stop::Refused(say::refusal::no_certificate(&named.0, all)))
}

impl CycleShow {
    pub(super) fn read(self, cx: &Read<'_>) -> Result<Reply, Stop> {
        let file = file(cx.snapshot, &self.certificate)?;
        Reply::private(say::records::cycle(cx.org, cx.catalogue, file, cx.today))
    }
}

impl CyclePreview {
    pub(super) async fn read(self, cx: &Read<'_>) -> Result<Reply, Stop> {
        let file = file(cx.snapshot, &self.certificate)?;
        let months = self.months.map_or(12, |m| m.0);
        let until = calendar::add_months(cx.today, months);
        let files = std::slice::from_ref(file);
        let log = notices::log(&mut *cx.store.read().await?, cx.org.id).await?;
        let answers = &cx.snapshot.rest.answers;
        // Reminders of people's own belong to no certificate.
        let talk = Talk { now: Some(cx.request.at), said: Some(&log.said), answers, own: &[] };
        let facts = Facts { organisation: cx.org, catalogue: cx.catalogue, files, talk };
        let from = cx.request.at;
        let to = calendar::at_hour(cx.org.zone, until, cx.org.hour);
        let coming = due::occurrences(facts, from, to);
        Reply::private(say::records::preview(cx.org, &file.certificate, &coming, months))
    }
}
