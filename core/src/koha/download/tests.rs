use super::*;
use crate::{
    desk::clock::KohaTime,
    directory::{
        Directory,
        block_store::{BlockId, BlockStore, DamagedBlockError},
        owing, refresh,
    },
    koha::{
        Method, NotSent,
        front::Front,
        records::tests::{answer, settings},
    },
    settings::form::{ApiKey, Secret, ServerUrl},
};
use chrono::{DateTime, NaiveDateTime};
use futures_util::FutureExt;
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    future::Future,
    rc::Rc,
};

const MINUTE: i64 = 60_000;
const DAY: i64 = 86_400_000;
/// How far Koha's clock is ahead of the desk's.
const AHEAD: i64 = 7 * MINUTE;

fn at_once<T>(work: impl Future<Output = T>) -> T {
    work.now_or_never().expect("a store in memory never waits")
}

#[derive(Debug, PartialEq, Eq)]
enum StoreError {
    Full,
    Damaged(DamagedBlockError),
}

impl From<DamagedBlockError> for StoreError {
    fn from(error: DamagedBlockError) -> Self {
        Self::Damaged(error)
    }
}

/// The database of a desk.
#[derive(Default, Clone)]
struct Store {
    blocks: RefCell<BTreeMap<BlockId, Rc<[u8]>>>,
    states: RefCell<BTreeMap<&'static str, String>>,
    /// The number of writes until the disk is full.
    room: Cell<Option<usize>>,
}

impl Store {
    fn apply(&self, write: Write) -> Result<(), StoreError> {
        match self.room.get() {
            Some(0) => return Err(StoreError::Full),
            room => self.room.set(room.map(|room| room - 1)),
        }
        let mut blocks = self.blocks.borrow_mut();
        blocks.extend(write.blocks.into_iter().map(|(place, bytes)| (place, bytes.into())));
        self.states.borrow_mut().extend(write.states);
        if let Some(only) = write.only_runs {
            blocks.retain(|place, _| only.contains(&place.run));
        }
        Ok(())
    }

    fn state<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.states.borrow().get(name)?).ok()
    }

    fn contents(&self) -> Contents {
        self.state(CONTENTS).unwrap_or_default()
    }
}

impl BlockStore for &Store {
    type Error = StoreError;

    async fn read(&self, place: BlockId) -> Result<Option<Rc<[u8]>>, StoreError> {
        Ok(self.blocks.borrow().get(&place).cloned())
    }

    async fn write(&self, blocks: Vec<(BlockId, Vec<u8>)>) -> Result<(), StoreError> {
        self.apply(Write { blocks, ..Write::default() })
    }

    async fn rest(&self) {}
}

/// What a row says, and when it was changed by Koha's clock.
type Row = (u32, i64);
type Answer = Result<Response, Failure>;

/// A server that answers as Koha from 24.05 does.
struct Koha {
    sets: BTreeMap<Set, BTreeMap<u32, Row>>,
    /// It gives no more rows at once.
    most: usize,
    knows_q: bool,
    /// The number of sessions and tokens given; only the last is good.
    logins: u32,
    is_ended: bool,
    /// What its clock shows.
    time: i64,
    /// What comes in place of the answer to the next requests for a set.
    instead: Vec<(Set, Answer)>,
    /// What comes in place of the answer to a login with the account and with the key.
    account: Option<Answer>,
    /// The account may see no page at which it could log in.
    gives_no_session: bool,
    logged_out: u32,
    key: Option<Answer>,
    /// The times that each row was given.
    given: BTreeMap<(Set, u32), u32>,
    /// What was asked for.
    asked: Vec<String>,
}

fn page_of_somebody(status: u16) -> Response {
    Response { status, content_type: "text/html".into(), body: "<html>".into(), ..Response::default() }
}

fn maintenance() -> Response {
    answer(503, &json!({"error": "System is under maintenance."}))
}

fn set_of(path: &str) -> Option<Set> {
    Some(match path.strip_prefix("/api/v1/").or_else(|| path.strip_prefix("/cgi-bin/koha/svc/"))? {
        "patrons" => Set::Patrons,
        "items" => Set::Items,
        "checkouts" => Set::Loans,
        "holds" => Set::Holds,
        "report" => Set::Restrictions,
        _ => return None,
    })
}

fn row(set: Set, id: u32, says: u32) -> Value {
    match set {
        // Long enough that a few of them are worth a write.
        Set::Patrons => {
            json!({"patron_id": id, "cardnumber": format!("c{id}"), "surname": format!("{says}"), "staff_notes": "x".repeat(900)})
        }
        Set::Items => {
            json!({"item_id": id, "callnumber": format!("{says}"), "materials_notes": "x".repeat(900), "biblio": {"title": "T"}})
        }
        Set::Loans => json!({"checkout_id": id, "patron_id": 1, "item_id": says}),
        Set::Holds => json!({"hold_id": id, "patron_id": 1, "biblio_id": 1, "pickup_library_id": format!("{says}")}),
        Set::Restrictions => json!([id, "2080-01-01", format!("{says}")]),
    }
}

impl Koha {
    fn new(numbers: [u32; 5]) -> Self {
        let rows = |(set, number): (Set, u32)| (set, (1..=number).map(|id| (id, (1, 0))).collect());
        Self {
            sets: Set::ALL.into_iter().zip(numbers).map(rows).collect(),
            most: 7,
            knows_q: true,
            logins: 0,
            is_ended: false,
            time: 0,
            instead: Vec::new(),
            account: None,
            gives_no_session: false,
            logged_out: 0,
            key: None,
            given: BTreeMap::new(),
            asked: Vec::new(),
        }
    }

    fn put(&mut self, set: Set, id: u32, says: u32) {
        self.sets.entry(set).or_default().insert(id, (says, self.time));
    }

    fn remove(&mut self, set: Set, id: u32) {
        self.sets.entry(set).or_default().remove(&id);
    }

