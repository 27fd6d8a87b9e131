//! The library's data: what Koha keeps in its database, as plain values that a test may read and change.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, NaiveDateTime};

use crate::amount::Amount;
use crate::auth::{Flag, Session};
use crate::clock::Zone;
use crate::collation::same;
use crate::plugin::Plugin;

/// Which Koha this is: 24.05 changed the login parameters and brought CSRF tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Era {
    /// As Koha 19.06 was observed.
    #[default]
    Before2405,
    /// As the sources of Koha 24.05 and later say.
    From2405,
}

/// Text of which a big library holds the same again and again: it may lie in the program itself.
pub type Text = Cow<'static, str>;

/// One database of one library system.
#[derive(Debug, Clone, Default)]
pub struct Library {
    /// The server's era; set when a server starts with this library.
    pub era: Era,
    /// The server's zone; set when a server starts with this library.
    pub zone: Zone,
    /// As the newest sources rather than Koha of February 2025; set when a server starts with this library.
    pub newest: bool,
    /// Moves the server's clock; 0 is the true time.
    pub clock_shift_seconds: i64,
    /// System preferences and the like.
    pub preferences: Preferences,
    /// The branches ("libraries" in Koha's REST API).
    pub branches: Vec<Branch>,
    /// Everybody with a card, staff included.
    pub patrons: Vec<Patron>,
    /// Everything with a barcode.
    pub items: Vec<Item>,
    /// What is out now.
    pub loans: Vec<Loan>,
    /// What was out and came back, oldest first.
    pub old_loans: Vec<OldLoan>,
    /// Holds that still wait.
    pub holds: Vec<Hold>,
    /// Holds that were filled or cancelled.
    pub old_holds: Vec<OldHold>,
    /// Debts and credits of all patrons, oldest first.
    pub account_lines: Vec<AccountLine>,
    /// The payments that were booked.
    pub payments: Vec<Payment>,
    /// The queue of pending offline operations, in the order of insertion.
    pub pending: Vec<Operation>,
    /// Files uploaded through tools/upload-file.pl.
    pub uploads: Vec<Upload>,
    /// Sessions by their id, anonymous ones included.
    pub sessions: BTreeMap<String, Session>,
    /// How often a password was checked, right ones and wrong ones.
    pub password_checks: usize,
    /// Keys with which programs get tokens for the REST API.
    pub api_keys: Vec<ApiKey>,
    /// Tokens of the REST API that were given out.
    pub access_tokens: BTreeMap<String, AccessToken>,
    /// Saved SQL reports, by their numbers.
    pub reports: BTreeMap<u32, Report>,
    /// The plugin of the desktop tool, where it is installed.
    pub plugin: Option<Plugin>,
    /// Everything that ever happened to the data through HTTP, in order: the place to look for doubles.
    pub effects: Vec<Effect>,
    /// Tokens of an earlier generation are no longer valid.
    pub(crate) csrf_generation: u64,
    /// Counts up for the rows of the queue, which nothing else shares with them.
    pub(crate) last_operation_id: u64,
    /// Counts up for other new ids of any kind.
    pub(crate) last_id: u64,
}

/// What an administrator may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Preferences {
    /// The database waits for an update: nobody can log in.
    pub maintenance: bool,
    /// `FailedLoginAttempts`: the number of wrong passwords that lock an account.
    pub failed_login_attempts: Option<u32>,
    /// The circulation rule `maxissueqty`: the number of loans that a patron may have. None: any.
    pub most_loans: Option<usize>,
    /// `dateformat`: how pages write days. From 24.05 also in the queue.
    pub date_format: DateFormat,
    /// `itemBarcodeInputFilter`: what Koha's own pages make of items' barcodes. The newest sources tell it by REST.
    pub item_barcode_input_filter: &'static str,
}

/// How Koha's pages write a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DateFormat {
    /// `11/23/2026`.
    #[default]
    Us,
    /// `23/11/2026`.
    Metric,
    /// `2026-11-23`.
    Iso,
    /// `23.11.2026`.
    Dotted,
}

impl DateFormat {
    /// Day, hour and minute of `YYYY-MM-DD HH:MM:SS`; anything else as it is.
    pub(crate) fn write(self, stamp: &str) -> String {
        let (Some(year), Some(month), Some(day), Some(time)) =
            (stamp.get(..4), stamp.get(5..7), stamp.get(8..10), stamp.get(11..16))
        else {
            return stamp.to_owned();
        };
        match self {
            Self::Us => format!("{month}/{day}/{year} {time}"),
            Self::Metric => format!("{day}/{month}/{year} {time}"),
            Self::Iso => format!("{year}-{month}-{day} {time}"),
            Self::Dotted => format!("{day}.{month}.{year} {time}"),
        }
    }
}

