//! The table of transactions, newest first, with a line where another day begins. Only what is seen is drawn, whatever the
//! length of the log.

use crate::{
    clock,
    dom::{self, elements},
    i18n::text,
    later::later,
    popup::{
        Desk, Topic,
        known::{
            labels::{self, Labels},
            warnings,
        },
        log::edit::Edit,
        window::focus::SCANNED_INTO,
    },
    store::StoreError,
    wording,
};
use chrono::NaiveDate;
use koct_core::{
    Entry, State, TransactionId,
    directory::labels::Label,
    log::{
        event::LogEvent,
        listing::{Line, Listing},
        offers::{Offers, Opens},
        status::Decision,
        todo::Refusal,
    },
    ordered::{Gather, LiteMap},
    scrolling::Scrolling,
};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    ops::Range,
    rc::Rc,
};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, Event, HtmlElement, HtmlInputElement, KeyboardEvent, Node};

/// The number of entries around the seen ones that are read at once.
const READ_AHEAD: usize = 100;
/// More entries than this are not kept in memory.
const CACHE_LIMIT: usize = 2_000;
/// The table of a longer log is this high, in CSS pixels: no element of a page can be higher than some 17.9 million in Firefox,
/// and the heading stays over the rows only down to some 8.9 million.
const TALLEST: f64 = 8_000_000.0;
/// The height of a row in CSS, until one can be measured.
const ROW_HEIGHT: f64 = 30.1;

/// A row that is drawn.
struct DrawnRow {
    entry: Entry,
    /// What it is called; `None` until that was looked up.
    label: Option<Label>,
    element: HtmlElement,
    /// The line above it that says its day, where it had one.
    divider: Option<HtmlElement>,
}

elements! {
    pub(crate) struct Table(desk: Rc<Desk>, edit: Rc<Edit>, labels: Rc<Labels>) {
        scroll: HtmlElement = "transactions-scroll",
        element: Element = "transactions-table",
        heading: HtmlElement = "transactions-heading",
        body: HtmlElement = "transactions-rows",
        empty: HtmlElement = "transactions-empty",
        ;
        above: HtmlElement = dom::from_template("spacer-template")?,
        below: HtmlElement = dom::from_template("spacer-template")?,
        template: HtmlElement = dom::from_template("row-template")?,
        divider: HtmlElement = dom::from_template("day-template")?,
        listing: RefCell<Listing>,
        cache: RefCell<HashMap<TransactionId, Entry>>,
        drawn: RefCell<LiteMap<TransactionId, DrawnRow>>,
        /// Height of a row, how far it is scrolled and how much is seen, in CSS pixels. Kept, because asking the page for
        /// them makes Firefox lay it out at once, which costs more than the rest of a scan.
        row_height: Cell<f64> = Cell::new(ROW_HEIGHT),
        scroll_top: Cell<i32>,
        seen_height: Cell<i32>,
        /// How far it is still to be scrolled on, once drawn, since lines came above what is read.
        scrolls_on: Cell<i32>,
        reading: Cell<bool>,
        /// Whether labels are looked up.
        labelling: Cell<bool>,
        /// Whether it was clicked, and nothing typed since.
        clicked: Cell<bool>,
        frame_asked: Cell<bool>,
        /// Whether other desks are in the log.
        has_desks: Cell<bool>,
        /// Whether a row says of which desk or library it is.
        says_place: Cell<bool>,
        /// Of the spaces above and below.
        heights: Cell<(f64, f64)> = Cell::new((f64::NAN, f64::NAN)),
    }
}

impl DrawnRow {
    /// With this label, or none yet.
    fn labelled(self, label: Option<Label>) -> Self {
        if self.label == label {
            return self;
        }
        labels::show(&self.element, &label.clone().unwrap_or_default());
        Self { label, ..self }
    }
}

/// The transaction and the decision whose button was clicked.
fn decision(event: &Event) -> Option<(TransactionId, Decision)> {
    let button = dom::target(event)?;
    let decision = match button.get_attribute("data-decision")?.as_str() {
        "is-in-koha" => Decision::IsInKoha,
        "send-again" => Decision::SendAgain,
        _ => return None,
    };
    Some((row_of(&button)?, decision))
}