    fn answer(&mut self, request: &Request) -> Answer {
        let url = url::Url::parse(&request.url).unwrap();
        self.asked.push(request.url.replace("https://koha.example.org", ""));
        let query: BTreeMap<String, String> = url
            .query_pairs()
            .into_owned()
            .chain(request.form.iter().map(|(key, value)| ((*key).to_owned(), value.clone())))
            .collect();
        let session = |name: &str| Some(Secret::new(name));
        match url.path() {
            "/cgi-bin/koha/svc/authentication" => Ok(Response {
                csrf_token: session("csrf"),
                session_cookie: session("anonymous"),
                body: "<response><status>failed</status></response>".into(),
                ..answer(200, &Value::Null)
            }),
            "/cgi-bin/koha/offline_circ/service.pl" => self
                .account
                .clone()
                .unwrap_or_else(|| Ok(Response { body: String::new(), ..answer(200, &Value::Null) })),
            "/cgi-bin/koha/mainpage.pl" if request.method == Method::Get => {
                self.logged_out += 1;
                Ok(page_of_somebody(200))
            }
            "/cgi-bin/koha/mainpage.pl" | "/cgi-bin/koha/offline_circ/list.pl" if self.gives_no_session => {
                Ok(page_of_somebody(200))
            }
            "/cgi-bin/koha/mainpage.pl" => {
                let body = "<html><span class=\"loggedinusername\">desk</span>".into();
                Ok(Response { session_cookie: session(&self.log_in()), body, ..page_of_somebody(200) })
            }
            "/api/v1/oauth/token" => match self.key.clone() {
                Some(instead) => instead,
                None => Ok(answer(200, &json!({"access_token": self.log_in()}))),
            },
            "/api/v1/libraries" => Ok(answer(200, &json!([{"library_id": "CPL", "name": "Centerville"}]))),
            path => {
                let set = set_of(path).unwrap();
                if self.instead.first().is_some_and(|(other, _)| *other == set) {
                    return self.instead.remove(0).1;
                }
                let shown = request.session.as_ref().map(|session| &session.cookie).or(request.bearer.as_ref());
                if self.is_ended || shown != Some(&Secret::new(format!("login{}", self.logins))) {
                    return Ok(answer(401, &json!({"error": "expired", "auth_status": "expired"})));
                }
                Ok(self.rows(set, &query))
            }
        }
    }

    fn log_in(&mut self) -> String {
        self.is_ended = false;
        self.logins += 1;
        format!("login{}", self.logins)
    }

    fn rows(&mut self, set: Set, query: &BTreeMap<String, String>) -> Response {
        if !self.knows_q && query.contains_key("q") {
            return answer(400, &json!([{"message": "Malformed query string"}]));
        }
        let condition: Value = query.get("q").map_or(Value::Null, |q| serde_json::from_str(q).unwrap());
        let conditions = condition.as_object().into_iter().flatten();
        let (mut after, mut since, mut only) = (0, i64::MIN, None::<BTreeSet<u32>>);
        for (column, condition) in conditions {
            match column.as_str() {
                "me.updated_on" | "me.timestamp" => {
                    let time = condition[">="].as_str().unwrap();
                    since =
                        NaiveDateTime::parse_from_str(time, "%Y-%m-%d %H:%M:%S").unwrap().and_utc().timestamp_millis();
                }
                _ if condition.is_array() => {
                    only = condition
                        .as_array()
                        .map(|ids| ids.iter().map(|id| u32::try_from(id.as_u64().unwrap()).unwrap()).collect());
                }
                _ => after = u32::try_from(condition[">"].as_u64().unwrap()).unwrap(),
            }
        }
        if let Some(last) = query.get("sql_params") {
            after = last.parse().unwrap();
        }
        let number = |name: &str| query.get(name).map(|number| number.parse::<usize>().unwrap());
        let all = self.sets[&set]
            .range(after + 1..)
            .filter(|(id, (_, changed))| *changed >= since && only.as_ref().is_none_or(|only| only.contains(id)));
        let all: Vec<(u32, u32)> = all.map(|(id, (says, _))| (*id, *says)).collect();
        let size =
            number("_per_page").unwrap_or(if set == Set::Restrictions { self.most } else { usize::MAX }).min(self.most);
        let skipped = (number("_page").unwrap_or(1) - 1) * size;
        let shown: Vec<(u32, u32)> = all.iter().copied().skip(skipped).take(size).collect();
        for (id, _) in &shown {
            *self.given.entry((set, *id)).or_default() += 1;
        }
        let rows: Value = shown.into_iter().map(|(id, says)| row(set, id, says)).collect();
        let total = (set != Set::Restrictions).then(|| u32::try_from(all.len()).unwrap());
        Response { total_count: total, date: Some(KohaTime::from_millis(self.time)), ..answer(200, &rows) }
    }

    /// The most times that one row was given.
    fn given(&self) -> u32 {
        self.given.values().copied().max().unwrap_or_default()
    }

    /// The sets that were asked for, in order.
    fn sets_asked(&self) -> Vec<Set> {
        let path = |asked: &String| set_of(asked.split('?').next().unwrap_or_default());
        let mut sets: Vec<Set> = self.asked.iter().filter_map(path).collect();
        sets.dedup();
        sets
    }
}

/// What happens at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Go,
    /// The person stops it.
    Stop,
    /// Other settings hold.
    Outdated,
    /// Firefox ends before it is done.
    Kill,
    /// Firefox ends when it is done, and nobody was told.
    KillAfter,
}

type Ended = Result<(), DownloadError<StoreError>>;

/// A desk and its Koha.
struct World {
    koha: Koha,
    store: Store,
    settings: Settings,
    records: RecordsSettings,
    time: i64,
    waits: Vec<Duration>,
    scope: Scope,
    /// After whom the next round begins.
    owing_after: u32,
    /// The ends of the rounds.
    rounds: Vec<Option<u32>>,
    /// What a window looks up.
    looked_up: Contents,
    /// What the last download that came to its end came to.
    came_to: Option<refresh::Ended>,
}

impl World {
    fn new(numbers: [u32; 5]) -> Self {
        Self {
            koha: Koha::new(numbers),
            store: Store::default(),
            settings: settings(),
            records: RecordsSettings { enabled: true, restrictions_report: "7".into(), ..RecordsSettings::default() },
            time: 100 * DAY,
            waits: Vec::new(),
            scope: Scope::default(),
            owing_after: 0,
            rounds: Vec::new(),
            looked_up: Contents::default(),
            came_to: None,
        }
    }

    fn small() -> Self {
        Self::new([30, 20, 10, 8, 9])
    }

    fn with_key(mut self) -> Self {
        self.settings.key = Some(ApiKey { id: "key".into(), secret: Secret::new("secret") });
        self
    }

    fn now(&self) -> DeskTime {
        DeskTime::from_millis(self.time)
    }

    fn start(&self) -> Download<StoreError> {
        let (contents, earlier) = (self.store.contents(), self.store.state(DOWNLOAD));
        let download = Download::new(self.settings.clone(), self.records.clone(), contents, earlier, self.now());
        download.with(self.scope, self.owing_after)
    }

