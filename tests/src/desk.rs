//! A desk as a person has it: Firefox with KOCT, its window, its settings page.

use crate::{
    Result,
    firefox::{Firefox, Options},
    page::Page,
    settings_page,
};
use koct_core::{
    ServerUrl,
    settings::{
        form::{CommitType, Form, Secret},
        policy::Policy,
        stored::Stored,
        table::{DESK_NAME, Preferences},
    },
};
use serde_json::{Map, Value, json};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// How many transactions the table holds: its lines without the heading and the days, which are drawn in a short log.
const TOTAL: &str = "Number(document.getElementById('transactions-table').getAttribute('aria-rowcount')) - 1 \
    - document.querySelectorAll('#transactions-rows .day').length";
/// Fills the log with a number of transactions of the last hours (older ones would be asked about), behind the window's back, a thousand at a time.
const FILL: &str = "(async count => { const ends = Date.now() - 60_000; const db = await new Promise((done, fail) => { const o = indexedDB.open('koct'); \
    o.onsuccess = () => done(o.result); o.onerror = fail; }); for (let made = 0; made < count; made += 1000) { \
    await new Promise((done, fail) => { const t = db.transaction('transactions', 'readwrite'); const s = t.objectStore('transactions'); \
    for (let i = 0; i < 1000 && made + i < count; i++) { const barcode = 'F' + (made + i); s.add({moment: {utc: ends - (count - made - i) * 50, offset: -new Date().getTimezoneOffset()}, \
    action: 'issue', cardnumber: 'P1', barcode, itemKey: barcode.toLowerCase(), part: 0, status: {state: 'local'}}); } t.oncomplete = done; t.onerror = fail; }); } db.close(); })";

/// What a person enters on the settings page.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Address of the staff client.
    pub server: String,
    /// Account.
    pub username: String,
    /// Its password.
    pub password: String,
    /// The desk's library.
    pub branchcode: String,
    /// `send` or `apply`.
    pub commit_type: String,
}

impl Settings {
    /// The superlibrarian of fake-koha, at Centerville.
    pub fn of(server: &str, commit_type: &str) -> Self {
        Self {
            server: server.to_owned(),
            username: "koha".to_owned(),
            password: "koha".to_owned(),
            branchcode: "CPL".to_owned(),
            commit_type: commit_type.to_owned(),
        }
    }
}

/// A row of the table of transactions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its number in the log.
    pub seq: u64,
    /// `issue`, `return`, `payment`.
    pub action: String,
    /// The state's name.
    pub state: String,
    /// The time, as `YYYY-MM-DD HH:MM:SS` whatever the language.
    pub timestamp: String,
    /// The cardnumber as shown.
    pub cardnumber: String,
    /// The barcode as shown.
    pub barcode: String,
    /// The desk as shown.
    pub desk: String,
    /// The status as shown.
    pub status: String,
}

/// Firefox with KOCT.
#[derive(Debug)]
pub struct Desk {
    /// The browser.
    pub firefox: Firefox,
    /// KOCT's window.
    pub page: Page,
}

/// The unpacked add-on: the variable `KOCT_ADDON`, which `cargo xtask` sets.
///
/// # Errors
/// When it is not set.
pub fn addon() -> Result<PathBuf> {
    Ok(std::env::var_os("KOCT_ADDON").map(PathBuf::from).ok_or("KOCT_ADDON is not set: run this by cargo xtask")?)
}

impl Desk {
    /// A Firefox like a new one, with the add-on, whose button is clicked.
    ///
    /// # Errors
    /// When the window does not come up.
    pub fn open(options: &Options) -> Result<Self> {
        let (firefox, page) = Firefox::at_desk(options, &addon()?)?;
        Ok(Self { firefox, page })
    }

    /// Dropping it and opening another, in the same Firefox for sure.
    ///
    /// # Errors
    /// As [`Desk::open`].
    pub fn anew(self, options: &Options) -> Result<Self> {
        let (firefox, page) = self.firefox.at_desk_again(options, &addon()?)?;
        Ok(Self { firefox, page })
    }

    /// The same desk once an administrator has preset this: the add-on starts anew, with all that it has stored. It must have been
    /// opened with presets, be they none: the window of one that was not is kept for the next test, without the presets of this one.
    ///
    /// # Errors
    /// When the presets cannot be written, or the window does not come up.
    pub fn preset(self, presets: &Value) -> Result<Self> {
        self.firefox.preset(presets)?;
        self.firefox.install(&addon()?)?;
        let page = open_window(&self.firefox)?;
        Ok(Self { page, ..self })
    }

