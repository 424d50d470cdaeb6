//! The operator's verbs, and the exit codes: 0 well, 64 usage, 70 a bug, 74 the file is damaged or was altered,
//! 75 another daemon has it, 77 the token is refused, 78 settings.

use std::ffi::OsString;
use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use sqlx::SqliteConnection;

use crate::catalogue::Catalogue;
use crate::chat::console::prompt::Prompt;
use crate::chat::console::render::Style;
use crate::chat::console::session::{ConsolePost, Flow, PLACE, Session, Stage};
use crate::chat::console::svg;
use crate::clock::{Clock as _, HandClock, SystemClock};
use crate::command::import::Kind as ImportKind;
use crate::command::option::{CertificateRef, DayText};
use crate::command::{App, Defaults, Door, SpokenAs, find, grammar};
use crate::config::{self, LogFormat, Needs, Settings};
use crate::daemon::{self, Ended};
use crate::domain::calendar;
use crate::domain::certificate::Certificate;
use crate::notify::deliver::Deliverer;
use crate::notify::due::Talk;
use crate::say::card::Line;
use crate::simulate::{self, Hypothetical};
use crate::store::{self, OpenFault, Store};
use crate::{backup, demo, doctor, http, logging, organisations, say};

const USAGE: u8 = 64;
const BUG: u8 = 70;
const ALTERED: u8 = 74;
const LOCKED: u8 = 75;
const TOKEN: u8 = 77;
const SETTING: u8 = 78;

/// Keeps an organisation's ISO certificates alive: the three-year cycle, reminded and recorded in Discord.
#[derive(Debug, Parser)]
#[command(name = "certkeeper", version, propagate_version = true)]
struct Cli {
    /// A file with settings
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the daemon: connect to Discord, post what is due, answer commands
    Run,
    /// Play a whole certification cycle at the console, then leave you at a prompt (no token, no server)
    Demo(Demo),
    /// Carry out one command, as somebody: certkeeper do --as ana status
    Do(Do),
    /// Enter what stands in a spreadsheet: a dry run first, then all of it or nothing
    Import(Import),
    /// Print every message that will be sent
    Simulate(Simulate),
    /// Check the journal against the tables
    Verify(Verify),
    /// Take a backup, beside a running daemon, and prove it
    Backup(Backup),
    /// Put a backup in the place of the database; the daemon must not run
    Restore(Restore),
    /// List the organisations on file, with the places that the verbs below name them by
    Organisations,
    /// Copy one organisation into a database of its own, beside a running daemon
    Export(Export),
    /// Take one organisation out for good, its journal and files too; the daemon must not run
    Erase(Erase),
    /// Move one organisation to another Discord server, with its records; the daemon must not run
    Move(Move),
    /// Look at settings, database, token, permissions, waiting reminders and backups; say what to do
    Doctor,
    /// Ask the running daemon how it is (for a container's health check)
    Health(Health),
    /// Print a generated page of the documentation
    Docs(Docs),
}

#[derive(Debug, Args)]
struct Demo {
    /// Also draw the transcript's beginning into this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Role {
    Manager,
    Auditor,
    Member,
}

impl From<Role> for SpokenAs {
    fn from(role: Role) -> Self {
        match role {
            Role::Manager => Self::Manager,
            Role::Auditor => Self::Auditor,
            Role::Member => Self::Member,
        }
    }
}

#[derive(Debug, Args)]
struct Do {
    /// Who does it: a name, or a Discord user id; the journal names them
    #[arg(long = "as", value_name = "NAME")]
    who: String,
    /// In which role
    #[arg(long, default_value = "manager")]
    role: Role,
    /// For which organisation (`console`, `discord:<server id>`); needed only if there are several
    #[arg(long, value_name = "PLACE")]
    place: Option<String>,
    /// The command
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    words: Vec<String>,
}

#[derive(Debug, Args)]
struct Import {
    /// What stands in the file
    what: ImportKind,
    /// The file: CSV or XLSX with a heading row
    file: PathBuf,
    /// Who does it: a name, or a Discord user id; the journal names them
    #[arg(long = "as", value_name = "NAME")]
    who: String,
    /// Enter it (left out: a dry run, row by row)
    #[arg(long)]
    apply: bool,
    /// For which organisation (`console`, `discord:<server id>`); needed only if there are several
    #[arg(long, value_name = "PLACE")]
    place: Option<String>,
}

