//! A page in Firefox: looked at by script, used by real clicks and key events.

use crate::{Result, bidi::Connection};
use data_encoding::BASE64;
use serde_json::{Value, json};
use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

/// It only ends what would never end: the busiest machine stays below it.
const WAIT_LIMIT: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(20);

/// For how long the page itself looks before it is asked again: it may be another one by then.
const LOOK_FOR: Duration = Duration::from_secs(1);
/// Looks again and again in the page, which costs far less than to ask it each time.
const LOOK: &str = "(async (look, time) => {
    for (const until = performance.now() + time; ;) {
        const value = await look();
        if (value || performance.now() > until) return value;
        await new Promise(done => setTimeout(done, 10));
    }
})";

/// Gives the place at which to click on an element, or says why that cannot be done yet. Until `clickMissed` is called, no other
/// element hears of a click.
const AIM: &str = "(async css => {
    const e = document.querySelector(css);
    if (!e) return 'it is not there';
    const menu = e.closest('[role=menu][hidden]');
    if (menu) return { menu: menu.id };
    if (!e.checkVisibility()) return 'it is not seen';
    if (e.matches(':disabled')) return 'it is disabled';
    const place = () => { const r = e.getBoundingClientRect(); return [Math.floor(r.x + r.width / 2), Math.floor(r.y + r.height / 2)]; };
    const frames = () => Promise.race([new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))), \
        new Promise(done => setTimeout(done, 500))]);
    // Firefox scrolls back to the text cursor in the frame after something was typed: scrolled until it stays in place.
    for (let tries = 0, before = ''; before !== place().join() && tries < 5; tries++) {
        before = place().join();
        e.scrollIntoView({ block: 'nearest', inline: 'nearest' });
        if (place().join() !== before) await frames();
    }
    const hits = target => target === e || e.contains(target) || target?.closest?.('label')?.control === e;
    const found = document.elementFromPoint(...place());
    if (!hits(found)) return `${found?.id || found?.localName} lies above it`;
    let [pressed, missed] = [false, false];
    const kinds = ['pointerdown', 'mousedown', 'pointerup', 'mouseup', 'click'];
    const guard = event => {
        if (!event.isTrusted) return;
        if (hits(event.target)) {
            pressed = true;
            return;
        }
        // What acts when it is pressed may be gone when the button of the mouse comes up.
        if (pressed && !(e.isConnected && e.checkVisibility())) return;
        missed = true;
        event.preventDefault();
        event.stopImmediatePropagation();
    };
    window.clickMissed?.();
    for (const kind of kinds) addEventListener(kind, guard, true);
    window.clickMissed = () => {
        for (const kind of kinds) removeEventListener(kind, guard, true);
        delete window.clickMissed;
        return missed;
    };
    return place();
})";

