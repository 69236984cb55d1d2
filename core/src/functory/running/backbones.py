"""Opens a backbone from its reference, once per process: every function on it shares the tensors."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functory.contracts.backbone import Backbone
from functory.machine import configuration
from functory.plugins.registry import load, parse

_opened: dict[tuple[type, str, str], Backbone[Any]] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class Whereabouts:
    """Where the backbones of a saved function may be looked for, besides where the function says.

    :param backbones: references, each to weights that moved since: ``./folder``. The one with the recorded hash is taken.
    :param hubs: the backbones, by name, that may fetch for this function what is not on the machine: ``hf``.
    :param must_fit: each of those places must have weights that the function was fitted to; not so where it is one of two.
    """

    backbones: tuple[str, ...] = ()
    hubs: tuple[str, ...] = ()
    must_fit: bool = True

    def may_fetch(self, reference: str) -> bool:
        """Whether the user allowed to fetch what a function names: in the call, or for all of them in the configuration."""
        return parse(reference).name in {*self.hubs, *configuration.hubs()}


AS_RECORDED = Whereabouts()
"""Where a function says, and nowhere else."""


def open_backbone(
    reference: str, options: Mapping[str, Any] | None = None, *, may_fetch: bool = False
) -> Backbone[Any]:
    """Return the backbone of a reference: ``minilm``, ``hf:org/name@revision``, ``./folder``.

    :param options: the backbone's own options.
    :param may_fetch: whether the user allowed to fetch its weights from a network, where they are not on this machine.
    :raises UnknownComponent: when no plugin gives such a backbone.
    :raises WeightsMissing: when its weights are not on this machine.
    """
    component = load("backbones", reference)
    key = (component, reference, json.dumps(dict(options or {}), sort_keys=True))
    with _lock:
        backbone: Backbone[Any] = _opened.get(key) or component.configure(dict(options or {}))
        backbone.may_fetch = may_fetch
        if key not in _opened:
            backbone.place = parse(reference).place
            backbone.locate()
            _opened[key] = backbone
        return backbone


def forget(component: type[Backbone[Any]]) -> None:
    """Let go of the opened backbones of a component: the next function on one loads its weights anew.

    Functions that are alive keep theirs.
    """
    with _lock:
        for key in [key for key in _opened if key[0] is component]:
            del _opened[key]
