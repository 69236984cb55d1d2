"""An adaptation whose φ is low-rank updates beside maps, as PEFT's layers hold them: for inference the maps take them in."""

from __future__ import annotations

from typing import Any, TypeVar

from functory.contracts.adaptation import Adaptation
from functory.contracts.component import Options

O = TypeVar("O", bound=Options, covariant=True)  # noqa: E741 - the paper letter of the contract


class LowRank(Adaptation[O]):
    """Derive from it where `attach` puts such updates beside maps (Hu et al. 2021, section 4.1: W + BA for W beside BA)."""

    def merge(self, network: Any) -> None:
        from functory_sdk.torch import fold_updates

        fold_updates(network)
