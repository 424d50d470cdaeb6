//! The outbox: what is to be said, what is being said, what was said; and every try.

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::SqliteConnection;

use super::{Fault, Store, Write, instant, iso, millis};
use crate::chat::Ask;
use crate::notify::due::{Occurrence, Said};
use crate::say::card::Card;

/// Under what the rules are remembered by which was planned last.
const RULES: &str = "planned by";

/// What became of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// To be said.
    Pending,
    /// In a post whose outcome is not known yet.
    Posting,
    /// Said.
    Sent,
    /// A later one about the same thing was said in its place.
    Superseded,
    /// No longer true when its turn came.
    Withdrawn,
    /// Cannot be said until a person changes something.
    Parked,
}

impl State {
    fn id(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Posting => "posting",
            Self::Sent => "sent",
            Self::Superseded => "superseded",
            Self::Withdrawn => "withdrawn",
            Self::Parked => "parked",
        }
    }
}

/// A notice not yet settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsettled {
    /// Database key.
    pub id: i64,
    /// What it says.
    pub key: String,
    /// Whether it is parked (else pending).
    pub parked: bool,
}

/// Puts a notice into the outbox, unless its key is there already; what was withdrawn is true again. Returns whether it
/// was new.
pub async fn plan(
    w: &mut Write<'_>,
    org: i64,
    key: &str,
    kind: &str,
    due_on: NaiveDate,
    due_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool, Fault> {
    let (due_on, due_at, now) = (iso(due_on), millis(due_at), millis(now));
    Ok(sqlx::query!(
        "INSERT INTO notice (org_id, key, kind, due_on, due_at, state, planned_at)
         VALUES (?, ?, ?, ?, ?, 'pending', ?) ON CONFLICT (org_id, key) DO UPDATE
         SET state = 'pending', why = NULL, settled_at = NULL, post_id = NULL, due_on = excluded.due_on,
             due_at = excluded.due_at, planned_at = excluded.planned_at
         WHERE state = 'withdrawn'",
        org,
        key,
        kind,
        due_on,
        due_at,
        now
    )
    .execute(&mut *w.tx)
    .await?
    .rows_affected()
        == 1)
}

/// Puts a notice into the outbox as one that is not said, and why; one that is there stays as it is, unless it was
/// withdrawn.
pub async fn pass_over(
    w: &mut Write<'_>,
    org: i64,
    o: &Occurrence,
    why: &str,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let (kind, due_on, due_at, now) = (o.kind.id(), iso(o.due_on), millis(o.due_at), millis(now));
    sqlx::query!(
        "INSERT INTO notice (org_id, key, kind, due_on, due_at, state, why, planned_at, settled_at)
         VALUES (?1, ?2, ?3, ?4, ?5, 'superseded', ?6, ?7, ?7) ON CONFLICT (org_id, key) DO UPDATE
         SET state = 'superseded', why = excluded.why, settled_at = excluded.settled_at WHERE state = 'withdrawn'",
        org,
        o.key,
        kind,
        due_on,
        due_at,
        why,
        now
    )
    .execute(&mut *w.tx)
    .await?;
    Ok(())
}

/// What the outbox remembers of an organisation.
#[derive(Debug, Default)]
pub struct Log {
    /// What was said, by key.
    pub said: Said,
    /// The keys of what was planned and is not said, but for what was withdrawn.
    rest: HashSet<String>,
}

impl Log {
    /// Whether a key is in the outbox and was not withdrawn.
    pub fn is_known(&self, key: &str) -> bool {
        self.said.contains_key(key) || self.rest.contains(key)
    }
}

/// The keys in the outbox, with when they were said and whom they asked.
pub async fn log(c: &mut SqliteConnection, org: i64) -> Result<Log, Fault> {
    let mut log = Log::default();
    // From when it was claimed: whoever reads it may answer before it is settled.
    let rows = sqlx::query!(
        r#"SELECT n.key, n.state, coalesce(p.claimed_at, n.settled_at) AS "at?: i64", n.asked
           FROM notice n LEFT JOIN post p ON p.id = n.post_id WHERE n.org_id = ? AND n.state <> 'withdrawn'"#,
        org
    );
    for row in rows.fetch_all(c).await? {
        match row.at.filter(|_| row.state == State::Sent.id()) {
            Some(at) => drop(log.said.insert(row.key, (instant(at), row.asked))),
            None => drop(log.rest.insert(row.key)),
        }
    }
    Ok(log)
}

/// What became of a notice, for whoever asks why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What it says.
    pub key: String,
    /// The day for which it was meant.
    pub due_on: NaiveDate,
    /// What became of it (`sent`, `superseded`, ...).
    pub state: String,
    /// Why.
    pub why: Option<String>,
    /// When that was.
    pub at: Option<DateTime<Utc>>,
    /// The channel that it was posted in, or is parked for.
    pub channel: Option<String>,
}