    /// One window's download; `None` where it was killed.
    fn run(&mut self, mut turn: impl FnMut(&mut Self, &Output<StoreError>) -> Turn) -> Option<Ended> {
        let mut download = self.start();
        for _ in 0..5_000 {
            let output = download.poll().expect("it says what is next");
            match output {
                Output::Changed => {
                    self.looked_up = download.contents().clone();
                    continue;
                }
                Output::Read(..) | Output::Rest(_) => continue,
                Output::Owing(up_to) => {
                    self.rounds.push(up_to);
                    continue;
                }
                _ => {}
            }
            let turn = turn(self, &output);
            match turn {
                Turn::Go | Turn::KillAfter => {}
                Turn::Kill => return None,
                Turn::Stop => download.handle(Input::Stop, self.now()),
                Turn::Outdated => download.handle(Input::Outdated, self.now()),
            }
            self.time += 1_000;
            self.koha.time = self.time + AHEAD;
            let is_dropped =
                matches!(turn, Turn::Stop | Turn::Outdated) && matches!(output, Output::Request(_) | Output::Wait(_));
            let input = match output {
                Output::Finished(ended) => {
                    self.came_to = Some(download.came_to());
                    return Some(ended);
                }
                // Whoever drives it does not begin what it has just stopped.
                _ if is_dropped => continue,
                Output::Request(request) => Input::Answer(self.koha.answer(&request)),
                Output::Wait(time) => {
                    self.waits.push(time);
                    Input::Waited
                }
                Output::Write(write) => self.store.apply(write).map_or_else(Input::NotWritten, |()| Input::Written),
                Output::Prepare(preparation) => match at_once(preparation.run(&&self.store)) {
                    Ok(held) => Input::Prepared(held),
                    Err(error) => Input::NotPrepared { is_damaged: matches!(error, StoreError::Damaged(_)), error },
                },
                Output::Find(after) => {
                    Input::Found(at_once(owing::round(&&self.store, download.contents(), after)).unwrap())
                }
                Output::Read(..) | Output::Rest(_) | Output::Changed | Output::Owing(_) => unreachable!(),
            };
            if turn == Turn::KillAfter {
                return None;
            }
            download.handle(input, self.now());
        }
        panic!("it does not end")
    }

    /// A download in which nothing goes wrong that was not arranged.
    fn go(&mut self) -> Ended {
        self.run(|_, _| Turn::Go).unwrap()
    }

    fn known(&self, set: Set) -> BTreeMap<u32, u32> {
        self.found(set, self.store.contents())
    }

    /// What is found of a set: what each row says.
    fn found(&self, set: Set, contents: Contents) -> BTreeMap<u32, u32> {
        let directory = Directory::new(&self.store, contents);
        let ids = 1..=40_u32;
        let number = |text: &str| text.parse().unwrap();
        match set {
            Set::Patrons => ids
                .filter_map(|id| at_once(directory.patron(id)).unwrap())
                .map(|patron| (patron.id, number(&patron.surname)))
                .collect(),
            Set::Items => ids
                .filter_map(|id| at_once(directory.item(id)).unwrap())
                .map(|item| (item.id, number(&item.call_number)))
                .collect(),
            Set::Loans => {
                at_once(directory.loans_of(1)).unwrap().into_iter().map(|loan| (loan.id, loan.item.unwrap())).collect()
            }
            Set::Holds => at_once(directory.holds_of(1))
                .unwrap()
                .into_iter()
                .map(|hold| (hold.id, number(&hold.pickup)))
                .collect(),
            Set::Restrictions => {
                let patrons = ids.filter_map(|id| at_once(directory.patron_by_code(&format!("c{id}"))).unwrap());
                patrons
                    .filter(|patron| patron.restricted == Some(true))
                    .map(|patron| (patron.id, number(&patron.restriction_comment)))
                    .collect()
            }
        }
    }

    /// Whether the records are those of the server.
    #[track_caller]
    fn check_known(&self, what: &str) {
        for set in Set::ALL {
            let expected: BTreeMap<u32, u32> =
                self.koha.sets[&set].iter().map(|(id, (says, _))| (*id, *says)).collect();
            assert_eq!(self.known(set), expected, "{what}: {set:?}");
        }
    }

    /// Whether the records are those of the server, and nothing else lies in the store.
    #[track_caller]
    fn check(&self, what: &str) {
        self.check_known(what);
        let contents = self.store.contents();
        assert!(contents.gaps.is_empty(), "{what}: {contents:?}");
        assert_eq!(self.store.state::<Progress>(DOWNLOAD), None, "{what}");
        let runs: BTreeSet<u32> = self.store.blocks.borrow().keys().map(|place| place.run).collect();
        assert_eq!(runs, contents.runs().collect(), "{what}: the rest is deleted");
    }
}

#[test]
fn everything_is_read_in_order_and_later_only_what_has_changed() {
    let mut world = World::small();
    assert_eq!(world.go(), Ok(()));
    world.check("the first time");
    assert_eq!(world.koha.sets_asked(), Set::ALL);
    assert_eq!(world.koha.given(), 1);
    let contents = world.store.contents();
    assert_eq!(contents.libraries.get("CPL").unwrap(), "Centerville");
    let began = contents.sets[&Set::Patrons].koha_as_of.unwrap().millis() - AHEAD;
    assert!(
        contents
            .sets
            .values()
            .all(|held| (100 * DAY..world.time).contains(&held.as_of.millis()) && held.whole_as_of == held.as_of)
    );
    assert!((100 * DAY..world.time).contains(&began), "the one is the desk's clock, the other Koha's");

    for days in [1, 6] {
        world.time = (100 + days) * DAY;
        world.koha.time = world.time + AHEAD;
        world.koha.put(Set::Patrons, 3, 2);
        world.koha.put(Set::Patrons, 31, 1);
        world.koha.put(Set::Items, 20, 5);
        world.koha.remove(Set::Loans, 4);
        world.koha.given.clear();
        assert_eq!(world.go(), Ok(()));
        world.check("changes");
        let given =
            |set| world.koha.given.keys().filter(|(other, _)| *other == set).map(|(_, id)| *id).collect::<Vec<_>>();
        assert_eq!((given(Set::Patrons), given(Set::Items)), (vec![3, 31], vec![20]), "{days}");
        assert_eq!(given(Set::Loans).len(), 9, "what ended is not told: all of them");
    }
    // Nor is it told who is gone: now and then everything is read.
    world.time = 107 * DAY + MINUTE;
    world.koha.remove(Set::Patrons, 10);
    assert_eq!(world.go(), Ok(()));
    world.check("a week later");
}

