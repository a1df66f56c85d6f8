//! The agent: what it holds, who may speak to it, what is left when it is gone.

use crate::house::{House, Ran, WHY, has, say};
use serde_json::Value;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// A home whose vault is unlocked until this is dropped.
struct Open(House);

impl Open {
    fn new() -> Self {
        let mut house = House::new();
        house.run(&["unlock"]).expect(0);
        // From here on nobody can be asked: what is done, the agent does.
        house.set("STRONGROOM_PASSPHRASE_FILE", "");
        Self(house)
    }

    fn agent(&self) -> u32 {
        agents(&self.0).first().copied().expect("an agent")
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.run(&["lock"]);
    }
}

/// The agents of a home.
fn agents(house: &House) -> Vec<u32> {
    let vault = house.vault().display().to_string();
    let mine = |pid: &u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
        words.get(1) == Some(&b"agent".as_slice()) && words.contains(&vault.as_bytes())
    };
    let all = std::fs::read_dir("/proc").unwrap();
    all.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok())
        .filter(mine)
        .collect()
}

fn socket(house: &House) -> PathBuf {
    let folder = std::fs::read_dir(house.root().join("run/strongroom")).unwrap();
    folder.map(|entry| entry.unwrap().path()).next().expect("a socket")
}

/// Whether `needle` stands in the writable memory of a process. Only root may look.
fn remembers(pid: u32, needle: &[u8]) -> bool {
    let Ok(maps) = std::fs::read_to_string(format!("/proc/{pid}/maps")) else {
        return false;
    };
    let Ok(mut memory) = std::fs::File::open(format!("/proc/{pid}/mem")) else {
        return false;
    };
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let range = line.split(' ').next().unwrap();
        let (from, to) = range.split_once('-').unwrap();
        let [from, to] = [from, to].map(|at| u64::from_str_radix(at, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        if memory.seek(SeekFrom::Start(from)).is_ok() && memory.read_exact(&mut bytes).is_ok() {
            let found = bytes.windows(needle.len()).any(|window| window == needle);
            if found {
                return true;
            }
        }
    }
    false
}

#[test]
fn what_the_agent_does_is_in_the_log_like_anything() {
    let open = Open::new();
    let house = &open.0;
    let id = house.add("A note by way of the agent.");
    assert_eq!(house.listed(), std::slice::from_ref(&id));
    assert!(house.show(&id).expect(0).contains("by way of the agent"));
    house.run(&["show", "00000000"]).expect(3);
    assert_eq!(house.shown(), [id]);
    let log = house.run(&["audit", "log", "--json"]).expect(0);
    let verbs: Vec<String> = log
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["details"]["verb"]
                .as_str()
                .unwrap_or("")
                .to_owned()
        })
        .collect();
    for verb in ["unlock", "add", "list", "show", "audit log"] {
        assert!(verbs.iter().any(|found| found == verb), "{verb}: {verbs:?}");
    }
    house.intact();
}

#[test]
fn files_and_streams_are_the_clients() {
    let open = Open::new();
    let house = &open.0;
    std::fs::write(house.root().join("tmp/relative.txt"), "From a file.").unwrap();
    house
        .run(&["add", "--label", "internal", "--file", "relative.txt"])
        .expect(0);
    let missing = house.run(&["add", "--label", "internal", "--file", "missing.txt"]);
    assert!(missing.err.contains("`missing.txt` does not exist"), "{}", missing.err);
    missing.expect(1);
    let mut piped = house.command(&["add", "--label", "internal", "--file", "-"]);
    let mut child = piped.stdin(std::process::Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"From a pipe.").unwrap();
    let id = Ran::from(child.wait_with_output().unwrap()).expect(0);
    assert_eq!(house.listed().len(), 2);
    // A release writes where the client says, and nothing over what is there.
    let draft = house.run(&[
        "brief",
        "draft",
        id.trim(),
        "--for",
        "internal",
        "--json",
        WHY[0],
        WHY[1],
        WHY[2],
        WHY[3],
    ]);
    let draft: Value = serde_json::from_str(&draft.expect(0)).unwrap();
    let draft = draft["draft"].as_str().unwrap();
    let release = |out: &str| {
        house.run(&[
            "brief",
            "release",
            draft,
            "--to",
            "day shift",
            "--out",
            out,
            WHY[0],
            WHY[1],
            WHY[2],
            WHY[3],
        ])
    };
    release("relative.txt").expect(1);
    release("brief.md").expect(0);
    let brief = std::fs::read_to_string(house.root().join("tmp/brief.md")).unwrap();
    assert!(brief.contains("TLP:"), "{brief}");
}

