//! The fake Discord as a test holds it: start it, look at it, wait for it, break it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::clock::{SOON, WallClock};
use super::faults::Fault;
use super::gateway::{self, Event};
use super::rest;
use super::spec::Spec;
use super::world::{
    APP, GUILD, GUILD_MEMBERS, GUILDS, Member, Message, Overwrite, Request, Role, State, Violation, perm,
};

/// How this Discord behaves.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) token: String,
    /// Between heartbeats.
    pub(crate) heartbeat: Duration,
    /// How long an enforced nonce is remembered.
    pub(crate) nonce_window: Duration,
    /// How long an interaction may go unanswered.
    pub(crate) patience: Duration,
    /// How long an interaction's token is good.
    pub(crate) token_life: Duration,
    /// Whether the limits told in the headers (5 messages in 5 s and so on) are also enforced.
    pub(crate) rate_limits: bool,
    /// Two IDENTIFYs within 5 s are not held against the bot.
    pub(crate) hasty_identifies: bool,
    pub(crate) disallowed_intents: u64,
    /// What the bot's own role allows, besides `@everyone`'s.
    pub(crate) bot_permissions: u64,
    /// The clock that messages are stamped by; the machine's where there is none.
    pub(crate) clock: Option<WallClock>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            token: "NDQwMDAwMDAwMDAwMDAwMDAx.fake.token".into(),
            heartbeat: Duration::from_millis(41_250),
            nonce_window: Duration::from_mins(3),
            patience: Duration::from_secs(3),
            token_life: Duration::from_mins(15),
            rate_limits: false,
            hasty_identifies: false,
            disallowed_intents: 0,
            bot_permissions: perm::EVERYONE | perm::MENTION_EVERYONE,
            clock: None,
        }
    }
}

/// What the server's tasks share with the test.
pub(crate) struct Inner {
    state: Mutex<State>,
    changed: watch::Sender<u64>,
    pub(crate) spec: Option<&'static Spec>,
}

impl Inner {
    /// The state, to look at.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and wakes whoever waits for it.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let done = change(&mut self.lock());
        self.changed.send_modify(|count| *count += 1);
        done
    }
}

