"""``/v1/models``: the functions that these clients can use, and finding the one that a request names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from functory_openai.refusals import NoModel
from functory_sdk import Asked, Function

OWNER = "functory"


def model_of(asked: Asked, name: str, is_one: Callable[[Function], bool], does: str) -> Function:
    """Return the function that a request names.

    :param is_one: whether a function can answer such requests.
    :param does: what it does then: "writes".
    :raises NoModel: when there is none that can, or none that the request may use.
    """
    functions = asked.functions
    if name not in functions or not is_one(functions[name]):
        raise NoModel(name, (one for one, function in functions.items() if is_one(function)), does)
    return functions[name]


def is_writer(function: Function) -> bool:
    """Return whether a function writes, by a decoding that a request may change."""
    put = getattr(function.form, "formulation", None)
    return put is not None and put.decoding is not None


def is_usable(function: Function) -> bool:
    """Return whether these clients can use a function."""
    from functory_openai.embeddings import embeds

    return is_writer(function) or embeds(function)


def models(functions: Mapping[str, Function], since: int) -> dict[str, Any]:  # Any: JSON
    """Return the list of models.

    :param since: when the server began, in seconds.
    """
    return {"object": "list", "data": [model(name, since) for name, one in functions.items() if is_usable(one)]}


def model(name: str, since: int) -> dict[str, Any]:
    """Return one of them."""
    return {"id": name, "object": "model", "created": since, "owned_by": OWNER}
