"""Text that somebody else wrote, without the characters that steer a terminal, turn a line around, or hide.

Letters of every script stay, those written from right to left too; marks that override the order of a line do not.
"""

from __future__ import annotations

import re
from functools import cache

REPLACED = "\ufffd"

_NEVER = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and newline, DEL, C1: what begins an escape or moves the cursor
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks, embeddings, overrides and isolates of direction
    "\u2028\u2029"  # ends of lines that no terminal counts
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0"  # what is not seen
    "\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f"  # annotations, formats, tags
    "\ud800-\udfff"  # halves of characters
)
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
"""Those of the former that Python calls printable."""
_JOINERS = "\u200c\u200d"
"""Persian, Indic scripts and emoji are written with them, beside a character of their own; elsewhere they only hide.

They end words too, in Malayalam and Bengali, and stand between scripts: ``PDF\u200cها``."""
_TAGGED = "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{2,6}\U000e007f"
"""The flag of a part of a country: tags of its letters behind a black flag."""


@cache
def _foreign() -> re.Pattern[str]:
    joined = r"\x00-\x7f\s" + _NEVER + _JOINERS
    return re.compile(f"({_TAGGED})|[{_NEVER}]|(?<![^{joined}])[{_JOINERS}](?![^{joined}])")


def _is_plain(text: str) -> bool:
    """Return whether nothing is to be looked for: most texts are so, and patterns are a hundred times slower."""
    if not text.isascii() and not _UNSEEN.isdisjoint(text):
        return False
    return text.isprintable() or text.replace("\n", "").replace("\t", "").isprintable()


def harmless(text: str) -> str:
    """Return text with each character replaced that steers, turns or hides; tab and newline stay."""
    if _is_plain(text):
        return text
    return _foreign().sub(lambda found: found[1] or REPLACED, text.replace("\r\n", "\n"))


def is_showable(text: str) -> bool:
    """Return whether text is one line as it is, with nothing in it that steers, turns or hides."""
    return harmless(text) == text and not {"\n", "\t"} & set(text)


def harmless_json(text: str) -> str:
    """Return JSON with such characters written as JSON's own escapes, so that it means what it meant."""
    if _is_plain(text):
        return text
    return _foreign().sub(lambda found: found[1] or json_escape(found[0]), text)


def json_escape(character: str) -> str:
    """Return one character as JSON writes it in ASCII."""
    code = ord(character)
    if code > 0xFFFF:
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
    return f"\\u{code:04x}"


def harmless_html(text: str) -> str:
    """Return text for a page: harmless, and nothing in it is read as markup."""
    from html import escape

    return escape(harmless(text))


def in_one_line(text: str) -> str:
    """Return text as one harmless line."""
    return harmless(" ".join(text.split()))
