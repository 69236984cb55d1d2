"""What a server serves: functions by name, each at work and with its health, from warming to draining."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping

from functory_sdk import Function, FunctoryError, harmless
from functory_serve.health import Health, warmed
from functory_serve.limits import Limits
from functory_serve.measures import Measures
from functory_serve.serving import Serving


class Service:
    """Functions under their names.

    :param functions: by the names under which they are served.
    """

    def __init__(self, functions: Mapping[str, Function], limits: Limits) -> None:
        self.functions = dict(functions)
        self.limits = limits
        self.measures = Measures()
        self.servings: dict[str, Serving] = {}
        self.health = {name: Health() for name in functions}
        self.is_draining = False
        self._warming: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to serve, in the running loop: requests are taken at once, and each function is proven meanwhile."""
        for name, function in self.functions.items():
            self.servings[name] = Serving(name, function, self.limits, self.measures)
            self._warming.append(asyncio.ensure_future(self._warm(name, function)))

    def close(self) -> None:
        """End; nobody asks any more."""
        for task in self._warming:
            task.cancel()
        for serving in self.servings.values():
            serving.close()

    def drain(self) -> None:
        """Say that no more requests are wanted; those that are here are answered."""
        self.is_draining = True

    def states(self) -> dict[str, str]:
        """Return each function's state in one word, as `Health.state` gives it."""
        return {name: self.health[name].state(serving, self.is_draining) for name, serving in self.servings.items()}

    @property
    def is_ready(self) -> bool:
        """Whether every function is."""
        return all(state == "ready" for state in self.states().values())

    async def _warm(self, name: str, function: Function) -> None:
        """Prove a function, and measure how fast it is here."""
        try:
            cost, seconds = await asyncio.to_thread(warmed, function)
        except FunctoryError as error:
            self.health[name].fault = type(error).__name__
            print(harmless(f"functory serve: {name} is not ready: {error}"), file=sys.stderr, flush=True)
            return
        self.servings[name].batcher.pace.saw(cost, seconds)
        self.health[name].is_proven = True
