//! Files removed and cut short, sealed files exchanged, refs moved: one at a time.

use super::super::converge::Chance;
use super::bytes::{assert_known, named};
use super::hands::Hands;
use super::kinds::Kinds;
use super::*;

/// How many things are done where not all are.
const SOME: usize = 12;

/// What is done, what kind of thing that is, and whether to people whose devices know the vault from before.
struct Deed<'d> {
    kind: String,
    what: String,
    remembering: bool,
    damage: Box<dyn Fn(&Path) + Sync + 'd>,
}

impl<'d> Deed<'d> {
    fn new(kind: String, what: String, damage: impl Fn(&Path) + Sync + 'd) -> Self {
        Self {
            kind,
            what,
            remembering: false,
            damage: Box::new(damage),
        }
    }
}

/// Does all of it, or some of each kind, and asserts which kinds the gate alone sees, which a deep look, and which nobody.
fn do_all(title: &str, house: &House, deeds: Vec<Deed<'_>>, known: &[BTreeSet<String>; 3]) {
    let mut chance = Chance(seed());
    let mut chosen = deeds;
    if !is_long() {
        // One of a kind, of as many kinds as that.
        let mut by_kind: BTreeMap<String, Vec<Deed<'_>>> = BTreeMap::new();
        for deed in chosen {
            by_kind.entry(deed.kind.clone()).or_default().push(deed);
        }
        chosen = Vec::new();
        for mut deeds in by_kind.into_values() {
            chosen.push(deeds.swap_remove(chance.below(deeds.len())));
        }
        while chosen.len() > SOME {
            drop(chosen.swap_remove(chance.below(chosen.len())));
        }
    }
    let mut number = 0;
    chosen.retain(|_| {
        number += 1;
        number % every() == 0
    });
    for (n, deed) in chosen.iter_mut().enumerate() {
        deed.remembering = n % 2 == 1;
    }
    let outcomes = on_benches(house, &chosen, |bench, deed| {
        let judged = bench.judge(&deed.damage, deed.remembering);
        let known = if deed.remembering { ", known from before" } else { "" };
        let judged = judged.map_err(|why| format!("{}{known}: {why}", deed.what));
        (deed.kind.clone(), judged)
    });
    assert_known(&tell(title, outcomes), known);
}

/// Which files the gate alone misses, and which nobody: see the same of bytes.
fn known_of_files() -> [BTreeSet<String>; 3] {
    let mut gate = named(&["strongroom.journal removed"]);
    let mut nothing = named(&[
        "HEAD cut short",
        "a pack cut short",
        "config cut short",
        "config removed",
        "ref: keys/devices without its newline",
        "ref: main without its newline",
        "strongroom.exchanged cut short",
        "strongroom.exchanged removed",
        "strongroom.lock removed",
        "strongroom.sync.lock removed",
    ]);
    for class in ["audit", "keys", "notes"] {
        gate.insert(format!("ref: {class} cut short"));
        nothing.insert(format!("ref: {class} cut short"));
        nothing.insert(format!("ref: {class} without its newline"));
    }
    let now = ["audit, newest commit", "audit, older commit"]
        .map(str::to_owned)
        .into_iter();
    let of_shards = ["keys", "notes"].iter().flat_map(|class| {
        let kinds = ["newest commit", "newest file", "newest tree"];
        kinds.map(|kind| format!("{class}, {kind}"))
    });
    let older = [
        "keys, older commit",
        "keys, older tree",
        "notes, older commit",
        "notes, older tree",
    ];
    for how in ["removed", "cut short"] {
        for role in now.clone().chain(of_shards.clone()) {
            gate.insert(format!("loose: {role}, which the journal holds {how}"));
            nothing.insert(format!("loose: {role}, which the journal holds {how}"));
        }
        nothing.extend(older.map(|role| format!("loose: {role}, which the journal holds {how}")));
    }
    [gate, BTreeSet::new(), nothing]
}

fn cut_short(path: &Path, length: usize) {
    let content = std::fs::read(path).unwrap();
    std::fs::write(path, &content[..length.min(content.len())]).unwrap();
}

