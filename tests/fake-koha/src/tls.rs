//! HTTPS with a certificate of its own making, and HTTP/2 over it.

use std::io;
use std::sync::Arc;

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ServerConfig, version};
use tokio_rustls::server::TlsStream;

use crate::connection::{Connection, Tcp};
use crate::faults::StreamReset;
use crate::server::{Https, NoAnswerError, Visits};

/// What is made once for a server.
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    certificate: CertificateDer<'static>,
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

    /// In DER.
    pub(crate) fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// Serves the connection in the version of HTTP that the client wants.
    pub(crate) async fn serve(&self, visits: Visits, stream: TcpStream) {
        let Ok(stream) = self.acceptor.accept(stream).await else { return };
        if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return visits.serve_http1(stream).await;
        }
        let connection = Connection::new(stream, visits.control.clone(), false);
        let handler = service_fn(move |request| {
            let visits = visits.clone();
            async move {
                visits.answer(request, true).await.map_err(|broken| match broken {
                    // hyper finds the code in the error.
                    NoAnswerError::Stream(code) => h2::Error::from(reason(code)),
                    // Closed already; there is nobody left to be told.
                    NoAnswerError::Connection => h2::Error::from(h2::Reason::CANCEL),
                })
            }
        });
        let _ = http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(connection), handler).await;
    }
}

fn reason(code: StreamReset) -> h2::Reason {
    match code {
        StreamReset::NoError => h2::Reason::NO_ERROR,
        StreamReset::ProtocolError => h2::Reason::PROTOCOL_ERROR,
        StreamReset::InternalError => h2::Reason::INTERNAL_ERROR,
        StreamReset::RefusedStream => h2::Reason::REFUSED_STREAM,
        StreamReset::Cancel => h2::Reason::CANCEL,
        StreamReset::EnhanceYourCalm => h2::Reason::ENHANCE_YOUR_CALM,
        StreamReset::Http11Required => h2::Reason::HTTP_1_1_REQUIRED,
    }
}

impl Tcp for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}
