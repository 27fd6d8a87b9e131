use super::*;
use crate::{
    desk::{
        barcode::Barcode,
        name::DeskName,
        transaction::{Action, Moment, Transaction, TransactionId},
    },
    desks::backup::{Header, Line, Writer, running::Running, write},
    log::{Entry, status::Status},
    settings::form::CommitType,
};

fn now() -> Moment {
    Moment::new(1_795_428_000_000, 60).unwrap()
}

fn entry(id: u32, status: Status) -> Entry {
    let moment = Moment::new(1_795_428_000_000 + i64::from(id) * 1_000, 60).unwrap();
    let action = Action::Return { barcode: Barcode::parse(&format!("B{id}")).unwrap() };
    Entry { status, ..Entry::recorded(TransactionId(id), Transaction { moment, action }) }
}

fn part(of: u64, number: u32, replaces: &[u64]) -> Part {
    let replaces = replaces.iter().copied().map(SetId::drawn).collect();
    Part { of: SetId::drawn(of), number, replaces, closes: false }
}

fn file(part: Part, entries: &[Entry]) -> Vec<u8> {
    let (mut writer, mut text) =
        Writer::begin(&Header::new(DeskName::parse("Bus").unwrap(), now()).with(Some(part), None));
    text += &writer.add(entries.iter().cloned().map(Box::new).map(Line::Transaction));
    text += &writer.add([Line::Cleared("Bus\t0123".into())]);
    (text + &writer.end().0).into_bytes()
}

fn piece(part: Part) -> Piece {
    Piece { part, has_end: true }
}

#[test]
fn files_are_sorted_into_their_sets_whatever_their_order_and_what_is_missing_is_told() {
    let pieces = [
        Some(piece(part(1, 3, &[]))),
        None,
        Some(piece(part(2, 0, &[9]))),
        Some(piece(part(1, 0, &[]))),
        Some(piece(part(2, 5, &[]))),
        Some(piece(part(1, 1, &[]))),
        Some(piece(part(3, 2, &[]))),
    ];
    let set = |files: &[usize], missing: &[u32]| Set {
        files: files.to_vec(),
        is_replaced: false,
        is_gone: false,
        missing: missing.into(),
    };
    assert_eq!(
        sets(pieces.iter().map(Option::as_ref)),
        [set(&[3, 5, 0], &[2]), set(&[2, 4], &[1, 2, 3, 4]), set(&[6], &[0, 1])]
    );
    // Of one nothing is left but the file that closed it; of another it was not chosen what comes before.
    let closing = |of, number| Some(piece(Part { closes: true, ..part(of, number, &[]) }));
    let pieces = [closing(1, 4), closing(2, 2), Some(piece(part(2, 1, &[])))];
    let left = Set { files: vec![0], is_replaced: false, is_gone: true, missing: vec![0, 1, 2, 3] };
    assert_eq!(sets(pieces.iter().map(Option::as_ref)), [left, set(&[2, 1], &[0])]);
    // A number that no copy has stops nobody.
    let far = Some(piece(part(1, u32::MAX, &[])));
    assert_eq!(sets([far.as_ref()])[0].missing.len(), MOST_MISSING);
}

#[test]
fn an_older_set_is_taken_only_where_the_newer_one_is_not_whole() {
    let old = Some(piece(part(1, 0, &[])));
    let new = Piece { part: part(2, 0, &[1]), has_end: true };
    let replaced = |new: &Piece| sets([old.as_ref(), Some(new)]).iter().map(|set| set.is_replaced).collect::<Vec<_>>();
    assert_eq!(replaced(&new), [true, false]);
    assert_eq!(replaced(&Piece { has_end: false, ..new }), [false, false]);
}

#[test]
fn of_each_transaction_that_is_taken_which_was_written_last() {
    let whole = file(part(1, 0, &[]), &[entry(1, Status::Local), entry(2, Status::Local)]);
    let first = file(part(1, 1, &[]), &[entry(3, Status::Local), entry(1, Status::Added)]);
    let second = file(part(1, 2, &[]), &[entry(1, Status::Deleted), entry(4, Status::Local)]);
    let files = [whole.clone(), first, second];
    let (together, slices) = crate::slices::in_slices(putting_together(&files), 1);
    assert_eq!(slices, 1, "a few lines are no work");
    let text = String::from_utf8(together.bytes.clone()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].contains("\"copy\":{\"of\":\"000000000001\",\"number\":0}"), "{text}");
    let line = |id, status| write(&Line::Transaction(Box::new(entry(id, status)))).trim_end().to_owned();
    let [one, two, three, four] =
        [line(1, Status::Deleted), line(2, Status::Local), line(3, Status::Local), line(4, Status::Local)];
    assert_eq!(lines[1..5], [one, two, three, four]);
    assert_eq!(lines[5..], ["{\"cleared\":\"Bus\\t0123\"}"], "once, and no end");
    assert_eq!(
        (together.origin(2), together.origin(3), together.origin(5)),
        (Some((2, 2)), Some((0, 3)), Some((2, 3)))
    );
    assert_eq!((together.origin(0), together.origin(7), &together.cut), (None, None, &vec![]));
}

