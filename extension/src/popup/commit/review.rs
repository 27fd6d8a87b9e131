//! Shows, before a commit or when asked for, in which order the transactions of all desks go to Koha, what stands out, and
//! lets a person set a desk's clock right.

use crate::{
    anew::Anew,
    clock,
    dom::{self, elements},
    i18n::{js_error, plural, text, text_with},
    later::seldom,
    locale,
    popup::{Desk, Panel, Tone, Topic, known::labels::Labels, log::edit::Edit, window::press::let_go},
    ready,
    store::StoreError,
    wording::{self, Explained as _},
};
use koct_core::{
    DeskName, Entry, TransactionId,
    desks::{conflict::Conflict, shift::Shifts},
    log::{event::LogEvent, order::Ordered},
    ordered::LiteMap,
};
use lines::Lines;
pub(crate) use looking::Looked;
use looking::{LookedAt, Looking};
use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, HashSet},
    rc::Rc,
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Element, HtmlDialogElement, HtmlElement, HtmlInputElement};

mod clocks;
mod lines;
mod looking;

/// The number of conflicts of a kind, and of transactions of the order, that are listed.
const CONFLICTS_LISTED: usize = 50;
const ORDER_LISTED: usize = 300;
/// The number that is moved in one write: a scan waits for no more.
const AT_ONCE: usize = 500;

elements! {
    pub(crate) struct ReviewPanel(desk: Rc<Desk>, edit: Rc<Edit>, labels: Rc<Labels>) {
        dialog: HtmlDialogElement = "review-dialog",
        text: Element = "review-text",
        body: HtmlElement = "review-body",
        suggestions: Element = "review-suggestions",
        conflicts: HtmlElement = "review-conflicts",
        desks_box: HtmlElement = "review-desks-box",
        desks: Element = "review-desks",
        order_box: Element = "review-order-box",
        order: Element = "review-order",
        unseen: HtmlElement = "review-unseen",
        store: HtmlElement = "review-store",
        cancel: HtmlElement = "review-cancel",
        go: HtmlElement = "review-go",
        progress: HtmlElement = "review-progress",
        ;
        looking: Looking,
        rows: RefCell<LiteMap<Option<DeskName>, HtmlElement>>,
        lines: Rc<Lines>,
        working: Cell<bool>,
        /// Whether the log has changed since it was read.
        is_stale: Cell<bool>,
        following: Anew,
        /// While shifts are stored: what is half moved is not looked at.
        storing: Cell<bool>,
        /// What stood in a list that was scrolled to its end: nothing of it is sent unseen.
        seen: RefCell<HashSet<Conflict>>,
    }
}

impl Panel for ReviewPanel {
    fn follow(self: Rc<Self>, event: &LogEvent) {
        if !matches!(event, LogEvent::Committed) {
            self.is_stale.set(true);
            self.catch_up();
        }
    }

    /// Without the records no name and no title stays.
    fn records_changed(self: Rc<Self>, _are_there: bool) {
        if self.dialog.open() {
            spawn_local(show(self));
        }
    }
}

seldom! {
    async fn show(review: Rc<ReviewPanel>) {
        review.show();
    }

    async fn check_order(review: Rc<ReviewPanel>) {
        review.check_order().await;
    }

    async fn look_whether_seen(review: Rc<ReviewPanel>) {
        review.look_whether_seen();
    }

    async fn draw_order(review: Rc<ReviewPanel>) {
        review.draw_order();
    }

    async fn store(review: Rc<ReviewPanel>) {
        // Whoever has closed it meanwhile may be opening it anew, and is not to be stopped.
        if review.store_shifts().await {
            review.is_stale.set(true);
            review.catch_up();
        }
    }

    async fn follow(review: Rc<ReviewPanel>) {
        while review.following.goes_on() {
            let_go(&review.dialog).await;
            if review.dialog.open() {
                review.is_stale.set(false);
                review.look_again().await;
            }
        }
    }
}

impl ReviewPanel {
    /// Shows that it is being looked through. Nothing can be decided meanwhile.
    fn show_working(&self, working: bool) {
        self.working.set(working);
        self.progress.set_hidden(!working);
        if working {
            self.text.set_text_content(Some(&text("reviewWorking")));
        }
        let _ = self.store.toggle_attribute_with_force("disabled", working);
        self.look_whether_seen();
    }

