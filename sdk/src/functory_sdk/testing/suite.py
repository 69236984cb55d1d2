"""What all suites share: checks that cannot be dropped in silence, and what every plugin owes its users."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest

from functory.contracts.component import Component
from functory.errors import OptionError
from functory.machine.distributions import Entry, read_header
from functory.plugins import registry as plugins
from functory_sdk.testing.guarding import OURS, checks, counted, each, expected, guard
from functory_sdk.testing.toybox import isolated_cache, kit

HEAVY = (
    "torch", "transformers", "datasets", "accelerate", "peft", "captum", "onnx", "onnxruntime", "openvino", "nncf",
    "sklearn", "pandas", "pyarrow", "scipy", "matplotlib", "tensorflow", "jax",
)  # fmt: skip
"""What no component may import before it is put to work."""
Case = TypeVar("Case")


class Suite:
    """The part of every suite that asks only for a name: how the component is announced, described and imported."""

    kind: ClassVar[str] = ""
    component: ClassVar[str] = ""
    """The component's name: the entry point's."""
    expected_failures: ClassVar[Mapping[str, str]] = {}
    """Checks that this component must fail, each with the reason. They turn red when they start to pass."""
    cases: int | None = None
    """How many cases the check went through; None where its one case is the component."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__module__.startswith(OURS):
            counted(cls)
            return
        known = checks(cls)
        for name, reason in vars(cls).get("expected_failures", {}).items():
            if name not in known:
                raise TypeError(f"{cls.__qualname__} expects {name!r} to fail, which is no check of its suite.")
            if not str(reason).strip():
                raise TypeError(f"{cls.__qualname__} expects {name!r} to fail and gives no reason.")
            if name in vars(cls):
                raise TypeError(f"{cls.__qualname__} overrides the check {name!r} that it expects to fail.")
            setattr(cls, name, expected(known[name], reason))
        guard(cls)

    @pytest.fixture(autouse=True)
    def _kit(self, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """The tiny backbones and the toy task under their names; a cache, and logs of runs, apart from the user's."""
        base = tmp_path_factory.getbasetemp()
        monkeypatch.setenv("FUNCTORY_CACHE", str(isolated_cache(base / "functory-cache")))
        monkeypatch.setenv("FUNCTORY_LOGS", str(base / "functory-logs"))
        with kit():
            yield

    def each(self, cases: Iterable[Case]) -> Iterator[Case]:
        """Give the cases of a check, and count those that it went through: at none it fails."""
        return each(self, cases)

    @property
    def entry(self) -> Entry:
        """How the component is announced."""
        assert self.component, f"{type(self).__name__} names no component: set component = '…'."
        return plugins.find(self.kind, self.component)

    @property
    def is_installed(self) -> bool:
        """Whether it comes from an installed distribution; one that a test registered does not."""
        return bool(self.entry.metadata)

    def load(self) -> Any:  # Any: a class, a command, a hook plugin, a path
        """Return the component, as functory loads it."""
        return plugins.load(self.kind, self.component)

    def test_it_says_what_it_is_for(self) -> None:
        """The docstring's first paragraph is one or two sentences that a user can choose by.

        If this fails: give the class a docstring whose first paragraph says what it does, in at most 200 characters.
        """
        text = self.describe()
        assert text, f"{self.component!r} has no docstring."
        assert len(text) <= 200, f"the summary of {self.component!r} has {len(text)} characters: {text[:80]}…"
        assert text.endswith((".", "!", "?")), f"the summary of {self.component!r} is no sentence: {text!r}"

    def describe(self) -> str:
        """Return the component's one-line summary."""
        found = self.load()
        owner = found if isinstance(found, type) else type(found)
        return (owner.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ").strip()

    def test_importing_it_is_light(self) -> None:
        """Importing the component imports no framework, so that listing and describing plugins stays fast.

        If this fails: import the module that the message names inside the function that needs it, not at the top.
        """
        if "<locals>" in self.entry.value:
            pytest.skip("the component was made inside a function and cannot be imported anew")
        heavy = _imported_with(self.entry.value, tuple(sys.path))
        assert not heavy, f"importing {self.entry.value} imports {', '.join(heavy)}."

    def test_its_distribution_is_complete(self) -> None:
        """The distribution has a summary, a README, a licence, types (py.typed) and the contract version it speaks.

        If this fails: complete pyproject.toml as the message says; `functory new plugin` renders a complete one.
        """
        if not self.is_installed:
            pytest.skip("the component comes from no installed distribution")
        entry, lacks = self.entry, []
        if not entry.summary:
            lacks.append("a summary: [project] description")
        if not (read_header(entry.metadata, "License-Expression") or read_header(entry.metadata, "License")):
            lacks.append("a licence: [project] license")
        if len(readme(entry)) < 200:
            lacks.append("a README of at least 200 characters: [project] readme")
        if not entry.speaks:
            lacks.append('its contract: [project.entry-points."functory.contract"] 1 = "functory_sdk:CONTRACT"')
        if not (package_folder(entry) / "py.typed").is_file() and entry.kind != "functions":
            lacks.append("a file py.typed in its package, which tells type checkers to read it")
        assert not lacks, f"{entry.distribution} lacks " + "; ".join(lacks) + "."


counted(Suite)


class TorchSuite(Suite):
    """The part that works with tiny networks: one thread is fastest for them, and the same on every machine."""

    @pytest.fixture(autouse=True)
    def _one_thread(self) -> Iterator[None]:
        """Keep torch to one thread during a check."""
        torch = pytest.importorskip("torch", reason="the suite runs tiny networks: pip install functory-torch")
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        yield
        torch.set_num_threads(threads)


class ComponentSuite(Suite):
    """The part that asks for a class with options."""

    options: ClassVar[Mapping[str, Any]] = {}
    """Options with which the component is checked, beside its defaults."""

    def configured(self, **options: Any) -> Any:  # Any: a component of the suite's kind
        """Return the component with the suite's options, and these."""
        return self.load().configure({**self.options, **options})

    def test_its_kind_and_name_are_its_entrys(self) -> None:
        """The class is of the kind under which it is announced, and its examples are lines that a user can type.

        If this fails: do not set `kind` or `name` yourself, and begin each example with "functory ".
        """
        found = self.load()
        assert issubclass(found, Component)
        assert (found.kind, found.name) == (self.kind, self.component), f"it calls itself {found.kind}: {found.name!r}"
        for example in found.examples:
            assert example.startswith(("functory ", "import functory", "fn.")), f"nobody can type this: {example!r}"

    def test_its_source_is_a_reference(self) -> None:
        """Where a paper is declared, it can be found: names and a year.

        If this fails: write `paper` as "Hu et al. 2021, LoRA (arXiv 2106.09685)".
        """
        paper = self.load().paper
        if paper:
            assert re.search(r"\b(19|20)\d\d\b", paper) and len(paper) > 12, f"not a reference: {paper!r}"

    def test_every_option_is_described(self) -> None:
        """Help texts, JSON Schemas and docs are read from the options' fields.

        If this fails: give each field a description: `rank: int = Field(8, ge=1, description="…")`.
        """
        for name, field in self.load().Options.model_fields.items():
            assert (field.description or "").strip(), f"the option {name!r} has no description."

    def test_defaults_suffice(self) -> None:
        """A component can be made without any option.

        If this fails: give every option a default.
        """
        required = [name for name, field in self.load().Options.model_fields.items() if field.is_required()]
        assert not required, f"{', '.join(required)} must be given."

    def test_options_survive_json(self) -> None:
        """Options come back from a manifest as they went in.

        If this fails: use types that JSON can hold; give others a serializer and a validator.
        """
        made = self.configured()
        text = json.dumps(made.options.model_dump(mode="json"))
        again = self.load().configure(json.loads(text))
        assert again.options == made.options, f"{made.options!r} became {again.options!r}"

    def test_a_wrong_option_is_refused_by_name(self) -> None:
        """An unknown option is an error that names it, in Python and in a recipe alike.

        If this fails: derive the options from `functory_sdk.Options`, and leave its configuration as it is.
        """
        try:
            self.load().configure({"no_such_option": 1})
        except OptionError as error:
            assert "no_such_option" in error.what
        else:
            raise AssertionError("the option 'no_such_option' was accepted.")


@cache
def _imported_with(value: str, path: tuple[str, ...]) -> list[str]:
    """Return what of `HEAVY` the import of an entry brings; asked once for the many suites that one component may have.

    :param value: the entry's: ``package.module:Class``.
    :param path: where modules are found, which decides the answer too.
    """
    module, _, attribute = value.partition(":")
    code = (
        "import sys\nfrom functools import reduce\nfrom importlib import import_module\n"
        f"reduce(getattr, {attribute.split('.')!r}, import_module({module!r}))\n"
        f"print('heavy:', *[name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    return in_subprocess(code).partition("heavy:")[2].split()


def in_subprocess(code: str, *, timeout: float = 120, **variables: str) -> str:
    """Run Python code with this process's path, and return what it printed.

    :param variables: further ones of its environment.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), **variables}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=timeout, check=False
    )
    assert done.returncode == 0, f"it fails in a process of its own:\n{done.stderr[-2000:]}"
    return done.stdout


def readme(entry: Entry) -> str:
    """Return the long description of a distribution."""
    for name in ("METADATA", "PKG-INFO"):
        file = Path(entry.metadata) / name
        if file.is_file():
            _, _, text = file.read_text("utf-8", errors="replace").partition("\n\n")
            return text.strip()
    return ""


def package_folder(entry: Entry) -> Path:
    """Return the folder of an entry's import package."""
    from importlib.util import find_spec

    top = entry.value.partition(":")[0].partition(".")[0]
    spec = find_spec(top)
    assert spec is not None, f"{top} cannot be found."
    return Path((spec.submodule_search_locations or [""])[0])
