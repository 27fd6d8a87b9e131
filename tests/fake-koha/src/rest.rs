//! The REST API, as far as KOCT may ask it: the libraries, patrons, items, loans and holds.
//!
//! Where neither koha-observed nor koha-protocol says it, permissions, parameters, fields and embeds come from Koha's
//! API description (api/v1/swagger of Koha-Community/Koha, of `ByWater` Solutions and of `KohaSuomi`'s 24.05), and the
//! rest from Koha/REST. Not modelled: everything but reading, `q` in the body of a GET, and the redaction of patrons of
//! other library groups. Answers are made in memory: nobody should ask for all rows of a big library at once.

mod access;
pub(crate) mod checkins;
mod list;
mod query;
mod rows;

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

pub(crate) use access::{Needs, authorize, token};

use crate::amount::Amount;
use crate::auth::Flag;
use crate::reply::{self, Reply};
use crate::request::Request;
use crate::server::Shared;
use crate::state::{AccountLine, Era, Hold, Library, Patron};
use list::{Kind, Rules, list};
use rows::{Row, SystemPreference, View, account_line, amount};

/// Koha's code died, most often because the database did not understand.
fn went_wrong(era: Era) -> Reply {
    let error = "Something went wrong, check Koha logs for details.";
    match era {
        Era::Before2405 => reply::json(500, &json!({ "error": error })),
        Era::From2405 => reply::json(500, &json!({ "error": error, "error_code": "internal_server_error" })),
    }
}

/// The answer of `Mojolicious::Plugin::OpenAPI` to a value that does not fit the description.
fn invalid(path: &str, message: &str) -> Reply {
    reply::json(400, &json!({ "errors": [{ "message": message, "path": path }], "status": 400 }))
}

/// No such route.
fn no_page() -> Reply {
    reply::error_page(404, None)
}

const CATALOGUE: Needs = &[&[(Some(Flag::Catalogue), "catalogue", "1")]];

/// Observed on 19.06.
const PATRONS_BEFORE: Needs = &[&[(Some(Flag::Borrowers), "borrowers", "1")]];
const PATRONS: Needs = &[
    &[(Some(Flag::Borrowers), "borrowers", "edit_borrowers")],
    &[(Some(Flag::Tools), "tools", "label_creator")],
    &[(None, "serials", "routing")],
    &[(None, "acquisition", "order_manage")],
];
const PATRON: Needs = &[&[(Some(Flag::Borrowers), "borrowers", "edit_borrowers")]];
const ACCOUNT: Needs = &[&[
    (Some(Flag::Borrowers), "borrowers", "edit_borrowers"),
    (Some(Flag::UpdateCharges), "updatecharges", "remaining_permissions"),
]];
const CHECKOUTS_BEFORE: Needs = &[&[(Some(Flag::Circulate), "circulate", "circulate_remaining_permissions")]];
const CHECKOUTS: Needs = &[
    &[(Some(Flag::Circulate), "circulate", "circulate_remaining_permissions")],
    &[(None, "circulate", "manage_bookings")],
];
/// From the API description of a version shortly after 19.06.
const HOLDS_BEFORE: Needs = &[&[(Some(Flag::Borrowers), "borrowers", "edit_borrowers")]];
const HOLDS: Needs = &[&[(Some(Flag::ReserveForOthers), "reserveforothers", "place_holds")]];

fn by_era<T>(era: Era, before: T, from: T) -> T {
    match era {
        Era::Before2405 => before,
        Era::From2405 => from,
    }
}

/// A path without a list.
fn single() -> Rules {
    Rules { fields: Vec::new(), others: &[], paging: false, exact: true, embeds: &[] }
}

/// Whether the request may be answered. Only reading is modelled.
fn check(shared: &Shared, library: &mut Library, request: &Request, needs: Needs, rules: &Rules) -> Result<(), Reply> {
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        return Err(no_page());
    }
    let era = library.era;
    // Koha looks at this header before it asks who is there.
    rules.check_header(era, request)?;
    authorize(shared, library, request, needs)?;
    rules.check(era, request)
}

