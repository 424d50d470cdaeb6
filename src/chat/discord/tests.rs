//! The adapter with a simpler desk behind it and a small Discord of its own in front of it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::chat::{Ask, Looked, Outgoing, Post as _, Posted};
use crate::clock::SystemClock;
use crate::command::{Form, Input};
use crate::say::card::{Card, Line, Tone};
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
    async fn prepare(&self, request: Request) -> Result<Prepared, Answer> {
        self.note(format!("prepare {}", request.argv.join(" ")));
        let words: Vec<&str> = request.argv.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["nc", "close", rest @ ..] if !rest.iter().any(|w| w.starts_with("--note")) => Err(Answer::Ask(Form {
                id: "f1".into(),
                title: "Close".into(),
                inputs: vec![Input { name: "note".into(), label: "Note".into(), hint: "why".into() }],
            })),
            ["audit", "list", ..] => {
                tokio::time::sleep(Duration::from_secs(2)).await;
                Ok(Prepared { request, files: vec![], public: true })
            }
            ["certificate", "list", ..] => panic!("on purpose"),
            _ => {
                let files = request.heard.files.clone().into_iter().collect();
                Ok(Prepared { request, files, public: true })
            }
        }
    }

    async fn resume(&self, form: &str, fields: Vec<(String, String)>, request: Request) -> Result<Prepared, Answer> {
        let mut request = request;
        request.argv = vec!["nc".into(), format!("resumed {form} {fields:?}")];
        Ok(Prepared { request, files: vec![], public: true })
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
        let missing: Vec<_> = prepared.request.heard.channels.values().map(|c| (&c.name, &c.missing)).collect();
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

#[derive(Debug)]
struct FileMemory(String);

impl Remembered for FileMemory {
    async fn get(&self, scope: &str) -> Option<String> {
        let all: HashMap<String, String> = serde_json::from_str(&std::fs::read_to_string(&self.0).ok()?).ok()?;
        all.get(scope).cloned()
    }

    async fn set(&self, scope: &str, hash: &str) {
        let mut all: HashMap<String, String> =
            std::fs::read_to_string(&self.0).ok().and_then(|s| serde_json::from_str(&s).ok()).unwrap_or_default();
        all.insert(scope.to_owned(), hash.to_owned());
        std::fs::write(&self.0, serde_json::to_string(&all).unwrap()).unwrap();
    }
}

// PLAY-BEGIN
#[expect(clippy::disallowed_methods, reason = "play")]
fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "by hand, against a stand-in"]
async fn play() {
    let t0 = std::time::Instant::now();
    tracing_subscriber::fmt().with_env_filter(env("PLAY_LOG")).with_writer(std::io::stderr).init();
    let cancel = CancellationToken::new();
    let tracker = TaskTracker::new();
    let guild = env("PLAY_GUILD");
    let settings = Settings {
        api: env("PLAY_API"),
        token: env("PLAY_TOKEN").into(),
        guild: (!guild.is_empty()).then_some(guild),
        max_attachment_bytes: 1 << 20,
    };
    let standards = [("iso-27001".to_owned(), "ISO/IEC 27001:2022".to_owned())];
    let adapter = Adapter::new(
        settings,
        Fake::default(),
        Arc::new(SystemClock),
        FileMemory(env("PLAY_MEMORY")),
        &standards,
        cancel.clone(),
        tracker.clone(),
    )
    .unwrap();
    let channel = env("PLAY_CHANNEL");
    let post = DiscordPost(Arc::clone(&adapter.shared));
    if !channel.is_empty() {
        tokio::spawn(async move {
            for i in 0.. {
                let out = post.post(&outgoing(&channel, &format!("n{i}"))).await;
                if !matches!(out, Posted::Sent { .. }) {
                    eprintln!("{:?} post {out:?}", t0.elapsed());
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        });
    }
    let mut ready = adapter.ready.subscribe();
    tokio::spawn(async move {
        ready.wait_for(|r| *r).await.unwrap();
        eprintln!("{:?} READY", t0.elapsed());
    });
    let mut connection = adapter.connection.subscribe();
    tokio::spawn(async move {
        while connection.changed().await.is_ok() {
            let now = *connection.borrow();
            eprintln!("{:?} {}", t0.elapsed(), format!("{now:?}").split(' ').next().unwrap());
        }
    });
    let stop = cancel.clone();
    let stopped = Arc::new(Mutex::new(None));
    let stopped2 = Arc::clone(&stopped);
    tokio::spawn(async move {
        let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).unwrap();
        term.recv().await;
        *stopped2.lock().unwrap() = Some(std::time::Instant::now());
        stop.cancel();
    });
    let desk = adapter.desk.clone();
    let end = adapter.run().await;
    tracker.close();
    tracker.wait().await;
    eprintln!("{:?} END {end:?} after stop {:?}", t0.elapsed(), stopped.lock().unwrap().map(|s| s.elapsed()));
    let log = desk.log.lock().unwrap();
    let log: Vec<_> = log.iter().filter(|l| l.starts_with("joined") || l.starts_with("left")).collect();
    eprintln!("{log:?}");
}
// PLAY-END

fn outgoing(channel: &str, nonce: &str) -> Outgoing {
    Outgoing {
        channel: channel.into(),
        nonce: nonce.into(),
        reference: "k7-2q".into(),
        ask: vec![Ask::Person("200".into()), Ask::Role("5".into()), Ask::Person("nobody".into())],
        card: Card::new(Tone::Warning, "Due").line("soon"),
    }
}
