//! Organisations: where they live, where and when they are told.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use sqlx::SqliteConnection;

use super::journal::Table;
use super::{Fault, Write, instant, millis, small};
use crate::domain::organisation::{Escalation, Manners, Organisation};
use crate::domain::workdays::{QuietHours, WorkingDays};

struct Row {
    id: i64,
    place: String,
    name: String,
    zone: String,
    hour: i64,
    channel: Option<String>,
    manager_role: Option<String>,
    auditor_role: Option<String>,
    privacy: String,
    working_days: Option<String>,
    holidays: Option<String>,
    quiet_from: Option<i64>,
    quiet_until: Option<i64>,
    escalate_after: Option<i64>,
    escalate_known_at: Option<i64>,
    escalation_channel: Option<String>,
}

impl TryFrom<Row> for Organisation {
    type Error = Fault;
    fn try_from(r: Row) -> Result<Self, Fault> {
        let zone: Tz = r.zone.parse().map_err(|_unknown| Fault::Inconsistent {
            table: "organisation",
            id: r.id,
            column: "zone",
            value: r.zone.clone(),
        })?;
        let hour =
            |column, kept: Option<i64>| kept.map(|h| small("organisation", r.id, column, h)).transpose();
        let quiet = hour("quiet_from", r.quiet_from)?.zip(hour("quiet_until", r.quiet_until)?);
        let manners = Manners {
            working_days: match &r.working_days {
                None => WorkingDays::ALL,
                Some(days) => WorkingDays::parse(days)
                    .ok_or_else(|| Fault::inconsistent("organisation", r.id, "working_days", days))?,
            },
            holidays: r.holidays,
            quiet: quiet.map(|(from, until)| QuietHours { from, until }),
            escalation: hour("escalate_after", r.escalate_after)?
                .zip(r.escalate_known_at)
                .map(|(after, known)| Escalation { after, known_at: instant(known) }),
            escalation_channel: r.escalation_channel,
        };
        Ok(Self {
            id: r.id,
            place: r.place,
            name: r.name,
            zone,
            hour: small("organisation", r.id, "hour", r.hour)?,
            channel: r.channel,
            manager_role: r.manager_role,
            auditor_role: r.auditor_role,
            minimal: r.privacy == "minimal",
            manners,
        })
    }
}

/// The organisation at a place, if it is known.
pub async fn at_place(c: &mut SqliteConnection, place: &str) -> Result<Option<Organisation>, Fault> {
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id!", place, name, zone, hour, channel, manager_role, auditor_role, privacy,
                  working_days, holidays, quiet_from, quiet_until, escalate_after, escalate_known_at, escalation_channel
           FROM organisation WHERE place = ?"#,
        place
    )
    .fetch_optional(c)
    .await?
    .map(TryInto::try_into)
    .transpose()
}

/// The organisation with this key.
pub async fn get(c: &mut SqliteConnection, org: i64) -> Result<Organisation, Fault> {
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id!", place, name, zone, hour, channel, manager_role, auditor_role, privacy,
                  working_days, holidays, quiet_from, quiet_until, escalate_after, escalate_known_at, escalation_channel
           FROM organisation WHERE id = ?"#,
        org
    )
    .fetch_one(c)
    .await?
    .try_into()
}

/// Every organisation, by key.
pub async fn all(c: &mut SqliteConnection) -> Result<Vec<Organisation>, Fault> {
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id!", place, name, zone, hour, channel, manager_role, auditor_role, privacy,
                  working_days, holidays, quiet_from, quiet_until, escalate_after, escalate_known_at, escalation_channel
           FROM organisation ORDER BY id"#
    )
    .fetch_all(c)
    .await?
    .into_iter()
    .map(TryInto::try_into)
    .collect()
}

