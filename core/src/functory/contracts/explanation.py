"""The contract of explanations: (function, input) → why this output, with a measured faithfulness."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, computed_field

from functory.contracts.component import Component, O
from functory.contracts.formulation import Target

if TYPE_CHECKING:
    from functory.function import Function


class Piece(BaseModel):
    """A word of the input and what it did to the target."""

    model_config = ConfigDict(frozen=True)

    text: str
    start: int = Field(description="Its first character in its text.")
    end: int = Field(description="The character after its last.")
    weight: float = Field(
        description="Above 0: speaks for the target; below: against. Log-odds, where the target is a probability."
    )
    field: str = Field(default="text", description="The path of its text in the input: 'text', 'candidates.2'.")


class Faithfulness(BaseModel):
    """How well the weights say what the function really uses (DeYoung et al. 2020, ERASER).

    Averaged over the shares of words in `shares`. As the paper has it, in probabilities, where the target is one; and on the
    scale of the weights, which tells something near certainty too.
    """

    model_config = ConfigDict(frozen=True)

    comprehensiveness: float = Field(
        description="Drop of the target when the weightiest words are taken away; high is good."
    )
    sufficiency: float = Field(description="Drop of the target when only they are kept; low is good.")
    comprehensiveness_log_odds: float | None = Field(default=None, description="The same drop in log-odds.")
    sufficiency_log_odds: float | None = Field(default=None, description="The same drop in log-odds.")
    shares: tuple[float, ...] = (0.1, 0.2, 0.5)


class Attribution(BaseModel):
    """Why this output: the weight of each word for one target."""

    model_config = ConfigDict(frozen=True)

    method: str
    target: Target
    score: float = Field(description="The target's value for this input.")
    pieces: tuple[Piece, ...]
    faithfulness: Faithfulness
    notes: tuple[str, ...] = ()

    @computed_field  # type: ignore[prop-decorator]  # pydantic's own form
    @property
    def unit(self) -> Literal["log-odds", "value"]:
        """What weights are counted in: +0.69 in log-odds doubles the odds of the target."""
        return "value" if self.target.scale == "raw" else "log-odds"

    def __repr__(self) -> str:
        words = f"{len(self.pieces)} word{'' if len(self.pieces) == 1 else 's'}"
        return f"<{self.method} of {self.target.name!r} {self.score:.3f}: {words}>"

    def __str__(self) -> str:
        from functory.terminal import as_text

        return as_text(self)

    def __rich__(self) -> Any:  # Any: rich is imported where it is shown
        from functory.terminal.attributions import attribution_text

        return attribution_text(self)

    def _repr_html_(self) -> str:
        return self.html()

    def html(self) -> str:
        """Return a self-contained page: no script, no outside reference."""
        from functory.terminal.attributions import attribution_html

        return attribution_html(self)


class Explanation(Component[O]):
    """Explains one output of a function."""

    kind: ClassVar[str] = "explanations"
    needs_gradients: ClassVar[bool] = False
    """Whether it needs the torch form; black-box methods work on every engine."""

    @abstractmethod
    def explain(self, function: Function, value: Any, target: Target) -> Attribution:
        """Return the weight of each word of `value` for `target`: in log-odds, where the target is a probability.

        :param value: an instance of the task's Input.
        :param target: one of ``task.targets(output)``.
        :raises NotSupported: when the function's form or program is not for this method.
        """
