"""The callable: order, batches, threads, inputs, what it says of itself."""

from __future__ import annotations

import inspect
import pydoc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jsonschema
import numpy as np
import pytest

import functory
from functory import errors
from functory.data import read

TEXTS = ["fine", "a " * 700, "A small movie with a big impact.", "dull and far too long", "电影很好看", "?"]


@pytest.fixture(scope="module")
def fn(sentiment: Path) -> functory.Function:
    return functory.load(sentiment)


def test_map_keeps_the_order_and_gives_what_single_calls_give(
    fn: functory.Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functory.running.mapping.CHUNK", 16)
    mapped = list(fn.map(iter(TEXTS * 6)))  # more than one chunk, and no length to ask for
    assert len(mapped) == len(TEXTS) * 6
    single = {text: fn(text) for text in set(TEXTS)}
    for text, output in zip(TEXTS * 6, mapped, strict=True):
        assert output.scores == pytest.approx(single[text].scores, abs=1e-4)


def test_many_threads_at_once_give_the_same_outputs(fn: functory.Function) -> None:
    expected = [fn(text).scores for text in TEXTS[:6]]
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(fn, TEXTS[:6] * 20))
    for index, output in enumerate(found):
        assert output.scores == pytest.approx(expected[index % 6], abs=1e-4)


def test_a_long_text_is_read_in_windows_and_the_output_says_so(fn: functory.Function) -> None:
    assert fn("a " * 700).notes == ("read in 2 windows",)
    assert fn("short").notes == ()


def test_wrong_inputs_are_named_with_what_to_call(fn: functory.Function) -> None:
    with pytest.raises(errors.InputError, match=r"text: .*at least 1 character.*got ''"):
        fn("")
    with pytest.raises(errors.InputError, match="text: .*valid string"):
        fn(3)
    with pytest.raises(errors.InputError, match="takes 1 positional"):
        fn("a", "b")
    with pytest.raises(errors.InputError, match=r"(?s)extra.*where: input 2"):
        list(fn.map(["fine", {"text": "a", "extra": 1}]))


def test_the_function_describes_itself(fn: functory.Function) -> None:
    assert str(inspect.signature(fn)).startswith("(text: str) -> ")
    page = pydoc.render_doc(fn, renderer=pydoc.plaintext)
    assert "Says which label a text has" in page
    assert "Labels: fresh, rotten" in page
    schema = fn.signature
    assert schema["output"]["properties"]["label"]["enum"] == ["fresh", "rotten"]
    jsonschema.validate(fn("fine").model_dump(mode="json"), schema["output"])
    jsonschema.validate({"text": "fine"}, schema["input"])
    info = fn.info()
    assert info["backbone"]["reference"] == "minilm"
    assert info["recipe"]["seed"] == 1
    assert "sentiment" in repr(fn)


def test_an_unknown_label_at_evaluation_is_named_with_its_line(fn: functory.Function, tmp_path: Path) -> None:
    file = tmp_path / "test.csv"
    file.write_text("text,label\ngood,fresh\nbad,stale\n")
    with pytest.raises(errors.DataError, match=r"(?s)unknown label 'stale'.*test\.csv, line 3"):
        fn.evaluate(file)
    report = fn.evaluate(file, on_bad_row="skip")
    assert (report.examples, report.skipped) == (1, 1)


def test_evaluation_counts_every_example_once(fn: functory.Function, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functory.running.mapping.CHUNK", 64)
    rows = [dict(record.values) for record in read("samples:rotten-tomatoes")[:150]]
    report = fn.evaluate(rows)
    assert report.examples == 150
    assert sum(map(sum, report.confusion.matrix())) == 150
    assert report.metrics["accuracy"].low < report.metrics["accuracy"].value < report.metrics["accuracy"].high


def test_two_functions_on_one_backbone_share_its_tensors_and_do_not_meet(fn: functory.Function, tmp_path: Path) -> None:
    before = fn("A small movie with a big impact.")
    other = functory.build(
        task="text-classification", backbone="minilm", adaptation="head",
        train=[{"text": f"{word} {n}", "label": word} for n in range(30) for word in ("cat", "dog", "fish")],
    )  # fmt: skip
    assert other("cat 77").label == "cat"
    assert fn("A small movie with a big impact.") == before
    mine, theirs = (f.form.program.model.network.state_dict() for f in (fn, other))
    assert all(mine[name].data_ptr() == theirs[name].data_ptr() for name in mine)


def test_the_same_seed_builds_the_same_function() -> None:
    def built(seed: int) -> np.ndarray:
        fn = functory.build(
            task="text-classification",
            adaptation="head",
            train="samples:rotten-tomatoes",
            limit=120,
            seed=seed,
            report=False,
        )
        return np.concatenate([array.ravel() for array in fn.form.engine.phi(fn.form.program.model).values()])

    first = built(3)
    assert np.allclose(first, built(3), atol=1e-4)  # where memory lies decides the last bits of a product
    assert not np.allclose(first, built(4), atol=1e-2)


def test_hooks_answer_wrap_and_observe_and_a_failing_one_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    from functory.hookspecs import hookimpl

    seen: list[str] = []

    class Watch:
        name = "watch"

        @hookimpl(wrapper=True)
        def train(self):
            seen.append("before")
            result = yield
            seen.append("after")
            return result

        @hookimpl
        def progress(self, event):
            seen.append(event.kind)
            raise ValueError("disk full")

    class Policy:
        name = "policy"

        @hookimpl
        def load_backbone(self, reference):
            raise errors.Refused(f"{reference} is not allowed here.")

    class Broken:
        name = "broken"

        @hookimpl
        def evaluate(self, function):
            return 1 / 0

    recipe = {
        "task": "text-classification", "backbone": "minilm", "adaptation": "head",
        "train": [{"text": f"{word} {n}", "label": word} for n in range(20) for word in ("cat", "dog")],
    }  # fmt: skip
    functory.build(recipe, hooks=[Watch()])
    assert seen[:3] == ["start", "before", "after"]
    assert capsys.readouterr().err.count("'watch' failed while observing and is set aside") == 1
    with pytest.raises(errors.Refused, match=r"(?s)minilm is not allowed here.*hook plugin 'policy'"):
        functory.build(recipe, hooks=[Policy()])
    with pytest.raises(errors.HookError, match=r"'broken' failed in step evaluate: ZeroDivisionError"):
        functory.build(recipe, hooks=[Broken()])
