#!/usr/bin/env python3
"""Two verifiers over the same damaged vaults: the program's `audit verify` and verify.py.

    compare.py BINARY [WORD…]

Vaults are made with the program, and in Python with keys that are known, so that damage can be done by a
stranger and by somebody with the true key. Each is damaged in one way; then both verifiers must give the
same verdict, and the expected case must be among those that either reports. They may differ in what else
they name. Exit code 1 on disagreement. WORDs choose the cases whose title holds one of them.
"""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import make as m  # noqa: E402
import verify as v  # noqa: E402

CASES = []  # (number or None for a good vault, title, build, deep, receipt); a number below 0 is a finding alone

class NotRun(Exception):
    """A case that cannot be made with this binary, and why."""


class Bench:
    """Where vaults are made, and the program that makes and verifies them."""

    def __init__(self, binary):
        self.binary = os.path.abspath(binary)
        self.root = tempfile.mkdtemp(prefix="strongroom-compare-")
        self.home = os.path.join(self.root, "home")
        os.makedirs(self.home)
        with open(os.path.join(self.root, "passphrase"), "w") as file:
            file.write("orchid tractor velvet magnet\n")
        kept = {k: w for k, w in os.environ.items() if not k.startswith(("GIT_", "XDG_", "STRONGROOM_"))}
        self.env = dict(kept, HOME=self.home, STRONGROOM_PASSPHRASE_FILE=os.path.join(self.root, "passphrase"))
        self.vault = os.path.join(self.root, "vault")  # the one under test
        self.real = os.path.join(self.home, ".local/share/strongroom/vault")
        self.receipt = os.path.join(self.root, "receipt")
        self.old_receipt = os.path.join(self.root, "old-receipt")
        self.make_real()

    def program(self, *arguments):
        run = subprocess.run([self.binary, *arguments], env=self.env, capture_output=True, text=True, input="")
        if run.returncode:
            raise RuntimeError("%s: %s" % (arguments, run.stderr))
        return run.stdout.strip()

    def make_real(self):
        """A vault of one person with a compartment, four notes, a draft, and a second device by the recovery key."""
        page = os.path.join(self.root, "page")
        self.program("init", "--name", "mara", "--recovery-key", page)
        self.program("compartment", "new", "Halcyon")
        note = self.program("add", "--label", "internal/Halcyon", "Barrier at gate 4 found open.")
        self.program("brief", "draft", note)
        self.program("show", note)
        self.program("list")
        self.program("audit", "receipt", "--out", self.old_receipt)
        os.remove(os.path.join(self.home, ".config/strongroom/identity"))
        self.program("recovery", "use", page)
        # What goes to people by name is handed on to the new device: this one is recorded by it, so that nothing is forgotten.
        self.program("add", "--label", "named/@mara", "Key 12 handed to the caretaker.")
        self.program("add", "--label", "internal", "Two radios without batteries.")
        self.program("list")
        self.program("audit", "receipt", "--out", self.receipt)
        git = ["git", "--git-dir", self.real]
        names = subprocess.run(git + ["ls-tree", "-r", "--name-only", "main", "policies/"], capture_output=True, text=True)
        self.policy_files = {
            path: subprocess.run(git + ["cat-file", "blob", "main:" + path], capture_output=True).stdout
            for path in names.stdout.split()
        }
        repository = v.Repository(self.real)
        self.logs = sorted((n for n in repository.refs if "/audit/" in n), key=lambda n: -len(chain(repository, n)))
        first = v.Entry(v.Message(repository.commit(repository.refs[self.logs[0]]).message).line)
        self.policies = first.policies
        repository.close()

    def judge(self, deep, receipt):
        """Both reports on the vault under test: (exit code, cases, first words)."""
        options = (["--deep"] if deep else []) + (["--since-receipt", receipt] if receipt else [])
        key = os.path.join(self.vault, "witness-key")  # beside git's own files, where no verifier looks
        options += ["--witness-key", key] if os.path.exists(key) else []
        env = dict(self.env, XDG_STATE_HOME=os.path.join(self.root, "nowhere"))
        theirs = subprocess.run(
            [self.binary, "audit", "verify", "--vault", self.vault, "--json", *options], env=env, capture_output=True, text=True)
        return digest(theirs.returncode, theirs.stdout, theirs.stderr), digest(*self.ours(options))

    def ours(self, options):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = v.main([self.vault, "--json", *options])
        return code, out.getvalue(), err.getvalue()


def digest(code, out, err):
    """What counts of a report: exit code, numbers, and of a good vault sizes and roots."""
    if not out.startswith("{"):
        return code, set(), err.strip()
    report = json.loads(out)
    cases = {found["case"] for found in report["problems"] + report["findings"]}
    if report["problems"]:
        return code, cases, (None, report["anchored"])
    shape = [(log["log"], log["size"], log["root"]) for log in report["logs"]]
    cosigned = [sorted(made.items()) for made in report["cosigned"]]
    return code, cases, (shape, report["anchored"], cosigned, report["entries"])


def case(number, title, deep=None, receipt=None):
    """Registers what makes the vault under test. `deep`: None for both modes, or one of them."""

    def register(build):
        for mode in (False, True) if deep is None else (deep,):
            CASES.append((number, title, build, mode, receipt))
        return build

    return register


# ---------------------------------------------------------------------------------------------
# The small vault with known keys: a lead and an officer, two logs that have seen each other
# ---------------------------------------------------------------------------------------------


def small(bench, folder=None, vault_id=None, salt=0):
    m.COUNTER[0] = salt
    vault = m.Vault(folder or bench.vault, bench.policy_files)
    vault.policies, vault.id = bench.policies, vault_id or vault.id
    mara = m.Person("mara", ["lead", "officer"], [m.Device(), m.Device("paper")])
    idris = m.Person("idris", ["officer"], [m.Device()])
    one = vault.found(mara)
    vault.note1 = vault.note()
    one.entry("add", vault.note1)
    one.entry()
    signers = ["main", "allowed_signers", v.hex_H(vault.files["main"]["allowed_signers"])]
    card = vault.card(idris, mara.devices[0])
    one.entry("card", [card, vault.put("main", "allowed_signers", vault.signers([mara, idris]))], [signers])
    two = vault.log(idris, idris.devices[0])
    two.entry("begin", vault.boxes(two, idris.devices), admitted=vault.roster(), seen={one.name: one.mark()})
    vault.note2 = vault.note()
    two.entry("add", vault.note2)
    one.entry(seen={two.name: two.mark()})
    two.entry(seen={one.name: one.mark()})
    vault.note3 = vault.note(purpose=2)
    one.entry("draft", vault.note3)
    one.entry("unlock-failed", result="failed")
    vault.one, vault.two, vault.mara, vault.idris = one, two, mara, idris
    return vault


def signed(number, title, change, deep=False, receipt=None):
    """Damage by somebody with the true keys, before the vault is written."""

    def build(bench):
        vault = small(bench)
        change(vault)
        vault.write()

    case(number, title, deep, receipt)(build)


def rewritten(number, title, deep=False, lines=None, length=None, receipt=None, **hooks):
    """The first log is written anew: with other lines (`lines` changes the list), or commits made otherwise."""

    def build(bench):
        vault = small(bench)
        while length and len(vault.one.lines) < length:
            vault.one.entry()
        if receipt:
            vault.receipt(os.path.join(bench.root, receipt))
        vault.write()
        if lines:
            lines(vault)
        vault.one.write(**{name: hook(vault) for name, hook in hooks.items()})

    case(number, title, deep, receipt)(build)


def edited(line, **fields):
    made = dict(json.loads(line), **fields)
    return v.write_json({k: w for k, w in made.items() if w is not None}).encode()


def at_line(place, change):
    def lines(vault):
        vault.one.lines[place] = change(vault.one.lines[place])

    return lines


OTHER = m.noise(32, "somebody else")

# -- good vaults (42), and what is only a finding (21) -------------------------------------------

signed(None, "a small vault", lambda w: None, None)
signed(None, "a note destroyed", lambda w: w.one.entry("destroy", [], w.note1))
signed(None, "a note destroyed by another member", lambda w: w.two.entry("destroy", [], w.note1))
signed(None, "a note revised", lambda w: w.one.entry("revise", w.note(), w.note1))
signed(None, "the same file written by two entries", lambda w: w.two.entry("add", w.note1))
signed(None, "an entry that rests on one of another time", lambda w: w.one.entry(because="%s:99" % w.one.name))
signed(21, "a clock that runs backwards", lambda w: w.one.entry(time="2026-11-21T09:00:00Z"))
signed(21, "an entry dated after today", lambda w: w.one.entry(time="9999-12-30T22:00:00Z"))
signed(27, "an entry dated later than there are times", lambda w: w.one.entry(time="9999-12-30T22:00:01Z"))
signed(None, "a handle of 32 letters", lambda w: new_card(w, handle="a" * 32))
signed(None, "other things on main, with an entry", lambda w: w.one.entry("card", [w.put("main", "x", b"")]))
for length in (255, 256, 257, 513):
    rewritten(None, "a log of %d entries" % length, length != 513 or None, length=length)

# -- lines, by somebody with the key ----------------------------------------------------------------

rewritten(1, "a line changed and signed", lines=at_line(2, lambda l: edited(l, result="denied")))
rewritten(1, "`prev` of the last line is another's", lines=at_line(6, lambda l: edited(l, prev="ab" * 32)))
rewritten(1, "`prev` is no leaf hash", lines=lambda w: w.one.lines.__setitem__(6, edited(w.one.lines[6], prev=v.hex_H(w.one.lines[5]))))
rewritten(2, "a line taken out and signed", lines=lambda w: w.one.lines.pop(5))
rewritten(3, "a line put in and signed", lines=lambda w: w.one.lines.insert(5, edited(w.one.lines[4], result="failed")))
rewritten(3, "a line of another log", lines=lambda w: w.one.lines.__setitem__(2, w.two.lines[2]))
rewritten(4, "two lines swapped and signed", lines=lambda w: w.one.lines.__setitem__(slice(4, 6), w.one.lines[5:3:-1]))
rewritten(5, "a line twice and signed", lines=lambda w: w.one.lines.insert(5, w.one.lines[4]))
rewritten(5, "an old line again and signed", lines=lambda w: w.one.lines.append(w.one.lines[2]))
rewritten(6, "the first line taken out", lines=lambda w: w.one.lines.pop(0))
rewritten(6, "the first line follows another", lines=lambda w: w.one.change(0, prev="ab" * 32))
for title, change in (
    ("a space", lambda l: l.replace(b",", b", ")),
    ("another order of fields", lambda l: b'{"v":1,' + l[1:].replace(b',"v":1', b"")),
    ("a field twice", lambda l: l[:-1] + b',"v":1}'),
    ("an unknown field", lambda l: l[:-1] + b',"w":1}'),
    ("a number that is no integer", lambda l: l.replace(b'"v":1', b'"v":1.0')),
    ("a boolean for a number", lambda l: l.replace(b'"v":1', b'"v":true')),
    ("another version", lambda l: l.replace(b'"v":1', b'"v":2')),
    ("an escape that is not needed", lambda l: l.replace(b'"failed"', b'"\\u0066ailed"')),
    ("null for a field", lambda l: l.replace(b'"kind":"unlock-failed"', b'"kind":null')),
    ("an empty list", lambda l: l[:-1] + b',"wrote":[]}'),
    ("an unknown kind", lambda l: edited(l, kind="reads")),
    ("a carriage return", lambda l: l + b"\r"),
    ("a byte order mark", lambda l: b"\xef\xbb\xbf" + l),
    ("65,537 bytes", lambda l: edited(l, sealed="A" * (65_537 - len(edited(l, sealed=""))))),
    ("an integer of 2^53", lambda l: l.replace(b'"seq":6', b'"seq":9007199254740992')),
    ("a second that is none", lambda l: edited(l, time="2026-11-21T09:59:60Z")),
    ("a day that is none", lambda l: edited(l, time="2026-11-31T09:59:00Z")),
):
    rewritten(27, "a line with " + title, lines=at_line(6, change))
rewritten(27, "`wrote` unsorted", lines=at_line(5, lambda l: edited(l, wrote=json.loads(l)["wrote"][::-1])))
rewritten(27, "`wrote` names a file twice", lines=at_line(5, lambda l: edited(l, wrote=json.loads(l)["wrote"] * 2)))
rewritten(27, "`sealed` is not base64", lines=at_line(6, lambda l: edited(l, sealed="A")))
signed(27, "`sealed` has a length that no sealed details have", lambda w: w.one.entry(sealed=m.b64(bytes(300))))
for kind in (None, "unlock-failed", "destroy", "card", "policy", "key"):
    signed(27, "a note written by the kind %s" % kind, lambda w, kind=kind: w.one.entry(kind, w.note()))
signed(27, "`add` forgets", lambda w: w.one.entry("add", [], w.note1))
signed(27, "`card` writes a policy", lambda w: w.one.entry("card", [w.put("main", "policies/retention/x", b"")]))
signed(27, "what was denied writes", lambda w: w.one.entry("add", w.note(), result="denied"))
signed(27, "what failed writes", lambda w: w.one.entry("add", w.note(), result="failed"))
signed(27, "a name that does not end in the digest", lambda w: w.one.entry("add", [["notes/aa", "a" * 32 + "." + "1" * 64, "0" * 64]]))
signed(27, "a log that has seen itself", lambda w: w.one.entry(seen={w.one.name: [1, "0" * 64]}))


def wrong_shard(w):
    made = w.note()
    shard = "%02x" % (int(made[0][1][:2], 16) ^ 1)
    moved = [[ref[:-2] + shard, path, name] for ref, path, name in made]
    for (ref, path, _), (new, _, _) in zip(made, moved):
        w.files.setdefault(new, {})[path] = w.files[ref].pop(path)
    w.one.entry("add", moved)


signed(27, "a wrong shard", wrong_shard)

# -- checkpoints and messages -------------------------------------------------------------------------


def checkpoint(place, **changed):
    """A hook that signs another checkpoint at one entry."""

    def hook(vault):
        def made(at, text):
            if at != place:
                return text
            fields = {"size": at + 1, "root": vault.one.root(at + 1)}
            fields.update({k: w(vault) if callable(w) else w for k, w in changed.items()})
            return vault.one.checkpoint(**fields)

        return made

    return hook


def message(place, change):
    return lambda vault: lambda at, text: change(text) if at == place else text


