//! How it is kept: SQLite in one file, one file here per aggregate, free functions on a connection.
//!
//! Every write goes through [`Store::write`]: one transaction (`BEGIN IMMEDIATE`) on the one writing connection,
//! on disk (`synchronous=FULL`) when [`Write::commit`] returns. Every function takes the organisation's key and
//! puts it into its SQL.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{Connection as _, Sqlite, Transaction};
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard};

use crate::domain::action::Action;
use crate::domain::area::Area;
use crate::domain::audit::Audit;
use crate::domain::certificate::{Certificate, CertificateFile};
use crate::domain::finding::Finding;
use crate::domain::nonconformity::Nonconformity;
use crate::domain::record::Record;
use crate::domain::reminder::{Answer, OwnReminder};
use crate::domain::review::Review;
use crate::metrics::Commits;

pub mod action;
pub mod area;
pub mod audit;
pub mod certificate;
pub mod erase;
pub mod evidence;
pub mod file;
pub mod finding;
pub mod journal;
pub mod nonconformity;
pub mod notices;
pub mod organisation;
pub mod person;
pub mod record;
pub mod reminder;
pub mod requests;
mod restored;
pub mod review;
pub mod snapshot;
pub mod verify;

pub use restored::Restored;

/// What a file of ours carries as its application id: `CKP1`.
pub const APPLICATION_ID: i64 = 0x434b_5031;

/// The schema, embedded.
static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// Under what it is remembered when the file last took a write that changes nothing.
const PROBED: &str = "write probe";

/// The first SQLite release without the WAL-reset race (sqlite.org/wal.html#walresetbug).
const SQLITE_LEAST: (u32, u32, u32) = (3, 51, 3);

/// What can go wrong in keeping; a person is told that nothing was changed, the log is told why.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// SQLite or the disk refused.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the database could not be migrated")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A row holds what it never should.
    #[error("{table} {id}: {column} holds {value:?}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The row's key.
        id: i64,
        /// The column.
        column: &'static str,
        /// What it holds.
        value: String,
    },
    /// Something kept as JSON could not be read or written.
    #[error("kept JSON could not be read or written")]
    Json(#[from] serde_json::Error),
    /// The disk refused a file beside the database.
    #[error("{} could not be written", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        why: std::io::Error,
    },
}

impl Fault {
    /// What a row holds that nobody of ours wrote.
    pub(crate) fn inconsistent(table: &'static str, id: i64, column: &'static str, value: &str) -> Self {
        Self::Inconsistent { table, id, column, value: value.to_owned() }
    }

    /// What of the storage failed, where it was that.
    pub fn storage(&self) -> Option<Storage> {
        match self {
            Self::Database(sqlx::Error::Database(e)) => {
                let code: u32 = e.code()?.parse().ok()?;
                match (code, code & 0xff) {
                    // SQLITE_FULL, SQLITE_IOERR_SHMSIZE: the log's index could not grow.
                    (13 | 4_874, _) => Some(Storage::Full),
                    // SQLITE_READONLY, SQLITE_IOERR, SQLITE_CANTOPEN.
                    (_, 8 | 10 | 14) => Some(Storage::Failing),
                    _ => None,
                }
            }
            Self::Disk { why, .. } => {
                use std::io::ErrorKind::{QuotaExceeded, StorageFull};
                Some(if [StorageFull, QuotaExceeded].contains(&why.kind()) {
                    Storage::Full
                } else {
                    Storage::Failing
                })
            }
            Self::Database(_) | Self::Migration(_) | Self::Inconsistent { .. } | Self::Json(_) => None,
        }
    }

    /// What is wrong, with its cause, for whoever looks after the process.
    pub fn words(&self) -> String {
        match std::error::Error::source(self) {
            Some(cause) => format!("{self}: {cause}"),
            None => self.to_string(),
        }
    }
}

