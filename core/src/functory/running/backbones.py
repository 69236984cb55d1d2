"""Opens a backbone from its reference, once per process: every function on it shares the tensors."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any

from functory.contracts.backbone import Backbone
from functory.plugins.registry import load, parse

_opened: dict[tuple[type, str, str], Backbone[Any]] = {}
_lock = threading.Lock()


def open_backbone(reference: str, options: Mapping[str, Any] | None = None) -> Backbone[Any]:
    """Return the backbone of a reference: ``minilm``, ``hf:org/name@revision``, ``./folder``.

    :param options: the backbone's own options.
    :raises UnknownComponent: when no plugin gives such a backbone.
    :raises WeightsMissing: when its weights are not on this machine.
    """
    component = load("backbones", reference)
    key = (component, reference, json.dumps(dict(options or {}), sort_keys=True))
    with _lock:
        if key not in _opened:
            backbone: Backbone[Any] = component.configure(dict(options or {}))
            backbone.place = parse(reference).place
            backbone.locate()
            _opened[key] = backbone
        return _opened[key]


def forget(component: type[Backbone[Any]]) -> None:
    """Let go of the opened backbones of a component: the next function on one loads its weights anew.

    Functions that are alive keep theirs.
    """
    with _lock:
        for key in [key for key in _opened if key[0] is component]:
            del _opened[key]
