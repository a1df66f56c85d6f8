#!/usr/bin/env python3
"""kill -9 over all commands: `python3 tests/kills.py target/release/strongroom [KILLS [SEED]]`.

Mara leads, Jon is an officer; each has a clone, and a bare repository lies between them. Kim sits at Jon's computer and may break
glass. Every command that does anything with a vault is given so that it succeeds, and killed at a moment of chance, half of the
time with the agent that works for it; a build with debug assertions also dies between durable steps. What git was started for goes
on by itself. All of it lies in a folder that goes away, and there are new vaults after some hundred kills.

What was acknowledged before a kill has to be there, what was seen has to be on record, and what stands in a place of its own has to
be whole, or to be had by giving the command again. Now and then the vaults are looked at: intact, nothing lost, nothing left over,
nothing to be mended by hand; before they go away both hold the same. What was done is counted. Where KILLS_EVIDENCE names a folder
that is not there yet, the vaults are copied to it at the first fault.
"""

import collections, datetime, fcntl, io, json, os, pty, random, re, select, shutil, signal, struct, subprocess, sys, tarfile, tempfile
import termios, time
from itertools import takewhile
from pathlib import Path
from types import SimpleNamespace

WHY = ("--purpose", "duty", "--why", "shift briefing")
PATIENCE = 180  # seconds that a command may take
LOOK, ANEW = 25, 500  # kills after which the vaults are looked at, and after which there are new ones
AGENT, STEPS = 0.5, 0.2  # the part of the kills that take the agent along, and that are between durable steps
# Who gives it, and what it does: `sees` shows what has to be on record, `out` writes something new whole or not at all, `ids` prints
# the id of a note, `asks` is not told to ask nothing. Then the commands, after how often they come if that is not once; `<` is what
# they read.
TABLE = """
any ids: 14 add --label {level} --file - <text
any ids asks: 2 add --editor --label {level}
any sees: 6 show {note} | 2 show {old} --revision 1 | 2 history {note} | 2 history {old} --diff | 4 list | list --client Halcyon
any sees: 3 search round | due | approvals | hold list | conflict list | brief list | brief recall | member list | compartment list
any sees: 2 audit log --limit 20 | policy explain read {note} | 3 brief draft {plain} --for internal
any sees asks: 2 browse
any: 8 edit {note} --file - --json <text | 3 edit {note} --field gate=n{n} --json | 2 keep {note} --because unsettled
any: 4 attach {note} - --name f{n} --json <text | 2 attach {note} {large} --name f{n} --json | 2 relabel {own} {level}
any: 5 destroy {doomed} --yes | conflict declare --client Corvid{n} --yes | concern key --check {key}
any: concern write --in-confidence --file - <text | redact <text | brief check - <safe | policy list | policy show | policy test
any: policy check {policies} | policy ack | audit verify | audit verify --deep | audit verify --since-receipt {receipt}
any: audit check-report {report} | audit check-proof {proved} --receipt {receipt} | audit witness add {cosigned}
any: audit witness init --name inspectorate --key {new} | restore {bundle} --check | remote list | 10 sync | doctor
any: 2 doctor --mend | status | completions bash | man --out {folder}
any sees out: 2 extract {old} map
any out: audit receipt
lead ids: add --template action --label internal --title Lamp --field owner=@mara --field due={day}
lead sees: metrics | breakglass review | audit who --note {old} | member review | member review --accept --yes | policy ack --list
lead sees out: export notes {old} -R {ssh} --for team | export notes {open} --to folder --in-clear --yes | export pack {old} --to Court
lead sees out: export subject --client Halcyon
lead out: metrics | concern key | concern reply {concern} --file - <safe | audit report | audit prove {entry} --receipt {receipt}
lead out: audit witness sign --key {witness}
lead: close {action} --field outcome=burns | audit verify --witness-key {pub}
lead: audit verify --against {hub} | audit witness sign --key {witness} | member admit {request} --clearance internal --yes
lead: member admit {request} --device-of lee --yes | member grant lee --clearance confidential | member pause lee | member resume lee
lead: compartment new Kestrel{n} | 2 policy edit purposes.toml --from {rules} --yes | recovery split --need 2 --of 3 --out {folder}
lead: tour
kim sees: breakglass open {secret} --class safety
visitor out: concern write --key {key} --file - <text
visitor: concern read {answer} <code
"""


