//! Certificates and their cycles.

use sqlx::SqliteConnection;

use super::journal::Table;
use super::person::People;
use super::{Fault, Write, day, instant, iso, millis, person, small};
use crate::domain::certificate::{Certificate, Cycle, Terms};

/// All certificates of an organisation, by number.
pub(super) async fn all_with(
    c: &mut SqliteConnection,
    org: i64,
    people: &People,
) -> Result<Vec<Certificate>, Fault> {
    let rows = sqlx::query!(
        r#"SELECT id AS "id!", no, standard, name, body, number, channel, owner_id, stage2_on, entered_at,
                  stage2_known_at, plan_days, major_days, minor_days, stage1_days, scope
           FROM certificate WHERE org_id = ? ORDER BY no"#,
        org
    )
    .fetch_all(&mut *c)
    .await?;
    let cycles = sqlx::query!(
        r#"SELECT id AS "id!", certificate_id, n, decided_on, anchor, expires_on, revision, known_at, expires_known_at
           FROM cycle WHERE org_id = ? ORDER BY certificate_id, n"#,
        org
    )
    .fetch_all(c)
    .await?;
    let mut certificates = Vec::with_capacity(rows.len());
    for r in rows {
        certificates.push(Certificate {
            id: r.id,
            no: r.no,
            standard: r.standard,
            name: r.name,
            body: r.body,
            number: r.number,
            channel: r.channel,
            owner: r.owner_id.map(|o| person::of(people, "certificate", r.id, o)).transpose()?,
            stage2_on: r.stage2_on.map(|d| day("certificate", r.id, "stage2_on", &d)).transpose()?,
            entered_at: instant(r.entered_at),
            stage2_known_at: instant(r.stage2_known_at),
            terms: Terms {
                plan_days: days(r.id, "plan_days", r.plan_days)?,
                major_days: days(r.id, "major_days", r.major_days)?,
                minor_days: days(r.id, "minor_days", r.minor_days)?,
                stage1_days: days(r.id, "stage1_days", r.stage1_days)?,
            },
            scope: r.scope,
            cycles: cycles
                .iter()
                .filter(|y| y.certificate_id == r.id)
                .map(|y| {
                    Ok(Cycle {
                        n: small("cycle", y.id, "n", y.n)?,
                        decided_on: day("cycle", y.id, "decided_on", &y.decided_on)?,
                        anchor: day("cycle", y.id, "anchor", &y.anchor)?,
                        expires_on: day("cycle", y.id, "expires_on", &y.expires_on)?,
                        revision: small("cycle", y.id, "revision", y.revision)?,
                        known_at: instant(y.known_at),
                        expires_known_at: instant(y.expires_known_at),
                    })
                })
                .collect::<Result<_, Fault>>()?,
        });
    }
    Ok(certificates)
}

fn days(id: i64, column: &'static str, kept: Option<i64>) -> Result<Option<u32>, Fault> {
    kept.map(|d| small("certificate", id, column, d)).transpose()
}

/// Enters a certificate under the next number; the key and number given in `new` do not count.
pub async fn insert(w: &mut Write<'_>, org: i64, new: Certificate) -> Result<Certificate, Fault> {
    let (owner, stage2) = (new.owner.as_ref().map(|o| o.id), new.stage2_on.map(iso));
    let (at, known) = (millis(new.entered_at), millis(new.stage2_known_at));
    let row = sqlx::query!(
        r#"INSERT INTO certificate (org_id, no, standard, name, body, number, channel, owner_id, stage2_on, entered_at,
             stage2_known_at, plan_days, major_days, minor_days, stage1_days, scope)
         VALUES (?1, (SELECT coalesce(max(no), 0) + 1 FROM certificate WHERE org_id = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,
             ?11, ?12, ?13, ?14, ?15)
         RETURNING id AS "id!", no"#,
        org, new.standard, new.name, new.body, new.number, new.channel, owner, stage2, at, known,
        new.terms.plan_days, new.terms.major_days, new.terms.minor_days, new.terms.stage1_days, new.scope
    )
    .fetch_one(&mut *w.tx)
    .await?;
    let (id, no) = (row.id, row.no);
    w.wrote(Table::Certificate, id);
    for cycle in &new.cycles {
        put_cycle(w, org, id, cycle).await?;
    }
    Ok(Certificate { id, no, ..new })
}

/// Puts a certificate's own values (not its cycles) on record.
pub async fn update(w: &mut Write<'_>, org: i64, c: &Certificate) -> Result<(), Fault> {
    let (owner, stage2) = (c.owner.as_ref().map(|o| o.id), c.stage2_on.map(iso));
    let known = millis(c.stage2_known_at);
    sqlx::query!(
        "UPDATE certificate SET standard = ?, name = ?, body = ?, number = ?, channel = ?, owner_id = ?, stage2_on = ?, stage2_known_at = ?,
             plan_days = ?, major_days = ?, minor_days = ?, stage1_days = ?, scope = ?
         WHERE org_id = ? AND id = ?",
        c.standard,
        c.name,
        c.body,
        c.number,
        c.channel,
        owner,
        stage2,
        known,
        c.terms.plan_days,
        c.terms.major_days,
        c.terms.minor_days,
        c.terms.stage1_days,
        c.scope,
        org,
        c.id
    )
    .execute(&mut *w.tx)
    .await?;
    w.wrote(Table::Certificate, c.id);
    Ok(())
}

/// Puts a cycle on record, new or changed.
pub async fn put_cycle(w: &mut Write<'_>, org: i64, certificate: i64, c: &Cycle) -> Result<(), Fault> {
    let (decided, anchor, expires) = (iso(c.decided_on), iso(c.anchor), iso(c.expires_on));
    let (known, expires_known) = (millis(c.known_at), millis(c.expires_known_at));
    let id = sqlx::query_scalar!(
        r#"INSERT INTO cycle (org_id, certificate_id, n, decided_on, anchor, expires_on, revision, known_at,
               expires_known_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (certificate_id, n) DO UPDATE SET decided_on = excluded.decided_on, anchor = excluded.anchor,
               expires_on = excluded.expires_on, revision = excluded.revision, known_at = excluded.known_at,
               expires_known_at = excluded.expires_known_at
           RETURNING id AS "id!""#,
        org, certificate, c.n, decided, anchor, expires, c.revision, known, expires_known
    )
    .fetch_one(&mut *w.tx)
    .await?;
    w.wrote(Table::Cycle, id);
    Ok(())
}
