// The event page: the listeners must stand before the core is loaded, or Firefox forgets the event that woke it.
import init, { background_woken, toolbar_clicked } from "../pkg/koct_extension.js";

const ready = init();
browser.action.onClicked.addListener(async () => {
  await ready;
  await toolbar_clicked();
});
// So that Firefox loads this page when it starts, and the badge shows what an earlier day has left.
browser.runtime.onStartup.addListener(() => {});
await ready;
await background_woken();
