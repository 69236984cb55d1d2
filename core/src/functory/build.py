"""From a recipe to a function, as the seven steps.

1 choose a backbone      load_backbone
2 adapt                  the task's state is learned, φ attached
3 encapsulate            the function, callable from here on
4 give it an API         name, schemas, golden examples
5 optimize               train (compression: `Function.optimize`)
6 explain and measure    evaluate (`Function.explain`)
7 deploy                 `Function.save`, `Function.package`
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from functory.artefact.keeping import save_or_keep
from functory.artefact.writing import target
from functory.building.again import Again, check_labelled, check_parts
from functory.building.calibrating import calibrated, parted, share_of
from functory.building.choosing import Choosing
from functory.building.contest import Contest
from functory.building.fitting import Fitting, counted, showing, tuned
from functory.building.parts import component
from functory.contracts.adaptation import Adaptation, Brought
from functory.contracts.component import Part
from functory.contracts.engine import SessionOptions
from functory.contracts.putting import chosen
from functory.contracts.task import Suited
from functory.data import Examples, Splits, audit, checked, split
from functory.data.languages import is_english
from functory.errors import DataError, OptionError, RecipeError, TrainingError, UnknownComponent
from functory.function import Function
from functory.machine.storage import refusals_told
from functory.machine.targets import fillable_folder
from functory.measuring.baseline import doubts
from functory.measuring.evaluation import read_examples, read_inputs
from functory.measuring.mistakes import KEPT
from functory.plugins.registry import is_file
from functory.recipe import Recipe
from functory.running.about import About
from functory.running.floors import Floored
from functory.running.forms import TorchForm
from functory.running.golden import has_nan, record, tolerance
from functory.running.replays import versions
from functory.steps import Steps
from functory.training.teaching import input_of
from functory.using.promising import Promises, promised


@refusals_told
def build(
    recipe: Recipe | Path | str | Mapping[str, Any] | None = None,
    *,
    output: Path | str | None = None,
    run: Path | str | None = None,
    report: bool = True,
    doubt: int = 0,
    curve: int = 0,
    tell: Callable[[str], None] | None = None,
    **fields: Any,
) -> Function:
    """Build a function from a recipe, or from its fields given by name.

    :param recipe: a `Recipe`, a TOML file, or a mapping; keyword arguments go before it.
    :param output: the folder to save into. It is looked at before anything is done, and where saving fails all the same,
        the function is kept elsewhere and the error says where. Saved later, by `Function.save`, when None.
    :param run: the folder of checkpoints, and of what was learned; a build that was interrupted, or failed after its training,
        goes on from there. By default a folder in the cache that belongs to this recipe and these data; it is held by one
        build at a time, the next waits, and removed when the function is returned, and saved where there is an `output`.
    :param report: evaluate on the test split, where there is one.
    :param doubt: look for training labels that look wrong, by functions that did not learn from them: on so many folds, each of
        which is built. They are noted, and stand in the report.
    :param curve: build again on a half, a quarter … of the training data, with so many halvings, for the report's learning curve.
    :param tell: told what a person should know on the way; notes are kept on the function in any case.
    :raises RecipeError: when the recipe cannot be understood.
    :raises UsageError: when nothing can be saved at `output`, or no checkpoints in `run`.
    :raises DataError: for a bad row, naming file and line.
    :raises TrainingError: when a sentinel finds that training did nothing.
    """
    recipe = Recipe.make(recipe, **fields)
    has_test = report and (recipe.test is not None or recipe.test_share > 0)
    check_parts(doubt, curve, has_train=recipe.train is not None, has_test=has_test)
    if output is not None:
        target(Path(output))
    if run is not None:
        fillable_folder(Path(run))
    place = None if output is None else Path(output)
    with ExitStack() as until_safe:
        building = _Building(recipe, _steps(recipe), tell or (lambda note: None), until_safe, place)
        function = building.run(Path(run) if run else None, report, doubt, curve)
        if place is not None:
            save_or_keep(function, place)
    return function


def _steps(recipe: Recipe) -> Steps:
    """Return the steps with the recipe's hooks; a wrong name or option of one is told with the recipe's line."""
    try:
        return Steps(recipe.hooks)
    except (OptionError, UnknownComponent) as error:
        raise error.located(recipe.where("hooks")) from error.__cause__


@dataclass
class _Building:
    """One build under way."""

    recipe: Recipe
    steps: Steps
    tell: Callable[[str], None]
    until_safe: ExitStack
    output: Path | None = None
    read: Splits | None = None
    is_described: bool = False
    """φ is fitted to descriptions, and train holds inputs alone."""
    unlabelled: Examples | None = None
    """Those inputs."""
    among: Examples | None = None
    """Examples of another build of which train is a part: what it has computed of them is not computed again."""

    @property
    def promises(self) -> Promises:
        return Promises(self.recipe.abstain_at, self.recipe.sets_at)

    def run(self, folder: Path | None, report: bool, doubt: int = 0, curve: int = 0) -> Function:
        recipe = self.recipe
        session = self._session()
        with self._named("task"):
            task = component("tasks", recipe.task)
        adaptation = self._adaptation(task)
        self.is_described = adaptation.source == "descriptions"
        if self.is_described:
            check_labelled(doubt, curve, adaptation.name)
        with self._named("engine"):
            engine = component("engines", recipe.engine)
        # 1: the backbone
        backbone = self._backbone(task)
        # 2: how the task is put to it, what the task learns besides φ; the adaptation
        brought = self._bring(adaptation, backbone, task)
        if brought is not None:
            adaptation = brought.adaptation
        if not _chooses(adaptation):
            chosen(task, backbone.spec, adaptation, recipe.put)  # before data are read
        splits = self._split(task)
        contest = self._contest(adaptation, task, backbone.spec, splits)
        if contest is not None:
            splits = contest.used(splits)
        state = None if brought is None else brought.state
        if state is None:
            state = task.learn(list(splits.train) or list(splits.test))
        self.promises.check_task(task, state)
        described = _described(task, state) if self.is_described else None
        splits = self._checked(task, state, splits)
        # 3 and 4: the function
        about = self._about(task, backbone, splits)
        if brought is not None:
            about = replace(about, notes=(*about.notes, *brought.notes))
        fitting = Fitting(
            recipe, self.steps, engine, backbone, task, state, about, session, self.tell, self.until_safe, self.output
        )
        # 5: training
        if described is not None:
            function = self._compared(fitting, adaptation, replace(splits, train=described), folder)
        else:
            function, splits = self._learned(fitting, adaptation, contest, brought, splits, folder)
        form = cast(TorchForm, function.form)
        function = self._trusted(function, splits)
        function.golden = record(function, recipe.golden)
        if has_nan(function.golden):
            raise TrainingError(
                "the function gives NaN where a number should be.",
                do="look for NaN in its backbone's weights, or in what was brought; where it was trained, lower learning_rate.",
            )
        form.tolerance = tolerance(function, function.golden)
        function.held_out = next(filter(len, (splits.test, splits.dev, *([] if self.promises else [splits.untouched]))), None)
        function.floor = Floored(task, function.state, splits.train) if len(splits.train) else None
        function.calibration = [input_of(task, example) for example in list(self.unlabelled or splits.train)[:512]]
        # 6: how good it is
        function = self._measured(function, splits.test) if report and len(splits.test) else function
        if doubt or curve:
            again = Again(partial(self._rebuilt, function, splits.train), self.steps, task, recipe.seed, self.tell)
            function = again.told_of(function, splits, doubt, curve)
        return function

    @contextmanager
    def _named(self, part: str) -> Iterator[None]:
        """Give an error about a part's name or options the place where the recipe's file has it."""
        try:
            yield
        except OptionError as error:
            raise error.located(self.recipe.where(part, error.field)) from error.__cause__
        except UnknownComponent as error:
            raise error.located(self.recipe.where(part)) from error.__cause__

    def _backbone(self, task: Any) -> Any:
        """Return the recipe's backbone, or the one that suits the task, and the language of the training data."""
        part = self.recipe.backbone or Part()
        if not part.name:
            suited = self._suited(task)
            part = part.model_copy(update={"name": suited.multilingual if self._is_foreign(task) else suited.backbone})
        with self._named("backbone"):
            return self.steps.load_backbone(reference=part.name, options=part.options, may_fetch=True)

    def _suited(self, task: Any) -> Suited:
        """Return what suits the task.

        :raises NotSupported: as the task's `suits`.
        """
        found: Suited = task.suits(has_examples=self.recipe.train is not None or self.is_described)
        return found

    def _is_foreign(self, task: Any) -> bool:
        """Return whether the training data are not English, and another backbone suits them."""
        if not self._suited(task).multilingual:
            return False
        train = self._split(task).train
        if self.is_described:
            train = self.unlabelled or _described(task, task.learn([]))
        return not is_english(_texts(task, train))

    def _suited_adaptation(self, task: Any) -> str:
        """Return the adaptation that goes with the backbone that is taken where the recipe names neither."""
        suited = self._suited(task)
        is_own = not (self.recipe.backbone or Part()).name and bool(suited.multilingual_adaptation)
        return suited.multilingual_adaptation if is_own and self._is_foreign(task) else suited.adaptation

    def _adaptation(self, task: Any) -> Any:
        """Return the recipe's adaptation, or the one that suits the task.

        :raises RecipeError: when it learns from examples, and there are none.
        """
        part = self.recipe.adaptation or Part()
        name = part.name or self._suited_adaptation(task)
        with self._named("adaptation"):
            adaptation = component("adaptations", part.model_copy(update={"name": name}))
        needs_examples = adaptation.learns != "nothing" and adaptation.source == "examples" and not adaptation.is_brought
        if needs_examples and self.recipe.train is None:
            raise RecipeError(
                f"the adaptation {adaptation.name!r} learns from examples, and there are none.",
                do="give train = '…', or leave the adaptation out for a zero-shot function.",
            )
        if adaptation.learns == "nothing" and self.recipe.train is not None and not part.name:
            self.tell(
                f"{adaptation.name}, which suits {task.name}, fits nothing to train: its rows tune and measure. To learn from "
                "them name an adaptation (`functory list --kind adaptations`)."
            )
        return adaptation

    def _bring(self, adaptation: Any, backbone: Any, task: Any) -> Brought | None:
        """Return φ where the adaptation brings it; training data beside it would be read for nothing."""
        if not adaptation.is_brought:
            return None
        if self.recipe.train is not None:
            raise RecipeError(
                f"the adaptation {adaptation.name!r} brings what was learned elsewhere, and learns nothing from train.",
                do="leave train out; give test = '…' for a report.",
            )
        brought: Brought = backbone.unmixed(lambda: adaptation.bring(backbone, task))  # the body and head of one time
        for note in brought.notes:
            self.tell(note)
        return brought

    def _session(self) -> SessionOptions:
        """Return threads, device, precision and budget."""
        with self._named("session"):
            return SessionOptions.of(self.recipe.session)

    def _split(self, task: Any) -> Splits:
        """Read the data, once; split off what was not given."""
        recipe = self.recipe
        if self.read is not None:
            return self.read

        def examples(side: str, limit: int = 0, known: Iterable[str] = ()) -> Examples:
            source = getattr(recipe, side)
            if isinstance(source, Sized) and not len(source):
                raise DataError(f"{side} has no row.", do=f"give examples, or leave {side} out{_without(side)}.")
            return read_examples(
                task, None, source, columns=recipe.columns, on_bad_row=recipe.on_bad_row, format=recipe.format,
                encoding=recipe.encoding, limit=limit, seed=recipe.seed, known=known,
            )  # fmt: skip

        nothing = Examples((), (), "")
        if self.is_described and recipe.train is not None:
            self.unlabelled = read_inputs(
                task, recipe.train, columns=recipe.columns, on_bad_row=recipe.on_bad_row, format=recipe.format,
                encoding=recipe.encoding,
            )  # fmt: skip
        is_learned = recipe.train is not None and not self.is_described
        whole = examples("train", recipe.limit) if is_learned else nothing
        dev_share = recipe.dev_share if recipe.dev is None and len(whole) else 0.0
        test_share = recipe.test_share if recipe.test is None and len(whole) else 0.0
        share = share_of(recipe.untouched_share, self.promises, task, len(whole), dev_share) if recipe.untouched is None else 0.0
        made = (
            split(whole, dev_share, test_share, share, seed=recipe.seed, stratify=task.strata)
            if len(whole)
            else Splits(whole, whole, whole)
        )
        known = {label for example in whole for label in task.labels(example)}
        dev = made.dev if recipe.dev is None else examples("dev", known=known)
        test = made.test if recipe.test is None else examples("test", known=known)
        untouched = made.untouched if recipe.untouched is None else examples("untouched", known=known)
        self.read = Splits(replace(made.train, skipped=whole.skipped, notes=whole.notes), dev, test, untouched)
        return self.read

    def _checked(self, task: Any, state: Any, splits: Splits) -> Splits:
        """Check each side against what was learned from the training data; say what is odd, and what was skipped."""

        def sound(side: Examples) -> Examples:
            return checked(side, lambda example: task.check(example, state), self.recipe.on_bad_row)

        checked_sides = {name: sound(side) for name, side in splits.sides().items()}
        splits = replace(splits, **checked_sides)
        self.promises.check_rows(len(splits.untouched))
        self.notes = tuple(audit(splits, stratify=task.strata)) if len(splits.train) else ()
        self.notes += tuple(dict.fromkeys(note for side in checked_sides.values() for note in task.audit(side)))
        self.notes += tuple(f"{name}: {side.passed_over}" for name, side in checked_sides.items() if side.skipped)
        self.notes += tuple(note for side in checked_sides.values() for note in side.notes)
        for note in self.notes:
            self.tell(note)
        return splits

    def _about(self, task: Any, backbone: Any, splits: Splits) -> About:
        recipe = self.recipe
        return About(
            name=recipe.name or task.name.rpartition(":")[2],
            version=recipe.version,
            licence=recipe.licence,
            licences=tuple(filter(None, (backbone.spec.licence,))),
            long_text=recipe.long_text,
            max_tokens=recipe.max_tokens,
            recipe={**recipe.as_json(), "seed": recipe.seed},
            data=counted(splits),
            versions=versions(),
            notes=self.notes,
        )

    def _contest(self, adaptation: Any, task: Any, spec: Any, splits: Splits) -> Contest | None:
        """Return who contends where the adaptation chooses among others; which rows train hangs on it too."""
        choice = adaptation.choice(task, spec, list(splits.train)) if _chooses(adaptation) else None
        if choice is None:
            return None
        with self._named("adaptation"):
            return Contest.of(choice, task, spec, self.recipe.put, splits, is_dev_given=self.recipe.dev is not None)

    def _learned(
        self, fitting: Fitting, adaptation: Any, contest: Contest | None, brought: Brought | None, splits: Splits,
        folder: Path | None,
    ) -> tuple[Function, Splits]:  # fmt: skip
        """Return the function with all that it learns, φ and what the task tunes, and the examples as they were used."""
        recipe, task, spec = self.recipe, fitting.task, fitting.backbone.spec
        if contest is not None:
            choosing = Choosing(fitting, contest, splits)
            return choosing.made(folder), choosing.used
        if adaptation.learns == "state":
            fitting = replace(fitting, state=showing(adaptation, task, fitting.state, list(splits.train), recipe.seed))
        function = fitting.attached(adaptation, *chosen(task, spec, adaptation, recipe.put))
        if brought is not None:
            fitting.engine.load_phi(cast(TorchForm, function.form).program.model, brought.phi)
        elif adaptation.learns == "phi":
            function = fitting.fitted(function, splits, folder, among=self.among)
        return tuned(function, splits.dev), splits

    def _trusted(self, function: Function, splits: Splits) -> Function:
        """Return the function with scores that mean what they say, and with what it promises of its answers."""
        calibrating, promising = parted(splits.untouched, self.promises, self.recipe.seed)
        adaptation = cast(TorchForm, function.form).adaptation
        if not splits.untouched and (adaptation.learns != "phi" or self.is_described):
            calibrating = splits.dev  # which no training has used
        function = promised(calibrated(function, calibrating, splits.dev), promising, self.promises)
        function.untouched = promising
        return function

    def _compared(self, fitting: Fitting, adaptation: Any, described: Splits, folder: Path | None) -> Function:
        """Return the function of an adaptation that is fitted to descriptions, and to inputs alone where there are some."""
        function = fitting.attached(adaptation, *chosen(fitting.task, fitting.backbone.spec, adaptation, self.recipe.put))
        return tuned(fitting.fitted(function, described, folder, unlabelled=list(self.unlabelled or ())), described.dev)

    def _measured(self, function: Function, test: Examples) -> Function:
        """Return a function with its report on examples that it has not seen; a doubt about it is told."""
        function.report = self.steps.evaluate(function=function, examples=test).keeping(KEPT)
        figures = {name: metric.model_dump(mode="json") for name, metric in function.report.metrics.items()}
        doubted = doubts(function.report.metrics, function.report.metric, function.report.floor)
        for note in doubted:
            self.tell(note)
        about = replace(function.about, metrics=figures, notes=(*function.about.notes, *doubted))
        return function.replaced(about=about)

    def _rebuilt(self, function: Function, train: Examples, splits: Splits) -> Function:
        """Return the function of other splits, by the same adaptation.

        :param train: what the function has learned from.
        """
        form = cast(TorchForm, function.form)
        recipe, fitted = self.recipe.model_copy(update={"abstain_at": None, "sets_at": None}), form.adaptation
        named = recipe.adaptation.name if recipe.adaptation else ""
        if named != fitted.name and not is_file(named):  # what was chosen is not chosen again
            part = Part(name=fitted.name, options=fitted.options.model_dump(mode="json"))
            recipe = recipe.model_copy(update={"adaptation": part, "put": form.put})
        with ExitStack() as until_safe:
            again = _Building(recipe, self.steps, lambda note: None, until_safe, None, splits, among=train)
            return again.run(None, report=False)


def _chooses(adaptation: Any) -> bool:
    """Whether an adaptation is one that chooses among others."""
    return type(adaptation).choice is not Adaptation.choice


def _described(task: Any, state: Any) -> Examples:
    """Return what a task makes of the descriptions of its answers."""
    made = tuple(task.described(state))
    return Examples(made, tuple(f"description {number}" for number in range(1, len(made) + 1)), "descriptions")


def _texts(task: Any, examples: Examples) -> Iterator[str]:
    """Give the texts of the examples' inputs."""
    return (value for one in examples for name in task.Input.model_fields if isinstance(value := getattr(one, name), str))


def _without(side: str) -> str:
    """Say how a side is left out for good."""
    return f", with {side}_share = 0 if none is to be split off" if side != "train" else ""
