//! Sync with other repositories, over the person's own git.
//!
//! In order: the other's branches are listed; if its logs hold anything new, all of it is fetched into a place beside the
//! vault's objects, verified and merged; then what is here and not there is pushed, all or nothing. Nothing waits for the
//! network while it holds the vault's lock. Whoever was faster with a push is fetched from again.
//!
//! A sync is no entry: it opens nothing, and what it took is seen by the next entry. An entry of its own would have to be
//! synced in turn, and two clones would never be at rest. But for one: that this device has seen what is to be destroyed,
//! once, since others wait for that.

mod fetching;

use super::audit::clone_name;
use super::beside::make_again;
use super::context::{Context, Desk, Unlocked, two_histories};
use super::error::{Error, Kind};
use super::offline::{note_exchange, time_at_least};
use super::pruning::forgotten_there;
use super::removals::{forget_removals, remember_removals};
use super::whole::still_holds;
use crate::chain::{FileRef, Problem, Time};
use crate::env::{Ended, FileError, SystemEntropy, write_new_private};
use crate::id::LogName;
use crate::ledger::{
    Elsewhere, Fate, Ledger, LedgerError, MainFate, Merged, Push, Second, catch_up, is_anything_withdrawn, note_pushed,
};
use crate::repo::{GitJob, RemoteUrl, Repo, Settings, Staging, parse_list, said};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often it is begun anew where others push at the same time, and how long is waited before, at first.
const TRIES: u32 = 6;
const PAUSE: Duration = Duration::from_millis(100);
/// How often of these where nothing had changed there when it took nothing: the push of somebody else had not ended.
const STALLS: u32 = 2;
/// How long a step may take, in seconds, where members are changed: a remote that does not answer stops nobody's removal.
const HURRIED: u64 = 20;
/// What is to be said whenever the network is in the way.
pub(super) const LATER: &str = "nothing was lost: what is recorded here goes with the next sync";

/// Something that another repository holds and should not, or does not hold and should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncProblem {
    /// The log concerned.
    pub log: Option<LogName>,
    /// The number of the case of tampering.
    pub case: Option<u8>,
    /// How bad it is; sets the exit code.
    pub kind: Kind,
    /// What was seen.
    pub message: String,
}

impl SyncProblem {
    /// Whether something that others decided may be kept back. What is wrong with somebody's log there, or stands beside, is
    /// told at a sync and stops nothing here.
    fn hides(&self) -> bool {
        // What anybody at all may put there beside the logs says nothing of them.
        self.log.is_none() && self.case != Some(31) || matches!(self.case, Some(18 | 19))
    }
}

/// What a sync with one other repository did.
#[derive(Debug, Default)]
pub struct Synced {
    /// What it is called here.
    pub remote: String,
    /// Logs that came or grew.
    pub logs: usize,
    /// The entries that came.
    pub entries: u64,
    /// Branches that were pushed.
    pub pushed: usize,
    /// Whether members and rules came that are in force now.
    pub rules: bool,
    /// Files of notes that were written to here and destroyed elsewhere.
    pub set_aside: Vec<FileRef>,
    /// What is wrong there.
    pub problems: Vec<SyncProblem>,
    /// Branches that could not be pushed, and why.
    pub held_back: Vec<(String, &'static str)>,
    /// Refs there that are no part of a vault.
    pub strays: Vec<String>,
    /// Where it is written down what the other repository showed, if anything is wrong.
    pub evidence: Option<PathBuf>,
    /// Why it was not done, or not to its end.
    pub failed: Option<Error>,
}

impl Synced {
    /// Whether what others decided may not all be here. Of that what stands beside the logs, as whoever can push may put it
    /// there, says nothing.
    fn may_be_behind(&self) -> bool {
        let wrong = self.problems.iter().any(|problem| problem.case != Some(31));
        self.failed.is_some() || !self.held_back.is_empty() || wrong
    }

