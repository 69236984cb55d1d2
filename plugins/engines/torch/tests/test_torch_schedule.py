"""What a step is: its rows, its rate, and how many there are."""

from __future__ import annotations

import pytest

from functory_sdk import TrainingOptions
from functory_torch.schedule import batches, evaluation_steps, rate
from functory_torch.schedule import length as length_of


def test_every_row_comes_once_in_an_epoch_whatever_its_place() -> None:
    epoch = batches(500, 16, seed=3, epoch=1)
    assert sorted(row for batch in epoch for row in batch) == list(range(500))
    assert {len(batch) for batch in epoch} == {16, 4}
    assert epoch == batches(500, 16, seed=3, epoch=1)
    assert epoch != batches(500, 16, seed=3, epoch=2)


def test_a_last_step_of_a_whole_batch_loss_is_no_smaller_than_the_others() -> None:
    sizes = [len(part) for part in batches(33, 16, 0, 0, is_even=True)]
    assert sizes == [11, 11, 11]
    assert [len(part) for part in batches(33, 16, 0, 0)] == [16, 16, 1]


def test_the_rate_rises_and_falls_in_straight_lines() -> None:
    rates = [rate(step, 10, 0.2) for step in range(1, 11)]
    assert rates[:2] == [0.5, 1.0]
    assert rates[2:] == pytest.approx([1 - index / 8 for index in range(8)])
    assert evaluation_steps(7, 7, TrainingOptions(epochs=1, evaluations=2)) == {4, 7}
    assert evaluation_steps(7, 14, TrainingOptions(epochs=2, evaluations=2)) == {4, 7, 11, 14}
    assert evaluation_steps(1, 1, TrainingOptions(epochs=1, evaluations=5)) == {1}


def test_few_rows_are_passed_over_as_often_as_the_least_steps_need_and_many_no_longer_than_the_most() -> None:
    options = TrainingOptions(epochs=3, evaluations=2, least_steps=20, most_steps=30)
    assert [length_of(per_epoch, options) for per_epoch in (1, 7, 50)] == [20, 21, 30]
    assert evaluation_steps(1, 20, options) == {4, 7, 10, 14, 17, 20}
    assert evaluation_steps(50, 30, options) == {5, 10, 15, 20, 25, 30}