#[test]
fn git_reaches_a_remote_from_where_the_client_is() {
    let mut open = Open::new();
    let root = open.0.root().to_owned();
    let hub = root.join("hub.git");
    assert!(
        Command::new("git")
            .args(["init", "--quiet", "--bare"])
            .arg(&hub)
            .status()
            .unwrap()
            .success()
    );
    // A way to the host that the client alone knows, and that leads to this machine.
    let way = root.join("way");
    let words = format!(
        "#!/bin/sh\necho \"$@\" >> '{}'\nshift\nexec sh -c \"$*\"\n",
        root.join("asked").display()
    );
    std::fs::write(&way, words).unwrap();
    std::fs::set_permissions(&way, std::fs::Permissions::from_mode(0o755)).unwrap();
    open.0.run(&["add", "--label", "internal", "Gate."]).expect(0);
    open.0
        .run(&["remote", "add", &format!("hub.example:{}", hub.display())])
        .expect(0);
    let failed = open.0.run(&["sync"]);
    assert_eq!(failed.code, Some(1), "{failed:?}");
    open.0.set("GIT_SSH_COMMAND", &way.display().to_string());
    open.0.set("GIT_SSH_VARIANT", "simple");
    open.0.set("GIT_DIR", "/nonexistent");
    let done = open.0.run(&["sync", "--json"]).expect(0);
    let done: Value = serde_json::from_str(&done).unwrap();
    assert_eq!(done["pushed"]["refs"], 5, "{done}");
    let again = open.0.run(&["sync", "--json"]).expect(0);
    assert_eq!(serde_json::from_str::<Value>(&again).unwrap()["pushed"]["refs"], 0);
    let asked = std::fs::read_to_string(root.join("asked")).unwrap();
    assert!(
        asked.contains("git-receive-pack") && !asked.contains(crate::house::PASSPHRASE),
        "{asked}"
    );
    let copy = root.join("copy").display().to_string();
    open.0
        .run(&["clone", &format!("hub.example:{}", hub.display()), "--vault", &copy])
        .expect(0);
    open.0.run(&["audit", "verify", "--vault", &copy]).expect(0);
}

#[test]
fn after_lock_nothing_answers_and_no_key_is_left() {
    let open = Open::new();
    let house = &open.0;
    house.add("Something to read.");
    let (pid, socket) = (open.agent(), socket(house));
    if is_root() {
        // The handle stands beside the keys: the look sees what is there before the lock.
        assert!(remembers(pid, b"mara"));
    } else {
        say("skipped: only root may look into the agent's memory");
    }
    house.run(&["lock"]).expect(0);
    // Until somebody collects its exit code it may have an entry in /proc, and no memory.
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    assert_eq!(maps, "", "the process has memory after lock");
    assert!(!remembers(pid, b"mara"));
    assert!(!socket.exists());
    house.run(&["list"]).expect(6);
    assert!(UnixStream::connect(&socket).is_err());
}

fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let uid = status.lines().find(|line| line.starts_with("Uid:")).unwrap();
    uid.split_whitespace().nth(2) == Some("0")
}

