"""Two stages are one function: the best few by their vectors, ranked by reading each with the query."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import functory
from functory_ranking import Kept, Near, Shelf, TwoStages, store
from functory_ranking.staged import Found
from functory_sdk import DataError, UsageError
from functory_sdk.testing import TaskSuite

pytest.importorskip("torch")
pytestmark = pytest.mark.usefixtures("tiny_kit")

TEXTS = ["good film", "bad night", "fine day", "it was very bad", "a good book", "rain in the night", "we saw the day", "poor"]


class TestSearch(TaskSuite):
    component = "search"
    examples = (
        {"query": "good film", "candidates": ["a bad film", "we saw a good film", "night"], "relevance": [0, 1, 0]},
        {"query": "the rain", "candidates": ["it was in the rain", "a book", "the day"], "relevance": [1, 0, 0]},
    )

    def perfect(self, example: Any, state: Any) -> Found:
        order = sorted(range(len(example.candidates)), key=lambda place: -example.relevance[place])
        items = [Kept(index=n, text=example.candidates[n], score=-float(i), cosine=0) for i, n in enumerate(order)]
        return Found(items=tuple(items))


class TestStaged(TestSearch):
    component = "two-stage-ranking"


@pytest.fixture(scope="module")
def parts() -> dict[str, Any]:
    """Vectors as they are, and a ranking that has learned the contrary: the second stage's order is another."""
    rows = [{"query": f"we saw the {text}", "candidates": TEXTS, "picked": TEXTS.index(text) - 1} for text in TEXTS[1:]]
    common, none = {"backbone": "tiny-encoder", "seed": 1}, {"dev_share": 0, "test_share": 0}
    ranking = functory.build(
        task="ranking", train=rows, adaptation={"name": "head", "penalty": 0.001, "hidden": 0}, **common, **none
    )
    return {"vectors": functory.build(task="embedding", **common), "ranking": ranking}


def staged(parts: dict[str, Any], **options: Any) -> Any:
    return functory.compose("two-stage-ranking", name="find", options=options, **parts)


def cosines(parts: dict[str, Any], query: str) -> list[float]:
    return [parts["vectors"](query, text).cosine for text in TEXTS]


def test_the_nearest_few_are_kept_and_ranked_by_the_second_stage(parts: dict[str, Any]) -> None:
    found = staged(parts, keep=3, lexical=0)("the rain", TEXTS)
    near = cosines(parts, "the rain")
    assert {item.index for item in found.items} == set(sorted(range(len(TEXTS)), key=lambda n: -near[n])[:3])
    assert {item.index: item.cosine for item in found.items} == pytest.approx(
        {item.index: near[item.index] for item in found.items}, abs=1e-4
    )
    alone = parts["ranking"]("the rain", [item.text for item in found.items])
    assert [item.text for item in found.items] == [item.text for item in alone.items]
    assert [item.score for item in found.items] == pytest.approx([item.score for item in alone.items], abs=1e-4)
    assert found.notes == ("5 candidates were left out by their vectors",)
    whole = staged(parts)("the rain", TEXTS)
    assert [item.index for item in whole.items] == [item.index for item in parts["ranking"]("the rain", TEXTS).items]
    assert [item.index for item in whole.items] != sorted(range(len(TEXTS)), key=lambda n: -near[n])
    assert not whole.notes


def test_words_bring_up_what_vectors_leave_out(parts: dict[str, Any]) -> None:
    by_vectors = staged(parts, keep=2, lexical=0)("rain", TEXTS)
    assert TEXTS.index("rain in the night") not in {item.index for item in by_vectors.items}
    assert {item.lexical for item in by_vectors.items} == {0}
    find = functory.compose("search", vectors=parts["vectors"], options={"lexical": 20})
    found = find("rain", TEXTS)
    assert found.items[0].index == TEXTS.index("rain in the night")
    near = cosines(parts, "rain")
    for item in found.items:
        assert item.cosine == pytest.approx(near[item.index], abs=1e-4)
        assert item.score == pytest.approx(item.cosine + 20 * item.lexical, abs=1e-4)
    assert TEXTS.index("rain in the night") in {item.index for item in staged(parts, keep=2, lexical=20)("rain", TEXTS).items}


