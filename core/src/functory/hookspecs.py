"""Every hook of functory on one page, in the order of the seven steps: the map of the system.

A hook is a step of the pipeline that a plugin can *answer* (the first answer wins), *wrap* (run
around it, once, without changing its arguments) or *observe*. Hook plugins act only where the recipe,
the configuration or the call names them; their order is the order of that list. Core's own
implementation of each, which calls the named component, comes last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from functory.contracts.adaptation import Adaptation
    from functory.contracts.backbone import Backbone
    from functory.contracts.engine import Engine, Event, Fit, LabelledRows, Run
    from functory.contracts.explanation import Attribution, Explanation
    from functory.contracts.optimization import Optimization, OptimizationReport
    from functory.contracts.packager import Packager
    from functory.contracts.task import Target, Task
    from functory.data import Examples
    from functory.function import Function
    from functory.report import Report

PROJECT = "functory"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Hooks:
    """The steps. A plugin implements any of them, with all or some of the arguments, under `@hookimpl`."""

    @hookspec(firstresult=True)
    def load_backbone(self, reference: str, options: Mapping[str, Any]) -> Backbone[Any] | None:
        """Turn a reference into a backbone.

        When:    step 1 of a build, and once per load of a torch form. Never while listing.
        Roles:   answer (the first backbone wins, None means "not mine"); wrap.
        Raising: fails the step; the user sees your plugin's name and your message. Raise `Refused` to say no.
        Order:   as named in `hooks = [...]`; core's own, which looks the name up, comes last.
        Used by: examples/plugins/licence-policy (refuses a licence that is not allowed).
        """

    @hookspec(firstresult=True)
    def adapt(
        self, engine: Engine[Any], backbone: Backbone[Any], task: Task[Any], state: Any, adaptation: Adaptation[Any]
    ) -> Any:
        """Return a model with φ attached to a structural copy of the backbone.

        When:    step 2 of a build, and once per load of a torch form.
        Roles:   answer, wrap.
        Raising: fails the step.
        Order:   as named; core's own, which asks the engine, comes last.
        Used by: tests/plugins/trace (measures φ).
        """

    @hookspec(firstresult=True)
    def train(
        self, engine: Engine[Any], model: Any, adaptation: Adaptation[Any],
        train: LabelledRows, dev: LabelledRows | None, run: Run,
    ) -> Fit | None:  # fmt: skip
        """Fit φ and say how it went.

        When:    step 5 of a build with training data. The checkpoint is committed before wrappers unwind.
        Roles:   answer, wrap.
        Raising: fails the step; what was learned lies in the run's folder.
        Order:   as named; core's own, which calls the adaptation's `fit`, comes last.
        Used by: tests/plugins/trace (times it).
        """

    @hookspec(firstresult=True)
    def evaluate(self, function: Function, examples: Examples) -> Report | None:
        """Measure a function on examples with known answers.

        When:    after training on the test split, and whenever `evaluate` is called.
        Roles:   answer (a stored result), wrap (store it).
        Raising: fails the step.
        Order:   as named; core's own, which runs the function and asks its task's scorer, comes last.
        Used by: examples/plugins/evaluation-cache (answers from a cache).
        """

    @hookspec(firstresult=True)
    def optimize(
        self, function: Function, optimization: Optimization[Any], examples: Examples, calibration: Sequence[Any]
    ) -> tuple[Function, OptimizationReport] | None:
        """Make a function smaller or faster.

        When:    whenever `optimize` is called.
        Roles:   answer, wrap.
        Raising: fails the step; the function given is untouched.
        Order:   as named; core's own, which calls the optimization, comes last.
        Used by: tests/plugins/trace (times it).
        """

    @hookspec(firstresult=True)
    def explain(
        self, function: Function, value: Any, target: Target, explanation: Explanation[Any]
    ) -> Attribution | None:
        """Say why a function gave this output.

        When:    whenever `explain` is called.
        Roles:   answer, wrap.
        Raising: fails the step.
        Order:   as named; core's own, which calls the explanation, comes last.
        Used by: tests/plugins/trace (times it).
        """

    @hookspec(firstresult=True)
    def package(self, packager: Packager[Any], artefact: Path, name: str, target: Path) -> list[Path] | None:
        """Turn a saved function into something to deploy.

        When:    whenever `package` is called, after the artefact was verified.
        Roles:   answer, wrap.
        Raising: fails the step; nothing half-written stays.
        Order:   as named; core's own, which calls the packager, comes last.
        Used by: tests/plugins/trace (times it).
        """

    @hookspec
    def progress(self, run: Run, event: Event) -> None:
        """Observe what happens in a run: start, step, metric, epoch, checkpoint, note, done.

        When:    all through training. Keep it short: training waits.
        Roles:   observe only; what is returned is not looked at.
        Raising: reported once, then your observer is set aside; the run goes on.
        Order:   as named.
        Used by: plugins/trackers/tensorboard.
        """