    /// Of all that is wrong the worst.
    pub fn worst(&self) -> Option<Kind> {
        let turn = |kind: &Kind| match kind {
            Kind::Tampered => 2,
            Kind::Unknown => 1,
            _ => 0,
        };
        let failed = self.failed.as_ref().map(|error| error.kind);
        let held = (!self.held_back.is_empty()).then_some(Kind::Failed);
        let kinds = self
            .problems
            .iter()
            .map(|problem| problem.kind)
            .chain(failed)
            .chain(held);
        kinds.max_by_key(turn)
    }
}

/// Syncs with all remotes of the vault, or with one of them.
pub fn sync(context: &Context<'_>, only: Option<&str>) -> Result<Vec<Synced>, Error> {
    let mut remotes = context.repo()?.remotes()?;
    if let Some(only) = only {
        remotes.retain(|(name, _)| name == only);
    }
    if remotes.is_empty() {
        return Err(match only {
            Some(only) => Error::new(Kind::Usage, format!("there is no remote `{only}`"))
                .hint("`strongroom remote list` names those that there are"),
            None => Error::new(Kind::Failed, "this vault has no remote to sync with").hint(
                "`strongroom remote add URL` names one: a bare repository of your own, over ssh, https or a path",
            ),
        });
    }
    let waiting = context.newcomer_waiting()?;
    let unlocked = match &waiting {
        Some(newcomer) => context.unlock_newcomer(newcomer)?,
        None => context.unlock()?,
    };
    let mut done = Vec::new();
    for (name, url) in remotes {
        let one = Exchange::new(context, &unlocked, name, &url);
        done.push(match waiting.is_some() {
            true => one.ended(Exchange::follow),
            false => one.ended(Exchange::run),
        });
    }
    if waiting.is_some() {
        context.person.warn(match context.newcomer_waiting()? {
            Some(_) => "no lead has admitted this device yet, as far as the remotes say",
            None => "this device is admitted: its next command joins the vault",
        });
    }
    Ok(done)
}

/// One sync with one other repository.
struct Exchange<'a> {
    context: &'a Context<'a>,
    unlocked: &'a Unlocked<'a>,
    url: &'a RemoteUrl,
    /// What it is called from one time to the next.
    name: String,
    /// What it showed last.
    seen: Option<Elsewhere>,
    /// The logs that came or grew.
    came: BTreeSet<LogName>,
    /// How many seconds each step at the network may take.
    deadline: Option<u64>,
    /// The time, or the newest that is known here if the clock is behind that.
    time: Time,
    /// Whether all that it showed was verified, and is here.
    met: bool,
    /// Why nothing was taken back where it might have been, and how bad that is.
    undecided: Option<(Kind, String)>,
    /// What the person was warned of.
    warned: BTreeSet<String>,
    done: Synced,
}

/// What came of a push.
enum Pushed {
    Taken,
    /// Somebody else was faster.
    Overtaken,
    /// Nothing had changed there, and it took nothing; it may another time.
    Refused(Error),
}

/// The other repository at one moment.
struct There {
    branches: Elsewhere,
    /// Its branches with what they lead to, if anything is new.
    fetched: Option<Repo>,
    /// Whether branches of files did not come.
    in_part: bool,
    staging: Staging,
}

/// Syncs with all remotes, if there are any, before something is done that rests on what others say: a second person's
/// word may be taken back by what is new there. Where that cannot be found out, it is not done.
pub(super) fn refresh(context: &Context<'_>, unlocked: &Unlocked<'_>) -> Result<(), Error> {
    for (name, url) in unlocked.repo.remotes()? {
        let done = Exchange::new(context, unlocked, name, &url).ended(Exchange::run);
        let kind = match done.problems.iter().find(|problem| problem.hides()) {
            Some(problem) => problem.kind,
            None if done.failed.is_some() => Kind::Unknown,
            None => continue,
        };
        let why = done
            .failed
            .map_or_else(|| "something is wrong there".to_owned(), |error| error.message);
        let words = format!(
            "what others decided meanwhile cannot be seen at the remote `{}`: {why}; nothing was done",
            done.remote
        );
        return Err(Error::new(kind, words)
            .hint("what needs a second person is done where a sync is possible: `strongroom sync` says more"));
    }
    Ok(())
}

/// Syncs before members or rules are changed, and after it: of two leads who change them without knowing of each other one
/// has to make theirs again. Where it is not possible that is said, and stops nothing: somebody may have to be removed at
/// once.
pub(super) fn keep_together(context: &Context<'_>, unlocked: &Unlocked<'_>) -> Result<(), Error> {
    for (name, url) in unlocked.repo.remotes()? {
        let mut exchange = Exchange::new(context, unlocked, name, &url);
        exchange.deadline = Some(HURRIED);
        let done = exchange.ended(Exchange::run);
        if done.may_be_behind() {
            let why = done
                .failed
                .map_or_else(|| "something is wrong there".to_owned(), |error| error.message);
            let words = format!(
                "members and rules are not in step with the remote `{}`: {why}; as long as that is so, no other lead \
                 should change them",
                done.remote
            );
            if context.access.is_news(&words) {
                context.person.warn(&words);
            }
        }
    }
    Ok(())
}

