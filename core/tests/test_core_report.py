from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from rich.console import Console

from functory.contracts.certainty import Certainty
from functory.contracts.optimization import FormReport, OptimizationReport
from functory.errors import DataError, OptionError
from functory.measuring.baseline import doubts
from functory.measuring.comparison import Comparison, Difference
from functory.measuring.intervals import FEWEST, evaluate_with_intervals
from functory.measuring.mistakes import Mistake
from functory.measuring.reliability import calibration
from functory.measuring.report import Confusion, Metric, Report
from functory.measuring.selective import coverage
from functory.terminal import as_text, show, table
from functory.terminal.widths import width

Indices = NDArray[np.int64]


def accuracy_of(right: NDArray[np.bool_]) -> Any:
    return lambda indices: {"accuracy": float(right[indices].mean())}


def made(**changes: Any) -> Report:
    report = Report(
        function="sentiment",
        source="reviews.csv",
        sha256="ab" * 32,
        examples=1275,
        skipped=3,
        metrics={
            "accuracy": Metric(value=0.912, low=0.895, high=0.927, baseline=0.578),
            "loss": Metric(value=0.31, low=0.28, high=0.34, baseline=0.68, higher_is_better=False),
        },
        resamples=1000,
        per_class=(
            {"class": "新鲜", "f1": 0.92, "support": 737},
            {"class": "[bold]rotten[/]", "f1": 0.9, "support": 538},
        ),
        confusion=Confusion(labels=("新鲜", "[bold]rotten[/]"), matrix=((690, 47), (65, 473))),
        notes=("test has only 5 examples.",),
        seconds=2.5,
    )
    return report.model_copy(update=changes)


def test_a_report_tells_calibration_and_what_can_be_answered_and_goes_through_json() -> None:
    found = Certainty(np.asarray([0.9, 0.6]), np.asarray([True, False]), np.asarray([True, True]))
    report = made(calibration=calibration(found), coverage=coverage(found))
    assert "Expected calibration error 0.350." in str(report)
    assert "50% at 5%" in str(report)
    assert Report.model_validate_json(report.to_json()) == report


# Intervals


@pytest.mark.slow
def test_a_95_percent_interval_holds_the_true_value_about_95_times_in_100() -> None:
    generator = np.random.default_rng(0)
    held = 0
    for trial in range(300):
        right = generator.random(200) < 0.8
        found = evaluate_with_intervals(accuracy_of(right), 200, seed=trial, resamples=400)
        metric = found.metrics["accuracy"]
        assert metric.low is not None
        assert metric.high is not None
        held += metric.low <= 0.8 <= metric.high
    assert 0.91 <= held / 300 <= 0.98


def test_the_interval_of_a_mean_is_that_of_its_standard_error() -> None:
    right = np.random.default_rng(1).random(2000) < 0.7
    found = evaluate_with_intervals(accuracy_of(right), 2000, seed=0).metrics["accuracy"]
    half = 1.96 * np.sqrt(found.value * (1 - found.value) / 2000)
    assert found.low == pytest.approx(found.value - half, abs=0.003)
    assert found.high == pytest.approx(found.value + half, abs=0.003)


@settings(max_examples=30, deadline=None)
@given(right=st.lists(st.booleans(), min_size=1, max_size=40), seed=st.integers(0, 2**32))
def test_an_interval_is_ordered_within_bounds_and_the_same_for_the_same_seed(
    right: list[bool], seed: int
) -> None:
    scorer = accuracy_of(np.array(right))
    found = evaluate_with_intervals(scorer, len(right), seed=seed, resamples=50)
    metric = found.metrics["accuracy"]
    assert metric.low is not None
    assert metric.high is not None
    assert 0 <= metric.low <= metric.high <= 1
    assert found == evaluate_with_intervals(scorer, len(right), seed=seed, resamples=50)


def test_a_slow_scorer_gets_fewer_resamples_and_a_very_slow_one_no_interval() -> None:
    scorer = accuracy_of(np.arange(50) % 3 > 0)

    def timed(seconds_per_call: float) -> Any:
        ticks = iter(range(10_000))
        return evaluate_with_intervals(
            scorer, 50, seed=0, budget_seconds=5.0, clock=lambda: next(ticks) * seconds_per_call
        )

    assert timed(0.001).resamples == 1000
    fewer = timed(0.05)
    assert FEWEST <= fewer.resamples == 99
    assert fewer.metrics == evaluate_with_intervals(scorer, 50, seed=0, resamples=99).metrics
    none = timed(1.0)
    assert none.resamples == 0
    assert none.metrics["accuracy"].low is None
    assert none.metrics["accuracy"].value == pytest.approx(33 / 50)


