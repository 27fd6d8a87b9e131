//! Where pages come from.

/// Where the file lies.
pub trait Source {
    /// How many bytes it has.
    fn size(&self) -> u64;

    /// Fills the buffer with what stands from there on. Called only within the size.
    fn read(&self, at: u64, into: &mut [u8]);
}

impl Source for Vec<u8> {
    fn size(&self) -> u64 {
        u64::try_from(self.len()).unwrap_or(u64::MAX)
    }

    fn read(&self, at: u64, into: &mut [u8]) {
        let from = usize::try_from(at).ok().and_then(|at| self.get(at..at.checked_add(into.len())?));
        if let Some(from) = from {
            into.copy_from_slice(from);
        }
    }
}
