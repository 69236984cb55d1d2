"""A build says so where its function does not beat an answer that reads nothing."""

from __future__ import annotations

from pathlib import Path

import functory
from functory_sdk.testing import kit
from functory_sdk.testing.toy import rows


def test_a_build_that_learned_nothing_says_so_in_the_end_in_the_report_and_in_the_function(tmp_path: Path) -> None:
    parts = {"task": "toy", "backbone": "tiny-encoder", "adaptation": "toy-head"}
    told: list[str] = []
    turned = [{**row, "label": {"no": "yes", "yes": "no"}[row["label"]]} for row in rows(32, seed=1)]
    with kit():
        function = functory.build(**parts, train=rows(96), test=turned, tell=told.append)
        assert function.report is not None
        assert function.report.metrics["accuracy"].value < 0.5, "it learned the contrary"
        [note] = [note for note in told if "below the 0.500 of an answer that reads nothing" in note]
        assert note in function.report.notes
        assert note in function.about.notes
        assert note in (function.save(tmp_path / "toy") / "README.md").read_text(encoding="utf-8")
        told.clear()
        good = functory.build(**parts, train=rows(96), test=rows(32, seed=1), tell=told.append)
    assert good.report is not None
    assert good.report.metrics["accuracy"].beats_baseline()
    assert not [note for note in (*told, *good.report.notes) if "reads nothing" in note]


GRADED = '''
from typing import ClassVar

from functory_sdk import Input, Label, LabelOptions, LabelTask
from pydantic import Field


class Text(Input):
    text: str = Field(description="A text.")


class Graded(Text):
    label: Label = Field(description="Its grade, 0 to 2.")


class Grade(LabelTask[LabelOptions]):
    """Says which grade a text gives."""

    Input: ClassVar = Text
    Example: ClassVar = Graded
    lower_is_better: ClassVar = ("off",)

    def scorer(self, outputs, examples, state):
        scored = super().scorer(outputs, examples, state)
        off = [abs(int(one.label) - int(other.label)) for one, other in zip(outputs, examples)]
        return lambda which: {**scored(which), "off": sum(off[n] for n in which) / len(which)}
'''


def test_a_metric_that_is_an_error_is_better_below_its_baseline(tmp_path: Path) -> None:
    (tmp_path / "grades.py").write_text(GRADED, encoding="utf-8")
    graded = [{"text": row["text"], "label": {"no": 0, "yes": 2}[row["label"]]} for row in rows(96)]
    parts = {"task": f"{tmp_path}/grades.py:Grade", "backbone": "tiny-encoder", "adaptation": "toy-head"}
    with kit():
        good = functory.build(**parts, train=graded, test=graded[:40])
        turned = [{**row, "label": 2 - int(row["label"])} for row in graded]
        bad = functory.build(**parts, train=turned, report=False)
        found = functory.compare(bad, good, graded[:40])
    assert good.report is not None
    off = good.report.metrics["off"]
    assert (off.higher_is_better, off.beats_baseline()) == (False, True)
    assert not [note for note in good.report.notes if note.startswith("off")]
    assert found.metrics["off"].better() == found.metrics["accuracy"].better() == "second"
