//! The connection that Discord's events come over.
//!
//! The socket is twilight's; when it connects, how often it identifies and when it is given up are ours.

use std::collections::{BTreeSet, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _};
use reqwest::Url;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use twilight_gateway::queue::Queue;
use twilight_gateway::{
    CloseFrame, Config, ConfigBuilder, Intents, Message, Session, Shard, ShardId, ShardState,
};

use super::register::Remembered;
use super::rest::{Call, Fault, Rest};
use crate::clock::{Clock, jitter};
use crate::metrics::Caught;
use crate::say::discord as say;

/// A connection on which nothing at all was heard for so long is dead, whatever it says.
const SILENT: Duration = Duration::from_mins(3);
/// The same before it is ready: connecting, greeting and identifying take seconds.
const SLOW: Duration = Duration::from_secs(30);
/// A connection that held so long was a good one.
const GOOD: Duration = Duration::from_secs(60);
/// After so long an outage the tries become rarer.
const LONG: Duration = Duration::from_secs(300);
const BUDGET_WINDOW: Duration = Duration::from_secs(600);
const BUDGET: usize = 20;
/// The waits once the budget of IDENTIFYs is spent, in minutes.
const BUDGET_WAITS: [u64; 4] = [1, 5, 15, 60];
/// The wait before a session where more than half of the day's are used up: whatever restarts us, it is not to go on
/// until Discord takes the token away.
const SCARCE: Duration = Duration::from_mins(10);
/// Discord lets one session begin in so long.
const SPACING: Duration = Duration::from_millis(5_050);
/// How often at most it is put down how far the session has come.
const KEPT_AFTER: Duration = Duration::from_millis(20);
const KEPT_EVERY: Duration = Duration::from_millis(500);
/// Under what these are remembered.
const SESSION: &str = "gateway session";
const IDENTIFIED: &str = "gateway identified";
/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// How the connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    /// It has not been made yet.
    Connecting,
    /// It stands.
    Connected {
        /// Since when.
        since: Instant,
    },
    /// It was lost and is being made again.
    Lost {
        /// Since when.
        since: Instant,
    },
}

/// Why the connection ended for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum GatewayEnd {
    /// We were asked to stop.
    Cancelled,
    /// The token is refused.
    TokenRefused(String),
    /// Discord will not have us, for a reason that trying again does not change.
    Fatal(String),
}

/// What arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// A session has begun.
    Ready,
    /// A session goes on; what was missed follows.
    Resumed,
    /// A server is there: at start, after an outage, or because the bot was added to it.
    Joined {
        /// Its id.
        guild: String,
        /// Its name.
        name: Option<String>,
    },
    /// The bot was removed from a server.
    Left {
        /// Its id.
        guild: String,
    },
    /// A channel, a role or a member changed, and with it perhaps what we may do.
    PermissionsChanged,
    /// A role was deleted, and with it perhaps what we may do and whom we ask.
    RoleDeleted {
        /// The server's id.
        guild: String,
    },
    /// Somebody asks for something.
    Interaction {
        /// The raw event.
        raw: String,
        /// Its number in the session.
        sequence: u64,
        /// Whether it comes late, with what was missed while there was no connection.
        missed: bool,
    },
}

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(default)]
    op: u8,
    #[serde(default)]
    s: Option<u64>,
    #[serde(default)]
    t: Option<String>,
    #[serde(borrow, default)]
    d: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Guild {
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    unavailable: Option<bool>,
}

#[derive(Deserialize)]
struct RoleOf {
    guild_id: String,
}

