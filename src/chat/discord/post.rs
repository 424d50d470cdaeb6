//! The outbound port on Discord. It needs only REST: reminders go out while the gateway is down.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serenity::builder::{CreateAllowedMentions, CreateMessage, EditMessage};
use serenity::model::channel::{MessageFlags, Nonce};
use serenity::model::id::{RoleId, UserId};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::presence::Presence;
use super::rest::{Call, Fault, Rest};
use super::{permissions, render};
use crate::chat::{Ask, CannotTell, Looked, Outgoing, Own, Post, Posted};
use crate::say::card::Card;
use crate::say::discord as say;

/// How long a channel is taken not to permit embeds before one is tried again.
const PLAIN_FOR: Duration = Duration::from_mins(10);
/// How long the answer to a message is waited for.
const POST_DEADLINE: Duration = Duration::from_secs(6);
/// What a message needs at least.
/// How far back a look goes.
const PAGES: usize = 5;
/// How far back everything is read after a restoration.
const ALL_PAGES: usize = 200;
/// The clocks of Discord and of this machine may differ by so much.
const SKEW: chrono::Duration = chrono::Duration::minutes(15);
/// Discord's epoch, in milliseconds: what its ids count from.
const EPOCH: i64 = 1_420_070_400_000;

/// What the outbound and the inbound side both need.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) rest: Rest,
    pub(super) presence: Presence,
    me: OnceCell<String>,
    plain: Mutex<HashMap<String, Instant>>,
}

impl Shared {
    pub(super) fn new(rest: Rest) -> Self {
        Self { rest, presence: Presence::default(), me: OnceCell::new(), plain: Mutex::default() }
    }

    /// Our own user id.
    pub(super) async fn me(&self) -> Result<&str, Fault> {
        #[derive(Deserialize)]
        struct Me {
            id: String,
        }
        let ask = || async { Ok(self.rest.json::<Me>(Call::get("/users/@me")).await?.id) };
        self.me.get_or_try_init(ask).await.map(String::as_str)
    }

    /// A channel's name and which of the permissions that we need we lack there.
    pub(super) async fn missing(&self, channel: &str) -> Result<(String, Vec<String>), Fault> {
        permissions::look_up(&self.rest, self.me().await?, channel).await
    }

    /// Those of `asked` that a place certainly no longer has.
    pub(super) async fn gone(&self, place: &str, asked: &[Ask]) -> Vec<Ask> {
        match place.strip_prefix("discord:") {
            Some(guild) => self.presence.gone(&self.rest, guild, asked).await,
            None => Vec::new(),
        }
    }

    pub(super) fn note_embeds(&self, channel: &str, permitted: bool) {
        let mut plain = self.plain.lock().unwrap_or_else(PoisonError::into_inner);
        if permitted {
            plain.remove(channel);
        } else {
            plain.retain(|_, since| since.elapsed() < PLAIN_FOR);
            plain.insert(channel.to_owned(), Instant::now());
        }
    }

    fn embeds_permitted(&self, channel: &str) -> bool {
        let plain = self.plain.lock().unwrap_or_else(PoisonError::into_inner);
        plain.get(channel).is_none_or(|since| since.elapsed() >= PLAIN_FOR)
    }
}

/// Where reminders go: Discord's channels. Cheap to clone.
#[derive(Debug, Clone)]
pub struct DiscordPost(pub(super) Arc<Shared>);

/// Who is pinged: exactly those who are asked.
fn mentions(ask: &[Ask]) -> (String, CreateAllowedMentions) {
    let (mut words, mut users, mut roles) = (Vec::new(), Vec::new(), Vec::new());
    for ask in ask {
        let (Ask::Person(id) | Ask::Role(id)) = ask;
        let Some(number) = id.parse::<u64>().ok().filter(|_| render::is_id(id)) else { continue };
        match ask {
            Ask::Person(_) if !users.contains(&UserId::new(number)) => {
                words.push(format!("<@{id}>"));
                users.push(UserId::new(number));
            }
            Ask::Role(_) if !roles.contains(&RoleId::new(number)) => {
                words.push(format!("<@&{id}>"));
                roles.push(RoleId::new(number));
            }
            Ask::Person(_) | Ask::Role(_) => {}
        }
        if words.len() == 15 {
            break;
        }
    }
    (words.join(" "), CreateAllowedMentions::new().users(users).roles(roles))
}

