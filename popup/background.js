// The event page.
import { core } from "./core.js";
import { openPractice, openWindow } from "./open.js";
import "./watch.js";

let waking;
const wake = () =>
  (waking ??= core()
    .then((module) => module.background_woken())
    .catch((error) => {
      waking = undefined;
      throw error;
    }));

browser.action.onClicked.addListener(() => {
  openWindow();
  wake();
});
browser.runtime.onMessage.addListener(({ practise }) => {
  if (practise) {
    openPractice();
  }
});
// Alarms end with Firefox, and with KOCT where somebody turns it off for a while. When one rings, what is due is the core's; its name
// is extension/src/directory/refresh.rs's too.
const RECORDS = "koct-records";
const lookSoon = () => browser.alarms.create(RECORDS, { delayInMinutes: 1 });
browser.runtime.onStartup.addListener(lookSoon);
browser.runtime.onInstalled.addListener(lookSoon);
// What a window has left of the second copy when it was closed; the name is extension/src/copy.rs's too.
const COPY = "koct-copy";
browser.alarms.onAlarm.addListener(async ({ name }) => {
  try {
    if (name === RECORDS) {
      await (await core()).records_alarm_rang();
    } else if (name === COPY) {
      await (await core()).copy_alarm_rang();
    }
  } catch (error) {
    // An alarm that has rung is gone, and what was due is due still.
    browser.alarms.create(name, { delayInMinutes: 5 });
    throw error;
  }
});
// It may be a while until it is tried again.
browser.permissions.onAdded.addListener(({ permissions }) => {
  if (permissions?.includes("downloads")) {
    browser.alarms.create(COPY, { when: Date.now() });
  }
});
// What was kept until Firefox was closed is there when it starts again: whether it is, the page options/ready.html says.
const begin = () => browser.storage.local.set({ starts: { first: Date.now(), count: 0 } });
browser.runtime.onInstalled.addListener(({ reason }) => reason === "install" && begin());
// Firefox loads this page when it starts; then the badge shows what an earlier day has left, too.
browser.runtime.onStartup.addListener(async () => {
  const { starts } = await browser.storage.local.get("starts");
  await (starts ? browser.storage.local.set({ starts: { ...starts, count: starts.count + 1 } }) : begin());
});
// Once while Firefox runs, and whenever the button is pressed; but not for each page of Koha's that is opened.
const { awake } = await browser.storage.session.get("awake");
if (!awake) {
  if (!(await browser.alarms.get(RECORDS))) {
    lookSoon();
  }
  await wake();
  await browser.storage.session.set({ awake: true });
}
