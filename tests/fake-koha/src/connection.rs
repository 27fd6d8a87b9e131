//! A connection that can be told to break off in the middle of what it sends, and that keeps what came in.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;

/// What stands for `Connection` where hyper must not see that header.
pub(crate) const HIDDEN_CONNECTION: &str = "_onnection";

const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// What a connection and who handles it share.
#[derive(Debug, Clone)]
pub(crate) struct Control(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// How many more bytes the connection may send before it breaks.
    allowance: AtomicUsize,
    /// It ends with RST.
    reset: AtomicBool,
    /// The head of the request that is coming in or being answered.
    head: Mutex<Vec<u8>>,
    requests: AtomicUsize,
    /// The task that serves the connection.
    task: OnceLock<AbortHandle>,
}

impl Control {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner {
            allowance: AtomicUsize::new(usize::MAX),
            reset: AtomicBool::new(false),
            head: Mutex::default(),
            requests: AtomicUsize::new(0),
            task: OnceLock::new(),
        }))
    }

    pub(crate) fn limit(&self, bytes: usize) {
        self.0.allowance.store(bytes, Ordering::SeqCst);
    }

    /// Which task serves the connection.
    pub(crate) fn served_by(&self, task: AbortHandle) {
        // There is only one.
        let _ = self.0.task.set(task);
    }

    /// Closes the connection with all that goes on over it.
    pub(crate) fn close(&self) {
        if let Some(task) = self.0.task.get() {
            task.abort();
        }
    }

    /// When it is dropped, the other side gets RST instead of FIN.
    pub(crate) fn end_with_reset(&self) {
        self.0.reset.store(true, Ordering::SeqCst);
    }

    /// The head of the request, all of which has come in, and whether there was one before on this connection.
    pub(crate) fn take_head(&self) -> (Vec<u8>, bool) {
        let head = std::mem::take(&mut *self.0.head.lock().unwrap_or_else(PoisonError::into_inner));
        (head, self.0.requests.fetch_add(1, Ordering::SeqCst) > 0)
    }

    /// Keeps what belongs to the head; says whether the head is complete.
    fn record(&self, bytes: &[u8]) -> bool {
        let mut head = self.0.head.lock().unwrap_or_else(PoisonError::into_inner);
        if !head.ends_with(END_OF_HEAD) {
            let seen = head.len().saturating_sub(END_OF_HEAD.len() - 1);
            head.extend_from_slice(bytes);
            if let Some(end) = find(&head[seen..], END_OF_HEAD) {
                head.truncate(seen + end + END_OF_HEAD.len());
            }
        }
        head.ends_with(END_OF_HEAD)
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

/// What is at the bottom of a connection.
pub(crate) trait Tcp {
    fn tcp(&self) -> &TcpStream;
}

impl Tcp for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

/// The connection.
#[derive(Debug)]
pub(crate) struct Connection<S: Tcp> {
    stream: S,
    control: Control,
    /// `Connection` counts word for word.
    word_for_word: bool,
    /// A head that is not complete yet, and is held back until it is.
    held: Vec<u8>,
    /// What may be read before anything else of the stream.
    ready: Vec<u8>,
}

impl<S: Tcp> Connection<S> {
    pub(crate) fn new(stream: S, control: Control, word_for_word: bool) -> Self {
        Self { stream, control, word_for_word, held: Vec::new(), ready: Vec::new() }
    }
}

impl<S: Tcp> Drop for Connection<S> {
    fn drop(&mut self) {
        if self.control.0.reset.load(Ordering::SeqCst) {
            let _ = self.stream.tcp().set_zero_linger();
        }
    }
}

/// Hides the `Connection` header unless it says `close` and nothing else: `keep-alive, close` is no `close` for
/// Starman. Two such headers are one with a comma, as for any CGI script.
fn hide_connection(bytes: &mut [u8]) {
    let end = find(bytes, END_OF_HEAD).unwrap_or(bytes.len());
    let mut values = Vec::new();
    let mut names = Vec::new();
    let mut start = 0;
    while let Some(length) = find(&bytes[start..(end + 2).min(bytes.len())], b"\r\n") {
        let line = &bytes[start..start + length];
        if let Some(colon) = line.iter().position(|&byte| byte == b':')
            && line[..colon].eq_ignore_ascii_case(b"connection")
        {
            values.push(String::from_utf8_lossy(&line[colon + 1..]).trim().to_ascii_lowercase());
            names.push(start..start + colon);
        }
        start += length + 2;
    }
    if values.join(", ") != "close" {
        for name in names {
            bytes[name].copy_from_slice(HIDDEN_CONNECTION.as_bytes());
        }
    }
}

impl<S: AsyncRead + Tcp + Unpin> AsyncRead for Connection<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if !this.ready.is_empty() {
                let count = this.ready.len().min(buf.remaining());
                buf.put_slice(&this.ready[..count]);
                this.ready.drain(..count);
                return Poll::Ready(Ok(()));
            }
            if !this.word_for_word || this.control.record(&[]) {
                let before = buf.filled().len();
                ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
                this.control.record(&buf.filled()[before..]);
                return Poll::Ready(Ok(()));
            }
            let mut space = [0; 4096];
            let mut part = ReadBuf::new(&mut space);
            ready!(Pin::new(&mut this.stream).poll_read(cx, &mut part))?;
            let part = part.filled();
            this.held.extend_from_slice(part);
            if this.control.record(part) {
                hide_connection(&mut this.held);
            } else if !part.is_empty() {
                continue;
            }
            this.ready = std::mem::take(&mut this.held);
            if this.ready.is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncWrite + Tcp + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let left = self.control.0.allowance.load(Ordering::SeqCst);
        if left == usize::MAX {
            return Pin::new(&mut self.stream).poll_write(cx, bytes);
        }
        if left == 0 {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let part = &bytes[..bytes.len().min(left)];
        let written = Pin::new(&mut self.stream).poll_write(cx, part);
        if let Poll::Ready(Ok(count)) = &written {
            self.control.limit(left - count);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::{Control, hide_connection};

    #[test]
    fn only_close_alone_is_seen() {
        for (head, seen) in [
            ("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", true),
            ("GET / HTTP/1.1\r\nA: b\r\nCONNECTION:Close \r\nC: d\r\n\r\n", true),
            ("GET / HTTP/1.1\r\nConnection: keep-alive, close\r\n\r\n", false),
            ("GET / HTTP/1.1\r\nConnection: close, close\r\n\r\n", false),
            ("GET / HTTP/1.1\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", false),
        ] {
            let mut bytes = format!("{head}body\r\nConnection: x\r\n\r\n").into_bytes();
            let length = bytes.len();
            hide_connection(&mut bytes);
            let text = String::from_utf8(bytes).expect("UTF-8");
            assert_eq!(text.len(), length);
            assert_eq!(text.contains("_onnection"), !seen, "{head}");
            assert!(text.ends_with("body\r\nConnection: x\r\n\r\n"));
        }
    }

    #[test]
    fn a_head_in_pieces_is_kept_without_the_body() {
        let control = Control::new();
        let complete =
            ["GET / HTTP", "/1.1\r\nA: b\r", "\n\r", "\nbody", "more"].map(|part| control.record(part.as_bytes()));
        assert_eq!(complete, [false, false, false, true, true]);
        assert_eq!(control.take_head(), (b"GET / HTTP/1.1\r\nA: b\r\n\r\n".to_vec(), false));
        assert_eq!(control.take_head(), (Vec::new(), true));
    }
}
