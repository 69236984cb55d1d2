"""What a vector owes its users: the backbone's own pooling, roles, a prefix at length 1, figures as the books have them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import functory
from functory_embedding import Compared, Embedded
from functory_embedding.head import ContrastiveHead
from functory_embedding.metrics import correlations, retrieval
from functory_embedding.types import Measures
from functory_sdk import (
    BackboneSpec,
    DataError,
    InputError,
    OptionError,
    UsageError,
)
from functory_sdk.testing import TinyEncoder, converted, registered

TEXTS = ("a good film", "the rain was bad", "we saw the night", "the book was poor", "the sun", "a day of rain")
LONG = "the rain was good and the sun was bad " * 12
PREFIXES = {"query": "good: ", "passage": "day: "}


class TinyAsked(TinyEncoder):
    """A tiny encoder that was told what its texts are."""

    def read_spec(self) -> BackboneSpec:
        return super().read_spec().model_copy(update={"prefixes": PREFIXES})


@pytest.fixture(autouse=True, scope="module")
def _asked(tiny_kit: None) -> Iterator[None]:
    with registered("backbones", "tiny-asked", TinyAsked):
        yield


def built(backbone: Any = "tiny-asked", **options: Any) -> Any:
    return functory.build(task={"name": "embedding", **options}, backbone=backbone)


@pytest.fixture(scope="module")
def vectors() -> Any:
    return built()


@pytest.fixture(scope="module")
def raw() -> Any:
    return built(normalise=False)


def test_the_vector_is_the_mean_of_the_last_states_at_length_1(vectors: Any, raw: Any) -> None:
    import torch

    form = raw.form
    [row] = form.formulation.encode([raw.read(TEXTS[0])], raw.reader, raw.state).rows
    batch = {name: torch.from_numpy(array)[None] for name, array in row.items()}
    with torch.inference_mode():
        states = form.program.model.network.hidden(batch)
    mean = np.asarray(states)[0].mean(0)
    np.testing.assert_allclose(raw(TEXTS[0]).vector, mean, atol=1e-5)
    np.testing.assert_allclose(vectors(TEXTS[0]).vector, mean / np.linalg.norm(mean), atol=1e-5)
    normalised = built({"name": "tiny-asked", "is_normalised": True}, normalise=False)
    assert np.linalg.norm(normalised(TEXTS[0]).vector) == pytest.approx(1, abs=1e-5)


def test_a_prefix_of_the_vector_is_brought_to_length_1_by_itself(raw: Any) -> None:
    short = built(dimension=8)
    whole = np.asarray(raw(TEXTS[0]).vector)
    assert len(whole) == 32
    np.testing.assert_allclose(short(TEXTS[0]).vector, whole[:8] / np.linalg.norm(whole[:8]), atol=1e-5)
    with pytest.raises(OptionError, match="dimension = 33.*have 32"):
        built(dimension=33)


def test_one_function_reads_queries_and_passages_by_their_prefixes(vectors: Any) -> None:
    asked, told = (vectors(text=TEXTS[0], role=role).vector for role in ("query", "passage"))
    assert asked == pytest.approx(vectors(f"good: {TEXTS[0]}").vector, abs=1e-5)
    assert told == pytest.approx(vectors(f"day: {TEXTS[0]}").vector, abs=1e-5)
    search = built(role="query", other_role="passage")
    both = search(TEXTS[0], TEXTS[0])
    assert both.vector == pytest.approx(asked, abs=1e-5)
    assert both.other == pytest.approx(told, abs=1e-5)
    assert search(text=TEXTS[0], other=TEXTS[0], role="passage").vector == pytest.approx(told, abs=1e-5)
    alike = built(role="query")(TEXTS[0], TEXTS[1])
    assert alike.other == pytest.approx(vectors(text=TEXTS[1], role="query").vector, abs=1e-5)
    many = search.map([{"text": TEXTS[0], "role": role} for role in ("passage", "query", "passage")])
    np.testing.assert_allclose([one.vector for one in many], [told, asked, told], atol=1e-5)


def test_of_two_texts_the_cosine_is_given_whatever_the_length(vectors: Any, raw: Any) -> None:
    one, other = vectors(TEXTS[0]).vector, vectors(TEXTS[1]).vector
    for function in (vectors, raw):
        assert function(TEXTS[0], TEXTS[1]).cosine == pytest.approx(np.dot(one, other), abs=1e-4)
    assert vectors(TEXTS[0]).other is None is vectors(TEXTS[0]).cosine


def test_a_long_text_is_the_mean_of_its_windows_by_their_tokens_and_says_so(raw: Any) -> None:
    read = raw.read(LONG, TEXTS[0])
    encoded = raw.form.formulation.encode([read], raw.reader, raw.state)
    [(_, rows)] = raw.trace([read])
    tokens = np.asarray([int(row["attention_mask"].sum()) - 2 for row in encoded.rows[:-1]])
    assert len({*tokens.tolist()}) > 1, "windows of one size would not tell"
    wanted = np.average([row["vector"] for row in rows[:-1]], axis=0, weights=tokens)
    found = raw(LONG, TEXTS[0])
    np.testing.assert_allclose(found.vector, wanted, atol=1e-5)
    np.testing.assert_allclose(found.other, raw(TEXTS[0]).vector, atol=1e-5)
    assert found.notes == (f"read in {len(tokens)} windows",)
    assert raw(TEXTS[0], LONG).notes == (f"other read in {len(tokens)} windows",)


def test_it_is_told_in_a_line_and_given_whole_as_json() -> None:
    output = Embedded(vector=(0.012, -0.031, 0.5, 0.25))
    assert output.in_line() == "4 numbers: 0.012, −0.031, 0.500, …"
    assert output.in_line(4) == "4 numbers: 0.012, −0.031, 0.500, 0.250"
    assert output.model_copy(update={"cosine": -0.5}).in_line(1) == "cosine −0.500; 4 numbers: 0.012, …"
    noted = output.model_copy(update={"notes": ("read in 2 windows",)})
    assert str(noted) == "Embedded(4 numbers: 0.012, −0.031, 0.500, …; read in 2 windows)"
    assert json.loads(output.model_dump_json())["vector"] == [0.012, -0.031, 0.5, 0.25]


def test_nothing_but_white_space_is_refused_and_what_says_nothing_is_not_explained(vectors: Any) -> None:
    for given in (("",), (" \n",), (TEXTS[0], " ")):
        with pytest.raises(InputError):
            vectors(*given)
    with pytest.raises(UsageError, match="nothing to explain"):
        vectors.explain(TEXTS[0])


def test_pairs_with_scores_are_measured_by_correlation_and_pairs_without_by_retrieval(vectors: Any) -> None:
    pairs = [(one, other, float(one == other)) for one in TEXTS for other in TEXTS[:3]]
    scored = vectors.evaluate([dict(zip(("sentence1", "sentence2", "score"), pair, strict=True)) for pair in pairs])
    assert scored.metrics["pearson"].value > 0.5 > scored.metrics["pearson"].baseline == 0
    assert scored.metric == "spearman"
    found = vectors.evaluate([{"query": text, "passage": f"{text} {text}"} for text in TEXTS])
    assert found.metrics.keys() == {"mrr", "recall_1", "recall_5", "recall_10"}
    assert found.metrics["mrr"].baseline == pytest.approx(np.mean(1 / np.arange(1, 7)))
    assert found.metrics["recall_5"].baseline == pytest.approx(5 / 6)
    assert found.metrics["mrr"].low <= found.metrics["mrr"].value <= found.metrics["mrr"].high
    with pytest.raises(DataError, match="other is missing"):
        vectors.evaluate([{"text": TEXTS[0], "score": 1.0}])
    with pytest.raises(DataError, match="score is missing"):
        vectors.evaluate([{"text": "a", "other": "b", "score": 1.0}, {"text": "a", "other": "b", "score": None}])


def test_metrics_are_those_of_the_textbook() -> None:
    found = correlations([1.0, 2.0, 3.0, 5.0], [1.0, 3.0, 2.0, 4.0])(np.arange(4))
    assert found["spearman"] == pytest.approx(0.8)
    assert found["pearson"] == pytest.approx(0.8315218406)


def test_equal_texts_are_one_item_and_what_belongs_to_a_text_is_not_in_its_way() -> None:
    items = {"a": (1.0, 0.0), "b": (0.8, 0.6), "c": (0.0, 1.0), "d": (0.6, 0.8)}
    up = (0.0, 1.0)
    rows = [("x", (1.0, 0.1), "a"), ("x", (1.0, 0.1), "b"), ("y", up, "d"), ("z", up, "a"), ("w", up, "c")]
    examples = [Compared(text=text, other=other) for text, _, other in rows]
    score = retrieval([Embedded(vector=vector, other=items[other]) for _, vector, other in rows], examples)
    one_by_one = [score(np.asarray([index]))["mrr"] for index in range(5)]
    assert one_by_one == pytest.approx([1, 1, 1 / 2, 1 / 4, 1])  # b is second after a, which is x's too
    assert score(np.arange(5))["recall_1"] == pytest.approx(3 / 5)
    tied = retrieval([Embedded(vector=(1.0,), other=(1.0,))] * 5, examples)(np.asarray([2]))
    assert tied["mrr"] == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4)
    assert tied["recall_1"] == pytest.approx(1 / 4)


def test_it_survives_saving_onnx_and_eight_bits(tmp_path: Path) -> None:
    short = built(dimension=16, role="query")
    wanted = np.asarray([one.vector for one in short.map(TEXTS)])
    manifest = json.loads((short.save(tmp_path / "short") / "function.json").read_text(encoding="utf-8"))
    told = json.dumps(manifest)
    assert all(part in told for part in ('"dimension": 16', '"role": "query"', '"pooling": "mean"', '"prefixes"'))
    loaded = functory.load(tmp_path / "short")
    np.testing.assert_allclose([one.vector for one in loaded.map(TEXTS)], wanted, atol=1e-5)
    small = functory.load(converted(short, tmp_path / "files", inputs=TEXTS).save(tmp_path / "small"))
    assert small.form.name == "onnxruntime int8"
    cosines = (np.asarray([one.vector for one in small.map(TEXTS)]) * wanted).sum(1)
    assert 0.9 < cosines.min() < 1 - 1e-6


def test_training_data_from_which_nothing_is_learned_are_said_to_measure_alone() -> None:
    notes: list[str] = []
    rows = [{"text": one, "other": other} for one in TEXTS for other in TEXTS[:2]]
    functory.build(task="embedding", backbone="tiny-asked", train=rows, tell=notes.append)
    assert any("fits nothing to train" in note and "name an adaptation" in note for note in notes)
    notes.clear()
    functory.build(task="embedding", backbone="tiny-asked", train=rows, adaptation="zero-shot", tell=notes.append)
    assert not any("fits nothing to train" in note for note in notes)


def test_an_optimization_tells_the_figure_that_its_examples_are_measured_by(vectors: Any) -> None:
    rows = [{"text": one, "other": other} for one in TEXTS for other in TEXTS[:2]]
    cheap = {"threads": [1], "probe_inputs": 16, "rounds": 1}
    for scores, metric in (([None] * len(rows), "mrr"), ([*map(float, range(len(rows)))], "spearman")):
        given = [{**row, "score": score} for row, score in zip(rows, scores, strict=True)]
        made = vectors.optimize("int8", given, engines=["onnxruntime"], precisions=["int8"], **cheap)
        assert made.optimization.metric == metric


def losses_of(texts: list[list[str]], vectors: Any, scores: list[float], **state: Any) -> list[float]:
    """The head's losses of groups of texts: what looks for another, that one, negatives."""
    import torch

    rows = [(group, side, text) for group, row in enumerate(texts) for side, text in enumerate(row)]
    names = sorted({text for _, _, text in rows})
    batch = {
        "group": torch.tensor([group for group, _, _ in rows]),
        "side": torch.tensor([side for _, side, _ in rows]),
        "said": torch.tensor([names.index(text) for _, _, text in rows]),
        "worth": torch.tensor([scores[group] for group, _, _ in rows]),
    }
    head = ContrastiveHead(built().form.spec, Measures(**state))
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))
    outputs = {"vector": torch.tensor([vectors[text] for _, _, text in rows])[order]}
    losses, weights = head.losses(outputs, {name: array[order] for name, array in batch.items()})
    assert weights.tolist() == [1] * len(losses)
    return sorted(losses.tolist())


