//! The outgoing heartbeat: a GET after a good tick of the notifier, so that a watcher elsewhere notices a process
//! that is dead or does its work no longer. It never holds the notifier up.

use std::time::Duration;

use reqwest::Client;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;
use crate::web;

const CONNECT: Duration = Duration::from_secs(3);
const TOTAL: Duration = Duration::from_secs(10);

/// What the notifier tells of its ticks.
#[derive(Debug, Clone)]
pub struct Heartbeat(watch::Sender<bool>);

impl Default for Heartbeat {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Heartbeat {
    /// A tick went well, or it did not: then what is not said yet of a good one before it is not said.
    pub fn beat(&self, well: bool) {
        self.0.send_replace(well);
    }
}

/// Whoever is told.
#[derive(Debug)]
pub struct Monitor {
    client: Client,
    /// Its path is what healthchecks and the like know us by.
    url: SecretString,
    every: Duration,
}

impl Monitor {
    /// Tells `url` at most once per `every`. `Err` where no client can be had.
    pub fn new(url: SecretString, every: Duration) -> Result<Self, String> {
        let agent = concat!("certkeeper/", env!("CARGO_PKG_VERSION"));
        Ok(Self { client: web::client(agent, CONNECT, TOTAL)?, url, every })
    }

    /// Tells of good ticks until `stop`. What goes wrong is logged when it begins and when it is over.
    pub async fn run(self, heartbeat: Heartbeat, metrics: Metrics, stop: CancellationToken) {
        let mut ticks = heartbeat.0.subscribe();
        let mut well = true;
        let run = async {
            while ticks.wait_for(|well| *well).await.is_ok() {
                heartbeat.0.send_replace(false);
                let began = Instant::now();
                let pinged = self.ping().await;
                metrics.pinged(pinged.is_ok());
                match (&pinged, well) {
                    (Err(why), true) => tracing::warn!(why, "the monitor could not be told that all is well"),
                    (Ok(()), false) => tracing::info!("the monitor is told again"),
                    (Ok(()), true) | (Err(_), false) => {}
                }
                well = pinged.is_ok();
                tokio::time::sleep_until(began + self.every).await;
            }
        };
        stop.run_until_cancelled(run).await;
    }

    async fn ping(&self) -> Result<(), String> {
        let answer = self.client.get(self.url.expose_secret()).send().await.map_err(web::words)?;
        let status = answer.status();
        if status.is_success() { Ok(()) } else { Err(format!("HTTP {}", status.as_u16())) }
    }
}
