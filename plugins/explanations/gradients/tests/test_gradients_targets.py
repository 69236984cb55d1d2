"""Targets that stand at several places of a row: core's numbers and the gradients' are the same."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functory.contracts.odds import joint_odds
from functory_sdk import Formulation, Target

torch = pytest.importorskip("torch")
layers = pytest.importorskip("functory_gradients.layers")


@given(st.lists(st.floats(-30, 30), min_size=1, max_size=4))
def test_log_odds_of_several_things_together_are_those_of_their_product(odds: list[float]) -> None:
    shares = [1 / (1 + Decimal(-number).exp()) for number in odds]
    product = math.prod(shares)
    assert joint_odds(odds) == pytest.approx(float((product / (1 - product)).ln()), abs=1e-9)
    first, *others = torch.tensor(odds, dtype=torch.float64)[:, None]
    found = layers.joint(first, others)
    assert float(found) == pytest.approx(joint_odds(odds), abs=1e-9)


def test_a_target_at_several_places_of_a_row_is_what_is_so_at_all_of_them() -> None:
    class Both(Formulation):
        """A first and a last."""

        def encode(self, inputs: Any, reader: Any, state: Any) -> Any:
            raise NotImplementedError

        def decode(self, side: Any, outputs: Any, state: Any) -> Any:
            raise NotImplementedError

    scores = np.log(np.asarray([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]))
    target = Target(name="0–2", port="scores", index=(0, 0), also=((1, 2),), scale="log")
    rows, alone = [{"scores": scores}], target.model_copy(update={"also": ()})
    assert Both().value(target, None, rows, None) == pytest.approx(math.log(0.4))
    assert Both().evidence(target, None, rows, None) == pytest.approx(math.log(0.4 / 0.6))
    assert Both().value(target, None, rows * 2, None) == pytest.approx(math.log(0.4))  # the mean over rows
    assert Both().evidence(alone, None, rows, None) == pytest.approx(0)
    of_steps = torch.from_numpy(scores)[None].expand(3, -1, -1)
    assert layers.evidence(of_steps, target).tolist() == pytest.approx([math.log(0.4 / 0.6)] * 3)
