//! A Firefox of our own: a fresh profile, the add-on, and an end.
//!
//! To start one takes longer than most tests. [`Firefox::ready`] therefore gives out one that is running already, as fresh as
//! a new one: the add-on is to be installed anew, at an address that it never had, and of what was there before nothing is left.
//! [`Firefox::at_desk`] gives one with the add-on and its window, which stay where they can.

use crate::{Result, bidi::Connection, keeper, kept::Kept, page::Page};
use serde_json::{Value, json};
use std::{
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// The id in the manifest.
pub const ADDON_ID: &str = "{6b1a2a34-8f0e-4c55-9f0c-0d5a5a3f7c11}";
/// The host name that Firefox gives the add-on's pages, so that they can be opened by address. A profile keeps it; where the
/// add-on is installed anew in a running Firefox, the last part is another each time.
const ADDON_HOST: &str = "1d1f4e52-5a6b-4a3e-9d1c-4b0c7a0e5f33";
/// These only end what would never end: the busiest machine stays below them.
const START_LIMIT: Duration = Duration::from_mins(3);
const WAIT_LIMIT: Duration = Duration::from_mins(1);

/// How to start Firefox.
#[derive(Debug, Clone, PartialEq)]
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
    /// What the library has preset for the add-on, as an administrator installs it.
    pub presets: Option<Value>,
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
            presets: None,
        }
    }
}

/// A running Firefox. Dropping it ends it with all its processes, or gives it back to [`Firefox::ready`].
#[derive(Debug)]
pub struct Firefox {
    running: Option<Running>,
    is_lent: bool,
}

/// Those that nobody uses at the moment.
static IDLE: Mutex<Vec<Running>> = Mutex::new(Vec::new());

/// Ends a Firefox from another thread, as a power cut would, while this one is still talking to it.
#[derive(Debug, Clone, Copy)]
pub struct Killer {
    group: u32,
}

impl Killer {
    /// Does it. The [`Firefox`] must still be there: its number could belong to something else later.
    pub fn kill(self) {
        keeper::kill(self.group);
    }
}

/// The first version whose own windows can be driven: Firefox ESR 140 answers what is asked of them as if its pages were meant.
pub const OLDEST: u32 = 153;

/// The Firefox to use: the variable `FIREFOX`, or what is installed. `None` where it is missing or older than [`OLDEST`].
pub fn binary() -> Option<PathBuf> {
    let works = |path: &PathBuf| version(path).is_some_and(|version| version >= OLDEST);
    if let Some(named) = std::env::var_os("FIREFOX") {
        return Some(PathBuf::from(named)).filter(works);
    }
    ["firefox-esr", "firefox"].into_iter().map(PathBuf::from).find(works)
}

/// The first number of the version of this Firefox; `None` where it does not run.
fn version(binary: &Path) -> Option<u32> {
    let told = Command::new(binary).arg("--version").stderr(Stdio::null()).output().ok()?;
    number(&String::from_utf8_lossy(&told.stdout)).filter(|_| told.status.success())
}

/// The first number of what Firefox tells of its version, as `Mozilla Firefox 153.8.0esr`.
fn number(told: &str) -> Option<u32> {
    told.split(|char: char| !char.is_ascii_digit()).find(|part| !part.is_empty())?.parse().ok()
}

/// Whether windows can be shown here.
pub fn display_available() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

