//! What it takes to read back what Koha made of a long commit, and what is left to do about it.

use fake_koha::{Config, Era, FakeKoha, Fault, FaultKind, Library, Size};
use koct_core::{
    Action, Barcode, Cardnumber, CommitType, Entry, Moment, ServerUrl, Settings, Status, Transaction, TransactionId,
    koha::{
        Request, Response,
        afterwards::Afterwards,
        audit::Terms,
        service::{self, Access},
    },
};
use koct_tests::client;
use std::{
    ops::ControlFlow::{Break, Continue},
    time::{Duration, Instant},
};

/// Half of them checkouts, of this number of patrons.
const ROWS: u32 = 1_000;
const PATRONS: u32 = 150;
const DELAY: Duration = Duration::from_millis(20);

/// # Errors
/// When the server cannot be started, or does not answer as Koha.
pub(super) fn bench() -> koct_tests::Result {
    let size = Size { patrons: 200, items: 4_000, loans: 500, holds: 300 };
    let library = Library::generate_sized(7, &size);
    let koha = FakeKoha::start(Config { era: Era::From2405, library, ..Config::default() })?;
    let server = ServerUrl::parse(&koha.url()).map_err(|error| error.to_string())?;
    let settings = Settings { commit_type: CommitType::Apply, ..Settings::at(server, "koha", "koha", "CPL") };
    let anonymous = koct_core::koha::authentication::read(&send(&koct_core::koha::authentication::probe(&settings))?);
    let access = Access::Account { anonymous: anonymous.ok_or("it is no Koha")?.anonymous };
    // What is on loan comes back; and as much of the rest is lent.
    let (out, there) = koha.library(|library| {
        let is_out = |id| library.loans.iter().any(|loan| loan.item_id == id);
        let barcodes = |wanted| {
            let items = library.items.iter().filter(|item| is_out(item.id) == wanted);
            items.map(|item| item.barcode.clone()).collect::<Vec<_>>()
        };
        (barcodes(true), barcodes(false))
    });
    let mut entries = Vec::new();
    for number in 0..ROWS {
        let place = usize::try_from(number / 2)?;
        let action = if number % 2 == 0 {
            Action::Return { barcode: Barcode::parse(&out[place])? }
        } else {
            let cardnumber = Cardnumber::parse(&format!("{}", 20_000_000_000_001_u64 + u64::from(number % PATRONS)))?;
            Action::Issue { cardnumber, barcode: Barcode::parse(&there[place])? }
        };
        let moment = Moment::new(1_795_428_000_000 + i64::from(number) * 1_000, 60)?;
        let entry = Entry::recorded(TransactionId(number + 1), Transaction { moment, action });
        let answer = send(&service::commit(&settings, &access, &entry.transaction, &settings.branchcode))?;
        if answer.body != "Success." {
            return Err(format!("Koha said {:?}", answer.body).into());
        }
        entries.push(Entry { status: Status::Success, ..entry });
    }
    koha.fault(Fault::on("", FaultKind::Delay(DELAY)));
    let terms = Terms { debt_limit: Some(500), booked_at: Some("CPL".into()), ..Terms::default() };
    let began = Instant::now();
    let (mut asks, mut request) = Afterwards::start(settings, terms, entries);
    let mut requests = 1;
    let report = loop {
        match asks.handle(client::send(&request)) {
            Continue(next) => request = next,
            Break(Ok(report)) => break report,
            Break(Err(error)) => return Err(format!("{error:?}").into()),
        }
        requests += 1;
    };
    let audited = report.audited;
    println!(
        "audit of {ROWS} rows, the server waits {} ms: {requests} requests with the login, {:.2} s; {} read, {} not, {} to be looked at",
        DELAY.as_millis(),
        began.elapsed().as_secs_f64(),
        audited.checked,
        audited.unread,
        audited.odd.len() + audited.fresh.len(),
    );
    Ok(())
}

fn send(request: &Request) -> koct_tests::Result<Response> {
    client::send(request).map_err(|failure| format!("{failure:?}").into())
}
