//! A file that was chosen to be imported: its row, and what it leaves open.

use super::{
    gather::Found,
    outcome::{Outcome, Refused},
};
use crate::{
    clock::DeskZone,
    dom,
    i18n::{plural, text, text_with},
    locale, ready, slices, wording,
};
use koct_core::{
    DeskName, Transaction,
    desk::{branch::BranchCode, clock::DeskTime},
    desks::{
        backup::Header,
        copy::together::{self, Piece},
        import::{
            again::{self, Again, Glance, Other, Whose},
            file::{self, ImportFile},
            knowledge::Knowledge,
        },
        koc::{Reading, Times},
    },
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, HtmlElement, HtmlInputElement, HtmlSelectElement};

/// How many refused lines are listed for a file; the report has all.
const LINES_LISTED: usize = 100;

pub(super) struct Chosen {
    file: File,
    /// Its folders, as far as they are known, and its name.
    pub(super) path: String,
    folder: Option<String>,
    problem: Option<String>,
    pub(super) row: HtmlElement,
    /// What it is, once it was looked at.
    pub(super) kind: Cell<Option<Content>>,
    /// What became of it, once it was imported.
    pub(super) outcome: RefCell<Option<Outcome>>,
    pub(super) left_out: Cell<bool>,
    /// Where it belongs, where it is a file of a second copy.
    piece: RefCell<Option<Piece>>,
    /// What is to be taken of a list, once a person has looked through it.
    list: RefCell<Option<Vec<Transaction>>>,
    /// What it holds, where that is another desk's.
    glance: RefCell<Option<Rc<Glance>>>,
    /// The library that it says itself.
    said_branch: RefCell<Option<BranchCode>>,
    /// What is proposed where it is that desk, and where it is another.
    proposals: RefCell<[String; 2]>,
    /// Whether all that is to be asked of it is asked.
    pub(super) is_looked_at: Cell<bool>,
    /// Whether a person must say which desk it is.
    pub(super) asks: Cell<bool>,
}

/// A file, and how it is to be imported: as it stood on the page when the person said yes.
pub(super) struct Order {
    pub(super) chosen: Rc<Chosen>,
    pub(super) desk: String,
    /// The library at which it was recorded.
    pub(super) branch: Option<BranchCode>,
    pub(super) times: Option<Times>,
}

impl Order {
    pub(super) fn new(chosen: Rc<Chosen>) -> Self {
        let branch = chosen.branch_input().and_then(|input| BranchCode::parse(&input.value()).ok());
        Self { desk: chosen.desk(), branch, times: chosen.times(), chosen }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Koc,
    Backup,
    /// A list without times, which is taken as it was looked through.
    List,
}

impl Chosen {
    /// # Errors
    /// When the page lacks the row's template.
    pub(super) fn new(found: Found) -> Result<Self, JsValue> {
        let row = dom::from_template("import-template")?;
        dom::set_field(&row, "file", &found.path);
        dom::set_field(&row, "desk-label", &text("importDeskLabel"));
        dom::set_field(&row, "branch-label", &text("branchcodeLabel"));
        dom::set_field(&row, "look", &text("listLook"));
        dom::set_field(&row, "zone-label", &text("importZoneLabel"));
        dom::set_field(&row, "leave-out", &text("importLeaveOut"));
        Ok(Self {
            folder: found.folder().map(str::to_owned),
            file: found.file,
            path: found.path,
            problem: found.problem,
            row,
            kind: Cell::default(),
            outcome: RefCell::default(),
            left_out: Cell::default(),
            piece: RefCell::default(),
            list: RefCell::default(),
            glance: RefCell::default(),
            said_branch: RefCell::default(),
            proposals: RefCell::default(),
            is_looked_at: Cell::default(),
            asks: Cell::default(),
        })
    }

    /// What is in it, where it can be read.
    pub(super) async fn bytes(&self) -> Option<Vec<u8>> {
        let buffer = JsFuture::from(self.file.array_buffer()).await.ok()?;
        Some(js_sys::Uint8Array::new(&buffer).to_vec())
    }

    /// Looks at what it is, and shows that.
    ///
    /// # Errors
    /// Why it cannot be imported, in words.
    pub(super) async fn look(&self) -> Result<(), String> {
        if let Some(problem) = &self.problem {
            return Err(problem.clone());
        }
        let bytes = self.bytes().await.ok_or_else(|| text("importNotReadable"))?;
        if let Some(version) = file::written_by(&bytes) {
            ready::version_seen(version).await;
        }
        let kind = match slices::through(file::recognising(&bytes, &DeskZone)).await.map_err(wording::import_error)? {
            ImportFile::Koc(mut reading) => {
                self.show_koc(&mut reading);
                let glance = Glance {
                    file_name: self.file.name(),
                    folder: self.folder.clone(),
                    proposed: reading.proposed_desk(&self.file.name()),
                    says_so: reading.desk.is_some(),
                    lines: reading.into_lines(),
                };
                *self.glance.borrow_mut() = Some(Rc::new(glance));
                Content::Koc
            }
            ImportFile::Backup(header) => {
                self.show_backup(&header);
                let piece = header.copy.map(|part| Piece { part, has_end: together::has_end(&bytes) });
                self.piece.replace(piece);
                Content::Backup
            }
            ImportFile::List => {
                self.show_list();
                Content::List
            }
        };
        self.kind.set(Some(kind));
        Ok(())
    }

