"""What an evaluation found: metrics with intervals beside a baseline, classes, confusion, the data's hash.

A report is data: it goes through JSON unchanged. How it looks is told by `tables` and `pages`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from functory.errors import DataError
from functory.measuring.confused import Confused
from functory.measuring.growth import Learned
from functory.measuring.mistakes import Mistake, check_count
from functory.measuring.promises import Promise
from functory.measuring.reliability import Calibration
from functory.measuring.selective import Coverage
from functory.measuring.slices import Slice
from functory.measuring.suspects import Suspect
from functory.measuring.trials import Trial
from functory.measuring.usual import Usual
from functory.wording.harmless import harmless

if TYPE_CHECKING:
    from rich.console import RenderableType

_FROZEN = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class Metric(BaseModel):
    """One metric of one evaluation."""

    model_config = _FROZEN

    value: float
    low: float | None = Field(None, description="The lower end of the interval; None where none was made.")
    high: float | None = Field(None, description="The upper end.")
    baseline: float | None = Field(None, description="The same metric of an answer that reads nothing.")
    floor: float | None = Field(None, description="Of a simple method without a backbone that learned from the same examples.")
    higher_is_better: bool = True

    def __str__(self) -> str:
        interval = f" ({self.low:.3f}–{self.high:.3f})" if self.low is not None and self.high is not None else ""
        baseline = f", baseline {self.baseline:.3f}" if self.baseline is not None else ""
        floor = f", floor {self.floor:.3f}" if self.floor is not None else ""
        return f"{self.value:.3f}{interval}{baseline}{floor}"

    def beats_baseline(self) -> bool | None:
        """Return whether the whole interval is on the baseline's better side; None where there is none."""
        return self.beats(self.baseline)

    def beats(self, other: float | None) -> bool | None:
        """Return whether the whole interval is on a number's better side; None where there is none."""
        if other is None or self.low is None or self.high is None:
            return None
        return self.low > other if self.higher_is_better else self.high < other


class Confusion(BaseModel):
    """How often each class was taken for each; only what happened is kept, since a thousand classes have a million pairs."""

    model_config = _FROZEN

    labels: tuple[str, ...]
    counts: tuple[tuple[int, int, int], ...] = Field(
        description="The true class, the given one, by their numbers, and how often; each pair once."
    )

    @model_validator(mode="before")
    @classmethod
    def _from_matrix(cls, data: Any) -> Any:  # Any: whatever a task's breakdown gives
        """Read a whole matrix too: true classes down, given ones across."""
        if not isinstance(data, Mapping) or "matrix" not in data:
            return data
        cells = [(i, j, n) for i, row in enumerate(data["matrix"]) for j, n in enumerate(row) if n]
        return {"labels": data["labels"], "counts": cells}

    def matrix(self, classes: Sequence[int] | None = None) -> list[list[int]]:
        """Return the counts as a matrix, true classes down and given ones across.

        :param classes: the numbers of the classes to show; all when None.
        """
        chosen = range(len(self.labels)) if classes is None else classes
        place = {label: n for n, label in enumerate(chosen)}
        found = [[0] * len(place) for _ in place]
        for true, given, count in self.counts:
            if true in place and given in place:
                found[place[true]][place[given]] = count
        return found

    def pairs(self) -> list[tuple[str, str, int]]:
        """Return what was confused: the true label, the given one, how often; the most frequent first."""
        found = sorted((cell for cell in self.counts if cell[0] != cell[1]), key=lambda cell: (-cell[2], *cell[:2]))
        return [(self.labels[true], self.labels[given], count) for true, given, count in found]

    def most_confused(self, most: int) -> list[int]:
        """Return the numbers of the classes that were taken for another, or another for them, most often; in their order."""
        times: Counter[int] = Counter()
        for true, given, count in self.counts:
            if true != given:
                times.update({true: count, given: count})
        return sorted(label for label, _ in sorted(times.items(), key=lambda item: (-item[1], item[0]))[:most])