rewritten(12, "everything signed with another key", seed=lambda w: OTHER)
rewritten(12, "everything signed with another member's key", seed=lambda w: w.two.device.seed)
rewritten(12, "the newest checkpoint signed with another key", checkpoint=checkpoint(6, seed=OTHER))
rewritten(12, "the same, under the true key's name", checkpoint=checkpoint(6, seed=OTHER, key=lambda w: m.public_of(w.one.device.seed)))
rewritten(12, "an older checkpoint signed with another key", True, checkpoint=checkpoint(3, seed=OTHER))
rewritten(12, "the newest commit signed with another key", commit_seed=lambda w: lambda at: OTHER if at == 6 else w.one.device.seed)
rewritten(12, "an older commit signed with another key", True, commit_seed=lambda w: lambda at: OTHER if at == 3 else w.one.device.seed)
rewritten(23, "a checkpoint of another vault", checkpoint=checkpoint(6, origin=lambda w: "%s/audit/%s" % ("0" * 32, w.one.name)))
rewritten(23, "an older checkpoint of another log", checkpoint=checkpoint(3, origin=lambda w: "%s/audit/%s" % (w.id, w.two.name)))
rewritten(24, "a checkpoint of another size", checkpoint=checkpoint(6, size=8))
rewritten(24, "an older checkpoint of another size", checkpoint=checkpoint(3, size=3))
rewritten(24, "a checkpoint of another root", checkpoint=checkpoint(6, root=bytes(32)))
rewritten(24, "a checkpoint with an extension line", message=message(6, lambda t: t.replace("\n\n—".encode(), "\nmore\n\n—".encode())))
rewritten(24, "a checkpoint with two signatures", message=message(6, lambda t: t.replace(b"\n\nfrontier", b"\n" + t.split(b"\n")[6] + b"\n\nfrontier")))
rewritten(24, "a checkpoint without a signature", message=message(6, lambda t: t.split("—".encode())[0] + b"\nfrontier" + t.split(b"frontier")[1]))
rewritten(24, "no frontier", message=message(6, lambda t: t.split(b"\nfrontier")[0]))
rewritten(24, "another frontier", message=message(3, lambda t: t.split(b"frontier")[0] + b"frontier\n" + m.b64(bytes(32)).encode() + b"\n"))
rewritten(24, "a newline too many", message=message(6, lambda t: t + b"\n"))
rewritten(24, "a message that is none", message=message(6, lambda t: b"hello\n"))
for title, tree in (("not marked", (b"", b"")), ("exchanged", (b"\1", b"\0")), ("alike", (b"\0", b"\0")), ("alike in another way", (b"\1", b"\1"))):
    rewritten(28, "leaves and nodes " + title, tree=lambda w, tree=tree: v.Tree(*tree))

# -- commits and bundles --------------------------------------------------------------------------------


def parents(place, change):
    return lambda vault: lambda at, above: change(vault, above) if at == place else above


def stranger(vault):
    return vault.store.commit(vault.store.tree({}), [], b"a <a@b> 0 +0000", b"x\n")


rewritten(30, "a second parent", None, parents=parents(5, lambda w, above: above + [stranger(w)]))
rewritten(30, "the same parent twice", parents=parents(5, lambda w, above: above * 2))
rewritten(30, "a commit before the first", None, parents=parents(0, lambda w, above: [stranger(w)]))
rewritten(6, "history that begins in the middle", parents=parents(4, lambda w, above: []))


def bundles(change, start=255):
    def hook(vault):
        def made(at, files):
            if at >= start:
                change(files)
            return files

        return made

    return hook


def bundle_lines(change):
    def made(files):
        lines = files["bundles/0000/00"].split(b"\n")
        change(lines)
        files["bundles/0000/00"] = b"\n".join(lines)

    return made


for number, title, change in (
    (26, "a bundle missing", lambda f: f.clear()),
    (26, "a bundle that is short", bundle_lines(lambda l: l.pop(-2))),
    (26, "a bundle with a line too many", bundle_lines(lambda l: l.insert(-1, b"x"))),
    (26, "a bundle without its last newline", bundle_lines(lambda l: l.pop())),
    (26, "a bundle too many", lambda f: f.update({"bundles/0000/01": f["bundles/0000/00"]})),
    (26, "a stray file beside a bundle", lambda f: f.update({"bundles/0000/xx": b""})),
    (1, "a line of a bundle changed", bundle_lines(lambda l: l.__setitem__(100, edited(l[100], result="denied")))),
    (4, "two lines of a bundle swapped", bundle_lines(lambda l: l.__setitem__(slice(10, 12), l[11:9:-1]))),
    (5, "a line of a bundle twice", bundle_lines(lambda l: l.__setitem__(10, l[9]))),
):
    rewritten(number, title, length=258, bundles=bundles(change))
rewritten(25, "a bundle's line and its commit's differ", True, length=258, message=message(100, lambda t: t.replace(b'"done"', b'"denied"', 1)))
rewritten(None, "the same without --deep", length=258, message=message(100, lambda t: t.replace(b'"done"', b'"denied"', 1)))
rewritten(25, "commits under a bundle are gone", True, length=258, parents=parents(100, lambda w, above: []))
rewritten(26, "a stray file in the newest commit of a log", bundles=bundles(lambda f: f.update(x=b""), 6))
rewritten(26, "a bundle too early", bundles=bundles(lambda f: f.update({"bundles/0000/00": b"x\n" * 256}), 0))
rewritten(26, "a stray file in an older commit of a log", True, bundles=lambda w: lambda at, f: dict(f, x=b"") if at == 3 else f)
rewritten(25, "a commit by another author than its entry", True, lines=lambda w: setattr(w.one, "author", lambda line: b"eve <eve@x> 0 +0000"))

# -- who may do what ---------------------------------------------------------------------------------------

signed(15, "no card admits the device", lambda w: w.two.change(0, admitted="ab" * 32))
signed(15, "`admitted` names a card of another", lambda w: w.two.change(0, admitted=v.hex_H(w.cards[0])))
signed(15, "a first entry that admits nobody", lambda w: w.two.change(0, admitted=None))
signed(15, "a first entry of another kind", lambda w: w.two.change(0, kind="key"))
signed(15, "a log that begins twice", lambda w: w.one.entry("begin"))
signed(15, "`admitted` in a later entry", lambda w: w.one.entry(admitted=w.roster()))
signed(15, "an entry in another's name", lambda w: w.one.entry(actor=w.idris.id))
signed(20, "what was seen goes back", lambda w: w.one.entry(seen={w.two.name: w.two.mark(1)}))
signed(20, "a root that never was", lambda w: w.one.entry(seen={w.two.name: [3, "0" * 64]}))
signed(20, "another root of the same size", lambda w: w.one.entry(seen={w.two.name: [2, "0" * 64]}))
signed(20, "a log of size 0 was seen", lambda w: w.one.entry(seen={w.two.name: [0, v.H(b"").hex()]}))
signed(8, "more was seen than there is", lambda w: w.one.entry(seen={w.two.name: [9, "0" * 64]}))
signed(10, "a log was seen that is not there", lambda w: w.one.entry(seen={"0123456789abcdef-01234567": [9, "0" * 64]}))
signed(36, "a detail key that no entry wrote", lambda w: w.one.entry(detail="ab" * 8))
signed(36, "a roster that is none", lambda w: w.one.entry(roster="0" * 64))
signed(36, "the roster goes back within a log", lambda w: w.one.entry(roster=v.hex_H(w.cards[0])))
signed(36, "the policies are not those of the log", lambda w: [log.entry(policies="0" * 64) for log in (w.one, w.two)])
signed(36, "a policy by somebody who is no lead", lambda w: w.two.entry("policy", [w.put("main", "policies/retention/x", b"")]))


def begins_as_the_founder(again):
    """A member's first entry changes the charter under the founder's roster, and may name the founder's card as written."""

    def change(w):
        begin = json.loads(w.two.lines[0])
        old = ["main", "README.md", v.hex_H(w.files["main"]["README.md"])]
        wrote = begin["wrote"] + [w.put("main", "README.md", b"# Another vault\n")]
        card = next(path for path in sorted(w.files["main"]) if path.startswith("members/"))
        wrote += [["main", card, v.hex_H(w.files["main"][card])]] if again else []
        w.two.change(0, roster=v.hex_H(w.cards[0]), wrote=sorted(wrote), forgot=[old])

    return change


signed(36, "a member who begins as the founder did", begins_as_the_founder(False))
signed(36, "a member who begins as the founder did, with the founder's card", begins_as_the_founder(True))
signed(36, "a policy file at a place that is none", lambda w: w.one.entry("policy", [w.put("main", "policies/x", b"")]))


def new_card(w, person=None, by=None, log=None, **fields):
    (log or w.one).entry("card", [w.card(person or w.idris, by or w.mara.devices[0], **fields)])


def devices(w, **changed):
    return [dict(w.idris.devices[0].fields(), **changed)]


def paper_admits(w):
    w.mara.devices.append(m.Device())
    new_card(w, w.mara, w.mara.devices[1])


def paper_admits_and(**fields):
    def change(w):
        w.mara.devices.append(m.Device())
        new_card(w, w.mara, w.mara.devices[1], **fields)

    return change


def paper_replaces(w):
    """The lost device goes with the card that brings its person back; what its log holds is accepted."""
    lost, size, root = w.mara.devices[0], *w.one.mark()
    w.mara.devices = [w.mara.devices[1], m.Device()]
    log = w.log(w.mara, w.mara.devices[1])
    card = w.card(w.mara, w.mara.devices[0], cuts=[[w.one.name, size, root]])
    log.entry("begin", [card] + w.boxes(log, w.mara.devices), admitted=w.roster(), seen={w.one.name: w.one.mark()})
    return lost


def second_log(w, device, admitted):
    log = w.log(w.mara, device)
    log.entry("begin", w.boxes(log, []), admitted=admitted)


def misnamed(w):
    ref, path, name = w.card(w.idris, w.mara.devices[0])
    w.files[ref]["members/0002-%s.card" % ("ab" * 8)] = w.files[ref].pop(path)
    w.one.entry("card", [[ref, "members/0002-%s.card" % ("ab" * 8), name]])


def resealed_card(namespace, tail=b""):
    def change(w):
        ref, path, _ = w.card(w.idris, w.mara.devices[0])
        line = w.cards[-1] + b"\n"
        w.one.entry("card", [w.put(ref, path, line + m.sshsig(w.mara.devices[0].seed, namespace, line).encode() + tail)])

    return change


def demoted(w):
    new_card(w, w.mara, roles=["officer"])
    new_card(w)


signed(None, "a card", lambda w: new_card(w))
signed(None, "two cards in one entry", lambda w: w.one.entry("card", [w.card(w.idris, w.mara.devices[0]) for _ in (1, 2)]))
signed(None, "a paper device admits another of its person", paper_admits)
signed(None, "a paper device replaces a lost one", paper_replaces)
signed(36, "a paper device that gives another level", paper_admits_and(level=4))
signed(36, "a paper device that gives another handle", paper_admits_and(handle="mara.2"))
signed(36, "a paper device that gives another role", paper_admits_and(roles=["auditor", "lead", "officer"]))
signed(36, "a paper device that gives a compartment", paper_admits_and(compartments=["11" * 8]))
signed(None, "a second log of a device", lambda w: second_log(w, w.mara.devices[0], v.hex_H(w.cards[0])))
signed(None, "a handle changed", lambda w: new_card(w, handle="idris.2"))
signed(36, "a card by somebody who is no lead", lambda w: new_card(w, by=w.idris.devices[0]))
signed(36, "a lead's card entered by somebody who is none", lambda w: new_card(w, log=w.two))
signed(36, "a card by a paper device for another person", lambda w: new_card(w, by=w.mara.devices[1]))
signed(36, "a card of a paper device that admits nobody", lambda w: new_card(w, w.mara, w.mara.devices[1]))
signed(36, "a card signed with another key", lambda w: new_card(w, seed=OTHER))
signed(36, "a card by who is a lead no more", demoted)
signed(36, "a card that follows another", lambda w: new_card(w, prev="ab" * 32))
signed(36, "a card with another number", lambda w: new_card(w, n=9))
signed(36, "a card of another vault", lambda w: new_card(w, vault="ab" * 16))
signed(36, "a card under another person's name", misnamed)
signed(36, "a card signed for another purpose", resealed_card(b"git"))
signed(36, "a card with a newline too many", resealed_card(b"card@strongroom", b"\n"))
signed(36, "a card without an entry", lambda w: w.card(w.idris, w.mara.devices[0]))
signed(36, "a card's entry names the roster before it", lambda w: (lambda old: w.one.entry("card", [w.card(w.idris, w.mara.devices[0])], roster=old))(w.roster()))
for title, fields in (
    ("a handle that begins with a digit", {"handle": "9a"}), ("a handle in capitals", {"handle": "Idris"}),
    ("a handle of 33 letters", {"handle": "a" * 33}), ("no handle", {"handle": ""}), ("a level of 5", {"level": 5}),
    ("an unknown role", {"roles": ["chief"]}), ("roles out of order", {"roles": ["officer", "lead"]}),
    ("compartments out of order", {"compartments": ["11" * 8, "00" * 8]}), ("an unknown field", {"x": 1}),
    ("a time that is none", {"time": "now"}),
):
    signed(36, "a card with " + title, lambda w, fields=fields: new_card(w, **fields))
signed(36, "a card with a recipient that is too short", lambda w: new_card(w, devices=devices(w, recipient=m.b64(bytes(1215)))))
signed(36, "a card with a recipient that is no key", lambda w: new_card(w, devices=devices(w, recipient=m.b64(b"\xff" * 1216))))
signed(36, "a known device with another recipient", lambda w: new_card(w, devices=devices(w, recipient=m.b64(m.recipient()))))
signed(36, "a known device with another key", lambda w: new_card(w, devices=devices(w, sign=m.b64(m.public_of(OTHER)))))
signed(36, "a known device of another kind", lambda w: new_card(w, devices=devices(w, kind="paper")))
signed(36, "a known device of another person", lambda w: new_card(w, devices=[w.mara.devices[0].fields()]))


# -- devices that were removed (14) ---------------------------------------------------------------


def removed(cuts, more=lambda w: None, again=False, before=lambda w: None):
    """The second member's device is removed by a card with these cuts, and then `more` happens."""

    def change(w):
        before(w)
        new_card(w, devices=[], cuts=cuts(w) or None)
        if again:
            new_card(w)
        more(w)

    return change


def cut(size=None):
    return lambda w: [[w.two.name, *w.two.mark(size)]]


def no_cuts(w):
    return None


def late(size):
    def more(w):
        w.two.entry()
        w.two.entry()
        new_card(w, devices=[], cuts=cut(size)(w))

    return more


