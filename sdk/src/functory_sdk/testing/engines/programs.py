"""Programs of a tiny encoder with a toy head, in every form that an engine has: what its checks work with."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from functory.contracts.engine import SessionOptions
from functory.contracts.rows import Array, Program, Row
from functory.contracts.task import Task
from functory.reading.reader import Reader
from functory_sdk.testing.comparing import difference
from functory_sdk.testing.fitted import PROBES, Fitted, perturb, probes
from functory_sdk.testing.suite import ComponentSuite, TorchSuite

TOLERANCES = {"fp32": 1e-4, "f32": 1e-4, "fp16": 5e-2, "f16": 5e-2, "bf16": 2e-1}
"""How far log-probabilities may be from the torch form's; integer forms are measured by their correlation."""
OPTIONS = SessionOptions(threads=1, budget=64)


class EngineChecks(ComponentSuite, TorchSuite):
    """The part that all checks of an engine share."""

    kind: ClassVar[str] = "engines"
    reference: ClassVar[str] = "torch"
    """The engine that makes the torch programs from which others convert."""
    device: ClassVar[str] = "cpu"
    """Where the programs are opened."""
    _forms: ClassVar[list[tuple[str, Program, list[Row]]] | None] = None
    _place: ClassVar[Path | None] = None

    @pytest.fixture(scope="class", autouse=True)
    def _place_of_forms(self, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
        """A folder for what the engine converts: once for all checks of the class, since some take seconds."""
        request.cls._forms, request.cls._place = None, tmp_path_factory.mktemp("forms")

    @property
    def engine(self) -> Any:  # Any: engines are known by their contract
        """The engine, with the suite's options."""
        return self.configured()

    def has(self, ability: str) -> bool:
        """Whether the engine declares an ability."""
        return ability in self.load().abilities

    def fitted(
        self, seed: int = 0, backbone: str = "tiny-encoder", task: Task[Any] | None = None, **options: Any
    ) -> Fitted:
        """Return a torch model with φ, assembled by the engine itself or by the reference.

        :param task: the toy task when None.
        :param options: of the backbone.
        """
        from functory.plugins.registry import load
        from functory.running.backbones import open_backbone
        from functory_sdk.testing.toy import ToyAdaptation, ToyState, ToyTask

        engine = self.engine if self.has("training") else load("engines", self.reference).configure()
        opened, adaptation, task = open_backbone(backbone, options), ToyAdaptation(), task or ToyTask()
        state = ToyState(labels=("no", "yes"))
        model = engine.adapt(opened, task.formulations(opened.spec)["features"], state, adaptation, seed=seed)
        return Fitted(engine, opened, adaptation, model)

    def programs(self, folder: Path) -> Iterator[tuple[str, Program, list[Row]]]:
        """Give each form that the engine runs: precision, program, and the torch form's outputs of `rows`.

        Each check has files of its own, copied from those that were converted for the first.
        """
        if not self.has("forward"):
            pytest.skip("the engine declares no forward pass")
        kind = type(self)
        if kind._place is None:  # a check that is called by itself, without pytest
            yield from self.converted(folder)
            return
        if kind._forms is None:
            kind._forms = list(self.converted(kind._place))
        for precision, program, expected in kind._forms:
            if program.folder is None:  # the torch form, in memory
                yield precision, program, expected
            else:
                own = shutil.copytree(program.folder, folder / precision)
                yield precision, program.at(own), expected

    def converted(
        self, folder: Path, precisions: Sequence[str] = (), task: Task[Any] | None = None, **options: Any
    ) -> Iterator[tuple[str, Program, list[Row]]]:
        """Convert the program to each form that the engine runs, as `programs` gives them.

        :param precisions: some of the forms; all when empty.
        :param task: whose rows and head; the toy task's when None.
        :param options: of the tiny encoder.
        """
        fitted = self.fitted(task=task, **options)
        perturb(fitted.model)
        rows = self.rows(task)
        expected = fitted.outputs(rows)
        whole = Program("forward", fitted.model.inputs, fitted.model.outputs, model=fitted.model)
        if not self.load().precisions:  # it has no form of its own and runs the torch form
            yield "fp32", whole, expected
            return
        for precision in precisions or self.load().precisions:
            place = folder / precision
            place.mkdir(parents=True)
            yield precision, self.engine.convert(whole, place, precision=precision, samples=rows), expected

    def rows(self, task: Any = None) -> list[dict[str, Array]]:  # Any: a toy task
        """Return rows of unequal lengths.

        :param task: whose; each text is a row when None.
        """
        from functory.running.backbones import open_backbone

        backbone = open_backbone("tiny-encoder")
        if task is None:
            return probes(backbone) * 3
        inputs = [task.Input(text=text) for text in PROBES]
        return list(task.encode(inputs, Reader(backbone.tokenizer, backbone.spec), task.State(labels=("no", "yes"))).rows) * 3

    def open(self, program: Program, **options: Any) -> Any:  # Any: a session
        """Open a program."""
        return self.engine.open(program, OPTIONS.model_copy(update={"device": self.device, **options}))

    def run_once(self, program: Program) -> list[Row]:
        """Return the outputs of the rows in a session of their own."""
        session = self.open(program)
        found: list[Row] = session.run(self.rows())
        session.close()
        return found


def check_close(precision: str, expected: Sequence[Row], found: Sequence[Row]) -> None:
    """Compare outputs with the torch form's, as the precision allows."""
    if precision in TOLERANCES:
        off = difference(expected, found)
        assert off <= TOLERANCES[precision], f"{precision}: outputs are off by {off:.2g}."
        return
    assert difference(expected, found) < 2.0, f"{precision}: outputs are far off, or are not numbers."
    one, other = (np.concatenate([np.ravel(v) for row in rows for v in row.values()]) for rows in (expected, found))
    if len(one) > 4:
        together = float(np.corrcoef(one, other)[0, 1])
        assert together > 0.9, f"{precision}: outputs correlate with the torch form's by {together:.2f} only."
