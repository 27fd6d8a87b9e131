//! What is left to do by hand, beside the log: the rule is `koct_core::log::todo`. Read by the log's indexes when the window
//! opens, and followed entry by entry from then on.

mod act;
mod file;
mod list;
pub(crate) mod names;
mod paper;

use super::{slip::Print, tabs::Tabs, tall, whose::Whose};
use crate::{
    anew::Anew,
    badge,
    dom::{self, elements},
    i18n::{plural, text},
    locale,
    popup::{Desk, Panel, Topic, commit::QUEUE, log::edit::Edit, scan::open::OpenScans, window::press::Presses},
    store::StoreError,
    wording,
};
use futures_util::future::{LocalBoxFuture, ready};
use koct_core::{
    TransactionId,
    directory::aside,
    log::{
        Counts,
        event::LogEvent,
        todo::{self, Group, Opening, Told},
        warned::Grade,
    },
    outbox::summary::Summary,
};
use list::Lists;
use names::Names;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Event, HtmlAnchorElement, HtmlElement, KeyboardEvent};

elements! {
    pub(crate) struct TodoPanel(
        desk: Rc<Desk>, names: Names, edit: Rc<Edit>, printer: Rc<Print>, whose: Rc<Whose>, tabs: Rc<Tabs>,
        scans: Rc<OpenScans>,
    ) {
        panel: HtmlElement = "todo",
        count: HtmlElement = "tab-todo-count",
        empty: HtmlElement = "todo-empty",
        silent: HtmlElement = "todo-silent",
        print: HtmlElement = "print-todo",
        save: HtmlElement = "save-todo",
        menu_print: HtmlElement = "menu-print-todo",
        queue_link: HtmlAnchorElement = "doubts-link",
        show_aside: HtmlElement = "show-aside",
        ;
        left: RefCell<todo::Todo>,
        presses: Presses,
        /// The server of which the links of what was read last are.
        of_server: RefCell<Option<String>>,
        lists: Lists = Lists::new()?,
        /// Whether something has changed that is not shown yet.
        is_dirty: Cell<bool>,
        /// The log is read.
        reading: Anew,
        /// What is set aside is counted.
        counting: Rc<Anew>,
        naming: Cell<bool>,
        /// While somebody is asked about all that are in doubt.
        deciding: RefCell<Option<act::Deciding>>,
        following_question: Rc<Anew>,
        opening: Cell<Opening>,
    }
}

impl Panel for TodoPanel {
    fn follow(self: Rc<Self>, event: &LogEvent) {
        self.whose.follow(event);
        self.follow_question(event);
        let has_changed = self.left.borrow_mut().follow(event);
        if has_changed {
            self.is_dirty.set(true);
        }
        if matches!(event, LogEvent::Committed) {
            // What was read back stands in its record.
            self.clone().read_soon();
        } else if self.left.borrow().touches_aside(event) {
            self.count_aside();
        }
    }

    fn kept(&self) -> Vec<TransactionId> {
        self.whose.asked().into_iter().chain(self.asked()).collect()
    }

    fn show_counts(&self, _: Counts) {
        // Others have drawn what waits over it.
        self.show_numbers();
    }

    fn draw(self: Rc<Self>) {
        if self.is_dirty.get() {
            self.redraw();
        }
    }

    fn reread(self: Rc<Self>) -> LocalBoxFuture<'static, ()> {
        // Nobody waits for it.
        self.read_soon();
        Box::pin(ready(()))
    }

    /// Shows where Koha shows its queue.
    fn show_settings(self: Rc<Self>) {
        let settings = self.desk.settings();
        self.queue_link.set_hidden(settings.is_none());
        self.queue_link.set_href(&settings.map(|settings| settings.server.join(QUEUE)).unwrap_or_default());
        if self.of_server.borrow().as_ref().is_some_and(|server| *server != self.server()) {
            self.read_soon();
        }
    }

    /// What was known of names is the records' no more.
    fn records_changed(self: Rc<Self>, _are_there: bool) {
        self.names.forget();
        self.whose.records_changed();
        self.lists.clear();
        self.redraw();
    }
}

impl TodoPanel {
    /// # Errors
    /// When the page lacks an element.
    pub(crate) fn bind(self: &Rc<Self>) -> Result<(), JsValue> {
        self.whose.bind()?;
        let this = self.clone();
        self.tabs.bind(move || this.redraw());
        let this = self.clone();
        self.scans.on_change(move || this.redraw());
        dom::bind_event(&self.panel, "click", self, |this, event: Event| this.clicked(&event));
        dom::bind_event(&self.panel, "keydown", self, |this, event: KeyboardEvent| {
            if this.go_by_key(&event) {
                event.prevent_default();
            }
        });
        for print in [&self.print, &self.menu_print] {
            dom::bind(print, "click", self, |this| spawn_local(this.clone().print()));
        }
        dom::bind(&self.save, "click", self, |this| spawn_local(this.clone().save_file()));
        dom::bind(&self.show_aside, "click", self, |this| {
            this.tabs.show(true);
            this.lists.go_to(Group::SetAside);
        });
        self.redraw();
        Ok(())
    }

