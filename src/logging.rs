//! The log: to standard error, as text for people or as JSON for a collector.
//!
//! Libraries that see the token or what people write are capped: whatever the filter says, their debug and
//! trace events, which carry headers and frames, are not logged.

use std::io::IsTerminal as _;

use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry};

use crate::config::LogFormat;

/// The libraries whose finer events could hold a secret or a frame.
const CAPPED: [&str; 13] = [
    "axum",
    "h2",
    "hyper",
    "hyper_util",
    "reqwest",
    "rustls",
    "rustyline",
    "serenity",
    "sqlx",
    "tokio_rustls",
    "tokio_tungstenite",
    "tokio_websockets",
    "twilight",
];

/// Whether a filter can be understood; if not, why.
pub fn check(filter: &str) -> Result<(), String> {
    parse(filter).map(|_| ())
}

fn parse(filter: &str) -> Result<EnvFilter, String> {
    EnvFilter::builder()
        .with_default_directive(LevelFilter::OFF.into())
        .parse(filter)
        .map_err(|error| error.to_string())
}

/// Whether an event may be logged at all, whatever the filter says.
fn harmless(metadata: &Metadata<'_>) -> bool {
    allowed(metadata.target(), *metadata.level())
}

fn allowed(target: &str, level: Level) -> bool {
    let root = target.split("::").next().unwrap_or_default();
    let capped = CAPPED
        .iter()
        .any(|name| root == *name || root.strip_prefix(name).is_some_and(|rest| rest.starts_with('_')));
    level <= Level::INFO || !capped
}

/// Has a panic logged like everything else, as one line, with where it was and within which interaction or message.
/// Its words only where they stand in the program's text: others may quote what a person wrote.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        let words = panic.payload().downcast_ref::<&'static str>().copied().unwrap_or("(not logged)");
        tracing::error!(at, words, "panic");
    }));
}

/// Starts logging for the whole process. `Err` where the filter is not valid or logging was started before.
pub fn start(filter: &str, format: LogFormat) -> Result<(), String> {
    let filter = parse(filter)?.and(filter_fn(harmless));
    let layer: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Text => tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal())
            .boxed(),
        LogFormat::Json => tracing_subscriber::fmt::layer().json().with_writer(std::io::stderr).boxed(),
    };
    tracing_subscriber::registry()
        .with(layer.with_filter(filter))
        .try_init()
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_checked() {
        for good in ["info", "off", "warn,certkeeper=debug", "certkeeper::notify=trace"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["info,certkeeper=loud", "certkeeper=7", "a=b=c"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_could_hold_a_secret_is_capped_at_info() {
        for target in [
            "twilight_gateway::shard",
            "tokio_websockets",
            "hyper::proto",
            "hyper_util::client",
            "sqlx::query",
        ] {
            assert!(allowed(target, Level::INFO), "{target}");
            assert!(!allowed(target, Level::DEBUG), "{target}");
            assert!(!allowed(target, Level::TRACE), "{target}");
        }
        assert!(allowed("certkeeper::daemon", Level::TRACE));
        assert!(allowed("sqlxish", Level::TRACE));
    }
}
