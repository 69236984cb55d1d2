"""The verb: ``functory.extract(text, Invoice)``. The function behind it is built at the first text, and kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, overload

from pydantic import BaseModel

from functory_extract.types import Extraction
from functory_sdk import ask

Model = type[BaseModel] | Mapping[str, Any]  # Any: a JSON Schema, or fields in any spelling


@overload
def extract(given: str, model: Model, /, *, backbone: str = "", **options: Any) -> Extraction: ...
@overload
def extract(given: Iterable[str], model: Model, /, *, backbone: str = "", **options: Any) -> list[Extraction]: ...
def extract(
    given: str | Iterable[str], model: Model, /, *, backbone: str = "", **options: Any
) -> Extraction | list[Extraction]:
    """Take the fields of a model out of a text, or out of many.

    :param given: the text, or texts.
    :param model: a pydantic model, its JSON Schema, or fields by name in a word each:
        ``{"customer": "text", "total": "number"}``.
    :param backbone: a backbone that writes; smollm2 when empty.
    :param options: other options of the task: `prompt`, `max_new_tokens`.
    :return: the fields, each by its name, and where it stands in the text: of many texts, a list. ``.into(Invoice)`` makes a
        model of them.
    :raises OptionError: for what is no model, and where `max_new_tokens` are too few for it.
    :raises InputError: for what is no text.
    """
    found: Extraction | list[Extraction] = ask(
        "extract", given, {"model": model, **options}, backbone=backbone, golden=("ok",)
    )
    return found
