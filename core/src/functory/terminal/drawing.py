"""Text and tables: in colour on a terminal, plain elsewhere. Data is never read as markup.

Rich costs 40 ms and more, so it is imported when something is drawn.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO

from functory.terminal.streams import encodable
from functory.terminal.widths import columns, cut, width
from functory.wording.harmless import harmless

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.measure import Measurement
    from rich.segment import Segment
    from rich.text import Text


def table(
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str = "",
    right: Iterable[int] = (),
    short: Iterable[int] = (),
) -> RenderableType:
    """Return a table for `show`, or for a class's ``__rich__``.

    :param rows: cells as text; nothing in them is read as markup.
    :param right: the columns, from 0, that are set to the right: numbers.
    :param short: the columns whose cells are cut where the terminal has no room for them, and take no second line.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    drawn = Table(
        box=SIMPLE_HEAD, title=Text(clean(title), "bold") if title else None, title_justify="left", pad_edge=False
    )
    for n, name in enumerate(header):
        drawn.add_column(Text(clean(name)), justify="right" if n in set(right) else "left")
    one_line = set(short)
    for row in rows:
        cells = [clean(str(cell)) for cell in row]
        drawn.add_row(*(_OneLine(cell) if n in one_line else Text(cell) for n, cell in enumerate(cells)))
    return drawn


class _Harmless:
    """Whatever is drawn, with no character in it that steers, turns or hides: a class may draw itself with rich alone."""

    def __init__(self, drawn: Any) -> None:  # Any: what rich draws
        self.drawn = drawn

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        from rich.segment import Segment

        for segment in console.render(self.drawn, options):
            yield segment if segment.control else Segment(clean(segment.text), segment.style)


class _OneLine:
    """A text that takes one line, of the width that there is."""

    def __init__(self, content: str) -> None:
        self.content = content

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        from rich.measure import Measurement

        wide = width(self.content)
        return Measurement(min(wide, 8), wide)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        from rich.text import Text

        yield Text(cut(self.content, options.max_width), no_wrap=True)


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
        from functory.terminal.foot import styled

        out = styled(stream)
        console = _console(out, columns(stream))
        with console.capture() as drawn:
            console.print(_Harmless(renderable))
        out.write(encodable(drawn.get(), stream))
    else:
        stream.write(encodable(as_text(renderable), stream) + "\n")


def as_text(renderable: Any) -> str:  # Any: as above
    """Return what `show` prints off a terminal: no colours, no line cut, no space at line ends."""
    if isinstance(renderable, str):
        return clean(renderable)
    import io

    console = _console(io.StringIO(), 1000, no_color=True)
    console.print(_Harmless(renderable))
    drawn = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO above
    return "\n".join(line.rstrip() for line in drawn.rstrip("\n").split("\n"))


def _console(stream: TextIO, width: int, no_color: bool | None = None) -> Console:
    from rich.console import Console

    sized = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}  # they may be no numbers
    return Console(
        file=stream, width=width, highlight=False, markup=False, emoji=False, no_color=no_color, _environ=sized
    )


def is_terminal(stream: TextIO) -> bool:
    """Return whether a stream is a terminal that can redraw a line."""
    return stream.isatty() and os.environ.get("TERM", "") not in ("dumb", "unknown")


def clean(content: str) -> str:
    """Return text with every character replaced that would steer the terminal, turn a line around or hide."""
    return harmless(content)


def tell(content: str, stream: TextIO | None = None) -> None:
    """Print a line to stderr from anywhere, with others' words in it; where nobody can read it, nothing happens."""
    stream = stream or sys.stderr
    if stream is None:  # closed before the program began
        return
    with suppress(OSError, ValueError):
        stream.write(encodable(clean(content), stream) + "\n")
        stream.flush()


def duration(seconds: float) -> str:
    """Return a time in the unit that reads best: ``4.2 s``, ``3 min``, ``2.5 h``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
