"""Samples that are each wrong in one way: what the suite must find. Not a plugin."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from functory_sdk import NoOptions, Sample

counter = itertools.count(1)


class Unlicensed(Sample[NoOptions]):
    """Has no licence, and other rows each time."""

    licence: ClassVar[str] = ""
    columns: ClassVar[Mapping[str, str]] = {"text": "a text"}

    def locate(self) -> Path:
        return Path(__file__)

    def rows(self) -> Iterator[dict[str, Any]]:
        yield {"text": str(next(counter))}


class Empty(Unlicensed):
    """Has no rows."""

    def rows(self) -> Iterator[dict[str, Any]]:
        return iter(())
