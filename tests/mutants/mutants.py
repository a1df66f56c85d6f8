"""Runs the library's tests against each of thousands of small faults, all of them in one build.

    python3 tests/mutants/mutants.py ROOT MINUTES [SEED]

ROOT is a copy of the repository whose rooms `cargo run --manifest-path tests/mutants/Cargo.toml -- ROOT ROOM…` has rewritten;
`cargo test --lib --no-run` there builds it. First each test is run alone to see which faults it comes by, and how long it
takes (kept in ROOT, one file for each set of tests); then each fault, in a random order, is put in force for those tests until one fails:
first those that noticed others in the same file, then the quick ones that come by little else. A fault that no test notices is told, and
goes to ROOT/survivors.tsv. `MUTANT_SLOW` leaves out tests that last longer than that many seconds, `MUTANT_ONLY` names a file with
those faults alone that are to be tried (survivors.tsv of another run).
"""

import concurrent.futures
import glob
import json
import os
import random
import subprocess
import sys
import tempfile
import time

# Of whose tests: the rooms themselves, or `MUTANT_TESTS=app::` for those that survived these.
ROOMS = tuple(os.environ.get("MUTANT_TESTS", "gate:: policy:: chain:: envelope:: ledger:: brief::").split())
WORKERS = int(os.environ.get("MUTANT_WORKERS", "2"))
# Tests that say themselves that they take long, or change the corpus.
LEFT_OUT = ("app::tests::damage", "honest")


def failing(binary, tests, extra, timeout):
    """Which of the tests fail; nothing where all pass, and no name where the program ended otherwise."""
    environment = {**os.environ, **extra, "RUST_BACKTRACE": "0"}
    words = [binary, "--exact", "--test-threads=1", *tests]
    try:
        done = subprocess.run(words, env=environment, capture_output=True, timeout=timeout)
    except subprocess.TimeoutExpired as ended:
        # The one that it was at.
        begun = [line.split(b" ")[1] for line in (ended.stdout or b"").splitlines() if line.startswith(b"test ")]
        return [begun[-1].decode()] if begun else [""]
    if done.returncode == 0:
        return None
    lines = done.stdout.decode(errors="replace").splitlines()
    return [line.split(" ")[1] for line in lines if line.startswith("test ") and line.endswith("FAILED")] or [""]


def reach(binary, test):
    with tempfile.NamedTemporaryFile() as file:
        begun = time.monotonic()
        passed = not failing(binary, [test], {"STRONGROOM_REACHED": file.name}, 300)
        lasts = time.monotonic() - begun
        with open(file.name) as numbers:
            reached = sorted({int(line) for line in numbers})
    return test, passed, lasts, reached


def judge(binary, number, tests, lasts):
    """The tests of which one notices, or nothing."""
    begin, size = 0, 4
    while begin < len(tests):
        batch = tests[begin : begin + size]
        limit = 10 + 4 * sum(lasts[test] for test in batch)
        failed = failing(binary, batch, {"STRONGROOM_MUTANT": str(number)}, limit)
        if failed:
            return failed
        begin, size = begin + size, size * 2
    return None


def main():
    root, minutes = os.path.abspath(sys.argv[1]), float(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    # Property tests note there what failed, of which nothing is to come into the repository.
    os.environ["CARGO_MANIFEST_DIR"] = root
    os.chdir(root)
    binaries = [path for path in glob.glob(f"{root}/target/debug/deps/strongroom-*") if "." not in os.path.basename(path)]
    binary = max(binaries, key=os.path.getmtime)
    listed = subprocess.run([binary, "--list"], capture_output=True, text=True, check=True).stdout.splitlines()
    ignored = subprocess.run([binary, "--list", "--ignored"], capture_output=True, text=True, check=True).stdout.splitlines()
    names = [line.removesuffix(": test") for line in listed if line.endswith(": test") and line not in ignored]
    names = [name for name in names if name.startswith(ROOMS) and not any(part in name for part in LEFT_OUT)]
    kept = f"{root}/reached-{'-'.join(room.strip(':') for room in ROOMS)}.json"
    pool = concurrent.futures.ThreadPoolExecutor(WORKERS)
    if os.path.exists(kept):
        with open(kept) as file:
            found = json.load(file)
    else:
        found = {}
        for n, (test, passed, lasts, reached) in enumerate(pool.map(lambda name: reach(binary, name), names)):
            if not passed:
                print(f"left out, it fails by itself: {test}", flush=True)
                continue
            found[test] = [lasts, reached]
            if n % 50 == 0:
                print(f"{n} of {len(names)} tests looked at", flush=True)
        with open(kept, "w") as file:
            json.dump(found, file)
    lasts = {test: value[0] for test, value in found.items()}
    slow = float(os.environ.get("MUTANT_SLOW", "inf"))
    by = {}
    for test in sorted(lasts, key=lambda test: lasts[test] * len(found[test][1])):
        for number in found[test][1] if lasts[test] <= slow else []:
            by.setdefault(number, []).append(test)
    # How often which test noticed a fault of which file.
    noticing = {}
    with open(f"{root}/mutants.tsv") as file:
        faults = {int(line.split("\t")[0]): line.rstrip("\n") for line in file}
    order = sorted(faults)
    only = os.environ.get("MUTANT_ONLY")
    if only:
        with open(only) as file:
            order = sorted(int(line.split("\t")[1]) for line in file)
    random.Random(seed).shuffle(order)
    until = time.monotonic() + 60 * minutes
    killed = survived = unreached = 0
    by_room = {}

    def one(number):
        if time.monotonic() > until:
            return number, None, False
        tests = by.get(number, [])
        noted = noticing.setdefault(faults[number].split("\t")[1], {})
        # As sorting keeps the order of equals, those that noticed nothing yet stay as they were.
        tests = sorted(tests, key=lambda test: -noted.get(test, 0) / (0.1 + lasts[test]))
        failed = judge(binary, number, tests, lasts)
        for test in failed or []:
            noted[test] = noted.get(test, 0) + 1
        return number, failed, True

    with open(os.environ.get("MUTANT_OUT", f"{root}/survivors.tsv"), "w") as out:
        # As they end: one that makes a test wait for ever holds up no other.
        for future in concurrent.futures.as_completed([pool.submit(one, number) for number in order]):
            number, noticed, done = future.result()
            if not done:
                continue
            room = faults[number].split("\t")[1].split("/")[1]
            count = by_room.setdefault(room, [0, 0, 0])
            if noticed:
                killed += 1
                count[0] += 1
            else:
                what = "survives" if by.get(number) else "is reached by no test"
                survived, unreached = survived + bool(by.get(number)), unreached + (not by.get(number))
                count[1 if by.get(number) else 2] += 1
                print(f"{what}: {faults[number]}", flush=True)
                print(f"{what}\t{faults[number]}", file=out, flush=True)
            if (killed + survived + unreached) % 100 == 0:
                print(f"-- {killed} noticed, {survived} not, {unreached} reached by no test", flush=True)
    print(f"{len(faults)} faults, {killed + survived + unreached} tried: {killed} noticed, {survived} not, {unreached} reached by no test")
    for room, count in sorted(by_room.items()):
        print(f"  {room}: {count[0]} noticed, {count[1]} not, {count[2]} reached by no test")


main()
