"""From raw text to a graph: entities by one function, relations by another, drawn in a terminal and as SVG."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from functory_relation import Edge, Graph, RelatedText, RelationGraph
from functory_relation.types import Related
from functory_sdk import DataError, Entities, Entity, State
from functory_sdk.testing import TaskSuite

TEXT = "Ann Lee lives in Rome with Bo"
NAMES = {"Ann Lee": "Peop", "Rome": "Loc", "Bo": "Peop"}


class TestGraph(TaskSuite):
    component = "relation-graph"
    examples = (
        {"text": TEXT, "entities": [[0, 7, "Peop"], [17, 21, "Loc"]], "relations": [{"head": 0, "tail": 1, "label": "Live_In"}]},
        {"text": "Rome", "entities": [[0, 4, "Loc"]], "relations": []},
    )

    def perfect(self, example: Any, state: Any) -> Graph:
        nodes = tuple(
            Entity(text=example.text[s.start : s.end], label=s.label, start=s.start, end=s.end, score=1) for s in example.entities
        )
        edges = tuple(Edge(head=t.head, tail=t.tail, label=t.label, score=1) for t in example.relations)
        return Graph(text=example.text, nodes=nodes, edges=edges)


def entities(text: str) -> Entities:
    found = [(text.index(name), name) for name in NAMES if name in text]
    return Entities(
        entities=tuple(
            Entity(text=name, label=NAMES[name], start=start, end=start + len(name), score=0.9) for start, name in found
        )
    )


def relation(asked: dict[str, Any]) -> Related:
    """Somebody lives where a place is named; of two people there is nothing to say."""
    one, other = (asked["text"][start:end] for start, end in (asked["head"], asked["tail"]))
    kinds = NAMES[one], NAMES[other]
    label = {("Peop", "Loc"): "Live_In(e1,e2)", ("Loc", "Peop"): "Live_In(e2,e1)"}.get(kinds, "none")
    name = None if label == "none" else "Live_In"
    return Related(label=label, score=0.8, scores={label: 0.8}, relation=name, subject=one, object=other)


PARTS = {
    "entities": SimpleNamespace(map=lambda texts, progress: map(entities, texts)),
    "relations": SimpleNamespace(map=lambda asked, progress: map(relation, asked)),
}


def graphs(*texts: str, **options: Any) -> list[Graph]:
    task = RelationGraph.configure(options)
    return task.compose(PARTS, [task.Input(text=text) for text in texts])


def test_each_two_entities_are_asked_for_and_an_edge_goes_the_way_of_its_relation() -> None:
    graph, alone, nothing = graphs(TEXT, "Rome", "")
    assert [(node.text, node.label) for node in graph.nodes] == [("Ann Lee", "Peop"), ("Rome", "Loc"), ("Bo", "Peop")]
    assert [(edge.head, edge.tail, edge.label) for edge in graph.edges] == [(0, 1, "Live_In"), (2, 1, "Live_In")]
    assert graph.text[graph.nodes[2].start : graph.nodes[2].end] == "Bo"
    assert graph.in_line() == "Ann Lee –Live_In 0.80→ Rome; Bo –Live_In 0.80→ Rome"
    assert not alone.edges
    assert alone.in_line() == "Rome (Loc)"
    assert not nothing.nodes


def test_relations_can_be_explained_and_then_entities() -> None:
    [graph] = graphs(TEXT)
    assert RelationGraph().explained(graph) == {
        "Ann Lee –Live_In→ Rome": 0.8, "Bo –Live_In→ Rome": 0.8, "Ann Lee (Peop)": 0.9, "Rome (Loc)": 0.9, "Bo (Peop)": 0.9,
    }  # fmt: skip


def test_unsure_relations_and_distant_entities_are_left_out_where_that_is_asked_for() -> None:
    assert not graphs(TEXT, threshold=0.9)[0].edges
    assert [edge.head for edge in graphs(TEXT, reach=7)[0].edges] == [2]


def test_the_drawing_in_a_terminal_ends_under_its_entities_in_both_directions() -> None:
    text, below, there, back = graphs(TEXT)[0].drawing().splitlines()
    assert text == TEXT
    assert below == "Peop             Loc       Pe"
    assert (there.index("╰"), there.index("▶")) == (3, 19)
    assert (back.index("◀"), back.index("╯")) == (19, 28)
    assert "Live_In 0.80" in there
    assert graphs(TEXT)[0].drawing(columns=20).startswith("Ann Lee –Live_In")


def test_the_image_is_sound_and_holds_nothing_of_the_text_as_markup() -> None:
    text = 'Ann Lee & <script>"Bo"</script> 北京\x00'
    node = Entity(text="Bo", label="<b>", start=19, end=21, score=1)
    graph = Graph(text=text, nodes=(Entity(text="Ann Lee", label="Peop", start=0, end=7, score=1), node),
                  edges=(Edge(head=0, tail=1, label="a & b", score=0.5),))  # fmt: skip
    image = ET.fromstring(graph.svg())
    tags = [element.tag.rpartition("}")[2] for element in image.iter()]
    assert set(tags) == {"svg", "rect", "path", "text"}
    assert tags.count("path") == 1
    assert "<script" not in graph.svg()
    assert {"Ann Lee", "a & b 0.50", "<b>"} <= {element.text for element in image.iter()}


def test_a_relation_is_right_with_its_direction_and_both_entities_alone() -> None:
    [graph] = graphs(TEXT)
    spans = [{"start": 17, "end": 21, "label": "Loc"}, {"start": 0, "end": 7, "label": "Peop"}]  # in no order
    ties = [{"head": 1, "tail": 0, "label": "Live_In"}]
    right = RelatedText.model_validate({"text": TEXT, "entities": spans, "relations": ties})
    found = RelationGraph().scorer([graph], [right], State())(np.arange(1))
    assert found == pytest.approx({"f1": 2 / 3, "precision": 0.5, "recall": 1, "boundary_f1": 2 / 3, "entity_f1": 4 / 5})
    turned = RelatedText.model_validate({"text": TEXT, "entities": spans, "relations": [{**ties[0], "head": 0, "tail": 1}]})
    assert RelationGraph().scorer([graph], [turned], State())(np.arange(1))["f1"] == 0
    spans[0]["label"] = "Org"
    typed = RelatedText.model_validate({"text": TEXT, "entities": spans, "relations": ties})
    found = RelationGraph().scorer([graph], [typed], State())(np.arange(1))
    assert (found["f1"], found["boundary_f1"]) == (0, pytest.approx(2 / 3))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"relations": [{"head": 0, "tail": 2, "label": "X"}]}, "there are 1, from 0"),
        ({"entities": [[0, 99, "X"]]}, "no part of a text"),
    ],
)
def test_relations_between_entities_that_are_not_there_are_refused(changed: Any, says: str, tmp_path: Path) -> None:
    row = {"text": TEXT, "entities": [[0, 7, "Peop"]], "relations": [], **changed}
    with pytest.raises((DataError, ValueError), match=says):
        RelatedText.model_validate(row)
