//! Puts what core says into the words of `_locales`.

use crate::{
    clock,
    directory::DiskError,
    i18n::{isolated, plural, text, text_with},
    locale,
    storage::StorageError,
    store::StoreError,
};
use chrono::{DateTime, Datelike as _, NaiveDate, Timelike as _, Utc};
use koct_borrowers_db::{FileError, Report, sqlite::SqliteError};
use koct_core::{
    Action, Amount, Barcode, CommitType, DeskName, Entry, Moment, Settings, State, Status, Transaction,
    desk::{amount::AmountError, barcode::CodeError, clock::DeskTime, scanner::ScannerEnd, signs},
    desks::{
        conflict::Kind,
        import::{file::ImportError, zip::ZipError},
        koc::Reason,
        list::{self, Becomes, Doing},
    },
    directory::{labels::Label, patron_fact::PatronFact},
    koha::{
        Failure, NotSent,
        checkins::Absence,
        connection::ConnectionError,
        front::Front,
        inquiry::{Finding, Unclear},
        page::LoggedIn,
        trial::Trial,
    },
    log::{
        audited::{Audited, Odd, Oddity},
        checked_in::CheckedIn,
        fresh::Part,
        revision::Change,
        status::{Attempt, Doubt, NO_ITEM, NO_PATRON, NOT_ISSUED},
        warned::{Grade, Warned, Warning},
    },
    outbox::summary::{self, CommitError, Summary},
    settings::{
        fold::Fact,
        form::{FieldError, ServerUrlError},
        key_kept::KeyKept,
    },
};
use std::time::Duration;

/// What was done.
pub(crate) fn action(action: &Action) -> String {
    text(match action {
        Action::Issue { .. } => "checkout",
        Action::Return { .. } => "checkin",
        Action::Payment { .. } => "payment",
    })
}

/// What there is of these, in one line. They follow each other as the page runs, whatever way each of them runs.
pub(crate) fn joined(parts: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut line = String::new();
    for part in parts {
        if !line.is_empty() && !part.as_ref().is_empty() {
            line.push_str(" · ");
        }
        line.push_str(&isolated(part.as_ref()));
    }
    line
}

/// A transaction in one line, for people who go on: with its time to the minute.
pub(crate) fn entry(entry: &Entry) -> String {
    let transaction = &entry.transaction;
    in_one_line(row_time(transaction.moment), &transaction.action)
}

/// That it was changed meanwhile, and how it stands now.
pub(crate) fn changed(now: &Entry) -> String {
    let key = if now.status.state().is_taken_back() { "undone" } else { "changedMeanwhile" };
    text_with(key, &[&entry(now)])
}

/// What was done when, in one line, for those who compare: to the second, and with the day.
pub(crate) fn transaction(transaction: &Transaction) -> String {
    in_one_line(moment(transaction.moment), &transaction.action)
}

fn in_one_line(time: String, what: &Action) -> String {
    let optional = |value: Option<String>| value.unwrap_or_default();
    joined([time, action(what), optional(what.cardnumber().map(ToString::to_string)), item_or_amount(what)])
}

/// The item's barcode, or the amount that was paid.
pub(crate) fn item_or_amount(action: &Action) -> String {
    action.barcode().map(ToString::to_string).or(action.amount().map(locale::amount)).unwrap_or_default()
}

/// A day and time of this computer's clock.
pub(crate) fn day_and_time(time: DeskTime) -> String {
    clock::moment(time).map(|moment| locale::date_and_minutes(moment.local())).unwrap_or_default()
}

/// A text of the library's or of Koha's, shown as text and harmless.
pub(crate) fn harmless(text: &str) -> String {
    signs::harmless(text).into_owned()
}

/// What was recorded, by title and name as far as they are known.
pub(crate) fn recorded(action: &Action, label: &Label) -> String {
    let (item, patron) = (called(&label.title, action.barcode()), called(&label.patron, action.cardnumber()));
    match action {
        Action::Issue { .. } => text_with("recordedCheckout", &[&item, &patron]),
        Action::Return { .. } => text_with("recordedCheckin", &[&item]),
        Action::Payment { amount, .. } => text_with("recordedPayment", &[&locale::amount(*amount), &patron]),
    }
}

/// What it is about: title and name, or the numbers.
pub(crate) fn names(action: &Action, label: &Label) -> String {
    let amount = action.amount().map(locale::amount).unwrap_or_default();
    joined([called(&label.title, action.barcode()), amount, called(&label.patron, action.cardnumber())])
}

/// The name, or the code where none is known.
fn called(name: &str, code: Option<&impl ToString>) -> String {
    if name.is_empty() { code.map(ToString::to_string).unwrap_or_default() } else { name.to_owned() }
}

/// The time of a row: to the minute, and with the day where that is not today.
pub(crate) fn row_time(moment: Moment) -> String {
    of_day(moment, &locale::minutes(moment.local()))
}

