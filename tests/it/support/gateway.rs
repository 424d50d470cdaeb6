//! The gateway: sessions, events, heartbeats, resumes, and its faults.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};

use super::discord::Inner;
use super::world::{APP, GUILD_MESSAGES, GUILDS, MESSAGE_CONTENT, State, merge};

/// Something that happened at the gateway.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) at: Instant,
    /// `connect`, `refused`, `identify`, `ready`, `resume`, `resumed`, `heartbeat`, `disconnect`, `close`,
    /// `invalid`.
    pub(crate) what: &'static str,
    pub(crate) detail: Value,
}

/// The gateway's state.
#[derive(Debug, Default)]
pub(crate) struct Gateway {
    pub(crate) sessions: HashMap<String, Session>,
    /// Connections that are to be refused (HTTP 503 to the upgrade).
    pub(crate) refuse: u64,
    /// RESUMEs and IDENTIFYs that are to be answered by op 9.
    pub(crate) refuse_resumes: u64,
    pub(crate) refuse_identifies: u64,
    /// Heartbeats are not acknowledged.
    pub(crate) no_acks: bool,
    /// Nothing is read, answered or sent; the connections stay open.
    pub(crate) frozen: bool,
    /// IDENTIFYs are answered by a close with this code and reason.
    pub(crate) reject: Option<(u16, String)>,
    connections: u64,
    live: HashMap<u64, mpsc::UnboundedSender<Order>>,
    identified: Option<Instant>,
    serial: u64,
}

/// A session, which outlives its connections.
#[derive(Debug, Default)]
pub(crate) struct Session {
    pub(crate) intents: u64,
    seq: u64,
    sent: Vec<(u64, String)>,
    connection: Option<u64>,
}

/// What a connection is told to do.
#[derive(Debug)]
enum Order {
    Send(String),
    Close(u16, String),
    /// Ends the TCP connection in order, without a close frame.
    End,
    /// Resets it.
    Reset,
}

impl State {
    pub(crate) fn event(&mut self, what: &'static str, detail: Value) {
        self.events.push(Event { at: Instant::now(), what, detail });
    }

    /// Whether a session has a live connection.
    pub(crate) fn connected(&self) -> bool {
        self.gateway.sessions.values().any(|session| session.connection.is_some())
    }

    /// The intents of the last session.
    pub(crate) fn intents(&self) -> Option<u64> {
        self.gateway.sessions.values().map(|session| session.intents).max()
    }

    /// Sends an event to every session that asked for `intent` (0: to all).
    pub(crate) fn dispatch(&mut self, event: &str, data: &Value, intent: u64) {
        let ids: Vec<String> = self.gateway.sessions.keys().cloned().collect();
        for id in ids {
            if intent == 0 || self.gateway.sessions[&id].intents & intent != 0 {
                self.send(&id, event, data);
            }
        }
    }

    /// Sends a message's event; its text only to those who may read it.
    pub(crate) fn dispatch_message(&mut self, event: &str, data: &Value, hidden: bool) {
        let ids: Vec<String> = self.gateway.sessions.keys().cloned().collect();
        for id in ids {
            let intents = self.gateway.sessions[&id].intents;
            if intents & GUILD_MESSAGES == 0 {
                continue;
            }
            let mut data = data.clone();
            if hidden && intents & MESSAGE_CONTENT == 0 {
                merge(&mut data, json!({"content": "", "embeds": [], "attachments": [], "components": []}));
            }
            self.send(&id, event, &data);
        }
    }

    fn send(&mut self, session: &str, event: &str, data: &Value) {
        let Some(session) = self.gateway.sessions.get_mut(session) else { return };
        session.seq += 1;
        let frame = json!({"op": 0, "t": event, "s": session.seq, "d": data}).to_string();
        session.sent.push((session.seq, frame.clone()));
        if let Some(live) = session.connection.and_then(|id| self.gateway.live.get(&id)) {
            live.send(Order::Send(frame)).ok();
        }
    }

    fn order(&self, make: impl Fn() -> Order) {
        for live in self.gateway.live.values() {
            live.send(make()).ok();
        }
    }