/// The transaction whose button with this attribute was clicked.
fn pressed(event: &Event, attribute: &str) -> Option<TransactionId> {
    let button = dom::target(event)?;
    button.has_attribute(attribute).then(|| row_of(&button))?
}

fn row_of(element: &Element) -> Option<TransactionId> {
    let seq = element.closest("[data-seq]").ok()??.get_attribute("data-seq")?;
    seq.parse().ok().map(TransactionId)
}

later! {
    async fn settle(desk: Rc<Desk>, entry: Option<Entry>) {
        desk.settle(entry.as_slice()).await;
    }

    async fn decide(table: Rc<Table>, id: TransactionId, decision: Decision) {
        table.decide(id, decision).await;
    }

    async fn edit(edit: Rc<Edit>, id: TransactionId) {
        edit.edit(id).await;
    }
}

impl Table {
    /// # Errors
    /// Outside a page.
    pub(crate) fn bind(self: &Rc<Self>) -> Result<(), JsValue> {
        dom::bind(&self.scroll, "scroll", self, |this| this.clone().ask_for_frame());
        let page = dom::document()?;
        dom::bind_event(&page, "mousedown", self, |this, event: Event| {
            let clicked = event.target().and_then(|target| target.dyn_into::<Node>().ok());
            this.clicked.set(this.scroll.contains(clicked.as_ref()));
        });
        dom::bind_event(&page, "keydown", self, |this, event: KeyboardEvent| {
            if this.go_by_key(&event) {
                event.prevent_default();
            } else {
                this.clicked.set(false);
            }
        });
        dom::bind(dom::window()?.as_ref(), "resize", self, |this| this.clone().ask_for_frame());
        dom::bind_event(&self.body, "click", self, |this, event: Event| {
            if let Some(id) = pressed(&event, "data-settle") {
                let entry = this.cache.borrow().get(&id).cloned();
                spawn_local(settle(this.desk.clone(), entry));
            } else if let Some((id, decision)) = decision(&event) {
                spawn_local(decide(this.clone(), id, decision));
            } else if let Some(id) = pressed(&event, "data-edit") {
                spawn_local(edit(this.edit.clone(), id));
            }
        });
        Ok(())
    }

    /// What was recorded is seen at once; everything else at the next drawing.
    pub(crate) fn follow(self: &Rc<Self>, event: &LogEvent, is_whole_log: bool) {
        match event {
            LogEvent::Recorded(entry) => {
                self.append(entry.clone());
                self.label_rows();
            }
            LogEvent::Changed(entries) => self.change(|listing| {
                listing.learn(entries);
                let mut cache = self.cache.borrow_mut();
                for entry in entries {
                    let is_new = is_whole_log && listing.insert(entry.id);
                    if is_new || cache.contains_key(&entry.id) {
                        cache.insert(entry.id, entry.clone());
                    }
                }
            }),
            LogEvent::Reload(_) => self.forget(),
            LogEvent::Committed => {}
        }
    }

    /// Draws the table before Firefox paints the next time.
    pub(crate) fn ask_for_frame(self: Rc<Self>) {
        if self.frame_asked.replace(true) {
            return;
        }
        let frame = Closure::once_into_js(move || {
            self.frame_asked.set(false);
            self.look();
            self.draw_rows();
        });
        let _ = dom::window().and_then(|window| window.request_animation_frame(frame.unchecked_ref()));
    }

    /// Draws, and reads what is missing.
    pub(crate) fn draw_rows(self: &Rc<Self>) {
        self.draw_and_read();
        self.label_rows();
    }

    /// Looks up what the rows are called that are seen: who scrolls on is not followed.
    fn label_rows(self: &Rc<Self>) {
        if self.unlabelled().is_none() || self.labelling.replace(true) {
            return;
        }
        let this = self.clone();
        spawn_local(async move {
            while let Some(entry) = this.unlabelled() {
                this.labels.look_up(&entry).await;
                this.draw();
            }
            this.labelling.set(false);
        });
    }

