"""What a public function raises stands in its docstring, and what a user or a plugin author meets is an error of the tree."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from pathlib import Path

from functory import errors

ROOT = Path(__file__).resolve().parent.parent
HOMES = [*ROOT.glob("core/src"), *ROOT.glob("sdk/src"), *ROOT.glob("plugins/*/*/src")]
Definition = ast.FunctionDef | ast.AsyncFunctionDef


def files(*homes: Path) -> Iterator[Path]:
    """Give the modules of some source folders; the plugin template is no module."""
    for home in homes:
        yield from (file for file in sorted(home.rglob("*.py")) if "template" not in file.relative_to(home).parts)


def own(node: ast.AST) -> Iterator[ast.AST]:
    """Give what runs when a function is called, and not what its inner functions and classes hold."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, Definition | ast.ClassDef | ast.Lambda):
            yield child
            yield from own(child)


def definitions(tree: ast.Module) -> Iterator[tuple[str, Definition, ast.ClassDef | None]]:
    """Give the public functions and methods of a module; a class's construction counts as the class's."""
    for node in tree.body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield node.name, node, None
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for part in node.body:
                if isinstance(part, Definition) and (part.name == "__init__" or not part.name.startswith("_")):
                    yield f"{node.name}.{part.name}", part, node


def raised(node: Definition) -> set[str]:
    """Return the names of what a function's own body raises; what it only passes on does not count."""
    found = set()
    for part in own(node):
        if isinstance(part, ast.Raise) and isinstance(part.exc, ast.Call):
            called = part.exc.func
            found.add(called.id if isinstance(called, ast.Name) else getattr(called, "attr", ""))
    return found


def told(text: str) -> set[str]:
    """Return what a docstring says is raised, with everything above it in the tree."""
    return set(re.findall(r":raises ([\w.]+)", text))


def covers(said: set[str], name: str) -> bool:
    """Whether an error is among those that a docstring names, itself or by an error above it.

    What a helper makes, and an OSError that a context of the same function turns into another error, are told by any.
    """
    kind = getattr(errors, name, None)
    system = getattr(builtins, name, None)
    if isinstance(system, type) and issubclass(system, OSError):
        return bool(said)
    names = {base.__name__ for base in kind.__mro__} if isinstance(kind, type) else {name}
    return bool(said) if kind is None and not name[:1].isupper() else bool(said & names)


def test_every_public_function_that_raises_says_what_and_when() -> None:
    trees = {file: ast.parse(file.read_text(encoding="utf-8")) for file in files(*HOMES)}
    contracts: dict[str, set[str]] = {}
    for file, tree in trees.items():
        for _, node, owner in definitions(tree) if "contracts" in file.parts else ():
            if owner is not None:
                contracts.setdefault(node.name, set()).update(told(ast.get_docstring(node) or ""))
    lacking = []
    for file, tree in trees.items():
        for name, node, owner in definitions(tree) if "testing" not in file.parts else ():  # a check's failure is its result
            text = ast.get_docstring(node) or ""
            if node.name == "__init__" and owner is not None:
                text += ast.get_docstring(owner) or ""
            said = told(text) | (contracts.get(node.name, set()) if owner is not None else set())
            missing = sorted(error for error in raised(node) if not covers(said, error))
            if missing:
                lacking.append(f"{file.relative_to(ROOT)}:{node.lineno} {name} raises {', '.join(missing)}")
    assert not lacking, f"{len(lacking)} without `:raises …:`\n" + "\n".join(lacking)


PLAIN = {"TypeError", "ValueError", "KeyError", "RuntimeError", "IndexError", "Exception", "AssertionError"}
INNER = {
    "_fields": "its only caller makes the row's error of it",
    "__getitem__": "a mapping says KeyError",
}
"""Functions whose plain error does not come out, or is what Python's own protocol asks for, with the reason."""


STANDING_IN = {"pipeline", "pipelines"}
"""Modules of what stands in for transformers' pipelines: programs that call those catch the errors that those raise."""


def plain(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Give each assert, and each plain error outside pydantic's validators, whose ValueErrors pydantic collects."""
    text = ast.unparse(tree)
    for node in ast.walk(tree):
        if isinstance(node, Definition) and not (
            node.name in INNER
            or any("validator" in ast.unparse(decorator) for decorator in node.decorator_list)
            or re.search(rf"(Before|After|Plain)Validator\({node.name}\)", text)
        ):
            for part in own(node):
                if isinstance(part, ast.Assert):
                    yield part.lineno, "an assert"
                if isinstance(part, ast.Raise) and isinstance(part.exc, ast.Call):
                    name = getattr(part.exc.func, "id", "")
                    if name in PLAIN:
                        yield part.lineno, name


def test_nobody_meets_an_assert_or_an_error_without_a_remedy() -> None:
    """A wrong call, a wrong table or a wrong plugin gets an error of the tree: what, where, what to do."""
    found = [
        f"{file.relative_to(ROOT)}:{line} {what}"
        for file in files(*HOMES)
        if "testing" not in file.parts  # there an assert is the check itself
        and STANDING_IN.isdisjoint((*file.parts, file.stem))
        for line, what in plain(ast.parse(file.read_text(encoding="utf-8")))
    ]
    assert not found, f"{len(found)} places\n" + "\n".join(found)
