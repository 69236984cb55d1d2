"""Rows that begin alike are computed together, and have the outputs that each has alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from functory_sdk import (
    Array,
    Input,
    LabelOptions,
    Labels,
    LabelTask,
    Program,
    Reader,
    Row,
    SessionOptions,
    load,
    open_backbone,
)
from functory_sdk.testing import TinyDecoder, TinyEncoder, kit
from functory_torch.sharing import BRANCHED, shared

LABELS = tuple(sorted({"good", "bad", "a film", "a film of the day", "rain", "ra", "night and day", "fine"}))
TEXTS = ("we saw the good film in the rain", "the day was very fine and it is night", "a")


class Note(Input):
    """A text."""

    text: str


class Sorted(LabelTask[LabelOptions]):
    """Sorts texts."""

    Input: ClassVar = Note


@pytest.fixture(autouse=True)
def tiny() -> Iterator[None]:
    with kit():
        yield


def opened(
    backbone: str, texts: Sequence[str] = TEXTS, *, sliding: int | None = None, precision: Any = "auto"
) -> tuple[Any, list[Row]]:
    """Return a session that says how likely labels are after texts, and its rows."""
    engine, found = load("engines", "torch").configure(), open_backbone(backbone)
    state, formulation = Labels(labels=LABELS), Sorted().formulations(found.spec)["prompt"]
    adapted = engine.adapt(found, formulation, state, load("adaptations", "zero-shot").configure())
    if sliding is not None:
        adapted.network._window, adapted.network._kinds = sliding, ("sliding_attention",) * found.spec.layers
    rows = formulation.encode([Note(text=text) for text in texts], Reader(found.tokenizer, found.spec), state).rows
    program = Program("forward", adapted.inputs, adapted.outputs, model=adapted)
    return engine.open(program, SessionOptions(budget=512, precision=precision)), rows


@pytest.mark.parametrize("backbone", ["tiny-decoder", "tiny-encoder-decoder"])
def test_rows_that_begin_alike_have_the_outputs_that_each_has_alone(backbone: str) -> None:
    session, rows = opened(backbone)
    assert shared(rows, session.model.network.spec) is not None
    alone = [session.run([row])[0]["log_probability"] for row in rows]
    together = [row["log_probability"] for row in session.run(rows)]
    assert np.abs(np.asarray(together) - alone).max() < 1e-5
    assert np.ptp(alone) > 1e-2  # the rows differ, so that a row that was given another's would be seen


@pytest.mark.parametrize("backbone", ["tiny-decoder", "tiny-encoder-decoder"])
def test_rows_that_begin_alike_are_put_together_in_a_narrow_session_too(backbone: str) -> None:
    session, rows = opened(backbone, precision="bf16")
    wide, _ = opened(backbone)
    found, own = ([row["log_probability"] for row in one.run(rows)] for one in (session, wide))
    alone = [session.run([row])[0]["log_probability"] for row in rows]
    assert np.abs(np.asarray(found) - own).max() < 0.05
    assert np.abs(np.asarray(found) - alone).max() < 0.05
    assert found != own


@pytest.mark.parametrize("window", [3, 9])
def test_layers_that_see_a_window_see_it_across_the_border_of_a_branch(window: int) -> None:
    session, rows = opened("tiny-decoder", sliding=window)
    alone = [session.run([row])[0]["log_probability"] for row in rows]
    assert np.abs(np.asarray([row["log_probability"] for row in session.run(rows)]) - alone).max() < 1e-5


def test_each_beginning_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    session, rows = opened("tiny-decoder", TEXTS[:2])
    network, sizes = session.model.network, []
    whole = type(network).prepare

    def counted(self: Any, batch: Any) -> Any:
        sizes.append(int(batch["attention_mask"].sum()))
        return whole(self, batch)

    def again(self: Any, batch: Any, kept: Any) -> Any:
        sizes.append(int(batch["attention_mask"][:, -batch["input_ids"].shape[1] :].sum()))
        return after(self, batch, kept)

    after = type(network).resume
    monkeypatch.setattr(type(network), "prepare", counted)
    monkeypatch.setattr(type(network), "resume", again)
    asked: list[int] = []
    scores = type(network).logits
    monkeypatch.setattr(type(network), "logits", lambda self, hidden: (asked.append(len(hidden)), scores(self, hidden))[1])
    shares: list[float] = []
    session.run(rows, shares.append)
    beginnings = {tuple(row["input_ids"][row["scored"] == 0].tolist()) for row in rows}
    assert len(beginnings) == 2  # of two texts
    scored = sum(asked)
    labels = {tuple(row["input_ids"][row["scored"] == 1].tolist()) for row in rows}
    steps = {label[:end] for label in labels for end in range(1, len(label))}  # the last token's state is read by none
    assert sum(sizes) == sum(map(len, beginnings)) + 2 * len(steps)
    assert scored == 2 * (1 + len(steps))  # so are the scores over the vocabulary
    assert sum(shares) == pytest.approx(1)


@pytest.mark.parametrize("backbone", [TinyEncoder, TinyDecoder])
def test_rows_that_share_nothing_are_run_as_they_are(backbone: Any) -> None:
    reader = Reader(backbone().tokenizer, backbone().spec)
    assert shared(reader.encode(TEXTS).rows, reader.spec) is None


def test_what_is_read_of_whole_rows_is_the_same_too() -> None:
    """Not only likelihoods: whatever a head reads of states, it reads of its own row's."""
    from functory_sdk.testing.toy import ToyAdaptation, ToyState, ToyTask

    engine, found = load("engines", "torch").configure(), open_backbone("tiny-decoder")
    model = engine.adapt(found, ToyTask(), ToyState(labels=("no", "yes")), ToyAdaptation(), seed=3)
    reader = Reader(found.tokenizer, found.spec)
    rows = reader.encode([f"{TEXTS[0]} {TEXTS[1]} {end}" for end in ("and", "not", "of all the days", "")]).rows
    assert shared(rows, found.spec) is not None
    session = engine.open(Program("forward", model.inputs, model.outputs, model=model), SessionOptions(budget=64))
    alone = np.stack([session.run([row])[0]["scores"] for row in rows])
    assert np.abs(np.stack([row["scores"] for row in session.run(rows)]) - alone).max() < 1e-5


