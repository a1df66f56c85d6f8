//! The receipt an auditor takes home (docs/FORMAT.md §9).

use super::checkpoint::SignedCheckpoint;
use super::time::Time;
use crate::crypto::sha256;
use crate::id::{Digest, VaultId};

/// Its first line.
const FIRST: &[u8] = b"strongroom-receipt-v1";
/// The largest receipt that is read: some 4,000 logs.
const MAX: usize = 1 << 20;

/// What the vault's logs said at a time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// The vault.
    pub vault: VaultId,
    /// When it was taken.
    pub time: Time,
    /// The founder pin.
    pub founder: Digest,
    /// The roster digest.
    pub roster: Digest,
    /// Each log's checkpoint, sorted by log.
    pub checkpoints: Vec<SignedCheckpoint>,
}

/// Why a text is no receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadReceipt {
    /// Another kind of file.
    #[error("there is no strongroom receipt in this: no line of it is `strongroom-receipt-v1`")]
    OtherFile,
    /// More than one.
    #[error("there are several receipts in this: put the one you mean into a file of its own")]
    Several,
    /// Damaged or mistyped.
    #[error("this receipt is damaged or was typed wrongly: its check line does not hold")]
    Damaged,
}

impl Receipt {
    /// Its text.
    pub fn to_text(&self) -> String {
        let mut body = format!(
            "strongroom-receipt-v1\nvault {}\ntime {}\nfounder {}\nroster {}\n\n",
            self.vault, self.time, self.founder, self.roster
        );
        for checkpoint in &self.checkpoints {
            body.push_str(&checkpoint.to_text());
            body.push('\n');
        }
        let check = sha256(&[body.as_bytes()]);
        format!("{body}check {check}\n")
    }

    /// Reads the one receipt out of a text that it came in: what a mail does to lines, and what stands around it, is left
    /// aside.
    pub fn find(text: &[u8]) -> Result<Self, BadReceipt> {
        let mut block = Vec::new();
        let mut inside = false;
        for line in text.split(|byte| *byte == b'\n').map(bare) {
            if line == FIRST {
                if !block.is_empty() {
                    return Err(BadReceipt::Several);
                }
                inside = true;
            }
            if inside {
                block.extend_from_slice(line);
                block.push(b'\n');
                inside = !line.starts_with(b"check ");
            }
        }
        Self::parse(&block)
    }

    /// Reads a receipt as it is written. Its signatures are for the verifier to check.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadReceipt> {
        if !bytes.starts_with(FIRST) {
            return Err(BadReceipt::OtherFile);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| BadReceipt::Damaged)?;
        if text.len() > MAX {
            return Err(BadReceipt::Damaged);
        }
        let receipt = Self::parse_lines(text).ok_or(BadReceipt::Damaged)?;
        if receipt.to_text() == text {
            Ok(receipt)
        } else {
            Err(BadReceipt::Damaged)
        }
    }

    fn parse_lines(text: &str) -> Option<Self> {
        let (head, rest) = text.split_once("\n\n")?;
        let mut lines = head.lines().skip(1);
        let vault = lines.next()?.strip_prefix("vault ")?.parse().ok()?;
        let time = lines.next()?.strip_prefix("time ")?.parse().ok()?;
        let founder = lines.next()?.strip_prefix("founder ")?.parse().ok()?;
        let roster = lines.next()?.strip_prefix("roster ")?.parse().ok()?;
        let body = &rest[..rest.rfind("check ")?];
        // A note is `three lines, empty, signature`; notes are followed by an empty line.
        let mut checkpoints: Vec<SignedCheckpoint> = Vec::new();
        let parts: Vec<&str> = body.split_terminator("\n\n").collect();
        for note in parts.chunks(2) {
            let [lines, signature] = note else { return None };
            checkpoints.push(SignedCheckpoint::parse(&format!("{lines}\n\n{signature}\n")).ok()?);
        }
        let sorted = checkpoints
            .windows(2)
            .all(|pair| pair[0].checkpoint.log < pair[1].checkpoint.log);
        let same = checkpoints.iter().all(|signed| signed.checkpoint.vault == vault);
        (sorted && same).then_some(Self {
            vault,
            time,
            founder,
            roster,
            checkpoints,
        })
    }
}