def test_one_stage_is_searched_in_a_store_saved_loaded_measured_and_explained(
    parts: dict[str, Any], shelf: Shelf, tmp_path: Path
) -> None:
    find = functory.compose("search", vectors=parts["vectors"], options={"keep": 4, "store": str(shelf.folder)})
    again = functory.load(find.save(tmp_path / "find"))
    found = again("the rain")
    assert found == find("the rain")
    given = find("the rain", [*TEXTS, "雨 😀"])
    assert [(item.index, item.text) for item in found.items] == [(item.index, item.text) for item in given.items]
    assert given.notes == ("5 candidates were left out by their vectors and words",)
    rows = [{"query": "rain", "candidates": TEXTS, "picked": "rain in the night"}] * 3
    assert functory.compose("search", vectors=parts["vectors"], options={"lexical": 20}).evaluate(rows).metrics["mrr"].value == 1
    weights = find.explain(("rain", ["good", "the rain"]), target="candidates.1").pieces
    assert max(weights, key=lambda piece: piece.weight).text == "rain"


def test_alone_and_among_others_and_with_repeats_it_finds_the_same(parts: dict[str, Any]) -> None:
    find = staged(parts, keep=2)
    asked = [("the rain", TEXTS), ("good", ["poor", "a good book", "poor", "fine day"]), ("rain", []), ("rain", ["poor"])]
    answers = list(find.map(asked))
    for (query, texts), answer in zip(asked, answers, strict=True):
        assert [item.index for item in find(query, texts).items] == [item.index for item in answer.items]
        assert all(texts[item.index] == item.text for item in answer.items)
    assert [len({item.text for item in answer.items}) for answer in answers] == [2, 2, 0, 1]
    twice = find("poor", ["poor", "a good book", "poor", "fine day"])
    assert {item.index for item in twice.items if item.text == "poor"} == {0, 2}


def test_it_is_measured_by_what_it_left_out_too(parts: dict[str, Any]) -> None:
    near = cosines(parts, "the rain")
    last = int(np.argmin(near))
    rows = [{"query": "the rain", "candidates": TEXTS, "picked": last}] * 3
    assert staged(parts, keep=3).evaluate(rows).metrics["recall@10"].value == 0
    assert staged(parts, keep=8).evaluate(rows).metrics["recall@10"].value == 1


def test_a_candidate_is_explained_by_the_words_that_bring_it_up(parts: dict[str, Any]) -> None:
    find, texts = staged(parts, keep=2), ["the rain", "a good book"]
    found = find.explain(("rain", texts), target="candidates.1")
    assert found.score == pytest.approx(next(item.score for item in find("rain", texts).items if item.index == 1), abs=1e-3)
    assert {piece.field for piece in found.pieces} == {"query", "candidates.0", "candidates.1"}
    weights = {field: max(abs(p.weight) for p in found.pieces if p.field == field) for field in ("candidates.0", "candidates.1")}
    assert weights["candidates.1"] > weights["candidates.0"] == pytest.approx(0, abs=1e-3)


def test_it_is_saved_and_loaded_as_one(parts: dict[str, Any], tmp_path: Path) -> None:
    find = staged(parts, keep=3)
    again = functory.load(find.save(tmp_path / "find"))
    assert again("the rain", TEXTS) == find("the rain", TEXTS)