/// The same to the second, where two stand in one minute.
pub(crate) fn exact_time(moment: Moment) -> String {
    of_day(moment, &locale::seconds(moment.local()))
}

/// A time of day, with the day where that is not today.
fn of_day(moment: Moment, time: &str) -> String {
    let day = moment.local().date();
    let is_today = clock::now().is_some_and(|now| now.local().date() == day);
    if is_today { time.to_owned() } else { format!("{} {time}", locale::short_day(day)) }
}

/// As [`row_time`], of what this computer's clock showed.
pub(crate) fn row_time_of(time: DeskTime) -> String {
    clock::moment(time).map(row_time).unwrap_or_default()
}

/// As of when it is what is known of patrons and items.
pub(crate) fn as_of(time: DeskTime) -> String {
    text_with("recordsAsOf", &[&row_time_of(time)])
}

/// A time of day of this computer's clock.
pub(crate) fn time(time: DeskTime) -> String {
    clock::moment(time).map(time_of_day).unwrap_or_default()
}

/// Until when something is lent: the day, in short; with the time where that is not the end of the day.
pub(crate) fn due(due: DateTime<Utc>) -> String {
    let Some(local) = clock::local(due) else { return String::new() };
    let day = locale::short_day(local.date());
    if (local.hour(), local.minute()) == (23, 59) { day } else { format!("{day} {}", locale::minutes(local)) }
}

/// The day until which something is lent, in short.
pub(crate) fn due_day(due: DateTime<Utc>) -> String {
    clock::local(due).map(|local| locale::short_day(local.date())).unwrap_or_default()
}

/// What can be told to a person: why something did not work, and what to do, a sentence or more. What a library says of it is
/// not, so that its errors have no such words.
pub(crate) trait Explained {
    fn explained(&self) -> String;
}

impl Explained for str {
    fn explained(&self) -> String {
        self.to_owned()
    }
}

impl Explained for String {
    fn explained(&self) -> String {
        self.clone()
    }
}

impl Explained for StorageError {
    fn explained(&self) -> String {
        text(match self {
            Self::NewerVersion => "storageNewer",
            Self::Closed => "storageClosed",
            Self::Full => "storageFull",
            Self::Broken => "errorUnexplained",
        })
    }
}

impl Explained for StoreError {
    fn explained(&self) -> String {
        match self {
            Self::Storage(error) => error.explained(),
            Self::NotOpen(_) => text("editGone"),
        }
    }
}

impl Explained for DiskError {
    fn explained(&self) -> String {
        disk(self)
    }
}

/// Why records cannot be read or kept, and what to do.
pub(crate) fn disk(error: &DiskError) -> String {
    let why = match error {
        DiskError::Busy => return text("recordsBusy"),
        DiskError::DamagedBlockError(_) => text("recordsDamaged"),
        DiskError::Storage(error) => error.explained(),
    };
    text_with("recordsFailed", &[&why])
}

/// Where a transaction stands, in the documented words.
pub(crate) fn status(status: &Status) -> String {
    match status {
        Status::Local => text("statusLocal"),
        Status::Sending { .. } => text("statusSending"),
        Status::Added => text("statusAdded"),
        Status::Success => text("statusSuccess"),
        Status::Rejected { message } => match message.as_str() {
            NO_PATRON => text("statusBorrowerNotFound"),
            NOT_ISSUED => text("statusItemNotIssued"),
            message if NO_ITEM.contains(&message) => text("statusItemNotFound"),
            other => harmless(other),
        },
        Status::Deleted => text("statusDeleted"),
        Status::InDoubt { reason, attempt: Attempt { answer: Some(answer), .. } } => {
            text_with("statusInDoubtAnswer", &[&doubt(*reason), answer])
        }
        Status::InDoubt { reason, .. } => text_with("statusInDoubt", &[&doubt(*reason)]),
    }
}

fn doubt(reason: Doubt) -> String {
    text(match reason {
        Doubt::Interrupted => "doubtInterrupted",
        Doubt::ConnectionLost => "doubtConnectionLost",
        Doubt::TimedOut => "doubtTimedOut",
        Doubt::ServerError => "doubtServerError",
        Doubt::StrangeAnswer => "doubtStrangeAnswer",
    })
}

/// The name of a commit type, as Koha's manual has it.
pub(crate) fn commit_type(commit_type: CommitType) -> String {
    text(match commit_type {
        CommitType::Send => "commitSend",
        CommitType::Apply => "commitApply",
    })
}

fn control(code_point: u32) -> String {
    format!("U+{code_point:04X}")
}

/// What is wrong with a scanned code.
pub(crate) fn code_error(error: &CodeError) -> String {
    match error {
        CodeError::Empty => text("codeEmpty"),
        CodeError::ControlCharacter(code_point) => text_with("codeControl", &[&control(*code_point)]),
        CodeError::Invisible(sign) => text_with("codeInvisible", &[&signs::name(*sign)]),
        CodeError::Spreadsheet => text("codeSpreadsheet"),
        CodeError::TooLong { length, limit } => {
            text_with("codeTooLong", &[&locale::number(*length), &locale::number(*limit)])
        }
    }
}