#[test]
fn a_file_that_is_cut_anywhere_gives_what_is_whole_of_it() {
    let whole = file(part(1, 0, &[]), &[entry(1, Status::Local), entry(2, Status::Local)]);
    let text = String::from_utf8(whole.clone()).unwrap();
    for cut in text.find('\n').unwrap() + 1..whole.len() - 1 {
        let files = [whole[..cut].to_vec(), file(part(1, 1, &[]), &[entry(3, Status::Local)])];
        let together = putting_together(&files).at_once();
        assert_eq!(together.cut, [0], "cut at {cut}");
        let found = String::from_utf8(together.bytes).unwrap();
        let has = |id: u32| found.contains(&write(&Line::Transaction(Box::new(entry(id, Status::Local)))));
        let ends =
            |id: u32| text.find(&format!("\"seq\":{}", id + 1)).map_or(cut, |at| at - "{\"transaction\":{".len());
        assert!(
            has(3) && (has(1) || cut < ends(1)) && !found.contains("\"seq\":2,\"moment\":{\"utc\":1}"),
            "cut at {cut}"
        );
        assert!(found.lines().skip(1).all(|line| crate::desks::backup::read(line).is_ok()), "cut at {cut}: {found}");
    }
    // What is damaged in the middle is not left out in silence.
    let damaged = text.replacen("\"seq\":1,", "\"seq\":-1,", 1).into_bytes();
    let together = putting_together(&[damaged]).at_once();
    assert!(String::from_utf8(together.bytes.clone()).unwrap().contains("\"seq\":-1"));
    let line = 1 + together
        .bytes
        .split(|byte| *byte == b'\n')
        .position(|line| line.starts_with(b"{\"transaction\":{\"seq\":-1"))
        .unwrap();
    assert_eq!(together.origin(line), Some((0, 2)));
}

#[test]
fn an_end_is_known_by_its_last_line_alone() {
    let whole = file(part(1, 0, &[]), &[entry(1, Status::Local)]);
    assert!(has_end(&whole) && has_end(&[&whole[..], b"\n\n"].concat()));
    for other in [
        &b""[..],
        b"\n",
        b"{\"end\":{}}",
        b"{\"end\":{\"transactions\":1,\"commits\":0,\"cleared\":0}}\n{}",
        &whole[..9],
    ] {
        assert!(!has_end(other), "{}", String::from_utf8_lossy(other));
    }
}

#[test]
fn a_commit_that_ran_when_any_file_was_written_may_have_sent_more() {
    let running =
        |up_to| Running { up_to: TransactionId(up_to), commit_type: CommitType::Apply, server: "https://koha".into() };
    let file = |number, running: Option<&Running>| {
        let header =
            Header::new(DeskName::parse("Bus").unwrap(), now()).with(Some(part(1, number, &[])), running.cloned());
        let (mut writer, mut text) = Writer::begin(&header);
        text += &writer.add([Line::Transaction(Box::new(entry(number + 1, Status::Local)))]);
        (text + &writer.end().0).into_bytes()
    };
    let told = |files: &[Option<&Running>]| {
        let files: Vec<Vec<u8>> = (0..).zip(files).map(|(number, running)| file(number, *running)).collect();
        let together = putting_together(&files).at_once();
        let header = Header::from_file(&together.bytes).unwrap();
        assert_eq!((&header.copy, together.lines[0]), (&Some(part(1, 0, &[])), (0, 1)));
        header.running
    };
    let (first, second) = (running(1), running(2));
    assert_eq!(told(&[None, Some(&first)]), Some(first.clone()));
    assert_eq!(told(&[None, Some(&first), None]), Some(first.clone()), "who has ended it begins a new set");
    assert_eq!(told(&[Some(&first), Some(&second)]), Some(second));
    assert_eq!(told(&[Some(&first)]), Some(first));
    assert_eq!(told(&[None, None]), None);
}
