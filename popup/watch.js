// Sees pages of Koha fail in tabs, and come again. What that means is told by core (core/src/koha/outage.rs). Firefox tells of the
// servers that KOCT may ask, which is that of the settings alone, and wakes the event page for that. Nothing of a page is read, held
// up or changed; KOCT's own requests are no pages.
import { core } from "./core.js";
import { openWindow } from "./open.js";

const PAGES = { urls: ["https://*/*", "http://*/*"], types: ["main_frame"] };
// A page is waited for in steps: Firefox ends an event page that asks it for nothing for half a minute.
const STEP = 10_000;
const STEPS = 3;

// One after the other: each changes what the next one finds.
let telling = Promise.resolve();

// Most pages come while nothing is amiss: for those, the core is not even loaded.
const isNews = (load, outage) =>
  outage || load.said || load.waited || load.error || load.statusCode >= 500 || /\/(?:installer|maintenance)\b/u.test(load.url);

const tell = (load) => {
  telling = telling.then(async () => {
    const { outage } = await browser.storage.session.get("outage");
    if (isNews(load, outage)) {
      await (await core()).koha_seen(load);
    }
  }).catch(console.error);
};

const waiting = new Map();

const stopWaiting = ({ requestId }) => {
  clearTimeout(waiting.get(requestId));
  waiting.delete(requestId);
};

const wait = ({ requestId, url }, step = 0) => {
  stopWaiting({ requestId });
  if (step === STEPS) {
    tell({ requestId, url, timeStamp: Date.now(), waited: STEPS * STEP });
    return;
  }
  waiting.set(requestId, setTimeout(() => wait({ requestId, url }, step + 1), STEP));
  if (step > 0) {
    browser.storage.session.get("outage");
  }
};

const { onBeforeRequest, onBeforeRedirect, onHeadersReceived, onCompleted, onErrorOccurred } = browser.webRequest;
onBeforeRequest.addListener((load) => wait(load), PAGES);
onBeforeRedirect.addListener(stopWaiting, PAGES);
// Also where a web server asks for a name and a password first: then Firefox waits for a person.
onHeadersReceived.addListener(stopWaiting, PAGES);
for (const event of [onCompleted, onErrorOccurred]) {
  event.addListener((load) => {
    stopWaiting(load);
    tell(load);
  }, PAGES);
}

// What a person says in the window, and what the window has seen.
browser.runtime.onMessage.addListener(({ said }) => {
  if (said) {
    tell({ said });
  }
});

const clicked = (id) => {
  browser.notifications.clear(id);
  openWindow();
};
// Not there before a person allows it.
const hear = () => browser.notifications?.onClicked.addListener(clicked);
hear();
browser.permissions.onAdded.addListener(hear);
