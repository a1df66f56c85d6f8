//! A recovery key in shares: what each page says, and what stands in the vault to check them with (docs/FORMAT.md §3.1).

use super::cbor::{self, Bytes};
use super::{BadEnvelope, RecoveryKey, SUITE, check_suite};
use crate::crypto::{
    Entropy, NoEntropy, SHARED_LEN, SHARES_MAX, SecretShare, are_commitments, check_share, combine_shares,
    length_prefixed, make_shareable, same_bytes, sha256, split_secret,
};
use crate::id::{DeviceId, Digest, VaultId};
use crate::secret::Secret;
use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

const WHAT: &str = "set of recovery shares";
/// The largest set, in bytes.
const MAX: usize = 1024;
/// What stands before the words of a share.
const BEGIN: &str = "strongroom-share-1";
/// Pages are small; more is not read.
const PAGE_MAX: usize = 64 * 1024;
/// Words in a row of a page.
pub const ROW: usize = 8;
/// Rows of a page.
pub const ROWS: usize = 8;
const WORDS: usize = ROW * ROWS;
/// The bits of a word.
const BITS: usize = 11;
/// What the words hold.
const BYTES: usize = WORDS * BITS / 8;
const CHECK_LEN: usize = 4;
const SET_LEN: usize = 16;
const VERSION: u8 = 1;

/// What stands in the vault of a recovery key that was shared out: which device it is, and what shares are checked with.
#[derive(Encode, Decode, Debug, PartialEq, Clone)]
#[cbor(map)]
pub struct ShareSet {
    #[n(0)]
    suite: u8,
    #[n(1)]
    vault: Bytes,
    #[n(2)]
    device: Bytes,
    #[n(3)]
    of: u8,
    #[n(4)]
    commitments: Vec<Bytes>,
}

impl ShareSet {
    /// Reads a file.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadEnvelope> {
        let set: Self = cbor::decode(WHAT, MAX, bytes)?;
        check_suite(WHAT, set.suite)?;
        let need = set.commitments.len();
        let numbers = need >= 2 && need <= usize::from(set.of) && set.of <= SHARES_MAX;
        let points = set.points().is_some_and(|points| are_commitments(&points));
        match numbers && points && set.vault.len() == 16 && set.device.len() == 8 {
            true => Ok(set),
            false => Err(BadEnvelope::Malformed { what: WHAT }),
        }
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// The vault and the device that the key is.
    pub fn place(&self) -> Result<(VaultId, DeviceId), BadEnvelope> {
        Ok((cbor::fixed(WHAT, &self.vault)?, cbor::fixed(WHAT, &self.device)?))
    }

    /// The path of the set of a device in `main`.
    pub fn path(device: DeviceId) -> String {
        format!("recovery/{device}.shares")
    }

    /// How many shares are needed.
    pub fn need(&self) -> usize {
        self.commitments.len()
    }

    fn points(&self) -> Option<Vec<[u8; SHARED_LEN]>> {
        let commitments = self.commitments.iter();
        commitments.map(|bytes| bytes.as_slice().try_into().ok()).collect()
    }

    /// By what a share names its set, and with it the founder: whoever puts other commitments or another vault in the
    /// place of these has another name.
    fn name(&self, founder: Digest) -> [u8; SET_LEN] {
        let digest = sha256(&[&length_prefixed(&[
            b"strongroom/1/share set",
            &founder.0,
            &self.to_bytes(),
        ])]);
        std::array::from_fn(|at| digest.0[at])
    }
}

/// One share of a recovery key, as it stands on its page.
pub struct KeyShare {
    number: u8,
    need: u8,
    of: u8,
    set: [u8; SET_LEN],
    share: SecretShare,
}

