//! What happened at the desk: a [`Transaction`] is an [`Action`] at a [`Moment`].

use crate::desk::{
    amount::Amount,
    barcode::{Barcode, Cardnumber},
    clock::{DeskTime, NEAR},
};
use crate::{
    ordered::{self, Rank},
    stored::Missing,
};
use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Timelike as _, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

/// The number of a transaction in its desk's log. The order of a desk is the order of these numbers, whatever the clock
/// did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TransactionId(pub u32);

impl TransactionId {
    /// These in rising order, each once.
    #[must_use]
    pub fn in_order(ids: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let mut ids: Vec<Self> = ids.into_iter().collect();
        ordered::sort(&mut ids, |id| id.rank());
        ids.dedup();
        ids
    }

    /// By which a list is sorted by number.
    #[must_use]
    pub fn rank(self) -> Rank {
        (0, self.0.into())
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// An instant as the desk's clock showed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "StoredMoment", into = "StoredMoment")]
pub struct Moment {
    utc: DateTime<Utc>,
    offset_minutes: i16,
}

/// A clock or a file gave a time that no calendar here can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the time lies outside the years 1970 to 9998, or its UTC offset beyond a day")]
pub struct MomentError;

#[derive(Serialize, Deserialize)]
struct StoredMoment {
    /// Milliseconds since 1970 in UTC.
    utc: i64,
    /// Minutes that local time was ahead of UTC.
    offset: i16,
}

impl TryFrom<StoredMoment> for Moment {
    type Error = MomentError;
    fn try_from(stored: StoredMoment) -> Result<Self, MomentError> {
        Self::new(stored.utc, stored.offset)
    }
}

impl From<Moment> for StoredMoment {
    fn from(moment: Moment) -> Self {
        Self { utc: moment.utc_millis(), offset: moment.offset_minutes }
    }
}

impl Moment {
    /// A moment from UTC milliseconds since 1970 and the minutes that the desk's local time is ahead of UTC.
    ///
    /// # Errors
    /// When the year lies outside 1970 to 9998 or the offset beyond a day.
    pub fn new(utc_millis: i64, offset_minutes: i16) -> Result<Self, MomentError> {
        let utc = DateTime::from_timestamp_millis(utc_millis).ok_or(MomentError)?;
        if !(1970..=9998).contains(&utc.year()) || offset_minutes.unsigned_abs() >= 24 * 60 {
            return Err(MomentError);
        }
        Ok(Self { utc, offset_minutes })
    }

    /// A moment from the local time at the desk.
    ///
    /// # Errors
    /// As [`Moment::new`].
    pub fn from_local(local: NaiveDateTime, offset_minutes: i16) -> Result<Self, MomentError> {
        let utc = local.checked_sub_signed(TimeDelta::minutes(i64::from(offset_minutes))).ok_or(MomentError)?;
        Self::new(utc.and_utc().timestamp_millis(), offset_minutes)
    }

    /// The instant, wherever the desk stood.
    pub fn time(&self) -> DeskTime {
        DeskTime::from_millis(self.utc_millis())
    }

    /// Milliseconds since 1970 in UTC.
    pub fn utc_millis(&self) -> i64 {
        self.utc.timestamp_millis()
    }

    /// Whole seconds since 1970 in UTC: the finest that Koha keeps.
    pub fn utc_seconds(&self) -> i64 {
        self.utc.timestamp()
    }

    /// Minutes that local time was ahead of UTC.
    pub fn offset_minutes(&self) -> i16 {
        self.offset_minutes
    }

    /// The same instant where local time is this number of minutes ahead of UTC.
    ///
    /// # Errors
    /// As [`Moment::new`].
    pub fn at_offset(self, offset_minutes: i16) -> Result<Self, MomentError> {
        Self::new(self.utc_millis(), offset_minutes)
    }

    /// What the clock on the wall showed.
    pub fn local(&self) -> NaiveDateTime {
        self.utc.naive_utc() + TimeDelta::minutes(i64::from(self.offset_minutes))
    }

    /// `YYYY-MM-DD HH:MM:SS` in UTC: the only form that every service.pl since Koha 16.05 reads in full (older
    /// ones read a `T` as midnight, newer ones answer 500 to a fraction).
    pub fn service_timestamp(&self) -> String {
        self.utc.format("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// `YYYY-MM-DDTHH:MM:SS+HH:MM`: what the clock on the wall showed, and how far that was ahead of UTC.
    pub fn iso_local(&self) -> String {
        let minutes = self.offset_minutes;
        let sign = if minutes < 0 { '-' } else { '+' };
        let (hours, minutes) = (minutes.unsigned_abs() / 60, minutes.unsigned_abs() % 60);
        // Not by a pattern: whatever reads those would be loaded with each row that is shown.
        let (day, time) = (self.local().date(), self.local().time());
        let (hour, minute, second) = (time.hour(), time.minute(), time.second());
        format!("{day}T{hour:02}:{minute:02}:{second:02}{sign}{hours:02}:{minutes:02}")
    }

    /// `YYYY-MM-DDTHH:MM:SS.sssZ`, as programs exchange times, to the last digit that was recorded.
    pub fn iso_utc(&self) -> String {
        self.utc.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
    }

    /// Later by this span, or earlier where it is negative; `None` where no calendar holds it.
    #[must_use]
    pub fn shifted(self, by: TimeDelta) -> Option<Self> {
        Self::new(self.utc_millis().checked_add(by.num_milliseconds())?, self.offset_minutes).ok()
    }

    /// This moment, or the next whole second after `earlier` where this one is not in a later second. Koha orders its
    /// queue by whole seconds and nothing else, so two transactions of one item must not share one.
    #[must_use]
    pub fn in_a_later_second_than(self, earlier: Option<Self>) -> Self {
        match earlier {
            Some(earlier) if self.utc_seconds() <= earlier.utc_seconds() => {
                Self::new((earlier.utc_seconds() + 1) * 1000, self.offset_minutes).unwrap_or(self)
            }
            _ => self,
        }
    }

    /// As [`Moment::in_a_later_second_than`] where that moves it no further than a clock is set when it is kept right. A
    /// moment that is further before `earlier` stays what the clock showed: one of the two was shown by a wrong clock, and
    /// to follow it would make both wrong.
    #[must_use]
    pub fn kept_apart_from(self, earlier: Option<Self>) -> Self {
        let moved = self.in_a_later_second_than(earlier);
        if moved.time().since(self.time()) <= NEAR { moved } else { self }
    }
}

/// What was done, in Koha's words. The person at the desk reads Checkout, Checkin and Payment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "action", rename_all = "lowercase")]
pub enum Action {
    /// A checkout.
    Issue {
        /// Who took it.
        cardnumber: Cardnumber,
        /// What was taken.
        barcode: Barcode,
    },
    /// A checkin.
    Return {
        /// What came back.
        barcode: Barcode,
    },
    /// A payment towards a patron's debts.
    Payment {
        /// Who paid.
        cardnumber: Cardnumber,
        /// How much.
        amount: Amount,
    },
}

impl Action {
    /// Koha's word for it, on the wire and in .koc files.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Issue { .. } => "issue",
            Self::Return { .. } => "return",
            Self::Payment { .. } => "payment",
        }
    }

    /// The patron, where one is named.
    pub fn cardnumber(&self) -> Option<&Cardnumber> {
        match self {
            Self::Issue { cardnumber, .. } | Self::Payment { cardnumber, .. } => Some(cardnumber),
            Self::Return { .. } => None,
        }
    }

    /// The same of this patron, where one is named.
    #[must_use]
    pub fn by(self, patron: Cardnumber) -> Self {
        match self {
            Self::Issue { barcode, .. } => Self::Issue { cardnumber: patron, barcode },
            Self::Payment { amount, .. } => Self::Payment { cardnumber: patron, amount },
            Self::Return { .. } => self,
        }
    }

    /// The same of this item, where one is named.
    #[must_use]
    pub fn of_item(self, item: Barcode) -> Self {
        match self {
            Self::Issue { cardnumber, .. } => Self::Issue { cardnumber, barcode: item },
            Self::Return { .. } => Self::Return { barcode: item },
            Self::Payment { .. } => self,
        }
    }

    /// The item, where there is one.
    pub fn barcode(&self) -> Option<&Barcode> {
        match self {
            Self::Issue { barcode, .. } | Self::Return { barcode } => Some(barcode),
            Self::Payment { .. } => None,
        }
    }

    /// The amount, where money was taken.
    pub fn amount(&self) -> Option<Amount> {
        match self {
            Self::Payment { amount, .. } => Some(*amount),
            _ => None,
        }
    }

    /// The same for all transactions of one item ([`Barcode::item_key`]).
    pub fn item_key(&self) -> Option<String> {
        self.barcode().map(Barcode::item_key)
    }
}

/// The word of an action, as it is stored.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Word {
    Issue,
    Return,
    Payment,
}

impl Word {
    /// The action of this word with what is stored beside it.
    ///
    /// # Errors
    /// The name of what is missing.
    pub(crate) fn of(
        self,
        cardnumber: Option<Cardnumber>,
        barcode: Option<Barcode>,
        amount: Option<Amount>,
    ) -> Result<Action, Missing> {
        let card = || cardnumber.ok_or(Missing("cardnumber"));
        let item = || barcode.ok_or(Missing("barcode"));
        Ok(match self {
            Self::Issue => Action::Issue { cardnumber: card()?, barcode: item()? },
            Self::Return => Action::Return { barcode: item()? },
            Self::Payment => Action::Payment { cardnumber: card()?, amount: amount.ok_or(Missing("amount"))? },
        })
    }
}

/// A transaction as it is stored: one object. Written out, since serde would keep all of an object before it reads an enum that
/// lies flat in it, and a log has many.
#[derive(Deserialize)]
struct StoredTransaction {
    moment: Moment,
    action: Word,
    cardnumber: Option<Cardnumber>,
    barcode: Option<Barcode>,
    amount: Option<Amount>,
}

impl TryFrom<StoredTransaction> for Transaction {
    type Error = Missing;
    fn try_from(stored: StoredTransaction) -> Result<Self, Missing> {
        let StoredTransaction { moment, action, cardnumber, barcode, amount } = stored;
        Ok(Self { moment, action: action.of(cardnumber, barcode, amount)? })
    }
}

/// One thing done at a desk.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "StoredTransaction")]
pub struct Transaction {
    /// When.
    pub moment: Moment,
    /// What.
    #[serde(flatten)]
    pub action: Action,
}

impl Transaction {
    /// Whether it is the same at the same instant, whatever time zone the two were written in.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.moment.utc_millis() == other.moment.utc_millis() && self.action == other.action
    }
}

