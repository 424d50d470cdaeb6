//! How long people wait for an acknowledgement, how soon the daemon is ready and how much memory it holds: side by
//! side with a bare bot that answers every command with one word and keeps nothing.
//!
//! `cargo bench --bench acknowledge`. Both are processes of their own that talk to the tests' fake Discord on
//! loopback; the bare bot is this program started again with [`BARE`] in its environment.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a bench ends with figures, or loudly"
)]

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use support::daemon::{Daemon, Setup};
use support::discord::Discord;
use twilight_gateway::{ConfigBuilder, Intents, Message, Shard, ShardId};

#[path = "../tests/it/support/mod.rs"]
#[expect(dead_code, reason = "the tests use the rest of it")]
mod support;

/// The variable that makes this program the bare bot: the API's origin and the token, a space between.
const BARE: &str = "CERTKEEPER_BENCH_BARE";
const ROUNDS: usize = 4;
const EACH: usize = 50;
/// Before each: people do not come back to back, and what one command leaves behind is then done.
const PAUSE: Duration = Duration::from_millis(70);

fn main() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    match std::env::var_os(BARE).map(|door| door.into_string().unwrap()) {
        Some(door) => {
            let (api, token) = door.split_once(' ').unwrap();
            runtime.block_on(bare(api, token));
        }
        None => runtime.block_on(measure()),
    }
}

/// The least that a bot can do: read the gateway, answer each interaction.
async fn bare(api: &str, token: &str) {
    let http = reqwest::Client::builder().build().unwrap();
    let call = |method, path: String, body: Value| {
        http.request(method, format!("{api}/api/v10{path}"))
            .header("Authorization", format!("Bot {token}"))
            .header("Content-Type", "application/json")
            .body(body.to_string())
            .send()
    };
    let told = http
        .get(format!("{api}/api/v10/gateway/bot"))
        .header("Authorization", format!("Bot {token}"))
        .send()
        .await
        .unwrap();
    let told: Value = serde_json::from_slice(&told.bytes().await.unwrap()).unwrap();
    let config = ConfigBuilder::new(token.to_owned(), Intents::GUILDS)
        .proxy_url(told["url"].as_str().unwrap().trim_end_matches('/').to_owned())
        .build();
    let mut shard = Shard::with_config(ShardId::ONE, config);
    while let Some(Ok(message)) = shard.next().await {
        let Message::Text(text) = message else { continue };
        let event: Value = serde_json::from_str(&text).unwrap();
        let data = &event["d"];
        match event["t"].as_str() {
            Some("READY") => {
                let application = data["application"]["id"].as_str().unwrap();
                let commands = json!([{"name": "ping", "description": "Answers", "type": 1}]);
                call(reqwest::Method::PUT, format!("/applications/{application}/commands"), commands)
                    .await
                    .unwrap();
            }
            Some("INTERACTION_CREATE") => {
                let (id, token) = (data["id"].as_str().unwrap(), data["token"].as_str().unwrap());
                let answer = json!({"type": 4, "data": {"content": "pong"}});
                let path = format!("/interactions/{id}/{token}/callback");
                call(reqwest::Method::POST, path, answer).await.unwrap();
            }
            _ => {}
        }
    }
}

struct Times(Vec<f64>);

impl Times {
    /// The value below which `share` of them lie.
    fn at(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[((sorted.len() - 1) as f64 * share) as usize]
    }

    fn line(&self, what: &str, bar: &str) {
        println!("{what:<34} p50 {:>6.2} ms   p99 {:>6.2} ms   {bar}", self.at(0.5), self.at(0.99));
    }
}

async fn ask(discord: &Discord, line: &str, into: &mut Times) {
    tokio::time::sleep(PAUSE).await;
    into.0.push(discord.line("owner", line).await.unwrap().ack_ms);
}

async fn measure() {
    let bare_discord = Discord::start();
    let mut bare = Command::new(std::env::current_exe().unwrap())
        .env(BARE, format!("{} {}", bare_discord.base, bare_discord.token))
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    bare_discord.wait_commands(1).await;

    let discord = Discord::start();
    let began = Instant::now();
    let daemon = Daemon::start(&discord, Setup::default());
    daemon.wait_ready(&discord).await;
    let ready = began.elapsed();
    for line in
        ["/setup timezone:Europe/Berlin", "/certificate add standard:iso-27001 name:Acme decided:2026-03-02"]
    {
        discord.line("owner", line).await.unwrap();
    }
    let idle = daemon.memory();

    let [mut echo, mut reads, mut writes, mut syncs] = [const { Times(Vec::new()) }; 4];
    let page = vec![0; 32 * 1024];
    let mut file = tempfile::tempfile_in(daemon.folder()).unwrap();
    for _ in 0..ROUNDS {
        for _ in 0..EACH {
            ask(&bare_discord, "/ping", &mut echo).await;
        }
        for _ in 0..EACH {
            ask(&discord, "/status", &mut reads).await;
        }
        for _ in 0..EACH {
            ask(&discord, "/nc raise certificate:C-1 grade:minor clause:9.2 statement:late", &mut writes)
                .await;
        }
        for _ in 0..EACH {
            tokio::time::sleep(PAUSE).await;
            // As much as the write-ahead log grows by.
            file.write_all(&page).unwrap();
            let began = Instant::now();
            file.sync_data().unwrap();
            syncs.0.push(began.elapsed().as_secs_f64() * 1000.0);
        }
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let busy = daemon.memory();
    bare.kill().unwrap();
    bare.wait().unwrap();

    let (base, sync) = (echo.at(0.5), syncs.at(0.5));
    echo.line("bare bot, /ping", "");
    syncs.line("one fsync of 32 KiB", "");
    reads.line("certkeeper, /status", &format!("{:.2}x bare (bar 1.30x)", reads.at(0.5) / base));
    let (first, last) = (Times(writes.0[..EACH].to_vec()), Times(writes.0[writes.0.len() - EACH..].to_vec()));
    first.line("  the first fifty", "");
    last.line("  the last fifty", "");
    writes.line(
        "certkeeper, /nc raise",
        &format!("{:+.2} ms beyond 1.3x bare + one fsync", writes.at(0.5) - base * 1.3 - sync),
    );
    println!("start to ready                     {:>10} ms                  bar 300 ms", ready.as_millis());
    println!(
        "resident memory                    {idle:>10} KiB idle, {busy} KiB after {} commands   bar 20000 KiB",
        2 * ROUNDS * EACH
    );
}
