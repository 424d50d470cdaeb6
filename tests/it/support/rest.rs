//! The REST side: HTTP/1.1 of our own (so that a connection can be reset or left hanging at any point), and the
//! routes.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use super::discord::Inner;
use super::faults::Kind;
use super::limits;
use super::world::{
    APP, EPHEMERAL, Interaction, LOADING, Request, State, flatten, is_empty, merge, perm, plain,
};

/// An uploaded file.
#[derive(Debug, Clone)]
pub(crate) struct File {
    /// The form's field: `files[0]`.
    pub(crate) field: String,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) bytes: Vec<u8>,
}

/// A request as it came.
struct Incoming {
    method: String,
    path: String,
    query: Vec<(String, String)>,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

/// The headers that tell a route's limit, and the wait in seconds where it is used up.
type Bucket = (Vec<(&'static str, String)>, Option<f64>);

/// What goes back.
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    kind: String,
    /// What the body says, for the record.
    shown: Value,
}

impl Answer {
    fn json(status: u16, shown: Value) -> Self {
        let body = if status == 204 { Vec::new() } else { shown.to_string().into_bytes() };
        Self { status, headers: Vec::new(), body, kind: "application/json".into(), shown }
    }
}

/// What becomes of a connection.
enum Outcome {
    Answer(Answer),
    Hang,
    Reset,
}

/// A refusal by Discord's rules.
pub(crate) struct Refusal {
    status: u16,
    code: u64,
    message: String,
    errors: Value,
}

type Done = Result<(u16, Value), Refusal>;

fn refuse<T>(status: u16, code: u64, message: &str) -> Result<T, Refusal> {
    Err(Refusal { status, code, message: message.to_owned(), errors: Value::Null })
}

/// 50035, with what is wrong where.
fn invalid<T>(faults: &[(Vec<String>, String)]) -> Result<T, Refusal> {
    let mut errors = json!({});
    for (path, why) in faults {
        let mut at = &mut errors;
        for part in path {
            at = &mut at[part];
        }
        let said = json!({"code": "FAKE", "message": why});
        if let Some(list) = at["_errors"].as_array_mut() {
            list.push(said);
        } else {
            at["_errors"] = json!([said]);
        }
    }
    Err(Refusal { status: 400, code: 50035, message: "Invalid Form Body".into(), errors })
}

/// Serves one connection until it ends.
pub(crate) async fn serve(inner: Arc<Inner>, stream: TcpStream) {
    let mut stream = BufReader::new(stream);
    while let Ok(Some(request)) = read(&mut stream).await {
        match handle(&inner, request).await {
            Outcome::Answer(answer) => {
                if reply(&mut stream, &answer).await.is_err() {
                    return;
                }
            }
            Outcome::Hang => {
                // Until the other side gives up.
                stream.read_u8().await.ok();
                return;
            }
            Outcome::Reset => {
                stream.get_ref().set_zero_linger().ok();
                return;
            }
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Incoming>> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect();
    let path = path.to_owned();
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    let mut body = Vec::new();
    if headers.get("transfer-encoding").is_some_and(|how| how == "chunked") {
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await?;
            let size = usize::from_str_radix(line.trim(), 16).unwrap_or(0);
            let mut chunk = vec![0; size + 2];
            stream.read_exact(&mut chunk).await?;
            if size == 0 {
                break;
            }
            body.extend_from_slice(&chunk[..size]);
        }
    } else if let Some(size) = headers.get("content-length").and_then(|size| size.parse().ok()) {
        body = vec![0; size];
        stream.read_exact(&mut body).await?;
    }
    Ok(Some(Incoming { method, path, query, headers, body }))
}

async fn reply(stream: &mut BufReader<TcpStream>, answer: &Answer) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {} Fake\r\n", answer.status);
    for (name, value) in &answer.headers {
        write!(head, "{name}: {value}\r\n").ok();
    }
    if answer.status != 204 {
        write!(head, "Content-Type: {}\r\nContent-Length: {}\r\n", answer.kind, answer.body.len()).ok();
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(&answer.body);
    stream.write_all(&bytes).await?;
    stream.flush().await
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let hex = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16)).unwrap_or(0) as u8;
        bytes.push(match byte {
            b'%' => hex(rest.next()) * 16 + hex(rest.next()),
            b'+' => b' ',
            byte => byte,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The parts of a form: its fields, and its files.
fn parts(kind: &str, body: &[u8]) -> Option<(HashMap<String, String>, Vec<File>)> {
    let boundary = format!("--{}", kind.split("boundary=").nth(1)?.trim_matches('"'));
    let find = |from: usize, what: &[u8]| {
        body[from..].windows(what.len()).position(|window| window == what).map(|at| from + at)
    };
    let (mut fields, mut files) = (HashMap::new(), Vec::new());
    let mut at = find(0, boundary.as_bytes())? + boundary.len();
    while !body[at..].starts_with(b"--") {
        let head_end = find(at, b"\r\n\r\n")?;
        let end = find(head_end, format!("\r\n{boundary}").as_bytes())?;
        let head = String::from_utf8_lossy(&body[at..head_end]).into_owned();
        let bytes = body[(head_end + 4).min(end)..end].to_vec();
        let quoted = |name: &str| {
            let from = head.find(&format!(" {name}=\""))? + name.len() + 3;
            head[from..].split('"').next().map(ToOwned::to_owned)
        };
        let field = quoted("name")?;
        if let Some(name) = quoted("filename") {
            let kind = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase().strip_prefix("content-type:").map(|kind| kind.trim().to_owned())
                })
                .unwrap_or_else(|| "application/octet-stream".into());
            files.push(File { field, name, kind, bytes });
        } else {
            fields.insert(field, String::from_utf8_lossy(&bytes).into_owned());
        }
        at = end + 2 + boundary.len();
    }
    Some((fields, files))
}

async fn handle(inner: &Arc<Inner>, request: Incoming) -> Outcome {
    let arrived = Instant::now();
    let Incoming { method, path: whole, query, headers, body: bytes } = request;
    let path = whole.strip_prefix("/api/v10").unwrap_or(&whole).to_owned();
    let kind = headers.get("content-type").cloned().unwrap_or_default();
    let form = kind.starts_with("multipart/form-data");
    let mut files = Vec::new();
    let mut malformed = false;
    let mut body = None;
    if form {
        if let Some((fields, uploaded)) = parts(&kind, &bytes) {
            files = uploaded;
            match fields.get("payload_json").map(|text| serde_json::from_str(text)) {
                Some(Ok(parsed)) => body = Some(parsed),
                Some(Err(_)) => malformed = true,
                None => body = Some(json!({})),
            }
        } else {
            malformed = true;
        }
    } else if !bytes.is_empty() {
        match serde_json::from_slice(&bytes) {
            Ok(parsed) => body = Some(parsed),
            Err(_) => malformed = true,
        }
    }
    let fault = {
        let mut state = inner.lock();
        state.faults.iter_mut().find_map(|fault| fault.meets(&method, &path).then(|| fault.kind.clone()))
    };
    if let Some(Kind::Delay(by)) = &fault {
        tokio::time::sleep(*by).await;
    }
    let acts = !matches!(
        fault,
        Some(Kind::Status(..) | Kind::Raw(..) | Kind::RateLimited { .. } | Kind::Hang | Kind::ResetBefore)
    );
    let label = fault.as_ref().map(|fault| format!("{fault:?}"));
    inner.change(|state| {
        let mut answer = Answer::json(200, Value::Null);
        if acts {
            let mut call = Call {
                method: &method,
                path: &path,
                query: &query,
                body: body.clone().unwrap_or_else(|| json!({})),
                files: &files,
                arrived,
            };
            let faults = call.check(state, inner, &headers, body.as_ref(), form, malformed, &whole);
            let limited = faults.is_ok().then(|| state.take_from_bucket(&method, &path)).flatten();
            answer = match (faults, limited) {
                (Err(refusal), _) => refused(&refusal),
                (Ok(()), Some((headers, over))) => {
                    let mut answer = if let Some(after) = over {
                        let body = json!({"message": "You are being rate limited.", "retry_after": after, "global": false});
                        Answer::json(429, body)
                    } else {
                        call.act(state)
                    };
                    answer.headers.extend(headers);
                    answer
                }
                (Ok(()), None) => call.act(state),
            };
        }
        let mut outcome = Outcome::Reset;
        match fault {
            None | Some(Kind::Delay(_)) => outcome = Outcome::Answer(answer),
            Some(Kind::Hang | Kind::HangAfter) => outcome = Outcome::Hang,
            Some(Kind::ResetBefore | Kind::ResetAfter) => {}
            Some(Kind::Status(status, given)) => {
                let said = given.unwrap_or_else(|| json!({"message": format!("{status}: fault"), "code": 0}));
                outcome = Outcome::Answer(Answer::json(status, said));
            }
            Some(Kind::StatusAfter(status)) => {
                outcome = Outcome::Answer(Answer::json(status, json!({"message": "fault", "code": 0})));
            }
            Some(Kind::Raw(status, text)) => outcome = Outcome::Answer(raw(status, &text)),
            Some(Kind::RawAfter(text)) => outcome = Outcome::Answer(raw(200, &text)),
            Some(Kind::RateLimited { after, global, bare }) => {
                let said = json!({"message": "You are being rate limited.", "retry_after": after, "global": global});
                let mut limited =
                    if bare { raw(429, "<html>error code: 1015</html>") } else { Answer::json(429, said) };
                limited.headers.push(("Retry-After", (after.ceil() as u64).max(1).to_string()));
                if !bare {
                    limited.headers.push(("X-RateLimit-Scope", if global { "global" } else { "user" }.into()));
                    limited.headers.push(("Via", "1.1 google".into()));
                }
                if global {
                    limited.headers.push(("X-RateLimit-Global", "true".into()));
                } else if !bare {
                    limited.headers.push(("X-RateLimit-Limit", "5".into()));
                    limited.headers.push(("X-RateLimit-Remaining", "0".into()));
                    limited.headers.push(("X-RateLimit-Reset-After", after.to_string()));
                    limited.headers.push(("X-RateLimit-Bucket", "fault".into()));
                }
                outcome = Outcome::Answer(limited);
            }
        }
        let (status, answer) = match &outcome {
            Outcome::Answer(answer) => (answer.status, answer.shown.clone()),
            Outcome::Hang | Outcome::Reset => (0, Value::Null),
        };
        state.requests.push(Request {
            at: arrived,
            method: method.clone(),
            path: path.clone(),
            query: query.clone(),
            headers: headers.clone(),
            body: body.clone().unwrap_or_default(),
            files: files.iter().map(|file| (file.field.clone(), file.name.clone(), file.bytes.len())).collect(),
            status,
            answer,
            fault: label,
        });
        outcome
    })
}

fn raw(status: u16, text: &str) -> Answer {
    let body = text.as_bytes().to_vec();
    Answer { status, headers: Vec::new(), body, kind: "text/html".into(), shown: json!(text) }
}

fn refused(refusal: &Refusal) -> Answer {
    let mut said = json!({"code": refusal.code, "message": refusal.message});
    if !refusal.errors.is_null() {
        said["errors"] = refusal.errors.clone();
    }
    Answer::json(refusal.status, said)
}

/// Whether a route is used without the bot's token.
fn open(parts: &[&str]) -> bool {
    matches!(parts, ["gateway"] | ["interactions" | "webhooks" | "attachments", ..])
}

impl State {
    /// The headers of the route's bucket; with a wait where it is empty and that is enforced.
    fn take_from_bucket(&mut self, method: &str, path: &str) -> Option<Bucket> {
        let (limit, per) = match (method, path.split('/').skip(1).collect::<Vec<_>>().as_slice()) {
            ("POST", ["channels", _, "messages"]) | ("PATCH", ["channels", _, "messages", _]) => (5, 5.0),
            ("POST" | "PATCH", ["webhooks", ..]) => (5, 2.0),
            ("GET", ["channels", ..]) => (5, 1.0),
            _ => return None,
        };
        let enforced = self.options.rate_limits;
        let now = self.now().timestamp_millis() as f64 / 1e3;
        let (since, used) = self.buckets.entry(format!("{method} {path}")).or_insert((Instant::now(), 0));
        let mut left = per - since.elapsed().as_secs_f64();
        if left <= 0.0 {
            (*since, *used, left) = (Instant::now(), 0, per);
        }
        let over = enforced && *used >= limit;
        if !over {
            *used += 1;
        }
        let remaining = limit.saturating_sub(*used).max(u64::from(!enforced));
        let mut headers = vec![
            ("X-RateLimit-Limit", limit.to_string()),
            ("X-RateLimit-Remaining", remaining.to_string()),
            ("X-RateLimit-Reset", format!("{:.3}", now + left)),
            ("X-RateLimit-Reset-After", format!("{left:.3}")),
            ("X-RateLimit-Bucket", format!("fake{limit}{per}")),
        ];
        if over {
            headers.push(("Retry-After", left.ceil().to_string()));
            headers.push(("X-RateLimit-Scope", "user".into()));
        }
        Some((headers, over.then_some(left)))
    }
}

/// A request on its way through the routes.
struct Call<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a [(String, String)],
    body: Value,
    files: &'a [File],
    arrived: Instant,
}

impl Call<'_> {
    /// Whether the request is one that Discord takes at all.
    #[expect(clippy::too_many_arguments, reason = "everything that can be wrong with a request")]
    fn check(
        &mut self,
        state: &mut State,
        inner: &Inner,
        headers: &HashMap<String, String>,
        body: Option<&Value>,
        form: bool,
        malformed: bool,
        whole: &str,
    ) -> Result<(), Refusal> {
        let parts: Vec<&str> = self.path.split('/').skip(1).collect();
        let at = format!("{} {}", self.method, self.path);
        if parts[0] == "attachments" {
            return Ok(());
        }
        if !whole.starts_with("/api/v10/") {
            state.violate(&at, "not under /api/v10");
        }
        if !open(&parts) {
            if headers.get("authorization").map(String::as_str)
                != Some(&format!("Bot {}", state.options.token))
            {
                return refuse(401, 0, "401: Unauthorized");
            }
            if !headers.get("user-agent").is_some_and(|agent| agent.starts_with("DiscordBot (")) {
                state.violate(&at, "User-Agent must be `DiscordBot ($url, $versionNumber)`");
            }
        }
        if malformed {
            state.violate(&at, "the body is not what its type says");
            return refuse(400, 50109, "The request body contains invalid JSON.");
        }
        let mut faults = Vec::new();
        if let Some(spec) = inner.spec {
            faults.extend(spec.check(self.method, self.path, self.query, body, form));
        }
        faults.extend(limits::check(self.method, &parts, &self.body, self.files));
        if faults.is_empty() {
            return Ok(());
        }
        for (path, why) in &faults {
            state.violate(&at, format!("{}: {why}", path.join(".")));
        }
        invalid(&faults)
    }

