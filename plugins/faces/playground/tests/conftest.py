"""A real server on a free port of this machine, and a real Chromium that opens its pages.

The browser is Debian's own and axe-core is npm's: neither comes with pip. `make browser` brings both; where one is missing the
tests are skipped and say so, and in CI they fail.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from functory.running.about import About
from functory.running.golden import Golden
from functory_playground import Playground
from functory_sdk import Form, Function
from functory_sdk.testing import kit, toy_function

ROOT = Path(__file__).resolve().parents[4]
AXE = ROOT / ".venv" / "browser" / "node_modules" / "axe-core" / "axe.min.js"
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)
"""Keep Chromium from asking anyone but the page's server."""
LOST = "Failed to load resource"
"""What Chromium says of an answer that is a problem."""


class Said(Form):
    """A function whose answers are known: what was said for a text, or for any."""

    kind = "said"
    tolerance = 0.0

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = answers

    @property
    def name(self) -> str:
        return "said"

    def outputs(self, function: Function, values: Sequence[Any], told: Any = None) -> list[Any]:
        return [self.answers.get(next(iter(value.model_dump().values()), ""), self.answers.get("")) for value in values]


def known(task: Any, answers: Mapping[str, Any], *, name: str = "said", state: Any = None) -> Function:
    """Return a function of a task with those answers, which are its golden examples too."""
    field = next(iter(task.Input.model_fields))
    golden = [Golden({field: text}, one.model_dump(mode="json"), []) for text, one in answers.items() if text]
    return Function(task, state if state is not None else task.State(), Said(answers), About(name=name), golden=golden)


def missing(what: str) -> NoReturn:
    """Skip where a person tests; fail in CI, which has to have it."""
    told = f"{what} is missing. make browser brings it."
    if os.environ.get("CI"):
        pytest.fail(told)
    pytest.skip(told)


@contextmanager
def serving(functions: Mapping[str, Any], **more: Any) -> Iterator[str]:
    """Serve functions for a while, their pages too; give the address."""
    from functory_serve import Limits
    from functory_serve.app import app
    from functory_serve.running import meanwhile

    with meanwhile(app(functions, Limits(), faces=[Playground()], **more), Limits()) as (url, _):
        yield url


@pytest.fixture(scope="session")
def serve() -> Callable[..., Any]:
    """`serving`, for a server of a test's own."""
    return serving


@pytest.fixture(scope="session")
def said() -> Callable[..., Function]:
    """`known`: a function of a task whose answers are known."""
    return known


@pytest.fixture(scope="session")
def toy() -> Iterator[Function]:
    with kit():
        yield toy_function()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium."""
    place = shutil.which("chromium") or shutil.which("chromium-browser")
    if place is None:
        missing("Chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playing:
        is_root = hasattr(os, "geteuid") and os.geteuid() == 0  # whom Chromium's own walls do not take
        opened = playing.chromium.launch(executable_path=place, args=[*QUIET, *(["--no-sandbox"] if is_root else [])])
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open a page; it tells nothing wrong on its console but what it `may`, and asks no one but its own server."""
    opened: list[Any] = []
    faults: list[str] = []

    def open_one(url: str, *, wide: int = 1200, scheme: str = "light", init: str = "", may: str = LOST) -> Any:
        page = browser.new_page(viewport={"width": wide, "height": 900}, color_scheme=scheme)
        page.set_default_timeout(60_000)  # of a machine that has much else to do
        own, bad = url.split("/play")[0], ("error", "warning")
        page.on("console", lambda one: faults.append(one.text) if one.type in bad and may not in one.text else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda one: None if one.url.startswith(own) else faults.append(f"asked {one.url}"))
        if init:
            page.add_init_script(init)
        page.goto(url)
        page.wait_for_selector("h1")
        opened.append(page)
        return page

    yield open_one
    for page in opened:
        page.close()
    assert faults == []


@pytest.fixture(scope="session")
def axe() -> str:
    """What finds faults of accessibility: axe-core, as one script."""
    if not AXE.is_file():
        missing("axe-core")
    return AXE.read_text(encoding="utf-8")
