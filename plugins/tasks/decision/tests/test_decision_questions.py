"""What a question is: from a pydantic model, from its schema, from a line; and what is none."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from functory_decision import Decide
from functory_decision.questions import Question, plain_words
from functory_decision.spelling import read, spelled
from functory_sdk import DataError, OptionError


class Place(Enum):
    """Where it happened."""

    HERE = "here"
    THERE = "there"


class Ticket(BaseModel):
    """What a customer wants."""

    team: Literal["billing", "card_lost"] = Field(description="Which team?")
    tone: (
        Annotated[Literal["calm"], Field(description="a polite message")]
        | Annotated[Literal["pushy"], Field(description="pressing")]
    )
    floor: Literal[1, 2, 7]
    place: Place = Field(description="Where?")
    refund: bool
    stars: int = Field(ge=1, lt=6)
    share: float = Field(gt=0, le=1)
    half: float = Field(ge=0, le=2, multiple_of=0.5)


def questions(given: Any) -> dict[str, Question]:
    """Return questions as the task has them."""
    found: dict[str, Question] = Decide.configure({"questions": given}).options.questions
    return found


def test_each_field_of_a_model_is_a_question() -> None:
    found = questions(Ticket)
    assert {name: one.kind for name, one in found.items()} == {
        "team": "choice", "tone": "choice", "floor": "choice", "place": "choice", "refund": "yes-no", "stars": "number",
        "share": "number", "half": "number",
    }  # fmt: skip
    assert found["team"].values == ("billing", "card_lost")
    assert found["team"].words == ("billing", "card lost")
    assert found["tone"].words == ("a polite message", "pressing")
    assert found["floor"].values == (1, 2, 7)
    assert found["place"].values == ("here", "there")
    assert found["stars"].values == (1, 2, 3, 4, 5)
    assert found["share"].values[0] == pytest.approx(0.01)
    assert found["share"].values[-1] == 1
    assert found["half"].values == (0, 0.5, 1, 1.5, 2)
    assert found["half"].words == ("0.0", "0.5", "1.0", "1.5", "2.0")
    assert found["team"].asked("team") == "Which team?"
    assert found["refund"].asked("refund") == "Refund?"
    assert found["stars"].asked("stars") == "Stars, from 1 to 5?"


def test_a_model_its_schema_and_what_a_manifest_holds_are_the_same_questions() -> None:
    found = questions(Ticket)
    assert questions(Ticket.model_json_schema()) == found
    held = Decide.configure({"questions": Ticket}).options.model_dump(mode="json")
    assert Decide.configure(held).options.questions == found


@pytest.mark.parametrize(
    ("line", "kind", "values", "ask"),
    [
        ("positive, negative", "choice", ("positive", "negative"), ""),
        ("What is it about? sports, card lost", "choice", ("sports", "card lost"), "What is it about?"),
        ("评价怎么样？正面，负面", "choice", ("正面", "负面"), "评价怎么样？"),
        ("Is a refund asked for, or an answer?", "yes-no", (True, False), "Is a refund asked for, or an answer?"),
        ("How urgent? 1..3", "number", (1, 2, 3), "How urgent?"),
        ("0.0..1.0", "number", tuple(place / 10 for place in range(11)), ""),
    ],
)
def test_a_line_spells_a_question(line: str, kind: str, values: tuple[Any, ...], ask: str) -> None:
    found = Question.model_validate(spelled(line))
    assert (found.kind, found.values, found.ask) == (kind, pytest.approx(values), ask) if kind == "number" else (
        found.kind, found.values, found.ask) == (kind, values, ask)  # fmt: skip


def test_many_numbers_are_asked_for_at_levels_that_lie_evenly() -> None:
    found = Question(low=0, high=1000, is_whole=True)
    assert found.values == tuple(range(0, 1001, 100))
    assert Question(low=0, high=20, is_whole=True).values == tuple(range(21))
    assert found.place_of(449) == 4


def test_yes_and_no_are_asked_for_in_the_language_of_the_question() -> None:
    assert Question(ask="Is it good?").words == ("Yes", "No")
    assert Question(ask="顾客想退款吗？").words == ("是", "否")


def test_names_of_programs_are_read_as_words() -> None:
    assert [plain_words(name) for name in ("card_lost", "cardLost", "card lost", "Sci/Tech", "NASA", "_")] == [
        "card lost", "card lost", "card lost", "Sci/Tech", "NASA", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"mood": ["good"]}, "two options at least"),
        ({"mood": ["good", " good"]}, "'good' stands there twice"),
        ({"mood": ["card lost", "card_lost"]}, "'card lost' stands there twice"),
        ({"mood": ["good", ""]}, "option 2 is empty"),
        ({"mood": [1.5, 2.5]}, "no float"),
        ({"stars": {"low": 1}}, "both bounds"),
        ({"stars": {"low": 5, "high": 1}}, "no two numbers lie"),
        ({"stars": {"low": 1, "high": 5, "options": ["a", "b"]}}, "not both"),
        ({"what mood": ["good", "bad"]}, "no name of a field"),
        ({"text": ["good", "bad"]}, "cannot be called 'text'"),
        ({"scores": ["good", "bad"]}, "cannot be called 'scores'"),
        ({"copy": ["good", "bad"]}, "cannot be called 'copy'"),
        ({"class": ["good", "bad"]}, "no name of a field"),
        ("positive, negative", "dictionary"),
    ],
)
def test_what_is_no_question_is_refused_by_name(given: Any, told: str) -> None:
    with pytest.raises(OptionError, match="questions") as caught:
        questions(given)
    assert told in str(caught.value)


def test_a_field_that_is_no_question_is_named() -> None:
    class Free(BaseModel):
        summary: str

    class Open(BaseModel):
        stars: int = Field(ge=1)

    class Perhaps(BaseModel):
        mood: Literal["good", "bad"] | None

    for model, told in (
        (Free, "summary is a free text"), (Open, "stars is a number without one bound"), (Perhaps, "mood may be None"),
    ):  # fmt: skip
        with pytest.raises(OptionError) as caught:
            questions(model)
        assert told in str(caught.value)


def test_a_decision_without_questions_and_a_row_without_answers_are_refused() -> None:
    with pytest.raises(OptionError, match="needs questions"):
        Decide().learn([])
    task = Decide.configure({"questions": {"mood": ["good", "bad"]}})
    with pytest.raises(DataError, match="answers none of the questions: mood"):
        task.check(task.Example(text="a day"), task.learn([]))


def test_answers_are_read_as_tables_write_them() -> None:
    example = Decide.configure({"questions": Ticket}).Example
    row = {"text": "a day", "team": " billing ", "floor": "7", "refund": "yes", "stars": "4", "share": "0.5", "half": ""}
    found = example.model_validate(row)
    assert (found.team, found.floor, found.refund, found.stars, found.share, found.half, found.tone) == (
        "billing", 7, True, 4, 0.5, None, None,
    )  # fmt: skip
    refund = Decide.configure({"questions": {"退款": "顾客想退款吗？"}}).Example
    assert dict(refund.model_validate({"text": "好", "退款": "否"}))["退款"] is False


def test_reading_leaves_what_is_no_mapping_for_the_option_to_refuse() -> None:
    assert read(3) == 3
