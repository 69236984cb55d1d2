"""Explains an output of a function, by a named explanation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from functory.errors import UsageError
from functory.function import Function

if TYPE_CHECKING:
    from functory.contracts.explanation import Attribution


def explain(function: Function, value: Any, method: str, target: str | None, options: Mapping[str, Any]) -> Attribution:
    """Return why the output of one input is what it is.

    :param target: which of `Function.targets`; the first when None.
    :raises UsageError: when there is no such target.
    """
    from functory.plugins.registry import load
    from functory.steps import Steps

    explanation = load("explanations", method).configure(dict(options))
    read = function.coerce(value)
    targets = function.targets(read)
    chosen = [one for one in targets if target is None or one.name == target]
    if not chosen:
        raise UsageError(
            f"there is no target {target!r}." if target else "this output has nothing to explain.",
            do=f"the targets are {', '.join(one.name for one in targets) or 'none'}.",
        )
    found: Attribution = Steps(function.hooks).explain(
        function=function, value=read, target=chosen[0], explanation=explanation
    )
    return found
