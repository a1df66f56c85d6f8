#!/usr/bin/env python3
"""kill -9 over all commands: `python3 tests/kills.py target/release/strongroom [KILLS [SEED]]`.

Mara leads, Jon is an officer; each has a clone, and a bare repository lies between them. Kim sits at Jon's computer and may break
glass. Every command that does anything with a vault is given so that it succeeds, and killed at a moment of chance, half of the
time with the agent that works for it; a build with debug assertions dies between durable steps too. What git was started for goes
on by itself. All of it lies in a folder that goes away, and there are new vaults after some hundred kills.

What was acknowledged before a kill has to be there, what was seen has to be on record, and what stands in a place of its own has
to be whole, or to be had by giving the command again. Now and then the vaults are looked at: intact, nothing lost, nothing left
over, nothing to be mended by hand; before they go away both hold the same. What was done is counted. Where KILLS_EVIDENCE names a
folder, the vaults are copied into it at each of the first faults, with what was done last.
"""

import collections, datetime, fcntl, io, json, os, pty, random, re, select, shutil, signal, struct, subprocess, sys, tarfile
import tempfile, termios, time
from itertools import takewhile
from pathlib import Path
from types import SimpleNamespace

# What a program that died may leave in a vault, and what of it waits for the next sync, attachment or change of remotes.
LEFT = r"tmp_|strongroom\.syncing$|(?!strongroom\.(sync\.)?lock$).*\.lock$"
YET = r"tmp_obj_strongroom_|tmp_object_git2_|strongroom\.syncing|config\.lock"
PATIENCE = 180  # seconds that a command may take
LOOK, ANEW = 25, 500  # kills after which the vaults are looked at, and after which there are new ones
AGENT, STEPS = 0.5, 0.2  # the part of the kills that take the agent along, and that are between durable steps
FILES = "hub spare large key answer page bundle shares receipt report proved witness pub policies ssh sealed".split()
DRILL = '\n[[purpose]]\ncode = "drill-{}"\ndescription = "an exercise"\n'
TEXTS = {"safe": "The torch of the car has no spare batteries.\n", "map": "A map.\n"}

