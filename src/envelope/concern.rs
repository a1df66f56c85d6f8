//! Concerns that come without a name, and the answers to them: sealed files that are handed over by any channel
//! (docs/FORMAT.md §2.4).

use super::cbor::{self, Bytes};
use super::pages::{BadPage, find_page, to_page};
use super::wrap::{BadWrap, Slot, make_slots, open_slot, slots_fit};
use super::{BadEnvelope, SUITE, check_suite, padding};
use crate::crypto::{
    Entropy, HybridSecret, NoEntropy, Recipient, derive_key, length_prefixed, make_secret, same_bytes, sha256, xopen,
    xseal,
};
use crate::id::{Digest, PersonId, VaultId};
use crate::secret::{self, Secret};
use minicbor::{Decode, Encode};
use zeroize::{Zeroize, Zeroizing};

const CONCERN: &str = "sealed concern";
const REPLY: &str = "sealed reply";
/// The longest text of a concern or a reply, in bytes.
pub const CONCERN_MAX: usize = 128 * 1024;
/// The largest sealed file, in bytes: 128 slots, and a text with its padding.
const FILE_MAX: usize = 384 * 1024;
/// What stands before a sealed concern.
const CONCERN_BEGIN: &str = "strongroom-concern-1";
/// What stands before a sealed reply.
const REPLY_BEGIN: &str = "strongroom-reply-1";
/// Words of a reply code.
const WORDS: usize = 12;
/// The bits of a word.
const BITS: usize = 11;
/// Bytes of a reply code.
const CODE_LEN: usize = 16;
/// The most people that a concern names.
const PEOPLE_MAX: usize = 128;

/// What somebody keeps to read answers and to write again. Wiped on drop; no `Debug`.
pub struct ReplyCode(Secret<CODE_LEN>);

/// The words are no code. What was typed is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadCode {
    /// Not so many words.
    #[error("a reply code is {WORDS} words, and these are {0}")]
    Length(usize),
    /// A word that is none of the list.
    #[error("word {} of the reply code is none of the list", .0 + 1)]
    Word(usize),
    /// The checksum does not hold.
    #[error("the reply code has a typing error: its words do not belong together")]
    Mistyped,
}

impl ReplyCode {
    /// A new one.
    pub fn make(entropy: &mut dyn Entropy) -> Result<Self, NoEntropy> {
        Ok(Self(make_secret(entropy)?))
    }

    /// The words to write down: 128 bits and their checksum as BIP-39 has them, in its English list.
    pub fn to_words(&self) -> Zeroizing<String> {
        let list = bip39::Language::English.word_list();
        let code = self.0.expose();
        let check = check_bits(code);
        let bit = |at: usize| match at / 8 {
            byte if byte < CODE_LEN => usize::from(code[byte] >> (7 - at % 8) & 1),
            _ => usize::from(check >> (7 - at % 8) & 1),
        };
        // All of it from the beginning, so that no copy is left behind.
        let mut words = Zeroizing::new(String::with_capacity(WORDS * 9));
        for n in 0..WORDS {
            let word = (n * BITS..(n + 1) * BITS).fold(0, |word, at| word << 1 | bit(at));
            words.push_str(list[word]);
            if n + 1 < WORDS {
                words.push(' ');
            }
        }
        words
    }

    /// Reads what a person typed: words with any white space between them, in either case.
    pub fn read(text: &str) -> Result<Self, BadCode> {
        let list = bip39::Language::English.word_list();
        let count = text.split_whitespace().count();
        if count != WORDS {
            return Err(BadCode::Length(count));
        }
        let mut bytes = Zeroizing::new([0_u8; CODE_LEN + 1]);
        for (n, word) in text.split_whitespace().enumerate() {
            let number = list.iter().position(|known| known.eq_ignore_ascii_case(word));
            let number = number.ok_or(BadCode::Word(n))?;
            for at in (0..BITS).filter(|at| number >> (BITS - 1 - at) & 1 == 1) {
                let place = n * BITS + at;
                bytes[place / 8] |= 0x80 >> (place % 8);
            }
        }
        let (code, check) = bytes.split_at(CODE_LEN);
        match same_bytes(&[check_bits(code)], check) {
            true => Secret::copy_from(code).map(Self).ok_or(BadCode::Mistyped),
            false => Err(BadCode::Mistyped),
        }
    }

