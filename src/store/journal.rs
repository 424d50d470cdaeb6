//! The journal: who, when, what and by which door, hash-chained per organisation, in the transaction of the change.
//!
//! Each entry carries the image of every row that the change wrote, as SQLite itself renders it, so that the
//! chain can be checked against the tables ([`super::verify`]).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::{Fault, Write, millis};
use crate::command::Door;
use crate::domain::organisation::Organisation;

/// The row of a journalled table after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// The table.
    pub table: String,
    /// The row's key.
    pub id: i64,
    /// The row, rendered by SQLite as a JSON object.
    pub row: String,
}

/// The head of a chain: how long it is and what it ends in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The number of entries.
    pub seq: i64,
    /// The last entry's hash; for an empty chain, 64 zeros.
    pub hash: String,
}

/// One change, as the journal names it.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// When.
    pub at: DateTime<Utc>,
    /// By which door.
    pub door: Door,
    /// Who, by database key.
    pub actor: i64,
    /// What was done: the command's words (`nc close`).
    pub verb: &'a str,
    /// Why, where a reason was given.
    pub reason: Option<&'a str>,
}

macro_rules! journalled {
    ($($name:ident, $table:literal, $org:literal, $object:literal;)*) => {
        /// The tables whose rows are in the journal.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each is the table of its name")]
        pub enum Table { $($name),* }

        impl Table {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The table's name in the schema.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $table),* }
            }

            pub(crate) fn by_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|t| t.name() == name)
            }

            fn one(self) -> &'static str {
                match self { $(Self::$name => concat!("SELECT json_object(", $object, ") FROM ", $table, " WHERE id = ?")),* }
            }

            pub(crate) fn organisations(self) -> &'static str {
                match self { $(Self::$name => concat!("SELECT ", $org, " FROM ", $table)),* }
            }

            pub(crate) fn all_of_organisation(self) -> &'static str {
                match self {
                    $(Self::$name => concat!(
                        "SELECT id, json_object(", $object, ") FROM ", $table, " WHERE ", $org, " = ? ORDER BY id"
                    )),*
                }
            }
        }
    };
}

