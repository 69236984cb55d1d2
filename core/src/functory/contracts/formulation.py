"""The contract of formulations: how a task is put to a backbone, encode → run → decode, and what is taught of it.

Apart from tasks, of which one may have several: as a classification of ``"features"``, say, or as a ``"prompt"`` whose
answers' likelihood is compared. Everything here is numpy only; the head and its loss are torch, named by a path.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from functory.contracts import counted
from functory.contracts.backbone import BackboneSpec
from functory.contracts.odds import TargetScale, joint_odds, log_odds
from functory.contracts.rows import Array, Encoded, Port, Row, Taught
from functory.errors import NotSupported, OptionError

if TYPE_CHECKING:
    from functory.contracts.decoding import Decoding
    from functory.reading.reader import Reader
    from functory.reading.stopping import Stops
    from functory.reading.tokenizer import Tokenizer

VANISHED = -20.0
"""The number of a target whose place is gone: a log-probability, or log-odds, of next to nothing."""


class Target(BaseModel):
    """A scalar of an output that can be explained: which label, which span, which token.

    It stands at ``outputs[row][port][index]`` of the rows of one input; without a row it is the mean over all of them. Where it
    stands at several places of a row, their numbers are added: log-probabilities of what is so only together.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    port: str = Field(description="The program output it is read from.")
    index: tuple[int, ...] = Field(description="The place in that output, for one row.")
    also: tuple[tuple[int, ...], ...] = Field(
        default=(), description="Further places there, whose numbers count with it: a span's end beside its beginning."
    )
    row: int | None = Field(default=None, description="Which row of the input; None for the mean over its rows.")
    at: int | None = Field(
        default=None, description="The character it stands at, where the place in the rows moves when the text changes."
    )
    until: int | None = Field(default=None, description="Of a span, the character after its last.")
    scale: TargetScale = Field(
        default="raw", description="What the number is: a log-probability, a logit, or neither."
    )


@dataclass(frozen=True, slots=True)
class Likened:
    """A row's part in a target that is the cosine of two vectors, each made of rows: cos(rest + share · its output, other).

    :param row: which row of the input.
    :param rest: (width,) what the other rows add to its vector; of the output as many numbers count.
    :param other: (width,) the vector that it is held against.
    """

    row: int
    rest: Array
    share: float
    other: Array