/// The latest notices of a subject: those whose key begins with it.
pub async fn told(c: &mut SqliteConnection, org: i64, subject: &str, most: i64) -> Result<Vec<Told>, Fault> {
    let begins = format!("{subject}/");
    let rows = sqlx::query!(
        r#"SELECT n.id AS "id!", n.key, n.due_on, n.state, n.why, n.settled_at, p.channel AS "channel?: String"
           FROM notice n LEFT JOIN post p ON p.id = n.post_id
           WHERE n.org_id = ?1 AND substr(n.key, 1, length(?2)) = ?2 ORDER BY n.due_at DESC, n.id DESC LIMIT ?3"#,
        org,
        begins,
        most
    )
    .fetch_all(c)
    .await?;
    rows.into_iter()
        .map(|r| {
            Ok(Told {
                due_on: super::day("notice", r.id, "due_on", &r.due_on)?,
                key: r.key,
                state: r.state,
                why: r.why,
                at: r.settled_at.map(instant),
                channel: r.channel,
            })
        })
        .collect()
}

/// The keys that a message carries, by the mark in its footer.
pub async fn keys_of(c: &mut SqliteConnection, org: i64, reference: &str) -> Result<Vec<String>, Fault> {
    Ok(sqlx::query_scalar!(
        "SELECT n.key FROM notice n JOIN post p ON p.id = n.post_id WHERE n.org_id = ? AND p.reference = ? ORDER BY n.id",
        org,
        reference
    )
    .fetch_all(c)
    .await?)
}

/// The notices that are still to be said, in the order in which they fell due.
pub async fn unsettled(c: &mut SqliteConnection, org: i64) -> Result<Vec<Unsettled>, Fault> {
    Ok(sqlx::query!(
        r#"SELECT id AS "id!", key, state FROM notice
           WHERE org_id = ? AND state IN ('pending', 'parked') ORDER BY due_at, id"#,
        org
    )
    .fetch_all(c)
    .await?
    .into_iter()
    .map(|r| Unsettled { id: r.id, key: r.key, parked: r.state == "parked" })
    .collect())
}

/// Sets what became of a notice.
pub async fn settle(
    w: &mut Write<'_>,
    org: i64,
    notice: i64,
    state: State,
    why: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let (state, now) = (state.id(), millis(now));
    sqlx::query!(
        "UPDATE notice SET state = ?, why = ?, settled_at = ? WHERE org_id = ? AND id = ?",
        state,
        why,
        now,
        org,
        notice
    )
    .execute(&mut *w.tx)
    .await?;
    Ok(())
}

/// Sets that a notice was said before the file was restored: when, and whom it asked. What follows from it is to be
/// planned.
pub async fn said_before(
    w: &mut Write<'_>,
    org: i64,
    notice: i64,
    asked: Option<&str>,
    why: &str,
    at: DateTime<Utc>,
) -> Result<(), Fault> {
    let at = millis(at);
    sqlx::query!(
        "UPDATE notice SET state = 'sent', asked = ?, why = ?, settled_at = ? WHERE org_id = ? AND id = ?",
        asked,
        why,
        at,
        org,
        notice
    )
    .execute(&mut *w.tx)
    .await?;
    sqlx::query!("UPDATE organisation SET next_due_at = 0 WHERE id = ?", org).execute(&mut *w.tx).await?;
    Ok(())
}

/// A message that carries one or more notices, claimed for posting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Database key.
    pub id: i64,
    /// The organisation.
    pub org: i64,
    /// The channel, by the chat's id.
    pub channel: String,
    /// Discord's nonce: the same for every try.
    pub nonce: String,
    /// The mark by which it can be found in the channel.
    pub reference: String,
    /// What it says.
    pub card: Card,
    /// Whom it asks.
    pub ask: Vec<Ask>,
    /// When it was claimed.
    pub claimed_at: DateTime<Utc>,
}