/// Reads what concerns us from a frame; whatever can't be read is passed over.
fn event(frame: &str) -> Option<Event> {
    let frame: Frame<'_> = serde_json::from_str(frame).ok()?;
    if frame.op != 0 {
        return None;
    }
    let guild = || frame.d.and_then(|d| serde_json::from_str::<Guild>(d.get()).ok());
    match frame.t.as_deref()? {
        "READY" => Some(Event::Ready),
        "RESUMED" => Some(Event::Resumed),
        "GUILD_CREATE" => guild()
            .filter(|g| g.unavailable != Some(true))
            .map(|g| Event::Joined { guild: g.id, name: g.name }),
        "GUILD_DELETE" => {
            guild().filter(|g| g.unavailable != Some(true)).map(|g| Event::Left { guild: g.id })
        }
        "CHANNEL_UPDATE" | "GUILD_ROLE_UPDATE" | "GUILD_MEMBER_UPDATE" => Some(Event::PermissionsChanged),
        "GUILD_ROLE_DELETE" => frame
            .d
            .and_then(|d| serde_json::from_str::<RoleOf>(d.get()).ok())
            .map(|role| Event::RoleDeleted { guild: role.guild_id }),
        "INTERACTION_CREATE" => frame.d.map(|d| Event::Interaction {
            raw: d.get().to_owned(),
            sequence: frame.s.unwrap_or_default(),
            missed: false,
        }),
        _ => None,
    }
}

/// What of the connection is kept over restarts: with it a daemon that was killed goes on with its session, and what
/// was asked meanwhile still arrives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct KeptSession {
    api: String,
    id: String,
    sequence: u64,
    resume: Option<String>,
}

impl KeptSession {
    fn of<Q>(shard: &Shard<Q>, api: &str) -> Option<Self> {
        let session = shard.session()?;
        Some(Self {
            api: api.to_owned(),
            id: session.id().to_owned(),
            sequence: session.sequence(),
            resume: shard.resume_url().map(ToOwned::to_owned),
        })
    }
}

/// Lets a session begin when Discord allows it (one in five seconds, whichever process began the last), and counts:
/// how often we identified is what Discord punishes.
#[derive(Debug)]
struct Counted<R> {
    clock: Arc<dyn Clock>,
    remembered: Arc<R>,
    turn: Arc<tokio::sync::Mutex<()>>,
    at: Arc<Mutex<VecDeque<Instant>>>,
}

impl<R> Clone for Counted<R> {
    fn clone(&self) -> Self {
        Self {
            clock: Arc::clone(&self.clock),
            remembered: Arc::clone(&self.remembered),
            turn: Arc::clone(&self.turn),
            at: Arc::clone(&self.at),
        }
    }
}

impl<R: Remembered> Counted<R> {
    /// How long until a session may begin. Measured on the time since the machine started, which no setting of its
    /// clock changes; one that is shorter than what was kept means that it was started anew.
    async fn wait(&self) -> Duration {
        let lately = self.lock().back().map(Instant::elapsed);
        let before = match (self.clock.uptime(), self.remembered.get(IDENTIFIED).await) {
            (Some(now), Some(kept)) => {
                kept.parse().ok().and_then(|ms| now.checked_sub(Duration::from_millis(ms)))
            }
            _ => None,
        };
        let ago = [lately, before].into_iter().flatten().min();
        ago.map_or(Duration::ZERO, |ago| SPACING.saturating_sub(ago))
    }

    async fn identify(self, go: oneshot::Sender<()>) {
        let _turn = self.turn.lock().await;
        tokio::time::sleep(self.wait().await).await;
        if go.is_closed() {
            return;
        }
        if let Some(now) = self.clock.uptime() {
            self.remembered.set(IDENTIFIED, &now.as_millis().to_string()).await;
        }
        self.lock().push_back(Instant::now());
        // Whoever asked may have gone meanwhile; then no session begins.
        let _gone = go.send(());
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Instant>> {
        self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lately(&self) -> usize {
        let now = Instant::now();
        let mut at = self.lock();
        at.retain(|&at| now.duration_since(at) < BUDGET_WINDOW);
        at.len()
    }
}

impl<R: Remembered + 'static> Queue for Counted<R> {
    fn enqueue(&self, _shard: u32) -> oneshot::Receiver<()> {
        let (go, going) = oneshot::channel();
        tokio::spawn(self.clone().identify(go));
        going
    }
}

/// The wait before try number `tries` (from 0, which is made at once): 1 s doubling to `most` seconds.
pub(super) fn backoff(tries: u32, most: u64) -> Duration {
    match tries {
        0 => Duration::ZERO,
        n => jitter(Duration::from_secs((1_u64 << (n - 1).min(6)).min(most))),
    }
}

#[derive(Deserialize)]
struct Bot {
    url: String,
    #[serde(default)]
    session_start_limit: Option<Starts>,
}

#[derive(Deserialize)]
struct Starts {
    total: Option<u64>,
    remaining: Option<u64>,
    reset_after: Option<u64>,
}

/// An address that twilight can be given: it panics at others.
fn sound(url: &str) -> Option<String> {
    let parsed = Url::parse(url).ok()?;
    let plain = matches!(parsed.scheme(), "ws" | "wss") && parsed.host_str().is_some();
    plain.then(|| url.split(['?', '#']).next().unwrap_or(url).trim_end_matches('/').to_owned())
}

/// How far the session has come, and how many interactions are still being handled.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// By their number in the session.
    in_flight: Mutex<BTreeSet<u64>>,
    reached: Mutex<Option<KeptSession>>,
    moved: Notify,
}

