"""Remembers, in the user's cache, which function was replayed here: one replay per function, processor and versions."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from functools import cache as once
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functory.contracts.backbone import Backbone
from functory.contracts.component import Component
from functory.machine.contents import code_hash
from functory.machine.environment import version
from functory.machine.folders import sha256
from functory.machine.keeping import read_note, write_note

if TYPE_CHECKING:
    from functory.function import Function

NUMERIC = ("functory", "numpy", "tokenizers", "torch", "transformers", "openvino", "onnxruntime")
"""The packages whose version may change a number."""


def is_remembered(folder: Path, function: Function) -> bool:
    """Whether this function's form was replayed with this processor, these versions and this code, on this backbone."""
    return read_note("golden", _about(folder, function)) is not None


def remember(folder: Path, function: Function) -> None:
    """Note that it was; a cache that cannot be written only costs the next replay."""
    write_note("golden", _about(folder, function), {"function": function.about.name, "form": function.form.name})


def identity(function: Function) -> list[Any]:  # Any: JSON
    """Return all that decides a function's outputs here, as far as it can be told: two with one identity answer alike."""
    options = function.session_options.model_dump()
    golden = [one.line() for one in function.golden]
    return [vars(function.about), str(function.state), golden, function.form.name, options, cpu(), versions(), makers(function),
            made_of(function)]  # fmt: skip


def _about(folder: Path, function: Function) -> list[Any]:  # Any: JSON
    """Return all that decides what the golden examples come out as."""
    options = function.session_options
    return [
        sha256(folder / "function.json"), function.form.name, options.device, options.precision, cpu(), versions(),
        makers(function), made_of(function),
    ]  # fmt: skip


def made_of(function: Function) -> list[str]:
    """Return hashes of the code of functory and of the components that compute this function's numbers, and of what
    their backbones hold: versions stay while a plugin is written, and a model folder has none.
    """
    components = _components(function)
    backbones = [component for component in components if isinstance(component, Backbone)]
    code = code_hash(__name__, *(cls.__module__ for component in components for cls in type(component).__mro__[:-1]
                                 if issubclass(cls, Component)))  # fmt: skip
    return [code, *sorted({backbone.contents() for backbone in backbones})]


def makers(function: Function) -> list[str]:
    """Return the distributions, with versions, whose components compute this function's numbers: a newer one may differ."""
    from functory.plugins.registry import origin

    found = {f"{entry.distribution} {entry.version}" for component in _components(function) if (entry := origin(component))}
    return sorted(found)


def _components(function: Function) -> list[Any]:  # Any: tasks, engines, backbones, adaptations
    """Return the components that compute a function's numbers, those of its parts too."""
    parts = [component for part in function.form.parts.values() for component in _components(part)]
    return [function.task, *function.form.components(), *parts]


@once
def cpu() -> str:
    """Return the processor's name and the flags that change how numbers are computed."""
    name, flags = platform.processor() or platform.machine(), ""
    with suppress(OSError):
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        fields = dict(line.split(":", 1) for line in text.split("\n\n")[0].splitlines() if ":" in line)
        stripped = {key.strip(): value.strip() for key, value in fields.items()}
        name = stripped.get("model name", name)
        wanted = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8", "amx_bf16", "bf16")
        there = stripped.get("flags", stripped.get("Features", "")).split()  # Arm's are called so
        flags = " ".join(flag for flag in wanted if flag in there)
    return f"{name} ({flags})" if flags else name


def machine() -> str:
    """Return the processor with how many of its cores this process may use: what the best number of threads hangs on."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return f"{cpu()}, {count} core{'' if count == 1 else 's'}"


def has_vnni() -> bool:
    """Whether this processor sums products of eight-bit numbers in 32 bits; others overflow at 16, so that int8 needs a
    reduced range there.
    """
    return "vnni" in cpu()


def has_bf16() -> bool:
    """Whether this processor multiplies bfloat16; others do it by way of float32, which takes longer than that alone."""
    return "bf16" in cpu()


def has_amx() -> bool:
    """Whether this processor multiplies whole tiles of bfloat16, so that training in it takes a fraction of the time."""
    return "amx_bf16" in cpu()


def versions(names: tuple[str, ...] = NUMERIC) -> dict[str, str]:
    """Return the installed versions of packages, without importing them."""
    return {name: found for name in names if (found := version(name)) is not None}
