//! Checkpoints with cosignatures of witnesses (c2sp.org/tlog-cosignature, Ed25519), and the witness's own key.
//!
//! A witness says: at this time, this was the largest tree of this log that I have seen, and it went on from every one
//! that I cosigned before. What it signs begins with `cosignature/v1`, so that no other signature is taken for one.

use super::checkpoint::{SignedCheckpoint, origin};
use super::note_key::{NoteKey, Signs, hex, is_name};
use super::time::Time;
use crate::crypto::{Entropy, NoEntropy, PublicKey, SIGNATURE_LEN, SigningKey, make_secret, sha256};
use crate::id::{LogName, VaultId};
use crate::secret::Secret;
use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

/// The most cosignatures of one checkpoint that are read.
const COSIGNATURES_MAX: usize = 32;
/// The longest cosignature that is read, in bytes: one that is post-quantum has some 2,400.
const BYTES_MAX: usize = 8192;
/// The longest text that is read, in bytes.
const MAX: usize = 1024 + COSIGNATURES_MAX * (BYTES_MAX * 4 / 3 + 300);

/// A signature line of a note: of whom, and what. Kept as it is, whatever its kind.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Line {
    name: String,
    /// The key's id and the signature.
    bytes: Vec<u8>,
}

/// A log's signed checkpoint with the cosignatures that it gathered, not yet verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CosignedCheckpoint {
    /// What the log signed.
    pub signed: SignedCheckpoint,
    cosignatures: Vec<Line>,
}

/// Why a text is no such checkpoint, or is not cosigned by somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadCosignature {
    /// Not the one form.
    #[error("not a checkpoint with cosignatures: it takes the log's signed checkpoint and a line for each cosignature")]
    Malformed,
    /// The key has signed nothing here.
    #[error("it is not cosigned with the key that was given for this witness")]
    Absent,
    /// It is not the key's signature.
    #[error("its cosignature is forged: it was not made with the witness's key over this checkpoint and time")]
    Forged,
}

/// What a witness signs.
fn message(signed: &SignedCheckpoint, seconds: u64) -> Vec<u8> {
    format!("cosignature/v1\ntime {seconds}\n{}", signed.checkpoint.body()).into_bytes()
}

impl CosignedCheckpoint {
    /// A checkpoint without cosignatures.
    pub fn new(signed: SignedCheckpoint) -> Self {
        Self {
            signed,
            cosignatures: Vec::new(),
        }
    }

    /// Whether anybody cosigned it.
    pub fn is_cosigned(&self) -> bool {
        !self.cosignatures.is_empty()
    }

    /// Adds the cosignature of a witness in the place of an earlier one.
    pub fn cosign(&mut self, witness: &Witness, time: Time) {
        let seconds = u64::try_from(time.unix()).unwrap_or(0);
        let signature = witness.key.sign(&message(&self.signed, seconds));
        let key = witness.public();
        self.cosignatures.retain(|line| !line.is_of(&key));
        let bytes = [key.id().as_slice(), &seconds.to_be_bytes(), &signature].concat();
        let name = key.name().to_owned();
        self.cosignatures.push(Line { name, bytes });
    }

    /// When the witness with this key cosigned it, if it did.
    pub fn verify(&self, witness: &NoteKey) -> Result<Time, BadCosignature> {
        let mut lines = self.cosignatures.iter().filter(|line| line.is_of(witness));
        let line = lines.next().ok_or(BadCosignature::Absent)?;
        let signed = line.bytes.get(4..).and_then(|bytes| bytes.split_first_chunk::<8>());
        let (time, signature) = signed.ok_or(BadCosignature::Forged)?;
        let seconds = u64::from_be_bytes(*time);
        let time = i64::try_from(seconds).map_err(|_| BadCosignature::Forged)?;
        let sound = witness.signs() == Signs::Cosignatures && signature.len() == SIGNATURE_LEN;
        match sound && witness.key().verify(&message(&self.signed, seconds), signature).is_ok() {
            true => Ok(Time::from_unix(time)),
            false => Err(BadCosignature::Forged),
        }
    }

    /// The signed note with all its signatures.
    pub fn to_text(&self) -> String {
        let mut text = self.signed.to_text();
        for line in &self.cosignatures {
            text.push_str(&format!(
                "\u{2014} {} {}\n",
                line.name,
                Base64::encode_string(&line.bytes)
            ));
        }
        text
    }