/// Takes what the remotes have before a device comes back in that is no member's yet: a card that it signs beside others'
/// is of no use. Where that is not possible it is said, and stops nobody.
pub(super) fn follow_first(context: &Context<'_>, unlocked: &Unlocked<'_>) -> Result<(), Error> {
    for (name, url) in unlocked.repo.remotes()? {
        let mut exchange = Exchange::new(context, unlocked, name, &url);
        exchange.deadline = Some(HURRIED);
        let done = exchange.ended(Exchange::follow);
        if done.may_be_behind() {
            let why = done.failed.map(|error| error.message);
            let why = why.or_else(|| done.problems.into_iter().next().map(|problem| problem.message));
            context.person.warn(&format!(
                "what others changed may be missing here, since the remote `{}` was not followed: {}. If they changed members, \
                 coming back in on this clone counts nowhere else, and is to be done again on one that has all",
                done.remote,
                why.unwrap_or_default()
            ));
        }
    }
    Ok(())
}

impl<'a> Exchange<'a> {
    fn new(context: &'a Context<'a>, unlocked: &'a Unlocked<'a>, remote: String, url: &'a RemoteUrl) -> Self {
        Self {
            context,
            unlocked,
            url,
            seen: None,
            came: BTreeSet::new(),
            deadline: None,
            time: context.now(),
            met: false,
            undecided: None,
            warned: BTreeSet::new(),
            name: url.path().map_or_else(|| url.as_str().to_owned(), clone_name),
            done: Synced {
                remote,
                ..Synced::default()
            },
        }
    }

    fn git(&self, mut job: GitJob) -> Result<Ended, Error> {
        job.deadline = self.deadline;
        self.context.person.git(&job)
    }

    /// What came of it.
    fn ended(mut self, run: impl FnOnce(&mut Self) -> Result<(), Error>) -> Synced {
        self.done.failed = run(&mut self).err();
        if self.met && !self.done.problems.iter().any(SyncProblem::hides) {
            // Who cannot write it down is told so: notes may be shut here although nothing is missing.
            let noted = note_exchange(&self.unlocked.repo, self.time);
            self.done.failed = self.done.failed.take().or(noted.err());
        }
        self.keep_evidence();
        self.done
    }

    fn run(&mut self) -> Result<(), Error> {
        // What a sync that was stopped had taken back is made again first.
        match make_again(self.context, self.unlocked) {
            // What is wrong here may be put right by what comes.
            Err(error) if error.kind != Kind::Tampered => return Err(error),
            _ => {}
        }
        let mut stalls = 0;
        for attempt in 0..TRIES {
            let there = self.look()?;
            self.seen = Some(there.branches.clone());
            let mut push = self.merge(&there)?;
            if is_anything_withdrawn(&self.unlocked.state) {
                make_again(self.context, self.unlocked)?;
                push = self.merge(&there)?;
            }
            self.done.strays.clone_from(&there.branches.strays);
            self.done.held_back.clone_from(&push.held_back);
            if self.url.is_in_use() {
                push = push.into_a_clone();
            }
            if push.moves.is_empty() {
                return self.note(&push);
            }
            match self.push(&there, &push)? {
                Pushed::Taken => return self.note(&push),
                Pushed::Overtaken => {}
                Pushed::Refused(_) if stalls < STALLS => stalls += 1,
                Pushed::Refused(error) => return Err(error),
            }
            // Somebody else pushed meanwhile.
            std::thread::sleep(PAUSE * (1 << attempt));
        }
        Err(Error::new(
            Kind::Failed,
            "others keep pushing to the remote: it changed every time before this was done",
        )
        .hint(LATER))
    }