/// Presses keys in a page as the driver does, but all of them in one go: the driver asks the page's process for each key twice. Run in
/// the browser window; `TYPE_THERE` is run in the page's process. Gives the number of events that the page heard of.
const TYPE: &str = "(async (id, there, keys) => {
    const shared = name => ChromeUtils.importESModule(`chrome://remote/content/shared/${name}.sys.mjs`)[name];
    let pages;
    try { pages = shared('NavigableManager'); } catch { pages = shared('TabManager'); }
    const { messageManager } = pages.getBrowserById(id);
    let typed;
    const heard = new Promise(done => messageManager.addMessageListener('koct-typed', function listener({ data }) {
        messageManager.removeMessageListener('koct-typed', listener);
        done(typed = data);
    }));
    messageManager.loadFrameScript(`data:application/javascript;charset=utf-8,${encodeURIComponent(`${there}(${JSON.stringify(keys)})`)}`, false);
    // The page may go away with a key.
    const isThere = () => pages.getBrowserById(id)?.messageManager === messageManager;
    while (typed === undefined && isThere()) await Promise.race([heard, new Promise(done => setTimeout(done, 100))]);
    return typed ?? 0;
})";
/// After each event what waits in the page has its turn, as between a scanner's keys.
const TYPE_THERE: &str = "(async keys => {
    const shared = name => ChromeUtils.importESModule(`chrome://remote/content/shared/webdriver/${name}.sys.mjs`);
    const [{ event }, { keyData }] = [shared('Event'), shared('KeyData')];
    const [held, pressed, page] = [{}, new Set(), content];
    let typed = 0;
    try {
        for (const [type, value] of keys) {
            const isDown = type === 'keyDown';
            const { key, code, location, printable } = keyData.getData(held.Shift ? keyData.getShiftedKey(value) : value);
            const repeat = isDown && pressed.has(key);
            if (isDown) pressed.add(key); else pressed.delete(key);
            if (['Alt', 'Control', 'Meta', 'Shift'].includes(key)) held[key] = isDown;
            const modifiers = { altKey: !!held.Alt, ctrlKey: !!held.Control, metaKey: !!held.Meta, shiftKey: !!held.Shift };
            // As where no script is running.
            const { windowUtils } = page;
            const level = windowUtils.microTaskLevel;
            windowUtils.microTaskLevel = 0;
            try { event.sendSingleKey({ key, code, location, printable, repeat, ...modifiers }, page, type.toLowerCase()); }
            finally { windowUtils.microTaskLevel = level; }
            typed += 1;
            await new Promise(done => Services.tm.dispatchToMainThread(done));
        }
    } finally {
        sendAsyncMessage('koct-typed', typed);
    }
})";

/// Keys that are no characters, by WebDriver's code points.
pub mod key {
    /// Enter.
    pub const ENTER: char = '\u{E007}';
    /// Tab.
    pub const TAB: char = '\u{E004}';
    /// Escape.
    pub const ESCAPE: char = '\u{E00C}';
    /// Backspace.
    pub const BACKSPACE: char = '\u{E003}';
    /// A page up.
    pub const PAGE_UP: char = '\u{E00E}';
    /// A page down.
    pub const PAGE_DOWN: char = '\u{E00F}';
    /// To the end.
    pub const END: char = '\u{E010}';
    /// To the beginning.
    pub const HOME: char = '\u{E011}';
    /// To the right.
    pub const RIGHT: char = '\u{E014}';
    /// The line above.
    pub const UP: char = '\u{E013}';
    /// The line below.
    pub const DOWN: char = '\u{E015}';
    /// Takes a row back.
    pub const DELETE: char = '\u{E017}';
    /// The help.
    pub const F1: char = '\u{E031}';
    /// To the patron's field of Checkout.
    pub const F2: char = '\u{E032}';
    /// To the search.
    pub const F3: char = '\u{E033}';
    /// To Checkin.
    pub const F4: char = '\u{E034}';
    /// To what is left to do.
    pub const F7: char = '\u{E037}';
    /// More room for the log.
    pub const F6: char = '\u{e036}';
    /// Takes back the last scan.
    pub const F8: char = '\u{E038}';
    /// The menu.
    pub const F10: char = '\u{E03A}';
    /// Commits.
    pub const F9: char = '\u{E039}';
    /// Space.
    pub const SPACE: char = ' ';
    /// Shift, held.
    pub const SHIFT: char = '\u{E008}';
    /// Alt, held, or alone.
    pub const ALT: char = '\u{E00A}';
    /// Control, held.
    pub const CONTROL: char = '\u{E009}';
}

/// A key down and up again.
fn strokes(character: char) -> [Value; 2] {
    let key = match character {
        '\n' => key::ENTER,
        '\t' => key::TAB,
        other => other,
    };
    ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key}))
}

/// All keys down in order, and all up in reverse.
fn chord(keys: &[char]) -> Vec<Value> {
    let down = keys.iter().map(|key| json!({"type": "keyDown", "value": key}));
    let up = keys.iter().rev().map(|key| json!({"type": "keyUp", "value": key}));
    down.chain(up).collect()
}