# Steps: `@` is who gives it, `<` what it reads, `>` what is printed, `!` the exit code if not 0, `?` that it may fail.
SETUP = """
init --name mara --recovery-key {page} ; recovery split --need 2 --of 3 --out {shares} ; remote add {hub}
@jon member request --name jon --out {root}/jon.request ; member admit {root}/jon.request --clearance restricted
@kim member request --name kim --out {root}/kim.request
member admit {root}/kim.request --clearance internal --role officer --role breakglass
@lee member request --name lee --out {root}/lee.request ; member admit {root}/lee.request --clearance internal ; member pause lee
policy edit templates/concern.toml --from - --yes <handled ; sync ; @jon clone {hub} ; @jon sync ; @kim sync
unlock --for 8h ; @jon unlock --for 8h ; @kim unlock --for 8h
add --client Halcyon --label internal --file - <safe >plain ; add --client Halcyon --label public --file - <text >open
add --client Halcyon --label restricted --file - <text >secret ; add --client Halcyon --label internal --file - <text >old
edit {old} --file - <text ; attach {old} - --name map <map ; concern key --out {key}
@visitor concern write --key {key} --file - --out {sealed} <text >code
concern receive {sealed} >concern ; concern reply {concern} --out {answer} --file - <safe
backup {bundle} ; audit receipt --out {receipt} ; audit report --out {report}
audit verify --json ; audit prove {logs[0][log]}:0 --receipt {receipt} --out {proved}
audit witness init --name inspectorate --key {witness} >pub
sync ; @jon sync ; sync
"""
# Who gives them, and what they do: `sees` shows what has to be on record, `ids` prints the id of a note, `out` and `makes` write
# something new whole, `vault` makes one, `back` an identity, `keys` begins or ends an agent, `asks` is not kept from asking.
# Then commands, after how often they come if not once. Before the first `=>` stand steps that make ready, behind the second those
# that have to succeed afterwards; `#` is for the name.
TABLE = """
any ids: 14 add --label {level} --file - <text
any ids asks: 2 add --editor --label {level}
lead ids: add --template action {action}
any ids apart: @visitor concern write --key {key} --file - --out {new} <text => concern receive {new} =>
any sees: 6 show {note} | 2 show --revision 1 {old} | 2 history {note} | 2 history --diff 2 {old} | 4 list | 3 search round | due
any sees: list --client Halcyon | approvals | hold list | conflict list | brief list | brief recall | member list
any sees: compartment list | 2 audit log --limit 20 | 3 brief draft {plain}
any sees: 2 brief draft {plain} --json => brief release {draft} --to staff =>
any sees out: 2 brief draft {plain} --json => brief release {draft} --to staff => | 2 extract {old} map
any sees asks: 2 browse
any: 8 edit {note} --file - --json <text | 3 edit {note} --field gate=n{n} --json | 2 keep {own} --because unsettled
any: 4 attach {note} - --name f{n} --json <text | 2 attach {note} {large} --name f{n} --json #large | 2 relabel {own} {level}
any: 5 destroy {doomed} --yes | {second} => destroy {id} --yes !3 #asking => | doctor | 2 doctor --mend | status
any: 2 {asked} => @other approve {request} --yes => | {asked} => approvals --withdraw {request} =>
any: 2 {asked} ; @other approve {request} --yes ; {seen} => destroy {id} --yes #agreed =>
any: concern key --check {key} | concern write --in-confidence --file - <text | redact <text | brief check - <safe
any: conflict declare --client C{n} --yes | 2 import {source} {within} | import {source} {within} --dry-run #dry
any: import {source} {within} => import {changed} {within} --update #update =>
any: policy list | policy show | policy test | policy explain read {note} | policy check {policies} | policy ack | 10 sync
any: audit verify | audit verify --deep | audit verify --since-receipt {receipt} | audit check-report {report}
any: audit check-proof {proved} --receipt {receipt} | audit witness init --name w --key {new}
any: restore {bundle} --check #check | man --out {pages} | completions bash | remote list
any: 2 => remote add {spare} --name spare => remote remove spare ?
any: 2 remote add {spare} --name spare => remote remove spare => remote remove spare ?
any: 2 remote add {spare} --name spare => sync #two => remote remove spare ?
any makes: 2 => backup {new} => restore {new} --check
any out: => audit receipt => audit verify --since-receipt {new}
lead sees: metrics | breakglass review | audit who --note {old} | member review | member review --accept --yes | policy ack --list
lead sees out: export notes {old} -R {ssh} --for team | export notes {open} --to folder --in-clear --yes #clear
lead sees out: export pack {old} --to court | export subject --client Halcyon
lead out: metrics | concern reply {concern} --file - <safe | audit witness sign --key {witness}
lead out: => concern key => concern key --check {new} | => audit report => audit check-report {new}
lead out: {anchored} => audit prove {logs[0][log]}:0 --receipt {at} => audit check-proof {new} --receipt {at}
lead: audit witness sign --key {witness} --out {at} => audit witness add {at} =>
lead: audit verify --witness-key {pub} | audit verify --against {hub} | audit witness sign --key {witness} #here
lead: {wish} => member admit {request} --clearance internal --yes => member pause {handle} ?
lead: {wish} => member admit {request} --device-of lee --yes => | member pause lee | 2 => member resume lee => member pause lee
lead: {wish} ; member admit {request} --clearance internal => member remove {handle} => member pause {handle} ?
lead: {wish} ; member admit {request} --device-of lee => member remove lee --device {device} #device =>
lead: member grant lee --clearance confidential | {more} => member revoke lee --clearance internal => | compartment new K{n}
lead: 2 policy edit purposes.toml --from - --yes <rules | policy edit --from {policies} --yes
lead: recovery split --need 2 --of 3 --out {pages} | guard --install {bare} | guard <refs #hook | tour
lead: add --template action {action} --json => close {id} --field outcome=burns =>
lead: 2 => hold place --matter M{n} {note} => hold lift M{n} ?
lead: hold place --matter M{n} {note} => hold lift M{n} => hold lift M{n} ?
lead: {broken} ; breakglass review --json => breakglass review {entry} #of-one =>
kim sees: breakglass open {secret} --class safety
each keys: lock | 2 lock => unlock --for 8h => | passphrase
fresh vault: 2 => init --name nina => audit verify | 2 => clone {hub} => audit verify | 2 => restore {bundle} => audit verify
fresh back: restore {bundle} => recovery use {page} => list ; audit verify
fresh back: restore {bundle} => recovery combine {shares}/share-1-of-3.txt {shares}/share-3-of-3.txt => list ; audit verify
fresh out: member request --name n{n}
visitor out: concern write --key {key} --file - <text
visitor: concern read {answer} <code
"""
SHORT = {
    "{asked}": "{second} ; destroy {id} --yes --json !3 ; sync ; @other sync",
    "{second}": "add --label restricted --file - --json <text",
    "{seen}": "@jon sync ; @mara sync ; @jon sync ; @kim sync ; @jon sync",
    "{wish}": "@fresh member request --name n{n} --out {new} --json",
    "{within}": "--label internal --client C{n} --yes",
    "{anchored}": "audit verify --json ; audit receipt --out {at}",
    "{more}": "member grant lee --clearance confidential",
    "{broken}": "@kim breakglass open {secret} --class safety ; @jon sync ; sync",
    "{action}": "--label internal --title Lamp --field owner=@mara --field due={day}",
}