fn library_rules() -> Rules {
    let fields = vec![("library_id", Kind::Text), ("name", Kind::Text)];
    Rules { fields, others: &[], paging: true, exact: false, embeds: &[] }
}

/// The branches. Needs the `catalogue` permission.
pub(crate) fn libraries(shared: &Shared, request: &Request) -> Reply {
    let mut library = shared.library();
    let rules = library_rules();
    if let Err(reply) = check(shared, &mut library, request, CATALOGUE, &rules) {
        return reply;
    }
    list(shared, &View::new(&library), request, &rules, &library.branches, &|_, _| None)
}

/// One branch.
pub(crate) fn library(shared: &Shared, request: &Request) -> Reply {
    let mut library = shared.library();
    if let Err(reply) = check(shared, &mut library, request, CATALOGUE, &single()) {
        return reply;
    }
    match library.branch(segment(request, 0)) {
        Some(branch) => reply::json(200, &branch.json(&View::new(&library)).into()),
        None => reply::json(404, &json!({ "error": "Library not found" })),
    }
}

const SYSTEM_PREFERENCES: Needs = &[&[(None, "parameters", "manage_sysprefs")]];

/// System preferences, those that are modelled. Only in the newest sources (Koha/REST/V1/Sysprefs.pm).
pub(crate) fn system_preferences(shared: &Shared, request: &Request) -> Reply {
    let mut library = shared.library();
    if !library.newest {
        return no_page();
    }
    let rules = Rules { fields: vec![("variable", Kind::Text)], others: &[], paging: true, exact: false, embeds: &[] };
    if let Err(reply) = check(shared, &mut library, request, SYSTEM_PREFERENCES, &rules) {
        return reply;
    }
    let filter = library.preferences.item_barcode_input_filter;
    let preferences = [("itemBarcodeInputFilter", filter), ("marcflavour", "MARC21")];
    let preferences = preferences.map(|(variable, value)| SystemPreference { variable, value });
    list(shared, &View::new(&library), request, &rules, &preferences, &|_, _| None)
}

/// A part of the path, counted from its end.
fn segment(request: &Request, from_end: usize) -> &str {
    request.path.rsplit('/').nth(from_end).unwrap_or_default()
}

/// The branches, for everybody. Not in the era before 24.05.
pub(crate) fn public_libraries(shared: &Shared, request: &Request) -> Reply {
    let library = shared.library();
    if library.era == Era::Before2405 {
        return no_page();
    }
    if !shared.config.rest_public_api {
        return reply::json(
            403,
            &json!({ "error": "Configuration prevents the usage of this endpoint by unprivileged users" }),
        );
    }
    let rules = library_rules();
    if let Err(reply) = rules.check_header(library.era, request).and_then(|()| rules.check(library.era, request)) {
        return reply;
    }
    list(shared, &View::new(&library), request, &rules, &library.branches, &|_, _| None)
}

/// The query parameters of the list of patrons: most fields, but not the newer ones.
const PATRON_PARAMETERS: [&str; 37] = [
    "patron_id",
    "cardnumber",
    "surname",
    "firstname",
    "title",
    "other_name",
    "initials",
    "address",
    "address2",
    "city",
    "state",
    "postal_code",
    "country",
    "email",
    "phone",
    "mobile",
    "fax",
    "secondary_email",
    "secondary_phone",
    "date_of_birth",
    "library_id",
    "category_id",
    "date_enrolled",
    "expiry_date",
    "staff_notes",
    "relationship_type",
    "gender",
    "userid",
    "opac_notes",
    "statistics_1",
    "statistics_2",
    "sms_number",
    "privacy",
    "updated_on",
    "last_seen",
    "lang",
    "login_attempts",
];

