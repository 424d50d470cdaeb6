//! How a request is carried out, whichever door it came by.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;
use tracing::Instrument as _;

use super::grammar::{self, Command};
use super::option::{ChannelRef, RoleRef};
use super::{Actor, Door, Heard, HeardFile, SpokenAs, complete, lacking};
use crate::catalogue::Catalogue;
use crate::chat::Ask;
use crate::domain::organisation::{Manners, Organisation, Person};
use crate::fault;
use crate::metrics::{Came, Caught, Metrics};
use crate::say;
use crate::say::card::{Card, Line};
use crate::store::snapshot::Snapshot;
use crate::store::{self, Storage, Store, Write, journal, requests};

/// One thing that somebody asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The organisation's place in its chat: `discord:<guild id>`, or `console`.
    pub place: String,
    /// The place's name, if the door knows it.
    pub place_name: Option<String>,
    /// Which way it came.
    pub door: Door,
    /// Who asks.
    pub actor: Actor,
    /// The channel it was typed in, by the chat's id.
    pub channel: Option<String>,
    /// When it arrived.
    pub at: DateTime<Utc>,
    /// The door's id of the request (the interaction's id): the same one acts once.
    pub key: Option<String>,
    /// The command line: `["nc", "close", "--nc=NC-4"]`.
    pub argv: Vec<String>,
    /// What the door knows about what the line names.
    pub heard: Heard,
}

/// A request that was understood and allowed, ready to be carried out.
#[derive(Debug)]
pub struct Prepared {
    /// The request.
    pub request: Request,
    /// The files to fetch before it is carried out, by their reference in the line. Not empty: acknowledge
    /// (defer) first, fetching may take seconds.
    pub files: Vec<(String, HeardFile)>,
    /// Whether the answer, when all goes well, is shown to the whole channel.
    pub public: bool,
    /// What was understood.
    pub command: Command,
    /// What was on record then.
    pub snapshot: Arc<Snapshot>,
}

/// A file that was fetched.
#[derive(Debug, Clone)]
pub struct Received {
    /// Its reference in the line.
    pub reference: String,
    /// Its contents, or in words why they could not be had.
    pub bytes: Result<Vec<u8>, String>,
}

/// What a request comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// Say this.
    Say {
        /// What.
        card: Box<Card>,
        /// To the whole channel, or only to whoever asked.
        public: bool,
    },
    /// Ask for more in a form (a modal); its answer comes back through [`App::resume`].
    Ask(Form),
}

/// A form to fill in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// Its id, to hand back (at most 80 characters of `[a-z0-9:-]`).
    pub id: String,
    /// Its title, at most 45 characters.
    pub title: String,
    /// Its inputs, one to five.
    pub inputs: Vec<Input>,
}

/// One long text that a form asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// The option's name.
    pub name: String,
    /// What is asked, at most 45 characters.
    pub label: String,
    /// A hint in the empty box, at most 100 characters.
    pub hint: String,
    /// Whether it may be left empty.
    #[serde(default)]
    pub optional: bool,
}

/// One completion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What is shown, at most 100 characters.
    pub label: String,
    /// What it stands for, at most 100 characters.
    pub value: String,
}

/// Why a request ends without being carried out.
#[derive(Debug)]
pub(super) enum Stop {
    /// The rules or the input do not allow it: a sentence that says what to do.
    Refused(Line),
    /// Something of ours broke.
    Fault(store::Fault),
}

impl From<Line> for Stop {
    fn from(words: Line) -> Self {
        Self::Refused(words)
    }
}

impl<E: Into<store::Fault>> From<E> for Stop {
    fn from(fault: E) -> Self {
        Self::Fault(fault.into())
    }
}

/// What a command came to: what is said, and whether the whole channel may read it.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) card: Card,
    pub(super) public: bool,
}