/// A page.
#[derive(Debug, Clone)]
pub struct Page {
    connection: Arc<Connection>,
    id: String,
}

impl Page {
    pub(crate) fn new(connection: Arc<Connection>, id: &str) -> Self {
        Self { connection, id: id.to_owned() }
    }

    fn send(&self, method: &str, mut params: Value) -> Result<Value> {
        params["context"] = json!(self.id);
        self.connection.send(method, &params)
    }

    /// Its address.
    ///
    /// # Errors
    /// When the page is gone.
    pub fn url(&self) -> Result<String> {
        let tree = self.connection.send("browsingContext.getTree", &json!({"root": self.id, "maxDepth": 0}))?;
        Ok(tree["contexts"][0]["url"].as_str().unwrap_or_default().to_owned())
    }

    /// Goes to this address and waits until it is loaded.
    ///
    /// # Errors
    /// When it cannot be loaded.
    pub fn navigate(&self, url: &str) -> Result {
        self.send("browsingContext.navigate", json!({"url": url, "wait": "complete"})).map(|_| ())
    }

    /// Loads it again and waits until it is loaded.
    ///
    /// # Errors
    /// When it cannot be loaded.
    pub fn reload(&self) -> Result {
        self.send("browsingContext.reload", json!({"wait": "complete"})).map(|_| ())
    }

    /// Loads it again, and waits for nothing.
    ///
    /// # Errors
    /// When the page is gone.
    pub fn begin_reload(&self) -> Result {
        self.eval("void (window.isBefore = true)")?;
        self.send("browsingContext.reload", json!({"wait": "none"}))?;
        self.wait("!window.isBefore").map(|_| ())
    }

    /// Closes it.
    ///
    /// # Errors
    /// When it is gone already.
    pub fn close(&self) -> Result {
        self.send("browsingContext.close", json!({})).map(|_| ())
    }

    /// Brings it to the front.
    ///
    /// # Errors
    /// When the page is gone.
    pub fn activate(&self) -> Result {
        self.send("browsingContext.activate", json!({})).map(|_| ())
    }

    /// The value of an expression in the page; promises are awaited.
    ///
    /// # Errors
    /// When it throws.
    pub fn eval(&self, expression: &str) -> Result<Value> {
        let wrapped = format!("(async () => JSON.stringify(await ({expression})))()");
        let params = json!({"expression": wrapped, "target": {"context": self.id}, "awaitPromise": true, "userActivation": false});
        let answer = self.connection.send("script.evaluate", &params)?;
        if answer["type"] == "exception" {
            return Err(format!("{expression}: {}", answer["exceptionDetails"]["text"]).into());
        }
        Ok(answer["result"]["value"].as_str().map(serde_json::from_str).transpose()?.unwrap_or_default())
    }

    /// Runs a script, as if the page had loaded it.
    ///
    /// # Errors
    /// When it throws.
    pub fn run(&self, script: &str) -> Result {
        let params = json!({"expression": script, "target": {"context": self.id}, "awaitPromise": false});
        let answer = self.connection.send("script.evaluate", &params)?;
        if answer["type"] == "exception" {
            return Err(format!("a script failed: {}", answer["exceptionDetails"]["text"]).into());
        }
        Ok(())
    }

    /// Waits until an expression is truthy. Returns its value.
    ///
    /// # Errors
    /// When it is not within a minute; the error shows the page's text.
    pub fn wait(&self, condition: &str) -> Result<Value> {
        self.wait_for(condition, WAIT_LIMIT)
    }

