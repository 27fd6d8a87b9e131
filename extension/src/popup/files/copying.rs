//! Writes the second copy while this window is open, where one is wanted. No scan waits for it: it hears of what was recorded as all do.

use crate::{
    anew::Anew,
    clock,
    copy::{self, Writing},
    dom::{self, elements},
    later::seldom,
    latest::Latest,
    popup::{Desk, Panel, window::ready::ReadyLine},
    ready,
    timer::sleep,
    webext,
};
use koct_core::{
    TransactionId,
    desk::clock::DeskTime,
    desks::copy::{BEGUN_ANEW_AFTER, alarm::Alarm, kept::Problem},
    log::event::LogEvent,
};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    rc::Rc,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

/// What has changed before this window may write.
#[derive(Default)]
struct Early {
    ids: BTreeSet<TransactionId>,
    at_large: bool,
}

impl Early {
    fn is_empty(&self) -> bool {
        self.ids.is_empty() && !self.at_large
    }
}

elements! {
    pub(crate) struct Copying(desk: Rc<Desk>, ready: Rc<ReadyLine>) {
        ;
        is_wanted: Cell<bool>,
        /// While this window waits for its turn.
        waits: Cell<bool>,
        writing: RefCell<Option<Rc<Writing>>>,
        early: RefCell<Early>,
        /// See [`Writing::begin`].
        settled: RefCell<Option<String>>,
        going: Anew,
        /// Counts when it was planned to look again: only the last counts.
        planned: Latest,
        alarm: Cell<Option<DeskTime>>,
        /// What the line in the bar was told: why it does not work, and since when others have gone on with it.
        told: Cell<(Option<Problem>, Option<DeskTime>)>,
    }
}

seldom! {
    async fn begin(copying: Rc<Copying>) {
        copying.begin().await;
    }

    async fn go_on(copying: Rc<Copying>) {
        copying.go_on().await;
    }

    async fn permitted(copying: Rc<Copying>) {
        copying.permitted();
    }
}

impl Panel for Copying {
    fn follow(self: Rc<Self>, event: &LogEvent) {
        if !self.is_wanted.get() {
            return;
        }
        let ids = || event.entries().iter().map(|entry| entry.id);
        let writing = self.writing.borrow().clone();
        match (writing, event) {
            (Some(writing), _) => {
                writing.copier.borrow_mut().follow(event, clock::time());
                self.go();
            }
            (None, LogEvent::Recorded(_) | LogEvent::Changed(_)) => self.early.borrow_mut().ids.extend(ids()),
            (None, LogEvent::Committed | LogEvent::Reload(_)) => self.early.borrow_mut().at_large = true,
        }
    }

    fn show_settings(self: Rc<Self>) {
        let is_wanted = self.desk.preferences.borrow().desk.second_copy;
        if self.is_wanted.replace(is_wanted) != is_wanted {
            if is_wanted {
                // What changes from now on until this window may write is known.
                self.settled.replace(copy::take_settled());
                if !self.waits.replace(true) {
                    spawn_local(begin(self.clone()));
                }
            } else {
                self.writing.take();
                copy::unsettle();
                copy::clear_alarm();
                self.alarm.take();
            }
        }
        let writing = self.writing.borrow().clone();
        if let Some(writing) = writing {
            writing.copier.borrow_mut().named(self.desk.preferences.borrow().desk_name(), clock::time());
            self.go();
        }
    }
}

impl Copying {
    /// # Errors
    /// Outside a page.
    pub(crate) fn bind(self: &Rc<Self>) -> Result<(), JsValue> {
        let this = self.clone();
        dom::on::<web_sys::Event>(dom::window()?.as_ref(), "pagehide", move |_| {
            if this.is_wanted.get() {
                this.end();
            }
        });
        // It may be a while until it is tried again.
        let this = self.clone();
        webext::on_permission(move || spawn_local(permitted(this.clone())));
        Ok(())
    }

    fn end(&self) {
        let is_changing = self.desk.store.is_changing();
        match &*self.writing.borrow() {
            Some(writing) if writing.end(is_changing) => copy::wake(),
            None if is_changing || !self.early.borrow().is_empty() => copy::leave_open(),
            _ => {}
        }
    }

    fn permitted(self: &Rc<Self>) {
        if let Some(writing) = &*self.writing.borrow() {
            writing.copier.borrow_mut().permitted();
            self.go();
        }
    }

    /// Begins once it is this window's turn.
    async fn begin(self: Rc<Self>) {
        let writing = self.begin_writing().await;
        self.waits.set(false);
        // Somebody may have wanted none meanwhile.
        let Some(writing) = writing.filter(|_| self.is_wanted.get()) else { return };
        let Early { ids, at_large } = self.early.take();
        {
            let (mut copier, now) = (writing.copier.borrow_mut(), clock::time());
            copier.changed(ids, now);
            if at_large {
                copier.changed_at_large(now);
            }
            self.told.set((copier.kept().problem, copier.kept().others));
        }
        self.writing.replace(Some(Rc::new(writing)));
        self.go();
    }

    /// Waits for this window's turn: another one, or the event page, may be writing. `None` where no copy is wanted any more.
    async fn begin_writing(&self) -> Option<Writing> {
        loop {
            let lock = copy::lock().await.filter(|_| self.is_wanted.get())?;
            let desk = self.desk.preferences.borrow().desk_name();
            // Where it cannot be begun, nothing was kept either: the line in the bar says that nothing is copied.
            match Writing::begin(lock, self.settled.take(), &self.desk.store, desk).await {
                Ok(writing) => return Some(writing),
                Err(_) => sleep(BEGUN_ANEW_AFTER).await,
            }
        }
    }

    /// Lets what is to be done be done, now or when it is due.
    fn go(self: &Rc<Self>) {
        if self.going.ask() {
            spawn_local(go_on(self.clone()));
        }
    }

    async fn go_on(self: Rc<Self>) {
        let mut left = None;
        while self.going.goes_on() {
            let writing = self.writing.borrow().clone();
            let Some(writing) = writing else { continue };
            self.set_alarm(&writing);
            let state = async || {
                let preferences = self.desk.preferences.borrow().clone();
                ready::state(&self.desk.store, &preferences, self.ready.held()).await
            };
            left = writing.go_on(&self.desk.store, state).await;
            self.set_alarm(&writing);
            self.show_problem(&writing);
        }
        let planned = self.planned.ask();
        if let Some(left) = left {
            spawn_local(async move {
                sleep(left).await;
                if self.planned.is(planned) {
                    self.go();
                }
            });
        }
    }

    /// Whatever becomes of this window, the event page writes what is left.
    fn set_alarm(&self, writing: &Writing) {
        let alarm = Alarm::from_window(self.alarm.get(), writing.copier.borrow().is_behind(), clock::time());
        match alarm {
            Alarm::Stays => {}
            Alarm::Clear => self.alarm.set(None),
            Alarm::Set(time) => self.alarm.set(Some(time)),
        }
        copy::apply_alarm(alarm);
    }

    /// The line in the bar says where it does not work, and no more once it works.
    fn show_problem(&self, writing: &Writing) {
        let told = {
            let copier = writing.copier.borrow();
            (copier.kept().problem, copier.kept().others)
        };
        if self.told.replace(told) != told {
            self.ready.clone().look();
        }
    }
}
