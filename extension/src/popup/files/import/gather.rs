//! The files that a person gives: chosen, dropped, in a folder with folders in it, or packed into one by a mail program.

use crate::{
    i18n::{js_error, text},
    wording,
};
use koct_core::{
    desks::import::zip::{self, Member, Packing, ZipError},
    ordered,
};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use web_sys::{DataTransfer, File, HtmlInputElement, ReadableStream, ReadableStreamDefaultReader};

/// How deep folders are looked into: one for each library, and a few more.
const DEPTH: usize = 8;

// What web-sys has not, or has with types that need their own class.
#[wasm_bindgen]
extern "C" {
    /// `FileSystemEntry`: a file or a folder that was dropped.
    #[derive(Clone)]
    pub(super) type DroppedEntry;
    #[wasm_bindgen(method, getter, js_name = isDirectory)]
    fn is_directory(this: &DroppedEntry) -> bool;
    #[wasm_bindgen(method, getter)]
    fn name(this: &DroppedEntry) -> String;
    #[wasm_bindgen(method, js_name = file)]
    fn give_file(this: &DroppedEntry, done: &js_sys::Function, failed: &js_sys::Function);
    #[wasm_bindgen(method, js_name = createReader)]
    fn reader(this: &DroppedEntry) -> FolderReader;

    type FolderReader;
    #[wasm_bindgen(method, js_name = readEntries)]
    fn give_entries(this: &FolderReader, done: &js_sys::Function, failed: &js_sys::Function);

    type DroppedItem;
    #[wasm_bindgen(method, js_name = webkitGetAsEntry)]
    fn entry(this: &DroppedItem) -> Option<DroppedEntry>;
    #[wasm_bindgen(method, js_name = getAsFile)]
    fn file(this: &DroppedItem) -> Option<File>;

    #[wasm_bindgen(method, getter, js_name = items)]
    fn dropped_items(this: &DataTransferItems) -> js_sys::Object;
    type DataTransferItems;

    #[wasm_bindgen(method, getter, js_name = webkitRelativePath)]
    fn relative_path(this: &ChosenFile) -> String;
    type ChosenFile;

    #[wasm_bindgen(js_name = DecompressionStream)]
    type Inflating;
    #[wasm_bindgen(constructor, js_class = DecompressionStream, catch)]
    fn new(format: &str) -> Result<Inflating, JsValue>;

    type Piped;
    #[wasm_bindgen(method, js_name = pipeThrough)]
    fn through(this: &Piped, transform: &Inflating) -> ReadableStream;
}

/// A file, or what stands for one that cannot be read.
pub(super) struct Found {
    pub(super) file: File,
    /// Its folders, as far as they are known, and its name, with slashes between.
    pub(super) path: String,
    /// Why it cannot be read.
    pub(super) problem: Option<String>,
}

impl Found {
    fn new(file: File, path: String) -> Self {
        Self { file, path, problem: None }
    }

    /// The name of the folder in which it is, where that is known.
    pub(super) fn folder(&self) -> Option<&str> {
        let (folders, _) = self.path.rsplit_once('/')?;
        folders.rsplit('/').next().filter(|folder| !folder.is_empty())
    }
}

/// What was dropped. It must be taken while the drop is told of: afterwards the browser gives nothing of it.
pub(super) enum Dropped {
    File(File),
    Folder(DroppedEntry),
}

/// What was dropped, in its order.
pub(super) fn dropped(data: &DataTransfer) -> Vec<Dropped> {
    let items = data.unchecked_ref::<DataTransferItems>().dropped_items();
    let items = js_sys::Array::from(&items);
    let take = |item: JsValue| {
        let item: DroppedItem = item.unchecked_into();
        match item.entry() {
            Some(entry) if entry.is_directory() => Some(Dropped::Folder(entry)),
            _ => item.file().map(Dropped::File),
        }
    };
    items.iter().filter_map(take).collect()
}

/// The files of a choice. They are taken while it is told of: the list is Firefox's, and the next choice may empty it.
pub(super) fn files(input: &HtmlInputElement) -> Vec<File> {
    let list = input.files();
    list.iter().flat_map(|list| (0..list.length()).filter_map(|place| list.get(place))).collect()
}

/// What was chosen, in its order.
pub(super) async fn chosen(files: Vec<File>) -> Vec<Found> {
    let mut found = Vec::new();
    for file in files {
        let path = file.unchecked_ref::<ChosenFile>().relative_path();
        // What stands alone was meant, whatever it is called.
        if path.is_empty() {
            let name = file.name();
            take(Found::new(file, name), &mut found).await;
        } else if !zip::is_hidden(&path) {
            take(Found::new(file, path), &mut found).await;
        }
    }
    found
}

