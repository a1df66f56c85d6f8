// refused: E0616,E0624
//! Heads and parts open for this crate's gate, not for others; what the gate saw of them stays there.

use strongroom::envelope::{BodyFile, ContentKey, ContentOpener};
use strongroom::gate::{Attachments, OpenContent};
use strongroom::id::{Digest, NoteId, VaultId};

pub fn begin(head: &BodyFile<'_>, vault: VaultId, note: NoteId, key: &ContentKey) {
    let _ = ContentOpener::begin(head, vault, note, key);
}

pub fn go_on(opener: &mut ContentOpener, sealed: &mut [u8]) {
    let _ = opener.open_chunk(sealed);
}

pub fn take_it_out(content: OpenContent) {
    let _ = content.opener;
}

pub fn what_it_is(heads: &Attachments, body: Digest) {
    let _ = heads.digest_for_the_record(body);
}
