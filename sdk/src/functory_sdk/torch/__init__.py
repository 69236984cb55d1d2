"""Torch helpers for plugin authors: networks that can be cut, heads, pooling, losses, copies."""

from functory_sdk.torch import contrast, groups, linear, sparse
from functory_sdk.torch.copies import own, structural_copy
from functory_sdk.torch.drawing import drawing, not_drawing
from functory_sdk.torch.from_model import network_from
from functory_sdk.torch.heads import CosineHead, Head, LikelihoodHead, LinearHead, LogitsHead
from functory_sdk.torch.keeping import Kept
from functory_sdk.torch.labels import ClassifierHead, PairedHead, SymmetricHead
from functory_sdk.torch.loading import load_transformers, quiet
from functory_sdk.torch.model import Graph, Model
from functory_sdk.torch.network import Network, Origin
from functory_sdk.torch.pooling import Pooler, pool
from functory_sdk.torch.prototypes import Prototypes, ask_prototypes, belonging
from functory_sdk.torch.readings import (
    AttentionPooling,
    Beside,
    Likelihood,
    Logits,
    Numbered,
    Paired,
    Places,
    Pooled,
    Reading,
    Spans,
    Stacked,
    Tokens,
    Vectors,
)
from functory_sdk.torch.shapes import Shape
from functory_sdk.torch.spans import TaggingHead
from functory_sdk.torch.updates import fold_updates
from functory_sdk.torch.writing import Unread, Writing, advance, matching, read

__all__ = [
    "AttentionPooling", "Beside", "ClassifierHead", "CosineHead", "Graph", "Head", "Kept", "Likelihood", "LikelihoodHead",
    "LinearHead", "Logits", "LogitsHead", "Model", "Network", "Numbered", "Origin", "Paired", "PairedHead", "Places",
    "Pooled", "Pooler", "Prototypes", "Reading", "Shape", "Spans", "Stacked", "SymmetricHead", "TaggingHead", "Tokens",
    "Unread", "Vectors", "Writing", "advance", "ask_prototypes", "belonging", "contrast", "drawing", "fold_updates", "groups",
    "linear", "load_transformers", "matching", "network_from", "not_drawing", "own", "pool", "quiet", "read", "sparse",
    "structural_copy",
]  # fmt: skip