    /// The key that answers are sealed with. It does not give the code back.
    pub fn reply_key(&self) -> ReplyKey {
        ReplyKey(derive_key(self.0.expose(), "strongroom/1/concern reply key", &[]))
    }
}

/// The first four bits of the digest.
fn check_bits(code: &[u8]) -> u8 {
    sha256(&[code]).0[0] & 0xf0
}

/// What answers to one concern are sealed with, and by which what is written again is known to belong to it.
pub struct ReplyKey(Secret<32>);

impl ReplyKey {
    /// As it stands in a field of a note.
    pub fn to_hex(&self) -> Zeroizing<String> {
        let mut hex = Zeroizing::new(String::with_capacity(64));
        for byte in self.0.expose() {
            for digit in [byte >> 4, byte & 15] {
                hex.extend(char::from_digit(u32::from(digit), 16));
            }
        }
        hex
    }

    /// And back.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digest: Digest = text.parse().ok()?;
        Secret::copy_from(&digest.0).map(Self)
    }

    fn seal_key(&self) -> Secret<32> {
        derive_key(self.0.expose(), "strongroom/1/concern reply", &[])
    }
}

fn is_text(text: &str) -> bool {
    text.len() <= CONCERN_MAX && !text.trim().is_empty() && !text.contains('\0')
}

/// A concern as its writer gives it. Wiped on drop; no `Debug`.
pub struct Concern {
    /// What is to be said.
    pub text: Zeroizing<String>,
    /// What answers are sealed with.
    pub reply: ReplyKey,
    /// Digest of the key for concerns that the writer had.
    pub key: Digest,
    /// To whom it is sealed, sorted.
    pub to: Vec<PersonId>,
    /// Whom its writer left out, sorted.
    pub left_out: Vec<PersonId>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct ConcernCbor {
    #[n(0)]
    text: String,
    #[n(1)]
    reply: Bytes,
    #[n(2)]
    key: Bytes,
    #[n(3)]
    to: Vec<Bytes>,
    #[n(4)]
    left_out: Vec<Bytes>,
}

impl Drop for ConcernCbor {
    fn drop(&mut self) {
        self.text.zeroize();
        self.reply.zeroize();
    }
}

impl Concern {
    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let people = |people: &[PersonId]| people.iter().map(|person| person.as_bytes().to_vec().into()).collect();
        secret::encode(&ConcernCbor {
            text: self.text.to_string(),
            reply: self.reply.0.expose().to_vec().into(),
            key: self.key.as_bytes().to_vec().into(),
            to: people(&self.to),
            left_out: people(&self.left_out),
        })
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, BadEnvelope> {
        let malformed = || BadEnvelope::Malformed { what: CONCERN };
        let mut raw: ConcernCbor = cbor::decode(CONCERN, FILE_MAX, bytes)?;
        let people = |people: &[Bytes]| -> Result<Vec<PersonId>, BadEnvelope> {
            let people = people.iter().map(|person| cbor::fixed(CONCERN, person));
            let people: Vec<PersonId> = people.collect::<Result<_, _>>()?;
            let sorted = people.windows(2).all(|pair| pair[0] < pair[1]);
            match sorted && people.len() <= PEOPLE_MAX {
                true => Ok(people),
                false => Err(malformed()),
            }
        };
        let (to, left_out) = (people(&raw.to)?, people(&raw.left_out)?);
        if !is_text(&raw.text) || to.is_empty() || to.iter().any(|person| left_out.contains(person)) {
            return Err(malformed());
        }
        Ok(Self {
            reply: ReplyKey(Secret::copy_from(&raw.reply).ok_or_else(malformed)?),
            key: cbor::fixed(CONCERN, &raw.key)?,
            text: Zeroizing::new(std::mem::take(&mut raw.text)),
            to,
            left_out,
        })
    }
}

/// A concern as it is handed over: it says to nobody whose it is, to whom it goes, or of which vault.
#[derive(Encode, Decode, Debug, Clone, PartialEq)]
#[cbor(map)]
pub struct SealedConcern {
    #[n(0)]
    suite: u8,
    #[n(1)]
    commitment: Bytes,
    #[n(2)]
    sealed: Bytes,
    #[n(3)]
    slots: Vec<Slot>,
}

impl SealedConcern {
    /// Seals a concern to these devices.
    pub fn seal(
        vault: VaultId,
        concern: &Concern,
        recipients: &[Recipient],
        entropy: &mut dyn Entropy,
    ) -> Result<Self, BadWrap> {
        let key: Secret<32> = make_secret(entropy)?;
        let slots = make_slots(&slot_info(vault), &key, recipients, entropy)?;
        let mut file = Self {
            suite: SUITE,
            commitment: commitment(&key, vault).expose().to_vec().into(),
            sealed: Vec::new().into(),
            slots,
        };
        let padded = padding::pad(&concern.encode());
        file.sealed = xseal(&seal_key(&key, vault), &file.context(vault), &padded, entropy)?.into();
        Ok(file)
    }