def test_the_baseline_stands_beside_the_metric_and_says_who_wins() -> None:
    def both(value: float) -> Any:
        return lambda indices: {"accuracy": value, "loss": 1 - value}

    found = evaluate_with_intervals(
        both(0.9), 10, seed=0, baseline=both(0.6), lower_is_better={"loss"}
    ).metrics
    assert found["accuracy"].baseline == 0.6
    assert found["accuracy"].beats_baseline()
    assert not found["loss"].higher_is_better
    assert found["loss"].beats_baseline()
    assert evaluate_with_intervals(both(0.9), 10, seed=0).metrics["loss"].beats_baseline() is None


def test_resamples_in_which_a_metric_is_undefined_do_not_count() -> None:
    gold = np.array([1, 0, 0, 0, 0, 0])

    def recall(indices: Indices) -> Mapping[str, float]:
        return {"recall": 1.0 if gold[indices].any() else float("nan")}

    found = evaluate_with_intervals(recall, 6, seed=0).metrics["recall"]
    assert (found.low, found.high) == (1.0, 1.0)


def test_nothing_to_evaluate_on_and_a_wrong_confidence_are_refused() -> None:
    scorer = accuracy_of(np.ones(3, bool))
    with pytest.raises(DataError, match="nothing to evaluate on"):
        evaluate_with_intervals(scorer, 0, seed=0)
    with pytest.raises(OptionError, match="confidence = 95 is not allowed"):
        evaluate_with_intervals(scorer, 3, seed=0, confidence=95)


# Report


