"""What a process imports before a torch form's first answer, and what a build does; time is asserted nowhere."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import functory
from functory.plugins.registry import entries

pytest.importorskip("torch")
SLOW = {"transformers", "peft", "torch._dynamo", "torch.onnx", "sympy"}
ROWS = [{"text": text, "label": label} for text, label in (("a good film", "good"), ("a bad film", "bad")) for _ in range(6)]
BODY = "import json, sys, functory\n{}\nprint(json.dumps(sorted(sys.modules)), file=sys.stderr)\n"


def imported(body: str) -> set[str]:
    """Run code in a process of its own; return what it imported."""
    done = subprocess.run([sys.executable, "-c", BODY.format(body)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("backbone", ["minilm", "e5"])
def test_the_first_answer_of_a_torch_form_needs_no_transformers_and_no_compiler(backbone: str, tmp_path: Path) -> None:
    if backbone not in {entry.name for entry in entries("backbones")}:
        pytest.skip(f"needs functory-{backbone}")
    functory.build(
        task="text-classification", train=ROWS, backbone=backbone, adaptation={"name": "head", "epochs": 1}, report=False,
        dev_share=0, test_share=0,
    ).save(tmp_path / "made")  # fmt: skip
    found = imported(f"print(functory.load({str(tmp_path / 'made')!r})('a good film').label)")
    assert "functory_sdk.torch.layers.bert" in found
    assert not SLOW & found


@pytest.mark.parametrize("adaptation", ["head", "full"])
def test_a_build_needs_no_transformers(adaptation: str) -> None:
    body = (
        "from functory_sdk.testing import kit\n"
        f"with kit():\n    functory.build(task='text-classification', train={ROWS!r}, backbone='tiny-encoder', "
        f"adaptation={{'name': {adaptation!r}, 'epochs': 1}}, report=False, dev_share=0, test_share=0)"
    )
    assert not {"transformers", "peft"} & imported(body)
