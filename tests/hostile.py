"""Distributions that are hostile, made from a seed: metadata that is no metadata, and code that does what no plugin may.

`make(folder, seed, metadata, code)` fills a folder that somebody puts on the path. Each one knows what `functory doctor`
must say of it. The families come first one by one, and are then mixed at random, so that a larger number is a wider test.
"""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

CONTROLS = ("\x1b[31m", "\x9b31m", "\u202e", "\u2066", "\x07", "\r", "\u2028", "\x00")
"""What steers a terminal, hides, or turns a line around; foreign text holds it, and no output may."""
GOOD = """
from functory_sdk import Packager

class Thing(Packager):
    "Does nothing, and does it well."

    def package(self, artefact, name, target):
        return []
"""


@dataclass(frozen=True)
class Hostile:
    """One hostile distribution.

    :param name: the distribution's; empty where the folder's name is none.
    :param family: what it does.
    :param told: the diagnoses of which `functory doctor` must give one; none where it may be silent.
    :param is_fatal: whether the doctor must call it broken; None where both are right.
    """

    name: str
    family: str
    told: frozenset[str] = field(default_factory=frozenset)
    is_fatal: bool | None = None
    is_heavy: bool = False
    """Whether it imports what takes seconds: a doctor's time limit must leave them."""


def make(folder: Path, seed: int, metadata: int, code: int) -> list[Hostile]:
    """Make so many distributions with hostile metadata, and with hostile code, in a folder; return what they are."""
    drawn = random.Random(seed)
    found = [_with_metadata(folder, drawn, number) for number in range(metadata)]
    return found + list(_with_code(folder, drawn, code))


def add(
    folder: Path, name: str, source: str | None = GOOD, *, entries: str = "", summary: str = "Hostile.", version: str = "1.0"
) -> Path:
    """Install a distribution as pip would; return the folder of its metadata."""
    module = name.replace("-", "_")
    metadata = folder / f"{module}-{version}.dist-info"
    metadata.mkdir()
    head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: {summary}\n"
    (metadata / "METADATA").write_text(head, encoding="utf-8", errors="surrogateescape")
    lines = entries or f"[functory.packagers]\n{name} = {module}:Thing\n"
    (metadata / "entry_points.txt").write_text(f"{lines}[functory.contract]\n1 = functory_sdk:CONTRACT\n", encoding="utf-8")
    if source is not None:
        (folder / f"{module}.py").write_text(source, encoding="utf-8")
    return metadata


# Metadata ------------------------------------------------------------------------------------------------------------


def _with_metadata(folder: Path, drawn: random.Random, number: int) -> Hostile:
    """Make one distribution whose metadata is hostile."""
    families = list(METADATA)
    family = families[number] if number < len(families) else drawn.choice(families)
    return METADATA[family](folder, f"hostile-{number}", drawn)


def _odd_file(make_odd: Callable[[Path], object]) -> Callable[[Path, str, random.Random], Hostile]:
    """Return a family with something that is no file in the place of a file."""

    def family(folder: Path, name: str, drawn: random.Random) -> Hostile:
        file = drawn.choice(["entry_points.txt", "METADATA"])
        place = add(folder, name) / file
        place.unlink()
        make_odd(place)
        return Hostile(name, f"{file}: {make_odd.__name__}", frozenset({"unreadable-metadata", "no-metadata"}))

    return family


def _socket(place: Path) -> None:
    here = Path.cwd()
    os.chdir(place.parent)  # a socket's path has a hundred characters at most
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(place.name)
    finally:
        os.chdir(here)


def _loop(place: Path) -> None:
    place.symlink_to(place)


def _endless(place: Path) -> None:
    place.symlink_to("/dev/zero")


def _terminal(place: Path) -> None:
    place.symlink_to("/dev/tty")


def _shut(place: Path) -> None:
    place.mkdir(mode=0)


def _bytes(folder: Path, name: str, drawn: random.Random) -> Hostile:
    ours = drawn.random() < 0.5
    raw = b"[functory.tasks]\n" if ours else b"[console_scripts]\n"
    (add(folder, name) / "entry_points.txt").write_bytes(raw + b"x = \xff\xfe" + drawn.randbytes(200))
    return Hostile(name, "bytes that are no UTF-8", frozenset({"unreadable-metadata"}), is_fatal=ours)


