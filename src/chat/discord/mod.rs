//! Discord: the only place that knows its API, serenity's types and the socket.
//!
//! Outbound there is [`DiscordPost`], which needs only REST. Inbound, [`Discord::run`] keeps the gateway's
//! connection, registers the commands and hands every interaction to the application.

mod gateway;
mod inbound;
mod permissions;
mod post;
mod presence;
mod register;
mod render;
mod reply;
mod rest;

use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::FutureExt as _;
use secrecy::SecretString;
use serenity::builder::CreateCommand;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

pub use gateway::Connection;
pub use post::DiscordPost;
pub use register::Remembered;
pub use rest::DISCORD;

use self::gateway::{Event, Gateway, GatewayEnd, InFlight, Progress, backoff};
use self::inbound::{Inbound, What};
use self::post::Shared;
use self::register::commands;
use self::reply::Reply;
use self::rest::{Fault, FetchFault, Rest};
use crate::chat::Ask;
use crate::clock::Clock;
use crate::command::{Answer, App, Choice, Prepared, Received, Request};
use crate::fault;
use crate::metrics::{Caught, Metrics};
use crate::say::discord as say;

/// Work that is not done by then is acknowledged first and answered later.
const SOON: Duration = Duration::from_millis(1_500);
/// How long finding out what we may do in a channel may hold up a command.
const PERMISSIONS: Duration = Duration::from_secs(1);
/// Interactions that were seen lately, so that one delivered twice is not even begun twice.
const SEEN: usize = 2_048;

/// The place that a server is.
fn place(guild: &str) -> String {
    format!("discord:{guild}")
}

/// What the adapter asks of the application; [`App`] in earnest, something simpler in tests.
pub(crate) trait Desk: Clone + Send + Sync + 'static {
    fn prepare(&self, request: Request) -> impl Future<Output = Result<Prepared, Answer>> + Send;
    fn resume(
        &self,
        form: &str,
        fields: Vec<(String, String)>,
        request: Request,
    ) -> impl Future<Output = Result<Prepared, Answer>> + Send;
    fn perform(&self, prepared: Prepared, files: Vec<Received>) -> impl Future<Output = Answer> + Send;
    fn complete(
        &self,
        request: &Request,
        focused: &str,
        typed: &str,
    ) -> impl Future<Output = Vec<Choice>> + Send;
    fn joined(&self, place: &str, name: Option<&str>, at: DateTime<Utc>) -> impl Future<Output = ()> + Send;
    fn left(&self, place: &str, at: DateTime<Utc>) -> impl Future<Output = ()> + Send;
    fn permissions_changed(&self);
    /// What is counted.
    fn metrics(&self) -> Metrics;
}

impl Desk for App {
    async fn prepare(&self, request: Request) -> Result<Prepared, Answer> {
        Self::prepare(self, request).await
    }

    async fn resume(
        &self,
        form: &str,
        fields: Vec<(String, String)>,
        request: Request,
    ) -> Result<Prepared, Answer> {
        Self::resume(self, form, fields, request).await
    }

    async fn perform(&self, prepared: Prepared, files: Vec<Received>) -> Answer {
        Self::perform(self, prepared, files).await
    }

    async fn complete(&self, request: &Request, focused: &str, typed: &str) -> Vec<Choice> {
        Self::complete(self, request, focused, typed).await
    }

    async fn joined(&self, place: &str, name: Option<&str>, at: DateTime<Utc>) {
        Self::joined(self, place, name, at).await;
    }

    async fn left(&self, place: &str, at: DateTime<Utc>) {
        Self::left(self, place, at).await;
    }

    fn permissions_changed(&self) {
        Self::permissions_changed(self);
    }

    fn metrics(&self) -> Metrics {
        Self::metrics(self).clone()
    }
}

/// What the adapter must be told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The API's origin: [`DISCORD`], or a stand-in such as `http://127.0.0.1:4321`.
    pub api: String,
    /// The bot's token.
    pub token: SecretString,
    /// Where the commands are registered: in this server, or everywhere.
    pub guild: Option<String>,
    /// The most bytes that an attached file may have.
    pub max_attachment_bytes: u64,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It was asked to stop.
    Stopped,
    /// The token is refused; what to do, in words.
    TokenRefused(String),
    /// Discord will not have us; why and what to do, in words.
    Fatal(String),
}

