//! Patrons and their loans come from a file in place of what was downloaded.

use super::{
    Contents, Held, RowWriter, Unfinished,
    block_store::BlockStore,
    record::{Loan, Patron, Record, Set},
    write::{CONTENTS, DOWNLOAD, Write},
};
use crate::{
    desk::clock::DeskTime,
    settings::{form::ServerUrl, records::RecordsSettings},
};

/// A file is older than records may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the file is older than records may be")]
pub struct FileTooOldError;

/// A file that is being taken over. What was there stays until all of it is read and ready.
#[derive(Debug)]
pub struct Import {
    contents: Contents,
    patrons: RowWriter<Patron>,
    loans: RowWriter<Loan>,
    as_of: DeskTime,
}

impl Import {
    /// Begins with a file of the time `as_of`, which is taken for one of this server, and gives what is to be written first, and once more where the file cannot be
    /// read to its end.
    ///
    /// # Errors
    /// When the file is older than records may be.
    pub fn new(
        contents: &Contents,
        settings: &RecordsSettings,
        server: Option<&ServerUrl>,
        as_of: DeskTime,
        desk_time: DeskTime,
    ) -> Result<(Self, Write), FileTooOldError> {
        if settings.is_over(as_of, desk_time) {
            return Err(FileTooOldError);
        }
        // A download that was broken off began before this, and is begun anew: its runs may have the numbers of these.
        let write = Write::default().state(DOWNLOAD, &None::<()>).only(contents.runs());
        let mut contents = contents.clone();
        if let Some(server) = server {
            contents.turn_to(server);
        }
        let mut run = || Unfinished::new(contents.new_run());
        let (patrons, loans) = (RowWriter::resume(run()), RowWriter::resume(run()));
        Ok((Self { contents, patrons, loans, as_of }, write))
    }

    /// Takes the next patrons, in rising order of their numbers.
    ///
    /// # Errors
    /// When they cannot be written.
    pub async fn patrons<S: BlockStore>(&mut self, store: &S, rows: &[Patron]) -> Result<(), S::Error> {
        put(store, &mut self.patrons, rows).await
    }

    /// Takes the next loans, in rising order of their numbers.
    ///
    /// # Errors
    /// When they cannot be written.
    pub async fn loans<S: BlockStore>(&mut self, store: &S, rows: &[Loan]) -> Result<(), S::Error> {
        put(store, &mut self.loans, rows).await
    }

    /// The file is read to its end: makes it ready, and gives what is to be written so that it takes the place of what was
    /// there. `prepares` is called before each set.
    ///
    /// # Errors
    /// When blocks cannot be read or written.
    pub async fn finish<S: BlockStore>(mut self, store: &S, prepares: impl Fn(Set)) -> Result<Write, S::Error> {
        prepares(Set::Patrons);
        self.contents.sets.insert(Set::Patrons, finish(store, self.patrons, self.as_of).await?);
        prepares(Set::Loans);
        self.contents.sets.insert(Set::Loans, finish(store, self.loans, self.as_of).await?);
        self.contents.gaps.clear();
        Ok(Write::default().state(CONTENTS, &self.contents).only(self.contents.runs()))
    }
}

async fn put<R: Record, S: BlockStore>(store: &S, writer: &mut RowWriter<R>, rows: &[R]) -> Result<(), S::Error> {
    for row in rows {
        // They rise, each number once: the reader sees to it.
        let _ = writer.push(row);
    }
    store.write(writer.take(false).0).await
}

