//! The settings page as a person uses it.

use crate::{Result, page::Page};

/// Presses “Save and test” on the settings page, and waits until all is done. Returns what the page says in its bar.
///
/// # Errors
/// When it says nothing.
pub fn save(page: &Page) -> Result<String> {
    press(page, "#save")
}

/// As [`save`], with “Test only”.
///
/// # Errors
/// As [`save`].
pub fn test_only(page: &Page) -> Result<String> {
    press(page, "#test-connection")
}

fn press(page: &Page, button: &str) -> Result<String> {
    // What was said of the last time must not be read.
    page.eval("document.getElementById('settings-message').textContent = ''")?;
    page.click(button)?;
    page.wait(
        "!document.getElementById('save').disabled && document.getElementById('settings-message').textContent !== ''",
    )?;
    page.text("#settings-message")
}

/// Opens the folds in which an element of the settings page stands, as a person does.
///
/// # Errors
/// When it is not there.
pub fn unfold(page: &Page, id: &str) -> Result {
    let folded = format!("details:not([open]):has(#{id})");
    while page.eval(&format!("document.querySelector('{folded}') !== null"))? == true {
        page.click(&format!("{folded} > summary"))?;
        page.wait(&format!("document.getElementById('{id}').closest('details[open]')"))?;
    }
    Ok(())
}

/// What is said at the field of a setting that is wrong; nothing where nothing is.
///
/// # Errors
/// When the page is gone.
pub fn error_at(page: &Page, id: &str) -> Result<String> {
    let line = format!("#{id}-error");
    if page.visible(&line)? { page.text(&line) } else { Ok(String::new()) }
}
