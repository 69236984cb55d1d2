"""The contract of optimizations: function → smaller or faster function, with a measured report of what it cost."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from functory.contracts.component import Component, O

if TYPE_CHECKING:
    from functory.data import Examples
    from functory.function import Function


class FormReport(BaseModel):
    """What one form of a function measured, on held-out data and on this machine."""

    model_config = ConfigDict(frozen=True)

    form: str = Field(description="Engine and precision: 'openvino int8'.")
    metric: float = Field(description="The task's own metric on the held-out data.")
    latency_ms: float = Field(description="Median milliseconds of one call.")
    throughput: float = Field(description="Inputs per second through `map`.")
    size_mb: float = Field(description="Megabytes (10⁶ bytes) on disk that this form needs.")
    memory_mb: float = Field(description="Megabytes of memory that the process grew by when it was opened and run.")
    threads: int
    note: str = Field(default="", description="Why it was not taken, where it was not.")


class OptimizationReport(BaseModel):
    """What an optimization did: every form it tried, and the one it kept."""

    model_config = ConfigDict(frozen=True)

    optimization: str
    metric: str = Field(description="The metric's name.")
    before: FormReport
    tried: tuple[FormReport, ...]
    kept: str = Field(description="The form that was kept; the first one's name where nothing was gained.")
    reason: str = Field(description="Why, in one sentence.")
    cpu: str = Field(default="", description="The processor, with the flags that matter.")

    @property
    def changed(self) -> bool:
        """Whether another form than the original was kept."""
        return self.kept != self.before.form

    def __rich__(self) -> Any:  # Any: rich is imported where it is shown
        from functory.terminal import group, table, text

        header = ("form", self.metric, "ms a call", "inputs/s", "MB on disk", "MB of memory", "threads", "")
        rows = [_cells(form, form.form == self.kept) for form in (self.before, *self.tried)]
        title = f"{self.optimization} on {self.cpu}"
        return group(table(header, rows, title=title, right=(1, 2, 3, 4, 5, 6)), text(self.reason))

    def __repr__(self) -> str:
        return f"<{self.optimization}: {f'became {self.kept}' if self.changed else f'stayed {self.kept}'}>"

    def __str__(self) -> str:
        from functory.terminal import as_text

        return as_text(self.__rich__())

    def _repr_html_(self) -> str:
        """Show in a notebook what a terminal shows."""
        from functory.wording.harmless import harmless_html

        return f"<pre>{harmless_html(str(self))}</pre>"


def _cells(form: FormReport, is_kept: bool) -> tuple[str, ...]:
    """Return a form's cells in the report's table."""
    threads = str(form.threads) if form.threads else "all"
    numbers = (f"{form.metric:.3f}", f"{form.latency_ms:.1f}", f"{form.throughput:,.0f}", f"{form.size_mb:.1f}")
    return (form.form, *numbers, f"{form.memory_mb:.0f}", threads, "kept" if is_kept else form.note)


class Optimization(Component[O]):
    """Makes a function smaller or faster.

    `max_drop`, the loss in the task's metric that the user bears, is an option of the optimization.
    """

    kind: ClassVar[str] = "optimizations"

    @abstractmethod
    def optimize(
        self, function: Function, examples: Examples, calibration: Sequence[Any]
    ) -> tuple[Function, OptimizationReport]:
        """Return the function to use from now on, which may be the one given, and the report.

        Never returns a form that is slower than the one given, or that loses more than the limit.

        :param examples: held-out examples, on which metric and speed are measured; with their places and their hash.
        :param calibration: instances of the task's Input on which ranges are calibrated; never the held-out ones.
        :raises NotSupported: for a function that cannot be optimised so, such as one made of functions.
        """
