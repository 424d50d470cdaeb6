//! People in front of Discord: they can only do what a real client would let them, by the commands that the bot
//! really registered.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::discord::Discord;
use super::rest::shown;
use super::world::{APP, Interaction, Message, State, is_empty, merge, perm, plain, walk};

/// How long a person waits for "thinking" to end.
const THINKING: Duration = Duration::from_secs(15);

/// Why a client would not have sent it.
pub(crate) type Refused = String;

/// A person about to do something.
#[derive(Clone)]
pub(crate) struct Person<'a> {
    discord: &'a Discord,
    user: String,
    channel: String,
    options: Vec<(String, Given)>,
}

/// An option's value as it is given.
#[derive(Debug, Clone)]
enum Given {
    Text(String),
    File(String, Vec<u8>, String),
}

/// What came back.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about an answer")]
pub(crate) struct Reply {
    /// The interaction's id.
    pub(crate) id: String,
    pub(crate) user: String,
    pub(crate) channel: String,
    pub(crate) acked: bool,
    pub(crate) ack_ms: f64,
    pub(crate) ephemeral: bool,
    /// "Thinking" came first.
    pub(crate) deferred: bool,
    /// There is a final answer.
    pub(crate) settled: bool,
    pub(crate) content: String,
    pub(crate) embeds: Vec<Value>,
    pub(crate) components: Vec<Value>,
    pub(crate) modal: Option<Value>,
    /// Suggestions: what is shown, and what is sent.
    pub(crate) choices: Vec<(String, Value)>,
    pub(crate) followups: Vec<Message>,
    pub(crate) message: Option<Message>,
    /// Callbacks that Discord refused (a second one, or one too late).
    pub(crate) refused: u32,
    text: String,
}

impl Reply {
    /// All that the person sees of the answer and its follow-ups.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// What the suggestions show.
    pub(crate) fn suggestions(&self) -> Vec<&str> {
        self.choices.iter().map(|(name, _)| name.as_str()).collect()
    }
}

