//! What stands in the way of a vault, and what to do about it. Needs no identity; writes only what it is asked to mend.

mod mend;
#[cfg(test)]
mod tests;

use super::audit::{local_state, mark_of, verify};
use super::context::{Context, other_vault};
use super::error::{Error, Kind};
use super::held::agent_socket;
use super::offline::caps_of;
use super::pruning::unpruned;
use super::removals::removals;
use super::vault::half_made;
use crate::chain::Problem;
use crate::env::{Buffer, Space, Wire, check_writable, is_mine, is_open_to_others};
use crate::id::{DeviceId, LogName, VaultId};
use crate::ledger::{Accepted, HighWater, LedgerError, Report, Verdict, stray_refs, vault_id};
use crate::repo::{AT_ONCE, Health, JournalError, OpenError, RecoverError, Remains, Repo, Settings, Stray};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// The way out where git holds all that counts and the folder around it cannot be used.
fn by_a_clone(vault: &Path) -> String {
    format!(
        "git may hold all of it: `git clone --mirror {} NEW`, `strongroom doctor --vault NEW --mend`; if that calls the log \
         intact, go on with NEW and keep the old folder for a while",
        vault.display()
    )
}

/// How much a finding matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// As it should be.
    Fine,
    /// Worth a look; work goes on.
    Look,
    /// In the way of work, or not to be trusted.
    Wrong,
}

/// One thing that was looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What, in one word.
    pub about: &'static str,
    /// How much it matters.
    pub level: Level,
    /// What kind of wrong it is, where it is wrong.
    pub kind: Option<Kind>,
    /// What was seen.
    pub words: String,
    /// What to do, a line each.
    pub advice: Vec<String>,
    /// Whether mending does it.
    pub mendable: bool,
}

impl Finding {
    /// What was seen elsewhere.
    pub fn seen(about: &'static str, level: Level, words: impl Into<String>) -> Self {
        Self::new(about, level, None, words)
    }

    fn new(about: &'static str, level: Level, kind: Option<Kind>, words: impl Into<String>) -> Self {
        Self {
            about,
            level,
            kind,
            words: words.into(),
            advice: Vec::new(),
            mendable: false,
        }
    }

    fn fine(about: &'static str, words: impl Into<String>) -> Self {
        Self::new(about, Level::Fine, None, words)
    }

    fn look(about: &'static str, words: impl Into<String>) -> Self {
        Self::new(about, Level::Look, None, words)
    }

    fn wrong(about: &'static str, kind: Kind, words: impl Into<String>) -> Self {
        Self::new(about, Level::Wrong, Some(kind), words)
    }

    fn of(about: &'static str, error: Error) -> Self {
        let found = Self::wrong(about, error.kind, error.message);
        error.hints.into_iter().fold(found, Self::advise)
    }

    fn advise(mut self, what: impl Into<String>) -> Self {
        self.advice.push(what.into());
        self
    }

    fn mendable(mut self) -> Self {
        self.mendable = true;
        self
    }
}

/// What was found, and what was done about it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Checkup {
    /// All that was looked at; after mending, as it stands then.
    pub findings: Vec<Finding>,
    /// What was mended, a line each.
    pub mended: Vec<String>,
}

impl Checkup {
    /// Of all that is wrong the worst: tampering, then what cannot be told, then anything else.
    pub fn worst(&self) -> Option<Kind> {
        let turn = |kind: &Kind| match kind {
            Kind::Tampered => 2,
            Kind::Unknown => 1,
            _ => 0,
        };
        let kinds = self.findings.iter().filter_map(|finding| finding.kind);
        kinds.max_by_key(turn).map(|kind| match kind {
            Kind::Tampered | Kind::Unknown => kind,
            _ => Kind::Failed,
        })
    }

    fn can_be_mended(&self) -> bool {
        self.findings.iter().any(|finding| finding.mendable)
    }
}