#[test]
fn it_is_closed_to_core_files_and_debuggers_and_its_keys_stay_in_memory() {
    let open = Open::new();
    let proc = PathBuf::from(format!("/proc/{}", open.agent()));
    let limits = std::fs::read_to_string(proc.join("limits")).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    assert_eq!(core.split_whitespace().filter(|word| *word == "0").count(), 2, "{core}");
    let status = std::fs::read_to_string(proc.join("status")).unwrap();
    let locked = status.lines().find(|line| line.starts_with("VmLck:")).unwrap();
    assert_ne!(locked.split_whitespace().nth(1), Some("0"), "{locked}");
    let told: Value = serde_json::from_str(&open.0.run(&["status", "--json"]).expect(0)).unwrap();
    assert_eq!(
        (&told["unlocked"], &told["kept_in_memory"]),
        (&true.into(), &true.into())
    );
    // It has left the terminal and the folder that it was started from, and keeps no file of the client's open.
    assert_eq!(std::fs::read_link(proc.join("cwd")).unwrap(), Path::new("/"));
    for fd in ["0", "1", "2"] {
        assert_eq!(
            std::fs::read_link(proc.join("fd").join(fd)).unwrap(),
            Path::new("/dev/null")
        );
    }
    // A crash that is forced on it leaves no core file, and its clients an error.
    let pid = open.agent().to_string();
    assert!(Command::new("kill").args(["-ABRT", &pid]).status().unwrap().success());
    let begun = Instant::now();
    while agents(&open.0).contains(&pid.parse().unwrap()) && begun.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(20));
    }
    for folder in [
        open.0.root(),
        &open.0.root().join("tmp"),
        Path::new("/"),
        &open.0.vault(),
    ] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().to_string_lossy().into_owned();
            assert!(
                name != "core" && name != format!("core.{pid}"),
                "{name} in {}",
                folder.display()
            );
        }
    }
    open.0.run(&["list"]).expect(6);
    open.0.intact();
}

#[test]
fn nobody_waits_for_an_agent_that_was_stopped() {
    let house = House::new();
    house.run(&["unlock"]).expect(0);
    let pid = agents(&house)[0].to_string();
    let signal = |name: &str| Command::new("kill").args([name, &pid]).status().unwrap().success();
    assert!(signal("-STOP"));
    let begun = Instant::now();
    for arguments in [&["add", "CANARY-7f"][..], &["status"], &["lock"]] {
        let refused = house.run(arguments);
        assert!(refused.err.contains("does not answer"), "{}", refused.err);
        assert!(refused.err.contains("pkill -CONT"), "{}", refused.err);
        refused.expect(1);
    }
    assert!(begun.elapsed() < Duration::from_secs(60));
    assert!(signal("-CONT"));
    // It locks now, as it was told: nothing was added.
    while agents(&house).contains(&pid.parse().unwrap()) && begun.elapsed() < Duration::from_secs(90) {
        std::thread::sleep(Duration::from_millis(20));
    }
    house.run(&["unlock"]).expect(0);
    assert_eq!(house.listed().len(), 0);
    house.run(&["lock"]).expect(0);
    house.intact();
}

#[test]
fn a_planted_or_stale_socket_is_not_used() {
    let mut house = House::new();
    house.run(&["unlock"]).expect(0);
    let socket = socket(&house);
    let pid = agents(&house)[0].to_string();
    assert!(Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
    std::thread::sleep(Duration::from_millis(100));
    // Stale: it is there and nobody listens. Commands ask again, and `unlock` puts a new one in its place.
    assert!(socket.exists());
    let told: Value = serde_json::from_str(&house.run(&["status", "--json"]).expect(0)).unwrap();
    assert_eq!(told["unlocked"], false);
    assert_eq!(house.listed().len(), 0);
    house.run(&["unlock"]).expect(0);
    house.run(&["lock"]).expect(0);
    // Planted: a file, a link to somebody else's socket, and a folder that is open to others.
    house.set("STRONGROOM_PASSPHRASE_FILE", "");
    std::fs::write(&socket, "").unwrap();
    let refused = house.run(&["add", "CANARY-7f"]);
    assert!(refused.err.contains("not used"), "{}", refused.err);
    refused.expect(1);
    std::fs::remove_file(&socket).unwrap();
    let elsewhere = house.root().join("elsewhere");
    let _listener = UnixListener::bind(&elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &socket).unwrap();
    house.run(&["list"]).expect(1);
    std::fs::remove_file(&socket).unwrap();
    let folder = socket.parent().unwrap();
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o777)).unwrap();
    house.run(&["list"]).expect(1);
}

