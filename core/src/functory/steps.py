"""Calls the hooks: who answers, who wraps, who observes, and whose fault a failure is.

Apart from `hookspecs` (what the steps are) and `build` (in which order they come).
"""

from __future__ import annotations

import functools
import os
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from difflib import get_close_matches
from inspect import getattr_static, isgeneratorfunction, unwrap
from typing import Any

import pluggy

from functory.contracts.component import Component, Part
from functory.errors import FunctoryError, HookError, OptionError
from functory.hookspecs import PROJECT, Hooks, hookimpl
from functory.machine import configuration

ONCE = "a wrapper must yield exactly once"
STEPS = tuple(name for name in vars(Hooks) if not name.startswith("_"))


class CoreSteps:
    """Core's own implementation of each step: it calls the named component. Comes last."""

    @hookimpl
    def load_backbone(self, reference: str, options: Any) -> Any:
        from functory.running.backbones import open_backbone

        return open_backbone(reference, options)

    @hookimpl
    def adapt(self, engine: Any, backbone: Any, task: Any, state: Any, adaptation: Any) -> Any:
        return engine.adapt(backbone, task.formulate(backbone.spec, adaptation.learning), state, adaptation)

    @hookimpl
    def train(self, engine: Any, model: Any, adaptation: Any, train: Any, dev: Any, run: Any) -> Any:
        return adaptation.fit(engine.session(model, train, dev, run))

    @hookimpl
    def evaluate(self, function: Any, examples: Any) -> Any:
        from functory.measuring.evaluation import evaluate

        return evaluate(function, examples)

    @hookimpl
    def optimize(self, function: Any, optimization: Any, examples: Any, calibration: Any) -> Any:
        return optimization.optimize(function, examples, calibration)

    @hookimpl
    def explain(self, function: Any, value: Any, target: Any, explanation: Any) -> Any:
        return explanation.explain(function, value, target)

    @hookimpl
    def package(self, packager: Any, artefact: Any, name: str, target: Any) -> Any:
        return packager.package(artefact, name, target)


class Steps:
    """The steps with the named hook plugins around them; those of the user's configuration come first.

    :param hooks: hook plugins in order: names, tables of a name and options, or plugin objects (from Python).
    :raises UnknownComponent: when a hook plugin is not installed.
    :raises OptionError: for an option that it does not have.
    """

    def __init__(self, hooks: Sequence[Any] = ()) -> None:
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(Hooks)
        self._manager.register(CoreSteps(), "core")
        self.set_aside: dict[str, HookError] = {}
        """The observers that failed, and how; nothing is told to them any more."""
        named = {Part.of(hook).name for hook in hooks if isinstance(hook, str | Mapping | Part)}
        everywhere = [name for name in configuration.hooks() if name not in named]
        for hook in reversed([*everywhere, *hooks]):  # pluggy calls the last registered first
            plugin, name = _plugin(hook)
            self._register(_Blamed(plugin, name, self.set_aside), name)
        if os.environ.get("FUNCTORY_TRACE"):
            _trace(self._manager)

    def _register(self, plugin: _Blamed, name: str) -> None:
        try:
            self._manager.register(plugin, name)
        except pluggy.PluginValidationError as error:
            fault = str(error).partition("\n")[2].replace("\n", "; ") or str(error)
            raise HookError(
                f"hook plugin {name!r} does not fit the hooks: {fault}",
                where=plugin.owner,
                do="compare its methods with the page of hooks (docs/hooks.md): take some of a step's arguments by their names.",
            ) from error

    def __getattr__(self, step: str) -> Callable[..., Any]:
        if step not in STEPS:
            raise AttributeError(step)
        caller = getattr(self._manager.hook, step)
        return lambda **arguments: caller(**arguments)


def _plugin(hook: Any) -> tuple[Any, str]:
    """Return a hook plugin and its name, from a name, a name with options, or an object."""
    if not isinstance(hook, str | Mapping | Part):
        return hook, getattr(hook, "name", "") or type(hook).__name__
    from functory.plugins.registry import load

    part = Part.of(hook)
    return _configured(load("hooks", part.name), part), part.name


def _configured(found: Any, part: Part) -> Any:
    """Return a hook plugin as its options say; any class or object without options may be one.

    :raises OptionError: for an option that it does not have.
    """
    if isinstance(found, type) and issubclass(found, Component):
        return found.configure(part.options)
    if part.options:
        raise OptionError(
            f"hook plugin {part.name!r} has no options; given: {', '.join(part.options)}.",
            do="leave them out; its author gives it some with functory_sdk.Hook.",
        )
    return found() if isinstance(found, type) else found


