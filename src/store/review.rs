//! Management reviews.

use std::str::FromStr as _;

use sqlx::SqliteConnection;

use super::journal::Table;
use super::person::People;
use super::{Fault, Write, day, instant, iso, millis, person};
use crate::domain::review::{Covered, Review, ReviewState};

/// All management reviews of an organisation, by number.
pub(super) async fn all_with(
    c: &mut SqliteConnection,
    org: i64,
    people: &People,
) -> Result<Vec<Review>, Fault> {
    let rows = sqlx::query!(
        r#"SELECT id AS "id!", no, state, held_on, decisions, attended, by_id, at, reference
           FROM review WHERE org_id = ? ORDER BY no"#,
        org
    )
    .fetch_all(&mut *c)
    .await?;
    let parts = sqlx::query!(
        "SELECT review_id, certificate_id, item, words FROM review_part WHERE org_id = ? ORDER BY id",
        org
    )
    .fetch_all(c)
    .await?;
    rows.into_iter()
        .map(|r| {
            let mine = || parts.iter().filter(|p| p.review_id == r.id);
            Ok(Review {
                id: r.id,
                no: r.no,
                state: ReviewState::from_str(&r.state)
                    .map_err(|()| Fault::inconsistent("review", r.id, "state", &r.state))?,
                on: day("review", r.id, "held_on", &r.held_on)?,
                decisions: r.decisions,
                attended: r.attended,
                by: person::of(people, "review", r.id, r.by_id)?,
                at: instant(r.at),
                certificates: mine().filter(|p| p.item.is_none()).map(|p| p.certificate_id).collect(),
                covered: mine()
                    .filter_map(|p| {
                        Some(Covered {
                            certificate: p.certificate_id,
                            item: p.item.clone()?,
                            words: p.words.clone(),
                        })
                    })
                    .collect(),
                reference: r.reference,
            })
        })
        .collect()
}

/// Enters a review under the next number; the key and number given in `new` do not count.
pub async fn insert(w: &mut Write<'_>, org: i64, new: Review) -> Result<Review, Fault> {
    let (state, on, at) = (new.state.id(), iso(new.on), millis(new.at));
    let row = sqlx::query!(
        r#"INSERT INTO review (org_id, no, state, held_on, decisions, attended, by_id, at, reference)
         VALUES (?1, (SELECT coalesce(max(no), 0) + 1 FROM review WHERE org_id = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         RETURNING id AS "id!", no"#,
        org,
        state,
        on,
        new.decisions,
        new.attended,
        new.by.id,
        at,
        new.reference
    )
    .fetch_one(&mut *w.tx)
    .await?;
    w.wrote(Table::Review, row.id);
    for certificate in &new.certificates {
        put_part(w, org, row.id, *certificate, None, None).await?;
    }
    for c in &new.covered {
        put_part(w, org, row.id, c.certificate, Some(&c.item), c.words.as_deref()).await?;
    }
    Ok(Review { id: row.id, no: row.no, ..new })
}

/// Puts a review's values on record, with inputs looked at that were not on record before.
pub async fn update(w: &mut Write<'_>, org: i64, r: &Review, newly: &[Covered]) -> Result<(), Fault> {
    let (state, on, at) = (r.state.id(), iso(r.on), millis(r.at));
    sqlx::query!(
        "UPDATE review SET state = ?, held_on = ?, decisions = ?, attended = ?, by_id = ?, at = ?
         WHERE org_id = ? AND id = ?",
        state,
        on,
        r.decisions,
        r.attended,
        r.by.id,
        at,
        org,
        r.id
    )
    .execute(&mut *w.tx)
    .await?;
    w.wrote(Table::Review, r.id);
    for c in newly {
        put_part(w, org, r.id, c.certificate, Some(&c.item), c.words.as_deref()).await?;
    }
    Ok(())
}

async fn put_part(
    w: &mut Write<'_>,
    org: i64,
    review: i64,
    certificate: i64,
    item: Option<&str>,
    words: Option<&str>,
) -> Result<(), Fault> {
    let id = sqlx::query!(
        "INSERT INTO review_part (org_id, review_id, certificate_id, item, words) VALUES (?, ?, ?, ?, ?)",
        org,
        review,
        certificate,
        item,
        words
    )
    .execute(&mut *w.tx)
    .await?
    .last_insert_rowid();
    w.wrote(Table::ReviewPart, id);
    Ok(())
}
