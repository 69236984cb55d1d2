"""Makes sound artefacts of every sort, and tries what becomes of one that was damaged or forged.

Nothing but an error that says what is wrong may come of it: no other exception, no traceback, no character that a terminal
would obey, nothing written into the folder, no attempt to connect, and an end within seconds.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import functory
from functory import errors
from functory.artefact.checking import check
from functory.artefact.finding import find
from functory.artefact.opening import verify
from functory.artefact.summary import summarise
from functory.cli import main
from functory.using.packaging import needs
from functory.wording.harmless import harmless

SORTS = ("torch", "lora", "onnxruntime", "openvino", "composite", "ner", "writing")
TEXT = "we saw the good film in the night"
SECONDS = 60
"""After so long a case hangs."""
NAMED = (errors.ArtefactError, errors.UsageError, errors.StorageError, errors.WeightsMissing)
BLAMING = (errors.InputError, errors.OptionError, errors.RecipeError)
"""Errors that blame the caller, who gave nothing wrong here."""
_REACHING = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")
_connections: list[str] = []


class Hangs(BaseException):
    """A case took too long."""


def sound(place: Path, sort: str) -> Path:
    """Build and save a small function of one sort; call it inside the SDK's `kit`."""
    from functory_sdk.testing import converted, toy_function
    from functory_sdk.testing.toy import rows

    where = place / sort
    if sort == "torch":
        return toy_function().save(where)
    if sort in ("onnxruntime", "openvino"):
        made = converted(toy_function(), place / f"{sort}-files", engine=sort, precision="fp32", inputs=[TEXT, "bad"])
        return made.save(where)
    if sort == "writing":
        task = {"name": "text-generation", "max_new_tokens": 4}
        return functory.build(task=task, backbone="tiny-decoder", name="writing").save(where)
    if sort == "ner":
        spans = [{"text": f"we saw Ann {n} in Rome", "entities": [[7, 10, "PER"], [15 + len(str(n)), 19 + len(str(n)), "LOC"]]}
                 for n in range(12)]  # fmt: skip
        return functory.build(task="ner", train=spans, backbone="tiny-encoder", adaptation="head", name="ner").save(where)
    if sort == "composite":
        parts = {name: _classifier(name) for name in ("topic", "polarity")}
        return functory.compose("alert", options={"topic": "yes", "polarity": "no"}, **parts).save(where)
    options = {"name": "lora", "layers": 1, "epochs": 1}
    function = functory.build(task="toy", train=rows(32), backbone="tiny-encoder", adaptation=options, name="lora", report=False)
    return function.save(where)


def _classifier(name: str) -> functory.Function:
    from functory_sdk.testing.toy import rows

    train = rows(32, seed=len(name))
    return functory.build(task="text-classification", train=train, backbone="tiny-encoder", adaptation="head", name=name)


@dataclass
class Outcome:
    """What became of one case.

    :param faults: what must not have happened.
    :param ends: how each of the uses ended: ``loads``, or the name of the error.
    """

    faults: list[str] = field(default_factory=list)
    ends: dict[str, str] = field(default_factory=dict)

    def use(self, name: str, work: Callable[[], object]) -> bool:
        """Do something with the artefact; note how it ended; say whether it did its work."""
        try:
            work()
        except errors.FunctoryError as error:
            self.ends[name] = type(error).__name__
            self._judge(name, error)
            return False
        except Hangs:
            self._fault(name, "it hangs")
        except BaseException as error:  # whatever it is: that is the question
            self._fault(name, f"{type(error).__name__}: {str(error)[:200]!a}\n{_place(error)}")
        else:
            self.ends[name] = "works"
        return self.ends[name] == "works"

    def _judge(self, name: str, error: errors.FunctoryError) -> None:
        if not isinstance(error, NAMED) or isinstance(error, BLAMING):
            self._fault(name, f"{type(error).__name__}: {error.what[:200]!a}")
        for part in (error.what, error.where, error.do):
            if harmless(part) != part or "\n" in part:
                self._fault(name, f"a message that cannot be shown: {part[:200]!a}")
        if isinstance(error, errors.ArtefactError) and not (error.do and error.where):
            self._fault(name, f"no place or remedy: {error.what[:200]!a}")

    def _fault(self, name: str, what: str) -> None:
        self.ends[name] = "fault"
        self.faults.append(f"{name}: {what}")


