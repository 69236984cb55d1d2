"""The OpenAPI page, the server's own routes and those of all faces, beside Schemathesis, which sends what the page allows, and
what it does not, and holds every answer to it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import functory
from functory_sdk.testing import toy_function

pytestmark = pytest.mark.peer(name="schemathesis")
SETTINGS = """
[[operations]]
include-path-regex = "/explain$"
# Which targets an output has is known once it is computed: no schema says it.
[operations.checks]
positive_data_acceptance.expected-statuses = ["2xx", "422"]

[[operations]]
include-path-regex = "^/(v1/chat|v1/completions|v1/embeddings|v1/systemone|mcp|models/)"
# That user and assistant take turns, that options differ, that a tool's schema is one: no schema says it.
[operations.checks]
positive_data_acceptance.expected-statuses = ["2xx", "400", "422"]
"""
FACES = "^/(v1/(models|chat|completions|embeddings|systemone)|mcp|play|models)"


PARTS = {"own": (30, "--exclude-path-regex"), "faces": (10, "--include-path-regex")}
"""How many examples each route is sent of the server's own and of faces, and how it is chosen."""


@pytest.mark.parametrize("part", PARTS)
def test_schemathesis_finds_nothing_on_the_openapi_page(
    toy: Any, serve: Callable[..., Any], tmp_path: Path, part: str
) -> None:
    story = functory.build(task="text-generation", backbone="tiny-decoder", name="story", max_new_tokens=4)
    folder = toy.save(tmp_path / "toy")
    functions = {"toy": toy, "story": story}
    if part == "own":
        functions |= {"many": toy_function(task="toy-many"), "toy@2": toy}
    else:
        functions["vector"] = functory.build(task="embedding", backbone="tiny-encoder", name="vector")
        functions["decide"] = functory.build(task="open-decision", backbone="tiny-decoder", name="decide")
    (tmp_path / "schemathesis.toml").write_text(SETTINGS)
    examples, choosing = PARTS[part]
    with serve(functions, reopen=lambda name: functory.load(folder)) as found:
        found.ready()
        url = f"http://127.0.0.1:{found.port}/openapi.json"
        command = [sys.executable, "-m", "schemathesis.cli", "run", url, "--max-examples", str(examples), "--seed", "1",
                   "--no-color", "--phases", "examples,coverage,fuzzing", "--workers", "1", "--request-timeout", "30",
                   choosing, FACES]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False, cwd=tmp_path)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
