//! A desk without a browser: core's outbox over real connections, with its log in memory.

use crate::{client, matrix::Desk};
use fake_koha::FakeKoha;
use koct_core::{
    CommitType, Entry, ServerUrl, Settings, State,
    desk::{amount::Cents, clock::DeskTime},
    outbox::{Input, Outbox, Output, summary::Summary},
};
use serde_json::{Value, json};

/// A desk whose log is in memory, and whose requests are made without a browser.
pub(crate) struct Native {
    pub(crate) settings: Settings,
    pub(crate) log: Vec<Entry>,
    /// From what sum on debts are told, in hundredths.
    pub(crate) debt_limit: Option<Cents>,
}

impl Native {
    pub(crate) fn new(koha: &FakeKoha, commit_type: CommitType) -> Self {
        let server = ServerUrl::parse(&koha.url()).unwrap();
        let settings = Settings { commit_type, ..Settings::at(server, "koha", "koha", "CPL") };
        Self { settings, log: Vec::new(), debt_limit: None }
    }

    /// Commits what is uncommitted.
    pub(crate) fn run(&mut self) -> Summary {
        let uncommitted: Vec<Entry> =
            self.log.iter().filter(|entry| State::TO_COMMIT.contains(&entry.status.state())).cloned().collect();
        let queued: Vec<Entry> =
            self.log.iter().filter(|entry| entry.status.state() == State::Added).cloned().collect();
        let outbox = Outbox::new(self.settings.clone(), uncommitted.into()).telling_debts_over(self.debt_limit);
        let mut outbox = outbox.knowing_queued(queued);
        loop {
            let input = match outbox.poll().unwrap() {
                Output::Persist(statuses) => {
                    for (id, status) in statuses {
                        let entry = self.log.iter_mut().find(|entry| entry.id == id).unwrap();
                        *entry = outbox.as_answered(Entry { status, ..entry.clone() });
                    }
                    Input::Persisted
                }
                Output::Request(ticket, request) => Input::Answer(ticket, client::send(&request)),
                Output::Wait(ticket, _) => Input::Waited(ticket),
                Output::LogIn(..) | Output::Person(_) | Output::Elsewhere(..) => unreachable!("it is an account's"),
                Output::Finished(summary) => return summary,
            };
            outbox.handle(input, DeskTime::from_millis(1_795_428_600_000));
        }
    }
}

impl Desk for Native {
    fn put(&mut self, row: Value) {
        self.log = vec![entry(1, row)];
    }

    fn commit(&mut self) -> String {
        format!("{:?}", self.run())
    }

    fn state(&self) -> State {
        self.log[0].status.state()
    }
}

pub(crate) fn entry(seq: u32, mut row: Value) -> Entry {
    row["seq"] = json!(seq);
    row["moment"] = json!({"utc": 1_795_428_000_000_u64 + u64::from(seq) * 1000, "offset": 60});
    serde_json::from_value(row).unwrap()
}
