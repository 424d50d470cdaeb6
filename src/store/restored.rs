//! That this file was restored from a backup: what its later self said since must be looked for before it speaks.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteConnection;

use super::{Fault, Store, instant, millis};

const TAKEN: &str = "backup taken";
const RESTORED: &str = "backup restored";

/// A restoration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// When the backup was taken: everything said before that is on record.
    pub taken: DateTime<Utc>,
    /// When it was put back: what was due between the two may have been said.
    pub at: DateTime<Utc>,
}

impl Restored {
    /// Marks a backup with the instant at which it was taken.
    pub async fn mark_taken(c: &mut SqliteConnection, now: DateTime<Utc>) -> Result<(), Fault> {
        sqlx::query("INSERT OR REPLACE INTO registration (scope, digest) VALUES (?, ?)")
            .bind(TAKEN)
            .bind(millis(now).to_string())
            .execute(c)
            .await?;
        Ok(())
    }

    /// Marks a file as restored now. Returns when its backup was taken; a copy that does not say was taken at its
    /// latest entry.
    pub async fn mark(store: &Store, now: DateTime<Utc>) -> Result<DateTime<Utc>, Fault> {
        let told = store.registered(TAKEN).await?.and_then(|ms| ms.parse().ok());
        let taken = match told {
            Some(ms) => instant(ms),
            None => instant(
                sqlx::query_scalar::<_, i64>(
                    "SELECT coalesce(max(at), 0) FROM (
                         SELECT max(at) AS at FROM journal UNION ALL SELECT max(claimed_at) FROM post)",
                )
                .fetch_one(&mut *store.read().await?)
                .await?,
            ),
        };
        let marked = serde_json::to_string(&Self { taken, at: now })?;
        store.set_registered(RESTORED, &marked).await?;
        Ok(taken)
    }

    /// The latest restoration, if there was one.
    pub async fn of(store: &Store) -> Result<Option<Self>, Fault> {
        Ok(store.registered(RESTORED).await?.map(|marked| serde_json::from_str(&marked)).transpose()?)
    }
}