    /// A commit is over, and is about to be told of.
    pub(crate) fn end_commit(&self) {
        self.tabs.leave_the_choice();
    }

    /// It has ended so: if it left work, that is shown.
    pub(crate) fn open_after_commit(&self, summary: &Summary) {
        let mut opening = self.opening.get();
        opening.commit_ended(summary.went_through());
        self.opening.set(opening);
    }

    /// Shows what Koha has told just now.
    pub(crate) fn show_what_was_told(&self) {
        self.tabs.show(true);
        tall::give_room(true);
    }

    /// Reads anew what may be left to do.
    fn read_soon(self: Rc<Self>) {
        if self.reading.ask() {
            spawn_local(async move {
                while self.reading.goes_on() {
                    self.left.borrow_mut().begin_reading();
                    if let Err(error) = self.read().await {
                        self.left.borrow_mut().stop_reading();
                        self.desk.failed(Topic::Other, "readFailed", &error);
                    }
                    self.count_aside();
                    self.redraw();
                }
                let mut opening = self.opening.get();
                let opens = opening.opens(self.left.borrow().is_work_left(), self.tabs.is_chosen());
                self.opening.set(opening);
                if opens {
                    self.show_what_was_told();
                }
            });
        }
    }

    /// The address of the server, or nothing.
    fn server(&self) -> String {
        self.desk.settings().map(|settings| settings.server.as_str().to_owned()).unwrap_or_default()
    }

    async fn read(&self) -> Result<(), StoreError> {
        let server = self.server();
        let told = Told::by(&self.desk.store.batches().await?, &server);
        self.of_server.replace(Some(server));
        let entries = self.desk.store.left_to_do(told.ids()).await?;
        self.left.borrow_mut().load(entries, told);
        Ok(())
    }

    /// Finds out anew what is set aside.
    fn count_aside(self: &Rc<Self>) {
        let this = self.clone();
        self.counting.go(async move || {
            let told = this.left.borrow().told();
            match aside::find(&*this.desk.store, &told).await {
                Ok(ids) => this.left.borrow_mut().set_aside(ids),
                Err(error) => this.desk.failed(Topic::Other, "readFailed", &error),
            }
            this.redraw();
        });
    }

    /// Shows how much is left.
    fn show_numbers(&self) {
        let todo = self.left.borrow();
        let (number, grade) = todo.summary(self.scans.all().len());
        self.count.set_hidden(number == 0);
        self.count.set_text_content(Some(&locale::number(number)));
        let _ = self.count.set_attribute("data-grade", grade.map_or("", Grade::name));
        badge::show_left(self.desk.counts.get(), number, grade);
        let aside = todo.open(Group::SetAside);
        self.show_aside.set_hidden(aside == 0);
        if aside > 0 {
            self.show_aside.set_text_content(Some(&plural("asideButton", aside, &[])));
        }
    }

    fn redraw(self: &Rc<Self>) {
        self.show_numbers();
        // What is not seen stays to be drawn.
        self.is_dirty.set(!self.tabs.is_todo());
        if !self.tabs.is_todo() {
            return;
        }
        let is_empty = self.draw_lists();
        self.empty.set_hidden(!is_empty);
        self.empty.set_text_content(Some(&text("todoEmpty")));
        for control in [&self.print, &self.save] {
            control.set_hidden(is_empty);
        }
        let silent = wording::silent(self.left.borrow().told().silent());
        self.silent.set_hidden(silent.is_empty() || is_empty);
        self.silent.set_text_content(Some(&silent));
        self.name_rows();
    }

    /// Looks up what the rows are called that are drawn.
    fn name_rows(self: &Rc<Self>) {
        if self.naming.replace(true) {
            return;
        }
        let this = self.clone();
        spawn_local(async move {
            loop {
                let rows = this.lists.drawn(|row| this.names.of(row).is_none() && this.names.records.get().is_some());
                if rows.is_empty() {
                    break;
                }
                for row in &rows {
                    this.names.look_up(row).await;
                }
                if this.tabs.is_todo() {
                    this.draw_lists();
                }
            }
            this.naming.set(false);
        });
    }

    /// The keys of a list: rows by the arrows, Escape to the scan field. Returns whether it was one.
    fn go_by_key(&self, event: &KeyboardEvent) -> bool {
        if event.ctrl_key() || event.alt_key() || event.meta_key() || event.is_composing() {
            return false;
        }
        let Some(target) = dom::target(event) else { return false };
        match event.key().as_str() {
            "ArrowDown" => self.lists.step(&target, 1),
            "ArrowUp" => self.lists.step(&target, -1),
            "Escape" => self.desk.focus.to_scan_field().is_some(),
            _ => false,
        }
    }
}
