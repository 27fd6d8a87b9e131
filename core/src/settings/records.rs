//! What this desk shall know of patrons and items while Koha cannot be reached: the settings for it.

use crate::{
    desk::{
        amount::{Amount, AmountError, Cents},
        clock::DeskTime,
    },
    settings::{
        form::{ApiKey, FieldError, Secret},
        key_kept::KeyKept,
        quiet_hours::QuietHours,
    },
};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The most days that can be set: what is known of people is not kept longer than an outage can last.
const DAYS_LIMIT: u16 = 30;
const DAY: Duration = Duration::from_hours(24);
/// The most hours between two downloads: everything is read once a week.
const HOURS_LIMIT: u32 = 168;

with_defaults! {
    /// The settings, as typed. None of them hinders a scan or a commit.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    pub struct RecordsSettings {
        /// Whether records are wanted at all.
        pub enabled: bool = false,
        /// How their key is kept. Earlier versions stored whether a passphrase does it.
        #[serde(alias = "passphrase")]
        pub key_kept: KeyKept = KeyKept::Memory,
        /// After how many hours they are brought up to date without anybody's doing; 0 or empty where only a person does it.
        pub refresh_hours: String = "4".to_owned(),
        /// The hours of the night in which a whole download does not disturb, as `22-6`; empty where none are told.
        pub quiet_hours: String = String::new(),
        /// What a patron may owe before a warning; empty where none shall come. At first Koha's own limit where nobody
        /// changed it (system preference `noissuescharge`).
        pub debt_limit: String = "5.00".to_owned(),
        /// After how many days a reminder says that the records are old.
        pub remind_days: String = "1".to_owned(),
        /// After how many days they are deleted.
        pub wipe_days: String = DAYS_LIMIT.to_string(),
        /// The number of the saved report that says until when patrons are restricted and why; empty where there is none.
        pub restrictions_report: String = String::new(),
        /// The ID of an API key of Koha's, where records are not asked for with the account of the desk.
        pub client_id: String = String::new(),
        /// The secret of the key. Kept as the password is.
        #[serde(skip)]
        pub client_secret: Secret = Secret::default(),
    }
}

fn days(typed: &str) -> Result<Duration, FieldError> {
    let days = typed.trim().parse().ok().filter(|days| (1..=DAYS_LIMIT).contains(days));
    days.map(|days| DAY * u32::from(days)).ok_or(FieldError::SomeDays(DAYS_LIMIT))
}

impl RecordsSettings {
    /// After what time records are brought up to date without anybody's doing. `None` where only a person does it.
    ///
    /// # Errors
    /// When it is no number of hours.
    pub fn refreshed_every(&self) -> Result<Option<Duration>, FieldError> {
        match self.refresh_hours.trim() {
            "" | "0" => Ok(None),
            typed => {
                let hours = typed.parse().ok().filter(|hours| (1..=HOURS_LIMIT).contains(hours));
                hours.map(|hours| Some(Duration::from_hours(hours.into()))).ok_or(FieldError::Hours(HOURS_LIMIT))
            }
        }
    }

