//! Another repository, reached with the person's own git: ssh, https and paths work as they do there.
//!
//! What git is trusted with is to carry: what it brings lies in a [`Staging`](super::Staging) until somebody has verified
//! it, and what it is told to push are objects by their ids, to branches by their names. It runs in the staging, whose
//! configuration is ours; no hook runs; nothing that would lead it to another repository reaches it. The person's own
//! configuration (credentials, ssh, proxies) does.

use super::journal;
use super::names::{escaped, unescaped};
use super::object::Oid;
use super::record::is_branch;
use crate::env::{Ended, Program, Space};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The longest address of a repository, in bytes.
const URL_MAX: usize = 2048;
/// The most that a list of refs may have, in bytes: some 40,000 of them.
const LIST_MAX: u64 = 3 << 20;
/// What git says of the branches it pushed has at most so many bytes.
const PUSHED_MAX: u64 = 3 << 20;
/// So much of a disk is left free whatever comes, in bytes.
const RESERVE: u64 = 256 << 20;
/// At most so many refs are named to be left out of a fetch; what else is there comes along and is not taken.
const LEFT_OUT_MAX: usize = 500;

/// Where the transports are that an address may name.
const SCHEMES: [&str; 4] = ["ssh", "https", "http", "file"];

/// What git is told whatever the person's configuration says.
const SETTINGS: [&str; 17] = [
    "core.hooksPath=/dev/null",
    "core.bigFileThreshold=16m",
    "core.fsmonitor=false",
    "fetch.fsckObjects=true",
    "transfer.fsckObjects=true",
    "fetch.unpackLimit=1",
    "fetch.writeCommitGraph=false",
    "fetch.recurseSubmodules=false",
    "fetch.prune=false",
    "fetch.pruneTags=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "protocol.ext.allow=never",
    "push.gpgSign=false",
    "push.followTags=false",
    "push.useForceIfIncludes=false",
    "color.ui=false",
];

/// What a repository on this computer is served by: its own hooks and commands would run as the person.
const SERVED: &str = "git -c core.hooksPath=/dev/null -c core.alternateRefsCommand=true -c core.fsmonitor=false \
                      -c core.sshCommand=false -c receive.denyCurrentBranch=refuse -c receive.autogc=false \
                      -c maintenance.auto=false -c gc.auto=0";

/// The variables of git's own that it keeps: how to reach others, and where the person's configuration is.
const KEPT: [&str; 17] = [
    "GIT_ASKPASS",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_SYSTEM",
    "GIT_EXEC_PATH",
    "GIT_HTTP_LOW_SPEED_LIMIT",
    "GIT_HTTP_LOW_SPEED_TIME",
    "GIT_HTTP_USER_AGENT",
    "GIT_PROXY_COMMAND",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSH_VARIANT",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "GIT_SSL_CERT",
    "GIT_SSL_KEY",
    "GIT_SSL_NO_VERIFY",
];

