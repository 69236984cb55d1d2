"""What keeps a suite honest: no check is dropped, no helper of it replaced, and a check that ran on nothing fails.

So does one in which something reached for the network.

Apart from the suites themselves, because a green suite says nothing unless each of its checks has seen something.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from functory_sdk.testing.reaching import unreached

if TYPE_CHECKING:
    from functory_sdk.testing.suite import Suite

MARKS = ("skip", "skipif", "xfail")
"""Marks that would silence a check."""
OURS = "functory_sdk.testing."
"""Where suites are defined; a class elsewhere is a test class."""
FIXED = ("kind", "cases")
"""Attributes that a test class must leave alone."""
Case = TypeVar("Case")
Helper = TypeVar("Helper", bound=Callable[..., Any])


def overridable(helper: Helper) -> Helper:
    """Mark a helper of a suite that a test class may override; every other one is the suite's own."""
    helper.__overridable__ = True  # type: ignore[attr-defined]
    return helper


def checks(suite: type) -> dict[str, Callable[..., None]]:
    """Return the checks that a suite, or a test class that inherits it, owes: by name, as the suite defines them."""
    return {name: member for name, member in _owed(suite).items() if name.startswith("test_")}


def helpers(suite: type) -> dict[str, Any]:  # Any: functions, properties and fixtures
    """Return what the checks of a suite work with and a test class must leave alone, by name."""
    return {name: member for name, member in _owed(suite).items() if not name.startswith("test_") and _is_helper(member)}


def _owed(suite: type) -> dict[str, Any]:
    """Return what the suites among a class's bases define, by name."""
    found: dict[str, Any] = {}
    for base in reversed(suite.__mro__):
        if base.__module__.startswith(OURS):
            found |= {name: member for name, member in vars(base).items() if not name.startswith("__")}
    return found


def _is_helper(member: Any) -> bool:
    is_code = callable(member) or isinstance(member, property | classmethod | staticmethod)
    return is_code and not hasattr(member, "__overridable__")


def guard(suite: type[Suite]) -> None:
    """Refuse a test class that drops or overrides a check or a helper of its suite, or silences a check by a mark.

    :raises TypeError: naming class and check.
    """
    owner = f"{suite.__module__}.{suite.__qualname__}"
    for name, check in checks(suite).items():
        member = inspect.getattr_static(suite, name, None)
        if member is not check and getattr(member, "__wrapped__", None) is not check:
            raise TypeError(
                f"{owner} overrides or drops the check {name!r}. Give your own test another name; a check that must "
                f"fail is listed with its reason: expected_failures = {{{name!r}: 'why'}}."
            )
    kept = helpers(suite) | {name: member for name, member in _owed(suite).items() if name in FIXED}
    for name, helper in kept.items():
        if inspect.getattr_static(suite, name, None) is not helper:
            raise TypeError(f"{owner} overrides {name!r}, with which the suite's checks work. {_may_be_set(suite)}")
    if not vars(suite).get("__test__", True):
        raise TypeError(f"{owner} sets __test__ = False and drops every check of its suite.")
    marks = vars(suite).get("pytestmark", [])
    for mark in marks if isinstance(marks, list) else [marks]:
        if getattr(mark, "name", "") in MARKS:
            raise TypeError(f"{owner} is marked {mark.name!r}, which drops every check of its suite.")


def _may_be_set(suite: type) -> str:
    """Say what a test class may set and override."""
    owed = _owed(suite)
    settable = [
        name for name, member in owed.items()
        if not (name.startswith(("_", "test_")) or name in FIXED or callable(member) or isinstance(member, property))
    ]  # fmt: skip
    open_ = [f"{name}()" for name, member in owed.items() if hasattr(member, "__overridable__")]
    return f"Give your own another name; a test class may set {', '.join(sorted([*settable, *open_]))}."


def expected(check: Callable[..., None], reason: str) -> Callable[..., None]:
    """Return a check that must fail; when it passes, it is red."""

    @functools.wraps(check)
    def failing(self: Suite, *args: Any, **kwargs: Any) -> None:
        check(self, *args, **kwargs)

    marked: Callable[..., None] = pytest.mark.xfail(strict=True, reason=reason)(failing)
    return marked


def counted(suite: type) -> None:
    """Let each check that a suite defines count its cases."""
    for name, member in list(vars(suite).items()):
        if name.startswith("test_"):
            setattr(suite, name, _counted(member))


def _counted(check: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(check)
    def counting(self: Suite, *args: Any, **kwargs: Any) -> None:
        __tracebackhide__ = True
        self.cases = None
        with unreached():
            check(self, *args, **kwargs)
        assert self.cases != 0, (
            f"{check.__name__} ran on nothing: what the test class gives leaves it no case. Give it some; where the check "
            "does not apply to the component, list it with the reason in expected_failures."
        )

    return counting


def each(suite: Suite, cases: Iterable[Case]) -> Iterator[Case]:
    """Give the cases of a check, and count those that it went through."""
    suite.cases = suite.cases or 0
    for case in cases:
        yield case
        suite.cases += 1
