//! Ways to get it wrong. The simulation must catch each: a simulation that finds nothing proves nothing.

/// What is wrong with the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// Nothing: KOCT as it is.
    None,
    /// A status is stored only after the next request has left.
    PersistsLater,
    /// What was being sent when KOCT was closed is taken for unsent.
    ForgetsAtRestart,
    /// A lost answer is taken for a proof that nothing was sent.
    TakesLossForNo,
    /// A request sometimes reaches Koha twice, as Firefox does it on a reused connection.
    SendsTwice,
}

/// All that are wrong.
pub(crate) const MUTANTS: [Mutant; 4] =
    [Mutant::PersistsLater, Mutant::ForgetsAtRestart, Mutant::TakesLossForNo, Mutant::SendsTwice];
