"""The options of reading on every verb that reads, and in a recipe: the same files, the same answers."""

from __future__ import annotations

import json
import shlex

import pytest

pytest.importorskip("torch")

from functory import Recipe
from functory_sdk.testing import Project

BUILD = ["build", "--task", "toy", "--backbone", "tiny-encoder", "--adaptation", "toy-head", "--output", "my toy"]


def headless(project: Project, name: str, encoding: str = "utf-8", *, seed: int = 0) -> None:
    """Write examples of the toy task without a header, a bar between the fields."""
    text = "".join(f"{row['text']}|{row['label']}\n" for row in project.rows(64, seed))
    (project.folder / name).write_bytes(text.encode(encoding))


def test_a_strange_file_reads_the_same_through_build_evaluate_run_and_optimize(project: Project) -> None:
    headless(project, "train.txt", "utf-16-le")
    headless(project, "test.txt", seed=1)
    strange = ["--format", "csv", "--no-header", "--read", "delimiter=|", "--column", "text=1", "--column", "label=2"]
    code, out, err = project.run(*BUILD, "--train", "train.txt", "--test", "test.txt", *strange)
    assert code == 0, err
    assert "Try it: functory run 'my toy' " in out
    manifest = json.loads((project.folder / "my toy/function.json").read_text("utf-8"))
    assert manifest["recipe"]["format"] == {"name": "csv", "options": {"header": False, "delimiter": "|"}}
    code, out, err = project.run("evaluate", "my toy", "--data", "test.txt", *strange, "--json")
    assert (code, json.loads(out)["examples"]) == (0, 64), err
    project.write("test.csv", project.rows(64, 1))
    _, plain, _ = project.run("evaluate", "my toy", "--data", "test.csv", "--json")
    assert json.loads(plain)["metrics"] == json.loads(out)["metrics"]
    assert json.loads(plain)["sha256"] == json.loads(out)["sha256"]
    code, out, err = project.run("run", "my toy", "--input", "test.txt", *strange[:-2], "--json")
    assert (code, len(out.splitlines())) == (0, 64), err


def test_several_files_and_patterns_are_one_set_also_in_a_recipe(project: Project) -> None:
    for number in range(3):
        project.write(f"data/{number}.csv", project.rows(32, number))
    project.write("more.jsonl", project.rows(16, 7))
    code, _, err = project.run(*BUILD, "--train", "data/*.csv", "--train", "more.jsonl")
    assert code == 0, err
    manifest = json.loads((project.folder / "my toy/function.json").read_text("utf-8"))
    assert sum(manifest["data"][side]["examples"] for side in ("train", "dev", "test")) == 3 * 32 + 16
    assert manifest["recipe"]["train"] == ["*.csv", "more.jsonl"]
    recipe = project.write("sub/recipe.toml", 'task = "toy"\ntrain = ["../data/*.csv", "../more.jsonl"]\nencoding = "utf-8"\n')
    beside = recipe.parent
    assert Recipe.make(recipe).train == [str(beside / "../data/*.csv"), str(beside / "../more.jsonl")]


def test_bad_rows_are_listed_as_json_too_and_a_wrong_option_of_a_reader_is_named(project: Project) -> None:
    project.write("bad.csv", "text,label\n" + "x\n" * 12)
    code, out, err = project.run(*BUILD, "--train", "bad.csv", "--json")
    told = json.loads(out)
    assert (code, told["error"], told["count"], len(told["rows"])) == (1, "BadRows", 12, 10)
    assert "bad.csv, line 11" in err
    code, _, err = project.run(*BUILD, "--train", "bad.csv", "--read", "delimeter=;")
    assert code == 2
    assert "reader 'csv' has no option 'delimeter'" in err
    assert "did you mean 'delimiter'" in err


def test_a_limit_in_a_build_keeps_every_label_and_says_how_far_an_iterator_was_looked_at(project: Project) -> None:
    import itertools

    import functory

    rows = project.rows(64)
    fn = functory.build(
        task="toy", train=itertools.cycle(rows), backbone="tiny-encoder", adaptation="toy-head", limit=30,
        dev_share=0, test_share=0,
    )  # fmt: skip
    assert fn.about.data["train"]["examples"] == 30
    assert "rows in memory: the first 600 rows were looked at, 20 times the limit." in fn.about.notes
    assert set(fn.state.labels) == {row["label"] for row in rows}


def test_the_command_that_a_remedy_prints_can_be_typed(project: Project) -> None:
    project.write("odd.csv", "my text,x,the label\na,b,c\n")
    code, _, err = project.run(*BUILD, "--train", "odd.csv")
    assert code == 1
    option = err.partition("--column ")[2].partition(" (columns")[0]
    assert shlex.split(option)[0].partition("=")[2] in ("my text", "x", "the label")