impl From<Import> for Do {
    fn from(a: Import) -> Self {
        let words = vec![
            "import".to_owned(),
            format!(
                "what:{}",
                a.what.to_possible_value().map(|v| v.get_name().to_owned()).unwrap_or_default()
            ),
            format!("file:{}", a.file.display()),
            format!("apply:{}", a.apply),
        ];
        Self { who: a.who, role: Role::Manager, place: a.place, words }
    }
}

#[derive(Debug, Args)]
struct Simulate {
    /// A certificate on file: its number or name
    #[arg(long, conflicts_with_all = ["standard", "decided", "timezone", "hour"])]
    certificate: Option<String>,
    /// For which organisation, if there are several
    #[arg(long, value_name = "PLACE")]
    place: Option<String>,
    /// Hypothetical: the standard's id
    #[arg(long, required_unless_present = "certificate")]
    standard: Option<String>,
    /// Hypothetical: the day of the decision, such as 2026-03-02
    #[arg(long, value_name = "DATE", required_unless_present = "certificate")]
    decided: Option<String>,
    /// Hypothetical: the last valid day
    #[arg(long, value_name = "DATE")]
    expires: Option<String>,
    /// Hypothetical: the organisation's time zone
    #[arg(long, default_value = "UTC")]
    timezone: Tz,
    /// Hypothetical: the hour of its posts
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(0..24))]
    hour: u32,
    /// Print the deadlines with their rules instead, as they stand on the first day: what each is counted from, its
    /// limit, whether it is met
    #[arg(long)]
    clocks: bool,
    /// The first day (left out: the decision, or today for a certificate on file)
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// The last day (left out: 36 months on)
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Verify {
    /// A head held elsewhere that must still be in the chain: PLACE=SEQ:HASH as verify printed it
    #[arg(long, value_name = "HEAD")]
    against: Vec<String>,
}

