//! The message line says what has just happened; errors stay until they are dealt with.
//!
//! The line (`#message`, a polite live region) always holds the latest message, and is always as high; what is longer, and the
//! errors before, open over the page by a button. An error that something else writes over moves from the line into the list
//! above it (`#errors`), so it is on the page once, at either place with a button that closes it. It goes by itself when its topic
//! has news: an export that works takes away the one that failed. The answer to a scan is no such error: a scan that was refused
//! is kept, with its values, by `attention`.

use super::focus::Focus;
use crate::{
    dom::{self, elements},
    i18n::{text, text_with},
    locale,
    sound::{Player, Sound},
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlAnchorElement, HtmlElement};

/// How a message is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// All went well.
    Good,
    /// Something must be done.
    Bad,
    /// Something must be looked at.
    Doubt,
    /// Something is to be done with what is in the hand.
    Do,
}

/// What a message is about: the latest about something takes the place of earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    Commit,
    Export,
    Import,
    Backup,
    Clear,
    Print,
    /// Undo, corrections, decisions.
    Change,
    /// Whether the log is there at all.
    Log,
    /// Anything else: stays until it is closed.
    Other,
}

/// A text of this number of bytes has room in any window.
const IN_ONE_LINE: usize = 60;

elements! {
    pub(crate) struct Message(focus: Rc<Focus>) {
        place: HtmlElement = "message-box",
        line: HtmlElement = "message",
        more: HtmlElement = "message-more",
        close: HtmlElement = "message-close",
        errors: HtmlElement = "errors",
        ;
        /// The errors in the list.
        kept: RefCell<Vec<(Topic, HtmlElement)>>,
        /// What the error in the line is about, where it is one that stays.
        in_line: Cell<Option<Topic>>,
        /// Whether the line answers a scan with something to do or to look at.
        calls: Cell<bool>,
        player: Player,
        sounds: Cell<bool>,
    }
}

/// The message line, for messages about something.
pub(crate) struct About<'a>(&'a Rc<Message>, Topic);

impl About<'_> {
    /// Shows this text alone, and takes away what was said about this before.
    pub(crate) fn show(&self, tone: Tone, text: &str) {
        self.0.put(tone, text, Some(self.1));
    }

    /// Adds a link that opens in a tab of its own.
    pub(crate) fn add_link(&self, text: &str, url: &str) {
        let Some(link) = dom::document().ok().and_then(|document| document.create_element("a").ok()) else { return };
        let link: HtmlAnchorElement = link.unchecked_into();
        link.set_href(url);
        link.set_target("_blank");
        link.set_rel("noreferrer noopener");
        link.set_text_content(Some(text));
        let _ = self.0.line.append_with_str_1(" ");
        let _ = self.0.line.append_with_node_1(&link);
        self.0.show_more();
    }
}

impl Message {
    /// Binds the button that closes an error.
    pub(crate) fn bind(self: &Rc<Self>) {
        dom::bind(&self.close, "click", self, |message| {
            message.line.set_text_content(None);
            message.set_in_line(None);
            message.show_more();
            message.focus.back();
        });
        dom::bind(&self.more, "click", self, |message| {
            let opens = !message.is_open();
            message.open(opens);
            message.focus.back();
        });
        if let Ok(window) = dom::window() {
            dom::bind(window.as_ref(), "resize", self, |message| message.show_more());
        }
    }

    /// Whether answers to scans are heard.
    pub(crate) fn set_sounds(&self, on: bool) {
        self.sounds.set(on);
    }

