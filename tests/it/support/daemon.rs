//! The real binary as a process: started against a fake Discord, looked at, and ended in every way.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};
use tokio::sync::watch;

use super::client::{Got, http};
use super::clock::{SOON, WallClock};
use super::discord::{Discord, Inner};
use super::world::{GUILD, State};

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_certkeeper");

/// How it is started.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    /// Where commands are registered; everywhere if nowhere.
    pub(crate) guild: Option<String>,
    /// `CERTKEEPER_HTTP__LISTEN`, if it is to be set.
    pub(crate) http: Option<String>,
    pub(crate) clock: Option<WallClock>,
    pub(crate) log: String,
    /// More of the environment; it wins.
    pub(crate) env: Vec<(String, String)>,
    /// After `run`.
    pub(crate) args: Vec<String>,
    /// A database that stands elsewhere than in a folder of this daemon's own.
    pub(crate) database: Option<PathBuf>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            guild: Some(GUILD.into()),
            http: Some("127.0.0.1:0".into()),
            clock: None,
            log: "info".into(),
            env: Vec::new(),
            args: Vec::new(),
            database: None,
        }
    }
}

impl Setup {
    /// On this wall clock.
    pub(crate) fn on_clock(clock: &WallClock) -> Self {
        Self { clock: Some(clock.clone()), ..Self::default() }
    }

    /// With one more variable of the environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A running (or ended) daemon; dropping it kills it and removes its folder.
pub(crate) struct Daemon {
    setup: Setup,
    base: String,
    token: String,
    folder: tempfile::TempDir,
    process: Process,
    discord: Arc<Inner>,
    /// Sessions that the Discord had begun or resumed before this start.
    sessions: usize,
}

struct Process {
    pid: Pid,
    ended: watch::Receiver<Option<ExitStatus>>,
    said: watch::Receiver<String>,
    waiter: Option<JoinHandle<()>>,
}

impl Daemon {
    /// Starts `certkeeper run` against this Discord; it is not waited for.
    pub(crate) fn start(discord: &Discord, setup: Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sessions = sessions(&discord.inner);
        let (base, token) = (discord.base.clone(), discord.token.clone());
        let process = Process::start(&mut command(&setup, &base, &token, folder.path()), "run", &setup.args);
        let discord = Arc::clone(&discord.inner);
        Self { setup, base, token, folder, process, discord, sessions }
    }

    /// Starts it and waits until it is at the gateway and its commands are registered.
    pub(crate) async fn ready(discord: &Discord, setup: Setup) -> Self {
        let daemon = Self::start(discord, setup);
        daemon.wait_ready(discord).await;
        daemon
    }

    /// Until this start of it is at the gateway and its commands are registered.
    pub(crate) async fn wait_ready(&self, discord: &Discord) {
        let mut ended = self.process.ended.clone();
        let there = async {
            let what = "the daemon at the gateway";
            discord.until(SOON, what, |state| (began(state) > self.sessions).then_some(())).await;
            discord.wait_commands(1).await;
        };
        tokio::select! {
            () = there => {}
            _ = ended.wait_for(Option::is_some) => panic!("the daemon ended at start:\n{}", self.output()),
        }
    }

    /// Starts it again on the same database; it must have ended.
    pub(crate) fn start_again(&mut self) {
        assert!(self.process.ended.borrow().is_some(), "the daemon still runs");
        self.sessions = sessions(&self.discord);
        let mut command = command(&self.setup, &self.base, &self.token, self.folder.path());
        self.process = Process::start(&mut command, "run", &self.setup.args);
    }

    /// From its next start on, with this variable (or without it) in its environment.
    pub(crate) fn set_env(&mut self, name: &str, value: Option<&str>) {
        self.setup.env.retain(|(known, _)| known != name);
        self.setup.env.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    }

    /// Until this start of it is at the gateway, or has ended, or the time is over; whether it is there.
    pub(crate) async fn there(&self, discord: &Discord, timeout: Duration) -> bool {
        let mut ended = self.process.ended.clone();
        tokio::select! {
            came = discord.within(timeout, |state| (began(state) > self.sessions).then_some(())) => came.is_some(),
            _ = ended.wait_for(Option::is_some) => false,
        }
    }

    /// Ends it in order and starts it again.
    pub(crate) async fn restart(&mut self) {
        self.terminate();
        self.wait_exit(SOON).await;
        self.start_again();
    }

    /// SIGKILL; returns once it is gone.
    pub(crate) async fn kill9(&mut self) -> ExitStatus {
        self.signal(Signal::KILL);
        self.wait_exit(SOON).await
    }

    /// SIGTERM.
    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Any signal, unless it has ended.
    pub(crate) fn signal(&self, signal: Signal) {
        if self.process.ended.borrow().is_none() {
            kill_process(self.process.pid, signal).ok();
        }
    }