class Formulation(ABC):
    """How one task is put to one kind of backbone: encode → run → decode.

    One instance serves many threads: it holds no state besides its construction.
    """

    program: ClassVar[Literal["forward", "generate"]] = "forward"
    head: ClassVar[str] = ""
    """Where the torch head is: ``functory_sdk.torch:TaggingHead``; imported by engines that train. That of a generate program is
    the one that its training minimises; empty where it learns nothing."""
    texts: int = 1
    """How many texts a row holds, each read by itself and seen together by the head alone: rows are `Reader.stacked`, and the
    head's reading is one of stacked texts. 1 where a row is one sequence, whatever stands in it."""

    decoding: Decoding | None = None
    """How it writes, which `encode` puts into its requests; None in one that does not write."""

    takes_control: ClassVar[bool] = False
    """Whether what it writes is held to the decoding's control. Where not, one is refused: nothing is passed over."""

    def using(self, decoding: Decoding) -> Self:
        """Return the same formulation that writes otherwise.

        :raises OptionError: for a control of what takes none.
        """
        self.check_control(decoding)
        made = copy(self)
        made.decoding = decoding
        return made

    def check_control(self, decoding: Decoding | None) -> None:
        """Refuse a control that nothing would hold.

        :raises OptionError: naming it.
        """
        if decoding is not None and decoding.control is not None and not self.takes_control:
            what = "what is written here has a form of its own, and takes no control."
            raise OptionError(what, do="leave control out.", field="control")

    def stops(self, tokenizer: Tokenizer) -> Stops:
        """Return where a text ends that is written, and how its tokens are read: at the decoding's stop strings."""
        from functory.reading.stopping import Stops

        return Stops(tokenizer, self.decoding.stop if self.decoding else ())

    @abstractmethod
    def encode(self, inputs: Sequence[Any], reader: Reader, state: Any) -> Encoded:
        """Turn inputs into rows (or requests), saying whose each row is.

        :param inputs: instances of the task's Input.
        :param reader: the tokenizer with the recipe's rule for long texts.
        :param state: the task's State.
        :raises TooLong: where the recipe says "refuse".
        :raises OptionError: where the options leave an input no room.
        """

    @abstractmethod
    def decode(self, side: Any, outputs: Sequence[Row], state: Any) -> Any:
        """Turn the outputs of all rows of one input into its Output.

        :param side: what `encode` kept for this input.
        :param outputs: one mapping per row, in order; for what was written one for each sample of each request, as
            `functory.contracts.decoding.texts` has them: ``tokens`` (tokens,) and what else is known. Of several rounds the last.
        """

    def further(self, side: Any, outputs: Sequence[Row], reader: Reader, state: Any) -> Encoded | None:
        """Return what else is written for an input, now that something is: the summary of partial ones, another try. None where
        nothing is, and `decode` is given these outputs.

        Asked of the inputs that `encode`, or this, calls ``unfinished``. What is kept of the round before is what the new side
        holds of it; a bound on the rounds is the formulation's own.

        :param side: what was kept for this input.
        :param outputs: as for `decode`, of what was written in this round.
        :return: the requests and the new side of this one input.
        """
        return None

    def outputs(self, spec: BackboneSpec, state: Any) -> tuple[Port, ...]:
        """Return the named outputs of the head; empty for a generation."""
        return ()

    def inputs(self, spec: BackboneSpec, state: Any) -> tuple[Port, ...]:
        """Return what a row holds besides the backbone's own ports (a mask of the scored tokens, say)."""
        return ()

    def gold_ports(self, spec: BackboneSpec, state: Any) -> tuple[Port, ...]:
        """Return the ports of the gold arrays that `label` adds and the loss reads."""
        return ()

    def label(self, examples: Sequence[Any], encoded: Encoded, state: Any) -> list[dict[str, Array]]:
        """Return, for each row, its gold arrays. Padding and special tokens get the port's fill.

        :param examples: the examples whose inputs `encoded` holds, in order.
        :raises NotSupported: by formulations that learn nothing.
        """
        raise NotSupported(f"{type(self).__name__} does not learn from examples.", do="choose another adaptation.")

    def teach(self, examples: Sequence[Any], inputs: Sequence[Any], reader: Reader, state: Any) -> Taught:
        """Return what is taught: by default the rows of the inputs with their gold arrays, each row a group of its own.

        A task whose loss compares rows says which belong together, as here the rows of each example::

            taught = super().teach(examples, inputs, reader, state)
            return replace(taught, group=taught.owner)

        :param examples: with what is right.
        :param inputs: the same without it, as a caller gives them: what `encode` may see.
        """
        encoded = counted.encode(self, inputs, reader, state)
        golds = counted.label(self, examples, encoded, state)
        return Taught([{**row, **gold} for row, gold in zip(encoded.rows, golds, strict=True)], encoded.owner)

    def appraise(self, outputs: Sequence[Sequence[Row]], examples: Sequence[Any], state: Any) -> Mapping[str, float]:
        """Return the metrics of held-out examples from the outputs of what `teach` makes of them, the one that decides first.

        For formulations whose answers cost more than a pass, or that are taught other rows than they answer from. Where it is
        not overridden, held-out examples are answered as in use, and the task's own metrics decide.

        :param outputs: for each example, those of its rows.
        :raises NotSupported: where it is not overridden.
        """
        raise NotSupported(f"{type(self).__name__} is appraised by its task's metrics.", do="ask its `scorer`.")

    def targets(self, output: Any, side: Any, state: Any) -> Sequence[Target]:
        """Return what of this output can be explained, and where it stands in the rows' outputs; the most asked for first."""
        return ()

    def places(self, target: Target, side: Any, outputs: Sequence[Row]) -> Sequence[tuple[int, tuple[int, ...]]]:
        """Return where a target stands in the outputs of an input, which may be a changed one: row and index, of each row
        that it is read from, and each place there; none where what it stood for is gone.
        """
        rows = range(len(outputs)) if target.row is None else [target.row]
        return [(row, index) for row in rows for index in (target.index, *target.also)]

    def value(self, target: Target, side: Any, outputs: Sequence[Row], state: Any) -> float:
        """Return a target's number for an input, which may be a changed one, on the scale that the target names."""
        found = [(row, float(np.asarray(outputs[row][target.port])[index])) for row, index in self.places(target, side, outputs)]
        return sum(number for _, number in found) / len({row for row, _ in found}) if found else VANISHED

    def evidence(self, target: Target, side: Any, outputs: Sequence[Row], state: Any) -> float:
        """Return a target's number on the scale where what speaks for it adds up: the log-odds of a probability, and a number
        that is none as it is. What explanations weigh; a formulation that overrides `value` overrides it too.
        """
        if target.scale != "log":
            return self.value(target, side, outputs, state)
        odds: dict[int, list[float]] = {}
        for row, index in self.places(target, side, outputs):
            odds.setdefault(row, []).append(log_odds(outputs[row][target.port], index))
        return float(np.mean([joint_odds(one) for one in odds.values()])) if odds else VANISHED

    def likened(self, target: Target, side: Any, outputs: Sequence[Row]) -> Sequence[Likened]:
        """Return each row's part in a target that is the cosine of two vectors; none for a target that stands in the outputs.

        A formulation that has such targets overrides `value` too. Each row is weighed with all others as they are.
        """
        return ()

    def lead(self, side: Any, outputs: Sequence[Row], state: Any) -> float | None:
        """Return by how much an answer leads the nearest other one, as a difference of probabilities; None where the
        formulation does not say.

        Where it is small, another processor's rounding may give the other answer, and golden examples allow for it; nowhere
        else. Where it is None they look at the two best of the output's ``scores``, if it has some.
        """
        return None

    def silent(self, reader: Reader, state: Any) -> Encoded | None:
        """Return what is read once, at a build, to learn what the backbone answers where nothing is said: inputs that
        say nothing, with their rows; None where nothing is learned of it, which is the default.

        Once, and not beside every input: what it gives stands in the state.
        """
        return None

    def heard(self, sides: Sequence[Any], outputs: Sequence[Sequence[Row]], state: Any) -> Any:
        """Return the state with what was learned of the outputs of `silent`.

        :param sides: what it kept of each of its inputs.
        :param outputs: for each of them, those of its rows.
        :raises NotSupported: where `silent` gives rows and this is not overridden.
        """
        raise NotSupported(f"{type(self).__name__} learns nothing where nothing is said.", do="override `heard` beside `silent`.")

    def calibrate(self, sides: Sequence[Any], outputs: Sequence[Sequence[Row]], examples: Sequence[Any], state: Any) -> Any:
        """Return the state whose probabilities mean what they say, by examples that training used for nothing. By default
        unchanged. What it gives is tuned afterwards.

        :param sides: as for `tune`, and so `outputs`.
        """
        return state

    def tune(self, sides: Sequence[Any], outputs: Sequence[Sequence[Row]], examples: Sequence[Any], state: Any) -> Any:
        """Return the state fitted on held-out outputs: thresholds, limits. By default unchanged.

        :param sides: what `encode` kept for each example, as `decode` is given it.
        :param outputs: for each example, the outputs of its rows.
        """
        return state
