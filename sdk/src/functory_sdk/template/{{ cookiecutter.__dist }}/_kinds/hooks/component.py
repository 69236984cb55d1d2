"""A hook plugin: it acts where a recipe or a call names it, ``hooks = ["{{ cookiecutter.__entry }}"]``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from functory_sdk import hookimpl

if TYPE_CHECKING:
    from functory_sdk import Event, Run


class {{ cookiecutter.__class }}:
    """Tells on stderr when a run starts and what it measures."""

    @hookimpl
    def progress(self, run: Run, event: Event) -> None:
        if event.kind in ("start", "metric", "done"):
            figures = ", ".join(f"{name} {value:.4g}" for name, value in event.values.items())
            print(f"{run.name}: {event.kind} {event.text}{figures}", file=sys.stderr)
