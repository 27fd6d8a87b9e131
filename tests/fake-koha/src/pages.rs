//! Pages for people: login, main page, the queue of pending operations.

use std::fmt::Write;

use crate::auth::{ApiAuth, Flag, SECOND_FACTOR};
use crate::collation::same;
use crate::reply::{self, Reply, escape};
use crate::request::Request;
use crate::server::Shared;
use crate::state::{Era, Library, Operation, Patron};

/// Somebody logged in who may see the page.
pub(crate) struct StaffSession {
    /// The session.
    pub(crate) session_id: String,
    /// The login was part of this very request, so the browser must be told its session.
    fresh: bool,
}

/// The login of a staff page: the cookie, or the login form sent to the page itself. Else the login page.
///
/// Koha: `get_template_and_user`, `checkauth`. Without login or permission: 200 and the login page.
pub(crate) fn staff_session(
    shared: &Shared,
    library: &mut Library,
    request: &Request,
    flag: Flag,
) -> Result<StaffSession, Reply> {
    if library.preferences.maintenance {
        return Err(reply::redirect(&shared.path("/cgi-bin/koha/installer/install.pl")));
    }
    let login = login_name(library, request).to_owned();
    let cookie = request.cookie("CGISESSID");
    if request.any_parameter("logout.x").is_some() {
        if let Some(id) = cookie {
            library.sessions.remove(&id);
        }
        return Err(login_page(library, &["Log in to Koha"], ""));
    }
    let mut titles = vec!["Log in to Koha"];
    let mut message = "";
    if let Some(id) = cookie {
        match library.check_session(&id, None) {
            ApiAuth::SecondFactor if request.any_parameter("otp_token") != Some(SECOND_FACTOR) => {
                return Err(second_factor_page(library, &id));
            }
            auth @ (ApiAuth::Ok(_) | ApiAuth::SecondFactor) => {
                if let Some(session) = library.sessions.get_mut(&id) {
                    session.awaits_second_factor = false;
                }
                // A form with another name is a new login, in a new session; with the same name it changes nothing,
                // not even the branch.
                let another = |account: &Patron| !same(&account.userid, &login);
                let leaves = request.any_parameter("koha_login_context").is_some()
                    && matches!(auth, ApiAuth::Ok(_))
                    && library.session_account(&id).is_some_and(another);
                if !leaves {
                    return allowed(library, id, false, flag);
                }
                library.sessions.remove(&id);
            }
            ApiAuth::Expired => {
                titles.insert(0, "Session timed out");
                message = "Error: Session timed out. Please log in again";
            }
            ApiAuth::Failed | ApiAuth::Anonymous | ApiAuth::Maintenance => {}
        }
    }
    if login.is_empty() {
        return Err(login_page(library, &titles, message));
    }
    let password = library.era.login_parameters().1;
    let password = request.any_parameter(password).unwrap_or_default();
    let (era, limit) = (library.era, library.preferences.failed_login_attempts);
    let Some(patron) = library.check_password(&login, password) else {
        let locked = |patron: &Patron| limit.is_some_and(|limit| patron.login_attempts >= limit);
        return Err(if library.account(&login).is_some_and(locked) {
            let titles = ["This account has been locked.", "Log in to Koha"];
            login_page(library, &titles, "Error: This account has been locked!")
        } else {
            let titles = ["Invalid username or password", "Log in to Koha"];
            login_page(library, &titles, "Error: Invalid username or password")
        });
    };
    // Before 24.05 whoever came by the form chose the branch.
    let (userid, home, second_factor) = (patron.userid.clone(), patron.branch.clone(), patron.second_factor);
    let chooses = era == Era::Before2405 || patron.may(Flag::LoggedInLibrary);
    let branch = request.any_parameter("branch").filter(|branch| chooses && !branch.is_empty()).unwrap_or(&home);
    let id = library.new_session(Some(&userid), branch);
    if second_factor {
        if let Some(session) = library.sessions.get_mut(&id) {
            session.awaits_second_factor = true;
        }
        return Err(second_factor_page(library, &id));
    }
    allowed(library, id, true, flag)
}

