// Opens KOCT's window, or brings it to the front. Without the core, so that the window is not kept waiting for it.
const WIDTH = 1060;
const HEIGHT = 780;

// The window's number is kept while Firefox runs.
const show = async () => {
  const { windowId } = await browser.storage.session.get("windowId");
  if (windowId !== undefined) {
    try {
      return await browser.windows.update(windowId, { focused: true });
    } catch {
      // The window is closed.
    }
  }
  const url = browser.runtime.getURL("popup/popup.html");
  const { id } = await browser.windows.create({ url, type: "popup", width: WIDTH, height: HEIGHT });
  await browser.storage.session.set({ windowId: id });
};

let opening;

// Asked again while the window is being opened, it opens no other.
export const openWindow = () => {
  opening ??= show().finally(() => (opening = undefined));
  return opening;
};
