//! The plugin of `ByWater`'s desktop tool: many offline transactions in one request, with a memory of those that it was given.
//!
//! Its code is not public. What the desktop tool sends and reads is known, and is what is modelled; that it looks into its memory
//! once, at the beginning, for all of a request, and knows a transaction by its very words, is the worst that is possible. A
//! transaction at which Koha dies takes the whole request with it.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::amount::Amount;
use crate::auth::Flag;
use crate::circulation::Died;
use crate::clock::stamp;
use crate::reply::{self, Reply};
use crate::request::Request;
use crate::rest::{Needs, authorize};
use crate::server::Shared;
use crate::state::{Library, Operation};

const NEEDS: Needs = &[&[(Some(Flag::Circulate), "circulate", "circulate_remaining_permissions")]];

/// The plugin, as it is installed in a library.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plugin {
    /// What became of each transaction that it was given, by its words: `processed` or `queued`.
    pub memory: HashMap<String, &'static str>,
}

/// `POST /api/v1/contrib/offlinecirc/transactions`.
pub(crate) fn transactions(shared: &Shared, request: &Request) -> Reply {
    let mut library = shared.library();
    let Some(plugin) = library.plugin.clone().filter(|_| request.method == "POST") else {
        return reply::error_page(404, None);
    };
    if let Err(refusal) = authorize(shared, &mut library, request, NEEDS) {
        return refusal;
    }
    let body = request.json.clone().unwrap_or_default();
    let (Some(branch), Some(pending), Some(rows)) =
        (body["branchcode"].as_str(), body["pending"].as_bool(), body["transactions"].as_array())
    else {
        return reply::json(
            400,
            &json!({ "errors": [{ "message": "Missing property.", "path": "/body" }], "status": 400 }),
        );
    };
    let mut results = Vec::new();
    for row in rows {
        let words = row.to_string();
        let (status, message) = match plugin.memory.get(&words) {
            Some(before) => ("skipped", format!("Already processed: {before}")),
            None => match act(&mut library, row, branch, pending) {
                Err(_) => return reply::died(library.era),
                Ok("Added.") => ("queued", "Added to the pending offline circulation queue".to_owned()),
                Ok("Success.") => ("processed", "Success.".to_owned()),
                Ok(other) => ("error", other.to_owned()),
            },
        };
        if let (Some(plugin), "queued" | "processed") = (&mut library.plugin, status) {
            plugin.memory.insert(words, if pending { "queued" } else { "processed" });
        }
        results.push(json!({ "status": status, "message": message }));
    }
    reply::json(200, &json!({ "results": results }))
}

fn act(library: &mut Library, row: &Value, branch: &str, pending: bool) -> Result<&'static str, Died> {
    let text = |name: &str| row[name].as_str().unwrap_or_default();
    let time = chrono::DateTime::parse_from_rfc3339(text("timestamp"));
    let Ok(time) = time else { return Ok("Invalid timestamp") };
    let operation = Operation {
        id: None,
        userid: String::new(),
        branch: branch.to_owned(),
        timestamp: stamp(library.zone.local(time.naive_utc())),
        action: text("action").to_owned(),
        barcode: text("barcode").to_owned(),
        cardnumber: text("cardnumber").to_owned(),
        amount: Amount::lenient(text("amount")),
    };
    if pending {
        library.queue_operation(operation, text("amount"))
    } else {
        library.process_operation(&operation, branch)
    }
}
