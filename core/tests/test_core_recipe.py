"""Recipes: what may stand in one, and how a wrong one is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from functory import errors
from functory.recipe import Recipe, set_option


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "recipe.toml"


def test_a_part_is_a_name_or_a_table_with_options(file: Path) -> None:
    file.write_text('task = "ner"\nseed = 7\n[adaptation]\nname = "lora"\nrank = 4\n')
    recipe = Recipe.make(file)
    assert (recipe.task.name, recipe.adaptation.name, recipe.adaptation.options, recipe.seed) == (
        "ner",
        "lora",
        {"rank": 4},
        7,
    )
    assert Recipe.make(file, seed=3).seed == 3
    assert Recipe.make(recipe, adaptation="head").adaptation.name == "head"


def test_data_beside_the_recipe_is_found_from_anywhere(file: Path) -> None:
    (file.parent / "reviews.csv").write_text("text,label\n")
    file.write_text('task = "ner"\ntrain = "reviews.csv"\n')
    assert Recipe.make(file).train == str(file.parent / "reviews.csv")
    assert Recipe.make(file).as_json()["train"] == "reviews.csv"


def test_a_syntax_error_is_told_with_line_and_column(file: Path) -> None:
    file.write_text('task = "ner"\nseed = = 3\n')
    with pytest.raises(errors.RecipeError, match=r"(?s)no TOML.*recipe\.toml, line 2, column"):
        Recipe.make(file)


def test_a_wrong_field_is_told_with_its_line_its_value_and_its_range(file: Path) -> None:
    file.write_text('task = "ner"\n\ndev_share = 1.5\n')
    with pytest.raises(
        errors.RecipeError, match=r"(?s)dev_share = 1\.5 is not allowed.*line 3, dev_share.*from 0 below 0\.9"
    ):
        Recipe.make(file)
    file.write_text('task = "ner"\nbackbon = "e5"\n')
    with pytest.raises(errors.RecipeError, match=r"(?s)no option 'backbon'.*line 2.*did you mean 'backbone'"):
        Recipe.make(file)


def test_a_recipe_without_a_task_and_a_missing_file_say_so(tmp_path: Path) -> None:
    with pytest.raises(errors.RecipeError, match="names no task"):
        Recipe.make({"seed": 1})
    with pytest.raises(errors.RecipeError, match="cannot be read"):
        Recipe.make(tmp_path / "nothing.toml")


@pytest.mark.parametrize(
    ("text", "where"), [('seed = 1\ntsk = "ner"\n', "line 2, tsk"), ('[taks]\nname = "ner"\n', "line 1, taks")]
)
def test_a_task_under_a_name_that_is_nearly_right_is_guessed_with_its_line(file: Path, text: str, where: str) -> None:
    file.write_text(text)
    with pytest.raises(errors.RecipeError, match=rf"(?s)names no task.*recipe\.toml, {where}\n.*did you mean 'task'\?"):
        Recipe.make(file)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('task = "nre"\n', "line 1, task"),
        ('task = "ner"\nbackbone = "minilmm"\n', "line 2, backbone"),
        ('task = "ner"\n\n[session]\nthreads = -3\n', r"line 4, \[session\] threads"),
        ('task = "ner"\nengine = "torhc"\n', "line 2, engine"),
    ],
)
def test_a_wrong_part_or_option_is_told_with_its_line(file: Path, text: str, where: str) -> None:
    file.write_text(text)
    recipe = Recipe.make(file)
    part = where.rpartition(" ")[2] if "[" not in where else "session"
    told = recipe.where(part, "threads" if part == "session" else "")
    assert re.fullmatch(rf".*recipe\.toml, {where}", told)


def test_a_name_that_the_file_does_not_hold_has_no_line_in_it(file: Path) -> None:
    file.write_text('task = "ner"\n[adaptation]\nname = "lora"\nrank = 4\n')
    recipe = Recipe.make(file)
    assert recipe.where("adaptation", "rank") == f"{file}, line 4, [adaptation] rank"
    assert recipe.where("adaptation") == f"{file}, line 3, [adaptation] name"
    assert recipe.where("adaptation", "alpha") == ""
    assert Recipe.make(file, adaptation="full").where("adaptation") == ""  # the keyword's, not the file's
    assert Recipe.make(recipe, seed=3).where("adaptation", "rank")
    assert Recipe.make({"task": "ner"}).where("task") == ""


def test_assignments_reach_fields_and_options() -> None:
    fields: dict[str, object] = {"adaptation": "lora"}
    for assignment in ("adaptation.rank=8", "seed=3", "task.labels=a,b", 'task.guide={"enum": ["a, b", null]}', "name=x y"):
        set_option(fields, assignment)
    assert fields == {
        "adaptation": {"name": "lora", "rank": 8},
        "seed": 3,
        "task": {"labels": ["a", "b"], "guide": {"enum": ["a, b", None]}},
        "name": "x y",
    }
    with pytest.raises(errors.OptionError, match="no assignment"):
        set_option(fields, "seed")


@pytest.mark.parametrize("field", ["name", "version", "licence"])
@pytest.mark.parametrize("text", ["a\x1b[2J", "a\u202eb", "a\nb", "\ud800", "a\u200bb"])
def test_what_is_shown_with_a_function_is_refused_where_it_cannot_be_shown(field: str, text: str) -> None:
    with pytest.raises(errors.RecipeError, match=f"{field} = .* is not allowed: it holds a character that cannot be shown"):
        Recipe.make(task="text-classification", **{field: text})
    for good in ("größe ابج 新鲜", "خانه\u200cها", "👨\u200d👩\u200d👧", "日本\u3000語", "Licence publique\u00a0!"):
        assert getattr(Recipe.make(task="text-classification", **{field: good}), field) == good


@pytest.mark.parametrize("hooks", [5, object(), {"a"}, (one for one in "ab")])
def test_hooks_that_are_no_list_are_refused(hooks: object) -> None:
    with pytest.raises(errors.RecipeError, match="hooks is a list of hook plugins"):
        Recipe.make(task="text-classification", hooks=hooks)


def test_a_value_of_lists_in_lists_without_end_is_taken_as_its_text() -> None:
    fields: dict[str, object] = {}
    set_option(fields, f"name={'[' * 50_000}")
    assert fields["name"] == "[" * 50_000
