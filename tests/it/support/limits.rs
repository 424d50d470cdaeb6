//! Discord's documented limits that its OpenAPI document does not carry.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::rest::File;
use super::spec::Fault;
use super::world::{COMPONENTS_V2, is_empty, plain, walk};

/// What is wrong with a body.
pub(crate) fn check(method: &str, parts: &[&str], body: &Value, files: &[File]) -> Vec<Fault> {
    let mut faults = Faults(Vec::new());
    match (method, parts) {
        ("PUT", ["applications", .., "commands"]) => {
            let all: Vec<&Value> = body.as_array().into_iter().flatten().collect();
            let mut names = HashSet::new();
            for (at, one) in all.iter().enumerate() {
                faults.command(&format!("{at}"), one);
                if !names.insert((one["name"].as_str(), one["type"].as_u64().unwrap_or(1))) {
                    faults.say(&format!("{at}.name"), "Application command names must be unique");
                }
            }
            if all.len() > 100 {
                faults.say("", "more than 100 commands");
            }
        }
        ("POST", ["applications", .., "commands"]) => faults.command("", body),
        ("POST", ["interactions", ..]) => match body["type"].as_u64() {
            Some(4 | 7) => faults.message("data", &body["data"], files, true),
            Some(8) => faults.most("data.choices", &body["data"]["choices"], 25),
            Some(9) => faults.modal("data", &body["data"]),
            _ => {}
        },
        ("POST" | "PATCH", ["webhooks", ..] | ["channels", _, "messages", ..]) => {
            faults.message("", body, files, method == "POST");
        }
        _ => {}
    }
    faults.0
}

struct Faults(Vec<Fault>);

impl Faults {
    fn say(&mut self, at: &str, why: impl Into<String>) {
        let path = at.split('.').filter(|part| !part.is_empty()).map(ToOwned::to_owned).collect();
        self.0.push((path, why.into()));
    }

    /// A text of at most so many characters.
    fn long(&mut self, at: &str, text: &Value, most: usize) -> usize {
        let length = text.as_str().map_or(0, |text| text.chars().count());
        if length > most {
            self.say(at, format!("Must be {most} or fewer in length (is {length})."));
        }
        length
    }

    fn most(&mut self, at: &str, list: &Value, most: usize) {
        if list.as_array().is_some_and(|list| list.len() > most) {
            self.say(at, format!("at most {most}"));
        }
    }

    fn message(&mut self, at: &str, body: &Value, files: &[File], new: bool) {
        let inside = |name: &str| format!("{at}.{name}");
        self.long(&inside("content"), &body["content"], 2000);
        self.embeds(&inside("embeds"), &body["embeds"]);
        let flags = body["flags"].as_u64().unwrap_or(0);
        self.components(&inside("components"), &body["components"], flags & COMPONENTS_V2 != 0);
        if flags & COMPONENTS_V2 != 0 && !(is_empty(&body["embeds"]) && body["content"].is_null()) {
            self.say(&inside("flags"), "content and embeds cannot be used with IS_COMPONENTS_V2");
        }
        let nonce = &body["nonce"];
        if nonce.is_string() {
            self.long(&inside("nonce"), nonce, 25);
        }
        if body["enforce_nonce"] == true && nonce.is_null() {
            self.say(&inside("nonce"), "enforce_nonce without a nonce");
        }
        let allowed = &body["allowed_mentions"];
        for what in ["users", "roles"] {
            if allowed["parse"].as_array().is_some_and(|parse| parse.contains(&json!(what)))
                && !is_empty(&allowed[what])
            {
                self.say(
                    &inside("allowed_mentions"),
                    format!("parse:[\"{what}\"] and {what}:[ids...] are mutually exclusive."),
                );
            }
            self.most(&inside("allowed_mentions"), &allowed[what], 100);
        }
        if files.len() > 10 {
            self.say(&inside("attachments"), "at most 10 files");
        }
        for (index, file) in files.iter().enumerate() {
            if file.bytes.len() > 10 * 1024 * 1024 {
                self.say(&inside("attachments"), format!("file {index} is larger than 10 MiB"));
            }
        }
        for one in body["attachments"].as_array().into_iter().flatten() {
            let id = plain(&one["id"]);
            let uploaded = files.iter().any(|file| file.field == format!("files[{id}]"));
            if new && !uploaded {
                self.say(&inside("attachments"), format!("no files[{id}] was uploaded"));
            }
            self.long(&inside("attachments"), &one["description"], 1024);
        }
        for embed in body["embeds"].as_array().into_iter().flatten() {
            for part in ["image", "thumbnail"] {
                let wanted = embed[part]["url"].as_str().and_then(|url| url.strip_prefix("attachment://"));
                let named = |file: &File| {
                    let renamed = body["attachments"].as_array().into_iter().flatten().any(|one| {
                        file.field == format!("files[{}]", plain(&one["id"]))
                            && one["filename"].as_str() == wanted
                    });
                    Some(file.name.as_str()) == wanted || renamed
                };
                if wanted.is_some() && !files.iter().any(named) && new {
                    self.say(&inside("embeds"), format!("no file called {wanted:?} was uploaded"));
                }
            }
        }
    }

