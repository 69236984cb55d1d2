"""The callable: a typed function with a language model inside.

Made by `functory.build`, `functory.load` and `functory.compose`; never constructed by hand. Apart from what makes it (`build`),
what runs (`running.working`), where it is kept (`artefact`) and how it is described (`describing`): here is what people call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functory.contracts.engine import Session, SessionOptions
from functory.contracts.rows import Row
from functory.contracts.task import Task
from functory.errors import NotSupported
from functory.machine.storage import refusals_told
from functory.reading.reader import Reader
from functory.running.about import About
from functory.running.floors import Floored
from functory.running.forms import Form
from functory.running.inputs import arguments, item, many
from functory.running.mapping import mapped
from functory.running.opened import Opened
from functory.wording.harmless import harmless

if TYPE_CHECKING:
    from functory.contracts.batching import Told
    from functory.contracts.explanation import Attribution
    from functory.contracts.formulation import Target
    from functory.contracts.optimization import OptimizationReport
    from functory.data import Examples
    from functory.data.sources import Format
    from functory.measuring.report import Report
    from functory.running.golden import Golden
    from functory.running.rounds import Round
    from functory.running.streaming import Stream
    from functory.running.working import Work


class Function:
    """A function with a language model inside: call it, map it, stream it, measure it, explain it, save it.

    Safe to call from many threads at once.
    """

    def __init__(
        self,
        task: Task[Any],
        state: Any,
        form: Form,
        about: About,
        *,
        golden: Sequence[Golden] = (),
        session: SessionOptions | None = None,
        hooks: Sequence[Any] = (),
        report: Report | None = None,
    ) -> None:
        from functory.running.describing import brief, caller, doc, signature

        self.task = task
        self.state = state
        self.form = form
        self.about = about
        self.golden = list(golden)
        self.hooks = tuple(hooks)
        self.sha256 = ""
        """The digest of the artefact that it was loaded from, as `functory.verify` gives it; empty for one that was just made."""
        self.report = report
        """The report of the test split, of this build or of the one that was saved; None where nothing was measured."""
        self.held_out: Examples | None = None
        """Examples that were not trained on, where the function was just built: what `optimize` measures on."""
        self.untouched: Examples | None = None
        """Examples on which it promised something, where it was just built: what another form promises on again."""
        self.calibration: Sequence[Any] = ()
        """Inputs of the training data, where the function was just built: what `optimize` calibrates on."""
        self.floor: Floored | None = None
        """What a simple method answers that learned from the same examples, where they are known: where the function was just
        built, and where `evaluate` is given them."""
        self.session_options = session or SessionOptions()
        self.held = Opened()
        """What is opened for it; functions that were made of one another may share it."""
        self._is_written_otherwise = False  # than its golden examples were
        self.__name__ = about.name
        self.__signature__ = signature(task)
        self._call = f"{about.name}{brief(self.__signature__)}"
        # help(fn) shows the class of fn: this one speaks of this function.
        body = {"__doc__": doc(self), "__module__": "functory", "__call__": caller(task, Function.__call__)}
        self.__class__ = type(type(self).__name__, (Function,), body)

    # -- calling ----------------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute one output.

        :raises InputError: when the arguments do not make the task's Input.
        :raises TooLong: for a long text in a function built to refuse them.
        """
        return self._compute([self.read(*args, **kwargs)])[0]

    async def acall(self, *args: Any, **kwargs: Any) -> Any:
        """Compute one output in a thread, while the event loop goes on: ``await fn.acall("…")``. Texts that are asked for at once
        are written together.

        :raises InputError: when the arguments do not make the task's Input.
        :raises TooLong: for a long text in a function built to refuse them.
        """
        import asyncio

        from functory.running.waiting import waited

        return await (waited if self.form.is_awaited else asyncio.to_thread)(self, *args, **kwargs)

    def map(self, inputs: Iterable[Any], *, progress: bool | None = None) -> Iterator[Any]:
        """Compute many outputs, in order, in batches of equal cost; those of a slow source as it gives its inputs.

        :param inputs: texts, tuples or dicts of fields, or Input objects, may be endless; a series or an array of them; or a
            table (a frame, an Arrow table, a data set, a dict of columns), of which the columns are known by their names.
        :param progress: show a bar on stderr; by default on a terminal only.
        :raises InputError: for one text, path or dict: call the function for that.
        """
        quiet = None if progress is None else not progress
        return mapped(self.items(inputs), self.coerce, self._compute, name=self.about.name, quiet=quiet)

    def items(self, inputs: Any) -> Iterable[Any]:  # Any: what users have many inputs in
        """Return what `map` goes through, each for `coerce`: the rows of a table have the Input's fields by now.

        :raises InputError: for one text, path or dict.
        """
        return many(self.task, inputs, self._call)

    def under(self, inputs: Iterable[Any], states: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        """Compute many inputs once, and give of each the output under every one of several states.

        :param inputs: as for `map`.
        """
        decode = self._work.form.formulation.decode

        def compute(values: Sequence[Any], told: Told) -> list[tuple[Any, ...]]:
            return [tuple(decode(side, rows, state) for state in states) for side, rows in self.trace(values, told)]

        return mapped(self.items(inputs), self.coerce, compute, name=self.about.name, quiet=None)

    def stream(self, *args: Any, **kwargs: Any) -> Stream:
        """Give the output's text as it is written, piece by piece; the stream says in the end why it ended.

        :raises NotSupported: by functions that do not write, and where several samples are asked for.
        :raises InputError: when the arguments do not make the task's Input.
        """
        return self.form.stream(self, self.read(*args, **kwargs))

    def using(self, **decoding: Any) -> Function:
        """Return this function writing otherwise: ``fn.using(temperature=0.7, seed=3)("…")``. Both share what is opened, and
        nothing is loaded again.

        :param decoding: the options of `functory.contracts.decoding.Decoding`, by name; what is not named stays.
        :raises NotSupported: by functions that do not write.
        :raises OptionError: for an unknown option, a wrong type or a value out of range.
        """
        made = self.form.using(self, decoding)
        made.held, made._is_written_otherwise = self.held, True
        return made

    def _compute(self, values: Sequence[Any], told: Told | None = None) -> list[Any]:
        """Compute the outputs of Input objects: encode → run → decode."""
        return self.form.outputs(self, values, told)

    def trace(self, values: Sequence[Any], told: Told | None = None) -> list[tuple[Any, list[Row]]]:
        """Return, for each Input, its side data and the program's outputs for its rows, before decoding.

        :param told: told of each part that is done, as its share of the whole.
        """
        return self._work.trace(values, told)

    def rounds(self, values: Sequence[Any], told: Told | None = None) -> list[list[Round]]:
        """Return all that is written for each Input, round after round.

        :param told: as for `trace`.
        """
        return self._work.rounds(values, told)

    @property
    def _work(self) -> Work:
        return self.form.work(self)

    # -- inputs -----------------------------------------------------------------------------------------

    def read(self, *args: Any, **kwargs: Any) -> Any:
        """Return arguments as the task's Input: ``fn("a", "b")`` names the fields in their order.

        :raises InputError: when they do not make one.
        """
        return arguments(self.task, args, kwargs, self._call)

    def coerce(self, value: Any) -> Any:
        """Return one value of `map` as the task's Input: a text, a tuple or a dict of fields."""
        return item(self.task, value, self._call)

    @property
    def reader(self) -> Reader:
        """What turns texts into rows for this form's backbone."""
        return self._work.reader

    @property
    def session(self) -> Session:
        """The opened program; opened when first needed."""
        return self._work.session

    def opened(self, **options: Any) -> Function:
        """Return this function, and each part of a composite, with other session options: threads, device, budget, precision."""
        changed = SessionOptions.of({**self.session_options.model_dump(), **options})
        return self.replaced(session=changed, form=self.form.opened(options))

    @property
    def is_narrow(self) -> bool:
        """Whether it is opened in numbers that are narrower than its form's own, or a part of it is."""
        return self.session_options.precision != "auto" or any(
            part.is_narrow for part in self.form.parts.values()
        )

    def replaced(self, **changes: Any) -> Function:
        """Return a function like this one, with another form, about or session."""
        kept = {
            "task": self.task, "state": self.state, "form": self.form, "about": self.about, "golden": self.golden,
            "session": self.session_options, "hooks": self.hooks, "report": self.report,
        }  # fmt: skip
        made = Function(**{**kept, **changes})
        made.held_out, made.calibration, made.floor = self.held_out, self.calibration, self.floor
        made.untouched, made._is_written_otherwise = self.untouched, self._is_written_otherwise
        if made.form is self.form and made.session_options == self.session_options:
            made.held = self.held
        if made.form is self.form and made.about is self.about:
            made.sha256 = self.sha256
        return made

    def close(self) -> None:
        """Free what the session holds; it is opened again when needed."""
        self.held.close()

    # -- measuring, explaining, changing, keeping ---------------------------------------------------------

    @property
    def name(self) -> str:
        """The function's name."""
        return self.about.name

    @property
    def optimization(self) -> OptimizationReport | None:
        """The report of the optimization that this function came out of, changed or not; None where it met none."""
        from functory.contracts.optimization import OptimizationReport

        return None if self.about.optimization is None else OptimizationReport.model_validate(self.about.optimization)

    @refusals_told
    def evaluate(
        self,
        data: Any,
        *,
        on_bad_row: str = "stop",
        columns: Mapping[str, str | Sequence[str]] | None = None,
        format: Format | None = None,
        encoding: str = "",
        mistakes: int = 20,
        train: Any = None,
    ) -> Report:
        """Measure the function on data with known answers: intervals, baselines, per-class table, mistakes.

        :param data: files, a pattern, a sample, an iterable of dicts, a data set, or Examples.
        :param on_bad_row: ``stop`` or ``skip``.
        :param columns: which column, or which several, hold which field.
        :param format: the reader of the files, or a mapping of its name and options; found out when None.
        :param encoding: the files' encoding, where their bytes do not tell.
        :param mistakes: how many wrong answers the report lists at most, the surest first; 1,000 are the most.
        :param train: the data that the function learned from, for a simple method to learn from beside it, such as a regression
            on n-grams; a function that was just built knows them.
        :raises OptionError: when that number is negative.
        :raises DataError: for a bad row or an unknown label, naming file and line.
        """
        from functory.measuring.evaluation import read_examples
        from functory.steps import Steps

        read = partial(
            read_examples, self.task, self.state, columns=columns, on_bad_row=on_bad_row, format=format, encoding=encoding
        )
        function = self if train is None else self.replaced()
        if train is not None:
            function.floor = Floored(self.task, self.state, read(train))
        report: Report = Steps(self.hooks).evaluate(function=function, examples=read(data))
        return report.keeping(mistakes)

    def targets(self, value: Any) -> Sequence[Target]:
        """Return what of this input's output can be explained, the most asked for first."""
        return self.form.targets(self, self.coerce(value))

    @refusals_told
    def explain(
        self, value: Any, *, method: str = "occlusion", target: str | None = None, **options: Any
    ) -> Attribution:
        """Say why the output is what it is: the weight of each word, with its measured faithfulness.

        :param value: one input.
        :param method: an explanation's name.
        :param target: which label, span or token; the first of `targets` when None.
        :param options: the explanation's own.
        """
        from functory.using.explaining import explain

        return explain(self, value, method, target, options)

    @refusals_told
    def optimize(self, method: str = "int8", data: Any = None, **options: Any) -> Function:
        """Return a smaller or faster function, or one in the same form where nothing is gained; its `optimization` says which.

        :param method: an optimization's name.
        :param data: held-out data with answers; the test split of the build where it is still known.
        :param options: the optimization's own, such as ``max_drop=0.005``.
        """
        from functory.using.optimizing import optimize

        return optimize(self, method, data, options)

    @refusals_told
    def save(self, folder: Path | str, *, mistakes: bool = False) -> Path:
        """Write the function into a folder, whole or not at all, and replay its golden examples from there.

        :param folder: made now; an earlier function in it is replaced.
        :param mistakes: keep the report's mistakes too. They quote the data that it was evaluated on, and whoever gets the
            folder reads them; so they stay out unless asked for.
        """
        from functory.artefact.writing import save

        if self._is_written_otherwise:
            from functory.running.golden import record

            self.golden = record(self, [one.value for one in self.golden]) if self.golden else []
            self._is_written_otherwise = False
        return save(self, Path(folder), mistakes=mistakes)

    @refusals_told
    def package(
        self, name: str | None = None, target: Path | str = "dist", *, method: str = "wheel", **options: Any
    ) -> list[Path]:
        """Write something to deploy; see `functory.using.packaging.package`."""
        import tempfile

        from functory.using.packaging import package

        with tempfile.TemporaryDirectory() as folder:
            return package(
                self.save(Path(folder) / "function"),
                name or self.about.name,
                target,
                method=method,
                hooks=self.hooks,
                **options,
            )

    # -- describing -------------------------------------------------------------------------------------

    def info(self) -> dict[str, Any]:
        """Return what the function is, as plain data."""
        from functory.running.describing import info

        return info(self)

    @property
    def signature(self) -> dict[str, Any]:
        """JSON Schemas of input and output, with a description of each parameter."""
        from functory.running.describing import schemas

        return schemas(self.task, self.state)

    def __repr__(self) -> str:
        return harmless(f"<functory function {self._call}: {self.form.name}>")

    def _repr_html_(self) -> str:
        """Show the function in a notebook; nothing is computed for it."""
        from functory.running.notebook import html

        return html(self)

    def __reduce__(self) -> Any:
        raise NotSupported(
            f"{self.about.name} cannot be pickled: no pickle is ever read.",
            do="save it, and load it where it is needed.",
        )
