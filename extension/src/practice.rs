//! Practice: a window of its own on made-up records, which can send nowhere. What is made up is `koct_core::practice`; that it touches
//! nothing of the desk's is [`ground`](crate::ground).

use crate::{
    clock, directory,
    i18n::{text, text_with},
    later::part,
    lock,
    preferences::{self, Preferences},
    store::{self, Store},
};
use futures_util::future::join;
use koct_core::{
    Settings,
    koha::{Request, Response},
    practice::{
        self,
        koha::Koha,
        made_up::{MadeUp, Words},
    },
};
use std::{cell::RefCell, mem};

/// The lock that all windows of practice share.
const OPEN: &str = "koct-open";

thread_local! {
    /// The Koha of this window.
    static KOHA: RefCell<Option<Koha>> = const { RefCell::new(None) };
}

part! {
    practice,
    /// Practice begins in this window: empty, unless another window practises. Gives the settings that hold in it; `None` where
    /// Firefox cannot read them.
    pub(crate) async fn begin() -> Option<Preferences> {
        let alone = lock::lock_of(OPEN).await;
        if alone.is_some() {
            // Where that is not possible, what was practised before is there still.
            let _ = directory::empty().await;
            if let Ok(store) = Store::open(&store::database()).await {
                let _ = store.empty().await;
                store.close();
            }
        }
        // It is asked for before it is given back, so that nobody else finds nobody.
        let (shared, ()) = join(lock::share(OPEN), async { drop(alone) }).await;
        // For as long as the window lives.
        mem::forget(shared);
        let preferences = preferences::load().await.ok();
        let wanted = preferences.clone().unwrap_or_else(|| practice::settings::preferences(Preferences::default()));
        KOHA.set(made_up(&wanted).map(|library| Koha::new(&library, &wanted.form.branchcode)));
        preferences
    }
}

/// What the settings of practice make up.
fn made_up(preferences: &Preferences) -> Option<MadeUp> {
    let [surname, title, library] = ["practiceSurname", "practiceBook", "practiceBranch"].map(text);
    let words = Words { surname: &surname, title: &title, library: &library };
    Some(MadeUp::new(words, preferences, clock::now()?))
}

/// The made-up library; `None` where the computer's clock is out of all bounds.
pub(crate) async fn library() -> Option<MadeUp> {
    let preferences = preferences::load().await.ok();
    made_up(&preferences.unwrap_or_else(|| practice::settings::preferences(Preferences::default())))
}

/// With what a commit goes to the made-up Koha.
pub(crate) fn settings(preferences: &Preferences) -> Option<Settings> {
    practice::settings::to_commit(preferences)
}

/// What the made-up Koha answers.
pub(crate) fn answer(request: &Request) -> Response {
    KOHA.with_borrow_mut(|koha| koha.as_mut().map(|koha| koha.answer(request)).unwrap_or_default())
}

/// The words for how a commit in practice went.
pub(crate) fn summary(words: &str) -> String {
    text_with("practiceSummary", &[words])
}