def table():
    """Every command by its name: how often it comes, who gives it, what it does, and its steps before, itself, and after."""
    rows = {}
    for line in TABLE.strip().splitlines():
        (who, *flags), commands = (part.split() for part in line.split(": ", 1))
        for row in " ".join(commands).split(" | "):
            for short, long in SHORT.items():
                row = row.replace(short, long)
            often, row = re.fullmatch(r"(\d*) ?(.*)", row).groups()
            before, command, after = row.split("=>") if "=>" in row else ("", row, "")
            words = command.split()
            plain = [word for word in words if word[0] not in "{<!@#" and word != "-"]
            named = " ".join(takewhile(lambda word: word[0] != "-", plain)) + "".join(f", {w[1:]}" for w in words if w[0] == "#")
            more = ["--out"] * ("out" in flags) + [word for word in plain if word[0] == "-"]
            name = next(name for name in (named, *(f"{named} {word}" for word in more)) if name not in rows)
            rows[name] = SimpleNamespace(often=int(often or 1), who=who, flags=flags, words=words, before=steps(before),
                                         after=steps(after))
    return rows


def steps(text):
    return [step.split() for step in re.split(" ; |\n", text) if step.strip()]


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


class Refused(Exception):
    def __init__(self, code, words):
        super().__init__(words)
        self.code = code


class Seat:
    def __init__(self, program, root, name, home=None):
        self.program, self.name, self.home = program, name, home or root / name
        for folder in ("run", "none", "tmp", "work"):
            (self.home / folder).mkdir(parents=True, mode=0o700, exist_ok=True)
        (self.home / "passphrase").write_text("correct horse gate kestrel\n")
        (self.home / "nano").write_text('#!/bin/sh\nfor file; do :; done\necho "Note of an editor." >> "$file"\n')
        (self.home / "nano").chmod(0o700)
        self.vault = self.home / ".local/share/strongroom/vault"
        self.identity = self.home / (f"{name}.identity" if home else ".config/strongroom/identity")
        named = {"HOME": "", "XDG_RUNTIME_DIR": "run", "TMPDIR": "tmp", "VISUAL": "nano", "STRONGROOM_IDENTITY": self.identity,
                 "STRONGROOM_PASSPHRASE_FILE": "passphrase"}
        self.environment = {name: str(self.home / place) for name, place in named.items()}
        self.environment |= {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}

    def run(self, *arguments, text=None, good=0):
        """A command that nothing kills."""
        words = [self.program, "--no-input", *map(str, arguments)]
        try:
            done = subprocess.run(words, input=text, capture_output=True, text=True, errors="replace", env=self.environment,
                                  cwd=self.home / "work", timeout=PATIENCE)
        except subprocess.TimeoutExpired as late:
            raise Refused(None, f"{self.name}: {late}") from late
        if done.returncode != good:
            raise Refused(done.returncode, f"{self.name}: {words[2:]}: {done.returncode}: {done.stdout[-300:]}{done.stderr}")
        return done.stdout

    def json(self, *arguments):
        return json.loads(self.run(*arguments, "--json"))

    def agents(self):
        return pids(f"agent .*--identity {self.identity}( |$)")