    /// Takes what is new for a device that was not admitted yet: it has written nothing, and pushes nothing.
    fn follow(&mut self) -> Result<(), Error> {
        let there = self.look()?;
        self.seen = Some(there.branches.clone());
        self.done.strays.clone_from(&there.branches.strays);
        let Some(other) = &there.fetched else { return Ok(()) };
        if there.in_part {
            return Err(of_the_remote(LedgerError::InPart));
        }
        let Unlocked { repo, identity, state } = self.unlocked;
        let take = |patience| catch_up(repo, identity, state, patience, (other, &self.name), self.context.now());
        let merged = self.context.patiently(take).map_err(of_the_remote)?;
        self.met = true;
        self.tell(merged);
        Ok(())
    }

    /// Takes what is new, and says what is to be pushed. The vault's lock is held for no longer than that.
    fn merge(&mut self, there: &There) -> Result<Push, Error> {
        let mut desk = self.desk(there)?;
        let (now, name) = (self.context.now(), self.name.clone());
        let merged = match &there.fetched {
            Some(other) => {
                desk.ledger.cut()?;
                let part = there.in_part;
                let merged = desk.ledger.merge_in_part(other, &name, part, now, &mut SystemEntropy);
                let mut merged = merged.map_err(of_the_remote)?;
                if merged.main == MainFate::Diverged {
                    match desk.ledger.second(other, &name, now).map_err(of_the_remote)? {
                        Second::Undecided(why) => self.undecided = Some((Kind::Unknown, why.to_owned())),
                        Second::Tampered(why) => self.undecided = Some((Kind::Tampered, why.to_owned())),
                        Second::Void { gone, mutual } => {
                            if let Some(by) = &mutual {
                                self.remember((&gone, by))?;
                            }
                            self.undecided = Some((Kind::Unknown, void(&gone, mutual.as_deref())));
                        }
                        // Each of the two would make theirs again upon the other's.
                        Second::MayWithdraw(_) if self.url.is_in_use() => {
                            let why =
                                "two clones that are worked in are brought together by a bare repository between them";
                            self.undecided = Some((Kind::Unknown, why.to_owned()));
                        }
                        Second::Removed { by, mutual, founder } => {
                            if mutual {
                                let me = desk.identity.handle().to_owned();
                                self.remember((&me, &by))?;
                            }
                            return Err(removed(&by, mutual, founder));
                        }
                        Second::MayWithdraw(withdrawal) => {
                            let _ = desk.ledger.withdraw(*withdrawal, now, &mut SystemEntropy)?;
                            drop(desk);
                            desk = self.desk(there)?;
                            desk.ledger.cut()?;
                            let again = desk.ledger.merge_in_part(other, &name, part, now, &mut SystemEntropy);
                            merged = again.map_err(of_the_remote)?;
                        }
                    }
                }
                if merged.main != MainFate::Diverged {
                    forget_removals(&self.unlocked.state, &self.done.remote, now)?;
                }
                Some(merged)
            }
            None => None,
        };
        desk.see_schedules()?;
        let went_back = match &merged {
            Some(_) => Vec::new(),
            None => desk.ledger.went_back(&name, &there.branches)?,
        };
        if !there.branches.is_empty() && !there.branches.has_main() {
            // Nothing can be judged there, and so nothing be pushed over it.
            let kind = match went_back.is_empty() {
                true => Kind::Failed,
                false => Kind::Tampered,
            };
            drop(desk);
            went_back
                .into_iter()
                .for_each(|problem| self.problem(Kind::Tampered, problem));
            return Err(Error::new(
                kind,
                "the remote has branches of a vault, and no `main`; nothing was merged or pushed",
            ));
        }
        let push = desk
            .ledger
            .plan_push(&there.branches, merged.as_ref(), there.fetched.as_ref())?;
        if !push.moves.is_empty() {
            desk.ledger.cut()?;
        }
        self.time = time_at_least(self.context, &self.unlocked.repo, &desk.ledger)?;
        drop(desk);
        self.met |= there.branches.has_main();
        went_back
            .into_iter()
            .for_each(|problem| self.problem(Kind::Tampered, problem));
        if let Some(merged) = merged {
            self.tell(merged);
        }
        Ok(push)
    }

