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

/// The rests of such a download.
#[derive(Default)]
pub(super) struct Rests {
    /// How long Koha took for its last answer.
    pub(super) took: Duration,
    /// The one before the next request is over.
    is_over: bool,
}

impl Rests {
    /// How long Koha rests before the next request; `None` where it has rested. Before lists are read there is one request after
    /// another, as for anybody who logs in.
    pub(super) fn before_request(&mut self, is_reading: bool) -> Option<Duration> {
        self.is_over = !self.is_over;
        self.is_over.then(|| if is_reading { pause_after(self.took) } else { Duration::ZERO })
    }
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
