//! What the fake Discord knows: people, servers, channels, messages, interactions, and who may do what.

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::faults::Fault;
use super::gateway::{Event, Gateway};

/// Permission bits by Discord's names.
pub(crate) mod perm {
    pub(crate) const ADMINISTRATOR: u64 = 1 << 3;
    pub(crate) const MANAGE_GUILD: u64 = 1 << 5;
    pub(crate) const VIEW_CHANNEL: u64 = 1 << 10;
    pub(crate) const SEND_MESSAGES: u64 = 1 << 11;
    pub(crate) const MANAGE_MESSAGES: u64 = 1 << 13;
    pub(crate) const EMBED_LINKS: u64 = 1 << 14;
    pub(crate) const ATTACH_FILES: u64 = 1 << 15;
    pub(crate) const READ_MESSAGE_HISTORY: u64 = 1 << 16;
    pub(crate) const MENTION_EVERYONE: u64 = 1 << 17;
    pub(crate) const USE_APPLICATION_COMMANDS: u64 = 1 << 31;
    pub(crate) const ALL: u64 = (1 << 53) - 1;
    /// What `@everyone` may do unless a test says otherwise.
    pub(crate) const EVERYONE: u64 = VIEW_CHANNEL
        | SEND_MESSAGES
        | EMBED_LINKS
        | ATTACH_FILES
        | READ_MESSAGE_HISTORY
        | USE_APPLICATION_COMMANDS
        | (1 << 6);
}

/// The events of a server, its roles and its channels.
pub(crate) const GUILDS: u64 = 1;
/// Messages in servers.
pub(crate) const GUILD_MESSAGES: u64 = 1 << 9;
/// Members coming and going (privileged).
pub(crate) const GUILD_MEMBERS: u64 = 1 << 1;
/// The text of messages (privileged).
pub(crate) const MESSAGE_CONTENT: u64 = 1 << 15;

/// The application's id, and its bot user's.
pub(crate) const APP: &str = "440000000000000001";
/// The ready-made server.
pub(crate) const GUILD: &str = "410000000000000001";

pub(crate) const EPHEMERAL: u64 = 64;
pub(crate) const LOADING: u64 = 128;
pub(crate) const COMPONENTS_V2: u64 = 1 << 15;
const SILENT: u64 = 1 << 12;

/// A server.
#[derive(Debug, Clone)]
pub(crate) struct Guild {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) owner: String,
    pub(crate) roles: BTreeMap<String, Role>,
    pub(crate) members: BTreeMap<String, Member>,
    /// The bot is not (any more) in it.
    pub(crate) kicked: bool,
    pub(crate) unavailable: bool,
}

/// A role.
#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) permissions: u64,
    pub(crate) mentionable: bool,
    pub(crate) managed: bool,
}

/// A member of a server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Member {
    pub(crate) roles: Vec<String>,
    pub(crate) nick: Option<String>,
}

/// A permission overwrite on a channel, for a role or a member.
#[derive(Debug, Clone)]
pub(crate) struct Overwrite {
    pub(crate) id: String,
    pub(crate) member: bool,
    pub(crate) allow: u64,
    pub(crate) deny: u64,
}

/// A channel.
#[derive(Debug, Clone)]
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) guild: String,
    pub(crate) name: String,
    /// Discord's number of the kind: 0 text, 2 voice, 4 category, 5 announcement, 15 forum.
    pub(crate) kind: u64,
    pub(crate) overwrites: Vec<Overwrite>,
}

/// Whom a message really pinged, by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pings {
    pub(crate) users: Vec<String>,
    pub(crate) roles: Vec<String>,
    pub(crate) everyone: bool,
}

/// A message, as it stands now.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) channel: String,
    pub(crate) author: String,
    /// As Discord's API shows it.
    pub(crate) json: Value,
    pub(crate) pings: Pings,
    pub(crate) ephemeral: bool,
    /// The id of the interaction that it answers.
    pub(crate) interaction: Option<String>,
    /// What it was before each edit.
    pub(crate) earlier: Vec<Value>,
    pub(crate) nonce: Option<String>,
    /// When it was posted, by the fake's clock.
    pub(crate) posted: DateTime<Utc>,
    /// Embeds were taken away for want of `EMBED_LINKS`.
    pub(crate) stripped: bool,
}

