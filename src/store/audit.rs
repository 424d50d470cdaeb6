//! Audits on record.

use std::str::FromStr as _;

use sqlx::SqliteConnection;

use super::journal::Table;
use super::person::People;
use super::{Fault, Write, day, instant, iso, millis, person};
use crate::domain::audit::{Audit, AuditKind};

/// All audits of an organisation, by number.
pub(super) async fn all_with(
    c: &mut SqliteConnection,
    org: i64,
    people: &People,
) -> Result<Vec<Audit>, Fault> {
    let rows = sqlx::query!(
        r#"SELECT id AS "id!", no, kind, starts_on, ends_on, scope, conclusion, lead_id, lead_name, logged_by, logged_at
           FROM audit WHERE org_id = ? ORDER BY no"#,
        org
    )
    .fetch_all(&mut *c)
    .await?;
    let serves = sqlx::query!("SELECT audit_id, certificate_id FROM audit_certificate WHERE org_id = ?", org)
        .fetch_all(c)
        .await?;
    rows.into_iter()
        .map(|r| {
            Ok(Audit {
                id: r.id,
                no: r.no,
                kind: AuditKind::from_str(&r.kind).map_err(|()| Fault::Inconsistent {
                    table: "audit",
                    id: r.id,
                    column: "kind",
                    value: r.kind.clone(),
                })?,
                starts_on: day("audit", r.id, "starts_on", &r.starts_on)?,
                ends_on: day("audit", r.id, "ends_on", &r.ends_on)?,
                scope: r.scope,
                conclusion: r.conclusion,
                lead: r.lead_id.map(|p| person::of(people, "audit", r.id, p)).transpose()?,
                lead_name: r.lead_name,
                logged_by: person::of(people, "audit", r.id, r.logged_by)?,
                logged_at: instant(r.logged_at),
                certificates: serves
                    .iter()
                    .filter(|s| s.audit_id == r.id)
                    .map(|s| s.certificate_id)
                    .collect(),
            })
        })
        .collect()
}

/// Enters an audit under the next number; the key and number given in `new` do not count.
pub async fn insert(w: &mut Write<'_>, org: i64, new: Audit) -> Result<Audit, Fault> {
    let (kind, starts, ends) = (new.kind.id(), iso(new.starts_on), iso(new.ends_on));
    let (lead, at) = (new.lead.as_ref().map(|p| p.id), millis(new.logged_at));
    let row = sqlx::query!(
        r#"INSERT INTO audit (org_id, no, kind, starts_on, ends_on, scope, conclusion, lead_id, lead_name, logged_by, logged_at)
         VALUES (?1, (SELECT coalesce(max(no), 0) + 1 FROM audit WHERE org_id = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         RETURNING id AS "id!", no"#,
        org, kind, starts, ends, new.scope, new.conclusion, lead, new.lead_name, new.logged_by.id, at
    )
    .fetch_one(&mut *w.tx)
    .await?;
    let (id, no) = (row.id, row.no);
    w.wrote(Table::Audit, id);
    for certificate in &new.certificates {
        let row = sqlx::query!(
            "INSERT INTO audit_certificate (org_id, audit_id, certificate_id) VALUES (?, ?, ?)",
            org,
            id,
            certificate
        )
        .execute(&mut *w.tx)
        .await?
        .last_insert_rowid();
        w.wrote(Table::AuditCertificate, row);
    }
    Ok(Audit { id, no, ..new })
}