    /// As [`Page::wait`], with another limit.
    ///
    /// # Errors
    /// As [`Page::wait`].
    pub fn wait_for(&self, condition: &str, limit: Duration) -> Result<Value> {
        let began = Instant::now();
        let mut last = String::new();
        while began.elapsed() < limit {
            match self.eval(&format!("{LOOK}(async () => ({condition}), {})", LOOK_FOR.as_millis())) {
                Ok(Value::Null | Value::Bool(false)) => {}
                Ok(value) if value == json!(0) || value == json!("") => {}
                Ok(value) => return Ok(value),
                // While a page is being loaded, a script can fail.
                Err(error) => {
                    last = error.to_string();
                    std::thread::sleep(POLL);
                }
            }
        }
        let shown = self.eval("document.body.innerText").unwrap_or_default();
        Err(format!("not within {limit:?}: {condition}\n{last}\nThe page shows: {shown}").into())
    }

    /// The property of an element.
    fn property(&self, css: &str, property: &str) -> Result<Value> {
        self.eval(&format!("document.querySelector({}).{property}", json!(css)))
    }

    /// The text of an element as it is seen.
    ///
    /// # Errors
    /// When there is no such element.
    pub fn text(&self, css: &str) -> Result<String> {
        Ok(self.property(css, "innerText")?.as_str().unwrap_or_default().to_owned())
    }

    /// The value of a field.
    ///
    /// # Errors
    /// When there is no such element.
    pub fn value(&self, css: &str) -> Result<String> {
        Ok(self.property(css, "value")?.as_str().unwrap_or_default().to_owned())
    }

    /// Whether an element is seen.
    ///
    /// # Errors
    /// When there is no such element.
    pub fn visible(&self, css: &str) -> Result<bool> {
        Ok(self.property(css, "checkVisibility()")? == json!(true))
    }

    /// Waits until an element is seen.
    ///
    /// # Errors
    /// As [`Page::wait`].
    pub fn wait_visible(&self, css: &str) -> Result {
        self.wait(&format!("document.querySelector({})?.checkVisibility()", json!(css))).map(|_| ())
    }

    /// Waits until an element that the page has is not seen.
    ///
    /// # Errors
    /// As [`Page::wait`].
    pub fn wait_hidden(&self, css: &str) -> Result {
        self.wait(&format!("!document.querySelector({}).checkVisibility()", json!(css))).map(|_| ())
    }

    /// Waits until an element shows this text.
    ///
    /// # Errors
    /// As [`Page::wait`]; the error tells what it shows.
    pub fn wait_text(&self, css: &str, text: &str) -> Result {
        self.wait_of(css, &format!("innerText === {}", json!(text)))
    }

    /// Waits until this is a part of the text that an element shows.
    ///
    /// # Errors
    /// As [`Page::wait`]; the error tells what it shows.
    pub fn wait_contains(&self, css: &str, part: &str) -> Result {
        self.wait_of(css, &format!("innerText.includes({})", json!(part)))
    }

    fn wait_of(&self, css: &str, condition: &str) -> Result {
        let waited = self.wait(&format!("document.querySelector({})?.{condition}", json!(css)));
        waited
            .map(|_| ())
            .map_err(|error| format!("{css} shows {:?}: {error}", self.text(css).unwrap_or_default()).into())
    }

    /// Waits until the element with this id has the focus.
    ///
    /// # Errors
    /// As [`Page::wait`]; the error tells what has it.
    pub fn wait_focused(&self, id: &str) -> Result {
        let waited = self.wait(&format!("document.activeElement?.id === {}", json!(id)));
        waited.map(|_| ()).map_err(|error| format!("{:?} has the focus: {error}", self.focused()).into())
    }

    /// The id of the element that has the focus.
    ///
    /// # Errors
    /// When the page is gone.
    pub fn focused(&self) -> Result<String> {
        Ok(self.eval("document.activeElement.id")?.as_str().unwrap_or_default().to_owned())
    }

    fn perform(&self, actions: &Value) -> Result {
        self.send("input.performActions", json!({ "actions": actions }))?;
        Ok(())
    }

