//! The house has floors: no file of core, or of its reader of `borrowers.db`, imports one that imports it back, however long the way
//! round, and no module of core imports one that stands above it (the map is in `src/lib.rs`). Read off the `use` lines and the paths in
//! the code; what only tests import does not count.

#![allow(clippy::unwrap_used, reason = "in tests a failed unwrap is the failure report")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// From the ground up; rooms on one floor do not import each other.
const FLOORS: [&[&str]; 8] = [
    &["ordered", "slices", "scrolling", "stored"],
    &["desk"],
    &["settings"],
    &["log"],
    &["desks", "directory"],
    &["koha"],
    &["outbox"],
    &["processing", "practice"],
];

/// The modules of a crate by their paths, such as `log::order`, with the modules that each imports.
type Imports = BTreeMap<String, BTreeSet<String>>;

/// The files of a crate by module path, without comments and tests.
fn modules(source: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![source.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let module = path.strip_prefix(source).unwrap().with_extension("");
            let module: Vec<_> = module.iter().map(|part| part.to_str().unwrap()).collect();
            let code = code(&fs::read_to_string(&path).unwrap());
            found.insert(if module == ["lib"] { String::new() } else { module.join("::") }, code);
        }
    }
    // Modules that are compiled for tests only.
    let tests: Vec<String> = found
        .iter()
        .flat_map(|(module, code)| {
            let within = move |name: &str| join(module, name);
            code.split("#[cfg(test)]").skip(1).filter_map(move |rest| {
                let rest = rest.trim_start().trim_start_matches("pub(crate)").trim_start();
                let name = rest.strip_prefix("mod ")?.split(';').next()?.trim();
                name.chars().all(|c| c.is_alphanumeric() || c == '_').then(|| within(name))
            })
        })
        .collect();
    found.retain(|module, _| !tests.contains(module));
    found
}

fn join(module: &str, name: &str) -> String {
    if module.is_empty() { name.to_owned() } else { format!("{module}::{name}") }
}

fn of_crate(module: &str) -> String {
    if module.is_empty() { "crate".to_owned() } else { join("crate", module) }
}

/// The code without comments, and without the tests at its end. What stands in a module within the file names it as the file does.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let text = text.split("#[cfg(test)]\npub(crate) mod arbitrary {").next().unwrap_or_default();
    let mut is_within = false;
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| {
        // Who may see a name is no import.
        let line = match line.split_once("pub(in ").and_then(|(before, rest)| Some((before, rest.split_once(')')?.1))) {
            Some((before, rest)) => &format!("{before}pub{rest}"),
            None => line,
        };
        if !line.starts_with([' ', '}']) {
            is_within = line.ends_with('{') && line.split(' ').any(|word| word == "mod");
        }
        if is_within { from_within(line) } else { line.to_owned() }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A line of a module within a file with one `super` less.
fn from_within(line: &str) -> String {
    const UP: &str = "super::";
    let (mut said, mut left) = (String::new(), line);
    while let Some((before, rest)) = left.split_once(UP) {
        let others = rest.len() - rest.trim_start_matches(UP).len();
        said += before;
        said += if others > 0 { &rest[..others] } else { "self::" };
        left = &rest[others..];
    }
    said + left
}

/// Every path that the code names, groups written out: `a::{b, c::d}` are `a::b` and `a::c::d`.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    // The paths that are open: before each brace, and now.
    let mut stack: Vec<Vec<String>> = Vec::new();
    let mut now: Vec<String> = Vec::new();
    let mut letters = code.chars().peekable();
    let mut in_use = 0_usize;
    while let Some(letter) = letters.next() {
        if letter.is_alphanumeric() || letter == '_' {
            let mut word = String::from(letter);
            while let Some(next) = letters.next_if(|next| next.is_alphanumeric() || *next == '_') {
                word.push(next);
            }
            now.push(word);
            continue;
        }
        let mut ahead = letters.clone();
        if letter == ':' && ahead.next_if_eq(&':').is_some() {
            letters.next();
            if letters.next_if_eq(&'{').is_some() {
                stack.push(now.clone());
                in_use += 1;
            }
            continue;
        }
        let base = stack.last().cloned().unwrap_or_default();
        if now.len() > base.len() {
            found.push(now.clone());
        }
        if letter == '}' && in_use > 0 {
            in_use -= 1;
            stack.pop();
            now = Vec::new();
        } else {
            now = if in_use > 0 && (letter == ',' || letter.is_whitespace()) { base } else { Vec::new() };
        }
    }
    found
}

