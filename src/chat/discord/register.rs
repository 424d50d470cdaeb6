//! The grammar as Discord's commands, registered in one scope and only when they changed.

use std::collections::BTreeSet;
use std::future::Future;

use clap::{Arg, Command};
use serenity::builder::{CreateCommand, CreateCommandOption};
use serenity::model::application::{CommandOptionType, InstallationContext, InteractionContext};
use serenity::model::channel::ChannelType;
use sha2::{Digest as _, Sha256};

use super::rest::{Call, Fault, Rest};
use crate::command::option::{Kind, kind};

/// The most that Discord offers of anything: options, choices, subcommands.
const MOST: usize = 25;
/// What is remembered of a scope that was emptied.
const EMPTY: &str = "empty";

/// What the adapter keeps over restarts: what was last registered where, and how far its session came.
pub trait Remembered: Send + Sync {
    /// What is kept under a name (of a registration: the hash, under its scope).
    fn get(&self, scope: &str) -> impl Future<Output = Option<String>> + Send;
    /// Keeps something under a name.
    fn set(&self, scope: &str, hash: &str) -> impl Future<Output = ()> + Send;
}

fn described(text: Option<&clap::builder::StyledStr>, otherwise: &str) -> String {
    let text = text.map(ToString::to_string).unwrap_or_default();
    let text = text.lines().next().unwrap_or_default().trim();
    let text = if text.is_empty() { otherwise } else { text };
    shorten(text, 100)
}

fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(most - 1).collect();
    out.push('…');
    out
}

fn option(arg: &Arg, standards: &[(String, String)]) -> CreateCommandOption {
    let name = arg.get_long().unwrap_or_else(|| arg.get_id().as_str());
    let what = kind(arg);
    let kind = match what {
        Kind::Text | Kind::Long | Kind::More | Kind::Day | Kind::Named(_) | Kind::Choice | Kind::Standard => {
            CommandOptionType::String
        }
        Kind::Whole { .. } => CommandOptionType::Integer,
        Kind::YesNo => CommandOptionType::Boolean,
        Kind::Person => CommandOptionType::User,
        Kind::Role => CommandOptionType::Role,
        Kind::Channel => CommandOptionType::Channel,
        Kind::File => CommandOptionType::Attachment,
    };
    let mut made =
        CreateCommandOption::new(kind, name, described(arg.get_help(), name)).required(arg.is_required_set());
    match what {
        Kind::Named(_) | Kind::Day => made = made.set_autocomplete(true),
        Kind::Whole { min, max } => made = made.min_int_value(min.into()).max_int_value(max.into()),
        Kind::Channel => made = made.channel_types(vec![ChannelType::Text, ChannelType::News]),
        Kind::Standard => {
            for (id, title) in standards.iter().take(MOST) {
                made = made.add_string_choice(shorten(title, 100), id);
            }
        }
        Kind::Choice => {
            for value in arg.get_possible_values().iter().filter(|v| !v.is_hide_set()).take(MOST) {
                let name = value.get_name();
                let label = match value.get_help() {
                    Some(help) => shorten(&format!("{name} – {help}"), 100),
                    None => name.to_owned(),
                };
                made = made.add_string_choice(label, name);
            }
        }
        Kind::Text | Kind::Long | Kind::More | Kind::YesNo | Kind::Person | Kind::Role | Kind::File => {}
    }
    made
}

fn options(command: &Command, standards: &[(String, String)]) -> Vec<CreateCommandOption> {
    if command.has_subcommands() {
        return command
            .get_subcommands()
            .map(|sub| {
                let kind = if sub.has_subcommands() {
                    CommandOptionType::SubCommandGroup
                } else {
                    CommandOptionType::SubCommand
                };
                let made = CreateCommandOption::new(
                    kind,
                    sub.get_name(),
                    described(sub.get_about(), sub.get_name()),
                );
                options(sub, standards).into_iter().fold(made, CreateCommandOption::add_sub_option)
            })
            .collect();
    }
    let args = || command.get_arguments().filter(|arg| !arg.is_hide_set());
    let required = args().filter(|arg| arg.is_required_set());
    let optional = args().filter(|arg| !arg.is_required_set());
    required.chain(optional).map(|arg| option(arg, standards)).collect()
}

/// The whole grammar as Discord's commands.
pub(super) fn commands(tree: &Command, standards: &[(String, String)]) -> Vec<CreateCommand> {
    tree.get_subcommands()
        .map(|command| {
            CreateCommand::new(command.get_name())
                .description(described(command.get_about(), command.get_name()))
                .integration_types(vec![InstallationContext::Guild])
                .contexts(vec![InteractionContext::Guild])
                .set_options(options(command, standards))
        })
        .collect()
}

fn path(application: &str, guild: Option<&str>) -> String {
    match guild {
        Some(guild) => format!("/applications/{application}/guilds/{guild}/commands"),
        None => format!("/applications/{application}/commands"),
    }
}

