//! What a receipt or this device knows of a log: cases 7, 9 to 11, 13, 23 and 31.

use super::lines::signed;
use super::vault::{Vault, chain, identity, sealed};
use super::{Given, assert_caught, assert_intact, judge};
use crate::chain::{Receipt, Time};
use crate::id::{Digest, VaultId};
use crate::ledger::{HighWater, make_receipt};

/// A vault of twelve entries, and what is known of it outside.
struct Known {
    good: Vault,
    receipt: Receipt,
    mark: HighWater,
}

impl Known {
    fn new() -> Self {
        let good = Vault::with(2, 12);
        let receipt = make_receipt(&good.repo(), None, Time::from_unix(0)).unwrap();
        let mark = good.mark();
        let known = Self { good, receipt, mark };
        assert_intact("before", &known.good, &known.by_receipt());
        assert_intact("before", &known.good, &known.by_mark());
        known
    }

    fn by_receipt(&self) -> Given<'_> {
        Given {
            receipt: Some(&self.receipt),
            ..Given::default()
        }
    }

    fn by_mark(&self) -> Given<'_> {
        Given {
            mark: Some(&self.mark),
            ..Given::default()
        }
    }

    fn cut(&self) -> Vault {
        let cut = self.good.copy();
        let audit = format!("refs/heads/{}", cut.audit());
        cut.git(&["update-ref", &audit, &format!("{audit}~4")]);
        // Notes were not written by what was cut: without an anchor it is an older vault.
        assert_intact("tail cut, unanchored", &cut, &Given::default());
        cut
    }

    /// One entry other, all chained and signed anew with the true key.
    fn rewritten(&self, more: bool) -> Vault {
        let rewritten = self.good.copy();
        let mut entries = rewritten.entries(self.good.log);
        entries[7].sealed = sealed(1);
        entries.extend(entries.last().filter(|_| more).cloned());
        signed(&rewritten, &chain(&entries));
        assert_intact("rewritten, unanchored", &rewritten, &Given::default());
        rewritten
    }
}

#[test]
fn case_07_the_end_cut_off_below_a_receipt() {
    let known = Known::new();
    assert_caught("cut", &judge(&known.cut(), &known.by_receipt()), &[(7, Some(8))]);
}

#[test]
fn case_09_the_end_cut_off_or_another_than_this_device_wrote() {
    let known = Known::new();
    assert_caught("cut", &judge(&known.cut(), &known.by_mark()), &[(9, Some(8))]);
    let report = judge(&known.rewritten(false), &known.by_mark());
    assert_caught("rewritten", &report, &[(11, Some(11)), (9, Some(11))]);
    let deleted = known.good.copy();
    deleted.git(&["update-ref", "-d", &format!("refs/heads/{}", deleted.audit())]);
    assert_caught("deleted", &judge(&deleted, &known.by_mark()), &[(9, None)]);
}

#[test]
fn case_10_a_log_deleted() {
    let known = Known::new();
    let deleted = known.good.copy();
    deleted.git(&["update-ref", "-d", &format!("refs/heads/{}", deleted.audit())]);
    assert_caught("receipt", &judge(&deleted, &known.by_receipt()), &[(10, None)]);
    assert_caught("mark", &judge(&deleted, &known.by_mark()), &[(10, None), (9, None)]);
}

#[test]
fn case_11_a_log_rewritten_with_the_true_key() {
    let known = Known::new();
    let report = judge(&known.rewritten(false), &known.by_receipt());
    assert_caught("of the same size", &report, &[(11, Some(11)), (16, Some(11))]);
    let report = judge(&known.rewritten(true), &known.by_receipt());
    assert_caught("and gone on", &report, &[(11, Some(11)), (17, Some(11))]);
    let report = judge(&known.rewritten(true), &known.by_mark());
    assert_caught("than this device wrote", &report, &[(11, Some(11)), (17, Some(11))]);
}

/// Another vault of the same id, by another founder with another key.
#[test]
fn case_13_roster_and_key_exchanged() {
    let known = Known::new();
    let mut other = Vault::found(2);
    other.grow(2, 12);
    other.cut();
    assert_intact("unanchored", &other, &Given::default());
    assert_caught(
        "receipt",
        &judge(&other, &known.by_receipt()),
        &[(13, None), (10, None)],
    );
    assert_caught("mark", &judge(&other, &known.by_mark()), &[(13, None), (10, None)]);
    // The founder as pinned, and a card that is no longer there.
    for founder in [true, false] {
        let mut receipt = known.receipt.clone();
        *(if founder {
            &mut receipt.founder
        } else {
            &mut receipt.roster
        }) = Digest([9; 32]);
        let given = Given {
            receipt: Some(&receipt),
            ..Given::default()
        };
        assert_caught("another", &judge(&known.good, &given), &[(13, None)]);
        let mut mark = known.mark.clone();
        *(if founder { &mut mark.founder } else { &mut mark.roster }) = Digest([9; 32]);
        let given = Given {
            mark: Some(&mark),
            ..Given::default()
        };
        assert_caught("another", &judge(&known.good, &given), &[(13, None)]);
    }
}

#[test]
fn case_23_and_31_a_receipt_of_another_vault_and_a_forged_one() {
    let known = Known::new();
    let mut foreign = known.receipt.clone();
    foreign.vault = VaultId([9; 16]);
    let mut unsigned = known.receipt.clone();
    let stranger = identity(5, Digest([0; 32]));
    unsigned.checkpoints[0] = stranger.sign_checkpoint(unsigned.checkpoints[0].checkpoint);
    for (receipt, case) in [(foreign, 23), (unsigned, 31)] {
        let given = Given {
            receipt: Some(&receipt),
            ..Given::default()
        };
        assert_caught("receipt", &judge(&known.good, &given), &[(case, None)]);
    }
}
