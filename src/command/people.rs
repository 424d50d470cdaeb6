//! `/my` and `/handover`: who owes what, and who takes it over.

use std::sync::Arc;

use chrono::NaiveDate;
use clap::Args;

use super::app::{Change, Read, Reply, Stop};
use super::option::PersonRef;
use super::programme::text;
use crate::domain::certificate::CertificateFile;
use crate::domain::finding::FindingState;
use crate::domain::organisation::Person;
use crate::domain::reminder::OwnReminder;
use crate::domain::review::ReviewState;
use crate::say;
use crate::store;
use crate::store::snapshot::Snapshot;

/// `/my`
#[derive(Debug, Clone, Args)]
pub struct My {
    /// Somebody else's (left out: your own)
    #[arg(long)]
    pub person: Option<PersonRef>,
}

/// `/handover`
#[derive(Debug, Clone, Args)]
pub struct Handover {
    /// Whose open work
    #[arg(long)]
    pub from: PersonRef,
    /// Who takes it over
    #[arg(long)]
    pub to: PersonRef,
    /// Why
    #[arg(long)]
    pub reason: Option<String>,
    /// Whether the leaver's name is taken out of the records as well (it cannot be put back)
    #[arg(long, action = clap::ArgAction::Set)]
    pub pseudonymise: Option<bool>,
}

/// Something that a person owes.
#[derive(Debug, Clone)]
pub(crate) struct Owed {
    /// By when.
    pub(crate) due: NaiveDate,
    /// Its number.
    pub(crate) id: String,
    /// What it is.
    pub(crate) what: String,
    /// What people wrote of it.
    pub(crate) words: String,
    /// The next step, as a command.
    pub(crate) next: String,
}

/// Everything that a person owes, by date.
pub(crate) fn owed(on_record: &Snapshot, me: &Person, today: NaiveDate) -> Vec<Owed> {
    let mut out = Vec::new();
    let mine = |p: Option<&Person>| p.is_some_and(|p| p.handle == me.handle);
    // What nobody owns yet, the certificate's owner does.
    let stand_in = |nc: &crate::domain::nonconformity::Nonconformity| {
        nc.owner.is_none()
            && on_record
                .certificates
                .iter()
                .find(|c| c.id == nc.certificate)
                .is_some_and(|c| mine(c.owner.as_ref()))
    };
    for nc in on_record.nonconformities.iter().filter(|nc| nc.is_open()) {
        let progress = nc.progress();
        let words = nc.statement.clone();
        let next = say::records::next_step(nc, 1);
        let id = format!("NC-{}", nc.no);
        if let (Some((owner, due, action)), None) = (progress.action(), progress.implemented)
            && owner.handle == me.handle
        {
            let what = format!("action of NC-{}", nc.no);
            let next = format!("/nc done nc:NC-{}", nc.no);
            out.push(Owed { due, id: id.clone(), what, words: action.to_owned(), next });
            continue;
        }
        if progress.implemented.is_some() && progress.verified.is_none() && mine(nc.verification.by.as_ref())
        {
            let due = nc.verification.on.unwrap_or(nc.due_on);
            let what = format!("verify that the action of NC-{} works", nc.no);
            let next = format!("/nc verify nc:NC-{} effective:", nc.no);
            out.push(Owed { due, id: id.clone(), what, words: words.clone(), next });
        }
        if stand_in(nc) {
            let what = format!("{} nonconformity without an owner", nc.grade.id());
            let next = format!("/nc assign nc:NC-{} owner:", nc.no);
            out.push(Owed { due: nc.due_on, id, what, words, next });
        } else if mine(nc.owner.as_ref()) {
            let what = format!("{} nonconformity, {}", nc.grade.id(), nc.state().id());
            out.push(Owed { due: nc.due_on, id, what, words, next });
        }
    }
    for a in on_record.rest.actions.iter().filter(|a| a.is_open() && mine(Some(&a.owner))) {
        out.push(Owed {
            due: a.due_on,
            id: format!("ACT-{}", a.no),
            what: "action".to_owned(),
            words: a.what.clone(),
            next: format!("/action done action:ACT-{}", a.no),
        });
    }
    for f in
        on_record.rest.findings.iter().filter(|f| f.state == FindingState::Open && mine(f.owner.as_ref()))
    {
        out.push(Owed {
            due: on_record.organisation.day_of(f.raised_at),
            id: format!("F-{}", f.no),
            what: f.grade.title().to_owned(),
            words: f.statement.clone(),
            next: format!("/finding accept finding:F-{}", f.no),
        });
    }
    for a in on_record.audits.iter().filter(|a| a.state.is_ahead() && mine(a.lead.as_ref())) {
        let verb = if a.state == crate::domain::audit::AuditState::Planned { "start" } else { "report" };
        out.push(Owed {
            due: a.starts_on,
            id: format!("A-{}", a.no),
            what: format!("{} audit, {}", a.kind.id(), a.state.id()),
            words: a.scope.clone(),
            next: format!("/audit {verb} audit:A-{}", a.no),
        });
    }
    let owns = |f: &&CertificateFile| mine(f.certificate.owner.as_ref());
    for file in on_record.files().iter().filter(owns) {
        for r in file.reviews.iter().filter(|r| r.state == ReviewState::Planned) {
            if out.iter().any(|o| o.id == format!("MR-{}", r.no)) {
                continue;
            }
            out.push(Owed {
                due: r.on,
                id: format!("MR-{}", r.no),
                what: "management review".to_owned(),
                words: file.certificate.name.clone(),
                next: format!("/review hold review:MR-{}", r.no),
            });
        }
    }
    for area in on_record.rest.areas.iter().filter(|a| a.is_live(today) && mine(a.owner.as_ref())) {
        let due = area.due(&on_record.audits).by();
        if due <= crate::domain::calendar::add_months(today, 1) {
            out.push(Owed {
                due,
                id: format!("area {}", area.no),
                what: "your area is due for an audit".to_owned(),
                words: area.name.clone(),
                next: "/area due".to_owned(),
            });
        }
    }
    out.sort_by(|a, b| (a.due, &a.id).cmp(&(b.due, &b.id)));
    out
}