/// Patrons.
///
/// `restricted=true` finds everybody who has a day of restriction in the record, even one that is over;
/// `restricted=false` finds everybody (Koha/REST/V1/Patrons.pm). Neither `restricted` nor `expired` is a column, so
/// neither can be asked for in `q`.
pub(crate) fn patrons(shared: &Shared, request: &Request) -> Reply {
    let mut library = shared.library();
    let era = library.era;
    let booleans = ["incorrect_address", "patron_card_lost"].map(|name| (name, Kind::Boolean));
    let rules = Rules {
        fields: PATRON_PARAMETERS.iter().map(|name| (*name, Kind::Text)).chain(booleans).collect(),
        others: &[("restricted", Kind::Boolean)],
        paging: true,
        exact: false,
        embeds: &["extended_attributes", "checkouts+count", "overdues+count", "account_balance", "library"],
    };
    if let Err(reply) = check(shared, &mut library, request, by_era(era, PATRONS_BEFORE, PATRONS), &rules) {
        return reply;
    }
    let view = View::new(&library);
    let extras = |rows: &[&Patron], name: &str| patron_extras(&view, rows, name);
    if matches!(request.parameter("restricted"), Some("1" | "true")) {
        let restricted = library.patrons.iter().filter(|patron| patron.restricted_until.is_some());
        let restricted: Vec<Patron> = restricted.cloned().collect();
        return list(shared, &view, request, &rules, &restricted, &extras);
    }
    list(shared, &view, request, &rules, &library.patrons, &extras)
}

/// What is counted for the patrons of one page.
fn patron_extras(view: &View<'_>, rows: &[&Patron], name: &str) -> Option<(String, Vec<Value>)> {
    let library = view.library;
    let ids: HashSet<u64> = rows.iter().map(|patron| patron.id).collect();
    let counted = |late: bool| {
        let mut counts: HashMap<u64, u64> = HashMap::new();
        let loans = library.loans.iter().filter(|loan| ids.contains(&loan.patron_id));
        for loan in loans.filter(|loan| !late || loan.due_at < view.now) {
            *counts.entry(loan.patron_id).or_default() += 1;
        }
        rows.iter().map(|patron| counts.get(&patron.id).copied().unwrap_or_default().into()).collect()
    };
    match name {
        "extended_attributes" => Some((name.to_owned(), vec![json!([]); rows.len()])),
        "checkouts+count" => Some(("checkouts_count".to_owned(), counted(false))),
        "overdues+count" => Some(("overdues_count".to_owned(), counted(true))),
        "account_balance" => {
            let mut sums: HashMap<u64, i64> = HashMap::new();
            for line in library.account_lines.iter().filter(|line| ids.contains(&line.patron_id)) {
                *sums.entry(line.patron_id).or_default() += line.outstanding.0;
            }
            let sum = |patron: &&Patron| amount(Amount(sums.get(&patron.id).copied().unwrap_or_default()));
            Some((name.to_owned(), rows.iter().map(sum).collect()))
        }
        _ => None,
    }
}

/// One patron.
pub(crate) fn patron(shared: &Shared, request: &Request) -> Reply {
    let mut library = shared.library();
    let rules = Rules { embeds: &["extended_attributes"], ..single() };
    let needs = by_era(library.era, PATRONS_BEFORE, PATRON);
    if let Err(reply) = check(shared, &mut library, request, needs, &rules) {
        return reply;
    }
    let Some(patron) = segment(request, 0).parse().ok().and_then(|id| library.patron_by_id(id)) else {
        return patron_not_found(library.era);
    };
    let mut patron = patron.json(&View::new(&library));
    if !list::embeds(library.era, request).is_empty() {
        patron.insert("extended_attributes".to_owned(), json!([]));
    }
    reply::json(200, &patron.into())
}

/// 19.06 has a full stop. Koha: `render_resource_not_found`, from 24.05 with a code.
fn patron_not_found(era: Era) -> Reply {
    match era {
        Era::Before2405 => reply::json(404, &json!({ "error": "Patron not found." })),
        Era::From2405 => reply::json(404, &json!({ "error": "Patron not found", "error_code": "not_found" })),
    }
}