@pytest.fixture(scope="module")
def shelf(parts: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf.make(tmp_path_factory.mktemp("shelves") / "passages", iter([*TEXTS, "雨 😀"]), parts["vectors"])


def test_a_query_without_candidates_is_answered_from_the_shelf(
    parts: dict[str, Any], shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "BLOCK", 4)  # in blocks it finds what it finds at once
    monkeypatch.setattr(store, "QUERIES", 1)
    find = staged(parts, keep=4, store=str(shelf.folder))
    assert len(shelf) == len(TEXTS) + 1
    stored, given = find("the rain"), find("the rain", [*TEXTS, "雨 😀"])
    assert [(item.index, item.text) for item in stored.items] == [(item.index, item.text) for item in given.items]
    assert [item.cosine for item in stored.items] == pytest.approx([item.cosine for item in given.items], abs=1e-5)
    assert [item.lexical for item in stored.items] == pytest.approx([item.lexical for item in given.items], abs=1e-5)
    for lexical, is_found in ((0.01, False), (20, True)):
        few = staged(parts, keep=2, store=str(shelf.folder), lexical=lexical)
        assert ("rain in the night" in {item.text for item in few("rain").items}) is is_found
    both = list(find.map([{"query": "the rain"}, ("poor", ["a good book", "poor"]), {"query": "the rain"}]))
    order = [item.index for item in stored.items]
    assert [[item.index for item in one.items] for one in (both[0], both[2])] == [order, order]
    assert len(both[1].items) == 2, "its own candidates go before the store's"


def test_of_equal_passages_the_first_are_nearest_however_they_fall_into_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = SimpleNamespace(map=lambda asked, progress: [SimpleNamespace(vector=[1.0, 0.0]) for _ in asked])
    made = Shelf.make(tmp_path / "same", ["a", "b"] * 20, vectors)
    for block in (64, 7, 1):
        monkeypatch.setattr(store, "BLOCK", block)
        for lexical, places in ((0.0, [0, 1, 2]), (1.0, [1, 3, 5])):
            [found] = made.nearest(np.asarray([[1.0, 0.0]], dtype=np.float32), 3, ["b"], lexical)
            assert [near.index for near in found] == places
            assert [near.text for near in found] == (["b", "b", "b"] if lexical else ["a", "b", "a"])


def test_a_shelf_of_other_vectors_or_not_whole_is_refused(parts: dict[str, Any], shelf: Shelf, tmp_path: Path) -> None:
    other = SimpleNamespace(map=lambda asked, progress: (SimpleNamespace(vector=np.eye(32)[n % 32]) for n, _ in enumerate(asked)))
    strange = Shelf.make(tmp_path / "strange", TEXTS, other)
    with pytest.raises(DataError, match="made by another function"):
        staged(parts, store=str(strange.folder))("the rain")
    with pytest.raises(UsageError, match="there already"):
        Shelf.make(strange.folder, TEXTS, parts["vectors"])
    with pytest.raises(DataError, match="no passages"):
        Shelf.make(tmp_path / "none", [], parts["vectors"])
    assert not list(tmp_path.glob("*none*")), "nothing half-written stays"
    (strange.folder / "passages.txt").write_text("short")
    with pytest.raises(DataError, match="not as long"):
        Shelf(strange.folder)
    with pytest.raises(DataError, match="no whole shelf"):
        staged(parts, store=str(tmp_path / "nowhere"))("the rain")


def test_a_store_of_another_kind_is_found_by_its_name(parts: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    class Remote:
        def __init__(self, place: str) -> None:
            self.place = place

        has_words = False

        def first(self) -> tuple[str, Any]:
            return "poor", np.asarray(parts["vectors"]("poor").vector)

        def nearest(self, vectors: Any, count: int, queries: Any, lexical: float) -> list[list[Near]]:
            asked.append((self.place, vectors.shape, count, queries, lexical))
            return [[Near(7_000_000, "poor", 0.5), Near(3, "good film", 0.25)]] * len(vectors)

    class Entry(SimpleNamespace):
        name = "remote"

        def load(self) -> Any:
            return Remote

    monkeypatch.setattr(store, "entry_points", lambda group: [Entry()] if group == "functory_ranking.stores" else [])
    found = staged(parts, store="remote:shop/texts", keep=2)("the rain")
    assert {(item.index, item.cosine) for item in found.items} == {(7_000_000, 0.5), (3, 0.25)}
    assert asked == [("shop/texts", (1, 32), 2, ["the rain"], 0.5)]
    assert found.notes[0] == "the store keeps no words: candidates were found by their vectors alone"
    assert not staged(parts, store="remote:shop/texts", keep=2, lexical=0)("the rain").notes
    with pytest.raises(UsageError, match=r"(?s)no store named 'faiss'.*installed: remote"):
        staged(parts, store="faiss:here")("the rain")


def test_keep_is_bounded_and_both_parts_are_wanted(parts: dict[str, Any]) -> None:
    with pytest.raises(functory.errors.OptionError):
        TwoStages.configure({"keep": 0})
    with pytest.raises(UsageError, match="lacking: ranking"):
        functory.compose("two-stage-ranking", vectors=parts["vectors"])
