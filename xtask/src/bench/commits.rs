//! What committing costs beyond the server's own time.

use super::median;
use fake_koha::{Config, Era, FakeKoha, Fault, FaultKind};
use koct_tests::{
    desk::{Desk, Settings},
    firefox::Options,
    matrix::BEFORE_TRANSACTIONS,
};
use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    time::{Duration, Instant},
};

const COMMITTED: usize = 200;

/// The lengths of the log at which the start of a commit is measured, and how often.
const LENGTHS: [usize; 2] = [1_000, 100_000];
const STARTS: usize = 5;

/// For how long a commit may take to its first request before something is wrong.
const STARTS_WITHIN: Duration = Duration::from_mins(2);

/// What Firefox itself takes for one POST to this address and for one strict write of two rows: two medians in
/// milliseconds, the floor of what a transaction that waits for the one before can cost.
const FLOOR: &str = "(async (url, body, count) => { const median = times => times.sort((a, b) => a - b)[times.length >> 1]; \
    const posts = [], writes = []; for (let i = 0; i < count; i++) { const began = performance.now(); \
    await (await fetch(url, {method: 'POST', body: new URLSearchParams(body), credentials: 'omit', cache: 'no-store'})).text(); \
    posts.push(performance.now() - began); } \
    const db = await new Promise((done, fail) => { const o = indexedDB.open('floor', 1); \
    o.onupgradeneeded = () => o.result.createObjectStore('rows', {keyPath: 'seq'}); o.onsuccess = () => done(o.result); o.onerror = fail; }); \
    for (let i = 0; i < count; i++) { const began = performance.now(); await new Promise((done, fail) => { \
    const t = db.transaction('rows', 'readwrite', {durability: 'strict'}); const rows = t.objectStore('rows'); \
    rows.get(i); rows.get(i + 1).onsuccess = () => { rows.put({seq: i}); rows.put({seq: i + 1}); t.commit(); }; \
    t.oncomplete = done; t.onerror = fail; }); writes.push(performance.now() - began); } \
    db.close(); return [median(posts), median(writes)]; })";

/// A transaction that changes nothing, as a form.
const NOTHING: &str = "userid=koha&password=koha&login_userid=koha&login_password=koha&nocookie=true&pending=false&action=return&barcode=none";

/// # Errors
/// When something that is measured does not work.
pub(super) fn bench(addon: &Path) -> koct_tests::Result {
    println!("from the click on Commit until the first transaction reaches the server, {STARTS} times:");
    for length in LENGTHS {
        let times = starts(addon, length)?;
        let shown: Vec<_> = times.iter().map(|time| format!("{time:.0}")).collect();
        println!("  of {length}: {:.0} ms (each: {})", median(times), shown.join(", "));
    }
    println!("committing {COMMITTED} transactions, the time beyond the server's own:");
    for era in [Era::Before2405, Era::From2405] {
        for (commit_type, delay) in [("send", 0), ("send", 20), ("apply", 0), ("apply", 20)] {
            let koha = FakeKoha::start(Config { era, ..Config::default() })?;
            let desk = Desk::with_addon(&Options::default(), addon)?;
            desk.configure(&Settings::of(&koha.url(), commit_type))?;
            desk.fill(COMMITTED)?;
            koha.fault(Fault::on("service.pl", FaultKind::Delay(Duration::from_millis(delay))));
            let took = desk.page.eval(
                "(async () => { const b = document.getElementById('commit'); const began = performance.now(); b.click(); \
                 await new Promise(done => new MutationObserver(() => { if (b.getAttribute('aria-disabled') === 'false') done(); }) \
                 .observe(b, {attributes: true})); return performance.now() - began; })()",
            )?;
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let each = took.as_f64().unwrap_or(f64::NAN) / COMMITTED as f64;
            let server = servers_own_time(&koha)?;
            println!(
                "  {era:?}, {commit_type}, server waits {delay} ms: {each:.2} ms each, login included; a bare request takes {server:.2} ms; beyond it {:.2} ms",
                each - server
            );
            if delay == 0 && era == Era::Before2405 && commit_type == "apply" {
                let url = format!("{}/cgi-bin/koha/offline_circ/service.pl", koha.url());
                let floor = desk.page.eval(&format!("{FLOOR}('{url}', '{NOTHING}', {COMMITTED})"))?;
                let part = |index: usize| floor.get(index).and_then(serde_json::Value::as_f64).unwrap_or(f64::NAN);
                println!(
                    "    of that, Firefox alone: a bare POST {:.2} ms (the server's part in it), a bare strict write {:.2} ms; KOCT's own part {:.2} ms",
                    part(0),
                    part(1),
                    each - part(0) - part(1)
                );
            }
        }
    }
    Ok(())
}

/// How long commits of a log of this length take to their first request with a transaction, in milliseconds: from just before
/// the click is sent to Firefox until the stand-in server has the request, looked for each millisecond. The server
/// refuses it, so nothing is committed, and the next commit finds the same log.
fn starts(addon: &Path, length: usize) -> koct_tests::Result<Vec<f64>> {
    let koha = FakeKoha::start(Config { era: Era::From2405, ..Config::default() })?;
    let desk = Desk::with_addon(&Options::default(), addon)?;
    desk.configure(&Settings::of(&koha.url(), "apply"))?;
    desk.fill(length)?;
    let mut times = Vec::new();
    for _ in 0..STARTS {
        koha.clear_requests();
        koha.clear_faults();
        koha.fault(Fault::on("service.pl", FaultKind::Status(401)).skip(BEFORE_TRANSACTIONS));
        let began = Instant::now();
        desk.page.eval("document.getElementById('commit').click()")?;
        let has_transaction =
            || koha.requests().iter().any(|request| request.form.iter().any(|(key, _)| key == "action"));
        while !has_transaction() {
            if began.elapsed() > STARTS_WITHIN {
                return Err("the commit does not send anything".into());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        times.push(began.elapsed().as_secs_f64() * 1000.0);
        desk.wait_for_commit()?;
    }
    Ok(times)
}

/// What one request to service.pl takes without a browser: the median, in milliseconds.
fn servers_own_time(koha: &FakeKoha) -> koct_tests::Result<f64> {
    let body = NOTHING;
    let mut times = Vec::new();
    for _ in 0..COMMITTED {
        let began = Instant::now();
        let mut stream = TcpStream::connect(("127.0.0.1", koha.port()))?;
        write!(
            stream,
            "POST /cgi-bin/koha/offline_circ/service.pl HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )?;
        stream.read_to_end(&mut Vec::new())?;
        times.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(median(times))
}
