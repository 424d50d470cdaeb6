//! Delivery: claim, post, settle.
//!
//! A message is claimed in the database before it is posted, and posted outside of any transaction. While its
//! outcome is not known nothing else is said of its notices: the same message is tried again with the same nonce
//! (Discord then returns the first one), or looked for in the channel by its reference. Waiting times are
//! monotonic and kept in memory: a clock that jumps changes none of them.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use sha2::{Digest as _, Sha256};
use tokio::sync::OnceCell;
use tracing::Instrument as _;

use super::due::{Kind, Occurrence, To};
use super::plan::{self, Outbox};
use crate::chat::{Ask, CannotTell, Looked, Outgoing, Own, Post, Posted};
use crate::clock::{Clock, jitter};
use crate::command::App;
use crate::domain::organisation::Organisation;
use crate::fault;
use crate::say::card::Card;
use crate::say::notice::{self, Words};
use crate::store::notices::{self, Outcome};
use crate::store::{self, Fault, Restored, Write};

/// How the mark of a message begins that carries one notice,
const ONE: &str = "ck-";
/// that carries everything that was late in its channel,
const DIGEST: &str = "ckd-";
/// and that carries everything there was to say there, but for phases that began on time.
const EVERYTHING: &str = "cka-";
/// How many messages a channel gets at once; more would be a flood.
const AT_ONCE: usize = 3;
/// How long Discord surely still knows a nonce ("the past few minutes").
const NONCE_KNOWN: Duration = Duration::from_secs(100);
/// How often channels that refused are asked whether they take messages again.
const ASK_PARKED: Duration = Duration::from_hours(8);
/// Not more often than this, whatever changes.
const ASK_AT_MOST: Duration = Duration::from_secs(5);
/// How long looking for roles may hold up what is due; the rest are looked for when they are mentioned.
const ROLES_AT_MOST: Duration = Duration::from_secs(5);
/// Waits between tries of one channel, give or take a fifth; the last is repeated. However long it could not be
/// reached, what waits for it is posted ten minutes after it can.
const BACK_OFF: [u64; 5] = [1, 5, 30, 120, 600];

/// Delivers notices through one chat.
#[derive(Debug)]
pub struct Deliverer<P> {
    app: App,
    post: P,
    late_after: TimeDelta,
    /// Channels that are waiting: until when, and after how many failures.
    waiting: HashMap<String, (Instant, usize)>,
    /// Posts tried in this process: when first, by the monotonic clock.
    tried: HashMap<i64, Instant>,
    /// Whether the file was restored from a backup, once that was asked.
    restored: OnceCell<Option<Restored>>,
    /// What was said in a channel since the backup was taken; `None` where that cannot be told.
    said: HashMap<String, Option<Vec<Own>>>,
    /// When the parked channels were looked at last.
    asked: Option<(Instant, DateTime<Utc>)>,
    /// Whether permissions have changed since.
    permissions_changed: bool,
    /// How long the try took that is about to be settled.
    took: Option<Duration>,
}

/// What a round of delivery came to.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Round {
    /// Messages that now stand in their channels.
    pub sent: usize,
    /// When to come back, if something waits.
    pub again: Option<Duration>,
    /// The chat refuses us altogether: why.
    pub stopped: Option<String>,
}

impl<P: Post> Deliverer<P> {
    /// A deliverer; a notice posted more than `late_after` after it was due is marked as late.
    pub fn new(app: App, post: P, late_after: TimeDelta) -> Self {
        Self {
            app,
            post,
            late_after,
            waiting: HashMap::new(),
            tried: HashMap::new(),
            restored: OnceCell::new(),
            said: HashMap::new(),
            asked: None,
            permissions_changed: false,
            took: None,
        }
    }

    /// Plans and posts everything that is due by now.
    pub async fn round(&mut self, clock: &dyn Clock) -> Result<Round, Fault> {
        let mut round = Round::default();
        let began = Instant::now();
        let ask_again = self.free_parked(clock).await?;
        self.settle_claimed(clock, &mut round).await?;
        if round.stopped.is_none() {
            let orgs = {
                let mut c = self.app.store().read().await?;
                notices::busy(&mut c, clock.now()).await?
            };
            for org in orgs {
                self.organisation(org, clock, &mut round).await?;
                if round.stopped.is_some() {
                    break;
                }
            }
        }
        // A wait that was over when the round began is served; it stands only to count the failures.
        let now = Instant::now();
        round.again = self
            .waiting
            .values()
            .filter(|(until, _)| *until > began)
            .map(|(until, _)| until.saturating_duration_since(now))
            .chain(ask_again)
            .min();
        Ok(round)
    }

