//! The fake Discord does what the real one does, as far as we use it; shown with a bot of a few lines.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use certkeeper::clock::{Clock as _, SystemClock};
use chrono::TimeDelta;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message as Frame;

use crate::support::client::{Got, http};
use crate::support::clock::{SOON, WallClock};
use crate::support::daemon::{Daemon, Setup};
use crate::support::discord::{Discord, Options};
use crate::support::faults::{Fault, Kind};
use crate::support::spec::Spec;
use crate::support::world::{APP, GUILD, perm};

/// A REST request as the bot.
async fn call(discord: &Discord, method: &str, path: &str, body: &Value) -> std::io::Result<Got> {
    let token = format!("Bot {}", discord.token);
    let headers = [
        ("Authorization", token.as_str()),
        ("User-Agent", "DiscordBot (https://example.org, 1)"),
        ("Content-Type", "application/json"),
    ];
    let text = if body.is_null() { String::new() } else { body.to_string() };
    http(&discord.base, method, &format!("/api/v10{path}"), &headers, text.as_bytes()).await
}

/// The same, where an answer is expected.
async fn ask(discord: &Discord, method: &str, path: &str, body: Value) -> (u16, Value) {
    let got = call(discord, method, path, &body).await.unwrap();
    (got.status, got.json())
}

/// A connection to the gateway.
#[derive(Debug)]
struct Bot {
    socket: WebSocketStream<TcpStream>,
    session: String,
    seq: u64,
}

impl Bot {
    async fn open(discord: &Discord) -> Result<Self, String> {
        let (_, gateway) = ask(discord, "GET", "/gateway/bot", Value::Null).await;
        let url = format!("{}/?v=10&encoding=json", gateway["url"].as_str().unwrap());
        let at = url.trim_start_matches("ws://").split('/').next().unwrap();
        let stream = TcpStream::connect(at).await.map_err(|why| why.to_string())?;
        let (socket, _) =
            tokio_tungstenite::client_async(&url, stream).await.map_err(|why| why.to_string())?;
        let mut bot = Self { socket, session: String::new(), seq: 0 };
        assert_eq!(bot.hear().await.unwrap()["op"], 10);
        Ok(bot)
    }

    async fn ready(discord: &Discord, intents: u64) -> Self {
        let mut bot = Self::open(discord).await.unwrap();
        bot.identify(&discord.token, intents).await;
        let ready = bot.until("READY").await;
        ready["session_id"].as_str().unwrap().clone_into(&mut bot.session);
        bot
    }

    async fn identify(&mut self, token: &str, intents: u64) {
        let properties = json!({"os": "linux", "browser": "test", "device": "test"});
        self.say(json!({"op": 2, "d": {"token": token, "intents": intents, "properties": properties}})).await;
    }

    async fn say(&mut self, frame: Value) {
        self.socket.send(Frame::text(frame.to_string())).await.unwrap();
    }