    /// For messages about this.
    pub(crate) fn about(self: &Rc<Self>, topic: Topic) -> About<'_> {
        About(self, topic)
    }

    /// Shows this text alone.
    pub(crate) fn show(self: &Rc<Self>, tone: Tone, text: &str) {
        self.put(tone, text, Some(Topic::Other));
    }

    /// Shows what the bar says too: not in place of what is to be done with what somebody has in their hands.
    pub(crate) fn show_besides(self: &Rc<Self>, tone: Tone, text: &str) {
        if !self.calls.get() {
            self.show(tone, text);
        }
    }

    /// Answers a scan or a key at the desk: shown, and heard where that is wanted.
    pub(crate) fn answer(self: &Rc<Self>, tone: Tone, text: &str) {
        self.put(tone, text, None);
        if self.sounds.get() {
            self.player.play(match tone {
                Tone::Good => Sound::Recorded,
                Tone::Do => Sound::ToDo,
                Tone::Doubt => Sound::Warning,
                Tone::Bad => Sound::Refused,
            });
        }
    }

    /// Takes away what was said of a scan or a patron. What is wrong stays.
    pub(crate) fn forget_said(&self) {
        if self.in_line.get().is_none() {
            self.calls.set(false);
            self.line.set_text_content(None);
            self.line.set_title("");
        }
    }

    /// Says the same in better words, if it is still what stands in the line: names that had to be looked up first.
    pub(crate) fn refine(self: &Rc<Self>, before: &str, now: &str) {
        if self.line.text_content().as_deref() == Some(before) {
            self.line.set_text_content(Some(now));
            self.line.set_title(now);
            self.show_more();
        }
    }

    /// Without a topic, an error does not stay.
    fn put(self: &Rc<Self>, tone: Tone, text: &str, topic: Option<Topic>) {
        let is_repeated = self.line.text_content().as_deref() == Some(text);
        if let Some(before) = self.in_line.get().filter(|before| !is_repeated && !is_news(topic, *before)) {
            self.keep(before);
        }
        self.forget(|about, error| is_news(topic, about) || error.as_deref() == Some(text));
        self.calls.set(topic.is_none() && tone != Tone::Good);
        self.line.set_text_content(Some(text));
        self.line.set_title(text);
        self.line.set_class_name(match tone {
            Tone::Good => "message-good",
            Tone::Bad => "message-bad",
            Tone::Doubt => "message-doubt",
            Tone::Do => "message-do",
        });
        // How a commit went stays, too, while scanning goes on.
        let stays = tone == Tone::Bad || (tone == Tone::Doubt && topic == Some(Topic::Commit));
        self.set_in_line(topic.filter(|_| stays));
        // The last word is read in the line; whoever wants more opens it again.
        self.open(false);
    }

    fn is_open(&self) -> bool {
        self.place.has_attribute("data-open")
    }

    /// Shows all of it over the page, or the line alone.
    fn open(&self, opens: bool) {
        let _ = self.place.toggle_attribute_with_force("data-open", opens);
        dom::set_flag(&self.more, "aria-expanded", opens);
        self.errors.set_hidden(!opens || self.kept.borrow().is_empty());
        self.show_more();
    }

    /// Offers to open it, where there is more than the line shows.
    fn show_more(&self) {
        let kept = self.kept.borrow().len();
        let words = self.line.text_content().unwrap_or_default();
        // Measuring makes Firefox lay the page out at once: not for the answers to scans.
        let is_cut = (words.len() > IN_ONE_LINE || words.contains('\n'))
            && self.line.scroll_height() > self.line.client_height() + 1;
        self.more.set_hidden(!self.is_open() && kept == 0 && !is_cut);
        let label = match (self.is_open(), kept) {
            (true, _) => text("messageLess"),
            (false, 0) => text("messageAll"),
            (false, kept) => text_with("messageMore", &[&locale::number(kept)]),
        };
        self.more.set_text_content(Some(&label));
    }

    fn set_in_line(&self, topic: Option<Topic>) {
        self.in_line.set(topic);
        self.close.set_hidden(topic.is_none());
    }

    /// Moves the error in the line into the list.
    fn keep(self: &Rc<Self>, topic: Topic) {
        if !self.line.has_child_nodes() {
            return;
        }
        // The page is checked at start.
        let Ok(error) = dom::from_template("error-template") else { return };
        let (Some(words), Some(close)) = (dom::field(&error, "text"), dom::field(&error, "close")) else { return };
        while let Some(node) = self.line.first_child() {
            let _ = words.append_child(&node);
        }
        error.set_class_name(&self.line.class_name());
        let _ = close.set_attribute("aria-label", &text("errorClose"));
        let (this, closed) = (self.clone(), error.clone());
        dom::on::<Event>(&close, "click", move |_| {
            this.kept.borrow_mut().retain(|(_, error)| *error != closed);
            closed.remove();
            this.show_list();
            this.focus.back();
        });
        let _ = self.errors.append_with_node_1(&error);
        self.kept.borrow_mut().push((topic, error));
        self.show_list();
    }

    /// Takes away those errors of the list of which this is true, by their topic and text.
    fn forget(&self, gone: impl Fn(Topic, Option<String>) -> bool) {
        self.kept.borrow_mut().retain(|(topic, error)| {
            let is_gone = gone(*topic, dom::field(error, "text").and_then(|words| words.text_content()));
            if is_gone {
                error.remove();
            }
            !is_gone
        });
        self.show_list();
    }

    fn show_list(&self) {
        if self.kept.borrow().is_empty() && self.is_open() {
            self.open(false);
        }
        self.show_more();
    }
}

/// Whether a message about `topic` takes the place of an error about `before`.
fn is_news(topic: Option<Topic>, before: Topic) -> bool {
    before != Topic::Other && topic == Some(before)
}
