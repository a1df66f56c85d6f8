//! Proof files (c2sp.org/tlog-proof): one entry, the hashes that lead from it to a checkpoint's root, the checkpoint.
//!
//! The extra data is the entry's line. It is not believed: its hash is where the proof begins.

use super::cosignature::CosignedCheckpoint;
use super::entry::{BadEntry, ENTRY_MAX, Entry, ParsedEntry};
use super::proof::{BadProof, check_inclusion};
use super::tree::leaf_hash;
use crate::id::{Digest, EntryRef};
use base64ct::{Base64, Encoding};

const FIRST: &str = "c2sp.org/tlog-proof@v1";
/// The most hashes a proof has.
const HASHES_MAX: usize = 64;
/// The largest proof file that is read, in bytes: the longest entry, and a checkpoint with many cosignatures.
pub const PROOF_MAX: usize = 1 << 19;

/// A proof that an entry stands in a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProofFile {
    /// The entry's line, if the file brings it.
    pub line: Option<Vec<u8>>,
    /// Its place.
    pub index: u64,
    /// From the leaf's sibling to the root's child.
    pub hashes: Vec<Digest>,
    /// The log's checkpoint.
    pub checkpoint: CosignedCheckpoint,
}

/// Why a file proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadProofFile {
    /// Another kind of file.
    #[error("this is not a proof: its first line is not `c2sp.org/tlog-proof@v1`")]
    OtherFile,
    /// Not the one form.
    #[error("this proof is damaged, or not in the one form a proof has")]
    Malformed,
    /// Neither the file nor anybody else said which entry.
    #[error("the proof does not bring its entry: give the entry's line with --entry")]
    NoEntry,
    /// The hashes do not hold.
    #[error(transparent)]
    Proof(#[from] BadProof),
    /// The line is no entry.
    #[error("what is proven is not an entry: {0}")]
    Entry(#[from] BadEntry),
    /// The entry stands elsewhere by its own word.
    #[error("the entry says of itself that it is {says}, and it is proven to be {is}")]
    Elsewhere {
        /// By its own word.
        says: EntryRef,
        /// By the proof.
        is: EntryRef,
    },
}

impl ProofFile {
    /// What is proven.
    pub fn place(&self) -> EntryRef {
        EntryRef {
            log: self.checkpoint.signed.checkpoint.log,
            seq: self.index,
        }
    }

    /// Holds if the entry stands where the proof says, in the tree of its checkpoint. `given` is the entry's line as
    /// the reader has it from elsewhere; without it the file's own is taken. Whose checkpoint it is, is another question.
    pub fn check(&self, given: Option<&[u8]>) -> Result<ParsedEntry, BadProofFile> {
        let line = given.or(self.line.as_deref()).ok_or(BadProofFile::NoEntry)?;
        let checkpoint = &self.checkpoint.signed.checkpoint;
        check_inclusion(
            leaf_hash(line),
            self.index,
            checkpoint.size,
            checkpoint.root,
            &self.hashes,
        )?;
        let parsed = Entry::parse(line)?;
        match (parsed.entry.place(), self.place()) {
            (says, is) if says == is => Ok(parsed),
            (says, is) => Err(BadProofFile::Elsewhere { says, is }),
        }
    }

    /// The file.
    pub fn to_text(&self) -> String {
        let mut text = format!("{FIRST}\n");
        if let Some(line) = &self.line {
            text.push_str(&format!("extra {}\n", Base64::encode_string(line)));
        }
        text.push_str(&format!("index {}\n", self.index));
        for hash in &self.hashes {
            text.push_str(&format!("{}\n", Base64::encode_string(&hash.0)));
        }
        format!("{text}\n{}", self.checkpoint.to_text())
    }

    /// Reads a file; strict. Nothing is proven by that yet.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadProofFile> {
        if !bytes.starts_with(FIRST.as_bytes()) {
            return Err(BadProofFile::OtherFile);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| BadProofFile::Malformed)?;
        let parsed = Self::parse_lines(text).filter(|_| text.len() <= PROOF_MAX);
        match parsed.filter(|parsed| parsed.to_text() == text) {
            Some(parsed) => Ok(parsed),
            None => Err(BadProofFile::Malformed),
        }
    }

    fn parse_lines(text: &str) -> Option<Self> {
        let (head, note) = text.split_once("\n\n")?;
        let mut lines = head.lines().skip(1).peekable();
        let extra = lines.next_if(|line| line.starts_with("extra "));
        let line = match extra.and_then(|line| line.strip_prefix("extra ")) {
            Some(line) => Some(Base64::decode_vec(line).ok()?),
            None => None,
        };
        let sound = line.as_ref().is_none_or(|line| (1..=ENTRY_MAX).contains(&line.len()));
        let index = lines.next()?.strip_prefix("index ")?.parse().ok()?;
        let hash = |line: &str| Some(Digest(Base64::decode_vec(line).ok()?.try_into().ok()?));
        let hashes = lines.map(hash).collect::<Option<Vec<_>>>()?;
        let checkpoint = CosignedCheckpoint::parse(note).ok()?;
        (sound && index < 1 << 53 && hashes.len() <= HASHES_MAX).then_some(Self {
            line,
            index,
            hashes,
            checkpoint,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::checkpoint::Checkpoint;
    use super::super::entry::tests::example;
    use super::super::proof::ProofWalk;
    use super::super::tree::Frontier;
    use super::*;
    use crate::crypto::SigningKey;
    use crate::id::VaultId;
    use crate::secret::Secret;

    fn lines(count: u64) -> Vec<Vec<u8>> {
        let line = |seq| example(seq, Digest([0; 32])).to_line().unwrap();
        (0..count).map(line).collect()
    }

    fn proof(index: u64, size: u64) -> ProofFile {
        let mut walk = ProofWalk::inclusion(index, size).unwrap();
        let mut tree = Frontier::default();
        for line in lines(size) {
            walk.leaf(leaf_hash(&line));
            tree.push(leaf_hash(&line));
        }
        let checkpoint = Checkpoint {
            vault: VaultId([1; 16]),
            log: example(0, Digest([0; 32])).log,
            size,
            root: tree.root(),
        };
        let key = SigningKey::from_seed(&Secret::copy_from(&[1; 32]).unwrap());
        ProofFile {
            line: Some(lines(size)[index as usize].clone()),
            index,
            hashes: walk.end().unwrap(),
            checkpoint: CosignedCheckpoint::new(checkpoint.sign(&key)),
        }
    }

    #[test]
    fn a_proof_comes_back_and_holds() {
        for (index, size) in [(0, 1), (3, 7), (6, 7), (0, 8)] {
            let proof = proof(index, size);
            let again = ProofFile::parse(proof.to_text().as_bytes()).unwrap();
            assert_eq!(again, proof);
            assert_eq!(again.check(None).unwrap().entry.seq, index);
            let bare = ProofFile {
                line: None,
                ..proof.clone()
            };
            assert_eq!(ProofFile::parse(bare.to_text().as_bytes()).as_ref(), Ok(&bare));
            assert_eq!(bare.check(None).err(), Some(BadProofFile::NoEntry));
            assert!(bare.check(proof.line.as_deref()).is_ok());
        }
    }

    #[test]
    fn another_entry_or_place_is_not_proven() {
        let good = proof(3, 7);
        let other = &lines(7)[2];
        let refused = |bad: &ProofFile, line: Option<&[u8]>| bad.check(line).unwrap_err();
        let elsewhere = BadProofFile::Proof(BadProof::OtherRoot);
        assert_eq!(refused(&good, Some(other)), elsewhere);
        assert_eq!(
            refused(
                &ProofFile {
                    index: 2,
                    ..good.clone()
                },
                None
            ),
            elsewhere
        );
        let extra = ProofFile {
            line: Some(other.clone()),
            ..good.clone()
        };
        assert_eq!(refused(&extra, None), elsewhere);
        assert!(extra.check(good.line.as_deref()).is_ok());
        let mut short = good.clone();
        short.hashes.pop();
        let length = BadProofFile::Proof(BadProof::Length { want: 3, found: 2 });
        assert_eq!(refused(&short, None), length);
        let outside = BadProofFile::Proof(BadProof::Outside { index: 7, size: 7 });
        assert_eq!(refused(&ProofFile { index: 7, ..good }, None), outside);
    }

    /// The tree may well hold a line that says it stands elsewhere, or is no entry at all.
    #[test]
    fn what_is_proven_must_be_the_entry_of_that_place() {
        for line in [b"hello".to_vec(), lines(5)[4].clone()] {
            let mut bad = proof(0, 1);
            bad.checkpoint.signed.checkpoint.root = leaf_hash(&line);
            bad.line = Some(line);
            assert!(matches!(
                bad.check(None),
                Err(BadProofFile::Entry(_) | BadProofFile::Elsewhere { .. })
            ));
        }
    }

    #[test]
    fn one_fault_each_is_refused() {
        let text = proof(3, 7).to_text();
        let hash = text.lines().nth(3).unwrap();
        for (fault, bad) in [
            ("cut", text[..text.len() - 1].to_owned()),
            ("no index", text.replace("index 3\n", "")),
            ("a leading zero", text.replace("index 3", "index 03")),
            ("a large index", text.replace("index 3", "index 9007199254740992")),
            ("extra twice", text.replacen("extra ", "extra AAAA\nextra ", 1)),
            (
                "an empty extra",
                text.replacen(text.lines().nth(1).unwrap(), "extra ", 1),
            ),
            ("extra behind", text.replacen("index 3\n", "index 3\nextra AAAA\n", 1)),
            ("a short hash", text.replace(hash, &hash[4..])),
            ("a line too many", text.replacen("\n\n", "\n\n\n", 1)),
            ("no checkpoint", text.split_once("\n\n").unwrap().0.to_owned()),
            ("carriage returns", text.replace('\n', "\r\n")),
            ("many hashes", text.replacen(hash, &format!("{hash}\n").repeat(64), 1)),
        ] {
            assert_eq!(
                ProofFile::parse(bad.as_bytes()),
                Err(BadProofFile::Malformed),
                "{fault}"
            );
        }
        assert_eq!(
            ProofFile::parse(b"c2sp.org/tlog-proof@v2"),
            Err(BadProofFile::OtherFile)
        );
    }
}
