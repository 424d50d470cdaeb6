//! A disk that fails: what the daemon writes to its database fails as the test says, while all else works.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use super::daemon::Setup;
use super::shim;

/// How writing fails.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Disk {
    /// It does not.
    Works = 0,
    /// No room is left.
    Full = 1,
    /// An I/O error.
    Broken = 2,
    /// An I/O error when it is to reach the disk.
    BrokenFlush = 3,
    /// Nothing may be opened to be written.
    ReadOnly = 4,
    /// The database itself may not; what stands beside it may.
    ReadOnlyFile = 5,
}

/// The disk of the programs that it is given to.
#[derive(Debug)]
pub(crate) struct Faulty {
    folder: tempfile::TempDir,
    library: PathBuf,
    file: File,
}

impl Faulty {
    /// A disk that works; nothing, with a loud line, on a machine that has no C compiler.
    pub(crate) fn new() -> Option<Self> {
        let library = shim::built("disk", include_str!("disk.c"))?;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk");
        std::fs::write(&path, [0]).unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        Some(Self { folder, library, file })
    }

    /// From now on.
    pub(crate) fn set(&self, disk: Disk) {
        self.file.write_all_at(&[disk as u8], 0).unwrap();
    }

    /// A daemon whose database stands on it.
    pub(crate) fn setup(&self) -> Setup {
        self.under(Setup::default(), "certkeeper.db")
    }

    /// A daemon whose files with this in their path stand on it.
    pub(crate) fn under(&self, setup: Setup, path: &str) -> Setup {
        let clock = setup.clock.as_ref().map(|clock| clock.env()[0].1.clone());
        let libraries: Vec<String> = clock.into_iter().chain([self.library.display().to_string()]).collect();
        setup
            .env("LD_PRELOAD", &libraries.join(":"))
            .env("DISK_FILE", self.folder.path().join("disk").to_str().unwrap())
            .env("DISK_MATCH", path)
    }
}
