"""The contract: what it is fitted to, and how."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from functory_sdk import Adaptation, BackboneSpec, Fit, NoOptions, TrainingSession


class Descriptions(Adaptation[NoOptions]):
    """Compares texts with what says what each label means, by the vectors of an encoder: no labelled example is needed.

    Where training data are given, only their texts are read, and move what stands for each label towards the texts that
    seem to belong to it.
    """

    puts: tuple[str, ...] = ("features",)
    source: Literal["examples", "descriptions"] = "descriptions"
    paper: ClassVar[str] = "Snell et al. 2017, Prototypical Networks for Few-shot Learning, section 2.5 (arXiv 1703.05175)"
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task text-classification --adaptation descriptions --set task.labels=sports,politics",
    )

    def cut(self, spec: BackboneSpec) -> int:
        return spec.points

    def crown(self, head: Any) -> Any:
        from functory_sdk.torch import ask_prototypes

        ask_prototypes(head)
        return head

    def fit(self, session: TrainingSession) -> Fit:
        from functory_descriptions.layers import compare

        return compare(session)