journalled! {
    Organisation, "organisation", "id", "'id', id, 'place', place, 'zone', zone, 'hour', hour, 'channel', channel, 'manager_role', manager_role, 'auditor_role', auditor_role, 'privacy', privacy, 'created_at', created_at, 'working_days', working_days, 'holidays', holidays, 'quiet_from', quiet_from, 'quiet_until', quiet_until, 'escalate_after', escalate_after, 'escalate_known_at', escalate_known_at, 'escalation_channel', escalation_channel";
    Person, "person", "org_id", "'id', id, 'org_id', org_id, 'seal', seal";
    Certificate, "certificate", "org_id", "'id', id, 'org_id', org_id, 'no', no, 'standard', standard, 'name', name, 'body', body, 'number', number, 'channel', channel, 'owner_id', owner_id, 'stage2_on', stage2_on, 'entered_at', entered_at, 'stage2_known_at', stage2_known_at, 'plan_days', plan_days, 'major_days', major_days, 'minor_days', minor_days, 'stage1_days', stage1_days, 'scope', scope";
    Cycle, "cycle", "org_id", "'id', id, 'org_id', org_id, 'certificate_id', certificate_id, 'n', n, 'decided_on', decided_on, 'anchor', anchor, 'expires_on', expires_on, 'revision', revision, 'known_at', known_at, 'expires_known_at', expires_known_at";
    Audit, "audit", "org_id", "'id', id, 'org_id', org_id, 'no', no, 'kind', kind, 'starts_on', starts_on, 'ends_on', ends_on, 'scope', scope, 'conclusion', conclusion, 'lead_id', lead_id, 'lead_name', lead_name, 'logged_by', logged_by, 'logged_at', logged_at, 'state', state, 'criteria', criteria, 'dates_known_at', dates_known_at, 'deviation', deviation, 'impartiality', impartiality, 'agreed_by', agreed_by, 'reference', reference";
    AuditCertificate, "audit_certificate", "org_id", "'id', id, 'org_id', org_id, 'audit_id', audit_id, 'certificate_id', certificate_id";
    Nonconformity, "nonconformity", "org_id", "'id', id, 'org_id', org_id, 'no', no, 'certificate_id', certificate_id, 'audit_id', audit_id, 'grade', grade, 'clause', clause, 'statement', statement, 'area', area, 'owner_id', owner_id, 'due_on', due_on, 'due_known_at', due_known_at, 'raised_by', raised_by, 'raised_at', raised_at, 'state', state, 'reference', reference, 'body_grade', body_grade, 'objective', objective, 'verifier_id', verifier_id, 'verify_on', verify_on";
    NcStep, "nc_step", "org_id", "'id', id, 'org_id', org_id, 'nc_id', nc_id, 'n', n, 'by_id', by_id, 'at', at, 'kind', kind, 'words', words, 'owner_id', owner_id, 'due_on', due_on, 'effective', effective";
    File, "file", "org_id", "'id', id, 'org_id', org_id, 'sha256', sha256, 'size', size";
    Evidence, "evidence", "org_id", "'id', id, 'org_id', org_id, 'nc_id', nc_id, 'audit_id', audit_id, 'file_id', file_id, 'name', name, 'media_type', media_type, 'link', link, 'note', note, 'by_id', by_id, 'at', at";
    Area, "area", "org_id", "'id', id, 'org_id', org_id, 'no', no, 'name', name, 'kind', kind, 'owner_id', owner_id, 'added_on', added_on, 'every_months', every_months, 'ended_on', ended_on, 'reference', reference";
    AuditPart, "audit_part", "org_id", "'id', id, 'org_id', org_id, 'audit_id', audit_id, 'person_id', person_id, 'area_id', area_id, 'certificate_id', certificate_id, 'clause', clause, 'sampled', sampled";
    Finding, "finding", "org_id", "'id', id, 'org_id', org_id, 'no', no, 'audit_id', audit_id, 'certificate_id', certificate_id, 'grade', grade, 'clause', clause, 'statement', statement, 'area', area, 'owner_id', owner_id, 'reference', reference, 'raised_by', raised_by, 'raised_at', raised_at, 'state', state, 'settled_why', settled_why, 'settled_by', settled_by, 'settled_at', settled_at";
    Review, "review", "org_id", "'id', id, 'org_id', org_id, 'no', no, 'state', state, 'held_on', held_on, 'decisions', decisions, 'attended', attended, 'by_id', by_id, 'at', at, 'reference', reference";
    ReviewPart, "review_part", "org_id", "'id', id, 'org_id', org_id, 'review_id', review_id, 'certificate_id', certificate_id, 'item', item, 'words', words";
    Action, "action", "org_id", "'id', id, 'org_id', org_id, 'no', no, 'certificate_id', certificate_id, 'nc_id', nc_id, 'finding_id', finding_id, 'review_id', review_id, 'what', what, 'owner_id', owner_id, 'due_on', due_on, 'due_known_at', due_known_at, 'by_id', by_id, 'at', at, 'state', state, 'outcome', outcome, 'settled_by', settled_by, 'settled_at', settled_at, 'reference', reference";
    Record, "record", "org_id", "'id', id, 'org_id', org_id, 'no', no, 'kind', kind, 'certificate_id', certificate_id, 'subject', subject, 'held_on', held_on, 'words', words, 'by_id', by_id, 'at', at, 'voided_why', voided_why";
    RecordPerson, "record_person", "org_id", "'id', id, 'org_id', org_id, 'record_id', record_id, 'person_id', person_id, 'present', present";
    Answer, "answer", "org_id", "'id', id, 'org_id', org_id, 'subject', subject, 'about_on', about_on, 'kind', kind, 'until_on', until_on, 'asked', asked, 'words', words, 'by_id', by_id, 'at', at";
    OwnReminder, "own_reminder", "org_id", "'id', id, 'org_id', org_id, 'no', no, 'cron', cron, 'words', words, 'channel', channel, 'asks_id', asks_id, 'by_id', by_id, 'at', at, 'ended_at', ended_at";
}