    /// As [`Desk::open`], with the add-on in this folder.
    ///
    /// # Errors
    /// When the window does not come up.
    pub fn with_addon(options: &Options, addon: &Path) -> Result<Self> {
        let firefox = Firefox::ready(options)?;
        firefox.install(addon)?;
        let page = open_window(&firefox)?;
        Ok(Self { firefox, page })
    }

    /// Opens the settings page by the button in the window.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn open_settings(&self) -> Result<Page> {
        self.page.click("#open-settings")?;
        let settings = self.firefox.wait_for_page("options/options.html")?;
        settings.wait("document.body && document.body.hasAttribute('data-ready')")?;
        Ok(settings)
    }

    /// Enters settings as a person does, and saves them, whatever the test of them shows.
    ///
    /// # Errors
    /// When they are not saved.
    pub fn configure(&self, settings: &Settings) -> Result<Page> {
        let page = self.open_settings()?;
        enter(&page, settings)?;
        settings_page::save(&page)?;
        if page.eval("browser.storage.local.get('settings').then(all => 'settings' in all)")? != true {
            return Err(format!("not saved: {}", page.text("#settings-message")?).into());
        }
        self.page.activate()?;
        Ok(page)
    }

    /// Stores settings as the settings page does, with leave to ask the server. Most tests are not about that page, and it costs
    /// as much as all the rest of a small one.
    ///
    /// # Errors
    /// When they cannot be stored.
    pub fn set_up(&self, settings: &Settings) -> Result {
        self.set_up_with(settings, |_| {})
    }

    /// As [`Desk::set_up`], with more than what is needed to talk to Koha.
    ///
    /// # Errors
    /// When they cannot be stored.
    pub fn set_up_with(&self, settings: &Settings, more: impl FnOnce(&mut Preferences)) -> Result {
        let mut preferences = Stored::default().preferences(&Policy::default());
        preferences.form = Form {
            server: settings.server.clone(),
            username: settings.username.clone(),
            password: Secret::new(&settings.password),
            branchcode: settings.branchcode.clone(),
            commit_type: CommitType::from_name(&settings.commit_type).ok_or("there is no such commit type")?,
            ..Form::default()
        };
        more(&mut preferences);
        let mut local: Value = serde_json::from_str(&preferences.to_local())?;
        // The name that the desk has given itself stays.
        local.as_object_mut().and_then(|local| local.remove(DESK_NAME));
        let secrets: Map<String, Value> =
            preferences.secrets().map(|(key, secret)| (key.to_owned(), secret.reveal().into())).collect();
        // As the settings page does: what is allowed and not stored yet would be given back by the event page.
        self.page.eval(
            "new Promise(held => void navigator.locks.request('koct-permissions', () => \
             new Promise(done => { window.allowed = done; held(); })))",
        )?;
        self.firefox.allow(&ServerUrl::parse(&settings.server)?.permission_pattern())?;
        let place = if preferences.keep_password { "local" } else { "session" };
        let secrets = json!(secrets);
        self.page
            .eval(&format!(
                "browser.storage.local.set({local}).then(() => browser.storage.{place}.set({secrets})).then(() => window.allowed())"
            ))
            .map(|_| ())
    }

    /// Checks an item out.
    ///
    /// # Errors
    /// When the scan is not confirmed.
    pub fn check_out(&self, patron: &str, item: &str) -> Result {
        let before = self.total()?;
        self.page.fill("#checkout-patron", patron)?;
        self.page.type_text("\n")?;
        self.page.type_text(&format!("{item}\n"))?;
        self.wait_for_total(before + 1)
    }

    /// Checks an item in.
    ///
    /// # Errors
    /// When the scan is not confirmed.
    pub fn check_in(&self, item: &str) -> Result {
        let before = self.total()?;
        self.page.click("#checkin-item")?;
        self.page.type_text(&format!("{item}\n"))?;
        self.wait_for_total(before + 1)
    }

    /// How many transactions the table holds, drawn or not.
    ///
    /// # Errors
    /// When the page is gone.
    pub fn total(&self) -> Result<u64> {
        let count = self.page.eval(TOTAL)?;
        Ok(count.as_u64().unwrap_or(0))
    }

    /// Waits until the table holds this number.
    ///
    /// # Errors
    /// When it does not.
    pub fn wait_for_total(&self, total: u64) -> Result {
        self.page.wait(&format!("{TOTAL} === {total}")).map(|_| ())
    }

    /// Presses the button that sends or applies, and waits until the run is over.
    ///
    /// # Errors
    /// When it does not end.
    pub fn commit(&self) -> Result<String> {
        self.page.eval("document.getElementById('message').textContent = ''")?;
        self.page.click("#commit")?;
        self.wait_for_commit()
    }

    /// Sends all the same what is shown before a commit, once it was seen to its end.
    ///
    /// # Errors
    /// When nothing is shown.
    pub fn send_in_this_order(&self) -> Result {
        self.page.wait("document.getElementById('review-dialog').open")?;
        self.page.wait("document.getElementById('review-progress').hidden")?;
        self.page.eval("document.getElementById('review-body').scrollTo(0, 1e6)")?;
        self.page.wait("!document.getElementById('review-go').disabled")?;
        self.page.click("#review-go")
    }

    /// Waits until the commit that was begun is over. Returns the message.
    ///
    /// # Errors
    /// When it does not end within two minutes.
    pub fn wait_for_commit(&self) -> Result<String> {
        let over = "document.getElementById('commit').getAttribute('aria-disabled') === 'false' && document.getElementById('message').innerText";
        let message = self.page.wait_for(over, Duration::from_mins(2))?;
        Ok(message.as_str().unwrap_or_default().to_owned())
    }

    /// Takes a payment from the patron.
    ///
    /// # Errors
    /// When it is not confirmed.
    pub fn pay(&self, patron: &str, amount: &str) -> Result {
        let before = self.total()?;
        self.page.fill("#checkout-patron", patron)?;
        self.page.type_text("\n")?;
        self.page.click("#checkout-pay-open")?;
        self.page.type_text(&format!("{amount}\n"))?;
        self.wait_for_total(before + 1)
    }

    /// Exports what is waiting, or all, as a .koc file.
    ///
    /// # Errors
    /// When the page lacks the dialog.
    pub fn export(&self, all: bool) -> Result {
        self.page.click("#export-koc")?;
        if all {
            self.page.click("#export-all")?;
        }
        self.page.click("#export-go")
    }

    /// Clears what is in Koha.
    ///
    /// # Errors
    /// When the page lacks the dialog.
    pub fn clear_committed(&self) -> Result {
        self.page.click("#clear")?;
        self.page.click("#clear-committed")
    }

    /// Imports files by the dialog, as they come. Returns what the dialog says when it is done.
    ///
    /// # Errors
    /// When the import does not end.
    pub fn import(&self, files: &[&Path]) -> Result<String> {
        self.page.click("#import-koc")?;
        self.page.choose_files("#import-files", files)?;
        self.finish_import(files.len())
    }

    /// Presses Import once this number of files was looked at, and waits until all is done. The dialog stays open.
    ///
    /// # Errors
    /// When the import does not end.
    pub fn finish_import(&self, files: usize) -> Result<String> {
        let looked_at = format!(
            "document.querySelectorAll('#import-list > li').length === {files} && document.getElementById('import-state').textContent === '' \
             && !document.getElementById('import-go').disabled"
        );
        self.page.wait(&looked_at)?;
        self.page.click("#import-go")?;
        self.wait_for_import()
    }

    /// Waits until an import is over.
    ///
    /// # Errors
    /// When it does not end within two minutes.
    pub fn wait_for_import(&self) -> Result<String> {
        let over = "!document.getElementById('import-report').hidden && document.getElementById('import-progress-row').hidden \
                    && document.getElementById('import-state').innerText";
        let said = self.page.wait_for(over, Duration::from_mins(2))?;
        Ok(said.as_str().unwrap_or_default().to_owned())
    }

    /// Fills the log with this number of checkouts, and opens the window anew.
    ///
    /// # Errors
    /// When that does not work, or takes more than two minutes.
    pub fn fill(&self, count: usize) -> Result {
        self.page.eval(&format!("{FILL}({count})"))?;
        self.page.reload()?;
        self.page.wait_for("document.body && document.body.hasAttribute('data-ready')", Duration::from_mins(2))?;
        self.page.eval("document.getElementById('clear-dialog').close()").map(|_| ())
    }

    /// Makes all that was recorded five hours older, as it is when a window is opened for another sitting.
    ///
    /// # Errors
    /// When the log cannot be changed.
    pub fn make_older(&self) -> Result {
        self.page
            .eval(
                "(async () => { const done = request => new Promise((ok, fail) => { request.onsuccess = () => ok(request.result); \
                 request.onerror = () => fail(request.error); }); const db = await done(indexedDB.open('koct')); \
                 const log = db.transaction('transactions', 'readwrite').objectStore('transactions'); \
                 const [keys, rows] = [await done(log.getAllKeys()), await done(log.getAll())]; \
                 for (const [at, row] of rows.entries()) { row.moment.utc -= 5 * 3600000; \
                 await done(log.keyPath === null ? log.put(row, keys[at]) : log.put(row)); } db.close(); })()",
            )
            .map(|_| ())
    }

    /// The rows that are drawn, newest first.
    ///
    /// # Errors
    /// When the page is gone.
    pub fn rows(&self) -> Result<Vec<Row>> {
        let rows = self.page.eval(
            "[...document.querySelectorAll('#transactions-table tbody tr[data-seq]')].map(row => ({seq: Number(row.dataset.seq), \
             action: row.dataset.action, state: row.dataset.status, timestamp: row.querySelector('time').dateTime, \
             ...Object.fromEntries(['cardnumber', 'barcode', 'desk', 'status'] \
             .map(name => [name, row.querySelector(`[data-field=${name}]`).textContent]))}))",
        )?;
        let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
        Ok(rows
            .as_array()
            .into_iter()
            .flatten()
            .map(|row| Row {
                seq: row["seq"].as_u64().unwrap_or(0),
                action: text(row, "action"),
                state: text(row, "state"),
                timestamp: text(row, "timestamp"),
                cardnumber: text(row, "cardnumber"),
                barcode: text(row, "barcode"),
                desk: text(row, "desk"),
                status: text(row, "status"),
            })
            .collect())
    }

    /// Shows what is left to do, as a click on its tab does.
    ///
    /// # Errors
    /// When it does not come.
    pub fn open_todo(&self) -> Result {
        self.page.click("#tab-todo")?;
        self.page.wait_visible("#todo")
    }

    /// Shows the log, as a click on its tab does.
    ///
    /// # Errors
    /// When it does not come.
    pub fn open_log(&self) -> Result {
        self.page.click("#tab-log")?;
        self.page.wait_visible("#transactions-scroll")
    }

    /// The states of the rows that are drawn, oldest first.
    ///
    /// # Errors
    /// When the page is gone.
    pub fn states(&self) -> Result<Vec<String>> {
        Ok(self.rows()?.into_iter().rev().map(|row| row.state).collect())
    }

    /// Waits until the rows that are drawn have these states, oldest first.
    ///
    /// # Errors
    /// When they do not get them within a minute; the error shows the rows as they are.
    pub fn wait_for_states(&self, expected: &[&str]) -> Result {
        let states = "[...document.querySelectorAll('#transactions-table tbody tr[data-seq]')].map(row => row.dataset.status).reverse()";
        let waited = self.page.wait(&format!("({states}).join() === {}", json!(expected.join(","))));
        waited.map(|_| ()).map_err(|error| format!("{expected:?} expected of {:#?}: {error}", self.rows()).into())
    }

    /// The text of the message line.
    ///
    /// # Errors
    /// When the page is gone.
    pub fn message(&self) -> Result<String> {
        self.page.text("#message")
    }
}

/// Clicks the toolbar button and waits until KOCT's window is ready to scan.
///
/// # Errors
/// When it does not come up.
pub fn open_window(firefox: &Firefox) -> Result<Page> {
    firefox.click_toolbar_button()?;
    let page = firefox.wait_for_page("popup/popup.html")?;
    page.wait("document.body && document.body.hasAttribute('data-ready')")?;
    Ok(page)
}

/// Types settings into the settings page.
///
/// # Errors
/// When a field is not there.
pub fn enter(page: &Page, settings: &Settings) -> Result {
    page.fill("#server", &settings.server)?;
    page.fill("#username", &settings.username)?;
    page.fill("#password", &settings.password)?;
    page.fill("#branchcode", &settings.branchcode)?;
    page.click(&format!("input[name=commit-type][value={}]", json!(settings.commit_type)))
}