class Refused(Exception):
    def __init__(self, code, words):
        super().__init__(words)
        self.code = code


class Seat:
    def __init__(self, program, root, name, home=None):
        self.program, self.name, self.home, self.agents = program, name, home or root / name, []
        for folder in ("run", "none", "tmp", "work"):
            (self.home / folder).mkdir(parents=True, mode=0o700, exist_ok=True)
        (self.home / "passphrase").write_text("correct horse gate kestrel\n")
        (self.home / "nano").write_text('#!/bin/sh\nfor file; do :; done\necho "Note of an editor." >> "$file"\n')
        (self.home / "nano").chmod(0o700)
        self.vault = self.home / ".local/share/strongroom/vault"
        self.identity = self.home / (f"{name}.identity" if home else ".config/strongroom/identity")
        named = {"HOME": "", "XDG_RUNTIME_DIR": "run", "TMPDIR": "tmp", "STRONGROOM_PASSPHRASE_FILE": "passphrase", "VISUAL": "nano"}
        self.environment = {name: str(self.home / place) for name, place in named.items()}
        self.environment |= {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "STRONGROOM_IDENTITY": str(self.identity)}

    def run(self, *arguments, text=None, good=0):
        """A command that nothing kills."""
        words = [self.program, "--no-input", *map(str, arguments)]
        done = subprocess.run(words, input=text, capture_output=True, text=True, errors="replace", env=self.environment,
                              cwd=self.home / "work", timeout=PATIENCE)
        if done.returncode != good:
            raise Refused(done.returncode, f"{self.name}: {words[2:]}: {done.returncode}: {done.stdout[-300:]}{done.stderr}")
        return done.stdout

    def json(self, *arguments, **more):
        return json.loads(self.run(*arguments, "--json", **more))

    def unlock(self):
        self.run("unlock", "--for", "8h")
        self.agents = pids(f"agent .*--identity {self.identity}( |$)")


def pids(pattern):
    return [int(pid) for pid in subprocess.run(["pgrep", "-f", "--", pattern], capture_output=True, text=True).stdout.split()]


def kill(processes):
    for process in processes:
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            pass


def git(*arguments):
    return subprocess.run(["git", *map(str, arguments)], stdout=subprocess.PIPE, check=True).stdout


