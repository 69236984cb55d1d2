"""What a start does not import. How long it takes is measured by bench/startup.py, and asserted nowhere."""

from __future__ import annotations

import json
from typing import Any

import pytest

HEAVY = {
    "torch",
    "transformers",
    "datasets",
    "numpy",
    "pydantic",
    "tokenizers",
    "rich",
    "pluggy",
    "safetensors",
}
SLOW = {"importlib.metadata", "platformdirs", "asyncio", "multiprocessing", "subprocess"}

CODE = """
import json, sys
{body}
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def modules(site: Any, body: str) -> set[str]:
    """Run code beside a hundred plugins, one of torch and one that crashes; return what it imported."""
    for number in range(98):
        site.add(f"functory-many-{number}", {"packagers": {f"many{number}": "Thing"}})
    site.add("functory-torchy", {"commands": {"torchy": "COMMAND"}}, "import torch")
    site.add("functory-crash", {"hooks": {"crash": "HOOK"}}, "import os\nos._exit(1)")
    done = site.run(code=CODE.format(body=body))
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr))


@pytest.mark.parametrize(
    "body",
    [
        "import functory",
        "from functory.cli import main; main(['--version'])",
        "from functory.cli import main; main(['list'])",
        "from functory.cli import main; main(['list', '--json', '--kind', 'packagers'])",
        "from functory.cli import main; main(['--help'])",
        "from functory.cli import main; main(['list', '--help'])",
        "from functory.cli import main; main(['completion', 'bash', '--line', 'functory run --'])",
        "from functory.cli import main; main(['completion', 'bash', '--line', 'functory build --task '])",
    ],
)
def test_a_start_imports_no_heavy_library_and_no_plugin(site: Any, body: str) -> None:
    found = modules(site, body)
    assert not found & (HEAVY | SLOW)
    assert not [
        name for name in found if name.startswith(("functory_many", "functory_torchy", "functory_crash"))
    ]


def test_the_version_is_told_without_looking_for_plugins(site: Any) -> None:
    found = modules(site, "from functory.cli import main; main(['--version'])")
    assert {name for name in found if name.startswith("functory")} == {"functory", "functory.cli", "functory.cli.standing"}
    assert "argparse" not in found


def test_a_verb_imports_no_other_verb(site: Any) -> None:
    found = modules(site, "from functory.cli import main; main(['cache'])")
    assert "functory.cli.cache" in found
    assert not found & {"functory.cli.list", "functory.cli.doctor", "functory.cli.info"}


def test_a_list_draws_no_bar(site: Any) -> None:
    found = modules(site, "from functory.cli import main; main(['list'])")
    assert not found & {"functory.terminal.bars", "functory.terminal.foot"}
