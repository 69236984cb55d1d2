"""Runs a program where there is no network, and tells what it tried to reach, and what it left in the user's home.

    python alone.py PROGRAM ARGUMENT …        in a namespace of its own: the kernel's count of what had no way out is added

Two witnesses. The kernel counts, for a network namespace without any way out, what was sent and could not go: whatever
library or language it came from (names are asked for over such a way too). And Python itself tells of each name that is
looked up and each address that is connected to, with the file and line: so that a failure names the culprit. Where the
system gives no namespaces, the second is alone.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

NAMESPACE = ("unshare", "--user", "--map-root-user", "--net")
TOLD = "FUNCTORY_TEST_TOLD"
QUIETING = ("CI", "PYTEST_", "HF_", "ORT_", "DO_NOT_TRACK", "XDG_")
"""What variables begin with that would keep a library quiet, or lead it out of the home; a program alone has none."""
WATCH = f'''
import os, sys, traceback

def _watch(event, arguments):
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[0] if event.startswith("socket.get") else arguments[1]
        if isinstance(address, (str, bytes)) and not event.startswith("socket.get"):
            return  # a socket of this machine's own
        came = " < ".join(f"{{one.filename}}:{{one.lineno}}" for one in reversed(traceback.extract_stack()[:-1]))
        with open(os.environ["{TOLD}"], "a", encoding="utf-8") as file:
            file.write(f"{{event}} {{address}} from {{came}}\\n")

sys.addaudithook(_watch)
'''


@dataclass(frozen=True)
class Alone:
    """How a program came out without a network.

    :param tried: what it tried to reach: a line for each attempt.
    :param left: the files that it left in the user's home.
    """

    code: int
    output: str
    tried: tuple[str, ...]
    left: tuple[str, ...]


@functools.cache
def has_namespaces() -> bool:
    """Whether the system gives a user network namespaces."""
    try:
        return subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def alone(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None) -> Alone:
    """Run a program without a network, with a home of its own.

    Nothing in the environment helps it to be quiet: neither that a test runs, nor that the hub is not to be asked.
    """
    with tempfile.TemporaryDirectory() as place:
        home, told = Path(place, "home"), Path(place, "told")
        home.mkdir()
        told.touch()
        (Path(place) / "sitecustomize.py").write_text(WATCH)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(QUIETING)}
        kept |= {"HOME": str(home), TOLD: str(told), **(environment or {})}
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, [place, kept.get("PYTHONPATH", "")]))
        runner = [*NAMESPACE, sys.executable, __file__] if has_namespaces() else []
        done = subprocess.run([*runner, *command], cwd=folder, env=kept, capture_output=True, text=True, check=False)
        tried = tuple(told.read_text(encoding="utf-8").splitlines())
        left = tuple(sorted(str(file.relative_to(home)) for file in home.rglob("*") if file.is_file()))
    return Alone(done.returncode, done.stdout + done.stderr, tried, left)


def main() -> int:
    """Run a program in the namespace that this one is in, and tell what the kernel counted."""
    before = _counted()
    code = subprocess.run(sys.argv[1:], check=False).returncode
    counted = {name: number - before.get(name, 0) for name, number in _counted().items()}
    if any(counted.values()):
        with open(os.environ[TOLD], "a", encoding="utf-8") as file:
            file.write(f"the kernel counted {json.dumps(counted)}\n")
    return code


def _counted() -> dict[str, int]:
    """Return how many packets found no way out, of either version of the protocol."""
    names, numbers = [line.split()[1:] for line in Path("/proc/net/snmp").read_text().splitlines() if line.startswith("Ip:")]
    found = {"IPv4": int(dict(zip(names, numbers, strict=True))["OutNoRoutes"])}
    sixth = Path("/proc/net/snmp6")
    if sixth.is_file():
        lines = dict(line.split() for line in sixth.read_text().splitlines())
        found["IPv6"] = int(lines["Ip6OutNoRoutes"])
    return found


if __name__ == "__main__":
    raise SystemExit(main())
