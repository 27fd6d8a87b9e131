//! Four short sounds of our own, each known by its pitch and by its rhythm: recorded (one high), to be done (two rising), warning
//! (two in the middle), refused (three going down).
//!
//! Nothing waits for a sound, and a browser that gives none changes nothing.

use std::cell::{Cell, RefCell};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{AudioContext, AudioContextState, OscillatorType};

/// What is heard. A later one is worth more: it is heard over an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sound {
    /// A scan is in the log.
    Recorded,
    /// Something is to be done with what is in the hand.
    ToDo,
    /// Something must be looked at.
    Warning,
    /// A scan is not in the log.
    Refused,
}

/// A tone, in hertz and milliseconds.
struct Note {
    pitch: u16,
    begins: u16,
    lasts: u16,
}

const fn note(pitch: u16, begins: u16, lasts: u16) -> Note {
    Note { pitch, begins, lasts }
}

impl Sound {
    pub(crate) const ALL: [Self; 4] = [Self::Recorded, Self::ToDo, Self::Warning, Self::Refused];

    const fn notes(self) -> &'static [Note] {
        match self {
            Self::Recorded => const { &[note(1175, 0, 90)] },
            Self::ToDo => const { &[note(784, 0, 80), note(1047, 100, 110)] },
            Self::Warning => const { &[note(659, 0, 90), note(659, 130, 90)] },
            Self::Refused => const { &[note(440, 0, 65), note(330, 80, 65), note(247, 160, 85)] },
        }
    }

    const fn lasts(self) -> u16 {
        match self.notes() {
            [.., last] => last.begins + last.lasts,
            [] => 0,
        }
    }
}

// Over before the next scan of a quick hand.
const LONGEST: u16 = 250;
const _: () = assert!(
    Sound::Recorded.lasts() < LONGEST
        && Sound::ToDo.lasts() < LONGEST
        && Sound::Warning.lasts() < LONGEST
        && Sound::Refused.lasts() < LONGEST,
    "a sound is too long"
);

/// How loud, of 1; and how softly a tone begins and ends, in seconds.
const LOUD: f32 = 0.25;
const ATTACK: f64 = 0.008;
const RELEASE: f64 = 0.03;

/// From one sound to the next where all are played, in seconds.
const APART: f64 = 0.7;

/// Plays them.
#[derive(Default)]
pub(crate) struct Player {
    /// Made when the first sound is due: Firefox allows none before.
    context: RefCell<Option<AudioContext>>,
    /// What is heard now, and until when by the context's clock.
    playing: Cell<Option<(Sound, f64)>>,
}

impl Player {
    /// Plays it now. Many scans at once are not heard as noise: while a sound is heard, only a weightier one is added.
    pub(crate) fn play(&self, sound: Sound) {
        // A computer without sound is no reason to stop.
        let _ = self.try_play(sound);
    }

    /// Plays each of them, one after the other.
    pub(crate) fn play_all(&self) {
        let Ok(context) = self.awake() else { return };
        let mut at = context.current_time();
        for sound in Sound::ALL {
            let _ = schedule(&context, sound, at);
            at += APART;
        }
    }

    fn try_play(&self, sound: Sound) -> Result<(), JsValue> {
        let now = self.context.borrow().as_ref().map_or(0.0, |context: &AudioContext| context.current_time());
        if self.playing.get().is_some_and(|(other, until)| now < until && sound <= other) {
            return Ok(());
        }
        let context = self.awake()?;
        schedule(&context, sound, now)?;
        self.playing.set(Some((sound, now + f64::from(sound.lasts()) / 1000.0)));
        Ok(())
    }

    /// The context, which Firefox may have put to sleep.
    fn awake(&self) -> Result<AudioContext, JsValue> {
        let mut context = self.context.borrow_mut();
        let context = match &*context {
            Some(context) => context.clone(),
            None => context.insert(AudioContext::new()?).clone(),
        };
        if context.state() == AudioContextState::Suspended {
            let waking = context.resume()?;
            spawn_local(async move {
                let _ = JsFuture::from(waking).await;
            });
        }
        Ok(context)
    }
}

/// Has a sound played at this time of the context's clock.
fn schedule(context: &AudioContext, sound: Sound, at: f64) -> Result<(), JsValue> {
    for note in sound.notes() {
        let begins = at + f64::from(note.begins) / 1000.0;
        let ends = begins + f64::from(note.lasts) / 1000.0;
        let oscillator = context.create_oscillator()?;
        // Richer than a sine: the low tones must come through the small loudspeaker of a laptop.
        oscillator.set_type(OscillatorType::Triangle);
        oscillator.frequency().set_value(f32::from(note.pitch));
        let gain = context.create_gain()?;
        let loudness = gain.gain();
        loudness.set_value_at_time(0.0, begins)?;
        loudness.linear_ramp_to_value_at_time(LOUD, begins + ATTACK)?;
        loudness.set_value_at_time(LOUD, ends - RELEASE)?;
        loudness.linear_ramp_to_value_at_time(0.0, ends)?;
        oscillator.connect_with_audio_node(&gain)?;
        gain.connect_with_audio_node(&context.destination())?;
        oscillator.start_with_when(begins)?;
        oscillator.stop_with_when(ends)?;
    }
    Ok(())
}
