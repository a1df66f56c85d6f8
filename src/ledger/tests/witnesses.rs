//! Proofs and witnesses on whole vaults: cases 7, 10, 11, 16, 17, 22 and 31.

use super::vault::{Forge, Vault, chain, identity, line, sealed, settings, sign_lines};
use super::{Given, Verdict, assert_caught, assert_intact, judge};
use crate::chain::{
    BadProof, BadProofFile, CosignedCheckpoint, CosignedFile, NoteKey, ProofFile, Receipt, Signs, Time, Witness,
};
use crate::crypto::{ExampleEntropy, SigningKey};
use crate::id::{Digest, EntryRef};
use crate::ledger::verify::examine;
use crate::ledger::witness::goes_on;
use crate::ledger::{Anchors, Cosigning, NoCosignature, NoProof, Whose, cosign, make_receipt, prove, publish};
use crate::repo::{PATIENCE, Repo};
use crate::secret::Secret;
use std::collections::BTreeMap;

fn witness(name: &'static str) -> Witness {
    Witness::make(name, &mut ExampleEntropy::new(name)).unwrap()
}

fn time(vault: &Vault) -> Time {
    Time::from_unix(super::vault::NOW + vault.clock as i64 + 30)
}

/// Cosigns and publishes; the witness's state from then on.
fn sign(vault: &Vault, witness: &Witness, state: Option<&Receipt>) -> Receipt {
    let Cosigning { state, file } = cosign(&vault.repo(), witness, state, None, time(vault)).unwrap();
    put(vault, &file);
    state
}

fn put(vault: &Vault, file: &CosignedFile) {
    let repo = Repo::open(&vault.dir(), settings()).unwrap();
    publish(&repo, file, time(vault), PATIENCE).unwrap();
}

fn pinned(witnesses: &[NoteKey]) -> Given<'_> {
    Given {
        witnesses,
        ..Given::default()
    }
}

fn branch(witness: &Witness) -> String {
    format!("witness/{}", witness.name())
}

/// The newest checkpoint of the vault's log on the witness's branch.
fn on_branch(vault: &Vault, witness: &Witness) -> CosignedCheckpoint {
    let files = vault.files(&branch(witness));
    CosignedCheckpoint::parse(std::str::from_utf8(&files[&vault.log.to_string()]).unwrap()).unwrap()
}

/// Puts this text on the witness's branch.
fn forge(vault: &Vault, witness: &Witness, text: String) {
    let files = BTreeMap::from([(vault.log.to_string(), text.into_bytes())]);
    vault.put_files(&branch(witness), &files);
}

#[test]
fn a_cosigned_vault_is_intact_and_anchored_as_it_grows() {
    let mut vault = Vault::with(2, 6);
    let (one, two) = (witness("one"), witness("two"));
    let first = sign(&vault, &one, None);
    let keys = [one.public(), two.public()];
    // Nobody's key was given: what was cosigned is ignored.
    assert!(!assert_intact("unpinned", &vault, &Given::default()).anchored);
    vault.grow(0, 9);
    sign(&vault, &two, None);
    let second = sign(&vault, &one, Some(&first));
    vault.grow(0, 300);
    sign(&vault, &one, Some(&second));
    sign(&vault, &one, Some(&second));
    for deep in [false, true] {
        let given = Given { deep, ..pinned(&keys) };
        let report = assert_intact("pinned", &vault, &given);
        assert!(report.anchored);
        let sizes: Vec<_> = report
            .cosigned
            .iter()
            .map(|known| (known.witness.as_str(), known.size))
            .collect();
        assert_eq!(sizes, [("one", 300), ("two", 9)]);
    }
    // Also by a clone, which has no journal until somebody publishes there.
    vault.git(&["clone", "-q", "--mirror", "vault", "other"]);
    let clone = vault.copy().moved_to("other");
    assert_intact("clone", &clone, &pinned(&keys));
    sign(&clone, &two, None);
    let report = assert_intact("cosigned in a clone", &clone, &pinned(&keys));
    assert!(report.cosigned.iter().all(|known| known.size == 300));
    // A plain clone keeps the branches elsewhere.
    vault.git(&["clone", "-q", "vault", "plain"]);
    let plain = vault.copy().moved_to("plain/.git");
    assert_intact("plain clone", &plain, &pinned(&keys));
    let Cosigning { file, .. } = cosign(&plain.repo(), &two, None, None, time(&plain)).unwrap();
    let refused = publish(&plain.repo(), &file, time(&plain), PATIENCE);
    assert!(matches!(refused, Err(NoCosignature::PlainClone)), "{refused:?}");
}

