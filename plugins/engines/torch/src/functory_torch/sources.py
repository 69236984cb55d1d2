"""Where a step's outputs come from: the whole pass, the crown on stored states, or the head on stored features.

The trunk runs once per example, its output lies on disk in memory-mapped shards, and every epoch reads it there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from functory_sdk import Array, Port, Row, Run, Taught, TrainingError, pad
from functory_sdk.torch import Model
from functory_sdk.torch.linear import Block, taught
from functory_torch.store import SHARD_ROWS, FeatureStore, Told, axis_sizes, ends_of
from functory_torch.texts import texts_of


class Source(ABC):
    """The outputs of chosen rows, in the model's present mode.

    :param model: the adapted model.
    :param taught: all rows, with their gold arrays where they have some, and their groups.
    :param device: where it runs.
    :raises TrainingError: when a row holds what no port declares.
    """

    def __init__(self, model: Model, taught: Taught, device: torch.device) -> None:
        self.model = model
        self.rows: Sequence[Row] = taught.rows
        self.group = np.asarray(taught.group, dtype=np.int64)
        self.device = device
        self._gold = _gold_ports(model, self.rows[0]) if self.rows else []

    @abstractmethod
    def features(self, chosen: Sequence[int]) -> tuple[Tensor, dict[str, Tensor]]:
        """Return what the head reads of some rows, as one batch, and the batch with its gold arrays."""

    def run(self, chosen: Sequence[int]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return the outputs of some rows as one batch, and the batch with its gold arrays."""
        features, batch = self.features(chosen)
        return self.model.apply_head(features, batch), batch

    def block(self, chosen: Sequence[int]) -> Block:
        """Return what the head reads of some rows without padding, and its gold; tokens that have none are left out."""
        features, batch = self.features(chosen)
        gold = {port.name: batch[port.name] for port in self._gold}
        if features.ndim == 2:  # (rows, width)
            grouped = self.model.head is not None and self.model.head.together == "group"
            own = {"group": torch.from_numpy(self.group[list(chosen)]).to(self.device)} if grouped else {}
            return Block(features, gold | own)
        network, kept = self.model.network, torch.zeros(features.shape[:2], dtype=torch.bool)  # (rows, tokens)
        for place, index in enumerate(chosen):
            row = self.rows[index]
            units = len(row[network.written])
            kept[place, :units] = torch.from_numpy(taught(row, units, self._gold))
        return Block(features, gold).at(kept.to(self.device))

    def batch(self, chosen: Sequence[int]) -> dict[str, Tensor]:
        """Return some rows, padded, with their gold arrays and their groups."""
        rows = [self.rows[index] for index in chosen]
        return self._placed(pad(rows, self.model.inputs)) | self.gold(chosen)

    def gold(self, chosen: Sequence[int]) -> dict[str, Tensor]:
        """Return the gold arrays of some rows, padded by their ports, and ``group`` (rows,), which of these rows' each is in."""
        group = np.unique(self.group[list(chosen)], return_inverse=True)[1]
        return self._placed({**pad([self.rows[index] for index in chosen], self._gold), "group": group})

    def _placed(self, arrays: Mapping[str, Array]) -> dict[str, Tensor]:
        return {name: torch.from_numpy(array).to(self.device) for name, array in arrays.items()}


class Whole(Source):
    """Runs the whole network every time: for crowns that begin at the first layer or below."""

    def features(self, chosen: Sequence[int]) -> tuple[Tensor, dict[str, Tensor]]:
        batch = self.batch(chosen)
        return self.model.features({}, batch), batch


