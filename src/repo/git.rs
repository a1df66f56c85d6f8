//! Making, opening and reading the repository.

use super::bounds::misleading;
use super::journal::{Journal, JournalError, read_unlocked};
use super::lock::{Lock, LockError};
use super::loose::{packed_bound, read_loose};
use super::names::{escaped, is_found, loose_names};
use super::object::{BadCommit, Commit, Kind, Oid};
use super::packed::{KnownPacks, PlaceOf, Recent};
use super::record::Batch;
use super::staging::{ALTERNATES, PACKED_REFS};
use super::tree::{BadTree, Mode, RawTree, TreeEntry, parse_tree, path_names};
use super::write::{RECORDS_PER_CUT, to_io};
use crate::env::{Faults, boot_id, make_private_folders, open_plain_file};
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What every new vault says to stock git: never pack on your own, keep no reflogs, let nobody but
/// the owner read what you write, and look for no likeness between large sealed files.
const CONFIG: &str = "\
[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
\tlogAllRefUpdates = false
\tsharedRepository = 0600
[gc]
\tauto = 0
[maintenance]
\tauto = false
";

/// Where refs are by which git takes one object for another.
const REPLACED: &str = "refs/replace";

/// Said of an object of no kind that there is.
const NO_KIND: &str = "it is of no kind";

/// An open vault.
pub struct Repo {
    pub(super) dir: PathBuf,
    pub(super) git: git2::Repository,
    pub(super) settings: Settings,
    /// Files by which libgit2 would read outside of a pack: then it reads none.
    misled: Vec<String>,
    /// Folders of objects that it reads beside its own: a [`Staging`](super::Staging) and a
    /// [`Preview`](super::Preview) have such.
    pub(super) lenders: Vec<PathBuf>,
    /// Packs to look into before anything else.
    pub(super) packed: Arc<KnownPacks>,
    pub(super) recent: RefCell<Recent>,
    /// The packs as this room reads them itself, opened where libgit2 finds an object in none.
    besides: OnceCell<KnownPacks>,
    /// The journal's generation when it was last looked for packs, if that is known: this program removes none without
    /// another one.
    pub(super) looked: Cell<Option<u64>>,
}

/// Where an object was found, if it was.
#[derive(Clone, Copy, Default)]
pub struct Found(Option<PlaceOf>);

/// What a test may steer.
#[derive(Clone)]
pub struct Settings {
    /// The id of this boot; `None` where there is none, and then the worst is assumed.
    pub boot: Option<[u8; 16]>,
    /// Which durable step fails, if any.
    pub faults: Faults,
    /// After how many records the journal is cut: [`RECORDS_PER_CUT`].
    pub records_per_cut: u64,
}

impl Settings {
    /// The machine's boot and no faults but what a test from outside asks for.
    pub fn of_this_run() -> Self {
        Self {
            boot: boot_id(),
            faults: Faults::of_this_run(),
            records_per_cut: RECORDS_PER_CUT,
        }
    }
}

/// A vault cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Something is there.
    #[error("`{}` is not an empty folder: name another place for the vault", .0.display())]
    NotEmpty(PathBuf),
    /// The system refused.
    #[error("the vault cannot be made at `{}`: {source}", path.display())]
    Io {
        /// Where it was to be.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// A vault cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Nothing is there.
    #[error("there is no vault at `{}`: make one with `strongroom init --name NAME`, get a copy with `strongroom clone URL`, or name it with --vault", .0.display())]
    Missing(PathBuf),
    /// Something else is there.
    #[error("`{}` is not a bare git repository: {why}", path.display())]
    NotARepository {
        /// Where it is.
        path: PathBuf,
        /// What git says.
        why: String,
    },
    /// The person may not look.
    #[error("you may not read `{}`: it belongs to somebody else, or its permissions are too narrow", .0.display())]
    Forbidden(PathBuf),
    /// Parts of its history are hidden or replaced.
    #[error("the vault's history cannot be trusted as it stands: {}", list(.0))]
    Odd(Vec<Oddity>),
}

fn list(oddities: &[Oddity]) -> String {
    let texts: Vec<String> = oddities.iter().map(Oddity::to_string).collect();
    texts.join("; ")
}