/// The name in the login form; empty if there is none that counts.
///
/// From 24.05 a form comes by POST alone. That the newest asks for `login_op` is stricter than its sources, where the
/// middleware looks at it only if it is there.
fn login_name<'a>(library: &Library, request: &'a Request) -> &'a str {
    let counts = match library.era {
        Era::Before2405 => true,
        Era::From2405 => {
            request.method == "POST" && (!library.newest || request.parameter("login_op") == Some("cud-login"))
        }
    };
    request.any_parameter(library.era.login_parameters().0).filter(|_| counts).unwrap_or_default()
}

/// The session, if the page is for them. Else a page that says so, in the session that was made all the same.
fn allowed(library: &Library, session_id: String, fresh: bool, flag: Flag) -> Result<StaffSession, Reply> {
    if library.session_account(&session_id).is_some_and(|account| account.may(flag)) {
        return Ok(StaffSession { session_id, fresh });
    }
    let message = "Error: You do not have permission to access this page.";
    Err(login_page_in(library, &session_id, &["Access denied"], &login_form(library, &session_id, message)))
}

/// The parts around every page. A header says who is logged in, where the page has one and somebody is.
fn page(library: &Library, session_id: &str, id: &str, header: &str, title: &str, body: &str) -> String {
    let token = match library.era {
        Era::Before2405 => String::new(),
        Era::From2405 => format!("<meta name=\"csrf-token\" content=\"{}\">\n", library.csrf_token(session_id)),
    };
    // Since the code was tidied.
    let gap = if library.newest { "\n    " } else { "" };
    let gap_after = if library.newest { "\n" } else { "" };
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<title{gap}>{title}</title{gap_after}>\n<meta charset=\"utf-8\">\n{token}\
         <style>body {{ font: 1rem/1.5 sans-serif; margin: 2rem; }} td, th {{ padding: 0.2rem 0.8rem; text-align: left; }} \
         .error {{ color: #a00; }} .content_hidden {{ display: none; }}</style>\n</head>\n<body id=\"{id}\">\n{header}{body}\n</body>\n</html>\n"
    )
}

