//! HTTPS with a certificate of its own making, and HTTP/2 over it.

use std::io;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ServerConfig, version};
use tokio_rustls::server::TlsStream;

use crate::connection::Tcp;

/// How a server with HTTPS speaks below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Https {
    /// HTTP/1.1 alone.
    Http1,
    /// HTTP/2, or HTTP/1.1 with who does not offer it (as a browser after `HTTP_1_1_REQUIRED`).
    Http2,
}

/// What is made once for a server.
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    /// In DER.
    pub(crate) certificate: CertificateDer<'static>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

impl Tls {
    /// A new key, and a certificate for it that nobody signed but itself.
    pub(crate) fn new(https: Https) -> io::Result<Self> {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned(), "localhost".to_owned()])
            .map_err(io::Error::other)?;
        let certificate = made.cert.der().clone();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&version::TLS13])
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key.into())
            .map_err(io::Error::other)?;
        config.alpn_protocols = match https {
            Https::Http1 => vec![b"http/1.1".to_vec()],
            Https::Http2 => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        };
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), certificate })
    }
}

impl Tcp for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}