    /// Until it has ended.
    pub(crate) async fn wait_exit(&self, timeout: Duration) -> ExitStatus {
        let mut ended = self.process.ended.clone();
        let waited = tokio::time::timeout(timeout, ended.wait_for(Option::is_some)).await;
        let Ok(Ok(status)) = waited else { panic!("still running after {timeout:?}:\n{}", self.output()) };
        status.unwrap()
    }

    /// Whether it still runs.
    pub(crate) fn runs(&self) -> bool {
        self.process.ended.borrow().is_none()
    }

    /// What it has written so far (since its last start).
    pub(crate) fn output(&self) -> String {
        self.process.said.borrow().clone()
    }

    /// Until it has written this.
    pub(crate) async fn wait_output(&self, text: &str, timeout: Duration) -> String {
        let mut said = self.process.said.clone();
        let found = tokio::time::timeout(timeout, said.wait_for(|all| all.contains(text))).await;
        let all = self.output();
        assert!(matches!(found, Ok(Ok(_))), "not written within {timeout:?}: {text:?}\n{all}");
        all
    }

    /// Its database.
    pub(crate) fn database(&self) -> PathBuf {
        self.setup.database.clone().unwrap_or_else(|| self.folder.path().join("certkeeper.db"))
    }

    /// Its folder, in which the database stands.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// That a text, such as the id of somebody who was forgotten, stands nowhere in the database: not in the
    /// records, not in the journal, not in what was posted or answered, not in pages that were freed.
    pub(crate) fn assert_not_on_file(&self, text: &str) {
        let file = self.database();
        let log = std::fs::read(file.with_extension("db-wal")).unwrap_or_default();
        for bytes in [std::fs::read(file).unwrap(), log] {
            let found = bytes.windows(text.len()).any(|w| w == text.as_bytes());
            assert!(!found, "{text} still stands in the database");
        }
    }

    /// A subcommand in the same environment, on the same database, to its end.
    pub(crate) fn certkeeper(&self, args: &[&str]) -> Output {
        command(&self.setup, &self.base, &self.token, self.folder.path()).args(args).output().unwrap()
    }

    /// The address on which it serves its health pages, once it listens.
    pub(crate) async fn http_address(&self) -> String {
        let deadline = std::time::Instant::now() + SOON;
        while std::time::Instant::now() < deadline {
            if let Some(port) = listening(self.process.pid) {
                return format!("127.0.0.1:{port}");
            }
            // The kernel tells nobody when a process begins to listen.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the daemon listens nowhere:\n{}", self.output());
    }

    /// Holds it to this much of something, as `ulimit -S` does; to nothing where it is none.
    pub(crate) fn limit(&self, what: Resource, to: Option<u64>) {
        let pid = Some(self.process.pid);
        let maximum = getrlimit(what).maximum;
        prlimit(pid, what, Rlimit { current: to.or(maximum), maximum }).unwrap();
    }

    /// One more than the highest file descriptor that it has open.
    pub(crate) fn descriptors(&self) -> u64 {
        let open = std::fs::read_dir(format!("/proc/{}/fd", self.process.pid.as_raw_nonzero())).unwrap();
        let numbers = open.flatten().filter_map(|e| e.file_name().to_str()?.parse::<u64>().ok());
        numbers.max().unwrap_or_default() + 1
    }

    /// The same as [`Self::certkeeper`], its files held to so many blocks by the shell (`ulimit -f`).
    pub(crate) fn certkeeper_with_small_files(&self, blocks: u32, args: &[&str]) -> Output {
        let whole = command(&self.setup, &self.base, &self.token, self.folder.path());
        with_small_files(&whole, blocks, args)
    }

    /// A page of it, such as `/healthz`.
    pub(crate) async fn get(&self, path: &str) -> Got {
        let at = self.http_address().await;
        http(&at, "GET", path, &[], b"").await.unwrap()
    }

    /// Until it has put down which session it has.
    pub(crate) async fn wait_session_kept(&self) {
        use sqlx::Connection as _;
        let address = format!("sqlite://{}?mode=ro", self.database().display());
        let mut file = sqlx::SqliteConnection::connect(&address).await.unwrap();
        let kept = async {
            let ask = "SELECT count(*) FROM registration WHERE scope = 'gateway session' AND digest <> ''";
            while sqlx::query_scalar::<_, i64>(ask).fetch_one(&mut file).await.unwrap() == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(SOON, kept).await.unwrap();
    }

    /// Its resident memory in KiB.
    pub(crate) fn memory(&self) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0)
    }

    /// The processor time that it has used.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = self.proc("stat");
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let ticks =
            after_name.split_whitespace().skip(11).take(2).filter_map(|word| word.parse::<u64>().ok());
        Duration::from_millis(ticks.sum::<u64>() * 10)
    }

