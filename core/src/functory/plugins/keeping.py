"""Keeps what a process has one of as it was while a plugin's code runs, and says whose code changed it.

Apart from `importing`, because a component may change it in a step too; what fails then is somebody else's.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import current_thread, main_thread

from functory.machine.settings import GONE, TORCH, of_torch, put_folder_right, put_torch_right, working_folder


@contextmanager
def process_kept(who: str, when: str) -> Iterator[list[str]]:
    """Put torch's default type, its default device, its gradients and the working directory right after somebody's code.

    Who changed them is told. Gives a list that holds what was changed, once it was. Where torch is not imported, nothing
    is imported for it. Beside the main thread the folder is left alone: that may have changed it meanwhile.

    :param who: the plugin, as messages name it.
    :param when: ``while it was imported``.
    """
    before = _of_torch()
    folder = working_folder() if current_thread() is main_thread() else GONE
    changed: list[str] = []
    try:
        yield changed
    finally:
        if "torch" in sys.modules:
            changed += _put_right(before)
        changed += put_folder_right(folder)  # a relative path would lead elsewhere from now on
        if changed:
            from functory.terminal import tell  # where it is needed: what it draws with costs a start

            tell(f"note: {who} changed {', '.join(changed)} {when}; functory put it back.")


def _of_torch() -> dict[str, str] | None:
    """Return how torch is set, None where it was not imported yet."""
    if "torch" not in sys.modules:
        return None
    with suppress(Exception):  # something else may stand in torch's place
        return of_torch()
    return None


def _put_right(before: dict[str, str] | None) -> list[str]:
    with suppress(Exception):
        return put_torch_right(TORCH if before is None else before)
    return []