def test_each_text_is_told_from_all_others_of_the_step_but_from_none_that_is_right() -> None:
    generator = np.random.default_rng(0)
    vectors = {name: generator.normal(size=4).tolist() for name in "abcxyzn"}
    units = {name: np.asarray(vector) / np.linalg.norm(vector) for name, vector in vectors.items()}

    def loss(ask: str, right: str, others: str) -> float:
        logits = np.asarray([units[ask] @ units[one] for one in (right, *others)]) / 0.05
        return float(np.logaddexp.reduce(logits) - logits[0])

    texts = [["a", "x", "n"], ["b", "y"], ["a", "z"], ["c", "x"]]
    wanted = [loss("a", "x", "ny"), loss("b", "y", "xnzx"), loss("a", "z", "ny"), loss("c", "x", "nyz")]
    assert losses_of(texts, vectors, [0.0] * 4) == pytest.approx(sorted(wanted), rel=1e-4, abs=1e-6)
    both = losses_of(texts, vectors, [0.0] * 4, lengths=(0, 2))
    halves = losses_of(texts, {name: vector[:2] for name, vector in vectors.items()}, [0.0] * 4)
    assert sum(both) == pytest.approx((sum(wanted) + sum(halves)) / 2, rel=1e-4)


def test_of_scored_pairs_the_cosines_are_put_into_the_order_of_the_scores() -> None:
    angles = {"a": 0.0, "x": 0.3, "y": 0.6, "z": 1.2}
    vectors = {name: [float(np.cos(angle)), float(np.sin(angle))] for name, angle in angles.items()}
    x, y, z = (np.cos(angles[name]) / 0.05 for name in "xyz")
    [loss] = losses_of([["a", "x"], ["a", "y"], ["a", "z"]], vectors, [1.0, 3.0, 1.0], is_scored=True)
    assert loss == pytest.approx(float(np.logaddexp.reduce([0, x - y, z - y])), rel=1e-4)