impl Progress {
    fn reached(&self) -> MutexGuard<'_, Option<KeptSession>> {
        self.reached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn in_flight(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session as far as all that came in it is handled: were we to end now, the rest would come again.
    fn done(&self) -> Option<KeptSession> {
        let first = self.in_flight().first().copied();
        let mut session = self.reached().clone()?;
        if let Some(first) = first {
            session.sequence = session.sequence.min(first.saturating_sub(1));
        }
        Some(session)
    }
}

/// An interaction that is being handled.
#[derive(Debug)]
pub(super) struct InFlight(Arc<Progress>, u64);

impl InFlight {
    pub(super) fn begin(progress: &Arc<Progress>, sequence: u64) -> Self {
        progress.in_flight().insert(sequence);
        Self(Arc::clone(progress), sequence)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight().remove(&self.1);
        self.0.moved.notify_one();
    }
}

/// The gateway.
#[derive(Debug)]
pub(super) struct Gateway<'a, R> {
    pub(super) rest: &'a Rest,
    pub(super) state: &'a watch::Sender<Connection>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) remembered: Arc<R>,
    pub(super) progress: Arc<Progress>,
    pub(super) cancel: CancellationToken,
}

impl<R: Remembered + 'static> Gateway<'_, R> {
    /// Waits; `false` if we were asked to stop meanwhile.
    async fn wait(&self, wait: Duration) -> bool {
        if wait.is_zero() {
            return !self.cancel.is_cancelled();
        }
        self.cancel.run_until_cancelled(tokio::time::sleep(wait)).await.is_some()
    }

    /// Where the API says its gateway is. Asked until it answers, and until a session may begin there; one that is
    /// resumed costs none.
    async fn address(&self, resuming: bool) -> Result<String, GatewayEnd> {
        let (mut tries, mut spared) = (0, resuming);
        loop {
            let asked = self.rest.json::<Bot>(Call::get("/gateway/bot"));
            let Some(asked) = self.cancel.run_until_cancelled(asked).await else {
                return Err(GatewayEnd::Cancelled);
            };
            let mut wait = backoff(tries + 1, 30);
            match asked {
                Ok(bot) => {
                    let starts = bot.session_start_limit.unwrap_or(Starts {
                        total: None,
                        remaining: None,
                        reset_after: None,
                    });
                    let scarce = starts.remaining.zip(starts.total).is_some_and(|(left, all)| left < all / 2);
                    match sound(&bot.url) {
                        Some(_) if starts.remaining == Some(0) => {
                            wait = Duration::from_millis(starts.reset_after.unwrap_or(60_000))
                                .min(Duration::from_hours(1));
                            tracing::error!(
                                wait = say::wait(wait),
                                "Discord allows no further session for now"
                            );
                        }
                        Some(_) if scarce && !spared => {
                            spared = true;
                            wait = SCARCE;
                            tracing::error!(
                                wait = say::wait(wait),
                                left = starts.remaining,
                                "more than half of the sessions that Discord allows in a day were begun; waiting"
                            );
                        }
                        Some(url) => return Ok(url),
                        None => tracing::error!("the API names a gateway address that is none"),
                    }
                }
                Err(Fault::Unauthorised) => return Err(GatewayEnd::TokenRefused(say::token_refused())),
                Err(fault) => {
                    if let Fault::RateLimited { after } = fault {
                        wait = wait.max(after);
                    }
                    tracing::warn!(%fault, wait = say::wait(wait), "the gateway's address can't be had");
                }
            }
            tries += 1;
            if !self.wait(wait).await {
                return Err(GatewayEnd::Cancelled);
            }
        }
    }