#[derive(Deserialize)]
struct Created {
    id: String,
    #[serde(default)]
    embeds: Vec<serde::de::IgnoredAny>,
    #[serde(default)]
    content: String,
}

#[derive(Deserialize)]
struct Seen {
    id: String,
    #[serde(default)]
    author: Author,
    #[serde(default)]
    content: String,
    #[serde(default)]
    embeds: Vec<SeenEmbed>,
}

#[derive(Default, Deserialize)]
struct Author {
    #[serde(default)]
    id: String,
}

#[derive(Deserialize)]
struct SeenEmbed {
    footer: Option<SeenFooter>,
}

#[derive(Deserialize)]
struct SeenFooter {
    #[serde(default)]
    text: String,
}

impl Seen {
    fn carries(&self, reference: &str) -> bool {
        let bare = |text: &str| text.replace('\\', "").contains(&reference.replace('\\', ""));
        bare(&self.content) || self.embeds.iter().any(|e| e.footer.as_ref().is_some_and(|f| bare(&f.text)))
    }

    /// The mark that it carries: `ck-` or `ckd-` and ten hexadecimal digits.
    fn reference(&self) -> Option<String> {
        let footers = self.embeds.iter().filter_map(|e| e.footer.as_ref()).map(|f| f.text.as_str());
        footers.chain([self.content.as_str()]).find_map(|text| {
            let text = text.replace('\\', "");
            text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
                .find(|word| {
                    let digits = word.strip_prefix("ckd-").or_else(|| word.strip_prefix("ck-"));
                    digits.is_some_and(|d| d.len() == 10 && d.chars().all(|c| c.is_ascii_hexdigit()))
                })
                .map(ToOwned::to_owned)
        })
    }

    fn at(&self) -> Option<DateTime<Utc>> {
        let millis = i64::try_from(self.id.parse::<u64>().ok()? >> 22).ok()?;
        DateTime::from_timestamp_millis(millis + EPOCH)
    }
}

/// What became of a request to post.
fn settle(fault: Fault) -> Posted {
    let why = fault.to_string();
    match fault {
        Fault::RateLimited { after } => Posted::NotSent { after: Some(after), why },
        Fault::Unreachable { .. } => Posted::NotSent { after: None, why },
        Fault::Unknown { .. } => Posted::Unknown { why },
        Fault::Unauthorised => Posted::Stop { why: say::token_refused() },
        Fault::Refused { status, code, message } => match (status, code) {
            // Not Discord's own answer: something on the way to it.
            (_, None) => Posted::NotSent { after: Some(Duration::from_mins(1)), why },
            // Slow mode, the channel's write limit, an overload.
            (_, Some(20_016 | 20_028 | 130_000)) => {
                Posted::NotSent { after: Some(Duration::from_secs(30)), why }
            }
            (404, _) | (_, Some(10_003 | 10_004)) => Posted::Refused { why: say::channel_gone() },
            (403, _) => Posted::Refused { why: say::no_permission(&message) },
            _ => Posted::Refused { why: say::message_refused(&message) },
        },
    }
}

impl DiscordPost {
    /// How many of the last ten minutes' requests Discord counts as invalid (it bans at 10,000; we brake at 600).
    pub fn invalid_requests(&self) -> usize {
        self.0.rest.invalid_requests()
    }

