//! Pages for people: login, main page, the queue of pending operations.

use std::fmt::Write;

use crate::auth::{ApiAuth, Flag};
use crate::reply::{self, Reply, escape};
use crate::request::Request;
use crate::server::Shared;
use crate::state::{Era, Library, Operation};

/// Somebody logged in who may see the page.
pub(crate) struct Visitor {
    /// The session.
    pub(crate) session_id: String,
    /// The login was part of this very request, so the browser must be told its session.
    fresh: bool,
}

/// The login of a staff page: the cookie, or the login form sent to the page itself. Else the login page.
///
/// Koha: `get_template_and_user`, `checkauth`. Without login or permission: 200 and the login page.
pub(crate) fn visitor(shared: &Shared, library: &mut Library, request: &Request, flag: Flag) -> Result<Visitor, Reply> {
    if library.preferences.maintenance {
        return Err(reply::redirect(&shared.path("/cgi-bin/koha/maintenance.pl")));
    }
    let (user, password) = library.era.login_parameters();
    let login = request.any_parameter(user).unwrap_or_default();
    if !login.is_empty() {
        let password = request.any_parameter(password).unwrap_or_default();
        let Some(patron) = library.check_password(login, password) else {
            return Err(login_page(library, "Log in to Koha", "Error: Invalid username or password"));
        };
        if !patron.may(flag) {
            return Err(login_page(library, "Access denied", "Error: You do not have permission to access this page."));
        }
        let (userid, home) = (patron.userid.clone(), patron.branch.clone());
        let branch = request.any_parameter("branch").filter(|branch| !branch.is_empty()).unwrap_or(&home);
        let session_id = library.new_session(Some(&userid), branch);
        return Ok(Visitor { session_id, fresh: true });
    }
    let Some(id) = request.cookie("CGISESSID") else { return Err(login_page(library, "Log in to Koha", "")) };
    match library.sessions.get(&id) {
        None => return Err(login_page(library, "Log in to Koha", "")),
        Some(session) if session.expired => {
            library.sessions.remove(&id);
            return Err(login_page(library, "Log in to Koha", "Error: Session timed out, please log in again"));
        }
        Some(_) => {}
    }
    match library.session_account(&id) {
        Some(account) if account.may(flag) => Ok(Visitor { session_id: id, fresh: false }),
        Some(_) => Err(login_page(library, "Access denied", "Error: You do not have permission to access this page.")),
        None => Err(login_page(library, "Log in to Koha", "")),
    }
}

