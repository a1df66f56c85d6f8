#!/usr/bin/env python3
"""Checks the pack that this file lies in.

    python3 check.py                                     all of it
    python3 check.py --receipt FILE                      and against a receipt that was kept elsewhere
    python3 check.py --by-hand notes/ID/revision-1.md    the commands that check one text without it

It needs Python 3.9 or later and nothing else, reads, and writes nothing. Exit code: 0 all of it holds,
1 something does not. README.md says what is shown by that and what is not; every step can be done
with other tools too.
"""

import base64
import csv
import hashlib
import hmac
import io
import json
import os
import re
import struct
import sys
from datetime import datetime, timedelta

HERE = os.path.dirname(os.path.abspath(__file__))
MANIFEST, SIGNATURE = "manifest.sha256", "manifest.sha256.sig"
CHUNK = 65536
# A row names all notes of the pack where an entry does.
csv.field_size_limit(64 << 20)


class Wrong(Exception):
    """Something that does not hold."""


def shown(text):
    """A text of the pack's as it may stand on a terminal: nothing in it moves a cursor or hides what follows."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def must(holds, words):
    if not holds:
        raise Wrong(words)


def sha256(data):
    return hashlib.sha256(data).digest()


def path_of(name):
    return os.path.join(HERE, *name.split("/"))


def read(name, limit=64 << 20):
    with open(path_of(name), "rb") as file:
        data = file.read(limit + 1)
    must(len(data) <= limit, "%s is too large" % name)
    return data


def base64_bytes(text, what):
    """Base64 in its one form: what comes out encodes to what went in."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Wrong("%s is not base64" % what)
    must(base64.b64encode(data).decode() == text, "%s is not base64 in its one form" % what)
    return data