class FromStates(Source):
    """Runs the crown alone, from the stored states at its cut point.

    :param told: told how many rows more are stored.
    :param among: rows of the build of which states are kept.
    """

    def __init__(
        self, model: Model, taught: Taught, device: torch.device, store: FeatureStore, cut: int, told: Told,
        among: Sequence[Row] = (),
    ) -> None:  # fmt: skip
        super().__init__(model, taught, device)
        rows = self.rows
        self.cut = cut
        self._store = store  # while it is alive, its shards stay
        axes = model.network.stored(cut)  # name → the axis that varies
        self._texts = texts_of(rows, store.spec, model.texts)
        placed = store.placed(self._texts.rows, texts_of(among, store.spec, model.texts).rows)
        self._places = placed.places
        share = len(rows) / max(1, len(placed.rows))
        self._ends = {name: ends_of(axis_sizes(placed.rows, store.spec, axis)) for name, axis in axes.items()}

        def trunk(batch: dict[str, Tensor]) -> dict[str, Tensor]:
            state = model.trunk({name: value.to(device) for name, value in batch.items()}, cut)
            return {name: state[name] for name in axes}

        self._shards = list(store.shards(placed.rows, trunk, axes, lambda done: told(done * share)))

    def features(self, chosen: Sequence[int]) -> tuple[Tensor, dict[str, Tensor]]:
        batch = self.batch(chosen)
        return self.model.features(self._state(chosen), batch, self.cut), batch

    def _state(self, chosen: Sequence[int]) -> dict[str, Tensor]:
        """Return the stored states of the texts of some rows, (rows · texts, tokens, width)."""
        texts = self._texts.of(chosen)
        return self._placed({name: _padded([self._row(name, index) for index in texts]) for name in self._ends})

    def _row(self, name: str, index: int) -> Array:
        """Return one text's stored state, (tokens, width)."""
        index = int(self._places[index])
        shard, ends = index // SHARD_ROWS, self._ends[name]
        first = ends[shard * SHARD_ROWS]
        return self._shards[shard][name][ends[index] - first : ends[index + 1] - first]


class FromFeatures(Source):
    """Runs the head alone, on stored pooled features: nothing is padded, nothing is read from disk twice.

    :param features: (rows, width).
    """

    def __init__(self, model: Model, taught: Taught, device: torch.device, features: Tensor) -> None:
        super().__init__(model, taught, device)
        self._features = features.to(device)
        self._whole = self.gold(range(len(self.rows)))

    def features(self, chosen: Sequence[int]) -> tuple[Tensor, dict[str, Tensor]]:
        index = torch.as_tensor(chosen, device=self.device)
        batch = {name: value[index] for name, value in self._whole.items()}
        return self._features[index], batch | {"group": torch.unique(batch["group"], return_inverse=True)[1]}


def crown_source(model: Model, side: Taught, where: torch.device, run: Run, told: Told) -> Source:
    """Return where the outputs of a crown below which something is left as it was come from: the less is computed again, the
    better.

    :param told: told how many rows more are stored.
    """
    if model.cut is None or model.cut < 2:  # below the first layer there are only look-ups
        return Whole(model, side, where)
    store = FeatureStore(run.store, model.network, model.cut, "state")
    return FromStates(model, side, where, store, model.cut, told, run.among)


def set_mode(model: Model, cut: int | None) -> None:
    """Put the crown and the head into training mode; the trunk stays as the backbone is."""
    model.eval()
    network = model.network
    if not cut:
        network.train()
    else:
        for place, block in enumerate(network.blocks):
            if _step_of(model, place) >= cut:
                block.train()
    if model.head is not None:
        model.head.train()


def _step_of(model: Model, block: int) -> int:
    """Return the step that a block is: each stack begins with its embeddings and ends with its norm."""
    encoder_blocks = model.network.encoder_points - 2
    return block + 1 if block < encoder_blocks else block + 3


def _gold_ports(model: Model, row: Row) -> list[Port]:
    """Return the ports of a row's gold arrays.

    :raises TrainingError: when it holds what is neither read nor declared as gold.
    """
    known = {port.name for port in (*model.inputs, *model.gold)}
    foreign = [name for name in row if name not in known]
    if foreign:
        raise TrainingError(
            f"rows hold {', '.join(foreign)}, which no port declares.",
            do="let the formulation's `gold_ports` name each array that `label` gives, with its axes and its fill.",
        )
    return [port for port in model.gold if port.name in row]


def _padded(arrays: Sequence[Array]) -> Array:
    """Stack stored states of unequal first axes."""
    stacked = np.zeros((len(arrays), max(map(len, arrays)), *arrays[0].shape[1:]), dtype=arrays[0].dtype)
    for place, array in enumerate(arrays):
        stacked[place, : len(array)] = array
    return stacked
