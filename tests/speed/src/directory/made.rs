//! A made-up library: the same one each time.

use fastrand::Rng;
use koct_core::directory::record::{Item, Patron};

/// Small numbers are far more frequent, as with names.
fn frequent(random: &mut Rng, limit: u32) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below the limit")]
    let place = (random.f64().powi(4) * f64::from(limit)) as usize;
    place
}

/// Words of many syllables: as many different ones as a large town has.
pub(super) struct Words {
    surnames: Vec<String>,
    firstnames: Vec<String>,
    others: Vec<String>,
}

impl Words {
    pub(super) fn new(random: &mut Rng) -> Self {
        let syllables: Vec<String> = "b d f g h j k l m n p r s t v w z br kr sch st tr"
            .split(' ')
            .flat_map(|head| ["a", "e", "i", "o", "u", "er", "an", "ö", "ai"].map(|tail| format!("{head}{tail}")))
            .collect();
        let many = |count: u32, longest: u32, random: &mut Rng| -> Vec<String> {
            (0..count)
                .map(|_| {
                    let length = 2 + random.u32(..longest - 1);
                    let word: String =
                        (0..length).map(|_| &*syllables[random.u32(..198) as usize % syllables.len()]).collect();
                    let mut letters = word.chars();
                    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
                })
                .collect()
        };
        let mut firstnames = many(20_000, 3, random);
        "Maria".clone_into(&mut firstnames[0]);
        Self { surnames: many(150_000, 4, random), firstnames, others: many(30_000, 4, random) }
    }

    fn text(&self, words: u32, random: &mut Rng) -> String {
        (0..words).map(|_| &*self.others[frequent(random, 30_000)]).collect::<Vec<_>>().join(" ")
    }
}

pub(super) fn branch(random: &mut Rng) -> String {
    ["CPL", "MPL", "FPL", "FFL", "IPT"][random.u32(..5) as usize].to_owned()
}

pub(super) fn card(number: u32) -> String {
    // In the order in which people came, with gaps.
    format!("2{:013}", u64::from(number) * 7 + u64::from(number.wrapping_mul(0x9e37_79b9) >> 30))
}

pub(super) fn time(second: i64) -> Option<chrono::DateTime<chrono::Utc>> {
    chrono::DateTime::from_timestamp(second, 0)
}

pub(super) fn patron(id: u32, words: &Words, random: &mut Rng) -> Patron {
    let surname = words.surnames[frequent(random, 150_000)].clone();
    let firstname = words.firstnames[frequent(random, 20_000)].clone();
    let some = |one_in: u32, random: &mut Rng| random.u32(..one_in) == 0;
    Patron {
        id,
        cardnumber: card(id),
        userid: format!("{}.{}{}", firstname.to_lowercase(), surname.to_lowercase(), random.u32(..100)),
        other_names: if some(6, random) { words.firstnames[frequent(random, 20_000)].clone() } else { String::new() },
        surname,
        firstname,
        category: ["PT", "J", "YA", "ST", "S", "B"][frequent(random, 6)].to_owned(),
        library: branch(random),
        expires: chrono::NaiveDate::from_num_days_from_ce_opt(
            739_000 + i32::try_from(random.u32(..1_500)).unwrap_or(0),
        ),
        restricted: Some(some(33, random)),
        restricted_until: None,
        restriction_comment: String::new(),
        card_lost: Some(some(50, random)),
        wrong_address: Some(some(33, random)),
        owes: Some(if some(7, random) { i64::from(random.u32(..5_000)) } else { 0 }),
        staff_note: if some(12, random) { words.text(8, random) } else { String::new() },
    }
}

pub(super) fn item(id: u32, words: &Words, random: &mut Rng, title: &mut (u32, String, String)) -> Item {
    if random.u32(..3) != 0 {
        let author =
            format!("{}, {}", words.surnames[frequent(random, 150_000)], words.firstnames[frequent(random, 20_000)]);
        let length = 2 + random.u32(..6);
        *title = (title.0 + 1, words.text(length, random), author);
    }
    Item {
        id,
        barcode: format!("3{id:013}"),
        biblio: title.0,
        title: title.1.clone(),
        call_number: format!("{:03}.{} {}", random.u32(..1000), random.u32(..100), title.2.get(..3).unwrap_or("XYZ")),
        author: title.2.clone(),
        library: "CPL".to_owned(),
        materials: if random.u32(..25) == 0 { "1 disc in pocket".to_owned() } else { String::new() },
        ..Item::default()
    }
}
