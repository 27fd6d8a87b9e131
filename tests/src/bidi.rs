//! The connection to Firefox: WebDriver BiDi, a command at a time.

use crate::Result;
use serde_json::{Value, json};
use std::{
    io::ErrorKind,
    net::TcpStream,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};
use tungstenite::{Message, WebSocket, stream::MaybeTlsStream};

/// How long a command may take.
const TIME_LIMIT: Duration = Duration::from_mins(3);

/// A session with one Firefox.
#[derive(Debug)]
pub struct Connection {
    state: Mutex<State>,
    window: OnceLock<String>,
}

#[derive(Debug)]
struct State {
    socket: WebSocket<MaybeTlsStream<TcpStream>>,
    next: u64,
    console_errors: Vec<String>,
}

impl Connection {
    /// Connects to `ws://127.0.0.1:PORT/session` and begins a session.
    ///
    /// # Errors
    /// When nothing answers there.
    pub fn open(address: &str) -> Result<Self> {
        let (mut socket, _) = tungstenite::connect(address)?;
        if let MaybeTlsStream::Plain(stream) = socket.get_mut() {
            stream.set_read_timeout(Some(TIME_LIMIT))?;
        }
        let state = Mutex::new(State { socket, next: 1, console_errors: Vec::new() });
        let connection = Self { state, window: OnceLock::new() };
        // fake-koha makes its certificates itself.
        let capabilities =
            json!({"alwaysMatch": {"unhandledPromptBehavior": {"default": "ignore"}, "acceptInsecureCerts": true}});
        connection.send("session.new", &json!({ "capabilities": capabilities }))?;
        connection.send("session.subscribe", &json!({"events": ["log.entryAdded"]}))?;
        Ok(connection)
    }

    /// Sends a command and waits for its result.
    ///
    /// # Errors
    /// When Firefox refuses it, or does not answer in time.
    pub fn send(&self, method: &str, params: &Value) -> Result<Value> {
        let mut state = self.state();
        let id = state.next;
        state.next += 1;
        let command = json!({"id": id, "method": method, "params": params}).to_string();
        state.socket.send(Message::text(command))?;
        let began = Instant::now();
        while began.elapsed() < TIME_LIMIT {
            let message = match state.socket.read() {
                Ok(message) => message,
                // A signal has come meanwhile, such as that a process has ended; the answer is still to come.
                Err(tungstenite::Error::Io(error)) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(format!("no answer to {method}: {error}").into()),
            };
            let Message::Text(text) = message else { continue };
            let mut answer: Value = serde_json::from_str(&text)?;
            if answer["method"] == "log.entryAdded" {
                let entry = &answer["params"];
                if entry["level"] == "error" {
                    state.console_errors.push(entry["text"].as_str().unwrap_or_default().to_owned());
                }
            } else if answer["id"] == id {
                if answer["type"] == "error" {
                    return Err(format!("{method}: {} ({})", answer["message"], answer["error"]).into());
                }
                return Ok(answer["result"].take());
            }
        }
        Err(format!("no answer to {method} within {TIME_LIMIT:?}").into())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The id of the browser's first window, in which scripts may do what Firefox itself may.
    pub(crate) fn window(&self) -> Option<&str> {
        self.window.get().map(String::as_str)
    }

    /// Tells which window that is, once it is there.
    pub(crate) fn set_window(&self, id: &str) {
        let _ = self.window.set(id.to_owned());
    }

    /// What pages have logged as errors so far.
    pub fn console_errors(&self) -> Vec<String> {
        self.state().console_errors.clone()
    }

    /// Forgets what pages have logged.
    pub(crate) fn forget_console_errors(&self) {
        self.state().console_errors.clear();
    }
}
