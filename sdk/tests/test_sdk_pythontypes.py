"""Python types from JSON Schema: what is written means what the schema says, whatever the labels are."""

from __future__ import annotations

import ast
from typing import Any, Literal, get_args

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from functory_sdk.pythontypes import Types, class_name


class Entity(BaseModel):
    """A named thing."""

    start: int = Field(description="Where it begins.")
    label: Literal["person", "place"]
    score: float | None = None


class Entities(BaseModel):
    """What was found."""

    entities: tuple[Entity, ...]
    best: Entity | None = None
    pair: tuple[int, str] = (0, "")
    per_label: dict[Literal["person", "place"], float] = {}
    anything: Any = None
    nested: list[list[int]] = []
    mixed: Literal["person", "place", 3, None] = None


def types_of(model: type[BaseModel]) -> Types:
    types = Types()
    types.root(model.model_json_schema())
    return types


def test_nested_models_unions_tuples_maps_and_enumerations_keep_their_types() -> None:
    types = types_of(Entities)
    assert {field.name: field.type for field in types.classes["Entities"].fields} == {
        "entities": "Sequence[Entity]",
        "best": "Entity | None",
        "pair": "tuple[int, str]",
        "per_label": "Mapping[Label, float]",
        "anything": "Any",
        "nested": "Sequence[Sequence[int]]",
        "mixed": "Mixed | None",
    }
    assert {field.name: field.type for field in types.classes["Entity"].fields} == {
        "start": "int",
        "label": "Label",
        "score": "float | None",
    }
    assert types.aliases == {"Label": 'Literal["person", "place"]', "Mixed": 'Literal["person", "place", 3]'}


class Tree(BaseModel):
    branches: list[Tree] = []


def test_a_model_that_holds_itself_ends() -> None:
    assert [field.type for field in types_of(Tree).classes["Tree"].fields] == ["Sequence[Tree]"]


labels = st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, unique=True)


@given(labels)
def test_every_label_is_written_so_that_python_reads_it_back(names: list[str]) -> None:
    types = Types()
    kind = types.of({"enum": names}, {}, "label")
    made = eval(types.aliases[kind], {"Literal": Literal})
    assert list(get_args(made)) == names


schemas = st.recursive(
    st.sampled_from(
        [{"type": "string"}, {"type": ["integer", "null"]}, {}, True, {"enum": ["a b", None]}, {"const": 1.5}]
    ),
    lambda inner: (
        st.fixed_dictionaries({"type": st.just("array"), "items": inner})
        | st.fixed_dictionaries({"type": st.just("object"), "additionalProperties": inner})
        | st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=3)})
        | st.fixed_dictionaries(
            {"type": st.just("object"), "title": st.text(), "properties": st.dictionaries(st.text(), inner, max_size=3)}
        )
    ),
    max_leaves=8,
)


@given(schemas)
def test_any_schema_becomes_types_that_parse(schema: Any) -> None:
    types = Types()
    written = [types.of(schema, {}, "hint")]
    written += [field.type for made in types.classes.values() for field in made.fields]
    for text in written:
        ast.parse(text, mode="eval")
    assert all(name.isidentifier() for name in [*types.classes, *types.aliases])


@given(st.text())
def test_every_title_becomes_the_name_of_a_class(title: str) -> None:
    assert class_name(title).isidentifier()