#[test]
fn a_witness_that_has_cosigned_nothing_is_a_finding() {
    let vault = Vault::with(1, 4);
    let report = judge(&vault, &pinned(&[witness("one").public()]));
    assert_eq!((report.verdict, report.anchored), (Verdict::Intact, false));
    let findings: Vec<_> = report.findings.iter().map(|found| found.case).collect();
    assert_eq!(findings, [31]);
}

#[test]
fn case_07_10_and_11_what_was_cosigned_cannot_be_taken_back() {
    let mut good = Vault::with(2, 6);
    let one = witness("one");
    sign(&good, &one, None);
    good.grow(0, 8);
    sign(&good, &one, None);
    let keys = [one.public()];
    let given = pinned(&keys);
    let (log, audit) = (good.log, good.audit());
    let lines = |vault: &Vault| -> Vec<String> {
        let messages = vault.messages(log);
        messages.iter().map(|text| line(text).to_owned()).collect()
    };
    let rewrite = |vault: &Vault, lines: &[String]| {
        let signer = Some(&vault.identity);
        let messages = sign_lines(lines, log, &vault.identity);
        vault.put_log(
            log,
            &messages,
            &Forge {
                signer,
                ..Forge::default()
            },
        );
    };

    let cut = good.copy();
    rewrite(&cut, &lines(&good)[..7]);
    assert_intact("cut, unpinned", &cut, &Given::default());
    assert_caught("cut", &judge(&cut, &given), &[(7, Some(7))]);

    let deleted = good.copy();
    deleted.git(&["update-ref", "-d", &format!("refs/heads/{audit}")]);
    assert_caught("deleted", &judge(&deleted, &given), &[(10, None)]);

    let mut entries = good.entries(log);
    entries[4].sealed = sealed(2);
    let rewritten = good.copy();
    rewrite(&rewritten, &chain(&entries));
    assert_intact("rewritten, unpinned", &rewritten, &Given::default());
    assert_caught("rewritten", &judge(&rewritten, &given), &[(11, Some(5)), (17, Some(5))]);

    let mut entries = good.entries(log);
    entries[7].sealed = sealed(2);
    let forked = good.copy();
    rewrite(&forked, &chain(&entries));
    assert_caught("forked", &judge(&forked, &given), &[(11, Some(7)), (16, Some(7))]);
}

#[test]
fn case_22_an_entry_dated_after_the_cosignature_over_it_is_a_finding() {
    let mut good = Vault::with(1, 9);
    let one = witness("one");
    let keys = [one.public()];
    let cosigned = time(&good);
    sign(&good, &one, None);
    good.grow(0, 12);
    assert_intact("before", &good, &pinned(&keys));
    for (seq, later, found) in [(5, 1, true), (5, 0, false), (10, 40, false)] {
        let vault = good.copy();
        let mut entries = good.entries(good.log);
        entries[seq].time = Time::from_unix(cosigned.unix() + later);
        let messages = sign_lines(&chain(&entries), good.log, &good.identity);
        let signer = Some(&good.identity);
        vault.put_log(
            good.log,
            &messages,
            &Forge {
                signer,
                ..Forge::default()
            },
        );
        // The device dated it so before the witness came.
        let mut cosigned_again = CosignedCheckpoint::new(
            make_receipt(&rest(&vault, 9).repo(), None, cosigned)
                .unwrap()
                .checkpoints[0]
                .clone(),
        );
        cosigned_again.cosign(&one, cosigned);
        vault.git(&["update-ref", "-d", "refs/heads/witness/one"]);
        forge(&vault, &one, cosigned_again.to_text());
        let report = judge(&vault, &pinned(&keys));
        assert_eq!((report.verdict, report.problems), (Verdict::Intact, vec![]));
        let at: Vec<_> = report.findings.iter().filter(|problem| problem.case == 22).collect();
        assert_eq!(
            at.iter().map(|problem| problem.seq).collect::<Vec<_>>(),
            if found { vec![Some(seq as u64)] } else { vec![] }
        );
    }
}

/// The vault when its log had `size` entries.
fn rest(vault: &Vault, size: usize) -> Vault {
    let copy = vault.copy();
    let messages = vault.messages(vault.log);
    let lines: Vec<String> = messages.iter().map(|text| line(text).to_owned()).collect();
    let signer = Some(&vault.identity);
    let messages = sign_lines(&lines[..size], vault.log, &vault.identity);
    copy.put_log(
        vault.log,
        &messages,
        &Forge {
            signer,
            ..Forge::default()
        },
    );
    copy
}

