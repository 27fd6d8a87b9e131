//! Files `borrowers.db` as both of their writers make them, with real SQLite. All people in them are made up.
//!
//! `cargo run -p koct-borrowers-tests` writes `koha.db` and `desktop.db` beside this crate's manifest, and the seeds for
//! `tests/fuzz/`. The bytes depend on the version of SQLite, what they say does not; the tests compare that.

use rusqlite::{Connection, Result, ToSql, params};

/// A patron as Koha has it: number, cardnumber, surname, first name, debts.
type Borrower = (u32, &'static str, &'static str, Option<&'static str>, Option<&'static str>);

/// Numbers as MySQL gives them out, with gaps. The debts are sums of `decimal(28,6)`.
const BORROWERS: [Borrower; 7] = [
    (2, "23529000000021", "Abernathy", Some("Ruth"), None),
    (5, "23529000000054", "Müller-Łódź", Some("Jürgen"), Some("12.500000")),
    (19, "23529000000191", "O'Brien", Some("Máire"), Some("0.000000")),
    (20, "23529000000203", "田中", Some("花子"), Some("-3.000000")),
    (51, "0000051", "Bookmobile 📚", None, Some("0.300000")),
    (700, "", "No-Card", Some("Nora"), Some("7.005000")),
    (1200, "23529000012005", "Zeller", Some("Ömer"), Some("1234.560000")),
];

/// Long enough to go on on a second page.
fn long_title() -> String {
    "A very long title, of the kind that old books have, in which all of what follows is told at once; ".repeat(60)
}

