"""The tracker writes what happens, and nothing where nothing happens."""

from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from functory_sdk import Event, Run
from functory_tensorboard import TensorBoard


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    found = EventAccumulator(str(folder))
    found.Reload()
    return {tag: [(e.step, round(e.value, 4)) for e in found.Scalars(tag)] for tag in found.Tags()["scalars"]}


def test_numbers_of_a_run_are_read_back_at_their_steps(tmp_path: Path) -> None:
    tracker, run = TensorBoard(), Run(tmp_path, tmp_path, 0, name="sentiment", logs=tmp_path / "logs/sentiment-1")
    tracker.progress(run=run, event=Event("start"))
    for step in (1, 2):
        tracker.progress(run=run, event=Event("step", step, {"loss": 1 / step, "learning_rate": 0.1}))
    tracker.progress(run=run, event=Event("metric", 2, {"dev_accuracy": 0.75}))
    tracker.progress(run=run, event=Event("done", values={"loss": 0.5}))
    [folder] = (tmp_path / "logs").iterdir()
    assert folder.name.startswith("sentiment-")
    found = scalars(folder)
    assert found["step/loss"] == [(1, 1.0), (2, 0.5)]
    assert found["metric/dev_accuracy"] == [(2, 0.75)]


def test_a_whole_build_is_tracked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import functory
    from functory_sdk.testing import kit
    from functory_sdk.testing.toy import rows

    monkeypatch.setenv("FUNCTORY_LOGS", str(tmp_path / "logs"))
    monkeypatch.setenv("FUNCTORY_CACHE", str(tmp_path / "cache"))
    told: list[str] = []
    with kit():
        function = functory.build(
            task="toy",
            train=rows(96),
            backbone="tiny-encoder",
            adaptation={"name": "full", "epochs": 1, "batch_rows": 8, "learning_rate": 1e-3},
            hooks=["tensorboard"],
            tell=told.append,
        )
    assert function("we saw the good film").label in ("no", "yes")
    [folder] = (tmp_path / "logs").iterdir()
    assert f"what hooks wrote about this run is in {folder}" in told
    found = scalars(folder)
    assert len(found["step/loss"]) >= 9
    assert "metric/dev_accuracy" in found


def test_the_losses_and_folds_of_a_head_are_tracked_where_the_recipe_says(tmp_path: Path) -> None:
    import functory
    from functory_sdk.testing import kit
    from functory_sdk.testing.toy import rows

    with kit():
        functory.build(
            task="toy",
            train=rows(40),
            backbone="tiny-encoder",
            adaptation="head",
            hooks=[{"name": "tensorboard", "folder": str(tmp_path / "curves")}],
        )
    [folder] = (tmp_path / "curves").iterdir()
    found = scalars(folder)
    assert len(found["step/loss"]) > 2
    assert len(found["folds/held_out_loss"]) > 2
    assert "metric/dev_accuracy" in found