/// Columns that later migrations added, with what rows of before hold in them: an image of before does not name them.
const ADDED: &[(Table, &str, Option<&str>)] = &[
    (Table::Certificate, "plan_days", None),
    (Table::Certificate, "major_days", None),
    (Table::Certificate, "minor_days", None),
    (Table::Certificate, "stage1_days", None),
    (Table::Certificate, "scope", None),
    (Table::Audit, "state", Some("reported")),
    (Table::Audit, "criteria", None),
    (Table::Audit, "dates_known_at", None),
    (Table::Audit, "deviation", None),
    (Table::Audit, "impartiality", None),
    (Table::Audit, "agreed_by", None),
    (Table::Audit, "reference", None),
    (Table::Nonconformity, "reference", None),
    (Table::Nonconformity, "body_grade", None),
    (Table::Nonconformity, "objective", None),
    (Table::Nonconformity, "verifier_id", None),
    (Table::Nonconformity, "verify_on", None),
    (Table::Organisation, "working_days", None),
    (Table::Organisation, "holidays", None),
    (Table::Organisation, "quiet_from", None),
    (Table::Organisation, "quiet_until", None),
    (Table::Organisation, "escalate_after", None),
    (Table::Organisation, "escalate_known_at", None),
    (Table::Organisation, "escalation_channel", None),
];

/// The columns in which a row is not what its image says: none where it still is that row. A column that a later
/// migration added holds in a row of before what the migration gave it.
pub(crate) fn altered(table: Table, image: &str, row: &str) -> Vec<String> {
    type Columns = serde_json::Map<String, serde_json::Value>;
    if image == row {
        return Vec::new();
    }
    let (Ok(was), Ok(is)) = (serde_json::from_str::<Columns>(image), serde_json::from_str::<Columns>(row))
    else {
        return vec!["contents".to_owned()];
    };
    let given = |column: &str| {
        ADDED
            .iter()
            .find(|(t, c, _)| *t == table && *c == column)
            .map(|(_, _, holds)| holds.map_or(serde_json::Value::Null, Into::into))
    };
    let gone = was.keys().filter(|k| !is.contains_key(*k));
    is.iter()
        .filter(|(column, holds)| was.get(*column).or(given(column).as_ref()) != Some(holds))
        .map(|(column, _)| column)
        .chain(gone)
        .cloned()
        .collect()
}

/// What the hash of an entry covers, in this order and form (a JSON array, whose quoting keeps parts apart).
#[derive(Serialize)]
struct Covered<'a>(&'a str, &'a str, i64, i64, &'a str, i64, &'a str, Option<&'a str>, &'a str);

/// The hash of an entry: SHA-256 over the previous hash, the organisation's place and everything in the entry.
#[expect(clippy::too_many_arguments, reason = "the parts of an entry, each covered")]
pub(crate) fn hash(
    previous: &str,
    place: &str,
    seq: i64,
    at: i64,
    door: &str,
    actor: i64,
    verb: &str,
    reason: Option<&str>,
    images: &str,
) -> Result<String, Fault> {
    let bytes = serde_json::to_vec(&Covered(previous, place, seq, at, door, actor, verb, reason, images))?;
    Ok(hex(&Sha256::digest(bytes)))
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(bytes.len() * 2);
    for b in bytes {
        // Writing to a String cannot fail.
        if write!(out, "{b:02x}").is_err() {
            break;
        }
    }
    out
}

/// The hash before the first entry.
pub(crate) const NONE: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The door's name as it is kept.
pub(crate) fn door_name(door: Door) -> &'static str {
    match door {
        Door::Discord => "discord",
        Door::Console => "console",
        Door::Shell => "shell",
    }
}