    /// Nothing that stands out is sent before the list was scrolled to its end.
    fn look_whether_seen(&self) {
        let looked_at = self.looking.looked_at.borrow();
        let conflicts = looked_at.as_ref().map(|looked_at| &looked_at.review.conflicts[..]);
        let mut seen = self.seen.borrow_mut();
        let end = |element: &HtmlElement| element.get_bounding_client_rect().bottom();
        // Layout is in fractions of a pixel.
        if !self.working.get() && end(&self.conflicts) <= end(&self.body) + 1.0 {
            seen.extend(conflicts.unwrap_or_default().iter().cloned());
        }
        // While it is read anew, it is as it was.
        let is_seen = conflicts.map_or(!self.go.has_attribute("disabled"), |conflicts| {
            conflicts.iter().all(|conflict| seen.contains(conflict))
        });
        self.unseen.set_hidden(self.go.hidden() || self.working.get() || is_seen);
        let _ = self.go.toggle_attribute_with_force("disabled", self.working.get() || !is_seen);
    }
}

impl ReviewPanel {
    /// # Errors
    /// When the page lacks an element.
    pub(crate) fn bind(self: &Rc<Self>) -> Result<(), JsValue> {
        dom::on_click("show-review", self, |this| spawn_local(check_order(this.clone())))?;
        dom::bind(&self.dialog, "close", self, |this| {
            this.looking.stop();
            this.lines.stop();
        });
        dom::bind(&self.body, "scroll", self, |this| spawn_local(look_whether_seen(this.clone())));
        // What is larger shows more, and cannot be scrolled.
        dom::bind(dom::window()?.as_ref(), "resize", self, |this| {
            if this.dialog.open() {
                spawn_local(look_whether_seen(this.clone()));
            }
        });
        dom::bind(&self.order_box, "toggle", self, |this| spawn_local(draw_order(this.clone())));
        dom::bind(&self.store, "click", self, |this| spawn_local(store(this.clone())));
        Ok(())
    }

