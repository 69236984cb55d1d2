"""What a process has only one of: torch's default type and device, the working directory, the locale, random generators …

Who changes it, changes it for everybody, and the failure shows in somebody else's code. So it is looked at around the
import of each plugin: torch's and the working directory are put right there and then, and `functory doctor` tells all of it.
Nothing is imported for it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

TORCH = {"torch's default type": "torch.float32", "torch's default device": "cpu", "torch's gradients": "on"}
"""As torch has it when it is new."""


def of_torch() -> dict[str, str]:
    """Return what torch has one of in this process, or would have when it is imported."""
    torch: Any = sys.modules.get("torch")  # Any: not a dependency of the core's
    if not hasattr(torch, "get_default_dtype"):
        return dict(TORCH)
    device = torch.get_default_device() if hasattr(torch, "get_default_device") else torch.empty(0).device
    return {
        "torch's default type": str(torch.get_default_dtype()),
        "torch's default device": str(device),
        "torch's gradients": "on" if torch.is_grad_enabled() else "off",
    }


def put_torch_right(before: Mapping[str, str]) -> list[str]:
    """Set torch as it was; return what was otherwise: ``torch's default type: torch.float32, now torch.float64``."""
    after = of_torch()
    changed = differences(before, after)
    if changed:
        torch: Any = sys.modules["torch"]
        torch.set_default_dtype(getattr(torch, before["torch's default type"].removeprefix("torch.")))
        if before["torch's default device"] != after["torch's default device"]:
            device = before["torch's default device"]
            torch.set_default_device(None if device == "cpu" else device)
        torch.set_grad_enabled(before["torch's gradients"] == "on")
    return changed


GONE = "one that was deleted"
"""What stands for a working directory that is not there any more."""


def working_folder() -> str:
    """Return the working directory."""
    try:
        return os.getcwd()  # noqa: PTH109 - a text
    except OSError:
        return GONE


def put_folder_right(before: str) -> list[str]:
    """Go back into a folder; return what was otherwise: ``the working directory: ~/reviews, now /``."""
    now = working_folder()
    if now == before or before == GONE:
        return []
    with suppress(OSError):
        os.chdir(before)
    return [f"the working directory: {before}, now {now}"]


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return what changed, in words; a value that is no text is not shown."""
    told = []
    for name, value in before.items():
        now = after.get(name, value)
        if now is value or now == value:
            continue
        is_shown = isinstance(value, str) and isinstance(now, str)
        told.append(f"{name}: {value}, now {now}" if is_shown else name)
    return told


class Snapshot:
    """What a process has only one of, at one moment."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        for name, ask in _EVERYWHERE.items():
            with suppress(Exception):
                self.values[name] = ask()
        self.values |= of_torch()
        for module, asked in _OF_MODULES.items():
            if module in sys.modules:
                self.values |= _of_module(sys.modules[module], asked)
        self._environment = dict(os.environ)
        self._path = list(sys.path)
        self._modules = dict(sys.modules)
        self._functions = {name: _functions(module) for name, module in self._modules.items() if name in _STANDARD}

    def changed(self, owner: str) -> list[str]:
        """Return what is otherwise by now, in words.

        :param owner: the package whose doing it is: a function that a library put in another's place is the library's.
        """
        now = Snapshot()
        told = [
            *differences({**_news(self, now), **self.values}, now.values),
            *(f"the environment's {name}" for name in _changed_keys(self._environment, now._environment)),
            *(f"the environment's {name}" for name in now._environment if name not in self._environment and _is_read(name)),
            *(["sys.path"] if not _holds(now._path, self._path) else []),
            *(f"the module {name}" for name in _changed_keys(self._modules, now._modules) if self._is_replaced(name, now)),
            *self._patched(now, owner),
        ]
        return list(dict.fromkeys(told))

    def _is_replaced(self, name: str, now: Snapshot) -> bool:
        """Return whether another module has the name; one that is loaded lazily puts itself in its own place."""
        before, after = self._modules[name], now._modules.get(name)
        file = getattr(before, "__file__", None)
        return after is None or file is None or getattr(after, "__file__", None) != file

    def _patched(self, now: Snapshot, owner: str) -> Iterator[str]:
        """Give the functions of Python's own modules that are others now, unless a library did it."""
        for name, functions in self._functions.items():
            others = now._functions.get(name, functions)
            for function in _changed_keys(functions, others):
                maker = getattr(others.get(function), "__module__", None)
                if not isinstance(maker, str) or maker.partition(".")[0] in (owner, name.partition(".")[0]):
                    yield f"{name}.{function}"


