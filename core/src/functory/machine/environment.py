"""The machine and the libraries, as far as they decide what functory can do and how fast."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

from functory.machine.distributions import find_installed

LIBRARIES = (
    "numpy",
    "pydantic",
    "tokenizers",
    "safetensors",
    "pluggy",
    "rich",
    "torch",
    "transformers",
    "peft",
    "accelerate",
    "datasets",
    "openvino",
    "nncf",
    "onnxruntime",
    "onnx",
    "captum",
)
"""The distributions whose version matters in a report of a fault."""

_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "asimd", "asimddp")


def facts() -> dict[str, str]:
    """Return what the machine is, by name."""
    from functory import __version__
    from functory.machine import places

    return {
        "functory": __version__,
        "python": f"{platform.python_version()} ({sys.executable})",
        "system": f"{platform.system()} {platform.machine()}",
        "cores": str(cores()),
        "cpu": ", ".join(flags()) or "none of the flags that matter is known",
        "memory": _memory(),
        "cache": f"{places.cache_root()}{'' if places.is_writable(places.cache_root()) else ' (cannot be written)'}",
    }


def libraries() -> dict[str, str | None]:
    """Return the version of each library that matters; None for what is not installed. Imports none."""
    return {name: version(name) for name in LIBRARIES}


def version(name: str) -> str | None:
    """Return the version of an installed distribution, None where there is none. Imports nothing, and reads no file."""
    found = find_installed(name)
    return found.version if found is not None else None


def cores() -> int:
    """Return the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def flags() -> list[str]:
    """Return the processor's flags that decide which int8 form is fast; none where the system is silent."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return []
    for line in text.splitlines():
        if line.startswith(("flags", "Features")):
            have = set(line.split())
            return [flag for flag in _FLAGS if flag in have]
    return []


def _memory() -> str:
    """Return the machine's memory for people."""
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.1f} GB"
    except (AttributeError, ValueError, OSError):
        return "unknown"
