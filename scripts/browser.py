"""Brings what tests in a browser need and pip has not: Chromium, from the system's packages, and axe-core, by npm.

    python scripts/browser.py        or: make browser

Chromium is the system's own, of whatever version: pages have to work in it. axe-core, which finds faults of accessibility, is
pinned here and put into .venv/browser; nothing of it stands in this repository.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from workspace import ROOT

PLACE = ROOT / ".venv" / "browser"
AXE = "axe-core@4.14.1"
NAMES = ("chromium", "chromium-browser")
STAMP = "made-from"


def main() -> int:
    """Bring what is missing; return the exit code."""
    return chromium() or axe()


def chromium() -> int:
    """Install Chromium by apt-get, where there is none; return the exit code."""
    if any(map(shutil.which, NAMES)):
        return 0
    if shutil.which("apt-get") is None:
        print(
            "browser: there is no Chromium, and no apt-get.\n  do: install Chromium as your system does.",
            file=sys.stderr,
        )
        return 1
    say("Chromium, by apt-get")
    before = [] if os.geteuid() == 0 else ["sudo"]
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (
        ["update", "-qq"],
        ["install", "-qq", "--yes", "--no-install-recommends", "chromium", "fonts-dejavu-core"],
    ):
        done = subprocess.run([*before, "apt-get", *step], env=quiet, stdout=subprocess.DEVNULL, check=False)
        if done.returncode:
            return done.returncode
    return 0


def axe() -> int:
    """Install axe-core by npm, where the pinned one is not there; return the exit code."""
    stamp = PLACE / STAMP
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == AXE:
        return 0
    if shutil.which("npm") is None:
        print("browser: there is no npm.\n  do: install Node.js, which has it.", file=sys.stderr)
        return 1
    say(f"{AXE}, by npm")
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir(parents=True)
    options = ["--silent", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(PLACE)]
    done = subprocess.run(["npm", "install", *options, AXE], check=False)
    if done.returncode == 0:
        stamp.write_text(AXE, encoding="utf-8")
    return done.returncode


def say(line: str) -> None:
    """Tell what is being done; progress goes to stderr."""
    print(f"browser: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
