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
        assert!(
            joined(data).contains(&joined(page.as_bytes())),
            "what was found does not stand on the page"
        );
        accepted = true;
    }
    accepted
}

/// A page without white space and marks of quotation.
fn joined(page: &[u8]) -> String {
    let page = std::str::from_utf8(page).expect("a page is text");
    let pieces = page
        .split_whitespace()
        .filter(|piece| piece.bytes().any(|byte| byte != b'>'));
    pieces.collect()
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
