// The event page: the listener must stand before the core is loaded, or Firefox forgets the click that woke it.
import init, { toolbar_clicked } from "../pkg/koct_extension.js";

const ready = init();
browser.action.onClicked.addListener(async () => {
  await ready;
  await toolbar_clicked();
});
