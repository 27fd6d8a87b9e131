//! The REST API, as far as KOCT may ask it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::auth::Flag;
use crate::collation::{fold, same};
use crate::reply::{self, Reply};
use crate::request::Request;
use crate::server::Shared;
use crate::state::{Branch, Era, Item, Library, Loan, Patron};

/// The parameters that most lists take.
const PAGING: [&str; 5] = ["_page", "_per_page", "_order_by", "_match", "q"];

/// Who asks: Basic authentication if there is such a header, else the session cookie. 401 and 403 as observed.
fn authorize(
    shared: &Shared,
    library: &mut Library,
    request: &Request,
    flag: Flag,
    needs: &Value,
) -> Result<(), Reply> {
    let refuse = |status, error: &str| Err(reply::json(status, &json!({ "error": error })));
    if library.preferences.maintenance {
        return refuse(503, "System is under maintenance.");
    }
    let allowed = if let Some(basic) = request.header("authorization").and_then(|text| text.strip_prefix("Basic ")) {
        if !shared.config.rest_basic_auth {
            return refuse(401, "Basic authentication disabled");
        }
        let decoded = BASE64_STANDARD.decode(basic.trim()).unwrap_or_default();
        let decoded = String::from_utf8_lossy(&decoded).into_owned();
        let (login, password) = decoded.split_once(':').unwrap_or((&decoded, ""));
        let Some(patron) = library.check_password(login, password) else {
            return Err(reply::json(403, &json!({ "error": "Invalid password", "required_permissions": null })));
        };
        // The account is looked up by userid alone.
        if !same(&patron.userid, login) {
            return refuse(401, "Authentication failure.");
        }
        patron.may(flag)
    } else if let Some(id) = request.cookie("CGISESSID") {
        match library.session_account(&id) {
            Some(account) => account.may(flag),
            None if library.sessions.get(&id).is_some_and(|session| !session.expired) => {
                return refuse(401, "Authentication failure.");
            }
            None => return refuse(401, "Session has been expired."),
        }
    } else {
        return refuse(401, "Authentication failure.");
    };
    if allowed {
        return Ok(());
    }
    let error = "Authorization failure. Missing required permission(s).";
    Err(reply::json(403, &json!({ "error": error, "required_permissions": needs })))
}

/// 400 for a query parameter that the path does not know.
fn known_parameters(request: &Request, fields: &[&str], paging: bool) -> Result<(), Reply> {
    let unknown: Vec<Value> = request
        .query
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| !(fields.contains(name) || paging && PAGING.contains(name)))
        .map(|name| json!({ "message": "Malformed query string", "path": format!("/query/{name}") }))
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    // The server's JSON writer escapes slashes.
    let body = Value::from(unknown).to_string().replace('/', "\\/");
    Err(reply::reply(400, "application/json;charset=UTF-8", body))
}

/// One page of a list, with the headers that tell of the others.
///
/// Before 24.05 (observed) all rows come unless a page is asked for; later 20 at a time.
fn paged(shared: &Shared, request: &Request, era: Era, rows: &[Value]) -> Reply {
    let page = request.parameter("_page").and_then(|text| text.parse::<usize>().ok());
    let per_page = request.parameter("_per_page");
    if era == Era::Before2405 && page.is_none() && per_page.is_none() {
        return reply::json(200, &json!(rows));
    }
    let page = page.unwrap_or(1).max(1);
    let size = match per_page {
        Some("-1") if era == Era::Before2405 => {
            return reply::json(500, &json!({ "error": "Something went wrong, check Koha logs for details." }));
        }
        Some("-1") => rows.len().max(1),
        text => text.and_then(|text| text.parse().ok()).unwrap_or(20).max(1),
    };
    let start = (page - 1).saturating_mul(size).min(rows.len());
    let end = start.saturating_add(size).min(rows.len());
    let last = rows.len().div_ceil(size).max(1);
    let link = |number: usize, rel: &str| {
        let path = shared.path(&request.path);
        format!("<{path}?_page={number}&_per_page={size}>; rel=\"{rel}\"")
    };
    let mut links = Vec::new();
    if page > 1 {
        links.push(link(page - 1, "prev"));
    }
    if page < last {
        links.push(link(page + 1, "next"));
    }
    links.extend([link(1, "first"), link(last, "last")]);
    let reply = reply::json(200, &json!(&rows[start..end]));
    let total = hyper::header::HeaderName::from_static("x-total-count");
    let reply = reply::with_header(reply, total, &rows.len().to_string());
    reply::with_header(reply, hyper::header::LINK, &links.join(","))
}

/// Does a field fit what the query asks of it? `_match` is `contains` unless told.
fn fits(request: &Request, field: &str, value: &str) -> bool {
    let Some(wanted) = request.parameter(field) else { return true };
    let (value, wanted) = (fold(value), fold(wanted));
    match request.parameter("_match") {
        Some("exact") => value == wanted,
        Some("starts_with") => value.starts_with(&wanted),
        Some("ends_with") => value.ends_with(&wanted),
        _ => value.contains(&wanted),
    }
}

