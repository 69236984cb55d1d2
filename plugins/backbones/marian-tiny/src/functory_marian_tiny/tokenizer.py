"""Make tokenizer.json of the one that lies beside the weights, which puts no sign around a text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from functory_sdk import DataError, WeightsMissing

END, UNKNOWN = "</s>", "<unk>"


def tokenizer_json(path: Path) -> dict[str, Any]:  # Any: JSON
    """Return a tokenizer that ends each text as Marian does, and that knows its signs from a text that spells them.

    :param path: of a SentencePiece unigram model as tokenizer.json.
    :raises WeightsMissing: where there is none.
    :raises DataError: where it is another.
    """
    if not path.is_file():
        raise WeightsMissing(
            "there is no tokenizer beside the weights.", where=str(path), do="name the file in the folder that it came in."
        )
    try:
        made: dict[str, Any] = json.loads(path.read_text("utf-8"))
        pieces = [piece for piece, _ in made["model"]["vocab"][:2]]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path.name} is no unigram tokenizer.", where=str(path), do="install its package again.") from error
    if pieces != [END, UNKNOWN]:
        raise DataError(
            f"{path.name} begins with the pieces {pieces}; expected was {[END, UNKNOWN]}.", where=str(path),
            do="install its package again.",
        )  # fmt: skip
    made["added_tokens"] = [_sign(place, piece) for place, piece in enumerate(pieces)]
    made["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [_text("A"), _end()],
        "pair": [_text("A"), _end(), _text("B"), _end()],
        "special_tokens": {END: {"id": END, "ids": [0], "tokens": [END]}},
    }
    return made


def _sign(place: int, piece: str) -> dict[str, Any]:
    traits = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {"id": place, "content": piece, **traits}


def _text(which: str) -> dict[str, Any]:
    return {"Sequence": {"id": which, "type_id": 0}}


def _end() -> dict[str, Any]:
    return {"SpecialToken": {"id": END, "type_id": 0}}
