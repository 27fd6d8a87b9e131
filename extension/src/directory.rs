//! What this desk knows of patrons, items, loans and holds: where it lies, who may read it, and how it gets there.

pub mod borrowers;
mod cipher;
mod disk;
mod download;
mod import;
mod key;
mod made_up;
pub(crate) mod refresh;

pub use disk::{Disk, DiskError};
pub(crate) use download::{Manner, RecordsError, Watcher};
pub(crate) use koct_core::directory::access::Access;
pub(crate) use made_up::empty;

use crate::{clock, dom, ground, lock};
use disk::Base;
use key::Found;
use koct_core::{
    directory::{
        Contents, Directory,
        access::{self, Stays},
        record::Set,
        write::{CONTENTS, DOWNLOAD, Write},
    },
    koha::download::Progress,
    settings::{form::ServerUrl, records::RecordsSettings},
};
use serde::{Deserialize, Serialize};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BroadcastChannel, MessageEvent};

/// The records, ready to be looked up.
pub type Records = Directory<Disk>;

/// Where windows tell each other that the records have changed.
const CHANNEL: &str = "koct-records";

/// What pages tell each other of the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Told {
    /// They have changed.
    Changed,
    /// The event page reads a set: how many rows it has, and how many are to come.
    Reading(Set, u32, Option<u32>),
    /// It makes a set ready.
    Preparing(Set),
    /// It is done.
    Over,
    /// It shall stop.
    Stop,
}

/// The records of this desk.
#[derive(Debug)]
pub(crate) struct Known {
    channel: BroadcastChannel,
    base: RefCell<Option<Base>>,
    open: RefCell<Option<Rc<Records>>>,
    contents: RefCell<Contents>,
    access: Cell<Access>,
    is_protected: Cell<bool>,
}

impl Known {
    /// # Errors
    /// When Firefox has no channel.
    pub(crate) fn new() -> Result<Self, JsValue> {
        Ok(Self {
            channel: ground::channel(CHANNEL)?,
            base: RefCell::default(),
            open: RefCell::default(),
            contents: RefCell::default(),
            access: Cell::default(),
            is_protected: Cell::default(),
        })
    }

    /// Calls `handler` with what other pages tell.
    pub(crate) fn on_told(&self, handler: impl Fn(Told) + 'static) {
        dom::on::<MessageEvent>(self.channel.unchecked_ref(), "message", move |event: MessageEvent| {
            let told = event.data().as_string().and_then(|json| serde_json::from_str(&json).ok());
            if let Some(told) = told {
                handler(told);
            }
        });
    }

    /// Tells it to all other pages.
    pub(crate) fn tell(&self, told: &Told) {
        if let Ok(json) = serde_json::to_string(told) {
            let _ = self.channel.post_message(&json.into());
        }
    }

    /// Tells the other windows that the records have changed.
    fn tell_others(&self) {
        self.tell(&Told::Changed);
    }

    /// Whether a download was broken off.
    pub(crate) async fn is_unfinished(&self) -> bool {
        let Some(base) = self.base.borrow().clone() else { return false };
        base.state::<Progress>(DOWNLOAD).await.is_ok_and(|progress| progress.is_some())
    }

    /// The records; `None` where they are not wanted, not there or locked.
    pub(crate) fn get(&self) -> Option<Rc<Records>> {
        self.open.borrow().clone()
    }

    /// Whether records can be looked up.
    pub(crate) fn access(&self) -> Access {
        self.access.get()
    }

    /// What there is, counted and dated; also where it is locked.
    pub(crate) fn contents(&self) -> Contents {
        self.contents.borrow().clone()
    }

    async fn base(&self) -> Result<Base, DiskError> {
        if let Some(base) = &*self.base.borrow() {
            return Ok(base.clone());
        }
        let base = Base::open(&disk::database()).await?;
        self.base.replace(Some(base.clone()));
        Ok(base)
    }

    /// Looks anew at what is there. Records that nobody wants, that are too old, or whose key is gone, are deleted.
    ///
    /// # Errors
    /// When they cannot be read or deleted.
    pub(crate) async fn reload(
        &self,
        wanted: &RecordsSettings,
        server: Option<&ServerUrl>,
    ) -> Result<Access, DiskError> {
        let looked = self.look(wanted, server).await;
        if !matches!(looked, Ok(Access::Open)) {
            self.open.replace(None);
        }
        self.access.set(match &looked {
            Ok(access) => *access,
            // Whoever downloads deletes them.
            Err(DiskError::Busy) => Access::Empty,
            // What cannot be read is not nothing.
            Err(_) => Access::Unreadable,
        });
        looked
    }

