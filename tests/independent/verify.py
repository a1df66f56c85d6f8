#!/usr/bin/env python3
"""A second verifier for Strongroom vaults, written from docs/FORMAT.md alone.

    verify.py VAULT [--since-receipt FILE] [--witness-key FILE]… [--deep] [--json]

It reads, and writes nothing. It needs Python 3.9 or later, its standard library and stock `git`; no
identity, no key, no local state. Sections (§) are those of docs/FORMAT.md, case numbers those of
docs/THREATS.md. Exit code: 0 intact, 4 tampered, 5 cannot tell, 1 no vault or no receipt, 2 usage.
"""

import argparse
import base64
import binascii
import datetime
import hashlib
import json
import os
import re
import struct
import subprocess
import sys
import time
from collections import namedtuple


class Refused(Exception):
    """Input that is not what the format says. `case` is the number under which it is reported."""

    def __init__(self, message, case=None):
        super().__init__(message)
        self.case = case


class Unreadable(Exception):
    """Something that is needed to judge cannot be read now: no tampering, and no proof of health."""


class Gone(Unreadable):
    """An object that is missing: somebody took it."""


class Damaged(Gone):
    """An object that is not what its name says."""


class NoVault(Exception):
    """The folder is no vault, or the receipt is no receipt."""


# ---------------------------------------------------------------------------------------------
# §1 Conventions
# ---------------------------------------------------------------------------------------------


def H(data):
    return hashlib.sha256(data).digest()


def hex_H(data):
    return hashlib.sha256(data).hexdigest()


def LP(*parts):
    return b"".join(struct.pack(">Q", len(part)) + part for part in parts)


HEX8 = re.compile(r"[0-9a-f]{16}\Z")
HEX16 = re.compile(r"[0-9a-f]{32}\Z")
HEX32 = re.compile(r"[0-9a-f]{64}\Z")
LOG = re.compile(r"([0-9a-f]{16})-[0-9a-f]{8}\Z")
FORK = re.compile(r"([0-9a-f]{16}-[0-9a-f]{8})-fork-([0-9a-f]{64})\Z")
PLACE = re.compile(r"([0-9a-f]{16}-[0-9a-f]{8}):(0|[1-9][0-9]*)\Z")
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z\Z")
LAST_TIME = datetime.datetime(9999, 12, 30, 22)  # the first is that of `datetime`
ZEROS = "0" * 64


def is_match(pattern, value):
    return isinstance(value, str) and pattern.match(value) is not None


def parse_base64(text, length=None):
    """RFC 4648 §4 with padding, strictly: what comes out encodes to what went in."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (ValueError, binascii.Error, UnicodeEncodeError):
        raise Refused("not base64")
    if base64.b64encode(data).decode() != text:
        raise Refused("not base64 as RFC 4648 writes it")
    if length is not None and len(data) != length:
        raise Refused("%d bytes where %d are due" % (len(data), length))
    return data


def parse_time(text):
    """Unix seconds of `2026-11-21T09:30:00Z`."""
    if not is_match(TIME, text):
        raise Refused("not a time")
    try:
        moment = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        raise Refused("not a time")
    if moment > LAST_TIME:
        raise Refused("not a time")
    return int((moment - datetime.datetime(1970, 1, 1)).total_seconds())


def time_text(seconds):
    """As §1 writes it; the number itself where no such time can be written."""
    try:
        return (datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    except OverflowError:
        return str(seconds)


def utf16_order(name):
    return name.encode("utf-16-be")


def write_json(value):
    """RFC 8785, for the values that occur here: objects, arrays, strings, booleans and small integers."""
    if isinstance(value, dict):
        pairs = sorted(value.items(), key=lambda pair: utf16_order(pair[0]))
        return "{%s}" % ",".join(write_json(k) + ":" + write_json(v) for k, v in pairs)
    if isinstance(value, list):
        return "[%s]" % ",".join(map(write_json, value))
    return json.dumps(value, ensure_ascii=False)


def parse_json_object(line):
    """A line of canonical JSON: parsed, written again and compared."""

    def no_doubles(pairs):
        seen = dict(pairs)
        if len(seen) != len(pairs):
            raise Refused("a field stands twice")
        return seen

    def integer(text):
        if len(text) > 16 or abs(int(text)) >= 2**53:
            raise Refused("an integer of 2^53 or more")
        return int(text)

    def refuse_number(text):
        raise Refused("a number that is no integer")

    try:
        value = json.loads(
            line.decode("utf-8"),
            object_pairs_hook=no_doubles,
            parse_int=integer,
            parse_float=refuse_number,
            parse_constant=refuse_number,
        )
        again = write_json(value).encode("utf-8") if isinstance(value, dict) else b""
    except (ValueError, RecursionError):
        raise Refused("not JSON")
    if not isinstance(value, dict):
        raise Refused("not an object")
    if again != line:
        raise Refused("not canonical JSON")
    return value


def parse_cbor(data, start=0):
    """Deterministic CBOR (RFC 8949 §4.2.1) of the types that occur: integers, bytes, text, lists, maps with
    ascending small integer keys, null. Returns the value and the place after it."""

    def head(at):
        if at >= len(data):
            raise Refused("CBOR ends too early")
        major, info = data[at] >> 5, data[at] & 31
        at += 1
        if info < 24:
            return major, info, at
        if info > 27:
            raise Refused("CBOR of a form that is not deterministic")
        size = 1 << (info - 24)
        if at + size > len(data):
            raise Refused("CBOR ends too early")
        number = int.from_bytes(data[at : at + size], "big")
        if number < (24, 1 << 8, 1 << 16, 1 << 32)[info - 24]:
            raise Refused("a CBOR length that is not the shortest")
        return major, number, at + size

    def item(at, depth):
        if depth > 8:
            raise Refused("CBOR nested too deeply")
        if at < len(data) and data[at] == 0xF6:
            return None, at + 1
        major, number, at = head(at)
        if major == 0:
            return number, at
        if major in (2, 3):
            if number > len(data) - at:
                raise Refused("CBOR ends too early")
            content = data[at : at + number]
            if major == 3:
                try:
                    content = content.decode("utf-8")
                except UnicodeDecodeError:
                    raise Refused("CBOR text that is not UTF-8")
            return content, at + number
        if major == 4:
            if number > len(data) - at:
                raise Refused("CBOR ends too early")
            items = []
            for _ in range(number):
                value, at = item(at, depth + 1)
                items.append(value)
            return items, at
        if major == 5:
            result, last = {}, -1
            for _ in range(number):
                key, at = item(at, depth + 1)
                if not isinstance(key, int) or key <= last:
                    raise Refused("CBOR keys out of order")
                last = key
                result[key], at = item(at, depth + 1)
            return result, at
        raise Refused("a CBOR type that does not occur")

    return item(start, 0)


def padded_length(length):
    """The length of PAD(m) for a message of `length` bytes (Padmé, of 8 + length, but at least 256)."""
    total = max(8 + length, 256)
    exponent = total.bit_length() - 1
    step = 1 << (exponent - exponent.bit_length())
    return -(-total // step) * step


def is_padded_length(total):
    """Whether PAD(m) of some m has this length: then it is its own Padmé length."""
    return total >= padded_length(0) and padded_length(total - 8) == total


# ---------------------------------------------------------------------------------------------
# Ed25519 (RFC 8032 §5.1), verification
# ---------------------------------------------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def point_add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def point_times(number, point):
    result = (0, 1, 1, 0)
    while number:
        if number & 1:
            result = point_add(result, point)
        point = point_add(point, point)
        number >>= 1
    return result


def point_decode(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


def point_encode(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = point_decode((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def is_signed(public, message, signature):
    """Whether `signature` is the Ed25519 signature of `message` under `public`."""
    if len(public) != 32 or len(signature) != 64:
        return False
    a, s = point_decode(public), int.from_bytes(signature[32:], "little")
    if a is None or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    minus_a = (P - a[0], a[1], a[2], P - a[3])
    return point_encode(point_add(point_times(s, BASE), point_times(k, minus_a))) == signature[:32]


# ---------------------------------------------------------------------------------------------
# SSHSIG (OpenSSH's PROTOCOL.sshsig): signatures of cards (§2.2) and commits (§2)
# ---------------------------------------------------------------------------------------------

ARMOR_BEGIN, ARMOR_END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"


def ssh_string(data):
    return struct.pack(">I", len(data)) + data


def ssh_public(public):
    return ssh_string(b"ssh-ed25519") + ssh_string(public)


def sshsig_blob(public, namespace, signature):
    return (
        b"SSHSIG" + struct.pack(">I", 1) + ssh_string(ssh_public(public)) + ssh_string(namespace)
        + ssh_string(b"") + ssh_string(b"sha512")
        + ssh_string(ssh_string(b"ssh-ed25519") + ssh_string(signature))
    )


def sshsig_armor(blob):
    text = base64.b64encode(blob).decode()
    lines = [text[at : at + 70] for at in range(0, len(text), 70)]
    return "\n".join([ARMOR_BEGIN] + lines + [ARMOR_END]) + "\n"


def sshsig_payload(namespace, message):
    return (
        b"SSHSIG" + ssh_string(namespace) + ssh_string(b"") + ssh_string(b"sha512")
        + ssh_string(hashlib.sha512(message).digest())
    )


def parse_sshsig(armored, namespace):
    """The public key and signature of an armored signature of this namespace; canonical or refused."""
    lines = armored.split("\n")
    if len(lines) < 3 or lines[0] != ARMOR_BEGIN or lines[-2:] != [ARMOR_END, ""]:
        raise Refused("no SSH signature")
    blob = parse_base64("".join(lines[1:-2]))
    shape = sshsig_blob(bytes(32), namespace, bytes(64))
    public = blob[33:65]
    signature = blob[len(shape) - 64 : len(shape)]
    if blob != sshsig_blob(public, namespace, signature) or sshsig_armor(blob) != armored:
        raise Refused("an SSH signature of another kind, or for another purpose")
    return public, signature


def is_ssh_signed(public, namespace, message, signature):
    return is_signed(public, sshsig_payload(namespace, message), signature)


# ---------------------------------------------------------------------------------------------
# §11 The journal
# ---------------------------------------------------------------------------------------------

JOURNAL_SIZE = 4_194_304
ALIGNMENT = 4096
GIT_KINDS = {1: "blob", 2: "tree", 3: "commit"}


def git_oid(kind, content):
    """Git's own id. It finds objects, it is no evidence."""
    return hashlib.sha1(b"%s %d\0" % (kind.encode(), len(content)) + content).hexdigest()


