//! Whether the journal and the tables are what they were when they were written.
//!
//! The chain alone shows an edit, a deletion, a swap. Whoever holds file and program could rewrite all of it:
//! that shows only against a head held elsewhere (`certkeeper verify --against SEQ:HASH`).

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::journal::{Head, Image, NONE, Table, altered as altered_columns, hash, hex};
use super::{Fault, organisation, person};

/// What was found for one organisation.
#[derive(Debug)]
pub struct Verified {
    /// Its place.
    pub place: String,
    /// Its name.
    pub name: String,
    /// The head of its chain as it stands.
    pub head: Head,
    /// Where something was altered, in words; empty if nothing was.
    pub altered: Vec<String>,
}

/// Checks every organisation's chain, and the tables against it.
pub async fn all(c: &mut SqliteConnection) -> Result<Vec<Verified>, Fault> {
    // A row of an organisation that is not there is noticed as well.
    let ids = Table::ALL.iter().map(|t| t.organisations()).collect::<Vec<_>>().join(" UNION ");
    let ids = format!("SELECT org_id FROM journal UNION {ids} ORDER BY 1");
    let ids: Vec<i64> = sqlx::query_scalar(AssertSqlSafe(ids)).fetch_all(&mut *c).await?;
    let mut out = Vec::new();
    for id in ids {
        let known: Option<(String, String)> =
            sqlx::query_as("SELECT place, name FROM organisation WHERE id = ?")
                .bind(id)
                .fetch_optional(&mut *c)
                .await?;
        let Some((place, name)) = known else {
            out.push(Verified {
                place: format!("organisation {id}"),
                name: String::new(),
                head: Head { seq: 0, hash: NONE.to_owned() },
                altered: vec![format!(
                    "table organisation, row {id}: deleted, though there are entries or rows of it"
                )],
            });
            continue;
        };
        let mut altered = Vec::new();
        // A row that no longer reads as an organisation has been altered too; the images below show how.
        if let Err(e) = organisation::get(c, id).await {
            altered.push(format!("table organisation: {e}"));
        }
        let head = one(c, id, &place, &mut altered).await?;
        out.push(Verified { place, name, head, altered });
    }
    Ok(out)
}

async fn one(
    c: &mut SqliteConnection,
    org: i64,
    place: &str,
    altered: &mut Vec<String>,
) -> Result<Head, Fault> {
    // Where it was when an entry was made: an entry that puts it elsewhere carries the new place, and is hashed with it.
    let mut place = place.to_owned();
    let mut expected: BTreeMap<(String, i64), (i64, String)> = BTreeMap::new();
    let mut head = Head { seq: 0, hash: NONE.to_owned() };
    loop {
        let page = sqlx::query!(
            "SELECT seq, at, door, actor_id, verb, reason, images, previous, hash
             FROM journal WHERE org_id = ? AND seq > ? ORDER BY seq LIMIT 500",
            org,
            head.seq
        )
        .fetch_all(&mut *c)
        .await?;
        if page.is_empty() {
            break;
        }
        for e in page {
            if e.seq != head.seq + 1 {
                altered.push(format!("journal: entries {} to {} are missing", head.seq + 1, e.seq - 1));
            } else if e.previous != head.hash {
                altered.push(format!("journal entry {}: does not follow from the entry before it", e.seq));
            }
            let images = serde_json::from_str::<Vec<Image>>(&e.images);
            if let Some(moved) = images.as_ref().ok().and_then(|images| placed(images)) {
                place = moved;
            }
            let computed = hash(
                &e.previous,
                &place,
                e.seq,
                e.at,
                &e.door,
                e.actor_id,
                &e.verb,
                e.reason.as_deref(),
                &e.images,
            )?;
            if computed != e.hash {
                altered.push(format!("journal entry {} ({}): its contents were altered", e.seq, e.verb));
            }
            match images {
                Ok(images) => {
                    for i in images {
                        expected.insert((i.table, i.id), (e.seq, i.row));
                    }
                }
                Err(_) => altered.push(format!("journal entry {}: its images cannot be read", e.seq)),
            }
            head = Head { seq: e.seq, hash: e.hash };
        }
    }
    for table in Table::ALL {
        let rows: Vec<(i64, String)> =
            sqlx::query_as(table.all_of_organisation()).bind(org).fetch_all(&mut *c).await?;
        for (id, row) in rows {
            match expected.remove(&(table.name().to_owned(), id)) {
                None => altered.push(format!("table {}, row {id}: no journal entry has it", table.name())),
                Some((seq, image)) => {
                    let columns = altered_columns(*table, &image, &row);
                    if !columns.is_empty() {
                        altered.push(format!(
                            "table {}, row {id}: {} altered (last written by journal entry {seq})",
                            table.name(),
                            columns.join(", ")
                        ));
                    }
                }
            }
        }
    }
    for ((table, id), (seq, _)) in expected {
        let known = Table::by_name(&table).map_or("an unknown table", Table::name);
        altered.push(format!("table {known}, row {id}: deleted, though journal entry {seq} wrote it"));
    }
    seals(c, org, altered).await?;
    files(c, org, altered).await?;
    Ok(head)
}

/// The place that an entry's images put the organisation at.
fn placed(images: &[Image]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct At {
        place: String,
    }
    let image = images.iter().rev().find(|i| i.table == Table::Organisation.name())?;
    serde_json::from_str::<At>(&image.row).ok().map(|at| at.place)
}

async fn seals(c: &mut SqliteConnection, org: i64, altered: &mut Vec<String>) -> Result<(), Fault> {
    for p in sqlx::query!(r#"SELECT id AS "id!", handle, name, salt, seal FROM person WHERE org_id = ?"#, org)
        .fetch_all(c)
        .await?
    {
        if person::seal(&p.salt, &p.handle, &p.name)? != p.seal {
            altered.push(format!("table person, row {}: handle or name altered", p.id));
        }
    }
    Ok(())
}

async fn files(c: &mut SqliteConnection, org: i64, altered: &mut Vec<String>) -> Result<(), Fault> {
    let ids = sqlx::query_scalar!(r#"SELECT id AS "id!" FROM file WHERE org_id = ?"#, org)
        .fetch_all(&mut *c)
        .await?;
    for id in ids {
        let f = sqlx::query!("SELECT sha256, bytes FROM file WHERE id = ?", id).fetch_one(&mut *c).await?;
        if hex(&Sha256::digest(&f.bytes)) != f.sha256 {
            altered.push(format!("table file, row {id}: contents do not match their SHA-256"));
        }
    }
    Ok(())
}

/// Whether a place's chain still has this entry; the place may be one that the organisation has left since.
pub async fn holds(c: &mut SqliteConnection, place: &str, seq: i64, hash: &str) -> Result<bool, Fault> {
    let found = sqlx::query_scalar!(
        "SELECT j.hash FROM journal j JOIN organisation o ON o.id = j.org_id
         WHERE j.seq = ?2 AND (o.place = ?1 OR EXISTS (
             SELECT 1 FROM journal f, json_each(f.images) e
             WHERE f.org_id = o.id AND e.value ->> 'table' = 'organisation'
                 AND e.value ->> 'row' ->> 'place' = ?1))",
        place,
        seq
    )
    .fetch_all(c)
    .await?;
    Ok(found.iter().any(|found| found == hash) || (seq == 0 && hash == NONE))
}
