//! What is done about the rows: by their buttons and ticks, and for a whole group at once.

use super::{TodoPanel, list::Lists};
use crate::{
    clock,
    dom::{self, window},
    i18n::{plural, text, text_with},
    locale,
    popup::{
        Tone, Topic,
        change::NotChanged,
        log::whose::Sought,
        scan::open::Answer,
        window::question::{self, Question, Reply},
    },
    store::StoreError,
    wording,
};
use koct_core::{
    Entry, Moment, TransactionId,
    directory::record::Set,
    log::{
        event::LogEvent,
        seen,
        status::Decision,
        task::Task,
        todo::{Group, Knows, Offer, Row},
    },
};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Event, HtmlElement, HtmlInputElement};

/// What somebody is asked about at once.
pub(super) struct Deciding {
    decision: Decision,
    /// As far as they still are as they were when it was asked.
    entries: Vec<Entry>,
    /// Whether the question stands there: it may wait for another.
    is_shown: bool,
}

impl Deciding {
    fn title(&self) -> String {
        let key = match self.decision {
            Decision::IsInKoha => "doubtsInKohaTitle",
            Decision::SendAgain => "doubtsAgainTitle",
        };
        plural(key, self.entries.len(), &[])
    }
}

impl TodoPanel {
    /// Who and what is known by name.
    pub(super) fn knows(&self) -> Knows {
        let records = self.names.records.get();
        let has = |set| records.as_ref().is_some_and(|records| records.has(set));
        Knows { patrons: has(Set::Patrons), items: has(Set::Items) }
    }

    /// Something in the list was clicked.
    pub(super) fn clicked(self: &Rc<Self>, event: &Event) {
        let Some(target) = dom::target(event) else { return };
        let group = target.closest("[data-group]").ok().flatten().and_then(|at| at.get_attribute("data-group"));
        let Some(group) = group.and_then(|name| Group::from_name(&name)) else { return };
        if let Some(all) = target.get_attribute("data-all") {
            return self.all(group, &all);
        }
        if target.get_attribute("data-field").as_deref() == Some("more") {
            self.lists.want_more(group);
            return self.redraw();
        }
        let Some((group, number)) = Lists::place_of(&target) else { return };
        if let Some(tick) = target.dyn_ref::<HtmlInputElement>() {
            if let (Some(row), Some(task)) = (self.lists.row(group, number), group.task()) {
                spawn_local(self.clone().tick_row(row, task, tick.clone()));
            }
            return;
        }
        if target.has_attribute("data-checkin") {
            // It is pasted there: Koha takes no barcode by an address.
            if let Some(row) = self.lists.row(group, number) {
                spawn_local(self.clone().copy_barcode(row.entry));
            }
            return;
        }
        let Some(offer) = target.get_attribute("data-offer") else { return };
        if self.presses.is_second(event) {
            return;
        }
        if group == Group::NotRecorded {
            if let Some(answer) = Answer::from_name(&offer) {
                self.scans.answer(number, answer);
            }
        } else if let (Some(row), Some(offer)) = (self.lists.row(group, number), Offer::from_name(&offer)) {
            self.offered(offer, row.entry);
        }
    }

    fn offered(self: &Rc<Self>, offer: Offer, entry: Entry) {
        let this = self.clone();
        match offer {
            Offer::IsInKoha => spawn_local(this.decide(vec![entry], Decision::IsInKoha)),
            Offer::NotInKoha | Offer::TryAgain => spawn_local(this.decide(vec![entry], Decision::SendAgain)),
            Offer::Change => spawn_local(this.edit.clone().edit(entry.id)),
            Offer::Settle => spawn_local(async move { this.desk.settle(&[entry]).await }),
            Offer::Drop => spawn_local(async move {
                let words = |entries: &[Entry]| {
                    text_with("editDeleted", &[&entries.first().map(wording::entry).unwrap_or_default()])
                };
                this.desk.decide(&[entry], &Entry::deleted, words).await;
            }),
            Offer::FindPatron | Offer::FindItem => {
                let of_code = self.left.borrow().of_same_code(&entry);
                let sought = if offer == Offer::FindItem { Sought::Item } else { Sought::Patron };
                self.whose.ask(sought, of_code);
            }
            Offer::CopyBarcode => spawn_local(this.copy_barcode(entry)),
            // The one button that opens it.
            Offer::OpenQueue => {
                if let Ok(button) = dom::by_id::<HtmlElement>("open-queue") {
                    button.click();
                }
            }
        }
    }

    async fn decide(self: Rc<Self>, entries: Vec<Entry>, decision: Decision) {
        let words = |entries: &[Entry]| match entries.len() {
            1 => text("decided"),
            number => text_with("decidedAll", &[&locale::number(number)]),
        };
        self.desk.decide(&entries, &|entry, _| entry.with_decision(decision), words).await;
    }

