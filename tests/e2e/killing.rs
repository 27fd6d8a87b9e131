//! Firefox killed in the middle, again and again: what was confirmed is there, and nothing is in Koha twice.
//!
//! `KOCT_KILL_ROUNDS` is how often, over the first two tests; the one of the second copy has as many rounds by itself, and one in the suite: 3 in the suite, where a kill comes while codes are scanned, while they are applied
//! and while they are sent, and more by `cargo xtask killing`, where each commit type comes in each era. A failure prints its seed; set `KOCT_KILL_SEED` to it, and the same is scanned and the same moments are chosen.

use fake_koha::{Config, Effect, Era, FakeKoha, Fault, FaultKind, Library, Recorded};
use fastrand::Rng;
use koct_tests::{
    copy,
    desk::{Desk, Settings, addon, open_window},
    firefox::{Firefox, Options},
    page::key::F4,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Scans or transactions in a round.
const SCANS: usize = 60;
const TRANSACTIONS: usize = 30;
/// Of those the number that bring back what was lent in the same round.
const RETURNS: usize = 6;
/// Transactions that are copied before the first kill.
const FILLED: usize = 200;
/// A few milliseconds on each side of the work in Koha, so that a kill can fall on either.
const SERVER_TIME: Duration = Duration::from_millis(4);

fn number(variable: &str) -> Option<u64> {
    Some(std::env::var(variable).ok()?.parse().unwrap_or_else(|_| panic!("{variable} must be a number")))
}

/// How often, of scans and of commits. A round of commits does more.
fn rounds() -> [usize; 2] {
    let all = usize::try_from(number("KOCT_KILL_ROUNDS").unwrap_or(3)).unwrap();
    [all.div_ceil(3), all - all.div_ceil(3)]
}

/// The eras and commit types of the rounds of commits. Two rounds have the first and the third.
const WAYS: [(Era, &str); 4] =
    [(Era::From2405, "apply"), (Era::Before2405, "apply"), (Era::Before2405, "send"), (Era::From2405, "send")];

/// The generator of a test. Its seed is printed where the test fails.
fn random() -> Rng {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| u64::from(time.subsec_nanos()));
    let seed = number("KOCT_KILL_SEED").unwrap_or_else(now);
    println!("KOCT_KILL_SEED={seed}");
    Rng::with_seed(seed)
}

/// How long something takes that is killed again and again before its end: learnt from how far it came.
struct Pace(Duration);

impl Pace {
    fn moment(&self, random: &mut Rng) -> Duration {
        self.0.mul_f64(random.f64())
    }

    fn learn(&mut self, took: Duration, done: usize, all: usize) {
        if done * 4 >= all {
            let scale = f64::from(u32::try_from(all).unwrap()) / f64::from(u32::try_from(done).unwrap());
            self.0 = took.mul_f64(scale);
        } else {
            // So little was done in this time that the whole takes at least twice as long.
            self.0 = self.0.max(took * 2);
        }
    }
}

/// What a Firefox needs that is killed again and again.
fn after_kills() -> Vec<(String, Value)> {
    vec![
        // Firefox takes a few kills in a row for its own fault and would offer its troubleshoot mode.
        ("toolkit.startup.max_resumed_crashes".to_owned(), json!(-1)),
        ("browser.sessionstore.resume_from_crash".to_owned(), json!(false)),
    ]
}

/// A desk with this profile, the question about leftovers put aside.
fn start(profile: &Path) -> Desk {
    let prefs = after_kills();
    let desk = Desk::open(&Options { profile: Some(profile.to_owned()), prefs, ..Options::default() }).unwrap();
    if desk.page.visible("#clear-dialog").unwrap() {
        desk.page.click("#clear-ok").unwrap();
    }
    desk
}

/// Hears of each row of a desk's table as soon as it is drawn or changed. What it has heard of by the time of the kill, a
/// person has seen. (The driver could not ask meanwhile: it waits for the keys to be typed.)
struct Witness(FakeKoha);

/// A row as it was seen.
#[derive(Debug)]
struct Seen {
    seq: u64,
    state: String,
    barcode: String,
}

/// Kills Firefox this long after now. Gives how long after it was in truth.
fn kill_after(desk: &Desk, after: Duration) -> thread::JoinHandle<Duration> {
    let killer = desk.firefox.killer();
    let began = Instant::now();
    thread::spawn(move || {
        thread::sleep(after);
        killer.kill();
        began.elapsed()
    })
}

