// Parts of parts lie in one file for each part: to ask Firefox for a file takes the page 0.7 ms, and a part has up to forty pieces.
const packs = new Map();
// Whoever waits for a part cannot go on without it, so a file that could not be read is asked for again. In a page that goes away
// while it is read nothing follows.
const read = async (name) => {
    for (;;) {
        try {
            return await (await fetch(new URL(name, import.meta.url))).arrayBuffer();
        } catch {
            await new Promise((done) => setTimeout(done, 1000));
        }
    }
};
const load = (name) => {
    const pack = { bytes: read(name), waiting: 0 };
    packs.set(name, pack);
    return pack;
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
        if (pack.waiting === 0 && packs.get(name) === pack) {
            packs.delete(name);
        }
    }
};
/** Begins to read this part's file, before the part is asked for. */
export const prefetch = (part) => void load(`./${part}.parts`);