fn scope(application: &str, guild: Option<&str>) -> String {
    match guild {
        Some(guild) => format!("{application}/guild:{guild}"),
        None => format!("{application}/global"),
    }
}

#[derive(serde::Deserialize)]
struct Named {
    name: String,
}

/// Sees to it that the commands stand in one scope (the guild's, or the global one), and that the global one is
/// empty where they stand in a guild. Touches nothing that is as it should be.
pub(super) async fn register<R: Remembered>(
    rest: &Rest,
    application: &str,
    guild: Option<&str>,
    commands: &[CreateCommand],
    names: &BTreeSet<String>,
    memory: &R,
) -> Result<(), Fault> {
    let body = serde_json::to_vec(commands).unwrap_or_default();
    let hash = Sha256::digest(&body).iter().fold(String::new(), |out, byte| out + &format!("{byte:02x}"));
    let ours = scope(application, guild);
    let unchanged = memory.get(&ours).await.as_deref() == Some(hash.as_str()) && {
        // Somebody else may have cleared it.
        let there = rest.json::<Vec<Named>>(Call::get(path(application, guild))).await?;
        there.into_iter().map(|c| c.name).collect::<BTreeSet<_>>() == *names
    };
    if !unchanged {
        let call = Call::put(path(application, guild)).raw(body).patience(std::time::Duration::from_secs(10));
        rest.send(call).await?;
        memory.set(&ours, &hash).await;
        tracing::info!(commands = names.len(), scope = ours, "commands registered");
    }
    if guild.is_some() {
        clear(rest, application, None, memory).await?;
    }
    Ok(())
}

/// Sees to it that a scope is empty; asks only where that is not known yet.
pub(super) async fn clear<R: Remembered>(
    rest: &Rest,
    application: &str,
    guild: Option<&str>,
    memory: &R,
) -> Result<(), Fault> {
    let other = scope(application, guild);
    if memory.get(&other).await.as_deref() == Some(EMPTY) {
        return Ok(());
    }
    let there = rest.json::<Vec<Named>>(Call::get(path(application, guild))).await?;
    if !there.is_empty() {
        rest.send(Call::put(path(application, guild)).raw(b"[]".to_vec())).await?;
        tracing::info!(scope = other, "commands of an earlier set-up removed");
    }
    memory.set(&other, EMPTY).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn standards() -> Vec<(String, String)> {
        vec![
            ("iso-27001".to_owned(), "ISO/IEC 27001:2022 – information security".to_owned()),
            ("iso-9001".to_owned(), "ISO 9001:2015 – quality".to_owned()),
        ]
    }

    fn made() -> Value {
        serde_json::to_value(commands(&crate::command::grammar::tree(), &standards())).unwrap()
    }

    fn weigh(at: &Value) -> usize {
        let text = |key: &str| at[key].as_str().map_or(0, |s| s.chars().count());
        let list = |key: &str| at[key].as_array().map_or(0, |l| l.iter().map(weigh).sum());
        text("name") + text("description") + text("value") + list("options") + list("choices")
    }

    fn check(at: &Value, depth: usize) {
        let name = at["name"].as_str().unwrap();
        assert!((1..=32).contains(&name.chars().count()), "{name}");
        assert!(name.chars().all(|c| c.is_lowercase() || c.is_numeric() || matches!(c, '-' | '_')), "{name}");
        let description = at["description"].as_str().unwrap();
        assert!((1..=100).contains(&description.chars().count()), "{name}: {description}");
        let none = Vec::new();
        let options = at["options"].as_array().unwrap_or(&none);
        assert!(options.len() <= 25, "{name}");
        let names: BTreeSet<_> = options.iter().map(|o| o["name"].as_str().unwrap()).collect();
        assert_eq!(names.len(), options.len(), "{name}: names are unique");
        let mut optional_seen = false;
        for option in options {
            let kind = option["type"].as_u64().unwrap();
            assert!(kind != 1 || depth < 2);
            assert!(kind != 2 || depth == 0);
            if kind > 2 {
                let required = option["required"] == true;
                assert!(!(required && optional_seen), "{name}: required options come first");
                optional_seen |= !required;
            }
            check(option, depth + 1);
        }
        let choices = at["choices"].as_array().unwrap_or(&none);
        assert!(choices.len() <= 25);
        assert!(choices.is_empty() || at["autocomplete"] != true, "{name}: choices or autocomplete");
        for choice in choices {
            assert!((1..=100).contains(&choice["name"].as_str().unwrap().chars().count()));
            assert!((1..=100).contains(&choice["value"].as_str().unwrap().chars().count()));
        }
    }

    #[test]
    fn every_command_keeps_discords_limits() {
        let made = made();
        let all = made.as_array().unwrap();
        assert!((1..=100).contains(&all.len()));
        for command in all {
            check(command, 0);
            let weight = weigh(command);
            assert!(weight <= 8000, "{}: {weight}", command["name"]);
        }
    }

    #[test]
    fn the_registration_is_known() {
        insta::assert_snapshot!("registration", serde_json::to_string_pretty(&made()).unwrap());
    }
}