/// A loan: the patron's number, the due date, the call number, the title, the item type.
type Issue = (u32, Option<&'static str>, Option<&'static str>, String, &'static str);

fn issues() -> Vec<Issue> {
    vec![
        (1200, Some("2026-12-01 23:59:00"), Some("FIC Zel"), "The Late Train".into(), "BK"),
        (5, Some("2026-11-20 23:59:00"), Some("914.38 Łód"), "Łódź bei Nacht".into(), "BK"),
        (5, Some("2026-11-23 17:30:00"), None, "Headphones /".into(), "EQ"),
        (2, Some("2026-12-14 23:59:00"), Some("RARE 17"), long_title(), "BK"),
        (20, None, Some("J 895.6"), "ねこ 🐈".into(), "BK"),
        (5, Some("2026-12-24 23:59:00"), Some("641.5"), "Soups".into(), "BK"),
    ]
}

/// As Koha's `create_koc_db.pl` makes it with `--sqlite3`: columns in the order of a Perl hash, types as MySQL names them,
/// every value bound as a text.
///
/// # Errors
/// When SQLite does not do it.
pub fn koha() -> Result<Vec<u8>> {
    let mut file = Connection::open_in_memory()?;
    file.execute_batch(
        "CREATE TABLE borrowers ( \nphone mediumtext,surname longtext,borrowernumber int,dateofbirth date,firstname mediumtext,\
         cardnumber varchar(32),city longtext,address longtext , \n total_fines decimal(28,6)  ) ;
         CREATE TABLE issues ( \n title longtext , \n itemtype varchar(10) , \n date_due datetime , \n borrowernumber int , \n \
         itemcallnumber varchar(255)  ) ;
         BEGIN",
    )?;
    for (number, cardnumber, surname, firstname, fines) in BORROWERS {
        file.execute(
            "INSERT INTO borrowers ( dateofbirth,city,surname,cardnumber,firstname,borrowernumber,phone,address,total_fines ) \
             VALUES ( ?,?,?,?,?,?,?,?,? )",
            params!["1990-01-31", "Springfield", surname, cardnumber, firstname, number.to_string(), None::<&str>, "1 Elm St", fines],
        )?;
    }
    for (number, due, call_number, title, kind) in issues() {
        file.execute(
            "INSERT INTO issues ( borrowernumber,date_due,itemcallnumber,title,itemtype ) VALUES ( ?,?,?,?,? )",
            params![number.to_string(), due, call_number, title, kind],
        )?;
    }
    file.execute_batch("COMMIT")?;
    bytes(&mut file)
}

/// As the desktop tool makes it, and changes it when it is used again.
///
/// # Errors
/// When SQLite does not do it.
pub fn desktop() -> Result<Vec<u8>> {
    let mut file = Connection::open_in_memory()?;
    file.execute_batch(
        "BEGIN;
         CREATE TABLE borrowers ( borrowernumber INTEGER PRIMARY KEY, cardnumber TEXT, surname TEXT, firstname TEXT, \
         address TEXT, city TEXT, phone TEXT, dateofbirth TEXT, total_fines REAL );
         CREATE INDEX borrowers_cardnumber ON borrowers ( cardnumber );
         CREATE TABLE issues ( borrowernumber INTEGER, date_due TEXT, itemcallnumber TEXT, title TEXT, itemtype TEXT );
         CREATE INDEX issues_borrowernumber ON issues ( borrowernumber );",
    )?;
    for (number, cardnumber, surname, firstname, fines) in BORROWERS {
        let fines: f64 = fines.and_then(|fines| fines.parse().ok()).unwrap_or_default();
        file.execute(
            "INSERT OR REPLACE INTO borrowers VALUES ( ?, ?, ?, ?, ?, ?, ?, ?, ? )",
            params![
                number.to_string(),
                cardnumber,
                surname,
                firstname,
                "1 Elm St",
                "Springfield",
                "",
                "1990-01-31",
                fines
            ],
        )?;
    }
    // The loans are always replaced as a whole, so the file has free pages and rows.
    for round in 0..2 {
        file.execute("DELETE FROM issues", [])?;
        for (number, due, call_number, title, kind) in issues() {
            let due = if round == 0 { Some("2026-01-01 23:59:00") } else { due };
            file.execute(
                "INSERT INTO issues VALUES ( ?, ?, ?, ?, ? )",
                params![number.to_string(), due, call_number, title, kind],
            )?;
        }
    }
    file.execute_batch("COMMIT")?;
    bytes(&mut file)
}

/// The smallest files there are, for fuzzing: pages of 512 bytes, a row or two. By their names.
///
/// # Errors
/// When SQLite does not do it.
pub fn small() -> Result<Vec<(&'static str, Vec<u8>)>> {
    let one = |pragma: &str, borrowers: &str, title: &str| {
        let mut file = Connection::open_in_memory()?;
        file.execute_batch(pragma)?;
        file.execute_batch("PRAGMA page_size = 512")?;
        file.execute_batch(borrowers)?;
        file.execute_batch("CREATE TABLE issues(borrowernumber INT, title, date_due)")?;
        file.execute("INSERT INTO borrowers VALUES (2, 'C2', 'Zeller', 1.5), (5, 'C5', 'Łódź', NULL)", [])?;
        let due: [&dyn ToSql; 2] = [&title, &"2026-12-01 23:59:00"];
        file.execute("INSERT INTO issues VALUES (5, ?, ?)", due)?;
        bytes(&mut file)
    };
    let koha = "CREATE TABLE borrowers(borrowernumber int, cardnumber, surname, total_fines)";
    let desktop = "CREATE TABLE borrowers(borrowernumber INTEGER PRIMARY KEY, cardnumber, surname, total_fines)";
    Ok(vec![
        ("koha.db", one("", koha, "Soups")?),
        ("desktop.db", one("", desktop, "Soups")?),
        ("long-title.db", one("", koha, &"Soups ".repeat(150))?),
        ("utf16.db", one("PRAGMA encoding = 'UTF-16le'", desktop, "Soups")?),
    ])
}

/// A large one, as Koha makes it: a number of patrons, and for three of ten a loan.
///
/// # Errors
/// When SQLite does not do it.
pub fn large(patrons: u32) -> Result<Vec<u8>> {
    let mut file = Connection::open_in_memory()?;
    file.execute_batch(
        "CREATE TABLE borrowers(phone mediumtext, surname longtext, borrowernumber int, dateofbirth date, \
         firstname mediumtext, cardnumber varchar(32), city longtext, address longtext, total_fines decimal(28,6));
         CREATE TABLE issues(title longtext, itemtype varchar(10), date_due datetime, borrowernumber int, \
         itemcallnumber varchar(255));
         BEGIN",
    )?;
    {
        let mut borrower = file.prepare("INSERT INTO borrowers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")?;
        let mut issue = file.prepare("INSERT INTO issues VALUES (?, ?, ?, ?, ?)")?;
        for number in 1..=patrons {
            let fines = (number % 5 == 0).then(|| format!("{}.500000", number % 40));
            borrower.execute(params![
                format!("555-{number:07}"),
                format!("Surname{}", number % 50_000),
                number.to_string(),
                "1990-01-31",
                format!("Firstname{}", number % 3_000),
                format!("23529{number:09}"),
                "Springfield",
                format!("{number} Elm Street"),
                fines
            ])?;
        }
        // Loans come as they were made, whoever has them.
        for loan in 0..patrons / 10 * 3 {
            let number = (u64::from(loan) * 7_919 % u64::from(patrons.max(1))) + 1;
            issue.execute(params![
                format!("The adventures of number {loan}, and what came of them /"),
                "BK",
                format!("2026-12-{:02} 23:59:00", loan % 28 + 1),
                number.to_string(),
                format!("FIC {loan}")
            ])?;
        }
    }
    file.execute_batch("COMMIT")?;
    bytes(&mut file)
}

/// The file that SQLite would write.
///
/// # Errors
/// When SQLite does not do it.
pub fn bytes(file: &mut Connection) -> Result<Vec<u8>> {
    file.serialize("main").map(|data| data.to_vec())
}
