//! How an entry of the log is kept: as one object, in the log and in backups alike.
//!
//! What is written and what is read stand here for all of an [`Entry`], and each names all of its fields: with a new one neither
//! compiles until it is kept.

use crate::{
    desk::{
        amount::Amount,
        barcode::{Barcode, Cardnumber},
        branch::BranchCode,
        clock::DeskTime,
        codes::Scanned,
        name::DeskName,
        transaction::{Moment, Transaction, TransactionId, Word},
    },
    log::{Entry, checked_in::CheckedIn, revision::Revision, status::Status, task::Tick, warned::Warned},
    stored::Missing,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// An entry as it is written. Earlier versions leave the fields out that are skipped here, and know nothing of some.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredRow<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<TransactionId>,
    #[serde(flatten)]
    transaction: &'a Transaction,
    #[serde(skip_serializing_if = "Scanned::is_as_meant")]
    scanned: &'a Scanned,
    status: &'a Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    desk: Option<&'a DeskName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<&'a BranchCode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<u32>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    history: &'a [Revision],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: &'a [Warned],
    #[serde(skip_serializing_if = "Option::is_none")]
    late: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    late_as_of: Option<DeskTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkin: Option<&'a CheckedIn>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    ticks: &'a [Tick],
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item_key: Option<String>,
}

impl<'a> StoredRow<'a> {
    /// As it stands in a backup.
    fn of(entry: &'a Entry) -> Self {
        let Entry { id, transaction, scanned, status, desk, branch, part, history, .. } = entry;
        let Entry { warnings, late, late_as_of, checkin, ticks, .. } = entry;
        Self {
            seq: Some(*id),
            transaction,
            scanned,
            status,
            desk: desk.as_ref(),
            branch: branch.as_ref(),
            part: Some(*part).filter(|part| *part > 0),
            history,
            warnings,
            late: *late,
            late_as_of: *late_as_of,
            checkin: checkin.as_ref(),
            ticks,
            hold: None,
            item_key: None,
        }
    }

    /// As it stands in the log, which finds it by its part, its item and its hold. Without a number where the log shall give one.
    pub fn in_log(entry: &'a Entry, number: Option<TransactionId>) -> Self {
        Self {
            seq: number,
            part: Some(entry.part),
            hold: entry.set_aside().map(|(hold, _)| hold),
            item_key: entry.transaction.action.item_key(),
            ..Self::of(entry)
        }
    }
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        StoredRow::of(self).serialize(serializer)
    }
}

/// An entry as it is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Read {
    seq: TransactionId,
    moment: Moment,
    action: Word,
    cardnumber: Option<Cardnumber>,
    barcode: Option<Barcode>,
    amount: Option<Amount>,
    #[serde(default)]
    scanned: Scanned,
    status: Status,
    desk: Option<DeskName>,
    branch: Option<BranchCode>,
    #[serde(default)]
    part: u32,
    #[serde(default)]
    history: Vec<Revision>,
    #[serde(default)]
    warnings: Vec<Warned>,
    late: Option<u32>,
    late_as_of: Option<DeskTime>,
    checkin: Option<CheckedIn>,
    #[serde(default)]
    ticks: Vec<Tick>,
}

impl TryFrom<Read> for Entry {
    type Error = Missing;
    fn try_from(read: Read) -> Result<Self, Missing> {
        let Read { seq, moment, action, cardnumber, barcode, amount, scanned, status, desk, branch, .. } = read;
        let Read { part, history, warnings, late, late_as_of, checkin, ticks, .. } = read;
        let transaction = Transaction { moment, action: action.of(cardnumber, barcode, amount)? };
        let id = seq;
        Ok(Self {
            id,
            transaction,
            scanned,
            status,
            desk,
            branch,
            part,
            history,
            warnings,
            late,
            late_as_of,
            checkin,
            ticks,
        })
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Read::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{
            clock::{ClockDifference, KohaTime},
            transaction::arbitrary,
        },
        log::{revision::Change, status::Attempt, status::Doubt, warned::Warning},
        settings::form::CommitType,
    };
    use chrono::NaiveDate;
    use proptest::{option, prelude::*, sample::select};
    use serde_json::{Value, json, to_value};

    fn warning() -> impl Strategy<Value = Warning> {
        let day = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();
        let all = vec![
            Warning::UnknownCard,
            Warning::Expired { on: day },
            Warning::Restricted { until: None },
            Warning::Restricted { until: Some(day) },
            Warning::LostCard,
            Warning::Debts { cents: crate::desk::amount::Cents::from(1_250) },
            Warning::WrongAddress,
            Warning::UnknownItem,
            Warning::PatronCard,
            Warning::OnLoan,
            Warning::OverLimit { loans: 6, limit: 5 },
            Warning::NotForLoan,
            Warning::LostItem,
            Warning::Withdrawn,
            Warning::Waiting,
            Warning::InTransit,
            Warning::Hold { hold: 7, pickup: "CPL".into() },
        ];
        select(all)
    }

    fn status() -> impl Strategy<Value = Status> {
        let attempt = Attempt {
            over: Some(DeskTime::from_millis(1_795_428_000_547)),
            ahead: Some(ClockDifference::between(KohaTime::from_millis(90_000), DeskTime::from_millis(0))),
            answer: Some("<html>".into()),
            last_in_queue: Some(3),
            own_checkin: true,
            plugin: Some("CPL".into()),
            ..Attempt::unknown(CommitType::Apply)
        };
        let bare = Attempt::unknown(CommitType::Send);
        select(vec![
            Status::Local,
            Status::Sending { attempt: bare.clone() },
            Status::Sending { attempt: attempt.clone() },
            Status::Added,
            Status::Success,
            Status::Rejected { message: "Item not found.".into() },
            Status::InDoubt { reason: Doubt::TimedOut, attempt },
            Status::InDoubt { reason: Doubt::Interrupted, attempt: bare },
            Status::Deleted,
        ])
    }

