"""The contract of an imported adapter: options, the cut, where φ comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from functory_sdk import Backbone, BackboneSpec, Brought, LowRank, OptionError, Options, Readout, Task

KEPT = "Read from the adapter, and kept in the function."


class AdapterOptions(Options):
    """Options of peft; those that say what the adapter is are read from it."""

    path: Path | None = Field(
        None, description="The adapter's folder: adapter_config.json, adapter_model.safetensors. Read once, by build."
    )
    check_base: bool = Field(
        True, description="Refuse an adapter whose configuration names another model than the backbone."
    )
    rank: int = Field(1, ge=1, le=4096, description=f"Rank of each update. {KEPT}")
    alpha: float = Field(1.0, description=f"An update counts alpha / rank. {KEPT}")
    modules: tuple[str, ...] = Field((), description=f"The maps that have an update. {KEPT}")
    ranks: dict[str, int] = Field({}, description=f"The rank of the maps that have another. {KEPT}")
    alphas: dict[str, float] = Field({}, description=f"The alpha of the maps that have another. {KEPT}")
    cut: int = Field(1, ge=0, description=f"Where the crown begins. {KEPT}")
    has_head: bool = Field(False, description=f"The task's head came with the adapter. {KEPT}")
    readout: Readout | None = Field(None, description=f"What that head has before its last map. {KEPT}")


class Adapter(LowRank[AdapterOptions]):
    """An adapter that PEFT trained, as a function without training data: LoRA's updates, with a head where one is there.

    The folder is read when the function is built; a saved function needs it no more.
    """

    is_brought: ClassVar[bool] = True
    paper: ClassVar[str] = "Mangrulkar et al. 2022, PEFT: State-of-the-art Parameter-Efficient Fine-Tuning methods"
    examples: ClassVar[tuple[str, ...]] = (
        "functory build --task text-generation --backbone smollm2 --adaptation peft --set adaptation.path=./adapter",
    )

    def __init__(self, options: AdapterOptions | None = None) -> None:
        super().__init__(options)
        self.puts = ("features",) if self.options.has_head else ("prompt",)

    def cut(self, spec: BackboneSpec) -> int:
        return self.options.cut

    def bring(self, backbone: Backbone[Any], task: Task[Any]) -> Brought:
        from functory_lora.reading import read

        if self.options.path is None:
            raise OptionError("peft is not told which adapter.", do="name its folder: --set adaptation.path=./adapter.")
        options, phi, state, notes = read(self.options.path.expanduser(), backbone, task, self.options.check_base)
        return Brought(type(self)(options), phi, state, notes)

    def attach(self, network: Any) -> None:
        from functory_lora.layers import inject_as

        inject_as(network, self.options)

    def alpha_of(self, module: str) -> float:
        """Return how much the update of a map counts, over its rank."""
        return self.options.alphas.get(module, self.options.alpha)