#[derive(Debug, Args)]
struct Backup {
    /// A folder, or a file that does not exist (left out: the setting backup.folder)
    to: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Restore {
    /// The backup
    from: PathBuf,
    /// Move the database that is there aside
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Args)]
struct Export {
    /// Its place: `console`, or `discord:<server id>`
    organisation: String,
    /// A file that does not exist (left out: named by place and instant, in the working directory)
    to: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Erase {
    /// Its place: `console`, or `discord:<server id>`
    organisation: String,
    /// Its place or its name once more
    #[arg(long, value_name = "PLACE")]
    yes: Option<String>,
}

#[derive(Debug, Args)]
struct Move {
    /// Its place: `console`, or `discord:<server id>`
    organisation: String,
    /// The new place: `discord:<server id>`
    #[arg(long, value_name = "PLACE")]
    to: String,
    /// Who does it: a name, or a Discord user id; the journal names them
    #[arg(long = "as", value_name = "NAME")]
    who: String,
}

#[derive(Debug, Args)]
struct Health {
    /// Whether it is ready, not only alive
    #[arg(long)]
    ready: bool,
}

#[derive(Debug, Args)]
struct Docs {
    /// Which page
    page: Page,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Page {
    /// The command reference
    Commands,
    /// The settings
    Settings,
}

fn complain(words: &str) {
    use std::io::Write as _;
    if writeln!(std::io::stderr(), "certkeeper: {words}").is_err() {
        tracing::debug!("standard error is closed");
    }
}

/// Carries out the shell's command line.
pub fn main(args: impl Iterator<Item = OsString>, env: impl Iterator<Item = (String, String)>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(e) => {
            let code = if e.use_stderr() { USAGE } else { 0 };
            if e.print().is_err() {
                tracing::debug!("the terminal is closed");
            }
            return ExitCode::from(code);
        }
    };
    let needs = if matches!(cli.verb, Verb::Run | Verb::Doctor) { Needs::Discord } else { Needs::Nothing };
    let env: Vec<(String, String)> = env.collect();
    let mut report = doctor::Report::default();
    let colour =
        std::io::stdout().is_terminal() && !env.iter().any(|(k, v)| k == "NO_COLOR" && !v.is_empty());
    let mut loaded = Settings::load(cli.config.as_deref(), env.clone().into_iter(), needs);
    if let (Verb::Doctor, Err(faults)) = (&cli.verb, &loaded) {
        // What is wrong with reaching Discord leaves the rest to be looked at.
        faults.iter().for_each(|f| report.wrong(format!("settings: {f}")));
        if let Ok(without) = Settings::load(cli.config.as_deref(), env.into_iter(), Needs::Nothing) {
            loaded = Ok(without);
        } else {
            Stage::print(&report.text());
            return ExitCode::from(SETTING);
        }
    }
    let (settings, warnings) = match loaded {
        Ok(loaded) => loaded,
        Err(faults) => {
            faults.iter().for_each(|f| complain(&f.to_string()));
            return ExitCode::from(SETTING);
        }
    };
    let quiet = matches!(cli.verb, Verb::Run);
    let filter = if quiet { settings.log.as_str() } else { "warn" };
    if let Err(why) = logging::start(filter, settings.log_format) {
        complain(&why);
        return ExitCode::from(SETTING);
    }
    if quiet {
        logging::log_panics();
    }
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let catalogue = match catalogue(settings.data_folder.as_deref()) {
        Ok(catalogue) => catalogue,
        Err(faults) => {
            faults.iter().for_each(|f| complain(f));
            return ExitCode::from(SETTING);
        }
    };
    // One thread: handing work between threads costs more than the work. SQLite and the prompt have their own.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => {
            complain(&format!("the runtime could not be started: {e}"));
            return ExitCode::from(BUG);
        }
    };
    let code = runtime.block_on(async {
        match cli.verb {
            Verb::Run => run(settings, catalogue).await,
            Verb::Demo(a) => told(play(a, catalogue, colour).await),
            Verb::Do(a) => told(carry_out(a, &settings, catalogue, colour).await),
            Verb::Import(a) => told(carry_out(a.into(), &settings, catalogue, colour).await),
            Verb::Simulate(a) => told(simulate(a, &settings, &catalogue).await),
            Verb::Verify(a) => told(verify(a, &settings).await),
            Verb::Backup(a) => told(back_up(a, &settings).await),
            Verb::Restore(a) => told(restore(a, &settings).await),
            Verb::Organisations => told(list(&settings).await),
            Verb::Export(a) => told(export(a, &settings).await),
            Verb::Erase(a) => told(erase(a, &settings).await),
            Verb::Move(a) => told(relocate(a, &settings).await),
            Verb::Doctor => {
                let report = doctor::examine(&settings, report, SystemClock.now()).await;
                Stage::print(&report.text());
                u8::from(!report.is_well())
            }
            Verb::Health(a) => told(health(a, &settings).await),
            Verb::Docs(a) => {
                Stage::print(&match a.page {
                    Page::Commands => say::help::reference(),
                    Page::Settings => config::reference(),
                });
                0
            }
        }
    });
    // Work still blocked somewhere does not hold the process up.
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    ExitCode::from(code)
}

/// What was asked for cannot be: why, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);

impl From<Line> for Usage {
    fn from(words: Line) -> Self {
        Self(words.plain())
    }
}

fn told(result: anyhow::Result<u8>) -> u8 {
    result.unwrap_or_else(|e| {
        complain(&format!("{e:#}"));
        code(&e)
    })
}

/// The exit code of a fault.
fn code(e: &anyhow::Error) -> u8 {
    let open = |fault: &OpenFault| match fault {
        OpenFault::Setting(_) => SETTING,
        OpenFault::Corrupt(_) => ALTERED,
        OpenFault::Locked(_) => LOCKED,
    };
    if e.is::<Usage>() {
        return USAGE;
    }
    match (e.downcast_ref::<OpenFault>(), e.downcast_ref::<backup::Fault>()) {
        (Some(fault), _) | (None, Some(backup::Fault::Open(fault))) => open(fault),
        (None, Some(backup::Fault::Damaged(_))) => ALTERED,
        (None, Some(backup::Fault::Refused(_) | backup::Fault::Io { .. })) => SETTING,
        (None, Some(backup::Fault::Store(_)) | None) => BUG,
    }
}