/// Something that makes programs see another history, or other objects, than the vault holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Oddity {
    /// A file `shallow`.
    #[error("it is a shallow clone (file `shallow`)")]
    Shallow,
    /// A file `info/grafts`.
    #[error("parents are rewritten (file `info/grafts`)")]
    Grafts,
    /// Refs below `refs/replace`.
    #[error("objects are replaced (refs below `refs/replace`)")]
    Replaced,
    /// A file `objects/info/alternates`.
    #[error("objects are borrowed from elsewhere (file `objects/info/alternates`)")]
    Borrowed,
    /// An index of packs with places outside of them, or one that is no plain file of version 2.
    #[error(
        "what says where objects are in a pack points outside of it, or is in a form that is not followed (`objects/pack/{0}`)"
    )]
    Misled(String),
    /// It cannot be told whether there is such a thing.
    #[error("it cannot be told whether other programs see the same history (`{0}` cannot be read: {1})")]
    Unread(&'static str, String),
    /// A file `commondir`.
    #[error("objects and refs are those of another folder (file `commondir`)")]
    Elsewhere,
}

/// An object or ref cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is not there.
    #[error("object `{oid}` is missing from the vault")]
    Missing {
        /// Which.
        oid: Oid,
    },
    /// It is there, and empty, torn, or other bytes than its id says.
    #[error("object `{oid}` is damaged")]
    Damaged {
        /// Which.
        oid: Oid,
    },
    /// More would have to be made to get at it than any honest pack asks for.
    #[error(
        "object `{oid}` is kept in a pack as a difference from others that are too large or too many to be made for it"
    )]
    Tangled {
        /// Which.
        oid: Oid,
    },
    /// It is larger than was asked for.
    #[error("object `{oid}` has {size} bytes, more than the {max} it may have")]
    TooBig {
        /// Which.
        oid: Oid,
        /// Its size, in bytes.
        size: u64,
        /// The most it may have, in bytes.
        max: u64,
    },
    /// It is of another kind.
    #[error("object `{oid}` is not a {}", match want { Kind::Blob => "file", Kind::Tree => "folder", Kind::Commit => "commit" })]
    Kind {
        /// Which.
        oid: Oid,
        /// What it should be.
        want: Kind,
    },
    /// It is a commit that git would not write.
    #[error("object `{oid}`: {why}")]
    Commit {
        /// Which.
        oid: Oid,
        /// What is wrong with it.
        why: BadCommit,
    },
    /// It is a tree that git would not write, or the path is none.
    #[error(transparent)]
    Tree(#[from] BadTree),
    /// A ref's file is empty, torn, or points to a name instead of an object.
    #[error("ref `{name}` is damaged")]
    DamagedRef {
        /// Its full name.
        name: String,
    },
    /// The system refused.
    #[error("git cannot read the vault: {0}")]
    Git(String),
}

impl ReadError {
    pub(super) fn git(error: &git2::Error) -> Self {
        Self::Git(error.message().to_owned())
    }
}

