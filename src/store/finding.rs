//! Findings that are no nonconformities.

use std::str::FromStr as _;

use sqlx::SqliteConnection;

use super::journal::Table;
use super::person::People;
use super::{Fault, Write, instant, millis, person};
use crate::domain::finding::{Finding, FindingGrade, FindingState, Settled};

/// What was settled, by whom and when, as three columns hold it.
pub(super) fn settled(
    people: &People,
    table: &'static str,
    id: i64,
    (why, by, at): (Option<String>, Option<i64>, Option<i64>),
) -> Result<Option<Settled>, Fault> {
    let (Some(by), Some(at)) = (by, at) else { return Ok(None) };
    Ok(Some(Settled {
        why: why.unwrap_or_default(),
        by: person::of(people, table, id, by)?,
        at: instant(at),
    }))
}

/// All findings of an organisation, by number.
pub(super) async fn all_with(
    c: &mut SqliteConnection,
    org: i64,
    people: &People,
) -> Result<Vec<Finding>, Fault> {
    sqlx::query!(
        r#"SELECT f.id AS "id!", f.no, f.audit_id, a.no AS audit_no, f.certificate_id, f.grade, f.clause, f.statement,
                  f.area, f.owner_id, f.reference, f.raised_by, f.raised_at, f.state, f.settled_why, f.settled_by,
                  f.settled_at
           FROM finding f JOIN audit a ON a.id = f.audit_id WHERE f.org_id = ? ORDER BY f.no"#,
        org
    )
    .fetch_all(c)
    .await?
    .into_iter()
    .map(|r| {
        Ok(Finding {
            id: r.id,
            no: r.no,
            audit: (r.audit_id, r.audit_no),
            certificate: r.certificate_id,
            grade: FindingGrade::from_str(&r.grade)
                .map_err(|()| Fault::inconsistent("finding", r.id, "grade", &r.grade))?,
            clause: r.clause,
            statement: r.statement,
            area: r.area,
            owner: r.owner_id.map(|o| person::of(people, "finding", r.id, o)).transpose()?,
            reference: r.reference,
            raised_by: person::of(people, "finding", r.id, r.raised_by)?,
            raised_at: instant(r.raised_at),
            state: FindingState::from_str(&r.state)
                .map_err(|()| Fault::inconsistent("finding", r.id, "state", &r.state))?,
            settled: settled(people, "finding", r.id, (r.settled_why, r.settled_by, r.settled_at))?,
        })
    })
    .collect()
}

/// Enters a finding under the next number; the key and number given in `new` do not count.
pub async fn insert(w: &mut Write<'_>, org: i64, new: Finding) -> Result<Finding, Fault> {
    let (grade, owner, at, state) =
        (new.grade.id(), new.owner.as_ref().map(|o| o.id), millis(new.raised_at), new.state.id());
    let row = sqlx::query!(
        r#"INSERT INTO finding (org_id, no, audit_id, certificate_id, grade, clause, statement, area, owner_id, reference,
             raised_by, raised_at, state)
         VALUES (?1, (SELECT coalesce(max(no), 0) + 1 FROM finding WHERE org_id = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,
             ?10, ?11, ?12)
         RETURNING id AS "id!", no"#,
        org, new.audit.0, new.certificate, grade, new.clause, new.statement, new.area, owner, new.reference,
        new.raised_by.id, at, state
    )
    .fetch_one(&mut *w.tx)
    .await?;
    w.wrote(Table::Finding, row.id);
    Ok(Finding { id: row.id, no: row.no, ..new })
}

/// Puts a finding's values on record.
pub async fn update(w: &mut Write<'_>, org: i64, f: &Finding) -> Result<(), Fault> {
    let (grade, owner, state) = (f.grade.id(), f.owner.as_ref().map(|o| o.id), f.state.id());
    let (why, by, at) = f
        .settled
        .as_ref()
        .map_or((None, None, None), |s| (Some(s.why.as_str()), Some(s.by.id), Some(millis(s.at))));
    sqlx::query!(
        "UPDATE finding SET grade = ?, clause = ?, statement = ?, area = ?, owner_id = ?, state = ?, settled_why = ?,
             settled_by = ?, settled_at = ? WHERE org_id = ? AND id = ?",
        grade, f.clause, f.statement, f.area, owner, state, why, by, at, org, f.id
    )
    .execute(&mut *w.tx)
    .await?;
    w.wrote(Table::Finding, f.id);
    Ok(())
}
