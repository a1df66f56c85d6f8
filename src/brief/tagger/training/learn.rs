//! Learning: the likelihood of the marks is climbed by steps of its own size for each weight
//! (AdaGrad), text by text.

use super::super::chain::{Chain, raised};
use super::super::looks::{ByHash, features, stir};
use super::super::model::{LABELS, LINE, MAX_BYTES, SLOTS, Scores, WEIGHTS, line_of, mark_of, write};
use super::augment::{Chance, Marked};
use super::{allowed, others};
use crate::brief::prepared::Prepared;

/// How to learn.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How often all texts are gone through.
    pub rounds: usize,
    /// The size of the first steps.
    pub pace: f32,
    /// How strongly weights are drawn to nothing.
    pub draw: f32,
    /// How many of a hundred features are left out at random, each time anew.
    pub left_out: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rounds: 8,
            pace: 0.15,
            draw: 2e-6,
            left_out: 40,
        }
    }
}

/// The words of all texts as features, with the labels they may have.
#[derive(Default)]
pub struct Corpus {
    known: ByHash<(u32, u32)>,
    names: Vec<u64>,
    features: Vec<u32>,
    /// Where each word's features begin, and the labels it may have.
    words: Vec<(usize, u8)>,
    /// Each stretch of words and the set it belongs to.
    stretches: Vec<(std::ops::Range<usize>, usize)>,
}

/// A stretch ends at the first sentence after so many words.
const STRETCH: usize = 40;

impl Corpus {
    /// Counts the features of a text; all texts are counted before the first is added.
    pub fn count(&mut self, marked: &Marked) {
        let Some((text, patterns, named)) = ready(marked) else {
            return;
        };
        let known = &mut self.known;
        features(&text, &patterns, &named, &|word| marked.hides(word), |_, all| {
            for &feature in all {
                known.entry(feature).or_default().0 += 1;
            }
        });
    }

    /// Forgets the features that hardly occur.
    pub fn settle(&mut self, least: u32) {
        self.known.retain(|_, (count, _)| *count >= least);
        let mut names: Vec<u64> = self.known.keys().copied().collect();
        names.sort_unstable();
        for (at, name) in names.iter().enumerate() {
            if let Some((_, index)) = self.known.get_mut(name) {
                *index = u32::try_from(at).unwrap_or(u32::MAX);
            }
        }
        self.names = names;
    }

    /// Adds a text of a set.
    pub fn add(&mut self, marked: &Marked, set: usize) {
        let Some((text, patterns, named)) = ready(marked) else {
            return;
        };
        let claimed: Vec<_> = patterns.iter().map(|finding| finding.at.clone()).collect();
        let labels = allowed(&text, &marked.spans(), marked.otherwise, &claimed);
        let first = self.words.len();
        let (known, into, words) = (&self.known, &mut self.features, &mut self.words);
        features(&text, &patterns, &named, &|word| marked.hides(word), |at, all| {
            words.push((into.len(), labels[at]));
            into.extend(
                all.iter()
                    .filter_map(|feature| known.get(feature))
                    .map(|(_, index)| index),
            );
        });
        let mut from = 0;
        for at in 1..=text.tokens.len() {
            let ends = text
                .tokens
                .get(at)
                .is_none_or(|token| token.first && at - from >= STRETCH || at - from >= 4 * STRETCH);
            if ends {
                self.stretches.push((first + from..first + at, set));
                from = at;
            }
        }
    }

    /// How many words and features there are.
    pub fn size(&self) -> (usize, usize) {
        (self.words.len(), self.names.len())
    }

    fn features_of(&self, word: usize) -> &[u32] {
        let end = self.words.get(word + 1).map_or(self.features.len(), |next| next.0);
        &self.features[self.words[word].0..end]
    }