    /// Where it belongs, where it is a file of a second copy.
    pub(super) fn piece(&self) -> Option<Piece> {
        self.piece.borrow().clone()
    }

    /// What it holds, and the desk that it is said to be of now.
    pub(super) fn glance_with_desk(&self) -> Option<(Rc<Glance>, DeskName)> {
        Some((self.glance.borrow().clone()?, DeskName::parse(&self.desk()).ok()?))
    }

    /// Asks whose file it is, where that is to be asked.
    pub(super) async fn ask_whose(&self, knowledge: &Knowledge, before: &[Other<'_>]) {
        let Some(file) = self.glance.borrow().clone() else { return };
        let in_log = slices::through(knowledge.recognising(&file)).await;
        let Some(whose) = again::whose(&file, in_log, before, |desk| knowledge.has(desk)) else { return };
        let name = |desk: &DeskName| desk.to_string();
        let (words, desk, other, is_answered) = match &whose {
            Whose::LooksLike(Again { desk, known, new }) => {
                let values = [desk.as_str(), &locale::number(*known), &locale::number(*new)];
                let other = file.proposed.as_ref().map(name).unwrap_or_default();
                (text_with("importLooksLike", &values), desk, other, true)
            }
            Whose::SameName { desk, other, is_of_other_folder } => {
                let key = if *is_of_other_folder { "importSameNameFile" } else { "importSameNameLog" };
                (text_with(key, &[desk.as_str()]), desk, name(other), !is_of_other_folder)
            }
        };
        dom::set_field(&self.row, "whose-words", &words);
        dom::set_field(&self.row, "whose-same-label", &text_with("importIsDesk", &[desk.as_str()]));
        dom::set_field(&self.row, "whose-other-label", &text("importIsOtherDesk"));
        if let (Some(field), Some(input)) = (dom::field(&self.row, "whose"), self.input()) {
            field.set_hidden(false);
            if is_answered {
                input.set_value(desk.as_str());
            }
        }
        if let Some(same) = self.answer("whose-same") {
            same.set_checked(is_answered);
        }
        self.asks.set(!is_answered);
        *self.proposals.borrow_mut() = [name(desk), other];
    }

    fn answer(&self, name: &str) -> Option<HtmlInputElement> {
        dom::field(&self.row, name).map(JsCast::unchecked_into)
    }

    /// Takes the answer which desk it is, and tells of it. Each file has another place.
    pub(super) fn bind_whose(self: &Rc<Self>, row: usize, answered: impl Fn() + Clone + 'static) {
        for (place, name) in ["whose-same", "whose-other"].into_iter().enumerate() {
            let Some(answer) = self.answer(name) else { continue };
            answer.set_name(&format!("whose-{row}"));
            let answered = answered.clone();
            dom::bind(&answer, "change", self, move |this| {
                this.asks.set(false);
                if let Some(input) = this.input() {
                    input.set_value(&this.proposals.borrow()[place]);
                }
                answered();
            });
        }
    }

    fn input(&self) -> Option<HtmlInputElement> {
        dom::field(&self.row, "desk").map(JsCast::unchecked_into)
    }

    fn select(&self) -> Option<HtmlSelectElement> {
        dom::field(&self.row, "zone").map(JsCast::unchecked_into)
    }

    /// The name of the desk as it was typed.
    pub(super) fn desk(&self) -> String {
        self.input().map(|input| input.value()).unwrap_or_default()
    }

    /// How its times are to be taken.
    pub(super) fn times(&self) -> Option<Times> {
        match self.select()?.value().as_str() {
            "utc" => Some(Times::Utc),
            minutes => minutes.parse().ok().map(Times::Offset),
        }
    }

    /// Whether it can be imported as it is.
    pub(super) fn is_ready(&self) -> bool {
        match self.kind.get().filter(|_| self.is_looked_at.get()) {
            Some(Content::List) => self.list.borrow().is_some(),
            kind => kind.is_some(),
        }
    }

    fn show_list(&self) {
        dom::set_field(&self.row, "about", &text("listWithoutTimes"));
        for (name, is_hidden) in [("zone-row", true), ("look", false)] {
            if let Some(field) = dom::field(&self.row, name) {
                field.set_hidden(is_hidden);
            }
        }
        if let (Some(input), Some(name)) = (self.input(), DeskName::from_file_name(&self.file.name())) {
            input.set_value(name.as_str());
        }
    }

    /// What is to be taken of a list, as it was looked through last.
    pub(super) fn set_list(&self, transactions: Vec<Transaction>) {
        dom::set_field(&self.row, "result", &text_with("listTaken", &[&locale::number(transactions.len())]));
        *self.list.borrow_mut() = Some(transactions);
    }

    pub(super) fn list(&self) -> Option<Vec<Transaction>> {
        self.list.borrow().clone()
    }

    /// When the file was changed last, by this computer's clock.
    pub(super) fn changed(&self) -> DeskTime {
        #[expect(clippy::cast_possible_truncation, reason = "numbers of JavaScript's dates are below 2^53")]
        DeskTime::from_millis(self.file.last_modified() as i64)
    }

    pub(super) fn branch_input(&self) -> Option<HtmlInputElement> {
        dom::field(&self.row, "branch").map(JsCast::unchecked_into)
    }

    /// Proposes where it was recorded: as it says itself, as its folder is called, as its desk was before, or here.
    pub(super) fn propose_branch<'a>(
        &self,
        known: impl IntoIterator<Item = &'a str>,
        of_desk: impl Fn(&DeskName) -> Option<BranchCode>,
        own: &str,
    ) {
        let Some(input) = self.branch_input() else { return };
        let said = self.said_branch.borrow().clone();
        let before = || DeskName::parse(&self.desk()).ok().and_then(|desk| of_desk(&desk));
        let proposed = file::proposed_branch(said, self.folder.as_deref(), known, before);
        input.set_value(proposed.as_ref().map_or(own, BranchCode::as_str));
    }

