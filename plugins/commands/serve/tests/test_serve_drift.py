"""Drift: what a function is given and answers of late, beside what its report says that it was measured on."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import functory
from functory_sdk import Spread, Usual
from functory_serve.drift import KEPT, LEAST, Drift

AT = "/v1/functions/toy"


class Given(BaseModel):
    text: str


class Answered:
    def __init__(self, score: float) -> None:
        self.scores = {"yes": score, "no": 1 - score}


class Measured:
    """A function that was measured on texts of some lengths."""

    def __init__(self, lengths: Any, scores: Any) -> None:
        self.report = self
        self.usual = Usual(lengths=Spread.of(lengths), scores=Spread.of(scores))


def drifted(drift: Drift, lengths: Any, scores: Any) -> dict[str, tuple[float, float]]:
    drift.saw([Given(text="x" * length) for length in lengths], [Answered(score) for score in scores])
    return drift.told()


def test_inputs_that_are_spread_as_they_were_are_no_drift_and_longer_ones_and_less_sure_answers_are() -> None:
    draw = random.Random(0)
    lengths, scores = [draw.randint(20, 400) for _ in range(500)], [draw.uniform(0.5, 1) for _ in range(500)]
    drift = Drift(Measured(lengths, scores))
    assert all(math.isnan(shift) for shift, _ in drift.told().values())
    told = drifted(drift, draw.choices(lengths, k=LEAST), draw.choices(scores, k=LEAST))
    assert max(shift for shift, _ in told.values()) < 3 * told["length"][1]
    told = drifted(drift, draw.choices(lengths, k=KEPT), draw.choices(scores, k=KEPT))
    assert max(shift for shift, _ in told.values()) < 0.1
    told = drifted(drift, [length * 3 for length in draw.choices(lengths, k=KEPT)], draw.choices(scores, k=KEPT))
    assert told["length"][0] > 0.25 > 0.1 > told["score"][0]
    told = drifted(drift, draw.choices(lengths, k=KEPT), [0.5 + (score - 0.5) / 3 for score in draw.choices(scores, k=KEPT)])
    assert told["score"][0] > 0.25 > 0.1 > told["length"][0]


def test_the_report_of_a_build_keeps_what_is_usual_through_saving_and_metrics_tell_it(
    toy: Any, tmp_path: Path, serve: Callable[..., Any]
) -> None:
    built = toy.replaced(report=toy.evaluate([{"text": f"good {'film ' * (n % 40)}", "label": "yes"} for n in range(200)]))
    usual = functory.load(built.save(tmp_path / "toy")).report.usual
    assert usual == built.report.usual
    assert usual.lengths.examples == usual.scores.examples == 200
    with serve({"toy": built}) as found:
        found.ready()
        found.ask(AT, [f"good {'film ' * (n % 40)}" for n in range(200)])
        near = metrics(found)
        found.ask(AT, ["the poor book in the rain " * 30] * 900)
        far = metrics(found)
        found.service.servings["toy"].renew(toy)
        assert math.isnan(metrics(found).get('functory_drift{function="toy",of="length"}', math.nan))
    length = 'functory_drift{function="toy",of="length"}'
    assert near[length] < 0.1 < 1 < far[length]
    assert near['functory_drift_by_chance{function="toy",of="score"}'] == pytest.approx(
        usual.scores.chance(200), abs=1e-6
    )
    assert far['functory_tokens_total{function="toy",kind="read"}'] > 900 * 100
    assert far['functory_tokens_total{function="toy",kind="padding"}'] == 0, "an encoder computes nothing for it"


def metrics(found: Any) -> dict[str, float]:
    lines = found.ask("/metrics").body.decode().splitlines()
    return {name: float(value) for line in lines if not line.startswith("#") for name, value in [line.rsplit(" ", 1)]}
