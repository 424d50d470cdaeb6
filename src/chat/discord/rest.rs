//! One thin sender for everything that is said to Discord over HTTP.
//!
//! It knows Discord's limits (buckets learnt from the answers, the global limit, invalid requests) and tells
//! what became of a request as precisely as can be known. Whether to try again is the caller's decision.
//! Addresses that carry an interaction's token, and the bot's token itself, are never written anywhere.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::metrics::Metrics;
use crate::web::{self, words};

/// Discord's own origin.
pub const DISCORD: &str = "https://discord.com";

const CONNECT: Duration = Duration::from_secs(5);
const TOTAL: Duration = Duration::from_secs(20);
/// The most that an answer may weigh: a hundred long messages are about a megabyte.
const LARGEST: usize = 16 << 20;
/// Requests a second to which everything but answers to interactions is held (Discord's limit is 50).
const PER_SECOND: f64 = 45.0;
/// Discord bans an address for 10,000 invalid requests in ten minutes.
const INVALID_WINDOW: Duration = Duration::from_mins(10);
const INVALID_BRAKE: usize = 600;
const INVALID_STOP: usize = 5_000;

/// Why a request did not come to what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// Discord (or our own brake before it) wants fewer requests; this one had no effect.
    #[error("rate limited for {after:?}")]
    RateLimited {
        /// How long to wait.
        after: Duration,
    },
    /// Discord understood and said no; this had no effect.
    #[error("refused with {status}{}: {message}", code.map(|c| format!("/{c}")).unwrap_or_default())]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Discord's own code; `None` where the answer was not Discord's.
        code: Option<u64>,
        /// Discord's words.
        message: String,
    },
    /// No connection came about: certainly not sent.
    #[error("no connection: {why}")]
    Unreachable {
        /// What went wrong.
        why: String,
    },
    /// Sent, but no (sound) answer came: nobody knows whether it had an effect.
    #[error("no sound answer: {why}")]
    Unknown {
        /// What went wrong.
        why: String,
    },
    /// The token is not valid (any more). Nothing more is sent with it.
    #[error("the token is refused")]
    Unauthorised,
}

/// How a request is signed and counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// With the bot's token; under every limit.
    Bot,
    /// The first answer to an interaction: no token, no global limit.
    Callback,
    /// A later answer to an interaction: no bot token, its own bucket.
    Webhook,
}

/// One request. Its address may be a secret, so that it has no `Debug`.
pub(super) struct Call {
    method: Method,
    path: String,
    route: String,
    major: String,
    body: Option<Vec<u8>>,
    sort: Sort,
    patience: Duration,
    deadline: Duration,
}

impl Call {
    fn new(method: Method, path: String, sort: Sort) -> Self {
        let (route, major) = match sort {
            Sort::Bot => route(&method, &path),
            Sort::Callback => ("interaction callback".to_owned(), String::new()),
            Sort::Webhook => (format!("{method} interaction answer"), String::new()),
        };
        Self {
            method,
            path,
            route,
            major,
            body: None,
            sort,
            patience: Duration::from_secs(2),
            deadline: TOTAL,
        }
    }

    /// Reads `path` (under `/api/v10`).
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path.into(), Sort::Bot)
    }

    /// Posts to `path`.
    pub(super) fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path.into(), Sort::Bot)
    }

    /// Replaces what stands at `path`.
    pub(super) fn put(path: impl Into<String>) -> Self {
        Self::new(Method::PUT, path.into(), Sort::Bot)
    }

    /// Changes what stands at `path`.
    pub(super) fn patch(path: impl Into<String>) -> Self {
        Self::new(Method::PATCH, path.into(), Sort::Bot)
    }

    /// The first answer to an interaction.
    pub(super) fn callback(id: &str, token: &str) -> Self {
        Self::new(Method::POST, format!("/interactions/{id}/{token}/callback"), Sort::Callback)
            .deadline(Duration::from_millis(2_500))
    }

    /// The answer already given to an interaction, to change or take back.
    pub(super) fn original(method: Method, application: &str, token: &str) -> Self {
        Self::new(method, format!("/webhooks/{application}/{token}/messages/@original"), Sort::Webhook)
    }

    /// A further answer to an interaction.
    pub(super) fn follow_up(application: &str, token: &str) -> Self {
        Self::new(Method::POST, format!("/webhooks/{application}/{token}"), Sort::Webhook)
    }

    /// Sets the body.
    #[must_use]
    pub(super) fn json(mut self, body: &impl Serialize) -> Self {
        // Our bodies are plain data; should one not serialise, Discord refuses the empty one.
        self.body = Some(serde_json::to_vec(body).unwrap_or_default());
        self
    }

    /// Sets a body that is JSON already.
    #[must_use]
    pub(super) fn raw(mut self, body: Vec<u8>) -> Self {
        self.body = Some(body);
        self
    }

    /// How long it may wait for its turn before it is sent.
    #[must_use]
    pub(super) fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// How long it may take once it is sent, its answer included.
    #[must_use]
    pub(super) fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }
}