/// There is no readable share on the page. What stands there is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadShare {
    /// None found.
    #[error("there is no recovery share in this file: it is {WORDS} words after `{BEGIN}`")]
    None,
    /// More than one found.
    #[error("there is more than one recovery share in this file; each goes into a file of its own")]
    Several,
    /// Words are missing.
    #[error("words are missing at the end of the share: it has {WORDS}, and here are {0}")]
    Short(usize),
    /// A word that is none of the list.
    #[error("word {} in row {} of the share is none of the list: look at the page again", .0 % ROW + 1, .0 / ROW + 1)]
    Word(usize),
    /// The checksum does not hold.
    #[error("the share has a typing error, or the page is damaged: its checksum does not hold")]
    Mistyped,
    /// Of a later version.
    #[error("this share is of a later version than this strongroom knows")]
    Later,
    /// Too large for a page.
    #[error("this file is too large to be a page with a share (64 KiB)")]
    TooLong,
}

/// Shares that do not give a key back; each is named by its place in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadShares {
    /// Of a set that this vault does not have.
    Foreign(usize),
    /// Of another set of this vault than the first.
    Mixed(usize),
    /// Not the share of its number that was made.
    Wrong(usize),
    /// The same as an earlier one.
    Twice(usize, usize),
    /// Too few: so many are there, and so many needed.
    TooFew(usize, usize),
}

impl KeyShare {
    /// Its number, from 1.
    pub fn number(&self) -> u8 {
        self.number
    }

    /// How many are needed.
    pub fn need(&self) -> u8 {
        self.need
    }

    /// How many there are.
    pub fn of(&self) -> u8 {
        self.of
    }

    /// The rows of words to print: the English list of BIP-39.
    pub fn to_rows(&self) -> Zeroizing<String> {
        let list = bip39::Language::English.word_list();
        let bytes = self.to_bytes();
        let bit = |at: usize| usize::from(bytes[at / 8] >> (7 - at % 8) & 1);
        // All of it from the beginning, so that no copy is left behind.
        let mut rows = Zeroizing::new(String::with_capacity(WORDS * 9));
        for n in 0..WORDS {
            let word = (n * BITS..(n + 1) * BITS).fold(0, |word, at| word << 1 | bit(at));
            rows.push_str(list[word]);
            rows.push(if n % ROW == ROW - 1 { '\n' } else { ' ' });
        }
        rows
    }

    /// What is printed: what a share begins with, and its words.
    pub fn to_text(&self) -> Zeroizing<String> {
        let rows = self.to_rows();
        let mut text = Zeroizing::new(String::with_capacity(BEGIN.len() + 1 + rows.len()));
        text.push_str(BEGIN);
        text.push('\n');
        text.push_str(&rows);
        text
    }

    /// Finds the one share on a page: the words after what it begins with, or a page that has the words alone.
    pub fn find(page: &str) -> Result<Self, BadShare> {
        if page.len() > PAGE_MAX {
            return Err(BadShare::TooLong);
        }
        let pieces: Vec<&str> = page.split_whitespace().collect();
        let mut begins = (0..pieces.len()).filter(|at| pieces[*at].eq_ignore_ascii_case(BEGIN));
        let words = match (begins.next(), begins.next()) {
            (None, _) if pieces.len() == WORDS => &pieces[..],
            (None, _) => return Err(BadShare::None),
            (Some(_), Some(_)) => return Err(BadShare::Several),
            (Some(at), None) => &pieces[at + 1..],
        };
        let mut bytes = Zeroizing::new([0; BYTES]);
        for n in 0..WORDS {
            let word = words.get(n).ok_or(BadShare::Short(n))?;
            let number = Self::word(word).ok_or(BadShare::Word(n))?;
            for at in (0..BITS).filter(|at| number >> (BITS - 1 - at) & 1 == 1) {
                let place = n * BITS + at;
                bytes[place / 8] |= 0x80 >> (place % 8);
            }
        }
        Self::parse(&bytes)
    }

    /// The number of a word in the list, in either case.
    fn word(word: &str) -> Option<usize> {
        let list = bip39::Language::English.word_list();
        list.iter().position(|known| known.eq_ignore_ascii_case(word))
    }

    /// The first word of a row that is none of the list, if there is one.
    pub fn unknown_word(row: &str) -> Option<usize> {
        row.split_whitespace().position(|word| Self::word(word).is_none())
    }