#[cfg(test)]
pub(crate) mod arbitrary {
    //! Transactions for property tests.
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn moment(offset: impl Strategy<Value = i16>) -> impl Strategy<Value = Moment> {
        // 1971 to 2200.
        (31_536_000_000_i64..7_258_118_400_000, offset).prop_map(|(utc, offset)| Moment::new(utc, offset).unwrap())
    }

    fn code() -> impl Strategy<Value = String> {
        prop_oneof!["[0-9]{14}", "[A-Za-z0-9 .é📚<>&'\"-]{1,20}", "\\PC{1,20}"]
    }

    pub(crate) fn barcode() -> impl Strategy<Value = Barcode> {
        code().prop_filter_map("not a barcode", |raw| Barcode::parse(&raw).ok())
    }

    fn cardnumber() -> impl Strategy<Value = Cardnumber> {
        code().prop_filter_map("not a cardnumber", |raw| Cardnumber::parse(&raw).ok())
    }

    fn amount() -> impl Strategy<Value = Amount> {
        (0..100_000_u32, 0..1_000_000_u32)
            .prop_filter_map("zero", |(whole, part)| Amount::parse(&format!("{whole}.{part:06}")).ok())
    }

    pub(crate) fn action() -> impl Strategy<Value = Action> {
        prop_oneof![
            (cardnumber(), barcode()).prop_map(|(cardnumber, barcode)| Action::Issue { cardnumber, barcode }),
            barcode().prop_map(|barcode| Action::Return { barcode }),
            (cardnumber(), amount()).prop_map(|(cardnumber, amount)| Action::Payment { cardnumber, amount }),
        ]
    }

