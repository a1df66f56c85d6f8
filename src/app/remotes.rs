//! The other repositories of a vault, and a vault that begins as a copy of one.

use super::audit::mark_of;
use super::backup::{CheckedBackup, judge};
use super::context::Context;
use super::error::{Error, Kind};
use super::offline::note_exchange;
use super::sync::{LATER, fetched, list_branches, no_room};
use super::vault::{move_into_place, refuse_occupied};
use crate::id::{BadFingerprint, Digest, Fingerprint, VaultId};
use crate::ledger::{LedgerError, Verdict, is_witness, vault_id};
use crate::repo::{CreateError, GitJob, Lock, PATIENCE, RemoteUrl, Repo, Settings, room_for_arrivals};
use std::path::{Path, PathBuf};

/// What a remote is called if nothing is said.
pub const ORIGIN: &str = "origin";

/// The address that a person typed: a path becomes a full one, so that it means the same from every folder.
fn address(typed: &str) -> Result<RemoteUrl, Error> {
    if typed.is_empty() || typed.starts_with('-') || !RemoteUrl::is_path(typed) {
        return Ok(RemoteUrl::parse(typed)?);
    }
    let full = std::path::absolute(typed)
        .map_err(|error| Error::new(Kind::Usage, format!("`{typed}` cannot be made a full path: {error}")))?;
    let full = full.canonicalize().unwrap_or(full);
    let text = full.to_str();
    let text = text.ok_or_else(|| Error::new(Kind::Usage, "the path of a remote has to be UTF-8 text"))?;
    Ok(RemoteUrl::parse(text)?)
}

/// Adds a repository to sync with. It is not reached for yet.
pub fn add_remote(context: &Context<'_>, name: &str, url: &str) -> Result<RemoteUrl, Error> {
    let repo = context.repo()?;
    let url = address(url)?;
    let own = url.path().and_then(|path| path.canonicalize().ok());
    if own.as_deref() == Some(repo.dir()) {
        return Err(Error::new(Kind::Usage, "that is this vault itself"));
    }
    let _lock = context.patiently(|patience| Ok(repo.lock(patience)?))?;
    let there = repo.remotes()?.contains(&(name.to_owned(), url.clone()));
    if !there {
        repo.add_remote(name, &url)?;
    }
    Ok(url)
}

/// The repositories that the vault is synced with, by name.
pub fn list_remotes(context: &Context<'_>) -> Result<Vec<(String, String)>, Error> {
    let remotes = context.repo()?.remotes()?.into_iter();
    Ok(remotes.map(|(name, url)| (name, url.as_str().to_owned())).collect())
}

/// Removes one; what came from it stays, and it keeps what it has.
pub fn remove_remote(context: &Context<'_>, name: &str) -> Result<(), Error> {
    let repo = context.repo()?;
    let _lock = context.patiently(|patience| Ok(repo.lock(patience)?))?;
    Ok(repo.remove_remote(name)?)
}

/// A vault that was made as a copy of another repository.
pub struct Cloned {
    /// Which.
    pub vault: VaultId,
    /// Where it lies.
    pub path: PathBuf,
    /// Digest of the founder's card.
    pub founder: Digest,
    /// Whether the founder was known from elsewhere: from the command, or from what this device remembers.
    pub known: bool,
    /// Where it came from.
    pub url: String,
    /// What was found when it was verified.
    pub checked: CheckedBackup,
    /// Refs there that are no part of a vault; they were not taken.
    pub strays: Vec<String>,
}

/// Makes a vault as a copy of another repository, where there is none. All of it is verified before it is there; one that
/// is not intact is not kept. Interrupted, it is begun again by running it again.
pub fn clone_vault(context: &Context<'_>, url: &str, founder: Option<&str>) -> Result<Cloned, Error> {
    let path = context.places.vault();
    let url = address(url)?;
    let founder = founder.map(Founder::parse).transpose()?;
    refuse_occupied(&path)?;
    context.warn_of_scarcity();
    let draft = Draft::begin(&path)?;
    let made = (|| {
        let repo = draft.create()?;
        // Says to others that this one is at work.
        let lock = repo.lock(PATIENCE).map_err(LedgerError::from)?;
        let strays = fill(context, &repo, &url)?;
        let cloned = check(context, &repo, &url, founder, strays)?;
        if !url.is_in_use() {
            repo.add_remote(ORIGIN, &url)?;
        }
        note_exchange(&repo, context.now())?;
        let durable = repo.make_durable();
        durable.map_err(|error| Error::new(Kind::Failed, format!("the vault could not be written: {error}")))?;
        move_into_place(&draft.place, &path)?;
        Ok::<_, Error>((cloned, lock))
    })();
    let (cloned, _lock): (Cloned, Lock) = made.inspect_err(|_| draft.remove())?;
    Ok(Cloned { path, ..cloned })
}

