"""How much more data would help: the metric after learning from a part of the training data, and from all."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Learned(BaseModel):
    """What was reached with so many training examples: a point of the learning curve."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    examples: int = Field(ge=1, description="Training examples.")
    value: float = Field(description="The chosen metric on the same test examples.")
    low: float | None = Field(None, description="The lower end of its interval; None where none was made.")
    high: float | None = Field(None, description="The upper end.")
