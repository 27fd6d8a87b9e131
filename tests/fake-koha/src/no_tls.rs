//! In place of `tls` where the feature `https` is off.

use std::io;

use tokio::net::TcpStream;

use crate::server::{Https, Visits};

/// There is none.
#[derive(Debug)]
pub(crate) enum Tls {}

impl Tls {
    pub(crate) fn new(_: Https) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn certificate(&self) -> &[u8] {
        match *self {}
    }

    #[allow(clippy::unused_async, reason = "as with TLS")]
    pub(crate) async fn serve(&self, _: Visits, _: TcpStream) {
        match *self {}
    }
}
