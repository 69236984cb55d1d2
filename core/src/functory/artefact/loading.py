"""Loads a saved function: what `functory.load` is.

Apart from `opening`, which opens the parts of composites too, and promises nothing to people.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functory.artefact.opening import listed, open_artefact
from functory.artefact.reaching import check_elsewhere, reached, scheme_of
from functory.contracts.engine import SessionOptions
from functory.machine.storage import refusals_told
from functory.running.backbones import Whereabouts

if TYPE_CHECKING:
    from functory.function import Function


@refusals_told
def load(
    folder: Path | str,
    *,
    form: str | None = None,
    session: SessionOptions | None = None,
    components: str | Sequence[str] = (),
    backbone: str | Sequence[str] = (),
    hubs: str | Sequence[str] = (),
    sha256: str = "",
    **options: Any,
) -> Function:
    """Load a saved function, an installed one by its name, or one that is served elsewhere by its URL.

    :param folder: the artefact's folder, or the name of a function that a wheel brought, or ``http://host/sentiment``, which
        functory-remote reaches.
    :param form: which of its forms: ``torch``, ``openvino int8`` …; the fastest that can run here when None.
    :param session: threads, device, budget, precision; or give them by name. A composite's parts have them too. Of a URL there
        are other options: how it is reached, such as ``token="…"``.
    :param components: ``./my_task.py:MyTask`` for each component that was in a file when the function was built. The
        file is run: it must be one that you trust.
    :param backbone: where its backbone lies now, when it moved since: ``./folder``; each of several for a composite's parts.
        The weights must be those that it was built on.
    :param hubs: the backbones that may fetch what it names and is not on this machine: ``hf``. None is asked otherwise.
    :param sha256: the digest that the function must have, as `verify` gives it: no other is loaded, however well made.
    :raises ArtefactError: when it is no function, is not the one that was asked for, was changed, or comes out differently here.
    """
    if scheme_of(folder):
        said = {"form": form, "session": session, "components": components, "backbone": backbone, "hubs": hubs}
        check_elsewhere(str(folder), said)
        return reached(str(folder), options, sha256)
    chosen = session or SessionOptions.of(options)
    whereabouts = Whereabouts(listed(backbone), listed(hubs))
    return open_artefact(
        folder, form=form, session=chosen, components=listed(components), whereabouts=whereabouts, sha256=sha256
    )
