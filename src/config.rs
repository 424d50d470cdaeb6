//! The settings: what is built in, then files, then the environment; typed, with every fault told at once.
//!
//! `config/default.toml` is at once the built-in values, the list of the known names and the source of the
//! settings table in the documentation. No secret is ever part of a fault's text. The environment is handed
//! in; nothing here reads it from the process.

use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Write as _};
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono_tz::Tz;
use config::{Config, Environment, File, FileFormat, Map, Source, Value, ValueKind};
use secrecy::SecretString;

use crate::logging;

/// The built-in settings, with their meanings.
const DEFAULTS: &str = include_str!("../config/default.toml");
/// Where an installation may keep its own, under the working directory.
const LOCAL: &str = "config/default.toml";
/// How settings begin in the environment.
const PREFIX: &str = "CERTKEEPER";
/// The longest a reminder may be held to be in time: a week.
const LATE_LIMIT: i64 = 7 * 24 * 60;
/// The largest file that may be allowed: 1 GiB, which is also what SQLite keeps in one value.
const BYTES_LIMIT: i64 = 1 << 30;

/// All settings, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How to reach Discord; present when the settings were loaded with [`Needs::Discord`].
    pub discord: Option<DiscordSettings>,
    /// The database file.
    pub database: PathBuf,
    /// Where health is served, if anywhere.
    pub listen: Option<SocketAddr>,
    /// The log's filter, valid.
    pub log: String,
    /// The log's form.
    pub log_format: LogFormat,
    /// What holds for an organisation that has not chosen.
    pub organisation: OrganisationDefaults,
    /// How late a reminder may be before it says so, in minutes.
    pub late_after_minutes: u32,
    /// The largest file taken, in bytes.
    pub max_attachment_bytes: u64,
    /// Where backups are put.
    pub backup_folder: PathBuf,
    /// How many hours apart the daemon takes backups; 0: none.
    pub backup_every_hours: u32,
    /// How many it keeps.
    pub backup_keep: u32,
    /// Whom the daemon tells that all is well, if anybody.
    pub monitor: Option<MonitorSettings>,
    /// A folder of standards and programmes that add or override.
    pub data_folder: Option<PathBuf>,
}

/// How to reach Discord.
#[derive(Debug, Clone)]
pub struct DiscordSettings {
    /// The bot's token.
    pub token: SecretString,
    /// The API's origin: scheme, host and port, without a slash at the end.
    pub api: String,
    /// The one server to serve, if there is only one.
    pub guild: Option<NonZeroU64>,
}

/// Whom the daemon tells that all is well.
#[derive(Debug, Clone)]
pub struct MonitorSettings {
    /// The address; a secret.
    pub ping_url: SecretString,
    /// The least time between two pings.
    pub ping_every: Duration,
}

/// What holds for an organisation that has not chosen for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrganisationDefaults {
    /// Its time zone.
    pub timezone: Tz,
    /// The local hour of its reminders.
    pub hour: u32,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For a collector: one object a line.
    Json,
}

/// What the settings are loaded for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// The daemon: a token is required.
    Discord,
    /// Anything else: the token is neither required nor read.
    Nothing,
}

/// Something wrong with the settings, in words: `setting: what is wrong; what to do`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The setting's name, or the file's.
    pub setting: String,
    /// What is wrong.
    pub wrong: String,
    /// What to do about it.
    pub fix: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.setting, self.wrong, self.fix)
    }
}

impl std::error::Error for Fault {}

/// Something odd about the settings that does not stop anything; same form as a [`Fault`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning(pub Fault);

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Settings {
    /// Loads the settings: built in, then `config/default.toml` under the working directory, then
    /// `config_file`, then `env`. `Err` holds every fault there is.
    pub fn load(
        config_file: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
        needs: Needs,
    ) -> Result<(Self, Vec<Warning>), Vec<Fault>> {
        Self::load_from(Path::new(LOCAL), config_file, env, needs)
    }

    /// How to reach Discord, or what is missing for it.
    pub fn require_discord(&self) -> Result<&DiscordSettings, Vec<Fault>> {
        self.discord.as_ref().ok_or_else(|| vec![no_token()])
    }

    fn load_from(
        local: &Path,
        config_file: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
        needs: Needs,
    ) -> Result<(Self, Vec<Warning>), Vec<Fault>> {
        let known = known();
        let mut faults = Vec::new();
        let mut warnings = Vec::new();
        let mut builder = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
        let files = local.exists().then_some(local).into_iter().chain(config_file);
        for file in files {
            match from_file(file, &known) {
                Ok((layer, unknown)) => {
                    builder = builder.add_source(layer);
                    faults.extend(unknown);
                }
                Err(fault) => faults.push(fault),
            }
        }
        let (layer, unknown) = from_env(env, &known);
        warnings.extend(unknown.into_iter().map(Warning));
        let Ok(config) = builder.add_source(layer).build() else {
            // Every layer was parsed and sifted before, so that this is not reached; its text may hold values.
            faults.push(fault("settings", "they could not be put together", "check the files' syntax"));
            return Err(faults);
        };
        let mut values = Vec::new();
        flatten("", config.collect().unwrap_or_default(), &mut values);
        let mut reader = Reader { values: values.into_iter().collect(), faults, warnings };
        let settings = reader.settings(needs);
        let Reader { mut faults, warnings, .. } = reader;
        match settings {
            Some(settings) if faults.is_empty() => Ok((settings, warnings)),
            _ => {
                faults.dedup();
                Err(faults)
            }
        }
    }
}

