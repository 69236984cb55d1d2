"""Functions that wheels brought: where their artefacts lie, and the callable that their packages export.

Imports next to nothing, so that importing such a package costs nothing before its first call.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, get_args

from functory.errors import ArtefactError, FunctoryError, UnknownComponent, UsageError
from functory.machine.members import is_file, is_folder

if TYPE_CHECKING:
    from functory.function import Function


def artefact_of(reference: Path | str) -> Path:
    """Return the folder of an artefact: the one named, or an installed function's, after its digest was checked.

    :param reference: a folder, or the name of a component of the kind ``functions``, whose entry point is a
        module-level `Packaged`. A folder goes first where it holds a function.
    :raises UsageError: when it is no name at all.
    :raises ArtefactError: when it is neither, or the installed one is not the one that was packaged.
    :raises FunctoryError: when an installed function's entry point is no artefact.
    """
    if not isinstance(reference, Path | str):
        raise UsageError(
            f"a function is called for by its folder or its name, and not by {type(reference).__name__} {reference!r}.",
            do="functory list --kind functions shows what there is.",
        )
    folder = Path(reference)
    if isinstance(reference, Path) or "/" in reference or is_file(folder / "function.json"):
        return folder
    from functory.plugins.registry import load

    try:
        found = load("functions", reference)
    except UnknownComponent as error:
        if is_folder(folder):
            return folder
        raise ArtefactError(
            f"there is no folder and no installed function named {reference!r}.",
            where=str(Path.cwd()),
            do=f"{_near(reference)}name the folder that `save` wrote, or install the function's wheel. {error.do}",
        ) from None
    if not isinstance(found, Packaged):
        raise FunctoryError(
            f"the installed function {reference!r} gives no artefact.", do="package it again with this functory."
        )
    return found.checked()


@dataclass(frozen=True)
class Packaged:
    """An artefact in an installed package, with the digest that it had when it was packaged.

    The digest stands in the package's source: a folder that is changed, its own digest too, is noticed.
    """

    folder: Path
    sha256: str

    def checked(self) -> Path:
        """Return the folder.

        :raises ArtefactError: when it holds no function, or not the one that was packaged.
        """
        from functory.artefact.sealing import unseal

        try:
            unseal(self.folder, self.sha256)
        except ArtefactError as error:
            error.do = f"install it again: pip install --force-reinstall --no-deps {self.folder.parent.name.replace('_', '-')}."
            raise
        return self.folder


def _near(name: str) -> str:
    """Return a guess at the folder that was meant, among those here that hold a function; empty without one."""
    from difflib import get_close_matches

    from functory.artefact.finding import find

    near = get_close_matches(name, [one.folder for one in find(Path(), depth=1)], n=1)
    return f"did you mean {near[0]!r}? Or " if near else ""


class InstalledFunction:
    """A function that a wheel brought. It is loaded at its first use, once, whatever threads call it.

    Stands for its `Function` everywhere: `isinstance` says so, and every attribute of the function is there.

    :param packaged: its artefact.
    """

    def __init__(self, packaged: Packaged) -> None:
        self._packaged = packaged
        self._lock = Lock()
        self._function: Function | None = None
        self.__name__ = packaged.folder.parent.name

    def loaded(self) -> Function:
        """Return the function itself.

        :raises ArtefactError: when it was changed since it was packaged, or comes out differently here.
        """
        with self._lock:
            if self._function is None:
                from functory.artefact.loading import load

                self._function = load(self._packaged.checked(), sha256=self._packaged.sha256)
            return self._function

    def type_named(self, name: str) -> Any:
        """Return a type of the input or the output by its name, without loading the function.

        :raises AttributeError: when there is none.
        :raises ArtefactError: when the function is not the one that was packaged.
        """
        from functory.artefact.checking import read_manifest
        from functory.plugins.claims import reference_to
        from functory.plugins.registry import load

        made_with = read_manifest(self._packaged.checked()).task
        task = load("tasks", reference_to("tasks", made_with.name, made_with.distribution)).configure(made_with.options)
        for found in _models((task.Output, task.Input), set()):
            if "".join(letter if letter.isalnum() else "_" for letter in found.__name__) == name:
                return found
        raise AttributeError(f"{self.__name__} has no type {name!r}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.loaded()(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        # Programs that look around (copy, inspect, doctest) ask for names like __wrapped__: they load nothing.
        if name.startswith("_") and name != "__signature__":
            raise AttributeError(name)
        return getattr(self.loaded(), name)

    @property  # type: ignore[misc]  # it can be read alone, as a mock's
    def __class__(self) -> type:
        """`Function`, for `isinstance`; `type` tells the truth."""
        from functory.function import Function

        return Function

    def __repr__(self) -> str:
        return repr(self._function) if self._function is not None else f"<installed function {self.__name__}>"

    def _repr_html_(self) -> str | None:
        """Show the function in a notebook once it is loaded; to be looked at is no reason to load it."""
        return None if self._function is None else self._function._repr_html_()

    def __reduce__(self) -> Any:
        """A copy in another process loads the same artefact anew."""
        return type(self), (self._packaged,)


def _models(kinds: tuple[Any, ...], seen: set[Any]) -> Iterator[type]:
    """Give the models among some types, and those in their fields, each once."""
    for kind in kinds:
        if isinstance(kind, type) and hasattr(kind, "model_fields"):
            if kind not in seen:
                seen.add(kind)
                yield kind
                yield from _models(tuple(field.annotation for field in kind.model_fields.values()), seen)
        else:
            yield from _models(get_args(kind), seen)