    /// Frees what is parked for channels that take messages again: looked at when the chat says that permissions
    /// changed, at the start, and a few times a day. Returns when to come back, if it is too soon.
    async fn free_parked(&mut self, clock: &dyn Clock) -> Result<Option<Duration>, Fault> {
        let now = clock.now();
        self.permissions_changed |= self.app.take_permissions_changed();
        if let Some((at, shown)) = self.asked {
            let passed = at.elapsed().max((now - shown).abs().to_std().unwrap_or_default());
            if passed < ASK_PARKED && !self.permissions_changed {
                return Ok(None);
            }
            if at.elapsed() < ASK_AT_MOST {
                return Ok(Some(ASK_AT_MOST.saturating_sub(at.elapsed())));
            }
        }
        self.asked = Some((Instant::now(), now));
        self.permissions_changed = false;
        self.look_for_roles().await?;
        let parked = notices::parked_anywhere(&mut *self.app.store().read().await?).await?;
        for (org, channel) in parked {
            if self.post.open(&channel).await {
                let mut w = self.app.store().write().await?;
                notices::unpark_channel(&mut w, org, &channel).await?;
                w.commit().await?;
                tracing::info!(channel, "takes messages again");
            }
        }
        Ok(None)
    }

    /// Looks whether the roles that organisations name are still there; `/status` says which are not.
    async fn look_for_roles(&self) -> Result<(), Fault> {
        let orgs = store::organisation::all(&mut *self.app.store().read().await?).await?;
        let began = Instant::now();
        for org in orgs {
            if began.elapsed() > ROLES_AT_MOST {
                break;
            }
            let roles: Vec<Ask> = org
                .manager_role
                .iter()
                .chain(&org.auditor_role)
                .map(|role| Ask::Role(role.clone()))
                .collect();
            let there =
                store::organisation::presence(&mut *self.app.store().read().await?, &org.place).await?;
            if !roles.is_empty() && there.is_some_and(|(present, _)| present) {
                let gone = self.post.gone(&org.place, &roles).await;
                self.app.set_roles_gone(&org.place, gone);
            }
        }
        Ok(())
    }

    fn waits(&self, channel: &str) -> bool {
        self.waiting.get(channel).is_some_and(|(until, _)| Instant::now() < *until)
    }

    fn back_off(&mut self, channel: &str, least: Option<Duration>) {
        let failures = self.waiting.get(channel).map_or(0, |(_, n)| *n);
        let step = BACK_OFF.get(failures).or(BACK_OFF.last()).copied().unwrap_or(60);
        let wait = least.unwrap_or_else(|| jitter(Duration::from_secs(step)));
        self.waiting.insert(channel.to_owned(), (Instant::now() + wait, failures + 1));
    }

    /// Settles what an earlier try (perhaps of an earlier process) left open.
    async fn settle_claimed(&mut self, clock: &dyn Clock, round: &mut Round) -> Result<(), Fault> {
        let claimed = {
            let mut c = self.app.store().read().await?;
            notices::claimed(&mut c).await?
        };
        for post in claimed {
            if self.waits(&post.channel) || round.stopped.is_some() {
                continue;
            }
            // An earlier try may be followed by another one: that waits for the end of the quiet as well.
            if self.quiet(post.org, clock.now()).await? {
                continue;
            }
            let fresh = self.tried.get(&post.id).is_some_and(|first| first.elapsed() < NONCE_KNOWN);
            let mut post = post;
            // Within the nonce's time an earlier try may stand in the channel: only a message id settles it.
            let mut open = fresh;
            if !fresh {
                let span = span(&post);
                match self
                    .post
                    .look(&post.channel, &post.reference, post.claimed_at - TimeDelta::minutes(5))
                    .instrument(span.clone())
                    .await
                {
                    Looked::Found { message } => {
                        self.settle(&post, Outcome::Found, Some(&message), None, clock).await?;
                        round.sent += 1;
                        span.in_scope(|| tracing::info!("found in its channel: posted before"));
                        continue;
                    }
                    Looked::Absent => {}
                    Looked::CannotTell { passing: true, why } => {
                        span.in_scope(|| {
                            tracing::warn!(
                                channel = post.channel,
                                why,
                                "whether a message was posted is not known yet"
                            );
                        });
                        self.back_off(&post.channel, None);
                        continue;
                    }
                    Looked::CannotTell { passing: false, .. } => {
                        open = true;
                        post.card = notice::maybe_again(post.card);
                    }
                }
            }
            self.try_post(post, open, clock, round).await?;
        }
        Ok(())
    }