/// What is wrong with an amount.
pub(crate) fn amount_error(error: AmountError) -> String {
    text(match error {
        AmountError::NotANumber => "amountNotANumber",
        AmountError::TooPrecise => "amountTooPrecise",
        AmountError::NotPositive => "amountNotPositive",
        AmountError::TooLarge => "amountTooLarge",
    })
}

/// Why a file cannot be imported.
pub(crate) fn import_error(error: ImportError) -> String {
    match error {
        ImportError::Unknown => text("importNotKoc"),
        ImportError::TooNew => text("backupTooNew"),
        ImportError::ListTooLong => text_with("listTooLong", &[&locale::number(list::MOST_LINES)]),
    }
}

/// The desk of an entry, where that is another, with the library at which it was recorded, where that is not what this desk is set to.
pub(crate) fn desk_and_branch(entry: &Entry, own: &str) -> String {
    let branch = entry.branch_or(own);
    joined(entry.desk.as_ref().map(DeskName::as_str).into_iter().chain(Some(branch).filter(|branch| *branch != own)))
}

/// What a line of a list becomes.
pub(crate) fn list_line(becomes: &Becomes) -> String {
    match becomes {
        Becomes::Action(action) => {
            let item = action.barcode().map(Barcode::as_str).unwrap_or_default();
            match action.cardnumber() {
                Some(card) => text_with("listCheckout", &[item, card.as_str()]),
                None => text_with("listCheckin", &[item]),
            }
        }
        Becomes::Patron(card) => text_with("listPatron", &[card.as_str()]),
        Becomes::Command(Doing::Checkout) => text("listCheckoutsFollow"),
        Becomes::Command(Doing::Checkin) => text("listCheckinsFollow"),
        Becomes::Heading => text("listHeading"),
        Becomes::Refused(reason) => text_with("listRefused", &[&list_reason(reason)]),
    }
}

fn list_reason(reason: &list::LineReason) -> String {
    match reason {
        list::LineReason::NotUtf8 => text("reasonNotUtf8"),
        list::LineReason::Rewritten(field) => text_with("reasonRewritten", &[field]),
        list::LineReason::Zeros { code, meant } => text_with("listZeros", &[code, meant]),
        list::LineReason::Time(time) => text_with("listTime", &[time]),
        list::LineReason::Cells(number) => text_with("listCells", &[&locale::number(*number)]),
        list::LineReason::NoPatron => text("listNoPatron"),
        list::LineReason::Card(card) => text_with("listCard", &[card.as_str()]),
        list::LineReason::TwoCards => text("listTwoCards"),
        list::LineReason::Command(command) => text_with("listCommand", &[command]),
        list::LineReason::Cardnumber(error) => text_with("reasonCardnumber", &[&code_error(error)]),
        list::LineReason::Barcode(error) => text_with("reasonBarcode", &[&code_error(error)]),
    }
}

/// Why nothing can be taken out of a ZIP file.
pub(crate) fn zip_error(error: ZipError) -> String {
    text(match error {
        ZipError::Damaged => "zipDamaged",
        ZipError::Locked => "zipLocked",
        ZipError::Unknown => "zipUnknown",
        ZipError::TooLarge => "zipTooLarge",
        ZipError::Spreadsheet => "zipSpreadsheet",
    })
}

/// What is wrong with a line of a .koc file.
pub(crate) fn koc_reason(reason: &Reason) -> String {
    match reason {
        Reason::NotUtf8 => text("reasonNotUtf8"),
        Reason::Time(time) => text_with("reasonTime", &[time]),
        Reason::Rewritten(field) => text_with("reasonRewritten", &[field]),
        Reason::Action(word) => text_with("reasonAction", &[word]),
        Reason::Fields { action, expected, found } => {
            text_with("reasonFields", &[action, &locale::number(*expected), &locale::number(*found)])
        }
        Reason::Cardnumber(error) => text_with("reasonCardnumber", &[&code_error(error)]),
        Reason::Barcode(error) => text_with("reasonBarcode", &[&code_error(error)]),
        Reason::Amount(error) => text_with("reasonAmount", &[&amount_error(*error)]),
    }
}

/// A moment, to the second, by the clock of its desk.
pub(crate) fn moment(moment: Moment) -> String {
    locale::date_and_time(moment.local())
}

/// A day, in words.
pub(crate) fn day(day: NaiveDate) -> String {
    locale::day(day)
}

/// A day as people at a desk say it on this one.
pub(crate) fn day_beside(day: NaiveDate, today: NaiveDate) -> String {
    match today.signed_duration_since(day).num_days() {
        0 => text("today"),
        1 => text("yesterday"),
        _ => locale::weekday(day, today.year()),
    }
}

