//! Health, readiness and metrics over HTTP, for whatever looks after the process. Nothing that people wrote is served.
//!
//! Ages are measured on the monotonic clock: the machine's wall clock may jump either way.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::metrics::{self, Metrics, Now};
use crate::store::Store;
use crate::store::notices;

/// How old the notifier's last tick may be: three alarms.
const TICK_LIMIT: Duration = Duration::from_mins(3);
/// How long the gateway may be lost before the process counts as not ready.
const GATEWAY_LIMIT: Duration = Duration::from_mins(1);
/// How long a probe waits for its answer.
const PROBE_LIMIT: Duration = Duration::from_secs(2);
/// How much of an answer a probe reads.
const PROBE_BYTES: u64 = 64 * 1024;
/// How long `/metrics` waits for the store to say what is pending; without it that is left out.
const STORE_LIMIT: Duration = Duration::from_secs(1);
/// How long open connections may keep the server after it was told to stop.
const DRAIN_LIMIT: Duration = Duration::from_secs(1);

/// How the process fares, told by its parts and read by the probes.
#[derive(Debug)]
pub struct Health(Mutex<Vitals>);

#[derive(Debug, Clone)]
struct Vitals {
    started: Instant,
    ticked: Option<Instant>,
    ready: bool,
    stopping: bool,
    gateway: Gateway,
    store: Result<(), String>,
    backup: Option<DateTime<Utc>>,
}

/// The state of the connection over which requests arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gateway {
    Never,
    Connected,
    LostAt(Instant),
}

/// How the process fares at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Time since the start.
    pub uptime: Duration,
    /// Time since the notifier's last tick, or since the start if there was none.
    pub last_tick_age: Duration,
    /// Why the process should be restarted; empty while it is well.
    pub ailing: Vec<String>,
    /// Why the process is not ready; empty once it is.
    pub unready: Vec<String>,
    /// `connected`, `lost` or `not connected yet`.
    pub gateway: &'static str,
    /// How long the gateway has been lost, if it is.
    pub gateway_lost: Option<Duration>,
    /// When the latest scheduled backup was taken, if there is one.
    pub backup: Option<DateTime<Utc>>,
}

impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}

impl Health {
    /// A process that has just started: alive, not ready.
    pub fn new() -> Self {
        Self(Mutex::new(Vitals {
            started: Instant::now(),
            ticked: None,
            ready: false,
            stopping: false,
            gateway: Gateway::Never,
            store: Err("not open yet".to_owned()),
            backup: None,
        }))
    }

