//! A conversation at the console: who speaks, what they type, what is answered; and the posts of the daemon that
//! stands behind it.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::files;
use super::line::{self, Typed};
use super::render::{self, Style};
use super::svg::Block;
use crate::chat::{Ask, CannotTell, Looked, Outgoing, Own, Post, Posted};
use crate::clock::Clock;
use crate::command::grammar::tree;
use crate::command::{Actor, Answer, App, Choice, Door, Form, Heard, Received, Request, SpokenAs};
use crate::say;
use crate::say::card::{Card, Tone};
use crate::store;

/// The place of the console's organisation.
pub const PLACE: &str = "console";
/// The largest file that is taken from a path, in bytes.
const MOST_BYTES: u64 = 26_214_400;

/// Where everything is shown, and remembered for the picture.
#[derive(Debug, Clone)]
pub struct Stage(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    style: Style,
    zone: Tz,
    blocks: Vec<Block>,
}

impl Stage {
    /// A stage that prints in this style.
    pub fn new(style: Style) -> Self {
        Self(Arc::new(Mutex::new(Inner { style, zone: Tz::UTC, blocks: Vec::new() })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was shown so far.
    pub fn blocks(&self) -> Vec<Block> {
        self.inner().blocks.clone()
    }

    /// Prints text as it is. A reader that has gone away is no fault of ours.
    pub fn print(text: &str) {
        let mut out = std::io::stdout().lock();
        if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
            tracing::debug!("standard output is closed");
        }
    }

    fn card(&self, card: &Card) {
        let mut inner = self.inner();
        Self::print(&format!("{}\n", render::render(card, inner.style)));
        inner.blocks.push(Block::Card(card.clone()));
    }

    /// Shows a line that somebody typed.
    pub fn typed(&self, who: &str, line: &str) {
        Self::print(&format!("{who}> {line}\n"));
        self.inner().blocks.push(Block::Typed { who: who.to_owned(), line: line.to_owned() });
    }

    /// Shows that time passes.
    pub fn note(&self, words: &str) {
        Self::print(&format!("— {words} —\n\n"));
        self.inner().blocks.push(Block::Note(words.to_owned()));
    }
}

/// The console's side of delivery: a post is printed as its channel would show it.
#[derive(Debug, Clone)]
pub struct ConsolePost {
    /// Where it is shown.
    pub stage: Stage,
    /// The clock it is dated by.
    pub clock: Arc<dyn Clock>,
}

impl Post for ConsolePost {
    async fn post(&self, message: &Outgoing) -> Posted {
        let mut inner = self.stage.inner();
        let at = self.clock.now().with_timezone(&inner.zone);
        let cards = std::slice::from_ref(&message.card);
        let shown = render::message(&message.channel, &at, cards, &message.ask, inner.style);
        Stage::print(&format!("{shown}\n"));
        inner.blocks.push(Block::Post { channel: message.channel.clone(), at, asks: message.ask.clone() });
        inner.blocks.push(Block::Card(message.card.clone()));
        Posted::Sent { message: message.nonce.clone() }
    }

    async fn look(&self, _channel: &str, _reference: &str, _since: DateTime<Utc>) -> Looked {
        Looked::Absent
    }

    fn holds(&self, _channel: &str, _card: &Card) -> bool {
        true
    }

    async fn gone(&self, _place: &str, _asked: &[Ask]) -> Vec<Ask> {
        Vec::new()
    }

    async fn open(&self, _channel: &str) -> bool {
        true
    }

    async fn said(&self, _channel: &str, _since: DateTime<Utc>) -> Result<Vec<Own>, CannotTell> {
        Ok(Vec::new())
    }
}

/// Who is asked for what a form lacks: the label goes in, the text comes back.
pub type AskForm<'a> = dyn FnMut(&str) -> Option<String> + Send + 'a;

/// A conversation.
#[derive(Debug, Clone)]
pub struct Session {
    app: App,
    clock: Arc<dyn Clock>,
    stage: Stage,
    place: String,
    door: Door,
    speaker: String,
    roles: HashMap<String, SpokenAs>,
    asks_again: bool,
}

/// How a line ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on; it went well.
    Done,
    /// Go on; it was refused or not understood.
    Refused,
    /// The person leaves.
    Quit,
}

impl Session {
    /// A conversation that `speaker` begins as a manager.
    pub fn new(
        app: App,
        clock: Arc<dyn Clock>,
        stage: Stage,
        place: &str,
        door: Door,
        speaker: &str,
    ) -> Self {
        let (place, speaker) = (place.to_owned(), speaker.to_owned());
        Self { app, clock, stage, place, door, speaker, roles: HashMap::new(), asks_again: false }
    }

