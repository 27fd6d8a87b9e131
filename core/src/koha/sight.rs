//! What the desk sees of Koha from afar: whether it is there, since when it is missed, and that it is back. The window looks by
//! itself, and asks [`Watch`] when; what pages in tabs have shown ([`Outage`]) comes to that.

use super::outage::{News, Outage};
use crate::{desk::clock::DeskTime, settings::form::Settings};
use std::time::Duration;

/// How often Koha is looked for while it is missed or transactions wait, and how often else: seldom enough that many desks
/// together are no load for it.
const EVERY: Duration = Duration::from_secs(30);
const SELDOM: Duration = Duration::from_mins(2);

/// How Koha stands, as far as was looked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Sight {
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
    fn after(self, is_there: Option<bool>, now: DeskTime) -> Self {
        match (self, is_there) {
            (_, None) => Self::Unknown,
            (Self::Down { since }, Some(false)) => Self::Down { since },
            (_, Some(false)) => Self::Down { since: now },
            (Self::Down { .. } | Self::Back, Some(true)) => Self::Back,
            (Self::Unknown | Self::Up, Some(true)) => Self::Up,
        }
    }

    fn is_there(self) -> bool {
        matches!(self, Self::Up | Self::Back)
    }
}

/// What a window knows of Koha from afar, and when it looks for it.
#[derive(Debug, Default)]
pub struct Watch {
    sight: Sight,
    /// What pages in tabs have shown.
    outage: Option<Outage>,
    /// With what Koha was looked for last.
    looked_with: Option<Settings>,
}

/// What comes of what pages in tabs have shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heeded {
    /// Whether Koha is out, where that is another answer than before.
    pub turned: Option<bool>,
    /// What a person is told.
    pub news: Option<News>,
    /// Whether Koha is looked for now.
    pub looks: bool,
}

/// What comes of a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looked {
    /// What a person is told.
    pub news: Option<News>,
    /// Whether the outage ends with this answer: who keeps how it stands is told.
    pub ends_outage: bool,
}

/// The sign that says whether Koha can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReachSign {
    /// Nothing is known.
    Nothing,
    /// It is there.
    There,
    /// It is there again, and something waits for it.
    Back,
    /// It is there and answers badly or late; a person is asked whether to go on without it.
    Badly,
    /// It is out, and yet a page came that may be its own.
    Unclear,
    /// It does not answer.
    Missing {
        /// Since when.
        since: DeskTime,
        /// A person has said so.
        is_said: bool,
    },
}

/// What the window shows of Koha.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reachable {
    /// The sign.
    pub sign: ReachSign,
    /// Sending is what to do next: Koha is there, and something waits.
    pub sends_next: bool,
    /// Koha is out, as pages in tabs have shown or a person says; who may turn that says that it works.
    pub is_out: bool,
    /// A person may say that they go on without Koha, or that it works.
    pub may_turn: bool,
}

impl Watch {
    /// How long until Koha is looked for again, where `waiting` transactions wait for it.
    pub fn looks_again_after(&self, waiting: u32) -> Duration {
        if self.sight.is_there() && waiting == 0 { SELDOM } else { EVERY }
    }

    /// Koha is looked for with these settings; what is told of it goes to [`Watch::looked`].
    pub fn looks(&mut self, settings: Option<&Settings>) {
        self.looked_with = settings.cloned();
    }

    /// What is kept has changed, or Koha is looked for: `outage` is what pages in tabs have shown of the server of these settings.
    ///
    /// Koha is looked for only where that says something of it: much else is kept there, also what its clock showed, and where
    /// two servers with different clocks answer in its place, each look would lead to the next.
    pub fn heed(&mut self, settings: Option<&Settings>, outage: Option<Outage>) -> Heeded {
        let was_out = self.is_out();
        let is_other = self.looked_with.as_ref() != settings || self.outage != outage;
        self.outage = outage;
        if let Some(since) = self.outage.as_ref().and_then(Outage::since) {
            self.sight = Sight::Down { since };
        }
        let is_out = self.is_out();
        // Who says it knows it.
        let is_news = !was_out && is_out && !self.of_outage(Outage::is_said);
        Heeded {
            turned: (is_out != was_out).then_some(is_out),
            news: is_news.then_some(News::Gone),
            looks: is_other || self.sight == Sight::Unknown,
        }
    }

