//! Practice: a window of its own with made-up records, for training staff without touching Koha.
//!
//! What a library has set of codes, kinds, limits and sounds holds there too, so that the training is true; which server, and as whom,
//! is not known there at all ([`settings`]). The records are [`made_up`], and what is sent is answered by a made-up [`koha`], so that
//! also what comes after an outage can be trained.

pub mod koha;
pub mod made_up;
pub mod settings;