/// Everything of a vault that the other repository has, straight to its place.
fn fill(context: &Context<'_>, repo: &Repo, url: &RemoteUrl) -> Result<Vec<String>, Error> {
    let there = list_branches(context, repo.dir(), url, None).map_err(|mut error| {
        // Nothing is recorded here yet that could go with a sync.
        match error.hints.as_slice() == [LATER] {
            false => error,
            true => {
                error.hints.clear();
                error.hint("check the address, and that you may read there; nothing was made here")
            }
        }
    })?;
    if !there.has_main() {
        return Err(Error::new(
            Kind::Failed,
            "there is no vault: it has no branch `main`; nothing was kept",
        )
        .hint("check the address; a new vault is made with `strongroom init`, and put there with `strongroom sync`"));
    }
    let room = room_for_arrivals(repo.dir()).map_err(no_room)?;
    let fetch = |patterns: &[&str]| {
        let job = GitJob::fetch(repo.dir(), url, patterns, &there.left_out(), room);
        context.person.git(&job)
    };
    let mut patterns = there.patterns();
    let mut ended = fetch(&patterns)?;
    let witnesses: Vec<String> = there.names().into_iter().filter(|name| is_witness(name)).collect();
    if !ended.succeeded && !witnesses.is_empty() {
        // Whoever can push makes these as they like, and nothing else needs them.
        let dropped = repo.drop_what_is_half(&witnesses);
        dropped.map_err(|error| Error::new(Kind::Failed, format!("the vault could not be written: {error}")))?;
        patterns.retain(|pattern| !is_witness(pattern));
        let why = fetched(&ended, room).err();
        ended = fetch(&patterns)?;
        if let Some(why) = why.filter(|_| ended.succeeded) {
            context.person.warn(&format!(
                "what witnesses wrote was left out, and the next sync tries again: {}",
                why.message
            ));
        }
    }
    fetched(&ended, room)?;
    Ok(there.strays)
}

/// Verifies it, as anybody can who has a clone.
fn check(
    context: &Context<'_>,
    repo: &Repo,
    url: &RemoteUrl,
    founder: Option<Founder>,
    strays: Vec<String>,
) -> Result<Cloned, Error> {
    let repo = Repo::open_to_verify(repo.dir(), Settings::of_this_run())?.with_packs();
    let vault = vault_id(&repo)?;
    let known = founder.is_some() || mark_of(context, vault)?.is_some();
    let checked = judge(context, &repo, vault, founder.and_then(Founder::digest))?;
    let found = checked.report.founder;
    if let (Some(found), Some(founder)) = (found, founder)
        && !founder.is(found)
    {
        let words = format!(
            "the founder's words of this vault are `{}`, and not those that were named; nothing was kept",
            Fingerprint::from(found)
        );
        return Err(Error::new(Kind::Tampered, words).hint("ask whoever gave you the fingerprint where the vault is"));
    }
    let refusal = match checked.report.verdict {
        Verdict::Intact => None,
        Verdict::Tampered if checked.is_of_use() => None,
        Verdict::Tampered => Some((Kind::Tampered, "this vault was tampered with")),
        Verdict::Unknown => Some((Kind::Unknown, "it cannot be told whether this vault is intact")),
    };
    if let Some((kind, words)) = refusal {
        let first = checked.report.told().into_iter().next();
        let first = first.map_or_else(String::new, |problem| format!(": {}", problem.message));
        return Err(Error::new(kind, format!("{words}{first}; nothing was kept")).hint(
            "`git clone --mirror` makes a copy to look into, and `strongroom audit verify --vault COPY` says all that is wrong",
        ));
    }
    let founder = found.ok_or_else(|| Error::new(Kind::Tampered, "this vault has no founder; nothing was kept"))?;
    Ok(Cloned {
        vault,
        path: PathBuf::new(),
        founder,
        known,
        url: url.as_str().to_owned(),
        checked,
        strays,
    })
}