    fn act(&self, state: &mut State) -> Answer {
        let parts: Vec<&str> = self.path.split('/').skip(1).collect();
        if let ["attachments", _, id, _] = parts.as_slice() {
            return match state.blobs.get(*id) {
                Some(blob) => Answer {
                    status: 200,
                    headers: vec![("Content-Disposition", format!("attachment; filename={}", blob.name))],
                    body: blob.bytes.clone(),
                    kind: blob.kind.clone(),
                    shown: json!(format!("{} bytes", blob.bytes.len())),
                },
                None => raw(404, "This content is no longer available."),
            };
        }
        match self.route(state, &parts) {
            Ok((status, shown)) => Answer::json(status, shown),
            Err(refusal) => refused(&refusal),
        }
    }

    fn route(&self, state: &mut State, parts: &[&str]) -> Done {
        let body = &self.body;
        match (self.method, parts) {
            ("GET", ["gateway"]) => Ok((200, json!({"url": state.socket}))),
            ("GET", ["gateway", "bot"]) => {
                let used = state.events.iter().filter(|event| event.what == "identify").count();
                Ok((
                    200,
                    json!({"url": state.socket, "shards": 1, "session_start_limit": {"total": 1000,
                        "remaining": 1000_usize.saturating_sub(used), "reset_after": 86_400_000, "max_concurrency": 1}}),
                ))
            }
            ("GET", ["users", "@me"]) => {
                let mut me = state.users[APP].clone();
                merge(
                    &mut me,
                    json!({"verified": true, "mfa_enabled": true, "locale": "en-US", "flags": 0, "email": null}),
                );
                Ok((200, me))
            }
            ("GET", ["users", id]) => match state.users.get(*id) {
                Some(user) => Ok((200, user.clone())),
                None => refuse(404, 10013, "Unknown User"),
            },
            ("GET", ["applications" | "oauth2", "@me"] | ["oauth2", "applications", "@me"]) => {
                Ok((200, Self::application(state)))
            }
            ("GET", ["users", "@me", "guilds"]) => {
                let there: Vec<Value> = state
                    .guilds
                    .values()
                    .filter(|guild| !guild.kicked)
                    .map(|guild| json!({"id": guild.id, "name": guild.name, "icon": null, "owner": false, "features": [],
                        "permissions": state.permissions(&guild.id, APP, None).to_string()}))
                    .collect();
                Ok((200, json!(there)))
            }
            (_, ["applications", app, rest @ ..]) => {
                if *app != APP {
                    return refuse(
                        403,
                        20012,
                        "You are not authorized to perform this action on this application",
                    );
                }
                match rest {
                    ["commands", one @ ..] => self.commands(state, None, one),
                    ["guilds", guild, "commands", one @ ..] => {
                        Self::guild(state, guild)?;
                        self.commands(state, Some((*guild).to_owned()), one)
                    }
                    _ => Self::unknown(state, self),
                }
            }
            ("POST", ["interactions", id, token, "callback"]) => self.callback(state, id, token),
            (_, ["webhooks", app, token, rest @ ..]) => self.webhook(state, app, token, rest),
            ("GET", ["guilds", guild, rest @ ..]) => {
                let found = Self::guild(state, guild)?;
                match rest {
                    [] => Ok((200, state.guild_json(&found, false))),
                    ["roles"] => {
                        Ok((200, json!(found.roles.values().map(State::role_json).collect::<Vec<_>>())))
                    }
                    ["channels"] => {
                        let all: Vec<Value> =
                            state.guild_channels(guild).map(|one| state.channel_json(one)).collect();
                        Ok((200, json!(all)))
                    }
                    ["members", user] => {
                        let user = if *user == "@me" { APP } else { user };
                        match state.member_json(guild, user) {
                            Some(member) => Ok((200, member)),
                            None if state.users.contains_key(user) => refuse(404, 10007, "Unknown Member"),
                            None => refuse(404, 10013, "Unknown User"),
                        }
                    }
                    _ => Self::unknown(state, self),
                }
            }
            ("GET", ["channels", id]) => {
                Self::channel(state, id, 0)?;
                Ok((200, state.channel_json(&state.channels[*id])))
            }
            (_, ["channels", id, "messages", rest @ ..]) => self.messages(state, id, rest),
            ("POST", ["channels", id, "typing"]) => {
                Self::channel(state, id, perm::SEND_MESSAGES)?;
                Ok((204, body["none"].clone()))
            }
            _ => Self::unknown(state, self),
        }
    }

