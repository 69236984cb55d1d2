"""Shows an explanation: coloured words in a terminal, and one self-contained page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from functory.wording.harmless import harmless_html as escape

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.text import Text

    from functory.contracts.explanation import Attribution, Piece

FOR, AGAINST = (33, 102, 172), (178, 24, 43)
"""Blue speaks for the target, red against it: the two ends of a scale that colour-blind people tell apart."""
SMALL = 0.15
"""The share of the largest weight below which a terminal shows no colour."""

STYLE = """
body{font:16px/1.7 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1c1c1c;background:#fff}
h1{font-size:1.25rem;margin:0 0 .3rem}
.sub{color:#555;margin:0 0 1.2rem}
.text{font-size:1.15rem;padding:1rem 1.2rem;border:1px solid #ddd;border-radius:.5rem}
.path{color:#555;font-size:.9rem;margin-right:.6rem}
.w{border-radius:.2rem;padding:.05rem .1rem}
table{border-collapse:collapse;margin:1.2rem 0;width:100%}
td,th{padding:.2rem .6rem;border-bottom:1px solid #eee;text-align:left}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.bar{height:.75rem;border-radius:.15rem}
.legend{display:flex;gap:1.2rem;font-size:.9rem;color:#444;margin:.8rem 0}
.chip{display:inline-block;width:1rem;height:1rem;border-radius:.2rem;vertical-align:-.15rem;margin-right:.35rem}
.note{color:#555;font-size:.9rem}
"""


@dataclass(frozen=True)
class Words:
    """The text with its words coloured by weight; where there is no colour, marked by + and −."""

    pieces: Sequence[Piece]
    largest: float

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        from rich.text import Text

        from functory.terminal import clean

        coloured = console.color_system is not None and not console.no_color
        many = has_many_texts(self.pieces)
        for path, pieces in groupby(self.pieces, key=lambda piece: piece.field):
            line, at = Text(f"{clean(path)}: " if many else ""), 0
            for piece in pieces:
                share = piece.weight / self.largest
                line.append(" " if piece.start > at and at else "")
                line.append(clean(piece.text), _terminal_style(share) if coloured else "")
                line.append("" if coloured else _mark(share))
                at = piece.end
            yield line
        if coloured:
            yield Text.assemble((" speaks for it ", _terminal_style(1)), " ", (" against it ", _terminal_style(-1)))
        else:
            yield Text("[+] speaks for it, [−] against it; doubled where it is more than half of the largest weight")


def attribution_text(found: Attribution) -> Any:  # Any: a rich renderable
    """Return the explanation for a terminal: the text with its words coloured, the weightiest, how faithful."""
    from functory.terminal import group, table, text

    largest = _largest(found)
    best = sorted(found.pieces, key=lambda piece: -abs(piece.weight))[:8]
    where = [(piece.field,) if has_many_texts(found.pieces) else () for piece in best]
    rows = [
        (piece.text, *path, f"{piece.weight:+.3f}", _bar(piece.weight / largest))
        for piece, path in zip(best, where, strict=True)
    ]
    return group(
        text(f"{found.method}: why {found.target.name} ({_score(found)})", "bold"),
        Words(found.pieces, largest),
        table(("word", *(["in"] if where[0] else []), found.unit, "against ◂ ▸ for"), rows, right=(2 if where[0] else 1,)),
        *(text(line) for line in (_scale(found), *_faithful(found)) if line),
        *(text(f"note: {note}") for note in found.notes),
    )


def has_many_texts(pieces: Sequence[Piece]) -> bool:
    """Whether words of several texts were weighed, so that each has to be named."""
    return len({piece.field for piece in pieces}) > 1


def _terminal_style(share: float) -> str:
    """Return the colours of a weight, as a share of the largest; none where it is small.

    Both colours are set, so that words read on light and on dark terminals.
    """
    if abs(share) < SMALL:
        return ""
    return f"{_ink(share)} on {_colour(share)}"


def _mark(share: float) -> str:
    """Return a weight without colour."""
    if abs(share) < SMALL:
        return ""
    return f"[{('+' if share > 0 else '−') * (2 if abs(share) > 0.5 else 1)}]"


def _bar(share: float) -> str:
    """Return a bar that reads without colour."""
    marks = max(1, round(abs(share) * 10))
    return (" " * 10 + "│" + "█" * marks) if share >= 0 else (" " * (10 - marks) + "░" * marks + "│")


def _score(found: Attribution) -> str:
    """Return what the target's number is, and the number."""
    if found.unit == "value":
        return f"value {found.score:.3f}"
    return f"probability {found.score:.3f}" if found.score < 0.9995 else "probability over 0.999"


def _scale(found: Attribution) -> str:
    """Return what a weight in log-odds means; nothing for a value, which says itself what it is."""
    if found.unit == "value":
        return ""
    return f"weights are log-odds: +0.69 doubles the odds of {found.target.name}, −0.69 halves them"


def _faithful(found: Attribution) -> tuple[str, str]:
    """Return what was measured of the weights, and how to read it."""
    measure = found.faithfulness
    what = _score(found).split(" ", 1)[0]
    without = _drop(measure.comprehensiveness, measure.comprehensiveness_log_odds)
    alone = _drop(measure.sufficiency, measure.sufficiency_log_odds)
    return (
        f"comprehensiveness {without}: what the {what} loses without the weightiest words; high is good",
        f"sufficiency {alone}: what it loses with them alone; low is good",
    )


def _drop(drop: float, log_odds: float | None) -> str:
    """Return a drop of the target, with that of its log-odds where it has some."""
    return f"{drop:+.3f}" if log_odds is None else f"{drop:+.3f} ({log_odds:+.2f} in log-odds)"


def attribution_html(found: Attribution) -> str:
    """Return the explanation as one page: no script, nothing from elsewhere."""
    largest, many = _largest(found), has_many_texts(found.pieces)
    best = sorted(found.pieces, key=lambda piece: -abs(piece.weight))[:12]
    parts = [
        "<!doctype html>", '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>Why {escape(found.target.name)}</title><style>{STYLE}</style></head><body>",
        f"<h1>Why <em>{escape(found.target.name)}</em>?</h1>",
        f'<p class="sub">{escape(found.method)} · {_score(found)}</p>',
        *(_field(list(pieces), path if many else "", largest)
          for path, pieces in groupby(found.pieces, key=lambda piece: piece.field)),
        f'<p class="legend">{_chip(1, "speaks for it")}{_chip(-1, "speaks against it")}</p>',
        f"<table><thead><tr><th>word</th>{'<th>in</th>' if many else ''}",
        f'<th class="n">{found.unit}</th><th>share of the largest</th></tr></thead><tbody>',
        *(_line(piece, piece.field if many else "", largest) for piece in best), "</tbody></table>",
        *(f'<p class="note">{escape(line)}</p>' for line in (_scale(found), *_faithful(found)) if line),
        *(f'<p class="note">{escape(note)}</p>' for note in found.notes),
        "</body></html>",
    ]  # fmt: skip
    return "\n".join(parts) + "\n"


def _field(pieces: list[Piece], path: str, largest: float) -> str:
    """Return one text with its words coloured; its path before it, where there is one."""
    shown, at = [f'<span class="path">{escape(path)}</span>'] if path else [], 0
    for piece in pieces:
        shown.append(" " if piece.start > at and at else "")
        share = piece.weight / largest
        style = f"background:{_colour(share)};color:{_ink(share)}"
        shown.append(f'<span class="w" style="{style}" title="{piece.weight:+.3f}">{escape(piece.text)}</span>')
        at = piece.end
    return f'<p class="text">{"".join(shown)}</p>'


def _chip(share: float, meaning: str) -> str:
    """Return one entry of the legend."""
    return f'<span><span class="chip" style="background:{_colour(share)}"></span>{meaning}</span>'


def _line(piece: Piece, path: str, largest: float) -> str:
    share = piece.weight / largest
    where = f"<td>{escape(path)}</td>" if path else ""
    return (
        f'<tr><td>{escape(piece.text)}</td>{where}<td class="n">{piece.weight:+.3f}</td>'
        f'<td><div class="bar" style="width:{100 * abs(share):.0f}%;background:{_colour(share)}"></div></td></tr>'
    )


def _mixed(share: float) -> list[int]:
    """Return red, green and blue between white and an end of the scale."""
    end = FOR if share >= 0 else AGAINST
    return [round(255 + (channel - 255) * min(1.0, abs(share))) for channel in end]


def _colour(share: float) -> str:
    """Return the background of a weight."""
    red, green, blue = _mixed(share)
    return f"rgb({red},{green},{blue})"


def _ink(share: float) -> str:
    """Return black or white, whichever reads better on the background (WCAG 2's relative luminance)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in _mixed(share))]
    light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if light > 0.179 else "#ffffff"  # where both have a contrast of 4.6


def _largest(found: Attribution) -> float:
    return max((abs(piece.weight) for piece in found.pieces), default=0.0) or 1.0
