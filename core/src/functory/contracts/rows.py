"""What travels between a task and an engine: rows of named arrays, and the program that reads them.

Apart from the kinds, because tasks, backbones and engines all speak it and none of them owns it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from numpy.typing import NDArray

from functory.machine.boundary import corrupt

if TYPE_CHECKING:
    from functory.contracts.decoding import Request

Array = NDArray[Any]  # Any: ids are int64, masks bool, features float32; ports say which
Row = Mapping[str, Array]
"""One row: named arrays without a batch axis, such as ``input_ids`` (tokens,)."""

DTYPES = ("bool", "int8", "uint8", "int16", "int32", "int64", "float16", "float32", "float64")
"""The element types that a port may have."""
WIDEST = 10_000_000
"""The most elements that the fixed axes of a port make: what a manifest says must not fill the memory."""


@dataclass(frozen=True, slots=True)
class Port:
    """A named input or output of a program.

    :param name: the array's name in a row.
    :param dtype: numpy's name of the element type.
    :param axes: one entry per axis of one row; a name varies from row to row and is padded in a
        batch (``tokens``), a number is fixed. The batch axis, always first, is not named.
    :param fill: the value of padding.
    """

    name: str
    dtype: str = "float32"
    axes: tuple[str | int, ...] = ()
    fill: float = 0

    def as_json(self) -> dict[str, Any]:
        """Return the port as plain data."""
        return {"name": self.name, "dtype": self.dtype, "axes": list(self.axes), "fill": self.fill}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Port:
        """Return the port that `as_json` described.

        :raises ArtefactCorrupt: when it describes none.
        """
        name, dtype, axes, fill = (_field(data, field) for field in ("name", "dtype", "axes", "fill"))
        if not isinstance(name, str) or dtype not in DTYPES or type(fill) not in (int, float):
            raise corrupt(f"no port: {str(dict(data))[:200]}")
        is_axes = isinstance(axes, list) and all((isinstance(axis, str) and axis) or type(axis) is int for axis in axes)
        fixed = [axis for axis in axes if type(axis) is int] if is_axes else [-1]
        if min(fixed, default=0) < 0 or prod(fixed) > WIDEST:
            raise corrupt(f"port {name!r} has no such axes: {str(axes)[:200]}")
        return cls(name, dtype, tuple(axes), fill)


@dataclass(frozen=True, slots=True)
class Program:
    """What an engine runs: a forward pass or a generation, with named inputs and outputs.

    :param kind: ``forward`` or ``generate``.
    :param inputs: what each row must hold.
    :param outputs: what each row gives back; reduced inside the program, so that no
        vocabulary-wide array leaves an engine. Empty for ``generate``, which gives tokens.
    :param precision: ``fp32``, ``int8`` …
    :param model: the torch module, in the torch form.
    :param folder: where the engine's own files lie, in an engine form.
    """

    kind: Literal["forward", "generate"]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...] = ()
    precision: str = "fp32"
    model: Any = field(default=None, compare=False)  # Any: torch is not imported here
    folder: Path | None = None

    def as_json(self) -> dict[str, Any]:
        """Return kind, ports and precision as plain data; model and folder have places of their own."""
        return {
            "kind": self.kind,
            "inputs": [port.as_json() for port in self.inputs],
            "outputs": [port.as_json() for port in self.outputs],
            "precision": self.precision,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], folder: Path | None = None) -> Program:
        """Return the program that `as_json` described, its files in `folder`.

        :raises ArtefactCorrupt: when it describes none.
        """
        kind, inputs, outputs, precision = (_field(data, name) for name in ("kind", "inputs", "outputs", "precision"))
        if kind not in ("forward", "generate") or not isinstance(precision, str):
            raise corrupt(f"no program: kind {kind!r}, precision {precision!r}")
        return cls(kind, _ports(inputs), _ports(outputs), precision, folder=folder)

    def at(self, folder: Path) -> Program:
        """Return the same program with its files in `folder` and no model in memory."""
        return replace(self, folder=folder, model=None)


def _field(data: Any, name: str) -> Any:  # Any: JSON
    if not isinstance(data, Mapping) or name not in data:
        raise corrupt(f"it does not say its {name!r}")
    return data[name]


def _ports(data: Any) -> tuple[Port, ...]:  # Any: JSON
    """Return ports, each name once.

    :raises ArtefactCorrupt: when they are none.
    """
    made = tuple(map(Port.from_json, data)) if isinstance(data, list) else ()
    if not isinstance(data, list) or len({port.name for port in made}) < len(made):
        raise corrupt(f"no ports, or two of one name: {str(data)[:200]}")
    return made


@dataclass(slots=True)
class Encoded:
    """Inputs turned into rows.

    :param rows: the rows (forward programs); one input may have none, one or many.
    :param owner: for each row, the index of the input it belongs to.
    :param side: for each input, what decoding needs and no engine sees: offsets, word ids, the windows.
    :param requests: what is written (generate programs).
    :param of: for each request, the index of the input that it is written for; one input may have none, one or many. None
        where each input has one, in their order.
    :param unfinished: the inputs of which `Formulation.further` is asked what else is written, once these requests are.
    """

    rows: list[dict[str, Array]]
    owner: list[int]
    side: list[Any]
    requests: list[Request] = field(default_factory=list)
    of: list[int] | None = None
    unfinished: frozenset[int] = frozenset()

    @property
    def asked(self) -> list[int]:
        """For each request, the index of its input."""
        return list(range(len(self.requests))) if self.of is None else self.of

    def written_of(self, written: Sequence[Sequence[Row]]) -> list[list[Row]]:
        """Give each input what was written for it, in the requests' order.

        :param written: for each request, a row for each of its samples.
        """
        grouped: list[list[Row]] = [[] for _ in self.side]
        for index, rows in zip(self.asked, written, strict=True):
            grouped[index] += rows
        return grouped

    def rows_of(self, outputs: Sequence[Row]) -> list[list[Row]]:
        """Give each input the outputs of its own rows, in row order.

        :param outputs: one mapping per row, as a session returned them.
        """
        grouped: list[list[Row]] = [[] for _ in self.side]
        for index, output in zip(self.owner, outputs, strict=True):
            grouped[index].append(output)
        return grouped


@dataclass(slots=True)
class Taught:
    """What is taught: rows with their gold arrays, whose they are, and which are learned together.

    :param rows: rows that hold the program's inputs and the gold ports.
    :param owner: for each row, the index of its example.
    :param group: for each row, the number of its group. Rows of one group are never parted, by steps, passes or folds: the
        options of a question, the two texts of a comparison. Each row is a group of its own where none is given.
    :param score: the outputs of all rows → metrics, the one that decides first; None for training rows.
    :param unlabelled: rows without gold arrays, of inputs of which nobody said what they are; only for who learns from
        descriptions.
    :param notes: what a person should know of how they were read.
    """

    rows: list[dict[str, Array]]
    owner: list[int]
    group: list[int] = field(default_factory=list)
    score: Callable[[Sequence[Row]], Mapping[str, float]] | None = None
    unlabelled: list[dict[str, Array]] = field(default_factory=list)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.group:
            self.group = list(range(len(self.rows)))


def row_length(row: Row) -> int:
    """Return how many tokens a row costs: its ids, those of all texts where several are stacked; without ids the longest first
    axis among its arrays.
    """
    ids = [row[name].size for name in ("input_ids", "decoder_input_ids") if name in row]
    return max(ids or (array.shape[0] for array in row.values() if array.ndim), default=1)