/// The time of day of a moment, to the minute, by the clock of its desk.
pub(crate) fn time_of_day(moment: Moment) -> String {
    locale::minutes(moment.local())
}

/// A state by its name.
pub(crate) fn state(state: State) -> String {
    text(match state {
        State::Local => "stateLocal",
        State::Sending => "stateSending",
        State::Added => "stateAdded",
        State::Success => "stateSuccess",
        State::Rejected => "stateRejected",
        State::InDoubt => "stateInDoubt",
        State::Deleted => "stateDeleted",
    })
}

/// What was done to a transaction.
pub(crate) fn change(change: Change) -> String {
    text(match change {
        Change::Edited => "changeEdited",
        Change::Deleted => "changeDeleted",
        Change::Restored => "changeRestored",
        Change::Shifted => "changeShifted",
        Change::Separated => "changeSeparated",
    })
}

/// The kind of a conflict, and what Koha does there.
pub(crate) fn conflict(kind: Kind) -> [String; 2] {
    let keys = match kind {
        Kind::LaterCommitted => ["kindLaterCommitted", "effectLaterCommitted"],
        Kind::OutOfOrder => ["kindOutOfOrder", "effectOutOfOrder"],
        Kind::ReturnBeforeIssue => ["kindReturnBeforeIssue", "effectReturnBeforeIssue"],
        Kind::TwoPatrons => ["kindTwoPatrons", "effectTwoPatrons"],
        Kind::OnTwoDesks => ["kindOnTwoDesks", "effectOnTwoDesks"],
        Kind::Repeated => ["kindRepeated", "effectRepeated"],
        Kind::SameSecond => ["kindSameSecond", "effectSameSecond"],
        Kind::Future => ["kindFuture", "effectFuture"],
        Kind::LongPast => ["kindLongPast", "effectLongPast"],
    };
    keys.map(text)
}

/// What is wrong with a field of the settings.
pub(crate) fn field_error(error: &FieldError) -> String {
    match error {
        FieldError::Server(error) => text(match error {
            ServerUrlError::Empty => "urlEmpty",
            ServerUrlError::NotAnAddress => "urlNotAnAddress",
            ServerUrlError::Scheme => "urlScheme",
            ServerUrlError::Credentials => "urlCredentials",
        }),
        FieldError::Missing => text("fieldMissing"),
        FieldError::ControlCharacter(code_point) => text_with("fieldControl", &[&control(*code_point)]),
        FieldError::SomeDays(limit) => text_with("fieldSomeDays", &[&locale::number(*limit)]),
        FieldError::Days(limit) => text_with("fieldDays", &[&locale::number(*limit)]),
        FieldError::Lengths => text("fieldLengths"),
        FieldError::Rule(number) => text_with("ruleWrong", &[&locale::number(*number)]),
        FieldError::Pattern => text("fieldPattern"),
        FieldError::Amount(_) => text("fieldAmount"),
        FieldError::ReportNumber => text("fieldReport"),
        FieldError::QuietHours => text("fieldQuietHours"),
        FieldError::Hours(limit) => text_with("fieldHours", &[&locale::number(*limit)]),
        FieldError::TooLong { length, limit } => {
            text_with("fieldTooLong", &[&locale::number(*length), &locale::number(*limit)])
        }
    }
}

fn failure(failure: &Failure) -> String {
    text(match failure {
        Failure::NotSent(NotSent::Offline) => "troubleOffline",
        Failure::NotSent(NotSent::UnknownHost) => "troubleUnknownHost",
        Failure::NotSent(NotSent::Refused) => "troubleRefused",
        Failure::NotSent(NotSent::Insecure) => "troubleInsecure",
        Failure::NotSent(NotSent::NotAllowed) => "troubleNotAllowed",
        Failure::Redirected { to: Some(to) } => return text_with("troubleRedirectedTo", &[to]),
        Failure::Redirected { to: None } => "troubleRedirected",
        Failure::Lost => "troubleLost",
        Failure::TimedOut => "troubleTimedOut",
        Failure::TooLong => "troubleTooLong",
    })
}

/// Why Koha cannot be used, and what to do.
pub(crate) fn connection_error(error: &ConnectionError) -> String {
    text(match error {
        ConnectionError::NoAnswer(reason) => return failure(reason),
        ConnectionError::NotKoha { status, front } => {
            return front_in_the_way(*front).map_or_else(|| text_with("troubleNotKoha", &[&status.to_string()]), text);
        }
        ConnectionError::Busy(after) => return busy(*after),
        ConnectionError::ServerError { status: status @ 502..=504 } => {
            return text_with("troubleUnavailable", &[&status.to_string()]);
        }
        ConnectionError::ServerError { status } => return text_with("troubleServerError", &[&status.to_string()]),
        ConnectionError::Maintenance => "troubleMaintenance",
        ConnectionError::WrongCredentials => "troubleWrongCredentials",
        ConnectionError::NobodyLoggedIn => "troubleNobodyLoggedIn",
        ConnectionError::NotReadable => "troubleNotReadable",
        ConnectionError::TokenRefused => "troubleTokenRefused",
    })
}