#[test]
fn case_31_forged_and_unpinned_witnesses_and_one_who_went_back() {
    let mut good = Vault::with(2, 6);
    let (one, two) = (witness("one"), witness("two"));
    let state = sign(&good, &one, None);
    let small = on_branch(&good, &one);
    good.grow(0, 8);
    let state = sign(&good, &one, Some(&state));
    let large = on_branch(&good, &one);
    let keys = [one.public()];
    let given = pinned(&keys);
    assert_intact("before", &good, &given);

    // Somebody else under the name of the witness, and a cosignature moved to another checkpoint or time.
    let posing = {
        let mut text = CosignedCheckpoint::new(large.signed.clone());
        text.cosign(&two, time(&good));
        text.to_text().replace("\u{2014} two ", "\u{2014} one ")
    };
    let moved = format!(
        "{}{}\n",
        large.signed.to_text(),
        small.to_text().lines().last().unwrap()
    );
    let text = large.to_text();
    let at = text.len() - 8;
    let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
    let flipped = format!("{}{other}{}", &text[..at], &text[at + 1..]);
    for (what, text) in [
        ("another key", posing),
        ("moved", moved),
        ("flipped", flipped),
        ("bare", large.signed.to_text()),
    ] {
        let vault = good.copy();
        forge(&vault, &one, text);
        assert_caught(what, &judge(&vault, &given), &[(31, Some(7))]);
        assert_intact(what, &vault, &Given::default());
        // The witness, who remembers what it cosigned, goes on from it; but not over what bears another key in its name.
        let again = cosign(&vault.repo(), &one, Some(&state), None, time(&vault)).unwrap();
        assert!(cosign(&vault.repo(), &one, None, None, time(&vault)).is_err());
        let repo = Repo::open(&vault.dir(), settings()).unwrap();
        let published = publish(&repo, &again.file, time(&vault), PATIENCE);
        assert_eq!(published.is_ok(), what != "another key", "{what}: {published:?}");
        if published.is_ok() {
            for deep in [false, true] {
                assert_intact(what, &vault, &Given { deep, ..pinned(&keys) });
            }
        }
    }
    // Not even of that form, whether somebody pinned the witness or not.
    for bytes in ["hello", "\u{2014}", ""] {
        let vault = good.copy();
        forge(&vault, &one, bytes.to_owned());
        assert_caught("no checkpoint", &judge(&vault, &Given::default()), &[(31, None)]);
    }
    // What was cosigned with a log of another device, or of another vault.
    let stranger = identity(9, Digest([0; 32]));
    let mut foreign = CosignedCheckpoint::new(stranger.sign_checkpoint(large.signed.checkpoint));
    foreign.cosign(&one, time(&good));
    let vault = good.copy();
    forge(&vault, &one, foreign.to_text());
    assert_caught("a stranger's checkpoint", &judge(&vault, &given), &[(31, Some(7))]);

    // The branch put back by somebody, and a witness who really went back: a smaller size at a later time.
    let vault = good.copy();
    forge(&vault, &one, small.to_text());
    assert_caught("put back", &judge(&vault, &given), &[(31, Some(5))]);
    // And forth again, to the very same text.
    forge(&vault, &one, large.to_text());
    assert_caught("put back and forth", &judge(&vault, &given), &[(31, Some(5))]);
    let mut again = CosignedCheckpoint::new(small.signed.clone());
    again.cosign(&one, Time::from_unix(time(&good).unix() + 9));
    let vault = good.copy();
    forge(&vault, &one, again.to_text());
    assert_caught("went back", &judge(&vault, &given), &[(31, Some(5))]);
    // By the times alone, whatever the commits' order.
    let vault = good.copy();
    vault.git(&["update-ref", "-d", "refs/heads/witness/one"]);
    forge(&vault, &one, again.to_text());
    forge(&vault, &one, large.to_text());
    assert_caught("went back in time", &judge(&vault, &given), &[(31, Some(5))]);

    // Nobody is their own witness.
    let device = NoteKey::new("self".into(), Signs::Cosignatures, good.identity.public_key()).unwrap();
    assert_caught("a device's key", &judge(&good, &pinned(&[device])), &[(31, None)]);
    // Another file on the branch, and a branch that no witness can have.
    let vault = good.copy();
    vault.put_files(
        "witness/one",
        &BTreeMap::from([("x".into(), text.clone().into_bytes())]),
    );
    assert_caught("a stray file", &judge(&vault, &Given::default()), &[(32, None)]);
    let vault = good.copy();
    vault.git(&["update-ref", "refs/heads/witness/One", "refs/heads/witness/one"]);
    assert_caught("no name", &judge(&vault, &Given::default()), &[(32, None)]);
}