def writes_on(w):
    w.kept = w.note()
    w.two.entry("add", w.kept)


def destroys_on(w):
    files = {(ref, path): w.files[ref][path] for ref, path, _ in w.note1}
    w.two.entry("destroy", [], w.note1)
    for (ref, path), content in files.items():
        w.files.setdefault(ref, {})[path] = content


def lies_on(w):
    w.two.entry(seen={w.one.name: [99, "0" * 64]}, policies="0" * 64, roster="0" * 64, actor=w.mara.id)


def writes_on_and_is_not_kept(w):
    writes_on(w)
    for ref, path, _ in w.kept:
        del w.files[ref][path]


def is_wrapped_anew(w):
    """What the removed device wrote on is not kept, and the other, who knew nothing of the cut, has wrapped it anew."""
    writes_on(w)
    (ref, path, body), (keys, given, _) = w.kept
    note = bytes.fromhex(path.split(".")[0])
    del w.files[ref][path], w.files[keys][given]
    anew = m.wrap(bytes.fromhex(w.id), note, bytes.fromhex(body), [b"\2" * 8])
    w.one.entry("key", [w.sealed(keys, note.hex(), anew)], seen={w.two.name: w.two.mark()})


def seen_beyond(size, root=None, left=None):
    def more(w):
        w.two.entry()
        w.two.entry()
        mark = w.two.mark(size)
        w.one.entry(seen={w.two.name: [mark[0], root or mark[1]]})
        if left:
            del w.two.lines[left:]

    return more


signed(None, "a removed device whose log is cut at its end", removed(cut()), None)
signed(None, "a removed device whose log is accepted late", removed(cut(), late(5)))
signed(None, "a removed device admitted again", removed(no_cuts, again=True))
signed(14, "a removed device that wrote on", removed(cut(), lambda w: w.two.entry()), None)
signed(14, "a removed device that recorded a note, which is not kept", removed(cut(), writes_on_and_is_not_kept))
signed(32, "a removed device that recorded a note, which is kept", removed(cut(), writes_on))
signed(14, "a removed device that destroyed a note, which is kept", removed(cut(), destroys_on))
signed(14, "a removed device that recorded a note, which was wrapped anew", removed(cut(), is_wrapped_anew))
signed(14, "a removed device that lies about everything", removed(cut(), lies_on))
signed(14, "a removed device whose log no card names", removed(no_cuts))
signed(14, "a removed device accepted late, but for the last", removed(cut(), late(4)))
signed(14, "a removed device admitted again, whose log was cut", removed(cut(2), again=True))
signed(14, "what was seen beyond a cut", removed(cut(), seen_beyond(5)))
signed(14, "what was seen beyond a cut is gone", removed(cut(), seen_beyond(5, left=4)))
signed(14, "what was seen beyond a cut never was", removed(cut(), seen_beyond(5, "0" * 64)))
signed(11, "a cut at another root", removed(lambda w: [[w.two.name, 3, "0" * 64]]))
signed(8, "a cut beyond the end of the log", removed(lambda w: [[w.two.name, 9, "0" * 64]]))
signed(10, "a cut of a log that is gone", removed(cut(), lambda w: w.logs.remove(w.two)))
for title, made in (
    ("of a log of another's device", lambda w: [[w.one.name, *w.one.mark()]]),
    ("of a log of nobody's device", lambda w: [["0123456789abcdef-01234567", 3, "0" * 64]]),
    ("at nothing", lambda w: [[w.two.name, 0, v.H(b"").hex()]]),
    ("twice", lambda w: cut()(w) * 2),
    ("without a root", lambda w: [[w.two.name, 3]]),
):
    signed(36, "a card that cuts a log " + title, removed(made))
signed(36, "a card with an empty list of cuts", lambda w: new_card(w, devices=[], cuts=[]))
signed(36, "a card that cuts a log of a device that stays", lambda w: new_card(w, cuts=cut()(w)))
signed(36, "a card that cuts a log as another did", removed(cut(3), lambda w: new_card(w, devices=[], cuts=cut(3)(w))))
signed(36, "a card that cuts a log before another did", removed(cut(3), lambda w: new_card(w, devices=[], cuts=cut(2)(w))))


# -- logs with two histories (43) -----------------------------------------------------------------------------


def forked(w, size=2, more=1):
    """Another history of the second log, which goes on from its first `size` entries."""
    fork = w.two.fork(size)
    for _ in range(more):
        fork.entry()
    return fork


def join(w, *heads, log=None, person=None, **fields):
    """A lead's card that names these ends of histories."""
    (log or w.one).entry("card", [w.card(person or w.idris, w.mara.devices[0], joined=sorted(heads), **fields)])


def go_on(w, log, *heads, **fields):
    """The device begins another log, whose first entry names the ends of those before."""
    made = w.log(log.person, log.device)
    made.entry("begin", w.boxes(made, []), admitted=w.roster(), joined=sorted(heads) or None, **fields)
    return made


def histories(number, title, size=2, more=1, joined=True, deep=False, after=None, cut=None):
    """A fork of the second log; then `change(w, fork)`; then a card that joins both ends, or cuts a removed device's log."""

    def register(change):
        def made(w):
            fork = forked(w, size, more)
            change(w, fork)
            if joined or cut:
                fields = {"joined": sorted([w.two.end(), fork.end()])} if joined else {}
                if cut:
                    fields.update(devices=[], cuts=[cut(w, fork)])
                new_card(w, **fields)
            if after:
                after(w, fork)

        signed(number, title, made, deep)
        return change

    return register


def nothing(w, fork):
    pass


def gone(w, files):
    """These files of an entry are not there."""
    for ref, path, _ in files:
        del w.files[ref][path]


histories(43, "a fork that no card joins", joined=False, deep=None)(nothing)
histories(None, "a fork that a card joins", deep=None)(nothing)
histories(43, "a fork that a card joins, as something to look at")(nothing)
histories(None, "a fork that a log and a card join")(lambda w, f: go_on(w, w.two, w.two.end(), f.end()))
histories(43, "a fork that a log joins and no card", joined=False)(lambda w, f: go_on(w, w.two, w.two.end(), f.end()))
histories(43, "a card that joins the fork alone", joined=False)(lambda w, f: join(w, f.end()))
histories(43, "a card that joins the log alone", joined=False)(lambda w, f: join(w, w.two.end()))
histories(43, "a card that joins not quite the end", more=2, joined=False)(lambda w, f: join(w, w.two.end(), f.end(3)))
histories(43, "a card for each end", joined=False)(lambda w, f: (join(w, w.two.end()), join(w, f.end())))
histories(None, "a card for somebody else joins", joined=False)(lambda w, f: join(w, w.two.end(), f.end(), person=w.mara))
histories(None, "a card joins more than there is", joined=False)(lambda w, f: join(w, w.two.end(), f.end(), [w.two.name, 3, "0" * 64]))
histories(43, "a joined log that goes on", after=lambda w, f: w.two.entry())(nothing)
histories(43, "a joined fork that goes on", after=lambda w, f: f.entry())(nothing)
histories(43, "a third history that no card joins")(lambda w, f: forked(w, 1, 3))
histories(43, "a third history that another card joins", after=lambda w, f: join(w, w.logs[-1].end()))(lambda w, f: forked(w, 1, 3))
histories(None, "a third history that the card joins", joined=False)(
    lambda w, f: join(w, w.two.end(), f.end(), forked(w, 1, 3).end()))
histories(43, "a fork that is the beginning of its log", more=0)(nothing)
histories(43, "a fork that goes on from its log", size=3)(nothing)
histories(43, "a fork that is its log again", size=3, more=0, joined=False)(nothing)
histories(43, "a fork that is its log again, joined", size=3, more=0, joined=False)(lambda w, f: join(w, w.two.end()))
histories(None, "a fork with another first entry", size=0, more=0)(
    lambda w, f: (f.entry("begin", w.boxes(f, []), admitted=w.roster()), f.entry()))
histories(1, "a fork with a line changed and signed", more=2, deep=None)(
    lambda w, f: f.lines.__setitem__(2, edited(f.lines[2], result="denied")))
histories(27, "a fork with a line that is refused")(lambda w, f: f.lines.__setitem__(2, f.lines[2].replace(b",", b", ")))
histories(15, "a fork with an entry in another's name")(lambda w, f: f.entry(actor=w.mara.id))
histories(36, "a fork with a detail key that no entry wrote")(lambda w, f: f.entry(detail="ab" * 8))
histories(20, "a fork whose log takes back what it saw")(lambda w, f: f.entry(seen={w.one.name: w.one.mark(1)}))
histories(8, "a fork that has seen more than there is")(lambda w, f: f.entry(seen={w.one.name: [99, "0" * 64]}))
histories(None, "a note that a fork wrote")(lambda w, f: f.entry("add", w.note()))
histories(43, "a note that a fork wrote that no card joins", joined=False)(lambda w, f: f.entry("add", w.note()))


@histories(37, "a note that a fork wrote is gone")
def _(w, f):
    made = w.note()
    f.entry("add", made)
    gone(w, made)


histories(None, "a note that a fork destroyed")(lambda w, f: f.entry("destroy", [], w.note2))


@histories(37, "a note that a fork destroyed is back")
def _(w, f):
    kept = {(ref, path): w.files[ref][path] for ref, path, _ in w.note2}
    f.entry("destroy", [], w.note2)
    for (ref, path), content in kept.items():
        w.files[ref][path] = content


def charter(w, log, new, old=None, **fields):
    """A policy written, changed or taken away."""
    path = "policies/retention/x"
    wrote = [w.put("main", path, new)] if new is not None else []
    files = {p[len("policies/") :]: c for p, c in w.files["main"].items() if p.startswith("policies/")}
    if new is None:
        del files["retention/x"]
    w.policies = v.policy_digest(files)
    log.entry("policy", wrote, [["main", path, v.hex_H(old)]] if old is not None else [], **fields)
    if new is not None:
        w.files["main"][path] = new


def founder_forked(number, title, joined=True):
    """The founder's log has two histories."""

    def register(change):
        def made(w):
            fork = w.one.fork(5)
            change(w, fork)
            if joined:
                log = w.log(w.mara, w.mara.devices[0])
                log.entry("begin", w.boxes(log, []), admitted=v.hex_H(w.cards[0]))
                join(w, w.one.end(), fork.end(), log=log)

        signed(number, title, made)
        return change

    return register


founder_forked(43, "two histories of the founder's log", False)(lambda w, f: f.entry())
founder_forked(None, "two histories of the founder's log, joined")(lambda w, f: f.entry())
founder_forked(None, "a policy that a fork wrote")(lambda w, f: charter(w, f, b"a"))
founder_forked(36, "a fork by somebody who is no lead")(lambda w, f: f.entry("policy", [w.put("main", "policies/retention/x", b"")], actor=w.idris.id))

# What was seen, joined, cut or taken home may stand in any history.

histories(None, "a fork that another log has seen", more=3)(lambda w, f: w.one.entry(seen={w.two.name: f.mark()}))
histories(None, "both histories seen, one after the other", more=3)(
    lambda w, f: [w.one.entry(seen={w.two.name: h.mark()}) for h in (w.two, f)])
histories(20, "two histories of one size seen")(lambda w, f: [w.one.entry(seen={w.two.name: h.mark()}) for h in (w.two, f)])
histories(8, "more seen than either history has", more=3)(lambda w, f: w.one.entry(seen={w.two.name: [99, "0" * 64]}))
histories(8, "another root of the fork's size seen", more=3)(lambda w, f: w.one.entry(seen={w.two.name: [5, "0" * 64]}))
histories(11, "another root of a size of both seen", more=3)(lambda w, f: w.one.entry(seen={w.two.name: [3, "0" * 64]}))
for number, title, head in (
    (None, "the end of a log", lambda w: w.two.end()),
    (None, "a place before the end of a log", lambda w: w.two.end(2)),
    (8, "more of a log than there is", lambda w: [w.two.name, 9, "0" * 64]),
    (20, "another root of a log", lambda w: [w.two.name, 3, "0" * 64]),
    (11, "another root of a log, told of that", lambda w: [w.two.name, 3, "0" * 64]),
    (10, "a log that is gone", lambda w: [w.two.name[:17] + "01234567", 3, "0" * 64]),
    (27, "a log of another device", lambda w: w.one.end()),
    (27, "nothing of a log", lambda w: [w.two.name, 0, v.H(b"").hex()]),
):
    signed(number, "a first entry that joins " + title, lambda w, head=head: go_on(w, w.two, head(w)))
signed(27, "an entry that is not the first joins", lambda w: w.two.entry(joined=[[w.two.name[:17] + "01234567", 3, "0" * 64]]))
signed(27, "a first entry that joins itself", lambda w: w.two.change(0, joined=[[w.two.name, 1, "0" * 64]]))
signed(None, "a first entry that joins, and sees less later", lambda w: go_on(w, w.two, w.two.end()).entry(seen={w.two.name: w.two.mark(2)}))
signed(None, "a card that joins where there is one history", lambda w: join(w, w.two.end()))
for title, heads in (
    ("nothing", lambda w: []), ("an end twice", lambda w: [w.two.end()] * 2), ("at nothing", lambda w: [[w.two.name, 0, v.ZEROS]]),
    ("without a root", lambda w: [[w.two.name, 3]]), ("out of order", lambda w: sorted([w.one.end(), w.two.end()])[::-1]),
):
    signed(36, "a card that joins " + title, lambda w, heads=heads: new_card(w, joined=heads(w)))

histories(None, "a log cut where its fork is as long", cut=lambda w, f: w.two.end())(nothing)
histories(14, "a log cut where its fork is longer", more=2, cut=lambda w, f: w.two.end())(nothing)
histories(14, "both histories cut where they part", cut=lambda w, f: w.two.end(2))(nothing)
histories(14, "both histories cut, and joined by no card", joined=False, cut=lambda w, f: w.two.end(2))(nothing)
histories(None, "a log cut at the end of its longer fork", more=2, cut=lambda w, f: f.end())(nothing)
histories(None, "a note that a fork wrote below the cut", more=0, cut=lambda w, f: w.two.end())(lambda w, f: f.entry("add", w.note()))
signed(11, "a cut whose root a later card does not mend", removed(lambda w: [[w.two.name, 2, "0" * 64]], late(5)))
signed(14, "a fork of a removed device whose log no card names", lambda w: (forked(w), new_card(w, devices=[])))


