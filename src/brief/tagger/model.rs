//! The trained weights: a table of features, and what follows what.
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | `sgtagger` |
//! | 4 | version, 1 |
//! | 4 | lines of the table, little endian |
//! | 32 | SHA-256 of all that follows |
//! | 4 | what one step of a weight counts, as the bits of an `f32` |
//! | 4 × 8 × 8 | how well a label follows another, as the bits of `f32`s, from each to each |
//! | 64 a line | the marks of six features (0: none), 16 bits each; then for each of them a weight for each label, one signed byte each; four bytes 0 |
//!
//! A feature stands in the line that its number says, so that one look at memory finds it or not.

use crate::crypto::sha256;

/// How many labels there are.
pub(crate) const LABELS: usize = 8;

/// One number for each label.
pub(crate) type Scores = [f32; LABELS];

const MAGIC: &[u8; 8] = b"sgtagger";
const VERSION: u32 = 1;
const HEAD: usize = 48;
/// The step and what follows what.
const FOLLOWS: usize = 4 + 4 * LABELS * LABELS;
/// The bytes of a line.
pub(crate) const LINE: usize = 64;
/// The features of a line.
pub(crate) const SLOTS: usize = 6;
/// Where in a line the weights begin.
pub(crate) const WEIGHTS: usize = 2 * SLOTS;
/// The most bytes of a model: 3 MB.
pub(crate) const MAX_BYTES: usize = 3_000_000;

/// The weights of a tagger.
#[derive(Debug, Clone)]
pub struct Model<'a> {
    table: &'a [[u8; LINE]],
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
        let lines = word(12).ok_or(BadModel::Length)? as usize;
        let body = bytes.get(HEAD..).ok_or(BadModel::Length)?;
        let whole = lines.checked_mul(LINE).map(|table| table + FOLLOWS);
        if bytes.len() > MAX_BYTES || lines == 0 || Some(body.len()) != whole {
            return Err(BadModel::Length);
        }
        if bytes.get(16..HEAD) != Some(sha256(&[body]).as_bytes()) {
            return Err(BadModel::Checksum);
        }
        let number = |at: usize| {
            let number = f32::from_bits(word(at).ok_or(BadModel::Length)?);
            let good = number.is_finite() && number.abs() < 100.0;
            good.then_some(number).ok_or(BadModel::Number)
        };
        let mut follows = [[0.0; LABELS]; LABELS];
        for (at, cell) in follows.iter_mut().flatten().enumerate() {
            *cell = number(HEAD + 4 + 4 * at)?;
        }
        Ok(Self {
            table: body[FOLLOWS..].as_chunks().0,
            step: number(HEAD)?,
            follows,
        })
    }

    /// What features say, summed for each label.
    pub(crate) fn sums(&self, features: &[u64]) -> [i16; LABELS] {
        let mut sums = [0; LABELS];
        // The lines lie far apart in memory: looked at one batch after the other and without branches, many of them are
        // on their way at once.
        let mut found = [(0, 0_u32); BATCH];
        for batch in features.chunks(BATCH) {
            let mut count = 0;
            for &feature in batch {
                let at = line_of(feature, self.table.len());
                let slot = self.table.get(at).and_then(|line| slot_of(line, mark_of(feature)));
                // Written always, counted where there is something.
                found[count] = (at, slot.unwrap_or(0));
                count += usize::from(slot.is_some());
            }
            for &(at, slot) in &found[..count] {
                let from = WEIGHTS + LABELS * slot as usize;
                for (sum, &weight) in sums.iter_mut().zip(&self.table[at][from..from + LABELS]) {
                    *sum += i16::from(weight.cast_signed());
                }
            }
        }
        sums
    }

    /// Sums as scores.
    pub(crate) fn scores(&self, sums: &[i16; LABELS]) -> Scores {
        sums.map(|sum| f32::from(sum) * self.step)
    }
}

/// How many features are looked up together.
const BATCH: usize = 64;

/// The first slot of a line that has a mark, looked for in four at once.
fn slot_of(line: &[u8; LINE], mark: u16) -> Option<u32> {
    const ONES: u64 = 0x0001_0001_0001_0001;
    let (parts, _) = line.as_chunks();
    let wanted = u64::from(mark) * ONES;
    // What is the same becomes 0, and the lowest 0 is the lowest whose topmost bit stays.
    let same = |marks: u64| marks.wrapping_sub(ONES) & !marks & ONES << 15;
    let first = same(u64::from_le_bytes(parts[0]) ^ wanted);
    // Beside the last two marks stand weights.
    let last = same((u64::from_le_bytes(parts[1]) ^ wanted) | u64::MAX << 32);
    let slot = if first == 0 {
        4 + last.trailing_zeros() / 16
    } else {
        first.trailing_zeros() / 16
    };
    (first | last != 0).then_some(slot)
}

/// The mark that tells a feature from others at the same place.
pub(crate) fn mark_of(feature: u64) -> u16 {
    ((feature & 0xFFFF) as u16).max(1)
}

/// The line of a feature in a table of so many lines.
#[allow(clippy::cast_possible_truncation)]
pub(crate) fn line_of(feature: u64, lines: usize) -> usize {
    (((feature >> 32) * lines as u64) >> 32) as usize
}

/// Writes a model.
#[cfg(any(test, feature = "training"))]
pub(crate) fn write(follows: &[Scores; LABELS], step: f32, table: &[[u8; LINE]]) -> Vec<u8> {
    let mut body: Vec<u8> = step.to_bits().to_le_bytes().to_vec();
    body.extend(follows.iter().flatten().flat_map(|cell| cell.to_bits().to_le_bytes()));
    body.extend_from_slice(table.as_flattened());
    let mut bytes = MAGIC.to_vec();
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend(u32::try_from(table.len()).unwrap_or(0).to_le_bytes());
    bytes.extend_from_slice(sha256(&[&body]).as_bytes());
    bytes.extend(body);
    bytes
}