impl Message {
    /// Its text outside embeds.
    pub(crate) fn content(&self) -> &str {
        self.json["content"].as_str().unwrap_or_default()
    }

    /// Its embeds.
    pub(crate) fn embeds(&self) -> &[Value] {
        self.json["embeds"].as_array().map_or(&[], Vec::as_slice)
    }

    /// All that a reader sees.
    pub(crate) fn text(&self) -> String {
        flatten(&self.json)
    }
}

/// All that a reader sees of a message, line by line.
pub(crate) fn flatten(message: &Value) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut say = |value: &Value| {
        if let Some(text) = value.as_str().filter(|text| !text.is_empty()) {
            lines.push(text.to_owned());
        }
    };
    say(&message["content"]);
    for embed in message["embeds"].as_array().into_iter().flatten() {
        say(&embed["author"]["name"]);
        say(&embed["title"]);
        say(&embed["description"]);
        for field in embed["fields"].as_array().into_iter().flatten() {
            say(&field["name"]);
            say(&field["value"]);
        }
        say(&embed["footer"]["text"]);
    }
    for part in walk(&message["components"]) {
        say(&part["content"]);
        say(&part["label"]);
    }
    for file in message["attachments"].as_array().into_iter().flatten() {
        say(&file["filename"]);
    }
    lines.join("\n")
}

/// Every component, however deep.
pub(crate) fn walk(components: &Value) -> Vec<&Value> {
    let mut all = Vec::new();
    for part in components.as_array().into_iter().flatten() {
        all.push(part);
        all.extend(walk(&part["components"]));
        if part["component"].is_object() {
            all.push(&part["component"]);
        }
    }
    all
}

/// A file that was uploaded.
#[derive(Debug, Clone)]
pub(crate) struct Blob {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) bytes: Vec<u8>,
}

/// Something that a person did and the bot is to answer.
#[derive(Debug, Clone)]
pub(crate) struct Interaction {
    pub(crate) id: String,
    pub(crate) token: String,
    /// Discord's number of the kind: 2 command, 3 component, 4 autocomplete, 5 modal.
    pub(crate) kind: u64,
    pub(crate) user: String,
    pub(crate) channel: String,
    pub(crate) name: String,
    /// The message whose component it is.
    pub(crate) source: Option<String>,
    /// The interaction whose form it fills in.
    pub(crate) opened_by: Option<String>,
    pub(crate) payload: Value,
    pub(crate) created: Instant,
    pub(crate) acked: Option<Instant>,
    pub(crate) ack: u64,
    pub(crate) settled: Option<Instant>,
    pub(crate) original: Option<String>,
    pub(crate) followups: Vec<String>,
    pub(crate) modal: Option<Value>,
    pub(crate) choices: Option<Value>,
    /// Callbacks that came after the first, or too late.
    pub(crate) refused: u32,
}

/// A request that breaks Discord's rules.
#[derive(Debug, Clone)]
pub(crate) struct Violation {
    /// `METHOD /path`, or `gateway`.
    pub(crate) at: String,
    /// What is wrong, with the path into the body.
    pub(crate) what: String,
}

/// One REST request and what became of it.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) at: Instant,
    pub(crate) method: String,
    /// Without `/api/v10`.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Value,
    /// Field, file name and size of each uploaded file.
    pub(crate) files: Vec<(String, String, usize)>,
    /// 0 where no answer was given.
    pub(crate) status: u16,
    pub(crate) answer: Value,
    /// The fault that was served in its place.
    pub(crate) fault: Option<String>,
}