def _place(error: BaseException) -> str:
    """Return the last places of ours that an error passed."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    return "\n".join(f"      {frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-4:])


def tried(folder: Path, *, deep: bool, verbs: bool = False) -> Outcome:
    """Return what became of an artefact when it was read, and, where that is asked for, loaded, called and given to verbs.

    :param deep: load it, call it, explain an output.
    :param verbs: run the command line's verbs on it.
    """
    outcome, before = Outcome(), _snapshot(folder)
    _watch()
    _connections.clear()
    with _limited():
        outcome.use("check", lambda: check(folder))
        outcome.use("list", lambda: _listed(folder))
        outcome.use("info", lambda: summarise(folder))
        outcome.use("needs", lambda: needs(folder))
        if deep:
            _load(outcome, folder)
            outcome.use("verify", lambda: verify(folder))
        if verbs:
            _verbs(outcome, folder)
    if _snapshot(folder) != before:
        outcome.faults.append("the folder was changed")
    if _connections:
        outcome.faults.append(f"it connects: {_connections[0]}")
    return outcome


def _listed(folder: Path) -> None:
    """List the folder; what is told of it must be fit to be shown or counted."""
    for one in find(folder):
        assert isinstance(one.trouble, str)
        assert one.value is None or isinstance(one.value, float)


def _load(outcome: Outcome, folder: Path) -> None:
    loaded: list[Any] = []
    if not outcome.use("load", lambda: loaded.append(functory.load(folder))):
        return
    [function] = loaded
    outcome.use("call", lambda: function(TEXT))
    outcome.use("map", lambda: list(function.map([TEXT, "x", "好 " * 90], progress=False)))
    if function.form.kind != "composite":
        outcome.use("explain", lambda: function.explain(TEXT, method="occlusion"))
    outcome.use("describe", lambda: (function.info(), function.optimization, repr(function), function._repr_html_()))
    function.close()


def _verbs(outcome: Outcome, folder: Path) -> None:
    """Run every verb that reads artefacts; what it prints and how it ends is looked at."""
    inside, table = folder.parent / f"{folder.name}-written", folder.parent / f"{folder.name}.csv"
    table.write_text("text,label\n" + "a good film,yes\na bad film,no\n" * 6)
    for line in (
        ["list", str(folder.parent)], ["info", str(folder)], ["verify", str(folder)], ["run", str(folder), TEXT],
        ["run", str(folder), TEXT, "--json"], ["explain", str(folder), TEXT, "--method", "occlusion"],
        ["package", str(folder), "--output", str(inside)], ["evaluate", str(folder), "--data", str(table)],
        ["compare", str(folder), str(folder), "--data", str(table)],
    ):  # fmt: skip
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            outcome.use(f"functory {line[0]}", lambda: _ended(main(line)))  # noqa: B023
        told = out.getvalue() + err.getvalue()
        for what, is_there in (("a traceback", "Traceback" in told), ("of a bug", "this is a bug" in told),
                               ("what steers a terminal", harmless(told) != told)):  # fmt: skip
            if is_there:
                outcome.faults.append(f"functory {line[0]} prints {what}: {told[-600:]!a}")


def _ended(code: int) -> None:
    if code not in (0, 1, 2):
        raise RuntimeError(f"exit code {code}")


def _snapshot(folder: Path) -> dict[str, str]:
    """Return every file below a folder with what it holds, or what else is there."""
    found = {}
    for root, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            path = Path(root, name)
            is_plain = path.is_file() and not path.is_symlink()
            found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest() if is_plain else str(path.lstat().st_mode)
    return found


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    """Let a case that takes too long end."""

    def ring(*_: object) -> None:
        raise Hangs

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _watch(seen: list[bool] = []) -> None:  # noqa: B006  # once a process
    """Note every attempt to connect."""
    if not seen:
        seen.append(True)
        sys.addaudithook(lambda event, args: _connections.append(event) if event in _REACHING else None)