fn fault(setting: impl Into<String>, wrong: impl Into<String>, fix: impl Into<String>) -> Fault {
    Fault { setting: setting.into(), wrong: wrong.into(), fix: fix.into() }
}

fn no_token() -> Fault {
    fault(
        "discord.token",
        "there is none",
        "put the bot's token (Discord developer portal, your application, Bot, Reset Token) in a file and name \
         it in CERTKEEPER_DISCORD__TOKEN_FILE, or give it in CERTKEEPER_DISCORD__TOKEN",
    )
}

/// One setting, as `config/default.toml` describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    name: String,
    default: Option<String>,
    meaning: String,
}

impl Known {
    fn variable(&self) -> String {
        variable(&self.name)
    }
}

fn variable(name: &str) -> String {
    format!("{PREFIX}_{}", name.to_uppercase().replace('.', "__"))
}

/// Reads the settings' names, values and meanings off the built-in file.
fn known() -> Vec<Known> {
    let mut known = Vec::new();
    let mut section = String::new();
    let mut meaning = String::new();
    for line in DEFAULTS.lines() {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = format!("{name}.");
        } else if let Some(text) = line.strip_prefix("# ") {
            if !meaning.is_empty() {
                meaning.push(' ');
            }
            meaning.push_str(text);
        } else if let Some((name, value)) = line.split_once(" = ") {
            let (name, default) = match name.strip_prefix('#') {
                Some(name) => (name, None),
                None => (name, Some(value.trim_matches('"').to_owned())),
            };
            let name = format!("{section}{name}");
            known.push(Known { name, default, meaning: std::mem::take(&mut meaning) });
        } else if line != "#" {
            meaning.clear();
        }
    }
    known
}

/// The settings table of the documentation, in Markdown.
pub fn reference() -> String {
    let mut out = String::from("| Setting | Environment variable | Default | Meaning |\n|---|---|---|---|\n");
    for setting in known() {
        let default = match &setting.default {
            Some(value) if value.is_empty() => "empty".to_owned(),
            Some(value) => format!("`{value}`"),
            None => "none".to_owned(),
        };
        let written = writeln!(
            out,
            "| `{}` | `{}` | {} | {} |",
            setting.name,
            setting.variable(),
            default,
            setting.meaning.replace('|', "\\|")
        );
        if written.is_err() {
            break;
        }
    }
    out
}

/// One layer of settings, already sifted: only known names, each with where it came from.
#[derive(Debug, Clone)]
struct Layer(Map<String, Value>);

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, config::ConfigError> {
        Ok(self.0.clone())
    }
}

fn from_file(path: &Path, known: &[Known]) -> Result<(Layer, Vec<Fault>), Fault> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        fault(&shown, format!("the file cannot be read ({error})"), "check its path and who may read it")
    })?;
    // Parsed here first: the parser's own account of an error quotes the line, which may hold the token.
    if let Err(error) = toml::from_str::<toml::Table>(&text) {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        return Err(fault(
            format!("{shown}, line {line}"),
            "this is not valid TOML",
            "write `name = \"value\"` below its `[section]`, text in quotes, each name once",
        ));
    }
    let tree = File::from_str(&text, FileFormat::Toml)
        .collect()
        .map_err(|_quoting| fault(&shown, "the file cannot be understood", "check that it is TOML"))?;
    let mut leaves = Vec::new();
    flatten("", tree, &mut leaves);
    let mut layer = Map::new();
    let mut faults = Vec::new();
    for (name, value) in leaves {
        if known.iter().any(|k| k.name == name) {
            layer.insert(name, Value::new(Some(&shown), value.kind));
        } else {
            let section = format!("{name}.");
            let fix = if known.iter().any(|k| k.name.starts_with(&section)) {
                format!("write it as a section: a line `[{name}]`, and its settings below")
            } else {
                suggestion(&name, known.iter().map(|k| k.name.as_str()))
                    .map_or_else(|| "remove it".to_owned(), |near| format!("did you mean `{near}`?"))
            };
            faults.push(fault(name, format!("there is no such setting (in {shown})"), fix));
        }
    }
    faults.sort();
    Ok((Layer(layer), faults))
}

