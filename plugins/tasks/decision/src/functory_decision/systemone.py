"""The wire format of typed decisions: from a request of System One to a text with its questions, and from the answers back.

    {"model": …, "state": …, "questions": {"refund": {"type": "noul", "instructions": "Is a refund asked for?"}}}

Apart from `face`, which speaks HTTP: here is the format alone. What is asked becomes words of ours; names are kept aside, so that
they decide nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from functory_decision.open_types import MOST

OPTIONS = (2, 255)
LEVELS = (2, 10)
"""How many options a choice has, and levels a score: the least and the most."""
UNASKED = {"noul": "Is it so?", "choice": "Which one is it?", "score": "How much is it?"}
"""What is asked where a question has no instructions."""
Json = Any  # Any: JSON


@dataclass(frozen=True)
class Asked:
    """A question of a request.

    :param kind: noul is a yes or no.
    :param names: of the options; of a score's levels, their numbers.
    :param legend: of a score, what its levels are.
    :param question: as `AskedText` takes it.
    """

    kind: Literal["noul", "choice", "score"]
    names: tuple[str, ...]
    legend: tuple[str, ...]
    question: dict[str, Json]


@dataclass(frozen=True)
class Request:
    """A request.

    :param model: the function's name, or what clients call any; empty where none is named.
    :param text: the state as a text.
    :param questions: by their ids.
    """

    model: str
    text: str
    questions: dict[str, Asked]

    def input(self) -> dict[str, Json]:
        """Return it as a decision's input."""
        return {"text": self.text, "questions": {name: one.question for name, one in self.questions.items()}}


class Invalid(Exception):
    """A body that is no request.

    :param place: where in it.
    """

    def __init__(self, what: str, *place: str | int) -> None:
        super().__init__(what)
        self.detail = [{"loc": ["body", *place], "msg": what, "type": "value_error"}]


def request_of(body: Json) -> Request:
    """Return the request that a body writes; what it does not know at its top is passed over, as servers of this format do.

    :raises Invalid: for what is none, saying where.
    """
    if not isinstance(body, Mapping):
        raise Invalid("the body is no object: write {\"state\": …, \"questions\": {…}}")
    model, state, questions = body.get("model", ""), body.get("state"), body.get("questions")
    if not isinstance(model, str):
        raise Invalid("the model is no text", "model")
    if not isinstance(state, str | Mapping | Sequence):
        raise Invalid("there is no state: a text, an object or a list", "state")
    if body.get("assets") not in (None, {}, []):
        raise Invalid("pictures are not read here: leave assets out", "assets")
    if not isinstance(questions, Mapping) or not 1 <= len(questions) <= MOST:
        raise Invalid(f"questions are an object of 1 to {MOST}, each by its id", "questions")
    return Request(model, told(state), {name: _asked(name, one) for name, one in questions.items()})


def answers_of(request: Request, found: Mapping[str, Json]) -> dict[str, Json]:
    """Return the answers in the wire format.

    :param found: a decision's output, as JSON.
    """
    answers = {name: _answer(one, found["scores"][name]) for name, one in request.questions.items()}
    return {"answers": answers, "usage": {"input_tokens": int(found["tokens"]), "output_tokens": 0}}