    fn change(&self, change: impl FnOnce(&mut Vitals)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The notifier has looked at what is due.
    pub fn ticked(&self) {
        self.change(|vitals| vitals.ticked = Some(Instant::now()));
    }

    /// Whether the start is complete: the commands are registered.
    pub fn set_ready(&self, ready: bool) {
        self.change(|vitals| vitals.ready = ready);
    }

    /// The process has begun to stop: it is no longer ready, whatever else holds.
    pub fn stopping(&self) {
        self.change(|vitals| vitals.stopping = true);
    }

    /// Whether the gateway is connected. The time of a loss is kept over repeated calls.
    pub fn set_gateway(&self, connected: bool) {
        self.change(|vitals| {
            vitals.gateway = match (connected, vitals.gateway) {
                (true, _) => Gateway::Connected,
                (false, Gateway::Connected) => Gateway::LostAt(Instant::now()),
                (false, before @ (Gateway::Never | Gateway::LostAt(_))) => before,
            };
        });
    }

    /// Whether the store is open and its last write went through; if not, why.
    pub fn set_store(&self, store: Result<(), String>) {
        self.change(|vitals| vitals.store = store);
    }

    /// When the latest scheduled backup was taken.
    pub fn set_backup(&self, at: Option<DateTime<Utc>>) {
        self.change(|vitals| vitals.backup = at);
    }

    /// How the process fares now.
    pub fn snapshot(&self) -> Snapshot {
        self.snapshot_at(Instant::now())
    }

    fn snapshot_at(&self, now: Instant) -> Snapshot {
        let vitals = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let since = |then: Instant| now.saturating_duration_since(then);
        let last_tick_age = since(vitals.ticked.unwrap_or(vitals.started));
        let store = vitals.store.as_ref().err().map(|why| format!("store: {why}"));
        let mut ailing = Vec::new();
        if last_tick_age > TICK_LIMIT {
            ailing.push(format!("notifier: nothing was looked at for {} s", last_tick_age.as_secs()));
        }
        // Before the start is complete, a store that is not open yet is no reason to be restarted.
        ailing.extend(store.clone().filter(|_| vitals.ready));
        // What ails cannot be ready.
        let mut unready: Vec<String> =
            ailing.iter().filter(|why| why.starts_with("notifier")).cloned().chain(store).collect();
        if !vitals.ready {
            unready.push("commands: not registered yet".to_owned());
        }
        let gateway_lost = match vitals.gateway {
            Gateway::LostAt(then) => Some(since(then)),
            Gateway::Never | Gateway::Connected => None,
        };
        let gateway = match vitals.gateway {
            Gateway::Never => {
                unready.push("gateway: not connected yet".to_owned());
                "not connected yet"
            }
            Gateway::Connected => "connected",
            Gateway::LostAt(_) => "lost",
        };
        if let Some(lost) = gateway_lost.filter(|lost| *lost >= GATEWAY_LIMIT) {
            unready.push(format!("gateway: lost for {} s", lost.as_secs()));
        }
        if vitals.stopping {
            unready.push("process: stopping".to_owned());
        }
        Snapshot {
            uptime: since(vitals.started),
            last_tick_age,
            ailing,
            unready,
            gateway,
            gateway_lost,
            backup: vitals.backup,
        }
    }
}

/// The routes: `/healthz` and `/readyz`.
pub fn router(health: Arc<Health>) -> Router {
    Router::new().route("/healthz", get(healthz)).route("/readyz", get(readyz)).with_state(health)
}

/// What `/metrics` is put together from.
#[derive(Debug, Clone)]
pub struct Measured {
    /// How the process fares.
    pub health: Arc<Health>,
    /// What is counted.
    pub metrics: Metrics,
    /// What is asked what is still to be said.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// When the process started: told as it was then, since whoever watches counts its changes.
    pub started: DateTime<Utc>,
}

/// The route `/metrics`.
pub fn metrics_router(measured: Measured) -> Router {
    Router::new().route("/metrics", get(exposition)).with_state(measured)
}

async fn exposition(State(measured): State<Measured>) -> Response {
    let Measured { health, metrics, store, clock, started } = measured;
    let asked = async { notices::standing(&mut *store.read().await.ok()?).await.ok() };
    let outbox = tokio::time::timeout(STORE_LIMIT, asked).await.ok().flatten();
    let mut log = store.path().as_os_str().to_owned();
    log.push("-wal");
    let now = Now {
        at: clock.now(),
        started,
        health: health.snapshot(),
        outbox,
        database_bytes: metrics::size(store.path()),
        wal_bytes: metrics::size(log.as_ref()),
        resident_bytes: metrics::resident_bytes(),
    };
    match metrics.exposition(&now) {
        Ok(text) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")], text).into_response()
        }
        Err(_unwritten) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn healthz(State(health): State<Arc<Health>>) -> Response {
    let now = health.snapshot();
    answer("alive", &now.ailing, &now)
}

async fn readyz(State(health): State<Arc<Health>>) -> Response {
    let now = health.snapshot();
    answer("ready", &now.unready, &now)
}

fn answer(well: &str, against: &[String], now: &Snapshot) -> Response {
    let (code, status) = if against.is_empty() {
        (StatusCode::OK, well.to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, format!("not {well}"))
    };
    let body = json!({
        "status": status,
        "reasons": against,
        "last_tick_age_seconds": now.last_tick_age.as_secs(),
        "gateway": now.gateway,
        "gateway_lost_seconds": now.gateway_lost.map(|lost| lost.as_secs()),
        "last_backup": now.backup.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)),
        "uptime_seconds": now.uptime.as_secs(),
        "version": env!("CARGO_PKG_VERSION"),
    });
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (code, headers, format!("{body}\n")).into_response()
}

/// Serves pages on `listener` until `stop`; connections still open a second after that are dropped.
pub async fn serve(
    listener: TcpListener,
    pages: Router,
    stop: CancellationToken,
) -> Result<(), std::io::Error> {
    let drained = {
        let stop = stop.clone();
        async move {
            stop.cancelled().await;
            tokio::time::sleep(DRAIN_LIMIT).await;
        }
    };
    let server = axum::serve(listener, pages).with_graceful_shutdown(stop.cancelled_owned());
    tokio::select! {
        ended = server.into_future() => ended,
        () = drained => Ok(()),
    }
}

/// Asks the process that listens on `addr` for `path` (`/healthz`, `/readyz`), within two seconds: the body of
/// its answer, or why all is not well.
pub async fn probe(addr: SocketAddr, path: &str) -> Result<String, String> {
    // A listener on every address is reached on the machine itself.
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    let addr = SocketAddr::new(ip, addr.port());
    match tokio::time::timeout(PROBE_LIMIT, ask(addr, path)).await {
        Ok(Ok((200, body))) => Ok(body),
        Ok(Ok((code, body))) => Err(format!("{code}: {body}")),
        Ok(Err(error)) => Err(format!("nothing answers sensibly on {addr}: {error}")),
        Err(_) => Err(format!("no answer from {addr} within {} s", PROBE_LIMIT.as_secs())),
    }
}

