"""The contract of tasks: what is to be computed.

A task owns its types, what it learns besides φ, and its metrics. How inputs become rows and rows
become outputs is a *formulation*, and the same task may have several by name. What is learned is another
question, and the adaptation's. A simple task is its own formulation. Everything here is numpy only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from functory.contracts import telling
from functory.contracts.backbone import BackboneSpec
from functory.contracts.certainty import Certainty
from functory.contracts.component import Component, O
from functory.contracts.family import UNITS, Unit
from functory.contracts.formulation import Formulation
from functory.contracts.judging import Judgement, judged
from functory.errors import DataError, NotSupported

if TYPE_CHECKING:
    from functory.data import Examples

Scorer = Callable[[NDArray[np.int64]], Mapping[str, float]]
"""Indices of examples → metrics on just those: what the bootstrap resamples."""

Floor = Callable[[Sequence[Any]], Sequence[Any]]
"""Examples → what a simple method without a backbone answers to each."""


class Input(BaseModel):
    """The input of a function. Subclasses name its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Output(BaseModel):
    """The output of a function, with what every task may need to say about one answer."""

    model_config = ConfigDict(frozen=True)

    abstained: bool = Field(default=False, description="The function declined to answer.")
    notes: tuple[str, ...] = Field(default=(), description="What the caller should know: 'cut at 512 tokens'.")

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Show the task's own fields first, and the common ones only where they say something."""
        yield from self._own().items()
        yield from ((name, value) for name in Output.model_fields if (value := getattr(self, name)))

    def __str__(self) -> str:
        return repr(self)

    def _own(self) -> dict[str, Any]:
        """Return the task's own fields, without those that every output has."""
        return {name: getattr(self, name) for name in type(self).model_fields if name not in Output.model_fields}

    def json(self) -> str:  # type: ignore[override]  # pydantic's own is deprecated, and takes what nobody needs here
        """Return the answer as JSON, in the one form that it has everywhere: in the shell and over HTTP too, byte for byte."""
        return self.model_dump_json()

    def in_line(self, top: int = 3) -> str:
        """Return the answer in one line, for people.

        :param top: how many of what was scored are told.
        """
        return telling.brief(self._own(), top)

    def in_cells(self, top: int | None = None) -> dict[str, Any]:
        """Return the answer as the cells of a table's row: by column a text, a number or a truth value.

        :param top: how many of what was scored, with their names; a column for each when None.
        """
        return dict(telling.cells(self._own(), top))

    def with_best(self, top: int) -> Self:
        """Return the output with the best few of what was scored, the best first."""
        scored = {name: telling.best(value, top) for name, value in self._own().items() if telling.is_scores(value)}
        return self.model_copy(update=scored)