    /// What the sealing is bound to: the vault, and every slot, so that nobody passes one file off as two.
    fn context(&self, vault: VaultId) -> Vec<u8> {
        let mut parts: Vec<&[u8]> = vec![b"strongroom/1/concern", &[SUITE], vault.as_bytes(), &self.commitment];
        for slot in &self.slots {
            parts.extend([slot.enc.as_slice(), slot.sealed.as_slice()]);
        }
        length_prefixed(&parts)
    }

    /// Opens it, for one of the devices that it was sealed to. All of them get the same, or nothing.
    pub(crate) fn open_sealed(&self, vault: VaultId, device: &HybridSecret) -> Result<Concern, BadEnvelope> {
        let unopenable = || BadEnvelope::Unopenable { what: CONCERN };
        let key = open_slot(&slot_info(vault), &self.slots, device).ok_or_else(unopenable)?;
        if !same_bytes(commitment(&key, vault).expose(), &self.commitment) {
            return Err(unopenable());
        }
        let padded = xopen(&seal_key(&key, vault), &self.context(vault), &self.sealed).map_err(|_| unopenable())?;
        Concern::decode(padding::unpad(CONCERN, padded.expose())?.expose())
    }

    /// Its text, as it is handed over.
    pub fn to_page(&self) -> String {
        to_page(CONCERN_BEGIN, &self.to_bytes())
    }

    /// Finds the one sealed concern on a page, such as a letter that brought it.
    pub fn find(page: &[u8]) -> Result<Self, BadPage> {
        let bytes = find_page(CONCERN, CONCERN_BEGIN, page)?;
        Self::parse(&bytes).map_err(|_| BadPage::Damaged(CONCERN))
    }

    /// Its bytes, as they stand in the text.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// Reads them.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadEnvelope> {
        let file: Self = cbor::decode(CONCERN, FILE_MAX, bytes)?;
        check_suite(CONCERN, file.suite)?;
        match slots_fit(&file.slots) && file.commitment.len() == 32 {
            true => Ok(file),
            false => Err(BadEnvelope::Malformed { what: CONCERN }),
        }
    }

    /// By what one file is told from another.
    pub fn digest(&self) -> Digest {
        sha256(&[&self.to_bytes()])
    }
}

fn slot_info(vault: VaultId) -> Vec<u8> {
    length_prefixed(&[b"strongroom/1/concern slot", &[SUITE], vault.as_bytes()])
}

fn seal_key(key: &Secret<32>, vault: VaultId) -> Secret<32> {
    derive_key(key.expose(), "strongroom/1/concern seal", &[vault.as_bytes()])
}

fn commitment(key: &Secret<32>, vault: VaultId) -> Secret<32> {
    derive_key(key.expose(), "strongroom/1/concern commitment", &[vault.as_bytes()])
}

