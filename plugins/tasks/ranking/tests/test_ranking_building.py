"""Candidates are ranked alike in every form, order and company, however they are put to a backbone."""

from __future__ import annotations

import math
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest

import functory
from functory_ranking.head import Against, ApartListwiseHead, ListwiseHead, PairwiseHead, pairs
from functory_sdk.testing import converted
from functory_sdk.testing.toy import rows

torch = pytest.importorskip("torch")
linear = pytest.importorskip("functory_sdk.torch").linear
pytestmark = pytest.mark.usefixtures("tiny_kit")

LONG = "it was in the rain and the night " * 60
ASKED = [
    ("we saw the", ["good film", "bad night", "fine day"]),
    ("we saw the", ["good film", "bad night", "good film", "it was very bad"]),
    ("the rain", ["a good book"]),
    ("the rain", [LONG, "good", LONG + "book"]),
]


def queries(count: int) -> list[dict[str, Any]]:
    """Return queries of two to four candidates, of which the good one is relevant."""
    good, bad = ([row["text"] for row in rows(8 * count) if row["label"] == label] for label in ("yes", "no"))
    made = []
    for number in range(count):
        wrong = list(dict.fromkeys(bad[3 * number : 3 * number + 1 + number % 3]))
        texts = [*wrong[: number % 2], good[number], *wrong[number % 2 :]]
        made.append({"query": "we saw the", "candidates": texts, "picked": texts.index(good[number])})
    return made


def built(adaptation: Any, **parts: Any) -> Any:
    data = queries(56)
    return functory.build(**{
        "task": "ranking", "train": data, "test": data, "backbone": "tiny-encoder", "adaptation": adaptation, "seed": 1,
        "dev_share": 0, "name": "rank", **parts,
    })  # fmt: skip


@pytest.fixture(scope="module")
def functions() -> dict[str, Any]:
    """One function of each way to put it."""
    return {
        "features": built({"name": "full", "epochs": 8, "learning_rate": 2e-3}),
        "vectors": built({"name": "head", "penalty": 0.001, "hidden": 0}),
        "plain": built("zero-shot", train=None, test=None),
    }


def test_it_learns_what_is_relevant_whatever_the_number_of_candidates(functions: dict[str, Any]) -> None:
    for put in ("features", "vectors"):
        assert functions[put].form.put == put
        metrics = functions[put].report.metrics
        assert metrics["ndcg@10"].value > 0.9 > metrics["ndcg@10"].baseline, put
        assert metrics["mrr"].low <= metrics["mrr"].value <= metrics["mrr"].high
        assert {"map", "recall@1"} <= metrics.keys()


def test_a_handful_of_queries_leaves_the_order_of_the_cosine_and_many_change_it() -> None:
    words = ["film", "night", "day", "book", "rain", "story", "music", "house", "river", "road"]
    asked = [{"query": f"the {one}", "candidates": [f"a bad {other}" for other in words[:5]], "picked": words[:5].index(one)}
             for one in words[:5]]  # fmt: skip
    cosine = built("zero-shot", train=None, test=asked)
    few = built("head", train=asked, test=asked)
    assert any("add nothing sure" in note for note in few.about.notes)
    for query, texts in ASKED:
        assert [item.text for item in few(query, texts).items] == [item.text for item in cosine(query, texts).items]
    many = built("head")
    assert not any("add nothing sure" in note for note in many.about.notes)
    assert many.report.metrics["ndcg@10"].value > 0.9


