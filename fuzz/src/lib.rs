//! What every parser promises, whatever the bytes: it does not panic, and what it accepts it
//! writes back the same.
//!
//! One function for each target, which takes the bytes and panics where the promise is broken.
//! `cargo fuzz run TARGET` searches with them; `tests/corpora.rs` runs the same functions over
//! the inputs in `corpus/` on any toolchain.

/// A target: its name, which is also that of its corpus, and its function.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[("label", label)];

/// A label as a person writes it.
pub fn label(data: &[u8]) {
    use strongroom::label::LabelText;
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(label) = text.parse::<LabelText>() {
        let written = label.to_string();
        assert_eq!(
            written.parse(),
            Ok(label),
            "what was written reads back as something else"
        );
        assert!(written.len() <= LabelText::MAX_BYTES);
    }
}
