//! For which patrons it matters what Koha reports as no change of theirs: those with loans, debts or restrictions.

use super::{
    Contents,
    block_store::BlockStore,
    record::{Loan, Patron, Record, Restriction},
    run,
};

/// The number of patrons asked for at once: as many as fit into an address that every web server takes.
pub const AT_ONCE: usize = 200;
/// The number of requests in one download, at most.
pub const MOST_REQUESTS: usize = 50;

/// Those who are asked for in one download.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Round {
    /// Their numbers, in rising order.
    pub ids: Vec<u32>,
    /// Where there are more: the last of these, after whom the next round begins.
    pub up_to: Option<u32>,
}

/// The patrons of a round: those for whom it matters whose numbers come after this one, as many as may be asked for.
///
/// # Errors
/// When the records cannot be read.
pub async fn round<S: BlockStore>(store: &S, contents: &Contents, after: u32) -> Result<Round, S::Error> {
    let mut ids = Vec::new();
    each::<Patron, S>(store, contents, |patron| {
        if patron.owes.is_some_and(|owes| owes > 0) || patron.restricted == Some(true) {
            ids.push(patron.id);
        }
    })
    .await?;
    each::<Loan, S>(store, contents, |loan| {
        ids.push(loan.patron);
    })
    .await?;
    each::<Restriction, S>(store, contents, |restriction| {
        ids.push(restriction.patron);
    })
    .await?;
    // A loan of a file, or one whose patron Koha does not name, is nobody's.
    ids.retain(|id| *id > after);
    ids.sort_unstable();
    ids.dedup();
    let most = AT_ONCE * MOST_REQUESTS;
    let goes_on = ids.len() > most;
    ids.truncate(most);
    let up_to = ids.last().copied().filter(|_| goes_on);
    Ok(Round { ids, up_to })
}

async fn each<R: Record, S: BlockStore>(store: &S, contents: &Contents, see: impl FnMut(&R)) -> Result<(), S::Error> {
    match contents.sets.get(&R::SET) {
        Some(held) => run::each(store, (held.run, held.blocks), see).await,
        None => Ok(()),
    }
}
