#!/usr/bin/env python3
"""What a team waits for: `python3 benches/team.py target/release/strongroom [NOTES]`.

A lead, two members and a bare repository between them, in a folder of their own that goes away. Told are how long it takes to
admit somebody to fifty compartments and to remove somebody from a vault of 10,000 notes (or NOTES), what a sync sends after one
note was added or destroyed, as objects and bytes of the pack that arrives, and how long a sync of 1,000 new notes takes beside
git's own push of the same branches to a copy of the repository as it was. All of it with agents that are unlocked.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PASSPHRASE = "correct horse gate kestrel\n"
FILLER = "Nothing of note on this round at the lane. " * 40


class Seat:
    """One person's computer."""

    def __init__(self, program, root, name):
        self.program, self.name, self.home = program, name, root / name
        (self.home / "run").mkdir(parents=True, mode=0o700)
        passphrase = self.home / "passphrase"
        passphrase.write_text(PASSPHRASE)
        self.environment = {
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.home / "run"),
            "STRONGROOM_PASSPHRASE_FILE": str(passphrase),
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
        }
        self.vault = self.home / ".local/share/strongroom/vault"

    def run(self, *arguments, text=None):
        done = subprocess.run(
            [self.program, *map(str, arguments)], input=text, capture_output=True, text=True, env=self.environment, cwd=self.home
        )
        if done.returncode:
            raise SystemExit(f"{self.name}: {arguments}: {done.returncode}: {done.stderr}")
        return done.stdout

    def timed(self, *arguments, text=None):
        begun = time.perf_counter()
        self.run(*arguments, text=text)
        return time.perf_counter() - begun


def git(folder, *arguments):
    done = subprocess.run(["git", "-C", str(folder), *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"git {arguments}: {done.stderr}")
    return done.stdout


def make_notes(folder, count, begin=0):
    for number in range(begin, begin + count):
        place = folder / f"client{number % 40}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"n{number}.md").write_text(f"Patrol {number}: round done\n\n{FILLER}\n")


def packs(hub):
    return {path.name: path for path in (hub / "objects/pack").glob("*.pack")}


def arrived(hub, before):
    """Objects and bytes of what came since."""
    new = [path for name, path in packs(hub).items() if name not in before]
    objects = 0
    for path in new:
        with open(path.with_suffix(".idx"), "rb") as file:
            done = subprocess.run(["git", "show-index"], stdin=file, capture_output=True, text=True, check=True)
        objects += len(done.stdout.splitlines())
    return objects, sum(path.stat().st_size for path in new)


def main():
    program = str(Path(sys.argv[1]).resolve())
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    root = Path(tempfile.mkdtemp(prefix="team-"))
    try:
        measure(program, root, count)
    finally:
        subprocess.run(["pkill", "-f", f"agent .*{root}"], check=False)
        shutil.rmtree(root, ignore_errors=True)


def measure(program, root, count):
    hub = root / "hub.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(hub)], check=True)
    # What arrives stays a pack, and can be weighed.
    git(hub, "config", "receive.unpackLimit", "1")
    git(hub, "config", "receive.autogc", "false")
    mara, jon, kim = (Seat(program, root, name) for name in ("mara", "jon", "kim"))
    mara.run("init", "--name", "mara", "--quiet")
    mara.run("unlock", "--for", "2h")
    make_notes(mara.home / "notes", count)
    took = mara.timed("import", mara.home / "notes", "--label", "internal", "--yes", "--quiet")
    print(f"import of {count} notes: {took:.1f} s")
    names = [f"Matter {number}" for number in range(50)]
    for name in names:
        mara.run("compartment", "new", name, "--quiet")
    held = [word for name in names for word in ("--compartment", name)]

    def admit(seat, *more):
        request = root / f"{seat.name}.request"
        seat.run("member", "request", "--name", seat.name, "--out", request)
        return mara.timed("member", "admit", request, "--clearance", "confidential", "--yes", *more)

    print(f"admit to 50 compartments: {1000 * admit(jon, *held):.0f} ms")
    print(f"admit to none: {1000 * admit(kim):.0f} ms")
    took = mara.timed("member", "grant", "kim", *held)
    print(f"grant 50 compartments: {1000 * took:.0f} ms")

    mara.run("remote", "add", hub)
    print(f"first sync of all: {mara.timed('sync'):.1f} s")
    for seat in (jon, kim):
        took = seat.timed("clone", hub, "--yes")
        seat.run("unlock", "--for", "2h")
        print(f"clone by {seat.name}: {took:.1f} s")
    print(f"sync, nothing new: {1000 * statistics.median(mara.timed('sync') for _ in range(5)):.0f} ms")

    def weighed(what, seat):
        before = packs(hub)
        took = seat.timed("sync")
        objects, size = arrived(hub, before)
        print(f"sync after {what}: {1000 * took:.0f} ms, {objects} objects, {size / 1000:.1f} KB")

    text = "The north gate is shut until 18:00.\n"
    mara.run("add", "--title", "Gate", "--label", "internal", "--quiet", text=text)
    weighed("one note was added", mara)
    print(f"  taken by jon in {1000 * jon.timed('sync'):.0f} ms")
    identity = json.loads(mara.run("list", "-n", "1", "--json"))[0]["id"]
    mara.run("destroy", identity, "--yes")
    weighed("one note was destroyed", mara)
    print(f"  taken by jon in {1000 * jon.timed('sync'):.0f} ms")

    make_notes(mara.home / "more", 1000, count)
    mara.run("import", mara.home / "more", "--label", "internal", "--yes", "--quiet")
    copy = root / "copy.git"
    shutil.copytree(hub, copy)
    before = packs(hub)
    took = mara.timed("sync")
    objects, size = arrived(hub, before)
    begun = time.perf_counter()
    git(mara.vault, "push", "--quiet", "--force", copy, "refs/heads/*:refs/heads/*")
    pushed = time.perf_counter() - begun
    print(f"sync of 1,000 new notes: {took:.2f} s ({objects} objects, {size / 1e6:.1f} MB); git push of the same: {pushed:.2f} s")
    other = root / "other.git"
    shutil.copytree(jon.vault, other)
    begun = time.perf_counter()
    git(other, "fetch", "--quiet", hub, "+refs/heads/*:refs/heads/*")
    fetched = time.perf_counter() - begun
    print(f"  taken by jon in {jon.timed('sync'):.2f} s; git fetch of the same: {fetched:.2f} s")

    took = mara.timed("member", "remove", "jon", "--yes")
    print(f"remove a member from {count + 1000} notes, with its syncs: {took:.1f} s")
    mara.run("remote", "remove", "origin", "--yes")
    took = mara.timed("member", "remove", "kim", "--yes")
    print(f"remove a member, no remote: {took:.1f} s")
    print(mara.run("audit", "verify", "--quiet").strip() or "intact")


if __name__ == "__main__":
    main()