class Turn(dict):
    """A command and its steps, and what stands for the words in braces, made when it is asked for."""

    def __init__(self, kills, who="mara"):
        super().__init__()
        kills.n += 1
        self.kills, self.number, either = kills, kills.n, kills.dice.choice([kills.mara, kills.jon])
        self.seats = {"any": either, "lead": kills.mara, "other": kills.jon if either is kills.mara else kills.mara,
                      "each": kills.dice.choice([kills.mara, kills.jon, kills.kim])}
        self.seat = self.who(who)

    def who(self, name):
        return self[name] if name == "fresh" else self.seats.get(name) or vars(self.kills)[name]

    def __missing__(self, name):
        self[name] = self.make(name)
        return self[name]

    def make(self, name):
        kills, number, new = self.kills, self.number, self.kills.root / "new" / f"{name}{self.number}"
        if name in ("pages", "source"):
            new.mkdir()
        if name in ("source", "changed"):
            # Things of one name that another device imported from elsewhere would be taken for the same.
            for thing in "abc" if name == "source" else "a":
                (kills.root / "new" / f"source{number}" / f"{number}{thing}.md").write_text(kills.text())
        elif name == "bare":
            git("init", "--quiet", "--bare", new)
            (new / "objects/info/alternates").write_text(f"{kills.hub}/objects\n")
        return {
            "level": lambda: kills.dice.choice(("internal", "confidential")), "n": lambda: number,
            "changed": lambda: self["source"], "note": lambda: kills.known(self.seat), "text": kills.text,
            "own": lambda: kills.known(self.seat, own=True),
            "doomed": lambda: kills.known(self.seat, own=True, dies=True),
            "fresh": lambda: Seat(kills.program, kills.root, f"n{number}"),
            "day": lambda: datetime.date.today() + datetime.timedelta(days=60),
            "rules": lambda: (kills.policies / "purposes.toml").read_text() + DRILL.format(number),
            "refs": lambda: git("-C", kills.hub, "for-each-ref", f"--format={'0' * 40} %(objectname) %(refname)").decode(),
            "handled": lambda: kills.mara.run("policy", "show", "templates/concern.toml").replace("[]", '["jon", "mara"]', 1),
        }.get(name, lambda: {**TEXTS, **vars(kills)}.get(name, new))()

    def fill(self, words):
        step = SimpleNamespace(seat=self.seat, words=[], text=None, good=0, fails="?" in words, printed=None)
        for word in words:
            match word[0]:
                case "@":
                    step.seat = self.who(word[1:])
                case "<":
                    step.text = self.make(word[1:])
                case ">":
                    step.printed = word[1:]
                case "!":
                    step.good = int(word[1:])
                case "?" | "#":
                    pass
                case _:
                    step.words.append(word.format_map(self))
        step.why = f"round {self.number}"
        step.words += ["--purpose", "duty", "--why", step.why]
        return step

    def give(self, words):
        """A step that nothing kills, for a reason of its own."""
        step = self.fill(words)
        step.words[-1] += ", beside it"
        try:
            out = step.seat.run(*step.words, text=step.text, good=step.good)
        except Refused:
            if not step.fails:
                raise
            return
        if "--json" in words:
            said = json.loads(out)
            self.update(said[-1] if isinstance(said, list) else said)
        if step.printed in FILES:
            vars(self.kills)[step.printed].write_text(out)
        elif step.printed:
            setattr(self.kills, step.printed, out.strip())


