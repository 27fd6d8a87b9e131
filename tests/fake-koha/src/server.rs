//! The server: its settings, its thread, and the way of a request through faults and pages.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Extension, State};
use axum::http::header::{CONNECTION, DATE};
use axum::routing::{MethodRouter, any};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{oneshot, watch};
use tower_service::Service;

use crate::clock::Zone;
use crate::connection::{Connection, Control, Tcp};
use crate::faults::{Close, Fault, FaultKind, Faults, StreamReset};
use crate::fronts::Front;
use crate::gateway::{Balancer, NODE_COOKIE, Wall};
use crate::reply::{self, Reply};
use crate::request::{Origin, Recorded, Request};
use crate::rest::checkins::Checkins;
use crate::state::{Era, Library};
use crate::tls::Tls;
use crate::{authentication, csrf, koc, pages, plugin, report, rest, service};

/// How much of an answer still gets out when the connection is cut in the headers: the status line and a bit.
const CUT_AFTER_BYTES: usize = 30;

/// What a server with HTTPS speaks over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Https {
    /// HTTP/1.1 alone.
    Http1,
    /// HTTP/2, or HTTP/1.1 with who does not offer it (as a browser after `HTTP_1_1_REQUIRED`).
    Http2,
}

/// How the server is set up.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "independent switches of one server")]
pub struct Config {
    /// Which Koha.
    pub era: Era,
    /// Where Koha lives on its host: empty, or such as `/koha`.
    pub sub_path: String,
    /// The server's zone, in minutes east of UTC.
    pub zone_offset_minutes: i32,
    /// Does the zone have summer time by the rule of the European Union? Then 60 minutes make it Europe/Paris.
    pub eu_summer_time: bool,
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// A failed login at service.pl is 200 with a text, as before Koha 18.05. Only for the era before 24.05.
    pub before_18_05: bool,
    /// The system preference `RESTBasicAuth`.
    pub rest_basic_auth: bool,
    /// The system preference `RESTdefaultPageSize`.
    pub rest_page_size: usize,
    /// The system preference `RESTOAuth2ClientCredentials`.
    pub rest_oauth2: bool,
    /// The system preference `SvcMaxReportRows`.
    pub svc_max_report_rows: usize,
    /// The system preferences `RESTPublicAPI` and `RESTPublicAnonymousRequests`. Only from 24.05.
    pub rest_public_api: bool,
    /// svc/authentication gives a useless token for a session that exists already, as 24.05.00 to 24.05.07 do.
    pub bug_38826: bool,
    /// The newest sources rather than Koha of February 2025: the login form sends `login_op` instead of `op`, Basic
    /// authentication counts wrong passwords, and pages look as after Koha's code was tidied. Only from 24.05.
    pub newest: bool,
    /// The header `Connection` counts word for word, as for Koha's Plack server Starman: anything but `close` alone,
    /// `keep-alive, close` too, keeps the connection.
    pub starman: bool,
    /// Koha's own check-in is there for programs, as a coming version has it. Only from 24.05.
    pub checkins: Option<Checkins>,
    /// A wall against bots in front of everything.
    pub wall: Option<Wall>,
    /// Two nodes, each with sessions of its own, behind a balancer that sticks by the cookie `SERVERID`.
    pub two_nodes: bool,
    /// HTTPS instead of HTTP, with a certificate of the server's own making. Needs the feature `https`.
    pub https: Option<Https>,
    /// The data to start with.
    pub library: Library,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            era: Era::Before2405,
            sub_path: String::new(),
            zone_offset_minutes: 60,
            eu_summer_time: false,
            port: 0,
            before_18_05: false,
            rest_basic_auth: true,
            rest_page_size: 20,
            rest_oauth2: true,
            svc_max_report_rows: 10,
            rest_public_api: true,
            bug_38826: false,
            newest: false,
            starman: false,
            checkins: None,
            wall: None,
            two_nodes: false,
            https: None,
            library: Library::standard(),
        }
    }
}

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    library: Mutex<Library>,
    faults: Mutex<Faults>,
    requests: Mutex<Vec<Recorded>>,
    tls: Option<Tls>,
    wall: Mutex<Option<Wall>>,
    balancer: Mutex<Option<Balancer>>,
    /// Told when faults are ended.
    released: watch::Sender<()>,
}

