//! `certkeeper doctor`: everything that can be wrong with an installation, looked at, with what to do about it.

use std::path::Path;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use sqlx::SqliteConnection;

use crate::backup;
use crate::chat::Ask;
use crate::chat::discord::Probe;
use crate::config::Settings;
use crate::store::{self, OpenFault, notices, verify};

/// How a thing was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Well,
    Doubtful,
    Wrong,
}

/// What was found, a line each.
#[derive(Debug, Default)]
pub struct Report {
    lines: Vec<(Found, String)>,
}

impl Report {
    fn well(&mut self, words: impl Into<String>) {
        self.lines.push((Found::Well, words.into()));
    }

    fn doubtful(&mut self, words: impl Into<String>) {
        self.lines.push((Found::Doubtful, words.into()));
    }

    /// Something is wrong: what, and what to do.
    pub fn wrong(&mut self, words: impl Into<String>) {
        self.lines.push((Found::Wrong, words.into()));
    }

    /// Whether nothing is wrong.
    pub fn is_well(&self) -> bool {
        self.lines.iter().all(|(found, _)| *found != Found::Wrong)
    }

    /// The report as it is read.
    pub fn text(&self) -> String {
        self.lines.iter().fold(String::new(), |text, (found, words)| {
            let mark = match found {
                Found::Well => "ok     ",
                Found::Doubtful => "warning",
                Found::Wrong => "FAULT  ",
            };
            format!("{text}{mark}  {words}\n")
        })
    }
}

/// Looks at everything that the settings lead to; `report` holds what was found wrong with them.
pub async fn examine(settings: &Settings, mut report: Report, now: DateTime<Utc>) -> Report {
    if report.is_well() {
        report.well("settings: complete");
    }
    let probe = match &settings.discord {
        Some(discord) => discord_answers(&discord.api, discord.token.clone(), &mut report).await,
        None => None,
    };
    match store::open_to_read(&settings.database).await {
        Ok(mut c) => {
            if let Err(fault) = file(&mut c, settings, probe.as_ref(), &mut report, now).await {
                report.wrong(format!(
                    "database: {fault}; put the latest backup back: certkeeper restore FILE --force"
                ));
            }
        }
        Err(OpenFault::Setting(_)) if !settings.database.exists() => {
            report.doubtful(format!(
                "database: there is no {} yet; the daemon makes it at its first start",
                settings.database.display()
            ));
        }
        Err(fault) => report.wrong(format!("database: {fault}")),
    }
    backups(&settings.backup_folder, settings.backup_every_hours, &mut report, now);
    report
}

async fn discord_answers(api: &str, token: secrecy::SecretString, report: &mut Report) -> Option<Probe> {
    let probe = match Probe::new(api, token) {
        Ok(probe) => probe,
        Err(why) => {
            report.wrong(format!("discord: {why}"));
            return None;
        }
    };
    match probe.whoami().await {
        Ok(id) => {
            report.well(format!("discord: {api} knows the token; the bot's id is {id}"));
            Some(probe)
        }
        Err(why) => {
            report.wrong(format!("discord: {api} could not be asked who we are: {why}"));
            None
        }
    }
}

