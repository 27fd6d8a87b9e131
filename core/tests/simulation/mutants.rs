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
    /// A request is said to be over when it was given out, however long the computer slept then.
    DatesTooEarly,
    /// What the audit finds is told to nobody.
    TellsOfNoDoubles,
    /// What Koha itself did not answer is given to the plugin, as if that remembered it.
    TakesKohaForPlugin,
    /// The plugin is asked again at once, while it may still be at what it was given.
    AsksPluginAtOnce,
}

/// All that are wrong, and the seed from which on each is looked for: what one run in thousands shows is not waited for.
pub(crate) const MUTANTS: [(Mutant, u64); 8] = [
    (Mutant::PersistsLater, 0),
    (Mutant::ForgetsAtRestart, 0),
    (Mutant::TakesLossForNo, 0),
    (Mutant::SendsTwice, 0),
    (Mutant::DatesTooEarly, 35_800),
    (Mutant::TellsOfNoDoubles, 0),
    (Mutant::TakesKohaForPlugin, 0),
    (Mutant::AsksPluginAtOnce, 4_400),
];
