"""Vaults made from docs/FORMAT.md in Python, with keys that are known: so that damage can be done by
somebody with the true key. Nothing in them can be opened; a verifier cannot tell."""

import base64
import hashlib
import json
import os
import shutil
import struct
import subprocess
import zlib

import verify as v


# -- Ed25519 (RFC 8032 §5.1.5, §5.1.6), signing ------------------------------------------------


def expand(seed):
    h = hashlib.sha512(seed).digest()
    a = int.from_bytes(h[:32], "little") & ((1 << 254) - 8) | 1 << 254
    return a, h[32:]


PUBLIC = {}


def public_of(seed):
    if seed not in PUBLIC:
        PUBLIC[seed] = v.point_encode(v.point_times(expand(seed)[0], v.BASE))
    return PUBLIC[seed]


def sign(seed, message):
    a, prefix = expand(seed)
    r = int.from_bytes(hashlib.sha512(prefix + message).digest(), "little") % v.L
    big_r = v.point_encode(v.point_times(r, v.BASE))
    k = int.from_bytes(hashlib.sha512(big_r + public_of(seed) + message).digest(), "little") % v.L
    return big_r + ((r + k * a) % v.L).to_bytes(32, "little")


def sshsig(seed, namespace, message):
    signature = sign(seed, v.sshsig_payload(namespace, message))
    return v.sshsig_armor(v.sshsig_blob(public_of(seed), namespace, signature))


# -- CBOR, ids and bytes -----------------------------------------------------------------------


def cbor(value):
    def head(major, number):
        if number < 24:
            return bytes([major << 5 | number])
        size = next(i for i in range(4) if number < 1 << (8 << i))
        return bytes([major << 5 | 24 + size]) + number.to_bytes(1 << size, "big")

    if value is None:
        return b"\xf6"
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    return head(5, len(value)) + b"".join(cbor(k) + cbor(value[k]) for k in sorted(value))


COUNTER = [0]


def noise(length, name=""):
    """Bytes that look random and are the same in every run."""
    COUNTER[0] += 1
    seed = "%s %d" % (name, COUNTER[0])
    return hashlib.shake_256(seed.encode()).digest(length)


def b64(data):
    return base64.b64encode(data).decode()