/// The route as Discord counts it: ids replaced, and the major one (channel, guild) apart.
fn route(method: &Method, path: &str) -> (String, String) {
    let path = path.split('?').next().unwrap_or(path);
    let mut out = format!("{method} ");
    let mut major = String::new();
    let mut before = "";
    for segment in path.split('/').filter(|s| !s.is_empty()) {
        if segment.bytes().all(|b| b.is_ascii_digit()) {
            if major.is_empty() && matches!(before, "channels" | "guilds") {
                segment.clone_into(&mut major);
            }
            out.push_str("/:id");
        } else {
            let _infallible = write!(out, "/{segment}");
        }
        before = segment;
    }
    (out, major)
}

/// What was learnt about one bucket.
#[derive(Debug)]
struct Bucket {
    limit: u32,
    remaining: u32,
    reset: Instant,
    blocked: bool,
}

#[derive(Debug)]
struct Limits {
    /// Which bucket a route belongs to, by Discord's name for it.
    names: HashMap<String, String>,
    /// Buckets by name and major id.
    buckets: HashMap<String, Bucket>,
    tokens: f64,
    counted: Instant,
    /// A global limit was hit: nothing but callbacks until then.
    global_until: Option<Instant>,
    /// The edge itself refuses us: nothing at all until then.
    all_until: Option<Instant>,
    invalid: VecDeque<Instant>,
}

impl Limits {
    fn new() -> Self {
        Self {
            names: HashMap::new(),
            buckets: HashMap::new(),
            tokens: PER_SECOND,
            counted: Instant::now(),
            global_until: None,
            all_until: None,
            invalid: VecDeque::new(),
        }
    }

    fn key(&self, call: &Call) -> String {
        let name = self.names.get(&call.route).unwrap_or(&call.route);
        format!("{name} {}", call.major)
    }