    fn to_bytes(&self) -> Zeroizing<[u8; BYTES]> {
        let mut bytes = Zeroizing::new([0; BYTES]);
        bytes[..4].copy_from_slice(&[VERSION, self.number, self.need, self.of]);
        bytes[4..20].copy_from_slice(&self.set);
        bytes[20..52].copy_from_slice(self.share.value.expose());
        bytes[52..84].copy_from_slice(self.share.blinding.expose());
        let check = check(&bytes);
        bytes[84..].copy_from_slice(&check);
        bytes
    }

    fn parse(bytes: &[u8; BYTES]) -> Result<Self, BadShare> {
        if !same_bytes(&check(bytes), &bytes[84..]) {
            return Err(BadShare::Mistyped);
        }
        let [version, number, need, of] = [bytes[0], bytes[1], bytes[2], bytes[3]];
        if version != VERSION {
            return Err(BadShare::Later);
        }
        if need < 2 || need > of || of > SHARES_MAX || !(1..=of).contains(&number) {
            return Err(BadShare::Mistyped);
        }
        let part = |at: usize| Secret::copy_from(&bytes[at..at + SHARED_LEN]).ok_or(BadShare::Mistyped);
        Ok(Self {
            number,
            need,
            of,
            set: std::array::from_fn(|at| bytes[4 + at]),
            share: SecretShare {
                value: part(20)?,
                blinding: part(52)?,
            },
        })
    }
}

/// The checksum of a share: what typing and paper do to it is noticed, and told from what somebody did to it.
fn check(bytes: &[u8; BYTES]) -> [u8; CHECK_LEN] {
    let digest = sha256(&[b"strongroom/1/share", &bytes[..BYTES - CHECK_LEN]]);
    std::array::from_fn(|at| digest.0[at])
}

/// A fresh recovery key for the device of a vault in `of` shares, of which any `need` give it back; `None` where the
/// numbers are not 2 ≤ need ≤ of ≤ 16.
pub fn split_recovery_key(
    (vault, device, founder): (VaultId, DeviceId, Digest),
    need: u8,
    of: u8,
    entropy: &mut dyn Entropy,
) -> Result<Option<(RecoveryKey, ShareSet, Vec<KeyShare>)>, NoEntropy> {
    let secret = make_shareable(entropy)?;
    let Some(split) = split_secret(&secret, need, of, entropy)? else {
        return Ok(None);
    };
    let set = ShareSet {
        suite: SUITE,
        vault: vault.as_bytes().to_vec().into(),
        device: device.as_bytes().to_vec().into(),
        of,
        commitments: split.commitments.iter().map(|point| point.to_vec().into()).collect(),
    };
    let name = set.name(founder);
    let shares = (1..=of).zip(split.shares).map(|(number, share)| KeyShare {
        number,
        need,
        of,
        set: name,
        share,
    });
    let shares = shares.collect();
    Ok(Some((RecoveryKey::of_shares(secret, founder), set, shares)))
}