    /// Learns from all sets but those left out; gives the bytes of a model.
    pub fn learn(
        &self,
        left_out: &dyn Fn(usize) -> bool,
        settings: Settings,
        mut progress: impl FnMut(usize, f64),
    ) -> Vec<u8> {
        let mut weights: Vec<Scores> = vec![[0.0; LABELS]; self.names.len()];
        let mut squares: Vec<Scores> = vec![[0.0; LABELS]; self.names.len()];
        let mut follows = [[0.0; LABELS]; LABELS];
        let mut follows_squares = [[0.0; LABELS]; LABELS];
        let mut order: Vec<usize> = (0..self.stretches.len())
            .filter(|&at| !left_out(self.stretches[at].1))
            .collect();
        let mut chance = Chance::new(7);
        for round in 0..settings.rounds {
            chance.shuffle(&mut order);
            let mut likelihood = 0.0;
            #[allow(clippy::cast_precision_loss)]
            let pace = settings.pace * (1.0 - 0.8 * round as f32 / settings.rounds as f32);
            for &at in &order {
                let words = self.stretches[at].0.clone();
                let seed = chance.draw();
                let kept =
                    |word: usize, feature: u32| stir(seed ^ word as u64, u64::from(feature)) % 100 >= settings.left_out;
                let scores: Vec<Scores> = words
                    .clone()
                    .map(|word| {
                        let mut sum = [0.0; LABELS];
                        for &feature in self.features_of(word).iter().filter(|&&f| kept(word, f)) {
                            sum.iter_mut()
                                .zip(weights[feature as usize])
                                .for_each(|(sum, weight)| *sum += weight);
                        }
                        sum
                    })
                    .collect();
                let raised = raised(&follows);
                let mut pairs_free = [[0.0; LABELS]; LABELS];
                let mut pairs_true = [[0.0; LABELS]; LABELS];
                let free = Chain::new(&scores, &raised, |_| u8::MAX);
                let bound = Chain::new(&scores, &raised, |at| self.words[words.start + at].1);
                likelihood += bound.likelihood - free.likelihood;
                let free = free.marginals(&raised, Some(&mut pairs_free));
                let bound = bound.marginals(&raised, Some(&mut pairs_true));
                for (word, (free, bound)) in words.zip(free.iter().zip(&bound)) {
                    let slope: Scores = std::array::from_fn(|label| free[label] - bound[label]);
                    if slope.iter().all(|slope| slope.abs() < 2e-3) {
                        continue;
                    }
                    for &feature in self.features_of(word).iter().filter(|&&f| kept(word, f)) {
                        step(
                            &mut weights[feature as usize],
                            &mut squares[feature as usize],
                            &slope,
                            pace,
                            settings.draw,
                        );
                    }
                }
                for from in 0..LABELS {
                    let slope: Scores = std::array::from_fn(|to| pairs_free[from][to] - pairs_true[from][to]);
                    step(
                        &mut follows[from],
                        &mut follows_squares[from],
                        &slope,
                        pace,
                        settings.draw,
                    );
                }
            }
            progress(round, likelihood);
        }
        pack(&self.names, &weights, &follows)
    }
}

fn step(weights: &mut Scores, squares: &mut Scores, slope: &Scores, pace: f32, draw: f32) {
    for label in 0..LABELS {
        let slope = slope[label] + draw * weights[label];
        squares[label] += slope * slope;
        weights[label] -= pace * slope / (squares[label].sqrt() + 0.1);
    }
}

fn ready(
    marked: &Marked,
) -> Option<(
    Prepared,
    Vec<crate::brief::finding::Finding>,
    Vec<crate::brief::finding::Finding>,
)> {
    let text = Prepared::of_any_length(&marked.text()).ok()?;
    let (patterns, named) = others(&text);
    Some((text, patterns, named))
}

/// Puts the weights into bytes: the weightiest features first, as long as there is room.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
fn pack(names: &[u64], weights: &[Scores], follows: &[Scores; LABELS]) -> Vec<u8> {
    let mut sizes: Vec<f32> = weights.iter().map(size).collect();
    sizes.sort_unstable_by(f32::total_cmp);
    let top = sizes
        .get(sizes.len().saturating_sub(1 + sizes.len() / 2000))
        .copied()
        .unwrap_or(1.0)
        .max(0.1);
    let step = top / 127.0;
    let mut kept: Vec<usize> = (0..names.len()).filter(|&at| size(&weights[at]) > 1.5 * step).collect();
    kept.sort_by(|&a, &b| size(&weights[b]).total_cmp(&size(&weights[a])).then(a.cmp(&b)));
    let mut table = vec![[0u8; LINE]; (MAX_BYTES - 1000) / LINE];
    let lines = table.len();
    for at in kept {
        let mark = mark_of(names[at]).to_le_bytes();
        let line = &mut table[line_of(names[at], lines)];
        let taken = |slot: usize| line[2 * slot..2 * slot + 2] == mark;
        let free = (0..SLOTS).find(|&slot| line[2 * slot..2 * slot + 2] == [0, 0]);
        let Some(slot) = free.filter(|_| !(0..SLOTS).any(taken)) else {
            continue;
        };
        line[2 * slot..2 * slot + 2].copy_from_slice(&mark);
        let from = WEIGHTS + LABELS * slot;
        for (cell, weight) in line[from..from + LABELS].iter_mut().zip(weights[at]) {
            *cell = ((weight / step).round().clamp(-127.0, 127.0) as i8).cast_unsigned();
        }
    }
    write(follows, step, &table)
}

fn size(weights: &Scores) -> f32 {
    weights.iter().fold(0.0, |most, weight| most.max(weight.abs()))
}
