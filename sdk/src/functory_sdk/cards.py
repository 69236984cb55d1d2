"""What a stranger may know of a function: its types, what it was measured at, examples; nothing of where it was made."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from weakref import WeakKeyDictionary

from functory.function import Function
from functory.running.forms import Kept

DIGEST = "Functory-Digest"
"""The header by which an answer says of which function it is."""
MOST = 30
"""Labels that are named to a model."""
_digests: WeakKeyDictionary[Function, str] = WeakKeyDictionary()


def card(name: str, function: Function) -> dict[str, Any]:  # Any: JSON
    """Return what there is to tell of a function, as plain data.

    :param name: under which it is served.
    """
    return {
        **card_line(name, function),
        "digest": digest(function),
        "sha256": function.sha256,
        "tolerance": function.form.tolerance,
        "made_with": Kept.of_component(function.task).model_dump(include={"distribution", "version"}),
        "options": function.task.said(),
        "state": function.state.said(),
        "signature": function.signature,
        "metrics": function.about.metrics,
        "notes": list(function.about.notes),
        "licence": function.about.licence,
        "golden": [{"input": one.value, "output": one.output} for one in function.golden],
    }


def purpose(function: Function) -> str:
    """Return what a model reads to decide whether to call a function: what it does, and what it may answer."""
    labels = [str(label) for label in getattr(function.state, "labels", ())]
    named = f"\nLabels: {', '.join(labels[:MOST])}{', …' if len(labels) > MOST else ''}." if labels else ""
    return f"{type(function.task).summary()}{named}"


def digest(function: Function) -> str:
    """Return what tells a function from what else is served under its name, before or after it."""
    if function not in _digests:
        told = {"sha256": function.sha256, "signature": function.signature, "metrics": function.about.metrics,
                "state": function.state.said(), "options": function.task.said(), "version": function.about.version,
                "golden": [one.output for one in function.golden], "form": function.form.name}  # fmt: skip
        _digests[function] = hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()
    return _digests[function]


def digests(before: Function, after: Function) -> str:
    """Return what an answer was made by, in one line: two digests where another function took over meanwhile."""
    return ", ".join(dict.fromkeys((digest(before), digest(after))))


def card_line(name: str, function: Function) -> dict[str, Any]:
    """Return what tells a function from others."""
    about = function.about
    return {
        "name": name,
        "version": about.version,
        "task": function.task.name,
        "summary": type(function.task).summary(),
        "form": function.form.name,
        "writes": function.form.is_streamed,
    }
