"""Keeps a function whose saving failed, or that something else would lose, and says where.

Apart from `writing`: what was trained for an hour is not lost because a disk is full, or somebody pressed Ctrl-C late.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from functory.artefact.writing import save, write
from functory.errors import FunctoryError
from functory.machine.rescuing import rescued
from functory.machine.storage import refusal

if TYPE_CHECKING:
    from functory.function import Function


def save_or_keep(function: Function, folder: Path) -> Path:
    """Save a function; where that fails, however it fails, keep it elsewhere and say in the error where that is.

    :raises FunctoryError: as `save`, with the place where the function is kept.
    """
    with kept_on_failure(function):
        return save(function, folder)


@contextmanager
def kept_on_failure(function: Function) -> Iterator[None]:
    """Keep a trained function where the block fails or is interrupted, and say in what it raises where that is.

    :raises FunctoryError: the block's own, with the place in its remedy.
    :raises KeyboardInterrupt: with the place, where the block was interrupted.
    """
    try:
        yield
    except KeyboardInterrupt as told:
        raise KeyboardInterrupt(*told.args, keep(function)) from None
    except Exception as error:
        failure = error if isinstance(error, FunctoryError) else refusal(error)
        if failure is None:
            error.add_note(keep(function))
            raise
        failure.do = " ".join(filter(None, (failure.do, keep(function))))
        raise failure from (None if failure is error else error)


def keep(function: Function) -> str:
    """Write a function to the first place that takes it, and return what is to be said of that.

    Its golden examples are not replayed: that may be what failed. `functory verify` does it.
    """
    return rescued("the function", function.name.replace(".", "-"), lambda made: write(function, made))
