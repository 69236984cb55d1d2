"""Imports one component, so that whatever its module does is told as a fault of that plugin and stays there.

Apart from `plugins`, which says which component is meant and keeps what came.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import reduce
from importlib import import_module
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import Any, TextIO, TypeVar

from functory.errors import PluginContractError, PluginError, PluginImportError
from functory.machine import telemetry
from functory.machine.distributions import CONTRACT, Entry
from functory.machine.storage import SPENT, number_of, refusal
from functory.plugins.keeping import process_kept
from functory.plugins.missing import remedy
from functory.terminal.diverting import diverted
from functory.wording.kinds import one_of
from functory.wording.told import cut, message_of, safe_text, told
from functory.wording.told import kind as kind_of

T = TypeVar("T")

NOTICE_SECONDS = 5.0
"""After so long, a line says what is still being imported."""

_replaced: list[TextIO] = []
"""What imports put in the place of stdout: where one is given up, it closes the stream beneath, which is everybody's."""
put_back: dict[Entry, list[str]] = {}
"""What imports changed for everybody, and what was put right again."""

CLASSES = {
    "backbones": "functory.contracts.backbone:Backbone",
    "families": "functory.contracts.family:Family",
    "tasks": "functory.contracts.task:Task",
    "adaptations": "functory.contracts.adaptation:Adaptation",
    "engines": "functory.contracts.engine:Engine",
    "optimizations": "functory.contracts.optimization:Optimization",
    "explanations": "functory.contracts.explanation:Explanation",
    "packagers": "functory.contracts.packager:Packager",
    "readers": "functory.contracts.reader:DataReader",
    "samples": "functory.contracts.sample:Sample",
}
"""The contract of each kind whose components are classes; functions, commands, faces, verbs, pipelines and hooks are
objects, and forms have no options."""


FORM = "functory.running.forms:Form"
"""What every form is: a class with no options, whose kind is its name."""
MADE = {"commands": "functory.contracts.command:Command", "faces": "functory.contracts.face:Face"}
"""The contract of each kind whose components are objects; where a class is given, one is made."""
FUNCTIONS = {"verbs": "functory.contracts.verb", "pipelines": "functory.contracts.pipeline"}
"""The contract of each kind whose components are plain functions: its `fault_of` says what is wrong with one."""


def import_component(
    entry: Entry, stdout: TextIO | None = None, forked: Callable[[], None] | None = None
) -> Any:  # Any: whatever a plugin gives
    """Import what an entry announces, and check that it is a component of its kind.

    :param entry: what to import.
    :param stdout: where to put what the plugin prints meanwhile; stderr by default: stdout is for results.
    :param forked: what a second process does that the import made and let go on; it ends at once when not given.
    :raises PluginContractError: it was written for another contract, is not there, or is no such class.
    :raises PluginImportError: it raised anything but KeyboardInterrupt, SystemExit included.
    :raises StorageError: the machine had no more files, memory or room to import anything: no plugin's fault.
    :raises KeyboardInterrupt: at Ctrl-C, with what was being imported, where, and what to do.
    """
    check_contract(entry)
    module, _, attribute = entry.value.partition(":")
    try:
        with _one_process(forked), _noticed(entry), _process_kept(entry), _printing(stdout):
            found = reduce(getattr, attribute.split("."), import_module(module))
    except KeyboardInterrupt as error:
        fault = interrupted(entry, error)
        raise KeyboardInterrupt(f"{fault.what} It was at {fault.where}.", fault.do) from error
    except AttributeError as error:
        if in_plugin(error.__traceback__, module):
            raise _raised(entry, module, error) from error
        raise _fault(
            PluginContractError,
            "no-such-class",
            entry,
            f"has no {attribute!r} in {module}.",
            where=_file(module),
        ) from error
    except BaseException as error:
        spent = refusal(error, doing=f"{owner_of(entry)} cannot be imported") if number_of(error) in SPENT else None
        raise spent or _raised(entry, module, error) from error
    return check_component(entry, found)


def interrupted(entry: Entry, error: BaseException, what: str = "was interrupted while it was imported.") -> PluginError:
    """Return what is told of an import that Ctrl-C ended.

    :param what: what is told of one that raised it itself.
    """
    return _raised(entry, entry.value.partition(":")[0], error, what)


def owner_of(entry: Entry) -> str:
    """Return who is at fault, as every message names it: distribution, version, kind and name."""
    if not entry.distribution:  # a component in a file: its author is the reader
        return entry.value
    return f"{entry.distribution} {entry.version} ({one_of(entry.kind)} {entry.name!r})"


