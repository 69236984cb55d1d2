"""Calls the hooks: who answers, who wraps, who observes, in which order.

Apart from `hookspecs` (what the steps are), `build` (in which order they come) and `hooks` (whose fault a failure is).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pluggy

from functory.contracts.component import Component, Part
from functory.errors import FunctoryError, HookError, OptionError, PluginContractError, PluginError
from functory.hooks.answers import wrong_with
from functory.hooks.blaming import STEPS, Blamed, Shared
from functory.hooks.naming import name_of, owner_of
from functory.hookspecs import PROJECT, Hooks, hookimpl
from functory.machine import configuration
from functory.plugins.keeping import process_kept
from functory.plugins.registry import origin
from functory.terminal import tell
from functory.terminal.diverting import diverted
from functory.training.learned import keep
from functory.wording.kinds import one_of
from functory.wording.told import told

if TYPE_CHECKING:
    from functory.machine.distributions import Entry


CORE = "core"


class CoreSteps:
    """Core's own implementation of each step: it calls the named component. Comes last."""

    @hookimpl
    def load_backbone(self, reference: str, options: Any, may_fetch: bool) -> Any:
        from functory.running.backbones import open_backbone

        with _of_component("backbones", reference, "load_backbone"):
            return open_backbone(reference, options, may_fetch=may_fetch)

    @hookimpl
    def adapt(
        self, engine: Any, backbone: Any, task: Any, formulation: Any, state: Any, adaptation: Any, seed: int
    ) -> Any:
        with _of_component("engines", engine, "adapt", adaptation, task):
            return engine.adapt(backbone, formulation, state, adaptation, seed=seed)

    @hookimpl
    def train(self, engine: Any, model: Any, adaptation: Any, train: Any, dev: Any, run: Any) -> Any:
        if run.learned is not None:
            return run.learned
        with (
            _of_component("engines", engine, "train"),
            engine.session(model, train, dev, run) as session,
            _of_component("adaptations", adaptation, "train"),  # within, for a session sets torch as it needs it
        ):
            fit = _sound("train", adaptation, adaptation.fit(session))
        keep(run, engine, model, fit)  # before the hooks around this step go on
        return fit

    @hookimpl
    def evaluate(self, function: Any, examples: Any) -> Any:
        from functory.measuring.evaluation import evaluate

        with _of_component("tasks", function.task, "evaluate"):
            return evaluate(function, examples)

    @hookimpl
    def optimize(self, function: Any, optimization: Any, examples: Any, calibration: Any) -> Any:
        with _of_component("optimizations", optimization, "optimize"):
            return _sound("optimize", optimization, optimization.optimize(function, examples, calibration))

    @hookimpl
    def explain(self, function: Any, value: Any, target: Any, explanation: Any) -> Any:
        with _of_component("explanations", explanation, "explain"):
            return _sound("explain", explanation, explanation.explain(function, value, target))

    @hookimpl
    def package(self, packager: Any, artefact: Any, name: str, target: Any) -> Any:
        with _of_component("packagers", packager, "package"):
            return _sound("package", packager, packager.package(artefact, name, target))


def _sound(step: str, component: Any, answer: Any) -> Any:  # Any: a component, and what it gave
    """Return what a component answered a step with, if the next step can work with it.

    :raises PluginContractError: naming what it is and what is wanted.
    """
    if wrong := wrong_with(step, answer, {}):
        raise PluginContractError(
            f"{_named(getattr(component, 'kind', 'components'), component)} gave {wrong}, in step {step}.",
            where=owner_of(component, origin(component)),
            do="report it to its author, or choose another.",
        )
    return answer


@contextmanager
def _of_component(kind: str, component: Any, step: str, *others: Any) -> Iterator[None]:
    """Tell what would end the program inside a component as that component's fault, and what it sets for everybody.

    :param others: the components that it works with in this step.
    :raises PluginError: for SystemExit and its like; all else goes on as it is.
    """
    who = " or ".join(_released(one, kind) for one in (component, *others))
    try:
        with process_kept(who, f"in step {step}"):
            yield
    except (SystemExit, GeneratorExit) as error:
        raise PluginError(
            f"{_named(kind, component)} ended the program in step {step}: {told(error)}.",
            where=owner_of(component, origin(component)) if not isinstance(component, str) else "",
            do="report it to its author, or choose another.",
        ) from error


def _named(kind: str, component: Any) -> str:
    """Return what kind of component it is, and its name."""
    name = component if isinstance(component, str) else getattr(component, "name", "") or type(component).__name__
    return f"{one_of(kind)} {name!r}"