    async fn look(&self, wanted: &RecordsSettings, server: Option<&ServerUrl>) -> Result<Access, DiskError> {
        if ground::is_practice() {
            let Some(made_up) = made_up::records(self.base().await?).await? else { return Ok(Access::Off) };
            self.contents.replace(made_up.contents().clone());
            self.open.replace(Some(made_up));
            return Ok(Access::Open);
        }
        // Where nobody ever wanted records, no database is made.
        if !wanted.enabled && !Base::exists(&disk::database()).await? {
            return Ok(Access::Off);
        }
        let base = self.base().await?;
        let contents: Contents = base.state(CONTENTS).await?.unwrap_or_default();
        self.contents.replace(contents.clone());
        key::keep(&base, wanted.key_kept).await?;
        self.is_protected.set(key::has_passphrase(&base).await?);
        let key = key::find(&base, wanted.key_kept).await?;
        let begun = base.state::<Progress>(DOWNLOAD).await?.map(|progress| progress.began());
        let (access, stays) = access::access(wanted, &contents, begun, key.state(), server, clock::time());
        let contents = match stays {
            Stays::All => contents,
            Stays::Only(mut kept) => {
                // Whoever downloads deletes it, too.
                if let Some(_lock) = lock::lock_of(download::LOCK).await {
                    let now: Contents = base.state(CONTENTS).await?.unwrap_or_default();
                    if now == contents {
                        let progress: Option<Progress> = base.state(DOWNLOAD).await?;
                        let runs = kept.runs().chain(progress.iter().flat_map(Progress::runs)).collect::<Vec<_>>();
                        let Write { states, only_runs, .. } = Write::default().state(CONTENTS, &kept).only(runs);
                        base.apply(Vec::new(), states, only_runs).await?;
                    } else {
                        // A download has ended meanwhile, and has deleted it.
                        kept = now;
                    }
                }
                self.contents.replace(kept.clone());
                kept
            }
            Stays::Nothing => {
                // Windows tell each other what they delete: where there is nothing, nothing is told.
                if !base.is_empty().await? {
                    self.delete().await?;
                }
                Contents::default()
            }
        };
        if let (Access::Open, Found::Open(cipher)) = (access, key)
            && !self.open.borrow().as_ref().is_some_and(|open| *open.contents() == contents)
        {
            self.open.replace(Some(Rc::new(Directory::new(Disk::new(base, cipher), contents))));
        }
        Ok(access)
    }

    /// A download has replaced some of what is there, and deleted what was there before: it is looked up from now on.
    fn changed(&self, disk: &Disk, contents: &Contents) {
        if self.contents.replace(contents.clone()) == *contents {
            return;
        }
        if let Some(open) = &mut *self.open.borrow_mut() {
            *open = Rc::new(Directory::new(disk.clone(), contents.clone()));
        }
        self.tell_others();
    }

    /// Opens with a passphrase. Returns whether it is the right one.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub(crate) async fn unlock(&self, passphrase: &str) -> Result<bool, DiskError> {
        let is_open = key::unlock(&self.base().await?, passphrase).await?.is_some();
        if is_open {
            self.tell_others();
            refresh::unlocked();
        }
        Ok(is_open)
    }

    /// Whether a passphrase opens the records, as far as was looked.
    pub(crate) fn is_protected(&self) -> bool {
        self.is_protected.get()
    }

    /// From now on this passphrase opens the records, or none does and they end with the session of Firefox.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub(crate) async fn set_passphrase(&self, passphrase: Option<&str>) -> Result<(), DiskError> {
        key::set_passphrase(&self.base().await?, passphrase).await
    }

    /// Deletes all records, and the key with them.
    ///
    /// # Errors
    /// When they cannot be deleted; without the key, nobody can read them even so.
    pub(crate) async fn delete(&self) -> Result<(), DiskError> {
        let _lock = lock::lock_of(download::LOCK).await.ok_or(DiskError::Busy)?;
        self.open.replace(None);
        self.access.set(Access::Empty);
        self.contents.replace(Contents::default());
        key::forget().await?;
        self.base().await?.clear().await?;
        self.tell_others();
        Ok(())
    }
}