impl Reply {
    /// For whoever asked only. A `Result`, since it ends what may stop.
    #[expect(clippy::unnecessary_wraps, reason = "it is how a command ends")]
    pub(super) fn private(card: Card) -> Result<Self, Stop> {
        Ok(Self { card, public: false })
    }

    /// For the whole channel; where the organisation wants privacy, without what people typed.
    pub(super) fn told(org: &Organisation, card: Card) -> Result<Self, Stop> {
        Self::public(if org.minimal { card.discreet() } else { card })
    }

    /// For the whole channel.
    #[expect(clippy::unnecessary_wraps, reason = "it is how a command ends")]
    pub(super) fn public(card: Card) -> Result<Self, Stop> {
        Ok(Self { card, public: true })
    }
}

/// What a command that only reads works with.
#[derive(Debug)]
pub(super) struct Read<'a> {
    pub(super) store: &'a Store,
    pub(super) snapshot: &'a Snapshot,
    pub(super) org: &'a Organisation,
    pub(super) request: &'a Request,
    pub(super) catalogue: &'a Catalogue,
    pub(super) today: NaiveDate,
    /// The roles that were found deleted.
    pub(super) roles_gone: Vec<String>,
}

/// What a command that changes something works with.
#[derive(Debug)]
pub(super) struct Change<'a> {
    pub(super) w: Write<'static>,
    pub(super) store: &'a Store,
    /// What was on record before the change.
    pub(super) before: Arc<Snapshot>,
    pub(super) org: Organisation,
    pub(super) by: Person,
    pub(super) request: &'a Request,
    pub(super) catalogue: &'a Catalogue,
    pub(super) today: NaiveDate,
    pub(super) files: &'a [Received],
    /// Why, for the journal, where the command takes a reason.
    pub(super) reason: Option<String>,
}

impl Change<'_> {
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.request.at
    }

    /// The person that an option names, entered as needed.
    pub(super) async fn person(&mut self, handle: &str) -> Result<Person, Stop> {
        let handle = handle.trim().trim_start_matches("<@").trim_start_matches('@').trim_end_matches('>');
        let name = self.request.heard.people.get(handle).cloned();
        if let Some(known) = self.before.person(handle, name.as_deref()) {
            return Ok(known.clone());
        }
        Ok(store::person::known(&mut self.w, self.org.id, handle, name.as_deref()).await?)
    }

    /// The channel that an option names: one that the chat itself says is there. What it does not know may be
    /// another organisation's.
    pub(super) fn channel(&self, named: &ChannelRef) -> Result<String, Stop> {
        if self.request.heard.channels.contains_key(&named.0) {
            Ok(named.0.clone())
        } else {
            Err(Stop::Refused(say::refusal::no_channel(&named.0)))
        }
    }

    /// The role that an option names; the one that everybody in a server holds (its id is the server's) is none.
    pub(super) fn role(&self, option: &str, named: &RoleRef) -> Result<String, Stop> {
        if self.request.place.strip_prefix("discord:") == Some(named.0.as_str()) {
            return Err(Stop::Refused(say::refusal::everybodys_role(option)));
        }
        Ok(named.0.clone())
    }

    /// The person that a name in a text stands for: one known here by name, handle or mention; where names are no
    /// handles (a chat), nobody else.
    pub(super) async fn named(&mut self, name: &str) -> Result<Person, Stop> {
        let bare = name.trim().trim_start_matches(['<', '@', '!']).trim_end_matches('>');
        let lower = bare.to_lowercase();
        let known = self.before.people.iter().find(|p| p.handle == bare || p.name.to_lowercase() == lower);
        if let Some(known) = known {
            return Ok(known.clone());
        }
        let is_id = (15..=20).contains(&bare.len()) && bare.bytes().all(|b| b.is_ascii_digit());
        if bare.is_empty() || (self.request.place.starts_with("discord:") && !is_id) {
            return Err(Stop::Refused(say::work::nobody(name)));
        }
        Ok(store::person::known(&mut self.w, self.org.id, bare, None).await?)
    }

    /// The contents of a file that an option names, with its name and type; in a rehearsal, nothing.
    pub(super) fn file(&self, reference: &str) -> Result<Option<(&HeardFile, &[u8])>, Stop> {
        let heard = self.request.heard.files.get(reference);
        let received = self.files.iter().find(|f| f.reference == reference);
        match (heard, received) {
            (Some(heard), Some(Received { bytes: Ok(bytes), .. })) => Ok(Some((heard, bytes))),
            (Some(heard), Some(Received { bytes: Err(why), .. })) => {
                Err(Stop::Refused(say::refusal::file_not_had(&heard.name, why)))
            }
            (Some(_), None) => Ok(None),
            (None, _) => Err(Stop::Refused(say::refusal::no_such_file(reference))),
        }
    }
}