    /// A row that is seen, and of which nobody knows yet what it is called; the newest.
    fn unlabelled(&self) -> Option<Entry> {
        let drawn = self.drawn.borrow();
        drawn.values().rev().find(|row| row.label.is_none()).map(|row| row.entry.clone())
    }

    fn draw_and_read(self: &Rc<Self>) {
        if self.draw() && !self.reading.replace(true) {
            let this = self.clone();
            spawn_local(async move {
                let read = this.read().await;
                this.reading.set(false);
                match read {
                    Ok(()) => this.draw_rows(),
                    Err(error) => this.desk.failed(Topic::Other, "readFailed", &error),
                }
            });
        }
    }

    async fn decide(self: Rc<Self>, id: TransactionId, decision: Decision) {
        // What the row shows.
        let seen: Vec<Entry> = self.cache.borrow().get(&id).cloned().into_iter().collect();
        self.desk.decide(&seen, &|entry, _| entry.with_decision(decision), |_| text("decided")).await;
    }

    /// Shows these, the last on top, and reads what is seen of them.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(crate) async fn show(self: &Rc<Self>, ids: Vec<TransactionId>) -> Result<(), StoreError> {
        self.listing.borrow_mut().show(ids);
        self.show_listing().await
    }

    /// Shows the whole log, as far as it is still to be shown once it is read.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(crate) async fn show_log(self: &Rc<Self>, is_wanted: impl Fn() -> bool) -> Result<(), StoreError> {
        self.listing.borrow_mut().begin_reading();
        let ids = self.desk.store.ids(self.desk.counted.take()).await?;
        if !is_wanted() {
            return Ok(());
        }
        self.listing.borrow_mut().show_log(ids);
        self.show_listing().await
    }

    /// Shows the newest of the log, until all of it is read.
    pub(crate) fn show_newest(self: &Rc<Self>, newest: Vec<Entry>) {
        if newest.is_empty() {
            return;
        }
        self.listing.borrow_mut().show(newest.iter().map(|entry| entry.id).collect());
        self.listing.borrow_mut().learn(&newest);
        self.cache.borrow_mut().extend(newest.into_iter().map(|entry| (entry.id, entry)));
        self.draw_all();
    }

    async fn show_listing(self: &Rc<Self>) -> Result<(), StoreError> {
        self.look();
        self.read().await?;
        self.draw_all();
        Ok(())
    }

    /// Draws, and once more where the rows have shown how high they are.
    fn draw_all(self: &Rc<Self>) {
        self.look();
        self.draw();
        self.look();
        self.draw();
        self.label_rows();
    }

    /// The numbers of the entries that it shows, drawn or not; the last is on top.
    pub(crate) fn shown(&self) -> Vec<TransactionId> {
        self.listing.borrow().ids().to_vec()
    }

    /// Forgets what it has read.
    fn forget(&self) {
        self.cache.borrow_mut().clear();
    }

    /// Other desks are in the log, or none.
    pub(crate) fn show_desks(&self, are_there: bool) {
        self.has_desks.set(are_there);
        self.show_places_column();
    }

    /// Says anew of which desk or library the rows are: this desk may be at another library now.
    pub(crate) fn show_places(&self) {
        let mut says_place = false;
        for row in self.drawn.borrow().values() {
            says_place |= self.show_place(row.element.as_ref(), &row.entry);
        }
        self.says_place.set(says_place);
        self.show_places_column();
    }

    /// Says of which desk or library a row is, and returns whether there is anything to say.
    fn show_place(&self, row: &Element, entry: &Entry) -> bool {
        let place = wording::desk_and_branch(entry, self.desk.preferences.borrow().form.branchcode.trim());
        dom::set_field(row, "desk", &place);
        !place.is_empty()
    }

    fn show_places_column(&self) {
        let _ = if self.has_desks.get() || self.says_place.get() {
            self.element.set_attribute("data-desks", "")
        } else {
            self.element.remove_attribute("data-desks")
        };
    }

    /// Shows a new entry at the top.
    fn append(&self, entry: Entry) {
        self.change(|listing| {
            listing.learn(std::slice::from_ref(&entry));
            listing.insert(entry.id);
        });
        self.cache.borrow_mut().insert(entry.id, entry);
        self.draw();
    }

    /// Changes what stands in the table; what is read stays where it is.
    fn change(&self, change: impl FnOnce(&mut Listing)) {
        let before = self.scrolling();
        let mut listing = self.listing.borrow_mut();
        let first = listing.entry_from(before.first_seen());
        change(&mut listing);
        let Some((from, to)) = first.and_then(|(id, from)| Some((from, listing.line_of(id)?))) else { return };
        #[expect(clippy::cast_possible_truncation, reason = "a page is some millions of pixels high")]
        let on = before.on_after(listing.lines(), from, to).round() as i32;
        self.scroll_top.update(|top| top + on);
        self.scrolls_on.update(|before| before + on);
    }

    /// Goes to an end, or a page of rows on or back, where Firefox would not go there itself. Returns whether it did.
    ///
    /// Firefox would glide to an end, and stops half-way where rows are drawn meanwhile; in a list that is too high for a page, it
    /// would go a page of its own pixels, which are several pages of rows; and from a scan field, it goes nowhere.
    fn go_by_key(&self, event: &KeyboardEvent) -> bool {
        let Some(target) = dom::target(event) else { return false };
        let is_here = *target == **self.scroll;
        // Where there is no text to go through, or the table was clicked, the keys are meant for the table.
        let field = target.dyn_ref::<HtmlInputElement>().filter(|field| field.matches(SCANNED_INTO).unwrap_or(false));
        let is_from_field = field.is_some_and(|field| field.value().is_empty() || self.clicked.get());
        let has_other = event.ctrl_key() || event.alt_key() || event.meta_key() || event.is_composing();
        if !(is_here || is_from_field) || has_other {
            return false;
        }
        let scrolling = self.scrolling();
        // A row is seen on both pages, so that one knows where one is.
        #[expect(clippy::cast_possible_truncation, reason = "a window is some thousands of pixels high")]
        let page = scrolling.by((scrolling.seen - scrolling.row_height).max(scrolling.row_height)) as i32;
        let top = self.scroll.scroll_top();
        let goes_pages = is_from_field || scrolling.scale() > 1.0;
        let to = match (event.key().as_str(), event.shift_key()) {
            ("Home", false) => 0,
            ("End", false) => self.scroll.scroll_height(),
            ("PageDown", false) if goes_pages => top + page,
            ("PageUp", false) if goes_pages => top - page,
            (" ", is_back) if is_here && goes_pages => top + if is_back { -page } else { page },
            _ => return false,
        };
        self.scroll.set_scroll_top(to);
        true
    }

    /// Asks the page how far it is scrolled, how much is seen and how high a row is, which depends on the font.
    fn look(&self) {
        if self.scroll.client_height() == 0 {
            // Another tab is seen.
            return;
        }
        self.scroll_top.set(self.scroll.scroll_top() + self.scrolls_on.get());
        // The heading stays over the rows.
        self.seen_height.set(self.scroll.client_height() - self.heading.offset_height());
        if let Some(row) = self.drawn.borrow().values().next() {
            let height = row.element.get_bounding_client_rect().height();
            if height > 1.0 && (height - self.row_height.get()).abs() > 0.1 {
                self.row_height.set(height);
                self.heights.set((f64::NAN, f64::NAN));
            }
        }
    }

    /// As it is scrolled.
    fn scrolling(&self) -> Scrolling {
        Scrolling {
            rows: self.listing.borrow().lines(),
            row_height: self.row_height.get(),
            seen: f64::from(self.seen_height.get().max(0)),
            top: f64::from(self.scroll_top.get().max(0)),
            tallest: TALLEST,
        }
    }

    fn ids_at(&self, lines: Range<usize>) -> Vec<TransactionId> {
        let listing = self.listing.borrow();
        let entry = |line| if let Line::Entry(id) = listing.at(line)? { Some(id) } else { None };
        lines.filter_map(entry).collect()
    }

    /// Draws the lines that are seen and known. Returns whether some are not known yet.
    fn draw(&self) -> bool {
        let today = clock::now().map(|now| now.local().date());
        // At midnight, what was said of today is not true any more.
        let mut is_new_day = false;
        self.change(|listing| is_new_day = today.is_some_and(|today| listing.begin_day(today)));
        let listing = self.listing.borrow();
        let window = self.scrolling().drawn();
        let cache = self.cache.borrow();
        let mut drawn = self.drawn.borrow_mut();
        let mut kept = LiteMap::new_vec();
        // Those not read yet: their room is kept, or Firefox would scroll back from an end that is not there any more.
        let (mut missing_above, mut missing_below) = (0_u32, 0_u32);
        let mut is_all_known = true;
        let mut rows = vec![self.above.clone()];
        let mut day = None;
        for line in window.rows {
            let id = match listing.at(line) {
                Some(Line::Entry(id)) => id,
                // It is drawn with the row below it.
                Some(Line::Day(begun)) => {
                    day = Some(begun);
                    continue;
                }
                None => break,
            };
            let begun = day.take();
            let Some(entry) = cache.get(&id) else {
                let missing = if kept.is_empty() { &mut missing_above } else { &mut missing_below };
                *missing += 1 + u32::from(begun.is_some());
                is_all_known = false;
                continue;
            };
            let row = match drawn.remove(&id) {
                Some(row) if row.entry == *entry && !is_new_day => row,
                Some(row) => self.fill(row.element, entry),
                None => match self.template.clone_node_with_deep(true).map(JsCast::dyn_into) {
                    Ok(Ok(element)) => self.fill(element, entry),
                    _ => continue,
                },
            };
            let mut row = row.labelled(self.labels.of(entry));
            if let Some((begun, today)) = begun.zip(today) {
                row.divider = row.divider.or_else(|| self.divider(begun, today));
                rows.extend(row.divider.clone());
            }
            rows.push(row.element.clone());
            kept.insert(id, row);
        }
        missing_below += u32::from(day.is_some());
        rows.push(self.below.clone());
        let room = |rows: u32| f64::from(rows) * self.row_height.get();
        self.space(window.above + room(missing_above), window.below + room(missing_below));
        dom::set_children(&self.body, &rows);
        *drawn = kept;
        let _ = self.element.set_attribute("aria-rowcount", &(listing.lines() + 1).to_string());
        self.empty.set_hidden(listing.lines() > 0);
        match self.scrolls_on.take() {
            0 => {}
            // By this distance, not to a place: Firefox may be scrolling.
            pixels => self.scroll.scroll_by_with_x_and_y(0.0, pixels.into()),
        }
        !is_all_known
    }

    /// A line that says which day begins under it.
    fn divider(&self, day: NaiveDate, today: NaiveDate) -> Option<HtmlElement> {
        let divider: HtmlElement = self.divider.clone_node_with_deep(true).ok()?.dyn_into().ok()?;
        dom::set_field(&divider, "day", &wording::day_beside(day, today));
        Some(divider)
    }

    /// Gives the spaces above and below the height of the rows that are not drawn.
    fn space(&self, above: f64, below: f64) {
        if self.heights.replace((above, below)) == (above, below) {
            return;
        }
        for (spacer, height) in [(&self.above, above), (&self.below, below)] {
            let _ = spacer.style().set_property("height", &format!("{height}px"));
            spacer.set_hidden(height == 0.0);
        }
    }

    fn fill(&self, element: HtmlElement, entry: &Entry) -> DrawnRow {
        let action = &entry.transaction.action;
        let optional = |value: Option<String>| value.unwrap_or_default();
        let state = entry.status.state();
        for (name, value) in [
            ("data-seq", entry.id.to_string()),
            ("data-action", action.word().to_owned()),
            ("data-status", state.name().to_owned()),
        ] {
            let _ = element.set_attribute(name, &value);
        }
        dom::set_field(&element, "timestamp", &wording::row_time(entry.transaction.moment));
        if let Some(time) = dom::field(&element, "timestamp") {
            let _ = time
                .set_attribute("datetime", &entry.transaction.moment.local().format("%Y-%m-%d %H:%M:%S").to_string());
            time.set_title(&wording::moment(entry.transaction.moment));
        }
        if self.show_place(&element, entry) && !self.says_place.replace(true) {
            self.show_places_column();
        }
        dom::set_field(&element, "action", &wording::action(action));
        dom::set_field(&element, "cardnumber", &optional(action.cardnumber().map(ToString::to_string)));
        dom::set_field(&element, "barcode", &wording::item_or_amount(action));
        let status = wording::status(&entry.status);
        dom::set_field(&element, "status", &status);
        let harmless = (Refusal::of(entry) == Some(Refusal::NotOnLoan)).then(|| text("notOnLoan"));
        let _ = element.toggle_attribute_with_force("data-harmless", harmless.is_some());
        if let Some(shown) = dom::field(&element, "status") {
            let told = entry.checkin.as_ref().map(wording::told).filter(|told| !told.is_empty());
            shown.set_title(&[status].into_iter().chain(harmless).chain(told).collect::<Vec<_>>().join(" "));
        }
        if let Some(mark) = dom::field(&element, "warned") {
            let gravest = wording::gravest(&entry.warnings);
            mark.set_hidden(gravest.is_none());
            mark.set_text_content(gravest.as_ref().map(|(_, words)| words.as_str()));
            mark.set_class_name("sign");
            let _ = mark.set_attribute("data-grade", gravest.map_or("", |(grade, _)| grade.name()));
            mark.set_title(&warnings::in_short(&entry.warnings));
        }
        Self::offer_actions(&element, entry);
        DrawnRow { entry: entry.clone(), label: None, element, divider: None }
    }

    fn offer_actions(element: &HtmlElement, entry: &Entry) {
        let offer = |button: &str, key: Option<&str>| {
            let button = element.query_selector(button).ok().flatten();
            if let Some(button) = button.and_then(|button| button.dyn_into::<HtmlElement>().ok()) {
                button.set_text_content(key.map(text).as_deref());
                button.set_hidden(key.is_none());
            }
        };
        let offers = Offers::from_entry(entry);
        let send_again = if entry.status.state() == State::InDoubt { "decideNotInKoha" } else { "attentionRetry" };
        offer("[data-decision=is-in-koha]", offers.is_in_koha.then_some("decideIsInKoha"));
        offer("[data-decision=send-again]", offers.send_again.then_some(send_again));
        offer("[data-settle]", offers.settle.then_some("settle"));
        let opens = offers.opens.map(|opens| match opens {
            Opens::Restoration => "editRestore",
            Opens::Correction => "editChange",
            Opens::History => "editHistory",
        });
        offer("[data-edit]", opens);
    }

    /// Reads the entries around those that are seen, as far as they are not known: what has changed was told.
    async fn read(&self) -> Result<(), StoreError> {
        let window = self.scrolling().drawn().rows;
        let places = window.start.saturating_sub(READ_AHEAD)..window.end + READ_AHEAD;
        let wanted = self.ids_at(places).into_iter().into_set();
        let ids: Vec<_> = wanted.iter().copied().filter(|id| !self.cache.borrow().contains_key(id)).collect();
        let (Some(oldest), Some(newest)) = (ids.first(), ids.last()) else { return Ok(()) };
        let in_a_row = ids.windows(2).all(|pair| pair[0].0.checked_add(1) == Some(pair[1].0));
        let entries =
            if in_a_row { self.desk.store.range(*oldest, *newest).await? } else { self.desk.store.get(&ids).await? };
        // Meanwhile somebody may have gone elsewhere, where no row is to be pushed away.
        self.look();
        self.change(|listing| listing.learn(&entries));
        let mut cache = self.cache.borrow_mut();
        if cache.len() > CACHE_LIMIT {
            cache.retain(|id, _| wanted.contains(id));
        }
        cache.extend(entries.into_iter().map(|entry| (entry.id, entry)));
        // Another window may have cleared some: what is not there must not be waited for.
        if ids.iter().any(|id| !cache.contains_key(id)) {
            self.change(|listing| listing.retain(|id| cache.contains_key(&id) || ids.binary_search(&id).is_err()));
        }
        Ok(())
    }
}