/// An answer. Wiped on drop; no `Debug`.
pub struct Reply {
    /// What is answered.
    pub text: Zeroizing<String>,
    /// On which day, in days since 1970-01-01.
    pub day: u32,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct ReplyCbor {
    #[n(0)]
    text: String,
    #[n(1)]
    day: u32,
}

impl Drop for ReplyCbor {
    fn drop(&mut self) {
        self.text.zeroize();
    }
}

impl Reply {
    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        secret::encode(&ReplyCbor {
            text: self.text.to_string(),
            day: self.day,
        })
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, BadEnvelope> {
        let mut raw: ReplyCbor = cbor::decode(REPLY, FILE_MAX, bytes)?;
        match is_text(&raw.text) {
            true => Ok(Self {
                text: Zeroizing::new(std::mem::take(&mut raw.text)),
                day: raw.day,
            }),
            false => Err(BadEnvelope::Malformed { what: REPLY }),
        }
    }
}

/// An answer as it is handed over. Whoever has the code reads it, wherever it lies.
#[derive(Encode, Decode, Debug, Clone, PartialEq, Eq)]
#[cbor(map)]
pub struct SealedReply {
    #[n(0)]
    suite: u8,
    #[n(1)]
    sealed: Bytes,
}

impl SealedReply {
    /// Seals an answer.
    pub fn seal(key: &ReplyKey, reply: &Reply, entropy: &mut dyn Entropy) -> Result<Self, NoEntropy> {
        let padded = padding::pad(&reply.encode());
        let sealed = xseal(&key.seal_key(), &reply_context(), &padded, entropy)?;
        Ok(Self {
            suite: SUITE,
            sealed: sealed.into(),
        })
    }

    /// Reads it, for whoever has the code. It is nobody's note, so that no entry comes before.
    pub fn read(&self, code: &ReplyCode) -> Result<Reply, BadEnvelope> {
        let opened = xopen(&code.reply_key().seal_key(), &reply_context(), &self.sealed);
        let padded = opened.map_err(|_| BadEnvelope::Unopenable { what: REPLY })?;
        Reply::decode(padding::unpad(REPLY, padded.expose())?.expose())
    }

    /// Its text, as it is handed over.
    pub fn to_page(&self) -> String {
        to_page(REPLY_BEGIN, &self.to_bytes())
    }

    /// Its bytes, as they stand in the text.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// Reads them.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadEnvelope> {
        let file: Self = cbor::decode(REPLY, FILE_MAX, bytes)?;
        check_suite(REPLY, file.suite)?;
        Ok(file)
    }

    /// Finds the one sealed reply on a page.
    pub fn find(page: &[u8]) -> Result<Self, BadPage> {
        let bytes = find_page(REPLY, REPLY_BEGIN, page)?;
        Self::parse(&bytes).map_err(|_| BadPage::Damaged(REPLY))
    }
}

fn reply_context() -> Vec<u8> {
    length_prefixed(&[b"strongroom/1/concern reply", &[SUITE]])
}

#[cfg(test)]
mod tests {
    use super::super::pages::{END, PAGE_MAX};
    use super::*;
    use crate::crypto::ExampleEntropy;

    const VAULT: VaultId = VaultId([1; 16]);

    fn device(n: u8) -> HybridSecret {
        HybridSecret::from_seed(&Secret::copy_from(&[n; 32]).unwrap())
    }

    fn code(label: &'static str) -> ReplyCode {
        ReplyCode::make(&mut ExampleEntropy::new(label)).unwrap()
    }

    fn concern() -> Concern {
        Concern {
            text: Zeroizing::new("The gate log is filled in before the shift.\n".into()),
            reply: code("code").reply_key(),
            key: Digest([5; 32]),
            to: vec![PersonId([1; 8]), PersonId([2; 8])],
            left_out: vec![PersonId([3; 8])],
        }
    }

    fn sealed(concern: &Concern) -> SealedConcern {
        let to = [device(1).recipient(), device(2).recipient()];
        SealedConcern::seal(VAULT, concern, &to, &mut ExampleEntropy::new("concern")).unwrap()
    }

    #[test]
    fn a_concern_opens_for_whom_it_was_sealed_to_and_hides_how_many() {
        let file = sealed(&concern());
        assert_eq!(file.slots.len(), 4);
        let file = SealedConcern::find(file.to_page().as_bytes()).unwrap();
        for n in [1, 2] {
            let opened = file
                .open_sealed(VAULT, &device(n))
                .unwrap_or_else(|error| panic!("{error}"));
            assert!(opened.encode() == concern().encode());
        }
        assert!(file.open_sealed(VAULT, &device(3)).is_err());
        assert!(file.open_sealed(VaultId([2; 16]), &device(1)).is_err());
    }