/// What an organisation begins with.
#[derive(Debug, Clone, Copy)]
pub struct Defaults {
    /// The zone of its dates.
    pub zone: Tz,
    /// The local hour of its posts.
    pub hour: u32,
}

/// The application: the one thing that every door talks to. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    catalogue: Arc<Catalogue>,
    defaults: Defaults,
    changed: Notify,
    permissions_changed: AtomicBool,
    metrics: Metrics,
    storage_failed: AtomicBool,
    /// By place, the roles that it names and that were deleted.
    roles_gone: Mutex<HashMap<String, Vec<String>>>,
}

impl App {
    /// An application on a store.
    pub fn new(store: Store, catalogue: Arc<Catalogue>, defaults: Defaults) -> Self {
        Self(Arc::new(Inner {
            metrics: Metrics::new(store.commits().clone()),
            store,
            catalogue,
            defaults,
            changed: Notify::new(),
            permissions_changed: AtomicBool::new(false),
            storage_failed: AtomicBool::new(false),
            roles_gone: Mutex::default(),
        }))
    }

    /// The store it works on.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// What is counted.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// The standards and programmes it knows.
    pub fn catalogue(&self) -> &Arc<Catalogue> {
        &self.0.catalogue
    }

    /// Waits until a change was made that may have given the notifier something to say.
    pub async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// Permissions have changed somewhere: channels that refused may take messages again.
    pub fn permissions_changed(&self) {
        self.0.permissions_changed.store(true, Ordering::Relaxed);
        self.0.changed.notify_one();
    }

    /// Whether permissions have changed since this was asked last.
    pub fn take_permissions_changed(&self) -> bool {
        self.0.permissions_changed.swap(false, Ordering::Relaxed)
    }

    /// Whether the storage has failed a command since this was asked last.
    pub fn take_storage_failed(&self) -> bool {
        self.0.storage_failed.swap(false, Ordering::Relaxed)
    }

    /// Which of the roles that a place names were found deleted.
    pub fn set_roles_gone(&self, place: &str, gone: Vec<Ask>) {
        let gone = gone.into_iter().filter_map(|ask| match ask {
            Ask::Role(role) => Some(role),
            Ask::Person(_) => None,
        });
        let mut all = self.0.roles_gone.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(place.to_owned(), gone.collect());
    }

    fn roles_gone(&self, place: &str) -> Vec<String> {
        let all = self.0.roles_gone.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(place).cloned().unwrap_or_default()
    }

    /// Understands a request and checks that the actor may make it; writes nothing but a form's draft.
    /// `Err` is the answer to give at once (a refusal, or a form to fill in).
    pub async fn prepare(&self, request: Request) -> Result<Prepared, Answer> {
        let (at, argv) = (request.at, request.argv.clone());
        // What was typed is nobody's label before it is known to be a command.
        let verb = || grammar::parse(&argv).map_or("unknown", |command| command.verb());
        match self.prepare_inner(request).await {
            Ok(Err(answer)) => {
                if let Answer::Ask(_) = &answer {
                    self.0.metrics.command(verb(), Came::Asked, None);
                }
                Err(answer)
            }
            Ok(Ok(prepared)) => Ok(prepared),
            Err(stop) => Err(self.stopped(stop, at, verb())),
        }
    }