/// A branch of the library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// Its branch code, such as `CPL`.
    pub code: String,
    /// Its name, such as `Centerville`.
    pub name: String,
}

/// Somebody with a card; in Koha the staff are patrons too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Patron {
    /// Koha's borrowernumber.
    pub id: u64,
    /// The number on the card.
    pub cardnumber: String,
    /// The login name; empty if there is none.
    pub userid: String,
    /// The password; empty if there is none.
    pub password: String,
    /// Family name.
    pub surname: Text,
    /// Given name.
    pub firstname: Text,
    /// Middle name; empty if there is none.
    pub middle_name: Text,
    /// The name that they go by; empty if it is the given name.
    pub preferred_name: Text,
    /// Home branch.
    pub branch: Text,
    /// Category code.
    pub category: Text,
    /// Birthday, `YYYY-MM-DD`; empty if it is not known.
    pub date_of_birth: Text,
    /// First day of membership, `YYYY-MM-DD`; empty if it is not known.
    pub enrolled_on: Text,
    /// Last day of membership, `YYYY-MM-DD`.
    pub expiry_date: Text,
    /// Restricted ("debarred") until this day; `9999-12-31` is for ever.
    pub restricted_until: Option<Text>,
    /// Why, for the staff. The REST API tells neither this nor the day.
    pub restriction_comment: Text,
    /// The card was reported lost.
    pub card_lost: bool,
    /// The address is in doubt.
    pub address_in_doubt: bool,
    /// A note for the staff; empty if there is none.
    pub staff_note: Text,
    /// A note that the patron sees too; empty if there is none.
    pub opac_note: Text,
    /// E-mail address; empty if there is none.
    pub email: Text,
    /// Telephone; empty if there is none.
    pub phone: Text,
    /// Street and number; empty if it is not known.
    pub address: Text,
    /// Town; empty if it is not known.
    pub city: Text,
    /// When the record was last changed, server-local `YYYY-MM-DD HH:MM:SS`. Nothing here changes it by itself.
    pub updated_on: Text,
    /// What the account may do in the staff client.
    pub permissions: Vec<Flag>,
    /// A login by the form asks for a code too, which is [`crate::SECOND_FACTOR`].
    pub second_factor: bool,
    /// Wrong passwords since the last right one.
    pub login_attempts: u32,
}

/// Something with a barcode.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Item {
    /// Koha's itemnumber.
    pub id: u64,
    /// Koha's biblionumber: several copies share it.
    pub biblio_id: u64,
    /// The barcode.
    pub barcode: String,
    /// The title.
    pub title: Text,
    /// The author.
    pub author: Text,
    /// Home branch.
    pub branch: Text,
    /// The branch where it is, or from where it left; empty if it is the home branch.
    pub holding_branch: Text,
    /// Call number; empty if there is none.
    pub call_number: Text,
    /// Accompanying materials; empty if there are none.
    pub materials: Text,
    /// Code of the item type; empty if there is none.
    pub item_type: Text,
    /// Due date if on loan, as the items table keeps it beside the loan.
    pub on_loan: Option<String>,
    /// Koha's `itemlost`; an issue resets it to 0.
    pub lost: u8,
    /// Koha's `notforloan`; nothing offline looks at it.
    pub not_for_loan: u8,
    /// When it was last seen, server-local.
    pub last_seen: Option<String>,
}

/// An item in somebody's hands. Times are server-local, `YYYY-MM-DD HH:MM:SS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loan {
    /// Koha's issue id.
    pub id: u64,
    /// Who has it.
    pub patron_id: u64,
    /// What it is.
    pub item_id: u64,
    /// The branch of the login that issued it.
    pub branch: String,
    /// When it was issued.
    pub issued_at: String,
    /// When it is due.
    pub due_at: String,
    /// How often it was renewed.
    pub renewals: u32,
    /// When it was last renewed.
    pub last_renewed_at: Option<String>,
}

/// A loan that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldLoan {
    /// What it was.
    pub loan: Loan,
    /// When it came back, server-local; may lie before the issue, Koha does not mind.
    pub returned_at: String,
    /// The branch of the login that took it back.
    pub checkin_branch: String,
}