def _header(folder: Path, name: str, drawn: random.Random) -> Hostile:
    (add(folder, name) / "METADATA").write_bytes(b"Name: x\nSummary: \xff" + drawn.randbytes(300))
    return Hostile(name, "a header that is no UTF-8", frozenset({"unreadable-metadata"}), is_fatal=True)


def _nonsense(folder: Path, name: str, drawn: random.Random) -> Hostile:
    lines = "".join(f"{''.join(drawn.choices('abc=:[].;# ', k=drawn.randrange(40)))}\n" for _ in range(50))
    (add(folder, name) / "entry_points.txt").write_text(f"[functory.tasks]\nx\n{lines}", encoding="utf-8")
    return Hostile(name, "lines of nonsense", frozenset({"malformed-entry"}), is_fatal=True)


def _foreign_nonsense(folder: Path, name: str, drawn: random.Random) -> Hostile:
    (add(folder, name) / "entry_points.txt").write_text("[console_scripts]\nhello\n= x\n[\n]\nx = \n", encoding="utf-8")
    return Hostile(name, "lines of nonsense in a stranger's group")


def _control(folder: Path, name: str, drawn: random.Random) -> Hostile:
    mark = drawn.choice([one for one in CONTROLS if one not in ("\r", "\u2028")])
    lines = f"[functory.packagers]\n{name}{mark}x = {name.replace('-', '_')}:Thing\n[functory.{mark}]\nx = y:Z\n"
    add(folder, name, entries=lines, summary=f"Nice {''.join(CONTROLS[:5])}summary \udcff")
    return Hostile(name, "control characters in names", frozenset({"malformed-entry"}), is_fatal=True)


def _summary(folder: Path, name: str, drawn: random.Random) -> Hostile:
    add(folder, name, summary=f"{'wide ' * 10_000}{''.join(CONTROLS[:5])}")
    return Hostile(name, "a summary without end")


def _summary_of_controls(folder: Path, name: str, drawn: random.Random) -> Hostile:
    add(folder, name, summary="".join(drawn.sample(CONTROLS[:5], 5)) + "nice")
    return Hostile(name, "a summary of control characters")


def _many(folder: Path, name: str, drawn: random.Random) -> Hostile:
    count = drawn.choice([1_500, 50_000])
    module = name.replace("-", "_")
    add(folder, name, entries="[functory.hooks]\n" + "".join(f"{name}-{one} = {module}:Thing\n" for one in range(count)))
    return Hostile(name, "very many entry points", frozenset({"too-many"}), is_fatal=True)


def _line(folder: Path, name: str, drawn: random.Random) -> Hostile:
    text = drawn.choice(["a.", "[", "=", ":", "x ", "é"]) * drawn.choice([400_000, 6_000_000])
    (add(folder, name) / "entry_points.txt").write_text(f"[functory.tasks]\nx = {text}\n", encoding="utf-8")
    return Hostile(name, "one line without end", frozenset({"malformed-entry", "too-large"}), is_fatal=None)


def _nothing(folder: Path, name: str, drawn: random.Random) -> Hostile:
    (add(folder, name) / "METADATA").unlink()
    return Hostile(name, "no METADATA", frozenset({"no-metadata"}), is_fatal=True)


def _twice(folder: Path, name: str, drawn: random.Random) -> Hostile:
    module = name.replace("-", "_")
    add(folder, name, entries=f"[functory.packagers]\n{name} = {module}:Thing\n{name} = {module}:Other\n")
    return Hostile(name, "a name twice", frozenset({"named-twice"}), is_fatal=False)


def _versions(folder: Path, name: str, drawn: random.Random) -> Hostile:
    add(folder, name, version="1.9")
    add(folder, name, version="1.10")
    return Hostile(name, "two versions", frozenset({"two-versions"}), is_fatal=False)


def _stray(folder: Path, name: str, drawn: random.Random) -> Hostile:
    place = folder / f"functory-9{name.rpartition('-')[2]}.0.dist-info"
    place.mkdir()
    entries = "[functory.commands]\n" + "".join(f"{verb} = no_such:X\n" for verb in ("list", "run", "build", "doctor"))
    (place / "entry_points.txt").write_text(entries, encoding="utf-8")
    return Hostile("functory", "another functory", frozenset({"stray-functory"}), is_fatal=False)