/// The founder as somebody named them: by the eight words, or by all of the digest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Founder {
    Words(Fingerprint),
    Whole(Digest),
}

impl Founder {
    /// As it was typed: words, or hex digits with spaces, colons or dashes between them or not.
    pub(super) fn parse(typed: &str) -> Result<Self, Error> {
        let spaced = |c: &char| c.is_whitespace() || ":-".contains(*c);
        let hex: String = typed.chars().filter(|c| !spaced(c)).collect();
        let words = || typed.parse().map(Self::Words);
        hex.to_lowercase()
            .parse()
            .map(Self::Whole)
            .or_else(|_| words())
            .map_err(|bad: BadFingerprint| {
                Error::new(Kind::Usage, bad.to_string())
                    .hint("`strongroom member list` shows them to whoever has the vault")
            })
    }

    pub(super) fn is(self, founder: Digest) -> bool {
        match self {
            Self::Words(words) => words == founder.into(),
            Self::Whole(digest) => digest == founder,
        }
    }

    pub(super) fn words(self) -> Fingerprint {
        match self {
            Self::Words(words) => words,
            Self::Whole(digest) => digest.into(),
        }
    }

    /// Whether two may speak of the same.
    pub(super) fn agrees_with(self, other: Self) -> bool {
        match (self, other) {
            (Self::Whole(digest), other) | (other, Self::Whole(digest)) => other.is(digest),
            (Self::Words(one), Self::Words(two)) => one == two,
        }
    }

    fn digest(self) -> Option<Digest> {
        match self {
            Self::Words(_) => None,
            Self::Whole(digest) => Some(digest),
        }
    }
}

impl std::fmt::Display for Founder {
    /// As it is read back.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Words(words) => words.fmt(f),
            Self::Whole(digest) => digest.fmt(f),
        }
    }
}

/// How often what an interrupted clone left is tried to be removed.
const CLEARED: usize = 100;

/// Where a vault is put together before it is there.
struct Draft {
    place: PathBuf,
}

impl Draft {
    /// Removes what an earlier run left that was killed; refuses while another is at work.
    fn begin(vault: &Path) -> Result<Self, Error> {
        /// What a folder of git's holds at most that was begun here.
        const OWN: [&str; 11] = [
            "HEAD",
            "branches",
            "config",
            "description",
            "hooks",
            "index",
            "info",
            "logs",
            "objects",
            "packed-refs",
            "refs",
        ];
        let name = vault
            .file_name()
            .ok_or_else(|| Error::new(Kind::Usage, "the vault needs a folder of its own"))?;
        let draft = Self {
            place: vault.with_file_name(format!(".{}-clone", name.to_string_lossy())),
        };
        let entries = std::fs::read_dir(&draft.place).into_iter().flatten().flatten();
        let mut names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let is_own = |name: &String| {
            OWN.contains(&name.trim_end_matches(".lock")) || name.starts_with("strongroom.") || name == "README.md"
        };
        if let Some(other) = names.find(|name| !is_own(name)) {
            let words = format!(
                "`{}` stands where a clone is put together, and holds `{other}`, which is no part of one; nothing was changed",
                draft.place.display()
            );
            return Err(
                Error::new(Kind::Failed, words).hint("move that folder away, or name another place with --vault")
            );
        }
        if let Ok(repo) = Repo::open_to_verify(&draft.place, Settings::of_this_run()) {
            let _alone = repo.lock(std::time::Duration::ZERO).map_err(|_| {
                Error::new(
                    Kind::Failed,
                    "another program is cloning to the same place; nothing was changed",
                )
            })?;
        }
        Ok(draft)
    }

