//! The file as a whole: whether it is sound, whose it is, a copy of it, what an operator asks of it.

use std::path::Path;

use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;

use super::{Fault, millis};

/// What is wrong with the file, in SQLite's words; none where it is whole. `thoroughly`: indexes against tables too.
pub async fn damage(c: &mut SqliteConnection, thoroughly: bool) -> Result<Option<String>, sqlx::Error> {
    let check = if thoroughly { "PRAGMA integrity_check(3)" } else { "PRAGMA quick_check(3)" };
    let found: Vec<String> = sqlx::query_scalar(check).fetch_all(c).await?;
    Ok((found != ["ok"]).then(|| found.join("; ")))
}

/// The program that a database says it belongs to.
pub async fn application_id(c: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("PRAGMA application_id").fetch_one(c).await
}

/// Copies the whole database, as one state of it, into an empty file.
pub async fn copy_into(c: &mut SqliteConnection, to: &Path) -> Result<(), sqlx::Error> {
    sqlx::query("VACUUM INTO ?").bind(to.to_string_lossy().into_owned()).execute(c).await.map(drop)
}

/// Folds the write-ahead log into the file.
pub async fn fold_log_in(c: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(c).await.map(drop)
}

/// Has the file stand alone, without a log beside it.
pub async fn without_log(c: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query("PRAGMA journal_mode = DELETE").execute(c).await.map(drop)
}

/// When the latest entry of any journal was made.
pub async fn latest_entry(c: &mut SqliteConnection) -> Result<Option<DateTime<Utc>>, Fault> {
    let at: Option<i64> = sqlx::query_scalar("SELECT max(at) FROM journal").fetch_one(c).await?;
    Ok(at.and_then(DateTime::from_timestamp_millis))
}

/// How many reminders were due before an instant and are not posted, where the bot is.
pub async fn waiting(c: &mut SqliteConnection, due_before: DateTime<Utc>) -> Result<i64, Fault> {
    Ok(sqlx::query_scalar(
        "SELECT count(*) FROM notice n JOIN organisation o ON o.id = n.org_id
         WHERE o.present = 1 AND n.state IN ('pending', 'posting') AND n.due_at < ?",
    )
    .bind(millis(due_before))
    .fetch_one(c)
    .await?)
}