#[test]
fn firefox_ends_between_any_two_steps() {
    for then in [Turn::Kill, Turn::KillAfter] {
        for step in 0.. {
            let mut world = World::small();
            let (mut steps, mut is_killed) = (0, false);
            let first = world.run(|_, _| {
                steps += 1;
                is_killed = steps > step;
                if is_killed { then } else { Turn::Go }
            });
            if !is_killed {
                assert_eq!(first, Some(Ok(())));
                assert!(step > 30, "{step} steps are some");
                break;
            }
            let was_done = world.store.contents().sets.len();
            world.koha.asked.clear();
            if first.is_none() {
                assert_eq!(world.go(), Ok(()), "{then:?} {step}");
            }
            world.check(&format!("{then:?} {step}"));
            assert!(world.koha.given() <= 2, "{then:?} {step}");
            if first.is_none() && was_done < 5 {
                let again = world.koha.given.values().filter(|times| **times == 2).count();
                assert!(again <= 21, "{then:?} {step}: {again} rows again, three pages are worth a write");
                assert_eq!(world.koha.sets_asked(), Set::ALL[was_done..], "{then:?} {step}: no set is read twice");
            }
        }
    }
}

#[test]
fn whoever_stops_it_loses_no_row() {
    for step in 0.. {
        let mut world = World::small();
        let (mut steps, mut is_stopped) = (0, false);
        let first = world.run(|_, _| {
            steps += 1;
            is_stopped |= steps == step + 1;
            if steps == step + 1 { Turn::Stop } else { Turn::Go }
        });
        if first == Some(Ok(())) {
            assert!(step > 30, "{step}: only the last step cannot be stopped");
            break;
        }
        assert_eq!(first, Some(Err(DownloadError::Stopped)), "{step}");
        // Another window goes on, an hour later.
        world.time += 60 * MINUTE;
        assert_eq!(world.go(), Ok(()), "{step}");
        world.check(&format!("{step}"));
        assert_eq!(world.koha.given(), 1, "{step}: each row is asked for once");
    }
}

#[test]
fn after_the_end_nothing_changes_any_more() {
    let world = World::small();
    let mut download = world.start();
    let Some(Output::Request(_)) = download.poll() else { panic!() };
    download.handle(Input::Stop, DeskTime::default());
    assert_eq!(download.poll(), Some(Output::Finished(Err(DownloadError::Stopped))));
    // The answer that was under way.
    download.handle(Input::Answer(Ok(page_of_somebody(200))), DeskTime::default());
    download.handle(Input::Stop, DeskTime::default());
    download.handle(Input::Written, DeskTime::default());
    assert_eq!(download.poll(), None);
}

#[test]
fn a_download_that_nobody_waits_for_rests_once_before_each_request_and_longer_after_slow_answers() {
    let mut world = World::small();
    let mut download = world.start().gently();
    let mut rests = Vec::new();
    let mut is_rested = false;
    loop {
        let (input, took) = match download.poll().unwrap() {
            Output::Rest(pause) => {
                assert!(!is_rested, "one before each request");
                is_rested = true;
                rests.push(pause.as_secs());
                continue;
            }
            Output::Request(request) => {
                assert!(is_rested || download.is_over(), "only the end of the session needs none");
                is_rested = false;
                let took = if request.url.contains("/items") { 10 } else { 0 };
                (Input::Answer(world.koha.answer(&request)), took)
            }
            Output::Write(write) => {
                world.store.apply(write).unwrap();
                (Input::Written, 0)
            }
            Output::Prepare(preparation) => (Input::Prepared(at_once(preparation.run(&&world.store)).unwrap()), 0),
            Output::Finished(ended) => {
                assert_eq!(ended, Ok(()));
                break;
            }
            Output::Read(..) | Output::Changed | Output::Owing(_) => continue,
            other @ (Output::Wait(_) | Output::Find(_)) => panic!("{other:?}"),
        };
        download.took(Duration::from_secs(took));
        download.handle(input, world.now());
    }
    let (login, lists): (Vec<u64>, Vec<u64>) = rests.iter().partition(|pause| **pause == 0);
    assert!(!login.is_empty() && rests.starts_with(&login), "none before lists are read: {rests:?}");
    assert!(lists.contains(&2) && lists.contains(&20), "{rests:?}");
}

#[test]
fn a_stop_while_koha_rests_makes_no_request() {
    let world = World::small();
    for (input, ended) in [(Input::Stop, DownloadError::Stopped), (Input::Outdated, DownloadError::Outdated)] {
        let mut download = world.start().gently();
        assert_eq!(download.poll(), Some(Output::Rest(Duration::ZERO)));
        download.handle(input, DeskTime::default());
        if matches!(ended, DownloadError::Outdated) {
            let Some(Output::Write(_)) = download.poll() else { panic!("what was read is forgotten") };
            download.handle(Input::Written, DeskTime::default());
        }
        assert_eq!(download.poll(), Some(Output::Finished(Err(ended))));
    }
}

#[test]
fn what_can_pass_ends_it_and_the_next_goes_on_there() {
    let koha = |error| DownloadError::Koha(error);
    let no_answer = |failure: &Failure| koha(ConnectionError::NoAnswer(failure.clone()));
    let error = |status| koha(ConnectionError::ServerError { status });
    let offline = Failure::NotSent(NotSent::Offline);
    let several = vec![1_000, 2_000, 4_000, 8_000];
    for (instead, ended, waits) in [
        (Err(Failure::Lost), no_answer(&Failure::Lost), several.clone()),
        (Err(Failure::TimedOut), no_answer(&Failure::TimedOut), several.clone()),
        (Err(offline.clone()), no_answer(&offline), vec![]),
        (Ok(answer(429, &json!({}))), error(429), several.clone()),
        (Ok(answer(502, &json!({}))), error(502), several.clone()),
        (Ok(page_of_somebody(503)), error(503), several.clone()),
        (
            Ok(page_of_somebody(200)),
            koha(ConnectionError::NotKoha { status: 200, front: Front::Other }),
            several.clone(),
        ),
        (Ok(maintenance()), koha(ConnectionError::Maintenance), vec![]),
    ] {
        let mut world = World::small();
        // In the middle of the items.
        let mut pages = 0;
        let first = world.run(|world, output| {
            if matches!(output, Output::Request(request) if request.url.contains("/items")) {
                pages += 1;
                if pages == 2 {
                    world.koha.instead = vec![(Set::Items, instead.clone()); 5];
                }
            }
            Turn::Go
        });
        assert_eq!(first, Some(Err(ended)), "{instead:?}");
        assert_eq!(world.waits, waits.into_iter().map(Duration::from_millis).collect::<Vec<_>>(), "{instead:?}");
        assert_eq!(world.known(Set::Patrons).len(), 30, "they are there meanwhile");
        assert!(world.known(Set::Items).is_empty() && world.store.contents().gaps.is_empty());
        world.koha.instead.clear();
        assert_eq!(world.go(), Ok(()), "{instead:?}");
        world.check(&format!("{instead:?}"));
        assert_eq!(world.koha.given(), 1, "{instead:?}");
    }
}