/// A Discord of our own, until it is dropped.
pub(crate) struct Discord {
    pub(crate) inner: Arc<Inner>,
    /// The origin that stands in place of `https://discord.com`.
    pub(crate) base: String,
    pub(crate) token: String,
    rest: Door,
    gateway: Door,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Discord {
    /// With everything as usual.
    pub(crate) fn start() -> Self {
        Self::with(Options::default())
    }

    /// With the usual options save that messages are stamped by this clock.
    pub(crate) fn on_clock(clock: &WallClock) -> Self {
        Self::with(Options { clock: Some(clock.clone()), ..Options::default() })
    }

    /// With options. It runs in a thread of its own, so that a busy or blocking test does not delay it.
    pub(crate) fn with(options: Options) -> Self {
        let (sender, receiver) = std::sync::mpsc::channel();
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let token = options.token.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let (rest_socket, rest_at) = listen().await;
                let (gateway_socket, gateway_at) = listen().await;
                let state = State::new(options, format!("http://{rest_at}"), format!("ws://{gateway_at}"));
                let inner = Arc::new(Inner {
                    state: Mutex::new(state),
                    changed: watch::Sender::new(0),
                    spec: Spec::from_environment(),
                });
                let (rest, gateway) = (Door::default_at(), Door::default_at());
                sender.send((Arc::clone(&inner), rest.0, gateway.0, rest_at)).unwrap();
                let shared = Arc::clone(&inner);
                let first = keep(rest_socket, rest_at, rest.1, move |stream| {
                    rest::serve(Arc::clone(&shared), stream)
                });
                let second = keep(gateway_socket, gateway_at, gateway.1, move |stream| {
                    gateway::serve(Arc::clone(&inner), stream)
                });
                tokio::select! {
                    () = first => {}
                    () = second => {}
                    () = stopped.cancelled() => {}
                }
            });
        });
        let (inner, rest, gateway, at) = receiver.recv().unwrap();
        Self { inner, base: format!("http://{at}"), token, rest, gateway, stop, thread: Some(thread) }
    }

    // Waiting -----------------------------------------------------------------------------------------------

    /// Looks at the state after every change until `look` finds something; nothing when the time is over.
    pub(crate) async fn within<T>(
        &self,
        timeout: Duration,
        mut look: impl FnMut(&mut State) -> Option<T>,
    ) -> Option<T> {
        let mut changes = self.inner.changed.subscribe();
        let watching = async {
            loop {
                changes.borrow_and_update();
                if let Some(found) = look(&mut self.inner.lock()) {
                    return Some(found);
                }
                if changes.changed().await.is_err() {
                    return None;
                }
            }
        };
        tokio::time::timeout(timeout, watching).await.ok().flatten()
    }

    /// As [`Self::within`], where finding nothing is a failure of the test.
    pub(crate) async fn until<T>(
        &self,
        timeout: Duration,
        what: &str,
        look: impl FnMut(&mut State) -> Option<T>,
    ) -> T {
        let Some(found) = self.within(timeout, look).await else {
            panic!("not within {timeout:?}: {what}\n{}", self.story());
        };
        found
    }

    /// Until the bot has a session at the gateway.
    pub(crate) async fn wait_ready(&self) {
        self.until(SOON, "the bot at the gateway", |state| state.connected().then_some(())).await;
    }

    /// Until at least so many commands are registered, in whatever scope.
    pub(crate) async fn wait_commands(&self, count: usize) {
        self.until(SOON, "registered commands", |state| {
            (state.commands.values().map(Vec::len).sum::<usize>() >= count).then_some(())
        })
        .await;
    }

    /// Until a message in which `text` can be read stands in the channel.
    pub(crate) async fn wait_message(&self, channel: &str, text: &str, timeout: Duration) -> Message {
        self.wait_message_where(channel, timeout, |message| message.text().contains(text)).await
    }

    /// Until such a message stands in the channel.
    pub(crate) async fn wait_message_where(
        &self,
        channel: &str,
        timeout: Duration,
        such: impl Fn(&Message) -> bool,
    ) -> Message {
        let id = self.channel(channel);
        self.until(timeout, &format!("a message in #{channel}"), |state| {
            state.messages_in(&id).into_iter().find(|message| such(message))
        })
        .await
    }

    /// Until so many messages stand in the channel.
    pub(crate) async fn wait_messages(&self, channel: &str, count: usize, timeout: Duration) -> Vec<Message> {
        let id = self.channel(channel);
        self.until(timeout, &format!("{count} messages in #{channel}"), |state| {
            Some(state.messages_in(&id)).filter(|messages| messages.len() >= count)
        })
        .await
    }

    /// Until so many of these have happened at the gateway (`identify`, `resumed`, ... : [`Event`]).
    pub(crate) async fn wait_events(&self, what: &str, count: usize, timeout: Duration) {
        self.until(timeout, &format!("{count} of {what} at the gateway"), |state| {
            (state.events.iter().filter(|event| event.what == what).count() >= count).then_some(())
        })
        .await;
    }

    /// Until so many requests of this method and path (as in [`Fault::on`]) were answered, or deliberately not.
    pub(crate) async fn wait_requests(
        &self,
        method: &str,
        path: &str,
        count: usize,
        timeout: Duration,
    ) -> Vec<Request> {
        self.until(timeout, &format!("{count} of {method} {path}"), |state| {
            let found: Vec<Request> = state
                .requests
                .iter()
                .filter(|one| one.method == method && super::faults::glob(path, &one.path))
                .cloned()
                .collect();
            Some(found).filter(|found| found.len() >= count)
        })
        .await
    }

    // Looking -----------------------------------------------------------------------------------------------

    /// A channel's messages, oldest first.
    pub(crate) fn messages(&self, channel: &str) -> Vec<Message> {
        let id = self.channel(channel);
        self.inner.lock().messages_in(&id)
    }

    /// The message as it stands now, if it still does.
    pub(crate) fn message(&self, id: &str) -> Option<Message> {
        self.inner.lock().messages.get(id).cloned()
    }

    /// Whom a message really pinged: `alice`, `@auditors`, `@everyone`.
    pub(crate) fn pings(&self, message: &Message) -> Vec<String> {
        let state = self.inner.lock();
        let users =
            message.pings.users.iter().map(|id| state.users[id]["username"].as_str().unwrap().to_owned());
        let role = |id: &String| state.guilds.values().find_map(|guild| guild.roles.get(id));
        let roles = message.pings.roles.iter().filter_map(role).map(|role| format!("@{}", role.name));
        users.chain(roles).chain(message.pings.everyone.then(|| "@everyone".to_owned())).collect()
    }

    /// Every REST request so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.inner.lock().requests.clone()
    }

    /// Requests that were refused by Discord's rules, not by a fault on demand.
    pub(crate) fn refusals(&self) -> Vec<Request> {
        let state = self.inner.lock();
        state.requests.iter().filter(|one| one.status >= 400 && one.fault.is_none()).cloned().collect()
    }

    /// What broke Discord's rules so far.
    pub(crate) fn violations(&self) -> Vec<Violation> {
        self.inner.lock().violations.clone()
    }

    /// Fails the test where anything broke Discord's rules.
    pub(crate) fn assert_clean(&self) {
        let violations = self.violations();
        assert!(violations.is_empty(), "Discord's rules broken: {violations:#?}");
    }

    /// What happened at the gateway so far.
    pub(crate) fn events(&self) -> Vec<Event> {
        self.inner.lock().events.clone()
    }

    /// How often this happened at the gateway.
    pub(crate) fn count(&self, what: &str) -> usize {
        self.inner.lock().events.iter().filter(|event| event.what == what).count()
    }

    /// The commands registered in the ready-made server, or globally.
    pub(crate) fn commands(&self, guild: Option<&str>) -> Vec<Value> {
        self.inner.lock().commands.get(&guild.map(ToOwned::to_owned)).cloned().unwrap_or_default()
    }

    /// A channel's id.
    pub(crate) fn channel(&self, which: &str) -> String {
        self.inner.lock().find_channel(which).unwrap_or_else(|| panic!("no channel {which}"))
    }

    /// A person's id.
    pub(crate) fn user(&self, who: &str) -> String {
        self.inner.lock().find_user(who).unwrap_or_else(|| panic!("nobody called {who}"))
    }

    /// A role's id.
    pub(crate) fn role(&self, which: &str) -> String {
        self.inner.lock().find_role(GUILD, which).unwrap_or_else(|| panic!("no role {which}"))
    }

    /// What happened lately, for a failing test to print.
    pub(crate) fn story(&self) -> String {
        let state = self.inner.lock();
        let mut lines = vec!["requests:".to_owned()];
        let from = state.requests.len().saturating_sub(25);
        lines.extend(state.requests[from..].iter().map(|one| {
            let fault = one.fault.as_deref().map_or_else(String::new, |fault| format!(" [{fault}]"));
            format!("  {} {} {}{fault}", one.status, one.method, one.path)
        }));
        lines.push("gateway:".into());
        let events: Vec<&Event> = state.events.iter().filter(|event| event.what != "heartbeat").collect();
        let from = events.len().saturating_sub(25);
        lines.extend(events[from..].iter().map(|event| format!("  {} {}", event.what, event.detail)));
        lines.extend(state.violations.iter().map(|one| format!("violation: {}: {}", one.at, one.what)));
        lines.join("\n")
    }

    // Breaking ----------------------------------------------------------------------------------------------

    /// Sets a fault; its number is for [`Self::hits`].
    pub(crate) fn fault(&self, mut fault: Fault) -> usize {
        let mut state = self.inner.lock();
        fault.id = state.faults.len();
        state.faults.push(fault);
        state.faults.len() - 1
    }

    /// Nonces used so far are remembered no longer, as after a few minutes.
    pub(crate) fn forget_nonces(&self) {
        self.inner.lock().nonces.clear();
    }

    /// How often a fault was met.
    pub(crate) fn hits(&self, fault: usize) -> u64 {
        self.inner.lock().faults[fault].hits
    }

    /// Ends all faults of the REST side.
    pub(crate) fn clear_faults(&self) {
        for fault in &mut self.inner.lock().faults {
            *fault = fault.clone().times(0);
        }
    }

    /// Nothing is there any more: connections end, new ones are refused.
    pub(crate) async fn down(&self) {
        self.rest.turn(false).await;
        self.gateway.turn(false).await;
    }

    /// The same for the gateway alone.
    pub(crate) async fn gateway_down(&self) {
        self.gateway.turn(false).await;
    }

    /// Everything is there again.
    pub(crate) async fn up(&self) {
        self.rest.turn(true).await;
        self.gateway.turn(true).await;
    }

    /// Anything at the gateway: see [`State`] and [`gateway::Gateway`].
    pub(crate) fn gateway<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        self.inner.change(act)
    }

    /// Op 7: the bot is asked to reconnect.
    pub(crate) fn ask_to_reconnect(&self) {
        self.gateway(|state| state.gateway_send(&json!({"op": 7, "s": null, "t": null, "d": null})));
    }

    /// Op 9: the session is invalid.
    pub(crate) fn invalidate(&self, resumable: bool) {
        self.gateway(|state| state.gateway_invalidate(resumable));
    }

    /// Closes the gateway's connections with a code.
    pub(crate) fn close(&self, code: u16, reason: &str) {
        self.gateway(|state| state.gateway_close(code, reason));
    }

    /// Resets the gateway's connections.
    pub(crate) fn drop_gateway(&self) {
        self.gateway(|state| state.gateway_reset());
    }

    /// The next so many connections to the gateway are refused (503).
    pub(crate) fn refuse_connections(&self, count: u64) {
        self.gateway(|state| state.gateway.refuse = count);
    }

    /// Every IDENTIFY is answered by a close with this code, until `None`.
    pub(crate) fn reject_identifies(&self, with: Option<(u16, &str)>) {
        self.gateway(|state| state.gateway.reject = with.map(|(code, why)| (code, why.to_owned())));
    }

    /// Heartbeats are no longer acknowledged, or are again.
    pub(crate) fn withhold_acks(&self, withheld: bool) {
        self.gateway(|state| state.gateway.no_acks = withheld);
    }

    /// The gateway stands still, or goes on.
    pub(crate) fn freeze(&self, frozen: bool) {
        self.gateway(|state| state.gateway.frozen = frozen);
    }

    // The world ---------------------------------------------------------------------------------------------

    /// Anything at all in the world, without an event.
    pub(crate) fn world<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        self.inner.change(act)
    }

    /// Adds a channel (0 text, 2 voice, 4 category, 5 announcement) to the ready-made server; its id.
    pub(crate) fn add_channel(&self, name: &str, kind: u64) -> String {
        self.world(|state| {
            let id = state.name_id();
            state.add_channel(&id, GUILD, name, kind);
            let shown = state.channel_json(&state.channels[&id]);
            state.dispatch("CHANNEL_CREATE", &shown, GUILDS);
            id
        })
    }

    /// Deletes a channel and all that stands in it.
    pub(crate) fn delete_channel(&self, which: &str) {
        let id = self.channel(which);
        self.world(|state| {
            let shown = state.channel_json(&state.channels[&id]);
            state.channels.remove(&id);
            state.posted.remove(&id);
            state.messages.retain(|_, message| message.channel != id);
            state.dispatch("CHANNEL_DELETE", &shown, GUILDS);
        });
    }

    /// What the bot itself may do in a channel, against its roles; 0 and 0 take the overwrite away.
    pub(crate) fn bot_access(&self, channel: &str, allow: u64, deny: u64) {
        self.overwrite(channel, APP, true, allow, deny);
    }

    /// A permission overwrite on a channel, for a member or a role by id.
    pub(crate) fn overwrite(&self, channel: &str, id: &str, member: bool, allow: u64, deny: u64) {
        let channel = self.channel(channel);
        self.world(|state| {
            let overwrites = &mut state.channels.get_mut(&channel).unwrap().overwrites;
            overwrites.retain(|over| over.id != id);
            if allow | deny != 0 {
                overwrites.push(Overwrite { id: id.to_owned(), member, allow, deny });
            }
            let shown = state.channel_json(&state.channels[&channel]);
            state.dispatch("CHANNEL_UPDATE", &shown, GUILDS);
        });
    }

    /// Adds a role to the ready-made server; its id.
    pub(crate) fn add_role(&self, name: &str, permissions: u64, mentionable: bool) -> String {
        self.world(|state| {
            let id = state.name_id();
            let role =
                Role { id: id.clone(), name: name.to_owned(), permissions, mentionable, managed: false };
            let shown = json!({"guild_id": GUILD, "role": State::role_json(&role)});
            state.guilds.get_mut(GUILD).unwrap().roles.insert(id.clone(), role);
            state.dispatch("GUILD_ROLE_CREATE", &shown, GUILDS);
            id
        })
    }

    /// Deletes a role.
    pub(crate) fn delete_role(&self, which: &str) {
        let id = self.role(which);
        self.world(|state| {
            let guild = state.guilds.get_mut(GUILD).unwrap();
            guild.roles.remove(&id);
            for member in guild.members.values_mut() {
                member.roles.retain(|role| *role != id);
            }
            state.dispatch("GUILD_ROLE_DELETE", &json!({"guild_id": GUILD, "role_id": id}), GUILDS);
        });
    }

    /// Gives a member these roles, by name or id, and no others; who is not yet a member becomes one.
    pub(crate) fn set_roles(&self, who: &str, roles: &[&str]) {
        let roles: Vec<String> = roles.iter().map(|role| self.role(role)).collect();
        self.world(|state| {
            let id = state.find_user(who).unwrap_or_else(|| {
                let id = state.name_id();
                state.user(&id, who, false);
                id
            });
            let members = &mut state.guilds.get_mut(GUILD).unwrap().members;
            let known = members.contains_key(&id);
            members.insert(id.clone(), Member { roles, nick: None });
            let mut shown = state.member_json(GUILD, &id).unwrap();
            shown["guild_id"] = json!(GUILD);
            let event = if known { "GUILD_MEMBER_UPDATE" } else { "GUILD_MEMBER_ADD" };
            state.dispatch(event, &shown, GUILD_MEMBERS);
        });
    }

    /// A member leaves the ready-made server.
    pub(crate) fn remove_member(&self, who: &str) {
        let id = self.user(who);
        self.world(|state| {
            state.guilds.get_mut(GUILD).unwrap().members.remove(&id);
            let shown = json!({"guild_id": GUILD, "user": state.users[&id]});
            state.dispatch("GUILD_MEMBER_REMOVE", &shown, GUILD_MEMBERS);
        });
    }

    /// The bot is thrown out of a server, or taken in again.
    pub(crate) fn kick_bot(&self, guild: &str, kicked: bool) {
        self.world(|state| {
            state.guilds.get_mut(guild).unwrap().kicked = kicked;
            state.tell_guild(guild, kicked.then(|| json!({"id": guild})));
        });
    }

    /// A server has an outage, or is back.
    pub(crate) fn guild_outage(&self, guild: &str, out: bool) {
        self.world(|state| {
            state.guilds.get_mut(guild).unwrap().unavailable = out;
            state.tell_guild(guild, out.then(|| json!({"id": guild, "unavailable": true})));
        });
    }

    /// Another server that the bot is in, with one text channel `general-<name>`; the ids of both.
    pub(crate) fn add_guild(&self, name: &str, owner: &str) -> (String, String) {
        self.world(|state| {
            let (guild, channel) = (state.name_id(), state.name_id());
            state.add_guild(&guild, name, owner);
            state.add_channel(&channel, &guild, &format!("general-{name}"), 0);
            state.tell_guild(&guild, None);
            (guild, channel)
        })
    }

    /// A person posts in a channel.
    pub(crate) fn say(&self, who: &str, channel: &str, content: &str) -> Message {
        let (user, channel) = (self.user(who), self.channel(channel));
        self.world(|state| {
            state.post(&user, &channel, &json!({"content": content}), &[], None, false).unwrap()
        })
    }

    /// A person deletes a message.
    pub(crate) fn delete_message(&self, id: &str) {
        self.world(|state| state.remove_message(id));
    }
}