class _Blamed:
    """A hook plugin whose failures are told with its name; a failing observer is set aside."""

    def __init__(self, plugin: Any, name: str, set_aside: dict[str, HookError]) -> None:
        self.owner = f"{type(plugin).__module__}.{type(plugin).__name__}"
        marked = {key: getattr(plugin, key) for key in dir(plugin) if _mark(plugin, key) is not None}
        for key, method in marked.items():
            step = _mark(plugin, key)["specname"] or key
            if step not in STEPS:
                near = get_close_matches(step, STEPS, n=1)
                raise HookError(
                    f"hook plugin {name!r} implements {step!r}, which is no step.",
                    where=self.owner,
                    do=(f"did you mean {near[0]!r}? " if near else "") + f"The steps are {', '.join(STEPS)}.",
                )
            wrap = _observed if step == "progress" else _blamed
            setattr(self, key, _in_list_order(wrap(method, name, step, set_aside)))
        if not marked:
            raise HookError(
                f"hook plugin {name!r} implements no step.",
                where=self.owner,
                do=f"mark its methods with @hookimpl; the steps are {', '.join(STEPS)}.",
            )


def _mark(plugin: Any, key: str) -> Any:  # Any: pluggy's own options of an implementation, or None
    """Return what `@hookimpl` noted on an attribute; properties are not run for it."""
    return getattr(getattr_static(plugin, key, None), f"{PROJECT}_impl", None)


def _in_list_order(method: Callable[..., Any]) -> Callable[..., Any]:
    """Undo `tryfirst` and `trylast`: the order is the list's, which the user wrote."""
    options = {**getattr(method, f"{PROJECT}_impl"), "tryfirst": False, "trylast": False}
    setattr(method, f"{PROJECT}_impl", options)
    return method


def _observed(method: Callable[..., Any], name: str, step: str, set_aside: dict[str, HookError]) -> Callable[..., Any]:
    @functools.wraps(method)
    def observe(*args: Any, **kwargs: Any) -> None:
        if name in set_aside:
            return
        try:
            method(*args, **kwargs)
        except Exception as error:
            set_aside[name] = HookError(
                f"hook plugin {name!r} failed while observing and is set aside: {type(error).__name__}: {error}",
                where=_place(method, error),
                do=f"leave {name!r} out of hooks = [...], or report it to its author; the run goes on without it.",
            )
            print(set_aside[name], file=sys.stderr)

    return observe


def _place(method: Callable[..., Any], error: Exception) -> str:
    """Return file, line and name of a method, at the deepest line of its plugin that the error passed."""
    from functory.plugins.importing import in_plugin

    source = unwrap(method).__code__
    place = in_plugin(error.__traceback__, unwrap(method).__module__)
    file, line = place or (source.co_filename, source.co_firstlineno)
    return f"{file}, line {line}, in {source.co_qualname}"


def _blamed(method: Callable[..., Any], name: str, step: str, set_aside: dict[str, HookError]) -> Callable[..., Any]:
    def blame(error: Exception) -> FunctoryError:
        if isinstance(error, FunctoryError):
            return error.located(f"hook plugin {name!r}, step {step}")
        return HookError(
            f"hook plugin {name!r} failed in step {step}: {type(error).__name__}: {error}",
            where=_place(method, error),
            do=f"leave {name!r} out of hooks = [...], or report it to its author.",
        )

    if isgeneratorfunction(method):

        @functools.wraps(method)
        def wrap(*args: Any, **kwargs: Any) -> Generator[None, Any, Any]:
            inside = method(*args, **kwargs)
            try:
                next(inside)
            except StopIteration:
                raise blame(RuntimeError(ONCE)) from None
            except Exception as error:
                raise blame(error) from error
            try:
                result = yield
            except BaseException as failure:
                return _finish(inside.throw, failure, failure, blame)
            return _finish(inside.send, result, None, blame)

        return wrap

    @functools.wraps(method)
    def answer(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except Exception as error:
            raise blame(error) from error

    return answer


def _finish(
    resume: Callable[[Any], Any], value: Any, failure: BaseException | None, blame: Callable[[Exception], Exception]
) -> Any:
    """Let a wrapper go on after its yield; tell its own failures from the one it was given."""
    try:
        resume(value)
    except StopIteration as stop:
        return stop.value
    except Exception as error:
        if error is failure:
            raise
        raise blame(error) from error
    raise blame(RuntimeError(ONCE))


def _trace(manager: pluggy.PluginManager) -> None:
    """Print each call to stderr: the step, who takes part in which order, how long."""
    started: list[float] = []

    def before(step: str, implementations: Sequence[Any], arguments: Any) -> None:
        started.append(time.perf_counter())

    def after(outcome: Any, step: str, implementations: Sequence[Any], arguments: Any) -> None:
        order = " → ".join(implementation.plugin_name for implementation in reversed(implementations))
        seconds = time.perf_counter() - started.pop()
        failed = f"  failed: {outcome.exception!r}" if outcome.exception else ""
        print(f"trace {step}: {order}  {seconds:.3f} s{failed}", file=sys.stderr)

    manager.add_hookcall_monitoring(before, after)
