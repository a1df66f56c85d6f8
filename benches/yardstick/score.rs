//! The score: what is judged is masking, not the type.

use super::sets::{Document, Gold};
use std::collections::BTreeMap;

/// Words inside a span that need no mask.
const FORGIVEN: &str = " mr mrs ms miss dr prof sir madam the a an of and in at on for to by de s no nos ";

/// Types that identify directly where a set does not say which spans do.
const DIRECT: [&str; 6] = ["PERSON", "EMAIL", "PHONE", "URL", "IP", "ID_NUMBER"];

/// What came out over a set.
#[derive(Default)]
pub(crate) struct Score {
    /// For each type, and ALL: spans, and those protected.
    pub(crate) types: BTreeMap<String, (usize, usize)>,
    pub(crate) documents: usize,
    pub(crate) with_direct: usize,
    pub(crate) leaking: usize,
    /// Direct entities, and those protected at every mention.
    pub(crate) entities: (usize, usize),
    /// What had to survive, and what did.
    pub(crate) keep: (usize, usize),
    masked: usize,
    right: usize,
    /// What was missed: whether it is direct, document, type, text.
    pub(crate) missed: Vec<(bool, String, String, String)>,
    /// What was masked and lies in no span.
    pub(crate) extra: Vec<(String, String)>,
}

impl Score {
    /// Adds a document and what was masked in it, in code points.
    pub(crate) fn add(&mut self, document: &Document, masked: &[(usize, usize)], strict: bool) {
        let chars: Vec<char> = document.text.chars().collect();
        let mut mask = vec![false; chars.len()];
        for &(start, end) in masked {
            mask[start.min(chars.len())..end.min(chars.len())].fill(true);
        }
        let mut any = vec![false; chars.len()];
        let (mut direct, mut leak) = (false, false);
        let mut entities: BTreeMap<&str, bool> = BTreeMap::new();
        for span in &document.spans {
            any[span.start..span.end].fill(true);
            if span.id_type.as_deref() == Some("NO_MASK") {
                continue;
            }
            let protected = needed(&chars, span, strict).into_iter().all(|at| mask[at]);
            for of in [span.of.as_str(), "ALL"] {
                let (all, good) = self.types.entry(of.to_owned()).or_default();
                *all += 1;
                *good += usize::from(protected);
            }
            let is_direct = match span.id_type.as_deref() {
                Some(id_type) => id_type == "DIRECT",
                None => DIRECT.contains(&span.of.as_str()),
            };
            if !protected {
                let around = |from: usize, to: usize| chars[from..to].iter().collect::<String>();
                let before = around(span.start.saturating_sub(30), span.start);
                let after = around(span.end, (span.end + 20).min(chars.len()));
                let shown = format!("{before}[[{}]]{after}", span.text);
                self.missed
                    .push((is_direct, document.id.clone(), span.of.clone(), shown));
            }
            if is_direct {
                direct = true;
                *entities
                    .entry(span.entity.as_deref().unwrap_or(&span.text))
                    .or_insert(true) &= protected;
                leak |= !protected;
            }
        }
        for &(start, end) in masked {
            if !any[start..end].contains(&true) {
                self.extra
                    .push((document.id.clone(), chars[start..end].iter().collect()));
            }
        }
        for &(start, end) in &document.keep {
            self.keep.0 += 1;
            self.keep.1 += usize::from(!(start..end).any(|at| mask[at] && chars[at].is_alphanumeric()));
        }
        self.documents += 1;
        self.with_direct += usize::from(direct);
        self.leaking += usize::from(leak);
        self.entities.0 += entities.len();
        self.entities.1 += entities.values().filter(|good| **good).count();
        for at in (0..chars.len()).filter(|&at| mask[at] && chars[at].is_alphanumeric()) {
            self.masked += 1;
            self.right += usize::from(any[at]);
        }
    }

    /// The share of a type's spans that are protected, in hundredths.
    pub(crate) fn recall(&self, of: &str) -> Option<f64> {
        self.types.get(of).map(|&(all, good)| percent(good, all))
    }

    /// The share of what was masked that lies in some span.
    pub(crate) fn precision(&self) -> f64 {
        percent(self.right, self.masked)
    }
}

#[allow(clippy::cast_precision_loss)]
pub(crate) fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        100.0
    } else {
        100.0 * part as f64 / whole as f64
    }
}

/// The characters of a span that matter.
fn needed(chars: &[char], span: &Gold, strict: bool) -> Vec<usize> {
    let solid = || {
        (span.start..span.end)
            .filter(|&at| !chars[at].is_whitespace())
            .collect::<Vec<_>>()
    };
    if strict {
        return solid();
    }
    let mut needed = Vec::new();
    let mut at = span.start;
    while at < span.end {
        let word: String = chars[at..span.end].iter().take_while(|c| c.is_alphanumeric()).collect();
        let end = at + word.chars().count();
        if end == at {
            at += 1;
            continue;
        }
        let forgiven = FORGIVEN.contains(&format!(" {} ", word.to_lowercase()));
        if !forgiven || at == span.start && end == span.end {
            needed.extend(at..end);
        }
        at = end;
    }
    if needed.is_empty() { solid() } else { needed }
}
