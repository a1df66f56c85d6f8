#!/usr/bin/env python3
"""Ten everyday tasks in a real shell with completion, counted key by key: this program beside pass and jrnl.

    python3 benches/keystrokes.py target/release/strongroom

Each task is typed at an interactive bash on a terminal of its own, whose result is looked at before it counts. A key is what a
finger presses: a letter, Tab, Return. Words that are the person's own (the text recorded) count for nobody. Each program is
typed the shortest way found, with what it brings: pass and this program have completions, and this one the short name
that `completions --short` gives. Passwords are not asked: gpg's key has none here, and the vault is unlocked.
Time is from the last key to the next prompt, the median of the runs. What is not installed is said.
"""
import os, pty, re, select, shutil, statistics, subprocess, sys, tempfile, time

PROMPT = "READY> "
TAB, RET = "\t", "\r"
RUNS = 5


class Shell:
    """A bash at a terminal, typed at key by key."""

    def __init__(self, home, rc):
        env = {
            "HOME": home, "PATH": os.environ["PATH"], "TERM": "dumb", "LANG": "C.UTF-8", "EDITOR": os.path.join(home, "editor"),
            "GNUPGHOME": os.path.join(home, ".gnupg"), "INPUTRC": "/dev/null",
        }
        path = os.path.join(home, "rc")
        with open(path, "w") as file:
            file.write(f"{rc}\nPS1='{PROMPT}'\nbind 'set bell-style none'\nbind 'set enable-bracketed-paste off'\n")
        pid, self.fd = pty.fork()
        if pid == 0:
            os.chdir(home)
            os.execvpe("bash", ["bash", "--noprofile", "--rcfile", path, "-i"], env)
        self.read_to(PROMPT)

    def read_to(self, wanted, patience=60):
        seen, end = "", time.monotonic() + patience
        while wanted not in seen:
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise SystemExit(f"`{wanted}` did not come; there was: {seen[-2000:]!r}")
            seen += os.read(self.fd, 65536).decode(errors="replace")
        return seen

    def quiet(self, still=0.25):
        """Reads until nothing has come for a while."""
        seen = ""
        while select.select([self.fd], [], [], still)[0]:
            seen += os.read(self.fd, 65536).decode(errors="replace")
        return seen

    def run(self, keys):
        """Types; gives what was seen, and the seconds from the last key to the prompt."""
        seen = ""
        for key in keys[:-1]:
            os.write(self.fd, key.encode())
            # A completion has to be back before the next key, and a program at its question.
            if key in (TAB, RET):
                seen += self.quiet()
        begun = time.monotonic()
        os.write(self.fd, keys[-1].encode())
        seen += self.read_to(PROMPT)
        return seen, time.monotonic() - begun


def keys(*parts):
    """The keys of a task, and how many of them are not the person's own text. A part in a tuple is own text."""
    typed = [part[0] if isinstance(part, tuple) else part for part in parts]
    return "".join(typed), sum(len(part) for part in parts if not isinstance(part, tuple))


# What is in each world before anything is typed: a name for pass, a title for the others, and the text.
NOTES = [
    ("gate", "Gate of the north lane found open", "The chain was cut at two."),
    ("kestrel", "Kestrel nests on the fence", "Patrols keep to the other side."),
    ("torch", "Torch of car 2 went out", "There were no spare batteries."),
]
LINE = "Van waited an hour at the lane"

XCLIP = """#!/bin/sh
case " $* " in *" -o "*) cat "$HOME/clip" ;; *) cat > "$HOME/clip" ;; esac
"""
EDITOR = """#!/bin/sh
echo 'Written in an editor.' >> "$1"
"""


