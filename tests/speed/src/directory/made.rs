//! A made-up library: the same one each time.

use koct_core::directory::record::{Item, Patron};

/// Numerical Recipes' linear congruential generator: the same library each time.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((self.0 >> 33) % u64::from(limit.max(1))).unwrap_or_default()
    }

    /// Small numbers are far more frequent, as with names.
    fn frequent(&mut self, limit: u32) -> usize {
        let share = f64::from(self.below(1 << 20)) / f64::from(1 << 20);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below the limit")]
        let place = (share.powi(4) * f64::from(limit)) as usize;
        place
    }
}

/// Words of many syllables: as many different ones as a large town has.
pub(super) struct Words {
    surnames: Vec<String>,
    firstnames: Vec<String>,
    others: Vec<String>,
}

impl Words {
    pub(super) fn new(random: &mut Random) -> Self {
        let syllables: Vec<String> = "b d f g h j k l m n p r s t v w z br kr sch st tr"
            .split(' ')
            .flat_map(|head| ["a", "e", "i", "o", "u", "er", "an", "ö", "ai"].map(|tail| format!("{head}{tail}")))
            .collect();
        let many = |count: u32, longest: u32, random: &mut Random| -> Vec<String> {
            (0..count)
                .map(|_| {
                    let length = 2 + random.below(longest - 1);
                    let word: String =
                        (0..length).map(|_| &*syllables[random.below(198) as usize % syllables.len()]).collect();
                    let mut letters = word.chars();
                    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
                })
                .collect()
        };
        let mut firstnames = many(20_000, 3, random);
        "Maria".clone_into(&mut firstnames[0]);
        Self { surnames: many(150_000, 4, random), firstnames, others: many(30_000, 4, random) }
    }

    fn text(&self, words: u32, random: &mut Random) -> String {
        (0..words).map(|_| &*self.others[random.frequent(30_000)]).collect::<Vec<_>>().join(" ")
    }
}

pub(super) fn branch(random: &mut Random) -> String {
    ["CPL", "MPL", "FPL", "FFL", "IPT"][random.below(5) as usize].to_owned()
}

pub(super) fn card(number: u32) -> String {
    // In the order in which people came, with gaps.
    format!("2{:013}", u64::from(number) * 7 + u64::from(number.wrapping_mul(0x9e37_79b9) >> 30))
}

pub(super) fn time(second: i64) -> Option<chrono::DateTime<chrono::Utc>> {
    chrono::DateTime::from_timestamp(second, 0)
}

pub(super) fn patron(id: u32, words: &Words, random: &mut Random) -> Patron {
    let surname = words.surnames[random.frequent(150_000)].clone();
    let firstname = words.firstnames[random.frequent(20_000)].clone();
    let some = |one_in: u32, random: &mut Random| random.below(one_in) == 0;
    Patron {
        id,
        cardnumber: card(id),
        userid: format!("{}.{}{}", firstname.to_lowercase(), surname.to_lowercase(), random.below(100)),
        other_names: if some(6, random) { words.firstnames[random.frequent(20_000)].clone() } else { String::new() },
        surname,
        firstname,
        category: ["PT", "J", "YA", "ST", "S", "B"][random.frequent(6)].to_owned(),
        library: branch(random),
        expires: chrono::NaiveDate::from_num_days_from_ce_opt(
            739_000 + i32::try_from(random.below(1_500)).unwrap_or(0),
        ),
        restricted: Some(some(33, random)),
        restricted_until: None,
        restriction_comment: String::new(),
        card_lost: Some(some(50, random)),
        wrong_address: Some(some(33, random)),
        owes: Some(if some(7, random) { i64::from(random.below(5_000)) } else { 0 }),
        staff_note: if some(12, random) { words.text(8, random) } else { String::new() },
    }
}

pub(super) fn item(id: u32, words: &Words, random: &mut Random, title: &mut (u32, String, String)) -> Item {
    if random.below(3) != 0 {
        let author =
            format!("{}, {}", words.surnames[random.frequent(150_000)], words.firstnames[random.frequent(20_000)]);
        let length = 2 + random.below(6);
        *title = (title.0 + 1, words.text(length, random), author);
    }
    Item {
        id,
        barcode: format!("3{id:013}"),
        biblio: title.0,
        title: title.1.clone(),
        call_number: format!("{:03}.{} {}", random.below(1000), random.below(100), title.2.get(..3).unwrap_or("XYZ")),
        author: title.2.clone(),
        materials: if random.below(25) == 0 { "1 disc in pocket".to_owned() } else { String::new() },
    }
}
