//! The one button that sends or applies.

pub(crate) mod audited;
pub(crate) mod koha_queue;
pub(crate) mod reach;
pub(crate) mod review;
mod turn;

use super::{Desk, Tone, Topic, log::todo::TodoPanel};
use crate::{
    clock,
    dom::{self, elements},
    ground,
    http::Http,
    i18n::{plural, text, text_with},
    later::seldom,
    locale,
    popup::window::question::{self, Question, Reply},
    practice, preferences,
    sender::{self, Stopper, Watcher},
    slices,
    store::{Change, StoreError},
    timer::sleep,
    webext,
    wording::{self, Explained as _},
};
use chrono::{DateTime, FixedOffset};
use koct_core::{
    CommitType, Entry, Settings, State, TransactionId,
    desk::{branch::BranchCode, clock::DeskTime},
    koha::{
        movement::{MovementCheck, Movements},
        page::LoggedIn,
    },
    log::{
        NothingToCommit,
        commit::Batch,
        event::LogEvent,
        handled::queued_besides,
        order::{self, Ordered},
    },
    ordered::Gather,
    outbox::{
        Outbox,
        stale::Stale,
        summary::{Mood, Summary},
    },
    settings::guide,
};
use review::{Looked, ReviewPanel};
use std::{cell::Cell, rc::Rc, time::Duration};
use turn::Turn;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlButtonElement, HtmlElement, HtmlProgressElement};

/// A pause of this length is shown with the time that is left.
const WORTH_A_COUNTDOWN: Duration = Duration::from_secs(5);

/// Where Koha shows its queue.
pub(crate) const QUEUE: &str = "/cgi-bin/koha/offline_circ/list.pl";

elements! {
    pub(crate) struct Commit(desk: Rc<Desk>, review: Rc<ReviewPanel>, todo: Rc<TodoPanel>) {
        button: HtmlElement = "commit",
        state: HtmlElement = "commit-state",
        progress: HtmlProgressElement = "progress",
        progress_text: HtmlElement = "progress-text",
        /// What a screen reader says of it: not each number, nor each second.
        progress_said: Element = "progress-said",
        cancel: HtmlButtonElement = "cancel-commit",
        ;
        stopper: Stopper,
        /// Koha was opened, for the person to log in.
        koha_opened: Cell<bool>,
        /// Until when the server asks to wait, or nobody is logged in.
        waiting_until: Rc<Cell<Option<DeskTime>>>,
        /// For how long the page had run when the progress was shown last.
        shown_at: Cell<Duration>,
    }
}

impl Commit {
    pub(crate) fn bind(self: &Rc<Self>) {
        dom::bind(&self.cancel, "click", self, |this| {
            this.stopper.stop();
            this.cancel.set_disabled(true);
            this.say(&text("commitStopping"));
        });
        dom::bind(&self.button, "click", self, |this| {
            // A second press while one runs does nothing.
            if !this.desk.committing.replace(true) {
                spawn_local(run(this.clone()));
            }
        });
    }

    async fn run(self: Rc<Self>) {
        self.cancel.set_disabled(false);
        self.koha_opened.set(false);
        self.waiting_until.set(None);
        self.show_running(true);
        self.say(&text("commitConnecting"));
        self.progress.remove_attribute("value").ok();
        self.attempt().await;
        self.desk.draw_now();
        self.show_running(false);
        self.desk.committing.set(false);
        self.desk.log_changed(&LogEvent::Committed);
    }

    /// Shows what is going on, and has it read out.
    fn say(&self, words: &str) {
        self.progress_text.set_text_content(Some(words));
        self.progress_text.set_title(words);
        self.progress_said.set_text_content(Some(words));
    }

    fn show_running(&self, running: bool) {
        self.state.set_hidden(!running);
        dom::set_flag(&self.button, "aria-disabled", running);
    }

    async fn attempt(&self) {
        let message = self.desk.message.about(Topic::Commit);
        // The latest settings, even if this window has missed a change.
        self.desk.clone().reload_preferences().await;
        let Some(settings) = self.settings() else {
            message.show(Tone::Bad, &text("commitNotConfigured"));
            return;
        };
        // What a window has left that ended in the middle of its commit while this one was open; and whatever this one has not heard of.
        self.desk.clone().recover().await;
        let counts = match self.desk.store.counts().await {
            Ok(counts) => counts,
            // That there is nothing to commit is not known then.
            Err(error) => {
                return message.show(Tone::Bad, &text_with("commitFailedToStart", &[&error.explained()]));
            }
        };
        match counts.nothing_to_commit() {
            None => {}
            Some(NothingToCommit::ButOpen(open)) => {
                return message.show(Tone::Doubt, &plural("commitNothingButOpen", open, &[]));
            }
            Some(NothingToCommit::Nothing) => return message.show(Tone::Good, &text("commitNothing")),
        }
        if !ground::is_practice() && !preferences::may_ask(&settings.server).await {
            message.show(Tone::Bad, &text_with("commitNotAllowed", &[settings.server.as_str()]));
            return;
        }
        if self.review.is_long() {
            self.say(&text("reviewWorking"));
        }
        let sent = match self.ready().await {
            Ok(Some((_turn, uncommitted))) => self.send(settings, uncommitted).await,
            Ok(None) => return,
            Err(error) => Err(error.explained()),
        };
        if let Err(error) = sent {
            message.show(Tone::Bad, &text_with("commitFailedToStart", &[&error]));
        }
    }