impl Repo {
    /// Makes an empty vault at `dir`, which must not exist or be an empty folder: a bare
    /// repository with HEAD at `refs/heads/main`, its journal, and nothing else. All of it is
    /// readable by its owner alone and durable; it appears whole or not at all.
    pub fn create(dir: &Path, settings: Settings) -> Result<Self, CreateError> {
        let io_error = |source| CreateError::Io {
            path: dir.to_owned(),
            source,
        };
        match std::fs::read_dir(dir).map(|mut entries| entries.next().is_none()) {
            Ok(true) => {}
            Ok(false) => return Err(CreateError::NotEmpty(dir.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                return Err(CreateError::NotEmpty(dir.to_owned()));
            }
            Err(error) => return Err(io_error(error)),
        }
        lay_out(dir, settings.boot).map_err(|error| match error.kind() {
            io::ErrorKind::DirectoryNotEmpty => CreateError::NotEmpty(dir.to_owned()),
            _ => io_error(error),
        })?;
        Self::open(dir, settings).map_err(|error| io_error(io::Error::other(error.to_string())))
    }

    /// Opens the vault at `dir`; refuses one with [`Oddity`]s.
    pub fn open(dir: &Path, settings: Settings) -> Result<Self, OpenError> {
        let repo = Self::open_to_verify(dir, settings)?;
        let oddities = repo.oddities();
        match oddities.is_empty() {
            true => Ok(repo),
            false => Err(OpenError::Odd(oddities)),
        }
    }

    /// Opens the vault at `dir` as it is: for the verifier, which then asks for its oddities.
    /// Reading objects and parents through this room is not led astray by them.
    pub fn open_to_verify(dir: &Path, settings: Settings) -> Result<Self, OpenError> {
        let repo = Self::open_with(dir, settings, Vec::new())?;
        let misled = misleading(&repo.dir.join("objects"));
        Ok(Self { misled, ..repo })
    }

    fn open_with(dir: &Path, settings: Settings, misled: Vec<String>) -> Result<Self, OpenError> {
        // The option is libgit2's for the whole program; what needs the check is hashed here.
        git2::opts::strict_hash_verification(false);
        // So is this: what was once read it takes for being there.
        git2::opts::enable_caching(false);
        let not_one = |error: git2::Error| OpenError::NotARepository {
            path: dir.to_owned(),
            why: error.message().to_owned(),
        };
        let dir = match dir.canonicalize() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(OpenError::Missing(dir.to_owned())),
            path => path.map_err(|error| OpenError::NotARepository {
                path: dir.to_owned(),
                why: error.to_string(),
            })?,
        };
        let head = std::fs::metadata(dir.join("HEAD"));
        if head.is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied) {
            return Err(OpenError::Forbidden(dir));
        }
        let git = open_bare(&dir).map_err(not_one)?;
        let packed = Arc::default();
        Ok(Self {
            dir,
            git,
            settings,
            misled,
            lenders: Vec::new(),
            packed,
            recent: RefCell::default(),
            besides: OnceCell::new(),
            looked: Cell::new(None),
        })
    }

    /// The same, with the packs that there are now opened once and for all: for whoever reads most of the vault.
    pub fn with_packs(self) -> Self {
        let packed = Arc::new(self.known_packs());
        let recent = RefCell::default();
        Self { packed, recent, ..self }
    }

    /// `count` more ways into the same vault, for threads that read much of it.
    pub fn readers(&self, count: usize) -> Result<Vec<Self>, OpenError> {
        let packed = match self.packed.is_empty() {
            true => Arc::new(self.known_packs()),
            false => self.packed.clone(),
        };
        let reader = |_| {
            let repo = Self::open_with(&self.dir, self.settings.clone(), self.misled.clone())?;
            let (packed, lenders) = (packed.clone(), self.lenders.clone());
            Ok(Self {
                packed,
                lenders,
                ..repo
            })
        };
        (0..count).map(reader).collect()
    }

    /// What makes other programs see another history than the vault holds. Where it cannot be told whether there is any, that is
    /// one too: nobody hides something by keeping it from being read.
    pub fn oddities(&self) -> Vec<Oddity> {
        let there = |path: &str| Ok(is_found(std::fs::symlink_metadata(self.dir.join(path)))?.map(drop));
        let replaced = || {
            let folder = is_found(std::fs::read_dir(self.dir.join(REPLACED)))?;
            let loose = folder.is_some_and(|mut names| names.next().is_some());
            // Whoever can push names refs as they like: the file need not be text.
            let packed = is_found(std::fs::read(self.dir.join(PACKED_REFS)))?.unwrap_or_default();
            let packed = memchr::memmem::find(&packed, format!(" {REPLACED}/").as_bytes());
            Ok((loose || packed.is_some()).then_some(()))
        };
        let borrowed = there(ALTERNATES).map(|found| found.filter(|()| !self.borrows_as_meant()));
        let looked: [(&'static str, io::Result<Option<()>>, Oddity); 5] = [
            ("shallow", there("shallow"), Oddity::Shallow),
            ("info/grafts", there("info/grafts"), Oddity::Grafts),
            (REPLACED, replaced(), Oddity::Replaced),
            (ALTERNATES, borrowed, Oddity::Borrowed),
            ("commondir", there("commondir"), Oddity::Elsewhere),
        ];
        looked
            .into_iter()
            .filter_map(|(path, found, oddity)| match found {
                Ok(found) => found.map(|()| oddity),
                Err(error) => Some(Oddity::Unread(path, error.to_string())),
            })
            .chain(self.misled.iter().cloned().map(Oddity::Misled))
            .collect()
    }

    /// The same reading beside its own objects those of these folders.
    pub(super) fn lent(self, lenders: Vec<PathBuf>) -> Self {
        let mut misled = self.misled.clone();
        misled.extend(lenders.iter().flat_map(|lender| misleading(lender)));
        Self {
            lenders,
            misled,
            ..self
        }
    }

    /// What it was opened with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where the vault is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Waits up to `patience` for the right to write.
    pub fn lock(&self, patience: Duration) -> Result<Lock, LockError> {
        Lock::take(&self.dir, patience)
    }

    /// Makes the journal of a vault that came without one: a clone. Refuses where there is one.
    pub fn make_journal(&self, _lock: &Lock) -> Result<(), JournalError> {
        Ok(Journal::create(&self.dir, self.settings.boot)?)
    }

    /// Whether there is a journal: only vaults have one.
    pub fn has_journal(&self) -> bool {
        std::fs::symlink_metadata(self.dir.join(super::journal::NAME)).is_ok()
    }

    /// The batches that the journal still holds, the oldest first: git may or may not show them
    /// yet. Needs no lock and changes nothing; a vault without a journal holds none.
    pub fn pending(&self) -> Result<Vec<Batch>, JournalError> {
        match read_unlocked(&self.dir) {
            Err(JournalError::Missing) => Ok(Vec::new()),
            pending => Ok(pending?.1),
        }
    }

    /// The same, and whether this machine has not been started anew since the journal was cut: then git shows all
    /// of them but perhaps the last.
    pub fn pending_and_boot(&self) -> Result<(Vec<Batch>, bool), JournalError> {
        match read_unlocked(&self.dir) {
            Err(JournalError::Missing) => Ok((Vec::new(), true)),
            pending => pending.map(|(boot, batches)| (batches, boot.is_some() && boot == self.settings.boot)),
        }
    }

    /// The refs whose names begin with `prefix`, by name.
    pub fn refs(&self, prefix: &str) -> Result<Vec<(String, Oid)>, ReadError> {
        let found = self.refs_as_found(prefix)?.into_iter();
        found
            .map(|(name, oid)| match oid {
                Some(oid) => Ok((name, oid)),
                None => Err(ReadError::DamagedRef { name }),
            })
            .collect()
    }

    /// The same, also those that hold no object's id: empty, torn, or pointing to a name. One whose name is no text has a
    /// name by which nothing is found, and no less its place here: stock git reads it.
    pub fn refs_as_found(&self, prefix: &str) -> Result<Vec<(String, Option<Oid>)>, ReadError> {
        let mut found = Vec::new();
        let mut names: Vec<String> = Vec::new();
        let mut odd: BTreeMap<String, Option<Oid>> = BTreeMap::new();
        let references = self.git.references_glob(&format!("{prefix}*"));
        for reference in references.map_err(|error| ReadError::git(&error))? {
            let reference = reference.map_err(|error| ReadError::git(&error))?;
            match std::str::from_utf8(reference.name_bytes()) {
                Ok(name) => names.push(name.to_owned()),
                Err(_) => {
                    let target = reference.target().map(Oid::from_git);
                    odd.insert(escaped(reference.name_bytes()), target);
                }
            }
        }
        // A damaged ref is left out by libgit2 without a word; its file is still there.
        let under = prefix.rsplit_once('/').map_or("refs", |(folder, _)| folder);
        let mut loose = Vec::new();
        loose_names(&self.dir, under.as_bytes(), &mut loose).map_err(|error| ReadError::Git(error.to_string()))?;
        let is_one = |name: &[u8]| {
            name.starts_with(prefix.as_bytes()) && git2::Reference::is_valid_name(&String::from_utf8_lossy(name))
        };
        for name in loose.into_iter().filter(|name| is_one(name)) {
            match String::from_utf8(name) {
                Ok(name) => names.push(name),
                Err(error) => drop(odd.entry(escaped(error.as_bytes())).or_default()),
            }
        }
        names.retain(|name| is_one(name.as_bytes()));
        names.sort_unstable();
        names.dedup();
        for name in names {
            match self.ref_target(&name) {
                Ok(None) => {}
                Ok(oid) => found.push((name, oid)),
                Err(ReadError::DamagedRef { name }) => found.push((name, None)),
                Err(error) => return Err(error),
            }
        }
        if !odd.is_empty() {
            found.extend(odd);
            found.sort_unstable();
        }
        Ok(found)
    }

    /// What a ref points to; `None` if there is no such ref.
    pub fn ref_target(&self, name: &str) -> Result<Option<Oid>, ReadError> {
        if let Some(oid) = self.plain_target(name) {
            return Ok(Some(oid));
        }
        let damaged = || ReadError::DamagedRef { name: name.to_owned() };
        match self.git.find_reference(name) {
            Ok(reference) => reference
                .target()
                .map(|oid| Some(Oid::from_git(oid)))
                .ok_or_else(damaged),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) if error.class() == git2::ErrorClass::Os => Err(ReadError::git(&error)),
            Err(_) => Err(damaged()),
        }
    }

    /// The same of a ref that is a file of its own and holds an id and nothing else, as most do: whoever lists all notes asks
    /// for five hundred. What is otherwise libgit2 looks at.
    fn plain_target(&self, name: &str) -> Option<Oid> {
        let plain =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !(name.starts_with("refs/") && name.split('/').all(plain)) {
            return None;
        }
        let mut file = open_plain_file(&self.dir.join(name), false, false).ok()?;
        // One byte more than there should be.
        let (mut text, mut length) = ([0; 42], 0);
        while let Some(more) = file.read(&mut text[length..]).ok().filter(|more| *more > 0) {
            length += more;
        }
        let oid = text[..length].strip_suffix(b"\n")?;
        std::str::from_utf8(oid).ok()?.parse().ok()
    }

    /// Looks for packs anew, under the lock, before what is there matters: for a while libgit2 takes what it has seen in a pack
    /// for written, though that pack is gone.
    pub(super) fn look_anew(&self) -> io::Result<()> {
        // Where it cannot look, what it saw before counts no more.
        self.looked.set(None);
        let fresh = open_bare(&self.dir).map_err(to_io)?;
        let renew = || self.git.set_odb(&fresh.odb()?);
        renew().map_err(to_io)
    }

    /// Whether an object is there; it is not read.
    pub fn contains(&self, oid: Oid) -> bool {
        self.git
            .odb()
            .is_ok_and(|odb| oid.to_git().is_ok_and(|oid| odb.exists(oid)))
    }

    /// The content of a blob of at most `max` bytes, its id checked.
    pub fn read_blob(&self, oid: Oid, max: u64) -> Result<Vec<u8>, ReadError> {
        self.read_checked(oid, Kind::Blob, max)
    }

    /// The content of a blob of at most `max` bytes, its id **not** checked: for bodies that the
    /// caller checks against a SHA-256, or that are authenticated when they are opened.
    pub fn read_blob_unchecked(&self, oid: Oid, max: u64) -> Result<Vec<u8>, ReadError> {
        self.read(oid, Kind::Blob, max)
    }

    /// The same, read into `buffer`, whatever that held. One that this gave for the same `max` is not moved in memory.
    pub fn read_blob_into(&self, oid: Oid, max: u64, mut buffer: Vec<u8>) -> Result<Vec<u8>, ReadError> {
        // Reading on to the end asks for a little more than there is.
        let room = usize::try_from(packed_bound(max).saturating_add(64)).unwrap_or(usize::MAX);
        buffer.clear();
        buffer.reserve_exact(room);
        self.read_to(oid, Kind::Blob, max, &mut buffer)?;
        Ok(buffer)
    }

    /// Looks for many objects at once, which are read one after the other then.
    pub fn find(&self, oids: impl Iterator<Item = Oid>) -> Vec<Found> {
        let places = self.packed.find(oids);
        places.into_iter().map(Found).collect()
    }

    /// Reads a blob of at most `max` bytes to `out`, whatever that held, its id **not** checked; on an error it holds anything.
    /// It is looked for if it was not `found`.
    pub fn read_found_to(&self, oid: Oid, found: Found, max: u64, out: &mut Vec<u8>) -> Result<(), ReadError> {
        let want = Kind::Blob;
        let Some(at) = found.0 else {
            return self.read_to(oid, want, max, out);
        };
        let read = self
            .packed
            .read_at(oid, at, Some(want), max, &mut self.recent.borrow_mut(), out)?;
        match read {
            Some(kind) if kind == want => Ok(()),
            Some(_) => Err(ReadError::Kind { oid, want }),
            None => self.read_to(oid, want, max, out),
        }
    }

    /// The entries of a tree of at most `max` bytes, its id checked.
    pub fn read_tree(&self, oid: Oid, max: u64) -> Result<Vec<TreeEntry>, ReadError> {
        Ok(parse_tree(&self.read_checked(oid, Kind::Tree, max)?)?)
    }

    /// The bytes of a tree of at most `max`, its id checked.
    pub fn read_tree_bytes(&self, oid: Oid, max: u64) -> Result<Vec<u8>, ReadError> {
        self.read_checked(oid, Kind::Tree, max)
    }

    /// A tree of at most `max` bytes, its id **not** checked: for finding files that the caller checks against a SHA-256.
    pub fn read_tree_unchecked(&self, oid: Oid, max: u64) -> Result<RawTree, ReadError> {
        Ok(RawTree::parse(self.read(oid, Kind::Tree, max)?)?)
    }

    /// A commit of at most `max` bytes, its id checked.
    pub fn read_commit(&self, oid: Oid, max: u64) -> Result<Commit, ReadError> {
        let bytes = self.read_checked(oid, Kind::Commit, max)?;
        Commit::parse(&bytes).map_err(|why| ReadError::Commit { oid, why })
    }

    /// What stands at `path` below a tree; `None` if nothing does. Trees on the way have at most
    /// `max` bytes.
    pub fn find_path(&self, tree: Oid, path: &str, max: u64) -> Result<Option<TreeEntry>, ReadError> {
        let mut found = TreeEntry {
            mode: Mode::Tree,
            name: String::new(),
            oid: tree,
        };
        for name in path_names(path)? {
            if found.mode != Mode::Tree {
                return Ok(None);
            }
            let entries = self.read_tree(found.oid, max)?;
            match entries.into_iter().find(|entry| entry.name == name) {
                Some(entry) => found = entry,
                None => return Ok(None),
            }
        }
        Ok(Some(found))
    }

    /// A commit and what it follows by its first parents, the newest first; each of at most `max`
    /// bytes. Ends after a root or an error.
    pub fn first_parents(&self, from: Oid, max: u64) -> impl Iterator<Item = Result<(Oid, Commit), ReadError>> + '_ {
        let mut next = Some(from);
        std::iter::from_fn(move || {
            let oid = next.take()?;
            let commit = self.read_commit(oid, max);
            if let Ok(commit) = &commit {
                next = commit.parents.first().copied();
            }
            Some(commit.map(|commit| (oid, commit)))
        })
    }

    pub(super) fn read_checked(&self, oid: Oid, kind: Kind, max: u64) -> Result<Vec<u8>, ReadError> {
        let fits = |bytes: &Vec<u8>| Oid::hash_object(kind, bytes) == oid;
        let damaged = ReadError::Damaged { oid };
        let error = match self.read(oid, kind, max) {
            Ok(bytes) if fits(&bytes) => return Ok(bytes),
            Ok(_) => damaged.clone(),
            Err(error) => error,
        };
        if self.packed.is_empty() {
            return Err(error);
        }
        let mut bytes = Vec::new();
        if self.read_own_file(oid, kind, max, &mut bytes)? {
            return fits(&bytes).then_some(bytes).ok_or(damaged);
        }
        // Another object's id may begin alike, and several packs may have this one. None of these is left to libgit2, which goes to
        // the end of any chain of differences.
        let mut known = false;
        for at in self.packed.places(oid) {
            known = true;
            let read = self
                .packed
                .read_at(oid, at, Some(kind), max, &mut self.recent.borrow_mut(), &mut bytes);
            if read.is_ok_and(|found| found == Some(kind)) && fits(&bytes) {
                return Ok(bytes);
            }
        }
        if known {
            return Err(error);
        }
        self.read_packed(oid, kind, max, &mut bytes)?;
        fits(&bytes).then_some(bytes).ok_or(damaged)
    }

    pub(super) fn read(&self, oid: Oid, want: Kind, max: u64) -> Result<Vec<u8>, ReadError> {
        let mut bytes = Vec::new();
        self.read_to(oid, want, max, &mut bytes)?;
        Ok(bytes)
    }

    fn read_to(&self, oid: Oid, want: Kind, max: u64, out: &mut Vec<u8>) -> Result<(), ReadError> {
        let known = self.packed.read(oid, want, max, &mut self.recent.borrow_mut(), out)?;
        match known || self.read_own_file(oid, want, max, out)? {
            true => Ok(()),
            false => self.read_packed(oid, want, max, out),
        }
    }

    /// Reads an object that has a file of its own, here or with a lender.
    fn read_own_file(&self, oid: Oid, want: Kind, max: u64, buffer: &mut Vec<u8>) -> Result<bool, ReadError> {
        for objects in std::iter::once(&self.dir.join("objects")).chain(&self.lenders) {
            if read_loose(objects, oid, want, max, buffer)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads what is in packs. libgit2 reads none of a pack whose own checksum, or that of its index, is not right, though the
    /// object may be whole: that is read here.
    fn read_packed(&self, oid: Oid, want: Kind, max: u64, out: &mut Vec<u8>) -> Result<(), ReadError> {
        // Nor does libgit2 get to read what somebody else lends, of which nobody knows that it is sound.
        let borrows = || self.dir.join(ALTERNATES).exists() && !self.borrows_as_meant();
        let read = match self.misled.is_empty() && !borrows() {
            true => self.read_by_git(oid, want, max, out),
            false => Err(ReadError::Damaged { oid }),
        };
        let Err(error @ (ReadError::Missing { .. } | ReadError::Damaged { .. })) = read else {
            return read;
        };
        if !self.packed.is_empty() {
            return Err(error);
        }
        let packs = self.besides.get_or_init(|| self.known_packs());
        match packs.read(oid, want, max, &mut Recent::default(), out) {
            Ok(true) => Ok(()),
            _ => Err(error),
        }
    }

    /// Reads the header first, so that the size is known before memory is asked for.
    fn read_by_git(&self, oid: Oid, want: Kind, max: u64, out: &mut Vec<u8>) -> Result<(), ReadError> {
        let failed = |error: git2::Error| match (error.code(), error.class()) {
            (git2::ErrorCode::NotFound, _) => ReadError::Missing { oid },
            (_, git2::ErrorClass::Os | git2::ErrorClass::NoMemory) => ReadError::git(&error),
            _ => ReadError::Damaged { oid },
        };
        let odb = self.git.odb().map_err(failed)?;
        let id = oid.to_git().map_err(failed)?;
        let (size, kind) = read_header(&odb, id)
            .unwrap_or(Err(git2::Error::from_str(NO_KIND)))
            .map_err(failed)?;
        if kind != want.to_git() {
            return Err(ReadError::Kind { oid, want });
        }
        let size = size as u64;
        if size > max {
            return Err(ReadError::TooBig { oid, size, max });
        }
        let object = odb.read(id).map_err(failed)?;
        match object.kind() == kind && object.len() as u64 == size {
            true => {
                out.clear();
                out.extend_from_slice(object.data());
                Ok(())
            }
            false => Err(ReadError::Damaged { oid }),
        }
    }
}

/// Opens a repository with no configuration at all.
fn open_bare(dir: &Path) -> Result<git2::Repository, git2::Error> {
    let git = git2::Repository::open_bare(dir)?;
    git.set_config(&git2::Config::new()?)?;
    Ok(git)
}

/// Size and kind of an object. None where a pack says that it is of a kind that there is not: git2 (0.21) panics then.
pub(super) fn read_header(
    odb: &git2::Odb<'_>,
    id: git2::Oid,
) -> Option<Result<(usize, git2::ObjectType), git2::Error>> {
    catch_unwind(AssertUnwindSafe(|| odb.read_header(id))).ok()
}

/// Lays a vault out in a folder beside `dir` and moves it there.
fn lay_out(dir: &Path, boot: Option<[u8; 16]>) -> io::Result<()> {
    let parent = match dir.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let private = |path: &Path| std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    make_private_folders(parent).map_err(|error| io::Error::other(error.to_string()))?;
    // Removed if anything below fails.
    let owner_alone = std::fs::Permissions::from_mode(0o700);
    let draft = tempfile::Builder::new()
        .prefix(".strongroom-")
        .permissions(owner_alone)
        .tempdir_in(parent)?;
    for folder in ["refs/heads", "objects/info", "objects/pack"] {
        private(&draft.path().join(folder))?;
    }
    for (name, text) in [("HEAD", "ref: refs/heads/main\n"), ("config", CONFIG)] {
        let mut options = std::fs::OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(draft.path().join(name))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
    }
    Journal::create(draft.path(), boot)?;
    for folder in ["objects/info", "objects/pack", "objects", "refs/heads", "refs", ""] {
        File::open(draft.path().join(folder))?.sync_all()?;
    }
    // Over an empty folder or nothing; anything else fails.
    std::fs::rename(draft.path(), dir)?;
    // It is no longer there to be removed.
    let _ = draft.keep();
    File::open(parent)?.sync_all()
}
