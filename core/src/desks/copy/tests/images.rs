//! Profiles that are set back to an image of them, or are there more than once, and copy into one folder.

use super::*;

/// A profile as it was stored at some time.
#[derive(Debug, Clone)]
struct Image {
    kept: Kept,
    log: BTreeMap<u32, Entry>,
    last: u32,
    settled: Option<String>,
}

/// Computers with one folder.
struct World {
    computers: Vec<Computer>,
    folder: BTreeMap<String, String>,
    images: Vec<Image>,
    scans: u32,
}

impl World {
    fn new() -> Self {
        let mut world = Self { computers: Vec::new(), folder: BTreeMap::new(), images: Vec::new(), scans: 0 };
        world.add(Computer::new());
        world.on(0, Computer::begin);
        world
    }

    /// With one scan, which is copied, and an image taken after that.
    fn with_image() -> Self {
        let mut world = Self::new();
        world.record(0);
        world.on(0, |computer| computer.pass(MINUTE));
        world.image(0, true);
        world
    }

    fn add(&mut self, computer: Computer) {
        // No two computers draw the same.
        let drawn = 1_000_000_000 * (self.computers.len() as u64 + 1);
        self.computers.push(Computer { drawn, run: drawn, ..computer });
    }

    fn on<T>(&mut self, place: usize, act: impl FnOnce(&mut Computer) -> T) -> T {
        let computer = &mut self.computers[place];
        std::mem::swap(&mut computer.folder, &mut self.folder);
        let done = act(computer);
        std::mem::swap(&mut computer.folder, &mut self.folder);
        done
    }

    /// Something that no other computer has scanned.
    fn scan(&mut self) -> Action {
        self.scans += 1;
        Action::Return { barcode: Barcode::parse(&format!("S{}", self.scans)).unwrap() }
    }

    fn record(&mut self, place: usize) {
        let action = self.scan();
        self.on(place, |computer| {
            computer.last += 1;
            let entry = Entry::recorded(id(computer.last), Transaction { moment: moment(computer.now), action });
            computer.put_in_log(entry);
        });
    }

    fn change(&mut self, place: usize, which: usize) {
        let action = self.scan();
        self.on(place, |computer| {
            let entry = computer.log.values().nth(which % computer.log.len().max(1));
            if let Some(entry) = entry.and_then(|entry| entry.edited(action, moment(computer.now))) {
                computer.put_in_log(entry);
            }
        });
    }

    /// What is stored is kept elsewhere, as it is now; or as it is once Firefox has been closed.
    fn image(&mut self, place: usize, is_closed: bool) {
        let computer = &self.computers[place];
        let is_settled = computer.copier.as_ref().is_some_and(Copier::is_settled) && is_closed;
        self.images.push(Image {
            kept: computer.kept.clone(),
            log: computer.log.clone(),
            last: computer.last,
            settled: Some(computer.run.to_string()).filter(|_| is_settled),
        });
    }

    /// A computer, perhaps a new one, has what is stored there, and Firefox is started.
    fn set_back(&mut self, place: usize, image: usize) {
        let Some(Image { kept, log, last, settled }) = self.images.get(image % self.images.len().max(1)).cloned()
        else {
            return;
        };
        if place == self.computers.len() {
            self.add(Computer::new());
        }
        self.on(place, |computer| {
            computer.start();
            (computer.kept, computer.log, computer.last, computer.settled) = (kept, log, last, settled);
            computer.begin();
        });
    }

    /// What an import of the folder brings back, of whatever age: the codes, and those that were corrected.
    fn restorable(&self) -> BTreeSet<String> {
        let files: Vec<&String> = self.folder.values().collect();
        let piece = |text: &&String| {
            let part = Header::from_file(text.as_bytes()).ok()?.copy?;
            Some(Piece { part, has_end: has_end(text.as_bytes()) })
        };
        let pieces: Vec<Option<Piece>> = files.iter().map(piece).collect();
        let sets = sets(pieces.iter().map(Option::as_ref)).into_iter().filter(|set| !set.is_replaced && !set.is_gone);
        let mut restorable = BTreeSet::new();
        for set in sets {
            let bytes: Vec<Vec<u8>> = set.files.iter().map(|place| files[*place].clone().into_bytes()).collect();
            for entry in entries(&String::from_utf8(putting_together(&bytes).at_once().bytes).unwrap()) {
                restorable.extend(entry.history.iter().map(|past| code(&past.was)).chain([code(&entry.transaction)]));
            }
        }
        restorable
    }

    fn ever(&self) -> BTreeSet<String> {
        self.computers.iter().flat_map(|computer| computer.ever.iter().cloned()).collect()
    }

    fn others(&self, place: usize) -> bool {
        self.computers[place].kept.others.is_some()
    }
}

impl Computer {
    fn put_in_log(&mut self, entry: Entry) {
        let id = entry.id;
        self.log.insert(id.0, entry);
        self.note();
        if let Some(copier) = &mut self.copier {
            copier.changed([id], self.now);
        }
    }
}