/// How storage fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// No room is left.
    Full,
    /// It refuses, or breaks.
    Failing,
}

/// Why the file could not be opened, in words for the operator.
#[derive(Debug, thiserror::Error)]
pub enum OpenFault {
    /// The operator must mend a setting or a permission.
    #[error("{0}")]
    Setting(String),
    /// The file is damaged.
    #[error("{0}")]
    Corrupt(String),
    /// Another daemon has it.
    #[error("{0}")]
    Locked(String),
}

/// The database file, open.
#[derive(Debug, Clone)]
pub struct Store {
    path: PathBuf,
    /// Which file it is: device and inode.
    file: Option<(u64, u64)>,
    writer: SqlitePool,
    commits: Commits,
    reader: Arc<Mutex<Option<snapshot::Reader>>>,
}

/// A lock that lets only one daemon run on a file; held as long as it lives.
#[derive(Debug)]
pub struct Lock {
    _file: std::fs::File,
}

impl Lock {
    /// Takes the lock beside the database file.
    pub fn take(database: &Path) -> Result<Self, OpenFault> {
        let mut path = database.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        let file = std::fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|e| OpenFault::Setting(place_words(database, &e.to_string())))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(std::fs::TryLockError::WouldBlock) => Err(OpenFault::Locked(format!(
                "another certkeeper already runs on {}; stop it first, or give this one a database of its own \
                 (database.path)",
                database.display()
            ))),
            Err(std::fs::TryLockError::Error(e)) => {
                Err(OpenFault::Setting(place_words(database, &e.to_string())))
            }
        }
    }
}

fn place_words(database: &Path, why: &str) -> String {
    use std::os::unix::fs::MetadataExt as _;
    let folder = match database.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    };
    let me = std::fs::metadata("/proc/self").map(|m| (m.uid(), m.gid())).ok();
    let owned = |path: &Path| std::fs::metadata(path).map(|m| (path.to_owned(), m.uid(), m.gid()));
    // The file's own owner counts where it is another's than the folder's.
    let owner = owned(folder).map(|folder| match (owned(database), me) {
        (Ok(file), Some((uid, _))) if file.1 != uid => file,
        _ => folder,
    });
    match (owner, me) {
        (Err(e), _) if e.kind() == std::io::ErrorKind::NotFound => format!(
            "database.path: the folder {} does not exist; create it, or mount a volume there",
            folder.display()
        ),
        (Ok((which, owner, group)), Some((uid, gid))) if owner != uid => format!(
            "database.path: {} cannot be written ({why}); {} is owned by {owner}:{group} and this runs as {uid}:{gid}: \
             run chown -R {uid}:{gid} {}",
            database.display(),
            which.display(),
            folder.display()
        ),
        _ => format!("database.path: {} cannot be written ({why}); make it writable", database.display()),
    }
}

/// A transaction that changes an organisation's records, with the journal's view of it.
#[derive(Debug)]
pub struct Write<'c> {
    pub(crate) tx: Transaction<'c, Sqlite>,
    written: Vec<(journal::Table, i64)>,
    commits: Commits,
}

impl Write<'_> {
    /// The connection, for reading within the transaction.
    pub fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.tx
    }

    /// Ends the transaction: everything in it is on disk when this returns.
    pub async fn commit(self) -> Result<(), Fault> {
        debug_assert!(self.written.is_empty(), "changed rows were not journalled");
        let began = Instant::now();
        counted(&self.commits, self.tx.commit().await)?;
        self.commits.took(began.elapsed());
        Ok(())
    }

    /// Marks a place in the transaction to go back to.
    pub async fn mark(&mut self) -> Result<usize, Fault> {
        sqlx::query("SAVEPOINT attempt").execute(&mut *self.tx).await?;
        Ok(self.written.len())
    }

    /// Goes back to the marked place, or keeps what was written since.
    pub async fn settle(&mut self, mark: usize, keep: bool) -> Result<(), Fault> {
        if !keep {
            sqlx::query("ROLLBACK TO attempt").execute(&mut *self.tx).await?;
            self.written.truncate(mark);
        }
        sqlx::query("RELEASE attempt").execute(&mut *self.tx).await?;
        Ok(())
    }

    /// Ends the transaction as if it had not been.
    pub async fn roll_back(self) -> Result<(), Fault> {
        Ok(self.tx.rollback().await?)
    }
}