/// What a patron owes, and has paid in advance.
pub(crate) fn account(shared: &Shared, request: &Request) -> Reply {
    let mut library = shared.library();
    if let Err(reply) = check(shared, &mut library, request, ACCOUNT, &single()) {
        return reply;
    }
    let Some(patron) = segment(request, 1).parse().ok().and_then(|id| library.patron_by_id(id)) else {
        return patron_not_found(library.era);
    };
    let open = library.account_lines.iter().enumerate().filter(|(_, line)| line.patron_id == patron.id);
    let (debits, credits): (Vec<_>, Vec<_>) =
        open.filter(|(_, line)| line.outstanding.0 != 0).partition(|(_, line)| line.outstanding.0 > 0);
    let sum = |lines: &[(usize, &AccountLine)]| lines.iter().map(|(_, line)| line.outstanding.0).sum::<i64>();
    let side = |lines: &[(usize, &AccountLine)]| {
        let rows: Value = lines.iter().map(|(index, line)| account_line(*index, line)).collect();
        json!({ "total": amount(Amount(sum(lines))), "lines": rows })
    };
    let balance = amount(Amount(sum(&debits) + sum(&credits)));
    let (debits, credits) = (side(&debits), side(&credits));
    reply::json(200, &json!({ "balance": balance, "outstanding_debits": debits, "outstanding_credits": credits }))
}

/// Items. Not in the era before 24.05 (19.06 has no such route).
pub(crate) fn items(shared: &Shared, request: &Request) -> Reply {
    let mut library = shared.library();
    if library.era == Era::Before2405 {
        return no_page();
    }
    let fields = vec![("external_id", Kind::Text)];
    let rules = Rules { fields, others: &[], paging: true, exact: false, embeds: &["+strings", "biblio"] };
    if let Err(reply) = check(shared, &mut library, request, CATALOGUE, &rules) {
        return reply;
    }
    list(shared, &View::new(&library), request, &rules, &library.items, &|_, _| None)
}

/// One item.
pub(crate) fn item(shared: &Shared, request: &Request) -> Reply {
    let mut library = shared.library();
    if library.era == Era::Before2405 {
        return no_page();
    }
    let rules = Rules { embeds: &["+strings"], ..single() };
    if let Err(reply) = check(shared, &mut library, request, CATALOGUE, &rules) {
        return reply;
    }
    match segment(request, 0).parse().ok().and_then(|id| library.item_by_id(id)) {
        Some(item) => reply::json(200, &item.json(&View::new(&library)).into()),
        None => reply::json(404, &json!({ "error": "Item not found", "error_code": "not_found" })),
    }
}

/// Open loans, or returned ones with `checked_in`, of all patrons or of one.
pub(crate) fn checkouts(shared: &Shared, request: &Request) -> Reply {
    let mut library = shared.library();
    let era = library.era;
    let rules = Rules {
        fields: vec![("patron_id", Kind::Integer)],
        others: &[("checked_in", Kind::Boolean)],
        paging: true,
        exact: era == Era::Before2405,
        embeds: &["booking", "issuer", "item", "item.biblio", "library", "patron", "renewals"],
    };
    if let Err(reply) = check(shared, &mut library, request, by_era(era, CHECKOUTS_BEFORE, CHECKOUTS), &rules) {
        return reply;
    }
    let view = View::new(&library);
    if matches!(request.parameter("checked_in"), Some("1" | "true")) {
        list(shared, &view, request, &rules, &library.old_loans, &|rows, name| loan_extras(rows.len(), name))
    } else {
        list(shared, &view, request, &rules, &library.loans, &|rows, name| loan_extras(rows.len(), name))
    }
}

/// What may be embedded in loans, and is always empty here.
fn loan_extras(rows: usize, name: &str) -> Option<(String, Vec<Value>)> {
    match name {
        "booking" | "issuer" => Some((name.to_owned(), vec![Value::Null; rows])),
        "renewals" => Some((name.to_owned(), vec![json!([]); rows])),
        _ => None,
    }
}

/// One loan, open or over.
pub(crate) fn checkout(shared: &Shared, request: &Request) -> Reply {
    let mut library = shared.library();
    if let Err(reply) = check(shared, &mut library, request, CHECKOUTS_BEFORE, &single()) {
        return reply;
    }
    let (view, id) = (View::new(&library), segment(request, 0).parse::<u64>().ok());
    let open = library.loans.iter().find(|loan| Some(loan.id) == id).map(|loan| loan.json(&view));
    let old = || library.old_loans.iter().find(|old| Some(old.loan.id) == id).map(|old| old.json(&view));
    match (open.or_else(old), library.era) {
        (Some(loan), _) => reply::json(200, &loan.into()),
        (None, Era::Before2405) => reply::json(404, &json!({ "error": "Checkout doesn't exist" })),
        (None, Era::From2405) => reply::json(404, &json!({ "error": "Checkout not found", "error_code": "not_found" })),
    }
}

