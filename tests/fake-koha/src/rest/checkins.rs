//! Koha's own check-in, which a coming version opens to programs (bug 24401): not released, so behind a switch.
//!
//! From the development branches of `ByWater` Solutions and of Open Fifth: Koha/REST/V1/Checkins.pm,
//! Koha/Item/Availability/Checkin.pm, Koha/Result/Availability.pm, api/v1/swagger/paths/checkins.yaml, and `AddReturn` in
//! C4/Circulation.pm. Not modelled: fines, recalls, claims, and what confirms a hold or a transfer afterwards.

use serde_json::{Map, Value, json};

use super::access::authorize;
use super::list::{Kind, Rules, embeds};
use super::rows::{Row, View};
use super::{CHECKOUTS_BEFORE, invalid, no_page, single, went_wrong};
use crate::clock::{read_return_date, stamp};
use crate::csrf::keyed_hash;
use crate::reply::{self, Reply};
use crate::request::Request;
use crate::server::Shared;
use crate::state::{DateFormat, Effect, Item, Library};

/// What the branches differ in, and what a library sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "independent switches")]
pub struct Checkins {
    /// `SpecifyReturnDate`: programs may say when it came back.
    pub takes_dates: bool,
    /// Asks before an item is checked in that is not on loan, as the branch of Open Fifth does.
    pub asks_not_issued: bool,
    /// `CircConfirmItemParts`: asks whether accompanying materials are there.
    pub asks_parts: bool,
    /// `AllowReturnToBranch`: items are taken back at their home library alone.
    pub at_home_alone: bool,
    /// `AutomaticItemReturn`: notes at once that an item goes home.
    pub sends_home: bool,
    /// Tells its messages, as the branch of `ByWater` does.
    pub messages: bool,
}

impl Default for Checkins {
    fn default() -> Self {
        Self {
            takes_dates: true,
            asks_not_issued: false,
            asks_parts: true,
            at_home_alone: false,
            sends_home: false,
            messages: true,
        }
    }
}

impl Checkins {
    fn blockers(self, item: &Item, library_id: &str) -> Map<String, Value> {
        let mut blockers = Map::new();
        if self.at_home_alone && item.branch != library_id {
            let libraries = json!({ "wrong_branch": library_id, "right_branch": item.branch });
            blockers.insert("wrong_branch".to_owned(), libraries);
        }
        blockers
    }

    fn confirms(self, library: &Library, item: &Item) -> Map<String, Value> {
        let mut confirms = Map::new();
        if !library.loans.iter().any(|loan| loan.item_id == item.id) {
            confirms.insert("not_issued".to_owned(), item.barcode.clone().into());
        }
        if self.asks_parts && !item.materials.is_empty() {
            confirms.insert("item_parts".to_owned(), item.materials.clone().into());
        }
        confirms
    }
}

/// Good for this item and these questions.
fn token(item: &Item, confirms: &Map<String, Value>) -> String {
    format!("{:016x}.{:016x}", keyed_hash(&item.id), keyed_hash(&confirms.keys().collect::<Vec<_>>()))
}

fn not_found() -> Reply {
    reply::json(404, &json!({ "error": "Item not found", "error_code": "not_found" }))
}

/// What stands against a check-in, and what would be asked.
pub(crate) fn availability(shared: &Shared, request: &Request) -> Reply {
    let Some(checkins) = shared.config.checkins.filter(|_| request.method == "GET") else { return no_page() };
    let mut library = shared.library();
    let era = library.era;
    let rules = Rules { others: &[("item_id", Kind::Integer), ("library_id", Kind::Text)], ..single() };
    let checked = rules.check_header(era, request).and_then(|()| {
        authorize(shared, &mut library, request, CHECKOUTS_BEFORE)?;
        rules.check(era, request)
    });
    if let Err(reply) = checked {
        return reply;
    }
    let Some(item_id) = request.parameter("item_id") else { return invalid("/item_id", "Missing property.") };
    let Some(item) = item_id.parse().ok().and_then(|id| library.item_by_id(id)) else { return not_found() };
    let confirms = checkins.confirms(&library, item);
    let token = (!confirms.is_empty()).then(|| token(item, &confirms));
    let blockers = checkins.blockers(item, request.parameter("library_id").unwrap_or_default());
    reply::json(
        200,
        &json!({ "blockers": blockers, "confirms": confirms, "warnings": {}, "confirmation_token": token }),
    )
}

/// What may stand in the body.
const PROPERTIES: [&str; 6] = ["item_id", "external_id", "library_id", "exempt_fine", "return_date", "dropbox_mode"];