    async fn prepare_inner(&self, request: Request) -> Result<Result<Prepared, Answer>, Stop> {
        let command = grammar::parse(&request.argv).map_err(|e| say::refusal::grammar(&e, &request.argv))?;
        let snapshot = self.snapshot(&request).await?;
        if let Command::Nc(grammar::Nc::Next(next)) = &command {
            return self.question(&snapshot, &request, next).await;
        }
        super::allow::check(&snapshot, &command, &request)?;
        let lacking = lacking::texts(&command, &request.argv);
        let files = lacking::files(&request.argv, &request.heard)?;
        if !lacking.is_empty() || !files.is_empty() {
            if let Some(answer) = self.answered(&request).await? {
                return Ok(Err(answer));
            }
            // Rehearsed before anybody writes a long text or an answer is deferred: a step that would be
            // refused is refused now.
            let filled = lacking::filled(&request.argv, &lacking);
            let rehearsed = grammar::parse(&filled).map_err(|e| say::refusal::grammar(&e, &filled))?;
            self.rehearse(rehearsed, &request).await?;
        }
        if !lacking.is_empty() {
            return self.ask(&request, &command, lacking).await.map(Err);
        }
        let rehearsal = matches!(&command, Command::Import(import) if import.apply != Some(true));
        let public = command.changes() && !rehearsal;
        Ok(Ok(Prepared { request, files, public, command, snapshot }))
    }

    /// What `/nc next` comes to: the form of the step that is missing, as if its own command had been given; the
    /// command itself where there is nothing to ask.
    async fn question(
        &self,
        snapshot: &Snapshot,
        request: &Request,
        next: &super::deeper::Next,
    ) -> Result<Result<Prepared, Answer>, Stop> {
        let nc = super::find::nonconformity(&snapshot.nonconformities, &next.nc)?;
        let evidence =
            store::evidence::count(&mut *self.0.store.read().await?, snapshot.organisation.id, nc.id).await?;
        let (argv, inputs) = super::deeper::question(snapshot, request, nc, evidence)?;
        let request = Request { argv, ..request.clone() };
        if inputs.is_empty() {
            return Box::pin(self.prepare_inner(request)).await;
        }
        if let Some(answer) = self.answered(&request).await? {
            return Ok(Err(answer));
        }
        let mut filled = lacking::filled(&request.argv, &inputs);
        for word in &mut filled {
            match word.as_str() {
                "--due=-" => "--due=tomorrow".clone_into(word),
                "--effective=-" => "--effective=true".clone_into(word),
                "--link=-" => "--link=https://example.com".clone_into(word),
                _ => {}
            }
        }
        let command = grammar::parse(&filled).map_err(|e| say::refusal::grammar(&e, &filled))?;
        super::allow::check(snapshot, &command, &request)?;
        self.rehearse(command.clone(), &request).await?;
        self.ask(&request, &command, inputs).await.map(Err)
    }

    /// Takes a filled-in form (`fields`: option name → text) up again as the command line that it interrupted;
    /// `request.argv` is ignored.
    pub async fn resume(
        &self,
        form: &str,
        fields: Vec<(String, String)>,
        mut request: Request,
    ) -> Result<Prepared, Answer> {
        let at = request.at;
        let waiting = async {
            let mut c = self.0.store.read().await?;
            let Some(org) = store::organisation::at_place(&mut c, &request.place).await? else {
                return Ok(None);
            };
            requests::form(&mut c, org.id, form).await
        }
        .await
        .map_err(|e| self.stopped(Stop::Fault(e), at, "form"))?;
        let Some(waiting) = waiting.filter(|w| w.handle == request.actor.handle) else {
            return Err(refused(say::refusal::form_gone()));
        };
        request.argv = waiting.argv;
        for (name, text) in fields {
            if !text.trim().is_empty() {
                request.argv.push(format!("--{name}={}", text.trim()));
            }
        }
        let seen_now = std::mem::replace(&mut request.heard, waiting.heard);
        request.heard.people.extend(seen_now.people);
        request.heard.channels.extend(seen_now.channels);
        request.heard.files.extend(seen_now.files);
        self.prepare(request).await
    }