async fn ask(addr: SocketAddr, path: &str) -> Result<(u16, String), std::io::Error> {
    let mut stream = TcpStream::connect(addr).await?;
    let mut request = String::new();
    let written = write!(
        request,
        "GET {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\nAccept: application/json\r\n\r\n"
    );
    written.map_err(std::io::Error::other)?;
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.take(PROBE_BYTES).read_to_end(&mut bytes).await?;
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(|| std::io::Error::other("not HTTP"))?;
    let code = head.split_whitespace().nth(1).and_then(|code| code.parse().ok());
    let code =
        code.filter(|_| head.starts_with("HTTP/1.")).ok_or_else(|| std::io::Error::other("not HTTP"))?;
    Ok((code, body.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn well() -> Health {
        let health = Health::new();
        health.set_store(Ok(()));
        health.set_ready(true);
        health.set_gateway(true);
        health.ticked();
        health
    }

    fn later(seconds: u64) -> Instant {
        Instant::now() + Duration::from_secs(seconds)
    }

    #[test]
    fn a_fresh_process_is_alive_and_not_ready() {
        let now = Health::new().snapshot();
        assert!(now.ailing.is_empty());
        assert_eq!(
            now.unready,
            ["store: not open yet", "commands: not registered yet", "gateway: not connected yet"]
        );
    }

    #[test]
    fn a_notifier_that_stands_still_ails() {
        let health = well();
        assert!(health.snapshot_at(later(179)).ailing.is_empty());
        let ailing = health.snapshot_at(later(181)).ailing;
        assert!(
            ailing.iter().any(|why| why.starts_with("notifier: nothing was looked at for 18")),
            "{ailing:?}"
        );
        // What ails is not ready either.
        assert_eq!(health.snapshot_at(later(181)).unready, ailing);
        // One that never ticked ails as well, in time.
        assert_eq!(Health::new().snapshot_at(later(181)).ailing.len(), 1);
    }

    #[test]
    fn a_store_that_takes_no_writes_ails() {
        let health = well();
        health.set_store(Err("disk full".to_owned()));
        assert_eq!(health.snapshot().ailing, ["store: disk full"]);
        assert_eq!(health.snapshot().unready, ["store: disk full"]);
    }

    #[test]
    fn a_lost_gateway_counts_after_a_minute() {
        let health = well();
        health.set_gateway(false);
        health.set_gateway(false);
        assert!(health.snapshot_at(later(58)).unready.is_empty());
        assert_eq!(health.snapshot_at(later(61)).unready.len(), 1);
        assert!(health.snapshot_at(later(61)).ailing.is_empty(), "reminders go out without it");
        health.set_gateway(true);
        assert!(health.snapshot_at(later(61)).unready.is_empty());
        health.stopping();
        assert_eq!(health.snapshot().unready, ["process: stopping"]);
    }

    #[tokio::test]
    async fn probes_are_answered_over_http_until_the_stop() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (health, stop) = (Arc::new(Health::new()), CancellationToken::new());
        let server = tokio::spawn(serve(listener, router(Arc::clone(&health)), stop.clone()));
        assert!(probe(addr, "/healthz").await.unwrap().contains(r#""status":"alive""#));
        let unready = probe(addr, "/readyz").await.unwrap_err();
        assert!(unready.starts_with("503: {") && unready.contains("gateway: not connected yet"), "{unready}");
        health.set_store(Ok(()));
        health.set_ready(true);
        health.set_gateway(true);
        let ready = probe(addr, "/readyz").await.unwrap();
        let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
        assert_eq!((&ready["status"], &ready["gateway"]), (&json!("ready"), &json!("connected")));
        assert_eq!(ready["last_tick_age_seconds"], 0);
        assert!(probe(addr, "/secrets").await.unwrap_err().starts_with("404"));
        // A client that says nothing does not hold the stop up.
        let silent = TcpStream::connect(addr).await.unwrap();
        stop.cancel();
        tokio::time::timeout(Duration::from_secs(4), server).await.unwrap().unwrap().unwrap();
        drop(silent);
        assert!(probe(addr, "/healthz").await.unwrap_err().starts_with("nothing answers"));
    }

    #[tokio::test]
    async fn a_probe_of_a_silent_listener_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let before = Instant::now();
        assert!(probe(addr, "/healthz").await.unwrap_err().contains("within 2 s"));
        assert!(before.elapsed() < Duration::from_secs(4));
    }
}
