// What need not wait for the core is begun here, before all else in the page; and what a person does before the core is there is
// kept for it, in its order: extension/src/popup/window/early.rs.

// Keys that type something, edit it, end a code or are the window's own.
const KEPT = /^(.|Enter|Tab|Escape|Backspace|Delete|Arrow(?:Left|Right)|Home|End|F(?:[1-46-9]|10))$/u;
// The buttons that work once the desk is ready. All others belong to what is loaded after that.
const BOUND = "#checkout-form button, #checkin-form button, #checkout-pay-open, #checkout-clear-patron, #checkin-aside, #open-menu, "
  + "#message-box button, .attention button, [data-answer], #question button";

// What a person does before the desk is ready, in its order.
const kept = [];
// Clicks on buttons that do not work yet when their turn comes.
const late = [];
let isReady = false;

// The same event, for what is to happen at its time.
const at = (event, copy) => Object.defineProperty(copy, "timeStamp", { value: event.timeStamp });

const early = {
  // Compiled while the page is read.
  module: WebAssembly.compileStreaming(fetch("../pkg/koct_extension_bg.wasm")),
  // Settings and presets. Firefox answers with an error where there are no presets. Practice reads no password, so not all of it.
  stored: Promise.all(document.documentElement.hasAttribute("data-practice")
    ? [{}, null]
    : [browser.storage.local.get(), browser.storage.managed.get().catch(() => null)]),
  // The next of what is kept.
  next: () => kept.shift(),
  press: (key, target) => target.dispatchEvent(at(key, new KeyboardEvent("keydown", key))),
  input: (key, field) => field.dispatchEvent(at(key, new Event("input"))),
  click: (click) => click.target.closest("button")?.dispatchEvent(at(click, new MouseEvent("click", click))),
  // From now on keys take their own way, and so do clicks on what works.
  ready() {
    removeEventListener("keydown", keepKey, true);
    isReady = true;
  },
  // From now on all clicks do. Does those that waited.
  whole() {
    early.ready();
    removeEventListener("click", keepClick, true);
    kept.filter((event) => event.type === "click").concat(late).forEach(early.click);
  },
};

const keep = (event, list) => {
  event.preventDefault();
  event.stopImmediatePropagation();
  list.push(event);
};
const keepKey = (event) => {
  const isKept = KEPT.test(event.key) && !event.ctrlKey && !event.altKey && !event.metaKey && !event.isComposing;
  if (event.isTrusted && isKept) {
    keep(event, kept);
  }
};
// What is not trusted is done by a key or a click that has its turn.
const keepClick = (event) => {
  const button = event.target.closest("button");
  if (button && event.isTrusted && !isReady) {
    keep(event, kept);
  } else if (button && !button.matches(BOUND)) {
    keep(event, late);
  }
};
addEventListener("keydown", keepKey, true);
addEventListener("click", keepClick, true);
