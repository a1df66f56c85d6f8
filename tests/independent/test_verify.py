"""Tests of verify.py: the worked example of docs/FORMAT.md, published vectors, and vaults made in Python.

    python3 -m unittest discover tests/independent
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import make as m  # noqa: E402
import verify as v  # noqa: E402

with open(os.path.join(HERE, "../../docs/FORMAT.md"), encoding="utf-8") as page:
    FORMAT = page.read()

VAULT = bytes.fromhex("00112233445566778899aabbccddeeff")
NOTE = bytes(range(0xA0, 0xB0))
LOG = "0102030405060708-090a0b0c"


def example(name):
    """The block of this name in the worked example."""
    return re.search(r"```%s\n(.*?)```" % name, FORMAT, re.S).group(1)


def example_bytes(name):
    return bytes.fromhex("".join(re.findall(r"^[0-9a-f]+$", example(name), re.M)))


class Example(unittest.TestCase):
    def test_the_body_and_its_wrap(self):
        body, wrap = example_bytes("body"), example_bytes("wrap")
        v.check_body(body, VAULT, NOTE)
        self.assertEqual(v.check_wrap(wrap, VAULT, NOTE), v.H(body))
        self.assertIn(v.hex_H(body), example("body"))
        self.assertIn(v.hex_H(wrap), example("wrap"))

    def test_every_truncated_body_or_wrap_is_refused(self):
        for check, content in ((v.check_body, example_bytes("body")), (v.check_wrap, example_bytes("wrap"))):
            for end in range(len(content)):
                with self.assertRaises(v.Refused):
                    check(content[:end], VAULT, NOTE)
            with self.assertRaises(v.Refused):
                check(content, VAULT, bytes(16))

    def test_the_message_and_its_line(self):
        message = v.Message(example("message").encode())
        self.assertIsNone(message.fault)
        entry = v.Entry(message.line)
        self.assertEqual((entry.log, entry.seq, entry.kind), (LOG, 1, "add"))
        self.assertEqual(entry.prev, v.leaf_hash(b"the first entry of this example is left out").hex())
        tree = v.Tree()
        tree.add(b"the first entry of this example is left out")
        tree.add(message.line)
        self.assertEqual(tree.root(2), message.checkpoint.root)
        self.assertEqual(tree.frontier(2), message.frontier)
        message.checkpoint.check_origin(VAULT.hex(), LOG)

    def test_every_flipped_bit_of_the_message_is_noticed(self):
        good = example("message").encode()
        whole = v.Message(good)
        for at in range(0, len(good), 7):
            bad = good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
            message = v.Message(bad)
            noticed = message.fault is not None or message.line != whole.line
            noticed = noticed or message.checkpoint.text != whole.checkpoint.text
            self.assertTrue(noticed, at)

    def test_the_receipt(self):
        receipt = v.Receipt(example("receipt").encode())
        self.assertEqual(list(receipt.checkpoints), [LOG])
        self.assertEqual(receipt.checkpoints[LOG].text, v.Message(example("message").encode()).checkpoint.text)
        with self.assertRaises(v.Refused):
            v.Receipt(example("receipt").replace("time 2026", "time 2027").encode())

    def test_a_receipt_that_came_by_mail(self):
        text = example("receipt")
        mail = "Dear Ms Hask,\n\n" + "".join("> %s  \n" % line for line in text.splitlines()) + "\n-- \nIdris\ncheck 1\n"
        for came in (text.replace("\n", "\r\n"), mail, mail.replace("\n", "\r\n")):
            self.assertEqual(list(v.Receipt(came.encode()).checkpoints), [LOG])
        for bad in (text + text, text + mail, text.replace("strongroom-receipt-v1", "strongroom-receipt-v2"), ""):
            with self.assertRaises(v.Refused):
                v.Receipt(bad.encode())

    def test_the_witness_and_what_it_cosigned(self):
        secret, line = example("witness-key").splitlines()
        key = v.WitnessKey(line + "\n")
        seed = v.parse_base64(secret.split("+", 4)[4])[1:]
        self.assertEqual(m.key_line("inspectorate", seed), line + "\n")
        for bad in (line.replace("8a73100b", "8a73100c"), line.replace("inspectorate", "Inspectorate"), line + "\n\n", ""):
            with self.assertRaises(v.Refused):
                v.WitnessKey(bad)
        text = "\n".join(example("cosigned").split("\n\ncheck")[0].split("\n")[3:]) + "\n"
        cosigned = v.Cosigned(text.encode())
        self.assertEqual(v.time_text(cosigned.time_by(key)), "2026-11-21T10:00:00Z")
        receipt = v.Receipt(example("receipt").encode())
        self.assertEqual(cosigned.checkpoint.text, receipt.checkpoints[LOG].text)
        self.assertEqual(m.cosign(cosigned.checkpoint.text, v.parse_time("2026-11-21T10:00:00Z"), "inspectorate", seed), text)
        with self.assertRaises(v.Refused):
            v.Cosigned(receipt.checkpoints[LOG].text.encode()).time_by(key)
        with self.assertRaises(v.Refused):
            v.Cosigned((text + text.splitlines()[-1] + "\n").encode())


class Vectors(unittest.TestCase):
    """The frozen vectors, tests/vectors: what this implementation can see of each without a key."""

    def each(self, name, refused):
        with open(os.path.join(HERE, "../vectors/%s.json" % name), encoding="utf-8") as page:
            vectors = json.load(page)
        self.assertGreater(len(vectors["cases"]), 8)
        for case in vectors["cases"]:
            self.assertEqual(refused(vectors, case), case.get("refused_by"), case.get("about"))

    @staticmethod
    def layer(*steps):
        """The name of the first of these steps that refuses."""
        for name, step in steps:
            try:
                step()
            except v.Refused:
                return name

    def test_entries(self):
        def refused(_, case):
            layer = self.layer(("any", lambda: v.Entry(case["line"].encode())))
            # It says why in words alone.
            return layer and (case["refused_by"] or "refused")

        self.each("entry", refused)

    def test_checkpoints(self):
        def refused(vectors, case):
            given, read = vectors["given"], []
            device = type("Device", (), {"public": bytes.fromhex(given["key"])})
            return self.layer(
                ("form", lambda: read.append(v.Checkpoint(case["checkpoint"]))),
                ("place", lambda: read[0].check_origin(given["vault"], given["log"])),
                ("signature", lambda: read[0].check_signature(device)),
            )

        self.each("checkpoint", refused)

    def test_messages(self):
        def refused(_, case):
            fault = v.Message(case["message"].encode()).fault
            return fault and ("tree" if "combine" in str(fault) else "form")

        self.each("message", refused)

    def test_logs(self):
        def refused(vectors, case):
            prev, noticed = "0" * 64, None
            for seq, line in enumerate(case["lines"]):
                try:
                    entry = v.Entry(line.encode())
                    noticed = noticed or (entry.log, entry.seq, entry.prev) != (vectors["log"], seq, prev)
                except v.Refused:
                    noticed = True
                prev = v.leaf_hash(line.encode()).hex()
            self.assertEqual(bool(noticed), case["case"] is not None, case["about"])

        self.each("log", refused)

    def test_bodies_and_wraps(self):
        # What only a key shows.
        sealed = ("commitment", "metadata seal", "metadata", "text seal", "text", "seal")

        def refused_by(check):
            def refused(vectors, case):
                vault, note = (bytes.fromhex(vectors["given"][name]) for name in ("vault", "note"))
                expected = case["refused_by"]
                try:
                    body = check(bytes.fromhex(case["file"]), vault, note)
                except v.Refused:
                    self.assertNotIn(expected, sealed, case["about"])
                    return expected or "refused"
                if expected == "place" and body is not None:
                    self.assertNotEqual(body.hex(), vectors["given"]["body"])
                    return expected
                return expected if expected in sealed else None

            return refused

        self.each("body", refused_by(v.check_body))
        self.each("wrap", refused_by(v.check_wrap))

    def test_lengths(self):
        def refused(_, case):
            self.assertEqual(v.padded_length(case["len"]), case["padded"])

        self.each("padding", refused)


class Encodings(unittest.TestCase):
    def test_padding(self):
        self.assertEqual([v.padded_length(n) for n in (0, 248, 249, 1000)], [256, 256, 272, 1024])
        self.assertTrue(v.is_padded_length(256) and v.is_padded_length(272))
        self.assertFalse(v.is_padded_length(255) or v.is_padded_length(260) or v.is_padded_length(0))

    def test_cbor_is_deterministic_or_refused(self):
        for value in ({0: 1, 1: b"x"}, [1, [b"", "é"], None], 23, 24, 65_536):
            self.assertEqual(v.parse_cbor(m.cbor(value)), (value, len(m.cbor(value))))
        for bad in ("1801", "190001", "a201010001", "a2000100ff", "5f4100ff", "f5", "c101", "fb0000000000000000", "20", "61ff", "42", "9a", ""):
            with self.assertRaises(v.Refused):
                v.parse_cbor(bytes.fromhex(bad))

    def test_json_is_canonical_or_refused(self):
        self.assertEqual(v.parse_json_object('{"a":"é\\n","b":[1]}'.encode()), {"a": "é\n", "b": [1]})
        for bad in ('{"b":1,"a":1}', '{"a":1,"a":1}', '{"a": 1}', '{"a":1.0}', '{"a":1e3}', '{"a":"\\u00e9"}', '{"a":"\\/"}',
                    '{"a":9007199254740992}', '{"a":-0}', '{"a":01}', "[1]", "{}\n", '{"a":NaN}', '{"a":"\\ud800"}', ""):
            with self.assertRaises(v.Refused):
                v.parse_json_object(bad.encode())

    def test_base64_is_strict(self):
        self.assertEqual(v.parse_base64("AAE="), b"\0\1")
        for bad in ("AAE", "AAF=", "AA E=", "AAE=\n", "AA-_", "é==="):
            with self.assertRaises(v.Refused):
                v.parse_base64(bad)


class Ed25519(unittest.TestCase):
    """RFC 8032 §7.1, tests 1 to 3: secret, public, message, signature."""

    VECTORS = (
        ("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
        ("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
        ("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
    )

    def test_vectors(self):
        for vector in self.VECTORS:
            secret, public, message, signature = map(bytes.fromhex, vector)
            self.assertEqual(m.public_of(secret), public)
            self.assertEqual(m.sign(secret, message), signature)
            self.assertTrue(v.is_signed(public, message, signature))
            self.assertFalse(v.is_signed(public, message + b"x", signature))
            large = int.from_bytes(signature[32:], "little") + v.L
            self.assertFalse(v.is_signed(public, message, signature[:32] + large.to_bytes(32, "little")))

    def test_a_signature_holds_for_its_purpose(self):
        armored = m.sshsig(bytes(32), b"git", b"text")
        public, signature = v.parse_sshsig(armored, b"git")
        self.assertTrue(v.is_ssh_signed(public, b"git", b"text", signature))
        self.assertFalse(v.is_ssh_signed(public, b"card@strongroom", b"text", signature))
        for bad in (armored[:-1], armored + "\n", armored.replace("U1NIU0lH", "U1NIU0lI")):
            with self.assertRaises(v.Refused):
                v.parse_sshsig(bad, b"git")
        with self.assertRaises(v.Refused):
            v.parse_sshsig(armored, b"file")


class Trees(unittest.TestCase):
    """RFC 6962's tree over the leaves of the reference implementation's tests."""

    LEAVES = [bytes.fromhex(h) for h in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")]
    ROOTS = {
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    }

    def test_roots_and_frontiers(self):
        tree = v.Tree()
        for leaf in self.LEAVES:
            tree.add(leaf)
        for size, root in self.ROOTS.items():
            self.assertEqual(tree.root(size).hex(), root)
        for size in range(1, 9):
            frontier = tree.frontier(size)
            self.assertEqual(len(frontier), bin(size).count("1"))
            self.assertEqual(tree.combine(frontier), tree.root(size))


class Journals(unittest.TestCase):
    @staticmethod
    def journal(payloads, generation=3, boot=b"\1" * 16):
        data = bytearray(v.JOURNAL_SIZE)
        head = b"SRJHEAD\0" + (1).to_bytes(4, "big") + generation.to_bytes(8, "big") + boot
        data[512 * (generation % 2) : 512 * (generation % 2) + 68] = head + v.H(head)
        at, places = v.ALIGNMENT, []
        for sequence, payload in enumerate(payloads):
            head = b"SRJR" + len(payload).to_bytes(4, "big") + generation.to_bytes(8, "big") + sequence.to_bytes(8, "big")
            record = head + v.H(head + payload) + payload
            data[at : at + len(record)] = record
            places.append(at)
            at = v.Journal.next_place(at, len(payload))
        return data, places

    PAYLOADS = [
        m.cbor([[[1, b"a"]], [["refs/heads/x", None, b"\1" * 20]], b"log:0"]),
        m.cbor([[], [["refs/heads/x", b"\1" * 20, b"\2" * 20]], b"log:1"]),
    ]

    def test_records_are_replayed(self):
        journal = v.Journal.parse(bytes(self.journal(self.PAYLOADS)[0]))
        self.assertIsNone(journal.damage)
        self.assertEqual(journal.objects, {v.git_oid("blob", b"a"): ("blob", b"a")})
        for refs in ({}, {"refs/heads/x": "01" * 20}, {"refs/heads/x": "02" * 20}):
            self.assertEqual(journal.newest(refs, []), {"refs/heads/x": "02" * 20})
        self.assertEqual(journal.newest({"refs/heads/x": "03" * 20}, []), {"refs/heads/x": "03" * 20})
        self.assertEqual(journal.newest({"refs/heads/x": "03" * 20}, ["refs/heads/x"]), {"refs/heads/x": "02" * 20})

    @unittest.skipIf(v.this_boot() is None, "this system does not tell its boot")
    def test_in_the_same_boot_only_the_last_record_is_unfinished(self):
        journal = v.Journal.parse(bytes(self.journal(self.PAYLOADS, boot=v.this_boot())[0]))
        self.assertEqual(journal.newest({}, []), {})
        self.assertEqual(journal.newest({"refs/heads/x": "01" * 20}, []), {"refs/heads/x": "02" * 20})

    def test_a_torn_last_record_is_none_and_an_earlier_one_is_damage(self):
        for which, damaged in ((1, False), (0, True)):
            data, places = self.journal(self.PAYLOADS)
            data[places[which] + 60] ^= 1
            self.assertEqual(v.Journal.parse(bytes(data)).damage is not None, damaged)
        self.assertIsNotNone(v.Journal.parse(bytes(v.JOURNAL_SIZE)).damage)
        self.assertIsNotNone(v.Journal.parse(b"").damage)


class Vaults(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        m.COUNTER[0] = 0
        self.vault = m.Vault(os.path.join(self.folder.name, "vault"), {"policies/levels.toml": b"x"})
        self.mara = m.Person("mara", ["lead"], [m.Device(), m.Device("paper")])
        self.log = self.vault.found(self.mara)
        self.note = self.vault.note()
        self.log.entry("add", self.note)
        self.log.entry()

    def cases(self, deep=False, receipt=None):
        report = v.verify(self.vault.folder, receipt, deep)
        self.assertEqual(report["verdict"] == "intact", not report["problems"])
        return {problem["case"] for problem in report["problems"]}

    def test_a_good_vault(self):
        self.vault.write()
        for deep in (False, True):
            report = v.verify(self.vault.folder, None, deep)
            self.assertEqual(report["verdict"], "intact", report)
            self.assertEqual(report["logs"], [{"log": self.log.name, "size": 3, "root": self.log.root().hex()}])
            self.assertFalse(report["anchored"])

    def test_a_ref_whose_name_is_no_text_hides_nothing(self):
        self.vault.write()

        def git(*arguments):
            return subprocess.run(["git", "--git-dir", self.vault.folder, *arguments], check=True, capture_output=True).stdout

        for name in (b"refs/heads/x\xff", "refs/heads/x\u2028y".encode(), b"refs/heads/notes/ab\xc3", b"refs/tags/\xff"):
            for pack in (False, True):
                git("update-ref", name, "refs/heads/main")
                if pack:
                    git("pack-refs", "--all")
                self.assertEqual(self.cases(), {32}, (name, pack))
                report = v.verify(self.vault.folder, None, False)
                # What is told can be written wherever text can.
                v.render(report).encode("utf-8")
                json.dumps(report, ensure_ascii=False).encode("utf-8")
                git("update-ref", "-d", name)
        # One that is broken is not taken for another, whose name it begins with.
        for name in (b"refs/heads/main\xc2\xa0", b"refs/heads/main\xff"):
            path = os.path.join(self.vault.folder.encode(), name)
            with open(path, "w") as file:
                file.write("hello\n")
            self.assertEqual(self.cases(), {32}, name)
            os.remove(path)
        self.assertEqual(self.cases(), set())
        git("update-ref", b"refs/heads/x\xff", "refs/heads/main")
        tip = git("rev-parse", "refs/heads/audit/" + self.log.name).decode().strip()
        git("replace", tip, tip + "~1")
        self.assertEqual(self.cases(), {30, 32})
        git("pack-refs", "--all")
        self.assertEqual(self.cases(), {30, 32})

    def test_a_receipt(self):
        self.vault.write()
        place = self.vault.receipt(os.path.join(self.folder.name, "receipt"))
        with open(place, "rb") as file:
            receipt = v.Receipt(file.read())
        report = v.verify(self.vault.folder, receipt)
        self.assertEqual((report["verdict"], report["anchored"]), ("intact", True))
        self.log.change(2, result="denied")
        self.log.write()
        self.assertEqual(self.cases(receipt=receipt), {11, 16})
        self.log.lines.pop()
        self.log.write()
        self.assertEqual(self.cases(receipt=receipt), {7})

    def test_one_damage_each(self):
        self.log.entry("destroy", [], [self.note[0]])
        self.vault.write()
        # Its wrap is of no use, and no fault: somebody may have made it who did not know.
        self.assertEqual(self.cases(), set())
        self.log.lines.pop()
        self.log.write()
        self.assertEqual(self.cases(), {32, 37})

    def test_a_fork_is_tampering_until_a_card_joins_it(self):
        fork = self.log.fork(2)
        other = self.vault.note()
        fork.entry("add", other)
        fork.entry("destroy", [], self.note)
        self.vault.write()
        self.assertEqual(self.cases(), {43})
        after = self.vault.log(self.mara, self.mara.devices[0])
        ends = sorted([self.log.end(), fork.end()])
        after.entry("begin", self.vault.boxes(after, []), admitted=self.vault.roster(), joined=ends)
        after.entry("card", [self.vault.card(self.mara, self.mara.devices[0], joined=ends)])
        self.vault.write()
        report = v.verify(self.vault.folder, deep=True)
        self.assertEqual((report["verdict"], [f["case"] for f in report["findings"]]), ("intact", [43]), report)
        self.assertEqual(report["entries"], 5)
        self.vault.store.ref(fork.branch(), None)
        self.assertEqual(self.cases(), {8, 32, 37})

    def withdrawing(self, **changed):
        """§7.6: a second device of the lead admits somebody, who writes, and takes that back, since another card came first.
        Then it makes it again. `changed` replaces what the entry that takes back is made of."""
        vault, first, max_ = self.vault, self.mara.devices[0], m.Person("max", ["officer"], [m.Device()])
        self.mara.devices.append(m.Device())
        self.log.entry("card", [vault.card(self.mara, first)])
        other, base = vault.log(self.mara, self.mara.devices[2]), vault.roster()
        other.entry("begin", vault.boxes(other, [other.device]), admitted=base, seen={self.log.name: self.log.mark()})
        card = vault.card(max_, other.device)
        lost = vault.roster()
        other.entry("card", [card])
        new = vault.log(max_, max_.devices[0])
        new.entry("begin", vault.boxes(new, max_.devices), admitted=lost)
        vault.cards.pop()
        given = {"forgot": [card], "roster": base, "wrote": [], "log": other, **changed}
        given.pop("log").entry("withdraw", given.pop("wrote"), given.pop("forgot"), **given)
        vault.files["main"].pop(card[1], None)
        self.log.entry("card", [vault.card(self.mara, first, handle="mara.2")])
        other.entry("card", [vault.card(max_, other.device)], seen={self.log.name: self.log.mark()})
        new.entry(seen={other.name: other.mark()})
        vault.write()
        return card, lost, new

    def test_what_a_lead_took_back_since_another_card_came_first(self):
        self.withdrawing()
        for deep in (False, True):
            report = v.verify(self.vault.folder, deep=deep)
            self.assertEqual(report["verdict"], "intact", report)

    def test_one_fault_each_of_what_is_taken_back(self):
        stranger = ["main", "README.md", v.hex_H(b"# A vault\n")]
        for changed in (
            {"log": self.log},
            {"forgot": []},
            {"wrote": [stranger]},
            {"wrote": [["main", "members/0001-%s.card" % self.mara.id, "0" * 64]]},
            {"roster": "ab" * 32},
            {"forgot": [stranger]},
        ):
            self.setUp()
            if changed.get("log"):
                changed["log"] = self.log
            self.withdrawing(**changed)
            self.assertIn(36, self.cases(), changed)

    def test_a_receipt_of_what_was_taken_back(self):
        _, lost, _ = self.withdrawing()
        for roster, found in ((lost, {13}), (self.vault.roster(), set())):
            place = self.vault.receipt(os.path.join(self.folder.name, "receipt"), roster=roster)
            with open(place, "rb") as file:
                report = v.verify(self.vault.folder, v.Receipt(file.read()))
            self.assertEqual({p["case"] for p in report["problems"]}, found)
            self.assertEqual(report["verdict"], "unknown" if found else "intact")

    def test_a_witness_whose_key_was_given(self):
        self.vault.write()
        seed, name = bytes(range(32)), "inspectorate"
        key = v.WitnessKey(m.key_line(name, seed))
        cosigned = m.cosign(self.log.checkpoint(3, self.log.root()), 1795400000, name, seed)
        self.vault.store.set_files("witness/" + name, {self.log.name: cosigned.encode()}, "cosign")
        report = v.verify(self.vault.folder, None, False, [key])
        self.assertEqual((report["verdict"], report["anchored"], report["cosigned"]), ("intact", True, [
            {"witness": name, "log": self.log.name, "size": 3, "time": "2026-11-23T02:13:20Z"}]))
        self.log.lines.pop()
        self.log.write()
        self.assertEqual({p["case"] for p in v.verify(self.vault.folder, None, False, [key])["problems"]}, {7})
        self.assertEqual(self.cases(), set())

    def test_the_command(self):
        self.vault.write()
        with open(os.devnull, "w") as nothing:
            stdout, stderr, sys.stdout, sys.stderr = sys.stdout, sys.stderr, nothing, nothing
            try:
                self.assertEqual(v.main([self.vault.folder, "--json"]), 0)
                self.assertEqual(v.main([self.folder.name]), 1)
                self.assertEqual(v.main([os.path.join(self.folder.name, "nowhere")]), 1)
                with self.assertRaises(SystemExit) as ended:
                    v.main([])
                self.assertEqual(ended.exception.code, 2)
                self.log.write(seed=bytes(32))
                self.assertEqual(v.main([self.vault.folder]), 4)
            finally:
                sys.stdout, sys.stderr = stdout, stderr


class Together(unittest.TestCase):
    """§7.4: a lead and an officer; each vault here has one fault, or none."""

    UNTIL = "2026-12-01T00:00:00Z"

    def fresh(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        m.COUNTER[0] = 0
        self.vault = w = m.Vault(os.path.join(folder.name, "vault"), {"policies/levels.toml": b"x"})
        self.mara = m.Person("mara", ["lead", "officer"], [m.Device(), m.Device("paper")])
        self.idris = m.Person("idris", ["officer"], [m.Device()])
        self.one = w.found(self.mara)
        self.note, self.other = w.note(), w.note()
        self.one.entry("add", self.note)
        self.one.entry("add", self.other)
        self.one.entry("card", [w.card(self.idris, self.mara.devices[0])])
        self.two = self.begin(self.idris, self.idris.devices[0])
        return self

    def begin(self, person, device):
        log = self.vault.log(person, device)
        log.entry("begin", self.vault.boxes(log, [device]), admitted=self.vault.roster())
        return log

    def device_of_mara(self):
        self.mara.devices.append(m.Device())
        self.card(self.mara)
        return self.begin(self.mara, self.mara.devices[-1])

    def card(self, person, by=None, **fields):
        self.one.entry("card", [self.vault.card(person, by or self.mara.devices[0], **fields)])

    def matter(self, **changed):
        made = {"deed": "destroy", "note": self.note[0][1][:32], "objects": "0b" * 32, "until": self.UNTIL}
        return {k: value for k, value in dict(made, **changed).items() if value is not None}

    @staticmethod
    def place(log):
        return "%s:%d" % (log.name, len(log.lines) - 1)

    def ask(self, **changed):
        self.statement = self.vault.note(5)
        self.one.entry("request", self.statement, matter=self.matter(**changed))
        self.asked = self.place(self.one)

    def approve(self, log=None, deed="destroy", because=None, **changed):
        log = log or self.two
        log.entry("approve", because=because or self.asked, matter=self.matter(deed=deed, **changed))
        self.approved = self.place(log)

    def both(self, deed="destroy"):
        self.ask(deed=deed)
        self.approve(deed=deed)

    def destroy(self, files, log=None, **fields):
        (log or self.one).entry("destroy", [], files, because=self.approved, **fields)

    def release(self, log=None, **fields):
        (log or self.one).entry("release", self.vault.note(3), because=self.approved, **fields)

    def expect(self, expected, *steps):
        self.fresh()
        for step in steps:
            step(self)
        self.vault.write()
        for deep in (False,) if expected else (False, True):
            report = v.verify(self.vault.folder, None, deep)
            self.assertEqual({problem["case"] for problem in report["problems"]}, expected, report["problems"])
            self.assertEqual(report["verdict"], "tampered" if expected else "intact")

    def test_what_is_asked_for_approved_and_done(self):
        self.expect(set(), lambda t: t.both(), lambda t: t.destroy(t.note + t.statement))
        self.expect(set(), lambda t: t.both(), lambda t: t.destroy(t.note), lambda t: t.destroy(t.statement))
        self.expect(set(), lambda t: t.both(), lambda t: t.destroy(t.note, t.device_of_mara()))
        self.expect(set(), lambda t: t.both("release"), lambda t: t.release(time="2026-11-30T23:59:59Z"))
        self.expect(set(), lambda t: t.ask(), lambda t: t.approve(until="2026-11-30T00:00:00Z"))
        self.expect(set(), lambda t: t.one.entry("request", result="denied"), lambda t: t.two.entry("approve", result="denied"))
        self.expect(set(), lambda t: t.two.entry("conflict", t.vault.note(5)))

    def test_the_form_of_a_matter(self):
        for changed in ({"deed": "revise"}, {"deed": 1}, {"note": "ab"}, {"note": None}, {"objects": "AB" * 32}, {"until": "soon"},
                        {"until": "9999-12-30T22:00:01Z"}, {"x": 1}):
            self.expect({27}, lambda t: t.one.entry("request", matter=t.matter(**changed)))
        for kind, fields in (
            ("request", {}), ("request", {"matter": []}), ("request", {"matter": "x", "result": "denied"}),
            ("add", {"matter": "x"}), (None, {"matter": "x"}), ("review", {"matter": "x", "because": "y"}),
            ("approve", {"matter": "x"}), ("approve", {"because": "y"}), ("review", {}),
        ):
            fields = dict(fields)
            self.expect({27}, lambda t: t.one.entry(kind, **dict(
                fields, **{k: t.matter() if k == "matter" else t.place(t.one) for k in fields if fields[k] in ("x", "y")})))

    def test_what_the_new_kinds_may_write_and_forget(self):
        for kind in ("approve", "review"):
            self.expect({27, 32}, lambda t: t.one.entry(kind, t.vault.note(5), because=t.place(t.one),
                                                        matter=t.matter() if kind == "approve" else None))
        for kind in ("request", "break-glass", "conflict"):
            self.expect({27}, lambda t: t.one.entry(kind, [], [["notes/ab", "ab" * 16 + "." + "cd" * 32, "cd" * 32]],
                                                    matter=t.matter() if kind == "request" else None))

    def test_an_approval_that_is_false(self):
        for changed in ({"deed": "release"}, {"note": "ab" * 16}, {"objects": "0c" * 32}, {"until": "2026-12-01T00:00:01Z"}):
            self.expect({36}, lambda t: t.ask(), lambda t: t.approve(**changed))
        self.expect({36}, lambda t: t.ask(), lambda t: t.approve(t.one))
        self.expect({36}, lambda t: t.ask(), lambda t: t.approve(t.device_of_mara()))
        for because in (lambda t: t.one.name + ":0", lambda t: t.one.name + ":99", lambda t: "ab" * 8 + "-" + "cd" * 4 + ":1"):
            self.expect({36}, lambda t: t.approve(because=because(t)))

    def test_a_destruction_against_its_approval(self):
        self.expect({37}, lambda t: t.both(), lambda t: t.destroy(t.other))
        self.expect({37}, lambda t: t.both(), lambda t: t.destroy(t.note + t.other))
        self.expect({37}, lambda t: t.both(), lambda t: t.destroy(t.note, t.two))
        self.expect({37}, lambda t: t.both(), lambda t: t.destroy(t.note, time=self.UNTIL))
        self.expect({37}, lambda t: t.both("release"), lambda t: t.destroy(t.note))

    def test_a_release_against_its_approval(self):
        self.expect({36}, lambda t: t.both("release"), lambda t: t.release(t.two))
        self.expect({36}, lambda t: t.both("release"), lambda t: t.release(time=self.UNTIL))
        self.expect({36}, lambda t: t.both(), lambda t: t.release())
        self.expect({36}, lambda t: t.both("release"), lambda t: t.release(), lambda t: t.release())

    def test_what_rests_on_no_approval_is_not_held_to_one(self):
        for because in (None, lambda t: t.asked, lambda t: t.one.name + ":99"):
            self.expect(set(), lambda t: t.both(), lambda t: t.two.entry("destroy", [], t.other, because=because and because(t)))

    def hold(self, log=None, **fields):
        if "wrote" not in fields:
            fields["wrote"] = self.vault.note(5)
        log = log or self.one
        log.entry("hold", **dict({"held": [self.note[0][1][:32]]}, **fields))
        self.held = self.place(log)

    def lift(self, log=None, because=None):
        (log or self.one).entry("lift", because=because or self.held)

    def test_holds(self):
        gone = [lambda t: t.one.entry("destroy", [], t.note)]
        self.expect(set(), lambda t: t.hold(), lambda t: t.hold(because=t.held, wrote=()))
        self.expect(set(), lambda t: t.hold(), lambda t: t.lift(), *gone)
        self.expect({37}, lambda t: t.hold(), *gone)
        self.expect({37}, lambda t: t.hold(), lambda t: t.lift(), lambda t: t.hold(), *gone)
        self.expect({36}, lambda t: t.hold(t.two))
        self.expect({36}, lambda t: t.hold(), lambda t: t.lift(t.two))
        self.expect({36}, lambda t: t.lift(because=t.place(t.one)))
        self.expect({36}, lambda t: t.hold(because=t.one.name + ":0"))
        for fields in ({"wrote": ()}, {"held": []}, {"held": ["ab" * 16] * 2}, {"held": "x"}, {"result": "denied", "wrote": ()}):
            self.expect({27} if fields.get("wrote") == () else {27, 32}, lambda t: t.hold(**fields))

    def test_a_hold_that_could_not_be_known_is_a_finding(self):
        def found(seen):
            self.expect({37} if seen else set(), lambda t: t.hold(t.device_of_mara()), lambda t: t.two.entry(
                "destroy", [], t.note, seen={log.name: log.mark() for log in t.vault.logs[2:]} if seen else None))
            return [f["case"] for f in v.verify(self.vault.folder, None, False)["findings"]]

        self.assertEqual(found(False), [37])
        self.assertEqual(found(True), [])

    def test_reviews(self):
        def review(log=lambda t: t.two, kind="break-glass", result="done", **fields):
            def step(t):
                t.one.entry(kind, t.vault.note(5) if result == "done" else (), result=result)
                opened = t.place(t.one)
                log(t).entry("review", **dict({"because": opened}, **fields))
            return step

        self.expect(set(), review())
        self.expect({36}, review(lambda t: t.one))
        self.expect({36}, review(lambda t: t.device_of_mara()))
        self.expect({36}, review(kind="add"))
        self.expect({36}, review(result="denied"))

    def test_beyond_a_cut_nothing_counts(self):
        def request_of_the_second(t):
            t.two.entry("request", t.vault.note(5), matter=t.matter())

        def cut(size):
            return lambda t: t.card(t.idris, devices=[], cuts=[[t.two.name, *t.two.mark(size)]])

        def approve(t):
            t.approve(t.one, because=t.two.name + ":1")

        self.expect(set(), request_of_the_second, cut(2), approve)
        self.expect({36}, lambda t: t.two.entry(), cut(2), approve)
        self.expect(set(), cut(1), approve)
        self.expect({14}, lambda t: t.two.entry(), cut(1), approve)
        self.expect({14}, cut(1), lambda t: t.approve(because=t.one.name + ":0"))
        self.expect({14}, lambda t: t.ask(), cut(1), lambda t: t.approve(), lambda t: t.destroy(t.note))

    def test_of_a_log_that_lost_entries_nothing_is_said(self):
        def seen_and_lost(t):
            t.two.entry()
            t.one.entry("approve", because=t.place(t.two), matter=t.matter(), seen={t.two.name: t.two.mark()})
            t.two.lines.pop()

        def refused(t):
            t.two.entry(x=1)
            t.approve(t.one, because=t.place(t.two))

        self.expect({8}, seen_and_lost)
        self.expect({27}, refused)

    def test_of_two_histories_one_has_what_is_named(self):
        for knows in (False, True):
            def both(t):
                fork = t.two.fork(1)
                t.two.entry()
                asked = fork if knows else t.two
                (t.two if knows else fork).entry(result="failed")
                asked.entry("request", t.vault.note(5), matter=t.matter())
                (t.two if knows else fork).entry(result="failed")
                t.approve(t.one, because=t.place(asked))
                t.card(t.idris, joined=sorted([t.two.end(), fork.end()]))
            self.expect(set(), both)

    def test_cards_with_loans_and_the_role(self):
        for lent in ({"level-0": self.UNTIL}, {"compartment-" + "ab" * 8: self.UNTIL, "level-3": "2020-01-01T00:00:00Z"}):
            self.expect(set(), lambda t: t.card(t.idris, lent=lent))
        for lent in ({}, [], {"level-4": self.UNTIL}, {"role-auditor": self.UNTIL}, {"level-1": "soon"}, {"level-1": None}, {"compartment-ab": self.UNTIL}):
            self.expect({36}, lambda t: t.card(t.idris, lent=lent))
        self.expect(set(), lambda t: t.card(t.idris, roles=["auditor", "breakglass", "lead", "officer"]))
        self.expect({36}, lambda t: t.card(t.idris, roles=["officer", "breakglass"]))

    def test_paper_leaves_loans_as_they_were(self):
        def back(lent):
            def step(t):
                t.card(t.mara, lent={"level-3": self.UNTIL})
                t.mara.devices.append(m.Device())
                t.card(t.mara, t.mara.devices[1], lent=lent)
            return step

        self.expect(set(), back({"level-3": self.UNTIL}))
        self.expect({36}, back(None))
        self.expect({36}, back({"level-3": "2026-12-02T00:00:00Z"}))

    def test_the_purposes_of_bodies(self):
        for purpose in (0, 1, 2, 3, 5):
            self.expect(set(), lambda t: t.one.entry("add", t.vault.note(purpose)))
        for purpose in (4, 6, 255):
            self.expect({34}, lambda t: t.one.entry("add", t.vault.note(purpose)))


if __name__ == "__main__":
    unittest.main()
