//! Points at which a test can end the process, as if by SIGKILL, between two steps of keeping and posting.
//!
//! Compiled in with the feature `fault-points` only, which nothing but the tests asks for. There, the variable
//! `FAILPOINTS` says where and at which passage: `post-sent=3*off->return`.

/// Ends the process here if a test has said so.
#[inline]
pub fn point(name: &str) {
    #[cfg(feature = "fault-points")]
    fail::fail_point!(name, |_| {
        tracing::warn!(name, "ended at a fault point");
        std::process::abort()
    });
    #[cfg(not(feature = "fault-points"))]
    let _unused = name;
}

/// Reads from the environment where to end; what it gives is to be kept until the process ends.
#[cfg(feature = "fault-points")]
pub fn arm() -> fail::FailScenario<'static> {
    fail::FailScenario::setup()
}