    /// Looks through what a commit would send. Where something stands out, [`ReviewPanel::ask_before_commit`] shows it.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(crate) async fn before_commit(&self, uncommitted: Ordered) -> Result<Looked, StoreError> {
        let looking = &self.looking;
        self.is_stale.set(false);
        looking.before_commit.set(true);
        looking.shifts.take();
        let looked = self.look_through(uncommitted).await;
        looking.before_commit.set(false);
        Ok(if looked? { looking.looked() } else { Looked::Stopped })
    }

    /// Shows what stands out before a commit. Returns whether to go on.
    pub(crate) async fn ask_before_commit(self: &Rc<Self>) -> bool {
        let closed = self.open(true);
        self.show();
        self.catch_up();
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
        self.is_stale.set(false);
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
                self.show();
                self.catch_up();
            }
            Ok(false) => {}
            Err(error) => {
                self.dialog.close();
                self.desk.failed(Topic::Other, "readFailed", &error);
            }
        }
    }

    /// Looks through the log anew where it is shown and has changed.
    fn catch_up(self: &Rc<Self>) {
        let is_shown = self.dialog.open() && !self.storing.get();
        if is_shown && self.is_stale.get() && self.following.ask() {
            spawn_local(follow(self.clone()));
        }
    }

    /// Reads anew while the dialog is open, and keeps the shifts that were tried.
    async fn look_again(self: &Rc<Self>) {
        self.show_working(self.is_long());
        match self.look_at_order().await {
            Ok(true) => {
                let_go(&self.dialog).await;
                self.show();
                dom::keep_focus(&self.dialog, &self.body);
            }
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
        for list in [&self.suggestions, self.conflicts.as_ref(), &self.desks, &self.order] {
            list.set_text_content(None);
        }
        self.seen.borrow_mut().clear();
        let _ = self.order_box.remove_attribute("open");
        self.desks_box.set_hidden(true);
        self.store.set_hidden(true);
        self.cancel.set_text_content(Some(&text(if before_commit { "cancel" } else { "close" })));
        self.go.set_hidden(!before_commit);
        self.dialog.set_return_value("cancel");
        let closed = dom::closing(&self.dialog);
        self.dialog.show_modal().ok()?;
        self.body.set_scroll_top(0);
        // Enter of a scanner must not decide anything.
        let _ = self.cancel.focus();
        Some(closed)
    }

    fn show(self: &Rc<Self>) {
        if let Err(error) = self.draw_all() {
            self.desk.message.show(Tone::Bad, &js_error(&error));
        }
    }

    fn draw_all(self: &Rc<Self>) -> Result<(), JsValue> {
        let looked_at = self.looking.looked_at.borrow();
        let Some(looked_at) = &*looked_at else { return Ok(()) };
        let shifts = self.looking.shifts.borrow();
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
        self.lines.stop();
        self.draw_suggestions(looked_at, &shifts);
        self.draw_conflicts(looked_at)?;
        for report in &looked_at.review.desks {
            self.draw_desk(report, shifts.of(report.desk.as_ref()), looked_at)?;
        }
        *self.looking.shown.borrow_mut() = (looked_at.shifts.clone(), looked_at.plan.clone());
        drop(shifts);
        self.draw_order();
        self.name_lines();
        // Whether the list is seen is looked at where it stands.
        self.show_working(false);
        Ok(())
    }

    fn desk_name(&self, desk: Option<&DeskName>) -> String {
        desk.map_or_else(
            || text_with("reviewThisDesk", &[self.desk.preferences.borrow().desk_name().as_str()]),
            ToString::to_string,
        )
    }

    fn draw_conflicts(self: &Rc<Self>, looked_at: &LookedAt) -> Result<(), JsValue> {
        let list = &self.conflicts;
        list.set_text_content(None);
        let ids = looked_at.review.conflicts.iter().flat_map(|conflict| [Some(conflict.first), conflict.second]);
        let wanted: HashSet<TransactionId> = ids.flatten().collect();
        let all = looked_at.entries.iter().chain(&looked_at.committed);
        let named: HashMap<TransactionId, &Entry> =
            all.filter(|entry| wanted.contains(&entry.id)).map(|entry| (entry.id, entry)).collect();
        // Those of one kind stand together.
        for conflicts in looked_at.review.conflicts.chunk_by(|one, next| one.kind == next.kind) {
            let kind = conflicts[0].kind;
            let section = dom::from_template("review-kind-template")?;
            section.set_attribute("data-kind", kind.name())?;
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
        let entries: Vec<&Entry> = conflict.shown().filter_map(|id| named.get(&id).copied()).collect();
        let in_one_minute = entries.windows(2).any(|pair| {
            let [one, other] = [pair[0], pair[1]].map(|entry| wording::row_time(entry.transaction.moment));
            one == other
        });
        for entry in entries {
            let moment = entry.transaction.moment;
            let when = if in_one_minute { wording::exact_time(moment) } else { wording::row_time(moment) };
            let is_many = conflict.is_about_many();
            let when = if is_many { plural("reviewMany", conflict.number, &[&when]) } else { when };
            let line = self.line(entry, &when)?;
            if let Some(button) = dom::field(&line, "edit") {
                button.set_hidden(is_many || !entry.status.state().is_correctable());
                let (words, id) = (text("editChange"), entry.id);
                button.set_attribute("aria-label", &words)?;
                button.set_title(&words);
                dom::bind(&button, "click", &self.edit, move |edit| spawn_local(edit.clone().edit(id)));
            }
            row.append_with_node_1(&line)?;
        }
        Ok(row)
    }

    /// The order in which they go to Koha, as soon as somebody wants to see it.
    fn draw_order(&self) {
        let looked_at = self.looking.looked_at.borrow();
        let Some(looked_at) = looked_at.as_ref().filter(|_| self.order_box.has_attribute("open")) else { return };
        let list = &self.order;
        dom::fill_list(list, looked_at.entries.iter().take(ORDER_LISTED), |entry| {
            let row = dom::document()?.create_element("li")?;
            row.append_with_node_1(&*self.line(entry, &wording::row_time(entry.transaction.moment))?)?;
            Ok(row.unchecked_into())
        });
        let _ = append_more(list, looked_at.entries.len(), ORDER_LISTED);
        self.name_lines();
    }

    /// Stores the shifts that were tried. Returns whether that went well.
    async fn store_shifts(self: &Rc<Self>) -> bool {
        let shifts = self.looking.shifts.borrow().clone();
        if shifts.is_none() {
            return true;
        }
        self.storing.set(true);
        let stored = self.try_store_shifts(&shifts).await;
        self.storing.set(false);
        self.catch_up();
        match stored {
            Ok(moved) => {
                self.forget_shifts();
                if shifts.of(None).is_some() {
                    ready::clock_settled().await;
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

    fn forget_shifts(&self) {
        self.looking.shifts.take();
        self.looking.shown.take();
        for row in self.rows.borrow().values() {
            if let Some(input) = dom::field(row, "shift") {
                input.unchecked_ref::<HtmlInputElement>().set_value("");
            }
        }
    }

    async fn try_store_shifts(self: &Rc<Self>, shifts: &Shifts) -> Result<usize, String> {
        let _permit = self.desk.may_change_log().await?;
        let now = clock::now().ok_or_else(|| text("attentionClock"))?;
        let (shown, plan) = self.looking.shown.borrow().clone();
        if shown != *shifts {
            // What was tried last is not worked out yet: nobody has seen what it would do.
            return Err(text("reviewWorking"));
        }
        let mut moved = 0;
        for ids in plan.portions(AT_ONCE) {
            match self.desk.store.change(&ids, |entry| plan.moved(entry, now)).await {
                Ok(changes) => {
                    moved += changes.len();
                    self.desk.apply(changes);
                }
                Err(error) => {
                    if moved > 0 {
                        // What is moved must not be moved once more: it is looked at anew.
                        self.forget_shifts();
                    }
                    return Err(error.explained());
                }
            }
        }
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
