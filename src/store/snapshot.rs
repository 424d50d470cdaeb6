//! An organisation as one state of the file has it, kept in memory until the file changes.
//!
//! Most of what people ask is answered from what was read for the question before: a command then costs one look
//! at SQLite's own count of changes (`PRAGMA data_version`), which also sees what another process wrote.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, Sqlite, Transaction};

use super::journal::Head;
use super::notices::Parked;
use super::{Fault, Rest, Store, audit, certificate, journal, nonconformity, notices, organisation, person};
use crate::domain::audit::Audit;
use crate::domain::certificate::{Certificate, CertificateFile};
use crate::domain::nonconformity::Nonconformity;
use crate::domain::organisation::{Organisation, Person};

/// How many organisations are kept at most.
const KEPT: usize = 32;

/// Everything on record of one organisation, closed nonconformities too.
#[derive(Debug)]
pub struct Snapshot {
    /// Its settings.
    pub organisation: Organisation,
    /// Everybody known to it, by name.
    pub people: Vec<Person>,
    /// Its certificates, by number.
    pub certificates: Vec<Certificate>,
    /// Its audits, by number.
    pub audits: Vec<Audit>,
    /// Its nonconformities, by number.
    pub nonconformities: Vec<Nonconformity>,
    /// Its areas, findings, actions, reviews and records.
    pub rest: Rest,
    /// Messages that found no way to their channel.
    pub parked: Vec<Parked>,
    /// What its journal ends in.
    pub journal: Head,
    files: OnceLock<Vec<CertificateFile>>,
}

impl Snapshot {
    /// An organisation of which nothing is on record yet.
    pub fn blank(organisation: Organisation) -> Self {
        Self {
            organisation,
            people: Vec::new(),
            certificates: Vec::new(),
            audits: Vec::new(),
            nonconformities: Vec::new(),
            rest: Rest::default(),
            parked: Vec::new(),
            journal: Head { seq: 0, hash: journal::NONE.to_owned() },
            files: OnceLock::new(),
        }
    }

    /// The person with this handle, if known by this name (or by whatever name, where none is given).
    pub fn person(&self, handle: &str, name: Option<&str>) -> Option<&Person> {
        self.people.iter().find(|p| p.handle == handle && name.is_none_or(|n| n.is_empty() || n == p.name))
    }

    /// The same, certificate by certificate.
    pub fn files(&self) -> &[CertificateFile] {
        self.files.get_or_init(|| {
            super::files(self.certificates.clone(), &self.audits, &self.nonconformities, &self.rest)
        })
    }

    async fn load(tx: &mut Transaction<'_, Sqlite>, place: &str) -> Result<Option<Self>, Fault> {
        let Some(organisation) = organisation::at_place(tx, place).await? else { return Ok(None) };
        let org = organisation.id;
        let people = person::all(tx, org).await?;
        let mut snapshot = Self {
            certificates: certificate::all_with(tx, org, &people).await?,
            audits: audit::all_with(tx, org, &people).await?,
            nonconformities: nonconformity::all_with(tx, org, true, &people).await?,
            rest: Rest::load(tx, org, &people).await?,
            parked: notices::parked(tx, org).await?,
            journal: journal::head(tx, org).await?,
            ..Self::blank(organisation)
        };
        snapshot.people = people.into_values().collect();
        snapshot.people.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        Ok(Some(snapshot))
    }
}

/// The one connection that reads, with what it read.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) c: SqliteConnection,
    /// The state of the file that the snapshots are of.
    version: i64,
    kept: HashMap<String, Arc<Snapshot>>,
}

impl Reader {
    pub(super) fn new(c: SqliteConnection) -> Self {
        Self { c, version: 0, kept: HashMap::new() }
    }

    async fn snapshot(&mut self, place: &str) -> Result<Option<Arc<Snapshot>>, Fault> {
        // Looked at before the reading: what is committed in between is read now and again the next time.
        let version: i64 = sqlx::query_scalar("PRAGMA data_version").fetch_one(&mut self.c).await?;
        if version != self.version || self.kept.len() >= KEPT {
            self.kept.clear();
            self.version = version;
        }
        if let Some(kept) = self.kept.get(place) {
            return Ok(Some(Arc::clone(kept)));
        }
        let mut tx = self.c.begin().await?;
        let read = Snapshot::load(&mut tx, place).await?.map(Arc::new);
        tx.rollback().await?;
        if let Some(read) = &read {
            self.kept.insert(place.to_owned(), Arc::clone(read));
        }
        Ok(read)
    }
}

impl Store {
    /// The organisation at a place as the file has it now, if it is known. Within a [`super::Write`] it is what
    /// stood before the write's own changes: nobody else can change anything meanwhile.
    pub async fn snapshot(&self, place: &str) -> Result<Option<Arc<Snapshot>>, Fault> {
        self.reader.lock().await.as_mut().ok_or(sqlx::Error::PoolClosed)?.snapshot(place).await
    }
}