    fn unknown(state: &mut State, call: &Call<'_>) -> Done {
        state.violate(format!("{} {}", call.method, call.path), "a route that the fake does not have");
        refuse(404, 0, "404: Not Found")
    }

    fn application(state: &State) -> Value {
        let owner = &state.users[&state.find_user("owner").unwrap()];
        json!({"id": APP, "name": "certkeeper", "icon": null, "description": "", "summary": "", "type": null,
            "bot_public": true, "bot_require_code_grant": false, "verify_key": "0".repeat(64), "flags": 0,
            "owner": owner, "team": null, "bot": state.users[APP], "rpc_origins": [], "tags": [], "hook": true,
            "redirect_uris": [], "interactions_endpoint_url": null, "approximate_guild_count": state.guilds.len(),
            "integration_types_config": {"0": {}}, "is_monetized": false})
    }

    fn guild(state: &State, id: &str) -> Result<super::world::Guild, Refusal> {
        match state.guilds.get(id) {
            None => refuse(404, 10004, "Unknown Guild"),
            Some(guild) if guild.kicked => refuse(403, 50001, "Missing Access"),
            Some(guild) => Ok(guild.clone()),
        }
    }

    /// The channel must be there, be seen, and allow this.
    fn channel(state: &State, id: &str, needs: u64) -> Result<(), Refusal> {
        let Some(channel) = state.channels.get(id) else { return refuse(404, 10003, "Unknown Channel") };
        let may = state.permissions(&channel.guild, APP, Some(id));
        if state.guilds[&channel.guild].kicked || may & perm::VIEW_CHANNEL == 0 {
            return refuse(403, 50001, "Missing Access");
        }
        if may & needs != needs {
            return refuse(403, 50013, "Missing Permissions");
        }
        Ok(())
    }