/// Whether Koha would lend an item to a patron (from 23.11): reasons against, and what would be asked. Modelled as far as KOCT
/// reads it: limits, and who has the item. Who has it themselves would renew it, and then no limit is looked at (Koha: `CanBookBeIssued`
/// in C4/Circulation.pm).
pub(crate) fn availability(shared: &Shared, request: &Request) -> Reply {
    let mut library = shared.library();
    if library.era == Era::Before2405 {
        return no_page();
    }
    let rules = Rules { fields: vec![("patron_id", Kind::Integer), ("item_id", Kind::Integer)], ..single() };
    if let Err(reply) = check(shared, &mut library, request, CHECKOUTS, &rules) {
        return reply;
    }
    let number = |name| request.parameter(name).and_then(|text| text.parse::<u64>().ok());
    let patron = number("patron_id").and_then(|id| library.patron_by_id(id));
    let (Some(patron), Some(item)) = (patron, number("item_id").and_then(|id| library.item_by_id(id))) else {
        return reply::json(409, &json!({ "error": "Item or patron not found" }));
    };
    let holder = library.loans.iter().find(|loan| loan.item_id == item.id).map(|loan| loan.patron_id);
    let loans = library.loans.iter().filter(|loan| loan.patron_id == patron.id).count();
    let limit = library.preferences.most_loans.filter(|limit| loans >= *limit && holder != Some(patron.id));
    let mut confirms = serde_json::Map::new();
    match holder {
        Some(holder) if holder == patron.id => drop(confirms.insert("RENEW_ISSUE".to_owned(), json!(1))),
        Some(_) => drop(confirms.insert("ISSUED_TO_ANOTHER".to_owned(), json!(1))),
        None => {}
    }
    if let Some(limit) = limit {
        confirms.insert("TOO_MANY".to_owned(), json!("TOO_MANY_CHECKOUTS"));
        confirms.insert("current_loan_count".to_owned(), loans.into());
        confirms.insert("max_loans_allowed".to_owned(), limit.into());
    }
    let token = format!("{}-{}", patron.id, item.id);
    reply::json(200, &json!({ "blockers": {}, "confirms": confirms, "warnings": {}, "confirmation_token": token }))
}

/// Holds, of all patrons or of one. Before 24.05 (observed) without paging.
pub(crate) fn holds(shared: &Shared, request: &Request) -> Reply {
    let mut library = shared.library();
    let era = library.era;
    let integers = ["hold_id", "patron_id", "biblio_id", "priority", "item_id"].map(|name| (name, Kind::Integer));
    let texts = ["hold_date", "pickup_library_id", "cancellation_date", "notes", "status", "timestamp", "waiting_date"];
    let booleans = ["lowest_priority", "suspended"].map(|name| (name, Kind::Boolean));
    let rules = Rules {
        fields: integers.into_iter().chain(texts.map(|name| (name, Kind::Text))).chain(booleans).collect(),
        others: by_era(era, &[][..], &[("old", Kind::Boolean)]),
        paging: era == Era::From2405,
        exact: era == Era::Before2405,
        embeds: &["cancellation_requested", "biblio", "pickup_library"],
    };
    if let Err(reply) = check(shared, &mut library, request, by_era(era, HOLDS_BEFORE, HOLDS), &rules) {
        return reply;
    }
    let extras = |rows: &[&Hold], name: &str| {
        (name == "cancellation_requested").then(|| (name.to_owned(), vec![Value::Bool(false); rows.len()]))
    };
    let view = View::new(&library);
    if matches!(request.parameter("old"), Some("1" | "true")) {
        let old: Vec<_> = library.old_holds.iter().map(|old| old.hold.clone()).collect();
        return list(shared, &view, request, &rules, &old, &extras);
    }
    list(shared, &view, request, &rules, &library.holds, &extras)
}
