//! What an operator does with one organisation of a file: list it, hand it out, take it out, move it.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use sqlx::{Connection as _, SqliteConnection};

use crate::backup::{self, Fault, io};
use crate::command::Door;
use crate::domain::organisation::Organisation;
use crate::store::verify::Verified;
use crate::store::{self, Lock, Restored, Store, erase, journal, notices, organisation, requests};

/// An organisation in a line.
#[derive(Debug)]
pub struct Listed {
    /// The organisation.
    pub organisation: Organisation,
    /// Whether the bot is there.
    pub present: bool,
    /// How many certificates it has.
    pub certificates: usize,
    /// How many entries its journal has.
    pub entries: i64,
}

/// Every organisation of a file, by key.
pub async fn list(c: &mut SqliteConnection) -> Result<Vec<Listed>, store::Fault> {
    let mut out = Vec::new();
    for organisation in organisation::all(c).await? {
        out.push(Listed {
            present: organisation::presence(c, &organisation.place)
                .await?
                .is_some_and(|(present, _)| present),
            certificates: store::facts(c, organisation.id, false).await?.0.len(),
            entries: journal::head(c, organisation.id).await?.seq,
            organisation,
        });
    }
    Ok(out)
}

async fn at(c: &mut SqliteConnection, place: &str) -> Result<Organisation, Fault> {
    organisation::at_place(c, place).await?.ok_or_else(|| {
        Fault::Refused(format!(
            "there is no organisation {place} on file; certkeeper organisations lists those there are"
        ))
    })
}

/// An organisation that was handed out.
#[derive(Debug)]
pub struct Exported {
    /// Where it stands.
    pub path: PathBuf,
    /// How large the file is.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
    /// How many rows each table holds.
    pub rows: Vec<(String, i64)>,
    /// Its chain, whole.
    pub chain: Verified,
}

/// Copies one organisation into a file of its own, beside a running daemon: a database with nothing of any other in it,
/// which any SQLite reads, `verify` checks and `restore` puts in place.
pub async fn export(
    database: &Path,
    place: &str,
    to: Option<&Path>,
    now: DateTime<Utc>,
) -> Result<Exported, Fault> {
    let path = to.map_or_else(
        || PathBuf::from(format!("{}-{}.db", place.replace(':', "-"), now.format("%Y%m%dT%H%M%SZ"))),
        Path::to_owned,
    );
    if path.exists() {
        return Err(Fault::Refused(format!("{} exists already; name another file", path.display())));
    }
    let mut c = store::open_to_read(database).await?;
    at(&mut c, place).await?;
    c.close().await?;
    let (all, partial) = (backup::with_suffix(&path, ".all"), backup::with_suffix(&path, ".partial"));
    let written = write(database, place, &path, (&all, &partial), now).await;
    // In `all` is what nobody is to be handed.
    for left in [&all, &partial] {
        drop(backup::clear(left));
    }
    written
}

async fn write(
    database: &Path,
    place: &str,
    path: &Path,
    (all, partial): (&Path, &Path),
    now: DateTime<Utc>,
) -> Result<Exported, Fault> {
    for made in [all, partial] {
        backup::clear(made)?;
        store::create_private(made).map_err(io(format!("writing {}", made.display())))?;
    }
    let mut c = store::open_beside(database).await?;
    store::file::copy_into(&mut c, all).await?;
    c.close().await?;
    // Brought up to date, so that what is handed out has one schema.
    Store::open_copy(all).await?.close().await;
    let mut c = store::open_beside(all).await?;
    let org = at(&mut c, place).await?.id;
    let others: Vec<i64> =
        organisation::all(&mut c).await?.into_iter().map(|o| o.id).filter(|id| *id != org).collect();
    erase::erase(&mut c, &others).await?;
    erase::forget_the_file(&mut c).await?;
    Restored::mark_taken(&mut c, now).await?;
    store::file::copy_into(&mut c, partial).await?;
    c.close().await?;
    let mut c = store::open_alone(partial, true).await?;
    let mut chains = backup::prove(&mut c, partial).await?;
    let rows = erase::rows(&mut c, org).await?;
    c.close().await?;
    let (Some(chain), true) = (chains.pop(), chains.is_empty()) else {
        return Err(Fault::Damaged(format!("{} holds more than one organisation", partial.display())));
    };
    let file = File::open(partial).map_err(io(format!("reading {}", partial.display())))?;
    file.sync_all().map_err(io(format!("writing {}", partial.display())))?;
    let (bytes, sha256) = digest(file).map_err(io(format!("reading {}", partial.display())))?;
    std::fs::rename(partial, path).map_err(io(format!("naming {}", path.display())))?;
    backup::sync_folder(path.parent().unwrap_or(Path::new(".")))?;
    Ok(Exported { path: path.to_owned(), bytes, sha256, rows, chain })
}

