"""Relevance as data sets tell it, and what tells nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from functory.measuring.evaluation import read_examples
from functory_ranking import Ranking
from functory_ranking.metrics import measured, scorer
from functory_sdk import DataError, InputError

THREE = ["air", "water", "fire"]
FISH = {"query": "What do fish swim in?"}


def read(rows: Any) -> Any:
    """Return the examples of some rows, checked."""
    task = Ranking()
    return read_examples(task, task.State(), rows)


@pytest.mark.parametrize(
    "row",
    [
        {"candidates": THREE, "relevance": [0, 1, 0]},
        {"passages": str(THREE), "labels": "[0, 1, 0]"},
        {"候选": THREE, "相关度": [False, True, False]},
        {"documents": THREE, "answer": 1},
        {"documents": THREE, "answer": "1"},
        {"documents": THREE, "picked": " water "},
        {"documents": THREE, "clicked": ["water"]},
    ],
)
def test_relevance_is_read_in_every_usual_shape(row: dict[str, Any]) -> None:
    [found] = read([{**FISH, **row}])
    assert (found.query, found.candidates, found.relevance) == (FISH["query"], tuple(THREE), (0, 1, 0))


def test_positives_and_negatives_are_candidates() -> None:
    [listed] = read([{**FISH, "positive": "water", "negatives": ["air", "fire"]}])
    assert (listed.candidates, listed.relevance) == (("water", "air", "fire"), (1, 0, 0))
    [preferred] = read([{"prompt": "What do fish swim in?", "chosen": "water", "rejected": "air"}])
    assert (preferred.candidates, preferred.relevance) == (("water", "air"), (1, 0))


def test_rows_of_a_pair_are_one_example_a_query_whatever_stands_between_them(tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text("query,passage,score\nFish?,air,0\nBirds?,air,3\nFish?,water,2\nBirds?,stone,0\n", encoding="utf-8")
    found = read(file)
    assert [(one.query, one.candidates, one.relevance) for one in found] == [
        ("Fish?", ("air", "water"), (0, 2)),
        ("Birds?", ("air", "stone"), (3, 0)),
    ]
    assert [place.rpartition(" ")[2] for place in found.places] == ["2", "3"]
    assert found.inputs == ("query", "candidates")


@pytest.mark.parametrize(
    ("row", "field", "says"),
    [
        ({"candidates": THREE, "relevance": [0, 1]}, "relevance", "2 grades for 3 candidates"),
        ({"candidates": THREE, "relevance": [0, 0, 0]}, "relevance", "no candidate is relevant"),
        ({"candidates": THREE, "relevance": [0, -1, 1]}, "relevance", "greater than or equal to 0"),
        ({"candidates": THREE, "relevance": [0, float("inf"), 1]}, "relevance", "finite"),
        ({"candidates": THREE}, "relevance", "nothing says which candidates are relevant"),
        ({"candidates": THREE, "picked": 3}, "picked", "3 was picked, and is none of the 3 candidates"),
        ({"candidates": THREE, "picked": ["stone"]}, "picked", "'stone' was picked"),
        ({"candidates": THREE, "picked": 1, "relevance": [0, 1, 0]}, "picked", "both say what is relevant"),
        ({"candidates": THREE, "positives": ["water"]}, "candidates", "stand beside 'positives'"),
        ({"candidates": THREE, "picked": 1, "negatives": ["sand"]}, "negatives", "stand beside"),
        ({"candidates": [], "relevance": [1]}, "candidates", "no candidates to learn from"),
        ({"candidates": ["air", " "], "relevance": [1, 0]}, "candidates", "white space"),
        ({"candidates": ["air", "fire", "air"], "relevance": [1, 0, 2]}, "candidates", "twice, with another grade"),
        ({"candidates": THREE, "relevance": [0, 1, 0], "query": " "}, "query", "empty"),
    ],
)
def test_what_says_nothing_is_refused_with_row_and_field(row: dict[str, Any], field: str, says: str) -> None:
    with pytest.raises(DataError) as caught:
        read([{**FISH, "candidates": THREE, "relevance": [0, 1, 0]}, {**FISH, **row}])
    told = str(caught.value)
    assert says in told
    assert "rows[1]" in told
    assert field in told


def test_a_pair_row_without_a_grade_is_refused_with_its_own_row() -> None:
    with pytest.raises(DataError, match=r"rows\[1\].*relevance"):
        read([{**FISH, "passage": "water", "relevance": 1}, {**FISH, "passage": "air", "relevance": [0, 1]}])


def test_data_in_which_nothing_is_better_teach_nothing() -> None:
    with pytest.raises(DataError, match="nothing is to be learned"):
        Ranking().learn(list(read([{**FISH, "positives": ["water", "the sea"]}])))


def test_a_caller_is_told_which_candidate_is_empty() -> None:
    from functory.running.inputs import arguments

    with pytest.raises(InputError, match="candidates"):
        arguments(Ranking(), ("Fish?", ["air", " "]), {}, "rank(query, candidates)")
    with pytest.raises(InputError, match="query"):
        arguments(Ranking(), (" ", THREE), {}, "rank(query, candidates)")


def test_metrics_are_those_of_the_textbook() -> None:
    found = measured(np.asarray([0.0, 2.0, 0.0, 1.0]))
    gained, best = 2 / np.log2(3) + 1 / np.log2(5), 2 + 1 / np.log2(3)
    assert found["ndcg@10"] == pytest.approx(gained / best)
    assert found["mrr"] == 0.5
    assert found["map"] == pytest.approx((1 / 2 + 2 / 4) / 2)
    assert (found["recall@1"], found["recall@5"]) == (0, 1)
    late = measured(np.asarray([0.0] * 10 + [1.0]))
    assert (late["ndcg@10"], late["mrr"], late["recall@10"]) == (0, pytest.approx(1 / 11), 0)
    graded, binary = np.asarray([2.0, 0.0]), np.asarray([1.0, 0.0])
    assert "map" not in scorer([graded, binary])(np.arange(2))
    assert scorer([binary])(np.arange(1))["map"] == 1


def test_the_baseline_is_the_order_given_but_where_that_is_the_right_one_by_habit() -> None:
    task, state = Ranking(), Ranking.State()
    given = read([{"query": f"{n}?", "candidates": THREE, "picked": 1} for n in range(40)])
    assert task.scorer(task.baseline(given, state), given, state)(np.arange(40))["mrr"] == 0.5
    first = read([{"query": f"{n}?", "positives": "water", "negatives": ["air", "fire"]} for n in range(40)])
    by_chance = task.scorer(task.baseline(first, state), first, state)(np.arange(40))["mrr"]
    assert 0.45 < by_chance < 0.8, "the mean of 1, 1/2 and 1/3 is 0.61"


def test_a_broken_list_is_told_as_such_in_a_cell_and_on_the_command_line(tmp_path: Path) -> None:
    from functory.cli.written import fields

    assert fields(Ranking(), ["Fish?", '["air", "water"]'])["candidates"] == ["air", "water"]
    with pytest.raises(InputError, match=r"candidates is no valid JSON: expecting ',' delimiter, at character 15"):
        fields(Ranking(), ["Fish?", '["air", "water'[:-1] + '"'])
    file = tmp_path / "rows.jsonl"
    file.write_text('{"query": "Fish?", "candidates": "[\\"air\\", \\"water\\"", "picked": 0}\n', encoding="utf-8")
    with pytest.raises(DataError, match="(?s)candidates.*no valid JSON: expecting ',' delimiter"):
        read(file)


def test_inputs_of_map_go_by_the_names_of_columns_too() -> None:
    from functory.running.inputs import item

    asked = item(Ranking(), {"question": "Fish?", "passages": ["air", "water"]}, "rank(query, candidates)")
    assert asked == Ranking.Input(query="Fish?", candidates=("air", "water"))
    with pytest.raises(InputError, match="query"):
        item(Ranking(), {"question": "Fish?", "search": "Fish?", "passages": THREE}, "rank(query, candidates)")
    with pytest.raises(InputError, match="colour"):
        item(Ranking(), {"question": "Fish?", "passages": THREE, "colour": "red"}, "rank(query, candidates)")
