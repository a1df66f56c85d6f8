//! The trained weights: a table of features, and what follows what.
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | `sgtagger` |
//! | 4 | version, 1 |
//! | 4 | rows of the table, little endian, a power of two |
//! | 4 | what one step of a weight counts, as the bits of an `f32` |
//! | 32 | SHA-256 of all that follows |
//! | 4 × 8 × 8 | how well a label follows another, as the bits of `f32`s, from each to each |
//! | 10 a row | the feature's mark (0: the row is empty) and a weight for each label, one signed byte each |

use crate::crypto::sha256;

/// How many labels there are.
pub(crate) const LABELS: usize = 8;

/// One number for each label.
pub(crate) type Scores = [f32; LABELS];

const MAGIC: &[u8; 8] = b"sgtagger";
const VERSION: u32 = 1;
const HEAD: usize = 52;
const FOLLOWS: usize = 4 * LABELS * LABELS;
/// The bytes of a row.
pub(crate) const ROW: usize = 2 + LABELS;
/// How far from its place a feature may stand.
pub(crate) const REACH: usize = 12;
/// The most bytes of a model: 3 MB.
pub(crate) const MAX_BYTES: usize = 3_000_000;

/// The weights of a tagger.
#[derive(Debug, Clone)]
pub struct Model<'a> {
    table: &'a [u8],
    mask: usize,
    step: f32,
    pub(crate) follows: [Scores; LABELS],
}

/// The bytes are no model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadModel {
    /// Another length than its header says, or too long.
    #[error("it has another length than its header says")]
    Length,
    /// Another format.
    #[error("it is of another format")]
    Format,
    /// Its checksum is another.
    #[error("its checksum is wrong")]
    Checksum,
    /// A number that cannot be.
    #[error("it has a number that cannot be")]
    Number,
}

impl<'a> Model<'a> {
    /// Reads a model in place: nothing is copied but what follows what.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, BadModel> {
        let word = |at: usize| -> Option<u32> { Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?)) };
        if bytes.get(..8) != Some(MAGIC) || word(8) != Some(VERSION) {
            return Err(BadModel::Format);
        }
        let rows = word(12).ok_or(BadModel::Length)? as usize;
        let body = bytes.get(HEAD..).ok_or(BadModel::Length)?;
        if bytes.len() > MAX_BYTES || !rows.is_power_of_two() || Some(body.len()) != rows.checked_mul(ROW).map(|table| table + FOLLOWS) {
            return Err(BadModel::Length);
        }
        if bytes.get(20..HEAD) != Some(sha256(&[body]).as_bytes()) {
            return Err(BadModel::Checksum);
        }
        let number = |at: usize| {
            let number = f32::from_bits(word(at).ok_or(BadModel::Length)?);
            let good = number.is_finite() && number.abs() < 100.0;
            good.then_some(number).ok_or(BadModel::Number)
        };
        let mut follows = [[0.0; LABELS]; LABELS];
        for (at, cell) in follows.iter_mut().flatten().enumerate() {
            *cell = number(HEAD + 4 * at)?;
        }
        Ok(Self {
            table: &body[FOLLOWS..],
            mask: rows - 1,
            step: number(16)?,
            follows,
        })
    }

    /// Adds what a feature says to each label's sum.
    pub(crate) fn add(&self, feature: u64, sums: &mut [i32; LABELS]) {
        let mark = mark_of(feature).to_le_bytes();
        let home = home_of(feature);
        for step in 0..REACH {
            let at = (home + step & self.mask) * ROW;
            let row = &self.table[at..at + ROW];
            if row[..2] == mark {
                for (sum, &weight) in sums.iter_mut().zip(&row[2..]) {
                    *sum += i32::from(weight.cast_signed());
                }
                return;
            }
            if row[..2] == [0, 0] {
                return;
            }
        }
    }

    /// Sums as scores.
    #[allow(clippy::cast_precision_loss)]
    pub(crate) fn scores(&self, sums: &[i32; LABELS]) -> Scores {
        sums.map(|sum| sum as f32 * self.step)
    }
}

/// The mark that tells a feature from others at the same place.
pub(crate) fn mark_of(feature: u64) -> u16 {
    ((feature & 0xFFFF) as u16).max(1)
}

/// Where the search for a feature begins, before it is cut to the table.
pub(crate) fn home_of(feature: u64) -> usize {
    (feature >> 24) as usize & 0xFF_FFFF
}

/// Writes a model: the rows given by place, empty where there is none.
#[cfg(any(test, feature = "training"))]
pub(crate) fn write(follows: &[Scores; LABELS], step: f32, table: &[u8]) -> Vec<u8> {
    let mut body: Vec<u8> = follows.iter().flatten().flat_map(|cell| cell.to_bits().to_le_bytes()).collect();
    body.extend_from_slice(table);
    let mut bytes = MAGIC.to_vec();
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend(u32::try_from(table.len() / ROW).unwrap_or(0).to_le_bytes());
    bytes.extend(step.to_bits().to_le_bytes());
    bytes.extend_from_slice(sha256(&[&body]).as_bytes());
    bytes.extend(body);
    bytes
}