    /// Reads a checkpoint whose first signature is the log's. Cosignatures of whatever kind are kept and not judged.
    pub fn parse(text: &str) -> Result<Self, BadCosignature> {
        if text.len() > MAX {
            return Err(BadCosignature::Malformed);
        }
        let parsed = Self::parse_lines(text).ok_or(BadCosignature::Malformed)?;
        match parsed.to_text() == text {
            true => Ok(parsed),
            false => Err(BadCosignature::Malformed),
        }
    }

    fn parse_lines(text: &str) -> Option<Self> {
        let (end, _) = text.match_indices('\n').nth(4)?;
        let (signed, rest) = text.split_at(end + 1);
        let cosignatures = rest.lines().map(Line::parse).collect::<Option<Vec<_>>>()?;
        let key = |line: &Line| (line.name.clone(), line.bytes[..4].to_vec());
        let mut keys: Vec<_> = cosignatures.iter().map(key).collect();
        keys.sort_unstable();
        keys.dedup();
        let once = keys.len() == cosignatures.len() && keys.len() <= COSIGNATURES_MAX;
        let signed = SignedCheckpoint::parse(signed).ok()?;
        once.then_some(Self { signed, cosignatures })
    }
}

impl Line {
    fn parse(text: &str) -> Option<Self> {
        let (name, bytes) = text.strip_prefix("\u{2014} ")?.split_once(' ')?;
        let bytes = Base64::decode_vec(bytes).ok()?;
        let sound = is_name(name) && (5..=BYTES_MAX).contains(&bytes.len());
        let name = name.to_owned();
        sound.then_some(Self { name, bytes })
    }

    /// Whether it says that it is this key's.
    fn is_of(&self, key: &NoteKey) -> bool {
        self.name == key.name() && self.bytes[..4] == key.id()
    }
}

/// The key of a log's checkpoints as text.
pub fn log_key(vault: VaultId, log: LogName, key: PublicKey) -> Option<NoteKey> {
    NoteKey::new(origin(vault, log), Signs::Checkpoints, key)
}

/// A witness: a name and a key that signs cosignatures and nothing else.
pub struct Witness {
    name: String,
    seed: Secret<32>,
    key: SigningKey,
}

/// Why a text is no witness's key file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadWitness {
    /// Another kind of file, or damaged.
    #[error("this is not the key file of a witness, or it is damaged; `audit witness init` makes one")]
    Malformed,
    /// The name cannot be one.
    #[error("a witness is named with 1 to 32 of the characters a–z 0–9 . _ - and begins with a letter")]
    Name,
    /// No randomness.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

impl Witness {
    /// Whether a witness of this program can have that name: it is also part of a branch's name.
    pub fn check_name(name: &str) -> Result<(), BadWitness> {
        let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
        // What git takes for no name of a branch.
        let odd = name.contains("..") || name.ends_with('.') || name.ends_with(".lock");
        match begins && name.len() <= 32 && name.bytes().all(plain) && !odd {
            true => Ok(()),
            false => Err(BadWitness::Name),
        }
    }

    /// A new one.
    pub fn make(name: &str, entropy: &mut dyn Entropy) -> Result<Self, BadWitness> {
        Self::check_name(name)?;
        Ok(Self::from_seed(name, make_secret(entropy)?))
    }

    fn from_seed(name: &str, seed: Secret<32>) -> Self {
        Self {
            name: name.to_owned(),
            key: SigningKey::from_seed(&seed),
            seed,
        }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What others check its cosignatures with.
    pub fn public(&self) -> NoteKey {
        NoteKey::of_witness(&self.name, self.key.public())
    }

    /// The key file: one line, as golang.org/x/mod/sumdb/note writes signer keys.
    pub fn to_text(&self) -> Zeroizing<String> {
        let seed = Zeroizing::new([&[Signs::Cosignatures.algorithm()], self.seed.expose().as_slice()].concat());
        let seed = Zeroizing::new(Base64::encode_string(&seed));
        let id = hex(self.public().id());
        Zeroizing::new(format!("PRIVATE+KEY+{}+{id}+{}\n", self.name, *seed))
    }

    /// Reads a key file; strict.
    pub fn parse(text: &str) -> Result<Self, BadWitness> {
        let parsed = Self::parse_parts(text).ok_or(BadWitness::Malformed)?;
        match *parsed.to_text() == text {
            true => Ok(parsed),
            false => Err(BadWitness::Malformed),
        }
    }

    fn parse_parts(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("PRIVATE+KEY+")?.strip_suffix('\n')?;
        let (name, rest) = rest.split_once('+')?;
        let (_, seed) = rest.split_once('+')?;
        Self::check_name(name).ok()?;
        // One byte for what it signs, and the seed.
        let mut bytes = Zeroizing::new([0; 33]);
        let found = Base64::decode(seed, bytes.as_mut_slice()).ok()?;
        let (_, seed) = found.split_first()?;
        Some(Self::from_seed(name, Secret::copy_from(seed)?))
    }
}

/// A witness's cosigned checkpoints on their way to a vault that the witness cannot write to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CosignedFile {
    /// The witness's key, by its own word.
    pub witness: NoteKey,
    /// A checkpoint of each log, sorted by log.
    pub checkpoints: Vec<CosignedCheckpoint>,
}

