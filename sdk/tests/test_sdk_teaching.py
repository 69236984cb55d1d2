"""What is taught, and by what is chosen among held-out examples."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from functory.contracts import counted
from functory.data import Examples
from functory.errors import PluginError
from functory.reading.reader import Reader
from functory.training.teaching import _held_out, digest
from functory_sdk import Taught
from functory_sdk.testing.tiny import TinyEncoder
from functory_sdk.testing.toy import ToyExample, ToyState, ToyTask, rows

STATE = ToyState(labels=("no", "yes"))
BACKBONE = TinyEncoder()
READER = Reader(BACKBONE.tokenizer, BACKBONE.spec)
HELD = Examples(tuple(ToyExample(**row) for row in rows(6)), ("",) * 6, "held")


class Twice(ToyTask):
    """Is taught each text twice, as a group, and judges what comes of both."""

    def teach(self, examples: Any, inputs: Any, reader: Any, state: Any) -> Taught:
        once = super().teach(examples, inputs, reader, state)
        return Taught([row for row in once.rows for _ in (0, 1)], [one for one in once.owner for _ in (0, 1)])

    def appraise(self, outputs: Any, examples: Any, state: Any) -> dict[str, float]:
        return {"rows": float(sum(map(len, outputs))), "examples": float(len(examples))}


def test_held_out_examples_are_answered_as_in_use_and_scored_by_the_task() -> None:
    held = _held_out(ToyTask(), ToyTask(), HELD, READER, STATE)
    assert all("gold" not in row for row in held.rows), "an answer sees no gold"
    right = [{"scores": np.log([0.9, 0.1] if one.label == "no" else [0.1, 0.9])} for one in HELD]
    assert held.score(right) == {"accuracy": 1.0}


def test_a_formulation_may_appraise_what_it_is_taught() -> None:
    held = _held_out(Twice(), Twice(), HELD, READER, STATE)
    assert len(held.rows) == 12
    assert "gold" in held.rows[0]
    assert held.score([{}] * 12) == {"rows": 12.0, "examples": 6.0}


def test_each_row_is_a_group_of_its_own_unless_it_is_said() -> None:
    taught = counted.teach(ToyTask(), list(HELD), list(HELD), READER, STATE)
    assert taught.group == list(range(6))
    assert replace(taught, group=taught.owner).group == [0, 1, 2, 3, 4, 5]


def test_other_groups_or_other_right_answers_are_another_run() -> None:
    train = counted.teach(ToyTask(), list(HELD), list(HELD), READER, STATE)
    held = _held_out(ToyTask(), ToyTask(), HELD, READER, STATE)
    first = digest(train, held, HELD)
    assert first == digest(train, held, HELD)
    assert first != digest(replace(train, group=[0, 0, 1, 1, 2, 2]), held, HELD)
    swapped = replace(HELD, items=(HELD[0].model_copy(update={"label": "no" if HELD[0].label == "yes" else "yes"}), *HELD[1:]))
    assert first != digest(train, held, swapped)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"owner": [0]}, "1 of 'owner' for 6 rows"), ({"group": [0]}, "1 of 'group'"), ({"owner": [9] * 6}, "example 9's")],
)
def test_what_does_not_fit_is_told_with_its_place(wrong: dict[str, Any], says: str) -> None:
    class Wrong(ToyTask):
        """Gives what does not fit."""

        def teach(self, examples: Any, inputs: Any, reader: Any, state: Any) -> Taught:
            return replace(super().teach(examples, inputs, reader, state), **wrong)

    with pytest.raises(PluginError, match=says) as caught:
        counted.teach(Wrong(), list(HELD), list(HELD), READER, STATE)
    assert "test_sdk_teaching.py" in caught.value.where