/// Everything.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) options: super::discord::Options,
    pub(crate) origin: String,
    pub(crate) socket: String,
    serial: u64,
    named: u64,
    pub(crate) users: BTreeMap<String, Value>,
    pub(crate) guilds: BTreeMap<String, Guild>,
    pub(crate) channels: BTreeMap<String, Channel>,
    pub(crate) messages: HashMap<String, Message>,
    /// The ids of each channel's messages, oldest first.
    pub(crate) posted: HashMap<String, Vec<String>>,
    pub(crate) blobs: HashMap<String, Blob>,
    /// Registered commands by scope: a server's id, or nothing for global ones.
    pub(crate) commands: BTreeMap<Option<String>, Vec<Value>>,
    pub(crate) interactions: HashMap<String, Interaction>,
    pub(crate) nonces: HashMap<String, (String, Instant)>,
    pub(crate) buckets: HashMap<String, (Instant, u64)>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) gateway: Gateway,
    pub(crate) requests: Vec<Request>,
    pub(crate) events: Vec<Event>,
    pub(crate) violations: Vec<Violation>,
}

impl State {
    pub(crate) fn new(options: super::discord::Options, origin: String, socket: String) -> Self {
        let mut state = Self {
            options,
            origin,
            socket,
            serial: 0,
            named: 0,
            users: BTreeMap::new(),
            guilds: BTreeMap::new(),
            channels: BTreeMap::new(),
            messages: HashMap::new(),
            posted: HashMap::new(),
            blobs: HashMap::new(),
            commands: BTreeMap::new(),
            interactions: HashMap::new(),
            nonces: HashMap::new(),
            buckets: HashMap::new(),
            faults: Vec::new(),
            gateway: Gateway::default(),
            requests: Vec::new(),
            events: Vec::new(),
            violations: Vec::new(),
        };
        state.user(APP, "certkeeper", true);
        for (serial, name) in (1..).zip(["owner", "alice", "bob", "carol"]) {
            state.user(&format!("43000000000000000{serial}"), name, false);
        }
        state.add_guild(GUILD, "Acme", "owner");
        for (serial, name) in (1..).zip(["general", "ops"]) {
            state.add_channel(&format!("42000000000000000{serial}"), GUILD, name, 0);
        }
        for name in ["alice", "bob", "carol"] {
            let id = state.find_user(name).unwrap();
            state.guilds.get_mut(GUILD).unwrap().members.insert(id, Member::default());
        }
        state
    }

