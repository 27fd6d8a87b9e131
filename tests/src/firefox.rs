//! A Firefox of our own: a fresh profile, the add-on, and an end.

use crate::{Result, bidi::Connection, page::Page};
use serde_json::{Value, json};
use std::{
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    rc::Rc,
    sync::mpsc,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// The id in the manifest.
pub const ADDON_ID: &str = "{6b1a2a34-8f0e-4c55-9f0c-0d5a5a3f7c11}";
/// The host name that Firefox gives the add-on's pages; fixed, so that they can be opened by address.
const ADDON_HOST: &str = "1d1f4e52-5a6b-4a3e-9d1c-4b0c7a0e5f33";
const START_LIMIT: Duration = Duration::from_mins(1);
const WAIT_LIMIT: Duration = Duration::from_secs(15);

/// How to start Firefox.
#[derive(Debug, Clone)]
pub struct Options {
    /// Without windows on a screen.
    pub headless: bool,
    /// Preferences beyond the usual ones, or in place of them.
    pub prefs: Vec<(String, Value)>,
    /// The profile to use; a temporary one if absent.
    pub profile: Option<PathBuf>,
    /// Where downloads go.
    pub downloads: Option<PathBuf>,
    /// Whether pages are asked to be dark.
    pub dark: bool,
    /// The language of Firefox, as BCP 47; English if absent. Of Firefox itself nothing is translated, but add-ons are.
    pub locale: Option<&'static str>,
    /// The person's home folder, where it shall not be the one of whoever runs this.
    pub home: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            headless: true,
            prefs: Vec::new(),
            profile: None,
            downloads: None,
            dark: false,
            locale: None,
            home: None,
        }
    }
}

/// A running Firefox. Dropping it ends it with all its processes.
#[derive(Debug)]
pub struct Firefox {
    child: Child,
    connection: Rc<Connection>,
    profile: PathBuf,
    temporary: Option<TempDir>,
}

/// Ends a Firefox from another thread, as a power cut would, while this one is still talking to it.
#[derive(Debug, Clone, Copy)]
pub struct Killer {
    group: u32,
}

impl Killer {
    /// Does it. The [`Firefox`] must still be there: its number could belong to something else later.
    pub fn kill(self) {
        let group = format!("-{}", self.group);
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
    }
}

/// The Firefox to use: the variable `FIREFOX`, or what is installed.
pub fn binary() -> Option<PathBuf> {
    let works = |path: &PathBuf| {
        let version = Command::new(path).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        version.is_ok_and(|status| status.success())
    };
    if let Some(named) = std::env::var_os("FIREFOX") {
        return Some(PathBuf::from(named)).filter(works);
    }
    ["firefox-esr", "firefox"].into_iter().map(PathBuf::from).find(works)
}

/// Whether windows can be shown here.
pub fn display_available() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

