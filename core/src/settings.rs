//! What a library and a person have chosen: as typed, checked, and preset by policy.
//!
//! A setting is a field of [`form::Form`], [`desk::DeskSettings`] or [`records::RecordsSettings`], a row of [`table`] and an
//! element of the settings page; what is checked, preset, stored and shown follows from the row.

/// A struct whose fields say what holds until somebody sets them: `pub name: Type = value`.
macro_rules! with_defaults {
    ($(#[$meta:meta])* pub struct $name:ident {
        $($(#[$field_meta:meta])* pub $field:ident: $type:ty = $default:expr,)*
    }) => {
        $(#[$meta])*
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }
    };
}

pub mod asker;
pub mod desk;
pub mod fold;
pub mod form;
pub mod guide;
pub mod key_kept;
pub mod other_server;
pub mod passphrase;
pub mod policy;
pub mod quiet_hours;
pub mod records;
pub mod stored;
pub mod table;
