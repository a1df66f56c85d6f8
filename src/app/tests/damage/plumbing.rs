//! Whatever is done with git to a vault, one thing after the other: the verifier and the gate agree about it.

use super::hands::Hands;
use super::*;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

/// One thing that is done, with numbers that say to what.
#[derive(Clone)]
struct Trick {
    number: usize,
    a: u16,
    b: u16,
}

impl std::fmt::Debug for Trick {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}, {})", TRICKS[self.number].0, self.a, self.b)
    }
}

type Doing = fn(&Hands, u16, u16) -> Option<()>;

fn pick<T>(some: &[T], number: u16) -> Option<&T> {
    some.get(usize::from(number) % some.len().max(1))
}

const TRICKS: &[(&str, Doing)] = &[
    ("write a blob", |hands, a, b| {
        hands.write_blob(&[a.to_be_bytes(), b.to_be_bytes()].concat()).map(drop)
    }),
    ("exchange two sealed files", |hands, a, b| {
        let sealed = hands.sealed();
        hands.swap(pick(&sealed, a)?, pick(&sealed, b)?)
    }),
    ("exchange two sealed files, named anew", |hands, a, b| {
        let sealed = hands.sealed();
        hands.swap_named(pick(&sealed, a)?, pick(&sealed, b)?)
    }),
    ("remove a sealed file", |hands, a, _| {
        let sealed = hands.sealed();
        let file = pick(&sealed, a)?;
        hands.edit(&file.branch, &[(&file.name, None)])
    }),
    ("lay a copy of a sealed file beside another", |hands, a, b| {
        let sealed = hands.sealed();
        let (file, other) = (pick(&sealed, a)?, pick(&sealed, b)?);
        hands.edit(&other.branch, &[(&file.name, Some(file.oid))])
    }),
    ("change a byte of a sealed file", |hands, a, b| {
        let sealed = hands.sealed();
        let file = pick(&sealed, a)?;
        let mut content = hands.read_blob(file.oid)?;
        let at = usize::from(b) % content.len().max(1);
        *content.get_mut(at)? ^= 1;
        let changed = hands.write_blob(&content)?;
        hands.edit(&file.branch, &[(&file.name, Some(changed))])
    }),
    ("commit nothing", |hands, a, _| {
        let branches = hands.branches();
        hands.edit(&pick(&branches, a)?.0, &[])
    }),
    ("add a file to a branch", |hands, a, b| {
        let branches = hands.branches();
        let blob = hands.write_blob(&b.to_be_bytes())?;
        hands.edit(&pick(&branches, a)?.0, &[("more", Some(blob))])
    }),
    ("move a ref to another's commit", |hands, a, b| {
        let branches = hands.branches();
        hands.move_ref(&pick(&branches, a)?.0, Some(pick(&branches, b)?.1))
    }),
    ("remove a ref", |hands, a, _| {
        let branches = hands.branches();
        hands.move_ref(&pick(&branches, a)?.0, None)
    }),
    ("exchange two refs", |hands, a, b| {
        let branches = hands.branches();
        let (one, other) = (pick(&branches, a)?, pick(&branches, b)?);
        hands.move_ref(&one.0, Some(other.1))?;
        hands.move_ref(&other.0, Some(one.1))
    }),
    ("move a ref back", |hands, a, b| {
        let branches = hands.branches();
        let (name, oid) = pick(&branches, a)?;
        hands.move_ref(name, Some(hands.ancestor(*oid, 1 + usize::from(b) % 4)?))
    }),
    ("move all refs back", |hands, a, _| {
        for (name, oid) in hands.branches() {
            let before = hands.ancestor(oid, 1 + usize::from(a) % 3);
            before.and_then(|before| hands.move_ref(&name, Some(before)));
        }
        Some(())
    }),
    ("bring back what a branch was", |hands, a, b| {
        let branches = hands.branches();
        let (name, oid) = pick(&branches, a)?;
        hands.bring_back(name, *oid, 1 + usize::from(b) % 4)
    }),
    ("remove all files of a note", |hands, a, _| {
        let sealed = hands.sealed();
        let (note, _) = pick(&sealed, a)?.name.split_once('.')?;
        for file in sealed.iter().filter(|file| file.name.starts_with(note)) {
            hands.edit(&file.branch, &[(&file.name, None)])?;
        }
        Some(())
    }),
    ("have a ref name another", |hands, a, b| {
        let branches = hands.branches();
        let (name, other) = (&pick(&branches, a)?.0, &pick(&branches, b)?.0);
        hands.write(name, format!("ref: {other}\n").as_bytes())
    }),
    ("make a ref", |hands, a, b| {
        let branches = hands.branches();
        let (name, oid) = pick(&branches, a)?;
        let new = [
            format!("{name}-fork-{}", "0".repeat(64)),
            "refs/tags/one".to_owned(),
            "refs/heads/notes/zz".to_owned(),
            format!("refs/heads/notes/{:02x}", b / 8 % 256),
            format!("refs/heads/keys/{:02x}", b / 8 % 256),
            "refs/remotes/origin/main".to_owned(),
            format!("refs/replace/{oid}"),
            "refs/heads/witness/nobody".to_owned(),
        ];
        hands.move_ref(pick(&new, b)?, Some(*oid))
    }),
    ("collect garbage", |hands, a, _| {
        let ways: [&[&str]; 4] = [
            &["gc", "--quiet", "--prune=now"],
            &["prune"],
            &["repack", "-a", "-d", "-q"],
            &["repack", "-d", "-q"],
        ];
        hands.git(pick(&ways, a)?)
    }),
    ("write what speeds git up", |hands, a, _| {
        let ways: [&[&str]; 3] = [
            &["commit-graph", "write", "--reachable"],
            &["multi-pack-index", "write", "--bitmap"],
            &["update-server-info"],
        ];
        hands.git(pick(&ways, a)?)
    }),
    ("pack the refs", |hands, _, _| hands.git(&["pack-refs", "--all"])),
    ("change packed refs", |hands, a, b| {
        hands.git(&["pack-refs", "--all"])?;
        let path = hands.vault.join("packed-refs");
        let text = std::fs::read_to_string(path).ok()?;
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let at = 1 + usize::from(a) % lines.len().saturating_sub(1).max(1);
        match b % 3 {
            0 => drop(lines.remove(at)),
            1 => {
                let other = lines
                    .get(1 + usize::from(b) % (lines.len() - 1))?
                    .split_at_checked(40)?
                    .0
                    .to_owned();
                let name = lines.get(at)?.split_at_checked(40)?.1.to_owned();
                lines[at] = other + &name;
            }
            _ => {
                let line = lines.get(at)?.clone();
                lines.push(line);
            }
        }
        hands.write("packed-refs", (lines.join("\n") + "\n").as_bytes())
    }),
    ("damage an object's file", |hands, a, b| {
        let loose = hands.loose();
        let path = hands.vault.join(pick(&loose, a)?);
        let content = std::fs::read(&path).ok()?;
        let other = hands.vault.join(pick(&loose, b)?);
        let content = match b % 4 {
            0 => return std::fs::remove_file(path).ok(),
            1 => content[..content.len() / 2].to_vec(),
            2 => Vec::new(),
            _ => std::fs::read(other).ok()?,
        };
        std::fs::write(path, content).ok()
    }),
    ("hide history", |hands, a, b| {
        let branches = hands.branches();
        let (name, oid) = pick(&branches, a)?;
        let files = [
            ("shallow", format!("{oid}\n")),
            ("info/grafts", format!("{oid}\n")),
            ("shallow", String::new()),
            ("info/grafts", String::new()),
            ("commondir", ".\n".to_owned()),
            ("HEAD", format!("ref: {name}\n")),
            ("HEAD", format!("{oid}\n")),
        ];
        let (path, content) = pick(&files, b)?;
        hands.write(path, content.as_bytes())
    }),
    ("borrow objects", |hands, a, _| {
        let other = hands.vault.join("lent");
        if a % 2 == 0 {
            copy(&hands.vault.join("objects"), &other);
        }
        hands.write("objects/info/alternates", format!("{}\n", other.display()).as_bytes())
    }),
    ("leave locks and drafts behind", |hands, a, b| {
        let branches = hands.branches();
        let (name, oid) = pick(&branches, a)?;
        let files = [
            (format!("{name}.lock"), String::new()),
            ("packed-refs.lock".to_owned(), String::new()),
            ("HEAD.lock".to_owned(), String::new()),
            ("strongroom.forgetting".to_owned(), format!("{name} {oid}\n")),
            ("strongroom.packing/pack-0.pack".to_owned(), "PACK".to_owned()),
            ("objects/pack/pack-0.idx".to_owned(), String::new()),
            ("objects/pack/pack-0.pack".to_owned(), "PACK".to_owned()),
            ("objects/tmp_object_git2_1".to_owned(), "x".to_owned()),
            ("objects/info/commit-graph".to_owned(), "CGPH".to_owned()),
        ];
        let (path, content) = pick(&files, b)?;
        hands.write(path, content.as_bytes())
    }),
    ("change git's settings", |hands, a, _| {
        let settings = [
            "[core]\n\tbare = false\n",
            "[core]\n\tworktree = /\n",
            "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectFormat = sha256\n",
            "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tpartialClone = origin\n",
            "[core]\n\trepositoryformatversion = 7\n",
            "[core]\n\thooksPath = /tmp\n\tfsmonitor = false\n\tignoreCase = true\n",
            "[include]\n\tpath = config\n",
            "[core\n",
            "",
        ];
        let path = hands.vault.join("config");
        let mut text = std::fs::read_to_string(&path).ok()?;
        let more = pick(&settings, a)?;
        match more.is_empty() {
            true => text.clear(),
            false => text.push_str(more),
        }
        std::fs::write(path, text).ok()
    }),
];