/// Who is logged in, and where: as Koha's header.inc says it, twice.
fn header(shared: &Shared, library: &Library, session_id: &str) -> String {
    let Some(account) = library.session_account(session_id) else { return String::new() };
    let code = library.session_branch(session_id);
    let name = library.branch(&code).map(|branch| escape(&branch.name)).unwrap_or_default();
    let (userid, code) = (escape(&account.userid), escape(&code));
    let class = match (library.newest, account.may(Flag::Superlibrarian)) {
        (false, _) => "loggedinusername",
        (true, true) => "loggedinusername is_superlibrarian",
        (true, false) => "loggedinusername ",
    };
    let branch = format!(
        "<span class=\"logged-in-branch-name\">{name}</span>\n<span class=\"logged-in-branch-code content_hidden\">{code}</span>"
    );
    format!(
        "<nav><span id=\"logged-in-info-full\"><span class=\"{class}\">{userid}</span> <strong>{branch}</strong></span>\n\
         <ul><li class=\"loggedin-menu-label\">Logged in as <span class=\"loggedinusername\">{userid}</span></li>\n\
         <li class=\"loggedin-menu-label\">{branch}</li>\n\
         <li><a id=\"logout\" class=\"toplinks\" href=\"{}\">Log out</a></li></ul></nav>\n",
        shared.path("/cgi-bin/koha/mainpage.pl?logout.x=1"),
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
fn login_page(library: &mut Library, titles: &[&str], message: &str) -> Reply {
    let id = library.new_session(None, "");
    login_page_in(library, &id, titles, &login_form(library, &id, message))
}

/// 200 and the question for the code of the second factor.
fn second_factor_page(library: &Library, session_id: &str) -> Reply {
    let body = format!(
        "<form method=\"post\" id=\"loginform\">{}\n<p><label>Two-factor authentication code: \
         <input type=\"text\" id=\"otp_token\" name=\"otp_token\"></label></p>\n\
         <p><input type=\"submit\" id=\"submit-button\" value=\"Verify code\"></p></form>",
        login_fields(library, session_id)
    );
    login_page_in(library, session_id, &["Two-factor authentication", "Log in to Koha"], &body)
}

fn login_page_in(library: &Library, session_id: &str, titles: &[&str], body: &str) -> Reply {
    let title = if library.newest {
        format!("{} &rsaquo; Koha", titles.join(" &rsaquo; "))
    } else {
        // The older template puts one under the other.
        format!("\n    {} &rsaquo; Koha\n", titles.iter().rev().copied().collect::<Vec<_>>().join("\n    "))
    };
    let body = format!("<h1>{}</h1>\n{body}", titles.last().unwrap_or(&"Koha"));
    let reply = reply::html(200, page(library, session_id, "main_auth", "", &title, &body));
    reply::with_session(reply, library.era, session_id)
}

/// The hidden fields of the login form.
fn login_fields(library: &Library, session_id: &str) -> String {
    let op = match library.era {
        Era::Before2405 => "",
        Era::From2405 if library.newest => "<input type=\"hidden\" name=\"login_op\" value=\"cud-login\">",
        Era::From2405 => "<input type=\"hidden\" name=\"op\" value=\"cud-login\">",
    };
    let token = csrf_field(library, session_id);
    format!("{token}{op}<input type=\"hidden\" name=\"koha_login_context\" value=\"intranet\">")
}

fn login_form(library: &Library, session_id: &str, message: &str) -> String {
    let (user, password) = library.era.login_parameters();
    let mut branches = String::new();
    for branch in &library.branches {
        let _ = write!(branches, "<option value=\"{}\">{}</option>", escape(&branch.code), escape(&branch.name));
    }
    format!(
        "<p id=\"login_error\" class=\"error\">{message}</p>\n\
         <form method=\"post\" id=\"loginform\">{}\n\
         <p><label>Username: <input type=\"text\" id=\"userid\" name=\"{user}\" autocomplete=\"off\"></label></p>\n\
         <p><label>Password: <input type=\"password\" id=\"password\" name=\"{password}\" autocomplete=\"off\"></label></p>\n\
         <p><label>Library: <select id=\"branch\" name=\"branch\"><option value=\"\">My library</option>{branches}</select></label></p>\n\
         <p><input type=\"submit\" id=\"submit-button\" value=\"Log in\"></p></form>",
        login_fields(library, session_id)
    )
}

/// Answers a session, with the session cookie if it is new.
pub(crate) fn show(
    shared: &Shared,
    library: &Library,
    session: &StaffSession,
    id: &str,
    title: &str,
    body: &str,
) -> Reply {
    let header = header(shared, library, &session.session_id);
    let reply = reply::html(200, page(library, &session.session_id, id, &header, title, body));
    if session.fresh { reply::with_session(reply, library.era, &session.session_id) } else { reply }
}

/// The main page.
pub(crate) fn main_page(shared: &Shared, request: &Request) -> Reply {
    let mut library = shared.library();
    let session = match staff_session(shared, &mut library, request, Flag::Catalogue) {
        Ok(session) => session,
        Err(reply) => return reply,
    };
    let body = format!(
        "<h1>Koha staff interface</h1>\n\
         <ul><li><a href=\"{}\">Upload offline circulation file (.koc)</a></li>\
         <li><a href=\"{}\">Pending offline circulation actions</a> ({})</li></ul>",
        shared.path("/cgi-bin/koha/offline_circ/process_koc.pl"),
        shared.path("/cgi-bin/koha/offline_circ/list.pl"),
        library.pending_at(&library.session_branch(&session.session_id)).len(),
    );
    show(shared, &library, &session, "main_intranet-main", "Koha staff interface", &body)
}

/// Runs the ticked rows from top to bottom, one after the other, and puts Koha's answer in place of the box.
const LIST_SCRIPT: &str = r##"
const words = {
  "Item not issued.": "Item not checked out.",
  "Barcode not found.": "Item not found.",
  "Borrower not found.": "Patron not found.",
};
const boxes = () => [...document.querySelectorAll("#operations input[name=operationid]")];
const tick = (on) => boxes().forEach((box) => { box.checked = on; });
async function run(action) {
  const token = document.querySelector("meta[name=csrf-token]");
  for (const box of boxes().filter((box) => box.checked)) {
    const id = box.value;
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
    let session = match staff_session(shared, &mut library, request, Flag::Circulate) {
        Ok(session) => session,
        Err(reply) => return reply,
    };
    let branch = library.session_branch(&session.session_id);
    let rows = library.pending_at(&branch);
    let mut body = String::from("<h1>Offline circulation</h1>\n");
    if rows.is_empty() {
        body.push_str("<p>There are no pending offline operations.</p>");
    } else {
        body.push_str(
            "<p><button id=\"checkall\">Check all</button> <button id=\"checknone\">Uncheck all</button></p>\n\
             <table id=\"operations\">\n<thead><tr><th>&nbsp;</th><th>Date</th>",
        );
        if library.newest {
            body.push_str("<th>Item last seen date</th>");
        }
        body.push_str(
            "<th>Action</th><th>Barcode</th><th>Card number or username</th><th>Amount</th></tr></thead>\n<tbody>\n",
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
    show(shared, &library, &session, "ocirc_list", "Offline circulation &rsaquo; Circulation &rsaquo; Koha", &body)
}

/// A row as in list.tt: times as the database has them before 24.05 (they were made readable in 23.05), then to the
/// minute.
fn list_row(library: &Library, row: &Operation) -> String {
    let action = match row.action.as_str() {
        "issue" => "Check out",
        "return" => "Check in",
        "payment" => "Payment",
        other => other,
    };
    let time = |stamp: &str| match library.era {
        Era::Before2405 => stamp.to_owned(),
        Era::From2405 => library.preferences.date_format.write(stamp),
    };
    let marked = |value: &str, link: Option<String>| match link {
        Some(link) => format!("<a {link}>{}</a>", escape(value)),
        None => format!("<span class=\"error\">{}</span>", escape(value)),
    };
    let item = library.item(&row.barcode);
    let barcode = item.map(|item| {
        let (biblio, id, title) = (item.biblio_id, item.id, escape(&item.title));
        let page = format!("/cgi-bin/koha/catalogue/moredetail.pl?biblionumber={biblio}&itemnumber={id}#item{id}");
        format!("href=\"{page}\" target=\"_blank\" title=\"{title}\"")
    });
    let card = matches!(row.action.as_str(), "issue" | "payment").then(|| {
        let patron = library.find_patron(&row.cardnumber);
        let link = patron.map(|patron| {
            let name = escape(&format!("{} {}", patron.firstname, patron.surname));
            format!("href=\"/cgi-bin/koha/members/moremember.pl?borrowernumber={}\" title=\"{name}\"", patron.id)
        });
        marked(&row.cardnumber, link)
    });
    let last_seen = library.newest.then(|| {
        let seen = item.and_then(|item| item.last_seen.as_deref()).unwrap_or_default();
        let shown = time(seen);
        if seen > row.timestamp.as_str() {
            let icon = "<i title=\"This item has been updated since the offline circulation action was taken. \
                        Use caution when processing this action.\" class=\"fa fa-exclamation-triangle\"></i>";
            format!("<td><span class=\"error\">{icon} {shown}</span></td>")
        } else {
            format!("<td>{shown}</td>")
        }
    });
    let id = row.id.unwrap_or_default();
    format!(
        "<tr class=\"oc-{}\"><td><input type=\"checkbox\" name=\"operationid\" id=\"operationid{id}\" value=\"{id}\"></td>\n\
         <td><label for=\"operationid{id}\">{}</label></td>\n{}<td><span>{}</span></td>\n<td>{}</td>\n<td>{}</td>\n\
         <td>{}</td></tr>\n",
        escape(&row.action),
        time(&row.timestamp),
        last_seen.unwrap_or_default(),
        escape(action),
        marked(&row.barcode, barcode),
        card.unwrap_or_default(),
        row.amount,
    )
}

/// Processes or deletes one row. Koha: `offline_circ/process.pl`.
///
/// The session may be of any branch; the loan is made at the session's branch.
pub(crate) fn process(shared: &Shared, request: &Request) -> Reply {
    let mut library = shared.library();
    let session = match staff_session(shared, &mut library, request, Flag::Circulate) {
        Ok(session) => session,
        Err(reply) => return reply,
    };
    let action = match library.era {
        Era::Before2405 => request.parameter("action"),
        Era::From2405 => request.parameter("op").and_then(|op| op.strip_prefix("cud-")),
    };
    let id = request.parameter("operationid").and_then(|id| id.parse::<u64>().ok());
    let branch = library.session_branch(&session.session_id);
    let row = library.pending.iter().find(|row| row.id == id && id.is_some()).cloned();
    match (action, row) {
        (Some("process"), Some(row)) => match library.process_operation(&row, &branch) {
            Ok(answer) => reply::text(answer),
            Err(_) => reply::died(library.era),
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