    /// Koha was looked for: `None` where nobody may ask it.
    pub fn looked(&mut self, is_there: Option<bool>, waiting: u32, now: DeskTime) -> Looked {
        let before = self.sight;
        let lasts = self.of_outage(Outage::outlasts_an_answer);
        if !lasts {
            self.sight = before.after(is_there, now);
        }
        let is_news = matches!((before, self.sight), (Sight::Down { .. }, Sight::Back)) && waiting > 0;
        Looked { news: is_news.then_some(News::Back), ends_outage: self.is_out() && is_there == Some(true) && !lasts }
    }

    /// What is shown while `waiting` transactions wait. Once nothing waits any more, that Koha is back is no news.
    pub fn shown(&mut self, waiting: u32, now: DeskTime) -> Reachable {
        if waiting == 0 && self.sight == Sight::Back {
            self.sight = Sight::Up;
        }
        let asks = self.of_outage(|outage| outage.asks(now));
        let sign = match self.sight {
            Sight::Unknown => ReachSign::Nothing,
            Sight::Down { .. } if self.of_outage(Outage::is_unclear) => ReachSign::Unclear,
            Sight::Down { since } => ReachSign::Missing { since, is_said: self.of_outage(Outage::is_said) },
            Sight::Back | Sight::Up if asks => ReachSign::Badly,
            Sight::Back => ReachSign::Back,
            Sight::Up => ReachSign::There,
        };
        let is_out = self.is_out();
        Reachable { sign, sends_next: self.sight.is_there() && waiting > 0, is_out, may_turn: is_out || asks }
    }

    /// Whether Koha is out, as pages in tabs have shown or a person says.
    pub fn is_out(&self) -> bool {
        self.of_outage(|outage| outage.since().is_some())
    }

    fn of_outage(&self, is_it: impl FnOnce(&Outage) -> bool) -> bool {
        self.outage.as_ref().is_some_and(is_it)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::outage::Sign, *};
    use crate::settings::form::{CommitType, ServerUrl};

    fn at(seconds: i64) -> DeskTime {
        DeskTime::from_millis(seconds * 1_000)
    }

    fn settings(server: &str) -> Settings {
        Settings { server: ServerUrl::parse(server).unwrap(), ..Settings::for_tests(CommitType::Send) }
    }

    fn well() -> Outage {
        Outage::of(&ServerUrl::parse("https://koha.example.org").unwrap(), None)
    }

    /// Two pages failed, the first at this second.
    fn out(sign: Sign, second: i64) -> Outage {
        let mut outage = well();
        outage.see("1", sign, at(second));
        outage.see("2", sign, at(second + 1));
        outage
    }

    const GONE: Looked = Looked { news: None, ends_outage: false };

    #[test]
    fn it_is_missed_since_the_first_look_that_found_nothing_and_is_back_until_all_is_sent() {
        let mut watch = Watch::default();
        let mut look = |is_there, now| {
            watch.looked(is_there, 1, at(now));
            watch.shown(1, at(now)).sign
        };
        assert_eq!(look(Some(true), 1), ReachSign::There);
        let missing = |since| ReachSign::Missing { since: at(since), is_said: false };
        assert_eq!(look(Some(false), 2), missing(2));
        assert_eq!(look(Some(false), 3), missing(2));
        assert_eq!(look(Some(true), 4), ReachSign::Back);
        assert_eq!(look(Some(true), 5), ReachSign::Back);
        assert_eq!(watch.shown(0, at(5)).sign, ReachSign::There);
        assert_eq!(watch.shown(1, at(5)).sign, ReachSign::There, "and what is recorded then does not bring that back");
        let mut look = |is_there, now| {
            watch.looked(is_there, 1, at(now));
            watch.shown(1, at(now)).sign
        };
        assert_eq!(look(None, 6), ReachSign::Nothing);
        assert_eq!(look(Some(false), 7), missing(7));
    }

    #[test]
    fn it_is_told_once_that_koha_is_back_and_only_where_something_waits() {
        for (waiting, told) in [(2, Some(News::Back)), (0, None)] {
            let mut watch = Watch::default();
            assert_eq!(watch.looked(Some(false), waiting, at(1)), GONE);
            assert_eq!(watch.looked(Some(true), waiting, at(2)), Looked { news: told, ends_outage: false });
            assert_eq!(watch.looked(Some(true), waiting, at(3)), GONE);
        }
    }

