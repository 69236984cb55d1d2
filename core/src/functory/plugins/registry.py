"""Components by name: what is installed, which one is meant, and the thing itself, imported at its first use.

entries("adaptations")              what is installed, from metadata alone
find("adaptations", "lora")         the one that is meant, or an error that lists what there is
load("adaptations", "lora")         its class; a broken plugin is named, and breaks nothing else
load_file("./my_task.py:MyTask", "tasks")
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Literal, overload

from functory.errors import AmbiguousComponent, PluginError, UnknownComponent, UsageError
from functory.machine.distributions import CONTRACT, GROUPS, Entry, Fault, forget, scanned
from functory.machine.storage import meaning
from functory.plugins import references
from functory.plugins.references import Reference, is_file, split_file
from functory.wording.kinds import one_of

if TYPE_CHECKING:
    from functory.contracts.adaptation import Adaptation
    from functory.contracts.backbone import Backbone
    from functory.contracts.command import Command
    from functory.contracts.engine import Engine
    from functory.contracts.explanation import Explanation
    from functory.contracts.face import Face
    from functory.contracts.family import Family
    from functory.contracts.optimization import Optimization
    from functory.contracts.packager import Packager
    from functory.contracts.reader import DataReader
    from functory.contracts.sample import Sample
    from functory.contracts.task import Task

__all__ = [
    "CONTRACT",
    "GROUPS",
    "Entry",
    "Fault",
    "Reference",
    "entries",
    "faults",
    "find",
    "is_file",
    "known",
    "load",
    "load_file",
    "origin",
    "parse",
    "refresh",
    "registered",
    "resolve",
]

FROM_FILE = "file:"
"""Begins the name of a component from a file, ``file:MyTask``, which says nothing of where the file lies: a manifest
that holds it is met only by a file that the user names."""

OWN_FIRST = ("commands", "forms")
"""Kinds of which functory's own have their names to themselves."""
_CORE = "functory"
_lock = RLock()  # one for all: a plugin may load another component while it is imported
_loaded: dict[Entry, Any] = {}
_failed: dict[Entry, PluginError] = {}
_files: dict[tuple[str, str, str], Any] = {}
_registered: list[Entry] = []
_origins: dict[int, tuple[object, Entry]] = {}  # the object is kept, so that its id stays its own


def entries(kind: str | None = None) -> list[Entry]:
    """Return what is installed, of one kind or of all, sorted by kind and name. Imports no plugin.

    :raises UsageError: for a kind that does not exist.
    """
    if kind is None:
        return [*scanned()[0], *_registered]
    if kind not in GROUPS:
        raise UsageError(f"there is no kind {kind!r} of component.", do=f"the kinds: {', '.join(GROUPS)}.")
    return [entry for entry in (*scanned()[0], *_registered) if entry.kind == kind]


def faults() -> list[Fault]:
    """Return what is wrong with the metadata of the installed distributions, as far as listing reads it."""
    return list(scanned()[1])


def parse(reference: str, kind: str = "backbones") -> Reference:
    """Take a reference apart, as `references.parse` does, in the light of what is installed."""
    return references.parse(reference, kind, entries(kind))


def refresh() -> None:
    """Look at the installed distributions anew, and try failed imports again. What is loaded stays."""
    from importlib import invalidate_caches

    with _lock:
        forget()
        _failed.clear()
        invalidate_caches()


def known() -> Mapping[str, Mapping[str, str]]:
    """Return, for each kind, the names of the project's own plugins and the distribution that brings each."""
    import json

    try:
        table: dict[str, dict[str, str]] = json.loads(Path(__file__).with_name("known.json").read_text("utf-8"))
    except FileNotFoundError:
        return {}
    return table