fn preferences(options: &Options, downloads: &Path) -> Vec<(String, Value)> {
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
        // A cursor that blinks is drawn each time.
        ("ui.caretBlinkTime", json!(0)),
        ("privacy.reduceTimerPrecision", json!(false)),
        ("dom.min_background_timeout_value", json!(4)),
        ("widget.windows.window_occlusion_tracking.enabled", json!(false)),
        // The add-on is compiled anew for each page of each test: the second compiler, for long runs, and processes for tabs that
        // nobody opens cost more than they bring.
        ("javascript.options.wasm_optimizingjit", json!(false)),
        ("dom.ipc.processPrelaunch.enabled", json!(false)),
        // Firefox collects garbage some seconds after each page that goes away, and each test has many.
        ("javascript.options.gc_delay", json!(60_000)),
        ("javascript.options.gc_delay.first", json!(60_000)),
        // The add-on's background page ends when a test says so, however long it takes.
        ("extensions.background.idle.timeout", json!(3_600_000)),
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
    prefs.push((SCHEME.into(), json!(i32::from(!options.dark))));
    prefs.push(("ui.systemUsesDarkTheme".into(), json!(i32::from(options.dark))));
    // Where a person works, downloads go where they expect them.
    let downloads = options.downloads.as_deref().or(options.headless.then_some(downloads));
    if let Some(folder) = downloads {
        prefs.push(("browser.download.dir".into(), json!(folder)));
    }
    // Where nobody looks, less often.
    if let Some(frames) = std::env::var("KOCT_FRAMES").ok().and_then(|number| number.parse::<u32>().ok()) {
        prefs.push((FRAME_RATE.into(), json!(frames)));
    }
    prefs.extend(options.prefs.iter().cloned());
    prefs
}

/// What asks pages to be dark: 0 is dark, 1 is light.
const SCHEME: &str = "layout.css.prefers-color-scheme.content-override";

/// How many times a second is drawn.
const FRAME_RATE: &str = "layout.frame_rate";

/// A process of Firefox, and how to speak to it.
#[derive(Debug)]
struct Running {
    child: Child,
    connection: Arc<Connection>,
    /// The window that Firefox opened by itself.
    window: Page,
    /// The host name of the add-on's pages.
    host: String,
    profile: PathBuf,
    /// Deleted with it, where it is not somebody's own.
    _temporary: Option<TempDir>,
    /// The home folder of nobody: what the person who runs this has there makes no difference, and presets lie in it.
    home: Option<TempDir>,
    downloads: TempDir,
    /// Preferences to be reset.
    changed: Vec<String>,
    /// The add-on's window, where it stays.
    kept: Option<Kept>,
}

impl Running {
    fn start(options: &Options) -> Result<Self> {
        let binary = binary().ok_or("Firefox is not installed, or too old; cargo xtask setup installs it")?;
        let (profile, temporary) = if let Some(profile) = &options.profile {
            (profile.clone(), None)
        } else {
            let folder = keeper::folder()?;
            (folder.path().to_owned(), Some(folder))
        };
        // Windows on a screen need what the person has there to reach the screen.
        let home = options.headless.then(keeper::folder).transpose()?;
        if let Some(home) = &home {
            // Where it is, Firefox looks for presets there, and nowhere else.
            fs::create_dir_all(home.path().join(".mozilla"))?;
            preset(home.path(), options.presets.as_ref())?;
        }
        let downloads = keeper::folder()?;
        let mut user_js = String::new();
        for (name, value) in preferences(options, downloads.path()) {
            writeln!(user_js, "user_pref({}, {value});", json!(name))?;
        }
        fs::create_dir_all(&profile)?;
        fs::write(profile.join("user.js"), user_js)?;
        let mut child = keeper::spawn(&binary, |command| {
            if options.headless {
                command.arg("--headless");
            }
            if let Some(home) = &home {
                command.env("HOME", home.path()).env_remove("XDG_CONFIG_HOME");
            }
            command
                .args(["--no-remote", "--remote-debugging-port=0", "--remote-allow-system-access", "--profile"])
                .arg(&profile)
                .env("MOZ_CRASHREPORTER_DISABLE", "1")
                .stdout(Stdio::null())
                .stderr(Stdio::piped());
        })?;
        match connected(&mut child) {
            Ok((connection, window)) => Ok(Self {
                child,
                connection,
                window,
                host: ADDON_HOST.to_owned(),
                profile,
                _temporary: temporary,
                home,
                downloads,
                changed: Vec::new(),
                kept: None,
            }),
            Err(error) => {
                keeper::end(&mut child);
                Err(error)
            }
        }
    }

