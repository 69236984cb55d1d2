"""What a program may ask a pipeline, in all the forms that transformers 4 took, as questions with their contexts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import GeneratorType
from typing import Any

from torch.utils.data import Dataset


@dataclass(frozen=True)
class Asked:
    """One question and the text that may hold its answer, under the names of transformers' ``SquadExample``."""

    question_text: str
    context_text: str


def asked(given: tuple[Any, ...], named: Mapping[str, Any]) -> Any:  # Any: a list of Asked, or what is read as it comes
    """Return what one call asks.

    :param given: the arguments by their places: dictionaries, a question and a context, a generator or a data set.
    :param named: those by name, of which ``question`` and ``context`` (or ``data``, ``X``) are read.
    :raises ValueError: when it cannot be understood, or a part is empty.
    :raises KeyError: when a dictionary has no question or no context.
    """
    found = _found(given, named)
    if isinstance(found, GeneratorType | Dataset):
        return found
    if isinstance(found, Mapping | Asked):
        return [one_asked(found)]
    if not isinstance(found, Iterable):
        raise ValueError(f"{found!r} asks nothing: give question and context, or dictionaries with both")
    return [one_asked(one) for one in found]


def one_asked(item: Any) -> Any:  # Any: Asked, or transformers' own SquadExample, which has the same names
    """Return one question, given as a dictionary or as an object.

    :raises ValueError: when it is neither, or a part is empty.
    :raises KeyError: when a dictionary lacks a part.
    """
    if hasattr(item, "question_text") and hasattr(item, "context_text"):
        return item
    if not isinstance(item, Mapping):
        raise ValueError(f"{item!r} is no question with its context: give a dictionary with both")
    for part in ("question", "context"):
        if part not in item:
            raise KeyError(f"a dictionary with question and context is wanted, and this one has no {part}")
        if item[part] is None:
            raise ValueError(f"the {part} is None, and a text is wanted")
        if item[part] == "":
            raise ValueError(f"the {part} is empty, and a text is wanted")
    return Asked(item["question"], item["context"])


def _found(given: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    """Return what is asked, wherever it stands among the arguments."""
    if len(given) == 1:
        return given[0]
    if len(given) == 2 and all(isinstance(one, str) for one in given):
        return {"question": given[0], "context": given[1]}
    if given:
        return list(given)
    for name in ("X", "data"):
        if name in named:
            return named[name]
    if "question" in named and "context" in named:
        return _paired(named["question"], named["context"])
    raise ValueError(f"question and context are wanted, and {sorted(named) or 'nothing'} was given")


def _paired(questions: object, contexts: object) -> list[dict[str, object]]:
    """Return each question with its context; one context may do for all.

    :raises ValueError: when there are not as many, or they are of other types.
    """
    match questions, contexts:
        case str(), str():
            return [{"question": questions, "context": contexts}]
        case list(), str():
            return [{"question": one, "context": contexts} for one in questions]
        case list(), list():
            if len(questions) != len(contexts):
                raise ValueError(f"{len(questions)} questions and {len(contexts)} contexts: give one for all, or one each")
            return [{"question": one, "context": text} for one, text in zip(questions, contexts, strict=True)]
    raise ValueError("a question and a context are texts, or lists of texts")
