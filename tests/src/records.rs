//! The records for look-up, as they lie in the browser's database.

/// A script for a page of the add-on: as if they had been downloaded this number of days earlier than they were. It ends when that is
/// written: before, it is forgotten where Firefox is ended.
pub fn aged(days: f64) -> String {
    format!(
        "(async () => {{ const base = await new Promise(done => {{ const o = indexedDB.open('koct-directory'); o.onsuccess = () => done(o.result); }}); \
         const change = base.transaction('state', 'readwrite'), store = change.objectStore('state'); \
         const contents = JSON.parse(await new Promise(done => {{ const r = store.get('contents'); r.onsuccess = () => done(r.result); }})); \
         for (const held of Object.values(contents.sets)) held.asOf -= {days} * 86400000; \
         store.put(JSON.stringify(contents), 'contents'); \
         await new Promise((done, fail) => {{ [change.oncomplete, change.onabort] = [done, fail]; }}); base.close(); }})()"
    )
}

/// A script for a page of the add-on: as if each block were damaged on the disk. What a page has read before it keeps.
pub const DAMAGED: &str = "(async () => { const base = await new Promise(done => { const o = indexedDB.open('koct-directory'); o.onsuccess = () => done(o.result); }); \
    const change = base.transaction('blocks', 'readwrite'), store = change.objectStore('blocks'); let number = 0; \
    const reading = store.openCursor(); reading.onsuccess = () => { const at = reading.result; \
        if (at) { at.value[at.value.length - 1] ^= 1; at.update(at.value); number++; at.continue(); } }; \
    await new Promise((done, fail) => { [change.oncomplete, change.onabort] = [done, fail]; }); base.close(); return number; })()";