def after_receipt(number, title, size=2, more=2, restored=0, joined=True, deep=False):
    """A receipt is taken of the second log; then it is found as a fork, and the log has another end."""

    def build(bench):
        w = small(bench)
        for _ in range(restored):
            w.two.entry()
        w.write()
        w.receipt(os.path.join(bench.root, "small-receipt"))
        fork = w.two.fork(len(w.two.lines))
        del w.two.lines[size:]
        for _ in range(more):
            w.two.entry()
        if number in (11, 16):
            del fork.lines[size:]
            for _ in range(more - 1):
                fork.entry(result="failed")
        if joined:
            join(w, w.two.end(), fork.end())
        w.write()

    case(number, title, deep, "small-receipt")(build)


after_receipt(None, "a receipt of what is a fork now")
after_receipt(None, "a receipt of a fork that is longer than its log", restored=3)
after_receipt(43, "a receipt of a fork that no card joins", joined=False)
after_receipt(11, "a receipt of neither history", more=3)
after_receipt(16, "a receipt of neither history, of one size", more=3, restored=2)

# Whether a destruction knew of a file goes by history, not by number.


def unknown(fork_knows, keep):
    """Its log writes a note that the fork does not know; a part of it is destroyed by whom only the fork was known."""

    def change(w, f):
        made = w.note()
        w.two.entry("add", made)
        for _ in range(3):
            f.entry()
        if fork_knows:
            f.entry("destroy", [], [made[1]])
        else:
            w.one.entry("destroy", [], [made[1]], seen={w.two.name: f.mark()})
        if not keep:
            gone(w, [made[0]])

    return change


for title, knows in (("in a fork", True), ("by whom the fork alone was seen", False)):
    histories(37, "a note destroyed %s, of which that log did not know, is kept" % title)(unknown(knows, True))
    histories(None, "a note destroyed %s, of which that log did not know" % title)(unknown(knows, False))

# -- matters between several people (§7.4) -----------------------------------------------------------------------

LATER, TOO_LATE = "2026-12-01T00:00:00Z", "2026-12-01T00:00:01Z"


def matter(w, deed="destroy", note=None, until=LATER, objects="0b" * 32):
    return {"deed": deed, "note": note or w.note1[0][1][:32], "objects": objects, "until": until}


def place(log, at=-1):
    """Where a line of a log stands, by `because`."""
    return "%s:%d" % (log.name, range(len(log.lines))[at])


def asked(w, deed="destroy", approval=None, request=None, by=None, kinds=("request", "approve")):
    """A request of the first log, an approval of the second; the statement is kept for later."""
    w.statement = w.note(purpose=5)
    w.one.entry(kinds[0], w.statement, **dict({"matter": matter(w, deed)}, **(request or {})))
    w.asked = place(w.one)
    log = by(w) if by else w.two
    log.entry(kinds[1], **dict({"because": w.asked, "matter": matter(w, deed)}, **(approval or {})))
    w.approved = place(log)


def approval(number, title, change=None, deep=False, after=None, **given):
    """A request and an approval of it, of which `change` gives the fields that are other."""

    def made(w):
        asked(w, approval=change(w) if change else None, **given)
        if after:
            after(w)

    signed(number, title, made, deep)


def deed(number, title, kind="destroy", forgot=None, log=None, twice=False, **given):
    """What was asked for and approved is done: the note is destroyed, or a brief released."""
    fields = given.pop("fields", {})

    def made(w):
        asked(w, **dict({"deed": kind}, **given))
        files = [] if kind == "release" else w.note1 + w.statement if forgot is None else forgot(w)
        for _ in range(1 + twice):
            (log(w) if log else w.one).entry(kind, w.note(3) if kind == "release" else [], files, **dict({"because": w.approved}, **fields))

    signed(number, title, made)


def second_device(w):
    """Another device of the first person, whose log goes on in the same name."""
    w.mara.devices.append(m.Device())
    new_card(w, w.mara)
    log = w.log(w.mara, w.mara.devices[-1])
    log.entry("begin", w.boxes(log, [w.mara.devices[-1]]), admitted=w.roster())
    return log


approval(None, "a request and its approval", deep=True)
approval(None, "an approval that ends sooner than what was asked for", lambda w: {"matter": matter(w, until="2026-11-30T00:00:00Z")})
approval(None, "an approval that was denied", lambda w: {"result": "denied", "matter": None, "because": None})
signed(None, "a request that was denied", lambda w: w.one.entry("request", result="denied"))
signed(None, "a conflict that was declared", lambda w: w.two.entry("conflict", w.note(5)))
approval(36, "an approval that ends later than what was asked for", lambda w: {"matter": matter(w, until=TOO_LATE)})
approval(36, "an approval of another note than was asked for", lambda w: {"matter": matter(w, note=w.note2[0][1][:32])})
approval(36, "an approval of another deed than was asked for", lambda w: {"matter": matter(w, "release")})
approval(36, "an approval of other bodies than was asked for", lambda w: {"matter": matter(w, objects="0c" * 32)})
approval(36, "an approval of what is no request", lambda w: {"because": place(w.one, 0)})
approval(36, "an approval of a request that was denied", kinds=("add", "approve"), request={"matter": None})
approval(36, "an approval of an entry that is not there", lambda w: {"because": "%s:99" % w.one.name})
approval(36, "an approval of an entry of no log", lambda w: {"because": "%s:1" % ("ab" * 8 + "-" + "cd" * 4)})
approval(36, "an approval of one's own request", by=lambda w: w.one)
approval(36, "an approval of one's own request from another device", by=second_device)
approval(36, "an approval in the name of somebody else", lambda w: {"actor": w.idris.id}, by=second_device)
approval(36, "an approval of an approval", after=lambda w: w.one.entry("approve", because=w.approved, matter=matter(w)))
approval(27, "an approval that names nothing", lambda w: {"because": None})
approval(27, "an approval without a matter", lambda w: {"matter": None})
approval(27, "an approval that writes", lambda w: {"wrote": sorted(w.note())})
approval(27, "an approval that was denied with a matter", lambda w: {"result": "denied"})
signed(27, "a request without a matter", lambda w: w.one.entry("request", w.note(5)))
signed(27, "a request that was denied with a matter", lambda w: w.one.entry("request", result="denied", matter=matter(w)))
signed(27, "a matter of another kind", lambda w: w.one.entry("add", w.note(), matter=matter(w)))
signed(27, "a matter of a read", lambda w: w.one.entry(matter=matter(w)))
signed(27, "a request that forgets", lambda w: w.one.entry("request", [], w.note1, matter=matter(w)))
signed(27, "a conflict that forgets", lambda w: w.one.entry("conflict", [], w.note1))
for title, changed in (
    ("an unknown deed", {"deed": "revise"}), ("a note that is none", {"note": "ab"}), ("objects that are none", {"objects": "AB" * 32}),
    ("an end that is none", {"until": "soon"}), ("an end too far", {"until": "9999-12-30T22:00:01Z"}),
    ("an unknown field", {"x": 1}), ("a field missing", {"note": None}), ("a number", {"deed": 1}),
):
    signed(27, "a matter with " + title, lambda w, changed=changed: w.one.entry(
        "request", w.note(5), matter={k: x for k, x in dict(matter(w), **changed).items() if x is not None}))
signed(27, "a matter that is no object", lambda w: w.one.entry("request", w.note(5), matter=[]))

deed(None, "a note destroyed by an approval")
deed(None, "a note destroyed by an approval from another device", log=second_device)
deed(None, "a note destroyed by an approval, its statement kept", forgot=lambda w: w.note1)
deed(None, "a note destroyed by an approval in two entries", forgot=lambda w: w.note1, twice=True)
deed(37, "a note destroyed that was not approved", forgot=lambda w: w.note3)


def destroyed_beside(again=None):
    """The statement of a request lies under the id of another note, and is destroyed with what it was about; then that note is
    revised by whom that was not known. `again`: another kind of entry wrote the statement too, and the destroyer had seen that."""

    def made(w):
        other = w.note2[0][1][:32]
        statement = w.note(5, other)
        w.one.entry("request", statement, matter=matter(w))
        seen = None
        if again is not None:
            w.two.entry("add", statement)
            seen = {w.two.name: w.two.mark()} if again else None
        w.one.entry("destroy", [], w.note1 + statement, seen=seen)
        w.two.entry("revise", w.note(0, other))

    return made


signed(None, "a note revised under whose id a statement was destroyed", destroyed_beside())
signed(37, "a note revised of which something was destroyed that was no statement alone", destroyed_beside(True))
deed(37, "a note destroyed beside the one that was approved", forgot=lambda w: w.note1 + w.note3)
deed(37, "a note destroyed by whom others approve", log=lambda w: w.two)
deed(37, "a note destroyed after what was approved", fields={"time": LATER})
deed(37, "a note destroyed by an approval to release", deed="release")
deed(None, "a brief released by an approval", "release")
deed(36, "a brief released by whom others approve", "release", log=lambda w: w.two)
deed(36, "a brief released after what was approved", "release", fields={"time": LATER})
deed(None, "a brief released just before the end of what was approved", "release", fields={"time": "2026-11-30T23:59:59Z"})
deed(36, "a brief released by an approval to destroy", "release", deed="destroy")
deed(36, "two briefs released by one approval", "release", twice=True)


def glass(number, title, by=lambda w: w.two, opening=None, fields=None):
    def made(w):
        w.one.entry(**dict({"kind": "break-glass", "wrote": w.note(5)}, **(opening or {})))
        by(w).entry("review", **dict({"because": place(w.one)}, **(fields(w) if fields else {})))

    signed(number, title, made)


glass(None, "an opening in an emergency and its review")
glass(None, "a review that was denied", by=lambda w: w.one, fields=lambda w: {"result": "denied"})
glass(36, "a review of what one opened oneself", by=lambda w: w.one)
glass(36, "a review of what one opened from another device", by=second_device, fields=lambda w: {"because": place(w.one, -2)})
glass(36, "a review of what is no opening", opening={"kind": "add"})
glass(36, "a review of an opening that was denied", opening={"wrote": (), "result": "denied"})
glass(36, "a review of an entry that is not there", fields=lambda w: {"because": "%s:99" % w.one.name})
glass(27, "a review that names nothing", fields=lambda w: {"because": None})
glass(27, "a review with a matter", fields=lambda w: {"matter": matter(w)})
glass(27, "a review that writes", fields=lambda w: {"wrote": sorted(w.note())})

# -- legal holds (§7.5) --------------------------------------------------------------------------------------------


def a_lead(w, roles=("lead", "officer")):
    """A third person, whose log has seen nothing yet."""
    w.nour = m.Person("nour", list(roles), [m.Device()])
    w.one.entry("card", [w.card(w.nour, w.mara.devices[0])])
    log = w.log(w.nour, w.nour.devices[0])
    log.entry("begin", w.boxes(log, w.nour.devices), admitted=w.roster())
    return log


def sees(w, log, *others):
    log.entry(seen={other.name: other.mark() for other in others})


def ids(*notes):
    return sorted(files[0][1][:32] for files in notes)


def held(w, log=None, **fields):
    if "wrote" not in fields:
        fields["wrote"] = w.note(5)
    (log or w.one).entry("hold", **dict({"held": ids(w.note1)}, **fields))
    return place(log or w.one)


def lifted(w, hold, log=None, **fields):
    (log or w.one).entry("lift", **dict({"because": hold}, **fields))


def gone1(w, log=None, **fields):
    (log or w.one).entry("destroy", [], w.note1, **fields)


def hold(number, title, *steps, deep=False):
    """Steps get the vault, and the log of a second lead who has seen nothing."""

    def made(w):
        w.other = a_lead(w)
        for step in steps:
            step(w)

    signed(number, title, made, deep)


hold(None, "a hold", lambda w: held(w), deep=None)
hold(None, "a hold on what is still to come", lambda w: held(w, held=None))
hold(None, "a hold that goes on from another", lambda w: held(w, wrote=(), because=held(w)))
hold(None, "a hold that goes on from another, with a statement of its own", lambda w: held(w, because=held(w)))
hold(None, "a hold that was denied to an officer", lambda w: w.two.entry("hold", result="denied"))
hold(None, "a hold lifted", lambda w: lifted(w, held(w)))
hold(None, "a note destroyed whose hold was lifted", lambda w: (lifted(w, held(w)), gone1(w)))
hold(None, "a note destroyed beside one that is held", lambda w: (held(w, held=ids(w.note2)), gone1(w)))
hold(None, "a note held whom its own log knows to be gone", lambda w: (gone1(w), held(w)))
hold(None, "a note destroyed whose hold and its lift were seen", lambda w: (
    lifted(w, held(w, w.other), w.other), gone1(w, seen={w.other.name: w.other.mark()})))
hold(None, "a note destroyed, of whose hold another lead lifted both parts", lambda w: (
    lambda begun: (held(w, wrote=(), because=begun), sees(w, w.other, w.one), lifted(w, begun, w.other), sees(w, w.one, w.other), gone1(w)))(held(w)))
hold(None, "a hold by whom a later card took the role from", lambda w: (held(w, w.other), w.one.entry(
    "card", [w.card(w.nour, w.mara.devices[0], roles=["officer"])])))
hold(36, "a hold by an officer", lambda w: held(w, w.two))
hold(36, "a hold by a lead who is one no more", lambda w: (w.one.entry(
    "card", [w.card(w.nour, w.mara.devices[0], roles=["officer"])]), held(w, w.other)))
hold(36, "a lift by an officer", lambda w: lifted(w, held(w), w.two))
hold(36, "a lift of what is no hold", lambda w: lifted(w, place(w.one)))
hold(36, "a lift of a lift", lambda w: (lifted(w, held(w)), lifted(w, place(w.one))))
hold(36, "a lift of an entry that is not there", lambda w: lifted(w, "%s:99" % w.one.name))
hold(36, "a hold that goes on from none", lambda w: held(w, because=place(w.one, 0)))
hold(37, "a note destroyed that its own log holds", lambda w: (held(w), gone1(w)))
hold(37, "a note destroyed that a log holds which was seen", lambda w: (
    held(w, w.other), gone1(w, seen={w.other.name: w.other.mark()})))
hold(37, "a note destroyed by whom a hold was seen before", lambda w: (held(w, w.other), sees(w, w.two, w.other), gone1(w, w.two)))
hold(37, "a note destroyed that one of two holds still holds", lambda w: (lifted(w, held(w)), held(w), gone1(w)))
hold(37, "a note destroyed after its hold was lifted by an officer", lambda w: (lifted(w, held(w), w.two), sees(w, w.one, w.two), gone1(w)))
hold(37, "a note destroyed by whom its lift was not seen", lambda w: (
    held(w, w.other), sees(w, w.one, w.other), lifted(w, place(w.other), w.other), gone1(w)))