fn branch_json(branch: &Branch) -> Value {
    json!({ "library_id": branch.code, "name": branch.name, "pickup_location": true, "public": true })
}

fn checked(
    shared: &Shared,
    library: &mut Library,
    request: &Request,
    (flag, needs): (Flag, Value),
    fields: &[&str],
    paging: bool,
) -> Result<(), Reply> {
    authorize(shared, library, request, flag, &needs)?;
    known_parameters(request, fields, paging)
}

/// The branches. Needs the `catalogue` permission.
pub(crate) fn libraries(shared: &Shared, request: &Request) -> Reply {
    let mut library = shared.library();
    let needs = (Flag::Catalogue, json!({ "catalogue": "1" }));
    if let Err(reply) = checked(shared, &mut library, request, needs, &["library_id", "name"], true) {
        return reply;
    }
    let rows: Vec<Value> = library
        .branches
        .iter()
        .filter(|branch| fits(request, "library_id", &branch.code) && fits(request, "name", &branch.name))
        .map(branch_json)
        .collect();
    paged(shared, request, library.era, &rows)
}

/// One branch.
pub(crate) fn library(shared: &Shared, request: &Request) -> Reply {
    let mut library = shared.library();
    let needs = (Flag::Catalogue, json!({ "catalogue": "1" }));
    if let Err(reply) = checked(shared, &mut library, request, needs, &[], false) {
        return reply;
    }
    match library.branch(last_segment(request)) {
        Some(branch) => reply::json(200, &branch_json(branch)),
        None => reply::json(404, &json!({ "error": "Library not found" })),
    }
}

fn last_segment(request: &Request) -> &str {
    request.path.rsplit('/').next().unwrap_or_default()
}

/// The branches, for everybody. Not in the era before 24.05.
pub(crate) fn public_libraries(shared: &Shared, request: &Request) -> Reply {
    let library = shared.library();
    if library.era == Era::Before2405 {
        return reply::error_page(404, "Page not found");
    }
    if !shared.config.rest_public_api {
        return reply::json(
            403,
            &json!({ "error": "Configuration prevents the usage of this endpoint by unprivileged users" }),
        );
    }
    if let Err(reply) = known_parameters(request, &["library_id", "name"], true) {
        return reply;
    }
    let rows: Vec<Value> = library.branches.iter().map(branch_json).collect();
    paged(shared, request, library.era, &rows)
}

fn patron_json(patron: &Patron) -> Value {
    json!({
        "patron_id": patron.id,
        "cardnumber": patron.cardnumber,
        "userid": patron.userid,
        "surname": patron.surname,
        "firstname": patron.firstname,
        "library_id": patron.branch,
        "category_id": patron.category,
        "expiry_date": patron.expiry_date,
        "restricted": patron.restricted_until.is_some(),
        "patron_card_lost": patron.card_lost,
        "incorrect_address": patron.address_in_doubt,
    })
}

/// The permission for patron data.
fn borrowers(era: Era) -> (Flag, Value) {
    match era {
        Era::Before2405 => (Flag::Borrowers, json!({ "borrowers": "1" })),
        Era::From2405 => (Flag::Borrowers, json!({ "borrowers": "edit_borrowers" })),
    }
}

/// Patrons, by card or name.
pub(crate) fn patrons(shared: &Shared, request: &Request) -> Reply {
    let mut library = shared.library();
    let needs = borrowers(library.era);
    let fields = ["cardnumber", "surname", "firstname", "userid", "library_id", "category_id"];
    if let Err(reply) = checked(shared, &mut library, request, needs, &fields, true) {
        return reply;
    }
    let rows: Vec<Value> = library
        .patrons
        .iter()
        .filter(|patron| {
            fits(request, "cardnumber", &patron.cardnumber)
                && fits(request, "surname", &patron.surname)
                && fits(request, "firstname", &patron.firstname)
                && fits(request, "userid", &patron.userid)
                && fits(request, "library_id", &patron.branch)
                && fits(request, "category_id", &patron.category)
        })
        .map(patron_json)
        .collect();
    paged(shared, request, library.era, &rows)
}

/// One patron.
pub(crate) fn patron(shared: &Shared, request: &Request) -> Reply {
    let mut library = shared.library();
    let needs = borrowers(library.era);
    if let Err(reply) = checked(shared, &mut library, request, needs, &[], false) {
        return reply;
    }
    match last_segment(request).parse().ok().and_then(|id| library.patron_by_id(id)) {
        Some(patron) => reply::json(200, &patron_json(patron)),
        None => reply::json(404, &json!({ "error": "Patron not found." })),
    }
}

