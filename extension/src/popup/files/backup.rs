//! The whole log as a file, and such a file brought into this log.

use super::{export, import::outcome::Outcome};
use crate::{
    backup, clock, dom,
    i18n::{js_error, plural, text, text_with},
    later::seldom,
    popup::{
        Desk, Tone, Topic,
        window::question::{self, Question, Reply},
    },
    preferences,
    store::StoreError,
    timer::sleep,
    wording::{self, Explained as _},
};
use koct_core::{
    DeskName, Entry, TransactionId,
    desks::{
        backup::{
            Header,
            adoption::{Adoption, AdoptionStep, Input},
            file_name,
            merging::merged,
        },
        import::{file::ImportError, knowledge::Knowledge},
    },
};
use std::{collections::HashMap, rc::Rc, time::Duration};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

/// # Errors
/// When the page lacks an element.
pub(crate) fn bind(desk: &Rc<Desk>) -> Result<(), JsValue> {
    dom::on_click("backup", desk, |desk| spawn_local(back_up(desk.clone())))
}

seldom! {
    async fn back_up(desk: Rc<Desk>) {
        match write(&desk).await {
            Ok((name, number)) => {
                desk.message.about(Topic::Backup).show(Tone::Good, &plural("backupDone", number, &[&name]));
            }
            Err(error) => desk.failed(Topic::Backup, "backupFailed", &error),
        }
    }
}

/// Downloads the whole log. Returns the file's name and the number of transactions in it.
async fn write(desk: &Desk) -> Result<(String, u32), String> {
    let now = clock::now().ok_or_else(|| text("attentionClock"))?;
    let own = desk.preferences.borrow().desk_name();
    let name = file_name(&own, now);
    let backup = backup::read(&desk.store, own, now, None).await.map_err(|error| error.explained())?;
    export::download(&name, &backup.parts).map_err(|error| js_error(&error))?;
    Ok((name, backup.transactions))
}

/// Brings a backup into the log.
pub(super) async fn import(desk: &Desk, bytes: &[u8], knowledge: &mut Knowledge) -> Outcome {
    let Ok(header) = Header::from_file(bytes) else {
        // It was another file when it was looked at.
        return Outcome::failed(wording::import_error(ImportError::Unknown));
    };
    let Some(now) = clock::now() else { return Outcome::failed(text("attentionClock")) };
    // What was scanned while that was asked must not become another desk's.
    let is_still_empty = async || desk.store.ids(None).await.is_ok_and(|ids| ids.is_empty());
    if knowledge.may_become(&header.desk) && adopts_name(&header.desk).await && is_still_empty().await {
        if let Err(error) = preferences::save_desk_name(header.desk.as_str()).await {
            return Outcome::failed(js_error(&error));
        }
        knowledge.become_desk(header.desk.clone());
    }
    let (mut adoption, mut step) = Adoption::start(bytes, header, knowledge);
    loop {
        let done = match step {
            AdoptionStep::Keep(rows) => desk.store.keep(&rows).await.map(Input::Kept),
            AdoptionStep::Read(ids) => desk.store.get(&ids).await.map(Input::Here),
            AdoptionStep::Write(known, new) => write_adopted(desk, known, new).await.map(Input::Written),
            AdoptionStep::Remember(batches, cleared) => {
                let remembered = async {
                    desk.store.adopt_batches(&batches).await?;
                    desk.store.adopt_cleared(&cleared, now).await
                };
                remembered.await.map(|()| Input::Remembered)
            }
            AdoptionStep::Rest => {
                sleep(Duration::ZERO).await;
                Ok(Input::Rested)
            }
            AdoptionStep::Finish => return Outcome::from_backup(adoption.into_outcome()),
        };
        match done {
            Ok(done) => step = adoption.handle(done),
            Err(error) => {
                // What was written stays, and is known again when the file is imported again.
                let mut outcome = Outcome::from_backup(adoption.into_outcome());
                outcome.failed = Some(error.explained());
                return outcome;
            }
        }
    }
}

async fn write_adopted(
    desk: &Desk,
    known: HashMap<TransactionId, Entry>,
    new: Vec<Entry>,
) -> Result<Vec<Entry>, StoreError> {
    let ids = TransactionId::in_order(known.keys().copied());
    // As it is now: what was cleared or changed since it was read needs, or gets, what it needs now.
    desk.store.change_where(&ids, |here| merged(here, known.get(&here.id)?)).await?;
    desk.store.add(new).await
}

async fn adopts_name(desk: &DeskName) -> bool {
    let desk = desk.as_str();
    let (title, yes) = (text_with("backupAdoptTitle", &[desk]), text_with("backupAdoptYes", &[desk]));
    let (body, other) = (text("backupAdoptText"), text("backupAdoptNo"));
    let question = Question { title: &title, text: &body, yes: &yes, other: Some(&other), ..Question::default() };
    question::ask(question).await == Ok(Reply::Yes)
}