    /// Every connection is sent this frame.
    pub(crate) fn gateway_send(&self, frame: &Value) {
        self.order(|| Order::Send(frame.to_string()));
    }

    /// Every connection is sent these bytes, whatever they are.
    pub(crate) fn gateway_send_raw(&self, text: &str) {
        self.order(|| Order::Send(text.to_owned()));
    }

    /// Every connection is closed with this code.
    pub(crate) fn gateway_close(&mut self, code: u16, reason: &str) {
        if ends_session(code) {
            self.gateway.sessions.clear();
        }
        self.order(|| Order::Close(code, reason.to_owned()));
    }

    /// Every connection is reset.
    pub(crate) fn gateway_reset(&self) {
        self.order(|| Order::Reset);
    }

    /// Every connection ends without a close frame.
    pub(crate) fn gateway_end(&self) {
        self.order(|| Order::End);
    }

    /// Every session is forgotten, and its owner told (op 9).
    pub(crate) fn gateway_invalidate(&mut self, resumable: bool) {
        if !resumable {
            self.gateway.sessions.clear();
        }
        self.gateway_send(&json!({"op": 9, "s": null, "t": null, "d": resumable}));
    }

    /// What the connection `id` said; answers through `live`.
    fn hear(&mut self, id: u64, session: &mut Option<String>, frame: &Value) {
        let Some(live) = self.gateway.live.get(&id).cloned() else { return };
        let answer = |frame: Value| live.send(Order::Send(frame.to_string())).ok();
        let close = |code: u16, reason: &str| live.send(Order::Close(code, reason.to_owned())).ok();
        let invalid = || answer(json!({"op": 9, "s": null, "t": null, "d": false}));
        let data = &frame["d"];
        let token = data["token"].as_str().unwrap_or_default().trim_start_matches("Bot ").to_owned();
        match frame["op"].as_u64() {
            Some(1) => {
                self.event("heartbeat", data.clone());
                if !self.gateway.no_acks {
                    answer(json!({"op": 11, "s": null, "t": null, "d": null}));
                }
            }
            Some(2) => {
                let mut shown = data.clone();
                shown["token"] = json!("...");
                self.event("identify", shown);
                let intents = data["intents"].as_u64();
                let now = Instant::now();
                let soon = self.gateway.identified.replace(now).map(|last| now - last);
                if let Some(soon) = soon.filter(|soon| *soon < Duration::from_millis(4_900)) {
                    self.gateway.identified = Some(now);
                    if !self.options.hasty_identifies {
                        self.violate(
                            "gateway",
                            format!("IDENTIFY {soon:?} after the one before (one in 5 s)"),
                        );
                    }
                }
                if session.is_some() {
                    close(4005, "Already authenticated.");
                } else if let Some((code, reason)) = self.gateway.reject.clone() {
                    close(code, &reason);
                } else if token != self.options.token {
                    close(4004, "Authentication failed.");
                } else if intents.is_none_or(|bits| bits >= 1 << 27) {
                    close(4013, "Invalid intent(s).");
                } else if intents.unwrap_or(0) & self.options.disallowed_intents != 0 {
                    close(4014, "Disallowed intent(s).");
                } else if self.gateway.refuse_identifies > 0 {
                    self.gateway.refuse_identifies -= 1;
                    self.event("invalid", json!("identify"));
                    invalid();
                } else {
                    *session = Some(self.identify(id, intents.unwrap_or(0), &data["shard"]));
                }
            }
            Some(6) => {
                let wanted = data["session_id"].as_str().unwrap_or_default().to_owned();
                let seq = data["seq"].as_u64().unwrap_or(0);
                self.event("resume", json!({"session_id": wanted, "seq": seq}));
                if self.gateway.refuse_resumes > 0 {
                    self.gateway.refuse_resumes -= 1;
                    self.gateway.sessions.remove(&wanted);
                }
                let known = self.gateway.sessions.get(&wanted).map(|session| session.seq);
                if token != self.options.token {
                    close(4004, "Authentication failed.");
                } else if known.is_none() {
                    self.event("invalid", json!("resume"));
                    invalid();
                } else if known < Some(seq) {
                    close(4007, "Invalid seq.");
                } else {
                    self.resume(id, &wanted, seq);
                    *session = Some(wanted);
                }
            }
            Some(3 | 4 | 8) if session.is_none() => {
                close(4003, "Not authenticated.");
            }
            Some(3 | 4 | 8) => {}
            _ => {
                self.violate("gateway", format!("unknown opcode: {frame}"));
                close(4001, "Unknown opcode.");
            }
        }
    }

