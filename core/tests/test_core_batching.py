"""Which rows run together, and that nobody can tell from the outputs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functory.contracts import batching
from functory.contracts.batching import Planner, pad, plan, unpad
from functory.contracts.rows import Array, Port, Program, Row
from functory.contracts.spent import spending
from functory.errors import InputError

PORTS = (Port("ids", "int64", ("tokens",), fill=-1), Port("pair", "int64", (2,)))
PROGRAM = Program("forward", PORTS, (Port("states", "int64", ("tokens", 2)), Port("sum", "int64", ())))
LENGTHS = st.lists(st.integers(0, 40), max_size=60)


def rows_of(lengths: list[int]) -> list[Row]:
    """Return rows that tell their index in every token."""
    return [{"ids": np.full(length, index), "pair": np.array([index, -index])} for index, length in enumerate(lengths)]


def run_batch(batch: Mapping[str, Array]) -> Mapping[str, Array]:
    """Answer for each token its id twice, and for each row the sum of its tokens without padding."""
    ids = batch["ids"]
    return {"states": np.stack([ids, ids], axis=-1), "sum": np.where(ids < 0, 0, ids).sum(axis=1)}


@given(LENGTHS, st.integers(1, 200))
def test_a_plan_holds_every_row_once_and_keeps_to_its_budget(lengths: list[int], budget: int) -> None:
    batches = list(plan(lengths, budget))
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[index] for index in batch) <= budget


@given(LENGTHS, st.integers(1, 200))
def test_a_plan_goes_from_long_rows_to_short_ones(lengths: list[int], budget: int) -> None:
    order = [lengths[index] for batch in plan(lengths, budget) for index in batch]
    assert order == sorted(lengths, reverse=True)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=20))
def test_what_was_padded_comes_back_as_it_was(lengths: list[int]) -> None:
    rows = rows_of(lengths)
    batch = pad(rows, PORTS)
    assert batch["ids"].shape == (len(rows), max(lengths))
    assert (batch["ids"] == -1).sum() == sum(max(lengths) - length for length in lengths)
    same = Program("forward", PORTS, PORTS)
    for row, back in zip(rows, unpad(batch, rows, same), strict=True):
        assert all((row[name] == back[name]).all() and row[name].shape == back[name].shape for name in row)


@given(LENGTHS, st.sampled_from([7, 64, 512]))
def test_where_padding_costs_nothing_batches_hold_their_budget_in_bounded_places(lengths: list[int], budget: int) -> None:
    made: list[Array] = []

    def run(batch: Mapping[str, Array]) -> Mapping[str, Array]:
        made.append(batch["ids"] != -1)
        return run_batch(batch)

    planner = Planner(budget)
    planner.pads = False
    planner.run(rows_of(lengths), PROGRAM, run)
    assert all(len(real) == 1 or (real.sum() <= budget and real.size <= batching.ROOM * budget) for real in made)
    with_padding = plan([max(2, length) for length in lengths], budget)  # the second array makes a row two long
    assert len(made) <= len(list(with_padding)), "as few, or fewer"


@pytest.mark.parametrize(("pads", "padding"), [(True, 5), (False, 0)])
def test_padding_is_spent_where_time_is(pads: bool, padding: int) -> None:
    planner = Planner(64)
    planner.pads = pads
    with spending() as spent:
        planner.run(rows_of([7, 2]), PROGRAM, run_batch)
    assert (spent.read, spent.padding) == (9, padding)


@settings(deadline=None)
@given(LENGTHS, st.sampled_from([0, 1, 7, 64, 512]))
def test_outputs_come_in_the_order_of_the_rows_whatever_the_budget(lengths: list[int], budget: int) -> None:
    outputs = Planner(budget).run(rows_of(lengths), PROGRAM, run_batch)
    assert len(outputs) == len(lengths)
    for index, (length, output) in enumerate(zip(lengths, outputs, strict=True)):
        assert output["sum"] == index * length
        assert output["states"].shape == (length, 2)
        assert (output["states"] == index).all()


def test_a_row_without_an_input_is_named_with_what_it_has() -> None:
    with pytest.raises(InputError, match="a row has no 'pair'; it has ids"):
        pad([{"ids": np.zeros(3, np.int64)}], PORTS)


class Clock:
    """A clock that a batch moves by what its tokens cost at its budget."""

    def __init__(self, best: int) -> None:
        self.now, self.best, self.sizes = 0.0, best, []

    def perf_counter(self) -> float:
        return self.now

    def run_batch(self, batch: Mapping[str, Array]) -> Mapping[str, Array]:
        tokens = batch["ids"].size
        self.sizes.append(tokens)
        self.now += tokens * (1.0 if tokens == self.best else 3.0)
        return run_batch(batch)


@pytest.mark.parametrize("best", batching.CANDIDATES)
def test_the_fastest_budget_is_found_while_the_work_is_done(best: int, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(best)
    monkeypatch.setattr(batching, "time", clock)
    planner = Planner()
    rows = rows_of([16] * 4000)
    outputs = planner.run(rows, PROGRAM, clock.run_batch)
    assert [int(output["sum"]) for output in outputs] == [16 * index for index in range(4000)]
    assert sum(clock.sizes) == 16 * 4000  # no row is run twice
    assert planner.budget == best
    assert set(clock.sizes[-3:-1]) == {best}


@given(LENGTHS)
def test_each_batch_is_told_as_its_share_of_the_tokens(lengths: list[int]) -> None:
    shares: list[float] = []
    batches: list[int] = []

    def run(batch: Mapping[str, Array]) -> Mapping[str, Array]:
        assert len(shares) == len(batches), "told before the next one runs"
        batches.append(batch["ids"].shape[1])
        return run_batch(batch)

    Planner(budget=64).run(rows_of(lengths), PROGRAM, run, shares.append)
    assert len(shares) == max(1, len(batches))
    assert sum(shares) == pytest.approx(1)
    if len(set(lengths)) == 1:
        assert shares[:-1] == pytest.approx([shares[0]] * (len(shares) - 1))


def test_a_budget_that_is_given_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(256)
    monkeypatch.setattr(batching, "time", clock)
    Planner(1024).run(rows_of([16] * 1000), PROGRAM, clock.run_batch)
    assert set(clock.sizes[:-1]) == {1024}