    // Commands --------------------------------------------------------------------------------------------

    fn commands(&self, state: &mut State, scope: Option<String>, rest: &[&str]) -> Done {
        let known = state.commands.get(&scope).cloned().unwrap_or_default();
        let same =
            |a: &Value, b: &Value| a["name"] == b["name"] && a["type"] == b["type"].as_u64().unwrap_or(1);
        match (self.method, rest) {
            ("GET", []) => Ok((200, json!(known))),
            ("PUT", []) => {
                let mut new = Vec::new();
                for given in self.body.as_array().into_iter().flatten() {
                    let old = known.iter().find(|old| same(old, given));
                    new.push(command(state, given, scope.as_deref(), old));
                }
                state.commands.insert(scope, new.clone());
                Ok((200, json!(new)))
            }
            ("POST", []) => {
                let old = known.iter().find(|old| same(old, &self.body));
                let new = command(state, &self.body, scope.as_deref(), old);
                let all = state.commands.entry(scope).or_default();
                all.retain(|one| one["id"] != new["id"]);
                all.push(new.clone());
                Ok((if old.is_some() { 200 } else { 201 }, new))
            }
            (method, [id]) => {
                let Some(old) = known.iter().find(|one| one["id"] == *id) else {
                    return refuse(404, 10063, "Unknown application command");
                };
                let mut shown = old.clone();
                if method == "PATCH" {
                    let mut whole = old.clone();
                    merge(&mut whole, self.body.clone());
                    shown = command(state, &whole, scope.as_deref(), Some(old));
                }
                let all = state.commands.entry(scope).or_default();
                match method {
                    "GET" => {}
                    "PATCH" => {
                        all.iter_mut().filter(|one| one["id"] == *id).for_each(|one| one.clone_from(&shown));
                    }
                    "DELETE" => {
                        all.retain(|one| one["id"] != *id);
                        return Ok((204, Value::Null));
                    }
                    _ => return Self::unknown(state, self),
                }
                Ok((200, shown))
            }
            _ => Self::unknown(state, self),
        }
    }