    /// Clicks an element as a mouse does, once it can be clicked: it is seen, enabled, and nothing lies above it.
    ///
    /// What comes into sight in the very moment of the click can move another element under the mouse. That one never hears
    /// of the click, and it is done again.
    ///
    /// What stands in a menu is reached by the button that opens it.
    ///
    /// # Errors
    /// When it cannot be clicked within a minute.
    pub fn click(&self, css: &str) -> Result {
        self.click_times(css, 1)
    }

    /// Puts the mouse on an element and presses its button, until [`Page::let_go`].
    ///
    /// # Errors
    /// As [`Page::click`].
    pub fn hold(&self, css: &str) -> Result {
        self.mouse(css, &["pointerDown"])
    }

    /// Lets the button of the mouse go.
    ///
    /// # Errors
    /// When the page is gone.
    pub fn let_go(&self) -> Result {
        self.perform(&json!([{"type": "pointer", "id": "mouse", "actions": [{"type": "pointerUp", "button": 0}]}]))
    }

    /// Clicks an element twice, as one does to mark a word.
    ///
    /// # Errors
    /// As [`Page::click`].
    pub fn double_click(&self, css: &str) -> Result {
        self.click_times(css, 2)
    }

    fn click_times(&self, css: &str, times: usize) -> Result {
        self.mouse(css, &["pointerDown", "pointerUp"].repeat(times))
    }

    /// What the button of the mouse does on an element.
    fn mouse(&self, css: &str, does: &[&str]) -> Result {
        let began = Instant::now();
        let mut why = String::new();
        while began.elapsed() < WAIT_LIMIT {
            let place = match self.eval(&format!("{AIM}({})", json!(css))) {
                Ok(place) if place.is_array() => place,
                Ok(closed) if closed["menu"].is_string() => {
                    let menu = closed["menu"].as_str().unwrap_or_default();
                    self.click_times(&format!("[aria-controls={menu}]"), 1)?;
                    continue;
                }
                Ok(reason) => {
                    reason.as_str().unwrap_or_default().clone_into(&mut why);
                    std::thread::sleep(POLL);
                    continue;
                }
                // While a page is being loaded, a script can fail.
                Err(error) => {
                    why = error.to_string();
                    std::thread::sleep(POLL);
                    continue;
                }
            };
            let mut actions = vec![json!({"type": "pointerMove", "x": place[0], "y": place[1]})];
            actions.extend(does.iter().map(|does| json!({"type": does, "button": 0})));
            self.perform(&json!([{"type": "pointer", "id": "mouse", "actions": actions}]))?;
            // A click can close the page, or lead to another.
            if self.eval("window.clickMissed?.() ?? false").unwrap_or_default() != json!(true) {
                return Ok(());
            }
            "it moved away under the mouse".clone_into(&mut why);
        }
        Err(format!("{css} cannot be clicked: {why}").into())
    }

    /// Types by real key events, one after the other without a pause, as a scanner does. `\n` is Enter, `\t` is Tab.
    ///
    /// # Errors
    /// When the page is gone.
    pub fn type_text(&self, text: &str) -> Result {
        self.keys(&text.chars().flat_map(strokes).collect::<Vec<_>>())
    }

    fn keys(&self, strokes: &[Value]) -> Result {
        let Some(window) = self.connection.window() else {
            return self.perform(&json!([{"type": "key", "id": "keyboard", "actions": strokes}]));
        };
        let keys: Vec<_> = strokes.iter().map(|stroke| [&stroke["type"], &stroke["value"]]).collect();
        let script = format!("{TYPE}({}, {}, {})", json!(self.id), json!(TYPE_THERE), json!(keys));
        let typed = Self::new(self.connection.clone(), window).eval(&script)?;
        if typed == keys.len() { Ok(()) } else { Err(format!("the page heard {typed} of {} keys", keys.len()).into()) }
    }