/// Variables for git: nobody's language, and no other transports.
const VARIABLES: [(&str, &str); 4] = [
    ("LC_ALL", "C"),
    ("GIT_ALLOW_PROTOCOL", "ssh:https:http:file"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_NO_LAZY_FETCH", "1"),
];
/// And where nobody may be asked: git and ssh ask a program that answers nothing.
const SILENT: [(&str, &str); 4] = [
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_ASKPASS", "false"),
    ("SSH_ASKPASS", "false"),
    ("SSH_ASKPASS_REQUIRE", "force"),
];

/// The address is not one that is taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this address of a repository is not taken: {0}")]
pub struct BadUrl(&'static str);

/// The address of another repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RemoteUrl(String);

impl RemoteUrl {
    /// Takes an address that git understands: `ssh://…`, `https://…`, `http://…`, `file://…`, `HOST:PATH`, or a full path.
    /// Whatever could be an option, name a program to run, or carry a password to where others see it, is refused.
    pub fn parse(text: &str) -> Result<Self, BadUrl> {
        let bad = |why| Err(BadUrl(why));
        if text.is_empty() || text.len() > URL_MAX {
            return bad("it is empty or too long");
        }
        if text.chars().any(char::is_control) || text.trim() != text {
            return bad("it holds a control character or begins or ends with a space");
        }
        if text.starts_with('-') {
            return bad("it begins with `-` and could be taken for an option");
        }
        let (host, is_path) = match text.split_once("://") {
            Some((scheme, _)) if !SCHEMES.contains(&scheme) => {
                return bad("it is none of ssh://, https://, http://, file://, HOST:PATH or a path");
            }
            Some((scheme, rest)) => (rest.split('/').next().unwrap_or_default(), scheme == "file"),
            None if text.starts_with('/') => ("", true),
            None => match text.split_once(':') {
                Some((host, rest)) if !host.contains('/') && !host.is_empty() && !rest.is_empty() => {
                    if rest.starts_with(':') {
                        return bad("it names a program to reach it with");
                    }
                    (host, false)
                }
                _ => return bad("it is neither a full path nor ssh://, https:// or HOST:PATH"),
            },
        };
        let (user, host) = host.rsplit_once('@').unwrap_or(("", host));
        if user.contains(':') {
            return bad(
                "it holds a password, which other users of this computer could see; leave that to git's credential helpers",
            );
        }
        // What is served from a path has to be known to be one, and which.
        if is_path && text.contains("://") && (!host.is_empty() || text.contains('%')) {
            return bad("write a place on this computer as a full path");
        }
        if host.starts_with('-') || user.starts_with('-') || (host.is_empty() && !is_path) {
            return bad("it names no host");
        }
        Ok(Self(text.to_owned()))
    }

    /// Whether the text has the form of a path, and not that of an address elsewhere.
    pub fn is_path(text: &str) -> bool {
        let before = text.split('/').next().unwrap_or_default();
        !text.contains("://") && !before.contains(':')
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a vault that is worked in lies there, whose branches its own journal knows: nothing may be pushed to it.
    pub fn is_in_use(&self) -> bool {
        // Where git looks, first of all: it takes `/srv/north` for `/srv/north.git` too.
        let beside = |end: &str| {
            self.path().map(|path| {
                let mut place = path.as_os_str().to_owned();
                place.push(end);
                PathBuf::from(place)
            })
        };
        let mut places = ["/.git", "", ".git/.git", ".git"].into_iter().filter_map(beside);
        places.any(|place| place.join(journal::NAME).exists())
    }

    /// The folder or file on this computer that it names, if it does.
    pub fn path(&self) -> Option<&Path> {
        let path = self.0.strip_prefix("file://").unwrap_or(&self.0);
        path.starts_with('/').then(|| Path::new(path))
    }
}

/// What git is to do, for whoever runs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitJob {
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// The most that it may write to standard output, in bytes.
    pub output_max: u64,
    /// The folder that it works in, and the most that may come to lie there, in bytes.
    pub watched: Option<(PathBuf, u64)>,
    /// How many seconds it may take, where somebody waits who cannot wait for ever.
    pub deadline: Option<u64>,
}

impl GitJob {
    fn new(dir: &Path, command: &[&str]) -> Self {
        let mut arguments: Vec<OsString> = vec!["--git-dir".into(), dir.into()];
        for setting in SETTINGS {
            arguments.extend(["-c".into(), setting.into()]);
        }
        arguments.extend(command.iter().map(OsString::from));
        Self {
            arguments,
            output_max: PUSHED_MAX,
            watched: None,
            deadline: None,
        }
    }

    /// A repository on this computer is served by a git that runs nothing of what stands in it.
    fn reach(&mut self, url: &RemoteUrl, served_by: &str) {
        if url.path().is_some() {
            self.arguments
                .push(format!("--{served_by}={SERVED} {served_by}").into());
        }
        self.arguments.push(url.as_str().into());
    }

    /// To list the refs of another repository: [`parse_list`] reads what it says. Git runs in `dir`, of this program's
    /// own making, and changes nothing there.
    pub fn list(dir: &Path, url: &RemoteUrl) -> Self {
        let mut job = Self::new(dir, &["ls-remote", "--quiet", "--refs"]);
        job.reach(url, "upload-pack");
        job.output_max = LIST_MAX;
        job
    }

    /// To fetch branches into a repository that has none of its own, as `patterns` name them (`refs/heads/audit/*`), but for those
    /// `left_out`. At most `max` bytes may come to lie there.
    pub fn fetch(into: &Path, url: &RemoteUrl, patterns: &[&str], left_out: &[&str], max: u64) -> Self {
        let mut job = Self::new(
            into,
            &["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--refmap="],
        );
        let alone = [
            "--no-recurse-submodules",
            "--no-auto-maintenance",
            "--no-show-forced-updates",
        ];
        job.arguments.extend(alone.map(OsString::from));
        job.reach(url, "upload-pack");
        let wanted = patterns.iter().map(|name| format!("+{name}:{name}"));
        let spared = left_out.iter().take(LEFT_OUT_MAX);
        let spared = spared.map(|name| OsString::from_vec([b"^", &unescaped(name)[..]].concat()));
        job.arguments.extend(wanted.map(OsString::from).chain(spared));
        job.watched = Some((into.to_owned(), max));
        job
    }

    /// To push, all or nothing. A branch that is not `forced` has to go on from what is there; one that is, has to be where
    /// it was `seen`.
    pub fn push(staging: &Path, url: &RemoteUrl, moves: &[PushedRef]) -> Self {
        let mut job = Self::new(staging, &["push", "--quiet", "--porcelain", "--atomic", "--no-verify"]);
        job.arguments
            .extend(["--no-signed", "--recurse-submodules=no"].map(OsString::from));
        for PushedRef { name, seen, forced, .. } in moves {
            if *forced {
                let seen = seen.map(|oid| oid.to_string()).unwrap_or_default();
                job.arguments.push(format!("--force-with-lease={name}:{seen}").into());
            }
        }
        job.reach(url, "receive-pack");
        let moved = moves
            .iter()
            .map(|PushedRef { name, new, .. }| format!("{new}:{name}").into());
        job.arguments.extend(moved);
        job
    }

    /// Has git do it, found as a shell would find it; `tell` hears now and then how many bytes lie in the folder.
    pub fn run(&self, may_ask: bool, tell: &dyn Fn(u64)) -> io::Result<Ended> {
        let silent = if may_ask { &[][..] } else { &SILENT[..] };
        let variables = [&VARIABLES[..], silent].concat();
        let program = Program {
            name: "git",
            arguments: self.arguments.clone(),
            hidden: is_hidden,
            variables: &variables,
            output_max: self.output_max,
            watched: self.watched.as_ref().map(|(folder, max)| (folder.as_path(), *max)),
            deadline: self.deadline.map(Duration::from_secs),
        };
        program.run(tell)
    }
}

/// Whether git, by all that it is configured with here, looks for the hooks of a repository elsewhere.
pub(super) fn git_looks_elsewhere(dir: &Path) -> io::Result<bool> {
    let words = ["config", "--get", "core.hooksPath"].map(OsString::from);
    let program = Program {
        name: "git",
        arguments: ["--git-dir".into(), dir.into()].into_iter().chain(words).collect(),
        hidden: is_hidden,
        variables: &VARIABLES,
        output_max: LIST_MAX,
        watched: None,
        deadline: Some(Duration::from_secs(20)),
    };
    Ok(!program.run(&|_| {})?.output.is_empty())
}

/// A branch that is to be pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedRef {
    /// Its full name.
    pub name: String,
    /// Where it was seen there; none: nowhere.
    pub seen: Option<Oid>,
    /// Where it is to be.
    pub new: Oid,
    /// Whether it may go elsewhere than on.
    pub forced: bool,
}

/// Whether a variable is kept from git, and from what git starts.
fn is_hidden(name: &str) -> bool {
    name.starts_with("STRONGROOM_") || (name.starts_with("GIT_") && !KEPT.contains(&name))
}

/// How many bytes may come to lie at a place, so that the disk is not filled: they may be there twice, as they came and
/// as they are kept.
pub fn room_for_arrivals(place: &Path) -> io::Result<u64> {
    Ok(Space::at(place)?.free.saturating_sub(RESERVE) / 2)
}

/// The list of refs is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("its list of branches cannot be read: {0}")]
pub struct BadList(&'static str);

/// The branches of another repository, by their full names, and its refs that are no branches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listed {
    /// Branches.
    pub branches: BTreeMap<String, Oid>,
    /// Other refs.
    pub others: Vec<String>,
}

/// Reads what `git ls-remote` says: lines of an id, a tab and a name. Strict.
pub fn parse_list(text: &[u8]) -> Result<Listed, BadList> {
    let mut listed = Listed::default();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\n").ok_or(BadList("its last line does not end"))?;
        let tab = line.iter().position(|byte| *byte == b'\t');
        let (id, name) = line.split_at(tab.ok_or(BadList("a line has no tab"))?);
        let id = std::str::from_utf8(id).map_err(|_| BadList("an id is not hex"))?;
        let oid: Oid = match id.len() {
            64 => return Err(BadList("its ids are of another kind (SHA-256) than a vault's")),
            _ => id.parse().map_err(|_| BadList("an id is not 40 hex digits"))?,
        };
        // A name that is no text is none by which anything is found.
        let (is_text, name) = (std::str::from_utf8(&name[1..]).is_ok(), escaped(&name[1..]));
        if !is_text || !is_branch(&name) || !git2::Reference::is_valid_name(&name) {
            listed.others.push(name);
        } else if listed.branches.insert(name, oid).is_some() {
            return Err(BadList("a branch stands in it twice"));
        }
    }
    Ok(listed)
}