    // Interactions ----------------------------------------------------------------------------------------

    fn callback(&self, state: &mut State, id: &str, token: &str) -> Done {
        let patience = state.options.patience;
        let Some(it) = state.interactions.get_mut(id).filter(|it| it.token == token) else {
            return refuse(404, 10062, "Unknown interaction");
        };
        if it.acked.is_some() {
            it.refused += 1;
            return refuse(400, 40060, "Interaction has already been acknowledged.");
        }
        if self.arrived.duration_since(it.created) > patience {
            it.refused += 1;
            return refuse(404, 10062, "Unknown interaction");
        }
        let it = it.clone();
        let kind = self.body["type"].as_u64().unwrap_or(0);
        let allowed: &[u64] = match (it.kind, it.source.is_some()) {
            (2, _) => &[4, 5, 9],
            (4, _) => &[8],
            (3, _) => &[4, 5, 6, 7, 9],
            (5, true) => &[4, 5, 6, 7],
            _ => &[4, 5],
        };
        if !allowed.contains(&kind) {
            let what = format!("a callback of type {kind} cannot answer an interaction of type {}", it.kind);
            state.violate(format!("POST {}", self.path), &what);
            return invalid(&[(vec!["type".into()], what)]);
        }
        let data = &self.body["data"];
        let nothing = json!({"flags": data["flags"]});
        let message = match kind {
            4 => Some(state.post(APP, &it.channel, data, self.files, Some(&it), false).ok_or_else(empty)?),
            5 => Some(state.post(APP, &it.channel, &nothing, &[], Some(&it), true).ok_or_else(empty)?),
            7 => {
                let source = it.source.clone().unwrap_or_default();
                if !state.messages.contains_key(&source) {
                    return refuse(404, 10008, "Unknown Message");
                }
                Some(state.edit(&source, data, self.files).ok_or_else(empty)?)
            }
            _ => None,
        };
        let now = Instant::now();
        if let Some(kept) = state.interactions.get_mut(id) {
            kept.acked = Some(now);
            kept.ack = kind;
            kept.original = message.as_ref().map(|one| one.id.clone()).or_else(|| it.source.clone());
            match kind {
                5 | 6 => {}
                _ => kept.settled = Some(now),
            }
            if kind == 8 {
                kept.choices =
                    Some(if is_empty(&data["choices"]) { json!([]) } else { data["choices"].clone() });
            }
            if kind == 9 {
                kept.modal = Some(data.clone());
            }
        }
        if !self.query.iter().any(|(key, value)| key == "with_response" && value == "true") {
            return Ok((204, Value::Null));
        }
        let mut shown = json!({"interaction": {"id": id, "type": it.kind, "channel_id": it.channel},
            "resource": {"type": kind}});
        if let Some(message) = message {
            shown["interaction"]["response_message_id"] = json!(message.id);
            shown["interaction"]["response_message_loading"] = json!(kind == 5);
            shown["interaction"]["response_message_ephemeral"] = json!(message.ephemeral);
            shown["resource"]["message"] = message.json;
        }
        Ok((200, shown))
    }

