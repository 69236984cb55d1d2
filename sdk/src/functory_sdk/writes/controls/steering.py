"""What a request's control becomes in process: one `Steer`, made of what holds its texts and of what weighs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from functory.contracts.controlling import Control
from functory.contracts.decoding import SURE, Steer, Steered
from functory.contracts.rows import Array
from functory.errors import NotSupported
from functory.reading.tokenizer import Tokenizer
from functory_sdk.writes.controls.held import Held
from functory_sdk.writes.controls.toward import Towards


@dataclass(frozen=True)
class InTurn(Steer):
    """Several, each of which changes what the one before gave."""

    steers: tuple[Steer, ...]

    def __call__(self, written: Sequence[int], scores: Array) -> Steered:
        margin = SURE
        for steer in self.steers:
            scores, own = steer(written, scores)
            margin = min(margin, own)
        return Steered(scores, margin)


def steering(
    control: Control, tokenizer: Tokenizer, vocabulary: int, most: int, stop_ids: frozenset[int], stops: Sequence[str] = ()
) -> Steer | None:
    """Return what steers texts by a control; None where it decides nothing.

    :param vocabulary: how many tokens have a score.
    :param most: how many tokens a text may have.
    :param stops: texts at which a text is cut off.
    :raises OptionError: before the first token, where no such text meets the control, or a classifier is none.
    :raises NotSupported: where the backbone names no token that ends a text.
    """
    if control.is_free:
        return None
    if not stop_ids:
        raise NotSupported("a control needs a token that ends a text.", do="take a backbone that names its end.")
    made: list[Steer] = []
    if control != Control(toward=control.toward):
        made.append(Held(control, tokenizer, vocabulary, most, stop_ids, stops))
    made += [Towards(one, tokenizer, stop_ids) for one in control.toward]
    return made[0] if len(made) == 1 else InTurn(tuple(made))
