//! Backups: taken beside a running daemon, proven by opening them, and put back without saying anything twice.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;

use crate::store::verify::{self, Verified};
use crate::store::{self, Lock, OpenFault, Restored, Store};

/// Why a backup could not be taken or put back, in words for the operator.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It is not to be had, or may not be put there: nothing was changed.
    #[error("{0}")]
    Refused(String),
    /// The file is damaged or was altered: nothing was changed.
    #[error("{0}")]
    Damaged(String),
    /// The file in use, or the place, is not fit.
    #[error(transparent)]
    Open(#[from] OpenFault),
    /// The disk refused.
    #[error("{what}: {why}")]
    Io {
        /// What was being done.
        what: String,
        /// Why it failed.
        why: io::Error,
    },
    /// SQLite refused.
    #[error("the database failed")]
    Store(#[from] store::Fault),
}

impl From<sqlx::Error> for Fault {
    fn from(fault: sqlx::Error) -> Self {
        Self::Store(fault.into())
    }
}

/// A backup that was taken and proven.
#[derive(Debug)]
pub struct Taken {
    /// Where it stands.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Its chains, all whole.
    pub chains: Vec<Verified>,
}

/// How a backup's file is called.
const STAMP: &str = "certkeeper-%Y%m%dT%H%M%SZ.db";
/// How it is called besides until it is proven.
const PARTIAL: &str = ".partial";

pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Fault {
    let what = what.into();
    move |why| Fault::Io { what, why }
}

/// The folder for backups where none is set: `backups` beside the database.
pub fn folder_beside(database: &Path) -> PathBuf {
    database.parent().unwrap_or(Path::new("")).join("backups")
}

/// Takes a backup of `database` into `to`: a folder, where it is named by the instant, or a file that does not exist.
/// It stands there under its name only once it was opened, found whole and its chains were checked.
pub async fn take(database: &Path, to: &Path, now: DateTime<Utc>) -> Result<Taken, Fault> {
    let path = if to.extension().is_some() && !to.is_dir() {
        to.to_owned()
    } else {
        to.join(now.format(STAMP).to_string())
    };
    if path.exists() {
        return Err(Fault::Refused(format!("{} exists already; name another file", path.display())));
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    std::fs::create_dir_all(&folder).map_err(io(format!("making the folder {}", folder.display())))?;
    clear_partial(&folder, now);
    let partial = with_suffix(&path, PARTIAL);
    clear(&partial)?;
    let taken = write(database, &path, &partial, &folder, now).await;
    if taken.is_err() {
        // What could not be finished is of no use to anybody; the fault says why.
        drop(clear(&partial));
    }
    match taken {
        Err(Fault::Store(why)) if why.storage().is_some() => Err(Fault::Refused(format!(
            "no backup could be written to {} ({}); make room there, or name another folder. Earlier ones are as they \
             were",
            folder.display(),
            why.words()
        ))),
        taken => taken,
    }
}

async fn write(
    database: &Path,
    path: &Path,
    partial: &Path,
    folder: &Path,
    now: DateTime<Utc>,
) -> Result<Taken, Fault> {
    store::create_private(partial).map_err(io(format!("writing {}", partial.display())))?;
    let mut c = store::open_beside(database).await?;
    store::file::copy_into(&mut c, partial).await?;
    c.close().await?;
    let mut c = store::open_alone(partial, false).await?;
    Restored::mark_taken(&mut c, now).await?;
    c.close().await?;
    let mut c = store::open_alone(partial, true).await?;
    let chains = prove(&mut c, partial).await?;
    c.close().await?;
    let file = File::open(partial).map_err(io(format!("reading {}", partial.display())))?;
    file.sync_all().map_err(io(format!("writing {}", partial.display())))?;
    let bytes = file.metadata().map_err(io(format!("reading {}", partial.display())))?.len();
    std::fs::rename(partial, path).map_err(io(format!("naming {}", path.display())))?;
    sync_folder(folder)?;
    Ok(Taken { path: path.to_owned(), bytes, chains })
}

/// Finds a database whole and its chains unaltered.
pub(crate) async fn prove(c: &mut SqliteConnection, path: &Path) -> Result<Vec<Verified>, Fault> {
    if let Some(found) = store::file::damage(c, true).await? {
        return Err(Fault::Damaged(format!("{} is damaged: {found}", path.display())));
    }
    let chains = verify::all(c).await?;
    if let Some(v) = chains.iter().find(|v| !v.altered.is_empty()) {
        return Err(Fault::Damaged(format!(
            "{}: the journal of {} was altered: {}",
            path.display(),
            v.place,
            v.altered.join("; ")
        )));
    }
    Ok(chains)
}

/// Removes what backups that were ended half way have left behind; one that is still being taken is younger.
fn clear_partial(folder: &Path, now: DateTime<Utc>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|e| e.path()) {
        let begun =
            path.to_str().and_then(|name| name.strip_suffix(PARTIAL)).and_then(|name| stamp(Path::new(name)));
        if begun.is_some_and(|at| (now - at).abs() > TimeDelta::hours(1))
            && let Err(fault) = clear(&path)
        {
            tracing::warn!(
                error = &fault as &dyn std::error::Error,
                "an unfinished backup could not be removed"
            );
        }
    }
}

/// When a backup was taken, by its name.
fn stamp(path: &Path) -> Option<DateTime<Utc>> {
    let name = path.file_name()?.to_str()?;
    NaiveDateTime::parse_from_str(name, STAMP).ok().map(|at| at.and_utc())
}

/// The backups in a folder that carry their instant in their name, oldest first.
fn stamped(folder: &Path) -> Vec<(DateTime<Utc>, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<_> =
        entries.flatten().filter_map(|e| stamp(&e.path()).map(|at| (at, e.path()))).collect();
    found.sort();
    found
}

/// When the latest backup in a folder was taken.
pub fn latest(folder: &Path) -> Option<DateTime<Utc>> {
    stamped(folder).last().map(|(at, _)| *at)
}

/// The copies that were made of a database and still stand: backups in the folder, and what an upgrade or a restoration
/// kept beside it.
pub fn copies(database: &Path, folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = stamped(folder).into_iter().map(|(_, path)| path).collect();
    let before = database.file_name().map(|name| format!("{}.before-", name.to_string_lossy()));
    let beside = match database.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if let (Some(before), Ok(entries)) = (before, std::fs::read_dir(beside)) {
        let kept = entries.flatten().filter(|e| e.file_name().to_string_lossy().starts_with(&before));
        found.extend(kept.map(|e| e.path()));
    }
    found
}

/// Whether another backup is due: none is there, or the latest is `every` old (or, the clock having been set back, of
/// a time to come).
pub fn due(folder: &Path, every: TimeDelta, now: DateTime<Utc>) -> bool {
    latest(folder).is_none_or(|at| now - at >= every || at > now + TimeDelta::minutes(5))
}

/// Removes the oldest backups beyond `keep`.
pub fn prune(folder: &Path, keep: usize) -> Result<usize, Fault> {
    let found = stamped(folder);
    let surplus = found.len().saturating_sub(keep.max(1));
    for (_, path) in found.iter().take(surplus) {
        std::fs::remove_file(path).map_err(io(format!("removing {}", path.display())))?;
    }
    Ok(surplus)
}

/// What came of putting a backup back.
#[derive(Debug)]
pub struct PutBack {
    /// Where the file that was in its place stands now.
    pub moved: Option<PathBuf>,
    /// When the backup was taken.
    pub taken: DateTime<Utc>,
    /// Its chains, all whole.
    pub chains: Vec<Verified>,
}

/// Puts the backup `from` in the place of `database`: proven first, on a copy. What stands there is moved aside, and
/// only if `force` says so.
pub async fn restore(
    from: &Path,
    database: &Path,
    force: bool,
    now: DateTime<Utc>,
) -> Result<PutBack, Fault> {
    if !from.is_file() {
        return Err(Fault::Refused(format!("there is no file {}", from.display())));
    }
    if let Some(folder) = database.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(io(format!("making the folder {}", folder.display())))?;
    }
    let _lock = Lock::take(database)?;
    if database.exists() && !force {
        return Err(Fault::Refused(format!(
            "{} exists; say --force to move it aside and put the backup in its place",
            database.display()
        )));
    }
    let copy = with_suffix(database, ".restoring");
    clear(&copy)?;
    let proven = prepare(from, &copy, now).await;
    let (taken, chains) = match proven {
        Ok(proven) => proven,
        Err(fault) => {
            drop(clear(&copy));
            return Err(fault);
        }
    };
    let moved = if database.exists() { Some(set_aside(database, now).await?) } else { None };
    std::fs::rename(&copy, database).map_err(io(format!("naming {}", database.display())))?;
    clear(&copy)?;
    sync_folder(database.parent().unwrap_or(Path::new(".")))?;
    Ok(PutBack { moved, taken, chains })
}