    /// Makes it as if it had just been started with these options.
    fn prepare(&mut self, options: &Options) -> Result {
        static INSTALLED: AtomicU64 = AtomicU64::new(0);
        if self.kept.is_some() {
            self.reset()?;
        }
        let number = INSTALLED.fetch_add(1, Ordering::Relaxed);
        self.host = format!("{}-{number:012x}", ADDON_HOST.rsplit_once('-').map_or("", |(first, _)| first));
        self.changed = options.prefs.iter().map(|(name, _)| name.clone()).collect();
        let mut prefs = preferences(options, self.downloads.path());
        prefs.push(("extensions.webextensions.uuids".into(), json!(json!({ ADDON_ID: self.host }).to_string())));
        prefs.push(("extensions.webextensions.keepUuidOnUninstall".into(), json!(true)));
        if let Some(home) = &self.home {
            preset(home.path(), options.presets.as_ref())?;
        }
        self.set(&prefs, options.locale)
    }

    /// Sets preferences and the language, and forgets what was logged.
    fn set(&self, prefs: &[(String, Value)], locale: Option<&str>) -> Result {
        self.window.eval(&format!("{PREPARE}({}, {})", json!(prefs), json!(locale)))?;
        self.connection.forget_console_errors();
        Ok(())
    }

    fn pages_at(&self, part_of_url: &str) -> Result<Vec<Page>> {
        let connection = &self.connection;
        let tree = connection.send("browsingContext.getTree", &json!({"maxDepth": 0}))?;
        let contexts = tree["contexts"].as_array().cloned().unwrap_or_default();
        Ok(contexts
            .iter()
            .filter(|context| context["url"].as_str().is_some_and(|url| url.contains(part_of_url)))
            .filter_map(|context| context["context"].as_str())
            .map(|id| Page::new(connection.clone(), id))
            .collect())
    }

    /// Takes back what a test can have done to it: where the add-on's window is kept, without installing the add-on anew.
    fn clear(&mut self) -> Result {
        match self.kept.take() {
            Some(kept) if kept.empty(&self.window, |url| self.pages_at(url))? => {
                self.forget()?;
                self.kept = Some(kept);
                Ok(())
            }
            _ => self.reset(),
        }
    }

    /// Takes everything back that a test can have done to it.
    fn reset(&mut self) -> Result {
        self.kept = None;
        self.window.eval(&format!("{RESET}({})", json!(ADDON_ID)))?;
        self.forget()
    }

    /// Deletes what Firefox remembers of pages, and what was downloaded.
    fn forget(&mut self) -> Result {
        self.window.eval(&format!("{FORGET}({})", json!(self.changed)))?;
        for entry in fs::read_dir(self.downloads.path())? {
            let path = entry?.path();
            // The second copy has a folder of its own.
            if path.is_dir() { fs::remove_dir_all(path)? } else { fs::remove_file(path)? }
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        keeper::end(&mut self.child);
    }
}

/// Installs presets as an administrator does, or takes them away.
fn preset(home: &Path, presets: Option<&Value>) -> Result {
    let folder = home.join(".mozilla/managed-storage");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    if let Some(presets) = presets {
        fs::create_dir_all(&folder)?;
        let manifest = json!({"name": ADDON_ID, "description": "KOCT", "type": "storage", "data": presets});
        fs::write(folder.join(format!("{ADDON_ID}.json")), manifest.to_string())?;
    }
    Ok(())
}

/// Sets preferences and the language. An add-on reads the language when it is installed. No language pack is needed: texts that
/// Firefox does not find in the language it shows in English. What was logged until now is forgotten.
const PREPARE: &str = "((prefs, locale) => {
    for (const [name, value] of prefs) {
        const kind = { boolean: 'Bool', number: 'Int', string: 'String' }[typeof value];
        Services.prefs[`set${kind}Pref`](name, value);
    }
    const wanted = locale ? [locale, 'en-US'] : ['en-US'];
    if (Services.locale.requestedLocales.join() !== wanted.join()) {
        Services.locale.availableLocales = wanted;
        Services.locale.requestedLocales = wanted;
    }
    if (Services.locale.appLocaleAsBCP47 !== wanted[0]) throw new Error(`Firefox speaks ${Services.locale.appLocaleAsBCP47}`);
    Services.console.reset();
    Cc['@mozilla.org/consoleAPI-storage;1'].getService(Ci.nsIConsoleAPIStorage).clearEvents();
})";

