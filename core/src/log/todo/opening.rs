//! When what is left to do is shown without anybody's asking for it.

/// It is shown after a commit that left work, once, as soon as that is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Opening {
    is_due: bool,
}

impl Opening {
    /// A commit is over. `went_through`: something has become of what was sent, and nothing has ended it early.
    pub fn commit_ended(&mut self, went_through: bool) {
        self.is_due |= went_through;
    }

    /// What is left to do was read anew. Returns whether it is to be shown now: where there is work, and never where somebody
    /// has chosen what they see since the end of the commit.
    pub fn opens(&mut self, is_work_left: bool, has_chosen: bool) -> bool {
        std::mem::take(&mut self.is_due) && is_work_left && !has_chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(went_through: bool) -> Opening {
        let mut opening = Opening::default();
        opening.commit_ended(went_through);
        opening
    }

    #[test]
    fn what_a_commit_left_is_shown_once() {
        let mut opening = ended(true);
        assert!(opening.opens(true, false));
        assert!(!opening.opens(true, false), "it is read anew for other reasons, too");
        assert!(!Opening::default().opens(true, false), "work alone opens nothing");
    }

    #[test]
    fn nothing_opens_where_nothing_is_left_or_nothing_was_sent() {
        assert!(!ended(true).opens(false, false));
        assert!(!ended(false).opens(true, false));
        // One that ended early takes nothing from the one before it, of which nothing was read yet.
        let mut opening = ended(true);
        opening.commit_ended(false);
        assert!(opening.opens(true, false));
    }

    #[test]
    fn whoever_has_chosen_what_they_see_keeps_it() {
        let mut opening = ended(true);
        assert!(!opening.opens(true, true));
        assert!(!opening.opens(true, false), "nor does it open later");
    }
}
