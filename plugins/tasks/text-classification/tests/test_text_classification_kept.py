"""Paths, ratings and declining survive saving, loading, int8, packaging and explaining: on a tiny backbone."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

import functory
from functory_sdk import Function
from functory_sdk.testing import converted, kit

MODES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "path": ({"mode": "path", "out_of_scope": "oos"}, ("good/film/long", "bad", "oos", "good", "good/film/short")),
    "ordinal": ({"mode": "ordinal"}, ("1", "3", "10", "4", "7")),
    "energy": ({"abstain": "energy", "out_of_scope": "oos"}, ("good", "bad", "oos", "poor")),
}


def rows(labels: tuple[str, ...]) -> list[dict[str, str]]:
    """Return texts that say their label."""
    return [{"text": f"{label.replace('/', ' ')} {n}", "label": label} for n in range(12) for label in labels]


@pytest.fixture(params=MODES)
def function(request: pytest.FixtureRequest) -> Iterator[Function]:
    options, labels = MODES[request.param]
    with kit():
        yield functory.build(
            task={"name": "text-classification", **options}, train=rows(labels), backbone="tiny-encoder",
            adaptation={"name": "head", "penalty": 0.01}, name="grown", seed=1,
        )  # fmt: skip


def test_it_is_saved_loaded_evaluated_explained_and_made_smaller(
    function: Function, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = functory.load(function.save(tmp_path / "grown"))
    text, data = "good film long 3", rows(MODES[_name(function)][1])
    assert loaded(text) == function(text)
    assert loaded.state == function.state
    assert type(loaded(text)) is loaded.task.Output
    report = loaded.evaluate(data[:20])
    assert report.metrics[report.metric].low is not None
    assert report.metric in str(report)
    for method in ("occlusion", "gradient-x-input"):
        for target in loaded.targets(text):
            assert loaded.explain(text, method=method, target=target.name).target.name == target.name
    small = converted(function, tmp_path / "files", inputs=function.calibration)
    small = functory.load(small.save(tmp_path / "small"))  # which replays its golden examples
    assert small.form.name == "onnxruntime int8"
    assert type(small(text)) is type(function(text))
    assert small(text).scores == pytest.approx(function(text).scores, abs=0.1)
    assert small.evaluate(data).metrics.keys() == function.evaluate(data).metrics.keys()
    name = f"grown_{_name(function)}"
    [wheel] = small.package(name, tmp_path / "dist")
    ZipFile(wheel).extractall(tmp_path / "installed")
    stub = (tmp_path / "installed" / name / "__init__.pyi").read_text(encoding="utf-8").replace("'", '"')
    assert all(f'"{label}"' in stub for label in function.state.answers)
    monkeypatch.syspath_prepend(tmp_path / "installed")
    kind = type(function(text))
    assert f"class {kind.__name__}" in stub
    assert getattr(import_module(name), kind.__name__) is kind


def _name(function: Function) -> str:
    """Return which of the modes a function is of."""
    mode = str(function.state.mode)
    return mode if mode in MODES else "energy"