#[test]
fn a_file_that_is_removed_or_cut_short_is_seen_or_without_effect() {
    let house = House::new();
    let vault = house.root().join(VAULT);
    let kinds = Kinds::of(&vault);
    let mut kept = BTreeMap::new();
    keep(&vault, &vault, &mut kept);
    let mut deeds = Vec::new();
    for (path, found) in kept {
        let Kept::File(content) = found else { continue };
        let path = path.to_str().unwrap().to_owned();
        let kind = kinds.file(&path);
        let remove = path.clone();
        deeds.push(Deed::new(format!("{kind} removed"), path.clone(), move |vault| {
            std::fs::remove_file(vault.join(&remove)).unwrap();
        }));
        let lengths = [0, content.len() / 2, content.len().saturating_sub(1)];
        for (n, length) in lengths
            .into_iter()
            .enumerate()
            .filter(|(_, length)| *length < content.len())
        {
            let (cut, what) = (path.clone(), format!("{path} to {length}"));
            let how = if path.starts_with("refs/") && n == 2 {
                "without its newline"
            } else {
                "cut short"
            };
            deeds.push(Deed::new(format!("{kind} {how}"), what, move |vault| {
                cut_short(&vault.join(&cut), length);
            }));
        }
    }
    do_all("a file is removed or cut short", &house, deeds, &known_of_files());
}

#[test]
fn sealed_files_that_are_exchanged_are_seen() {
    let house = House::new();
    let sealed = Hands::on(&house.root().join(VAULT)).unwrap().sealed();
    let mut deeds = Vec::new();
    for (n, one) in sealed.iter().enumerate() {
        for other in sealed[n + 1..].iter().filter(|other| other.kind() == one.kind()) {
            let what = format!("{} and {}", one.name, other.name);
            let kind = one.kind();
            deeds.push(Deed::new(kind.to_owned(), what.clone(), move |vault| {
                Hands::on(vault).unwrap().swap(one, other).unwrap();
            }));
            deeds.push(Deed::new(format!("{kind}, named anew"), what, move |vault| {
                Hands::on(vault).unwrap().swap_named(one, other).unwrap();
            }));
        }
    }
    do_all("sealed files are exchanged", &house, deeds, &Default::default());
}

#[test]
fn refs_that_are_moved_are_seen_or_put_back() {
    let house = House::new();
    let hands = Hands::on(&house.root().join(VAULT)).unwrap();
    let branches = hands.branches();
    let mut deeds = Vec::new();
    let moved = |kind: String, name: &str, to: Option<git2::Oid>| {
        let (name, what) = (name.to_owned(), format!("{name} to {to:?}"));
        Deed::new(kind, what, move |vault| {
            Hands::on(vault).unwrap().move_ref(&name, to).unwrap();
        })
    };
    for (name, oid) in &branches {
        let class = match (
            kinds::class(name.trim_start_matches("refs/heads/")),
            hands.is_empty(*oid),
        ) {
            (class @ ("notes" | "keys"), true) => format!("{class} of nothing"),
            (class, _) => class.to_owned(),
        };
        deeds.push(moved(format!("{class} removed"), name, None));
        for steps in 1.. {
            let Some(before) = hands.ancestor(*oid, steps) else {
                break;
            };
            let how = if steps == 1 { "back one commit" } else { "back further" };
            deeds.push(moved(format!("{class} {how}"), name, Some(before)));
        }
        for (other, to) in branches.iter().filter(|(other, _)| other != name) {
            let other = kinds::class(other.trim_start_matches("refs/heads/"));
            deeds.push(moved(format!("{class} to a commit of {other}"), name, Some(*to)));
        }
    }
    // What the last record moved is put back; and where a branch holds nothing, nothing is missed.
    let mut nothing = BTreeSet::new();
    for how in ["removed", "back one commit"] {
        nothing.extend(["audit", "keys", "notes"].map(|class| format!("{class} {how}")));
    }
    for class in ["keys", "notes"] {
        let others = ["audit", "keys", "notes"].map(|other| format!("to a commit of {other}"));
        let others = others
            .into_iter()
            .chain(["removed", "back one commit", "back further"].map(str::to_owned));
        nothing.extend(others.map(|how| format!("{class} of nothing {how}")));
    }
    do_all(
        "a ref is moved",
        &house,
        deeds,
        &[BTreeSet::new(), BTreeSet::new(), nothing],
    );
}
