//! The directory's store, in a real Firefox.

use koct_core::directory::{
    self, Contents, Directory, RowWriter, Unfinished,
    block_store::{BlockId, BlockStore},
    record::{Patron, Set},
};
use koct_extension::directory::{Disk, DiskError};
use wasm_bindgen_test::wasm_bindgen_test;

const KEY: [u8; 32] = [7; 32];

fn name() -> String {
    format!("test-directory-{}", js_sys::Math::random())
}

async fn write(disk: &Disk, run: u32, number: u32) -> Contents {
    let mut writer = RowWriter::resume(Unfinished::new(run));
    for id in 1..=number {
        let (cardnumber, surname) = (format!("2{id:06}"), format!("Surname{id}"));
        writer.push(&Patron { id, cardnumber, surname, ..Patron::default() }).unwrap();
    }
    let (blocks, written) = writer.take(true);
    disk.write(blocks).await.unwrap();
    let held =
        directory::finish::<Patron, _>(disk, written, koct_core::desk::clock::DeskTime::from_millis(1)).await.unwrap();
    Contents { next_run: run, sets: [(Set::Patrons, held)].into_iter().collect(), ..Contents::default() }
}

#[wasm_bindgen_test]
async fn what_is_written_is_found_after_opening_again() {
    let name = name();
    let contents = write(&Disk::open(&name, &KEY).await.unwrap(), 3, 5_000).await;
    let directory = Directory::new(Disk::open(&name, &KEY).await.unwrap(), contents);
    let patron = directory.patron_by_code("2004711").await.unwrap().unwrap();
    assert_eq!((patron.id, patron.surname.as_str()), (4711, "Surname4711"));
    assert_eq!(directory.search("surname4711", 3).await.unwrap().patrons, [patron]);
    assert!(directory.patron_by_code("2005001").await.unwrap().is_none());
}

#[wasm_bindgen_test]
async fn another_key_reads_nothing() {
    let name = name();
    let contents = write(&Disk::open(&name, &KEY).await.unwrap(), 1, 10).await;
    let directory = Directory::new(Disk::open(&name, &[8; 32]).await.unwrap(), contents);
    assert!(matches!(directory.patron_by_code("2000001").await, Err(DiskError::DamagedBlockError(_))));
}

#[wasm_bindgen_test]
async fn what_lies_in_the_database_cannot_be_read() {
    let name = name();
    let disk = Disk::open(&name, &KEY).await.unwrap();
    let place = BlockId { run: 1, part: 0, block: 0 };
    disk.write(vec![(place, b"Surname of a patron".to_vec())]).await.unwrap();
    let stored = raw(&name).await;
    assert!(!stored.windows(7).any(|bytes| bytes == b"Surname"), "{stored:?}");
    assert_eq!(disk.read(place).await.unwrap().as_deref(), Some(&b"Surname of a patron"[..]));
    // The same again is another text.
    disk.write(vec![(place, b"Surname of a patron".to_vec())]).await.unwrap();
    assert_ne!(raw(&name).await, stored);
}

#[wasm_bindgen_test]
async fn a_block_in_the_place_of_another_is_noticed() {
    let name = name();
    let disk = Disk::open(&name, &KEY).await.unwrap();
    let place = |run| BlockId { run, part: 0, block: 0 };
    disk.write(vec![(place(1), vec![1; 100])]).await.unwrap();
    let stored = raw(&name).await;
    put_raw(&name, 2.0 * 4_294_967_296.0, &stored).await;
    assert!(matches!(disk.read(place(2)).await, Err(DiskError::DamagedBlockError(damaged)) if damaged.0 == place(2)));
    assert!(disk.read(place(3)).await.unwrap().is_none());
}

use indexed_db_futures::{
    Build, BuildPrimitive, database::Database, query_source::QuerySource, transaction::TransactionMode,
};
use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};

/// The bytes of the first block, as they lie there.
async fn raw(name: &str) -> Vec<u8> {
    let database = Database::open(name).await.unwrap();
    let reading = database.transaction("blocks").build().unwrap();
    let blocks = reading.object_store("blocks").unwrap();
    let mut all = blocks.get_all::<JsValue>().primitive().unwrap().await.unwrap();
    all.next().unwrap().unwrap().unchecked_into::<Uint8Array>().to_vec()
}

async fn put_raw(name: &str, key: f64, bytes: &[u8]) {
    let database = Database::open(name).await.unwrap();
    let writing = database.transaction("blocks").with_mode(TransactionMode::Readwrite).build().unwrap();
    let blocks = writing.object_store("blocks").unwrap();
    blocks.put(JsValue::from(Uint8Array::from(bytes))).with_key(key).primitive().unwrap().await.unwrap();
    writing.commit().await.unwrap();
}