/// Checks an item in.
pub(crate) fn add(shared: &Shared, request: &Request) -> Reply {
    let Some(checkins) = shared.config.checkins.filter(|_| request.method == "POST") else { return no_page() };
    let mut library = shared.library();
    let era = library.era;
    let rules = Rules {
        others: &[("confirmation", Kind::Text)],
        embeds: &["checkout", "hold", "hold.patron", "item", "library", "transfer", "user"],
        ..single()
    };
    if let Err(reply) =
        authorize(shared, &mut library, request, CHECKOUTS_BEFORE).and_then(|()| rules.check(era, request))
    {
        return reply;
    }
    let Some(Value::Object(body)) = &request.json else { return invalid("/body", "Expected object - got null.") };
    if let Some(unknown) = body.keys().find(|name| !PROPERTIES.contains(&name.as_str())) {
        return invalid("/body", &format!("Properties not allowed: {unknown}."));
    }
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let return_date = text("return_date");
    let refuse = |error: &str, code: &str| reply::json(403, &json!({ "error": error, "error_code": code }));
    if !return_date.is_empty() && !checkins.takes_dates {
        return refuse("Return date override is not enabled", "return_date_not_allowed");
    }
    let Some(item) = library.item(text("external_id")).cloned() else { return not_found() };
    let branch = text("library_id").to_owned();
    let blockers = checkins.blockers(&item, &branch);
    if !blockers.is_empty() {
        let refusal = json!({ "error": "Checkin blocked", "error_code": "checkin_blocked", "blockers": blockers });
        return reply::json(403, &refusal);
    }
    let confirms = checkins.confirms(&library, &item);
    let is_asked =
        if checkins.asks_not_issued { !confirms.is_empty() } else { confirms.keys().any(|key| key != "not_issued") };
    let confirmation = request.query.iter().find(|(name, _)| name == "confirmation").map(|(_, token)| token.as_str());
    let token = token(&item, &confirms);
    if is_asked && confirmation != Some(token.as_str()) {
        return reply::json(
            412,
            &json!({ "error": "Confirmation required", "error_code": "confirmation_required", "blockers": {},
                "confirms": confirms, "warnings": {}, "confirmation_token": token }),
        );
    }
    let at = if return_date.is_empty() {
        library.now_local()
    } else {
        let reads_zone = library.preferences.date_format == DateFormat::Iso;
        let Some(at) = read_return_date(library.zone, reads_zone, return_date) else { return went_wrong(era) };
        stamp(at)
    };
    let done = library.add_return(&item, &at, &branch, checkins);
    reply::json(200, &done.json(&library, &item, &branch, checkins, &embeds(era, request)).into())
}

/// What a check-in did.
struct Done {
    id: u64,
    loan: Option<u64>,
    hold: Option<u64>,
    transfer: Option<u64>,
    goes_to: Option<String>,
    messages: Vec<Value>,
}

impl Library {
    /// Koha: `AddReturn`.
    fn add_return(&mut self, item: &Item, at: &str, branch: &str, checkins: Checkins) -> Done {
        let message = |key: &str, payload: Value| json!({ "message": key, "type": "info", "payload": payload });
        let mut messages = Vec::new();
        let open = self.loans.iter().position(|loan| loan.item_id == item.id);
        let loan = open.map(|index| self.loans[index].id);
        if let Some(index) = open {
            self.close_loan(index, at, branch);
            messages.push(message("was_returned", Value::Null));
        } else {
            self.effects.push(Effect::UsedHere { barcode: item.barcode.clone(), at: at.to_owned() });
            messages.push(message("not_issued", item.barcode.clone().into()));
        }
        let now = self.now_local();
        if let Some(item) = self.items.iter_mut().find(|known| known.id == item.id) {
            item.last_seen = Some(now);
            item.holding_branch = branch.to_owned().into();
            if std::mem::take(&mut item.lost) != 0 {
                messages.push(message("was_lost", Value::Null));
            }
        }
        // Found, and not caught: a person confirms it.
        let fits = |hold: &&crate::state::Hold| {
            hold.found.is_none() && hold.biblio_id == item.biblio_id && hold.item_id.is_none_or(|id| id == item.id)
        };
        let hold = self.holds.iter().filter(fits).min_by_key(|hold| (hold.priority, hold.id)).map(|hold| hold.id);
        let goes_to = (hold.is_none() && item.branch != branch).then(|| item.branch.clone().into_owned());
        let transfer = goes_to.as_ref().filter(|_| checkins.sends_home).map(|_| self.next_id());
        if let Some(hold) = hold {
            messages.push(message("hold_found", json!({ "reserve_id": hold })));
        }
        if let Some(library) = &goes_to {
            let key = if transfer.is_some() { "transferred" } else { "needs_transfer" };
            messages.push(message(key, json!({ "to_library": library, "trigger": "ReturnToHome" })));
        }
        Done { id: self.next_id(), loan, hold, transfer, goes_to, messages }
    }
}

impl Done {
    fn json(
        self,
        library: &Library,
        item: &Item,
        branch: &str,
        checkins: Checkins,
        embedded: &[String],
    ) -> Map<String, Value> {
        let view = View::new(library);
        let value = json!({
            "checkin_id": self.id, "item_id": item.id, "user_id": 1, "library_id": branch, "desk_id": null,
            "timestamp": view.now, "exempt_fine": false, "local_use": false, "checkout_id": self.loan,
            "transfer_id": self.transfer, "hold_id": self.hold, "recall_id": null, "restriction_id": null, "claim_id": null,
        });
        let Value::Object(mut row) = value else { return Map::new() };
        for name in embedded {
            let related = match name.as_str() {
                "checkout" => {
                    let mut loans = library.old_loans.iter();
                    loans.find(|old| Some(old.loan.id) == self.loan).map(|old| old.json(&view).into())
                }
                "hold" => {
                    let mut holds = library.holds.iter();
                    holds.find(|hold| Some(hold.id) == self.hold).map(|hold| hold.json(&view).into())
                }
                "transfer" => self.transfer.map(|id| json!({ "transfer_id": id, "to_library_id": self.goes_to })),
                _ => None,
            };
            row.insert(name.clone(), related.unwrap_or_default());
        }
        if checkins.messages && !self.messages.is_empty() {
            row.insert("messages".to_owned(), self.messages.into());
        }
        row
    }
}
