"""Keeps libraries from telling their makers that they are used: switched off before a plugin brings one in.

OpenVINO and NNCF tell an analytics host of every import and every conversion; ONNX Runtime keeps a device id and a queue of
events below the user's home. None of them asks first. What a program imported before functory was told by that program;
from here on such a library is silent too.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

ENVIRONMENT = {
    "DO_NOT_TRACK": "1",  # a convention that several libraries keep to
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "ORT_DISABLE_TELEMETRY": "1",
}
"""Variables that libraries read when they are imported. What the user has set stays as it is, and so counts."""
REPORTERS = ("openvino_telemetry",)
"""Modules that do nothing but report. OpenVINO and NNCF go without where they cannot be imported."""


def switch_off() -> None:
    """Switch everything off that is known; costs nothing, and can be done again."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    for name in REPORTERS:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # how Python is told that a module cannot be imported
    _silence_imported()


def _silence_imported() -> None:
    """Silence what was imported before, by the means that each library has."""
    openvino, onnxruntime = sys.modules.get("openvino_telemetry"), sys.modules.get("onnxruntime")
    with suppress(Exception):  # libraries of other versions, which may have none of this
        if openvino is not None:
            openvino.Telemetry().consent = False
    with suppress(Exception):
        if onnxruntime is not None:
            onnxruntime.disable_telemetry_events()
