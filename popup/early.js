// What need not wait for the core is begun here, before all else in the page; and what a person does before the core is there is
// kept for it, in its order: extension/src/popup/window/early.rs.

// Keys that type something, end a code or are the window's own.
const KEPT = /^(.|Enter|Tab|F(?:[1-46-9]|10))$/u;

const early = {
  // Compiled while the page is read.
  module: WebAssembly.compileStreaming(fetch("../pkg/koct_extension_bg.wasm")),
  // Settings and presets. Firefox answers with an error where there are no presets.
  stored: Promise.all([browser.storage.local.get(), browser.storage.managed.get().catch(() => null)]),
  keys: [],
  clicks: [],
  takeKeys() {
    removeEventListener("keydown", keepKey, true);
    return early.keys;
  },
  takeClicks() {
    removeEventListener("click", keepClick, true);
    return early.clicks;
  },
};

const keep = (event) => {
  event.preventDefault();
  event.stopImmediatePropagation();
};
const keepKey = (event) => {
  if (KEPT.test(event.key) && !event.ctrlKey && !event.altKey && !event.metaKey && !event.isComposing) {
    keep(event);
    early.keys.push(event);
  }
};
const keepClick = (event) => {
  const button = event.target.closest("button");
  if (button) {
    keep(event);
    early.clicks.push(button);
  }
};
addEventListener("keydown", keepKey, true);
addEventListener("click", keepClick, true);