/// What trying the settings has shown.
pub(crate) fn trial(trial: &Trial, settings: &Settings) -> String {
    let key = match trial {
        Trial::Works => "testOk",
        Trial::BranchUnchecked => "testOkUnchecked",
        Trial::BranchUnknown => "testBranchUnknown",
        Trial::BranchMissing { listed: true } => "testBranchMissing",
        Trial::BranchMissing { listed: false } => "fieldMissing",
        Trial::Failed(ConnectionError::WrongCredentials) => "testWrongCredentials",
        Trial::Failed(error) => return connection_error(error),
    };
    text_with(key, &[&settings.branchcode])
}

/// As whom it goes on, and where.
pub(crate) fn person(who: &LoggedIn) -> String {
    match &who.branchcode {
        Some(branchcode) => text_with("commitAs", &[&who.userid, branchcode]),
        None => text_with("commitAsOnly", &[&who.userid]),
    }
}

/// What to do about somebody who answers in Koha's place, where it shows who that is.
fn front_in_the_way(front: Front) -> Option<&'static str> {
    Some(match front {
        Front::BotWall => "troubleBotWall",
        Front::LoginPage => "troubleLoginPage",
        Front::BasicLogin => "troubleBasicLogin",
        Front::TooManyRequests => "troubleTooManyRequests",
        Front::Other => return None,
    })
}

fn busy(after: Duration) -> String {
    plural("troubleBusy", after.as_secs().div_ceil(60), &[])
}

/// Why something ended early.
pub(crate) fn commit_error(error: &CommitError, settings: &Settings) -> String {
    match error {
        CommitError::Cancelled => text("stopCancelled"),
        CommitError::Connection(reason) => connection_error(reason),
        CommitError::BranchUnknown { branch, libraries } => {
            let codes: Vec<_> = libraries.iter().map(|library| library.branchcode.as_str()).collect();
            // What another desk brought with it, or this one before its setting was changed, is not corrected in the settings.
            let key = if *branch == settings.branchcode { "stopBranchUnknown" } else { "stopRowsBranchUnknown" };
            text_with(key, &[branch, &codes.join(", ")])
        }
        CommitError::ConnectionLost(Failure::TooLong) => {
            format!("{} {}", failure(&Failure::TooLong), text("stopNotKohaOther"))
        }
        CommitError::ConnectionLost(reason) if summary::is_broken_off(reason) => text("stopConnectionLost"),
        CommitError::ConnectionLost(reason) => failure(reason),
        CommitError::ServerErrors(status) => text_with("stopServerErrors", &[&status.to_string()]),
        CommitError::NotKoha { front, words } => {
            let advice = front_in_the_way(*front).unwrap_or("stopNotKohaOther");
            format!("{} {}", text_with("stopNotKoha", &[words]), text(advice))
        }
        CommitError::Busy(after) => busy(*after),
        CommitError::BookedElsewhere { at, not_at } => text_with("stopBookedElsewhere", &[at, not_at]),
        CommitError::NotPersisted => text("stopNotPersisted"),
        CommitError::Changed => text("stopChanged"),
    }
}

/// Why those that Koha was asked about are in doubt still: the reason of the first of them, which mostly is that of all.
fn unclear(summary: &Summary) -> String {
    let first = summary.findings.iter().find_map(|(_, finding)| match finding {
        Finding::Unclear(reason) => Some(*reason),
        _ => None,
    });
    text(match first {
        Some(Unclear::NotReadable) => "unclearNotReadable",
        Some(Unclear::Moved) => "unclearMoved",
        Some(Unclear::TooEarly) => "unclearTooEarly",
        Some(Unclear::NotInQueue) => "unclearNotInQueue",
        Some(Unclear::LaterInDoubt) | None => "unclearLaterInDoubt",
    })
}

/// How many of the transactions of an earlier commit are in Koha, were refused, are in doubt and waited: what there is none of is
/// not said.
pub(crate) fn counts(numbers: [u32; 4]) -> String {
    let said = said_of(["countCommitted", "countRefused", "countInDoubt", "countNotSent"], numbers);
    if said.is_empty() { text_with("countCommitted", &[&locale::number(0)]) } else { said }
}

/// How many of a commit's transactions were read back, and how many could not be; empty where nothing is to be said.
pub(crate) fn read_back(audited: &Audited) -> String {
    said_of(["batchAudit", "batchUnread"], [audited.checked, audited.unread])
}

/// The sentences with a number of those that are not nothing.
fn said_of<const N: usize>(keys: [&str; N], numbers: [u32; N]) -> String {
    let there = keys.into_iter().zip(numbers).filter(|(_, number)| *number > 0);
    there.map(|(key, number)| text_with(key, &[&locale::number(number)])).collect::<Vec<_>>().join(" ")
}

