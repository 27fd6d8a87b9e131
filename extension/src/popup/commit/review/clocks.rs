//! The clocks of the desks: what seems to be wrong with one, and setting it right. Nothing is stored here.
//!
//! What a person reads and types is how far a clock is off; what moves its times is the opposite.

use super::{ReviewPanel, looking::LookedAt};
use crate::{
    dom,
    i18n::{plural, text, text_with},
    locale,
    popup::on_enter,
    wording,
};
use koct_core::{
    DeskName,
    desks::{
        conflict::{ClockOff, DeskReport, shown_wrongly},
        shift::{Move, Shift, Shifts, Span},
    },
};
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Event, HtmlElement, HtmlInputElement};

impl ReviewPanel {
    /// Says which clocks seem to be off, each with a button that sets it right.
    pub(super) fn draw_suggestions(self: &Rc<Self>, looked_at: &LookedAt, shifts: &Shifts) {
        let reports = &looked_at.review.desks;
        let of_desks = reports.iter().filter_map(|report| {
            let (span, shift) = report.suggested(shifts.of(report.desk.as_ref()))?;
            let words = self.words_of_suggestion(report.desk.as_ref(), report.clock?, shift);
            Some((report.desk.as_ref(), words, span, shift))
        });
        // What its own scans show comes first; and what is tried is stored first.
        let is_open = shifts.of(None).is_none() && reports.iter().all(|it| it.desk.is_some() || it.clock.is_none());
        let beside_koha = looked_at.wrong.filter(|_| is_open).and_then(|wrong| {
            let off = shown_wrongly(looked_at.entries.iter().chain(&looked_at.refused), &wrong)?;
            let key = if off.shift > Shift::NONE { "reviewDriftSlow" } else { "reviewDriftFast" };
            let found = wording::row_time_of(wrong.found.at);
            let words = [self.desk_name(None), found, off.shift.length(), locale::number(off.number)];
            Some((None, text_with(key, &words.each_ref().map(String::as_str)), off.span, off.shift))
        });
        dom::fill_list(&self.suggestions, of_desks.chain(beside_koha), |(desk, words, span, shift)| {
            let row = dom::from_template("review-suggestion-template")?;
            row.set_attribute("data-desk", desk.map_or("", DeskName::as_str))?;
            dom::set_field(&row, "words", &words);
            dom::set_field(&row, "move", &text("reviewMoveIt"));
            if let Some(button) = dom::field(&row, "move") {
                let (this, desk) = (self.clone(), desk.cloned());
                dom::on::<Event>(&button, "click", move |_| {
                    this.shift_chosen(desk.as_ref(), span, shift);
                    // The button goes with what it has settled.
                    let _ = this.cancel.focus();
                });
            }
            Ok(row)
        });
    }

    fn words_of_suggestion(&self, desk: Option<&DeskName>, clock: ClockOff, shift: Shift) -> String {
        let (name, off) = (self.desk_name(desk), shift.length());
        // A clock that is slow has its times moved on.
        let is_slow = shift > Shift::NONE;
        if clock.of > 0 {
            let key = if is_slow { "reviewClockSlow" } else { "reviewClockFast" };
            text_with(key, &[&name, &off, &locale::number(clock.settles), &locale::number(clock.of)])
        } else {
            let key = if is_slow { "reviewScansSlow" } else { "reviewScansFast" };
            plural(key, clock.number, &[&name, &off])
        }
    }

