//! The rows of the lists as JSON: their fields, and the rows that belong to them.
//!
//! The names come from Koha's API description (api/v1/swagger/definitions); those of the time before 24.05 as far as
//! they were observed on 19.06 or stand there in what is left.

use chrono::NaiveDateTime;
use serde_json::{Map, Value};

use crate::amount::Amount;
use crate::state::{AccountLine, Branch, Era, Found, Hold, Item, Library, Loan, OldLoan, Patron};

/// The data as one request sees it.
pub(crate) struct View<'a> {
    pub(crate) library: &'a Library,
    /// The server's day, `YYYY-MM-DD`.
    pub(crate) today: String,
    /// The server's time, `YYYY-MM-DD HH:MM:SS`.
    pub(crate) now: String,
}

impl<'a> View<'a> {
    pub(crate) fn new(library: &'a Library) -> Self {
        let now = library.now_local();
        Self { library, today: now[..10].to_owned(), now }
    }
}

/// A field of a row.
pub(crate) struct Field<T: 'static> {
    name: &'static str,
    since: Era,
    /// Whether it is a column of the table: others cannot be asked for in `q` and `_order_by`.
    column: bool,
    get: fn(&View<'_>, &T) -> Value,
}

impl<T> Field<T> {
    const fn new(name: &'static str, get: fn(&View<'_>, &T) -> Value) -> Self {
        Self { name, since: Era::Before2405, column: true, get }
    }

    /// A column that is always empty here.
    const fn empty(name: &'static str) -> Self {
        Self::new(name, |_, _| Value::Null)
    }

    const fn no(name: &'static str) -> Self {
        Self::new(name, |_, _| Value::Bool(false))
    }

    /// Koha has it from 24.05 at the latest, and 19.06 has it not.
    const fn later(mut self) -> Self {
        self.since = Era::From2405;
        self
    }

    /// It is computed and no column.
    const fn computed(mut self) -> Self {
        self.column = false;
        self
    }

    fn is_in(&self, era: Era) -> bool {
        self.since == Era::Before2405 || era == Era::From2405
    }
}

