"""Puts a hook plugin's methods where whatever they do wrong is told with the plugin, the step and the line.

Each answer is looked at, and what each wrapper makes of it, so that the one that spoilt it is named.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from inspect import getattr_static, isgeneratorfunction
from typing import TYPE_CHECKING, Any

from functory.errors import FunctoryError, HookError, Interrupted, Refused, TrainingError
from functory.hooks.answers import wrong_with
from functory.hooks.naming import owner_of, release_of
from functory.hooks.nesting import Misdeed, entered
from functory.hooks.shielding import kept, shielded
from functory.hookspecs import PROJECT, Hooks
from functory.terminal import tell
from functory.wording.told import kind, message_of, told

if TYPE_CHECKING:
    from functory.machine.distributions import Entry

STEPS = tuple(name for name in vars(Hooks) if not name.startswith("_"))
OBSERVED = "progress"
ONCE = "a wrapper must yield exactly once"
FINAL = (KeyboardInterrupt, Interrupted, Refused, TrainingError)
"""What no wrapper can make an answer of: Ctrl-C, another plugin's no, a training that did nothing."""

Call = Mapping[str, Any]  # Any: the arguments of whatever step


@dataclass
class Shared:
    """What the hook plugins of one list have in common.

    :param calls: the arguments of the steps under way, the innermost last.
    :param set_aside: the observers that failed, and how; nothing is told to them any more.
    """

    calls: list[Call] = field(default_factory=list)
    set_aside: dict[str, HookError] = field(default_factory=dict)


class Blamed:
    """A hook plugin whose failures are told with its name; a failing observer is set aside.

    :param entry: where it comes from; None for an object from Python.
    :raises HookError: when it implements no step, one that is none, or one in a way that never works.
    """

    def __init__(self, plugin: Any, name: str, entry: Entry | None, shared: Shared) -> None:
        self.owner = owner_of(plugin, entry)
        marked = {key: options for key in dir(plugin) if (options := _mark(plugin, key)) is not None}
        for key, options in marked.items():
            method, step = getattr(plugin, key), options["specname"] or key
            if step not in STEPS and options["optionalhook"]:  # a newer functory's, as its author knows
                continue
            if step not in STEPS:
                near = get_close_matches(step, STEPS, n=1)
                raise HookError(
                    f"hook plugin {name!r} implements {step!r}, which is no step.",
                    where=self.owner,
                    do=(f"did you mean {near[0]!r}? " if near else "") + f"The steps are {', '.join(STEPS)}.",
                )
            if fault := _unfit(method, step, options):
                raise HookError(
                    f"hook plugin {name!r} does not fit the hooks: its {key} {fault}.",
                    where=self.owner,
                    do="compare its methods with the page of hooks (docs/hooks.md).",
                )
            part = _Part(method, name, step, type(plugin), entry, shared)
            setattr(self, key, _in_list_order(part.observer() if step == OBSERVED else part.blamed(), options))
        if not marked:
            raise HookError(
                f"hook plugin {name!r} implements no step.",
                where=self.owner,
                do=f"mark its methods with @hookimpl; the steps are {', '.join(STEPS)}.",
            )


def _mark(plugin: Any, key: str) -> Any:  # Any: pluggy's own options of an implementation, or None
    """Return what `@hookimpl` noted on an attribute; properties are not run for it."""
    found = getattr_static(plugin, key, None)
    for one in (found, getattr(found, "__func__", None)):  # beneath a staticmethod, a classmethod
        if mark := getattr(one, f"{PROJECT}_impl", None):
            return mark
    return None


def _unfit(method: Callable[..., Any], step: str, options: Mapping[str, Any]) -> str:
    """Return why a method would never do what it is there for; empty where it would."""
    if inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method):
        return "is asynchronous, and steps are not: nobody would wait for it"
    if options["hookwrapper"]:
        return "is a wrapper of the old style; mark it @hookimpl(wrapper=True), and return what its yield gave"
    if step == OBSERVED and (options["wrapper"] or isgeneratorfunction(method)):
        return f"yields, and {OBSERVED} is observed only; take the event, and mark it @hookimpl"
    if options["wrapper"] and not isgeneratorfunction(method):
        return f"is no wrapper, for it does not yield: {ONCE}"
    if isgeneratorfunction(method) and not options["wrapper"]:
        return "yields, which only a wrapper does; mark it @hookimpl(wrapper=True)"
    return ""


def _in_list_order(method: Callable[..., Any], options: Mapping[str, Any]) -> Callable[..., Any]:
    """Undo `tryfirst` and `trylast`: the order is the list's, which the user wrote."""
    setattr(method, f"{PROJECT}_impl", {**options, "tryfirst": False, "trylast": False})
    return method