    fn webhook(&self, state: &mut State, app: &str, token: &str, rest: &[&str]) -> Done {
        let life = state.options.token_life;
        let found = state.interactions.values().find(|it| it.token == token && app == APP).cloned();
        let Some(it) = found else { return refuse(404, 10015, "Unknown Webhook") };
        if it.created.elapsed() > life {
            return refuse(401, 50027, "Invalid Webhook Token");
        }
        if it.acked.is_none() {
            return refuse(404, 10015, "Unknown Webhook");
        }
        let settle = |state: &mut State| {
            if let Some(kept) = state.interactions.get_mut(&it.id) {
                kept.settled.get_or_insert_with(Instant::now);
            }
        };
        if let ("POST", []) = (self.method, rest) {
            let loading = it.original.as_ref().and_then(|id| state.messages.get(id)).is_some_and(|message| {
                it.ack == 5 && message.json["flags"].as_u64().unwrap_or(0) & LOADING != 0
            });
            if loading {
                // The first follow-up after "thinking" takes its place.
                let original = it.original.clone().unwrap_or_default();
                let message = state.edit(&original, &self.body, self.files).ok_or_else(empty)?;
                settle(state);
                return Ok((200, message.json));
            }
            let message =
                state.post(APP, &it.channel, &self.body, self.files, Some(&it), false).ok_or_else(empty)?;
            if let Some(kept) = state.interactions.get_mut(&it.id) {
                kept.followups.push(message.id.clone());
            }
            settle(state);
            return Ok((200, message.json));
        }
        let ["messages", which] = rest else { return Self::unknown(state, self) };
        let id =
            if *which == "@original" { it.original.clone().unwrap_or_default() } else { (*which).to_owned() };
        let ours = it.original.as_ref() == Some(&id) || it.followups.contains(&id);
        let Some(message) = state.messages.get(&id).filter(|_| ours).cloned() else {
            return refuse(404, 10008, "Unknown Message");
        };
        match self.method {
            "GET" => Ok((200, message.json)),
            "PATCH" => {
                let edited = state.edit(&id, &self.body, self.files).ok_or_else(empty)?;
                settle(state);
                Ok((200, edited.json))
            }
            "DELETE" => {
                state.remove_message(&id);
                settle(state);
                Ok((204, Value::Null))
            }
            _ => Self::unknown(state, self),
        }
    }

