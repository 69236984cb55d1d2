"""The folder of a run: held by one build at a time, and kept until the function is safe.

Two builds of one recipe meet here. The second says who holds the folder and waits; then it goes on from what the first left:
what was learned, where that is all, so that it trains nothing again; a checkpoint, where the first was broken off. A
training's bits hang on its recipe and data alone, so both functions are the one that each build ends in alone.
"""

from __future__ import annotations

import errno
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from functory.contracts.engine import Event
from functory.errors import TrainingError, add_remedy
from functory.machine import holding
from functory.machine.places import cache, cache_root
from functory.machine.storage import misplaced, refusal
from functory.terminal import Progress, progress
from functory.training.learned import is_kept

LOOK_SECONDS = 0.2
SAID = "_functory_says_what_is_left"
NOTHING = "Nothing was learned yet that could be kept: the same build begins the training again."
EARLIER = "The same build takes up what it fitted before this training, and begins this one again."
NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
"""What the system says of a lock where a file system, mostly a network's, has none."""


class RunFolder:
    """The folder of one run. Enter it before the training; leave it when the function is saved, or handed over.

    Left without an error, it is removed, unless the user named it or somebody waits for it. Left with one, it stays, and
    the error says what it holds and what the same build makes of it.

    :param key: what decides φ, and names the folder in the cache.
    :param named: the folder that the user named, in its place.
    :param name: the run's, for people.
    :param tell: told what a person should know.
    """

    def __init__(self, key: str, named: Path | None, name: str, tell: Callable[[str], None]) -> None:
        self.key, self.named, self.name, self.tell = key, named, name, tell
        self.path = named or cache_root() / "runs" / key
        self._hold: holding.Hold | None = None
        self._is_apart = False  # a folder of its own, which the same build does not find
        self._step = 0

    def __enter__(self) -> RunFolder:
        try:
            if self.named is None:
                cache("runs")
            self._hold = holding.take(self.path) or self._awaited()
        except OSError as error:
            self._without(error)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and (left := self._left(error)):
            _add(error, left)
        is_ours = self.named is None or self._is_apart
        if error is None and is_ours and not holding.is_awaited(self.path):
            shutil.rmtree(self.path, ignore_errors=True)
        if self._hold is not None:
            self._hold.release()

    def observe(self, event: Event) -> None:
        """Note how far what lies here goes."""
        if event.kind == "checkpoint":
            self._step = event.step

    def _awaited(self) -> holding.Hold | None:
        """Wait until the folder is free; a build within the one that holds it would wait for ever, and goes elsewhere."""
        if holding.is_held_by_this_thread(self.path):
            self._go_apart("it is a build within a build of the same recipe")
            return None
        who = holding.holder(self.path) or "another build"
        self.tell(f"{self.path} is in use by {who}: waiting for it, to go on from what it leaves.")
        bar: Progress[None]
        with holding.waiting(self.path), progress(None, f"{self.name}: waiting for {who}") as bar:
            while (hold := holding.take(self.path)) is None:
                time.sleep(LOOK_SECONDS)
                bar.advance(0)
        return hold

    def _without(self, error: OSError) -> None:
        """Go on where the folder cannot be held, or not be made.

        :raises FunctoryError: where the user named a folder that cannot be written.
        """
        is_lockless = error.errno in NO_LOCKS
        if self.named is None:
            refused = refusal(error)
            self._go_apart("its file system has no locks" if is_lockless else f"{refused.what if refused else error}")
        elif is_lockless:
            self.tell(f"the file system of {self.path} has no locks: see that no other build uses the folder.")
        else:
            raise misplaced(error, self.named) from error

    def _go_apart(self, reason: str) -> None:
        """Take a folder that no other build knows."""
        shared, self._is_apart = self.path, True
        try:
            made = tempfile.mkdtemp(prefix=f"{shared.name}-", dir=shared.parent)
        except OSError:
            made = tempfile.mkdtemp(prefix="functory-run-")
        self.path = Path(made)
        self.tell(f"the run takes a folder of its own, {self.path}, and not {shared}: {reason.rstrip('.')}.")

    def _left(self, error: BaseException) -> str:
        """Return what the folder holds now, and what the same build makes of it; nothing where that is no help."""
        same = f"the same build with --run {self.path} (in Python run=…)" if self._is_apart else "the same build"
        if is_kept(self.path, self.key):
            return f"What was learned is kept in {self.path}: {same} takes it up and trains nothing again."
        if isinstance(error, TrainingError):  # it would come to the same end
            return ""
        if self._step:
            return f"{same[:1].upper()}{same[1:]} goes on from the checkpoint at step {self._step:,}, in {self.path}."
        if isinstance(error, KeyboardInterrupt):
            return NOTHING
        return ""


def _add(error: BaseException, left: str) -> None:
    """Let an error say what is left, whichever way it is told: of several runs of a build the last's, and, where that has
    nothing, that those before it have.
    """
    said = getattr(error, SAID, "")
    if said:
        if said == NOTHING != left:
            setattr(error, SAID, EARLIER)
            error.args = (*error.args[:-1], EARLIER)
        return
    setattr(error, SAID, left)
    add_remedy(error, left)
