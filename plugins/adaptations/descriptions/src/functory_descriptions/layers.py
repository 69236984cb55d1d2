"""Where what stands for each label is put (torch)."""

from __future__ import annotations

import numpy as np
import torch

from functory_sdk import Fit, NotSupported, TrainingSession
from functory_sdk.torch import Prototypes, belonging


def compare(session: TrainingSession) -> Fit:
    """Put each label's prototype where its descriptions are, and move it by the texts that are given without labels.

    :raises NotSupported: where the gold is of no labels.
    """
    model, taught = session.model, session.train
    if len(model.gold) != 1:
        raise NotSupported("descriptions say what labels mean, and the task's gold is another.", do="give train = '…'.")
    gold = torch.from_numpy(np.stack([row[model.gold[0].name] for row in taught.rows]))
    prototypes: Prototypes = model.head.linear
    prototypes.put(session.features(taught.rows), belonging(gold, prototypes.out_features))
    if not taught.unlabelled:
        return Fit(metrics={"descriptions": float(len(taught.rows))})
    prototypes.move(session.features(taught.unlabelled))
    note = f"what stands for each label was moved by {len(taught.unlabelled):,} texts, of which no label was read"
    return Fit(metrics={"descriptions": float(len(taught.rows)), "texts": float(len(taught.unlabelled))}, notes=[note])
