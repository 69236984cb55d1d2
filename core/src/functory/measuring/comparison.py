"""What a comparison of two functions on the same examples found: differences with intervals, and the rows behind them.

A comparison is data: it goes through JSON unchanged. Apart from `report`, which is of one function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from functory.wording.harmless import harmless

if TYPE_CHECKING:
    from rich.console import RenderableType

Which = Literal["first", "second"]

ANSWER = 60
"""Characters of an answer in a line of a table."""

_FROZEN = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class Difference(BaseModel):
    """One metric of two functions on the same examples."""

    model_config = _FROZEN

    first: float
    second: float
    value: float = Field(description="The second's less the first's.")
    low: float | None = Field(None, description="The lower end of the difference's interval; None where none was made.")
    high: float | None = Field(None, description="The upper end.")
    higher_is_better: bool = True

    def better(self) -> Which | None:
        """Return which is better beyond chance: the whole interval is on its side; None where the examples do not tell."""
        if self.low is None or self.high is None or self.low <= 0 <= self.high:
            return None
        return "second" if (self.low > 0) == self.higher_is_better else "first"


class Disagreement(BaseModel):
    """An example that the two answer differently."""

    model_config = _FROZEN

    place: str = Field(description="Where the example comes from: 'reviews.csv, line 7'.")
    text: str = Field(description="The input, its beginning where it is long.")
    first: str = Field(description="The first's answer.")
    second: str = Field(description="The second's answer.")
    first_parts: tuple[str, ...] = Field((), description="Of an answer of several parts, those that the second's has not.")
    second_parts: tuple[str, ...] = Field((), description="Likewise, those that the first's has not.")
    wanted: str | None = Field(None, description="The right answer; None where the task cannot say.")
    right: Literal["first", "second", "neither"] | None = Field(None, description="Whose answer is right.")
    first_confidence: float | None = Field(None, description="How sure the first was, 0 to 1.")
    second_confidence: float | None = Field(None, description="How sure the second was.")


class Comparison(BaseModel):
    """The outcome of comparing two functions of one task."""

    model_config = _FROZEN

    first: str = Field(description="The name of the first function.")
    second: str = Field(description="The name of the second function.")
    task: str
    source: str = Field("", description="Where the examples came from.")
    sha256: str = Field("", description="The hash of the examples' content.")
    examples: int = Field(ge=0, description="How many were answered by both.")
    skipped: int = Field(0, ge=0, description="How many rows were bad and passed over.")
    metrics: dict[str, Difference]
    metric: str = Field("", description="The metric by which functions are chosen; the first, where empty.")
    confidence: float = 0.95
    resamples: int = Field(0, ge=0, description="Resamples behind the intervals, the same for both functions.")
    differing: int = Field(ge=0, description="How many examples the two answer differently.")
    first_alone: int | None = Field(None, description="Of these, how many the first alone answers rightly.")
    second_alone: int | None = Field(None, description="How many the second alone answers rightly.")
    rows: tuple[Disagreement, ...] = Field((), description="Some of these, those first where both are surest.")
    seconds: tuple[float, float] = Field((0.0, 0.0), description="How long each took for all examples.")
    notes: tuple[str, ...] = ()

    def verdict(self) -> str:
        """Return in one sentence which is better, or that these examples do not tell."""
        name = self.metric or next(iter(self.metrics), "")
        if name not in self.metrics:
            return f"they differ in {self.differing:,} of {self.examples:,} answers."
        found = self.metrics[name]
        if not self.differing and not found.value:
            return f"they answer all {self.examples:,} examples alike."
        better = found.better()
        if better is None:
            return (
                f"these {self.examples:,} examples do not tell which is better in {name}: "
                f"{found.value:+.3f}{f' ({_span(found)})' if found.low is not None else ''}."
            )
        ends = sorted(abs(end) for end in (found.low, found.high) if end is not None)
        which = self.second if better == "second" else self.first
        return f"{which} is better in {name}, by {abs(found.value):.3f} ({ends[0]:.3f} to {ends[1]:.3f})."

    def to_json(self) -> str:
        """Return the comparison as JSON; `Comparison.model_validate_json` reads it back."""
        return self.model_dump_json(indent=2)

    def __repr__(self) -> str:
        return harmless(f"<comparison of {self.first} and {self.second}: {self.verdict().rstrip('.')}>")

    def __str__(self) -> str:
        from functory.terminal import as_text

        return as_text(self.__rich__())

    def _repr_html_(self) -> str:
        """Show in a notebook what a terminal shows."""
        from functory.wording.harmless import harmless_html

        return f"<pre>{harmless_html(str(self))}</pre>"

    def __rich__(self) -> RenderableType:
        return draw(self)


def draw(comparison: Comparison) -> RenderableType:
    """Return the comparison for a terminal."""
    from functory.terminal import group, table, text

    on = f" on {comparison.source}" if comparison.source else ""
    parts = [
        text(f"{comparison.first} and {comparison.second}{on}: {comparison.examples:,} examples", "bold"),
        table(*_metric_rows(comparison), right=(1, 2, 3)),
        text(_footnote(comparison), "dim"),
        text(f"Verdict: {comparison.verdict()}"),
        text(_counts(comparison)),
    ]
    if comparison.rows:
        parts.append(table(*_rows(comparison), short=(1, 4)))
    return group(*parts, *(text(f"note: {note}") for note in comparison.notes))


def _metric_rows(comparison: Comparison) -> tuple[list[str], list[list[str]]]:
    header = ["metric", comparison.first, comparison.second, "difference", f"{comparison.confidence:.0%} interval"]
    rows = [
        [
            name,
            f"{found.first:.3f}",
            f"{found.second:.3f}",
            f"{found.value:+.3f}",
            _span(found),
        ]
        for name, found in comparison.metrics.items()
    ]
    seconds = comparison.seconds
    if all(seconds):
        speeds = [comparison.examples / one for one in seconds]
        rows.append(["per second", *(f"{speed:,.0f}" for speed in speeds), f"× {speeds[1] / speeds[0]:.2f}", ""])
    return header, rows


def _span(found: Difference) -> str:
    """Return the ends of a difference's interval; empty where there is none."""
    return "" if found.low is None else f"{found.low:+.3f} to {found.high:+.3f}"