hold(37, "a note destroyed, a part of whose hold the lift did not know", lambda w: (
    lambda begun: (sees(w, w.other, w.one), held(w, wrote=(), because=begun), lifted(w, begun, w.other), sees(w, w.one, w.other), gone1(w)))(held(w)))
hold(-37, "a note destroyed whose hold could not be known", lambda w: (held(w, w.other), gone1(w)))
hold(-37, "a note destroyed whose hold was seen later", lambda w: (held(w, w.other), gone1(w), sees(w, w.one, w.other)))
hold(-37, "a note destroyed whose hold could not be known, and was lifted", lambda w: (
    lifted(w, held(w, w.other), w.other), gone1(w)))
hold(-37, "a note destroyed after a hold and before another that was not known", lambda w: (
    lifted(w, held(w, w.other), w.other), sees(w, w.one, w.other), held(w, w.other), gone1(w)))
for title, fields in (
    ("without a statement", {"wrote": ()}), ("that names a note twice", {"held": ["ab" * 16] * 2}), ("of nothing", {"held": []}),
    ("out of order", {"held": ["cd" * 16, "ab" * 16]}), ("of a note that is none", {"held": ["AB" * 16]}), ("of a text", {"held": "ab" * 16}),
    ("of too many notes", {"held": ["%032x" % n for n in range(257)]}), ("that was denied", {"result": "denied", "wrote": ()}),
    ("with a matter", {"matter": {"deed": "destroy", "note": "ab" * 16, "objects": "ab" * 32, "until": LATER}}),
):
    hold(27, "a hold " + title, lambda w, fields=fields: held(w, **fields))
hold(27, "a hold that writes half a statement", lambda w: held(w, wrote=w.note(5)[:1], because=held(w)))
hold(27, "a hold that forgets", lambda w: held(w, forgot=sorted(w.note2)))
hold(27, "a lift that names nothing", lambda w: lifted(w, None))
hold(27, "a lift that writes", lambda w: lifted(w, held(w), wrote=sorted(w.note(5))))
hold(27, "a lift of notes", lambda w: lifted(w, held(w), held=ids(w.note1)))
hold(27, "a conflict that holds notes", lambda w: w.two.entry("conflict", w.note(5), held=ids(w.note1)))
hold(27, "a read that holds notes", lambda w: w.two.entry(held=ids(w.note1)))
hold(None, "a hold of 256 notes", lambda w: held(w, held=["%032x" % n for n in range(256)]))

# Of two histories it goes by what each knew.

histories(37, "a note destroyed in a fork that holds it")(lambda w, f: (
    w.one.entry("hold", w.note(5), held=ids(w.note1)), f.entry(seen={w.one.name: w.one.mark()}), f.entry("destroy", [], w.note1)))
histories(None, "a note held and destroyed where nobody else knows of the fork")(lambda w, f: (
    w.one.entry("hold", w.note(5), held=ids(w.note2)), f.entry(seen={w.one.name: w.one.mark()}), f.entry("destroy", [], w.note1)))

# Beyond a cut nothing counts: what stands there is not judged, nor what names it.


def asked_by_the_second(beyond):
    def before(w):
        w.two.entry("request", w.note(5), matter=matter(w))
        w.one.entry("approve", because=place(w.two), matter=matter(w))

    return removed(cut(), before) if beyond else removed(cut(), before=before)


signed(None, "an approval of what a removed device asked for", asked_by_the_second(False))
signed(14, "an approval of what stands beyond a cut", asked_by_the_second(True))
signed(None, "an approval of what stood beyond a cut", removed(cut(), lambda w: w.one.entry(
    "approve", because="%s:3" % w.two.name, matter=matter(w))))
signed(None, "a lift of what stood beyond a cut", removed(cut(), lambda w: w.one.entry("lift", because="%s:3" % w.two.name)))
signed(14, "a hold beyond a cut, by an officer", removed(cut(), lambda w: w.two.entry("hold", w.note(5), held=ids(w.note1))))
signed(None, "a review of what stood beyond a cut", removed(cut(), lambda w: w.one.entry("review", because="%s:3" % w.two.name)))
signed(14, "an approval beyond a cut of what nobody asked for", removed(cut(), lambda w: w.two.entry(
    "approve", because=place(w.one, 0), matter=matter(w))))

# Of two histories one has what is named.
for title, knows in (("the log", False), ("the fork", True)):
    def both(w, f, knows=knows):
        (f if knows else w.two).entry("request", w.note(5), matter=matter(w))
        w.one.entry("approve", because=place(f if knows else w.two), matter=matter(w))

    histories(None, "an approval of what %s asked for" % title)(both)


# Cards: what is lent, and the role.

for title, lent in (
    ("a level", {"level-2": LATER}), ("a compartment", {"compartment-" + "ab" * 8: LATER}),
    ("two things", {"compartment-" + "ab" * 8: LATER, "level-0": LATER}), ("what is over", {"level-3": "2020-01-01T00:00:00Z"}),
):
    signed(None, "a card that lends " + title, lambda w, lent=lent: new_card(w, lent=lent))
for title, lent in (
    ("nothing", {}), ("a list", []), ("`named`", {"level-4": LATER}), ("the auditors' role", {"role-auditor": LATER}),
    ("for no time", {"level-2": None}), ("until no time", {"level-2": "soon"}), ("a compartment of capitals", {"compartment-" + "AB" * 8: LATER}),
    ("by number", {"2": LATER}),
):
    signed(36, "a card that lends " + title, lambda w, lent=lent: new_card(w, lent=lent))
signed(None, "a card with the role `breakglass`", lambda w: new_card(w, roles=["auditor", "breakglass", "lead", "officer"]))
signed(36, "a card with the role `breakglass` out of order", lambda w: new_card(w, roles=["lead", "breakglass"]))


def paper_with_a_loan(**fields):
    def change(w):
        new_card(w, w.mara, lent={"level-3": LATER})
        w.mara.devices.append(m.Device())
        new_card(w, w.mara, w.mara.devices[1], **fields)

    return change


signed(None, "a paper device that leaves a loan", paper_with_a_loan(lent={"level-3": LATER}))
signed(36, "a paper device that takes a loan", paper_with_a_loan())
signed(36, "a paper device that lends longer", paper_with_a_loan(lent={"level-3": TOO_LATE}))
signed(36, "a paper device that lends", paper_admits_and(lent={"level-3": LATER}))

# Bodies: a statement is of purpose 5, and no other purpose is new.

signed(None, "a statement", lambda w: w.one.entry("request", w.note(5), matter=matter(w)))
for purpose in (4, 6, 255):
    signed(34, "a body of purpose %d" % purpose, lambda w, purpose=purpose: w.one.entry("add", w.note(purpose)))

# -- files of main that are put back (§7) ---------------------------------------------------------------------


def another_of_mara(w):
    """A second device of the lead, whose log has seen the first one's."""
    w.mara.devices.append(m.Device())
    new_card(w, w.mara)
    log = w.log(w.mara, w.mara.devices[-1])
    log.entry("begin", w.boxes(log, [w.mara.devices[-1]]), admitted=w.roster(), seen={w.one.name: w.one.mark()})
    return log


def there_and_back(by=lambda w, other: w.one, between=lambda w, other: None, at_once=False):
    def change(w):
        other = another_of_mara(w)
        charter(w, w.one, b"a")
        charter(w, w.one, b"b", b"a")
        between(w, other)
        fields = {"seen": {w.one.name: w.one.mark()}} if at_once else {}
        charter(w, by(w, other), b"a", b"b", **fields)

    return change


def by_a_third(w, other):
    w.two.entry(seen={w.one.name: w.one.mark()})
    other.entry(seen={w.two.name: w.two.mark()})


signed(None, "a policy changed and changed back", there_and_back())
signed(None, "a policy changed back and taken away", lambda w: (there_and_back()(w), charter(w, w.one, None, b"a")))
signed(None, "a policy changed back by a log that has seen the change", there_and_back(
    lambda w, o: o, lambda w, o: o.entry(seen={w.one.name: w.one.mark()})))
signed(None, "a policy changed back by an entry that sees the change", there_and_back(lambda w, o: o, at_once=True))
signed(37, "a policy changed back by a log that has not seen the change", there_and_back(lambda w, o: o))
signed(36, "the same, as a policy put back", there_and_back(lambda w, o: o))
signed(37, "a policy changed back by a log that has seen who saw the change", there_and_back(lambda w, o: o, by_a_third))


def fork_changes_back(w, f):
    """By number the fork stands after the change; it does not know of it."""
    charter(w, w.one, b"a")
    charter(w, w.one, b"b", b"a")
    for _ in range(5):
        f.entry()
    charter(w, f, b"a")


founder_forked(37, "a policy changed back by a fork that does not know of the change")(fork_changes_back)

# -- what a lead's device took back, since another's card came first (§7.6) -------------------------------------


class Aside:
    """A card of a lead's second device that is not of the chain, and what was done under it."""

    def __init__(self, w, writes=True, roles=("officer",)):
        self.w, self.other, self.base = w, another_of_mara(w), w.roster()
        self.max, self.old = m.Person("max", list(roles), [m.Device()]), ["main", "allowed_signers", ""]
        self.signers = w.files["main"]["allowed_signers"]
        self.old[2] = v.hex_H(self.signers)
        new = w.put("main", "allowed_signers", w.signers([w.mara, w.idris, self.max]))
        self.wrote = [w.card(self.max, w.mara.devices[-1]), new]
        self.roster = w.roster()
        self.other.entry("card", self.wrote, [self.old])
        self.x = w.log(self.max, self.max.devices[0]) if writes else None
        if writes:
            self.x.entry("begin", w.boxes(self.x, self.max.devices), admitted=self.roster)
            self.x.entry("add", w.note())
        self.other.entry()
        w.cards.pop()

    def take_back(self, wrote=None, forgot=None, log=None, **fields):
        self.w.files["main"]["allowed_signers"] = self.signers
        wrote, forgot = [self.old] if wrote is None else wrote, self.wrote if forgot is None else forgot
        (log or self.other).entry("withdraw", wrote, forgot, **fields)
        for ref, path, digest in self.wrote:
            if v.hex_H(self.w.files[ref].get(path, b"")) == digest:
                del self.w.files[ref][path]
        self.w.files["main"]["allowed_signers"] = self.signers

    def first(self):
        new_card(self.w, handle="idris.2")

    def again(self, **fields):
        self.other.entry(seen={self.w.one.name: self.w.one.mark()})
        new_card(self.w, self.max, self.w.mara.devices[-1], self.other, **fields)


def aside(number, title, change, receipt=None, **given):
    signed(number, title, lambda w: change(w, Aside(w, **given)), receipt=receipt)


def in_order(take_back=lambda a: a.take_back(), again=True, after=lambda w, a: None, **fields):
    def change(w, a):
        take_back(a)
        a.first()
        if again:
            a.again(**fields)
        after(w, a)

    return change


def goes_on(w, a):
    a.x.entry(seen={a.other.name: a.other.mark()})


def other_key(w, a):
    a.take_back()
    a.first()
    a.again(devices=[dict(a.max.devices[0].fields(), sign=b64_key(m.noise(32)))])


def b64_key(seed):
    return m.b64(m.public_of(seed))


def box_of_idris(w):
    vault, device = bytes.fromhex(w.id), w.idris.devices[0].id
    return w.sealed("keys/devices", device, m.key_box(vault, bytes.fromhex(device)))


def back_to_it(w, a):
    """The log knew of the card that came first when it was at the one that was withdrawn."""
    a.first()
    a.other.entry()
    a.other.entry(roster=a.roster)
    a.take_back(roster=a.base)


def stays_in_chain(w, a):
    """A card that others have is taken back, and stays."""
    a.take_back()
    a.first()
    path = next(path for path in w.files["main"] if path.startswith("members/0003"))
    content = w.files["main"][path]
    w.one.entry("withdraw", [], [["main", path, v.hex_H(content)]], roster=a.base)
    w.files["main"][path] = content


aside(None, "a card that was withdrawn and made again", in_order(after=goes_on))
aside(None, "a card that was withdrawn and not made again", in_order(again=False), writes=False)
aside(None, "a box that a withdrawal gives back", in_order(lambda a: a.take_back([a.old, box_of_idris(a.w)])))
aside(36, "a card that is not of the chain and that nobody withdrew", lambda w, a: (
    w.files["main"].update(allowed_signers=a.signers), w.files["main"].pop(a.wrote[0][1]), a.first(), a.again()))
aside(36, "a withdrawal of what another log wrote", in_order(lambda a: a.take_back(log=a.w.one)))
aside(36, "a withdrawal that takes nothing back", in_order(
    after=lambda w, a: a.other.entry("withdraw", [], [])))
aside(36, "a withdrawal twice of one card", in_order(
    after=lambda w, a: a.other.entry("withdraw", [], [a.wrote[0]])))
aside(36, "a withdrawal that puts back what its log did not forget", in_order(
    after=lambda w, a: (charter(w, a.other, b"a"), a.other.entry(
        "withdraw", [["main", "README.md", v.hex_H(w.files["main"]["README.md"])]],
        [["main", "policies/retention/x", v.hex_H(b"a")]]))))
aside(36, "a withdrawal that puts a card back", in_order(
    lambda a: a.take_back([a.old, ["main", "members/0000-%s.card" % a.w.mara.id, "0" * 64]])))
aside(36, "a withdrawal under a roster that is none of the chain", in_order(lambda a: a.take_back(roster="ab" * 32)))
aside(36, "a withdrawal under the roster that it takes back", in_order(lambda a: a.take_back(roster=a.roster)))
aside(27, "a withdrawal that forgets a key box", in_order(
    lambda a: a.take_back(forgot=a.wrote + [box_of_idris(a.w)])))
aside(27, "a withdrawal that forgets a note", in_order(lambda a: a.take_back(forgot=a.wrote + a.w.note1)))
aside(36, "a withdrawal of a card that stays", stays_in_chain)
aside(36, "a roster that was withdrawn, after a later one", back_to_it, writes=False)
aside(12, "a device whose admission was withdrawn for good", in_order(again=False))
aside(15, "the same, as a log of nobody's device", in_order(again=False))
aside(12, "a device that was admitted again with another key", other_key)
aside(36, "who was to be a lead by a card that was withdrawn gives keys", in_order(
    after=lambda w, a: a.x.entry("key", [box_of_idris(w)], roster=a.roster)), roles=["lead"])
aside(15, "a first entry under a card that nobody withdrew", in_order(
    after=lambda w, a: a.x.change(0, admitted="cd" * 32)))
