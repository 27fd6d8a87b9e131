//! The queue from the fields to the log: one durable transaction after another, in the order scanned.

use super::{attention::Attention, describe, moving};
use crate::{
    clock,
    dom::{self, elements},
    i18n::{js_error, text, text_with},
    later::later,
    popup::{
        Desk, Tone, Topic,
        known::{lookup::Lookups, patron::PatronPanel, queue::LookupQueue, records::RecordsPanel},
        scan::answers::{Answers, name_recorded},
    },
    preferences,
    timer::sleep,
    wording::{self, Explained as _},
};
use futures_util::future::select;
use koct_core::{
    Action, Cardnumber, Entry,
    desk::{
        barcode::same_code,
        guard::{self, AHEAD_TIMEOUT, Ahead, Concern, Next},
        jump::{ClockJump, ClockWatch},
        keyboard::ScannerKeyboard,
        scan::{self, Entered, Meant, PatronText, Scan, Typed, TypedError},
        unrecorded::{Answer, OtherReading, Problem, Unrecorded},
        visit::{Switch, Visit, Visits},
    },
    desks::shift::Shift,
    directory::labels::Label,
    log::{event::LogEvent, taken},
    settings::table::SCANNER_KEYBOARD,
};
use std::{
    cell::{Cell, RefCell},
    collections::{HashSet, VecDeque},
    pin::pin,
    rc::Rc,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlInputElement;

/// What waits to be written.
enum Job {
    Scan(Scan),
    /// What is no scan: it is told in its turn.
    Refused(Typed, TypedError),
    /// What its keys may mean is asked in its turn.
    Keyboard(Unrecorded),
    /// Takes back the scan before. It waits in the same queue, so that it is that scan which is taken back.
    Undo,
    /// What was taken for the next patron's card was an item.
    WasItem(Switch, Scan),
}

/// What became of a scan.
enum Written {
    /// With the jump of the clock since the scan before.
    Entry(Box<Entry>, Option<ClockJump>),
    /// It is the next patron's card.
    NextPatron(Cardnumber),
}

elements! {
    /// The queue.
    pub(crate) struct Scans(
        desk: Rc<Desk>, attention: Rc<Attention>, records: Rc<RecordsPanel>, lookups: Rc<Lookups>,
        patron: Rc<PatronPanel>, queue: Rc<LookupQueue>, answers: Rc<Answers>,
    ) {
        ;
        waiting: RefCell<VecDeque<Job>>,
        writing: Cell<bool>,
        visits: RefCell<Visits>,
        /// The codes that look like none of the library's, and of which a person has said that they are right.
        right: RefCell<HashSet<String>>,
        /// The card that was taken for the next patron's, where nothing was recorded since.
        last_card: Cell<Option<Switch>>,
        clock: RefCell<ClockWatch>,
    }
}

impl Scans {
    /// Binds the button that takes back the last scan.
    ///
    /// # Errors
    /// When the page lacks an element.
    pub(crate) fn bind(self: &Rc<Self>) -> Result<(), JsValue> {
        dom::on_click("undo", self, |this| this.put(Job::Undo))
    }

    /// Another patron was entered, or none.
    pub(crate) fn begin_visit(&self) {
        self.answers.go_on();
        self.visits.borrow_mut().enter();
    }

    /// Queues what was scanned now. Never waits.
    pub(crate) fn scan(self: &Rc<Self>, entered: Entered) {
        match entered {
            Entered::Scan(meant) | Entered::Unusual(meant, _) => {
                let visit = Some(self.visits.borrow().now());
                self.put_meant(meant, visit);
            }
            Entered::Refused(typed, error) => self.put(Job::Refused(typed, error)),
            // Nothing to be recorded.
            Entered::NextPatron(_) | Entered::Missing(_) => {}
        }
    }

    fn put_meant(self: &Rc<Self>, meant: Meant, visit: Option<Visit>) {
        self.put(Job::Scan(Scan::new(meant, clock::now(), visit)));
    }

    /// Keeps what was left in a field when the next code came.
    pub(crate) fn left(self: &Rc<Self>, typed: Typed) {
        self.put(Job::Refused(typed, TypedError::Left));
    }

    /// Asks which is meant: what was typed, or what the keys are on a US keyboard.
    pub(crate) fn ask_keyboard(self: &Rc<Self>, keys: String, as_typed: Entered, by_keys: Entered) {
        let reading = OtherReading::Scan(Box::new(as_typed), Box::new(by_keys));
        self.put(Job::Keyboard(Unrecorded::Keyboard(keys, reading)));
    }

    /// Asks the same of a card that was taken by its keys.
    pub(crate) fn ask_keyboard_of_card(self: &Rc<Self>, keys: String, typed: String) {
        self.put(Job::Keyboard(Unrecorded::Keyboard(keys, OtherReading::Card(typed))));
    }

    /// A person has said which keyboard is meant.
    fn keyboard_answered(self: &Rc<Self>, reading: OtherReading, answer: Answer) {
        let set = match answer {
            Answer::Always => Some(ScannerKeyboard::Us),
            Answer::AsTyped => Some(ScannerKeyboard::AsTyped),
            _ => None,
        };
        if let Some(keyboard) = set {
            self.desk.preferences.borrow_mut().desk.scanner_keyboard = keyboard;
            self.keep_apart(SCANNER_KEYBOARD, keyboard.name().to_owned());
        }
        match (reading, answer) {
            (OtherReading::Scan(as_typed, _), Answer::AsTyped) => self.take_read(*as_typed),
            (OtherReading::Scan(_, by_keys), Answer::Retry | Answer::Always) => self.take_read(*by_keys),
            (OtherReading::Card(typed), Answer::AsTyped) => {
                let read = PatronText::Raw(&typed).card(&*self.desk.codes());
                if let Ok(card) = read {
                    self.begin_visit();
                    self.patron.show_in_form(card);
                }
            }
            _ => {}
        }
    }

    /// What is meant is known now. The patron is who it was scanned for.
    fn take_read(self: &Rc<Self>, entered: Entered) {
        match entered {
            Entered::Scan(meant) => self.put_meant(meant, None),
            entered => self.scan(entered),
        }
    }

    /// Queues what could not be recorded before.
    fn scan_again(self: &Rc<Self>, scan: Scan) {
        self.put(Job::Scan(Scan { at: clock::now(), ..scan }));
    }

    /// Keeps on the screen what was not recorded, until a person deals with it.
    fn keep(self: &Rc<Self>, unrecorded: &Unrecorded) {
        let (this, kept) = (self.clone(), unrecorded.clone());
        self.attention.add(unrecorded, move |answer| {
            this.desk.focus.back();
            match (&kept, answer) {
                (Unrecorded::Keyboard(_, reading), answer) => this.keyboard_answered(reading.clone(), answer),
                (Unrecorded::Typed(typed, error), Answer::Edit) => this.put_back(typed, error),
                (Unrecorded::Scan(scan, Problem::Odd(Concern::Shape(code, _))), Answer::Teach) => {
                    this.teach(code, scan);
                    this.retry(kept.clone());
                }
                (Unrecorded::Scan(scan, Problem::Odd(Concern::Shape(..))), Answer::Ask) => {
                    this.scan_again(scan.clone());
                }
                (_, Answer::Retry) => this.retry(kept.clone()),
                _ => {}
            }
        });
    }

    /// All codes that are like this one are right, from now on.
    fn teach(&self, code: &str, scan: &Scan) {
        let is_card = scan.action.cardnumber().is_some_and(|card| card.as_str() == code);
        let mut preferences = self.desk.preferences.borrow().clone();
        let taught = preferences.desk.teach(code, is_card).map(|(key, also)| (key, also.to_owned()));
        if let Some((key, also)) = taught {
            // What asks such a question is loaded.
            self.desk.begin_with(preferences);
            self.keep_apart(key, also);
        }
    }

    /// Stores a setting that was answered here.
    fn keep_apart(&self, key: &'static str, value: String) {
        let desk = self.desk.clone();
        spawn_local(async move {
            if let Err(error) = preferences::save_apart(key, &value).await {
                desk.failed(Topic::Other, "saveFailed", &js_error(&error));
            }
        });
    }

    fn retry(self: &Rc<Self>, unrecorded: Unrecorded) {
        match unrecorded {
            Unrecorded::Typed(typed, TypedError::Two(one, other)) => {
                self.scan_of(&typed, &one);
                self.scan_of(&typed, &other);
            }
            Unrecorded::Typed(typed, error) => self.put_back(&typed, &error),
            // The person wants it recorded, odd as it looks.
            Unrecorded::Scan(scan, Problem::Odd(Concern::Shape(code, _))) => {
                // Never twice for one code; another may be asked about still.
                self.right.borrow_mut().insert(code);
                self.scan_again(scan);
            }
            Unrecorded::Scan(scan, Problem::Odd(concern)) => self.scan_again(scan.meant(&concern)),
            Unrecorded::Scan(scan, Problem::NextPatron(switch)) => self.was_item(switch, scan),
            Unrecorded::Scan(scan, Problem::Store(_) | Problem::Clock) => self.scan_again(scan),
            // It has answers of its own.
            Unrecorded::Keyboard(..) => {}
        }
    }

    /// Takes this for the item in place of what was typed. The patron is who it was typed for.
    fn scan_of(self: &Rc<Self>, typed: &Typed, item: &str) {
        let codes = self.desk.codes();
        let entered = match typed {
            Typed::Checkout { patron, .. } => match self.patron.read() {
                Some(card) if card.cardnumber.as_str() == patron => {
                    scan::checkout(PatronText::Read(&card), item, &*codes)
                }
                _ => scan::checkout(PatronText::Raw(patron), item, &*codes),
            },
            Typed::Checkin { .. } => scan::checkin(item, &*codes),
            Typed::Payment { .. } => return,
        };
        self.take_read(entered);
    }

    /// Puts the values back into their fields, to be corrected.
    fn put_back(&self, typed: &Typed, error: &TypedError) {
        let put = |id: &str, value: &str, focus: bool| {
            let Ok(input) = dom::by_id::<HtmlInputElement>(id) else { return };
            input.set_value(value);
            if focus {
                let _ = input.focus();
                input.select();
            }
        };
        let patron_is_wrong = matches!(error, TypedError::Cardnumber(_));
        let (patron, id, value) = match typed {
            Typed::Checkin { item } => return put("checkin-item", item, true),
            Typed::Checkout { patron, item } => (patron, "checkout-item", item),
            Typed::Payment { patron, amount } => (patron, "checkout-amount", amount),
        };
        self.begin_visit();
        put("checkout-patron", patron, patron_is_wrong);
        put(id, value, !patron_is_wrong);
    }

    /// What was taken for the next patron's card was an item: it goes to the patron before, with all that came after it.
    fn was_item(self: &Rc<Self>, switch: Switch, scan: Scan) {
        self.show_before(switch);
        self.put(Job::WasItem(switch, scan));
    }

    /// Shows who was the patron before this card, if the form shows the card's.
    fn show_before(self: &Rc<Self>, switch: Switch) {
        let before = {
            let visits = self.visits.borrow();
            visits.is_shown(switch).then(|| visits.before(switch).clone())
        };
        if let Some(before) = before {
            self.patron.show_in_form(before.into());
        }
    }

    fn put(self: &Rc<Self>, job: Job) {
        self.waiting.borrow_mut().push_back(job);
        if !self.writing.replace(true) {
            spawn_local(self.clone().work());
        }
    }

    async fn work(self: Rc<Self>) {
        loop {
            // Not in the head of a `while let`: the queue must not stay borrowed over the await.
            let next = self.waiting.borrow_mut().pop_front();
            let Some(job) = next else { break };
            match job {
                Job::Scan(scan) => self.take(scan).await,
                Job::Refused(typed, error) => refuse(self.clone(), Unrecorded::Typed(typed, error)).await,
                Job::Keyboard(unrecorded) => refuse(self.clone(), unrecorded).await,
                Job::Undo => undo(self.clone()).await,
                Job::WasItem(switch, scan) => give_back(self.clone(), switch, scan).await,
            }
        }
        self.writing.set(false);
    }

    async fn take(self: &Rc<Self>, mut scan: Scan) {
        let visit = scan.visit.take();
        if let Some(visit) = visit {
            let patron = self.visits.borrow().of(visit, scan.action.clone()).cardnumber().cloned();
            if let Some(patron) = patron {
                scan.give_to(patron);
            }
        }
        match self.write(&mut scan).await {
            Ok(Written::Entry(entry, jump)) => {
                if let Some(visit) = visit {
                    self.visits.borrow_mut().recorded(visit, &entry.transaction.action, entry.id);
                }
                self.confirm(*entry, jump, scan.is_item);
            }
            Ok(Written::NextPatron(card)) => switch_patron(self.clone(), visit, scan, card).await,
            Err(problem) => refuse(self.clone(), Unrecorded::Scan(scan, problem)).await,
        }
    }

    fn refuse(self: &Rc<Self>, unrecorded: &Unrecorded) {
        let tone = if unrecorded.is_a_question() { Tone::Doubt } else { Tone::Bad };
        self.desk.message.answer(tone, &text_with("notRecorded", &[&describe(unrecorded)]));
        self.keep(unrecorded);
    }

    /// Records it, in the name of the patron whose user name was typed.
    async fn write(self: &Rc<Self>, scan: &mut Scan) -> Result<Written, Problem> {
        let moment = scan.at.ok_or(Problem::Clock)?;
        let ahead = self.look_ahead(scan).await;
        if let Some(patron) = ahead.patron.clone() {
            scan.give_to(patron);
        }
        let mut taken = HashSet::new();
        loop {
            match self.next(scan, &ahead, &taken) {
                Next::Record => break,
                Next::NextPatron(card) => return Ok(Written::NextPatron(card)),
                Next::Ask(concern) => return Err(Problem::Odd(concern)),
                Next::LookBack(code, oddity) => {
                    if !was_taken(self.clone(), code.clone(), scan.action.clone()).await {
                        return Err(Problem::Odd(Concern::Shape(code, oddity)));
                    }
                    taken.insert(code);
                }
            }
        }
        if self.clock.borrow().is_new()
            && let Some(last) = self.desk.store.last_scan().await
        {
            self.clock.borrow_mut().begin(last);
        }
        let entry = self.desk.store.record(scan.action.clone(), scan.scanned.clone(), moment).await;
        let entry = entry.map_err(|error| Problem::Store(error.explained()))?;
        let jump = self.clock.borrow_mut().scan(moment, clock::ran());
        Ok(Written::Entry(Box::new(entry), jump))
    }

    /// What comes next with it. `taken` are the codes that the log has.
    fn next(&self, scan: &Scan, ahead: &Ahead, taken: &HashSet<String>) -> Next {
        let (sitting, right) = (self.desk.sitting.borrow(), self.right.borrow());
        let last = sitting.last().map(|entry| &entry.transaction.action);
        let is_right = |code: &str| right.contains(code) || taken.contains(code);
        guard::next(scan, ahead, last, &*self.desk.codes(), &is_right)
    }

    /// Whether the log has this code of this action from before, taken as it is. Where that cannot be read, it is asked about once more.
    async fn was_taken(&self, code: &str, action: &Action) -> bool {
        let item = action.barcode().filter(|barcode| barcode.as_str() == code);
        let entries = match item {
            Some(barcode) => self.desk.store.of_items(&[barcode.item_key()]).await,
            None => self.desk.store.of_cards(&[code.to_owned()]).await,
        };
        entries.is_ok_and(|entries| taken::was_taken(&entries))
    }

    /// Asks the records, as far as they answer in time: a scan does not wait for long. Where they cannot be read, it is recorded as it
    /// was scanned, unasked, as where they are too slow; its look-up says so.
    async fn look_ahead(self: &Rc<Self>, scan: &Scan) -> Ahead {
        let found = Rc::new(RefCell::default());
        if self.records.get().is_some() {
            let asked = ask_records(self.clone(), scan.clone(), found.clone());
            select(pin!(asked), pin!(sleep(AHEAD_TIMEOUT))).await;
        }
        found.take()
    }

    async fn ask_records(&self, scan: &Scan, found: &RefCell<Ahead>) {
        let Some(records) = self.records.get() else { return };
        if let Some(typed) = scan.action.cardnumber().filter(|typed| !self.patron.shows(typed.as_str())) {
            let card = self.lookups.card_of_user(typed.as_str()).await;
            found.borrow_mut().patron = card.and_then(|card| Cardnumber::parse(&card).ok());
        }
        let codes = self.desk.preferences.borrow().codes();
        found.borrow_mut().unlike = records.unlike(&scan.action, &codes).await.unwrap_or_default();
        let Some(barcode) = scan.action.barcode().filter(|_| !scan.is_meant) else { return };
        let as_card = scan.as_card().unwrap_or_default();
        found.borrow_mut().card = records.card_for_item(as_card, barcode.as_str()).await.ok().flatten();
    }

    /// A known patron's card came into the item's field: what was scanned after it is for that patron, also what a scanner
    /// has typed already.
    fn switch_patron(self: &Rc<Self>, visit: Option<Visit>, scan: Scan, card: &Cardnumber) {
        let before = scan.action.cardnumber().filter(|before| !same_code(before.as_str(), card.as_str())).cloned();
        if let Some(before) = before {
            let (switch, is_current) = {
                let mut visits = self.visits.borrow_mut();
                let visit = visit.unwrap_or(visits.now());
                (visits.switch(visit, before, card.clone()), visits.is_current(visit))
            };
            if is_current {
                self.patron.show_in_form(card.clone().into());
            }
            self.last_card.set(Some(switch));
            let unrecorded = Unrecorded::Scan(scan, Problem::NextPatron(switch));
            if !is_current {
                return self.refuse(&unrecorded);
            }
            self.keep(&unrecorded);
        }
        self.desk.message.answer(Tone::Doubt, &text_with("patronSwitched", &[card.as_str()]));
    }

    /// It was an item: see [`Scans::was_item`].
    async fn give_back(self: &Rc<Self>, switch: Switch, scan: Scan) {
        let (before, card, recorded) = {
            let mut visits = self.visits.borrow_mut();
            (visits.before(switch).clone(), visits.card(switch).clone(), visits.was_item(switch))
        };
        let mut in_koha = 0;
        let recorded = self.desk.sitting.borrow().recorded_for(card.as_str(), &recorded);
        for shown in recorded {
            // What a commit has in its hands stays; the others go over all the same.
            if let Some(given) = moving::give(&self.desk, &self.queue, &[shown], &before).await {
                in_koha += given.in_koha;
            }
        }
        if in_koha > 0 {
            self.desk.message.about(Topic::Change).show(Tone::Bad, &moving::in_koha(in_koha));
        }
        let mut scan = Scan { at: clock::now(), visit: None, is_meant: true, is_item: true, ..scan };
        scan.give_to(before);
        self.take(scan).await;
    }

    /// Shows that a scan is durable. `is_item`: a person has said that its code is an item's.
    fn confirm(self: &Rc<Self>, entry: Entry, jump: Option<ClockJump>, is_item: bool) {
        self.last_card.set(None);
        self.answers.go_on();
        self.desk.log_changed(&LogEvent::Recorded(entry.clone()));
        let message = wording::recorded(&entry.transaction.action, &Label::default());
        if let Some(jump) = jump {
            let times =
                [Shift(jump.whole_minutes()).to_string(), wording::moment(jump.before), wording::moment(jump.now)];
            let words = text_with("clockJumped", &[&times[0], &times[1], &times[2], &text("showReview")]);
            // Heard as a warning, and kept until somebody has seen it: the next scan comes at once.
            self.desk.message.answer(Tone::Doubt, &message);
            self.desk.message.show(Tone::Bad, &format!("{message}\n{words}"));
        } else {
            self.desk.message.answer(Tone::Good, &message);
        }
        self.queue.look_up_scan(entry.clone(), is_item);
        if self.records.get().is_some() {
            spawn_local(name_recorded(self.answers.clone(), entry, message));
        }
    }

    /// Takes back the last scan of this window.
    async fn undo(self: &Rc<Self>) {
        if let Some(switch) = self.last_card.take() {
            return self.take_back_card(switch);
        }
        let last = self.desk.sitting.borrow().last().cloned();
        match last {
            Some(last) => self.answers.take_back(last).await,
            None => self.desk.message.answer(Tone::Doubt, &text("undoNothing")),
        }
    }

    /// The card that was scanned last is nobody's any more: for whom it was before, it is again.
    fn take_back_card(self: &Rc<Self>, switch: Switch) {
        self.show_before(switch);
        let before = {
            let mut visits = self.visits.borrow_mut();
            visits.was_item(switch);
            visits.before(switch).clone()
        };
        self.attention.remove_card();
        self.desk.message.answer(Tone::Good, &text_with("patronReady", &[before.as_str()]));
    }
}

later! {
    async fn ask_records(scans: Rc<Scans>, scan: Scan, found: Rc<RefCell<Ahead>>) {
        scans.ask_records(&scan, &found).await;
    }

    async fn was_taken(scans: Rc<Scans>, code: String, action: Action) -> bool {
        scans.was_taken(&code, &action).await
    }

    async fn refuse(scans: Rc<Scans>, unrecorded: Unrecorded) {
        scans.refuse(&unrecorded);
    }

    async fn undo(scans: Rc<Scans>) {
        scans.undo().await;
    }

    async fn switch_patron(scans: Rc<Scans>, visit: Option<Visit>, scan: Scan, card: Cardnumber) {
        scans.switch_patron(visit, scan, &card);
    }

    async fn give_back(scans: Rc<Scans>, switch: Switch, scan: Scan) {
        scans.give_back(switch, scan).await;
    }
}