impl Discord {
    /// A person in #general.
    pub(crate) fn person(&self, who: &str) -> Person<'_> {
        Person { discord: self, user: self.user(who), channel: self.channel("general"), options: Vec::new() }
    }

    /// A slash command in #general; `command` is `/nc close`.
    pub(crate) async fn slash(
        &self,
        who: &str,
        command: &str,
        options: &[(&str, &str)],
    ) -> Result<Reply, Refused> {
        self.person(who).options(options).slash(command).await
    }

    /// A slash command as one line, typed in #general: `/nc close nc:NC-4 note:all done`.
    pub(crate) async fn line(&self, who: &str, line: &str) -> Result<Reply, Refused> {
        self.person(who).line(line).await
    }

    /// The same interaction delivered again, as Discord does after a lost connection.
    pub(crate) fn redeliver(&self, reply: &Reply) {
        self.world(|state| {
            let payload = state.interactions[&reply.id].payload.clone();
            state.dispatch("INTERACTION_CREATE", &payload, 0);
        });
    }

    /// What has become of an earlier reply by now.
    pub(crate) fn again(&self, reply: &Reply) -> Reply {
        let state = self.inner.lock();
        look(&state, &state.interactions[&reply.id])
    }

    /// The interaction's token grows old.
    pub(crate) fn age(&self, reply: &Reply, by: Duration) {
        self.world(|state| {
            if let Some(it) = state.interactions.get_mut(&reply.id)
                && let Some(then) = it.created.checked_sub(by)
            {
                it.created = then;
            }
        });
    }

    /// Fills in the form that a reply opened; fields by custom id or by label.
    pub(crate) async fn submit_modal(
        &self,
        who: &str,
        form: &Reply,
        fields: &[(&str, &str)],
    ) -> Result<Reply, Refused> {
        let user = self.user(who);
        let sent = self.world(|state| {
            let it = state.interactions[&form.id].clone();
            let modal = it.modal.clone().ok_or("that reply opened no form")?;
            if it.user != user {
                return Err("the form is another person's".to_owned());
            }
            let mut rest: Vec<(&str, &str)> = fields.to_vec();
            let mut rows = Vec::new();
            for (index, row) in modal["components"].as_array().into_iter().flatten().enumerate() {
                let inputs: Vec<&Value> =
                    walk(&row["components"]).into_iter().chain(row.get("component")).collect();
                let mut filled = Vec::new();
                for input in inputs.into_iter().filter(|input| input["type"] == 4) {
                    let (id, label) =
                        (plain(&input["custom_id"]), input["label"].as_str().or(row["label"].as_str()));
                    let at = rest.iter().position(|(name, _)| *name == id || Some(*name) == label);
                    let typed = at.map(|at| rest.remove(at).1);
                    let value = typed.or(input["value"].as_str()).unwrap_or_default();
                    let length = value.chars().count() as u64;
                    let (least, most) = (
                        input["min_length"].as_u64().unwrap_or(0),
                        input["max_length"].as_u64().unwrap_or(4000),
                    );
                    if value.is_empty() && input["required"] != false {
                        return Err(format!("field {id} is required"));
                    }
                    if !value.is_empty() && !(least..=most).contains(&length) {
                        return Err(format!("field {id} takes {least} to {most} characters, got {length}"));
                    }
                    if input["style"] == 1 && value.contains('\n') {
                        return Err(format!("field {id} takes one line"));
                    }
                    filled.push(json!({"type": 4, "id": index * 2 + 2, "custom_id": id, "value": value}));
                }
                rows.push(if row["type"] == 18 {
                    json!({"type": 18, "id": index * 2 + 1, "component": filled.first()})
                } else {
                    json!({"type": 1, "id": index * 2 + 1, "components": filled})
                });
            }
            if let Some((name, _)) = rest.first() {
                return Err(format!("the form has no field {name}"));
            }
            let data = json!({"custom_id": modal["custom_id"], "components": rows});
            let source = it.source.clone();
            let id = send(state, 5, &user, &it.channel, &it.name, data, source)?;
            if let Some(sent) = state.interactions.get_mut(&id) {
                sent.opened_by = Some(it.id);
            }
            Ok(id)
        })?;
        self.answer(&sent).await
    }

    /// Presses a button on a message, by custom id or label.
    pub(crate) async fn click(&self, who: &str, message: &Message, button: &str) -> Result<Reply, Refused> {
        self.component(who, message, button, None).await
    }

    /// Chooses values in a message's select menu, by its custom id.
    pub(crate) async fn select(
        &self,
        who: &str,
        message: &Message,
        menu: &str,
        values: &[&str],
    ) -> Result<Reply, Refused> {
        self.component(who, message, menu, Some(values)).await
    }

    async fn component(
        &self,
        who: &str,
        message: &Message,
        which: &str,
        values: Option<&[&str]>,
    ) -> Result<Reply, Refused> {
        let user = self.user(who);
        let sent = self.world(|state| {
            let message = state.messages.get(&message.id).cloned().ok_or("the message is gone")?;
            let owner = message
                .interaction
                .as_ref()
                .and_then(|id| state.interactions.get(id))
                .map(|it| it.user.clone());
            if message.ephemeral && owner.as_ref() != Some(&user) {
                return Err("only the person who asked sees that message".to_owned());
            }
            let parts = walk(&message.json["components"]);
            let found = parts.iter().find(|part| {
                part["custom_id"].is_string() && (part["custom_id"] == which || part["label"] == which)
            });
            let Some(part) = found else {
                let all: Vec<String> = parts.iter().map(|part| plain(&part["custom_id"])).collect();
                return Err(format!("no component {which} among {all:?}"));
            };
            if part["disabled"] == true {
                return Err(format!("component {which} is disabled"));
            }
            let mut data =
                json!({"custom_id": part["custom_id"], "component_type": part["type"], "id": part["id"]});
            match (values, part["type"].as_u64()) {
                (None, Some(2)) => {}
                (Some(values), Some(3)) => {
                    let least = part["min_values"].as_u64().unwrap_or(1);
                    let most = part["max_values"].as_u64().unwrap_or(1);
                    if !(least..=most).contains(&(values.len() as u64)) {
                        return Err(format!("{which} takes {least} to {most} values"));
                    }
                    let mut chosen = Vec::new();
                    for value in values {
                        let options = part["options"].as_array().into_iter().flatten();
                        let option =
                            options.clone().find(|one| one["value"] == *value || one["label"] == *value);
                        chosen
                            .push(option.ok_or_else(|| format!("{which} has no {value}"))?["value"].clone());
                    }
                    data["values"] = json!(chosen);
                }
                (Some(values), Some(kind @ (5 | 6 | 8))) => {
                    let (mut resolved, mut chosen) = (json!({}), Vec::new());
                    let channel = state.channels[&message.channel].clone();
                    let as_option = json!({"name": which, "type": match kind { 5 => 6, 6 => 8, _ => 7 },
                        "channel_types": part["channel_types"]});
                    for value in values {
                        let given = Given::Text((*value).to_owned());
                        chosen.push(value_of(
                            state,
                            &as_option,
                            &given,
                            &channel.guild,
                            &channel.id,
                            &mut resolved,
                        )?);
                    }
                    merge(&mut data, json!({"values": chosen, "resolved": resolved}));
                }
                _ => return Err(format!("{which} is no such kind of component")),
            }
            send(state, 3, &user, &message.channel, which, data, Some(message.id.clone()))
        })?;
        self.answer(&sent).await
    }

    /// Waits for the acknowledgement of an interaction (see [`Person::send`]), and for the answer after
    /// "thinking"; nothing is wrong where none comes: the reply tells.
    pub(crate) async fn answer(&self, id: &str) -> Result<Reply, Refused> {
        let patience = self.inner.lock().options.patience;
        let acked = self
            .within(patience + Duration::from_millis(100), |state| {
                state.interactions[id].acked.map(|_| state.interactions[id].ack)
            })
            .await;
        if matches!(acked, Some(5 | 6)) {
            self.within(THINKING, |state| state.interactions[id].settled).await;
        }
        let state = self.inner.lock();
        Ok(look(&state, &state.interactions[id]))
    }
}