/// The names that the `use` lines of a file bring, with the path of each; a glob is named `*`.
fn uses(code: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    let starts = code.match_indices("use ").filter(|(at, _)| {
        let before = &code[..*at];
        before.is_empty() || before.ends_with(|letter: char| letter.is_whitespace())
    });
    for (at, word) in starts {
        let tree = code[at + word.len()..].split(';').next().unwrap_or_default();
        branches(tree, &[], &mut found);
    }
    found
}

/// What one tree of a `use` line brings: `a::{self, b as c, d::*}`.
fn branches(tree: &str, before: &[String], found: &mut Vec<(String, Vec<String>)>) {
    let tree = tree.trim();
    if tree.is_empty() {
        return;
    }
    let within = |head: &str| {
        let head = head.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned);
        before.iter().cloned().chain(head).collect::<Vec<_>>()
    };
    if let Some((head, group)) = tree.split_once('{') {
        let head = within(head);
        let group = group.strip_suffix('}');
        let mut depth = 0_usize;
        for part in group.unwrap_or_default().split(|letter| {
            match letter {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            letter == ',' && depth == 0
        }) {
            branches(part, &head, found);
        }
        return;
    }
    let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(path, alias)| (path, Some(alias.trim())));
    let mut path = within(path);
    if path.len() > 1 && path.last().is_some_and(|last| last == "self" || last == "*") {
        let last = path.pop();
        if last.as_deref() == Some("*") {
            found.push(("*".to_owned(), path));
            return;
        }
    }
    if let Some(name) = alias.map(str::to_owned).or_else(|| path.last().cloned()) {
        found.push((name, path));
    }
}

/// The files of a crate, and what the `use` lines of each bring.
struct Crate<'a> {
    modules: &'a BTreeMap<String, String>,
    uses: BTreeMap<&'a str, Vec<(String, Vec<String>)>>,
}

impl<'a> Crate<'a> {
    fn new(modules: &'a BTreeMap<String, String>) -> Self {
        let uses = modules.iter().map(|(module, code)| (module.as_str(), uses(code))).collect();
        Crate { modules, uses }
    }

    /// Where the modules of a path in a module end, whether it leads to a module at all, and what is left of it.
    fn walk<'b>(&self, module: &str, path: &'b [String]) -> (String, bool, &'b [String]) {
        let mut left = path;
        let mut at: Vec<&str> = module.split("::").filter(|part| !part.is_empty()).collect();
        let mut leads = matches!(left.first().map(String::as_str), Some("crate" | "self" | "super"));
        if left.first().is_some_and(|first| first == "crate") {
            at.clear();
        }
        if left.first().is_some_and(|first| ["crate", "self"].contains(&first.as_str())) {
            left = &left[1..];
        }
        while let Some((segment, rest)) = left.split_first() {
            if segment == "super" {
                at.pop();
            } else if self.modules.contains_key(&join(&at.join("::"), segment)) {
                at.push(segment);
                leads = true;
            } else {
                break;
            }
            left = rest;
        }
        (at.join("::"), leads, left)
    }

    /// The modules that a path in a module leads to: where it ends, and each that passes a name on under its own (the
    /// crate's root, a room, the file itself by a `use` line).
    fn follow(&self, module: &str, path: &[String], depth: usize, reached: &mut BTreeSet<String>) {
        let (here, leads, left) = self.walk(module, path);
        if let Some((segment, rest)) = left.split_first() {
            let brought = self.uses.get(here.as_str()).into_iter().flatten();
            for (name, way) in brought.filter(|(name, _)| depth > 0 && (name == segment || name == "*")) {
                // What a glob brings is not known: it may be this.
                let name = (name == "*").then(|| segment.to_owned());
                let way: Vec<String> = way.iter().cloned().chain(name).chain(rest.iter().cloned()).collect();
                self.follow(&here, &way, depth - 1, reached);
            }
        }
        // A name of the file's own leads nowhere; the root is the map of the house, and passes on what others have.
        if leads && !here.is_empty() {
            reached.insert(here);
        }
    }

    /// What a `use` line brings from: of a glob of the root all that the root passes on.
    fn bring(&self, module: &str, (name, path): &(String, Vec<String>), reached: &mut BTreeSet<String>) {
        self.follow(module, path, 16, reached);
        let (here, leads, left) = self.walk(module, path);
        if name == "*" && leads && here.is_empty() && left.is_empty() {
            for (_, way) in self.uses.get("").into_iter().flatten() {
                self.follow("", way, 16, reached);
            }
        }
    }

    /// Where the type is that a path in a module names at its end, whoever passes it on: `crate::log::status`, or in another crate
    /// `std::io`.
    fn home(&self, module: &str, path: &[String], depth: usize) -> String {
        let (here, leads, left) = self.walk(module, path);
        let brought = self.uses.get(here.as_str()).into_iter().flatten();
        let passes = |(name, _): &&(String, Vec<String>)| depth > 0 && left.first() == Some(name);
        if let Some((_, way)) = brought.into_iter().find(passes) {
            let way: Vec<String> = way.iter().chain(&left[1..]).cloned().collect();
            return self.home(&here, &way, depth - 1);
        }
        if leads { of_crate(&here) } else { path[..path.len().saturating_sub(1)].join("::") }
    }
}