#[test]
fn another_user_is_turned_away() {
    if !is_root() {
        return say("skipped: only root can be another user here");
    }
    if !has("setpriv") || !has("sh") {
        return;
    }
    let open = Open::new();
    let house = &open.0;
    house.add("CANARY of one user.");
    // Even where somebody opened every door to it, the agent does not answer another user.
    let socket = socket(house);
    let doors: Vec<&Path> = socket
        .ancestors()
        .take_while(|path| path.starts_with(house.root()))
        .collect();
    let program = house.root().join("tmp/strongroom");
    std::fs::copy(env!("CARGO_BIN_EXE_strongroom"), &program).unwrap();
    // The folders of the defaults too: what bars the other user has to be the agent.
    let more = ["tmp", "config", "config/strongroom"].map(|name| house.root().join(name));
    let more = more.iter().map(std::path::PathBuf::as_path);
    for door in doors.into_iter().chain([program.as_path()]).chain(more) {
        std::fs::set_permissions(door, std::fs::Permissions::from_mode(0o777)).unwrap();
    }
    let mut other = house.program(program.to_str().unwrap());
    let ran = Ran::from(
        other
            .args(["--no-input", "list"])
            .uid(65_534)
            .gid(65_534)
            .output()
            .unwrap(),
    );
    assert!(ran.code != Some(0) && ran.out.is_empty(), "{ran:?}");
    assert!(ran.err.contains("another user"), "{}", ran.err);
    // And without our client's own care: the bare socket.
    let raw = UnixStreamAs(65_534).first_byte(&socket);
    assert_eq!(raw, None, "the agent spoke to another user");
    std::fs::set_permissions(
        house.root().join("run/strongroom"),
        std::fs::Permissions::from_mode(0o700),
    )
    .unwrap();
    assert_eq!(house.listed().len(), 1);
}

/// Another user at the socket: this test program once more, under that user's id.
struct UnixStreamAs(u32);

impl UnixStreamAs {
    fn first_byte(&self, socket: &Path) -> Option<u8> {
        let me = socket.with_file_name("visitor");
        std::fs::copy(std::env::current_exe().unwrap(), &me).unwrap();
        std::fs::set_permissions(&me, std::fs::Permissions::from_mode(0o755)).unwrap();
        let output = Command::new(&me)
            .args(["--ignored", "--exact", "agent::visit", "--nocapture"])
            .env("VISITED", socket)
            .uid(self.0)
            .gid(self.0)
            .current_dir("/")
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            told.contains("visited:"),
            "{told}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        told.split("visited:").nth(1)?.split_whitespace().next()?.parse().ok()
    }
}

#[test]
#[ignore = "run by `another_user_is_turned_away` as another user"]
fn visit() {
    let Some(socket) = std::env::var_os("VISITED") else {
        return;
    };
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    // A request for the status, as a client of ours makes it: CBOR [1, []].
    let _ = stream.write_all(&[0, 0, 0, 3, 0x82, 0x01, 0x80]);
    let mut byte = [0];
    match stream.read(&mut byte) {
        Ok(1) => say(format_args!("visited: {}", byte[0])),
        _ => say("visited: nothing"),
    }
}

