"""Chooses how a task is put to a backbone: of what the task offers, the first that the adaptation is fitted to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from functory.contracts.backbone import BackboneSpec
from functory.contracts.formulation import Formulation
from functory.contracts.task import Task
from functory.errors import NotSupported

if TYPE_CHECKING:
    from functory.contracts.adaptation import Adaptation


def chosen(task: Task[Any], spec: BackboneSpec, adaptation: Adaptation[Any], named: str = "") -> tuple[str, Formulation]:
    """Return the formulation that a function is made with, and its name.

    :param named: the one that the recipe asks for; the adaptation's best when empty.
    :raises NotSupported: where task, backbone and adaptation have none in common.
    """
    offered = task.formulations(spec)
    if named and named not in adaptation.puts:
        raise NotSupported(
            f"put = {named!r}, and the adaptation {adaptation.name!r} goes with {_listed(adaptation.puts)}.",
            do="leave put out, or choose another adaptation.",
        )
    for name in (named,) if named else adaptation.puts:
        if name in offered:
            return name, offered[name]
    wanted = f"put = {named!r}" if named else f"the adaptation {adaptation.name!r} goes with {_listed(adaptation.puts)}"
    raise NotSupported(f"{_offer(task, spec, offered)}, and {wanted}.", do=_remedy(task, spec, offered, adaptation))


def formulated(task: Task[Any], spec: BackboneSpec, name: str) -> Formulation:
    """Return the formulation that a saved function was made with.

    :raises NotSupported: where the task offers it no more.
    """
    offered = task.formulations(spec)
    if name not in offered:
        raise NotSupported(
            f"{_offer(task, spec, offered)}, and the function was made with {name!r}.",
            do="install the version of the task that it was made with, or build it again.",
        )
    return offered[name]


def _offer(task: Task[Any], spec: BackboneSpec, offered: Iterable[str]) -> str:
    names = tuple(offered)
    kind = f"{spec.reference!r} (an {spec.architecture})".replace("(an d", "(a d")
    return f"task {task.name!r} can be put to {kind} " + (f"as {_listed(names)}" if names else "in no way")


def _remedy(task: Task[Any], spec: BackboneSpec, offered: Iterable[str], adaptation: Adaptation[Any]) -> str:
    """Return what brings task, backbone and adaptation together."""
    names = tuple(offered)
    if "prompt" in adaptation.puts and task.unasked:
        return task.unasked
    if "prompt" in adaptation.puts and not spec.has_logits:
        return "choose a backbone that writes, a decoder such as smollm2; or an adaptation that learns, with train = '…'."
    if "prompt" in adaptation.puts:
        return "choose an adaptation that learns, such as head, with train = '…'."
    if "prompt" in names:
        return "leave out train and adaptation: nothing is learned from examples."
    return f"choose another backbone or adaptation; `functory info {task.name}` says which suit it."


def _listed(names: Iterable[str]) -> str:
    return " or ".join(map(repr, names))