def _odd_name(folder: Path, name: str, drawn: random.Random) -> Hostile:
    part = drawn.choice([*(one for one in CONTROLS if one != "\x00"), "\udcff", "é", "\n", " ", ""])
    stem = f"{name}{part}" if part else ""
    place = folder / f"{stem}-{name}.dist-info"
    if part == "":
        place = folder / f"-{name}.dist-info"
    place.mkdir()
    (place / "entry_points.txt").write_text("[functory.tasks]\nodd = a:B\n", encoding="utf-8")
    return Hostile("without a name", "a folder with an odd name", frozenset({"odd-name"}), is_fatal=False)


def _unknown(folder: Path, name: str, drawn: random.Random) -> Hostile:
    add(folder, name, entries=f"[functory.{drawn.choice(['potions', 'contracts', '', 'tasks.more'])}]\nx = a:B\n")
    return Hostile(name, "a kind that there is not", frozenset({"unknown-kind"}), is_fatal=True)


METADATA: dict[str, Callable[[Path, str, random.Random], Hostile]] = {
    "pipe": _odd_file(os.mkfifo),
    "loop": _odd_file(_loop),
    "folder": _odd_file(Path.mkdir),
    "socket": _odd_file(_socket),
    "endless": _odd_file(_endless),
    "terminal": _odd_file(_terminal),
    "shut": _odd_file(_shut),
    "bytes": _bytes,
    "header": _header,
    "nonsense": _nonsense,
    "foreign nonsense": _foreign_nonsense,
    "control": _control,
    "summary": _summary,
    "controls": _summary_of_controls,
    "many": _many,
    "line": _line,
    "nothing": _nothing,
    "twice": _twice,
    "versions": _versions,
    "stray": _stray,
    "odd name": _odd_name,
    "unknown": _unknown,
}

# Code ----------------------------------------------------------------------------------------------------------------

RAISED = {
    "an error": "1 / 0",
    "an exit": "raise SystemExit(3)",
    "an exit with a message": "raise SystemExit('\\x1b[31mbye \\udcff')",
    "an interrupt": "raise KeyboardInterrupt",
    "a generator's exit": "raise GeneratorExit",
    "an error of its own": "class Ours(BaseException): pass\nraise Ours('\\x1b[31m')",
    "a surrogate": "raise ValueError('\\udcff\\x1b[31m\\u202e')",
    "an error that cannot be told": "class E(Exception):\n def __str__(self): raise SystemExit\n __repr__ = __str__\nraise E",
    "a group": "raise ExceptionGroup('many', [ValueError(1), OSError(2)])",
    "a recursion": "def f(): f()\nf()",
    "a module without a name": "raise ModuleNotFoundError(name=7)",
    "a syntax error without a file": "raise SyntaxError('x', (object(), 1, 1, 'x'))",
    "an exit whose code cannot be told": "class C:\n def __str__(self): raise OSError\nraise SystemExit(C())",
    "no memory": "raise MemoryError",
}
"""What is raised at import."""

_DEAF = """
import signal, time
for one in signal.valid_signals() - {9, 19}:
    signal.signal(one, lambda *arguments: None)
time.sleep(3600)
"""
_THREAD = f"import threading, time\nthreading.Thread(target=time.sleep, args=(3600,)).start()\n{GOOD}"
_CHILD = f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n{GOOD}"
ENDS = {
    "os._exit": ("import os\nos._exit(5)", "exits-hard"),
    "an _exit that was taken before": ("from os import _exit\n_exit(0)", "exits-hard"),
    "a kill": ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "crashes"),
    "a crash": ("import ctypes\nctypes.string_at(0)", "crashes"),
    "a hang": ("import time\ntime.sleep(3600)", "hangs"),
    "a hang that hears no signal": (_DEAF, "hangs"),
    "a thread that never ends": (_THREAD, "keeps-running"),
    "an end that never comes": (f"import atexit, time\natexit.register(time.sleep, 3600)\n{GOOD}", "keeps-running"),
    "a crash at the end": (f"import atexit, os\natexit.register(os.kill, os.getpid(), 11)\n{GOOD}", "crashes"),
}  # fmt: skip
"""What ends the process, or keeps it: the source and the diagnosis."""