/// Takes the add-on away with all it has stored and was allowed, and closes what is open.
const RESET: &str = "(async id => {
    const { AddonManager } = ChromeUtils.importESModule('resource://gre/modules/AddonManager.sys.mjs');
    const { Management } = ChromeUtils.importESModule('resource://gre/modules/Extension.sys.mjs');
    const addon = await AddonManager.getAddonByID(id);
    if (addon) {
        const deleted = new Promise(done => Management.on('cleanupAfterUninstall', function listener(event, of, tasks) {
            if (of !== id) return;
            Management.off('cleanupAfterUninstall', listener);
            done(Promise.all(tasks.map(task => task.promise)));
        }));
        await addon.uninstall();
        await deleted;
    }
    const others = () => [...Services.wm.getEnumerator('navigator:browser')].filter(other => other !== window);
    for (const other of others()) other.close();
    // A new one would be a new process.
    const isBlank = tab => tab.linkedBrowser.currentURI.spec === 'about:blank';
    const blank = [...gBrowser.tabs].find(isBlank) ?? gBrowser.addTrustedTab('about:blank');
    gBrowser.removeAllTabsBut(blank, { animate: false, skipPermitUnload: true });
    while (others().length) await new Promise(done => setTimeout(done, 5));
})";

/// Deletes what Firefox remembers of pages, and sets preferences back.
const FORGET: &str = "(async changed => {
    const C = Ci.nsIClearDataService;
    const flags = C.CLEAR_COOKIES | C.CLEAR_NETWORK_CACHE | C.CLEAR_IMAGE_CACHE | C.CLEAR_DOWNLOADS | C.CLEAR_DOM_QUOTA | C.CLEAR_HISTORY \
        | C.CLEAR_AUTH_TOKENS | C.CLEAR_AUTH_CACHE | C.CLEAR_SITE_PERMISSIONS | C.CLEAR_CONTENT_PREFERENCES | C.CLEAR_HSTS | C.CLEAR_PREFLIGHT_CACHE;
    const failed = await new Promise(done => Services.clearData.deleteData(flags, { onDataDeleted: done }));
    if (failed) throw new Error(`not deleted: ${failed}`);
    // A server of the next test may listen where one of this test did.
    Services.obs.notifyObservers(null, 'net:cancel-all-connections');
    for (const name of changed) Services.prefs.clearUserPref(name);
})";

/// Gives an add-on leave to ask the servers that match a pattern.
const ALLOW: &str = "(async (id, pattern) => {
    const { ExtensionPermissions } = ChromeUtils.importESModule('resource://gre/modules/ExtensionPermissions.sys.mjs');
    await ExtensionPermissions.add(id, { permissions: [], origins: [pattern] }, WebExtensionPolicy.getByID(id).extension);
})";

/// The same for files.
const ALLOW_FILES: &str = "(async id => {
    const { ExtensionPermissions } = ChromeUtils.importESModule('resource://gre/modules/ExtensionPermissions.sys.mjs');
    await ExtensionPermissions.add(id, { permissions: ['downloads'], origins: [] }, WebExtensionPolicy.getByID(id).extension);
})";

