#![allow(clippy::unwrap_used, clippy::expect_used)]
use super::chain::exp;
use super::model::{LINE, write};
use super::*;
use crate::brief::finding::Finder;
use crate::brief::names::Names;
use crate::brief::redact::forms;
use proptest::prelude::*;

fn shipped() -> &'static Model<'static> {
    SHIPPED.as_ref().unwrap()
}

fn chances_of(text: &Prepared) -> Vec<Scores> {
    chances(text, shipped(), &forms(text), &Names.find(text), &mut Memory::default())
}

fn masked(text: &str) -> Vec<String> {
    let prepared = Prepared::new(text).unwrap();
    let least = Thresholds { direct: 0.05, any: 0.3 };
    let found = judged(&prepared, &chances_of(&prepared), |_| true, &|_| least);
    found
        .iter()
        .map(|finding| prepared.folded[finding.at.clone()].to_owned())
        .collect()
}

#[test]
fn the_shipped_model_is_sound() {
    assert!(SHIPPED.is_ok());
    assert!(include_bytes!("model.bin").len() <= model::MAX_BYTES);
}

#[test]
fn names_are_tagged_in_any_case_and_from_anywhere() {
    for (text, name) in [
        ("then oksana came to the desk and left", "oksana"),
        ("TOLD TUNDE TO WAIT AT THE NORTH GATE", "TUNDE"),
        ("asked nguyen about the van", "nguyen"),
        ("relieved by farrukh at nine", "farrukh"),
        ("We met Thavrin at the gate and Thavrin was late.", "Thavrin"),
    ] {
        assert!(
            masked(text).iter().any(|found| found.contains(name)),
            "{text}: {:?}",
            masked(text)
        );
    }
}

#[test]
fn plain_words_pass() {
    for plain in [
        "the guard walked to the gate and locked it",
        "Call before nine and bring two radios.",
    ] {
        assert_eq!(masked(plain), Vec::<String>::new(), "{plain}");
    }
}

#[test]
fn a_damaged_model_is_refused() {
    let good = write(&[[0.5; LABELS]; LABELS], 0.01, &[[7; LINE]; 3]);
    assert!(Model::parse(&good).is_ok());
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 4;
        assert!(Model::parse(&bad).is_err(), "byte {at}");
        assert!(Model::parse(&good[..at]).is_err());
    }
    assert!(Model::parse(&[good.clone(), vec![0]].concat()).is_err());
    let wild = write(&[[f32::NAN; LABELS]; LABELS], 0.01, &[[0; LINE]]);
    assert_eq!(Model::parse(&wild).map(drop), Err(BadModel::Number));
    assert_eq!(Model::parse(b"").map(drop), Err(BadModel::Format));
}

#[test]
fn the_same_text_has_the_same_chances() {
    let text = Prepared::new("Azra told will the code is 4471, gate 88 then hash").unwrap();
    assert_eq!(chances_of(&text), chances_of(&text));
}

#[test]
fn the_exponential_is_near_enough() {
    for step in -800..800_i16 {
        let x = f32::from(step) / 10.0;
        let exact = f64::from(x).exp();
        assert!((f64::from(exp(x)) / exact - 1.0).abs() < 1e-4, "{x}");
    }
}

proptest! {
    #[test]
    fn the_chain_sums_over_all_ways(scores in proptest::collection::vec(proptest::array::uniform8(-3.0f32..3.0), 1..4), follows in proptest::array::uniform8(proptest::array::uniform8(-2.0f32..2.0))) {
        let raised = raised(&follows);
        let found = Chain::new(&scores, &raised, |_| u8::MAX).marginals(&raised, None);
        let mut sums = vec![[0.0f64; LABELS]; scores.len()];
        let mut total = 0.0;
        for way in 0..LABELS.pow(u32::try_from(scores.len()).unwrap()) {
            let labels: Vec<usize> = (0..scores.len()).map(|at| way / LABELS.pow(u32::try_from(at).unwrap()) % LABELS).collect();
            let mut score: f64 = labels.iter().enumerate().map(|(at, &label)| f64::from(scores[at][label])).sum();
            score += labels.windows(2).map(|pair| f64::from(follows[pair[0]][pair[1]])).sum::<f64>();
            total += score.exp();
            labels.iter().enumerate().for_each(|(at, &label)| sums[at][label] += score.exp());
        }
        for (found, sums) in found.iter().zip(&sums) {
            for (found, sum) in found.iter().zip(sums) {
                prop_assert!((f64::from(*found) - sum / total).abs() < 1e-4);
            }
        }
    }

    #[test]
    fn chances_are_chances(text in "[A-Za-z0-9 .,:\n'-]{0,120}") {
        let text = Prepared::new(&text).unwrap();
        let all = chances_of(&text);
        prop_assert_eq!(all.len(), text.tokens.len());
        prop_assert!(all.iter().all(|chances| (chances.iter().sum::<f32>() - 1.0).abs() < 1e-3));
    }
}