/// What the journal could put back, and recovery does not look at within one boot: the verifier takes it from there, and the
/// gate refuses.
const PUT_BACK: &[&str] = &["damage an object's file", "have a ref name another"];

fn tricks() -> impl Strategy<Value = Vec<Trick>> {
    let trick = (0..TRICKS.len(), any::<u16>(), any::<u16>());
    let trick = trick.prop_map(|(number, a, b)| Trick { number, a, b });
    proptest::collection::vec(trick, 1..=6)
}

fn do_tricks(tricks: &[Trick], vault: &Path) {
    for trick in tricks {
        // What is in pieces is opened by nobody any more.
        let Some(hands) = Hands::on(vault) else { return };
        let _ = TRICKS[trick.number].1(&hands, trick.a, trick.b);
    }
}

#[test]
fn the_verifier_and_the_gate_agree_whatever_is_done_with_git() {
    let house = House::new();
    let seeds: Vec<u64> = (0..2).map(|n| seed() * 1000 + n).collect();
    let cases = if is_long() { 3000 / every() as u32 } else { 10 };
    let outcomes = on_benches(&house, &seeds, |bench, seed| {
        let (config, bytes) = (Config::with_cases(cases), [seed.to_be_bytes(); 4].concat());
        let config = Config {
            failure_persistence: None,
            max_shrink_iters: 60,
            ..config
        };
        let counts = RefCell::new(BTreeMap::<Outcome, usize>::new());
        let alone = RefCell::new(Vec::new());
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
        let ran = runner.run(&(tricks(), any::<bool>()), |(tricks, remembering)| {
            let judged = bench.judge(&|vault| do_tricks(&tricks, vault), remembering);
            let outcome = judged.map_err(TestCaseError::fail)?;
            *counts.borrow_mut().entry(outcome).or_default() += 1;
            // Where the verifier finds nothing, all is given out as it was.
            let known = tricks.iter().any(|trick| PUT_BACK.contains(&TRICKS[trick.number].0));
            if outcome == Outcome::SeenByGate && !known {
                alone.borrow_mut().push(format!("{tricks:?}, {remembering}"));
            }
            Ok(())
        });
        let ran = ran.map_err(|error| match error {
            TestError::Fail(why, (tricks, remembering)) => format!("{tricks:?}, {remembering}: {why}"),
            TestError::Abort(why) => why.to_string(),
        });
        (ran, counts.into_inner(), alone.into_inner())
    });
    for (ran, counts, alone) in outcomes {
        say(&format!("git does anything: {counts:?}"));
        ran.unwrap();
        assert!(alone.is_empty(), "the gate alone sees {alone:#?}");
        // It did something, and not too much either.
        assert!(counts.contains_key(&Outcome::Seen) && counts.contains_key(&Outcome::Nothing));
    }
}