/// The connection to Discord, ready to [run](Self::run).
#[derive(Debug)]
pub struct Discord<R>(Adapter<App, R>);

impl<R: Remembered + 'static> Discord<R> {
    /// Sets the adapter up; nothing is sent yet. `standards` are the catalogue's, by id and title. Handlers are
    /// spawned on `tracker`, to be waited for after [`Self::run`] has ended. `Err` says what is wrong with the
    /// settings.
    pub fn connect(
        settings: Settings,
        app: App,
        clock: Arc<dyn Clock>,
        remembered: R,
        standards: &[(String, String)],
        cancel: CancellationToken,
        tracker: TaskTracker,
    ) -> Result<Self, String> {
        Adapter::new(settings, app, clock, remembered, standards, cancel, tracker).map(Self)
    }

    /// The outbound port; it works from now on, whatever becomes of the gateway.
    pub fn post(&self) -> DiscordPost {
        DiscordPost(Arc::clone(&self.0.shared))
    }

    /// True once a session has begun and the commands are registered.
    pub fn ready(&self) -> watch::Receiver<bool> {
        self.0.ready.subscribe()
    }

    /// How the gateway's connection stands.
    pub fn connection(&self) -> watch::Receiver<Connection> {
        self.0.connection.subscribe()
    }

    /// Connects, registers the commands and serves, until it is told to stop or Discord ends it for good.
    pub async fn run(self) -> End {
        self.0.run().await
    }
}

/// Asks Discord what `certkeeper doctor` wants to know.
#[derive(Debug)]
pub struct Probe(Shared);

impl Probe {
    /// A probe of the API at an origin; nothing is sent yet. `Err` says what is wrong with the address.
    pub fn new(api: &str, token: SecretString) -> Result<Self, String> {
        Ok(Self(Shared::new(Rest::new(api, token)?)))
    }

    /// The bot's own id. `Err` says in words why it could not be had.
    pub async fn whoami(&self) -> Result<String, String> {
        match self.0.me().await {
            Ok(id) => Ok(id.to_owned()),
            Err(Fault::Unauthorised) => Err(say::token_refused()),
            Err(fault) => Err(fault.to_string()),
        }
    }

    /// A channel's name, and by name what the bot lacks there.
    pub async fn missing(&self, channel: &str) -> Result<(String, Vec<String>), String> {
        self.0.missing(channel).await.map_err(|fault| fault.to_string())
    }

    /// Which of these roles a place no longer has.
    pub async fn roles_gone(&self, place: &str, roles: &[Ask]) -> Vec<Ask> {
        self.0.gone(place, roles).await
    }
}

/// What happened to servers, in order.
#[derive(Debug)]
enum Move {
    Joined { guild: String, name: Option<String> },
    Left { guild: String },
}

#[derive(Debug)]
struct Adapter<D, R> {
    shared: Arc<Shared>,
    desk: D,
    clock: Arc<dyn Clock>,
    remembered: Arc<R>,
    guild: Option<String>,
    commands: Vec<CreateCommand>,
    names: BTreeSet<String>,
    max_attachment_bytes: u64,
    cancel: CancellationToken,
    tracker: TaskTracker,
    ready: watch::Sender<bool>,
    connection: watch::Sender<Connection>,
}