/// The recovery key that shares give back, and the device that it is, by the sets that the vault of that founder has.
/// Every share is judged before any are combined.
pub fn combine_recovery_key(
    sets: &[ShareSet],
    founder: Digest,
    shares: &[KeyShare],
) -> Result<(RecoveryKey, DeviceId), BadShares> {
    let set_of = |share: &KeyShare| sets.iter().position(|set| set.name(founder) == share.set);
    let mut chosen = None;
    for (at, share) in shares.iter().enumerate() {
        let set = set_of(share).ok_or(BadShares::Foreign(at))?;
        if *chosen.get_or_insert(set) != set {
            return Err(BadShares::Mixed(at));
        }
    }
    let set = chosen.map(|at| &sets[at]).ok_or(BadShares::TooFew(0, 2))?;
    let (Some(points), Ok((_, device))) = (set.points(), set.place()) else {
        return Err(BadShares::Foreign(0));
    };
    for (at, share) in shares.iter().enumerate() {
        let numbers = usize::from(share.need) == set.need() && share.of == set.of;
        if !numbers || !check_share(&points, share.number, &share.share) {
            return Err(BadShares::Wrong(at));
        }
        // Both are what was made, so they are the same.
        if let Some(first) = shares[..at].iter().position(|earlier| earlier.number == share.number) {
            return Err(BadShares::Twice(first, at));
        }
    }
    if shares.len() < set.need() {
        return Err(BadShares::TooFew(shares.len(), set.need()));
    }
    let numbered: Vec<(u8, &SecretShare)> = shares.iter().map(|share| (share.number, &share.share)).collect();
    let secret = combine_shares(&numbered[..set.need()]).ok_or(BadShares::TooFew(shares.len(), set.need()))?;
    Ok((RecoveryKey::of_shares(secret, founder), device))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::ExampleEntropy;

    const VAULT: VaultId = VaultId([1; 16]);
    const DEVICE: DeviceId = DeviceId([2; 8]);
    const FOUNDER: Digest = Digest([7; 32]);

    fn split(label: &'static str) -> (RecoveryKey, ShareSet, Vec<KeyShare>) {
        let place = (VAULT, DEVICE, FOUNDER);
        split_recovery_key(place, 3, 5, &mut ExampleEntropy::new(label))
            .unwrap()
            .unwrap()
    }

    /// The shares of these numbers, as they come from their pages.
    fn typed(shares: &[KeyShare], numbers: &[usize]) -> Vec<KeyShare> {
        let typed = numbers.iter().map(|n| KeyShare::find(&shares[n - 1].to_text()));
        typed.collect::<Result<_, _>>().unwrap()
    }

    fn combined(sets: &[ShareSet], founder: Digest, shares: &[KeyShare]) -> Result<(String, DeviceId), BadShares> {
        combine_recovery_key(sets, founder, shares).map(|(key, device)| (key.to_word().to_string(), device))
    }

    #[test]
    fn enough_pages_give_the_key_back() {
        let (key, set, shares) = split("a");
        let want = Ok((key.to_word().to_string(), DEVICE));
        for numbers in [&[1, 2, 3][..], &[5, 1, 4], &[1, 2, 3, 4, 5]] {
            let sets = [split("b").1, set.clone()];
            assert_eq!(combined(&sets, FOUNDER, &typed(&shares, numbers)), want);
        }
        assert!(key.trusts(FOUNDER));
    }

    #[test]
    fn each_fault_of_shares_is_told_from_the_others() {
        let ((_, set, shares), (_, other, others)) = (split("a"), split("b"));
        let sets = [set.clone(), other];
        let faults = |shares: &[KeyShare]| combined(&sets, FOUNDER, shares).err();
        assert_eq!(faults(&typed(&shares, &[1, 2])), Some(BadShares::TooFew(2, 3)));
        assert_eq!(faults(&[]), Some(BadShares::TooFew(0, 2)));
        assert_eq!(faults(&typed(&shares, &[1, 4, 2, 4])), Some(BadShares::Twice(1, 3)));
        let mut mixed = typed(&shares, &[1, 2]);
        mixed.extend(typed(&others, &[3]));
        assert_eq!(faults(&mixed), Some(BadShares::Mixed(2)));
        assert_eq!(combined(&sets[..1], FOUNDER, &mixed).err(), Some(BadShares::Foreign(2)));
        // Another vault's founder, and commitments that somebody put in the place of these.
        let three = typed(&shares, &[1, 2, 3]);
        let elsewhere = combined(&sets, Digest([8; 32]), &three).err();
        assert_eq!(elsewhere, Some(BadShares::Foreign(0)));
        let mut forged = set.clone();
        forged.commitments.swap(0, 1);
        assert_eq!(combined(&[forged], FOUNDER, &three).err(), Some(BadShares::Foreign(0)));
        // A share that somebody changed, checksum and all.
        for change in [
            (|share: &mut KeyShare| share.number = 4) as fn(&mut KeyShare),
            |share| share.need = 2,
            |share| share.of = 6,
            |share| share.share.value = Secret::copy_from(&[3; 32]).unwrap(),
            |share| share.share.blinding = Secret::copy_from(&[3; 32]).unwrap(),
        ] {
            let mut three = typed(&shares, &[1, 2, 3]);
            change(&mut three[1]);
            let reread = KeyShare::find(&three[1].to_text()).unwrap();
            three[1] = reread;
            assert_eq!(faults(&three), Some(BadShares::Wrong(1)));
        }
    }

    #[test]
    fn each_fault_of_a_page_has_its_words() {
        let (_, _, shares) = split("a");
        let (rows, text) = (shares[1].to_rows(), shares[1].to_text());
        let found = |page: &str| KeyShare::find(page).map(|share| share.to_rows().to_string());
        for page in [
            text.to_string(),
            rows.to_string(),
            text.to_uppercase(),
            format!("Keep this page.\n{}\nOpen with others.", *text),
        ] {
            assert_eq!(found(&page), Ok(rows.to_string()));
        }
        let words: Vec<&str> = rows.split_whitespace().collect();
        assert_eq!(words.len(), WORDS);
        let with = |at: usize, word: &str| {
            let mut words = words.clone();
            words[at] = word;
            words.join(" ")
        };
        let other = if words[20] == "zoo" { "able" } else { "zoo" };
        assert_eq!(found(&with(20, other)), Err(BadShare::Mistyped));
        assert_eq!(found(&with(20, "zooo")), Err(BadShare::Word(20)));
        assert_eq!(
            BadShare::Word(20).to_string(),
            "word 5 in row 3 of the share is none of the list: look at the page again"
        );
        assert_eq!(found(&words[1..].join(" ")), Err(BadShare::None));
        assert_eq!(
            found(&format!("{BEGIN} {}", words[..63].join(" "))),
            Err(BadShare::Short(63))
        );
        assert_eq!(found(&format!("{0}{0}", *text)), Err(BadShare::Several));
        assert_eq!(found(&" ".repeat(PAGE_MAX + 1)), Err(BadShare::TooLong));
        let mut swapped = words.clone();
        swapped.swap(3, 40);
        assert_eq!(found(&swapped.join(" ")), Err(BadShare::Mistyped));
        for (at, value) in [(0, 2), (1, 0), (1, 6), (2, 1), (2, 6), (3, 17)] {
            let mut bytes = shares[1].to_bytes();
            bytes[at] = value;
            let right = check(&bytes);
            bytes[84..].copy_from_slice(&right);
            assert!(KeyShare::parse(&bytes).is_err(), "{at} {value}");
        }
        assert_eq!(KeyShare::unknown_word("zoo Able abel"), Some(2));
    }

    #[test]
    fn a_set_has_one_form() {
        let (_, set, _) = split("a");
        let bytes = set.to_bytes();
        assert!(bytes.len() < MAX);
        assert_eq!(ShareSet::parse(&bytes), Ok(set.clone()));
        assert_eq!(set.place(), Ok((VAULT, DEVICE)));
        for change in [
            (|set: &mut ShareSet| set.suite = 2) as fn(&mut ShareSet),
            |set| set.of = 2,
            |set| set.of = SHARES_MAX + 1,
            |set| set.commitments.truncate(1),
            |set| set.commitments[0] = vec![0xff; 32].into(),
            |set| set.commitments[0] = vec![0; 31].into(),
            |set| set.device = vec![0; 7].into(),
            |set| set.vault = vec![0; 17].into(),
        ] {
            let mut bad = set.clone();
            change(&mut bad);
            assert!(ShareSet::parse(&bad.to_bytes()).is_err());
        }
        assert!(ShareSet::parse(&[bytes.as_slice(), &[0]].concat()).is_err());
        let most = split_recovery_key((VAULT, DEVICE, FOUNDER), 16, 16, &mut ExampleEntropy::new("most"));
        assert!(ShareSet::parse(&most.unwrap().unwrap().1.to_bytes()).is_ok());
    }
}