    fn hide_options(&self) {
        self.hide("options");
        self.hide("whose");
    }

    fn hide(&self, name: &str) {
        if let Some(field) = dom::field(&self.row, name) {
            field.set_hidden(true);
        }
    }

    fn show_backup(&self, header: &Header) {
        self.hide_options();
        let (desk, written) = (header.desk.as_str(), wording::moment(header.written));
        let about = match &header.copy {
            Some(part) => text_with("importCopyAbout", &[desk, &written, &locale::number(part.number)]),
            None => text_with("importBackupAbout", &[desk, &written]),
        };
        dom::set_field(&self.row, "about", &about);
    }

    /// Shows what a .koc file holds, and asks what it leaves open.
    fn show_koc(&self, reading: &mut Reading) {
        let generator = reading.generator.clone().unwrap_or_else(|| text("importUnknownGenerator"));
        let about = match reading.span() {
            Some((first, last)) => plural(
                "importAbout",
                reading.transactions.len(),
                &[&generator, &wording::moment(first), &wording::moment(last)],
            ),
            None => text_with("importAboutEmpty", &[&generator]),
        };
        dom::set_field(&self.row, "about", &about);
        self.said_branch.borrow_mut().clone_from(&reading.branch);
        let name = reading.proposed_desk(&self.file.name());
        if let (Some(input), Some(name)) = (self.input(), name) {
            input.set_value(name.as_str());
        }
        let Some(select) = self.select() else { return };
        let is_declared = reading.declared.is_some();
        let named = |times| match times {
            Times::Local => ("local".to_owned(), text("importZoneLocal")),
            Times::Utc => ("utc".to_owned(), text("importZoneUtc")),
            Times::Offset(minutes) => {
                let key = if is_declared { "importZoneFile" } else { "importZoneOffset" };
                (minutes.to_string(), text_with(key, &[&offset(minutes)]))
            }
        };
        dom::fill_options(&select, reading.offered_times().into_iter().map(named));
        select.set_disabled(is_declared);
        let outcome = Outcome::from_reading(reading);
        dom::set_field(&self.row, "result", &outcome.notes());
        self.show_refused(&outcome.refused);
    }

    fn show_refused(&self, refused: &[Refused]) {
        let (Some(details), Some(lines)) = (dom::field(&self.row, "refused"), dom::field(&self.row, "refused-lines"))
        else {
            return;
        };
        details.set_hidden(refused.is_empty());
        dom::set_field(&self.row, "refused-count", &plural("importRefusedCount", refused.len(), &[]));
        let more = refused.len().checked_sub(LINES_LISTED).filter(|more| *more > 0);
        let more = more.map(|more| plural("importMoreLines", more, &[]));
        let listed = refused.iter().take(LINES_LISTED).map(Refused::words);
        dom::fill_list(&lines, listed.chain(more), |words| dom::line(&words));
    }

    pub(super) fn show_outcome(&self, outcome: Outcome) {
        self.hide_options();
        self.hide("leave-out");
        dom::set_field(&self.row, "result", &outcome.words());
        let _ = self.row.set_attribute("data-outcome", if outcome.failed.is_some() { "failed" } else { "done" });
        self.show_refused(&outcome.refused);
        *self.outcome.borrow_mut() = Some(outcome);
    }
}

/// Minutes ahead of UTC as `+01:00`.
fn offset(minutes: i16) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.unsigned_abs();
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}
