import { openWindow } from "../popup/open.js";
import init, { start_ready } from "../pkg/koct_extension.js";

document.getElementById("ready-settings").addEventListener("click", () => browser.runtime.openOptionsPage());
document.getElementById("ready-window").addEventListener("click", () => openWindow());
await init();
await start_ready();