#[test]
fn one_bad_answer_does_not_end_it() {
    let bad = [Err(Failure::Lost), Ok(answer(500, &json!({}))), Ok(answer(429, &json!({}))), Ok(page_of_somebody(200))];
    for instead in bad {
        let mut world = World::small();
        world.koha.instead = Set::ALL.into_iter().map(|set| (set, instead.clone())).collect();
        assert_eq!(world.go(), Ok(()), "{instead:?}");
        world.check(&format!("{instead:?}"));
        assert_eq!(world.waits, [Duration::from_secs(1); 5]);
    }
}

#[test]
fn a_session_or_a_token_that_ends_is_renewed() {
    for world in [World::small, || World::small().with_key()] {
        let mut world = world();
        let mut asked = 0;
        let ended = world.run(|world, output| {
            if matches!(output, Output::Request(request) if request.url.contains("/patrons") || request.url.contains("/report")) {
                asked += 1;
                // Every second request finds it ended.
                world.koha.is_ended = asked % 2 == 0;
            }
            Turn::Go
        });
        assert_eq!(ended, Some(Ok(())));
        world.check("renewed");
        assert!(world.koha.logins > 5, "{}", world.koha.logins);
        assert_eq!(world.koha.given(), 1);
    }
    // What a new one does not help against is a matter of permission.
    let mut world = World::small();
    let refused = || Ok(answer(401, &json!({"error": "x", "auth_status": "failed"})));
    world.koha.instead = vec![(Set::Items, refused()), (Set::Items, refused())];
    assert_eq!(world.go(), Ok(()));
    assert_eq!(world.store.contents().gaps, [(Set::Items, Gap::Refused(String::new()))].into_iter().collect());
    // Whoever cannot log in any more keeps what was read.
    let mut world = World::small();
    let mut pages = 0;
    let ended = world.run(|world, output| {
        pages += u32::from(matches!(output, Output::Request(request) if request.url.contains("/items")));
        if pages == 2 {
            world.koha.is_ended = true;
            world.koha.account = Some(Ok(maintenance()));
        }
        Turn::Go
    });
    assert_eq!(ended, Some(Err(DownloadError::Koha(ConnectionError::ServerError { status: 503 }))));
    (world.koha.account, world.koha.is_ended) = (None, false);
    assert_eq!(world.go(), Ok(()));
    world.check("logged in again");
    assert_eq!(world.koha.given(), 1);
}

#[test]
fn a_login_that_fails_asks_for_nothing_and_changes_nothing() {
    let refused = Ok(answer(403, &json!({"error": "access_denied"})));
    let not_koha = DownloadError::Koha(ConnectionError::NotKoha { status: 403, front: Front::Other });
    for (key, account, ended) in [
        (Some(refused), None, DownloadError::KeyRefused),
        (Some(Ok(maintenance())), None, DownloadError::Koha(ConnectionError::Maintenance)),
        (Some(Err(Failure::Lost)), None, DownloadError::Koha(ConnectionError::NoAnswer(Failure::Lost))),
        (None, Some(Err(Failure::TimedOut)), DownloadError::Koha(ConnectionError::NoAnswer(Failure::TimedOut))),
        (None, Some(Ok(answer(403, &json!({})))), not_koha),
        (None, None, DownloadError::Koha(ConnectionError::NotReadable)),
    ] {
        let mut world = if key.is_some() { World::small().with_key() } else { World::small() };
        assert_eq!(world.go(), Ok(()));
        let before = world.store.states.borrow().clone();
        (world.koha.key, world.koha.account) = (key, account);
        world.koha.gives_no_session = true;
        world.koha.asked.clear();
        assert_eq!(world.go(), Err(ended));
        assert_eq!(world.koha.sets_asked(), []);
        assert_eq!(*world.store.states.borrow(), before);
        world.check("as before");
    }
}

#[test]
fn a_set_that_koha_does_not_give_is_left_out_and_comes_back() {
    let permission = answer(403, &json!({"required_permissions": {"borrowers": "edit_borrowers"}}));
    for (instead, gap) in [
        (permission, Gap::Refused("borrowers: edit_borrowers".into())),
        (answer(404, &json!({})), Gap::Absent),
        (answer(418, &json!({})), Gap::Strange(418)),
        // Lists of patrons without criteria are not given by newer versions (bug 41048), and a bad `q` is Koha's own 500.
        (answer(422, &json!({"error": "x"})), Gap::Strange(422)),
        (answer(500, &json!({"error": "x"})), Gap::Strange(500)),
    ] {
        for set in Set::ALL {
            let mut world = World::small();
            let left_out = |world: &mut World| {
                // As often as it is asked.
                world.koha.instead = vec![(set, Ok(instead.clone())); 40];
                assert_eq!(world.go(), Ok(()));
                world.koha.instead.clear();
                let expected = match (&gap, set) {
                    (Gap::Refused(_), Set::Restrictions) => Gap::Refused(String::new()),
                    // So Koha answers where there is no report of this number.
                    (Gap::Strange(500), Set::Restrictions) => Gap::Absent,
                    _ => gap.clone(),
                };
                assert_eq!(world.store.contents().gaps, [(set, expected)].into_iter().collect());
            };
            left_out(&mut world);
            assert!(world.known(set).is_empty());
            assert!(
                Set::ALL.into_iter().all(|other| other == set || !world.store.contents().gaps.contains_key(&other))
            );
            assert_eq!(world.go(), Ok(()));
            world.check("it comes");
            let before = world.known(set);
            left_out(&mut world);
            assert_eq!(world.known(set), before, "what was there of it stays");
            assert_eq!(world.go(), Ok(()));
            world.check("it comes again");
        }
    }
}

#[test]
fn the_report_is_read_with_the_account_of_the_desk() {
    let mut world = World::small().with_key();
    assert_eq!(world.go(), Ok(()));
    world.check("with a key");
    let logins = world.koha.asked.iter().filter(|asked| asked.ends_with("mainpage.pl")).count();
    assert_eq!((logins, world.koha.logins, world.koha.logged_out), (1, 2, 1), "once, besides the token, and out again");
    assert_eq!(world.came_to, Some(refresh::Ended::Done));

    // It is wrong, or may not log in: only the report is missing.
    let wrong_password = Response { body: "Authentication failed.".into(), ..answer(200, &Value::Null) };
    for (instead, came_to) in
        [(answer(403, &json!({})), refresh::Ended::InPart), (wrong_password, refresh::Ended::Refused)]
    {
        world.koha.account = Some(Ok(instead));
        assert_eq!(world.go(), Ok(()));
        assert_eq!(
            world.store.contents().gaps,
            [(Set::Restrictions, Gap::Refused(String::new()))].into_iter().collect()
        );
        assert_eq!(world.known(Set::Restrictions).len(), 9);
        assert_eq!(
            world.came_to,
            Some(came_to),
            "what counts towards locking the account is not tried again and again"
        );
    }
    // What can pass by itself is waited for.
    for instead in [Err(Failure::Lost), Ok(maintenance())] {
        world.koha.account = Some(instead);
        assert!(matches!(world.go(), Err(DownloadError::Koha(_))));
        world.koha.account = None;
        world.koha.asked.clear();
        assert_eq!(world.go(), Ok(()));
        assert_eq!(world.koha.sets_asked(), [Set::Restrictions]);
        world.check("gone on with");
    }
    // Nobody wants it any more, or what was typed is no number.
    for number in ["", "x"] {
        assert_eq!(world.known(Set::Restrictions).len(), 9);
        number.clone_into(&mut world.records.restrictions_report);
        world.koha.asked.clear();
        assert_eq!(world.go(), Ok(()));
        assert!(!world.koha.sets_asked().contains(&Set::Restrictions) && world.known(Set::Restrictions).is_empty());
        "7".clone_into(&mut world.records.restrictions_report);
        assert_eq!(world.go(), Ok(()));
    }
}