impl Shared {
    /// The data, locked.
    pub(crate) fn library(&self) -> MutexGuard<'_, Library> {
        lock(&self.library)
    }

    /// A path of this server as a browser must write it.
    pub(crate) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.config.sub_path)
    }
}

/// A test that panicked with the lock in hand must not hide what other tests say.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running server on 127.0.0.1. Dropping it stops it: the port is closed, and all connections with it.
#[derive(Debug)]
pub struct FakeKoha {
    shared: Arc<Shared>,
    port: u16,
    running: Option<(oneshot::Sender<Infallible>, JoinHandle<()>)>,
}

/// A server that was stopped, with its data, its sessions, its faults and the record of its requests.
#[derive(Debug)]
pub struct Stopped {
    shared: Arc<Shared>,
    port: u16,
}

impl FakeKoha {
    /// Starts a server; when this returns, it takes connections.
    ///
    /// # Errors
    ///
    /// If the port is taken, or no thread or certificate can be made.
    pub fn start(mut config: Config) -> io::Result<Self> {
        let mut library = std::mem::take(&mut config.library);
        library.era = config.era;
        library.newest = config.newest && config.era == Era::From2405;
        library.zone = Zone { offset_minutes: config.zone_offset_minutes, eu_summer_time: config.eu_summer_time };
        config.sub_path.truncate(config.sub_path.trim_end_matches('/').len());
        let port = config.port;
        let tls = config.https.map(Tls::new).transpose()?;
        let (wall, balancer) = (config.wall.take(), config.two_nodes.then(Balancer::default));
        let shared = Arc::new(Shared {
            config,
            library: Mutex::new(library),
            faults: Mutex::default(),
            requests: Mutex::default(),
            tls,
            wall: Mutex::new(wall),
            balancer: Mutex::new(balancer),
            released: watch::Sender::default(),
        });
        Self::serve(shared, port)
    }

    fn serve(shared: Arc<Shared>, port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel::<Infallible>();
        let for_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("fake-koha".to_owned()).spawn(move || {
            runtime.block_on(async move {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
                let accepting = tokio::spawn(accept(listener, for_thread));
                // Ends when the sender is dropped.
                let _ = stopped.await;
                accepting.abort();
            });
            // Dropping the runtime drops every connection.
        })?;
        Ok(Self { shared, port, running: Some((stop, thread)) })
    }

    /// `http://127.0.0.1:PORT` (or `https:`) and the sub-path, without a slash at the end.
    pub fn url(&self) -> String {
        self.url_on("127.0.0.1")
    }

    /// The same with another name of this machine, such as `localhost`.
    pub fn url_on(&self, host: &str) -> String {
        let scheme = if self.shared.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{host}:{}{}", self.port, self.shared.config.sub_path)
    }

