"""The import package: Python that compiles and types that agree with it, whatever the function is called and says."""

from __future__ import annotations

import ast
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from functory_sdk import Manifest
from functory_wheel.names import names_of
from functory_wheel.source import sources

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def manifest(name: str, about: str, labels: list[str]) -> Any:
    """A manifest with what the sources are made from."""
    label = {"enum": labels, "description": about}
    output = {
        "type": "object", "title": "Answer", "description": about, "required": ["label"],
        "properties": {"label": label, "scores": {"type": "object", "additionalProperties": {"type": "number"}}},
    }  # fmt: skip
    given = {
        "type": "object", "title": "Question", "required": ["text"],
        "properties": {
            "text": {"type": "string", "description": about},
            "tone": {"enum": labels, "default": labels[0], "description": about},
            "width": {"type": ["integer", "null"], "default": None},
        },
    }  # fmt: skip
    signature = {"input": given, "output": output, "shorthand": ["text"], "parameters": {}}
    task = {"name": "text-classification", "options": {}}
    return Manifest.model_construct(
        name=name, version="1.0", task=type("Task", (), task), signature=signature, metrics={}
    )


@given(texts, texts, st.lists(texts, min_size=1, unique=True))
@example('"""', 'ends with a quote"', ["\0", "\\", "'\""])
@example("\r\n", "\0 and \\N{no such name} and {braces}", ["\u2028", "情感"])
def test_any_text_in_a_manifest_stays_a_text_in_the_sources(name: str, about: str, labels: list[str]) -> None:
    made = sources(names_of("my-function", "1.0"), manifest(name, about, labels))
    module, stub = ast.parse(made["__init__.py"]), ast.parse(made["__init__.pyi"])
    assert {type(node) for node in module.body} <= {ast.Expr, ast.ImportFrom, ast.Assign, ast.ClassDef, ast.If}
    classes = [node.name for node in stub.body if isinstance(node, ast.ClassDef)]
    assert classes == ["Answer", "Question", "MyFunction"]
    ast.parse(made["_artefact.py"])


def test_fields_beyond_the_shorthand_are_given_by_name() -> None:
    made = sources(names_of("my-function", "1.0"), manifest("f", "It says.", ["dry", "warm"]))
    assert '(self, text: str, *, tone: Label = "dry", width: int | None = None) -> Answer:' in made["__init__.pyi"]
    assert 'Label = Literal["dry", "warm"]' in made["__init__.py"]


def test_module_and_stub_export_the_same_names() -> None:
    made = sources(names_of("my-function", "1.0"), manifest("f", "It says.", ["dry", "warm"]))
    lines = [
        [line for line in made[file].splitlines() if line.startswith("__all__")]
        for file in ("__init__.py", "__init__.pyi")
    ]
    assert lines[0] == lines[1] == ['__all__ = ["Answer", "Label", "MyFunction", "Question", "my_function"]']
