//! Looks for transactions in the log: by text, action, status and desk, and in the order in which they go to Koha.
//!
//! The index is made when something is looked for the first time, bit by bit, so that scans go in between.

use crate::{
    dom::{self, elements},
    i18n::{text, text_with},
    later::later,
    latest::Latest,
    locale,
    popup::{
        Desk, Panel, Topic,
        log::{named::Named, table::Table},
    },
    store::StoreError,
    timer::sleep,
    wording,
};
use futures_util::future::{LocalBoxFuture, join};
use koct_core::{
    DeskName, Entry, State, TransactionId,
    log::{
        Counts,
        event::LogEvent,
        search::{Filter, Index},
    },
};
use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
    rc::Rc,
    time::Duration,
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlElement, HtmlInputElement, HtmlOptionElement, HtmlSelectElement};

/// The number of entries that are taken into the index at once: some ten milliseconds.
const CHUNK: u32 = 1_000;

/// How long the window is left alone after it has started, and between two chunks while nobody waits for the index.
const AFTER_START: Duration = Duration::from_secs(1);
const BREATH: Duration = Duration::from_millis(15);
/// Of larger logs the index is made when it is asked for: it would take memory that most windows never need.
const PREPARED: u32 = 200_000;

/// In the list of desks, this one; a desk's name holds no control character.
const THIS_DESK: &str = "\t";

/// In the list of statuses, those that somebody was warned of, whatever their status.
const WARNED: &str = "warned";

/// The index, as far as it follows the log. All else that is asked of it is loaded when something is looked for.
trait Kept {
    /// Takes an entry in, new or changed.
    fn put(&mut self, entry: &Entry);

    /// What is looked for in.
    fn index(&self) -> &Index;
}

impl Kept for Index {
    fn put(&mut self, entry: &Entry) {
        self.put(entry);
    }

    fn index(&self) -> &Index {
        self
    }
}

later! {
    async fn look_for_names(find: Rc<Find>) {
        find.look_for_names().await;
    }

    async fn prepare_to_find(find: Rc<Find>) {
        find.prepare_to_find().await;
    }

    async fn show_found(find: Rc<Find>) -> Result<(), StoreError> {
        find.show_found_now().await
    }
}

elements! {
    pub(crate) struct Find(desk: Rc<Desk>, table: Rc<Table>, named: Named) {
        text: HtmlInputElement = "find-text",
        action: HtmlSelectElement = "find-action",
        state: HtmlSelectElement = "find-state",
        desks: HtmlSelectElement = "find-desk",
        order: HtmlSelectElement = "find-order",
        more: HtmlElement = "find-more",
        choices: HtmlElement = "find-choices",
        bar: HtmlElement = "filter",
        label: Element = "filter-text",
        empty: Element = "transactions-empty-text",
        ;
        index: RefCell<Option<Box<dyn Kept>>>,
        /// While the index is being made, what has changed since that began; it may have been read before.
        making: RefCell<Option<Vec<Entry>>>,
        /// Whether something is looked for as soon as the index is made.
        waiting: Cell<bool>,
        /// Counts how often the index was forgotten.
        forgotten: Latest,
        /// The transactions of one commit, and what they are called.
        among: RefCell<Option<(HashSet<TransactionId>, String)>>,
        /// Counts what was asked, so that only the last is shown.
        asked: Latest,
    }
}

impl Panel for Find {
    /// The index takes in what has changed, and the table shows it. A scan is seen at once, whatever was looked for.
    fn follow(self: Rc<Self>, event: &LogEvent) {
        match event {
            LogEvent::Recorded(_) | LogEvent::Changed(_) => event.entries().iter().for_each(|entry| self.take(entry)),
            LogEvent::Reload(_) => self.forget(),
            LogEvent::Committed => {}
        }
        if matches!(event, LogEvent::Recorded(_)) {
            self.show_choices(false);
        }
        if matches!(event, LogEvent::Recorded(_)) && self.is_active() {
            self.clear();
            spawn_local(self.show_found());
        } else {
            self.table.follow(event, !self.is_active());
        }
    }

    fn draw(self: Rc<Self>) {
        if self.is_active() {
            // What changed may not be what is looked for any more.
            spawn_local(self.show_found());
        } else {
            self.show_counts_of(self.desk.counts.get(), None);
            self.table.draw_rows();
        }
    }

    /// What was found by names is the records' no more.
    fn records_changed(self: Rc<Self>, _are_there: bool) {
        self.named.forget();
        if !self.text.value().is_empty() {
            spawn_local(self.clone().show_found());
            spawn_local(look_for_names(self));
        }
    }

    fn reread(self: Rc<Self>) -> LocalBoxFuture<'static, ()> {
        Box::pin(async move {
            join(self.offer_desks(), self.clone().show_found()).await;
        })
    }

    fn show_settings(self: Rc<Self>) {
        self.table.show_places();
        spawn_local(async move { self.offer_desks().await });
    }
}