/// A wish for a title (any copy) or for one copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Koha's reserve id.
    pub id: u64,
    /// Who waits.
    pub patron_id: u64,
    /// The title.
    pub biblio_id: u64,
    /// The one copy, if only that will do.
    pub item_id: Option<u64>,
    /// The branch where it is to be fetched.
    pub branch: String,
    /// 1 is next; 0 if an item was found for it.
    pub priority: u32,
    /// When it was placed, `YYYY-MM-DD`.
    pub placed_on: Text,
    /// Whether an item was found for it; then that is the item of the hold.
    pub found: Option<Found>,
    /// Since when the item lies on the shelf, `YYYY-MM-DD`.
    pub waiting_since: Option<Text>,
}

/// Where the item of a hold is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// On the hold shelf (`W`).
    Waiting,
    /// On its way to the branch of the hold (`T`).
    InTransit,
}

/// A key of the REST API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its name.
    pub client_id: String,
    /// Its secret.
    pub secret: String,
    /// Whose permissions it has.
    pub patron_id: u64,
    /// Whether it is in force.
    pub active: bool,
}

/// What a saved SQL report gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// Number, day and comment of whoever is restricted, after the number that is asked for.
    Restrictions,
    /// The same without a placeholder: it gives the first of them again and again.
    RestrictionsWithoutPlaceholder,
    /// Code and name of each branch.
    Branches,
    /// An error of the database.
    Wrong,
}

/// A token of the REST API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// The key that got it.
    pub client_id: String,
    /// The server's time (seconds since 1970) at which it ends.
    pub expires: i64,
}

/// How a hold ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldEnd {
    /// Its owner got the item.
    Filled,
    /// Somebody else got the item.
    Cancelled,
}

/// A hold that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldHold {
    /// What it was.
    pub hold: Hold,
    /// How it ended.
    pub end: HoldEnd,
}

/// A debt (positive) or a credit (negative).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountLine {
    /// Whose.
    pub patron_id: u64,
    /// `OVERDUE`, `Pay` and so on.
    pub kind: Text,
    /// When it was made, `YYYY-MM-DD`.
    pub date: Text,
    /// The amount at first.
    pub amount: Amount,
    /// What of it is still open.
    pub outstanding: Amount,
}

/// A payment that was booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Who paid.
    pub patron_id: u64,
    /// How much.
    pub amount: Amount,
    /// Where.
    pub branch: String,
    /// When it was booked, server-local: never the time of the transaction.
    pub booked_at: String,
}

/// One offline transaction: a row of `pending_offline_operations`, or one on its way through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Operation {
    /// The row's id; none if it was never in the queue.
    pub id: Option<u64>,
    /// The name that was sent along; not checked.
    pub userid: String,
    /// The branch code that was sent along; not checked.
    pub branch: String,
    /// Server-local `YYYY-MM-DD HH:MM:SS`.
    pub timestamp: String,
    /// `issue`, `return`, `payment`, or anything else.
    pub action: String,
    /// The item's barcode; empty if there was none.
    pub barcode: String,
    /// The patron's cardnumber; empty if there was none.
    pub cardnumber: String,
    /// The amount of a payment.
    pub amount: Amount,
}

/// A file that was uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Its id, as told in the answer.
    pub id: u64,
    /// Its name at the sender.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// One thing that happened to the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A new loan.
    Issued {
        /// To whom.
        cardnumber: String,
        /// What.
        barcode: String,
        /// When, server-local.
        at: String,
        /// The branch of the loan.
        branch: String,
    },
    /// An issue of what the patron had already.
    Renewed {
        /// By whom.
        cardnumber: String,
        /// What.
        barcode: String,
        /// When, server-local.
        at: String,
    },
    /// The end of a loan.
    Returned {
        /// Who had it.
        cardnumber: String,
        /// What.
        barcode: String,
        /// When, server-local.
        at: String,
    },
    /// A check-in of what nobody has (only by Koha's own check-in).
    UsedHere {
        /// What.
        barcode: String,
        /// When, server-local.
        at: String,
    },
    /// A booked payment.
    Paid {
        /// By whom.
        cardnumber: String,
        /// How much.
        amount: Amount,
    },
    /// A payment that failed half-way: the debt is lower and no payment was booked.
    DebtLowered {
        /// Whose debt.
        cardnumber: String,
        /// By how much.
        by: Amount,
    },
    /// A hold was filled or cancelled by an issue.
    HoldEnded {
        /// Whose hold.
        cardnumber: String,
        /// The barcode that was issued.
        barcode: String,
        /// How.
        end: HoldEnd,
    },
    /// A new row in the queue of pending operations.
    Queued(Operation),
    /// A row left the queue because it was processed.
    Processed {
        /// The row's id.
        id: u64,
        /// What Koha said.
        answer: String,
    },
    /// A row left the queue because it was deleted.
    Deleted {
        /// The row's id.
        id: u64,
    },
}