    /// Takes a turn, or tells how long to wait for one.
    fn take(&mut self, call: &Call, now: Instant) -> Result<(), Duration> {
        while self.invalid.front().is_some_and(|&at| now.duration_since(at) > INVALID_WINDOW) {
            self.invalid.pop_front();
        }
        let brake = if call.sort == Sort::Callback { INVALID_STOP } else { INVALID_BRAKE };
        if let Some(&at) = self.invalid.len().checked_sub(brake).and_then(|i| self.invalid.get(i)) {
            return Err((at + INVALID_WINDOW).saturating_duration_since(now).max(Duration::from_secs(1)));
        }
        let until =
            |at: Option<Instant>| at.and_then(|at| at.checked_duration_since(now)).filter(|d| !d.is_zero());
        if let Some(wait) = until(self.all_until) {
            return Err(wait);
        }
        if call.sort == Sort::Callback {
            return Ok(());
        }
        if let Some(wait) = until(self.global_until) {
            return Err(wait);
        }
        let key = self.key(call);
        if let Some(bucket) = self.buckets.get_mut(&key) {
            if now >= bucket.reset {
                bucket.remaining = bucket.limit;
                bucket.blocked = false;
                // Until the next answer says more, a new window is as long as we dare to guess.
                bucket.reset = now + Duration::from_secs(1);
            }
            if bucket.blocked || bucket.remaining == 0 {
                return Err(bucket.reset.duration_since(now).max(Duration::from_millis(1)));
            }
        }
        let elapsed = now.duration_since(self.counted).as_secs_f64();
        self.tokens = (self.tokens + elapsed * PER_SECOND).min(PER_SECOND);
        self.counted = now;
        if self.tokens < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - self.tokens) / PER_SECOND));
        }
        self.tokens -= 1.0;
        if let Some(bucket) = self.buckets.get_mut(&key) {
            bucket.remaining = bucket.remaining.saturating_sub(1);
        }
        Ok(())
    }

    /// Learns from the headers of an answer.
    fn learn(&mut self, call: &Call, headers: &HeaderMap, now: Instant) {
        if call.sort != Sort::Bot {
            return;
        }
        let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
        let (Some(name), Some(limit), Some(remaining), Some(reset)) = (
            text("x-ratelimit-bucket"),
            text("x-ratelimit-limit").and_then(|v| v.parse().ok()),
            text("x-ratelimit-remaining").and_then(|v| v.parse::<u32>().ok()),
            text("x-ratelimit-reset-after").and_then(seconds),
        ) else {
            return;
        };
        if self.buckets.len() > 1_024 {
            self.buckets.retain(|_, bucket| bucket.reset > now);
        }
        if self.names.get(&call.route).is_none_or(|known| known != name) {
            self.names.insert(call.route.clone(), name.to_owned());
        }
        let key = self.key(call);
        let reset = now + reset;
        match self.buckets.get_mut(&key) {
            // Answers may overtake each other: within one window the least that remains is true.
            Some(bucket) if bucket.reset + Duration::from_millis(50) >= reset && bucket.reset > now => {
                bucket.remaining = bucket.remaining.min(remaining);
                bucket.limit = limit;
            }
            Some(bucket) => {
                bucket.limit = limit;
                bucket.remaining = remaining;
                bucket.reset = bucket.reset.max(reset);
            }
            None => {
                self.buckets.insert(key, Bucket { limit, remaining, reset, blocked: false });
            }
        }
    }

    /// Notes a 429 and tells how long it asks us to wait, and whether it counts as invalid.
    fn limited(&mut self, call: &Call, headers: &HeaderMap, body: &[u8], now: Instant) -> (Duration, bool) {
        #[derive(serde::Deserialize)]
        struct Body {
            #[serde(default)]
            retry_after: Option<f64>,
            #[serde(default)]
            global: bool,
        }
        let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
        let told = serde_json::from_slice::<Body>(body).ok();
        let after = told
            .as_ref()
            .and_then(|b| b.retry_after)
            .and_then(|s| Duration::try_from_secs_f64(s).ok())
            .or_else(|| text("retry-after").and_then(seconds))
            .unwrap_or(Duration::from_secs(5))
            .clamp(Duration::from_millis(50), Duration::from_hours(1));
        let invalid = text("x-ratelimit-scope") != Some("shared");
        if invalid {
            self.invalid.push_back(now);
        }
        match told {
            None => self.all_until = Some(now + after),
            Some(told)
                if told.global
                    || text("x-ratelimit-scope") == Some("global")
                    || text("x-ratelimit-global").is_some_and(|v| v.eq_ignore_ascii_case("true")) =>
            {
                self.global_until = Some(now + after);
            }
            Some(_) if call.sort == Sort::Bot => {
                let key = self.key(call);
                let bucket = self.buckets.entry(key).or_insert(Bucket {
                    limit: 1,
                    remaining: 0,
                    reset: now,
                    blocked: true,
                });
                bucket.blocked = true;
                bucket.remaining = 0;
                bucket.reset = bucket.reset.max(now + after);
            }
            Some(_) => {}
        }
        (after, invalid)
    }
}

fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.trim().parse().ok()?).ok()
}

/// The sender.
#[derive(Debug)]
pub(super) struct Rest {
    client: reqwest::Client,
    origin: String,
    token: SecretString,
    limits: Mutex<Limits>,
    refused: AtomicBool,
    metrics: Metrics,
}