    fn lost(&self) {
        self.state.send_if_modified(|state| {
            let standing = matches!(state, Connection::Connected { .. });
            if standing {
                *state = Connection::Lost { since: Instant::now() };
            }
            standing
        });
    }

    /// Keeps the connection until it is told to stop or Discord ends it for good, and keeps its session over
    /// restarts.
    pub(super) async fn run(self, on_event: impl Fn(Event) + Send + Sync) -> GatewayEnd {
        let before = self.remembered.get(SESSION).await;
        let before = before
            .and_then(|kept| serde_json::from_str::<KeptSession>(&kept).ok())
            .filter(|kept| kept.api == self.rest.origin());
        self.progress.reached().clone_from(&before);
        let mut kept = before.clone();
        let keep = async {
            loop {
                self.progress.moved.notified().await;
                if kept.is_some() {
                    // Much may arrive at once: one note for all of it.
                    tokio::time::sleep(KEPT_AFTER).await;
                }
                let done = self.progress.done();
                if done != kept {
                    self.keep(done.as_ref()).await;
                    kept = done;
                    tokio::time::sleep(KEPT_EVERY).await;
                }
            }
        };
        let end = tokio::select! {
            end = self.connect(on_event, before) => end,
            () = keep => GatewayEnd::Cancelled,
        };
        // After a goodbye the session is over; one that broke off can be resumed.
        self.keep(self.progress.done().as_ref()).await;
        end
    }

    async fn keep(&self, session: Option<&KeptSession>) {
        match session.map(serde_json::to_string) {
            Some(Ok(kept)) => self.remembered.set(SESSION, &kept).await,
            Some(Err(_)) | None => self.remembered.set(SESSION, "").await,
        }
    }

    /// A resume address that may be followed: where a stand-in gives Discord's own, it is not.
    fn resume_at(&self, url: &str, resume: Option<&str>) -> Option<String> {
        resume.and_then(sound).filter(|resume| {
            let host = |url: &str| Url::parse(url).ok().and_then(|u| u.host_str().map(ToOwned::to_owned));
            self.rest.is_discord() || host(resume) == host(url)
        })
    }

