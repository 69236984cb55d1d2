"""What golden examples come out as when they are run again: by the numbers of a forward pass, or by the texts that were written.

Apart from `golden`, which says what is allowed: forms say which of these ways is theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from functory.contracts.counted import encode
from functory.contracts.formulation import Formulation
from functory.contracts.rows import Row
from functory.running import distances
from functory.running.rounds import rounds, stored

if TYPE_CHECKING:
    from functory.function import Function
    from functory.running.golden import Golden

Ran = Sequence[tuple[Any, list[Row]]]
"""Of each input its typed output, with the numbers that it was made of."""


@dataclass(frozen=True)
class Rerun:
    """One golden input, run again.

    :param output: the typed output, as plain data.
    :param distance: the largest difference of any number; for a generation, of the stored tokens' log-probabilities.
    :param parted: where a text took another token than the stored one, how many it has in common with it.
    :param gap: by how much the stored token led there; None where it took the same.
    :param lead: by how much the stored answer led the nearest other one; None where the formulation does not say.
    """

    output: dict[str, Any]
    distance: float
    parted: int = 0
    gap: float | None = None
    lead: float | None = None


def compared(
    golden: Sequence[Golden], ran: Ran, leads: Callable[[], Sequence[float | None]] | None = None
) -> list[Rerun]:
    """Compare numbers with what is stored.

    :param leads: gives by how much each stored answer led; asked where numbers are of the same shapes.
    """
    apart = [distances.distance(one.numeric, rows) for one, (_, rows) in zip(golden, ran, strict=True)]
    is_asked = leads is not None and max(apart, default=0) < float("inf")
    led = leads() if leads is not None and is_asked else [None] * len(golden)
    return [
        Rerun(output.model_dump(mode="json"), distance, lead=lead)
        for (output, _), distance, lead in zip(ran, apart, led, strict=True)
    ]


def leads(
    function: Function, put: Formulation, golden: Sequence[Golden], values: Sequence[Any]
) -> list[float | None]:
    """Return by how much each stored answer led, as its stored numbers say."""
    sides = put.encode(values, function.reader, function.state).side
    rows = [[{name: np.asarray(value) for name, value in row.items()} for row in one.numeric] for one in golden]
    return [put.lead(side, some, function.state) for side, some in zip(sides, rows, strict=True)]


def written(function: Function, put: Formulation, values: Sequence[Any]) -> list[tuple[Any, list[Row]]]:
    """Return what is written for each input, and a row for each sample of each of its requests: its tokens, with their
    log-probabilities.
    """
    gone = function.rounds(values)
    outputs = [put.decode(some[-1].side, some[-1].rows, function.state) for some in gone]
    rows_of = [[row for one in some for row in one.rows] for some in gone]
    likely = _likelihood(function, put, values, rows_of)
    rows_of = [
        [{**row, "log_probability": one} for row, one in zip(rows, some, strict=True)]
        for rows, some in zip(rows_of, likely, strict=True)
    ]
    return list(zip(outputs, rows_of, strict=True))


def rewritten(
    function: Function, put: Formulation, golden: Sequence[Golden], values: Sequence[Any], ran: Ran
) -> list[Rerun]:
    """Compare texts with what is stored."""
    likely = _likelihood(function, put, values, [one.numeric for one in golden])
    return [
        _rewritten(one.numeric, output.model_dump(mode="json"), rows, some)
        for one, (output, rows), some in zip(golden, ran, likely, strict=True)
    ]


def _rewritten(then: Sequence[Mapping[str, Any]], output: dict[str, Any], now: Sequence[Row], likely: Sequence[Any]) -> Rerun:
    """Compare what was written for an input with what is stored.

    :param then: the stored rows, one for each sample of each request of each round.
    :param now: what was written now.
    :param likely: the stored tokens' log-probabilities now.
    """
    if len(then) != len(likely):  # what was written then asks for other texts now
        return Rerun(output, float("inf"))
    distance = max((distances.farthest(old.get("log_probability", ()), new) for old, new in zip(then, likely, strict=True)),
                   default=0.0)  # fmt: skip
    for old, new in zip(then, now, strict=False):
        parted = _parted(old["tokens"], np.asarray(new["tokens"]).tolist())
        if parted is not None:
            leads = [*old.get("lead", ())][parted : parted + 1]
            return Rerun(output, distance, parted, leads[0] if leads else float("inf"))
    return Rerun(output, distance if len(then) == len(now) else float("inf"))


def _parted(old: Sequence[int], new: Sequence[int]) -> int | None:
    """Return how many tokens two texts have in common before they part; None where they do not."""
    if list(old) == list(new):
        return None
    return next((at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))


def _likelihood(
    function: Function, put: Formulation, values: Sequence[Any], written: Sequence[Sequence[Mapping[str, Any]]]
) -> list[list[Any]]:
    """Return the log-probabilities of texts after the prompts that inputs, and what was written for them, become: of each input
    as many as its rounds ask for.

    :param written: for each input the rows of its rounds, whose ``tokens`` are its texts.
    """
    texts = [[{"tokens": np.asarray(row["tokens"], dtype=np.int64)} for row in some] for some in written]
    reader, state = function.reader, function.state
    gone = rounds(put, encode(put, values, reader, state), reader, state, stored(texts))
    asked = [[request for one in some for request in one.requests for _ in range(request.decoding.samples)] for some in gone]
    pairs = [list(zip(some, own, strict=False)) for some, own in zip(asked, texts, strict=True)]
    flat = [pair for some in pairs for pair in some]
    with function.form.reading():
        likely = iter(function.session.likelihood([one for one, _ in flat], [tuple(row["tokens"].tolist()) for _, row in flat]))
    return [[next(likely) for _ in some] for some in pairs]