    /// The certificate of HTTPS in DER, for 127.0.0.1 and localhost; it is its own authority.
    pub fn certificate(&self) -> Option<&[u8]> {
        self.shared.tls.as_ref().map(Tls::certificate)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Looks at the data or changes it; no request is processed meanwhile.
    pub fn library<R>(&self, look: impl FnOnce(&mut Library) -> R) -> R {
        look(&mut self.shared.library())
    }

    /// Adds a rule to the faults in force.
    pub fn fault(&self, fault: Fault) {
        lock(&self.shared.faults).add(fault);
    }

    /// Ends all faults. What they held goes on.
    pub fn clear_faults(&self) {
        lock(&self.shared.faults).clear();
        let () = self.shared.released.send_replace(());
    }

    /// Puts up another wall against bots, or takes it down.
    pub fn set_wall(&self, wall: Option<Wall>) {
        *lock(&self.shared.wall) = wall;
    }

    /// Every request that was seen, in order of arrival.
    pub fn requests(&self) -> Vec<Recorded> {
        lock(&self.shared.requests).clone()
    }

    /// Forgets the requests seen so far.
    pub fn clear_requests(&self) {
        lock(&self.shared.requests).clear();
    }

    /// Stops the server and keeps what it knows; clients find the port closed.
    pub fn stop(mut self) -> Stopped {
        self.shut_down();
        Stopped { shared: Arc::clone(&self.shared), port: self.port }
    }

    /// Stops and starts again on the same port: all connections are closed, data and sessions stay.
    ///
    /// # Errors
    ///
    /// If somebody else took the port meanwhile.
    pub fn restart(self) -> io::Result<Self> {
        self.stop().start()
    }

    fn shut_down(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            drop(stop);
            // An error here is a panic in the server's thread, which has been printed already.
            let _ = thread.join();
        }
    }
}

impl Drop for FakeKoha {
    fn drop(&mut self) {
        self.shut_down();
    }
}

impl Stopped {
    /// Starts again on the same port with the same data.
    ///
    /// # Errors
    ///
    /// If somebody else took the port meanwhile.
    pub fn start(self) -> io::Result<FakeKoha> {
        FakeKoha::serve(self.shared, self.port)
    }

    /// Looks at the data or changes it.
    pub fn library<R>(&self, look: impl FnOnce(&mut Library) -> R) -> R {
        look(&mut self.shared.library())
    }

    /// The port that the server had.
    pub fn port(&self) -> u16 {
        self.port
    }
}

async fn accept(listener: tokio::net::TcpListener, shared: Arc<Shared>) {
    let router = routes(&shared);
    loop {
        let Ok((stream, peer)) = listener.accept().await else { continue };
        // Small answers must not wait for each other.
        let _ = stream.set_nodelay(true);
        let control = Control::new();
        let visits = Visits { shared: Arc::clone(&shared), router: router.clone(), port: peer.port(), control };
        let control = visits.control.clone();
        control.served_by(tokio::spawn(visits.serve(stream)).abort_handle());
    }
}

/// Why there is no answer. hyper closes the connection when its service fails, and with HTTP/2 the stream.
#[derive(Debug, Error)]
pub(crate) enum NoAnswerError {
    #[error("the connection was closed by a fault")]
    Connection,
    #[error("the stream was reset by a fault: {0:?}")]
    Stream(StreamReset),
}

/// All requests of one connection.
#[derive(Clone)]
pub(crate) struct Visits {
    shared: Arc<Shared>,
    router: Router,
    port: u16,
    pub(crate) control: Control,
}

impl Visits {
    /// Serves the connection. An error is a client that went away, or a fault that was ordered.
    async fn serve(self, stream: TcpStream) {
        let shared = Arc::clone(&self.shared);
        match &shared.tls {
            Some(tls) => tls.serve(self, stream).await,
            None => self.serve_http1(stream).await,
        }
    }

    pub(crate) async fn serve_http1<S: AsyncRead + AsyncWrite + Tcp + Unpin>(self, stream: S) {
        let connection = Connection::new(stream, self.control.clone(), self.shared.config.starman);
        let handler = service_fn(move |request| self.clone().answer(request, false));
        let _ = http1::Builder::new().serve_connection(TokioIo::new(connection), handler).await;
    }