def find(kind: str, reference: str, *, where: str = "") -> Entry:
    """Return the entry that a reference means.

    :param kind: the last word of the entry-point group: ``adaptations``.
    :param reference: a name, ``distribution:name``, or for a backbone a name with a place or a folder.
    :param where: the place to name in an error, such as ``recipe.toml, line 7``.
    :raises UnknownComponent: nothing of that kind has that name.
    :raises AmbiguousComponent: two distributions claim it.
    :raises UsageError: it names a file, which only a recipe may.
    """
    if is_file(reference):
        raise UsageError(
            f"{reference!r} names a component in a file, which only a recipe may do.",
            where=where,
            do="put it into a recipe, or make it a plugin: functory new plugin.",
        )
    candidates = entries(kind)
    wanted = references.parse(reference, kind, candidates)
    found = [entry for entry in candidates if entry.name == wanted.name]
    if wanted.distribution:
        found = [entry for entry in found if entry.distribution == wanted.distribution]
    elif kind in OWN_FIRST and any(entry.distribution == _CORE for entry in found):
        # functory's own cannot be taken: a plugin must not be able to break `functory doctor`, nor every function that is saved
        found = [entry for entry in found if entry.distribution == _CORE]
    if not found:
        names = {entry.name for entry in candidates}
        asked = reference if wanted.distribution else wanted.name
        raise UnknownComponent(kind, asked, names, known().get(kind, {}), where=where)
    if len(found) > 1:
        raise AmbiguousComponent(kind, wanted.name, [entry.distribution for entry in found], where=where)
    return found[0]


@overload
def load(kind: Literal["backbones"], reference: str, *, where: str = "") -> type[Backbone[Any]]: ...
@overload
def load(kind: Literal["families"], reference: str, *, where: str = "") -> type[Family]: ...
@overload
def load(kind: Literal["tasks"], reference: str, *, where: str = "") -> type[Task[Any]]: ...
@overload
def load(kind: Literal["adaptations"], reference: str, *, where: str = "") -> type[Adaptation[Any]]: ...
@overload
def load(kind: Literal["engines"], reference: str, *, where: str = "") -> type[Engine[Any]]: ...
@overload
def load(kind: Literal["optimizations"], reference: str, *, where: str = "") -> type[Optimization[Any]]: ...
@overload
def load(kind: Literal["explanations"], reference: str, *, where: str = "") -> type[Explanation[Any]]: ...
@overload
def load(kind: Literal["packagers"], reference: str, *, where: str = "") -> type[Packager[Any]]: ...
@overload
def load(kind: Literal["readers"], reference: str, *, where: str = "") -> type[DataReader[Any]]: ...
@overload
def load(kind: Literal["samples"], reference: str, *, where: str = "") -> type[Sample[Any]]: ...
@overload
def load(kind: Literal["commands"], reference: str, *, where: str = "") -> Command: ...
@overload
def load(kind: Literal["faces"], reference: str, *, where: str = "") -> Face: ...
@overload
def load(kind: str, reference: str, *, where: str = "") -> Any: ...
def load(kind: str, reference: str, *, where: str = "") -> Any:  # Any: a hook or a function is any object
    """Return the component that a reference means, imported now if this is its first use.

    A class for most kinds; an object for functions, commands, faces, verbs, pipelines and hooks. The same object each time; a
    failure is remembered too, until `refresh`. Safe to call from many threads.

    :raises UsageError: the reference is no text: data that were given in a name's place, for one.
    :raises UnknownComponent: nothing of that kind has that name.
    :raises AmbiguousComponent: two distributions claim it.
    :raises PluginImportError: its module raised, or ended the program.
    :raises PluginContractError: it is no such class, or was written for another contract version.
    """
    if not isinstance(reference, str):
        what = f"a name of the {one_of(kind)} is wanted, and a {type(reference).__name__} was given."
        raise UsageError(what, where=where, do="give the name first, and data by its own: data=….")
    if reference.startswith(FROM_FILE):
        return _from_file(kind, reference, where)
    entry = find(kind, reference, where=where)
    with _lock:
        if entry in _failed:
            raise _again(_failed[entry], where)
        if entry not in _loaded:
            try:
                _loaded[entry] = _named_safely(resolve(entry), entry)
            except PluginError as error:
                _failed[entry] = error
                raise _again(error, where) from error.__cause__
        return _loaded[entry]


def resolve(entry: Entry, **options: Any) -> Any:  # Any: passed to and returned from the import
    """Import an entry without remembering it (see `importing.import_component`)."""
    from functory.plugins.importing import import_component

    return import_component(entry, **options)