/// Claims notices for a message: from here on its outcome must be settled before anything else is said of them.
///
/// `notices`: their keys in the outbox, each with whom it asks.
pub async fn claim(w: &mut Write<'_>, post: Post, notices: &[(i64, Option<String>)]) -> Result<Post, Fault> {
    let (card, ask) = (serde_json::to_string(&post.card)?, serde_json::to_string(&post.ask)?);
    let at = millis(post.claimed_at);
    let id = sqlx::query!(
        "INSERT INTO post (org_id, channel, nonce, reference, card, ask, state, claimed_at)
         VALUES (?, ?, ?, ?, ?, ?, 'claimed', ?)",
        post.org,
        post.channel,
        post.nonce,
        post.reference,
        card,
        ask,
        at
    )
    .execute(&mut *w.tx)
    .await?
    .last_insert_rowid();
    for (notice, asked) in notices {
        sqlx::query!(
            "UPDATE notice SET state = 'posting', post_id = ?, asked = ?, why = NULL WHERE org_id = ? AND id = ?",
            id,
            asked,
            post.org,
            notice
        )
        .execute(&mut *w.tx)
        .await?;
    }
    Ok(Post { id, ..post })
}

/// The posts whose outcome is not known, oldest first.
pub async fn claimed(c: &mut SqliteConnection) -> Result<Vec<Post>, Fault> {
    sqlx::query!(
        r#"SELECT p.id AS "id!", p.org_id, p.channel, p.nonce, p.reference, p.card, p.ask, p.claimed_at
           FROM post p JOIN organisation o ON o.id = p.org_id
           WHERE p.state = 'claimed' AND o.present = 1 ORDER BY p.id"#
    )
    .fetch_all(c)
    .await?
    .into_iter()
    .map(|r| {
        Ok(Post {
            id: r.id,
            org: r.org_id,
            channel: r.channel,
            nonce: r.nonce,
            reference: r.reference,
            card: serde_json::from_str(&r.card)?,
            ask: serde_json::from_str(&r.ask)?,
            claimed_at: instant(r.claimed_at),
        })
    })
    .collect()
}

/// What a try came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The chat took it.
    Sent,
    /// It was found in the channel: an earlier try had been taken.
    Found,
    /// It is certain that it was not posted.
    NotSent,
    /// Not known.
    Unknown,
    /// The channel does not take it until a person changes something.
    Refused,
    /// The chat refused us altogether.
    Stopped,
}

impl Outcome {
    /// How it is kept and counted.
    pub fn id(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Found => "found",
            Self::NotSent => "not-sent",
            Self::Unknown => "unknown",
            Self::Refused => "refused",
            Self::Stopped => "stopped",
        }
    }
}

/// Takes down a try and what follows from it for the post and its notices.
pub async fn tried(
    w: &mut Write<'_>,
    post: &Post,
    outcome: Outcome,
    message: Option<&str>,
    why: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let (id, at) = (outcome.id(), millis(now));
    sqlx::query!("INSERT INTO attempt (post_id, at, outcome, why) VALUES (?, ?, ?, ?)", post.id, at, id, why)
        .execute(&mut *w.tx)
        .await?;
    let (post_state, notice_state) = match outcome {
        Outcome::Sent | Outcome::Found => ("sent", "sent"),
        // Nothing of it stands in the channel: its notices are free to be put together anew.
        Outcome::NotSent | Outcome::Stopped => ("dissolved", "pending"),
        Outcome::Refused => ("parked", "parked"),
        Outcome::Unknown => return Ok(()),
    };
    sqlx::query!(
        "UPDATE post SET state = ?, settled_at = ?, message = ? WHERE id = ?",
        post_state,
        at,
        message,
        post.id
    )
    .execute(&mut *w.tx)
    .await?;
    sqlx::query!(
        "UPDATE notice SET state = ?1, why = ?2, settled_at = ?3, post_id = CASE WHEN ?1 = 'pending' THEN NULL ELSE post_id END
         WHERE post_id = ?4",
        notice_state, why, at, post.id
    )
    .execute(&mut *w.tx)
    .await?;
    // What follows is to be planned: what is to be said of a refusal elsewhere, and when what was said goes up.
    let refused = outcome == Outcome::Refused;
    sqlx::query!(
        "UPDATE organisation SET next_due_at = 0 WHERE id = ?1 AND (?2 OR escalate_after IS NOT NULL)",
        post.org,
        refused
    )
    .execute(&mut *w.tx)
    .await?;
    Ok(())
}

/// A channel that does not take posts, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// The channel, by the chat's id.
    pub channel: String,
    /// Why, in words.
    pub why: String,
    /// How many notices wait for it.
    pub notices: i64,
}

