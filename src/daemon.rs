//! The daemon: wires clock, store, notifier, chat and HTTP together; starts, is ready, drains, stops.

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use chrono::TimeDelta;
use futures_util::FutureExt as _;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::backup;
use crate::catalogue::Catalogue;
use crate::chat::Post;
use crate::chat::discord::{self, Discord, End, Remembered};
use crate::clock::{Clock, SystemClock};
use crate::command::{App, Defaults};
use crate::config::{DiscordSettings, Settings};
use crate::fault;
use crate::http::{self, Health, Measured};
use crate::metrics::Caught;
use crate::monitor::{Heartbeat, Monitor};
use crate::notify::alarm::Alarm;
use crate::notify::deliver::Deliverer;
use crate::store::{self, Lock, OpenFault, Store, journal};

/// How long in-flight work may take once the process is asked to stop.
const SOFT_STOP: Duration = Duration::from_secs(3);

/// How long changes are gathered before the notifier looks at them: it must not get in the way of the next one.
const GATHER: Duration = Duration::from_millis(50);

/// So many rounds of reminders that panic in a row end the process: it is a bug, and a fresh start may be past it.
const PANICS: u32 = 3;

/// The pause after a round that panicked.
const AFTER_PANIC: Duration = Duration::from_secs(5);
/// How often it is looked whether there is room on the disk.
const ROOM_LOOK: Duration = Duration::from_secs(30);

/// When a store that failed is tried again.
const STORE_AGAIN: Duration = Duration::from_secs(5);

/// SIGXFSZ, of the same number wherever this runs: what is written would exceed the largest file allowed.
const FILE_TOO_LARGE: i32 = 25;

/// How often it is looked whether a backup is due.
const BACKUP_LOOK: Duration = Duration::from_secs(60);

/// Why the daemon ends, for its exit code.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// Settings or permissions must be mended.
    #[error("{0}")]
    Setting(String),
    /// The token is refused.
    #[error("{0}")]
    Token(String),
    /// Another one runs on the same file.
    #[error("{0}")]
    Locked(String),
    /// The file is damaged.
    #[error("{0}")]
    Corrupt(String),
    /// Something else.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

impl From<OpenFault> for Ended {
    fn from(fault: OpenFault) -> Self {
        match fault {
            OpenFault::Setting(words) => Self::Setting(words),
            OpenFault::Corrupt(words) => Self::Corrupt(words),
            OpenFault::Locked(words) => Self::Locked(words),
        }
    }
}

/// What the adapter keeps of the commands it registered, in the store.
#[derive(Debug)]
struct Memory(Store);

impl Remembered for Memory {
    async fn get(&self, scope: &str) -> Option<String> {
        self.0.registered(scope).await.unwrap_or_else(|e| {
            tracing::warn!(
                error = &e as &dyn std::error::Error,
                "what was registered last could not be read"
            );
            None
        })
    }

    async fn set(&self, scope: &str, hash: &str) {
        if let Err(e) = self.0.set_registered(scope, hash).await {
            tracing::warn!(error = &e as &dyn std::error::Error, "what was registered could not be kept");
        }
    }
}