impl Witness {
    fn new() -> Self {
        Self(FakeKoha::start(Config::default()).unwrap())
    }

    fn watch(&self, desk: &Desk) {
        self.0.clear_requests();
        let script = format!(
            "new MutationObserver(() => document.querySelectorAll('#transactions-rows tr[data-seq]').forEach(row => {{ \
             const {{seq, status}} = row.dataset; const barcode = row.querySelector('[data-field=barcode]').textContent; \
             if (row.told !== seq + status) {{ row.told = seq + status; fetch({}, {{method: 'POST', mode: 'no-cors', \
             body: new URLSearchParams({{seq, status, barcode}})}}).catch(() => {{}}); }} }})) \
             .observe(document.getElementById('transactions-rows'), {{childList: true, subtree: true, attributes: true}})",
            json!(self.0.url() + "/seen")
        );
        desk.page.eval(&script).unwrap();
    }

    /// What was seen, in the order of the log.
    fn seen(&self) -> Vec<Seen> {
        let requests = self.0.requests();
        let text = |request: &Recorded, name: &str| request.parameter(name).unwrap().to_owned();
        let mut seen: Vec<Seen> = requests
            .iter()
            .map(|request| Seen {
                seq: text(request, "seq").parse().unwrap(),
                state: text(request, "status"),
                barcode: text(request, "barcode"),
            })
            .collect();
        seen.sort_by_key(|row| row.seq);
        seen
    }

    /// Does something with the desk and kills Firefox this long after the beginning. Returns what was seen until then, and
    /// how long it had in truth.
    fn kill_during(&self, desk: Desk, after: Duration, act: impl FnOnce(&Desk)) -> (Vec<Seen>, Duration) {
        self.watch(&desk);
        let killing = kill_after(&desk, after);
        act(&desk);
        let took = killing.join().unwrap();
        desk.firefox.kill();
        (self.seen(), took)
    }
}

/// The log as it is stored, in its order.
fn stored(desk: &Desk) -> Vec<Value> {
    let rows = desk.page.eval(
        "new Promise((done, fail) => { const opening = indexedDB.open('koct'); opening.onsuccess = () => { \
         const db = opening.result; const all = db.transaction('transactions').objectStore('transactions').getAll(); \
         all.onsuccess = () => { db.close(); done(all.result); }; all.onerror = fail; }; opening.onerror = fail; })",
    );
    rows.unwrap().as_array().unwrap().clone()
}

fn state(row: &Value) -> &str {
    row["status"]["state"].as_str().unwrap()
}

fn is_committed(state: &str) -> bool {
    matches!(state, "success" | "added")
}

/// A scan, as a row of the log without what only the desk knows.
fn row(patron: Option<&str>, item: &str) -> Value {
    let mut row = json!({"action": "return", "barcode": item, "part": 0, "itemKey": item.to_lowercase()});
    if let Some(patron) = patron {
        row["action"] = json!("issue");
        row["cardnumber"] = json!(patron);
    }
    row
}

/// The part of a row that [`row`] gives, and that the rest is whole.
fn scanned(stored: &Value) -> Value {
    let mut row = stored.clone();
    let fields = row.as_object_mut().unwrap();
    assert!(fields.remove("seq").is_some_and(|seq| seq.is_u64()), "{stored}");
    let moment = fields.remove("moment").unwrap();
    assert!(moment["utc"].is_u64() && moment["offset"].is_i64(), "{stored}");
    assert!(fields.remove("status").unwrap()["state"].is_string(), "{stored}");
    row
}

/// Codes as a scanner types them, beginning in the patron's field: checkouts, and then checkins.
fn keys(patron: &str, checkouts: &[String], checkins: &[String]) -> String {
    let lines = |codes: &[String]| codes.iter().flat_map(|code| [code, "\n"]).collect::<String>();
    format!("{patron}\n{}{F4}{}", lines(checkouts), lines(checkins))
}