/// The standards and programmes, those built in and those of the folder in the settings, with its public holidays.
fn catalogue(folder: Option<&Path>) -> Result<Catalogue, Vec<String>> {
    let mut extra: Vec<(String, String)> = Vec::new();
    let mut faults = Vec::new();
    for kind in ["standards", "programmes", "holidays"] {
        let Some(folder) = folder.map(|f| f.join(kind)).filter(|f| f.is_dir()) else { continue };
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(e) => {
                faults.push(format!("data.folder: {} cannot be read ({e})", folder.display()));
                continue;
            }
        };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
        paths.sort();
        for path in paths.into_iter().filter(|p| p.extension().is_some_and(|e| e == "toml")) {
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            match std::fs::read_to_string(&path) {
                Ok(text) => extra.push((format!("{kind}/{name}"), text)),
                Err(e) => faults.push(format!("data.folder: {} cannot be read ({e})", path.display())),
            }
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    Catalogue::with_files(&extra).map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

async fn run(settings: Settings, catalogue: Catalogue) -> u8 {
    let discord = match settings.require_discord() {
        Ok(discord) => discord.clone(),
        Err(faults) => {
            faults.iter().for_each(|f| complain(&f.to_string()));
            return SETTING;
        }
    };
    let format = settings.log_format;
    let (words, code) = match daemon::run(settings, &discord, catalogue).await {
        Ok(()) => return 0,
        Err(Ended::Setting(words)) => (words, SETTING),
        Err(Ended::Token(words)) => (words, TOKEN),
        Err(Ended::Locked(words)) => (words, LOCKED),
        Err(Ended::Corrupt(words)) => (words, ALTERED),
        Err(Ended::Other(e)) => (format!("{e:#}"), BUG),
    };
    match format {
        LogFormat::Text => complain(&words),
        // What reads the log reads nothing but objects.
        LogFormat::Json => tracing::error!(code, why = words, "ended"),
    }
    code
}

fn defaults(settings: &Settings) -> Defaults {
    Defaults { zone: settings.organisation.timezone, hour: settings.organisation.hour }
}

async fn play(a: Demo, catalogue: Catalogue, colour: bool) -> anyhow::Result<u8> {
    Stage::print(
        "certkeeper: three years of an ISO/IEC 27001 certificate, from the decision to the renewal.\n\n",
    );
    let path = std::env::temp_dir().join(format!("certkeeper-demo-{}.db", std::process::id()));
    let store = Store::open(&path).await?;
    let clock = HandClock::at(demo::begins());
    let app = App::new(store.clone(), Arc::new(catalogue), Defaults { zone: Tz::UTC, hour: 9 });
    let stage = Stage::new(Style { colour, width: 100 });
    let shared: Arc<dyn crate::clock::Clock> = Arc::new(clock.clone());
    let post = ConsolePost { stage: stage.clone(), clock: Arc::clone(&shared) };
    let mut deliverer = Deliverer::new(app.clone(), post, TimeDelta::hours(1));
    let mut session =
        Session::new(app.clone(), Arc::clone(&shared), stage.clone(), PLACE, Door::Console, "ana");
    demo::play(&app, &clock, &mut session, &mut deliverer, &stage).await?;
    if let Some(file) = a.svg {
        let blocks: Vec<_> = stage.blocks().into_iter().take(demo::PICTURED).collect();
        tokio::fs::write(&file, svg::transcript_svg(&blocks))
            .await
            .with_context(|| format!("writing {}", file.display()))?;
    }
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        Stage::print("The clock stands on 2 March 2029. Type commands (help lists them; quit leaves).\n\n");
        prompt(session, &mut deliverer, &clock, colour).await?;
    } else {
        let read = tokio::task::spawn_blocking(move || {
            let mut bytes = Vec::new();
            stdin.lock().read_to_end(&mut bytes).map(|_| String::from_utf8_lossy(&bytes).into_owned())
        });
        let text = read.await?.context("reading standard input")?;
        piped(&text, &stage, session).await;
        deliverer.round(&clock).await?;
    }
    store.close().await;
    for end in ["", "-wal", "-shm"] {
        let mut name = path.clone().into_os_string();
        name.push(end);
        if std::fs::remove_file(&name).is_err() {
            tracing::debug!("nothing to remove at {}", name.display());
        }
    }
    Ok(0)
}

async fn piped(text: &str, stage: &Stage, mut session: Session) {
    for line in text.lines() {
        stage.typed(session.speaker(), line);
        if session.line(line, &mut |_| None).await == Flow::Quit {
            break;
        }
    }
}

/// The prompt: its editor blocks, so it lives on a thread of its own and hands lines over.
async fn prompt(
    session: Session,
    deliverer: &mut Deliverer<ConsolePost>,
    clock: &HandClock,
    colour: bool,
) -> anyhow::Result<()> {
    let handle = tokio::runtime::Handle::current();
    let mut session = session.asking_again();
    let helper = session.clone();
    let completer = move |argv: &[String], focused: &str, typed: &str| {
        handle.block_on(helper.complete(argv.to_vec(), focused, typed))
    };
    let mut editor = Prompt::new(grammar::tree(), Box::new(completer), colour);
    loop {
        let label = format!("{}> ", session.speaker());
        let (back, typed) = tokio::task::spawn_blocking(move || {
            let typed = editor.read(&label);
            (editor, typed)
        })
        .await?;
        editor = back;
        let Some(typed) = typed else { return Ok(()) };
        let mut asked: Vec<String> = Vec::new();
        let mut flow = session
            .line(&typed, &mut |label| {
                asked.push(label.to_owned());
                None
            })
            .await;
        if let Some(label) = asked.pop() {
            let (back, text) = tokio::task::spawn_blocking(move || {
                let text = editor.read(&format!("{label} "));
                (editor, text)
            })
            .await?;
            editor = back;
            if let Some(text) = text {
                flow = session.line(&typed, &mut |_| Some(text.clone())).await;
            }
        }
        if flow == Flow::Quit {
            return Ok(());
        }
        deliverer.round(clock).await?;
    }
}

/// The organisation that a verb of the shell is for.
async fn place(c: &mut SqliteConnection, wanted: Option<String>) -> anyhow::Result<String> {
    if let Some(wanted) = wanted {
        return Ok(wanted);
    }
    let known = store::organisation::all(c).await?;
    match known.as_slice() {
        [] => Ok(PLACE.to_owned()),
        [only] => Ok(only.place.clone()),
        several => {
            let list: Vec<String> = several.iter().map(|o| format!("{} ({})", o.place, o.name)).collect();
            let words =
                format!("there are several organisations; name one with --place: {}", list.join(", "));
            Err(Usage(words).into())
        }
    }
}

/// A word of the shell as a piece of a line: what follows the option's name is quoted if it has to be.
fn quoted(word: &str) -> String {
    if !word.contains(char::is_whitespace) && !word.contains(['"', '\'']) {
        return word.to_owned();
    }
    let cut = if word.starts_with("--") { word.find('=') } else { word.find(':') };
    let (name, value) = match cut.and_then(|i| word.split_at_checked(i + 1)) {
        Some((name, value)) if !name.contains(char::is_whitespace) => (name, value),
        _ => ("", word),
    };
    format!("{name}\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

async fn carry_out(a: Do, settings: &Settings, catalogue: Catalogue, colour: bool) -> anyhow::Result<u8> {
    let store = Store::open(&settings.database).await?;
    let place = place(&mut *store.read().await?, a.place).await?;
    let app = App::new(store.clone(), Arc::new(catalogue), defaults(settings));
    let stage = Stage::new(Style { colour, width: 100 });
    let mut session = Session::new(app, Arc::new(SystemClock), stage, &place, Door::Shell, &a.who);
    session.speak_as(&a.who, Some(a.role.into()));
    if a.who.trim().is_empty() {
        return Err(Usage("--as needs a name: who does it".to_owned()).into());
    }
    // A whole line in one word is one that was pasted from the chat.
    let line: Vec<String> = match a.words.as_slice() {
        [one] if one.trim().contains(' ') => vec![one.clone()],
        words => words.iter().map(|w| quoted(w)).collect(),
    };
    let flow = session.line(&line.join(" "), &mut |_| None).await;
    store.close().await;
    Ok(u8::from(flow == Flow::Refused))
}

async fn simulate(a: Simulate, settings: &Settings, catalogue: &Catalogue) -> anyhow::Result<u8> {
    let now = SystemClock.now();
    let day = |option: &str, typed: Option<&String>, zone: Tz| -> Result<Option<NaiveDate>, Usage> {
        let today = now.with_timezone(&zone).date_naive();
        Ok(find::maybe_day(typed.map(|t| DayText(t.clone())).as_ref(), today, option)?)
    };
    let (mut log, mut rest) = (store::notices::Log::default(), store::Rest::default());
    let (organisation, file, begins) = if let Some(named) = &a.certificate {
        let mut c = store::open_to_read(&settings.database).await?;
        let place = place(&mut c, a.place.clone()).await?;
        let Some(organisation) = store::organisation::at_place(&mut c, &place).await? else {
            return Err(Usage(format!("there is no organisation {place} on file")).into());
        };
        let (files, on_record) = store::facts(&mut c, organisation.id, true).await?;
        log = store::notices::log(&mut c, organisation.id).await?;
        rest = on_record;
        let all: Vec<Certificate> = files.iter().map(|f| f.certificate.clone()).collect();
        let id = find::certificate(&all, &CertificateRef(named.clone())).map_err(Usage::from)?.id;
        let Some(file) = files.into_iter().find(|f| f.certificate.id == id) else {
            return Err(Usage(format!("there is no certificate {named} on file")).into());
        };
        let today = organisation.day_of(now);
        (organisation, file, today)
    } else {
        let decided = day("decided", a.decided.as_ref(), a.timezone)?;
        let expires = day("expires", a.expires.as_ref(), a.timezone)?;
        let (Some(standard), Some(decided)) = (a.standard.clone(), decided) else {
            return Err(Usage("give --certificate, or --standard and --decided".to_owned()).into());
        };
        if catalogue.standard(&standard).is_none() {
            let known: Vec<&str> = catalogue.standards.iter().map(|s| s.id.as_str()).collect();
            return Err(
                Usage(format!("there is no standard {standard}; there is: {}", known.join(", "))).into()
            );
        }
        let wanted = Hypothetical { standard, decided, expires, zone: a.timezone, hour: a.hour };
        let (organisation, file) =
            wanted.facts().map_err(|refusal| Usage::from(say::refusal::rule(&refusal)))?;
        (organisation, file, decided)
    };
    let from = day("from", a.from.as_ref(), organisation.zone)?.unwrap_or(begins);
    let to = day("to", a.to.as_ref(), organisation.zone)?.unwrap_or_else(|| calendar::default_expiry(from));
    if to < from {
        let words =
            format!("--to {to} is before --from {from}: give the first day as --from, the last as --to");
        return Err(Usage(words).into());
    }
    if a.clocks {
        let lines = simulate::clocks(&organisation, catalogue, &file, from, a.json)?;
        Stage::print(&lines.iter().fold(String::new(), |text, line| text + line + "\n"));
        return Ok(0);
    }
    let (from, to) = (start_of(organisation.zone, from), end_of(organisation.zone, to));
    let on_file = a.certificate.is_some();
    let talk = Talk {
        now: on_file.then_some(now),
        said: on_file.then_some(&log.said),
        answers: &rest.answers,
        own: &[],
    };
    let lines = simulate::lines(&organisation, catalogue, &file, talk, from, to, a.json)?;
    Stage::print(&lines.iter().fold(String::new(), |text, line| text + line + "\n"));
    Ok(0)
}

fn start_of(zone: Tz, day: NaiveDate) -> DateTime<Utc> {
    calendar::at_hour(zone, day, 0)
}

/// The last instant of a day: just before the next one begins.
fn end_of(zone: Tz, day: NaiveDate) -> DateTime<Utc> {
    match day.succ_opt() {
        Some(next) => start_of(zone, next) - TimeDelta::milliseconds(1),
        None => day.and_time(NaiveTime::MIN).and_utc(),
    }
}

/// A chain in a line, with the head to hold elsewhere.
fn head(v: &store::verify::Verified) {
    Stage::print(&format!(
        "{}: {} entries, head {}={}:{}\n",
        v.place, v.head.seq, v.place, v.head.seq, v.head.hash
    ));
}

async fn back_up(a: Backup, settings: &Settings) -> anyhow::Result<u8> {
    let to = a.to.as_deref().unwrap_or(&settings.backup_folder);
    let taken = backup::take(&settings.database, to, SystemClock.now()).await?;
    Stage::print(&format!("{}: {} bytes, opened and found whole\n", taken.path.display(), taken.bytes));
    for v in &taken.chains {
        head(v);
    }
    Ok(0)
}

async fn restore(a: Restore, settings: &Settings) -> anyhow::Result<u8> {
    let put = backup::restore(&a.from, &settings.database, a.force, SystemClock.now()).await?;
    if let Some(moved) = &put.moved {
        Stage::print(&format!("what was there stands in {}\n", moved.display()));
    }
    Stage::print(&format!(
        "{}: as of {}; what was recorded after that is not in it\n",
        settings.database.display(),
        put.taken.format("%Y-%m-%d %H:%M:%S UTC")
    ));
    for v in &put.chains {
        head(v);
    }
    Stage::print("Start the daemon: before it posts, it looks in the channels for what was said since.\n");
    Ok(0)
}

async fn list(settings: &Settings) -> anyhow::Result<u8> {
    let mut c = store::open_to_read(&settings.database).await?;
    let known = organisations::list(&mut c).await?;
    for o in &known {
        Stage::print(&format!(
            "{}: {}, {} certificates, {} journal entries{}\n",
            o.organisation.place,
            o.organisation.name,
            o.certificates,
            o.entries,
            if o.present { "" } else { "; the bot is not there" }
        ));
    }
    if known.is_empty() {
        Stage::print("nothing is on record yet\n");
    }
    Ok(0)
}

async fn export(a: Export, settings: &Settings) -> anyhow::Result<u8> {
    let now = SystemClock.now();
    let done = organisations::export(&settings.database, &a.organisation, a.to.as_deref(), now).await?;
    Stage::print(&format!(
        "{}: {} bytes, opened and found whole, sha256 {}\n",
        done.path.display(),
        done.bytes,
        done.sha256
    ));
    for (table, rows) in &done.rows {
        Stage::print(&format!("  {table}: {rows}\n"));
    }
    head(&done.chain);
    Ok(0)
}

async fn erase(a: Erase, settings: &Settings) -> anyhow::Result<u8> {
    let (database, backups) = (&settings.database, &settings.backup_folder);
    let done = organisations::take_out(database, backups, &a.organisation, a.yes.as_deref()).await?;
    Stage::print(&format!(
        "{} ({}): {} rows taken out; its journal ended in {}={}:{}\n",
        done.organisation.place,
        done.organisation.name,
        done.rows,
        done.organisation.place,
        done.head.seq,
        done.head.hash
    ));
    for copy in &done.elsewhere {
        Stage::print(&format!("still in {}: remove it as well\n", copy.display()));
    }
    for v in &done.chains {
        head(v);
    }
    Ok(0)
}

async fn relocate(a: Move, settings: &Settings) -> anyhow::Result<u8> {
    if a.who.trim().is_empty() {
        return Err(Usage("--as needs a name: who does it".to_owned()).into());
    }
    let now = SystemClock.now();
    let moved =
        organisations::relocate(&settings.database, &a.organisation, &a.to, a.who.trim(), now).await?;
    Stage::print(&format!("{} is at {} now\n", a.organisation, a.to));
    head(&moved);
    Stage::print(
        "Start the daemon, add the bot to that server if it is not there, and give /setup there: channels and roles of \
         the old one are forgotten, and nothing is posted before.\n",
    );
    Ok(0)
}

async fn verify(a: Verify, settings: &Settings) -> anyhow::Result<u8> {
    let mut c = store::open_to_read(&settings.database).await?;
    let found = store::verify::all(&mut c).await?;
    let mut altered = false;
    for v in &found {
        head(v);
        for words in &v.altered {
            altered = true;
            Stage::print(&format!("  ALTERED  {words}\n"));
        }
    }
    for held in &a.against {
        let parsed = held.rsplit_once('=').and_then(|(place, head)| {
            let (seq, hash) = head.split_once(':')?;
            Some((place, seq.parse::<i64>().ok()?, hash))
        });
        let Some((place, seq, hash)) = parsed else {
            complain(&format!("{held} is no head: it has the form PLACE=SEQ:HASH"));
            return Ok(USAGE);
        };
        if store::verify::holds(&mut c, place, seq, hash).await? {
            Stage::print(&format!("{place}: entry {seq} is the one held elsewhere\n"));
        } else {
            altered = true;
            Stage::print(&format!(
                "  ALTERED  {place}: entry {seq} is not the one held elsewhere: the chain was cut or rewritten\n"
            ));
        }
    }
    if found.is_empty() {
        Stage::print("nothing is on record yet\n");
    } else if !altered {
        Stage::print("the journal and the tables agree\n");
    }
    Ok(if altered { ALTERED } else { 0 })
}

async fn health(a: Health, settings: &Settings) -> anyhow::Result<u8> {
    let Some(listen) = settings.listen else {
        complain("http.listen is off, so nobody can be asked");
        return Ok(SETTING);
    };
    match http::probe(listen, if a.ready { "/readyz" } else { "/healthz" }).await {
        Ok(body) => {
            Stage::print(&format!("{}\n", body.trim_end()));
            Ok(0)
        }
        Err(why) => {
            complain(&why);
            Ok(1)
        }
    }
}

/// The operator's grammar, for tests.
pub fn grammar() -> clap::Command {
    Cli::command()
}