def same_rule(w, again=False):
    """Two leads write the same rule; one takes it back, and may make it again."""
    other, before = another_of_mara(w), w.policies
    charter(w, other, b"a")
    w.policies = before
    other.entry("withdraw", [], [["main", "policies/retention/x", v.hex_H(b"a")]])
    charter(w, w.one, b"a")
    other.entry()
    if again:
        charter(w, other, b"b", b"a", seen={w.one.name: w.one.mark()})
        charter(w, other, b"a", b"b")


def changed_back(w):
    """What one lead takes back had replaced a rule that the other changed and changed back."""
    other = another_of_mara(w)
    charter(w, w.one, b"a")
    other.entry(seen={w.one.name: w.one.mark()})
    before = w.policies
    charter(w, other, b"b", b"a")
    w.policies = before
    w.files["main"]["policies/retention/x"] = b"a"
    other.entry("withdraw", [["main", "policies/retention/x", v.hex_H(b"a")]], [["main", "policies/retention/x", v.hex_H(b"b")]])
    charter(w, w.one, b"c", b"a")
    charter(w, w.one, b"a", b"c")


signed(None, "a rule that was withdrawn here and written there", same_rule)
signed(None, "a rule that was withdrawn, written, and changed back", lambda w: same_rule(w, True))
signed(None, "a rule that was withdrawn and changed back elsewhere", changed_back)


def stood(number, title, published):
    """What was withdrawn stood on the branch `main` before, or did not."""

    def build(bench):
        w = small(bench)
        a = Aside(w)
        before = dict(w.files["main"])
        if not published:
            before.pop(a.wrote[0][1])
            before["allowed_signers"] = a.signers
        in_order()(w, a)
        w.write()
        author = w.one.author(w.one.lines[0])
        commit = lambda files, above: w.store.commit(
            w.store.tree(files), above, author, b"change the charter\n", w.one.device.seed)
        w.store.ref("main", commit(w.files["main"], [commit(before, [])]))

    case(number, title)(build)


stood(36, "a card that was withdrawn and had stood in `main`", True)
stood(None, "a card that was withdrawn and had not stood in `main`", False)
for lost, number in ((True, 13), (False, None)):
    def _(bench, lost=lost):
        w = small(bench)
        a = Aside(w)
        in_order()(w, a)
        w.write()
        w.receipt(os.path.join(bench.root, "small-receipt"), **({"roster": a.roster} if lost else {}))

    case(number, "a receipt that names a roster which %s withdrawn" % ("was" if lost else "was not"), False, "small-receipt")(_)

# -- witnesses whose key was given (31, 22, 7, 10, 11, 16, 17) --------------------------------------------------

WITNESS, THEN = m.noise(32, "a witness"), 1795400000


def witnessed(number, title, *steps, deep=False, key=None, name="inspectorate", before=None, after=None, message=b"cosign\n"):
    """A witness cosigns; each step gives of a vault what one commit of its branch holds. The log may change between."""

    def build(bench):
        w = small(bench)
        if before:
            before(w)
        commits = [step(w) for step in steps]
        if after:
            after(w)
        w.write()
        parent = None
        for files in commits:
            tree = w.store.tree({log: text.encode() for log, text in files.items()})
            parent = w.store.commit(tree, [parent] if parent else [], b"strongroom <strongroom@localhost> 1795392000 +0000", message)
        if parent:
            w.store.ref("witness/" + name, parent)
        with open(os.path.join(w.folder, "witness-key"), "w", encoding="utf-8") as file:
            file.write(key(w) if key else m.key_line("inspectorate", WITNESS))
        if number == 10:
            w.store.ref(w.two.branch(), None)

    case(number, title, deep)(build)


def cosigned(size=None, time=0, which="one", checkpoint=None, name="inspectorate", seed=None, signature=None):
    def step(w):
        log = w.logs[-1] if which == "fork" else getattr(w, which)
        end = size or len(log.lines)
        text = log.checkpoint(**dict({"size": end, "root": log.root(end)}, **(checkpoint(w) if checkpoint else {})))
        return {log.name: m.cosign(text, THEN + time, name, seed or WITNESS, signature)}

    return step


def all_of_them(*steps):
    return lambda w: {log: text for step in steps for log, text in step(w).items()}


def repeated(more):
    """What a witness cosigned, with more lines."""
    return lambda w: {log: text + more(text) for log, text in cosigned()(w).items()}


def last_replaced(more):
    def change(w):
        w.one.lines.pop()
        for _ in range(more):
            w.one.entry()

    return change


witnessed(None, "a witness", all_of_them(cosigned(3), cosigned(2, which="two")), all_of_them(cosigned(7, 9), cosigned(3, 9, "two")), deep=None)
witnessed(31, "a witness that has cosigned nothing")
witnessed(None, "a witness that cosigned one size twice", cosigned(7), cosigned(7, 9))
witnessed(None, "a witness that cosigns one log no more", all_of_them(cosigned(3), cosigned(2, which="two")), cosigned(7, 9))
witnessed(None, "a witness that cosigned two sizes at one time", cosigned(3), cosigned(7))
witnessed(None, "a witness's commits with another message", cosigned(), message=b"x\n")
witnessed(None, "another witness's line beside", repeated(lambda text: m.cosign(text, THEN, "zed", OTHER).split("\n")[-2] + "\n"))
witnessed(31, "a witness's line twice", repeated(lambda text: text.split("\n")[-2] + "\n"))
witnessed(31, "a witness's line twice, of two times", repeated(lambda text: m.cosign(text, THEN + 1, "inspectorate", WITNESS).split("\n")[-2] + "\n"))
witnessed(31, "a checkpoint that the witness did not cosign", lambda w: {w.one.name: w.one.checkpoint(7, w.one.root(7))})
witnessed(31, "a cosignature that is forged", cosigned(signature=bytes(64)))
witnessed(31, "a cosignature by another key", cosigned(seed=OTHER))
witnessed(31, "a cosigned checkpoint that no device signed", cosigned(7, checkpoint=lambda w: {"seed": OTHER}))
witnessed(31, "the same, in an older commit", cosigned(7, checkpoint=lambda w: {"seed": OTHER}), cosigned(7, 9))
witnessed(23, "a cosigned checkpoint of another vault", cosigned(7, checkpoint=lambda w: {"origin": "%s/audit/%s" % ("ab" * 16, w.one.name)}))
witnessed(31, "a witness that went back", cosigned(7), cosigned(3, 9))
witnessed(31, "a witness that went back by its times", cosigned(3, 9), cosigned(7))
witnessed(31, "a witness whose branch was put back and forth", cosigned(7, 9), cosigned(3), cosigned(7, 9))
witnessed(31, "a witness that went back, 64 commits before", cosigned(3, 500), *[cosigned(7, at) for at in range(63)])
witnessed(None, "a witness that went back, 65 commits before", cosigned(3, 500), *[cosigned(7, at) for at in range(64)])
witnessed(31, "the same with --deep", cosigned(3, 500), *[cosigned(7, at) for at in range(64)], deep=True)
witnessed(None, "what is no checkpoint in an older commit of a witness", lambda w: {w.one.name: "x"}, cosigned(7))
witnessed(None, "another file in an older commit of a witness", lambda w: {"x": "x"}, cosigned(7))
witnessed(7, "a log shorter than a witness cosigned", cosigned(7), after=last_replaced(0))
witnessed(11, "a log rewritten after a witness", cosigned(7), after=last_replaced(1))
witnessed(16, "two heads of the size a witness cosigned", cosigned(7), after=last_replaced(1))
witnessed(17, "another history than a witness cosigned", cosigned(7), after=last_replaced(2))
witnessed(17, "another history in an older commit of a witness", cosigned(6, checkpoint=lambda w: {"root": bytes(32)}), cosigned(7, 9))
witnessed(10, "a log gone that a witness cosigned", cosigned(3, which="two"))
witnessed(22, "an entry dated after the witness who cosigned it", cosigned(7, -146_600))
witnessed(14, "a witness that cosigned beyond a cut", cosigned(3, which="two"), after=removed(cut(2)))
witnessed(31, "a witness with a device's key", key=lambda w: m.key_line("inspectorate", w.two.device.seed))
witnessed(31, "a witness with a paper device's key", key=lambda w: m.key_line("inspectorate", w.mara.devices[1].seed))
witnessed(31, "the branch of another witness alone", cosigned(7, name="other"), name="other")
witnessed(None, "a key line without its newline", cosigned(), key=lambda w: m.key_line("inspectorate", WITNESS)[:-1])
for title, made in (
    ("with another id", lambda w: "inspectorate+00000000+" + m.b64(b"\4" + m.public_of(WITNESS)) + "\n"),
    ("of a log", lambda w: m.key_line("inspectorate", WITNESS, b"\1")),
    ("that is none", lambda w: "inspectorate\n"),
    ("of a name that none has", lambda w: m.key_line("Inspectorate", WITNESS)),
    ("of a name with two dots", lambda w: m.key_line("a..b", WITNESS)),
    ("with a line more", lambda w: m.key_line("inspectorate", WITNESS) * 2),
):
    witnessed("refused", "a key line " + title, cosigned(), key=made)


def fork_before(w):
    forked(w, 2, 3)


def join_all(w):
    join(w, w.two.end(), w.logs[-1].end())


witnessed(None, "a witness that cosigned a log with a fork", cosigned(3, which="two"), before=fork_before, after=join_all)
witnessed(None, "a witness that cosigned what is a fork now", cosigned(5, which="fork"), before=fork_before, after=join_all)
witnessed(None, "a witness that cosigned both histories", cosigned(3, which="two"), cosigned(5, 9, which="fork"), before=fork_before, after=join_all)


# -- forks whose branch is not what it should be --------------------------------------------------------------


def renamed(number, title, change, joined=True):
    def build(bench):
        w = small(bench)
        fork = forked(w)
        if joined:
            join(w, w.two.end(), fork.end())
        w.write()
        change(w, fork)

    case(number, title, False)(build)


def under_name(w, fork, branch):
    w.store.ref(fork.branch(), None)
    fork.write(branch=branch)


renamed(43, "a fork under another root", lambda w, f: under_name(w, f, "audit/%s-fork-%s" % (w.two.name, "0" * 64)))
renamed(43, "a fork under another log", lambda w, f: under_name(w, f, "audit/%s-fork-%s" % (w.one.name, f.root().hex())))
renamed(3, "a fork under another log, by its entries", lambda w, f: under_name(w, f, "audit/%s-fork-%s" % (w.one.name, f.root().hex())))
renamed(32, "a fork under a root in capitals", lambda w, f: under_name(w, f, "audit/%s-fork-%s" % (w.two.name, "AB" * 32)))
renamed(10, "a fork whose log is gone", lambda w, f: w.store.ref(w.two.branch(), None))
renamed(12, "a fork signed with another key", lambda w, f: f.write(seed=OTHER))
renamed(23, "a fork with a checkpoint of another log", lambda w, f: f.write(checkpoint=lambda at, text: f.checkpoint(
    at + 1, f.root(at + 1), origin="%s/audit/%s" % (w.id, w.one.name))))
renamed(26, "a fork with a stray file beside its bundles", lambda w, f: f.write(bundles=lambda at, files: dict(files, x=b"")))
renamed(30, "a fork with a second parent", lambda w, f: f.write(parents=lambda at, above: above + [stranger(w)] if at == 2 else above))
renamed(10, "a fork whose newest commit is missing", lambda w, f: os.remove(w.store.path(subprocess.run(
    ["git", "--git-dir", w.folder, "rev-parse", f.branch()], capture_output=True, text=True).stdout.strip())))
renamed(10, "a fork's branch that is empty", lambda w, f: open(os.path.join(w.folder, "refs/heads", f.branch()), "w").close())


def main_signed_by(seed):
    def build(bench):
        vault = small(bench)
        vault.write(seed)

    return build


case(36, "main signed with another key", False)(main_signed_by(OTHER))


@case(30, "main merged", False)
def _(bench):
    vault = small(bench)
    vault.write()
    made = vault.store.commit(
        vault.store.tree(vault.files["main"]), [stranger(vault), stranger(vault) and vault.store.commit(
            vault.store.tree({"a": b""}), [], b"a <a@b> 0 +0000", b"x\n")],
        vault.one.author(vault.one.lines[0]), b"change the charter\n", vault.one.device.seed)
    vault.store.ref("main", made)


# -- sealed files that an entry did write ------------------------------------------------------------------


def sealed(change):
    def made(w):
        note, vault = bytes([0xAB] * 16), bytes.fromhex(w.id)
        content = m.body(vault, note)
        given = m.wrap(vault, note, v.H(content), [b"\1" * 8])
        content, given = change(w, vault, note, content, given)
        w.one.entry("add", [w.sealed("notes/ab", note.hex(), content), w.sealed("keys/ab", note.hex(), given)])

    return made


def with_wrap(change):
    """A body as it should be, and a wrap of it that is not."""
    return sealed(lambda w, vault, note, content, given: (content, change(vault, note, v.H(content), given)))


def with_body(change):
    """A body that is not as it should be, and a wrap of it."""

    def made(w, vault, note, content, given):
        content = change(vault, note, content)
        return content, m.wrap(vault, note, v.H(content), [b"\1" * 8])

    return sealed(made)


SLOT = {0: bytes(1120), 1: bytes(48)}
signed(None, "a wrap with four slots", with_wrap(lambda vault, note, body, given: b"\xa7" + given[1:] + b"\x06" + m.cbor([SLOT] * 4)))
signed(34, "a wrap with three slots", with_wrap(lambda vault, note, body, given: b"\xa7" + given[1:] + b"\x06" + m.cbor([SLOT] * 3)))
signed(34, "a wrap made for another note", with_wrap(lambda vault, note, body, given: m.wrap(vault, bytes(16), body, [b"\1" * 8])))
signed(34, "a wrap made for another vault", with_wrap(lambda vault, note, body, given: m.wrap(bytes(16), note, body, [b"\1" * 8])))
signed(-34, "a wrap of another body", with_wrap(lambda vault, note, body, given: m.wrap(vault, note, bytes(32), [b"\1" * 8])))
signed(34, "a wrap to nobody", with_wrap(lambda vault, note, body, given: m.wrap(vault, note, body, [])))
signed(34, "a wrap with a custodian's share", with_wrap(lambda vault, note, body, given: b"\xa7" + given[1:] + b"\x07\x41a"))
signed(34, "a wrap of another suite", with_wrap(lambda vault, note, body, given: given[:2] + b"\2" + given[3:]))
signed(34, "a wrap with a longer number than needed", with_wrap(lambda vault, note, body, given: given[:2] + b"\x18\1" + given[3:]))
signed(34, "a wrap with a byte too many", with_wrap(lambda vault, note, body, given: given + b"\0"))
signed(34, "a body sealed for another note", with_body(lambda vault, note, content: m.body(vault, bytes(16))))
signed(34, "a body sealed for another vault", with_body(lambda vault, note, content: m.body(bytes(16), note)))
signed(34, "a body of an unknown purpose", with_body(lambda vault, note, content: m.body(vault, note, 4)))
signed(34, "a body that is none", with_body(lambda vault, note, content: b"x" * 600))
signed(34, "a body that ends with its header", with_body(lambda vault, note, content: content[:-544]))
signed(34, "a body whose streams have an impossible length", with_body(lambda vault, note, content: content[:-1]))


