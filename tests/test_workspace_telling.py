"""Others' words have one way out: the source is read for any other."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(
    file
    for pattern in ("core/src/**/*.py", "sdk/src/**/*.py", "plugins/*/*/src/**/*.py")
    for file in ROOT.glob(pattern)
    if "{{" not in str(file) and "testing" not in file.parts and "template" not in file.parts
)
def verbs() -> Iterator[str]:
    """Give the modules that plugins announce as verbs."""
    for project in ROOT.glob("plugins/*/*/pyproject.toml"):
        announced = tomllib.loads(project.read_text("utf-8"))["project"].get("entry-points", {}).get("functory.commands", {})
        for place in announced.values():
            yield f"{project.parent.relative_to(ROOT).as_posix()}/src/{place.partition(':')[0].replace('.', '/')}.py"


VERBS = ("core/src/functory/cli/", *verbs())
"""Where `print` may be used: the command line's streams keep what is printed harmless."""
STREAMS = ("core/src/functory/terminal/",)
BROAD = {"Exception", "BaseException", "RuntimeError"}
"""What may be anybody's error."""


def _named(node: ast.AST) -> str:
    return ast.unparse(node)


def loud(tree: ast.AST) -> Iterator[int]:
    """Give the lines that write to stdout or stderr by themselves."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = _named(node.func)
            if called in ("print", "sys.stdout.write", "sys.stderr.write", "os.write"):
                yield node.lineno


def marked_up(tree: ast.AST) -> Iterator[int]:
    """Give the lines that escape text for a page and leave in it what turns it around."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "html" and any(one.name == "escape" for one in node.names):
            yield node.lineno


def told_unread(tree: ast.AST) -> Iterator[int]:
    """Give the lines that put anybody's error into a text by themselves: its message may raise, be huge or steer."""
    for handler in ast.walk(tree):
        if not isinstance(handler, ast.ExceptHandler) or handler.name is None or handler.type is None:
            continue
        caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        if not BROAD & {_named(one) for one in caught}:
            continue
        for node in ast.walk(handler):
            shown = node.value if isinstance(node, ast.FormattedValue) else None
            if isinstance(node, ast.Call) and _named(node.func) in ("str", "repr", "format") and node.args:
                shown = node.args[0]
            if isinstance(shown, ast.Name) and shown.id == handler.name:
                yield node.lineno


def found(rule: object, besides: tuple[str, ...] = ()) -> list[str]:
    """Return where the sources break a rule."""
    assert callable(rule)
    lines = []
    for file in SOURCES:
        name = file.relative_to(ROOT).as_posix()
        if not name.startswith(besides):
            lines += [f"{name}:{line}" for line in rule(ast.parse(file.read_text("utf-8")))]
    return lines


def test_nothing_but_verbs_prints_and_all_else_tells() -> None:
    # the line of a probe goes to a pipe of its own
    lines = found(loud, (*VERBS, *STREAMS, "core/src/functory/plugins/probe.py"))
    assert not lines, f"use functory.terminal.tell: {lines}"


def test_every_page_leaves_out_what_turns_a_line_around() -> None:
    lines = found(marked_up, ("core/src/functory/wording/",))
    assert not lines, f"use functory.wording.harmless.harmless_html: {lines}"


def test_anybodys_error_is_told_by_the_one_function_that_no_error_breaks() -> None:
    lines = found(told_unread, ("core/src/functory/wording/",))
    assert not lines, f"use functory.wording.told (message_of in the SDK): {lines}"


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (loud, "print(name)"),
        (loud, "sys.stderr.write(name)"),
        (marked_up, "from html import escape"),
        (told_unread, "try: f()\nexcept Exception as error: g(f'{error}')"),
        (told_unread, "try: f()\nexcept (OSError, RuntimeError) as error: g(str(error).splitlines()[0])"),
        (told_unread, "try: f()\nexcept BaseException as e: g(f'{e!r}')"),
    ],
)
def test_the_rules_see_what_they_forbid(rule: object, source: str) -> None:
    assert callable(rule)
    assert list(rule(ast.parse(source)))
