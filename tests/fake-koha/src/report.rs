//! svc/report: the rows of a saved SQL report, for programs.

use serde_json::{Value, json};

use crate::auth::{ApiAuth, Flag};
use crate::reply::{self, Reply};
use crate::request::Request;
use crate::server::Shared;
use crate::state::{Era, Library, Report};

/// Koha: svc/report. It looks for the report before it looks at who asks, cuts the rows at `SvcMaxReportRows` without a
/// word, and gives an error of the database as an object. Values for the placeholders come as `sql_params`, in order
/// (Koha/Report.pm, `prep_report`). By source, as nothing of it was observed; whether a number comes as a number or as a
/// text depends on the database driver, so each era has one of them here.
pub(crate) fn report(shared: &Shared, request: &Request) -> Reply {
    let mut library = shared.library();
    let number = request.parameter("id").and_then(|id| id.parse::<u32>().ok());
    let Some(report) = number.and_then(|number| library.reports.get(&number).copied()) else {
        return reply::died(library.era);
    };
    let auth = library.check_api_auth(request, Some(Flag::Catalogue));
    if !matches!(auth, ApiAuth::Ok(_)) {
        return reply::json(401, &json!({ "auth_status": auth.word() }));
    }
    let after = request.parameter("sql_params").and_then(|after| after.parse().ok()).unwrap_or(0);
    let mut rows = match report {
        Report::Restrictions => restrictions(&library, after),
        Report::RestrictionsWithoutPlaceholder => restrictions(&library, 0),
        Report::Branches => library.branches.iter().map(|branch| json!([branch.code, branch.name])).collect(),
        Report::Wrong => return reply::json(200, &json!({ "queryerr": "Unknown column 'debared' in 'where clause'" })),
    };
    rows.truncate(shared.config.svc_max_report_rows);
    reply::json(200, &rows.into())
}

fn restrictions(library: &Library, after: u64) -> Vec<Value> {
    let today = &library.now_local()[..10];
    let restricted = |until: &str| until > today;
    let mut patrons: Vec<_> = library.patrons.iter().filter(|patron| patron.id > after).collect();
    patrons.retain(|patron| patron.restricted_until.as_deref().is_some_and(restricted));
    patrons.sort_by_key(|patron| patron.id);
    let number = |id: u64| match library.era {
        Era::Before2405 => Value::from(id.to_string()),
        Era::From2405 => id.into(),
    };
    let row = |patron: &&crate::state::Patron| {
        json!([number(patron.id), patron.restricted_until.as_deref(), patron.restriction_comment])
    };
    patrons.iter().map(row).collect()
}
