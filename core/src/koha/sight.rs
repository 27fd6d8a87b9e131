//! What the desk sees of Koha from afar: whether it is there, since when it is missed, and that it is back. The window looks by
//! itself; what pages in tabs have shown ([`Outage`]) comes to that.

use super::outage::Outage;
use crate::desk::clock::DeskTime;

/// How Koha stands, as far as was looked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sight {
    /// Nobody has looked, or may.
    #[default]
    Unknown,
    /// It is there, as ever.
    Up,
    /// It was missed, and is there again.
    Back,
    /// It does not answer.
    Down {
        /// Since when, as far as this window knows.
        since: DeskTime,
    },
}

impl Sight {
    /// After another look: `None` where nobody may.
    #[must_use]
    pub fn after(self, is_there: Option<bool>, now: DeskTime) -> Self {
        match (self, is_there) {
            (_, None) => Self::Unknown,
            (Self::Down { since }, Some(false)) => Self::Down { since },
            (_, Some(false)) => Self::Down { since: now },
            (Self::Down { .. } | Self::Back, Some(true)) => Self::Back,
            (Self::Unknown | Self::Up, Some(true)) => Self::Up,
        }
    }

    /// After pages in tabs have shown this of it, or a person has said so.
    #[must_use]
    pub fn knowing(self, outage: &Outage) -> Self {
        match outage.since() {
            Some(since) => Self::Down { since },
            None => self,
        }
    }

    /// Once nothing waits any more, that it is back is no news.
    #[must_use]
    pub fn with_nothing_waiting(self) -> Self {
        if self == Self::Back { Self::Up } else { self }
    }

    /// Whether it is there.
    pub fn is_there(self) -> bool {
        matches!(self, Self::Up | Self::Back)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_missed_since_the_first_look_that_found_nothing_and_is_back_until_all_is_sent() {
        let at = DeskTime::from_millis;
        let mut sight = Sight::default();
        let mut look = |is_there, now| {
            sight = sight.after(is_there, at(now));
            sight
        };
        assert_eq!(look(Some(true), 1), Sight::Up);
        assert_eq!(look(Some(false), 2), Sight::Down { since: at(2) });
        assert_eq!(look(Some(false), 3), Sight::Down { since: at(2) });
        assert_eq!(look(Some(true), 4), Sight::Back);
        assert_eq!(look(Some(true), 5), Sight::Back);
        assert_eq!(Sight::Back.with_nothing_waiting(), Sight::Up);
        assert_eq!(look(None, 6), Sight::Unknown);
        assert_eq!(look(Some(false), 7), Sight::Down { since: at(7) });
        assert!(Sight::Back.is_there() && !Sight::Unknown.is_there() && !Sight::Down { since: at(7) }.is_there());
    }
}
