"""Text and tables: in colour on a terminal, plain elsewhere. Data is never read as markup.

Rich costs 40 ms and more, so it is imported when something is drawn.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

# Data must not steer the terminal.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # all but tab and newline


def table(
    header: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "", right: Iterable[int] = ()
) -> RenderableType:
    """Return a table for `show`, or for a class's ``__rich__``.

    :param rows: cells as text; nothing in them is read as markup.
    :param right: the columns, from 0, that are set to the right: numbers.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    drawn = Table(
        box=SIMPLE_HEAD, title=Text(title, "bold") if title else None, title_justify="left", pad_edge=False
    )
    for n, name in enumerate(header):
        drawn.add_column(Text(clean(name)), justify="right" if n in set(right) else "left")
    for row in rows:
        drawn.add_row(*(Text(clean(str(cell))) for cell in row))
    return drawn


def text(content: str, style: str = "") -> RenderableType:
    """Return text for `show`, free of markup and of characters that steer a terminal."""
    from rich.text import Text

    return Text(clean(content), style)


def group(*parts: RenderableType) -> RenderableType:
    """Return several things, one below the other."""
    from rich.console import Group

    return Group(*parts)


def show(renderable: Any, stream: TextIO | None = None) -> None:  # Any: what has `__rich__`, or a text
    """Print to stdout: in colour on a terminal, as plain text elsewhere."""
    stream = stream or sys.stdout
    if is_terminal(stream) and not isinstance(renderable, str):
        _console(stream).print(renderable)
    else:
        stream.write(encodable(plain(renderable), stream) + "\n")


def plain(renderable: Any) -> str:  # Any: as above
    """Return what `show` prints off a terminal: no colours, no line cut, no space at line ends."""
    if isinstance(renderable, str):
        return clean(renderable)
    import io

    console = _console(io.StringIO(), width=1000)
    console.print(renderable)
    drawn = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO above
    return "\n".join(line.rstrip() for line in drawn.rstrip("\n").split("\n"))


def _console(stream: TextIO, width: int | None = None) -> Console:
    from rich.console import Console

    return Console(
        file=stream, width=width, highlight=False, markup=False, emoji=False, no_color=True if width else None
    )


def is_terminal(stream: TextIO) -> bool:
    """Return whether a stream is a terminal that can redraw a line."""
    return stream.isatty() and os.environ.get("TERM", "") not in ("dumb", "unknown")


def clean(content: str) -> str:
    """Return text with every control character but tab and newline replaced."""
    return _CONTROL.sub("\ufffd", content)


def encodable(content: str, stream: TextIO) -> str:
    """Return text with what a stream's encoding lacks replaced."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return content.encode(encoding, "replace").decode(encoding)


def duration(seconds: float) -> str:
    """Return a time in the unit that reads best: ``4.2 s``, ``3 min``, ``2.5 h``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
