//! HTTPS and HTTP/2: the same Koha, and streams that are reset.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::Request;
use fake_koha::{Config, Effect, Era, FakeKoha, Fault, FaultKind, Https, StreamReset};
use h2::Reason;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::client::*;

const ISSUE: [(&str, &str); 5] =
    [("userid", "koha"), ("password", "koha"), ("action", "issue"), ("cardnumber", CARD), ("barcode", ITEM)];

fn run<T>(what: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(what)
}

/// A connection to the server by this name, which trusts its certificate and offers this protocol.
async fn connect(koha: &FakeKoha, host: &'static str, protocol: &[u8]) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(koha.certificate().unwrap().to_vec())).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
    let mut config = config.with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let stream = TcpStream::connect(("127.0.0.1", koha.port())).await.unwrap();
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(host).unwrap(), stream).await.unwrap()
}

/// Sends transactions over one HTTP/2 connection; gives status and body of each.
fn send(koha: &FakeKoha, times: usize) -> Vec<Result<(u16, String), h2::Error>> {
    run(async {
        let (mut client, connection) = h2::client::handshake(connect(koha, "127.0.0.1", b"h2").await).await.unwrap();
        tokio::spawn(async move {
            let _ = connection.await;
        });
        let mut answers = Vec::new();
        for _ in 0..times {
            answers.push(exchange(&mut client, &format!("{}{SERVICE}", koha.url())).await);
        }
        answers
    })
}

async fn exchange(client: &mut h2::client::SendRequest<Bytes>, url: &str) -> Result<(u16, String), h2::Error> {
    let request = Request::post(url).header("content-type", FORM).header("cookie", "a=b").header("cookie", "c=d");
    let (answer, mut body) = client.send_request(request.body(()).unwrap(), false)?;
    body.send_data(encode(&ISSUE).into(), true)?;
    let answer = answer.await?;
    let status = answer.status().as_u16();
    let mut text = Vec::new();
    let mut body = answer.into_body();
    while let Some(part) = body.data().await {
        text.extend_from_slice(&part?);
    }
    Ok((status, String::from_utf8(text).unwrap()))
}

fn effects(koha: &FakeKoha) -> usize {
    let done = |effect: &Effect| matches!(effect, Effect::Issued { .. } | Effect::Renewed { .. });
    koha.library(|library| library.count_effects(done))
}

fn koha(https: Https) -> FakeKoha {
    with(Config { https: Some(https), ..Config::default() })
}

#[test]
fn the_same_koha_is_behind_http2() {
    let koha = koha(Https::Http2);
    assert_eq!(koha.url(), format!("https://127.0.0.1:{}", koha.port()));
    assert_eq!(koha.url_on("localhost"), format!("https://localhost:{}", koha.port()));
    let success = (200, "Success.".to_owned());
    assert!(send(&koha, 2).into_iter().all(|answer| answer.unwrap() == success));
    let seen = koha.requests();
    assert_eq!((seen.len(), seen[0].connection), (2, seen[1].connection));
    assert_eq!((seen[0].cookie.as_deref(), seen[0].parameter("barcode")), (Some("a=b; c=d"), Some(ITEM)));
    assert!(seen.iter().all(|request| request.head.is_empty()));
}

#[test]
fn streams_are_reset_before_or_after_the_work() {
    let koha = koha(Https::Http2);
    for (code, reason) in [
        (StreamReset::NoError, Reason::NO_ERROR),
        (StreamReset::ProtocolError, Reason::PROTOCOL_ERROR),
        (StreamReset::InternalError, Reason::INTERNAL_ERROR),
        (StreamReset::RefusedStream, Reason::REFUSED_STREAM),
        (StreamReset::Cancel, Reason::CANCEL),
        (StreamReset::EnhanceYourCalm, Reason::ENHANCE_YOUR_CALM),
        (StreamReset::Http11Required, Reason::HTTP_1_1_REQUIRED),
    ] {
        for (kind, processed) in [(FaultKind::StreamResetBefore(code), 1), (FaultKind::StreamResetAfter(code), 2)] {
            koha.library(|library| library.effects.clear());
            koha.fault(Fault::on("service.pl", kind.clone()).times(1));
            let answers = send(&koha, 2);
            let error = answers[0].as_ref().unwrap_err();
            assert!(error.is_reset() && error.is_remote(), "{kind:?} {error}");
            assert_eq!(error.reason(), Some(reason));
            assert_eq!(answers[1].as_ref().unwrap().0, 200, "the connection stays");
            assert_eq!(effects(&koha), processed, "{kind:?}");
        }
    }
}

#[test]
fn a_closed_connection_ends_all_streams() {
    for (kind, processed) in [(FaultKind::ResetBefore, 0), (FaultKind::ResetAfter, 1)] {
        let koha = koha(Https::Http2);
        koha.fault(Fault::on("service.pl", kind).times(1));
        let answers = send(&koha, 2);
        assert!(answers.iter().all(|answer| answer.as_ref().is_err_and(|error| !error.is_reset())), "{answers:?}");
        assert_eq!(effects(&koha), processed);
        assert!(send(&koha, 1)[0].is_ok());
    }
}

#[test]
fn http1_is_there_for_who_wants_it() {
    for https in [Https::Http1, Https::Http2] {
        let koha = with(Config { era: Era::From2405, https: Some(https), ..Config::default() });
        let answer = run(async {
            let mut stream = connect(&koha, "localhost", b"http/1.1").await;
            let request = format!("GET {AUTHENTICATION} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            // The end without a farewell of TLS is an error to some.
            let _ = stream.read_to_end(&mut answer).await;
            String::from_utf8(answer).unwrap()
        });
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("<status>failed</status>"));
        assert!(answer.contains("; path=/; secure; HttpOnly; SameSite=Lax\r\n"));
        assert_eq!(koha.requests()[0].head_lines("connection"), ["Connection: close"]);
    }
}