    /// Starts the ledger. Where the vault is older than what this device wrote, since a backup was put back, the rest is
    /// taken from the other repository first.
    fn desk(&mut self, there: &There) -> Result<Desk<'a>, Error> {
        let Unlocked { repo, identity, state } = self.unlocked;
        let refusal = match self.unlocked.desk(self.context) {
            Err(refusal) if refusal.kind == Kind::Tampered => refusal,
            desk => return desk,
        };
        let start = |patience| Ledger::start(repo, identity, state, patience, None).map(drop);
        let behind = match self.context.patiently(start) {
            Err(LedgerError::Tampered(problem)) => matches!(problem.case, 9 | 10),
            _ => false,
        };
        let Some(other) = there.fetched.as_ref().filter(|_| behind && !there.in_part) else {
            return Err(refusal);
        };
        let take = |patience| catch_up(repo, identity, state, patience, (other, &self.name), self.context.now());
        let merged = self.context.patiently(take).map_err(of_the_remote)?;
        self.context.person.warn(
            "this vault was older than what this device wrote; the rest of its log came from the remote, and it goes on from there",
        );
        self.tell(merged);
        self.unlocked.desk(self.context)
    }

    /// Pushes, and says what came of it; an error where trying again is of no use.
    fn push(&mut self, there: &There, push: &Push) -> Result<Pushed, Error> {
        if self.url.is_in_use() {
            return Err(Error::new(
                Kind::Failed,
                "a vault that is worked in lies there, and nothing is pushed into it; what it holds was taken",
            )
            .hint("sync both with a bare repository between them: `git init --bare HUB`, then `strongroom remote add HUB`"));
        }
        if there.fetched.is_some() {
            there
                .staging
                .drop_what_is_torn(&push.forgotten, Settings::of_this_run())?;
        }
        // Before it: whoever is killed, or loses the connection, does not learn whether it was taken.
        let (state, now) = (&self.unlocked.state, self.context.now());
        forgotten_there(state, &self.done.remote, &push.forgotten, now)?;
        let job = GitJob::push(there.staging.dir(), self.url, &push.moves);
        let ended = self.git(job)?;
        if ended.succeeded {
            self.met = true;
            self.done.pushed += push.moves.len();
            return Ok(Pushed::Taken);
        }
        if list_branches(self.context, there.staging.dir(), self.url, self.deadline)? != there.branches {
            return Ok(Pushed::Overtaken);
        }
        match succeeded(&ended, "takes nothing") {
            Err(error) if may_pass(&ended) => Ok(Pushed::Refused(error)),
            refused => refused.map(|()| Pushed::Taken),
        }
    }

    fn note(&self, push: &Push) -> Result<(), Error> {
        let Unlocked { repo, identity, state } = self.unlocked;
        let note = |patience| note_pushed(repo, identity, state, patience, (&self.name, push));
        Ok(self.context.patiently(note)?)
    }

    fn problem(&mut self, kind: Kind, problem: Problem) {
        self.say(problem.log, Some(problem.case), kind, problem.message);
    }

    /// What was met before a push that came too late is met again after it, and said once.
    fn warn(&mut self, text: &str) {
        if self.warned.insert(text.to_owned()) {
            self.context.person.warn(text);
        }
    }

    /// The same of what is wrong there.
    fn say(&mut self, log: Option<LogName>, case: Option<u8>, kind: Kind, message: String) {
        let problem = SyncProblem {
            log,
            case,
            kind,
            message,
        };
        if !self.done.problems.contains(&problem) {
            self.done.problems.push(problem);
        }
    }

    /// Keeps what was seen of two leads who removed each other: the logs here do not say it.
    fn remember(&self, leads: (&str, &str)) -> Result<(), Error> {
        remember_removals(&self.unlocked.state, &self.done.remote, leads, self.context.now())
    }

    /// What became of what was fetched.
    fn tell(&mut self, merged: Merged) {
        if let Some(begun) = merged.began {
            self.warn(&two_histories(begun.log));
        }
        for name in &merged.held {
            self.warn(&still_holds(name));
        }
        for branch in &merged.witnesses {
            self.warn(&format!(
                "the remote's branch `{branch}` was not taken: it does not go on from what is here, or is no witness's"
            ));
        }
        for (log, fate) in &merged.logs {
            match fate {
                Fate::Same | Fate::Behind => {}
                Fate::Ahead { from, to } => {
                    self.came.insert(*log);
                    self.done.entries += to.saturating_sub(*from);
                }
                Fate::New(size) => {
                    self.came.insert(*log);
                    self.done.entries += size;
                }
                Fate::Diverged => {
                    let message = format!(
                        "log {log} has another history there than here: it was forked or rewritten. Both are kept, theirs \
                         as a branch `audit/{log}-fork-…` here, until a lead has looked at them"
                    );
                    self.problem(Kind::Tampered, Problem::of(*log, 17, message));
                }
                Fate::Broken(why) => {
                    let told = merged
                        .told
                        .iter()
                        .find(|problem| problem.log == Some(*log) && !is_of_files(problem));
                    let (kind, case) = match told {
                        Some(problem) => (Kind::Tampered, Some(problem.case)),
                        // What it rests on is not there yet, or was kept back.
                        None => (Kind::Unknown, None),
                    };
                    let message = format!("log {log} was left out, and all that it recorded: {why}");
                    self.say(Some(*log), case, kind, message);
                }
            }
        }
        self.done.logs = self.came.len();
        match merged.main {
            MainFate::Same | MainFate::Kept => {}
            MainFate::Taken => self.done.rules = true,
            MainFate::Diverged => {
                let (kind, why) = self.undecided.take().unwrap_or((Kind::Unknown, String::new()));
                let why = if why.is_empty() { why } else { format!(" ({why})") };
                let message = format!(
                    "members or rules were changed here and there without knowing of each other{why}: nothing was merged \
                     and nothing pushed until a lead has decided"
                );
                self.problem(kind, Problem::vault(36, message));
            }
            MainFate::Broken(why) => {
                let message = format!("members or rules there are not what its logs say is in force: {why}");
                self.problem(Kind::Tampered, Problem::vault(36, message));
            }
        }
        for problem in merged.moved_back {
            self.problem(Kind::Tampered, problem);
        }
        for problem in merged.told {
            // What is said of a log, or goes on beyond its cut, leaves nothing out.
            let beside = || self.done.problems.iter().all(|known| known.log != problem.log);
            if (problem.log.is_none() || matches!(problem.case, 11 | 14) && beside()) && !is_of_files(&problem) {
                self.problem(Kind::Tampered, problem);
            }
        }
        for (log, by, seen) in merged.withheld {
            if self.done.problems.iter().all(|problem| problem.log != Some(log)) {
                let message = format!(
                    "entry {by} has seen {seen} entries of log {log}, and the remote does not show as many: it stands \
                     still, or keeps something back"
                );
                self.problem(Kind::Unknown, Problem::of(log, 19, message));
            }
        }
        for file in merged.set_aside {
            if !self.done.set_aside.contains(&file) {
                self.done.set_aside.push(file);
            }
        }
    }

    /// Writes down what the other repository showed, where anything is wrong with it.
    fn keep_evidence(&mut self) {
        let Some(seen) = self.seen.take().filter(|_| !self.done.problems.is_empty()) else {
            return;
        };
        let (folder, text) = (self.unlocked.state.join("refused"), seen.to_text());
        let name = format!("{}-{}", self.context.now().unix(), self.done.remote);
        // Another of this second has the name already. No remote's has a full stop.
        let places = (1u32..).map(|turn| match turn {
            1 => folder.join(&name),
            _ => folder.join(format!("{name}.{turn}")),
        });
        let mut tried = places.map(|place| (write_new_private(&place, text.as_bytes()), place));
        match tried.find(|(written, _)| !matches!(written, Err(FileError::Exists(_)))) {
            Some((Err(error), _)) => {
                let warning = format!("what the remote showed could not be written down: {error}");
                self.context.person.warn(&warning);
            }
            written => self.done.evidence = written.map(|(_, place)| place),
        }
    }
}

