#!/usr/bin/env python3
"""Fuzzes every target for a while: `python3 fuzz/long.py BINARY MINUTES [FOLDER]`.

BINARY is what `cargo fuzz build --sanitizer none any` makes. Each target gets the same share of MINUTES, as many at a time
as there are processors, at the lowest priority. What was found goes to FOLDER and is gone on from the next time; the checked-in
inputs are only read. Per target, executions, processor time and coverage are added to FOLDER/done.tsv; an input that breaks a
promise lies in FOLDER/broken.
"""

import concurrent.futures
import os
import random
import re
import resource
import subprocess
import sys
from pathlib import Path

FUZZ = Path(__file__).resolve().parent


def fuzz(binary, target, seconds, folder):
    found, broken = folder / "found" / target, folder / "broken"
    for place in (found, broken):
        place.mkdir(parents=True, exist_ok=True)
    words = [binary, found, FUZZ / "corpus" / target, f"-artifact_prefix={broken}/{target}-", f"-max_total_time={seconds}"]
    words += ["-print_final_stats=1", "-rss_limit_mb=4000", "-timeout=60"]
    limit = lambda: (os.nice(19), resource.setrlimit(resource.RLIMIT_CORE, (0, 0)))
    child = subprocess.Popen(
        list(map(str, words)), env={**os.environ, "FUZZ_TARGET": target}, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, preexec_fn=limit
    )
    said = child.stderr.read().decode(errors="replace")
    # Of this child alone, and not of those that run beside it.
    _, status, used = os.wait4(child.pid, 0)
    executions = re.findall(r"stat::number_of_executed_units: (\d+)", said)
    cover = re.findall(r"cov: (\d+)", said)
    row = (target, int(executions[-1]) if executions else 0, round(used.ru_utime + used.ru_stime), cover[-1] if cover else "", status)
    with open(folder / "done.tsv", "a") as file:
        print(*row, sep="\t", file=file)
    if status:
        (broken / f"{target}.txt").write_text(said[-20_000:])
        print(f"BROKEN {target}: see {broken}", file=sys.stderr, flush=True)
    return row


def main():
    binary, minutes = Path(sys.argv[1]).resolve(), float(sys.argv[2])
    folder = Path(sys.argv[3] if len(sys.argv) > 3 else "fuzz-long").resolve()
    targets = sorted(path.stem for path in (FUZZ / "fuzz_targets").iterdir())
    random.shuffle(targets)
    workers = os.cpu_count() or 1
    seconds = max(1, int(minutes * 60 * workers / len(targets)))
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        rows = list(pool.map(lambda target: fuzz(binary, target, seconds, folder), targets))
    print(f"{len(rows)} targets, {sum(row[1] for row in rows)} executions, {sum(row[2] for row in rows) / 3600:.2f} processor hours,"
          f" {sum(bool(row[4]) for row in rows)} broken")
    sys.exit(any(row[4] for row in rows))


if __name__ == "__main__":
    main()
