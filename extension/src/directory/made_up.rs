//! The records of practice: made up, in a database of their own.

use super::{
    Records,
    cipher::{self, Cipher},
    disk::{self, Base, Disk, DiskError},
};
use crate::{clock, later::part, practice};
use koct_core::directory::{Contents, Directory, write::CONTENTS};
use std::rc::Rc;

/// They are written as records are, and nothing in them is secret.
const KEY: [u8; cipher::KEY] = [0; cipher::KEY];

part! {
    practice,
    /// The records of practice, made where there are none yet. `None` where the computer's clock is out of all bounds.
    pub(super) async fn records(base: Base) -> Result<Option<Rc<Records>>, DiskError> {
        let disk = Disk::new(base.clone(), Cipher::new(&KEY).await?);
        if let Some(contents) = base.state::<Contents>(CONTENTS).await? {
            return Ok(Some(Rc::new(Directory::new(disk, contents))));
        }
        let Some(library) = practice::library().await else { return Ok(None) };
        let contents = library.write(&disk, clock::time()).await?;
        base.set_state(CONTENTS, &contents).await?;
        Ok(Some(Rc::new(Directory::new(disk, contents))))
    }
}

/// Forgets them.
///
/// # Errors
/// When they cannot be deleted.
pub(crate) async fn empty() -> Result<(), DiskError> {
    Base::open(&disk::database()).await?.clear().await
}
