"""Draws a graph of entities over its text: for a terminal, and as SVG that holds no markup of the data's."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from functory_sdk import harmless_html

if TYPE_CHECKING:
    from functory_relation.graph import Edge, Graph

UNIT, LINE, BASE = 9, 34, 16
"""Pixels: of a column of text, between arrows, of the text's letters."""


def width(text: str) -> int:
    """Return how many columns a text takes: two for each wide character, none for marks above others and for joiners."""
    return sum(map(_takes, text))


def _takes(one: str) -> int:
    if unicodedata.category(one) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(one) in "WF" else 1


def in_terminal(graph: Graph, columns: int) -> str:
    """Return the text with its entities in brackets below, and a line for each relation."""
    text = _flat(graph.text)
    if width(text) > columns:
        return "\n".join([graph.in_line(), *(f"  {node.label}: {node.text}" for node in graph.nodes)])
    places = [(width(text[: node.start]), width(text[: node.end])) for node in graph.nodes]
    below = ""
    for (start, end), node in zip(places, graph.nodes, strict=True):
        below += " " * (start - width(below)) + node.label[: max(1, end - start)]
    lines = [text, *([below] if graph.nodes else [])]
    return "\n".join([*lines, *(_line(edge, places) for edge in graph.edges)])


def _line(edge: Edge, places: list[tuple[int, int]]) -> str:
    """Return one relation from the middle of its one entity to that of the other."""
    one, other = (sum(places[index]) // 2 for index in (edge.head, edge.tail))
    first, last = min(one, other), max(one, other)
    told = f" {edge.label} {edge.score:.2f} "
    ends = "╰▶" if one < other else "◀╯"
    room = max(0, last - first - 1 - width(told))
    if last - first - 1 < width(told):
        return " " * first + ends[0] + "─" * max(0, last - first - 1) + ends[1] + told.rstrip()
    return " " * first + ends[0] + "─" * (room // 2) + told + "─" * (room - room // 2) + ends[1]


def svg(graph: Graph) -> str:
    """Return an SVG image of the text in a line, with boxes and arrows."""
    text = _flat(graph.text)
    columns = [0]
    for one in text:
        columns.append(columns[-1] + width(one))
    top = LINE * (len(graph.edges) + 1)
    wide, high = UNIT * columns[-1] + 2 * BASE, top + 3 * BASE
    middles = [BASE + UNIT * (columns[node.start] + columns[node.end]) / 2 for node in graph.nodes]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" '
        f'font-family="sans-serif" font-size="{BASE}" role="img" aria-label="{harmless_html(_flat(graph.in_line()))}">'
    )
    parts = [head]
    for node, middle in zip(graph.nodes, middles, strict=True):
        start, size = BASE + UNIT * columns[node.start], UNIT * (columns[node.end] - columns[node.start])
        parts.append(
            f'<rect x="{start - 2}" y="{top - BASE - 2}" width="{size + 4}" height="{BASE + 8}" rx="4" fill="#4c8dff33" '
            f'stroke="#4c8dff"/><text x="{middle}" y="{top + 2 * BASE}" font-size="11" text-anchor="middle" fill="#888">'
            f"{harmless_html(_flat(node.label))}</text>"
        )
    end = 0
    for start, stop in [*((node.start, node.end) for node in graph.nodes), (len(text), len(text))]:
        parts += [_words(text, columns, end, start, top), _words(text, columns, start, stop, top)] if start >= end else []
        end = max(end, stop)
    for level, edge in enumerate(graph.edges, 1):
        parts.append(_arrow(edge, middles, top - BASE - 4, top - BASE - 4 - LINE * level + BASE))
    return "".join([*parts, "</svg>"])


def _words(text: str, columns: list[int], start: int, end: int, top: int) -> str:
    """Return a stretch of the text, as wide as its columns say whatever the font."""
    if not text[start:end].strip():
        return ""
    begin = start + len(text[start:end]) - len(text[start:end].lstrip())
    shown = text[begin:end].rstrip()
    size = UNIT * (columns[begin + len(shown)] - columns[begin])
    return (
        f'<text x="{BASE + UNIT * columns[begin]}" y="{top}" textLength="{size}" lengthAdjust="spacingAndGlyphs" '
        f'fill="currentColor">{harmless_html(shown)}</text>'
    )


def _arrow(edge: Edge, middles: list[float], low: int, high: int) -> str:
    """Return an arrow that goes up from one entity and down to the other, with the relation above it."""
    one, other = middles[edge.head], middles[edge.tail]
    told = harmless_html(_flat(f"{edge.label} {edge.score:.2f}"))
    return (
        f'<path d="M{one} {low}V{high}H{other}V{low}m-4 -7l4 7l4 -7" fill="none" stroke="#4c8dff" stroke-width="1.5"/>'
        f'<text x="{(one + other) / 2}" y="{high - 4}" font-size="11" text-anchor="middle" fill="currentColor">{told}</text>'
    )


def _flat(text: str) -> str:
    """Return a text whose every character that is no sign of its own is a blank: as long, and of one line."""
    return "".join(one if one.isprintable() else " " for one in text)
