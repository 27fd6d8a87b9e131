//! Whether Koha answers, as the pages show that a person opens in their tabs: nobody announces an outage.
//!
//! One page that fails is nothing: a second one within a minute, with no answer in between, is an outage. Of a page only its
//! address, its status and the browser's word for what went wrong are known, and a captive portal answers at Koha's own
//! address, too: so the first good answer ends an outage only once KOCT has asked Koha itself, and got Koha's own words.

use super::{Failure, NotSent};
use crate::{desk::clock::DeskTime, settings::form::ServerUrl};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Pages that fail within this time make an outage together. Where the clock was set back by more, they have nothing to do with each
/// other.
const TOGETHER: Duration = Duration::from_mins(1);

/// For how long a page that Koha answered badly is a reason to ask whether to go on without it.
const ASKS_FOR: Duration = Duration::from_mins(10);

/// From here on, Koha keeps somebody waiting who opened a page.
const KEEPS_WAITING_FROM: Duration = Duration::from_secs(30);

/// What Firefox calls it when a proxy answers in place of a server that it cannot reach: with 502, 503 or 504.
const BEHIND_A_PROXY: [&str; 3] =
    ["NS_ERROR_PROXY_BAD_GATEWAY", "NS_ERROR_PROXY_SERVICE_UNAVAILABLE", "NS_ERROR_PROXY_GATEWAY_TIMEOUT"];

/// What the browser tells of the load of a page in a tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load<'a> {
    /// The server answered with this status.
    Answered {
        /// Of the last answer, where one led to another.
        status: u16,
        /// It was kept by the browser, and no server was asked.
        from_cache: bool,
    },
    /// It failed: Firefox's name for what went wrong.
    Failed(&'a str),
    /// No answer came for this time.
    Waited(Duration),
}

/// What the load of a page says of Koha.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It answers, be it that there is no such page.
    Answers,
    /// It does not answer.
    Fails,
    /// It is there and does not do its work: an error of its own or of who stands in front of it.
    AnswersBadly,
    /// It lets people wait.
    KeepsWaiting,
}

/// What is told when it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// Koha keeps somebody waiting, who may want to go on without it.
    Waits,
    /// Koha does not answer.
    Gone,
    /// It does again.
    Back,
}

/// What is to be done after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Nothing.
    Nothing,
    /// This is told.
    News(News),
    /// Somebody answers where Koha was missed: Koha itself is to be asked, and [`Outage::asked`] called.
    Answer,
}

/// How Koha stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Nothing is amiss.
    #[default]
    Well,
    /// One page failed.
    Suspected {
        /// The browser's number of that page's load: what else comes of it is the same failure.
        load: String,
        /// When.
        at: DeskTime,
        /// Koha answered badly or late; a person may see more than can be seen here.
        badly: bool,
    },
    /// It is out.
    Out {
        /// Since when.
        since: DeskTime,
        /// A person has said so.
        said: bool,
        /// It is there, and answers badly or late.
        #[serde(default)]
        badly: bool,
        /// A page came, and somebody else answered what KOCT asked itself: only a person can see whether that page was Koha's.
        #[serde(default, skip_serializing_if = "is_false")]
        unclear: bool,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

/// How the server of the settings stands. Kept for as long as the browser runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    server: String,
    standing: Standing,
}

impl Load<'_> {
    /// What the load of a page at this address says. `None` where it says nothing: the page is not Koha's, it was kept by the
    /// browser, or a person went on before it came.
    pub fn sign(self, server: &ServerUrl, address: &str) -> Option<Sign> {
        let path = server.path_below(address)?;
        match self {
            Self::Answered { from_cache: true, .. } => None,
            Self::Answered { status, .. } if status >= 500 => Some(Sign::AnswersBadly),
            // Where the database is older than its Koha, each page leads there (Koha: C4::Auth, _version_check).
            Self::Answered { .. } if is_maintenance(&path) => Some(Sign::AnswersBadly),
            Self::Answered { .. } => Some(Sign::Answers),
            Self::Waited(time) => (time >= KEEPS_WAITING_FROM).then_some(Sign::KeepsWaiting),
            Self::Failed(error) => match Failure::from_firefox(error) {
                Failure::NotSent(NotSent::NotAllowed) => None,
                Failure::NotSent(_) => Some(Sign::Fails),
                // All that goes wrong on the way; whatever else ends a load was done in this browser.
                _ => (error.starts_with("NS_ERROR_NET_") || BEHIND_A_PROXY.contains(&error)).then_some(Sign::Fails),
            },
        }
    }
}