#[test]
fn a_witness_refuses_to_go_back_to_fork_and_to_sign_what_is_not_intact() {
    let mut good = Vault::with(2, 6);
    let one = witness("one");
    let early = good.copy();
    good.grow(0, 8);
    let now = time(&good);
    let state = cosign(&good.repo(), &one, None, None, now).unwrap().state;
    let refused = |vault: &Vault, state: Option<&Receipt>, now: Time| {
        let refused = cosign(&vault.repo(), &one, state, None, now);
        refused.map(|_| "cosigned").unwrap_err().to_string()
    };
    // Back, by its own state or, where that was lost, by its cosignatures in the vault.
    let told = refused(&early, Some(&state), now);
    assert!(
        told.starts_with("nothing was cosigned: the vault is not intact: [7] this log has 6 entries"),
        "{told}"
    );
    let lost = good.copy();
    sign(&lost, &one, None);
    let lines: Vec<String> = good
        .messages(good.log)
        .iter()
        .map(|text| line(text).to_owned())
        .collect();
    let signer = Some(&good.identity);
    let messages = sign_lines(&lines[..6], good.log, &good.identity);
    lost.put_log(
        good.log,
        &messages,
        &Forge {
            signer,
            ..Forge::default()
        },
    );
    let told = refused(&lost, None, now);
    assert!(
        told.contains("[7]") && told.contains("the witness `one` cosigned"),
        "{told}"
    );
    // A fork.
    let mut entries = good.entries(good.log);
    entries[3].sealed = sealed(2);
    let forked = good.copy();
    let messages = sign_lines(&chain(&entries), good.log, &good.identity);
    forked.put_log(
        good.log,
        &messages,
        &Forge {
            signer,
            ..Forge::default()
        },
    );
    assert!(refused(&forked, Some(&state), now).contains("[11]"));
    assert!(cosign(&forked.repo(), &one, None, None, now).is_ok());
    // Damage that has nothing to do with what was cosigned.
    let damaged = good.copy();
    damaged.git(&["update-ref", "refs/heads/x", "refs/heads/main"]);
    assert!(refused(&damaged, None, now).contains("[32]"));
    // A clock that went back.
    let back = Time::from_unix(now.unix() - 1);
    assert!(refused(&good, Some(&state), back).contains("set the clock right"));
    // A device's key: made into a witness's by hand.
    let seed = Secret::copy_from(&[17; 32]).unwrap();
    assert_eq!(SigningKey::from_seed(&seed).public(), good.identity.public_key());
    use base64ct::Encoding;
    let bytes = [&[4], seed.expose().as_slice()].concat();
    let public = NoteKey::new("one".into(), Signs::Cosignatures, good.identity.public_key()).unwrap();
    let id = public.to_string().split('+').nth(1).unwrap().to_owned();
    let text = format!("PRIVATE+KEY+one+{id}+{}\n", base64ct::Base64::encode_string(&bytes));
    let device = Witness::parse(&text).map_err(|bad| bad.to_string()).unwrap();
    let told = cosign(&good.repo(), &device, None, None, now).unwrap_err().to_string();
    assert!(
        told.contains("[31]") && told.contains("nobody is their own witness"),
        "{told}"
    );
}

/// The witness's own check stands by itself: the verifier's comparison with what it remembers finds the same.
#[test]
fn a_consistency_proof_is_made_from_the_lines_and_checked() {
    let mut vault = Vault::with(1, 4);
    let old = make_receipt(&vault.repo(), None, Time::from_unix(0))
        .unwrap()
        .checkpoints[0]
        .checkpoint;
    vault.grow(0, 300);
    let (repo, now) = (vault.repo(), time(&vault));
    let anchors = Anchors {
        receipt: None,
        high_water: None,
        witnesses: &[],
        now,
        deep: false,
    };
    let examined = examine(&repo, &anchors).unwrap();
    let found = &examined.found[&vault.log];
    let goes_on = |size, root| goes_on(&examined.view, found, (size, root));
    assert_eq!(goes_on(old.size, old.root), Ok(()));
    assert_eq!(goes_on(300, found.root), Ok(()));
    assert_eq!(goes_on(old.size, found.root), Err(BadProof::OtherPast));
    assert_eq!(goes_on(5, old.root), Err(BadProof::OtherPast));
    assert_eq!(goes_on(301, found.root), Err(BadProof::Shrunk { old: 301, new: 300 }));
}