/// Brings a tree of tables down to its leaves, by dotted name.
fn flatten(prefix: &str, tree: Map<String, Value>, out: &mut Vec<(String, Value)>) {
    for (key, value) in tree {
        let name = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
        if let ValueKind::Table(inner) = value.kind {
            flatten(&name, inner, out);
        } else {
            out.push((name, value));
        }
    }
}

fn from_env(env: impl Iterator<Item = (String, String)>, known: &[Known]) -> (Layer, Vec<Fault>) {
    let start = format!("{PREFIX}_");
    let mut layer = Map::new();
    let mut odd = Vec::new();
    let ours: BTreeMap<String, String> =
        env.filter(|(name, _)| name.to_uppercase().starts_with(&start)).collect();
    for (variable, value) in ours {
        let one = HashMap::from([(variable.clone(), value)]);
        let source = Environment::with_prefix(PREFIX).prefix_separator("_").separator("__").source(Some(one));
        let mut leaves = Vec::new();
        flatten("", source.collect().unwrap_or_default(), &mut leaves);
        for (name, value) in leaves {
            if known.iter().any(|k| k.name == name) {
                layer.insert(name, Value::new(Some(&variable), value.kind));
            } else {
                let single = name.replacen('_', ".", 1);
                let names = || known.iter().map(|k| k.name.as_str());
                let fix = suggestion(&single, names()).or_else(|| suggestion(&name, names())).map_or_else(
                    || "remove it".to_owned(),
                    |near| format!("did you mean `{}`?", self::variable(near)),
                );
                odd.push(fault(&variable, "there is no such setting, it is ignored", fix));
            }
        }
    }
    (Layer(layer), odd)
}

/// The known name nearest to what was typed, if any is near.
fn suggestion<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    known
        .map(|name| {
            let whole = strsim::jaro_winkler(typed, name);
            // The right name in the wrong section is the commonest slip.
            let tail = if last(typed) == last(name) { 0.95 } else { 0.0 };
            (name, f64::max(whole, tail))
        })
        .filter(|(_, near)| *near > 0.85)
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(name, _)| name)
}

/// Takes the settings out of the merged layers one by one, so that each fault is told.
struct Reader {
    values: BTreeMap<String, Value>,
    faults: Vec<Fault>,
    warnings: Vec<Warning>,
}

impl Reader {
    fn settings(&mut self, needs: Needs) -> Option<Settings> {
        let api = self.api();
        let guild = self.guild();
        let token = match needs {
            Needs::Discord => self.token(),
            Needs::Nothing => None,
        };
        let database = self.database();
        let listen = self.listen();
        let log = self.log();
        let log_format = self.log_format();
        let timezone = self.timezone();
        let hour = self.whole("organisation.hour", 0, 23, "an hour");
        let late = self.whole("notices.late_after_minutes", 1, LATE_LIMIT, "a number of minutes");
        let bytes = self.whole("attachments.max_bytes", 1, BYTES_LIMIT, "a number of bytes");
        let every = self.whole("backup.every_hours", 0, 24 * 366, "a number of hours");
        let keep = self.whole("backup.keep", 1, 10_000, "a number of backups");
        let backups = self.filled("backup.folder").map(PathBuf::from);
        let ping_url = self.ping_url();
        let ping_every = self.whole("monitor.ping_every_seconds", 1, 24 * 3600, "a number of seconds");
        let data_folder = self.folder();
        let discord = match (token, api) {
            (Some(token), Some(api)) => Some(DiscordSettings { token, api, guild }),
            _ => None,
        };
        let database = database?;
        Some(Settings {
            discord,
            backup_folder: backups.unwrap_or_else(|| crate::backup::folder_beside(&database)),
            backup_every_hours: u32::try_from(every?).ok()?,
            backup_keep: u32::try_from(keep?).ok()?,
            database,
            monitor: match (ping_url, u64::try_from(ping_every?).ok()?) {
                (Some(ping_url), every) => {
                    Some(MonitorSettings { ping_url, ping_every: Duration::from_secs(every) })
                }
                (None, _) => None,
            },
            listen,
            log: log?,
            log_format: log_format?,
            organisation: OrganisationDefaults { timezone: timezone?, hour: u32::try_from(hour?).ok()? },
            late_after_minutes: u32::try_from(late?).ok()?,
            max_attachment_bytes: u64::try_from(bytes?).ok()?,
            data_folder,
        })
    }