def part(number, length, **changed):
    def change(w):
        note, vault = changed.get("note", bytes([0xAB] * 16)), bytes.fromhex(w.id)
        w.one.entry("attach", [w.sealed("notes/ab", (b"\xab" * 16).hex(), m.part(vault, note, number, length))])

    return change


signed(None, "a part of an attachment", part(0, 272))
signed(None, "a full part of an attachment", part(0, 64 * 65_552))
signed(None, "a last part of an attachment", part(1, 65_536 * 4 + 64))
signed(34, "a part of no padded length", part(0, 273))
signed(34, "a part that ends where no attachment does", part(1, 272))
signed(34, "a part that ends within a tag", part(0, 65_552 + 16))
signed(34, "a part with a number that none has", part(16_384, 64 * 65_552))
signed(34, "a part of another note", part(0, 272, note=bytes(16)))
signed(None, "a wrap whose body was destroyed", lambda w: w.one.entry("destroy", [], [w.note1[0]]))


def device_file(name, content):
    def change(w):
        vault, device = bytes.fromhex(w.id), bytes.fromhex(w.mara.devices[0].id)
        w.one.entry("key", [w.sealed("keys/devices", name or device.hex(), content(vault, device))])

    return change


signed(None, "another key box of a device", device_file(None, m.key_box))
signed(34, "a key box that is none", device_file(None, lambda vault, device: b"x"))
signed(34, "a key box made for another device", device_file(None, lambda vault, device: m.key_box(vault, bytes(8))))
signed(34, "a detail key kept under another id", device_file("detail-" + "00" * 8, lambda vault, device: m.detail_key(vault, device, b"\1" * 8, [device])))

# -- what exists ----------------------------------------------------------------------------------------------


def back(w):
    kept = {(ref, path): w.files[ref][path] for ref, path, _ in w.note1}
    w.one.entry("destroy", [], w.note1)
    for (ref, path), content in kept.items():
        w.files.setdefault(ref, {})[path] = content


def back_with_entry(w):
    back(w)
    w.one.entry("add", w.note1)


signed(37, "what was destroyed is back", back)


def written_twice(keep):
    """Two entries wrote the same files, and who destroys one of them knew of one writing alone."""

    def change(w):
        made = w.note()
        w.one.entry("add", made)
        w.two.entry("add", made)
        w.one.entry("destroy", [], [made[1]])
        if not keep:
            gone(w, [made[0]])

    return change


signed(37, "a file written twice, of one of which its destroyer did not know, is kept", written_twice(True))
signed(None, "a file written twice, of one of which its destroyer did not know", written_twice(False))
signed(37, "what was destroyed is written again", back_with_entry)
signed(32, "an entry without its file", lambda w: w.one.entry("add", [["notes/aa", "a" * 32 + "." + "0" * 64, "0" * 64]]))
signed(37, "the same, as something gone", lambda w: w.one.entry("add", [["notes/aa", "a" * 32 + "." + "0" * 64, "0" * 64]]))

# -- receipts ---------------------------------------------------------------------------------------------------


def against_receipt(number, title, change, **changed):
    """A receipt is taken, the vault is changed, and both are compared."""

    def build(bench):
        vault = small(bench)
        vault.write()
        place = os.path.join(bench.root, "small-receipt")
        vault.receipt(place, **changed)
        change(bench, vault, place)

    case(number, title, False, "small-receipt")(build)


def rewrite(*steps):
    def change(bench, vault, place):
        for step in steps:
            step(vault)
        vault.one.write()

    return change


def exchanged(bench, vault, place):
    shutil.rmtree(bench.vault)
    small(bench, vault_id=vault.id, salt=5000).write()


def resigned(change):
    def made(bench, vault, place):
        with open(place, encoding="utf-8") as file:
            text = change(file.read().split("check ")[0])
        with open(place, "w", encoding="utf-8") as file:
            file.write(text + "check %s\n" % v.hex_H(text.encode()))

    return made


against_receipt(None, "a receipt that holds", lambda bench, vault, place: None)
against_receipt(None, "a receipt that is continued", rewrite(lambda w: w.one.entry()))
against_receipt(None, "a receipt of an older roster", lambda bench, vault, place: vault.receipt(place, roster=v.hex_H(vault.cards[0])))
against_receipt(7, "a receipt that knows more", lambda bench, vault, place: (vault.one.entry(), vault.receipt(place)))
against_receipt(10, "a log gone", lambda bench, vault, place: vault.store.ref("audit/" + vault.two.name, None))
against_receipt(11, "a log rewritten after a receipt", rewrite(lambda w: w.one.change(6, time="2026-11-21T10:30:00Z")))
against_receipt(16, "two heads of one size", rewrite(lambda w: w.one.change(6, time="2026-11-21T10:30:00Z")))
against_receipt(11, "a log rewritten and continued", rewrite(lambda w: w.one.change(6, time="2026-11-21T10:30:00Z"), lambda w: w.one.entry()))
against_receipt(13, "roster and key exchanged", exchanged)
against_receipt(13, "a receipt of another founder", lambda bench, vault, place: None, founder="ab" * 32)
against_receipt(13, "a receipt of another roster", lambda bench, vault, place: None, roster="ab" * 32)


def another_vault(bench, vault, place):
    vault.id = "ab" * 16
    vault.receipt(place)


against_receipt(23, "a receipt of another vault", another_vault)
against_receipt(31, "a receipt that no device signed", resigned(lambda t: t[:-9] + "AAAA" + t[-5:]))

# ---------------------------------------------------------------------------------------------
# The vault that the program made: damage by a stranger
# ---------------------------------------------------------------------------------------------


def chain(repository, name):
    """The raw commits of a branch, oldest first."""
    raws, oid = [], repository.refs[name]
    while oid:
        raws.append(repository.read(oid, "commit"))
        above = v.parse_commit(oid, raws[-1]).parents
        oid = above[0] if above else None
    return raws[::-1]


class Stranger:
    """A copy of the vault that the program made, and what somebody without a key can do to it."""

    def __init__(self, bench, journal=False):
        self.bench, self.folder = bench, bench.vault
        if journal:
            shutil.copytree(bench.real, bench.vault)
        else:
            subprocess.run(["git", "clone", "--quiet", "--mirror", "--no-hardlinks", bench.real, bench.vault], check=True)
        self.store = m.Store(bench.vault)
        self.refs = sorted(self.git("for-each-ref", "--format=%(refname)", "refs/heads").split())

    def git(self, *arguments):
        run = subprocess.run(["git", "--git-dir", self.folder, *arguments], capture_output=True, text=True, check=True)
        return run.stdout.strip()

    def log(self, which, change):
        """Commits of a log altered and strung together again, signatures left as they are."""
        repository = v.Repository(self.folder)
        raws = chain(repository, self.bench.logs[which])
        repository.close()
        change(raws)
        parent = None
        for raw in raws:
            headers, _, text = raw.partition(b"\n\n")
            lines = [line for line in headers.split(b"\n") if not line.startswith(b"parent ")]
            if parent:
                lines.insert(1, b"parent " + parent.encode())
            parent = self.store.put("commit", b"\n".join(lines) + b"\n\n" + text)
        self.store.ref(self.bench.logs[which][len("refs/heads/") :], parent)

    def shard(self, kind, which=0):
        return [r[len("refs/heads/") :] for r in self.refs if r.startswith("refs/heads/%s/" % kind) and "devices" not in r][which]

    def files(self, ref):
        return {line.split("\t")[1]: ("100644", line.split()[2]) for line in self.git("ls-tree", "-r", ref).splitlines()}

    def change_files(self, ref, change):
        files = self.files(ref)
        change(files)
        if ref == "main":  # keep the newest commit's signature as it was
            repository = v.Repository(self.folder)
            raw = repository.read(repository.refs["refs/heads/main"], "commit")
            repository.close()
            raw = raw.replace(raw.split(b"\n")[0], b"tree " + self.store.tree(files).encode())
            self.store.ref(ref, self.store.put("commit", raw))
        else:
            self.store.set_files(ref, files)

    def content(self, oid):
        return subprocess.run(["git", "--git-dir", self.folder, "cat-file", "blob", oid], capture_output=True).stdout

    def loose(self, what):
        """The file of an object, everything having been unpacked."""
        packs = os.path.join(self.folder, "objects/pack")
        for name in [name for name in os.listdir(packs) if name.endswith(".pack")]:
            aside = os.path.join(self.bench.root, "aside.pack")
            os.replace(os.path.join(packs, name), aside)
            for other in os.listdir(packs):
                os.remove(os.path.join(packs, other))
            with open(aside, "rb") as file:
                subprocess.run(["git", "--git-dir", self.folder, "unpack-objects", "-q"], stdin=file, check=True)
        path = self.store.path(self.git("rev-parse", what))
        os.chmod(path, 0o644)
        return path

    def first(self, ref):
        return next(iter(self.files(ref)))


def strange(number, title, change, deep=False, journal=False, receipt=None):
    def build(bench):
        change(Stranger(bench, journal))

    case(number, title, deep, receipt)(build)


def tail(number, title, change, receipt=None):
    strange(number, title, lambda s: s.log(0, change), receipt=receipt)


def in_commit(place, old, new):
    def change(raws):
        raws[place] = raws[place].replace(old, new, 1)

    return change


def move(raws, place, line):
    raws.insert(place, line)


strange(None, "a clone", lambda s: None, None)
strange(None, "a clone and a receipt", lambda s: None, None, receipt="receipt")
strange(None, "a clone and an older receipt", lambda s: None, receipt="old-receipt")
strange(None, "a copy with its journal", lambda s: None, None, True)
strange(None, "a vault packed by git", lambda s: s.git("gc", "--quiet", "--prune=now"), None, True)
strange(None, "an older copy and a receipt as old", lambda s: s.store.ref(s.bench.logs[1][11:], None) or older(s), receipt="old-receipt")


def older(s):
    """What the second log wrote is taken back, as if it had not been."""
    repository = v.Repository(s.folder)
    oldest = v.parse_commit("", chain(repository, "refs/heads/main")[-1]).parents[0]
    repository.close()
    s.store.ref("main", oldest)
    first = {tuple(f) for f in written(s, 0)}
    for ref in s.refs:
        ref = ref[len("refs/heads/") :]
        if ref.startswith(("notes/", "keys/")):
            kept = {p: f for p, f in s.files(ref).items() if (ref, p) in {(r, q) for r, q, _ in first}}
            s.store.set_files(ref, kept)


def written(s, which):
    lines = s.git("log", "--format=%B", s.bench.logs[which]).splitlines()
    return [f for line in lines if line.startswith("{") for f in json.loads(line).get("wrote", [])]


tail(1, "a byte of a line", in_commit(4, b'"result":"done"', b'"result":"dont"'))
tail(1, "a byte of the first line", in_commit(0, b'"result":"done"', b'"result":"dont"'))
tail(1, "another result in a line", in_commit(5, b'"result":"done"', b'"result":"denied"'))
tail(1, "another result in the newest line", in_commit(-1, b'"result":"done"', b'"result":"denied"'))
tail(2, "a line gone", lambda raws: raws.pop(4))
tail(3, "a line too many", lambda raws: move(raws, 6, raws[5].replace(b'"result":"done"', b'"result":"denied"', 1)))
tail(4, "two lines swapped", lambda raws: move(raws, 4, raws.pop(5)))
tail(5, "a line twice", lambda raws: move(raws, 5, raws[4]))
tail(5, "an old line again", lambda raws: raws.append(raws[2]))
tail(6, "the first lines gone", lambda raws: raws.__delitem__(slice(0, 2)))
tail(8, "the end cut off that another log has seen", lambda raws: raws.pop())
strange(7, "the end cut off that a receipt knows", lambda s: s.log(1, lambda raws: raws.pop()), receipt="receipt")
strange(10, "a log gone that another has seen", lambda s: s.store.ref(s.bench.logs[0][11:], None))
strange(10, "a log gone that a receipt knows", lambda s: s.store.ref(s.bench.logs[1][11:], None), receipt="receipt")
strange(12, "a log under another device's name", lambda s: s.git("update-ref", "refs/heads/audit/0123456789abcdef-01234567", s.bench.logs[1]))
strange(23, "a log under another incarnation's name", lambda s: s.git("update-ref", s.bench.logs[1][:-8] + "01234567", s.bench.logs[1]))


@case(21, "a clock set back between two commands", False)
def _(bench):
    """The program's own clock, in a vault of its own."""
    home = os.path.join(bench.root, "clock")
    shutil.rmtree(home, ignore_errors=True)
    os.makedirs(home)
    env = dict(bench.env, HOME=home)
    for clock, words in (("2026-11-21T09:30:00Z", ["init", "--name", "mara"]), ("2026-11-20T09:30:00Z", ["list"])):
        subprocess.run([bench.binary, *words], env=dict(env, STRONGROOM_TEST_CLOCK=clock), capture_output=True, input=b"", check=True)
    shutil.copytree(os.path.join(home, ".local/share/strongroom/vault"), bench.vault)
    if "2026-11-20T09:30:00Z" not in subprocess.run(
            ["git", "--git-dir", bench.vault, "log", "--all", "--format=%B"], capture_output=True, text=True).stdout:
        raise NotRun("this build of the program takes no clock from its environment")


# -- files and branches ------------------------------------------------------------------------------------------


def put(s, ref, name, content):
    s.change_files(ref, lambda files: files.update({name: content}))


def swap(kind):
    def change(s):
        a, b = s.shard(kind, 0), s.shard(kind, 1)
        fa, fb = s.files(a), s.files(b)
        pa, pb = next(iter(fa)), next(iter(fb))
        fa[pa], fb[pb] = fb[pb], fa[pa]
        s.store.set_files(a, fa)
        s.store.set_files(b, fb)

    return change


def all_of(content):
    return lambda files: files.update({path: content for path in list(files)})


