//! Settings, stored or typed: what passes is of use, and the add-on asks for one server only.

use crate::fuzz::Target;
use koct_core::{
    CommitType, Secret, ServerUrl, Settings,
    settings::{
        form::Form,
        policy::Policy,
        stored::Stored,
        table::{Field, Group, Preferences},
    },
};
use url::Url;

/// What the browser has stored or a stored form as JSON, the typed fields as lines, or an address: each input is read as all
/// of them.
pub const TARGET: Target = Target {
    name: "settings",
    words: &[
        "\n",
        "\t",
        " ",
        "\0",
        "\u{7f}",
        "\u{85}",
        "\u{a0}",
        "\u{ad}",
        "\u{200b}",
        "\u{3002}",
        "é",
        "ü",
        "📚",
        "http://",
        "https://",
        "HTTPS://",
        "ftp://",
        "javascript:",
        "moz-extension://",
        "file:///",
        "://",
        "//",
        "/",
        "\\",
        "@",
        ":",
        ":443",
        ":80",
        ":65536",
        ":0",
        "?",
        "#",
        "*",
        "*.",
        "%",
        "%2f",
        "%2e%2e",
        "%40",
        "..",
        ".",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "127.0.0.1",
        "0x7f.1",
        "localhost",
        "xn--",
        "desk:secret@",
        "/cgi-bin/koha",
        "/cgi-bin/koha/mainpage.pl",
        "koha.example.org",
        "{",
        "}",
        "\"",
        "\\u0000",
        "\"server\":\"koha.example.org\"",
        "\"username\":\"desk\"",
        "\"branchcode\":\"CPL\"",
        "\"commitType\":\"apply\"",
        "\"staleHours\":\"24\"",
        "\"password\":\"x\"",
        "\"settings\":{",
        "\"habits\":{",
        "\"lookup\":{",
        "\"desk\":\"Bus 2\"",
        "0",
        "1",
        "8784",
        "8785",
        "-1",
    ],
    check,
};

/// In no word and no seed, and nothing that a few changes make.
const PASSWORD: &str = "pw-Zx9!qJ4~vK7";

/// # Panics
/// When an address gives access to more than its server, or settings pass that Koha would cut.
pub fn check(input: &[u8]) -> String {
    let text = String::from_utf8_lossy(input);
    let mut kinds = vec![address(&text)];
    stored(&text);
    if let Ok(form) = serde_json::from_str::<Form>(&text) {
        assert!(form.password.is_empty(), "the password is stored apart");
        let stored = serde_json::to_string(&form).expect("a form can be stored");
        assert_eq!(serde_json::from_str::<Form>(&stored).expect("it was stored"), form, "stored as something else");
        kinds.push(typed(form));
    }
    let mut lines = text.split('\n').map(str::to_owned);
    let mut line = || lines.next().unwrap_or_default();
    let form = Form { server: line(), username: line(), branchcode: line(), stale_hours: line(), ..Form::default() };
    kinds.push(typed(Form { commit_type: CommitType::Apply, ..form.clone() }));
    kinds.push(typed(form));
    let named = Form { desk_name: line(), ..Form::default() };
    if let Ok(desk) = named.desk_name() {
        let again = Form { desk_name: desk.to_string(), ..Form::default() };
        assert_eq!(again.desk_name().as_ref(), Ok(&desk), "a desk's name does not pass again");
    }
    kinds.join(" ")
}

/// Whatever the browser gives back is stored again as it is used.
fn stored(json: &str) {
    let used = |local: &str| Stored::parse(local, json).preferences(&Policy::default());
    let mut preferences = used(json);
    preferences.form.password = Secret::new(PASSWORD);
    preferences.records.client_secret = Secret::new(PASSWORD);
    let local = preferences.to_local();
    assert!(!local.contains(PASSWORD), "a secret is stored with the others");
    assert_eq!(used(&local).to_local(), local, "stored as something else");
}

