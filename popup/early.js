// Keys and clicks that come before the core is there are kept, in their order, and given to it: extension/src/popup/window/early.rs.
// The core is compiled from the first moment on, while the page is read.
const early = {
  module: WebAssembly.compileStreaming(fetch("../pkg/koct_extension_bg.wasm")),
  keys: [],
  clicks: [],
};

const keepKey = (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  early.keys.push(event);
};
const keepClick = (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  early.clicks.push(button);
};
early.takeKeys = () => {
  removeEventListener("keydown", keepKey, true);
  return early.keys;
};
early.takeClicks = () => {
  removeEventListener("click", keepClick, true);
  return early.clicks;
};
addEventListener("keydown", keepKey, true);
addEventListener("click", keepClick, true);
