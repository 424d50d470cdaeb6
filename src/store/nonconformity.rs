//! Nonconformities and their steps.

use std::str::FromStr as _;

use sqlx::SqliteConnection;

use super::journal::Table;
use super::person::People;
use super::{Fault, Write, day, instant, iso, millis, person};
use crate::domain::nonconformity::{BodyWords, Done, Grade, Nonconformity, Step, Verification};

/// The nonconformities of an organisation, by number: all of them, or only those not closed.
pub(super) async fn all_with(
    c: &mut SqliteConnection,
    org: i64,
    closed_too: bool,
    people: &People,
) -> Result<Vec<Nonconformity>, Fault> {
    let rows = sqlx::query!(
        r#"SELECT n.id AS "id!", n.no, n.certificate_id, n.audit_id, a.no AS "audit_no?: i64", n.grade, n.clause,
                  n.statement, n.area, n.owner_id, n.due_on, n.due_known_at, n.raised_by, n.raised_at,
                  n.reference, n.body_grade, n.objective, n.verifier_id, n.verify_on
           FROM nonconformity n LEFT JOIN audit a ON a.id = n.audit_id
           WHERE n.org_id = ?1 AND (?2 OR n.state <> 'closed') ORDER BY n.no"#,
        org, closed_too
    )
    .fetch_all(&mut *c)
    .await?;
    let mut steps = sqlx::query!(
        r#"SELECT s.id AS "id!", s.nc_id, s.by_id, s.at, s.kind, s.words, s.owner_id, s.due_on, s.effective
           FROM nc_step s JOIN nonconformity n ON n.id = s.nc_id
           WHERE s.org_id = ?1 AND (?2 OR n.state <> 'closed') ORDER BY s.nc_id, s.n"#,
        org,
        closed_too
    )
    .fetch_all(c)
    .await?
    .into_iter()
    .map(|s| {
        let words = s.words.unwrap_or_default();
        let what = match s.kind.as_str() {
            "correction" => Done::Correction(words),
            "containment" => Done::Containment(words),
            "consequences" => Done::Consequences(words),
            "similar" => Done::Similar(words),
            "system-change" => Done::SystemChange(words),
            "extended" => Done::Extended {
                due_on: day("nc_step", s.id, "due_on", s.due_on.as_deref().unwrap_or_default())?,
                why: words,
            },
            "voided" => Done::Voided { reason: words },
            "cause" => Done::Cause(words),
            "plan" => Done::Plan {
                owner: person::of(people, "nc_step", s.id, s.owner_id.unwrap_or_default())?,
                due_on: day("nc_step", s.id, "due_on", s.due_on.as_deref().unwrap_or_default())?,
                action: words,
            },
            "implemented" => Done::Implemented(words),
            "verified" => Done::Verified { effective: s.effective == Some(1), how: words },
            "evidence" => Done::Evidence,
            "closed" => Done::Closed { note: Some(words).filter(|w| !w.is_empty()) },
            "reopened" => Done::Reopened { reason: words },
            other => return Err(Fault::inconsistent("nc_step", s.id, "kind", other)),
        };
        Ok((s.nc_id, Step { by: person::of(people, "nc_step", s.id, s.by_id)?, at: instant(s.at), what }))
    })
    .collect::<Result<Vec<_>, Fault>>()?
    .into_iter()
    .fold(std::collections::HashMap::<i64, Vec<Step>>::new(), |mut by_nc, (nc, step)| {
        by_nc.entry(nc).or_default().push(step);
        by_nc
    });
    rows.into_iter()
        .map(|r| {
            Ok(Nonconformity {
                id: r.id,
                no: r.no,
                certificate: r.certificate_id,
                audit: r.audit_id.zip(r.audit_no),
                grade: Grade::from_str(&r.grade)
                    .map_err(|()| Fault::inconsistent("nonconformity", r.id, "grade", &r.grade))?,
                clause: r.clause,
                statement: r.statement,
                objective: r.objective,
                body: BodyWords { reference: r.reference, grade: r.body_grade },
                verification: Verification {
                    by: r.verifier_id.map(|o| person::of(people, "nonconformity", r.id, o)).transpose()?,
                    on: r.verify_on.map(|d| day("nonconformity", r.id, "verify_on", &d)).transpose()?,
                },
                area: r.area,
                owner: r.owner_id.map(|o| person::of(people, "nonconformity", r.id, o)).transpose()?,
                due_on: day("nonconformity", r.id, "due_on", &r.due_on)?,
                due_known_at: instant(r.due_known_at),
                raised_by: person::of(people, "nonconformity", r.id, r.raised_by)?,
                raised_at: instant(r.raised_at),
                steps: steps.remove(&r.id).unwrap_or_default(),
            })
        })
        .collect()
}