/// The parts around every page.
fn page(library: &Library, session_id: &str, title: &str, body: &str) -> String {
    let token = match library.era {
        Era::Before2405 => String::new(),
        Era::From2405 => format!("<meta name=\"csrf-token\" content=\"{}\">\n", library.csrf_token(session_id)),
    };
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n{token}<title>{title}</title>\n\
         <style>body {{ font: 1rem/1.5 sans-serif; margin: 2rem; }} td, th {{ padding: 0.2rem 0.8rem; text-align: left; }} \
         .error {{ color: #a00; }}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )
}

/// The hidden field that every form carries from 24.05.
pub(crate) fn csrf_field(library: &Library, session_id: &str) -> String {
    match library.era {
        Era::Before2405 => String::new(),
        Era::From2405 => {
            format!("<input type=\"hidden\" name=\"csrf_token\" value=\"{}\">", library.csrf_token(session_id))
        }
    }
}

/// 200 with the login form and a new anonymous session. The form goes to the page that was asked for.
fn login_page(library: &mut Library, title: &str, message: &str) -> Reply {
    let id = library.new_session(None, "");
    let (user, password) = library.era.login_parameters();
    let op = match library.era {
        Era::Before2405 => "",
        Era::From2405 => "<input type=\"hidden\" name=\"login_op\" value=\"cud-login\">",
    };
    let mut branches = String::new();
    for branch in &library.branches {
        let _ = write!(branches, "<option value=\"{}\">{}</option>", escape(&branch.code), escape(&branch.name));
    }
    let body = format!(
        "<h1>{title}</h1>\n<p id=\"login_error\" class=\"error\">{message}</p>\n\
         <form method=\"post\" id=\"loginform\">{}{op}\n\
         <p><label>Username: <input type=\"text\" id=\"userid\" name=\"{user}\" autocomplete=\"off\"></label></p>\n\
         <p><label>Password: <input type=\"password\" id=\"password\" name=\"{password}\" autocomplete=\"off\"></label></p>\n\
         <p><label>Library: <select id=\"branch\" name=\"branch\"><option value=\"\">My library</option>{branches}</select></label></p>\n\
         <p><input type=\"submit\" id=\"submit-button\" value=\"Log in\"></p></form>",
        csrf_field(library, &id)
    );
    let heading = format!("{title} &rsaquo; Koha");
    let reply = reply::html(200, page(library, &id, &heading, &body));
    reply::with_session(reply, library.era, &id)
}

/// Answers a visitor, with the session cookie if it is new.
pub(crate) fn show(library: &Library, visitor: &Visitor, title: &str, body: &str) -> Reply {
    let reply = reply::html(200, page(library, &visitor.session_id, title, body));
    if visitor.fresh { reply::with_session(reply, library.era, &visitor.session_id) } else { reply }
}

/// The main page, which says who is logged in.
pub(crate) fn main_page(shared: &Shared, request: &Request) -> Reply {
    let mut library = shared.library();
    if request.any_parameter("logout.x").is_some() {
        if let Some(id) = request.cookie("CGISESSID") {
            library.sessions.remove(&id);
        }
        return login_page(&mut library, "Log in to Koha", "");
    }
    let visitor = match visitor(shared, &mut library, request, Flag::Catalogue) {
        Ok(visitor) => visitor,
        Err(reply) => return reply,
    };
    let userid = library.session_account(&visitor.session_id).map(|account| account.userid.clone()).unwrap_or_default();
    let body = format!(
        "<h1>Koha staff interface</h1>\n\
         <p>Logged in as <span class=\"loggedinusername\">{}</span>, library <span class=\"logged-in-branch-code\">{}</span></p>\n\
         <ul><li><a href=\"{}\">Upload offline circulation file (.koc)</a></li>\
         <li><a href=\"{}\">Pending offline circulation actions</a> ({})</li>\
         <li><a href=\"{}\" id=\"logout\">Log out</a></li></ul>",
        escape(&userid),
        escape(&library.session_branch(&visitor.session_id)),
        shared.path("/cgi-bin/koha/offline_circ/process_koc.pl"),
        shared.path("/cgi-bin/koha/offline_circ/list.pl"),
        library.pending_at(&library.session_branch(&visitor.session_id)).len(),
        shared.path("/cgi-bin/koha/mainpage.pl?logout.x=1"),
    );
    show(&library, &visitor, "Koha staff interface", &body)
}

/// Runs the ticked rows from top to bottom, one after the other, and puts Koha's answer in place of the box.
const LIST_SCRIPT: &str = r##"
const words = {
  "Item not issued.": "Item not checked out.",
  "Barcode not found.": "Item not found.",
  "Borrower not found.": "Patron not found.",
};
const boxes = () => [...document.querySelectorAll("#operations input[type=checkbox]")];
const tick = (on) => boxes().forEach((box) => { box.checked = on; });
async function run(action) {
  const token = document.querySelector("meta[name=csrf-token]");
  for (const box of boxes().filter((box) => box.checked)) {
    const id = box.name.replace("operationid-", "");
    const answer = token
      ? await fetch(PROCESS, {
          method: "POST",
          body: new URLSearchParams({ op: "cud-" + action, operationid: id, csrf_token: token.content }),
        })
      : await fetch(PROCESS + "?" + new URLSearchParams({ action, operationid: id }));
    const text = await answer.text();
    const plain = (answer.headers.get("content-type") || "").startsWith("text/plain");
    box.replaceWith(answer.ok && plain ? (words[text] || text) : "Error " + answer.status);
  }
}
document.getElementById("checkall").onclick = () => tick(true);
document.getElementById("checknone").onclick = () => tick(false);
document.getElementById("process").onclick = () => run("process");
document.getElementById("delete").onclick = () => run("delete");
"##;

/// The queue of the session's branch. Koha: `offline_circ/list.pl` and list.tt.
pub(crate) fn list(shared: &Shared, request: &Request) -> Reply {
    let mut library = shared.library();
    let visitor = match visitor(shared, &mut library, request, Flag::Circulate) {
        Ok(visitor) => visitor,
        Err(reply) => return reply,
    };
    let branch = library.session_branch(&visitor.session_id);
    let rows = library.pending_at(&branch);
    let mut body = String::from("<h1>Offline circulation</h1>\n");
    if rows.is_empty() {
        body.push_str("<p>There are no pending offline operations.</p>");
    } else {
        body.push_str(
            "<p><button id=\"checkall\">Check all</button> <button id=\"checknone\">Uncheck all</button></p>\n\
             <table id=\"operations\">\n<thead><tr><th>&nbsp;</th><th>Date</th><th>Action</th><th>Title</th>\
             <th>Barcode</th><th>Cardnumber</th><th>Amount</th></tr></thead>\n<tbody>\n",
        );
        for row in rows {
            body.push_str(&list_row(&library, row));
        }
        let process = shared.path("/cgi-bin/koha/offline_circ/process.pl");
        let _ = write!(
            body,
            "</tbody>\n</table>\n<p><button id=\"process\">Process</button> <button id=\"delete\">Delete</button></p>\n\
             <script>const PROCESS = \"{process}\";{LIST_SCRIPT}</script>"
        );
    }
    show(&library, &visitor, "Pending offline circulation actions &rsaquo; Koha", &body)
}

fn list_row(library: &Library, row: &Operation) -> String {
    let action = match row.action.as_str() {
        "issue" => "Check out",
        "return" => "Check in",
        "payment" => "Payment",
        other => other,
    };
    let marked = |value: &str, known: bool| {
        let value = escape(value);
        if known || value.is_empty() { value } else { format!("<span class=\"error\">{value}</span>") }
    };
    let id = row.id.unwrap_or_default();
    let title = library.item(&row.barcode).map(|item| escape(&item.title)).unwrap_or_default();
    let amount = if row.action == "payment" { row.amount.to_string() } else { String::new() };
    format!(
        "<tr class=\"oc-{id}\" data-id=\"{id}\"><td><input type=\"checkbox\" name=\"operationid-{id}\"></td>\
         <td>{}</td><td>{}</td><td>{title}</td><td>{}</td><td>{}</td><td>{amount}</td></tr>\n",
        row.timestamp,
        escape(action),
        marked(&row.barcode, library.item(&row.barcode).is_some()),
        marked(&row.cardnumber, library.knows_card(&row.cardnumber)),
    )
}

/// Processes or deletes one row. Koha: `offline_circ/process.pl`.
///
/// The session may be of any branch; the loan is made at the session's branch.
pub(crate) fn process(shared: &Shared, request: &Request) -> Reply {
    let mut library = shared.library();
    let visitor = match visitor(shared, &mut library, request, Flag::Circulate) {
        Ok(visitor) => visitor,
        Err(reply) => return reply,
    };
    let action = match library.era {
        Era::Before2405 => request.parameter("action"),
        Era::From2405 => request.parameter("op").and_then(|op| op.strip_prefix("cud-")),
    };
    let id = request.parameter("operationid").and_then(|id| id.parse::<u64>().ok());
    let branch = library.session_branch(&visitor.session_id);
    let row = library.pending.iter().find(|row| row.id == id && id.is_some()).cloned();
    match (action, row) {
        (Some("process"), Some(row)) => match library.process_operation(&row, &branch) {
            Ok(answer) => reply::text(answer),
            Err(death) => reply::died(library.era, &death),
        },
        (Some("delete"), _) => reply::text(library.delete_operation(id.unwrap_or_default())),
        _ => reply::text(""),
    }
}

/// Is the session good for the page? Only the check, without a page. For scripts that answer in JSON.
pub(crate) fn may(library: &mut Library, request: &Request, flag: Flag) -> Option<bool> {
    let id = request.cookie("CGISESSID")?;
    match library.check_session(&id, None) {
        ApiAuth::Ok(id) => Some(library.session_account(&id).is_some_and(|account| account.may(flag))),
        _ => None,
    }
}

/// What a hotel's or a library's network answers to everything until somebody logs in to it.
pub(crate) fn captive_portal() -> Reply {
    reply::html(
        200,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><title>Welcome to the guest network</title></head>\n\
         <body><h1>Log in to Koha</h1><form method=\"post\"><input name=\"userid\"><input name=\"password\" type=\"password\">\
         </form></body></html>\n",
    )
}