/// A line without the marks of a quotation and the white space around it.
fn bare(line: &[u8]) -> &[u8] {
    let begin = line
        .iter()
        .position(|byte| !b" \t>".contains(byte))
        .unwrap_or(line.len());
    let line = &line[begin..];
    let end = line.iter().rposition(|byte| !b" \t\r".contains(byte));
    &line[..end.map_or(0, |last| last + 1)]
}

#[cfg(test)]
mod tests {
    use super::super::checkpoint::Checkpoint;
    use super::*;
    use crate::crypto::SigningKey;
    use crate::secret::Secret;

    fn example(logs: &[&str]) -> Receipt {
        let key = SigningKey::from_seed(&Secret::copy_from(&[1; 32]).unwrap());
        let vault = VaultId([1; 16]);
        let sign = |log: &&str| {
            Checkpoint {
                vault,
                log: log.parse().unwrap(),
                size: 3,
                root: Digest([4; 32]),
            }
            .sign(&key)
        };
        Receipt {
            vault,
            time: Time::from_unix(1_700_000_000),
            founder: Digest([2; 32]),
            roster: Digest([3; 32]),
            checkpoints: logs.iter().map(sign).collect(),
        }
    }

    #[test]
    fn a_receipt_comes_back() {
        for logs in [
            &[][..],
            &["0102030405060708-090a0b0c"],
            &["0102030405060708-090a0b0c", "1102030405060708-090a0b0c"],
        ] {
            let receipt = example(logs);
            assert_eq!(Receipt::parse(receipt.to_text().as_bytes()), Ok(receipt));
        }
    }

    #[test]
    fn a_slip_of_the_pen_is_noticed() {
        let text = example(&["0102030405060708-090a0b0c"]).to_text();
        for at in 22..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            assert_eq!(Receipt::parse(&bytes), Err(BadReceipt::Damaged), "byte {at}");
            assert_eq!(Receipt::find(&bytes), Err(BadReceipt::Damaged), "byte {at}");
        }
        for none in [&b"hello"[..], b"", b"strongroom-receipt-v10\n"] {
            assert_eq!(Receipt::find(none), Err(BadReceipt::OtherFile));
        }
        assert_eq!(Receipt::parse(b"hello"), Err(BadReceipt::OtherFile));
    }

    #[test]
    fn a_receipt_that_came_by_mail_is_found() {
        let receipt = example(&["0102030405060708-090a0b0c", "1102030405060708-090a0b0c"]);
        let text = receipt.to_text();
        let quoted: String = text.lines().map(|line| format!("> > {line}  \n")).collect();
        for came in [
            text.clone(),
            text.replace('\n', "\r\n"),
            format!("Dear Ms Hask,\n\nhere it is:\n\n{text}\n-- \nIdris\ncheck 1\n"),
            format!("On Friday Idris wrote:\r\n{}", quoted.replace('\n', "\r\n")),
            text.trim_end().to_owned(),
            text.replace('\n', "\n\t"),
        ] {
            assert_eq!(Receipt::find(came.as_bytes()), Ok(receipt.clone()), "{came}");
        }
        let latin = [&b"Gr\xfc\xdfe\n"[..], text.as_bytes()].concat();
        assert_eq!(Receipt::find(&latin), Ok(receipt));
        for several in [format!("{text}{text}"), format!("{text}\nyou wrote:\n{quoted}")] {
            assert_eq!(Receipt::find(several.as_bytes()), Err(BadReceipt::Several));
        }
        let cut = text.rsplit_once("check").unwrap().0;
        assert_eq!(Receipt::find(cut.as_bytes()), Err(BadReceipt::Damaged));
    }
}
