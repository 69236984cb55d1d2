"""What an input costs, before it is read: tokens as they may be, told by the length of its texts.

Told by bytes, because a tokenizer would cost the server's loop more than it is worth: four bytes of English make a token, and
a Chinese character of three nearly one. Whatever it is off by, the pace that a function is measured at is off by too.
"""

from __future__ import annotations

from typing import Any

BYTES = 4
"""Bytes of text that make a token."""
OWN = 4
"""Tokens that every input has besides its texts: marks, and what it is to be read."""


def cost_of(value: Any) -> int:  # Any: a task's Input
    """Return what one input may cost."""
    return OWN + sum(len(text.encode(errors="replace")) for text in texts_in(value)) // BYTES


def texts_in(value: Any) -> list[str]:  # Any: an Input, or what its fields hold
    """Return every text that an input holds, however deep."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for one in value.values() for text in texts_in(one)]
    if isinstance(value, list | tuple):
        return [text for one in value for text in texts_in(one)]
    fields = getattr(type(value), "model_fields", ())
    return [text for name in fields for text in texts_in(getattr(value, name))]