    /// With what it is sent.
    fn settings(&self) -> Option<Settings> {
        if ground::is_practice() { practice::settings(&self.desk.preferences.borrow()) } else { self.desk.settings() }
    }

    /// Takes the sender's lock, or says that another window has it.
    async fn take_turn(&self) -> Option<Turn<'_>> {
        let turn = Turn::take(&self.desk).await;
        if turn.is_none() {
            self.desk.message.about(Topic::Commit).show(Tone::Bad, &text("commitBusy"));
        }
        turn
    }

    /// Reads what is uncommitted, once, and has what stands out in it looked at. `None` where it is not to be sent.
    ///
    /// # Errors
    /// When the log cannot be read.
    async fn ready(&self) -> Result<Option<(Turn<'_>, Ordered)>, StoreError> {
        let Some(mut turn) = self.take_turn().await else { return Ok(None) };
        let mut uncommitted = self.desk.store.in_states(&State::TO_COMMIT).await?;
        loop {
            let last = uncommitted.last_id();
            match self.review.before_commit(uncommitted).await? {
                Looked::Clear(uncommitted) => return Ok(Some((turn, uncommitted))),
                Looked::Stopped => return Ok(None),
                Looked::StandsOut => {}
            }
            // Whoever corrects something, or sets a clock right, needs the lock. So it may be another log afterwards.
            drop(turn);
            if !self.review.ask_before_commit().await {
                return Ok(None);
            }
            let Some(taken) = self.take_turn().await else { return Ok(None) };
            turn = taken;
            uncommitted = self.desk.store.in_states(&State::TO_COMMIT).await?;
            // What another window has imported meanwhile stood in no review.
            if !uncommitted.has_imported_since(last) {
                return Ok(Some((turn, uncommitted)));
            }
        }
    }

    /// Sends what is to be sent. The caller holds the lock since it was read.
    ///
    /// # Errors
    /// When nothing was sent, with the words why.
    async fn send(&self, settings: Settings, uncommitted: Ordered) -> Result<(), String> {
        let words = |error: StoreError| error.explained();
        let Some(settings) = ask_about_stale(settings, &uncommitted).await else { return Ok(()) };
        let Some(uncommitted) = self.ask_about_branch(&settings, uncommitted).await.map_err(words)? else {
            return Ok(());
        };
        let uncommitted = self.with_recorded_since(uncommitted).await.map_err(words)?;
        let uncommitted = self.desk.separate(uncommitted).await.map_err(words)?;
        let started = clock::now().ok_or_else(|| text("attentionClock"))?;
        let up_to = uncommitted.last_id();
        let batch = Batch::begin(&settings, started, &uncommitted);
        let number = self.desk.store.begin_batch(&batch).await.map_err(words)?;
        let wants_audit = |batch: &Batch| batch.wants_audit(&settings, started.time());
        let (earlier, to_audit) = self.unaudited(number, wants_audit).await.map_err(words)?;
        let debt_limit = self.desk.preferences.borrow().records.debt_limit().ok().flatten();
        let queued = self.desk.store.in_states_by_number(queued_besides(&uncommitted)).await.map_err(words)?;
        let outbox = Outbox::new(settings.clone(), uncommitted).auditing_too(to_audit);
        let outbox = outbox.telling_debts_over(debt_limit).knowing_queued(queued);
        self.desk.message.about(Topic::Commit).show(Tone::Good, &text("commitSending"));
        let summary = sender::run(&settings, &self.desk.store, outbox, up_to, self, &self.stopper).await;
        self.todo.end_commit();
        // Where the log could not be written, the durable state is still Sending: now it is a doubt that can be seen.
        if let Ok(changes) = self.desk.store.recover().await {
            self.desk.apply(changes);
        }
        let words = self.summarise(&summary, &settings).await;
        self.todo.open_after_commit(&summary);
        let ended = batch.ended(clock::now().unwrap_or(started), &summary, words);
        let failed = |error: &StoreError| {
            let words = text_with("batchFailed", &[&error.explained()]);
            self.desk.message.about(Topic::Commit).show(Tone::Bad, &words);
        };
        if let Err(error) = self.desk.store.set_batch(number, &ended).await {
            failed(&error);
        }
        for number in earlier.into_iter().filter(|_| summary.is_audited) {
            let audited = |batch: Batch| batch.audited_later(&summary.audited);
            if let Err(error) = self.desk.store.change_batch(number, audited).await {
                failed(&error);
            }
        }
        Ok(())
    }

    /// Asks at which library this desk was when it was set to another one than now: the setting may have been wrong. `None` where
    /// nothing is to be sent.
    ///
    /// # Errors
    /// When the log cannot be written.
    async fn ask_about_branch(
        &self,
        settings: &Settings,
        mut uncommitted: Ordered,
    ) -> Result<Option<Ordered>, StoreError> {
        let own = &settings.branchcode;
        let waits = |entry: &&Entry| entry.waits_for_other_branch(own);
        let others: Vec<TransactionId> = uncommitted.iter().filter(waits).map(|entry| entry.id).collect();
        let codes = uncommitted.iter().filter(waits).map(|entry| entry.branch_or(own)).into_list();
        if others.is_empty() {
            return Ok(Some(uncommitted));
        }
        let codes = codes.join(", ");
        let asked = Question {
            title: &text_with("branchKeptTitle", &[&codes]),
            text: &plural("branchKeptText", others.len(), &[&codes, own]),
            yes: &text_with("branchKeptYes", &[&codes]),
            other: Some(&text_with("branchKeptOther", &[own])),
            ..Question::default()
        };
        match question::ask(asked).await {
            Ok(Reply::Yes) => Ok(Some(uncommitted)),
            Ok(Reply::Other) => {
                let Ok(branch) = BranchCode::parse(own) else { return Ok(None) };
                let changes = self.desk.store.change(&others, |entry| entry.at_branch(branch.clone())).await?;
                uncommitted.update(changes.iter().map(|change| change.entry.clone()));
                self.desk.apply(changes);
                Ok(Some(uncommitted))
            }
            Ok(Reply::Cancel) | Err(_) => Ok(None),
        }
    }

    /// The numbers of the commits before this one that ended before what they applied could be read back, and what that was.
    async fn unaudited(
        &self,
        this: u32,
        wants_audit: impl Fn(&Batch) -> bool,
    ) -> Result<(Vec<u32>, Vec<Entry>), StoreError> {
        let mut earlier = self.desk.store.batches_where(wants_audit).await?;
        earlier.retain(|(number, _)| *number != this);
        let ids: Vec<TransactionId> = earlier.iter().flat_map(|(_, batch)| batch.transactions.clone()).collect();
        let entries = self.desk.store.get(&ids).await?;
        Ok((earlier.into_iter().map(|(number, _)| number).collect(), entries))
    }

    /// With what was scanned since these were read, at this window or another: a question may have been open for long.
    async fn with_recorded_since(&self, uncommitted: Ordered) -> Result<Ordered, StoreError> {
        let recorded = self.desk.store.recorded_since(uncommitted.last_id()).await?;
        if recorded.is_empty() {
            return Ok(uncommitted);
        }
        Ok(slices::through(order::joining(uncommitted, recorded)).await)
    }

    /// Tells how it went. Returns the words for the record, which names by itself what is odd.
    async fn summarise(&self, summary: &Summary, settings: &Settings) -> String {
        let worked = guide::have_worked(settings, self.desk.preferences.borrow().tested.as_deref());
        let tone = match summary.mood(worked) {
            Mood::Done => Tone::Good,
            Mood::LookAt => Tone::Doubt,
            Mood::Failed => Tone::Bad,
        };
        let odd = audited::lines(&self.desk.store, &summary.audited.odd, ODD_SHOWN).await;
        let message = self.desk.message.about(Topic::Commit);
        let shown = wording::summary(summary, &odd, settings, worked);
        message.show(tone, &if ground::is_practice() { practice::summary(&shown) } else { shown });
        if summary.added > 0 && !ground::is_practice() {
            message.add_link(&text("summaryQueueLink"), &settings.server.join(QUEUE));
        }
        wording::summary(summary, &[], settings, worked)
    }
}