def test_a_penalty_draws_a_head_to_its_prior_and_not_to_nothing() -> None:
    torch.manual_seed(0)
    head = ApartListwiseHead(SimpleNamespace(width=3), None)
    features = torch.randn(40, 11)
    gold = {"candidate": torch.arange(40) % 4, "grade": (torch.arange(40) % 4 == 0).float(), "group": torch.arange(40) // 4}
    _, deviation = linear.standardise(features)
    prior = linear.prior(head, deviation)
    for penalty, near in ((1e4, 1e-3), (0.01, None)):
        linear.start(head, prior)
        linear.minimise(head, [linear.Block(features, gold)], penalty, prior=prior)
        apart = float((head.linear.weight.detach() - prior).abs().max())
        assert 0 < apart < near if near else apart > 0.1


def test_alone_and_among_others_and_in_another_order_scores_are_the_same(functions: dict[str, Any]) -> None:
    for put, rank in functions.items():
        for (query, texts), answer in zip(ASKED, rank.map(ASKED), strict=True):
            alone, backwards = rank(query, texts), rank(query, texts[::-1])
            expected = {item.text: item.score for item in answer.items}
            assert sorted(item.index for item in answer.items) == list(range(len(texts))), put
            assert all(item.text == texts[item.index] for item in answer.items)
            for other in (alone, backwards):
                assert {item.text: item.score for item in other.items} == pytest.approx(expected, abs=1e-4), put


def test_none_one_and_the_same_candidate_twice_are_ranked(functions: dict[str, Any]) -> None:
    for rank in functions.values():
        assert rank("the rain", []).items == ()
        assert [len(answer.items) for answer in rank.map([("rain", []), ("rain", ["a book"]), ("rain", [])])] == [0, 1, 0]
        items = rank("the rain", ["good", "bad", "good"]).items
        first, second = (item for item in items if item.text == "good")
        assert (first.index, second.index) == (0, 2)
        assert first.score == second.score
        [(_, outputs)] = rank.trace([rank.read("the rain", ["good", "bad", "good"])])
        assert len(outputs) == 2, "what stands there twice is read once"


def test_a_long_candidate_counts_by_the_best_of_its_windows(functions: dict[str, Any]) -> None:
    rank = functions["features"]
    [(side, outputs)] = rank.trace([rank.read("the rain", [LONG, "good"])])
    windows = [float(output["score"]) for output, place in zip(outputs, side.of_row, strict=True) if place == 0]
    answer = rank("the rain", [LONG, "good"])
    assert len(windows) > 1
    assert next(item.score for item in answer.items if item.index == 0) == pytest.approx(max(windows), abs=1e-4)
    assert [note for note in answer.notes if note.startswith("read in ")]


def test_it_is_explained_in_the_query_and_in_the_candidate_at_a_path(functions: dict[str, Any]) -> None:
    texts = {"query": "we saw the", "candidates.0": "good film", "candidates.1": "bad night"}
    for rank, method in product(functions.values(), ("occlusion", "gradient-x-input")):
        for own, other in (("candidates.0", "candidates.1"), ("candidates.1", "candidates.0")):
            found = rank.explain(("we saw the", ["good film", "bad night"]), method=method, target=own)
            assert found.target.name == own
            assert all(texts[piece.field][piece.start : piece.end] == piece.text for piece in found.pieces)
            weights = {field: [abs(p.weight) for p in found.pieces if p.field == field] for field in texts}
            assert max(weights[own]) > 0
            assert max(weights[other], default=0) == pytest.approx(0, abs=1e-6), "it is read by itself"


@pytest.mark.parametrize("put", ["features", "vectors", "plain"])
def test_in_integers_it_is_saved_replayed_and_packed_into_a_wheel_without_torch(
    put: str, functions: dict[str, Any], tmp_path: Path
) -> None:
    pytest.importorskip("onnxruntime", reason="pip install functory-onnxruntime[convert]")
    rank = functions[put]
    loaded = functory.load(rank.save(tmp_path / "whole"))
    assert list(loaded.map(ASKED)) == list(rank.map(ASKED))
    small = converted(rank, tmp_path / "files", inputs=ASKED)
    again = functory.load(small.save(tmp_path / "small"))  # which replays its golden examples
    assert again.form.name == "onnxruntime int8"
    assert again("rain", []).items == ()
    for (query, texts), answer in zip(ASKED, rank.map(ASKED), strict=True):
        expected = {item.index: item.score for item in answer.items}
        near = 0.05 * max(6.0, *map(abs, expected.values()))
        assert {item.index: item.score for item in again(query, texts).items} == pytest.approx(expected, abs=near)
    if put != "plain":
        assert again.evaluate(queries(40)).metrics["mrr"].value > 0.85
    [wheel] = again.package(f"rank-{put}", tmp_path / "wheels")
    with ZipFile(wheel) as archive:
        names = archive.namelist()
        [stub] = [archive.read(name).decode() for name in names if name.endswith(".pyi")]
        [needs] = [archive.read(name).decode() for name in names if name.endswith("METADATA")]
    assert "items: Sequence[Item]" in stub
    assert "functory-torch" not in needs


def losses(kind: Any, scores: list[float], **golds: list[float]) -> list[float]:
    """Return the losses of a head for some rows."""
    head = kind(SimpleNamespace(width=4), None)
    assert head.linear.bias is None, "no gradient would reach it"
    batch = {"group": torch.tensor(golds["group"]), "candidate": torch.tensor(golds["candidate"])}
    found, weights = head.losses({"score": torch.tensor(scores)}, {**batch, "grade": torch.tensor(golds["grade"])})
    assert weights.tolist() == [1.0] * len(weights)
    values: list[float] = found.tolist()
    return values


# two queries, rows mixed: three candidates, of which the second is read in two windows, and two
SCORES = [1.0, 3.0, 2.0, 0.5, 1.0, 5.0]
GOLDS: dict[str, list[Any]] = {
    "group": [0, 0, 1, 0, 1, 0], "candidate": [0, 1, 0, 2, 1, 1], "grade": [1.0, 3.0, 0.0, 0.0, 2.0, 3.0],
}  # fmt: skip


def test_listwise_the_loss_is_the_cross_entropy_of_the_shares_of_grades() -> None:
    first = np.asarray([1.0, 5.0, 0.5])
    first -= np.logaddexp.reduce(first)
    second = -(1.0 - np.logaddexp(2.0, 1.0))
    found = losses(ListwiseHead, SCORES, **GOLDS)
    np.testing.assert_allclose(found, [-(first[0] / 4 + first[1] * 3 / 4), second], rtol=1e-5)


def test_pairwise_the_loss_is_the_mean_over_pairs_whose_grades_differ() -> None:
    def apart(better: float, worse: float) -> float:
        return math.log1p(math.exp(worse - better))

    first = (apart(5.0, 1.0) + apart(5.0, 0.5) + apart(1.0, 0.5)) / 3
    found = losses(PairwiseHead, SCORES, **GOLDS)
    np.testing.assert_allclose(found, [first, apart(1.0, 2.0)], rtol=1e-5)
    alike = {**GOLDS, "grade": [1.0] * 6}
    assert losses(PairwiseHead, SCORES, **alike) == [0, 0]


def test_pairs_are_those_of_a_query_alone_however_many_queries_there_are() -> None:
    better, worse = pairs(torch.tensor([0.0, 2.0, 1.0, 5.0, 1.0, 0.0, 0.0]), torch.tensor([0, 0, 0, 1, 2, 2, 2]))
    assert list(zip(better.tolist(), worse.tolist(), strict=True)) == [(1, 0), (1, 2), (2, 0), (4, 5), (4, 6)]
    many = torch.arange(200_000) // 2  # held against each other they would be 40,000,000,000
    assert len(pairs(torch.arange(200_000) % 2, many)[0]) == 100_000


def test_the_head_on_vectors_sees_no_query_by_itself() -> None:
    vectors = torch.tensor([[[1.0, 0.0], [0.5, 2.0]]])
    cosine = 0.5 / math.sqrt(4.25)
    np.testing.assert_allclose(Against().join(vectors)[0].numpy(), [0.5, 2.0, 0.5, 2.0, 0.5, 0.0, cosine], rtol=1e-5)
    assert Against().width(SimpleNamespace(width=2)) == 7
