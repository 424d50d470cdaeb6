//! Audits on record.

use std::str::FromStr as _;

use sqlx::SqliteConnection;

use super::journal::Table;
use super::person::People;
use super::{Fault, Write, day, instant, iso, millis, person};
use crate::domain::audit::{Audit, AuditClause, AuditKind, AuditPlan, AuditState};
use crate::domain::organisation::Person;

/// All audits of an organisation, by number.
pub(super) async fn all_with(
    c: &mut SqliteConnection,
    org: i64,
    people: &People,
) -> Result<Vec<Audit>, Fault> {
    let rows = sqlx::query!(
        r#"SELECT id AS "id!", no, kind, starts_on, ends_on, scope, conclusion, lead_id, lead_name, logged_by, logged_at,
                  state, criteria, dates_known_at, deviation, impartiality, agreed_by, reference
           FROM audit WHERE org_id = ? ORDER BY no"#,
        org
    )
    .fetch_all(&mut *c)
    .await?;
    let serves = sqlx::query!("SELECT audit_id, certificate_id FROM audit_certificate WHERE org_id = ?", org)
        .fetch_all(&mut *c)
        .await?;
    let parts = sqlx::query!(
        r#"SELECT id AS "id!", audit_id, person_id, area_id, certificate_id, clause, sampled
           FROM audit_part WHERE org_id = ? ORDER BY id"#,
        org
    )
    .fetch_all(c)
    .await?;
    rows.into_iter()
        .map(|r| {
            let mine = || parts.iter().filter(|p| p.audit_id == r.id);
            // After a handover the same person may stand in two places.
            let mut team: Vec<Person> = Vec::new();
            for p in mine() {
                if let Some(person) = p.person_id.filter(|id| Some(*id) != r.lead_id)
                    && team.iter().all(|known| known.id != person)
                {
                    team.push(person::of(people, "audit_part", p.id, person)?);
                }
            }
            let agreed = r.agreed_by.map(|p| person::of(people, "audit", r.id, p)).transpose()?;
            let plan = AuditPlan {
                criteria: r.criteria,
                team,
                clauses: mine()
                    .filter_map(|p| {
                        Some(AuditClause {
                            certificate: p.certificate_id?,
                            clause: p.clause.clone()?,
                            sampled: p.sampled.map(|s| s == 1),
                        })
                    })
                    .collect(),
                areas: mine().filter_map(|p| p.area_id).collect(),
                dates_known_at: r.dates_known_at.map(instant),
                deviation: r.deviation,
                impartiality: r.impartiality.zip(agreed),
                reference: r.reference,
            };
            Ok(Audit {
                plan,
                state: AuditState::from_str(&r.state).map_err(|()| Fault::Inconsistent {
                    table: "audit",
                    id: r.id,
                    column: "state",
                    value: r.state.clone(),
                })?,
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
    let (state, known) = (new.state.id(), new.plan.dates_known_at.map(millis));
    let (why, agreed) = new.plan.impartiality.as_ref().map(|(why, by)| (why, by.id)).unzip();
    let row = sqlx::query!(
        r#"INSERT INTO audit (org_id, no, kind, starts_on, ends_on, scope, conclusion, lead_id, lead_name, logged_by, logged_at,
             state, criteria, dates_known_at, deviation, impartiality, agreed_by, reference)
         VALUES (?1, (SELECT coalesce(max(no), 0) + 1 FROM audit WHERE org_id = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,
             ?11, ?12, ?13, ?14, ?15, ?16, ?17)
         RETURNING id AS "id!", no"#,
        org, kind, starts, ends, new.scope, new.conclusion, lead, new.lead_name, new.logged_by.id, at, state,
        new.plan.criteria, known, new.plan.deviation, why, agreed, new.plan.reference
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
    put_parts(w, org, id, &new.plan).await?;
    Ok(Audit { id, no, ..new })
}

/// Enters what an audit is made of.
async fn put_parts(w: &mut Write<'_>, org: i64, audit: i64, plan: &AuditPlan) -> Result<(), Fault> {
    for Person { id, .. } in &plan.team {
        put_part(w, org, audit, (Some(*id), None, None, None, None)).await?;
    }
    for area in &plan.areas {
        put_part(w, org, audit, (None, Some(*area), None, None, None)).await?;
    }
    for c in &plan.clauses {
        put_part(w, org, audit, (None, None, Some(c.certificate), Some(&c.clause), c.sampled)).await?;
    }
    Ok(())
}

/// Puts another person in the place of one who audits beside the lead.
pub async fn replace_in_team(
    w: &mut Write<'_>,
    org: i64,
    audit: i64,
    from: i64,
    to: i64,
) -> Result<(), Fault> {
    let parts = sqlx::query_scalar!(
        r#"UPDATE audit_part SET person_id = ? WHERE org_id = ? AND audit_id = ? AND person_id = ?
           RETURNING id AS "id!""#,
        to,
        org,
        audit,
        from
    )
    .fetch_all(&mut *w.tx)
    .await?;
    for part in parts {
        w.wrote(Table::AuditPart, part);
    }
    Ok(())
}

type Part<'a> = (Option<i64>, Option<i64>, Option<i64>, Option<&'a str>, Option<bool>);

async fn put_part(w: &mut Write<'_>, org: i64, audit: i64, part: Part<'_>) -> Result<(), Fault> {
    let (person, area, certificate, clause, sampled) = part;
    let row = sqlx::query!(
        "INSERT INTO audit_part (org_id, audit_id, person_id, area_id, certificate_id, clause, sampled)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
        org,
        audit,
        person,
        area,
        certificate,
        clause,
        sampled
    )
    .execute(&mut *w.tx)
    .await?
    .last_insert_rowid();
    w.wrote(Table::AuditPart, row);
    Ok(())
}

/// Puts an audit's own values (not what it is made of) on record.
pub async fn update(w: &mut Write<'_>, org: i64, a: &Audit) -> Result<(), Fault> {
    let (starts, ends, state) = (iso(a.starts_on), iso(a.ends_on), a.state.id());
    let (lead, at, known) =
        (a.lead.as_ref().map(|p| p.id), millis(a.logged_at), a.plan.dates_known_at.map(millis));
    let (why, agreed) = a.plan.impartiality.as_ref().map(|(why, by)| (why, by.id)).unzip();
    sqlx::query!(
        "UPDATE audit SET starts_on = ?, ends_on = ?, scope = ?, conclusion = ?, lead_id = ?, lead_name = ?, logged_by = ?,
             logged_at = ?, state = ?, criteria = ?, dates_known_at = ?, deviation = ?, impartiality = ?, agreed_by = ?
         WHERE org_id = ? AND id = ?",
        starts, ends, a.scope, a.conclusion, lead, a.lead_name, a.logged_by.id, at, state, a.plan.criteria, known,
        a.plan.deviation, why, agreed, org, a.id
    )
    .execute(&mut *w.tx)
    .await?;
    w.wrote(Table::Audit, a.id);
    Ok(())
}

/// Puts on record which of an audit's clauses were sampled; enters those that were not planned.
pub async fn sampled(w: &mut Write<'_>, org: i64, a: &Audit) -> Result<(), Fault> {
    for c in &a.plan.clauses {
        let kept = sqlx::query_scalar!(
            r#"SELECT id AS "id!" FROM audit_part WHERE org_id = ? AND audit_id = ? AND certificate_id = ? AND clause = ?"#,
            org, a.id, c.certificate, c.clause
        )
        .fetch_optional(&mut *w.tx)
        .await?;
        match kept {
            Some(id) => {
                sqlx::query!(
                    "UPDATE audit_part SET sampled = ? WHERE org_id = ? AND id = ?",
                    c.sampled,
                    org,
                    id
                )
                .execute(&mut *w.tx)
                .await?;
                w.wrote(Table::AuditPart, id);
            }
            None => {
                put_part(w, org, a.id, (None, None, Some(c.certificate), Some(&c.clause), c.sampled)).await?;
            }
        }
    }
    Ok(())
}
