import { openWindow } from "../popup/open.js";
import init, { start_options } from "../pkg/koct_extension.js";

document.getElementById("back-to-desk").addEventListener("click", (event) => {
  event.preventDefault();
  openWindow();
});
await init();
await start_options();
