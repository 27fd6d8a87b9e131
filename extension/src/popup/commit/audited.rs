//! What is not as it should be in Koha, in words for the person who looks after it.

use crate::{i18n::text_with, locale, store::Store, wording};
use koct_core::{Entry, log::audited::Odd};

/// The first of these, a line each, and how many there are besides.
pub(crate) async fn lines(store: &Store, odd: &[Odd], most: usize) -> Vec<String> {
    if odd.is_empty() {
        return Vec::new();
    }
    let ids: Vec<_> = odd.iter().take(most).map(|odd| odd.id).collect();
    // One that was cleared since, or cannot be read, is told by its number.
    let entries: Vec<Entry> = store.get(&ids).await.unwrap_or_default();
    let line = |odd: &Odd| wording::oddity(odd, entries.iter().find(|entry| entry.id == odd.id));
    let mut lines: Vec<String> = odd.iter().take(most).map(line).collect();
    if odd.len() > most {
        lines.push(text_with("auditMore", &[&locale::number(odd.len() - most)]));
    }
    lines
}