/// What each module imports, as module paths.
fn imports(modules: &BTreeMap<String, String>) -> Imports {
    let krate = Crate::new(modules);
    let of = |module: &String, code: &String| {
        let mut imported = BTreeSet::new();
        for brought in &krate.uses[module.as_str()] {
            krate.bring(module, brought, &mut imported);
        }
        // A single name is one of the file's own, or the declaration of a child.
        for path in paths(code).into_iter().filter(|path| path.len() > 1) {
            krate.follow(module, &path, 16, &mut imported);
        }
        imported.remove(module);
        imported
    };
    modules.iter().map(|(module, code)| (module.clone(), of(module, code))).collect()
}

/// A way from a module back to itself.
fn circle(imports: &Imports) -> Option<Vec<String>> {
    fn walk(at: &str, imports: &Imports, way: &mut Vec<String>, done: &mut BTreeSet<String>) -> Option<Vec<String>> {
        if let Some(begin) = way.iter().position(|module| module == at) {
            return Some(way[begin..].iter().cloned().chain([at.to_owned()]).collect());
        }
        if done.contains(at) {
            return None;
        }
        way.push(at.to_owned());
        for next in imports.get(at).into_iter().flatten() {
            if let Some(found) = walk(next, imports, way, done) {
                return Some(found);
            }
        }
        way.pop();
        done.insert(at.to_owned());
        None
    }
    let mut done = BTreeSet::new();
    imports.keys().find_map(|module| walk(module, imports, &mut Vec::new(), &mut done))
}