    /// Types as a person does, with a pause after each key. A scanner's keys come faster by far, on any machine.
    ///
    /// # Errors
    /// When the page is gone.
    pub fn type_by_hand(&self, text: &str) -> Result {
        let mut actions = Vec::new();
        for character in text.chars() {
            let key = if character == '\n' { key::ENTER } else { character };
            actions.push(json!({"type": "keyDown", "value": key}));
            actions.push(json!({"type": "keyUp", "value": key}));
            actions.push(json!({"type": "pause", "duration": 150}));
        }
        self.perform(&json!([{"type": "key", "id": "keyboard", "actions": actions}]))
    }

    /// Presses these keys together: all down in order, all up in reverse.
    ///
    /// # Errors
    /// When the page is gone.
    pub fn press(&self, keys: &[char]) -> Result {
        self.keys(&chord(keys))
    }

    /// Clicks into a field and types over what it holds.
    ///
    /// # Errors
    /// When the field is not there.
    pub fn fill(&self, css: &str, text: &str) -> Result {
        self.click(css)?;
        let clear = [chord(&[key::CONTROL, 'a']), chord(&[key::BACKSPACE])].concat();
        self.keys(&clear.into_iter().chain(text.chars().flat_map(strokes)).collect::<Vec<_>>())
    }

    /// Chooses files in a file field, as in the picker.
    ///
    /// # Errors
    /// When there is no such field.
    pub fn choose_files(&self, css: &str, files: &[&Path]) -> Result {
        let expression = format!("document.querySelector({})", json!(css));
        let params = json!({"expression": expression, "target": {"context": self.id}, "awaitPromise": false});
        let answer = self.connection.send("script.evaluate", &params)?;
        let element = json!({"sharedId": answer["result"]["sharedId"]});
        self.send("input.setFiles", json!({"element": element, "files": files})).map(|_| ())
    }

    /// Drops files with these names and texts onto an element, as from a file manager.
    ///
    /// # Errors
    /// When there is no such element.
    pub fn drop_files(&self, css: &str, files: &[(&str, &str)]) -> Result {
        let script = format!(
            "(() => {{ const data = new DataTransfer(); for (const [name, text] of {}) data.items.add(new File([text], name)); \
             const on = document.querySelector({}); for (const kind of ['dragover', 'drop']) \
             on.dispatchEvent(new DragEvent(kind, {{dataTransfer: data, bubbles: true, cancelable: true}})); }})()",
            json!(files),
            json!(css)
        );
        self.eval(&script).map(|_| ())
    }

    /// Saves what is seen as a PNG file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn screenshot(&self, path: &Path) -> Result {
        let shot = self.send("browsingContext.captureScreenshot", json!({}))?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, BASE64.decode(shot["data"].as_str().unwrap_or_default().as_bytes())?)?;
        Ok(())
    }

    /// What a printer gets, as a PDF file, on paper of this width in centimetres.
    ///
    /// # Errors
    /// When Firefox cannot print it.
    pub fn print(&self, width: f64) -> Result<Vec<u8>> {
        let paper = json!({"width": width, "height": 29.7});
        let margin = json!({"left": 0.4, "right": 0.4, "top": 0.5, "bottom": 0.5});
        let printed =
            self.send("browsingContext.print", json!({"page": paper, "margin": margin, "shrinkToFit": false}))?;
        Ok(BASE64.decode(printed["data"].as_str().unwrap_or_default().as_bytes())?)
    }

    /// Forgets the size that was set, the keys that are held and where the mouse is.
    ///
    /// # Errors
    /// When the page is gone.
    pub(crate) fn forget_input(&self) -> Result {
        self.send("browsingContext.setViewport", json!({"viewport": null}))?;
        self.send("input.releaseActions", json!({})).map(|_| ())
    }

    /// Sets the size of what is seen, in CSS pixels.
    ///
    /// # Errors
    /// When the page is gone.
    pub fn set_viewport(&self, width: u32, height: u32) -> Result {
        self.send("browsingContext.setViewport", json!({"viewport": {"width": width, "height": height}})).map(|_| ())
    }
}