impl Find {
    /// # Errors
    /// When the page lacks an element.
    pub(crate) fn bind(self: &Rc<Self>) -> Result<(), JsValue> {
        let actions = [("", "findAllActions"), ("issue", "checkout"), ("return", "checkin"), ("payment", "payment")];
        dom::fill_options(&self.action, actions.map(|(value, key)| (value, text(key))));
        let states = State::ALL.map(|state| (state.name(), wording::state(state)));
        let others = [("", text("findAllStates"))].into_iter();
        dom::fill_options(&self.state, others.chain(states).chain([(WARNED, text("findWarned"))]));
        let orders = [("", "findOrderLog"), ("merged", "findOrderMerged")];
        dom::fill_options(&self.order, orders.map(|(value, key)| (value, text(key))));
        dom::bind(&self.text, "input", self, |this| {
            spawn_local(this.clone().show_found());
            spawn_local(look_for_names(this.clone()));
        });
        dom::bind(&self.text, "focus", self, |this| spawn_local(prepare_to_find(this.clone())));
        for select in [&self.action, &self.state, &self.desks, &self.order] {
            dom::bind(select, "change", self, |this| spawn_local(this.clone().show_found()));
        }
        dom::bind(&self.more, "click", self, |this| this.show_choices(this.choices.hidden()));
        dom::on_click("show-all", self, |this| {
            this.show_choices(false);
            this.clear();
            spawn_local(this.clone().show_found());
        })
    }

    /// Makes the index of an ordinary log while nothing else is to be done, so that the first letter is answered at once.
    pub(crate) fn prepare(self: &Rc<Self>) {
        if (1..=PREPARED).contains(&self.desk.counts.get().total()) {
            let this = self.clone();
            spawn_local(async move {
                sleep(AFTER_START).await;
                prepare_to_find(this).await;
            });
        }
    }

    /// Shows besides what the names and titles find.
    async fn look_for_names(self: Rc<Self>) {
        let in_log = || self.index.borrow().as_ref().map(|kept| kept.index().codes());
        let this = self.clone();
        self.named.look_for(self.text.value(), in_log, || spawn_local(this.clone().show_found())).await;
    }

    fn filter(&self) -> Filter {
        let value = |select: &HtmlSelectElement| Some(select.value()).filter(|value| !value.is_empty());
        Filter {
            named: self.named.codes(&self.text.value()),
            text: self.text.value(),
            action: value(&self.action),
            state: value(&self.state).and_then(|name| State::from_name(&name)),
            warned: self.state.value() == WARNED,
            desk: value(&self.desks).map(|name| DeskName::parse(&name).ok()),
            among: self.among.borrow().as_ref().map(|(ids, _)| ids.clone()),
        }
    }

    fn is_merged(&self) -> bool {
        !self.order.value().is_empty()
    }

    /// Whether the table shows something else than the log as it was recorded.
    fn is_active(&self) -> bool {
        !self.filter().is_empty() || self.is_merged()
    }

    /// Opens what else can be chosen by, over the first rows, or closes it.
    fn show_choices(&self, shown: bool) {
        self.choices.set_hidden(!shown);
        dom::set_flag(&self.more, "aria-expanded", shown);
    }

    /// Looks for nothing any more.
    fn clear(&self) {
        self.text.set_value("");
        for select in [&self.action, &self.state, &self.desks, &self.order] {
            select.set_value("");
        }
        *self.among.borrow_mut() = None;
    }

    /// Looks among these alone.
    pub(crate) fn among(&self, ids: HashSet<TransactionId>, label: String) {
        self.clear();
        *self.among.borrow_mut() = Some((ids, label));
    }

    /// Takes in an entry that is new or was changed.
    fn take(&self, entry: &Entry) {
        if let Some(index) = &mut *self.index.borrow_mut() {
            index.put(entry);
        }
        if let Some(changed) = &mut *self.making.borrow_mut() {
            changed.push(entry.clone());
        }
    }

    /// Forgets the index: nobody knows what has changed.
    fn forget(&self) {
        self.forgotten.give_up();
        *self.index.borrow_mut() = None;
    }

    /// Shows how many stand in each state and, where it is known, how many somebody was warned of.
    fn show_counts_of(&self, counts: Counts, warned: Option<u32>) {
        let options = self.state.options();
        let of_states = State::ALL.map(|state| (wording::state(state), Some(counts.of(state))));
        for (place, (label, number)) in (1..).zip(of_states.into_iter().chain([(text("findWarned"), warned)])) {
            let option = options.get_with_index(place).and_then(|option| option.dyn_into::<HtmlOptionElement>().ok());
            if let Some(option) = option {
                let number = number.map(locale::number);
                option.set_text(&number.map_or(label.clone(), |number| text_with("findCount", &[&label, &number])));
            }
        }
    }

    /// Says why the table is empty, where it is. `but`: why there may be something all the same.
    fn show_why_empty(&self, but: Option<&str>) {
        let mut words = text(if self.is_active() { "findNothing" } else { "transactionsEmpty" });
        if let Some(but) = but {
            words = format!("{words} {but}");
        }
        self.empty.set_text_content(Some(&words));
    }

