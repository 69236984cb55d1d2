"""What one component of a kind is called: the kinds are named by their plural."""

from __future__ import annotations


def one_of(kind: str) -> str:
    """Return the word for one component of a kind: ``task`` of ``tasks``, ``family`` of ``families``."""
    return f"{kind[:-3]}y" if kind.endswith("ies") else kind.removesuffix("s")