/// The channels of an organisation that do not take posts.
pub async fn parked(c: &mut SqliteConnection, org: i64) -> Result<Vec<Parked>, Fault> {
    Ok(sqlx::query_as!(
        Parked,
        r#"SELECT p.channel, coalesce(n.why, '') AS "why!: String", count(*) AS "notices!: i64"
           FROM notice n JOIN post p ON p.id = n.post_id
           WHERE n.org_id = ? AND n.state = 'parked' GROUP BY p.channel ORDER BY p.channel"#,
        org
    )
    .fetch_all(c)
    .await?)
}

/// A channel that refused, with what waits for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The channel, by the chat's id.
    pub channel: String,
    /// The first post that it refused, of those that wait.
    pub post: i64,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Why, in words.
    pub why: String,
    /// How many reminders wait for it.
    pub waiting: i64,
}

/// The channels that refused what waits for them; what was to be said of such channels does not count as waiting.
pub async fn refused(c: &mut SqliteConnection, org: i64) -> Result<Vec<Refused>, Fault> {
    Ok(sqlx::query!(
        r#"SELECT p.channel AS "channel!: String", min(p.id) AS "post!: i64", min(coalesce(p.settled_at, p.claimed_at)) AS "since!: i64",
                  min(coalesce(n.why, '')) AS "why!: String", count(*) AS "waiting!: i64"
           FROM notice n JOIN post p ON p.id = n.post_id
           WHERE n.org_id = ? AND n.state = 'parked' GROUP BY p.channel ORDER BY p.channel"#,
        org
    )
    .fetch_all(c)
    .await?
    .into_iter()
    .map(|r| Refused {
        channel: r.channel,
        post: r.post,
        since: instant(r.since),
        why: r.why,
        waiting: r.waiting,
    })
    .collect())
}

/// Frees the parked notices of an organisation, to be tried again where they go by now.
pub async fn unpark(w: &mut Write<'_>, org: i64) -> Result<(), Fault> {
    let still_used = sqlx::query_scalar!(
        "SELECT DISTINCT p.channel FROM notice n JOIN post p ON p.id = n.post_id
         WHERE n.org_id = ?1 AND n.state = 'parked' AND p.channel IN (
             SELECT channel FROM organisation WHERE id = ?1 UNION SELECT escalation_channel FROM organisation WHERE id = ?1
             UNION SELECT channel FROM certificate WHERE org_id = ?1
             UNION SELECT channel FROM own_reminder WHERE org_id = ?1 AND ended_at IS NULL)",
        org
    )
    .fetch_all(&mut *w.tx)
    .await?;
    for channel in still_used {
        unpark_channel(w, org, &channel).await?;
    }
    sqlx::query!(
        "UPDATE notice SET state = 'pending', post_id = NULL WHERE org_id = ? AND state = 'parked'",
        org
    )
    .execute(&mut *w.tx)
    .await?;
    Ok(())
}

/// The channels anywhere that do not take posts, with their organisations.
pub async fn parked_anywhere(c: &mut SqliteConnection) -> Result<Vec<(i64, String)>, Fault> {
    Ok(sqlx::query!(
        r#"SELECT DISTINCT n.org_id, p.channel FROM notice n
           JOIN post p ON p.id = n.post_id JOIN organisation o ON o.id = n.org_id
           WHERE n.state = 'parked' AND o.present = 1"#
    )
    .fetch_all(c)
    .await?
    .into_iter()
    .map(|r| (r.org_id, r.channel))
    .collect())
}

/// Frees the notices that are parked for one channel, to be tried there again. A message of which an earlier try may
/// have been posted is claimed again as it is: it is looked for before anything is said.
pub async fn unpark_channel(w: &mut Write<'_>, org: i64, channel: &str) -> Result<(), Fault> {
    sqlx::query!(
        "UPDATE post SET state = 'claimed' WHERE org_id = ?1 AND channel = ?2 AND state = 'parked'
             AND EXISTS (SELECT 1 FROM attempt WHERE post_id = post.id AND outcome = 'unknown')",
        org,
        channel
    )
    .execute(&mut *w.tx)
    .await?;
    sqlx::query!(
        "UPDATE notice SET state = 'posting' WHERE org_id = ?1 AND state = 'parked'
             AND post_id IN (SELECT id FROM post WHERE org_id = ?1 AND channel = ?2 AND state = 'claimed')",
        org,
        channel
    )
    .execute(&mut *w.tx)
    .await?;
    sqlx::query!(
        "UPDATE notice SET state = 'pending', post_id = NULL WHERE org_id = ?1 AND state = 'parked'
             AND post_id IN (SELECT id FROM post WHERE org_id = ?1 AND channel = ?2)",
        org,
        channel
    )
    .execute(&mut *w.tx)
    .await?;
    Ok(())
}

