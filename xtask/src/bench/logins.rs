//! Two ways to send from 24.05: name and password with each transaction, or a session of Koha's login form. What each costs, and at
//! which library each books.

use super::median;
use fake_koha::{Config, Era, FakeKoha, Library};
use koct_core::{
    Action, Barcode, Cardnumber, CommitType, Moment, ServerUrl, Settings, Transaction,
    koha::{
        Request, Response, authentication,
        login::{FormLogin, LoginStep},
        page,
        service::{self, Access},
    },
};
use koct_tests::{accounts::last_branch, client};
use std::time::Instant;

const TRANSACTIONS: usize = 300;
const DESK: &str = "MPL";

/// # Errors
/// When the server cannot be started, or does not answer as Koha.
pub(super) fn bench() -> koct_tests::Result {
    println!("{TRANSACTIONS} transactions applied for a desk at {DESK}, by the account:");
    // One that may work at any library, and one that may not.
    for account in ["koha", "circ"] {
        for by_session in [false, true] {
            let koha =
                FakeKoha::start(Config { era: Era::From2405, library: Library::standard(), ..Config::default() })?;
            let settings = settings(&koha, account)?;
            let access =
                if by_session { session(&settings)? } else { Access::Account { anonymous: anonymous(&settings)? } };
            let before = koha.library(|library| library.sessions.len());
            let mut times = Vec::new();
            for number in 0..TRANSACTIONS {
                let request = service::commit(&settings, &access, &checkout(number)?, DESK);
                let began = Instant::now();
                let answer = send(&request)?;
                times.push(began.elapsed().as_secs_f64() * 1_000.0);
                if answer.body != "Success." {
                    return Err(format!("Koha said {:?}", answer.body).into());
                }
                if number == 0 {
                    let at = last_branch(&koha).unwrap_or_default();
                    let way = if by_session { "session" } else { "password" };
                    print!("  {account:<5} {way:<9} booked at {at}");
                }
            }
            let after = koha.library(|library| library.sessions.len());
            println!(", {:.2} ms each, {} sessions made", median(times), after - before);
        }
    }
    println!("  what Koha takes to look at a password (bcrypt) is not in it.");
    Ok(())
}

fn settings(koha: &FakeKoha, account: &str) -> koct_tests::Result<Settings> {
    let server = ServerUrl::parse(&koha.url()).map_err(|error| error.to_string())?;
    Ok(Settings { commit_type: CommitType::Apply, ..Settings::at(server, account, account, DESK) })
}

/// The same checkout again and again: Koha takes it for a renewal.
fn checkout(number: usize) -> koct_tests::Result<Transaction> {
    let cardnumber = Cardnumber::parse("23529001223601")?;
    let barcode = Barcode::parse("39999000000001")?;
    let millis = 1_795_428_000_000 + i64::try_from(number)? * 1_000;
    let moment = Moment::new(millis, 60)?;
    Ok(Transaction { moment, action: Action::Issue { cardnumber, barcode } })
}

fn send(request: &Request) -> koct_tests::Result<Response> {
    client::send(request).map_err(|failure| format!("{failure:?}").into())
}

/// The session in which nobody is logged in.
fn anonymous(settings: &Settings) -> koct_tests::Result<Option<koct_core::koha::Session>> {
    Ok(authentication::read(&send(&authentication::probe(settings))?).ok_or("it is no Koha")?.anonymous)
}

/// The account's session, by Koha's login form.
fn session(settings: &Settings) -> koct_tests::Result<Access> {
    let (mut login, mut request) = FormLogin::start(settings, anonymous(settings)?.ok_or("there is no session")?);
    loop {
        let page = send(&request)?;
        match login.handle(settings, &page) {
            LoginStep::Request(next) => request = next,
            LoginStep::Session(session) => {
                let who = page::logged_in(&page).ok_or("nobody is logged in")?;
                return Ok(Access::Person { who, session });
            }
            LoginStep::Refused => return Err("the login was refused".into()),
        }
    }
}
