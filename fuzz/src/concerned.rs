//! What comes from people without a vault and without a name, and what they are given.

use super::SAME;
use strongroom::chain::{ConcernKey, Namespace, sign_ssh};
use strongroom::crypto::SigningKey;
use strongroom::envelope::{ReplyCode, SealedConcern, SealedReply};
use strongroom::secret::Secret;

/// The key for concerns: its line, which the key of the seeds then signs.
pub fn concern_key(line: &[u8]) -> bool {
    let key = SigningKey::from_seed(&Secret::copy_from(&[1; 32]).expect("32 bytes"));
    let signature = sign_ssh(&key, Namespace::Concern, line);
    let file = [b"strongroom-concern-key-v1\n", line, signature.as_bytes()].concat();
    let Ok(concern) = ConcernKey::parse(&file) else {
        return false;
    };
    assert!(concern.handlers.iter().all(|handler| handler.recipients().is_some()));
    let again = concern.to_file(|namespace, message| sign_ssh(&key, namespace, message));
    assert_eq!(again, file, "{SAME}");
    true
}

/// A sealed concern or reply: its bytes, and the page that somebody brings.
pub fn concern_file(data: &[u8]) -> bool {
    let mut accepted = false;
    if let Ok(file) = SealedConcern::parse(data) {
        assert_eq!(file.to_bytes(), data, "{SAME}");
        assert_eq!(SealedConcern::find(file.to_page().as_bytes()), Ok(file));
        accepted = true;
    }
    if let Ok(file) = SealedReply::parse(data) {
        assert_eq!(file.to_bytes(), data, "{SAME}");
        assert_eq!(SealedReply::find(file.to_page().as_bytes()), Ok(file));
        accepted = true;
    }
    let concern = SealedConcern::find(data).map(|file| file.to_page());
    let reply = SealedReply::find(data).map(|file| file.to_page());
    for page in [concern, reply].into_iter().flatten() {
        let found = letters(page.as_bytes());
        assert!(
            letters(data).contains(&found) || letters(&without_escapes(data)).contains(&found),
            "what was found does not stand on the page"
        );
        accepted = true;
    }
    accepted
}

/// What of a page can be of a sealed file, but for the signs at its end that say nothing.
fn letters(page: &[u8]) -> String {
    let wide = |unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = page.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    let text = match page {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        page => String::from_utf8_lossy(page).into_owned(),
    };
    text.chars()
        .filter(|c| c.is_ascii_alphanumeric() || ['+', '/', '-'].contains(c))
        .collect()
}

/// A page that mail stored as quoted-printable.
fn without_escapes(page: &[u8]) -> Vec<u8> {
    let (mut plain, mut rest) = (Vec::new(), page);
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = digits
            .filter(|two| two.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        rest = match (first, behind, byte) {
            (b'=', [b'\r', b'\n', behind @ ..] | [b'\n', behind @ ..], _) => behind,
            (b'=', _, Some(byte)) => {
                plain.push(byte);
                &behind[2..]
            }
            _ => {
                plain.push(*first);
                behind
            }
        };
    }
    plain
}

/// The words that somebody typed.
pub fn reply_code(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let Ok(code) = ReplyCode::read(text) else {
        return false;
    };
    let typed: Vec<String> = text.split_whitespace().map(str::to_ascii_lowercase).collect();
    assert_eq!(code.to_words().as_str(), typed.join(" "), "{SAME}");
    true
}
