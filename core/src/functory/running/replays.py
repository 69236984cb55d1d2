"""Remembers, in the user's cache, which function was replayed here: one replay per function, processor and versions."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from contextlib import suppress
from functools import cache as once
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functory.machine.environment import version
from functory.machine.folders import sha256
from functory.machine.places import cache

if TYPE_CHECKING:
    from functory.function import Function

NUMERIC = ("functory", "numpy", "tokenizers", "torch", "transformers", "openvino", "onnxruntime")
"""The packages whose version may change a number."""


def is_remembered(folder: Path, function: Function) -> bool:
    """Whether this function's form was replayed with this processor and these versions."""
    return _note(folder, function).is_file()


def remember(folder: Path, function: Function) -> None:
    """Note that it was; a cache that cannot be written only costs the next replay."""
    with suppress(OSError):
        _note(folder, function).write_text(json.dumps({"function": function.about.name, "form": function.form.name}))


def _note(folder: Path, function: Function) -> Path:
    about = [sha256(folder / "function.json"), function.form.name, cpu(), versions(), makers(function)]
    return cache("golden") / (hashlib.sha256(json.dumps(about).encode()).hexdigest()[:32] + ".json")


def makers(function: Function) -> list[str]:
    """Return the distributions, with versions, whose components compute this function's numbers: a newer one may differ."""
    from functory.plugins.registry import origin

    form: Any = function.form
    parts = list(getattr(form, "parts", {}).values())
    components = [function.task, *(getattr(form, name, None) for name in ("engine", "backbone", "adaptation"))]
    entries = [entry for component in components if component is not None and (entry := origin(component)) is not None]
    own = {f"{entry.distribution} {entry.version}" for entry in entries}
    return sorted(own.union(*map(makers, parts)))


@once
def cpu() -> str:
    """Return the processor's name and the flags that change how numbers are computed."""
    name, flags = platform.processor() or platform.machine(), ""
    with suppress(OSError):
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        fields = dict(line.split(":", 1) for line in text.split("\n\n")[0].splitlines() if ":" in line)
        stripped = {key.strip(): value.strip() for key, value in fields.items()}
        name = stripped.get("model name", name)
        wanted = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8", "amx_bf16")
        flags = " ".join(flag for flag in wanted if flag in stripped.get("flags", "").split())
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


def versions(names: tuple[str, ...] = NUMERIC) -> dict[str, str]:
    """Return the installed versions of packages, without importing them."""
    return {name: found for name in names if (found := version(name)) is not None}