    pub(crate) fn transaction(offset: impl Strategy<Value = i16>) -> impl Strategy<Value = Transaction> {
        (moment(offset), action()).prop_map(|(moment, action)| Transaction { moment, action })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_offsets_beyond_a_day() {
        for offset in [i16::MIN, -1440, 1440, i16::MAX] {
            assert_eq!(Moment::new(0, offset), Err(MomentError), "{offset}");
        }
        assert!(Moment::new(0, -1439).is_ok() && Moment::new(0, 1439).is_ok());
    }

    #[test]
    fn service_pl_gets_utc_in_whole_seconds() {
        // 2026-11-23 11:00:00.547 in Paris.
        let moment = Moment::new(1_795_428_000_547, 60).unwrap();
        assert_eq!(moment.service_timestamp(), "2026-11-23 10:00:00");
        assert_eq!(moment.local().to_string(), "2026-11-23 11:00:00.547");
        assert_eq!(Moment::from_local(moment.local(), 60), Ok(moment));
    }

    #[test]
    fn refuses_what_no_calendar_holds() {
        for (utc, offset) in [(i64::MIN, 0), (i64::MAX, 0), (-1, 0), (253_402_300_800_000, 0), (0, 1440), (0, i16::MAX)]
        {
            assert_eq!(Moment::new(utc, offset), Err(MomentError), "{utc} {offset}");
        }
    }

    #[test]
    fn is_stored_flat() {
        let transaction = Transaction {
            moment: Moment::new(1_795_428_000_547, 60).unwrap(),
            action: Action::Issue {
                cardnumber: Cardnumber::parse("23529001000463").unwrap(),
                barcode: Barcode::parse("39999000001310").unwrap(),
            },
        };
        let stored = serde_json::to_value(&transaction).unwrap();
        assert_eq!(
            stored,
            serde_json::json!({
                "moment": {"utc": 1_795_428_000_547_i64, "offset": 60},
                "action": "issue", "cardnumber": "23529001000463", "barcode": "39999000001310",
            })
        );
        assert_eq!(serde_json::from_value::<Transaction>(stored).unwrap(), transaction);
    }

    proptest! {
        #[test]
        fn a_later_second_is_later(now in arbitrary::moment(-720_i16..840), last in arbitrary::moment(-720_i16..840)) {
            let moved = now.in_a_later_second_than(Some(last));
            prop_assert!(moved.utc_seconds() > last.utc_seconds());
            prop_assert!(moved == now || moved.utc_seconds() == last.utc_seconds() + 1);
            prop_assert_eq!(now.in_a_later_second_than(None), now);
        }

        #[test]
        fn a_stored_time_stays_near_what_the_clock_says(now in arbitrary::moment(Just(0_i16)), by in prop_oneof![any::<i64>(), -400_000..400_000_i64]) {
            let by = TimeDelta::try_milliseconds(by).unwrap_or(TimeDelta::MIN);
            let last = now.shifted(by);
            let kept = now.kept_apart_from(last);
            prop_assert!(kept.time().since(now.time()).abs() <= NEAR);
            let is_near = by < NEAR - TimeDelta::seconds(1);
            prop_assert!(!is_near || last.is_none_or(|last| kept.utc_seconds() > last.utc_seconds()));
        }

        #[test]
        fn storing_keeps_every_transaction(transaction in arbitrary::transaction(-720_i16..840)) {
            let stored = serde_json::to_string(&transaction).unwrap();
            prop_assert_eq!(serde_json::from_str::<Transaction>(&stored).unwrap(), transaction);
        }
    }
}