#[test]
fn what_was_confirmed_before_a_kill_is_in_the_log() {
    let mut random = random();
    let (profile, witness) = (koct_tests::keeper::folder().unwrap(), Witness::new());
    let mut pace = Pace(Duration::from_secs(1));
    let mut desk = start(profile.path());
    let mut log: Vec<Value> = Vec::new();
    for round in 0..rounds()[0] {
        let patron = format!("P{round}");
        let items: Vec<String> = (0..SCANS).map(|scan| format!("{round}-{scan}")).collect();
        let (checkouts, checkins) = items.split_at(random.usize(..=SCANS));
        let lent = checkouts.iter().map(|item| row(Some(&patron), item));
        let scans: Vec<Value> = lent.chain(checkins.iter().map(|item| row(None, item))).collect();
        let after = pace.moment(&mut random);

        desk.page.fill("#checkout-patron", "").unwrap();
        let earlier = log.len();
        let (seen, took) = witness.kill_during(desk, after, |desk| {
            // It fails where the kill comes first.
            let _ = desk.page.type_text(&keys(&patron, checkouts, checkins));
        });
        desk = start(profile.path());

        let now = stored(&desk);
        let found: Vec<Value> = now.get(earlier..).unwrap_or_default().iter().map(scanned).collect();
        // The rows of earlier rounds stand in the table too.
        let mut confirmed: Vec<&Seen> = seen.iter().filter(|row| items.contains(&row.barcode)).collect();
        confirmed.dedup_by_key(|row| row.seq);
        println!("round {round}: killed after {took:?}: {} confirmed, {} in the log", confirmed.len(), found.len());
        assert_eq!(&now[..earlier.min(now.len())], log, "what was there before is there");
        // Written one after the other, so that the log holds the first ones and no gap.
        assert_eq!(found, scans[..found.len()]);
        assert!(confirmed.len() <= found.len(), "{} were confirmed", confirmed.len());
        for (place, row) in confirmed.iter().enumerate() {
            let kept = &now[earlier + place];
            assert_eq!((kept["seq"].as_u64(), kept["barcode"].as_str()), (Some(row.seq), Some(row.barcode.as_str())));
        }
        assert_eq!(desk.total().unwrap(), u64::try_from(now.len()).unwrap());
        pace.learn(took, found.len(), SCANS);
        log = now;
    }
    assert!(log.iter().all(|row| state(row) == "local"));
}

/// A desk with this profile that keeps a second copy in this folder: what a person has allowed ends with Firefox here.
fn start_copying(profile: &Path, downloads: &Path) -> Desk {
    let options = Options {
        profile: Some(profile.to_owned()),
        prefs: after_kills(),
        downloads: Some(downloads.to_owned()),
        ..Options::default()
    };
    let firefox = Firefox::ready(&options).unwrap();
    firefox.install(&addon().unwrap()).unwrap();
    let page = firefox.open(&firefox.addon_url("options/options.html")).unwrap();
    page.wait("document.body && document.body.hasAttribute('data-ready')").unwrap();
    // Not while somebody is about to give back what is not wanted yet.
    let wanted = "navigator.locks.request('koct-permissions', () => browser.storage.local.set({ habits: { secondCopy: true } }))";
    page.eval(wanted).unwrap();
    firefox.allow_files().unwrap();
    let page = open_window(&firefox).unwrap();
    Desk { firefox, page }
}

/// Numbers and codes of the rows of the log, and of what an import would bring.
type Rows = BTreeMap<u64, String>;

fn rows(desk: &Desk) -> Rows {
    let code = |row: &Value| row["barcode"].as_str().unwrap().to_owned();
    stored(desk).iter().map(|row| (row["seq"].as_u64().unwrap(), code(row))).collect()
}

fn copied(downloads: &Path) -> Rows {
    let mut rows = Rows::new();
    for entry in copy::read(downloads).unwrap().entries {
        let code = entry.transaction.action.barcode().unwrap().to_string();
        let before = rows.insert(entry.id.0.into(), code.clone());
        assert!(before.is_none_or(|before| before == code), "two of one number");
    }
    rows
}