fn digest(mut file: File) -> std::io::Result<(u64, String)> {
    let (mut sha, mut bytes, mut piece) = (Sha256::new(), 0_u64, vec![0_u8; 64 * 1024]);
    loop {
        let n = file.read(&mut piece)?;
        if n == 0 {
            return Ok((bytes, journal::hex(&sha.finalize())));
        }
        bytes += n as u64;
        sha.update(piece.get(..n).unwrap_or_default());
    }
}

/// An organisation that was taken out.
#[derive(Debug)]
pub struct Erased {
    /// What it was.
    pub organisation: Organisation,
    /// What its chain ended in.
    pub head: journal::Head,
    /// How many rows went.
    pub rows: u64,
    /// The files of ours that still hold it: backups and copies.
    pub elsewhere: Vec<PathBuf>,
    /// The chains that are left, all whole.
    pub chains: Vec<Verified>,
}

/// Takes an organisation out of the file with everything of it, so that its bytes are gone. `yes` names it once more:
/// its place or its name. Refused while a daemon runs.
pub async fn take_out(
    database: &Path,
    backups: &Path,
    place: &str,
    yes: Option<&str>,
) -> Result<Erased, Fault> {
    let mut c = store::open_to_read(database).await?;
    let organisation = at(&mut c, place).await?;
    let head = journal::head(&mut c, organisation.id).await?;
    if !yes.is_some_and(|yes| yes == organisation.place || yes == organisation.name) {
        let rows: i64 = erase::rows(&mut c, organisation.id).await?.iter().map(|(_, n)| n).sum();
        return Err(Fault::Refused(format!(
            "this takes {place} ({}) out for good: {rows} rows, its journal and its files. Hand it out first (certkeeper \
             export {place}), then say --yes {place}",
            organisation.name
        )));
    }
    c.close().await?;
    let _lock = Lock::take(database)?;
    Store::open(database).await?.close().await;
    let mut c = store::open_beside(database).await?;
    let rows = erase::erase(&mut c, &[organisation.id]).await?;
    erase::rebuild(&mut c).await?;
    let chains = backup::prove(&mut c, database).await?;
    c.close().await?;
    Ok(Erased { organisation, head, rows, elsewhere: backup::copies(database, backups), chains })
}

/// Moves an organisation to another server: its records stay, its place changes, and so an entry of the journal says.
/// Channels and roles were the old server's: `/setup` names new ones. Refused while a daemon runs, and where the target
/// has records of its own.
pub async fn relocate(
    database: &Path,
    place: &str,
    to: &str,
    who: &str,
    now: DateTime<Utc>,
) -> Result<Verified, Fault> {
    let number = to.strip_prefix("discord:").filter(|id| id.bytes().all(|b| b.is_ascii_digit()));
    if number.and_then(|id| id.parse::<std::num::NonZeroU64>().ok()).is_none() {
        return Err(Fault::Refused(format!(
            "{to} is no server: write discord: and its id (Developer Mode, then Copy Server ID from the server's menu)"
        )));
    }
    let mut c = store::open_to_read(database).await?;
    at(&mut c, place).await?;
    c.close().await?;
    let _lock = Lock::take(database)?;
    let store = Store::open(database).await?;
    let moved = move_in(&store, place, to, who, now).await;
    store.close().await;
    moved?;
    let mut c = store::open_to_read(database).await?;
    let chains = backup::prove(&mut c, database).await?;
    c.close().await?;
    chains
        .into_iter()
        .find(|v| v.place == to)
        .ok_or_else(|| Fault::Damaged(format!("{}: {to} is not there", database.display())))
}

async fn move_in(store: &Store, place: &str, to: &str, who: &str, now: DateTime<Utc>) -> Result<(), Fault> {
    let mut w = store.write().await?;
    let old = at(w.connection(), place).await?;
    if let Some(there) = organisation::at_place(w.connection(), to).await? {
        w.roll_back().await?;
        return Err(Fault::Refused(format!(
            "{to} has records of its own ({}); two organisations are not put together. Nothing was changed",
            there.name
        )));
    }
    let head = journal::head(w.connection(), old.id).await?;
    let by = store::person::known(&mut w, old.id, who, None).await?;
    let new = organisation::relocate(&mut w, &old, to).await?;
    notices::free(&mut w, old.id, now).await?;
    requests::drop_forms(&mut w, old.id).await?;
    let reason = format!("was at {place}");
    let entry =
        journal::Entry { at: now, door: Door::Shell, actor: by.id, verb: "move", reason: Some(&reason) };
    // Under the new place: from this entry on it is the organisation's.
    w.journal(&new, &head, entry).await?;
    Ok(w.commit().await?)
}