/// A copy of the backup, proven, brought up to date and marked as restored.
async fn prepare(
    from: &Path,
    copy: &Path,
    now: DateTime<Utc>,
) -> Result<(DateTime<Utc>, Vec<Verified>), Fault> {
    std::fs::copy(from, copy).map_err(io(format!("copying {}", from.display())))?;
    let damaged = |why: &dyn std::fmt::Display| {
        Fault::Damaged(format!(
            "{} cannot be put back: {why}. Nothing was changed; try an older backup",
            from.display()
        ))
    };
    {
        let mut c = store::open_alone(copy, true).await.map_err(|e| damaged(&e))?;
        let id = store::file::application_id(&mut c).await.map_err(|e| damaged(&e))?;
        if id != store::APPLICATION_ID {
            return Err(Fault::Refused(format!("{} is no certkeeper database", from.display())));
        }
        c.close().await?;
    }
    let store = Store::open_copy(copy).await.map_err(|e| damaged(&e))?;
    let chains = prove(&mut *store.read().await?, from).await.map_err(|e| damaged(&e))?;
    let taken = Restored::mark(&store, now).await?;
    store.close().await;
    let mut c = store::open_beside(copy).await?;
    store::file::without_log(&mut c).await?;
    c.close().await?;
    let file = File::open(copy).map_err(io(format!("reading {}", copy.display())))?;
    file.sync_all().map_err(io(format!("writing {}", copy.display())))?;
    Ok((taken, chains))
}