/// A row that belongs to another; there may be none.
pub(crate) enum Related<'a> {
    Patron(Option<&'a Patron>),
    Item(Option<&'a Item>),
    Biblio(Option<&'a Item>),
    Library(Option<&'a Branch>),
}

impl Related<'_> {
    /// As it is embedded.
    pub(crate) fn json(&self, view: &View<'_>) -> Value {
        match self {
            Self::Patron(row) => row.map_or(Value::Null, |row| row.json(view).into()),
            Self::Item(row) => row.map_or(Value::Null, |row| row.json(view).into()),
            Self::Biblio(row) => row.map_or(Value::Null, |row| biblio(row).into()),
            Self::Library(row) => row.map_or(Value::Null, |row| row.json(view).into()),
        }
    }

    fn value(&self, view: &View<'_>, column: &str) -> Value {
        match self {
            Self::Patron(row) => row.map_or(Value::Null, |row| row.value(view, column)),
            Self::Item(row) => row.map_or(Value::Null, |row| row.value(view, column)),
            Self::Biblio(row) => row.and_then(|row| biblio(row).remove(column)).unwrap_or_default(),
            Self::Library(row) => row.map_or(Value::Null, |row| row.value(view, column)),
        }
    }
}

/// A row of a list.
pub(crate) trait Row: Sized + 'static {
    /// Its fields.
    const FIELDS: &'static [Field<Self>];

    /// The column with its number, and the number; none where it has none.
    fn number(&self) -> Option<(&'static str, u64)> {
        None
    }

    /// The row that belongs to it.
    fn related<'a>(&'a self, _: &View<'a>, _: &str) -> Option<Related<'a>> {
        None
    }

    /// The whole row.
    fn json(&self, view: &View<'_>) -> Map<String, Value> {
        let fields = Self::FIELDS.iter().filter(|field| field.is_in(view.library.era));
        fields.map(|field| (field.name.to_owned(), (field.get)(view, self))).collect()
    }

    /// A column, or one of a row that belongs to it (`item.external_id`), or `me.` and a column.
    fn value(&self, view: &View<'_>, column: &str) -> Value {
        let column = column.strip_prefix("me.").unwrap_or(column);
        if let Some((relation, column)) = column.split_once('.') {
            return self.related(view, relation).map_or(Value::Null, |related| related.value(view, column));
        }
        Self::FIELDS.iter().find(|field| field.name == column).map_or(Value::Null, |field| (field.get)(view, self))
    }

    /// Whether the database has this column. What belongs to the row must be embedded to be asked for.
    fn has_column(era: Era, column: &str, embedded: &[String]) -> bool {
        let column = column.strip_prefix("me.").unwrap_or(column);
        match column.split_once('.') {
            Some((relation, column)) => {
                let parts = embedded.iter().map(|name| name.split_once('.').unwrap_or((name, "")));
                let below: Vec<String> =
                    parts.filter(|(name, _)| *name == relation).map(|(_, below)| below.to_owned()).collect();
                !below.is_empty()
                    && match relation {
                        "patron" | "issuer" => Patron::has_column(era, column, &below),
                        "item" => Item::has_column(era, column, &below),
                        "library" | "pickup_library" => Branch::has_column(era, column, &below),
                        "biblio" => BIBLIO.contains(&column),
                        _ => false,
                    }
            }
            None => Self::FIELDS.iter().any(|field| field.name == column && field.column && field.is_in(era)),
        }
    }
}

/// Text, or null if it is empty.
fn text(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { text.into() }
}

/// An amount as a JSON number.
pub(crate) fn amount(amount: Amount) -> Value {
    if amount.0 % 1_000_000 == 0 {
        return (amount.0 / 1_000_000).into();
    }
    amount.to_string().parse::<f64>().map_or(Value::Null, Value::from)
}

/// A server-local time as RFC 3339, with the offset of the server's zone; null if there is none.
fn moment(view: &View<'_>, time: &str) -> Value {
    let Ok(local) = NaiveDateTime::parse_from_str(time, "%Y-%m-%d %H:%M:%S") else { return Value::Null };
    let minutes = view.library.zone.offset_at(local);
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{}{sign}{:02}:{:02}", time.replace(' ', "T"), minutes.abs() / 60, minutes.abs() % 60).into()
}

fn is_restricted(view: &View<'_>, patron: &Patron) -> bool {
    patron.restricted_until.as_deref().is_some_and(|until| until.starts_with("9999") || until > view.today.as_str())
}

impl Row for Patron {
    /// Why somebody is restricted, and until when, is not among them.
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("patron_id", |_, patron| patron.id.into()),
        Field::new("cardnumber", |_, patron| text(&patron.cardnumber)),
        Field::new("surname", |_, patron| text(&patron.surname)),
        Field::new("firstname", |_, patron| text(&patron.firstname)),
        Field::new("preferred_name", |_, patron: &Self| {
            text(if patron.preferred_name.is_empty() { &patron.firstname } else { &patron.preferred_name })
        })
        .later(),
        Field::new("middle_name", |_, patron: &Self| text(&patron.middle_name)).later(),
        Field::empty("title"),
        Field::empty("other_name"),
        Field::empty("initials"),
        Field::empty("pronouns").later(),
        Field::empty("street_number"),
        Field::empty("street_type"),
        Field::new("address", |_, patron| text(&patron.address)),
        Field::empty("address2"),
        Field::new("city", |_, patron| text(&patron.city)),
        Field::empty("state"),
        Field::empty("postal_code"),
        Field::empty("country"),
        Field::new("email", |_, patron| text(&patron.email)),
        Field::new("phone", |_, patron| text(&patron.phone)),
        Field::empty("mobile"),
        Field::empty("fax"),
        Field::empty("secondary_email"),
        Field::empty("secondary_phone"),
        Field::empty("altaddress_street_number"),
        Field::empty("altaddress_street_type"),
        Field::empty("altaddress_address"),
        Field::empty("altaddress_address2"),
        Field::empty("altaddress_city"),
        Field::empty("altaddress_state"),
        Field::empty("altaddress_postal_code"),
        Field::empty("altaddress_country"),
        Field::empty("altaddress_email"),
        Field::empty("altaddress_phone"),
        Field::new("date_of_birth", |_, patron| text(&patron.date_of_birth)),
        Field::new("library_id", |_, patron| text(&patron.branch)),
        Field::new("category_id", |_, patron| text(&patron.category)),
        Field::new("date_enrolled", |_, patron| text(&patron.enrolled_on)),
        Field::new("expiry_date", |_, patron| text(&patron.expiry_date)),
        Field::empty("date_renewed").later(),
        Field::new("incorrect_address", |_, patron| patron.address_in_doubt.into()),
        Field::new("patron_card_lost", |_, patron| patron.card_lost.into()),
        Field::new("expired", |view, patron: &Self| {
            (!patron.expiry_date.is_empty() && *patron.expiry_date < *view.today).into()
        })
        .later()
        .computed(),
        Field::new("restricted", |view, patron: &Self| is_restricted(view, patron).into()).computed(),
        Field::new("staff_notes", |_, patron| text(&patron.staff_note)),
        Field::empty("relationship_type"),
        Field::empty("gender"),
        Field::new("userid", |_, patron| text(&patron.userid)),
        Field::new("opac_notes", |_, patron| text(&patron.opac_note)),
        Field::empty("altaddress_notes"),
        Field::empty("statistics_1"),
        Field::empty("statistics_2"),
        Field::new("autorenew_checkouts", |_, _| true.into()).later(),
        Field::empty("altcontact_firstname"),
        Field::empty("altcontact_surname"),
        Field::empty("altcontact_address"),
        Field::empty("altcontact_address2"),
        Field::empty("altcontact_city"),
        Field::empty("altcontact_state"),
        Field::empty("altcontact_postal_code"),
        Field::empty("altcontact_country"),
        Field::empty("altcontact_phone"),
        Field::empty("sms_number"),
        Field::empty("sms_provider_id"),
        Field::new("privacy", |_, _| 1.into()),
        Field::no("privacy_guarantor_checkouts"),
        Field::no("privacy_guarantor_fines").later(),
        Field::new("check_previous_checkout", |_, _| "inherit".into()),
        Field::new("updated_on", |view, patron| moment(view, &patron.updated_on)),
        Field::empty("last_seen"),
        Field::new("lang", |_, _| "default".into()),
        Field::new("login_attempts", |_, patron| patron.login_attempts.into()),
        Field::empty("overdrive_auth_token"),
        Field::no("anonymized").later(),
        Field::no("protected").later(),
        Field::empty("primary_contact_method").later(),
    ];

    fn number(&self) -> Option<(&'static str, u64)> {
        Some(("patron_id", self.id))
    }

    fn related<'a>(&'a self, view: &View<'a>, relation: &str) -> Option<Related<'a>> {
        (relation == "library").then(|| Related::Library(view.library.branch(&self.branch)))
    }
}

