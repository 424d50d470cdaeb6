//! A wall clock that jumps: the daemon's `CLOCK_REALTIME` is read from a file that the test writes. Sleeps and
//! the monotonic clock stay real, as they do when a machine's clock is set.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::shim;

/// A clock shared by the fake and the programs that it is given to.
#[derive(Debug, Clone)]
pub(crate) struct WallClock(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    folder: tempfile::TempDir,
    library: PathBuf,
    file: File,
    hand: Mutex<Hand>,
}

#[derive(Debug, Clone, Copy)]
struct Hand {
    seq: u64,
    /// Nanoseconds of the machine's monotonic clock when the hand was last set.
    mono: i64,
    /// Nanoseconds since 1970 that the clock showed then.
    shown: i64,
    /// Nanoseconds that pass on it in a real second.
    rate: i64,
}

impl WallClock {
    /// A clock that shows `at` (RFC 3339) now and goes on from there; nothing, with a loud line, on a machine
    /// that has no C compiler.
    pub(crate) fn at(at: &str) -> Option<Self> {
        let library = shim::built("wallclock", include_str!("wallclock.c"))?;
        let folder = tempfile::tempdir().unwrap();
        let file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .open(folder.path().join("clock"))
            .unwrap();
        let hand = Hand { seq: 0, mono: monotonic(), shown: nanos(at), rate: 1_000_000_000 };
        let clock = Self(Arc::new(Shared { folder, library, file, hand: Mutex::new(hand) }));
        clock.write(|_| ());
        Some(clock)
    }

    /// What it shows.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        let hand = *self.0.hand.lock().unwrap();
        DateTime::from_timestamp_nanos(shown(hand, monotonic()))
    }

    /// Jumps to `to` (RFC 3339), forward or back.
    pub(crate) fn set(&self, to: &str) {
        let to = nanos(to);
        self.write(|hand| hand.shown = to);
    }

    /// Jumps by so much, forward or back.
    pub(crate) fn jump(&self, by: TimeDelta) {
        self.write(|hand| hand.shown += by.num_nanoseconds().unwrap());
    }

    /// How many seconds pass on it in a real one; 0 stops it.
    pub(crate) fn rate(&self, rate: f64) {
        self.write(|hand| hand.rate = (rate * 1e9) as i64);
    }

    /// What a program must find in its environment to see this clock.
    pub(crate) fn env(&self) -> [(&'static str, String); 2] {
        [
            ("LD_PRELOAD", self.0.library.display().to_string()),
            ("WALLCLOCK_FILE", self.0.folder.path().join("clock").display().to_string()),
        ]
    }

    /// Changes the hand where it stands now. Readers see the sequence number odd while it is being written.
    fn write(&self, change: impl FnOnce(&mut Hand)) {
        let mut hand = self.0.hand.lock().unwrap();
        let mono = monotonic();
        hand.shown = shown(*hand, mono);
        hand.mono = mono;
        change(&mut hand);
        hand.seq += 2;
        let put = |word: u64, at: u64| self.0.file.write_all_at(&word.to_ne_bytes(), at).unwrap();
        put(hand.seq - 1, 0);
        put(hand.mono.cast_unsigned(), 8);
        put(hand.shown.cast_unsigned(), 16);
        put(hand.rate.cast_unsigned(), 24);
        put(hand.seq, 0);
    }
}

fn shown(hand: Hand, mono: i64) -> i64 {
    let passed = i128::from(mono - hand.mono) * i128::from(hand.rate) / 1_000_000_000;
    hand.shown + passed as i64
}

fn nanos(at: &str) -> i64 {
    DateTime::parse_from_rfc3339(at).unwrap().timestamp_nanos_opt().unwrap()
}

/// The machine's monotonic clock, the same in every process.
fn monotonic() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

/// Long enough for anything that should be done at once on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(10);