impl State {
    fn tell_guild(&mut self, guild: &str, gone: Option<Value>) {
        if let Some(gone) = gone {
            self.dispatch("GUILD_DELETE", &gone, GUILDS);
        } else {
            let shown = self.guild_json(&self.guilds[guild], true);
            self.dispatch("GUILD_CREATE", &shown, GUILDS);
        }
    }
}

impl Drop for Discord {
    fn drop(&mut self) {
        self.stop.cancel();
        self.thread.take().map(JoinHandle::join);
    }
}

/// Opens and shuts one listening address.
struct Door(mpsc::UnboundedSender<(bool, oneshot::Sender<()>)>);

type Orders = mpsc::UnboundedReceiver<(bool, oneshot::Sender<()>)>;

impl Door {
    fn default_at() -> (Self, Orders) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    async fn turn(&self, open: bool) {
        let (done, wait) = oneshot::channel();
        self.0.send((open, done)).ok();
        wait.await.ok();
    }
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    (listener, at)
}

/// Serves every connection to an address. While it is shut, the socket stays bound but does not listen: the
/// kernel refuses connections, and nobody else gets the port.
async fn keep<F: Future<Output = ()> + 'static>(
    listener: TcpListener,
    at: SocketAddr,
    mut orders: Orders,
    serve: impl Fn(TcpStream) -> F,
) {
    let tasks = tokio::task::LocalSet::new();
    tasks
        .run_until(async move {
            let mut listener = Some(listener);
            let mut held: Option<TcpSocket> = None;
            let mut epoch = CancellationToken::new();
            loop {
                tokio::select! {
                    order = orders.recv() => {
                        let Some((open, done)) = order else { return };
                        if open {
                            if let Some(socket) = held.take() {
                                listener = Some(socket.listen(1024).unwrap());
                                epoch = CancellationToken::new();
                            }
                        } else if listener.take().is_some() {
                            epoch.cancel();
                            let socket = TcpSocket::new_v4().unwrap();
                            socket.set_reuseaddr(true).unwrap();
                            socket.bind(at).unwrap();
                            held = Some(socket);
                        }
                        done.send(()).ok();
                    }
                    accepted = async { listener.as_ref().unwrap().accept().await }, if listener.is_some() => {
                        let Ok((stream, _)) = accepted else { continue };
                        stream.set_nodelay(true).ok();
                        let (epoch, served) = (epoch.clone(), serve(stream));
                        tokio::task::spawn_local(async move {
                            tokio::select! {
                                () = epoch.cancelled() => {}
                                () = served => {}
                            }
                        });
                    }
                }
            }
        })
        .await;
}
