//! The way of a .koc file: upload, then into the queue.

use serde_json::json;

use crate::auth::Flag;
use crate::circulation::Died;
use crate::pages::{csrf_field, may, show, staff_session};
use crate::reply::{self, Reply, escape};
use crate::request::Request;
use crate::server::Shared;
use crate::state::{Era, Library, Operation, Upload};

/// Uploads the chosen file, then lets the person send its id to the queue.
const UPLOAD_SCRIPT: &str = r#"
document.getElementById("fileuploadbutton").onclick = async () => {
  const file = document.getElementById("fileToUpload").files[0];
  if (!file) return;
  const body = new FormData();
  body.append("uploadfile", file);
  const token = document.querySelector("meta[name=csrf-token]");
  const headers = token ? { "CSRF-TOKEN": token.content } : {};
  const answer = await fetch(UPLOAD, { method: "POST", body, headers });
  const result = answer.ok ? JSON.parse(await answer.text()) : {};
  document.getElementById("uploadstatus").textContent = result.status === "done" ? "Uploaded." : "Upload failed.";
  if (result.status === "done") {
    document.getElementById("uploadedfileid").value = result.fileid;
    document.getElementById("addtoqueue").disabled = false;
  }
};
"#;

/// The page where a .koc file is chosen. Koha: `offline_circ/process_koc.pl`; its hidden "apply directly" is left out.
pub(crate) fn upload_page(shared: &Shared, request: &Request) -> Reply {
    let mut library = shared.library();
    let session = match staff_session(shared, &mut library, request, Flag::Circulate) {
        Ok(session) => session,
        Err(reply) => return reply,
    };
    let op = match library.era {
        Era::Before2405 => "",
        Era::From2405 => "<input type=\"hidden\" name=\"op\" value=\"cud-enqueue\">",
    };
    let body = format!(
        "<h1>Upload offline circulation data</h1>\n\
         <p><label>Choose .koc file: <input type=\"file\" id=\"fileToUpload\"></label> \
         <button type=\"button\" id=\"fileuploadbutton\">Upload file</button> <span id=\"uploadstatus\" role=\"status\"></span></p>\n\
         <form method=\"post\" action=\"{}\" id=\"enqueuefile\">{}{op}\
         <input type=\"hidden\" name=\"uploadedfileid\" id=\"uploadedfileid\" value=\"\">\
         <input type=\"submit\" id=\"addtoqueue\" value=\"Add to offline circulation queue\" disabled></form>\n\
         <script>const UPLOAD = \"{}\";{UPLOAD_SCRIPT}</script>",
        shared.path("/cgi-bin/koha/offline_circ/enqueue_koc.pl"),
        csrf_field(&library, &session.session_id),
        shared.path("/cgi-bin/koha/tools/upload-file.pl?temp=1"),
    );
    show(shared, &library, &session, "ocirc_process_koc", "Upload offline circulation data &rsaquo; Koha", &body)
}

/// Takes a file. Koha: tools/upload-file.pl, which answers JSON as text/html, and 500 without a session (observed).
pub(crate) fn upload_file(shared: &Shared, request: &Request) -> Reply {
    let mut library = shared.library();
    let allowed = may(&mut library, request, Flag::Circulate);
    let tools = may(&mut library, request, Flag::Tools);
    if allowed.is_none() {
        return reply::died(library.era);
    }
    let answer = if allowed != Some(true) && tools != Some(true) {
        json!({ "status": "denied", "errors": null, "fileid": null })
    } else if let Some((_, name, bytes)) = request.files.first() {
        let id = library.next_id();
        library.uploads.push(Upload { id, name: name.clone(), bytes: bytes.clone() });
        json!({ "status": "done", "errors": null, "fileid": id.to_string() })
    } else {
        json!({ "status": "failed", "errors": {}, "fileid": null })
    };
    reply::html(200, answer.to_string())
}

/// Puts an uploaded file into the queue. Koha: `offline_circ/enqueue_koc.pl`.
pub(crate) fn enqueue(shared: &Shared, request: &Request) -> Reply {
    let mut library = shared.library();
    let session = match staff_session(shared, &mut library, request, Flag::Circulate) {
        Ok(session) => session,
        Err(reply) => return reply,
    };
    let asked = library.era == Era::Before2405 || request.parameter("op") == Some("cud-enqueue");
    let Some(id) = request.parameter("uploadedfileid").filter(|id| asked && !id.is_empty()) else {
        return show(
            shared,
            &library,
            &session,
            "ocirc_process_koc",
            "Offline circulation &rsaquo; Koha",
            "<h1>Offline circulation file upload</h1>",
        );
    };
    let upload = library.uploads.iter().find(|upload| upload.id.to_string() == id);
    let file = String::from_utf8_lossy(upload.map_or(&[][..], |upload| &upload.bytes)).into_owned();
    let userid = library.session_account(&session.session_id).map(|account| account.userid.clone()).unwrap_or_default();
    let branch = library.session_branch(&session.session_id);
    match enqueue_file(&mut library, &file, &userid, &branch) {
        Err(_) => reply::died(library.era),
        Ok(warning) => {
            let body = format!(
                "<h1>Offline circulation file upload</h1>\n{}<p>Your file was uploaded. You can now \
                 <a href=\"{}\">view pending offline circulation actions</a>.</p>",
                warning.map(|text| format!("<p class=\"error\">{}</p>\n", escape(&text))).unwrap_or_default(),
                shared.path("/cgi-bin/koha/offline_circ/list.pl"),
            );
            show(shared, &library, &session, "ocirc_enqueue_koc", "Offline circulation &rsaquo; Koha", &body)
        }
    }
}

/// The lines of the file, one row each, until one kills the script. Times are taken as they are: server-local.
///
/// The first line is the header whatever it says; a wrong version is only a warning.
fn enqueue_file(library: &mut Library, file: &str, userid: &str, branch: &str) -> Result<Option<String>, Died> {
    let mut lines = file.split_inclusive('\n').map(|line| line.trim_end_matches('\n').replace('\r', ""));
    let header = lines.next().unwrap_or_default();
    let version = header.split('\t').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == "Version");
    let version = version.map(|(_, version)| version.to_owned()).unwrap_or_default();
    let warning = (version != "1.0").then(|| {
        format!("Warning: This file is version {version}, but I only know how to import version 1.0. I'll try my best.")
    });
    for line in lines {
        let mut parts = line.split('\t');
        let mut next = || parts.next().unwrap_or_default().to_owned();
        let (timestamp, action) = (next(), next());
        let mut time = timestamp.split_whitespace();
        let timestamp = format!("{} {}", time.next().unwrap_or_default(), time.next().unwrap_or_default());
        let (mut barcode, mut cardnumber, mut amount) = (String::new(), String::new(), String::new());
        match action.as_str() {
            "issue" => (cardnumber, barcode) = (next(), next()),
            "return" => barcode = next(),
            "payment" => (cardnumber, amount) = (next(), next()),
            _ => return Err(Died("Can't use an undefined value as an ARRAY reference".to_owned())),
        }
        let operation = Operation {
            userid: userid.to_owned(),
            branch: branch.to_owned(),
            timestamp,
            action,
            barcode,
            cardnumber,
            ..Operation::default()
        };
        library.queue_operation(operation, &amount)?;
    }
    Ok(warning)
}
