//! What core asks about to say whether the desk is ready ([`koct_core::koha::ready`]), and where it is kept.

pub(crate) mod words;

use crate::{
    clock::{self, DeskZone},
    copy,
    directory::{Access, Known},
    ground,
    http::Http,
    preferences::{self, Preferences},
    store::{self, Store},
    webext::{object, property, text_property},
};
use js_sys::JSON;
use koct_core::{
    ServerUrl, Settings,
    desk::{
        clock::DeskTime,
        drift::{Drift, KeptClock, Wrong},
        version::{Seen, Version},
        zone::Zone as _,
    },
    koha::{
        ready::{self, CopiesImported, Facts, Starts, Tested, Verdict, state},
        rest,
        trial::Trial,
    },
    settings::guide,
};
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_extensions_sys::browser;

/// The keys in `storage.local`: the last test, what Koha's clock showed, since when the profile is kept (popup/background.js), the newest
/// version of KOCT that a file of another desk names, and when files of second copies were brought in.
const TESTED: &str = "trial";
const CLOCK: &str = "clock";
const STARTS: &str = "starts";
const NEWEST: &str = "newestSeen";
const COPIES: &str = "copiesImported";

/// What a page knows of what is kept in this profile.
pub(crate) struct Held {
    /// Whether records can be looked up, and as of when they are.
    pub(crate) records: Access,
    pub(crate) records_as_of: Option<DeskTime>,
    /// Whether there is a log.
    pub(crate) has_log: bool,
}

/// Looks at what is kept: for a page that uses none of it.
pub(crate) async fn held(preferences: &Preferences) -> Held {
    let known = Known::new().ok();
    let records = match &known {
        Some(known) => {
            // Whether it went well is said by how they can be looked up.
            let _ = known.reload(&preferences.records, preferences.form.server().ok().as_ref()).await;
            known.access()
        }
        None => Access::Off,
    };
    Held { records, records_as_of: known.and_then(|known| known.contents().fresh_as_of()), has_log: has_log().await }
}

/// What was found, a line each. Koha is not asked.
pub(crate) async fn verdicts(preferences: &Preferences, held: Held) -> Vec<Verdict> {
    let may_ask = match preferences.form.server() {
        Ok(server) => preferences::may_ask(&server).await,
        Err(_) => false,
    };
    let Held { records, records_as_of, has_log } = held;
    let (is_kept, room) = storage().await;
    let may_copy = preferences.desk.second_copy && copy::files::may_write().await;
    let copy = if may_copy { Some(copy::kept().await) } else { None };
    let now = clock::time();
    let newest = kept::<Seen>(NEWEST).await.and_then(|seen| seen.version_at(now));
    let versions: Vec<Version> = [preferences::policy().await.version(), newest].into_iter().flatten().collect();
    let facts = Facts {
        preferences,
        now,
        may_ask,
        tested: kept::<Tested>(TESTED).await,
        records,
        records_as_of,
        has_log,
        is_kept,
        copy: copy.as_ref(),
        copies_imported: kept::<CopiesImported>(COPIES).await.map(|imported| imported.at),
        room,
        drift: kept::<KeptClock>(CLOCK).await.map(|clock| clock.last),
        zone: &zone(),
        offset: DeskZone.offset_at_utc(now.millis()),
        languages: &languages(),
        versions: &versions,
        starts: kept::<Starts>(STARTS).await,
    };
    ready::verdicts(&facts)
}

/// The name and the text of the file that tells how this desk stands. `None` where the log cannot be counted.
pub(crate) async fn state(store: &Store, preferences: &Preferences, held: Held) -> Option<(String, String)> {
    let (now, counts) = (clock::now()?, store.counts().await.ok()?);
    let desk = preferences.desk_name();
    Some((state::name(&desk), state::text(&desk, now, counts, &verdicts(preferences, held).await)))
}

/// Keeps the newest version of KOCT that was seen, where it is newer than this one.
pub(crate) async fn version_seen(version: Version) {
    if let Some(seen) = Seen::with(kept(NEWEST).await.as_ref(), version, clock::time()) {
        keep(NEWEST, &seen).await;
    }
}