/// Why what a former member changed in their own clone is in force nowhere else.
fn void(gone: &str, mutual: Option<&str>) -> String {
    match mutual {
        Some(by) => format!(
            "{gone} took the membership from {by} at the same time as {by} from {gone}: what the others had first stands, and \
             who founded the vault decides whether it is to stay so"
        ),
        None => format!("what was changed there was signed by {gone}, who is no member any more"),
    }
}

/// What is said to a lead whose membership was taken by what reached the others first.
fn removed(by: &str, mutual: bool, founder: bool) -> Error {
    let too = match mutual {
        true => format!(", and you had taken the membership from {by}"),
        false => String::new(),
    };
    let error = Error::new(
        Kind::Denied,
        format!(
            "by the members there you, or this device, are none any more: {by} has signed that at the same time as you \
             changed members or rules here{too}; what came first stands, and nothing was merged or pushed"
        ),
    );
    match founder {
        true => error
            .hint("you founded this vault: whoever is a lead there still can admit you anew (`strongroom member request`)")
            .hint("where nobody is, this vault is whole as it is: push it to a repository of its own, and tell the others"),
        false => error.hint(
            "tell who founded the vault, who decides: they admit you anew (`strongroom member request`), or it stays so",
        ),
    }
}

/// Whether another push that was on its way at that moment may be why nothing was taken: the other repository was about to
/// take it, branch by branch, and none of its hooks has said no.
fn may_pass(ended: &Ended) -> bool {
    let said = String::from_utf8_lossy(&ended.output);
    let mut refused = said.lines().filter(|line| line.starts_with("!\t")).peekable();
    !ended.stopped && refused.peek().is_some() && refused.all(|line| !line.contains("hook declined"))
}

