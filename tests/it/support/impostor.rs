//! A server that says it is Discord, with a certificate that nobody vouches for.

use std::io::Read as _;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Made for this test; it opens nothing anywhere.
const IDENTITY: &[u8] = include_bytes!("../../fixtures/impostor.pem");

/// It listens until the tests end.
pub(crate) struct Impostor {
    pub(crate) address: String,
    heard: Arc<AtomicUsize>,
}

impl Impostor {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let identity = CertificateDer::from_pem_slice(IDENTITY).unwrap();
        let key = PrivateKeyDer::from_pem_slice(IDENTITY).unwrap();
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(ring)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![identity], key);
        let config = Arc::new(config.unwrap());
        let heard = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut tls = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut words = [0; 1_024];
                let read = rustls::Stream::new(&mut tls, &mut stream).read(&mut words);
                count.fetch_add(read.unwrap_or(0), Ordering::Relaxed);
            }
        });
        Self { address, heard }
    }

    /// How many bytes were said to it under TLS.
    pub(crate) fn heard(&self) -> usize {
        self.heard.load(Ordering::Relaxed)
    }
}