class Journal:
    """What the journal holds: objects by id, and for each record its changes of refs."""

    def __init__(self):
        self.objects = {}
        self.records = []
        self.boot = bytes(16)
        self.damage = None

    @classmethod
    def parse(cls, data):
        journal = cls()
        if len(data) != JOURNAL_SIZE:
            journal.damage = "the journal has %d bytes" % len(data)
            return journal
        generations = [g for g in (cls.header(data, 0), cls.header(data, 1)) if g is not None]
        if not generations:
            journal.damage = "the journal has no valid header"
            return journal
        generation, journal.boot = max(generations)
        at, sequence = ALIGNMENT, 0
        while True:
            found = cls.record(data, at, generation)
            if found is None or found[0] != sequence:
                break
            try:
                journal.take(found[1])
            except Refused as problem:
                journal.damage = "record %d of the journal is misshapen: %s" % (sequence, problem)
                break
            at = cls.next_place(at, len(found[1]))
            sequence += 1
        for place in range(at, JOURNAL_SIZE, ALIGNMENT):
            later = cls.record(data, place, generation)
            if later is not None and later[0] > sequence:
                journal.damage = "record %d of the journal is damaged, and later ones are there" % sequence
                break
        if journal.damage:
            journal.objects, journal.records = {}, []
        return journal

    @staticmethod
    def header(data, slot):
        head = data[512 * slot : 512 * slot + 512]
        if head[:12] != b"SRJHEAD\0" + struct.pack(">I", 1) or H(head[:36]) != head[36:68] or any(head[68:]):
            return None
        generation = int.from_bytes(head[12:20], "big")
        return (generation, head[20:36]) if generation % 2 == slot else None

    @staticmethod
    def record(data, at, generation):
        head = data[at : at + 56]
        if len(head) < 56 or head[:4] != b"SRJR" or int.from_bytes(head[8:16], "big") != generation:
            return None
        length = int.from_bytes(head[4:8], "big")
        payload = data[at + 56 : at + 56 + length]
        if len(payload) != length or H(head[:24] + payload) != head[24:]:
            return None
        return int.from_bytes(head[16:24], "big"), payload

    @staticmethod
    def next_place(at, length):
        return -(-(at + 56 + length) // ALIGNMENT) * ALIGNMENT

    def take(self, payload):
        value, end = parse_cbor(payload)
        if end != len(payload) or not isinstance(value, list) or len(value) != 3:
            raise Refused("not a record")
        objects, changes, note = value
        if not (isinstance(objects, list) and isinstance(changes, list) and isinstance(note, bytes)):
            raise Refused("not a record")
        for made in objects:
            if not (isinstance(made, list) and len(made) == 2 and made[0] in GIT_KINDS and isinstance(made[1], bytes)):
                raise Refused("not an object")
            kind = GIT_KINDS[made[0]]
            self.objects[git_oid(kind, made[1])] = (kind, made[1])
        record = []
        for change in changes:
            if not (isinstance(change, list) and len(change) == 3 and isinstance(change[0], str)):
                raise Refused("not a change")
            for oid in change[1:]:
                if oid is not None and not (isinstance(oid, bytes) and len(oid) == 20):
                    raise Refused("not an object id")
            record.append((change[0], *(oid.hex() if oid else None for oid in change[1:])))
        self.records.append(record)

    def last(self):
        """What the journal last wrote to each ref."""
        return {name: new for record in self.records for name, _, new in record}

    def newest(self, refs, broken):
        """The refs as they are once the journal is in git. In the boot that made the journal only the last
        record can be unfinished; after another one, all of them. A ref that is torn can always be."""
        refs, values, newest = dict(refs), {}, {}
        unfinished = self.records[-1:] if self.boot == this_boot() else self.records
        for record in self.records:
            for name, old, new in record:
                newest[name] = new
                if record in unfinished:
                    values.setdefault(name, set()).update((old, new))
        for name, new in newest.items():
            if name in broken or refs.get(name) in values.get(name, ()):
                refs[name] = new
        return {name: oid for name, oid in refs.items() if oid is not None}


def this_boot():
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return bytes.fromhex(file.read().strip().replace("-", ""))
    except (OSError, ValueError):
        return None


# ---------------------------------------------------------------------------------------------
# §2 The repository, read through git's plumbing and the journal
# ---------------------------------------------------------------------------------------------

Commit = namedtuple("Commit", "oid tree parents author committer gpgsig unsigned message")


class Repository:
    """Objects and refs. No replacement refs, grafts or commit graphs are followed: commits are read raw."""

    def __init__(self, folder):
        self.folder = os.path.abspath(folder)
        kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        self.env = dict(
            kept, LC_ALL="C", GIT_NO_REPLACE_OBJECTS="1", GIT_NO_LAZY_FETCH="1", GIT_TERMINAL_PROMPT="0",
            GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_GLOBAL=os.devnull, GIT_OPTIONAL_LOCKS="0",
        )
        self.batch = None
        if not os.path.isdir(self.folder):
            raise NoVault("there is no vault at `%s`" % folder)
        if self.git("rev-parse", "--is-bare-repository").stdout.strip() != b"true":
            raise NoVault("`%s` is not a bare git repository" % folder)
        if self.git("rev-parse", "--show-object-format").stdout.strip() != b"sha1":
            raise NoVault("this git repository does not use SHA-1 object names, so it is no vault")
        self.snapshot()

    def git(self, *arguments):
        command = ["git", "-c", "safe.directory=*", "--git-dir", self.folder, *arguments]
        return subprocess.run(command, env=self.env, stdin=subprocess.DEVNULL, capture_output=True)

    # -- refs ---------------------------------------------------------------------------------

    def read_refs(self):
        """All refs: name to id. Broken ones are told by git on standard error, with their name. What of a name is no text
        stands as `\\xff`: git takes no name with a backslash."""
        out = self.git("for-each-ref", "--format=%(refname)%00%(objectname)%00%(symref)")
        refs, symbolic = {}, []
        for line in out.stdout.split(b"\n")[:-1]:
            name, oid, target = (part.decode("utf-8", "backslashreplace") for part in line.split(b"\0"))
            refs[name] = oid
            if target:
                symbolic.append(name)
        broken = re.findall(rb"ignoring (?:broken|dangling) (?:ref|symref) (\S+)", out.stderr)
        if out.returncode:
            raise Unreadable("git cannot list the refs: " + out.stderr.decode("utf-8", "replace").strip())
        return refs, symbolic, [name.decode("utf-8", "backslashreplace") for name in broken]

    def read_journal(self):
        try:
            place = os.open(os.path.join(self.folder, "strongroom.journal"), os.O_RDONLY | os.O_NOFOLLOW)
            with open(place, "rb") as file:
                return Journal.parse(file.read(JOURNAL_SIZE + 1))
        except FileNotFoundError:
            return Journal()
        except OSError as problem:
            journal = Journal()
            journal.damage = "the journal cannot be read: %s" % problem
            return journal

    def snapshot(self):
        """Refs and journal of one moment. A writer makes a record first and moves refs after it: where the
        journal is the same before and after the refs were read, all they lack is in it (case 41)."""
        for _ in range(50):
            journal = self.read_journal()
            refs, symbolic, broken = self.read_refs()
            again = self.read_journal()
            if (journal.records, journal.damage) == (again.records, again.damage):
                break
        self.journal, self.raw_refs, self.symbolic = journal, refs, symbolic
        self.refs = journal.newest(refs, broken)
        self.lost = sorted(name for name, new in journal.last().items() if new and name not in self.refs and name not in broken)
        self.broken = [name for name in broken if name not in self.refs]

    def state(self):
        """Something that differs when a writer was at work in between."""
        try:
            return self.read_refs()[0], self.read_journal().records
        except Unreadable:
            return None

    def odd_history(self):
        """What makes git see another history than the objects tell (case 30)."""
        for name in sorted(self.raw_refs):
            if name.startswith("refs/replace/"):
                yield "history is replaced by `%s`" % name
        for name, what in (("info/grafts", "grafted"), ("shallow", "shallow")):
            if os.path.lexists(os.path.join(self.folder, name)):
                yield "history is %s (`%s`)" % (what, name)

    # -- objects ------------------------------------------------------------------------------

    def read(self, oid, kind):
        """The content of an object of this kind, under the id that it has."""
        found = self.journal.objects.get(oid) or self.from_git(oid)
        if found[0] != kind:
            raise Refused("the object %s is a %s where a %s is due" % (oid, found[0], kind))
        if git_oid(*found) != oid:
            raise Damaged("the object %s is damaged" % oid)
        return found[1]

    def from_git(self, oid):
        if self.batch is None:
            command = ["git", "-c", "safe.directory=*", "--git-dir", self.folder, "cat-file", "--batch"]
            self.batch = subprocess.Popen(
                command, env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        head = []
        try:
            self.batch.stdin.write(oid.encode() + b"\n")
            self.batch.stdin.flush()
            head = self.batch.stdout.readline().split()
            if len(head) == 3:
                content = self.batch.stdout.read(int(head[2]))
                if len(content) == int(head[2]) and self.batch.stdout.read(1) == b"\n":
                    return head[1].decode(), content
        except OSError:
            pass
        if head[1:] != [b"missing"]:  # git gave up at a damaged object: the next one gets a new process
            self.close()
        raise self.why_not(oid)

    def why_not(self, oid):
        """Missing, damaged, or not to be read at the moment: git says the same of all three."""
        try:
            with open(os.path.join(self.folder, "objects", oid[:2], oid[2:]), "rb") as file:
                file.read()
            return Damaged("the object %s is damaged" % oid)
        except FileNotFoundError:
            pass
        except OSError as problem:
            return Unreadable("the object %s cannot be read: %s" % (oid, problem.strerror))
        if self.git("config", "--get-regexp", r"^(extensions\.partialclone|remote\..*\.promisor)$").stdout:
            return Unreadable("the object %s was not fetched" % oid)
        return Gone("the object %s is missing" % oid)

    def close(self):
        if self.batch is not None:
            for end in (self.batch.stdin, self.batch.stdout):
                try:
                    end.close()
                except OSError:
                    pass
            self.batch.wait()
            self.batch = None

    def commit(self, oid):
        return parse_commit(oid, self.read(oid, "commit"))

    def tree(self, oid):
        """The entries of a tree: a list of (mode, name, id)."""
        data, entries, at = self.read(oid, "tree"), [], 0
        while at < len(data):
            space, zero = data.find(b" ", at), data.find(b"\0", at)
            if not (at < space < zero and zero + 21 <= len(data)):
                raise Refused("a misshapen tree")
            name = data[space + 1 : zero].decode("utf-8", "surrogateescape")
            entries.append((data[at:space].decode("ascii", "replace"), name, data[zero + 1 : zero + 21].hex()))
            at = zero + 21
        order = [(name + "/" if mode == "40000" else name).encode("utf-8", "surrogateescape") for mode, name, _ in entries]
        if order != sorted(order) or len({name for _, name, _ in entries}) != len(entries):
            raise Refused("a tree that is out of order, or names something twice")
        return entries

    def files(self, tree, prefix="", depth=0):
        """All files of a tree: (path, id, whether it is a plain file). Other things come as files that are not plain."""
        if depth > 8:
            raise Refused("a tree nested too deeply")
        for mode, name, oid in self.tree(tree):
            if mode == "40000":
                yield from self.files(oid, prefix + name + "/", depth + 1)
            else:
                yield prefix + name, oid, mode == "100644"


# git takes no other from elsewhere.
AUTHOR = re.compile(rb"(?!.* <.* <)[^<>\0\n]+ <[^<>\0\n]*> (0|[1-9][0-9]{0,11}) [+-][0-9]{4}\Z")


def parse_commit(oid, data):
    """A commit's headers and message; `unsigned` is the commit without its signature."""
    headers, _, message = data.partition(b"\n\n")
    lines, fields = headers.split(b"\n"), []
    for line in lines:
        if line.startswith(b" ") and fields:
            fields[-1][1].append(line[1:])
        else:
            name, _, value = line.partition(b" ")
            fields.append((name, [value]))
    kept = [f for f in fields if f[0] != b"gpgsig"]
    unsigned = b"\n".join(n + b" " + b"\n ".join(v) for n, v in kept) + b"\n\n" + message

    def all_of(name):
        return [b"\n".join(v) for n, v in fields if n == name]

    trees, parents, signatures = all_of(b"tree"), all_of(b"parent"), all_of(b"gpgsig")
    people = all_of(b"author") + all_of(b"committer")
    if len(trees) != 1 or len(people) != 2 or not all(map(AUTHOR.match, people)) or len(signatures) > 1:
        raise Refused("a misshapen commit %s" % oid)
    return Commit(
        oid, trees[0].decode("ascii", "replace"), [p.decode("ascii", "replace") for p in parents],
        all_of(b"author")[0], all_of(b"committer")[0], signatures[0] if signatures else None, unsigned, message,
    )


# ---------------------------------------------------------------------------------------------
# §2.1, §2.2 vault.toml and the chain of cards
# ---------------------------------------------------------------------------------------------

POLICY_PATH = re.compile(
    r"policies/((levels|purposes)\.toml|access/(cases\.toml|rules\.cedar|schema\.cedarschema)"
    r"|(redaction|retention|templates|rubrics)/[a-z0-9][a-z0-9._-]*)\Z"
)
VAULT_TOML = re.compile(r'version = 1\nvault = "([0-9a-f]{32})"\nfounder = "([0-9a-f]{64})"\n\Z')
CARD_PATH = re.compile(r"members/([0-9]{4})-([0-9a-f]{16})\.card\Z")
HANDLE = re.compile(r"[a-z][a-z0-9._-]{0,31}\Z")
CARD_FIELDS = {
    "v", "vault", "n", "prev", "time", "by", "person", "handle", "level", "compartments", "roles", "devices",
}
Device = namedtuple("Device", "id person handle kind public recipient")


def policy_digest(files):
    """§7: of a set of policies, by paths below `policies/`."""
    parts = [part for path in sorted(files) for part in (path.encode(), files[path])]
    return hex_H(b"strongroom/policy-set/v1\0" + struct.pack(">Q", len(files)) + LP(*parts))


def is_sorted_set(values):
    return all(a < b for a, b in zip(values, values[1:]))


def is_number(value, end=2**53):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < end


def is_recipient(public):
    """Whether an X-Wing public key holds one of ML-KEM-768: coefficients of twelve bits below 3329 (FIPS 203 §7.2)."""
    packed = int.from_bytes(public[:1152], "little")
    return all((packed >> 12 * at & 0xFFF) < 3329 for at in range(768))


def is_list_of_heads(heads):
    """Ends of histories (§7.1): sorted, each once, not empty."""
    if not isinstance(heads, list) or not heads:
        return False
    for head in heads:
        if not isinstance(head, list) or len(head) != 3 or not is_match(LOG, head[0]) or not is_match(HEX32, head[2]):
            return False
        if not is_number(head[1]) or head[1] == 0:
            return False
    return all(one < other for one, other in zip(heads, heads[1:]))


KEY_USE = re.compile("(level-[0-3]|compartment-[0-9a-f]{16})\\Z")


class Card:
    def __init__(self, content):
        line, newline, armored = content.partition(b"\n")
        if not newline or len(line) > 65_536:
            raise Refused("a card is a line and a signature")
        fields = parse_json_object(line)
        joined = fields.get("joined", [["0" * 16 + "-" + "0" * 8, 1, "0" * 64]])
        if set(fields) - {"auditors", "cuts", "joined", "keys", "lent", "paused", "until"} != CARD_FIELDS or not is_list_of_heads(joined) or fields["v"] != 1 or isinstance(fields["v"], bool):
            raise Refused("a card with other fields than those of a card")
        for name, good in (
            ("vault", is_match(HEX16, fields["vault"])),
            ("n", is_number(fields["n"])),
            ("prev", is_match(HEX32, fields["prev"])),
            ("by", is_match(HEX8, fields["by"])),
            ("person", is_match(HEX8, fields["person"])),
            ("handle", is_match(HANDLE, fields["handle"])),
            ("level", is_number(fields["level"], 5)),
            ("compartments", self.is_set_of(HEX8, fields["compartments"])),
            ("roles", self.is_set_of(re.compile("(auditor|breakglass|lead|officer)\\Z"), fields["roles"])),
        ):
            if not good:
                raise Refused("a card whose field `%s` is not as it should be" % name)
        self.time = parse_time(fields["time"])
        self.until = parse_time(fields["until"]) if "until" in fields else None
        self.line, self.digest = line, hex_H(line)
        self.vault, self.n, self.prev, self.by = fields["vault"], fields["n"], fields["prev"], fields["by"]
        self.person, self.handle, self.roles = fields["person"], fields["handle"], fields["roles"]
        self.level, self.compartments = fields["level"], fields["compartments"]
        self.devices = self.parse_devices(fields["devices"])
        self.cuts = self.parse_cuts(fields["cuts"]) if "cuts" in fields else {}
        self.joined = {tuple(head) for head in fields.get("joined", ())}
        self.auditors = fields.get("auditors")
        self.keys = fields.get("keys", {})
        good = isinstance(self.keys, dict) and ("keys" not in fields or self.keys)
        if not good or not all(is_match(KEY_USE, use) and is_match(HEX8, key) for use, key in self.keys.items()):
            raise Refused("a card whose field `keys` is not as it should be")
        self.lent = self.parse_lent(fields["lent"]) if "lent" in fields else {}
        self.paused = fields.get("paused", False)
        if "paused" in fields and self.paused is not True:
            raise Refused("a card whose field `paused` is not as it should be")
        if "auditors" in fields:
            self.check_auditors(self.auditors)
        try:
            self.signature = parse_sshsig(armored.decode("ascii"), b"card@strongroom")
        except UnicodeDecodeError:
            raise Refused("no SSH signature")

    @staticmethod
    def check_auditors(value):
        good = isinstance(value, dict) and set(value) == {"key", "recipient"} and is_match(HEX8, value["key"])
        if not good or not isinstance(value["recipient"], str) or not is_recipient(parse_base64(value["recipient"], 1216)):
            raise Refused("a card with a misshapen auditors' key")

    @staticmethod
    def is_set_of(pattern, values):
        return isinstance(values, list) and all(is_match(pattern, v) for v in values) and is_sorted_set(values)

    def parse_devices(self, values):
        if not isinstance(values, list):
            raise Refused("a card without a list of devices")
        devices = {}
        for value in values:
            if not isinstance(value, dict) or set(value) != {"device", "kind", "recipient", "sign"}:
                raise Refused("a card with a misshapen device")
            if not is_match(HEX8, value["device"]) or value["kind"] not in ("device", "paper"):
                raise Refused("a card with a misshapen device")
            if not isinstance(value["recipient"], str) or not isinstance(value["sign"], str):
                raise Refused("a card with a misshapen device")
            recipient = parse_base64(value["recipient"], 1216)
            if not is_recipient(recipient):
                raise Refused("a card with a recipient that is no public key")
            public = parse_base64(value["sign"], 32)
            devices[value["device"]] = Device(value["device"], self.person, self.handle, value["kind"], public, recipient)
        ids = [value["device"] for value in values]
        if not is_sorted_set(ids):
            raise Refused("a card whose devices are out of order")
        return devices

    @staticmethod
    def parse_cuts(values):
        good = isinstance(values, list) and values and all(isinstance(cut, list) and len(cut) == 3 for cut in values)
        good = good and all(is_match(LOG, log) and is_number(size) and size and is_match(HEX32, root) for log, size, root in values)
        if not good or not is_sorted_set([log for log, _, _ in values]):
            raise Refused("a card whose field `cuts` is not as it should be")
        return {log: (size, root) for log, size, root in values}

    @staticmethod
    def parse_lent(value):
        """What is lent, until when: use of a key → Unix seconds."""
        if not isinstance(value, dict) or not value or not all(is_match(KEY_USE, use) for use in value):
            raise Refused("a card whose field `lent` is not as it should be")
        return {use: parse_time(until) for use, until in value.items()}

    def is_signed_by(self, device):
        public, signature = self.signature
        return public == device.public and is_ssh_signed(public, b"card@strongroom", self.line + b"\n", signature)


class Roster:
    """The cards in force, in order. A card that breaks the chain ends it."""

    def __init__(self, vault):
        self.vault = vault
        self.cards = []
        self.by_digest = {}
        self.current = {}  # person → their latest card
        self.devices = {}  # every device that a card ever named
        self.cuts = {}  # log → (size, root), as far as cards accept it
        self.complete = True

    def add(self, path, content):
        """Takes the next card, or refuses it."""
        card = Card(content)
        if path != "members/%04d-%s.card" % (card.n, card.person) or card.n != len(self.cards):
            raise Refused("the card `%s` is not in its place" % path)
        if card.vault != self.vault:
            raise Refused("the card `%s` is one of another vault" % path)
        if card.prev != (self.cards[-1].digest if self.cards else ZEROS):
            raise Refused("the card `%s` does not follow the one before it" % path)
        if not any(self.may_sign(card, d) and card.is_signed_by(d) for d in self.signers(card)):
            raise Refused("the card `%s` is not signed by a device that may sign it" % path)
        for device in card.devices.values():
            known = self.devices.get(device.id)
            if known and known._replace(handle=device.handle) != device:
                raise Refused("the card `%s` gives a known device another person, kind or key" % path)
        for log, (size, _) in card.cuts.items():
            had = any(log[:16] in c.devices for c in self.cards if c.person == card.person)
            if not had or log[:16] in card.devices or size <= self.cuts.get(log, (0,))[0]:
                raise Refused("the card `%s` cuts a log that it may not cut, or not there" % path)
        self.cuts.update(card.cuts)
        self.cards.append(card)
        self.by_digest[card.digest] = card
        self.current[card.person] = card
        self.devices.update(card.devices)

    def signers(self, card):
        cards = self.current.values() if self.cards else [card]
        return [c.devices[card.by] for c in cards if card.by in c.devices]

    def may_sign(self, card, device):
        if not self.cards:
            return device.kind == "device"
        signer = self.current[device.person]
        if "lead" not in signer.roles or signer.paused or signer.until is not None and signer.until <= card.time:
            return False
        if device.kind == "device":
            return True
        before = self.current.get(card.person)
        kept = ("handle", "level", "compartments", "lent", "roles", "until", "paused")
        same = before is not None and device.person == card.person and not card.keys and card.auditors is None
        same = same and all(getattr(before, name) == getattr(card, name) for name in kept)
        return same and bool(set(card.devices) - set(before.devices))

    def cut(self, log):
        """How many entries of a log count; None for one that counts as a whole."""
        if log in self.cuts:
            return self.cuts[log][0]
        removed = log[:16] in self.devices and not any(log[:16] in card.devices for card in self.current.values())
        return 0 if removed else None

    def founder(self):
        return self.cards[0].digest if self.cards else None

    def digest_after(self, digest):
        """The number of the card with this digest, which is how far the roster had come."""
        return self.by_digest[digest].n if digest in self.by_digest else None

    def has_device_at(self, person, device, digest):
        """Whether a card of the person up to the one with this digest names the device."""
        cards = self.cards[: self.by_digest[digest].n + 1]
        return any(card.person == person and device in card.devices for card in cards)

    def is_lead_at(self, person, digest):
        """Whether the person is a lead by the cards up to the one with this digest."""
        cards = [c for c in self.cards[: self.by_digest[digest].n + 1] if c.person == person]
        return bool(cards) and "lead" in cards[-1].roles

    def is_paused_at(self, person, digest):
        """Whether the person is paused by the cards up to the one with this digest."""
        cards = [c for c in self.cards[: self.by_digest[digest].n + 1] if c.person == person]
        return bool(cards) and cards[-1].paused


# ---------------------------------------------------------------------------------------------
# §7 Entries
# ---------------------------------------------------------------------------------------------

LINE_LIMIT = 65_536
KINDS = {
    "begin", "add", "revise", "relabel", "destroy", "attach", "draft", "release", "card", "policy", "key",
    "request", "approve", "break-glass", "review", "conflict", "hold", "lift", "acknowledge", "unlock-failed", "withdraw",
}
NEEDED = {"v", "log", "seq", "time", "actor", "result", "roster", "policies", "prev", "detail", "sealed"}
OPTIONAL = {"admitted", "joined", "seen", "kind", "wrote", "forgot", "because", "matter", "held"}
HELD = 256
SHARD = re.compile(r"(notes|keys)/([0-9a-f]{2})\Z")
NOTE_FILE = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{64})\Z")
DEVICE_FILE = re.compile(r"(detail-)?([0-9a-f]{16})\.([0-9a-f]{64})\Z")


def branch_class(ref, path, digest):
    """What kind of place a file is in: `notes`, `keys`, `devices`, `policies` or `charter` (main outside
    `policies/`); None where no file may be."""
    shard = SHARD.match(ref)
    if shard:
        name = NOTE_FILE.match(path)
        good = name and name.group(1).startswith(shard.group(2)) and name.group(2) == digest
        return shard.group(1) if good else None
    if ref == "keys/devices":
        name = DEVICE_FILE.match(path)
        return "devices" if name and name.group(3) == digest else None
    if ref == "main":
        return "policies" if path.startswith("policies/") else "charter"
    return None


# kind → (what it may write, what it may forget)
MAY = {
    None: ((), ()),
    "unlock-failed": ((), ()),
    "approve": ((), ()),
    "review": ((), ()),
    "lift": ((), ()),
    "acknowledge": ((), ()),
    "begin": (("charter", "policies", "devices"),) * 2,
    "add": (("notes", "keys"), ()),
    "attach": (("notes", "keys"), ()),
    "draft": (("notes", "keys"), ()),
    "release": (("notes", "keys"), ()),
    "request": (("notes", "keys"), ()),
    "break-glass": (("notes", "keys"), ()),
    "conflict": (("notes", "keys"), ()),
    "hold": (("notes", "keys"), ()),
    "revise": (("notes", "keys"),) * 2,
    "relabel": (("notes", "keys"),) * 2,
    "destroy": ((), ("notes", "keys")),
    "card": (("charter", "devices"),) * 2,
    "policy": (("policies",),) * 2,
    "key": (("devices", "keys"),) * 2,
    "withdraw": (("charter", "policies", "devices"), ("charter", "policies")),
}


def is_matter(value):
    """§7.4: what a request or an approval is about."""
    if not isinstance(value, dict) or set(value) != {"deed", "note", "objects", "until"}:
        return False
    parse_time(value["until"])
    return value["deed"] in ("destroy", "release") and is_match(HEX16, value["note"]) and is_match(HEX32, value["objects"])


class Entry:
    def __init__(self, line):
        if len(line) > LINE_LIMIT:
            raise Refused("an entry of %d bytes" % len(line), 27)
        try:
            fields = parse_json_object(line)
            self.check_shape(fields)
        except Refused as problem:
            raise Refused("an entry that is refused: %s" % problem, problem.case or 27)
        self.line, self.fields = line, fields
        self.log, self.seq, self.prev = fields["log"], fields["seq"], fields["prev"]
        self.kind, self.actor, self.result = fields.get("kind"), fields["actor"], fields["result"]
        self.roster, self.policies, self.admitted = fields["roster"], fields["policies"], fields.get("admitted")
        self.seen = fields.get("seen", {})
        self.joined = fields.get("joined", [])
        self.wrote = [tuple(f) for f in fields.get("wrote", [])]
        self.forgot = [tuple(f) for f in fields.get("forgot", [])]
        self.because, self.matter = fields.get("because"), fields.get("matter")
        self.held = fields.get("held", [])
        self.time = parse_time(fields["time"])

    @staticmethod
    def check_shape(fields):
        def need(good, name, case=None):
            if not good:
                raise Refused("its field `%s` is not as it should be" % name, case)

        missing, unknown = NEEDED - set(fields), set(fields) - NEEDED - OPTIONAL
        if missing or unknown:
            raise Refused("fields are missing or unknown: %s" % ", ".join(sorted(missing | unknown)))
        need(is_number(fields["v"]) and fields["v"] == 1, "v")
        need(is_match(LOG, fields["log"]), "log")
        need(is_number(fields["seq"]), "seq")
        parse_time(fields["time"])
        need(is_match(HEX8, fields["actor"]), "actor")
        need(fields["result"] in ("done", "denied", "failed"), "result")
        for name in ("roster", "policies", "prev"):
            need(is_match(HEX32, fields[name]), name)
        need(is_match(HEX8, fields["detail"]), "detail")
        need(isinstance(fields["sealed"], str), "sealed")
        sealed = parse_base64(fields["sealed"])
        need(is_padded_length(len(sealed) - 40), "sealed")  # nonce 24, tag 16
        need("admitted" not in fields or is_match(HEX32, fields["admitted"]), "admitted")
        need(("admitted" in fields) == (fields["seq"] == 0), "admitted", 15)
        if "joined" in fields:
            own = fields["log"][:17]
            need(fields["seq"] == 0 and is_list_of_heads(fields["joined"]), "joined")
            need(all(log[:17] == own and log != fields["log"] for log, _, _ in fields["joined"]), "joined")
        need("kind" not in fields or fields["kind"] in KINDS, "kind")
        need((fields.get("kind") == "begin") == (fields["seq"] == 0), "kind", 15)
        need("because" not in fields or is_match(PLACE, fields["because"]), "because")
        need("because" not in fields or int(PLACE.match(fields["because"]).group(2)) < 2**53, "because")
        done = fields.get("kind") if fields["result"] == "done" else None
        need("because" in fields or done not in ("approve", "review", "lift"), "because")
        if "held" in fields:
            held = fields["held"]
            need(done == "hold" and isinstance(held, list) and 0 < len(held) <= HELD, "held")
            need(Card.is_set_of(HEX16, held), "held")
        need(("matter" in fields) == (done in ("request", "approve")), "matter")
        need("matter" not in fields or is_matter(fields["matter"]), "matter")
        if "seen" in fields:
            seen = fields["seen"]
            need(isinstance(seen, dict) and seen, "seen")
            for log, mark in seen.items():
                need(is_match(LOG, log) and log != fields["log"], "seen")
                need(isinstance(mark, list) and len(mark) == 2, "seen")
                need(is_number(mark[0]) and is_match(HEX32, mark[1]), "seen")
        for name, which in (("wrote", 0), ("forgot", 1)):
            if name not in fields:
                continue
            files = fields[name]
            need(isinstance(files, list) and files, name)
            for file in files:
                need(isinstance(file, list) and len(file) == 3, name)
                need(all(isinstance(part, str) for part in file) and is_match(HEX32, file[2]), name)
                need(branch_class(*file) in MAY[fields.get("kind")][which], name)
            need(is_sorted_set(files), name)
            need(fields["result"] == "done", name)
        goes_on = "because" in fields and "wrote" not in fields
        if done in ("request", "break-glass", "conflict") or done == "hold" and not goes_on:
            statement = [(ref[:5], path[:32]) for ref, path, _ in fields.get("wrote", [])]
            need([ref for ref, _ in statement] == ["keys/", "notes"], "wrote")
            need(len({note for _, note in statement}) == 1, "wrote")


# ---------------------------------------------------------------------------------------------
# §8 Tree, checkpoint, commit message
# ---------------------------------------------------------------------------------------------

BUNDLE = 256


def leaf_hash(line):
    return H(b"\0" + line)


class Tree:
    """RFC 6962 §2.1 over a growing list of lines: roots and frontiers of every size."""

    def __init__(self, leaf=b"\0", node=b"\1"):
        self.leaf, self.node = leaf, node
        self.levels = [[]]

    def add(self, line):
        self.levels[0].append(H(self.leaf + line))
        level = 0
        while len(self.levels[level]) % 2 == 0:
            if level + 1 == len(self.levels):
                self.levels.append([])
            self.levels[level + 1].append(self.join(*self.levels[level][-2:]))
            level += 1

    def join(self, left, right):
        return H(self.node + left + right)

    def size(self):
        return len(self.levels[0])

    def frontier(self, size):
        """The roots of the whole subtrees, largest first."""
        roots, start = [], 0
        for level in reversed(range(len(self.levels))):
            if size >> level & 1:
                roots.append(self.levels[level][start >> level])
                start += 1 << level
        return roots

    def root(self, size):
        return self.combine(self.frontier(size))

    def combine(self, frontier):
        if not frontier:
            return H(b"")
        root = frontier[-1]
        for left in reversed(frontier[:-1]):
            root = self.join(left, root)
        return root


class Checkpoint:
    """A signed note with one signature and no extension lines."""

    def __init__(self, text):
        lines = text.split("\n")
        if len(lines) != 6 or lines[3] or lines[5]:
            raise Refused("a checkpoint has other lines than it should", 24)
        self.origin = lines[0]
        try:
            if not re.match(r"[1-9][0-9]{0,15}\Z", lines[1]):
                raise Refused("no size")
            self.size = int(lines[1])
            self.root = parse_base64(lines[2], 32)
            dash, name, signature = lines[4].split(" ")
            signed = parse_base64(signature, 68)
        except (Refused, ValueError):
            raise Refused("a checkpoint is misshapen", 24)
        if dash != "\u2014" or name != self.origin:
            raise Refused("a checkpoint is signed in another name", 24)
        self.text, self.key_hash, self.signature = text, signed[:4], signed[4:]
        self.body = "\n".join(lines[:3]) + "\n"

    def check_origin(self, vault, log):
        if self.origin != "%s/audit/%s" % (vault, log):
            raise Refused("a checkpoint made for `%s`" % self.origin, 23)

    def check_signature(self, device):
        if device is None:
            raise Refused("a checkpoint signed for a device that no card names", 12)
        if self.key_hash != H(self.origin.encode() + b"\n\x01" + device.public)[:4]:
            raise Refused("a checkpoint signed with a key that no card names", 12)
        if not is_signed(device.public, self.body.encode(), self.signature):
            raise Refused("a checkpoint that was not signed with the device's key", 12)


class Message:
    """The message of an audit commit. The line is taken whatever is wrong with the rest; then `fault` says it."""

    def __init__(self, message):
        self.line, _, rest = message.partition(b"\n")
        self.checkpoint, self.frontier, self.fault = None, None, None
        try:
            try:
                parts = rest.decode("utf-8").split("\n\n")
            except UnicodeDecodeError:
                raise Refused("a commit message that is not text", 24)
            # "" / note text / signature / frontier
            if not rest.startswith(b"\n") or len(parts) != 3:
                raise Refused("a commit message has other parts than it should", 24)
            self.checkpoint = Checkpoint(parts[0][1:] + "\n\n" + parts[1] + "\n")
            self.frontier = self.parse_frontier(parts[2])
            if len(self.frontier) != bin(self.checkpoint.size).count("1"):
                raise Refused("a frontier of another size", 24)
            if Tree().combine(self.frontier) != self.checkpoint.root:
                raise Refused("a frontier that does not combine to the root", 24)
        except Refused as problem:
            self.fault = problem

    @staticmethod
    def parse_frontier(text):
        lines = text.split("\n")
        if len(lines) < 3 or lines[0] != "frontier" or lines[-1]:
            raise Refused("a commit message without a frontier", 24)
        try:
            return [parse_base64(line, 32) for line in lines[1:-1]]
        except Refused:
            raise Refused("a frontier that is not base64", 24)


WITNESS_NAME = re.compile(r"[a-z][a-z0-9._-]{0,31}\Z")
COSIGNATURE = b"\x04"  # the algorithm of a witness's key


def is_witness_name(name):
    return is_match(WITNESS_NAME, name) and ".." not in name and not name.endswith((".", ".lock"))


class WitnessKey:
    """§13: the key line of a witness, as it was given from outside."""

    def __init__(self, text):
        parts = text[:-1].split("+", 2) if text.endswith("\n") else text.split("+", 2)
        if len(parts) != 3 or not is_match(re.compile("[0-9a-f]{8}\\Z"), parts[1]):
            raise Refused("a key line that is none")
        self.name, key = parts[0], parse_base64(parts[2], 33)
        self.public, self.id = key[1:], H(self.name.encode() + b"\n" + key)[:4]
        if key[:1] != COSIGNATURE or not is_witness_name(self.name):
            raise Refused("a key line that is not a witness's")
        if self.id.hex() != parts[1]:
            raise Refused("a key line whose id is not that of its name and key")


class Cosigned:
    """§13: a checkpoint, and after the log's signature other lines of signatures."""

    def __init__(self, content):
        try:
            lines = content.decode("utf-8").split("\n")
        except UnicodeDecodeError:
            raise Refused("a cosigned checkpoint is text", 31)
        self.checkpoint, more = Checkpoint("\n".join(lines[:5] + [""])), lines[5:-1]
        if lines[-1] or len(more) > 31:
            raise Refused("a cosigned checkpoint has other lines than it should", 31)
        self.signatures = {(self.checkpoint.origin, self.checkpoint.key_hash): None}
        for line in more:
            parts = line.split(" ")
            if len(parts) != 3 or parts[0] != "\u2014" or not parts[1] or "+" in parts[1] or not parts[1].isprintable():
                raise Refused("a cosigned checkpoint with a misshapen line", 31)
            signature = parse_base64(parts[2])
            if not 5 <= len(signature) <= 8192:
                raise Refused("a cosigned checkpoint with a misshapen signature", 31)
            if (parts[1], signature[:4]) in self.signatures:
                raise Refused("a cosigned checkpoint that is signed twice in one name", 31)
            self.signatures[parts[1], signature[:4]] = signature[4:]

    def time_by(self, key):
        """When the witness with this key cosigned."""
        signed = self.signatures.get((key.name, key.id))
        if signed is None:
            raise Refused("a checkpoint that is not cosigned with the witness's key", 31)
        time = int.from_bytes(signed[:8], "big")
        text = "cosignature/v1\ntime %d\n%s" % (time, self.checkpoint.body)
        if not is_signed(key.public, text.encode(), signed[8:]):
            raise Refused("a cosignature that is forged", 31)
        return time


def bundle_path(number):
    name = "%06x" % number
    return "bundles/%s/%s" % (name[:4], name[4:])


# ---------------------------------------------------------------------------------------------
# §9 Receipt
# ---------------------------------------------------------------------------------------------


class Receipt:
    FIRST = b"strongroom-receipt-v1"

    @classmethod
    def block(cls, data):
        """The receipt in a text that it came in."""
        lines = [line.lstrip(b" \t>").rstrip(b" \t\r") for line in data.split(b"\n")]
        if lines.count(cls.FIRST) != 1:
            raise Refused("a text with no receipt, or with several")
        block = []
        for line in lines[lines.index(cls.FIRST) :]:
            block.append(line + b"\n")
            if line.startswith(b"check "):
                break
        return b"".join(block)

    def __init__(self, data):
        try:
            text = self.block(data).decode("utf-8")
        except UnicodeDecodeError:
            raise Refused("a receipt is text")
        above, check, last = text.rpartition("\ncheck ")
        if not check or not is_match(re.compile("[0-9a-f]{64}\n\\Z"), last):
            raise Refused("a receipt without a check line")
        if hex_H((above + "\n").encode()) != last[:-1]:
            raise Refused("a receipt whose check line does not hold")
        head, _, rest = (above + "\n").partition("\n\n")
        shape = re.match(
            r"strongroom-receipt-v1\nvault ([0-9a-f]{32})\ntime (\S+)\nfounder ([0-9a-f]{64})\nroster ([0-9a-f]{64})\Z", head
        )
        if not shape:
            raise Refused("a receipt with other lines than it should have")
        self.vault, self.time, self.founder, self.roster = shape.groups()
        parse_time(self.time)
        # Each checkpoint is two parts, the note and its signature; the last part is empty.
        parts = rest.split("\n\n")
        if parts.pop() or len(parts) % 2:
            raise Refused("a receipt with a misshapen checkpoint")
        self.checkpoints = {}
        for note, signature in zip(parts[::2], parts[1::2]):
            checkpoint = Checkpoint(note + "\n\n" + signature + "\n")
            vault, _, log = checkpoint.origin.partition("/audit/")
            if vault != self.vault or not is_match(LOG, log):
                raise Refused("a receipt with a checkpoint of `%s`" % checkpoint.origin)
            self.checkpoints[log] = checkpoint
        if list(self.checkpoints) != sorted(self.checkpoints) or len(self.checkpoints) * 2 != len(parts):
            raise Refused("a receipt whose checkpoints are out of order")


# ---------------------------------------------------------------------------------------------
# §4, §5, §6 The shape of sealed files. Without a key nothing more can be seen of them.
# ---------------------------------------------------------------------------------------------

CHUNK, TAG = 65_536, 16
HPKE_ENC = 1120


def parse_header(content, wanted, optional=()):
    """A CBOR map at the beginning of a file: its fields, each with a check, and where it ends."""
    fields, end = parse_cbor(content)
    if not isinstance(fields, dict) or fields.get(0) != 1:
        raise Refused("a sealed file of another suite")
    if not set(wanted) <= set(fields) <= set(wanted) | set(optional):
        raise Refused("a sealed file with other fields than it should have")
    for key, length in wanted.items():
        if length is not None and not (isinstance(fields[key], bytes) and len(fields[key]) == length):
            raise Refused("a sealed file whose field %d is not as it should be" % key)
    return fields, end


def is_stream_length(length):
    """Whether a stream of sealed chunks may have this length."""
    chunks = -(-length // (CHUNK + TAG))
    plain = length - chunks * TAG
    return plain > 0 and -(-plain // CHUNK) == chunks and is_padded_length(plain)


PART_CHUNKS, PARTS = 64, 16_384


def check_part(content, vault, note):
    """§5.1: a part of an attachment."""
    fields, end = parse_header(content, {0: None, 1: 16, 2: 16, 3: 16, 4: None, 5: None})
    if fields[1] != vault or fields[2] != note:
        raise Refused("a part that was sealed for another note")
    if fields[4] != 4 or not is_number(fields[5], PARTS):
        raise Refused("a part whose header is not as it should be")
    length = len(content) - end
    chunks = -(-length // (CHUNK + TAG))
    plain = length - chunks * TAG
    if not 0 < chunks <= PART_CHUNKS or plain <= 0 or -(-plain // CHUNK) != chunks:
        raise Refused("a part of a length that no part has")
    total = fields[5] * PART_CHUNKS * CHUNK + plain
    if plain < PART_CHUNKS * CHUNK and not is_padded_length(total):
        raise Refused("a last part that ends where no attachment ends")


PURPOSES = {0, 1, 2, 3, 5}  # note, head of an attachment, draft, brief, statement


def check_body(content, vault, note):
    fields, end = parse_header(content, {0: None, 1: 16, 2: 16, 3: 16, 4: None, 5: 32, 6: None})
    if fields[1] != vault or fields[2] != note:
        raise Refused("a body that was sealed for another note")
    if not (is_number(fields[4]) and fields[4] in PURPOSES and is_number(fields[6])):
        raise Refused("a body whose header is not as it should be")
    first, second = fields[6], len(content) - end - fields[6]
    if not (second > 0 and is_stream_length(first) and is_stream_length(second)):
        raise Refused("a body whose streams have lengths that no body has")


def check_wrap(content, vault, note):
    """Checks a wrap and returns `H` of the body that it belongs to."""
    fields, end = parse_header(content, {0: None, 1: 16, 2: 16, 3: 32, 4: None, 5: 72}, {6})
    if fields[1] != vault or fields[2] != note:
        raise Refused("a wrap that was made for another note")
    ids = fields[4]
    if end != len(content) or not isinstance(ids, list) or not all(isinstance(i, bytes) and len(i) == 8 for i in ids):
        raise Refused("a wrap that is not as it should be")
    slots = fields.get(6)
    if slots is None:
        if not ids:
            raise Refused("a wrap to nobody")
    elif not isinstance(slots, list) or len(slots) not in (4, 8, 16, 32, 64, 128):
        raise Refused("a wrap with a number of slots that no wrap has")
    else:
        for slot in slots:
            if not (isinstance(slot, dict) and set(slot) == {0, 1} and all(isinstance(v, bytes) for v in slot.values())):
                raise Refused("a wrap with a misshapen slot")
            if len(slot[0]) != HPKE_ENC or len(slot[1]) != 48:
                raise Refused("a wrap with a misshapen slot")
    return fields[3]


def check_key_box(content, vault, device):
    fields, end = parse_header(content, {0: None, 1: 16, 2: 8, 3: HPKE_ENC, 4: None})
    if fields[1] != vault or fields[2] != device:
        raise Refused("a key box that was made for another device")
    if end != len(content) or not isinstance(fields[4], bytes) or not is_padded_length(len(fields[4]) - TAG):
        raise Refused("a key box that is not as it should be")


def check_detail_key(content, vault, key):
    fields, end = parse_header(content, {0: None, 1: 16, 2: 8, 3: 8, 4: None, 5: None})
    if fields[1] != vault or fields[3] != key:
        raise Refused("a detail key kept in another place")
    wrap, wraps = fields[4], fields[5]
    good = isinstance(wraps, list) and end == len(content)
    for one in [wrap] + wraps if good else ():
        good = good and isinstance(one, dict) and set(one) == {0, 1, 2} and all(isinstance(v, bytes) for v in one.values())
        good = good and (len(one[0]), len(one[1]), len(one[2])) == (8, HPKE_ENC, 48)
    if not good or not is_sorted_set([one[0] for one in wraps]):
        raise Refused("a detail key that is not as it should be")


# ---------------------------------------------------------------------------------------------
# The verifier
# ---------------------------------------------------------------------------------------------

File = namedtuple("File", "ref path digest")


class Log:
    """What could be read of one history of a log."""

    def __init__(self, branch):
        fork = FORK.match(branch)
        self.branch, self.name = branch, fork.group(1) if fork else branch
        self.fork = fork.group(2) if fork else None  # the root that its branch is named after
        self.lines = []
        self.entries = []  # None where a line is refused
        self.tree = Tree()
        self.marks = {}  # other log → (seq, size, root): what it has seen, as far as it counts
        self.commits = []  # (seq by position, Commit, Message) of those that were read, oldest first

    def size(self):
        return len(self.lines)

    def end(self):
        return self.name, self.size(), self.tree.root(self.size()).hex()

    def has(self, size, root):
        return size <= self.size() and self.tree.root(size).hex() == root

    def shares(self, other, size):
        """Whether both begin with the same `size` lines."""
        return size <= self.size() and other.has(size, self.tree.root(size).hex())


LOST = (1, 2, 6, 7, 8, 9, 10, 11, 15, 24, 26, 27)  # cases in which entries of a log may be lost
WITNESSED = 64  # commits of a witness's branch that are read without --deep


class Verifier:
    def __init__(self, repository, receipt=None, deep=False, witness_keys=()):
        self.repo, self.receipt, self.deep, self.witness_keys = repository, receipt, deep, witness_keys
        self.problems, self.findings = [], []
        self.tampered = False
        self.logs = {}
        self.forks = []  # §7.1: the other histories of logs
        self.contents = {}  # main's files
        self.vault, self.roster, self.anchored = None, None, False
        self.cosigned = []
        self.taken_back = {}  # §7.6: (path, digest) of each withdrawn card, and the entry that withdrew it
        self.bases = {}  # §7.6: each withdrawn roster, and the one of the chain that it stood upon

    # -- reporting ----------------------------------------------------------------------------

    def problem(self, case, message, log=None, seq=None, certain=True):
        found = {"log": log, "seq": seq, "case": case, "message": message}
        if found not in self.problems:
            self.problems.append(found)
        self.tampered = self.tampered or certain

    def cannot_read(self, case, what, problem, log=None, seq=None):
        """Something that could not be had: missing or altered is tampering, all else is not known."""
        case = 33 if isinstance(problem, Damaged) else case
        self.problem(case, "%s cannot be read: %s" % (what, problem), log, seq, certain=isinstance(problem, Gone))

    def finding(self, case, message, log=None, seq=None):
        found = {"log": log, "seq": seq, "case": case, "message": message}
        if found not in self.findings:
            self.findings.append(found)

    def report(self):
        return {
            "verdict": "tampered" if self.tampered else "unknown" if self.problems else "intact",
            "anchored": self.anchored,
            "entries": sum(log.size() for log in self.logs.values()),
            "logs": [
                {"log": log.name, "size": log.size(), "root": log.tree.root(log.size()).hex()}
                for _, log in sorted(self.logs.items())
            ],
            "problems": self.problems,
            "findings": self.findings,
            "cosigned": self.cosigned,
        }

    def all_histories(self):
        return list(self.logs.values()) + self.forks

    def histories(self, name):
        """§7.1: all histories of a log, the one under its own name first."""
        return [log for log in self.all_histories() if log.name == name]

    # -- the order of things ------------------------------------------------------------------

    def verify(self):
        heads = self.repo.refs
        lost = [name for name in self.repo.lost if name.startswith("refs/heads/audit/")]
        if "refs/heads/main" not in heads and not any(name.startswith("refs/heads/audit/") for name in heads):
            if not self.repo.broken and not lost:
                if os.path.lexists(os.path.join(self.repo.folder, "strongroom.journal")):
                    raise Unreadable("a vault's folder that has no branch, and a journal that says nothing of one")
                raise NoVault("this git repository is not a vault: it has neither a branch `main` nor a log")
        for name in lost:
            self.problem(10, "the journal holds entries of this log, and its branch is gone", name[len("refs/heads/audit/") :][:25])
        for message in self.repo.odd_history():
            self.problem(30, message)
        for name in self.repo.symbolic:
            self.problem(30, "`%s` is another name of a branch" % name)
        for name in self.repo.broken:
            self.problem(10 if "/audit/" in name else 32, "`%s` is damaged: it names no commit" % name)
        if self.repo.journal.damage:
            self.problem(32, self.repo.journal.damage, certain=False)
        self.read_main()
        self.read_roster()
        self.check_main_history()
        self.check_policies()
        self.check_witnesses()
        for name in sorted(heads):
            if name.startswith("refs/heads/audit/"):
                self.read_log(name[len("refs/heads/audit/") :], heads[name])
        self.check_forks()
        self.check_withdrawals()
        self.check_withdrawn_were_unseen()
        for log in self.all_histories():
            self.check_entries(log)
        for log in self.all_histories():
            self.check_seen(log)
        self.check_cuts()
        self.check_details()
        self.check_policies_in_force()
        self.check_receipt()
        for key in self.witness_keys:
            self.check_witness(key)
        self.check_matters()
        self.check_files()
        self.check_holds()
        return self.report()

    # -- §2.1, §2.2: main ---------------------------------------------------------------------

    def read_main(self):
        head = self.repo.refs.get("refs/heads/main")
        if head is None:
            self.problem(32, "the branch `main` is missing")
            return
        try:
            for path, oid, plain in self.repo.files(self.repo.commit(head).tree):
                try:
                    self.contents[path] = self.repo.read(oid, "blob") if plain else None
                except Unreadable as problem:
                    self.contents[path] = problem
        except Unreadable as problem:
            self.cannot_read(36, "the branch `main`", problem)
        except Refused as problem:
            self.problem(36, "the branch `main` is refused: %s" % problem)

    def check_policies(self):
        """§2.1: which files a set of policies may hold."""
        files = {path: content for path, content in self.contents.items() if path.startswith("policies/")}
        for path, content in files.items():
            if not POLICY_PATH.match(path) or len(path) > len("policies/") + 128:
                self.problem(36, "`%s` is not the path of a policy file" % path)
            elif isinstance(content, bytes) and len(content) > 65_536:
                self.problem(36, "the policy file `%s` is too large" % path)
        if len(files) > 64:
            self.problem(36, "there are too many policy files")

    def check_policies_in_force(self):
        """§7: the set of policies is the one that the newest entry of some log names."""
        files = {path[len("policies/") :]: c for path, c in self.contents.items() if path.startswith("policies/")}
        named = {entries[-1].policies for entries in map(self.counted, self.all_histories()) if entries}
        if named and all(isinstance(content, bytes) for content in files.values()) and policy_digest(files) not in named:
            self.problem(36, "the policies are not those that the newest entry of a log names")

    def check_witnesses(self):
        """§13: the form of what stands on the branches of witnesses, none of which is pinned here."""
        for name in sorted(name for name in self.repo.refs if name.startswith("refs/heads/witness/")):
            ref = name[len("refs/heads/") :]
            if not is_witness_name(ref[len("witness/") :]):
                self.problem(32, "the branch `%s` has no place in a vault" % ref)
                continue
            for path, content in self.files_of(ref):
                if isinstance(content, Refused) or not is_match(LOG, path):
                    self.problem(32, "`%s` does not belong on the branch `%s`" % (path, ref))
                    continue
                try:
                    if isinstance(content, Unreadable):
                        raise content
                    Cosigned(content).checkpoint.check_origin(self.vault, path)
                except Unreadable as problem:
                    self.problem(31, "a checkpoint on the branch `%s`: %s" % (ref, problem), path, certain=isinstance(problem, Gone))
                except Refused as problem:
                    self.problem(23 if problem.case == 23 else 31, "on the branch `%s`: %s" % (ref, problem), path)

    def cosignatures(self, key):
        """§13: what a witness cosigned by its branch: (time, Checkpoint, log), from the oldest commit on. Of older commits
        than the newest only what is cosigned with its key counts."""
        ref = "refs/heads/witness/" + key.name
        found, read, oid, newest = [], {}, self.repo.refs.get(ref), True
        try:
            for _ in range(sys.maxsize if self.deep else WITNESSED):
                if oid is None:
                    break
                commit = self.repo.commit(oid)
                for path, blob, plain in reversed(list(self.repo.files(commit.tree))):
                    if not plain or not is_match(LOG, path):
                        continue
                    if (path, blob) not in read:
                        read[path, blob] = self.read_cosigned(key, path, blob, newest)
                    if read[path, blob]:
                        found.append((*read[path, blob], path))
                newest, oid = False, commit.parents[0] if commit.parents else None
        except Unreadable as problem:
            self.cannot_read(31, "the history of the branch `witness/%s`" % key.name, problem)
        except Refused as problem:
            self.problem(31, "the history of the branch `witness/%s` is refused: %s" % (key.name, problem))
        return found[::-1]

    def read_cosigned(self, key, path, blob, newest):
        try:
            cosigned = Cosigned(self.repo.read(blob, "blob"))
            cosigned.checkpoint.check_origin(self.vault, path)
        except (Refused, Unreadable):
            return None  # of the newest it was told with the form of the branch
        try:
            return cosigned.time_by(key), cosigned.checkpoint
        except Refused as problem:
            if newest:
                self.problem(31, "on the branch `witness/%s`: %s" % (key.name, problem), path)
            return None

    def check_witness(self, key):
        """§13: a witness whose key was given: what it cosigned is a beginning of the log, and it never went back."""
        if any(device.public == key.public for device in self.roster.devices.values()):
            self.problem(31, "the key of the witness `%s` is a device's" % key.name)
            return
        found = self.cosignatures(key)
        if not found:
            self.finding(31, "the witness `%s` has cosigned nothing in this vault" % key.name)
        for name in sorted({name for _, _, name in found}):
            own = [(time, checkpoint) for time, checkpoint, log in found if log == name]
            for order in (own, sorted(own, key=lambda pair: (pair[0], pair[1].size))):
                for (_, before), (_, after) in zip(order, order[1:]):
                    if after.size < before.size:
                        self.problem(31, "the witness `%s` went back, or its branch was put back" % key.name, name, after.size - 1)
            for time, checkpoint in own:
                self.check_cosigned(key, name, time, checkpoint)
            size, time = max((checkpoint.size, time) for time, checkpoint in own)
            self.cosigned.append({"witness": key.name, "log": name, "size": size, "time": time_text(time)})
            self.anchored = True

    def check_cosigned(self, key, name, time, checkpoint):
        who, size, log = "the witness `%s`" % key.name, checkpoint.size, self.logs.get(name)
        try:
            checkpoint.check_signature(self.roster.devices.get(name[:16]))
        except Refused as problem:
            self.problem(31, "%s cosigned %s" % (who, problem), name, size - 1)
            return
        for history in self.histories(name):
            if history.has(size, checkpoint.root.hex()):
                late = [entry.seq for entry in history.entries[:size] if entry and entry.time > time]
                if late:
                    self.finding(22, "an entry is dated after %s cosigned it" % who, name, late[0])
                return
        if log is None:
            self.problem(10, "%s cosigned %d entries of this log, and it is missing" % (who, size), name)
        elif log.size() < size:
            self.problem(7, "this log has %d entries, and had %d when %s cosigned it" % (log.size(), size, who), name, log.size())
        else:
            self.problem(11, "up to %d entries this log is another one than %s cosigned" % (size, who), name, size - 1)
            self.problem(16 if log.size() == size else 17, "%s cosigned another history of this log" % who, name, size - 1)

    def check_main_history(self):
        """§2: commits of `main` are signed by members' devices, one after the other. Without --deep the newest."""
        oid = self.repo.refs.get("refs/heads/main")
        newest = True
        try:
            while oid is not None:
                commit = self.repo.commit(oid)
                if newest or self.deep:
                    self.check_commit_signature(commit, self.roster.devices.values(), case=36)
                newest = False
                if self.deep and self.roster.complete:
                    self.check_commit_signature(commit, self.who_may_change_main(commit), case=36)
                if len(commit.parents) > 1:
                    self.problem(30, "the branch `main` holds a commit with more than one parent")
                oid = commit.parents[0] if commit.parents else None
        except Unreadable as problem:
            self.cannot_read(30, "the history of the branch `main`", problem)
        except Refused as problem:
            self.problem(36, "the history of `main` is refused: %s" % problem)

    def who_may_change_main(self, commit):
        """§7.2: the devices of who was a lead by the cards that a commit follows, and not paused."""
        before = self.repo.files(self.repo.commit(commit.parents[0]).tree) if commit.parents else ()
        count = sum(path.startswith("members/") for path, _, _ in before)
        last = {card.person: card for card in self.roster.cards[:count]}
        leads = {card.person for card in last.values() if "lead" in card.roles and not card.paused}
        leads = leads if commit.parents else {card.person for card in self.roster.cards[:1]}
        return [device for device in self.roster.devices.values() if device.person in leads]

    def read_roster(self):
        """The vault's id and founder come from outside where a receipt is given, else from `vault.toml`."""
        toml = self.contents.get("vault.toml")
        shape = VAULT_TOML.match(toml.decode("utf-8", "replace")) if isinstance(toml, bytes) else None
        if shape is None:
            self.problem(36, "`vault.toml` is missing or not as it should be", certain=isinstance(toml, (bytes, Gone, type(None))))
        cards = sorted(path for path in self.contents if path.startswith("members/"))
        vault = shape.group(1) if shape else None
        if vault is None:
            vault = self.receipt.vault if self.receipt else self.vault_of_first_card(cards)
        self.vault, self.roster = vault, Roster(vault)
        for path in cards:
            content = self.contents[path]
            try:
                if isinstance(content, Unreadable):
                    raise content
                if content is None:
                    raise Refused("the card `%s` is no plain file" % path)
                self.roster.add(path, content)
            except Unreadable as problem:
                self.roster.complete = False
                self.cannot_read(36, "the card `%s`" % path, problem)
                break
            except Refused as problem:
                self.roster.complete = False
                self.problem(36, str(problem))
                break
        founder = self.roster.founder()
        if shape and founder and founder != shape.group(2):
            self.problem(13, "`vault.toml` names another founder than the first card")
        receipt = self.receipt
        if receipt and receipt.vault == self.vault and founder:
            if receipt.founder != founder:
                self.problem(13, "the founder is not the one that the receipt names: roster and keys were exchanged")

    def vault_of_first_card(self, cards):
        try:
            return Card(self.contents[cards[0]]).vault
        except (Refused, IndexError, AttributeError, TypeError):
            return None

    # -- §8: one log --------------------------------------------------------------------------

    def read_log(self, branch, head):
        log = Log(branch)
        name = log.name
        if not is_match(LOG, name):
            self.problem(32, "the branch `audit/%s` is not named as a log is" % branch)
            return
        if log.fork:
            self.forks.append(log)
        else:
            self.logs[name] = log
        try:
            self.read_commits(log, head)
        except Unreadable as problem:
            self.problem(10, "this log cannot be read: %s" % problem, name, certain=isinstance(problem, Gone))
        except Refused as problem:
            self.problem(problem.case or 24, str(problem), name)
        for line in log.lines:
            log.tree.add(line)
            try:
                log.entries.append(Entry(line))
            except Refused as problem:
                self.problem(problem.case, str(problem), name, len(log.entries))
                log.entries.append(None)
        damaged = self.check_order(log)
        self.check_checkpoints(log, damaged)
        device = self.roster.devices.get(name[:16])
        if device is None:
            self.problem(12, "this log is of a device that no card names", name)
        for at, commit, _ in log.commits if self.deep else log.commits[-1:]:
            if device:
                self.check_commit_signature(commit, [device], name, at)
        if self.deep:
            self.check_commits(log)

    def read_commits(self, log, head):
        """The lines: those of closed bundles from the head's tree, those after them from commit messages."""
        first = self.repo.commit(head)
        top = Message(first.message)
        bundles = self.read_bundles(log, first.tree, top.checkpoint.size if top.checkpoint else None)
        closed = [line for bundle in bundles for line in bundle]
        commits, tail, oid, seen = [], [], head, set()
        while oid is not None:
            if oid in seen:
                raise Refused("the history of the log runs in a circle", 30)
            seen.add(oid)
            commit = self.repo.commit(oid)
            message = Message(commit.message)
            size = message.checkpoint.size if message.checkpoint else None
            under = len(tail) < len(commits) or size is not None and size <= len(closed)
            if under and not self.deep:
                break  # what bundles have closed is read again with --deep alone
            commits.append((commit, message))
            if not under:
                tail.append(message.line)
            if len(commit.parents) > 1:
                self.problem(30, "a commit of the log has %d parents" % len(commit.parents), log.name, size and size - 1)
            oid = commit.parents[0] if commit.parents else None
            if oid is not None and size == 1:
                self.problem(30, "the commit of the first entry follows another commit", log.name, 0)
                oid = None
        log.lines = closed + tail[::-1]
        start = len(log.lines) - len(commits)
        if self.deep and start:
            self.problem(25, "this log has %d commits for %d entries" % (len(commits), len(log.lines)), log.name)
        log.commits = [(start + at, *both) for at, both in enumerate(commits[::-1]) if start + at >= 0]
        for at, _, message in log.commits:
            if at < len(closed) and message.line != closed[at]:
                self.problem(25, "a bundle and the commit that it closes differ", log.name, at)

    def read_bundles(self, log, tree, size):
        """The closed bundles of a tree, in order, each a list of its lines."""
        files = {path: (oid, plain) for path, oid, plain in self.repo.files(tree)}
        due = size // BUNDLE if size is not None else sum(1 for p in files if p.startswith("bundles/"))
        bundles = []
        for number in range(due):
            path = bundle_path(number)
            if path not in files or not files[path][1]:
                self.problem(26, "the bundle `%s` is missing" % path, log.name, BUNDLE * number)
                break
            oid, _ = files.pop(path)
            lines = self.repo.read(oid, "blob").split(b"\n")
            if len(lines) != BUNDLE + 1 or lines[-1]:
                self.problem(26, "the bundle `%s` does not have %d lines" % (path, BUNDLE), log.name, BUNDLE * number)
            bundles.append(lines[:-1] if not lines[-1] else lines)
            if len(lines) != BUNDLE + 1:
                break
        else:
            for path in sorted(files):
                self.problem(26, "`%s` does not belong beside the bundles" % path, log.name)
        return bundles

    def check_order(self, log):
        """Cases 2 to 6 by `seq`, case 1 by `prev`. Returns whether something was found."""
        before = len(self.problems)
        places = {}
        for at, entry in enumerate(log.entries):
            if entry is None:
                continue
            if entry.log != log.name:
                self.problem(3, "an entry of the log %s" % entry.log, log.name, at)
            if entry.seq in places:
                first = log.entries[places[entry.seq]]
                if entry.line == first.line:
                    self.problem(5, "the entry stands here twice", log.name, entry.seq)
                elif entry.seq == 0:
                    self.problem(6, "the log begins anew", log.name, 0)
                else:
                    self.problem(3, "there is another entry with this number", log.name, entry.seq)
            else:
                places[entry.seq] = at
        refused = log.entries.count(None)
        end = max(places) + 1 if places else 0
        missing = [seq for seq in range(end) if seq not in places]
        if len(missing) > refused:
            gone = missing[0]
            if gone == 0:
                self.problem(6, "the log begins later than at 0", log.name, min(places))
            else:
                self.problem(2, "%d entries are missing" % (len(missing) - refused), log.name, gone)
        in_place = [seq for seq, _ in sorted(places.items(), key=lambda pair: pair[1])]
        for left, right in zip(in_place, in_place[1:]):
            if left > right:
                self.problem(4, "entries have changed places", log.name, right)
                break
        if before != len(self.problems):
            return True
        for at, entry in enumerate(log.entries):
            previous = leaf_hash(log.lines[at - 1]).hex() if at else ZEROS
            if entry is None or entry.prev == previous:
                continue
            if at == 0:
                self.problem(6, "the first entry follows another one", log.name, 0)
            else:
                self.problem(1, "the entry is not the one that the next one follows", log.name, at - 1)
        return before != len(self.problems)

    def check_checkpoints(self, log, damaged):
        """Each commit that was read: its checkpoint is this log's, signed, and over the lines up to there."""
        device = self.roster.devices.get(log.name[:16])
        altered = False
        for at, commit, message in log.commits:
            if message.fault:
                self.problem(message.fault.case or 24, str(message.fault), log.name, at)
            checkpoint = message.checkpoint
            if checkpoint is None:
                continue
            try:
                checkpoint.check_origin(self.vault, log.name)
                # The newest signature covers all lines before it; --deep looks at each.
                if self.deep or message is log.commits[-1][2]:
                    checkpoint.check_signature(device)
            except Refused as problem:
                self.problem(problem.case, str(problem), log.name, at)
                continue
            if damaged or altered or message.fault:
                continue
            if checkpoint.size != at + 1:
                self.problem(24, "a checkpoint of size %d" % checkpoint.size, log.name, at)
            elif checkpoint.size <= log.size() and log.tree.root(checkpoint.size) != checkpoint.root:
                altered = True
                if self.is_confused(log, checkpoint):
                    self.problem(28, "a checkpoint over a tree whose leaves and nodes are hashed alike", log.name, at)
                else:
                    self.problem(1, "the lines are not those that the checkpoint was signed over", log.name, at)

    @staticmethod
    def is_confused(log, checkpoint):
        for leaf, node in ((b"", b""), (b"\1", b"\0"), (b"\0", b"\0"), (b"\1", b"\1"), (b"", b"\1"), (b"\0", b"")):
            tree = Tree(leaf, node)
            for line in log.lines[: checkpoint.size]:
                tree.add(line)
            if tree.root(checkpoint.size) == checkpoint.root:
                return True
        return False

    def check_commits(self, log):
        """--deep: author and tree of each commit."""
        device = self.roster.devices.get(log.name[:16])
        files = {}
        for at, commit, message in log.commits:
            entry = log.entries[at] if at < len(log.entries) else None
            if device and entry:
                handles = {card.handle for card in self.roster.cards if card.person == device.person}
                who = {("%s <%s@%s> %d +0000" % (h, device.person, self.vault, max(entry.time, 0))).encode() for h in handles}
                if commit.author not in who or commit.committer not in who:
                    self.problem(25, "a commit by another author, or at another time, than its entry", log.name, at)
            try:
                now = {path: oid for path, oid, _ in self.repo.files(commit.tree)}
            except Unreadable as problem:
                self.cannot_read(26, "the tree of a commit", problem, log.name, at)
                continue
            except Refused as problem:
                self.problem(26, str(problem), log.name, at)
                continue
            new = {path for path in now if files.get(path) != now[path]}
            due = {bundle_path(at // BUNDLE)} if at % BUNDLE == BUNDLE - 1 else set()
            if new != due or set(files) - set(now):
                self.problem(26, "a commit changes the bundles where it should not", log.name, at)
            files = now

    def check_commit_signature(self, commit, devices, log=None, at=None, case=12):
        """That one of these devices signed the commit."""
        try:
            public, signature = parse_sshsig((commit.gpgsig or b"").decode("ascii") + "\n", b"git")
            good = any(public == device.public for device in devices)
            good = good and is_ssh_signed(public, b"git", commit.unsigned, signature)
        except (Refused, UnicodeDecodeError):
            good = False
        if not good:
            self.problem(case, "a commit%s that no device which may signed" % ("" if log else " of `main`"), log, at)

    # -- §7.1: logs with two histories ---------------------------------------------------------

    def check_forks(self):
        for name in sorted({log.name for log in self.forks}):
            histories = self.histories(name)
            if name not in self.logs:
                self.problem(10, "of this log only another history is left", name)
            for log in histories:
                if log.fork and log.end()[2] != log.fork:
                    self.problem(43, "the branch `audit/%s` is not the history that its name says" % log.branch, name)
                if any(other is not log and log.shares(other, log.size()) for other in histories):
                    self.problem(43, "a history of this log is the beginning of another", name)
            ends = {log.end() for log in histories}
            if any(ends <= card.joined for card in self.roster.cards):
                self.finding(43, "this log has %d histories, all of which a card joins" % len(histories), name)
            else:
                self.problem(43, "this log has %d histories, and no card joins all of them" % len(histories), name)

    # -- §7: who may do what ------------------------------------------------------------------

    def check_entries(self, log):
        device = self.roster.devices.get(log.name[:16])
        last = None
        for at, entry in enumerate(log.entries):
            if entry is None:
                continue
            if device and entry.actor != device.person and not self.is_beyond(log, entry):
                self.problem(15, "an entry in the name of somebody else than the log's device", log.name, at)
            if entry.seq == 0:
                self.check_admission(log, entry)
            if self.is_beyond(log, entry):
                self.problem(14, "the entry stands beyond what is accepted of this log of a removed device", log.name, at)
                continue
            if last is not None and entry.time < last.time:
                self.finding(21, "the clock ran backwards", log.name, at)
            if entry.time > time.time() + 86_400:
                self.finding(21, "the entry is dated after today", log.name, at)
            self.check_rights(log, at, entry, last)
            last = entry

    def is_beyond(self, log, entry):
        """§2.2: whether an entry counts for nothing, since its device was removed."""
        cut = self.roster.cut(log.name)
        return cut is not None and entry.seq >= cut

    def counted(self, log):
        return [entry for entry in log.entries if entry is not None and not self.is_beyond(log, entry)]

    def check_cuts(self):
        """§2.2: what cards accept of the logs of removed devices is there."""
        cuts = {(name, size, root) for card in self.roster.cards for name, (size, root) in card.cuts.items()}
        for name, size, root in sorted(cuts):
            log = self.logs.get(name)
            if any(history.has(size, root) for history in self.histories(name)):
                continue
            if log is None:
                self.problem(10, "a card accepts %d entries of this log, and it is missing" % size, name)
            elif log.size() < size:
                self.problem(8, "a card accepts %d entries of this log" % size, name, log.size())
            else:
                self.problem(11, "the first %d entries are not those that a card accepts" % size, name, size - 1)

    def check_details(self):
        """§7: every detail key was written by an entry. Where entries are lost, one of them may have done that."""
        if any(p["log"] and p["case"] in LOST for p in self.problems):
            return
        entries = [(log, entry) for log in self.all_histories() for entry in self.counted(log)]
        known = {path[len("detail-") :][:16] for _, entry in entries for ref, path, _ in entry.wrote
                 if ref == "keys/devices" and path.startswith("detail-")}
        told = set()
        for log, entry in entries:
            key = entry.fields["detail"]
            if key not in known and (log.name, key) not in told:
                told.add((log.name, key))
                self.problem(36, "a detail key that no entry wrote", log.name, entry.seq)

    def check_withdrawals(self):
        """§7.6: what entries take back of `main` their log wrote, and what they put back it forgot."""
        for log in self.all_histories():
            wrote, forgot = {}, set()
            for entry in self.counted(log):
                of_main = [[tuple(f) for f in files if f[0] == "main"] for files in (entry.wrote, entry.forgot)]
                if entry.kind != "withdraw" or entry.result != "done":
                    if entry.seq:
                        wrote.update((file, entry.roster) for file in of_main[0])
                    forgot.update(of_main[1])
                    continue
                faults = [] if of_main[1] else ["it takes nothing back"]
                for file in of_main[1]:
                    roster = wrote.pop(file, None)
                    if roster is None:
                        faults.append("it takes back `%s`, which its log did not write" % file[1])
                    elif file[1].startswith("members/"):
                        if roster == entry.roster:
                            faults.append("it takes a card back, and names it as in force")
                        self.bases.setdefault(roster, entry.roster)
                        self.taken_back.setdefault(file[1:], (log.name, entry.seq))
                for file in of_main[0]:
                    if file[1].startswith("members/"):
                        faults.append("it puts a card back")
                    elif file not in forgot:
                        faults.append("it puts back `%s`, which its log did not forget" % file[1])
                    forgot.discard(file)
                for fault in faults:
                    self.problem(36, fault, log.name, entry.seq)

    def check_withdrawn_were_unseen(self):
        """§7.6: no card that was withdrawn ever stood in a commit of `main`."""
        oid = self.repo.refs.get("refs/heads/main") if self.taken_back else None
        try:
            while oid is not None:
                commit = self.repo.commit(oid)
                for path, blob, plain in self.repo.files(commit.tree):
                    for (card, digest), place in self.taken_back.items():
                        if card == path and plain and hex_H(self.repo.read(blob, "blob")) == digest:
                            self.problem(36, "`%s` was taken back, and stood on the branch `main`" % path, *place)
                oid = commit.parents[0] if commit.parents else None
        except (Unreadable, Refused):
            return  # It is told where `main` is read.

    def stands_upon(self, digest):
        """The roster of the chain by which an entry with this one is judged; None where there is none."""
        return digest if digest in self.roster.by_digest else self.bases.get(digest)

    def check_admission(self, log, entry):
        card = self.roster.by_digest.get(entry.admitted)
        if card is None and not self.roster.complete:
            return
        if card is None and entry.admitted in self.bases and log.name[:16] in self.roster.devices:
            return
        if card is None or log.name[:16] not in card.devices:
            self.problem(15, "the first entry names no card that admits its device", log.name, 0)

    def check_rights(self, log, at, entry, last):
        upon = self.stands_upon(entry.roster)
        number = self.roster.digest_after(upon)
        if number is None:
            if self.roster.complete:
                self.problem(36, "a roster that is none of the chain of cards", log.name, at)
            return
        before = self.stands_upon(last.roster) if last is not None else None
        before = before if before in self.roster.by_digest else upon
        if number < self.roster.digest_after(before):
            self.problem(36, "the roster goes back", log.name, at)
        cards = [int(CARD_PATH.match(path).group(1)) for ref, path, _ in entry.wrote if ref == "main" and CARD_PATH.match(path)]
        if cards and upon == entry.roster and max(cards) < len(self.roster.cards) and self.roster.cards[max(cards)].digest != entry.roster:
            self.problem(36, "an entry that wrote a card, and names another roster", log.name, at)
        if any(ref == "main" for ref, _, _ in entry.wrote + entry.forgot):
            if not self.roster.is_lead_at(entry.actor, before):
                self.problem(36, "the charter was changed by somebody who is no lead", log.name, at)
        holds = entry.kind in ("hold", "lift") and entry.result == "done"
        if holds and not self.is_leads(log, entry):
            self.problem(36, "a hold placed or lifted by somebody who is no lead", log.name, at)
        # A box, written or forgotten, and a detail key that is forgotten.
        keys = [path for ref, path, _ in entry.wrote if ref == "keys/devices" and not path.startswith("detail-")]
        keys += [path for ref, path, _ in entry.forgot if ref == "keys/devices"]
        # Who was admitted under a card that was withdrawn may be a member by a later one.
        so_far = upon if upon == entry.roster else self.roster.cards[-1].digest
        if not all(self.roster.has_device_at(entry.actor, path.split(".")[0], so_far) for path in keys):
            if not self.roster.is_lead_at(entry.actor, before):
                self.problem(36, "keys of devices were changed by somebody who may not", log.name, at)

    # -- `seen` and the receipt ---------------------------------------------------------------

    def check_seen(self, log):
        marks = {}
        for at, entry in enumerate(log.entries):
            if entry is None or self.is_beyond(log, entry):
                continue
            for other, size, root in entry.joined:
                self.check_seen_head(log, at, other, size, root)
            for other, (size, root) in sorted(entry.seen.items()):
                if size == 0 or other in marks and (size, root) != marks[other] and size <= marks[other][0]:
                    self.problem(20, "what was seen of the log %s goes backwards" % other, log.name, at)
                marks[other] = (size, root)
                self.check_seen_head(log, at, other, size, root)

    def check_seen_head(self, log, at, other, size, root):
        """What was seen of a log stands in one of its histories (§7.1)."""
        if any(history.has(size, root) for history in self.histories(other)):
            return
        peer, cut = self.logs.get(other), self.roster.cut(other)
        if cut is not None and size > cut and (peer is not None or cut == 0):
            self.problem(14, "%s:%d has seen %d entries, of which %d count" % (log.name, at, size, cut), other, cut)
        elif peer is None:
            self.problem(10, "%s:%d has seen this log, and it is missing" % (log.name, at), other)
        elif peer.size() < size:
            self.problem(8, "%s:%d has seen %d entries of this log" % (log.name, at, size), other, peer.size())
        else:
            self.problem(20, "it has seen a log %s that never was, or that was rewritten" % other, log.name, at)
            self.problem(11, "%s:%d has seen another history of this log" % (log.name, at), other, max(size - 1, 0))

    def check_receipt(self):
        receipt = self.receipt
        if receipt is None:
            return
        if receipt.vault != self.vault:
            self.problem(23, "the receipt is of vault %s, and this is vault %s" % (receipt.vault, self.vault))
            return
        self.anchored = True
        founder = self.roster.founder()
        if founder == receipt.founder and receipt.roster not in self.roster.by_digest and self.roster.complete:
            withdrawn = receipt.roster in self.bases
            what = "was withdrawn by whoever signed it" if withdrawn else "is no longer part of the chain of cards"
            self.problem(13, "the roster that the receipt names %s" % what, certain=not withdrawn)
        for name, checkpoint in receipt.checkpoints.items():
            log = self.logs.get(name)
            try:
                checkpoint.check_signature(self.roster.devices.get(name[:16]))
            except Refused as problem:
                self.problem(31, "the receipt is not to be trusted: it has %s" % problem, name)
            if any(history.has(checkpoint.size, checkpoint.root.hex()) for history in self.histories(name)):
                continue
            if log is None:
                self.problem(10, "this log had %d entries when the receipt was taken, and is missing" % checkpoint.size, name)
            elif log.size() < checkpoint.size:
                self.problem(
                    7, "this log has %d entries, and had %d when the receipt was taken: it was cut, or this is an older copy"
                    % (log.size(), checkpoint.size), name, log.size(),
                )
            else:
                self.problem(11, "up to %d entries this log is another one than the receipt says" % checkpoint.size, name)
                if log.size() == checkpoint.size:
                    self.problem(16, "there are two heads of this size", name, log.size() - 1)

    # -- §7.4: matters between several people --------------------------------------------------

    def person(self, log):
        """Whose device a log belongs to, by any card; None where no card names it."""
        device = self.roster.devices.get(log[:16])
        return device.person if device else None

    def same_person(self, log, other):
        return self.person(log) is not None and self.person(log) == self.person(other)

    def named(self, place):
        """The entries at a place, of all histories, as far as they count; None where entries there count for nothing."""
        name, seq = PLACE.match(place).group(1), int(PLACE.match(place).group(2))
        cut = self.roster.cut(name)
        if cut is not None and seq >= cut:
            return None
        return [entry for log in self.histories(name) for entry in self.counted(log) if entry.seq == seq]

    def check_matters(self):
        """What requests, approvals, reviews and what rests on them say of one another. Of a log that lost entries it
        is not known what stood there, nor without all cards who somebody is."""
        if not self.roster.complete:
            return
        lost = {p["log"] for p in self.problems if p["log"] and p["case"] in LOST}

        def tell(case, log, entry, faults, missing=None):
            name = entry.because[:25]
            if None not in faults and name not in lost and not (lost and name not in self.logs):
                message = faults[0] if faults else missing
                if message:
                    self.problem(case, message, log.name, entry.seq)

        for log in self.all_histories():
            released = set()
            for entry in self.counted(log):
                if entry.result != "done" or entry.because is None or self.named(entry.because) is None:
                    continue
                found = [other for other in self.named(entry.because) if other.result == "done"]
                if entry.kind == "approve":
                    faults = [self.approval_fault(log, entry, other) for other in found]
                    tell(36, log, entry, faults, "an approval of what no request asks for")
                elif entry.kind == "review":
                    faults = [self.review_fault(log, other) for other in found]
                    tell(36, log, entry, faults, "a review of what is no opening in an emergency")
                elif entry.kind in ("hold", "lift"):
                    faults = [None if other.kind == "hold" else "a lift or a further hold of what is no hold" for other in found]
                    tell(36, log, entry, faults, "a lift or a further hold of what is no hold")
                elif entry.kind in ("release", "destroy"):
                    approvals = [other for other in found if other.kind == "approve"]
                    faults = [self.deed_fault(log, entry, other) for other in approvals]
                    if entry.kind == "release" and approvals and entry.because in released:
                        faults = ["a release on the strength of an approval on which one before it rests"]
                    released.add(entry.because if entry.kind == "release" else None)
                    tell(36 if entry.kind == "release" else 37, log, entry, faults)

    def approval_fault(self, log, entry, request):
        if request.kind != "request":
            return "an approval of what is no request"
        asked, given = request.matter, entry.matter
        if any(asked[name] != given[name] for name in ("deed", "note", "objects")):
            return "an approval of something else than its request asks for"
        if parse_time(given["until"]) > parse_time(asked["until"]):
            return "an approval for longer than its request asks for"
        return "an approval of one's own request" if self.same_person(log.name, request.log) else None

    def review_fault(self, log, opening):
        if opening.kind != "break-glass":
            return "a review of what is no opening in an emergency"
        return "a review of what one opened oneself" if self.same_person(log.name, opening.log) else None

    def deed_fault(self, log, entry, approval):
        """What is wrong with a release or a destruction that rests on this approval."""
        if entry.kind != approval.matter["deed"]:
            return "it rests on an approval of another deed"
        if entry.time >= parse_time(approval.matter["until"]):
            return "it is dated later than its approval allows"
        requests = [other for other in self.named(approval.because) or () if (other.kind, other.result) == ("request", "done")]
        if not requests:
            return None  # which the approval answers for
        if self.person(log.name) and not any(self.same_person(log.name, request.log) for request in requests):
            return "it rests on an approval that somebody else asked for"
        if entry.kind == "destroy":
            about = approval.matter["note"]
            asked = (
                other
                for known in self.all_histories()
                for other in self.counted(known)
                if (other.kind, other.result) == ("request", "done") and other.matter["note"] == about
            )
            said = {path for request in asked for ref, path, _ in request.wrote if ref.startswith("notes/")}
            notes = {path[:32] for path in said}
            for ref, path, _ in entry.forgot:
                # Under the id of a statement: that body alone, and wraps.
                if path[:32] == about or path in said or path[:32] in notes and not ref.startswith("notes/"):
                    continue
                return "it forgets files of another note than was approved"
        return None

    # -- §7: what exists is what the entries say; §4–§6: sealed files ------------------------------

    def knew(self, where, what):
        """Whether the log of one entry knew of another entry by then: whether that stands before it in its own
        history, or in one that its log had seen. Both are (log, seq)."""
        (log, at), (other, seq) = where, what
        if log.name == other.name:
            return seq < at and log.shares(other, seq + 1)
        for place, size, root in reversed(log.marks.get(other.name, ())):
            if place > at:
                continue
            if size <= seq:
                return False
            having = [history for history in self.histories(other.name) if history.has(size, root)]
            if not having or any(history.shares(other, seq + 1) for history in having):
                return True
        return False

    def check_holds(self):
        """§7.5: what was destroyed under a hold. What is no lead's counts for nothing."""
        if not self.roster.complete:
            return
        holds, lifts = {}, {}
        for log in self.all_histories():
            for entry in self.counted(log):
                if entry.kind not in ("hold", "lift") or entry.result != "done" or not self.is_leads(log, entry):
                    continue
                if entry.kind == "lift":
                    lifts.setdefault(entry.because, []).append((log, entry.seq))
                for note in entry.held:
                    holds.setdefault(note, []).append((log, entry))
        lost = any(p["log"] and p["case"] in LOST for p in self.problems)
        told = set()
        for note in sorted(holds):
            for by in sorted(self.destroyed.get(note, ()), key=lambda by: (by[0].branch, by[1])):
                for log, hold in holds[note]:
                    place, seq = (log, hold.seq), "%s:%d" % (log.name, hold.seq)
                    key = (by[0].name, by[1], seq)
                    if not self.knew(by, place):
                        if not self.knew(place, by) and ("late",) + key not in told:
                            told.add(("late",) + key)
                            self.finding(37, "it destroyed what %s holds, and neither knew of the other" % seq, by[0].name, by[1])
                        continue
                    ends = (lift for on in {seq, hold.because} for lift in lifts.get(on, ()))
                    lifted = any(self.knew(lift, place) and self.knew(by, lift) for lift in ends)
                    if not lifted and not lost and key not in told:
                        told.add(key)
                        self.problem(37, "it destroys what %s holds, and knew of it" % seq, by[0].name, by[1])

    def is_leads(self, log, entry):
        """Whether an entry is by a person who was a lead by the cards that it names, and not paused by those that stand."""
        roster, person = self.stands_upon(entry.roster), self.person(log.name)
        if roster is None or not self.roster.is_lead_at(person, roster):
            return False
        return roster != entry.roster or not self.roster.is_paused_at(person, roster)

    def check_files(self):
        written, forgotten, destroyed, undone, said = {}, {}, {}, {}, {}
        for log in sorted(self.all_histories(), key=lambda log: log.branch):
            for entry in self.counted(log):
                for other, (size, root) in entry.seen.items():
                    log.marks.setdefault(other, []).append((entry.seq, size, root))
                place = (log, entry.seq)
                if entry.kind == "withdraw":  # §7.6: as if the log had not done it
                    for file in (File(*f) for f in entry.forgot if f[0] == "main"):
                        undone[file] = place
                        written[file] = [w for w in written.get(file, []) if w[0] is not log]
                    for file in (File(*f) for f in entry.wrote if f[0] == "main"):
                        forgotten[file] = [f for f in forgotten.get(file, []) if f[0] is not log]
                    for file in (File(*f) for f in entry.wrote if f[0] != "main"):
                        written.setdefault(file, []).append(place)
                    continue
                for file in entry.wrote:
                    written.setdefault(File(*file), []).append(place)
                    if (entry.kind, entry.result) == ("request", "done") and file[0].startswith("notes/"):
                        said.setdefault(File(*file), []).append(place)
                for file in entry.forgot:
                    forgotten.setdefault(File(*file), []).append(place)
                    if entry.kind == "destroy":
                        bodies = destroyed.setdefault(NOTE_FILE.match(file[1]).group(1), {}).setdefault(place, set())
                        bodies.update([File(*file)] if file[0].startswith("notes/") else [])

        def is_statement(file, place):
            """Whether of the writers whom that entry knew all wrote that body as the statement of a request, and where it
            knew none, one: under whose id it lies says nothing then."""
            known = {writer for writer in written.get(file, ()) if self.knew(place, writer)}
            return known <= set(said[file]) if file in said else False

        destroyed = {
            note: {place for place, bodies in acts.items() if not bodies or not all(is_statement(file, place) for file in bodies)}
            for note, acts in destroyed.items()
        }
        self.destroyed = destroyed

        def is_gone(file, places):
            """§7: whether entries forgot this file, or destroyed its note without knowing of it."""
            if file in forgotten or file in undone:
                back = file.ref == "main" and any(all(self.knew(w, f) for f in forgotten.get(file, ())) for w in places)
                return not back
            note = NOTE_FILE.match(file.path)
            for destruction in destroyed.get(note.group(1), ()) if note else ():
                if not all(self.knew(destruction, place) for place in places):
                    return True
            return False

        gone = {file for file, places in written.items() if is_gone(file, places)}
        for file, place in undone.items():  # What nobody else wrote was not there.
            if not written.get(file, True):
                del written[file]
                gone.discard(file)
                forgotten[file] = [place]
        forgotten = {file: places for file, places in forgotten.items() if places}
        forgotten.update({file: [undone[file]] for file in gone if file in undone and file not in forgotten})
        where = {file: (places[0][0].name, places[0][1]) for file, places in written.items()}
        forgotten = {file: (places[0][0].name, places[0][1]) for file, places in forgotten.items() if file not in written or file in gone}
        forgotten.update((file, where[file]) for file in gone if file not in forgotten)
        written = where
        live = {file: place for file, place in written.items() if file not in forgotten}
        self.digests = {file.digest for file in live}
        paths = {}
        for file, place in live.items():
            paths.setdefault((file.ref, file.path), {})[file.digest] = place
        beyond = {
            File(*file)
            for log in self.all_histories()
            for entry in log.entries
            if entry is not None and self.is_beyond(log, entry)
            for file in entry.wrote
        }
        present, wraps = set(), []
        for name in sorted(self.repo.refs):
            ref = name[len("refs/heads/") :] if name.startswith("refs/heads/") else None
            if name.startswith("refs/remotes/") or (ref or "").startswith(("audit/", "witness/")):
                continue
            if ref is None:
                self.problem(32, "the ref `%s` has no place in a vault" % name)
                continue
            if ref not in ("main", "keys/devices") and not SHARD.match(ref):
                self.problem(32, "the branch `%s` has no place in a vault" % ref)
                continue
            for path, content in self.files_of(ref):
                self.check_file(ref, path, content, paths.get((ref, path), {}), forgotten, present, wraps)
        for (ref, path), digests in sorted(paths.items()):
            if (ref, path) in present:
                continue
            for place in digests.values():
                self.problem(32, "`%s` on the branch `%s` is missing" % (path, ref), *place)
                self.problem(37, "`%s` on the branch `%s` is gone, and no entry forgot it" % (path, ref), *place)
                if ref in ("main", "keys/devices"):
                    self.problem(36, "`%s` on the branch `%s` was taken away without an entry" % (path, ref), *place)
        for path, place, note, body in wraps:
            file = File("notes/" + note[:2], "%s.%s" % (note, body), body)
            # Whoever wraps a body anew may not know that it was forgotten meanwhile, or that its entry counts no more.
            if file not in live and file not in forgotten and file not in beyond:
                self.finding(34, "the wrap `%s` belongs to no body that an entry here wrote" % path, *place)

    def files_of(self, ref):
        """The files of a branch: (path, content), content being an exception where it cannot be had."""
        if ref == "main":
            return [(p, c if c is not None else Refused("no plain file")) for p, c in sorted(self.contents.items())]
        files = []
        try:
            tree = self.repo.commit(self.repo.refs["refs/heads/" + ref]).tree
            for path, oid, plain in self.repo.files(tree):
                try:
                    content = self.repo.read(oid, "blob") if plain else Refused("no plain file")
                except (Unreadable, Refused) as problem:
                    content = problem
                files.append((path, content))
        except Unreadable as problem:
            self.cannot_read(31 if ref.startswith("witness/") else 32, "the branch `%s`" % ref, problem)
        except Refused as problem:
            self.problem(32, "the branch `%s` is refused: %s" % (ref, problem))
        return files

    def check_file(self, ref, path, content, digests, forgotten, present, wraps):
        present.add((ref, path))
        where = "`%s` on the branch `%s`" % (path, ref)
        place = next(iter(digests.values()), (None, None))
        if isinstance(content, Unreadable):
            self.cannot_read(32 if isinstance(content, Gone) else 33, where, content, *place)
            return
        if isinstance(content, Refused):
            self.problem(32, "%s is refused: %s" % (where, content), *place)
            return
        digest = hex_H(content)
        charter = ref in ("main", "keys/devices")
        if digest in digests:
            place = digests[digest]
        elif File(ref, path, digest) in forgotten:
            if charter:
                self.problem(36, "%s was put back without an entry" % where)
            self.problem(37, "%s was forgotten, and is back" % where, *forgotten[File(ref, path, digest)])
            return
        elif digests:
            if digest in self.digests:
                self.problem(34, "%s was exchanged with another file" % where, *place)
            if charter:
                self.problem(36, "%s was changed without an entry" % where, *place)
            self.problem(33, "%s is not what the log says was written" % where, *place)
            return
        else:
            if charter:
                self.problem(36, "%s was added without an entry" % where)
            self.problem(32, "%s was written by no entry" % where)
            return
        try:
            self.check_sealed(ref, path, content, place, wraps)
        except Refused as problem:
            self.problem(34, "%s: %s" % (where, problem), *place)

    def check_sealed(self, ref, path, content, place, wraps):
        """A file that an entry wrote is of the right kind, and made for its place."""
        if ref == "main" or self.vault is None:
            return
        vault = bytes.fromhex(self.vault)
        if ref == "keys/devices":
            detail, key, _ = DEVICE_FILE.match(path).groups()
            (check_detail_key if detail else check_key_box)(content, vault, bytes.fromhex(key))
            return
        note = NOTE_FILE.match(path).group(1)
        if ref.startswith("notes/"):
            fields = parse_cbor(content)[0]
            is_part = isinstance(fields, dict) and fields.get(4) == 4
            (check_part if is_part else check_body)(content, vault, bytes.fromhex(note))
        else:
            wraps.append((path, place, note, check_wrap(content, vault, bytes.fromhex(note)).hex()))


# ---------------------------------------------------------------------------------------------
# The command
# ---------------------------------------------------------------------------------------------

EXIT = {"intact": 0, "tampered": 4, "unknown": 5}


def verify(folder, receipt=None, deep=False, witness_keys=()):
    """The report on a vault. A problem that was seen while somebody wrote is looked at again (case 41)."""
    for _ in range(8):
        repository = Repository(folder)
        try:
            verifier = Verifier(repository, receipt, deep, witness_keys)
            report = verifier.verify()
            before = (repository.raw_refs, repository.journal.records)
            if not report["problems"] or repository.state() == before:
                break
        finally:
            repository.close()
    return report


def render(report):
    words = {"intact": "intact", "tampered": "tampered", "unknown": "cannot tell"}[report["verdict"]]
    lines = ["%s%s: %d entries in %d logs" % (
        words, "" if report["anchored"] else ", unanchored", report["entries"], len(report["logs"]))]
    for kind in ("problems", "findings"):
        for found in report[kind]:
            place = ":".join(str(part) for part in (found["log"], found["seq"]) if part is not None)
            lines.append("  [%s] %s%s%s" % (
                found["case"], place, " " if place else "", found["message"] + ("" if kind == "problems" else " (a finding)")))
    return "\n".join(lines)


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Verify a Strongroom vault; needs no key, writes nothing.")
    parser.add_argument("vault")
    parser.add_argument("--since-receipt", metavar="FILE")
    parser.add_argument("--witness-key", metavar="FILE", action="append", default=[])
    parser.add_argument("--deep", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    try:
        receipt = None
        if options.since_receipt:
            with open(options.since_receipt, "rb") as file:
                receipt = Receipt(file.read())
        keys = []
        for name in options.witness_key:
            with open(name, encoding="utf-8", errors="replace") as file:
                keys.append(WitnessKey(file.read()))
        report = verify(options.vault, receipt, options.deep, keys)
    except (NoVault, Refused, OSError) as problem:
        print("verify.py: %s" % problem, file=sys.stderr)
        return 1
    except Unreadable as problem:
        print("verify.py: cannot tell: %s" % problem, file=sys.stderr)
        return 5
    print(json.dumps(report, separators=(",", ":")) if options.json else render(report))
    return EXIT[report["verdict"]]


if __name__ == "__main__":
    sys.exit(main())