impl Person<'_> {
    /// Somewhere else.
    pub(crate) fn at(mut self, channel: &str) -> Self {
        self.channel = self.discord.channel(channel);
        self
    }

    /// With an option: text, a number, `true`, a choice's value or name, a person's, channel's or role's name
    /// or id.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.options.push((name.to_owned(), Given::Text(value.to_owned())));
        self
    }

    /// With options.
    pub(crate) fn options(mut self, options: &[(&str, &str)]) -> Self {
        for (name, value) in options {
            self = self.with(name, value);
        }
        self
    }

    /// With a file.
    pub(crate) fn attach(mut self, option: &str, name: &str, bytes: &[u8], kind: &str) -> Self {
        self.options.push((option.to_owned(), Given::File(name.to_owned(), bytes.to_vec(), kind.to_owned())));
        self
    }

    /// Sends the command and waits for what comes of it.
    pub(crate) async fn slash(self, command: &str) -> Result<Reply, Refused> {
        let id = self.send(command)?;
        self.discord.answer(&id).await
    }

    /// Sends the command and does not wait; the interaction's id.
    pub(crate) fn send(&self, command: &str) -> Result<String, Refused> {
        self.discord.world(|state| {
            let data = command_data(state, &self.user, &self.channel, command, &self.options, None)?;
            send(state, 2, &self.user, &self.channel, command.trim_start_matches('/'), data, None)
        })
    }

    /// A command as one line: `/nc close nc:NC-4 note:all done`.
    pub(crate) async fn line(mut self, line: &str) -> Result<Reply, Refused> {
        let mut words = line.split(' ').peekable();
        let mut command = Vec::new();
        while let Some(word) = words.next_if(|word| !word.contains(':')) {
            command.push(word);
        }
        let command = command.join(" ");
        let known: Vec<String> = {
            let state = self.discord.inner.lock();
            let guild = state.channels[&self.channel].guild.clone();
            let (_, path, options) = find(&state, &guild, &command)?;
            drop(path);
            options.iter().map(|option| plain(&option["name"])).collect()
        };
        for word in words {
            match word.split_once(':') {
                Some((name, value)) if known.iter().any(|one| one == name) || self.options.is_empty() => {
                    self = self.with(name, value);
                }
                _ => match self.options.last_mut() {
                    Some((_, Given::Text(text))) => text.extend([" ", word]),
                    _ => return Err(format!("{word:?} belongs to no option")),
                },
            }
        }
        self.slash(&command).await
    }

    /// Types into an option and looks at what is suggested; earlier options as given.
    pub(crate) async fn autocomplete(
        self,
        command: &str,
        focused: &str,
        typed: &str,
    ) -> Result<Reply, Refused> {
        let asked = self.with(focused, typed);
        let id = asked.discord.world(|state| {
            let data =
                command_data(state, &asked.user, &asked.channel, command, &asked.options, Some(focused))?;
            send(state, 4, &asked.user, &asked.channel, command.trim_start_matches('/'), data, None)
        })?;
        asked.discord.answer(&id).await
    }
}