    /// Carries a prepared request out, in one transaction, on disk before it returns.
    pub async fn perform(&self, prepared: Prepared, files: Vec<Received>) -> Answer {
        let Prepared { request, command, snapshot, .. } = prepared;
        let (at, verb, began) = (request.at, command.verb(), Instant::now());
        // A task of its own: a caller that goes away must not cut a transaction in two.
        let app = self.clone();
        let performed = async move {
            if command.changes() {
                app.change(command, &request, &files).await
            } else {
                app.read(command, &request, &snapshot).await
            }
        };
        let metrics = &self.0.metrics;
        match tokio::spawn(performed.in_current_span()).await {
            Ok(Ok(answer)) => {
                let took = began.elapsed();
                metrics.command(verb, Came::Done, Some(took));
                tracing::info!(verb, milliseconds = took.as_millis(), "answered");
                answer
            }
            Ok(Err(stop)) => self.stopped(stop, at, verb),
            Err(panic) => {
                metrics.panicked(Caught::Command);
                metrics.command(verb, Came::Failed, None);
                // A panic's words may quote what a person wrote; where it was is logged by the hook.
                let reference = reference(at, &panic.to_string());
                tracing::error!(reference, verb, "a command panicked");
                refused(say::refusal::broken(&reference))
            }
        }
    }

    async fn read(&self, command: Command, request: &Request, snapshot: &Snapshot) -> Result<Answer, Stop> {
        let org = &snapshot.organisation;
        let today = org.day_of(request.at);
        let roles_gone = self.roles_gone(&org.place);
        let cx = Read {
            store: &self.0.store,
            snapshot,
            org,
            request,
            catalogue: &self.0.catalogue,
            today,
            roles_gone,
        };
        let reply = command.read(&cx).await?;
        Ok(Answer::Say { card: Box::new(reply.card), public: reply.public })
    }

