//! The adapter with a simpler desk behind it and a small Discord of its own in front of it.

use std::collections::HashMap;

use super::*;
use crate::chat::{Ask, Looked, Outgoing, Post as _, Posted};
use crate::clock::SystemClock;
use crate::command::{Form, Input};
use crate::domain::organisation::{Manners, Organisation};
use crate::say::card::{Card, Line, Tone};
use crate::store::snapshot::Snapshot;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// An application that only plays its part: what it does follows from the command's words.
#[derive(Debug, Clone, Default)]
struct Fake {
    log: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    fn note(&self, words: String) {
        self.log.lock().unwrap().push(words);
    }
}

fn said(words: &str, public: bool) -> Answer {
    Answer::Say { card: Box::new(Card::new(Tone::Good, "Fake").line(Line::new().said(words))), public }
}

impl Desk for Fake {
    fn metrics(&self) -> Metrics {
        Metrics::default()
    }

    async fn prepare(&self, request: Request) -> Result<Prepared, Answer> {
        self.note(format!("prepare {}", request.argv.join(" ")));
        let words: Vec<&str> = request.argv.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["nc", "close", rest @ ..] if !rest.iter().any(|w| w.starts_with("--note")) => {
                Err(Answer::Ask(Form {
                    id: "f1".into(),
                    title: "Close".into(),
                    inputs: vec![Input {
                        name: "note".into(),
                        label: "Note".into(),
                        hint: "why".into(),
                        optional: false,
                    }],
                }))
            }
            ["audit", "list", ..] => {
                tokio::time::sleep(Duration::from_secs(2)).await;
                Ok(Prepared { request, files: vec![], public: true, command: status(), snapshot: blank() })
            }
            ["certificate", "list", ..] => panic!("on purpose"),
            _ => {
                let files = request.heard.files.clone().into_iter().collect();
                Ok(Prepared { request, files, public: true, command: status(), snapshot: blank() })
            }
        }
    }

    async fn resume(
        &self,
        form: &str,
        fields: Vec<(String, String)>,
        request: Request,
    ) -> Result<Prepared, Answer> {
        let mut request = request;
        request.argv = vec!["nc".into(), format!("resumed {form} {fields:?}")];
        Ok(Prepared { request, files: vec![], public: true, command: status(), snapshot: blank() })
    }

    async fn perform(&self, prepared: Prepared, files: Vec<Received>) -> Answer {
        let line = prepared.request.argv.join(" ");
        self.note(format!("perform {line}"));
        if line.starts_with("cycle show") {
            tokio::time::sleep(Duration::from_secs(4)).await;
        }
        if let Some(failed) = files.iter().find_map(|f| f.bytes.as_ref().err()) {
            return said(failed, false);
        }
        let sizes: Vec<usize> = files.iter().map(|f| f.bytes.as_ref().map_or(0, Vec::len)).collect();
        let missing: Vec<_> =
            prepared.request.heard.channels.values().map(|c| (&c.name, &c.missing)).collect();
        said(&format!("{line} {sizes:?} {missing:?}"), !line.starts_with("help"))
    }

    async fn complete(&self, request: &Request, focused: &str, typed: &str) -> Vec<Choice> {
        (0..40)
            .map(|i| Choice {
                label: format!("{typed}{i} {} {focused}", "x".repeat(200)),
                value: format!("{}{i}", request.argv.len()),
            })
            .collect()
    }

    async fn joined(&self, place: &str, name: Option<&str>, _at: DateTime<Utc>) {
        self.note(format!("joined {place} {name:?}"));
    }

    async fn left(&self, place: &str, _at: DateTime<Utc>) {
        self.note(format!("left {place}"));
    }

    fn permissions_changed(&self) {}
}

#[derive(Debug, Default)]
struct Memory(Mutex<HashMap<String, String>>);

impl Remembered for Memory {
    async fn get(&self, scope: &str) -> Option<String> {
        self.0.lock().unwrap().get(scope).cloned()
    }

    async fn set(&self, scope: &str, hash: &str) {
        self.0.lock().unwrap().insert(scope.to_owned(), hash.to_owned());
    }
}