class State(BaseModel):
    """What a task learned that is not φ: label order, thresholds, calibration. Stored as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def said(self) -> dict[str, Any]:
        """Return what clients of a served function may know of it, as plain data: all but rows that it was trained on."""
        return self.model_dump(mode="json")


@dataclass(frozen=True)
class Suited:
    """What a task is built with where the user names none.

    :param backbone: the backbone's name.
    :param adaptation: the adaptation's.
    :param why: in a sentence or two, for people.
    :param multilingual: the backbone in its place for texts that are not English; the same when empty.
    :param multilingual_adaptation: the adaptation that goes with that one; the same when empty.
    """

    backbone: str
    adaptation: str
    why: str
    multilingual: str = ""
    multilingual_adaptation: str = ""


class Task(Component[O]):
    """What is to be computed: typed input, output and example, the state, the metrics."""

    kind: ClassVar[str] = "tasks"
    Input: ClassVar[type[Input]]
    Output: ClassVar[type[Output]]
    Example: ClassVar[type[BaseModel]]
    """An Input with the gold fields beside it."""
    State: ClassVar[type[State]] = State
    shorthand: ClassVar[tuple[str, ...]] = ("text",)
    """The fields that may be given without a name, in order: ``fn("a", "b")``."""
    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """For each field of Example, the column names by which it is recognised; ``ending*`` stands for ending0, ending1 …, which
    `gathered` makes the field's value of."""
    parts: ClassVar[Mapping[str, str]] = {}
    """For a task made of functions (a composite): each part's name and the task it must do."""
    metric: ClassVar[str] = ""
    """The metric by which one function is better than another."""
    metrics: ClassVar[Mapping[str, str]] = {}
    """What `scorer` may give: each metric's name, and what it is in a few words."""
    floored_by: ClassVar[str] = "a simple method without a backbone"
    """What `floor` is, in a few words: "a regression on n-grams"."""
    teaches_layers: ClassVar[str] = ""
    """Why the backbone's layers must learn too, and a head alone would not do; empty where the data decide."""
    unsaid: ClassVar[Collection[str]] = ("chat", "control", "guide", "instruction", "like", "prompt", "store", "system")
    """Options that a server does not tell its clients, and that no client takes from it: what stands in prompts, and where things
    lie, or may run."""
    unasked: ClassVar[str] = ""
    """Why no backbone is asked for it in a prompt, with what to do, where that is so."""
    lower_is_better: ClassVar[Collection[str]] = ()
    """Which of them are errors, so that less is better; never `metric`, by which functions are chosen."""

    def formulations(self, spec: BackboneSpec) -> Mapping[str, Formulation]:
        """Return the ways in which this task can be put to such a backbone, by name: those that go with it, and no others.

        ``"features"``: a head reads what the backbone makes of the input as one row. ``"vectors"``: each text is read by
        itself, and the head sees their vectors together. ``"plain"``: vectors as the backbone gives them, compared or given as
        they are. ``"prompt"``: label words, or an answer, after a prompt. Another name needs an adaptation that `puts`
        it. By default a task that is a Formulation itself offers that one.

        :raises NotSupported: where this task and such a backbone do not go together, and there is a reason to tell.
        """
        if isinstance(self, Formulation):
            return {"prompt" if self.program == "generate" else "features": self}
        return {}

    def suits(self, *, has_examples: bool) -> Suited:
        """Return the backbone and the adaptation that suit this task, for who names none, and why.

        :param has_examples: whether there is training data.
        :raises NotSupported: by a task that learns from examples, where there are none, and the other way round.
        """
        program = self.program if isinstance(self, Formulation) else ""
        if has_examples and program == "generate":
            raise NotSupported(f"task {self.name!r} learns nothing from examples.", do="leave out train.")
        if not has_examples and (program == "forward" or self.teaches_layers):
            raise self.needs_examples()
        if has_examples and self.teaches_layers:
            return Suited("minilm", "lora", self.teaches_layers, "e5")
        if has_examples:
            why = "a head on an encoder's features is fitted in seconds, updates of its layers in minutes: your data decide"
            return Suited("minilm", "auto", why, "e5")
        return Suited("smollm2", "zero-shot", "a decoder answers a prompt as it is, without any example")

    def needs_examples(self) -> NotSupported:
        """Return the error of a task that learns from examples, where there are none."""
        return NotSupported(f"task {self.name!r} learns from examples, and there are none.", do="give train = '…'.")

    def learn(self, examples: Sequence[Any]) -> Any:
        """Return the State that training examples give: the labels in their order.

        :param examples: instances of Example; empty without training data.
        :raises DataError: where the examples give nothing to learn: no label, one alone.
        :raises OptionError: where the task's options name what the examples do not have.
        """
        return self.State()

    def described(self, state: Any) -> Sequence[Any]:
        """Return examples made of what the task's answers are called, or described as: what an adaptation is fitted to whose
        `source` they are. A text that says what a label means stands for all texts of that label.

        :raises NotSupported: by tasks whose answers have no descriptions that could stand for inputs.
        """
        raise NotSupported(
            f"task {self.name!r} has no descriptions that an encoder could compare its inputs with.",
            do="give train = '…', and an adaptation that learns from examples.",
        )

    def adopt(
        self, labels: Sequence[str], *, unit: Unit = "text", is_multi: bool | None = False
    ) -> tuple[Any, Sequence[int]]:
        """Return the State that belongs to a head fitted elsewhere, a checkpoint's classifier, and its outputs' order here.

        :param labels: what the head's outputs stand for, in their order.
        :param unit: what gets such a label: the text, or each of its tokens; of a span they are ``start`` and ``end``.
        :param is_multi: whether each output is a yes or no of its own (sigmoid), and not one of several (softmax);
            None where its maker does not say, and the task's options do.
        :return: the State, of the task's own type; for each output of the task's head, which of `labels` it is.
        :raises NotSupported: by tasks whose heads are of another kind.
        :raises OptionError: where the task's options contradict the head.
        """
        raise NotSupported(f"task {self.name!r} takes no head that was fitted elsewhere.", do="give train = '…'.")

    def refuses(self, unit: Unit, wanted: str) -> NotSupported:
        """Return the error of a task that is given a head of another kind.

        :param unit: what the head gives something for.
        :param wanted: what the task is made of: "labels of whole texts".
        """
        does, task = UNITS[unit]
        return NotSupported(f"the head {does}, and task {self.name!r} is made of {wanted}.", do=f"build it with task = {task!r}.")

    def remarks(self, state: Any) -> Sequence[str]:
        """Return what a user should know of a State that `adopt` gave, such as how tags are read; nothing by default."""
        return ()

    def check(self, example: Any, state: Any) -> None:
        """Refuse an example that does not fit the state.

        :raises DataError: an unknown label at evaluation, spans that leave the text.
        """

    def prepared(self, found: Examples) -> Examples:
        """Return the examples of one source as the options want them, such as texts of joined labels as lists; unchanged by
        default. Called once a source, before labels are compared and `check` is asked.

        :raises DataError: for what only shows when all rows are looked at together.
        """
        return found

    def gathered(self, field: str, cells: Mapping[str, Any]) -> Any:
        """Return the value of a field of Example that the user reads from several columns of a row, such as one for each label.

        :param field: the field.
        :param cells: what each of the columns holds, in the user's order; None for nothing.
        :raises DataError: for cells that make no value, whose `where` is the column; by tasks whose fields are read from one.
        """
        raise DataError(
            f"task {self.name!r} reads {field!r} from one column, and not from {len(cells)}", do="name the one that holds it."
        )

    def labels(self, example: Any) -> tuple[str, ...]:
        """Return every label that stands in an example, as it is written; those of `strata` by default."""
        return self.strata(example)

    def relabelled(self, example: Any, names: Mapping[str, str]) -> Any:
        """Return an example with other names for its labels: what corrects white space, and merges labels that are alike.

        :param names: the new name of each label that changes.
        :raises NotSupported: by a task that does not say how.
        """
        raise NotSupported(
            f"task {self.name!r} does not rename labels, and {next(iter(names))!r} should be {next(iter(names.values()))!r}.",
            do="correct the data.",
        )

    def audit(self, found: Examples) -> Sequence[str]:
        """Return what is odd about examples to this task's own eyes, in sentences: noted, and no reason to stop."""
        return ()

    def strata(self, example: Any) -> tuple[str, ...]:
        """Return the labels of an example, which splits keep in balance and the audit counts: one for a task with one label,
        any number for a task with several; none by default.
        """
        return ()

    def scorer(self, outputs: Sequence[Any], examples: Sequence[Any], state: Any) -> Scorer:
        """Return the metrics as a function of which examples count, higher being better unless named so.

        :raises NotSupported: by tasks without metrics.
        """
        raise NotSupported(f"task {self.name!r} has no metrics.", do="look at its outputs with `functory run`.")

    def deciding(self, metrics: Collection[str]) -> str:
        """Return which of the metrics that `scorer` gave decides: `metric`, or the first where some examples have others."""
        return self.metric if self.metric in metrics else next(iter(metrics))

    def baseline(self, examples: Sequence[Any], state: Any) -> Sequence[Any] | None:
        """Return, for each example, what a function that reads nothing would answer; None where there is none."""
        return None

    def floor(self, examples: Sequence[Any], state: Any) -> Floor | None:
        """Return a simple method that learned from examples in seconds, without a backbone: what a function must be worth more
        than. None where the task knows none, or there is nothing to learn.
        """
        return None

    def breakdown(self, outputs: Sequence[Any], examples: Sequence[Any], state: Any) -> Mapping[str, Any]:
        """Return `per_class` (a list of rows) and `confusion`, where the task has them: `labels`, and a `matrix` (true classes
        down, given ones across) or, for many classes, `counts` of what happened: the true class, the given one, how often.
        """
        return {}

    def judge(self, output: Any, example: Any, state: Any) -> Judgement:
        """Return an answer beside the right one, in words: for the list of mistakes, and for comparing two functions.

        By default they are compared by the fields that `Output` and `Example` both have; how sure the function was is the
        largest of the output's ``scores``, or its ``score``. A task whose fields have other names overrides it.
        """
        return judged(output, example, list(self.Input.model_fields), list(Output.model_fields))

    def certainty(self, outputs: Sequence[Any], examples: Sequence[Any], state: Any) -> Certainty | None:
        """Return how sure the function was of each answer, beside whether it was right: what calibration, the risk–coverage curve
        and promises are made of; None where answers have no probability, or are neither right nor wrong.
        """
        return None

    def said(self) -> dict[str, Any]:
        """Return the options that decide its types and how its outputs are measured, as plain data, for who is elsewhere."""
        return self.options.model_dump(mode="json", exclude_unset=True, exclude={*self.unsaid})

    def output_schema(self, state: Any) -> dict[str, Any]:
        """Return the JSON Schema of the output; a task that knows its labels names them."""
        return self.Output.model_json_schema()

    def golden_inputs(self, state: Any) -> Sequence[Any]:
        """Return inputs made for replaying, in every script and length that the task must bear."""
        return ()

    def compose(self, parts: Mapping[str, Any], inputs: Sequence[Any]) -> Sequence[Any]:
        """Compute the outputs from the parts' functions, for a task that has `parts`.

        :raises NotSupported: by tasks that are not made of functions.
        """
        raise NotSupported(f"task {self.name!r} is not made of functions.", do="build it with a backbone.")

    def explained(self, output: Any) -> Mapping[str, float]:
        """Return what of an output can be explained, for a task that has `parts`: names with their numbers, the most asked for
        first. By default what was scored, the best first, and each field that is a number.
        """
        found: dict[str, float] = {}
        for name, value in output._own().items():
            if telling.is_scores(value):
                found |= telling.best(value, len(value))
            elif isinstance(value, float):
                found[name] = value
        return found
