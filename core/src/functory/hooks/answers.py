"""What each step must be answered with: its type, and the little that the next step needs of it.

Apart from `blaming`, because core's own answers, which are those of components, are looked at as those of hook plugins are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from functory.wording.told import kind, safe_text

Arguments = Mapping[str, Any]  # Any: those of whatever step


def wrong_with(step: str, answer: Any, arguments: Arguments) -> str:  # Any: whatever a plugin gave
    """Return what is wrong with an answer, as it follows "gave"; empty where nothing is.

    :param arguments: what the step was called with.
    """
    return _OF[step](answer, arguments) if step in _OF else ""


def _load_backbone(answer: Any, arguments: Arguments) -> str:
    from functory.contracts.backbone import Backbone, BackboneSpec

    return _no(answer, Backbone) or _member(answer, "spec", BackboneSpec)


def _adapt(answer: Any, arguments: Arguments) -> str:
    engine = arguments["engine"]
    return "" if engine.takes(answer) else f"{_what(answer)}, which is no model of the engine {engine.name!r}"


def _train(answer: Any, arguments: Arguments) -> str:
    from functory.contracts.adaptation import Adaptation
    from functory.contracts.engine import Fit

    if wrong := _no(answer, Fit):
        return wrong
    if not _is_mapping(answer.metrics) or not all(map(_is_text, answer.metrics)):
        return "a Fit whose metrics are no numbers by name"
    for name, one in answer.metrics.items():
        if not _is_number(one):
            return f"a Fit whose metric {safe_text(name)!r} is {_what(one)}, which is no number of Python's: float(…) makes one"
    if not _is_listed(answer.notes) or not all(map(_is_text, answer.notes)):
        return "a Fit whose notes are no list of texts"
    if answer.adaptation is not None and (wrong := _no(answer.adaptation, Adaptation)):
        return f"a Fit whose adaptation is {wrong}"
    return "" if _is_text(answer.precision) else f"a Fit whose precision is {_what(answer.precision)}, which is no text"


def _evaluate(answer: Any, arguments: Arguments) -> str:
    from functory.measuring.report import Report

    return _no(answer, Report) or _incomplete(answer)


def _optimize(answer: Any, arguments: Arguments) -> str:
    from functory.contracts.optimization import OptimizationReport
    from functory.function import Function

    if not issubclass(type(answer), tuple) or len(answer) != 2:
        return f"{_what(answer)}, which is no pair of a function and its report"
    made, report = answer
    for wrong in (_no(made, Function), _no(report, OptimizationReport) or _incomplete(report)):
        if wrong:
            return f"a pair with {wrong}"
    return ""


def _explain(answer: Any, arguments: Arguments) -> str:
    from functory.contracts.explanation import Attribution

    return _no(answer, Attribution) or _incomplete(answer)


def _package(answer: Any, arguments: Arguments) -> str:
    if not _is_listed(answer):
        return f"{_what(answer)}, which is no list of paths"
    if not answer:
        return "a list of no files"
    for file in answer:
        if wrong := _no(file, Path):
            return f"a list with {wrong}"
        if not file.exists():
            return f"a list with {str(file)!r}, which is not there"
    return ""


_OF: Mapping[str, Callable[[Any, Arguments], str]] = {
    "load_backbone": _load_backbone, "adapt": _adapt, "train": _train, "evaluate": _evaluate, "optimize": _optimize,
    "explain": _explain, "package": _package,
}  # fmt: skip
"""Each step that is answered; what observers return is not looked at."""


def _no(answer: Any, wanted: type) -> str:
    """Return what an answer is, where it is none of a class; what it says of its own class is not asked."""
    return "" if issubclass(type(answer), wanted) else f"{_what(answer)}, which is no {wanted.__name__}"


def _what(answer: Any) -> str:
    """Return what an answer is; it is not asked, for it may lie, raise, or be huge."""
    if answer is None:
        return "nothing"
    if issubclass(type(answer), type):
        return f"the class {type.__dict__['__name__'].__get__(answer)!r}"
    return f"an object of type {kind(answer)!r}"


def _member(answer: Any, name: str, wanted: type) -> str:
    """Return what is wrong with a member of an answer."""
    wrong = _no(getattr(answer, name), wanted)
    return f"{_what(answer)} whose {name} is {wrong}" if wrong else ""


def _incomplete(model: Any) -> str:
    """Return what a pydantic model lacks that was made past its own checks."""
    has = object.__getattribute__(model, "__dict__")
    lacks = [name for name in type(model).model_fields if name not in has]
    return f"{_what(model)} that lacks {', '.join(lacks)}" if lacks else ""


def _is_mapping(value: Any) -> bool:
    return issubclass(type(value), Mapping)


def _is_listed(value: Any) -> bool:
    return issubclass(type(value), Sequence) and not issubclass(type(value), str | bytes)


def _is_text(value: Any) -> bool:
    return issubclass(type(value), str)


def _is_number(value: Any) -> bool:
    return issubclass(type(value), int | float)