    /// One action for a group.
    fn all(self: &Rc<Self>, group: Group, action: &str) {
        let this = self.clone();
        match action {
            "in-koha" => spawn_local(this.decide_all(Decision::IsInKoha)),
            "send-again" => spawn_local(this.decide_all(Decision::SendAgain)),
            "retry" => {
                for scan in self.scans.all().iter().filter(|scan| scan.is_as_it_was) {
                    self.scans.answer(scan.id(), Answer::Retry);
                }
            }
            "settle" => spawn_local(async move {
                let entries = this.left.borrow().to_settle();
                this.desk.settle(&entries).await;
            }),
            "tick" => {
                if let Some(task) = group.task() {
                    let ids = self.left.borrow().open_ids(group);
                    spawn_local(async move {
                        let _ = this.tick(&ids, task, true).await;
                    });
                }
            }
            _ => {}
        }
    }

    /// Asks before all that are in doubt are decided about.
    async fn decide_all(self: Rc<Self>, decision: Decision) {
        if self.deciding.borrow().is_some() {
            return;
        }
        let deciding = Deciding { decision, entries: self.left.borrow().to_decide(decision), is_shown: false };
        let [body, yes] = match decision {
            Decision::IsInKoha => ["doubtsInKohaText", "doubtsInKohaYes"],
            Decision::SendAgain => ["doubtsAgainText", "doubtsAgainYes"],
        };
        let (title, body, yes) = (deciding.title(), text(body), text(yes));
        self.deciding.replace(Some(deciding));
        let opened = || {
            if let Some(deciding) = &mut *self.deciding.borrow_mut() {
                deciding.is_shown = true;
            }
            self.show_question();
        };
        // What is sent again may be in Koha twice then.
        let is_dangerous = decision == Decision::SendAgain;
        let opened: Option<&dyn Fn()> = Some(&opened);
        let question = Question { title: &title, text: &body, yes: &yes, is_dangerous, opened, ..Question::default() };
        let reply = question::ask(question).await;
        let asked = self.deciding.take().map(|deciding| deciding.entries).unwrap_or_default();
        if reply == Ok(Reply::Yes) {
            let rule = |entry: &Entry, _: Moment| {
                let is_among_all = entry.decided_among_all(decision).is_some();
                is_among_all.then(|| entry.with_decision(decision)).flatten()
            };
            let words = |entries: &[Entry]| text_with("decidedAll", &[&locale::number(entries.len())]);
            self.desk.decide(&asked, &rule, words).await;
        }
    }

    /// Those about which somebody is being asked.
    pub(super) fn asked(&self) -> Vec<TransactionId> {
        let deciding = self.deciding.borrow();
        deciding.iter().flat_map(|deciding| &deciding.entries).map(|entry| entry.id).collect()
    }

    /// It is not asked about what stands otherwise by now. Of what came since nobody has seen whether it is in Koha.
    pub(super) fn follow_question(self: &Rc<Self>, event: &LogEvent) {
        let mut deciding = self.deciding.borrow_mut();
        let has_changed = deciding.as_mut().is_some_and(|deciding| seen::follow(&mut deciding.entries, event));
        if has_changed {
            let this = self.clone();
            self.following_question.go(async move || {
                question::let_go().await;
                this.show_question();
            });
        }
    }

    /// Says about how many it is asked now, or asks no more where there is none.
    fn show_question(&self) {
        let deciding = self.deciding.borrow();
        let Some(deciding) = deciding.as_ref().filter(|deciding| deciding.is_shown) else { return };
        if deciding.entries.is_empty() {
            question::withdraw();
            self.desk.not_changed("decideFailed", &NotChanged::Gone);
        } else {
            question::say(&deciding.title());
        }
    }

    async fn tick_row(self: Rc<Self>, row: Row, task: Task, tick: HtmlInputElement) {
        let is_done = tick.checked();
        if self.tick(&row.ids, task, is_done).await.is_err() {
            tick.set_checked(!is_done);
        }
    }

    /// Keeps that a person has done this, or has not.
    async fn tick(&self, ids: &[TransactionId], task: Task, is_done: bool) -> Result<(), ()> {
        let message = self.desk.message.about(Topic::Change);
        let Some(now) = clock::now() else {
            message.show(Tone::Bad, &text("attentionClock"));
            return Err(());
        };
        match self.desk.store.tick(ids, task, is_done, now).await {
            Ok(entries) => {
                self.desk.log_changed(&LogEvent::Changed(entries));
                self.desk.draw_now();
                Ok(())
            }
            Err(error) => {
                self.desk.failed(Topic::Change, "decideFailed", &error);
                if matches!(error, StoreError::NotOpen(_)) {
                    // Cleared elsewhere.
                    self.desk.reload_log();
                }
                Err(())
            }
        }
    }

    async fn copy_barcode(self: Rc<Self>, entry: Entry) {
        let Some(barcode) = entry.transaction.action.barcode() else { return };
        let Ok(clipboard) = window().map(|window| window.navigator().clipboard()) else { return };
        let message = self.desk.message.about(Topic::Change);
        match JsFuture::from(clipboard.write_text(barcode.as_str())).await {
            Ok(_) => message.show(Tone::Good, &text_with("todoCopied", &[barcode.as_str()])),
            Err(_) => message.show(Tone::Bad, &text_with("todoNotCopied", &[barcode.as_str()])),
        }
    }
}
