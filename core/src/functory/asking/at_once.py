"""Asks a task at once: the function is built at the first question and kept for the next ones.

What the verbs of tasks are made with (`functory.contracts.verb`), so that ``functory.decide(text, Ticket)`` in a loop
builds once. The function is one of the recipe, like any other: what it is asked is no part of it.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from threading import RLock
from typing import Any

from functory.build import build
from functory.contracts.component import Part
from functory.contracts.task import Input
from functory.function import Function
from functory.recipe import Recipe

KEPT = 8
"""So many functions are kept, those that were asked last."""
_lock = RLock()  # one for all: two threads that ask the same thing build it once
_kept: OrderedDict[str, Function] = OrderedDict()


def ask(task: str, given: Any, options: Mapping[str, Any], **fields: Any) -> Any:  # Any: what a task reads and answers
    """Return the answer of a task's function to one input, or a list of those to many.

    :param task: the task's name.
    :param given: one text, one Input, or one by its fields; or many of these, as `Function.map` takes them.
    :param options: the task's options.
    :param fields: other fields of the recipe: the backbone; those that are None or empty are left out.
    :raises InputError: for what is no input.
    :raises RecipeError: as `functory.build` has it.
    """
    function = function_of(task, options, **fields)
    if isinstance(given, Mapping):
        return function(**given)
    if isinstance(given, (str, Input)):
        return function(given)
    return list(function.map(given))


def function_of(task: str, options: Mapping[str, Any], **fields: Any) -> Function:  # Any: as above
    """Return the function that a verb asks, built at its first use.

    :raises RecipeError: as `functory.build` has it.
    """
    said = {name: value for name, value in fields.items() if value}
    recipe = Recipe.make(task=Part(name=task, options=dict(options)), **said)
    key = json.dumps(recipe.model_dump(mode="json", exclude_unset=True))  # in its order: that of a schema's fields is their own
    with _lock:
        if key not in _kept:
            _kept[key] = build(recipe, report=False)
        _kept.move_to_end(key)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)  # not closed: a thread may be asking it
        return _kept[key]