/// The columns of a title that are modelled.
const BIBLIO: [&str; 3] = ["biblio_id", "title", "author"];

/// The title that an item is a copy of. Koha's has many more fields.
fn biblio(item: &Item) -> Map<String, Value> {
    let values = [item.biblio_id.into(), text(&item.title), text(&item.author)];
    BIBLIO.iter().map(|name| (*name).to_owned()).zip(values).collect()
}

fn holding(item: &Item) -> Value {
    text(if item.holding_branch.is_empty() { &item.branch } else { &item.holding_branch })
}

impl Row for Item {
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("item_id", |_, item| item.id.into()),
        Field::new("biblio_id", |_, item| item.biblio_id.into()),
        Field::new("external_id", |_, item| text(&item.barcode)),
        Field::empty("acquisition_date"),
        Field::empty("acquisition_source"),
        Field::empty("bookable"),
        Field::new("home_library_id", |_, item| text(&item.branch)),
        Field::empty("purchase_price"),
        Field::empty("replacement_price"),
        Field::empty("replacement_price_date"),
        Field::empty("last_checkout_date"),
        Field::new("last_seen_date", |view, item| moment(view, item.last_seen.as_deref().unwrap_or_default())),
        Field::new("not_for_loan_status", |_, item| item.not_for_loan.into()),
        Field::new("effective_not_for_loan_status", |_, item: &Self| item.not_for_loan.into()).computed(),
        Field::new("damaged_status", |_, _| 0.into()),
        Field::empty("damaged_date"),
        Field::new("lost_status", |_, item| item.lost.into()),
        Field::empty("lost_date"),
        Field::new("withdrawn", |_, _| 0.into()),
        Field::empty("withdrawn_date"),
        Field::new("callnumber", |_, item| text(&item.call_number)),
        Field::empty("coded_location_qualifier"),
        Field::empty("checkouts_count"),
        Field::empty("renewals_count"),
        Field::empty("holds_count"),
        Field::empty("restricted_status"),
        Field::empty("public_notes"),
        Field::empty("internal_notes"),
        Field::new("holding_library_id", |_, item| holding(item)),
        Field::new("timestamp", |view, item| moment(view, item.last_seen.as_deref().unwrap_or("2026-11-02 09:00:00"))),
        Field::empty("location"),
        Field::empty("permanent_location"),
        // The column is called `onloan` and holds the day on which the loan is due, whatever the description says.
        Field::new("checked_out_date", |_, item| {
            item.on_loan.as_deref().and_then(|due| due.get(..10)).map_or(Value::Null, text)
        }),
        Field::empty("call_number_source"),
        Field::empty("call_number_sort"),
        Field::empty("collection_code"),
        Field::new("materials_notes", |_, item| text(&item.materials)),
        Field::empty("uri"),
        Field::new("item_type_id", |_, item| text(&item.item_type)),
        Field::new("effective_item_type_id", |_, item: &Self| text(&item.item_type)).computed(),
        Field::empty("extended_subfields"),
        Field::empty("serial_issue_number"),
        Field::empty("copy_number"),
        Field::empty("inventory_number"),
        Field::empty("new_status"),
        Field::no("exclude_from_local_holds_priority"),
    ];

    fn number(&self) -> Option<(&'static str, u64)> {
        Some(("item_id", self.id))
    }

    fn related<'a>(&'a self, _: &View<'a>, relation: &str) -> Option<Related<'a>> {
        (relation == "biblio").then_some(Related::Biblio(Some(self)))
    }
}