def load_file(reference: str, kind: str, *, base: Path | None = None, where: str = "") -> Any:  # Any: as in load
    """Return a component from a file, ``./my_task.py:MyTask``: the first try of an idea, in a recipe only.

    :param base: the folder that the path starts from: the recipe's. The working directory when not given.
    :raises UsageError: there is no such file.
    :raises PluginImportError: it raised; file and line are named.
    :raises PluginContractError: the class is not there, or none of its kind.
    """
    from functory.plugins.importing import check_component, import_path

    file, attribute = split_file(reference)
    path = Path(os.path.realpath((base or Path()).joinpath(Path(file).expanduser())))
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{reference!r} names a file that cannot be read: {meaning(error)}.",
            where=where,
            do=f"looked for {path}.",
        ) from None
    entry = Entry(kind, f"{FROM_FILE}{attribute}", reference, "", "", str(CONTRACT))
    key = (str(path), sha256(text).hexdigest()[:16], f"{kind}:{attribute}")
    with _lock:
        if key not in _files:
            module = f"functory_file_{path.stem}_{sha256(f'{path}{key[1]}'.encode()).hexdigest()[:12]}"
            _files[key] = _named(check_component(entry, import_path(entry, path, module, attribute)), entry)
        _files[key] = _files.pop(key)  # the last one asked for is the one that is meant by its name alone
        return _files[key]


def _from_file(kind: str, name: str, where: str) -> Any:  # Any: as in load
    """Return a component from a file that the user has named in this process.

    :raises UsageError: when none was.
    """
    with _lock:
        found = [made for (_, _, what), made in _files.items() if what == f"{kind}:{name.removeprefix(FROM_FILE)}"]
    if found:
        return found[-1]
    attribute = name.removeprefix(FROM_FILE)
    raise UsageError(
        f"the {one_of(kind)} {attribute} was in a file when the function was built, and is no plugin.",
        where=where,
        do=f"name the file: functory.load(…, components='./file.py:{attribute}'), or --component ./file.py:{attribute}. "
        "Load only files that you trust: they are programs.",
    )


@contextmanager
def registered(
    kind: str, name: str, component: Any, *, distribution: str = "", version: str = ""
) -> Iterator[Entry]:  # Any: as in load
    """Give an object in memory a name for as long as the context lasts: components of tests need no distribution.

    :param distribution: who gives it, where that is known.
    :raises UsageError: for a kind that does not exist, or a name that is taken.
    :raises PluginContractError: it is no such class.
    """
    from functory.plugins.importing import check_component

    if any(entry.name == name for entry in entries(kind)):
        raise UsageError(f"{kind} has a {name!r} already.", do="choose another name.")
    owner = component if isinstance(component, type) else type(component)
    entry = Entry(kind, name, f"{owner.__module__}:{owner.__qualname__}", distribution, version, str(CONTRACT))
    made = check_component(entry, component)
    with _lock:
        _loaded[entry] = _named(made, entry)
        _registered.append(entry)
    try:
        yield entry
    finally:
        with _lock:
            _registered.remove(entry)
            _origins.pop(id(_loaded.pop(entry)), None)


def origin(component: object) -> Entry | None:
    """Return where a component came from: its entry, or its class's; None for what was not loaded here."""
    for candidate in (component, type(component)):
        kept = _origins.get(id(candidate))
        if kept is not None:
            return kept[1]
    return None


def _named(component: Any, entry: Entry) -> Any:  # Any: as in load
    """Give a component its name, and note where it came from."""
    if isinstance(component, type) and id(component) in _origins:
        # one class under two names: each name has a class of its own
        component = type(component)(component.__name__, (component,), {"__module__": component.__module__})
    if entry.kind not in ("forms", "functions", "hooks", "verbs", "pipelines") or getattr(component, "kind", "") == entry.kind:
        component.name = entry.name
    _origins[id(component)] = (component, entry)
    return component


def _named_safely(component: Any, entry: Entry) -> Any:  # Any: as in load
    """Give a component its name, whatever its own class does then.

    :raises PluginContractError: it takes none.
    """
    from functory.plugins.importing import asked

    return asked(entry, "its name", lambda: _named(component, entry))


def _again(error: PluginError, where: str) -> PluginError:
    """Return a remembered error afresh, with the place that asked this time."""
    fresh = type(error)(
        error.what, where=f"{error.where} (asked for in {where})" if where else error.where, do=error.do
    )
    fresh.diagnosis = error.diagnosis
    fresh.__cause__ = error.__cause__
    return fresh