    async fn organisation(&mut self, org: i64, clock: &dyn Clock, round: &mut Round) -> Result<(), Fault> {
        let now = clock.now();
        if self.quiet(org, now).await? {
            // The alarm rings every minute: what waits is said once the quiet is over.
            return Ok(());
        }
        let (mut w, outbox) = loop {
            let mut w = self.app.store().write().await?;
            let mut outbox = plan::plan(&mut w, org, self.app.catalogue(), now).await?;
            let Some(restored) = self.restored().await? else { break (w, outbox) };
            let unknown = self.unknown(&outbox, restored);
            if unknown.is_empty() {
                self.settle_said(&mut w, &mut outbox, restored).await?;
                break (w, outbox);
            }
            w.commit().await?;
            self.app.metrics().due(outbox.fresh);
            for channel in unknown {
                self.look_back(&channel, restored).await;
            }
        };
        let fresh = outbox.fresh;
        let posts = self.compose(&outbox, now);
        let mut claimed = Vec::with_capacity(posts.len());
        for (post, notices) in posts {
            claimed.push(notices::claim(&mut w, post, &notices).await?);
        }
        fault::point("claim-before-commit");
        w.commit().await?;
        fault::point("claimed");
        self.app.metrics().due(fresh);
        for post in claimed {
            if round.stopped.is_some() || self.waits(&post.channel) {
                // A try before it failed: nothing was posted, its notices go back.
                self.settle(&post, Outcome::NotSent, None, Some("the channel waits"), clock).await?;
            } else {
                self.try_post(post, false, clock, round).await?;
            }
        }
        Ok(())
    }

    /// Whether an organisation is not to be spoken to at this instant.
    async fn quiet(&self, org: i64, now: DateTime<Utc>) -> Result<bool, Fault> {
        let organisation = store::organisation::get(&mut *self.app.store().read().await?, org).await?;
        Ok(self.app.catalogue().hours(&organisation).this_or_next_instant(now) > now)
    }

    async fn restored(&self) -> Result<Option<Restored>, Fault> {
        self.restored.get_or_try_init(|| Restored::of(self.app.store())).await.copied()
    }

    /// The channels that are to be looked into before anything is said there of what was due before the restoration.
    fn unknown(&self, outbox: &Outbox, restored: Restored) -> Vec<String> {
        let mut channels: Vec<String> = outbox
            .pending
            .iter()
            .filter(|(_, o)| o.due_at <= restored.at)
            .filter_map(|(_, o)| channel_of(outbox, o))
            .filter(|channel| !self.said.contains_key(*channel) && !self.waits(channel))
            .map(ToOwned::to_owned)
            .collect();
        channels.sort();
        channels.dedup();
        channels
    }

    async fn look_back(&mut self, channel: &str, restored: Restored) {
        match self.post.said(channel, restored.taken - TimeDelta::minutes(5)).await {
            Ok(said) => {
                tracing::info!(
                    channel,
                    messages = said.len(),
                    "looked for what was said since the backup was taken"
                );
                self.said.insert(channel.to_owned(), Some(said));
            }
            Err(CannotTell { passing: true, why }) => {
                tracing::warn!(channel, why, "what was said since the backup was taken is not known yet");
                self.back_off(channel, None);
            }
            Err(CannotTell { passing: false, why }) => {
                tracing::warn!(channel, why, "what was said since the backup was taken cannot be told");
                self.said.insert(channel.to_owned(), None);
            }
        }
    }

