//! The folds of the settings page: what most desks never need to open stands in them, each with a line that says what is set.

use crate::{
    desk::{amount::Cents, rules::Rules, scanner::ScannerEnd, shape::Shape},
    settings::{
        form::{CommitType, FieldError},
        key_kept::KeyKept,
        policy::Policy,
        table::{Field, Fold, Preferences},
    },
};

/// Something that is set, in the line of a fold. What cannot be read is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact<'a> {
    /// Records are wanted, or not.
    Wanted(bool),
    /// For how long records can be read, since their key is kept so.
    Kept(KeyKept),
    /// Who owes more is warned of; nobody is where there is none.
    Debts(Option<Cents>),
    /// After this number of days a reminder comes.
    RemindAfter(u64),
    /// What ends a code.
    EndsWith(ScannerEnd),
    /// What cardnumbers look like, where somebody has said.
    Cards(Option<&'a str>),
    /// Whether scans are heard.
    Sounds(bool),
    /// Codes that look like none of the library's are asked about.
    Checked,
    /// Codes are taken as they are scanned.
    AsScanned,
    /// The number of rules that say what is meant by an item's code.
    ItemRules(usize),
    /// The number of rules that say what is meant by a patron's code.
    CardRules(usize),
    /// The library's name on slips, where it has one.
    Library(Option<&'a str>),
    /// For how many days things are lent; slips name no date where there is none.
    LentFor(Option<u16>),
    /// The name of the desk.
    Desk(&'a str),
    /// Firefox shows a notification when Koha does not answer.
    Notified,
    /// What is recorded is written into files outside the profile, too.
    Copied,
    /// Transactions older than this number of hours are asked about.
    AskAfter(u32),
    /// They are asked about only where they are applied directly.
    AskedWhereApplied,
    /// Checkins go by Koha's own check-in.
    KohaCheckin,
}

/// What of a fold only the library can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locked {
    /// All of it.
    All,
    /// Some of it.
    Part,
}

impl Fold {
    /// All of them, in the order of the page.
    pub const ALL: [Self; 6] = [Self::Records, Self::Scanning, Self::Codes, Self::Slips, Self::Desks, Self::Old];

    /// The id of its element on the settings page.
    pub fn id(self) -> &'static str {
        match self {
            Self::Records => "fold-records",
            Self::Scanning => "fold-scanning",
            Self::Codes => "fold-codes",
            Self::Slips => "fold-slips",
            Self::Desks => "fold-desks",
            Self::Old => "fold-old",
        }
    }

    /// The settings in it.
    fn fields(self) -> impl Iterator<Item = Field> {
        Field::ALL.iter().copied().filter(move |field| field.fold() == Some(self))
    }

    /// What is set in it, the most important first.
    pub fn facts(self, set: &Preferences) -> Vec<Fact<'_>> {
        let (desk, records) = (&set.desk, &set.records);
        let facts = match self {
            Self::Records if !records.enabled => [Some(Fact::Wanted(false)), None, None, None],
            Self::Records => [
                Some(Fact::Wanted(true)),
                Some(Fact::Kept(records.key_kept)),
                records.debt_limit().ok().map(Fact::Debts),
                records.old_after().ok().map(|time| Fact::RemindAfter(time.as_secs() / 86_400)),
            ],
            Self::Scanning => [
                Some(Fact::EndsWith(desk.scanner_end)),
                desk.cards().is_ok().then(|| Fact::Cards(some(&desk.card_pattern))),
                Some(Fact::Sounds(desk.sounds)),
                None,
            ],
            Self::Codes => {
                let number = |rules: Result<Rules, FieldError>| rules.map(|rules| rules.all().len());
                let checked =
                    [desk.items(), desk.patrons()].into_iter().flatten().any(|shape| shape != Shape::default());
                match (number(desk.item_rules()), number(desk.card_rules())) {
                    (Ok(0), Ok(0)) if !checked => [Some(Fact::AsScanned), None, None, None],
                    (items, cards) => {
                        let some = |number: Result<usize, FieldError>| number.ok().filter(|number| *number > 0);
                        let checked = checked.then_some(Fact::Checked);
                        [some(items).map(Fact::ItemRules), some(cards).map(Fact::CardRules), checked, None]
                    }
                }
            }
            Self::Slips => [
                desk.library_name().ok().map(|name| Fact::Library(some(name))),
                desk.loan_days().ok().map(Fact::LentFor),
                None,
                None,
            ],
            Self::Desks => {
                let name = set.form.desk_name().is_ok().then(|| Fact::Desk(set.form.desk_name.trim()));
                [name, desk.notify.then_some(Fact::Notified), desk.second_copy.then_some(Fact::Copied), None]
            }
            Self::Old => match set.form.commit_type {
                CommitType::Send => [Some(Fact::AskedWhereApplied), None, None, None],
                CommitType::Apply => {
                    let own = set.form.koha_checkin.then_some(Fact::KohaCheckin);
                    [set.form.stale_hours().ok().map(Fact::AskAfter), own, None, None]
                }
            },
        };
        facts.into_iter().flatten().collect()
    }

    /// Whether what is set in it does anything, as the rest is set.
    pub fn matters(self, set: &Preferences) -> bool {
        self != Self::Old || set.form.commit_type == CommitType::Apply
    }

    /// Whether one of these errors is in it: it is opened then.
    pub fn is_wrong(self, errors: &[(Field, FieldError)]) -> bool {
        errors.iter().any(|(field, _)| field.fold() == Some(self))
    }

    /// What of it is locked, if anything.
    pub fn locked(self, policy: &Policy) -> Option<Locked> {
        let is_locked = |field: Field| policy.is_locked(field);
        match (self.fields().all(is_locked), self.fields().any(is_locked)) {
            (true, _) => Some(Locked::All),
            (false, true) => Some(Locked::Part),
            (false, false) => None,
        }
    }
}

