//! A linear chain of labels: what each label's chance is, given the scores of all words.
//!
//! Forward-backward over probabilities, each step scaled to sum to one. The exponential is our
//! own, so that every machine comes to the same figures.

use super::model::{LABELS, Scores};

/// e to the power of `x`, from 2 to the power of a whole number and a polynomial for the rest.
pub(crate) fn exp(x: f32) -> f32 {
    let x = x.clamp(-80.0, 80.0) * std::f32::consts::LOG2_E;
    // As `floor` does, which not every processor can.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    let cut = (x + 0.5) as i32 as f32;
    let whole = if cut > x + 0.5 { cut - 1.0 } else { cut };
    let rest = (x - whole) * std::f32::consts::LN_2;
    let poly = 1.0
        + rest * (1.0 + rest * (0.5 + rest * (1.0 / 6.0 + rest * (1.0 / 24.0 + rest * (1.0 / 120.0 + rest / 720.0)))));
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let power = f32::from_bits(((whole as i32 + 127) as u32) << 23);
    poly * power
}

/// The chain over one text.
pub(crate) struct Chain {
    /// For each word, how likely each label is by the words up to it, summing to one.
    forward: Vec<Scores>,
    /// e to the power of each word's scores, the highest of them one.
    local: Vec<Scores>,
    /// What each step was scaled by, and the highest score taken out.
    #[cfg(feature = "training")]
    pub(crate) likelihood: f64,
}

/// e to the power of how well labels follow each other.
pub(crate) fn raised(follows: &[Scores; LABELS]) -> [Scores; LABELS] {
    follows.map(|row| row.map(exp))
}

impl Chain {
    /// Goes forward over the words' scores. `allowed` has a bit for each label that is possible.
    pub(crate) fn new(scores: &[Scores], follows: &[Scores; LABELS], allowed: impl Fn(usize) -> u8) -> Self {
        let mut forward: Vec<Scores> = Vec::with_capacity(scores.len());
        let mut local = Vec::with_capacity(scores.len());
        #[cfg(feature = "training")]
        let mut likelihood = 0.0;
        let mut before: Option<Scores> = None;
        for (at, score) in scores.iter().enumerate() {
            let allowed = allowed(at);
            let open = |label: usize| allowed & 1 << label != 0;
            let top = (0..LABELS)
                .filter(|&l| open(l))
                .map(|l| score[l])
                .fold(f32::MIN, f32::max);
            let mut here = [0.0; LABELS];
            for label in (0..LABELS).filter(|&l| open(l)) {
                here[label] = exp(score[label] - top);
            }
            let mut next = here;
            if let Some(before) = before {
                let mut came = [0.0; LABELS];
                for (chance, row) in before.iter().zip(follows) {
                    for (sum, step) in came.iter_mut().zip(row) {
                        *sum += chance * step;
                    }
                }
                next.iter_mut().zip(came).for_each(|(next, came)| *next *= came);
            }
            let total: f32 = next.iter().sum::<f32>().max(f32::MIN_POSITIVE);
            next.iter_mut().for_each(|chance| *chance /= total);
            #[cfg(feature = "training")]
            {
                likelihood += f64::from(total).ln() + f64::from(top);
            }
            forward.push(next);
            local.push(here);
            before = Some(next);
        }
        Self {
            forward,
            local,
            #[cfg(feature = "training")]
            likelihood,
        }
    }

    /// Goes back, and gives each word's chances; to `pairs` the chances of each
    /// pair of neighbours are added where that is wanted.
    pub(crate) fn marginals(
        &self,
        follows: &[Scores; LABELS],
        mut pairs: Option<&mut [Scores; LABELS]>,
    ) -> Vec<Scores> {
        let mut chances = self.forward.clone();
        let mut back: Scores = [1.0; LABELS];
        for at in (0..chances.len()).rev() {
            let here = &mut chances[at];
            here.iter_mut().zip(back).for_each(|(chance, back)| *chance *= back);
            let total: f32 = here.iter().sum::<f32>().max(f32::MIN_POSITIVE);
            here.iter_mut().for_each(|chance| *chance /= total);
            if at == 0 {
                break;
            }
            let mut weighed = [0.0; LABELS];
            for (label, cell) in weighed.iter_mut().enumerate() {
                *cell = back[label] * self.local[at][label];
            }
            let mut earlier = [0.0; LABELS];
            for (sum, row) in earlier.iter_mut().zip(follows) {
                *sum = row.iter().zip(weighed).map(|(step, weight)| step * weight).sum();
            }
            if let Some(pairs) = pairs.as_deref_mut() {
                let total: f32 = self.forward[at - 1]
                    .iter()
                    .zip(earlier)
                    .map(|(a, b)| a * b)
                    .sum::<f32>()
                    .max(f32::MIN_POSITIVE);
                for from in 0..LABELS {
                    for to in 0..LABELS {
                        pairs[from][to] += self.forward[at - 1][from] * follows[from][to] * weighed[to] / total;
                    }
                }
            }
            let total: f32 = earlier.iter().sum::<f32>().max(f32::MIN_POSITIVE);
            back = earlier.map(|sum| sum / total);
        }
        chances
    }
}