seldom! {
    async fn run(commit: Rc<Commit>) {
        commit.run().await;
    }
}

/// The number of transactions that are named of those that are not as they should be in Koha; the record names all.
const ODD_SHOWN: usize = 3;

/// Asks Koha which of these items it has seen since.
async fn movements(settings: &Settings, about: Vec<Entry>) -> Movements {
    let http = Http::isolated(&settings.server.permission_pattern());
    let (mut check, request) = MovementCheck::start(settings.clone(), about);
    http.ask(request, |answer| check.handle(answer)).await
}

/// Asks before old transactions are applied. Returns how to commit, or `None` where the person does not want to.
async fn ask_about_stale(settings: Settings, uncommitted: &[Entry]) -> Option<Settings> {
    let Some(stale) = Stale::among(uncommitted, &settings, clock::time()) else { return Some(settings) };
    let movements = movements(&settings, stale.named.clone()).await;
    let line = |(entry, seen): (&Entry, Option<DateTime<FixedOffset>>)| {
        // Beside when Koha has seen it: with its year.
        let entry = wording::transaction(&entry.transaction);
        seen.map_or(entry.clone(), |seen| {
            text_with("staleMoved", &[&entry, &locale::date_and_minutes(seen.naive_local())])
        })
    };
    let mut list: Vec<_> = stale.in_order(&movements).into_iter().map(line).collect();
    if stale.others() > 0 {
        list.push(plural("staleAndOthers", stale.others(), &[]));
    }
    let known = if movements.complete { "staleAsked" } else { "staleNotAsked" };
    let body =
        [plural("staleText", settings.stale_hours, &[]), text_with(known, &[&locale::number(movements.moved.len())])]
            .join("\n");
    let reply = question::ask(Question {
        title: &plural("staleTitle", stale.number, &[]),
        text: &body,
        list: &list,
        yes: &text("staleSend"),
        other: Some(&text("staleApply")),
        is_dangerous: false,
        opened: None,
    })
    .await;
    match reply {
        Ok(Reply::Yes) => Some(Settings { commit_type: CommitType::Send, ..settings }),
        Ok(Reply::Other) => Some(settings),
        Ok(Reply::Cancel) | Err(_) => None,
    }
}