def sh(home, *words, text=None, **more):
    env = {"HOME": home, "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "GNUPGHOME": home + "/.gnupg", **more}
    done = subprocess.run(words, env=env, cwd=home, input=text, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{words}: {done.stdout}{done.stderr}")
    return done.stdout


def home_of(name):
    home = tempfile.mkdtemp(prefix=f"keys-{name}-")
    os.mkdir(home + "/bin")
    for file, text in [("bin/xclip", XCLIP), ("editor", EDITOR)]:
        with open(f"{home}/{file}", "w") as out:
            out.write(text)
        os.chmod(f"{home}/{file}", 0o755)
    return home


CLIP = "export DISPLAY=:9 PATH=$HOME/bin:$PATH"


class Strongroom:
    name = "strongroom"

    def __init__(self, program):
        self.program = os.path.abspath(program)

    def world(self):
        home = home_of(self.name)
        os.symlink(self.program, home + "/bin/strongroom")
        os.makedirs(home + "/.config/strongroom")
        os.mkdir(home + "/run", 0o700)
        with open(home + "/.config/strongroom/config.toml", "w") as out:
            out.write('label = "internal"\n')
        with open(home + "/pass", "w") as out:
            out.write("correct horse gate kestrel\n")
        env = {"STRONGROOM_PASSPHRASE_FILE": home + "/pass", "XDG_RUNTIME_DIR": home + "/run"}
        sh(home, self.program, "init", "--name", "mara", **env)
        for _, title, text in NOTES:
            sh(home, self.program, "add", "--title", title, "--file", "-", text=text, **env)
        sh(home, "git", "init", "-q", "--bare", home + "/hub.git")
        sh(home, self.program, "remote", "add", home + "/hub.git", **env)
        sh(home, self.program, "unlock", **env)
        rc = f"{CLIP} XDG_RUNTIME_DIR=$HOME/run\nsource <(strongroom completions bash --short sr)"
        return home, Shell(home, rc)

    def end(self, home):
        sh(home, self.program, "lock", XDG_RUNTIME_DIR=home + "/run")

    tasks = {
        "record a line": (keys("sr a ", (LINE,), RET), "recorded as internal"),
        "write in the editor": (keys("sr a", RET), "recorded as internal"),
        "list all": (keys("sr l", RET), "Kestrel nests"),
        "read one, known by name": (keys("sr s g", RET), "chain was cut"),
        # It asks what for, in case what is restricted is wanted too: Return leaves that out.
        "search the texts": (keys("sr f cut", RET, RET), "Gate of the north"),
        "edit one": (keys("sr e k", RET), "recorded as revision 2"),
        "what changed": (keys("sr hi", TAB, "k", RET), r"2\s+[0-9a-f]{8}"),
        "to the clipboard": (keys("sr s -c to", RET), "clipboard"),
        "delete one": (keys("sr rm to", RET, "yes", RET), "destroyed"),
        "share with the others": (keys("sr sy", TAB, RET), "origin"),
    }


class Pass:
    name = "pass"

    def world(self):
        home = home_of(self.name)
        os.mkdir(home + "/.gnupg", 0o700)
        sh(home, "gpg", "--batch", "--passphrase", "", "--quick-gen-key", "mara@example.org", "default", "default", "never")
        sh(home, "pass", "init", "mara@example.org")
        sh(home, "git", "config", "--global", "user.email", "mara@example.org")
        sh(home, "git", "config", "--global", "user.name", "mara")
        sh(home, "git", "config", "--global", "core.pager", "cat")
        sh(home, "pass", "git", "init")
        for name, title, text in NOTES:
            sh(home, "pass", "insert", "-m", name, text=f"{title}\n{text}\n")
        sh(home, "git", "init", "-q", "--bare", home + "/hub.git")
        sh(home, "pass", "git", "remote", "add", "origin", home + "/hub.git")
        sh(home, "pass", "git", "push", "-u", "origin", "HEAD")
        return home, Shell(home, f"{CLIP}\nsource /usr/share/bash-completion/bash_completion\nsource /usr/share/bash-completion/completions/pass")

    def end(self, home):
        assert LINE in sh(home, "pass", "show", "v")
        assert "Written" in sh(home, "pass", "show", "w") and "Written" in sh(home, "pass", "show", "kestrel")
        assert "torch" in sh(home, "git", "-C", home + "/hub.git", "log")
        sh(home, "gpgconf", "--kill", "all")

    tasks = {
        "record a line": (keys("pass ins", TAB, "-e v", RET, (LINE,), RET), None),
        "write in the editor": (keys("pass ed", TAB, "w", RET), None),
        "list all": (keys("pass", RET), "kestrel"),
        "read one, known by name": (keys("pass ga", TAB, RET), "chain was cut"),
        "search the texts": (keys("pass gr", TAB, "cut", RET), "gate"),
        "edit one": (keys("pass ed", TAB, "k", TAB, RET), None),
        "what changed": (keys("pass git log", RET), "commit"),
        "to the clipboard": (keys("pass -c t", TAB, RET), "clipboard"),
        "delete one": (keys("pass rm t", TAB, RET, "y", RET), "removed"),
        "share with the others": (keys("pass git push", RET), None),
    }


class Jrnl:
    name = "jrnl"

    def world(self):
        home = home_of(self.name)
        os.makedirs(home + "/.config/jrnl")
        with open(home + "/.config/jrnl/jrnl.yaml", "w") as out:
            out.write(
                f"colors: {{body: none, date: none, tags: none, title: none}}\ndefault_hour: 9\ndefault_minute: 0\neditor: {home}/editor\n"
                f"encrypt: false\nhighlight: true\nindent_character: '|'\njournals: {{default: {{journal: {home}/journal.txt}}}}\n"
                "linewrap: 79\ntagsymbols: '#@'\ntemplate: false\ntimeformat: '%F %H:%M'\nversion: v4.2\n"
            )
        for _, title, text in NOTES:
            sh(home, "jrnl", f"{title}.", text)
        return home, Shell(home, CLIP)

    def end(self, home):
        with open(home + "/journal.txt") as file:
            journal = file.read()
        assert LINE in journal and journal.count("Written") == 2 and "Torch" not in journal, journal

    tasks = {
        "record a line": (keys("jrnl ", (LINE,), RET), None),
        "write in the editor": (keys("jrnl", RET), None),
        "list all": (keys("jrnl -9", RET), "Kestrel"),
        "read one, known by name": (keys("jrnl -contains gate", RET), "chain was cut"),
        "search the texts": (keys("jrnl -contains cut", RET), "Gate of the north"),
        "edit one": (keys("jrnl -contains kest --edit", RET), "modified"),
        "delete one": (keys("jrnl -contains torch --delete", RET, "y", RET), "deleted"),
    }


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else "target/release/strongroom"
    ours, *peers = everybody = [Strongroom(program), Pass(), Jrnl()]
    missing = [one for one in peers if not shutil.which(one.name)]
    everybody = [one for one in everybody if one not in missing]
    took = {}
    for one in everybody:
        for _ in range(RUNS):
            home, shell = one.world()
            for task, ((typed, _), expected) in one.tasks.items():
                seen, seconds = shell.run(typed)
                if expected and not re.search(expected, seen):
                    raise SystemExit(f"{one.name}, {task}: {seen!r}")
                took.setdefault((one.name, task), []).append(seconds)
            one.end(home)
            shutil.rmtree(home, ignore_errors=True)
    lines = ["| task | " + " | ".join(f"{one.name}: keys, ms" for one in everybody) + " |", "| --- |" + " --- |" * len(everybody)]
    worse = []
    for task in ours.tasks:
        cells, counts, times = [], {}, {}
        for one in everybody:
            if task not in one.tasks:
                cells.append("cannot")
                continue
            counts[one.name] = one.tasks[task][0][1]
            times[one.name] = statistics.median(took[one.name, task])
            cells.append(f"{counts[one.name]}, {times[one.name] * 1000:.0f}")
        lines.append(f"| {task} | " + " | ".join(cells) + " |")
        best = [min(what[name] for name in what if name != ours.name) for what in (counts, times) if len(what) > 1]
        if best and counts[ours.name] > best[0]:
            worse.append(f"{task}: {counts[ours.name] - best[0]} keys more")
        if best and times[ours.name] > best[1]:
            worse.append(f"{task}: {(times[ours.name] - best[1]) * 1000:.0f} ms longer")
    print("\n".join(lines))
    for one in missing:
        print(f"not installed: {one.name}")
    print("behind the better of them: " + ("; ".join(worse) or "nowhere"))


if __name__ == "__main__":
    main()
