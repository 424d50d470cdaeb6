//! Everything that belongs to one organisation, as the schema itself tells it: counted, and taken out.
//!
//! A table is of an organisation by its `org_id`, or by a row of such a table that it refers to: one that a later
//! migration adds is covered without a word here, and one that cannot be told whose it is stops everything.

use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

use super::Fault;

/// What belongs to the file and not to an organisation.
const OF_THE_FILE: [&str; 2] = ["_sqlx_migrations", "registration"];

/// How the rows of a table are told to be of an organisation (`?1`).
#[derive(Debug)]
struct Holding {
    table: String,
    /// Whether by way of another table, whose rows must still be there.
    by_way: bool,
    which: String,
}

async fn holdings(c: &mut SqliteConnection) -> Result<Vec<Holding>, Fault> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )
    .fetch_all(&mut *c)
    .await?;
    let mut direct = Vec::new();
    for table in tables.iter().filter(|t| !OF_THE_FILE.contains(&t.as_str())) {
        let owned: i64 =
            sqlx::query_scalar("SELECT count(*) FROM pragma_table_info(?) WHERE name = 'org_id'")
                .bind(table)
                .fetch_one(&mut *c)
                .await?;
        direct.push((table.clone(), owned == 1));
    }
    let mut out = Vec::new();
    for (table, owned) in &direct {
        if table == "organisation" {
            out.push(Holding { table: table.clone(), by_way: false, which: "id = ?1".to_owned() });
            continue;
        }
        if *owned {
            out.push(Holding { table: table.clone(), by_way: false, which: "org_id = ?1".to_owned() });
            continue;
        }
        let refers: Vec<(String, String, Option<String>)> =
            sqlx::query_as(r#"SELECT "table", "from", "to" FROM pragma_foreign_key_list(?)"#)
                .bind(table)
                .fetch_all(&mut *c)
                .await?;
        let by = refers.into_iter().find(|(to, ..)| direct.iter().any(|(t, owned)| t == to && *owned));
        let Some((parent, from, to)) = by else {
            return Err(Fault::inconsistent("sqlite_schema", 0, "whose a table's rows are", table));
        };
        let to = to.unwrap_or_else(|| "id".to_owned());
        let which = format!(r#""{from}" IN (SELECT "{to}" FROM "{parent}" WHERE org_id = ?1)"#);
        out.push(Holding { table: table.clone(), by_way: true, which });
    }
    out.sort_by_key(|h| !h.by_way);
    Ok(out)
}

/// How many rows of an organisation each table holds; those that hold none are left out.
pub async fn rows(c: &mut SqliteConnection, org: i64) -> Result<Vec<(String, i64)>, Fault> {
    let mut out = Vec::new();
    for h in holdings(c).await? {
        let count = format!(r#"SELECT count(*) FROM "{}" WHERE {}"#, h.table, h.which);
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(count)).bind(org).fetch_one(&mut *c).await?;
        if count > 0 {
            out.push((h.table, count));
        }
    }
    out.sort();
    Ok(out)
}

/// Takes out every row of these organisations, their journals too, in one transaction, on a connection that nobody
/// shares. Their bytes are gone once the file was built anew ([`rebuild`]).
pub async fn erase(c: &mut SqliteConnection, orgs: &[i64]) -> Result<u64, Fault> {
    // Whether all references still lead somewhere is looked at once, in the end.
    sqlx::query("PRAGMA foreign_keys = OFF").execute(&mut *c).await?;
    let erased = within(c, orgs).await;
    sqlx::query("PRAGMA foreign_keys = ON").execute(&mut *c).await?;
    erased
}

async fn within(c: &mut SqliteConnection, orgs: &[i64]) -> Result<u64, Fault> {
    let mut tx = c.begin_with("BEGIN IMMEDIATE").await?;
    let holdings = holdings(&mut tx).await?;
    // The journal is only added to, says its trigger; it steps aside for exactly this and comes back as it was.
    let triggers: Vec<(String, String)> =
        sqlx::query_as("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND sql IS NOT NULL")
            .fetch_all(&mut *tx)
            .await?;
    for (name, _) in &triggers {
        sqlx::query(AssertSqlSafe(format!(r#"DROP TRIGGER "{name}""#))).execute(&mut *tx).await?;
    }
    let mut gone = 0;
    for org in orgs {
        let place: Option<String> = sqlx::query_scalar("SELECT place FROM organisation WHERE id = ?")
            .bind(org)
            .fetch_optional(&mut *tx)
            .await?;
        for h in &holdings {
            let delete = format!(r#"DELETE FROM "{}" WHERE {}"#, h.table, h.which);
            let done = sqlx::query(AssertSqlSafe(delete)).bind(org).execute(&mut *tx).await?;
            gone += done.rows_affected();
        }
        // Its key is not given again, lest a new organisation's messages bear the marks of this one's.
        sqlx::query(
            "INSERT INTO registration (scope, digest) VALUES ('erased up to', ?1)
             ON CONFLICT (scope) DO UPDATE SET digest = max(CAST(digest AS INTEGER), ?1)",
        )
        .bind(org)
        .execute(&mut *tx)
        .await?;
        // Which commands were registered there last: not a record, but it names the server.
        if let Some(guild) = place.as_deref().and_then(|p| p.strip_prefix("discord:")) {
            sqlx::query("DELETE FROM registration WHERE instr(scope, ?) > 0")
                .bind(guild)
                .execute(&mut *tx)
                .await?;
        }
    }
    for (_, sql) in triggers {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut *tx).await?;
    }
    let dangling: i64 =
        sqlx::query_scalar("SELECT count(*) FROM pragma_foreign_key_check").fetch_one(&mut *tx).await?;
    if dangling > 0 {
        return Err(Fault::inconsistent("another organisation", 0, "what it refers to", "an erased row"));
    }
    tx.commit().await?;
    Ok(gone)
}

/// Forgets what belongs to the file and to no organisation: sessions, registrations, restorations.
pub async fn forget_the_file(c: &mut SqliteConnection) -> Result<(), Fault> {
    sqlx::query("DELETE FROM registration").execute(c).await?;
    Ok(())
}

/// Builds the file anew from the rows that are there, so that nothing of what was taken out is left in it or in its
/// log.
pub async fn rebuild(c: &mut SqliteConnection) -> Result<(), Fault> {
    sqlx::query("VACUUM").execute(&mut *c).await?;
    super::file::fold_log_in(c).await?;
    Ok(())
}
