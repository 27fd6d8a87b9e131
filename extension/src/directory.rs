//! What this desk knows of patrons, items, loans and holds: where it lies, who may read it, and how it gets there.

#![allow(dead_code, reason = "the window comes next")]

mod cipher;
mod disk;
mod key;

pub use disk::{Disk, DiskError};

use crate::clock;
use disk::Base;
use key::Found;
use koct_core::directory::{Contents, Directory};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

/// The records, ready to be looked up.
pub type Records = Directory<Disk>;

/// The name under which the contents are kept.
const CONTENTS: &str = "contents";

/// Whether records can be looked up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nobody wants to.
    #[default]
    Off,
    /// There are none.
    Empty,
    /// There are, but the key is gone with the last session of Firefox: they were deleted.
    Lost,
    /// The passphrase is needed first.
    Locked,
    /// They can.
    Open,
}

/// The records of this desk.
#[derive(Debug, Default)]
pub(crate) struct Known {
    base: RefCell<Option<Base>>,
    open: RefCell<Option<Rc<Records>>>,
    access: Cell<Access>,
}

impl Known {
    /// The records; `None` where they are not wanted, not there or locked.
    pub(crate) fn get(&self) -> Option<Rc<Records>> {
        self.open.borrow().clone()
    }

    /// Whether records can be looked up.
    pub(crate) fn access(&self) -> Access {
        self.access.get()
    }

    async fn base(&self) -> Result<Base, DiskError> {
        if let Some(base) = &*self.base.borrow() {
            return Ok(base.clone());
        }
        let base = Base::open(disk::DATABASE).await?;
        self.base.replace(Some(base.clone()));
        Ok(base)
    }

    /// Looks anew at what is there. Records that nobody wants, that are older than so many milliseconds, or whose key is gone,
    /// are deleted.
    ///
    /// # Errors
    /// When they cannot be read or deleted.
    pub(crate) async fn reload(&self, is_wanted: bool, oldest: i64) -> Result<Access, DiskError> {
        let looked = self.look(is_wanted, oldest).await;
        if !matches!(looked, Ok(Access::Open)) {
            self.open.replace(None);
        }
        self.access.set(*looked.as_ref().unwrap_or(&Access::Empty));
        looked
    }

    async fn look(&self, is_wanted: bool, oldest: i64) -> Result<Access, DiskError> {
        if !is_wanted {
            if Base::exists(disk::DATABASE).await? {
                self.delete().await?;
            }
            return Ok(Access::Off);
        }
        let base = self.base().await?;
        let contents: Option<Contents> = base.state(CONTENTS).await?;
        let Some(contents) = contents.filter(|contents| !contents.sets.is_empty()) else { return Ok(Access::Empty) };
        if contents.as_of().is_some_and(|as_of| as_of < clock::millis() - oldest) {
            self.delete().await?;
            return Ok(Access::Empty);
        }
        match key::find(&base).await? {
            Found::Open(cipher) => {
                let is_same = self.open.borrow().as_ref().is_some_and(|open| *open.contents() == contents);
                if !is_same {
                    self.open.replace(Some(Rc::new(Directory::new(Disk::new(base, cipher), contents))));
                }
                Ok(Access::Open)
            }
            Found::Locked => Ok(Access::Locked),
            Found::None => {
                self.delete().await?;
                Ok(Access::Lost)
            }
        }
    }

    /// Opens with a passphrase. Returns whether it is the right one.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub(crate) async fn unlock(&self, passphrase: &str) -> Result<bool, DiskError> {
        Ok(key::unlock(&self.base().await?, passphrase).await?.is_some())
    }

    /// Whether a passphrase opens the records.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub(crate) async fn has_passphrase(&self) -> Result<bool, DiskError> {
        key::has_passphrase(&self.base().await?).await
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
        self.open.replace(None);
        self.access.set(Access::Empty);
        key::forget().await?;
        self.base().await?.clear().await
    }
}