/// Waits until Firefox can be driven and its window is there.
fn connected(child: &mut Child) -> Result<(Arc<Connection>, Page)> {
    let connection = Arc::new(Connection::open(&format!("{}/session", listening(child)?))?);
    let began = Instant::now();
    while began.elapsed() < START_LIMIT {
        let tree = connection.send("browsingContext.getTree", &json!({"moz:scope": "chrome"}))?;
        let contexts = tree["contexts"].as_array().cloned().unwrap_or_default();
        let is_window = |context: &&Value| context["url"].as_str().is_some_and(|url| url.ends_with("/browser.xhtml"));
        if let Some(window) = contexts.iter().find(is_window) {
            let id = window["context"].as_str().unwrap_or_default();
            let window = Page::new(connection.clone(), id);
            if window.eval("gBrowserInit.delayedStartupFinished").is_ok_and(|is| is == json!(true)) {
                connection.set_window(id);
                return Ok((connection, window));
            }
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    Err("Firefox has no window".into())
}

impl Firefox {
    /// Starts Firefox and connects to it.
    ///
    /// # Errors
    /// When there is none, or it does not come up within three minutes.
    pub fn start(options: &Options) -> Result<Self> {
        let running = Running::start(options)?;
        let firefox = Self { running: Some(running), is_lent: false };
        if options.locale.is_some() {
            firefox.in_chrome(&format!("{PREPARE}([], {})", json!(options.locale)))?;
        }
        Ok(firefox)
    }

    /// One that is like a new one: of those that are running, where the options do not ask for one of their own. Dropped, it is
    /// given back, unless its test failed.
    ///
    /// # Errors
    /// As [`Firefox::start`].
    pub fn ready(options: &Options) -> Result<Self> {
        if options.profile.is_some() || !options.headless {
            return Self::start(options);
        }
        let mut running = idle_or_new(false)?;
        running.prepare(options)?;
        Ok(Self { running: Some(running), is_lent: true })
    }

    /// One in which the add-on's window is as in a new one, with the add-on in this folder. The window is kept from a test to the
    /// next, where neither asks for something that is read when the add-on is installed.
    ///
    /// # Errors
    /// As [`Firefox::start`].
    pub fn at_desk(options: &Options, addon: &Path) -> Result<(Self, Page)> {
        let plain = Options { downloads: options.downloads.clone(), ..Options::default() };
        if *options != plain {
            let firefox = Self::ready(options)?;
            firefox.install(addon)?;
            let page = crate::desk::open_window(&firefox)?;
            return Ok((firefox, page));
        }
        Self { running: Some(idle_or_new(true)?), is_lent: true }.desk_again(options, addon)
    }

    /// Dropping it and asking for the add-on's window anew, in the same process for sure.
    ///
    /// # Errors
    /// When what was done to it cannot be taken back.
    pub fn at_desk_again(mut self, options: &Options, addon: &Path) -> Result<(Self, Page)> {
        let mut running = self.running.take().ok_or("Firefox runs until it is dropped")?;
        running.clear()?;
        Self { running: Some(running), is_lent: true }.desk_again(options, addon)
    }

    /// Opens the window that is kept, or one to be kept.
    fn desk_again(mut self, options: &Options, addon: &Path) -> Result<(Self, Page)> {
        let running = self.running.as_mut().ok_or("Firefox runs until it is dropped")?;
        if let Some(kept) = &running.kept {
            running.set(&preferences(options, running.downloads.path()), None)?;
            let page = kept.open(|url| running.pages_at(url))?;
            return Ok((self, page));
        }
        running.prepare(options)?;
        self.install(addon)?;
        let page = crate::desk::open_window(&self)?;
        let kept = Kept::new(&self.running().window, &self.addon_url(""))?;
        if let Some(running) = &mut self.running {
            running.kept = Some(kept);
        }
        Ok((self, page))
    }

    /// Dropping it and asking for one that is ready, the same process for sure.
    ///
    /// # Errors
    /// When what was done to it cannot be taken back.
    pub fn again(mut self, options: &Options) -> Result<Self> {
        let mut running = self.running.take().ok_or("Firefox runs until it is dropped")?;
        running.reset()?;
        running.prepare(options)?;
        Ok(Self { running: Some(running), is_lent: true })
    }

    /// # Panics
    /// Never: it is taken away only where the value itself is.
    fn running(&self) -> &Running {
        self.running.as_ref().expect("Firefox runs until it is dropped")
    }

    /// Draws as often as where a person looks, until it is given back: for tests that wait for what is drawn, frame by frame.
    ///
    /// # Errors
    /// When Firefox does not answer.
    ///
    /// # Panics
    /// Never: it is taken away only where the value itself is.
    pub fn draw_often(&mut self) -> Result {
        self.running.as_mut().expect("Firefox runs until it is dropped").changed.push(FRAME_RATE.to_owned());
        self.in_chrome(&format!("Services.prefs.setIntPref({}, 60)", json!(FRAME_RATE))).map(|_| ())
    }

    /// An administrator puts these presets where Firefox looks for them. An add-on reads them when it is installed.
    ///
    /// # Errors
    /// When they cannot be written, or Firefox is a person's own.
    pub fn preset(&self, presets: &Value) -> Result {
        let home = self.running().home.as_ref().ok_or("a person's own Firefox has presets of its own")?;
        preset(home.path(), Some(presets))
    }

    /// Installs an unpacked add-on until Firefox ends.
    ///
    /// # Errors
    /// When Firefox does not take it.
    pub fn install(&self, folder: &Path) -> Result {
        self.install_where(folder, false)
    }

    /// The same, and a person allows it in private windows.
    ///
    /// # Errors
    /// When Firefox does not take it.
    pub fn install_for_private_windows(&self, folder: &Path) -> Result {
        self.install_where(folder, true)
    }

    fn install_where(&self, folder: &Path, in_private_windows: bool) -> Result {
        let path = fs::canonicalize(folder)?;
        let data =
            json!({"extensionData": {"type": "path", "path": path}, "moz:allowPrivateBrowsing": in_private_windows});
        self.running().connection.send("webExtension.install", &data)?;
        Ok(())
    }

    /// Gives the add-on leave to ask servers that match this, as if a person had said yes.
    ///
    /// # Errors
    /// When the add-on is not installed.
    pub fn allow(&self, pattern: &str) -> Result {
        self.in_chrome(&format!("{ALLOW}({}, {})", json!(ADDON_ID), json!(pattern))).map(|_| ())
    }

    /// Lets the add-on write files, as if a person had said yes.
    ///
    /// # Errors
    /// When the add-on is not installed.
    pub fn allow_files(&self) -> Result {
        self.in_chrome(&format!("{ALLOW_FILES}({})", json!(ADDON_ID))).map(|_| ())
    }

    /// The address of a page of the add-on.
    pub fn addon_url(&self, path: &str) -> String {
        format!("moz-extension://{}/{path}", self.running().host)
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

    /// Asks pages to be dark, or light, from now on. Firefox itself stays as it is.
    ///
    /// # Errors
    /// When Firefox does not answer.
    pub fn set_dark(&self, dark: bool) -> Result {
        self.in_chrome(&format!("Services.prefs.setIntPref({}, {})", json!(SCHEME), i32::from(!dark))).map(|_| ())
    }

    /// Evaluates a script in a browser window, beside the toolbar.
    ///
    /// # Errors
    /// When there is no window or the script throws.
    pub fn in_chrome(&self, script: &str) -> Result<Value> {
        self.running().window.eval(script)
    }

    /// All pages that are open.
    ///
    /// # Errors
    /// When Firefox does not answer.
    pub fn pages(&self) -> Result<Vec<Page>> {
        self.pages_at("")
    }

    /// The pages whose address contains this.
    ///
    /// # Errors
    /// When Firefox does not answer.
    pub fn pages_at(&self, part_of_url: &str) -> Result<Vec<Page>> {
        self.running().pages_at(part_of_url)
    }

    /// Waits for a page whose address contains this.
    ///
    /// # Errors
    /// When none comes within a minute.
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
        let created = self.running().connection.send("browsingContext.create", &json!({"type": "window"}))?;
        let page = Page::new(self.running().connection.clone(), created["context"].as_str().unwrap_or_default());
        page.navigate(url)?;
        Ok(page)
    }

    /// The errors that pages have thrown or logged so far. Those of the add-on are asked of Firefox's own console, since BiDi
    /// is not told of them. That an answer came for a page which was closed meanwhile is none: Firefox only notes it, and whether it
    /// does depends on how busy the computer is.
    ///
    /// # Errors
    /// When Firefox does not answer.
    pub fn console_errors(&self) -> Result<Vec<String>> {
        let script = format!(
            "(() => {{ const ours = text => String(text).startsWith('moz-extension://{host}/'); \
             const thrown = Services.console.getMessageArray().filter(m => m instanceof Ci.nsIScriptError \
             && (ours(m.sourceName) || m.category === 'content javascript') \
             && !(m.flags & Ci.nsIScriptError.warningFlag)).map(m => m.errorMessage) \
             .filter(text => !/^Promise resolved (after context unloaded|while context is inactive)$/.test(text.trim())); \
             const logged = Cc['@mozilla.org/consoleAPI-storage;1'].getService(Ci.nsIConsoleAPIStorage).getEvents() \
             .filter(e => e.level === 'error' && ours(e.filename)).map(e => e.arguments.map(String).join(' ')); \
             return [...thrown, ...logged]; }})()",
            host = self.running().host
        );
        let errors = self.in_chrome(&script)?;
        let ours = errors.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned));
        Ok(self.running().connection.console_errors().into_iter().chain(ours).collect())
    }

    /// The folder of the profile.
    pub fn profile(&self) -> &Path {
        &self.running().profile
    }

    /// What can end it while a command to it is under way.
    pub fn killer(&self) -> Killer {
        Killer { group: self.running().child.id() }
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) {
        drop(self.running.take());
    }

    /// Waits until a person closes it.
    ///
    /// # Errors
    /// When its end cannot be seen.
    pub fn wait_until_closed(&mut self) -> Result {
        if let Some(running) = &mut self.running {
            running.child.wait()?;
        }
        Ok(())
    }
}

/// One that nobody uses, rather one in which a window of the add-on is kept, or rather one in which none is; else a new one. What
/// options ask for is set in what runs, so that the next one is no other than the first.
fn idle_or_new(has_window: bool) -> Result<Running> {
    let idle = {
        let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
        let best = idle.iter().position(|running| running.kept.is_some() == has_window);
        best.or_else(|| idle.len().checked_sub(1)).map(|place| idle.swap_remove(place))
    };
    idle.map_or_else(|| Running::start(&Options::default()), Ok)
}

impl Drop for Firefox {
    fn drop(&mut self) {
        let Some(mut running) = self.running.take() else { return };
        // Where a test failed, nobody knows what it left behind.
        if self.is_lent && !std::thread::panicking() {
            match running.clear() {
                Ok(()) => IDLE.lock().unwrap_or_else(PoisonError::into_inner).push(running),
                Err(error) => eprintln!("Firefox is ended, since it could not be made like a new one: {error}"),
            }
        }
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

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn the_version_is_the_first_number_that_firefox_tells() {
        assert_eq!(number("Mozilla Firefox 153.8.0esr\n"), Some(153));
        assert_eq!(number("Mozilla Firefox 160.0"), Some(160));
        assert_eq!(number("no version"), None);
    }
}