    fn show_bar(&self, label: Option<&str>) {
        self.bar.set_hidden(label.is_none());
        self.label.set_text_content(label);
    }

    /// Offers these desks. Keeps the choice, where it is still there.
    fn list_desks(&self, own: &DeskName, others: &[DeskName]) {
        let chosen = self.desks.value();
        self.desks.set_hidden(others.is_empty());
        let all = [("", text("findAllDesks")), (THIS_DESK, text_with("findThisDesk", &[own.as_str()]))];
        let named = others.iter().map(|desk| (desk.as_str(), desk.as_str().to_owned()));
        dom::fill_options(&self.desks, all.into_iter().chain(named));
        self.desks.set_value(&chosen);
        if self.desks.selected_index() < 0 {
            self.desks.set_value("");
        }
    }

    /// Shows what is looked for, or the whole log.
    pub(crate) async fn show_found(self: Rc<Self>) {
        let had_index = self.index.borrow().is_some();
        if let Err(error) = self.try_show_found().await {
            self.desk.failed(Topic::Other, "readFailed", &error);
        }
        if !had_index && self.index.borrow().is_some() {
            // Only now it is known what stands in the log.
            look_for_names(self).await;
        }
    }

    async fn try_show_found(self: &Rc<Self>) -> Result<(), StoreError> {
        self.show_why_empty(None);
        let asked = self.asked.ask();
        if !self.is_active() {
            self.show_bar(None);
            self.show_counts_of(self.desk.counts.get(), None);
            // Something may have been looked for meanwhile.
            return self.table.show_log(|| self.asked.is(asked)).await;
        }
        show_found(self.clone()).await
    }

    /// Shows what is looked for.
    async fn show_found_now(&self) -> Result<(), StoreError> {
        if !self.is_active() {
            return Ok(());
        }
        if self.index.borrow().is_none() {
            self.show_bar(Some(&text("findWorking")));
            if !self.make_index().await? {
                // Whoever makes it shows what is looked for by then.
                self.waiting.set(true);
                return Ok(());
            }
            self.waiting.set(false);
            if !self.is_active() {
                return Ok(());
            }
        }
        let filter = self.filter();
        let (shown, counts, warned, total) = {
            let index = self.index.borrow();
            let Some(index) = index.as_ref().map(|kept| kept.index()) else { return Ok(()) };
            let found = index.find(&filter);
            let ids = if self.is_merged() { index.merged(&found.ids) } else { found.ids };
            (ids, found.counts, found.warned, index.len())
        };
        self.show_counts_of(counts, Some(warned));
        let numbers = [shown.len(), total].map(locale::number);
        let but = self.named.but(&filter.text);
        self.show_why_empty(but.as_deref());
        let mut label = text_with("findShown", &numbers.each_ref().map(String::as_str));
        if let Some((_, among)) = &*self.among.borrow() {
            label = format!("{among} {label}");
        }
        if let Some(but) = but {
            label = format!("{label} {but}");
        }
        self.show_bar(Some(&label));
        self.table.show(shown).await
    }

    /// Makes the index ahead of the first letter.
    async fn prepare_to_find(self: Rc<Self>) {
        if self.index.borrow().is_some() {
            return;
        }
        // Where it cannot be made, looking for something says so.
        let _ = self.make_index().await;
        if self.waiting.replace(false) {
            self.clone().show_found().await;
            self.look_for_names().await;
        }
    }

    /// Makes the index. Returns whether it is there: not where it is being made already.
    async fn make_index(&self) -> Result<bool, StoreError> {
        while self.index.borrow().is_none() {
            if self.making.borrow().is_some() {
                return Ok(false);
            }
            *self.making.borrow_mut() = Some(Vec::new());
            let before = self.forgotten.last();
            let made = self.index().await;
            let changed = self.making.take().unwrap_or_default();
            let mut index = made?;
            for entry in &changed {
                index.put(entry);
            }
            self.desk.met_unreadable();
            // Otherwise what was read may be gone.
            if self.forgotten.is(before) {
                *self.index.borrow_mut() = Some(Box::new(index));
            }
        }
        Ok(true)
    }

    /// Reads the whole log into an index.
    async fn index(&self) -> Result<Index, StoreError> {
        let mut index = Index::default();
        let mut last = TransactionId(0);
        loop {
            let entries = self.desk.store.after(last, CHUNK).await?;
            let Some(newest) = entries.last() else { break };
            last = newest.id;
            for entry in &entries {
                index.put(entry);
            }
            // Somebody who waits for it is served first; else whatever else the window does is.
            sleep(if self.is_active() { Duration::ZERO } else { BREATH }).await;
        }
        Ok(index)
    }

    /// Offers the desks that are in the log.
    async fn offer_desks(&self) {
        let others = match self.desk.store.desks().await {
            Ok(others) => others,
            Err(error) => return self.desk.failed(Topic::Other, "readFailed", &error),
        };
        self.table.show_desks(!others.is_empty());
        let own = self.desk.preferences.borrow().desk_name();
        // The page has the element, or the window would not have started.
        self.list_desks(&own, &others);
    }
}