fn is_maintenance(path: &str) -> bool {
    ["/cgi-bin/koha/maintenance.pl", "/cgi-bin/koha/installer/"].iter().any(|start| path.starts_with(start))
}

impl Outage {
    /// What is known of this server so far, from what [`Outage::to_json`] gave. What cannot be read, and what was seen of another
    /// server, is nothing.
    pub fn of(server: &ServerUrl, kept: Option<&str>) -> Self {
        let kept = kept.and_then(|json| serde_json::from_str(json).ok());
        kept.filter(|kept: &Self| kept.server == server.as_str())
            .unwrap_or_else(|| Self { server: server.as_str().to_owned(), standing: Standing::Well })
    }

    /// To be kept; `None` where nothing is amiss.
    pub fn to_json(&self) -> Option<String> {
        if self.standing == Standing::Well { None } else { serde_json::to_string(self).ok() }
    }

    /// How it stands.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Since when Koha is out, where it is.
    pub fn since(&self) -> Option<DeskTime> {
        match self.standing {
            Standing::Out { since, .. } => Some(since),
            _ => None,
        }
    }

    /// Whether a person has said that it is out.
    pub fn is_said(&self) -> bool {
        matches!(self.standing, Standing::Out { said: true, .. })
    }

    /// Whether a person is to be asked: Koha answered badly or late a short time ago.
    pub fn asks(&self, now: DeskTime) -> bool {
        matches!(self.standing, Standing::Suspected { badly: true, at, .. } if now.is_within(ASKS_FOR, at))
    }

    /// Whether a page has come since that may be Koha's: something that lets a browser through, and not KOCT, may stand in front of it.
    pub fn is_unclear(&self) -> bool {
        matches!(self.standing, Standing::Out { unclear: true, .. })
    }

    /// Takes what the load of a page said.
    pub fn see(&mut self, load: &str, sign: Sign, now: DeskTime) -> Seen {
        let is_known = |before: &str| before == load;
        let (standing, seen) = match (&self.standing, sign) {
            (Standing::Out { .. }, Sign::Answers) => return Seen::Answer,
            (_, Sign::Answers) => (Standing::Well, Seen::Nothing),
            (&Standing::Out { since, said, badly, .. }, _) => {
                (Standing::Out { since, said, badly, unclear: false }, Seen::Nothing)
            }
            (Standing::Suspected { load, .. }, _) if is_known(load) => return Seen::Nothing,
            (Standing::Suspected { at, badly, .. }, _) if now.is_within(TOGETHER, *at) => {
                let badly = *badly || sign != Sign::Fails;
                (Standing::Out { since: *at, said: false, badly, unclear: false }, Seen::News(News::Gone))
            }
            (Standing::Well | Standing::Suspected { .. }, _) => {
                let suspected = Standing::Suspected { load: load.to_owned(), at: now, badly: sign != Sign::Fails };
                (suspected, if sign == Sign::KeepsWaiting { Seen::News(News::Waits) } else { Seen::Nothing })
            }
        };
        self.standing = standing;
        seen
    }

    /// Koha was asked after a [`Seen::Answer`]: whether the answer was its own.
    pub fn asked(&mut self, is_koha: bool) -> Option<News> {
        let Standing::Out { unclear, .. } = &mut self.standing else { return None };
        if !is_koha {
            *unclear = true;
            return None;
        }
        self.standing = Standing::Well;
        Some(News::Back)
    }

    /// Whether it lasts although Koha answers what KOCT's window asks by itself: a person has said that it is out, or its pages
    /// fail although it is there.
    pub fn outlasts_an_answer(&self) -> bool {
        matches!(self.standing, Standing::Out { said: true, .. } | Standing::Out { badly: true, .. })
    }

    /// KOCT's window has asked Koha by itself, and got its answer.
    pub fn answered(&mut self) -> Option<News> {
        if self.since().is_none() || self.outlasts_an_answer() {
            return None;
        }
        self.standing = Standing::Well;
        Some(News::Back)
    }

    /// A person says that they go on without Koha.
    pub fn say_offline(&mut self, now: DeskTime) {
        let (since, badly) = match self.standing {
            Standing::Suspected { at, badly, .. } => (at, badly),
            Standing::Out { since, badly, .. } => (since, badly),
            Standing::Well => (now, false),
        };
        self.standing = Standing::Out { since, said: true, badly, unclear: false };
    }

