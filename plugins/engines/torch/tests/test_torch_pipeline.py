"""Every task that no plugin has a pipeline for is transformers' own, and one that the hub names may be a plugin's."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from functory.compat import pipeline
from functory.plugins.registry import registered
from functory_sdk.testing.checkpoints import write_checkpoint

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small encoder."""
    return write_checkpoint(tmp_path_factory.mktemp("encoder") / "bert", "bert", tokenizer={"model_max_length": 128})


def test_another_task_is_answered_by_transformers_itself(folder: Path) -> None:
    ours = pipeline("feature-extraction", model=str(folder), tokenizer=str(folder), use_fast=True, framework="pt")
    theirs = transformers.pipeline("feature-extraction", model=str(folder))
    assert type(ours) is type(theirs)
    assert ours("we saw it") == theirs("we saw it")


def test_a_task_that_there_is_not_is_told_by_transformers(folder: Path) -> None:
    with pytest.raises(KeyError, match="Unknown task no-such-task"):
        pipeline("no-such-task", model=str(folder))
    with pytest.raises(RuntimeError, match="without either a task or a model"):
        pipeline()
    with pytest.raises(RuntimeError, match="(?i)task"):
        pipeline(model=str(folder))


def test_the_task_that_the_hub_names_may_be_a_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def model_info(self: object, name: str, token: object = None) -> SimpleNamespace:
        asked.append((name, token))
        return SimpleNamespace(pipeline_tag="shouting")

    monkeypatch.setattr("huggingface_hub.HfApi.model_info", model_info)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    with registered("pipelines", "shouting", lambda task, /, **arguments: (task, arguments)):
        assert pipeline(model="someone/shouts", token="secret") == ("shouting", {"model": "someone/shouts", "token": "secret"})
    assert asked == [("someone/shouts", "secret")]
