"""What formulations share that ask how likely words are after a prompt: a row for each ending, and the endings' tokens.

Apart from `likelihoods`, which makes probabilities of what comes out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from functory.contracts.backbone import BackboneSpec
from functory.contracts.formulation import Formulation
from functory.contracts.rows import Array, Encoded, Port
from functory.errors import TooLong
from functory.reading.prompts import scored_port
from functory.reading.reader import Reader

Endings = tuple[Array, Sequence[Array]]
"""A prompt's tokens, and those of each ending after it."""


class Continuing(Formulation):
    """An ending after a prompt is a row, whose output is the mean log-probability of the ending's tokens.

    What rows begin with is computed once by engines that share it, so that a long prompt with many endings costs little more than
    the endings.
    """

    head: ClassVar[str] = "functory_sdk.torch:LikelihoodHead"
    port: ClassVar[str] = "log_probability"

    def inputs(self, spec: BackboneSpec, state: Any) -> tuple[Port, ...]:
        return (scored_port(spec),)

    def outputs(self, spec: BackboneSpec, state: Any) -> tuple[Port, ...]:
        return (Port(self.port, "float32"),)


def continued(asked: Iterable[tuple[Sequence[Endings], Any]], reader: Reader) -> Encoded:
    """Return a row for each ending of each prompt of each input.

    :param asked: for each input its prompts with their endings, and what is kept of it.
    """
    encoded = Encoded(rows=[], owner=[], side=[])
    for index, (prompts, side) in enumerate(asked):
        rows = [reader.written(ids, ending) for ids, endings in prompts for ending in endings]
        encoded.rows += rows
        encoded.owner += [index] * len(rows)
        encoded.side.append(side)
    return encoded


def endings(
    words: Sequence[str], reader: Reader, field: str = "", around: int = 0
) -> tuple[list[Array], tuple[str, ...]]:
    """Return the tokens of words as they go on from a prompt, (tokens,) each, and notes of what was cut.

    :param field: what a caller's words are called: one may fill half of the context, and is cut, or refused where that is the
        rule for long texts. Words of a recipe have none, and stay whole.
    :param around: the tokens that stand around the prompt's texts, and leave less than the context.
    :raises TooLong: for longer ones, where the rule is "refuse".
    """
    found = [tokens.ids for tokens in reader.tokenizer.tokens(words)]
    most, longest = max(1, (reader.max_tokens - around) // 2), max(map(len, found), default=0)
    if not field or longest <= most:
        return found, ()
    if reader.long_text == "refuse":
        raise TooLong(
            f"{field} has {longest} tokens; {most} fit.", do='shorten it, or build the function with long_text = "cut".'
        )
    return [ids[:most] for ids in found], (f"{field} cut at {most} tokens",)