impl Row for Loan {
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("checkout_id", |_, loan| loan.id.into()),
        Field::new("patron_id", |_, loan| loan.patron_id.into()),
        Field::new("item_id", |_, loan| loan.item_id.into()),
        Field::empty("booking_id").later(),
        Field::new("due_date", |view, loan| moment(view, &loan.due_at)),
        Field::new("library_id", |_, loan| text(&loan.branch)),
        Field::empty("issuer_id").later(),
        Field::empty("checkin_date"),
        Field::empty("checkin_library_id").later(),
        Field::new("last_renewed_date", |view, loan| moment(view, loan.last_renewed_at.as_deref().unwrap_or_default())),
        Field::new("renewals_count", |_, loan: &Self| loan.renewals.into()).later(),
        Field::new("unseen_renewals", |_, _| 0.into()).later(),
        Field::no("auto_renew"),
        Field::empty("auto_renew_error"),
        Field::new("timestamp", |view, loan| {
            moment(view, loan.last_renewed_at.as_deref().unwrap_or(loan.issued_at.as_str()))
        }),
        Field::new("checkout_date", |view, loan| moment(view, &loan.issued_at)),
        Field::no("onsite_checkout"),
        Field::empty("note"),
        Field::empty("note_date"),
        Field::empty("note_seen").later(),
    ];

    fn number(&self) -> Option<(&'static str, u64)> {
        Some(("checkout_id", self.id))
    }

    fn json(&self, view: &View<'_>) -> Map<String, Value> {
        let fields = Self::FIELDS.iter().filter(|field| field.is_in(view.library.era));
        let mut json: Map<_, _> = fields.map(|field| (field.name.to_owned(), (field.get)(view, self))).collect();
        if view.library.era == Era::Before2405 {
            json.insert("renewals".to_owned(), self.renewals.into());
        }
        json
    }

    fn related<'a>(&'a self, view: &View<'a>, relation: &str) -> Option<Related<'a>> {
        Some(match relation {
            "item" => Related::Item(view.library.item_by_id(self.item_id)),
            "patron" => Related::Patron(view.library.patron_by_id(self.patron_id)),
            "library" => Related::Library(view.library.branch(&self.branch)),
            "issuer" => Related::Patron(None),
            _ => return None,
        })
    }
}

