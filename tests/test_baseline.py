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