/// The floor of a module; the crate's root is on none.
fn floor(module: &str) -> Option<usize> {
    let room = module.split("::").next().unwrap_or_default();
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// The imports that lead up, or to another room on the same floor.
fn upward(imports: &Imports) -> Vec<String> {
    let room = |module: &str| module.split("::").next().unwrap_or_default().to_owned();
    let mut found = Vec::new();
    for (module, imported) in imports {
        for target in imported {
            let is_wrong = floor(module).zip(floor(target)).is_some_and(|(from, to)| to >= from);
            if is_wrong && room(module) != room(target) {
                found.push(format!("{module} imports {target}"));
            }
        }
    }
    found
}

fn core() -> Imports {
    let mut imports = imports_of("src");
    // The map of the house names every room.
    imports.remove("");
    imports
}

/// The reader of borrowers.db: its root holds the reader itself, and so is a file as the others are.
fn borrowers_db() -> Imports {
    imports_of("borrowers-db/src")
}

fn imports_of(source: &str) -> Imports {
    imports(&modules(&Path::new(env!("CARGO_MANIFEST_DIR")).join(source)))
}

#[test]
fn every_module_stands_on_a_floor() {
    let imports = core();
    let homeless: Vec<_> = imports.keys().filter(|module| floor(module).is_none()).collect();
    assert!(homeless.is_empty(), "give these a floor: {homeless:?}");
    assert!(imports.len() > 40, "the files are read: {}", imports.len());
    let known = imports["outbox"].iter().any(|target| target == "koha::connection");
    assert!(known, "imports are seen: {:?}", imports["outbox"]);
}

#[test]
fn nothing_imports_what_stands_above_it() {
    let upward = upward(&core());
    assert!(upward.is_empty(), "{}", upward.join("\n"));
}

#[test]
fn no_file_imports_one_that_imports_it_back() {
    let readers = borrowers_db();
    assert!(readers["sqlite::tree"].contains("sqlite::pages"), "imports are seen: {readers:?}");
    for imports in [core(), readers] {
        let circle = circle(&imports);
        assert!(circle.is_none(), "{}", circle.unwrap_or_default().join("\n  imports "));
    }
}

/// The check itself sees what it is there for.
#[test]
fn a_circle_and_a_way_up_are_seen() {
    let files = |files: &[(&str, &str)]| {
        imports(&files.iter().map(|(module, text)| ((*module).to_owned(), code(text))).collect())
    };
    let fine = [
        ("desk", "pub mod name;\npub mod zone;"),
        ("desk::name", "use super::zone::Zone;"),
        ("desk::zone", "// use super::name::Name;\n#[cfg(test)]\nmod tests {\n    use crate::log::Entry;\n}"),
        ("log", "use crate::{\n    desk::{name::{DeskName}, zone},\n};"),
    ];
    let imports = files(&fine);
    assert_eq!(imports["log"], BTreeSet::from(["desk::name".to_owned(), "desk::zone".to_owned()]));
    assert_eq!((circle(&imports), upward(&imports)), (None, vec![]));
    let mut circular = fine;
    circular[2].1 = "fn at() -> crate::desk::name::DeskName { todo!() }";
    assert_eq!(circle(&files(&circular)).map(|way| way.len()), Some(3));
    let mut up = fine;
    up[1].1 = "use crate::{log::{self, Entry}, desk::zone};";
    assert_eq!(upward(&files(&up)), ["desk::name imports log"]);
    let mut child = fine;
    child[0].1 = "pub mod name;\nuse name::DeskName;";
    child[1].1 = "use super::Ground;";
    assert_eq!(circle(&files(&child)).map(|way| way.len()), Some(3), "also a file and its own child");
    let across =
        files(&[("desks::koc", "use crate::directory::record;"), ("directory", ""), ("directory::record", "")]);
    assert_eq!(upward(&across).len(), 1, "rooms on one floor stand alone");
}

/// Types of one name that a file names, of different modules, its own among them: whoever reads it meets both. `others` are the crates
/// whose files are known besides, by their names.
fn namesakes(krate: &Crate<'_>, module: &str, others: &[(&str, &Crate<'_>)]) -> BTreeSet<String> {
    // Those of libraries are known by the library's name, as `web_sys::Response`.
    const LIBRARIES: [&str; 6] = ["std", "serde", "de", "serde_json", "js_sys", "web_sys"];
    let code = &krate.modules[module];
    let is_type = |name: &&String| name.starts_with(char::is_uppercase) && name.contains(char::is_lowercase);
    let mut homes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in paths(code) {
        let Some(place) = path.iter().position(|name| is_type(&name)) else { continue };
        // Of a module, and not of a generic type.
        if !path[..place].last().is_some_and(|home| home.starts_with(char::is_lowercase)) {
            continue;
        }
        let mut home = krate.home(module, &path[..=place], 16);
        for (name, other) in others {
            let within = home.strip_prefix(name).filter(|within| within.is_empty() || within.starts_with("::"));
            if let Some(within) = within {
                let way: Vec<String> =
                    format!("crate{within}::{}", path[place]).split("::").map(str::to_owned).collect();
                home = join(name, &other.home("", &way, 16));
            }
        }
        if !LIBRARIES.contains(&home.split("::").next().unwrap_or_default()) {
            homes.entry(path[place].clone()).or_default().insert(home);
        }
    }
    let words: Vec<&str> = code.split(|letter: char| !letter.is_alphanumeric() && letter != '_').collect();
    for pair in words.windows(2).filter(|pair| ["struct", "enum", "union", "trait"].contains(&pair[0])) {
        homes.entry(pair[1].to_owned()).or_default().insert(of_crate(module));
    }
    homes.into_iter().filter(|(_, homes)| homes.len() > 1).map(|(name, homes)| format!("{name}: {homes:?}")).collect()
}

#[test]
fn no_file_names_two_types_of_one_name() {
    let read = |source: &str| modules(&Path::new(env!("CARGO_MANIFEST_DIR")).join(source));
    let [core, borrowers_db, extension] = ["src", "borrowers-db/src", "../extension/src"].map(read);
    let [core, borrowers_db, extension] = [&core, &borrowers_db, &extension].map(Crate::new);
    let of = |krate: &Crate<'_>, others: &[(&str, &Crate<'_>)]| {
        let found = krate.modules.keys().flat_map(|module| {
            namesakes(krate, module, others).into_iter().map(move |names| format!("{module} has two {names}"))
        });
        found.collect::<Vec<_>>()
    };
    let of_core = ("koct_core", &core);
    let of_both = [of_core, ("koct_borrowers_db", &borrowers_db)];
    let found = [of(&core, &[]), of(&borrowers_db, &[of_core]), of(&extension, &of_both)].concat();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The check itself sees what it is there for.