def time_text(seconds):
    return (datetime(1970, 1, 1) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


# --- Ed25519 (RFC 8032), verification ---------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n, p):
    q = (0, 1, 1, 0)
    while n:
        if n & 1:
            q = add(q, p)
        p, n = add(p, p), n >> 1
    return q


def point(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - x2) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def is_signed(public, message, signature):
    if len(public) != 32 or len(signature) != 64:
        return False
    a, r, s = point(public), point(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    p, q = times(s, BASE), add(r, times(h, a))
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


# --- HKDF (RFC 5869), ChaCha20-Poly1305 (RFC 8439), CBOR (RFC 8949) ----------------------------


def prefixed(*parts):
    return b"".join(struct.pack(">Q", len(part)) + part for part in parts)


def derive(key, domain, context):
    extracted = hmac.new(b"\0" * 32, key, hashlib.sha256).digest()
    return hmac.new(extracted, prefixed(domain, context) + b"\1", hashlib.sha256).digest()


def chacha_block(key, counter, nonce):
    start = (0x61707865, 0x3320646E, 0x79622D32, 0x6B206574) + key + (counter,) + nonce
    s = list(start)
    for _ in range(10):
        for a, b, c, d in (
            (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
            (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
        ):
            w, x, y, z = s[a], s[b], s[c], s[d]
            w = w + x & 0xFFFFFFFF; z ^= w; z = z << 16 & 0xFFFFFFFF | z >> 16
            y = y + z & 0xFFFFFFFF; x ^= y; x = x << 12 & 0xFFFFFFFF | x >> 20
            w = w + x & 0xFFFFFFFF; z ^= w; z = z << 8 & 0xFFFFFFFF | z >> 24
            y = y + z & 0xFFFFFFFF; x ^= y; x = x << 7 & 0xFFFFFFFF | x >> 25
            s[a], s[b], s[c], s[d] = w, x, y, z
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(s, start)))


def open_chunk(key, nonce, extra, sealed):
    """ChaCha20-Poly1305: the plaintext of one chunk."""
    key, nonce = struct.unpack("<8I", key), struct.unpack("<3I", nonce)
    data, tag = sealed[:-16], sealed[-16:]
    first = chacha_block(key, 0, nonce)
    r = int.from_bytes(first[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    mac, whole = 0, lambda part: part + b"\0" * (-len(part) % 16)
    text = whole(extra) + whole(data) + struct.pack("<QQ", len(extra), len(data))
    for at in range(0, len(text), 16):
        mac = (mac + int.from_bytes(text[at : at + 16] + b"\1", "little")) * r % ((1 << 130) - 5)
    mac = (mac + int.from_bytes(first[16:32], "little")) % (1 << 128)
    must(hmac.compare_digest(mac.to_bytes(16, "little"), tag), "its authentication tag does not hold")
    stream = b"".join(chacha_block(key, 1 + n, nonce) for n in range((len(data) + 63) // 64))
    return (int.from_bytes(data, "big") ^ int.from_bytes(stream[: len(data)], "big")).to_bytes(len(data), "big")


def cbor(data, at=0):
    """A value and the place behind it: integers, bytes, text, lists and maps, which is all that occurs."""
    must(at < len(data), "CBOR ends too early")
    major, number, at = data[at] >> 5, data[at] & 31, at + 1
    if number >= 24:
        must(number < 28, "CBOR of a kind that does not occur")
        size = 1 << (number - 24)
        number, at = int.from_bytes(data[at : at + size], "big"), at + size
    if major == 0:
        return number, at
    if major == 1:
        return -1 - number, at
    must(number <= len(data) - at, "CBOR ends too early")
    if major == 2:
        return data[at : at + number], at + number
    if major == 3:
        return data[at : at + number].decode("utf-8"), at + number
    items = []
    must(major in (4, 5), "CBOR of a kind that does not occur")
    for _ in range(number * (major - 3)):
        item, at = cbor(data, at)
        items.append(item)
    return (items if major == 4 else dict(zip(items[::2], items[1::2]))), at


# --- Sealed bodies ------------------------------------------------------------------------------


class Body:
    """A sealed body, and what its content key opens."""

    def __init__(self, sealed, key):
        self.sealed, self.key = sealed, key
        header, self.begin = cbor(sealed)
        self.vault, self.note, self.purpose = header[1], header[2], header[4]
        self.context = prefixed(bytes([header[0]]), header[1], header[2], header[3], bytes([header[4]]))
        must(header[0] == 1, "a sealed body of another suite")
        # The key is committed to: no other key opens this body, and so it has one plaintext.
        made = derive(key, b"strongroom/1/body commitment", self.context)
        must(hmac.compare_digest(made, header[5]), "this content key is not the one that the sealed body commits to")
        self.middle = self.begin + header[6]

    def stream(self, domain, start, end):
        key, data, plain = derive(self.key, domain, self.context), self.sealed[start:end], []
        count = -(-len(data) // (CHUNK + 16))
        for n in range(count):
            nonce = n.to_bytes(11, "big") + bytes([n + 1 == count])
            chunk = data[n * (CHUNK + 16) : (n + 1) * (CHUNK + 16)]
            plain.append(open_chunk(key, nonce, self.context, chunk))
        plain = b"".join(plain)
        length = struct.unpack(">Q", plain[:8])[0]
        must(length <= len(plain) - 8 and not any(plain[8 + length :]), "a sealed text that is not padded as it should be")
        return plain[8 : 8 + length]

    def metadata(self):
        return cbor(self.stream(b"strongroom/1/body metadata", self.begin, self.middle))[0]

    def text(self):
        return self.stream(b"strongroom/1/body text", self.middle, len(self.sealed))


def check_metadata(found, told, place):
    """What about.json tells of a body, against what was sealed with it."""
    same = [
        (found[0], told.get("title", told.get("name"))),
        (found[1], told.get("client", "")),
        (found[2], told.get("case", "")),
        (time_text(found[3]), told["created"]),
        (time_text(found[4]), told["modified"]),
        (time_text(found[5]) if 5 in found else None, told.get("happened")),
        (found[6].hex(), told["author"]["person"]),
        ([digest.hex() for digest in found[7]], told.get("follows", [])),
        (found[8], told.get("number", 1)),
        (found[9], told.get("fields", [])),
    ]
    for sealed, said in same:
        must(sealed == said, "%s: about.json says %r where %r was sealed" % (place, said, sealed))


# --- The steps ----------------------------------------------------------------------------------


def files_here():
    for folder, folders, names in os.walk(HERE):
        for name in folders + names:
            must(not os.path.islink(os.path.join(folder, name)), "%s is a symbolic link" % name)
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), HERE).replace(os.sep, "/")


def step_files():
    """Every file against the manifest."""
    listed = {}
    for line in read(MANIFEST).decode("utf-8").splitlines():
        found = re.fullmatch(r"([0-9a-f]{64})  (.+)", line)
        must(found and found[2] not in listed, "manifest.sha256 has a line that is none: %r" % line)
        listed[found[2]] = found[1]
    here = set(files_here()) - {MANIFEST, SIGNATURE}
    for name in sorted(here - set(listed)):
        raise Wrong("%s is no part of this pack" % name)
    for name, digest in sorted(listed.items()):
        must(name in here, "%s is missing" % name)
        hasher = hashlib.sha256()
        with open(path_of(name), "rb") as file:
            for piece in iter(lambda: file.read(1 << 20), b""):
                hasher.update(piece)
        must(hasher.hexdigest() == digest, "%s is not what it was when this pack was made" % name)
        listed[name] = digest
    return listed


def ssh_strings(data, count):
    strings = []
    for _ in range(count):
        size = struct.unpack(">I", data[:4])[0]
        strings.append(data[4 : 4 + size])
        data = data[4 + size :]
    return strings, data


def fingerprint(public):
    blob = struct.pack(">I", 11) + b"ssh-ed25519" + struct.pack(">I", 32) + public
    return "SHA256:" + base64.b64encode(sha256(blob)).decode().rstrip("=")


def step_signature():
    """The manifest's SSH signature (PROTOCOL.sshsig), by the key in `signers`."""
    who, _, kind, blob = read("signers").decode().split()[:4]
    must(kind == "ssh-ed25519", "`signers` holds another kind of key")
    (_, public), rest = ssh_strings(base64_bytes(blob, "the key in `signers`"), 2)
    must(not rest, "`signers` holds no key")
    text = read(SIGNATURE).decode()
    lines = text.splitlines()
    must(
        lines[0] == "-----BEGIN SSH SIGNATURE-----" and lines[-1] == "-----END SSH SIGNATURE-----"
        and text == "\n".join(lines) + "\n",
        "manifest.sha256.sig is no SSH signature",
    )
    data = base64_bytes("".join(lines[1:-1]), "manifest.sha256.sig")
    must(data[:10] == b"SSHSIG\0\0\0\1", "manifest.sha256.sig is no SSH signature")
    (key, space, reserved, algorithm, signature), rest = ssh_strings(data[10:], 5)
    must(not rest and (space, reserved, algorithm) == (b"export@strongroom", b"", b"sha512"), "it is signed for something else")
    must(ssh_strings(key, 2) == ([b"ssh-ed25519", public], b""), "the manifest is signed with another key than `signers` has")
    (kind, signature), rest = ssh_strings(signature, 2)
    signed = b"SSHSIG" + b"".join(
        struct.pack(">I", len(part)) + part
        for part in (space, reserved, algorithm, hashlib.sha512(read(MANIFEST)).digest())
    )
    must(kind == b"ssh-ed25519" and not rest and is_signed(public, signed, signature), "the manifest's signature does not hold")
    return who, public


def read_checkpoint(text, key_line):
    """A signed note (c2sp.org/tlog-checkpoint): its size and root, if the log's key signed it."""
    name, key_id, key = key_line.split("+", 2)
    key = base64_bytes(key, "a log's key")
    must(key[:1] == b"\1" and sha256(name.encode() + b"\n" + key)[:4].hex() == key_id, "a log's key line is damaged")
    head, _, signatures = text.partition("\n\n")
    origin, size, root = head.split("\n")
    must(origin == name, "a checkpoint of another log")
    must(str(int(size)) == size, "a checkpoint whose size is none")
    signature = base64_bytes(signatures.rstrip("\n").split(" ")[2], "a checkpoint's signature")
    must(signatures == "\u2014 %s %s\n" % (name, base64.b64encode(signature).decode()), "a checkpoint is not signed as it should be")
    must(signature[:4].hex() == key_id, "a checkpoint is signed with another key")
    must(is_signed(key[1:], (head + "\n").encode(), signature[4:]), "a checkpoint's signature does not hold")
    return int(size), base64_bytes(root, "a checkpoint's root")


def root_by(leaf, index, size, hashes):
    """Where an inclusion proof leads (RFC 9162, 2.1.3.2)."""
    node, last, left = leaf, size - 1, list(hashes)
    must(index < size, "a proof of an entry that the log does not have")
    while last:
        if index & 1 or index == last:
            must(left, "a proof is too short")
            node = sha256(b"\1" + left.pop(0) + node)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            must(left, "a proof is too short")
            node = sha256(b"\1" + node + left.pop(0))
        index, last = index >> 1, last >> 1
    must(not left, "a proof is too long")
    return node


def step_log(names):
    """Every entry: that it stands in its log, under a checkpoint that the log's key signed."""
    entries, checkpoints, keys, under = {}, {}, {}, {}
    for name in sorted(names):
        if not name.endswith(".tlog-proof"):
            continue
        log = name.split("/")[1]
        text = read(name).decode("utf-8")
        head, _, note = text.partition("\n\n")
        lines = head.split("\n")
        must(lines[0] == "c2sp.org/tlog-proof@v1" and lines[1].startswith("extra "), "%s is no proof" % name)
        line = base64_bytes(lines[1][6:], name)
        entry = json.loads(line.decode("utf-8"))
        index = int(lines[2][6:])
        must(lines[2] == "index %d" % index, "%s is no proof" % name)
        must(entry["log"] == log and entry["seq"] == index and name == "log/%s/%d.tlog-proof" % (log, index), "%s is of another entry" % name)
        if log not in keys:
            keys[log] = read("log/%s/log-key" % log).decode().strip()
            pem = base64_bytes(read("log/%s/key.pem" % log).decode().split("\n")[1], "a key")
            must(pem[12:] == base64_bytes(keys[log].split("+", 2)[2], "a log's key")[1:], "key.pem and log-key of %s differ" % log)
        if note not in checkpoints:
            checkpoints[note] = (log,) + read_checkpoint(note, keys[log])
        of, size, root = checkpoints[note]
        must(of == log, "%s leads to another log" % name)
        hashes = [base64_bytes(hash, name) for hash in lines[3:]]
        found = root_by(sha256(b"\0" + line), index, size, hashes)
        must(found == root, "%s: the proof does not lead to the checkpoint" % name)
        entries["%s:%d" % (log, index)] = entry
        under["%s:%d" % (log, index)] = (keys[log].split("+")[0], size, root)
    for log, key in keys.items():
        read_checkpoint(read("log/%s/checkpoint" % log).decode("utf-8"), key)
    return entries, under, keys


def wrote(entries, place, note, digest):
    must(place in entries, "there is no proof of entry %s" % place)
    file = ["notes/" + note[:2], "%s.%s" % (note, digest), digest]
    must(file in entries[place].get("wrote", []), "entry %s did not write %s" % (place, digest))
    return entries[place]["time"]


def step_notes(names, entries):
    """Every text: that it is what is sealed in a body, which is the one that an entry wrote."""
    texts = attachments = 0
    told = set()
    for name in sorted(names):
        if not (name.startswith("notes/") and name.endswith("/about.json")):
            continue
        about = json.loads(read(name).decode("utf-8"))
        folder = name[: -len("about.json")]
        must(folder == "notes/%s/" % about["id"], "%s is about another note" % name)
        told.add(name)
        for each in about["revisions"] + about["attachments"]:
            place = folder + each["file"]
            must(place in names, "%s is no file of this pack" % place)
            sealed = read(folder + "sealed/" + each["digest"])
            must(sha256(sealed).hex() == each["digest"], "%s: its sealed body is another one" % place)
            must(wrote(entries, each["entry"], about["id"], each["digest"]) == each["recorded"], "%s was recorded at another time" % place)
            body = Body(sealed, bytes.fromhex(each["key"]))
            must(body.note.hex() == about["id"], "%s: its sealed body is another note's" % place)
            check_metadata(body.metadata(), each, place)
            told |= {place, folder + "sealed/" + each["digest"]}
            if "number" in each:
                must(body.purpose == 0 and body.text() == read(place), "%s is not what was sealed" % place)
                texts += 1
            else:
                content = cbor(body.text())[0]
                must(body.purpose == 1 and content[0] == each["size"], "%s has another size" % place)
                must(content[1].hex() == each["sha256"] == names[place], "%s is not what was attached" % place)
                attachments += 1
    for name in sorted(names):
        must(not name.startswith("notes/") or name in told, "nothing is said of %s" % name)
    return texts, attachments


def step_custody(entries):
    """Every row of custody.csv against its entry, as far as that stands in clear, and none left out."""
    rows = list(csv.DictReader(io.StringIO(read("custody.csv").decode("utf-8"), newline="")))
    for row in rows:
        entry = entries.get(row["entry"])
        must(entry is not None, "custody.csv tells of %s, of which there is no proof" % row["entry"])
        same = (entry["time"], entry["actor"], entry["result"], entry.get("kind", ""))
        must(same == (row["time"], row["person"], row["result"], row["kind"]), "custody.csv does not tell %s as the log has it" % row["entry"])
    places = [row["entry"] for row in rows]
    must(sorted(places) == sorted(entries), "custody.csv leaves an entry out, or tells of one twice")
    return len(rows)


def step_receipt(path, under):
    """The checkpoints against those of a receipt that was kept elsewhere: how many entries stand under one of it."""
    with open(path, "rb") as file:
        text = file.read(8 << 20).decode("utf-8").replace("\r", "")
    held = 0
    for origin, size, root in under.values():
        found = re.search(r"^[> \t]*%s\n[> \t]*(\d+)\n[> \t]*(\S+)$" % re.escape(origin), text, re.M)
        if found and int(found[1]) == size:
            must(found[2] == base64.b64encode(root).decode(), "the receipt has another root of %s at %d entries" % (origin, size))
            held += 1
    must(held, "the receipt has none of these checkpoints: ask for a pack that was made with it (--receipt)")
    return held


def by_hand(place):
    """One text without this program: the commands for it, with the values filled in. They may be given to `sh`."""
    folder, _, file = place.replace(os.sep, "/").rpartition("/")
    about = json.loads(read(folder + "/about.json").decode("utf-8"))
    each = next(each for each in about["revisions"] if each["file"] == file)
    sealed = folder + "/sealed/" + each["digest"]
    body = Body(read(sealed), bytes.fromhex(each["key"]))
    # What goes into a command is of the form that it should have.
    must(re.fullmatch(r"[0-9a-f-]+:[0-9]+", each["entry"]), "about.json names no entry")
    must(re.fullmatch(r"[0-9a-f]{64}", each["digest"]), "about.json names no digest")
    must(re.fullmatch(r"[0-9a-f]{64}", each["key"]), "about.json names no key")
    must(re.fullmatch(r"notes/[0-9a-f]{32}/revision-[0-9-]+\.md", place), "%s is no text of this pack" % place)
    log, seq = each["entry"].split(":")
    stream = len(body.sealed) - body.middle
    first, last = min(stream, CHUNK + 16) - 16, stream <= CHUNK + 16
    length = min(len(body.text()), first - 8)
    commitment = body.sealed.index(cbor(body.sealed)[0][5]) + 1
    kdf = "openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt hexkey:%s \\\n  -kdfopt hexinfo:%s HKDF | tr -d ':\\n' | tr A-F a-f"
    info = lambda domain: prefixed(domain, body.context).hex()
    print("# The entry names the digest of what it wrote, and that is the sealed body's.")
    print("sed -n 's/^extra //p' log/%s/%s.tlog-proof | base64 -d | grep -o %s | head -n 1" % (log, seq, each["digest"]))
    print("sha256sum %s" % sealed)
    print("# The sealed body commits to its key: these two lines are the same.")
    print(kdf % (each["key"], info(b"strongroom/1/body commitment")) + "; echo")
    print("tail -c +%d %s | head -c 32 | od -An -tx1 -v | tr -d ' \\n'; echo" % (commitment, sealed))
    print("# The key of the text, and the text behind 8 bytes that say how long it is%s." % ("" if last else ": its first 64 KiB"))
    print("KEY=$(%s)" % (kdf % (each["key"], info(b"strongroom/1/body text"))))
    print("tail -c +%d %s | head -c %d |" % (body.middle + 1, sealed, first))
    print("  openssl enc -d -chacha20 -K $KEY -iv 01000000%s | tail -c +9 | head -c %d > /tmp/opened" % ("00" * 11 + "%02x" % last, length))
    print("head -c %d %s | cmp - /tmp/opened && echo it is the same" % (length, place))


def of(count, one, several=None):
    return "%d %s" % (count, one if count == 1 else several or one + "s")


def main(words):
    if len(words) == 2 and words[0] == "--by-hand":
        by_hand(words[1])
        return
    if not (words == [] or (len(words) == 2 and words[0] == "--receipt")):
        sys.exit(__doc__)
    names = step_files()
    print("1. The files: %s, all as manifest.sha256 says; none is missing, none was added." % of(len(names), "file"))
    who, public = step_signature()
    print("2. The manifest: signed by %s with the key %s." % (shown(who), fingerprint(public)))
    entries, under, keys = step_log(names)
    print("3. The log: %s, each proven to stand in its log (%d in all), whose checkpoint its key signed." % (of(len(entries), "entry", "entries"), len(keys)))
    texts, attachments = step_notes(names, entries)
    print("4. The notes: %s and %s, each what is sealed in a body that such an entry wrote." % (of(texts, "text"), of(attachments, "attachment")))
    rows = step_custody(entries)
    print("5. The custody list: %s, which are these entries, with their times and people." % of(rows, "row"))
    if words:
        held = step_receipt(words[1], under)
        print("6. The receipt: it knows the log with %d of these entries; %d are newer than it." % (held, len(under) - held))
    print("\nAll of it holds. What remains is for a person: whether these keys are whose they are said to be.")
    for log, key in sorted(keys.items()):
        print("  log %s: key %s" % (shown(log), fingerprint(base64.b64decode(key.split("+", 2)[2])[1:])))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Wrong as wrong:
        sys.exit("WRONG: %s" % shown(str(wrong)))
    except (
        OSError, ValueError, ArithmeticError, LookupError, TypeError, AttributeError, StopIteration, RecursionError,
        struct.error, csv.Error,
    ) as error:
        sys.exit("WRONG: something here is not of the form that it should have (%s: %s)" % (type(error).__name__, shown(str(error))))
