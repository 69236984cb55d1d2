"""Which component a saved function means, where another distribution claims its name by now.

Apart from `registry`, where a short name that two claim is refused: a saved function knows whose it was made with.
"""

from __future__ import annotations

from functory.errors import ForeignComponent, UnknownComponent
from functory.plugins.registry import FROM_FILE, entries, known, parse


def reference_to(kind: str, name: str, distribution: str, *, where: str = "") -> str:
    """Return the reference that leads to the component that a function was made with.

    It is the name alone where nobody else claims it.

    :param kind: the last word of the entry-point group.
    :param name: as the manifest has it; of a backbone with its place.
    :param distribution: who gave it; empty where no distribution did, or the manifest does not know.
    :param where: the place to name in an error.
    :raises UnknownComponent: when that distribution is not installed, or gives no such component any more.
    """
    wanted = parse(name, kind)
    if not distribution or wanted.distribution or name.startswith(FROM_FILE):
        return name
    claims = [entry for entry in entries(kind) if entry.name == wanted.name]
    owners = [entry.distribution for entry in claims]
    if owners == [distribution]:
        return name
    if distribution in owners:
        return ":".join(filter(None, (distribution, wanted.name, wanted.place)))
    if claims:
        raise ForeignComponent(kind, wanted.name, distribution, owners, where=where)
    have, brings = {entry.name for entry in entries(kind)}, {**known().get(kind, {}), wanted.name: distribution}
    raise UnknownComponent(kind, wanted.name, have, brings, where=where)