    async fn create(&self, message: &Outgoing, embeds: bool) -> Result<Created, Fault> {
        let (before, allowed) = mentions(&message.ask);
        let made = CreateMessage::new()
            .nonce(Nonce::String(message.nonce.chars().take(25).collect()))
            .enforce_nonce(true)
            .allowed_mentions(allowed);
        let reference = Some(message.reference.as_str());
        let made = if embeds {
            let made = made.embeds(render::embeds(&message.card, reference));
            if before.is_empty() { made } else { made.content(before) }
        } else {
            made.content(render::text(&message.card, &before, reference)).flags(MessageFlags::SUPPRESS_EMBEDS)
        };
        let call = Call::post(format!("/channels/{}/messages", message.channel)).json(&made);
        // One that hangs holds up the others; the nonce makes it safe to give it up.
        self.0.rest.json(call.patience(Duration::from_secs(5)).deadline(POST_DEADLINE)).await
    }

    /// Discord dropped our embeds silently: says the same in the message's text.
    async fn fill_in(&self, message: &Outgoing, id: &str) {
        let (before, allowed) = mentions(&message.ask);
        let words = render::text(&message.card, &before, Some(&message.reference));
        let edit = EditMessage::new().content(words).allowed_mentions(allowed);
        let call = Call::patch(format!("/channels/{}/messages/{id}", message.channel)).json(&edit);
        if let Err(fault) = self.0.rest.send(call).await {
            tracing::warn!(channel = message.channel, message = id, %fault, "a message without its text stands there");
        }
    }

    /// What a message comes to that would have to be cut, where it can be put together anew instead.
    fn too_long(message: &Outgoing, embeds: bool) -> Option<Posted> {
        let cut = message.divisible && !render::holds(&message.card, embeds);
        cut.then(|| Posted::NotSent { after: Some(Duration::ZERO), why: say::too_long() })
    }

    /// Says a message in plain text that was refused for its embeds.
    async fn in_text(&self, message: &Outgoing) -> Posted {
        if let Some(too_long) = Self::too_long(message, false) {
            return too_long;
        }
        match self.create(message, false).await {
            Ok(created) => Posted::Sent { message: created.id },
            Err(fault) => settle(fault),
        }
    }

    /// Why Discord refused, told by the permissions that we find we have.
    async fn refused(&self, message: &Outgoing, fault: Fault, with_embeds: bool) -> Posted {
        let Ok((_, missing)) = self.0.missing(&message.channel).await else { return settle(fault) };
        if missing.iter().any(|lack| permissions::POSTING.contains(&lack.as_str())) {
            return Posted::Refused { why: say::missing_permissions(&missing) };
        }
        if with_embeds && missing.iter().any(|lack| lack == "Embed Links") {
            // It was refused for its embeds, certainly not posted: say it in plain text.
            self.0.note_embeds(&message.channel, false);
            return self.in_text(message).await;
        }
        settle(fault)
    }
}

impl DiscordPost {
    /// Goes back through our own messages of a channel, newest first, while `more` says so.
    async fn history(
        &self,
        channel: &str,
        since: DateTime<Utc>,
        pages: usize,
        mut more: impl FnMut(&Seen) -> bool + Send,
    ) -> Result<(), CannotTell> {
        if !render::is_id(channel) {
            return Err(CannotTell { passing: false, why: say::not_a_channel() });
        }
        let cannot = |fault: Fault| match &fault {
            Fault::Refused { status: 403, code: Some(_), .. } => {
                Err(CannotTell { passing: false, why: say::no_history() })
            }
            Fault::Refused { code: Some(10_003), .. } => Ok(()),
            Fault::RateLimited { .. }
            | Fault::Refused { .. }
            | Fault::Unreachable { .. }
            | Fault::Unknown { .. }
            | Fault::Unauthorised => Err(CannotTell { passing: true, why: fault.to_string() }),
        };
        let me = match self.0.me().await {
            Ok(me) => me,
            Err(fault) => return Err(CannotTell { passing: true, why: fault.to_string() }),
        };
        let mut before = String::new();
        for page in 0..pages {
            let call = Call::get(format!("/channels/{channel}/messages?limit=100{before}"));
            let messages = match self.0.rest.json::<Vec<Seen>>(call.patience(Duration::from_secs(5))).await {
                Ok(messages) => messages,
                Err(fault) => return cannot(fault),
            };
            if !messages.iter().filter(|m| m.author.id == me).all(&mut more) {
                return Ok(());
            }
            let Some(oldest) = messages.iter().min_by_key(|m| m.id.parse::<u64>().unwrap_or(u64::MAX)) else {
                if page > 0 {
                    return Ok(());
                }
                // Where the history may not be read, Discord shows an empty one.
                return match self.0.missing(channel).await {
                    Ok((_, missing))
                        if missing.iter().any(|m| m == "Read Message History" || m == "View Channel") =>
                    {
                        Err(CannotTell { passing: false, why: say::no_history() })
                    }
                    Ok(_) => Ok(()),
                    Err(fault) => cannot(fault),
                };
            };
            if messages.len() < 100 || oldest.at().is_some_and(|at| at < since - SKEW) {
                return Ok(());
            }
            before = format!("&before={}", oldest.id);
        }
        Err(CannotTell { passing: false, why: "too much was said in the channel since".to_owned() })
    }
}