/// Enters a nonconformity under the next number; the key and number given in `new` do not count.
pub async fn insert(w: &mut Write<'_>, org: i64, new: Nonconformity) -> Result<Nonconformity, Fault> {
    let (audit, owner) = (new.audit.map(|(id, _)| id), new.owner.as_ref().map(|o| o.id));
    let (grade, due, known, at) =
        (new.grade.id(), iso(new.due_on), millis(new.due_known_at), millis(new.raised_at));
    let new_row = sqlx::query!(
        r#"INSERT INTO nonconformity (org_id, no, certificate_id, audit_id, grade, clause, statement, area, owner_id,
             due_on, due_known_at, raised_by, raised_at, reference, body_grade, objective, state)
         VALUES (?1, (SELECT coalesce(max(no), 0) + 1 FROM nonconformity WHERE org_id = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8,
             ?9, ?10, ?11, ?12, ?13, ?14, ?15, 'raised')
         RETURNING id AS "id!", no"#,
        org, new.certificate, audit, grade, new.clause, new.statement, new.area, owner, due, known,
        new.raised_by.id, at, new.body.reference, new.body.grade, new.objective
    )
    .fetch_one(&mut *w.tx)
    .await?;
    w.wrote(Table::Nonconformity, new_row.id);
    Ok(Nonconformity { id: new_row.id, no: new_row.no, ..new })
}

/// Puts its own values (not its steps) on record.
pub async fn update(w: &mut Write<'_>, org: i64, nc: &Nonconformity) -> Result<(), Fault> {
    let (owner, due, known) = (nc.owner.as_ref().map(|o| o.id), iso(nc.due_on), millis(nc.due_known_at));
    let (verifier, verify_on) = (nc.verification.by.as_ref().map(|p| p.id), nc.verification.on.map(iso));
    let (audit, grade) = (nc.audit.map(|(id, _)| id), nc.grade.id());
    sqlx::query!(
        "UPDATE nonconformity SET audit_id = ?, grade = ?, clause = ?, statement = ?, area = ?, owner_id = ?, due_on = ?,
             due_known_at = ?, reference = ?, body_grade = ?, objective = ?, verifier_id = ?, verify_on = ?
         WHERE org_id = ? AND id = ?",
        audit, grade, nc.clause, nc.statement, nc.area, owner, due, known, nc.body.reference, nc.body.grade, nc.objective,
        verifier, verify_on, org, nc.id
    )
    .execute(&mut *w.tx)
    .await?;
    w.wrote(Table::Nonconformity, nc.id);
    Ok(())
}

/// Appends the step that `nc` (already with it) now ends in, and keeps the state that comes of it.
pub async fn append(w: &mut Write<'_>, org: i64, nc: &Nonconformity) -> Result<(), Fault> {
    let Some(step) = nc.steps.last() else { return Ok(()) };
    let (kind, words, owner, due, effective) = match &step.what {
        Done::Correction(words) => ("correction", Some(words.as_str()), None, None, None),
        Done::Cause(words) => ("cause", Some(words.as_str()), None, None, None),
        Done::Containment(words) => ("containment", Some(words.as_str()), None, None, None),
        Done::Consequences(words) => ("consequences", Some(words.as_str()), None, None, None),
        Done::Similar(words) => ("similar", Some(words.as_str()), None, None, None),
        Done::SystemChange(words) => ("system-change", Some(words.as_str()), None, None, None),
        Done::Extended { due_on, why } => ("extended", Some(why.as_str()), None, Some(iso(*due_on)), None),
        Done::Voided { reason } => ("voided", Some(reason.as_str()), None, None, None),
        Done::Plan { owner, due_on, action } => {
            ("plan", Some(action.as_str()), Some(owner.id), Some(iso(*due_on)), None)
        }
        Done::Implemented(words) => ("implemented", Some(words.as_str()), None, None, None),
        Done::Verified { effective, how } => ("verified", Some(how.as_str()), None, None, Some(*effective)),
        Done::Evidence => ("evidence", None, None, None, None),
        Done::Closed { note } => ("closed", note.as_deref(), None, None, None),
        Done::Reopened { reason } => ("reopened", Some(reason.as_str()), None, None, None),
    };
    let at = millis(step.at);
    let id = sqlx::query!(
        "INSERT INTO nc_step (org_id, nc_id, n, by_id, at, kind, words, owner_id, due_on, effective)
         VALUES (?1, ?2, (SELECT coalesce(max(n), 0) + 1 FROM nc_step WHERE nc_id = ?2), ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        org, nc.id, step.by.id, at, kind, words, owner, due, effective
    )
    .execute(&mut *w.tx)
    .await?
    .last_insert_rowid();
    w.wrote(Table::NcStep, id);
    let state = nc.state().id();
    sqlx::query!("UPDATE nonconformity SET state = ? WHERE org_id = ? AND id = ?", state, org, nc.id)
        .execute(&mut *w.tx)
        .await?;
    w.wrote(Table::Nonconformity, nc.id);
    Ok(())
}
