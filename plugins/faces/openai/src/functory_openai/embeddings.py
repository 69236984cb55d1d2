"""``/v1/embeddings``: texts as vectors."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Sequence
from math import sqrt
from typing import Any

from functory_openai.models import model_of
from functory_openai.requests import Embedding, read
from functory_openai.writing import tokens_read
from functory_sdk import Asked, Function, InputError, NotSupported

LENGTH_OFF = 1e-3
"""By how much the length of a vector that was brought to 1 may be off."""


def embeds(function: Function) -> bool:
    """Return whether a function gives a text as a vector."""
    return "vector" in function.task.Output.model_fields and "text" in function.task.Input.model_fields


async def embeddings(asked: Asked, body: Any) -> dict[str, Any]:  # Any: JSON
    """Return the vectors of a request's texts, in their order.

    :raises FunctoryError: what is wrong with it.
    """
    said = read(Embedding, body)
    function = model_of(asked, said.model, embeds, "gives vectors")
    texts = [said.input] if isinstance(said.input, str) else said.input
    if not texts:
        raise InputError("there is no text.", where="input", do="send a text, or several.")
    values = [{"text": text} for text in texts]
    vectors = [json.loads(output)["vector"] for output in await asked.answer(said.model, values)]
    count = await tokens_read(function, values, {})
    write = _floats if said.encoding_format == "float" else _packed
    data = [
        {"object": "embedding", "index": place, "embedding": write(shortened(function, vector, said.dimensions))}
        for place, vector in enumerate(vectors)
    ]
    return {"object": "list", "data": data, "model": said.model, "usage": {"prompt_tokens": count, "total_tokens": count}}


def shortened(function: Function, vector: Sequence[float], dimensions: int | None) -> Sequence[float]:
    """Return a vector's first numbers, brought to length 1 again where the whole vector has it.

    :raises NotSupported: for so many of which nobody made sure that they serve alone.
    """
    if dimensions is None or dimensions == len(vector):
        return vector
    lengths = sorted(one for one in getattr(function.state, "lengths", ()) if 0 < one <= len(vector))
    if dimensions not in lengths:
        served = ", ".join(str(one) for one in dict.fromkeys((*lengths, len(vector))))
        what = f"the first {dimensions} numbers of the vectors of {function.name} were not taught to serve alone."
        raise NotSupported(what, where="dimensions", do=f"ask for: {served}; or build it with task.lengths.")
    first = vector[:dimensions]
    length = sqrt(sum(number * number for number in first))
    is_one = abs(sqrt(sum(number * number for number in vector)) - 1) < LENGTH_OFF
    return [number / length for number in first] if is_one and length else first


def _floats(vector: Sequence[float]) -> list[float]:
    return list(vector)


def _packed(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
