"""A function over a data set of Ray Data: each machine of the cluster opens it as often as it has room."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from functory_ray.engine import ray
from functory_ray.travelling import arrived, computed, travelling
from functory_sdk import Function, FunctoryError, InputError, OptionError

BATCH = 256
"""Rows that are computed, and written down, together."""


def map(
    function: Function | Path | str,
    dataset: Any,  # Any: a ray.data.Dataset
    *,
    columns: Mapping[str, str] | None = None,
    output: str = "output",
    on_bad_row: Literal["stop", "keep"] = "stop",
    workers: int | tuple[int, int] | None = None,
    threads: int = 1,
    batch: int = BATCH,
    is_ordered: bool = True,
) -> Any:  # Any: a ray.data.Dataset
    """Return a data set with the output of each row beside its columns, as the JSON that it is everywhere. Lazy, as Ray's are.

    A worker that dies is begun again, perhaps elsewhere, and what it had not delivered is computed again: no row is lost, and
    none is there twice.

    :param function: one that was built or loaded, or a folder, whose files are sent to the machines; an installed function's
        name, or a URL, which lead to it there.
    :param dataset: its columns are known by their names, as in `Function.map`.
    :param columns: which column holds which field, where names do not tell.
    :param output: the column that is added.
    :param on_bad_row: ``keep`` lets a row that is refused go on without an output; the column ``error`` says why.
    :param workers: how many are open at once, or the fewest and the most; as many as the cluster has processors for when None.
    :param threads: of one worker, which are its processors too.
    :param is_ordered: whether rows keep their order.
    :raises NotSupported: when Ray is not installed; for a function that cannot be saved.
    :raises OptionError: when the data set has the column that is to be added.
    """
    ray("data")
    taken = set(dataset.columns() or ()) & {output, *(["error"] if on_bad_row == "keep" else [])}
    if taken:
        raise OptionError(f"the data set has a column {taken.pop()!r} by now.", do="name another: output='…'.", field="output")
    sent = ray().put(travelling(function))
    if is_ordered:
        dataset.context.execution_options.preserve_order = True
    most = max(1, int(ray().cluster_resources().get("CPU", 1)) // threads)
    return dataset.map_batches(
        Worker, fn_constructor_args=(sent, columns, output, on_bad_row, threads), batch_size=batch, batch_format="numpy",
        num_cpus=threads, concurrency=(1, most) if workers is None else workers, udf_modifying_row_count=False,
    )  # fmt: skip


class Worker:
    """A function that is open in a process of the cluster.

    :param sent: in Ray's store.
    """

    def __init__(self, sent: Any, columns: Mapping[str, str] | None, output: str, on_bad_row: str, threads: int) -> None:
        self._function = arrived(ray().get(sent), threads)
        self._columns, self._output, self._keeps = columns, output, on_bad_row == "keep"

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:  # Any: arrays of columns
        """Return rows with what is computed of each.

        :raises FunctoryError: for a row that is refused, where such are not kept.
        """
        import numpy as np

        found = [self._read(item) for item in self._items(batch)]
        sound = [place for place, one in enumerate(found) if not isinstance(one, FunctoryError)]
        for place, made in zip(sound, computed(self._function, [found[place] for place in sound]), strict=True):
            found[place] = made
        wrong = next((one for one in found if isinstance(one, FunctoryError)), None)
        if wrong is not None and not self._keeps:
            raise wrong
        told = [None if isinstance(one, FunctoryError) else one.json() for one in found]
        made = {**batch, self._output: np.asarray(told, dtype=object)}
        if self._keeps:
            made["error"] = np.asarray([str(one) if isinstance(one, FunctoryError) else "" for one in found], dtype=object)
        return made

    def _items(self, batch: dict[str, Any]) -> list[Any]:
        """Return the fields of each row's Input."""
        if self._columns is None:
            return list(self._function.items({name: list(values) for name, values in batch.items()}))
        rows = zip(*(batch[column] for column in self._columns.values()), strict=True)
        return [dict(zip(self._columns, row, strict=True)) for row in rows]

    def _read(self, item: Any) -> Any:
        try:
            return self._function.coerce(item)
        except InputError as error:
            return error