fn look(state: &State, it: &Interaction) -> Reply {
    let (message, ephemeral, text) = shown(state, it);
    let message = message.unwrap_or_default();
    let list = |name: &str| message[name].as_array().cloned().unwrap_or_default();
    let choices = it.choices.iter().filter_map(Value::as_array).flatten();
    Reply {
        id: it.id.clone(),
        user: it.user.clone(),
        channel: it.channel.clone(),
        acked: it.acked.is_some(),
        ack_ms: it.acked.map_or(f64::INFINITY, |at| (at - it.created).as_secs_f64() * 1e3),
        ephemeral,
        deferred: matches!(it.ack, 5 | 6),
        settled: it.settled.is_some(),
        content: message["content"].as_str().unwrap_or_default().to_owned(),
        embeds: list("embeds"),
        components: list("components"),
        modal: it.modal.clone(),
        choices: choices.map(|one| (plain(&one["name"]), one["value"].clone())).collect(),
        followups: it.followups.iter().filter_map(|id| state.messages.get(id)).cloned().collect(),
        message: it.original.as_ref().and_then(|id| state.messages.get(id)).cloned(),
        refused: it.refused,
        text,
    }
}

/// Hands an interaction to the bot; its id.
fn send(
    state: &mut State,
    kind: u64,
    user: &str,
    channel: &str,
    name: &str,
    data: Value,
    source: Option<String>,
) -> Result<String, Refused> {
    let place = state.channels.get(channel).cloned().ok_or("that channel is gone")?;
    let guild = place.guild.clone();
    let may = state.permissions(&guild, user, Some(channel));
    if may & perm::VIEW_CHANNEL == 0 {
        return Err("the person does not see that channel".to_owned());
    }
    if state.guilds[&guild].kicked {
        return Err("the bot is not in that server".to_owned());
    }
    let mut member = state.member_json(&guild, user).ok_or("not a member of that server")?;
    member["permissions"] = json!(may.to_string());
    let id = state.snowflake();
    let token = format!("aW50ZXJhY3Rpb246{id}{}", "f00d".repeat(30));
    let mut payload = json!({"id": id, "application_id": APP, "type": kind, "token": token, "version": 1,
        "channel_id": channel, "channel": state.partial_channel(&place, user), "guild_id": guild,
        "guild": {"id": guild, "locale": "en-US", "features": []}, "guild_locale": "en-US", "locale": "en-US",
        "member": member, "entitlements": [], "context": 0, "attachment_size_limit": 10_485_760,
        "app_permissions": state.permissions(&guild, APP, Some(channel)).to_string(),
        "authorizing_integration_owners": {"0": guild}});
    payload["data"] = data;
    if let Some(message) = source.as_ref().and_then(|id| state.messages.get(id)) {
        payload["message"] = message.json.clone();
    }
    let it = Interaction {
        id: id.clone(),
        token,
        kind,
        user: user.to_owned(),
        channel: channel.to_owned(),
        name: name.to_owned(),
        source,
        opened_by: None,
        payload: payload.clone(),
        created: Instant::now(),
        acked: None,
        ack: 0,
        settled: None,
        original: None,
        followups: Vec::new(),
        modal: None,
        choices: None,
        refused: 0,
    };
    state.interactions.insert(id.clone(), it);
    state.dispatch("INTERACTION_CREATE", &payload, 0);
    Ok(id)
}