    pub(crate) async fn answer(self, request: hyper::Request<Incoming>, http2: bool) -> Result<Reply, NoAnswerError> {
        let Self { shared, router, port, control } = self;
        let (parts, body) = request.into_parts();
        let body = to_bytes(Body::new(body), usize::MAX).await.map_err(|_| NoAnswerError::Connection)?;
        let (head, reused) = control.take_head();
        let origin = Origin { port, head: if http2 { Vec::new() } else { head } };
        let (mut request, mut recorded) = Request::read(&parts, body, &shared.config.sub_path, origin).await;
        let stays_open = shared.config.starman && !http2 && recorded.header("connection") != Some("close");
        // Listened to from before: a fault that is ended at once holds nothing.
        let released = shared.released.subscribe();
        let wall = lock(&shared.wall).clone().filter(|wall| !wall.lets_pass(&request, &recorded.path));
        let had_cookie = request.cookie(NODE_COOKIE).is_some();
        if wall.is_none()
            && let Some(balancer) = lock(&shared.balancer).as_mut()
        {
            recorded.node = balancer.choose(&mut request);
        }
        let (node, path) = (recorded.node, recorded.path.clone());
        // Before the record, where a test may be waiting for it.
        let due = if wall.is_some() { Vec::new() } else { lock(&shared.faults).due(&path, reused) };
        lock(&shared.requests).push(recorded);
        if let Some(wall) = wall {
            return Ok(wall.page());
        }
        let visit = Visit { shared: Arc::clone(&shared), router };
        // In a task of its own: as with a real server, a client that goes away does not stop what it asked for.
        let going = tokio::spawn(visit.go(request, due, released, control.clone()));
        let mut reply = match going.await.unwrap_or(Err(NoAnswerError::Connection)) {
            Err(NoAnswerError::Connection) => {
                // With HTTP/2 an error would end the stream alone.
                control.close();
                return Err(NoAnswerError::Connection);
            }
            other => other?,
        };
        if shared.tls.is_some() {
            reply = reply::secure(reply);
        }
        if let Some(balancer) = lock(&shared.balancer).as_mut() {
            reply = balancer.answered(node, had_cookie, reply);
        }
        Ok(if stays_open { reply::with_header(reply, CONNECTION, "keep-alive") } else { reply })
    }
}

/// One request on its way.
struct Visit {
    shared: Arc<Shared>,
    router: Router,
}

impl Visit {
    async fn go(
        mut self,
        request: Request,
        due: Vec<FaultKind>,
        mut released: watch::Receiver<()>,
        control: Control,
    ) -> Result<Reply, NoAnswerError> {
        let path = request.path.clone();
        for fault in &due {
            match fault {
                FaultKind::Delay(time) => tokio::time::sleep(*time).await,
                // Where the server is stopped meanwhile, there is nothing left to wait for.
                FaultKind::Hold => released.changed().await.map_err(|_| NoAnswerError::Connection)?,
                FaultKind::StreamResetBefore(code) => return Err(NoAnswerError::Stream(*code)),
                FaultKind::ResetBefore => return Err(NoAnswerError::Connection),
                FaultKind::Status(status) => return Ok(reply::own(self.shared.config.era, &path, *status)),
                FaultKind::FrontBefore(front) => return Ok(self.front(front, &path)),
                FaultKind::HtmlLogin => return Ok(pages::captive_portal()),
                FaultKind::Redirect(location) => return Ok(reply::redirect(location)),
                FaultKind::ExpireSession => {
                    let mut library = self.shared.library();
                    let session = request.cookie("CGISESSID").and_then(|id| library.sessions.get_mut(&id));
                    if let Some(session) = session {
                        session.expired = true;
                    }
                }
                _ => {}
            }
        }
        if due.contains(&FaultKind::SentAgain) {
            let _ = self.process(request.clone()).await;
        }
        let mut reply = self.process(request).await;
        for fault in due {
            match fault {
                FaultKind::DelayAfter(time) => tokio::time::sleep(time).await,
                FaultKind::HoldAfter => released.changed().await.map_err(|_| NoAnswerError::Connection)?,
                FaultKind::StreamResetAfter(code) => return Err(NoAnswerError::Stream(code)),
                FaultKind::ResetAfter => return Err(NoAnswerError::Connection),
                FaultKind::CloseReused(close) => {
                    if close == Close::Rst {
                        control.end_with_reset();
                    }
                    return Err(NoAnswerError::Connection);
                }
                FaultKind::CutHeaders => control.limit(CUT_AFTER_BYTES),
                FaultKind::CutAfter(bytes) => control.limit(bytes),
                FaultKind::FrontAfter(front) => reply = self.front(&front, &path),
                FaultKind::Endless(text) => reply = reply::endless(text),
                FaultKind::Status500After => reply = reply::own(self.shared.config.era, &path, 500),
                _ => {}
            }
        }
        Ok(reply)
    }

