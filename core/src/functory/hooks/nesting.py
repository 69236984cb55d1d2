"""Notices a hook plugin that calls itself by what it calls: a build in a build in a build."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import local

DEEPEST = 5
"""How often a plugin may take part in a step while it takes part in that step: a function made of functions is one such."""


class Misdeed(Exception):
    """What a hook plugin did that no step bears; it is told as that plugin's `HookError`."""


class _Under(local):
    """The steps under way in this thread, with who takes part."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[type, str, str]] = Counter()


_under = _Under()


@contextmanager
def entered(owner: type, name: str, step: str) -> Iterator[None]:
    """Count a plugin as taking part in a step.

    :param owner: the plugin's class: each build has an object of its own.
    :param name: as the list has it: objects of one class may stand in it side by side.
    :raises Misdeed: when it does so too often, within itself.
    """
    key = (owner, name, step)
    if _under.counts[key] >= DEEPEST:
        raise Misdeed("it calls itself again by what it calls; name no hooks in what it builds or evaluates")
    _under.counts[key] += 1
    try:
        yield
    finally:
        _under.counts[key] -= 1
