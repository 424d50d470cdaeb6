//! What arrives from Discord, as requests to the application.
//!
//! Read leniently from the raw event: a field that is new, missing or of another shape than it was costs at most
//! what it says, never the interaction.

use chrono::{DateTime, Utc};
use serde_json::Value;
use serenity::model::permissions::Permissions;

use super::permissions;
use crate::command::{Actor, Door, Heard, Request};

/// The prefix of everything that we put into a component's id.
pub(super) const FORM: &str = "ck1:form:";

/// The prefix of the button that asks the next question of a nonconformity; its number follows.
pub(super) const NEXT: &str = "ck1:next:";

/// One interaction.
#[derive(Debug)]
pub(super) struct Inbound {
    pub(super) id: String,
    pub(super) application: String,
    /// A secret: whoever has it can answer in our name.
    pub(super) token: super::reply::Token,
    /// What the bot may do where it was typed, if Discord says.
    pub(super) held: Option<Permissions>,
    pub(super) what: What,
    /// Channels named in it of which it is not known what we may do there.
    pub(super) unclear: Vec<String>,
}

/// What an interaction asks for.
#[derive(Debug)]
pub(super) enum What {
    /// A slash command.
    Command(Box<Request>),
    /// Completions for an option of one.
    Complete {
        /// The line so far.
        request: Box<Request>,
        /// The option.
        focused: String,
        /// What stands there.
        typed: String,
    },
    /// A filled-in form.
    Form {
        /// Its id.
        form: String,
        /// Input by input.
        fields: Vec<(String, String)>,
        /// Who sends it, and from where.
        request: Box<Request>,
    },
    /// A ping, which the gateway never sends.
    Ping,
    /// Something that was not said in a server.
    Elsewhere {
        /// Whether it wants completions.
        completing: bool,
    },
    /// A component that we don't know.
    Component,
    /// A command or an interaction of a kind that we don't know.
    Unknown,
}