impl Library {
    /// The server's clock in UTC.
    pub fn now_utc(&self) -> NaiveDateTime {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_secs());
        let seconds = i64::try_from(seconds).unwrap_or(0).saturating_add(self.clock_shift_seconds);
        DateTime::from_timestamp(seconds, 0).unwrap_or_default().naive_utc()
    }

    /// The server's clock in its own zone, as the database prints it.
    pub fn now_local(&self) -> String {
        crate::clock::stamp(self.zone.local(self.now_utc()))
    }

    pub(crate) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// The branch with this code.
    pub fn branch(&self, code: &str) -> Option<&Branch> {
        self.branches.iter().find(|branch| same(&branch.code, code))
    }

    /// The patron with this cardnumber, as the database compares.
    pub fn patron(&self, cardnumber: &str) -> Option<&Patron> {
        self.patrons.iter().find(|patron| !patron.cardnumber.is_empty() && same(&patron.cardnumber, cardnumber))
    }

    /// The patron with this cardnumber, to be changed.
    pub fn patron_mut(&mut self, cardnumber: &str) -> Option<&mut Patron> {
        self.patrons.iter_mut().find(|patron| !patron.cardnumber.is_empty() && same(&patron.cardnumber, cardnumber))
    }

    /// The patron with this login name, as the database compares.
    pub fn account(&self, userid: &str) -> Option<&Patron> {
        self.patrons.iter().find(|patron| !patron.userid.is_empty() && same(&patron.userid, userid))
    }

    /// The patron with this id.
    pub fn patron_by_id(&self, id: u64) -> Option<&Patron> {
        by_id(&self.patrons, id, |patron| patron.id)
    }

    /// The item with this id.
    pub fn item_by_id(&self, id: u64) -> Option<&Item> {
        by_id(&self.items, id, |item| item.id)
    }

    /// The item with this barcode, as the database compares: case and accents do not matter.
    pub fn item(&self, barcode: &str) -> Option<&Item> {
        self.items.iter().find(|item| !item.barcode.is_empty() && same(&item.barcode, barcode))
    }

    /// The item with this barcode, to be changed.
    pub fn item_mut(&mut self, barcode: &str) -> Option<&mut Item> {
        self.items.iter_mut().find(|item| !item.barcode.is_empty() && same(&item.barcode, barcode))
    }

    /// The open loan of the item with this barcode.
    pub fn loan_of(&self, barcode: &str) -> Option<&Loan> {
        let item = self.item(barcode)?.id;
        self.loans.iter().find(|loan| loan.item_id == item)
    }

    /// The card of the patron who has this item now.
    pub fn holder_of(&self, barcode: &str) -> Option<&str> {
        let patron = self.loan_of(barcode)?.patron_id;
        self.patron_by_id(patron).map(|patron| patron.cardnumber.as_str())
    }

    /// What the patron owes; negative is credit.
    pub fn balance(&self, cardnumber: &str) -> Amount {
        let id = self.patron(cardnumber).map(|patron| patron.id);
        let lines = self.account_lines.iter().filter(|line| Some(line.patron_id) == id);
        Amount(lines.map(|line| line.outstanding.0).sum())
    }

    /// The rows of the queue that a person logged in at this branch sees, in the order of the page.
    ///
    /// Koha: `GetOfflineOperations` sorts by the timestamp alone; rows of the same second were observed in the
    /// reverse order of their insertion.
    pub fn pending_at(&self, branch: &str) -> Vec<&Operation> {
        let mut rows: Vec<_> = self.pending.iter().rev().filter(|row| same(&row.branch, branch)).collect();
        rows.sort_by(|left, right| left.timestamp.cmp(&right.timestamp));
        rows
    }

    /// How many effects are like this.
    pub fn count_effects(&self, like: impl Fn(&Effect) -> bool) -> usize {
        self.effects.iter().filter(|effect| like(effect)).count()
    }
}

/// The row with this id: at once where the rows are in the order of their ids, as they are unless a test moved them.
fn by_id<T>(rows: &[T], id: u64, id_of: impl Fn(&T) -> u64) -> Option<&T> {
    let guess = rows.partition_point(|row| id_of(row) < id);
    rows.get(guess).filter(|row| id_of(row) == id).or_else(|| rows.iter().find(|row| id_of(row) == id))
}
