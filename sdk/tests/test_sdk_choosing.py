"""Which token comes next: the same borders as transformers', and told by how much it was clear."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from functory.contracts.decoding import Decoding, Request, Steer, Steered
from functory_sdk import choosing
from functory_sdk.choosing import allowed, choose, penalised


@pytest.mark.parametrize("how", [
    {"top_k": 5}, {"top_p": 0.8}, {"min_p": 0.1}, {"top_k": 30, "top_p": 0.7, "min_p": 0.02}, {"top_k": 1}, {"top_p": 1e-6},
    {"min_p": 1.0}, {"top_k": 10_000},
])  # fmt: skip
def test_what_may_be_drawn_is_what_transformers_leaves(how: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from transformers import (
        LogitsProcessorList,
        MinPLogitsWarper,
        TemperatureLogitsWarper,
        TopKLogitsWarper,
        TopPLogitsWarper,
    )  # fmt: skip

    options = Decoding(temperature=0.7, **how)
    warpers = [TemperatureLogitsWarper(0.7)]
    warpers += [TopKLogitsWarper(options.top_k)] if options.top_k else []
    warpers += [TopPLogitsWarper(options.top_p)] if options.top_p < 1 else []
    warpers += [MinPLogitsWarper(options.min_p)] if options.min_p else []
    scores = 3 * np.random.default_rng(2).standard_normal((40, 200), dtype=np.float32)
    left = torch.isfinite(LogitsProcessorList(warpers)(torch.zeros(40, 1, dtype=torch.long), torch.from_numpy(scores))).numpy()
    for row in range(40):
        loose, exact, tight = allowed(scores[row], options, 1e-3, 0.0, -1e-3)
        assert np.array_equal(exact, left[row])
        assert (left[row] <= loose).all()
        assert (tight <= left[row]).all()
        assert left[row][choose(scores[row], Request((row,), options), 0, (), ()).token]


@pytest.mark.parametrize("how", [
    {"top_k": 5}, {"top_k": 40}, {"top_p": 0.3}, {"top_p": 0.95}, {"min_p": 0.2}, {"top_k": 12, "top_p": 0.9}, {"min_p": 1e-9},
    {"top_k": 60, "top_p": 0.5, "min_p": 0.01},
])  # fmt: skip
@pytest.mark.parametrize("spread", [0.0, 0.0004, 0.1, 3.0])
def test_the_best_scores_alone_give_the_borders_of_all(how: dict[str, Any], spread: float, monkeypatch: Any) -> None:
    """Flat and tied scores too, where more may be drawn than the best ones."""
    scores = np.round(spread * np.random.default_rng(4).standard_normal(300), 4).astype(np.float32)
    scores[7:20] = -np.inf
    options, slacks = Decoding(temperature=0.7, **how), (1e-3, 0.0, -1e-3)
    whole = allowed(scores, options, *slacks)
    monkeypatch.setattr(choosing, "NEAR", 16)
    assert np.array_equal(allowed(scores, options, *slacks), whole)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("how", [
    {"top_p": 0.5}, {"top_p": 5e-324}, {"min_p": 5e-324}, {"min_p": 0.9}, {"top_k": 3, "top_p": 0.9},
    {"repetition_penalty": 0.01}, {"repetition_penalty": 100},
])  # fmt: skip
@pytest.mark.parametrize("temperature", [0, 5e-324, 1e-30, 100])
def test_the_extremes_of_what_may_be_asked_for_give_a_token_and_no_warning(how: dict[str, Any], temperature: float) -> None:
    scores = 10 * np.random.default_rng(0).standard_normal(3000, dtype=np.float32)
    scores[5] = -np.inf
    found = choose(scores, Request((1, 2), Decoding(temperature=temperature, **how)), 0, (4,), (1, 2, 4))
    assert found.lead >= 0
    if temperature < 1 and "repetition_penalty" not in how:
        assert found.token == scores.argmax()


def test_the_penalty_on_repetition_is_transformers_own() -> None:
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    scores = np.random.default_rng(3).standard_normal(50, dtype=np.float32)
    seen = [4, 4, 7, 49, 0]
    penalty = transformers.RepetitionPenaltyLogitsProcessor(1.3)
    expected = penalty(torch.tensor([seen]), torch.from_numpy(scores.copy())[None])[0].numpy()
    np.testing.assert_allclose(penalised(scores, seen, 1.3), expected, rtol=1e-6)
    assert penalised(scores, (), 1.3) is scores


def test_a_drawn_token_at_a_border_is_no_clear_choice() -> None:
    """Two tokens stand at the border of top k, closer than a rounding: whichever of them is drawn might be the other one."""
    scores = np.asarray([2.0, 1.00002, 1.0, -5.0], dtype=np.float32)
    drawn = [choose(scores, Request((seed,), Decoding(temperature=1, top_k=2, seed=seed)), 0, (), ()) for seed in range(200)]
    assert {choice.token for choice in drawn} == {0, 1}, "in these scores the border is where it is"
    assert all(choice.is_close for choice in drawn if choice.token == 1)
    assert any(choice.lead == 0 for choice in drawn if choice.token == 0), "where the noise is for the one beyond the border"
    assert any(choice.lead > 1e-3 for choice in drawn)


def test_what_changes_scores_comes_in_order_and_leaves_the_given_ones() -> None:
    class Third(Steer):
        def __call__(self, written: Any, scores: Any) -> Steered:
            assert np.isneginf(scores[[1, 2]]).all(), "a guide and what never comes are out of reach before"
            assert scores[0] == 1.0, "and what was seen is less likely"
            return Steered(np.where(np.arange(4) == 3, scores, -np.inf).astype(np.float32), 0.25)

    given = np.asarray([2.0, 3.0, 4.0, 0.5], dtype=np.float32)
    request = Request((0,), Decoding(repetition_penalty=2.0), never=frozenset([1]), steer=Third())
    kept = given.copy()
    choice = choose(given, request, 0, (), [0], np.asarray([True, True, False, True]))
    assert (choice.token, choice.lead) == (3, 0.25)
    assert np.array_equal(given, kept)


@pytest.mark.parametrize(("written", "token", "finish"), [
    ([5], 9, "end"), ([5, 6], 7, "stop"), ([5], 6, None), ([1, 2, 3], 4, "length"), ([1, 2, 3], 9, "end"), ([5, 6, 6], 7, "stop"),
])  # fmt: skip
def test_a_text_ends_for_one_reason(written: list[int], token: int, finish: str | None) -> None:
    how = Decoding(max_new_tokens=4)
    request = Request((1,), how, stop_ids=frozenset([9]), ends=lambda tokens: tokens[-2:] == [6, 7])
    assert request.finish_of(written, token) == finish
