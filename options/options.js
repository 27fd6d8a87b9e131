import { openPractice, openWindow } from "../popup/open.js";
import init, { start_options } from "../pkg/koct_extension.js";

for (const [id, open] of [["back-to-desk", openWindow], ["to-practice", openPractice]]) {
  document.getElementById(id).addEventListener("click", (event) => {
    event.preventDefault();
    open();
  });
}
await init();
await start_options();