/// What is odd about a transaction that Koha said yes to.
pub(crate) fn oddity(odd: &Odd, entry: Option<&Entry>) -> String {
    let action = entry.map(|entry| &entry.transaction.action);
    let code = action
        .and_then(|action| action.barcode().map(ToString::to_string).or(action.cardnumber().map(ToString::to_string)));
    let code = code.unwrap_or_else(|| odd.id.to_string());
    match &odd.oddity {
        Oddity::Renewed { due: Some(due) } => text_with("auditRenewed", &[&code, &locale::day(*due)]),
        Oddity::Renewed { due: None } => text_with("auditRenewedBack", &[&code]),
        Oddity::HadIt { due: Some(due) } => text_with("auditHadIt", &[&code, &locale::day(*due)]),
        Oddity::HadIt { due: None } => text_with("auditHadItBack", &[&code]),
        Oddity::NoTrace => text_with("auditNoTrace", &[&code]),
        Oddity::OtherPatron => text_with("auditOtherPatron", &[&code]),
        Oddity::OtherLibrary { library } => text_with("auditOtherLibrary", &[&code, library]),
        Oddity::Paid { cents } => {
            let amount = Amount::from_cents(*cents).map(locale::amount).unwrap_or_default();
            text_with("auditPaid", &[&code, &amount])
        }
        Oddity::Queued { times } => text_with("auditQueued", &[&code, &locale::number(*times)]),
    }
}

/// What Koha does not tell this account; empty where that is nothing.
pub(crate) fn silent(parts: &[Part]) -> String {
    let word = |part: &Part| {
        text(match part {
            Part::Items => "partItems",
            Part::Loans => "partLoans",
            Part::Patrons => "partPatrons",
            Part::Debts => "partDebts",
            Part::Holds => "partHolds",
            Part::Limits => "partLimits",
        })
    };
    let words: Vec<String> = parts.iter().map(word).collect();
    if words.is_empty() { String::new() } else { text_with("todoSilent", &[&words.join(", ")]) }
}

/// How a commit went, with what is odd about it. Says that all is done only where all is done. `worked` tells whether these
/// settings have worked before.
pub(crate) fn summary(summary: &Summary, odd: &[String], settings: &Settings, worked: bool) -> String {
    let committed = summary.committed();
    let mut lines = Vec::new();
    if summary.is_complete() && !summary.is_clean() {
        lines.push(text("summaryLookAt"));
    } else if summary.is_complete() {
        lines.push(match settings.commit_type {
            CommitType::Send => plural("summaryAllSent", committed, &[]),
            CommitType::Apply => plural("summaryAllApplied", committed, &[]),
        });
    } else if summary.is_still_down(worked) {
        lines.push(plural("stopStillDown", summary.left, &[]));
    } else {
        lines.push(ended(summary, settings));
    }
    lines.extend(odd.iter().cloned());
    for (number, key) in [
        (summary.found() - summary.found_queued() - summary.found_remembered(), "summaryFound"),
        (summary.found_queued(), "summaryFoundQueued"),
        (summary.found_remembered(), "summaryRemembered"),
        (summary.missing(), "summaryMissing"),
        (summary.unclear(), "summaryUnclear"),
    ] {
        if number > 0 {
            lines.push(plural(key, number, &[]));
        }
    }
    if summary.unclear() > 0 {
        lines.push(unclear(summary));
    }
    if summary.waiting > 0 {
        lines.push(plural("summaryWaiting", summary.waiting, &[]));
    }
    if summary.elsewhere > 0 {
        lines.push(plural("summaryElsewhere", summary.elsewhere, &[]));
    }
    if committed > 0 && !summary.branch_checked {
        lines.push(text_with("summaryBranchUnchecked", &[&settings.branchcode]));
    }
    lines.extend(summary.no_own_checkin.map(no_own_checkin));
    for branch in &summary.queued_at {
        lines.push(text_with("summaryQueue", &[branch]));
    }
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}

/// Why checkins went as before, where they were to go by Koha's own.
fn no_own_checkin(absence: Absence) -> String {
    text(match absence {
        Absence::NotThere => "noCheckinNotThere",
        Absence::NotAllowed => "noCheckinNotAllowed",
        Absence::NoDates => "noCheckinNoDates",
        Absence::OtherTime => "noCheckinOtherTime",
        Absence::Unclear => "noCheckinUnclear",
    })
}

/// What Koha said when it checked something in; empty where that goes without saying. What is not known is in its own words.
pub(crate) fn told(told: &CheckedIn) -> String {
    let to = harmless(told.to.as_deref().unwrap_or_default());
    let word = |key: &str| match key {
        CheckedIn::HOLD => text("saidHold"),
        CheckedIn::RECALL => text("saidRecall"),
        CheckedIn::TRANSFERRED if !to.is_empty() => text_with("saidTransferred", &[&to]),
        CheckedIn::NEEDS_TRANSFER if !to.is_empty() => text_with("saidNeedsTransfer", &[&to]),
        CheckedIn::WRONG_TRANSFER if !to.is_empty() => text_with("saidWrongTransfer", &[&to]),
        CheckedIn::WAS_LOST => text("saidWasLost"),
        CheckedIn::WITHDRAWN => text("saidWithdrawn"),
        CheckedIn::RESTRICTED => text("saidRestricted"),
        other => harmless(&other.replace('_', " ")),
    };
    let words: Vec<String> = told.to_tell().map(word).collect();
    if words.is_empty() { String::new() } else { text_with("toldByKoha", &[&words.join(" ")]) }
}