/// Looks at a vault and what belongs to it on this computer, and mends, if asked to, what loses no evidence.
pub fn doctor(context: &Context<'_>, mend: bool) -> Checkup {
    let seen = look(context);
    if !mend || !seen.can_be_mended() {
        return seen;
    }
    let mut mended = Vec::new();
    let moved_back = |finding: &Finding| finding.mendable && finding.kind == Some(Kind::Tampered);
    let mut failed = None;
    let mut seen = seen;
    if seen.findings.iter().any(moved_back) {
        failed = mend::put_back(context, &mut mended).err();
        seen = look(context);
    }
    let tampered = seen.worst() == Some(Kind::Tampered);
    failed = failed.or_else(|| mend::mend_all(context, tampered, &mut mended).err());
    let mut findings = look(context).findings;
    findings.extend(failed.map(|error| Finding::of("mending", error)));
    Checkup { findings, mended }
}

fn look(context: &Context<'_>) -> Checkup {
    let place = context.places.vault();
    let mut findings = vec![];
    let mut vault = None;
    match Repo::open_to_verify(&place, Settings::of_this_run()) {
        Ok(repo) => {
            vault = vault_id(&repo).ok();
            findings.push(whose(&repo, &place));
            findings.push(judge_oddities(&repo));
            findings.extend(look_at_journal(&repo));
            findings.extend(look_at_log(context, vault));
            // Where refs cannot be read at all, that is said of the log.
            findings.extend(judge_strays(&stray_refs(&repo).unwrap_or_default(), &place));
            findings.extend(look_at_files(&repo));
            findings.push(look_at_identity(context, &repo));
            findings.extend(vault.map(|vault| look_at_memory(context, vault)));
            findings.extend(vault.into_iter().flat_map(|vault| look_at_removals(context, vault)));
            findings.extend(look_at_caps(context, &repo));
            findings.extend(
                vault
                    .into_iter()
                    .flat_map(|vault| look_at_stores(context, vault, &repo)),
            );
        }
        Err(error) => {
            let missing = matches!(error, OpenError::Missing(_));
            let half = half_made(&place).filter(|_| missing);
            let found = Finding::of("vault", error.into());
            findings.push(match half {
                None => found,
                Some(half) => found.advise(format!(
                    "a program that was interrupted left `{}`: if that was `init`, move the folder to `{}`",
                    half.display(),
                    place.display()
                )),
            });
        }
    }
    findings.push(judge_open(&open_places(context, vault)));
    findings.push(look_at_agent(context));
    findings.extend(look_at_space(context, vault));
    findings.push(judge_texts(Buffer::left().len()));
    Checkup {
        findings,
        mended: Vec::new(),
    }
}

/// Leads who removed each other, as a sync of this device showed.
fn look_at_removals(context: &Context<'_>, vault: VaultId) -> Vec<Finding> {
    let state = local_state(context, vault);
    let known = state.map_or_else(|| Ok(Vec::new()), |state| removals(&state, context.now()));
    match known {
        Ok(known) => known
            .iter()
            .map(|known| {
                Finding::look("members", known.in_words()).advise(
                    "whoever was removed and is to stay asks anew (`strongroom member request`), is admitted, and removes the \
                     other; until then what they record reaches nobody",
                )
            })
            .collect(),
        Err(error) => vec![Finding::of("members", error)],
    }
}

/// Caps on the time offline that are over or soon are. Where the vault cannot be read, that is said of the log.
fn look_at_caps(context: &Context<'_>, repo: &Repo) -> Vec<Finding> {
    let caps = caps_of(repo, context.now()).unwrap_or_default();
    let told = caps.iter().map(|cap| Finding::look("offline", cap.in_words()));
    told.map(|finding| finding.advise("`strongroom sync` where there is a network"))
        .collect()
}

/// Whether this user can work in the vault's folder.
fn whose(repo: &Repo, place: &Path) -> Finding {
    judge_vault(
        place,
        is_mine(place).unwrap_or(false),
        first_unwritable(repo.written_places()),
    )
}