    #[test]
    fn nothing_of_who_wrote_or_reads_it_stands_in_clear() {
        let bytes = cbor::encode(&sealed(&concern()));
        let found = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
        for part in [&VAULT.0[..], &[1; 8], &[3; 8], &[5; 32], b"gate"] {
            assert!(!found(part), "{part:?}");
        }
        // Two texts of about one length make files of the same.
        let mut other = concern();
        other.text = Zeroizing::new("Two lamps are out.".into());
        assert_eq!(cbor::encode(&sealed(&other)).len(), bytes.len());
    }

    #[test]
    fn a_file_is_bound_to_all_of_itself() {
        let file = sealed(&concern());
        let changes: [fn(&mut SealedConcern); 5] = [
            |file| file.slots.swap(0, 1),
            |file| file.slots[2].sealed[0] ^= 1,
            |file| file.commitment[0] ^= 1,
            |file| *file.sealed.last_mut().unwrap() ^= 1,
            |file| file.slots.extend(file.slots.clone()),
        ];
        for (n, change) in changes.into_iter().enumerate() {
            let mut bad = file.clone();
            change(&mut bad);
            assert_ne!(bad.digest(), file.digest());
            assert!(bad.open_sealed(VAULT, &device(1)).is_err(), "{n}");
            assert!(bad.open_sealed(VAULT, &device(2)).is_err(), "{n}");
        }
    }

    #[test]
    fn what_is_sealed_has_one_form() {
        let changes: [fn(&mut Concern); 7] = [
            |concern| concern.to.reverse(),
            |concern| concern.to.clear(),
            |concern| concern.to.push(PersonId([3; 8])),
            |concern| concern.left_out.push(PersonId([3; 8])),
            |concern| concern.text = Zeroizing::new(" \n".into()),
            |concern| concern.text = Zeroizing::new("a\0b".into()),
            |concern| concern.text = Zeroizing::new("a".repeat(CONCERN_MAX + 1)),
        ];
        for (n, change) in changes.into_iter().enumerate() {
            let mut bad = concern();
            change(&mut bad);
            assert!(sealed(&bad).open_sealed(VAULT, &device(1)).is_err(), "{n}");
        }
        let mut longest = concern();
        longest.text = Zeroizing::new("a".repeat(CONCERN_MAX));
        let many = vec![device(1).recipient(); 128];
        let file = SealedConcern::seal(VAULT, &longest, &many, &mut ExampleEntropy::new("longest")).unwrap();
        let found = SealedConcern::find(file.to_page().as_bytes()).unwrap();
        assert!(found.open_sealed(VAULT, &device(1)).is_ok());
        for bad in [
            SealedConcern {
                suite: 2,
                ..file.clone()
            },
            SealedConcern {
                slots: Vec::new(),
                ..file.clone()
            },
            SealedConcern {
                commitment: vec![0; 31].into(),
                ..file
            },
        ] {
            let refused = SealedConcern::find(bad.to_page().as_bytes());
            assert_eq!(refused, Err(BadPage::Damaged(CONCERN)));
        }
    }

    #[test]
    fn a_page_survives_letters_and_mail() {
        let file = sealed(&concern());
        let page = file.to_page();
        for letter in [
            page.clone(),
            format!(
                "Please give this to Jon.\r\n\r\n{}\r\nThank you",
                page.replace('\n', "\r\n")
            ),
            page.lines().map(|line| format!("> > {line}\n")).collect(),
            page.lines().map(|line| format!("  {line} ")).collect(),
        ] {
            assert_eq!(SealedConcern::find(letter.as_bytes()), Ok(file.clone()), "{letter}");
        }
        let cut: String = page.lines().take(9).collect::<Vec<_>>().join("\n");
        for (bad, error) in [
            (String::new(), BadPage::None(CONCERN)),
            (page.replace(CONCERN_BEGIN, REPLY_BEGIN), BadPage::None(CONCERN)),
            (format!("{page}{page}"), BadPage::Several(CONCERN)),
            (cut, BadPage::Damaged(CONCERN)),
            (page.replace(END, ""), BadPage::Damaged(CONCERN)),
            (page.replacen('\n', "\n=", 1), BadPage::Damaged(CONCERN)),
            (" ".repeat(PAGE_MAX + 1), BadPage::TooLong(CONCERN)),
        ] {
            assert_eq!(SealedConcern::find(bad.as_bytes()), Err(error));
        }
        assert_eq!(SealedConcern::find(b"\xff"), Err(BadPage::None(CONCERN)));
    }

