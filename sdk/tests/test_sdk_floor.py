"""N-grams, the regression on them, and the floor that they are to a function that labels."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from functory.reading.ngrams import Vocabulary, counted, grams, ngrams_of
from functory_sdk.labels import floor as floors
from functory_sdk.labels.floor import fit_floor
from functory_sdk.labels.types import Labels

TEXTS = ["Good GOOD film", "a bad\t film", "", "好电影，好", "İstanbul \ud800 \x00", "e\u0301 👩‍🔬"]
GOOD = [(f"{word} plot number {n}",) for n, word in enumerate(["lovely", "great", "fine"] * 8)]
BAD = [(f"{word} plot number {n}",) for n, word in enumerate(["awful", "dull", "poor"] * 8)]
STATE = Labels(labels=("bad", "good"))


def test_an_n_gram_is_the_text_at_its_place_in_lower_case_and_equal_ones_have_equal_hashes() -> None:
    found = grams(TEXTS)
    said = [TEXTS[t][a:b] for t, a, b in zip(found.text, found.start, found.end, strict=True)]
    of_words = [(t, one) for t, one, is_words in zip(found.text, said, found.is_words, strict=True) if is_words]
    assert Counter(of_words) == Counter(
        {
            (0, "Good"): 1, (0, "GOOD"): 1, (0, "film"): 1, (0, "Good GOOD"): 1, (0, "GOOD film"): 1, (1, "a"): 1, (1, "bad"): 1,
            (1, "film"): 1, (1, "a bad"): 1, (1, "bad\t film"): 1, (3, "好"): 2, (3, "电"): 1, (3, "影"): 1, (3, "，"): 1,
            (3, "好电"): 1, (3, "电影"): 1, (3, "影，"): 1, (3, "，好"): 1,
        }
        | {one: 1 for one in of_words if one[0] > 3}
    )  # fmt: skip
    codes: dict[tuple[bool, str], set[int]] = {}
    for one, code, is_words, text in zip(said, found.code, found.is_words, found.text, strict=True):
        if text < 2 and is_words:
            codes.setdefault((is_words, one.lower()), set()).add(int(code))
    assert all(len(same) == 1 for same in codes.values())
    assert len({next(iter(same)) for same in codes.values()}) == len(codes)


def test_words_and_characters_are_a_vector_of_length_one_each_and_a_text_reads_the_same_beside_any_other() -> None:
    alone, beside = ngrams_of([("good film",)])[0], ngrams_of([("bad",), ("good film",), ("",)])[1]
    assert np.array_equal(alone, beside)
    assert (alone[1] ** 2).sum() == pytest.approx(2)
    assert [len(code) for code, _ in counted(grams(["", " "]), 2)] == [0, 0]


def test_two_texts_are_told_apart_unless_their_order_says_nothing() -> None:
    pairs = [("a cat", "a dog"), ("a dog", "a cat")]
    one, other = ngrams_of(pairs)
    assert not np.array_equal(one[0], other[0])
    one, other = ngrams_of(pairs, is_symmetric=True)
    assert np.array_equal(one[0], other[0])
    assert np.allclose(one[1], other[1])


def test_the_regression_is_the_optimum_that_scikit_learn_finds() -> None:
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression
    from torch import nn, tensor

    from functory_sdk.torch.sparse import Table, minimise

    found = ngrams_of(GOOD + BAD)
    table = Table.of(found, Vocabulary.of(found, 500))
    gold = np.repeat([1, 0], len(GOOD))
    weight, bias = minimise(table, lambda scores: nn.functional.cross_entropy(scores, tensor(gold)), 2, 1 / len(gold), 500)
    dense = csr_matrix(table.rows.to_dense().numpy())
    peer = LogisticRegression(C=1, tol=1e-8, max_iter=2000).fit(dense, gold)
    ours = (table.rows @ weight + bias).softmax(-1)[:, 1].numpy()
    # two maps that mirror each other have half the norm
    twice = LogisticRegression(C=2, tol=1e-8, max_iter=2000).fit(dense, gold)
    assert np.abs(ours - twice.predict_proba(dense)[:, 1]).max() < 2e-3 < np.abs(ours - peer.predict_proba(dense)[:, 1]).max()


def test_few_rows_are_turned_into_as_many_numbers_each_and_the_regression_is_the_same() -> None:
    from torch import equal, nn, tensor

    from functory_sdk.torch.sparse import Table, Turned, minimise

    found = ngrams_of([*GOOD, *BAD, *GOOD[:3]])  # some twice
    table = Table.of(found, Vocabulary.of(found, 500))
    turned = Turned.of(table)
    products = table.rows.to_dense() @ table.rows.to_dense().T
    assert (turned.features @ turned.features.T - products).abs().max() < 1e-2
    gold = tensor([1] * len(GOOD) + [0] * len(BAD) + [1] * 3)

    def loss(scores: Any) -> Any:
        return nn.functional.cross_entropy(scores, gold)

    weight, bias = minimise(table, loss, 2, 1e-2, 500)
    short, other = minimise(turned.features, loss, 2, 1e-2, 500)
    assert (table.rows @ weight + bias - table.rows @ turned.back(short) - other).abs().max() < 1e-2
    assert equal((table @ weight).detach(), table.rows @ weight)


def test_a_floor_answers_the_label_of_the_words_that_it_learned() -> None:
    fitted = fit_floor(GOOD + BAD, [["good"]] * len(GOOD) + [["bad"]] * len(BAD), STATE)
    assert fitted is not None
    assert [one.label for one in fitted.answers([("a lovely plot",), ("a dull plot",)])] == ["good", "bad"]
    assert len(fitted.answers([("",)])) == 1


def test_several_labels_are_given_where_each_is_likelier_than_not() -> None:
    state = Labels(labels=("bad", "good"), mode="multi", thresholds=(0.5, 0.5))
    fitted = fit_floor(GOOD + BAD, [["good"]] * len(GOOD) + [["bad"]] * len(BAD), state)
    assert fitted is not None
    assert fitted.answers([("lovely great fine",)])[0].labels == ("good",)


@pytest.mark.parametrize(("texts", "right"), [([("a",)] * 4, [["good"]] * 4), ([("",)] * 2, [["good"], ["bad"]]), ([], [])])
def test_there_is_no_floor_where_nothing_can_be_learned(texts: list[tuple[str]], right: list[list[str]]) -> None:
    assert fit_floor(texts, right, STATE) is None


def test_of_very_many_examples_some_are_learned_from_and_of_long_texts_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(floors, "MOST_ROWS", 12)
    monkeypatch.setattr(floors, "MOST_CHARACTERS", 3)
    fitted = fit_floor([*GOOD, *BAD], [["good"]] * len(GOOD) + [["bad"]] * len(BAD), STATE)
    assert fitted is not None
    known = {code for codes, _ in ngrams_of([(text[:3],) for text, in [*GOOD, *BAD]]) for code in codes}
    assert set(fitted.known.code) <= known
    assert len(fitted.known.code) < len(known)


def test_many_labels_have_fewer_steps_so_that_a_floor_takes_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from functory_sdk.torch import sparse

    asked: list[int] = []

    def counted_steps(table: torch.Tensor, loss: object, width: int, penalty: float, iterations: int) -> object:
        asked.append(iterations)
        return torch.zeros(table.shape[1], width), torch.zeros(width)

    monkeypatch.setattr(sparse, "minimise", counted_steps)
    state = Labels(labels=tuple(f"label {n}" for n in range(40)), mode="single")
    texts, right = [(f"word{n}",) for n in range(80)], [[state.labels[n % 40]] for n in range(80)]
    for most in (floors.MOST_SCORES, 12 * 80 * 40, 1):
        monkeypatch.setattr(floors, "MOST_SCORES", most)
        assert fit_floor(texts, right, state) is not None
    assert asked == [100, 12, 4]
