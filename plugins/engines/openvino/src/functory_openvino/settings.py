"""How a graph is compiled: where, with how many threads, and in what it multiplies."""

from __future__ import annotations

from typing import Any

import openvino as ov

from functory_sdk import NotSupported, SessionOptions


def device_of(options: SessionOptions) -> str:
    """Return a device as OpenVINO calls it.

    :raises NotSupported: for one that is not there.
    """
    device, there = options.device.upper(), ov.Core().available_devices
    if device not in there:
        raise NotSupported(
            f"OpenVINO has no device {options.device!r} here.",
            do=f"choose one of: {', '.join(name.lower() for name in there)}.",
        )
    return device


def settings_of(options: SessionOptions) -> dict[str, Any]:  # Any: what OpenVINO's properties hold
    """Return what OpenVINO is told; some processors would take bf16 unasked."""
    told: dict[str, Any] = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "bf16" if options.precision == "bf16" else "f32",
    }
    if options.threads:
        told["INFERENCE_NUM_THREADS"] = options.threads
    return told