    #[test]
    fn koha_is_looked_for_often_while_it_is_missed_or_something_waits() {
        let mut watch = Watch::default();
        assert_eq!(watch.looks_again_after(0), EVERY, "nothing is known yet");
        watch.looked(Some(true), 0, at(1));
        assert_eq!((watch.looks_again_after(0), watch.looks_again_after(1)), (SELDOM, EVERY));
        watch.looked(Some(false), 0, at(2));
        assert_eq!(watch.looks_again_after(0), EVERY);
    }

    #[test]
    fn a_change_of_what_is_kept_leads_to_a_look_only_where_it_says_something_of_koha() {
        let mut watch = Watch::default();
        let (one, other) = (settings("https://koha.example.org"), settings("https://koha.example.com"));
        assert!(watch.heed(None, None).looks, "nobody has looked");
        watch.looks(Some(&one));
        assert!(watch.heed(Some(&one), Some(well())).looks, "no answer has come yet");
        watch.looked(Some(true), 0, at(1));
        assert!(!watch.heed(Some(&one), Some(well())).looks);
        assert!(watch.heed(Some(&other), Some(well())).looks, "other settings");
        assert!(watch.heed(Some(&other), Some(well())).looks, "until somebody has looked with them");
        watch.looks(Some(&other));
        assert!(!watch.heed(Some(&other), Some(well())).looks);
        assert!(watch.heed(Some(&other), Some(out(Sign::Fails, 2))).looks, "an outage");
        assert!(!watch.heed(Some(&other), Some(out(Sign::Fails, 2))).looks);
        assert!(watch.heed(None, None).looks, "no settings any more");
    }

    #[test]
    fn an_outage_is_told_once_and_not_to_whom_has_said_it() {
        let mut watch = Watch::default();
        let heed = |watch: &mut Watch, outage| {
            let heeded = watch.heed(None, outage);
            (heeded.turned, heeded.news)
        };
        assert_eq!(heed(&mut watch, Some(well())), (None, None));
        assert_eq!(heed(&mut watch, Some(out(Sign::Fails, 5))), (Some(true), Some(News::Gone)));
        assert_eq!(heed(&mut watch, Some(out(Sign::Fails, 5))), (None, None));
        let missing = ReachSign::Missing { since: at(5), is_said: false };
        let shown = Reachable { sign: missing, sends_next: false, is_out: true, may_turn: true };
        assert_eq!(watch.shown(1, at(9)), shown);
        assert_eq!(heed(&mut watch, None), (Some(false), None));
        let mut said = well();
        said.say_offline(at(7));
        assert_eq!(heed(&mut watch, Some(said)), (Some(true), None));
        let sign = watch.shown(1, at(9)).sign;
        assert_eq!(sign, ReachSign::Missing { since: at(7), is_said: true });
    }

    #[test]
    fn an_answer_ends_an_outage_only_where_koha_does_its_work() {
        let mut watch = Watch::default();
        watch.heed(None, Some(out(Sign::Fails, 1)));
        assert_eq!(watch.looked(Some(false), 1, at(2)), GONE);
        assert_eq!(watch.looked(Some(true), 1, at(3)), Looked { news: Some(News::Back), ends_outage: true });
        assert!(watch.shown(1, at(3)).sends_next);

        let mut watch = Watch::default();
        watch.heed(None, Some(out(Sign::AnswersBadly, 1)));
        assert_eq!(watch.looked(Some(true), 1, at(3)), GONE);
        let shown = watch.shown(1, at(3));
        assert!(shown.is_out && !shown.sends_next, "its pages fail although it is there: {shown:?}");
    }

    #[test]
    fn who_sees_koha_answer_badly_is_asked_and_what_may_be_koha_is_unclear() {
        let mut watch = Watch::default();
        let mut poor = well();
        poor.see("1", Sign::AnswersBadly, at(1));
        watch.heed(None, Some(poor));
        watch.looked(Some(true), 0, at(2));
        let badly = Reachable { sign: ReachSign::Badly, sends_next: false, is_out: false, may_turn: true };
        assert_eq!(watch.shown(0, at(2)), badly);
        assert_eq!(watch.shown(0, at(3_600)).sign, ReachSign::There, "not for ever");

        let mut unclear = out(Sign::Fails, 5);
        unclear.asked(false);
        watch.heed(None, Some(unclear));
        assert_eq!(watch.shown(0, at(9)).sign, ReachSign::Unclear);
    }
}
