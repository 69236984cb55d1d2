"""The SDK's public names: the lazy module and its typed stub say the same, and every name is really there."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import functory_sdk
import functory_sdk.testing

FOLDER = Path(functory_sdk.__file__).parent


def stubbed(tree: ast.Module) -> dict[str, str]:
    """Return the home of each name that a stub re-exports."""
    found = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                assert alias.asname == alias.name, f"{alias.name} is not re-exported: write `as {alias.name}`"
                found[alias.name] = node.module or ""
    return found


def test_the_stub_names_what_the_module_gives_from_the_same_homes() -> None:
    stub = stubbed(ast.parse((FOLDER / "__init__.pyi").read_text("utf-8")))
    assert stub == {name: home for home, names in functory_sdk._HOMES.items() for name in names}
    for name in functory_sdk.__all__:
        assert getattr(functory_sdk, name) is not None


def test_the_suites_are_named_once_for_types_and_once_for_use() -> None:
    tree = ast.parse((FOLDER / "testing" / "__init__.py").read_text("utf-8"))
    [typed] = [node for node in tree.body if isinstance(node, ast.If)]
    homes = {alias.name: node.module for node in typed.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert homes == functory_sdk.testing._HOMES
    assert sorted(homes) == sorted(functory_sdk.testing.__all__)
    for name in functory_sdk.testing.__all__:
        assert getattr(functory_sdk.testing, name) is not None


def test_importing_the_sdk_and_its_pytest_plugin_is_light() -> None:
    code = (
        "import sys, functory_sdk, functory_sdk.testing.project\n"
        "print([name for name in ('numpy', 'pydantic', 'torch', 'tokenizers', 'hypothesis') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_defaults_of_fields_are_named_so_that_every_type_checker_knows_them() -> None:
    """``Field(8)`` is a required argument to a checker without pydantic's plugin, ``Field(default=8)`` is none."""
    import functory.contracts

    homes = [Path(functory.contracts.__file__).parent, FOLDER, FOLDER / "labels", FOLDER / "spans", FOLDER / "writes"]
    unnamed = [
        f"{file.name}:{node.lineno}"
        for home in homes
        for file in home.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Field" and node.args
    ]
    assert not unnamed, f"write default=: {', '.join(unnamed)}"
