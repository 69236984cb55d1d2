"""The contract of verbs: a task asked at once, ``functory.decide(text, Ticket)``, without a build that one sees.

A task's distribution announces it in the group ``functory.verbs``, and the core knows it by its name alone::

    [project.entry-points."functory.verbs"]
    decide = "functory_decision:decide"

It is a plain function, and whoever knows one knows all: first what is read, then what is wanted of it, by their places alone;
whatever else there is, the backbone for one, by name alone::

    def decide(given: str, questions: type[BaseModel], /, *, backbone: str = "") -> Decision: ...
"""

from __future__ import annotations

import inspect

READ_AND_WANTED = 2
"""So many arguments go by their place."""


def fault_of(found: object) -> str:
    """Return what is wrong with a verb, as the end of a sentence about who gives it; empty where nothing is."""
    if not callable(found) or isinstance(found, type):
        return "gives as a verb what is no function."
    try:
        kinds = [parameter.kind for parameter in inspect.signature(found).parameters.values()]
    except (TypeError, ValueError):
        return "gives a verb of which no signature is known."
    first, rest = kinds[:READ_AND_WANTED], kinds[READ_AND_WANTED:]
    by_place = [inspect.Parameter.POSITIONAL_ONLY] * READ_AND_WANTED
    by_name = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)
    if first == by_place and all(kind in by_name for kind in rest):
        return ""
    return "gives a verb with other arguments than all have: what is read, what is wanted, then names alone (a, b, /, *, …)."