    /// Settles what the file's later self said: by the mark of its message, or in a digest, which holds everything
    /// that was late in its channel.
    async fn settle_said(
        &self,
        w: &mut Write<'_>,
        outbox: &mut Outbox,
        restored: Restored,
    ) -> Result<(), Fault> {
        let org = outbox.organisation.id;
        let mut said = Vec::new();
        for (id, o) in outbox.pending.iter().filter(|(_, o)| o.due_at <= restored.at) {
            let Some(channel) = channel_of(outbox, o) else { continue };
            let Some(Some(own)) = self.said.get(channel) else { continue };
            let mark = marks(org, channel, ONE, &[&o.key]).reference;
            let in_it = |m: &&Own| {
                let late = m.at - o.due_at > self.late_after;
                let with_all = late || (m.at >= o.due_at && o.kind != Kind::PhaseBegins);
                m.reference == mark
                    || (m.reference.starts_with(DIGEST) && late)
                    || (m.reference.starts_with(EVERYTHING) && with_all)
            };
            if let Some(message) = own.iter().find(in_it) {
                let why = format!("said before the file was restored, in message {}", message.message);
                notices::said_before(w, org, *id, o.to.id(), &why, message.at).await?;
                said.push(*id);
            }
        }
        outbox.pending.retain(|(id, _)| !said.contains(id));
        Ok(())
    }

    /// Whether what this says may stand in its channel already, which could not be told.
    fn may_repeat(&self, o: &Occurrence, channel: &str) -> bool {
        let restored = self.restored.get().copied().flatten();
        restored.is_some_and(|r| o.due_at <= r.at) && matches!(self.said.get(channel), Some(None))
    }

