// The event page.
import { openWindow } from "./open.js";

browser.action.onClicked.addListener(() => openWindow());
// So that Firefox loads this page when it starts, and the badge shows what an earlier day has left.
browser.runtime.onStartup.addListener(() => {});
const { default: init, background_woken } = await import("../pkg/koct_extension.js");
await init();
await background_woken();