    /// The next frame, or the code of the close.
    async fn hear(&mut self) -> Result<Value, Option<u16>> {
        loop {
            match tokio::time::timeout(SOON, self.socket.next()).await.unwrap() {
                Some(Ok(Frame::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    self.seq = frame["s"].as_u64().unwrap_or(self.seq);
                    return Ok(frame);
                }
                Some(Ok(Frame::Close(close))) => return Err(close.map(|close| close.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    async fn until(&mut self, event: &str) -> Value {
        loop {
            let mut frame = self.hear().await.unwrap();
            if frame["t"] == event {
                return frame["d"].take();
            }
        }
    }

    /// Answers interactions with what `answer` makes of each, in the background.
    fn answering(
        mut self,
        discord: &Discord,
        answer: impl Fn(&Value) -> Vec<(String, String, Value)> + Send + 'static,
    ) {
        let (base, token) = (discord.base.clone(), discord.token.clone());
        tokio::spawn(async move {
            loop {
                let it = self.until("INTERACTION_CREATE").await;
                for (method, path, body) in answer(&it) {
                    let path = path
                        .replace(
                            "CALLBACK",
                            &format!(
                                "/interactions/{}/{}/callback",
                                it["id"].as_str().unwrap(),
                                it["token"].as_str().unwrap()
                            ),
                        )
                        .replace("HOOK", &format!("/webhooks/{APP}/{}", it["token"].as_str().unwrap()));
                    let auth = format!("Bot {token}");
                    let headers = [
                        ("Authorization", auth.as_str()),
                        ("Content-Type", "application/json"),
                        ("User-Agent", "DiscordBot (x, 1)"),
                    ];
                    http(&base, &method, &format!("/api/v10{path}"), &headers, body.to_string().as_bytes())
                        .await
                        .ok();
                }
            }
        });
    }
}

fn post(path: &str, body: Value) -> (String, String, Value) {
    ("POST".into(), path.into(), body)
}

async fn register(discord: &Discord) {
    let text = |name: &str, required: bool| json!({"type": 3, "name": name, "description": "x", "required": required});
    let mut nc = text("nc", true);
    nc["autocomplete"] = json!(true);
    let commands = json!([
        {"name": "nc", "description": "x", "options": [
            {"type": 1, "name": "close", "description": "x", "options": [nc, text("note", false)]},
            {"type": 1, "name": "cause", "description": "x", "options": [text("nc", true)]},
        ]},
        {"name": "setup", "description": "x", "default_member_permissions": "32", "options": [
            {"type": 7, "name": "channel", "description": "x", "channel_types": [0, 5]},
            {"type": 4, "name": "hour", "description": "x", "min_value": 0, "max_value": 23},
            {"type": 8, "name": "manager", "description": "x"},
            {"type": 6, "name": "owner", "description": "x"},
            {"type": 11, "name": "report", "description": "x"},
            {"type": 5, "name": "loud", "description": "x"},
            {"type": 3, "name": "privacy", "description": "x", "choices": [{"name": "Open", "value": "open"}]},
        ]},
    ]);
    let path = format!("/applications/{APP}/guilds/{GUILD}/commands");
    let (status, kept) = ask(discord, "PUT", &path, commands).await;
    assert_eq!((status, kept.as_array().unwrap().len()), (200, 2), "{kept}");
}

#[tokio::test]
async fn a_wrong_token_is_refused_by_both_sides() {
    let discord = Discord::start();
    let got =
        http(&discord.base, "GET", "/api/v10/users/@me", &[("Authorization", "Bot no")], b"").await.unwrap();
    assert_eq!(got.status, 401);
    let mut bot = Bot::open(&discord).await.unwrap();
    bot.identify("no", 1).await;
    assert_eq!(bot.hear().await, Err(Some(4004)));
    assert_eq!(ask(&discord, "GET", "/applications/@me", Value::Null).await.1["id"], APP);
}

#[tokio::test]
async fn an_enforced_nonce_posts_once() {
    let window = Duration::from_millis(300);
    let discord = Discord::with(Options { nonce_window: window, ..Options::default() });
    let path = format!("/channels/{}/messages", discord.channel("ops"));
    let body = json!({"content": "due", "nonce": "k1", "enforce_nonce": true});
    let (_, first) = ask(&discord, "POST", &path, body.clone()).await;
    let (_, again) = ask(&discord, "POST", &path, body.clone()).await;
    assert_eq!(first["id"], again["id"]);
    assert_eq!(discord.messages("ops").len(), 1);
    tokio::time::sleep(window).await;
    ask(&discord, "POST", &path, body).await;
    assert_eq!(discord.messages("ops").len(), 2);
    discord.assert_clean();
}

#[tokio::test]
async fn permissions_count() {
    let discord = Discord::start();
    let ops = discord.channel("ops");
    let path = format!("/channels/{ops}/messages");
    let card = json!({"content": "text", "embeds": [{"title": "card"}]});
    discord.bot_access("ops", 0, perm::EMBED_LINKS | perm::READ_MESSAGE_HISTORY);
    assert_eq!(ask(&discord, "POST", &path, card.clone()).await.1["embeds"], json!([]));
    assert!(discord.messages("ops")[0].stripped);
    assert_eq!(ask(&discord, "GET", &path, Value::Null).await.1, json!([]));
    discord.bot_access("ops", 0, perm::SEND_MESSAGES);
    assert_eq!(ask(&discord, "POST", &path, card.clone()).await.1["code"], 50013);
    discord.bot_access("ops", 0, perm::VIEW_CHANNEL);
    assert_eq!(ask(&discord, "POST", &path, card.clone()).await.1["code"], 50001);
    discord.delete_channel("ops");
    assert_eq!(ask(&discord, "POST", &path, card).await.1["code"], 10003);
}

#[tokio::test]
async fn only_those_who_may_be_are_pinged() {
    let discord = Discord::start();
    let (role, quiet) = (discord.add_role("managers", 0, true), discord.add_role("quiet", 0, false));
    discord.world(|state| {
        let own = state.find_role(GUILD, "certkeeper").unwrap();
        state.guilds.get_mut(GUILD).unwrap().roles.get_mut(&own).unwrap().permissions = perm::EVERYONE;
    });
    let (alice, bob) = (discord.user("alice"), discord.user("bob"));
    let path = format!("/channels/{}/messages", discord.channel("ops"));
    let content = format!("<@{alice}> <@{bob}> <@&{role}> <@&{quiet}> @everyone");
    ask(&discord, "POST", &path, json!({"content": content, "allowed_mentions": {"parse": [], "users": [alice], "roles": [role, quiet]}})).await;
    ask(&discord, "POST", &path, json!({"content": content, "allowed_mentions": {"parse": []}})).await;
    let messages = discord.messages("ops");
    assert_eq!(discord.pings(&messages[0]), ["alice", "@managers"]);
    assert!(discord.pings(&messages[1]).is_empty());
}

#[tokio::test]
async fn what_breaks_a_limit_is_refused_and_recorded() {
    let discord = Discord::start();
    let path = format!("/channels/{}/messages", discord.channel("ops"));
    let long = "x".repeat(1024);
    let field = json!({"name": "n", "value": long});
    for body in [
        json!({"content": "x".repeat(2001)}),
        json!({"content": "x", "nonce": "x".repeat(26)}),
        json!({"embeds": [{"fields": [field, field, field]}, {"fields": [field, field, field]}]}),
        json!({"components": [{"type": 1, "components": [{"type": 2, "style": 1, "label": "x", "custom_id": "x".repeat(101)}]}]}),
    ] {
        let (status, answer) = ask(&discord, "POST", &path, body).await;
        assert_eq!((status, &answer["code"]), (400, &json!(50035)), "{answer}");
    }
    assert!(discord.violations().len() >= 4);
    assert_eq!(discord.refusals().len(), 4);
    assert!(discord.messages("ops").is_empty());
}

#[tokio::test]
async fn faults_are_served_as_ordered() {
    let discord = Discord::start();
    let path = format!("/channels/{}/messages", discord.channel("ops"));
    let on = |fault: Fault| discord.fault(fault.on("POST", "/channels/*/messages$"));
    let send = || call(&discord, "POST", &path, &Value::Null);
    let hello = json!({"content": "hello"});

    let limited = on(Fault::rate_limited(1.5).times(2));
    for _ in 0..2 {
        let got = call(&discord, "POST", &path, &hello).await.unwrap();
        assert_eq!((got.status, &got.json()["retry_after"]), (429, &json!(1.5)));
        assert!(got.head.contains("Retry-After: 2"), "{}", got.head);
    }
    assert_eq!(discord.hits(limited), 2);

    on(Fault::status(503));
    assert_eq!(ask(&discord, "POST", &path, hello.clone()).await.0, 503);
    on(Fault::reset_before());
    assert!(send().await.is_err());
    assert!(discord.messages("ops").is_empty());
    on(Fault::reset_after());
    assert!(call(&discord, "POST", &path, &hello).await.is_err());
    assert_eq!(discord.messages("ops").len(), 1);
    on(Fault::new(Kind::RawAfter("{\"id\":".into())));
    assert_eq!(call(&discord, "POST", &path, &hello).await.unwrap().json(), Value::Null);
    assert_eq!(discord.messages("ops").len(), 2);
    on(Fault::hang());
    assert!(
        tokio::time::timeout(Duration::from_millis(100), call(&discord, "POST", &path, &hello))
            .await
            .is_err()
    );
    on(Fault::delay(Duration::from_millis(50)));
    let began = Instant::now();
    assert_eq!(ask(&discord, "POST", &path, hello.clone()).await.0, 200);
    assert!(began.elapsed() >= Duration::from_millis(50));

    discord.down().await;
    assert_eq!(send().await.unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
    discord.up().await;
    assert_eq!(ask(&discord, "POST", &path, hello).await.0, 200);
    assert_eq!(discord.messages("ops").len(), 4);
    discord.assert_clean();
}

#[tokio::test]
async fn a_session_is_resumed_with_what_was_missed() {
    let discord = Discord::start();
    let mut bot = Bot::ready(&discord, 1).await;
    assert_eq!(bot.until("GUILD_CREATE").await["channels"].as_array().unwrap().len(), 2);
    bot.say(json!({"op": 1, "d": bot.seq})).await;
    assert_eq!(bot.hear().await.unwrap()["op"], 11);
    discord.drop_gateway();
    assert_eq!(bot.hear().await, Err(None));
    discord.add_channel("audits", 5);

    discord.refuse_connections(1);
    assert!(Bot::open(&discord).await.is_err());
    let mut back = Bot::open(&discord).await.unwrap();
    back.say(json!({"op": 6, "d": {"token": discord.token, "session_id": bot.session, "seq": bot.seq}}))
        .await;
    assert_eq!(back.until("CHANNEL_CREATE").await["name"], "audits");
    back.until("RESUMED").await;
    assert_eq!((discord.count("identify"), discord.count("resumed"), discord.count("refused")), (1, 1, 1));

    discord.ask_to_reconnect();
    assert_eq!(back.hear().await.unwrap()["op"], 7);
    discord.invalidate(false);
    assert_eq!(back.hear().await.unwrap(), json!({"op": 9, "s": null, "t": null, "d": false}));
    discord.close(4014, "Disallowed intent(s).");
    assert_eq!(back.hear().await, Err(Some(4014)));

    discord.gateway_down().await;
    assert!(Bot::open(&discord).await.unwrap_err().contains("refused"));
    discord.up().await;
    let mut late = Bot::open(&discord).await.unwrap();
    late.say(json!({"op": 6, "d": {"token": discord.token, "session_id": bot.session, "seq": 1}})).await;
    assert_eq!(late.hear().await.unwrap()["op"], 9);
    discord.freeze(true);
    late.say(json!({"op": 1, "d": null})).await;
    assert!(tokio::time::timeout(Duration::from_millis(100), late.hear()).await.is_err());
    discord.assert_clean();
}

#[tokio::test]
async fn people_send_what_a_client_would() {
    let discord = Discord::start();
    register(&discord).await;
    discord.add_channel("voice", 2);
    let refused = async |command: &str, options: &[(&str, &str)]| {
        discord.slash("owner", command, options).await.unwrap_err()
    };
    assert!(refused("/nope", &[]).await.contains("no command"));
    assert!(refused("/nc", &[]).await.contains("needs one of"));
    assert!(refused("/nc open", &[]).await.contains("no subcommand"));
    assert!(refused("/nc close", &[]).await.contains("requires"));
    assert!(refused("/nc close", &[("nc", "1"), ("why", "x")]).await.contains("no option"));
    assert!(refused("/setup", &[("hour", "24")]).await.contains("out of range"));
    assert!(refused("/setup", &[("hour", "x")]).await.contains("not a number"));
    assert!(refused("/setup", &[("channel", "voice")]).await.contains("kind"));
    assert!(refused("/setup", &[("privacy", "half")]).await.contains("not among"));
    assert!(refused("/setup", &[("owner", "nobody")]).await.contains("no such person"));
    let hidden = discord.slash("alice", "/setup", &[]).await.unwrap_err();
    assert!(hidden.contains("hidden"), "{hidden}");

    let mut bot = Bot::ready(&discord, 1).await;
    discord.add_role("managers", 0, false);
    let sent = discord.person("owner").at("ops");
    let sent = sent.options(&[
        ("channel", "general"),
        ("hour", "9"),
        ("manager", "managers"),
        ("owner", "bob"),
        ("loud", "true"),
        ("privacy", "Open"),
    ]);
    sent.attach("report", "r.txt", b"evidence", "text/plain").send("/setup").unwrap();
    let it = bot.until("INTERACTION_CREATE").await;
    let value = |name: &str| {
        it["data"]["options"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap()["value"]
            .clone()
    };
    assert_eq!((value("hour"), value("loud"), value("privacy")), (json!(9), json!(true), json!("open")));
    let of = |kind: &str, name: &str| it["data"]["resolved"][kind][value(name).as_str().unwrap()].clone();
    assert_eq!(of("users", "owner")["username"], "bob");
    assert_eq!(of("roles", "manager")["name"], "managers");
    assert_eq!(of("channels", "channel")["name"], "general");
    let url = of("attachments", "report")["url"].as_str().unwrap().to_owned();
    let got = http(&discord.base, "GET", url.strip_prefix(&discord.base).unwrap(), &[], b"").await.unwrap();
    assert_eq!(got.text, "evidence");
    // serenity understands what the fake sends.
    serde_json::from_value::<serenity::all::CommandInteraction>(it).unwrap();
}

#[tokio::test]
async fn a_conversation_is_told_in_full() {
    let discord = Discord::start();
    register(&discord).await;
    let row =
        json!([{"type": 1, "components": [{"type": 2, "style": 1, "label": "Undo", "custom_id": "undo:1"}]}]);
    Bot::ready(&discord, 1).await.answering(&discord, move |it| {
        let form = json!({"custom_id": "why", "title": "Root cause", "components": [{"type": 1, "components": [
            {"type": 4, "custom_id": "text", "label": "Why?", "style": 2, "min_length": 3}]}]});
        match (it["type"].as_u64(), it["data"]["options"][0]["name"].as_str()) {
            (Some(4), _) => vec![post("CALLBACK", json!({"type": 8, "data": {"choices": [{"name": "NC-4 keys", "value": "NC-4"}]}}))],
            (Some(2), Some("cause")) => vec![post("CALLBACK", json!({"type": 9, "data": form}))],
            (Some(2), _) => vec![
                post("CALLBACK", json!({"type": 5, "data": {"flags": 64}})),
                ("PATCH".into(), "HOOK/messages/@original".into(), json!({"content": "closed", "embeds": [{"title": "NC-4", "fields": [{"name": "State", "value": "closed"}], "footer": {"text": "ref"}}]})),
                post("HOOK", json!({"content": "told everyone"})),
            ],
            (Some(3), _) => vec![post("CALLBACK", json!({"type": 7, "data": {"content": "undone", "components": []}}))],
            _ => vec![post("CALLBACK", json!({"type": 4, "data": {"content": "cause kept", "components": row}}))],
        }
    });

    let hints = discord.person("alice").autocomplete("/nc close", "nc", "ke").await.unwrap();
    assert_eq!(hints.suggestions(), ["NC-4 keys"]);

    let closed = discord.line("alice", "/nc close nc:NC-4 note:all: done now").await.unwrap();
    assert!(closed.acked && closed.deferred && closed.settled && closed.ephemeral, "{closed:#?}");
    discord.wait_message("general", "told everyone", SOON).await;
    assert_eq!(discord.again(&closed).text(), "closed\nNC-4\nState\nclosed\nref\ntold everyone");
    assert_eq!(discord.messages("general").len(), 1, "the ephemeral answer is no message of the channel");

    let form = discord.slash("alice", "/nc cause", &[("nc", "4")]).await.unwrap();
    assert!(
        discord.submit_modal("alice", &form, &[("text", "ab")]).await.unwrap_err().contains("characters")
    );
    assert!(discord.submit_modal("bob", &form, &[("text", "abc")]).await.unwrap_err().contains("another"));
    let kept = discord.submit_modal("alice", &form, &[("Why?", "no key register")]).await.unwrap();
    assert_eq!(kept.text(), "cause kept\nUndo");
    let undone = discord.click("bob", &kept.message.unwrap(), "Undo").await.unwrap();
    assert_eq!(undone.text(), "undone");

    discord.redeliver(&form);
    discord.wait_requests("POST", "/callback", 6, SOON).await;
    assert_eq!(discord.again(&form).refused, 1);
    assert_eq!(discord.refusals()[0].answer["code"], 40060);
    discord.assert_clean();
}

#[tokio::test]
async fn late_callbacks_and_old_tokens_are_refused() {
    let discord = Discord::with(Options { patience: Duration::from_millis(50), ..Options::default() });
    register(&discord).await;
    let mut bot = Bot::ready(&discord, 0).await;
    let unanswered = discord.slash("alice", "/nc cause", &[("nc", "4")]).await.unwrap();
    assert!(!unanswered.acked);
    let it = bot.until("INTERACTION_CREATE").await;
    let path =
        format!("/interactions/{}/{}/callback", it["id"].as_str().unwrap(), it["token"].as_str().unwrap());
    let (status, answer) =
        ask(&discord, "POST", &path, json!({"type": 4, "data": {"content": "late"}})).await;
    assert_eq!((status, &answer["code"]), (404, &json!(10062)));
    discord.world(|state| {
        state.interactions.get_mut(&unanswered.id).unwrap().acked = Some(Instant::now());
        state.options.token_life = Duration::from_millis(1);
    });
    let hook = format!("/webhooks/{APP}/{}/messages/@original", it["token"].as_str().unwrap());
    assert_eq!(ask(&discord, "PATCH", &hook, json!({"content": "x"})).await.1["code"], 50027);
}

#[tokio::test]
async fn files_travel_both_ways() {
    let discord = Discord::start();
    let body = "--XX\r\nContent-Disposition: form-data; name=\"payload_json\"\r\nContent-Type: application/json\r\n\r\n\
        {\"content\":\"report\",\"attachments\":[{\"id\":0,\"description\":\"alt\"}]}\r\n--XX\r\n\
        Content-Disposition: form-data; name=\"files[0]\"; filename=\"a b.csv\"\r\nContent-Type: text/csv\r\n\r\n\
        x;y\r\n1;2\r\n--XX--\r\n";
    let token = format!("Bot {}", discord.token);
    let headers = [
        ("Authorization", token.as_str()),
        ("User-Agent", "DiscordBot (x, 1)"),
        ("Content-Type", "multipart/form-data; boundary=XX"),
    ];
    let path = format!("/api/v10/channels/{}/messages", discord.channel("ops"));
    let got = http(&discord.base, "POST", &path, &headers, body.as_bytes()).await.unwrap();
    assert_eq!(got.status, 200, "{}", got.text);
    let file = &got.json()["attachments"][0];
    assert_eq!((&file["filename"], &file["description"]), (&json!("a_b.csv"), &json!("alt")));
    let url = file["url"].as_str().unwrap().strip_prefix(&discord.base).unwrap().to_owned();
    assert_eq!(http(&discord.base, "GET", &url, &[], b"").await.unwrap().text, "x;y\r\n1;2");
    discord.assert_clean();
}

#[test]
fn the_official_document_is_held_against_requests() {
    // A document of the same make: references, a union, permissions as numbers, ids as text.
    let spec = Spec::new(json!({"paths": {"/channels/{channel_id}/messages": {
        "get": {"parameters": [{"in": "query", "name": "limit", "schema": {"type": "integer", "maximum": 100}}]},
        "post": {"requestBody": {"required": true, "content": {"application/json": {"schema": {"anyOf": [
            {"type": "null"}, {"$ref": "#/components/schemas/Message"}]}}}}}}},
        "components": {"schemas": {"SnowflakeType": {"type": "string"}, "Message": {"type": "object",
            "properties": {"content": {"type": "string", "maxLength": 4}, "to": {"$ref": "#/components/schemas/SnowflakeType"},
                "allow": {"type": "integer"}}, "required": ["content"]}}}}));
    let check = |body: Value| spec.check("POST", "/channels/1/messages", &[], Some(&body), false);
    assert!(check(json!({"content": "x", "to": 5, "allow": "32"})).is_empty());
    let wrong = check(json!({"content": "too long"}));
    assert_eq!(wrong[0].0, ["content"], "{wrong:?}");
    assert!(check(json!({}))[0].1.contains("required"));
    assert_eq!(spec.check("POST", "/channels/1/messages", &[], None, false).len(), 1);
    assert_eq!(spec.check("POST", "/channels/1", &[], None, false)[0].1, "a path that Discord does not have");
    let limit = [("limit".to_owned(), "101".to_owned())];
    assert_eq!(spec.check("GET", "/channels/1/messages", &limit, None, false)[0].0, ["limit"]);
}

#[tokio::test]
async fn the_official_document_itself_is_read_where_there_is_one() {
    let discord = Discord::start();
    if discord.inner.spec.is_none() {
        return;
    }
    let path = format!("/channels/{}/messages", discord.channel("ops"));
    let (status, answer) = ask(&discord, "POST", &path, json!({"content": 5})).await;
    assert_eq!((status, &answer["code"]), (400, &json!(50035)), "{answer}");
    assert!(!answer["errors"]["content"]["_errors"].is_null(), "{answer}");
    let path = format!("/applications/{APP}/commands");
    let (_, answer) =
        ask(&discord, "PUT", &path, json!([{"name": "x", "description": "x", "options": 5}])).await;
    assert!(!answer["errors"]["0"]["options"]["_errors"].is_null(), "{answer}");
    assert_eq!(ask(&discord, "GET", "/channels/1/nothing", Value::Null).await.0, 400);
}

/// Not a test of its own: what [`a_wall_clock_jumps_under_a_running_program`] runs under the shim.
#[test]
#[ignore = "run by another test"]
fn tells_the_time() {
    for line in std::io::stdin().lines() {
        let began = Instant::now();
        println!(
            "\nnow {} {:?} {}",
            line.unwrap(),
            began.elapsed() < Duration::from_secs(1),
            SystemClock.now().timestamp()
        );
    }
}

#[test]
fn a_wall_clock_jumps_under_a_running_program() {
    let Some(clock) = WallClock::at("2027-03-02T08:59:58+01:00") else { return };
    let mut program = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "fake_itself::tells_the_time", "--ignored", "--nocapture"])
        .envs(clock.env())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ask = program.stdin.take().unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let mut told = || {
        writeln!(ask, "?").unwrap();
        let line = lines.find_map(|line| line.ok().filter(|line| line.starts_with("now "))).unwrap();
        line.rsplit(' ').next().unwrap().parse::<i64>().unwrap()
    };
    let at = |text: &str| chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp();
    let near =
        |told: i64, wanted: i64| assert!((wanted..wanted + 9).contains(&told), "{told} is not {wanted}");
    near(told(), at("2027-03-02T08:59:58+01:00"));
    clock.set("2030-01-01T00:00:00Z");
    near(told(), at("2030-01-01T00:00:00Z"));
    clock.jump(TimeDelta::days(-400));
    near(told(), at("2028-11-27T00:00:00Z"));
    clock.rate(0.0);
    assert_eq!(told(), clock.now().timestamp());
    clock.rate(1e6);
    let before = told();
    std::thread::sleep(Duration::from_millis(20));
    assert!(told() - before >= 20_000);
    drop(ask);
    assert!(program.wait().unwrap().success());
}

#[tokio::test]
async fn messages_are_stamped_by_the_wall_clock() {
    let Some(clock) = WallClock::at("2027-03-02T09:00:00+01:00") else { return };
    let discord = Discord::on_clock(&clock);
    let said = discord.say("alice", "ops", "hello");
    assert!(said.json["timestamp"].as_str().unwrap().starts_with("2027-03-02T08:00:0"), "{}", said.json);
    let id = serenity::all::MessageId::new(said.id.parse().unwrap());
    assert_eq!(id.created_at().unix_timestamp() / 60, said.posted.timestamp() / 60);
}

#[tokio::test]
async fn a_process_is_started_and_ended() {
    let discord = Discord::start();
    let mut daemon = Daemon::start(&discord, Setup::default());
    daemon.kill9().await;
    daemon.start_again();
    daemon.terminate();
    daemon.wait_exit(SOON).await;
    assert!(!daemon.runs());
}

#[tokio::test]
async fn the_crates_that_the_daemon_uses_understand_it() {
    use serenity::all::{GuildCreateEvent, Interaction, Message};
    use twilight_gateway::{ConfigBuilder, Intents, Message as Raw, Shard, ShardId};

    drop(rustls::crypto::ring::default_provider().install_default());
    let discord = Discord::with(Options { heartbeat: Duration::from_millis(300), ..Options::default() });
    register(&discord).await;
    let (_, gateway) = ask(&discord, "GET", "/gateway/bot", Value::Null).await;
    let url = gateway["url"].as_str().unwrap().to_owned();
    let mut shard = Shard::with_config(
        ShardId::ONE,
        ConfigBuilder::new(format!("Bot {}", discord.token), Intents::GUILDS).proxy_url(url).build(),
    );
    let (sender, mut events) = tokio::sync::mpsc::unbounded_channel();
    let shard = tokio::spawn(async move {
        while let Some(heard) = shard.next().await {
            if let Ok(Raw::Text(text)) = heard {
                sender.send(serde_json::from_str::<Value>(&text).unwrap()).ok();
            }
        }
        shard.state()
    });
    let mut until = async |event: &str| loop {
        let mut frame = tokio::time::timeout(SOON, events.recv()).await.unwrap().unwrap();
        if frame["t"] == event {
            return frame["d"].take();
        }
    };
    until("READY").await;
    let guild: GuildCreateEvent = serde_json::from_value(until("GUILD_CREATE").await).unwrap();
    assert_eq!(guild.guild.channels.len(), 2);
    discord.wait_events("heartbeat", 2, SOON).await;

    // Every kind of interaction, and every kind of message.
    let http = reqwest::Client::builder().user_agent("DiscordBot (x, 1)").build().unwrap();
    let form = reqwest::multipart::Form::new()
        .text(
            "payload_json",
            json!({"content": "card", "components": [{"type": 1, "components": [
            {"type": 2, "style": 1, "label": "Go", "custom_id": "go"}]}]})
            .to_string(),
        )
        .part("files[0]", reqwest::multipart::Part::bytes(b"x".to_vec()).file_name("x.txt"));
    let path = format!("{}/api/v10/channels/{}/messages", discord.base, discord.channel("general"));
    let auth = format!("Bot {}", discord.token);
    let posted = http.post(path).header("Authorization", auth).multipart(form).send().await.unwrap();
    let posted: Message = serde_json::from_str(&posted.text().await.unwrap()).unwrap();
    assert_eq!(posted.attachments[0].filename, "x.txt");
    let card = discord.messages("general")[0].clone();

    let clicking = discord.click("alice", &card, "Go");
    let asked = async {
        let it = until("INTERACTION_CREATE").await;
        let path = format!(
            "/interactions/{}/{}/callback",
            it["id"].as_str().unwrap(),
            it["token"].as_str().unwrap()
        );
        let form = json!({"type": 9, "data": {"custom_id": "f", "title": "F", "components": [
            {"type": 1, "components": [{"type": 4, "custom_id": "t", "label": "T", "style": 1}]}]}});
        assert_eq!(ask(&discord, "POST", &path, form).await.0, 204);
        it
    };
    let (clicked, it) = tokio::join!(clicking, asked);
    assert!(matches!(serde_json::from_value(it).unwrap(), Interaction::Component(_)));
    let clicked = clicked.unwrap();
    let submitting = discord.submit_modal("alice", &clicked, &[("t", "text")]);
    let asked = async {
        let it = until("INTERACTION_CREATE").await;
        let path = format!(
            "/interactions/{}/{}/callback?with_response=true",
            it["id"].as_str().unwrap(),
            it["token"].as_str().unwrap()
        );
        let (_, answer) = ask(&discord, "POST", &path, json!({"type": 4, "data": {"content": "ok"}})).await;
        serde_json::from_value::<Message>(answer["resource"]["message"].clone()).unwrap();
        it
    };
    let (submitted, it) = tokio::join!(submitting, asked);
    assert!(matches!(serde_json::from_value(it).unwrap(), Interaction::Modal(_)));
    assert_eq!(submitted.unwrap().text(), "ok");
    discord.person("bob").with("nc", "NC-4").send("/nc close").unwrap();
    assert!(matches!(
        serde_json::from_value(until("INTERACTION_CREATE").await).unwrap(),
        Interaction::Command(_)
    ));

    // A lost connection is resumed, and what was missed arrives; a fatal close ends the stream.
    discord.drop_gateway();
    discord.add_channel("late", 0);
    until("CHANNEL_CREATE").await;
    discord.wait_events("resumed", 1, SOON).await;
    discord.gateway_down().await;
    discord.until(SOON, "the end of the connection", |state| (!state.connected()).then_some(())).await;
    discord.up().await;
    discord.wait_events("resumed", 2, SOON).await;
    discord.close(4014, "Disallowed intent(s).");
    assert_eq!(shard.await.unwrap(), twilight_gateway::ShardState::FatallyClosed);
    assert_eq!(discord.count("identify"), 1);
    discord.assert_clean();
}