/// Why a commit ended early, and what became of what it was about, on one line.
fn ended(summary: &Summary, settings: &Settings) -> String {
    let reason = summary.stop.as_ref().map(|reason| commit_error(reason, settings));
    let committed = summary.committed();
    let in_koha = || plural("summaryInKoha", committed, &[&locale::number(summary.total())]);
    let others =
        said_of(["countRefused", "countInDoubt", "countNotSent"], [summary.rejected, summary.in_doubt, summary.left]);
    let sentences = reason.into_iter().chain((committed > 0).then(in_koha)).chain([others]);
    sentences.filter(|sentence| !sentence.is_empty()).collect::<Vec<_>>().join(" ")
}

/// What a person is warned of. `who` is the other patron it is about, empty where none is to be named; `library` gives the
/// name of a library.
pub(crate) fn warning(warning: &Warning, who: &str, library: &dyn Fn(&str) -> String) -> String {
    match warning {
        Warning::UnknownCard => text("warningUnknownCard"),
        Warning::Expired { on } => text_with("warningExpired", &[&locale::day(*on)]),
        Warning::Restricted { until: Some(until) } => text_with("warningRestrictedUntil", &[&locale::day(*until)]),
        Warning::Restricted { until: None } => text("warningRestricted"),
        Warning::LostCard => text("warningLostCard"),
        Warning::Debts { cents } => {
            let owed = Amount::from_cents(*cents).map(locale::amount).unwrap_or_default();
            text_with("warningDebts", &[&owed])
        }
        Warning::OverLimit { loans, limit } => {
            text_with("warningOverLimit", &[&locale::number(*loans), &locale::number(*limit)])
        }
        Warning::NotForLoan => text("warningNotForLoan"),
        Warning::LostItem => text("warningLostItem"),
        Warning::Withdrawn => text("warningWithdrawn"),
        Warning::WrongAddress => text("warningWrongAddress"),
        Warning::UnknownItem => text("warningUnknownItem"),
        Warning::PatronCard if who.is_empty() => text("warningPatronCard"),
        Warning::PatronCard => text_with("warningPatronCardOf", &[who]),
        Warning::OnLoan if who.is_empty() => text("warningOnLoan"),
        Warning::OnLoan => text_with("warningOnLoanTo", &[who]),
        Warning::Waiting if who.is_empty() => text("warningWaiting"),
        Warning::Waiting => text_with("warningWaitingFor", &[who]),
        Warning::InTransit if who.is_empty() => text("warningInTransit"),
        Warning::InTransit => text_with("warningInTransitFor", &[who]),
        Warning::Hold { pickup, .. } if who.is_empty() => text_with("warningHold", &[&library(pickup)]),
        Warning::Hold { pickup, .. } => text_with("warningHoldFor", &[who, &library(pickup)]),
    }
}

/// What is warned of, in two or three words.
pub(crate) fn short_warning(warning: &Warning) -> String {
    match warning {
        Warning::UnknownCard => text("shortUnknownCard"),
        Warning::Expired { on } => text_with("shortExpired", &[&locale::short_day(*on)]),
        Warning::Restricted { .. } => text("shortRestricted"),
        Warning::LostCard => text("shortLostCard"),
        Warning::Debts { cents } => {
            text_with("shortOwes", &[&Amount::from_cents(*cents).map(locale::amount).unwrap_or_default()])
        }
        Warning::OverLimit { .. } => text("shortOverLimit"),
        Warning::NotForLoan => text("shortNotForLoan"),
        Warning::LostItem => text("shortLostItem"),
        Warning::Withdrawn => text("shortWithdrawn"),
        Warning::WrongAddress => text("shortAddress"),
        Warning::UnknownItem => text("shortUnknownItem"),
        Warning::PatronCard => text("shortPatronCard"),
        Warning::OnLoan => text("shortOnLoan"),
        Warning::Waiting => text("shortWaiting"),
        Warning::InTransit => text("shortInTransit"),
        Warning::Hold { .. } => text("shortAside"),
    }
}

/// The gravest of what was warned of, in two or three words; nothing of what is only said.
pub(crate) fn gravest(warnings: &[Warned]) -> Option<(Grade, String)> {
    Warned::gravest(warnings).map(|warning| (warning.grade(), short_warning(warning)))
}

