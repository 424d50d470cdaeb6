//! Keeps the outbox in step with what is due: when something falls due, and after every change (which says in its
//! own transaction that this is to be done).

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};

use super::due::{self, Facts, Kind, Occurrence, Talk, To, What};
use crate::catalogue::Catalogue;
use crate::domain::certificate::CertificateFile;
use crate::domain::organisation::Organisation;
use crate::store::notices::{self, State};
use crate::store::requests;
use crate::store::{self, Fault, Write};

/// What is due and not said yet.
#[derive(Debug)]
pub struct Outbox {
    /// The organisation.
    pub organisation: Organisation,
    /// Its certificates with their records.
    pub files: Vec<CertificateFile>,
    /// What is to be said, in the order in which it fell due, each with its key in the outbox.
    pub pending: Vec<(i64, Occurrence)>,
    /// How much of it fell due since it was planned last.
    pub fresh: u64,
}

/// What is said of channels that do not take reminders: once each, in one that does.
fn parked(
    organisation: &Organisation,
    files: &[CertificateFile],
    refused: &[notices::Refused],
) -> Vec<Occurrence> {
    let takes = |channel: &&String| !refused.iter().any(|r| r.channel == **channel);
    let of_certificates = || files.iter().filter_map(|f| f.certificate.channel.as_ref());
    let escalation = || organisation.manners.escalation_channel.iter();
    let mut all = organisation.channel.iter().chain(of_certificates()).chain(escalation());
    let Some(to) = all.find(takes) else { return Vec::new() };
    refused
        .iter()
        .map(|r| Occurrence {
            // What waits there now; once it was freed and is refused again, that is said again.
            key: format!("parked/{}/{}", r.channel, r.post),
            kind: Kind::ChannelParked,
            phase: None,
            certificate: None,
            nc: None,
            due_on: organisation.day_of(r.since),
            due_at: r.since,
            thread: format!("parked/{}", r.channel),
            about_on: None,
            silent_until: None,
            to: To::Managers,
            channel: Some(to.clone()),
            what: What::ChannelParked { channel: r.channel.clone(), why: r.why.clone(), waiting: r.waiting },
            subject: "a channel does not take reminders".to_owned(),
            title: "a channel does not take reminders".to_owned(),
        })
        .collect()
}

/// Puts everything that is due into the outbox (each key once), takes out what is no longer true, and leaves out
/// what a later notice about the same thing makes moot.
pub async fn plan(
    w: &mut Write<'_>,
    org: i64,
    catalogue: &Catalogue,
    now: DateTime<Utc>,
) -> Result<Outbox, Fault> {
    let organisation = store::organisation::get(w.connection(), org).await?;
    let (files, rest) = store::facts(w.connection(), org, false).await?;
    let log = notices::log(w.connection(), org).await?;
    let talk = Talk { now: Some(now), said: Some(&log.said), answers: &rest.answers, own: &rest.own };
    let facts = Facts { organisation: &organisation, catalogue, files: &files, talk };
    let mut all = due::due(facts, now);
    all.extend(parked(&organisation, &files, &notices::refused(w.connection(), org).await?));
    let mut fresh = 0;
    let (silent, all): (Vec<Occurrence>, Vec<Occurrence>) =
        all.into_iter().partition(|o| o.silent_until.is_some());
    for o in silent.iter().filter(|o| !log.is_known(&o.key)) {
        let until = o.silent_until.unwrap_or(o.due_on);
        notices::pass_over(w, org, o, &format!("answered until {until}"), now).await?;
    }
    for o in all.iter().filter(|o| !log.is_known(&o.key)) {
        let new = notices::plan(w, org, &o.key, o.kind.id(), o.due_on, o.due_at, now).await?;
        fresh += u64::from(new);
    }
    let next = due::next_after(facts, now);
    notices::set_next_due(w, org, next).await?;
    requests::forget(w, org, now).await?;

    let mut by_key: HashMap<&str, &Occurrence> = all.iter().map(|o| (o.key.as_str(), o)).collect();
    let mut pending: Vec<(i64, bool, Occurrence)> = Vec::new();
    for notice in notices::unsettled(w.connection(), org).await? {
        match by_key.remove(notice.key.as_str()) {
            Some(o) => pending.push((notice.id, notice.parked, o.clone())),
            None => {
                // Of a reminder of somebody's own only the latest run is due: it stands for those before it.
                let run_of = |o: &&Occurrence| {
                    o.kind == Kind::Own && notice.key.rsplit_once('/').is_some_and(|(own, _)| own == o.thread)
                };
                let (state, why) = match all.iter().find(run_of) {
                    Some(later) => (State::Superseded, format!("a later one says it: {}", later.key)),
                    None => (State::Withdrawn, "no longer true when its turn came".to_owned()),
                };
                notices::settle(w, org, notice.id, state, Some(&why), now).await?;
            }
        }
    }
    // Of several that were not said about the same date, the latest says it all. A phase is always announced.
    let latest: BTreeMap<String, String> = pending
        .iter()
        .filter(|(_, _, o)| o.kind != Kind::PhaseBegins)
        .map(|(_, _, o)| (o.thread.clone(), o.key.clone()))
        .collect();
    let mut out = Vec::with_capacity(pending.len());
    for (id, parked, o) in pending {
        if o.kind != Kind::PhaseBegins && latest.get(&o.thread).is_some_and(|key| *key != o.key) {
            let why = latest.get(&o.thread).map(|key| format!("a later one says it: {key}"));
            notices::settle(w, org, id, State::Superseded, why.as_deref(), now).await?;
        } else if !parked {
            out.push((id, o));
        }
    }
    Ok(Outbox { organisation, files, pending: out, fresh })
}