/// Runs until it is told to stop.
pub async fn run(settings: Settings, discord: &DiscordSettings, catalogue: Catalogue) -> Result<(), Ended> {
    let _lock = Lock::take(&settings.database)?;
    let store = Store::open(&settings.database).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let health = Arc::new(Health::new());
    health.set_store(Ok(()));
    // What a release, its time zones or somebody's own files changed counts from this start on.
    let rules = format!("{}{}{catalogue:?}", env!("CARGO_PKG_VERSION"), chrono_tz::IANA_TZDB_VERSION);
    let rules = journal::hex(&Sha256::digest(rules));
    store::notices::plan_anew_unless(&store, &rules).await.context("marking what is to be planned anew")?;
    let standards: Vec<(String, String)> =
        catalogue.standards.iter().map(|s| (s.id.clone(), s.title.clone())).collect();
    let defaults = Defaults { zone: settings.organisation.timezone, hour: settings.organisation.hour };
    let app = App::new(store.clone(), Arc::new(catalogue), defaults);
    let (stop, tracker) = (CancellationToken::new(), TaskTracker::new());
    // Health is served until everything else has ended.
    let served = CancellationToken::new();

    if let Some(listen) = settings.listen {
        let listener = TcpListener::bind(listen).await.map_err(|e| {
            Ended::Setting(format!(
                "http.listen: {listen} cannot be listened on ({e}); give another address, or off"
            ))
        })?;
        tracing::info!(address = %listener.local_addr().context("reading the address")?, "serving health");
        let measured = Measured {
            health: Arc::clone(&health),
            metrics: app.metrics().clone(),
            store: store.clone(),
            clock: Arc::clone(&clock),
            started: clock.now(),
        };
        let pages = http::router(Arc::clone(&health)).merge(http::metrics_router(measured));
        let served = served.clone();
        // Not on the tracker: while work is in flight it still says that we are stopping.
        tokio::spawn(async move {
            if let Err(e) = http::serve(listener, pages, served).await {
                tracing::error!(error = %e, "serving health ended");
            }
        });
    }
    let heartbeat = Heartbeat::default();
    if let Some(monitor) = settings.monitor {
        let monitor = Monitor::new(monitor.ping_url, monitor.ping_every).map_err(Ended::Setting)?;
        tracker.spawn(monitor.run(heartbeat.clone(), app.metrics().clone(), stop.clone()));
    }

    let adapter = Discord::connect(
        discord::Settings {
            api: discord.api.clone(),
            token: discord.token.clone(),
            guild: discord.guild.map(|g| g.to_string()),
            max_attachment_bytes: settings.max_attachment_bytes,
        },
        app.clone(),
        Arc::clone(&clock),
        Memory(store.clone()),
        &standards,
        stop.clone(),
        tracker.clone(),
    )
    .map_err(Ended::Setting)?;
    watch_connection(&adapter, &health);

    if settings.backup_every_hours > 0 {
        let every = TimeDelta::hours(settings.backup_every_hours.into());
        let (database, folder) = (settings.database.clone(), settings.backup_folder.clone());
        let keep = usize::try_from(settings.backup_keep).unwrap_or(usize::MAX);
        let (clock, health, stop) = (Arc::clone(&clock), Arc::clone(&health), stop.clone());
        tracker.spawn(async move {
            let backups = keep_backups(&database, &folder, every, keep, &*clock, &health);
            stop.run_until_cancelled(backups).await;
        });
    }

    let late_after = TimeDelta::minutes(settings.late_after_minutes.into());
    let deliverer = Deliverer::new(app.clone(), adapter.post(), late_after);
    let alarm = Alarm::start(Arc::clone(&clock)).await.context("starting the alarm")?;
    let mut notifier =
        tokio::spawn(notify(deliverer, app, alarm, clock, Arc::clone(&health), heartbeat, stop.clone()));
    let mut chat = tokio::spawn(adapter.run());
    let mut term = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut int = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    // Once listened for, it ends nothing: the write fails, as on a full disk.
    let _too_large = signal(SignalKind::from_raw(FILE_TOO_LARGE)).context("listening for SIGXFSZ")?;

    let mut notifier_done = false;
    let ended = tokio::select! {
        _ = term.recv() => Ok(()),
        _ = int.recv() => Ok(()),
        end = &mut chat => match end.context("the chat's task")? {
            End::Stopped => Ok(()),
            End::TokenRefused(words) => Err(Ended::Token(words)),
            End::Fatal(words) => Err(Ended::Setting(words)),
        },
        end = &mut notifier => {
            notifier_done = true;
            match end.context("the notifier's task")? {
                Stopped::Refused(words) => Err(Ended::Token(words)),
                Stopped::FileGone(words) => Err(Ended::Corrupt(words)),
                Stopped::Broken => Err(Ended::Other(anyhow::anyhow!(
                    "the notifier panicked {PANICS} times in a row, which is a bug: please report it with the log's \
                     lines about the panics. Nothing is lost; what is due is posted after the next start"
                ))),
                Stopped::Asked => Ok(()),
            }
        }
    };
    tracing::info!("stopping");
    health.stopping();
    stop.cancel();
    tracker.close();
    let drained = async {
        tracker.wait().await;
        if !notifier_done {
            // A panic there was logged by the runtime; there is nothing left to do about it.
            drop(notifier.await);
        }
    };
    tokio::select! {
        () = drained => {}
        () = tokio::time::sleep(SOFT_STOP) => tracing::warn!("work was still in flight; it is settled at the next start"),
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    served.cancel();
    if tokio::time::timeout(Duration::from_secs(1), store.close()).await.is_err() {
        tracing::warn!("the database was still busy");
    }
    tracing::info!("stopped");
    ended
}

/// Takes a backup whenever one is due, by the age of the latest in the folder: one that was missed is made up for.
async fn keep_backups(
    database: &Path,
    folder: &Path,
    every: TimeDelta,
    keep: usize,
    clock: &dyn Clock,
    health: &Health,
) {
    loop {
        let now = clock.now();
        if backup::due(folder, every, now) {
            match backup::take(database, folder, now).await {
                Ok(taken) => {
                    if let Err(fault) = backup::prune(folder, keep) {
                        tracing::warn!(
                            error = &fault as &dyn std::error::Error,
                            "old backups could not be removed"
                        );
                    }
                    tracing::info!(path = %taken.path.display(), bytes = taken.bytes, "backup taken and proven");
                }
                Err(fault) => {
                    tracing::error!(
                        error = &fault as &dyn std::error::Error,
                        folder = %folder.display(),
                        "no backup could be taken; it is tried again in a minute"
                    );
                }
            }
        }
        health.set_backup(backup::latest(folder));
        tokio::time::sleep(BACKUP_LOOK).await;
    }
}

fn watch_connection<R: Remembered + 'static>(adapter: &Discord<R>, health: &Arc<Health>) {
    let (mut ready, mut connection) = (adapter.ready(), adapter.connection());
    let health = Arc::clone(health);
    // Not on the tracker: it ends when the adapter does.
    tokio::spawn(async move {
        loop {
            health.set_ready(*ready.borrow_and_update());
            let connected = matches!(*connection.borrow_and_update(), discord::Connection::Connected { .. });
            health.set_gateway(connected);
            tokio::select! {
                changed = ready.changed() => if changed.is_err() { break },
                changed = connection.changed() => if changed.is_err() { break },
            }
        }
    });
}

