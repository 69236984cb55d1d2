"""A task's verb is an attribute of functory, by its name alone; all of them take their arguments in one order."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, Field

import functory
from functory.contracts.component import Options, Part
from functory.contracts.task import Task
from functory.contracts.verb import fault_of
from functory.errors import OptionError, PluginContractError, RecipeError
from functory.plugins.registry import load, registered
from functory.recipe import Recipe


def guess(given: str, wanted: str, /, *, backbone: str = "") -> str:
    """Guess what is wanted."""
    return f"{wanted} of {given}{backbone}"


def test_a_verb_is_an_attribute_while_it_is_installed() -> None:
    with registered("verbs", "guess", guess):
        assert functory.guess("a text", "mood", backbone="!") == "mood of a text!"  # type: ignore[attr-defined]
        with pytest.raises(AttributeError, match=r"no attribute 'gess'; its names: .*\bguess\b"):
            _ = functory.gess  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="no attribute 'guess'"):
        _ = functory.guess  # type: ignore[attr-defined]


def test_pythons_own_questions_look_at_no_distribution(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functory.plugins.registry.entries", lambda kind: 1 / 0)
    assert not hasattr(functory, "__wrapped__")


@pytest.mark.parametrize(
    "wrong",
    [
        lambda given, wanted: "",
        lambda given, /, wanted: "",
        lambda given, wanted, /, backbone: "",
        lambda given, wanted, more, /: "",
        lambda *given: "",
        lambda given, /, *, wanted: "",
        "no function",
        Task,
    ],
)
def test_a_verb_with_other_arguments_is_refused(wrong: Any) -> None:
    assert fault_of(wrong)
    with pytest.raises(PluginContractError), registered("verbs", "guess", wrong):
        load("verbs", "guess")


def test_what_goes_by_name_alone_is_each_verbs_own() -> None:
    assert not fault_of(guess)
    assert not fault_of(lambda given, wanted, /: "")
    assert not fault_of(lambda given, wanted, /, *, backbone="", **options: "")


class Labels(BaseModel):
    """What may be said."""

    label: str = Field(max_length=3)


class Asked(Options):
    """Options with one that the recipe has too."""

    what: Any = None
    seed: int = 5


class Ask(Task[Asked]):
    """Asks."""


def test_an_option_of_the_task_may_stand_beside_the_recipes_fields() -> None:
    with registered("tasks", "ask", Ask):
        recipe = Recipe.make(task="ask", what="mood", seed=3)
        assert recipe.task == Part(name="ask", options={"what": "mood"})
        assert recipe.seed == 3, "a field goes before an option"
        again = Recipe.make({"task": {"name": "ask", "what": "mood"}}, what="tone")
        assert again.task.options == {"what": "tone"}
        with pytest.raises(RecipeError, match="'sed'"):
            Recipe.make(task="ask", sed=3)
    with pytest.raises(RecipeError, match="'what'"):
        Recipe.make(task="nobody-has-this", what="mood")


def test_a_pydantic_model_is_kept_as_its_schema() -> None:
    with registered("tasks", "ask", Ask):
        recipe = Recipe.make(task="ask", what=Labels)
    assert recipe.task.options["what"] == Labels.model_json_schema()
    assert recipe.as_json()["task"]["options"]["what"]["properties"]["label"]["maxLength"] == 3


def test_a_model_without_a_schema_is_refused_by_name() -> None:
    class Late(BaseModel):
        what: NotYet  # type: ignore[name-defined]  # noqa: F821 - defined nowhere

    with registered("tasks", "ask", Ask), pytest.raises(OptionError, match="the model Late has no JSON Schema"):
        Recipe.make(task="ask", what=Late)