fn some(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{desk::DeskSettings, form::Form, records::RecordsSettings, table::tests::changed};

    fn named(name: &str) -> Preferences {
        Preferences { form: Form { desk_name: name.into(), ..Form::default() }, ..Preferences::default() }
    }

    #[test]
    fn a_new_desk_says_what_holds_until_somebody_sets_it() {
        let set = named("Desk-43CE");
        let said: Vec<_> = Fold::ALL.into_iter().map(|fold| fold.facts(&set)).collect();
        assert_eq!(
            said,
            [
                vec![Fact::Wanted(false)],
                vec![Fact::EndsWith(ScannerEnd::Enter), Fact::Cards(None), Fact::Sounds(true)],
                vec![Fact::AsScanned],
                vec![Fact::Library(None), Fact::LentFor(None)],
                vec![Fact::Desk("Desk-43CE")],
                vec![Fact::AskedWhereApplied],
            ]
        );
        assert_eq!(Fold::ALL.map(|fold| fold.matters(&set)), [true, true, true, true, true, false]);
    }

    #[test]
    fn what_is_set_is_said() {
        let mut set = named(" Bus 2 ");
        set.form.commit_type = CommitType::Apply;
        set.form.stale_hours = " 48 ".into();
        set.desk = DeskSettings {
            scanner_end: ScannerEnd::Tab,
            card_pattern: " 2352* ".into(),
            item_rules: "aim\nwhitespace".into(),
            card_rules: "start-stop".into(),
            card_lengths: "14".into(),
            sounds: false,
            library_name: " Centerville ".into(),
            loan_days: "21".into(),
            notify: true,
            second_copy: true,
            ..DeskSettings::default()
        };
        set.records = RecordsSettings {
            enabled: true,
            key_kept: KeyKept::Passphrase,
            debt_limit: "7,5".into(),
            remind_days: "2".into(),
            ..RecordsSettings::default()
        };
        let said: Vec<_> = Fold::ALL.into_iter().map(|fold| fold.facts(&set)).collect();
        assert_eq!(
            said,
            [
                vec![Fact::Wanted(true), Fact::Kept(KeyKept::Passphrase), Fact::Debts(Some(750)), Fact::RemindAfter(2)],
                vec![Fact::EndsWith(ScannerEnd::Tab), Fact::Cards(Some("2352*")), Fact::Sounds(false)],
                vec![Fact::ItemRules(2), Fact::CardRules(1), Fact::Checked],
                vec![Fact::Library(Some("Centerville")), Fact::LentFor(Some(21))],
                vec![Fact::Desk("Bus 2"), Fact::Notified, Fact::Copied],
                vec![Fact::AskAfter(48)],
            ]
        );
        assert!(Fold::Old.matters(&set));
        set.form.koha_checkin = true;
        assert_eq!(Fold::Old.facts(&set), [Fact::AskAfter(48), Fact::KohaCheckin]);
        set.records.debt_limit = String::new();
        assert_eq!(Fold::Records.facts(&set)[2], Fact::Debts(None));
    }

    #[test]
    fn what_is_wrong_is_not_said_and_shows_in_its_fold_alone() {
        let mut set = named("");
        set.form.commit_type = CommitType::Apply;
        set.form.stale_hours = "soon".into();
        set.desk = DeskSettings {
            card_pattern: "*".into(),
            item_rules: "pad".into(),
            loan_days: "0".into(),
            ..DeskSettings::default()
        };
        set.records = RecordsSettings { enabled: true, debt_limit: "a lot".into(), ..RecordsSettings::default() };
        let said: Vec<_> = Fold::ALL.into_iter().map(|fold| fold.facts(&set)).collect();
        assert_eq!(
            said,
            [
                vec![Fact::Wanted(true), Fact::Kept(KeyKept::Memory), Fact::RemindAfter(1)],
                vec![Fact::EndsWith(ScannerEnd::Enter), Fact::Sounds(true)],
                vec![],
                vec![Fact::Library(None)],
                vec![],
                vec![],
            ]
        );
        let errors = set.errors(true);
        assert!(Fold::ALL.into_iter().all(|fold| fold.is_wrong(&errors)));
        set.desk = DeskSettings::default();
        let errors = set.errors(false);
        let wrong: Vec<_> = Fold::ALL.into_iter().filter(|fold| fold.is_wrong(&errors)).collect();
        assert_eq!(wrong, [Fold::Records, Fold::Desks], "old ones matter where there is a connection");
        // The five questions are in no fold.
        let questions =
            Preferences { form: Form { desk_name: "Bus 2".into(), ..Form::default() }, ..Preferences::default() };
        let errors = questions.errors(true);
        assert!(!errors.is_empty() && !Fold::ALL.into_iter().any(|fold| fold.is_wrong(&errors)));
    }

    #[test]
    fn a_fold_says_whether_all_or_some_of_it_is_locked() {
        let policy = Policy::parse(
            r#"{"libraryName": "Centerville", "loanDays": 21, "sounds": true, "lookup": true, "staleHours": 48, "server": "a.example",
                "kohaCheckin": false, "notice": "Call 1234.",
                "locked": ["libraryName", "loanDays", "sounds", "staleHours", "kohaCheckin", "server", "notice"]}"#,
        );
        assert_eq!(policy.problems(), []);
        assert_eq!(
            Fold::ALL.map(|fold| fold.locked(&policy)),
            [None, Some(Locked::Part), None, Some(Locked::All), None, Some(Locked::All)]
        );
        assert_eq!(Fold::ALL.map(|fold| fold.locked(&Policy::default())), [None; 6]);
    }

    #[test]
    fn every_fold_stands_together_on_the_page_and_its_line_follows_what_is_set() {
        let folds: Vec<_> = Field::ALL.iter().filter(|field| field.is_on_page()).map(|field| field.fold()).collect();
        let mut order = folds.clone();
        order.dedup();
        let expected: Vec<_> = [None].into_iter().chain(Fold::ALL.map(Some)).collect();
        assert_eq!(order, expected);
        let (before, after) =
            (named("Desk"), Preferences { form: Form { desk_name: "Bus".into(), ..changed().form }, ..changed() });
        assert!(Fold::ALL.into_iter().all(|fold| fold.facts(&before) != fold.facts(&after)));
    }
}
