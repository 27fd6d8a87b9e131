//! Shows, before a commit or when asked for, in which order the transactions of all desks go to Koha, what stands out, and
//! lets a person set a desk's clock right.

use crate::{
    clock,
    dom::{self, elements},
    i18n::{isolated, js_error, plural, text, text_with},
    locale, lock,
    popup::{Desk, Tone, Topic, log::edit::Edit, on_enter},
    store::StoreError,
    wording::{self, Explained as _},
};
use koct_core::{
    DeskName, Entry, TransactionId,
    desks::{
        conflict::{Conflict, DeskReport, Kind},
        shift::{Move, Shift, Shifts, Span},
    },
    log::order::Ordered,
};
pub(crate) use looking::Looked;
use looking::{LookedAt, Looking};
use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    rc::Rc,
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Element, Event, HtmlDialogElement, HtmlElement, HtmlInputElement};

mod looking;

/// The number of conflicts of a kind, and of transactions of the order, that are listed.
const CONFLICTS_LISTED: usize = 50;
const ORDER_LISTED: usize = 300;

elements! {
    pub(crate) struct Review(desk: Rc<Desk>, edit: Rc<Edit>) {
        dialog: HtmlDialogElement = "review-dialog",
        text: Element = "review-text",
        desks_box: HtmlElement = "review-desks-box",
        desks: Element = "review-desks",
        conflicts: Element = "review-conflicts",
        order: Element = "review-order",
        store: HtmlElement = "review-store",
        cancel: Element = "review-cancel",
        go: HtmlElement = "review-go",
        progress: HtmlElement = "review-progress",
        ;
        looking: Looking,
        rows: RefCell<BTreeMap<Option<DeskName>, HtmlElement>>,
    }
}

impl Review {
    /// Shows that it is being looked through. Nothing can be decided meanwhile.
    fn show_working(&self, working: bool) {
        self.progress.set_hidden(!working);
        if working {
            self.text.set_text_content(Some(&text("reviewWorking")));
        }
        for button in [&self.store, &self.go] {
            let _ = button.toggle_attribute_with_force("disabled", working);
        }
    }
}

impl Review {
    /// # Errors
    /// When the page lacks an element.
    pub(crate) fn bind(self: &Rc<Self>) -> Result<(), JsValue> {
        dom::on_click("show-review", self, |this| spawn_local(this.clone().check_order()))?;
        dom::bind(&self.dialog, "close", self, |this| this.looking.stop());
        dom::bind(&self.store, "click", self, |this| {
            let this = this.clone();
            spawn_local(async move {
                if this.store_shifts().await {
                    this.look_again().await;
                }
            });
        });
        // Something may have been corrected from within.
        dom::bind(&self.edit.dialog, "close", self, |this| {
            if this.dialog.open() {
                let this = this.clone();
                spawn_local(async move { this.look_again().await });
            }
        });
        Ok(())
    }

