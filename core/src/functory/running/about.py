"""What a function is, besides what it computes: what its manifest and its card say of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from functory.reading.reader import LongText


@dataclass
class About:
    """What a function is, besides what it computes: names, recipe, provenance, figures.

    :param recipe: what it was built from, as plain data.
    :param data: hash and counts of the data.
    :param versions: of the packages that made it.
    :param metrics: the figures of the last evaluation, by name.
    :param tried: the adaptations among which the build chose, each a `functory.measuring.trials.Trial`.
    """

    name: str
    version: str = "0.1.0"
    licence: str = ""
    long_text: LongText = "window"
    max_tokens: int = 0
    recipe: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    optimization: dict[str, Any] | None = None
    licences: tuple[str, ...] = ()
    tried: tuple[Any, ...] = ()
