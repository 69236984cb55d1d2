"""What an adaptation fits with: the model, stored features, and the loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

import torch

from functory_sdk import Array, Event, Fit, NotSupported, Row, Run, Taught, TrainingOptions, TrainingSession, pad, plan
from functory_sdk.torch import Reading, Stacked
from functory_torch.defaults import own_defaults
from functory_torch.placing import device, placed, tensors
from functory_torch.sources import crown_source
from functory_torch.store import FeatureStore, Told, axis_sizes
from functory_torch.texts import texts_of
from functory_torch.threads import threads

CHUNK_ROWS = 256
"""Rows to whose features something is added at once."""
SLOWER = 2
"""How often training that diverges begins anew, each time at a quarter of the learning rate."""
COMPUTED_TOKENS = 4096
"""Tokens of one pass over rows whose features are computed as φ is now."""


class TorchTraining(TrainingSession):
    """PyTorch's side of fitting φ."""

    _read = 0  # training rows whose features were asked for: a large table comes in parts

    def __enter__(self) -> Self:
        """Set how many threads compute, and torch's defaults, for as long as this lasts."""
        self._set = ExitStack()
        self._set.enter_context(threads(self.run.options.threads))
        self._set.enter_context(own_defaults(self.run.seed))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._set.close()

    def features(self, rows: Sequence[Row]) -> torch.Tensor:
        """Return what the head reads of every row: from the store, or, where φ lies below the head, as φ is now.

        :return: float32 (rows, width) where the unit of its reading is a row, (all tokens, width) where it is a token.
        :raises NotSupported: by a model without a head.
        """
        model, network = self.model, self.model.network
        if model.head is None:
            raise NotSupported("a model that writes has no head that reads.", do="train it by the loop.")
        reading: Reading = model.head.reading
        told = self._telling(rows)
        is_kept = reading.is_stored or (reading.below is not None and reading.below.is_stored)
        if model.cut != network.points or not is_kept:
            return self._computed(reading, rows, told)
        return self._kept(reading, rows, told)

    def outputs(self, rows: Sequence[Row]) -> list[Row]:
        """:raises NotSupported: by a model without a head."""
        features, head = self.features(rows), self.model.head
        with torch.no_grad():
            if head.reading.unit == "token":
                counts = [len(row[self.model.network.written]) for row in rows]
                return [_of_row(head(part[None], {}), 0) for part in features.split(counts)]
            whole = head(features, {})
            return [_of_row(whole, row) for row in range(len(rows))]

    def _kept(self, reading: Reading, rows: Sequence[Row], told: Told) -> torch.Tensor:
        """Return what a reading that is stored gives of every row; where another is below it, that is stored, and completed."""
        model, network = self.model, self.model.network
        if reading.below is not None:
            kept, ports = self._kept(reading.below, rows, told), [port for port in model.inputs if port.name in reading.arrays]
            parts = (slice(first, first + CHUNK_ROWS) for first in range(0, len(rows), CHUNK_ROWS))
            with torch.no_grad():
                return torch.cat([reading.completed(kept[part], tensors(pad(rows[part], ports), kept.device)) for part in parts])
        if not isinstance(reading, Stacked):
            return self._stored(reading, rows, self.run.among, told)
        texts = texts_of(rows, network.spec, reading.texts)
        among = texts_of(self.run.among, network.spec, reading.texts)
        share = len(rows) / max(1, len(texts.rows))
        vectors = self._stored(reading.each, texts.rows, among.rows, lambda done: told(done * share))
        return torch.cat([reading.join(vectors[torch.from_numpy(part)]) for part in _parts(texts.places)])

    def _stored(self, reading: Reading, rows: Sequence[Row], among: Sequence[Row], told: Told) -> torch.Tensor:
        """Return what a reading gives of rows, each one sequence, from the store.

        :param among: rows of the build of which it is kept.
        """
        model, network, name = self.model, self.model.network, reading.name
        code = [cls.__module__ for cls in type(reading).__mro__ if issubclass(cls, Reading)]
        ports = [port for port in model.inputs if port.name in reading.arrays]
        axis = "target" if network.spec.architecture == "encoder-decoder" else "tokens"
        varying, where = {name: axis} if reading.unit == "token" else {}, device(self.run.options.device)

        def read(batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
            there = {port: value.to(where) for port, value in batch.items()}
            return {name: reading(network, network.hidden(there), there)}

        with placed(network, where):
            store = FeatureStore(self.run.store, network, network.points, name, (*network.spec.ports(), *ports), code)
            return torch.from_numpy(store.taken(rows, among, read, varying, told)[name])

    def _computed(self, reading: Reading, rows: Sequence[Row], told: Told) -> torch.Tensor:
        """Return what a reading gives of rows as the crown is now, on the host."""
        model, network = self.model.eval(), self.model.network
        where = device(self.run.options.device)
        side = Taught([dict(row) for row in rows], [0] * len(rows))
        sizes = axis_sizes(rows, network.spec, "tokens")
        found: list[torch.Tensor] = [torch.empty(0)] * len(rows)
        with placed(model, where), torch.no_grad():
            source = crown_source(model, side, where, self.run, lambda done: None)
            for chosen in plan(sizes, COMPUTED_TOKENS):
                features = source.features(chosen)[0].float().cpu()
                for place, index in enumerate(chosen):
                    is_row = reading.unit == "row"
                    found[index] = features[place, None] if is_row else features[place, : len(rows[index][network.written])]
                told(len(chosen))
        return torch.cat(found)

    def _telling(self, rows: Sequence[Row]) -> Told:
        """Return what tells the observers how far the features of some rows are."""
        if self.dev is not None and rows is self.dev.rows:
            return telling(self.run, "features of dev", len(rows))
        first = self._read if self._read + len(rows) <= len(self.train.rows) else 0
        self._read = first + len(rows)
        return telling(self.run, "features", max(len(self.train.rows), len(rows)), first)

    def loop(self, options: TrainingOptions) -> Fit:
        """Train the crown and the head: see `functory_torch.loop`. Where training diverges, it begins anew and slower.

        :raises TrainingError: where it diverges at each of `SLOWER` rates, too.
        """
        from functory_torch.loop import Loop
        from functory_torch.sentinels import copied, put
        from functory_torch.straying import Diverged

        notes: list[str] = []
        with placed(self.model, device(self.run.options.device)):
            begin = copied(self.model.phi())
            turn = 0
            while True:
                slower = options.model_copy(update={"learning_rate": options.learning_rate / 4**turn})
                here = self if not turn else self._beside(f"slower-{turn}")
                try:
                    fit = Loop(here, slower).run()
                except Diverged as error:
                    if turn == SLOWER:
                        raise
                    notes.append(f"{error.args[0]} It began anew at {slower.learning_rate / 4:g}.")
                    self.run.emit(Event("note", text=notes[-1]))
                    put(self.model.phi(), begin)
                    turn += 1
                else:
                    return replace(fit, notes=[*notes, *fit.notes])

    def _beside(self, name: str) -> Self:
        """Return a session of the same run whose checkpoints lie apart."""
        return type(self)(self.model, self.train, self.dev, replace(self.run, folder=self.run.folder / name))


def _of_row(outputs: Mapping[str, torch.Tensor], row: int) -> Row:
    """Return one row's outputs."""
    return {name: value[row].numpy() for name, value in outputs.items()}


def _parts(places: Array) -> list[Array]:
    """Return the texts' places of so many rows that what is made of them at once takes no memory worth a word."""
    return [places[first : first + 4096] for first in range(0, max(1, len(places)), 4096)]


def telling(run: Run | None, stage: str, total: int, first: float = 0) -> Told:
    """Return what tells a run's observers of rows that are done in a stage.

    :param first: rows that were done before.
    """
    done = first

    def tell(rows: float) -> None:
        nonlocal done
        done += rows
        if run is not None:
            run.emit(Event("progress", min(total, int(done + 1e-6)), stage=stage, total=total))

    return tell
