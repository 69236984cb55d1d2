"""The toy box: tiny backbones and a toy task under names of their own, and a toy function built from them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from functory.machine.places import cache
from functory.plugins.registry import registered

if TYPE_CHECKING:
    from functory.function import Function

_lock = RLock()
_open: list[ExitStack] = []
_depth = 0


@contextmanager
def kit() -> Iterator[None]:
    """Make the tiny backbones, `toy` and `toy-many` (tasks of one text and of many) and `toy-head` (an adaptation) loadable.

    The backbones are `tiny-encoder`, `tiny-decoder` and `tiny-encoder-decoder`.

    Contexts may lie inside each other.
    """
    global _depth
    with _lock:
        if not _depth:
            _open.append(_enter())
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if not _depth:
                _open.pop().close()


def _enter() -> ExitStack:
    from functory import __version__
    from functory.running.backbones import forget
    from functory_sdk.testing.tiny import TinyDecoder, TinyEncoder, TinyEncoderDecoder
    from functory_sdk.testing.toy import ToyAdaptation, ToyManyTask, ToyTask

    stack = ExitStack()
    for kind, name, component in (
        ("backbones", "tiny-encoder", TinyEncoder),
        ("backbones", "tiny-decoder", TinyDecoder),
        ("backbones", "tiny-encoder-decoder", TinyEncoderDecoder),
        ("tasks", "toy", ToyTask),
        ("tasks", "toy-many", ToyManyTask),
        ("adaptations", "toy-head", ToyAdaptation),
    ):
        stack.enter_context(registered(kind, name, component, distribution="functory-sdk", version=__version__))
    for tiny in (TinyEncoder, TinyDecoder, TinyEncoderDecoder):  # a bad component may have changed the weights that all share
        stack.callback(forget, tiny)
    return stack


def isolated_cache(folder: Path) -> Path:
    """Return a cache folder for tests: its own runs, features and replays; converted weights are the user's.

    Converting weights takes a minute, and what was converted is checked by its hash.
    """
    if not folder.is_dir():
        folder.mkdir(parents=True)
        (folder / "weights").symlink_to(cache("weights").resolve())
    return folder


@lru_cache(maxsize=4)
def _built(backbone: str, task: str, cache: str) -> Function:
    from functory.build import build
    from functory_sdk.testing.toy import many_rows, rows

    made: Any = rows if task == "toy" else many_rows
    return build(
        task=task, train=made(96), test=made(32, seed=1), backbone=backbone, adaptation="toy-head", name="toy", seed=1
    )


def toy_function(backbone: str = "tiny-encoder", task: str = "toy") -> Function:
    """Return a trained toy function, built once per process; call it inside `kit()`.

    Needs the engine `torch` (functory-torch).

    :param backbone: one of the tiny ones.
    :param task: ``toy``, or ``toy-many``, whose inputs hold a list of texts.
    """
    return _built(backbone, task, os.environ.get("FUNCTORY_CACHE", ""))
