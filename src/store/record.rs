//! Dated statements that something happened.

use std::str::FromStr as _;

use sqlx::SqliteConnection;

use super::journal::Table;
use super::person::People;
use super::{Fault, Write, day, instant, iso, millis, person};
use crate::domain::record::{Record, RecordKind};

/// All records of an organisation, by number.
pub(super) async fn all_with(
    c: &mut SqliteConnection,
    org: i64,
    people: &People,
) -> Result<Vec<Record>, Fault> {
    let rows = sqlx::query!(
        r#"SELECT id AS "id!", no, kind, certificate_id, subject, held_on, words, by_id, at, voided_why
           FROM record WHERE org_id = ? ORDER BY no"#,
        org
    )
    .fetch_all(&mut *c)
    .await?;
    let there = sqlx::query!(
        r#"SELECT id AS "id!", record_id, person_id, present FROM record_person WHERE org_id = ? ORDER BY id"#,
        org
    )
    .fetch_all(c)
    .await?;
    rows.into_iter()
        .map(|r| {
            let who = |present: i64| {
                there
                    .iter()
                    .filter(|p| p.record_id == r.id && p.present == present)
                    .map(|p| person::of(people, "record_person", p.id, p.person_id))
                    .collect::<Result<Vec<_>, Fault>>()
            };
            Ok(Record {
                id: r.id,
                no: r.no,
                kind: RecordKind::from_str(&r.kind)
                    .map_err(|()| Fault::inconsistent("record", r.id, "kind", &r.kind))?,
                certificate: r.certificate_id,
                on: day("record", r.id, "held_on", &r.held_on)?,
                present: who(1)?,
                absent: who(0)?,
                subject: r.subject,
                words: r.words,
                by: person::of(people, "record", r.id, r.by_id)?,
                at: instant(r.at),
                voided: r.voided_why,
            })
        })
        .collect()
}

/// Enters a record under the next number; the key and number given in `new` do not count.
pub async fn insert(w: &mut Write<'_>, org: i64, new: Record) -> Result<Record, Fault> {
    let (kind, on, at) = (new.kind.id(), iso(new.on), millis(new.at));
    let row = sqlx::query!(
        r#"INSERT INTO record (org_id, no, kind, certificate_id, subject, held_on, words, by_id, at)
         VALUES (?1, (SELECT coalesce(max(no), 0) + 1 FROM record WHERE org_id = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         RETURNING id AS "id!", no"#,
        org,
        kind,
        new.certificate,
        new.subject,
        on,
        new.words,
        new.by.id,
        at
    )
    .fetch_one(&mut *w.tx)
    .await?;
    w.wrote(Table::Record, row.id);
    let people = new.present.iter().map(|p| (p, true)).chain(new.absent.iter().map(|p| (p, false)));
    for (person, present) in people {
        let id = sqlx::query!(
            "INSERT INTO record_person (org_id, record_id, person_id, present) VALUES (?, ?, ?, ?)
             ON CONFLICT (record_id, person_id) DO NOTHING",
            org,
            row.id,
            person.id,
            present
        )
        .execute(&mut *w.tx)
        .await?;
        if id.rows_affected() > 0 {
            w.wrote(Table::RecordPerson, id.last_insert_rowid());
        }
    }
    Ok(Record { id: row.id, no: row.no, ..new })
}

/// Puts a record's values on record.
pub async fn update(w: &mut Write<'_>, org: i64, r: &Record) -> Result<(), Fault> {
    let on = iso(r.on);
    sqlx::query!(
        "UPDATE record SET subject = ?, held_on = ?, words = ?, voided_why = ? WHERE org_id = ? AND id = ?",
        r.subject,
        on,
        r.words,
        r.voided,
        org,
        r.id
    )
    .execute(&mut *w.tx)
    .await?;
    w.wrote(Table::Record, r.id);
    Ok(())
}