def _released(component: Any, kind: str) -> str:
    """Return what kind of component it is, its name, and the distribution that gives it, where that is known."""
    found = None if isinstance(component, str) else origin(component)
    release = f" ({found.distribution} {found.version})" if found is not None and found.distribution else ""
    return f"{_named(getattr(component, 'kind', kind), component)}{release}"


class Steps:
    """The steps with the named hook plugins around them; those of the user's configuration come first.

    :param hooks: hook plugins in order: names, tables of a name and options, or plugin objects (from Python).
    :raises UnknownComponent: when a hook plugin is not installed.
    :raises OptionError: for an option that it does not have.
    :raises HookError: when it cannot be made, or does not fit the hooks.
    """

    def __init__(self, hooks: Sequence[Any] = ()) -> None:
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(Hooks)
        self._manager.register(CoreSteps(), CORE)
        self._shared = Shared()
        named = {name_of(hook) for hook in hooks if isinstance(hook, str | Mapping | Part)}
        everywhere = [name for name in configuration.hooks() if name not in named]
        for hook in reversed([*everywhere, *hooks]):  # pluggy calls the last registered first
            self._register(hook)
        if os.environ.get("FUNCTORY_TRACE"):
            _trace(self._manager)

    @property
    def set_aside(self) -> Mapping[str, HookError]:
        """The observers that failed, and how; nothing is told to them any more."""
        return self._shared.set_aside

    def who(self, *steps: str) -> list[str]:
        """Return the hook plugins, by name, that take part in one of some steps."""
        found = {one.plugin_name for step in steps for one in getattr(self._manager.hook, step).get_hookimpls()}
        return sorted(found - {CORE})

    def _register(self, hook: Any) -> None:
        """Let a hook plugin take part."""
        plugin, name, entry = _plugin(hook)
        if self._manager.has_plugin(name):
            raise HookError(
                f"hook plugin {name!r} is named twice.",
                where=owner_of(plugin, entry),
                do="name it once in hooks = [...]; objects from Python have the name that their attribute `name` gives each.",
            )
        with _made_by(name, owner_of(plugin, entry)):
            blamed = Blamed(plugin, name, entry, self._shared)
        try:
            self._manager.register(blamed, name)
        except pluggy.PluginValidationError as error:
            fault = str(error).partition("\n")[2].replace("\n", "; ") or str(error)
            raise HookError(
                f"hook plugin {name!r} does not fit the hooks: {fault}",
                where=blamed.owner,
                do="compare its methods with the page of hooks (docs/hooks.md): take some of a step's arguments by their names.",
            ) from error

    def __getattr__(self, step: str) -> Callable[..., Any]:
        if step not in STEPS:
            raise AttributeError(step)
        caller = getattr(self._manager.hook, step)

        def call(**arguments: Any) -> Any:
            self._shared.calls.append(arguments)
            try:
                with diverted():  # stdout is for results
                    return caller(**arguments)
            finally:
                self._shared.calls.pop()

        return call


def _plugin(hook: Any) -> tuple[Any, str, Entry | None]:
    """Return a hook plugin, its name, and where it comes from: from a name, a name with options, or an object.

    :raises HookError: when it cannot be made.
    """
    if not isinstance(hook, str | Mapping | Part):
        with _made_by(name_of(hook), owner_of(hook, None)):
            return (hook() if isinstance(hook, type) else hook), name_of(hook), None
    from functory.plugins.registry import find, load

    part = Part.of(hook)
    found = load("hooks", part.name)
    entry = find("hooks", part.name)
    with _made_by(part.name, owner_of(found, entry)):
        return _configured(found, part), part.name, entry


@contextmanager
def _made_by(name: str, owner: str) -> Iterator[None]:
    """Tell what goes wrong while a hook plugin is made as its fault: its constructor, its options, its attributes.

    :raises HookError: naming it, and what was raised; errors of functory's own go on as they are.
    """
    try:
        with diverted():
            yield
    except (FunctoryError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise HookError(
            f"hook plugin {name!r} cannot be made: {told(error)}",
            where=owner,
            do=f"leave {name!r} out of hooks = [...], or report it to its author.",
        ) from error


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


def _trace(manager: pluggy.PluginManager) -> None:
    """Print each call to stderr: the step, who takes part in which order, how long."""
    started: list[float] = []

    def before(step: str, implementations: Sequence[Any], arguments: Any) -> None:
        started.append(time.perf_counter())

    def after(outcome: Any, step: str, implementations: Sequence[Any], arguments: Any) -> None:
        order = " → ".join(implementation.plugin_name for implementation in reversed(implementations))
        seconds = time.perf_counter() - started.pop()
        failed = f"  failed: {told(outcome.exception)}" if outcome.exception else ""
        tell(f"trace {step}: {order}  {seconds:.3f} s{failed}")

    manager.add_hookcall_monitoring(before, after)
