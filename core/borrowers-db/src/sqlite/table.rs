//! A table and its columns.

use super::create::{Column, Kind};

/// A table, as `CREATE TABLE` has defined it.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    pub(super) columns: Vec<Column>,
    /// The page on which its rows begin.
    pub(super) root: u32,
}

impl Table {
    /// The names of its columns, in their order.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    /// The place of this column, in whatever case it is written. `None` where there is none, or its values are computed and
    /// not stored.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name) && column.kind != Kind::Computed)
    }
}