    /// Draws what is known of a desk. Its row stays, since the person may be typing in it.
    pub(super) fn draw_desk(
        self: &Rc<Self>,
        report: &DeskReport,
        tried: Option<(Span, Shift)>,
        looked_at: &LookedAt,
    ) -> Result<(), JsValue> {
        let known = self.rows.borrow().get(&report.desk).cloned();
        let row = if let Some(row) = known { row } else { self.new_desk_row(report)? };
        let times = [report.first, report.last].map(wording::row_time);
        dom::set_field(&row, "about", &plural("reviewDeskAbout", report.number, &[&times[0], &times[1]]));
        let off = tried.map_or(Shift::NONE, |(_, shift)| shift.opposite());
        dom::set_field(&row, "clock", &text_with("reviewClock", &[&off.signed()]));
        if let Some(input) = dom::field(&row, "shift").and_then(|input| input.dyn_into::<HtmlInputElement>().ok())
            && !dom::active().is_some_and(|active| active.is_same_node(Some(&input)))
        {
            input.set_value(&off.to_string());
        }
        let plan = looked_at.plan.of(report.desk.as_ref());
        let moves = plan.map(|plan| &plan.moves[..]).unwrap_or_default();
        // The first and the last.
        let line = |moving: &Move| format!("{} → {}", looked_at.words(moving), wording::moment(moving.to));
        let lines: Vec<String> =
            moves.first().into_iter().chain(moves[moves.len().min(1)..].last()).map(line).collect();
        let moves = (!moves.is_empty()).then(|| plural("reviewMoves", moves.len(), &[&lines.join(" … ")]));
        let refused = plan.map(|plan| &plan.refused[..]).unwrap_or_default();
        let first_refused =
            refused.first().and_then(|id| looked_at.find(*id)).map(|entry| wording::transaction(&entry.transaction));
        let refused = first_refused.map(|words| plural("reviewRefused", refused.len(), &[&words]));
        for (name, words) in [("moves", moves), ("refused", refused)] {
            if let Some(field) = dom::field(&row, name) {
                field.set_hidden(words.is_none());
                field.set_text_content(words.as_deref());
            }
        }
        Ok(())
    }

    fn new_desk_row(self: &Rc<Self>, report: &DeskReport) -> Result<HtmlElement, JsValue> {
        let row = dom::from_template("review-desk-template")?;
        let name = self.desk_name(report.desk.as_ref());
        row.set_attribute("data-desk", report.desk.as_ref().map_or("", DeskName::as_str))?;
        dom::set_field(&row, "desk", &name);
        dom::set_field(&row, "shift-label", &text("reviewShiftLabel"));
        dom::set_field(&row, "shift-help", &text("reviewShiftHelp"));
        let lacks = || JsValue::from_str("the page lacks a field of a desk's row");
        let input: HtmlInputElement = dom::field(&row, "shift").ok_or_else(lacks)?.unchecked_into();
        let setting = dom::field(&row, "setting").ok_or_else(lacks)?;
        let set = dom::field(&row, "set").ok_or_else(lacks)?;
        let words = text("reviewSet");
        set.set_text_content(Some(&words));
        set.set_attribute("aria-label", &format!("{words} {name}"))?;
        let shifted = {
            let (this, row, input, of) = (self.clone(), row.clone(), input.clone(), report.desk.clone());
            move || this.shift_typed(&row, &input.value(), of.as_ref())
        };
        let apply = shifted.clone();
        on_enter(&input, apply);
        dom::on::<Event>(&input, "change", move |_| shifted());
        let button = set.clone();
        dom::on::<Event>(&set, "click", move |_| {
            let opens = setting.hidden();
            setting.set_hidden(!opens);
            dom::set_flag(&button, "aria-expanded", opens);
            if opens {
                let _ = input.focus();
                input.select();
            }
        });
        self.desks.append_with_node_1(&row)?;
        self.rows.borrow_mut().insert(report.desk.clone(), row.clone());
        Ok(row)
    }

    /// It was typed how far a clock is off: for the scans that are tried already, else for all of the desk.
    fn shift_typed(self: &Rc<Self>, row: &HtmlElement, typed: &str, desk: Option<&DeskName>) {
        let tried = self.looking.shifts.borrow().of(desk);
        let off = Shift::parse(typed);
        dom::set_field(row, "error", &off.map_or_else(|_| text("reviewShiftWrong"), |_| String::new()));
        if let Ok(off) = off {
            self.shift_chosen(desk, tried.map_or(Span::ALL, |(span, _)| span), off.opposite());
        }
    }

    /// Tries a shift: what follows from it is shown, and nothing is stored.
    fn shift_chosen(self: &Rc<Self>, desk: Option<&DeskName>, span: Span, shift: Shift) {
        if self.looking.shifts.borrow_mut().set(desk.cloned(), span, shift) {
            spawn_local(self.clone().try_shift());
        }
    }

    async fn try_shift(self: Rc<Self>) {
        if self.is_long() {
            self.show_working(true);
        }
        if self.look_at_shifts().await {
            self.show();
        }
    }
}
