"""The preference task keeps the contract of tasks, and is fitted as its paper says."""

import math
from pathlib import Path

import pytest

import functory
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


@pytest.mark.parametrize("adaptation", ["head", "full"])
def test_pairs_are_learned_by_heart_whatever_fits_them(adaptation: str, tmp_path: Path) -> None:
    from functory_sdk.testing import kit
    from functory_sdk.testing.toy import rows

    good, bad = ([row["text"] for row in rows(60) if row["label"] == label] for label in ("yes", "no"))
    pairs = [{"first": a, "second": b, "better": "first"} for a, b in zip(good, bad, strict=False)]
    pairs += [{"first": b, "second": a, "better": "second"} for a, b in zip(good[1:], bad, strict=False)]
    with kit():
        better = functory.build(
            task="preference", train=pairs, test=pairs, backbone="tiny-encoder", adaptation=adaptation, dev_share=0, run=tmp_path
        )
        assert better.report.metrics["accuracy"].value > 0.8
        answers = better(pairs[0]["first"], pairs[0]["second"]), better(pairs[0]["second"], pairs[0]["first"])
        assert answers[0].better != answers[1].better
