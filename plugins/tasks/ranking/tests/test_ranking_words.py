"""Words beside vectors: how much of a query's words a text holds, alike in memory, on disk and in every form of a function."""

from __future__ import annotations

import math
import re
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import functory
from functory_sdk import lexicon
from functory_sdk.lexicon import Words, WordsWriter, bytes_of, file_of, terms

pytest.importorskip("torch")
pytestmark = pytest.mark.usefixtures("tiny_kit")

TEXTS = ["the rain in the night", "a good book", "", "😀 !?", "还款日是每月五号", "the book, THE book: a book", "Ｎight 还款"]
QUERIES = ["the night", "book", "什么时候还款", "", "!?", "book book", "a word that stands nowhere"]


def bm25(query: str, texts: list[str]) -> list[float]:
    """Return the shares by the formula, a term at a time."""
    counts = [Counter(terms(text)) for text in texts]
    mean = sum(count.total() for count in counts) / len(texts)
    asked = {*terms(query)}
    having = {term: sum(term in count for count in counts) for term in asked}
    rarity = {term: math.log(1 + (len(texts) - n + 0.5) / (n + 0.5)) for term, n in having.items()}
    return [
        sum(rarity[t] * count[t] / (count[t] + 1.2 * (0.25 + 0.75 * count.total() / mean)) for t in asked if t in count)
        / max(1e-9, sum(rarity.values()))
        for count in counts
    ]


def test_words_are_those_of_spaces_and_signs_and_in_chinese_characters_and_pairs() -> None:
    assert terms("Ｈello, WÖRLD's 3.5!") == ["hello", "wörld", "s", "3", "5"]
    assert terms("猫。还款日 ok") == ["猫", "还", "款", "日", "还款", "款日", "ok"]
    assert not terms(" 😀 。!?")


def test_shares_are_those_of_bm25_and_lie_from_nothing_to_one() -> None:
    found = Words.of(TEXTS).shares(QUERIES)
    np.testing.assert_allclose(found, [bm25(query, TEXTS) for query in QUERIES], atol=1e-6)
    assert 0 == found[3:5].max() <= found.max() < 1
    assert found[1].argmax() == 5
    assert found[2].argmax() == 4 or found[2].argmax() == 6
    np.testing.assert_array_equal(found[1], found[5], "a word counts once")


def test_of_a_rare_word_and_a_common_one_the_rare_one_counts_more() -> None:
    texts = ["the one", "the two", "the three", "six four"]
    [found] = Words.of(texts).shares(["the six"])
    assert found[3] > found[0] > 0
    assert not Words.of([]).shares(["the"]).size
    np.testing.assert_array_equal(Words.of(["", "!"]).shares(["the"]), np.zeros((1, 2)))


def test_on_disk_words_say_what_they_say_in_memory_in_whatever_blocks(tmp_path: Path) -> None:
    texts = [*TEXTS, *(f"{n} {n % 7} the {'night ' * (n % 3)}" for n in range(300))]
    with WordsWriter(tmp_path) as made:
        for first in range(0, len(texts), 50):
            made.add(texts[first : first + 50])
    sizes = bytes_of(len(texts), made.words, made.entries)
    assert {file_of(name): size for name, size in sizes.items()} == {one.name: one.stat().st_size for one in tmp_path.iterdir()}
    whole = Words.read(tmp_path).shares(QUERIES)
    np.testing.assert_array_equal(whole, Words.of(texts).shares(QUERIES))
    parts = [Words.read(tmp_path).shares(QUERIES, first, min(first + 64, len(texts))) for first in range(0, len(texts), 64)]
    np.testing.assert_array_equal(whole, np.concatenate(parts, axis=1))


def test_texts_without_a_word_make_a_folder_too(tmp_path: Path) -> None:
    with WordsWriter(tmp_path) as made:
        made.add(["!", ""])
    np.testing.assert_array_equal(Words.read(tmp_path).shares(["the"]), np.zeros((1, 2)))


def test_of_a_text_of_endless_words_the_commonest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexicon, "MOST", 2)
    found = Words.of(["one two two three three", "four"]).shares(["one", "two", "three", "four"])
    assert [row.any() for row in found] == [False, True, True, True]