impl<D: Desk, R: Remembered + 'static> Adapter<D, R> {
    fn new(
        settings: Settings,
        desk: D,
        clock: Arc<dyn Clock>,
        remembered: R,
        standards: &[(String, String)],
        cancel: CancellationToken,
        tracker: TaskTracker,
    ) -> Result<Self, String> {
        let tree = crate::command::grammar::tree();
        if let Some(guild) = settings.guild.as_deref().filter(|guild| !render::is_id(guild)) {
            return Err(format!("`{guild}` is no server's id"));
        }
        Ok(Self {
            shared: Arc::new(Shared::new(Rest::new(&settings.api, settings.token)?.counted(desk.metrics()))),
            desk,
            clock,
            remembered: Arc::new(remembered),
            guild: settings.guild,
            commands: commands(&tree, standards),
            names: tree.get_subcommands().map(|c| c.get_name().to_owned()).collect(),
            max_attachment_bytes: settings.max_attachment_bytes,
            cancel,
            tracker,
            ready: watch::Sender::new(false),
            connection: watch::Sender::new(Connection::Connecting),
        })
    }

    async fn run(self) -> End {
        let (moves, arriving) = mpsc::unbounded_channel();
        self.tracker.spawn(keep_places(
            self.desk.clone(),
            Arc::clone(&self.clock),
            Cleaner {
                shared: Arc::clone(&self.shared),
                remembered: Arc::clone(&self.remembered),
                guild: self.guild.clone(),
                cancel: self.cancel.clone(),
            },
            arriving,
        ));
        let handler = Arc::new(Handler {
            shared: Arc::clone(&self.shared),
            desk: self.desk.clone(),
            clock: Arc::clone(&self.clock),
            max_attachment_bytes: self.max_attachment_bytes,
            names: Mutex::new(HashMap::new()),
            seen: Mutex::new(Seen::default()),
        });
        let greeted = CancellationToken::new();
        let progress = Arc::new(Progress::default());
        let on_event = |event: Event| match event {
            Event::Ready | Event::Resumed => greeted.cancel(),
            Event::Joined { guild, name } => {
                handler.learn_name(&guild, name.as_deref());
                drop(moves.send(Move::Joined { guild, name }));
            }
            Event::PermissionsChanged => handler.desk.permissions_changed(),
            Event::RoleDeleted { guild } => {
                handler.shared.presence.forget_roles(&guild);
                handler.desk.permissions_changed();
            }
            Event::Left { guild } => drop(moves.send(Move::Left { guild })),
            Event::Interaction { raw, sequence, missed } => {
                let handler = Arc::clone(&handler);
                let arrived = Instant::now();
                let one_more = InFlight::begin(&progress, sequence);
                self.tracker.spawn(async move {
                    handler.handle(raw, missed, arrived).await;
                    drop(one_more);
                });
            }
        };
        let gateway = Gateway {
            rest: &self.shared.rest,
            state: &self.connection,
            clock: Arc::clone(&self.clock),
            remembered: Arc::clone(&self.remembered),
            progress: Arc::clone(&progress),
            cancel: self.cancel.clone(),
        };
        let set_up = async {
            self.register().await;
            greeted.cancelled().await;
            self.ready.send_replace(true);
            std::future::pending::<()>().await;
        };
        let end = tokio::select! {
            end = gateway.run(on_event) => end,
            () = set_up => GatewayEnd::Cancelled,
        };
        self.ready.send_replace(false);
        match end {
            GatewayEnd::Cancelled => End::Stopped,
            GatewayEnd::TokenRefused(why) => End::TokenRefused(why),
            GatewayEnd::Fatal(why) => End::Fatal(why),
        }
    }

    /// Registers the commands, until it succeeds.
    async fn register(&self) {
        let guild = self.guild.as_deref();
        let mut tries = 0;
        loop {
            let registered = async {
                let me = self.shared.me().await?;
                register::register(
                    &self.shared.rest,
                    me,
                    guild,
                    &self.commands,
                    &self.names,
                    self.remembered.as_ref(),
                )
                .await
            };
            let fault = match registered.await {
                Ok(()) => return,
                Err(fault) => fault,
            };
            tries += 1;
            let wait = match &fault {
                Fault::RateLimited { after } => *after + backoff(1, 30),
                Fault::Refused { message, .. } => {
                    tracing::error!("{}", say::cannot_register(guild, message));
                    Duration::from_mins(1)
                }
                // The gateway ends the run with the reason.
                Fault::Unauthorised => std::future::pending().await,
                Fault::Unreachable { .. } | Fault::Unknown { .. } => {
                    tracing::warn!(%fault, "the commands could not be registered yet");
                    backoff(tries, 30)
                }
            };
            tokio::time::sleep(wait).await;
        }
    }
}

