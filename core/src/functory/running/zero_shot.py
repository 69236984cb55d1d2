"""The adaptation that adapts nothing: a zero-shot function has no φ at all."""

from __future__ import annotations

from typing import ClassVar, Literal

from functory.contracts.adaptation import Adaptation
from functory.contracts.backbone import BackboneSpec
from functory.contracts.component import NoOptions
from functory.contracts.engine import Fit, TrainingSession


class ZeroShot(Adaptation[NoOptions]):
    """No φ: the backbone does the task as it is, and needs no training data."""

    puts: tuple[str, ...] = ("prompt", "plain")
    learns: Literal["phi", "state", "nothing"] = "nothing"
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task text-classification --backbone smollm2 --set task.labels=sports,politics",
    )

    def cut(self, spec: BackboneSpec) -> int:
        return spec.points

    def fit(self, session: TrainingSession) -> Fit:
        return Fit(notes=["nothing to fit"])