    fn time() -> impl Strategy<Value = Option<DeskTime>> {
        option::of((0..2_000_000_000_000_i64).prop_map(DeskTime::from_millis))
    }

    prop_compose! {
        fn entry()(
            id in 1..9_u32,
            transaction in arbitrary::transaction(-900..900_i16),
            (was, at) in (arbitrary::transaction(-900..900_i16), arbitrary::moment(0..60_i16)),
            status in status(),
            barcode in option::of("[0-9]{3}"),
            desk in option::of(select(vec!["Main", "Bus"])),
            part in 0..3_u32,
            refused in option::of("[a-z]{3}"),
            number in 0..3_usize,
            warning in warning(),
            (late, late_as_of, as_of) in (option::of(1..40_u32), time(), time()),
            is_confirmed: bool,
        ) -> Entry {
            let confirmed = is_confirmed.then_some(at);
            let revision = Revision { at, change: Change::Edited, was, refused };
            Entry {
                scanned: Scanned { barcode, cardnumber: None },
                status,
                desk: desk.map(|desk| DeskName::parse(desk).unwrap()),
                branch: late.map(|_| BranchCode::parse("CPL").unwrap()),
                part,
                history: vec![revision; number],
                warnings: vec![Warned { warning, confirmed, as_of }; number],
                late,
                late_as_of,
                ..Entry::recorded(TransactionId(id), transaction)
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_from_the_log_and_from_a_backup(entry in entry()) {
            let read = |stored: Value| serde_json::from_value::<Entry>(stored).unwrap();
            prop_assert_eq!(read(to_value(&entry).unwrap()), entry.clone());
            prop_assert_eq!(read(to_value(StoredRow::in_log(&entry, Some(entry.id))).unwrap()), entry);
        }
    }

    #[test]
    fn the_least_that_was_ever_written_is_read() {
        let row = json!({
            "seq": 7, "moment": {"utc": 1_795_428_000_547_i64, "offset": 60}, "action": "return", "barcode": "A",
            "status": {"state": "local"},
        });
        let entry: Entry = serde_json::from_value(row.clone()).unwrap();
        assert_eq!(to_value(&entry).unwrap(), row);
        let in_log = to_value(StoredRow::in_log(&entry, None)).unwrap();
        assert_eq!((in_log.get("seq"), &in_log["part"], &in_log["itemKey"]), (None, &json!(0), &json!("a")));
    }

    /// As versions before this module wrote it, but for `itemKey`, which a backup has not.
    #[test]
    fn all_that_a_row_can_have_is_written_byte_for_byte_as_ever() {
        let row = concat!(
            r#"{"seq":7,"moment":{"utc":1795428000547,"offset":60},"action":"issue","cardnumber":"P1","barcode":"B1","#,
            r#""scanned":{"cardnumber":"x"},"status":{"state":"in-doubt","reason":"timed-out","attempt":{"commitType":"apply","#,
            r#""server":"https://koha.example.org/","over":17,"ahead":90000,"answer":"<html>","lastInQueue":3,"ownCheckin":true,"#,
            r#""plugin":"CPL"}},"desk":"Bus","branch":"CPL","part":3,"history":[{"at":{"utc":5,"offset":0},"change":"edited","#,
            r#""was":{"moment":{"utc":5,"offset":0},"action":"return","barcode":"B0"},"refused":"no"}],"warnings":[{"kind":"#,
            r#""overLimit","loans":6,"limit":5,"confirmed":{"utc":5,"offset":0},"asOf":5}],"late":3,"lateAsOf":9,"checkin":"#,
            r#"{"said":["hold_found"],"to":"MPL"},"ticks":[{"task":"late","at":{"utc":5,"offset":0}}]"#
        );
        let entry: Entry = serde_json::from_str(&format!("{row}}}")).unwrap();
        assert_eq!(serde_json::to_string(&entry).unwrap(), format!("{row}}}"));
        let in_log = serde_json::to_string(&StoredRow::in_log(&entry, Some(entry.id))).unwrap();
        assert_eq!(in_log, format!("{row},\"itemKey\":\"b1\"}}"));
    }

    #[test]
    fn what_lacks_something_or_has_a_name_of_a_later_version_is_no_entry() {
        let row = |of: &str, value: Value| {
            let mut row = json!({
                "seq": 7, "moment": {"utc": 0, "offset": 0}, "action": "issue", "barcode": "A", "cardnumber": "B",
                "status": {"state": "local"},
            });
            row[of] = value;
            serde_json::from_value::<Entry>(row)
        };
        assert!(row("later", json!(1)).is_ok(), "what a later version adds is not looked at");
        for (of, value) in [
            ("cardnumber", json!(null)),
            ("barcode", json!(null)),
            ("action", json!("payment")),
            ("action", json!("renew")),
            ("status", json!({"state": "rejected"})),
            ("status", json!({"state": "in-doubt", "reason": "timed-out"})),
            ("status", json!({"state": "elsewhere"})),
            ("warnings", json!([{"kind": "expired"}])),
            ("warnings", json!([{"kind": "hold", "hold": 7}])),
            ("warnings", json!([{"kind": "sings"}])),
        ] {
            assert!(row(of, value.clone()).is_err(), "{of} {value}");
        }
    }
}
