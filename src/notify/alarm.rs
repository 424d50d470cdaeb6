//! The alarm: a tick per minute from tokio-cron-scheduler, and a monotonic watchdog beside it.
//!
//! The scheduler freezes a zone's offset, forgets ticks missed while down, and stays silent after the clock was
//! set back. So it is only the alarm, in UTC; what is due is computed from what is on record. The watchdog rings
//! when the wall clock has jumped either way, or when the alarm should have rung and did not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use tokio::sync::Notify;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

use crate::clock::Clock;

/// Every minute, at second 0, in UTC.
const EVERY_MINUTE: &str = "0 * * * * *";
/// How often the watchdog looks.
const LOOK: Duration = Duration::from_secs(1);
/// How far wall and monotonic clock may drift apart between two looks.
const DRIFT: TimeDelta = TimeDelta::seconds(2);
/// How long the alarm may be silent.
const SILENCE: Duration = Duration::from_secs(65);

/// Rings for the notifier.
#[derive(Debug, Clone)]
pub struct Alarm(Arc<Notify>);

impl Alarm {
    /// Starts the alarm and its watchdog; they end with the runtime.
    pub async fn start(clock: Arc<dyn Clock>) -> Result<Self, JobSchedulerError> {
        let bell = Arc::new(Notify::new());
        let rung = Arc::new(std::sync::Mutex::new(Instant::now()));
        let scheduler = JobScheduler::new().await?;
        let (b, r) = (Arc::clone(&bell), Arc::clone(&rung));
        scheduler
            .add(Job::new(EVERY_MINUTE, move |_, _| {
                *r.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Instant::now();
                b.notify_one();
            })?)
            .await?;
        scheduler.start().await?;
        let b = Arc::clone(&bell);
        tokio::spawn(async move {
            // Kept: dropping it would end the alarm.
            let _scheduler = scheduler;
            let (mut wall, mut mono) = (clock.now(), Instant::now());
            loop {
                tokio::time::sleep(LOOK).await;
                let (wall_now, mono_now) = (clock.now(), Instant::now());
                let passed = TimeDelta::from_std(mono_now - mono).unwrap_or(TimeDelta::MAX);
                let drift = (wall_now - wall) - passed;
                (wall, mono) = (wall_now, mono_now);
                let silent =
                    rung.lock().unwrap_or_else(std::sync::PoisonError::into_inner).elapsed() > SILENCE;
                if drift.abs() > DRIFT {
                    tracing::warn!(seconds = drift.num_seconds(), "the wall clock jumped");
                    b.notify_one();
                } else if silent {
                    b.notify_one();
                }
            }
        });
        Ok(Self(bell))
    }

    /// Waits for the next ring.
    pub async fn rung(&self) {
        self.0.notified().await;
    }
}