#[test]
fn the_disk_is_full_at_any_write() {
    for room in 0.. {
        let mut world = World::small();
        world.store.room.set(Some(room));
        let first = world.go();
        world.store.room.set(None);
        if first.is_ok() {
            assert!(room > 20, "{room} writes are some");
            break;
        }
        assert_eq!(first, Err(DownloadError::Disk(StoreError::Full)), "{room}");
        assert_eq!(world.go(), Ok(()), "{room}");
        world.check(&format!("{room}"));
        assert!(world.koha.given() <= 2, "{room}");
    }
}

#[test]
fn what_is_damaged_is_read_anew_as_a_whole() {
    let mut world = World::small();
    assert_eq!(world.go(), Ok(()));
    let damage = |world: &World| {
        let run = world.store.contents().sets[&Set::Items].run;
        world.store.blocks.borrow_mut().retain(|place, _| place.run != run || place.part != 0);
    };
    damage(&world);
    world.koha.put(Set::Items, 5, 7);
    assert_eq!(world.go(), Ok(()));
    world.check("read anew");
    // Where that does not help, it ends. Here each block is lost as soon as it is written.
    let ended = world.run(|world, output| {
        if matches!(output, Output::Prepare(_)) {
            world.store.blocks.borrow_mut().clear();
        }
        Turn::Go
    });
    assert!(matches!(ended, Some(Err(DownloadError::Disk(StoreError::Damaged(_))))), "{ended:?}");
}

#[test]
fn records_of_another_server_are_not_mixed_with_its_own() {
    let mut world = World::small();
    assert_eq!(world.go(), Ok(()));
    let stopped = world.run(|_, output| if matches!(output, Output::Prepare(_)) { Turn::Stop } else { Turn::Go });
    assert_eq!(stopped, Some(Err(DownloadError::Stopped)));
    world.settings.server = ServerUrl::parse("https://other.example.org").unwrap();
    world.koha = Koha::new([3, 4, 2, 2, 1]);
    world.koha.account = Some(Err(Failure::Lost));
    assert!(world.go().is_err());
    assert_eq!(world.known(Set::Items).len(), 20, "they stay until the other is reached");
    world.koha.account = None;
    assert_eq!(world.go(), Ok(()));
    world.check("only the other's");
}

#[test]
fn settings_that_change_meanwhile_end_it_at_the_next_request_and_nothing_half_is_kept() {
    for step in 0.. {
        let mut world = World::small();
        let (mut requests, mut asked_then) = (0, 0);
        let ended = world.run(|world, output| {
            let Output::Request(_) = output else { return Turn::Go };
            requests += 1;
            if requests != step + 1 {
                return Turn::Go;
            }
            asked_then = world.koha.asked.len();
            Turn::Outdated
        });
        if requests <= step {
            assert_eq!(ended, Some(Ok(())));
            assert!(step > 15, "{step} requests are some");
            break;
        }
        let is_over = ended == Some(Ok(()));
        assert!(is_over || ended == Some(Err(DownloadError::Outdated)), "{step}: {ended:?}");
        let asked: Vec<_> = world.koha.asked.drain(..).skip(asked_then).collect();
        assert!(asked.iter().all(|asked| asked.contains("logout")), "{step}: {asked:?}");
        assert_eq!(world.store.state::<Progress>(DOWNLOAD), None, "{step}");
        let runs: BTreeSet<u32> = world.store.blocks.borrow().keys().map(|place| place.run).collect();
        assert_eq!(runs, world.store.contents().runs().collect(), "{step}: only whole sets");
        // The new account sees more.
        world.settings.username = "other".into();
        world.koha.put(Set::Patrons, 31, 1);
        world.koha.put(Set::Items, 21, 1);
        for rows in world.koha.sets.values_mut().flat_map(|rows| rows.values_mut()) {
            rows.1 = 0;
        }
        world.koha.given.clear();
        assert_eq!(world.go(), Ok(()));
        world.check(&format!("{step}"));
        assert_eq!(world.koha.sets_asked(), Set::ALL, "{step}: begun anew");
        let given = |set| world.koha.given.keys().filter(|(other, _)| *other == set).count();
        assert_eq!((given(Set::Patrons), given(Set::Items)), (31, 21), "{step}: no changes of what another has seen");
    }
}

#[test]
fn it_is_of_settings_that_ask_the_same_koha_as_the_same_account_while_records_are_wanted() {
    let world = World::small();
    let download = world.start();
    let mut settings = world.settings.clone();
    settings.password = Secret::new("new");
    assert!(download.is_of(&settings, &world.records));
    assert!(!download.is_of(&settings, &RecordsSettings::default()), "nobody wants them any more");
    settings.branchcode = "other".into();
    assert!(!download.is_of(&settings, &world.records));
}

#[test]
fn what_was_begun_yesterday_is_begun_anew() {
    let mut world = World::small();
    assert_eq!(
        world.run(|_, output| if matches!(output, Output::Request(request) if request.url.contains("/holds")) {
            Turn::Kill
        } else {
            Turn::Go
        }),
        None
    );
    world.time += DAY;
    world.koha.asked.clear();
    assert_eq!(world.go(), Ok(()));
    assert_eq!(world.koha.sets_asked(), Set::ALL);
    world.check("anew");
}

