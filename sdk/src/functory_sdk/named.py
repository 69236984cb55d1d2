"""Opens functions as commands name them that serve several: a folder, an installed function's name, or NAME=FOLDER."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from functory.artefact.opening import open_artefact
from functory.contracts.engine import SessionOptions
from functory.errors import UsageError
from functory.function import Function

NAME = re.compile(r"[A-Za-z0-9][\w.@-]*", re.ASCII)
"""What a function may be called in a path."""


@dataclass(frozen=True)
class Named:
    """A function and where it lies, for who opens it again.

    :param place: a folder, or an installed function's name.
    """

    function: Function
    place: str


def open_named(said: Sequence[str], session: SessionOptions | None = None) -> dict[str, Named]:
    """Return the functions that arguments name, by their names.

    :param said: the arguments.
    :raises UsageError: when two have one name, or one's is none for a path.
    :raises ArtefactError: for what is no function.
    """
    found: dict[str, Named] = {}
    for one in said:
        name, equals, place = one.partition("=")
        is_named = bool(equals) and NAME.fullmatch(name) is not None
        place = place if is_named else one
        function = open_artefact(place, session=session)
        name = name if is_named else function.name
        if NAME.fullmatch(name) is None:
            raise UsageError(f"{name!r} is no name for a path.", where=one, do=f"give it another: NAME={place}.")
        if name in found:
            do = f"give one another name: {name}@{function.about.version}={place}."
            raise UsageError(f"two functions are called {name!r}.", where=one, do=do)
        found[name] = Named(function, place)
    return found