    fn wrong(&mut self, setting: &str, wrong: impl Into<String>, fix: impl Into<String>) {
        let origin = self.values.get(setting).and_then(Value::origin);
        let wrong = match origin {
            Some(origin) => format!("{} (in {origin})", wrong.into()),
            None => wrong.into(),
        };
        self.faults.push(fault(setting, wrong, fix));
    }

    /// A setting as text, trimmed. `None` where it is not set, or is no text (which is a fault).
    fn text(&mut self, setting: &str) -> Option<String> {
        let text = self.values.get(setting)?.clone().into_string().ok();
        if text.is_none() {
            self.wrong(setting, "this is not text", "write a single value in quotes");
        }
        text.map(|text| text.trim().to_owned())
    }

    /// Like [`Self::text`], where empty means not set.
    fn filled(&mut self, setting: &str) -> Option<String> {
        self.text(setting).filter(|text| !text.is_empty())
    }

    fn whole(&mut self, setting: &str, min: i64, max: i64, what: &str) -> Option<i64> {
        let text = self.text(setting)?;
        match text.parse::<i64>() {
            Ok(number) if (min..=max).contains(&number) => Some(number),
            _ => {
                self.wrong(
                    setting,
                    format!("`{text}` is not {what}"),
                    format!("write a whole number from {min} to {max}"),
                );
                None
            }
        }
    }

    fn token(&mut self) -> Option<SecretString> {
        let set = |setting: &str| self.values.contains_key(setting);
        match (set("discord.token"), set("discord.token_file")) {
            (true, true) => {
                self.wrong(
                    "discord.token",
                    "both discord.token and discord.token_file are set",
                    "keep one of them (the file is safer)",
                );
                None
            }
            (true, false) => {
                let token = self.text("discord.token")?;
                self.sound_token("discord.token", &token)
            }
            (false, true) => self.token_from_file(),
            (false, false) => {
                self.faults.push(no_token());
                None
            }
        }
    }

    fn token_from_file(&mut self) -> Option<SecretString> {
        const SETTING: &str = "discord.token_file";
        let path = self.text(SETTING)?;
        if path.is_empty() {
            self.wrong(SETTING, "it is empty", "name the file that holds the bot's token");
            return None;
        }
        match std::fs::read(&path) {
            Ok(bytes) => {
                if open_to_all(Path::new(&path)) {
                    self.warnings.push(Warning(fault(
                        SETTING,
                        format!("everyone on this machine can read {path}"),
                        format!("chmod o= {path}"),
                    )));
                }
                let Ok(text) = String::from_utf8(bytes) else {
                    self.wrong(SETTING, format!("{path} does not hold text"), "put only the token in it");
                    return None;
                };
                let token = text.strip_suffix('\n').unwrap_or(&text);
                self.sound_token(SETTING, token.strip_suffix('\r').unwrap_or(token))
            }
            Err(error) => {
                self.wrong(
                    SETTING,
                    format!("{path} cannot be read ({error})"),
                    "check the path, and that the user certkeeper runs as may read it",
                );
                None
            }
        }
    }

