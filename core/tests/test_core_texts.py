"""The texts of an input by their paths, wherever they stand."""

from __future__ import annotations

from enum import Enum
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel

from functory.contracts.texts import texts_of, with_texts


class Tone(Enum):
    DRY = "dry"


class Passage(BaseModel):
    title: str
    lines: list[str] = []


class Pair(NamedTuple):
    left: str
    right: str


class Asked(BaseModel):
    question: str
    language: Literal["en", "zh"] = "en"
    tone: Tone | None = Tone.DRY
    kind: Literal["a"] | None = "a"
    note: str | None = None
    count: int = 3
    candidates: tuple[str, ...] = ()
    passages: list[Passage] = []
    more: dict[str, Any] = {}
    pair: Pair = Pair("l", "r")


VALUE = Asked(
    question="q", candidates=("a", "b"), passages=[Passage(title="t", lines=["x", "y"])], more={"source": ["s", 2], "n": None}
)
PATHS = {
    "question": "q", "candidates.0": "a", "candidates.1": "b", "passages.0.title": "t", "passages.0.lines.0": "x",
    "passages.0.lines.1": "y", "more.source.0": "s", "pair.0": "l", "pair.1": "r",
}  # fmt: skip


def test_every_text_has_its_path_and_what_is_chosen_from_a_list_is_none() -> None:
    assert texts_of(VALUE) == PATHS
    assert texts_of("alone") == {"": "alone"}
    assert texts_of(Asked(question="", note="n"))["note"] == "n"


def test_each_text_is_changed_alone_and_all_else_is_what_it_was() -> None:
    for path in PATHS:
        changed = with_texts(VALUE, {path: "new"})
        assert texts_of(changed) == {**PATHS, path: "new"}
        assert (changed.language, changed.tone, changed.count, changed.more["n"]) == ("en", Tone.DRY, 3, None)
        assert type(changed.candidates) is tuple
        assert type(changed.pair) is Pair
    assert texts_of(VALUE) == PATHS
    assert with_texts(VALUE, {}) is with_texts(VALUE, {"no.such": "x"}) is VALUE


def test_many_texts_are_changed_at_once_and_nothing_is_checked_again() -> None:
    changed = with_texts(VALUE, dict.fromkeys(PATHS, ""))
    assert texts_of(changed) == dict.fromkeys(PATHS, "")
