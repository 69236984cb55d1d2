"""Conformance suites, one per kind of component, and the kit that they and your own tests work with.

A plugin's whole test file::

    from functory_sdk.testing import AdaptationSuite

    class TestHoulsby(AdaptationSuite):
        component = "houlsby"

A suite chooses its checks by what the component declares. What it cannot guess is a class attribute or a method of
the suite, which the test class sets: `options`, `examples`, `perfect` … A check, and what it works with, can be neither
dropped nor overridden, and a check that ran on nothing fails. One that must fail is listed with its reason, and turns
red when it starts to pass::

        expected_failures = {"test_phi_is_small": "φ holds a whole vocabulary"}

The `project` fixture gives a folder of its own, a cache of its own, and the command line in process.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from functory.plugins.registry import registered
    from functory_sdk.testing.adaptations import AdaptationSuite
    from functory_sdk.testing.backbones import BackboneSuite
    from functory_sdk.testing.commands import CommandSuite
    from functory_sdk.testing.converting import converted
    from functory_sdk.testing.engines import EngineSuite
    from functory_sdk.testing.explanations import ExplanationSuite
    from functory_sdk.testing.faces import FaceSuite, Heard, Question
    from functory_sdk.testing.families import FamilySuite
    from functory_sdk.testing.functions import FunctionSuite
    from functory_sdk.testing.hooks import HookSuite
    from functory_sdk.testing.optimizations import OptimizationSuite
    from functory_sdk.testing.packagers import PackagerSuite
    from functory_sdk.testing.packed import PackedBackboneSuite
    from functory_sdk.testing.project import Project
    from functory_sdk.testing.readers import ReaderSuite
    from functory_sdk.testing.samples import SampleSuite
    from functory_sdk.testing.suite import ComponentSuite, Suite
    from functory_sdk.testing.tasks import TaskSuite
    from functory_sdk.testing.terminal import Terminal, screen
    from functory_sdk.testing.tiny import TinyDecoder, TinyEncoder, TinyEncoderDecoder
    from functory_sdk.testing.toy import ToyTask
    from functory_sdk.testing.toybox import kit, toy_function

_HOMES = {
    "AdaptationSuite": "functory_sdk.testing.adaptations",
    "BackboneSuite": "functory_sdk.testing.backbones",
    "CommandSuite": "functory_sdk.testing.commands",
    "ComponentSuite": "functory_sdk.testing.suite",
    "EngineSuite": "functory_sdk.testing.engines",
    "ExplanationSuite": "functory_sdk.testing.explanations",
    "FaceSuite": "functory_sdk.testing.faces",
    "FamilySuite": "functory_sdk.testing.families",
    "FunctionSuite": "functory_sdk.testing.functions",
    "Heard": "functory_sdk.testing.faces",
    "HookSuite": "functory_sdk.testing.hooks",
    "OptimizationSuite": "functory_sdk.testing.optimizations",
    "PackagerSuite": "functory_sdk.testing.packagers",
    "PackedBackboneSuite": "functory_sdk.testing.packed",
    "Project": "functory_sdk.testing.project",
    "Question": "functory_sdk.testing.faces",
    "ReaderSuite": "functory_sdk.testing.readers",
    "SampleSuite": "functory_sdk.testing.samples",
    "Suite": "functory_sdk.testing.suite",
    "TaskSuite": "functory_sdk.testing.tasks",
    "Terminal": "functory_sdk.testing.terminal",
    "TinyDecoder": "functory_sdk.testing.tiny",
    "TinyEncoder": "functory_sdk.testing.tiny",
    "TinyEncoderDecoder": "functory_sdk.testing.tiny",
    "ToyTask": "functory_sdk.testing.toy",
    "converted": "functory_sdk.testing.converting",
    "kit": "functory_sdk.testing.toybox",
    "registered": "functory.plugins.registry",
    "screen": "functory_sdk.testing.terminal",
    "toy_function": "functory_sdk.testing.toybox",
}

__all__ = [
    "AdaptationSuite", "BackboneSuite", "CommandSuite", "ComponentSuite", "EngineSuite", "ExplanationSuite",
    "FaceSuite", "FamilySuite", "FunctionSuite", "Heard", "HookSuite", "OptimizationSuite", "PackagerSuite",
    "PackedBackboneSuite", "Project", "Question", "ReaderSuite", "SampleSuite",
    "Suite", "TaskSuite", "Terminal", "TinyDecoder", "TinyEncoder", "TinyEncoderDecoder", "ToyTask", "converted", "kit",
    "registered", "screen", "toy_function",
]  # fmt: skip


def __getattr__(name: str) -> Any:  # Any: suites, classes and functions
    if name not in _HOMES:
        raise AttributeError(f"module 'functory_sdk.testing' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
