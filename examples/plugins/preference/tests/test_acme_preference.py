"""The preference task keeps the contract of tasks, and is fitted as its paper says."""

import math

import pytest

from functory_sdk.testing import TaskSuite


class TestPreference(TaskSuite):
    component = "preference"


def test_the_loss_of_a_pair_is_that_of_bradley_and_terry() -> None:
    torch = pytest.importorskip("torch")
    from acme_preference.head import ScoreHead
    from functory_sdk import BackboneSpec
    from functory_sdk.testing.tiny import TinyEncoder

    spec: BackboneSpec = TinyEncoder().spec
    outputs = {"score": torch.tensor([2.0, 0.0, 1.0, -1.0, 3.0])}
    # the better text of the first pair has two windows; the rows of the second lie around one of the first
    batch = {"gold": torch.tensor([1, 1, 0, 0, 1]), "group": torch.tensor([0, 0, 1, 0, 1])}
    losses, weights = ScoreHead(spec, None).losses(outputs, batch)
    expected = [math.log1p(math.exp(-(1.0 - -1.0))), math.log1p(math.exp(-(3.0 - 1.0)))]
    assert losses.tolist() == pytest.approx(expected)
    assert weights.tolist() == [1, 1]