    async fn connect(
        &self,
        on_event: impl Fn(Event) + Send + Sync,
        before: Option<KeptSession>,
    ) -> GatewayEnd {
        let url = match self.address(before.is_some()).await {
            Ok(url) => url,
            Err(end) => return end,
        };
        let queue = Counted {
            clock: Arc::clone(&self.clock),
            remembered: Arc::clone(&self.remembered),
            turn: Arc::default(),
            at: Arc::default(),
        };
        let token = self.rest.token().expose_secret().to_owned();
        let config =
            ConfigBuilder::new(token, Intents::GUILDS).proxy_url(url.clone()).queue(queue.clone()).build();
        let shard_with = |session: Option<Session>, resume: Option<String>| -> Shard<Counted<R>> {
            let config: Config<Counted<R>> = config.clone();
            let mut builder = ConfigBuilder::from(config);
            if let Some(session) = session {
                builder = builder.session(session);
                if let Some(resume) = resume {
                    builder = builder.resume_url(resume);
                }
            }
            Shard::with_config(ShardId::ONE, builder.build())
        };
        let mut shard = match before {
            Some(kept) => {
                let resume = self.resume_at(&url, kept.resume.as_deref());
                shard_with(Some(Session::new(kept.sequence, kept.id)), resume)
            }
            None => shard_with(None, None),
        };
        let mut replaying = shard.session().is_some();
        let mut heard = Instant::now();
        let mut active: Option<Instant> = None;
        // How often in a row no session came about, and how often one broke off soon.
        let (mut refusals, mut flaps) = (0_u32, 0_u32);
        let mut lost_since: Option<Instant> = None;
        let mut over_budget = 0_usize;
        loop {
            let silent = if active.is_some() { SILENT } else { SLOW };
            let next = tokio::select! {
                biased;
                () = self.cancel.cancelled() => {
                    if goodbye(shard).await {
                        *self.progress.reached() = None;
                    }
                    return GatewayEnd::Cancelled;
                }
                next = AssertUnwindSafe(shard.next()).catch_unwind() => next,
                () = tokio::time::sleep_until(heard + silent) => {
                    tracing::warn!(wait = say::wait(silent), "nothing heard from the gateway; connecting anew");
                    Ok(Some(Ok(Message::Close(None))))
                }
            };
            let watchdog = heard.elapsed() >= silent;
            heard = Instant::now();
            let mut refused = false;
            let mut drop_session = false;
            match next {
                Ok(Some(Ok(Message::Text(frame)))) => {
                    if let Some(mut event) = event(&frame) {
                        if let Event::Interaction { missed, .. } = &mut event {
                            *missed = replaying;
                        }
                        if matches!(event, Event::Ready | Event::Resumed) {
                            active = Some(heard);
                            replaying = false;
                            lost_since = None;
                            self.state.send_replace(Connection::Connected { since: heard });
                            let resumed = event == Event::Resumed;
                            self.rest.metrics().session(resumed);
                            tracing::info!(resumed, "connected to the gateway");
                        }
                        on_event(event);
                    }
                    *self.progress.reached() = KeptSession::of(&shard, self.rest.origin());
                    self.progress.moved.notify_one();
                    if disconnected(&shard) {
                        tracing::info!("the gateway asks us to connect anew");
                    } else {
                        continue;
                    }
                }
                Ok(Some(Ok(Message::Close(frame)))) => {
                    let code = frame.as_ref().map(|f| f.code);
                    match code {
                        Some(4004) => return GatewayEnd::TokenRefused(say::token_refused()),
                        Some(code @ 4010..=4014) => return GatewayEnd::Fatal(say::fatal_close(code)),
                        _ if watchdog => {}
                        _ => tracing::info!(?code, "the gateway closed the connection"),
                    }
                }
                // twilight's words may quote the event, and with it an interaction's token: they are not logged.
                Ok(Some(Err(error))) => {
                    if !disconnected(&shard) {
                        tracing::warn!("an event could not be understood");
                        continue;
                    }
                    refused = true;
                    let why = error.into_source().map(|e| e.to_string()).unwrap_or_default();
                    tracing::info!(why, "the gateway can't be reached");
                }
                Ok(None) => return GatewayEnd::Fatal(say::fatal_close(1006)),
                Err(_panic) => {
                    self.rest.metrics().panicked(Caught::Gateway);
                    tracing::error!("the gateway's connection panicked; connecting anew");
                    refused = true;
                    drop_session = true;
                }
            }

            // The connection is lost: decide when the next one is made, and how.
            self.lost();
            let since = *lost_since.get_or_insert_with(Instant::now);
            let most = if since.elapsed() < LONG { 5 } else { 30 };
            let mut wait = match active.take() {
                Some(began) if began.elapsed() >= GOOD => {
                    (refusals, flaps, over_budget) = (0, 0, 0);
                    Duration::ZERO
                }
                Some(_) if !refused => {
                    refusals = 0;
                    flaps += 1;
                    backoff(flaps - 1, 30)
                }
                Some(_) | None => {
                    refusals += 1;
                    backoff(refusals, most)
                }
            };
            let session = if drop_session { None } else { shard.session().cloned() };
            if session.is_none() && queue.lately() >= BUDGET {
                let minutes = BUDGET_WAITS.get(over_budget).or(BUDGET_WAITS.last()).copied().unwrap_or(60);
                over_budget += 1;
                wait = jitter(Duration::from_secs(minutes * 60));
                tracing::error!(
                    wait = say::wait(wait),
                    "too many sessions were begun; waiting, lest Discord bans us"
                );
            }
            let resume = self.resume_at(&url, shard.resume_url());
            if !wait.is_zero() {
                tracing::debug!(wait = say::wait(wait), "connecting anew after a pause");
            }
            // The old socket goes now; a session ended without a goodbye can be resumed.
            replaying = session.is_some();
            shard = shard_with(session, resume);
            if !self.wait(wait).await {
                return GatewayEnd::Cancelled;
            }
            heard = Instant::now();
        }
    }
}

