"""transformers' own pipeline, for every task that it still has: what `functory.compat.pipeline` passes through."""

from __future__ import annotations

from typing import Any

import transformers

from functory_sdk import entries, load


def others(task: str | None, /, **arguments: Any) -> Any:  # Any: the arguments of transformers' pipeline, and one of its classes
    """Return the pipeline that transformers has for a task.

    :param task: where there is none, what the hub says of the model; it may be one that a plugin has.
    """
    found = task or _said_of(arguments.get("model"), arguments.get("token"))
    if task is None and found in {entry.name for entry in entries("pipelines")}:
        return load("pipelines", str(found))(found, **arguments)
    theirs: Any = transformers.pipeline  # whose overloads name each task
    return theirs(task, **arguments)


def _said_of(model: object, token: Any) -> str | None:  # Any: as the hub takes it
    """Return the task that the hub says a model is for; None where that is not known: transformers then says why."""
    from huggingface_hub import HfApi, constants
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    if not isinstance(model, str) or constants.HF_HUB_OFFLINE:
        return None
    try:
        return HfApi().model_info(model, token=token).pipeline_tag
    except (HfHubHTTPError, HFValidationError, OSError):
        return None
