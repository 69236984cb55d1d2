"""What a schema lacks of bounds is put in and told; what has bounds stays as it is."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from functory_sdk import Guide, bounded


class Line(BaseModel):
    title: str
    price: float = Field(gt=0)


class Bill(BaseModel):
    number: str = Field(max_length=12)
    lines: list[Line]
    codes: set[str] = Field(max_length=3)
    due: date | None
    state: Literal["paid", "open"]
    rest: dict[str, int]
    free: Any


def changed(schema: dict[str, Any]) -> tuple[Any, tuple[str, ...]]:
    guide, notes = bounded(Guide.model_validate({"schema": schema}))
    return guide.json_schema, notes


def test_every_kind_of_value_in_a_model_gets_its_bounds_and_each_is_told_once() -> None:
    guide, [note] = bounded(Guide.model_validate(Bill))
    schema: Any = guide.json_schema
    own, line = schema["properties"], schema["$defs"]["Line"]
    assert own["number"]["maxLength"] == 12
    assert (own["lines"]["maxItems"], own["codes"]["maxItems"]) == (16, 3)
    assert "uniqueItems" not in own["codes"]
    assert (line["properties"]["title"]["maxLength"], line["additionalProperties"]) == (200, False)
    assert line["properties"]["price"]["maximum"] == 10**15 - 1
    assert "minimum" not in line["properties"]["price"]
    assert own["rest"]["patternProperties"].keys() == {"^.{1,40}$"}
    assert own["rest"]["maxProperties"] == 16
    assert [one.get("maxLength") for one in own["free"]["anyOf"]] == [None, None, None, 200]
    assert "maxLength" not in own["due"]["anyOf"][0]
    assert own["state"] == Bill.model_json_schema()["properties"]["state"]
    assert "title, codes[], free: at most 200 characters" in note
    assert "codes: items may repeat" in note
    assert "free: any JSON is a text, a number, true, false or null" in note
    assert "number" not in note.replace("a number", "")


@pytest.mark.parametrize(("given", "made", "told"), [
    ({"type": "string", "maxLength": 3}, {"type": "string", "maxLength": 3}, ()),
    ({"type": "string", "minLength": 500}, {"type": "string", "minLength": 500, "maxLength": 500}, ("at most 500 characters",)),
    ({"type": "string", "format": "path"}, {"type": "string", "maxLength": 200}, ("format 'path' is not held", "at most 200")),
    ({"type": ["integer", "null"], "minimum": 0, "maximum": 9}, {"type": ["integer", "null"], "minimum": 0, "maximum": 9}, ()),
    ({"enum": ["a", 1]}, {"enum": ["a", 1]}, ()),
    ({"type": "array", "items": {"enum": [1]}, "minItems": 40},
     {"type": "array", "items": {"enum": [1]}, "minItems": 40, "maxItems": 40}, ("at most 40 items",)),
    ({"type": "object", "properties": {"a": {"const": 1}}, "additionalProperties": True},
     {"type": "object", "properties": {"a": {"const": 1}}, "additionalProperties": False}, ("no further properties",)),
])  # fmt: skip
def test_a_bound_is_put_in_where_there_is_none(given: Any, made: Any, told: tuple[str, ...]) -> None:
    schema, notes = changed(given)
    assert schema == made
    assert len(notes) == bool(told)
    assert all(one in notes[0] for one in told)


def test_a_pattern_that_no_guide_can_hold_is_left_out_and_told() -> None:
    schema, [note] = changed({"type": "object", "properties": {
        "amount": {"type": "string", "pattern": "^(?!-)[0-9]+$", "maxLength": 9},
        "twice": {"type": "string", "pattern": r"^(a|b)\1$", "maxLength": 9},
        "plain": {"type": "string", "pattern": "^[0-9]{4}$", "maxLength": 9},
    }})  # fmt: skip
    assert ["pattern" in one for one in schema["properties"].values()] == [False, False, True]
    assert note == "bounds of the guide: amount, twice: a pattern that looks around or back is not held"


def test_the_schema_that_was_given_stays_as_it_is() -> None:
    given = Bill.model_json_schema()
    bounded(Guide.model_validate(given))
    assert given == Bill.model_json_schema()


def test_other_guides_have_no_bounds_to_put_in() -> None:
    for guide in (["yes", "no"], {"regex": "a*"}, {"grammar": "start: /a+/"}):
        made = Guide.model_validate(guide)
        assert bounded(made) == (made, ())