#[test]
fn a_computer_that_is_set_back_every_night_leaves_what_was_copied_by_day_and_says_so() {
    let mut world = World::with_image();
    let image = world.folder.clone();
    for day in 1..=3 {
        world.set_back(0, 0);
        world.on(0, |computer| computer.pass(MINUTE));
        assert_eq!(world.others(0), day > 1, "on the first day the image is all there is");
        for starts in 1..=MARKS {
            world.record(0);
            world.on(0, |computer| computer.pass(MINUTE));
            // A commit, or whatever else has the log written anew.
            world.on(0, |computer| {
                let now = computer.now;
                computer.copier.as_mut().unwrap().changed_at_large(now);
                computer.pass(MINUTE);
            });
            if starts < MARKS {
                world.on(0, Computer::crash);
            }
        }
        assert_eq!(world.restorable(), world.ever(), "day {day}");
    }
    assert!(world.folder.keys().all(|name| !image.contains_key(name)), "what the image knew is removed");
    assert_eq!(world.restorable().len(), 1 + 3 * MARKS);
}

#[test]
fn of_two_that_are_the_same_each_has_a_set_of_its_own_and_the_second_to_start_knows_it() {
    let mut world = World::with_image();
    for place in [0, 1] {
        world.set_back(place, 0);
        world.on(place, |computer| computer.pass(MINUTE));
        assert_eq!(world.others(place), place == 1);
    }
    for _ in 0..3 {
        for place in [0, 1] {
            world.record(place);
            world.on(place, |computer| computer.pass(MINUTE));
        }
    }
    assert_eq!(world.restorable().len(), 7);
}

#[test]
fn who_goes_on_while_a_clone_has_taken_its_set_writes_all_of_it_anew() {
    let mut world = World::new();
    world.record(0);
    world.on(0, |computer| computer.pass(MINUTE));
    world.image(0, false);
    world.set_back(1, 0);
    world.on(1, |computer| computer.pass(MINUTE));
    assert!(!world.others(1));
    world.record(0);
    world.on(0, |computer| computer.pass(MINUTE));
    assert!(world.others(0), "the name of its next part was taken");
    assert_eq!(world.restorable(), world.ever());
    let own = world.computers[0].kept.current.as_ref().unwrap().files.name(0);
    assert_eq!(entries(&world.folder[&own]).len(), 2);
}

#[derive(Debug, Clone)]
enum Event {
    Record(usize, u8),
    Change(usize, usize),
    Pass(usize, u8),
    Steps(usize, u8),
    GoOn(usize),
    Crash(usize),
    Disk(usize, Disk),
    Image(usize, bool),
    SetBack(usize, usize),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let place = || 0_usize..3;
    // One that is full takes half of a file of this Firefox's own, which is in its log.
    let disk = prop_oneof![2 => Just(Disk::Works), 1 => Just(Disk::Refuses), 1 => Just(Disk::Holds)];
    let event = prop_oneof![
        6 => (place(), 1_u8..30).prop_map(|(place, number)| Event::Record(place, number)),
        3 => (place(), any::<usize>()).prop_map(|(place, which)| Event::Change(place, which)),
        6 => (place(), 1_u8..90).prop_map(|(place, seconds)| Event::Pass(place, seconds)),
        6 => (place(), 1_u8..6).prop_map(|(place, steps)| Event::Steps(place, steps)),
        2 => place().prop_map(Event::GoOn),
        2 => place().prop_map(Event::Crash),
        1 => (place(), disk).prop_map(|(place, disk)| Event::Disk(place, disk)),
        3 => (place(), any::<bool>()).prop_map(|(place, is_closed)| Event::Image(place, is_closed)),
        3 => (place(), any::<usize>()).prop_map(|(place, image)| Event::SetBack(place, image)),
    ];
    prop::collection::vec(event, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever was ever written into a file stands in one that an import takes, whenever whose profile is set back to whichever image.
    #[test]
    fn no_profile_takes_from_the_folder_what_its_own_log_does_not_have(events in events()) {
        let mut world = World::new();
        for event in events {
            let (Event::Record(place, _) | Event::Change(place, _) | Event::Pass(place, _) | Event::Steps(place, _)
                | Event::GoOn(place) | Event::Crash(place) | Event::Disk(place, _) | Event::Image(place, _)
                | Event::SetBack(place, _)) = event;
            // A new computer begins with an image.
            let is_new = place >= world.computers.len();
            let place = place.min(world.computers.len());
            match event {
                Event::SetBack(_, image) => world.set_back(place, image),
                _ if is_new => {}
                Event::Record(_, number) => (0..number).for_each(|_| world.record(place)),
                Event::Change(_, which) => world.change(place, which),
                Event::Pass(_, seconds) => world.on(place, |computer| computer.pass(Duration::from_secs(seconds.into()))),
                Event::Steps(_, number) => {
                    world.on(place, |computer| (0..number).for_each(|_| _ = computer.step(|_| ())));
                }
                Event::GoOn(_) => world.on(place, Computer::go_on),
                Event::Crash(_) => world.on(place, Computer::crash),
                Event::Disk(_, disk) => world.on(place, |computer| computer.disk = disk),
                Event::Image(_, is_closed) => world.image(place, is_closed),
            }
            let restorable = world.restorable();
            let lost: Vec<String> = world.ever().into_iter().filter(|code| !restorable.contains(code)).collect();
            prop_assert!(lost.is_empty(), "{lost:?} is in no file any more");
        }
        for place in 0..world.computers.len() {
            world.on(place, |computer| {
                computer.disk = Disk::Works;
                computer.pass(AGAIN[3] + MINUTE);
            });
        }
        let restorable = world.restorable();
        for computer in &world.computers {
            prop_assert!(computer.log.values().all(|entry| restorable.contains(&code(&entry.transaction))));
        }
    }
}