    /// The present instant by the fake's clock.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        use certkeeper::clock::{Clock as _, SystemClock};
        self.options.clock.as_ref().map_or_else(|| SystemClock.now(), super::clock::WallClock::now)
    }

    /// A new id that tells its time, as Discord's do.
    pub(crate) fn snowflake(&mut self) -> String {
        self.serial += 1;
        let millis = u64::try_from(self.now().timestamp_millis() - 1_420_070_400_000).unwrap_or(0);
        ((millis << 22) | (self.serial & 0x3F_FFFF)).to_string()
    }

    /// A new id for a person, a role, a channel or a server: short and the same in every run.
    pub(crate) fn name_id(&mut self) -> String {
        self.named += 1;
        (450_000_000_000_000_000 + self.named).to_string()
    }

    pub(crate) fn violate(&mut self, at: impl Into<String>, what: impl Into<String>) {
        self.violations.push(Violation { at: at.into(), what: what.into() });
    }

    // People, servers, channels ---------------------------------------------------------------------------

    pub(crate) fn user(&mut self, id: &str, name: &str, bot: bool) {
        let shown = if bot { Value::Null } else { json!(capital(name)) };
        self.users.insert(
            id.to_owned(),
            json!({"id": id, "username": name, "discriminator": "0", "global_name": shown, "avatar": null,
                "bot": bot, "public_flags": 0, "avatar_decoration_data": null, "primary_guild": null}),
        );
    }

    pub(crate) fn add_guild(&mut self, id: &str, name: &str, owner: &str) {
        let owner = self.find_user(owner).unwrap();
        let bot_role = self.name_id();
        let role = |id: &str, name: &str, permissions, managed| Role {
            id: id.to_owned(),
            name: name.to_owned(),
            permissions,
            mentionable: false,
            managed,
        };
        let roles = [
            role(id, "@everyone", perm::EVERYONE, false),
            role(&bot_role, "certkeeper", self.options.bot_permissions, true),
        ];
        let guild = Guild {
            id: id.to_owned(),
            name: name.to_owned(),
            owner: owner.clone(),
            roles: roles.into_iter().map(|role| (role.id.clone(), role)).collect(),
            members: BTreeMap::from([
                (owner, Member::default()),
                (APP.to_owned(), Member { roles: vec![bot_role], nick: None }),
            ]),
            kicked: false,
            unavailable: false,
        };
        self.guilds.insert(id.to_owned(), guild);
    }

    pub(crate) fn add_channel(&mut self, id: &str, guild: &str, name: &str, kind: u64) {
        let channel = Channel {
            id: id.to_owned(),
            guild: guild.to_owned(),
            name: name.to_owned(),
            kind,
            overwrites: Vec::new(),
        };
        self.channels.insert(id.to_owned(), channel);
    }

    /// A person's id, from the id or the name.
    pub(crate) fn find_user(&self, who: &str) -> Option<String> {
        if self.users.contains_key(who) {
            return Some(who.to_owned());
        }
        self.users.iter().find(|(_, user)| user["username"] == who).map(|(id, _)| id.clone())
    }

    /// A channel's id, from the id or the name (the first server's wins).
    pub(crate) fn find_channel(&self, which: &str) -> Option<String> {
        let which = which.trim_start_matches('#');
        if self.channels.contains_key(which) {
            return Some(which.to_owned());
        }
        self.channels.values().find(|channel| channel.name == which).map(|channel| channel.id.clone())
    }

    /// A role's id, from the id or the name.
    pub(crate) fn find_role(&self, guild: &str, which: &str) -> Option<String> {
        let roles = &self.guilds.get(guild)?.roles;
        let which = which.trim_start_matches('@');
        if roles.contains_key(which) {
            return Some(which.to_owned());
        }
        roles.values().find(|role| role.name.trim_start_matches('@') == which).map(|role| role.id.clone())
    }

    /// What someone may do in a server, or in one of its channels.
    pub(crate) fn permissions(&self, guild: &str, user: &str, channel: Option<&str>) -> u64 {
        let Some(guild) = self.guilds.get(guild) else { return 0 };
        if guild.owner == user {
            return perm::ALL;
        }
        let Some(member) = guild.members.get(user) else { return 0 };
        let of = |id: &String| guild.roles.get(id).map_or(0, |role| role.permissions);
        let mut may = member.roles.iter().map(of).fold(of(&guild.id), |sum, one| sum | one);
        if may & perm::ADMINISTRATOR != 0 {
            return perm::ALL;
        }
        let Some(channel) = channel.and_then(|id| self.channels.get(id)) else { return may };
        let mut apply = |picked: &dyn Fn(&Overwrite) -> bool| {
            let (allow, deny) = channel
                .overwrites
                .iter()
                .filter(|over| picked(over))
                .fold((0, 0), |(allow, deny), over| (allow | over.allow, deny | over.deny));
            may = (may & !deny) | allow;
        };
        apply(&|over| over.id == guild.id);
        apply(&|over| !over.member && over.id != guild.id && member.roles.contains(&over.id));
        apply(&|over| over.member && over.id == user);
        if may & perm::VIEW_CHANNEL == 0 { 0 } else { may }
    }

    // As Discord shows them -------------------------------------------------------------------------------

    pub(crate) fn role_json(role: &Role) -> Value {
        json!({"id": role.id, "name": role.name, "color": 0, "hoist": false, "icon": null, "unicode_emoji": null,
            "colors": {"primary_color": 0, "secondary_color": null, "tertiary_color": null},
            "position": i32::from(role.name != "@everyone"), "permissions": role.permissions.to_string(),
            "managed": role.managed, "mentionable": role.mentionable, "flags": 0})
    }

    pub(crate) fn member_json(&self, guild: &str, user: &str) -> Option<Value> {
        let member = self.guilds.get(guild)?.members.get(user)?;
        Some(json!({"user": self.users.get(user), "nick": member.nick, "avatar": null, "roles": member.roles,
            "joined_at": "2026-01-05T08:00:00.000000+00:00", "premium_since": null, "deaf": false, "mute": false,
            "flags": 0, "pending": false, "communication_disabled_until": null}))
    }

    pub(crate) fn channel_json(&self, channel: &Channel) -> Value {
        let overwrites: Vec<Value> = channel
            .overwrites
            .iter()
            .map(|over| {
                json!({"id": over.id, "type": i32::from(over.member), "allow": over.allow.to_string(),
                    "deny": over.deny.to_string()})
            })
            .collect();
        json!({"id": channel.id, "type": channel.kind, "guild_id": channel.guild, "name": channel.name,
            "position": 0, "parent_id": null, "topic": null, "nsfw": false, "permission_overwrites": overwrites,
            "last_message_id": self.posted.get(&channel.id).and_then(|ids| ids.last()),
            "rate_limit_per_user": 0, "flags": 0})
    }

    /// A channel as an interaction carries it, with what `user` may do there.
    pub(crate) fn partial_channel(&self, channel: &Channel, user: &str) -> Value {
        let may = self.permissions(&channel.guild, user, Some(&channel.id));
        json!({"id": channel.id, "type": channel.kind, "guild_id": channel.guild, "name": channel.name,
            "parent_id": null, "flags": 0, "nsfw": false, "position": 0, "topic": null, "rate_limit_per_user": 0,
            "last_message_id": null, "permissions": may.to_string()})
    }

    pub(crate) fn guild_json(&self, guild: &Guild, created: bool) -> Value {
        let mut shown = json!({"id": guild.id, "name": guild.name, "icon": null, "splash": null,
            "discovery_splash": null, "owner_id": guild.owner, "region": "deprecated", "afk_channel_id": null,
            "afk_timeout": 300, "verification_level": 0, "default_message_notifications": 0,
            "explicit_content_filter": 0, "emojis": [], "features": [], "mfa_level": 0, "application_id": null,
            "system_channel_id": null, "system_channel_flags": 0, "rules_channel_id": null,
            "vanity_url_code": null, "description": null, "banner": null, "premium_tier": 0,
            "premium_subscription_count": 0, "preferred_locale": "en-US", "public_updates_channel_id": null,
            "nsfw_level": 0, "stickers": [], "premium_progress_bar_enabled": false,
            "safety_alerts_channel_id": null,
            "roles": guild.roles.values().map(Self::role_json).collect::<Vec<_>>()});
        if created {
            let channels: Vec<Value> =
                self.guild_channels(&guild.id).map(|one| self.channel_json(one)).collect();
            let more = json!({"joined_at": "2026-01-05T08:00:00.000000+00:00", "large": false, "unavailable": false,
                "member_count": guild.members.len(), "voice_states": [], "channels": channels, "threads": [],
                "members": [self.member_json(&guild.id, APP)], "presences": [], "stage_instances": [],
                "guild_scheduled_events": [], "soundboard_sounds": []});
            merge(&mut shown, more);
        }
        shown
    }

    pub(crate) fn guild_channels(&self, guild: &str) -> impl Iterator<Item = &Channel> {
        self.channels.values().filter(move |channel| channel.guild == guild)
    }

    // Messages --------------------------------------------------------------------------------------------

    /// Keeps a file and describes it as an attachment.
    pub(crate) fn attach(
        &mut self,
        place: &str,
        name: &str,
        kind: &str,
        bytes: &[u8],
        hidden: bool,
    ) -> Value {
        let id = self.snowflake();
        let name: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' })
            .collect();
        let url = format!("{}/attachments/{place}/{id}/{name}?ex=7fffffff&is=1&hm=f00d&", self.origin);
        let blob = Blob { name: name.clone(), kind: kind.to_owned(), bytes: bytes.to_vec() };
        self.blobs.insert(id.clone(), blob);
        let mut shown = json!({"id": id, "filename": name, "size": bytes.len(), "url": url, "proxy_url": url,
            "content_type": kind});
        if hidden {
            shown["ephemeral"] = json!(true);
        }
        shown
    }

    fn attach_all(
        &mut self,
        place: &str,
        body: &Value,
        files: &[super::rest::File],
        hidden: bool,
    ) -> Vec<Value> {
        let mut shown = Vec::new();
        for (serial, file) in files.iter().enumerate() {
            let index = file
                .field
                .strip_prefix("files[")
                .and_then(|rest| rest.strip_suffix(']'))
                .map_or_else(|| serial.to_string(), ToOwned::to_owned);
            let about = body["attachments"]
                .as_array()
                .into_iter()
                .flatten()
                .find(|one| plain(&one["id"]) == index)
                .cloned()
                .unwrap_or_default();
            let name = about["filename"].as_str().unwrap_or(&file.name).to_owned();
            let mut one = self.attach(place, &name, &file.kind, &file.bytes, hidden);
            if about["description"].is_string() {
                one["description"] = about["description"].clone();
            }
            shown.push(one);
        }
        shown
    }

    fn embeds(embeds: &Value, attachments: &[Value]) -> Vec<Value> {
        let mut out = Vec::new();
        for embed in embeds.as_array().into_iter().flatten() {
            let mut embed = embed.clone();
            embed["type"] = json!("rich");
            for part in ["image", "thumbnail"] {
                let wanted = embed[part]["url"].as_str().and_then(|url| url.strip_prefix("attachment://"));
                let found = wanted.and_then(|name| attachments.iter().find(|one| one["filename"] == name));
                if let Some(found) = found {
                    embed[part]["url"] = found["url"].clone();
                }
            }
            if let Some(fields) = embed.as_object_mut() {
                fields.retain(|_, value| !value.is_null());
            }
            out.push(embed);
        }
        out
    }

    /// Whom `content` names, and whom it pings.
    fn mentions(&self, author: &str, channel: &Channel, body: &Value) -> (Vec<String>, Pings) {
        let content = body["content"].as_str().unwrap_or_default();
        let mut named = Vec::new();
        let mut pings = Pings {
            everyone: content.contains("@everyone") || content.contains("@here"),
            ..Pings::default()
        };
        for piece in content.split('<').skip(1) {
            let Some((inside, _)) = piece.split_once('>') else { continue };
            if let Some(role) = inside.strip_prefix("@&") {
                let known =
                    self.guilds.get(&channel.guild).is_some_and(|guild| guild.roles.contains_key(role));
                if known && !pings.roles.iter().any(|one| one == role) {
                    pings.roles.push(role.to_owned());
                }
            } else if let Some(user) = inside.strip_prefix('@') {
                let user = user.trim_start_matches('!');
                if self.users.contains_key(user) && !named.iter().any(|one| one == user) {
                    named.push(user.to_owned());
                }
            }
        }
        pings.users.clone_from(&named);
        let allowed = &body["allowed_mentions"];
        if allowed.is_object() {
            let parses =
                |what: &str| allowed["parse"].as_array().is_some_and(|all| all.contains(&json!(what)));
            let lists = |what: &str, id: &str| {
                allowed[what].as_array().is_some_and(|all| all.iter().any(|one| plain(one) == id))
            };
            if !parses("users") {
                pings.users.retain(|id| lists("users", id));
            }
            if !parses("roles") {
                pings.roles.retain(|id| lists("roles", id));
            }
            pings.everyone &= parses("everyone");
        }
        // Only members who can see the channel are pinged, and roles only where that is allowed.
        pings
            .users
            .retain(|id| self.permissions(&channel.guild, id, Some(&channel.id)) & perm::VIEW_CHANNEL != 0);
        if self.permissions(&channel.guild, author, Some(&channel.id)) & perm::MENTION_EVERYONE == 0 {
            pings.everyone = false;
            let roles = &self.guilds[&channel.guild].roles;
            pings.roles.retain(|id| roles[id].mentionable);
        }
        if body["flags"].as_u64().unwrap_or(0) & SILENT != 0 {
            pings = Pings::default();
        }
        (named, pings)
    }

    /// Posts a message; `None` where it would be empty.
    pub(crate) fn post(
        &mut self,
        author: &str,
        channel: &str,
        body: &Value,
        files: &[super::rest::File],
        answers: Option<&Interaction>,
        loading: bool,
    ) -> Option<Message> {
        let place = self.channels.get(channel)?.clone();
        let flags = body["flags"].as_u64().unwrap_or(0);
        let ephemeral = answers.is_some() && flags & EPHEMERAL != 0;
        let attachments = self.attach_all(channel, body, files, ephemeral);
        let may = self.permissions(&place.guild, author, Some(channel));
        // Answers to interactions go by the webhook's permissions, which include links and files.
        let stripped = answers.is_none() && may & perm::EMBED_LINKS == 0 && !is_empty(&body["embeds"]);
        let embeds = if stripped { Vec::new() } else { Self::embeds(&body["embeds"], &attachments) };
        let content = body["content"].as_str().unwrap_or_default().trim().to_owned();
        let components = components(&body["components"]);
        if content.is_empty()
            && embeds.is_empty()
            && attachments.is_empty()
            && is_empty(&components)
            && !loading
        {
            return None;
        }
        let (named, mut pings) = self.mentions(author, &place, body);
        if ephemeral || loading {
            pings = Pings::default();
        }
        let id = self.snowflake();
        let posted = self.now();
        let kind = answers.map_or(0, |it| if it.kind == 2 && it.acked.is_none() { 20 } else { 19 });
        let mut shown = json!({"id": id, "channel_id": channel, "author": self.users[author], "content": content,
            "timestamp": stamp(posted), "edited_timestamp": null, "tts": false, "mention_everyone": pings.everyone,
            "mentions": named.iter().map(|id| &self.users[id]).collect::<Vec<_>>(), "mention_roles": pings.roles,
            "attachments": attachments, "embeds": embeds, "components": components, "pinned": false, "type": kind,
            "flags": flags & (4 | SILENT | COMPONENTS_V2) | if ephemeral { EPHEMERAL } else { 0 }
                | if loading { LOADING } else { 0 }});
        if !body["nonce"].is_null() {
            shown["nonce"] = body["nonce"].clone();
        }
        if let Some(it) = answers {
            let user = &self.users[&it.user];
            let metadata = self.metadata(it);
            merge(
                &mut shown,
                json!({"webhook_id": APP, "application_id": APP, "interaction_metadata": metadata}),
            );
            if it.kind == 2 {
                shown["interaction"] = json!({"id": it.id, "type": 2, "name": it.name, "user": user});
            }
        }
        let message = Message {
            id: id.clone(),
            channel: channel.to_owned(),
            author: author.to_owned(),
            nonce: (!body["nonce"].is_null()).then(|| plain(&body["nonce"])),
            json: shown,
            pings,
            ephemeral,
            interaction: answers.map(|it| it.id.clone()),
            earlier: Vec::new(),
            posted,
            stripped,
        };
        self.messages.insert(id.clone(), message.clone());
        if !ephemeral {
            self.posted.entry(channel.to_owned()).or_default().push(id);
        }
        self.tell_message("MESSAGE_CREATE", &message);
        Some(message)
    }

    /// How a message tells which interaction it answers.
    fn metadata(&self, it: &Interaction) -> Value {
        let guild = self.channels.get(&it.channel).map(|channel| &channel.guild);
        let mut shown = json!({"id": it.id, "type": it.kind, "user": self.users[&it.user],
            "authorizing_integration_owners": {"0": guild}});
        match it.kind {
            2 => merge(&mut shown, json!({"name": it.name, "command_type": 1})),
            3 => shown["interacted_message_id"] = json!(it.source),
            _ => {}
        }
        if let Some(first) = it.opened_by.as_ref().and_then(|id| self.interactions.get(id)) {
            shown["triggering_interaction_metadata"] = self.metadata(first);
        }
        shown
    }

    /// Edits a message; `None` where nothing would be left of it.
    pub(crate) fn edit(&mut self, id: &str, body: &Value, files: &[super::rest::File]) -> Option<Message> {
        let mut message = self.messages.get(id)?.clone();
        let before = message.json.clone();
        let mut attachments = before["attachments"].as_array().cloned().unwrap_or_default();
        if let Some(kept) = body["attachments"].as_array() {
            attachments.retain(|one| kept.iter().any(|keep| plain(&keep["id"]) == plain(&one["id"])));
        }
        attachments.extend(self.attach_all(&message.channel, body, files, message.ephemeral));
        let loading = before["flags"].as_u64().unwrap_or(0) & LOADING != 0;
        let given = |name: &str| body.get(name).is_some();
        if given("content") {
            message.json["content"] = json!(body["content"].as_str().unwrap_or_default().trim());
            let place = self.channels.get(&message.channel)?.clone();
            let (named, pings) = self.mentions(&message.author, &place, body);
            message.json["mentions"] = json!(named.iter().map(|id| &self.users[id]).collect::<Vec<_>>());
            message.json["mention_roles"] = json!(pings.roles);
            // An edit pings nobody, save that the answer after "thinking" is a first message.
            if loading && !message.ephemeral {
                message.pings = pings;
            }
        }
        if given("embeds") {
            message.json["embeds"] = json!(Self::embeds(&body["embeds"], &attachments));
        }
        if given("components") {
            message.json["components"] = components(&body["components"]);
        }
        message.json["attachments"] = json!(attachments);
        let shown = &message.json;
        if message.content().is_empty()
            && message.embeds().is_empty()
            && is_empty(&shown["attachments"])
            && is_empty(&shown["components"])
        {
            return None;
        }
        if loading {
            message.json["flags"] = json!(before["flags"].as_u64().unwrap_or(0) & !LOADING);
        } else {
            message.json["edited_timestamp"] = json!(stamp(self.now()));
            message.earlier.push(before);
        }
        self.messages.insert(id.to_owned(), message.clone());
        self.tell_message("MESSAGE_UPDATE", &message);
        Some(message)
    }

    /// Takes a message away.
    pub(crate) fn remove_message(&mut self, id: &str) {
        if let Some(message) = self.messages.remove(id) {
            if let Some(ids) = self.posted.get_mut(&message.channel) {
                ids.retain(|one| one != id);
            }
            let guild = self.channels.get(&message.channel).map(|channel| channel.guild.clone());
            let gone = json!({"id": id, "channel_id": message.channel, "guild_id": guild});
            if !message.ephemeral {
                self.dispatch("MESSAGE_DELETE", &gone, GUILD_MESSAGES);
            }
        }
    }

    fn tell_message(&mut self, event: &str, message: &Message) {
        if message.ephemeral {
            return;
        }
        let mut shown = message.json.clone();
        if let Some(channel) = self.channels.get(&message.channel) {
            shown["guild_id"] = json!(channel.guild);
        }
        let hidden = message.author != APP && !message.content().contains(APP);
        self.dispatch_message(event, &shown, hidden);
    }

    /// A channel's messages, oldest first.
    pub(crate) fn messages_in(&self, channel: &str) -> Vec<Message> {
        let ids = self.posted.get(channel).map_or(&[][..], Vec::as_slice);
        ids.iter().filter_map(|id| self.messages.get(id)).cloned().collect()
    }
}

/// Components as Discord gives them back: numbered, without empty fields.
fn components(given: &Value) -> Value {
    fn number(part: &mut Value, serial: &mut u64) {
        match part {
            Value::Array(parts) => parts.iter_mut().for_each(|part| number(part, serial)),
            Value::Object(fields) => {
                fields.retain(|_, value| !value.is_null());
                if fields.contains_key("type") {
                    *serial += 1;
                    fields.entry("id").or_insert_with(|| json!(*serial));
                }
                for name in ["components", "component", "accessory"] {
                    if let Some(inner) = fields.get_mut(name) {
                        number(inner, serial);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut parts = if given.is_array() { given.clone() } else { json!([]) };
    number(&mut parts, &mut 0);
    parts
}

pub(crate) fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}

pub(crate) fn is_empty(list: &Value) -> bool {
    list.as_array().is_none_or(Vec::is_empty)
}

/// An id, whether it came as text or as a number.
pub(crate) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

pub(crate) fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, false)
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
