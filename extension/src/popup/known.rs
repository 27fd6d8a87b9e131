//! What is known of patrons and items.

pub(crate) mod found;
pub(crate) mod labels;
pub(crate) mod lookup;
pub(crate) mod patron;
pub(crate) mod queue;
pub(crate) mod records;
pub(crate) mod returned;
pub(crate) mod suggest;
pub(crate) mod warnings;