fn judge_vault(place: &Path, mine: bool, unwritable: Option<(PathBuf, io::Error)>) -> Finding {
    let at = place.display();
    let theirs = "it belongs to another user of this computer";
    match unwritable {
        Some((path, why)) => {
            let words = format!(
                "you may not write to `{}`, so nothing can be recorded: {why}",
                path.display()
            );
            let found = Finding::wrong("vault", Kind::Failed, words);
            match mine {
                true => found.advise(format!(
                    "`chmod -R u+rwX {at}`; a disk that may only be read must be mounted to be written"
                )),
                false => found.advise(format!("{theirs}: work in a copy of your own and name it with --vault")),
            }
        }
        None if mine => Finding::fine("vault", format!("it lies at `{at}`")),
        None => Finding::look("vault", format!("`{at}`: {theirs}"))
            .advise("whoever owns it can change it; work in a copy of your own if that was not meant"),
    }
}

/// The first of these that this user, or anybody, may not write to.
fn first_unwritable(places: Vec<PathBuf>) -> Option<(PathBuf, io::Error)> {
    places.into_iter().find_map(|path| match check_writable(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Some((path, error)),
        _ => None,
    })
}

fn judge_oddities(repo: &Repo) -> Finding {
    let oddities = repo.oddities();
    match oddities.is_empty() {
        true => Finding::fine("history", "nothing in git hides, replaces or borrows parts of it"),
        false => Finding::of("history", OpenError::Odd(oddities).into()).advise(
            "no command works here as long as that is so; make a full clone from where this one came (`git clone --mirror`), \
             and if you did not do this yourself, keep a copy of the folder and tell a lead",
        ),
    }
}

/// Journal and refs, what was begun to be forgotten.
fn look_at_journal(repo: &Repo) -> Vec<Finding> {
    let mut findings = judge_journal(repo.health(), repo.dir());
    if repo.is_forgetting() {
        let words = "something was destroyed or relabelled, and may not yet be gone from this disk";
        findings.push(Finding::look("forgetting", words).mendable());
    }
    findings
}

fn judge_journal(health: Result<Health, RecoverError>, vault: &Path) -> Vec<Finding> {
    let health = match health {
        Ok(health) => health,
        Err(RecoverError::Journal(JournalError::Missing)) => {
            let words =
                "there is no journal: this is a clone, or somebody removed it; nothing can be recorded without one";
            return vec![Finding::wrong("journal", Kind::Failed, words).mendable()];
        }
        Err(error @ RecoverError::Journal(JournalError::Bad(_))) => {
            let found = Finding::wrong("journal", Kind::Failed, error.to_string());
            let keep = "keep a copy of the vault's folder as it is";
            return vec![found.advise(keep).advise(by_a_clone(vault))];
        }
        Err(error) => return vec![Finding::of("journal", LedgerError::from(error).into())],
    };
    let that = |how: Stray| -> Vec<&str> {
        let strayed = health.strayed.iter().filter(|(_, stray)| *stray == how);
        strayed.map(|(name, _)| name.as_str()).collect()
    };
    let strange = that(Stray::Unknown);
    if !strange.is_empty() {
        let words = format!(
            "moved by another program to a place that the journal does not know: {}",
            strange.join(", ")
        );
        let found = Finding::wrong("journal", Kind::Tampered, words)
            .advise("if you fetched or pushed into the vault with git, that is why; otherwise keep a copy of the folder and tell a lead");
        return vec![found.advise(by_a_clone(vault))];
    }
    let moved_back = that(Stray::MovedBack);
    if !moved_back.is_empty() {
        let words = format!(
            "moved back or removed since the last command, by another program or a disk that lost what it had not written: \
             {}; nothing is lost, the journal has it",
            moved_back.join(", ")
        );
        let found = Finding::wrong("journal", Kind::Tampered, words);
        return vec![found.advise("find out how it came; then put it back").mendable()];
    }
    if !health.is_due() {
        return vec![Finding::fine("journal", "it is whole, and git stands where it says")];
    }
    let mut why = Vec::new();
    if health.unfinished {
        why.push("the last operation is recorded and not yet finished in git".to_owned());
    }
    if health.restarted {
        why.push("the computer was started anew since it was last emptied".to_owned());
    }
    if health.lost {
        why.push("git has lost some of what it holds, or another program removed it; nothing is lost".to_owned());
    }
    if !health.strayed.is_empty() {
        let names: Vec<&str> = health.strayed.iter().map(|(name, _)| name.as_str()).collect();
        why.push(format!("not where it left them: {}", names.join(", ")));
    }
    let words = format!("it has something to recover: {}", why.join("; "));
    let found = Finding::look("journal", words).mendable();
    // A start looks at the last operation alone.
    match health.lost && !health.unfinished && !health.restarted {
        true => vec![found],
        false => vec![found.advise("the next command does it by itself")],
    }
}