async fn file(
    c: &mut SqliteConnection,
    settings: &Settings,
    probe: Option<&Probe>,
    report: &mut Report,
    now: DateTime<Utc>,
) -> Result<(), store::Fault> {
    let path = settings.database.display();
    match store::file::damage(c, false).await? {
        None => report.well(format!("database: {path} is whole")),
        Some(found) => report.wrong(format!(
            "database: {path} is damaged ({found}); stop the daemon and put the latest backup back: certkeeper restore \
             FILE --force"
        )),
    }
    for v in verify::all(c).await? {
        if v.altered.is_empty() {
            report.well(format!("journal: {} entries of {} agree with the tables", v.head.seq, v.place));
        } else {
            report.wrong(format!(
                "journal: {} was altered: {}; compare with a backup (certkeeper verify says more)",
                v.place,
                v.altered.join("; ")
            ));
        }
    }
    match store::file::latest_entry(c).await? {
        Some(at) if at > now + TimeDelta::minutes(5) => report.wrong(format!(
            "clock: it shows {}, which is before the latest entry of the journal ({}); set it",
            now.to_rfc3339_opts(SecondsFormat::Secs, true),
            at.to_rfc3339_opts(SecondsFormat::Secs, true)
        )),
        Some(_) | None => {
            report.well(format!("clock: it shows {}", now.to_rfc3339_opts(SecondsFormat::Secs, true)));
        }
    }
    for org in store::organisation::all(c).await? {
        let (certificates, rest) = store::facts(c, org.id, false).await?;
        let mut channels: Vec<&str> = certificates
            .iter()
            .filter_map(|f| f.certificate.channel.as_deref())
            .chain(org.channel.as_deref())
            .chain(org.manners.escalation_channel.as_deref())
            .chain(rest.own.iter().filter(|o| o.ended_at.is_none()).filter_map(|o| o.channel.as_deref()))
            .collect();
        channels.sort_unstable();
        channels.dedup();
        let unplaced = certificates.iter().any(|f| f.certificate.channel.is_none()) && org.channel.is_none();
        if unplaced {
            report.wrong(format!(
                "{}: certificates without a channel; choose one with /setup channel:",
                org.place
            ));
        }
        if let Some(probe) = probe.filter(|_| org.place.starts_with("discord:")) {
            for channel in channels {
                permissions(probe, &org.place, channel, report).await;
            }
            let named: Vec<Ask> = org
                .manager_role
                .iter()
                .chain(&org.auditor_role)
                .map(|role| Ask::Role(role.clone()))
                .collect();
            for gone in probe.roles_gone(&org.place, &named).await {
                if let Ask::Role(role) = gone {
                    report.wrong(format!(
                        "{}: {}",
                        org.place,
                        crate::say::notice::role_gone(&org, &role).plain()
                    ));
                }
            }
        }
        for parked in notices::parked(c, org.id).await? {
            report.wrong(format!(
                "{}: {} for channel {} ({}); give the bot what is missing there, or choose another with \
                 /setup or /certificate edit",
                org.place,
                crate::say::waiting(parked.notices),
                parked.channel,
                parked.why
            ));
        }
    }
    let waiting = store::file::waiting(c, now - TimeDelta::hours(1)).await?;
    if waiting == 0 {
        report.well("reminders: none is waiting");
    } else {
        report.doubtful(format!(
            "reminders: {waiting} were due more than an hour ago and are not posted; is the daemon running?"
        ));
    }
    Ok(())
}

async fn permissions(probe: &Probe, place: &str, channel: &str, report: &mut Report) {
    match probe.missing(channel).await {
        Ok((name, missing)) if missing.is_empty() => {
            report.well(format!("{place}: everything needed is permitted in #{name} ({channel})"));
        }
        Ok((name, missing)) => report.wrong(format!(
            "{place}: missing in #{name} ({channel}): {}; give it to the bot's role there",
            missing.join(", ")
        )),
        Err(why) => report.wrong(format!(
            "{place}: channel {channel} could not be looked at: {why}; if it is gone, choose another with /setup or \
             /certificate edit"
        )),
    }
}

fn backups(folder: &Path, every_hours: u32, report: &mut Report, now: DateTime<Utc>) {
    let folder_name = folder.display();
    match backup::latest(folder) {
        None if every_hours == 0 => report.doubtful(format!(
            "backups: none in {folder_name}; take one with certkeeper backup, or set backup.every_hours"
        )),
        None => {
            report.doubtful(format!("backups: none in {folder_name} yet; the daemon takes one at its start"));
        }
        Some(at) => {
            let hours = (now - at).num_hours();
            let limit = if every_hours == 0 { 7 * 24 } else { i64::from(every_hours) * 2 };
            if hours > limit {
                report.doubtful(format!("backups: the latest in {folder_name} is {hours} hours old"));
            } else {
                report.well(format!("backups: the latest in {folder_name} is {hours} hours old"));
            }
        }
    }
}