#[test]
fn what_was_copied_before_a_kill_is_in_the_copy_and_nothing_else() {
    let mut random = random();
    let (profile, downloads) = (koct_tests::keeper::folder().unwrap(), koct_tests::keeper::folder().unwrap());
    let mut desk = start_copying(profile.path(), downloads.path());
    desk.fill(FILLED).unwrap();
    let mut known = rows(&desk);
    crate::wait("nothing is copied", || (copied(downloads.path()) == known).then_some(()));
    for round in 0..number("KOCT_KILL_ROUNDS").map_or(1, |rounds| rounds) {
        let items: Vec<String> = (0..SCANS).map(|scan| format!("{round}-{scan}")).collect();
        // Typing takes about a second, and so does what is written at the start.
        let after = Duration::from_secs(2).mul_f64(random.f64());
        let killing = kill_after(&desk, after);
        let _ = desk.page.type_text(&(F4.to_string() + &items.join("\n") + "\n"));
        let took = killing.join().unwrap();
        desk.firefox.kill();
        // Were the profile lost now, this would be left.
        let left = copied(downloads.path());
        assert!(known.iter().all(|(seq, code)| left.get(seq) == Some(code)), "what was copied is there");
        desk = start_copying(profile.path(), downloads.path());
        let log = rows(&desk);
        println!("round {round}: killed after {took:?}: {} of {} rows copied", left.len(), log.len());
        assert!(left.iter().all(|(seq, code)| log.get(seq) == Some(code)), "nothing that was not confirmed");
        known = left;
        // The next kill comes at once, in the middle of the new set, or when all was copied.
        if random.bool() || round == 0 {
            let behind = || format!("{} rows of {} are copied", copied(downloads.path()).len(), log.len());
            crate::wait(&behind(), || (copied(downloads.path()) == log).then_some(()));
            known.clone_from(&log);
        }
    }
}

/// What is in Koha, by action and barcode, and how often.
fn processed(koha: &FakeKoha) -> BTreeMap<(String, String), usize> {
    let mut processed = BTreeMap::new();
    koha.library(|library| {
        for effect in &library.effects {
            let (action, barcode) = match effect {
                Effect::Issued { barcode, .. } | Effect::Renewed { barcode, .. } => ("issue", barcode),
                Effect::Returned { barcode, .. } => ("return", barcode),
                Effect::Queued(operation) => (operation.action.as_str(), &operation.barcode),
                other => panic!("not asked for: {other:?}"),
            };
            *processed.entry((action.to_owned(), barcode.clone())).or_default() += 1;
        }
    });
    processed
}

/// Compares the log with Koha: nothing is there twice, and no row says what is not so. Returns how many are in Koha.
fn agree(koha: &FakeKoha, log: &[Value]) -> usize {
    let processed = processed(koha);
    let mut in_koha = 0;
    for row in log {
        let key = (row["action"].as_str().unwrap().to_owned(), row["barcode"].as_str().unwrap().to_owned());
        let times = processed.get(&key).copied().unwrap_or_default();
        in_koha += times;
        let fits = match times {
            0 => matches!(state(row), "local" | "in-doubt"),
            1 => is_committed(state(row)) || state(row) == "in-doubt",
            _ => false,
        };
        assert!(fits, "{times} times in Koha: {row}");
    }
    in_koha
}

/// Has a person look into Koha for each transaction in doubt, and decide.
fn decide(desk: &Desk, koha: &FakeKoha, log: &[Value]) {
    let processed = processed(koha);
    desk.open_log().unwrap();
    for row in log.iter().filter(|row| state(row) == "in-doubt") {
        let key = (row["action"].as_str().unwrap().to_owned(), row["barcode"].as_str().unwrap().to_owned());
        let (decision, then) =
            if processed.contains_key(&key) { ("is-in-koha", "success") } else { ("send-again", "local") };
        let line = format!("tr[data-seq=\"{}\"]", row["seq"]);
        // Only rows around what is seen are drawn; the newest is at the top.
        let place = log.iter().rev().position(|other| other["seq"] == row["seq"]).unwrap();
        let scroll = "document.getElementById('transactions-scroll')";
        desk.page.eval(&format!("{scroll}.scrollTop = {scroll}.scrollHeight * {place} / {}", log.len())).unwrap();
        desk.page.wait(&format!("document.querySelector('{line}')")).unwrap();
        // Rows are drawn anew in the frame after they are scrolled, and the button must not move while it is clicked.
        let settle = "(async row => { row.scrollIntoView({block: 'center'}); for (let frame = 0; frame < 3; frame++) \
            await new Promise(requestAnimationFrame); return true; })";
        desk.page.eval(&format!("{settle}(document.querySelector('{line}'))")).unwrap();
        desk.page.click(&format!("{line} [data-decision={decision}]")).unwrap();
        desk.page.wait(&format!("document.querySelector('{line}').dataset.status === '{then}'")).unwrap();
    }
}

