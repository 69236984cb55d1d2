"""What the head of a request says: read once, for all who ask."""

from __future__ import annotations

from starlette.types import Scope

KEY = "functory.head"
"""Under which a scope keeps it."""


class Head:
    """The lines of a head by their names, the first of several."""

    __slots__ = ("_medium", "_told")

    def __init__(self, scope: Scope) -> None:
        self._told: dict[bytes, bytes] = dict(reversed([*scope["headers"]]))
        self._medium: str | None = None

    def __contains__(self, name: bytes) -> bool:
        return name in self._told

    def get(self, name: bytes) -> str:
        """Return what a line says, by its name in small letters; empty where there is none."""
        value = self._told.get(name)
        return value.decode("latin-1") if value is not None else ""

    @property
    def medium(self) -> str:
        """What the body says that it is; empty where it says nothing."""
        if self._medium is None:
            self._medium = self.get(b"content-type").partition(";")[0].strip().lower()
        return self._medium


def head_of(scope: Scope) -> Head:
    """Return the head of the request that a scope tells of."""
    found: Head | None = scope.get(KEY)
    if found is None:
        found = scope[KEY] = Head(scope)
    return found