impl Row for OldLoan {
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("checkin_date", |view, old| moment(view, &old.returned_at)),
        Field::new("checkin_library_id", |_, old: &Self| text(&old.checkin_branch)).later(),
    ];
    fn json(&self, view: &View<'_>) -> Map<String, Value> {
        let mut json = self.loan.json(view);
        for field in Self::FIELDS.iter().filter(|field| field.is_in(view.library.era)) {
            json.insert(field.name.to_owned(), (field.get)(view, self));
        }
        json
    }

    fn value(&self, view: &View<'_>, column: &str) -> Value {
        let name = column.strip_prefix("me.").unwrap_or(column);
        match Self::FIELDS.iter().find(|field| field.name == name) {
            Some(field) => (field.get)(view, self),
            None => self.loan.value(view, column),
        }
    }

    fn has_column(era: Era, column: &str, embedded: &[String]) -> bool {
        Loan::has_column(era, column, embedded)
    }

    fn related<'a>(&'a self, view: &View<'a>, relation: &str) -> Option<Related<'a>> {
        self.loan.related(view, relation)
    }
}

impl Row for Hold {
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("hold_id", |_, hold| hold.id.into()),
        Field::new("patron_id", |_, hold| hold.patron_id.into()),
        Field::new("hold_date", |_, hold| text(&hold.placed_on)),
        Field::new("biblio_id", |_, hold| hold.biblio_id.into()),
        Field::empty("item_group_id").later(),
        Field::new("pickup_library_id", |_, hold| text(&hold.branch)),
        Field::empty("desk_id").later(),
        Field::empty("cancellation_date"),
        Field::empty("cancellation_reason").later(),
        Field::empty("notes"),
        Field::new("priority", |_, hold| hold.priority.into()),
        Field::new("status", |_, hold| match hold.found {
            None => Value::Null,
            Some(Found::Waiting) => "W".into(),
            Some(Found::InTransit) => "T".into(),
        }),
        Field::new("timestamp", |view, hold| moment(view, &format!("{} 09:00:00", hold.placed_on))),
        Field::new("item_id", |_, hold| hold.item_id.into()),
        Field::new("waiting_date", |_, hold| text(hold.waiting_since.as_deref().unwrap_or_default())),
        Field::empty("expiration_date"),
        Field::no("lowest_priority"),
        Field::no("suspended"),
        Field::empty("suspended_until"),
        Field::no("non_priority").later(),
        Field::empty("item_type"),
        Field::new("item_level", |_, hold: &Self| (hold.item_id.is_some() && hold.found.is_none()).into()).later(),
    ];

    fn number(&self) -> Option<(&'static str, u64)> {
        Some(("hold_id", self.id))
    }

    fn related<'a>(&'a self, view: &View<'a>, relation: &str) -> Option<Related<'a>> {
        Some(match relation {
            "biblio" => {
                let copies = &view.library.items;
                // Copies of one title lie together unless a test moved them.
                let at = copies.partition_point(|item| item.biblio_id < self.biblio_id);
                let is_it = |item: &&Item| item.biblio_id == self.biblio_id;
                Related::Biblio(copies.get(at).filter(is_it).or_else(|| copies.iter().find(is_it)))
            }
            "pickup_library" => Related::Library(view.library.branch(&self.branch)),
            _ => return None,
        })
    }
}

impl Row for Branch {
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("library_id", |_, branch| text(&branch.code)),
        Field::new("name", |_, branch| text(&branch.name)),
        Field::new("pickup_location", |_, _| true.into()),
        Field::new("public", |_, _| true.into()),
    ];
}

/// A system preference.
pub(super) struct SystemPreference {
    pub(super) variable: &'static str,
    pub(super) value: &'static str,
}

impl Row for SystemPreference {
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("variable", |_, preference| preference.variable.into()),
        Field::new("value", |_, preference| preference.value.into()),
        Field::new("options", |_, _| Value::Null),
        Field::new("explanation", |_, _| Value::Null),
        Field::new("type", |_, _| Value::Null),
    ];
}

/// A line of somebody's account; its number is its place.
pub(crate) fn account_line(index: usize, line: &AccountLine) -> Value {
    let is_credit = line.amount.0 < 0;
    serde_json::json!({
        "account_line_id": index + 1,
        "patron_id": line.patron_id,
        "date": &*line.date,
        "amount": amount(line.amount),
        "amount_outstanding": amount(line.outstanding),
        "debit_type": if is_credit { Value::Null } else { text(&line.kind) },
        "credit_type": if is_credit { text(&line.kind) } else { Value::Null },
        "checkout_id": null,
        "item_id": null,
        "description": null,
        "internal_note": null,
        "payment_type": null,
        "library_id": null,
        "user_id": null,
        "interface": null,
        "status": null,
    })
}
