"""Puts faces at their paths: those that are installed, or those that are asked for. One that is broken is told, and left out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from starlette.routing import BaseRoute, Match, Route

from functory_sdk import Face, Function, PluginError, Served, entries, load, message_of, tell
from functory_sdk.faces import App, Receive, Scope, Send


def installed(names: Iterable[str] | None = None) -> list[Face]:
    """Return faces by their names; all that are installed when None, but for those that do not load, which is told.

    :raises FunctoryError: for one that is asked for by name, and is not there or does not load.
    """
    if names is not None:
        return [load("faces", name) for name in names]
    found = []
    for entry in entries("faces"):
        try:
            found.append(load("faces", entry.qualified if entry.distribution else entry.name))
        except PluginError as error:
            tell(f"functory serve: goes without the face {entry.name}: {message_of(error)}")
    return found


class Mounted(BaseRoute):
    """A face at one of its paths, with all below it.

    :param told: what every request goes through, with the application that answers it.
    """

    def __init__(self, face: Face, path: str, told: Any) -> None:  # Any: `Routes.told`
        self.face, self.path = face, path.rstrip("/")
        self.app: App | None = None
        self.is_left_out = False
        """Whether it failed to begin."""
        self._told = told

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        path = scope["path"]
        is_here = scope["type"] == "http" and (path == self.path or path.startswith(f"{self.path}/"))
        return (Match.FULL if is_here and self.app is not None else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.app is not None:  # else nothing matches here
            await self._told(self.app)(dict(scope), receive, send)


def mounts(faces: Sequence[Face], taken: Sequence[BaseRoute], told: Any) -> list[Mounted]:
    """Return where faces answer, the longer path first; a face that wants what another has, or the server itself, is left out.
    What a face wants only where it is free is no other's then.
    """
    own = [route.path.partition("{")[0].rstrip("/") for route in taken if isinstance(route, Route)]
    found: dict[str, Mounted] = {}
    kept = []
    for face in faces:
        clash = next((path for path in map(_clean, face.paths) if path in found or not _is_free(path, own)), None)
        if clash is not None:
            owner = found[clash].face.name if clash in found else "the server itself"
            tell(f"functory serve: goes without the face {face.name}: its path {clash!r} is {owner}'s, or none.")
            continue
        kept.append(face)
        found |= {_clean(path): Mounted(face, path, told) for path in face.paths}
    for face in kept:
        free = [path for path in map(_clean, face.vacant) if path not in found and _is_free(path, own)]
        found |= {path: Mounted(face, path, told) for path in free}
    return sorted(found.values(), key=lambda one: -len(one.path))


def speaking(mounted: Sequence[Mounted], functions: Iterable[Function]) -> list[Face]:
    """Return the faces that answer for some function: none that was left out, and none that can be asked for nothing here."""
    there, functions = {one.face.name: one.face for one in mounted if not one.is_left_out}, list(functions)
    return [face for face in there.values() if any(map(face.answers, functions))]


def _is_free(path: str, own: Sequence[str]) -> bool:
    """Return whether a path is one, and neither a route of the server's nor below one."""
    return path.startswith("/") and not any(path == one or path.startswith(f"{one}/") for one in own)


@asynccontextmanager
async def living(mounted: Sequence[Mounted], served: Served) -> AsyncIterator[None]:
    """Let faces work while the block runs; one that fails to begin is told, and left out."""
    async with AsyncExitStack() as stack:
        apps: dict[str, App] = {}
        for face in {one.face.name: one.face for one in mounted}.values():
            try:
                apps[face.name] = await stack.enter_async_context(face.app(served))
            except Exception as error:
                tell(f"functory serve: goes without the face {face.name}: {message_of(error)}")
        for one in mounted:
            one.app = apps.get(one.face.name)
            one.is_left_out = one.app is None
        yield


def _clean(path: str) -> str:
    return path.rstrip("/")
