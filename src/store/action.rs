//! Actions.

use std::str::FromStr as _;

use sqlx::SqliteConnection;

use super::finding::settled;
use super::journal::Table;
use super::person::People;
use super::{Fault, Write, day, instant, iso, millis, person};
use crate::domain::action::{Action, ActionState, Source};

/// All actions of an organisation, by number.
pub(super) async fn all_with(
    c: &mut SqliteConnection,
    org: i64,
    people: &People,
) -> Result<Vec<Action>, Fault> {
    sqlx::query!(
        r#"SELECT id AS "id!", no, certificate_id, nc_id, finding_id, review_id, what, owner_id, due_on, due_known_at,
                  by_id, at, state, outcome, settled_by, settled_at, reference
           FROM action WHERE org_id = ? ORDER BY no"#,
        org
    )
    .fetch_all(c)
    .await?
    .into_iter()
    .map(|r| {
        Ok(Action {
            id: r.id,
            no: r.no,
            certificate: r.certificate_id,
            source: match (r.nc_id, r.finding_id, r.review_id) {
                (Some(id), _, _) => Source::Nonconformity(id),
                (_, Some(id), _) => Source::Finding(id),
                (_, _, Some(id)) => Source::Review(id),
                (None, None, None) => Source::None,
            },
            what: r.what,
            owner: person::of(people, "action", r.id, r.owner_id)?,
            due_on: day("action", r.id, "due_on", &r.due_on)?,
            due_known_at: instant(r.due_known_at),
            by: person::of(people, "action", r.id, r.by_id)?,
            at: instant(r.at),
            state: ActionState::from_str(&r.state)
                .map_err(|()| Fault::inconsistent("action", r.id, "state", &r.state))?,
            settled: settled(people, "action", r.id, (r.outcome, r.settled_by, r.settled_at))?,
            reference: r.reference,
        })
    })
    .collect()
}

/// Enters an action under the next number; the key and number given in `new` do not count.
pub async fn insert(w: &mut Write<'_>, org: i64, new: Action) -> Result<Action, Fault> {
    let (nc, finding, review) = match new.source {
        Source::None => (None, None, None),
        Source::Nonconformity(id) => (Some(id), None, None),
        Source::Finding(id) => (None, Some(id), None),
        Source::Review(id) => (None, None, Some(id)),
    };
    let (due, known, at, state) = (iso(new.due_on), millis(new.due_known_at), millis(new.at), new.state.id());
    let row = sqlx::query!(
        r#"INSERT INTO action (org_id, no, certificate_id, nc_id, finding_id, review_id, what, owner_id, due_on,
             due_known_at, by_id, at, state, reference)
         VALUES (?1, (SELECT coalesce(max(no), 0) + 1 FROM action WHERE org_id = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,
             ?11, ?12, ?13)
         RETURNING id AS "id!", no"#,
        org, new.certificate, nc, finding, review, new.what, new.owner.id, due, known, new.by.id, at, state,
        new.reference
    )
    .fetch_one(&mut *w.tx)
    .await?;
    w.wrote(Table::Action, row.id);
    Ok(Action { id: row.id, no: row.no, ..new })
}

/// Puts an action's values on record.
pub async fn update(w: &mut Write<'_>, org: i64, a: &Action) -> Result<(), Fault> {
    let (due, known, state) = (iso(a.due_on), millis(a.due_known_at), a.state.id());
    let (why, by, at) = a
        .settled
        .as_ref()
        .map_or((None, None, None), |s| (Some(s.why.as_str()), Some(s.by.id), Some(millis(s.at))));
    sqlx::query!(
        "UPDATE action SET what = ?, owner_id = ?, due_on = ?, due_known_at = ?, state = ?, outcome = ?, settled_by = ?,
             settled_at = ? WHERE org_id = ? AND id = ?",
        a.what, a.owner.id, due, known, state, why, by, at, org, a.id
    )
    .execute(&mut *w.tx)
    .await?;
    w.wrote(Table::Action, a.id);
    Ok(())
}