fn item_json(library: &Library, item: &Item) -> Value {
    json!({
        "item_id": item.id,
        "biblio_id": item.biblio_id,
        "external_id": item.barcode,
        "home_library_id": item.branch,
        "holding_library_id": item.branch,
        "checked_out_date": item.on_loan,
        "lost_status": item.lost,
        "not_for_loan_status": item.not_for_loan,
        "last_seen_date": item.last_seen.as_deref().map(|time| moment(library, time)),
    })
}

/// Items, by barcode. Not in the era before 24.05 (19.06 has no such route).
pub(crate) fn items(shared: &Shared, request: &Request) -> Reply {
    let mut library = shared.library();
    if library.era == Era::Before2405 {
        return reply::error_page(404, "Page not found");
    }
    let needs = (Flag::Catalogue, json!({ "catalogue": "1" }));
    if let Err(reply) = checked(shared, &mut library, request, needs, &["external_id"], true) {
        return reply;
    }
    let rows: Vec<Value> = library
        .items
        .iter()
        .filter(|item| fits(request, "external_id", &item.barcode))
        .map(|item| item_json(&library, item))
        .collect();
    paged(shared, request, library.era, &rows)
}

/// A server-local time as RFC 3339, with the offset of the server's zone.
fn moment(library: &Library, time: &str) -> String {
    let minutes = library.zone.offset_minutes;
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{}{sign}{:02}:{:02}", time.replace(' ', "T"), minutes.abs() / 60, minutes.abs() % 60)
}

fn loan_json(library: &Library, loan: &Loan, returned_at: Option<&str>) -> Value {
    json!({
        "checkout_id": loan.id,
        "patron_id": loan.patron_id,
        "item_id": loan.item_id,
        "library_id": loan.branch,
        "checkout_date": moment(library, &loan.issued_at),
        "due_date": moment(library, &loan.due_at),
        "checkin_date": returned_at.map(|time| moment(library, time)),
        "renewals_count": loan.renewals,
    })
}

/// What the parameter `q` asks for: values that fields must have. Before 24.05 there is no such parameter here.
fn wanted(request: &Request) -> Result<serde_json::Map<String, Value>, Reply> {
    match request.parameter("q").map(serde_json::from_str) {
        None => Ok(serde_json::Map::new()),
        Some(Ok(Value::Object(fields))) => Ok(fields),
        Some(_) => Err(reply::json(400, &json!({ "error": "q must be a JSON object" }))),
    }
}

/// Open loans, or returned ones with `checked_in`, of all patrons or of one.
pub(crate) fn checkouts(shared: &Shared, request: &Request) -> Reply {
    let mut library = shared.library();
    let needs = (Flag::Circulate, json!({ "circulate": "circulate_remaining_permissions" }));
    let era = library.era;
    let fields: &[&str] = match era {
        Era::Before2405 => &["patron_id", "checked_in", "_page", "_per_page", "_order_by", "_match"],
        Era::From2405 => &["patron_id", "checked_in"],
    };
    if let Err(reply) = checked(shared, &mut library, request, needs, fields, era == Era::From2405) {
        return reply;
    }
    let wanted = match wanted(request) {
        Ok(fields) => fields,
        Err(reply) => return reply,
    };
    let patron = request.parameter("patron_id").map(|id| id.parse::<u64>().unwrap_or(0));
    let rows: Vec<Value> = if matches!(request.parameter("checked_in"), Some("1" | "true")) {
        library.old_loans.iter().map(|old| loan_json(&library, &old.loan, Some(&old.returned_at))).collect()
    } else {
        library.loans.iter().map(|loan| loan_json(&library, loan, None)).collect()
    };
    let fits = |row: &Value| {
        patron.is_none_or(|id| row["patron_id"] == id) && wanted.iter().all(|(field, value)| row[field] == *value)
    };
    let rows: Vec<Value> = rows.into_iter().filter(fits).collect();
    paged(shared, request, era, &rows)
}

/// Holds, of all patrons or of one. Before 24.05 (observed) without paging.
pub(crate) fn holds(shared: &Shared, request: &Request) -> Reply {
    let mut library = shared.library();
    let needs = (Flag::Circulate, json!({ "reserveforothers": "1" }));
    let paging = library.era == Era::From2405;
    if let Err(reply) = checked(shared, &mut library, request, needs, &["patron_id"], paging) {
        return reply;
    }
    let patron = request.parameter("patron_id").map(|id| id.parse::<u64>().unwrap_or(0));
    let rows: Vec<Value> = library
        .holds
        .iter()
        .filter(|hold| patron.is_none_or(|id| hold.patron_id == id))
        .map(|hold| {
            json!({
                "hold_id": hold.id,
                "patron_id": hold.patron_id,
                "biblio_id": hold.biblio_id,
                "item_id": hold.item_id,
                "pickup_library_id": hold.branch,
                "priority": hold.priority,
                "status": null,
            })
        })
        .collect();
    paged(shared, request, library.era, &rows)
}
