//! Answers to reminders, and reminders of people's own.

use sqlx::SqliteConnection;

use super::journal::Table;
use super::person::People;
use super::{Fault, Write, day, instant, iso, millis, person};
use crate::domain::reminder::{Answer, OwnReminder, Response};
use crate::notify::due::To;

/// The answers that may still count: of each subject and date, the latest.
pub(super) async fn answers(
    c: &mut SqliteConnection,
    org: i64,
    people: &People,
) -> Result<Vec<Answer>, Fault> {
    sqlx::query!(
        r#"SELECT id AS "id!", subject, about_on, kind, until_on, asked, words, by_id, at FROM answer a
           WHERE org_id = ?1 AND id = (SELECT max(id) FROM answer
               WHERE org_id = ?1 AND subject = a.subject AND about_on = a.about_on)
           ORDER BY id"#,
        org
    )
    .fetch_all(c)
    .await?
    .into_iter()
    .map(|r| {
        Ok(Answer {
            id: r.id,
            subject: r.subject,
            about_on: day("answer", r.id, "about_on", &r.about_on)?,
            asked: match r.asked {
                Some(asked) if To::Managers.id() != Some(asked.as_str()) => {
                    let id =
                        asked.parse().map_err(|_nan| Fault::inconsistent("answer", r.id, "asked", &asked))?;
                    Some(person::of(people, "answer", r.id, id)?.handle)
                }
                asked => asked,
            },
            response: match r.kind.as_str() {
                "acknowledged" => Response::Acknowledged { note: r.words },
                "snoozed" => Response::Snoozed { reason: r.words.unwrap_or_default() },
                other => return Err(Fault::inconsistent("answer", r.id, "kind", other)),
            },
            until: day("answer", r.id, "until_on", &r.until_on)?,
            by: person::of(people, "answer", r.id, r.by_id)?,
            at: instant(r.at),
        })
    })
    .collect()
}

/// Puts an answer on record; the key given in `new` does not count.
pub async fn answer(w: &mut Write<'_>, org: i64, new: &Answer) -> Result<(), Fault> {
    let (kind, words) = match &new.response {
        Response::Acknowledged { note } => ("acknowledged", note.as_deref()),
        Response::Snoozed { reason } => ("snoozed", Some(reason.as_str())),
    };
    let (about, until, at) = (iso(new.about_on), iso(new.until), millis(new.at));
    // By key, as everywhere in the journal: a name can be taken out of it later.
    let asked = match new.asked.as_deref() {
        Some(handle) if To::Managers.id() != Some(handle) => {
            person::by_handle(&mut w.tx, org, handle).await?.map(|p| p.id.to_string())
        }
        asked => asked.map(ToOwned::to_owned),
    };
    let id = sqlx::query!(
        "INSERT INTO answer (org_id, subject, about_on, kind, until_on, asked, words, by_id, at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        org,
        new.subject,
        about,
        kind,
        until,
        asked,
        words,
        new.by.id,
        at
    )
    .execute(&mut *w.tx)
    .await?
    .last_insert_rowid();
    w.wrote(Table::Answer, id);
    Ok(())
}

/// The reminders of people's own, ended ones too, by number.
pub(super) async fn own(
    c: &mut SqliteConnection,
    org: i64,
    people: &People,
) -> Result<Vec<OwnReminder>, Fault> {
    sqlx::query!(
        r#"SELECT id AS "id!", no, cron, words, channel, asks_id, by_id, at, ended_at
           FROM own_reminder WHERE org_id = ? ORDER BY no"#,
        org
    )
    .fetch_all(c)
    .await?
    .into_iter()
    .map(|r| {
        Ok(OwnReminder {
            id: r.id,
            no: r.no,
            cron: r.cron,
            words: r.words,
            channel: r.channel,
            asks: r.asks_id.map(|p| person::of(people, "own_reminder", r.id, p)).transpose()?,
            by: person::of(people, "own_reminder", r.id, r.by_id)?,
            at: instant(r.at),
            ended_at: r.ended_at.map(instant),
        })
    })
    .collect()
}

/// Enters a reminder under the next number; the key and number given in `new` do not count.
pub async fn insert_own(w: &mut Write<'_>, org: i64, new: OwnReminder) -> Result<OwnReminder, Fault> {
    let (asks, at) = (new.asks.as_ref().map(|p| p.id), millis(new.at));
    let row = sqlx::query!(
        r#"INSERT INTO own_reminder (org_id, no, cron, words, channel, asks_id, by_id, at)
           VALUES (?1, (SELECT coalesce(max(no), 0) + 1 FROM own_reminder WHERE org_id = ?1), ?2, ?3, ?4, ?5, ?6, ?7)
           RETURNING id AS "id!", no"#,
        org, new.cron, new.words, new.channel, asks, new.by.id, at
    )
    .fetch_one(&mut *w.tx)
    .await?;
    w.wrote(Table::OwnReminder, row.id);
    Ok(OwnReminder { id: row.id, no: row.no, ..new })
}

/// Ends a reminder, or moves it to somebody else.
pub async fn update_own(w: &mut Write<'_>, org: i64, own: &OwnReminder) -> Result<(), Fault> {
    let (asks, ended) = (own.asks.as_ref().map(|p| p.id), own.ended_at.map(millis));
    sqlx::query!(
        "UPDATE own_reminder SET asks_id = ?, ended_at = ? WHERE org_id = ? AND id = ?",
        asks,
        ended,
        org,
        own.id
    )
    .execute(&mut *w.tx)
    .await?;
    w.wrote(Table::OwnReminder, own.id);
    Ok(())
}