/// An error of a merge, where it is about the other repository alone.
fn of_the_remote(error: LedgerError) -> Error {
    match error {
        LedgerError::OtherVault => Error::new(
            Kind::Failed,
            "the remote holds another vault; nothing was merged or pushed",
        )
        .hint("`strongroom remote list` says which repository that is"),
        LedgerError::InPart => Error::new(
            Kind::Unknown,
            format!("{}; nothing was merged or pushed", LedgerError::InPart),
        )
        .hint(LATER),
        LedgerError::NotAVault(why) => Error::new(Kind::Failed, format!("the remote is no vault's: {why}"))
            .hint("nothing was pushed: a repository that is to take a vault has to be empty"),
        error => error.into(),
    }
}

/// Whether the verifier says it of files, of what is missing and of kept histories, or of witnesses: that stands beside.
fn is_of_files(problem: &Problem) -> bool {
    matches!(problem.case, 8 | 10 | 31 | 32 | 33 | 34 | 37 | 43)
}

/// The branches of another repository, as it lists them.
pub(super) fn list_branches(
    context: &Context<'_>,
    dir: &Path,
    url: &RemoteUrl,
    deadline: Option<u64>,
) -> Result<Elsewhere, Error> {
    let mut job = GitJob::list(dir, url);
    job.deadline = deadline;
    let ended = context.person.git(&job)?;
    succeeded(&ended, "cannot be reached")?;
    let listed = parse_list(&ended.output);
    Ok(Elsewhere::sort(listed.map_err(|bad| {
        Error::new(Kind::Failed, format!("the remote is no vault's: {bad}"))
    })?))
}

/// An error where not all came.
pub(super) fn fetched(ended: &Ended, room: u64) -> Result<(), Error> {
    if ended.stopped {
        let words = format!(
            "what the remote sends does not fit this disk (more than {} MiB), or takes too long",
            room >> 20
        );
        return Err(Error::new(Kind::Failed, words)
            .hint("nothing of it was kept; make room, or ask whoever runs the remote what lies there"));
    }
    succeeded(ended, "cannot be fetched from")
}

/// It cannot be told how much may come.
pub(super) fn no_room(error: std::io::Error) -> Error {
    Error::new(
        Kind::Failed,
        format!("it cannot be told how much room there is: {error}"),
    )
}

/// An error with what git said, where it did not do it.
fn succeeded(ended: &Ended, what: &str) -> Result<(), Error> {
    match (ended.succeeded, ended.stopped) {
        (true, _) => Ok(()),
        (_, true) => {
            let words = "the remote sends more than any vault has, or does not answer; it was stopped";
            Err(Error::new(Kind::Failed, words).hint(LATER))
        }
        _ => {
            let said = said(&ended.errors);
            Err(Error::new(Kind::Failed, format!("the remote {what}: {said}")).hint(LATER))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_push_may_have_stopped_is_told_from_what_stays_refused() {
        let ended = |output: &str| Ended {
            succeeded: false,
            stopped: false,
            output: output.as_bytes().to_vec(),
            errors: Vec::new(),
        };
        let said = |why: &str| format!("To hub\n!\tx:refs/heads/main\t[remote rejected] ({why})\nDone\n");
        assert!(may_pass(&ended(&said("atomic transaction failed"))));
        assert!(may_pass(&ended(&said("failed to update ref"))));
        for no in ["", "To hub\n", &said("pre-receive hook declined")] {
            assert!(!may_pass(&ended(no)), "{no}");
        }
    }
}
