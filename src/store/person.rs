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
    w.wrote(Table::Person, p.id);
    let new = Person { id: p.id, handle, name };
    forget_words(w, org, p, &new).await?;
    Ok(new.name)
}

/// Takes a person out of what was said lately and of what waits to be said: the messages in the outbox, the answers
/// kept for a request that comes twice, the forms not yet filled in.
async fn forget_words(w: &mut Write<'_>, org: i64, old: &Person, new: &Person) -> Result<(), Fault> {
    let bare = |text: &str| -> Result<String, Fault> {
        Ok(serde_json::to_string(text)?.trim_matches('"').to_owned())
    };
    let (handle, name) = (bare(&old.handle)?, bare(&old.name)?);
    sqlx::query!(
        "DELETE FROM form WHERE org_id = ?1
         AND (handle = ?2 OR instr(argv, ?3) > 0 OR instr(heard, ?3) > 0 OR instr(heard, ?4) > 0)",
        org,
        old.handle,
        handle,
        name
    )
    .execute(&mut *w.tx)
    .await?;
    let swaps = [(old.handle.as_str(), new.handle.as_str()), (old.name.as_str(), new.name.as_str())];
    let answers = sqlx::query!(
        r#"SELECT id AS "id!", answer FROM request WHERE org_id = ?1 AND (instr(answer, ?2) > 0 OR instr(answer, ?3) > 0)"#,
        org,
        handle,
        name
    )
    .fetch_all(&mut *w.tx)
    .await?;
    for row in answers {
        let answer = swapped(&row.answer, &swaps)?;
        sqlx::query!("UPDATE request SET answer = ? WHERE org_id = ? AND id = ?", answer, org, row.id)
            .execute(&mut *w.tx)
            .await?;
    }
    sqlx::query!("UPDATE notice SET asked = ? WHERE org_id = ? AND asked = ?", new.handle, org, old.handle)
        .execute(&mut *w.tx)
        .await?;
    let posts = sqlx::query!(
        r#"SELECT id AS "id!", card, ask FROM post WHERE org_id = ?1
           AND (instr(card, ?2) > 0 OR instr(card, ?3) > 0 OR instr(ask, ?2) > 0)"#,
        org,
        handle,
        name
    )
    .fetch_all(&mut *w.tx)
    .await?;
    for row in posts {
        let (card, ask) = (swapped(&row.card, &swaps)?, swapped(&row.ask, &swaps)?);
        sqlx::query!("UPDATE post SET card = ?, ask = ? WHERE org_id = ? AND id = ?", card, ask, org, row.id)
            .execute(&mut *w.tx)
            .await?;
    }
    Ok(())
}

/// A JSON text with whole words in its strings swapped.
fn swapped(json: &str, swaps: &[(&str, &str)]) -> Result<String, Fault> {
    fn walk(value: &mut serde_json::Value, swaps: &[(&str, &str)]) {
        match value {
            serde_json::Value::String(text) => {
                for (from, to) in swaps {
                    *text = words_swapped(text, from, to);
                }
            }
            serde_json::Value::Array(all) => all.iter_mut().for_each(|v| walk(v, swaps)),
            serde_json::Value::Object(all) => all.values_mut().for_each(|v| walk(v, swaps)),
            serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
        }
    }
    let mut value = serde_json::from_str(json)?;
    walk(&mut value, swaps);
    Ok(serde_json::to_string(&value)?)
}

/// A text with a word in it swapped wherever it stands on its own.
fn words_swapped(text: &str, from: &str, to: &str) -> String {
    if from.is_empty() {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(from) {
        let (before, found) = rest.split_at(at);
        let after = found.get(from.len()..).unwrap_or_default();
        let joined = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let alone =
            !joined(before.chars().next_back().or(out.chars().next_back())) && !joined(after.chars().next());
        out.push_str(before);
        out.push_str(if alone { to } else { from });
        rest = after;
    }
    out.push_str(rest);
    out
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