/// The command, the subcommands on the way, and the options at its end.
fn find(state: &State, guild: &str, line: &str) -> Result<(Value, Vec<Value>, Vec<Value>), Refused> {
    let mut words = line.trim_start_matches('/').split_whitespace();
    let name = words.next().unwrap_or_default();
    let scopes = [Some(guild.to_owned()), None];
    let all: Vec<&Value> = scopes.iter().filter_map(|scope| state.commands.get(scope)).flatten().collect();
    let named = |one: &&&Value| one["name"] == name && one["type"] == 1;
    let command = all.iter().find(named).ok_or_else(|| {
        let known: Vec<String> = all.iter().map(|one| plain(&one["name"])).collect();
        format!("no command /{name} among {known:?}")
    })?;
    if all.iter().filter(named).count() > 1 {
        return Err(format!("/{name} is shown twice: registered globally and in the server"));
    }
    let mut path = Vec::new();
    let mut options = command["options"].as_array().cloned().unwrap_or_default();
    for word in words {
        let step =
            options.iter().find(|one| one["name"] == word && matches!(one["type"].as_u64(), Some(1 | 2)));
        let step = step.cloned().ok_or_else(|| format!("no subcommand {word:?} in {line:?}"))?;
        options = step["options"].as_array().cloned().unwrap_or_default();
        path.push(step);
    }
    if options.iter().any(|one| matches!(one["type"].as_u64(), Some(1 | 2))) {
        let all: Vec<String> = options.iter().map(|one| plain(&one["name"])).collect();
        return Err(format!("{line:?} needs one of {all:?}"));
    }
    Ok(((**command).clone(), path, options))
}

fn command_data(
    state: &mut State,
    user: &str,
    channel: &str,
    line: &str,
    given: &[(String, Given)],
    focused: Option<&str>,
) -> Result<Value, Refused> {
    let guild = state.channels.get(channel).ok_or("that channel is gone")?.guild.clone();
    let (command, path, options) = find(state, &guild, line)?;
    let may = state.permissions(&guild, user, Some(channel));
    if may & perm::USE_APPLICATION_COMMANDS == 0 {
        return Err("the person may not use commands there".to_owned());
    }
    if command["contexts"].as_array().is_some_and(|all| !all.contains(&json!(0))) {
        return Err(format!("{line} is not for servers"));
    }
    if let Some(needs) =
        command["default_member_permissions"].as_str().and_then(|bits| bits.parse::<u64>().ok())
        && may & perm::ADMINISTRATOR == 0
        && (needs == 0 || may & needs != needs)
    {
        return Err(format!("{line} is hidden from this person"));
    }
    if let Some((name, _)) =
        given.iter().find(|(name, _)| !options.iter().any(|option| option["name"] == **name))
    {
        let known: Vec<String> = options.iter().map(|option| plain(&option["name"])).collect();
        return Err(format!("{line} has no option {name:?}; it has {known:?}"));
    }
    let mut resolved = json!({});
    let mut values = Vec::new();
    for option in &options {
        let name = plain(&option["name"]);
        let Some((_, value)) = given.iter().find(|(one, _)| *one == name) else {
            if option["required"] == true && focused.is_none() {
                return Err(format!("{line} requires the option {name:?}"));
            }
            continue;
        };
        if focused == Some(name.as_str()) {
            let Given::Text(typed) = value else { return Err("a file cannot be completed".to_owned()) };
            if option["autocomplete"] != true {
                return Err(format!("the option {name:?} suggests nothing"));
            }
            values.push(json!({"name": name, "type": option["type"], "value": typed, "focused": true}));
        } else {
            let value = value_of(state, option, value, &guild, channel, &mut resolved)?;
            values.push(json!({"name": name, "type": option["type"], "value": value}));
        }
    }
    let mut inside = json!(values);
    for step in path.iter().rev() {
        inside = json!([{"name": step["name"], "type": step["type"], "options": inside}]);
    }
    let mut data = json!({"id": command["id"], "name": command["name"], "type": 1});
    if !is_empty(&inside) {
        data["options"] = inside;
    }
    if resolved != json!({}) {
        data["resolved"] = resolved;
    }
    if command["guild_id"].is_string() {
        data["guild_id"] = command["guild_id"].clone();
    }
    Ok(data)
}

