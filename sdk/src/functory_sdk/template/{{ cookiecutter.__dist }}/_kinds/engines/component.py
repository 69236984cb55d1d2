"""The contract: which programs it opens. This one runs torch programs, one batch at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from functory_sdk import Array, Engine, NoOptions, NotSupported, Program, Session, SessionOptions


class {{ cookiecutter.__class }}(Engine[NoOptions]):
    """Runs torch programs on the CPU; inference alone."""

    abilities: ClassVar = frozenset({"forward"})
    precisions: ClassVar = ()

    def open(self, program: Program, options: SessionOptions) -> Session:
        if program.model is None or program.kind != "forward":
            raise NotSupported("{{ cookiecutter.__entry }} runs forward passes of torch programs.", do="use another engine.")
        if options.device != "cpu":
            raise NotSupported(f"{{ cookiecutter.__entry }} has no device {options.device!r}.", do="choose one of: cpu.")
        return {{ cookiecutter.__class }}Session(program, options)


class {{ cookiecutter.__class }}Session(Session):
    """One model in memory."""

    def run_batch(self, batch: Mapping[str, Array]) -> Mapping[str, Array]:
        import torch

        with torch.inference_mode():
            outputs = self.program.model({name: torch.from_numpy(array) for name, array in batch.items()})
        return {name: value.numpy() for name, value in outputs.items()}
