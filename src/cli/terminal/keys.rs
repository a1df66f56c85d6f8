//! What is typed at a screen: bytes of a terminal in, keys out. Of what a terminal may send, only what somebody would
//! press here is known (ECMA-48, and the names that xterm gives function keys); the rest is passed over whole.

use minicbor::{Decode, Encode};
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

/// The longest text that is taken when it is pasted, in bytes.
const PASTE_MAX: usize = 4096;
const PASTE_BEGIN: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";

/// Bytes that have come and are no key yet.
#[derive(Default)]
pub(in crate::cli) struct Keys {
    bytes: Zeroizing<Vec<u8>>,
}

impl Keys {
    /// Bytes from the terminal.
    pub(in crate::cli) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether there is something that may be the beginning of a key.
    pub(in crate::cli) fn waits(&self) -> bool {
        !self.bytes.is_empty()
    }

    /// The next key or pasted text. `all`: nothing more comes soon, so that a lone escape is one.
    pub(in crate::cli) fn next(&mut self, all: bool) -> Option<Input> {
        while !self.bytes.is_empty() {
            let (taken, input) = first(&self.bytes, all)?;
            let rest = self.bytes.split_off(taken);
            self.bytes = Zeroizing::new(rest);
            if input.is_some() {
                return input;
            }
        }
        None
    }
}

/// How many bytes the first key takes, and which it is if it is one that is known. `None`: more has to come.
fn first(bytes: &[u8], all: bool) -> Option<(usize, Option<Input>)> {
    let key = |taken, key| Some((taken, Some(Input::Key(key))));
    match bytes {
        [] => None,
        [b'\r' | b'\n', ..] => key(1, Key::Enter),
        [b'\t', ..] => key(1, Key::Tab),
        [0x7f | 0x08, ..] => key(1, Key::Backspace),
        [0x1b] => all.then_some((1, Some(Input::Key(Key::Escape)))),
        [0x1b, b'[', ..] if bytes.starts_with(PASTE_BEGIN) => pasted(bytes, all),
        [0x1b, b'[', rest @ ..] => {
            let end = rest.iter().position(|byte| (0x40..=0x7e).contains(byte));
            match end {
                Some(end) => Some((end + 3, sequence(&rest[..end], rest[end]).map(Input::Key))),
                // A sequence that was broken off is no key.
                None => all.then_some((bytes.len(), None)),
            }
        }
        [0x1b, b'O', letter, ..] => Some((3, sequence(b"", *letter).map(Input::Key))),
        [0x1b, b'O'] if !all => None,
        // Two escapes are one and the beginning of another; a letter behind one was pressed with Alt, and means nothing.
        [0x1b, 0x1b, ..] => key(1, Key::Escape),
        [0x1b, rest @ ..] => character(rest, all).map(|(taken, _)| (taken + 1, None)),
        [0, ..] => Some((1, None)),
        [control @ 1..=26, ..] => key(1, Key::Ctrl(char::from(b'a' + control - 1))),
        [0x1c..=0x1f, ..] => Some((1, None)),
        _ => {
            let (taken, c) = character(bytes, all)?;
            Some((taken, c.map(|c| Input::Key(Key::Char(c)))))
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

fn pasted(bytes: &[u8], all: bool) -> Option<(usize, Option<Input>)> {
    let begun = &bytes[PASTE_BEGIN.len()..];
    let end = begun.windows(PASTE_END.len()).position(|window| window == PASTE_END);
    let (text, taken) = match end {
        Some(end) => (&begun[..end], PASTE_BEGIN.len() + end + PASTE_END.len()),
        None if all || begun.len() > 16 * PASTE_MAX => (begun, bytes.len()),
        None => return None,
    };
    let text = &text[..text.len().min(PASTE_MAX)];
    let text = String::from_utf8_lossy(text);
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    Some((taken, Some(Input::Pasted(line))))
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
        let mut keys = Keys::default();
        keys.push(bytes);
        std::iter::from_fn(|| keys.next(true)).collect()
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
        let mut keys = Keys::default();
        keys.push(b"\x1b[200~ga");
        assert_eq!(keys.next(false), None);
        keys.push(b"te\x1b[201~");
        assert_eq!(keys.next(false), Some(Input::Pasted("gate".to_owned())));
    }

    #[test]
    fn what_came_in_pieces_is_waited_for() {
        let mut keys = Keys::default();
        for byte in [0x1b, b'[', b'6'] {
            keys.push(&[byte]);
            assert_eq!(keys.next(false), None);
            assert!(keys.waits());
        }
        keys.push(b"~");
        assert_eq!(keys.next(false), Some(Input::Key(Key::PageDown)));
        keys.push(&[0xe5, 0xb1]);
        assert_eq!(keys.next(false), None);
        keys.push(&[0xb1]);
        assert_eq!(keys.next(false), Some(Input::Key(Key::Char('山'))));
        assert!(!keys.waits());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_stand_still(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut keys = Keys::default();
            keys.push(&bytes);
            while keys.next(false).is_some() {}
            while keys.next(true).is_some() {}
            prop_assert!(!keys.waits());
        }
    }
}
