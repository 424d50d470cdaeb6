//! What the process counts of itself, for `/metrics`. A value that its parts are given; there is nothing global.
//!
//! No server, person or certificate is ever a label: what is counted must neither grow without bound nor tell.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{Atomic, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry, Unit};

use crate::http;
use crate::store::notices::Standing;

/// How all of ours begin.
const PREFIX: &str = "certkeeper";
/// Parts of a second, up to what Discord lets an answer take.
const QUICK: [f64; 9] = [0.001, 0.005, 0.02, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0];
/// From at once to a week: how late a reminder may be.
const LATE: [f64; 10] = [1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 21_600.0, 86_400.0, 604_800.0];

type Labels = Vec<(&'static str, String)>;
type Seconds = Family<Labels, Histogram, fn() -> Histogram>;

fn quick() -> Histogram {
    Histogram::new(QUICK)
}

/// Where a panic was caught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caught {
    /// While an interaction was handled.
    Interaction,
    /// In a command.
    Command,
    /// In a round of the notifier.
    Notifier,
    /// In the gateway's connection.
    Gateway,
    /// While a server's coming or going was put down.
    Server,
}

impl Caught {
    const ALL: [Self; 5] = [Self::Interaction, Self::Command, Self::Notifier, Self::Gateway, Self::Server];

    fn id(self) -> &'static str {
        match self {
            Self::Interaction => "interaction",
            Self::Command => "command",
            Self::Notifier => "notifier",
            Self::Gateway => "gateway",
            Self::Server => "server",
        }
    }
}

/// What a command came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// It was carried out.
    Done,
    /// A form was shown for what is missing.
    Asked,
    /// The rules or the input did not allow it.
    Refused,
    /// Something of ours broke; nothing was changed.
    Failed,
}

impl Came {
    fn id(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Asked => "asked",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// How the store fares in writing; the store keeps these itself.
#[derive(Debug, Clone)]
pub struct Commits {
    seconds: Histogram,
    busy: Counter,
}

impl Default for Commits {
    fn default() -> Self {
        Self { seconds: quick(), busy: Counter::default() }
    }
}

impl Commits {
    /// A transaction is on disk after so long.
    pub(crate) fn took(&self, time: Duration) {
        self.seconds.observe(time.as_secs_f64());
    }

    /// Another program held the file.
    pub(crate) fn was_busy(&self) {
        self.busy.inc();
    }
}

/// What is counted. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    notices_due: Counter,
    notices_sent: Counter,
    notices_late: Counter,
    lateness: Histogram,
    messages: Family<Labels, Counter>,
    delivery: Histogram,
    commands: Family<Labels, Counter>,
    command_seconds: Seconds,
    acknowledged: Histogram,
    requests: Family<Labels, Counter>,
    invalid: Counter,
    sessions: Family<Labels, Counter>,
    panics: Family<Labels, Counter>,
    pings: Family<Labels, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new(Commits::default())
    }
}

impl Metrics {
    /// Nothing counted yet but the store's commits.
    pub fn new(commits: Commits) -> Self {
        let mut made = Inner {
            registry: Registry::with_prefix(PREFIX),
            notices_due: Counter::default(),
            notices_sent: Counter::default(),
            notices_late: Counter::default(),
            lateness: Histogram::new(LATE),
            messages: Family::default(),
            delivery: Histogram::new(QUICK.into_iter().chain([6.0])),
            commands: Family::default(),
            command_seconds: Family::new_with_constructor(quick),
            acknowledged: quick(),
            requests: Family::default(),
            invalid: Counter::default(),
            sessions: Family::default(),
            panics: Family::default(),
            pings: Family::default(),
        };
        // What has not happened yet is 0, not unknown: an alert on its rate then sees the first time.
        for outcome in ["sent", "found", "not-sent", "unknown", "refused", "stopped"] {
            drop(made.messages.get_or_create(&one("outcome", outcome)));
        }
        for caught in Caught::ALL {
            drop(made.panics.get_or_create(&one("where", caught.id())));
        }
        for how in ["begun", "resumed"] {
            drop(made.sessions.get_or_create(&one("how", how)));
        }
        let r = &mut made.registry;
        let built: Labels = one("version", env!("CARGO_PKG_VERSION"));
        r.register("build", "The release that runs", Info::new(built));
        r.register("notices_due", "Reminders that fell due", made.notices_due.clone());
        r.register("notices_sent", "Reminders that were posted", made.notices_sent.clone());
        r.register(
            "notices_late",
            "Reminders that were posted later than notices.late_after_minutes",
            made.notices_late.clone(),
        );
        r.register_with_unit(
            "notice_lateness",
            "How long after it was due a reminder was posted",
            Unit::Seconds,
            made.lateness.clone(),
        );
        r.register("messages", "Tries to post a message, by what they came to", made.messages.clone());
        r.register_with_unit(
            "delivery",
            "How long one try to post a message took",
            Unit::Seconds,
            made.delivery.clone(),
        );
        r.register("commands", "Commands, by verb and what they came to", made.commands.clone());
        r.register_with_unit(
            "command",
            "How long a command took to be carried out, by verb",
            Unit::Seconds,
            made.command_seconds.clone(),
        );
        r.register_with_unit(
            "acknowledgement",
            "How long after its arrival an interaction was acknowledged",
            Unit::Seconds,
            made.acknowledged.clone(),
        );
        r.register(
            "discord_requests",
            "Requests to Discord, by route and status (none: no sound answer)",
            made.requests.clone(),
        );
        r.register(
            "discord_invalid_requests",
            "Requests that Discord counts as invalid; it bans at 10,000 in ten minutes",
            made.invalid.clone(),
        );
        r.register("gateway_sessions", "Sessions begun or resumed at the gateway", made.sessions.clone());
        r.register("panics", "Panics that were caught, by where", made.panics.clone());
        r.register("monitor_pings", "Pings of monitor.ping_url, by outcome", made.pings.clone());
        r.register_with_unit(
            "database_commit",
            "How long a transaction took to be on disk",
            Unit::Seconds,
            commits.seconds,
        );
        r.register("database_busy", "Writes that another program's lock turned away", commits.busy);
        Self(Arc::new(made))
    }

