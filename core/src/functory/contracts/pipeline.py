"""The contract of pipelines: what a program that was written for transformers 4 gets from ``pipeline("summarization")``.

A task's distribution announces one in the group ``functory.pipelines``, under the name that transformers 4 gave the task, and
the core knows it by that name alone (`functory.compat`)::

    [project.entry-points."functory.pipelines"]
    summarization = "functory_summarization:pipeline"

It is a plain function. It takes the task's name as the program wrote it, so that one which says more (``translation_en_to_fr``)
says it to the plugin, and the other arguments of transformers' ``pipeline`` by their names, those alone that were given. It
returns what the program calls::

    def pipeline(task: str, /, **arguments: Any) -> Callable[..., Any]: ...
"""

from __future__ import annotations

import inspect

OTHERS = "others"
"""The name of the pipeline that is asked for every task that has none of its own."""


def fault_of(found: object) -> str:
    """Return what is wrong with a pipeline, as the end of a sentence about who gives it; empty where nothing is."""
    if not callable(found) or isinstance(found, type):
        return "gives as a pipeline what is no function."
    try:
        kinds = [parameter.kind for parameter in inspect.signature(found).parameters.values()]
    except (TypeError, ValueError):
        return "gives a pipeline of which no signature is known."
    named = {inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD}
    if kinds[:1] == [inspect.Parameter.POSITIONAL_ONLY] and kinds[-1] in named and set(kinds[1:]) <= named:
        return ""
    return "gives a pipeline with other arguments than all have: the task, then names alone (task, /, **arguments)."
