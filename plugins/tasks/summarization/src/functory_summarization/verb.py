"""The verb: ``functory.summarize(text, 2)``. The function behind it is built at the first text, and kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, overload

from functory_sdk import ask, is_english
from functory_summarization.types import Summary

OTHER = "und"
"""A language that is not English, whichever it is."""


@overload
def summarize(given: str, sentences: int, /, *, backbone: str = "", **options: Any) -> Summary: ...
@overload
def summarize(given: Iterable[str], sentences: int, /, *, backbone: str = "", **options: Any) -> list[Summary]: ...
def summarize(
    given: str | Iterable[str], sentences: int, /, *, backbone: str = "", **options: Any
) -> Summary | list[Summary]:
    """Say in so many sentences what a text says, or each of many.

    :param given: the text, or texts.
    :param sentences: the most sentences of a summary.
    :param backbone: a backbone that writes the summary, or one that reads and takes sentences; when empty minilm for English,
        e5 where the texts, taken together, are in another language.
    :param options: other options of the task: `words`, `diversity`, `instruction`.
    :return: of many texts a list.
    :raises OptionError: for a number of sentences that is none.
    :raises InputError: for what is no text.
    """
    texts: Any = given if isinstance(given, str) else list(given)
    read = [one for one in ([texts] if isinstance(texts, str) else texts) if isinstance(one, str)]
    told = {"language": "" if is_english(read) else OTHER, **options}
    found: Summary | list[Summary] = ask(
        "summarization", texts, {"sentences": sentences, **told}, backbone=backbone, golden=("One. Two.",)
    )
    return found
