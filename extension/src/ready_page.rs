//! The page “Is this desk ready?”: options/ready.html.

use crate::{
    dom::{self, elements},
    i18n::{self, text},
    latest::Latest,
    options, preferences,
    ready::{self, words},
    wording,
};
use koct_core::{
    koha::{
        ready::{Grade, Verdict},
        trial::Trial,
    },
    settings::guide,
};
use std::{cell::Cell, rc::Rc};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlButtonElement, HtmlElement};

elements! {
    struct Page {
        summary: HtmlElement = "ready-summary",
        lines: Element = "ready-lines",
        test: HtmlButtonElement = "ready-test",
        said: HtmlElement = "ready-said",
        ;
        is_testing: Cell<bool>,
        /// Counts how often it was looked: only the last counts.
        asked: Latest,
    }
}

/// Starts the page.
///
/// # Errors
/// When it lacks an element.
pub(crate) async fn start() -> Result<(), JsValue> {
    let document = dom::document()?;
    i18n::localise(&document);
    let page = Rc::new(Page::new()?);
    dom::bind(&page.test, "click", &page, |page| {
        let page = page.clone();
        spawn_local(async move { page.try_connection().await });
    });
    let this = page.clone();
    // Settings, tests and Koha's clock are kept there; whoever comes back to this page finds it as it is now.
    preferences::on_change(move || {
        let page = this.clone();
        spawn_local(async move { page.show().await });
    });
    page.show().await;
    // Koha is asked without an account, for what its clock shows.
    let settings = preferences::stored().await.ok().and_then(|preferences| preferences.settings().ok());
    page.test.set_disabled(settings.is_none());
    ready::koha_is_there(settings.as_ref().map(|settings| &settings.server)).await;
    page.show().await;
    document.body().ok_or("no body")?.set_attribute("data-ready", "")
}

impl Page {
    async fn show(&self) {
        let asked = self.asked.ask();
        let Ok(preferences) = preferences::stored().await else { return };
        let verdicts = ready::verdicts(&preferences, ready::held(&preferences).await).await;
        if !self.asked.is(asked) {
            return;
        }
        let to_do = verdicts.iter().filter(|verdict| verdict.grade >= Grade::Careful).count();
        let words = if to_do == 0 { text("readyYes") } else { i18n::plural("readyNo", to_do, &[]) };
        if self.summary.text_content().as_deref() != Some(&words) {
            self.summary.set_text_content(Some(&words));
        }
        self.summary.set_class_name(if to_do == 0 { "message-good" } else { "message-doubt" });
        dom::fill_list(&self.lines, verdicts, row);
    }

    /// Tries the connection with what is stored.
    async fn try_connection(&self) {
        let settings = preferences::stored().await.ok().and_then(|preferences| preferences.settings().ok());
        let Some(settings) = settings.filter(|_| !self.is_testing.replace(true)) else { return };
        self.test.set_disabled(true);
        self.said.set_text_content(Some(&text("testing")));
        let tried = options::connect(settings.clone()).await.map(|(ready, _)| ready);
        let trial = Trial::of(tried.as_ref(), &settings);
        if trial.is_good() {
            // As the settings page does: the guide goes by it.
            let _ = preferences::save_tested(&guide::tested_as(&settings)).await;
        }
        ready::keep_tested(&settings, Some(&trial)).await;
        self.said.set_text_content(Some(&wording::trial(&trial, &settings)));
        self.test.set_disabled(false);
        self.is_testing.set(false);
        self.show().await;
    }
}

fn row(verdict: Verdict) -> Result<HtmlElement, JsValue> {
    let row = dom::from_template("ready-template")?;
    row.set_attribute("data-grade", grade(verdict.grade))?;
    row.set_attribute("data-line", verdict.line.id())?;
    dom::set_field(
        &row,
        "grade",
        &text(match verdict.grade {
            Grade::Good => "readyGood",
            Grade::Note => "readyNote",
            Grade::Careful | Grade::Stop => "readyToDo",
        }),
    );
    dom::set_field(&row, "line", &words::line(verdict.line));
    dom::set_field(&row, "found", &words::finding(verdict.finding));
    Ok(row)
}

fn grade(grade: Grade) -> &'static str {
    match grade {
        Grade::Good => "good",
        Grade::Note => "note",
        Grade::Careful => "careful",
        Grade::Stop => "stop",
    }
}
