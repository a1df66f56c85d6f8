//! Two computers' worth of network: a hub in a network namespace of its own, with an sshd and the guard, and the officers in
//! another, a cable between them that is pulled out and put back.
//!
//! Needs root, `ip` and `sshd`; where these are not there that is said on standard error with the word `skipped`.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_strongroom");
const SSHD: &str = "/usr/sbin/sshd";
const PORT: u16 = 2222;

/// Says so past the test harness, which keeps back what a passing test prints.
fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap()
}

fn ip(words: &str) -> bool {
    let ran = Command::new("ip").args(words.split(' ')).stdin(Stdio::null()).output();
    ran.is_ok_and(|ran| ran.status.success())
}

/// Both places and what lies in them; taken down when dropped.
struct Network {
    root: tempfile::TempDir,
    number: u32,
    sshd: Option<Child>,
}

impl Drop for Network {
    fn drop(&mut self) {
        if let Some(mut sshd) = self.sshd.take() {
            let _ = sshd.kill();
            let _ = sshd.wait();
        }
        ip(&format!("netns del {}", self.place("hub")));
        ip(&format!("netns del {}", self.place("far")));
    }
}

impl Network {
    /// None where there cannot be one.
    fn new() -> Option<Self> {
        let network = Self {
            root: tempfile::tempdir().unwrap(),
            number: std::process::id() % 200,
            sshd: None,
        };
        let (hub, far) = (network.place("hub"), network.place("far"));
        if !Path::new(SSHD).exists() {
            skipped("`sshd` is not installed here");
            return None;
        }
        if !(ip(&format!("netns add {hub}")) && ip(&format!("netns add {far}"))) {
            skipped("no network namespaces can be made here");
            return None;
        }
        let cable = format!("link add near netns {hub} type veth peer name cable netns {far}");
        let steps = [
            cable,
            format!("-n {hub} addr add {}/24 dev near", network.address(1)),
            format!("-n {far} addr add {}/24 dev cable", network.address(2)),
            format!("-n {hub} link set lo up"),
            format!("-n {hub} link set near up"),
            format!("-n {far} link set cable up"),
        ];
        if let Some(step) = steps.iter().find(|step| !ip(step)) {
            skipped(&format!("`ip {step}` is refused here"));
            return None;
        }
        network.serve()
    }

    fn place(&self, name: &str) -> String {
        format!("strongroom-{name}-{}", std::process::id())
    }

