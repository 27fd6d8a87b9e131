//! axe-core: what a program can see of how accessible a page is.

use crate::{Result, page::Page};
use serde_json::Value;
use std::{fs, path::PathBuf};

/// WCAG 2.2 at level AA, with what came before it, and what axe-core thinks good besides.
const ALL: &str = "{type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}";
/// Those of them that depend on the colours in which a page is shown.
const COLOURS: &str = "{type: 'rule', values: ['color-contrast', 'link-in-text-block']}";

/// Where a dialog keeps people from the rest of the page, it alone is looked at.
const RUN: &str = "(runOnly => axe.run(document.activeElement?.closest('dialog:modal') ?? document.querySelector('dialog:modal') ?? document, {resultTypes: ['violations'], runOnly}).then(found => found.violations.flatMap(rule => \
    rule.nodes.map(node => `${rule.id}: ${node.target.join(' ')}: ${node.failureSummary.replace(/\\s+/g, ' ')}`))))";

/// What axe-core objects to in a page, a line for each element. Its script is the file that the variable `KOCT_AXE` names, which
/// `cargo xtask` sets.
///
/// # Errors
/// When there is no such file, or it does not run.
pub fn axe(page: &Page) -> Result<Vec<String>> {
    run(page, ALL)
}

/// As [`axe`], of the colours alone: for a page that was looked at in other ones.
///
/// # Errors
/// As [`axe`].
pub fn axe_of_colours(page: &Page) -> Result<Vec<String>> {
    run(page, COLOURS)
}

fn run(page: &Page, rules: &str) -> Result<Vec<String>> {
    if page.eval("typeof axe")? == "undefined" {
        let path = std::env::var_os("KOCT_AXE").map(PathBuf::from);
        let path = path.ok_or("KOCT_AXE is not set: run this by cargo xtask, with npm installed")?;
        page.run(&fs::read_to_string(path)?)?;
    }
    let found = page.eval(&format!("{RUN}({rules})"))?;
    Ok(found.as_array().ok_or("axe-core gave no list")?.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}