/// Refs that no vault has: where the verdict names them, what to do is said here.
fn judge_strays(strays: &[String], vault: &Path) -> Option<Finding> {
    let names: Vec<String> = strays.iter().take(NAMED_MAX).map(|name| format!("`{name}`")).collect();
    let names = match strays.len().checked_sub(NAMED_MAX) {
        None if strays.is_empty() => return None,
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names.join(", ")),
    };
    let found = Finding::look(
        "refs",
        format!("not of the vault, and made with git or another program: {names}"),
    )
    .advise("nothing of the vault depends on them; if nobody here made them, tell a lead")
    .advise("keep a copy of the vault's folder, then take them away:");
    let vault = in_a_shell(&vault.display().to_string());
    let away = strays.iter().take(NAMED_MAX);
    // One that is told by its bytes a shell can be told by them too.
    let word = |name: &String| match name.contains('\\') {
        true => format!("$'{}'", name.replace('\'', r"\'")),
        false => in_a_shell(name),
    };
    let away = away.map(|name| format!("git --git-dir {vault} update-ref -d {}", word(name)));
    Some(away.fold(found, Finding::advise))
}

/// A word as a shell takes it for itself alone.
fn in_a_shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    match word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// The verdict of `audit verify`, and what follows from it for this device.
fn look_at_log(context: &Context<'_>, vault: Option<VaultId>) -> Vec<Finding> {
    let report = match verify(context, None, &[], None, false) {
        Ok(report) => report,
        Err(error) => return vec![Finding::of("log", error)],
    };
    let mark = vault.and_then(|vault| mark_of(context, vault).ok().flatten());
    let own = context.identity_file().ok().map(|file| file.device);
    let mut findings = vec![judge_report(&report)];
    findings.extend(mark.as_ref().and_then(|mark| judge_copy(&report, mark)));
    findings.extend(judge_forks(&report));
    findings.extend(judge_set_aside(&report, own.or(mark.map(|mark| mark.log.device))));
    findings
}

fn judge_report(report: &Report) -> Finding {
    let first = |problems: &[Problem]| {
        let more = match problems.len() + report.unlisted.values().sum::<usize>() {
            0 | 1 => String::new(),
            n => format!(" (and {} more)", n - 1),
        };
        problems
            .first()
            .map_or_else(String::new, |problem| format!(": {}{more}", problem.message))
    };
    match report.verdict {
        Verdict::Intact => {
            let from = if report.anchored {
                ", as far as this device remembers"
            } else {
                ", unanchored: nothing from outside was there to compare it with"
            };
            Finding::fine(
                "log",
                format!(
                    "`audit verify` calls it intact: {} in {}{from}",
                    entries(report.entries),
                    logs(report.logs.len())
                ),
            )
        }
        Verdict::Tampered => Finding::wrong(
            "log",
            Kind::Tampered,
            format!("`audit verify` calls it tampered{}", first(&report.problems)),
        )
        .advise(
            "`strongroom audit verify` has all of it; keep a copy of the vault's folder before you change anything",
        )
        .advise("if a disk failed and another clone or a backup is whole, go on with that: `strongroom doctor --vault CLONE`"),
        Verdict::Unknown => Finding::wrong(
            "log",
            Kind::Unknown,
            format!("`audit verify` cannot tell{}", first(&report.unknown)),
        )
        .advise("`strongroom audit verify` has all of it"),
    }
}