    /// So many reminders fell due.
    pub(crate) fn due(&self, notices: u64) {
        self.0.notices_due.inc_by(notices);
    }

    /// A reminder was posted so long after it was due.
    pub(crate) fn sent(&self, after: TimeDelta, late: bool) {
        self.0.notices_sent.inc();
        if late {
            self.0.notices_late.inc();
        }
        self.0.lateness.observe(after.max(TimeDelta::zero()).as_seconds_f64());
    }

    /// A try to post a message came to this; how long it took, where one was made.
    pub(crate) fn message(&self, outcome: &str, took: Option<Duration>) {
        self.0.messages.get_or_create(&one("outcome", outcome)).inc();
        if let Some(took) = took {
            self.0.delivery.observe(took.as_secs_f64());
        }
    }

    /// A command came to this; how long it took, where it was carried out.
    pub(crate) fn command(&self, verb: &str, came: Came, took: Option<Duration>) {
        let mut labels = one("verb", verb);
        if let Some(took) = took {
            self.0.command_seconds.get_or_create(&labels).observe(took.as_secs_f64());
        }
        labels.push(("outcome", came.id().to_owned()));
        self.0.commands.get_or_create(&labels).inc();
    }

    /// An interaction was acknowledged so long after it arrived.
    pub(crate) fn acknowledged(&self, after: Duration) {
        self.0.acknowledged.observe(after.as_secs_f64());
    }

    /// A request to Discord was answered with this status, or with none.
    pub(crate) fn request(&self, route: &str, status: Option<u16>) {
        let status = status.map_or_else(|| "none".to_owned(), |s| s.to_string());
        self.0.requests.get_or_create(&vec![("route", route.to_owned()), ("status", status)]).inc();
    }

    /// A request counts as invalid with Discord.
    pub(crate) fn invalid(&self) {
        self.0.invalid.inc();
    }

    /// A session began at the gateway, or went on.
    pub(crate) fn session(&self, resumed: bool) {
        self.0.sessions.get_or_create(&one("how", if resumed { "resumed" } else { "begun" })).inc();
    }

    /// A panic was caught.
    pub(crate) fn panicked(&self, caught: Caught) {
        self.0.panics.get_or_create(&one("where", caught.id())).inc();
    }

    /// The monitor was pinged, or could not be.
    pub(crate) fn pinged(&self, well: bool) {
        self.0.pings.get_or_create(&one("outcome", if well { "well" } else { "failed" })).inc();
    }

    /// Everything, in the OpenMetrics text format.
    pub fn exposition(&self, now: &Now) -> Result<String, fmt::Error> {
        let mut out = String::new();
        text::encode_registry(&mut out, &self.0.registry)?;
        text::encode_registry(&mut out, &now.registry())?;
        text::encode_eof(&mut out)?;
        Ok(out)
    }
}

fn one(name: &'static str, value: &str) -> Labels {
    vec![(name, value.to_owned())]
}