#[test]
fn the_bare_request_of_the_visitor_is_one_that_is_answered() {
    // Without this the test above would also pass with a request that nobody understands.
    let open = Open::new();
    let mut stream = UnixStream::connect(socket(&open.0)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream.write_all(&[0, 0, 0, 3, 0x82, 0x01, 0x80]).unwrap();
    let mut byte = [0xff];
    assert_eq!(stream.read(&mut byte).unwrap(), 1);
}

#[test]
fn it_locks_itself_when_it_is_idle_and_only_then() {
    let mut house = House::new();
    house.run(&["unlock", "--for", "2s"]).expect(0);
    house.set("STRONGROOM_PASSPHRASE_FILE", "");
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(4) {
        assert_eq!(house.listed().len(), 0, "it was in use and locked itself");
        std::thread::sleep(Duration::from_millis(300));
    }
    std::thread::sleep(Duration::from_millis(3500));
    house.run(&["list"]).expect(6);
    assert_eq!(agents(&house), Vec::<u32>::new());
}

#[test]
fn a_wrong_passphrase_unlocks_nothing_and_is_entered_later() {
    let mut house = House::new();
    let right = house.root().join("passphrase");
    let wrong = house.root().join("wrong");
    std::fs::write(&wrong, "not this one").unwrap();
    house.set("STRONGROOM_PASSPHRASE_FILE", wrong.to_str().unwrap());
    house.run(&["unlock"]).expect(6);
    house.run(&["unlock"]).expect(6);
    house.run(&["unlock"]).expect(6);
    assert_eq!(agents(&house), Vec::<u32>::new());
    let begun = Instant::now();
    let fourth = house.run(&["unlock"]);
    assert!(fourth.err.contains("waiting 1 s"), "{}", fourth.err);
    assert!(begun.elapsed() >= Duration::from_secs(1));
    fourth.expect(6);
    house.set("STRONGROOM_PASSPHRASE_FILE", right.to_str().unwrap());
    house.run(&["unlock"]).expect(0);
    let log = house.run(&["audit", "log", "--json"]).expect(0);
    let times: usize = log
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["details"]["times"]
                .as_array()
                .map_or(0, Vec::len)
        })
        .sum();
    assert_eq!(times, 4);
    house.run(&["lock"]).expect(0);
}

#[test]
fn a_new_passphrase_opens_and_the_old_one_does_not() {
    let mut house = House::new();
    let (old, new) = (house.root().join("passphrase"), house.root().join("new"));
    std::fs::write(&new, "copper lantern midnight ferry\n").unwrap();
    // Asked for twice from one source, the present and the new would be the same: the command gives each its turn.
    let turns = house.root().join("turns");
    let command = format!(
        "if [ -e '{0}' ]; then cat '{1}'; else touch '{0}'; cat '{2}'; fi",
        turns.display(),
        new.display(),
        old.display()
    );
    house.set("STRONGROOM_PASSPHRASE_FILE", "");
    house.set("STRONGROOM_PASSPHRASE_COMMAND", &command);
    house.run(&["passphrase"]).expect(0);
    house.set("STRONGROOM_PASSPHRASE_COMMAND", "");
    house.set("STRONGROOM_PASSPHRASE_FILE", old.to_str().unwrap());
    house.run(&["list"]).expect(6);
    house.set("STRONGROOM_PASSPHRASE_FILE", new.to_str().unwrap());
    house.run(&["list"]).expect(0);
    house.intact();
}

#[test]
fn a_mistyped_passphrase_leaves_what_is_unlocked_as_it_was() {
    let mut open = Open::new();
    let agent = open.agent();
    let wrong = open.0.root().join("wrong");
    std::fs::write(&wrong, "not this one").unwrap();
    open.0.set("STRONGROOM_PASSPHRASE_FILE", wrong.to_str().unwrap());
    open.0.run(&["unlock"]).expect(6);
    assert_eq!(open.agent(), agent);
    // The right one begins anew: one agent, another one.
    let right = open.0.root().join("passphrase");
    open.0.set("STRONGROOM_PASSPHRASE_FILE", right.to_str().unwrap());
    open.0.run(&["unlock"]).expect(0);
    assert!(agents(&open.0).len() == 1 && open.agent() != agent);
}

#[test]
fn who_comes_back_in_with_a_recovery_key_meets_no_agent_of_the_lost_identity() {
    let house = House::empty();
    let page = house.root().join("page");
    let page = page.to_str().unwrap();
    house.run(&["init", "--name", "mara", "--recovery-key", page]).expect(0);
    house.run(&["unlock"]).expect(0);
    let lost = house.root().join("lost");
    std::fs::rename(house.identity(), &lost).unwrap();
    house.run(&["recovery", "use", page]).expect(0);
    assert_eq!(agents(&house), Vec::<u32>::new());
    house.run(&["list"]).expect(0);
    // Two identities on one computer, and neither takes the other's memory for its own.
    let other = ["--identity", lost.to_str().unwrap()];
    house.run(&["list", other[0], other[1]]).expect(0);
    house.run(&["list"]).expect(0);
    house.run(&["list", other[0], other[1]]).expect(0);
    house.intact();
}
