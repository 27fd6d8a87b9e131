//! KOCT's window, kept from one test to the next.
//!
//! To install the add-on anew and to open its window takes longer than many a test. Where a test changed nothing that only an
//! installation reads, the add-on stays, all that it has stored and was allowed is taken away, and its window is loaded again. What
//! the add-on runs is gone too: its background page is ended, as Firefox ends it when it has nothing to do.

use crate::{Result, firefox::ADDON_ID, page::Page};
use serde_json::json;
use std::time::{Duration, Instant};

/// A page of the add-on that runs nothing: where its window stands between two tests.
const QUIET: &str = "icons/koct.svg";
const WINDOW: &str = "popup/popup.html";
/// It only ends what would never end: the busiest machine stays below it.
const LIMIT: Duration = Duration::from_mins(1);

/// Remembers which installation it is.
const REMEMBER: &str = "(id => void (window.kept = WebExtensionPolicy.getByID(id).extension))";

/// Ends the background page and closes all but a window of the add-on that its button has opened. Says whether there is one: the
/// installation is the same, and no window is the add-on's that the button did not open.
const CLOSE: &str = "(async (id, url) => {
    const extension = window.kept;
    if (!extension || extension.hasShutdown || WebExtensionPolicy.getByID(id)?.extension !== extension) return false;
    const windows = () => [...Services.wm.getEnumerator('navigator:browser')].filter(other => other !== window && !other.closed);
    const isKept = other => !other.toolbar.visible && other.gBrowser.tabs.length === 1 && other.gBrowser.currentURI.spec === url;
    const keep = windows().find(isKept);
    if (!keep) return false;
    if (!['stopped', 'running'].includes(extension.backgroundState)) await extension.wakeupBackground();
    if (extension.backgroundState === 'running') await extension.terminateBackground({ disableResetIdleForTest: true });
    if (extension.backgroundState !== 'stopped') return false;
    for (const other of windows()) if (other !== keep) other.close();
    const blank = [...gBrowser.tabs].find(tab => tab.linkedBrowser.currentURI.spec === 'about:blank') ?? gBrowser.addTrustedTab('about:blank');
    gBrowser.removeAllTabsBut(blank, { animate: false, skipPermitUnload: true });
    while (windows().length > 1) await new Promise(done => setTimeout(done, 5));
    // The driver waits for ever for a size that was stretched to come back.
    for (const side of ['width', 'height']) keep.gBrowser.selectedBrowser.style.removeProperty(side);
    return true;
})";

/// In the quiet page: takes away what the add-on has stored and what its button shows. The next window opened by the button is this one.
/// Says whether it is done; it goes on meanwhile.
const EMPTY: &str = "Promise.race([window.emptied ??= (async () => {
    const done = request => new Promise((done, fail) => { request.onsuccess = done; request.onerror = fail; });
    await Promise.all((await indexedDB.databases()).map(({ name }) => done(indexedDB.deleteDatabase(name))));
    await Promise.all([browser.storage.local.clear(), browser.storage.session.clear(), browser.alarms.clearAll(),
        browser.action.setBadgeText({ text: null }), browser.action.setTitle({ title: null }),
        browser.action.setBadgeBackgroundColor({ color: null }), browser.action.setBadgeTextColor({ color: null })]);
    localStorage.clear();
    sessionStorage.clear();
    window.name = '';
    // As the event page leaves it when it was just installed.
    await browser.storage.local.set({ starts: { first: Date.now(), count: 0 } });
    await browser.storage.session.set({ awake: true, windowId: (await browser.windows.getCurrent()).id });
    return true;
})(), new Promise(done => setTimeout(done, 300))])";

/// What a page was opening of the log as it was closed is given back when it is collected, and only then the log can be deleted.
const COLLECT: &str =
    "(() => { for (const what of ['gc', 'cc']) Services.obs.notifyObservers(null, `child-${what}-request`); })()";

/// Takes away what the add-on was allowed.
const FORBID: &str = "(async id => {
    const { ExtensionPermissions } = ChromeUtils.importESModule('resource://gre/modules/ExtensionPermissions.sys.mjs');
    const { permissions, origins } = await ExtensionPermissions.get(id);
    const asked = permissions.filter(name => !name.startsWith('internal:'));
    await ExtensionPermissions.remove(id, { permissions: asked, origins: [...origins] }, window.kept);
    ExtensionPermissions.tempOrigins.delete(id);
})";

/// An installation whose window is like a new one between two tests.
#[derive(Debug)]
pub(crate) struct Kept {
    /// `moz-extension://…/`.
    base: String,
}

impl Kept {
    /// Keeps what is installed at this address. `window` is Firefox's own.
    ///
    /// # Errors
    /// When Firefox does not answer.
    pub(crate) fn new(window: &Page, base: &str) -> Result<Self> {
        window.eval(&format!("{REMEMBER}({})", json!(ADDON_ID)))?;
        Ok(Self { base: base.to_owned() })
    }

    /// Takes away what was open, stored and allowed; what Firefox itself remembers stays. Says whether that could be done. `find` gives
    /// the pages at an address.
    ///
    /// # Errors
    /// When Firefox does not answer.
    pub(crate) fn empty(&self, window: &Page, find: impl Fn(&str) -> Result<Vec<Page>>) -> Result<bool> {
        let url = format!("{}{WINDOW}", self.base);
        if window.eval(&format!("{CLOSE}({}, {})", json!(ADDON_ID), json!(url)))? != true {
            return Ok(false);
        }
        let [page] = &find(&url)?[..] else { return Ok(false) };
        page.navigate(&format!("{}{QUIET}", self.base))?;
        page.forget_input()?;
        let began = Instant::now();
        while page.eval(EMPTY)? != true {
            if began.elapsed() > LIMIT {
                return Err("what the add-on has stored cannot be deleted".into());
            }
            window.eval(COLLECT)?;
        }
        window.eval(&format!("{FORBID}({})", json!(ADDON_ID)))?;
        Ok(true)
    }

    /// Loads the window again, and waits until it is ready to scan.
    ///
    /// # Errors
    /// When it does not come up.
    pub(crate) fn open(&self, find: impl Fn(&str) -> Result<Vec<Page>>) -> Result<Page> {
        let page = find(&format!("{}{QUIET}", self.base))?.pop().ok_or("the window is gone")?;
        page.activate()?;
        page.navigate(&format!("{}{WINDOW}", self.base))?;
        page.wait("document.body && document.body.hasAttribute('data-ready')")?;
        Ok(page)
    }
}
