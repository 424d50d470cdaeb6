//! What came in by the doors: requests carried out, forms not yet filled in, commands registered.

use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;

use super::{Fault, Store, Write, millis};
use crate::command::Heard;

/// How long an answered request is remembered, in milliseconds: far longer than Discord delivers it again.
const REMEMBERED: i64 = 2 * 24 * 3600 * 1000;
/// So many of an organisation's latest are remembered whatever the clock says, which may have been set.
const ALWAYS: i64 = 500;
/// How long a form waits to be filled in, in milliseconds.
const FORM_WAITS: i64 = 24 * 3600 * 1000;

/// The answer given to a request that was carried out before, as JSON.
pub async fn answer(c: &mut SqliteConnection, key: &str) -> Result<Option<String>, Fault> {
    Ok(sqlx::query_scalar!("SELECT answer FROM request WHERE key = ?", key).fetch_optional(c).await?)
}

/// Takes down that a request is carried out, with its answer, in the transaction that carries it out. Returns
/// whether it is the first time.
pub async fn answered(
    w: &mut Write<'_>,
    org: i64,
    key: &str,
    at: DateTime<Utc>,
    answer: &str,
) -> Result<bool, Fault> {
    let at = millis(at);
    let kept = sqlx::query!(
        "INSERT INTO request (key, org_id, at, answer) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
        key,
        org,
        at,
        answer
    )
    .execute(&mut *w.tx)
    .await?;
    Ok(kept.rows_affected() == 1)
}

/// Forgets an organisation's answered requests and unfilled forms that nobody will come back to.
pub async fn forget(w: &mut Write<'_>, org: i64, now: DateTime<Utc>) -> Result<(), Fault> {
    let (answered, asked) = (millis(now) - REMEMBERED, millis(now) - FORM_WAITS);
    sqlx::query!(
        "DELETE FROM request WHERE org_id = ?1 AND at < ?2 AND id <= (
             SELECT id FROM request WHERE org_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?3)",
        org,
        answered,
        ALWAYS
    )
    .execute(&mut *w.tx)
    .await?;
    sqlx::query!("DELETE FROM form WHERE org_id = ? AND at < ?", org, asked).execute(&mut *w.tx).await?;
    Ok(())
}

/// A command line that waits for a form.
#[derive(Debug)]
pub struct Waiting {
    /// Who it was shown to.
    pub handle: String,
    /// The line.
    pub argv: Vec<String>,
    /// What the door knew about the things in it.
    pub heard: Heard,
}

/// Keeps a command line until its form is filled in.
pub async fn keep_form(
    w: &mut Write<'_>,
    org: i64,
    id: &str,
    waiting: &Waiting,
    at: DateTime<Utc>,
) -> Result<(), Fault> {
    let (argv, heard) = (serde_json::to_string(&waiting.argv)?, serde_json::to_string(&waiting.heard)?);
    let at = millis(at);
    sqlx::query!(
        "INSERT OR REPLACE INTO form (id, org_id, handle, argv, heard, at) VALUES (?, ?, ?, ?, ?, ?)",
        id,
        org,
        waiting.handle,
        argv,
        heard,
        at
    )
    .execute(&mut *w.tx)
    .await?;
    Ok(())
}

/// Drops the forms that wait to be filled in.
pub async fn drop_forms(w: &mut Write<'_>, org: i64) -> Result<(), Fault> {
    sqlx::query!("DELETE FROM form WHERE org_id = ?", org).execute(&mut *w.tx).await?;
    Ok(())
}

/// The command line that a form belongs to.
pub async fn form(c: &mut SqliteConnection, org: i64, id: &str) -> Result<Option<Waiting>, Fault> {
    let Some(row) = sqlx::query!("SELECT handle, argv, heard FROM form WHERE org_id = ? AND id = ?", org, id)
        .fetch_optional(c)
        .await?
    else {
        return Ok(None);
    };
    Ok(Some(Waiting {
        handle: row.handle,
        argv: serde_json::from_str(&row.argv)?,
        heard: serde_json::from_str(&row.heard)?,
    }))
}

impl Store {
    /// The digest of the commands last registered in a scope.
    pub async fn registered(&self, scope: &str) -> Result<Option<String>, Fault> {
        let mut c = self.read().await?;
        Ok(sqlx::query_scalar!("SELECT digest FROM registration WHERE scope = ?", scope)
            .fetch_optional(&mut *c)
            .await?)
    }

    /// Remembers the digest of the commands registered in a scope.
    pub async fn set_registered(&self, scope: &str, digest: &str) -> Result<(), Fault> {
        let mut w = self.write().await?;
        sqlx::query!("INSERT OR REPLACE INTO registration (scope, digest) VALUES (?, ?)", scope, digest)
            .execute(&mut *w.tx)
            .await?;
        w.commit().await
    }
}
