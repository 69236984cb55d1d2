"""The verb: ``functory.translate(text, "pt")``. The function behind it is built at the first text, and kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, overload

from functory_sdk import ask
from functory_translation.types import Translated


@overload
def translate(given: str, target: str, /, *, source: str = "", backbone: str = "", **options: Any) -> Translated: ...
@overload
def translate(
    given: Iterable[str], target: str, /, *, source: str = "", backbone: str = "", **options: Any
) -> list[Translated]: ...
def translate(
    given: str | Iterable[str], target: str, /, *, source: str = "", backbone: str = "", **options: Any
) -> Translated | list[Translated]:
    """Translate a text, or many.

    :param given: the text, or texts.
    :param target: the language that is written, by its code or its English name.
    :param source: the language that is read; 'auto' finds it for each text; empty where the backbone reads one.
    :param backbone: a translator; one of this pair where it is known, when empty.
    :param options: other options of the task: `by_sentence`, `max_new_tokens`, `beams`.
    :return: the translation: of many texts, a list.
    :raises OptionError: for what is no language.
    :raises NotSupported: for a language that the backbone does not know.
    """
    said = {"target": target, **({"source": source} if source else {}), **options}
    found: Translated | list[Translated] = ask("translation", given, said, backbone=backbone, golden=("ok",))
    return found
