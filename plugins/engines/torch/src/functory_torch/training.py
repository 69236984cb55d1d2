"""What an adaptation fits with: the model, stored features, and the loop."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from functory_sdk import Fit, NotSupported, Row, TrainingOptions, TrainingSession
from functory_torch.store import FeatureStore


class TorchTraining(TrainingSession):
    """PyTorch's side of fitting φ."""

    def features(self, rows: Sequence[Row]) -> torch.Tensor:
        """Return what the head reads of every row, from the store.

        :return: float32 (rows, width) where the head reads pooled features, (all tokens, width) where it reads tokens.
        :raises NotSupported: when φ lies below the head, or the head reads token scores.
        """
        model, network = self.model, self.model.network
        if model.cut != network.points or model.head is None or model.head.reads in ("logits", "likelihood"):
            raise NotSupported(
                "only a head on fixed features can be fitted on stored features.", do="use solver = 'epochs'."
            )
        reads = model.head.reads
        store = FeatureStore(self.run.store, network.spec, network.points, reads)
        axis = "target" if network.spec.architecture == "encoder-decoder" else "tokens"
        varying = {reads: axis} if reads == "tokens" else {}
        shards = store.shards(rows, lambda batch: {reads: model.features({}, batch)}, varying)
        return torch.from_numpy(np.concatenate([shard[reads] for shard in shards]))

    def loop(self, options: TrainingOptions) -> Fit:
        """Train the crown and the head: see `functory_torch.loop`."""
        from functory_torch.loop import Loop

        return Loop(self, options).run()
