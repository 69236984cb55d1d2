"""`functory.compat.pipeline` finds a task's pipeline by the name that transformers 4 gave it, and passes all others through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from functory.compat import pipeline
from functory.compat.pipelines import name_of
from functory.contracts.pipeline import fault_of
from functory.contracts.task import Task
from functory.errors import NotSupported, PluginContractError, UnknownComponent
from functory.plugins import registry
from functory.plugins.registry import load, registered


def shout(task: str, /, **arguments: Any) -> Any:
    """Return what was asked for."""
    return task, arguments


@pytest.fixture
def shouting() -> Iterator[None]:
    """A pipeline of a stranger."""
    with registered("pipelines", "shouting", shout):
        yield


@pytest.mark.usefixtures("shouting")
def test_a_pipeline_gets_the_name_as_it_was_written_and_what_was_given_alone() -> None:
    assert pipeline("shouting", "./model", tokenizer="./other", top_k=3) == (
        "shouting", {"model": "./model", "tokenizer": "./other", "top_k": 3},
    )  # fmt: skip
    assert pipeline("shouting_en_to_fr") == ("shouting_en_to_fr", {})
    assert pipeline("shouting", "m", framework="pt", use_fast=True, dtype="auto", device=None) == ("shouting", {"model": "m"})


@pytest.mark.usefixtures("shouting")
def test_arguments_stand_where_transformers_4_had_them_and_may_have_their_older_names() -> None:
    given = pipeline("shouting", "m", "c", "t", "f", "i", "p", "pt", "main", False, "secret")[1]
    assert given == {
        "model": "m", "config": "c", "tokenizer": "t", "feature_extractor": "f", "image_processor": "i", "processor": "p",
        "revision": "main", "use_fast": False, "token": "secret",
    }  # fmt: skip
    assert pipeline("shouting", use_auth_token="secret", torch_dtype="float16")[1] == {"token": "secret", "dtype": "float16"}


@pytest.mark.usefixtures("shouting")
def test_another_framework_is_refused_with_what_to_do() -> None:
    with pytest.raises(NotSupported, match="framework='tf'.*PyTorch alone") as caught:
        pipeline("shouting", framework="tf")
    assert "transformers 4" in caught.value.do


@pytest.mark.usefixtures("shouting")
@pytest.mark.parametrize("task", [None, "", "others", "shoutingly", "sentiment-analysis", "no_such_task", 5])
def test_whatever_no_one_announces_goes_to_the_others(task: Any) -> None:
    assert name_of(task) == "others"


def test_a_pipeline_that_this_project_has_and_is_not_installed_is_named_with_its_distribution(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without = [entry for entry in registry.entries() if entry.name != "summarization"]
    monkeypatch.setattr(registry, "entries", lambda kind=None: [one for one in without if kind in (None, one.kind)])
    monkeypatch.setattr("functory.compat.pipelines.entries", registry.entries)
    with pytest.raises(UnknownComponent, match="no pipeline named 'summarization'") as caught:
        pipeline("summarization")
    assert "pip install functory-summarization" in caught.value.do


@pytest.mark.parametrize(
    "wrong",
    [
        lambda task, **arguments: "",
        lambda task, model, /, **arguments: "",
        lambda task, /, model: "",
        lambda **arguments: "",
        lambda task, /: "",
        "no function",
        Task,
    ],
)
def test_a_pipeline_with_other_arguments_is_refused(wrong: Any) -> None:
    assert fault_of(wrong)
    with pytest.raises(PluginContractError), registered("pipelines", "shouting", wrong):
        load("pipelines", "shouting")


def test_a_pipeline_may_name_the_arguments_that_it_knows() -> None:
    assert not fault_of(shout)
    assert not fault_of(lambda task, /, *, model=None, **arguments: "")