/// Files of second copies of this desk were brought in: what they have told of stands in the log.
pub(crate) async fn copies_imported() {
    keep(COPIES, &CopiesImported { at: clock::time() }).await;
}

async fn kept<T: DeserializeOwned>(key: &str) -> Option<T> {
    let stored = browser().storage().local().get(&key.into()).await.ok()?;
    // Of nothing, JavaScript makes no JSON.
    let value = Some(property(&stored, key)).filter(JsValue::is_object)?;
    serde_json::from_str(&String::from(JSON::stringify(&value).ok()?)).ok()
}

async fn keep(key: &str, value: &impl serde::Serialize) {
    let json = serde_json::to_string(value).ok().and_then(|json| JSON::parse(&json).ok());
    if let Some(value) = json {
        // What cannot be kept is found out again.
        let _ = ground::store(&browser().storage().local(), &object([(key, value)])).await;
    }
}

/// When this computer's clock was wrong last, as long as that is not set right in the log.
/// In practice, nothing is known of it.
pub(crate) async fn wrong_clock() -> Option<Wrong> {
    if ground::is_practice() { None } else { kept::<KeptClock>(CLOCK).await?.wrong }
}

/// What was recorded until now is set right.
pub(crate) async fn clock_settled() {
    if let Some(clock) = kept::<KeptClock>(CLOCK).await {
        keep(CLOCK, &clock.settled(clock::time())).await;
    }
}

/// Keeps how a test of the settings that are stored went; `None` where they were just stored.
pub(crate) async fn keep_tested(settings: &Settings, trial: Option<&Trial>) {
    let (of, at) = (guide::tested_as(settings), clock::time());
    let tested = match trial {
        Some(trial) => Tested::of(of, trial, at),
        None => Tested::not_yet(of, at),
    };
    keep(TESTED, &tested).await;
}

async fn has_log() -> bool {
    match Store::open(&store::database()).await {
        Ok(store) => {
            store.close();
            true
        }
        Err(_) => false,
    }
}

/// Whether Firefox promises to keep what is here, and how much room is left.
async fn storage() -> (bool, Option<u64>) {
    let Some(window) = web_sys::window() else { return (false, None) };
    let storage = window.navigator().storage();
    let is_kept = match storage.persisted() {
        Ok(asked) => JsFuture::from(asked).await.is_ok_and(|kept| kept.is_truthy()),
        Err(_) => false,
    };
    let estimate = match storage.estimate() {
        Ok(asked) => JsFuture::from(asked).await.unwrap_or_default(),
        Err(_) => JsValue::UNDEFINED,
    };
    let number = |name: &str| property(&estimate, name).as_f64();
    let room = number("quota").zip(number("usage")).map(|(quota, usage)| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of bytes")]
        let room = (quota - usage).max(0.0) as u64;
        room
    });
    (is_kept, room)
}

/// The languages that pages are asked for in.
fn languages() -> Vec<String> {
    let languages = web_sys::window().map(|window| window.navigator().languages()).unwrap_or_default();
    languages.iter().filter_map(|language| language.as_string()).collect()
}

/// The name of the time zone.
fn zone() -> String {
    let format = js_sys::Intl::DateTimeFormat::default();
    text_property(&format.resolved_options(), "timeZone").unwrap_or_default()
}

/// Whether Koha's staff client answers, asked without logging in, so that Koha keeps no session for it; what its clock shows is kept.
/// `None` where it may not be asked.
pub(crate) async fn koha_is_there(server: Option<&ServerUrl>) -> Option<bool> {
    let server = server?;
    if !preferences::may_ask(server).await {
        return None;
    }
    let http = Http::isolated(&server.permission_pattern());
    let asked = clock::time();
    let Ok(response) = http.send(&rest::anyone_there(server)).await else { return Some(false) };
    let came = clock::time();
    let is_koha = rest::is_koha(&response);
    if let Some(drift) = response.date.filter(|_| is_koha).and_then(|date| Drift::of(date, asked, came))
        && let Some(clock) = KeptClock::after(kept(CLOCK).await, drift)
    {
        keep(CLOCK, &clock).await;
    }
    Some(is_koha)
}