@dataclass
class _Part:
    """One method of a hook plugin: its part in a step."""

    method: Callable[..., Any]
    name: str
    step: str
    owner: type
    entry: Entry | None
    shared: Shared

    def observer(self) -> Callable[..., None]:
        """Return the method as one whose failure is told once, and sets the plugin aside."""

        @functools.wraps(self.method)
        def observe(*args: Any, **kwargs: Any) -> None:
            if self.name in self.shared.set_aside:
                return
            try:
                with entered(self.owner, self.name, self.step):
                    self._call(args, kwargs)
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                failure = HookError(
                    f"hook plugin {self.name!r} failed while observing and is set aside: {_said(error)}",
                    where=self._place(error),
                    do=f"leave {self.name!r} out of hooks = [...], or report it to its author; the run goes on without it.",
                )
                self.shared.set_aside[self.name] = failure
                tell(str(failure))

        return observe

    def blamed(self) -> Callable[..., Any]:
        """Return the method as one whose failure fails the step with the plugin named."""
        return self._wrapper() if isgeneratorfunction(self.method) else self._answer()

    def _answer(self) -> Callable[..., Any]:
        @functools.wraps(self.method)
        def answer(*args: Any, **kwargs: Any) -> Any:
            with self._blaming(), entered(self.owner, self.name, self.step):
                found = self._call(args, kwargs)
                if found is not None:  # it is for somebody else to answer
                    self._look_at(found)
            return found

        return answer

    def _wrapper(self) -> Callable[..., Any]:
        @functools.wraps(self.method)
        def wrap(*args: Any, **kwargs: Any) -> Generator[None, Any, Any]:
            with ExitStack() as stack:
                stack.enter_context(self._process_kept())
                with self._blaming(), kept(*args, *kwargs.values()):
                    stack.enter_context(entered(self.owner, self.name, self.step))
                    inside = self._call(args, kwargs)
                    if next(inside, inside) is inside:
                        raise Misdeed(ONCE)
                try:
                    result = yield
                except BaseException as failure:
                    return self._finished(inside, None, failure)
                return self._finished(inside, result, None)

        return wrap

    def _call(self, args: Sequence[Any], kwargs: Call) -> Any:
        """Call the method with arguments that it cannot change; what it sets for everybody is put right."""
        with kept(*args, *kwargs.values()), self._process_kept():
            return self.method(*map(shielded, args), **{name: shielded(one) for name, one in kwargs.items()})

    def _process_kept(self) -> AbstractContextManager[Any]:
        from functory.plugins.keeping import process_kept

        return process_kept(f"{release_of(self.entry)}hook plugin {self.name!r}", f"in step {self.step}")

    def _finished(self, inside: Generator[Any, Any, Any], result: Any, failure: BaseException | None) -> Any:
        """Let a wrapper go on after its yield, and look at what it makes; its own failures are told from the one it was given."""
        with self._blaming(failure):
            made = _resumed(inside, result, failure)
            if failure is None:
                self._look_at(made)
                return made
        if isinstance(failure, FINAL):
            raise failure
        what = f"hook plugin {self.name!r} caught a failure in step {self.step} ({told(failure)})"
        if wrong := self._wrong_with(made):
            raise self._error(f"{what} and gave {wrong}", failure) from failure
        tell(f"note: {what} and answered in its place.")
        return made

    @contextmanager
    def _blaming(self, given: BaseException | None = None) -> Iterator[None]:
        """Tell what goes wrong as this plugin's failure.

        :param given: a failure of somebody else's, which goes on as it is.
        """
        try:
            yield
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            if error is given:
                raise
            if isinstance(error, FunctoryError):
                raise error.located(f"{release_of(self.entry)}hook plugin {self.name!r}, step {self.step}") from error.__cause__
            raise self._error(f"hook plugin {self.name!r} failed in step {self.step}: {_said(error)}", error) from error

    def _look_at(self, answer: Any) -> None:
        """Refuse an answer that the next step could not work with.

        :raises HookError: naming what it is and what is wanted.
        """
        if wrong := self._wrong_with(answer):
            raise self._error(f"hook plugin {self.name!r} failed in step {self.step}: it gave {wrong}.")

    def _wrong_with(self, answer: Any) -> str:
        return wrong_with(self.step, answer, self.shared.calls[-1])

    def _error(self, what: str, error: BaseException | None = None) -> HookError:
        return HookError(
            what, where=self._place(error), do=f"leave {self.name!r} out of hooks = [...], or report it to its author."
        )

    def _place(self, error: BaseException | None) -> str:
        """Return distribution, file, line and name of the method, at the deepest line of its plugin that the error passed."""
        from functory.plugins.importing import in_plugin

        method = _innermost(self.method)
        module, code = getattr(method, "__module__", "") or "", getattr(method, "__code__", None)
        place = in_plugin(error.__traceback__, module) if error is not None and module else None
        if code is None:  # a callable object, or one that is not written in Python
            return f"{release_of(self.entry)}{module}.{kind(method)}" + (f", {place[0]}, line {place[1]}" if place else "")
        file, line = place or (code.co_filename, code.co_firstlineno)
        return f"{release_of(self.entry)}{file}, line {line}, in {code.co_qualname}"


def _said(error: BaseException) -> str:
    """Return what went wrong: an error of the plugin's with its class, a misdeed in our own words."""
    return message_of(error) if isinstance(error, Misdeed) else told(error)


def _resumed(inside: Generator[Any, Any, Any], result: Any, failure: BaseException | None) -> Any:
    """Let a wrapper go on after its yield, and return what it makes.

    :raises Misdeed: when it yields again.
    """
    try:
        inside.send(result) if failure is None else inside.throw(failure)
    except StopIteration as stop:
        return stop.value
    with suppress(Exception, GeneratorExit, SystemExit):
        inside.close()
    raise Misdeed(ONCE)


def _innermost(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function beneath a method's decorators."""
    try:
        found: Callable[..., Any] = inspect.unwrap(method)
        return found
    except ValueError:  # they go round in a circle
        return method