MEDDLES = {
    "a fork": f"import os\nos.fork()\n{GOOD}",
    "a child that keeps every file": _CHILD,
    "a closed stdout": f"import sys\nsys.stdout.close()\n{GOOD}",
    "closed files": f"import os\nos.closerange(0, 64)\n{GOOD}",
    "another json": f"import json\njson.dumps = json.loads = json.dump = None\n{GOOD}",
    "another print": f"import builtins\nbuiltins.print = builtins.ascii = builtins.repr = None\n{GOOD}",
    "another open": f"import builtins, os\nbuiltins.open = os.open = os.write = None\n{GOOD}",
    "another folder": f"import os\nos.chdir('/')\n{GOOD}",
    "a text that cannot be printed": f"print('\\udcff\\x1b[31m')\n{GOOD}",
    "no path": f"import sys\nsys.path.clear()\n{GOOD}",
    "no hook": f"import sys\nsys.excepthook = None\n{GOOD}",
    "a shallow stack": f"import sys\nsys.setrecursionlimit(60)\n{GOOD}",
    "another language": f"import locale\nlocale.setlocale(locale.LC_ALL, 'C')\n{GOOD}",
    "another seed": f"import random\nrandom.seed(0)\n{GOOD}",
    "every warning an error": f"import warnings\nwarnings.simplefilter('error')\n{GOOD}",
    "another type": f"import torch\ntorch.set_default_dtype(torch.float64)\n{GOOD}",
    "no gradients": f"import torch\ntorch.set_grad_enabled(False)\n{GOOD}",
    "another device": f"import torch\ntorch.set_default_device('meta')\n{GOOD}",
    "strict numbers": f"import numpy\nnumpy.seterr(all='raise')\n{GOOD}",
    "another environment": f"import os\nos.environ['OMP_NUM_THREADS'] = '77'\n{GOOD}",
}
"""What is done to the process by a plugin that then imports well."""

CHANGES = "changes-settings"
FINDS = {
    "a fork": ("forks",),
    "a text that cannot be printed": ("prints",),
    **dict.fromkeys(
        ("another json", "another print", "another open", "another folder", "no path", "no hook", "a shallow stack",
         "another language", "another seed", "every warning an error", "another type", "no gradients", "another device",
         "strict numbers", "another environment"), (CHANGES,),
    ),
}  # fmt: skip
"""What must be told of those that meddle; of the others nothing need."""

SPEAKS = {
    "a summary that raises": "    @classmethod\n    def summary(cls): raise OSError('no')",
    "a summary that is no text": "    @classmethod\n    def summary(cls): return 7",
    "a summary that never comes": "    @classmethod\n    def summary(cls):\n        import time; time.sleep(3600)",
    "a paper that is none": "    paper = object()",
    "examples that are none": "    examples = 5",
    "options that are none": "    Options = 3",
    "options that raise": "    class Options:\n        model_fields = property(lambda self: 1 / 0)\n        @classmethod\n"
    "        def model_json_schema(cls): raise KeyError('no')",
    "a class that takes no name": None,
}  # fmt: skip
"""What is wrong with a component when it is asked about itself: lines of its class."""

NAMELESS = """
from functory_sdk import Packager

class Meta(type(Packager)):
    def __setattr__(cls, name, value):
        if name == "name":
            raise RuntimeError("no")
        super().__setattr__(name, value)

class Thing(Packager, metaclass=Meta):
    def package(self, artefact, name, target):
        return []
"""


def _with_code(folder: Path, drawn: random.Random, count: int) -> Iterator[Hostile]:
    """Make distributions whose code is hostile."""
    families = list(_code())
    chosen: Sequence[tuple[str, str, frozenset[str], bool | None]] = families[:count]
    chosen = [*chosen, *(drawn.choice(families) for _ in range(count - len(chosen)))]
    for number, (family, source, told, is_fatal) in enumerate(chosen):
        name = f"rogue-{number}"
        add(folder, name, source)
        yield Hostile(name, family, told, is_fatal, is_heavy="import torch" in source)


def _code() -> Iterator[tuple[str, str, frozenset[str], bool | None]]:
    """Give each family of code: its name, source, what must be told of it, and whether it is broken."""
    for family, source in RAISED.items():
        yield family, source, frozenset({"raises", "exits", "missing-dependency"}), True
    for family, (source, diagnosis) in ENDS.items():
        yield family, source, frozenset({diagnosis}), True
    for family, source in MEDDLES.items():
        yield family, source, frozenset(FINDS.get(family, ())), None
    for family, lines in SPEAKS.items():
        yield family, NAMELESS if lines is None else f"{GOOD}\n{lines}\n", frozenset({"untellable", "hangs"}), True