    fn sound_token(&mut self, setting: &str, token: &str) -> Option<SecretString> {
        if token.is_empty() {
            self.wrong(setting, "the token is empty", "put the bot's token there, or remove the setting");
            None
        } else if token.starts_with("Bot ") {
            self.wrong(setting, "the token begins with `Bot `", "leave that word out");
            None
        } else if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.wrong(
                setting,
                "the token has spaces, line breaks or letters that no token has",
                "copy it again, alone and on one line",
            );
            None
        } else {
            Some(SecretString::from(token.to_owned()))
        }
    }

    fn api(&mut self) -> Option<String> {
        const SETTING: &str = "discord.api";
        const FIX: &str = "write an origin such as https://discord.com or http://127.0.0.1:4321";
        let text = self.text(SETTING)?;
        let url = match reqwest::Url::parse(&text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => url,
            _ => {
                self.wrong(SETTING, "this is not an http or https address", FIX);
                return None;
            }
        };
        if !url.username().is_empty() || url.password().is_some() {
            self.wrong(SETTING, "it holds a user name or a password", FIX);
            return None;
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            self.wrong(SETTING, "it has a path, and only the origin belongs there", FIX);
            return None;
        }
        let local = url
            .host_str()
            .is_some_and(|host| host == "localhost" || host.starts_with("127.") || host == "[::1]");
        if url.scheme() == "http" && !local {
            self.warnings.push(Warning(fault(
                SETTING,
                "the token travels unencrypted to another machine",
                "use https, or keep this to a test network",
            )));
        }
        Some(url.origin().ascii_serialization())
    }

    /// The address to ping. What is wrong with it is said without saying it: it is a secret.
    fn ping_url(&mut self) -> Option<SecretString> {
        const SETTING: &str = "monitor.ping_url";
        let text = self.filled(SETTING)?;
        match reqwest::Url::parse(&text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => {
                Some(SecretString::from(text))
            }
            _ => {
                self.wrong(
                    SETTING,
                    "this is not an http or https address",
                    "copy the check's address from the monitor, or remove the setting",
                );
                None
            }
        }
    }

    fn guild(&mut self) -> Option<NonZeroU64> {
        const SETTING: &str = "discord.guild";
        let text = self.filled(SETTING)?;
        let id =
            text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<NonZeroU64>().ok()).flatten();
        if id.is_none() {
            self.wrong(
                SETTING,
                format!("`{text}` is not a server's id"),
                "switch on Developer Mode in Discord, then Copy Server ID from the server's menu",
            );
        }
        id
    }

    fn database(&mut self) -> Option<PathBuf> {
        let path = self.text("database.path")?;
        if path.is_empty() {
            self.wrong("database.path", "it is empty", "name a file, such as /data/certkeeper.db");
            return None;
        }
        Some(PathBuf::from(path))
    }

    fn listen(&mut self) -> Option<SocketAddr> {
        let text = self.filled("http.listen").filter(|text| text != "off")?;
        let address = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
        let address = address.as_deref().unwrap_or(&text).parse().ok();
        if address.is_none() {
            self.wrong(
                "http.listen",
                format!("`{text}` is not an address with a port"),
                "write one such as 127.0.0.1:8080, [::]:8080, or off",
            );
        }
        address
    }

    fn log(&mut self) -> Option<String> {
        let filter = self.filled("log").unwrap_or_else(|| "info".to_owned());
        if let Err(why) = logging::check(&filter) {
            self.wrong(
                "log",
                format!("`{filter}` is not a filter ({why})"),
                "write off, error, warn, info, debug, trace, or targets such as info,certkeeper=debug",
            );
            return None;
        }
        Some(filter)
    }

    fn log_format(&mut self) -> Option<LogFormat> {
        let text = self.text("log_format")?;
        match text.as_str() {
            "text" | "" => Some(LogFormat::Text),
            "json" => Some(LogFormat::Json),
            _ => {
                self.wrong("log_format", format!("`{text}` is not a form of log"), "write text or json");
                None
            }
        }
    }

    fn timezone(&mut self) -> Option<Tz> {
        const SETTING: &str = "organisation.timezone";
        let text = self.text(SETTING)?;
        if let Ok(zone) = text.parse() {
            return Some(zone);
        }
        let near = chrono_tz::TZ_VARIANTS
            .iter()
            .map(|zone| (zone.name(), strsim::jaro_winkler(zone.name(), &text)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .filter(|(_, near)| *near > 0.85);
        let fix = near.map_or_else(
            || "write an IANA name such as Europe/Berlin".to_owned(),
            |(name, _)| format!("did you mean `{name}`?"),
        );
        self.wrong(SETTING, format!("`{text}` is not a time zone"), fix);
        None
    }

    fn folder(&mut self) -> Option<PathBuf> {
        let path = PathBuf::from(self.filled("data.folder")?);
        if !path.is_dir() {
            self.wrong(
                "data.folder",
                format!("{} is not a folder that can be read", path.display()),
                "make it, with standards/, programmes/ or holidays/ in it, or remove the setting",
            );
            return None;
        }
        Some(path)
    }
}

#[cfg(unix)]
fn open_to_all(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).is_ok_and(|meta| meta.mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn open_to_all(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    type Loaded = Result<(Settings, Vec<Warning>), Vec<Fault>>;

    fn load(file: Option<&str>, env: &[(&str, &str)], needs: Needs) -> Loaded {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("given.toml");
        if let Some(text) = file {
            std::fs::write(&path, text).unwrap();
        }
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings::load_from(&folder.path().join("none.toml"), file.map(|_| path.as_path()), env, needs)
    }

    fn told(loaded: Loaded) -> String {
        let faults = loaded.unwrap_err();
        let text = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        // The temporary folder's name differs from run to run.
        text.split(['/'])
            .map(|part| if part.starts_with(".tmp") { "TMP" } else { part })
            .collect::<Vec<_>>()
            .join("/")
    }

    const TOKEN: (&str, &str) = ("CERTKEEPER_DISCORD__TOKEN", "s3cret.token-x");

    #[test]
    fn the_built_in_settings_suffice_for_all_but_the_daemon() {
        let (settings, warnings) = load(None, &[], Needs::Nothing).unwrap();
        assert!(warnings.is_empty());
        assert_eq!(settings.database, PathBuf::from("certkeeper.db"));
        assert_eq!(settings.listen, Some("127.0.0.1:8080".parse().unwrap()));
        assert_eq!(settings.log, "info");
        assert_eq!(settings.log_format, LogFormat::Text);
        assert_eq!(settings.organisation, OrganisationDefaults { timezone: Tz::UTC, hour: 9 });
        assert_eq!(settings.late_after_minutes, 60);
        assert_eq!(settings.max_attachment_bytes, 26_214_400);
        assert_eq!(settings.data_folder, None);
        assert!(settings.discord.is_none());
        assert!(settings.require_discord().is_err());
        assert!(
            told(load(None, &[], Needs::Discord)).starts_with("discord.token: there is none; put the bot's")
        );
    }

    #[test]
    fn the_environment_wins_over_a_file_and_a_file_over_what_is_built_in() {
        let file = "log_format = \"json\"\n[organisation]\nhour = 7\ntimezone = \"Europe/Berlin\"\n";
        let env = [TOKEN, ("CERTKEEPER_ORGANISATION__HOUR", "8"), ("CERTKEEPER_LOG", "debug")];
        let (settings, _) = load(Some(file), &env, Needs::Discord).unwrap();
        assert_eq!(settings.organisation.hour, 8);
        assert_eq!(settings.organisation.timezone, Tz::Europe__Berlin);
        assert_eq!(settings.log_format, LogFormat::Json);
        assert_eq!(settings.log, "debug");
        assert_eq!(settings.require_discord().unwrap().token.expose_secret(), TOKEN.1);
    }

    #[test]
    fn a_file_of_the_working_directory_is_below_the_one_named() {
        let folder = tempfile::tempdir().unwrap();
        let (local, named) = (folder.path().join("a.toml"), folder.path().join("b.toml"));
        std::fs::write(&local, "[organisation]\nhour = 5\ntimezone = \"Asia/Tokyo\"").unwrap();
        std::fs::write(&named, "[organisation]\nhour = 6").unwrap();
        let (settings, _) =
            Settings::load_from(&local, Some(&named), std::iter::empty(), Needs::Nothing).unwrap();
        assert_eq!(settings.organisation, OrganisationDefaults { timezone: Tz::Asia__Tokyo, hour: 6 });
    }

    #[test]
    fn the_token_and_the_ping_url_stand_in_no_debug_text_and_no_fault() {
        let url = ("CERTKEEPER_MONITOR__PING_URL", "https://hc.example/s3cret-check");
        let (settings, _) = load(None, &[TOKEN, url], Needs::Discord).unwrap();
        assert!(settings.monitor.is_some());
        assert!(!format!("{settings:?}").contains("s3cret"));
        let url = ("CERTKEEPER_MONITOR__PING_URL", "ftp://hc.example/s3cret-check");
        let fault = told(load(None, &[TOKEN, url], Needs::Discord));
        assert!(fault.starts_with("monitor.ping_url") && !fault.contains("s3cret"), "{fault}");
    }

    #[test]
    fn all_faults_are_told_together() {
        let file = "colour = 1\n[discord]\ngiuld = 4\n[organisation]\nhour = 25\ntimezone = \"Europe/Berlim\"\n\
                    [atachments]\nmax_bytes = 3\n";
        let env = [
            ("CERTKEEPER_DISCORD__GUILD", "my server"),
            ("CERTKEEPER_DISCORD__API", "https://discord.com/api/v10"),
            ("CERTKEEPER_HTTP__LISTEN", ":8080"),
            ("CERTKEEPER_LOG", "info,certkeeper=loud"),
            ("CERTKEEPER_LOG_FORMAT", "xml"),
            ("CERTKEEPER_NOTICES__LATE_AFTER_MINUTES", "0"),
            ("CERTKEEPER_DATABASE__PATH", ""),
            ("CERTKEEPER_DATA__FOLDER", "/no/such/folder"),
        ];
        insta::assert_snapshot!(told(load(Some(file), &env, Needs::Discord)), @r#"
        atachments.max_bytes: there is no such setting (in /tmp/TMP/given.toml); did you mean `attachments.max_bytes`?
        colour: there is no such setting (in /tmp/TMP/given.toml); remove it
        discord.giuld: there is no such setting (in /tmp/TMP/given.toml); did you mean `discord.guild`?
        discord.api: it has a path, and only the origin belongs there (in CERTKEEPER_DISCORD__API); write an origin such as https://discord.com or http://127.0.0.1:4321
        discord.guild: `my server` is not a server's id (in CERTKEEPER_DISCORD__GUILD); switch on Developer Mode in Discord, then Copy Server ID from the server's menu
        discord.token: there is none; put the bot's token (Discord developer portal, your application, Bot, Reset Token) in a file and name it in CERTKEEPER_DISCORD__TOKEN_FILE, or give it in CERTKEEPER_DISCORD__TOKEN
        database.path: it is empty (in CERTKEEPER_DATABASE__PATH); name a file, such as /data/certkeeper.db
        http.listen: `:8080` is not an address with a port (in CERTKEEPER_HTTP__LISTEN); write one such as 127.0.0.1:8080, [::]:8080, or off
        log: `info,certkeeper=loud` is not a filter (error parsing level filter: expected one of "off", "error", "warn", "info", "debug", "trace", or a number 0-5) (in CERTKEEPER_LOG); write off, error, warn, info, debug, trace, or targets such as info,certkeeper=debug
        log_format: `xml` is not a form of log (in CERTKEEPER_LOG_FORMAT); write text or json
        organisation.timezone: `Europe/Berlim` is not a time zone (in /tmp/TMP/given.toml); did you mean `Europe/Berlin`?
        organisation.hour: `25` is not an hour (in /tmp/TMP/given.toml); write a whole number from 0 to 23
        notices.late_after_minutes: `0` is not a number of minutes (in CERTKEEPER_NOTICES__LATE_AFTER_MINUTES); write a whole number from 1 to 10080
        data.folder: /no/such/folder is not a folder that can be read (in CERTKEEPER_DATA__FOLDER); make it, with standards/, programmes/ or holidays/ in it, or remove the setting
        "#);
    }

    #[test]
    fn an_unknown_variable_is_a_warning_with_the_right_name() {
        let env = [
            ("CERTKEEPER_DISCORD_TOKEN", "s3cret"),
            ("CERTKEEPER_FAVOURITE", "s3cret"),
            ("CERTKEEPER_DISCORD", "s3cret"),
            ("PATH", "/bin"),
        ];
        let (_, warnings) = load(None, &env, Needs::Nothing).unwrap();
        let text = warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        insta::assert_snapshot!(text, @r#"
        CERTKEEPER_DISCORD: there is no such setting, it is ignored; did you mean `CERTKEEPER_DISCORD__API`?
        CERTKEEPER_DISCORD_TOKEN: there is no such setting, it is ignored; did you mean `CERTKEEPER_DISCORD__TOKEN`?
        CERTKEEPER_FAVOURITE: there is no such setting, it is ignored; remove it
        "#);
    }

    #[test]
    fn a_secret_is_never_quoted() {
        for file in [
            "[discord]\ntoken = s3cret",
            "[discord]\ntoken = \"s3cret",
            "[discord]\ntoken = \"s3cret\"\ntoken = \"s3cret\"",
            "[discord]\ntoken = [\"s3cret\"]",
            "[discord]\ntoken = { s3cret = 1 }",
            "[discord]\ntoken = \"s3cret s3cret\"",
            "[discord]\ntoken = \"s3cret\"\ntoken_file = \"x\"",
            "[discord]\ntoken = \"Bot s3cret\"",
        ] {
            let text = told(load(Some(file), &[], Needs::Discord));
            // A table's key is a name, not a value: it may be told.
            assert!(!text.replace("discord.token.s3cret", "").contains("s3cret"), "{file}\n{text}");
        }
    }

    #[test]
    fn a_token_comes_from_a_file_less_one_line_break() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let with = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            load(None, &[("CERTKEEPER_DISCORD__TOKEN_FILE", path.to_str().unwrap())], Needs::Discord)
        };
        for good in [&b"abc.def"[..], b"abc.def\n", b"abc.def\r\n"] {
            let (settings, _) = with(good).unwrap();
            assert_eq!(settings.require_discord().unwrap().token.expose_secret(), "abc.def");
        }
        for bad in [&b""[..], b"\n", b"abc\n\n", b"abc def", b"\xff\xfe"] {
            assert!(with(bad).is_err(), "{bad:?}");
        }
        let missing = load(None, &[("CERTKEEPER_DISCORD__TOKEN_FILE", "/no/such/file")], Needs::Discord);
        insta::assert_snapshot!(told(missing), @r#"discord.token_file: /no/such/file cannot be read (No such file or directory (os error 2)) (in CERTKEEPER_DISCORD__TOKEN_FILE); check the path, and that the user certkeeper runs as may read it"#);
        // What does not need the token does not look for it.
        assert!(load(None, &[("CERTKEEPER_DISCORD__TOKEN_FILE", "/no/such/file")], Needs::Nothing).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_token_file_that_everyone_can_read_is_warned_of() {
        use std::os::unix::fs::PermissionsExt as _;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "abc").unwrap();
        let env = [("CERTKEEPER_DISCORD__TOKEN_FILE", file.path().to_str().unwrap())];
        for (mode, warned) in [(0o600, 0), (0o640, 0), (0o644, 1)] {
            std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
            let (_, warnings) = load(None, &env, Needs::Discord).unwrap();
            assert_eq!(warnings.len(), warned, "{mode:o}");
        }
    }

    #[test]
    fn an_empty_token_and_two_tokens_are_faults() {
        let empty = load(None, &[("CERTKEEPER_DISCORD__TOKEN", "")], Needs::Discord);
        assert!(told(empty).contains("the token is empty"));
        let both = load(None, &[TOKEN, ("CERTKEEPER_DISCORD__TOKEN_FILE", "/x")], Needs::Discord);
        assert!(told(both).contains("keep one of them"));
    }

    #[test]
    fn an_origin_is_taken_without_its_slash() {
        for (typed, origin) in [
            ("https://discord.com/", "https://discord.com"),
            ("http://127.0.0.1:4321", "http://127.0.0.1:4321"),
            ("http://[::1]:80", "http://[::1]"),
        ] {
            let (settings, warnings) =
                load(None, &[TOKEN, ("CERTKEEPER_DISCORD__API", typed)], Needs::Discord).unwrap();
            assert_eq!(settings.require_discord().unwrap().api, origin);
            assert!(warnings.is_empty());
        }
        for bad in [
            "discord.com",
            "ftp://discord.com",
            "https://",
            "https://a:b@discord.com",
            "https://d.com/api",
            "",
        ] {
            assert!(load(None, &[TOKEN, ("CERTKEEPER_DISCORD__API", bad)], Needs::Discord).is_err(), "{bad}");
        }
        let far = load(None, &[TOKEN, ("CERTKEEPER_DISCORD__API", "http://example.org")], Needs::Discord);
        assert_eq!(far.unwrap().1.len(), 1);
    }

    #[test]
    fn the_listener_can_be_switched_off_and_the_guild_left_empty() {
        for off in ["", "off"] {
            let env = [("CERTKEEPER_HTTP__LISTEN", off), ("CERTKEEPER_DISCORD__GUILD", "")];
            assert_eq!(load(None, &env, Needs::Nothing).unwrap().0.listen, None);
        }
        let env = [TOKEN, ("CERTKEEPER_HTTP__LISTEN", "localhost:0"), ("CERTKEEPER_DISCORD__GUILD", "1418")];
        let (settings, _) = load(None, &env, Needs::Discord).unwrap();
        assert_eq!(settings.listen, Some("127.0.0.1:0".parse().unwrap()));
        assert_eq!(settings.require_discord().unwrap().guild.map(NonZeroU64::get), Some(1418));
        for bad in ["0", "-3", "+3", "1e9", "99999999999999999999"] {
            assert!(load(None, &[("CERTKEEPER_DISCORD__GUILD", bad)], Needs::Nothing).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_number_in_a_file_is_a_guild_too() {
        let (settings, _) =
            load(Some("[discord]\nguild = 1418000000000000000"), &[TOKEN], Needs::Discord).unwrap();
        assert_eq!(
            settings.require_discord().unwrap().guild.map(NonZeroU64::get),
            Some(1_418_000_000_000_000_000)
        );
    }

    #[test]
    fn every_setting_is_described_once() {
        let known = known();
        assert_eq!(known.len(), 18);
        for setting in &known {
            assert!(setting.meaning.ends_with('.'), "{setting:?}");
        }
        let reference = reference();
        for line in [
            "| `log_format` | `CERTKEEPER_LOG_FORMAT` | `text` |",
            "| `discord.token_file` | `CERTKEEPER_DISCORD__TOKEN_FILE` | none |",
            "| `attachments.max_bytes` | `CERTKEEPER_ATTACHMENTS__MAX_BYTES` | `26214400` |",
        ] {
            assert!(reference.contains(line), "{reference}");
        }
        // The built-in file is itself a valid file of settings.
        assert!(load(Some(DEFAULTS), &[], Needs::Nothing).is_ok());
    }
}
