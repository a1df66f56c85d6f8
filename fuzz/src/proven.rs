//! Proofs, cosignatures and their keys.

use super::{SAME, with_check};
use strongroom::chain::{
    BadCosignature, Checkpoint, CosignedCheckpoint, CosignedFile, Frontier, NoteKey, ProofFile, ProofWalk, Signs, Time,
    Witness, check_consistency, check_inclusion, leaf_hash,
};
use strongroom::crypto::{Entropy, NoEntropy, SigningKey};
use strongroom::id::{Digest, Incarnation, LogName, VaultId};
use strongroom::secret::Secret;

/// The same bytes for whoever asks.
struct Same(u8);

impl Entropy for Same {
    fn fill(&mut self, buf: &mut [u8]) -> Result<(), NoEntropy> {
        buf.fill(self.0);
        Ok(())
    }
}

/// A witness of the seeds.
pub fn witness() -> Witness {
    Witness::make("witness", &mut Same(7)).unwrap_or_else(|_| unreachable!("the name is plain"))
}

/// A cosigned checkpoint of the seeds.
pub fn example() -> CosignedCheckpoint {
    let log = LogName {
        device: strongroom::id::DeviceId([3; 8]),
        incarnation: Incarnation([6; 4]),
    };
    let mut tree = Frontier::default();
    tree.push(leaf_hash(b"one"));
    let checkpoint = Checkpoint {
        vault: VaultId([1; 16]),
        log,
        size: tree.size(),
        root: tree.root(),
    };
    let key = SigningKey::from_seed(&Secret::copy_from(&[1; 32]).expect("32 bytes"));
    let mut cosigned = CosignedCheckpoint::new(checkpoint.sign(&key));
    cosigned.cosign(&witness(), Time::from_unix(1_795_253_400));
    cosigned
}

/// A checkpoint with cosignatures. Only the example's is the witness's.
pub fn cosigned(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let Ok(read) = CosignedCheckpoint::parse(text) else {
        return false;
    };
    assert_eq!(read.to_text(), text, "{SAME}");
    match read.verify(&witness().public()) {
        Ok(_) => assert_eq!(
            read.signed.checkpoint,
            example().signed.checkpoint,
            "a cosignature holds for another checkpoint"
        ),
        Err(bad) => assert_ne!(bad, BadCosignature::Malformed),
    }
    true
}

/// What a witness writes to a file: as it is, and with its check line made right.
pub fn cosigned_file(data: &[u8]) -> bool {
    let parse = |data: &[u8]| {
        let Ok(file) = CosignedFile::parse(data) else {
            return false;
        };
        assert_eq!(file.to_text().as_bytes(), data, "{SAME}");
        true
    };
    parse(data) | parse(&with_check(data))
}

/// A public key line, and a witness's secret one.
pub fn note_key(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let public = text.parse::<NoteKey>().is_ok_and(|key| {
        assert_eq!(key.to_string(), text, "{SAME}");
        assert_eq!(NoteKey::new(key.name().to_owned(), key.signs(), key.key()), Some(key));
        true
    });
    let secret = Witness::parse(text).is_ok_and(|witness| {
        assert_eq!(witness.to_text().as_str(), text, "{SAME}");
        assert_eq!(witness.public().signs(), Signs::Cosignatures);
        true
    });
    public || secret
}

/// A proof: the first byte says how many leaves, the second which of them or from how many on, the third which kind;
/// the hashes follow. Taken if and only if it is the one that is made.
pub fn proof(data: &[u8]) -> bool {
    let [size, at, kind, rest @ ..] = data else {
        return false;
    };
    let (size, at) = (u64::from(*size), u64::from(*at));
    let (hashes, rest) = rest.as_chunks::<32>();
    if !rest.is_empty() {
        return false;
    }
    let hashes: Vec<Digest> = hashes.iter().copied().map(Digest).collect();
    let leaves: Vec<Digest> = (0..size).map(|n| leaf_hash(&n.to_be_bytes())).collect();
    let root = |size: u64| {
        let mut tree = Frontier::default();
        leaves.iter().take(size as usize).for_each(|leaf| tree.push(*leaf));
        tree.root()
    };
    let (walk, taken) = match kind % 2 {
        0 => {
            let leaf = leaves.get(at as usize).copied().unwrap_or(Digest([0; 32]));
            let taken = check_inclusion(leaf, at, size, root(size), &hashes);
            (ProofWalk::inclusion(at, size), taken)
        }
        _ => {
            let taken = check_consistency((at, root(at)), (size, root(size)), &hashes);
            (ProofWalk::consistency(at, size), taken)
        }
    };
    let made = walk.and_then(|mut walk| {
        leaves.iter().for_each(|leaf| walk.leaf(*leaf));
        walk.end()
    });
    assert_eq!(
        taken.is_ok(),
        made == Ok(hashes),
        "what was made and what is taken differ"
    );
    taken.is_ok()
}

/// The proof of the seeds, for [`proof`].
pub fn example_proof(size: u8, at: u8, kind: u8) -> Vec<u8> {
    let (wide, index) = (u64::from(size), u64::from(at));
    let walk = match kind % 2 {
        0 => ProofWalk::inclusion(index, wide),
        _ => ProofWalk::consistency(index, wide),
    };
    let made = walk.and_then(|mut walk| {
        (0..wide).for_each(|n| walk.leaf(leaf_hash(&n.to_be_bytes())));
        walk.end()
    });
    let hashes = made.unwrap_or_default().into_iter().flat_map(|hash| hash.0);
    [size, at, kind].into_iter().chain(hashes).collect()
}

/// A proof file.
pub fn proof_file(data: &[u8]) -> bool {
    let Ok(proof) = ProofFile::parse(data) else {
        return false;
    };
    assert_eq!(proof.to_text().as_bytes(), data, "{SAME}");
    let place = proof.place();
    if let Ok(parsed) = proof.check(None) {
        assert_eq!(parsed.entry.place(), place);
        assert_eq!(Some(parsed.leaf), proof.line.as_deref().map(leaf_hash));
    }
    true
}