    // Messages --------------------------------------------------------------------------------------------

    fn messages(&self, state: &mut State, channel: &str, rest: &[&str]) -> Done {
        let ask =
            |name: &str| self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        match (self.method, rest) {
            ("GET", []) => {
                Self::channel(state, channel, 0)?;
                // Without READ_MESSAGE_HISTORY Discord answers with an empty list, as it does the client.
                let guild = state.channels[channel].guild.clone();
                if state.permissions(&guild, APP, Some(channel)) & perm::READ_MESSAGE_HISTORY == 0 {
                    return Ok((200, json!([])));
                }
                let limit = ask("limit").and_then(|limit| limit.parse().ok()).unwrap_or(50_usize);
                let number = |text: &str| text.parse::<u64>().unwrap_or(0);
                let mut all = state.messages_in(channel);
                all.sort_by_key(|message| number(&message.id));
                if let Some(before) = ask("before").map(number) {
                    all.retain(|message| number(&message.id) < before);
                }
                if let Some(after) = ask("after").map(number) {
                    all.retain(|message| number(&message.id) > after);
                    all.truncate(limit);
                }
                if let Some(around) = ask("around").map(number) {
                    all.sort_by_key(|message| number(&message.id).abs_diff(around));
                    all.truncate(limit);
                    all.sort_by_key(|message| number(&message.id));
                }
                let from = all.len().saturating_sub(limit);
                let shown: Vec<&Value> = all[from..].iter().rev().map(|message| &message.json).collect();
                Ok((200, json!(shown)))
            }
            ("POST", []) => self.send(state, channel),
            (_, [id]) => {
                Self::channel(state, channel, 0)?;
                let found =
                    state.messages.get(*id).filter(|one| one.channel == channel && !one.ephemeral).cloned();
                let Some(message) = found else { return refuse(404, 10008, "Unknown Message") };
                match self.method {
                    "GET" => {
                        Self::channel(state, channel, perm::READ_MESSAGE_HISTORY)?;
                        Ok((200, message.json))
                    }
                    "PATCH" if message.author != APP => {
                        refuse(403, 50005, "Cannot edit a message authored by another user")
                    }
                    "PATCH" => Ok((200, state.edit(id, &self.body, self.files).ok_or_else(empty)?.json)),
                    "DELETE" => {
                        if message.author != APP {
                            Self::channel(state, channel, perm::MANAGE_MESSAGES)?;
                        }
                        state.remove_message(id);
                        Ok((204, Value::Null))
                    }
                    _ => Self::unknown(state, self),
                }
            }
            _ => Self::unknown(state, self),
        }
    }

