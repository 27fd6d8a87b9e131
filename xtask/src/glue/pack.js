// Parts of parts lie in one file for each part: to ask Firefox for a file takes the page 0.7 ms, and a part has up to forty pieces.
const packs = new Map();
let waiting = 0;
const load = async (name) => (await fetch(new URL(name, import.meta.url))).arrayBuffer();
const piece = async (name, start, length) => {
    waiting += 1;
    try {
        if (!packs.has(name)) {
            packs.set(name, load(name));
        }
        return new Uint8Array(await packs.get(name), start, length);
    } finally {
        waiting -= 1;
        // Nothing is kept of what is loaded, nor that it could not be.
        if (waiting === 0) {
            packs.clear();
        }
    }
};