def every_mode(mode):
    return lambda files: files.update({path: (mode, oid) for path, (_, oid) in list(files.items())})


strange(32, "a stray file in a shard", lambda s: put(s, s.shard("notes"), "x", b"y"))
strange(32, "a stray note, well named", lambda s: put(s, s.shard("notes"), s.shard("notes")[-2:] + "0" * 30 + "." + v.hex_H(b"y"), b"y"))
strange(32, "another wrap of a note", lambda s: put(s, s.shard("keys"), s.first(s.shard("keys"))[:33] + v.hex_H(b"y"), b"y"))
strange(32, "a folder in a shard", lambda s: put(s, s.shard("notes"), "d/x", b"y"))
strange(32, "a note gone", lambda s: s.change_files(s.shard("notes"), dict.clear))
strange(32, "a shard gone", lambda s: s.store.ref(s.shard("notes"), None))
strange(32, "an executable note", lambda s: s.change_files(s.shard("notes"), every_mode("100755")))
strange(32, "a symbolic link for a note", lambda s: s.change_files(s.shard("notes"), every_mode("120000")))
strange(33, "another file for a note", lambda s: s.change_files(s.shard("notes"), all_of(b"x")))
strange(33, "another file for a wrap", lambda s: s.change_files(s.shard("keys"), all_of(b"x")))
strange(34, "two notes' bodies exchanged", swap("notes"))
strange(34, "two notes' wraps exchanged", swap("keys"))
strange(32, "another branch", lambda s: s.git("update-ref", "refs/heads/other", "main"))
strange(32, "a shard that is none", lambda s: s.store.set_files("notes/zz", {}))
strange(32, "a branch below a branch", lambda s: s.store.set_files("keys/other", {}))
strange(32, "a log that is not named as one", lambda s: s.git("update-ref", "refs/heads/audit/odd", "main"))
strange(32, "a tag", lambda s: s.git("tag", "x", "main"))
strange(32, "a ref of another kind", lambda s: s.git("update-ref", "refs/other/x", "main"))
strange(43, "two histories kept", lambda s: s.git("update-ref", s.bench.logs[1] + "-fork-" + "0" * 64, s.bench.logs[1]))
strange(None, "an empty shard", lambda s: s.store.set_files("notes/ff", {}))
strange(None, "an empty branch of a witness", lambda s: s.store.set_files("witness/x", {}))
strange(31, "a witness's commit missing", lambda s: (s.store.set_files("witness/x", {}), os.remove(s.store.path(s.git("rev-parse", "witness/x")))))
strange(32, "another file on the branch of a witness", lambda s: s.store.set_files("witness/x", {"a": b""}))
strange(31, "what is no checkpoint on the branch of a witness", lambda s: s.store.set_files("witness/x", {s.bench.logs[0][17:]: b"x"}))
strange(32, "a witness's branch that is not named as one", lambda s: s.store.set_files("witness/X", {}))
strange(36, "a policy changed", lambda s: put(s, "main", "policies/levels.toml", b"x"))
strange(36, "a policy added", lambda s: put(s, "main", "policies/redaction/more.toml", b"x"))
strange(36, "a policy gone", lambda s: s.change_files("main", lambda files: files.pop("policies/levels.toml")))
strange(36, "the list of signers changed", lambda s: put(s, "main", "allowed_signers", b"x"))
strange(36, "something else on main", lambda s: put(s, "main", "x", b"y"))
strange(36, "the vault's name gone", lambda s: s.change_files("main", lambda files: files.pop("vault.toml")))
strange(36, "the newest card gone", lambda s: s.change_files("main", lambda files: files.pop(sorted(p for p in files if "members" in p)[-1])))
strange(36, "a card altered", lambda s: s.change_files("main", lambda files: [
    files.update({p: s.content(o).replace(b'"level":3', b'"level":2')}) for p, (_, o) in list(files.items()) if p.startswith("members/0001")]))
strange(36, "a key box exchanged", lambda s: s.change_files("keys/devices", all_of(b"x")))
strange(36, "a key box gone", lambda s: s.change_files("keys/devices", lambda files: files.pop(next(iter(files)))))
strange(36, "a key box added", lambda s: put(s, "keys/devices", "0" * 16 + "." + v.hex_H(b"y"), b"y"))


def founder(s):
    text = s.content(s.files("main")["vault.toml"][1])
    put(s, "main", "vault.toml", text[: text.index(b"founder")] + b'founder = "%s"\n' % (b"0" * 64))


strange(13, "another founder named", founder)


@case(37, "a key box that was superseded is back", False)
def _(bench):
    s = Stranger(bench)
    lines = s.git("log", "--format=%B", bench.logs[0]).splitlines()
    ref, path, name = next(f for line in lines if line.startswith("{") for f in json.loads(line).get("forgot", []))
    repository = v.Repository(bench.real)
    kept = [c for k, c in repository.journal.objects.values() if k == "blob" and v.hex_H(c) == name]
    repository.close()
    put(s, ref, path, kept[0])


# -- caches: nothing is read but the vault (35) ------------------------------------------------------------------


@case(None, "files that look like a cache", False)
def _(bench):
    s = Stranger(bench)
    for name in ("verified", "strongroom.cache", "strongroom.index"):
        with open(os.path.join(s.folder, name), "w") as file:
            file.write("intact")


@case(35, "a commit graph that tells another history", False)
def _(bench):
    """It is not read: what is told is the damage underneath."""
    s = Stranger(bench)
    s.git("commit-graph", "write", "--reachable")
    s.store.ref(bench.logs[0][11:], None)


# -- history that git is told to see otherwise (30), objects, broken refs -----------------------------------------


def write(s, name, content):
    path = os.path.join(s.folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(content)


strange(30, "a replaced object", lambda s: s.git("replace", s.bench.logs[0] + "~1", s.bench.logs[0]))
strange(30, "a grafted history", lambda s: write(s, "info/grafts", s.git("rev-parse", "main") + "\n"))
strange(30, "a shallow history", lambda s: write(s, "shallow", s.git("rev-parse", "main") + "\n"))
def replaced_beside_no_text(s):
    s.git("update-ref", b"refs/heads/x\xff", "refs/heads/main")
    s.git("replace", s.bench.logs[0] + "~1", s.bench.logs[0])
    s.git("pack-refs", "--all")


strange(30, "an object replaced beside a name that is no text, all of it packed", replaced_beside_no_text)
strange(32, "a branch whose name is no text", lambda s: s.git("update-ref", b"refs/heads/x\xff", "refs/heads/main"))
strange(32, "a ref that is empty", lambda s: write(s, "refs/heads/" + s.shard("notes"), ""))
strange(32, "a ref that is none", lambda s: write(s, "refs/heads/" + s.shard("notes"), "hello\n"))
strange(32, "a ref to nothing", lambda s: write(s, "refs/heads/" + s.shard("notes"), "ab" * 20 + "\n"))
strange(10, "a log's ref that is empty", lambda s: write(s, s.bench.logs[0], ""))


def broken(how):
    def change(s, what):
        path = s.loose(what)
        if how == "missing":
            os.remove(path)
        elif how == "empty":
            open(path, "wb").close()
        elif how == "unreadable":
            os.remove(path)
            os.symlink(os.path.basename(path), path)
        else:
            with open(path, "rb") as file:
                data = zlib.decompress(file.read())
            with open(path, "wb") as file:
                file.write(zlib.compress(data[:-1] + bytes([data[-1] ^ 1])))

    return change


strange(32, "a note's object missing", lambda s: broken("missing")(s, s.shard("notes") + ":" + s.first(s.shard("notes"))))
strange(33, "a note's object empty", lambda s: broken("empty")(s, s.shard("notes") + ":" + s.first(s.shard("notes"))))
strange(33, "a note's object altered", lambda s: broken("altered")(s, s.shard("notes") + ":" + s.first(s.shard("notes"))))
strange(33, "a note's object unreadable", lambda s: broken("unreadable")(s, s.shard("notes") + ":" + s.first(s.shard("notes"))))
strange(32, "a shard's tree missing", lambda s: broken("missing")(s, s.shard("notes") + "^{tree}"))
strange(10, "a log's newest commit missing", lambda s: broken("missing")(s, s.bench.logs[0]))
strange(10, "a log's newest commit altered", lambda s: broken("altered")(s, s.bench.logs[0]))
strange(36, "a card's object missing", lambda s: broken("missing")(s, "main:" + sorted(p for p in s.files("main") if "members" in p)[0]))
strange(30, "main's first commit missing", lambda s: broken("missing")(s, "main~2"))

# -- the journal ----------------------------------------------------------------------------------------------------


def poke(s, at, data):
    with open(os.path.join(s.folder, "strongroom.journal"), "r+b") as file:
        file.seek(at)
        file.write(data)


def records(s):
    """Where the records begin, and the changes of each."""
    with open(os.path.join(s.folder, "strongroom.journal"), "rb") as file:
        data = file.read()
    generation = max(g for g in (v.Journal.header(data, 0), v.Journal.header(data, 1)) if g)[0]
    at, found = v.ALIGNMENT, []
    while v.Journal.record(data, at, generation):
        payload = v.Journal.record(data, at, generation)[1]
        found.append((at, v.parse_cbor(payload)[0][1]))
        at = v.Journal.next_place(at, len(payload))
    return found


def undone(which, only=lambda name: True):
    """Refs as they were before the last `which` records: git's part of these writes did not happen."""

    def change(s):
        for _, changes in records(s)[: -which - 1 : -1]:
            for name, old, _ in changes:
                if only(name):
                    s.git("update-ref", name, old.hex()) if old else s.git("update-ref", "-d", name)

    return change


def other_boot(s):
    with open(os.path.join(s.folder, "strongroom.journal"), "rb") as file:
        head = file.read(1024)
    for slot in (0, 1):
        if v.Journal.header(head, slot):
            made = head[512 * slot : 512 * slot + 20] + b"\x11" * 16
            poke(s, 512 * slot, made + v.H(made))


def torn(s):
    for folder, _, names in os.walk(os.path.join(s.folder, "refs/heads")):
        for name in names:
            open(os.path.join(folder, name), "w").close()
    for folder, _, names in os.walk(os.path.join(s.folder, "objects")):
        for name in names:
            os.chmod(os.path.join(folder, name), 0o644)
            open(os.path.join(folder, name), "w").close()


strange(None, "a write of which git has nothing yet", undone(1), journal=True)
strange(None, "the same, the log's ref already moved", undone(1, lambda name: "/audit/" not in name), journal=True)
strange(None, "after a power cut: several writes git does not have", lambda s: (undone(3)(s), other_boot(s)), journal=True)
strange(None, "after a power cut: everything in git empty", lambda s: (torn(s), other_boot(s)), journal=True)
strange(32, "a shard deleted that an older record made", lambda s: s.store.ref(next(
    name for _, changes in records(s)[:-4] for name, old, _ in changes if "notes/" in name and old is None)[11:], None), journal=True)
strange(32, "a damaged journal", lambda s: poke(s, records(s)[1][0] + 100, b"\xff\xff\xff"), journal=True)
strange(32, "a journal without a header", lambda s: poke(s, 0, bytes(1024)), journal=True)
strange(32, "a journal cut short", lambda s: os.truncate(os.path.join(s.folder, "strongroom.journal"), 100_000), journal=True)


def all_branches_gone(s):
    for name in s.git("for-each-ref", "--format=%(refname)").split():
        s.git("update-ref", "-d", name)


strange(10, "all branches gone, and a journal that knows of them", all_branches_gone, journal=True)
strange(10, "a log's branch gone that the journal wrote", lambda s: s.store.ref(s.bench.logs[0][11:], None), journal=True)
strange("refused", "all branches gone, and no journal", all_branches_gone)
strange("refused", "all branches gone, and a journal that is empty", lambda s: (
    all_branches_gone(s), poke(s, v.ALIGNMENT, bytes(v.JOURNAL_SIZE - v.ALIGNMENT))), journal=True)


@case(None, "verified while the program writes", False)
def _(bench):
    """Case 41: verify.py runs while notes are added; it must never see anything wrong."""
    shutil.copytree(bench.real, bench.vault)
    wrong = []

    def watch():
        while not done.is_set():
            wrong.extend(v.verify(bench.real)["problems"])

    done = threading.Event()
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for text in ("one", "two", "three", "four"):
            bench.program("add", "--label", "internal", text)
    finally:
        done.set()
        watcher.join()
    if wrong:
        raise RuntimeError("alarm while the program wrote: %s" % wrong[0])


# ---------------------------------------------------------------------------------------------


def agree(number, theirs, ours):
    """Why the two disagree, or None."""
    if theirs[0] != ours[0]:
        return "exit codes %d and %d" % (theirs[0], ours[0])
    if number == "refused":
        return None if theirs[0] in (1, 5) and not theirs[1] and not ours[1] else "a folder without branches is judged"
    if number is not None and number < 0:
        found = theirs[0] == 0 and ours[0] == 0 and -number in theirs[1] and -number in ours[1]
        return None if found else "case %d is not a finding, and no more, to both" % -number
    if number is None and (37 in theirs[1] or 37 in ours[1]):
        return "a good vault has a finding"
    if number is None or number == 35:
        good = theirs[0] == 0 if number is None else theirs[0] == 4
        return None if good and theirs[2] == ours[2] else "a good vault is not called intact by both, or its roots differ"
    if number not in theirs[1] or number not in ours[1]:
        return "case %d is reported by %s" % (number, [n for n, r in (("the program", theirs), ("verify.py", ours)) if number in r[1]] or "neither")
    return None


def main(arguments):
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    bench = Bench(arguments[0])
    words, bad, count = arguments[1:], 0, 0
    try:
        for number, title, build, deep, receipt in CASES:
            if words and not any(word in title for word in words):
                continue
            shutil.rmtree(bench.vault, ignore_errors=True)
            try:
                build(bench)
            except NotRun as why:
                print("NOT RUN    [%s] %s: %s" % (number, title, why))
                continue
            theirs, ours = bench.judge(deep, os.path.join(bench.root, receipt) if receipt else None)
            count += 1
            why = agree(number, theirs, ours)
            if why:
                bad += 1
                print("DIFFER     [%s] %s%s: %s" % (number, title, " --deep" if deep else "", why))
                for name, run in (("program", theirs), ("verify.py", ours)):
                    print("           %-9s exit %d, cases %s %s" % (name, run[0], sorted(run[1]), run[2] if run[0] in (0, 1) else ""))
    finally:
        shutil.rmtree(bench.root, ignore_errors=True)
    print("%d comparisons, %d wrong" % (count, bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
