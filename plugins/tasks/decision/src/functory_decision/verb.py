"""The verb: ``functory.decide(text, Ticket)``. The function behind it is built at the first question, and kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, overload

from pydantic import BaseModel

from functory_decision.types import Decision
from functory_sdk import ask

Questions = type[BaseModel] | Mapping[str, Any]  # Any: a question in any spelling


Opened = Mapping[str, Any] | None  # Any: the value of an option


@overload
def decide(given: str, questions: Questions, /, *, backbone: str = "", session: Opened = None, **options: Any) -> Decision: ...
@overload
def decide(
    given: Iterable[str], questions: Questions, /, *, backbone: str = "", session: Opened = None, **options: Any
) -> list[Decision]: ...
def decide(
    given: str | Iterable[str], questions: Questions, /, *, backbone: str = "", session: Opened = None, **options: Any
) -> Decision | list[Decision]:
    """Answer typed questions about a text, or about many.

    :param given: the text, or texts.
    :param questions: a pydantic model of Literals, bools and bounded numbers, or questions by name in a line each:
        ``{"mood": "positive, negative", "stars": "How many stars? 1..5", "refund": "Is a refund asked for?"}``.
    :param backbone: a backbone that writes; smollm2 when empty.
    :param session: how it is opened: ``{"precision": "bf16"}`` is two to three times as fast on a processor that has it.
    :param options: other options of the task: `prompt`, `length`, `calibrate`.
    :return: the answers, each in a field of its question's name, and how likely each possible one is: of many texts, a list.
    :raises OptionError: for what is no question.
    :raises InputError: for what is no text.
    """
    answered: Decision | list[Decision] = ask(
        "decision", given, {"questions": questions, **options}, backbone=backbone, session=dict(session or {}), golden=("ok",)
    )
    return answered