/// Removes commands that an earlier set-up left in servers.
#[derive(Debug)]
struct Cleaner<R> {
    shared: Arc<Shared>,
    remembered: Arc<R>,
    guild: Option<String>,
    cancel: CancellationToken,
}

impl<R: Remembered> Cleaner<R> {
    async fn clean(&self, guild: &str) {
        if self.guild.as_deref() == Some(guild) {
            return;
        }
        let cleared = async {
            let me = self.shared.me().await?;
            register::clear(&self.shared.rest, me, Some(guild), self.remembered.as_ref()).await
        };
        if let Some(Err(fault)) = self.cancel.run_until_cancelled(cleared).await {
            tracing::debug!(guild, %fault, "can't tell whether an earlier set-up left commands in a server");
        }
    }
}

async fn keep_places<D: Desk, R: Remembered>(
    desk: D,
    clock: Arc<dyn Clock>,
    cleaner: Cleaner<R>,
    mut moved: mpsc::UnboundedReceiver<Move>,
) {
    while let Some(what) = moved.recv().await {
        let one = async {
            match what {
                Move::Joined { guild, name } => {
                    desk.joined(&place(&guild), name.as_deref(), clock.now()).await;
                    cleaner.clean(&guild).await;
                }
                Move::Left { guild } => desk.left(&place(&guild), clock.now()).await,
            }
        };
        if AssertUnwindSafe(one).catch_unwind().await.is_err() {
            desk.metrics().panicked(Caught::Server);
            tracing::error!("a server's coming or going could not be recorded: a panic");
        }
    }
}

/// The interactions seen lately.
#[derive(Debug, Default)]
struct Seen {
    ids: std::collections::HashSet<String>,
    order: std::collections::VecDeque<String>,
}