def asked(entry: Entry, what: str, ask: Callable[[], T]) -> T:
    """Return what a component answers when it is asked about itself.

    :param what: what is asked for: ``its options``.
    :raises PluginContractError: it raised; file and line are named.
    """
    try:
        return ask()
    except (KeyboardInterrupt, PluginError):
        raise
    except BaseException as error:
        module = entry.value.partition(":")[0]
        place = in_plugin(error.__traceback__, module)
        where = f"{place[0]}, line {place[1]}" if place else _file(module)
        raise _fault(PluginContractError, "untellable", entry, f"cannot tell {what}: {told(error)}.", where=where) from error


def import_path(entry: Entry, path: Path, module: str, attribute: str) -> Any:  # Any: whatever a file gives
    """Import a file under a module name of its own, and return one attribute of it.

    :raises PluginImportError: the file raised, or is no Python; its line is named.
    :raises PluginContractError: it has no such attribute.
    """
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location(module, path)
    if spec is None or spec.loader is None:
        raise _fault(PluginImportError, "raises", entry, "is no Python file.", where=str(path))
    made = module_from_spec(spec)
    sys.modules[module] = made  # dataclasses, pydantic and pickle look their module up
    try:
        with _one_process(), _noticed(entry), _process_kept(entry), _printing():
            spec.loader.exec_module(made)
    except KeyboardInterrupt:
        del sys.modules[module]
        raise
    except BaseException as error:
        del sys.modules[module]
        raise _raised(entry, module, error) from error
    if not hasattr(made, attribute):
        has = ", ".join(
            name for name, value in vars(made).items() if getattr(value, "__module__", "") == module
        )
        what = f"names the class {attribute}, which the file does not define; it defines: {has or 'nothing'}."
        raise _fault(PluginContractError, "no-such-class", entry, what, where=str(path))
    return getattr(made, attribute)


def check_contract(entry: Entry) -> None:
    """Refuse a plugin written for other contracts, before any of its code runs.

    :raises PluginContractError: naming the version that it speaks, and this one's.
    """
    if entry.speaks:
        return
    if entry.contract:
        what = f"was written for contract version {entry.contract}; this functory speaks {CONTRACT}."
        remedy = f"take one that was made for this functory: pip install -U functory {entry.distribution}."
    else:
        what = f"does not say for which contract version it was written; this functory speaks {CONTRACT}."
        remedy = 'its author adds [project.entry-points."functory.contract"] to its pyproject.toml.'
    raise _fault(
        PluginContractError,
        "other-contract",
        entry,
        what,
        where=f"{entry.metadata}/entry_points.txt",
        do=remedy,
    )


def check_component(entry: Entry, found: Any) -> Any:  # Any: whatever a plugin gives
    """Return what was imported if it fits its kind: a complete subclass of its contract; a command, made.

    :raises PluginContractError: naming what it is, and what its kind must have.
    """
    return asked(entry, "what it is", lambda: _checked(entry, found))


def _checked(entry: Entry, found: Any) -> Any:
    """Return what fits its kind, as `check_component` does, whatever its own methods raise meanwhile.

    :raises PluginContractError: naming what it is, and what its kind must have.
    """
    if entry.kind in MADE:
        wanted = _contract(MADE[entry.kind])
        is_class = isinstance(found, type) and issubclass(found, wanted) and not _missing(found)
        made = found() if is_class else found
        if isinstance(made, wanted):
            return made
        raise _misfit(entry, found, wanted)
    if entry.kind in FUNCTIONS:
        fault = import_module(FUNCTIONS[entry.kind]).fault_of(found)
        if fault:
            place = _file(entry.value.partition(":")[0])
            raise _fault(PluginContractError, f"no-{one_of(entry.kind)}", entry, fault, where=place)
        return found
    contract = FORM if entry.kind == "forms" else CLASSES.get(entry.kind)
    if contract is None:
        return found
    wanted = _contract(contract)
    if not (isinstance(found, type) and issubclass(found, wanted)) or _missing(found):
        raise _misfit(entry, found, wanted)
    called = getattr(found, "kind", "")
    if contract == FORM and called != entry.name:
        what = f"gives {found.__name__} as the form {entry.name!r}; a manifest would call its kind {called!r}."
        raise _fault(PluginContractError, "other-kind", entry, what, where=_file(entry.value.partition(":")[0]))
    return found


def _contract(place: str) -> type:
    """Return the class that a contract is."""
    module, _, name = place.partition(":")
    found: type = getattr(import_module(module), name)
    return found


def in_plugin(trace: TracebackType | None, module: str) -> tuple[str, int] | None:
    """Return file and line of the deepest frame that runs the plugin's own code, if there is one.

    :param module: the plugin's module; frames of its whole top package count.
    """
    top = module.partition(".")[0]
    place = None
    while trace is not None:
        name = trace.tb_frame.f_globals.get("__name__", "")
        if isinstance(name, str) and name.partition(".")[0] == top and name != __name__:
            place = (trace.tb_frame.f_code.co_filename, trace.tb_lineno)
        trace = trace.tb_next
    return place


