"""Ranking by prompt: how likely the query is after each candidate, whatever stands beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import functory
from functory_ranking.asked import ASKED, ASKED_UNSPACED
from functory_sdk import open_backbone

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.usefixtures("tiny_kit")
QUERY, CANDIDATES = "we saw the film", ["a good film", "it was in the rain and the night", "a book"]


@pytest.fixture(scope="module")
def asked(tiny_kit: None) -> Any:
    return functory.build(task="ranking", backbone="tiny-decoder", adaptation="zero-shot", name="asked")


def scores(ranked: Any) -> dict[str, float]:
    """Return the score of each candidate."""
    return {item.text: item.score for item in ranked.items}


def likely(prompt: str, query: str) -> float:
    """Return the mean log-probability of a query's tokens after a prompt, token by token as the network says it."""
    backbone = open_backbone("tiny-decoder")
    network, read = backbone.network, backbone.tokenizer.tokens
    before, _, after = backbone.tokenizer.frame
    first, second = read([prompt])[0].ids, read([query])[0].ids
    ids = torch.tensor([*before, *first, *after, *second])[None]
    with torch.no_grad():
        spoken = network.logits(network.hidden({"input_ids": ids, "attention_mask": torch.ones_like(ids)}))[0].log_softmax(-1)
    return float(np.mean([spoken[-len(second) + place - 1, token] for place, token in enumerate(second.tolist())]))


def test_a_candidates_score_is_the_mean_log_probability_of_the_query_after_it(asked: Any) -> None:
    found = scores(asked(QUERY, CANDIDATES))
    for candidate in CANDIDATES:
        assert found[candidate] == pytest.approx(likely(ASKED.format(candidate=candidate), f" {QUERY}"), abs=1e-4)


def test_a_candidate_has_the_same_score_alone_and_among_others_in_any_order(asked: Any) -> None:
    together = scores(asked(QUERY, CANDIDATES[::-1]))
    for candidate in CANDIDATES:
        assert scores(asked(QUERY, [candidate]))[candidate] == pytest.approx(together[candidate], abs=1e-5)
    several = asked.map({"query": [QUERY, "the rain", QUERY], "candidates": [CANDIDATES, CANDIDATES[:2], CANDIDATES]})
    first, _, last = map(scores, several)
    assert first == pytest.approx(together, abs=1e-5)
    assert first == last


def test_a_query_without_spaces_is_asked_in_its_language(asked: Any) -> None:
    candidate, query = "账单出来以后随时可以提前还款。", "什么时候可以还款"
    found = scores(asked(query, [candidate]))[candidate]
    assert found == pytest.approx(likely(ASKED_UNSPACED.format(candidate=candidate), query), abs=1e-4)


def test_a_long_query_and_a_long_candidate_are_cut_and_said_to_be(asked: Any) -> None:
    notes = asked("the rain " * 400, ["a good film", "a book " * 400]).notes
    assert any(note.startswith("query cut at") for note in notes)
    assert any(note.startswith("cut at") for note in notes)


def test_a_prompt_of_ones_own_says_where_the_candidate_goes() -> None:
    task: dict[str, Any] = {"name": "ranking", "prompt": "{candidate} so"}
    own = functory.build(task=task, backbone="tiny-decoder", adaptation="zero-shot")
    assert scores(own(QUERY, ["a book"]))["a book"] == pytest.approx(likely("a book so", f" {QUERY}"), abs=1e-4)
    with pytest.raises(functory.errors.OptionError, match="no {candidate}"):
        functory.build(task={**task, "prompt": "so"}, backbone="tiny-decoder", adaptation="zero-shot")


def test_a_saved_function_asks_as_before(asked: Any, tmp_path: Path) -> None:
    asked.save(tmp_path / "asked")
    assert scores(functory.load(tmp_path / "asked")(QUERY, CANDIDATES)) == scores(asked(QUERY, CANDIDATES))