/// Sets when something is due next for an organisation.
pub async fn set_next_due(w: &mut Write<'_>, org: i64, at: Option<DateTime<Utc>>) -> Result<(), Fault> {
    let at = at.map(millis);
    sqlx::query!("UPDATE organisation SET next_due_at = ? WHERE id = ?", at, org).execute(&mut *w.tx).await?;
    Ok(())
}

/// Has everything planned anew, unless it was planned by the same rules before: another release, other time zones, other
/// standards, programmes or holidays may make something due earlier.
pub async fn plan_anew_unless(store: &Store, rules: &str) -> Result<(), Fault> {
    if store.registered(RULES).await?.as_deref() == Some(rules) {
        return Ok(());
    }
    let mut w = store.write().await?;
    sqlx::query!("UPDATE organisation SET next_due_at = 0").execute(&mut *w.tx).await?;
    w.commit().await?;
    store.set_registered(RULES, rules).await
}

/// The organisations with something to say: due by now, or still pending.
pub async fn busy(c: &mut SqliteConnection, now: DateTime<Utc>) -> Result<Vec<i64>, Fault> {
    let now = millis(now);
    Ok(sqlx::query_scalar!(
        r#"SELECT id AS "id!" FROM organisation WHERE present = 1 AND next_due_at <= ?
           UNION SELECT n.org_id FROM notice n JOIN organisation o ON o.id = n.org_id
           WHERE n.state = 'pending' AND o.present = 1"#,
        now
    )
    .fetch_all(c)
    .await?)
}

/// When something is due next anywhere.
pub async fn next_due(c: &mut SqliteConnection) -> Result<Option<DateTime<Utc>>, Fault> {
    Ok(sqlx::query_scalar!(
        r#"SELECT min(next_due_at) AS "at?: i64" FROM organisation WHERE present = 1 AND next_due_at IS NOT NULL"#
    )
    .fetch_one(c)
    .await?
    .map(instant))
}

/// How much is still to be said where the bot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// How many notices are due and not posted.
    pub pending: i64,
    /// How many wait until somebody changes something.
    pub parked: i64,
    /// When the oldest of those that are due and not posted was due.
    pub oldest: Option<DateTime<Utc>>,
}

/// How much is still to be said, of all organisations together.
pub async fn standing(c: &mut SqliteConnection) -> Result<Standing, Fault> {
    let row = sqlx::query!(
        r#"SELECT count(*) FILTER (WHERE n.state <> 'parked') AS "pending!: i64",
                  count(*) FILTER (WHERE n.state = 'parked') AS "parked!: i64",
                  min(n.due_at) FILTER (WHERE n.state <> 'parked') AS "oldest?: i64"
           FROM notice n JOIN organisation o ON o.id = n.org_id
           WHERE o.present = 1 AND n.state IN ('pending', 'posting', 'parked')"#
    )
    .fetch_one(c)
    .await?;
    Ok(Standing { pending: row.pending, parked: row.parked, oldest: row.oldest.map(instant) })
}

/// When what a message carries was due.
pub async fn carried(c: &mut SqliteConnection, post: i64) -> Result<Vec<DateTime<Utc>>, Fault> {
    let due = sqlx::query_scalar!("SELECT due_at FROM notice WHERE post_id = ?", post).fetch_all(c).await?;
    Ok(due.into_iter().map(instant).collect())
}

/// Frees everything that is bound to a message without having surely been said, to be said where the organisation is by
/// now: there, nobody has read it.
pub async fn free(w: &mut Write<'_>, org: i64, now: DateTime<Utc>) -> Result<(), Fault> {
    let now = millis(now);
    sqlx::query!(
        "UPDATE post SET state = 'dissolved', settled_at = ? WHERE org_id = ? AND state IN ('claimed', 'parked')",
        now,
        org
    )
    .execute(&mut *w.tx)
    .await?;
    sqlx::query!(
        "UPDATE notice SET state = 'pending', post_id = NULL WHERE org_id = ? AND state IN ('posting', 'parked')",
        org
    )
    .execute(&mut *w.tx)
    .await?;
    Ok(())
}
