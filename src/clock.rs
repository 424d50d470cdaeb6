//! Time as an input. Nothing else in the house reads the clock of the machine: whoever needs the present
//! instant is handed it, or is handed a [`Clock`].

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

/// Tells the present instant.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The present instant, in UTC.
    fn now(&self) -> DateTime<Utc>;

    /// How long the machine has been up, which setting its clock does not change; `None` where that is not known.
    fn uptime(&self) -> Option<Duration> {
        None
    }
}

/// A wait, give or take a fifth, so that many who wait do not come back at once.
pub fn jitter(wait: Duration) -> Duration {
    use std::hash::{BuildHasher as _, Hasher as _};
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish() % 400;
    wait.mul_f64(0.8 + f64::from(u16::try_from(random).unwrap_or_default()) / 1_000.0)
}

/// The machine's wall clock, which may jump either way.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the machine's clock is read")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn uptime(&self) -> Option<Duration> {
        let told = std::fs::read_to_string("/proc/uptime").ok()?;
        Duration::try_from_secs_f64(told.split_whitespace().next()?.parse().ok()?).ok()
    }
}

/// A clock set by hand: the demo's, and the tests'.
#[derive(Debug, Clone)]
pub struct HandClock(Arc<Mutex<DateTime<Utc>>>);

impl HandClock {
    /// A clock that stands at `at` until it is set.
    pub fn at(at: DateTime<Utc>) -> Self {
        Self(Arc::new(Mutex::new(at)))
    }

    /// Sets the clock, forward or back.
    pub fn set(&self, to: DateTime<Utc>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = to;
    }
}

impl Clock for HandClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
