"""Whatever a hook plugin answers, makes of an answer or raises: the step fails by name, and nothing else comes out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import functory
from functory import errors
from functory.contracts.engine import Event, Fit, Run
from functory.contracts.explanation import Attribution, Faithfulness
from functory.contracts.formulation import Target
from functory.contracts.optimization import FormReport, OptimizationReport
from functory.contracts.rows import Taught
from functory.hooks.blaming import STEPS
from functory.measuring.report import Report
from functory.plugins.registry import registered
from functory.recipe import Recipe
from functory.steps import Steps
from functory_sdk import Hook, Options, hookimpl
from functory_sdk.testing import kit, toy_function
from functory_sdk.testing.toy import rows

ANSWERED = tuple(step for step in STEPS if step != "progress")
ROLES = ("answer", "wrapper")
FORM = FormReport(form="toy", metric=1, latency_ms=1, throughput=1, size_mb=1, memory_mb=1, threads=1)
SHRUNK = OptimizationReport(optimization="shrink", metric="accuracy", before=FORM, tried=(), kept="toy", reason="none")
WHY = Attribution(
    method="why", target=Target(name="x", port="logits", index=(0,)), score=1, pieces=(),
    faithfulness=Faithfulness(comprehensiveness=0, sufficiency=0),
)  # fmt: skip


@dataclass
class World:
    """What steps are called with, and what they are rightly answered with."""

    arguments: dict[str, dict[str, Any]]
    right: dict[str, Any]
    near: dict[str, list[Any]]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Real arguments and answers of every step, from one tiny function."""
    place = tmp_path_factory.mktemp("hooks")
    (place / "a.whl").touch()
    with kit():
        function = toy_function()
        form, run = function.form, Run(place, place, 0)
        parts = {"engine": form.engine, "backbone": form.backbone, "task": function.task, "state": function.state}
        taught = {"train": Taught([], []), "dev": None, "run": run}
        measured = function.evaluate(rows(8))
        arguments = {
            "load_backbone": {"reference": "tiny-encoder", "options": {}, "may_fetch": True},
            "adapt": {**parts, "adaptation": form.adaptation, "seed": 0},
            "train": {"engine": form.engine, "model": form.program.model, "adaptation": form.adaptation, **taught},
            "evaluate": {"function": function, "examples": ()},
            "optimize": {"function": function, "optimization": None, "examples": (), "calibration": []},
            "explain": {"function": function, "value": "x", "target": None, "explanation": None},
            "package": {"packager": None, "artefact": place, "name": "toy", "target": place},
            "progress": {"run": run, "event": Event("note")},
        }
        right = {
            "load_backbone": form.backbone, "adapt": form.program.model, "train": Fit(), "evaluate": measured,
            "optimize": (function, SHRUNK), "explain": WHY, "package": [place / "a.whl"],
        }  # fmt: skip
        unread = type(form.backbone)()
        unread.__dict__["spec"] = {"layers": 2}
        near: dict[str, list[Any]] = {
            "load_backbone": [unread, form.adaptation],
            "adapt": [form.program.model.head, form.program.model.network],
            "train": [
                Fit(metrics=None), Fit(metrics={"loss": "low"}), Fit(metrics={1: 2.0}), Fit(notes="long"), Fit(notes=[1]),
                Fit(adaptation="head"), Fit(adaptation=type(form.adaptation)), Fit(precision=16),
            ],  # type: ignore[arg-type]
            "evaluate": [Report.model_construct(), measured.model_dump()],
            "optimize": [
                (function,), (function, SHRUNK, 1), (SHRUNK, function), [function, SHRUNK], (function, None),
                (function, OptimizationReport.model_construct()),
            ],
            "explain": [Attribution.model_construct(method="why"), WHY.model_dump()],
            "package": [[], ["a.whl"], [place / "b.whl"], place / "a.whl", [place / "a.whl", None]],
        }  # fmt: skip
        yield World(arguments, right, near)