/// Why the notifier ended.
enum Stopped {
    /// It was asked to.
    Asked,
    /// The chat refuses us.
    Refused(String),
    /// The file is no longer where it was.
    FileGone(String),
    /// It panics each time.
    Broken,
}

/// Posts what is due whenever the alarm rings or something has changed.
async fn notify<P: Post>(
    mut deliverer: Deliverer<P>,
    app: App,
    alarm: Alarm,
    clock: Arc<dyn Clock>,
    health: Arc<Health>,
    heartbeat: Heartbeat,
    stop: CancellationToken,
) -> Stopped {
    let store = app.store().clone();
    let mut panics = 0;
    // Whether it is the alarm's turn, not a change's, which has just been written.
    let mut alarmed = true;
    // When there was room last; unknown after a fault.
    let mut room: Option<Instant> = None;
    loop {
        if !store.in_place() {
            let path = store.path().display();
            let words = format!(
                "{path} was removed or replaced while this ran: nothing more is written to it. Put it back (certkeeper \
                 restore puts a backup in its place), then start again"
            );
            health.set_store(Err(words.clone()));
            return Stopped::FileGone(words);
        }
        // While nothing can be kept, nothing is said: it could not be kept that it was.
        let round = async {
            fault::point("round");
            if alarmed || app.take_storage_failed() || room.is_none() {
                room = None;
                store.probe(clock.now()).await?;
            }
            if room.is_none_or(|at| at.elapsed() >= ROOM_LOOK) {
                store.try_room().await?;
                room = Some(Instant::now());
            }
            deliverer.round(&*clock).await
        };
        let Ok(round) = AssertUnwindSafe(round).catch_unwind().await else {
            app.metrics().panicked(Caught::Notifier);
            heartbeat.beat(false);
            panics += 1;
            tracing::error!(in_a_row = panics, "a round of reminders panicked");
            if panics >= PANICS {
                return Stopped::Broken;
            }
            if stop.run_until_cancelled(tokio::time::sleep(AFTER_PANIC)).await.is_none() {
                return Stopped::Asked;
            }
            continue;
        };
        panics = 0;
        heartbeat.beat(round.as_ref().is_ok_and(|r| r.stopped.is_none()));
        let again = match round {
            Ok(round) => {
                health.ticked();
                health.set_store(Ok(()));
                if let Some(why) = round.stopped {
                    return Stopped::Refused(why);
                }
                round.again
            }
            Err(fault) => {
                tracing::error!(error = &fault as &dyn std::error::Error, path = %store.path().display(), "a round of reminders failed; it is tried again");
                health.set_store(Err(fault.words()));
                room = None;
                Some(STORE_AGAIN)
            }
        };
        let wait = again.unwrap_or(Duration::from_secs(60)).max(Duration::from_millis(50));
        alarmed = tokio::select! {
            () = stop.cancelled() => return Stopped::Asked,
            () = alarm.rung() => true,
            () = async { app.changed().await; tokio::time::sleep(GATHER).await } => false,
            () = tokio::time::sleep(wait) => true,
        };
    }
}
