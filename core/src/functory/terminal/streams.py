"""Stdout and stderr as the command line has them: what others wrote harms nobody, and every character finds a place.

One place for every verb, argparse and warnings too, so that no line of output can forget it. Our own bars and colours
are written to the stream beneath; what a plugin's own code draws on a terminal is left to it.
"""

from __future__ import annotations

import codecs
import io
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any, TextIO

from functory.wording.harmless import harmless, harmless_json, json_escape

FALLBACKS = {
    "φ": "phi", "θ": "theta", "σ": "sigma", "μ": "u", "µ": "u", "√": "sqrt ", "⁶": "^6", "²": "^2", "…": "...", "→": "->",
    "←": "<-", "−": "-", "–": "-", "—": "-", "×": "x", "·": "-", "•": "*", "─": "-", "━": "-", "│": "|", "├": "|", "└": "`",
    "┌": "+", "┐": "+", "┘": "+", "┤": "|", "┬": "-", "┴": "-", "┼": "+", "╶": "-", "╴": "-", "╷": "|", "╵": "|", "█": "#",
    "▉": "#", "▊": "#", "▋": "#", "▌": "#", "▐": "#", "▀": "#", "▄": "#", "▏": "|", "▕": "|", "░": ".", "▒": ":", "▓": "#",
    "◂": "<", "▸": ">", "✓": "ok", "✗": "x", "≤": "<=", "≥": ">=", "≈": "~", "±": "+/-", "°": " deg", "‖": "||",
    "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "\u00a0": " ", "\u202f": " ",
}  # fmt: skip
"""Our own signs, for terminals that have no others than those of ASCII, or of another script."""

PLAIN, JSON = "functory-plain", "functory-json"
_DRAWN = re.compile(r"\r|\x1b\[[0-9;?]*[A-Kmhl]")
"""What bars and colours are made of."""


def _plainly(error: UnicodeError) -> tuple[str, int]:
    """Give our own signs in ASCII, and a question mark for each character else that an encoding lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(FALLBACKS.get(one, "?") for one in error.object[error.start : error.end]), error.end


def _as_json(error: UnicodeError) -> tuple[str, int]:
    """Give what JSON writes in the place of characters that an encoding lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(json_escape, error.object[error.start : error.end])), error.end


codecs.register_error(PLAIN, _plainly)
codecs.register_error(JSON, _as_json)


def encodable(content: str, stream: TextIO) -> str:
    """Return text with what a stream's encoding lacks put in signs that it has."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return content.encode(encoding, PLAIN).decode(encoding)


class Over(io.TextIOBase):
    """A stream that stands for another one. It is a terminal where that one is, and stays open."""

    def __init__(self, beneath: TextIO) -> None:
        self.beneath = beneath

    def flush(self) -> None:
        self.beneath.flush()

    def close(self) -> None:
        """Stay open: the stream is not ours to close."""

    def isatty(self) -> bool:
        return self.beneath.isatty()

    def fileno(self) -> int:
        return self.beneath.fileno()

    def writable(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a plain attribute there
        return self.beneath.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]  # as above
        return self.beneath.errors

    def __getattr__(self, name: str) -> Any:  # Any: whatever the stream has
        return getattr(self.beneath, name)


class Harmless(Over):
    """A stream through which nothing steers a terminal, turns a line around or hides.

    :param fit: how such characters are replaced.
    """

    def __init__(self, beneath: TextIO, fit: Callable[[str], str]) -> None:
        super().__init__(beneath)
        self._fit = fit
        self.is_for_results = False
        """Whether it takes what functory itself writes, and nothing that other code prints."""

    def write(self, text: str) -> int:
        if not self.is_for_results or _is_functorys():
            self.beneath.write(self._fitted(text))
        elif sys.stderr is not None:
            sys.stderr.write(text)
        return len(text)

    def _fitted(self, text: str) -> str:
        if text == "\n":
            return text
        if self._fit is harmless and not _is_ours():
            return _drawn(text) if self.beneath.isatty() else text
        return self._fit(text)


def _is_ours() -> bool:
    """Return whether functory, or Python's own library for it, writes this: not the code of a plugin or of what it uses."""
    frame = sys._getframe(3)
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).startswith("functory.terminal."):
        frame = frame.f_back
    top = str(frame.f_globals.get("__name__")).partition(".")[0]
    return top == "functory" or top.startswith("functory_") or top in sys.stdlib_module_names


def _is_functorys() -> bool:
    """Return whether functory writes this, if by Python's own library; code of plugins, its own too, is not functory."""
    printing = getattr(print, "__code__", None)  # somebody may have put his own in its place
    frame: FrameType | None = sys._getframe(2)
    writer = ""
    while frame is not None and not (writer and printing is None):
        top = str(frame.f_globals.get("__name__")).partition(".")[0]
        if frame.f_code is printing:
            writer = ""
        elif not writer and top not in sys.stdlib_module_names:
            writer = top
        frame = frame.f_back
    return writer == "functory"


def _drawn(text: str) -> str:
    """Return what a plugin's own code draws on a terminal: bars and colours stay."""
    return "".join(
        part if _DRAWN.fullmatch(part) else harmless(part) for part in re.split(f"({_DRAWN.pattern})", text) if part
    )


@contextmanager
def harmless_streams(as_json: bool) -> Iterator[None]:
    """Let all that is written to stdout and stderr be harmless for a while, and find a place in their encodings.

    :param as_json: stdout holds JSON, which is escaped, so that it means what it meant.
    """
    with ExitStack() as stack:
        for name in ("stdout", "stderr"):
            stream, is_json = getattr(sys, name), as_json and name == "stdout"
            if stream is None or isinstance(stream, Harmless):  # closed before the program began; a verb within a verb
                continue
            if isinstance(stream, io.TextIOWrapper):
                stack.callback(stream.reconfigure, errors=stream.errors)
                stream.reconfigure(errors=JSON if is_json else PLAIN)
            put = Harmless(stream, harmless_json if is_json else harmless)
            stack.callback(_give_back, name, put)
            setattr(sys, name, put)
        yield


@contextmanager
def results_alone() -> Iterator[None]:
    """Keep stdout for what functory itself writes for a while; what plugins and libraries print goes to stderr."""
    stream: Any = sys.stdout
    if not isinstance(stream, Harmless):
        yield
        return
    before, stream.is_for_results = stream.is_for_results, True
    try:
        yield
    finally:
        stream.is_for_results = before


def _give_back(name: str, put: Harmless) -> None:
    """Give a stream back, where nobody else has taken its place."""
    if getattr(sys, name) is put:
        setattr(sys, name, put.beneath)


def raw(stream: TextIO) -> TextIO:
    """Return the stream itself beneath what keeps it harmless: for our own bars and colours."""
    return stream.beneath if isinstance(stream, Harmless) else stream


def exact(stream: TextIO) -> TextIO:
    """Return where an answer is written as it is: a file or a pipe gets each of its characters, a terminal the harmless ones."""
    return stream if stream.isatty() else raw(stream)