impl Store {
    /// Opens the file, creating and migrating it as needed; before a migration a copy of it is kept beside it.
    pub async fn open(path: &Path) -> Result<Self, OpenFault> {
        Self::open_and(path, true).await
    }

    /// Opens a copy of a file, migrating it as needed: what it was before is what it was copied from.
    pub async fn open_copy(path: &Path) -> Result<Self, OpenFault> {
        Self::open_and(path, false).await
    }

    async fn open_and(path: &Path, keep: bool) -> Result<Self, OpenFault> {
        let existed = path.exists();
        let trouble = |e: &dyn std::fmt::Display| OpenFault::Setting(place_words(path, &e.to_string()));
        if !existed {
            create_private(path).map_err(|e| trouble(&e))?;
        }
        let options = options(path);
        // A connection is tested when it comes back to its pool; once more when it is handed out would only cost time.
        let writer = SqlitePoolOptions::new()
            .acquire_timeout(Duration::from_secs(10))
            .test_before_acquire(false)
            .max_connections(1)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.clone())
            .await
            .map_err(|e| open_words(path, &e))?;
        let store = Self {
            path: path.to_owned(),
            file: identity(path),
            writer,
            commits: Commits::default(),
            reader: Arc::default(),
        };
        store.check(existed, keep).await?;
        let reader = SqliteConnection::connect_with(&options.pragma("query_only", "ON"))
            .await
            .map_err(|e| open_words(path, &e))?;
        *store.reader.lock().await = Some(snapshot::Reader::new(reader));
        if keep {
            // SQLite opens what it may only read without a word.
            store.set_registered(PROBED, "").await.map_err(|fault| trouble(&fault.words()))?;
        }
        Ok(store)
    }

    /// Writes a small file beside the database, to see whether there is room, and removes it.
    pub async fn try_room(&self) -> Result<(), Fault> {
        let mut path = self.path.as_os_str().to_owned();
        path.push(".room");
        let path = PathBuf::from(path);
        let tried = tokio::fs::write(&path, vec![0_u8; 16 * 1024]).await;
        let removed = tokio::fs::remove_file(&path).await;
        tried.and(removed).map_err(|why| Fault::Disk { path, why })
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "whatever else a migration may fail of")]
    async fn check(&self, existed: bool, keep: bool) -> Result<(), OpenFault> {
        let path = self.path.display();
        let say = |e: sqlx::Error| open_words(&self.path, &e);
        let mut c = self.writer.acquire().await.map_err(say)?;
        let version: String =
            sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut *c).await.map_err(say)?;
        let mut parts = version.split('.').map(|p| p.parse().unwrap_or(0));
        let number = (parts.next().unwrap_or(0), parts.next().unwrap_or(0), parts.next().unwrap_or(0));
        if number < SQLITE_LEAST {
            return Err(OpenFault::Setting(format!(
                "this build carries SQLite {version}, which can corrupt a WAL database; build with the locked versions"
            )));
        }
        if existed {
            if let Some(found) = file::damage(&mut c, false).await.map_err(say)? {
                return Err(OpenFault::Corrupt(format!(
                    "{path} is damaged ({found}); nothing was written. Put the latest backup in its place: certkeeper restore FILE --force"
                )));
            }
            let id = file::application_id(&mut c).await.map_err(say)?;
            let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema")
                .fetch_one(&mut *c)
                .await
                .map_err(say)?;
            if tables > 0 && id != APPLICATION_ID {
                return Err(OpenFault::Setting(format!(
                    "database.path: {path} is a database of another program; name another file"
                )));
            }
        }
        if existed && keep {
            self.keep_before_upgrade(&mut c).await?;
        }
        MIGRATIONS.run(&mut *c).await.map_err(|e| match e {
            sqlx::migrate::MigrateError::VersionMissing(v) => OpenFault::Setting(format!(
                "{path} has schema {v}, which is newer than this certkeeper knows; run the newer release. \
                 Nothing was changed"
            )),
            sqlx::migrate::MigrateError::VersionMismatch(v) => OpenFault::Setting(format!(
                "{path} has a schema {v} that is not this certkeeper's: another build made it, or the file was \
                 altered. Run the build that made it, or put a backup back. Nothing was changed"
            )),
            other => OpenFault::Corrupt(format!("{path} could not be brought up to date: {other}")),
        })
    }

    /// Where an upgrade of the schema stands before the door, takes a copy of the file as it is, beside it
    /// (`NAME.before-schema-N`).
    async fn keep_before_upgrade(&self, c: &mut SqliteConnection) -> Result<(), OpenFault> {
        let known: i64 =
            sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'")
                .fetch_one(&mut *c)
                .await
                .map_err(|e| open_words(&self.path, &e))?;
        if known == 0 {
            return Ok(());
        }
        let has: Option<i64> = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations WHERE success")
            .fetch_one(&mut *c)
            .await
            .map_err(|e| open_words(&self.path, &e))?;
        let newest = MIGRATIONS.iter().map(|m| m.version).max().unwrap_or_default();
        let Some(has) = has.filter(|has| *has < newest) else { return Ok(()) };
        let mut copy = self.path.as_os_str().to_owned();
        copy.push(format!(".before-schema-{}", has + 1));
        let copy = PathBuf::from(copy);
        if copy.exists() {
            return Ok(());
        }
        let fault = |e: &dyn std::fmt::Display| {
            OpenFault::Setting(format!(
                "the schema of {} is to be upgraded, and no copy of the file could be kept as {} ({e}); nothing was \
                 changed: make room or make the folder writable",
                self.path.display(),
                copy.display()
            ))
        };
        // Under its name it is whole: one that was ended half way is made anew.
        let mut partial = copy.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        if partial.exists() {
            std::fs::remove_file(&partial).map_err(|e| fault(&e))?;
        }
        create_private(&partial).map_err(|e| fault(&e))?;
        if let Err(e) = file::copy_into(c, &partial).await {
            drop(std::fs::remove_file(&partial));
            return Err(fault(&e));
        }
        std::fs::File::open(&partial)
            .and_then(|file| file.sync_all())
            .and_then(|()| std::fs::rename(&partial, &copy))
            .map_err(|e| fault(&e))?;
        tracing::info!(from = has, to = newest, copy = %copy.display(), "the schema is upgraded; a copy was kept");
        Ok(())
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file that is open still stands at its path: one that was removed or replaced takes what is written
    /// to it into nothing.
    pub fn in_place(&self) -> bool {
        identity(&self.path) == self.file
    }

    /// Begins a transaction that writes. Never wrap it in a time-out or a select.
    pub async fn write(&self) -> Result<Write<'static>, Fault> {
        const BEGIN: &str = "BEGIN IMMEDIATE";
        let begun = match self.writer.begin_with(BEGIN).await {
            // SQLite takes a transaction back by itself where the disk is full or fails; the library, which then fails
            // to take it back, counts it as open for ever. A new connection knows of none.
            Err(sqlx::Error::InvalidSavePointStatement) => {
                tracing::warn!("a transaction was taken back by SQLite itself; the file is opened anew");
                self.writer.acquire().await?.close().await?;
                self.writer.begin_with(BEGIN).await
            }
            begun => begun,
        };
        let tx = counted(&self.commits, begun)?;
        Ok(Write { tx, written: Vec::new(), commits: self.commits.clone() })
    }

    /// How it fares in writing.
    pub fn commits(&self) -> &Commits {
        &self.commits
    }

    /// Writes something that changes nothing: whether the file still takes it.
    pub async fn probe(&self, now: DateTime<Utc>) -> Result<(), Fault> {
        self.set_registered(PROBED, &millis(now).to_string()).await
    }

    /// The connection that only reads. There is one: whoever holds it must not ask for it again.
    pub async fn read(&self) -> Result<MappedMutexGuard<'_, SqliteConnection>, Fault> {
        MutexGuard::try_map(self.reader.lock().await, |r| r.as_mut().map(|r| &mut r.c))
            .map_err(|_closed| sqlx::Error::PoolClosed.into())
    }

    /// Closes the file in good order; what is in the write-ahead log goes into it.
    pub async fn close(&self) {
        if let Some(reader) = self.reader.lock().await.take()
            && let Err(e) = reader.c.close().await
        {
            tracing::warn!(error = %e, "the reading connection did not close in good order");
        }
        if let Ok(mut c) = self.writer.acquire().await
            && let Err(e) = file::fold_log_in(&mut c).await
        {
            tracing::warn!(error = %e, "the write-ahead log could not be folded in; it will be at the next start");
        }
        self.writer.close().await;
    }
}

