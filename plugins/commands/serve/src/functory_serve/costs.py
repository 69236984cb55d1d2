"""What an input costs, before it is read: tokens as they may be, told by the length of its texts, and those that are written.

Told by bytes, because a tokenizer would cost the server's loop more than it is worth: four bytes of English make a token, and
a Chinese character of three nearly one. Whatever it is off by, the pace that a function is measured at is off by too.
"""

from __future__ import annotations

from typing import Any

from functory_sdk import Function, texts_in

BYTES = 4
"""Bytes of text that make a token."""
OWN = 4
"""Tokens that every input has besides its texts: marks, and what it is to be read."""


def cost_of(value: Any) -> int:  # Any: a task's Input
    """Return what it may cost to read one input."""
    return OWN + sum(len(text.encode(errors="replace")) for text in texts_in(value)) // BYTES


def written_by(function: Function) -> int:
    """Return how many tokens a function may write for one input; 0 where it writes none, or they are not known."""
    put = getattr(function.form, "formulation", None)
    how = put.decoding if put is not None else None
    return how.max_new_tokens * how.samples if how is not None else 0