/// The largest such file that is read.
const FILE_MAX: usize = 4 << 20;

/// Why a text is no such file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadCosignedFile {
    /// Another kind of file.
    #[error("this is not what a witness wrote: its first line is not `strongroom-cosigned-v1`")]
    OtherFile,
    /// Damaged or mistyped.
    #[error("this file of a witness is damaged: its check line does not hold, or it is not in the one form it has")]
    Damaged,
}

impl CosignedFile {
    /// Its text.
    pub fn to_text(&self) -> String {
        let mut body = format!("strongroom-cosigned-v1\nwitness {}\n\n", self.witness);
        for checkpoint in &self.checkpoints {
            body.push_str(&checkpoint.to_text());
            body.push('\n');
        }
        let check = sha256(&[body.as_bytes()]);
        format!("{body}check {check}\n")
    }

    /// Reads it; strict. Its signatures are for the reader to check.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadCosignedFile> {
        if !bytes.starts_with(b"strongroom-cosigned-v1\n") {
            return Err(BadCosignedFile::OtherFile);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| BadCosignedFile::Damaged)?;
        let parsed = Self::parse_lines(text).filter(|_| text.len() <= FILE_MAX);
        match parsed.filter(|parsed| parsed.to_text() == text) {
            Some(parsed) => Ok(parsed),
            None => Err(BadCosignedFile::Damaged),
        }
    }

    fn parse_lines(text: &str) -> Option<Self> {
        let (head, rest) = text.split_once("\n\n")?;
        let witness = head.lines().nth(1)?.strip_prefix("witness ")?.parse().ok()?;
        let body = &rest[..rest.rfind("check ")?];
        let mut checkpoints: Vec<CosignedCheckpoint> = Vec::new();
        let parts: Vec<&str> = body.split_terminator("\n\n").collect();
        for note in parts.chunks(2) {
            let [lines, signatures] = note else { return None };
            checkpoints.push(CosignedCheckpoint::parse(&format!("{lines}\n\n{signatures}\n")).ok()?);
        }
        let log = |at: &CosignedCheckpoint| at.signed.checkpoint.log;
        let sorted = checkpoints.windows(2).all(|pair| log(&pair[0]) < log(&pair[1]));
        sorted.then_some(Self { witness, checkpoints })
    }
}

#[cfg(test)]
mod tests {
    use super::super::checkpoint::Checkpoint;
    use super::super::sshsig::{Namespace, sign as sign_ssh};
    use super::*;
    use crate::crypto::ExampleEntropy;
    use crate::id::Digest;
    use signed_note::{Note, NoteError, Verifier, VerifierList};

    const TIME: i64 = 1_679_315_147;

    fn device() -> SigningKey {
        SigningKey::from_seed(&Secret::copy_from(&[1; 32]).unwrap())
    }

    fn signed(size: u64) -> SignedCheckpoint {
        let checkpoint = Checkpoint {
            vault: VaultId([1; 16]),
            log: "0102030405060708-090a0b0c".parse().unwrap(),
            size,
            root: Digest([2; 32]),
        };
        checkpoint.sign(&device())
    }

    fn witness(name: &'static str) -> Witness {
        Witness::make(name, &mut ExampleEntropy::new(name)).unwrap()
    }

    fn cosigned(witnesses: &[&Witness]) -> CosignedCheckpoint {
        let mut cosigned = CosignedCheckpoint::new(signed(7));
        let all = witnesses.iter();
        all.for_each(|witness| cosigned.cosign(witness, Time::from_unix(TIME)));
        cosigned
    }

    /// The specification's cosignature, checked by another implementation's notes.
    struct Theirs {
        key: NoteKey,
        plain: signed_note::StandardVerifier,
    }

    impl Theirs {
        fn new(key: &NoteKey) -> Self {
            let plain = NoteKey::new(key.name().into(), Signs::Checkpoints, key.key()).unwrap();
            let plain = signed_note::StandardVerifier::new(&plain.to_string()).unwrap();
            Self {
                key: key.clone(),
                plain,
            }
        }
    }