    /// Looks through what a commit would send. Where something stands out, [`Review::ask_before_commit`] shows it.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(crate) async fn before_commit(&self, uncommitted: Ordered) -> Result<Looked, StoreError> {
        let looking = &self.looking;
        looking.before_commit.set(true);
        looking.shifts.take();
        let looked = self.look_through(uncommitted).await;
        looking.before_commit.set(false);
        Ok(if looked? { looking.looked() } else { Looked::Stopped })
    }

    /// Shows what stands out before a commit. Returns whether to go on.
    pub(crate) async fn ask_before_commit(self: &Rc<Self>) -> bool {
        let closed = self.open(true);
        self.draw();
        if let Some(closed) = closed {
            let _ = JsFuture::from(closed).await;
        }
        self.dialog.return_value() == "go" && self.store_shifts().await
    }

    /// Shows the order without committing.
    async fn check_order(self: Rc<Self>) {
        if self.looking.before_commit.get() {
            // What stands out is about to be shown.
            return;
        }
        self.looking.shifts.take();
        let is_long = self.is_long();
        if is_long {
            self.open(false);
            self.show_working(true);
        }
        match self.look_at_order().await {
            Ok(true) => {
                if !is_long {
                    self.open(false);
                }
                self.draw();
            }
            Ok(false) => {}
            Err(error) => {
                self.dialog.close();
                self.desk.failed(Topic::Other, "readFailed", &error);
            }
        }
    }

    /// Reads anew while the dialog is open, and keeps the shifts that were tried.
    async fn look_again(self: &Rc<Self>) {
        self.show_working(self.is_long());
        match self.look_at_order().await {
            Ok(true) => self.draw(),
            Ok(false) => {}
            Err(error) => {
                self.show_working(false);
                self.text.set_text_content(Some(&text_with("readFailed", &[&error.explained()])));
            }
        }
    }

    /// Opens the dialog, with nothing in it yet. Gives the promise of its end.
    fn open(&self, before_commit: bool) -> Option<js_sys::Promise> {
        self.rows.borrow_mut().clear();
        for list in [&self.desks, &self.conflicts, &self.order] {
            list.set_text_content(None);
        }
        self.desks_box.set_hidden(true);
        self.store.set_hidden(true);
        self.cancel.set_text_content(Some(&text(if before_commit { "cancel" } else { "close" })));
        self.go.set_hidden(!before_commit);
        self.dialog.set_return_value("cancel");
        let closed = dom::closing(&self.dialog);
        self.dialog.show_modal().ok()?;
        // Enter of a scanner must not decide anything.
        let _ = self.cancel.unchecked_ref::<HtmlElement>().focus();
        Some(closed)
    }

    fn draw(self: &Rc<Self>) {
        if let Err(error) = self.try_draw() {
            self.desk.message.show(Tone::Bad, &js_error(&error));
        }
    }

    fn try_draw(self: &Rc<Self>) -> Result<(), JsValue> {
        let looked_at = self.looking.looked_at.borrow();
        let Some(looked_at) = &*looked_at else { return Ok(()) };
        let shifts = self.looking.shifts.borrow();
        self.show_working(false);
        let conflicts = &looked_at.review.conflicts;
        let [to_send, found] = [looked_at.to_send(), conflicts.len()].map(locale::number);
        self.text.set_text_content(Some(&match (looked_at.to_send(), conflicts.len()) {
            (0, 0) => text("reviewNothing"),
            (_, 0) => text_with("reviewNone", &[&to_send]),
            _ => text_with("reviewSome", &[&to_send, &found]),
        }));
        let commit = wording::commit_type(self.desk.preferences.borrow().form.commit_type);
        self.go.set_text_content(Some(&if conflicts.is_empty() { commit } else { text("reviewGo") }));
        self.store.set_hidden(shifts.is_none());
        self.desks_box.set_hidden(looked_at.entries.is_empty());
        for report in &looked_at.review.desks {
            self.draw_desk(report, shifts.of(report.desk.as_ref()), looked_at)?;
        }
        *self.looking.shown.borrow_mut() = (looked_at.shifts.clone(), looked_at.plan.clone());
        self.draw_conflicts(looked_at)?;
        self.draw_order(looked_at)
    }

    fn desk_name(&self, desk: Option<&DeskName>) -> String {
        desk.map_or_else(
            || text_with("reviewThisDesk", &[self.desk.preferences.borrow().desk_name().as_str()]),
            ToString::to_string,
        )
    }

    /// Draws what is known of a desk. Its row stays, since the person may be typing in it.
    fn draw_desk(
        self: &Rc<Self>,
        report: &DeskReport,
        tried: Option<(Span, Shift)>,
        looked_at: &LookedAt,
    ) -> Result<(), JsValue> {
        let known = self.rows.borrow().get(&report.desk).cloned();
        let row = if let Some(row) = known { row } else { self.new_desk_row(report)? };
        let times = [report.first, report.last].map(wording::moment);
        dom::set_field(&row, "about", &plural("reviewDeskAbout", report.number, &[&times[0], &times[1]]));
        if let Some(button) = dom::field(&row, "suggestion") {
            let suggested = report.suggested(tried);
            button.set_hidden(suggested.is_none());
            if let Some(((_, by), clock)) = suggested.zip(report.clock) {
                let by = by.to_string();
                let words = if clock.of > 0 {
                    text_with("reviewSuggestion", &[&by, &locale::number(clock.settles), &locale::number(clock.of)])
                } else {
                    plural("reviewSuggestionSpan", clock.number, &[&by])
                };
                button.set_text_content(Some(&words));
            }
        }
        let plan = looked_at.plan.of(report.desk.as_ref());
        let moves = plan.map(|plan| &plan.moves[..]).unwrap_or_default();
        // The first and the last.
        let line = |moving: &Move| format!("{} → {}", looked_at.words(moving), wording::moment(moving.to));
        let lines: Vec<String> =
            moves.first().into_iter().chain(moves[moves.len().min(1)..].last()).map(line).collect();
        let moves = (!moves.is_empty()).then(|| plural("reviewMoves", moves.len(), &[&lines.join(" … ")]));
        let refused = plan.map(|plan| &plan.refused[..]).unwrap_or_default();
        let first_refused = refused.first().and_then(|id| looked_at.find(*id)).map(wording::entry);
        let refused = first_refused.map(|words| plural("reviewRefused", refused.len(), &[&words]));
        for (name, words) in [("moves", moves), ("refused", refused)] {
            if let Some(field) = dom::field(&row, name) {
                field.set_hidden(words.is_none());
                field.set_text_content(words.as_deref());
            }
        }
        Ok(())
    }

    fn new_desk_row(self: &Rc<Self>, report: &DeskReport) -> Result<HtmlElement, JsValue> {
        let row = dom::from_template("review-desk-template")?;
        let name = self.desk_name(report.desk.as_ref());
        row.set_attribute("data-desk", report.desk.as_ref().map_or("", DeskName::as_str))?;
        dom::set_field(&row, "desk", &name);
        dom::set_field(&row, "shift-label", &text("reviewShiftLabel"));
        let lacks = || JsValue::from_str("the page lacks a field of a desk's row");
        let input: HtmlInputElement = dom::field(&row, "shift").ok_or_else(lacks)?.unchecked_into();
        let button = dom::field(&row, "suggestion").ok_or_else(lacks)?;
        let shifted = {
            let (this, row, input, of) = (self.clone(), row.clone(), input.clone(), report.desk.clone());
            move || this.shift_typed(&row, &input.value(), of.as_ref())
        };
        let apply = shifted.clone();
        on_enter(&input, apply);
        dom::on::<Event>(&input, "change", move |_| shifted());
        let (this, shown, of) = (self.clone(), row.clone(), report.desk.clone());
        dom::on::<Event>(&button, "click", move |_| {
            if let Some((span, shift)) = this.suggested(of.as_ref()) {
                input.set_value(&shift.to_string());
                this.shift_chosen(&shown, of.as_ref(), span, shift);
                let _ = input.focus();
            }
        });
        self.desks.append_with_node_1(&row)?;
        self.rows.borrow_mut().insert(report.desk.clone(), row.clone());
        Ok(row)
    }

    /// What is offered for a desk now.
    fn suggested(&self, desk: Option<&DeskName>) -> Option<(Span, Shift)> {
        let looked_at = self.looking.looked_at.borrow();
        let report = looked_at.as_ref()?.review.desks.iter().find(|report| report.desk.as_ref() == desk)?;
        report.suggested(self.looking.shifts.borrow().of(desk))
    }

    /// A shift was typed: for the scans that are tried already, else for all of the desk.
    fn shift_typed(self: &Rc<Self>, row: &HtmlElement, typed: &str, desk: Option<&DeskName>) {
        let tried = self.looking.shifts.borrow().of(desk);
        match Shift::parse(typed) {
            Ok(shift) => self.shift_chosen(row, desk, tried.map_or(Span::ALL, |(span, _)| span), shift),
            Err(_) => dom::set_field(row, "error", &text("reviewShiftWrong")),
        }
    }

    /// Tries a shift: what follows from it is shown, and nothing is stored.
    fn shift_chosen(self: &Rc<Self>, row: &HtmlElement, desk: Option<&DeskName>, span: Span, shift: Shift) {
        dom::set_field(row, "error", "");
        if self.looking.shifts.borrow_mut().set(desk.cloned(), span, shift) {
            spawn_local(self.clone().try_shift());
        }
    }

    async fn try_shift(self: Rc<Self>) {
        if self.is_long() {
            self.show_working(true);
        }
        if self.look_at_shifts().await {
            self.draw();
        }
    }

    fn draw_conflicts(self: &Rc<Self>, looked_at: &LookedAt) -> Result<(), JsValue> {
        let list = &self.conflicts;
        list.set_text_content(None);
        list.set_class_name("");
        let ids = looked_at.review.conflicts.iter().flat_map(|conflict| [Some(conflict.first), conflict.second]);
        let wanted: std::collections::HashSet<TransactionId> = ids.flatten().collect();
        let all = looked_at.entries.iter().chain(&looked_at.committed);
        let named: HashMap<TransactionId, &Entry> =
            all.filter(|entry| wanted.contains(&entry.id)).map(|entry| (entry.id, entry)).collect();
        let mut kinds: BTreeMap<Kind, Vec<&Conflict>> = BTreeMap::new();
        for conflict in &looked_at.review.conflicts {
            kinds.entry(conflict.kind).or_default().push(conflict);
        }
        for (kind, conflicts) in kinds {
            let section = dom::from_template("review-kind-template")?;
            section.set_attribute("data-kind", &format!("{kind:?}"))?;
            let [name, effect] = wording::conflict(kind);
            dom::set_field(&section, "kind", &text_with("reviewKind", &[&name, &locale::number(conflicts.len())]));
            dom::set_field(&section, "effect", &effect);
            let Some(rows) = dom::field(&section, "conflicts") else { continue };
            for conflict in conflicts.iter().take(CONFLICTS_LISTED) {
                let row = self.conflict_row(conflict, &named)?;
                rows.append_with_node_1(&row)?;
            }
            append_more(&rows, conflicts.len(), CONFLICTS_LISTED)?;
            list.append_with_node_1(&section)?;
        }
        Ok(())
    }

    fn conflict_row(
        self: &Rc<Self>,
        conflict: &Conflict,
        named: &HashMap<TransactionId, &Entry>,
    ) -> Result<Element, JsValue> {
        let row = dom::document()?.create_element("li")?;
        let is_many = conflict.is_about_many();
        for entry in conflict.shown().filter_map(|id| named.get(&id)) {
            let line = dom::from_template("review-entry-template")?;
            let words = self.entry_words(entry);
            let words = if is_many { plural("reviewMany", conflict.number, &[&words]) } else { words };
            dom::set_field(&line, "entry", &words);
            if let Some(button) = dom::field(&line, "edit") {
                button.set_hidden(is_many || !entry.status.state().is_correctable());
                button.set_text_content(Some(&text("editChange")));
                let id = entry.id;
                dom::bind(&button, "click", &self.edit, move |edit| spawn_local(edit.clone().edit(id)));
            }
            row.append_with_node_1(&line)?;
        }
        Ok(row)
    }

    fn entry_words(&self, entry: &Entry) -> String {
        format!("{} · {}", wording::entry(entry), isolated(&self.desk_name(entry.desk.as_ref())))
    }

    fn draw_order(&self, looked_at: &LookedAt) -> Result<(), JsValue> {
        let list = &self.order;
        dom::fill_list(list, looked_at.entries.iter().take(ORDER_LISTED), |entry| dom::line(&self.entry_words(entry)));
        append_more(list, looked_at.entries.len(), ORDER_LISTED)
    }

    /// Stores the shifts that were tried. Returns whether that went well.
    async fn store_shifts(self: &Rc<Self>) -> bool {
        let shifts = self.looking.shifts.borrow().clone();
        if shifts.is_none() {
            return true;
        }
        match self.try_store_shifts(&shifts).await {
            Ok(moved) => {
                self.looking.shifts.take();
                self.looking.shown.take();
                for row in self.rows.borrow().values() {
                    if let Some(input) = dom::field(row, "shift") {
                        input.unchecked_ref::<HtmlInputElement>().set_value("");
                    }
                }
                self.desk.message.about(Topic::Change).show(Tone::Good, &plural("reviewStored", moved, &[]));
                true
            }
            Err(error) => {
                let words = text_with("reviewStoreFailed", &[&error]);
                self.text.set_text_content(Some(&words));
                self.desk.message.about(Topic::Change).show(Tone::Bad, &words);
                false
            }
        }
    }

    async fn try_store_shifts(self: &Rc<Self>, shifts: &Shifts) -> Result<usize, String> {
        let Some(_lock) = lock::lock().await else { return Err(text("commitBusy")) };
        let now = clock::now().ok_or_else(|| text("attentionClock"))?;
        let (shown, plan) = self.looking.shown.borrow().clone();
        if shown != *shifts {
            // What was tried last is not worked out yet: nobody has seen what it would do.
            return Err(text("reviewWorking"));
        }
        let changing = self.desk.store.change(&plan.ids(), |entry| plan.moved(entry, now)).await;
        let changes = changing.map_err(|error| error.explained())?;
        let moved = changes.len();
        self.desk.apply(changes);
        self.desk.draw_now();
        Ok(moved)
    }
}

/// Says how many are not listed.
fn append_more(list: &Element, all: usize, listed: usize) -> Result<(), JsValue> {
    if all > listed {
        list.append_with_node_1(&*dom::line(&plural("reviewMore", all - listed, &[]))?)?;
    }
    Ok(())
}