fn preferences(options: &Options) -> Vec<(String, Value)> {
    let mut prefs: Vec<(String, Value)> = [
        ("extensions.webextensions.uuids", json!(json!({ ADDON_ID: ADDON_HOST }).to_string())),
        // "Yes" to the question for access to a server, which headless nobody could answer.
        ("extensions.webextOptionalPermissionPrompts", json!(false)),
        ("browser.aboutwelcome.enabled", json!(false)),
        ("browser.startup.page", json!(0)),
        ("browser.startup.homepage", json!("about:blank")),
        ("browser.startup.homepage_override.mstone", json!("ignore")),
        ("browser.shell.checkDefaultBrowser", json!(false)),
        ("browser.tabs.warnOnClose", json!(false)),
        ("browser.warnOnQuit", json!(false)),
        ("toolkit.cosmeticAnimations.enabled", json!(false)),
        ("privacy.reduceTimerPrecision", json!(false)),
        ("dom.min_background_timeout_value", json!(4)),
        ("widget.windows.window_occlusion_tracking.enabled", json!(false)),
        // Nothing may leave this computer.
        ("app.update.enabled", json!(false)),
        ("app.normandy.enabled", json!(false)),
        ("browser.safebrowsing.malware.enabled", json!(false)),
        ("browser.safebrowsing.phishing.enabled", json!(false)),
        ("browser.safebrowsing.downloads.enabled", json!(false)),
        ("browser.search.update", json!(false)),
        ("browser.newtabpage.enabled", json!(false)),
        ("browser.region.network.url", json!("")),
        ("datareporting.policy.dataSubmissionEnabled", json!(false)),
        ("datareporting.healthreport.uploadEnabled", json!(false)),
        ("toolkit.telemetry.enabled", json!(false)),
        ("toolkit.telemetry.server", json!("")),
        ("extensions.update.enabled", json!(false)),
        ("extensions.getAddons.cache.enabled", json!(false)),
        ("extensions.blocklist.enabled", json!(false)),
        ("media.gmp-manager.url", json!("")),
        ("network.captive-portal-service.enabled", json!(false)),
        ("network.connectivity-service.enabled", json!(false)),
        ("network.dns.disablePrefetch", json!(true)),
        ("network.prefetch-next", json!(false)),
        ("services.settings.server", json!("data:,#remote-settings-dummy/v1")),
        ("signon.rememberSignons", json!(false)),
        ("browser.download.folderList", json!(2)),
        ("browser.download.useDownloadDir", json!(true)),
        ("browser.download.always_ask_before_handling_new_types", json!(false)),
        ("browser.download.alwaysOpenPanel", json!(false)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    // 0 is dark, 1 is light.
    prefs.push(("layout.css.prefers-color-scheme.content-override".into(), json!(i32::from(!options.dark))));
    prefs.push(("ui.systemUsesDarkTheme".into(), json!(i32::from(options.dark))));
    if let Some(folder) = &options.downloads {
        prefs.push(("browser.download.dir".into(), json!(folder)));
    }
    prefs.extend(options.prefs.iter().cloned());
    prefs
}

impl Firefox {
    /// Starts Firefox and connects to it.
    ///
    /// # Errors
    /// When there is none, or it does not come up within a minute.
    pub fn start(options: &Options) -> Result<Self> {
        let binary = binary().ok_or("Firefox is not installed; cargo xtask setup installs it")?;
        let (profile, temporary) = if let Some(profile) = &options.profile {
            (profile.clone(), None)
        } else {
            let folder = tempfile::Builder::new().prefix("koct-profile-").tempdir()?;
            (folder.path().to_owned(), Some(folder))
        };
        let mut user_js = String::new();
        for (name, value) in preferences(options) {
            writeln!(user_js, "user_pref({}, {value});", json!(name))?;
        }
        fs::create_dir_all(&profile)?;
        fs::write(profile.join("user.js"), user_js)?;
        let mut command = Command::new(binary);
        if options.headless {
            command.arg("--headless");
        }
        if let Some(home) = &options.home {
            command.env("HOME", home).env_remove("XDG_CONFIG_HOME");
        }
        let mut child = command
            .args(["--no-remote", "--remote-debugging-port=0", "--remote-allow-system-access", "--profile"])
            .arg(&profile)
            .env("MOZ_CRASHREPORTER_DISABLE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // A group of its own, so that its content processes end with it.
            .process_group(0)
            .spawn()?;
        let address = match listening(&mut child) {
            Ok(address) => address,
            Err(error) => {
                end(&mut child);
                return Err(error);
            }
        };
        let connection = Rc::new(Connection::open(&format!("{address}/session"))?);
        let firefox = Self { child, connection, profile, temporary };
        if let Some(locale) = options.locale {
            firefox.speak(locale)?;
        }
        Ok(firefox)
    }

    /// Gives Firefox a language. An add-on reads it when it is installed. No language pack is needed: texts that Firefox
    /// does not find in the language it shows in English.
    fn speak(&self, locale: &str) -> Result {
        let script = format!(
            "(() => {{ Services.locale.availableLocales = [{0}, 'en-US']; Services.locale.requestedLocales = [{0}, 'en-US']; \
             return Services.locale.appLocaleAsBCP47; }})()",
            json!(locale)
        );
        let began = Instant::now();
        // The window may not be there yet.
        let mut spoken = self.in_chrome(&script);
        while spoken.is_err() && began.elapsed() < WAIT_LIMIT {
            std::thread::sleep(Duration::from_millis(25));
            spoken = self.in_chrome(&script);
        }
        match spoken? {
            now if now == locale => Ok(()),
            now => Err(format!("Firefox speaks {now} and not {locale}").into()),
        }
    }

    /// Installs an unpacked add-on until Firefox ends.
    ///
    /// # Errors
    /// When Firefox does not take it.
    pub fn install(&self, folder: &Path) -> Result {
        let data = json!({"extensionData": {"type": "path", "path": fs::canonicalize(folder)?}});
        self.connection.send("webExtension.install", &data)?;
        Ok(())
    }

    /// The address of a page of the add-on.
    pub fn addon_url(&self, path: &str) -> String {
        format!("moz-extension://{ADDON_HOST}/{path}")
    }

    /// Clicks the add-on's button in the toolbar.
    ///
    /// # Errors
    /// When it is not there.
    pub fn click_toolbar_button(&self) -> Result {
        let id: String = ADDON_ID
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c.to_ascii_lowercase() } else { '_' })
            .collect();
        let script = format!(
            "(() => {{ const button = document.querySelector('#{id}-browser-action .unified-extensions-item-action-button'); \
             if (!button) throw new Error('the toolbar has no button of the add-on'); button.click(); return true; }})()"
        );
        self.in_chrome(&script).map(|_| ())
    }

    /// Does what Firefox does at the key that opens KOCT, Alt+Shift+K. (Keys that the driver presses go to pages alone.)
    ///
    /// # Errors
    /// When the add-on has no such key.
    pub fn press_opening_key(&self) -> Result {
        let key = "keyset[id^='ext-keyset'] key[key='K'][modifiers*='alt'][modifiers*='shift']";
        let script = format!(
            "(() => {{ const key = document.querySelector({}); if (!key) throw new Error('the add-on has no such key: ' + \
             [...document.querySelectorAll('keyset[id^=\"ext-keyset\"]')].map(set => set.outerHTML)); key.doCommand(); return true; }})()",
            json!(key)
        );
        self.in_chrome(&script).map(|_| ())
    }

    /// Evaluates a script in a browser window, beside the toolbar.
    ///
    /// # Errors
    /// When there is no window or the script throws.
    pub fn in_chrome(&self, script: &str) -> Result<Value> {
        let tree = self.connection.send("browsingContext.getTree", &json!({"moz:scope": "chrome"}))?;
        let contexts = tree["contexts"].as_array().cloned().unwrap_or_default();
        let window = contexts
            .iter()
            .find(|context| context["url"].as_str().is_some_and(|url| url.ends_with("/browser.xhtml")))
            .ok_or("Firefox has no window")?;
        Page::new(self.connection.clone(), window["context"].as_str().unwrap_or_default()).eval(script)
    }

    /// All pages that are open.
    ///
    /// # Errors
    /// When Firefox does not answer.
    pub fn pages(&self) -> Result<Vec<Page>> {
        let tree = self.connection.send("browsingContext.getTree", &json!({"maxDepth": 0}))?;
        let contexts = tree["contexts"].as_array().cloned().unwrap_or_default();
        Ok(contexts
            .iter()
            .filter_map(|context| context["context"].as_str())
            .map(|id| Page::new(self.connection.clone(), id))
            .collect())
    }

    /// The pages whose address contains this.
    ///
    /// # Errors
    /// When Firefox does not answer.
    pub fn pages_at(&self, part_of_url: &str) -> Result<Vec<Page>> {
        Ok(self.pages()?.into_iter().filter(|page| page.url().is_ok_and(|url| url.contains(part_of_url))).collect())
    }

    /// Waits for a page whose address contains this.
    ///
    /// # Errors
    /// When none comes within 15 seconds.
    pub fn wait_for_page(&self, part_of_url: &str) -> Result<Page> {
        let began = Instant::now();
        while began.elapsed() < WAIT_LIMIT {
            if let Some(page) = self.pages_at(part_of_url)?.pop() {
                return Ok(page);
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        Err(format!("no page at {part_of_url} was opened").into())
    }

    /// Opens this address in a new tab, or window, of the browser.
    ///
    /// # Errors
    /// When it cannot be loaded.
    pub fn open(&self, url: &str) -> Result<Page> {
        // A window: asking for a tab while the add-on's popup window is in front never ends.
        let created = self.connection.send("browsingContext.create", &json!({"type": "window"}))?;
        let page = Page::new(self.connection.clone(), created["context"].as_str().unwrap_or_default());
        page.navigate(url)?;
        Ok(page)
    }

    /// The errors that pages have thrown or logged so far. Those of the add-on are asked of Firefox's own console, since BiDi
    /// is not told of them.
    ///
    /// # Errors
    /// When Firefox does not answer.
    pub fn console_errors(&self) -> Result<Vec<String>> {
        let script = format!(
            "(() => {{ const ours = text => String(text).startsWith('moz-extension://{ADDON_HOST}/'); \
             const thrown = Services.console.getMessageArray().filter(m => m instanceof Ci.nsIScriptError \
             && (ours(m.sourceName) || m.category === 'content javascript') \
             && !(m.flags & Ci.nsIScriptError.warningFlag)).map(m => m.errorMessage); \
             const logged = Cc['@mozilla.org/consoleAPI-storage;1'].getService(Ci.nsIConsoleAPIStorage).getEvents() \
             .filter(e => e.level === 'error' && ours(e.filename)).map(e => e.arguments.map(String).join(' ')); \
             return [...thrown, ...logged]; }})()"
        );
        let errors = self.in_chrome(&script)?;
        let ours = errors.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned));
        Ok(self.connection.console_errors().into_iter().chain(ours).collect())
    }

    /// The folder of the profile.
    pub fn profile(&self) -> &Path {
        &self.profile
    }

    /// What can end it while a command to it is under way.
    pub fn killer(&self) -> Killer {
        Killer { group: self.child.id() }
    }

    /// Ends it as a power cut would. Returns the profile, to start again with.
    pub fn kill(mut self) -> (PathBuf, Option<TempDir>) {
        end(&mut self.child);
        (self.profile.clone(), self.temporary.take())
    }

    /// Waits until a person closes it.
    ///
    /// # Errors
    /// When its end cannot be seen.
    pub fn wait_until_closed(&mut self) -> Result {
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Firefox {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Reads where Firefox listens from what it prints.
fn listening(child: &mut Child) -> Result<String> {
    let stderr = child.stderr.take().ok_or("Firefox has no output")?;
    let (sender, receiver) = mpsc::channel();
    // Goes on reading until Firefox ends, or it would block on a full pipe.
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(std::io::Result::ok) {
            if let Some((_, address)) = line.split_once("WebDriver BiDi listening on ") {
                let _ = sender.send(address.trim().to_owned());
            }
        }
    });
    receiver.recv_timeout(START_LIMIT).map_err(|_| "Firefox did not come up".into())
}

/// Ends a process and its whole group.
fn end(child: &mut Child) {
    Killer { group: child.id() }.kill();
    let _ = child.kill();
    let _ = child.wait();
}