    /// Begins a change: the transaction, the organisation and the actor in it.
    async fn begin<'a>(&'a self, request: &'a Request, files: &'a [Received]) -> Result<Change<'a>, Stop> {
        let mut w = self.0.store.write().await?;
        let mut before = self.snapshot(request).await?;
        if before.organisation.id == 0 {
            let Organisation { place, name, zone, hour, .. } = &before.organisation;
            let name = if name.is_empty() { place } else { name };
            let id = store::organisation::insert(&mut w, place, name, *zone, *hour, request.at).await?;
            before = Arc::new(Snapshot::blank(store::organisation::get(w.connection(), id).await?));
        }
        let org = before.organisation.clone();
        let actor = &request.actor;
        let by = match before.person(&actor.handle, Some(&actor.name)) {
            Some(known) => known.clone(),
            None => store::person::known(&mut w, org.id, &actor.handle, Some(&actor.name)).await?,
        };
        let today = org.day_of(request.at);
        Ok(Change {
            w,
            store: &self.0.store,
            before,
            org,
            by,
            request,
            catalogue: &self.0.catalogue,
            today,
            files,
            reason: None,
        })
    }

    async fn change(&self, command: Command, request: &Request, files: &[Received]) -> Result<Answer, Stop> {
        let verb = command.verb();
        let mut cx = self.begin(request, files).await?;
        let reply = match command.change(&mut cx).await {
            Ok(reply) => reply,
            // What was carried out before may not be possible a second time: it gets its answer again.
            Err(stop) => return self.earlier(cx.w, request).await?.ok_or(stop),
        };
        let answer = Answer::Say { card: Box::new(reply.card), public: reply.public };
        let Change { mut w, before, org, by, reason, .. } = cx;
        if let Some(key) = &request.key {
            let kept = serde_json::to_string(&answer).map_err(store::Fault::from)?;
            if !requests::answered(&mut w, org.id, key, request.at, &kept).await? {
                return Ok(self.earlier(w, request).await?.unwrap_or(answer));
            }
        }
        let entry = journal::Entry {
            at: request.at,
            door: request.door,
            actor: by.id,
            verb,
            reason: reason.as_deref(),
        };
        w.journal(&org, &before.journal, entry).await?;
        fault::point("change-before-commit");
        w.commit().await?;
        fault::point("changed");
        self.0.changed.notify_one();
        // Read again while nobody waits for it.
        let (store, place) = (self.0.store.clone(), org.place);
        tokio::spawn(async move { store.snapshot(&place).await.map(drop) });
        tracing::info!(verb, door = journal::door_name(request.door), organisation = org.id, "recorded");
        Ok(answer)
    }

    /// The answer given to a request that was carried out before; whatever was begun for it now is taken back.
    async fn earlier(&self, w: Write<'_>, request: &Request) -> Result<Option<Answer>, Stop> {
        w.roll_back().await?;
        self.answered(request).await
    }

    /// The answer given to a request that was carried out before.
    async fn answered(&self, request: &Request) -> Result<Option<Answer>, Stop> {
        let Some(key) = &request.key else { return Ok(None) };
        let answer = requests::answer(&mut *self.0.store.read().await?, key).await?;
        Ok(answer.map(|a| serde_json::from_str(&a)).transpose().map_err(store::Fault::from)?)
    }

    /// Carries a command out and takes it back: whether it would be refused.
    async fn rehearse(&self, command: Command, request: &Request) -> Result<(), Stop> {
        if !command.changes() {
            return Ok(());
        }
        let mut cx = self.begin(request, &[]).await?;
        command.change(&mut cx).await?;
        Ok(cx.w.roll_back().await?)
    }

    async fn ask(&self, request: &Request, command: &Command, inputs: Vec<Input>) -> Result<Answer, Stop> {
        let mut cx = self.begin(request, &[]).await?;
        let entry = journal::Entry {
            at: request.at,
            door: request.door,
            actor: cx.by.id,
            verb: "person",
            reason: None,
        };
        cx.w.journal(&cx.org, &cx.before.journal, entry).await?;
        let seed = format!("{:?}{}{}{:?}", request.key, request.actor.handle, request.at, request.argv);
        let id: String = journal::hex(&Sha256::digest(seed)).chars().take(20).collect();
        let waiting = requests::Waiting {
            handle: request.actor.handle.clone(),
            argv: request.argv.clone(),
            heard: request.heard.clone(),
        };
        requests::keep_form(&mut cx.w, cx.org.id, &id, &waiting, request.at).await?;
        cx.w.commit().await?;
        Ok(Answer::Ask(Form { id, title: say::help::form_title(command.verb()), inputs }))
    }

    /// What is on record of the organisation that a request is about; where it is not known yet, what it would
    /// begin as (its key is 0).
    pub(super) async fn snapshot(&self, request: &Request) -> Result<Arc<Snapshot>, Stop> {
        Ok(match self.0.store.snapshot(&request.place).await? {
            Some(known) => known,
            None => Arc::new(Snapshot::blank(Organisation {
                id: 0,
                place: request.place.clone(),
                name: request.place_name.clone().unwrap_or_default(),
                zone: self.0.defaults.zone,
                hour: self.0.defaults.hour,
                channel: None,
                manager_role: None,
                auditor_role: None,
                minimal: false,
                manners: Manners::default(),
            })),
        })
    }

    /// Completions for the option `focused` of which `typed` stands there so far; `request.argv` holds the
    /// rest of the line. At most 25.
    pub async fn complete(&self, request: &Request, focused: &str, typed: &str) -> Vec<Choice> {
        match complete::complete(self, request, focused, typed).await {
            Ok(choices) => choices,
            Err(Stop::Refused(_)) => Vec::new(),
            Err(Stop::Fault(fault)) => {
                tracing::error!(error = &fault as &dyn std::error::Error, "a completion failed");
                Vec::new()
            }
        }
    }

    /// A place has (or may have) become known: the bot was added to a server, or found itself there at start.
    pub async fn joined(&self, place: &str, name: Option<&str>, _at: DateTime<Utc>) {
        self.present(place, true, name).await;
    }

    /// The bot was removed from a place: nothing is posted there any more; the records are kept.
    pub async fn left(&self, place: &str, _at: DateTime<Utc>) {
        self.present(place, false, None).await;
    }

    async fn present(&self, place: &str, present: bool, name: Option<&str>) {
        let done = async {
            // Nothing is on record before somebody sets the bot up; most events change nothing.
            let known = store::organisation::presence(&mut *self.0.store.read().await?, place).await?;
            let Some((was, was_name)) = known else { return Ok(()) };
            if was == present && name.is_none_or(|n| n == was_name) {
                return Ok(());
            }
            let mut w = self.0.store.write().await?;
            store::organisation::set_present(&mut w, place, present, name).await?;
            w.commit().await
        }
        .await;
        match done {
            Ok(()) => self.0.changed.notify_one(),
            Err(fault) => {
                let fault: store::Fault = fault;
                tracing::error!(
                    error = &fault as &dyn std::error::Error,
                    place,
                    "presence could not be kept"
                );
            }
        }
    }

    /// What is said where a request stopped; a fault is logged under a reference that the person gets.
    fn stopped(&self, stop: Stop, at: DateTime<Utc>, verb: &str) -> Answer {
        match stop {
            Stop::Refused(words) => {
                self.0.metrics.command(verb, Came::Refused, None);
                tracing::info!(verb, "refused");
                refused(words)
            }
            Stop::Fault(fault) => {
                self.0.metrics.command(verb, Came::Failed, None);
                let reference = reference(at, &format!("{fault:?}"));
                tracing::error!(
                    reference,
                    verb,
                    error = &fault as &dyn std::error::Error,
                    path = %self.0.store.path().display(),
                    "a command failed; nothing was changed"
                );
                let storage = fault.storage();
                if storage.is_some() {
                    // The notifier looks at the storage now, and says how it is to whoever looks after the process.
                    self.0.storage_failed.store(true, Ordering::Relaxed);
                    self.0.changed.notify_one();
                }
                refused(match storage {
                    Some(Storage::Full) => say::refusal::full(),
                    Some(Storage::Failing) => say::refusal::storage_failing(&reference),
                    None => say::refusal::broken(&reference),
                })
            }
        }
    }
}

/// A refusal: for whoever asked only.
fn refused(words: Line) -> Answer {
    Answer::Say { card: Box::new(say::refusal::card(words)), public: false }
}

/// A short mark under which the log tells more.
fn reference(at: DateTime<Utc>, what: &str) -> String {
    journal::hex(&Sha256::digest(format!("{at}{what}"))).chars().take(8).collect()
}

/// Whether the actor counts as a manager of the organisation.
pub(super) fn manages(actor: &Actor, org: &Organisation) -> bool {
    match actor.spoken_as {
        Some(SpokenAs::Manager) => true,
        Some(SpokenAs::Auditor | SpokenAs::Member) => false,
        None => actor.manages_place || org.manager_role.as_ref().is_some_and(|r| actor.roles.contains(r)),
    }
}

/// Whether the actor counts as an internal auditor of the organisation.
pub(super) fn audits(actor: &Actor, org: &Organisation) -> bool {
    match actor.spoken_as {
        Some(SpokenAs::Auditor) => true,
        Some(SpokenAs::Manager | SpokenAs::Member) => false,
        None => org.auditor_role.as_ref().is_some_and(|r| actor.roles.contains(r)),
    }
}