    #[test]
    fn a_reply_is_read_with_its_code_alone() {
        let reply = Reply {
            text: Zeroizing::new("We look at the log tonight.".into()),
            day: 20_778,
        };
        let key = code("code").reply_key();
        let key = ReplyKey::from_hex(&key.to_hex()).unwrap();
        let file = SealedReply::seal(&key, &reply, &mut ExampleEntropy::new("reply")).unwrap();
        let found = SealedReply::find(file.to_page().as_bytes()).unwrap();
        let read = found.read(&code("code")).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((read.text.as_str(), read.day), (reply.text.as_str(), reply.day));
        assert!(found.read(&code("other")).is_err());
        let bytes = cbor::encode(&file);
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            let read = SealedReply::find(to_page(REPLY_BEGIN, &bad).as_bytes());
            assert!(read.is_err() || read.unwrap().read(&code("code")).is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_code_is_a_mnemonic() {
        // BIP-39's own test vectors.
        for (byte, words) in [
            (
                0x00,
                "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about",
            ),
            (
                0x7f,
                "legal winner thank year wave sausage worth useful legal winner thank yellow",
            ),
            (0xff, "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong"),
        ] {
            let code = ReplyCode(Secret::copy_from(&[byte; 16]).unwrap());
            assert_eq!(code.to_words().as_str(), words);
            let typed = format!(" {}\n", words.to_uppercase().replace(' ', "\n "));
            let read = ReplyCode::read(&typed).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(read.0.expose(), &[byte; 16]);
        }
        let refused = |text: &str| ReplyCode::read(text).err();
        assert_eq!(refused("zoo"), Some(BadCode::Length(1)));
        assert_eq!(refused(&format!("{} zo", "zoo ".repeat(11))), Some(BadCode::Word(11)));
        assert_eq!(refused(&"zoo ".repeat(12)), Some(BadCode::Mistyped));
    }

    #[test]
    fn a_concern_says_something_to_somebody_and_leaves_nobody_out_whom_it_goes_to() {
        let decodes = |change: &dyn Fn(&mut Concern)| {
            let mut concern = concern();
            change(&mut concern);
            Concern::decode(&concern.encode()).is_ok()
        };
        let person = |n: usize| PersonId((n as u64).to_be_bytes());
        assert!(decodes(&|_| ()));
        assert!(decodes(
            &|concern| concern.text = Zeroizing::new("x".repeat(CONCERN_MAX))
        ));
        assert!(decodes(
            &|concern| concern.to = (1000..1000 + PEOPLE_MAX).map(person).collect()
        ));
        let changes: [&dyn Fn(&mut Concern); 8] = [
            &|concern| concern.text = Zeroizing::new(" \n".into()),
            &|concern| concern.text = Zeroizing::new("a\0b".into()),
            &|concern| concern.text = Zeroizing::new("x".repeat(CONCERN_MAX + 1)),
            &|concern| concern.to.clear(),
            &|concern| concern.to.reverse(),
            &|concern| concern.to = vec![PersonId([1; 8]), PersonId([1; 8])],
            &|concern| concern.to = (1000..1001 + PEOPLE_MAX).map(person).collect(),
            &|concern| concern.left_out = vec![PersonId([2; 8])],
        ];
        for (n, change) in changes.iter().enumerate() {
            assert!(!decodes(change), "{n}");
        }
    }

    #[test]
    fn a_sealed_concern_of_no_right_form_is_refused() {
        let mut short = sealed(&concern());
        short.commitment.truncate(31);
        let mut fewer = sealed(&concern());
        fewer.slots.truncate(3);
        for file in [short, fewer] {
            assert!(SealedConcern::parse(&file.to_bytes()).is_err());
        }
    }
}