    /// Puts what is pending together, channel by channel: one message each, with whom it asks. What is late mentions
    /// nobody, and several late ones come as one digest. More than a few things at once are a flood: then everything
    /// comes in one message, but for a phase that begins on time.
    fn compose(&self, outbox: &Outbox, now: DateTime<Utc>) -> Vec<Composed> {
        let org = &outbox.organisation;
        let today = org.day_of(now);
        let mut by_channel: Vec<(String, Vec<Piece<'_>>)> = Vec::new();
        for (id, o) in &outbox.pending {
            let Some(channel) = channel_of(outbox, o).filter(|c| !self.waits(c)) else { continue };
            let Some(words) = notice::words(org, self.app.catalogue(), &outbox.files, o, today) else {
                continue;
            };
            let late = now - o.due_at > self.late_after;
            let ask = if late { None } else { ask(org, &o.to) };
            let piece = Piece { id: *id, o, words, late, ask };
            match by_channel.iter_mut().find(|(c, _)| c == channel) {
                Some((_, pieces)) => pieces.push(piece),
                None => by_channel.push((channel.to_owned(), vec![piece])),
            }
        }
        let mut posts = Vec::new();
        for (channel, pieces) in by_channel {
            let (own, shared): (Vec<_>, Vec<_>) =
                pieces.into_iter().partition(|p| p.o.kind == Kind::PhaseBegins && !p.late);
            let flood = shared.len() > AT_ONCE;
            let (together, alone): (Vec<_>, Vec<_>) = shared.into_iter().partition(|p| flood || p.late);
            let kind = if flood { EVERYTHING } else { DIGEST };
            match <[Piece<'_>; 1]>::try_from(together) {
                Ok([one]) => {
                    let card = notice::late(one.words.card.clone(), one.o.due_on);
                    let card =
                        if self.may_repeat(one.o, &channel) { notice::maybe_again(card) } else { card };
                    posts.push(one.post(org.id, &channel, card, now));
                }
                Err(several) => {
                    posts.extend(self.digests(org.id, &channel, kind, several, today, now));
                }
            }
            for piece in alone.into_iter().chain(own) {
                let card = piece.words.card.clone();
                posts.push(piece.post(org.id, &channel, card, now));
            }
        }
        posts
    }

    /// Several notices in one message, or in as few as hold them all.
    fn digests(
        &self,
        org: i64,
        channel: &str,
        kind: &str,
        several: Vec<Piece<'_>>,
        today: NaiveDate,
        now: DateTime<Utc>,
    ) -> Vec<Composed> {
        let mut posts = Vec::new();
        let mut rest = VecDeque::from(several);
        while !rest.is_empty() {
            let (mut entries, mut keys, mut notices) = (Vec::new(), Vec::new(), Vec::new());
            let (mut repeat, mut late) = (false, 0);
            let mut asks: Vec<Ask> = Vec::new();
            while let Some(piece) = rest.pop_front() {
                entries.push((piece.o.due_on, piece.words.title.clone()));
                let card = notice::maybe_again(notice::digest(&entries, late + 1, today));
                if !notices.is_empty() && !self.post.holds(channel, &card) {
                    entries.pop();
                    rest.push_front(piece);
                    break;
                }
                repeat |= self.may_repeat(piece.o, channel);
                late += usize::from(piece.late);
                notices.push(piece.notice());
                keys.push(piece.o.key.as_str());
                asks.extend(piece.ask.filter(|ask| !asks.contains(ask)));
            }
            let card = notice::digest(&entries, late, today);
            let card = if repeat { notice::maybe_again(card) } else { card };
            posts.push((claim(org, channel, kind, &keys, card, asks, now), notices));
        }
        posts
    }

    /// Posts once; what is logged meanwhile carries the message's reference.
    async fn try_post(
        &mut self,
        post: notices::Post,
        open: bool,
        clock: &dyn Clock,
        round: &mut Round,
    ) -> Result<(), Fault> {
        let span = span(&post);
        self.post_once(post, open, clock, round).instrument(span).await
    }

    /// Whom a message asks, and what it says, where somebody whom it should ask is no longer there: the managers are
    /// asked in their place.
    async fn reachable(&self, post: &notices::Post) -> Result<(Vec<Ask>, Card), Fault> {
        let (mut ask, mut card) = (post.ask.clone(), post.card.clone());
        if ask.is_empty() {
            return Ok((ask, card));
        }
        let org = store::organisation::get(&mut *self.app.store().read().await?, post.org).await?;
        let mut gone = self.post.gone(&org.place, &ask).await;
        ask.retain(|one| !gone.contains(one));
        // In a message that asks several, the managers are asked for whoever has left.
        let left = gone.iter().any(|one| matches!(one, Ask::Person(_)));
        let managers = org.manager_role.clone().map(Ask::Role);
        if let Some(role) = managers.filter(|role| left && !ask.contains(role) && !gone.contains(role)) {
            if self.post.gone(&org.place, std::slice::from_ref(&role)).await.is_empty() {
                ask.push(role);
            } else {
                gone.push(role);
            }
        }
        for one in &gone {
            tracing::warn!(organisation = post.org, reference = post.reference, gone = ?one, "no longer there; not mentioned");
            let person = match one {
                Ask::Person(handle) => {
                    let mut c = self.app.store().read().await?;
                    store::person::by_handle(&mut c, post.org, handle).await?
                }
                Ask::Role(_) => None,
            };
            card = notice::no_longer_there(card, &org, one, person.as_ref());
        }
        if ask.is_empty() && !gone.is_empty() && org.manager_role.is_none() {
            card = notice::nobody_asked(card);
        }
        Ok((ask, card))
    }

    /// Posts once. `open`: whether an earlier try may have been posted; then that this one was not settles nothing,
    /// and the notices stay bound to this very message.
    async fn post_once(
        &mut self,
        post: notices::Post,
        open: bool,
        clock: &dyn Clock,
        round: &mut Round,
    ) -> Result<(), Fault> {
        self.tried.entry(post.id).or_insert_with(Instant::now);
        let (ask, card) = self.reachable(&post).await?;
        let outgoing = Outgoing {
            channel: post.channel.clone(),
            nonce: post.nonce.clone(),
            reference: post.reference.clone(),
            ask,
            card,
            divisible: !open && !post.reference.starts_with(ONE),
        };
        fault::point("post-before");
        let began = Instant::now();
        let posted = self.post.post(&outgoing).await;
        self.took = Some(began.elapsed());
        fault::point("post-sent");
        match posted {
            Posted::Sent { message } => {
                self.settle(&post, Outcome::Sent, Some(&message), None, clock).await?;
                self.waiting.remove(&post.channel);
                round.sent += 1;
                tracing::info!(organisation = post.org, "posted");
            }
            Posted::NotSent { after, why } => {
                tracing::warn!(channel = post.channel, why, "a message was not posted; it is tried again");
                let outcome = if open { Outcome::Unknown } else { Outcome::NotSent };
                self.settle(&post, outcome, None, Some(&why), clock).await?;
                self.back_off(&post.channel, after);
            }
            Posted::Unknown { why } => {
                tracing::warn!(channel = post.channel, why, "it is not known whether a message was posted");
                self.settle(&post, Outcome::Unknown, None, Some(&why), clock).await?;
                self.back_off(&post.channel, None);
            }
            Posted::Refused { why } => {
                self.settle(&post, Outcome::Refused, None, Some(&why), clock).await?;
                tracing::error!(channel = post.channel, why, "a channel does not take messages");
                self.waiting.remove(&post.channel);
            }
            Posted::Stop { why } => {
                let outcome = if open { Outcome::Unknown } else { Outcome::Stopped };
                self.settle(&post, outcome, None, Some(&why), clock).await?;
                round.stopped = Some(why);
            }
        }
        Ok(())
    }

    async fn settle(
        &mut self,
        post: &notices::Post,
        outcome: Outcome,
        message: Option<&str>,
        why: Option<&str>,
        clock: &dyn Clock,
    ) -> Result<(), Fault> {
        let now = clock.now();
        let mut w = self.app.store().write().await?;
        notices::tried(&mut w, post, outcome, message, why, now).await?;
        let said = match outcome {
            Outcome::Sent | Outcome::Found => notices::carried(w.connection(), post.id).await?,
            Outcome::NotSent | Outcome::Unknown | Outcome::Refused | Outcome::Stopped => Vec::new(),
        };
        fault::point("settle-before-commit");
        w.commit().await?;
        fault::point("settled");
        self.app.metrics().message(outcome.id(), self.took.take());
        for due_at in said {
            self.app.metrics().sent(now - due_at, now - due_at > self.late_after);
        }
        if outcome != Outcome::Unknown {
            self.tried.remove(&post.id);
        }
        Ok(())
    }
}

/// A message with the notices that it carries, each with whom it asks.
type Composed = (notices::Post, Vec<(i64, Option<String>)>);

/// A notice on its way into a message.
struct Piece<'a> {
    id: i64,
    o: &'a Occurrence,
    words: Words,
    late: bool,
    ask: Option<Ask>,
}

