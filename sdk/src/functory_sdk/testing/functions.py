"""What every packaged function owes."""

from __future__ import annotations

from typing import Any, ClassVar

from functory.artefact.checking import check
from functory.artefact.installed import Packaged
from functory.artefact.loading import load
from functory.artefact.opening import verify
from functory.function import Function
from functory_sdk.testing.suite import Suite


class FunctionSuite(Suite):
    """Loads an installed function.

    :cvar inputs: inputs with which it is called.
    """

    kind: ClassVar[str] = "functions"
    inputs: ClassVar[tuple[Any, ...]] = ("a text",)

    def describe(self) -> str:
        """Return the summary of the function's distribution."""
        return f"{self.entry.summary.rstrip('.')}."

    def test_its_entry_is_its_artefact(self) -> None:
        """The entry point leads to a sound artefact, with the digest that it had when it was packaged.

        If this fails: package the function again with `functory package`.
        """
        packaged = self.load()
        assert isinstance(packaged, Packaged)
        check(packaged.checked(), sha256=packaged.sha256)

    def test_its_golden_examples_come_out_the_same(self) -> None:
        """Replaying gives the stored outputs, in every form that can run here.

        If this fails: build and package it again with the versions that are installed.
        """
        verify(self.component)

    def test_it_is_called_by_name(self) -> None:
        """`functory.load(name)` gives a function whose outputs are its task's.

        If this fails: look at the error's last line; it names what is not installed.
        """
        function = load(self.component)
        assert isinstance(function, Function)
        for value, output in self.each(zip(self.inputs, function.map(self.inputs, progress=False), strict=True)):
            assert isinstance(output, function.task.Output)
            assert function(value) == output or function.form.tolerance > 0