/// Moves a database aside with all that belongs to it.
async fn set_aside(database: &Path, now: DateTime<Utc>) -> Result<PathBuf, Fault> {
    // What is in its log goes into it if it still opens; if it does not, the log goes with it.
    if let Ok(mut c) = store::open_beside(database).await {
        if let Err(e) = store::file::fold_log_in(&mut c).await {
            tracing::warn!(error = %e, "the write-ahead log of the old file could not be folded in");
        }
        if let Err(e) = c.close().await {
            tracing::warn!(error = %e, "the old file did not close in good order");
        }
    }
    let aside = with_suffix(database, &now.format(".before-restore-%Y%m%dT%H%M%SZ").to_string());
    for suffix in ["-wal", "-shm", ""] {
        let (was, goes) = (with_suffix(database, suffix), with_suffix(&aside, suffix));
        if was.exists() {
            std::fs::rename(&was, &goes).map_err(io(format!("moving {} aside", was.display())))?;
        }
    }
    Ok(aside)
}

pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn remove(path: &Path) -> Result<(), Fault> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            Err(Fault::Io { what: format!("removing {}", path.display()), why: e })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Removes a database with all that belongs to it.
pub(crate) fn clear(path: &Path) -> Result<(), Fault> {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        remove(&with_suffix(path, suffix))?;
    }
    Ok(())
}

pub(crate) fn sync_folder(folder: &Path) -> Result<(), Fault> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(io(format!("writing the folder {}", folder.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_is_due_when_none_is_there_or_it_is_old_whatever_the_clock_does() {
        let folder = tempfile::tempdir().unwrap();
        let now: DateTime<Utc> = "2026-03-02T09:00:00Z".parse().unwrap();
        let day = TimeDelta::hours(24);
        assert!(due(folder.path(), day, now));
        for hours in [48, 30, 2] {
            let at = now - TimeDelta::hours(hours);
            std::fs::write(folder.path().join(at.format(STAMP).to_string()), "").unwrap();
        }
        std::fs::write(folder.path().join("mine.db"), "").unwrap();
        assert!(!due(folder.path(), day, now));
        assert!(due(folder.path(), day, now + day));
        assert!(due(folder.path(), day, now - TimeDelta::days(400)));
        assert_eq!(prune(folder.path(), 2).unwrap(), 1);
        assert_eq!(stamped(folder.path()).len(), 2);
        assert_eq!(latest(folder.path()), Some(now - TimeDelta::hours(2)));
        assert!(folder.path().join("mine.db").exists());
    }
}
