"""Ray, where it is installed; what is said where it is not."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from functory_sdk import NotSupported

LINE = 'pip install "ray[data,serve]"'


def ray(part: str = "") -> Any:  # Any: Ray's modules, which this distribution does not require
    """Return Ray, or one of its parts: ``data``, ``serve``.

    :raises NotSupported: when it is not installed, with the line that brings it.
    """
    try:
        return import_module(f"ray.{part}" if part else "ray")
    except ImportError as error:
        what = f"Ray {f'with its part {part!r} ' if part else ''}is not installed: {error}."
        raise NotSupported(what, do=f"{LINE}, in the version of your cluster.") from error