    fn identify(&mut self, connection: u64, intents: u64, shard: &Value) -> String {
        self.gateway.serial += 1;
        let id = format!("5e5510{:026}", self.gateway.serial);
        let session = Session { intents, connection: Some(connection), ..Session::default() };
        self.gateway.sessions.insert(id.clone(), session);
        let mut user = self.users[APP].clone();
        merge(&mut user, json!({"verified": true, "mfa_enabled": true, "flags": 0, "email": null}));
        let there: Vec<_> = self.guilds.values().filter(|guild| !guild.kicked).cloned().collect();
        let listed: Vec<Value> =
            there.iter().map(|guild| json!({"id": guild.id, "unavailable": true})).collect();
        let shard = if shard.is_array() { shard.clone() } else { json!([0, 1]) };
        let ready = json!({"v": 10, "user": user, "guilds": listed, "session_id": id, "shard": shard,
            "resume_gateway_url": self.socket, "session_type": "normal", "user_settings": {}, "presences": [],
            "private_channels": [], "relationships": [], "guild_join_requests": [], "geo_ordered_rtc_regions": [],
            "auth": {}, "_trace": ["fake"], "application": {"id": APP, "flags": 0}});
        self.send(&id, "READY", &ready);
        if intents & GUILDS != 0 {
            for guild in there {
                if guild.unavailable {
                    self.send(&id, "GUILD_DELETE", &json!({"id": guild.id, "unavailable": true}));
                } else {
                    let shown = self.guild_json(&guild, true);
                    self.send(&id, "GUILD_CREATE", &shown);
                }
            }
        }
        self.event("ready", json!({"session_id": id, "intents": intents}));
        id
    }

    fn resume(&mut self, connection: u64, id: &str, seq: u64) {
        let Some(session) = self.gateway.sessions.get_mut(id) else { return };
        let old = session.connection.replace(connection).filter(|old| *old != connection);
        let missed: Vec<String> =
            session.sent.iter().filter(|(at, _)| *at > seq).map(|(_, frame)| frame.clone()).collect();
        if let Some(old) = old.and_then(|old| self.gateway.live.get(&old)) {
            old.send(Order::Reset).ok();
        }
        let count = missed.len();
        if let Some(live) = self.gateway.live.get(&connection) {
            for frame in missed {
                live.send(Order::Send(frame)).ok();
            }
        }
        self.send(id, "RESUMED", &json!({"_trace": ["fake"]}));
        self.event("resumed", json!({"session_id": id, "replayed": count}));
    }

    fn part(&mut self, connection: u64, session: Option<&str>, code: Option<u16>) {
        self.gateway.live.remove(&connection);
        if let Some(id) = session
            && let Some(kept) = self.gateway.sessions.get_mut(id)
            && kept.connection == Some(connection)
        {
            kept.connection = None;
            if matches!(code, Some(1000 | 1001)) {
                self.gateway.sessions.remove(id);
            }
        }
        self.event("disconnect", json!({"session_id": session, "code": code}));
    }
}

fn ends_session(code: u16) -> bool {
    matches!(code, 1000 | 1001 | 4004 | 4007 | 4009..=4014)
}

