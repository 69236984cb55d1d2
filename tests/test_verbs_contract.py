"""Core's own verbs owe what every verb owes: help, an example, JSON where it is asked for, and 2 for a wrong argument."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from functory.plugins.registry import entries
from functory_sdk.testing import CommandSuite, Project, kit, toy_function

pytest.importorskip("torch", reason="the toy function is built by functory-torch")


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy function, saved."""
    with kit():
        return toy_function().save(tmp_path_factory.mktemp("verbs") / "toy")


class Verb(CommandSuite):
    """A verb in a folder with the toy function and rows of its task."""

    @pytest.fixture(autouse=True)
    def place(self, toy: Path, project: Project) -> Project:
        """A folder with what the verbs need."""
        shutil.copytree(toy, project.folder / "toy")
        project.write("train.jsonl", project.rows(48))
        project.write("test.jsonl", project.rows(24, seed=1))
        return project


class TestBuild(Verb):
    component = "build"
    arguments = ("--task", "toy", "--train", "train.jsonl", "--backbone", "tiny-encoder", "--adaptation", "toy-head")


class TestCache(Verb):
    component = "cache"
    arguments = ()


class TestCompare(Verb):
    component = "compare"
    arguments = ("toy", "toy", "--data", "test.jsonl")


class TestCompletion(Verb):
    component = "completion"
    arguments = ("bash",)


class TestDoctor(Verb):
    component = "doctor"
    arguments = ("functory", "--timeout", "120")


class TestEvaluate(Verb):
    component = "evaluate"
    arguments = ("toy", "--data", "test.jsonl")


class TestExplain(Verb):
    component = "explain"
    arguments = ("toy", "we saw the good film", "--method", "occlusion")


class TestInfo(Verb):
    component = "info"
    arguments = ("toy",)


class TestList(Verb):
    component = "list"
    arguments = ()


class TestNew(Verb):
    component = "new"
    arguments = ("plugin", "--kind", "samples", "--name", "parcels", "--output", "made")


class TestOptimize(Verb):
    component = "optimize"
    arguments = (
        "toy", "--data", "test.jsonl", "--output", "fast", "--set", "rounds=1", "--set", "probe_inputs=16",
        "--set", 'engines=["onnxruntime"]', "--set", "threads=[1]",
    )  # fmt: skip


class TestPackage(Verb):
    component = "package"
    arguments = ("toy", "--output", "made")


class TestRun(Verb):
    component = "run"
    arguments = ("toy", "we saw the good film")


class TestVerify(Verb):
    component = "verify"
    arguments = ("toy",)


def test_every_verb_of_the_core_has_its_suite_here() -> None:
    ours = {entry.name for entry in entries("commands") if entry.distribution == "functory"}
    assert {suite.component for suite in Verb.__subclasses__()} == ours
