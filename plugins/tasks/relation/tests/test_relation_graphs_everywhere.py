"""A graph's two functions made smaller, and the graph packaged: it stays the same everywhere."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import functory
from functory_sdk.testing import converted, kit

PLACES = {"film": "THING", "book": "THING", "song": "THING", "day": "TIME", "night": "TIME"}


def row(thing: str, time: str, label: str) -> dict[str, Any]:
    text = f"the {thing} of the {time}" if label else f"the {thing} and the {time}"
    spans = sorted((text.index(name), text.index(name) + len(name), PLACES[name]) for name in (thing, time))
    ties = [{"head": 0, "tail": 1, "label": label}] if label else []
    return {"text": text, "entities": [list(span) for span in spans], "relations": ties}


ROWS = [row(thing, time, label) for thing in ("film", "book", "song") for time in ("day", "night") for label in ("Of", "")]


def asked(one: dict[str, Any]) -> dict[str, Any]:
    """Return what is asked of the relation of a row's two entities."""
    return {"text": one["text"], "head": one["entities"][0][:2], "tail": one["entities"][1][:2]}


def ties(output: Any) -> list[tuple[str, str, str]]:
    return [(output.nodes[edge.head].text, edge.label, output.nodes[edge.tail].text) for edge in output.edges]


@pytest.fixture(scope="module")
def parts() -> Iterator[dict[str, functory.Function]]:
    """A function for entities and one for relations; the tiny backbone is there while the tests run."""
    pairs = [{**asked(one), "label": "Of(e1,e2)" if one["relations"] else "none"} for one in ROWS]
    options: dict[str, Any] = {"dev_share": 0, "test_share": 0, "backbone": "tiny-encoder", "report": False}
    learned = {"name": "head", "penalty": 0.0003, "hidden": 0}
    spans = [{"text": one["text"], "entities": one["entities"]} for one in ROWS]
    with kit():
        yield {
            "entities": functory.build(task="ner", train=spans, adaptation=learned, name="entities", **options),
            "relations": functory.build(task="relation", train=pairs, adaptation=learned, name="relations", **options),
        }


def test_a_graph_of_int8_functions_is_the_same_saved_and_in_a_wheel_without_torch(
    parts: dict[str, functory.Function], tmp_path: Path
) -> None:
    texts = [one["text"] for one in ROWS]
    facts = functory.compose("relation-graph", **parts)
    wanted = [[(one["text"].split()[1], "Of", one["text"].split()[-1])] if one["relations"] else [] for one in ROWS]
    assert [ties(output) for output in facts.map(texts)] == wanted
    assert facts.evaluate(ROWS).metrics["f1"].value == 1
    given = {"entities": texts, "relations": list(map(asked, ROWS))}
    small = {name: converted(part, tmp_path / name, inputs=given[name]) for name, part in parts.items()}
    fast = functory.compose("relation-graph", **small)
    assert [ties(output) for output in fast.map(texts)] == wanted
    loaded = functory.load(fast.save(tmp_path / "facts"))
    assert {part.form.program.precision for part in loaded.form.parts.values()} == {"int8"}
    assert [ties(output) for output in loaded.map(texts)] == wanted
    assert loaded(texts[0]).svg().startswith("<svg")
    [wheel] = loaded.package("facts", tmp_path)
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
        [metadata] = [packed.read(name).decode() for name in names if name.endswith("METADATA")]
    assert any(name.endswith("parts/entities/function.json") for name in names)
    needs = [line for line in metadata.splitlines() if line.startswith("Requires-Dist")]
    assert any("functory-relation" in line for line in needs)
    assert any("functory-ner" in line for line in needs)
    assert not any("torch" in line for line in needs)