@pytest.mark.parametrize("adaptation", ["head", "full"])
def test_what_belongs_together_is_found_after_training(adaptation: str, vectors: Any, tmp_path: Path) -> None:
    things = ("film", "book", "day", "rain", "sun", "night")
    pairs = [(f"the {one}", f"{how} {one}") for one in things for how in ("good", "a", "poor")]
    rows = [{"text": text, "other": other, "negatives": "we saw it"} for text, other in pairs]
    function = functory.build(
        task={"name": "embedding", "lengths": [8]}, backbone="tiny-asked", train=rows, dev_share=0, test_share=0,
        report=False, adaptation={"name": adaptation, "epochs": 40, "learning_rate": 3e-3},
    )  # fmt: skip
    assert (function.form.put, function.state.lengths) == ("features", (0, 8))
    after, before = (one.evaluate(rows).metrics["mrr"].value for one in (function, vectors))
    assert after > before + 0.1
    loaded = functory.load(function.save(tmp_path / adaptation))
    assert loaded(*pairs[0]).vector == pytest.approx(function(*pairs[0]).vector, abs=1e-5)


@pytest.mark.parametrize("options", [{}, {"dimension": 8, "normalise": False}])
def test_how_alike_two_texts_are_is_explained_in_both_of_them(options: dict[str, Any]) -> None:
    fn, pair = built(**options), (TEXTS[0], TEXTS[2])
    for method in ("occlusion", "gradient-x-input", "integrated-gradients"):
        found = fn.explain(pair, method=method)
        assert (found.target.name, found.unit) == ("cosine", "value")
        assert found.score == pytest.approx(fn(*pair).cosine, abs=1e-4)
        texts = dict(zip(("text", "other"), pair, strict=True))
        assert [piece.text for piece in found.pieces] == [word for text in pair for word in text.split()]
        assert all(texts[piece.field][piece.start : piece.end] == piece.text for piece in found.pieces)
        assert all(max(abs(p.weight) for p in found.pieces if p.field == field) > 0 for field in texts)
        turned = fn.explain(pair[::-1], method=method)
        weights = {(p.field == "text", p.start): p.weight for p in found.pieces}
        assert {(p.field == "other", p.start): p.weight for p in turned.pieces} == pytest.approx(weights, abs=1e-4)