def _news(before: Snapshot, now: Snapshot) -> dict[str, Any]:
    """Return what a module that was imported meanwhile has when it is new, as far as that is known."""
    fresh: dict[str, Any] = {"numpy's handling of errors": _NUMPY_ERRORS, "torch's deterministic algorithms": "off"}
    return {name: value for name, value in fresh.items() if name in now.values and name not in before.values}


def _changed_keys(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the names whose value is another one or gone; what is new is nobody's loss."""
    missing = object()
    return [name for name, value in before.items() if _is_other(value, after.get(name, missing))]


def _is_other(value: Any, now: Any) -> bool:
    return value is not now and not (isinstance(value, str) and value == now)


def _is_read(name: str) -> bool:
    return name.startswith(_READ) or name.lower().endswith("_proxy")


def _holds(path: list[Any], before: list[Any]) -> bool:
    """Return whether every folder is still there, in the same order."""
    rest = iter(path)
    return all(any(one is folder or one == folder for one in rest) for folder in before)


def _functions(module: object) -> dict[str, Any]:
    """Return the functions and classes of a module."""
    found = getattr(module, "__dict__", {})
    return {name: value for name, value in list(found.items()) if callable(value) and not name.startswith("_")}


def _locale() -> str:
    import locale

    return locale.setlocale(locale.LC_ALL)


def _random() -> Any:
    found: Any = sys.modules.get("random")
    return found.getstate() if found is not None else None


def _handlers() -> dict[str, Any]:
    import signal

    return {one.name: signal.getsignal(one) for one in signal.Signals}


def _blanket_filters() -> list[str]:
    """Return what becomes of every warning, where somebody decided that for all."""
    import warnings

    return [str(one[0]) for one in warnings.filters if one[1] is None and one[2] is Warning and one[3] is None]


def _of_module(module: Any, asked: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    found = {}
    for name, ask in asked.items():
        with suppress(Exception):
            found[name] = ask(module)
    return found


_EVERYWHERE: dict[str, Callable[[], Any]] = {
    "the working directory": working_folder,
    "the locale": _locale,
    "sys.excepthook": lambda: sys.excepthook,
    "sys.displayhook": lambda: sys.displayhook,
    "sys.stderr": lambda: sys.stderr,
    "sys.stdin": lambda: sys.stdin,
    "the recursion limit": lambda: str(sys.getrecursionlimit()),
    "the handlers of signals": _handlers,
    "the filters of warnings": _blanket_filters,
    "Python's random generator": _random,
}
_NUMPY_ERRORS = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}
_OF_MODULES: dict[str, dict[str, Callable[[Any], Any]]] = {
    "numpy": {"numpy's handling of errors": lambda numpy: numpy.geterr()},
    "torch": {
        "torch's threads": lambda torch: str(torch.get_num_threads()),
        "torch's deterministic algorithms": lambda torch: "on" if torch.are_deterministic_algorithms_enabled() else "off",
    },
}
_READ = ("CUDA_", "FUNCTORY_", "HF_", "LANG", "LC_", "MKL_", "OMP_", "PYTHON", "PYTORCH_", "TOKENIZERS_", "TRANSFORMERS_")
"""How the names of variables begin that others read."""
_STANDARD = frozenset(sys.stdlib_module_names) | {"os.path"}
