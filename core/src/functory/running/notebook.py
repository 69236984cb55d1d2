"""How a function shows itself in a notebook: HTML that needs nothing else, and in which nothing of the data is markup."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from functory.running.describing import call_line, fields, figure
from functory.wording.harmless import harmless_html as escape

if TYPE_CHECKING:
    from functory.function import Function

# Colours with transparency, so that a notebook's dark theme shows through.
STYLE = """
.functory-function table { border-collapse: collapse; margin: 0.4em 0; }
.functory-function th, .functory-function td { padding: 0.15em 0.7em; text-align: left; vertical-align: top; }
.functory-function th { font-weight: 600; white-space: nowrap; }
.functory-function .quiet { opacity: 0.7; }
""".strip()

MANY_LABELS = 30
LONGEST = 80
"""Characters of an example's texts."""


def html(function: Function) -> str:
    """Return what a notebook shows: what the function is, how it is called, what comes out, how good it is."""
    about = function.about
    rows = {
        "call": f"<code>{escape(call_line(function))}</code>",
        "input": _fields(fields(function.task.Input)),
        "output": _fields(fields(function.task.Output)),
        "labels": escape(_labels(function)),
        "measured": _lines(f"{name} {figure(value)}" for name, value in about.metrics.items()),
        "form": escape(function.form.name),
        "example": f"<code>{escape(example(function))}</code>" if function.golden else "",
        "notes": _lines(about.notes),
    }
    body = "".join(f"<tr><th>{name}</th><td>{cell}</td></tr>" for name, cell in rows.items() if cell)
    title = f"<b>{escape(about.name)}</b> {escape(about.version)}"
    summary = escape(type(function.task).summary())
    return (
        f'<div class="functory-function"><style>{STYLE}</style>\n'
        f'<p>{title} <span class="quiet">{summary}</span></p>\n<table><tbody>{body}</tbody></table>\n</div>'
    )


def example(function: Function) -> str:
    """Return a call that can be typed, of the first golden example."""
    value: Mapping[str, Any] = function.golden[0].value
    shorthand = function.task.shorthand
    given = [repr(_cut(value[name])) for name in shorthand if name in value]
    given += [f"{name}={_cut(one)!r}" for name, one in value.items() if name not in shorthand]
    return f"{function.name.replace('-', '_')}({', '.join(given)})"


def _labels(function: Function) -> str:
    labels = getattr(function.state, "labels", ())
    more = f" and {len(labels) - MANY_LABELS:,} more" if len(labels) > MANY_LABELS else ""
    return ", ".join(map(str, labels[:MANY_LABELS])) + more


def _fields(told: Mapping[str, str]) -> str:
    """Return the fields of a model, each with what it is."""
    return _table((f"<code>{escape(name)}</code>", escape(what)) for name, what in told.items())


def _table(rows: Iterable[tuple[str, str]]) -> str:
    return "<table>" + "".join(f"<tr><td>{a}</td><td>{b}</td></tr>" for a, b in rows) + "</table>"


def _lines(texts: Iterable[str]) -> str:
    return "<br>".join(map(escape, texts))


def _cut(value: Any) -> Any:
    return f"{value[: LONGEST - 1]}…" if isinstance(value, str) and len(value) > LONGEST else value
