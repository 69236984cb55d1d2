"""What every hook plugin owes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, get_args, get_type_hints

import pytest

from functory.build import build
from functory.contracts.engine import Event, Run
from functory.errors import Refused
from functory.hooks.blaming import STEPS
from functory.hookspecs import PROJECT
from functory.steps import Steps
from functory_sdk.testing.suite import TorchSuite
from functory_sdk.testing.tasks.putting import same
from functory_sdk.testing.toy import rows


class HookSuite(TorchSuite):
    """Builds and evaluates the toy function with the hook plugin taking part.

    :cvar refuses: the plugin answers the toy build with a no.
    """

    kind: ClassVar[str] = "hooks"
    refuses: ClassVar[bool] = False

    def plugin(self) -> Any:  # Any: a hook plugin is any object
        """Return a fresh hook plugin."""
        found = self.load()
        return found() if isinstance(found, type) else found

    def test_it_implements_steps_that_exist(self) -> None:
        """Each method under `@hookimpl` is a step, with arguments that the step has.

        If this fails: docs/hooks.md lists every step with its signature.
        """
        plugin = self.plugin()
        found = {name: getattr(getattr(plugin, name, None), f"{PROJECT}_impl", None) for name in dir(plugin)}
        marked = [impl.get("specname") or name for name, impl in found.items() if impl is not None]
        assert marked, "no method is marked with @hookimpl."
        assert set(marked) <= set(STEPS), f"no such step: {', '.join(sorted(set(marked) - set(STEPS)))}"
        Steps([plugin])

    def test_it_is_not_set_aside(self, tmp_path: Path) -> None:
        """Whatever it is told while something runs, it goes on observing.

        If this fails: look at the place that the message names. Events of some kinds have neither values nor a step, and
        a run's folder may not be there yet.
        """
        steps, run = Steps([self.plugin()]), Run(folder=tmp_path / "run", store=tmp_path / "store", seed=0)
        for kind in self.each(get_args(get_type_hints(Event)["kind"])):
            for event in (Event(kind), Event(kind, step=3, values={"loss": 0.5, "dev_accuracy": 0.75}, text="a note")):
                steps.progress(run=run, event=event)
                assert not steps.set_aside, f"told {kind!r}: {' '.join(map(str, steps.set_aside.values()))}"

    def test_a_build_with_it_ends_as_one_without(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Watching or storing changes no number, and nothing fails on the way; a policy refuses with a message.

        If this fails: a wrapper returns what its yield gave it; an observer touches nothing.
        """
        parts = {"task": "toy", "backbone": "tiny-encoder", "adaptation": "toy-head"}
        recipe = {**parts, "train": rows(64), "test": rows(24, seed=2)}
        if self.refuses:
            try:
                build(recipe, hooks=[self.plugin()])
            except Refused as error:
                assert error.what
                return
            raise AssertionError("it refused nothing.")
        without, with_it = build(recipe), build(recipe, hooks=[self.plugin()])
        told = capsys.readouterr().err
        assert "is set aside" not in told, f"it was set aside in a build: {told[-500:]}"
        assert without.report is not None
        assert with_it.report is not None
        assert with_it.report.metrics == without.report.metrics, "with the plugin the report has other figures."
        text = rows(1)[0]["text"]
        # Two builds may differ by rounding: where memory lies decides the last bits of a product.
        assert same(with_it(text), without(text)), "with the plugin the function answers otherwise."
