#!/usr/bin/env python3
"""Everything at once: `python3 tests/hammer.py target/release/strongroom [MINUTES [SEED]]`.

Three people with a clone each and a bare repository between them, in a folder of its own that goes away; eight programs at a
time record, read, search, edit, attach, destroy, sync and verify. Meanwhile clocks step back (where `faketime` is installed),
programs are killed, the disk fills up and is freed again (where a disk of its own can be mounted), and the connection to the
repository breaks in the middle.

At the end all is freed and synced, and then: every vault is intact, all of them hold the same notes, nothing that was
acknowledged is lost, no text came out without its entry, and no program ended other than in words. What was done is counted.
"""

import collections
import json
import os
import random
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

PASSPHRASE = "correct horse gate kestrel\n"
WHY = ("--purpose", "duty", "--why", "shift briefing")
PROGRAMS = 8
DISK = 1 << 30  # bytes of the disk that fills up
PATIENCE = 180  # seconds that a command may take


class Seat:
    def __init__(self, program, root, name, agent):
        self.program, self.name, self.home, self.agent = program, name, root / name, agent
        for folder in ("run", "bin"):
            (self.home / folder).mkdir(parents=True, mode=0o700)
        (self.home / "passphrase").write_text(PASSPHRASE)
        self.environment = {
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.home / "run"),
            "STRONGROOM_PASSPHRASE_FILE": str(self.home / "passphrase"),
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
        }
        # A git whose connection breaks after a moment of chance, several of its helpers included.
        broken = self.home / "bin/git"
        broken.write_text('#!/bin/sh\nPATH="$REAL_PATH" exec timeout --signal=KILL "$BREAKS_AFTER" git "$@"\n')
        broken.chmod(broken.stat().st_mode | stat.S_IXUSR)

    def command(self, arguments, back=None, breaks=None):
        environment = dict(self.environment)
        if breaks is not None:
            environment["REAL_PATH"], environment["BREAKS_AFTER"] = environment["PATH"], f"{breaks:.3f}"
            environment["PATH"] = f"{self.home}/bin:{environment['PATH']}"
        before = ["faketime", "-f", f"-{back}s"] if back else []
        return [*before, self.program, "--no-input", *map(str, arguments)], environment

    def run(self, *arguments, text=None):
        words, environment = self.command(arguments)
        done = subprocess.run(words, input=text, capture_output=True, text=True, env=environment, cwd=self.home, timeout=PATIENCE)
        if done.returncode:
            raise SystemExit(f"{self.name}: {arguments}: {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def notes(self):
        return {note["id"] for note in json.loads(self.run("list", "--json"))}


def told(out):
    """What a report tells but for clocks, or its end where it is none."""
    try:
        problems = json.loads(out)["problems"]
    except (ValueError, KeyError, TypeError):
        return out[-600:]
    return json.dumps([problem for problem in problems if problem["case"] != 21][:6])


class Hammer:
    def __init__(self, program, root, disk, seed):
        self.program, self.root, self.disk, self.seed = program, root, disk, seed
        self.lock = threading.Lock()
        self.acknowledged, self.doomed, self.shown = {}, set(), collections.Counter()
        self.counts, self.faults = collections.Counter(), []
        self.full = threading.Event()
        self.clocks = shutil.which("faketime") is not None

    def begin(self):
        hub = self.root / "hub.git"
        subprocess.run(["git", "init", "--quiet", "--bare", str(hub)], check=True)
        self.seats = [Seat(self.program, self.root, name, agent) for name, agent in (("mara", True), ("jon", False), ("kim", True))]
        mara, *others = self.seats
        mara.run("init", "--name", "mara", "--quiet")
        mara.run("remote", "add", hub)
        for seat in others:
            request = self.root / f"{seat.name}.request"
            seat.run("member", "request", "--name", seat.name, "--out", request)
            mara.run("member", "admit", request, "--clearance", "restricted", "--role", "officer", "--yes")
        mara.run("sync")
        for seat in others:
            seat.run("clone", hub)
            seat.run("sync")
        for seat in self.seats:
            if seat.agent:
                seat.run("unlock", "--for", "8h")

    def one(self, seat, dice, number):
        """One command. Gives what it was."""
        with self.lock:
            known = [note for note in self.acknowledged if note not in self.doomed]
        note = dice.choice(known) if known else None
        verb = dice.choices(
            ["add", "show", "list", "search", "edit", "attach", "destroy", "sync", "audit"], [28, 20, 6, 6, 12, 4, 4, 16, 4]
        )[0]
        if note is None and verb not in ("list", "search", "sync", "audit"):
            verb = "add"
        word = f"word{number}x{dice.randrange(10**9)}"
        text = f"Note of {seat.name}, {word}. The round was done; nothing else to tell.\n"
        arguments, given = {
            "add": (["add", "--label", dice.choice(["internal", "confidential"]), "--file", "-"], text),
            "show": (["show", note, *WHY], None),
            "list": (["list"], None),
            "search": (["search", "word", *WHY], None),
            "edit": (["edit", note, "--file", "-", *WHY], text),
            "attach": (["attach", note, "-", "--name", word, *WHY], text * 50),
            "destroy": (["destroy", note, "--yes", *WHY], None),
            "sync": (["sync"], None),
            "audit": (["audit", "verify", "--json"], None),
        }[verb]
        if verb == "destroy":
            with self.lock:
                self.doomed.add(note)
        back = dice.randrange(1, 200_000) if self.clocks and not seat.agent and dice.random() < 0.2 else None
        breaks = dice.random() * 0.1 if verb == "sync" and dice.random() < 0.3 else None
        kill = dice.random() * 0.3 if dice.random() < 0.06 else None
        words, environment = seat.command(arguments, back, breaks)
        child = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=seat.home
        )
        if kill is not None:
            threading.Timer(kill, child.kill).start()
        try:
            out, err = child.communicate(given, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            child.kill()
            self.fault(f"{seat.name}: {arguments} did not end in {PATIENCE} s")
            return
        self.judge(seat, verb, note, word, child.returncode, out, err, kill is not None, breaks is not None, back is not None)

    def judge(self, seat, verb, note, word, code, out, err, killed, broken, back):
        with self.lock:
            self.counts[verb] += 1
            for name, said in (("killed", killed and code < 0), ("connection broken", broken), ("clock back", back), ("disk full", self.full.is_set())):
                self.counts[name] += bool(said)
            self.counts["refused or failed"] += code > 0
            if verb == "add" and len(out.strip()) == 32:
                self.acknowledged[out.strip()] = [word]
            if verb == "edit" and code == 0:
                self.acknowledged[note].append(word)
            if verb == "show" and "Note of" in out:
                self.shown[seat.name] += 1
        if code < 0 and not killed or code > 6 or "panicked" in err or "internal error" in err:
            self.fault(f"{seat.name}: {verb} ended with {code}: {err}")
        # A fork or a rewritten log would be one; nobody here does that.
        if code == 4:
            self.fault(f"{seat.name}: {verb} says that something was tampered with: {told(out)}{err}")
        if code not in (0, -9) and "Note of" in out and not self.full.is_set():
            self.fault(f"{seat.name}: {verb} ended with {code} and gave a text: {err}")

    def fault(self, what):
        with self.lock:
            self.faults.append(what)
        print(f"FAULT {what}", file=sys.stderr, flush=True)

    def work(self, index, until):
        dice = random.Random(f"{self.seed} {index}")
        seat, number = self.seats[index % len(self.seats)], 0
        while time.monotonic() < until:
            number += 1
            self.one(seat, dice, f"{index}n{number}")

    def fill(self, until):
        """Fills the disk now and then, to the last byte, for some seconds."""
        dice, ballast = random.Random(f"{self.seed} disk"), self.disk / "ballast"
        while time.monotonic() < until - 20:
            time.sleep(dice.uniform(5, 25))
            self.full.set()
            try:
                with open(ballast, "wb", buffering=0) as file:
                    for size in (1 << 20, 4096, 1):
                        try:
                            while True:
                                file.write(b"x" * size)
                        except OSError:
                            pass
                with self.lock:
                    self.counts["times that the disk was filled"] += 1
                time.sleep(dice.uniform(1, 6))
            finally:
                ballast.unlink(missing_ok=True)
                # What ran meanwhile is judged as if the disk were full.
                time.sleep(2)
                self.full.clear()

    def run(self, minutes):
        until = time.monotonic() + minutes * 60
        threads = [threading.Thread(target=self.work, args=(index, until)) for index in range(PROGRAMS)]
        if self.disk is not None:
            threads.append(threading.Thread(target=self.fill, args=(until,)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def end(self):
        for _ in range(2):
            for seat in self.seats:
                seat.run("sync")
        held = [seat.notes() for seat in self.seats]
        for seat, notes in zip(self.seats, held):
            report = json.loads(seat.run("audit", "verify", "--json"))
            self.counts["entries"] = report["entries"]
            if report["verdict"] != "intact":
                self.fault(f"{seat.name}: {report}")
            if notes != held[0]:
                self.fault(f"{seat.name} has {len(notes)} notes, {self.seats[0].name} {len(held[0])}")
            log = [json.loads(line) for line in seat.run("audit", "log", "--json").splitlines()]
            own = [entry for entry in log if entry["handle"] == seat.name and entry["result"] == "done"]
            mine = sum((entry["details"] or {}).get("verb") == "show" for entry in own)
            if mine < self.shown[seat.name]:
                self.fault(f"{seat.name}: {self.shown[seat.name]} texts were shown, and {mine} readings are on record")
        for note, words in self.acknowledged.items():
            if note in self.doomed:
                continue
            if note not in held[0]:
                self.fault(f"lost: {note}")
                continue
            revisions = json.loads(self.seats[0].run("history", note, "--json", *WHY))
            if len(revisions) < len(words):
                self.fault(f"lost: {len(words) - len(revisions)} revisions of {note}")
        self.counts["notes acknowledged"] = len(self.acknowledged)
        self.counts["notes at the end"] = len(held[0])


def main():
    program = str(Path(sys.argv[1]).resolve())
    minutes = float(sys.argv[2]) if len(sys.argv) > 2 else 30
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(10**6)
    folder = Path(tempfile.mkdtemp(prefix="hammer-"))
    mounted = os.geteuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "hammer", str(folder)], capture_output=True, check=False
    ).returncode == 0
    hammer = Hammer(program, folder, folder if mounted else None, seed)
    print(f"seed {seed}, {minutes:g} minutes" + ("" if mounted else "; skipped: no disk can be mounted here") + ("" if hammer.clocks else "; skipped: no faketime"))
    try:
        hammer.begin()
        hammer.run(minutes)
        hammer.end()
    finally:
        subprocess.run(["pkill", "-f", f"agent .*{folder}"], check=False)
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=False)
        shutil.rmtree(folder, ignore_errors=True)
    for name, count in sorted(hammer.counts.items()):
        print(f"{count:8} {name}")
    print(f"{len(hammer.faults)} faults")
    sys.exit(bool(hammer.faults))


if __name__ == "__main__":
    main()
