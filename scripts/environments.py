"""Environments of their own for peers: libraries that only a slow test or a benchmark holds ours beside.

Declared where they are needed, in the pyproject.toml of a distribution or of the workspace:

    [tool.functory.peers]
    gguf = ["gguf"]

An environment is made on demand, in .venv/peers. It sees all that .venv has, and holds besides what only the peer needs. A
requirement that names its version, ``transformers==4.57.6``, stands in the place of the pin in constraints.txt: so an older
version is a peer.

    python scripts/environments.py                          runs every test marked peer, each in its environment
    python scripts/environments.py --jobs 2                 the same, two environments at a time
    python scripts/environments.py gguf -m pytest -k …      runs Python in one of them
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import venv
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

from workspace import ROOT, Distribution, installed, settings

PLACE = ROOT / ".venv" / "peers"
STAMP = "made-from"
PASSED = "passed"
_making: defaultdict[str, Lock] = defaultdict(Lock)
"""One environment is made once, whoever asks for it at the same time."""


@dataclass(frozen=True)
class Tested:
    """How the tests of a distribution beside a peer came out.

    :param name: of both.
    :param outcome: in a few words; `PASSED` where all is well.
    :param output: what the tests printed.
    """

    name: str
    outcome: str
    output: str = ""
    seconds: float = 0.0


def main() -> int:
    """Run Python in one environment, or the tests of all; return the exit code."""
    arguments = sys.argv[1:]
    if arguments and arguments[0] != "--jobs":
        name, *more = arguments
        return subprocess.run([str(environment(name)), *more], check=False).returncode
    found = [(distribution, name) for distribution in installed() for name in peers(distribution)]
    return all_tested(found, int(arguments[1]) if arguments else 1)


def all_tested(found: Sequence[tuple[Distribution, str]], jobs: int) -> int:
    """Run the tests of distributions beside peers, so many at a time, whatever becomes of others; return the exit code.

    What each prints comes whole when it has ended, and how each came out is told once more at the end.
    """
    ended: list[Tested] = []
    with ThreadPoolExecutor(jobs) as pool:
        running = [pool.submit(tested, *one) for one in found]
        try:
            for done in as_completed(running):
                ended.append(done.result())
                print(f"== {ended[-1].name}\n{ended[-1].output}", end="", flush=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    for one in sorted(ended, key=lambda one: (one.outcome != PASSED, one.name)):
        say(f"{one.outcome}, {one.seconds:.0f} s: {one.name}")
    return int(any(one.outcome != PASSED for one in ended))


def peers(distribution: Distribution) -> dict[str, list[str]]:
    """Return the requirements of each peer that a distribution declares."""
    found: dict[str, list[str]] = distribution.settings.get("peers", {})
    return found


def known(root: Path = ROOT) -> dict[str, list[str]]:
    """Return the requirements of every peer."""
    found: dict[str, list[str]] = dict(settings(root).get("peers", {}))
    for distribution in installed(root):
        found |= peers(distribution)
    return found


def tested(distribution: Distribution, name: str) -> Tested:
    """Run a distribution's tests beside a peer. In CI all of them must run: elsewhere something may be missing that pip does not
    bring, and what was skipped is told.
    """
    about, started = f"{distribution.name} beside {name}", time.monotonic()
    try:
        python = environment(name)
    except SystemExit as error:
        return Tested(about, "failed for want of its environment", f"{error}\n", time.monotonic() - started)
    say(f"the tests of {about}")
    command = [str(python), "-m", "pytest", "-q", "-rs", "-m", f"peer(name='{name}')", f"{distribution.folder}/tests"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    has_skipped = bool(os.environ.get("CI") and re.search(r"\b\d+ skipped\b", done.stdout))
    outcome = f"failed with {done.returncode}" if done.returncode else "failed by what it skipped" if has_skipped else PASSED
    return Tested(about, outcome, done.stdout, time.monotonic() - started)


def environment(name: str) -> Path:
    """Return the Python of a peer's environment, made anew where what it is made from has changed.

    :raises SystemExit: when no one declares it, or it cannot be installed.
    """
    requirements = known().get(name)
    if requirements is None:
        raise SystemExit(f"peers: there is none named {name!r}.\n  do: choose among {', '.join(sorted(known()))}.")
    folder = PLACE / name
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    made_from = hashlib.sha256((ROOT / "constraints.txt").read_bytes() + json.dumps(requirements).encode()).hexdigest()
    stamp = folder / STAMP
    with _making[name]:
        if not stamp.is_file() or stamp.read_text(encoding="utf-8") != made_from:
            started = time.monotonic()
            make(folder)
            install(python, requirements)
            stamp.write_text(made_from, encoding="utf-8")
            say(f"an environment of its own for {name}, {time.monotonic() - started:.0f} s")
    return python


def make(folder: Path) -> None:
    """Make an environment that sees what .venv has."""
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=False)
    inside = "Lib/site-packages" if sys.platform == "win32" else "lib/python3*/site-packages"
    [own] = folder.glob(inside)
    [shared] = (ROOT / ".venv").glob(inside)
    # By addsitedir, which reads the .pth files there too: those of the editable distributions.
    (own / "workspace.pth").write_text(f"import site; site.addsitedir({str(shared)!r})\n", encoding="utf-8")


def install(python: Path, requirements: list[str]) -> None:
    """Install what an environment lacks, as wheels, bound by constraints.txt; nothing of .venv is touched.

    :raises SystemExit: when pip cannot.
    """
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "-qq", "--disable-pip-version-check"]
    with TemporaryDirectory() as folder:
        bounds = Path(folder) / "constraints.txt"
        bounds.write_text(constraints((ROOT / "constraints.txt").read_text(encoding="utf-8"), requirements), encoding="utf-8")
        command += ["--no-warn-conflicts", "--only-binary", ":all:", "-c", str(bounds), *requirements]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"peers: pip could not install {', '.join(requirements)}.\n{done.stdout.strip()}")


def constraints(text: str, requirements: list[str]) -> str:
    """Return constraints.txt without the pins of what the requirements pin themselves."""
    own = {name_of(line) for line in requirements if "==" in line}
    return "".join(line for line in text.splitlines(keepends=True) if "==" not in line or name_of(line) not in own)


def name_of(requirement: str) -> str:
    """Return the name of a distribution in a requirement or a pin, as pip compares names."""
    return re.sub(r"[-_.]+", "-", re.split(r"[=<>!~\[; ]", requirement.strip())[0]).lower()


def say(line: str) -> None:
    """Tell what is being done; progress goes to stderr."""
    print(f"peers: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
