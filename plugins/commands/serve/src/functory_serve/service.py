"""What a server serves: functions by name, each at work and with its health, from warming to draining."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from functory_sdk import Function, FunctoryError, NotSupported, message_of, tell
from functory_serve import log
from functory_serve.cores import Cores
from functory_serve.health import Health, warmed
from functory_serve.limits import Limits
from functory_serve.measures import Measures
from functory_serve.serving import Serving
from functory_serve.siblings import Siblings, page_of, together

Reopen = Callable[[str], Function]
"""Opens what is served under a name again: as it is now, where it was saved."""


class Service:
    """Functions under their names.

    :param functions: by the names under which they are served.
    :param reopen: what a reload takes in; none may be asked for when None.
    """

    def __init__(self, functions: Mapping[str, Function], limits: Limits, reopen: Reopen | None = None) -> None:
        self.functions = dict(functions)
        self.limits = limits
        self.measures = Measures()
        self.servings: dict[str, Serving] = {}
        self.health = {name: Health() for name in functions}
        self.is_draining = False
        self.settle: Callable[..., None] = lambda *, anew=False: None
        """What is done, in a thread, when a function has been taken in; `anew` when it took another's place."""
        self.siblings: Siblings | None = None
        """The workers of the same server, where there are several."""
        self.cores: Cores | None = None
        """Their shares of the machine's cores, where they are shared out as they compute."""
        self.is_replacing = False
        """Whether it takes the place of one that ended: it proves its functions before it takes requests."""
        self._warming: list[asyncio.Task[None]] = []
        self._reopen = reopen
        self._reloading = asyncio.Lock()

    def start(self) -> None:
        """Begin to serve, in the running loop: requests are taken at once, and each function is proven meanwhile."""
        for name, function in self.functions.items():
            self.servings[name] = Serving(name, function, self.limits, self.measures, self.cores)
            self._warming.append(asyncio.ensure_future(self._warm(name, function)))

    async def join(self) -> None:
        """Let the other workers know of this one, where there are others."""
        if self.siblings is not None:
            await self.siblings.listen(self.told)
        if self.is_replacing:
            await asyncio.gather(*self._warming)

    def reopen(self) -> None:
        """Take each function as it is saved now, before anything is served; one that fails stays as it was."""
        if (reopen := self._reopen) is None:
            return
        for name in self.functions:
            try:
                new = reopen(name)
                warmed(new)
                self.functions[name] = new
            except Exception as error:
                tell(f"functory serve: {name} stays as it was: {message_of(error)}")

    def close(self) -> None:
        """End; nobody asks any more."""
        if self.siblings is not None:
            self.siblings.close()
        for task in self._warming:
            task.cancel()
        for serving in self.servings.values():
            serving.close()

    async def told(self, what: str) -> Any:  # Any: JSON
        """Return what this process alone has to tell: its ``states``, its ``metrics``, or what came of a ``reload``."""
        if what == "reload":
            return await self.reload()
        return self.measures.page().decode() if what == "metrics" else self.states()

    async def readiness(self) -> tuple[bool, dict[str, Any]]:
        """Return whether every function is ready, and what there is to tell of that; of all workers."""
        states, more = self.states(), {}
        if self.siblings is not None:
            told = await self.siblings.ask("states")
            count = sum(one is not None for one in told.values())
            states, more = together(told), {"workers": {"of": len(told), "answering": count}}
        is_ready = all(state == "ready" for state in states.values())
        return is_ready, {"status": "ready" if is_ready else "not ready", "functions": states, **more}

    async def metrics(self) -> bytes:
        """Return all that was measured; by all workers."""
        return self.measures.page() if self.siblings is None else page_of(await self.siblings.ask("metrics"))

    async def reload_all(self) -> dict[str, dict[str, str]]:
        """Return what came of a reload; of all workers, the one where it failed."""
        if self.siblings is None:
            return await self.reload()
        found: dict[str, dict[str, str]] = {}
        for told in (await self.siblings.ask("reload")).values():
            for name, one in (told or {}).items():
                if name not in found or "error" in one:
                    found[name] = one
        return found

    async def reload(self) -> dict[str, dict[str, str]]:
        """Take in each function as it is saved now, after its golden examples came out as they should; one that fails stays as it
        was. Requests go on meanwhile, and none is lost: the new one takes over between two batches.

        :return: for each name the ``version`` that answers now and the one that it ``was``; where that stayed, the ``error`` and
            ``what`` it is.
        """
        async with self._reloading:
            told = {name: await self._reloaded(name, serving) for name, serving in self.servings.items()}
            log.write(event="reloaded", functions={name: one.get("error", one["version"]) for name, one in told.items()})
            return told

    async def _reloaded(self, name: str, serving: Serving) -> dict[str, str]:
        """Reload one function; return what came of it."""
        was = serving.function.about.version
        try:
            return {"version": await self._renewed(name, serving), "was": was}
        except Exception as error:  # whatever is wrong with the new one, the old one goes on
            tell(f"functory serve: {name} stays as it was: {message_of(error)}")
            what = error.what if isinstance(error, FunctoryError) else "its code raised an error; the log says more."
            return {"version": was, "was": was, "error": type(error).__name__, "what": what}

    async def _renewed(self, name: str, serving: Serving) -> str:
        """Let the function that is saved now take over; return its version."""
        if self._reopen is None:
            raise NotSupported(f"{name} was given as it is, and is saved nowhere.", do="serve it from its folder.")
        new = await asyncio.to_thread(self._reopen, name)
        if type(new.task) is not type(serving.function.task):
            what = f"{name} is now a function of the task {new.task.name!r}, and was one of {serving.function.task.name!r}."
            raise NotSupported(what, do="serve it under another name.")
        await asyncio.to_thread(warmed, new)
        serving.renew(new)
        self.health[name] = Health(is_proven=True)
        await asyncio.to_thread(self.settle, anew=True)
        return new.about.version

    def drain(self) -> None:
        """Say that no more requests are wanted; those that are here are answered."""
        self.is_draining = True

    def states(self) -> dict[str, str]:
        """Return each function's state in one word, as `Health.state` gives it."""
        return {name: self.health[name].state(serving, self.is_draining) for name, serving in self.servings.items()}

    async def _warm(self, name: str, function: Function) -> None:
        """Prove a function, and measure how fast it is here."""
        try:
            cost, seconds = await asyncio.to_thread(warmed, function)
        except Exception as error:  # whatever it raises: one that only its own code knows would leave it warming for ever
            self.health[name].fault = type(error).__name__
            tell(f"functory serve: {name} is not ready: {message_of(error)}")
            return
        self.servings[name].batcher.pace.saw(cost, seconds)
        await asyncio.to_thread(self.settle)
        self.health[name].is_proven = True
