"""Which of a tokenizer's rows a model is given: as in transformers 4, where some tokenizers told more than they do in version 5.

Without the segments, which mark what is the question and what the context, ALBERT and its like answer otherwise.
"""

from __future__ import annotations

import inspect
from typing import Any

SEGMENTS = "token_type_ids"
TOLD = {"albert", "funnel", "nystromformer", "rembert", "roformer", "splinter", "xlnet", "yoso"}
"""Kinds of model whose tokenizer told segments in version 4 and does so no more."""
ANY = {"PreTrainedTokenizerFast", "TokenizersBackend"}
"""Tokenizers of no model in particular: they told segments in version 4."""


def rows_for(model: Any, tokenizer: Any) -> list[str]:  # Any: a model and a tokenizer of transformers
    """Return the names of the rows that a model is given."""
    taken = inspect.signature(model.forward).parameters
    names = [name for name in tokenizer.model_input_names if name in taken]
    lost = SEGMENTS not in names and SEGMENTS in taken and "model_input_names" not in getattr(tokenizer, "init_kwargs", {})
    if lost and (model.config.model_type in TOLD or _is_any(tokenizer, model.config)):
        names.append(SEGMENTS)
    return names


def _is_any(tokenizer: Any, config: Any) -> bool:
    return type(tokenizer).__name__ in ANY and getattr(config, "type_vocab_size", 0) > 1