/// Serves one connection.
pub(crate) async fn serve(inner: Arc<Inner>, stream: TcpStream) {
    let refused = {
        let mut state = inner.lock();
        let refused = state.gateway.refuse > 0;
        state.gateway.refuse = state.gateway.refuse.saturating_sub(1);
        refused
    };
    let mut query = String::new();
    #[expect(clippy::result_large_err, reason = "the signature is tungstenite's")]
    let callback = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        request.uri().query().unwrap_or_default().clone_into(&mut query);
        if refused {
            let mut response = ErrorResponse::new(None);
            *response.status_mut() = tokio_tungstenite::tungstenite::http::StatusCode::SERVICE_UNAVAILABLE;
            return Err(response);
        }
        Ok(response)
    };
    let limits = WebSocketConfig::default().max_message_size(Some(1 << 20));
    let opened = tokio_tungstenite::accept_hdr_async_with_config(stream, callback, Some(limits)).await;
    let Ok(mut socket) = opened else {
        inner.change(|state| state.event("refused", json!(null)));
        return;
    };
    let (sender, mut orders) = mpsc::unbounded_channel();
    let beat = inner.lock().options.heartbeat;
    let id = inner.change(|state| {
        state.gateway.connections += 1;
        let id = state.gateway.connections;
        state.event("connect", json!({"connection": id, "query": query}));
        let hello = json!({"op": 10, "s": null, "t": null,
            "d": {"heartbeat_interval": beat.as_millis() as u64, "_trace": ["fake"]}});
        sender.send(Order::Send(hello.to_string())).ok();
        if !query.contains("v=10") || query.contains("compress") || query.contains("etf") {
            state
                .violate("gateway", format!("the fake speaks v=10, JSON, uncompressed; asked for {query:?}"));
            sender.send(Order::Close(4012, "Invalid API version.".into())).ok();
        }
        state.gateway.live.insert(id, sender);
        id
    });
    let mut parting = Parting { inner: Arc::clone(&inner), id, session: None, code: None };
    let mut heard = Instant::now();
    loop {
        // A frozen connection says nothing, and what it was to say is lost with it (but not from the session).
        let patience =
            (heard + beat * 3 / 2 + Duration::from_secs(1)).saturating_duration_since(Instant::now());
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Send(text)) => {
                    let frozen = inner.lock().gateway.frozen;
                    if !frozen && socket.send(Frame::text(text)).await.is_err() {
                        break;
                    }
                }
                Some(Order::Close(with, reason)) => {
                    inner.change(|state| state.event("close", json!({"code": with, "reason": reason})));
                    let frame = CloseFrame { code: with.into(), reason: reason.into() };
                    if socket.close(Some(frame)).await.is_err() {
                        break;
                    }
                    if ends_session(with) {
                        parting.session.take().map(|id| inner.lock().gateway.sessions.remove(&id));
                    }
                }
                Some(Order::Reset) | None => {
                    socket.get_ref().set_zero_linger().ok();
                    break;
                }
                Some(Order::End) => break,
            },
            frame = socket.next() => match frame {
                Some(Ok(Frame::Text(text))) => {
                    heard = Instant::now();
                    if inner.lock().gateway.frozen {
                        continue;
                    }
                    let parsed: Option<Value> = serde_json::from_str(&text).ok();
                    inner.change(|state| {
                        if text.len() > 4096 {
                            state.violate("gateway", "a payload of more than 4096 bytes");
                        }
                        if let Some(frame) = parsed {
                            state.hear(id, &mut parting.session, &frame);
                        } else {
                            state.violate("gateway", format!("not JSON: {text}"));
                            if let Some(live) = state.gateway.live.get(&id) {
                                live.send(Order::Close(4002, "Decode error.".into())).ok();
                            }
                        }
                    });
                }
                Some(Ok(Frame::Close(frame))) => parting.code = frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break,
            },
            () = tokio::time::sleep(patience) => {
                inner.change(|state| state.event("close", json!({"code": 4009, "reason": "no heartbeat"})));
                let frame = CloseFrame { code: 4009.into(), reason: "Session timed out".into() };
                socket.close(Some(frame)).await.ok();
                break;
            }
        }
    }
}

/// Notes the end of a connection, however it ends.
struct Parting {
    inner: Arc<Inner>,
    id: u64,
    session: Option<String>,
    code: Option<u16>,
}

impl Drop for Parting {
    fn drop(&mut self) {
        self.inner.change(|state| state.part(self.id, self.session.as_deref(), self.code));
    }
}