/// Counts that another program's lock turned us away.
fn counted<T>(commits: &Commits, result: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
    if let Err(sqlx::Error::Database(e)) = &result
        && matches!(e.code().as_deref(), Some("5" | "517"))
    {
        commits.was_busy();
    }
    result
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).ok().map(|m| (m.dev(), m.ino()))
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON")
        .pragma("secure_delete", "ON")
        .pragma("temp_store", "MEMORY")
        .pragma("journal_size_limit", "16777216")
}

fn open_words(path: &Path, e: &sqlx::Error) -> OpenFault {
    let words = e.to_string();
    if words.contains("malformed") || words.contains("not a database") {
        OpenFault::Corrupt(format!(
            "{} is damaged or no database ({words}); nothing was written. Put the latest backup in its place: certkeeper restore FILE --force",
            path.display()
        ))
    } else {
        OpenFault::Setting(place_words(path, &words))
    }
}

/// Creates the file so that only its owner can read it.
pub(crate) fn create_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(path).map(|_| ())
}

/// An instant as it is kept.
pub(crate) fn millis(at: DateTime<Utc>) -> i64 {
    at.timestamp_millis()
}

/// A kept instant; what is out of chrono's range cannot have been kept by us and reads as the epoch.
pub(crate) fn instant(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
}