def wrong(right: Any) -> Iterator[Any]:
    """Give answers that are right nowhere, and some that pretend."""

    class Liar:
        @property
        def __class__(self) -> Any:
            return type(right)

    class Mute:
        @property
        def __class__(self) -> Any:
            raise SystemExit("no class")

        def __repr__(self) -> str:
            raise AttributeError("no text")

        __str__ = __len__ = __iter__ = __bool__ = __eq__ = __repr__  # type: ignore[assignment]
        __hash__ = None  # type: ignore[assignment]

    yield from ("a text", b"bytes", 7, 0, float("nan"), True, False, {}, {"a": 1}, {1}, [None], (None, None), object())
    yield from (np.zeros(3), NotImplemented, ..., type(right), Liar(), Mute(), (n for n in "ab"), lambda: right, len)


def hook(step: str, role: str, act: Callable[[], Any]) -> type:
    """Return a hook plugin that does something in the place of its answer, or after its yield."""

    def answer(self: Any) -> Any:
        return act()

    def around(self: Any) -> Any:
        yield
        return act()

    def before(self: Any) -> Any:
        act()
        yield

    method = {"answer": answer, "observer": answer, "wrapper": around, "before": before}[role]
    marked = hookimpl(specname=step, wrapper=role in ("wrapper", "before"))(method)
    return type("Wrong", (), {"__module__": __name__, "method": marked})


def called(step: str, plugin: type, world: World) -> Any:
    """Call a step with a hook plugin of a distribution, and beneath it one that answers rightly."""
    with registered("hooks", "wrong", plugin, distribution="acme-wrong", version="1.2"):
        steps = Steps(["wrong", hook(step, "answer", lambda: world.right[step])])
        return getattr(steps, step)(**world.arguments[step])


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("step", ANSWERED)
def test_a_wrong_answer_is_told_with_its_plugin_and_what_is_wanted(step: str, role: str, world: World) -> None:
    right = world.right[step]
    assert called(step, hook(step, role, lambda: right), world) is right
    kinds = [*wrong(right), *world.near[step], *([None] if role == "wrapper" else [])]
    for answer in kinds:
        with pytest.raises(errors.HookError) as caught:
            called(step, hook(step, role, lambda answer=answer: answer), world)
        assert re.match(rf"hook plugin 'wrong' failed in step {step}: (it gave |\w+: )", caught.value.what)
        assert re.match(rf"acme-wrong 1\.2: {re.escape(__file__)}, line \d+, in ", caught.value.where)
        assert "leave 'wrong' out of hooks" in caught.value.do


class Bye(BaseException):
    """A stranger's own way to go."""


class _Worst(Exception):
    def __str__(self) -> str:
        raise SystemExit("no message")

    __repr__ = __str__


class _NoText(Exception):
    def __str__(self) -> Any:
        return 7  # noqa: PLE0307 - that is what it is here for

    __repr__ = __str__


class _Trap(str):
    def split(self, *_: Any) -> Any:
        raise ValueError("a trap")

    __len__ = __getitem__ = __iter__ = __format__ = encode = isprintable = split  # type: ignore[assignment]


class _TrapText(Exception):
    def __str__(self) -> str:
        return _Trap("a text with traps")


FAILURES: list[Callable[[], BaseException]] = [
    lambda: SystemExit(), lambda: SystemExit("bye"), lambda: SystemExit(3), lambda: GeneratorExit("bye"), lambda: Bye("bye"),
    lambda: StopIteration(1), lambda: StopAsyncIteration(), lambda: RecursionError("deep"), lambda: MemoryError(),
    lambda: _Worst(), lambda: _NoText(), lambda: _TrapText(), lambda: ValueError("x" * 10_000_000),
    lambda: ValueError("\ud800 \x1b]0;title\x07 \x9b31m \u202eevil\u2066"), lambda: KeyError(_Worst()),
    lambda: UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), lambda: ExceptionGroup("two", [_Worst(), OSError(28, "full")]),
    lambda: type("\x1b[31mRed", (Exception,), {})("red"), lambda: errors.Refused(7), lambda: errors.FunctoryError(_Trap("a")),
    lambda: BaseExceptionGroup("two", [SystemExit(2)]), lambda: AttributeError("no", obj=_Worst()),
]  # fmt: skip
"""What may be raised."""
FOREIGN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


def throws(failure: Callable[[], BaseException]) -> Callable[[], Any]:
    """Return what raises it."""

    def act() -> Any:
        raise failure()

    return act


