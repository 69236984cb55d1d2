"""What the text of a cell holds: a list or an object, as JSON, Python or numpy write them. Nothing in it is ever run."""

from __future__ import annotations

import ast
import io
import json
import re
import threading
import tokenize
import warnings
from typing import Any

_VALUES = (tokenize.STRING, tokenize.NUMBER, tokenize.NAME)
_OPENING = {"[": "]", "{": "}", "(": ")"}
_BEGINS = re.compile(r"""\s*(\[\s*["'{\[]|\{\s*["'])""")
"""How JSON begins, and hardly any other text."""
_FILTERS = threading.Lock()  # of warnings: two threads that put them aside at once would put them back in the wrong order


def structure(text: str) -> Any:  # Any: what JSON and Python can write
    """Return the list or the object that a text writes; the text itself where it writes none.

    numpy puts white space between the members of an array, and Python would join two texts that stand so: they are kept
    apart here.
    """
    bare = text.strip()
    if not bare or _OPENING.get(bare[0]) != bare[-1]:
        return text
    try:
        return json.loads(bare)
    except (ValueError, RecursionError):
        found = _python(bare)
        return text if found is None else found


def broken(text: str) -> str:
    """Return why a text that begins as a list or an object of texts, or of lists and objects, does is none; empty where it is
    one, or begins as any text may.
    """
    begins = _BEGINS.match(text)
    if not begins or not isinstance(structure(text), str):
        return ""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        if "'" not in begins[0]:  # as Python writes it
            return f"no valid JSON: {error.msg[0].lower()}{error.msg[1:]}, at character {error.pos + 1}"
    except (ValueError, RecursionError):
        pass
    return "no list and no object, and begins like one"


def _python(text: str) -> Any:  # Any: as above
    """Return what a literal of Python means, tuples and sets as lists; None where it is none."""
    try:
        with _FILTERS, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a backslash that begins nothing
            found = ast.literal_eval(_separated(text))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError, tokenize.TokenError):
        return None
    if isinstance(found, (tuple, set)):
        return sorted(found, key=repr) if isinstance(found, set) else list(found)
    return found if isinstance(found, (list, dict)) else None


def _separated(text: str) -> str:
    """Return a literal with a comma between texts, numbers and truth values that have but white space between them.

    :raises tokenize.TokenError: when it is no Python.
    """
    tokens = list(tokenize.generate_tokens(io.StringIO(text.replace("\n", " ")).readline))
    parts, before = [], None
    for token in tokens:
        if token.type in _VALUES and before == token.type:
            parts.append(",")
        parts.append(token.string)
        before = token.type
    return " ".join(parts).strip()
