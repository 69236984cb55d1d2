"""How transformers 4 decided with what a pipeline writes: the defaults of the pipeline, the model, its task, and the call.

Version 5 decides otherwise, so that the same call writes another text there: in 4 the beams and the length of the pipeline hold
over those of the model, and what the model's configuration says of the task (``task_specific_params``) over both.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from transformers import GenerationConfig

DEFAULTS = {"max_new_tokens": 256, "num_beams": 4}
"""What a pipeline writes with."""
SHORTEST = 20
"""The `max_length` that version 4 takes for not said."""


def settled(model: Any, task: str, given: Mapping[str, Any]) -> tuple[GenerationConfig, dict[str, Any], dict[str, Any]]:
    """Return what a pipeline decodes with, what the model says of the task, and the arguments that are not about decoding.

    :param model: a model of transformers.
    :param given: what the pipeline was made with.
    """
    config = copy.deepcopy(model.generation_config)
    config.update(**DEFAULTS)
    if config.temperature == 0.0:
        config.do_sample = False
    rest = config.update(**given)
    if config.max_new_tokens == DEFAULTS["max_new_tokens"] and config.max_length not in (None, SHORTEST):
        config.max_new_tokens = None
    told = dict((getattr(model.config, "task_specific_params", None) or {}).get(task) or {})
    config.update(**{name: value for name, value in told.items() if name != "prefix"})
    if config.max_new_tokens is not None:
        config.max_length = None
    return config, told, rest


def at_call(
    config: GenerationConfig, inputs: Mapping[str, Any], given: Mapping[str, Any]
) -> tuple[dict[str, Any], GenerationConfig, dict[str, Any]]:
    """Return what ``generate`` takes in one call: the tokens, what it decodes with, and whatever else was given.

    A length that the call itself gives holds, as it did until 4.50; later, a `max_length` gave way to the default of 256 tokens.

    :param config: the pipeline's.
    :param inputs: the tokens, among which a tokenizer of many languages names the one to write in.
    """
    given = dict(given)
    rows = dict(inputs)
    chosen = copy.deepcopy(given.pop("generation_config", None) or config)
    if "forced_bos_token_id" in rows:
        named = rows.pop("forced_bos_token_id")
        given.setdefault("forced_bos_token_id", named[0] if isinstance(named, list) else named)
    if given.get("max_length") is not None and given.get("max_new_tokens") is None:
        chosen.max_new_tokens = None
    if given.get("max_new_tokens") is not None and given.get("max_length") is None:
        chosen.max_length = None
    rest = chosen.update(**given)
    return rows, chosen, rest
