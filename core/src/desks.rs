//! What several desks recorded: their files and backups, brought into one order and looked through before a commit.

pub mod backup;
pub mod cleared;
pub mod conflict;
pub mod copy;
pub mod damage;
pub mod export;
pub mod import;
pub mod koc;
pub mod list;
pub mod shift;