/// An option's value as a client sends it, where it would.
fn value_of(
    state: &mut State,
    option: &Value,
    given: &Given,
    guild: &str,
    channel: &str,
    resolved: &mut Value,
) -> Result<Value, Refused> {
    let name = plain(&option["name"]);
    let kind = option["type"].as_u64().unwrap_or(0);
    let text = match given {
        Given::File(file, bytes, sort) if kind == 11 => {
            let shown = state.attach(channel, file, sort, bytes, true);
            let id = shown["id"].clone();
            resolved["attachments"][plain(&id)] = shown;
            return Ok(id);
        }
        Given::File(..) => return Err(format!("option {name} takes no file")),
        Given::Text(_) if kind == 11 => return Err(format!("option {name} takes a file")),
        Given::Text(text) => text.as_str(),
    };
    let bad = |why: &str| Err(format!("option {name}: {why}: {text:?}"));
    let choices = option["choices"].as_array().filter(|all| !all.is_empty());
    if let Some(choices) = choices {
        let found = choices.iter().find(|one| plain(&one["value"]) == text || one["name"] == text);
        let all: Vec<String> = choices.iter().map(|one| plain(&one["value"])).collect();
        return found.map_or_else(|| bad(&format!("not among {all:?}")), |one| Ok(one["value"].clone()));
    }
    match kind {
        3 => {
            let length = text.chars().count() as u64;
            let least = option["min_length"].as_u64().unwrap_or(1).max(1);
            let most = option["max_length"].as_u64().unwrap_or(6000);
            if (least..=most).contains(&length) {
                Ok(json!(text))
            } else {
                bad(&format!("not {least} to {most} characters"))
            }
        }
        4 | 10 => {
            let Ok(number) = text.parse::<f64>() else { return bad("not a number") };
            if kind == 4 && text.parse::<i64>().is_err() {
                return bad("not a whole number");
            }
            let (least, most) = (option["min_value"].as_f64(), option["max_value"].as_f64());
            if least.is_some_and(|least| number < least) || most.is_some_and(|most| number > most) {
                return bad("out of range");
            }
            Ok(if kind == 4 { json!(text.parse::<i64>().unwrap_or(0)) } else { json!(number) })
        }
        5 => text.parse::<bool>().map_or_else(|_| bad("not true or false"), |truth| Ok(json!(truth))),
        6 | 9 if state.find_user(text.trim_start_matches('@')).is_some() => {
            let id = state.find_user(text.trim_start_matches('@')).unwrap_or_default();
            resolved["users"][&id] = state.users[&id].clone();
            if let Some(mut member) = state.member_json(guild, &id) {
                member["permissions"] = json!(state.permissions(guild, &id, Some(channel)).to_string());
                for hidden in ["user", "deaf", "mute"] {
                    member.as_object_mut().unwrap().remove(hidden);
                }
                resolved["members"][&id] = member;
            }
            Ok(json!(id))
        }
        8 | 9 => {
            let Some(id) = state.find_role(guild, text) else { return bad("no such role") };
            resolved["roles"][&id] = State::role_json(&state.guilds[guild].roles[&id]);
            Ok(json!(id))
        }
        7 => {
            let here = state
                .find_channel(text)
                .and_then(|id| state.channels.get(&id))
                .filter(|one| one.guild == guild);
            let Some(found) = here.cloned() else { return bad("no such channel") };
            let kinds = option["channel_types"].as_array();
            if kinds.is_some_and(|all| !all.is_empty() && !all.contains(&json!(found.kind))) {
                return bad("a channel of a kind that is not offered");
            }
            resolved["channels"][&found.id] = state.partial_channel(&found, APP);
            Ok(json!(found.id))
        }
        _ => bad("no such person"),
    }
}