#[test]
fn koha_that_must_be_asked_in_another_way_gives_no_row_twice() {
    let mut world = World::small();
    let mut pages = 0;
    let ended = world.run(|world, output| {
        pages += u32::from(matches!(output, Output::Request(request) if request.url.contains("/patrons")));
        world.koha.knows_q = pages < 4;
        Turn::Go
    });
    assert_eq!(ended, Some(Ok(())));
    world.check("in pages");
    // In the middle of changes: all of them come instead.
    world.koha.knows_q = true;
    assert_eq!(world.go(), Ok(()));
    for id in 20..31 {
        world.koha.put(Set::Patrons, id, 2);
    }
    world.koha.remove(Set::Patrons, 10);
    pages = 0;
    let ended = world.run(|world, output| {
        pages += u32::from(matches!(output, Output::Request(request) if request.url.contains("/patrons")));
        world.koha.knows_q = pages < 2;
        Turn::Go
    });
    assert_eq!(ended, Some(Ok(())));
    world.check("all in place of changes");
}

#[test]
fn changes_without_what_they_are_changes_of_are_not_taken_for_all() {
    let mut world = World::small();
    assert_eq!(world.go(), Ok(()));
    world.koha.put(Set::Patrons, 3, 2);
    let killed = world.run(|_, output| if matches!(output, Output::Prepare(_)) { Turn::Kill } else { Turn::Go });
    assert_eq!(killed, None);
    world.store.states.borrow_mut().remove(CONTENTS);
    assert_eq!(world.go(), Ok(()));
    world.check("all of them");
}

#[test]
fn what_is_looked_up_meanwhile_is_there_at_every_step() {
    let mut world = World::small();
    assert_eq!(world.go(), Ok(()));
    world.koha.put(Set::Patrons, 3, 2);
    world.koha.put(Set::Items, 3, 2);
    let mut is_new = BTreeSet::new();
    let ended = world.run(|world, output| {
        for (set, number) in [(Set::Patrons, 30), (Set::Items, 20), (Set::Loans, 10), (Set::Holds, 8)] {
            let found = world.found(set, world.looked_up.clone());
            assert_eq!(found.len(), number, "{set:?} at {output:?}");
            if found[&3] == 2 {
                is_new.insert(set);
                assert!(!matches!(output, Output::Prepare(preparation) if preparation.set == set));
            }
        }
        Turn::Go
    });
    assert_eq!((ended, is_new.len()), (Some(Ok(())), 2));
}

#[test]
fn tells_how_far_it_is() {
    let mut world = World::new([9, 0, 0, 0, 0]);
    let mut download = world.start();
    let mut told = Vec::new();
    while let Some(output) = download.poll() {
        let input = match output {
            Output::Read(set, rows, left) => {
                told.push((set, rows, left));
                continue;
            }
            Output::Request(request) => Input::Answer(world.koha.answer(&request)),
            Output::Write(_) => Input::Written,
            Output::Prepare(_) => break,
            Output::Rest(_)
            | Output::Wait(_)
            | Output::Find(_)
            | Output::Owing(_)
            | Output::Changed
            | Output::Finished(_) => continue,
        };
        download.handle(input, DeskTime::default());
    }
    let patrons = |rows, left| (Set::Patrons, rows, left);
    assert_eq!(told, [patrons(0, None), patrons(7, Some(2)), patrons(9, Some(0))]);
}

/// As KOCT 0.1 has written it.
#[test]
fn reads_what_an_earlier_version_has_kept() {
    let kept = r#"{"began":1795600000000,"done":["patrons"],"open":{"items":{"point":{"way":"after","last":812,"read":0,
        "size":500,"withoutEmbed":false,"since":1795500000000,"began":1795600000123,"unreadable":2,"hasExtras":true},
        "written":{"run":7,"blocks":3,"rows":120,"last":812},"began":1795600000001}}}"#;
    let progress: Progress = serde_json::from_str(kept).unwrap();
    let value: Value = serde_json::from_str(kept).unwrap();
    assert_eq!(serde_json::to_value(&progress).unwrap(), value, "and an earlier version reads this one's");
    // What changed is read on from there, in the run that was begun.
    let as_of = DeskTime::from_millis(1_795_500_000_000);
    let held = Held { run: 4, blocks: 1, as_of, whole_as_of: as_of, ..Held::default() };
    let contents = json!({"nextRun": 5, "sets": {"items": held}, "gaps": {}, "libraries": {}});
    let contents: Contents = serde_json::from_value(contents).unwrap();
    let mut world = World::small();
    let time = DeskTime::from_millis(1_795_600_000_000 + MINUTE);
    let mut download = Download::<StoreError>::new(settings(), world.records.clone(), contents, Some(progress), time);
    let read = std::iter::from_fn(|| {
        let output = download.poll()?;
        match &output {
            Output::Request(request) => {
                let answer = world.koha.answer(request);
                download.handle(Input::Answer(answer), time);
            }
            Output::Write(_) => download.handle(Input::Written, time),
            _ => {}
        }
        Some(output)
    });
    let outputs: Vec<_> = read.take_while(|output| !matches!(output, Output::Prepare(_))).collect();
    let Some(Output::Write(first)) = outputs.iter().find(|output| matches!(output, Output::Write(_))) else { panic!() };
    assert_eq!(first.only_runs, Some(vec![4, 7]), "both runs stay");
    assert!(outputs.contains(&Output::Read(Set::Items, 120, None)), "{outputs:?}");
    let asked = world.koha.asked.iter().find(|asked| asked.contains("/items")).unwrap();
    let time =
        DateTime::from_timestamp_millis(1_795_500_000_000 - 722 * MINUTE).unwrap().format("%Y-%m-%d").to_string();
    assert!(asked.contains("812") && asked.contains(&time) && asked.contains("_per_page=500"), "{asked}");
}

/// What goes wrong at a step, or changes in Koha before it.
#[derive(Debug, Clone)]
enum Event {
    Fine,
    Turn(Turn),
    Instead(Answer),
    Ended,
    Full(usize),
    Put(Set, u32, u32),
    Remove(Set, u32),
    Hours(i64),
}