impl Rest {
    /// A sender to the API at `origin` (`https://discord.com`, or a stand-in such as `http://127.0.0.1:4321`).
    pub(super) fn new(origin: &str, token: SecretString) -> Result<Self, String> {
        let url = Url::parse(origin).map_err(|e| format!("`{origin}` is no address: {e}"))?;
        if !matches!(url.scheme(), "http" | "https")
            || !matches!(url.path(), "" | "/")
            || url.query().is_some()
        {
            return Err(format!("`{origin}` is not an origin such as {DISCORD}"));
        }
        let agent = concat!("DiscordBot (certkeeper, ", env!("CARGO_PKG_VERSION"), ")");
        let client = web::client(agent, CONNECT, TOTAL)?;
        Ok(Self {
            client,
            origin: origin.trim_end_matches('/').to_owned(),
            token,
            limits: Mutex::new(Limits::new()),
            refused: AtomicBool::new(false),
            metrics: Metrics::default(),
        })
    }

    /// The same, counted there.
    #[must_use]
    pub(super) fn counted(mut self, metrics: Metrics) -> Self {
        self.metrics = metrics;
        self
    }

    /// What is counted.
    pub(super) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The origin that it speaks to.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether that is Discord itself.
    pub(super) fn is_discord(&self) -> bool {
        self.origin == DISCORD
    }

    pub(super) fn token(&self) -> &SecretString {
        &self.token
    }

    fn limits(&self) -> MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many requests of the last ten minutes counted as invalid.
    pub(super) fn invalid_requests(&self) -> usize {
        let now = Instant::now();
        self.limits().invalid.iter().filter(|&&at| now.duration_since(at) <= INVALID_WINDOW).count()
    }

    /// Sends one request, once, and tells what became of it.
    pub(super) async fn send(&self, call: Call) -> Result<Vec<u8>, Fault> {
        let began = Instant::now();
        loop {
            if call.sort == Sort::Bot && self.refused.load(Ordering::Relaxed) {
                return Err(Fault::Unauthorised);
            }
            let now = Instant::now();
            let turn = self.limits().take(&call, now);
            match turn {
                Ok(()) => break,
                Err(wait) if now.duration_since(began) + wait > call.patience => {
                    return Err(Fault::RateLimited { after: wait });
                }
                Err(wait) => tokio::time::sleep(wait).await,
            }
        }
        let deadline = call.deadline;
        let outcome = match tokio::time::timeout(deadline, self.once(&call)).await {
            Ok(outcome) => outcome,
            Err(_elapsed) => {
                self.metrics.request(&call.route, None);
                Err(Fault::Unknown { why: format!("no answer within {deadline:?}") })
            }
        };
        match &outcome {
            Ok(_) => tracing::trace!(route = call.route, "discord answered"),
            Err(fault) => tracing::debug!(route = call.route, %fault, "discord request failed"),
        }
        outcome
    }

    /// Sends one request and reads its answer as JSON.
    pub(super) async fn json<T: DeserializeOwned>(&self, call: Call) -> Result<T, Fault> {
        let bytes = self.send(call).await?;
        serde_json::from_slice(&bytes).map_err(|e| Fault::Unknown { why: format!("malformed answer: {e}") })
    }

