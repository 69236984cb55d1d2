"""Finds the code in an answer, and what is wrong with its syntax. Nothing is run."""

from __future__ import annotations

import json
import re
import tomllib
import warnings
from collections.abc import Callable, Mapping

FENCE = "```"
OPENED = re.compile(r"^[ ]{0,3}```[ \t]*([^\s`]*)[^\n`]*\n", re.MULTILINE)
CLOSED = re.compile(r"^[ ]{0,3}```", re.MULTILINE)
ALIASES = {"py": "python", "python3": "python", "js": "javascript", "ts": "typescript", "sh": "bash", "rs": "rust"}


def named(language: str) -> str:
    """Return a language by the name that is used for it here."""
    lowered = language.lower()
    return ALIASES.get(lowered, lowered)


def until_fence(text: str) -> str:
    """Return what comes before the line that closes a block, of a text that begins within one."""
    closed = CLOSED.search(text)
    return text[: closed.start()] if closed else text


def extracted(text: str, language: str) -> str:
    """Return the code of an answer: its first block of that language, else its first, else the whole of it. A block that nothing
    closes goes on to the end.
    """
    blocks, place = [], 0
    while opened := OPENED.search(text, place):
        code = until_fence(text[opened.end() :])
        blocks.append((named(opened[1]), code))
        closed = CLOSED.search(text, opened.end() + len(code))
        if closed is None:
            break
        place = closed.end()
    if not blocks:
        return text
    return next((code for name, code in blocks if name == named(language)), blocks[0][1])


def checked(code: str, language: str) -> tuple[bool | None, str]:
    """Return whether the syntax of code is right, and what is wrong with it; None for languages that are not checked."""
    check = CHECKS.get(named(language))
    if check is None:
        return None, ""
    try:
        check(code)
    except SyntaxError as error:
        return False, f"line {error.lineno or 1}: {error.msg}"
    except (RecursionError, MemoryError):
        return False, "it is nested too deep"
    except ValueError as error:  # JSON, TOML; NUL in Python
        return False, str(error)
    return True, ""


def _python(code: str) -> None:
    """Compile code as a module, without running it: a ``return`` outside of functions is found too."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it would be told when it runs
        compile(code, "code", "exec", dont_inherit=True)


CHECKS: Mapping[str, Callable[[str], object]] = {"python": _python, "json": json.loads, "toml": tomllib.loads}