class Report(BaseModel):
    """The outcome of one evaluation."""

    model_config = _FROZEN

    function: str = Field(description="The function's name.")
    form: str = Field("", description="The form that was measured: 'torch fp32'.")
    source: str = Field("", description="Where the examples came from.")
    sha256: str = Field("", description="The hash of the examples' content.")
    examples: int = Field(ge=0, description="How many were evaluated.")
    skipped: int = Field(0, ge=0, description="How many rows were bad and passed over.")
    metrics: dict[str, Metric]
    metric: str = Field("", description="The metric by which functions are chosen; the first, where empty.")
    floor: str = Field("", description="The simple method that learned from the same examples, where there is one.")
    confidence: float = 0.95
    resamples: int = Field(0, ge=0, description="Bootstrap resamples behind the intervals.")
    per_class: tuple[dict[str, str | int | float], ...] = Field((), description="One row per class.")
    confusion: Confusion | None = None
    calibration: Calibration | None = Field(None, description="Whether probabilities are how often it is right.")
    coverage: Coverage | None = Field(None, description="What share can be answered at a given error.")
    promises: tuple[Promise, ...] = Field((), description="What the function promises, and whether these examples bear it out.")
    tried: tuple[Trial, ...] = Field((), description="The adaptations among which the build chose, on rows apart from these.")
    slices: tuple[Slice, ...] = Field((), description="The chosen metric on short and long inputs, and on each language.")
    curve: tuple[Learned, ...] = Field((), description="The chosen metric after learning from a part of the training data.")
    confused: tuple[Confused, ...] = Field((), description="The most frequent confusions, with examples.")
    wrong: int | None = Field(None, ge=0, description="How many answers were wrong; None where none is right or wrong.")
    mistakes: tuple[Mistake, ...] = Field((), description="Some of the wrong answers, the surest first.")
    suspects: tuple[Suspect, ...] = Field((), description="Examples whose labels look wrong, the likeliest first.")
    notes: tuple[str, ...] = Field((), description="What the reader should know.")
    usual: Usual | None = Field(None, description="What the inputs and the answers were like; a server compares with it.")
    built: dict[str, str] = Field({}, description="What the function was built from: backbone, adaptation, data.")
    remarks: tuple[str, ...] = Field((), description="What its build noted, of the data and of the fit.")
    seconds: float = Field(0.0, ge=0, description="How long the function took for all examples.")

    @property
    def score(self) -> float:
        """The value of the metric by which functions are chosen.

        :raises DataError: where the report has no metric.
        """
        name = self.metric or next(iter(self.metrics), "")
        if name not in self.metrics:
            raise DataError(
                f"the report has no metric {name!r}.", do=f"it has: {', '.join(self.metrics) or 'none'}."
            )
        return self.metrics[name].value

    @property
    def per_second(self) -> float:
        """Examples per second; 0 where no time was taken."""
        return self.examples / self.seconds if self.seconds else 0.0

    def keeping(self, mistakes: int) -> Report:
        """Return the report with so many of its mistakes at most; with none, no text of the data is in it.

        :raises OptionError: when the number is negative.
        """
        check_count(mistakes, "mistakes")
        kept: dict[str, Any] = {"mistakes": self.mistakes[:mistakes]}
        if not mistakes:
            kept["confused"] = tuple(one.model_copy(update={"examples": ()}) for one in self.confused)
            kept["suspects"] = ()
        return self.model_copy(update=kept)

    def to_json(self) -> str:
        """Return the report as JSON; `Report.model_validate_json` reads it back."""
        return self.model_dump_json(indent=2)

    def save_html(self, path: Path | str) -> Path:
        """Write the report as one HTML file that needs no other, whole or not at all, and return its path.

        Beside it stands a table of all confusions (``report.confusion.csv``) where the classes are too many for the page.
        """
        from functory.machine.folders import file_written_whole
        from functory.measuring.pages import is_bounded, page
        from functory.measuring.tables import confusion_csv

        path = Path(path)
        beside = path.with_suffix(".confusion.csv")
        if self.confusion and is_bounded(self.confusion):
            with file_written_whole(beside) as file:
                file.write_text(confusion_csv(self.confusion), encoding="utf-8")
        with file_written_whole(path) as file:
            file.write_text(page(self, beside.name), encoding="utf-8")
        return path

    def __repr__(self) -> str:
        name = self.metric or next(iter(self.metrics), "")
        figure = f": {name} {self.metrics[name]}" if name in self.metrics else ""
        place = f" on {self.source}" if self.source else ""
        return harmless(f"<report of {self.function}{place}{figure}; {self.examples:,} examples>")

    def __str__(self) -> str:
        from functory.terminal import as_text

        return as_text(self.__rich__())

    def __rich__(self) -> RenderableType:
        from functory.measuring.tables import draw

        return draw(self)

    def _repr_html_(self) -> str:
        from functory.measuring.pages import fragment

        return fragment(self)

    def headline(self) -> str:
        """Return what was evaluated, on what, and how fast."""
        on = f" on {self.source}" if self.source else ""
        skipped = f" ({self.skipped:,} bad rows skipped)" if self.skipped else ""
        speed = f", {self.per_second:,.0f} per second" if self.seconds else ""
        return f"{self.function}{on}: {self.examples:,} examples{skipped}{speed}"

    def footnote(self) -> str:
        """Return how the intervals were made and which data it was."""
        made = f"{self.confidence:.0%} intervals: percentile bootstrap, {self.resamples:,} resamples."
        if not self.resamples:
            made = "No intervals: the metrics take too long to resample."
        if any(metric.baseline is not None for metric in self.metrics.values()):
            made += " Baseline: an answer that reads nothing."
        if any(metric.floor is not None for metric in self.metrics.values()):
            made += f" Floor: {self.floor}, on the same training examples."
        return made + (f" Data: sha256 {self.sha256[:12]}…" if self.sha256 else "")
