// Opens KOCT's window, or that of practice, or brings it to the front. Without the core, so that the window is not kept waiting for it.
const WIDTH = 1060;
const HEIGHT = 780;

// The window's number is kept under this key while Firefox runs.
const show = async (page, key) => {
  const { [key]: windowId } = await browser.storage.session.get(key);
  if (windowId !== undefined) {
    try {
      return await browser.windows.update(windowId, { focused: true });
    } catch {
      // The window is closed.
    }
  }
  const url = browser.runtime.getURL(page);
  const { id } = await browser.windows.create({ url, type: "popup", width: WIDTH, height: HEIGHT });
  await browser.storage.session.set({ [key]: id });
};

// Asked again while a window is being opened, it opens no other.
const opener = (page, key) => {
  let opening;
  return () => {
    opening ??= show(page, key).finally(() => (opening = undefined));
    return opening;
  };
};
export const openWindow = opener("popup/popup.html", "windowId");
export const openPractice = opener("popup/practice.html", "practiceId");