def told(value: Json, *, inner: bool = False) -> str:
    """Return structured text as a text: a field or an item a line; what lies deeper as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and not inner:
        return "\n".join(f"{name}: {told(one, inner=True)}" for name, one in value.items())
    if isinstance(value, Sequence) and not inner:
        return "\n".join(told(one, inner=True) for one in value)
    return json.dumps(value, ensure_ascii=False)


def _asked(name: str, given: Json) -> Asked:
    """Return one question.

    :raises Invalid: for what is none.
    """
    place = ("questions", name)
    if not name:
        raise Invalid("a question's id is empty", *place)
    if not isinstance(given, Mapping):
        raise Invalid("a question is an object", *place)
    kind, criteria = given.get("type"), given.get("criteria")
    if not isinstance(kind, str) or kind not in UNASKED:
        raise Invalid("the type is none of noul, choice, score", *place, "type")
    instructions = given.get("instructions")
    if instructions is not None and not isinstance(instructions, str | Mapping | Sequence):
        raise Invalid("instructions are a text, an object or a list", *place, "instructions")
    ask = told(instructions).strip() if instructions else ""
    if kind == "noul":
        return _noul(ask, criteria, place)
    return _choice(ask, criteria, place) if kind == "choice" else _score(ask, criteria, place)


def _noul(ask: str, criteria: Json, place: tuple[str, ...]) -> Asked:
    """Return a yes or no, with what each of them means after what is asked."""
    if criteria is not None and not isinstance(criteria, Mapping):
        raise Invalid("criteria are an object with true, false or both", *place, "criteria")
    meant = [f"{word}: {told(criteria[side], inner=True)}" for side, word in (("true", "Yes"), ("false", "No"))
             if criteria and criteria.get(side) is not None]  # fmt: skip
    return Asked("noul", ("true", "false"), (), {"ask": "\n".join([ask or UNASKED["noul"], *meant])})


def _choice(ask: str, criteria: Json, place: tuple[str, ...]) -> Asked:
    """Return a choice. An option's description stands beside its name: how likely both are after the question is the option's."""
    if not isinstance(criteria, Mapping) or not OPTIONS[0] <= len(criteria) <= OPTIONS[1]:
        what = f"criteria are an object of {OPTIONS[0]} to {OPTIONS[1]} options with their descriptions"
        raise Invalid(what, *place, "criteria")
    words = {name: name if about is None else f"{name} ({told(about, inner=True)})" for name, about in criteria.items()}
    question = {"ask": ask or UNASKED["choice"], "options": _options(words, place)}
    return Asked("choice", tuple(criteria), (), question)


def _score(ask: str, criteria: Json, place: tuple[str, ...]) -> Asked:
    """Return a score: its levels are options whose place is their number."""
    is_list = isinstance(criteria, Sequence) and not isinstance(criteria, str)
    if not is_list or not LEVELS[0] <= len(criteria) <= LEVELS[1]:
        raise Invalid(f"criteria are a list of {LEVELS[0]} to {LEVELS[1]} levels, the lowest first", *place, "criteria")
    if None in criteria:
        raise Invalid("a level is null: describe each", *place, "criteria", criteria.index(None))
    legend = tuple(told(level, inner=True) for level in criteria)
    question = {"ask": ask or UNASKED["score"], "options": _options(dict(enumerate(legend)), place)}
    return Asked("score", tuple(map(str, range(len(legend)))), legend, question)


def _options(words: Mapping[Any, str], place: tuple[str, ...]) -> list[dict[str, Json]]:
    """Return options with their words.

    :raises Invalid: for two that nobody could tell apart, and one that is empty.
    """
    bare = [text.strip() for text in words.values()]
    if "" in bare:
        raise Invalid("an option is empty", *place, "criteria")
    twice = next((text for text in bare if bare.count(text) > 1), None)
    if twice is not None:
        raise Invalid(f"the option {twice!r} stands there twice", *place, "criteria")
    return [{"value": value, "words": text} for value, text in words.items()]


def _answer(asked: Asked, scores: Mapping[str, float]) -> dict[str, Json]:
    """Return one answer."""
    shares = [float(scores[name]) for name in asked.names]
    if asked.kind == "noul":
        return {"type": "noul", "noul": shares[0]}
    probabilities = dict(zip(asked.names, shares, strict=True))
    if asked.kind == "choice":
        best = max(probabilities, key=lambda name: probabilities[name])
        return {"type": "choice", "choice": best, "confidence": _sure(shares), "probabilities": probabilities}
    expected = math.fsum(place * share for place, share in enumerate(shares))
    legend = dict(zip(asked.names, asked.legend, strict=True))
    sure = _near(shares)
    return {"type": "score", "score": round(expected, 6), "confidence": sure, "legend": legend, "probabilities": probabilities}


def _sure(shares: Sequence[float]) -> float:
    """Return how sure a choice is: how far its probability lies from that of chance, 0, to certainty, 1."""
    chance = 1 / len(shares)
    return round(min(1.0, max(0.0, (max(shares) - chance) / (1 - chance))), 6)


def _near(shares: Sequence[float]) -> float:
    """Return how sure a score is: 1 less the expected distance from the likeliest level, in that of even probabilities."""
    count = len(shares)
    likeliest = max(range(count), key=lambda place: shares[place])
    spread = sum(share * abs(place - likeliest) for place, share in enumerate(shares))
    even = sum(abs(place - (count - 1) / 2) for place in range(count)) / count
    return round(min(1.0, max(0.0, 1 - spread / even)), 6)