    /// The hours in which a whole download does not disturb.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn quiet_hours(&self) -> Result<Option<QuietHours>, FieldError> {
        match self.quiet_hours.trim() {
            "" => Ok(None),
            typed => QuietHours::typed(typed).map(Some).ok_or(FieldError::QuietHours),
        }
    }

    /// What a patron may owe; who owes more is warned of. `None` where nobody is.
    ///
    /// # Errors
    /// When it is no amount.
    pub fn debt_limit(&self) -> Result<Option<Cents>, FieldError> {
        let typed = self.debt_limit.trim();
        match Amount::typed(typed) {
            _ if typed.is_empty() => Ok(None),
            Ok(amount) => Ok(Some(amount.cents())),
            // Zero is no payment, but a limit.
            Err(AmountError::NotPositive) => Ok(Some(0)),
            Err(error) => Err(FieldError::Amount(error)),
        }
    }

    /// The age from which records are called old.
    ///
    /// # Errors
    /// When it is no number of days.
    pub fn old_after(&self) -> Result<Duration, FieldError> {
        days(&self.remind_days)
    }

    /// The age from which records are deleted.
    ///
    /// # Errors
    /// When it is no number of days.
    pub fn deleted_after(&self) -> Result<Duration, FieldError> {
        days(&self.wipe_days)
    }

    /// As [`RecordsSettings::deleted_after`], and the most that can be set where it is no number of days: a mistake must not mean for ever.
    pub fn kept_for(&self) -> Duration {
        self.deleted_after().unwrap_or(DAY * u32::from(DAYS_LIMIT))
    }

    /// How many days old records of that time are; `None` where they are not called old.
    pub fn days_old(&self, as_of: DeskTime, now: DeskTime) -> Option<i64> {
        let age = now.since(as_of);
        (TimeDelta::from_std(self.old_after().unwrap_or(DAY)).is_ok_and(|old| age >= old)).then(|| age.num_days())
    }

    /// Whether records of that time are to be deleted.
    pub fn is_over(&self, as_of: DeskTime, now: DeskTime) -> bool {
        as_of < now.minus(self.kept_for())
    }

    /// The number of the report on restrictions, where there is one.
    ///
    /// # Errors
    /// When it is no number of Koha's.
    pub fn restrictions_report(&self) -> Result<Option<u32>, FieldError> {
        match self.restrictions_report.trim() {
            "" => Ok(None),
            typed => typed.parse().ok().filter(|number| *number > 0).map(Some).ok_or(FieldError::ReportNumber),
        }
    }

    /// The API key, where there is one.
    ///
    /// # Errors
    /// When it has no secret.
    pub fn api_key(&self) -> Result<Option<ApiKey>, FieldError> {
        match (self.client_id.trim(), &self.client_secret) {
            ("", _) => Ok(None),
            (_, secret) if secret.is_empty() => Err(FieldError::Missing),
            (id, secret) => Ok(Some(ApiKey { id: id.to_owned(), secret: secret.clone() })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{
        form::Form,
        table::{Field, Preferences},
    };

    fn errors(records: RecordsSettings) -> Vec<(Field, FieldError)> {
        let form = Form { desk_name: "Bus 2".into(), ..Form::default() };
        Preferences { form, records, ..Preferences::default() }.errors(false)
    }

    #[test]
    fn is_off_until_asked_for() {
        let records = RecordsSettings::default();
        assert!(!records.enabled && records.key_kept == KeyKept::Memory);
        assert_eq!(serde_json::from_str::<RecordsSettings>("{}").unwrap(), records, "what an earlier version stored");
        assert_eq!(records.debt_limit(), Ok(Some(500)));
        assert_eq!((records.old_after(), records.deleted_after()), (Ok(DAY), Ok(DAY * 30)));
        assert_eq!(records.api_key(), Ok(None));
    }

    #[test]
    fn how_the_key_is_kept_is_read_as_every_version_stored_it() {
        for (stored, kept) in [
            (r#"{"passphrase": false}"#, KeyKept::Memory),
            (r#"{"passphrase": true}"#, KeyKept::Passphrase),
            (r#"{"keyKept": "memory"}"#, KeyKept::Memory),
            (r#"{"keyKept": "passphrase"}"#, KeyKept::Passphrase),
            (r#"{"keyKept": "computer"}"#, KeyKept::Computer),
        ] {
            let records: RecordsSettings = serde_json::from_str(stored).unwrap();
            assert_eq!(records.key_kept, kept, "{stored}");
            let again = serde_json::to_string(&records).unwrap();
            assert_eq!(serde_json::from_str::<RecordsSettings>(&again).unwrap(), records);
        }
        assert!(serde_json::from_str::<RecordsSettings>(r#"{"keyKept": "nowhere"}"#).is_err());
    }

    #[test]
    fn they_are_brought_up_to_date_every_four_hours_unless_something_else_is_said() {
        let every = |typed: &str| {
            RecordsSettings { refresh_hours: typed.into(), ..RecordsSettings::default() }.refreshed_every()
        };
        assert_eq!(RecordsSettings::default().refreshed_every(), Ok(Some(Duration::from_hours(4))));
        assert_eq!(RecordsSettings::default().quiet_hours(), Ok(None));
        assert_eq!([every("0"), every(" "), every(" 168 ")], [Ok(None), Ok(None), Ok(Some(DAY * 7))]);
        assert_eq!([every("169"), every("-1"), every("often")], [(); 3].map(|()| Err(FieldError::Hours(168))));
    }

    #[test]
    fn nothing_is_kept_for_ever() {
        for (typed, days) in [("7", 7), (" 30 ", 30), ("31", 30), ("", 30), ("0", 30), ("-1", 30), ("never", 30)] {
            let records = RecordsSettings { wipe_days: typed.into(), ..RecordsSettings::default() };
            assert_eq!(records.kept_for(), DAY * days, "{typed}");
        }
    }

    #[test]
    fn reads_limits_as_people_write_them() {
        for (typed, limit) in
            [("", None), (" 0 ", Some(0)), ("7,50", Some(750)), ("12.5", Some(1_250)), ("0.009", Some(0))]
        {
            assert_eq!(
                RecordsSettings { debt_limit: typed.into(), ..RecordsSettings::default() }.debt_limit(),
                Ok(limit),
                "{typed}"
            );
        }
    }

    #[test]
    fn a_report_has_a_number_or_is_none() {
        for (typed, number) in [
            ("", Ok(None)),
            (" 12 ", Ok(Some(12))),
            ("-1", Err(FieldError::ReportNumber)),
            ("Restrictions", Err(FieldError::ReportNumber)),
        ] {
            let records = RecordsSettings { restrictions_report: typed.into(), ..RecordsSettings::default() };
            assert_eq!(records.restrictions_report(), number, "{typed}");
        }
    }

    #[test]
    fn each_field_says_what_is_wrong_with_it_once_it_matters() {
        let wrong = RecordsSettings {
            refresh_hours: "169".into(),
            quiet_hours: "night".into(),
            debt_limit: "a lot".into(),
            remind_days: "0".into(),
            wipe_days: "31".into(),
            restrictions_report: "0".into(),
            client_id: "key".into(),
            ..RecordsSettings::default()
        };
        assert_eq!(errors(wrong.clone()), []);
        assert_eq!(
            errors(RecordsSettings { enabled: true, ..wrong }),
            [
                (Field::RefreshHours, FieldError::Hours(168)),
                (Field::QuietHours, FieldError::QuietHours),
                (Field::DebtLimit, FieldError::Amount(AmountError::NotANumber)),
                (Field::RemindDays, FieldError::SomeDays(30)),
                (Field::WipeDays, FieldError::SomeDays(30)),
                (Field::RestrictionsReport, FieldError::ReportNumber),
                (Field::ClientSecret, FieldError::Missing),
            ]
        );
    }

    #[test]
    fn records_grow_old_and_end() {
        let records = RecordsSettings { remind_days: "2".into(), wipe_days: "7".into(), ..RecordsSettings::default() };
        let day = |days: i64| DeskTime::from_millis(days * 86_400_000);
        let [first, last] = [day(0), DeskTime::from_millis(i64::MAX)];
        let at = |days: i64| (records.days_old(first, day(days)), records.is_over(first, day(days)));
        assert_eq!([at(1), at(2), at(7)], [(None, false), (Some(2), false), (Some(7), false)]);
        assert!(records.is_over(first, DeskTime::from_millis(day(7).millis() + 1)));
        assert_eq!(records.days_old(last, first), None, "a clock that was set back");
        assert!(!records.is_over(last, first));
    }

    #[test]
    fn the_secret_is_not_stored_with_the_rest() {
        let records = RecordsSettings { client_secret: Secret::new("letmein"), ..RecordsSettings::default() };
        assert!(!serde_json::to_string(&records).unwrap().contains("letmein"));
    }
}
