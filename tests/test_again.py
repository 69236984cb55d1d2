"""Building again on parts of the training data: labels that look wrong, and the learning curve."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import functory
from functory.building.again import Again
from functory.data import Examples, Splits
from functory.errors import OptionError

pytest.importorskip("torch", reason="pip install functory-torch")

from functory_sdk.testing.toy import DECISIVE, ToyExample, ToyLabel, ToyTask, rows
from functory_sdk.testing.toybox import kit

PLANTED = (4, 23, 41, 66, 87)


@pytest.fixture(scope="module")
def told() -> list[str]:
    return []


@pytest.fixture(scope="module")
def built(told: list[str]) -> Iterator[Any]:
    """A toy function that was built again on parts."""
    with kit():
        yield functory.build(
            task="toy", backbone="tiny-encoder", adaptation="toy-head", train=rows(64), dev=rows(16, seed=3),
            test=rows(40, seed=4), seed=1, doubt=2, curve=1, tell=told.append,
        )  # fmt: skip


class Knowing:
    """Knows what it learned, wrong as it may be, and is mostly right of anything else."""

    def __init__(self, splits: Splits) -> None:
        self.learned = {example.text: example.label for example in splits.train}

    def map(self, inputs: list[Any]) -> Iterator[ToyLabel]:
        for one in inputs:
            label = self.learned.get(one.text, _right(one.text))
            other = "no" if label == "yes" else "yes"
            yield ToyLabel(label=label, scores={label: 0.9, other: 0.1})


def _right(text: str) -> Any:
    return next(DECISIVE[word] for word in text.split() if word in DECISIVE)


@pytest.mark.parametrize("folds", [2, 5, 96])
def test_each_label_is_doubted_by_a_function_that_did_not_learn_from_it(folds: int) -> None:
    table = rows(96)
    for n in PLANTED:
        table[n]["label"] = "yes" if table[n]["label"] == "no" else "no"
    items = tuple(ToyExample.model_validate(row) for row in table)
    train = Examples(items, tuple(f"rows[{n}]" for n in range(96)), "rows", ("text",))
    again: Any = Again(Knowing, None, ToyTask(), 0, lambda note: None)  # type: ignore[arg-type]
    found, parts = again.doubtful(train, train.take([]), folds)
    assert parts == min(folds, len(set(train.identities)))
    assert {one.place for one in found} == {f"rows[{n}]" for n in PLANTED}
    assert all(one.likelier == _right(one.text) != one.label for one in found)


def test_what_the_folds_tell_is_noted_and_stands_in_the_report(built: Any, told: list[str]) -> None:
    [note] = [note for note in built.about.notes if " wrong, on 2 folds" in note]
    assert note in told
    assert note in built.report.remarks
    doubted = [one for one in built.report.suspects if one.place.startswith("rows[")]
    assert bool(doubted) == (not note.startswith("no label"))


def test_the_curve_ends_where_all_was_learned_from(built: Any) -> None:
    curve = built.report.curve
    assert [one.examples for one in curve] == [32, 64]
    assert curve[-1].value == built.report.score
    assert "Would more data help?" in built.report._repr_html_()


def test_what_the_trunk_makes_of_a_row_is_computed_once_for_all_parts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    from functory_torch.store import FeatureStore

    monkeypatch.setenv("FUNCTORY_CACHE", str(tmp_path))
    whole, computed = FeatureStore._shard, []

    def counted(self: Any, some: Any, compute: Any, *how: Any) -> Any:
        return whole(self, some, lambda batch: (computed.append(len(batch["input_ids"])), compute(batch))[1], *how)

    monkeypatch.setattr(FeatureStore, "_shard", counted)
    table = list({row["text"]: row for row in rows(48)}.values())
    with kit():
        functory.build(
            task="toy", backbone="tiny-encoder", adaptation="head", train=table, dev_share=0, test_share=0, report=False, doubt=3
        )
    assert sum(computed) == len(table)


def test_a_saved_report_quotes_no_doubtful_row(built: Any, tmp_path: Any) -> None:
    built.save(tmp_path / "toy")
    again = functory.load(tmp_path / "toy")
    assert again.report.suspects == ()
    assert again.report.curve == built.report.curve


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"doubt": 1, "train": rows(8)}, "doubt = 1 is not allowed"),
        ({"curve": -1, "train": rows(8)}, "curve = -1 is not allowed"),
        ({"doubt": 5}, "doubt builds again on parts of train, and there is none"),
        ({"curve": 2, "train": rows(8), "test_share": 0}, "a learning curve is measured on test, and there is none"),
    ],
)
def test_parts_that_cannot_be_made_are_refused_before_anything_is_built(wanted: dict[str, Any], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        functory.build(task="toy", backbone="tiny-encoder", **wanted)
