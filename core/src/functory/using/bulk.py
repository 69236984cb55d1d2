"""A function on a whole file: the answers beside its rows in another, resumed where a run was broken off.

Each list of answers goes into a journal in the cache, and the file is made of it in the end, whole or not at all. So nothing
is held in memory however long the file is, and a killed run loses the list that it was at. The same run, begun again, finds
its journal by all that decides the answers. It answers the same lists of rows as it would have, and so writes the same bytes.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functory.data.writing import writer_of
from functory.errors import StorageError, UsageError, add_remedy
from functory.machine import holding
from functory.machine.folders import file_written_whole
from functory.machine.journal import Journal
from functory.machine.keeping import go_without
from functory.machine.places import cache, cache_root
from functory.machine.rescuing import rescued
from functory.machine.storage import telling
from functory.machine.targets import replaceable_file
from functory.running.replays import identity
from functory.using.answered import Again, Answered, changed

if TYPE_CHECKING:
    from functory.function import Function

AT_ONCE = 256
"""Rows that are answered together: enough to sort by length, few enough to lose when a run is killed."""


def check_target(path: Path) -> None:
    """Refuse a place where no answers can be written; asked before a function is opened.

    :raises OptionError: when the file's name tells no format that is written.
    :raises UsageError: when no file can be there.
    """
    writer_of(path)
    replaceable_file(path)


@contextmanager
def bulk(
    path: Path, function: Function, again: Again | None, *, top: int | None = None, bad: str = "stop", said: Any = None
) -> Iterator[Answered]:  # Any: plain data
    """Give what takes the answers of a function, from the row on that an earlier run was broken off at; they are written when the
    block ends well. A block that raises leaves the file as it was, and the answers for the same run.

    :param path: the file that is written.
    :param again: the rows, where they can be read again; a run without goes on nowhere.
    :param top: how many of what was scored; all when None.
    :param bad: what becomes of a row without an answer: ``stop``, ``skip`` or ``keep``.
    :param said: what else decides the answers: how a function that writes is to write.
    :raises UsageError: where another process is at the same run.
    :raises StorageError: when the file cannot be written, with the place where the answers are.
    :raises DataError: where the rows were changed meanwhile.
    """
    check_target(path)
    with ExitStack() as stack:
        before = again.identity() if again else []
        folder = _held(stack, _key([function, path, top, said], before)) if again else None
        kept = folder is not None
        place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="functory-run-")))
        with telling(place, doing="the answers cannot be kept"):
            journal = Journal(place / "answers.jsonl")
        stack.callback(journal.close)
        made = Answered(path, journal, again, top, bad)
        try:
            yield made
            _finish(made, again, before, kept)
        except BaseException as error:
            if kept and journal.rows:
                is_ = "row is" if journal.rows == 1 else "rows are"
                add_remedy(error, f"{journal.rows:,} {is_} answered and kept: the same command goes on from there.")
            elif kept:
                shutil.rmtree(place, ignore_errors=True)
            raise
        if kept:
            shutil.rmtree(place, ignore_errors=True)


def _finish(made: Answered, again: Again | None, before: list[Any], kept: bool) -> None:
    """Write the file; without a journal that stays, what finds no room is kept elsewhere."""
    if again and again.identity() != before:
        raise changed(again)
    try:
        with file_written_whole(made.path) as file:
            made.write(file)
    except StorageError as error:
        if not kept:
            error.do = f"{error.do} {rescued('the file', made.path.name, made.write, file_written_whole)}"
        raise


def _key(asked: Sequence[Any], before: list[Any]) -> str:
    """Return what all that decides the answers comes to."""
    function, path, top, said = asked
    about = [identity(function), writer_of(path).writes, top, said, AT_ONCE, before]
    return sha256(json.dumps(about, sort_keys=True, default=str).encode()).hexdigest()[:24]


def _held(stack: ExitStack, key: str) -> Path | None:
    """Return the folder of a run, held; None where the cache cannot be written.

    :raises UsageError: where another process holds it.
    """
    folder = cache_root() / "runs" / f"answers-{key}"
    try:
        cache("runs")
        hold = holding.take(folder)
    except OSError as error:
        go_without(error)
        return None
    if hold is None:
        who = holding.holder(folder) or "another process"
        raise UsageError(f"the same run is under way: {who}.", where=str(folder), do="wait for it, or stop it first.")
    stack.callback(hold.release)
    return folder
