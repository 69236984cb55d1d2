"""What `functory doctor` runs in a subprocess: import some components, and write down what came of each.

Nothing is kept in memory: a plugin may end the process at any line. So every result is in the file before
the next import begins, and the import that has a beginning and no end is the one that did it.
"""

from __future__ import annotations

import faulthandler
import io
import json
import os
import sys
import time
from importlib import import_module
from typing import Any

from functory.errors import FunctoryError, PluginError, WeightsMissing
from functory.machine.distributions import Entry
from functory.plugins.importing import CLASSES, import_component
from functory.wording.told import told

START = """\
import json, sys
job = json.load(sys.stdin)
sys.path[:] = job["path"]
from functory.plugins.probe import main
main(job)
"""
"""The program of the subprocess; its job comes on stdin, so that a plugin that reads stdin meets its end."""


def main(job: dict[str, Any]) -> None:  # Any: JSON
    """Do a job: ``{path, results, trace, seconds, entries}``."""
    results = os.open(job["results"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    trace = open(job["trace"], "w")  # noqa: SIM115 - stays open for the crash it is there for
    faulthandler.enable(file=trace)
    for kind in {fields["kind"] for fields in job["entries"]} & set(CLASSES):
        import_module(CLASSES[kind].partition(":")[0])  # ours, so it does not count as the plugin's time
    for position, fields in enumerate(job["entries"]):
        faulthandler.dump_traceback_later(job["seconds"], exit=True, file=trace)
        _write(results, {"begun": position})
        _write(results, {"done": position, **_examine(Entry(**fields))})
        faulthandler.cancel_dump_traceback_later()
    os._exit(0)  # a plugin's thread or exit handler cannot hold up the end


def _examine(entry: Entry) -> dict[str, Any]:  # Any: JSON
    """Import one component and say what came of it."""
    printed = io.StringIO()
    start = time.perf_counter()
    result: dict[str, Any] = {}
    try:
        component = import_component(entry, stdout=printed)
    except PluginError as error:
        return {"diagnosis": error.diagnosis, **error.as_json()}
    except KeyboardInterrupt:
        return {
            "diagnosis": "raises",
            "what": f"{entry.distribution} raised KeyboardInterrupt while it was imported.",
        }
    result["seconds"] = round(time.perf_counter() - start, 3)
    if printed.getvalue():
        result["printed"] = printed.getvalue()[:200]
    if isinstance(component, type) and hasattr(component, "locate"):
        component.name = entry.name  # type: ignore[attr-defined]  # a Component, by the check above
        result["weights"] = _locate(component)
    return result


def _locate(component: Any) -> dict[str, str]:  # Any: a class of backbones or samples
    """Ask a component where its weights or its text lie."""
    try:
        return {"at": str(component.configure().locate())}
    except WeightsMissing as error:
        return {"missing": error.what, "do": error.do}
    except FunctoryError as error:  # it needs a place: its weights are the user's
        return {"note": error.what}
    except Exception as error:
        what = f"locate() raised {told(error)}"
        return {"missing": what, "do": f"{what}; tell its author."}


def _write(file: int, result: dict[str, Any]) -> None:  # Any: JSON
    """Write one line, at once and whole."""
    sys.stdout.flush()
    os.write(file, json.dumps(result).encode() + b"\n")
