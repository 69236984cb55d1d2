"""A function that needs no torch, saved: a machine of a cluster opens it as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

import functory
from functory_sdk import Function
from functory_sdk.testing import converted, kit


@pytest.fixture(scope="session")
def mood(tmp_path_factory: pytest.TempPathFactory) -> Function:
    rows = [{"text": f"the {word} {thing}", "label": label} for word, label in (("good", "yes"), ("bad", "no"))
            for thing in ("film", "book", "day", "rain")]  # fmt: skip
    with kit():
        made = functory.build(task="text-classification", train=rows * 4, backbone="tiny-encoder", adaptation="head",
                              dev_share=0, test_share=0, report=False, name="mood")  # fmt: skip
        return converted(made, tmp_path_factory.mktemp("files") / "form", engine="onnxruntime", precision="fp32")


@pytest.fixture(scope="session")
def folder(mood: Function, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mood.save(tmp_path_factory.mktemp("saved") / "mood")