fn entries(count: u64) -> String {
    format!("{count} {}", if count == 1 { "entry" } else { "entries" })
}

fn logs(count: usize) -> String {
    format!("{count} {}", if count == 1 { "log" } else { "logs" })
}

/// Whether this copy holds less of the own log than this device wrote.
fn judge_copy(report: &Report, mark: &HighWater) -> Option<Finding> {
    let held = report
        .logs
        .iter()
        .find(|(log, _, _)| *log == mark.log)
        .map_or(0, |(_, size, _)| *size);
    (held < mark.size).then(|| {
        let words = format!("this device wrote {} and {held} of them are here: an older copy, a backup put back, or a log cut off", entries(mark.size));
        Finding::wrong("copy", Kind::Tampered, words)
            .advise(
                "if a remote or another clone has more: `strongroom sync` brings it; `strongroom remote add` names what is not yet \
                 a remote",
            )
            .advise("if there is none: move the identity away and come in anew with the printed key, `strongroom recovery use`; what came after the backup is lost")
            .advise("if nobody put anything back: keep a copy of the folder and tell a lead")
    })
}

fn judge_forks(report: &Report) -> Vec<Finding> {
    let all = report.problems.iter().chain(&report.findings);
    let forked: BTreeSet<LogName> = all
        .filter(|problem| problem.case == 43)
        .filter_map(|problem| problem.log)
        .collect();
    let words = |log| format!("log {log} has two histories, and both are kept");
    let found = |log| {
        Finding::look("fork", words(log)).advise(
            "its device goes on in a new log at its next command; a lead looks at both and says so with `strongroom member \
             rejoin`. If no backup was put back, somebody else has that device's key",
        )
    };
    forked.into_iter().map(found).collect()
}

/// Logs of others that nobody builds on. The own log's faults are in the verdict.
fn judge_set_aside(report: &Report, own: Option<DeviceId>) -> Vec<Finding> {
    let broken = report.problems.iter().filter(|problem| problem.case != 43);
    let aside: BTreeSet<LogName> = broken
        .filter_map(|problem| problem.log)
        .filter(|log| Some(log.device) != own)
        .collect();
    let found = |log| {
        Finding::look(
            "set aside",
            format!("log {log} is not this device's and cannot be trusted: work goes on without what it recorded"),
        )
        .advise("get that log anew from a clone that its device knows to be whole")
    };
    aside.into_iter().map(found).collect()
}

/// What lies in the folder beside what counts.
fn look_at_files(repo: &Repo) -> Vec<Finding> {
    let mut findings = Vec::new();
    match repo.remains() {
        Ok(remains) => findings.extend(judge_remains(&remains)),
        Err(error) => findings.push(Finding::wrong(
            "remains",
            Kind::Failed,
            format!("the folder cannot be looked through: {error}"),
        )),
    }
    findings.push(match repo.count_objects() {
        Ok((loose, packs)) => judge_objects(loose, packs),
        Err(error) => Finding::of("objects", error.into()),
    });
    findings.extend(half_made(repo.dir()).map(|path| {
        Finding::look(
            "remains",
            format!("an `init` or `restore` that was interrupted left `{}`", path.display()),
        )
        .advise("it may hold a vault: look into it with --vault before you remove it")
    }));
    findings
}

fn judge_remains(remains: &Remains) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !remains.half_written.is_empty() {
        let words = format!(
            "programs that died left half-written files: {}",
            names(&remains.half_written)
        );
        findings.push(Finding::look("remains", words).mendable());
    }
    if !remains.ref_locks.is_empty() {
        let words = format!(
            "locks of git's stand in the way of its branches: {}",
            names(&remains.ref_locks)
        );
        findings.push(Finding::look("remains", words).advise(
            "the next command removes its own; if others stay and no git is running in the vault, remove them",
        ));
    }
    findings
}

/// The most files that are named.
const NAMED_MAX: usize = 3;