impl Piece<'_> {
    fn notice(&self) -> (i64, Option<String>) {
        (self.id, self.o.to.id().map(ToOwned::to_owned))
    }

    fn post(self, org: i64, channel: &str, card: Card, now: DateTime<Utc>) -> Composed {
        let notice = self.notice();
        (claim(org, channel, ONE, &[&self.o.key], card, self.ask.into_iter().collect(), now), vec![notice])
    }
}

/// Whom the chat mentions, where there is somebody to mention.
fn ask(organisation: &Organisation, to: &To) -> Option<Ask> {
    match to {
        To::Nobody => None,
        To::Managers => organisation.manager_role.clone().map(Ask::Role),
        To::Person(handle) => Some(Ask::Person(handle.clone())),
    }
}

/// A message's span: an error's, so that no filter takes the reference away from what is logged.
fn span(post: &notices::Post) -> tracing::Span {
    tracing::error_span!("message", reference = post.reference)
}

/// Where a notice is posted.
fn channel_of<'a>(outbox: &'a Outbox, o: &'a Occurrence) -> Option<&'a str> {
    let of_certificate = || {
        let file = outbox.files.iter().find(|f| Some(f.certificate.id) == o.certificate)?;
        file.certificate.channel.as_deref()
    };
    o.channel.as_deref().or_else(of_certificate).or(outbox.organisation.channel.as_deref())
}

/// What tells a message from all others: for Discord, and for whoever looks for it.
struct Marks {
    nonce: String,
    reference: String,
}

/// The marks of a message that says these keys; they follow from them alone.
fn marks(org: i64, channel: &str, kind: &str, keys: &[&str]) -> Marks {
    let digest = store::journal::hex(&Sha256::digest(format!("{org}\n{channel}\n{}", keys.join("\n"))));
    Marks {
        nonce: digest.chars().take(24).collect(),
        reference: digest.chars().take(10).fold(kind.to_owned(), |mark, c| mark + c.encode_utf8(&mut [0; 4])),
    }
}

/// A message that says these keys: its nonce and its reference follow from them alone.
fn claim(
    org: i64,
    channel: &str,
    kind: &str,
    keys: &[&str],
    card: Card,
    ask: Vec<Ask>,
    now: DateTime<Utc>,
) -> notices::Post {
    let Marks { nonce, reference } = marks(org, channel, kind, keys);
    notices::Post { id: 0, org, channel: channel.to_owned(), nonce, reference, card, ask, claimed_at: now }
}
