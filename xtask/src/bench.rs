//! `cargo xtask bench`: how long things take, measured and printed, never asserted.

mod audit;
mod commits;
mod copying;
mod core;
mod files;
mod hostile;
mod large;
mod logins;
mod opening;
mod page;
mod records;
mod refreshing;
mod rules;
mod scrolling;
mod todo;

use crate::{addon, project::Result, setup};

/// The parts, by the names that `cargo xtask bench NAME` takes.
const PARTS: [&str; 15] = [
    "core",
    "directory",
    "logins",
    "audit",
    "commits",
    "copying",
    "refreshing",
    "opening",
    "large",
    "scrolling",
    "todo",
    "files",
    "records",
    "hostile",
    "rules",
];

/// Measures everything, or one part, and prints. With `--full` a million transactions are
/// imported, and a million patrons downloaded. The variable `KOCT_ADDON` names an add-on that is measured as it is, such as
/// an older one; else it is built.
///
/// # Errors
/// When there is no such part, or something that is measured does not work.
pub(crate) fn bench(arguments: &[&str]) -> Result {
    let full = arguments.contains(&"--full");
    let part = arguments.iter().copied().find(|argument| *argument != "--full");
    if let Some(part) = part.filter(|part| !PARTS.contains(part)) {
        return Err(format!("there is no part {part}, only {}", PARTS.join(", ")));
    }
    setup::all()?;
    let is_wanted = |name: &str| part.is_none_or(|part| part == name);
    println!("Medians, on this machine as busy as it is now: compare ratios, not milliseconds.");
    if is_wanted("core") {
        core::bench()?;
    }
    if is_wanted("directory") {
        core::directory()?;
    }
    let words = |error: Box<dyn std::error::Error + Send + Sync>| error.to_string();
    if is_wanted("logins") {
        logins::bench().map_err(words)?;
    }
    if is_wanted("audit") {
        audit::bench().map_err(words)?;
    }
    if matches!(part, Some("core" | "directory" | "logins" | "audit")) {
        return Ok(());
    }
    let addon = std::env::var_os("KOCT_ADDON").map_or_else(addon::build, |built| Ok(built.into()))?;
    if is_wanted("commits") {
        commits::bench(&addon).map_err(words)?;
    }
    if is_wanted("copying") {
        copying::bench(&addon).map_err(words)?;
    }
    if is_wanted("refreshing") {
        refreshing::bench(&addon).map_err(words)?;
    }
    if is_wanted("opening") {
        opening::bench(&addon).map_err(words)?;
    }
    if is_wanted("large") {
        large::bench(&addon).map_err(words)?;
    }
    // Two parts of the one before, which can be measured alone.
    if is_wanted("large") || is_wanted("scrolling") {
        scrolling::bench(&addon).map_err(words)?;
    }
    if is_wanted("large") || is_wanted("todo") {
        todo::bench(&addon).map_err(words)?;
    }
    if is_wanted("files") {
        files::bench(&addon, full).map_err(words)?;
    }
    if is_wanted("records") {
        records::bench(&addon, full).map_err(words)?;
    }
    if is_wanted("rules") {
        rules::bench(&addon).map_err(words)?;
    }
    if is_wanted("hostile") {
        hostile::bench(&addon).map_err(words)?;
    }
    Ok(())
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}