/// The files that were dropped, and those in the folders.
pub(super) async fn all(dropped: Vec<Dropped>) -> Vec<Found> {
    let mut found = Vec::new();
    for dropped in dropped {
        match dropped {
            Dropped::File(file) => {
                let name = file.name();
                take(Found::new(file, name), &mut found).await;
            }
            Dropped::Folder(entry) => walk(entry, &mut found).await,
        }
    }
    found
}

/// Takes the files in a folder, in the order of their names: a browser gives them in any.
async fn walk(folder: DroppedEntry, found: &mut Vec<Found>) {
    let mut open = vec![(folder.name(), folder)];
    while let Some((path, entry)) = open.pop() {
        if zip::is_hidden(&path) {
            continue;
        }
        if entry.is_directory() {
            let mut inner = entries(&entry).await;
            ordered::sort_by_text(&mut inner, DroppedEntry::name);
            if path.split('/').count() < DEPTH {
                open.extend(inner.into_iter().rev().map(|entry| (format!("{path}/{}", entry.name()), entry)));
            }
        } else if let Ok(file) = asked(|done, failed| entry.give_file(done, failed)).await {
            take(Found::new(file.unchecked_into(), path), found).await;
        }
    }
}

/// What is in a folder. A browser gives a hundred at a time.
async fn entries(folder: &DroppedEntry) -> Vec<DroppedEntry> {
    let reader = folder.reader();
    let mut all = Vec::new();
    while let Ok(some) = asked(|done, failed| reader.give_entries(done, failed)).await {
        let some = js_sys::Array::from(&some);
        if some.length() == 0 {
            break;
        }
        all.extend(some.iter().map(JsCast::unchecked_into::<DroppedEntry>));
    }
    all
}

/// What a function gives that tells by one of two callbacks.
async fn asked(ask: impl Fn(&js_sys::Function, &js_sys::Function)) -> Result<JsValue, JsValue> {
    JsFuture::from(js_sys::Promise::new(&mut |done, failed| ask(&done, &failed))).await
}

/// Takes a file, or those that are packed in it.
async fn take(file: Found, found: &mut Vec<Found>) {
    let head = file.file.slice_with_i32_and_i32(0, 4).ok();
    let head = match head {
        Some(head) => JsFuture::from(head.array_buffer()).await.ok(),
        None => None,
    };
    let is_zip = head.is_some_and(|head| zip::looks_like_one(&js_sys::Uint8Array::new(&head).to_vec()));
    if !is_zip {
        return found.push(file);
    }
    match unpack(&file).await {
        Ok(unpacked) => found.extend(unpacked),
        Err(problem) => found.push(Found { problem: Some(problem), ..file }),
    }
}

/// The files that are packed in one.
async fn unpack(packed: &Found) -> Result<Vec<Found>, String> {
    let buffer = JsFuture::from(packed.file.array_buffer()).await.map_err(|_| text("importNotReadable"))?;
    let bytes = js_sys::Uint8Array::new(&buffer).to_vec();
    let mut found = Vec::new();
    for member in zip::members(&bytes).map_err(wording::zip_error)? {
        let plain = match member.packing {
            Packing::Stored => bytes[member.place.clone()].to_vec(),
            Packing::Deflated => inflate(&bytes, &member).await.map_err(|_| wording::zip_error(ZipError::Damaged))?,
        };
        member.check(&plain).map_err(wording::zip_error)?;
        let name = member.path.rsplit('/').next().unwrap_or_default();
        let parts = js_sys::Array::of1(&js_sys::Uint8Array::from(&plain[..]));
        let file = File::new_with_u8_array_sequence(&parts, name).map_err(|error| js_error(&error))?;
        found.push(Found::new(file, member.path));
    }
    Ok(found)
}

/// Unpacks no more than the file is said to have: a small one may be made to become endless.
async fn inflate(bytes: &[u8], member: &Member) -> Result<Vec<u8>, JsValue> {
    let parts = js_sys::Array::of1(&js_sys::Uint8Array::from(&bytes[member.place.clone()]));
    let blob = web_sys::Blob::new_with_u8_array_sequence(&parts)?;
    let plain = blob.stream().unchecked_into::<Piped>().through(&Inflating::new("deflate-raw")?);
    let reader: ReadableStreamDefaultReader = plain.get_reader().unchecked_into();
    let (mut read, limit) = (Vec::new(), usize::try_from(member.length).unwrap_or(usize::MAX));
    loop {
        let piece = JsFuture::from(reader.read()).await?;
        let piece = js_sys::Reflect::get(&piece, &"value".into())?;
        let Ok(piece) = piece.dyn_into::<js_sys::Uint8Array>() else { return Ok(read) };
        read.extend(piece.to_vec());
        if read.len() > limit {
            // What becomes of it matters to nobody.
            let _ = JsFuture::from(reader.cancel()).await;
            return Ok(read);
        }
    }
}