/// Enters an organisation with the settings it begins with.
pub async fn insert(
    w: &mut Write<'_>,
    place: &str,
    name: &str,
    zone: Tz,
    hour: u32,
    at: DateTime<Utc>,
) -> Result<i64, Fault> {
    let (zone, at) = (zone.name(), millis(at));
    // Never the key of one that was erased: a message's mark follows from it.
    let id = sqlx::query!(
        "INSERT INTO organisation (id, place, name, zone, hour, privacy, created_at)
         VALUES (1 + max(coalesce((SELECT max(id) FROM organisation), 0),
                         coalesce((SELECT CAST(digest AS INTEGER) FROM registration WHERE scope = 'erased up to'), 0)),
                 ?, ?, ?, ?, 'open', ?)",
        place, name, zone, hour, at
    )
    .execute(&mut *w.tx)
    .await?
    .last_insert_rowid();
    w.wrote(Table::Organisation, id);
    Ok(id)
}

/// Puts an organisation's settings on record.
pub async fn update(w: &mut Write<'_>, o: &Organisation) -> Result<(), Fault> {
    let zone = o.zone.name();
    let privacy = if o.minimal { "minimal" } else { "open" };
    let Manners { working_days, holidays, quiet, escalation, escalation_channel } = &o.manners;
    let working_days = (!working_days.is_all()).then(|| working_days.id());
    let (quiet_from, quiet_until) = (quiet.map(|q| q.from), quiet.map(|q| q.until));
    let (after, known) = (escalation.map(|e| e.after), escalation.map(|e| millis(e.known_at)));
    sqlx::query!(
        "UPDATE organisation SET zone = ?, hour = ?, channel = ?, manager_role = ?, auditor_role = ?, privacy = ?,
             working_days = ?, holidays = ?, quiet_from = ?, quiet_until = ?, escalate_after = ?, escalate_known_at = ?,
             escalation_channel = ?
         WHERE id = ?",
        zone, o.hour, o.channel, o.manager_role, o.auditor_role, privacy, working_days, holidays, quiet_from, quiet_until,
        after, known, escalation_channel, o.id
    )
    .execute(&mut *w.tx)
    .await?;
    w.wrote(Table::Organisation, o.id);
    Ok(())
}

/// Whether the bot is there, and the name that the place goes by now (not part of the record).
pub async fn set_present(
    w: &mut Write<'_>,
    place: &str,
    present: bool,
    name: Option<&str>,
) -> Result<(), Fault> {
    sqlx::query!(
        "UPDATE organisation SET present = ?, name = coalesce(?, name) WHERE place = ?",
        present,
        name,
        place
    )
    .execute(&mut *w.tx)
    .await?;
    Ok(())
}

/// Whether the bot is at a place, and the name that it goes by; `None` where nothing is on record of it.
pub async fn presence(c: &mut SqliteConnection, place: &str) -> Result<Option<(bool, String)>, Fault> {
    Ok(sqlx::query!("SELECT present, name FROM organisation WHERE place = ?", place)
        .fetch_optional(c)
        .await?
        .map(|r| (r.present == 1, r.name)))
}

/// Puts an organisation at another place. What is the old one's own (channels, roles, the name) goes. Returns it as it is
/// now.
pub async fn relocate(w: &mut Write<'_>, old: &Organisation, place: &str) -> Result<Organisation, Fault> {
    sqlx::query!(
        "UPDATE organisation SET place = ?1, name = ?1, channel = NULL, manager_role = NULL, auditor_role = NULL,
             escalation_channel = NULL, present = 1 WHERE id = ?2",
        place,
        old.id
    )
    .execute(&mut *w.tx)
    .await?;
    w.wrote(Table::Organisation, old.id);
    let placed = sqlx::query_scalar!(
        r#"SELECT id AS "id!" FROM certificate WHERE org_id = ? AND channel IS NOT NULL"#,
        old.id
    )
    .fetch_all(&mut *w.tx)
    .await?;
    for id in placed {
        sqlx::query!("UPDATE certificate SET channel = NULL WHERE org_id = ? AND id = ?", old.id, id)
            .execute(&mut *w.tx)
            .await?;
        w.wrote(Table::Certificate, id);
    }
    let spoken = sqlx::query_scalar!(
        r#"UPDATE own_reminder SET channel = NULL WHERE org_id = ? AND channel IS NOT NULL RETURNING id AS "id!""#,
        old.id
    )
    .fetch_all(&mut *w.tx)
    .await?;
    for id in spoken {
        w.wrote(Table::OwnReminder, id);
    }
    get(w.connection(), old.id).await
}
