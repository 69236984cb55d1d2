"""Hooks: who takes part, in which order, and whose fault a failure is. With real plugins, named as a user names them."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import functory
from functory import errors
from functory.contracts.engine import Event
from functory.contracts.explanation import Attribution, Faithfulness
from functory.contracts.formulation import Target
from functory.hookspecs import hookimpl
from functory.steps import Steps

ROWS = [{"text": f"{word} {n}", "label": word} for n in range(20) for word in ("cat", "dog")]


def why(method: str) -> Attribution:
    """Return an explanation that can be told by its method."""
    return Attribution(
        method=method, target=Target(name="x", port="logits", index=(0,)), score=1.0, pieces=(),
        faithfulness=Faithfulness(comprehensiveness=0, sufficiency=0),
    )  # fmt: skip


THING = SimpleNamespace(explain=lambda function, value, target: why("core's own"))


class Answer:
    """Answers `explain`, noting that it was asked."""

    def __init__(self, name: str, calls: list[str], answer: str | None = None) -> None:
        self.name, self._calls, self._answer = name, calls, answer

    @hookimpl
    def explain(self, value: Any) -> Any:
        self._calls.append(self.name)
        return None if self._answer is None else why(self._answer)


class Around:
    """Wraps `explain`."""

    def __init__(self, name: str, calls: list[str]) -> None:
        self.name, self._calls = name, calls

    @hookimpl(wrapper=True)
    def explain(self) -> Any:
        self._calls.append(f"{self.name} before")
        result = yield
        self._calls.append(f"{self.name} after")
        return why(f"{self.name}({result.method})")


class Loud:
    """Answers, and asks to be called first, which only the list decides."""

    def __init__(self, calls: list[str]) -> None:
        self.name, self._calls = "loud", calls

    @hookimpl(tryfirst=True)
    def explain(self) -> Any:
        self._calls.append("loud")


def explain(*hooks: Any) -> Any:
    return Steps(hooks).explain(function=None, value="x", target=None, explanation=THING)


def test_the_list_is_the_order_and_the_first_wrapper_is_outermost() -> None:
    calls: list[str] = []
    hooks = [Around("a", calls), Answer("b", calls), Around("c", calls), Answer("d", calls), Loud(calls)]
    assert explain(*hooks).method == "a(c(core's own))"
    assert calls == ["a before", "c before", "b", "d", "loud", "c after", "a after"]


def test_as_many_wrappers_of_one_class_as_a_user_names_lie_around_each_other() -> None:
    assert explain(*(Around(f"n{n}", []) for n in range(9))).method.startswith("n0(n1(n2(n3(n4(n5(n6(n7(n8(core's own)")


def test_the_first_answer_wins_and_the_later_ones_are_not_asked() -> None:
    calls: list[str] = []
    hooks = [Answer("a", calls), Answer("b", calls, "b's"), Answer("c", calls, "c's"), Around("w", calls)]
    assert explain(*hooks).method == "w(b's)"
    assert calls == ["w before", "a", "b", "w after"]


def test_a_wrapper_that_yields_twice_or_never_fails_the_step_by_name() -> None:
    class Twice:
        name = "twice"

        @hookimpl(wrapper=True)
        def explain(self) -> Any:
            yield
            yield

    class Never:
        name = "never"

        @hookimpl(wrapper=True)
        def explain(self) -> Any:
            if self.name == "sometimes":
                yield

    class Plain:
        name = "plain"

        @hookimpl(wrapper=True)
        def explain(self) -> Any:
            return 1

    with pytest.raises(errors.HookError, match=r"(?s)'twice' failed in step explain.*exactly once.*test_hooks\.py"):
        explain(Twice())
    with pytest.raises(errors.HookError, match=r"(?s)'never' failed in step explain.*exactly once"):
        explain(Never())
    with pytest.raises(errors.HookError, match=r"'plain' does not fit the hooks"):
        explain(Plain())


def test_a_wrapper_sees_the_failure_of_what_it_wraps_and_is_not_blamed_for_it() -> None:
    seen: list[BaseException] = []

    class Watch:
        name = "watch"

        @hookimpl(wrapper=True)
        def explain(self) -> Any:
            try:
                return (yield)
            except errors.Refused as error:
                seen.append(error)
                raise

    class No:
        name = "no"

        @hookimpl
        def explain(self) -> Any:
            raise errors.Refused("not today.")

    with pytest.raises(errors.Refused, match=r"(?s)not today.*hook plugin 'no', step explain"):
        explain(Watch(), No())
    assert len(seen) == 1


def test_a_misspelt_step_or_argument_is_told_and_not_passed_over() -> None:
    class Step:
        name = "step"

        @hookimpl
        def explian(self) -> Any: ...

    class Argument:
        name = "argument"

        @hookimpl
        def explain(self, vlaue: Any) -> Any: ...

    class Nothing:
        name = "nothing"

        def explain(self) -> Any: ...

    with pytest.raises(
        errors.HookError, match=r"(?s)'step' implements 'explian', which is no step.*did you mean 'explain'"
    ):
        Steps([Step()])
    with pytest.raises(errors.HookError, match=r"(?s)'argument' does not fit the hooks.*vlaue.*docs/hooks\.md"):
        Steps([Argument()])
    with pytest.raises(errors.HookError, match=r"(?s)'nothing' implements no step.*@hookimpl"):
        Steps([Nothing()])


def test_an_observer_that_fails_is_set_aside_and_the_others_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[str] = []

    class Full:
        name = "full"

        @hookimpl
        def progress(self) -> None:
            raise OSError("disk full")

    class Fine:
        name = "fine"

        @hookimpl
        def progress(self, event: Event) -> None:
            seen.append(event.kind)

    steps = Steps([Full(), Fine()])
    for kind in ("start", "step", "done"):
        steps.progress(run=None, event=Event(kind))
    assert seen == ["start", "step", "done"]
    assert capsys.readouterr().err.count("disk full") == 1


def test_the_trace_tells_who_in_which_order_and_how_long(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[str] = []
    explain(Answer("quiet", calls))
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("FUNCTORY_TRACE", "1")
    explain(Answer("b", calls), Around("a", calls), Answer("c", calls))
    (line,) = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"trace explain: a → b → c → core  \d+\.\d{3} s", line)

    class Broken:
        name = "a"

        @hookimpl
        def explain(self) -> Any:
            return 1 / 0

    with pytest.raises(errors.HookError):
        Steps([Broken()]).explain(function=None, value="x", target=None, explanation=THING)
    assert re.fullmatch(
        r"trace explain: a → core  \d+\.\d{3} s  failed: HookError: .*", capsys.readouterr().err.strip()
    )


# -- plugins by name --------------------------------------------------------------------------------------


@pytest.fixture
def recipe(tmp_path: Path) -> Any:
    """Return a function that writes a recipe with hooks beside a table."""

    def write(*hooks: str) -> Path:
        table = "text,label\n" + "".join(f"{row['text']},{row['label']}\n" for row in ROWS)
        (tmp_path / "animals.csv").write_text(table)
        named = ", ".join(f'"{hook}"' for hook in hooks)
        (tmp_path / "recipe.toml").write_text(
            f'task = "text-classification"\ntrain = "animals.csv"\nhooks = [{named}]\nadaptation = "head"\n'
        )
        return tmp_path / "recipe.toml"

    return write


def test_a_recipe_names_a_hook_plugin_by_its_entry_point(recipe: Any, capsys: pytest.CaptureFixture[str]) -> None:
    function = functory.build(recipe("step-times"))
    told = capsys.readouterr().err
    steps = [
        "load_backbone",
        "adapt",
        "adapt: φ holds 770 numbers",
        "progress: start",
        "train",
        "progress: done",
        "evaluate",
    ]
    places = [told.index(f"{step}:" if ":" not in step else step) for step in steps]
    assert places == sorted(places)
    assert function.hooks == ("step-times",)


def test_a_hook_plugin_that_is_not_installed_is_named_before_anything_is_built(recipe: Any) -> None:
    with pytest.raises(errors.UnknownComponent, match=r"(?s)no hook named 'step-tmies'.*did you mean 'step-times'"):
        functory.build(recipe("step-tmies"))


def test_installing_a_hook_plugin_changes_nothing_by_itself(
    recipe: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ACME_ALLOWED_LICENCES", "GPL-3.0-only")
    functory.build(recipe(), report=False)
    assert "load_backbone:" not in capsys.readouterr().err


def test_a_licence_that_is_not_allowed_is_refused_in_a_build_and_by_configuration_in_a_load(
    recipe: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    functory.build(recipe("licence-policy"), report=False).save(tmp_path / "animals")
    monkeypatch.setenv("ACME_ALLOWED_LICENCES", "MIT,BSD-3-Clause")
    refusal = r"(?s)the licence of backbone 'minilm' is Apache-2\.0; allowed: MIT, BSD-3-Clause.*'licence-policy', step"
    with pytest.raises(errors.Refused, match=refusal):
        functory.build(recipe("licence-policy"), report=False)
    functory.load(tmp_path / "animals")  # nobody asked for the policy here
    (tmp_path / "config.toml").write_text('hooks = ["licence-policy"]\n')
    monkeypatch.setenv("FUNCTORY_CONFIG", str(tmp_path / "config.toml"))
    with pytest.raises(errors.Refused, match=refusal):
        functory.load(tmp_path / "animals")


def test_an_evaluation_that_was_made_before_is_read_from_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FUNCTORY_CACHE", str(tmp_path / "cache"))
    build = {"task": "text-classification", "train": ROWS, "adaptation": "head", "report": False, "hooks": ["evaluation-cache"]}
    function = functory.build(**build)
    first = function.evaluate(ROWS)
    monkeypatch.setattr(functory.Function, "map", lambda *_, **__: pytest.fail("it was measured again"))
    assert function.evaluate(ROWS) == first
    with pytest.raises(pytest.fail.Exception, match="measured again"):
        function.evaluate(ROWS[:30])  # other data
    monkeypatch.undo()
    monkeypatch.setenv("FUNCTORY_CACHE", str(tmp_path / "cache"))
    other = functory.build(**{**build, "train": ROWS[4:]})  # another φ, the same data
    seconds = first.seconds
    assert other.evaluate(ROWS).seconds != seconds


def test_an_observer_that_is_set_aside_is_named_with_file_and_line(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[str] = []

    class Watch:
        name = "watch"

        @hookimpl
        def progress(self, event: Any) -> None:
            told.append(event.kind)
            self.write(event)

        def write(self, event: Any) -> None:
            raise OSError("the disk is full")  # the line that is named

    steps = Steps([Watch()])
    for kind in ("start", "step", "done"):
        steps.progress(run=None, event=Event(kind))
    line = Path(__file__).read_text("utf-8").splitlines().index(
        '            raise OSError("the disk is full")  # the line that is named'
    ) + 1  # fmt: skip
    said = capsys.readouterr().err
    assert told == ["start"], "nothing is told to it afterwards"
    assert "'watch' failed while observing and is set aside: OSError: the disk is full" in said
    assert f"{__file__}, line {line}, in " in said
    assert said.count("set aside") == 1
    assert steps.set_aside["watch"].where.startswith(f"{__file__}, line {line}")


def test_a_wrapper_and_an_answer_are_blamed_at_the_line_that_failed() -> None:
    class Fails:
        name = "fails"

        @hookimpl
        def explain(self) -> Any:
            return self.deeper()

        def deeper(self) -> Any:
            return int("seven")

    line = Path(__file__).read_text("utf-8").splitlines().index('            return int("seven")') + 1
    with pytest.raises(errors.HookError) as caught:
        explain(Fails())
    assert caught.value.where.startswith(f"{__file__}, line {line}, in ")
