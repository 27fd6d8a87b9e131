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