def test_many_branches_are_parted_and_none_is_lost() -> None:
    spec = TinyDecoder().spec
    rows = [row_of([*range(9), 10 + number % 50, 10 + number // 50]) for number in range(1000)]
    found = shared(rows, spec)
    assert found is not None
    assert len(found.rows) > 1
    assert len(found.beginning) == 9
    assert found.tokens == 9 + sum(one.tokens for one in found.rows)
    assert all(one.tokens <= BRANCHED + 11 for one in found.rows)
    assert sorted(member for one in found.rows for member in one.members) == list(range(1000))


@given(
    st.lists(st.lists(st.integers(0, 2), min_size=2, max_size=9), min_size=2, max_size=12),
    st.integers(0, 12), st.booleans(), st.integers(1, 60),
)  # fmt: skip
def test_rows_that_branch_hold_each_row_with_its_own_tokens_and_positions(
    ends: list[list[int]], common: int, reads_last: bool, budget: int
) -> None:
    rows = [row_of([*range(20, 20 + common), *end]) for end in ends]
    sharing = shared(rows, TinyDecoder().spec, reads_last=reads_last)
    laid_out = [one for batch in sharing.batches(budget, 64) for one in batch] if sharing else []
    assert sorted(member for one in laid_out for member in one.members) == (list(range(len(rows))) if sharing else [])
    for one in laid_out:
        first = len(sharing.beginning) if sharing else 0
        laid = np.concatenate([sharing.beginning if sharing else [], one.row["input_ids"]])
        for member, found in zip(one.members, one.places, strict=True):
            assert len(found) == len(rows[member]["input_ids"])
            places = found if reads_last else found[:-1]
            ids = rows[member]["input_ids"][: len(places)]
            assert laid[places].tolist() == ids.tolist()
            assert one.row["positions"][places[first:] - first].tolist() == list(range(first, len(ids)))
            until = [len(laid)] * first + one.row["ends"].tolist()
            for place in places:  # it sees its own row up to itself, and nothing else
                assert [seen for seen in range(place + 1) if until[seen] > place] == [p for p in places if p <= place]


def test_trees_of_unlike_lengths_are_laid_together_so_that_little_is_padded() -> None:
    texts = [[*range(9), *range(20 + size, 20 + 2 * size)] for size in (8, 9, 60, 11, 12, 14, 13, 10)]
    rows = [row_of([*text, 10 + end, 3]) for text in texts for end in range(3)]
    sharing = shared(rows, TinyDecoder().spec)
    assert sharing is not None
    [batch] = sharing.batches(1000, 256)
    lengths = [one.tokens for one in batch]
    assert len(sharing.rows) == len(texts)
    assert sum(lengths) == sharing.tokens - 9
    assert len(lengths) * max(lengths) < 1.2 * sum(lengths)  # each by itself, and padded, they are three times as many
    assert len(lengths) > 1  # and in one row each token would look for those of all texts


def test_rows_are_found_again_in_a_session_that_many_threads_ask() -> None:
    from concurrent.futures import ThreadPoolExecutor

    session, rows = opened("tiny-decoder")
    first: list[Array] = [row["log_probability"] for row in session.run(rows)]
    with ThreadPoolExecutor(3) as pool:
        for found in pool.map(session.run, [rows] * 6):
            assert np.abs(np.asarray([row["log_probability"] for row in found]) - first).max() < 1e-6
    assert not torch.is_inference_mode_enabled()


def row_of(ids: Sequence[int]) -> dict[str, Array]:
    """Return a decoder's row."""
    made = np.asarray(ids, dtype=np.int64)
    return {"input_ids": made, "attention_mask": np.ones_like(made)}