    fn embeds(&mut self, at: &str, embeds: &Value) {
        self.most(at, embeds, 10);
        let mut total = 0;
        for (index, embed) in embeds.as_array().into_iter().flatten().enumerate() {
            let inside = |name: &str| format!("{at}.{index}.{name}");
            total += self.long(&inside("title"), &embed["title"], 256);
            total += self.long(&inside("description"), &embed["description"], 4096);
            total += self.long(&inside("footer.text"), &embed["footer"]["text"], 2048);
            total += self.long(&inside("author.name"), &embed["author"]["name"], 256);
            self.most(&inside("fields"), &embed["fields"], 25);
            for (index, field) in embed["fields"].as_array().into_iter().flatten().enumerate() {
                for (name, most) in [("name", 256), ("value", 1024)] {
                    let place = inside(&format!("fields.{index}.{name}"));
                    total += self.long(&place, &field[name], most);
                    if field[name].as_str().is_none_or(|text| text.trim().is_empty()) {
                        self.say(&place, "This field is required");
                    }
                }
            }
            for url in [
                &embed["url"],
                &embed["image"]["url"],
                &embed["thumbnail"]["url"],
                &embed["footer"]["icon_url"],
            ] {
                let fine = |url: &str| {
                    ["http://", "https://", "attachment://"].iter().any(|start| url.starts_with(start))
                };
                if url.as_str().is_some_and(|url| !fine(url)) {
                    self.say(&inside("url"), format!("Not a well formed URL: {url}"));
                }
            }
            if embed["timestamp"].as_str().is_some_and(|at| chrono::DateTime::parse_from_rfc3339(at).is_err())
            {
                self.say(&inside("timestamp"), "Should be ISO8601.");
            }
            let shows = ["title", "description", "image", "thumbnail", "footer", "author"];
            if shows.iter().all(|name| embed[*name].is_null()) && is_empty(&embed["fields"]) {
                self.say(&inside("description"), "an embed must show something");
            }
        }
        if total > 6000 {
            self.say(at, format!("Embed size exceeds maximum size of 6000 (is {total})"));
        }
    }

    fn components(&mut self, at: &str, components: &Value, v2: bool) {
        let mut ids = HashSet::new();
        for part in walk(components) {
            if let Some(id) = part["custom_id"].as_str() {
                let length = id.chars().count();
                if !(1..=100).contains(&length) {
                    self.say(at, format!("custom_id must be 1 to 100 characters: {id:?}"));
                }
                if !ids.insert(id) {
                    self.say(at, format!("Component custom id cannot be duplicated: {id}"));
                }
            }
            match part["type"].as_u64() {
                Some(1) => {
                    let inside: Vec<u64> = part["components"]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .filter_map(|one| one["type"].as_u64())
                        .collect();
                    let wide = inside.iter().any(|kind| *kind != 2) && inside.len() > 1;
                    if inside.is_empty() || inside.len() > 5 || wide {
                        self.say(at, "a row holds 1 to 5 buttons, or one other component");
                    }
                }
                Some(2) => {
                    let link = part["style"] == 5;
                    if link != part["url"].is_string() || link == part["custom_id"].is_string() {
                        self.say(at, "a link button has a url, every other button a custom_id");
                    }
                    if part["label"].is_null() && part["emoji"].is_null() {
                        self.say(at, "A label or emoji is required");
                    }
                    self.long(at, &part["label"], 80);
                }
                Some(3) => {
                    let values: Vec<&Value> =
                        part["options"].as_array().into_iter().flatten().map(|one| &one["value"]).collect();
                    let distinct: HashSet<String> = values.iter().map(ToString::to_string).collect();
                    if values.is_empty() || values.len() > 25 || distinct.len() < values.len() {
                        self.say(at, "a select has 1 to 25 options with distinct values");
                    }
                    if part["max_values"].as_u64().is_some_and(|most| most > values.len() as u64) {
                        self.say(at, "max_values is more than there are options");
                    }
                }
                _ => {}
            }
        }
        if !v2 {
            self.most(at, components, 5);
            if components.as_array().into_iter().flatten().any(|part| part["type"] != 1) {
                self.say(at, "only rows stand at the top without IS_COMPONENTS_V2");
            }
        }
    }