/// A string, or a number as one.
fn text(at: &Value, key: &str) -> Option<String> {
    match at.get(key)? {
        Value::String(s) => Some(s.clone()),
        Value::Number(n) => Some(n.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn items<'a>(at: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    at.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn entries<'a>(at: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    at.get(key).and_then(Value::as_object).into_iter().flatten()
}

fn person_name(user: &Value, member: Option<&Value>) -> Option<String> {
    member
        .and_then(|m| text(m, "nick"))
        .or_else(|| text(user, "global_name"))
        .or_else(|| text(user, "username"))
        .filter(|name| !name.trim().is_empty())
}

fn actor(member: &Value) -> Option<Actor> {
    let user = member.get("user")?;
    let handle = text(user, "id")?;
    let held = text(member, "permissions").and_then(|p| permissions::parse(&p)).unwrap_or_default();
    Some(Actor {
        name: person_name(user, Some(member)).unwrap_or_else(|| handle.clone()),
        handle,
        roles: items(member, "roles").filter_map(Value::as_str).map(ToOwned::to_owned).collect(),
        manages_place: held.intersects(Permissions::MANAGE_GUILD | Permissions::ADMINISTRATOR),
        spoken_as: None,
    })
}

/// What an option's value is on the command line.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(s) => Some(s.clone()),
        Value::Bool(b) => Some(b.to_string()),
        Value::Number(n) => Some(n.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The option that a person is typing in, with what stands there.
type Focused = Option<(String, String)>;

/// The words and options of a command: `argv`, and the focused option with what stands there.
fn line(data: &Value) -> Option<(Vec<String>, Focused)> {
    let mut argv = vec![text(data, "name")?];
    let mut focused = None;
    let mut level = data;
    // A command holds at most a group, which holds at most a subcommand.
    for _ in 0..3 {
        let mut deeper = None;
        for option in items(level, "options") {
            let Some(name) = text(option, "name") else { continue };
            let kind = option.get("type").and_then(Value::as_u64);
            if matches!(kind, Some(1 | 2)) {
                argv.push(name);
                deeper = Some(option);
                break;
            }
            let value = option.get("value").and_then(plain);
            if option.get("focused").and_then(Value::as_bool) == Some(true) {
                focused = Some((name, value.unwrap_or_default()));
            } else if let Some(value) = value {
                argv.push(format!("--{name}={value}"));
            }
        }
        match deeper {
            Some(option) => level = option,
            None => break,
        }
    }
    Some((argv, focused))
}

fn heard(raw: &Value, data: &Value, held: Option<Permissions>) -> (Heard, Vec<String>) {
    let mut heard = Heard::default();
    let mut unclear = Vec::new();
    let resolved = data.get("resolved").unwrap_or(&Value::Null);
    for (id, user) in entries(resolved, "users") {
        let member = resolved.get("members").and_then(|m| m.get(id));
        if let Some(name) = person_name(user, member) {
            heard.people.insert(id.clone(), name);
        }
    }
    for (id, channel) in entries(resolved, "channels") {
        let missing =
            text(channel, "app_permissions").and_then(|p| permissions::parse(&p)).map(permissions::missing);
        let known = heard.channels.entry(id.clone()).or_default();
        known.name = text(channel, "name").unwrap_or_default();
        known.missing = missing;
        if known.missing.is_none() {
            unclear.push(id.clone());
        }
    }
    for (id, file) in entries(resolved, "attachments") {
        let Some(from) = text(file, "url") else { continue };
        let file = crate::command::HeardFile {
            name: text(file, "filename").unwrap_or_else(|| id.clone()),
            media_type: text(file, "content_type"),
            size: file.get("size").and_then(Value::as_u64).unwrap_or_default(),
            from,
        };
        heard.files.insert(id.clone(), file);
    }
    if let Some(here) = text(raw, "channel_id") {
        let known = heard.channels.entry(here.clone()).or_default();
        if let Some(name) = raw.get("channel").and_then(|c| text(c, "name")) {
            known.name = name;
        }
        if let Some(held) = held {
            known.missing = Some(permissions::missing(held));
            unclear.retain(|id| *id != here);
        }
    }
    (heard, unclear)
}

/// The inputs of a filled-in form, however deep they stand.
fn inputs(at: &Value, depth: usize, out: &mut Vec<(String, String)>) {
    if let (Some(name), Some(value)) = (text(at, "custom_id"), at.get("value").and_then(plain)) {
        out.push((name, value));
    }
    if depth == 0 {
        return;
    }
    for inner in items(at, "components").chain(at.get("component")) {
        inputs(inner, depth - 1, out);
    }
}

/// Reads an interaction. `None` where not even an answer is possible.
pub(super) fn read(raw: &str, at: DateTime<Utc>) -> Option<Inbound> {
    let raw: Value = serde_json::from_str(raw).ok()?;
    let id = text(&raw, "id")?;
    let held = text(&raw, "app_permissions").and_then(|p| permissions::parse(&p));
    let data = raw.get("data").unwrap_or(&Value::Null);
    let kind = raw.get("type").and_then(Value::as_u64).unwrap_or_default();
    let guild = text(&raw, "guild_id");
    let actor = raw.get("member").and_then(actor);
    let mut inbound = Inbound {
        application: text(&raw, "application_id")?,
        token: super::reply::Token(text(&raw, "token")?),
        held,
        what: What::Unknown,
        unclear: Vec::new(),
        id: id.clone(),
    };
    if kind == 1 {
        inbound.what = What::Ping;
        return Some(inbound);
    }
    let (Some(guild), Some(actor)) = (guild, actor) else {
        inbound.what = What::Elsewhere { completing: kind == 4 };
        return Some(inbound);
    };
    let (heard, unclear) = heard(&raw, data, held);
    let mut request = Box::new(Request {
        place: super::place(&guild),
        place_name: raw.get("guild").and_then(|g| text(g, "name")),
        door: Door::Discord,
        actor,
        channel: text(&raw, "channel_id"),
        at,
        key: Some(id),
        argv: Vec::new(),
        heard,
    });
    let slash = data.get("type").and_then(Value::as_u64).is_none_or(|t| t == 1);
    inbound.what = match kind {
        2 | 4 if slash => match line(data) {
            None => What::Unknown,
            Some((argv, focused)) => {
                request.argv = argv;
                if kind == 4 {
                    let (focused, typed) = focused.unwrap_or_default();
                    What::Complete { request, focused, typed }
                } else {
                    inbound.unclear = unclear;
                    What::Command(request)
                }
            }
        },
        3 => match text(data, "custom_id").as_deref().and_then(|id| id.strip_prefix(NEXT)) {
            Some(nc) if !nc.is_empty() && nc.bytes().all(|b| b.is_ascii_digit()) => {
                request.argv = vec!["nc".to_owned(), "next".to_owned(), format!("--nc=NC-{nc}")];
                What::Command(request)
            }
            _ => What::Component,
        },
        5 => match text(data, "custom_id").as_deref().and_then(|id| id.strip_prefix(FORM)) {
            None => What::Component,
            Some(form) => {
                let mut fields = Vec::new();
                // The form itself has an id, but no value.
                inputs(data, 4, &mut fields);
                What::Form { form: form.to_owned(), fields, request }
            }
        },
        _ => What::Unknown,
    };
    Some(inbound)
}

#[cfg(test)]
#[expect(clippy::needless_pass_by_value, reason = "tests hand literals over")]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn base(kind: u64, data: Value) -> Value {
        json!({
            "id": "900", "application_id": "7", "token": "secret", "type": kind, "version": 1, "data": data,
            "guild_id": "100", "guild": {"id": "100", "features": []}, "channel_id": "300",
            "channel": {"id": "300", "name": "general", "type": 0}, "app_permissions": "84992",
            "brand_new": {"x": [1, 2]},
            "member": {"nick": "Ann", "roles": ["5"], "permissions": "32",
                "user": {"id": "200", "username": "ann1", "global_name": "Ann One"}},
        })
    }

    fn parse(value: &Value) -> Inbound {
        read(&value.to_string(), DateTime::UNIX_EPOCH).unwrap()
    }

    #[test]
    fn a_slash_command_becomes_a_command_line() {
        let data = json!({"id": "1", "name": "nc", "type": 1, "options": [{"type": 1, "name": "verify", "options": [
                {"type": 3, "name": "nc", "value": "NC-4"}, {"type": 5, "name": "effective", "value": true},
                {"type": 6, "name": "owner", "value": "201"}, {"type": 7, "name": "channel", "value": "301"},
                {"type": 11, "name": "evidence", "value": "55"}, {"type": 4, "name": "hour", "value": 9},
            ]}],
            "resolved": {"users": {"201": {"username": "bob"}}, "members": {"201": {"nick": null}},
                "channels": {"301": {"name": "ops", "type": 99, "permissions": "8"}},
                "attachments": {"55": {"filename": "a.pdf", "size": 3, "url": "https://cdn.discordapp.com/a.pdf"}}}});
        let got = parse(&base(2, data));
        assert_eq!(got.unclear, ["301"]);
        let What::Command(request) = got.what else { panic!("{got:?}") };
        assert_eq!(
            request.argv,
            [
                "nc",
                "verify",
                "--nc=NC-4",
                "--effective=true",
                "--owner=201",
                "--channel=301",
                "--evidence=55",
                "--hour=9"
            ]
        );
        assert_eq!((request.place.as_str(), request.key.as_deref()), ("discord:100", Some("900")));
        assert_eq!((request.actor.name.as_str(), request.actor.manages_place), ("Ann", true));
        assert_eq!(request.heard.people.get("201").map(String::as_str), Some("bob"));
        assert_eq!(request.heard.channels["300"].missing.as_deref(), Some(&["Attach Files".to_owned()][..]));
        assert_eq!(request.heard.files["55"].name, "a.pdf");
    }

    #[test]
    fn the_focused_option_is_not_on_the_line() {
        let data = json!({"name": "nc", "type": 1, "options": [{"type": 1, "name": "show", "options": [
            {"type": 3, "name": "nc", "value": "NC", "focused": true}]}]});
        let What::Complete { request, focused, typed } = parse(&base(4, data)).what else { panic!() };
        assert_eq!((focused.as_str(), typed.as_str()), ("nc", "NC"));
        assert_eq!(request.argv, ["nc", "show"]);
    }

    #[test]
    fn a_form_is_read_in_either_layout() {
        let row = json!({"type": 1, "components": [{"type": 4, "custom_id": "what", "value": "done"}]});
        let label = json!({"type": 18, "component": {"type": 4, "custom_id": "why", "value": "so"}});
        let got = parse(&base(5, json!({"custom_id": "ck1:form:f1", "components": [row, label]})));
        let What::Form { form, fields, request } = got.what else { panic!() };
        assert_eq!(form, "f1");
        assert_eq!(fields, [("what".to_owned(), "done".to_owned()), ("why".to_owned(), "so".to_owned())]);
        assert!(request.argv.is_empty());
        assert!(matches!(parse(&base(5, json!({"custom_id": "other"}))).what, What::Component));
    }

    #[test]
    fn outside_a_server_nothing_is_done() {
        let mut raw = base(2, json!({"name": "status", "type": 1}));
        raw.as_object_mut().unwrap().remove("guild_id");
        assert!(matches!(parse(&raw).what, What::Elsewhere { .. }));
        assert!(matches!(parse(&base(77, json!(null))).what, What::Unknown));
        assert!(matches!(parse(&base(2, json!({"name": "Inspect", "type": 2}))).what, What::Unknown));
    }

    proptest! {
        #[test]
        fn fuzz_an_interaction(raw in ".{0,200}", kind in 0_u64..9, name in "[a-z]{0,5}", value in any::<i64>()) {
            drop(read(&raw, DateTime::UNIX_EPOCH));
            let data = json!({"name": name, "options": [{"name": raw, "type": kind, "value": value, "options": [raw]}],
                "components": [[], {}, raw], "resolved": {"users": [], "channels": {"1": raw}, "attachments": {"1": 4}}});
            drop(read(&base(kind, data).to_string(), DateTime::UNIX_EPOCH));
        }

        /// A whole one with some of it replaced: what is read of it is read, and never more than was said.
        #[test]
        fn fuzz_an_interaction_that_was_spoiled(
            at in any::<proptest::sample::Index>(), len in 0_usize..40, by in "[\\[\\]{}\",:0-9a-z\\\\]{0,12}", kind in 1_u64..7,
        ) {
            let data = json!({"name": "nc", "type": 1, "custom_id": "ck1:form:f1", "options": [{"type": 1,
                "name": "show", "options": [{"type": 3, "name": "nc", "value": "NC-1", "focused": kind == 4}]}],
                "components": [{"type": 18, "component": {"type": 4, "custom_id": "why", "value": "so"}}],
                "resolved": {"users": {"2": {"username": "b"}}, "channels": {"3": {"name": "c"}},
                    "attachments": {"5": {"filename": "a", "size": 3, "url": "https://cdn.discordapp.com/a"}}}});
            let mut whole = base(kind, data).to_string();
            let from = at.index(whole.len());
            whole.replace_range(from..(from + len).min(whole.len()), &by);
            if let Some(got) = read(&whole, DateTime::UNIX_EPOCH) {
                let debug = format!("{got:?}");
                prop_assert!(!debug.contains("secret"), "{}", debug);
                if let What::Command(request) | What::Complete { request, .. } | What::Form { request, .. } = got.what {
                    prop_assert!(request.place.starts_with("discord:"));
                }
            }
        }

        #[test]
        fn fuzz_a_form(id in "(ck1:form:)?.{0,30}", depth in 0_usize..200, name in ".{0,20}", value in ".{0,40}") {
            let mut inner = json!({"type": 4, "custom_id": name, "value": value});
            for _ in 0..depth {
                inner = json!({"type": 1, "components": [inner]});
            }
            let raw = base(5, json!({"custom_id": id, "components": [inner]})).to_string();
            if let Some(Inbound { what: What::Form { form, fields, .. }, .. }) = read(&raw, DateTime::UNIX_EPOCH) {
                prop_assert_eq!(id.strip_prefix(FORM), Some(form.as_str()));
                prop_assert!(fields.len() <= 1);
            }
        }
    }
}