/// Something unusual about a patron, in two or three words.
pub(crate) fn patron_fact(fact: &PatronFact) -> String {
    match fact {
        PatronFact::Warned(warning) => short_warning(warning),
        PatronFact::ToPickUp(number) => plural("shortToPickUp", *number, &[]),
        PatronFact::Late(number) => plural("shortLate", *number, &[]),
        PatronFact::Owes(amount) => text_with("shortOwes", &[&locale::amount(*amount)]),
        PatronFact::Expires(day) => text_with("shortExpires", &[&locale::short_day(*day)]),
        PatronFact::StaffNote => text("shortNote"),
    }
}

/// Why a file is no borrowers.db that can be read.
pub(crate) fn borrowers_file(error: &FileError) -> String {
    match error {
        FileError::Sqlite(SqliteError::Empty) => text("borrowersEmpty"),
        FileError::Sqlite(SqliteError::NotSqlite) => text("borrowersNotSqlite"),
        FileError::Sqlite(SqliteError::Version2) => text("borrowersVersion2"),
        FileError::Sqlite(SqliteError::TooNew) => text("borrowersTooNew"),
        FileError::Sqlite(SqliteError::TooLarge) => text("borrowersTooLarge"),
        FileError::Sqlite(SqliteError::Cut) => text("borrowersCut"),
        FileError::Sqlite(SqliteError::Damaged { page }) => text_with("borrowersDamaged", &[&page.to_string()]),
        FileError::Sqlite(SqliteError::NoTable { table }) => text_with("borrowersNoTable", &[table]),
        FileError::Sqlite(SqliteError::OtherTable { table }) => text_with("borrowersOtherTable", &[table]),
        FileError::NoColumns { table, columns } => text_with("borrowersNoColumns", &[table, &columns.join(", ")]),
    }
}

/// What is to be told of a borrowers.db that was read, besides how much was in it.
pub(crate) fn borrowers_notes(report: &Report) -> Vec<String> {
    let counts = [
        (report.repeated_patrons, "borrowersRepeated"),
        (report.unnumbered_patrons, "borrowersUnnumbered"),
        (report.unnumbered_loans, "borrowersUnnumberedLoans"),
        (report.unclear_amounts, "borrowersUnclearAmounts"),
        (report.unclear_dates, "borrowersUnclearDates"),
    ];
    counts.into_iter().filter(|(number, _)| *number > 0).map(|(number, key)| plural(key, number, &[])).collect()
}

/// What ends a code.
pub(crate) fn scanner_end(end: ScannerEnd) -> String {
    text(match end {
        ScannerEnd::Enter => "scannerEndEnter",
        ScannerEnd::Tab => "scannerEndTab",
        ScannerEnd::Nothing => "scannerEndNothing",
    })
}

/// What is set in a fold of the settings page, in a line.
pub(crate) fn facts(facts: &[Fact<'_>]) -> String {
    joined(facts.iter().map(fact))
}

fn fact(fact: &Fact<'_>) -> String {
    match fact {
        Fact::Wanted(true) => text("factOn"),
        Fact::Wanted(false) => text("factOff"),
        Fact::Kept(KeyKept::Passphrase) => text("factPassphrase"),
        Fact::Kept(KeyKept::Memory) => text("factUntilClosed"),
        Fact::Kept(KeyKept::Computer) => text("factOnComputer"),
        Fact::Debts(None) => text("factNoDebts"),
        Fact::Debts(Some(cents)) => {
            // Zero is a limit, though no amount that is paid.
            let limit = Amount::from_cents(*cents).map_or_else(|| locale::number(0_u32), locale::amount);
            text_with("factDebts", &[&limit])
        }
        Fact::RemindAfter(days) => plural("factRemind", *days, &[]),
        Fact::EndsWith(ScannerEnd::Nothing) => text("factEndsNothing"),
        Fact::EndsWith(end) => text_with("factEnds", &[&scanner_end(*end)]),
        Fact::Cards(Some(pattern)) => text_with("factCards", &[pattern]),
        Fact::Cards(None) => text("factAnyCard"),
        Fact::Checked => text("factChecked"),
        Fact::AsScanned => text("factAsScanned"),
        Fact::ItemRules(number) => plural("factItemRules", *number, &[]),
        Fact::CardRules(number) => plural("factCardRules", *number, &[]),
        Fact::Sounds(true) => text("factSounds"),
        Fact::Sounds(false) => text("factNoSounds"),
        Fact::Notified => text("factNotified"),
        Fact::Copied => text("factCopied"),
        Fact::Library(Some(name)) | Fact::Desk(name) => signs::harmless(name).into_owned(),
        Fact::Library(None) => text("factNoLibrary"),
        Fact::LentFor(Some(days)) => plural("factLent", *days, &[]),
        Fact::LentFor(None) => text("factNoDue"),
        Fact::AskAfter(hours) => plural("factAsk", *hours, &[]),
        Fact::AskedWhereApplied => text("factAskedWhereApplied"),
        Fact::KohaCheckin => text("factKohaCheckin"),
    }
}