@pytest.mark.parametrize("role", [*ROLES, "before"])
@pytest.mark.parametrize("step", ANSWERED)
def test_whatever_is_raised_fails_the_step_by_name_and_can_be_told(step: str, role: str, world: World) -> None:
    for failure in FAILURES:
        with pytest.raises(errors.FunctoryError) as caught:
            called(step, hook(step, role, throws(failure)), world)
        told = str(caught.value)
        assert "'wrong'" in told
        assert f"step {step}" in told
        assert "acme-wrong 1.2" in told
        assert not FOREIGN.search(told), ascii(told)
        assert len(told) < 1500
        assert caught.value.as_json()["what"]
    with pytest.raises(KeyboardInterrupt):
        called(step, hook(step, role, throws(KeyboardInterrupt)), world)


def test_an_observer_that_raises_whatever_is_set_aside_by_name(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    for failure in FAILURES:
        called("progress", hook("progress", "observer", throws(failure)), world)
        told = capsys.readouterr().err
        assert "hook plugin 'wrong' failed while observing and is set aside: " in told
        assert "acme-wrong 1.2" in told
        assert not FOREIGN.search(told), ascii(told)
    with pytest.raises(KeyboardInterrupt):
        called("progress", hook("progress", "observer", throws(KeyboardInterrupt)), world)


def test_the_wrapper_that_spoils_an_answer_is_named_and_not_the_one_around_it(world: World) -> None:
    class Around:
        name = "around"

        @hookimpl(wrapper=True)
        def evaluate(self) -> Any:
            report = yield
            return report.keeping(1)

    hooks = [Around(), hook("evaluate", "wrapper", dict), hook("evaluate", "answer", lambda: world.right["evaluate"])]
    hooks[1].name = "wrong"
    with pytest.raises(errors.HookError, match=r"'wrong' failed in step evaluate: it gave an object of type 'dict', which is no"):
        Steps(hooks).evaluate(**world.arguments["evaluate"])


# -- failures that are caught ----------------------------------------------------------------------------


def swallowing(given: Any) -> type:
    """Return a wrapper that makes an answer of whatever failure it meets."""

    class Swallow:
        name = "swallow"

        @hookimpl(wrapper=True)
        def evaluate(self) -> Any:
            try:
                return (yield)
            except BaseException:
                return given

    return Swallow


@pytest.mark.parametrize("failure", [errors.Refused("no."), KeyboardInterrupt(), errors.TrainingError("φ did not move.")])
def test_no_wrapper_makes_an_answer_of_a_no_of_ctrl_c_or_of_a_sentinel(failure: BaseException, world: World) -> None:
    hooks = [swallowing(world.right["evaluate"]), hook("evaluate", "answer", throws(lambda: failure))]
    with pytest.raises(type(failure)):
        Steps(hooks).evaluate(**world.arguments["evaluate"])


def test_a_failure_that_a_wrapper_answers_is_told_and_one_that_it_loses_fails_the_step(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    fails = hook("evaluate", "answer", throws(lambda: OSError("the disk is full")))
    right = world.right["evaluate"]
    assert Steps([swallowing(right), fails]).evaluate(**world.arguments["evaluate"]) is right
    assert re.search(r"note: hook plugin 'swallow' caught a failure in step evaluate .*disk is full", capsys.readouterr().err)
    with pytest.raises(errors.HookError, match=r"'swallow' caught a failure in step evaluate .*disk is full.* and gave nothing"):
        Steps([swallowing(None), fails]).evaluate(**world.arguments["evaluate"])


# -- ways to write a hook that never works --------------------------------------------------------------


def test_a_hook_that_would_never_do_what_it_is_there_for_is_refused_before_anything_is_built() -> None:
    async def waits(self: Any) -> Any: ...

    async def gives(self: Any) -> Any:
        yield

    def yields(self: Any) -> Any:
        yield

    def plain(self: Any) -> Any: ...

    for step, method, options, fault in [
        ("explain", waits, {}, "is asynchronous"),
        ("progress", waits, {}, "is asynchronous"),
        ("train", gives, {"wrapper": True}, "is asynchronous"),
        ("explain", yields, {}, "which only a wrapper does"),
        ("progress", yields, {}, "is observed only"),
        ("progress", yields, {"wrapper": True}, "is observed only"),
        ("explain", yields, {"hookwrapper": True}, "of the old style"),
        ("explain", plain, {"wrapper": True}, "does not yield"),
    ]:
        plugin = type("Never", (), {"name": "never", "method": hookimpl(specname=step, **options)(method)})
        with pytest.raises(errors.HookError, match=f"'never' does not fit the hooks: its method .*{fault}"):
            Steps([plugin()])


class Picky(Options):
    """Options with a check of its own."""

    size: int = 1

    def model_post_init(self, context: Any) -> None:
        if self.size > 1:
            raise SystemExit("too large")


class Made(Hook[Picky]):
    """A hook with such options."""

    @hookimpl
    def progress(self) -> None: ...


def test_a_hook_that_cannot_be_made_is_told_by_name() -> None:
    class Raises:
        def __init__(self) -> None:
            raise SystemExit(3)

        @hookimpl
        def progress(self) -> None: ...

    class Hides:
        @hookimpl
        def progress(self) -> None: ...

        def __dir__(self) -> Any:
            raise _Worst

    for plugin in (Raises, Hides):
        with (
            registered("hooks", "wrong", plugin, distribution="acme-wrong", version="1.2"),
            pytest.raises(errors.HookError, match=r"(?s)'wrong' cannot be made.*where: acme-wrong 1\.2: "),
        ):
            Steps(["wrong"])
        with pytest.raises(errors.HookError, match=r"cannot be made"):
            Steps([plugin])
    with registered("hooks", "picky", Made, distribution="acme-picky", version="1.2"):
        Steps([{"name": "picky", "size": 1}])
        with pytest.raises(errors.HookError, match=r"(?s)'picky' cannot be made: SystemExit: too large.*acme-picky 1\.2"):
            Steps([{"name": "picky", "size": 2}])
        with pytest.raises(errors.HookError, match="'picky' is named twice"):
            Steps(["picky", "picky"])


def test_the_metric_that_is_no_number_of_pythons_is_named(world: World) -> None:
    class Measures:
        name = "measures"

        @hookimpl
        def train(self) -> Any:
            return Fit(metrics={"loss": 0.5, "speed": np.float32(2)})

    with pytest.raises(errors.HookError, match=r"whose metric 'speed' is an object of type 'float32', .* float\(…\) makes one"):
        Steps([Measures()]).train(**world.arguments["train"])


class Shared:
    """Its methods need no object."""

    name = "shared"

    @staticmethod
    @hookimpl
    def evaluate(function: Any) -> Any:
        return function

    @classmethod
    @hookimpl
    def progress(cls, event: Any) -> None: ...

    @hookimpl(optionalhook=True)
    def deploy(self, function: Any) -> Any:
        return function


class Bare:
    """Has no name of its own."""

    @hookimpl
    def progress(self) -> None: ...


def test_a_hook_may_be_of_any_shape_and_serve_another_functory_too(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert Steps([Shared()]).who("evaluate", "progress") == ["shared"]
    with pytest.raises(errors.HookError, match=r"'shared' failed in step evaluate: it gave .*no Report"):
        Steps([Shared()]).evaluate(**world.arguments["evaluate"])
    modules = [ModuleType("acme_first"), ModuleType("acme_second")]
    for module in modules:
        vars(module)["progress"] = hookimpl(lambda event: 1 / 0)
    Steps(modules).progress(run=world.arguments["train"]["run"], event=Event("start"))
    told = capsys.readouterr().err
    assert "hook plugin 'acme_first' failed" in told
    assert "hook plugin 'acme_second' failed" in told
    recipe = Recipe.make(task="toy", hooks=[*modules, Shared(), Bare, "plain", {"name": "diary"}])
    assert recipe.as_json()["hooks"] == ["acme_first", "acme_second", "shared", "Bare", "plain", "diary"]
    with pytest.raises(errors.HookError, match=r"(?s)'Bare' is named twice.*attribute `name`"):
        Steps([Bare(), Bare()])


# -- what is not a hook's to change ---------------------------------------------------------------------


def test_what_a_hook_changes_in_its_arguments_changes_no_step(world: World) -> None:
    seen: list[Any] = []

    class Meddles:
        name = "meddles"

        @hookimpl(wrapper=True)
        def load_backbone(self, options: Any) -> Any:
            options["place"] = {}
            options["nested"].append(1)
            return (yield)

        @hookimpl(wrapper=True)
        def train(self, train: Any) -> Any:
            train.owner.clear()
            train.rows[0].clear()
            train.rows[1:][0]["more"] = 1
            return (yield)

        @hookimpl(wrapper=True)
        def optimize(self, calibration: Any) -> Any:
            calibration.clear()
            return (yield)

        @hookimpl
        def progress(self, event: Any) -> None:
            event.values["loss"] = 0.0

    class Sees:
        name = "sees"

        @hookimpl
        def load_backbone(self, options: Any) -> Any:
            seen.append(options)
            return world.right["load_backbone"]

        @hookimpl
        def train(self, train: Any) -> Any:
            seen.append((len(train.rows), len(train.owner), sorted(train.rows[0])))
            return Fit()

        @hookimpl
        def optimize(self, calibration: Any) -> Any:
            seen.append(calibration)
            return world.right["optimize"]

        @hookimpl
        def progress(self, event: Any) -> None:
            seen.append(dict(event.values))

    steps = Steps([Meddles(), Sees()])
    given = {"nested": []}
    steps.load_backbone(reference="tiny-encoder", options=given, may_fetch=True)
    array = np.arange(3)
    taught = Taught([{"input_ids": array, "label": array}, {}], [0, 1])
    steps.train(**{**world.arguments["train"], "train": taught})
    steps.optimize(**{**world.arguments["optimize"], "calibration": [1, 2]})
    steps.progress(run=world.arguments["train"]["run"], event=Event("step", values={"loss": 0.5}))
    assert seen == [{"nested": []}, (2, 2, ["input_ids", "label"]), [1, 2], {"loss": 0.5}]
    assert given == {"nested": []}
    assert len(taught.rows) == 2


def test_a_hook_that_writes_into_rows_or_changes_the_run_is_told(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    class Writes:
        name = "writes"

        @hookimpl(wrapper=True)
        def train(self, train: Any) -> Any:
            train.rows[0]["label"][:] = 0
            return (yield)

    class Cuts:
        name = "cuts"

        @hookimpl
        def train(self, train: Any) -> Any:
            del train.rows[1:]

    class Reseeds:
        name = "reseeds"

        @hookimpl
        def train(self, run: Any) -> Any:
            run.seed = 7

        @hookimpl
        def progress(self, run: Any) -> None:
            run.folder = Path("/")

    arguments = world.arguments["train"]
    array = np.ones(2)
    with pytest.raises(errors.HookError, match=r"'writes' failed in step train: ValueError: .*read-only"):
        Steps([Writes()]).train(**{**arguments, "train": Taught([{"label": array}], [0])})
    assert array.all()
    with pytest.raises(errors.HookError, match=r"'cuts' failed in step train: TypeError: .*deletion"):
        Steps([Cuts()]).train(**{**arguments, "train": Taught([{"label": array}], [0])})
    with pytest.raises(errors.HookError, match=r"'reseeds' failed in step train: .*changed the run's seed"):
        Steps([Reseeds()]).train(**arguments)
    place = arguments["run"].folder
    Steps([Reseeds()]).progress(run=arguments["run"], event=Event("start"))
    assert "changed the run's folder" in capsys.readouterr().err
    assert (arguments["run"].seed, arguments["run"].folder) == (0, place)


def test_a_hook_that_builds_with_itself_is_told_and_does_not_go_on_for_ever() -> None:
    calls: list[int] = []
    recipe = {"task": "toy", "backbone": "tiny-encoder", "adaptation": "toy-head", "train": rows(16), "report": False}

    class Again:
        name = "again"

        @hookimpl
        def load_backbone(self) -> Any:
            calls.append(1)
            functory.build(**recipe, hooks=[Again()])

    with kit(), pytest.raises(errors.HookError, match=r"'again' failed in step load_backbone: it calls itself"):
        functory.build(**recipe, hooks=[Again()])
    assert len(calls) < 10