    /// The same, where the caller itself asks for what a form lacks and gives the line again.
    #[must_use]
    pub fn asking_again(self) -> Self {
        Self { asks_again: true, ..self }
    }

    /// Who speaks.
    pub fn speaker(&self) -> &str {
        &self.speaker
    }

    /// Somebody else speaks; without a role, in the one they had, else as a manager.
    pub fn speak_as(&mut self, name: &str, role: Option<SpokenAs>) {
        name.clone_into(&mut self.speaker);
        if let Some(role) = role {
            self.roles.insert(name.to_owned(), role);
        }
    }

    fn role(&self) -> SpokenAs {
        self.roles.get(&self.speaker).copied().unwrap_or(SpokenAs::Manager)
    }

    fn request(&self, argv: Vec<String>, heard: Heard) -> Request {
        let at_console = self.place == PLACE;
        Request {
            place: self.place.clone(),
            place_name: at_console.then(|| "the console".to_owned()),
            door: self.door,
            actor: Actor {
                handle: self.speaker.clone(),
                name: self.speaker.clone(),
                roles: Vec::new(),
                manages_place: false,
                spoken_as: Some(self.role()),
            },
            channel: at_console.then(|| "isms".to_owned()),
            at: self.clock.now(),
            key: None,
            argv,
            heard,
        }
    }

    /// Carries out a line as it was typed.
    pub async fn line(&mut self, typed: &str, ask: &mut AskForm<'_>) -> Flow {
        match line::read(&tree(), typed) {
            Typed::Nothing => Flow::Done,
            Typed::Quit => Flow::Quit,
            Typed::As { name, role } => {
                self.speak_as(&name, role);
                let role = match self.role() {
                    SpokenAs::Manager => "manager",
                    SpokenAs::Auditor => "auditor",
                    SpokenAs::Member => "member",
                };
                Stage::print(&format!("{} speaks now, as {role}\n\n", render::clean(&name)));
                Flow::Done
            }
            Typed::Wrong(words) => {
                self.stage.card(&say::refusal::card(words.into()));
                Flow::Refused
            }
            Typed::Line(argv) => self.argv(argv, ask).await,
        }
    }

    /// Carries out a command line.
    pub async fn argv(&mut self, argv: Vec<String>, ask: &mut AskForm<'_>) -> Flow {
        let heard = files::hear(&tree(), &argv);
        let request = self.request(argv, heard);
        let mut prepared = self.app.prepare(request.clone()).await;
        if let Err(Answer::Ask(form)) = &prepared {
            let Some(fields) = fill(form, ask) else {
                if self.asks_again {
                    return Flow::Refused;
                }
                self.stage.card(&say::refusal::card(say::refusal::form_needed(form)));
                return Flow::Refused;
            };
            let id = form.id.clone();
            prepared = self.app.resume(&id, fields, request).await;
        }
        let answer = match prepared {
            Ok(prepared) => {
                let mut received = Vec::new();
                for (reference, file) in &prepared.files {
                    received.push(Received {
                        reference: reference.clone(),
                        bytes: files::fetch(file, MOST_BYTES).await,
                    });
                }
                self.app.perform(prepared, received).await
            }
            Err(answer) => answer,
        };
        self.remember_zone().await;
        let Answer::Say { card, .. } = answer else { return Flow::Refused };
        self.stage.card(&card);
        if card.tone == Tone::Refusal { Flow::Refused } else { Flow::Done }
    }

    async fn remember_zone(&self) {
        if let Ok(mut c) = self.app.store().read().await
            && let Ok(Some(org)) = store::organisation::at_place(&mut c, &self.place).await
        {
            self.stage.inner().zone = org.zone;
        }
    }

    /// Completions for a value, for the prompt.
    pub async fn complete(&self, argv: Vec<String>, focused: &str, typed: &str) -> Vec<Choice> {
        let request = self.request(argv, Heard::default());
        self.app.complete(&request, focused, typed).await
    }
}

fn fill(form: &Form, ask: &mut AskForm<'_>) -> Option<Vec<(String, String)>> {
    form.inputs
        .iter()
        .map(|i| match ask(&i.label).filter(|t| !t.trim().is_empty()) {
            None if i.optional => Some((i.name.clone(), String::new())),
            given => given.map(|t| (i.name.clone(), t)),
        })
        .collect()
}