/// A date as it is kept.
pub(crate) fn iso(day: NaiveDate) -> String {
    day.format("%Y-%m-%d").to_string()
}

/// A kept date.
pub(crate) fn day(
    table: &'static str,
    id: i64,
    column: &'static str,
    kept: &str,
) -> Result<NaiveDate, Fault> {
    NaiveDate::from_str(kept).map_err(|_unreadable| Fault::Inconsistent {
        table,
        id,
        column,
        value: kept.to_owned(),
    })
}

/// A kept number that must not be negative or too large.
pub(crate) fn small(table: &'static str, id: i64, column: &'static str, kept: i64) -> Result<u32, Fault> {
    u32::try_from(kept).map_err(|_unreadable| Fault::Inconsistent {
        table,
        id,
        column,
        value: kept.to_string(),
    })
}

/// Opens a file for reading only, beside whoever writes it (for `verify` and the like).
pub async fn open_to_read(path: &Path) -> Result<SqliteConnection, OpenFault> {
    if !path.exists() {
        return Err(OpenFault::Setting(format!("database.path: there is no {}", path.display())));
    }
    SqliteConnection::connect_with(&options(path).pragma("query_only", "ON"))
        .await
        .map_err(|e| open_words(path, &e))
}

/// Opens a file beside whoever else has it, for what changes none of its contents.
pub async fn open_beside(path: &Path) -> Result<SqliteConnection, OpenFault> {
    if !path.exists() {
        return Err(OpenFault::Setting(format!("database.path: there is no {}", path.display())));
    }
    SqliteConnection::connect_with(&options(path)).await.map_err(|e| open_words(path, &e))
}