/// That the server asks to wait, and for how long.
fn waiting(left: Duration) -> String {
    let seconds = left.as_secs();
    text_with("commitWaiting", &[&format!("{}:{:02}", seconds / 60, seconds % 60)])
}

impl Watcher for Commit {
    fn changed(&self, changes: Vec<Change>) {
        self.desk.apply(changes);
    }

    fn began(&self, up_to: TransactionId) {
        self.desk.sends_up_to.set(Some(up_to));
    }

    fn waits(&self, time: Duration) {
        // A second or two, until a server is back that was there a moment ago, is not worth a word.
        if time < WORTH_A_COUNTDOWN {
            return;
        }
        let until = clock::time().plus(time);
        self.waiting_until.set(Some(until));
        self.say(&waiting(time));
        let (words, cancel, state) = (self.progress_text.clone(), self.cancel.clone(), self.state.clone());
        let waiting_until = self.waiting_until.clone();
        spawn_local(async move {
            // Until it is over, or is overtaken by another, or by what goes on, or is stopped.
            while waiting_until.get() == Some(until) && !cancel.disabled() && !state.hidden() {
                let Ok(left) = until.since(clock::time()).to_std() else { return };
                words.set_text_content(Some(&waiting(left)));
                sleep(Duration::from_secs(1)).await;
            }
        });
    }

    fn nobody_logged_in(&self) {
        // Until it goes on as somebody.
        self.waiting_until.set(Some(DeskTime::from_millis(i64::MAX)));
        if self.koha_opened.replace(true) {
            return;
        }
        self.say(&text("commitLogIn"));
        if let Some(settings) = self.desk.settings() {
            let page = settings.server.join("/cgi-bin/koha/mainpage.pl");
            spawn_local(async move {
                // Where that fails, the words say what to do all the same.
                let _ = webext::open_tab(&page).await;
            });
        }
    }

    fn goes_on_as(&self, who: &LoggedIn) {
        self.waiting_until.set(None);
        self.koha_opened.set(false);
        self.say(&wording::person(who));
    }

    fn elsewhere(&self, library: String, answer: Box<dyn FnOnce(bool)>) {
        let Some(settings) = self.desk.settings() else { return answer(false) };
        spawn_local(async move {
            let codes = [library.as_str(), &settings.branchcode];
            let asked = Question {
                title: &text_with("elsewhereTitle", &codes),
                text: &text_with("elsewhereText", &codes),
                yes: &text_with("elsewhereApply", &codes),
                ..Question::default()
            };
            answer(matches!(question::ask(asked).await, Ok(Reply::Yes)));
        });
    }

    fn progress(&self, done: u32, total: u32) {
        if self.waiting_until.get().is_some_and(|until| until > clock::time()) {
            return;
        }
        let now = clock::ran();
        let is_due = now.saturating_sub(self.shown_at.get()) >= super::DRAWING_LAG;
        if total > 0 && done > 0 && !self.cancel.disabled() && (is_due || done == total) {
            self.shown_at.set(now);
            self.progress.set_max(total.into());
            self.progress.set_value(done.into());
            self.progress_text
                .set_text_content(Some(&text_with("commitProgress", &[&locale::number(done), &locale::number(total)])));
        }
    }
}
