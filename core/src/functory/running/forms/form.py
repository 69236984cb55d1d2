"""What every form owes, and what one has that says no more: whatever can be known of a function by its typed outputs alone.

Apart from `program`, where there is a program whose numbers are read too.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self

from functory.contracts.engine import Session, SessionOptions
from functory.contracts.formulation import Target
from functory.contracts.rows import Row
from functory.errors import InputError, NotSupported

if TYPE_CHECKING:
    from functory.contracts.batching import Told
    from functory.contracts.component import Component
    from functory.function import Function
    from functory.running.forms.record import FormRecord, Saving
    from functory.running.golden import Golden
    from functory.running.reruns import Rerun
    from functory.running.streaming import Stream
    from functory.running.working import Work


class Form(ABC):
    """How a function exists. A kind of form says its name, and computes outputs; all else it may say better."""

    kind: ClassVar[str]
    """What manifests call it: ``torch``."""
    Record: ClassVar[type[FormRecord] | None] = None
    """What a manifest keeps of it; None where it cannot be saved."""
    tolerance: float
    """By how much any number of its outputs may be off where it is replayed."""
    schemes: ClassVar[tuple[str, ...]] = ()
    """With what the URLs begin by which it reaches functions that are elsewhere: ``("http", "https")``; most reach none."""
    parts: Mapping[str, Function] = MappingProxyType({})
    """The functions that it is made of, by the names that the task gives them; most are made of none."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What it is called: ``openvino int8``."""

    @property
    def is_written(self) -> bool:
        """Whether its outputs are written token by token, or those of a part."""
        return any(part.form.is_written for part in self.parts.values())

    @property
    def is_streamed(self) -> bool:
        """Whether `stream` gives what it writes."""
        return False

    @property
    def is_awaited(self) -> bool:
        """Whether who calls it waits for what others compute, so that many may wait at once."""
        return self.is_written

    @property
    def rounding(self) -> float:
        """By how much a number may be off on another processor, whatever is seen of it on one."""
        return 0.0

    @classmethod
    def reach(cls, url: str, options: Mapping[str, Any], sha256: str) -> Function:
        """Return the function that a URL leads to, for a form with `schemes`.

        :param url: it begins with one of them.
        :param options: how it is reached, as the caller of `functory.load` names it.
        :param sha256: the digest that the function must have; any when empty.
        :raises NotSupported: by a form that reaches none.
        """
        raise NotSupported(f"a form of the kind {cls.kind!r} reaches no function.", where=url)

    # -- computing --------------------------------------------------------------------------------------

    @abstractmethod
    def outputs(self, function: Function, values: Sequence[Any], told: Told | None = None) -> list[Any]:
        """Return the typed output of each Input.

        :param function: whose form it is: its task, its state, its session options.
        :param told: told of each part that is done, as its share of the whole.
        """

    def stream(self, function: Function, value: Any) -> Stream:
        """Return what is written for one Input, as it is written.

        :raises NotSupported: by a function that does not write, and where several samples are asked for.
        """
        return self.work(function).stream(value)

    def using(self, function: Function, decoding: Mapping[str, Any]) -> Function:
        """Return the function writing otherwise; both share what is opened.

        :param decoding: the options of a decoding that differ.
        :raises NotSupported: by a function that does not write.
        :raises OptionError: for an unknown option, a wrong type or a value out of range.
        """
        raise self.without_program(function)

    def work(self, function: Function) -> Work:
        """Return its program at work: inputs become rows, and a session runs them.

        :raises NotSupported: by a form that has no program.
        """
        raise self.without_program(function)

    def without_program(self, function: Function) -> NotSupported:
        """Return the error that says that it has no program to ask, and what to ask instead."""
        return NotSupported(
            f"{function.name} has no program of its own: it is {self.name}.", do="call it: its outputs are all that it gives."
        )

    def open(self, options: SessionOptions) -> Session:
        """Open its program.

        :raises NotSupported: by a form that has none; for a precision that its engine does not know.
        """
        raise NotSupported(f"{self.name} has no program to open.", do="call the function.")

    def reading(self) -> AbstractContextManager[None]:
        """Return what it is run in: nothing special where none of an artefact's files is in use any more."""
        return nullcontext()

    def opened(self, options: Mapping[str, Any]) -> Self:
        """Return it with other session options for each function that it is made of."""
        return self

    # -- explaining -------------------------------------------------------------------------------------

    def targets(self, function: Function, value: Any) -> Sequence[Target]:
        """Return what of an Input's output can be explained, the most asked for first."""
        [output] = self.outputs(function, [value])
        return [Target(name=name, port="", index=()) for name in function.task.explained(output)]

    def evidence(
        self, function: Function, values: Sequence[Any], target: Target, told: Callable[[float], None]
    ) -> list[float]:
        """Return how much speaks for a target in each of many Inputs, which are the first one changed.

        What is no more said of a changed Input, or what it is refused for, counts as 0, or as its least number.
        """
        said = [function.task.explained(output) if output else {} for output in self._allowed(function, values)]
        told(1.0)
        return [one[target.name] if target.name in one else min([0.0, *one.values()]) for one in said]

    def _allowed(self, function: Function, values: Sequence[Any]) -> list[Any]:
        """Return the output of each Input; None where it is refused."""
        try:
            return list(self.outputs(function, values))
        except InputError:
            return [one for value in values for one in self._allowed(function, [value])] if len(values) > 1 else [None]

    # -- golden examples --------------------------------------------------------------------------------

    def recorded(self, function: Function, values: Sequence[Any]) -> list[tuple[Any, list[Row]]]:
        """Return the typed output of each Input, with the numbers that it was made of; none where it tells none."""
        return [(output, []) for output in function.map(values, progress=False)]

    def rerun(self, function: Function, golden: Sequence[Golden], values: Sequence[Any]) -> list[Rerun]:
        """Return what golden examples come out as now, all together.

        :param values: their Inputs.
        """
        from functory.running.reruns import compared

        return compared(golden, self.recorded(function, values))

    # -- keeping and describing --------------------------------------------------------------------------

    def write(self, place: Saving) -> FormRecord:
        """Write its files into the folder of a function, and return what the manifest keeps of it.

        :raises NotSupported: by a form that cannot be saved.
        """
        raise NotSupported(f"{self.name} cannot be saved: it is nothing that a folder holds.", do="save what it was made from.")

    def weight(self) -> int:
        """Return the bytes that it takes on disk, apart from its parts, a little more or less."""
        return 0

    def components(self) -> Iterable[Component[Any]]:
        """Give the components, apart from the task and those of its parts, that compute its numbers."""
        return ()

    def described(self) -> dict[str, Any]:
        """Return what it is made of, as plain data, for `Function.info`."""
        return {}