impl Post for DiscordPost {
    async fn post(&self, message: &Outgoing) -> Posted {
        if !render::is_id(&message.channel) {
            return Posted::Refused { why: say::not_a_channel() };
        }
        let embeds = self.0.embeds_permitted(&message.channel);
        if let Some(too_long) = Self::too_long(message, embeds) {
            return too_long;
        }
        // With mentions in it a message loses its embeds without a word, where they are not permitted.
        if embeds
            && !message.ask.is_empty()
            && let Some(too_long) = Self::too_long(message, false)
            && let Ok((_, missing)) = self.0.missing(&message.channel).await
            && missing.iter().any(|lack| lack == "Embed Links")
        {
            self.0.note_embeds(&message.channel, false);
            return too_long;
        }
        match self.create(message, embeds).await {
            Ok(created) => {
                let empty = created.embeds.is_empty() && !created.content.contains(&message.reference);
                if embeds && empty {
                    self.0.note_embeds(&message.channel, false);
                    self.fill_in(message, &created.id).await;
                }
                Posted::Sent { message: created.id }
            }
            // 50001 and 50013: a permission is missing. 50006: empty, once its embeds were taken away.
            Err(fault @ Fault::Refused { code: Some(50_001 | 50_006 | 50_013), .. }) => {
                self.refused(message, fault, embeds).await
            }
            Err(fault) => settle(fault),
        }
    }

    async fn look(&self, channel: &str, reference: &str, since: DateTime<Utc>) -> Looked {
        if reference.is_empty() {
            return Looked::CannotTell { passing: false, why: say::not_a_channel() };
        }
        let mut found = None;
        let read = self.history(channel, since, PAGES, |seen| {
            found = seen.carries(reference).then(|| seen.id.clone());
            found.is_none()
        });
        let read = read.await;
        match (found, read) {
            (Some(message), _) => Looked::Found { message },
            (None, Ok(())) => Looked::Absent,
            (None, Err(CannotTell { passing, why })) => Looked::CannotTell { passing, why },
        }
    }

    fn holds(&self, channel: &str, card: &Card) -> bool {
        render::holds(card, self.0.embeds_permitted(channel))
    }

    async fn gone(&self, place: &str, asked: &[Ask]) -> Vec<Ask> {
        self.0.gone(place, asked).await
    }

    async fn open(&self, channel: &str) -> bool {
        match self.0.missing(channel).await {
            Ok((_, missing)) => !missing.iter().any(|lack| permissions::POSTING.contains(&lack.as_str())),
            Err(_fault) => false,
        }
    }

    async fn said(&self, channel: &str, since: DateTime<Utc>) -> Result<Vec<Own>, CannotTell> {
        let mut said = Vec::new();
        self.history(channel, since, ALL_PAGES, |seen| {
            let own = seen.at().zip(seen.reference());
            said.extend(own.map(|(at, reference)| Own { message: seen.id.clone(), at, reference }));
            true
        })
        .await?;
        Ok(said)
    }
}