    /// Makes the repository there, where nothing is left of what was there. The git of a run that was killed goes on by itself,
    /// and for a moment may write there still, also into folders that it makes once more.
    fn create(&self) -> Result<Repo, Error> {
        for _ in 0..CLEARED {
            let removed = std::fs::remove_dir_all(&self.place);
            let still = |error: std::io::Error| error.kind() == std::io::ErrorKind::DirectoryNotEmpty;
            if !removed.is_err_and(still) {
                // What cannot be removed otherwise is said here.
                match Repo::create(&self.place, Settings::of_this_run()) {
                    Err(CreateError::NotEmpty(_)) => {}
                    made => return Ok(made?),
                }
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let words = "what an interrupted clone began there is still being written; nothing was changed";
        Err(Error::new(Kind::Failed, words).hint("try again in a moment"))
    }

    fn remove(&self) {
        let _ = std::fs::remove_dir_all(&self.place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_people_write_it() {
        let plain = "ab".repeat(32);
        for typed in [
            plain.clone(),
            plain.to_uppercase(),
            "ab:".repeat(32),
            "ABAB ABAB\n".repeat(8),
        ] {
            assert_eq!(Founder::parse(&typed).unwrap().digest(), plain.parse().ok());
        }
        let digest = Digest([7; 32]);
        let words = Founder::parse(&Fingerprint::from(digest).to_string()).unwrap();
        assert!(words.is(digest) && !words.is(Digest([8; 32])) && words.digest().is_none());
        for bad in ["", "ab", &"g".repeat(64)] {
            assert_eq!(Founder::parse(bad).err().map(|bad| bad.kind), Some(Kind::Usage));
        }
    }

    #[test]
    fn what_an_interrupted_clone_still_writes_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let (vault, left) = (folder.path().join("vault"), folder.path().join(".vault-clone"));
        std::fs::create_dir_all(left.join("objects")).unwrap();
        let writes = std::thread::spawn({
            let objects = left.join("objects");
            // Without a pause, and into folders that it makes once more where they are gone.
            move || {
                let begun = std::time::Instant::now();
                let write = |n: &u32| {
                    let _ = std::fs::create_dir_all(&objects);
                    let _ = std::fs::write(objects.join(format!("tmp_{n}")), "");
                    begun.elapsed() < std::time::Duration::from_millis(300)
                };
                (0..).take_while(write).count()
            }
        });
        while std::fs::read_dir(left.join("objects")).map_or(0, Iterator::count) < 50 {}
        let repo = Draft::begin(&vault).unwrap().create();
        assert!(repo.is_ok(), "{:?}", repo.err());
        assert!(writes.join().unwrap() >= 50);
    }

    #[test]
    fn a_folder_that_somebody_else_made_is_not_removed() {
        let folder = tempfile::tempdir().unwrap();
        let (vault, other) = (folder.path().join("vault"), folder.path().join(".vault-clone"));
        std::fs::create_dir_all(other.join("objects")).unwrap();
        std::fs::write(other.join("thesis.txt"), "years").unwrap();
        let refused = Draft::begin(&vault).map(drop).unwrap_err();
        assert_eq!(refused.kind, Kind::Failed);
        assert!(refused.message.contains("holds `thesis.txt`"), "{refused}");
        std::fs::remove_file(other.join("thesis.txt")).unwrap();
        assert!(Draft::begin(&vault).unwrap().create().is_ok());
        let names = std::fs::read_dir(&other).unwrap().flatten();
        assert!(names.count() > 1);
        // What it made itself it takes for its own, also once it was locked to write.
        let made = Draft::begin(&vault).unwrap().create().unwrap();
        drop(made.lock(std::time::Duration::ZERO).unwrap());
        assert!(other.join("strongroom.lock").exists());
        assert!(Draft::begin(&vault).unwrap().create().is_ok());
    }

    #[test]
    fn a_path_becomes_a_full_one_and_an_address_stays() {
        assert!(address("somewhere/else.git").unwrap().as_str().starts_with('/'));
        assert_eq!(address("hub.example:x.git").unwrap().as_str(), "hub.example:x.git");
        for bad in ["-x", "ext::sh", "ftp://hub.example/x", ""] {
            assert_eq!(address(bad).unwrap_err().kind, Kind::Usage, "{bad}");
        }
    }
}
