//! What the Discord adapter itself says: about Discord, its permissions, its limits and its failures.

use std::time::Duration;

use super::card::{Card, Line, Tone};

/// The end of a card that was too long.
pub fn left_out(lines: usize) -> String {
    if lines == 1 {
        "… 1 more line left out".to_owned()
    } else {
        format!("… {lines} more lines left out")
    }
}

/// The name of a field's further parts.
pub fn continued(name: &str) -> String {
    format!("{name} (continued)")
}

/// A refusal of the adapter's.
pub fn refusal(title: &str, words: &str) -> Card {
    Card::new(Tone::Refusal, title).line(words)
}

/// Commands are for servers.
pub fn servers_only() -> Card {
    refusal(
        "Only in a server",
        "I keep each server's certificates apart, so I take commands in a server's channels only. \
         Please type it there.",
    )
}

/// The button that asks the next question of a nonconformity.
pub fn next_question(nc: i64) -> String {
    format!("Next question for NC-{nc}")
}

/// Something was clicked that we don't know (any more).
pub fn unknown_component() -> Card {
    refusal(
        "That no longer works",
        "This button belongs to an older version of me. Please type the command; /help lists them.",
    )
}

/// A command that is not in the grammar any more.
pub fn unknown_command() -> Card {
    refusal(
        "I don't know that",
        "This is not a command that I know (any more). Restart Discord to see the current ones; /help lists them.",
    )
}

/// A form would be needed where none can be shown.
pub fn no_form_here(inputs: &[String]) -> Card {
    let line = if inputs.is_empty() {
        Line::new().text("I can't show a form at this point. Please type the command again.")
    } else {
        Line::new()
            .text("I can't show a form at this point. Please type the command again, with ")
            .code(inputs.join(", "))
            .text(" filled in.")
    };
    Card::new(Tone::Refusal, "More is needed").line(line)
}

/// Something of ours broke.
pub fn broke() -> Card {
    Card::new(Tone::Alarm, "Something went wrong").line(
        "An error of mine stopped this. If it was to change something, look (for instance with /status) whether it \
         did before you try again. The operator finds the details in the log.",
    )
}

/// The answer to a request that took so long that it could only be acknowledged to the asker.
pub fn took_long() -> Card {
    Card::new(Tone::Plain, "That took a moment").line("It is done; the record stands in the channel.")
}

/// A file lies somewhere that nothing is fetched from.
pub fn file_not_allowed() -> String {
    "it does not lie on Discord's servers; please attach the file itself".to_owned()
}

/// A file is larger than the limit.
pub fn file_too_large(limit: u64) -> String {
    format!(
        "it is larger than {} MiB, the most that is kept here; attach a smaller one or a link",
        limit >> 20
    )
}

/// A file did not come.
pub fn file_failed(why: &str) -> String {
    format!("Discord did not hand it over ({why}); please try again")
}

/// Permissions are missing in a channel.
pub fn missing_permissions(missing: &[String]) -> String {
    format!(
        "I may not post there: I lack {} in that channel. Give them to my role in the channel's permissions, \
         or choose another channel with /setup",
        missing.join(", ")
    )
}

/// Discord refuses for a permission that could not be found out.
pub fn no_permission(discords: &str) -> String {
    format!(
        "I may not post there (Discord says: {discords}). I need View Channel, Send Messages, Embed Links and Read \
         Message History in that channel; or choose another one with /setup"
    )
}

/// The channel is gone.
pub fn channel_gone() -> String {
    "The channel no longer exists (or I was removed from the server). Choose another one with /setup"
        .to_owned()
}

/// The message itself was refused.
pub fn message_refused(discords: &str) -> String {
    format!("Discord does not take this message: {discords}")
}

/// A message holds less than was put into it.
pub fn too_long() -> String {
    "it does not fit into one message there, and is put together anew in several".to_owned()
}

/// The channel's id is not one of Discord's.
pub fn not_a_channel() -> String {
    "This is not a Discord channel. Choose one with /setup".to_owned()
}

/// The history of a channel may not be read.
pub fn no_history() -> String {
    "I may not read the channel's history (Read Message History is missing there)".to_owned()
}

/// The token was refused.
pub fn token_refused() -> String {
    "Discord refuses the bot token. Make a new one (Discord Developer Portal → your application → Bot → Reset \
     Token), put it where CERTKEEPER_DISCORD__TOKEN or CERTKEEPER_DISCORD__TOKEN_FILE names it, and start again"
        .to_owned()
}

/// A close of the gateway that trying again will not change.
pub fn fatal_close(code: u16) -> String {
    match code {
        4010 | 4011 => format!(
            "Discord closed the connection for good ({code}): the bot is in so many servers that it would need \
             several connections (shards), which certkeeper does not do. Remove it from servers that don't use it"
        ),
        4012 => {
            "Discord closed the connection for good (4012): it no longer speaks version 10 of its gateway. \
                 Install a newer certkeeper"
                .to_owned()
        }
        4013 | 4014 => format!(
            "Discord closed the connection for good ({code}): it does not grant the GUILDS intent that certkeeper \
             asks for. That intent needs no approval; look whether the application is in good standing in the \
             Discord Developer Portal"
        ),
        _ => format!("Discord closed the connection for good (code {code})"),
    }
}

/// Commands could not be registered in the configured server.
pub fn cannot_register(guild: Option<&str>, discords: &str) -> String {
    match guild {
        Some(guild) => format!(
            "the commands can't be registered in server {guild} ({discords}): invite the bot there with the scopes \
             bot and applications.commands, or correct CERTKEEPER_DISCORD__GUILD"
        ),
        None => format!("the commands can't be registered ({discords})"),
    }
}

/// A wait, for the log.
pub fn wait(after: Duration) -> String {
    format!("{:.1} s", after.as_secs_f64())
}