    /// A person says that Koha works.
    pub fn say_online(&mut self) {
        self.standing = Standing::Well;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn server() -> ServerUrl {
        ServerUrl::parse("https://koha.example.org:8443/staff").unwrap()
    }

    /// As if Koha itself, where it is asked, answers.
    fn see(outage: &mut Outage, load: &str, sign: Sign, now: DeskTime) -> Option<News> {
        match outage.see(load, sign, now) {
            Seen::Nothing => None,
            Seen::News(news) => Some(news),
            Seen::Answer => outage.asked(true),
        }
    }

    fn at(seconds: i64) -> DeskTime {
        DeskTime::from_millis(1_795_428_000_000 + seconds * 1_000)
    }

    #[test]
    fn only_what_koha_or_the_way_to_it_did_is_a_sign() {
        let answered = |status| Load::Answered { status, from_cache: false };
        let page = "https://koha.example.org:8443/staff/cgi-bin/koha/mainpage.pl?x=1#y";
        for (load, sign) in [
            (answered(200), Some(Sign::Answers)),
            (answered(302), Some(Sign::Answers)),
            (answered(403), Some(Sign::Answers)),
            (answered(404), Some(Sign::Answers)),
            (answered(500), Some(Sign::AnswersBadly)),
            (answered(503), Some(Sign::AnswersBadly)),
            (Load::Answered { status: 200, from_cache: true }, None),
            (Load::Answered { status: 503, from_cache: true }, None),
            (Load::Failed("NS_ERROR_CONNECTION_REFUSED"), Some(Sign::Fails)),
            (Load::Failed("NS_ERROR_UNKNOWN_HOST"), Some(Sign::Fails)),
            (Load::Failed("NS_ERROR_OFFLINE"), Some(Sign::Fails)),
            (Load::Failed("NS_ERROR_NET_TIMEOUT"), Some(Sign::Fails)),
            (Load::Failed("NS_ERROR_NET_RESET"), Some(Sign::Fails)),
            (Load::Failed("NS_ERROR_NET_INTERRUPT"), Some(Sign::Fails)),
            (Load::Failed("SEC_ERROR_EXPIRED_CERTIFICATE"), Some(Sign::Fails)),
            (Load::Failed("NS_ERROR_PROXY_CONNECTION_REFUSED"), Some(Sign::Fails)),
            (Load::Failed("NS_ERROR_PROXY_BAD_GATEWAY"), Some(Sign::Fails)),
            (Load::Failed("NS_ERROR_PROXY_GATEWAY_TIMEOUT"), Some(Sign::Fails)),
            // The proxy wants a name and a password, or forbids it: nobody has asked Koha.
            (Load::Failed("NS_ERROR_PROXY_AUTHENTICATION_FAILED"), None),
            (Load::Failed("NS_ERROR_PROXY_FORBIDDEN"), None),
            // A person went on, or stopped it; Firefox or another add-on did not let it go.
            (Load::Failed("NS_BINDING_ABORTED"), None),
            (Load::Failed("NS_ERROR_ABORT"), None),
            (Load::Failed("NS_ERROR_BLOCKED_BY_POLICY"), None),
            (Load::Failed("NS_ERROR_PORT_ACCESS_NOT_ALLOWED"), None),
            (Load::Failed(""), None),
            (Load::Waited(Duration::from_secs(30)), Some(Sign::KeepsWaiting)),
            (Load::Waited(Duration::from_secs(29)), None),
        ] {
            assert_eq!(load.sign(&server(), page), sign, "{load:?}");
        }
    }

    #[test]
    fn only_pages_of_the_server_in_the_settings_are_looked_at() {
        let sign = |address: &str| Load::Answered { status: 200, from_cache: false }.sign(&server(), address);
        for address in [
            "https://koha.example.org:8443/staff",
            "https://koha.example.org:8443/staff/",
            "https://koha.example.org:8443/staff/cgi-bin/koha/circ/circulation.pl?borrowernumber=5",
        ] {
            assert_eq!(sign(address), Some(Sign::Answers), "{address}");
        }
        for address in [
            "https://koha.example.org/staff/cgi-bin/koha/mainpage.pl",
            "http://koha.example.org:8443/staff/",
            "https://koha.example.org:8443/staffroom",
            "https://koha.example.org:8443/",
            "https://koha.example.org.evil.example:8443/staff/",
            "about:neterror?e=connectionFailure",
            "",
        ] {
            assert_eq!(sign(address), None, "{address}");
        }
    }

    #[test]
    fn a_koha_that_is_being_updated_is_no_answer() {
        for (page, sign) in [
            ("installer/install.pl?step=3", Sign::AnswersBadly),
            ("maintenance.pl", Sign::AnswersBadly),
            ("mainpage.pl", Sign::Answers),
        ] {
            let address = format!("https://koha.example.org:8443/staff/cgi-bin/koha/{page}");
            let load = Load::Answered { status: 200, from_cache: false };
            assert_eq!(load.sign(&server(), &address), Some(sign), "{page}");
        }
    }

    #[test]
    fn an_outage_is_noticed_at_the_second_failure_and_ends_with_the_first_answer() {
        let mut outage = Outage::of(&server(), None);
        assert_eq!(outage.to_json(), None, "nothing is kept while nothing is amiss");
        assert_eq!(see(&mut outage, "1", Sign::Fails, at(0)), None);
        assert!(!outage.asks(at(0)), "one page that fails is nothing to ask about");
        assert_eq!(see(&mut outage, "2", Sign::Fails, at(60)), Some(News::Gone));
        assert_eq!(outage.since(), Some(at(0)), "since the first");
        assert_eq!(see(&mut outage, "3", Sign::AnswersBadly, at(70)), None, "it is known");
        // The page in the background was unloaded meanwhile.
        let mut outage = Outage::of(&server(), outage.to_json().as_deref());
        assert_eq!(outage.since(), Some(at(0)));
        assert_eq!(see(&mut outage, "4", Sign::Answers, at(700)), Some(News::Back));
        assert_eq!((outage.standing(), outage.to_json()), (&Standing::Well, None));
        assert_eq!(see(&mut outage, "5", Sign::Answers, at(701)), None, "that is said once");
    }

    #[test]
    fn somebody_who_answers_at_kohas_address_ends_no_outage() {
        let mut outage = Outage::of(&server(), None);
        see(&mut outage, "1", Sign::Fails, at(0));
        see(&mut outage, "2", Sign::Fails, at(1));
        assert_eq!(outage.see("3", Sign::Answers, at(2)), Seen::Answer);
        assert_eq!(outage.asked(false), None, "a captive portal");
        assert_eq!((outage.since(), outage.is_said()), (Some(at(0)), false));
        assert_eq!(outage.see("4", Sign::Answers, at(3)), Seen::Answer, "and again at the next page");
        assert_eq!(outage.asked(true), Some(News::Back));
        assert_eq!((outage.see("5", Sign::Answers, at(4)), outage.asked(true)), (Seen::Nothing, None));
    }

    #[test]
    fn a_minute_apart_or_with_an_answer_in_between_they_are_two_accidents() {
        let mut outage = Outage::of(&server(), None);
        for (load, sign, second) in [
            ("1", Sign::Fails, 0),
            ("2", Sign::Fails, 61),
            ("3", Sign::Answers, 62),
            ("4", Sign::AnswersBadly, 63),
            ("5", Sign::Answers, 64),
            ("6", Sign::Fails, 65),
            // The clock was set back by an hour.
            ("7", Sign::Fails, -3_535),
        ] {
            assert_eq!(see(&mut outage, load, sign, at(second)), None, "{load}");
        }
    }

    #[test]
    fn one_page_that_is_waited_for_and_then_fails_is_one_failure() {
        let mut outage = Outage::of(&server(), None);
        assert_eq!(see(&mut outage, "1", Sign::KeepsWaiting, at(30)), Some(News::Waits));
        assert_eq!(see(&mut outage, "1", Sign::AnswersBadly, at(60)), None);
        assert!(outage.asks(at(61)));
        assert_eq!(see(&mut outage, "2", Sign::KeepsWaiting, at(90)), Some(News::Gone));
    }

    #[test]
    fn where_koha_answers_badly_a_person_may_say_that_it_is_out() {
        let mut outage = Outage::of(&server(), None);
        assert!(!outage.asks(at(0)));
        see(&mut outage, "1", Sign::AnswersBadly, at(0));
        assert!(outage.asks(at(600)) && !outage.asks(at(601)));
        outage.say_offline(at(20));
        assert!(outage.is_said() && outage.since() == Some(at(0)) && !outage.asks(at(20)));
        assert_eq!(outage.answered(), None, "one answer to KOCT does not overrule them");
        assert_eq!(see(&mut outage, "2", Sign::Answers, at(30)), Some(News::Back), "a page in their own tab does");
        outage.say_offline(at(40));
        assert_eq!(outage.since(), Some(at(40)));
        outage.say_online();
        assert_eq!(outage.standing(), &Standing::Well);
    }

    #[test]
    fn koct_itself_may_see_that_it_is_back() {
        let mut outage = Outage::of(&server(), None);
        assert_eq!(outage.answered(), None);
        see(&mut outage, "1", Sign::Fails, at(0));
        assert_eq!(outage.answered(), None, "nothing was said yet");
        see(&mut outage, "2", Sign::Fails, at(1));
        assert_eq!(outage.answered(), Some(News::Back));
        assert_eq!(outage.since(), None);
        // Its pages fail although it is there: that it is there is no news.
        for (first, second) in [(Sign::AnswersBadly, Sign::Fails), (Sign::Fails, Sign::KeepsWaiting)] {
            let mut outage = Outage::of(&server(), None);
            see(&mut outage, "1", first, at(0));
            see(&mut outage, "2", second, at(1));
            assert!(outage.outlasts_an_answer() && outage.answered().is_none() && outage.since().is_some());
            assert_eq!(see(&mut outage, "3", Sign::Answers, at(2)), Some(News::Back));
        }
    }

    #[test]
    fn a_page_that_somebody_else_may_have_sent_ends_nothing_and_is_told() {
        let mut outage = Outage::of(&server(), None);
        assert_eq!((outage.asked(false), outage.is_unclear()), (None, false), "nothing was amiss");
        see(&mut outage, "1", Sign::Fails, at(0));
        see(&mut outage, "2", Sign::Fails, at(1));
        assert_eq!(outage.see("3", Sign::Answers, at(2)), Seen::Answer);
        assert_eq!((outage.asked(false), outage.is_unclear(), outage.since()), (None, true, Some(at(0))));
        assert_eq!(Outage::of(&server(), outage.to_json().as_deref()), outage);
        let mut failed = outage.clone();
        assert_eq!((failed.see("4", Sign::Fails, at(3)), failed.is_unclear()), (Seen::Nothing, false));
        let mut said = outage.clone();
        said.say_offline(at(4));
        assert!(!said.is_unclear() && said.since().is_some());
        assert_eq!((outage.asked(true), outage.is_unclear()), (Some(News::Back), false));
    }

    #[test]
    fn what_was_seen_of_another_server_counts_for_nothing() {
        let mut outage = Outage::of(&server(), None);
        outage.say_offline(at(0));
        let kept = outage.to_json();
        let other = ServerUrl::parse("https://koha.example.com").unwrap();
        assert_eq!(Outage::of(&server(), kept.as_deref()), outage);
        assert_eq!(Outage::of(&other, kept.as_deref()).standing(), &Standing::Well);
        for unreadable in ["", "7", "{}", r#"{"server":"https://koha.example.org:8443/staff","standing":"out"}"#] {
            assert_eq!(Outage::of(&server(), Some(unreadable)).standing(), &Standing::Well, "{unreadable}");
        }
    }

    #[test]
    fn what_is_kept_is_read_by_later_versions() {
        let kept = r#"{"server":"https://koha.example.org:8443/staff","standing":{"out":{"since":1795428000000,"said":true,"badly":false}}}"#;
        let outage = Outage::of(&server(), Some(kept));
        assert!(outage.is_said() && outage.since() == Some(at(0)));
        assert_eq!(outage.to_json().as_deref(), Some(kept));
    }

    proptest! {
        /// An outage is two failures of two pages within a minute, with no answer since the first of them; whatever else happens.
        #[test]
        fn it_is_out_where_two_pages_failed_within_a_minute(
            loads in prop::collection::vec((0_usize..4, 0_i64..90, any::<bool>()), 0..40),
        ) {
            let signs = [Sign::Answers, Sign::Fails, Sign::AnswersBadly, Sign::KeepsWaiting];
            let mut outage = Outage::of(&server(), None);
            let (mut now, mut number) = (0, 0);
            // The failures since the last answer.
            let mut failed: Vec<(u32, i64)> = Vec::new();
            let mut was_out = false;
            for (sign, pause, is_same_load) in loads {
                let sign = signs[sign];
                now += pause;
                number += u32::from(!is_same_load || number == 0);
                if sign == Sign::Answers {
                    failed.clear();
                } else if failed.last().is_none_or(|last| last.0 != number) {
                    failed.push((number, now));
                }
                let is_out = was_out && sign != Sign::Answers
                    || failed.iter().any(|one| failed.iter().any(|other| one.0 < other.0 && other.1 - one.1 <= 60));
                let news = see(&mut outage, &number.to_string(), sign, at(now));
                prop_assert_eq!(outage.since().is_some(), is_out);
                match (was_out, is_out) {
                    (false, true) => prop_assert_eq!(news, Some(News::Gone)),
                    (true, false) => prop_assert_eq!(news, Some(News::Back)),
                    _ => prop_assert!(matches!(news, None | Some(News::Waits))),
                }
                prop_assert_eq!(Outage::of(&server(), outage.to_json().as_deref()), outage.clone());
                was_out = is_out;
            }
        }
    }
}
