// Parts of parts lie in one file for each part: to ask Firefox for a file takes the page 0.7 ms, and a part has up to forty pieces.
const packs = new Map();
const load = (name) => {
    const bytes = fetch(new URL(name, import.meta.url)).then((file) => file.arrayBuffer());
    const pack = { bytes, waiting: 0 };
    packs.set(name, pack);
    // It is asked for anew where it could not be loaded.
    bytes.catch(() => forget(name, pack));
    return pack;
};
const forget = (name, pack) => {
    if (packs.get(name) === pack) {
        packs.delete(name);
    }
};
// All pieces are compiled at once: who needs one waits for others before it is instantiated.
const piece = async (name, start, length) => {
    const pack = packs.get(name) ?? load(name);
    pack.waiting += 1;
    try {
        return await WebAssembly.compile(new Uint8Array(await pack.bytes, start, length));
    } finally {
        pack.waiting -= 1;
        // Nothing is kept of what has been used.
        if (pack.waiting === 0) {
            forget(name, pack);
        }
    }
};
/** Begins to read this part's file, before the part is asked for. */
export const prefetch = (part) => void load(`./${part}.parts`);
