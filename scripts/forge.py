"""Damage and forge thousands of artefacts, and say what became of them: ``scripts/forge.py --count 3000``.

CI tries some of each sort (tests/test_forged.py); this is the big run. Every sort has a process of its own, which is started
again after a case that ends it: a library that dies of a graph is told as that. A fault is told with what makes it again.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent / "tests"
sys.path.insert(0, str(TESTS))
SILENT_SECONDS = 180
"""After so long without a word a process is taken for dead."""


def main(arguments: list[str] | None = None) -> int:
    """Try every case, print the numbers and the faults; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=500, help="cases of each sort (500)")
    parser.add_argument("--first", type=int, default=0, help="the number of the first case (0)")
    parser.add_argument("--sort", action="append", default=[], help="this sort alone; several when given again")
    parser.add_argument("--verbs", type=int, default=20, help="give every so many-th case to the verbs too; 0 none (20)")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.work:
        return work(Path(args.work), args)
    faults, started = 0, time.monotonic()
    for sort in args.sort or import_module("forged").SORTS:
        faults += run(sort, args)
    print(f"{faults} faults, {time.monotonic() - started:.0f} s")
    return 1 if faults else 0


def run(sort: str, args: argparse.Namespace) -> int:
    """Try the cases of one sort in processes of their own; return how many had a fault."""
    ends: collections.Counter[str] = collections.Counter()
    faults, number = 0, args.first
    with tempfile.TemporaryDirectory(prefix="forge-") as place:
        environment = {**os.environ, "FUNCTORY_CACHE": f"{place}/cache", "HF_HUB_OFFLINE": "1", "FUNCTORY_QUIET": "1"}
        while number < args.first + args.count:
            command = [sys.executable, __file__, "--work", place, "--sort", sort, "--first", str(number),
                       "--count", str(args.first + args.count - number), "--verbs", str(args.verbs)]  # fmt: skip
            log = Path(place, "log")
            with log.open("w") as told:
                process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=told, text=True)
            assert process.stdout is not None
            begun = ""
            for line in process.stdout:
                if line.startswith("begin "):
                    begun = line.strip()
                elif line.startswith("{"):
                    case = json.loads(line)
                    number = case["number"] + 1
                    ends.update(f"{use} {end}" for use, end in case["ends"].items())
                    if case["faults"]:
                        faults += 1
                        print(f"{sort} {case['number']} ({case['what']}):", *case["faults"], sep="\n    ", flush=True)
                    begun = ""
            code = process.wait()
            if begun:
                faults += 1
                print(f"{sort} {begun}: the process ended with {code}: {log.read_text()[-400:]}", flush=True)
                number = int(begun.split()[1]) + 1
            elif code:
                print(f"{sort}: the process ended with {code} before any case: {log.read_text()[-2000:]}", flush=True)
                return faults + 1
    uses: dict[str, list[str]] = collections.defaultdict(list)
    for name, count in sorted(ends.items()):
        use, end = name.rsplit(" ", 1)
        uses[use].append(f"{end} {count}")
    print(f"{sort}: {args.count} cases, {faults} with a fault", flush=True)
    for use, counted in uses.items():
        print(f"    {use}: {', '.join(counted)}", flush=True)
    return faults


def work(place: Path, args: argparse.Namespace) -> int:
    """Try cases in this process; print each as one line of JSON."""
    sound, tried = import_module("forged").sound, import_module("forged").tried
    forge = import_module("forging").forge
    from functory_sdk.testing import kit

    [sort] = args.sort
    with kit():
        good = place / sort
        if not good.is_dir():
            sound(place, sort)
        for number in range(args.first, args.first + args.count):
            print(f"begin {number}", flush=True)
            target = place / "cases" / sort
            shutil.rmtree(target.parent, ignore_errors=True)
            target.parent.mkdir()
            case = forge(good, target, number)
            verbs = args.verbs > 0 and number % args.verbs == 0
            outcome = tried(target, deep=True, verbs=verbs)
            print(json.dumps({"number": number, "what": case.what, "sealed": case.is_sealed,
                              "ends": outcome.ends, "faults": outcome.faults}), flush=True)  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
