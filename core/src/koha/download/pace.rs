//! How fast a download goes on that nobody waits for.

use std::time::Duration;

/// The least time between an answer and the next request.
pub const LEAST_PAUSE: Duration = Duration::from_secs(2);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_mins(2);

/// For how long nothing is asked after an answer that took this time: a server that is slow gets twice as long a rest as it
/// worked, so that such a download never takes more than a third of what one of its processes can do.
pub fn pause_after(took: Duration) -> Duration {
    (took * 2).clamp(LEAST_PAUSE, LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_server_rests_longer() {
        let pauses = [0, 1, 2, 5, 60, 3_600].map(|seconds| pause_after(Duration::from_secs(seconds)).as_secs());
        assert_eq!(pauses, [2, 2, 4, 10, 120, 120]);
    }
}