/// The head of an organisation's chain.
pub async fn head(c: &mut SqliteConnection, org: i64) -> Result<Head, Fault> {
    let last = sqlx::query!("SELECT seq, hash FROM journal WHERE org_id = ? ORDER BY seq DESC LIMIT 1", org)
        .fetch_optional(c)
        .await?;
    Ok(last.map_or_else(|| Head { seq: 0, hash: NONE.to_owned() }, |r| Head { seq: r.seq, hash: r.hash }))
}

impl Write<'_> {
    /// Takes down that a row was written; [`Write::journal`] then puts its image into the entry.
    pub(crate) fn wrote(&mut self, table: Table, id: i64) {
        if !self.written.contains(&(table, id)) {
            self.written.push((table, id));
        }
    }

    /// Appends the entry for all that was written, to the chain that ends in `last`; has the notifier look at the
    /// organisation again. Nothing written, no entry.
    pub async fn journal(
        &mut self,
        organisation: &Organisation,
        last: &Head,
        entry: Entry<'_>,
    ) -> Result<(), Fault> {
        let written = std::mem::take(&mut self.written);
        if written.is_empty() {
            return Ok(());
        }
        let all = written.iter().map(|(table, _)| table.one()).collect::<Vec<_>>().join(" UNION ALL ");
        let mut query = sqlx::query_scalar::<_, String>(AssertSqlSafe(all));
        for (_, id) in &written {
            query = query.bind(id);
        }
        let rows = query.fetch_all(&mut *self.tx).await?;
        let images: Vec<Image> = written
            .iter()
            .zip(rows)
            .map(|((table, id), row)| Image { table: table.name().to_owned(), id: *id, row })
            .collect();
        let images = serde_json::to_string(&images)?;
        let org = organisation.id;
        let (seq, at, door) = (last.seq + 1, millis(entry.at), door_name(entry.door));
        let hash = hash(
            &last.hash,
            &organisation.place,
            seq,
            at,
            door,
            entry.actor,
            entry.verb,
            entry.reason,
            &images,
        )?;
        sqlx::query(
            "INSERT INTO journal (org_id, seq, at, door, actor_id, verb, reason, images, previous, hash)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
             UPDATE organisation SET next_due_at = 0 WHERE id = ?",
        )
        .bind(org)
        .bind(seq)
        .bind(at)
        .bind(door)
        .bind(entry.actor)
        .bind(entry.verb)
        .bind(entry.reason)
        .bind(images)
        .bind(&last.hash)
        .bind(hash)
        .bind(org)
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }
}

/// An entry as `certificate show` and the like tell it.
#[derive(Debug, Clone)]
pub struct Told {
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: String,
    /// What.
    pub verb: String,
    /// Why.
    pub reason: Option<String>,
    /// Which way.
    pub door: String,
}

/// The latest entries that touched a row, or one that belongs to it (a certificate's cycles), newest first.
pub async fn touching(
    c: &mut SqliteConnection,
    org: i64,
    table: Table,
    id: i64,
    most: i64,
) -> Result<Vec<Told>, Fault> {
    let name = table.name();
    let rows = sqlx::query!(
        r#"SELECT j.at, p.name AS actor, j.verb, j.reason, j.door
           FROM journal j JOIN person p ON p.id = j.actor_id
           WHERE j.org_id = ?1 AND EXISTS (
               SELECT 1 FROM json_each(j.images) e
               WHERE (e.value ->> 'table' = ?2 AND e.value ->> 'id' = ?3)
                  OR (?2 = 'certificate' AND e.value ->> 'table' = 'cycle'
                      AND e.value ->> 'row' ->> 'certificate_id' = ?3))
           ORDER BY j.seq DESC LIMIT ?4"#,
        org,
        name,
        id,
        most
    )
    .fetch_all(c)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Told {
            at: super::instant(r.at),
            actor: r.actor,
            verb: r.verb,
            reason: r.reason,
            door: r.door,
        })
        .collect())
}