#[test]
fn nothing_is_in_koha_twice_after_a_kill() {
    // Short, since a key takes the driver longer than a scanner.
    let barcode = |number: usize| format!("K{number}");
    let mut random = random();
    let kohas = [Era::Before2405, Era::From2405].map(|era| {
        let mut library = Library::generate(1, 20, 4_000);
        for (number, item) in (1..).zip(&mut library.items) {
            item.barcode = barcode(number);
        }
        let koha = FakeKoha::start(Config { era, library, ..Config::default() }).unwrap();
        koha.fault(Fault::on("service.pl", FaultKind::Delay(SERVER_TIME)));
        koha.fault(Fault::on("service.pl", FaultKind::DelayAfter(SERVER_TIME)));
        koha
    });
    // The generated library has lent every eighth item already.
    let mut free = (1..4_000).filter(|number| number % 8 != 0).map(barcode);
    let (profile, witness) = (koct_tests::keeper::folder().unwrap(), Witness::new());
    let mut paces = [Pace(Duration::from_secs(1)), Pace(Duration::from_secs(1))];
    let mut desk = start(profile.path());
    let [_, rounds] = rounds();
    let mut configured = None;
    for round in 0..rounds {
        // Each way in turn for some rounds: to enter settings takes longer than a round's work.
        let way = round * WAYS.len() / rounds;
        let (era, commit_type) = WAYS[way];
        let (koha, pace) = (&kohas[usize::from(era == Era::From2405)], &mut paces[way / 2]);
        let settings = Settings::of(&koha.url(), commit_type);
        if configured.replace(way) != Some(way) {
            desk.set_up(&settings).unwrap();
        }

        let checkouts: Vec<String> = free.by_ref().take(TRANSACTIONS - RETURNS).collect();
        let first = random.usize(..=checkouts.len() - RETURNS);
        let patron = format!("2{:013}", random.usize(1..=20));
        desk.page.fill("#checkout-patron", "").unwrap();
        desk.page.type_text(&keys(&patron, &checkouts, &checkouts[first..first + RETURNS])).unwrap();
        desk.wait_for_total(u64::try_from(TRANSACTIONS).unwrap()).unwrap();
        let before: Vec<Value> = stored(&desk).iter().map(scanned).collect();
        assert_eq!(before.len(), TRANSACTIONS);
        assert_eq!(agree(koha, &stored(&desk)), 0);

        let after = pace.moment(&mut random);
        let (seen, took) = witness.kill_during(desk, after, |desk| {
            let _ = desk.page.click("#commit");
        });
        desk = start(profile.path());

        let log = stored(&desk);
        let in_koha = agree(koha, &log);
        let in_doubt = log.iter().filter(|row| state(row) == "in-doubt");
        let doubtful: BTreeSet<Option<u64>> = in_doubt.map(|row| row["seq"].as_u64()).collect();
        println!(
            "round {round}, {era:?}, {}: killed after {took:?}: {in_koha} in Koha, {} in doubt",
            settings.commit_type,
            doubtful.len()
        );
        assert_eq!(log.iter().map(scanned).collect::<Vec<_>>(), before, "the log has all");
        let committed: BTreeSet<u64> =
            log.iter().filter(|row| is_committed(state(row))).filter_map(|row| row["seq"].as_u64()).collect();
        for row in seen.iter().filter(|row| is_committed(&row.state)) {
            assert!(committed.contains(&row.seq), "{} was shown as {}", row.barcode, row.state);
        }
        pace.learn(took, in_koha, TRANSACTIONS);

        // The password, and the leave to ask this server if it was given just now, may be gone with Firefox.
        desk.set_up(&settings).unwrap();
        desk.commit().unwrap();
        let log = stored(&desk);
        agree(koha, &log);
        let in_doubt: Vec<&Value> = log.iter().filter(|row| state(row) == "in-doubt").collect();
        // Where Koha shows what it did, that ends a doubt.
        assert!(in_doubt.iter().all(|row| doubtful.contains(&row["seq"].as_u64())), "a new doubt: {in_doubt:?}");
        let waited_for: BTreeSet<Option<&str>> = in_doubt.iter().map(|row| row["itemKey"].as_str()).collect();
        for row in log.iter().filter(|row| state(row) == "local") {
            assert!(waited_for.contains(&row["itemKey"].as_str()), "left without a reason: {row}");
        }

        if !in_doubt.is_empty() {
            decide(&desk, koha, &log);
            desk.commit().unwrap();
        }
        let log = stored(&desk);
        assert_eq!(agree(koha, &log), TRANSACTIONS);
        assert!(log.iter().all(|row| is_committed(state(row))), "{log:?}");
        desk.clear_committed().unwrap();
        desk.wait_for_total(0).unwrap();
    }
}
