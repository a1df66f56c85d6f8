//! What is typed at a screen: bytes of a terminal in, keys out. Of what a terminal may send, only what somebody would
//! press here is known (ECMA-48, and the names that xterm gives function keys); the rest is passed over whole.

use minicbor::{Decode, Encode};
use std::time::{Duration, Instant};
use zeroize::{Zeroize, Zeroizing};

/// One key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub(in crate::cli) enum Key {
    /// A character.
    #[n(0)]
    Char(#[n(0)] char),
    /// A small letter while Ctrl is down.
    #[n(1)]
    Ctrl(#[n(0)] char),
    #[n(2)]
    Enter,
    #[n(3)]
    Escape,
    #[n(4)]
    Backspace,
    #[n(5)]
    Tab,
    #[n(6)]
    Up,
    #[n(7)]
    Down,
    #[n(8)]
    PageUp,
    #[n(9)]
    PageDown,
    #[n(10)]
    Home,
    #[n(11)]
    End,
    #[n(12)]
    Help,
}

/// What happens at a screen.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub(in crate::cli) enum Input {
    /// A key was pressed.
    #[n(0)]
    Key(#[n(0)] Key),
    /// A text was pasted.
    #[n(1)]
    Pasted(#[n(0)] String),
    /// The screen has so many columns and rows.
    #[n(2)]
    Size(#[n(0)] u16, #[n(1)] u16),
    /// Nothing, for as long as it was waited for.
    #[n(3)]
    Nothing,
    /// The terminal is gone, or a signal asks to end.
    #[n(4)]
    Over,
}

impl Drop for Input {
    fn drop(&mut self) {
        if let Self::Pasted(text) = self {
            text.zeroize();
        }
    }
}

/// What is done with a screen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub(in crate::cli) enum Act {
    /// Begin it, or show it again; it is empty.
    #[n(0)]
    Show,
    /// Wipe it and give the terminal back for a while.
    #[n(1)]
    Hide,
    /// Wipe it and be done.
    #[n(2)]
    End,
}

/// The longest text that is taken when it is pasted, in bytes; what is beyond it is passed over.
const PASTE_MAX: usize = 4096;
const PASTE_BEGIN: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";
/// How long the rest of a key may take that began with an escape.
pub(super) const ESCAPE: Duration = Duration::from_millis(50);
/// How long nothing comes before a text whose end was not sent is taken as it is.
const SILENCE: Duration = Duration::from_secs(3);

/// A text that is being pasted, until its end comes.
///
/// A slow line may stand still in the midst of it, and what it brings then must press no key: time alone does not end it, nor does
/// a key such as Ctrl-C, which may stand in the text. A terminal that never sends the end is one that somebody still sits at: after
/// a silence a key that comes all alone is one.
struct Paste {
    text: Zeroizing<Vec<u8>>,
    /// Whether what there was of it has been given out, after a silence.
    given: bool,
    /// Whether what came last came after a silence, and nothing with it.
    alone: bool,
}

/// Bytes that have come and are no key yet.
#[derive(Default)]
pub(in crate::cli) struct Keys {
    bytes: Zeroizing<Vec<u8>>,
    paste: Option<Paste>,
    /// When bytes came last.
    heard: Option<Instant>,
}

impl Keys {
    /// Bytes that the terminal sent by now.
    pub(in crate::cli) fn push(&mut self, bytes: &[u8], now: Instant) {
        let after_silence = self.silence_left(now).is_zero();
        if let Some(paste) = &mut self.paste {
            paste.alone = paste.given && after_silence;
            if paste.alone {
                // What came in part before is no end.
                self.bytes.zeroize();
            }
        }
        self.heard = Some(now);
        self.bytes.extend_from_slice(bytes);
    }

    /// How long to wait for more before it is asked what all of it is; `None` where nothing has begun.
    pub(in crate::cli) fn patience(&self, now: Instant) -> Option<Duration> {
        match &self.paste {
            Some(paste) if paste.alone => Some(ESCAPE),
            Some(paste) if paste.given => None,
            Some(_) => Some(self.silence_left(now)),
            None if self.begins_a_paste() => Some(self.silence_left(now)),
            None => (!self.bytes.is_empty()).then_some(ESCAPE),
        }
    }

    /// The next key or pasted text. `all`: nothing more comes soon, so that a lone escape is one.
    pub(in crate::cli) fn next(&mut self, all: bool, now: Instant) -> Option<Input> {
        loop {
            if self.paste.is_some() {
                match self.pasted(all, now) {
                    Some(None) => continue,
                    Some(input) => return input,
                    None => return None,
                }
            }
            if self.bytes.is_empty() {
                return None;
            }
            if self.bytes.starts_with(PASTE_BEGIN) {
                self.take(PASTE_BEGIN.len());
                self.paste = Some(Paste {
                    text: Zeroizing::new(Vec::with_capacity(PASTE_MAX)),
                    given: false,
                    alone: false,
                });
                continue;
            }
            if self.begins_a_paste() && !(all && self.silence_left(now).is_zero()) {
                return None;
            }
            let (taken, key) = first(&self.bytes, all)?;
            self.take(taken);
            if let Some(key) = key {
                return Some(Input::Key(key));
            }
        }
    }

    /// Goes on with what is pasted. `None`: more has to come; else the paste is over, or given out so far.
    fn pasted(&mut self, all: bool, now: Instant) -> Option<Option<Input>> {
        // What came meanwhile may not have been looked at yet.
        let silent = all && self.silence_left(now).is_zero();
        let paste = self.paste.as_mut()?;
        if paste.alone && self.bytes.starts_with(PASTE_BEGIN) {
            self.paste = None;
            return Some(None);
        }
        let end = self
            .bytes
            .windows(PASTE_END.len())
            .position(|window| window == PASTE_END);
        if std::mem::take(&mut paste.alone) && end.is_none() {
            match first(&self.bytes, all) {
                // More may belong to it, or come with it.
                _ if !all => {
                    paste.alone = true;
                    return None;
                }
                Some((taken, _)) if taken == self.bytes.len() => {
                    self.paste = None;
                    return Some(None);
                }
                _ => {}
            }
        }
        // The end may have come in part.
        let partly = (1..PASTE_END.len())
            .rev()
            .find(|size| self.bytes.ends_with(&PASTE_END[..*size]));
        let of_text = end.unwrap_or(self.bytes.len() - partly.unwrap_or(0));
        if !paste.given {
            let room = PASTE_MAX - paste.text.len();
            paste.text.extend_from_slice(&self.bytes[..of_text.min(room)]);
        }
        let line = match !paste.given && (silent || end.is_some()) {
            true => Some(Input::Pasted(on_one_line(&paste.text))),
            false => None,
        };
        paste.given |= line.is_some();
        if line.is_some() {
            paste.text.zeroize();
        }
        match end {
            Some(end) => {
                self.paste = None;
                self.take(end + PASTE_END.len());
                Some(line)
            }
            None => {
                // Where nothing follows for so long, what came in part is no end.
                let taken = if silent { self.bytes.len() } else { of_text };
                self.take(taken);
                line.map(Some)
            }
        }
    }

    /// Whether what there is may be the beginning of a paste, cut off where nobody would press a key so.
    fn begins_a_paste(&self) -> bool {
        self.bytes.len() > 1 && PASTE_BEGIN.starts_with(&self.bytes)
    }

    fn silence_left(&self, now: Instant) -> Duration {
        let quiet = self.heard.map(|heard| now.saturating_duration_since(heard));
        SILENCE.saturating_sub(quiet.unwrap_or(SILENCE))
    }

    fn take(&mut self, count: usize) {
        let rest = self.bytes.split_off(count);
        self.bytes = Zeroizing::new(rest);
    }
}

/// A pasted text as somebody could have typed it into a line.
fn on_one_line(text: &[u8]) -> String {
    let text = Zeroizing::new(String::from_utf8_lossy(text).into_owned());
    let mut line = String::with_capacity(text.len());
    line.extend(text.chars().map(|c| if c.is_control() { ' ' } else { c }));
    line
}

/// How many bytes the first key takes, and which it is if it is one that is known. `None`: more has to come.
fn first(bytes: &[u8], all: bool) -> Option<(usize, Option<Key>)> {
    let key = |taken, key| Some((taken, Some(key)));
    match bytes {
        [] => None,
        [b'\r' | b'\n', ..] => key(1, Key::Enter),
        [b'\t', ..] => key(1, Key::Tab),
        [0x7f | 0x08, ..] => key(1, Key::Backspace),
        [0x1b] => all.then_some((1, Some(Key::Escape))),
        [0x1b, b'[', rest @ ..] => {
            let end = rest.iter().position(|byte| (0x40..=0x7e).contains(byte));
            match end {
                Some(end) => Some((end + 3, sequence(&rest[..end], rest[end]))),
                // A sequence that was broken off is no key.
                None => all.then_some((bytes.len(), None)),
            }
        }
        [0x1b, b'O', letter, ..] => Some((3, sequence(b"", *letter))),
        [0x1b, b'O'] if !all => None,
        // Two escapes are one and the beginning of another; a letter behind one was pressed with Alt, and means nothing.
        [0x1b, 0x1b, ..] => key(1, Key::Escape),
        [0x1b, rest @ ..] => character(rest, all).map(|(taken, _)| (taken + 1, None)),
        [0, ..] => Some((1, None)),
        [control @ 1..=26, ..] => key(1, Key::Ctrl(char::from(b'a' + control - 1))),
        [0x1c..=0x1f, ..] => Some((1, None)),
        _ => {
            let (taken, c) = character(bytes, all)?;
            Some((taken, c.map(Key::Char)))
        }
    }
}

/// The first character, if it is one; how many bytes it takes.
fn character(bytes: &[u8], all: bool) -> Option<(usize, Option<char>)> {
    let first = *bytes.first()?;
    let size = match first {
        0..=0x7f => 1,
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return Some((1, None)),
    };
    match bytes.get(..size) {
        Some(whole) => {
            let c = std::str::from_utf8(whole).ok().and_then(|text| text.chars().next());
            Some((if c.is_some() { size } else { 1 }, c.filter(|c| !c.is_control())))
        }
        None => all.then_some((bytes.len(), None)),
    }
}

/// The key of a control sequence, by its parameters and its last byte.
fn sequence(parameters: &[u8], last: u8) -> Option<Key> {
    match (parameters, last) {
        (_, b'A') => Some(Key::Up),
        (_, b'B') => Some(Key::Down),
        (_, b'H') | (b"1" | b"7", b'~') => Some(Key::Home),
        (_, b'F') | (b"4" | b"8", b'~') => Some(Key::End),
        (b"5", b'~') => Some(Key::PageUp),
        (b"6", b'~') => Some(Key::PageDown),
        (b"", b'P') | (b"11", b'~') => Some(Key::Help),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys(bytes: &[u8]) -> Vec<Input> {
        let (mut keys, now) = (Keys::default(), Instant::now());
        keys.push(bytes, now);
        std::iter::from_fn(|| keys.next(true, now)).collect()
    }

    #[test]
    fn keys_are_known_by_what_terminals_send() {
        let typed = keys(b"g\xc3\xa9\x1b[A\x1bOB\x1b[5~\x1b[1;5H\x05\x7f\r\t\x1bOP\x1b[99~\x1bx\xff\x1b");
        let expected = [
            Key::Char('g'),
            Key::Char('é'),
            Key::Up,
            Key::Down,
            Key::PageUp,
            Key::Home,
            Key::Ctrl('e'),
            Key::Backspace,
            Key::Enter,
            Key::Tab,
            Key::Help,
            Key::Escape,
        ];
        assert_eq!(typed, expected.map(Input::Key));
    }

    #[test]
    fn what_is_pasted_presses_no_key() {
        assert_eq!(
            keys(b"\x1b[200~gate\r4\x1b[201~x"),
            [Input::Pasted("gate 4".to_owned()), Input::Key(Key::Char('x'))]
        );
    }

    /// What comes of pieces, each so many milliseconds after the one before; between two it is waited as long as a screen does.
    fn typed(pieces: &[(u64, &[u8])]) -> Vec<Input> {
        let (mut keys, mut now, mut got) = (Keys::default(), Instant::now(), Vec::new());
        for (pause, bytes) in pieces.iter().chain(&[(60_000, &b""[..])]) {
            let until = now + Duration::from_millis(*pause);
            while let Some(patience) = keys.patience(now).filter(|patience| now + *patience < until) {
                now += patience;
                got.extend(std::iter::from_fn(|| keys.next(true, now)));
            }
            now = until;
            if !bytes.is_empty() {
                keys.push(bytes, now);
                got.extend(std::iter::from_fn(|| keys.next(false, now)));
            }
        }
        assert_eq!(keys.patience(now), None);
        got
    }

    fn pasted(text: &str) -> Input {
        Input::Pasted(text.to_owned())
    }

    #[test]
    fn what_a_slow_line_brings_of_a_paste_presses_no_key() {
        let q = Input::Key(Key::Char('q'));
        for pause in [0, 49, 51, 400, 2_900] {
            for at in 2..19 {
                let whole = b"\x1b[200~ga\rte\x03q\x1b[201~q";
                let (one, other) = whole.split_at(at);
                let expected = [pasted("ga te q"), q.clone()];
                assert_eq!(typed(&[(0, one), (pause, other)]), expected, "{pause}, {at}");
            }
            let each = b"\x1b[200~g\r\x1b[201~".chunks(2).map(|piece| (pause, piece));
            assert_eq!(typed(&each.collect::<Vec<_>>()), [pasted("g ")], "{pause}");
        }
    }

    #[test]
    fn what_is_too_long_is_cut_and_presses_no_key() {
        let mut long = [PASTE_BEGIN, &[b'x'; 40 * PASTE_MAX]].concat();
        long.extend_from_slice(b"\rq\x03\x1b[201~q");
        let expected = [pasted(&"x".repeat(PASTE_MAX)), Input::Key(Key::Char('q'))];
        assert_eq!(keys(&long), expected);
        let pieces: Vec<(u64, &[u8])> = long.chunks(1024).map(|piece| (60, piece)).collect();
        assert_eq!(typed(&pieces), expected);
    }

    #[test]
    fn a_paste_that_is_never_ended_locks_nobody_out() {
        let begun = (0, &b"\x1b[200~gate"[..]);
        let (x, up) = (Input::Key(Key::Char('x')), Input::Key(Key::Up));
        assert_eq!(typed(&[begun]), [pasted("gate")]);
        // After the silence a key alone is one, and those that follow it.
        assert_eq!(
            typed(&[begun, (3_001, b"x"), (60, b"x"), (1, b"x")]),
            [pasted("gate"), x.clone(), x.clone(), x.clone()]
        );
        assert_eq!(
            typed(&[begun, (9_000, b"\x1b"), (1, b"[A")]),
            [pasted("gate")],
            "a key in two pieces may be the rest of a text"
        );
        assert_eq!(typed(&[begun, (9_000, b"\x1b[A")]), [pasted("gate"), up]);
        assert_eq!(
            typed(&[begun, (9_000, b"\x1b[200~lane"), (9_000, b"x")]),
            [pasted("gate"), pasted("lane"), x.clone()]
        );
        assert_eq!(
            typed(&[begun, (9_000, b"\x1b[200~lane\x1b[201~"), (60, b"x")]),
            [pasted("gate"), pasted("lane"), x.clone()]
        );
        // What comes in a heap, or soon after something, is still of the text.
        assert_eq!(
            typed(&[begun, (9_000, b"\rq\x03"), (100, b"q"), (2_000, b"q"), (3_000, b"x")]),
            [pasted("gate"), x.clone()]
        );
        assert_eq!(
            typed(&[begun, (9_000, b"\r"), (49, b"q"), (100, b"\x1b[201~"), (60, b"x")]),
            [pasted("gate"), x]
        );
    }

    #[test]
    fn a_silence_is_one_only_where_somebody_listened() {
        let (mut keys, now) = (Keys::default(), Instant::now());
        for bytes in [&b"\x1b[20"[..], b"0~ga", b"te\x1b[201"] {
            keys.push(bytes, now);
            assert_eq!(keys.next(false, now + 2 * SILENCE), None);
        }
        keys.push(b"~", now);
        assert_eq!(keys.next(false, now), Some(pasted("gate")));
        assert_eq!(keys.patience(now), None);
    }

    #[test]
    fn what_came_in_pieces_is_waited_for() {
        let (mut keys, now) = (Keys::default(), Instant::now());
        for byte in [0x1b, b'[', b'6'] {
            keys.push(&[byte], now);
            assert_eq!(keys.next(false, now), None);
            assert!(keys.patience(now).is_some());
        }
        keys.push(b"~", now);
        assert_eq!(keys.next(false, now), Some(Input::Key(Key::PageDown)));
        keys.push(&[0xe5, 0xb1], now);
        assert_eq!(keys.next(false, now), None);
        keys.push(&[0xb1], now);
        assert_eq!(keys.next(false, now), Some(Input::Key(Key::Char('山'))));
        assert_eq!(keys.patience(now), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_stand_still(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let (mut keys, now) = (Keys::default(), Instant::now());
            keys.push(&bytes, now);
            while keys.next(false, now).is_some() {}
            let later = now + SILENCE;
            while keys.next(true, later).is_some() {}
            prop_assert_eq!(keys.patience(later), None);
        }
    }
}