@pytest.fixture(scope="module")
def ranks() -> Any:
    """Return a ranking without training for a weight of the words."""
    built: dict[float, Any] = {}

    def rank(lexical: float) -> Any:
        if lexical not in built:
            built[lexical] = functory.build(
                task={"name": "ranking", "lexical": lexical}, backbone="tiny-encoder", adaptation="zero-shot", name="rank"
            )
        return built[lexical]

    return rank


CANDIDATES = ["good film", "rain in the night", "we saw the day", "good film"]


def test_without_training_a_score_is_the_cosine_and_as_much_of_the_words_as_asked_for(ranks: Any) -> None:
    [shares] = Words.of([*dict.fromkeys(CANDIDATES)]).shares(["the rain"])
    alone = {item.text: item.score for item in ranks(0)("the rain", CANDIDATES).items}
    for lexical in (0.5, 3):
        found = {item.text: item.score for item in ranks(lexical)("the rain", CANDIDATES).items}
        for text, share in zip(dict.fromkeys(CANDIDATES), shares.tolist(), strict=True):
            assert found[text] == pytest.approx(alone[text] + lexical * share, abs=1e-5)
    assert functory.build(task="ranking", backbone="tiny-encoder").task.options.lexical == 0.5, "it is on unless turned off"


def test_a_name_that_vectors_do_not_tell_is_found_by_its_letters(ranks: Any) -> None:
    texts = ["we saw Kowalczyk there", "we saw Nowakowska there", "我们见到了欧阳修", "我们见到了司马光"]
    for query, place in (("Nowakowska", 1), ("Kowalczyk", 0), ("司马光", 3), ("欧阳修", 2)):
        assert ranks(3)(query, texts).items[0].index == place


def test_an_explanation_weighs_the_words_and_gradients_say_that_they_do_not_see_them(ranks: Any) -> None:
    value = ("Nowakowska", ["we saw Nowakowska", "a day"])
    found = ranks(3).explain(value, target="candidates.0")
    best = [max((p for p in found.pieces if p.field == field), key=lambda p: p.weight) for field in ("query", "candidates.0")]
    assert [piece.text for piece in best] == ["Nowakowska", "Nowakowska"]
    for lexical in (3, 0):
        notes = ranks(lexical).explain(value, method="gradient-x-input", target="candidates.0").notes
        assert any("words or n-grams" in note for note in notes) is bool(lexical)


def test_the_words_that_count_stand_in_the_artefact(ranks: Any, tmp_path: Path) -> None:
    again = functory.load(ranks(3).save(tmp_path / "rank"))
    assert again.task.options.lexical == 3
    assert again("the rain", CANDIDATES) == ranks(3)("the rain", CANDIDATES)
    assert re.search(r"the words that both hold", (tmp_path / "rank" / "README.md").read_text("utf-8"))


def test_a_head_on_vectors_begins_as_cosine_and_words() -> None:
    from functory_ranking.head import ApartListwiseHead, WordedCosineHead

    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    vectors, added = torch.randn(5, 2, 3), torch.rand(5)
    head, plain = ApartListwiseHead(SimpleNamespace(width=3), None), WordedCosineHead(SimpleNamespace(width=3), None)
    for batch in ({"words": added}, {}):
        features = head.reading.completed(head.reading.of.join(vectors), batch)
        torch.testing.assert_close(head(features, batch)["score"] / 20, plain(vectors, batch)["score"])


def test_n_grams_go_beside_what_stands_beside_vectors(tmp_path: Path) -> None:
    texts = ["good film", "rain in the night", "we saw the day"]
    data = [{"query": text, "candidates": texts, "picked": place} for _ in range(4) for place, text in enumerate(texts)]
    rank = functory.build(
        task="ranking", train=data, dev=data[:6], backbone="tiny-encoder", name="rank", report=False,
        adaptation={"name": "lexical", "penalty": 0.01, "folds": 2},
    )  # fmt: skip
    assert {port.name for port in rank.form.program.inputs} >= {"words", "ngrams"}
    assert rank("rain in the night", texts).items[0].index == 1
    assert functory.load(rank.save(tmp_path / "rank"))("we saw the day", texts).items[0].index == 2