    fn proc(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.process.pid.as_raw_nonzero()))
            .unwrap_or_default()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        self.process.waiter.take().map(JoinHandle::join);
        if std::thread::panicking() {
            eprintln!("--- the daemon's output ---\n{}", self.output());
        }
    }
}

fn began(state: &State) -> usize {
    state.events.iter().filter(|event| matches!(event.what, "ready" | "resumed")).count()
}

fn sessions(discord: &Inner) -> usize {
    began(&discord.lock())
}

/// A one-shot subcommand without a Discord, in this folder.
pub(crate) fn certkeeper(folder: &Path, args: &[&str]) -> Output {
    command(&Setup { http: None, ..Setup::default() }, "http://127.0.0.1:9", "none", folder)
        .args(args)
        .output()
        .unwrap()
}

/// The same, its files held to so many blocks by the shell (`ulimit -f`).
pub(crate) fn certkeeper_with_small_files(folder: &Path, blocks: u32, args: &[&str]) -> Output {
    let setup = Setup { http: None, ..Setup::default() };
    with_small_files(&command(&setup, "http://127.0.0.1:9", "none", folder), blocks, args)
}

fn with_small_files(whole: &Command, blocks: u32, args: &[&str]) -> Output {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("ulimit -c 0 && ulimit -f {blocks} && exec \"$0\" \"$@\"")).arg(PROGRAM);
    shell.args(args).env_clear().current_dir(whole.get_current_dir().unwrap()).stdin(Stdio::null());
    shell.envs(whole.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.output().unwrap()
}

/// The environment holds nothing but what is said here.
fn command(setup: &Setup, base: &str, token: &str, folder: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.env_clear().current_dir(folder).stdin(Stdio::null());
    for kept in ["PATH", "LLVM_PROFILE_FILE", "CARGO_LLVM_COV"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    let database = setup.database.clone().unwrap_or_else(|| folder.join("certkeeper.db"));
    command
        .env("RUST_BACKTRACE", "1")
        .env("CERTKEEPER_DISCORD__TOKEN", token)
        .env("CERTKEEPER_DISCORD__API", base)
        .env("CERTKEEPER_DATABASE__PATH", OsString::from(database))
        .env("CERTKEEPER_LOG", &setup.log);
    if let Some(guild) = &setup.guild {
        command.env("CERTKEEPER_DISCORD__GUILD", guild);
    }
    if let Some(listen) = &setup.http {
        command.env("CERTKEEPER_HTTP__LISTEN", listen);
    }
    if let Some(clock) = &setup.clock {
        command.envs(clock.env());
    }
    command.envs(setup.env.iter().map(|(name, value)| (name, value)));
    command
}

impl Process {
    fn start(command: &mut Command, first: &str, args: &[String]) -> Self {
        let mut child =
            command.arg(first).args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let pid = Pid::from_child(&child);
        let (said, hear) = watch::channel(String::new());
        let said = Arc::new(said);
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let readers = [pump(out, Arc::clone(&said)), pump(err, said)];
        let (over, ended) = watch::channel(None);
        let waiter = std::thread::spawn(move || {
            let status = child.wait().unwrap_or_else(|_| ExitStatus::from_raw(-1));
            for reader in readers {
                reader.join().ok();
            }
            over.send(Some(status)).ok();
        });
        Self { pid, ended, said: hear, waiter: Some(waiter) }
    }
}

/// Collects what a pipe says.
fn pump(mut pipe: impl std::io::Read + Send + 'static, into: Arc<watch::Sender<String>>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut buffer = [0_u8; 8192];
        loop {
            match pipe.read(&mut buffer) {
                Ok(0) | Err(_) => return,
                Ok(size) => {
                    let text = String::from_utf8_lossy(&buffer[..size]).into_owned();
                    into.send_modify(|all| all.push_str(&text));
                }
            }
        }
    })
}

/// The port on which a process listens, if it does.
fn listening(pid: Pid) -> Option<u16> {
    let mut inodes = Vec::new();
    for entry in std::fs::read_dir(format!("/proc/{}/fd", pid.as_raw_nonzero())).ok()?.flatten() {
        let link = std::fs::read_link(entry.path()).unwrap_or_default().display().to_string();
        if let Some(inode) = link.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']')) {
            inodes.push(inode.to_owned());
        }
    }
    let table = std::fs::read_to_string("/proc/net/tcp").ok()?;
    table.lines().skip(1).find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let ours = words.get(3) == Some(&"0A")
            && words.get(9).is_some_and(|inode| inodes.iter().any(|one| one == inode));
        let port = words.get(1)?.split(':').nth(1)?;
        ours.then(|| u16::from_str_radix(port, 16).ok()).flatten()
    })
}