impl My {
    pub(super) fn read(self, cx: &Read<'_>) -> Result<Reply, Stop> {
        let actor = &cx.request.actor;
        let handle = self.person.as_ref().map_or(actor.handle.as_str(), |p| p.0.trim_start_matches('@'));
        let me = cx
            .snapshot
            .people
            .iter()
            .find(|p| p.handle == handle || p.name == handle)
            .cloned()
            .unwrap_or_else(|| Person { id: 0, handle: handle.to_owned(), name: handle.to_owned() });
        let owed = owed(cx.snapshot, &me, cx.today);
        Reply::private(say::work::my(&me, &owed, me.handle == actor.handle, cx.today))
    }
}

impl Handover {
    pub(super) async fn change(self, cx: &mut Change<'_>) -> Result<Reply, Stop> {
        let before = Arc::clone(&cx.before);
        let from = cx.person(&self.from.0).await?;
        let to = cx.person(&self.to.0).await?;
        if from.id == to.id {
            return Err(Stop::Refused(say::work::same_person()));
        }
        let org = cx.org.id;
        let (mut moved, mut unnamed) = (Vec::new(), Vec::new());
        let is = |p: &Option<Person>| p.as_ref().is_some_and(|p| p.id == from.id);
        for c in before.certificates.iter().filter(|c| is(&c.owner)) {
            let now = crate::domain::certificate::Certificate { owner: Some(to.clone()), ..c.clone() };
            store::certificate::update(&mut cx.w, org, &now).await?;
            moved.push(format!("C-{}", c.no));
        }
        for area in before.rest.areas.iter().filter(|a| is(&a.owner) && a.is_live(cx.today)) {
            let now = crate::domain::area::Area { owner: Some(to.clone()), ..area.clone() };
            store::area::update(&mut cx.w, org, &now).await?;
            moved.push(format!("area {}", area.no));
        }
        for nc in before.nonconformities.iter().filter(|nc| nc.is_open()) {
            let mut now = nc.clone();
            if is(&nc.owner) {
                now.owner = Some(to.clone());
            }
            if is(&nc.verification.by) {
                // Whoever takes it over does not verify what they did themselves.
                let acted = super::deeper::not_who_acted(nc, &to).is_err();
                now.verification.by = (!acted).then(|| to.clone());
                if acted {
                    unnamed.push(nc.no);
                }
            }
            if now != *nc {
                store::nonconformity::update(&mut cx.w, org, &now).await?;
                moved.push(format!("NC-{}", nc.no));
            }
            let progress = nc.progress();
            if let (Some((owner, due_on, action)), None) = (progress.action(), progress.implemented)
                && owner.id == from.id
            {
                // The same action, by somebody else from now on.
                let what = crate::domain::nonconformity::Done::Plan {
                    owner: to.clone(),
                    due_on,
                    action: action.to_owned(),
                };
                now.steps.push(crate::domain::nonconformity::Step { by: cx.by.clone(), at: cx.now(), what });
                store::nonconformity::append(&mut cx.w, org, &now).await?;
                moved.push(format!("action of NC-{}", nc.no));
            }
        }
        for a in before.rest.actions.iter().filter(|a| a.is_open() && a.owner.id == from.id) {
            let now = crate::domain::action::Action { owner: to.clone(), ..a.clone() };
            store::action::update(&mut cx.w, org, &now).await?;
            moved.push(format!("ACT-{}", a.no));
        }
        for f in before.rest.findings.iter().filter(|f| f.state == FindingState::Open && is(&f.owner)) {
            let now = crate::domain::finding::Finding { owner: Some(to.clone()), ..f.clone() };
            store::finding::update(&mut cx.w, org, &now).await?;
            moved.push(format!("F-{}", f.no));
        }
        let areas = &before.rest.areas;
        let mut left = Vec::new();
        for a in before.audits.iter().filter(|a| a.state.is_ahead() && a.has_auditor(from.id)) {
            let own = areas.iter().any(|r| {
                a.plan.areas.contains(&r.id)
                    && (is(&r.owner) || r.owner.as_ref().is_some_and(|o| o.id == to.id))
            });
            if own {
                // Whoever takes it over would audit an area of their own.
                left.push(format!("A-{}", a.no));
                continue;
            }
            if is(&a.lead) {
                let now = crate::domain::audit::Audit { lead: Some(to.clone()), ..a.clone() };
                store::audit::update(&mut cx.w, org, &now).await?;
            }
            store::audit::replace_in_team(&mut cx.w, org, a.id, from.id, to.id).await?;
            moved.push(format!("A-{}", a.no));
        }
        for own in before.rest.own.iter().filter(|o| o.ended_at.is_none() && is(&o.asks)) {
            let now = OwnReminder { asks: Some(to.clone()), ..own.clone() };
            store::reminder::update_own(&mut cx.w, org, &now).await?;
            moved.push(format!("RM-{}", own.no));
        }
        let pseudonym = if self.pseudonymise == Some(true) {
            if from.id == cx.by.id {
                return Err(Stop::Refused(say::work::not_yourself()));
            }
            if !left.is_empty() {
                return Err(Stop::Refused(say::work::still_leads(&left)));
            }
            Some(store::person::pseudonymise(&mut cx.w, org, &from).await?)
        } else {
            None
        };
        cx.reason = text(self.reason);
        // Their name is not said any more, not even now: what is said is kept for a while.
        let from = match &pseudonym {
            Some(name) => Person { handle: name.clone(), name: name.clone(), ..from },
            None => from,
        };
        let said = say::work::handed_over(&from, &to, &moved, &left, &unnamed, pseudonym.is_some());
        Reply::told(&cx.org, said)
    }
}
