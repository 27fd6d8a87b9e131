//! Brings records up to date without anybody's doing: what the event page does when its alarm rings. When something is due, and
//! what, is `koct_core::directory::refresh`.
//!
//! An event page lives for half a minute after it was last spoken to, unless it asks Firefox for something now and then, so
//! [`Awake`] does that. Where Firefox ends it all the same, the alarm that is set meanwhile goes on with what was read.

use super::{Known, Manner, RecordsError, Told, Watcher};
use crate::{
    clock, ground,
    preferences::{self, Preferences},
    timer::sleep,
    webext::{self, object},
};
use koct_core::{
    Settings,
    desk::clock::DeskTime,
    directory::{
        record::Set,
        refresh::{AFTER_A_CHANGE, Ended, Plan, Refreshes, Scope, Standing, TOLD_EVERY, WATCH, plan},
    },
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wasm_bindgen_futures::spawn_local;

/// The name of the alarm; popup/background.js has it too.
const ALARM: &str = "koct-records";
/// Where is remembered what is remembered. Not with the records, which may be deleted at any time, and not with the settings, whose
/// changes every window follows.
const REMEMBERED: &str = "koct-refreshes";

/// What is remembered of downloads; at a new desk a place is drawn.
pub(crate) fn remembered() -> Refreshes {
    let stored = ground::local_storage().and_then(|storage| storage.get_item(REMEMBERED).ok().flatten());
    stored.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_else(|| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a random number below 2^16")]
        let refreshes = Refreshes::new((js_sys::Math::random() * 65_536.0) as u16);
        remember(&refreshes);
        refreshes
    })
}

fn remember(refreshes: &Refreshes) {
    if let (Some(storage), Ok(json)) = (ground::local_storage(), serde_json::to_string(refreshes)) {
        // Where it cannot be kept, the next alarm begins anew.
        let _ = storage.set_item(REMEMBERED, &json);
    }
}

fn change(change: impl FnOnce(&mut Refreshes)) {
    let mut refreshes = remembered();
    change(&mut refreshes);
    remember(&refreshes);
}

/// A download has ended so.
pub(super) fn ended(result: &Result<Ended, RecordsError>) {
    let how = match result {
        Ok(how) => Some(*how),
        // None was begun.
        Err(RecordsError::Busy | RecordsError::Locked | RecordsError::TooOld | RecordsError::File(_)) => None,
        Err(RecordsError::Download(error)) => error.ended(),
    };
    let Some(how) = how else { return };
    change(|refreshes| refreshes.ended(how, clock::time()));
    if remembered().asks_for_a_plan() {
        wake();
    }
}

/// Koha was asked what patrons owe.
pub(super) fn asked_what_is_owed(up_to: Option<u32>) {
    change(|refreshes| refreshes.asked_what_is_owed(up_to, clock::time()));
}

/// Somebody has given the passphrase.
pub(super) fn unlocked() {
    change(Refreshes::unlocked);
    wake();
}

/// Lets the event page look soon whether something is due. Whoever calls this has told first what has changed: else a look that has
/// begun before sets the alarm by what was.
fn wake() {
    set_alarm(clock::time().plus(AFTER_A_CHANGE));
}

/// Somebody has saved the settings.
pub(crate) fn settings_changed() {
    change(Refreshes::settings_changed);
    wake();
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970")]
fn set_alarm(time: DeskTime) {
    // In practice, nothing is downloaded.
    if ground::is_practice() {
        return;
    }
    webext::create_alarm(ALARM, &object([("when", (time.millis() as f64).into())]));
}

/// The alarm has rung: downloads what is due, and sets the alarm for the next time.
pub(crate) async fn rang() {
    // If the event page ends before it is known what is due, or what is set cannot be read.
    set_alarm(clock::time().plus(WATCH));
    let Ok(known) = Known::new().map(Rc::new) else { return };
    // Only once: what is due again at once, since it was not done, waits for its turn.
    if let Some((scope, preferences, settings)) = arrange(&known).await {
        download(&known, scope, &preferences, settings).await;
        arrange(&known).await;
    }
}

/// Sets the alarm for the next time, or says what is to be downloaded now. Nothing is awaited between the plan and the alarm, so that
/// an alarm that somebody sets after a change comes either before a plan, which is made anew then, or in place of its alarm.
async fn arrange(known: &Known) -> Option<(Scope, Preferences, Settings)> {
    loop {
        let (plan, preferences, settings) = look(known).await?;
        match plan {
            Plan::Anew => {}
            Plan::Now(scope) => return Some((scope, preferences, settings?)),
            Plan::At(time) => {
                set_alarm(time);
                return None;
            }
            Plan::Never(_) => {
                webext::clear_alarm(ALARM);
                return None;
            }
        }
    }
}

/// What is to be done by how things stand, and the settings that this follows from. `None` where they cannot be read.
async fn look(known: &Known) -> Option<(Plan, Preferences, Option<Settings>)> {
    let changes = remembered().changes();
    let preferences = preferences::load().await.ok()?;
    let server = preferences.form.server().ok();
    // What nobody wants is deleted. What cannot be read now may be later: the alarm is set already.
    let access = known.reload(&preferences.records, server.as_ref()).await.ok()?;
    let settings = match preferences.settings() {
        Ok(settings) if preferences::may_ask(&settings.server).await => Some(settings),
        _ => None,
    };
    let standing = Standing {
        records: &preferences.records,
        contents: &known.contents(),
        is_unfinished: known.is_unfinished().await,
        access,
        has_passphrase: known.is_protected(),
        can_ask: settings.is_some(),
        changes,
    };
    let mut refreshes = remembered();
    let plan = plan(standing, &mut refreshes, clock::time(), clock::time_of_day());
    remember(&refreshes);
    Some((plan, preferences, settings))
}

async fn download(known: &Rc<Known>, scope: Scope, preferences: &Preferences, settings: Settings) {
    let watcher = InBackground { stopped: Rc::default(), told: Rc::default() };
    let stopped = watcher.stopped.clone();
    known.on_told(move |told| stopped.set(stopped.get() || matches!(told, Told::Stop)));
    let awake = Awake::new(known.clone(), watcher.told.clone());
    // What became of it is remembered.
    let _ = known.download(settings, &preferences.records, Manner { scope, is_gentle: true }, &watcher).await;
    drop(awake);
    known.tell(&Told::Over);
}

/// As long as it lives, Firefox keeps the event page, and windows hear how far it is.
struct Awake(Rc<Cell<bool>>);

impl Awake {
    fn new(known: Rc<Known>, told: Rc<RefCell<Option<Told>>>) -> Self {
        let is_needed = Rc::new(Cell::new(true));
        let goes_on = is_needed.clone();
        spawn_local(async move {
            while goes_on.get() {
                let then = clock::time().plus(WATCH);
                change(|refreshes| refreshes.watched(then));
                set_alarm(then);
                if let Some(told) = &*told.borrow() {
                    known.tell(told);
                }
                sleep(TOLD_EVERY).await;
            }
        });
        Self(is_needed)
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// Nobody sees how far it is, unless a window is open.
struct InBackground {
    stopped: Rc<Cell<bool>>,
    told: Rc<RefCell<Option<Told>>>,
}

impl Watcher for InBackground {
    fn read(&self, set: Set, rows: u32, left: Option<u32>) {
        self.told.replace(Some(Told::Reading(set, rows, left)));
    }

    fn file(&self, _: u16) {}

    fn prepares(&self, set: Set) {
        self.told.replace(Some(Told::Preparing(set)));
    }

    fn is_stopped(&self) -> bool {
        self.stopped.get()
    }
}