/// Opens a file that nobody else has, as it is: no log beside it, and `still` where not a byte of it may change.
pub async fn open_alone(path: &Path, still: bool) -> Result<SqliteConnection, OpenFault> {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(false);
    let options = if still { options.read_only(true).immutable(true) } else { options };
    SqliteConnection::connect_with(&options).await.map_err(|e| open_words(path, &e))
}

/// Everything on record of an organisation, certificate by certificate, with what belongs to none: what planning is
/// made from.
pub async fn facts(
    c: &mut SqliteConnection,
    org: i64,
    closed_too: bool,
) -> Result<(Vec<CertificateFile>, Rest), Fault> {
    let people = person::all(c, org).await?;
    let certificates = certificate::all_with(c, org, &people).await?;
    let audits = audit::all_with(c, org, &people).await?;
    let ncs = nonconformity::all_with(c, org, closed_too, &people).await?;
    let rest = Rest::load(c, org, &people).await?;
    Ok((files(certificates, &audits, &ncs, &rest), rest))
}

/// What is on record beside certificates, audits and nonconformities.
#[derive(Debug, Default)]
pub struct Rest {
    /// Areas, by number.
    pub areas: Vec<Area>,
    /// Findings that are no nonconformities, by number.
    pub findings: Vec<Finding>,
    /// Actions, by number.
    pub actions: Vec<Action>,
    /// Management reviews, by number.
    pub reviews: Vec<Review>,
    /// Dated records, by number.
    pub records: Vec<Record>,
    /// What was answered to reminders.
    pub answers: Vec<Answer>,
    /// Reminders of people's own, by number.
    pub own: Vec<OwnReminder>,
}

impl Rest {
    async fn load(c: &mut SqliteConnection, org: i64, people: &person::People) -> Result<Self, Fault> {
        Ok(Self {
            areas: area::all_with(c, org, people).await?,
            findings: finding::all_with(c, org, people).await?,
            actions: action::all_with(c, org, people).await?,
            reviews: review::all_with(c, org, people).await?,
            records: record::all_with(c, org, people).await?,
            answers: reminder::answers(c, org, people).await?,
            own: reminder::own(c, org, people).await?,
        })
    }
}

fn files(
    certificates: Vec<Certificate>,
    audits: &[Audit],
    ncs: &[Nonconformity],
    rest: &Rest,
) -> Vec<CertificateFile> {
    certificates
        .into_iter()
        .map(|certificate| CertificateFile {
            audits: audits
                .iter()
                .filter(|a| a.state.is_completed() && a.certificates.contains(&certificate.id))
                .cloned()
                .collect(),
            booked: audits
                .iter()
                .filter(|a| a.state.is_ahead() && a.certificates.contains(&certificate.id))
                .cloned()
                .collect(),
            findings: rest.findings.iter().filter(|f| f.certificate == certificate.id).cloned().collect(),
            actions: rest.actions.iter().filter(|a| a.certificate == certificate.id).cloned().collect(),
            reviews: rest
                .reviews
                .iter()
                .filter(|r| r.certificates.contains(&certificate.id))
                .cloned()
                .collect(),
            records: rest
                .records
                .iter()
                .filter(|r| r.certificate.is_none_or(|id| id == certificate.id))
                .cloned()
                .collect(),
            areas: rest.areas.clone(),
            nonconformities: ncs.iter().filter(|nc| nc.certificate == certificate.id).cloned().collect(),
            certificate,
        })
        .collect()
}
