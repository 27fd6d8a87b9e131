//! Makes the page of practice of the desk's own and of what popup/practice.html says that it has besides: one page to keep, and the
//! other has its policy before anything runs in it.

use crate::project::Result;

/// Where a part goes.
enum Goes {
    After,
    InPlaceOf,
}

/// The page of practice, of the desk's page and the parts.
///
/// # Errors
/// When a line that a part goes by is not there once.
pub(crate) fn page(desk: &str, parts: &str) -> Result<String> {
    let mut page: Vec<String> = desk.lines().map(str::to_owned).collect();
    for (goes, line, part) in read(parts) {
        let places: Vec<usize> =
            (0..page.len()).filter(|place| page.get(*place).is_some_and(|at| at.trim() == line)).collect();
        let [place] = places[..] else {
            return Err(format!(
                "popup/practice.html goes by a line that popup.html has {} times: {line}",
                places.len()
            ));
        };
        let from = match goes {
            Goes::After => place + 1,
            Goes::InPlaceOf => place,
        };
        page.splice(from..=place, part);
    }
    Ok(page.join("\n") + "\n")
}

/// The parts, each with where it goes.
fn read(parts: &str) -> Vec<(Goes, &str, Vec<String>)> {
    let mut read: Vec<(Goes, &str, Vec<String>)> = Vec::new();
    for line in parts.lines() {
        let named = |begins: &str| line.strip_prefix(begins)?.strip_suffix(" -->");
        if let Some(line) = named("<!-- After: ") {
            read.push((Goes::After, line, Vec::new()));
        } else if let Some(line) = named("<!-- In place of: ") {
            read.push((Goes::InPlaceOf, line, Vec::new()));
        } else if let Some((.., part)) = read.last_mut()
            && !line.is_empty()
        {
            part.push(line.to_owned());
        }
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project;
    use std::fs;

    #[test]
    fn parts_go_where_they_say() {
        let parts = "<!-- About. -->\n\n<!-- After: <a> -->\n  1\n  2\n\n<!-- In place of: <c> -->\n3\n";
        assert_eq!(page("<a>\n<b>\n  <c>\n", parts).unwrap(), "<a>\n  1\n  2\n<b>\n3\n");
        assert!(page("<a>\n<a>\n<c>\n", parts).is_err() && page("<a>\n", parts).is_err());
    }

    /// Each of these is done in one place, which asks on which ground it is: so nobody can forget it.
    #[test]
    fn what_pages_share_goes_by_the_ground() {
        let source = project::root().join("extension/src");
        let only_in = [
            ("BroadcastChannel::new(", &["ground.rs"][..]),
            (".local_storage()", &["ground.rs"]),
            ("request_lock(", &["lock.rs", "webext.rs"]),
            ("Database::open(", &["copy/store.rs", "directory/disk.rs", "store.rs"]),
            (".set(&object(", &[]),
            ("area.set(", &["ground.rs"]),
            ("set_badge_text(", &["badge.rs", "webext.rs"]),
            ("create_alarm(", &["copy.rs", "directory/refresh.rs", "webext.rs"]),
            ("fetch_with_str_and_init(", &["http.rs"]),
            ("const DATABASE", &["copy/store.rs", "directory/disk.rs", "store.rs"]),
        ];
        let mut found = vec![Vec::new(); only_in.len()];
        let mut folders = vec![source.clone()];
        while let Some(folder) = folders.pop() {
            for name in project::names(&folder).unwrap() {
                let path = folder.join(name);
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let code = fs::read_to_string(&path).unwrap();
                let file = path.strip_prefix(&source).unwrap().to_string_lossy().into_owned();
                for (place, (words, _)) in only_in.iter().enumerate() {
                    if code.contains(words) {
                        found[place].push(file.clone());
                    }
                }
            }
        }
        for ((words, places), mut found) in only_in.into_iter().zip(found) {
            found.sort();
            assert_eq!(found, places, "{words}");
        }
        // And those places ask it.
        for file in [
            "copy.rs",
            "copy/store.rs",
            "lock.rs",
            "directory/disk.rs",
            "store.rs",
            "badge.rs",
            "directory/refresh.rs",
            "http.rs",
        ] {
            assert!(fs::read_to_string(source.join(file)).unwrap().contains("ground::"), "{file}");
        }
    }

    /// A policy holds from where it stands: nothing may be loaded before it.
    #[test]
    fn the_page_can_send_nowhere_before_anything_runs() {
        let read = |name: &str| fs::read_to_string(project::root().join("popup").join(name)).unwrap();
        let page = page(&read("popup.html"), &read("practice.html")).unwrap();
        let policy = page.find(r#"<meta http-equiv="Content-Security-Policy" content="connect-src 'self'">"#).unwrap();
        let first = ["<script", "<link", "<img", "<style"].iter().filter_map(|tag| page.find(tag)).min().unwrap();
        assert!(policy < first);
        assert!(page.contains("<html lang=\"en\" data-practice>") && !page.contains("open-practice"));
    }
}