def time_text(seconds):
    return v.datetime.datetime.fromtimestamp(seconds, v.datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


# -- a bare repository, written without git ----------------------------------------------------


class Store:
    def __init__(self, folder):
        self.folder = folder

    @classmethod
    def make(cls, folder):
        subprocess.run(["git", "init", "--quiet", "--bare", folder], check=True)
        shutil.rmtree(os.path.join(folder, "hooks"), ignore_errors=True)
        with open(os.path.join(folder, "HEAD"), "w") as file:
            file.write("ref: refs/heads/main\n")
        return cls(folder)

    def put(self, kind, content):
        oid = v.git_oid(kind, content)
        path = self.path(oid)
        if not os.path.exists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(zlib.compress(b"%s %d\0" % (kind.encode(), len(content)) + content))
        return oid

    def path(self, oid):
        return os.path.join(self.folder, "objects", oid[:2], oid[2:])

    def ref(self, name, oid):
        git = ["git", "--git-dir", self.folder, "update-ref"]
        name = "refs/heads/" + name
        subprocess.run(git + (["-d", name] if oid is None else [name, oid]), check=True)

    def tree(self, files):
        """A tree of path → content, or path → (mode, oid)."""
        here, below = {}, {}
        for path, content in files.items():
            first, slash, rest = path.partition("/")
            if slash:
                below.setdefault(first, {})[rest] = content
            else:
                here[first] = content if isinstance(content, tuple) else ("100644", self.put("blob", content))
        for name, inner in below.items():
            here[name] = ("40000", self.tree(inner))
        order = sorted(here, key=lambda name: (name + "/" if here[name][0] == "40000" else name).encode())
        return self.put("tree", b"".join(
            here[n][0].encode() + b" " + n.encode() + b"\0" + bytes.fromhex(here[n][1]) for n in order))

    def commit(self, tree, parents, author, message, seed=None, gpgsig=None):
        headers = [b"tree " + tree.encode()] + [b"parent " + p.encode() for p in parents]
        headers += [b"author " + author, b"committer " + author]
        unsigned = b"\n".join(headers) + b"\n\n" + message
        if seed is not None:
            gpgsig = sshsig(seed, b"git", unsigned).encode()[:-1]
        if gpgsig is not None:
            headers.append(b"gpgsig " + gpgsig.replace(b"\n", b"\n "))
        return self.put("commit", b"\n".join(headers) + b"\n\n" + message)

    def set_files(self, ref, files, message="keep", parents=()):
        """A branch of sealed files, as it would be after re-rooting."""
        author = b"strongroom <strongroom@localhost> 1795219200 +0000"
        self.ref(ref, self.commit(self.tree(files), list(parents), author, message.encode() + b"\n"))


# -- sealed files: the right shape and nothing inside ------------------------------------------


def body(vault, note, purpose=0):
    header = {0: 1, 1: vault, 2: note, 3: noise(16), 4: purpose, 5: noise(32), 6: 272}
    return cbor(header) + noise(272) + noise(272)


def wrap(vault, note, digest, key_ids):
    return cbor({0: 1, 1: vault, 2: note, 3: digest, 4: key_ids, 5: noise(72)})


def part(vault, note, number, length):
    return cbor({0: 1, 1: vault, 2: note, 3: noise(16), 4: 4, 5: number}) + noise(length)


def key_box(vault, device):
    return cbor({0: 1, 1: vault, 2: device, 3: noise(1120), 4: noise(256 + 16)})


def detail_key(vault, device, key, devices):
    wraps = [{0: d, 1: noise(1120), 2: noise(48)} for d in sorted(devices)]
    return cbor({0: 1, 1: vault, 2: device, 3: key, 4: {0: noise(8), 1: noise(1120), 2: noise(48)}, 5: wraps})


def recipient():
    """An X-Wing public key: 768 coefficients of twelve bits below 3329, and 64 bytes."""
    numbers = [n % 3329 for n in struct.unpack(">768H", noise(1536))]
    packed = bytearray()
    for a, b in zip(numbers[::2], numbers[1::2]):
        packed += bytes([a & 255, a >> 8 | (b & 15) << 4, b >> 4])
    return bytes(packed) + noise(64)


# -- witnesses (§13) ---------------------------------------------------------------------------


def key_line(name, seed, algorithm=b"\4"):
    key = algorithm + public_of(seed)
    return "%s+%s+%s\n" % (name, v.H(name.encode() + b"\n" + key)[:4].hex(), b64(key))


def cosign(checkpoint, time, name, seed, signature=None):
    """A checkpoint with one cosignature more."""
    body = v.Checkpoint("\n".join(checkpoint.split("\n")[:5] + [""])).body
    key_id = v.H(name.encode() + b"\n\4" + public_of(seed))[:4]
    signature = signature or sign(seed, b"cosignature/v1\ntime %d\n" % time + body.encode())
    return checkpoint + "\u2014 %s %s\n" % (name, b64(key_id + struct.pack(">Q", time) + signature))


# -- people, devices, logs ---------------------------------------------------------------------


class Device:
    def __init__(self, kind="device"):
        self.id, self.seed, self.kind = noise(8).hex(), noise(32), kind
        self.recipient = recipient()

    def fields(self):
        return {"device": self.id, "kind": self.kind, "recipient": b64(self.recipient), "sign": b64(public_of(self.seed))}


class Person:
    def __init__(self, handle, roles, devices, level=3):
        self.id, self.handle, self.roles, self.devices, self.level = noise(8).hex(), handle, sorted(roles), devices, level


class Log:
    def __init__(self, vault, person, device):
        self.vault, self.person, self.device = vault, person, device
        self.name = "%s-%s" % (device.id, noise(4).hex())
        self.lines = []
        self.detail = noise(8).hex()
        self.clock = 0
        self.of = None  # the log that this is another history of

    def fork(self, size):
        """§7.1: another history of this log, which goes on from its first `size` lines."""
        made = Log(self.vault, self.person, self.device)
        made.name, made.detail, made.lines, made.of = self.name, self.detail, self.lines[:size], self
        self.vault.logs.append(made)
        return made

    def end(self, size=None):
        """An end of a history, as `joined` and `cuts` name it."""
        return [self.name, *self.mark(size)]

    def branch(self):
        return "audit/" + self.name + ("-fork-" + self.root().hex() if self.of else "")

    def root(self, size=None):
        tree = v.Tree()
        for line in self.lines[:size]:
            tree.add(line)
        return tree.root(tree.size())

    def mark(self, size=None):
        size = len(self.lines) if size is None else size
        return [size, self.root(size).hex()]

    def entry(self, kind=None, wrote=(), forgot=(), **fields):
        """Adds an entry. Fields given replace what it would have had; None takes one away."""
        self.vault.clock += 60
        made = {
            "v": 1, "log": self.name, "seq": len(self.lines), "time": time_text(self.vault.clock),
            "actor": self.person.id, "result": "done", "roster": self.vault.roster(), "policies": self.vault.policies,
            "prev": v.leaf_hash(self.lines[-1]).hex() if self.lines else v.ZEROS,
            "detail": self.detail, "sealed": b64(noise(296)), "kind": kind,
            "wrote": sorted(map(list, wrote)) or None, "forgot": sorted(map(list, forgot)) or None,
        }
        made.update(fields)
        line = v.write_json({k: value for k, value in made.items() if value is not None}).encode()
        self.lines.append(line)
        for ref, path, digest in forgot:
            there = self.vault.files.get(ref, {})
            if path in there and v.hex_H(there[path]) == digest:
                del there[path]
        return line

    def change(self, at, **fields):
        """Rewrites one line and, as somebody with the key would, every `prev` after it."""
        for place in range(at, len(self.lines)):
            made = json.loads(self.lines[place])
            if place == at:
                made.update(fields)
            else:
                made["prev"] = v.leaf_hash(self.lines[place - 1]).hex()
            self.lines[place] = v.write_json({k: value for k, value in made.items() if value is not None}).encode()

    # What a commit is made of; a damage replaces one of these.
    def checkpoint(self, size, root, seed=None, origin=None, key=None):
        origin = origin or "%s/audit/%s" % (self.vault.id, self.name)
        text = "%s\n%d\n%s\n" % (origin, size, b64(root))
        seed = seed or self.device.seed
        key_hash = v.H(origin.encode() + b"\n\x01" + (key or public_of(seed)))[:4]
        return text + "\n\u2014 %s %s\n" % (origin, b64(key_hash + sign(seed, text.encode())))

    def message(self, line, checkpoint, frontier):
        return line + b"\n\n" + checkpoint.encode() + b"\nfrontier\n" + b"".join(b64(f).encode() + b"\n" for f in frontier)

    def author(self, line):
        try:
            when = v.parse_time(json.loads(line)["time"])
        except (ValueError, KeyError, TypeError, v.Refused):
            when = self.vault.clock
        return b"%s <%s@%s> %d +0000" % (self.person.handle.encode(), self.person.id.encode(), self.vault.id.encode(), when)

    def write(self, seed=None, tree=None, checkpoint=None, message=None, parents=None, bundles=None, commit_seed=None,
              branch=None):
        """Writes the branch anew. Each hook gets what would be made, and gives what is made instead."""
        store, merkle, files, parent = self.vault.store, tree or v.Tree(), {}, None
        for at, line in enumerate(self.lines):
            merkle.add(line)
            made = self.checkpoint(at + 1, merkle.root(at + 1), seed)
            made = checkpoint(at, made) if checkpoint else made
            text = self.message(line, made, merkle.frontier(at + 1))
            text = message(at, text) if message else text
            if at % 256 == 255:
                files[v.bundle_path(at // 256)] = b"".join(l + b"\n" for l in self.lines[at - 255 : at + 1])
            given = bundles(at, dict(files)) if bundles else files
            above = [parent] if parent else []
            above = parents(at, above) if parents else above
            signer = commit_seed(at) if commit_seed else seed or self.device.seed
            parent = store.commit(store.tree(given), above, self.author(line), text, signer)
        store.ref(branch or self.branch(), parent)


class Vault:
    def __init__(self, folder, policies):
        self.store = Store.make(folder)
        self.folder, self.clock = folder, 1795253400
        self.id = noise(16).hex()
        self.files = {"main": {}, "keys/devices": {}}
        self.cards, self.logs = [], []
        self.policies = v.policy_digest({path[len("policies/") :]: content for path, content in policies.items()})
        self.policy_files = policies

    def roster(self):
        return v.hex_H(self.cards[-1])

    def card(self, person, by, seed=None, **fields):
        """Adds a card and returns its place for `wrote`."""
        made = {
            "v": 1, "vault": self.id, "n": len(self.cards), "prev": v.hex_H(self.cards[-1]) if self.cards else v.ZEROS,
            "time": time_text(self.clock), "by": by.id, "person": person.id, "handle": person.handle,
            "level": person.level, "compartments": [], "roles": person.roles,
            "devices": sorted((d.fields() for d in person.devices), key=lambda d: d["device"]),
        }
        made.update(fields)
        line = v.write_json({k: value for k, value in made.items() if value is not None}).encode()
        path = "members/%04d-%s.card" % (len(self.cards), person.id)
        self.cards.append(line)
        return self.put("main", path, line + b"\n" + sshsig(seed or by.seed, b"card@strongroom", line + b"\n").encode())

    def put(self, ref, path, content):
        self.files.setdefault(ref, {})[path] = content
        return [ref, path, v.hex_H(content)]

    def sealed(self, ref, name, content):
        return self.put(ref, "%s.%s" % (name, v.hex_H(content)), content)

    def log(self, person, device):
        log = Log(self, person, device)
        self.logs.append(log)
        return log

    def boxes(self, log, devices):
        """The key boxes and the detail key that a log begins with."""
        vault, key = bytes.fromhex(self.id), bytes.fromhex(log.detail)
        ids = [bytes.fromhex(d.id) for d in log.person.devices]
        detail = detail_key(vault, bytes.fromhex(log.device.id), key, ids)
        made = [self.sealed("keys/devices", d.id, key_box(vault, bytes.fromhex(d.id))) for d in devices]
        return made + [self.sealed("keys/devices", "detail-" + log.detail, detail)]

    def found(self, person):
        """The founder's first log, which writes the whole of main."""
        wrote = [self.card(person, person.devices[0])]
        toml = 'version = 1\nvault = "%s"\nfounder = "%s"\n' % (self.id, self.roster())
        wrote.append(self.put("main", "vault.toml", toml.encode()))
        wrote.append(self.put("main", "README.md", b"# A vault\n"))
        wrote.append(self.put("main", "allowed_signers", self.signers([person])))
        wrote += [self.put("main", path, content) for path, content in self.policy_files.items()]
        log = self.log(person, person.devices[0])
        log.entry("begin", wrote + self.boxes(log, person.devices), admitted=self.roster())
        return log

    @staticmethod
    def signers(people):
        return b"".join(
            b'%s namespaces="git" ssh-ed25519 %s\n' % (p.handle.encode(), b64(v.ssh_public(public_of(d.seed))).encode())
            for p in people for d in p.devices)

    def note(self, purpose=0, note=None):
        """A note's two files, or two more of that note."""
        vault, note = bytes.fromhex(self.id), bytes.fromhex(note) if note else noise(16)
        content = body(vault, note, purpose)
        made = [self.sealed("notes/%02x" % note[0], note.hex(), content)]
        given = wrap(vault, note, v.H(content), [b"\1" * 8])
        return made + [self.sealed("keys/%02x" % note[0], note.hex(), given)]

    def write(self, seed=None):
        for log in self.logs:
            log.write()
        self.write_files(seed)

    def write_files(self, seed=None):
        for ref, files in self.files.items():
            if ref == "main":
                log = self.logs[0]
                author = log.author(log.lines[0])
                tree = self.store.tree(files)
                made = self.store.commit(tree, [], author, b"change the charter\n", seed or log.device.seed)
                self.store.ref("main", made)
            else:
                self.store.set_files(ref, files)

    def receipt(self, path, **changed):
        head = {"vault": self.id, "time": time_text(self.clock), "founder": v.hex_H(self.cards[0]), "roster": self.roster()}
        head.update(changed)
        text = "strongroom-receipt-v1\n" + "".join("%s %s\n" % pair for pair in head.items())
        for log in sorted((log for log in self.logs if not log.of), key=lambda log: log.name):
            text += "\n" + log.checkpoint(len(log.lines), log.root())
        text += "\n"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text + "check %s\n" % v.hex_H(text.encode()))
        return path