fn address(raw: &str) -> String {
    let server = match ServerUrl::parse(raw) {
        Ok(server) => server,
        Err(error) => return format!("{error:?}"),
    };
    let text = server.as_str();
    assert_eq!(ServerUrl::parse(text).as_ref(), Ok(&server), "parses to something else again");
    let stored = serde_json::to_string(&server).expect("an address can be stored");
    assert_eq!(serde_json::from_str::<ServerUrl>(&stored).ok().as_ref(), Some(&server), "stored as something else");
    let url = Url::parse(text).expect("an address");
    assert!(!text.ends_with('/') && !url.path().contains("/cgi-bin/koha"), "not the root: {text}");
    assert!(matches!(url.scheme(), "http" | "https"), "{text}");
    assert!(url.username().is_empty() && url.password().is_none(), "credentials in {text}");
    assert!(url.query().is_none() && url.fragment().is_none(), "more than a path in {text}");
    let host = url.host_str().expect("a server has a host");

    let pattern = server.permission_pattern();
    assert_eq!(pattern, format!("{}://{host}/*", url.scheme()), "asks for another server");
    assert!(!host.contains(['*', '/', '@']), "{pattern} stands for more than one server");
    let asked = if raw.contains("://") { raw.trim().to_owned() } else { format!("https://{}", raw.trim()) };
    let asked = Url::parse(&asked).expect("it was taken");
    assert_eq!(asked.host_str(), Some(host), "another server than was typed");
    assert!(asked.username().is_empty() && asked.password().is_none(), "typed credentials are refused, not dropped");

    let script = "/cgi-bin/koha/svc/authentication";
    let below = Url::parse(&server.join(script)).expect("an address");
    assert_eq!(below.origin(), url.origin(), "requests go elsewhere");
    assert!(below.path().ends_with(script) && below.query().is_none(), "requests go to {below}");
    assert!(url.scheme() == "http" || !server.is_readable_on_the_way(), "https cannot be read");
    let kind = format!("{:?}", url.host()).chars().skip(5).take(4).collect::<String>();
    format!("{} {kind} {} {}", url.scheme(), url.port().is_some(), url.path().len().min(3))
}

fn typed(form: Form) -> String {
    let form = Form { password: Secret::new(PASSWORD), ..form };
    let result = form.validate();
    for printed in [format!("{form:?}"), format!("{result:?}"), serde_json::to_string(&form).unwrap_or_default()] {
        assert!(!printed.contains(PASSWORD), "shows the password: {printed}");
    }
    let mut errors = Preferences { form: form.clone(), ..Preferences::default() }.errors(true);
    // The desk's own are checked apart: nothing is sent with them.
    errors.retain(|(field, _)| field.group() == Group::Koha);
    assert_eq!(
        result.as_ref().err(),
        errors.first().map(|(_, error)| error),
        "refused for another reason than is marked"
    );
    if let Ok(settings) = result {
        fit_koha(&settings);
        assert_eq!(Form::from(&settings).validate().as_ref(), Ok(&settings), "settings do not pass again");
        assert_eq!(
            (settings.username.as_str(), settings.branchcode.as_str()),
            (form.username.trim(), form.branchcode.trim())
        );
        return format!("{:?}", settings.commit_type);
    }
    let fields: Vec<Field> = errors.iter().map(|(field, _)| *field).collect();
    assert!(fields.is_sorted_by(|one, next| one < next), "a field is named twice: {fields:?}");
    only_those_are_wrong(form, &fields);
    let kinds = errors.iter().map(|(field, error)| format!("{field:?}{error:?}"));
    kinds.map(|kind| kind.chars().take_while(char::is_ascii_alphabetic).collect::<String>()).collect()
}

/// Koha's columns: `pending_offline_operations.userid`, `borrowers.userid`, `branches.branchcode`.
fn fit_koha(settings: &Settings) {
    let longest = if settings.commit_type == CommitType::Send { 30 } else { 75 };
    for (text, longest) in [(&settings.username, longest), (&settings.branchcode, 10)] {
        let length = text.chars().count();
        assert!((1..=longest).contains(&length), "Koha would cut {text:?}");
        assert!(!text.chars().any(char::is_control), "a control character in {text:?}");
        assert_eq!(text, text.trim(), "blanks around {text:?}");
    }
    assert!((1..=8784).contains(&settings.stale_hours), "{} hours", settings.stale_hours);
    assert_eq!(settings.password.reveal(), PASSWORD, "the password is taken as typed");
}

/// Whoever mends the fields that were named is done.
fn only_those_are_wrong(mut form: Form, fields: &[Field]) {
    assert!(!fields.contains(&Field::Password), "the password was there");
    for field in fields {
        match field {
            Field::Server => "koha.example.org".clone_into(&mut form.server),
            Field::Username => "desk".clone_into(&mut form.username),
            Field::Branchcode => "CPL".clone_into(&mut form.branchcode),
            Field::StaleHours => "24".clone_into(&mut form.stale_hours),
            _ => {}
        }
    }
    assert!(form.validate().is_ok(), "a wrong field was not named: {:?}", form.validate());
}
