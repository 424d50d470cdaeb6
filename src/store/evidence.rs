//! Evidence: files kept by their SHA-256 in the database itself, links and notes.

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use sqlx::SqliteConnection;

use super::journal::{Table, hex};
use super::{Fault, Write, instant, millis, person};
use crate::domain::organisation::Person;

/// What a piece of evidence belongs to, by database key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// A nonconformity.
    Nonconformity(i64),
    /// An audit (its report).
    Audit(i64),
}

/// A piece of evidence to keep.
#[derive(Debug, Clone)]
pub enum New<'a> {
    /// A file.
    File {
        /// Its name as given.
        name: &'a str,
        /// Its media type as claimed.
        media_type: Option<&'a str>,
        /// Its contents.
        bytes: &'a [u8],
    },
    /// A link.
    Link(&'a str),
    /// Words.
    Note(&'a str),
}

/// A piece of evidence on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The file's name, digest and size in bytes.
    pub file: Option<(String, String, i64)>,
    /// The link.
    pub link: Option<String>,
    /// The words.
    pub note: Option<String>,
    /// Who added it.
    pub by: Person,
    /// When.
    pub at: DateTime<Utc>,
}

/// Keeps a piece of evidence.
pub async fn add(
    w: &mut Write<'_>,
    org: i64,
    of: Of,
    new: New<'_>,
    by: &Person,
    at: DateTime<Utc>,
) -> Result<(), Fault> {
    let (nc, audit) = match of {
        Of::Nonconformity(id) => (Some(id), None),
        Of::Audit(id) => (None, Some(id)),
    };
    let (file, name, media_type, link, note) = match new {
        New::File { name, media_type, bytes } => {
            (Some(file(w, org, bytes).await?), Some(name), media_type, None, None)
        }
        New::Link(link) => (None, None, None, Some(link), None),
        New::Note(note) => (None, None, None, None, Some(note)),
    };
    let at = millis(at);
    let id = sqlx::query!(
        "INSERT INTO evidence (org_id, nc_id, audit_id, file_id, name, media_type, link, note, by_id, at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        org,
        nc,
        audit,
        file,
        name,
        media_type,
        link,
        note,
        by.id,
        at
    )
    .execute(&mut *w.tx)
    .await?
    .last_insert_rowid();
    w.wrote(Table::Evidence, id);
    Ok(())
}

async fn file(w: &mut Write<'_>, org: i64, bytes: &[u8]) -> Result<i64, Fault> {
    let (sha256, size) = (hex(&Sha256::digest(bytes)), i64::try_from(bytes.len()).unwrap_or(i64::MAX));
    let kept =
        sqlx::query_scalar!(r#"SELECT id AS "id!" FROM file WHERE org_id = ? AND sha256 = ?"#, org, sha256)
            .fetch_optional(&mut *w.tx)
            .await?;
    if let Some(id) = kept {
        return Ok(id);
    }
    let id = sqlx::query!(
        "INSERT INTO file (org_id, sha256, size, bytes) VALUES (?, ?, ?, ?)",
        org,
        sha256,
        size,
        bytes
    )
    .execute(&mut *w.tx)
    .await?
    .last_insert_rowid();
    w.wrote(Table::File, id);
    Ok(id)
}

/// The evidence on record for one thing, oldest first.
pub async fn of(c: &mut SqliteConnection, org: i64, of: Of) -> Result<Vec<Evidence>, Fault> {
    let (nc, audit) = match of {
        Of::Nonconformity(id) => (Some(id), None),
        Of::Audit(id) => (None, Some(id)),
    };
    let people = person::all(c, org).await?;
    sqlx::query!(
        r#"SELECT e.id AS "id!", e.name, f.sha256 AS "sha256?", f.size AS "size?", e.link, e.note, e.by_id, e.at
           FROM evidence e LEFT JOIN file f ON f.id = e.file_id
           WHERE e.org_id = ?1 AND (e.nc_id = ?2 OR e.audit_id = ?3) ORDER BY e.id"#,
        org, nc, audit
    )
    .fetch_all(c)
    .await?
    .into_iter()
    .map(|r| {
        Ok(Evidence {
            file: r.sha256.zip(r.size).map(|(sha, size)| (r.name.unwrap_or_default(), sha, size)),
            link: r.link,
            note: r.note,
            by: person::of(&people, "evidence", r.id, r.by_id)?,
            at: instant(r.at),
        })
    })
    .collect()
}

/// What is on record as evidence in an organisation, as it is named: with the nonconformity or the audit it belongs to.
pub async fn names(c: &mut SqliteConnection, org: i64) -> Result<Vec<(Of, String)>, Fault> {
    let rows = sqlx::query!(
        "SELECT nc_id, audit_id, name, link, note FROM evidence WHERE org_id = ? ORDER BY id",
        org
    )
    .fetch_all(c)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|r| {
            let of = r.nc_id.map(Of::Nonconformity).or(r.audit_id.map(Of::Audit))?;
            Some((of, r.name.or(r.link).or(r.note)?))
        })
        .collect())
}

/// How many files and links are on record for a nonconformity (a note alone proves nothing).
pub async fn count(c: &mut SqliteConnection, org: i64, nc: i64) -> Result<u32, Fault> {
    let n = sqlx::query_scalar!(
        r#"SELECT count(*) AS "n!: i64" FROM evidence
           WHERE org_id = ? AND nc_id = ? AND (file_id IS NOT NULL OR link IS NOT NULL)"#,
        org,
        nc
    )
    .fetch_one(c)
    .await?;
    Ok(u32::try_from(n).unwrap_or(u32::MAX))
}