/// The last lines of what git said, for a person.
pub fn said(errors: &[u8]) -> String {
    let text = String::from_utf8_lossy(errors);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let from = lines.len().saturating_sub(6);
    let said: String = lines[from..].join("; ").chars().take(600).collect();
    if said.is_empty() {
        "git said nothing".to_owned()
    } else {
        said
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_that_git_would_obey_otherwise_are_refused() {
        for good in [
            "ssh://git@hub.example/vaults/north.git",
            "ssh://hub.example:2222/vaults/north.git",
            "https://hub.example/north.git",
            "https://mara@hub.example/north.git",
            "http://localhost:8080/north.git",
            "file:///srv/north.git",
            "git@hub.example:vaults/north.git",
            "hub:north.git",
            "/srv/vaults/north.git",
            "/srv/with:colon/north.git",
            "/srv/with space/north.git",
        ] {
            assert_eq!(RemoteUrl::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "-oProxyCommand=sh",
            "--upload-pack=sh",
            "ext::sh -c id",
            "fd::17",
            "foo::bar",
            "git://hub.example/north.git",
            "ftp://hub.example/north.git",
            "ssh://-oProxyCommand=sh/x",
            "ssh://git@-oProxyCommand=sh/x",
            "-h@x:y",
            "https://mara:secret@hub.example/north.git",
            "https:///north.git",
            "north.git",
            "../north.git",
            "./a:b",
            "hub:",
            ":north",
            "/srv/a\nb",
            "/srv/a\u{9b}b",
            " /srv/a",
            "file://localhost/srv/north.git",
            "file:///srv/My%20Vault",
            &format!("/{}", "x".repeat(URL_MAX)),
        ] {
            assert!(RemoteUrl::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(
            RemoteUrl::parse("file:///srv/x").unwrap().path(),
            Some(Path::new("/srv/x"))
        );
        assert_eq!(RemoteUrl::parse("hub:/srv/x").unwrap().path(), None);
        assert!(RemoteUrl::is_path("../x") && RemoteUrl::is_path("a/b:c") && !RemoteUrl::is_path("hub:x"));
        assert!(!RemoteUrl::is_path("https://hub.example/x"));
    }

    #[test]
    fn a_vault_that_is_worked_in_is_found_by_each_name_that_git_takes() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().display();
        for (place, address) in [
            ("a", format!("{root}/a")),
            ("b.git", format!("{root}/b")),
            ("c/.git", format!("file://{root}/c")),
            ("d.git/.git", format!("{root}/d")),
        ] {
            let url = RemoteUrl::parse(&address).unwrap();
            assert!(!url.is_in_use());
            let place = folder.path().join(place);
            std::fs::create_dir_all(&place).unwrap();
            std::fs::write(place.join(journal::NAME), "").unwrap();
            assert!(url.is_in_use(), "{address}");
        }
    }

    #[test]
    fn what_would_lead_git_elsewhere_is_kept_from_it() {
        for name in [
            "GIT_DIR",
            "GIT_WORK_TREE",
            "GIT_CONFIG_COUNT",
            "GIT_CONFIG_PARAMETERS",
            "GIT_TRACE",
        ] {
            assert!(is_hidden(name), "{name}");
        }
        assert!(is_hidden("GIT_ALTERNATE_OBJECT_DIRECTORIES") && is_hidden("STRONGROOM_PASSPHRASE_FILE"));
        for name in [
            "GIT_SSH_COMMAND",
            "GIT_ASKPASS",
            "SSH_AUTH_SOCK",
            "https_proxy",
            "HOME",
            "GIT_CONFIG_GLOBAL",
        ] {
            assert!(!is_hidden(name), "{name}");
        }
    }

    #[test]
    fn a_push_says_of_each_branch_how_it_may_move() {
        let url = RemoteUrl::parse("/srv/x").unwrap();
        let moved = |name: &str, seen, forced| PushedRef {
            name: name.to_owned(),
            seen,
            new: Oid([1; 20]),
            forced,
        };
        let (old, new) = (Oid([2; 20]), Oid([1; 20]));
        let moves = [
            moved("refs/heads/main", Some(old), false),
            moved("refs/heads/notes/00", Some(old), true),
            moved("refs/heads/notes/01", None, true),
        ];
        let job = GitJob::push(Path::new("/v"), &url, &moves);
        let words: Vec<String> = job
            .arguments
            .iter()
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        let at = words.iter().position(|word| word == "/srv/x").unwrap();
        let refs = ["main", "notes/00", "notes/01"].map(|name| format!("{new}:refs/heads/{name}"));
        assert_eq!(words[at + 1..], refs);
        let leases: Vec<&String> = words
            .iter()
            .filter(|word| word.starts_with("--force-with-lease"))
            .collect();
        assert_eq!(
            leases,
            [
                &format!("--force-with-lease=refs/heads/notes/00:{old}"),
                "--force-with-lease=refs/heads/notes/01:"
            ]
        );
        assert!(words.iter().all(|word| !word.starts_with('+') && word != "--force"));
    }

    #[test]
    fn a_list_is_read_strictly() {
        let id = "1".repeat(40);
        let text = format!("{id}\tHEAD\n{id}\trefs/heads/main\n{id}\trefs/tags/x\n{id}\trefs/heads/a..b\n");
        let listed = parse_list(text.as_bytes()).unwrap();
        assert_eq!(listed.branches.keys().collect::<Vec<_>>(), ["refs/heads/main"]);
        assert_eq!(listed.others, ["HEAD", "refs/tags/x", "refs/heads/a..b"]);
        assert_eq!(parse_list(b""), Ok(Listed::default()));
        for bad in [
            format!("{id}\trefs/heads/main"),
            format!("{id} refs/heads/main\n"),
            format!("{}\trefs/heads/main\n", "1".repeat(64)),
            format!("{}\trefs/heads/main\n", "G".repeat(40)),
            format!("{id}\trefs/heads/main\n").repeat(2),
        ] {
            assert!(parse_list(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_git_said_is_told_in_short() {
        assert_eq!(said(b"\n"), "git said nothing");
        assert_eq!(said(b"fatal: no\n\nplease\n"), "fatal: no; please");
        assert!(said("x".repeat(10_000).as_bytes()).len() <= 600);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_readers_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in ".{0,60}") {
            let _ = parse_list(&bytes);
            let _ = said(&bytes);
            let _ = RemoteUrl::parse(&text);
        }
    }
}
