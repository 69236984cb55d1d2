"""Attaches an adaptation, fits φ, and tunes what the task learns from held-out outputs: what a build does with each candidate.

Apart from `build`, which says in which order a recipe is followed, because a build that chooses does it more than once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from functory.artefact.writing import target, weight
from functory.contracts.component import Part
from functory.contracts.engine import Event, Fit, Run, SessionOptions
from functory.contracts.formulation import Formulation
from functory.contracts.rows import Taught
from functory.contracts.shown import ShowingState
from functory.data import Examples, Splits
from functory.errors import NotSupported
from functory.function import Function
from functory.machine.places import cache_root, new_log
from functory.machine.storage import is_there
from functory.recipe import Recipe
from functory.running.about import About
from functory.running.forms import TorchForm, torch_form
from functory.running.replays import made_of, makers, versions
from functory.running.watching import RunBars
from functory.steps import Steps
from functory.terminal import Progress, progress
from functory.training.folders import RunFolder
from functory.training.learned import find, keep
from functory.training.teaching import digest, input_of, rows_of, taught


@dataclass(frozen=True)
class Fitting:
    """What all fits of a build have in common.

    :param tell: told what a person should know.
    :param until_safe: keeps the folders of runs until the function is safe somewhere else.
    :param output: where the function will be saved: it is looked at as soon as its size is known.
    :param taken: the folders from which fits were taken up, of a build that makes many and tells of all at once.
    """

    recipe: Recipe
    steps: Steps
    engine: Any  # Any: components, as everywhere below
    backbone: Any
    task: Any
    state: Any
    about: About
    session: SessionOptions
    tell: Callable[[str], None]
    until_safe: ExitStack
    output: Path | None = None
    taken: list[Path] | None = None

    def attached(self, adaptation: Any, put: str, formulation: Formulation) -> Function:
        """Return a function whose φ has learned nothing yet."""
        model = self.steps.adapt(
            engine=self.engine, backbone=self.backbone, task=self.task, formulation=formulation, state=self.state,
            adaptation=adaptation, seed=self.recipe.seed,
        )  # fmt: skip
        form = torch_form(self.engine, self.backbone, adaptation, put, formulation, self.state, model)
        if self.output is not None:
            target(self.output, weight(form))  # as much as φ will take, known from here on
        return Function(self.task, self.state, form, self.about, hooks=self.recipe.hooks, session=self.session)

    def fitted(
        self, function: Function, splits: Splits, folder: Path | None, name: str = "", unlabelled: Sequence[Any] = (),
        among: Examples | None = None,
    ) -> Function:  # fmt: skip
        """Return the function with φ fitted to train.

        :param folder: the run's, where the user named one.
        :param name: what tells this run from others of the build.
        :param unlabelled: inputs of which nobody said what they are.
        :param among: examples of which train is a part, where others are fitted to other parts.
        """
        form = _torch(function)
        train, dev, doubts = taught(form, splits, function, unlabelled)
        for doubt in doubts:
            self.tell(doubt)
        name = f"{function.about.name} {name}".strip()
        beside = rows_of(form, among, function) if among is not None else []
        key = self._key(form, function, digest(train, dev, splits.dev, beside))
        place = self.until_safe.enter_context(RunFolder(key, folder, name, self.tell))
        run = Run(
            folder=place.path,
            store=cache_root() / "features",
            seed=self.recipe.seed,
            name=name,
            options=function.session_options,
            logs=new_log(name),
            key=key,
            among=beside,
        )
        with RunBars(run.name) as bars:
            run.emit = partial(self._told, run, bars, place)
            run.emit(Event("start", text=f"{run.name}: {len(splits.train):,} examples, {len(train.rows):,} rows"))
            fit = self._fit(function, form, train, dev, run)
            run.emit(Event("done", values=fit.metrics))
        used = {"precision": fit.precision} if fit.precision else {}
        data = {**function.about.data, "fit": {**fit.metrics, **used}}
        notes = (*function.about.notes, *doubts, *fit.notes)
        function = function.replaced(about=replace(function.about, data=data, notes=notes), form=form)
        if is_there(run.logs):
            self.tell(f"what hooks wrote about this run is in {run.logs}")
        return function

    def _fit(self, function: Function, form: TorchForm, train: Taught, dev: Taught | None, run: Run) -> Fit:
        """Fit φ, or take up what an earlier build of the same run learned before it failed."""
        found = find(run.folder, run.key, form.adaptation)
        if found is not None:
            self._tell_taken(run)
            if found.fit.adaptation is not None:  # φ has another structure than it began with
                form.adaptation = found.fit.adaptation
                form.program = replace(form.program, model=form.engine.adapt(
                    form.backbone, form.formulation, function.state, form.adaptation, seed=self.recipe.seed
                ))  # fmt: skip
            form.engine.load_phi(form.program.model, found.phi)
            run.learned = found.fit
        if found is not None and found.is_over:
            return found.fit
        model = form.program.model
        fit: Fit = self.steps.train(
            engine=form.engine, model=model, adaptation=form.adaptation, train=train, dev=dev, run=run
        )
        keep(run, form.engine, model, fit, is_over=True)
        form.adaptation = fit.adaptation or form.adaptation
        return fit

    def _tell_taken(self, run: Run) -> None:
        """Tell that what a run learned before is taken up, or keep it to be told with others."""
        if self.taken is not None:
            self.taken.append(run.folder)
            return
        run.emit(Event("note", text=f"what was learned before is taken up from {run.folder}: nothing is trained again"))

    def _key(self, form: TorchForm, function: Function, rows: str) -> str:
        """Return what decides φ, and names the run's folder: the same recipe on the same data goes on where it stopped.

        :param rows: the digest of the rows.
        """
        parts = (function.task, form.adaptation, form.engine, form.backbone)
        about = [
            self.recipe.seed, form.put, rows, form.spec.weights_hash, function.session_options.model_dump(mode="json"),
            *map(_identity, parts), versions(), makers(function), made_of(function), self._shaping(),
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(about, sort_keys=True, default=str).encode()).hexdigest()[:24]

    def _shaping(self) -> list[Any]:
        """Return the hook plugins that may decide what is learned, with their options; the others come and go as they like."""
        names = self.steps.who("load_backbone", "adapt", "train")
        parts = [Part.of(hook) for hook in self.recipe.hooks if isinstance(hook, str | Mapping | Part)]
        return [*names, *(part.model_dump(mode="json") for part in parts if part.name in names)]

    def _told(self, run: Run, bars: RunBars, place: RunFolder, event: Event) -> None:
        """Let the bars and the observers see what happens in training."""
        bars.observe(event)
        place.observe(event)
        if event.kind == "note":
            self.tell(event.text)
        self.steps.progress(run=run, event=event)


def showing(adaptation: Any, task: Any, state: Any, examples: Sequence[Any], seed: int) -> Any:  # Any: components, a State
    """Return the state with the examples that an adaptation shows.

    :raises NotSupported: where the task shows none.
    """
    shown = adaptation.show(task, examples, seed)
    if shown is None:
        return state
    if not isinstance(state, ShowingState):
        raise NotSupported(
            f"the adaptation {adaptation.name!r} shows examples in a prompt, and task {task.name!r} shows none.",
            do="leave the adaptation out: dev = … tunes a function without it.",
        )
    return state.model_copy(update={"shown": shown})


def counted(splits: Splits) -> dict[str, Any]:
    """Return how many examples each side has, and their hash."""
    return {name: {"examples": len(side), "sha256": side.sha256} for name, side in splits.sides().items()}


def tuned(function: Function, dev: Examples) -> Function:
    """Return a function with what is learned where nothing is said, and what its task tunes on held-out examples."""
    function = heard(function)
    formulation = _torch(function).formulation
    if not len(dev) or type(formulation).tune is Formulation.tune:
        return function
    return tuned_on(function, traced(function, dev), dev)


def heard(function: Function) -> Function:
    """Return a function with what its formulation learns of inputs that say nothing, where it learns anything."""
    formulation = _torch(function).formulation
    silent = formulation.silent(function.reader, function.state)
    if silent is None or not silent.rows:
        return function
    outputs = silent.rows_of(function.session.run(silent.rows))
    return function.replaced(state=formulation.heard(silent.side, outputs, function.state))


def tuned_on(function: Function, outputs: list[Any], dev: Examples) -> Function:
    """Return a function with what its task tunes on outputs that are there already.

    :param outputs: of each example its side data and the outputs of its rows, as `Function.trace` gives them.
    """
    if not any(rows for _, rows in outputs):
        return function
    sides, rows = [side for side, _ in outputs], [rows for _, rows in outputs]
    state = _torch(function).formulation.tune(sides, rows, list(dev), function.state)
    return function if state == function.state else function.replaced(state=state)


def traced(function: Function, examples: Examples, what: str = "dev") -> list[Any]:
    """Return, for each example, its side data and the outputs of its rows.

    :param what: what the examples are called.
    """
    inputs = [input_of(function.task, example) for example in examples]
    bar: Progress[Any]
    with progress(len(inputs), f"{function.name}: outputs of {what}") as bar:
        return function.trace(inputs, lambda share: bar.advance(share * len(inputs)))


def _torch(function: Function) -> TorchForm:
    """Return the form of a function under way."""
    return cast(TorchForm, function.form)


def _identity(component: Any) -> list[Any]:  # Any: a component, and plain data
    """Return whose code a component is, one in a file by what is in it, and its options."""
    return [type(component).__module__, type(component).__qualname__, component.options.model_dump(mode="json")]
