"""How sure a function that labels was, in every mode: of what it answers, and of the label that is right."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest

from functory_sdk import Input, LabelOptions, LabelOrList, Labels, LabelTask
from functory_sdk.labels.classify import answer
from functory_sdk.labels.types import Scope


class Remark(Input):
    text: str


class JudgedRemark(Remark):
    label: LabelOrList


class Verdict(LabelTask[LabelOptions]):
    """Says what a remark makes of its subject."""

    Input: ClassVar = Remark
    Example: ClassVar = JudgedRemark


THREE = ("a", "b", "c")


def found(shares: list[list[float]], right: list[Any], state: Labels, numbers: Any = None) -> Any:
    outputs = [answer(np.asarray(one), state, (), None if numbers is None else numbers[n]) for n, one in enumerate(shares)]
    return Verdict().certainty(outputs, [JudgedRemark(text="", label=label) for label in right], state)


@pytest.mark.parametrize("mode", ["single", "path"])
def test_of_several_labels_the_likeliest_counts(mode: Any) -> None:
    told = found([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4]], ["a", "b"], Labels(labels=THREE, mode=mode, separator="/"))
    assert (told.sure.tolist(), told.is_right.tolist()) == ([0.7, 0.4], [True, False])
    assert told.of_right.tolist() == [0.7, 0.3]
    assert told.is_open.all()


def test_of_labels_in_order_the_median_counts() -> None:
    told = found([[0.4, 0.25, 0.35]], ["b"], Labels(labels=THREE, mode="ordinal", numbers=(1, 2, 3)))
    assert (told.sure.tolist(), told.is_right.tolist()) == ([0.25], [True])


def test_of_one_label_or_not_the_answer_at_its_threshold_counts() -> None:
    told = found([[0.6, 0.4], [0.8, 0.2]], ["b", "b"], Labels(labels=("a", "b"), mode="binary", thresholds=(0.3,)))
    assert (told.sure.tolist(), told.is_right.tolist()) == ([0.4, 0.8], [True, False])


def test_of_any_number_of_labels_all_together_count_and_each_by_itself() -> None:
    state = Labels(labels=THREE, mode="multi", thresholds=(0.5, 0.5, 0.1))
    told = found([[0.9, 0.2, 0.3], [0.9, 0.2, 0.3]], [["a", "c"], ["a"]], state)
    assert told.sure.tolist() == [pytest.approx(0.9 * 0.8 * 0.3)] * 2
    assert told.is_right.tolist() == [True, False]
    assert told.is_so.tolist() == [True, False, True, True, False, False]
    assert told.of_right is None  # there is no one right label that a set could hold


@pytest.mark.parametrize("limit", [0.5, None])
def test_what_is_out_of_scope_is_not_answered_and_no_set_holds_it(limit: float | None) -> None:
    state = Labels(labels=("a", "b", "oos"), scope=Scope(label="oos", limit=limit))
    told = found([[0.6, 0.3, 0.1], [0.2, 0.3, 0.5], [0.6, 0.3, 0.1]], ["a", "oos", "oos"], state)
    assert told.is_open.tolist() == [True, False, True]
    assert told.is_right.tolist() == [True, False, False]
    assert told.of_right.tolist() == [0.6, 0.0, 0.0]