    fn modal(&mut self, at: &str, data: &Value) {
        let inside = |name: &str| format!("{at}.{name}");
        let title = data["title"].as_str().map_or(0, |title| title.chars().count());
        if !(1..=45).contains(&title) {
            self.say(&inside("title"), "Must be between 1 and 45 in length.");
        }
        let id = data["custom_id"].as_str().map_or(0, |id| id.chars().count());
        if !(1..=100).contains(&id) {
            self.say(&inside("custom_id"), "Must be between 1 and 100 in length.");
        }
        let rows = data["components"].as_array().map_or(0, Vec::len);
        if !(1..=5).contains(&rows) {
            self.say(&inside("components"), "Must be between 1 and 5 in length.");
        }
        let mut ids = HashSet::new();
        for part in walk(&data["components"]) {
            if part["custom_id"]
                .as_str()
                .is_some_and(|id| !ids.insert(id.to_owned()) || id.is_empty() || id.len() > 100)
            {
                self.say(&inside("components"), "custom_id must be distinct, 1 to 100 characters");
            }
            match part["type"].as_u64() {
                Some(4) => {
                    self.long(&inside("components.label"), &part["label"], 45);
                    self.long(&inside("components.placeholder"), &part["placeholder"], 100);
                    let least = part["min_length"].as_u64().unwrap_or(0);
                    let most = part["max_length"].as_u64().unwrap_or(4000);
                    let value = part["value"].as_str().map_or(0, |value| value.chars().count()) as u64;
                    if least > most || most > 4000 || (value > 0 && !(least..=most).contains(&value)) {
                        self.say(
                            &inside("components"),
                            format!("a length of {least} to {most}, prefilled with {value}"),
                        );
                    }
                }
                Some(2) => self.say(&inside("components"), "a modal has no buttons"),
                _ => {}
            }
        }
    }

    fn command(&mut self, at: &str, command: &Value) {
        let name = &command["name"];
        if command["type"].as_u64().unwrap_or(1) == 1 {
            self.name(at, name);
            self.described(at, command);
        }
        let mut size = 0;
        self.options(&format!("{at}.options"), &command["options"], 0, &mut size);
        let characters = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
        size += characters(name) + characters(&command["description"]);
        if size > 8000 {
            self.say(at, format!("Command exceeds maximum size (8000): {size}"));
        }
    }

    fn name(&mut self, at: &str, name: &Value) {
        let fine = name.as_str().is_some_and(|name| {
            (1..=32).contains(&name.chars().count())
                && name.chars().all(|c| c.is_alphanumeric() || "-_'".contains(c))
                && name.to_lowercase() == name
        });
        if !fine {
            self.say(&format!("{at}.name"), format!("Command name is invalid: {name}"));
        }
    }

    fn described(&mut self, at: &str, one: &Value) {
        let length = one["description"].as_str().map_or(0, |text| text.chars().count());
        if !(1..=100).contains(&length) {
            self.say(&format!("{at}.description"), "Must be between 1 and 100 in length.");
        }
    }

    fn options(&mut self, at: &str, options: &Value, depth: u32, size: &mut usize) {
        self.most(at, options, 25);
        let (mut names, mut optional, mut branches, mut leaves) = (HashSet::new(), false, false, false);
        let characters = |value: &Value| {
            value.as_str().map_or_else(|| value.to_string().len(), |text| text.chars().count())
        };
        for (index, option) in options.as_array().into_iter().flatten().enumerate() {
            let place = format!("{at}.{index}");
            self.name(&place, &option["name"]);
            self.described(&place, option);
            if !names.insert(option["name"].to_string()) {
                self.say(&place, "Option name already exists");
            }
            *size += characters(&option["name"]) + characters(&option["description"]);
            let kind = option["type"].as_u64().unwrap_or(0);
            if matches!(kind, 1 | 2) {
                branches = true;
                if (kind == 2 && depth > 0) || (kind == 1 && depth > 1) {
                    self.say(&place, "sub-commands are nested too deep");
                }
                self.options(
                    &format!("{place}.options"),
                    &option["options"],
                    if kind == 2 { 1 } else { 2 },
                    size,
                );
                continue;
            }
            leaves = true;
            if option["required"] == true && optional {
                self.say(&place, "Required options must be placed before non-required options");
            }
            optional |= option["required"] != true;
            self.most(&format!("{place}.choices"), &option["choices"], 25);
            if option["autocomplete"] == true
                && (!is_empty(&option["choices"]) || !matches!(kind, 3 | 4 | 10))
            {
                self.say(&place, "autocomplete is for text and numbers without choices");
            }
            for choice in option["choices"].as_array().into_iter().flatten() {
                *size += characters(&choice["name"]) + characters(&choice["value"]);
                let length = characters(&choice["name"]);
                if !(1..=100).contains(&length) || characters(&choice["value"]) > 100 {
                    self.say(
                        &format!("{place}.choices"),
                        "names are 1 to 100 characters, values at most 100",
                    );
                }
            }
        }
        if branches && leaves {
            self.say(at, "sub-commands cannot stand beside other options");
        }
    }
}