def _footnote(comparison: Comparison) -> str:
    made = "No intervals: the metrics take too long to resample."
    if comparison.resamples:
        made = (
            f"{comparison.confidence:.0%} intervals of the difference: paired bootstrap, {comparison.resamples:,} resamples, "
            "the same examples for both."
        )
    return made + (f" Data: sha256 {comparison.sha256[:12]}…" if comparison.sha256 else "")


def _counts(comparison: Comparison) -> str:
    """Return how often they differ, and who is right then."""
    said = f"They differ in {comparison.differing:,} of {comparison.examples:,} answers"
    if comparison.differing and comparison.first_alone is not None and comparison.second_alone is not None:
        neither = comparison.differing - comparison.first_alone - comparison.second_alone
        said += (
            f": {comparison.first} alone is right in {comparison.first_alone:,}, {comparison.second} alone in "
            f"{comparison.second_alone:,}, neither in {neither:,}"
        )
    shown = len(comparison.rows)
    return said + (f"; {shown:,} of them:" if 0 < shown < comparison.differing else ":" if shown else ".")


def _rows(comparison: Comparison) -> tuple[list[str], list[list[str]]]:
    from functory.measuring.mistakes import SHOWN, cut

    header = ["where", "right", comparison.first, comparison.second, "text"]
    return header, [
        [
            one.place.removeprefix(comparison.source).lstrip(", "),
            cut(one.wanted or "", SHOWN),
            _sure(_apart(one, one.first, one.first_parts), one.first_confidence, one.right == "first"),
            _sure(_apart(one, one.second, one.second_parts), one.second_confidence, one.right == "second"),
            cut(one.text, SHOWN),
        ]
        for one in comparison.rows
    ]


def _apart(row: Disagreement, answer: str, parts: tuple[str, ...]) -> str:
    """Return an answer; of one of several parts, those alone that the other's has not."""
    return f"alone: {', '.join(parts) or 'nothing'}" if row.first_parts or row.second_parts else answer


def _sure(answer: str, confidence: float | None, is_right: bool) -> str:
    from functory.measuring.mistakes import cut

    sure = "" if confidence is None else f" {confidence:.2f}"
    return f"{cut(answer, ANSWER)}{sure}{' ✓' if is_right else ''}"
