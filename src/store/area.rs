//! Areas.

use std::str::FromStr as _;

use sqlx::SqliteConnection;

use super::journal::Table;
use super::person::People;
use super::{Fault, Write, day, iso, person, small};
use crate::domain::area::{Area, AreaKind};

/// All areas of an organisation, by number.
pub(super) async fn all_with(
    c: &mut SqliteConnection,
    org: i64,
    people: &People,
) -> Result<Vec<Area>, Fault> {
    sqlx::query!(
        r#"SELECT id AS "id!", no, name, kind, owner_id, added_on, every_months, ended_on, reference
           FROM area WHERE org_id = ? ORDER BY no"#,
        org
    )
    .fetch_all(c)
    .await?
    .into_iter()
    .map(|r| {
        Ok(Area {
            id: r.id,
            no: r.no,
            name: r.name,
            kind: AreaKind::from_str(&r.kind)
                .map_err(|()| Fault::inconsistent("area", r.id, "kind", &r.kind))?,
            owner: r.owner_id.map(|o| person::of(people, "area", r.id, o)).transpose()?,
            added_on: day("area", r.id, "added_on", &r.added_on)?,
            every_months: small("area", r.id, "every_months", r.every_months)?,
            ended_on: r.ended_on.map(|d| day("area", r.id, "ended_on", &d)).transpose()?,
            reference: r.reference,
        })
    })
    .collect()
}

/// Enters an area under the next number; the key and number given in `new` do not count.
pub async fn insert(w: &mut Write<'_>, org: i64, new: Area) -> Result<Area, Fault> {
    let (kind, owner, added) = (new.kind.id(), new.owner.as_ref().map(|o| o.id), iso(new.added_on));
    let ended = new.ended_on.map(iso);
    let row = sqlx::query!(
        r#"INSERT INTO area (org_id, no, name, kind, owner_id, added_on, every_months, ended_on, reference)
         VALUES (?1, (SELECT coalesce(max(no), 0) + 1 FROM area WHERE org_id = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         RETURNING id AS "id!", no"#,
        org,
        new.name,
        kind,
        owner,
        added,
        new.every_months,
        ended,
        new.reference
    )
    .fetch_one(&mut *w.tx)
    .await?;
    w.wrote(Table::Area, row.id);
    Ok(Area { id: row.id, no: row.no, ..new })
}

/// Puts an area's values on record.
pub async fn update(w: &mut Write<'_>, org: i64, a: &Area) -> Result<(), Fault> {
    let (kind, owner, added, ended) =
        (a.kind.id(), a.owner.as_ref().map(|o| o.id), iso(a.added_on), a.ended_on.map(iso));
    sqlx::query!(
        "UPDATE area SET name = ?, kind = ?, owner_id = ?, added_on = ?, every_months = ?, ended_on = ?
         WHERE org_id = ? AND id = ?",
        a.name,
        kind,
        owner,
        added,
        a.every_months,
        ended,
        org,
        a.id
    )
    .execute(&mut *w.tx)
    .await?;
    w.wrote(Table::Area, a.id);
    Ok(())
}
