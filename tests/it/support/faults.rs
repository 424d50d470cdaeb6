//! Faults of the REST side, on demand.

use std::time::Duration;

use serde_json::Value;

/// A fault that the next matching requests meet.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    method: String,
    path: String,
    remaining: u64,
    skip: u64,
    pub(crate) id: usize,
    pub(crate) hits: u64,
}

/// What goes wrong.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// This status and body in place of acting.
    Status(u16, Option<Value>),
    /// This status and these bytes, of any kind, in place of acting.
    Raw(u16, String),
    /// 429 in place of acting.
    RateLimited {
        /// Seconds.
        after: f64,
        /// The whole bot, not one route.
        global: bool,
        /// A 429 by Cloudflare: no JSON, only the header.
        bare: bool,
    },
    /// No answer, nothing done, the connection stays open.
    Hang,
    /// Acted, after a while.
    Delay(Duration),
    /// The connection is reset, nothing done.
    ResetBefore,
    /// Acted, then the connection is reset without an answer.
    ResetAfter,
    /// Acted, no answer, the connection stays open.
    HangAfter,
    /// Acted, then this status as if nothing had been.
    StatusAfter(u16),
    /// Acted, then these bytes as the body of a 200.
    RawAfter(String),
}

impl Fault {
    pub(crate) fn new(kind: Kind) -> Self {
        Self { kind, method: "*".into(), path: "*".into(), remaining: 1, skip: 0, id: 0, hits: 0 }
    }

    /// An HTTP status (with Discord's usual body) in place of acting.
    pub(crate) fn status(status: u16) -> Self {
        Self::new(Kind::Status(status, None))
    }

    /// A refusal with Discord's JSON code, in place of acting.
    pub(crate) fn refusal(status: u16, code: u64, message: &str) -> Self {
        Self::new(Kind::Status(status, Some(serde_json::json!({"code": code, "message": message}))))
    }

    /// 429 on the route; `after` in seconds.
    pub(crate) fn rate_limited(after: f64) -> Self {
        Self::new(Kind::RateLimited { after, global: false, bare: false })
    }

    /// 429 on everything; `after` in seconds.
    pub(crate) fn rate_limited_globally(after: f64) -> Self {
        Self::new(Kind::RateLimited { after, global: true, bare: false })
    }

    pub(crate) fn hang() -> Self {
        Self::new(Kind::Hang)
    }

    pub(crate) fn delay(by: Duration) -> Self {
        Self::new(Kind::Delay(by))
    }

    pub(crate) fn reset_before() -> Self {
        Self::new(Kind::ResetBefore)
    }

    pub(crate) fn reset_after() -> Self {
        Self::new(Kind::ResetAfter)
    }

    /// Only requests of this method (`*`: any) whose path has this in it; `*` in the path stands for anything.
    pub(crate) fn on(mut self, method: &str, path: &str) -> Self {
        (self.method, self.path) = (method.to_owned(), path.to_owned());
        self
    }

    /// How often (left out: once).
    pub(crate) fn times(mut self, times: u64) -> Self {
        self.remaining = times;
        self
    }

    /// Until it is cleared.
    pub(crate) fn always(self) -> Self {
        self.times(u64::MAX)
    }

    /// The first so many matching requests are spared.
    pub(crate) fn after(mut self, spared: u64) -> Self {
        self.skip = spared;
        self
    }

    /// Whether this request meets it; counts.
    pub(crate) fn meets(&mut self, method: &str, path: &str) -> bool {
        if self.remaining == 0 || !(self.method == "*" || self.method == method) || !glob(&self.path, path) {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        self.remaining = if self.remaining == u64::MAX { u64::MAX } else { self.remaining - 1 };
        self.hits += 1;
        true
    }
}

/// Whether the pieces of `pattern` between its stars stand in `text`, in this order. A `$` at its end stands
/// for the end.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, anchored) = pattern.strip_suffix('$').map_or((pattern, false), |rest| (rest, true));
    let mut rest = text;
    let mut pieces = pattern.split('*').peekable();
    while let Some(piece) = pieces.next() {
        if anchored && pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    true
}