#[test]
fn only_what_is_authentic_and_newer_is_published() {
    let mut vault = Vault::with(1, 4);
    let one = witness("one");
    let old = cosign(&vault.repo(), &one, None, None, time(&vault)).unwrap().file;
    vault.grow(0, 6);
    sign(&vault, &one, None);
    let refused = |file: &CosignedFile| publish(&vault.repo(), file, time(&vault), PATIENCE).unwrap_err();
    assert!(matches!(refused(&old), NoCosignature::Older(_)));
    let mut forged = old.clone();
    forged.witness = witness("two").public();
    assert!(matches!(refused(&forged), NoCosignature::Forged(_)));
    let mut foreign = old.clone();
    foreign.checkpoints[0].signed.checkpoint.vault = crate::id::VaultId([9; 16]);
    assert!(matches!(refused(&foreign), NoCosignature::OtherVault { .. }));
    let other = Witness::make("one", &mut ExampleEntropy::new("another one")).unwrap();
    let mut renewed = cosign(&vault.copy().repo(), &witness("two"), None, None, time(&vault))
        .unwrap()
        .file;
    renewed.witness = other.public();
    renewed.checkpoints[0].cosign(&other, time(&vault));
    assert!(matches!(refused(&renewed), NoCosignature::OtherKey(_)));
    assert_intact("after", &vault, &pinned(&[one.public()]));
}

#[test]
fn proofs_hold_for_their_entry_and_lead_to_the_checkpoint_asked_for() {
    let mut vault = Vault::with(2, 300);
    let one = witness("one");
    let receipt = make_receipt(&vault.repo(), None, Time::from_unix(0)).unwrap();
    sign(&vault, &one, None);
    vault.grow(0, 520);
    let (keys, repo, log) = ([one.public()], vault.repo(), vault.log);
    let anchors = |receipt| Anchors {
        receipt,
        high_water: None,
        witnesses: &keys,
        now: time(&vault),
        deep: false,
    };
    let prove = |seq, whose| prove(&repo, &anchors(None), EntryRef { log, seq }, whose);
    for (seq, whose, size) in [
        (0, Whose::Newest, 520),
        (255, Whose::Newest, 520),
        (519, Whose::Newest, 520),
        (299, Whose::Receipt(&receipt), 300),
        (7, Whose::Witness("one"), 300),
    ] {
        let proven = prove(seq, whose).unwrap();
        let proof = ProofFile::parse(proven.proof.to_text().as_bytes()).unwrap();
        assert_eq!(proof.check(None).unwrap().entry.place(), EntryRef { log, seq });
        assert_eq!(proof.checkpoint.signed.checkpoint.size, size);
        assert!(proof.checkpoint.signed.verify(&proven.key.key()).is_ok());
        let cosigned = proof.checkpoint.verify(&one.public()).is_ok();
        assert_eq!(cosigned, matches!(whose, Whose::Witness(_)));
        let other = prove((seq + 1) % 300, whose).unwrap().proof.line;
        let refused = proof.check(other.as_deref());
        assert!(matches!(refused, Err(BadProofFile::Proof(_))), "{refused:?}");
    }
    let outside = |refused: Result<_, NoProof>| match refused {
        Err(NoProof::Proof(bad)) => bad.to_string(),
        _ => String::new(),
    };
    assert_eq!(
        outside(prove(520, Whose::Newest)),
        "entry 520 does not stand among 520 entries"
    );
    assert_eq!(
        outside(prove(300, Whose::Receipt(&receipt))),
        "entry 300 does not stand among 300 entries"
    );
    assert!(matches!(prove(0, Whose::Witness("two")), Err(NoProof::Unknown { .. })));
    let missing = EntryRef {
        log: super::vault::log_of(5),
        seq: 0,
    };
    let refused = super::super::prove(&repo, &anchors(None), missing, Whose::Newest);
    assert!(matches!(refused, Err(NoProof::NoLog(_))));
    vault.git(&["update-ref", "refs/heads/x", "refs/heads/main"]);
    let refused = super::super::prove(
        &vault.repo(),
        &anchors(Some(&receipt)),
        EntryRef { log, seq: 0 },
        Whose::Newest,
    );
    assert!(matches!(refused, Err(NoProof::NotIntact(_))));
}