impl Seen {
    /// Whether it is new.
    fn first_time(&mut self, id: &str) -> bool {
        if !self.ids.insert(id.to_owned()) {
            return false;
        }
        self.order.push_back(id.to_owned());
        if self.order.len() > SEEN
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

/// Handles interactions.
#[derive(Debug)]
struct Handler<D> {
    shared: Arc<Shared>,
    desk: D,
    clock: Arc<dyn Clock>,
    max_attachment_bytes: u64,
    names: Mutex<HashMap<String, String>>,
    seen: Mutex<Seen>,
}

impl<D: Desk> Handler<D> {
    fn learn_name(&self, guild: &str, name: Option<&str>) {
        if let Some(name) = name {
            let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
            names.insert(place(guild), name.to_owned());
        }
    }

    async fn handle(&self, raw: String, missed: bool, arrived: Instant) {
        let Some(inbound) = inbound::read(&raw, self.clock.now()) else {
            tracing::warn!("an interaction could not be understood");
            return;
        };
        // An error's span, so that no filter takes the id away from what is logged.
        let span = tracing::error_span!("interaction", interaction = inbound.id);
        self.handle_one(inbound, missed, arrived).instrument(span).await;
    }

    async fn handle_one(&self, inbound: Inbound, missed: bool, arrived: Instant) {
        if !self.seen.lock().unwrap_or_else(PoisonError::into_inner).first_time(&inbound.id) {
            tracing::info!("delivered twice; handled once");
            return;
        }
        let reply = Reply::new(&self.shared, &inbound, missed, arrived);
        if AssertUnwindSafe(self.serve(inbound, &reply, arrived)).catch_unwind().await.is_err() {
            self.shared.rest.metrics().panicked(Caught::Interaction);
            tracing::error!("a panic while an interaction was handled");
            // Whether it was acknowledged before is not known: the one that is wrong is refused.
            if !reply.say(&say::broke(), false).await {
                reply.finish(Answer::Say { card: Box::new(say::broke()), public: false }, true).await;
            }
        }
    }

    async fn serve(&self, mut inbound: Inbound, reply: &Reply<'_>, arrived: Instant) {
        fault::point("interaction");
        let unclear = std::mem::take(&mut inbound.unclear);
        match inbound.what {
            What::Command(mut request) => {
                self.name_place(&mut request);
                if let (Some(channel), Some(held)) = (&request.channel, inbound.held) {
                    use serenity::model::permissions::Permissions;
                    let permitted = held.intersects(Permissions::EMBED_LINKS | Permissions::ADMINISTRATOR);
                    self.shared.note_embeds(channel, permitted);
                }
                self.clear_up(&mut request, unclear).await;
                self.go(self.desk.prepare(*request), reply, true, arrived).await;
            }
            What::Form { form, fields, mut request } => {
                self.name_place(&mut request);
                self.go(self.desk.resume(&form, fields, *request), reply, false, arrived).await;
            }
            What::Complete { mut request, focused, typed } => {
                self.name_place(&mut request);
                let choices = self.desk.complete(&request, &focused, &typed);
                let choices = tokio::time::timeout(SOON, choices).await.unwrap_or_default();
                reply.choices(&choices).await;
            }
            What::Elsewhere { completing: true } => {
                reply.choices(&[]).await;
            }
            What::Elsewhere { completing: false } => {
                reply.say(&say::servers_only(), false).await;
            }
            What::Component => {
                reply.say(&say::unknown_component(), false).await;
            }
            What::Unknown => {
                reply.say(&say::unknown_command(), false).await;
            }
            What::Ping => {}
        }
    }

    fn name_place(&self, request: &mut Request) {
        if request.place_name.is_none() {
            let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
            request.place_name = names.get(&request.place).cloned();
        }
    }

    /// Finds out what we may do in the channels that a command names, where Discord did not say.
    async fn clear_up(&self, request: &mut Request, unclear: Vec<String>) {
        for channel in unclear.into_iter().take(2) {
            let asked = tokio::time::timeout(PERMISSIONS, self.shared.missing(&channel)).await;
            if let Ok(Ok((name, missing))) = asked
                && let Some(known) = request.heard.channels.get_mut(&channel)
            {
                known.missing = Some(missing);
                if known.name.is_empty() {
                    known.name = name;
                }
            }
        }
    }

    /// Prepares, fetches, performs and answers; acknowledges first where that may take long.
    async fn go(
        &self,
        preparing: impl Future<Output = Result<Prepared, Answer>> + Send,
        reply: &Reply<'_>,
        form_possible: bool,
        arrived: Instant,
    ) {
        let soon = arrived + SOON;
        let mut preparing = std::pin::pin!(preparing);
        let mut deferred = None;
        let prepared = match tokio::time::timeout_at(soon, &mut preparing).await {
            Ok(prepared) => prepared,
            Err(_elapsed) => {
                if !reply.defer(false).await {
                    return;
                }
                deferred = Some(false);
                preparing.await
            }
        };
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(answer) => {
                match deferred {
                    None => drop(reply.answer(&answer, form_possible).await),
                    Some(public) => reply.finish(answer, public).await,
                }
                return;
            }
        };
        let public = prepared.public;
        if (reply.missed || !prepared.files.is_empty()) && deferred.is_none() {
            if !reply.defer(public).await {
                return;
            }
            deferred = Some(public);
        }
        let files = self.fetch(&prepared).await;
        let mut performing = std::pin::pin!(self.desk.perform(prepared, files));
        let answer = match deferred {
            Some(_) => performing.await,
            None => match tokio::time::timeout_at(soon, &mut performing).await {
                Ok(answer) => answer,
                Err(_elapsed) => {
                    reply.defer(public).await;
                    deferred = Some(public);
                    performing.await
                }
            },
        };
        match deferred {
            None => drop(reply.answer(&answer, form_possible).await),
            Some(public) => reply.finish(answer, public).await,
        }
    }

    async fn fetch(&self, prepared: &Prepared) -> Vec<Received> {
        let limit = self.max_attachment_bytes;
        let mut files = Vec::new();
        for (reference, file) in &prepared.files {
            let fetched = if file.size > limit {
                Err(FetchFault::TooLarge)
            } else {
                self.shared.rest.fetch(&file.from, limit).await
            };
            let bytes = fetched.map_err(|fault| match fault {
                FetchFault::NotAllowed => say::file_not_allowed(),
                FetchFault::TooLarge => say::file_too_large(limit),
                FetchFault::Failed(why) => say::file_failed(&why),
            });
            files.push(Received { reference: reference.clone(), bytes });
        }
        files
    }
}

#[cfg(test)]
mod tests;