    fn front(&self, front: &Front, path: &str) -> Reply {
        front.answer(self.shared.config.era, path, self.shared.library().now_utc())
    }

    async fn process(&mut self, request: Request) -> Reply {
        if request.path.is_empty() {
            return not_found();
        }
        {
            let library = self.shared.library();
            if library.era == Era::From2405
                && request.path.starts_with("/cgi-bin/")
                && let Some(refusal) = csrf::refuse(&library, &request)
            {
                return refusal;
            }
        }
        let mut routed = hyper::Request::new(Body::empty());
        *routed.method_mut() = request.method.parse().unwrap_or_default();
        *routed.uri_mut() = request.path.parse().unwrap_or_default();
        routed.extensions_mut().insert(Arc::new(request));
        // A router is always ready and never fails.
        let Ok(reply) = self.router.call(routed).await;
        // Where its clock is right, hyper writes the date.
        let library = self.shared.library();
        if library.clock_shift_seconds == 0 {
            return reply;
        }
        let date = library.now_utc().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        reply::with_header(reply, DATE, &date)
    }
}

/// A page: it sees the request and all that is shared, and answers at once.
fn page(answer: fn(&Shared, &Request) -> Reply) -> MethodRouter<Arc<Shared>> {
    any(move |State(shared): State<Arc<Shared>>, Extension(request): Extension<Arc<Request>>| async move {
        answer(&shared, &request)
    })
}

/// The paths below the sub-path.
fn routes(shared: &Arc<Shared>) -> Router {
    Router::new()
        .route("/", page(pages::main_page))
        .route("/cgi-bin/koha/mainpage.pl", page(pages::main_page))
        .route("/cgi-bin/koha/svc/authentication", page(authentication::authentication))
        .route("/cgi-bin/koha/svc/report", page(report::report))
        .route("/cgi-bin/koha/offline_circ/service.pl", page(service::service))
        .route("/cgi-bin/koha/offline_circ/list.pl", page(pages::list))
        .route("/cgi-bin/koha/offline_circ/process.pl", page(pages::process))
        .route("/cgi-bin/koha/offline_circ/process_koc.pl", page(koc::upload_page))
        .route("/cgi-bin/koha/offline_circ/enqueue_koc.pl", page(koc::enqueue))
        .route("/cgi-bin/koha/tools/upload-file.pl", page(koc::upload_file))
        .route("/api/v1/public/libraries", page(rest::public_libraries))
        .route("/api/v1/libraries", page(rest::libraries))
        .route("/api/v1/libraries/{id}", page(rest::library))
        .route("/api/v1/patrons", page(rest::patrons))
        .route("/api/v1/patrons/{id}", page(rest::patron))
        .route("/api/v1/patrons/{id}/account", page(rest::account))
        .route("/api/v1/items", page(rest::items))
        .route("/api/v1/items/{id}", page(rest::item))
        .route("/api/v1/checkouts", page(rest::checkouts))
        .route("/api/v1/checkouts/availability", page(rest::availability))
        .route("/api/v1/checkouts/{id}", page(rest::checkout))
        .route("/api/v1/checkins", page(rest::checkins::add))
        .route("/api/v1/checkins/availability", page(rest::checkins::availability))
        .route("/api/v1/sysprefs", page(rest::system_preferences))
        .route("/api/v1/oauth/token", page(rest::token))
        .route("/api/v1/holds", page(rest::holds))
        .route("/api/v1/contrib/offlinecirc/transactions", page(plugin::transactions))
        .fallback(async || not_found())
        .with_state(Arc::clone(shared))
}

fn not_found() -> Reply {
    reply::error_page(404, None)
}