    fn send(&self, state: &mut State, channel: &str) -> Done {
        let files = if self.files.is_empty() { 0 } else { perm::ATTACH_FILES };
        Self::channel(state, channel, perm::SEND_MESSAGES | files)?;
        if !matches!(state.channels[channel].kind, 0 | 2 | 5 | 13) {
            return refuse(400, 50008, "Cannot send messages in a non-text channel");
        }
        let nonce = (!self.body["nonce"].is_null()).then(|| plain(&self.body["nonce"]));
        let window: Duration = state.options.nonce_window;
        if let Some(nonce) = &nonce
            && self.body["enforce_nonce"] == true
            && let Some((first, at)) = state.nonces.get(nonce)
            && at.elapsed() < window
            && let Some(message) = state.messages.get(first)
        {
            return Ok((200, message.json.clone()));
        }
        let message = state.post(APP, channel, &self.body, self.files, None, false).ok_or_else(empty)?;
        if let Some(nonce) = nonce {
            state.nonces.insert(nonce, (message.id.clone(), Instant::now()));
        }
        Ok((200, message.json))
    }
}

fn empty() -> Refusal {
    Refusal { status: 400, code: 50006, message: "Cannot send an empty message".into(), errors: Value::Null }
}

/// A command as Discord keeps it.
fn command(state: &mut State, given: &Value, guild: Option<&str>, old: Option<&Value>) -> Value {
    let id = old.map_or_else(|| state.snowflake(), |old| plain(&old["id"]));
    let version = state.snowflake();
    let or = |name: &str, usual: Value| if given[name].is_null() { usual } else { given[name].clone() };
    let permissions = &given["default_member_permissions"];
    let mut shown = json!({"id": id, "application_id": APP, "version": version, "type": or("type", json!(1)),
        "name": given["name"], "name_localizations": given["name_localizations"],
        "description": or("description", json!("")), "description_localizations": given["description_localizations"],
        "options": or("options", json!([])), "nsfw": or("nsfw", json!(false)),
        "contexts": given["contexts"], "integration_types": or("integration_types", json!([0])),
        "default_member_permissions": if permissions.is_null() { Value::Null } else { json!(plain(permissions)) }});
    if let Some(guild) = guild {
        shown["guild_id"] = json!(guild);
    }
    shown
}

/// What the people in front of an interaction have been shown, for [`super::interact`].
pub(crate) fn shown(state: &State, it: &Interaction) -> (Option<Value>, bool, String) {
    let message =
        it.original.as_ref().and_then(|id| state.messages.get(id)).map(|message| message.json.clone());
    let ephemeral =
        message.as_ref().is_some_and(|message| message["flags"].as_u64().unwrap_or(0) & EPHEMERAL != 0);
    let mut text: Vec<String> = message.iter().map(flatten).collect();
    text.extend(it.followups.iter().filter_map(|id| state.messages.get(id)).map(super::world::Message::text));
    (message, ephemeral, text.join("\n"))
}
