"""The contract of hook plugins that have options. One without may be any object with methods under `@hookimpl`."""

from __future__ import annotations

from typing import ClassVar

from functory.contracts.component import Component, O


class Hook(Component[O]):
    """A hook plugin with options, given as those of any component: ``hooks = [{name = "tensorboard", folder = "logs"}]``.

    Its methods under `@hookimpl` are steps; `functory.hookspecs` lists them.
    """

    kind: ClassVar[str] = "hooks"