fn outgoing(channel: &str, nonce: &str) -> Outgoing {
    Outgoing {
        channel: channel.into(),
        nonce: nonce.into(),
        reference: "k7-2q".into(),
        ask: vec![Ask::Person("200".into()), Ask::Role("5".into()), Ask::Person("nobody".into())],
        card: Card::new(Tone::Warning, "Due").line("soon"),
        divisible: false,
    }
}

/// One answer of the small Discord: status, headers, body. Status 0 hangs, 1 breaks the connection off.
type Say = (u16, Vec<(&'static str, String)>, String);

#[derive(Debug, Default)]
struct Script {
    answers: Mutex<HashMap<String, Vec<Say>>>,
    log: Mutex<Vec<(String, Value, bool)>>,
}

impl Script {
    /// The answers to requests such as `POST /channels/1/messages`, in order; the last one stays.
    fn on(&self, request: &str, answers: Vec<Say>) {
        self.answers.lock().unwrap().insert(request.to_owned(), answers);
    }

    fn seen(&self, request: &str) -> Vec<Value> {
        let log = self.log.lock().unwrap();
        log.iter().filter(|(r, ..)| r.starts_with(request)).map(|(_, body, _)| body.clone()).collect()
    }
}

fn ok(body: Value) -> Say {
    (200, vec![], body.to_string())
}

fn no(status: u16, code: u64) -> Say {
    (status, vec![], json!({"code": code, "message": "no"}).to_string())
}

async fn answer(
    State(script): State<Arc<Script>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Response {
    let path = uri.path_and_query().unwrap().as_str().trim_start_matches("/api/v10");
    let request = format!("{method} {path}");
    let body = serde_json::from_str(&body).unwrap_or(Value::Null);
    script.log.lock().unwrap().push((request.clone(), body, headers.contains_key("authorization")));
    let said = {
        let mut answers = script.answers.lock().unwrap();
        match answers.get_mut(&request) {
            Some(list) if list.len() > 1 => list.remove(0),
            Some(list) => list[0].clone(),
            None => no(404, 0),
        }
    };
    if said.0 == 0 {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    if said.0 == 1 {
        let broken = futures_util::stream::iter([Ok("{"), Err(std::io::Error::other("gone"))]);
        return axum::body::Body::from_stream(broken).into_response();
    }
    let mut response = (StatusCode::from_u16(said.0).unwrap(), said.2).into_response();
    for (name, value) in said.1 {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

async fn small_discord() -> (Arc<Script>, Shared) {
    let script = Arc::new(Script::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let router = axum::Router::new().fallback(answer).with_state(Arc::clone(&script));
    tokio::spawn(async move { axum::serve(listener, router).await });
    script.on("GET /users/@me", vec![ok(json!({"id": "7"}))]);
    (script, Shared::new(Rest::new(&origin, "secret-token".into()).unwrap()))
}

const CREATE: &str = "POST /channels/1/messages";
const MESSAGES: &str = "GET /channels/1/messages?limit=100";

fn created() -> Say {
    ok(json!({"id": "99", "embeds": [{}], "content": ""}))
}

fn may_all_but(script: &Script, lacking: &[u32]) {
    let held = [10_u32, 11, 14, 15, 16]
        .iter()
        .filter(|bit| !lacking.contains(bit))
        .fold(0_u64, |all, bit| all | 1 << bit);
    script.on(
        "GET /channels/1",
        vec![ok(json!({"id": "1", "guild_id": "2", "name": "ops", "permission_overwrites": []}))],
    );
    script.on("GET /guilds/2/roles", vec![ok(json!([{"id": "2", "permissions": held.to_string()}]))]);
    script.on("GET /guilds/2/members/7", vec![ok(json!({"roles": []}))]);
}

mod sending {
    use super::super::rest::Call;
    use super::*;

    #[tokio::test]
    async fn a_bucket_learnt_from_an_answer_is_kept_to() {
        let (script, shared) = small_discord().await;
        let headers = |remaining: u32| {
            vec![
                ("x-ratelimit-bucket", "b".to_owned()),
                ("x-ratelimit-limit", "2".to_owned()),
                ("x-ratelimit-remaining", remaining.to_string()),
                ("x-ratelimit-reset-after", "0.4".to_owned()),
            ]
        };
        script.on("GET /channels/1", vec![(200, headers(1), "{}".into()), (200, headers(0), "{}".into())]);
        script.on("GET /channels/9", vec![(200, headers(1), "{}".into())]);
        let began = Instant::now();
        for _ in 0..2 {
            shared.rest.send(Call::get("/channels/1")).await.unwrap();
        }
        // Another channel has a bucket of its own.
        shared.rest.send(Call::get("/channels/9")).await.unwrap();
        assert!(began.elapsed() < Duration::from_millis(300));
        let hasty = Call::get("/channels/1").patience(Duration::ZERO);
        assert!(matches!(shared.rest.send(hasty).await, Err(Fault::RateLimited { .. })));
        assert_eq!(script.seen("GET /channels/1").len(), 2, "nothing was sent");
        shared.rest.send(Call::get("/channels/1")).await.unwrap();
        assert!(began.elapsed() >= Duration::from_millis(350), "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn a_429_stops_its_route_and_a_global_one_all() {
        let (script, shared) = small_discord().await;
        let limited = |global: bool| -> Say {
            (429, vec![], json!({"message": "slow", "retry_after": 0.3, "global": global}).to_string())
        };
        let fine = || ok(json!({}));
        script.on("GET /channels/1", vec![limited(false), fine()]);
        script.on("GET /guilds/1", vec![fine(), limited(true), fine()]);
        let hasty = |path: &str| Call::get(path).patience(Duration::ZERO);
        let limited = |got: Result<Vec<u8>, Fault>| matches!(got, Err(Fault::RateLimited { after }) if after <= Duration::from_millis(300));
        assert!(limited(shared.rest.send(hasty("/channels/1")).await));
        assert!(limited(shared.rest.send(hasty("/channels/1")).await));
        shared.rest.send(hasty("/guilds/1")).await.unwrap();
        assert!(limited(shared.rest.send(hasty("/guilds/1")).await));
        assert!(limited(shared.rest.send(hasty("/users/@me")).await));
        assert_eq!(script.log.lock().unwrap().len(), 3);
        // Answers to interactions are not under the global limit, and carry no token of ours.
        script.on("POST /interactions/5/t/callback", vec![(204, vec![], String::new())]);
        shared.rest.send(Call::callback("5", "t")).await.unwrap();
        assert!(!script.log.lock().unwrap().last().unwrap().2);
        shared.rest.send(Call::get("/channels/1")).await.unwrap();
        assert_eq!(shared.rest.invalid_requests(), 2);
    }

    #[tokio::test]
    async fn a_refused_token_is_not_sent_again() {
        let (script, shared) = small_discord().await;
        script.on("GET /channels/1", vec![no(401, 0)]);
        // An interaction's expired token is not the bot's.
        script.on("POST /webhooks/7/t", vec![no(401, 50_027)]);
        let expired = shared.rest.send(Call::follow_up("7", "t")).await;
        assert!(matches!(expired, Err(Fault::Refused { status: 401, .. })), "{expired:?}");
        assert_eq!(shared.rest.send(Call::get("/channels/1")).await, Err(Fault::Unauthorised));
        assert_eq!(shared.rest.send(Call::get("/users/@me")).await, Err(Fault::Unauthorised));
        assert_eq!(script.log.lock().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn invalid_requests_are_braked_long_before_discord_bans() {
        let (script, shared) = small_discord().await;
        script.on("GET /channels/1", vec![no(403, 50_001)]);
        let mut sent = 0;
        for _ in 0..700 {
            match shared.rest.send(Call::get("/channels/1").patience(Duration::from_millis(100))).await {
                Err(Fault::Refused { .. }) => sent += 1,
                Err(Fault::RateLimited { after }) => {
                    assert!(after > Duration::from_secs(500));
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(sent, 600);
    }

    #[tokio::test]
    async fn what_is_certain_is_told_from_what_is_not() {
        let (script, shared) = small_discord().await;
        let send = |deadline: u64| {
            let call =
                Call::post("/channels/1/messages").json(&json!({})).deadline(Duration::from_millis(deadline));
            shared.rest.json::<Value>(call)
        };
        for (answer, words) in [
            ((500, vec![], String::new()), "HTTP 500"),
            ((502, vec![], "<html>".to_owned()), "HTTP 502"),
            ((302, vec![("location", "http://127.0.0.1:1/".to_owned())], String::new()), "HTTP 302"),
            ((200, vec![], "{\"id\":".to_owned()), "malformed"),
            ((1, vec![], String::new()), "connection closed"),
            ((0, vec![], String::new()), "no answer within"),
        ] {
            script.on(CREATE, vec![answer]);
            match send(200).await {
                Err(Fault::Unknown { why }) => assert!(why.contains(words), "{why}"),
                other => panic!("{words}: {other:?}"),
            }
        }
        let nobody = Shared::new(Rest::new("http://127.0.0.1:1", "t".into()).unwrap());
        let unsent = nobody.rest.send(Call::get("/users/@me")).await;
        assert!(matches!(unsent, Err(Fault::Unreachable { .. })), "{unsent:?}");
        assert!(Rest::new("https://discord.com/api", "t".into()).is_err());
        assert!(Rest::new("discord.com", "t".into()).is_err());
    }

    #[tokio::test]
    async fn files_come_from_discord_only() {
        let (script, shared) = small_discord().await;
        script.on("GET /f", vec![(200, vec![], "x".repeat(1_000))]);
        script.on(
            "GET /r",
            vec![(302, vec![("location", "https://cdn.discordapp.com/x".into())], String::new())],
        );
        let origin = shared.rest.origin();
        let get = |from: String, limit: u64| {
            let rest = &shared.rest;
            async move { rest.fetch(&from, limit).await }
        };
        assert_eq!(get(format!("{origin}/f"), 1_000).await.unwrap().len(), 1_000);
        assert_eq!(get(format!("{origin}/f"), 999).await, Err(FetchFault::TooLarge));
        assert!(matches!(get(format!("{origin}/r"), 999).await, Err(FetchFault::Failed(_))));
        assert!(script.log.lock().unwrap().iter().all(|(_, _, signed)| !signed), "the token stays here");
        for from in [
            "http://cdn.discordapp.com/x",
            "https://cdn.discordapp.com.evil.example/x",
            "https://cdn.discordapp.com:444/x",
            "https://user@cdn.discordapp.com/x",
            "http://169.254.169.254/latest",
            "file:///etc/passwd",
            "nonsense",
        ] {
            assert_eq!(get(from.to_owned(), 9).await, Err(FetchFault::NotAllowed), "{from}");
        }
        for from in ["https://cdn.discordapp.com/x", "https://media.discordapp.net/y?z=1"] {
            assert!(shared.rest.may_fetch(&reqwest::Url::parse(from).unwrap()));
        }
    }
}

mod posting {
    use super::*;

    #[tokio::test]
    async fn a_message_pings_whom_it_asks_and_carries_its_marks() {
        let (script, shared) = small_discord().await;
        script.on(CREATE, vec![created()]);
        let post = DiscordPost(Arc::new(shared));
        assert_eq!(post.post(&outgoing("1", "abc")).await, Posted::Sent { message: "99".into() });
        let sent = &script.seen(CREATE)[0];
        assert_eq!((&sent["nonce"], &sent["enforce_nonce"]), (&json!("abc"), &json!(true)));
        assert_eq!(sent["content"], "<@200> <@&5>");
        assert_eq!(sent["allowed_mentions"], json!({"parse": [], "users": ["200"], "roles": ["5"]}));
        assert_eq!(sent["embeds"][0]["footer"]["text"], "k7-2q");
    }

    #[tokio::test]
    async fn every_answer_means_one_thing() {
        let (script, shared) = small_discord().await;
        let post = DiscordPost(Arc::new(shared));
        may_all_but(&script, &[]);
        let kind = |posted: &Posted| match posted {
            Posted::Sent { .. } => "sent",
            Posted::NotSent { .. } => "not sent",
            Posted::Unknown { .. } => "unknown",
            Posted::Refused { .. } => "refused",
            Posted::Stop { .. } => "stop",
        };
        let slow: Say = (429, vec![], json!({"retry_after": 0.06, "global": false}).to_string());
        for (answer, expected) in [
            (slow, "not sent"),
            (no(403, 50_001), "refused"),
            (no(403, 50_013), "refused"),
            (no(404, 10_003), "refused"),
            (no(400, 50_035), "refused"),
            (no(400, 20_028), "not sent"),
            ((403, vec![], "<html>blocked</html>".into()), "not sent"),
            (no(500, 0), "unknown"),
            (no(503, 130_000), "unknown"),
            ((200, vec![], "<html>".into()), "unknown"),
            ((1, vec![], String::new()), "unknown"),
            (no(401, 0), "stop"),
        ] {
            script.on(CREATE, vec![answer.clone()]);
            let posted = post.post(&outgoing("1", "abc")).await;
            assert_eq!(kind(&posted), expected, "{answer:?}: {posted:?}");
        }
        assert_eq!(kind(&post.post(&outgoing("../1", "abc")).await), "refused");
        let gone = DiscordPost(Arc::new(Shared::new(Rest::new("http://127.0.0.1:1", "t".into()).unwrap())));
        assert_eq!(kind(&gone.post(&outgoing("1", "abc")).await), "not sent");
    }

    #[tokio::test]
    async fn without_embed_links_it_is_said_in_plain_text() {
        // Refused for its embeds: said in text at once, and from then on.
        let (script, shared) = small_discord().await;
        may_all_but(&script, &[14]);
        script.on(CREATE, vec![no(403, 50_013), ok(json!({"id": "98"})), ok(json!({"id": "97"}))]);
        let post = DiscordPost(Arc::new(shared));
        assert_eq!(post.post(&outgoing("1", "abc")).await, Posted::Sent { message: "98".into() });
        assert_eq!(post.post(&outgoing("1", "abd")).await, Posted::Sent { message: "97".into() });
        let sent = script.seen(CREATE);
        assert_eq!(sent.len(), 3);
        assert_eq!(
            (&sent[1]["nonce"], &sent[1]["embeds"], &sent[1]["flags"]),
            (&json!("abc"), &json!([]), &json!(4))
        );
        assert_eq!(sent[2]["content"], "<@200> <@&5>\n**Due**\nsoon\n-# k7-2q");
        // Silently dropped: the message is filled in.
        let (script, shared) = small_discord().await;
        script.on(CREATE, vec![ok(json!({"id": "99", "embeds": [], "content": "<@200>"}))]);
        script.on("PATCH /channels/1/messages/99", vec![ok(json!({}))]);
        let post = DiscordPost(Arc::new(shared));
        assert_eq!(post.post(&outgoing("1", "abc")).await, Posted::Sent { message: "99".into() });
        let edits = script.seen("PATCH");
        assert!(edits[0]["content"].as_str().unwrap().contains("soon"));
    }

    #[tokio::test]
    async fn a_missing_permission_is_named() {
        let (script, shared) = small_discord().await;
        may_all_but(&script, &[11]);
        script.on(CREATE, vec![no(403, 50_013)]);
        let post = DiscordPost(Arc::new(shared));
        let Posted::Refused { why } = post.post(&outgoing("1", "abc")).await else { panic!() };
        assert!(why.contains("Send Messages"), "{why}");
        assert_eq!(script.seen(CREATE).len(), 1, "one invalid request, not two");
    }

    #[tokio::test]
    async fn a_look_finds_only_our_own_and_knows_when_it_cannot_see() {
        let (script, shared) = small_discord().await;
        let post = DiscordPost(Arc::new(shared));
        let since = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let id = |secs: i64| (u64::try_from((secs * 1_000) - 1_420_070_400_000).unwrap() << 22).to_string();
        let message = |at: i64, author: &str, footer: &str| json!({"id": id(at), "author": {"id": author}, "content": "", "embeds": [{"footer": {"text": footer}}]});
        let look = || post.look("1", "k7-2q", since);
        script.on(
            MESSAGES,
            vec![ok(json!([message(1_800_000_009, "8", "k7-2q"), message(1_800_000_005, "7", "x · k7-2q")]))],
        );
        assert_eq!(look().await, Looked::Found { message: id(1_800_000_005) });
        script.on(MESSAGES, vec![ok(json!([message(1_800_000_009, "8", "k7-2q")]))]);
        assert_eq!(look().await, Looked::Absent);
        // In plain text the mark is escaped.
        script.on(MESSAGES, vec![ok(json!([{"id": "5", "author": {"id": "7"}, "content": "-# k7\\-2q"}]))]);
        assert_eq!(look().await, Looked::Found { message: "5".into() });
        // A second page, up to what is too old to matter.
        let page: Vec<Value> = (0..100).map(|i| message(1_800_000_300 - i, "8", "")).collect();
        let old: Vec<Value> = (0..100).map(|i| message(1_799_990_000 - i, "8", "")).collect();
        script.on(MESSAGES, vec![ok(json!(page))]);
        let second = format!("{MESSAGES}&before={}", id(1_800_000_201));
        script.on(&second, vec![ok(json!(old))]);
        assert_eq!(look().await, Looked::Absent);
        assert_eq!(script.seen(&second).len(), 1);
        // An empty history is either empty or not shown.
        script.on(MESSAGES, vec![ok(json!([]))]);
        may_all_but(&script, &[16]);
        assert!(matches!(look().await, Looked::CannotTell { passing: false, .. }));
        may_all_but(&script, &[]);
        assert_eq!(look().await, Looked::Absent);
        script.on(MESSAGES, vec![no(403, 50_001)]);
        assert!(matches!(look().await, Looked::CannotTell { passing: false, .. }));
        script.on(MESSAGES, vec![no(500, 0)]);
        assert!(matches!(look().await, Looked::CannotTell { passing: true, .. }));
    }
}

mod registering {
    use super::*;

    #[tokio::test]
    async fn commands_are_put_once_in_one_scope_and_heal() {
        let (script, shared) = small_discord().await;
        let standards = [("iso-9001".to_owned(), "ISO 9001".to_owned())];
        let made = commands(&crate::command::grammar::tree(), &standards);
        let names: BTreeSet<String> =
            crate::command::grammar::tree().get_subcommands().map(|c| c.get_name().to_owned()).collect();
        let memory = Memory::default();
        let (global, guild) = ("/applications/7/commands", "/applications/7/guilds/2/commands");
        let all: Vec<Value> = names.iter().map(|name| json!({"name": name})).collect();
        script.on(&format!("GET {global}"), vec![ok(json!([{"name": "old"}]))]);
        script.on(&format!("PUT {global}"), vec![ok(json!([]))]);
        script.on(&format!("GET {guild}"), vec![ok(json!(all))]);
        script.on(&format!("PUT {guild}"), vec![ok(json!([]))]);
        let go = || register::register(&shared.rest, "7", Some("2"), &made, &names, &memory);
        go().await.unwrap();
        assert_eq!(script.seen(&format!("PUT {global}")), [json!([])]);
        assert_eq!(script.seen(&format!("PUT {guild}")).len(), 1);
        go().await.unwrap();
        go().await.unwrap();
        assert_eq!(script.seen("PUT").len(), 2, "a restart with nothing changed puts nothing");
        assert_eq!(script.seen(&format!("GET {global}")).len(), 1);
        // Someone cleared it.
        script.on(&format!("GET {guild}"), vec![ok(json!([]))]);
        go().await.unwrap();
        assert_eq!(script.seen(&format!("PUT {guild}")).len(), 2);
        // A server where nothing is left over is asked once.
        script.on("GET /applications/7/guilds/3/commands", vec![ok(json!([]))]);
        for _ in 0..2 {
            register::clear(&shared.rest, "7", Some("3"), &memory).await.unwrap();
        }
        assert_eq!(script.seen("GET /applications/7/guilds/3").len(), 1);
        assert_eq!(script.seen("PUT").len(), 3);
    }
}

mod answering {
    use super::*;

    async fn handler() -> (Arc<Script>, Handler<Fake>) {
        let (script, shared) = small_discord().await;
        for id in 900..904 {
            script.on(&format!("POST /interactions/{id}/tok/callback"), vec![(204, vec![], String::new())]);
        }
        for method in ["PATCH", "DELETE"] {
            script.on(&format!("{method} /webhooks/7/tok/messages/@original"), vec![ok(json!({}))]);
        }
        script.on("POST /webhooks/7/tok", vec![ok(json!({}))]);
        let handler = Handler {
            shared: Arc::new(shared),
            desk: Fake::default(),
            clock: Arc::new(SystemClock),
            max_attachment_bytes: 1_000,
            names: Mutex::default(),
            seen: Mutex::default(),
        };
        (script, handler)
    }

    fn slash(id: u64, data: Value) -> String {
        json!({"id": id.to_string(), "application_id": "7", "token": "tok", "type": 2, "data": data, "guild_id": "2",
            "channel_id": "1", "app_permissions": "117760",
            "member": {"roles": [], "permissions": "0", "user": {"id": "200", "username": "ann"}}})
        .to_string()
    }

    #[tokio::test]
    async fn an_interaction_delivered_twice_is_handled_once() {
        let (script, handler) = handler().await;
        for _ in 0..2 {
            handler.handle(slash(900, json!({"name": "status"})), false, Instant::now()).await;
        }
        assert_eq!(script.seen("POST").len(), 1);
        assert_eq!(*handler.desk.log.lock().unwrap(), ["prepare status", "perform status"]);
    }

    #[tokio::test]
    async fn a_refusal_after_a_public_deferral_is_for_the_asker_only() {
        let (script, handler) = handler().await;
        let data = json!({"name": "nc", "options": [{"type": 11, "name": "file", "value": "55"}],
            "resolved": {"attachments": {"55": {"filename": "a", "size": 1, "url": "http://127.0.0.2/a"}}}});
        handler.handle(slash(900, data), false, Instant::now()).await;
        let log = script.log.lock().unwrap().clone();
        let order: Vec<&str> = log.iter().map(|(request, ..)| request.as_str()).collect();
        assert_eq!(
            order,
            [
                "POST /interactions/900/tok/callback",
                "DELETE /webhooks/7/tok/messages/@original",
                "POST /webhooks/7/tok",
            ]
        );
        assert_eq!(log[0].1["type"], 5);
        assert_eq!(log[2].1["flags"], 64);
        assert!(log[2].1["embeds"][0]["description"].as_str().unwrap().contains("attach the file itself"));
    }

    #[tokio::test]
    async fn an_acknowledgement_is_tried_again_while_there_is_time() {
        let (script, handler) = handler().await;
        let callback = "POST /interactions/900/tok/callback";
        script.on(callback, vec![no(500, 0), no(400, 40_060)]);
        handler.handle(slash(900, json!({"name": "status"})), false, Instant::now()).await;
        assert_eq!(script.seen(callback).len(), 2);
        // Too late is too late, and no reason to go on asking.
        let callback = "POST /interactions/901/tok/callback";
        script.on(callback, vec![no(404, 10_062)]);
        handler.handle(slash(901, json!({"name": "status"})), false, Instant::now()).await;
        assert_eq!(script.seen(callback).len(), 1);
    }

    #[tokio::test]
    async fn a_panic_is_survived_and_said() {
        let (script, handler) = handler().await;
        let data = json!({"name": "certificate", "options": [{"type": 1, "name": "list"}]});
        handler.handle(slash(900, data), false, Instant::now()).await;
        let said = &script.seen("POST /interactions/900")[0];
        assert_eq!((&said["data"]["flags"], &said["type"]), (&json!(64), &json!(4)));
        handler.handle("garbage".to_owned(), false, Instant::now()).await;
        handler.handle(slash(901, json!({"name": "status"})), false, Instant::now()).await;
        assert_eq!(script.seen("POST /interactions/901").len(), 1);
    }

    #[tokio::test]
    async fn no_embeds_where_they_are_not_permitted() {
        let (script, handler) = handler().await;
        let raw = slash(900, json!({"name": "status"})).replace("117760", "3072");
        handler.handle(raw, false, Instant::now()).await;
        let said = &script.seen("POST /interactions/900")[0]["data"];
        assert!(said["content"].as_str().unwrap().starts_with("**Fake**"));
        assert!(said.get("embeds").is_none());
    }

    #[tokio::test]
    async fn outside_a_server_it_is_politely_declined() {
        let (script, handler) = handler().await;
        let raw = slash(900, json!({"name": "status"})).replace("\"guild_id\":\"2\",", "");
        handler.handle(raw, false, Instant::now()).await;
        let said = &script.seen("POST /interactions/900")[0]["data"];
        assert_eq!((&said["embeds"][0]["title"], &said["flags"]), (&json!("Only in a server"), &json!(64)));
        assert!(handler.desk.log.lock().unwrap().is_empty());
    }
}

/// Any command: the desk looks at the words only.
fn blank() -> Arc<Snapshot> {
    Arc::new(Snapshot::blank(Organisation {
        id: 0,
        place: "discord:100".to_owned(),
        name: String::new(),
        zone: chrono_tz::UTC,
        hour: 9,
        channel: None,
        manager_role: None,
        auditor_role: None,
        minimal: false,
        manners: Manners::default(),
    }))
}

fn status() -> crate::command::Command {
    crate::command::Command::Status(crate::command::grammar::Status {})
}
