"""The border at which what others wrote is read: whatever a library raises there is told as a fault of the artefact.

A hash says that bytes are those that were written; it does not say that they mean anything. Whoever made them may have
made them so. So all code that reads a member runs inside `reading`, whosever it is: ours, a plugin's, a runtime's.

What is no fault of the bytes passes as it is: Ctrl-C, a memory that is full, and what no bytes can cause, a name or a
module that a plugin's code lacks. Errors that functory raises on purpose pass too, but for those that blame a caller
for an input or an option: here nobody gave one but the artefact. All else is the artefact's fault as far as can be known;
the cause is kept, and who read it is named, so that whoever has a fresh copy knows whom to ask.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functory.errors import (
    ArtefactCorrupt,
    DataError,
    FunctoryError,
    GenerationError,
    InputError,
    OptionError,
    TooLong,
)
from functory.machine.storage import refusal
from functory.wording.harmless import harmless, in_one_line
from functory.wording.told import cut, told

FRESH = "get a fresh copy: copy the folder again, or build the function again."
_BLAMING = (DataError, GenerationError, InputError, OptionError, TooLong)
"""Errors that blame the caller's data, input or options."""
_NEVER_THE_BYTES = (MemoryError, ImportError, NameError, SyntaxError, BrokenPipeError)
_MISSHAPEN = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EINVAL, errno.ELOOP}
"""What the system says where a file is a folder, a folder is a file, or one of them is not there."""


@contextmanager
def reading(member: str, where: Path | str, *, by: str = "") -> Iterator[None]:
    """Let a block read a member of an artefact; what it raises is told with the member, the place and the remedy.

    :param member: the file's path in the artefact, or what else is read: ``engines/x-int8``, ``φ``.
    :param where: the artefact's folder.
    :param by: who reads it, where that is not functory itself: ``engine 'openvino'``.
    :raises ArtefactCorrupt: for whatever the block raises because of what was written there, as its cause.
    :raises StorageError: when the system refuses to read it.
    """
    try:
        yield
    except (*_NEVER_THE_BYTES, KeyboardInterrupt):
        raise
    except BaseException as error:  # a library in Rust panics with none of Exception
        if isinstance(error, FunctoryError) and not isinstance(error, _BLAMING):
            if type(error) is ArtefactCorrupt and not error.where:  # from `corrupt`, which does not know the member
                error.what = f"{_what(member, by)}: {error.what}"
            error.what = harmless(error.what)
            raise error.located(str(where)) from error.__cause__
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        line = _told(error)
        found = refusal(error, doing=_what(member, by)) if isinstance(error, OSError) or "(os error " in line else None
        if found is not None and found.errno not in _MISSHAPEN:
            raise found from error
        raise ArtefactCorrupt(f"{_what(member, by)}: {line}.", where=str(where), do=_do(by)) from error


@dataclass(frozen=True, slots=True)
class Source:
    """Where in an artefact something was read, for what fails only when it is used.

    :param member: as `reading` takes it, with `where` and `by`.
    """

    member: str
    where: Path
    by: str = ""

    def reading(self) -> AbstractContextManager[None]:
        """Return the border for what uses it."""
        return reading(self.member, self.where, by=self.by)


def corrupt(what: str) -> ArtefactCorrupt:
    """Return the error of what was read and means nothing; `reading` says where.

    :param what: in one clause, without the member and without a full stop.
    """
    return ArtefactCorrupt(cut(what).rstrip(".") + ".", do=FRESH)


def _told(error: BaseException) -> str:
    """Return a foreign error in one line that any terminal can show."""
    if isinstance(error, FunctoryError):
        return cut(error.what).rstrip(".")
    return cut(complaint(error) if hasattr(error, "error_count") else told(error)).rstrip(" .:")


def complaint(error: Any) -> str:  # Any: pydantic is not imported for it
    """Return pydantic's first complaint in one line: where, what, and what was given."""
    fault = error.errors(include_url=False)[0]
    message, shown = fault["msg"].removeprefix("Value error, ").rstrip("."), repr(fault["input"])
    place = ".".join(map(str, fault["loc"])) or "input"
    return f"{place}: {message[:1].lower()}{message[1:]} (got {shown if len(shown) <= 60 else shown[:57] + '…'})"


def _what(member: str, by: str) -> str:
    return f"{in_one_line(member)} cannot be read{f' by {by}' if by else ''}"


def _do(by: str) -> str:
    return f"{FRESH} If this one is fresh, report it to whoever made the {by}." if by else FRESH