class Kills:
    def __init__(self, program, folder, seed):
        self.program, self.folder, self.dice, self.rows = program, folder, random.Random(seed), table()
        self.killed, self.ended, self.refused, self.counts, self.whys = (collections.Counter() for _ in range(5))
        self.faults, self.usual, self.can_step, self.n, self.trail = [], {}, False, 0, collections.deque(maxlen=400)

    def begin(self):
        """Two vaults with something of everything."""
        self.n += 1
        self.root = self.folder / str(self.n)
        vars(self).update({name: self.root / name for name in FILES})
        for folder in (self.root / "new", self.shares):
            folder.mkdir(parents=True)
        for bare in (self.hub, self.spare):
            git("init", "--quiet", "--bare", bare)
        for name in ("mara", "jon", "lee", "visitor", "kim"):
            setattr(self, name, Seat(self.program, self.root, name, self.jon.home if name == "kim" else None))
        self.notes, self.dying, self.listed, self.expected = {}, set(), collections.defaultdict(set), collections.defaultdict(set)
        turn = Turn(self)
        for step in steps(SETUP):
            turn.give(step)
        self.large.write_text(self.text() * 20_000)
        tree = git("--git-dir", self.mara.vault, "archive", "main", "policies")
        tarfile.open(fileobj=io.BytesIO(tree)).extractall(self.root)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.root / "pair"], check=True)
        shutil.copy(self.root / "pair.pub", self.ssh)

    def text(self):
        self.n += 1
        return f"Note of the night, word{self.n}. The round was done; nothing else to tell.\n"

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

    # One command, and what came of it.

    def start(self, call, flags, moment=None, step=None, agents=()):
        """Runs it, and kills it after a moment if one is given. Gives its code, what it wrote, and how long it took."""
        environment = call.seat.environment | ({"GIT_DIR": "."} if call.hook else {})
        if step:
            # Not with the agent, which would take the steps itself.
            environment |= {"STRONGROOM_TEST_KILL_AT": str(step), "XDG_RUNTIME_DIR": str(call.seat.home / "none")}
        words, streams = [self.program, *([] if "asks" in flags else ["--no-input"]), *call.words], [subprocess.PIPE] * 3
        if screen := "browse" in words and pty.openpty():
            fcntl.ioctl(screen[1], termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
            streams[:2] = screen[1], screen[1]
        begun, drawn, until = time.monotonic(), "", PATIENCE if moment is None else moment
        child = subprocess.Popen(words, stdin=streams[0], stdout=streams[1], stderr=streams[2], text=True, errors="replace",
                                 env=environment, cwd=call.hook or call.seat.home / "work")
        if screen:
            os.close(screen[1])
            drawn = browse(child, screen[0], begun + until)
        try:
            out, err = child.communicate(call.text, timeout=max(0, begun + until - time.monotonic()))
        except subprocess.TimeoutExpired:
            kill(agents)
            child.kill()
            out, err = child.communicate(timeout=PATIENCE)
            if moment is None:
                self.fault(f"{call.seat.name}: {call.words} did not end in {PATIENCE} s")
        if screen:
            os.close(screen[0])
        return child.returncode, (out or "") + drawn, err, time.monotonic() - begun

    def perform(self, name, to_kill=True):
        row = self.rows[name]
        try:
            turn = Turn(self, row.who)
            for step in row.before:
                turn.give(step)
            call = turn.fill(row.words + ["--out", "{new}"] * ("out" in row.flags))
        except Refused as refused:
            return self.refuse(name, refused.code, f"before it, {refused}")
        call.hook = turn["bare"] if "<refs" in row.words else None
        call.place = {"vault": call.seat.vault, "back": call.seat.identity, "out": turn["new"], "makes": turn["new"]}.get(
            (row.flags or [""])[-1])
        may_step = to_kill and self.can_step and "keys" not in row.flags
        step = self.dice.randrange(1, 16) if may_step and self.dice.random() < STEPS else None
        moment = self.dice.uniform(0, 1.2 * self.usual[name]) if to_kill and not step else None
        agents = call.seat.agents() if moment is not None and self.dice.random() < AGENT else []
        code, out, err, took = self.start(call, row.flags, moment, step, agents)
        agents = agents if moment is not None and took >= moment else []
        killed, ended = to_kill and code == (-6 if step else -9), code == call.good
        self.trail.append(f"{call.seat.name}{'+agent' * bool(agents)} {step or ''} {call.words}: {code} after {took:.3f}")
        if not step:
            usual = self.usual.get(name, took)
            self.usual[name] = usual + (max(0, took - usual) / 10 if killed else (took - usual) / 5)
        self.killed[name] += killed
        self.ended[name] += ended
        self.counts["killed between durable steps"] += bool(killed and step)
        self.counts["killed with the agent"] += bool(killed and agents)
        what = f"{call.seat.name}: {call.words}: {code}: {out[-300:]}{err}"
        if not (killed or ended):
            # Who asks an agent that dies is told that the vault was locked.
            self.refuse(name, 1 if agents and code == 6 else code, what)
        if "panicked" in err or "internal error" in err:
            self.fault(what)
        if "sees" in row.flags and (out or call.place and call.place.exists()):
            # What `show` and `browse` open bears its mark.
            opened = call.words[0] in ("show", "browse") and "TLP:" in out
            self.expected[call.seat.name].add((call.why, "show" if opened else None))
            self.counts["things seen"] += 1
        try:
            if agents or "keys" in row.flags:
                call.seat.run("unlock", "--for", "8h")
            if killed or ended:
                self.judge(call, row, out)
            for step in row.after:
                turn.give(step)
        except Refused as refused:
            if killed or ended:
                self.fault(f"after {name} ({code}): {refused}")

    def judge(self, call, row, out):
        """What was acknowledged or seen is remembered; what stands in a place of its own is whole, or had by giving it again."""
        seat, place, words = call.seat, call.place, call.words
        for note in re.findall(r"^[0-9a-f]{32}$", out, re.M) if "ids" in row.flags else ():
            self.acknowledge(seat, note, apart="apart" in row.flags)
        if words[0] in ("edit", "attach") and out.endswith("}\n"):
            said, note = json.loads(out), self.notes[words[1]]
            note.edits += bool(said.get("changed"))
            note.files |= {said["name"]} if "name" in said else set()
        try:
            gone = place and not place.exists() or "back" in row.flags and not seat.run("list")
        except Refused:
            gone = True
        if gone:
            # An identity comes first, and an `init` makes the vault beside its place; who reads the refusal moves both away.
            for half in [seat.identity, *seat.vault.parent.glob(".vault.*")] if row.who == "fresh" else ():
                shutil.rmtree(half) if half.is_dir() else half.unlink(missing_ok=True)
            seat.run(*words[:-1], "given once more", text=call.text)
        if words[0] == "extract" and place.read_text() != TEXTS["map"]:
            self.fault(f"extracted: {place.read_text()!r}")
        if words[0] == "import" and "--dry-run" not in words:
            seat.run(*words[:-1], "given once more")
            for note in (notes := seat.json("list", "--client", words[5])):
                self.acknowledge(seat, note["id"])
            if len(notes) != 3:
                self.fault(f"{seat.name}: {words}: of an import of three notes, given again, came {len(notes)}")

    def refuse(self, name, code, why):
        self.refused[name] += 1
        self.whys[f"{name}: {why}"] += 1
        if code not in (1, 2, 3):
            self.fault(f"{name}: {why}")

    def fault(self, what):
        self.faults.append(what)
        print(f"FAULT {what}", file=sys.stderr, flush=True)
        evidence = os.environ.get("KILLS_EVIDENCE")
        if evidence and len(self.faults) <= 5:
            place = Path(evidence) / f"fault-{len(self.faults)}"
            place.parent.mkdir(exist_ok=True)
            subprocess.run(["cp", "-a", self.root, place], check=False)
            (place / "trail").write_text("\n".join([*self.trail, what]))

    # The vaults.

    def look(self, last=False):
        self.counts["times that the vaults were looked at"] += 1
        patience = time.monotonic() + 10
        while pids(f"git .*{self.root}/") and time.monotonic() < patience:
            time.sleep(0.05)
        for seat in (self.mara, self.jon, self.kim):
            try:
                listed = self.listed[seat.name] = {note["id"] for note in seat.json("list")}
                for left in [path for path in seat.vault.rglob("*") if re.match(LEFT, path.name)]:
                    if last or not re.search(YET, str(left)):
                        self.fault(f"{seat.name}: left behind: {left}")
                        shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)
                report = seat.json("audit", "verify")
                if report["verdict"] != "intact" and {problem["case"] for problem in report["problems"]} != {21}:
                    self.fault(f"{seat.name}: {report}")
                log = [json.loads(line) for line in seat.run("audit", "log", "--json").splitlines()]
            except Refused as refused:
                self.fault(f"an ordinary command: {refused}")
                continue
            said = [entry["details"] for entry in log if entry["result"] == "done" and entry["details"]]
            said = {(details["reason"], verb) for details in said for verb in (details["verb"], None)}
            for why in self.expected.pop(seat.name, set()) - said:
                self.fault(f"{seat.name}: what was seen for {why} is not on record")
            for note in [note for note, of in self.notes.items() if of.seat is seat and note not in self.dying | listed]:
                self.fault(f"{seat.name}: lost: {note}")

    def end(self):
        """All is synced, both have the same, and all of it goes away."""
        self.look()
        try:
            for seat in (self.mara, self.jon, self.mara, self.jon):
                seat.run("attach", self.old, "-", "--name", f"last {time.monotonic_ns()}", text=TEXTS["map"])
                seat.run("sync")
                # Nobody's any more, and old enough to be seen as that.
                if (lock := seat.vault / "config.lock").exists():
                    os.utime(lock, (0, 0))
                seat.run("remote", "add", self.spare, "--name", "last")
                seat.run("remote", "remove", "last")
            self.look(last=True)
            lists = (seat.json("list") for seat in (self.mara, self.jon))
            mara, jon = ({note["id"] for note in notes if "named" not in note["label"]} for notes in lists)
            if mara != jon:
                self.fault(f"only mara has {mara - jon}, only jon {jon - mara}")
            for note, of in self.notes.items():
                if note not in self.dying and not of.apart:
                    revisions = len(self.mara.json("history", note)) - 1
                    lost = of.files - {file["name"] for file in self.mara.json("show", note)["attachments"]}
                    if lost or revisions < of.edits:
                        self.fault(f"lost of {note}: of {of.edits} edits {revisions} are there, of its files not {lost}")
        except Refused as refused:
            self.fault(f"at the end: {refused}")
        self.counts["notes acknowledged"] += len(self.notes)
        kill(pids(f"agent .*{self.root}/"))
        shutil.rmtree(self.root, ignore_errors=True)

    def run(self, kills):
        names, often = list(self.rows), [row.often for row in self.rows.values()]
        self.begin()
        for name in names:
            self.perform(name, to_kill=False)
            if not self.ended[name] or self.faults:
                raise SystemExit(f"`{name}` does not succeed when nothing kills it: {[*self.whys, *self.faults]}")
        first = Turn(self).fill(["list"])
        first.hook = None
        self.can_step = self.start(first, [], step=1)[0] == -6
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
    """Opens the first note of `browse`, and leaves; gives what was drawn, if that was more than an empty screen."""
    drawn, keys = b"", [b"\r", b"q", b"\x11"]
    while time.monotonic() < until and child.poll() is None:
        if select.select([screen], [], [], min(0.05, max(0, until - time.monotonic())))[0]:
            try:
                drawn += os.read(screen, 1 << 16)
            except OSError:
                break
        elif keys and drawn:
            os.write(screen, keys.pop(0))
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", " ", drawn.decode(errors="replace"))
    return text if "Note of" in text else ""


def main():
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(10**6)
    folder = Path(tempfile.mkdtemp(prefix="kills-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
    run = Kills(str(Path(sys.argv[1]).resolve()), folder, seed)
    print(f"seed {seed}, {kills} kills", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))
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
        print(f"refused {count}: {why[:150]} [...] {why[150:][-350:]}", file=sys.stderr)
    print(f"{len(run.faults)} faults")
    sys.exit(bool(run.faults))


if __name__ == "__main__":
    main()