class Kills:
    def __init__(self, program, folder, seed):
        self.program, self.folder, self.dice = program, folder, random.Random(seed)
        self.killed, self.ended, self.refused, self.counts, self.whys = (collections.Counter() for _ in range(5))
        self.faults, self.usual, self.steps, self.n, self.trail = [], {}, False, 0, collections.deque(maxlen=80)
        self.checks = {
            "extract": lambda seat, new: new.read_text() == "A map.\n" or self.fault(f"extracted: {new.read_text()!r}"),
            "backup": lambda seat, new: seat.run("restore", new, "--check"),
            "concern key": lambda seat, new: seat.run("concern", "key", "--check", new),
            "audit receipt": lambda seat, new: seat.run("audit", "verify", "--since-receipt", new),
            "audit report": lambda seat, new: seat.run("audit", "check-report", new),
            "audit prove": lambda seat, new: seat.run("audit", "check-proof", new, "--receipt", self.receipt),
        }

    def begin(self):
        """Two vaults with something of everything."""
        root = self.root = self.folder / str(self.new().name)
        (root / "new").mkdir(parents=True)
        self.hub, self.spare, self.large, self.key, self.answer, self.page, self.bundle, self.shares, self.receipt = (
            root / name for name in ("hub", "spare", "large", "key", "answer", "page", "bundle", "shares", "receipt"))
        self.report, self.proved, self.witness, self.pub, self.cosigned, self.policies, self.ssh = (
            root / name for name in ("report", "proved", "witness", "witness.pub", "cosigned", "policies", "ssh.pub"))
        for bare in (self.hub, self.spare):
            git("init", "--quiet", "--bare", bare)
        self.mara, self.jon, self.lee, self.visitor = (Seat(self.program, root, name) for name in ("mara", "jon", "lee", "visitor"))
        mara, jon, kim = self.mara, self.jon, Seat(self.program, root, "kim", self.jon.home)
        self.kim, self.expected = kim, collections.defaultdict(set)
        self.notes, self.dying, self.listed = {}, set(), {"mara": set(), "jon": set()}
        mara.run("init", "--name", "mara", "--recovery-key", self.page)
        mara.run("remote", "add", self.hub)
        for seat, *given in ((jon, "restricted"), (kim, "internal", "--role", "breakglass"), (self.lee, "internal")):
            seat.run("member", "request", "--name", seat.name, "--out", root / f"{seat.name}.request")
            mara.run("member", "admit", root / f"{seat.name}.request", "--role", "officer", "--yes", "--clearance", *given)
        handled = mara.run("policy", "show", "templates/concern.toml").replace("handlers = []", 'handlers = ["jon", "mara"]')
        mara.run("policy", "edit", "templates/concern.toml", "--from", "-", "--yes", text=handled)
        self.shares.mkdir()
        mara.run("recovery", "split", "--need", "2", "--of", "3", "--out", self.shares)
        mara.run("sync")
        jon.run("clone", self.hub)
        for seat in (mara, jon, kim):
            seat.unlock()
            seat.run("sync")
        named = ("--client", "Halcyon", "--file", "-", "--label")
        self.plain = mara.run("add", *named, "internal", text="(I) The torch of the car has no spare batteries.\n").strip()
        self.open, self.secret, self.old = (mara.run("add", *named, label, text=self.text()).strip()
                                            for label in ("public", "restricted", "internal"))
        mara.run("edit", self.old, "--file", "-", text=self.text())
        mara.run("attach", self.old, "-", "--name", "map", text="A map.\n")
        self.large.write_text(self.text() * 20_000)
        mara.run("concern", "key", "--out", self.key)
        sealed, self.code = self.anonymous()
        self.concern = mara.run("concern", "receive", sealed).strip()
        mara.run("concern", "reply", self.concern, "--out", self.answer, "--file", "-", *WHY, text="Thank you.\n")
        mara.run("backup", self.bundle)
        mara.run("audit", "receipt", "--out", self.receipt)
        mara.run("audit", "report", "--out", self.report)
        self.entry = mara.json("audit", "verify")["logs"][0]["log"] + ":0"
        mara.run("audit", "prove", self.entry, "--receipt", self.receipt, "--out", self.proved)
        self.pub.write_text(mara.run("audit", "witness", "init", "--name", "inspectorate", "--key", self.witness))
        mara.run("audit", "witness", "sign", "--key", self.witness, "--out", self.cosigned)
        tarfile.open(fileobj=io.BytesIO(git("--git-dir", mara.vault, "archive", "main", "policies"))).extractall(root)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.ssh.with_suffix(""))], check=True)
        for seat in (mara, jon, mara):
            seat.run("sync")

    # What commands are given.

    def new(self):
        self.n += 1
        return getattr(self, "root", self.folder) / "new" / str(self.n)

    def made(self):
        place = self.new()
        place.mkdir()
        return place

    def text(self):
        return f"Note of the night, word{self.new().name}. The round was done; nothing else to tell.\n"

    def fresh(self):
        return Seat(self.program, self.root, f"n{self.new().name}")

    def bare(self):
        place = self.new()
        git("init", "--quiet", "--bare", place)
        return place

    def either(self):
        return self.dice.choice([self.mara, self.jon])

    def acknowledge(self, seat, note, apart=False):
        self.notes[note] = SimpleNamespace(seat=seat, apart=apart, edits=0, files=set())
        return note

    def known(self, seat, own=False, dies=False):
        """A note that this seat has, and nobody began to destroy; or one of its own."""
        here = [note for note, said in self.notes.items() if note not in self.dying and not said.apart
                and (said.seat is seat or not own and note in self.listed[seat.name])]
        if not here:
            here = [self.acknowledge(seat, seat.run("add", "--label", "internal", "--file", "-", text=self.text()).strip())]
        note = self.dice.choice(here)
        self.dying |= {note} if dies else set()
        return note

    def call(self, seat, *words, text=None, place=None, check=None, after=None, again=None, good=0, flags=(), cwd=None, more={}):
        why, words = f"round {self.new().name}", list(map(str, words))
        return SimpleNamespace(seat=seat, words=[*words, "--purpose", "duty", "--why", why], why=why, text=text, place=place,
                               check=check, after=after, again=again or (lambda: seat.run(*words, *WHY, text=text)), good=good,
                               flags=flags, cwd=cwd or seat.home / "work", more=more)

    def by_table(self, who, flags, name, words, text):
        seat = {"any": self.either, "lead": lambda: self.mara}.get(who, lambda: vars(self)[who])()
        made = {
            "level": lambda: self.dice.choice(["internal", "confidential"]), "note": lambda: self.known(seat), "new": self.new,
            "own": lambda: self.known(seat, own=True), "doomed": lambda: self.known(seat, own=True, dies=True), "text": self.text,
            "folder": self.made, "request": lambda: self.newcomer()[1],
            "action": lambda: seat.run(*self.rows["add --template"][1]().words).strip(), "rules": lambda: self.rules() / "purposes.toml",
            "day": lambda: datetime.date.today() + datetime.timedelta(days=60), "safe": lambda: "The torch is in the car.\n",
        }
        used = set(re.findall(r"[{<](\w+)", " ".join([*words, text or ""])))
        values = {**vars(self), **{name: make() for name, make in made.items() if name in used}}
        words, place = [word.format_map(values) for word in words], self.new() if "out" in flags else None
        check = place and name in self.checks and (lambda: self.checks[name](seat, place))
        text = text and values[text[1:]]
        return self.call(seat, *words, *(["--out", place] if place else []), text=text, place=place, check=check, flags=flags)

    def table(self):
        """Every command by its name: how often it comes, and what gives it."""
        rows = {}
        for line in TABLE.strip().splitlines():
            (who, *flags), commands = (part.split() for part in line.split(": ", 1))
            for row in " ".join(commands).split(" | "):
                words = row.split()
                often = int(words.pop(0)) if words[0].isdigit() else 1
                text = words.pop() if words[-1].startswith("<") else None
                plain = [word for word in words if "{" not in word and word != "-"]
                name = " ".join(takewhile(lambda word: word[0] != "-", plain))
                options = ["--out"] * ("out" in flags) + [word for word in plain if word[0] == "-"]
                name = next(each for each in (name, *(f"{name} {option}" for option in options)) if each not in rows)
                rows[name] = (often, lambda made=(who, flags, name, words, text): self.by_table(*made))
        return rows | {
            "destroy, and ask": (2, self.asking), "destroy, as agreed": (2, lambda: self.agreed(True)), "approve": (2, self.agreed),
            "approvals --withdraw": (1, self.withdrawn), "breakglass review ENTRY": (1, self.reviewed), "hold place": (2, self.held), "hold lift": (1, lambda: self.held(lift=True)),
            "brief release": (2, self.released), "brief release --out": (2, lambda: self.released(True)),
            "concern receive": (1, lambda: self.call(self.either(), "concern", "receive", self.anonymous()[0], flags=["ids", "apart"])),
            "import": (2, self.imported), "import --dry-run": (1, lambda: self.imported("--dry-run")),
            "import --update": (1, lambda: self.imported("--update")), "member request": (1, self.requested),
            "member revoke": (1, self.revoked), "member remove": (1, self.removed), "member remove --device": (1, lambda: self.removed(True)),
            "policy edit": (1, lambda: self.call(self.mara, "policy", "edit", "--from", self.rules(), "--yes")),
            "backup": (2, self.backed_up), "restore": (2, lambda: self.elsewhere("restore", self.bundle)),
            "clone": (2, lambda: self.elsewhere("clone", self.hub)), "init": (2, lambda: self.elsewhere("init", "--name", "nina")),
            "remote add": (2, lambda: self.remote("remote", "add", self.spare, "--name", "spare")),
            "remote remove": (2, lambda: self.remote("remote", "remove", "spare")), "sync, two remotes": (2, lambda: self.remote("sync")),
            "guard --install": (1, self.guarded), "guard": (1, self.pushed),
            "recovery use": (1, lambda: self.back_in("use", self.page)),
            "recovery combine": (1, lambda: self.back_in("combine", *sorted(self.shares.iterdir())[:2])),
            "lock": (1, lambda: self.locking("lock")), "unlock": (2, lambda: self.locking("unlock", "--for", "8h")),
            "passphrase": (1, lambda: self.locking("passphrase")),
        }

    def restricted(self, seat):
        return seat.run("add", "--label", "restricted", "--file", "-", text=self.text()).strip()

    def asking(self):
        seat = self.either()
        return self.call(seat, "destroy", self.restricted(seat), "--yes", good=3)

    def asked(self):
        """A destruction that one has asked the other to agree with: who asked, the other, the request, the note."""
        asks, other = self.dice.sample([self.mara, self.jon], 2)
        note = self.restricted(asks)
        request = asks.json("destroy", note, "--yes", *WHY, good=3)["request"]
        asks.run("sync"), other.run("sync")
        return asks, other, request, note

    def agreed(self, carry_out=False):
        asks, other, request, note = self.asked()
        if not carry_out:
            return self.call(other, "approve", request, "--yes")
        # Whoever never syncs would be waited for.
        for member in self.mara.json("member", "list"):
            if member["handle"] not in ("mara", "jon", "kim") and not member["paused"]:
                self.mara.run("member", "pause", member["handle"])
        other.run("approve", request, "--yes", *WHY)
        for seat in (self.mara, self.jon, self.kim, asks):
            seat.run("sync")
        return self.call(asks, "destroy", note, "--yes")

    def withdrawn(self):
        asks, _, request, _ = self.asked()
        return self.call(asks, "approvals", "--withdraw", request)

    def reviewed(self):
        self.kim.run("breakglass", "open", self.secret, "--class", "safety", *WHY)
        self.jon.run("sync"), self.mara.run("sync")
        return self.call(self.mara, "breakglass", "review", self.mara.json("breakglass", "review")[-1]["entry"])

    def held(self, lift=False):
        matter = f"Matter {self.new().name}"
        words = ("hold", "place", "--matter", matter, self.known(self.mara))
        if lift:
            self.mara.run(*words, *WHY)

        def lifted():
            # What is in force is told to everybody who comes later, and has room for few of them.
            if any(hold["matter"] == matter for hold in self.mara.json("hold", "list")):
                self.mara.run("hold", "lift", matter, *WHY)

        return self.call(self.mara, *(("hold", "lift", matter) if lift else words), after=lifted)

    def released(self, out=False):
        seat, place = self.either(), self.new() if out else None
        draft = seat.json("brief", "draft", self.plain, "--for", "internal", *WHY)["draft"]
        words = ("brief", "release", draft, "--to", "day shift", *(("--out", place) if out else ()))
        return self.call(seat, *words, place=place, flags=["sees"])

    def anonymous(self):
        sealed = self.new()
        return sealed, self.visitor.run("concern", "write", "--key", self.key, "--file", "-", "--out", sealed, text=self.text())

    def imported(self, *more):
        source, seat, client = self.made(), self.either(), f"Client {self.n}"
        for name in "abc":
            (source / f"{name}.md").write_text(f"# {name}\n\n{self.text()}")
        words = ("import", source, "--label", "internal", "--client", client, "--yes")
        if "--update" in more:
            seat.run(*words)
            (source / "a.md").write_text(f"# a\n\n{self.text()}")

        def whole():
            seat.run(*words, *more)
            for note in (notes := seat.json("list", "--client", client)):
                self.acknowledge(seat, note["id"])
            if len(notes) != 3:
                self.fault(f"an import of three notes, given again, left {len(notes)}")

        return self.call(seat, *words, *more, after=None if "--dry-run" in more else whole)

    def newcomer(self):
        seat = self.fresh()
        said = seat.json("member", "request", "--name", seat.name, "--out", self.new())
        return seat.name, said["request"], said["device"]

    def requested(self):
        seat, place = self.fresh(), self.new()
        words = ("member", "request", "--name", seat.name, "--out", place)
        return self.call(seat, *words, place=place, again=lambda: (seat.identity.unlink(missing_ok=True), seat.run(*words)))

    def revoked(self):
        self.mara.run("member", "grant", "lee", "--clearance", "confidential")
        return self.call(self.mara, "member", "revoke", "lee", "--clearance", "internal")

    def removed(self, device=False):
        name, request, number = self.newcomer()
        self.mara.run("member", "admit", request, "--yes", *(("--device-of", "lee") if device else ("--clearance", "internal")))
        return self.call(self.mara, "member", "remove", *(("lee", "--device", number) if device else (name,)))

    def rules(self):
        place = self.new()
        shutil.copytree(self.policies, place)
        with open(place / "purposes.toml", "a", encoding="utf-8") as file:
            file.write(f'\n[[purpose]]\ncode = "drill-{self.n}"\ndescription = "an exercise"\n')
        # What the vault was given at its beginning has handlers by now.
        (place / "templates/concern.toml").write_text(self.mara.run("policy", "show", "templates/concern.toml"))
        return place

    def backed_up(self):
        seat, place = self.either(), self.new()
        return self.call(seat, "backup", place, place=place, check=lambda: self.checks["backup"](seat, place))

    def elsewhere(self, *words):
        """A command that makes a vault where there is none."""
        seat = self.fresh()

        def again():
            if seat.identity.exists():
                # What an `init` leaves that dies before its last step; its refusal names both.
                seat.identity.unlink()
                for half in seat.vault.parent.glob(".vault.*"):
                    shutil.rmtree(half)
            seat.run(*words)

        return self.call(seat, *words, place=seat.vault, again=again, check=lambda: self.intact(seat))

    def back_in(self, *words):
        seat = self.fresh()
        seat.run("restore", self.bundle)

        def works():
            try:
                seat.run("list")
            except Refused:
                # The identity comes first; where nothing else came, it is moved away, and the command given again.
                seat.identity.unlink(missing_ok=True)
                seat.run("recovery", *words)
                seat.run("list")
            self.intact(seat)

        return self.call(seat, "recovery", *words, after=works)

    def remote(self, *words):
        seat = self.either()
        if "add" not in words:
            seat.run("remote", "add", self.spare, "--name", "spare")

        def away():
            if any(remote["name"] == "spare" for remote in seat.json("remote", "list")):
                seat.run("remote", "remove", "spare")

        return self.call(seat, *words, after=away)

    def guarded(self):
        bare = self.bare()
        return self.call(self.mara, "guard", "--install", bare, place=bare / "hooks/pre-receive")

    def pushed(self):
        """What the hook of a guarded repository is asked when all of the hub comes."""
        bare = self.bare()
        (bare / "objects/info/alternates").write_text(f"{self.hub}/objects\n")
        refs = git("-C", self.hub, "for-each-ref", f"--format={'0' * 40} %(objectname) %(refname)").decode()
        return self.call(self.mara, "guard", text=refs, more={"GIT_DIR": "."}, cwd=bare)

    def locking(self, *words):
        seat = self.dice.choice([self.mara, self.jon, self.kim])
        if words[0] == "unlock":
            seat.run("lock")
        return self.call(seat, *words, after=seat.unlock)

    # One command, and what came of it.

    def start(self, call, moment=None, step=None, with_agent=False):
        """Runs it, and kills it after a moment if one is given. Gives its code, what it wrote, and how long it took."""
        environment = call.seat.environment | call.more
        if step:
            # Not with the agent, which would take the steps itself.
            environment |= {"STRONGROOM_TEST_KILL_AT": str(step), "XDG_RUNTIME_DIR": str(call.seat.home / "none")}
        words, streams = [self.program, *([] if "asks" in call.flags else ["--no-input"]), *call.words], [subprocess.PIPE] * 3
        if screen := "browse" in words and pty.openpty():
            fcntl.ioctl(screen[1], termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
            streams[:2] = screen[1], screen[1]
        begun, drawn = time.monotonic(), ""
        child = subprocess.Popen(words, stdin=streams[0], stdout=streams[1], stderr=streams[2], text=True, errors="replace",
                                 env=environment, cwd=call.cwd)
        if screen:
            os.close(screen[1])
            drawn = browse(child, screen[0], begun + (PATIENCE if moment is None else moment))
        left = PATIENCE if moment is None else max(0, moment - (time.monotonic() - begun))
        try:
            out, err = child.communicate(call.text, timeout=left)
        except subprocess.TimeoutExpired:
            if with_agent:
                kill(call.seat.agents)
            child.kill()
            out, err = child.communicate(timeout=PATIENCE)
            if moment is None:
                self.fault(f"{call.seat.name}: {call.words} did not end in {PATIENCE} s")
        if screen:
            os.close(screen[0])
        return child.returncode, (out or "") + drawn, err, time.monotonic() - begun

    def perform(self, name, to_kill=True):
        try:
            call = self.rows[name][1]()
        except Refused as refused:
            return self.refuse(name, refused.code, f"before it, {refused}")
        step = self.dice.randrange(1, 16) if to_kill and self.steps and self.dice.random() < STEPS else None
        moment = self.dice.uniform(0, 1.2 * self.usual[name]) if to_kill and not step else None
        with_agent = moment is not None and bool(call.seat.agents) and self.dice.random() < AGENT
        code, out, err, took = self.start(call, moment, step, with_agent)
        killed = code == (-6 if step else -9) and to_kill
        self.trail.append(f"{call.seat.name}{'+agent' * with_agent} {step or ''} {call.words}: {code} after {took:.3f}")
        if not step:
            usual = self.usual.get(name, took)
            self.usual[name] = usual + (max(0, took - usual) / 10 if killed else (took - usual) / 5)
        self.killed[name] += killed
        self.counts["killed between durable steps"] += bool(killed and step)
        self.counts["killed with the agent"] += with_agent
        try:
            self.judge(name, call, code, out, err, killed, with_agent)
            if with_agent:
                call.seat.unlock()
            if (killed or code == call.good) and call.place and not call.place.exists():
                call.again()
            if (killed or code == call.good) and call.check:
                call.check()
            if call.after:
                call.after()
        except Refused as refused:
            self.fault(f"after {name} ({code}): {refused}")

    def judge(self, name, call, code, out, err, killed, with_agent):
        what, ended = f"{call.seat.name}: {call.words}: {code}: {out[-300:]}{err}", code == call.good
        self.ended[name] += ended
        if not (killed or ended):
            # Who asks an agent that dies is told that the vault was locked.
            self.refuse(name, 1 if with_agent and code == 6 else code, what)
        if "panicked" in err or "internal error" in err or "Note of" in out and not (killed or ended):
            self.fault(what)
        if "sees" in call.flags and (killed or ended) and (out or call.place and call.place.exists()):
            self.expected[call.seat.name].add(call.why)
            self.counts["things seen"] += 1
        for note in re.findall(r"^[0-9a-f]{32}$", out, re.M) if "ids" in call.flags else ():
            self.acknowledge(call.seat, note, apart="apart" in call.flags)
        if call.words[0] in ("edit", "attach") and out.endswith("}\n"):
            said, note = json.loads(out), self.notes[call.words[1]]
            note.edits += bool(said.get("changed"))
            note.files |= {said["name"]} if "name" in said else set()

    def refuse(self, name, code, why):
        self.refused[name] += 1
        self.whys[f"{name}: {why}"] += 1
        if code not in (1, 2, 3):
            self.fault(f"{name}: {why}")

    def fault(self, what):
        self.faults.append(what)
        print(f"FAULT {what}", file=sys.stderr, flush=True)
        evidence = Path(os.environ.get("KILLS_EVIDENCE", self.folder))
        if not evidence.exists():
            subprocess.run(["cp", "-a", str(self.root), str(evidence)], check=False)
            (evidence / "trail").write_text("\n".join([*self.trail, what]))

    # The vaults.

    def intact(self, seat):
        report = seat.json("audit", "verify")
        if report["verdict"] != "intact" and {problem["case"] for problem in report["problems"]} != {21}:
            self.fault(f"{seat.name}: {report}")

    def look(self):
        self.counts["times that the vaults were looked at"] += 1
        patience = time.monotonic() + 10
        while pids(f"git .*{self.root}/") and time.monotonic() < patience:
            time.sleep(0.05)
        for seat in (self.mara, self.jon, self.kim):
            try:
                listed = {note["id"] for note in seat.json("list")}
                left = [path for path in seat.vault.rglob("*") if path.name.startswith("tmp_") or path.suffix == ".lock"]
                left = [path for path in left if path.name not in ("strongroom.lock", "strongroom.sync.lock")]
                if left := [path for path in left if "strongroom.syncing" not in path.parts]:
                    self.fault(f"{seat.name}: left behind: {left}")
                self.intact(seat)
                log = [json.loads(line) for line in seat.run("audit", "log", "--json").splitlines()]
            except Refused as refused:
                self.fault(f"an ordinary command: {refused}")
                continue
            said = {(entry["details"] or {}).get("reason") for entry in log if entry["result"] == "done"}
            for why in self.expected.pop(seat.name, set()) - said:
                self.fault(f"{seat.name}: what was seen for `{why}` is not on record")
            self.listed[seat.name] = listed
            for note, of in self.notes.items():
                if of.seat is seat and note not in self.dying | listed:
                    self.fault(f"{seat.name}: lost: {note}")

    def end(self):
        """All is synced, both have the same, and all of it goes away."""
        self.look()
        try:
            for seat in (self.mara, self.jon, self.mara, self.jon):
                seat.run("sync")
            self.look()
            mara, jon = ({note["id"] for note in seat.json("list") if "named" not in note["label"]} for seat in (self.mara, self.jon))
            if mara != jon:
                self.fault(f"only mara has {mara - jon}, only jon {jon - mara}")
            for note in [note for note in self.notes if note not in self.dying and not self.notes[note].apart]:
                revisions = len(self.mara.json("history", note, *WHY)) - 1
                lost = self.notes[note].files - {file["name"] for file in self.mara.json("show", note, *WHY)["attachments"]}
                if lost or revisions < self.notes[note].edits:
                    self.fault(f"lost of {note}: of {self.notes[note].edits} edits {revisions} are there, and these files are not: {lost}")
            left = [seat.name for seat in (self.mara, self.jon) if (seat.vault / "strongroom.syncing").exists()]
            if left:
                self.fault(f"a place for what comes is left: {left}")
        except Refused as refused:
            self.fault(f"at the end: {refused}")
        self.counts["notes acknowledged"] += len(self.notes)
        kill(pids(f"agent .*{self.root}/"))
        shutil.rmtree(self.root, ignore_errors=True)

    def run(self, kills):
        self.rows = self.table()
        names, often = list(self.rows), [often for often, _ in self.rows.values()]
        self.begin()
        for name in names:
            self.perform(name, to_kill=False)
            if not self.ended[name] or self.faults:
                raise SystemExit(f"`{name}` does not succeed when nothing kills it: {[*self.whys, *self.faults]}")
        self.steps = self.start(self.call(self.mara, "list"), step=1)[0] == -6
        self.ended.clear()
        looked, anew = 0, ANEW
        while (done := self.killed.total()) < kills:
            if done - looked >= LOOK:
                looked = done
                self.look()
            if done >= anew:
                print(f"{done} kills, {len(self.faults)} faults", file=sys.stderr, flush=True)
                anew += ANEW
                self.end()
                self.begin()
            self.perform(self.dice.choices(names, often)[0])
        self.end()


def browse(child, screen, until):
    """Opens the first note of `browse`, and leaves; gives what was drawn."""
    drawn, keys = b"", [b"\r", b"q", b"\x11"]
    while time.monotonic() < until and child.poll() is None:
        if select.select([screen], [], [], min(0.05, max(0, until - time.monotonic())))[0]:
            try:
                drawn += os.read(screen, 1 << 16)
            except OSError:
                break
        elif keys and drawn:
            os.write(screen, keys.pop(0))
    return drawn.decode(errors="replace")


def main():
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(10**6)
    folder = Path(tempfile.mkdtemp(prefix="kills-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
    run = Kills(str(Path(sys.argv[1]).resolve()), folder, seed)
    print(f"seed {seed}, {kills} kills", flush=True)
    try:
        run.run(kills)
    finally:
        kill(pids(f"agent .*{folder}/"))
        shutil.rmtree(folder, ignore_errors=True)
    for name in run.rows:
        print(f"{run.killed[name]:8} {name} ({run.ended[name]} done, {run.refused[name]} refused)")
    for name, count in [("kills in all", run.killed.total()), *sorted(run.counts.items())]:
        print(f"{count:8} {name}")
    for why, count in run.whys.most_common(12):
        print(f"refused {count}: {why[:300]}", file=sys.stderr)
    print(f"{len(run.faults)} faults")
    sys.exit(bool(run.faults))


if __name__ == "__main__":
    main()