fn disconnected<Q: Queue>(shard: &Shard<Q>) -> bool {
    matches!(shard.state(), ShardState::Disconnected { .. } | ShardState::FatallyClosed)
}

/// Says goodbye, if there is somebody to say it to, and does not wait long for theirs. Whether it was said.
async fn goodbye<Q: Queue + Unpin>(mut shard: Shard<Q>) -> bool {
    if disconnected(&shard) {
        return false;
    }
    shard.close(CloseFrame::NORMAL);
    let closed = async {
        while let Some(Ok(message)) = shard.next().await {
            if message.is_close() {
                break;
            }
        }
    };
    drop(tokio::time::timeout(GOODBYE, AssertUnwindSafe(closed).catch_unwind()).await);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn fuzz_a_frame(
            frame in "(?s).{0,80}", at in any::<proptest::sample::Index>(), len in 0_usize..20,
            by in "[\\[\\]{}\",:0-9a-zA-Z\\\\]{0,12}", depth in 0_usize..20_000,
        ) {
            drop(event(&frame));
            drop(sound(&frame));
            let mut whole = r#"{"op":0,"s":7,"t":"INTERACTION_CREATE","d":{"id":"1","token":"x","data":{"name":"nc"}}}"#.to_owned();
            let from = at.index(whole.len());
            whole.replace_range(from..(from + len).min(whole.len()), &by);
            if let Some(Event::Interaction { raw, .. }) = event(&whole) {
                prop_assert!(whole.contains(&raw));
            }
            drop(event(&format!("{{\"op\":0,\"t\":\"GUILD_CREATE\",\"d\":{}", "[".repeat(depth))));
        }
    }

    #[test]
    fn only_what_concerns_us_is_read() {
        let joined =
            r#"{"op":0,"s":2,"t":"GUILD_CREATE","d":{"id":"1","name":"Acme","channels":[{"type":99}]}}"#;
        assert_eq!(event(joined), Some(Event::Joined { guild: "1".into(), name: Some("Acme".into()) }));
        assert_eq!(event(r#"{"op":0,"t":"GUILD_DELETE","d":{"id":"1","unavailable":true}}"#), None);
        assert_eq!(
            event(r#"{"op":0,"t":"GUILD_DELETE","d":{"id":"1"}}"#),
            Some(Event::Left { guild: "1".into() })
        );
        assert_eq!(
            event(r#"{"op":0,"t":"GUILD_ROLE_DELETE","d":{"guild_id":"1","role_id":"2"}}"#),
            Some(Event::RoleDeleted { guild: "1".into() })
        );
        assert_eq!(event(r#"{"op":0,"t":"NEW_THING","d":[]}"#), None);
        assert_eq!(event(r#"{"op":0,"t":"GUILD_CREATE","d":7}"#), None);
        assert_eq!(event("not json"), None);
        assert_eq!(event(r#"{"op":11}"#), None);
    }

    #[test]
    fn addresses_are_checked_before_twilight_sees_them() {
        assert_eq!(sound("wss://gateway.discord.gg/").as_deref(), Some("wss://gateway.discord.gg"));
        assert_eq!(sound("ws://127.0.0.1:1/gw?v=9").as_deref(), Some("ws://127.0.0.1:1/gw"));
        assert_eq!(sound("https://x"), None);
        assert_eq!(sound("nonsense"), None);
    }
}