def _misfit(entry: Entry, found: object, contract: type) -> PluginError:
    """Return the error of a component that is not what its kind asks for."""
    owner = entry.value.partition(":")[0]
    if isinstance(found, type) and issubclass(found, contract):
        lacks = ", ".join(_missing(found))
        what = f"gives {found.__name__}, which lacks what every {contract.__name__} must have: {lacks}."
        diagnosis = "abstract"
    else:
        kind = found.__name__ if isinstance(found, type) else f"an object of type {type(found).__name__}"
        what = (
            f"gives {kind} as one of its {entry.kind}, which is no {contract.__module__}.{contract.__name__}."
        )
        diagnosis = "not-a-subclass"
    return _fault(PluginContractError, diagnosis, entry, what, where=_file(owner))


def _missing(found: type) -> list[str]:
    """Return the abstract methods that a class leaves open."""
    return sorted(getattr(found, "__abstractmethods__", ()))


def _raised(entry: Entry, module: str, error: BaseException, what: str = "") -> PluginError:
    """Return the error of an import that failed, at its deepest line inside the plugin.

    :param what: what is told of it; what the error says when empty.
    """
    place = in_plugin(error.__traceback__, module)
    if isinstance(error, SyntaxError) and isinstance(error.filename, str):
        place = (error.filename, error.lineno if isinstance(error.lineno, int) else 0)
    where = f"{place[0]}, line {place[1]}" if place else f"{entry.metadata}/entry_points.txt"
    if what:
        return _fault(PluginImportError, "raises", entry, what, where=where)
    if isinstance(error, SystemExit):
        code = 0 if error.code is None else error.code
        how = f"exit code {code}" if type(code) is int else f"it said: {cut(safe_text(code))}"
        what = f"ended the program while it was imported ({how})."
        return _fault(PluginImportError, "exits", entry, what, where=where)
    if isinstance(error, ModuleNotFoundError) and error.name and isinstance(error.name, str):
        if f"{module}.".startswith(f"{error.name}."):
            what = f"announces the module {module}, which is not there."
            again = f"pip install --force-reinstall --no-deps {entry.distribution}."
            return _fault(PluginImportError, "no-such-module", entry, what, where=where, do=again)
        what = f"needs the module {error.name!r}, which is not installed."
        do = remedy(error.name, entry) if entry.distribution else ""
        return _fault(PluginImportError, "missing-dependency", entry, what, where=where, do=do)
    message = message_of(error)
    what = f"raised {kind_of(error)} while it was imported{': ' + message if message else '.'}"
    return _fault(PluginImportError, "raises", entry, what, where=where)


def _fault(
    kind: type[PluginError], diagnosis: str, entry: Entry, what: str, *, where: str = "", do: str = ""
) -> PluginError:
    """Return an error that names the plugin, its version, the place and the remedy."""
    if not entry.distribution:  # a component in a file: its author is the reader
        error = kind(f"{owner_of(entry)} {what}", where=where)
    else:
        remedy = do or f"pip install -U {entry.distribution}, or pip uninstall {entry.distribution}."
        do = f"{remedy} `functory doctor` looks at every plugin."
        error = kind(f"{owner_of(entry)} {what}", where=where, do=do)
    error.diagnosis = diagnosis
    return error


def _file(module: str) -> str:
    """Return the file of an imported module."""
    return getattr(sys.modules.get(module), "__file__", None) or module


@contextmanager
def _one_process(forked: Callable[[], None] | None = None) -> Iterator[None]:
    """Let only the process that began an import go on after it: all that follows would be done twice."""
    process, leave = os.getpid(), os._exit
    try:
        yield
    finally:
        if os.getpid() != process:
            if forked is not None:
                forked()
            leave(0)


@contextmanager
def _process_kept(entry: Entry) -> Iterator[None]:
    """Put right what an import set for everybody: its failures would be blamed on others."""
    changed: list[str] = []
    try:
        with process_kept(owner_of(entry), "while it was imported") as changed:
            yield
    finally:
        if changed:
            put_back[entry] = changed


def _note(text: str) -> None:
    """Tell something beside the results."""
    from functory.terminal import tell  # where it is needed: what it draws with costs a start

    tell(text)


@contextmanager
def _noticed(entry: Entry) -> Iterator[None]:
    """Say so when an import takes long: a silent program looks dead. What it brings in does not tell others of it."""
    telemetry.switch_off()
    name = f"{entry.distribution} {entry.version}" if entry.distribution else entry.value
    timer = Timer(NOTICE_SECONDS, lambda: _note(f"still importing {name} …"))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def _printing(elsewhere: TextIO | None = None) -> Iterator[None]:
    """Send what an import prints elsewhere, stderr when not given; what it puts in the place of stdout does not stay."""
    with diverted(elsewhere):
        stdout = sys.stdout
        try:
            yield
        finally:
            if sys.stdout is not stdout:
                _replaced.append(sys.stdout)
            sys.stdout = stdout
