//! The one way to speak HTTP to somewhere else: TLS without OpenSSL, no redirects, no proxy, time-outs.

use std::fmt::Write as _;
use std::time::Duration;

/// Installs the one TLS implementation that the whole process uses. Harmless when called again.
fn install_tls() {
    // An error only says that a provider is installed already.
    drop(rustls::crypto::ring::default_provider().install_default());
}

/// A client that gives up connecting after `connect`, and altogether after `total`.
pub(crate) fn client(agent: &str, connect: Duration, total: Duration) -> Result<reqwest::Client, String> {
    install_tls();
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let tls = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(agent)
        .connect_timeout(connect)
        .timeout(total)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .pool_idle_timeout(Duration::from_secs(50))
        .build()
        .map_err(|e| format!("the HTTP client can't be set up: {e}"))
}

/// An error with its causes, without the address, which may be a secret.
pub(crate) fn words(e: reqwest::Error) -> String {
    let e = e.without_url();
    let mut out = e.to_string();
    let mut source = std::error::Error::source(&e);
    while let Some(cause) = source {
        let _infallible = write!(out, ": {cause}");
        source = cause.source();
    }
    out
}