    fn address(&self, end: u8) -> String {
        format!("10.77.{}.{end}", self.number)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Starts the hub's sshd, which knows one key.
    fn serve(mut self) -> Option<Self> {
        for key in ["host", "user"] {
            let made = run(Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(self.path(key)));
            assert!(made.status.success(), "{made:?}");
        }
        std::fs::create_dir_all("/run/sshd").unwrap();
        let host = std::fs::read_to_string(self.path("host.pub")).unwrap();
        let known = format!("[{}]:{PORT} {host}", self.address(1));
        std::fs::write(self.path("known"), known).unwrap();
        let config = format!(
            "Port {PORT}\nListenAddress {}\nHostKey {}\nAuthorizedKeysFile {}\nPermitRootLogin prohibit-password\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nStrictModes no\nPidFile none\n",
            self.address(1),
            self.path("host").display(),
            self.path("user.pub").display(),
        );
        std::fs::write(self.path("sshd_config"), config).unwrap();
        let mut sshd = Command::new("ip");
        sshd.args(["netns", "exec", &self.place("hub"), SSHD, "-D", "-e", "-f"])
            .arg(self.path("sshd_config"));
        self.sshd = Some(
            sshd.stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        );
        let begun = Instant::now();
        while !self.ssh(&["true"]).status.success() {
            if begun.elapsed() > Duration::from_secs(30) {
                skipped("`sshd` does not answer here");
                return None;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Some(self)
    }

    fn ssh_words(&self) -> String {
        format!(
            "ssh -F none -i {} -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile={} -o BatchMode=yes",
            self.path("user").display(),
            self.path("known").display()
        )
    }

    /// A command of the officers' side.
    fn far(&self, home: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.place("far"), "env", "-i"]);
        let home = self.path(home);
        std::fs::create_dir_all(home.join("run")).unwrap();
        command.arg(format!("PATH={}", std::env::var("PATH").unwrap()));
        command.arg(format!("HOME={}", home.display()));
        command.arg(format!("XDG_RUNTIME_DIR={}", home.join("run").display()));
        command.arg(format!(
            "STRONGROOM_PASSPHRASE_FILE={}",
            self.path("passphrase").display()
        ));
        command.arg(format!("GIT_SSH_COMMAND={}", self.ssh_words()));
        command
    }

    fn ssh(&self, words: &[&str]) -> Output {
        let mut command = self.far("nobody");
        let ssh = self.ssh_words();
        command.args(ssh.split(' '));
        command.args(["-p", &PORT.to_string(), &format!("root@{}", self.address(1))]);
        run(command.args(words))
    }

    fn url(&self) -> String {
        format!(
            "ssh://root@{}:{PORT}{}",
            self.address(1),
            self.path("hub.git").display()
        )
    }

    /// What somebody's command says, and its exit code.
    fn says(&self, who: &str, words: &[&str]) -> (i32, String) {
        let ran = run(self.far(who).arg(PROGRAM).args(words));
        let all = [ran.stdout, ran.stderr].concat();
        (ran.status.code().unwrap(), String::from_utf8_lossy(&all).into_owned())
    }

    fn does(&self, who: &str, words: &[&str]) -> String {
        let (code, said) = self.says(who, words);
        assert_eq!(code, 0, "{who}: {words:?}: {said}");
        said
    }
}

#[test]
fn two_officers_work_over_ssh_and_through_a_pulled_cable() {
    let Some(network) = Network::new() else { return };
    std::fs::write(network.path("passphrase"), "orchid tractor velvet magnet\n").unwrap();
    let hub = network.path("hub.git");
    assert!(
        run(Command::new("git").args(["init", "--quiet", "--bare"]).arg(&hub))
            .status
            .success()
    );
    assert!(
        run(Command::new(PROGRAM).args(["guard", "--install"]).arg(&hub))
            .status
            .success()
    );
    network.does("mara", &["init", "--name", "mara", "--quiet"]);
    network.does(
        "mara",
        &[
            "add",
            "--label",
            "internal",
            "--title",
            "one",
            "The north gate sticks.",
            "--quiet",
        ],
    );
    network.does("mara", &["remote", "add", &network.url()]);
    network.does("mara", &["sync"]);
    network.does("jon", &["clone", &network.url()]);
    let request = network.path("jon.request");
    let request = request.to_str().unwrap();
    network.does("jon", &["member", "request", "--name", "jon", "--out", request]);
    network.does("mara", &["member", "admit", request, "--clearance", "internal"]);
    network.does("jon", &["sync"]);
    assert!(network.does("jon", &["list"]).contains("one"));

    // The cable is out: both write, and nothing is lost.
    let far = network.place("far");
    assert!(ip(&format!("-n {far} link set cable down")));
    network.does(
        "mara",
        &["add", "--label", "internal", "--title", "two", "Mended.", "--quiet"],
    );
    network.does(
        "jon",
        &[
            "add",
            "--label",
            "internal",
            "--title",
            "three",
            "Sticks again.",
            "--quiet",
        ],
    );
    let (code, said) = network.says("jon", &["sync"]);
    assert!(code == 1 && said.contains("nothing was lost"), "{code} {said}");
    assert!(ip(&format!("-n {far} link set cable up")));
    for who in ["jon", "mara", "jon"] {
        network.does(who, &["sync"]);
    }
    for who in ["jon", "mara"] {
        let list = network.does(who, &["list"]);
        assert!(
            ["one", "two", "three"].iter().all(|title| list.contains(title)),
            "{who}: {list}"
        );
        assert!(network.does(who, &["audit", "verify"]).contains("intact"));
    }

    // Who rewrites a log with stock git is refused at the door, whosever log it is. The lists above are entries of their own:
    // only after a sync is one commit back behind what the hub has.
    network.does("mara", &["sync"]);
    let vault = network.path("mara").join(".local/share/strongroom/vault");
    let git = |words: &[&str]| {
        run(network
            .far("mara")
            .args(["git", "-C", vault.to_str().unwrap()])
            .args(words))
    };
    let branches = git(&["for-each-ref", "--format=%(refname)", "refs/heads/audit"]);
    let branches = String::from_utf8(branches.stdout).unwrap();
    assert_eq!(branches.lines().count(), 2, "{branches}");
    for branch in branches.lines() {
        let refused = git(&["push", &network.url(), &format!("+{branch}~1:{branch}")]);
        let words = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(
            !refused.status.success() && words.contains("case 18"),
            "{branch}: {words}"
        );
    }
    network.does("jon", &["sync"]);
}