    impl Verifier for Theirs {
        fn name(&self) -> &str {
            self.key.name()
        }

        fn key_id(&self) -> u32 {
            let bytes = [&[4], self.key.key().0.as_slice()].concat();
            signed_note::key_id(self.key.name(), &bytes)
        }

        fn verify(&self, text: &[u8], signature: &[u8]) -> bool {
            let Some((time, signature)) = signature.split_first_chunk::<8>() else {
                return false;
            };
            let head = format!("cosignature/v1\ntime {}\n", u64::from_be_bytes(*time));
            self.plain.verify(&[head.as_bytes(), text].concat(), signature)
        }
    }

    #[test]
    fn another_implementation_takes_checkpoint_and_cosignatures() {
        let (one, two) = (witness("one"), witness("two.example"));
        let text = cosigned(&[&one, &two]).to_text();
        let note = Note::from_bytes(text.as_bytes()).unwrap();
        let log = log_key(VaultId([1; 16]), signed(7).checkpoint.log, device().public()).unwrap();
        let known = VerifierList::new(vec![
            Box::new(signed_note::StandardVerifier::new(&log.to_string()).unwrap()),
            Box::new(Theirs::new(&one.public())),
        ]);
        let (verified, unknown) = note.verify(&known).unwrap();
        assert_eq!((verified.len(), unknown.len()), (2, 1));
        assert_eq!(unknown[0].name(), "two.example");
        let read = tlog_tiles::Checkpoint::from_bytes(note.text()).unwrap();
        assert_eq!((read.size(), read.hash().0, read.extension()), (7, [2; 32], ""));
        // One bit, and neither of us takes it.
        let altered = text.replace("\n7\n", "\n8\n");
        let note = Note::from_bytes(altered.as_bytes()).unwrap();
        assert!(matches!(note.verify(&known), Err(NoteError::InvalidSignature { .. })));
        let ours = CosignedCheckpoint::parse(&altered).unwrap();
        assert_eq!(ours.verify(&one.public()), Err(BadCosignature::Forged));
        assert!(ours.signed.verify(&device().public()).is_err());
    }

