//! Each fault as Firefox tells of it. All that a fault can mean, for every kind of transaction, is tested without a browser in
//! `tests/src/matrix.rs`, with the same expectations.

use crate::{ERAS, configured, koha};
use koct_core::{CommitType, State};
use koct_tests::{
    desk::{self, Settings},
    matrix::{Desk, each_fault_once},
};
use serde_json::Value;

/// Empties the log and puts one row into it behind the window's back. Shows it, and gives its number.
const PUT: &str = "(async row => { const db = await new Promise((done, fail) => { const o = indexedDB.open('koct'); \
    o.onsuccess = () => done(o.result); o.onerror = fail; }); const seq = await new Promise((done, fail) => { \
    const t = db.transaction('transactions', 'readwrite'); const s = t.objectStore('transactions'); s.clear(); \
    const moment = {utc: Date.now(), offset: 60}; const adding = s.add({...row, moment}); t.oncomplete = () => done(adding.result); t.onerror = fail; }); db.close(); \
    const channel = new BroadcastChannel('koct-log'); channel.postMessage(null); channel.close(); return seq; })";

struct InFirefox {
    desk: desk::Desk,
    /// What was said of each commit since the last transaction was put into the log.
    said: Vec<String>,
}

impl Desk for InFirefox {
    fn put(&mut self, row: Value) {
        self.said.clear();
        let page = &self.desk.page;
        let seq = page.eval(&format!("{PUT}({row})")).unwrap();
        page.wait(&format!("document.querySelector('tr[data-seq=\"{seq}\"][data-status=local]')")).unwrap();
    }

    fn commit(&mut self) -> String {
        let said = self.desk.commit().unwrap();
        self.said.push(said.clone());
        said
    }

    fn state(&self) -> State {
        let states = self.desk.states().unwrap();
        assert_eq!(states.len(), 1);
        State::from_name(&states[0]).unwrap()
    }
}

/// Both eras in turn: how Firefox tells of a fault has nothing to do with them.
#[test]
fn firefox_tells_of_each_fault_what_it_proves() {
    for (first, era) in ERAS.into_iter().enumerate() {
        let koha = koha(era);
        let mut desk = InFirefox { desk: configured(&koha, CommitType::Send.name()), said: Vec::new() };
        let mut configured = CommitType::Send;
        for cell in each_fault_once(era).into_iter().skip(first).step_by(ERAS.len()) {
            if cell.commit_type != configured {
                desk.desk.set_up(&Settings::of(&koha.url(), cell.commit_type.name())).unwrap();
                configured = cell.commit_type;
            }
            cell.check(&koha, &mut desk);
            if let Some(says) = cell.says() {
                assert!(desk.said[0].contains(says) && !desk.said[0].contains("Done"), "{cell:?}: {:?}", desk.said);
            }
        }
    }
}