    async fn once(&self, call: &Call) -> Result<Vec<u8>, Fault> {
        let url = Url::parse(&format!("{}/api/v10{}", self.origin, call.path))
            .map_err(|e| Fault::Unreachable { why: format!("bad address: {e}") })?;
        let mut request = self.client.request(call.method.clone(), url);
        if call.sort == Sort::Bot {
            let mut value = HeaderValue::from_str(&format!("Bot {}", self.token.expose_secret()))
                .map_err(|_unprintable| Fault::Unauthorised)?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        if let Some(body) = &call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        let response = request.send().await.map_err(|e| {
            self.metrics.request(&call.route, None);
            let never = e.is_connect() || e.is_builder();
            let why = words(e);
            if never { Fault::Unreachable { why } } else { Fault::Unknown { why } }
        })?;
        let status = response.status();
        self.metrics.request(&call.route, Some(status.as_u16()));
        let headers = response.headers().clone();
        self.limits().learn(call, &headers, Instant::now());
        let body = read(response, LARGEST).await.map_err(|why| Fault::Unknown { why });
        if status.is_success() {
            return body;
        }
        // What the status says is certain even where the words that belong to it were lost.
        let body = body.unwrap_or_default();
        self.refusal(call, status, &headers, &body)
    }

    fn refusal(
        &self,
        call: &Call,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Vec<u8>, Fault> {
        #[derive(serde::Deserialize)]
        struct Words {
            code: Option<u64>,
            message: Option<String>,
            errors: Option<serde_json::Value>,
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            let (after, invalid) = self.limits().limited(call, headers, body, Instant::now());
            if invalid {
                self.metrics.invalid();
            }
            return Err(Fault::RateLimited { after });
        }
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            self.limits().invalid.push_back(Instant::now());
            self.metrics.invalid();
        }
        if status == StatusCode::UNAUTHORIZED && call.sort == Sort::Bot {
            self.refused.store(true, Ordering::Relaxed);
            return Err(Fault::Unauthorised);
        }
        if !status.is_client_error() {
            return Err(Fault::Unknown { why: format!("HTTP {}", status.as_u16()) });
        }
        let words = serde_json::from_slice::<Words>(body).ok();
        let mut message = words
            .as_ref()
            .and_then(|w| w.message.clone())
            .unwrap_or_else(|| format!("HTTP {}", status.as_u16()));
        if let Some(errors) = words.as_ref().and_then(|w| w.errors.as_ref()) {
            let _infallible = write!(message, " {errors}");
        }
        message = message.chars().filter(|c| !c.is_control()).take(500).collect();
        Err(Fault::Refused { status: status.as_u16(), code: words.and_then(|w| w.code), message })
    }

    /// Whether a file may be fetched from there: Discord's own hosts by https, or the configured API's origin.
    pub(super) fn may_fetch(&self, url: &Url) -> bool {
        let discords = url.scheme() == "https"
            && url.port().is_none()
            && url.username().is_empty()
            && url.password().is_none()
            && matches!(url.host_str(), Some("cdn.discordapp.com" | "media.discordapp.net"));
        let ours = Url::parse(&self.origin).is_ok_and(|ours| ours.origin() == url.origin())
            && url.username().is_empty()
            && url.password().is_none();
        discords || ours
    }

    /// Fetches an attached file, without the token, up to `limit` bytes.
    pub(super) async fn fetch(&self, from: &str, limit: u64) -> Result<Vec<u8>, FetchFault> {
        let url = Url::parse(from).ok().filter(|url| self.may_fetch(url)).ok_or(FetchFault::NotAllowed)?;
        let fetched = async {
            let response = self.client.get(url).send().await.map_err(|e| FetchFault::Failed(words(e)))?;
            if !response.status().is_success() {
                return Err(FetchFault::Failed(format!("HTTP {}", response.status().as_u16())));
            }
            if response.content_length().is_some_and(|length| length > limit) {
                return Err(FetchFault::TooLarge);
            }
            let mut bytes = Vec::new();
            let mut stream = response.bytes_stream();
            while let Some(chunk) = stream.next().await {
                let chunk = chunk.map_err(|e| FetchFault::Failed(words(e)))?;
                if (bytes.len() + chunk.len()) as u64 > limit {
                    return Err(FetchFault::TooLarge);
                }
                bytes.extend_from_slice(&chunk);
            }
            Ok(bytes)
        };
        tokio::time::timeout(TOTAL, fetched)
            .await
            .unwrap_or_else(|_elapsed| Err(FetchFault::Failed("it took too long".to_owned())))
    }
}

/// Why a file could not be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FetchFault {
    /// It lies somewhere that nothing is fetched from.
    NotAllowed,
    /// It is larger than the limit.
    TooLarge,
    /// It did not come.
    Failed(String),
}

async fn read(response: reqwest::Response, limit: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut stream = response.bytes_stream();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|e| format!("the answer broke off: {}", words(e)))?;
        if bytes.len() + chunk.len() > limit {
            return Err("the answer is too large".to_owned());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