@given(value=st.floats(allow_nan=False), low=st.none() | st.floats(allow_nan=False))
def test_a_report_goes_through_json_unchanged(value: float, low: float | None) -> None:
    report = made(metrics={"accuracy": Metric(value=value, low=low)})
    assert Report.model_validate_json(report.to_json()) == report
    json.loads(report.to_json(), parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON"))


def test_an_undefined_metric_goes_through_json_too() -> None:
    report = made(metrics={"recall": Metric(value=float("nan"))})
    assert np.isnan(Report.model_validate_json(report.to_json()).metrics["recall"].value)


def test_the_text_of_a_report_says_everything_and_lines_up() -> None:
    told = str(made())
    assert "sentiment on reviews.csv: 1,275 examples (3 bad rows skipped), 510 per second" in told
    assert "0.895 – 0.927" in told
    assert "95% intervals: percentile bootstrap, 1,000 resamples." in told
    assert "note: test has only 5 examples." in told
    assert "[bold]rotten[/]" in told
    assert "\x1b" not in told
    assert all(line == line.rstrip() for line in told.split("\n"))
    assert "No intervals" in str(made(resamples=0))


def test_many_classes_are_told_by_what_is_most_confused() -> None:
    labels = tuple(f"intent {n}" for n in range(20))
    matrix = tuple(
        tuple(50 if i == j else 9 if (i, j) == (3, 4) else 0 for j in range(20)) for i in range(20)
    )
    told = str(made(confusion=Confusion(labels=labels, matrix=matrix), per_class=()))
    assert [line.split() for line in told.split("\n") if "intent" in line] == [
        ["intent", "3", "intent", "4", "9"]
    ]


def thousand(errors: bool = True) -> Report:
    """Return a report of a thousand classes with ten examples each, each the more confused with the next the later it comes."""
    labels = tuple(f"intent {n}" for n in range(1000))
    wrong = [n // 100 if errors else 0 for n in range(1000)]
    counts = [(n, n, 10 - wrong[n]) for n in range(1000)] + [(n, (n + 1) % 1000, wrong[n]) for n in range(1000) if wrong[n]]
    rows = tuple({"label": label, "f1": 1 - wrong[n] / 10, "support": 10} for n, label in enumerate(labels))
    return made(confusion=Confusion(labels=labels, counts=tuple(counts)), per_class=rows)


def test_the_page_of_a_thousand_classes_shows_the_most_confused_and_a_file_beside_it_all(tmp_path: Any) -> None:
    report = thousand()
    path = report.save_html(tmp_path / "report.html")
    page = path.read_text("utf-8")
    assert len(page) < 300_000
    assert "The 30 most confused of 1,000 classes; all pairs are in report.confusion.csv." in page
    assert 'title="intent 910 given as intent 911: 9 (90.0%)"' in page
    assert 'title="intent 910 given as intent 912: 0 (0.0%)"></td>' in page  # a pair that did not occur has an empty cell
    assert "intent 5 given as" not in page
    assert "the 300 classes with the most errors of 1,000" in page
    with (tmp_path / "report.confusion.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["true", "given", "times"]
    assert sum(int(row[2]) for row in rows) == 10_000
    assert rows[0] == ["intent 900", "intent 901", "9"]
    assert len(rows) == 1_900
    assert len(report.to_json()) < 600_000
    assert Report.model_validate_json(report.to_json()) == report


def test_few_classes_need_no_file_beside_the_page_and_right_ones_no_matrix(tmp_path: Any) -> None:
    made().save_html(tmp_path / "few.html")
    assert [file.name for file in tmp_path.iterdir()] == ["few.html"]
    page = thousand(errors=False)._repr_html_()
    assert "None of 1,000 classes was taken for another." in page
    assert "given as" not in page


def test_the_terminal_shows_a_thousand_classes_by_their_errors() -> None:
    told = str(thousand())
    assert len(told.split("\n")) < 80
    assert "the 40 classes with the most errors of 1,000" in told
    assert "intent 939" in told
    assert "intent 5 " not in told


def test_of_many_classes_those_that_do_not_occur_take_no_row() -> None:
    rows = tuple({"label": f"intent {n}", "f1": 0.0, "support": 3 * (n < 2)} for n in range(77))
    told = str(made(per_class=rows))
    assert "the 2 classes of 77 that occur in these examples" in told
    assert "intent 1 " in told
    assert "intent 2 " not in told


def test_a_matrix_and_its_counts_are_one_confusion() -> None:
    matrix = [[3, 1, 0], [0, 4, 2], [5, 0, 0]]
    found = Confusion.model_validate({"labels": ("a", "b", "c"), "matrix": matrix})
    assert found.matrix() == matrix
    assert found.matrix([0, 2]) == [[3, 0], [5, 0]]
    assert found.pairs() == [("c", "a", 5), ("b", "c", 2), ("a", "b", 1)]
    assert found.most_confused(2) == [0, 2]
    assert Confusion.model_validate_json(found.model_dump_json()) == found


def test_the_surest_mistakes_are_shown_few_in_a_terminal_and_all_on_a_page() -> None:
    wrong = tuple(
        Mistake(place=f"reviews.csv, line {n}", text=f"text {n} <b>", given="bad", wanted="good", confidence=1 - n / 100)
        for n in range(1, 21)
    )
    report = made(wrong=112, mistakes=wrong)
    told = str(report)
    assert "112 of 1,275 answers are wrong; the 5 surest of them:" in told
    assert [line.split()[:3] for line in told.split("\n") if "text" in line and "line" in line] == [
        ["line", str(n), f"{1 - n / 100:.2f}"] for n in range(1, 6)
    ]
    page = report._repr_html_()
    assert len(re.findall(r"text \d+ &lt;b", page)) == 20
    assert "text 1 &lt;b&gt;" in page
    assert "wrong" not in str(report.keeping(0))
    assert Report.model_validate_json(report.to_json()) == report


def test_what_was_measured_is_one_line_where_python_shows_it_and_whole_in_a_notebook() -> None:
    report = made(metric="accuracy")
    line = "accuracy 0.912 (0.895–0.927), baseline 0.578"
    assert repr(report) == f"<report of sentiment on reviews.csv: {line}; 1,275 examples>"
    assert repr(made(metrics={}, source="")) == "<report of sentiment; 1,275 examples>"
    difference = Difference(first=0.5, second=0.75, value=0.25, low=0.1, high=0.4)
    compared = Comparison(first="a", second="<b>", task="toy", examples=8, metrics={"accuracy": difference}, differing=2)
    assert repr(compared) == "<comparison of a and <b>: <b> is better in accuracy, by 0.250 (0.100 to 0.400)>"
    assert "&lt;b&gt; is better" in compared._repr_html_()
    form = FormReport(form="torch fp32", metric=0.9, latency_ms=1, throughput=1, size_mb=1, memory_mb=1, threads=1)
    optimized = OptimizationReport(optimization="int8", metric="<m>", before=form, tried=(), kept=form.form, reason="no")
    assert repr(optimized) == "<int8: stayed torch fp32>"
    assert "&lt;m&gt;" in optimized._repr_html_()


def test_html_stands_alone_and_escapes_what_data_brings(tmp_path: Any) -> None:
    report = made(notes=("<script>alert(1)</script>",), source='"><img src=x>')
    page = report.save_html(tmp_path / "report.html").read_text("utf-8")
    assert "<script" not in page
    assert "<img" not in page
    assert "http" not in page
    assert 'title="新鲜 given as [bold]rotten[/]: 47 (6.4%)"' in page
    assert report._repr_html_() in page


def test_the_score_is_that_of_the_chosen_metric() -> None:
    assert made().score == 0.912
    assert made(metric="loss").score == 0.31
    with pytest.raises(DataError, match="no metric 'f1'"):
        _ = made(metric="f1").score


@pytest.mark.parametrize(
    ("metric", "says"),
    [
        (Metric(value=0.819, low=0.79, high=0.84, baseline=0.884), "is 0.819, below the 0.884"),
        (Metric(value=0.89, low=0.871, high=0.908, baseline=0.884), r"0.890 \(0.871–0.908\), not clearly above the 0.884"),
        (Metric(value=0.95, low=0.93, high=0.97, baseline=0.884), ""),
        (Metric(value=0.819, baseline=0.884), "below"),
        (Metric(value=0.95, baseline=0.884), ""),
        (Metric(value=0.1), ""),
        (Metric(value=0.9, low=0.8, high=1.0, baseline=0.7, higher_is_better=False), "above the 0.700"),
        (Metric(value=0.6, low=0.5, high=0.8, baseline=0.7, higher_is_better=False), "not clearly below the 0.700"),
        (Metric(value=0.6, low=0.5, high=0.65, baseline=0.7, higher_is_better=False), ""),
    ],
)
def test_a_function_that_does_not_beat_its_baseline_is_told_by_the_interval(metric: Metric, says: str) -> None:
    notes = doubts({"measure": metric}, "")
    assert (len(notes) == 1 and re.search(says, notes[0])) if says else not notes


@pytest.mark.parametrize(
    ("metric", "says"),
    [
        (Metric(value=0.7, low=0.65, high=0.75, baseline=0.5, floor=0.72), "0.700, below the 0.720 of n-grams that learned"),
        (Metric(value=0.7, low=0.65, high=0.75, baseline=0.5, floor=0.66), r"\(0.650–0.750\), not clearly above the 0.660 of"),
        (Metric(value=0.7, low=0.65, high=0.75, baseline=0.5, floor=0.6), ""),
        (Metric(value=0.7, floor=0.8), "below the 0.800"),
        (Metric(value=0.4, low=0.3, high=0.5, baseline=0.45, floor=0.48), "below the 0.450 of an answer that reads nothing"),
    ],
)
def test_a_function_that_does_not_clearly_beat_its_floor_says_so_once(metric: Metric, says: str) -> None:
    notes = doubts({"measure": metric}, "", "n-grams")
    assert (len(notes) == 1 and re.search(says, notes[0])) if says else not notes
    assert (str(metric.floor) in str(metric)) == (metric.floor is not None)


def test_of_other_metrics_only_what_is_below_the_baseline_is_told() -> None:
    unclear = Metric(value=0.89, low=0.871, high=0.908, baseline=0.884)
    worse = Metric(value=0.4, low=0.3, high=0.5, baseline=0.45)
    clear = Metric(value=0.9, low=0.8, high=1.0, baseline=0.1)
    [note] = doubts({"f1": clear, "accuracy": unclear, "recall": worse}, "f1")
    assert note.startswith("recall is 0.400, below")


# Terminal


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_data_neither_steers_the_terminal_nor_is_read_as_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for stream in (io.StringIO(), Terminal()):
        show(table(["text"], [["[red]a[/red] \x1b[2J\x07 :smile:"]]), stream)
        assert "[red]a[/red] \ufffd[2J\ufffd :smile:" in stream.getvalue()


def test_a_short_column_takes_one_line_of_what_room_there_is_and_all_of_it_in_a_file() -> None:
    drawn = table(["where", "text"], [["line 7", "价格 " * 30], ["line 8", "short"]], short=(1,))
    stream = io.StringIO()
    Console(file=stream, width=40).print(drawn)
    lines = [line.rstrip() for line in stream.getvalue().splitlines() if "line" in line]
    assert [line.split()[:2] for line in lines] == [["line", "7"], ["line", "8"]]
    assert lines[0].endswith("…")
    assert all(width(line) <= 40 for line in lines)
    assert "价格 " * 29 in as_text(drawn)


def test_a_report_printed_by_somebody_elses_console_is_not_read_as_markup() -> None:
    stream = io.StringIO()
    Console(file=stream, width=120).print(made())
    assert stream.getvalue().count("[bold]rotten[/]") == 3


def test_text_that_the_stream_cannot_encode_is_still_shown() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    show("φ – 新鲜", stream)
    stream.flush()
    assert raw.getvalue() == b"phi - ??\n"
