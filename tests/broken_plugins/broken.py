"""Plugins that are broken, each in its own way, as wheels that pip installs like any other."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

GOOD = """
from functory_sdk import Packager

class Thing(Packager):
    "Does nothing, and does it well."

    def package(self, artefact, name, target):
        return []
"""


@dataclass(frozen=True)
class Broken:
    """One broken plugin.

    :param diagnosis: what `functory doctor` says of it.
    :param told: what the message must say, as a regular expression.
    :param source: its module; None where it has none.
    :param contract: the contract version that it announces; None where it announces none.
    :param component: the name of its packager; the plugin's own name when empty.
    """

    diagnosis: str
    told: str
    source: str | None = GOOD
    contract: str | None = "1"
    component: str = ""
    is_fatal: bool = True


BROKEN = {
    "raises": Broken("raises", r"raised ZeroDivisionError while it was imported", "wealth = 1 / 0\n"),
    "syntax": Broken("raises", r"raised SyntaxError while it was imported", "def half(:\n"),
    "exits": Broken("exits", r"ended the program while it was imported \(exit code 3\)", "raise SystemExit(3)\n"),
    "exits-hard": Broken("exits-hard", r"os\._exit, status 5", "import os\nos._exit(5)\n"),
    "crashes": Broken("crashes", r"SIGSEGV", "import ctypes\nctypes.string_at(0)\n"),
    "hangs": Broken("hangs", r"still being imported after", "import time\ntime.sleep(3600)\n"),
    "prints": Broken(
        "prints", r"prints while it is imported: 'Welcome!'", f"print('Welcome!')\n{GOOD}", is_fatal=False
    ),
    "lacks": Broken(
        "missing-dependency", r"needs the module 'a_module_that_nobody_has'", "import a_module_that_nobody_has\n"
    ),
    "empty": Broken("no-such-module", r"announces the module bad_empty, which is not there", None),
    "renamed": Broken("no-such-class", r"has no 'Thing' in bad_renamed", GOOD.replace("Thing", "Other")),
    "stranger": Broken(
        "not-a-subclass", r"gives Thing as one of its packagers, which is no .*Packager", "class Thing: ...\n"
    ),
    "abstract": Broken("abstract", r"lacks what every Packager must have: package", GOOD.partition("    def")[0]),
    "future": Broken("other-contract", r"written for contract version 99; this functory speaks 1", contract="99"),
    "silent": Broken("other-contract", r"does not say for which contract version it was written", contract=None),
    "twice-a": Broken("duplicate-name", r"bad-twice-b|bad-twice-a", component="twice", is_fatal=False),
    "twice-b": Broken("duplicate-name", r"bad-twice-a|bad-twice-b", component="twice", is_fatal=False),
    "garbled": Broken("unreadable-metadata", r"the metadata of bad-garbled is no UTF-8"),
}
"""By name; the distribution is ``bad-<name>``."""


def wheel(name: str, folder: Path) -> Path:
    """Write a broken plugin's wheel and return it."""
    broken = BROKEN[name]
    module = f"bad_{name.replace('-', '_')}"
    info = f"{module}-1.0.dist-info"
    entries = f"[functory.packagers]\n{broken.component or name} = {module}:Thing\n"
    if broken.contract is not None:
        entries += f"[functory.contract]\n{broken.contract} = functory_sdk:CONTRACT\n"
    files = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: bad-{name}\nVersion: 1.0\nSummary: Broken on purpose.\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: by hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": entries,
    }
    if broken.source is not None:
        files[f"{module}.py"] = broken.source
    lines = [f"{path},{_digest(text)},{len(text.encode())}" for path, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,"]) + "\n"
    made = folder / f"{module}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(made, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return made


def garble(site: Path) -> None:
    """Damage what pip wrote for ``bad-garbled``, as a failing disk does: no wheel that pip takes has such metadata."""
    file = site / "bad_garbled-1.0.dist-info" / "entry_points.txt"
    file.write_bytes(file.read_bytes().replace(b"Thing", b"\xff\xfe"))


def _digest(text: str) -> str:
    found = hashlib.sha256(text.encode()).digest()
    return "sha256=" + base64.urlsafe_b64encode(found).rstrip(b"=").decode()