    #[test]
    fn a_cosignature_comes_back_and_holds_for_its_witness_alone() {
        let (one, two) = (witness("one"), witness("two"));
        let text = cosigned(&[&one]).to_text();
        let read = CosignedCheckpoint::parse(&text).unwrap();
        assert_eq!(read.to_text(), text);
        assert_eq!(read.verify(&one.public()), Ok(Time::from_unix(TIME)));
        assert_eq!(read.verify(&two.public()), Err(BadCosignature::Absent));
        // The name of one with the key of another is another key.
        let posing = NoteKey::new("one".into(), Signs::Cosignatures, two.public().key()).unwrap();
        assert_eq!(read.verify(&posing), Err(BadCosignature::Absent));
        let mut later = read.clone();
        later.cosign(&one, Time::from_unix(TIME + 5));
        assert_eq!(later.verify(&one.public()), Ok(Time::from_unix(TIME + 5)));
        assert_eq!(later.to_text().lines().count(), 6);
        // Every byte of the signature counts, and its time.
        let line = text.lines().last().unwrap();
        let (head, signature) = line.rsplit_once(' ').unwrap();
        let bytes = Base64::decode_vec(signature).unwrap();
        for at in 4..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1;
            let forged = text.replace(line, &format!("{head} {}", Base64::encode_string(&bytes)));
            let forged = CosignedCheckpoint::parse(&forged).unwrap();
            assert_eq!(forged.verify(&one.public()), Err(BadCosignature::Forged), "byte {at}");
        }
        let short = text.replace(line, &format!("{head} {}", Base64::encode_string(&bytes[..11])));
        let short = CosignedCheckpoint::parse(&short).unwrap();
        assert_eq!(short.verify(&one.public()), Err(BadCosignature::Forged));
    }

    /// Each kind of signature that a device and a witness make, given to whoever checks the other kinds.
    #[test]
    fn no_signature_passes_for_one_of_another_kind() {
        let one = witness("one");
        let cosigned_text = cosigned(&[&one]).to_text();
        let last = cosigned_text.lines().last().unwrap();
        let cosignature = Base64::decode_vec(last.rsplit_once(' ').unwrap().1).unwrap();
        let text = signed(7).to_text();
        let own = text.lines().last().unwrap();
        let checkpoint = Base64::decode_vec(own.rsplit_once(' ').unwrap().1).unwrap();
        // A witness's signature in the log's line, even if the log's key were the witness's.
        let origin = log_key(VaultId([1; 16]), signed(7).checkpoint.log, one.public().key()).unwrap();
        let line = [origin.id().as_slice(), &cosignature[12..]].concat();
        let posing = text.replace(
            own,
            &format!("\u{2014} {} {}", origin.name(), Base64::encode_string(&line)),
        );
        let posing = SignedCheckpoint::parse(&posing).unwrap();
        assert!(posing.verify(&origin.key()).is_err());
        // A device's signatures as cosignatures, even if its key were pinned as a witness's.
        let pinned = NoteKey::new("one".into(), Signs::Cosignatures, device().public()).unwrap();
        let ssh = sign_ssh(&device(), Namespace::Git, &message(&signed(7), TIME as u64));
        let ssh = Base64::decode_vec(&ssh.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap();
        for signature in [&checkpoint[4..], &ssh[ssh.len() - 64..]] {
            let line = [pinned.id().as_slice(), &(TIME as u64).to_be_bytes(), signature].concat();
            let text = format!("{text}\u{2014} one {}\n", Base64::encode_string(&line));
            let read = CosignedCheckpoint::parse(&text).unwrap();
            assert_eq!(read.verify(&pinned), Err(BadCosignature::Forged));
        }
        // A log's key is no witness's, also if somebody pins it as one.
        let log = log_key(VaultId([1; 16]), signed(7).checkpoint.log, device().public()).unwrap();
        let line = format!("{text}{own}\n");
        let read = CosignedCheckpoint::parse(&line).unwrap();
        assert_eq!(read.verify(&log), Err(BadCosignature::Forged));
    }

    #[test]
    fn one_fault_each_is_refused() {
        let text = cosigned(&[&witness("one")]).to_text();
        let own = text.lines().last().unwrap();
        for (fault, bad) in [
            ("empty", String::new()),
            ("cut", text[..text.len() - 1].to_owned()),
            ("twice", format!("{text}{own}\n")),
            ("an empty line", format!("{text}\n")),
            ("an extension line", text.replacen("\n\n", "\nmore\n\n", 1)),
            ("a name with a plus", text.replace(" one ", " o+e ")),
            ("no name", text.replace(" one ", "  ")),
            ("too short", format!("{text}\u{2014} two AAAAAA==\n")),
            ("cosignature first", {
                let mut lines: Vec<&str> = text.lines().collect();
                lines.swap(4, 5);
                lines.iter().map(|line| format!("{line}\n")).collect()
            }),
        ] {
            assert_eq!(
                CosignedCheckpoint::parse(&bad),
                Err(BadCosignature::Malformed),
                "{fault}"
            );
        }
        let many = |count: usize| {
            (0..count)
                .map(|n| format!("\u{2014} w{n} AAAAAAAA\n"))
                .collect::<String>()
        };
        assert!(CosignedCheckpoint::parse(&format!("{text}{}", many(31))).is_ok());
        assert!(CosignedCheckpoint::parse(&format!("{text}{}", many(32))).is_err());
    }

    #[test]
    fn a_key_file_comes_back_and_damage_is_noticed() {
        let one = witness("one");
        let text = one.to_text();
        let again = Witness::parse(&text).map_err(|bad| bad.to_string()).unwrap();
        assert_eq!((again.name(), again.public()), ("one", one.public()));
        for at in 0..text.len() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] ^= 1;
            let damaged = String::from_utf8_lossy(&bytes);
            assert!(Witness::parse(&damaged).is_err(), "byte {at}");
        }
        for bad in ["", "a b", "A", "1", "a/b", "a..b", "a.", "a.lock", "é", &"a".repeat(33)] {
            assert_eq!(Witness::check_name(bad), Err(BadWitness::Name), "{bad}");
        }
        assert_eq!(Witness::check_name("inspectorate.example-2"), Ok(()));
    }

    #[test]
    fn a_witness_s_file_comes_back_and_a_slip_is_noticed() {
        let one = witness("one");
        let file = CosignedFile {
            witness: one.public(),
            checkpoints: vec![cosigned(&[&one])],
        };
        let text = file.to_text();
        assert_eq!(CosignedFile::parse(text.as_bytes()), Ok(file));
        for at in 23..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            assert_eq!(CosignedFile::parse(&bytes), Err(BadCosignedFile::Damaged), "byte {at}");
        }
        assert_eq!(CosignedFile::parse(b"hello"), Err(BadCosignedFile::OtherFile));
    }
}
