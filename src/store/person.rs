//! People known to an organisation.

use sha2::{Digest as _, Sha256};
use sqlx::SqliteConnection;

use super::journal::{Table, hex};
use super::{Fault, Write};
use crate::domain::organisation::Person;

/// People by database key.
pub(crate) type People = std::collections::HashMap<i64, Person>;

/// The seal by which the journal knows a person.
pub(crate) fn seal(salt: &str, handle: &str, name: &str) -> Result<String, Fault> {
    Ok(hex(&Sha256::digest(serde_json::to_vec(&(salt, handle, name))?)))
}

/// The person with this handle, entered or renamed as needed.
pub async fn known(w: &mut Write<'_>, org: i64, handle: &str, name: Option<&str>) -> Result<Person, Fault> {
    if let Some(found) = by_handle(&mut w.tx, org, handle).await? {
        let Some(name) = name.filter(|n| *n != found.name && !n.is_empty()) else { return Ok(found) };
        let salt = sqlx::query_scalar!("SELECT salt FROM person WHERE id = ?", found.id)
            .fetch_one(&mut *w.tx)
            .await?;
        let seal = seal(&salt, handle, name)?;
        sqlx::query!(
            "UPDATE person SET name = ?, seal = ? WHERE org_id = ? AND id = ?",
            name,
            seal,
            org,
            found.id
        )
        .execute(&mut *w.tx)
        .await?;
        w.wrote(Table::Person, found.id);
        return Ok(Person { name: name.to_owned(), ..found });
    }
    let name = name.filter(|n| !n.is_empty()).unwrap_or(handle);
    let salt: String = sqlx::query_scalar("SELECT lower(hex(randomblob(16)))").fetch_one(&mut *w.tx).await?;
    let seal = seal(&salt, handle, name)?;
    let id = sqlx::query!(
        "INSERT INTO person (org_id, handle, name, salt, seal) VALUES (?, ?, ?, ?, ?)",
        org,
        handle,
        name,
        salt,
        seal
    )
    .execute(&mut *w.tx)
    .await?
    .last_insert_rowid();
    w.wrote(Table::Person, id);
    Ok(Person { id, handle: handle.to_owned(), name: name.to_owned() })
}

/// Takes a person's handle and name out: a pseudonym stands for both from now on. The journal knows them by key and
/// by seal only, so its chain holds. Returns the pseudonym.
pub async fn pseudonymise(w: &mut Write<'_>, org: i64, p: &Person) -> Result<String, Fault> {
    let (handle, name) = (format!("left-{}", p.id), format!("Former member {}", p.id));
    let salt: String = sqlx::query_scalar("SELECT lower(hex(randomblob(16)))").fetch_one(&mut *w.tx).await?;
    let seal = seal(&salt, &handle, &name)?;
    sqlx::query!(
        "UPDATE person SET handle = ?, name = ?, salt = ?, seal = ? WHERE org_id = ? AND id = ?",
        handle,
        name,
        salt,
        seal,
        org,
        p.id
    )
    .execute(&mut *w.tx)
    .await?;
    sqlx::query!("DELETE FROM form WHERE org_id = ? AND handle = ?", org, p.handle)
        .execute(&mut *w.tx)
        .await?;
    w.wrote(Table::Person, p.id);
    Ok(name)
}

/// The person with this handle, if known.
pub async fn by_handle(c: &mut SqliteConnection, org: i64, handle: &str) -> Result<Option<Person>, Fault> {
    Ok(sqlx::query_as!(
        Person,
        r#"SELECT id AS "id!", handle, name FROM person WHERE org_id = ? AND handle = ?"#,
        org,
        handle
    )
    .fetch_optional(c)
    .await?)
}

/// Everybody known, by database key.
pub(crate) async fn all(c: &mut SqliteConnection, org: i64) -> Result<People, Fault> {
    let people =
        sqlx::query_as!(Person, r#"SELECT id AS "id!", handle, name FROM person WHERE org_id = ?"#, org)
            .fetch_all(c)
            .await?;
    Ok(people.into_iter().map(|p| (p.id, p)).collect())
}

/// The person of a row's reference; that there is one is the schema's promise.
pub(crate) fn of(people: &People, table: &'static str, row: i64, id: i64) -> Result<Person, Fault> {
    people.get(&id).cloned().ok_or_else(|| Fault::Inconsistent {
        table,
        id: row,
        column: "person",
        value: id.to_string(),
    })
}
