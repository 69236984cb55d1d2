"""What a client may know of a function: its types, what it was measured at, examples; nothing of where it was made."""

from __future__ import annotations

from typing import Any

from functory_sdk import Function


def card(name: str, function: Function) -> dict[str, Any]:  # Any: JSON
    """Return what there is to tell of a function, as plain data.

    :param name: under which it is served.
    """
    return {
        **line(name, function),
        "signature": function.signature,
        "metrics": function.about.metrics,
        "notes": list(function.about.notes),
        "licence": function.about.licence,
        "golden": [{"input": one.value, "output": one.output} for one in function.golden],
    }


def writes(function: Function) -> bool:
    """Return whether a function writes texts, which can be streamed."""
    put = getattr(function.form, "formulation", None)
    return put is not None and put.decoding is not None


def line(name: str, function: Function) -> dict[str, Any]:
    """Return what tells a function from others."""
    about = function.about
    return {
        "name": name,
        "version": about.version,
        "task": function.task.name,
        "summary": type(function.task).summary(),
        "form": function.form.name,
        "url": f"/v1/functions/{name}",
    }