/// What is not counted but looked at when somebody asks.
#[derive(Debug)]
pub struct Now {
    /// The time.
    pub at: DateTime<Utc>,
    /// When the process started.
    pub started: DateTime<Utc>,
    /// How the process fares.
    pub health: http::Snapshot,
    /// What is still to be said; `None` where the store could not be asked.
    pub outbox: Option<Standing>,
    /// The size of the database file.
    pub database_bytes: Option<u64>,
    /// The size of its write-ahead log.
    pub wal_bytes: Option<u64>,
    /// What of the process is in memory.
    pub resident_bytes: Option<u64>,
}

fn gauge<N>(value: N) -> Gauge<N, <N as Kept>::In>
where
    N: Kept,
    <N as Kept>::In: Atomic<N> + Default,
{
    let gauge = Gauge::<N, N::In>::default();
    gauge.set(value);
    gauge
}

/// What a gauge of these is kept in.
trait Kept: Sized {
    type In;
}

impl Kept for i64 {
    type In = std::sync::atomic::AtomicI64;
}

impl Kept for f64 {
    type In = std::sync::atomic::AtomicU64;
}

fn seconds_of(at: DateTime<Utc>) -> f64 {
    (at - DateTime::UNIX_EPOCH).as_seconds_f64()
}

fn whole(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Registers what is known; what is not known is left out.
fn set(r: &mut Registry, name: &str, help: &str, unit: Option<Unit>, metric: Option<impl Metric>) {
    match (metric, unit) {
        (Some(metric), Some(unit)) => r.register_with_unit(name, help, unit, metric),
        (Some(metric), None) => r.register(name, help, metric),
        (None, _) => {}
    }
}

impl Now {
    fn registry(&self) -> Registry {
        let health = &self.health;
        let mut registry = Registry::default();
        let r = registry.sub_registry_with_prefix(PREFIX);
        let flag = |is: bool| Some(gauge(i64::from(is)));
        set(r, "alive", "Whether /healthz says so", None, flag(health.ailing.is_empty()));
        set(r, "ready", "Whether /readyz says so", None, flag(health.unready.is_empty()));
        set(
            r,
            "gateway_connected",
            "Whether the gateway's connection stands",
            None,
            flag(health.gateway == "connected"),
        );
        let lost = health.gateway_lost.unwrap_or_default().as_secs_f64();
        set(
            r,
            "gateway_lost",
            "For how long the gateway's connection has been lost (0: it is not)",
            Some(Unit::Seconds),
            Some(gauge(lost)),
        );
        let age = TimeDelta::from_std(health.last_tick_age).unwrap_or(TimeDelta::MAX);
        set(
            r,
            "scheduler_last_tick_timestamp",
            "When the notifier last looked at what is due (before the first time: the start)",
            Some(Unit::Seconds),
            self.at.checked_sub_signed(age).map(|at| gauge(seconds_of(at))),
        );
        set(
            r,
            "scheduler_last_tick_age",
            "The same as an age, by the monotonic clock",
            Some(Unit::Seconds),
            Some(gauge(health.last_tick_age.as_secs_f64())),
        );
        set(
            r,
            "backup_last_success_timestamp",
            "When the latest backup in the folder was taken (only with backup.every_hours)",
            Some(Unit::Seconds),
            health.backup.map(|at| gauge(seconds_of(at))),
        );
        let outbox = self.outbox.as_ref();
        set(
            r,
            "notices_pending",
            "Reminders that are due and not posted yet",
            None,
            outbox.map(|o| gauge(o.pending)),
        );
        set(
            r,
            "notices_parked",
            "Reminders whose channel does not take them until somebody changes something",
            None,
            outbox.map(|o| gauge(o.parked)),
        );
        let oldest = |o: &Standing| o.oldest.map_or(TimeDelta::zero(), |at| self.at - at);
        set(
            r,
            "notices_oldest_pending_age",
            "How long ago the oldest pending reminder was due (0: none is pending)",
            Some(Unit::Seconds),
            outbox.map(|o| gauge(oldest(o).max(TimeDelta::zero()).as_seconds_f64())),
        );
        let bytes = |n: Option<u64>| n.map(|n| gauge(whole(n)));
        set(r, "database", "Size of the database file", Some(Unit::Bytes), bytes(self.database_bytes));
        set(r, "database_wal", "Size of its write-ahead log", Some(Unit::Bytes), bytes(self.wal_bytes));
        let r = registry.sub_registry_with_prefix("process");
        set(r, "resident_memory", "Resident memory", Some(Unit::Bytes), bytes(self.resident_bytes));
        set(
            r,
            "start_time",
            "When the process started",
            Some(Unit::Seconds),
            Some(gauge(seconds_of(self.started))),
        );
        registry
    }
}

/// The resident memory of this process, as Linux tells it.
pub fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// The size of a file.
pub fn size(path: &std::path::Path) -> Option<u64> {
    std::fs::metadata(path).ok().map(|m| m.len())
}