def test_a_gradient_is_how_the_cosine_changes_in_every_window(vectors: Any) -> None:
    """The parts of a row give the derivative of the cosine by that row's numbers, whatever the others are."""
    put, value = vectors.form.formulation, vectors.read(LONG, TEXTS[0])
    [(side, outputs)] = vectors.trace([value])
    [target] = put.targets(put.decode(side, outputs, vectors.state), side, vectors.state)
    parts = put.likened(target, side, outputs)
    assert [one.row for one in parts] == list(range(len(outputs)))
    assert side.first > 1
    step = np.zeros(32)
    step[3] = 1e-4
    for one in parts:
        moved = [{"vector": row["vector"] + step * (place == one.row)} for place, row in enumerate(outputs)]
        now = put.value(target, side, moved, vectors.state)
        own = one.rest + one.share * np.asarray(moved[one.row]["vector"])
        assert now == pytest.approx(own @ one.other / np.linalg.norm(own) / np.linalg.norm(one.other), abs=1e-9)
    whole = vectors.explain(value, method="gradient-x-input")
    assert all(LONG[p.start : p.end] == p.text for p in whole.pieces if p.field == "text")


def test_a_vector_by_itself_has_nothing_to_explain(vectors: Any) -> None:
    with pytest.raises(UsageError, match="nothing to explain"):
        vectors.explain(TEXTS[0])