fn event() -> impl Strategy<Value = Event> {
    let answers = prop_oneof![
        Just(Err(Failure::Lost)),
        Just(Err(Failure::TimedOut)),
        Just(Err(Failure::NotSent(NotSent::Offline))),
        Just(Ok(answer(500, &json!({})))),
        Just(Ok(answer(429, &json!({})))),
        Just(Ok(page_of_somebody(503))),
        Just(Ok(maintenance())),
        Just(Ok(answer(403, &json!({"required_permissions": {"borrowers": "1"}})))),
    ];
    // Who is gone is told once in a week only; of loans and holds, at once.
    let sets = prop::sample::select(Set::ALL.to_vec());
    let passing = prop::sample::select(vec![Set::Loans, Set::Holds, Set::Restrictions]);
    prop_oneof![
        12 => Just(Event::Fine),
        1 => prop::sample::select(vec![Turn::Stop, Turn::Kill, Turn::KillAfter]).prop_map(Event::Turn),
        2 => answers.prop_map(Event::Instead),
        1 => Just(Event::Ended),
        1 => (0..3_usize).prop_map(Event::Full),
        1 => (sets, 1..40_u32, 2..9_u32).prop_map(|(set, id, says)| Event::Put(set, id, says)),
        1 => (passing, 1..40_u32).prop_map(|(set, id)| Event::Remove(set, id)),
        1 => (1..30_i64).prop_map(Event::Hours),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever breaks, wherever, and whatever changes meanwhile: in the end the records are those of the server, and no row
    /// was asked for more often than something went wrong.
    #[test]
    fn in_the_end_the_records_are_those_of_the_server(
        events in prop::collection::vec(event(), 0..120),
        numbers in [1..34_u32, 0..34_u32, 0..12_u32, 0..12_u32, 0..1_u32],
        has_key in any::<bool>(),
        knows_q in any::<bool>(),
    ) {
        let mut world = World::new(numbers);
        if has_key {
            world = world.with_key();
        }
        world.koha.knows_q = knows_q;
        let mut events = events.into_iter();
        let mut faults = 0;
        while events.len() > 0 {
            let ended = world.run(|world, output| {
                let event = events.next().unwrap_or(Event::Fine);
                faults += u32::from(!matches!(event, Event::Fine));
                match event {
                    Event::Fine => {}
                    Event::Turn(turn) => return turn,
                    Event::Instead(answer) => {
                        if let Output::Request(request) = output
                            && let Some(set) = set_of(url::Url::parse(&request.url).unwrap().path())
                        {
                            world.koha.instead = vec![(set, answer)];
                        }
                    }
                    Event::Ended => world.koha.is_ended = true,
                    Event::Full(room) => world.store.room.set(Some(room)),
                    Event::Put(set, id, says) => {
                        world.koha.put(set, id, says);
                        // A restriction of nobody is of no use.
                        if set == Set::Restrictions && !world.koha.sets[&Set::Patrons].contains_key(&id) {
                            world.koha.put(Set::Patrons, id, 1);
                        }
                    }
                    Event::Remove(set, id) => world.koha.remove(set, id),
                    Event::Hours(hours) => world.time += hours * 60 * MINUTE,
                }
                Turn::Go
            });
            if ended == Some(Err(DownloadError::Disk(StoreError::Full))) || ended.is_none() {
                world.store.room.set(None);
            }
        }
        world.koha.instead.clear();
        world.store.room.set(None);
        // What is left is gone on with; what changed before that is in the next.
        for _ in 0..2 {
            prop_assert_eq!(world.go(), Ok(()));
        }
        world.check("in the end");
        // Counted pages begin with rows that were read, so that it is seen when rows move.
        let bound = (faults + 3) * 4;
        prop_assert!(world.koha.given() <= bound, "{} times, {faults} faults", world.koha.given());
    }
}

#[test]
fn what_koha_reports_as_no_change_is_asked_for_by_number() {
    let mut world = World::small();
    // Patrons 1 to 9 are restricted, and 1 has all loans.
    assert_eq!(world.go(), Ok(()));
    world.time += DAY;
    world.koha.time = world.time + AHEAD;
    // Nothing of this is reported as a change: its time is long ago.
    world.koha.sets.get_mut(&Set::Patrons).unwrap().insert(3, (77, 0));
    world.koha.remove(Set::Patrons, 5);
    world.koha.remove(Set::Patrons, 30);
    let before = world.store.contents().sets[&Set::Patrons].clone();
    assert_eq!(world.go(), Ok(()));
    assert_eq!(
        (world.known(Set::Patrons)[&3], world.known(Set::Patrons).len()),
        (1, 30),
        "changes alone do not tell it"
    );
    world.scope.owing = true;
    world.koha.most = 50;
    world.koha.remove(Set::Restrictions, 5);
    world.koha.asked.clear();
    assert_eq!(world.go(), Ok(()));
    let known = world.known(Set::Patrons);
    assert_eq!((known[&3], known.get(&5), known.len()), (77, None, 29), "30 has nothing for which it would matter");
    assert_eq!(world.rounds, [None]);
    let held = &world.store.contents().sets[&Set::Patrons];
    assert_eq!(held.whole_as_of, before.whole_as_of, "not all were asked for");
    let of_patrons = |asked: &&String| asked.starts_with("/api/v1/patrons");
    assert_eq!(world.koha.asked.iter().filter(of_patrons).count(), 2, "the changes, and one round");
    assert!(world.koha.asked.iter().filter(of_patrons).all(|asked| asked.contains("?q=")), "no list without criteria");
    // The second round ends at once where nobody is left.
    world.owing_after = 9;
    assert_eq!(world.go(), Ok(()));
    assert_eq!(world.rounds, [None, None]);
    // Where everything is read, there is nothing more to ask.
    world.scope = Scope { everything: true, owing: true };
    assert_eq!(world.go(), Ok(()));
    world.check("everything");
    assert_eq!(world.rounds.len(), 2);
}

#[test]
fn a_round_that_is_broken_off_or_refused_changes_nothing() {
    let ready = || {
        let mut world = World::small();
        assert_eq!(world.go(), Ok(()));
        world.time += DAY;
        world.koha.time = world.time + AHEAD;
        world.scope.owing = true;
        world
    };
    // Whatever Koha answers, the rest is read. 400: it knows no `q`; then changes are not told either.
    for instead in [answer(500, &json!({"error": "x"})), answer(422, &json!({"error": "x"})), answer(404, &json!({}))] {
        let mut world = ready();
        let ended = world.run(|world, output| {
            if matches!(output, Output::Request(request) if request.url.contains("patron_id%22%3A%5B")) {
                world.koha.instead = vec![(Set::Patrons, Ok(instead.clone()))];
            }
            Turn::Go
        });
        assert_eq!(ended, Some(Ok(())), "{instead:?}");
        world.check("refused");
        assert!(world.rounds.is_empty());
    }
    // A server that gives fewer rows than there are makes nobody disappear.
    let mut world = ready();
    world.koha.most = 4;
    assert_eq!(world.go(), Ok(()));
    world.check("fewer at once");
    for then in [Turn::Kill, Turn::KillAfter, Turn::Stop] {
        for step in 0.. {
            let mut world = ready();
            let (mut steps, mut is_over) = (0, true);
            let first = world.run(|_, _| {
                steps += 1;
                is_over &= steps <= step;
                if steps == step + 1 { then } else { Turn::Go }
            });
            if is_over || first == Some(Ok(())) {
                assert!(step > 20, "{step}");
                break;
            }
            world.check_known(&format!("{then:?} {step}"));
            assert_eq!(world.go(), Ok(()), "{then:?} {step}");
            world.scope = Scope::default();
            assert_eq!(world.go(), Ok(()), "{then:?} {step}");
            world.check(&format!("{then:?} {step}"));
        }
    }
}
