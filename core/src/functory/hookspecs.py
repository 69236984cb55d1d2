"""Every hook of functory on one page, in the order of the seven steps: the map of the system.

A hook is a step of the pipeline that a plugin can *answer* (the first answer wins), *wrap* (run
around it, once, without changing its arguments) or *observe*. Whatever a plugin answers, and whatever a
wrapper makes of an answer, is looked at before the next step has it. Hook plugins act only where the recipe,
the configuration or the call names them; their order is the order of that list. Core's own
implementation of each, which calls the named component, comes last.

docs/hooks.md is made from this page, examples and all (`python scripts/hooks_page.py`); the tests run them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from functory.contracts.adaptation import Adaptation
    from functory.contracts.backbone import Backbone
    from functory.contracts.engine import Engine, Event, Fit, Run
    from functory.contracts.explanation import Attribution, Explanation
    from functory.contracts.formulation import Formulation, Target
    from functory.contracts.optimization import Optimization, OptimizationReport
    from functory.contracts.packager import Packager
    from functory.contracts.rows import Taught
    from functory.contracts.task import Task
    from functory.data import Examples
    from functory.function import Function
    from functory.measuring.report import Report

PROJECT = "functory"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Hooks:
    """The steps. A plugin implements any of them, with all or some of the arguments, under `@hookimpl`."""

    @hookspec(firstresult=True)
    def load_backbone(self, reference: str, options: Mapping[str, Any], may_fetch: bool) -> Backbone[Any] | None:
        """Turn a reference into a backbone; `may_fetch` says whether the user allowed to fetch weights from a network.

        When:    step 1 of a build, and once per load of a torch form. Never while listing.
        Roles:   answer (the first backbone wins, None means "not mine"); wrap.
        Raising: fails the step; the user sees your plugin's name and your message. Raise `Refused` to say no.
        Order:   as named in `hooks = [...]`; core's own, which looks the name up, comes last.
        Used by: examples/plugins/licence-policy (refuses a licence that is not allowed).

        Example:
            from functory_sdk import Refused, hookimpl

            class SmallOnly:
                '''Refuses backbones of many layers.'''

                limit = 12

                @hookimpl(wrapper=True)
                def load_backbone(self):
                    backbone = yield
                    if backbone.spec.layers > self.limit:
                        raise Refused(f"{backbone.reference} has {backbone.spec.layers} layers; {self.limit} are allowed.")
                    return backbone
        """

    @hookspec(firstresult=True)
    def adapt(
        self, engine: Engine[Any], backbone: Backbone[Any], task: Task[Any], formulation: Formulation, state: Any,
        adaptation: Adaptation[Any], seed: int,
    ) -> Any:  # fmt: skip
        """Return a model with φ attached to a structural copy of the backbone; its first values are the seed's.

        The formulation says how the task is put to the backbone.

        When:    step 2 of a build, and once per load of a torch form.
        Roles:   answer, wrap.
        Raising: fails the step.
        Order:   as named; core's own, which asks the engine, comes last.
        Used by: examples/plugins/step-times (measures φ).

        Example:
            from functory_sdk import hookimpl

            class CountPhi:
                '''Notes how many numbers φ holds.'''

                numbers = 0

                @hookimpl(wrapper=True)
                def adapt(self):
                    model = yield
                    self.numbers = sum(parameter.numel() for parameter in model.phi().values())
                    return model
        """

    @hookspec(firstresult=True)
    def train(
        self, engine: Engine[Any], model: Any, adaptation: Adaptation[Any],
        train: Taught, dev: Taught | None, run: Run,
    ) -> Fit | None:  # fmt: skip
        """Fit φ and say how it went.

        When:    step 5 of a build with training data. The checkpoint is committed before wrappers unwind.
        Roles:   answer, wrap.
        Raising: fails the step; what was learned lies in the run's folder.
        Order:   as named; core's own, which calls the adaptation's `fit`, comes last.
        Used by: examples/plugins/step-times (times it).

        Example:
            import time
            from functory_sdk import hookimpl

            class TrainingTime:
                '''Adds to what training reports how many seconds it took.'''

                @hookimpl(wrapper=True)
                def train(self):
                    started = time.monotonic()
                    fit = yield
                    fit.notes.append(f"trained in {time.monotonic() - started:.1f} s")
                    return fit
        """

    @hookspec(firstresult=True)
    def evaluate(self, function: Function, examples: Examples) -> Report | None:
        """Measure a function on examples with known answers.

        When:    after training on the test split, and whenever `evaluate` is called.
        Roles:   answer (a stored result), wrap (store it).
        Raising: fails the step.
        Order:   as named; core's own, which runs the function and asks its task's scorer, comes last.
        Used by: examples/plugins/evaluation-cache (answers from a cache).

        Example:
            from functory_sdk import Refused, hookimpl

            class EnoughExamples:
                '''Refuses to measure on a handful of examples.'''

                least = 30

                @hookimpl
                def evaluate(self, examples):
                    if len(examples) < self.least:
                        raise Refused(f"{len(examples)} examples say little; {self.least} are wanted.")
                    return None  # not mine: whoever comes next measures
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
        Used by: examples/plugins/step-times (times it).

        Example:
            from functory_sdk import hookimpl

            class Gains:
                '''Keeps what each optimization reported.'''

                def __init__(self):
                    self.reports = []

                @hookimpl(wrapper=True)
                def optimize(self, function):
                    smaller, report = yield
                    self.reports.append((function.name, report))
                    return smaller, report
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
        Used by: examples/plugins/step-times (times it).

        Example:
            from functory_sdk import Refused, hookimpl

            class NoSecrets:
                '''Refuses to explain texts that speak of secrets.'''

                words = frozenset({"password"})

                @hookimpl
                def explain(self, value):
                    if self.words & set(str(value).lower().split()):
                        raise Refused("texts with secrets are not taken apart.")
                    return None
        """

    @hookspec(firstresult=True)
    def package(self, packager: Packager[Any], artefact: Path, name: str, target: Path) -> list[Path] | None:
        """Turn a saved function into something to deploy.

        When:    whenever `package` is called, after the artefact was verified.
        Roles:   answer, wrap.
        Raising: fails the step; nothing half-written stays.
        Order:   as named; core's own, which calls the packager, comes last.
        Used by: examples/plugins/step-times (times it).

        Example:
            from hashlib import sha256
            from functory_sdk import hookimpl

            class Checksums:
                '''Writes a checksum beside each file that is to be deployed.'''

                @hookimpl(wrapper=True)
                def package(self):
                    files = yield
                    sums = [file.with_name(f"{file.name}.sha256") for file in files]
                    for file, checksum in zip(files, sums):
                        checksum.write_text(sha256(file.read_bytes()).hexdigest())
                    return [*files, *sums]
        """

    @hookspec
    def progress(self, run: Run, event: Event) -> None:
        r"""Observe what happens in a run: start, progress, step, metric, epoch, checkpoint, note, done.

        When:    all through training. Keep it short: training waits. What should stay is written into `run.logs`:
                 the build removes `run.folder`, and says where the logs are.
        Roles:   observe only; what is returned is not looked at.
        Raising: reported once, then your observer is set aside; the run goes on.
        Order:   as named.
        Used by: plugins/trackers/tensorboard (draws the curves), examples/plugins/step-times (says when a run starts and ends).

        Example:
            import json
            from functory_sdk import hookimpl

            class MetricsLog:
                '''Writes the figures of a run into a file that outlives it.'''

                @hookimpl
                def progress(self, run, event):
                    if event.values:
                        run.logs.mkdir(parents=True, exist_ok=True)
                        with (run.logs / "metrics.jsonl").open("a") as file:
                            file.write(json.dumps({"kind": event.kind, "step": event.step, **event.values}) + "\n")
        """