#[test]
fn two_types_of_one_name_are_seen_however_they_come() {
    let names = |code: &str| {
        let files = [
            ("", "pub use log::{Entry, rows::Row as LogRow};"),
            ("log", "pub mod rows;\npub struct Entry;"),
            ("log::rows", "pub struct Row;"),
            ("koha", "pub mod rows;\npub struct Entry;\npub struct Step;"),
            ("koha::rows", "pub struct Row;"),
            ("koha::login", "pub struct Step;"),
            ("file", code),
        ];
        let files = files.map(|(module, code)| (module.to_owned(), code.to_owned())).into();
        let found = namesakes(&Crate::new(&files), "file", &[]);
        found.iter().map(|names| names.split(':').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for (code, found) in [
        (
            "use crate::koha::{self, login::Step};\nenum Next { A }\nfn next(step: koha::Step) -> login::Next {}",
            &["Next", "Step"][..],
        ),
        ("use web::Step;\nfn go(step: Step) -> web_sys::Step {}", &[]),
        // By the root, by modules that are called alike, and under another name.
        ("use crate::{Entry, koha};\nfn go(one: Entry, other: koha::Entry) {}", &["Entry"]),
        ("use crate::{koha, log::rows};\nfn go(one: rows::Row, other: koha::rows::Row) {}", &["Row"]),
        ("use crate::koha::rows::{self as theirs, Row};\nfn go(one: Row, other: theirs::Row) {}", &[]),
        ("use crate::{Entry, log};\nfn go(one: Entry, other: log::Entry, more: crate::log::Entry) {}", &[]),
    ] {
        assert_eq!(names(code), found, "{code}");
    }
}

/// However a name comes: passed on by the root or by a room, by a glob, or through a module that a `use` line names.
#[test]
fn what_is_passed_on_counts_as_imported_from_where_it_is() {
    let files = |files: &[(&str, &str)]| {
        imports(&files.iter().map(|(module, text)| ((*module).to_owned(), code(text))).collect())
    };
    let by_root = files(&[
        ("", "pub mod desk;\npub mod log;\npub use log::{\n    Entry,\n    status::{State, Status as How},\n};"),
        ("desk", "pub mod name;"),
        ("desk::name", "use crate::{Entry, How};"),
        ("log", "pub mod status;"),
        ("log::status", ""),
    ]);
    assert_eq!(upward(&by_root), ["desk::name imports log", "desk::name imports log::status"]);

    for all in ["use crate::*;", "use super::super::*;", "pub use crate::{log::{}, *};"] {
        let by_glob = files(&[
            ("", "pub mod desk;\npub mod log;\npub use log::Entry;"),
            ("desk", "pub mod name;"),
            ("desk::name", &format!("{all}\nfn at(entry: Entry) {{}}")),
            ("log", ""),
        ]);
        assert_eq!(upward(&by_glob), ["desk::name imports log"], "{all}");
    }

    let within = |line: &str| {
        files(&[
            ("log", ""),
            ("log::order", &format!("pub(super) mod all {{\n    use {line};\n}}\nuse super::slip::Slip;")),
            ("log::slip", ""),
            ("log::todo", "use super::order::Order;"),
        ])
    };
    for line in ["super::super::todo::Row", "super::super::super::log::todo", "super::super::{slip, todo::{self, Row}}"]
    {
        let imports = within(line);
        let expected = ["log::slip", "log::todo"].map(str::to_owned);
        assert_eq!(imports["log::order"], BTreeSet::from(expected), "{line}");
        assert!(circle(&imports).is_some(), "{line}");
    }

    let by_name = files(&[
        ("desk", "use crate::log;\nfn at(state: log::status::State) {}"),
        ("log", "pub mod status;"),
        ("log::status", "use crate::{log as all};\nfn at(entry: all::Entry, order: all::order::Order) {}"),
        ("log::order", "use super::status::{self, State};"),
    ]);
    assert_eq!(by_name["desk"], BTreeSet::from(["log".to_owned(), "log::status".to_owned()]));
    let way = circle(&by_name).unwrap_or_default();
    assert!(way.iter().any(|module| module == "log::order"), "{way:?}");

    let passed_on = |room: &'static str| {
        files(&[
            ("log", "mod todo;\npub use todo::row::Row;"),
            ("log::todo", room),
            ("log::todo::row", "pub use super::super::order::Order;"),
            ("log::order", "use super::todo::Row;"),
        ])
    };
    for room in ["pub use row::Row;", "pub use row::*;", "pub use self::{row as line, line::Row};"] {
        let imports = passed_on(room);
        assert!(imports["log::order"].contains("log::todo::row"), "{room}: {:?}", imports["log::order"]);
        let way = circle(&imports).unwrap_or_default();
        assert!(way.iter().any(|module| module == "log::todo::row"), "{room}: {way:?}");
    }
}
