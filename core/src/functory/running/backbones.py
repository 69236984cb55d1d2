"""Opens a backbone from its reference, once per process: every function on it shares the tensors.

Once for each content of its files: a folder that was trained again since is opened again.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functory.contracts.backbone import Backbone
from functory.machine import configuration
from functory.plugins.registry import load, parse


@dataclass(slots=True)
class _Opened:
    """An opened backbone, and what it was opened from; ``contents`` is empty where there was no file yet."""

    backbone: Backbone[Any]
    place: Path
    contents: str


_opened: dict[tuple[type, str, str], _Opened] = {}
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
    key = (component, reference, json.dumps(dict(options or {}), sort_keys=True, default=str))
    with _lock:
        backbone: Backbone[Any] = component.configure(dict(options or {}))
        backbone.place, backbone.may_fetch = parse(reference).place, may_fetch
        found = _Opened(backbone, backbone.locate().absolute(), backbone.contents() if backbone.files() else "")
        known = _opened.get(key)
        if known is not None and (not known.contents or (known.place, known.contents) == (found.place, found.contents)):
            # The same as then; or there was nothing yet, and what is there now was fetched for it.
            found = _Opened(known.backbone, found.place, found.contents)
        found.backbone.may_fetch = may_fetch
        if found.contents:
            found.backbone.opened_as(found.contents)
        _opened[key] = found  # in place of an older state: functions that are alive keep theirs
        return found.backbone


def forget(component: type[Backbone[Any]]) -> None:
    """Let go of the opened backbones of a component: the next function on one loads its weights anew.

    Functions that are alive keep theirs.
    """
    with _lock:
        for key in [key for key in _opened if key[0] is component]:
            del _opened[key]