fn names(paths: &[PathBuf]) -> String {
    let shown = paths.iter().take(NAMED_MAX);
    let shown: Vec<String> = shown
        .map(|path| path.file_name().unwrap_or_default().to_string_lossy().into_owned())
        .collect();
    match paths.len().saturating_sub(NAMED_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn judge_objects(loose: usize, packs: usize) -> Finding {
    // Not how many there are: the same vault says the same until something is to be done.
    match loose >= *AT_ONCE.start() {
        true => Finding::look(
            "objects",
            format!("{loose} objects have a file each: that makes searches slow and copies large"),
        )
        .advise("an unlocked vault's agent packs them while nobody waits")
        .mendable(),
        false if packs > 50 => Finding::look("objects", format!("there are {packs} packs: that makes searches slow"))
            .advise("stock git makes one of them: `git -C VAULT gc`"),
        false => Finding::fine("objects", "there are few enough files"),
    }
}

fn look_at_identity(context: &Context<'_>, repo: &Repo) -> Finding {
    match context.identity_file() {
        Err(error) if error.kind == Kind::Locked => {
            let found = Finding::look("identity", error.message);
            error
                .hints
                .into_iter()
                .fold(found, Finding::advise)
                .advise("an auditor who only verifies needs none")
        }
        Err(error) => Finding::of("identity", error)
            .advise("make it readable for yourself, put back your copy of it, or come in anew with the printed key, `strongroom recovery use`"),
        Ok(file) => match other_vault("identity", file.vault, repo) {
            Err(error) => Finding::of("identity", error),
            Ok(()) => Finding::fine(
                "identity",
                format!("it is there and for this vault, as device {}", file.device),
            ),
        },
    }
}

/// What this computer remembers of the vault.
/// Other stores that may still hold what was destroyed.
fn look_at_stores(context: &Context<'_>, vault: VaultId, repo: &Repo) -> Vec<Finding> {
    let Some(state) = local_state(context, vault) else {
        return Vec::new();
    };
    let stores = match unpruned(&state) {
        Ok(stores) => stores,
        Err(error) => return vec![Finding::of("stores", error)],
    };
    let remotes = repo.remotes().unwrap_or_default();
    let url = |name: &str| remotes.iter().find(|(known, _)| known == name).map(|(_, url)| url);
    let holds = stores
        .into_iter()
        .filter(|store| url(&store.remote).is_none_or(|url| store.has_pruned(url) != Some(true)));
    let told = holds.map(|store| {
        let name = &store.remote;
        let words = format!(
            "the remote `{name}` has not confirmed that it pruned: what was destroyed or wrapped anew up to {} may still lie on \
             its disk",
            store.since
        );
        Finding::look("stores", words)
            .advise("`git gc --prune=now` there, while nobody pushes, takes it off")
            .advise(format!("then, where that cannot be seen from here: `strongroom doctor --pruned {}`", in_a_shell(name)))
    });
    told.collect()
}

fn look_at_memory(context: &Context<'_>, vault: VaultId) -> Finding {
    let states = context.places.states(&vault);
    let several = match states.len() {
        0 | 1 => String::new(),
        n => format!("; {n} identities on this computer remember it"),
    };
    let Some(state) = local_state(context, vault) else {
        let words = match states.is_empty() {
            true => {
                "this computer remembers nothing of this vault, so a vault put back from a copy would not be noticed"
                    .to_owned()
            }
            false => format!("which of them is meant is not known{several}"),
        };
        return Finding::look("memory", words)
            .advise("name the identity with --identity; it remembers from its next command on");
    };
    let kept = ["", "high-water", "accepted"].map(|name| state.join(name)).into();
    if let Some((path, why)) = first_unwritable(kept) {
        let words = format!(
            "this device cannot keep what it remembers in `{}`: {why}",
            path.display()
        );
        return Finding::wrong("memory", Kind::Failed, words)
            .advise("make it writable: nothing is recorded without it");
    }
    match (mark_of(context, vault), Accepted::read_unauthenticated(&state)) {
        (Err(error), _) => Finding::of("memory", error),
        (_, Err(error)) => Finding::of("memory", error.into()),
        (Ok(None), _) => Finding::look("memory", format!("this device remembers nothing of its log{several}"))
            .advise("it does from its next command on; compare with a receipt whether something was cut off before"),
        (Ok(Some(mark)), Ok(accepted)) => {
            let heads = match accepted.map_or(0, |accepted| accepted.all().count()) {
                0 => String::new(),
                n => format!(", and of other clones where {} ended", logs(n)),
            };
            Finding::fine(
                "memory",
                format!(
                    "this device remembers that it wrote {}{heads}{several}",
                    entries(mark.size)
                ),
            )
        }
    }
}

/// This user's own files and folders that others on this computer may enter or read.
fn open_places(context: &Context<'_>, vault: Option<VaultId>) -> Vec<PathBuf> {
    let places = &context.places;
    let own = |file: PathBuf| file.parent().map(Path::to_owned);
    let mut all = vec![places.vault(), places.identity(), places.runtime()];
    all.extend(own(places.witness()));
    all.extend(vault.map(|vault| places.vault_state(&vault)).and_then(own));
    all.extend(vault.map(|vault| places.vault_state(&vault)));
    all.extend(vault.into_iter().flat_map(|vault| places.states(&vault)));
    all.retain(|path| is_open_to_others(path).unwrap_or(false) && is_mine(path).unwrap_or(false));
    all
}

fn judge_open(open: &[PathBuf]) -> Finding {
    if open.is_empty() {
        return Finding::fine("permissions", "vault, identity and state are closed to others");
    }
    let open: Vec<String> = open.iter().map(|path| format!("`{}`", path.display())).collect();
    let words = format!("other users of this computer may enter or read {}", open.join(", "));
    Finding::look("permissions", words)
        .advise("they see what is in clear, and can guess at the passphrase if it is the identity")
        .mendable()
}

fn look_at_agent(context: &Context<'_>) -> Finding {
    let socket = agent_socket(&context.places);
    match Wire::connect(&socket) {
        Ok(Some(_)) => Finding::fine("agent", "one is running: the vault is unlocked"),
        Ok(None) if socket.exists() => Finding::look("agent", "an agent that died left its socket").mendable(),
        Ok(None) => Finding::fine("agent", "none is running: every command asks for the passphrase"),
        Err(error) => Finding::wrong("agent", Kind::Failed, error.to_string())
            .advise("if you did not do this yourself, ask who else uses this computer before you remove it"),
    }
}

fn look_at_space(context: &Context<'_>, vault: Option<VaultId>) -> Vec<Finding> {
    let state = vault.map(|vault| context.places.vault_state(&vault));
    let places = [
        ("the vault", Some(context.places.vault())),
        ("this device's state", state),
    ];
    let spaces = places
        .into_iter()
        .filter_map(|(what, place)| Some((what, Space::at(&place?).ok()?)));
    told_once(spaces.map(|(what, space)| judge_space(what, &space)).collect())
}

/// That the disks have room is said where none of them lacks it, and once.
fn told_once(mut findings: Vec<Finding>) -> Vec<Finding> {
    match findings.iter().any(|found| found.level != Level::Fine) {
        true => findings.retain(|found| found.level != Level::Fine),
        false => findings.truncate(1),
    }
    findings
}

fn judge_space(what: &str, space: &Space) -> Finding {
    let mebibytes = space.free >> 20;
    if space.free < 1 << 20 {
        let words = format!("the disk that holds {what} is full: nothing can be recorded, and so nothing be read");
        return Finding::wrong("space", Kind::Failed, words).advise("make room; nothing was lost");
    }
    match space.is_scarce() {
        true => Finding::look(
            "space",
            format!("the disk that holds {what} is nearly full: {mebibytes} MiB free"),
        )
        .advise("make room before nothing can be recorded any more"),
        false => Finding::fine("space", "the disks have room"),
    }
}

fn judge_texts(count: usize) -> Finding {
    match count {
        0 => Finding::fine("texts", "no editor left a text in memory"),
        n => Finding::look(
            "texts",
            format!(
                "texts that editors left in memory, in clear: {n}; the next command that unlocks their vault seals them"
            ),
        ),
    }
}
