//! Who may do what. The server decides, whatever the chat's own permissions say.

use super::app::{Request, Stop, audits, manages};
use super::find;
use super::grammar::Command;
use super::option::{ActionRef, NcRef};
use crate::say;
use crate::store::snapshot::Snapshot;

/// What a command asks of whoever gives it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Needs<'a> {
    /// Nothing: everyone reads.
    Nothing,
    /// To be whom the reminder asks, or a manager: told when it is known which is meant.
    Asked,
    /// To be a manager.
    Manager,
    /// To be a manager or an internal auditor.
    ManagerOrAuditor,
    /// To be a manager, or to own the nonconformity (or the action planned for it).
    Owner(&'a NcRef),
    /// To be a manager, or to own the action.
    ActionOwner(&'a ActionRef),
    /// To be a manager, an internal auditor, or to own the nonconformity.
    AnyoneConcerned(&'a NcRef),
    /// To be a manager, an internal auditor, or whoever was named to verify the nonconformity's action.
    Verifier(&'a NcRef),
}

/// Refuses what the actor's role does not allow.
pub(super) fn check(on_record: &Snapshot, command: &Command, request: &Request) -> Result<(), Stop> {
    let org = &on_record.organisation;
    let (manager, auditor) = (manages(&request.actor, org), audits(&request.actor, org));
    let verb = command.verb();
    let (nc, auditor_may) = match command.needs() {
        Needs::Nothing | Needs::Asked => return Ok(()),
        Needs::Manager | Needs::ActionOwner(_) if manager => return Ok(()),
        Needs::Manager => {
            return Err(Stop::Refused(say::refusal::only_managers(verb, org.manager_role.as_deref())));
        }
        Needs::ManagerOrAuditor | Needs::Verifier(_) if manager || auditor => return Ok(()),
        Needs::Verifier(nc) => {
            let nc = find::nonconformity(&on_record.nonconformities, nc)?;
            return match &nc.verification.by {
                Some(named) if named.handle == request.actor.handle => Ok(()),
                named => Err(Stop::Refused(say::refusal::only_verifier(nc, named.as_ref()))),
            };
        }
        Needs::ManagerOrAuditor => return Err(Stop::Refused(say::refusal::only_auditors(verb))),
        Needs::ActionOwner(action) => {
            let action = find::action(&on_record.rest.actions, action)?;
            return if action.owner.handle == request.actor.handle {
                Ok(())
            } else {
                Err(Stop::Refused(say::refusal::only_action_owner(action)))
            };
        }
        Needs::Owner(nc) => (nc, false),
        Needs::AnyoneConcerned(nc) => (nc, true),
    };
    if manager || (auditor_may && auditor) {
        return Ok(());
    }
    let nc = find::nonconformity(&on_record.nonconformities, nc)?;
    let stand_in =
        on_record.certificates.iter().find(|c| c.id == nc.certificate).and_then(|c| c.owner.as_ref());
    let me = |p: &crate::domain::organisation::Person| p.handle == request.actor.handle;
    let owns = nc.owner.as_ref().or(stand_in).is_some_and(me);
    let acts = nc.progress().action().is_some_and(|(owner, ..)| me(owner));
    if owns || acts { Ok(()) } else { Err(Stop::Refused(say::refusal::only_owner(verb, nc))) }
}