async fn finish<R: Record, S: BlockStore>(
    store: &S,
    mut writer: RowWriter<R>,
    as_of: DeskTime,
) -> Result<Held, S::Error> {
    let (blocks, written) = writer.take(true);
    store.write(blocks).await?;
    let held = super::finish::<R, _>(store, written, as_of).await?;
    // What a file does not tell, such as restrictions, is told field by field.
    Ok(Held { has_extras: true, ..held })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::{
        Directory, Gap,
        block_store::BlockId,
        testing::{Memory, at_once},
    };
    use std::cell::RefCell;

    fn apply(store: &Memory, contents: &mut Contents, write: Write) {
        let mut blocks = store.blocks.borrow_mut();
        blocks.extend(write.blocks.into_iter().map(|(place, bytes)| (place, bytes.into())));
        if let Some(only) = write.only_runs {
            blocks.retain(|place, _| only.contains(&place.run));
        }
        for (name, json) in write.states {
            match name {
                CONTENTS => *contents = serde_json::from_str(&json).unwrap(),
                name => assert_eq!((name, json.as_str()), (DOWNLOAD, "null")),
            }
        }
    }

    /// Imports this number of patrons, each with a loan; where it breaks, before the end.
    fn import(store: &Memory, contents: &mut Contents, number: u32, breaks: bool) {
        let (mut import, clean) = Import::new(
            contents,
            &RecordsSettings::default(),
            None,
            DeskTime::from_millis(77),
            DeskTime::from_millis(78),
        )
        .unwrap();
        apply(store, contents, clean.clone());
        for id in 1..=number {
            let patron = Patron { id, surname: format!("S{number}"), ..Patron::default() };
            at_once(import.patrons(&store, &[patron])).unwrap();
        }
        for id in 1..=number {
            at_once(import.loans(&store, &[Loan { id, patron: id, ..Loan::default() }])).unwrap();
        }
        if breaks {
            return apply(store, contents, clean);
        }
        let told = RefCell::default();
        let write = at_once(import.finish(&store, |set| Vec::push(&mut told.borrow_mut(), set))).unwrap();
        assert_eq!(told.into_inner(), [Set::Patrons, Set::Loans]);
        apply(store, contents, write);
    }

    #[test]
    fn a_file_takes_the_place_of_what_was_there_once_it_is_read_to_its_end() {
        let (store, mut contents) = (Memory::default(), Contents::default());
        contents.gaps.insert(Set::Patrons, Gap::Absent);
        import(&store, &mut contents, 3, false);
        let held = &contents.sets[&Set::Patrons];
        assert_eq!(
            (held.rows, held.as_of, held.has_extras, held.koha_as_of),
            (3, DeskTime::from_millis(77), true, None)
        );
        assert!(contents.gaps.is_empty() && contents.sets.len() == 2);
        let before = (store.blocks.borrow().clone(), contents.clone());
        import(&store, &mut contents, 4_000, true);
        assert_eq!((store.blocks.borrow().clone(), contents.clone()), before, "as if nothing had been");
        import(&store, &mut contents, 5, false);
        let directory = Directory::new(&store, contents.clone());
        assert_eq!(at_once(directory.patron(5)).unwrap().unwrap().surname, "S5");
        assert_eq!(at_once(directory.loans_of(4)).unwrap().len(), 1);
        assert!(store.blocks.borrow().keys().all(|place| contents.runs().any(|run| run == place.run)));
    }

    #[test]
    fn a_download_that_was_broken_off_is_forgotten_before_its_runs_are_written_over() {
        let contents = Contents { next_run: 4, ..Contents::default() };
        let store = Memory::default();
        let left = BlockId { run: 5, part: 0, block: 0 };
        store.blocks.borrow_mut().insert(left, [1].into());
        let (_, clean) =
            Import::new(&contents, &RecordsSettings::default(), None, DeskTime::default(), DeskTime::default())
                .unwrap();
        assert_eq!(clean.states, [(DOWNLOAD, "null".to_owned())]);
        apply(&store, &mut contents.clone(), clean);
        assert!(store.blocks.borrow().is_empty());
    }

    #[test]
    fn a_file_is_of_the_server_that_is_set_and_what_is_of_another_goes_once_it_is_read() {
        let [here, there] = ["koha.example.org", "other.example.org"].map(|it| ServerUrl::parse(it).unwrap());
        let items = Held { run: 3, ..Held::default() };
        let contents =
            Contents { next_run: 3, sets: [(Set::Items, items)].into_iter().collect(), ..Contents::default() };
        let import = |of: &ServerUrl, server| {
            let contents = Contents { server: Some(of.as_str().into()), ..contents.clone() };
            let now = DeskTime::default();
            let (import, clean) = Import::new(&contents, &RecordsSettings::default(), Some(server), now, now).unwrap();
            assert_eq!(clean.only_runs, Some(vec![3]), "until it is read");
            let store = Memory::default();
            let (store, mut contents) = (&store, contents);
            let write = at_once(import.finish(&store, |_| {})).unwrap();
            apply(store, &mut contents, write);
            contents
        };
        let kept = import(&here, &here);
        assert!(kept.are_of(Some(&here)) && kept.sets.len() == 3);
        let turned = import(&here, &there);
        assert!(turned.are_of(Some(&there)) && !turned.sets.contains_key(&Set::Items), "{turned:?}");
    }

    #[test]
    fn a_file_that_is_too_old_is_not_taken() {
        let settings = RecordsSettings { wipe_days: "2".into(), ..RecordsSettings::default() };
        let import = |as_of| {
            let [as_of, now] = [as_of, 3 * 86_400_000].map(DeskTime::from_millis);
            Import::new(&Contents::default(), &settings, None, as_of, now)
        };
        assert_eq!(import(86_400_000 - 1).err(), Some(FileTooOldError));
        assert!(import(86_400_000).is_ok());
    }
}
